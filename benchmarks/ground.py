"""The ground that contenders stand on: one PostgreSQL with its ordinary settings, and a database for each, all alike.

A template is filled once: some members live through the program's own write path, the rest are their copies by SQL
under other names. Each contender gets a copy of the template. Everything is kept in var/bench between runs; its name
says what it was made from, so that another program or schema makes another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from benchmarks import workload
from benchmarks.machine import cpu_seconds
from benchmarks.requests import now
from laurels import wiring
from laurels.api.publishing import Published
from laurels.clock import RealClock
from laurels.core.calendar import MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND
from laurels.intake.submission import Submission
from laurels.settings import Settings
from laurels.store import embedded
from laurels.store.database import Database
from laurels.store.embedded import EmbeddedServer
from laurels.store.keys import create_key
from laurels.store.migrate import migrate, migrations
from laurels.store.programs import go_live

ROOT: Final = Path(__file__).resolve().parents[1]
HOME: Final = ROOT / "var" / "bench"
PROGRAM: Final = "workload"
LIVED: Final = 200
"""Members who live; the others are their copies."""

TABLES: Final = ("activity", "entry", "member", "state", "pool", "outbox", "free_text")

_COPIED: Final = """
create temporary table copied as
select 'm' || n as name, 'm' || n % {lived} as lived,
       (((get_byte(digest, 30) << 8) | get_byte(digest, 31)) & 1023)::smallint as bucket
from generate_series({first}, {end} - 1) as n, lateral (select sha256(('m' || n)::bytea) as digest) s
"""

_COPIES: Final = (
    """
    insert into member (program, id, bucket, seq, root, wake_at)
    select program, name, copied.bucket, seq, root, wake_at
    from copied join member on id = lived order by name collate "C"
    """,
    """
    insert into state (program, member, key, bucket, document)
    select program, name, key, copied.bucket, document
    from copied join state on member = lived order by name collate "C", key
    """,
    """
    insert into activity
      (program, member, seq, bucket, source, id, type, occurred_at, recorded_at, engine, version, known, body, facts,
       circumstances, digest)
    select program, name, seq, copied.bucket, source, name || '-' || seq, type, occurred_at, recorded_at, engine,
           version, known, body, facts, circumstances, digest
    from copied join activity on member = lived {only} order by name collate "C", seq
    """,
    """
    insert into entry
      (program, member, seq, n, bucket, wallet, kind, points, out_of, into_account, at, version, campaign, rule,
       order_id, redemption, lot, available_at, expires_at, reason, detail)
    select program, name, seq, n, copied.bucket, wallet, kind, points, out_of, into_account, at, version, campaign,
           rule, order_id, redemption, lot, available_at, expires_at, reason, detail
    from copied join entry on member = lived {unless} order by name collate "C", seq, n
    """,
)


class Copy(msgspec.Struct, frozen=True):
    """A contender's database, with a key to its program."""

    name: str
    url: str
    key: str


class Ground:
    """The PostgreSQL server and its databases."""

    def __init__(self, server: EmbeddedServer, say: Callable[[str], None]) -> None:
        self.server = server
        self._say = say

    def template(self, members: int, *, short: bool = False) -> str:
        """The name of a database with so many members, made now if it is not there.

        With `short` the copied members lack their purchases in the ledger; what they have is the same.
        """
        made_from = "\n".join([workload.DOCUMENT, *(migration.sql for migration in migrations()), _LIFE, *_COPIES])
        stem = f"ground_{'short_' if short else ''}{members}_"
        name = stem + sha256(made_from.encode()).hexdigest()[:10]
        known = self._sql("select datname from pg_database where datname ~ ('^' || :'stem')", stem=stem).split()
        if self._sql("select 1 from pg_database where datname = :'name' and datistemplate", name=name):
            return name
        for former in known:
            self._sql(f"alter database {former} is_template false")
            self._drop(former)
        self._say(f"  filling a database with {members:,} members")
        started = time.monotonic()
        self._sql(f"create database {name} template template0")
        asyncio.run(_fill(self.server.database_url(name), members, short=short))
        self._sql(f"alter database {name} is_template true")
        self._say(f"  filled in {time.monotonic() - started:.0f} s")
        return name

    def itself(self, template: str) -> Copy:
        """The template for a contender that needs no copy: what it writes stays, which in so many rows is little."""
        url = self.server.database_url(template)
        return Copy(template, url, asyncio.run(_key(url)))

    def published(self, copy: Copy, beside: str) -> Copy:
        """The copy with these parts of a document beside its program, in effect."""
        asyncio.run(_publish(copy.url, workload.DOCUMENT + beside))
        return copy

    def empty(self, name: str) -> Copy:
        """A new database, brought up to date and without a program."""
        name = f"bench_{name}"
        self._drop(name)
        self._sql(f"create database {name} template template0")
        url = self.server.database_url(name)
        asyncio.run(migrate(url))
        return Copy(name, url, "")

    def copy(self, name: str, template: str) -> Copy:
        """A database for a contender, as the template is now."""
        name = f"bench_{name}"
        self._drop(name)
        self._sql(f"create database {name} template {template} strategy file_copy")
        # Or the disk is still busy with the copy while the clock runs.
        os.sync()
        url = self.server.database_url(name)
        return Copy(name, url, asyncio.run(_key(url)))

    def drop(self, *copies: Copy) -> None:
        """These are no longer needed."""
        for copy in copies:
            self._drop(copy.name)

    def checkpoint(self) -> None:
        """What is dirty goes to the disk now, so that nobody measures what another one wrote."""
        self._sql("checkpoint")

    def meter(self, server: int | None = None) -> Meter:
        """Begins to count what the database uses, and a server process."""
        return Meter(self, server)

    def rows(self, copy: Copy) -> dict[str, int]:
        """How many rows each table has that a purchase may write to."""
        counts = ", ".join(f"(select count(*) from laurels.{table})" for table in TABLES)
        found = embedded.run_sql(self.server, f"select {counts}", database=copy.name)
        return dict(zip(TABLES, map(int, found.split("|")), strict=True))

    def written(self) -> int:
        """How many bytes of log were ever written ahead."""
        return int(self._sql("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"))

    def _drop(self, name: str) -> None:
        self._sql(f"drop database if exists {name} with (force)")

    def _sql(self, sql: str, **variables: str) -> str:
        return embedded.run_sql(self.server, sql, database="postgres", variables=variables)


class Meter:
    """What is used from its making on: processor seconds by process, and bytes written ahead."""

    def __init__(self, ground: Ground, server: int | None) -> None:
        self._ground = ground
        self._pids = {"postgresql": ground.server.pid} | ({} if server is None else {"server": server})
        self._written = ground.written()
        self._used = {name: cpu_seconds(pid) for name, pid in self._pids.items()}

    def read(self) -> tuple[dict[str, float], int]:
        """Processor seconds and bytes so far."""
        used = {name: cpu_seconds(pid) - self._used[name] for name, pid in self._pids.items()}
        return used, self._ground.written() - self._written


@contextmanager
def ground(say: Callable[[str], None]) -> Iterator[Ground]:
    """The server, running while the block does."""
    HOME.mkdir(parents=True, exist_ok=True)
    with embedded.running(HOME / "postgres") as server:
        yield Ground(server, say)


@contextmanager
def serving(copy: Copy, *, processes: int = 1, **more: str) -> Iterator[Server]:
    """`laurels serve` on a database, as a process."""
    command = [sys.executable, "-m", "laurels", "serve", "--port", "0", "--processes", str(processes), "--json"]
    environment = {"LAURELS_DATABASE_URL": copy.url, "LAURELS_LOG_LEVEL": "warning", **more}
    with started(command, environment) as (process, first_line):
        address = msgspec.json.decode(first_line())["address"]
        host, _, port = address.removeprefix("http://").rpartition(":")
        if processes > 1:
            _settle(process.pid)
        yield Server(process.pid, host, int(port), copy.key)


def _settle(pid: int) -> None:
    """Returns when all processes of a server have started: they say so only together, and are idle afterwards."""
    deadline, quiet, before = time.monotonic() + 60, 0, cpu_seconds(pid)
    time.sleep(2)
    while quiet < 3 and time.monotonic() < deadline:
        time.sleep(0.5)
        used = cpu_seconds(pid)
        quiet = quiet + 1 if used - before < 0.03 else 0
        before = used


class Server(msgspec.Struct, frozen=True):
    """A server process that listens."""

    pid: int
    host: str
    port: int
    key: str


@contextmanager
def started(
    command: list[str], environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], bytes]]]:
    """A process while the block runs, and what reads the JSON object that it says first. Its errors are kept."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "server.log").open("ab") as errors:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT
        )
    assert process.stdout is not None
    output = process.stdout

    def first_object() -> bytes:
        said = b""
        for line in iter(output.readline, b""):
            said += line
            if line.startswith(b"}") or line.rstrip().endswith(b"}"):
                return said
        raise RuntimeError(f"{command[2]} ended with {process.wait()}; see {HOME.relative_to(ROOT)}/server.log")

    try:
        yield process, first_object
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        if process.poll() is None:
            process.kill()
            process.wait()
        output.close()


# --- filling ---

_LIFE: Final = "enrol, two purchases, all activated: 1"


async def _fill(url: str, members: int, *, short: bool) -> None:
    settings = Settings(database_url=url, batch_most=1000)
    await migrate(url)
    async with wiring.application(settings) as running:
        await wiring.publish(running, workload.DOCUMENT, mode="setup")
        at = now()
        await _live(running, "enrol", at - 150 * MICROSECONDS_PER_DAY)
        await _live(running, "purchase", at - 120 * MICROSECONDS_PER_DAY)
        await _live(running, "purchase", at - 90 * MICROSECONDS_PER_DAY)
        # Whatever a member does brings them up to date: nothing of the past is left for the first one measured.
        await _live(running, "member_change", at - MICROSECONDS_PER_DAY)
        await go_live(running.database, RealClock(), PROGRAM)
    connection = await asyncpg.connect(url, server_settings={"search_path": "laurels", "synchronous_commit": "off"})
    try:
        for first in range(LIVED, members, 50_000):
            await _multiply(connection, first, min(first + 50_000, members), short=short)
        for table in TABLES:
            await connection.execute(f"vacuum (analyze) {table}")
    finally:
        await connection.close()


async def _publish(url: str, document: str) -> None:
    async with wiring.application(Settings(database_url=url)) as running:
        published = await wiring.publish(running, document)
        if not isinstance(published, Published):
            raise RuntimeError(f"the program was not published: {published}")
        await asyncio.sleep((published.version.effective_at - now()) / MICROSECONDS_PER_SECOND + 1)


async def _live(running: Any, type: str, at: int) -> None:
    submissions = []
    for n, bought in enumerate(workload.purchases(1, LIVED, seed=at)):
        member = f"m{n}"
        data = bought.data if type == "purchase" else b"{}"
        if type == "purchase":
            data = data.replace(b'"order":"o', b'"order":"%d-' % at, 1)
        if type == "member_change":
            data = b'{"attributes":{"staff":false}}'
        submissions.append(Submission("pos", f"{type}-{at}-{n}", type, member, at, data))
    for outcome in await running.intake.submit(PROGRAM, submissions):
        if outcome.status != "accepted":
            raise RuntimeError(f"{type}: {outcome.status} {outcome.refusal} {outcome.problems}")


async def _multiply(connection: asyncpg.Connection, first: int, end: int, *, short: bool) -> None:
    """Members from `first` to before `end`, each as the one who lived with the number modulo LIVED."""
    await connection.execute(_COPIED.format(lived=LIVED, first=first, end=end))
    left_out = {"only": "and type <> 'purchase'", "unless": "and false"} if short else {"only": "", "unless": ""}
    for statement in _COPIES:
        await connection.execute(statement.format(**left_out))
    await connection.execute("drop table copied")


async def _key(url: str) -> str:
    database = await Database.open(url)
    try:
        secret, _ = await create_key(database, RealClock(), PROGRAM, "pos", "bench", ["admin"])
    finally:
        await database.close()
    return secret
