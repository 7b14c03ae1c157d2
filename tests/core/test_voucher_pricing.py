"""What vouchers take off a cart after promotions, what a quote says of each and reserves, and points by vouchers."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.case import Code
from laurels.core.code import canonical
from laurels.core.facts import Priced, QuoteReserved, VoucherRedeemed, VoucherReleased
from tests.core.harness import Answer, World, shop
from tests.core.test_vouchers import given, issued, opened, status, voucher

TENTH = {"tenth": {"gives": {"percent": "10%"}}}
KINDS: dict[str, Any] = {
    "ten": {"gives": {"off": "10.00"}, "per_order": 2},
    "rich": {"gives": {"steps": {"spend": "300.00", "off": "40.00"}}},
    "kept": {"gives": {"off": "60.00"}, "floor": {"share": "50%"}},
    "hello": {"gives": {"percent": "50%"}, "code": "HELLO", "limits": [{"every": "lifetime", "times": 1}]},
    "double": {"gives": {"multiply": "points", "by": 2}},
    "bonus": {"gives": {"wallet": "points", "points": 30}, "per_order": 2, "lines": "line.amount >= 20.00"},
    "split": {"gives": {"off": "10.00"}, "on_return": "split"},
    "late": {"gives": {"off": "5.00"}, "when": "purchase.total >= 100.00"},
}


def world(promotions: dict[str, Any] | None = None, **parts: Any) -> World:
    w = World(shop(vouchers=KINDS, promotions=TENTH if promotions is None else promotions, **parts))
    w.enrol(at="2026-03-01 10:00")
    return w


def quote(w: World, *amounts: str, id: str = "q", reserve: bool = False, at: str | None = None, **data: Any) -> Answer:
    lines = [{"line": str(n), "amount": amount} for n, amount in enumerate(amounts, 1)]
    cart = {"order": f"quote:{id}", "lines": lines, **data}
    # What is not reserved is not recorded.
    return (w if reserve else w.fork()).post("m", "quote", {"quote": id, "cart": cart, "reserve": reserve}, at=at)


def priced(answer: Answer) -> Priced:
    (fact,) = answer.of(QuoteReserved) or answer.of(Priced)
    found = fact.priced if isinstance(fact, QuoteReserved) else fact
    assert isinstance(found, Priced)
    return found


def said(answer: Answer) -> list[tuple[str, str, int]]:
    """Of each voucher that was named: its kind, what became of it, and how much it gives."""
    return [(each.voucher, each.code, each.given) for each in priced(answer).offers if each.voucher is not None]


def off(paid: str, *discounts: tuple[str, str], line: str = "1") -> dict[str, Any]:
    return {"line": line, "amount": paid, "discounts": [{"code": code, "amount": each} for code, each in discounts]}


def test_vouchers_take_off_what_promotions_left_and_a_quote_says_why_others_do_not() -> None:
    w = world()
    ten, rich = given(w), given(w, "rich")
    named = [rich.lower(), ten, "NOSUCH", "hello"]
    found = quote(w, "80.00", "20.00", vouchers=named)
    # 100.00 less 10 % is 90.00, less 10.00 is 80.00, and half of it 40.00.
    assert said(found) == [
        ("rich", "below_threshold", 0),
        ("ten", "applied", 1000),
        ("", "unknown_voucher", 0),
        ("hello", "applied", 4000),
    ]
    assert found.granted("base") == 40
    assert [(line.line, line.amount) for line in priced(found).offers[2].lines] == [("1", 800), ("2", 200)]
    assert status(w, ten) == "issued"


def test_an_order_is_refused_for_a_voucher_that_it_cannot_use_and_for_one_it_would_use_for_nothing() -> None:
    w = world()
    rich = given(w, "rich")
    assert w.buy("o", "100.00", vouchers=[rich]).code == "voucher_gives_nothing"
    assert w.buy("o", "100.00", vouchers=["NOSUCH"]).code == "unknown_voucher"
    # A till that took money off by it has used it: that is told, and never refused.
    bought = w.buy("o", off("60.00", (rich, "40.00")))
    assert [(each.promotion, each.amount) for each in priced(bought).deviations] == [("tenth", -1000), (rich, 4000)]
    (fact,) = bought.of(VoucherRedeemed)
    assert fact.amount == 0


def test_what_a_till_took_off_under_a_voucher_is_compared_with_ours_in_any_spelling() -> None:
    w = world()
    ten = given(w)
    short = w.buy("o", off("82.00", ("tenth", "10.00"), (ten.lower(), "8.00")))
    assert [(each.promotion, each.amount) for each in priced(short).deviations] == [(ten, -200)]
    (fact,) = short.of(VoucherRedeemed)
    assert fact.amount == 800
    other = given(w)
    more = w.buy("o-2", off("78.00", ("tenth", "10.00"), (other, "12.00")))
    assert [(each.promotion, each.amount) for each in priced(more).deviations] == [(other, 200)]
    (fact,) = more.of(VoucherRedeemed)
    assert (fact.amount, [share.points for share in fact.lines]) == (1000, [1000])


def test_conditions_of_vouchers_see_the_prices_before_what_is_taken_off() -> None:
    w = world()
    late = given(w, "late")
    assert said(quote(w, "100.00", vouchers=[late])) == [("late", "applied", 500)]
    assert said(quote(w, "99.99", vouchers=[late])) == [("late", "voucher_condition_not_met", 0)]
    assert w.buy("o", off("85.00", ("tenth", "10.00"), (late, "5.00"))).code == "accepted"


def test_a_code_in_a_discount_that_is_a_promotions_id_is_the_promotions() -> None:
    w = world({"tenth": {"gives": {"percent": "10%"}}})
    w.codes["TENTH"] = w.codes["tenth"] = Code("ten")
    bought = w.buy("o", off("90.00", ("tenth", "10.00")))
    assert (bought.of(VoucherRedeemed), priced(bought).deviations) == ([], ())
    assert said(w.buy("o-2", off("90.00", ("tenth", "10.00")), vouchers=["tenth"])) == [("ten", "applied", 1000)]


@pytest.mark.parametrize("reserved", [False, True])
def test_vouchers_never_take_a_line_below_its_floor_also_on_top_of_promotions(reserved: bool) -> None:
    w = world({"third": {"gives": {"percent": "30%"}}})
    kept = given(w, "kept")
    found = quote(w, "100.00", vouchers=[kept], reserve=reserved)
    # 100.00 less 30.00 leaves 70.00, of which the voucher may take 20.00.
    assert said(found) == [("kept", "trimmed", 2000)]
    assert priced(found).offers[-1].by == "floor"


# --- reserved ---------------------------------------------------------------------------------------------------------


def test_a_reserved_quote_reserves_its_vouchers_and_the_purchase_that_uses_it_redeems_them() -> None:
    w = world()
    ten, rich = given(w), given(w, "rich")
    quote(w, "100.00", vouchers=[ten, rich, "hello"], reserve=True)
    assert (status(w, ten), status(w, rich), status(w, "HELLO/q")) == ("reserved", "issued", "reserved")
    assert w.buy("o-1", "50.00", vouchers=[ten]).code == "voucher_reserved"
    assert said(quote(w, "50.00", id="q-2", vouchers=[ten, "hello"])) == [
        ("ten", "voucher_reserved", 0),
        ("hello", "voucher_limit_reached", 0),
    ]
    bought = w.buy("o", off("40.00", ("tenth", "10.00"), (ten, "10.00"), ("hello", "40.00")), quote="q")
    assert (priced(bought).held, priced(bought).deviations) == ("kept", ())
    assert [(fact.code, fact.order, fact.amount) for fact in bought.of(VoucherRedeemed)] == [
        (ten, "o", 1000),
        ("HELLO/q", "o", 4000),
    ]
    assert bought.granted("base") == 40
    w.give_back("o")
    assert (status(w, ten), voucher(w, "HELLO/q")) == ("issued", None)
    assert said(quote(w, "50.00", id="q-3", vouchers=["hello"])) == [("hello", "applied", 2250)]
    w.replay()


def test_a_reserved_quotes_vouchers_are_free_again_when_its_time_is_over() -> None:
    w = world()
    ten = given(w)
    quote(w, "100.00", vouchers=[ten, "hello"], reserve=True, at="2026-03-01 11:00")
    late = w.clock("2026-03-01 11:30")
    assert {(fact.code, fact.reason) for fact in late.of(VoucherReleased)} == {
        ("HELLO/q", "timed_out"),
        (ten, "timed_out"),
    }
    assert (status(w, ten), voucher(w, "HELLO/q"), opened(w)) == ("issued", None, [ten])
    assert w.buy("o", off("40.00", ("tenth", "10.00"), (ten, "10.00"), ("hello", "40.00"))).code == "accepted"


def test_an_order_that_differs_from_its_quote_may_use_what_the_quote_had_reserved() -> None:
    w = world()
    ten = given(w)
    quote(w, "100.00", vouchers=[ten, "hello"], reserve=True, at="2026-03-01 11:00")
    anew = w.buy("o", "200.00", vouchers=[ten, "hello"], quote="q")
    assert (priced(anew).held, said(anew)) == ("quote_differs", [("ten", "applied", 1000), ("hello", "applied", 8500)])
    assert w.clock("2026-03-01 12:00").of(VoucherReleased) == []
    assert status(w, ten) == "redeemed"


def test_an_order_is_not_held_to_a_quote_whose_voucher_is_gone_or_beside_others() -> None:
    w = world()
    ten, other = given(w), given(w)
    quote(w, "100.00", vouchers=[ten], reserve=True)
    beside = w.buy("o", off("80.00", ("tenth", "10.00"), (ten, "10.00")), quote="q", vouchers=[other])
    assert priced(beside).held == "quote_differs"
    third = given(w)
    quote(w, "100.00", id="q-2", vouchers=[third], reserve=True)
    w.post("m", "voucher_revoke", {"code": third})
    assert w.buy("o-2", "90.00", quote="q-2", vouchers=[third]).code == "voucher_revoked"
    assert priced(w.buy("o-2", off("90.00", ("tenth", "10.00")), quote="q-2")).held == "voucher_gone"


def test_a_reserved_quote_promises_the_vouchers_that_campaigns_give() -> None:
    gift = {"on": "purchase", "grant": {"voucher": "ten"}, "limits": [{"budget": "times", "of": 1}]}
    w = world(campaigns={"gift": gift})
    quote(w, "100.00", reserve=True)
    assert w.pools["campaign/gift/times"] == 1
    assert opened(w) == []
    bought = w.buy("o", off("90.00", ("tenth", "10.00")), quote="q")
    code = issued(bought).code
    assert opened(w) == [code]
    w.give_back("o")
    assert (status(w, code), w.pools["campaign/gift/times"]) == ("revoked", 0)
    quote(w, "100.00", id="q-2", reserve=True, at="2026-03-02 10:00")
    w.clock("2026-03-02 10:30")
    assert (opened(w), w.pools["campaign/gift/times"]) == ([], 0)


# --- points -----------------------------------------------------------------------------------------------------------


def test_vouchers_for_points_grant_them_as_campaigns_do_and_returns_take_them_back_by_line() -> None:
    w = world({})
    double, first, second = given(w, "double"), given(w, "bonus"), given(w, "bonus")
    bought = w.buy("o", "30.00", "10.00", vouchers=[double, first, second])
    assert (bought.granted("base"), bought.granted("voucher/double"), bought.granted("voucher/bonus")) == (40, 40, 60)
    assert bought.why("voucher/bonus") == ("applied", 60, 60)
    assert said(bought) == [("double", "gives_points", 0), ("bonus", "gives_points", 0), ("bonus", "gives_points", 0)]
    back = w.give_back("o", "2")
    assert back.why("voucher/double")[:1] == ("taken_back",)
    assert back.moved("available", "issuance") == 20
    assert status(w, double) == "redeemed"
    w.give_back("o")
    assert (w.points(), status(w, double), status(w, first)) == ((0, 0, 0, 0), "issued", "issued")
    assert "voucher/double" not in w.buy("o-2", "30.00").judged
    w.replay()


def test_points_by_a_voucher_that_a_quote_reserved_are_kept_and_judged_anew_where_paid_otherwise() -> None:
    for otherwise in (False, True):
        w = world({})
        double = given(w, "double")
        kept = quote(w, "40.00", vouchers=[double], reserve=True).of(QuoteReserved)
        assert sum(grant.points for grant in kept[0].grants["points"]) == 80
        tenders = [{"kind": "gift_card", "amount": "10.00"}, {"kind": "cash", "amount": "30.00"}]
        bought = w.buy("o", "40.00", quote="q", tenders=tenders if otherwise else [])
        assert bought.granted("voucher/double") == (30 if otherwise else 40)
        w.give_back("o", ("1", "20.00"))
        assert w.points()[0] == (30 if otherwise else 40)
        w.replay()


def test_what_is_paid_with_a_voucher_earns_nothing_as_what_is_taken_off_does_not() -> None:
    w = world({})
    ten = given(w)
    tenders = [{"kind": "voucher", "amount": "10.00", "code": ten}, {"kind": "cash", "amount": "30.00"}]
    paid = w.buy("o", "40.00", tenders=tenders)
    assert (paid.granted("base"), priced(paid).deviations) == (30, ())
    assert quote(w, "40.00", vouchers=[given(w)]).granted("base") == 30
    assert canonical(ten) == ten


def test_a_split_gives_back_no_more_than_the_voucher_was_worth() -> None:
    w = world({})
    code = given(w, "split")
    w.buy("o", off("10.00", (code, "30.00")), off("30.00", line="2"))
    back = w.give_back("o", "1")
    assert issued(back).worth == 1000
