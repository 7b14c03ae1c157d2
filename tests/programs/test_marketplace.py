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
    # 80.50 x 5 = 402.5; 20 x 3; 300 x 1. This till asks for no quote and takes nothing off; one below does.
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


def test_paying_members_have_free_shipping_and_a_fifth_off_toys_and_the_days_of_november_are_for_everybody(
    living: Lives,
) -> None:
    ann = living("marketplace")
    ann.enrol("2026-01-10")
    parcel = {"amount": "6.90", "kind": "shipping"}

    # Without a membership: everything at its price.
    assert ann.till("o-1", line("100.00", "toys"), parcel, at="2026-01-11 10:00")[:2] == ("106.90", {})

    # With one: a fifth of 100, no shipping. Cashback is 1 per cent of the 80 paid.
    ann.post("custom.membership_paid", at="2026-02-01 09:00")
    sale = ann.till("o-2", line("100.00", "toys"), parcel, at="2026-02-02 10:00")
    assert (sale.paid, sale.off) == ("80.00", {"plus_toys": "20.00", "plus_shipping": "6.90"})
    assert sale.answer.granted("all_else") == 80
    # A fifth of 300 is 60, at most 50; of the month's 80 then 10 are left.
    assert ann.till("o-3", line("300.00", "toys"), at="2026-02-03 10:00").off == {"plus_toys": "50.00"}
    assert ann.till("o-4", line("100.00", "toys"), at="2026-02-04 10:00").off == {"plus_toys": "10.00"}
    assert ann.quote(line("100.00", "toys"), at="2026-02-05 10:00")["plus_toys"][0] == "limit_reached"
    # The toys of o-2 come back, and with them 20 of the month's 80.
    ann.give_back("o-2", at="2026-02-06 10:00")
    assert ann.till("o-5", line("100.00", "toys"), at="2026-02-07 10:00").off == {"plus_toys": "20.00"}

    # In November 250 dollars are 45 less for all of the cart, which is more than a fifth of the 100 of toys in it;
    # with 240 of toys the fifth, 48, is more. Groceries earn 5 per cent of what was paid for them.
    cart = (line("100.00", "toys"), line("150.00", "groceries"))
    assert ann.quote(*cart, at="2026-11-26 23:59")["november"] == ("outside_window", "0.00")
    sale = ann.till("o-6", *cart, at="2026-11-27 00:00")
    assert (sale.paid, sale.off) == ("205.00", {"november": "45.00"})
    # 45 are shared as 100 to 150: 18 and 27. 82 x 1 and 123 x 5.
    assert (sale.answer.granted("all_else"), sale.answer.granted("groceries")) == (82, 615)
    cart = (line("240.00", "toys"), line("10.00", "groceries"))
    assert ann.till("o-7", *cart, at="2026-11-28 10:00").off == {"plus_toys": "48.00"}

    # The groceries of o-6 come back: 123 dollars were paid for them, and 615 cents go. The toys stay at 82, although
    # what is left would not have reached the threshold.
    before = ann.points("cashback")[1]
    ann.give_back("o-6", "2", at="2026-11-29 10:00")
    assert ann.points("cashback")[1] == before - 615
