"""The coffee chain: the lowest tier's stars expire after six months without activity, the others' never."""

from tests.programs.conftest import Lives
from tests.scenarios.document import line


def test_two_years_of_coffee(living: Lives) -> None:
    ann = living("coffee_chain")
    ann.enrol("2026-03-10")

    # A green star a dollar, whole dollars of the order: 4. Six months without activity, and it is gone that instant.
    ann.buy("c-1", "4.95", at="2026-03-11 08:00")
    assert ann.expiring("stars") == [(4, "2026-09-11 08:00")]
    ann.clock("2026-09-11 08:00")
    assert ann.points("stars") == (0, 0, 0, 0)

    # What was earned in twelve months counts for the tier, not what is left: 4 + 495 is not enough, one more is.
    ann.buy("c-2", "495.00", at="2026-09-14 08:00")
    assert (ann.tier(), ann.expiring("stars")) == ("green", [(495, "2027-03-14 08:00")])
    # 15 September is a double day, but not for green members.
    last = ann.buy("c-3", "1.00", at="2026-09-15 08:00")
    assert (last.granted("base"), last.why("double_day")) == (1, ("condition_not_met", 0, 0))
    assert (ann.tier(), ann.until()) == ("gold", "2027-09-15 08:00")
    # Gold stars do not expire, and the clock of those she had as green stands still.
    assert ann.expiring("stars") == [(496, None)]

    # 100 x 1.2 = 120; on 15 December 50 x 1.2 = 60 and as many again.
    assert ann.buy("c-4", "100.00", at="2026-10-01 08:00").granted("base") == 120
    double = ann.buy("c-5", "50.00", at="2026-12-15 08:00")
    assert (double.granted("base"), double.granted("double_day")) == (60, 60)
    assert ann.points("stars")[0] == 496 + 120 + 120

    # A free drink of 200 and a shot of 25; her tier is as before.
    assert (ann.reward("r-1", "drink"), ann.reward("r-2", "extra")) == (200, 25)
    assert (ann.points("stars")[0], ann.tier()) == (511, "gold")

    # In the twelve months to 1 February 2027: 4 + 495 + 1 + 120 + 120 = 740; 1,467 x 1.2 = 1,760.4 make 2,500: reserve.
    ann.buy("c-6", "1467.00", at="2027-02-01 08:00")
    assert (ann.tier(), ann.until()) == ("reserve", "2028-02-01 08:00")
    # 10 x 1.7; on 15 April, which is double for reserve alone, once more.
    assert ann.buy("c-7", "10.00", at="2027-02-02 08:00").granted("base") == 17
    double = ann.buy("c-8", "10.00", at="2027-04-15 08:00")
    assert (double.granted("base"), double.granted("double_day_of_reserve")) == (17, 17)

    # The last day on which twelve months had 2,500 was 15 April 2027 (less the 4 of 11 March 2026: 2,547).
    assert (ann.tier(), ann.until()) == ("reserve", "2028-04-15 08:00")
    # A year later nothing of it is in the window: she is green, and the six months of her stars begin.
    ann.clock("2028-04-15 08:00")
    # 511 + 1,760 + 17 + 34.
    assert (ann.tier(), ann.expiring("stars")) == ("green", [(2_322, "2028-10-15 08:00")])
    # A drink a month keeps them.
    ann.buy("c-9", "5.00", at="2028-10-01 08:00")
    assert ann.expiring("stars") == [(2_327, "2029-04-01 08:00")]


def test_a_birthday_treat_can_be_had_on_the_day_in_the_week_or_in_thirty_days_by_tier(living: Lives) -> None:
    ann = living("coffee_chain")
    ann.enrol("2026-03-10", born="1992-12-20")

    def asks(at: str) -> int:
        """How many treats she gets for asking."""
        before = len(ann.vouchers())
        ann.post("check_in", at=at)
        return len(ann.vouchers()) - before

    # Green: on 20 December alone, once, and only that day.
    assert [asks("2026-12-19 23:59"), asks("2026-12-20 08:00"), asks("2026-12-20 09:00")] == [0, 1, 0]
    assert ann.vouchers() == [("treat", "issued", "2026-12-21 00:00")]
    # Of a drink of 6.25 and a cake of 3.50 the dearer is free, and the 3.50 that are left earn 3.
    cart = (line("6.25", "drink"), line("3.50", "bakery"))
    treat = ann.till("c-0", *cart, at="2026-12-20 10:00", vouchers=["treat"])
    assert (treat.paid, treat.off, treat.answer.granted("base")) == ("3.50", {"treat": "6.25"}, 3)

    # Gold: seven days, 20 to 26 December. What is not had on the day is lost, and beans are no treat.
    ann.buy("c-1", "500.00", at="2027-06-01 08:00")
    assert (ann.tier(), asks("2027-12-19 12:00"), asks("2027-12-26 12:00")) == ("gold", 0, 1)
    beans = ann.quote(line("18.00", "beans"), at="2027-12-26 12:05", vouchers=["treat"])
    assert beans == {"treat": ("no_lines", "0.00")}
    assert asks("2027-12-27 00:00") == 0
    assert [status for _kind, status, _until in ann.vouchers()] == ["redeemed", "expired"]
    late = ann.quote(*cart, at="2027-12-27 00:01", vouchers=["treat"])
    assert late == {"treat": ("voucher_expired", "0.00")}

    # Reserve: thirty days, over New Year to 18 January, once. 2,000 x 1.2 = 2,400 stars and 500 are enough.
    ann.buy("c-2", "2000.00", at="2028-05-01 08:00")
    assert (ann.tier(), asks("2029-01-18 23:59"), asks("2029-01-19 00:00")) == ("reserve", 1, 0)


def test_stars_buy_what_their_number_is_good_for_and_a_cup_that_comes_back_gives_them_back(living: Lives) -> None:
    ann = living("coffee_chain")
    ann.enrol("2026-03-10")
    # 900 stars, green: 25 + 60 + 100 + 200 + 300 = 685 leave 215, which are no cup.
    ann.buy("c-1", "900.00", at="2026-03-11 08:00")
    names = ("extra", "two_dollars", "brewed", "drink", "sandwich")
    assert [ann.reward(f"r-{name}", name) for name in names] == [25, 60, 100, 200, 300]
    assert ann.reward("r-cup", "cup", refused="insufficient_points") == 0
    # The 60 stars are two dollars off, today: 5.00 cost 3.00, which at 1.2 (900 reached gold) are 3.6 stars.
    sale = ann.till("c-0", line("5.00", "drink"), at="2026-03-11 08:05", vouchers=["two_dollars"])
    assert (sale.paid, sale.off, sale.answer.granted("base")) == ("3.00", {"two_dollars": "2.00"}, 3)
    # 157.50 x 1.2 = 189, together 407. A cup is held until it is sent, and comes back broken.
    ann.buy("c-2", "157.50", at="2026-03-12 08:00")
    assert (ann.reward("r-cup", "cup"), ann.points("stars")) == (400, (7, 0, 400, 0))
    ann.fulfil("r-cup", "shipped")
    assert ann.points("stars") == (7, 0, 0, 0)
    ann.fulfil("r-cup", "returned")
    assert (ann.points("stars"), ann.expiring("stars")) == ((407, 0, 0, 0), [(407, None)])
