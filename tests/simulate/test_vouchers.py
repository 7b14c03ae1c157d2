"""A simulation lives with the chance that was recorded, so that vouchers have the codes by which they were used."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from laurels.core.activity import Activity, Purchase, parse
from laurels.core.calendar import parse_instant
from laurels.core.case import Code
from laurels.core.decide import Circumstances, Decision
from laurels.core.facts import VoucherEnded, VoucherIssued, VoucherRedeemed
from laurels.core.version import Version, Versions
from laurels.simulate.given import Counting, Given, VoucherFigures
from laurels.simulate.replay import Replay
from tests.core.harness import program, shop

GIFT = {"on": "purchase", "when": "purchase.total >= 100.00", "grant": {"voucher": "ten"}}
VERSIONS = Versions(
    (Version(1, 0, program(shop(vouchers={"ten": {"gives": {"off": "10.00"}}}, campaigns={"gift": GIFT}))),)
)
AT = parse_instant("2026-03-01T10:00:00Z")


def sent(id: str, type: str, data: dict[str, Any]) -> tuple[Activity, bytes]:
    body = json.dumps(data).encode()
    declared = VERSIONS.declared
    assert declared is not None
    activity = parse(source="pos", id=id, type=type, member="m", occurred_at=AT, data=body, declared=declared)
    assert isinstance(activity, Activity)
    return activity, body


def reread(body: bytes) -> Purchase:
    activity, _body = sent("", "purchase", json.loads(body))
    assert isinstance(activity.data, Purchase)
    return activity.data


def order(id: str, amount: str, **more: Any) -> dict[str, Any]:
    return {"order": id, "lines": [{"line": "1", "amount": amount}], **more}


def test_vouchers_have_the_codes_that_they_had() -> None:
    given = Circumstances(AT, random="5" * 32)
    codes = []
    for _ in range(2):
        replay = Replay(VERSIONS, reread)
        replay.submit(*sent("e", "enrol", {}), AT, Circumstances(AT))
        bought = replay.submit(*sent("a", "purchase", order("o-1", "120.00")), AT, given)
        assert isinstance(bought, Decision)
        (issued,) = [fact for fact in bought.facts if isinstance(fact, VoucherIssued)]
        codes.append(issued.code)
        used = replay.submit(*sent("b", "purchase", order("o-2", "20.00", vouchers=[issued.code])), AT, given)
        assert isinstance(used, Decision)
        assert [fact.code for fact in used.facts if isinstance(fact, VoucherRedeemed)] == [issued.code]
    assert codes[0] == codes[1]


def test_a_code_that_was_nobodys_is_found_again_in_what_was_recorded() -> None:
    replay = Replay(VERSIONS, reread)
    replay.submit(*sent("e", "enrol", {}), AT, Circumstances(AT))
    given = Circumstances(AT, codes={"LEAF": Code("ten")})
    used = replay.submit(*sent("a", "purchase", order("o-1", "20.00", vouchers=["leaf"])), AT, given)
    assert isinstance(used, Decision)
    assert any(isinstance(fact, VoucherRedeemed) for fact in used.facts)


@pytest.mark.parametrize("status", ["expired", "revoked"])
def test_a_gift_that_ended_unused_is_counted_once_although_its_order_comes_back(
    status: Literal["expired", "revoked"],
) -> None:
    told = Given()
    counting = Counting(told)
    counting.take("m", [VoucherIssued("A", "ten", 0), VoucherIssued("B", "ten", 0)])
    reason = "expired" if status == "expired" else "person"
    counting.take("m", [VoucherEnded("A", status, 1, reason), VoucherEnded("A", status, 2, "returned", "o")])
    counting.take("m", [VoucherEnded("B", "revoked", 2, "returned", "o")])
    expired = int(status == "expired")
    assert told.vouchers["ten"] == VoucherFigures(issued=2, expired=expired, revoked=2 - expired)
