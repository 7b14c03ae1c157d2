"""Logins of the embedded server: the owner makes tables, the engine works in them and can become nobody else.

Directories of releases that knew the owner alone get the engine's login when they are started, or found running.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import msgspec
import pytest

from laurels import wiring
from laurels.settings import Settings
from laurels.store import embedded
from laurels.store.database import Powers, powers_over_ledger
from laurels.store.embedded import EmbeddedServer, EmbeddedServerError, configuration, postmaster, run_sql, server
from laurels.store.embedded import place as places
from laurels.store.migrate import WrongDatabase, migrate, migrations
from tests.docs.page import blocks_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the server here listens on a socket")

FORGET = "reassign owned by laurels_engine to laurels; drop owned by laurels_engine; drop role laurels_engine"


def as_engine(found: EmbeddedServer, sql: str) -> str:
    return run_sql(msgspec.structs.replace(found, url=found.engine_url), sql)


def is_engine(found: EmbeddedServer) -> bool:
    """Whether the engine's login is there, may do what laurels_app may, and is refused what the owner may."""
    said = as_engine(found, "select session_user, pg_has_role('laurels_app', 'usage'); set role laurels_app")
    with pytest.raises(EmbeddedServerError, match="permission denied to set role"):
        as_engine(found, "set role laurels")
    return said == "laurels_engine|t"


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped server as a release made it that knew no login but the owner's; nothing was migrated yet."""
    directory = tmp_path_factory.mktemp("seed") / "server"
    found = embedded.start(directory)
    assert is_engine(found)
    run_sql(found, f"{FORGET}; drop role laurels_app")
    embedded.stop(directory)
    return directory


@pytest.fixture
def directory(seed: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it, stopped whatever the test did."""
    copy = tmp_path / "server"
    shutil.copytree(seed, copy)
    (copy / "data" / configuration.LOCAL_FILE).write_text("fsync = off\n")
    yield copy
    embedded.stop(copy, mode="immediate")


def test_a_directory_of_an_earlier_release_gets_the_login_at_its_start(directory: Path) -> None:
    assert is_engine(embedded.start(directory))
    # And keeps it.
    assert is_engine(embedded.start(directory))


def test_a_running_server_of_an_earlier_release_gets_the_login_when_it_is_found(directory: Path) -> None:
    first = embedded.start(directory)
    # As that release left it: migrated, with the application's role granted to the owner.
    run_sql(first, f"{FORGET}; grant laurels_app to laurels")
    second = embedded.start(directory)
    assert (second.started, second.pid) == (False, first.pid)
    assert is_engine(second)


def test_everything_that_runs_on_an_embedded_server_runs_as_the_engine(directory: Path) -> None:
    # Without fsync nothing would run on it.
    (directory / "data" / configuration.LOCAL_FILE).unlink()
    settings = Settings(data_directory=str(directory))

    async def look() -> list[str]:
        async with wiring.application(settings) as running:
            hot = await running.database.connect_hot()
            found = [str(await each.fetchval("select session_user")) for each in (hot, running.database.pool)]
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for table entry"):
                await hot.execute("reset role; update entry set points = 0")
            await hot.close()
        async with wiring.database_url(settings) as url:
            connection = await asyncpg.connect(url)
            found.append(await connection.fetchval("select session_user"))
            await connection.close()
        return found

    assert asyncio.run(look()) == ["laurels_engine"] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere loopback is one address, which may be taken")
def test_over_tcp_the_engine_has_a_password_of_its_own(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of Windows, where nothing but passwords keeps others out, played on an address that nobody else has."""
    address = f"127.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250 + 1}.7"
    (directory / "data" / configuration.LOCAL_FILE).write_text(f"fsync = off\nlisten_addresses = '{address}'\n")
    hba = "local all all trust\nhost all all 127.0.0.0/8 scram-sha-256\n"
    (directory / "data" / "pg_hba.conf").write_text(hba)
    run_sql(embedded.start(directory), "alter role laurels password 'of-the-owner'")
    (directory / "password").write_text("of-the-owner\n")
    living = server._living

    def over_tcp(where: places.Place) -> postmaster.Postmaster | None:
        found = living(where)
        return None if found is None else msgspec.structs.replace(found, sockets="", host=address)

    monkeypatch.setattr(server, "_living", over_tcp)
    kept = directory / "engine-password"
    found = embedded.start(directory)
    assert found.url == f"postgresql://laurels:of-the-owner@{address}:5432/laurels"
    assert found.engine_url == f"postgresql://laurels_engine:{kept.read_text()}@{address}:5432/laurels"
    assert is_engine(found)
    for other in ("of-the-owner", ""):
        with pytest.raises(EmbeddedServerError, match="password"):
            as_engine(msgspec.structs.replace(found, engine_url=found.engine_url.replace(kept.read_text(), other)), "")
    # Somebody died between writing the file and telling the server, or while writing it.
    for text in ("of-nobody-yet", ""):
        kept.write_text(text)
        assert is_engine(embedded.start(directory))
        assert kept.read_text() == text or len(kept.read_text()) > 40


@pytest.mark.parametrize("login", ["owner", "engine"])
def test_serving_warns_at_its_start_of_a_login_that_could_change_the_ledger(directory: Path, login: str) -> None:
    (directory / "data" / configuration.LOCAL_FILE).unlink()
    found = embedded.start(directory)
    asyncio.run(migrate(found.url))
    url = {"owner": found.url, "engine": found.engine_url}[login]
    environment = {**os.environ, "LAURELS_DATABASE_URL": url, "LAURELS_PORT": "0", "LAURELS_LANES": "1"}
    command = [sys.executable, "-m", "laurels", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as serving:
        assert serving.stdout is not None
        assert b"http://" in serving.stdout.readline()
        serving.send_signal(signal.SIGTERM)
        _, said = serving.communicate(timeout=60)
    lines = [json.loads(line) for line in said.splitlines()]
    warned = [line for line in lines if line["logger"] == "laurels.database"]
    assert [(line["level"], line["login"], line["superuser"], line["tables"]) for line in warned] == {
        "owner": [("warning", "laurels", True, ["activity", "entry", "pool_correction", "program_version"])],
        "engine": [],
    }[login]


def test_the_logins_that_the_documentation_makes_are_enough_and_have_no_power_over_the_ledger(directory: Path) -> None:
    (directory / "data" / configuration.LOCAL_FILE).unlink()
    found = embedded.start(directory)
    # As on a server that never knew Laurels.
    run_sql(found, f"{FORGET}; drop role laurels_app; drop database laurels", database="postgres")
    for_administrator, for_owner = (block.text for block in blocks_of("docs/settings.md", "sql"))
    run_sql(found, for_administrator, database="postgres")
    owner, engine = (found.url.replace("//laurels@", f"//{login}@") for login in ("laurels_owner", "laurels_engine"))
    assert asyncio.run(migrate(owner)) == migrations()
    run_sql(msgspec.structs.replace(found, url=owner), for_owner)
    assert asyncio.run(powers_over_ledger(engine)) == Powers("laurels_engine", is_superuser=False, tables=[])
    assert asyncio.run(powers_over_ledger(owner)).tables == ["activity", "entry", "pool_correction", "program_version"]

    async def run() -> None:
        async with wiring.application(Settings(database_url=engine)) as running:
            await wiring.ensure_program(running, "cafe", "sandbox")

    asyncio.run(run())


def test_a_login_that_may_not_make_the_tables_is_told_so(directory: Path) -> None:
    found = embedded.start(directory)
    with pytest.raises(WrongDatabase, match="Connect as the owner of the database"):
        asyncio.run(migrate(found.engine_url))
