"""Random lives of some hundred members on two servers at once, held against a ledger that shares nothing with them.

Servers have clocks that differ by a minute, are stopped and started, and are lost in the middle of their work; requests
come at the same time, and twice, and altered. After every round all that was answered and all that is stored must be
what the ledger says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import asyncpg

from laurels.clock import RealClock, SetClock
from laurels.core.refusal import Refusal
from laurels.intake.submission import Unavailable
from laurels.proof.verifying import verify
from laurels.store.database import Database
from laurels.store.programs import Mode
from tests.attack.crowd import MINUTE, Crowd, Sent
from tests.attack.ledger import DAY, HOUR, PROGRAM
from tests.attack.reconciling import Books, Call, Found, balances, shown_balances
from tests.attack.servers import Server, found

START = 20_454 * DAY
ROUND = 1000


class Life:
    """A run: rounds of calls until so many activities were sent."""

    def __init__(self, url: str, mode: Mode, seed: int, members: int, **options: Any) -> None:
        # Used up in the first half of a run; from then on what is returned is fought for.
        budget = 25 * members
        self.url = url
        self.mode: Mode = mode
        self.chance = Random(seed)
        # A clock of the program's own would be moved by what occurs ahead of it.
        self.crowd = Crowd(Random(seed + 1), members, early=mode == "live")
        self.books = Books("crowd", seed, budget)
        self.now = START
        count = 2 if mode == "live" else 1
        self.servers = [Server(url, "crowd", SetClock(START), **options) for _ in range(count)]

    async def lead(self, steps: int, after_round: Callable[[Life], Awaitable[None]] | None = None) -> None:
        """Lives on until so many activities were sent; raises `Found` if anything differs."""
        program = PROGRAM.replace("NAME", "crowd").replace("BUDGET", str(self.books.budget))
        await found(self.url, "crowd", self.mode, program, SetClock(START))
        # Tables without statistics would be read as a whole for every row.
        settings = {"search_path": "laurels", "enable_seqscan": "off", "enable_hashjoin": "off", "jit": "off"}
        connection = await asyncpg.connect(self.url, server_settings=settings)
        for server in self.servers:
            await server.start()
        try:
            await self._round(connection, self.crowd.enrolments(self.now))
            while self.books.steps < steps:
                await self._let_time_pass(connection)
                await self._round(connection, self.crowd.some(self.now, ROUND))
                await self._look()
                if after_round is not None:
                    await after_round(self)
        finally:
            for server in self.servers:
                await server.stop()
            await connection.close()

    async def _let_time_pass(self, connection: asyncpg.Connection) -> None:
        chance = self.chance
        self.now += chance.choice((0, HOUR, 6 * HOUR, DAY, DAY, 3 * DAY, 9 * DAY))
        for server in self.servers:
            # A clock never stands back behind what it showed before, so that rounds have an order.
            server.clock.at = self.now + (chance.choice((0, MINUTE)) if server is not self.servers[0] else 0)
        if self.mode != "live":
            assert not isinstance(await self.servers[0].intake.move_clock("crowd", self.now), Refusal)
        elif chance.random() < 0.5:
            for _turn in range(50):
                if not sum(await asyncio.gather(*[each.intake.sweep("crowd", 200) for each in self.servers])):
                    break
        else:
            return
        await self.books.reconcile(connection, [])
        self.books.nothing_is_due(self.now)

    async def _round(self, connection: asyncpg.Connection, sent: list[Sent]) -> None:
        """Everything is sent in a few calls at once, some of it by two of them; now and then servers go and come."""
        chance = self.chance
        cuts = sorted(chance.sample(range(1, len(sent)), chance.randint(3, 9)))
        parts = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
        parts.append([self.crowd.spelled_otherwise(each) for each in chance.sample(sent, len(sent) // 20)])
        homes = [chance.choice(self.servers) for _ in parts]
        what = chance.random()
        if what < 0.1:
            await self._lose_one(parts, homes)
        elif what < 0.2:
            server = chance.choice(self.servers)
            await server.stop()
            await server.start()
        try:
            outcomes = await asyncio.gather(
                *[home.submit([each.submission() for each in part]) for home, part in zip(homes, parts, strict=True)]
            )
        except Unavailable as error:
            raise Found(f"LAURELS_SEED={self.books.seed} round {self.books.rounds}: {error}") from error
        calls = [Call(home.clock.at, part, answers) for home, part, answers in zip(homes, parts, outcomes, strict=True)]
        await self.books.reconcile(connection, calls)

    async def _lose_one(self, parts: list[list[Sent]], homes: list[Server]) -> None:
        """Sends it all, and loses a server while it works on it; the others answer, and nobody hears them."""
        lost = self.chance.choice(self.servers)
        calls = [
            asyncio.create_task(home.submit([each.submission() for each in part]))
            for home, part in zip(homes, parts, strict=True)
        ]
        await asyncio.sleep(self.chance.random() / 4)
        await lost.lose()
        for call, home in zip(calls, homes, strict=True):
            if home is lost:
                call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await lost.start()

    async def _look(self) -> None:
        """What a member is shown is what the ledger comes to by now."""
        for name in self.chance.sample(self.crowd.names, 5):
            server = self.chance.choice(self.servers)
            seen = await server.intake.look("crowd", name, "")
            must = self.books.members[name].copy()
            must.seq, must.opened = must.seq + 1, 0
            must.advance(max(must.now, server.clock.at))
            if seen is not None and shown_balances(seen.root) != balances(must):
                what = f"{name} is shown {shown_balances(seen.root)}; the ledger has {balances(must)}"
                raise Found(f"LAURELS_SEED={self.books.seed} {what}")


async def differences(url: str) -> list[Any]:
    """What `verify` finds."""
    database = await Database.open(url)
    try:
        return (await verify(url, database, RealClock())).differences
    finally:
        await database.close()
