"""A stage for stories on a real database: a program, its intake, a clock, and short words for what members do.

Stories are asynchronous; `asynchronous` lets pytest run them. Instants are written as "2026-03-01" or
"2026-03-01 10:00" and mean UTC.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, ParamSpec

import msgspec

from laurels.clock import SetClock
from laurels.core.calendar import Instant, parse_instant
from laurels.core.member import Balance
from laurels.core.program.loading import load
from laurels.core.program.model import Program
from laurels.intake.engine import Intake
from laurels.intake.submission import Outcome, Submission
from laurels.store.database import Database
from laurels.store.embedded import EmbeddedServer
from laurels.store.migrate import migrations
from laurels.store.programs import Mode, StoredVersion, create_program, publish
from tests.postgres import fresh_database

P = ParamSpec("P")

PROGRAM = """
program: cafe
time_zone: UTC
currency: CNY
wallets:
  points: {expires: {after: 12M}}
campaigns:
  base: {on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}
"""


def asynchronous(story: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """The story as a test that pytest can run."""

    @functools.wraps(story)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def tell() -> None:
            await story(*args, **kwargs)

        asyncio.run(tell())

    return run


def laurels_database(server: EmbeddedServer) -> str:
    """The URL of a new database with the schema in it."""
    known = "".join(
        f"insert into laurels.schema_migration (number, name, sha256) "
        f"values ({migration.number}, '{migration.name}', '\\x{migration.sha256.hex()}');\n"
        for migration in migrations()
    )
    return fresh_database(server, "\n".join(migration.sql for migration in migrations()) + known)


def read_program(document: str) -> Program:
    """The program that a document describes, which must be free of errors."""
    program = load(document)
    assert isinstance(program, Program), program
    return program


def instant(text: str) -> Instant:
    """ "2026-03-01" or "2026-03-01 10:00", in UTC."""
    day, _, time = text.partition(" ")
    return parse_instant(f"{day}T{time or '00:00'}:00Z")


def purchase(order: str, amount: str, **more: Any) -> dict[str, Any]:
    """The data of a purchase of one line."""
    return {"order": order, "lines": [{"line": "1", "amount": amount}], **more}


class Stage(msgspec.Struct):
    """A program called `cafe` with its intake running."""

    url: str
    database: Database
    intake: Intake
    clock: SetClock

    async def send(
        self,
        type: str,
        member: str,
        data: dict[str, Any] | bytes | None = None,
        *,
        id: str | None = None,
        at: str = "2026-03-01",
        source: str = "pos",
    ) -> Outcome:
        """What became of one activity; its id says what it is unless given."""
        (outcome,) = await self.send_all([submission(type, member, data, id=id, at=at, source=source)])
        return outcome

    async def send_all(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """What became of several in one request."""
        return await self.intake.submit("cafe", submissions)

    async def enrol(self, *members: str, at: str = "2026-01-01") -> None:
        """These members join."""
        for outcome in await self.send_all([submission("enrol", member, at=at) for member in members]):
            assert outcome.status == "accepted", outcome

    async def give(self, member: str, points: int, *, at: str = "2026-01-02") -> None:
        """Points for a member, out of thin air."""
        data = {"wallet": "points", "points": points, "reason": "to begin with"}
        outcome = await self.send("adjustment", member, data, id=f"give/{member}/{points}", at=at)
        assert outcome.status == "accepted", outcome

    async def balance(self, member: str, wallet: str = "points") -> Balance:
        """What the member has now."""
        looked = await self.intake.look("cafe", member)
        assert looked is not None
        return looked.root.wallets.get(wallet, Balance())

    async def publish(self, document: str, at: Instant | None = None) -> None:
        """A further version."""
        read_program(document)
        assert isinstance(await publish(self.database, self.clock, "cafe", document, at), StoredVersion)

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(await self.database.pool.fetchval(f"select count(*) from {table}"))

    async def rows(self) -> dict[str, int]:
        """How many rows every table has that an activity may write to."""
        tables = ("activity", "entry", "member", "state", "pool", "outbox", "free_text")
        return {table: await self.count(table) for table in tables}


@asynccontextmanager
async def stage(
    url: str, *, mode: Mode = "sandbox", document: str = PROGRAM, now: str = "2026-06-01", **options: Any
) -> AsyncIterator[Stage]:
    """A stage on a database with the schema in it; the program is made where it is not there yet."""
    database = await Database.open(url)
    clock = SetClock(instant(now))
    try:
        if await database.pool.fetchval("select count(*) from program where id = 'cafe'") == 0:
            await create_program(database, clock, "cafe", mode)
            read_program(document)
            assert isinstance(await publish(database, clock, "cafe", document), StoredVersion)
        intake = Intake(database, clock, read_program, **options)
        await intake.start()
        try:
            yield Stage(url, database, intake, clock)
        finally:
            await intake.stop()
    finally:
        await database.close()


def submission(
    type: str,
    member: str,
    data: dict[str, Any] | bytes | None = None,
    *,
    id: str | None = None,
    at: str = "2026-03-01",
    source: str = "pos",
) -> Submission:
    """An activity as a till would send it."""
    body = data if isinstance(data, bytes) else msgspec.json.encode(data or {})
    if id is None:
        order = (data or {}).get("order") if not isinstance(data, bytes) else None
        id = f"{type}/{member}/{order or at}"
    return Submission(source, id, type, member, instant(at), body)
