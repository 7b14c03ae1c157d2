"""The beauty retailer: a tier for the rest of the calendar year and the next, and 500 points for 10 dollars."""

from tests.programs.conftest import Lives
from tests.scenarios.document import cash, paid_with_points


def test_two_years_of_shopping(living: Lives) -> None:
    ann = living("beauty_retailer")
    ann.enrol("2026-02-01")

    # 350 at a point a dollar; 650 at 1.25 are 812.5, and 1,000 dollars are reached.
    ann.buy("o-1", "350.00", at="2026-02-02 10:00")
    assert (ann.tier(), ann.until(), ann.points()[0]) == ("star", "2028-01-01 00:00", 350)
    ann.buy("o-2", "650.00", at="2026-05-01 10:00")
    assert (ann.tier(), ann.until(), ann.points()[0]) == ("luxe", "2028-01-01 00:00", 1_162)
    # 100 x 1.5.
    assert ann.buy("o-3", "100.00", at="2026-06-01 10:00").granted("base") == 150

    # 500 points pay 10 dollars, and only by the 500: of 60 dollars 50 are paid in cash and earn 75.
    ann.redeem("r-0", 600, refused="not_a_multiple")
    ann.redeem("r-1", 500, hold=True)
    paid = [paid_with_points("r-1", "10.00"), cash("50.00")]
    assert ann.buy("o-4", "60.00", at="2026-06-01 10:05", tenders=paid).granted("base") == 75
    assert ann.points() == (1_162 + 150 - 500 + 75, 0, 0, 0)

    # In the next year a cent is missing to 350; 349.99 x 1.5 = 524.985.
    assert ann.buy("o-5", "349.99", at="2027-05-01 10:00").granted("base") == 524
    ann.clock("2027-12-31 23:59")
    assert ann.tier() == "luxe"
    ann.clock("2028-01-01")
    assert ann.tier() == "member"

    # 887 + 524, eighteen months after the last activity.
    assert ann.expiring() == [(1_411, "2028-11-01 10:00")]


def test_what_was_returned_does_not_count_for_the_next_year(living: Lives) -> None:
    ann = living("beauty_retailer")
    ann.enrol("2026-02-01")
    ann.buy("o-1", "400.00", at="2026-11-20 10:00")
    # 300 dollars are left: the tier stays for its time, and 2027 has to earn it anew.
    ann.give_back("o-1", ("1", "100.00"), at="2026-12-01 10:00")
    assert (ann.points()[0], ann.tier(), ann.until()) == (300, "star", "2028-01-01 00:00")
    ann.buy("o-2", "349.00", at="2027-03-01 10:00")
    ann.clock("2028-01-01")
    assert ann.tier() == "member"
