"""The retailer in China: growth value is counted apart from points, and points lapse with the 36th month."""

import pytest

from tests.programs.conftest import Lives


def test_two_years_of_shopping(living: Lives) -> None:
    ann = living("chinese_retailer")
    ann.enrol("2026-01-20")
    # Signing up is worth a growth value of 100 and no points.
    assert (ann.points("growth")[0], ann.points()) == (100, (0, 0, 0, 0))

    # 399.90 yuan: 399 of both. 100 + 399 is one short of silver.
    ann.buy("o-1", "399.90", at="2026-01-31 23:59")
    assert (ann.points("growth")[0], ann.tier()) == (499, "ordinary")
    ann.buy("o-2", "1.00", at="2026-02-01 00:00")
    assert (ann.points("growth")[0], ann.tier()) == (500, "silver")
    # January 2026 and 36 months is January 2029; February, a minute later, February 2029.
    assert ann.expiring() == [(399, "2029-01-01 00:00"), (1, "2029-02-01 00:00")]

    # 1,500: 2,000, gold. 3,000: platinum. 5,000: diamond.
    for order, amount, tier in (
        ("o-3", "1500.00", "gold"),
        ("o-4", "3000.00", "platinum"),
        ("o-5", "5000.00", "diamond"),
    ):
        ann.buy(order, amount, at=f"2026-0{order[-1]}-15 10:00")
        assert ann.tier() == tier
    assert (ann.points("growth")[0], ann.points()[0]) == (10_000, 9_900)

    # Points are spent, the oldest first; growth value stays.
    ann.redeem("r-1", 399)
    assert (ann.points("growth")[0], ann.points()[0], ann.tier()) == (10_000, 9_501, "diamond")

    # A return takes growth value and points, and 9,999 are no diamond.
    ann.give_back("o-2", at="2026-06-01 10:00")
    assert (ann.points("growth")[0], ann.points()[0], ann.tier()) == (9_999, 9_500, "platinum")
    ann.buy("o-6", "1.00", at="2026-06-02 10:00")
    assert ann.tier() == "diamond"

    # Nothing in two years: the tier stays, and the points of March 2026 lapse on the first day of March 2029.
    ann.clock("2028-06-02")
    assert (ann.tier(), ann.until()) == ("diamond", None)
    ann.clock("2029-02-28 23:59")
    assert ann.points()[0] == 9_501
    ann.clock("2029-03-01 00:00")
    assert ann.points()[0] == 9_501 - 1_500


@pytest.mark.parametrize(
    ("earned", "lapses"),
    [
        ("2026-01-01 00:00", "2029-01-01 00:00"),
        ("2026-12-31 23:59", "2029-12-01 00:00"),
        ("2028-02-29 12:00", "2031-02-01 00:00"),
    ],
)
def test_points_lapse_on_the_first_day_of_the_month_of_earning_plus_36(living: Lives, earned: str, lapses: str) -> None:
    ann = living("chinese_retailer")
    ann.enrol(earned)
    ann.buy("o", "10.00", at=earned)
    assert ann.expiring() == [(10, lapses)]
