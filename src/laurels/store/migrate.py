"""Migrations: numbered SQL files that only go forward, each applied once, in order, in one transaction together.

A database remembers the digest of every migration it has seen. One that has seen migrations unknown here, or other
ones under the same numbers, is refused: it belongs to another release.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files

import asyncpg
import msgspec

from laurels.store.connecting import connect

# Any number will do, as long as nobody else takes it for something else.
_LOCK = 7_241_035_511


class Migration(msgspec.Struct, frozen=True):
    """A step from one shape of the database to the next."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> bytes:
        """The digest of its text."""
        return sha256(self.sql.encode()).digest()


class WrongDatabase(Exception):  # noqa: N818 - the message is for people, and reads so
    """The database has another shape than this release of Laurels works with."""


def migrations() -> tuple[Migration, ...]:
    """All migrations of this release, in order; their numbers count from 1 without gaps."""
    found = []
    for file in (files("laurels.store") / "migrations").iterdir():
        if file.name.endswith(".sql"):
            number, _, name = file.name.removesuffix(".sql").partition("_")
            found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    ordered = tuple(sorted(found, key=lambda migration: migration.number))
    assert [migration.number for migration in ordered] == list(range(1, len(ordered) + 1))
    return ordered


async def migrate(url: str, wanted: tuple[Migration, ...] | None = None) -> tuple[Migration, ...]:
    """Brings the database up to this release; returns what was applied. Safe to call from several processes at once.

    Connects as the owner of the schema, who may create the role laurels_app or is a member of it already.
    """
    known = migrations() if wanted is None else wanted
    connection = await connect(url)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
            seen = await _seen(connection)
            _refuse_others(seen, known)
            missing = tuple(migration for migration in known if migration.number not in seen)
            for migration in missing:
                await _apply(connection, migration)
            if missing:
                # Who creates a role may grant it, and the application's connections step into it.
                await connection.execute("grant laurels_app to current_user")
        return missing
    finally:
        await connection.close()


async def refuse_wrong_database(connection: asyncpg.Connection) -> None:
    """Raises WrongDatabase unless the database has seen exactly the migrations of this release."""
    seen = await _seen(connection)
    known = migrations()
    _refuse_others(seen, known)
    if len(seen) < len(known):
        raise WrongDatabase(
            f"The database is at migration {max(seen, default=0)}, this release of Laurels needs {len(known)}. "
            "Bring it up to date first: laurels migrate."
        )


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        await connection.execute(migration.sql)
    except asyncpg.InsufficientPrivilegeError as error:
        raise WrongDatabase(
            f"Migration {migration.number} ({migration.name}) was not allowed: {error}. Connect as the owner of the "
            "database. If that one may not create roles, let an administrator do so once: "
            "create role laurels_app nologin; grant laurels_app to <owner>;"
        ) from error
    await connection.execute(
        "insert into laurels.schema_migration (number, name, sha256) values ($1, $2, $3)",
        migration.number,
        migration.name,
        migration.sha256,
    )


async def _seen(connection: asyncpg.Connection) -> dict[int, bytes]:
    if await connection.fetchval("select to_regclass('laurels.schema_migration')") is None:
        return {}
    rows = await connection.fetch("select number, sha256 from laurels.schema_migration")
    return {row["number"]: row["sha256"] for row in rows}


def _refuse_others(seen: dict[int, bytes], known: tuple[Migration, ...]) -> None:
    digests = {migration.number: migration.sha256 for migration in known}
    unknown = sorted(number for number in seen if number not in digests)
    if unknown:
        raise WrongDatabase(
            f"The database has seen migration {unknown[-1]}, this release of Laurels knows {len(known)}: it was "
            "brought up by a newer release. Nothing was changed. Run that release, or a newer one."
        )
    changed = sorted(number for number, digest in seen.items() if digests[number] != digest)
    if changed:
        raise WrongDatabase(
            f"The database has seen another migration {changed[0]} than the one in this release. Nothing was changed. "
            "Run the release that made it."
        )
