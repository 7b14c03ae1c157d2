"""Is there an order of these operations, one after the other, that explains every answer? (Wing and Gong, with a memo.)

An operation takes effect at some instant between its call and its answer. The search picks, again and again, an
operation that may come next: one that was called before any other that is left was answered. What it has seen, a set of
operations done and the state they led to, it does not try again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, TypeVar

State = TypeVar("State", bound=Hashable)


class Operation(NamedTuple):
    """What was asked and answered, and when, by a counter that never stands still."""

    called: int
    answered: int
    what: str
    of: Any
    answer: Any


def is_linearizable(
    history: Sequence[Operation], start: State, step: Callable[[State, Operation], State | None]
) -> bool:
    """Whether some order explains the history; `step` is the state after an operation, None if its answer is wrong."""
    history = sorted(history)
    everything = (1 << len(history)) - 1
    seen: set[tuple[int, State]] = set()
    open_ = [(0, start)]
    while open_:
        done, state = open_.pop()
        if done == everything:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        left = [n for n in range(len(history)) if not done >> n & 1]
        first = min(history[n].answered for n in left)
        for n in left:
            if history[n].called < first:
                after = step(state, history[n])
                if after is not None:
                    open_.append((done | 1 << n, after))
    return False


class Points(NamedTuple):
    """A member's points: available ones, open holds, and holds that ended."""

    available: int = 0
    holds: frozenset[tuple[str, int]] = frozenset()
    ended: frozenset[str] = frozenset()

    @property
    def shown(self) -> tuple[int, int]:
        """What is available and what is held."""
        return self.available, sum(points for _id, points in self.holds)


def points_after(state: Points, operation: Operation) -> Points | None:
    """What an operation does to points, if it was answered as it must be: with a code, or
    with the balances it led to where these are part of the answer."""
    what, of, answer = operation.what, operation.of, operation.answer
    after, no = state, ""
    if what == "earn":
        after = state._replace(available=state.available + of)
    elif what == "hold":
        id, points = of
        no = "insufficient_points" if points > state.available else ""
        after = state._replace(available=state.available - points, holds=state.holds | {(id, points)})
    elif what in ("capture", "cancel"):
        held = {hold for hold in state.holds if hold[0] == of}
        no = "" if held else "redemption_not_held" if of in state.ended else "unknown_redemption"
        back = sum(points for _id, points in held) if what == "cancel" else 0
        after = Points(state.available + back, state.holds - held, state.ended | {of})
    if no:
        return state if answer == no else None
    return after if answer in (after.shown, "accepted") else None
