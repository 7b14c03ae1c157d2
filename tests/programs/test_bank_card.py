"""The bank's card: points by category on purchases minus returns, and a bonus for a good start."""

from tests.programs.conftest import Lives
from tests.scenarios.document import line


def test_two_years_with_the_card(living: Lives) -> None:
    ann = living("bank_card")
    ann.enrol("2026-01-15")

    # 800 x 5 at the bank's desk, 120.50 x 3 = 361.5 and so 362 on dining, 300 x 2 for a taxi and a train, 49.49 x 1.
    desk = ann.buy("t-1", line("800.00", "travel_desk"), at="2026-01-20 10:00")
    assert desk.granted("travel_desk") == 4_000
    mixed = ann.buy(
        "t-2", line("120.50", "dining"), line("300.00", "travel"), line("49.49", "groceries"), at="2026-02-01 10:00"
    )
    assert [mixed.granted(each) for each in ("travel_desk", "dining", "travel", "all_else")] == [0, 362, 600, 49]
    assert ann.points() == (5_011, 0, 0, 0)

    # Of the dinner 40.50 comes back: floor(362 x 40.50 / 120.50) = floor(121.66) = 121.
    ann.give_back("t-2", ("1", "40.50"), at="2026-02-10 10:00")
    assert ann.points() == (4_890, 0, 0, 0)

    # Points are spent, then the trip is cancelled: 4,000 are taken back, 110 of them from what comes later.
    ann.redeem("r-1", 1_000)
    ann.give_back("t-1", at="2026-03-01 10:00")
    assert ann.points() == (0, 0, 0, 110)
    ann.buy("t-3", line("200.00", "dining"), at="2026-03-05 10:00")
    assert ann.points() == (490, 0, 0, 0)

    # Nothing expires, however long nothing happens.
    ann.clock("2028-01-15")
    assert ann.expiring() == [(490, None)]


def test_the_welcome_bonus_comes_with_the_purchase_that_makes_four_thousand_dollars_in_three_months(
    living: Lives,
) -> None:
    ann = living("bank_card")
    ann.enrol("2026-01-15 12:00")
    # 2,600 and 1,300 are 3,900, of which 200 come back; on the last day 299.99 more are a cent short of 4,000.
    ann.buy("t-1", "2600.00", at="2026-01-16 10:00")
    ann.buy("t-2", "1300.00", at="2026-02-16 10:00")
    ann.give_back("t-2", ("1", "200.00"), at="2026-03-01 10:00")
    short = ann.buy("t-3", "299.99", at="2026-04-15 11:58")
    assert short.why("welcome") == ("condition_not_met", 0, 0)
    last = ann.buy("t-4", line("10.00", "dining"), line("0.01", "groceries"), at="2026-04-15 11:59")
    assert (last.granted("welcome"), last.granted("dining")) == (60_000, 30)
    # 2,600 + 1,100 + 300 (299.99, rounded half up) + 60,000 + 30.
    assert ann.points() == (64_030, 0, 0, 0)

    # The ten dollars come back: with the cent alone, which earned nothing, 4,000.00 would have been reached as well.
    ann.give_back("t-4", "1", at="2026-05-01 10:00")
    assert ann.points() == (64_000, 0, 0, 0)
    # The cent comes back, too, and the bonus with it.
    ann.give_back("t-4", at="2026-05-02 10:00")
    assert ann.points() == (4_000, 0, 0, 0)


def test_after_three_months_no_sum_brings_the_welcome_bonus(living: Lives) -> None:
    ann = living("bank_card")
    ann.enrol("2026-01-15 12:00")
    late = ann.buy("t-1", "4000.00", at="2026-04-15 12:00")
    assert (late.why("welcome"), ann.points()) == (("outside_window", 0, 0), (4_000, 0, 0, 0))
