"""Vouchers as rewards in the core: given when captured, all or none taken back, and only while none is used."""

from typing import Any

import pytest

from laurels.core.facts import Moved, RedemptionEnded, VoucherEnded, VoucherIssued
from laurels.core.member import Redemption
from tests.core.harness import Answer, World, shop
from tests.core.test_vouchers import opened, reserve, status

TEN = {"gives": {"off": "10.00"}, "expires": {"after": "30D"}, "transferable": True}
TREAT: dict[str, Any] = {"gives": {"voucher": "ten", "count": 2}, "price": {"wallet": "points", "points": 100}}


def document(treat: dict[str, Any] = TREAT, **parts: Any) -> dict[str, Any]:
    made: dict[str, Any] = shop(**{"vouchers": {"ten": TEN}, "rewards": {"treat": treat}, **parts})
    return made


def world(treat: dict[str, Any] = TREAT) -> World:
    here = World(document(treat), start="2026-03-01 10:00")
    here.enrol()
    here.adjust(1000)
    return here


def redeem(here: World, id: str = "r", **more: Any) -> Answer:
    return here.post("m", "redemption", {"redemption": id, "reward": "treat", **more})


def codes(answer: Answer) -> list[str]:
    return [fact.code for fact in answer.of(VoucherIssued) if isinstance(fact, VoucherIssued)]


def state(here: World, id: str = "r") -> str:
    known = here.look("m").documents[f"redemption/{id}"]
    assert isinstance(known, Redemption)
    return known.status


def test_vouchers_are_bought_at_once_so_many_a_piece_each_with_a_code_of_its_own() -> None:
    here = world()
    done = redeem(here, quantity=2)
    given = codes(done)
    assert (len(set(given)), sorted(opened(here))) == (4, sorted(given))
    first = done.of(VoucherIssued)[0]
    assert (first.voucher, first.reason, first.redemption) == ("ten", "reward", "r")
    assert first.expires_at == here.instant("2026-03-31 10:00")
    assert (done.moved("available", "held"), state(here)) == (200, "captured")
    here.replay()


def test_a_held_redemption_gives_its_vouchers_once_it_is_captured() -> None:
    here = world({**TREAT, "hold": "2D"})
    assert codes(redeem(here)) == []
    here.clock("2026-03-02 10:00")
    captured = here.post("m", "redemption_capture", {"redemption": "r"})
    assert len(codes(captured)) == 2
    assert captured.of(VoucherIssued)[0].expires_at == here.instant("2026-04-01 10:00")
    here.replay()


def test_a_held_redemption_of_a_kind_that_is_gone_is_not_captured_and_gives_its_points_back() -> None:
    here = world({**TREAT, "hold": "2D"})
    redeem(here)
    here.publish(shop(), "2026-03-01 12:00")
    here.clock("2026-03-02 10:00")
    assert here.post("m", "redemption_capture", {"redemption": "r"}).code == "voucher_withdrawn"
    here.clock("2026-03-03 10:00")
    assert (state(here), here.points()) == ("timed_out", (1000, 0, 0, 0))


def test_a_held_redemption_gives_the_kind_under_its_new_name() -> None:
    here = world({**TREAT, "hold": "2D"})
    redeem(here)
    renamed = {"vouchers": {"tenner": {**TEN, "was": "ten"}}}
    here.publish(document({**TREAT, "gives": {"voucher": "tenner"}}, **renamed), "2026-03-01 12:00")
    here.clock("2026-03-02 10:00")
    captured = here.post("m", "redemption_capture", {"redemption": "r"})
    assert [fact.voucher for fact in captured.of(VoucherIssued)] == ["ten", "ten"], "by its key, and as many as then"
    assert redeem(here, "s", hold=False).of(VoucherIssued)[0].voucher == "ten"


def test_nobody_pays_for_a_voucher_whose_time_is_over() -> None:
    over = {"vouchers": {"ten": {**TEN, "expires": {"until": "2026-03-31"}}}}
    here = World(document({**TREAT, "hold": "60D", "automatic": 1500}, **over), start="2026-03-01 10:00")
    here.enrol()
    here.adjust(1000)
    assert redeem(here, "held").refusal is None
    here.clock("2026-04-05 10:00")
    assert redeem(here).code == "voucher_expired"
    assert here.post("m", "redemption_capture", {"redemption": "held"}).code == "voucher_expired"
    here.post("m", "choice", {"reward": "treat", "automatic": True})
    here.adjust(1000)
    assert (here.points()[0], opened(here)) == (1900, [])


def test_unused_vouchers_are_taken_back_and_the_points_are_back_once() -> None:
    here = world({**TREAT, "stock": 3, "limits": [{"every": "month", "times": 3}]})
    kept = codes(redeem(here, "first"))
    given = codes(redeem(here, quantity=2))
    back = here.cancel("r")
    assert [(fact.code, fact.status, fact.reason) for fact in back.of(VoucherEnded)] == [
        (code, "revoked", "cancelled") for code in given
    ]
    assert [(fact.points, fact.out_of, fact.into) for fact in back.of(Moved)] == [(200, "redemption", "available")]
    assert back.of(RedemptionEnded)[0].status == "cancelled"
    assert (state(here), sorted(opened(here)), here.points()) == ("cancelled", sorted(kept), (900, 0, 0, 0))
    assert here.cancel("r").code == "redemption_not_held"
    assert redeem(here, "more", quantity=2).refusal is None, "stock and room are there again"
    here.replay()


@pytest.mark.parametrize("why", ["redeemed", "reserved", "expired", "revoked", "transferred"])
def test_a_redemption_stands_with_all_its_vouchers_once_one_of_them_is_gone(why: str) -> None:
    here = world()
    here.enrol("n")
    one, other = codes(redeem(here))
    if why == "redeemed":
        here.buy("o", "50.00", vouchers=[one])
    elif why == "reserved":
        reserve(here, one, "o")
    elif why == "revoked":
        here.post("m", "voucher_revoke", {"code": one, "reason": "fraud"})
    elif why == "transferred":
        here.post("m", "voucher_transfer", {"code": one, "to": "n"})
    else:
        here.clock("2026-04-01")
    assert here.cancel("r").code == f"voucher_{why}"
    assert (state(here), here.points()[0] >= 900) == ("captured", True)
    assert status(here, other) == ("expired" if why == "expired" else "issued")


def test_a_voucher_that_a_returned_purchase_gave_back_is_unused_again() -> None:
    here = world()
    one, _other = codes(redeem(here))
    here.buy("o", "50.00", vouchers=[one])
    assert here.cancel("r").code == "voucher_redeemed"
    here.give_back("o")
    assert (here.cancel("r").refusal, here.points()) == (None, (1000, 0, 0, 0))


def test_a_redemption_gives_no_more_vouchers_than_its_document_can_name() -> None:
    here = world({**TREAT, "price": {"wallet": "points", "points": 1}, "automatic": 1})
    assert redeem(here, quantity=51).code == "reward_limit_reached"
    assert len(codes(redeem(here, quantity=50))) == 100
    chosen = here.post("m", "choice", {"reward": "treat", "automatic": True})
    assert len(codes(chosen)) == 100, "by themselves as many as that, and the others when something is recorded next"
