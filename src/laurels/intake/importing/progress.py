"""How far an import has come, kept in the database beside what it brought about.

The position moves only over rows whose answers are durable. After an interruption the rows behind it come again and
are recognised by their ids, so it may lag and never run ahead.
"""

from __future__ import annotations

from typing import Final

import msgspec

from laurels.clock import Clock
from laurels.core.calendar import Instant
from laurels.store import imports
from laurels.store.database import Database


class Tally(msgspec.Struct):
    """What an import has counted. `replayed` were in already; `refused` and `invalid` are counted by code.

    `faulty` are activities that could not be made of their rows; `rows` are all rows up to the position.
    """

    rows: int = 0
    left_out: int = 0
    accepted: int = 0
    replayed: int = 0
    faulty: int = 0
    refused: dict[str, int] = {}
    invalid: dict[str, int] = {}

    @property
    def answered(self) -> int:
        """How many activities were submitted and answered."""
        return self.accepted + self.replayed + sum(self.refused.values()) + sum(self.invalid.values())

    @property
    def bad(self) -> int:
        """How many activities, or would-be activities, did not go in."""
        return self.faulty + sum(self.refused.values()) + sum(self.invalid.values())


class Progress(msgspec.Struct):
    """The position of an import with what it has counted, and how long its report was then.

    `finished_at` is when it came to its end, by real time.
    """

    tally: Tally = msgspec.field(default_factory=Tally)
    report_bytes: int = 0
    finished: bool = False
    finished_at: Instant | None = None


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Progress).decode


async def load_progress(database: Database, program: str, id: str) -> Progress:
    """How far the import with this id has come; nowhere if it is new."""
    found = await imports.progress_of(database, program, id)
    return Progress() if found is None else _decode(found.detail)


async def save_progress(database: Database, clock: Clock, program: str, id: str, progress: Progress) -> None:
    """Remembers it; durable when this returns."""
    kept = imports.Progress(progress.tally.rows, _encode(progress).decode())
    await imports.keep_progress(database, clock, program, id, kept)
