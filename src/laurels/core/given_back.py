"""What became of points that a redemption gave back, read off an activity's facts: back in their lots, or too late."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from laurels.core.calendar import Instant
from laurels.core.facts import AnyFact, LotOpened, LotsExpired, LotsRestored, Moved


class GivenBack(msgspec.Struct, frozen=True, gc=False):
    """`points` went back: `restored` to their lots, `graced` into new lots for a while, `expired` at once."""

    points: int
    restored: int
    graced: int
    expired: int
    graced_until: Instant | None


def given_back(facts: Iterable[AnyFact], redemption: str) -> GivenBack | None:
    """What an activity gave back of a redemption; None if nothing.

    The facts about lots follow the entry; what repays debt afterwards is another matter.
    """
    points = restored = graced = expired = 0
    until: Instant | None = None
    wallet: str | None = None
    for fact in facts:
        if isinstance(fact, Moved):
            if fact.redemption == redemption and fact.into == "available" and fact.out_of in ("held", "redemption"):
                points, wallet = points + fact.points, fact.wallet
            elif fact.reason != "debt_repaid":
                wallet = None
        elif wallet is None:
            continue
        elif isinstance(fact, LotsRestored):
            restored += sum([part.points for part in fact.parts])
        elif isinstance(fact, LotsExpired) and fact.redemption == redemption:
            expired += sum([part.points for part in fact.parts])
        elif isinstance(fact, LotOpened) and fact.wallet == wallet:
            graced, until = graced + fact.points, fact.expires_at
    return GivenBack(points, restored - expired, graced, expired, until) if points else None
