"""Looking: a member as of now, for reading. What is due is carried out on a copy, and nothing is recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from laurels.clock import Clock
from laurels.core.calendar import Instant
from laurels.core.decide import bring_up
from laurels.core.member import Member, Missing
from laurels.intake.head import Heads
from laurels.intake.submission import UnknownProgram
from laurels.store.database import Connection, Database
from laurels.store.people import known_by
from laurels.store.programs import program_row
from laurels.store.reading import MemberRow, documents, documents_of, member_row, members


async def now(database: Database, heads: Heads, clock: Clock, program: str) -> Instant | None:
    """What time it is in the program; None where its own clock was never set."""
    if heads.is_live(program):
        return clock.now()
    row = await program_row(database, program)
    if row is None:
        raise UnknownProgram(program)
    return clock.now() if row.mode == "live" else row.clock


async def look(
    database: Database, heads: Heads, clock: Clock, program: str, id: str, prefixes: Sequence[str]
) -> Member | None:
    """The member brought up to now with the documents under the prefixes, from one snapshot."""
    async with _snapshot(database) as connection:
        row = await member_row(connection, program, id)
        if row is None:
            return None
        member = Member(id, {**row.documents, **await documents(connection, program, id, prefixes=prefixes)})
        (member,) = await _brought_up(connection, heads, clock, program, [member])
        return member


async def look_at_page(
    database: Database, heads: Heads, clock: Clock, program: str, after: str, limit: int, query: str | None
) -> list[tuple[MemberRow, Member]]:
    """Members by id as `store.reading.members` lists them, each as stored and brought up to now, from one snapshot."""
    known = await known_by(database, program, query) if query else ()
    async with _snapshot(database) as connection:
        rows = await members(connection, program, after=after, limit=limit, query=query, known=known)
        stored = [Member(row.id, row.documents) for row in rows]
        return [*zip(rows, await _brought_up(connection, heads, clock, program, stored), strict=True)]


@asynccontextmanager
async def _snapshot(database: Database) -> AsyncIterator[Connection]:
    async with (
        database.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


async def _brought_up(
    connection: Connection, heads: Heads, clock: Clock, program: str, stored: Sequence[Member]
) -> list[Member]:
    """The members as of now; documents that they turn out to need are read for all of them together."""
    head, own_clock = await heads.fresh(connection, program)
    now = clock.now() if head.is_live else own_clock or 0
    waiting = {member.id: member for member in stored}
    done: dict[str, Member] = {}
    while waiting:
        wanted: list[tuple[str, str]] = []
        for id, member in waiting.items():
            try:
                done[id] = bring_up(head.versions, member, max(now, member.root.now))
            except Missing as lacking:
                wanted += [(id, key) for key in lacking.keys]
        waiting = {id: member for id, member in waiting.items() if id not in done}
        for (id, key), document in (await documents_of(connection, program, wanted)).items():
            more = {**waiting[id].documents, key: document}
            waiting[id] = msgspec.structs.replace(waiting[id], documents=more)
    return [done[member.id] for member in stored]
