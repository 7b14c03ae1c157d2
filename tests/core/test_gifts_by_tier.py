"""What a campaign gives besides points may differ by tier, as points do."""

from __future__ import annotations

from typing import Any

from laurels.core.facts import VoucherEnded, VoucherIssued
from laurels.core.program.change import Everyone
from laurels.core.program.difference import difference
from tests.core.harness import World, program, shop

TRACK = {
    "club": {
        "measure": {"spent": "net"},
        "window": "lifetime",
        "tiers": [{"id": "base"}, {"id": "silver", "enter": "100.00"}, {"id": "gold", "enter": "200.00"},
                  {"id": "black", "enter": "300.00"}],
    }
}  # fmt: skip
KINDS = {"five": {"gives": {"off": "5.00"}}, "ten": {"gives": {"off": "10.00"}}}


def document(voucher: Any, **more: Any) -> dict[str, Any]:
    gift = {"on": "purchase", "grant": [{"voucher": voucher, **more}]}
    return shop(tracks=TRACK, vouchers=KINDS, campaigns={"gift": gift})


def kinds(answer: Any) -> list[str]:
    return [fact.voucher for fact in answer.of(VoucherIssued)]


def test_each_tier_gets_its_kind_those_above_the_last_named_the_same_and_those_below_none() -> None:
    here = World(document({"silver": "five", "gold": "ten"}, count=2), start="2026-01-01 00:00")
    here.enrol()
    # The order that crosses a threshold is judged on the tier before it.
    answers = [here.buy(f"o-{n}", "100.00") for n in range(5)]
    assert [kinds(each) for each in answers] == [[], ["five"] * 2, ["ten"] * 2, ["ten"] * 2, ["ten"] * 2]
    assert answers[0].why("gift") == ("nothing_to_grant", 0, 0)
    assert answers[1].why("gift")[0] == "gave"


def test_a_return_takes_back_the_kind_that_was_given() -> None:
    here = World(document({"silver": "five", "gold": "ten"}), start="2026-01-01 00:00")
    here.enrol()
    here.buy("o-1", "100.00")
    (code,) = [fact.code for fact in here.buy("o-2", "100.00").of(VoucherIssued)]
    returned = here.post("m", "return", {"order": "o-2"})
    assert [fact.code for fact in returned.of(VoucherEnded)] == [code]


def test_a_plan_says_which_tiers_lose_what() -> None:
    before = program(document({"silver": "five", "gold": "ten"}))
    (change,) = difference(before, program(document({"gold": "ten"})))
    assert (change.path, change.takes_away, change.concerns) == ("/campaigns/gift/gifts", True, Everyone())
    assert change.before is not None
    assert change.before == "[{voucher: {club.silver: five, club.gold: ten, club.black: ten}, count: 1}]"
    (change,) = difference(before, program(document({"base": "five", "gold": "ten"})))
    assert not change.takes_away
    (change,) = difference(program(document({"silver": "five"})), program(document("five")))
    assert not change.takes_away
    (change,) = difference(program(document("five")), program(document({"silver": "five"})))
    assert change.takes_away
