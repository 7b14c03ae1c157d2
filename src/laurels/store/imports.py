"""How far imports have come, so that one that was interrupted goes on where it stopped.

Ids make it safe to go over rows again, so a position that lags behind costs time and nothing else.
"""

from __future__ import annotations

import msgspec

from laurels.clock import Clock
from laurels.store.database import Database


class Progress(msgspec.Struct, frozen=True):
    """Rows before `position` are answered; `detail` is JSON of the importer's."""

    position: int
    detail: str


async def progress_of(database: Database, program: str, id: str) -> Progress | None:
    """How far the import with this id has come; None if it was never begun."""
    row = await database.pool.fetchrow(
        "select position, detail from import_progress where program = $1 and id = $2", program, id
    )
    return None if row is None else Progress(**row)


async def keep_progress(database: Database, clock: Clock, program: str, id: str, progress: Progress) -> None:
    """The import has come this far."""
    await database.pool.execute(
        "insert into import_progress (program, id, position, detail, updated_at) values ($1, $2, $3, $4, $5) "
        "on conflict (program, id) do update set position = excluded.position, detail = excluded.detail, "
        "updated_at = excluded.updated_at",
        program,
        id,
        progress.position,
        progress.detail,
        clock.now(),
    )


async def forget_progress(database: Database, program: str, id: str) -> None:
    """The import begins anew next time."""
    await database.pool.execute("delete from import_progress where program = $1 and id = $2", program, id)
