"""The stamp card: ten stamps, one free."""

from tests.programs.conftest import Lives
from tests.scenarios.document import line


def test_two_years_of_stamps(living: Lives) -> None:
    ann = living("stamp_card")
    ann.enrol("2026-01-05")

    # Three drinks and a cake: three stamps. With seven more there are ten.
    ann.buy("o-1", line("90.00", "drink", quantity="3"), line("35.00", "cake"), at="2026-01-05 10:00")
    assert ann.points("stamps") == (3, 0, 0, 0)
    for day in range(6, 12):
        ann.buy(f"o-{day}", line("30.00", "drink"), at=f"2026-01-{day:02} 10:00")
    assert ann.reward("r-0", "drink", refused="insufficient_points") == 0
    ann.buy("o-12", line("30.00", "drink"), at="2026-01-12 10:00")
    assert ann.points("stamps") == (10, 0, 0, 0)

    # The free drink, the dearer one, costs ten stamps and has none; the one beside it has one.
    assert ann.reward("r-1", "drink") == 10
    cart = (line("32.00", "drink"), line("30.00", "drink"))
    sale = ann.till("o-13", *cart, at="2026-01-12 10:05", vouchers=["drink"])
    assert (sale.paid, sale.off, sale.answer.granted("stamp")) == ("30.00", {"drink": "32.00"}, 1)
    assert ann.points("stamps") == (1, 0, 0, 0)

    # Two drinks that come back take their stamps with them, those of the free one are not given again.
    ann.buy("o-14", line("60.00", "drink", quantity="2"), at="2026-02-01 10:00")
    ann.give_back("o-14", ("1", "30.00"), at="2026-02-01 10:10")
    assert ann.points("stamps") == (2, 0, 0, 0)

    # A stamp lives for a year, to the end of its month.
    assert ann.expiring("stamps") == [(1, "2027-02-01 00:00"), (1, "2027-03-01 00:00")]
    ann.clock("2027-02-01")
    assert ann.points("stamps") == (1, 0, 0, 0)
    for month in range(2, 11):
        ann.buy(f"p-{month}", line("30.00", "drink"), at=f"2027-{month:02}-10 10:00")
    # Nine of 2027 are left; the one of February 2026 is gone.
    assert ann.reward("r-2", "drink", refused="insufficient_points") == 0
    ann.buy("p-11", line("30.00", "drink"), at="2027-11-10 10:00")
    assert ann.reward("r-3", "drink") == 10
    assert ann.points("stamps") == (0, 0, 0, 0)

    # Two years after the first stamp another one lives to the end of January of the next year; the drink waits as long
    # as its voucher, to the end of November.
    ann.buy("q-1", line("30.00", "drink"), at="2028-01-05 10:00")
    assert ann.expiring("stamps") == [(1, "2029-02-01 00:00")]
    assert ann.vouchers()[-1] == ("drink", "issued", "2028-12-01 00:00")


def test_two_full_cards_are_two_drinks_one_an_order(living: Lives) -> None:
    ann = living("stamp_card")
    ann.enrol("2026-01-05")
    ann.buy("o-1", line("690.00", "drink", quantity="23"), at="2026-01-05 10:00")
    assert ann.reward("r-1", "drink", quantity=2) == 20
    assert (ann.points("stamps"), ann.vouchers()) == ((3, 0, 0, 0), [("drink", "issued", "2027-02-01 00:00")] * 2)
    for order in ("o-2", "o-3"):
        sale = ann.till(order, line("30.00", "drink"), at="2026-01-06 10:00", vouchers=["drink"])
        assert (sale.paid, sale.off, sale.answer.granted("stamp")) == ("0.00", {"drink": "30.00"}, 0)
    # A free drink that comes back is a voucher again, and never a stamp.
    ann.give_back("o-3", at="2026-01-06 10:10")
    assert sorted(status for _kind, status, _until in ann.vouchers()) == ["issued", "redeemed"]
    assert ann.points("stamps") == (3, 0, 0, 0)
