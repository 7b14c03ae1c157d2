"""What a version changes about vouchers is told, and what it takes from those who hold them is flagged."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.program.change import Change, Everyone, VoucherHolders
from laurels.core.program.difference import difference
from tests.core.harness import program, shop

TEN = {
    "name": "Ten off",
    "gives": {"off": "10.00"},
    "expires": {"after": "30D"},
    "transferable": True,
    "per_order": 2,
    "restore_grace": "14D",
    "hold": "1H",
}
LIMITED = {"limits": [{"every": "month", "times": 2}]}


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Change]:
    old, new = (program(shop(vouchers={"ten": each})) for each in (before, after))
    return {change.path: change for change in difference(old, new)}


@pytest.mark.parametrize(
    ("word", "more", "less"),
    [
        ("gives", {}, {"gives": {"off": "9.00"}}),
        ("gives", {}, {"gives": {"percent": "10%"}}),
        ("floor", {}, {"floor": {"share": "50%"}}),
        ("gives", {"gives": {"percent": "20%"}}, {"gives": {"percent": "20%", "most": "5.00"}}),
        ("expires", {}, {"expires": {"after": "29D"}}),
        ("expires", {"expires": {"until": "2026-12-31"}}, {"expires": {"until": "2026-11-30"}}),
        ("when", {}, {"when": "purchase.total >= 50.00"}),
        ("during", {}, {"during": {"until": "2026-12-31"}}),
        ("limits", {}, LIMITED),
        ("limits", LIMITED, {"limits": [{"every": "month", "times": 1}]}),
        ("per_order", {}, {"per_order": 1}),
        ("transferable", {}, {"transferable": False}),
        ("hold", {}, {"hold": "30MIN"}),
        ("restore_grace", {}, {"restore_grace": "13D"}),
        ("restore_grace", {}, {"restore_grace": "none"}),
    ],
)
def test_less_for_those_who_hold_one_is_taken_from_them_and_more_from_nobody(
    word: str, more: dict[str, Any], less: dict[str, Any]
) -> None:
    generous, strict = {**TEN, **more}, {**TEN, **more, **less}
    change = changes(generous, strict)[f"/vouchers/ten/{word}"]
    assert (change.takes_away, change.concerns) == (True, VoucherHolders("ten"))
    assert change.before != change.after
    if less.get("gives", {}).get("percent") != "10%":
        assert not changes(strict, generous)[f"/vouchers/ten/{word}"].takes_away


def test_a_kind_that_goes_takes_vouchers_and_a_renamed_one_takes_nothing() -> None:
    old = program(shop(vouchers={"ten": TEN}))
    (gone,) = difference(old, program(shop()))
    assert (gone.path, gone.kind, gone.concerns) == ("/vouchers/ten", "removed", VoucherHolders("ten"))
    (renamed,) = difference(old, program(shop(vouchers={"tenner": {**TEN, "was": "ten"}})))
    assert (renamed.kind, renamed.takes_away) == ("renamed", False)
    assert difference(old, program(shop(vouchers={"ten": TEN}))) == ()


def test_a_code_that_everybody_may_use_is_taken_from_everybody() -> None:
    shared = {"gives": TEN["gives"], "code": ["SPRING", "MAY"]}
    old = program(shop(vouchers={"ten": shared}))
    (gone,) = difference(old, program(shop()))
    assert gone.concerns == Everyone()
    change = changes(shared, {**shared, "code": ["SPRING"]})["/vouchers/ten/code"]
    assert (change.takes_away, change.concerns) == (True, Everyone())


def test_a_renamed_wallet_takes_nothing_from_those_who_hold_vouchers_for_its_points() -> None:
    double = {
        "double": {"gives": {"multiply": "points", "by": 2}},
        "bonus": {"gives": {"wallet": "points", "points": 5}},
    }
    old = shop(vouchers=double)
    base = {"on": "purchase", "grant": {"wallet": "stars", "points": 1, "per": "1.00"}}
    new = {**shop(campaigns={"base": base}), "wallets": {"stars": {"was": "points", "name": "points"}}}
    renamed = {
        "double": {"gives": {"multiply": "stars", "by": 2}},
        "bonus": {"gives": {"wallet": "stars", "points": 5}},
    }
    found = difference(program(old), program({**new, "vouchers": renamed}))
    assert [(change.path, change.kind, change.takes_away) for change in found] == [("/wallets/stars", "renamed", False)]


def test_fewer_vouchers_of_a_campaign_are_taken_from_its_earners() -> None:
    def giving(count: int) -> Any:
        gift = {"on": "purchase", "grant": {"voucher": "ten", "count": count}}
        return program(shop(vouchers={"ten": TEN}, campaigns={"gift": gift}))

    (fewer,) = difference(giving(2), giving(1))
    assert (fewer.path, fewer.takes_away) == ("/campaigns/gift/gifts", True)
    assert (fewer.before, fewer.after) == ("[{voucher: ten, count: 2}]", "[{voucher: ten, count: 1}]")
    (more,) = difference(giving(1), giving(2))
    assert not more.takes_away
