"""Who members are: profiles and identifiers, apart from the ledger, so that they can be shown, exported and erased.

No rule reads anything here. Identifiers are found by a digest under the program's secret, of their canonical form:
e-mail addresses without regard to case, phone numbers without spaces and punctuation.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec

from laurels.clock import Clock
from laurels.store.bucket import bucket_of
from laurels.store.database import Connection, Database
from laurels.store.sql import named

IDENTIFIER_KINDS: Final = named("identifier_kinds")

_PHONE_PUNCTUATION: Final = re.compile(r"[\s().\-/]")


class Profile(msgspec.Struct, frozen=True):
    """What is known of a person."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    birth_date: str | None = None
    locale: str | None = None
    time_zone: str | None = None


class Identifier(msgspec.Struct, frozen=True):
    """Something a member is known by, such as kind "phone"."""

    kind: str
    value: str


class IdentifierTaken(Exception):  # noqa: N818 - reads as what it is
    """Another member of the program has this identifier."""

    def __init__(self, identifier: Identifier) -> None:
        super().__init__(f"another member has this {identifier.kind}")
        self.identifier = identifier


def canonical(kind: str, value: str) -> str:
    """The form in which identifiers of a kind are compared."""
    value = value.strip()
    if kind == "email":
        return value.casefold()
    return _PHONE_PUNCTUATION.sub("", value) if kind == "phone" else value


async def put_profile(database: Database, clock: Clock, program: str, member: str, profile: Profile) -> None:
    """The member's profile is this one, whole."""
    await database.pool.execute(
        "insert into profile (program, member, bucket, name, name_folded, phone, email, birth_date, locale, time_zone, "
        "updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (program, member, bucket) "
        "do update set name = excluded.name, name_folded = excluded.name_folded, phone = excluded.phone, "
        "email = excluded.email, birth_date = excluded.birth_date, locale = excluded.locale, "
        "time_zone = excluded.time_zone, updated_at = excluded.updated_at",
        program,
        member,
        bucket_of(member),
        profile.name,
        None if profile.name is None else profile.name.casefold(),
        None if profile.phone is None else canonical("phone", profile.phone),
        None if profile.email is None else canonical("email", profile.email),
        profile.birth_date,
        profile.locale,
        profile.time_zone,
        clock.now(),
    )


async def profile_of(database: Database, program: str, member: str) -> Profile | None:
    """The member's profile; None where there is none, or it was erased."""
    row = await database.pool.fetchrow(
        "select name, phone, email, birth_date, locale, time_zone from profile "
        "where program = $1 and member = $2 and bucket = $3",
        program,
        member,
        bucket_of(member),
    )
    return None if row is None else Profile(**row)


async def profiles_of(database: Database, program: str, members: Sequence[str]) -> dict[str, Profile]:
    """The profiles of these members, by id; of those who have one."""
    rows = await database.pool.fetch(
        "select p.member, p.name, p.phone, p.email, p.birth_date, p.locale, p.time_zone "
        "from unnest($2::text[], $3::smallint[]) as w (member, bucket) "
        "join profile p on p.program = $1 and p.member = w.member and p.bucket = w.bucket",
        program,
        members,
        [bucket_of(member) for member in members],
    )
    return {member: Profile(*values) for member, *values in rows}


async def put_identifiers(database: Database, program: str, member: str, identifiers: Sequence[Identifier]) -> None:
    """The member is known by these and no others; IdentifierTaken, and nothing changed, if another member has one."""
    async with database.pool.acquire() as connection, connection.transaction():
        secret = await _secret(connection, program)
        bucket = bucket_of(member)
        await connection.execute(
            "delete from identifier where program = $1 and member = $2 and bucket = $3", program, member, bucket
        )
        for identifier in dict.fromkeys(identifiers):
            try:
                await connection.execute(
                    "insert into identifier (program, member, kind, digest, bucket, value) "
                    "values ($1, $2, $3, $4, $5, $6)",
                    program,
                    member,
                    identifier.kind,
                    _digest(secret, identifier),
                    bucket,
                    identifier.value,
                )
            except asyncpg.UniqueViolationError as error:
                raise IdentifierTaken(identifier) from error


async def identifiers_of(database: Database, program: str, member: str) -> tuple[Identifier, ...]:
    """What the member is known by."""
    rows = await database.pool.fetch(
        "select kind, value from identifier where program = $1 and member = $2 and bucket = $3 order by kind, value",
        program,
        member,
        bucket_of(member),
    )
    return tuple(Identifier(**row) for row in rows)


async def resolve(database: Database, program: str, identifiers: Sequence[Identifier]) -> dict[Identifier, str]:
    """The member whom each identifier names; those that name nobody are left out."""
    async with database.pool.acquire() as connection:
        secret = await _secret(connection, program)
        digests = {_digest(secret, identifier): identifier for identifier in identifiers}
        rows = await connection.fetch(
            "select i.digest, i.member from unnest($2::text[], $3::bytea[]) as w (kind, digest) "
            "join identifier i on i.program = $1 and i.kind = w.kind and i.digest = w.digest",
            program,
            [identifier.kind for identifier in digests.values()],
            list(digests),
        )
    members = {row["digest"]: row["member"] for row in rows}
    return {
        identifier: members[digest] for identifier in identifiers if (digest := _digest(secret, identifier)) in members
    }


async def known_by(database: Database, program: str, value: str) -> list[str]:
    """The members who are known by this value, whatever kind of identifier it is."""
    kinds = [row["kind"] for row in await database.pool.fetch(IDENTIFIER_KINDS, program)]
    found = await resolve(database, program, [Identifier(kind, value) for kind in kinds]) if kinds else {}
    return sorted({*found.values()})


async def erase(database: Database, clock: Clock, program: str, member: str) -> bool:
    """Whether there was such a member; who they were is gone, what they wrote too, and nothing is recorded any more."""
    bucket = bucket_of(member)
    async with database.pool.acquire() as connection, connection.transaction():
        sealed = await connection.fetchval(
            "update member set sealed_at = coalesce(sealed_at, $4) "
            "where program = $1 and id = $2 and bucket = $3 returning id",
            program,
            member,
            bucket,
            clock.now(),
        )
        for statement in (
            "delete from profile where program = $1 and member = $2 and bucket = $3",
            "delete from identifier where program = $1 and member = $2 and bucket = $3",
            "update free_text set texts = null where program = $1 and member = $2 and bucket = $3",
        ):
            await connection.execute(statement, program, member, bucket)
    return sealed is not None


async def _secret(connection: Connection, program: str) -> bytes:
    secret: bytes = await connection.fetchval("select secret from program where id = $1", program)
    return secret


def _digest(secret: bytes, identifier: Identifier) -> bytes:
    value = canonical(identifier.kind, identifier.value)
    return hmac.digest(secret, f"{identifier.kind}\0{value}".encode(), "sha256")
