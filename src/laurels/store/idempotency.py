"""Idempotency-Key: a mutation other than an activity answers the same when it comes again.

The first request takes the key, and finishes it with its answer; until then others with the key are told to wait. A
request that died keeps its key for a while only. What the request itself changed must be safe to do again after that.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import msgspec

from laurels.clock import Clock
from laurels.core.calendar import MICROSECONDS_PER_MINUTE, Instant
from laurels.core.refusal import Refusal
from laurels.store.database import Database

DEAD_AFTER: Final = MICROSECONDS_PER_MINUTE
"""After so long, a request that has not finished is taken for dead."""


class Answer(msgspec.Struct, frozen=True):
    """What was answered: an HTTP status and a body."""

    status: int
    body: str


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """What makes a request the same as another."""
    return sha256(b"\0".join((method.encode(), path.encode(), body))).digest()


async def begin(database: Database, clock: Clock, program: str, key: str, print: bytes) -> Answer | Refusal | None:
    """None: the key is the caller's, who must `finish` or `abandon` it. Else the first answer, or why there is none.

    Refused as idempotency_conflict for another request under the same key, as still_running while the first one runs.
    """
    now = clock.now()
    taken = await database.pool.fetchval(
        "insert into idempotency as i (program, key, fingerprint, started_at) values ($1, $2, $3, $4) "
        "on conflict (program, key) do update set started_at = excluded.started_at "
        "where i.finished_at is null and i.fingerprint = excluded.fingerprint and i.started_at < $5 returning key",
        program,
        key,
        print,
        now,
        now - DEAD_AFTER,
    )
    if taken is not None:
        return None
    row = await database.pool.fetchrow(
        "select fingerprint, finished_at, status, body from idempotency where program = $1 and key = $2", program, key
    )
    if row is None:
        # Abandoned between the two statements.
        return await begin(database, clock, program, key, print)
    if row["fingerprint"] != print:
        return Refusal("idempotency_conflict")
    return Refusal("still_running") if row["finished_at"] is None else Answer(row["status"], row["body"])


async def finish(database: Database, clock: Clock, program: str, key: str, answer: Answer) -> None:
    """From now on the key answers this."""
    await database.pool.execute(
        "update idempotency set finished_at = $3, status = $4, body = $5 where program = $1 and key = $2",
        program,
        key,
        clock.now(),
        answer.status,
        answer.body,
    )


async def abandon(database: Database, program: str, key: str) -> None:
    """The key is free again: the request failed and changed nothing."""
    await database.pool.execute(
        "delete from idempotency where program = $1 and key = $2 and finished_at is null", program, key
    )


async def forget(database: Database, before: Instant) -> int:
    """How many answers from before an instant were thrown away."""
    rows = await database.pool.fetch("delete from idempotency where started_at < $1 returning key", before)
    return len(rows)
