"""Segments in the document: what their conditions may name, who may name them, and what a change of them means."""

from typing import Final

import pytest

from laurels.core.calendar import parse_instant
from laurels.core.program.difference import difference
from laurels.core.program.draws_difference import broken_promises
from laurels.core.program.loading import examine
from tests.core.program.documents import sound

HEAD: Final = """program: shop
time_zone: Asia/Shanghai
currency: CNY
jurisdiction: none
wallets: {points: {}}
"""
LOYAL: Final = "segments: {loyal: {when: at.day == 8}, staff: {when: at.day == 9}}\n"
DRAW: Final = (
    "draws: {s: {opens: 2026-01-01, closes: 2026-02-01, draws_at: 2026-03-01, prizes: {mug: {quantity: 1}}, exclude: "
)
REWARD: Final = "rewards: {mug: {gives: goods, price: {wallet: points, points: 5}, "


def campaign(when: str) -> str:
    return f"campaigns: {{c: {{on: purchase, when: '{when}', grant: {{wallet: points, fixed: 5}}}}}}"


@pytest.mark.parametrize(
    ("body", "code", "hint"),
    [
        ("segments: {a: {when: ‸purchase.total >= 30.00}}", "rule_unknown_name", "of the member alone"),
        ("segments: {a: {when: 'at.day == 8 && ‸line.amount > 3.00'}}", "rule_unknown_name", "of the member alone"),
        ("segments: {a: {when: 'at.day == 8 || ‸activity.type == \"x\"'}}", "rule_unknown_name", "of the member alone"),
        ("segments: {a: {when: at.day == 8}, b: {when: '\"a\" in member.‸segments'}}", "rule_unknown_field", "write"),
        (campaign('"loyal" in member.‸segments'), "rule_unknown_field", "no segments yet"),
        (LOYAL + campaign('‸"loyl" in member.segments'), "rule_unknown_value", "did you mean 'loyal'"),
        (LOYAL + campaign('‸"vip" in member.segments'), "rule_unknown_value", "any of loyal, staff"),
        (LOYAL + campaign('member.segments.exists(s, s == ‸"vip")'), "rule_unknown_value", "one of loyal, staff"),
        (LOYAL + campaign('member.segments.all(s, s in ["staff", ‸"vip"])'), "rule_unknown_value", "one of loyal"),
        (LOYAL + "promotions: {p: {gives: {off: 1}, when: '‸\"st\" in member.segments'}}", "rule_unknown_value", "sta"),
        (
            LOYAL + "promotions: {p: {gives: {off: 1}, lines: '‸\"st\" in member.segments'}}",
            "rule_unknown_value",
            "sta",
        ),
        (LOYAL + "vouchers: {v: {gives: {off: 1}, when: '‸\"st\" in member.segments'}}", "rule_unknown_value", "staff"),
        (LOYAL + REWARD + "visible: '‸\"st\" in member.segments'}}", "rule_unknown_value", "staff"),
        (LOYAL + REWARD + "when: '‸\"st\" in member.segments'}}", "rule_unknown_value", "staff"),
        (
            LOYAL + REWARD + "prices: [{when: '‸\"st\" in member.segments', wallet: points, points: 4}]}}",
            "rule_unknown_value",
            "staff",
        ),
        (LOYAL + DRAW + "'‸\"st\" in member.segments'}}", "rule_unknown_value", "staff"),
    ],
)
def test_a_mistake_is_one_finding_at_its_place_with_a_hint(body: str, code: str, hint: str) -> None:
    text = HEAD + body
    before = text[: text.index("‸")]
    (finding,) = examine(text.replace("‸", "")).findings
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert (finding.code, finding.line, finding.column) == (code, *place)
    assert hint in f"{finding.message} {finding.hint}"


def test_a_segment_with_a_mistake_is_still_known_to_others() -> None:
    (finding,) = examine(
        HEAD + "segments: {loyal: {when: at.dy == 8}}\n" + campaign('"loyal" in member.segments')
    ).findings
    assert (finding.code, finding.path) == ("rule_unknown_field", "/segments/loyal/when")


def test_a_plan_tells_what_becomes_of_a_segment_and_that_it_may_take_something_from_everybody() -> None:
    old = sound(HEAD + "segments: {loyal: {when: at.day == 8}, staff: {when: at.day == 9}}")
    new = sound(HEAD + "segments: {loyal: {when: at.day == 7}, vip: {when: at.day == 9}}")
    found = [(each.path, each.kind, each.takes_away) for each in difference(old, new)]
    assert found == [
        ("/segments/staff", "removed", True),
        ("/segments/loyal/when", "changed", True),
        ("/segments/vip", "added", False),
    ]


@pytest.mark.parametrize(
    ("at", "changes", "broken"),
    [
        ("2026-01-10", "", (("s", "needs_reason"),)),
        ("2026-01-10", ", changes: [{at: 2026-01-10, reason: Staff are more now}]", ()),
        # Who was excluded at the close stays so.
        ("2026-02-10", "", ()),
    ],
)
def test_an_open_draw_that_excludes_segments_keeps_their_conditions_or_gives_a_reason(
    at: str, changes: str, broken: tuple[tuple[str, str], ...]
) -> None:
    old = sound(HEAD + LOYAL + DRAW + "'\"staff\" in member.segments'}}")
    new = sound(HEAD + LOYAL.replace("9", "10") + DRAW + f"'\"staff\" in member.segments'{changes}}}}}")
    assert broken_promises(old, new, parse_instant(f"{at}T00:00:00Z")) == broken


def test_a_draw_that_excludes_no_segments_does_not_mind_them() -> None:
    old = sound(HEAD + LOYAL + DRAW + "member.counters.purchases > 5}}")
    new = sound(HEAD + LOYAL.replace("9", "10") + DRAW + "member.counters.purchases > 5}}")
    assert broken_promises(old, new, parse_instant("2026-01-10T00:00:00Z")) == ()
