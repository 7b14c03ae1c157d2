"""Two requests on two servers, their statements in every order, and what is wrong with what came of it.

Where both want the same member, no statement may fail: whoever comes second waits for a lock and then sees what the
first one left. That the unique indexes would have stopped them is a second line, which no race needs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from laurels.clock import RealClock, SetClock
from laurels.intake.submission import Unavailable
from laurels.proof.verifying import verify
from laurels.store.database import Database
from laurels.store.programs import create_program
from tests.attack.depth import seed_of
from tests.attack.interleaving import Explored, Session, Side, Turns, explore
from tests.attack.pairs import NOW, Audit, Pair, Server
from tests.attack.servers import publish_announced

FAILED = "a statement failed"
WRONG = "the answers are wrong"
CORRUPT = "verify finds a difference"


class Meeting:
    """A pair on two servers; `bad` says by kind in which orders something was wrong."""

    def __init__(self, pair: Pair, servers: list[Server], monitor: asyncpg.Connection) -> None:
        self.pair = pair
        self.servers = dict(zip("ab", servers, strict=True))
        self.monitor = monitor
        self.runs = 0
        self.bad: dict[str, list[str]] = {}

    async def run(self, turns: Turns) -> None:
        """Plays the pair once, with members of their own, and judges what came of it."""
        self.runs += 1
        turns.free = self.pair.free
        n, pair, first = self.runs, self.pair, self.servers["a"]
        if pair.fresh_program or n == 1:
            await self._found(f"pairs{n}" if pair.fresh_program else "pairs")
        if pair.arrange is not None:
            await pair.arrange(first, n)
        prepared = pair.prepare(n)
        for server in self.servers.values():
            server.clock.at = NOW
            await server.send()
        for outcome in await first.send(*prepared):
            assert outcome.status == "accepted", outcome
        for server, now in zip(self.servers.values(), pair.clocks, strict=True):
            server.clock.at = now

        def works(side: str) -> Any:
            async def work(session: Session) -> Any:
                server = self.servers[side]
                server.side.session = session
                try:
                    return await pair.works[side](server, n)
                except Unavailable as error:
                    return error
                finally:
                    server.side.session = None

            return work

        answers = await turns.play({side: works(side) for side in "ab"})
        audit = await self._audit(n, turns.said)
        order = "".join(turns.made)
        failures = [answer for answer in answers.values() if isinstance(answer, Unavailable)]
        if failures or not pair.right(answers, audit):
            self.note(WRONG, f"{order}: {answers} {audit}")
        errors = [error for session in turns.sessions for error in session.errors]
        if errors and not pair.errors_expected:
            self.note(FAILED, f"{order}: {errors}")

    def note(self, what: str, where: str) -> None:
        self.bad.setdefault(what, []).append(where)

    async def _found(self, program: str) -> None:
        server = self.servers["a"]
        document = self.pair.document.replace("program: pairs", f"program: {program}")
        await create_program(server.side, server.clock, program, self.pair.mode)
        await publish_announced(server.side, SetClock(NOW), program, document)
        for each in self.servers.values():
            each.program = program

    async def _audit(self, n: int, said: list[str]) -> Audit:
        program = self.servers["a"].program
        mine = "program = $1 and member ~ $2"
        members = f"^m{n}[ab]?$"
        sums = await self.monitor.fetch(
            f"select member, account, points from member_account where {mine} order by 1, 2", program, members
        )
        rows = await self.monitor.fetch(
            f"select member, type, id, known from activity where {mine} order by member, seq", program, members
        )
        rows_of_pools = await self.monitor.fetch("select id, used from pool where program = $1 and used <> 0", program)
        pools: dict[str, int] = {row["id"]: row["used"] for row in rows_of_pools}
        activities: dict[str, list[tuple[str, str]]] = {}
        for member, type, id, _known in rows:
            activities.setdefault(member, []).append((type, id))
        balances: dict[str, dict[str, int]] = {member: {} for member in activities}
        for member, account, points in sums:
            if points:
                balances[member][account] = points
        known = max((row[3] for row in rows), default=0)
        found = None if self.pair.look is None else await self.pair.look(self.monitor, program)
        return Audit(balances, activities, sum(pools.values()), pools, known, said, found)


@asynccontextmanager
async def meeting(url: str, pair: Pair, **options: Any) -> AsyncIterator[Meeting]:
    """Two servers for a pair, and somebody who watches them."""
    sides = [await Side.open(url) for _ in "ab"]
    monitor = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    try:
        servers = []
        for side in sides:
            assert isinstance(side, Side)
            servers.append(Server(side, "", **options))
        for server in servers:
            await server.intake.start()
        try:
            yield Meeting(pair, servers, monitor)
        finally:
            for server in servers:
                await server.intake.stop()
    finally:
        await monitor.close()
        for side in sides:
            await side.close()


async def attack(
    url: str, pair: Pair, most: int, *, until: str | None = None, **options: Any
) -> tuple[dict[str, list[str]], Explored]:
    """What was wrong in which orders, and how many there were; it ends once anything is wrong as `until` says."""
    async with meeting(url, pair, **options) as here:
        explored = await explore(here.monitor, here.run, most, seed_of(1), lambda: until in here.bad)
        bad = here.bad
    database = await Database.open(url)
    try:
        for difference in (await verify(url, database, RealClock())).differences:
            bad.setdefault(CORRUPT, []).append(str(difference))
    finally:
        await database.close()
    return bad, explored
