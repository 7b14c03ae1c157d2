"""The bank: points for daily business, month by month, that pay for travel."""

from tests.programs.conftest import Lives
from tests.scenarios.document import cash, paid_with_points


def test_two_years_of_daily_business(living: Lives) -> None:
    ann = living("bank")
    ann.enrol("2026-01-01")

    # Every month of 2026: 1,000 yuan with the card, 1,000; 150,000 yuan kept, 1,500; a salary, 200; four bills of which
    # three count, 150. 2,850 a month.
    for month in range(1, 13):
        day = f"2026-{month:02}"
        ann.buy(f"c-{month}", "1000.00", at=f"{day}-10 10:00")
        ann.post("custom.month_end", {"average_assets": "150000.00"}, at=f"{day}-11 10:00")
        ann.post("custom.salary", {"amount": "9000.00"}, at=f"{day}-12 10:00")
        for bill in ("water", "power", "gas", "phone"):
            paid = ann.post("custom.bill_paid", {"amount": "88.00", "kind": bill}, at=f"{day}-15 10:00")
            assert paid.granted("bills") == (0 if bill == "phone" else 50)
        if month == 7:
            # Seven months: 19,950, not gold yet.
            assert (ann.points()[0], ann.tier()) == (19_950, "classic")
    # In August the card's 1,000 reach 20,950 and gold; what has a rate then earns a fifth more, fixed points do not.
    # August: 1,000 + 1,500 and 300 of bonus + 350 = 3,150. September to December: 1,000 and 200, 1,500 and 300, 350.
    assert (ann.tier(), ann.until()) == ("gold", "2028-01-01 00:00")
    assert ann.points()[0] == 19_950 + 3_150 + 4 * 3_350

    # 36,500 points, which live to the end of 2027. 30,000 of them pay 60 yuan of a ticket of 800 at the travel desk.
    assert ann.expiring() == [(36_500, "2028-01-01 00:00")]
    ann.clock("2027-01-05 09:55")
    ann.redeem("r-0", 4_500, refused="below_minimum")
    ann.redeem("r-1", 30_000, hold=True)
    ticket = [paid_with_points("r-1", "60.00"), cash("740.00")]
    ticket_bought = ann.buy("trip", "800.00", at="2027-01-05 10:00", tenders=ticket)
    # 740 and a fifth of it.
    assert (ticket_bought.granted("card"), ticket_bought.granted("card", "membership.gold")) == (740, 148)

    # 2027 has little business: at its end the rest of 2026 goes, and gold with it.
    ann.clock("2028-01-01")
    assert (ann.tier(), ann.expiring()) == ("classic", [(888, "2029-01-01 00:00")])


def test_a_month_has_a_most_for_the_card_and_for_assets(living: Lives) -> None:
    ann = living("bank")
    ann.enrol("2026-01-01")
    assert ann.buy("c-1", "15000.00", at="2026-01-10 10:00").granted("card") == 15_000
    assert ann.buy("c-2", "15000.00", at="2026-01-20 10:00").why("card") == ("trimmed", 15_000, 5_000)
    kept = ann.post("custom.month_end", {"average_assets": "1000000.00"}, at="2026-01-25 10:00")
    assert kept.why("assets") == ("trimmed", 10_000, 3_000)
    # A salary below 3,000 and a second one in a month are worth nothing.
    assert ann.post("custom.salary", {"amount": "2999.99"}, at="2026-01-26 10:00").granted("salary") == 0
    assert ann.post("custom.salary", {"amount": "3000.00"}, at="2026-01-27 10:00").granted("salary") == 200
    assert ann.post("custom.salary", {"amount": "9000.00"}, at="2026-01-28 10:00").granted("salary") == 0
    assert ann.buy("c-3", "100.00", at="2026-02-01 00:00").granted("card") == 100


def test_points_become_flights_nights_miles_and_lounges(living: Lives) -> None:
    ann = living("bank")
    ann.enrol("2026-01-01")
    # 19,000 points, classic: a thousand miles for 18,000, and no lounge.
    ann.buy("c-1", "19000.00", at="2026-01-10 10:00")
    assert ann.reward("l-0", "lounge", refused="reward_not_for_member") == 0
    assert ann.reward("m-1", "miles") == 18_000
    # 20,000 points earned are gold; the most of a month is reached. In February 20,000 and a fifth of it: 26,000.
    ann.buy("c-2", "1000.00", at="2026-01-11 10:00")
    ann.buy("c-3", "20000.00", at="2026-02-10 10:00")
    assert (ann.tier(), ann.points()) == ("gold", (26_000, 0, 0, 0))

    # A flight of 60 yuan is 30,000 points, of which 9,000 at least: 20,000 and, for the other 10,000, 20 yuan.
    assert ann.reward("f-0", "flight", value="60.00", refused="insufficient_points") == 0
    assert ann.reward("f-0", "flight", value="60.00", pay=(8_999, "42.00"), refused="payment_out_of_range") == 0
    assert ann.reward("f-0", "flight", value="60.00", pay=(20_000, "19.99"), refused="cash_mismatch") == 0
    assert ann.reward("f-1", "flight", value="60.00", pay=(20_000, "20.00")) == 20_000
    assert ann.points() == (6_000, 0, 20_000, 0)
    # It is ticketed, and then never flies: the points come back.
    ann.fulfil("f-1", "delivered")
    assert ann.points() == (6_000, 0, 0, 0)
    ann.fulfil("f-1", "returned")
    assert ann.points() == (26_000, 0, 0, 0)

    # Gold pays 15,000 for miles and 8,000 for a lounge, which nobody enters for ninety days.
    assert (ann.reward("m-2", "miles"), ann.reward("l-1", "lounge")) == (15_000, 8_000)
    assert ann.points() == (3_000, 0, 8_000, 0)
    ann.clock("2026-05-11 10:00")
    assert ann.points() == (11_000, 0, 0, 0)

    # 20,000 and 4,000 in each of May and June are 59,000: not enough for a night in June, and in November more than it.
    for month in (5, 6):
        ann.buy(f"d-{month}", "20000.00", at=f"2026-{month:02}-20 10:00")
    assert ann.reward("n-0", "hotel_night", refused="insufficient_points") == 0
    ann.clock("2026-11-01")
    assert ann.reward("n-1", "hotel_night") == 45_000
    # Earned were 40,000 and 4,000 in the first two months and 48,000 later: 92,000, gold, whatever was spent.
    assert (ann.tier(), ann.points()) == ("gold", (14_000, 0, 45_000, 0))


def test_a_night_that_is_given_back_after_its_points_expired_does_not_bring_them_back(living: Lives) -> None:
    ann = living("bank")
    ann.enrol("2026-01-01")
    # 40,000 points and 4,000 of bonus in 2026, 1,200 in January 2027; a night at 45,000 takes the older ones first.
    ann.buy("c-1", "20000.00", at="2026-01-10 10:00")
    ann.buy("c-2", "20000.00", at="2026-02-10 10:00")
    ann.buy("c-3", "1000.00", at="2027-01-10 10:00")
    ann.clock("2027-12-20 10:00")
    assert ann.reward("n-1", "hotel_night") == 45_000
    assert ann.points() == (200, 0, 45_000, 0)
    # The hotel declines in January: of 45,000 the 44,000 of 2026 have expired, and 1,000 of 2027 are there again.
    ann.clock("2028-01-05 10:00")
    ann.fulfil("n-1", "failed")
    assert (ann.points(), ann.expiring()) == ((1_200, 0, 0, 0), [(1_200, "2029-01-01 00:00")])
