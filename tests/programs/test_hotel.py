"""The hotel program: nights make status, dollars make points, and only the top asks for dollars as well."""

from tests.programs.conftest import Lives


def test_two_years_of_stays(living: Lives) -> None:
    ann = living("hotel")
    ann.enrol("2026-01-05")

    # Ten nights for 2,000: 20,000 points without a bonus, as she is a member yet. Then silver: the year ends with
    # December, the next one too, and status with the February after it.
    stay = ann.buy("s-1", "2000.00", at="2026-02-11 10:00")
    assert (stay.granted("base"), stay.granted("base", "membership.silver")) == (20_000, 0)
    ann.post("custom.stay", {"nights": 10}, at="2026-02-11 10:01")
    assert (ann.tier(), ann.until()) == ("silver", "2028-03-01 00:00")

    # Five nights in four rooms of 500: points for three rooms, 1,500 x 10 and a tenth of it; night credit for one.
    rooms = [{"amount": "500.00", "fields": {"room": n}} for n in (1, 2, 3, 4)]
    stay = ann.buy("s-2", *rooms, at="2026-03-10 10:00")
    assert (stay.granted("base"), stay.granted("base", "membership.silver")) == (15_000, 1_500)
    ann.post("custom.stay", {"nights": 5}, at="2026-03-10 10:01")

    # Ten nights at a brand with half the points: 1,000 x 5 and a tenth of it. 10 + 5 + 10 nights are gold.
    stay = ann.buy("s-3", "1000.00", at="2026-04-10 10:00", fields={"brand": "extended_stay"})
    assert (stay.granted("base"), stay.granted("base_at_some_brands")) == (0, 5_000)
    assert stay.granted("base_at_some_brands", "membership.silver") == 500
    ann.post("custom.stay", {"nights": 10}, at="2026-04-10 10:01")
    assert ann.tier() == "gold"

    # 300 x 10 and a quarter of it; 25 + 25 nights are platinum.
    assert ann.buy("s-4", "300.00", at="2026-05-10 10:00").granted("base", "membership.gold") == 750
    ann.post("custom.stay", {"nights": 25}, at="2026-05-10 10:01")
    assert ann.tier() == "platinum"

    # 6,000 x 10 and half of it; 75 nights are diamond.
    assert ann.buy("s-5", "6000.00", at="2026-07-10 10:00").granted("base", "membership.platinum") == 30_000
    ann.post("custom.stay", {"nights": 25}, at="2026-07-10 10:01")
    assert ann.tier() == "diamond"

    # 5,000 x 10 and three quarters of it. 100 nights, but 2,000 + 2,000 + 1,000 + 300 + 6,000 + 5,000 = 16,300 dollars.
    assert ann.buy("s-6", "5000.00", at="2026-09-10 10:00").granted("base", "membership.diamond") == 37_500
    ann.post("custom.stay", {"nights": 25}, at="2026-09-10 10:01")
    assert ann.tier() == "diamond"

    # 6,699.99 make 22,999.99, a cent short: 66,999 points (of 66,999.9) and 50,249 (of 50,249.25).
    stay = ann.buy("s-7", "6699.99", at="2026-12-10 10:00")
    assert (stay.granted("base"), stay.granted("base", "membership.diamond")) == (66_999, 50_249)
    assert ann.tier() == "diamond"
    ann.buy("s-8", "0.01", at="2026-12-11 10:00")
    assert (ann.tier(), ann.until()) == ("black", "2028-03-01 00:00")
    # 20,000 + 16,500 + 5,500 + 3,750 + 90,000 + 87,500 + 117,248.
    assert ann.points() == (340_498, 0, 0, 0)

    # The second year: 80 nights, 8,000 dollars. The top has the bonus of the tier below it.
    stay = ann.buy("s-9", "8000.00", at="2027-06-01 10:00")
    assert (stay.granted("base"), stay.granted("base", "membership.black")) == (80_000, 60_000)
    ann.post("custom.stay", {"nights": 80}, at="2027-06-01 10:01")
    ann.clock("2028-02-29 23:59")
    assert ann.tier() == "black"
    ann.clock("2028-03-01")
    assert (ann.tier(), ann.until()) == ("diamond", "2029-03-01 00:00")

    # Nights for life: 100 + 80 so far, and with 70 more they are 250; but silver for life also asks for five years, and
    # hers are two: 2026 and 2027 both ended on black, which is above silver.
    ann.post("custom.stay", {"nights": 70}, at="2028-04-01 10:00")
    assert (ann.tier("for_life"), ann.measured("for_life")) == ("none", ["250", 2, 2, 2])


def test_points_lapse_after_two_years_in_which_nothing_was_earned_or_spent(living: Lives) -> None:
    ann = living("hotel")
    ann.enrol("2026-01-05")
    ann.buy("s-1", "100.00", at="2026-02-10 10:00")
    ann.clock("2027-02-10 10:00")
    ann.redeem("r", 400)
    # 1,000 - 400, two years after the last of both.
    assert ann.expiring() == [(600, "2029-02-10 10:00")]


def test_status_for_life_asks_for_nights_and_for_years_on_the_status(living: Lives) -> None:
    ann = living("hotel")
    ann.enrol("2026-01-05")

    # 41 nights a year are gold. Six years of them are 246; four more in the seventh are 250, with six years of silver
    # and of gold, and none of platinum.
    for year in range(2026, 2032):
        ann.post("custom.stay", {"nights": 41}, at=f"{year}-06-01 10:00")
        assert (ann.tier(), ann.tier("for_life")) == ("gold", "none")
    # The last of the six ends with 31 December 2031.
    ann.clock("2031-12-31 23:59")
    assert ann.measured("for_life") == ["246", 5, 5, 0]
    ann.clock("2032-01-01")
    assert ann.measured("for_life") == ["246", 6, 6, 0]
    ann.post("custom.stay", {"nights": 4}, at="2032-02-01 10:00")
    assert (ann.tier("for_life"), ann.until("for_life")) == ("silver", None)
    # 150 more are 400, and diamond for the year; gold waits for its seventh year, though silver is for life already.
    ann.post("custom.stay", {"nights": 150}, at="2032-06-01 10:00")
    assert (ann.tier(), ann.tier("for_life")) == ("diamond", "silver")
    # It comes with the first instant of 2033, though she does nothing then. Diamond is a year of platinum, too.
    ann.clock("2032-12-31 23:59")
    assert ann.tier("for_life") == "silver"
    ann.clock("2033-01-01")
    assert (ann.tier("for_life"), ann.until("for_life")) == ("gold", None)
    assert ann.measured("for_life") == ["400", 7, 7, 1]
    # No stay in 2033, which still ends on diamond, and none in 2034, which ends on nothing: diamond held until the end
    # of February 2034. Gold is for life.
    ann.clock("2035-01-01")
    assert (ann.tier(), ann.tier("for_life"), ann.measured("for_life")) == ("member", "gold", ["400", 8, 8, 2])


def test_a_free_night_costs_points_by_its_rate_and_is_taken_when_she_has_stayed(living: Lives) -> None:
    ann = living("hotel")
    ann.enrol("2026-01-05")
    ann.buy("s-1", "4000.00", at="2026-02-10 10:00")
    # 159.99 x 125 = 19,998.75, rounded up once a night; two nights are twice 19,999.
    assert ann.reward("n-1", "night", value="159.99", quantity=2) == 39_998
    assert ann.points() == (2, 0, 39_998, 0)
    # A year later the booking is still there, and the stay takes the points.
    ann.clock("2027-02-11 10:00")
    ann.fulfil("n-1", "delivered")
    assert ann.points() == (2, 0, 0, 0)
    # Booking was an activity, what became of it was none: two years from 10 February 2026.
    assert ann.expiring() == [(2, "2028-02-10 10:00")]
    # What is booked and nobody comes for is held for 400 days at most.
    ann.buy("s-2", "2000.00", at="2027-03-01 10:00")
    assert ann.reward("n-2", "night", value="100.00") == 12_500
    ann.clock("2028-04-04 09:59")
    assert ann.points() == (7_502, 0, 12_500, 0)
    ann.clock("2028-04-04 10:00")
    assert ann.points() == (20_002, 0, 0, 0)
