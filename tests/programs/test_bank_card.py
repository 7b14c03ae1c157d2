"""The bank's card: points by category on purchases minus returns."""

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
