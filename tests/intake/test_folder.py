"""A folder gives decisions what they need and no more, so that an activity costs what it touches."""

from typing import Any

import pytest

from laurels.core import decide as core
from laurels.core.activity import Activity, parse
from laurels.core.decide import Circumstances, Decision
from laurels.core.member import Document, Member
from laurels.core.version import Version, Versions
from laurels.intake import folder as module
from laurels.intake.folder import Folder
from tests.stage import PROGRAM, instant, read_program, submission

VERSIONS = Versions((Version(1, 0, read_program(PROGRAM)),))
ORDERS = 300


def activity(type: str, data: dict[str, Any], at: str) -> Activity:
    sent = submission(type, "ann", data, at=at)
    declared = VERSIONS.declared
    assert declared is not None
    found = parse(
        source=sent.source,
        id=sent.id,
        type=sent.type,
        member=sent.member,
        occurred_at=sent.occurred_at,
        data=bytes(sent.data),
        declared=declared,
    )
    assert isinstance(found, Activity), found
    return found


def nothing(_seq: int) -> Document | None:
    return None


def life(folder: Folder) -> None:
    """So many orders, one an hour."""
    joining = activity("enrol", {}, "2026-01-01")
    decided = folder.decide(VERSIONS, joining, Circumstances(joining.occurred_at), nothing)
    assert isinstance(decided, Decision)
    folder.file(decided)
    for n in range(ORDERS):
        data = {"order": f"o-{n}", "lines": [{"line": "1", "amount": "1.00"}]}
        buying = activity("purchase", data, f"2026-01-{n // 24 + 2:02} {n % 24:02}:00")
        decided = folder.decide(VERSIONS, buying, Circumstances(buying.occurred_at), nothing)
        assert isinstance(decided, Decision), decided
        folder.file(decided)


def test_what_an_activity_is_shown_does_not_grow_with_the_members_history(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[int] = []

    def decide(versions: Versions, member: Member, activity: Activity, circumstances: Circumstances) -> Any:
        shown.append(len(member.documents))
        return core.decide(versions, member, activity, circumstances)

    monkeypatch.setattr(module, "decide", decide)
    folder = Folder("ann")
    life(folder)
    assert max(shown) <= 4
    # There is a history: the positive control.
    assert len(folder.member.documents) > ORDERS
    assert folder.root.wallets["points"].available == ORDERS


def test_folding_the_facts_comes_to_what_deciding_came_to() -> None:
    decided, folded = Folder("ann"), Folder("ann")
    file = decided.file

    def both(decision: Decision) -> None:
        file(decision)
        folded.fold(decision.facts, decision.member.root.seq, decision.member.root.now)

    class Both(Folder):
        def decide(self, *given: Any) -> Any:
            return decided.decide(*given)

        def file(self, decision: Decision) -> None:
            both(decision)

    life(Both("ann"))
    assert folded.member.documents == decided.member.documents


def test_what_is_decided_is_not_filed_until_it_is_said() -> None:
    folder = Folder("ann")
    joining = activity("enrol", {}, "2026-01-01")
    decided = folder.decide(VERSIONS, joining, Circumstances(instant("2026-01-01")), nothing)
    assert isinstance(decided, Decision)
    assert folder.root.seq == 0
    folder.file(decided)
    assert folder.root.seq == 1
