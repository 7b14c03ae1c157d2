"""Vouchers: issued, reserved, redeemed, released, given back, expired, revoked, passed on, each once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from laurels.core.activity import Enrol
from laurels.core.case import Code
from laurels.core.code import grouped, is_made
from laurels.core.facts import PoolClaimed, VoucherEnded, VoucherIssued, VoucherRedeemed
from laurels.core.folding_vouchers import voucher_key
from laurels.core.member import IssuedVoucher, Missing, Vouchers
from laurels.core.voucher_activity import VoucherClaim
from laurels.core.voucher_use import names_codes
from tests.core.harness import Answer, World, shop

TEN = {"gives": {"off": "10.00"}}
GIFT = {"on": "purchase", "when": "purchase.total >= 100.00", "grant": {"voucher": "ten"}}


def world(vouchers: dict[str, Any] | None = None, *, to: str = "m", **parts: Any) -> World:
    w = World(shop(vouchers={"ten": TEN} if vouchers is None else vouchers, **parts))
    w.enrol(at="2026-03-01 10:00")
    if to != "m":
        w.enrol(to)
    return w


def given(w: World, voucher: str = "ten", member: str = "m") -> str:
    """The code of a voucher that a person gives."""
    return issued(w.post(member, "voucher_issue", {"voucher": voucher})).code


def issued(answer: Answer) -> VoucherIssued:
    (fact,) = answer.of(VoucherIssued)
    assert isinstance(fact, VoucherIssued)
    return fact


def voucher(w: World, code: str, member: str = "m") -> IssuedVoucher | None:
    found = w.look(member).documents.get(voucher_key(code))
    assert found is None or isinstance(found, IssuedVoucher)
    return found


def status(w: World, code: str, member: str = "m") -> str:
    found = voucher(w, code, member)
    assert found is not None
    return found.status


def opened(w: World, member: str = "m") -> list[str]:
    found = w.look(member).documents.get("vouchers")
    return list(found.open) if isinstance(found, Vouchers) else []


def reserve(w: World, code: str, order: str, member: str = "m", at: str | None = None) -> Answer:
    return w.post(member, "voucher_reserve", {"code": code, "order": order}, at=at)


def buy(w: World, order: str, *amounts: Any, **more: Any) -> Answer:
    return w.buy(order, *amounts, **more)


# --- used once --------------------------------------------------------------------------------------------------------


def test_a_voucher_that_is_issued_is_redeemed_by_one_order_and_by_no_second_one() -> None:
    w = world()
    code = given(w)
    assert is_made(code)
    assert opened(w) == [code]
    assert buy(w, "o1", "40.00", vouchers=[grouped(code).lower()]).of(VoucherRedeemed)
    assert status(w, code) == "redeemed"
    assert opened(w) == []
    again = buy(w, "o2", "40.00", vouchers=[code])
    assert again.code == "voucher_redeemed"
    w.replay()


def test_a_discount_or_a_tender_that_names_a_voucher_uses_it_line_by_line() -> None:
    w = world()
    first, second = given(w), given(w)
    line = {"line": "1", "amount": "30.00", "discounts": [{"code": first, "amount": "10.00"}]}
    (fact,) = buy(w, "o1", line, {"line": "2", "amount": "5.00"}).of(VoucherRedeemed)
    assert [(share.line, share.points) for share in fact.lines] == [("1", 1000)]
    assert fact.amount == 1000
    tenders = [{"kind": "cash", "amount": "30.00"}, {"kind": "voucher", "amount": "10.00", "code": second}]
    (fact,) = buy(w, "o2", "30.00", "10.00", tenders=tenders).of(VoucherRedeemed)
    assert [(share.line, share.points) for share in fact.lines] == [("1", 750), ("2", 250)]


def test_a_code_of_another_sort_is_not_looked_up_as_a_vouchers() -> None:
    class Referral(msgspec.Struct):
        code: str

    assert names_codes(Referral("ANN-7"), None) == ()
    assert names_codes(Enrol(referral_code="ANN-7"), None) == ()
    assert names_codes(VoucherClaim("ANN7"), None) == ("ANN7",)


def test_the_tills_own_discounts_are_its_own_and_what_is_said_to_be_a_voucher_must_be_one() -> None:
    w = world()
    line = {"line": "1", "amount": "30.00", "discounts": [{"code": "staff", "amount": "10.00"}]}
    assert buy(w, "o1", line).code == "accepted"
    assert buy(w, "o2", "30.00", vouchers=["NOSUCH"]).code == "unknown_voucher"
    tenders = [{"kind": "voucher", "amount": "30.00", "code": "NOSUCH"}]
    assert buy(w, "o3", "30.00", tenders=tenders).code == "unknown_voucher"


def test_where_a_program_has_no_vouchers_codes_are_the_tills_own() -> None:
    w = World(shop())
    w.enrol()
    tenders = [{"kind": "voucher", "amount": "30.00", "code": "NOSUCH"}]
    assert buy(w, "o3", "30.00", tenders=tenders).code == "accepted"


# --- at the checkout --------------------------------------------------------------------------------------------------


def test_a_reserved_voucher_is_kept_for_its_order_and_comes_free_when_the_checkout_never_comes_back() -> None:
    w = world({"ten": {**TEN, "hold": "15MIN"}})
    code = given(w)
    assert reserve(w, code, "o1").code == "accepted"
    assert buy(w, "o2", "40.00", vouchers=[code]).code == "voucher_reserved"
    assert reserve(w, code, "o2").code == "voucher_reserved"
    assert w.look().root.vouchers_at == w.instant("2026-03-01 10:15")
    w.now = w.instant("2026-03-01 10:15")
    assert status(w, code) == "issued"
    assert buy(w, "o2", "40.00", vouchers=[code]).of(VoucherRedeemed)
    w.replay()


def test_an_order_that_reserves_again_reserves_for_longer_and_may_let_go() -> None:
    w = world()
    code = given(w)
    reserve(w, code, "o1")
    reserve(w, code, "o1", at="2026-03-01 10:20")
    w.now = w.instant("2026-03-01 10:45")
    assert status(w, code) == "reserved"
    assert w.post("m", "voucher_release", {"code": code, "order": "o2"}).code == "voucher_not_reserved"
    assert w.post("m", "voucher_release", {"code": code, "order": "o1"}).code == "accepted"
    assert status(w, code) == "issued"
    assert w.post("m", "voucher_release", {"code": code, "order": "o1"}).code == "voucher_not_reserved"


def test_a_reservation_keeps_a_voucher_from_expiring_and_one_let_go_of_later_expires_at_once() -> None:
    w = world({"ten": {**TEN, "expires": {"after": "1D"}, "hold": "1H"}})
    kept, lost = given(w), given(w)
    w.now = w.instant("2026-03-02 09:30")
    reserve(w, kept, "o1")
    reserve(w, lost, "o2")
    assert buy(w, "o1", "40.00", vouchers=[kept], at="2026-03-02 10:10").of(VoucherRedeemed)
    assert status(w, lost) == "reserved"
    w.now = w.instant("2026-03-02 10:30")
    assert status(w, lost) == "expired"
    assert buy(w, "o2", "40.00", vouchers=[lost]).code == "voucher_expired"
    w.replay()


# --- conditions, times, limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"when": "purchase.total >= 50.00"}, "voucher_condition_not_met"),
        ({"lines": 'has(line.category) && line.category == "tea"'}, "voucher_no_lines"),
        ({"during": {"from": "2026-04-01"}}, "voucher_not_yet"),
        ({"during": {"until": "2026-02-28"}}, "voucher_over"),
        ({"during": {"weekly": {"days": ["mon"]}}}, "voucher_outside_hours"),
        ({"expires": {"until": "2026-02-28"}}, "voucher_expired"),
    ],
)
def test_a_voucher_that_does_not_fit_is_refused_with_the_reason(words: dict[str, Any], code: str) -> None:
    w = world({"ten": {**TEN, **words}})
    answer = buy(w, "o1", "40.00", vouchers=[given(w)])
    assert answer.code == code
    assert answer.refusal is not None
    assert answer.refusal.message


def test_a_members_limit_a_budget_and_an_orders_limit_are_never_exceeded_and_come_back_with_the_voucher() -> None:
    limits = [{"every": "month", "times": 1}, {"budget": "times", "of": 2}]
    w = world({"ten": {**TEN, "limits": limits, "per_order": 2}}, to="n")
    a, b = given(w), given(w)
    reserve(w, a, "o1")
    assert reserve(w, b, "o2").code == "voucher_limit_reached"
    w.post("m", "voucher_release", {"code": a, "order": "o1"})
    buy(w, "o2", "40.00", vouchers=[b])
    assert buy(w, "o3", "40.00", vouchers=[a]).code == "voucher_limit_reached"
    for n in (1, 2):
        code = given(w, member="n")
        answer = buy(w, f"n{n}", "40.00", vouchers=[code], member="n", at=f"2026-0{3 + n}-01")
        assert answer.code == ("accepted" if n == 1 else "voucher_exhausted")
    assert w.pools["voucher/ten/times"] == 2
    w.post("m", "return", {"order": "o2"})
    assert w.pools["voucher/ten/times"] == 1
    assert status(w, b) == "issued"
    two = [given(w, member="n"), given(w, member="n")]
    w.publish(shop(vouchers={"ten": {**TEN, "per_order": 1}}), "2026-06-01")
    assert buy(w, "n9", "40.00", vouchers=two, member="n", at="2026-06-01").code == "voucher_per_order"


# --- codes that are nobody's, or everybody's --------------------------------------------------------------------------


def test_a_code_that_is_nobodys_becomes_the_members_and_nobody_elses() -> None:
    w = world(to="n")
    w.codes = {"LEAFLET1": Code("ten")}
    answer = reserve(w, "leaflet-1", "o1")
    assert [(fact.pool, fact.by) for fact in answer.of(PoolClaimed)] == [("code/LEAFLET1", 1)]
    assert reserve(w, "LEAFLET1", "p1", "n").code == "voucher_taken"
    w.post("m", "voucher_release", {"code": "LEAFLET1", "order": "o1"})
    assert reserve(w, "LEAFLET1", "p1", "n").code == "voucher_taken"
    assert buy(w, "o2", "40.00", vouchers=["LEAFLET1"]).of(VoucherRedeemed)
    assert w.pools["code/LEAFLET1"] == 1
    assert w.post("m", "voucher_claim", {"code": "LEAFLET1"}).code == "voucher_held"
    assert w.post("n", "voucher_claim", {"code": "LEAFLET1"}).code == "voucher_taken"


def test_a_code_that_anybody_may_use_is_used_once_an_order_and_so_often_as_its_limits_say() -> None:
    limits = [{"every": "lifetime", "times": 2}]
    w = world({"hello": {**TEN, "code": "HELLO-10", "limits": limits}}, to="n")
    for order in ("o1", "o2"):
        assert buy(w, order, "40.00", vouchers=["hello10"]).of(VoucherRedeemed)
    assert buy(w, "o3", "40.00", vouchers=["hello10"]).code == "voucher_limit_reached"
    assert buy(w, "p1", "40.00", vouchers=["HELLO10"], member="n").of(VoucherRedeemed)
    assert w.post("m", "voucher_claim", {"code": "HELLO10"}).code == "voucher_shared"
    w.post("m", "return", {"order": "o1"})
    assert buy(w, "o3", "40.00", vouchers=["hello10"]).of(VoucherRedeemed)
    w.replay()


def test_a_listed_code_with_a_number_of_uses_is_never_used_more_often_and_stays_with_the_order_that_reserved() -> None:
    w = world(to="n")
    w.codes = {"STAR": Code("ten", 2)}
    reserve(w, "star", "o1")
    reserve(w, "star", "p1", "n")
    assert buy(w, "o2", "40.00", vouchers=["star"]).code == "voucher_exhausted"
    assert buy(w, "o1", "40.00", vouchers=["star"]).of(VoucherRedeemed)
    w.now = w.instant("2026-03-01 10:30")
    w.clock(w.now, "n")
    assert w.pools["code/STAR"] == 1
    assert buy(w, "o2", "40.00", vouchers=["star"]).of(VoucherRedeemed)
    assert opened(w, "n") == []
    w.replay()
    w.replay("n")


# --- returns ----------------------------------------------------------------------------------------------------------


def test_a_voucher_is_given_back_only_when_its_whole_order_is_returned_and_only_once() -> None:
    w = world()
    code = given(w)
    buy(w, "o1", "30.00", "10.00", vouchers=[code])
    w.post("m", "return", {"order": "o1", "lines": [{"line": "1"}]})
    assert status(w, code) == "redeemed"
    w.post("m", "return", {"order": "o1"})
    assert status(w, code) == "issued"
    assert buy(w, "o2", "30.00", vouchers=[code]).code == "accepted"
    assert w.post("m", "return", {"order": "o1"}).code == "nothing_left_to_return"
    assert status(w, code) == "redeemed"
    w.replay()


def test_a_voucher_given_back_after_its_time_has_expired() -> None:
    w = world({"ten": {**TEN, "expires": {"after": "1D"}}})
    code = given(w)
    buy(w, "o1", "30.00", vouchers=[code])
    w.post("m", "return", {"order": "o1"}, at="2026-03-05")
    assert status(w, code) == "expired"


def test_a_voucher_given_back_after_its_time_lives_on_for_the_grace_of_its_kind_and_then_expires() -> None:
    w = world({"ten": {**TEN, "expires": {"after": "1D"}, "restore_grace": "14D"}})
    late, early = given(w), given(w)
    buy(w, "o1", "30.00", vouchers=[late])
    buy(w, "o2", "30.00", vouchers=[early])
    # In time it has its own expiry; from the instant of that on, the grace counts.
    w.post("m", "return", {"order": "o2"}, at="2026-03-02 09:59:59.999999")
    at_expiry = w.fork()
    at_expiry.post("m", "return", {"order": "o1"}, at="2026-03-02 10:00")
    assert (status(at_expiry, late), status(at_expiry, early)) == ("issued", "expired")
    w.post("m", "return", {"order": "o1"}, at="2026-03-05")
    known = voucher(w, late)
    assert known is not None
    assert w.text(known.expires_at) == "2026-03-19 00:00"
    bought = buy(w, "o3", "30.00", vouchers=[late], at="2026-03-18")
    assert bought.of(VoucherRedeemed)
    # Used within its grace and returned after it, it has the grace again.
    w.post("m", "return", {"order": "o3"}, at="2026-03-20")
    w.clock("2026-04-03")
    assert status(w, late) == "expired"
    w.replay()
    at_expiry.replay()


def test_parts_of_a_voucher_that_come_back_after_its_time_have_the_grace_as_well() -> None:
    w = world({"ten": {**TEN, "expires": {"after": "1D"}, "restore_grace": "2D", "on_return": "split"}})
    code = given(w)
    buy(w, "o1", {"line": "1", "amount": "40.00", "quantity": "4", "discounts": [{"code": code, "amount": "10.00"}]})
    part = w.post("m", "return", {"order": "o1", "lines": [{"line": "1", "quantity": "1"}]}, at="2026-03-05")
    assert w.text(issued(part).expires_at) == "2026-03-07 00:00"
    assert status(w, issued(part).code) == "issued"
    w.replay()


def test_by_the_split_choice_each_return_gives_back_its_share_of_the_amount_as_a_new_voucher() -> None:
    w = world({"ten": {**TEN, "on_return": "split", "expires": {"until": "2026-12-31"}}})
    code = given(w)
    off = [{"code": code, "amount": "7.50"}], [{"code": code, "amount": "2.50"}]
    lines = [
        {"line": "1", "amount": "30.00", "quantity": "3", "discounts": off[0]},
        {"line": "2", "amount": "10.00", "discounts": off[1]},
    ]
    buy(w, "o1", *lines)
    first = w.post("m", "return", {"order": "o1", "lines": [{"line": "1", "quantity": "1"}]})
    assert [(fact.worth, fact.reason) for fact in first.of(VoucherIssued)] == [(250, "split")]
    second = w.post("m", "return", {"order": "o1"})
    assert [fact.worth for fact in second.of(VoucherIssued)] == [750]
    assert status(w, code) == "redeemed"
    part = first.of(VoucherIssued)[0]
    assert part.expires_at == w.instant("2027-01-01")
    assert buy(w, "o2", "30.00", vouchers=[part.code]).of(VoucherRedeemed)
    w.replay()


def test_a_use_counts_no_more_once_all_of_it_has_come_back_split() -> None:
    limits = [{"per": "member", "every": "lifetime", "times": 1}, {"budget": "times", "of": 1}]
    w = world({"ten": {**TEN, "on_return": "split", "limits": limits}})
    code = given(w)
    buy(w, "o1", {"line": "1", "amount": "30.00", "quantity": "2", "discounts": [{"code": code, "amount": "10.00"}]})
    first = issued(w.post("m", "return", {"order": "o1", "lines": [{"line": "1", "quantity": "1"}]}))
    assert buy(w, "o2", "30.00", vouchers=[first.code]).code == "voucher_limit_reached"
    w.post("m", "return", {"order": "o1"})
    assert w.pools["voucher/ten/times"] == 0
    assert buy(w, "o2", "30.00", vouchers=[first.code]).of(VoucherRedeemed)
    w.replay()


def test_what_began_to_come_back_split_comes_back_split_whatever_the_program_says_by_then() -> None:
    w = world({"ten": {**TEN, "on_return": "split"}})
    code = given(w)
    buy(w, "o1", {"line": "1", "amount": "40.00", "quantity": "4", "discounts": [{"code": code, "amount": "10.00"}]})
    first = w.post("m", "return", {"order": "o1", "lines": [{"line": "1", "quantity": "1"}]})
    assert [fact.worth for fact in first.of(VoucherIssued)] == [250]
    w.publish(shop(vouchers={"ten": {**TEN, "on_return": "whole"}}), "2026-03-20")
    rest = w.post("m", "return", {"order": "o1"}, at="2026-03-21 10:00")
    assert [fact.worth for fact in rest.of(VoucherIssued)] == [750]
    assert status(w, code) == "redeemed"


def test_a_whole_return_under_the_split_choice_gives_the_voucher_itself_back() -> None:
    w = world({"ten": {**TEN, "on_return": "split"}})
    code = given(w)
    buy(w, "o1", {"line": "1", "amount": "30.00", "discounts": [{"code": code, "amount": "10.00"}]})
    assert not w.post("m", "return", {"order": "o1"}).of(VoucherIssued)
    assert status(w, code) == "issued"


def test_no_more_of_a_voucher_comes_back_with_a_line_than_was_paid_for_it_with_the_voucher() -> None:
    # The till took 4.93 off the second line under another voucher, which is good for 2.00. Of the 4.00 that were paid
    # with this one no more than the 0.07 that the line then cost can have been for it.
    kinds = {"seven": {"gives": {"off": "7.00"}, "on_return": "split"}, "two": {"gives": {"off": "2.00"}}}
    w = world(kinds)
    seven, two = given(w, "seven"), given(w, "two")
    lines = [
        {"line": "1", "amount": "5.00"},
        {"line": "2", "amount": "0.07", "discounts": [{"code": two, "amount": "4.93"}]},
    ]
    tenders = [{"kind": "voucher", "amount": "4.00", "code": seven}, {"kind": "cash", "amount": "1.07"}]
    assert buy(w, "o1", *lines, tenders=tenders).refusal is None
    part = w.post("m", "return", {"order": "o1", "lines": [{"line": "2"}]})
    assert [fact.worth for fact in part.of(VoucherIssued)] == [7]
    rest = w.post("m", "return", {"order": "o1"})
    assert [fact.worth for fact in rest.of(VoucherIssued)] == [393]


# --- given by campaigns -----------------------------------------------------------------------------------------------


def test_a_campaign_gives_a_voucher_which_goes_when_unused_and_its_condition_no_longer_holds() -> None:
    w = world(campaigns={"gift": GIFT})
    code = issued(buy(w, "o1", "80.00", "40.00")).code
    assert voucher(w, code) is not None
    kept = issued(buy(w, "o2", "80.00", "40.00")).code
    assert not buy(w, "o3", "80.00").of(VoucherIssued)
    w.post("m", "return", {"order": "o1", "lines": [{"line": "1"}]})
    assert status(w, code) == "revoked"
    assert buy(w, "o4", "20.00", vouchers=[code]).code == "voucher_revoked"
    buy(w, "o5", "20.00", vouchers=[kept])
    w.post("m", "return", {"order": "o2"})
    assert status(w, kept) == "redeemed"
    w.replay()


def test_a_voucher_stays_while_the_campaign_would_still_give_it() -> None:
    w = world(campaigns={"gift": GIFT})
    code = issued(buy(w, "o1", "100.00", "40.00")).code
    w.post("m", "return", {"order": "o1", "lines": [{"line": "2"}]})
    assert status(w, code) == "issued"
    answer = w.post("m", "return", {"order": "o1"})
    assert [fact.reason for fact in answer.of(VoucherEnded)] == ["returned"]


def test_a_campaigns_limits_count_the_vouchers_that_it_gives_and_get_them_back() -> None:
    gift = {**GIFT, "limits": [{"every": "lifetime", "times": 1}, {"budget": "times", "of": 5}]}
    w = world(campaigns={"gift": gift})
    assert len(buy(w, "o1", "100.00").of(VoucherIssued)) == 1
    answer = buy(w, "o2", "100.00")
    assert not answer.of(VoucherIssued)
    assert answer.judged["gift"].code == "limit_reached"
    assert w.pools["campaign/gift/times"] == 1
    w.post("m", "return", {"order": "o1"})
    assert w.pools["campaign/gift/times"] == 0
    answer = buy(w, "o3", "100.00")
    assert len(answer.of(VoucherIssued)) == 1
    assert answer.judged["gift"].code == "gave"


def test_the_same_activity_decided_again_gives_the_same_code_and_another_one_another() -> None:
    w = world(campaigns={"gift": {**GIFT, "grant": {"voucher": "ten", "count": 3}}})
    codes = [fact.code for fact in buy(w, "o1", "100.00").of(VoucherIssued)]
    codes += [fact.code for fact in buy(w, "o2", "100.00").of(VoucherIssued)]
    assert len(set(codes)) == 6


# --- taken away, passed on --------------------------------------------------------------------------------------------


def test_a_voucher_that_a_person_took_away_cannot_be_used_and_frees_what_its_reservation_counted() -> None:
    w = world({"ten": {**TEN, "limits": [{"budget": "times", "of": 1}]}})
    code = given(w)
    reserve(w, code, "o1")
    assert w.post("m", "voucher_revoke", {"code": code, "reason": "fraud"}).code == "accepted"
    assert w.pools["voucher/ten/times"] == 0
    assert buy(w, "o1", "40.00", vouchers=[code]).code == "voucher_revoked"
    assert w.post("m", "voucher_revoke", {"code": code}).code == "voucher_revoked"


def test_a_voucher_that_is_passed_on_is_the_other_members_with_its_code_and_expiry() -> None:
    w = world({"ten": {**TEN, "transferable": True, "expires": {"after": "7D"}}}, to="n")
    code = given(w)
    assert w.post("m", "voucher_transfer", {"code": code, "to": "n"}, at="2026-03-03").code == "accepted"
    assert status(w, code) == "transferred"
    found = voucher(w, code, "n")
    assert found is not None
    assert found.expires_at == w.instant("2026-03-08 10:00")
    assert buy(w, "o1", "40.00", vouchers=[code]).code == "voucher_transferred"
    assert buy(w, "p1", "40.00", vouchers=[code], member="n").of(VoucherRedeemed)
    assert w.post("m", "voucher_transfer", {"code": code, "to": "n"}).code == "voucher_transferred"
    w.replay()
    w.replay("n")


def test_a_voucher_that_the_other_member_cannot_take_comes_back() -> None:
    w = world({"ten": {**TEN, "transferable": True}})
    code = given(w)
    w.post("m", "voucher_transfer", {"code": code, "to": "nobody"})
    assert status(w, code) == "issued"
    assert buy(w, "o1", "40.00", vouchers=[code]).of(VoucherRedeemed)


def test_only_what_the_program_lets_pass_on_is_passed_on_and_not_to_oneself() -> None:
    w = world()
    code = given(w)
    assert w.post("m", "voucher_transfer", {"code": code, "to": "n"}).code == "voucher_not_transferable"
    assert w.post("m", "voucher_transfer", {"code": code, "to": "m"}).code == "same_member"


# --- across versions --------------------------------------------------------------------------------------------------


def test_vouchers_of_a_kind_that_is_renamed_stay_good_and_those_of_one_that_is_gone_do_not() -> None:
    w = world()
    code, other = given(w), given(w)
    w.publish(shop(vouchers={"tenner": {**TEN, "was": "ten"}}), "2026-04-01")
    assert buy(w, "o1", "40.00", vouchers=[code], at="2026-04-01").of(VoucherRedeemed)
    assert w.post("m", "voucher_issue", {"voucher": "tenner"}).of(VoucherIssued)[0].voucher == "ten"
    w.publish(shop(), "2026-05-01")
    assert buy(w, "o2", "40.00", vouchers=[other], at="2026-05-01").code == "voucher_withdrawn"
    w.post("m", "return", {"order": "o1"})
    assert status(w, code) == "issued"


def test_many_vouchers_leave_the_root_as_small_as_it_was() -> None:
    w = world({"ten": {**TEN, "expires": {"after": "30D"}}})
    w.checks = False
    for _ in range(50):
        given(w)
    assert len(w.members["m"].documents["root"]) < 400
    assert len(opened(w)) == 50


def test_vouchers_that_expire_one_after_another_are_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world({"ten": {**TEN, "expires": {"after": "30D"}}})
    for n in range(6):
        w.post("m", "voucher_issue", {"voucher": "ten"}, at=f"2026-03-02 10:0{n}")
    asked: list[tuple[str, ...]] = []
    begin = Missing.__init__

    def noting(missing: Missing, *keys: str) -> None:
        asked.append(keys)
        begin(missing, *keys)

    monkeypatch.setattr(Missing, "__init__", noting)
    w.clock("2026-05-01 00:00")
    assert opened(w) == []
    assert [len(keys) for keys in asked if keys[0].startswith("voucher/")] == [6]
    w.replay()
