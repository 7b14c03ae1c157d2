"""Looking: a member as of now, for reading. What is due is carried out on a copy, and nothing is recorded."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from laurels.clock import Clock
from laurels.core.calendar import Instant
from laurels.core.decide import bring_up
from laurels.core.member import Member, Missing
from laurels.intake.head import Heads
from laurels.intake.submission import UnknownProgram
from laurels.store.database import Database
from laurels.store.programs import program_row
from laurels.store.reading import documents, member_row


async def now(database: Database, clock: Clock, program: str) -> Instant | None:
    """What time it is in the program; None where its own clock was never set."""
    row = await program_row(database, program)
    if row is None:
        raise UnknownProgram(program)
    return clock.now() if row.mode == "live" else row.clock


async def look(
    database: Database, heads: Heads, clock: Clock, program: str, id: str, prefixes: Sequence[str]
) -> Member | None:
    """The member brought up to now with the documents under the prefixes, from one snapshot."""
    async with (
        database.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        row = await member_row(connection, program, id)
        if row is None:
            return None
        head = await heads.fresh(connection, program)
        own_clock = await connection.fetchval("select clock from program where id = $1", program)
        member = Member(id, {**row.documents, **await documents(connection, program, id, prefixes=prefixes)})
        at = max(clock.now() if head.is_live else own_clock or 0, member.root.now)
        while True:
            try:
                return bring_up(head.versions, member, at)
            except Missing as lacking:
                found = await documents(connection, program, id, keys=lacking.keys)
                more = {key: found.get(key) for key in lacking.keys}
                member = msgspec.structs.replace(member, documents={**member.documents, **more})
