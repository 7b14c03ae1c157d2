"""The chance of a simulation: a text, its seed, that is told with the figures, so that anybody can have the same again.

A draw's own seed follows from that text and the draw's name. One that was drawn in life keeps the seed that was
revealed then, so that the same entries win the same; a seed that is still secret is never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from laurels.core.calendar import Instant
from laurels.core.draw import day_key, digest_of

SEED: Final = "1"
"""The seed of a simulation for which none is given."""


class Drawn(msgspec.Struct, frozen=True):
    """A draw as it was drawn in life: the seed, what the announcement comes to, when it was due and when drawn."""

    name: str
    seed: bytes
    announcement: bytes
    draws_at: Instant | None
    drawn_at: Instant


class Chance(msgspec.Struct, frozen=True):
    """What the draws of a simulation are drawn by.

    `drawn` are draws by id that keep their chance, and so do recorded turns of a wheel unless it is all drawn `anew`.
    `won` are the member, draw and place of each prize that was won in life, `sealed` says since when members are
    erased.
    """

    seed: str = SEED
    anew: bool = False
    drawn: Mapping[str, Drawn] = {}
    won: frozenset[tuple[str, str, int]] = frozenset()
    sealed: Mapping[str, Instant] = {}

    def seed_of(self, name: str, draw: str) -> bytes:
        """The seed of a draw; `name` is its program's id, a slash, and its own."""
        drawn = self.drawn.get(draw)
        return digest_of("simulated", name.encode(), self.seed.encode()) if drawn is None else drawn.seed

    def key_of(self, name: str, draw: str, day: str) -> str:
        """The key of a day of an instant draw."""
        return day_key(self.seed_of(name, draw), day).hex()


ORDINARY: Final = Chance()
"""The chance of a simulation that knows of no life."""
