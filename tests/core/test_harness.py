"""The harness notices what it is there to notice: each law that it asserts is broken once on purpose."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from laurels.core import decide as deciding
from laurels.core.facts import CounterMoved, LineShare, Moved, Part, decode_facts, encode_facts
from laurels.core.member import Lot, Member, Redemption, Root
from tests.core import harness
from tests.core.harness import World, check_entry, check_member, shop

ENTRY = Moved("points", "adjustment", 5, "adjustment", "available", 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"points": 0},
        {"points": -5},
        {"into": "pocket"},
        {"out_of": "available"},
        {"parts": (Part("1.0", 4, 0, None),)},
        {"lines": (LineShare("1", 4),)},
        {"lines": (LineShare("1", 5), LineShare("2", 0))},
    ],
    ids=str,
)
def test_an_entry_that_does_not_balance_is_noticed(changes: dict[str, Any]) -> None:
    check_entry(ENTRY)
    with pytest.raises(AssertionError):
        check_entry(msgspec.structs.replace(ENTRY, **changes))


def member() -> Member:
    w = World(shop())
    w.enrol()
    w.adjust(10, expires="2026-06-01")
    w.adjust(20, expires="2026-09-01")
    w.hold("r", 5)
    return w.members["m"].all()


def lots(of: Member) -> tuple[Lot, ...]:
    page = of.documents["lots/points/0"]
    assert isinstance(page, tuple)
    return page


def test_a_state_that_does_not_add_up_is_noticed() -> None:
    check_member(member())
    for account in ("available", "pending", "held", "debt"):
        broken = member()
        setattr(broken.root.wallets["points"], account, -1)
        with pytest.raises(AssertionError):
            check_member(broken)
    for page in (lots(member())[::-1], lots(member())[:1], lots(member()) * 2):
        broken = member()
        broken.documents["lots/points/0"] = page
        with pytest.raises(AssertionError):
            check_member(broken)
    broken = member()
    broken.documents["lots/points/7"] = lots(broken)
    with pytest.raises(AssertionError):
        check_member(broken)
    broken = member()
    held = broken.documents["redemption/r"]
    assert isinstance(held, Redemption)
    broken.documents["redemption/r"] = msgspec.structs.replace(held, status="captured")
    with pytest.raises(AssertionError):
        check_member(broken)


def test_facts_that_lead_elsewhere_are_noticed() -> None:
    w = World(shop())
    w.enrol()
    w.buy("o", "10.00")
    w.replay()
    stored = w.members["m"]
    facts = decode_facts(stored.recorded[1].facts)
    (counted,) = [fact for fact in facts if isinstance(fact, CounterMoved)]
    stored.recorded[1] = msgspec.structs.replace(stored.recorded[1], facts=encode_facts((*facts, counted)))
    with pytest.raises(AssertionError):
        w.replay()


def test_a_decision_that_changes_its_input_or_keeps_a_fact_to_itself_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def meddling(*given: Any) -> Any:
        outcome = deciding.decide(*given)
        given[1].root.counters["purchases"] = 99
        return outcome

    def silent(*given: Any) -> Any:
        outcome = deciding.decide(*given)
        assert isinstance(outcome, deciding.Decision)
        facts = tuple(fact for fact in outcome.facts if not isinstance(fact, CounterMoved))
        return msgspec.structs.replace(outcome, facts=facts)

    def forgetful(*given: Any) -> Any:
        outcome = deciding.decide(*given)
        assert isinstance(outcome, deciding.Decision)
        root = outcome.member.root
        assert isinstance(root, Root)
        root.due_at = root.now
        return outcome

    for number, wrong in enumerate((meddling, silent, forgetful)):
        w = World(shop())
        w.enrol()
        w.buy("first", "10.00")
        monkeypatch.setattr(harness, "decide", wrong)
        with pytest.raises(AssertionError):
            w.buy(f"o{number}", "10.00")
        monkeypatch.undo()
