"""Contenders side by side: in every round each has its turn, so that whatever the machine is doing meets all of them.

A ratio is taken within a round and the median over the rounds is reported, with the least and the greatest beside it.
The order turns from round to round. A first round, shorter, warms up and is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Literal

import msgspec

Say = Callable[[str], None]
Better = Literal["at least", "at most", ""]


class Options(msgspec.Struct, frozen=True):
    """How long and how often: a turn lasts `seconds`; `rounds` are those of `online`, `fewer_rounds` of the others."""

    quick: bool = False
    rounds: int = 5
    fewer_rounds: int = 3
    seconds: float = 4.0
    members: int = 100_000
    many_members: int = 1_000_000
    memory_minutes: float = 1.5
    verified: int = 100_000


class Turn(msgspec.Struct, frozen=True):
    """What a contender did in one turn: so many activities in so many seconds, by whose processor seconds."""

    count: int
    seconds: float
    cpu: Mapping[str, float] = {}
    wal_bytes: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    by_kind: Mapping[str, tuple[float, float]] = {}

    @property
    def per_second(self) -> float:
        """Activities a second."""
        return self.count / self.seconds


class Contender(msgspec.Struct, frozen=True):
    """What a contender did in all counted rounds; medians."""

    name: str
    what: str
    per_second: float
    low: float
    high: float
    count: int
    cpu_us: dict[str, float]
    p50_ms: float | None
    p99_ms: float | None
    rows_each: dict[str, float] = {}
    wal_bytes_each: int = 0
    by_kind: dict[str, tuple[float, float]] = {}


class Figure(msgspec.Struct, frozen=True):
    """One of the figures that this is about; `low` and `high` are those of the rounds."""

    name: str
    what: str
    value: float
    unit: str
    better: Better = ""
    target: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it is what it should be; None where nothing is asked of it."""
        if self.target is None or not self.better:
            return None
        return self.value >= self.target if self.better == "at least" else self.value <= self.target


class Report(msgspec.Struct):
    """What a group of benchmarks found."""

    figures: list[Figure] = []
    contenders: list[Contender] = []


Play = Callable[[str, float], Turn]
"""A turn: called with a mark of its own and the seconds that it lasts."""


class Contest:
    """Contenders and what they did."""

    def __init__(self, options: Options, say: Say, *, rounds: int | None = None) -> None:
        self._options = options
        self._rounds = rounds or options.fewer_rounds
        self._say = say
        self._plays: dict[str, tuple[str, Play]] = {}
        self.turns: dict[str, list[Turn]] = {}

    def add(self, name: str, what: str, play: Play) -> None:
        """Another contender."""
        self._plays[name] = (what, play)

    def run(self) -> None:
        """All rounds."""
        names = list(self._plays)
        for number in range(-1, self._rounds):
            said = []
            for name in names[number % len(names) :] + names[: number % len(names)] if number > 0 else names:
                seconds = self._options.seconds if number >= 0 else min(2.0, self._options.seconds)
                turn = self._plays[name][1](f"{name}.{number + 1}", seconds)
                if number >= 0:
                    self.turns.setdefault(name, []).append(turn)
                said.append(f"{name} {turn.per_second:,.0f}/s")
            self._say(f"  {'warm-up' if number < 0 else f'round {number + 1}'}: {', '.join(said)}")

    def ratio(
        self, name: str, what: str, of: str, to: str, better: Better, target: float | None, *, note: str = ""
    ) -> Figure:
        """How much faster one contender was than another."""
        pairs = zip(self.turns[of], self.turns[to], strict=True)
        return spread(
            name, what, [one.per_second / other.per_second for one, other in pairs], "x", better, target, note=note
        )

    def contender(self, name: str, rows_each: Mapping[str, float] | None = None) -> Contender:
        """What a contender did."""
        turns = self.turns[name]
        rates = [turn.per_second for turn in turns]
        who = sorted({who for turn in turns for who in turn.cpu})
        kinds = sorted({kind for turn in turns for kind in turn.by_kind})
        return Contender(
            name,
            self._plays[name][0],
            round(median(rates), 1),
            round(min(rates), 1),
            round(max(rates), 1),
            sum(turn.count for turn in turns),
            {each: round(median([turn.cpu.get(each, 0.0) / turn.count * 1e6 for turn in turns]), 1) for each in who},
            _median([turn.p50_ms for turn in turns]),
            _median([turn.p99_ms for turn in turns]),
            dict(rows_each or {}),
            round(median([turn.wal_bytes / turn.count for turn in turns])),
            {
                kind: (
                    round(median([turn.by_kind[kind][0] for turn in turns if kind in turn.by_kind]), 2),
                    round(median([turn.by_kind[kind][1] for turn in turns if kind in turn.by_kind]), 2),
                )
                for kind in kinds
            },
        )


def spread(
    name: str,
    what: str,
    values: Sequence[float],
    unit: str,
    better: Better = "",
    target: float | None = None,
    *,
    note: str = "",
) -> Figure:
    """The median of several values as a figure."""
    return Figure(
        name,
        what,
        round(median(values), 3),
        unit,
        better,
        target,
        round(min(values), 3),
        round(max(values), 3),
        note,
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 2) if known else None
