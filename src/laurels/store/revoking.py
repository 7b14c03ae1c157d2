"""Batches of codes that are revoked: whatever of them nobody has used by then can never be used.

A revocation is one row: a correction by one of the pool `revoked/<batch>`, with who did it, when and why, which
`verify` proves like any correction. Whoever decides about codes shares an advisory lock with others who do, from before
they read whether a batch is revoked until they commit; whoever revokes has it alone, and takes the time under it. So
nothing that read a batch as good is recorded after its revocation.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from laurels.clock import Clock
from laurels.core.calendar import Instant
from laurels.store.database import Connection, Database
from laurels.store.stock import correct_within

POOL = "revoked/"
"""What the pools of revoked batches begin with."""

_ONCE = "revoked"

_SHARE = (
    "select pg_advisory_xact_lock_shared(hashtext($1), b.batch) "
    "from (select distinct batch from code where program = $1 and code = any($2::text[]) order by batch) b"
)


class Revocation(msgspec.Struct, frozen=True):
    """Who revoked a batch, when, and why."""

    revoked_at: Instant
    source: str
    reason: str


async def hold_back_revocation(connection: Connection, program: str, codes: Collection[str]) -> None:
    """Nobody revokes the batches of these codes until the transaction ends; it waits for those who do."""
    await connection.execute(_SHARE, program, sorted(codes))


async def revoke(
    database: Database, clock: Clock, program: str, number: int, reason: str, source: str
) -> Revocation:  # fmt: skip
    """The revocation of a batch, by its number: the first one, however often it is asked for."""
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(hashtext($1), $2)", program, number)
        row = await connection.fetchrow("select mode, clock from program where id = $1", program)
        now = clock.now() if row is None or row["mode"] == "live" else row["clock"] or 0
        await correct_within(connection, program, f"{POOL}{number}", _ONCE, 1, reason, source, now)
    found = await revocation(database, program, number)
    assert found is not None
    return found


async def revocation(database: Database, program: str, number: int) -> Revocation | None:
    """The revocation of a batch, if it is revoked."""
    row = await database.pool.fetchrow(
        "select corrected_at, source, reason from pool_correction where program = $1 and pool = $2 and number = 1",
        program,
        f"{POOL}{number}",
    )
    return None if row is None else Revocation(row["corrected_at"], row["source"], row["reason"])
