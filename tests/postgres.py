"""A real PostgreSQL for tests: one embedded server per test process, and a new database per test in some milliseconds.

The fixtures are in `conftest.py`. LAURELS_TEST_FSYNC=off makes the disk matter less on a slow machine; it is on
otherwise, because the store asserts it.
"""

import hashlib
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from laurels.store import embedded
from laurels.store.embedded import EmbeddedServer

_number = itertools.count(1)


@contextmanager
def temporary_server(directory: Path) -> Iterator[EmbeddedServer]:
    """A server of its own while the block runs; afterwards its directory is gone."""
    fsync = os.environ.get("LAURELS_TEST_FSYNC", "on")
    settings = {"fsync": fsync, "shared_buffers": "64MB", "max_wal_size": "256MB"}
    try:
        with embedded.running(directory, settings=settings) as server:
            yield server
    finally:
        # What a test run leaves is kept for a while: a database of some gigabytes must not be.
        shutil.rmtree(directory, ignore_errors=True)


def fresh_database(server: EmbeddedServer, schema: str = "") -> str:
    """The URL of a new database in which the SQL text `schema` has been carried out.

    The text is carried out once for a server, in a template; each database is a copy of that.
    """
    template = _template(server, schema)
    name = f"test_{next(_number)}"
    embedded.run_sql(server, f'create database "{name}" template "{template}"', database="postgres")
    return server.database_url(name)


def drop_database(server: EmbeddedServer, url: str) -> None:
    """Removes a database of `fresh_database`, whoever is still connected."""
    name = url.partition("?")[0].rpartition("/")[2]
    embedded.run_sql(server, f'drop database if exists "{name}" with (force)', database="postgres")


def _template(server: EmbeddedServer, schema: str) -> str:
    if not schema:
        return "template0"
    name = "template_" + hashlib.sha256(schema.encode()).hexdigest()[:16]
    # Marked as a template only when whole.
    known = embedded.run_sql(
        server, "select 1 from pg_database where datname = :'name' and datistemplate", database="postgres",
        variables={"name": name},
    )  # fmt: skip
    if not known:
        embedded.run_sql(server, f'drop database if exists "{name}" with (force)', database="postgres")
        embedded.run_sql(server, f'create database "{name}" template template0', database="postgres")
        embedded.run_sql(server, schema, database=name)
        embedded.run_sql(server, f'alter database "{name}" is_template true', database="postgres")
    return name
