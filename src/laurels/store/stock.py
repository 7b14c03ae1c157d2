"""Corrections of stock: pieces that a count found to be more, or fewer. Recorded, never changed, proven by `verify`.

What is used of a pool is the sum of what activities claimed and what was corrected. A correction may leave less than is
held: then nothing more is given, and what is held stays held.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from laurels.core.calendar import Instant
from laurels.core.refusal import Refusal
from laurels.store.database import Connection, Database
from laurels.store.digest import correction_digest
from laurels.store.sql import named


class Correction(msgspec.Struct, frozen=True):
    """A correction of a pool; `used` is what is used of it since."""

    pool: str
    number: int
    by: int
    used: int


async def used_of(database: Database, program: str, pools: Sequence[str]) -> dict[str, int]:
    """What was used of these pools; those of which nothing ever was are left out."""
    rows = await database.pool.fetch(named("read_pools"), program, pools) if pools else ()
    return {row["id"]: row["used"] for row in rows}


async def correct(
    database: Database, program: str, pool: str, id: str, by: int, reason: str, source: str, now: Instant
) -> Correction | Refusal:
    """So much more is used of a pool (negative: less), whatever is left of it; once for every id.

    Refused as idempotency_conflict for another correction under an id that the pool has, however long ago.
    """
    async with database.pool.acquire() as connection, connection.transaction():
        return await correct_within(connection, program, pool, id, by, reason, source, now)


async def correct_within(
    connection: Connection, program: str, pool: str, id: str, by: int, reason: str, source: str, now: Instant
) -> Correction | Refusal:
    """The same as a part of a transaction."""
    await connection.execute(named("create_pools"), program, [pool])
    (row,) = await connection.fetch(named("lock_pools"), program, [pool])
    # Whoever corrects the pool holds it, so that the next number is nobody else's.
    known = await connection.fetch(
        "select number, id, by, reason, source from pool_correction where program = $1 and pool = $2", program, pool
    )
    for number, before, *corrected in known:
        if before == id:
            if corrected != [by, reason, source]:
                return Refusal("idempotency_conflict")
            return Correction(pool, number, by, row["used"])
    number = len(known) + 1
    digest = correction_digest(program, pool, number, id, by, reason, source, now)
    await connection.execute(
        "insert into pool_correction (program, pool, number, id, by, reason, source, corrected_at, digest) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        program, pool, number, id, by, reason, source, now, digest,
    )  # fmt: skip
    await connection.execute("update pool set used = used + $3 where program = $1 and id = $2", program, pool, by)
    return Correction(pool, number, by, row["used"] + by)


class Corrected(msgspec.Struct, frozen=True):
    """A correction as it was recorded: by how much more was used, by whom, when and why."""

    number: int
    by: int
    reason: str
    source: str
    corrected_at: Instant


async def corrections(
    database: Database, program: str, pool: str, before: int | None, limit: int
) -> list[Corrected]:  # fmt: skip
    """The corrections of a pool, the newest first, from before a number on."""
    rows = await database.pool.fetch(
        "select number, by, reason, source, corrected_at from pool_correction "
        "where program = $1 and pool = $2 and number < $3 order by number desc limit $4",
        program,
        pool,
        2**31 - 1 if before is None else before,
        limit,
    )
    return [Corrected(**row) for row in rows]
