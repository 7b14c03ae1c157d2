"""Migrations go forward only, lead to schema.sql, and refuse a database of another release."""

import asyncio
import os
import re
import subprocess
from importlib.resources import files

import asyncpg
import pytest

from laurels.store import migrate as migrating
from laurels.store.database import Database
from laurels.store.embedded import EmbeddedServer, binaries, run_sql
from laurels.store.migrate import Migration, WrongDatabase, migrate, migrations
from tests.postgres import drop_database, fresh_database
from tests.stage import asynchronous

SCHEMA = (files("laurels.store") / "schema.sql").read_text(encoding="utf-8")
FURTHER = Migration(len(migrations()) + 1, "further", "create table laurels.further (id bigint primary key)")


def catalog(url: str) -> str:
    """Everything that the database defines, as pg_dump tells it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    dump = [str(binaries.find().program("pg_dump")), "--schema-only", "--schema=laurels", url]
    done = subprocess.run(dump, check=True, capture_output=True, encoding="utf-8", env=environment)
    # A random word guards a dump against what is in it.
    return re.sub(r"^\\(un)?restrict .*\n", "", done.stdout, flags=re.MULTILINE)


def test_migrating_from_zero_gives_what_schema_sql_says(server: EmbeddedServer, database_url: str) -> None:
    asyncio.run(migrate(database_url))
    whole = fresh_database(server, SCHEMA)
    assert "comment on table" in SCHEMA
    assert catalog(database_url).count("CREATE TABLE") == SCHEMA.count("create table")
    assert catalog(database_url) == catalog(whole)
    drop_database(server, whole)


@pytest.mark.parametrize(
    "change",
    [
        "alter table laurels.entry add column more text",
        "alter table laurels.entry alter column wallet drop not null",
        "grant delete on laurels.entry to laurels_app",
        "comment on column laurels.entry.n is 'something else'",
        "create index on laurels.entry (program, at)",
        "alter table laurels.state set (fillfactor = 90)",
    ],
)
def test_comparing_catalogs_would_see_any_difference(server: EmbeddedServer, database_url: str, change: str) -> None:
    """The positive control of the test above."""
    asyncio.run(migrate(database_url))
    before = catalog(database_url)
    name = database_url.partition("?")[0].rpartition("/")[2]
    run_sql(server, change, database=name)
    assert catalog(database_url) != before


@asynchronous
async def test_migrating_again_changes_nothing(database_url: str) -> None:
    assert await migrate(database_url) == migrations()
    assert await migrate(database_url) == ()


@asynchronous
async def test_several_processes_may_migrate_at_once(database_url: str) -> None:
    applied = await asyncio.gather(*[migrate(database_url) for _ in range(4)])
    assert sorted(map(len, applied)) == [0, 0, 0, len(migrations())]


@asynchronous
async def test_a_further_migration_is_applied_to_a_database_that_is_in_use(database_url: str) -> None:
    await migrate(database_url)
    assert await migrate(database_url, (*migrations(), FURTHER)) == (FURTHER,)
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("select count(*) from laurels.further") == 0
    await connection.close()


@asynchronous
async def test_a_failing_migration_leaves_nothing_behind(database_url: str) -> None:
    await migrate(database_url)
    broken = Migration(FURTHER.number + 1, "broken", "create table laurels.half (id bigint); select 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(database_url, (*migrations(), FURTHER, broken))
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("select to_regclass('laurels.further')") is None
    assert await connection.fetchval("select to_regclass('laurels.half')") is None
    await connection.close()


@asynchronous
async def test_a_database_of_a_newer_release_is_refused(database_url: str) -> None:
    await migrate(database_url, (*migrations(), FURTHER))
    with pytest.raises(WrongDatabase, match="brought up by a newer release"):
        await migrate(database_url)
    with pytest.raises(WrongDatabase, match="brought up by a newer release"):
        await Database.open(database_url)


@asynchronous
async def test_a_database_that_saw_another_migration_is_refused(database_url: str) -> None:
    await migrate(database_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute("update laurels.schema_migration set sha256 = '\\x00' where number = 1")
    await connection.close()
    with pytest.raises(WrongDatabase, match="another migration 1"):
        await migrate(database_url)
    with pytest.raises(WrongDatabase, match="another migration 1"):
        await Database.open(database_url)


@asynchronous
async def test_a_database_that_is_behind_is_not_used(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongDatabase, match="is at migration 0"):
        await Database.open(database_url)
    await migrate(database_url)
    known = (*migrations(), FURTHER)
    monkeypatch.setattr(migrating, "migrations", lambda: known)
    with pytest.raises(WrongDatabase, match=f"needs {FURTHER.number}"):
        await Database.open(database_url)


@asynchronous
async def test_who_may_not_create_roles_is_told_what_to_do(database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute("create role poor login; create role laurels_app_taken nologin")
    try:
        await owner.execute(
            "grant create on database " + str(await owner.fetchval("select current_database()")) + " to poor"
        )
        poor = database_url.replace("postgresql://laurels@", "postgresql://poor@")
        without = migrations()[0].sql.replace("laurels_app", "laurels_app_missing")
        with pytest.raises(WrongDatabase, match="let an administrator do so once"):
            await migrate(poor, (Migration(1, "foundation", without),))
    finally:
        await owner.execute("drop owned by poor; drop role poor; drop role laurels_app_taken")
        await owner.close()
