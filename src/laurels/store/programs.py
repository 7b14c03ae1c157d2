"""Programs and their versions: made, published, read. A version is never changed and never taken back.

A live program's new version takes effect at least ten seconds after the commit that publishes it. Every batch reads
the newest number inside its transaction, so by then no process decides without it.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Final, Literal

import asyncpg
import msgspec

from laurels.clock import Clock
from laurels.core.calendar import MICROSECONDS_PER_SECOND, Instant, format_instant
from laurels.core.refusal import Refusal
from laurels.store.database import Connection, Database
from laurels.store.digest import version_digest

Mode = Literal["setup", "sandbox", "live"]

NOTICE: Final = 10 * MICROSECONDS_PER_SECOND
"""How long before it takes effect a live program's version is published at the latest."""

_FROM_THE_BEGINNING: Final = 0


class ProgramRow(msgspec.Struct, frozen=True):
    """A program as stored; `clock` is the time in it where it has a clock of its own and something happened."""

    id: str
    mode: Mode
    clock: Instant | None
    created_at: Instant


class StoredVersion(msgspec.Struct, frozen=True):
    """A published version."""

    number: int
    effective_at: Instant
    published_at: Instant
    document: str


class ProgramExists(Exception):  # noqa: N818 - reads as what it is
    """There is a program with this id already."""


async def create_program(database: Database, clock: Clock, id: str, mode: Mode) -> ProgramRow:
    """A new program without versions; ProgramExists if the id is taken."""
    now = clock.now()
    try:
        await database.pool.execute(
            "insert into program (id, mode, secret, created_at) values ($1, $2, $3, $4)",
            id,
            mode,
            secrets.token_bytes(32),
            now,
        )
    except asyncpg.UniqueViolationError as error:
        raise ProgramExists(id) from error
    return ProgramRow(id, mode, None, now)


async def program_row(database: Database, id: str) -> ProgramRow | None:
    """The program with this id."""
    row = await database.pool.fetchrow("select id, mode, clock, created_at from program where id = $1", id)
    return None if row is None else ProgramRow(**row)


async def programs(database: Database) -> tuple[ProgramRow, ...]:
    """All programs, by id."""
    rows = await database.pool.fetch("select id, mode, clock, created_at from program order by id")
    return tuple(ProgramRow(**row) for row in rows)


async def go_live(database: Database, clock: Clock, id: str) -> ProgramRow | Refusal | None:
    """The program, which from now on follows real time, for good; None if there is none in setup with this id.

    Refused as clock_backwards while its own clock is ahead of real time.
    """
    async with database.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "select id, clock, created_at from program where id = $1 and mode = 'setup' for update", id
        )
        if row is None:
            return None
        now = clock.now()
        if row["clock"] is not None and row["clock"] > now:
            return Refusal("clock_backwards", f"The program is at {format_instant(row['clock'])}.")
        await connection.execute("update program set mode = 'live' where id = $1", id)
        return ProgramRow(id, "live", row["clock"], row["created_at"])


async def stored_versions(connection: Connection | Database, program: str) -> tuple[StoredVersion, ...]:
    """The program's versions, oldest first."""
    source = connection.pool if isinstance(connection, Database) else connection
    rows = await source.fetch(
        "select number, effective_at, published_at, document from program_version where program = $1 order by number",
        program,
    )
    return tuple(StoredVersion(**row) for row in rows)


Alongside = Callable[[Connection, StoredVersion], Awaitable[Refusal | None]]
"""What is judged and written in the transaction that publishes a version; refused, nothing is published."""


async def publish(
    database: Database,
    clock: Clock,
    program: str,
    document: str,
    effective_at: Instant | None = None,
    alongside: Alongside | None = None,
) -> StoredVersion | Refusal | None:
    """The version as published; None if there is no such program. The document has been checked by the caller.

    The first version is in effect from the beginning unless said otherwise. Later ones are in effect from the program's
    present on, which for a live program is a little over ten seconds from now; refused as effective_too_soon if sooner.
    """
    async with database.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            version = await _publish(connection, clock, program, document, effective_at, alongside)
        except BaseException:
            await transaction.rollback()
            raise
        if isinstance(version, StoredVersion):
            await transaction.commit()
        else:
            await transaction.rollback()
        return version


async def _publish(
    connection: Connection,
    clock: Clock,
    program: str,
    document: str,
    effective_at: Instant | None,
    alongside: Alongside | None,
) -> StoredVersion | Refusal | None:
    # Not "for update", against which every batch would wait that refers to the program, and it would wait for them.
    row = await connection.fetchrow("select mode, clock from program where id = $1 for no key update", program)
    if row is None:
        return None
    newest = await connection.fetchval("select max(number) from program_version where program = $1", program)
    now = clock.now()
    is_bound = newest is not None and row["mode"] == "live"
    if effective_at is None:
        if newest is None:
            effective_at = _FROM_THE_BEGINNING
        else:
            effective_at = now + NOTICE + MICROSECONDS_PER_SECOND if is_bound else row["clock"] or 0
    number = (newest or 0) + 1
    await connection.execute(
        "insert into program_version (program, number, effective_at, published_at, document, digest) "
        "values ($1, $2, $3, $4, $5, $6)",
        program,
        number,
        effective_at,
        now,
        document,
        version_digest(program, number, effective_at, now, document),
    )
    version = StoredVersion(number, effective_at, now, document)
    if alongside is not None and (refusal := await alongside(connection, version)) is not None:
        return refusal
    # Looked at last: what counts is the commit, which follows at once.
    if is_bound and effective_at < clock.now() + NOTICE:
        return Refusal("effective_too_soon", f"It is {format_instant(clock.now())}.")
    return version
