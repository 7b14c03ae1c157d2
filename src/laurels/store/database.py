"""Connections, and what must be true of a database before a single point is written to it.

The write path has connections of its own, one a lane, whose plans must not change as tables grow. Everything else
shares a pool with ordinary settings. All of them act in the role laurels_app, which may only append to the ledger. A
login could step out of that role again: one that could change the ledger itself is known by `powers_over_ledger`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import asyncpg
import msgspec

from laurels.store.connecting import connect
from laurels.store.migrate import refuse_wrong_database
from laurels.store.sql import named

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

SERVER_VERSION_LEAST: Final = 160_000

_EVERYWHERE: Final = {
    "search_path": "laurels",
    "timezone": "UTC",
    "application_name": "laurels",
    "idle_in_transaction_session_timeout": "60s",
}

_HOT: Final = {
    # A plan made while a table was young would read it whole for ever after.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    # One plan fits all arrays: planning the write costs more than carrying it out.
    "plan_cache_mode": "force_generic_plan",
    # Whoever waits longer is in somebody's way: the batch is tried again.
    "lock_timeout": "5s",
    "statement_timeout": "60s",
}


PATIENCE_SECONDS: Final = 75
"""How long to wait for an answer: longer than a statement of the write path may take, so that the server speaks first.

Whoever hears nothing by then has no connection any more, whatever the network says. A lane would wait for hours.
"""

_COMPRESSION: Final = "default_toast_compression"


class UnfitDatabase(Exception):  # noqa: N818 - the message is for people, and reads so
    """The server is set up so that what was answered could be lost or decided wrongly."""

    def __init__(self, findings: tuple[str, ...]) -> None:
        super().__init__("The database cannot be used:\n" + "\n".join(f"- {finding}" for finding in findings))
        self.findings = findings


class Database:
    """A database whose settings were found fit and whose shape is this release's."""

    def __init__(self, url: str, pool: asyncpg.Pool, session: Mapping[str, str], patience_seconds: int | None) -> None:
        self._url = url
        self._patience_seconds = patience_seconds
        self._hot = {**session, **_HOT}
        self.pool = pool

    @classmethod
    async def open(
        cls, url: str, *, connections_most: int = 8, patience_seconds: int | None = PATIENCE_SECONDS
    ) -> Database:
        """Connects; raises UnfitDatabase or WrongDatabase with everything that is wrong with it.

        A statement without an answer for `patience_seconds` is an outage. None: however long it takes, for those who
        read whole tables.
        """
        first = await connect(url, server_settings=_EVERYWHERE)
        try:
            await refuse_unfit_database(first)
            await refuse_wrong_database(first)
            session = dict(_EVERYWHERE)
            if await first.fetchval("select 'lz4' = any(enumvals) from pg_settings where name = $1", _COMPRESSION):
                # The other method costs more processor than all else that the server does for a purchase.
                session[_COMPRESSION] = "lz4"
        finally:
            await first.close()
        pool: asyncpg.Pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=connections_most,
            init=_step_down,
            reset=_as_it_is,
            server_settings=session,
            command_timeout=patience_seconds,
        )
        return cls(url, pool, session, patience_seconds)

    async def connect_hot(self) -> asyncpg.Connection:
        """A connection for the write path; whoever asked for it closes it."""
        connection = await connect(
            self._url,
            server_settings=self._hot,
            max_cached_statement_lifetime=0,
            command_timeout=self._patience_seconds,
        )
        await _step_down(connection)
        return connection

    async def close(self) -> None:
        """Waits for what is running, then disconnects."""
        await self.pool.close()


async def _step_down(connection: asyncpg.Connection) -> None:
    """From here on the connection may do what the application's role may do, and nothing else."""
    await connection.execute("set role laurels_app")


async def _as_it_is(connection: Connection) -> None:
    """Nobody sets anything for a session, so a connection goes back without the round trip that would undo it."""


class Powers(msgspec.Struct, frozen=True):
    """What a login could do beyond what Laurels needs: `tables` of the ledger whose rows it could change or remove."""

    login: str
    is_superuser: bool
    tables: list[str]


async def powers_over_ledger(url: str) -> Powers:
    """What the login of the URL could do, as itself or by stepping into another role."""
    connection = await connect(url, server_settings=_EVERYWHERE)
    try:
        row = await connection.fetchrow(named("powers_over_ledger"))
    finally:
        await connection.close()
    assert row is not None
    return Powers(row["login"], row["is_superuser"], row["tables"])


async def refuse_unfit_database(connection: asyncpg.Connection) -> None:
    """Raises UnfitDatabase if a commit may not be durable, or transactions would not see what decisions rely on."""
    rows = await connection.fetch("select name, setting from pg_settings where name = any($1)", list(_SETTINGS))
    found: dict[str, str] = {row["name"]: row["setting"] for row in rows}
    findings = [why for name, (fits, why) in _SETTINGS.items() if not fits(found[name])]
    if findings:
        raise UnfitDatabase(tuple(findings))


_SETTINGS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "server_version_num": (
        lambda value: int(value) >= SERVER_VERSION_LEAST,
        "PostgreSQL is older than 16.",
    ),
    "server_encoding": (
        lambda value: value == "UTF8",
        "The database is not encoded in UTF8: create it with encoding 'UTF8' template template0.",
    ),
    "fsync": (
        lambda value: value == "on",
        "fsync is off: a crash may destroy everything. Set fsync = on.",
    ),
    "full_page_writes": (
        lambda value: value == "on",
        "full_page_writes is off: a crash may destroy pages. Set full_page_writes = on.",
    ),
    "synchronous_commit": (
        lambda value: value != "off",
        "synchronous_commit is off: what was answered may be lost. Set it to on, for this role and database too.",
    ),
    "default_transaction_isolation": (
        lambda value: value == "read committed",
        "default_transaction_isolation is not read committed, which locking relies on.",
    ),
    "default_transaction_read_only": (
        lambda value: value == "off",
        "The database is read-only: connect to the primary.",
    ),
    "transaction_read_only": (
        lambda value: value == "off",
        "The database is read-only: connect to the primary.",
    ),
}
