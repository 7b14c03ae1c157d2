"""The marketplace: who pays for a membership gets more cashback, for as long as it is paid."""

from tests.programs.conftest import Lives
from tests.scenarios.document import cash, line, paid_with_points


def test_two_years_with_and_without_a_membership(living: Lives) -> None:
    ann = living("marketplace")
    ann.enrol("2026-01-10")

    # Without a membership: a cent a dollar on groceries and books, nothing on all else. It waits for the parcel.
    cart = (line("80.50", "groceries"), line("20.00", "books"), line("300.00", "toys"))
    first = ann.buy("o-1", *cart, at="2026-01-11 10:00")
    assert [first.granted(each) for each in ("groceries", "books", "all_else")] == [80, 20, 0]
    assert ann.points("cashback") == (0, 100, 0, 0)
    ann.post("custom.delivered", {"order": "o-1"}, at="2026-01-14 10:00")
    assert ann.points("cashback") == (100, 0, 0, 0)

    # With one, for twelve months from the payment: 5, 3 and 1.
    ann.post("custom.membership_paid", at="2026-02-01 09:00")
    assert (ann.tier(), ann.until()) == ("plus", "2027-02-01 09:00")
    second = ann.buy("o-2", *cart, at="2026-02-02 10:00")
    # 80.50 x 5 = 402.5; 20 x 3; 300 x 1.
    assert [second.granted(each) for each in ("groceries", "books", "all_else")] == [402, 60, 300]

    # At most 2,500 cents a month on groceries: 402 of 2,500 are used.
    third = ann.buy("o-3", line("600.00", "groceries"), at="2026-02-20 10:00")
    assert third.why("groceries") == ("trimmed", 3_000, 2_098)

    # The parcel of o-2 has arrived; nobody reported o-3, which waits 30 days at most.
    ann.post("custom.delivered", {"order": "o-2"}, at="2026-02-21 10:00")
    assert ann.points("cashback") == (862, 2_098, 0, 0)
    ann.clock("2026-03-22 10:00")
    assert ann.points("cashback") == (2_960, 0, 0, 0)

    # 20 dollars of 50 are paid with 2,000 cents; 30 dollars of toys earn 30.
    ann.redeem("r-1", 2_000, wallet="cashback", hold=True)
    paid = [paid_with_points("r-1", "20.00"), cash("30.00")]
    assert ann.buy("o-4", line("50.00", "toys"), at="2026-03-22 10:05", tenders=paid).granted("all_else") == 30

    # The books come back: their 60 cents, which are spent, are taken from the 30 that wait and then from the 960.
    ann.give_back("o-2", "2", at="2026-03-23 10:00")
    assert ann.points("cashback") == (930, 0, 0, 0)

    # The membership ends with its year, and is bought again in the next.
    ann.clock("2027-02-01 09:00")
    assert ann.tier() == "basic"
    assert ann.buy("o-5", line("100.00", "toys"), at="2027-02-02 10:00").granted("all_else") == 0
    ann.post("custom.membership_paid", at="2027-03-01 09:00")
    assert ann.buy("o-6", line("100.00", "toys"), at="2027-03-02 10:00").granted("all_else") == 100
    ann.clock("2028-03-01 09:00")
    assert ann.tier() == "basic"
