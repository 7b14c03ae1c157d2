"""Two sessions whose SQL statements take turns, in every order in which they can.

A gate stands before each statement of a session's connection. When all sessions stand at a gate, are done, or wait for
a lock that another one holds (`pg_blocking_pids` says so), one of those at a gate may go on. Which one is a choice; a
run is a list of choices, and `explore` makes runs until every choice that came up was made either way. `begin` is let
through: under READ COMMITTED it neither sees nor locks anything. So is what a pair calls `free`, statements that come
to the same wherever the other's stand; one that had to wait all the same would end its run as stuck.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from random import Random
from typing import Any

import asyncpg

from laurels.store.database import Database

STUCK_S = 30
GLANCE_S = 0.003


def label(statement: str) -> str:
    """How a statement begins."""
    return " ".join(statement.split())[:40]


class Session:
    """One of those who take turns. `errors` are what the server answered to some of its statements."""

    def __init__(self, name: str, turns: Turns) -> None:
        self.name = name
        self.turns = turns
        self.state = "thinking"
        self.pid = 0
        self.errors: list[asyncpg.PostgresError] = []
        self._label = ""
        self._permit: asyncio.Future[None] | None = None

    async def pass_gate(self, statement: str, pid: int) -> None:
        """Returns when it is this session's turn."""
        self.pid = pid
        self._label = label(statement)
        self._permit = asyncio.get_running_loop().create_future()
        self.become("ready")
        await self._permit

    def permit(self) -> None:
        assert self._permit is not None
        self.turns.said.append(f"{self.name} {self._label}")
        self.state = "running"
        self._permit.set_result(None)

    def become(self, state: str) -> None:
        self.state = state
        self.turns.stirred.set()


class Turns:
    """One run: sessions, and the choices made so far. `choices` decide first, then chance, or else the first one."""

    def __init__(self, monitor: asyncpg.Connection, choices: Iterable[str], chance: Random | None = None) -> None:
        self.free: frozenset[str] = frozenset()
        self.stirred = asyncio.Event()
        self.sessions: list[Session] = []
        self.made: list[str] = []
        self.options: list[list[str]] = []
        self.said: list[str] = []
        self.waited = 0
        self._monitor = monitor
        self._choices = list(choices)
        self._chance = chance

    def lets_pass(self, statement: str) -> bool:
        """Whether a statement, or how it begins, is among those that are free."""
        return statement in self.free or label(statement) in self.free

    async def play(self, works: dict[str, Callable[[Session], Awaitable[Any]]]) -> dict[str, Any]:
        """What came of each session's work."""
        self.sessions = [Session(name, self) for name in works]
        tasks = {each.name: asyncio.create_task(self._work(each, works[each.name])) for each in self.sessions}
        try:
            async with asyncio.timeout(STUCK_S):
                while await self._settled():
                    ready = {each.name: each for each in self.sessions if each.state == "ready"}
                    if ready:
                        self._choose(ready).permit()
                    elif all(each.state == "done" for each in self.sessions):
                        break
                    else:
                        # They wait for each other: the server will end it.
                        await asyncio.sleep(0.05)
        finally:
            for task in tasks.values():
                if not task.done():
                    task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        return {name: task.result() for name, task in tasks.items()}

    def _choose(self, ready: dict[str, Session]) -> Session:
        names = sorted(ready)
        place = len(self.made)
        if place < len(self._choices):
            name = self._choices[place]
        else:
            name = self._chance.choice(names) if self._chance else names[0]
        self.options.append(names)
        self.made.append(name)
        return ready[name]

    async def _work(self, session: Session, work: Callable[[Session], Awaitable[Any]]) -> Any:
        try:
            return await work(session)
        finally:
            session.become("done")

    async def _settled(self) -> bool:
        """Waits until nobody is on the way: all are at a gate, done, or wait for a lock."""
        while True:
            running = [each for each in self.sessions if each.state == "running"]
            if not running and all(each.state != "thinking" for each in self.sessions):
                return True
            self.stirred.clear()
            try:
                await asyncio.wait_for(self.stirred.wait(), GLANCE_S if running else STUCK_S)
            except TimeoutError:
                if all(each.state != "thinking" for each in self.sessions) and await self._all_wait(running):
                    self.waited += 1
                    return True

    async def _all_wait(self, running: list[Session]) -> bool:
        pids = [each.pid for each in self.sessions]
        for each in running:
            blocking = await self._monitor.fetchval("select pg_blocking_pids($1)", each.pid)
            if each.state == "running" and not set(blocking) & set(pids):
                return False
        return all(each.state == "running" for each in running)


class Gated:
    """A connection with a gate before each statement, as far as the write path uses one."""

    def __init__(self, connection: Any, side: Side) -> None:
        self._connection = connection
        self._side = side

    async def _say(self, statement: str, said: Callable[[], Awaitable[Any]]) -> Any:
        session = self._side.session
        if session is None or statement in ("begin", "rollback") or session.turns.lets_pass(statement):
            return await said()
        await session.pass_gate(statement, self._connection.get_server_pid())
        try:
            return await said()
        except asyncpg.PostgresError as error:
            session.errors.append(error)
            raise
        finally:
            session.become("thinking")

    async def execute(self, statement: str, *arguments: Any) -> Any:
        return await self._say(statement, lambda: self._connection.execute(statement, *arguments))

    async def fetch(self, statement: str, *arguments: Any) -> Any:
        return await self._say(statement, lambda: self._connection.fetch(statement, *arguments))

    async def fetchrow(self, statement: str, *arguments: Any) -> Any:
        return await self._say(statement, lambda: self._connection.fetchrow(statement, *arguments))

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        return await self._say(statement, lambda: self._connection.fetchval(statement, *arguments))

    async def executemany(self, statement: str, arguments: Any) -> Any:
        return await self._say(statement, lambda: self._connection.executemany(statement, arguments))

    async def copy_records_to_table(self, table: str, **options: Any) -> Any:
        return await self._say(f"copy {table}", lambda: self._connection.copy_records_to_table(table, **options))

    def transaction(self) -> Transaction:
        return Transaction(self)

    def is_closed(self) -> bool:
        return bool(self._connection.is_closed())

    def terminate(self) -> None:
        self._connection.terminate()

    async def close(self) -> None:
        await self._connection.close()


class Transaction:
    """A transaction whose statements pass the gate, too."""

    def __init__(self, connection: Gated) -> None:
        self._connection = connection

    async def start(self) -> None:
        await self._connection.execute("begin")

    async def commit(self) -> None:
        await self._connection.execute("commit")

    async def rollback(self) -> None:
        await self._connection.execute("rollback")

    async def __aenter__(self) -> None:
        await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await (self.commit() if kind is None else self.rollback())


class Side(Database):
    """A database as one of two servers has it: the connections of its lanes are gated while it has a session."""

    session: Session | None = None

    async def connect_hot(self) -> Any:
        return Gated(await super().connect_hot(), self)

    @contextmanager
    def gated(self) -> Iterator[None]:
        """What is said through the pool passes the gate, too: publishing, corrections and draws take one of it."""
        pool: Any = self.pool
        gated: Any = Pool(pool, self)
        self.pool = gated
        try:
            yield
        finally:
            self.pool = pool


class Pool:
    """The pool of a database whose connections are gated."""

    def __init__(self, pool: Any, side: Side) -> None:
        self._pool = pool
        self._side = side

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Gated]:
        async with self._pool.acquire() as connection:
            yield Gated(connection, self._side)

    async def fetch(self, statement: str, *arguments: Any) -> Any:
        async with self.acquire() as connection:
            return await connection.fetch(statement, *arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> Any:
        async with self.acquire() as connection:
            return await connection.fetchrow(statement, *arguments)


class Explored:
    """What an exploration came to: how many runs, and whether every choice was made either way."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.runs = 0
        self.waited = 0
        self.longest = 0
        self.is_complete = True

    def count(self, turns: Turns) -> None:
        self.runs += 1
        self.waited += turns.waited > 0
        self.longest = max(self.longest, len(turns.made))


Run = Callable[[Turns], Awaitable[None]]


async def explore(
    monitor: asyncpg.Connection, run: Run, most: int, seed: int, is_enough: Callable[[], bool] = lambda: False
) -> Explored:
    """Makes `run` play every order there is; if those are more than `most`, every second one of `most` by chance."""
    explored = Explored(seed)
    chance = Random(seed)
    open_: list[list[str]] = [[]]
    while open_ and explored.runs < most and not is_enough():
        # The first half goes through them in order, the rest of a large tree is sampled.
        if explored.runs < most // 2 or len(open_) < 8:
            prefix, by_chance = open_.pop(), None
        else:
            prefix, by_chance = open_.pop(chance.randrange(len(open_))), chance
        turns = Turns(monitor, prefix, by_chance)
        await run(turns)
        explored.count(turns)
        for place in range(len(prefix), len(turns.made)):
            others = [name for name in turns.options[place] if name != turns.made[place]]
            open_ += [[*turns.made[:place], other] for other in others]
    explored.is_complete = not open_
    return explored
