"""Vouchers that purchases gave: they go with the order that they were given for, on whatever way they were meanwhile."""

from __future__ import annotations

from typing import Any

from laurels.core.facts import VoucherEnded, VoucherIssued
from tests.core.harness import Answer, World, shop

TEN = {"gives": {"off": "10.00"}, "transferable": True}
GIFT = {
    "on": "purchase",
    "when": "purchase.total >= 100.00",
    "grant": {"voucher": "ten"},
    "limits": [{"per": "member", "every": "month", "times": 1}, {"budget": "times", "of": 5}],
}


def world(**words: Any) -> tuple[World, str]:
    """A world in which order `a`, of two lines, gave a voucher; its code."""
    here = World(shop(vouchers={"ten": {**TEN, **words}}, campaigns={"gift": GIFT}))
    here.enrol(at="2026-03-01 10:00")
    (issued,) = here.buy("a", "60.00", "40.00").of(VoucherIssued)
    assert isinstance(issued, VoucherIssued)
    return here, issued.code


def ended(answer: Answer) -> list[tuple[str, str, str | None]]:
    return [(fact.code, fact.reason, fact.order) for fact in answer.of(VoucherEnded)]


def is_free(here: World) -> bool:
    """Whether the campaign's limit and budget have everything again."""
    return not here.pools["campaign/gift/times"] and not any(
        use.used for uses in here.look().root.limits.values() for use in uses
    )


def test_a_gift_that_another_member_refused_still_goes_with_its_order() -> None:
    here, code = world()
    assert here.post("m", "voucher_transfer", {"code": code, "to": "nobody"}).refusal is None
    assert not is_free(here)
    assert ended(here.give_back("a")) == [(code, "returned", "a")]
    assert here.buy("b", "20.00", vouchers=[code]).code == "voucher_revoked"
    assert is_free(here)
    here.replay()
