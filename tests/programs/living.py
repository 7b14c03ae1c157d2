"""A member's life under a program of `programs/`, told once and lived twice.

`CoreLife` lives it in the core, where every step is also held to the laws of `tests.core.harness`; `StoryLife` lives it
through the public HTTP interface on PostgreSQL, where it ends with `verify`. Both answer in the same words, so that the
numbers that a test worked out by hand hold for the engine and for what a till is told.

A life has one member, ann. Times are local in the program's zone; `points` are available, pending, held and debt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from tests.core.harness import Answer as CoreAnswer
from tests.core.harness import World
from tests.scenarios.document import order_of
from tests.scenarios.story import Story, Tell

PROGRAMS = Path(__file__).parents[2] / "programs"
WHO = "ann"

Line = str | Mapping[str, Any]
Back = str | tuple[str, str]


class Answer(Protocol):
    """What became of an activity."""

    def granted(self, campaign: str, rule: str | None = None) -> int:
        """Points that a campaign, or a tier's bonus over it, granted."""

    def why(self, campaign: str) -> tuple[str, int, int]:
        """Code, wanted and granted of a campaign."""

    def moved(self, out_of: str, into: str, wallet: str = "points") -> int:
        """Points that moved from one account of the wallet to another."""


class Life(Protocol):
    """What ann does, and what she sees."""

    def enrol(self, at: str, **attributes: Any) -> Answer:
        """She joins."""

    def buy(self, order: str, *lines: Line, at: str, **data: Any) -> Answer:
        """A purchase: a line for each amount, or lines in full."""

    def post(self, type: str, data: Mapping[str, Any] | None = None, *, at: str) -> Answer:
        """Any other activity."""

    def give_back(self, order: str, *lines: Back, at: str) -> Answer:
        """A return of lines, of amounts of lines, or of all that is left."""

    def redeem(self, id: str, points: int, *, wallet: str = "points", hold: bool = False, refused: str = "") -> None:
        """She spends points at once or holds them, at the program's present."""

    def clock(self, at: str) -> None:
        """Time goes by."""

    def points(self, wallet: str = "points") -> tuple[int, int, int, int]:
        """Available, pending, held and debt."""

    def expiring(self, wallet: str = "points") -> list[tuple[int, str | None]]:
        """Points and when they expire, soonest first."""

    def tier(self, track: str = "membership") -> str:
        """Where she stands."""

    def until(self, track: str = "membership") -> str | None:
        """How long her tier holds at least."""

    def benefits(self, track: str = "membership") -> dict[str, str]:
        """What her tier entitles to, in English."""


def text_of(name: str) -> str:
    """A program document of `programs/`."""
    return (PROGRAMS / f"{name}.yaml").read_text(encoding="utf-8")


class CoreLife:
    """The life in the core."""

    def __init__(self, name: str) -> None:
        self.world = World(text_of(name))

    def enrol(self, at: str, **attributes: Any) -> CoreAnswer:
        return self._done(self.world.enrol(WHO, at=at, **({"attributes": attributes} if attributes else {})))

    def buy(self, order: str, *lines: Line, at: str, **data: Any) -> CoreAnswer:
        return self._done(self.world.buy(order, *lines, member=WHO, at=at, **data))

    def post(self, type: str, data: Mapping[str, Any] | None = None, *, at: str) -> CoreAnswer:
        return self._done(self.world.post(WHO, type, data, at=at))

    def give_back(self, order: str, *lines: Back, at: str) -> CoreAnswer:
        return self._done(self.world.give_back(order, *lines, member=WHO, at=at))

    def redeem(self, id: str, points: int, *, wallet: str = "points", hold: bool = False, refused: str = "") -> None:
        answer = self.world.redeem(id, points, member=WHO, hold=hold, wallet=wallet)
        assert answer.code == (refused or "accepted")

    def clock(self, at: str) -> None:
        self._done(self.world.clock(at, WHO))

    def points(self, wallet: str = "points") -> tuple[int, int, int, int]:
        return self.world.points(wallet, WHO)

    def expiring(self, wallet: str = "points") -> list[tuple[int, str | None]]:
        sliding = self.world.text(self.world.balance(wallet, WHO).expires_at)
        sums: Counter[str | None] = Counter()
        for lot in self.world.lots(wallet, WHO):
            if lot.available_at is None:
                sums[self.world.text(lot.expires_at) or sliding] += lot.points
        return sorted(((points, at) for at, points in sums.items()), key=lambda each: each[1] or "9")

    def tier(self, track: str = "membership") -> str:
        return self.world.tier(track, WHO)

    def until(self, track: str = "membership") -> str | None:
        return self.world.until(track, WHO)

    def benefits(self, track: str = "membership") -> dict[str, str]:
        tier = self.world.versions.judging(self.world.now).tiers[track][self.tier(track)]
        return {benefit: texts["en"] for benefit, texts in tier.benefits.items()}

    def end(self) -> None:
        """The state is the fold of all stored facts."""
        self.world.replay(WHO)

    def _done(self, answer: CoreAnswer) -> CoreAnswer:
        assert answer.refusal is None, answer.refusal
        return answer


class StoryLife:
    """The life through the public interface; its fixture proves it in the end."""

    def __init__(self, name: str, tell: Tell) -> None:
        rows = text_of(name).splitlines(keepends=True)
        self.story: Story = tell("".join(row for row in rows if not row.startswith("program:")))

    def enrol(self, at: str, **attributes: Any) -> Answer:
        return self.story.enrol(WHO, at=at, **({"attributes": attributes} if attributes else {}))

    def buy(self, order: str, *lines: Line, at: str, **data: Any) -> Answer:
        return self.story.post(WHO, "purchase", order_of(order, *lines, **data), at=at)

    def post(self, type: str, data: Mapping[str, Any] | None = None, *, at: str) -> Answer:
        return self.story.post(WHO, type, data, at=at)

    def give_back(self, order: str, *lines: Back, at: str) -> Answer:
        return self.story.give_back(WHO, order, *lines, at=at)

    def redeem(self, id: str, points: int, *, wallet: str = "points", hold: bool = False, refused: str = "") -> None:
        self.story.redeem(WHO, id, points, wallet=wallet, hold=hold, refused=refused or None)

    def clock(self, at: str) -> None:
        self.story.clock(at)

    def points(self, wallet: str = "points") -> tuple[int, int, int, int]:
        return self.story.points(WHO, wallet)

    def expiring(self, wallet: str = "points") -> list[tuple[int, str | None]]:
        return self.story.expiring(WHO, wallet)

    def tier(self, track: str = "membership") -> str:
        return self.story.tier(WHO, track)

    def until(self, track: str = "membership") -> str | None:
        return self.story.until(WHO, track)

    def benefits(self, track: str = "membership") -> dict[str, str]:
        return {benefit: texts["en"] for benefit, texts in self.story.standing(WHO, track)["benefits"].items()}
