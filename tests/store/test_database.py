"""What must be true of a database before it is used, and what the application's connections may not do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from laurels.store.database import Database, Powers, UnfitDatabase, powers_over_ledger, refuse_unfit_database
from laurels.store.embedded import EmbeddedServer, run_sql
from laurels.store.stock import correct
from tests.postgres import drop_database
from tests.stage import Stage, asynchronous, purchase, stage

LEDGER = ("activity", "entry", "program_version", "pool_correction")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def with_a_purchase(url: str) -> AsyncIterator[Stage]:
    """A stage on which every table of the ledger has rows."""
    async with stage(url) as here:
        await here.enrol("m-1")
        await here.send("purchase", "m-1", purchase("o-1", "10.00"))
        await correct(here.database, "cafe", "reward/mug/stock", "c-1", 1, "counted", "office", 1)
        yield here


def engine_url(server: EmbeddedServer, url: str) -> str:
    """The database of the URL, reached as the engine reaches it."""
    assert server.engine_url.startswith("postgresql://laurels_engine@")
    return url.replace("postgresql://laurels@", "postgresql://laurels_engine@")


@asynchronous
async def test_a_database_with_sound_settings_is_opened(laurels_url: str) -> None:
    database = await Database.open(laurels_url)
    assert await database.pool.fetchval("select current_user") == "laurels_app"
    await database.close()


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("synchronous_commit", "off", "synchronous_commit is off"),
        ("default_transaction_isolation", "'repeatable read'", "not read committed"),
        ("default_transaction_read_only", "on", "read-only"),
    ],
)
@asynchronous
async def test_a_setting_that_would_lose_or_mislead_is_refused(
    laurels_url: str, setting: str, value: str, says: str
) -> None:
    async with connected(laurels_url) as owner:
        name = await owner.fetchval("select current_database()")
        await owner.execute(f"alter database {name} set {setting} = {value}")
    with pytest.raises(UnfitDatabase, match=says):
        await Database.open(laurels_url)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
@asynchronous
async def test_a_server_that_does_not_write_through_is_refused(laurels_url: str, setting: str) -> None:
    async with connected(laurels_url) as owner:
        await owner.execute(f"alter system set {setting} = off")
        try:
            await _reload(owner, setting, "off")
            with pytest.raises(UnfitDatabase, match=f"{setting} is off"):
                await Database.open(laurels_url)
        finally:
            await owner.execute(f"alter system reset {setting}")
            await _reload(owner, setting, "on")
    await (await Database.open(laurels_url)).close()


async def _reload(owner: asyncpg.Connection, setting: str, value: str) -> None:
    await owner.execute("select pg_reload_conf()")
    for _ in range(200):
        if await owner.fetchval(f"show {setting}") == value:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{setting} did not become {value}")


@asynchronous
async def test_everything_that_is_wrong_is_said_at_once(laurels_url: str) -> None:
    async with connected(laurels_url) as connection:
        await connection.execute("set synchronous_commit = off; set default_transaction_isolation = serializable")
        with pytest.raises(UnfitDatabase) as unfit:
            await refuse_unfit_database(connection)
    assert len(unfit.value.findings) == 2


def test_another_encoding_than_utf8_is_refused(server: EmbeddedServer) -> None:
    run_sql(
        server,
        "create database test_ascii encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' locale_provider libc "
        "template template0",
        database="postgres",
    )
    url = server.database_url("test_ascii")
    with pytest.raises(UnfitDatabase, match="not encoded in UTF8"):
        asyncio.run(Database.open(url))
    drop_database(server, url)


@pytest.mark.parametrize("table", LEDGER)
@asynchronous
async def test_the_application_can_only_append_to_the_ledger(laurels_url: str, table: str) -> None:
    async with with_a_purchase(laurels_url) as here:
        assert await here.count(table) > 0
        hot = await here.database.connect_hot()
        for connection in (hot, here.database.pool):
            for statement in (
                f"update {table} set program = program",
                f"delete from {table}",
                f"truncate {table}",
                f"drop table {table}",
                f"alter table {table} disable trigger all",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
        await hot.close()


@pytest.mark.parametrize("table", LEDGER)
@asynchronous
async def test_the_owner_could_change_what_the_application_cannot(laurels_url: str, table: str) -> None:
    """The positive control: it is the role that stands in the way, and nothing else."""
    async with with_a_purchase(laurels_url), connected(laurels_url) as owner:
        done = await owner.execute(f"delete from laurels.{table}")
        assert int(done.split()[1]) > 0


@pytest.mark.parametrize("table", LEDGER)
@asynchronous
async def test_the_engines_login_cannot_step_out_of_its_role(
    server: EmbeddedServer, laurels_url: str, table: str
) -> None:
    async with with_a_purchase(engine_url(server, laurels_url)) as here:
        hot = await here.database.connect_hot()
        async with here.database.pool.acquire() as pooled:
            for connection in (hot, pooled):
                await connection.execute("reset role")
                assert await connection.fetchval("select current_user") == "laurels_engine"
                for statement in (f"update {table} set program = program", f"delete from {table}"):
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await connection.execute(statement)
                for role in ("laurels", "pg_write_all_data"):
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await connection.execute(f"set role {role}")
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute("set session authorization laurels")
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute("create role more login in role laurels")
        await hot.close()


@pytest.mark.parametrize("table", LEDGER)
@asynchronous
async def test_the_owners_login_can(laurels_url: str, table: str) -> None:
    """The positive control: the same statements, on a pool that logged in as the owner."""
    async with with_a_purchase(laurels_url) as here:
        async with here.database.pool.acquire() as pooled:
            await pooled.execute("reset role")
            done = await pooled.execute(f"update {table} set program = program")
        assert int(done.split()[1]) > 0


@asynchronous
async def test_the_engines_login_has_no_power_over_the_ledger(server: EmbeddedServer, laurels_url: str) -> None:
    assert await powers_over_ledger(engine_url(server, laurels_url)) == Powers("laurels_engine", False, [])
    async with connected(laurels_url) as owner:
        row = await owner.fetchrow(
            "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolinherit, rolcanlogin "
            "from pg_roles where rolname = 'laurels_engine'"
        )
        assert row is not None
        assert [name for name, value in row.items() if value] == ["rolinherit", "rolcanlogin"]
        memberships = await owner.fetch(
            "select roleid::regrole::text from pg_auth_members where member = 'laurels_engine'::regrole"
        )
    assert [each[0] for each in memberships] == ["laurels_app"]


@pytest.mark.parametrize(
    ("given", "is_superuser", "tables"),
    [
        ("grant laurels to mighty", True, sorted(LEDGER)),
        ("alter role mighty superuser", True, sorted(LEDGER)),
        ("grant pg_write_all_data to mighty", False, sorted(LEDGER)),
        ("alter role mighty noinherit; grant pg_write_all_data to mighty", False, sorted(LEDGER)),
        ("grant truncate on laurels.activity to mighty", False, ["activity"]),
        ("grant update (points) on laurels.entry to mighty", False, ["entry"]),
        ("grant insert, select on all tables in schema laurels to mighty", False, []),
        ("alter table laurels.entry owner to mighty; revoke all on laurels.entry from mighty", False, ["entry"]),
    ],
)
@asynchronous
async def test_a_login_that_could_change_the_ledger_is_known(
    laurels_url: str, given: str, is_superuser: bool, tables: list[str]
) -> None:
    async with connected(laurels_url) as owner:
        await owner.execute(f"create role mighty login in role laurels_app; {given}")
        try:
            found = await powers_over_ledger(laurels_url.replace("postgresql://laurels@", "postgresql://mighty@"))
        finally:
            await owner.execute("reassign owned by mighty to laurels; drop owned by mighty; drop role mighty")
    assert found == Powers("mighty", is_superuser, tables)


@asynchronous
async def test_no_table_gives_the_application_more_than_it_uses(laurels_url: str) -> None:
    async with connected(laurels_url) as owner:
        rows = await owner.fetch(
            "select table_name, array_agg(lower(privilege_type) order by privilege_type) as may "
            "from information_schema.role_table_grants where grantee = 'laurels_app' group by table_name"
        )
    may = {row["table_name"]: set(row["may"]) for row in rows}
    read = {"select"}
    append = read | {"insert"}
    change = append | {"update"}
    assert may == {
        **dict.fromkeys(("schema_migration", "posting", "member_account", "system_account"), read),
        **dict.fromkeys(LEDGER, append),
        "code": append,
        **dict.fromkeys(("program", "api_key", "member", "pool", "outbox", "free_text", "code_batch"), change),
        # What changes of a draw and of a prize on its way is granted by column.
        **dict.fromkeys(("draw", "draw_secret", "draw_entry", "draw_award"), append),
        **dict.fromkeys(("state", "profile", "identifier", "idempotency", "import_progress"), change | {"delete"}),
    }


@asynchronous
async def test_every_table_and_view_says_what_it_is_for(laurels_url: str) -> None:
    async with connected(laurels_url) as owner:
        silent = await owner.fetch(
            "select relname from pg_class where relnamespace = 'laurels'::regnamespace and relkind in ('r', 'v') "
            "and obj_description(oid, 'pg_class') is null"
        )
    assert [row[0] for row in silent] == []
