"""API keys: 256 random bits, shown once, stored as their SHA-256. Such a number needs no slow hash: nobody guesses it.

A key belongs to one program, speaks under one source, and may do what its scopes say.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Collection
from hashlib import sha256
from typing import Final

import msgspec

from laurels.clock import Clock
from laurels.core.calendar import Instant
from laurels.store.database import Database

PREFIX: Final = "laurels_"
"""What every key begins with, so that one that leaked can be recognised."""

RESERVED_SOURCE: Final = "laurels"
"""Of Laurels itself, as is every source below it, such as `laurels.redemptions`."""

SOURCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


class ApiKey(msgspec.Struct, frozen=True):
    """What is known of a key."""

    id: str
    program: str
    source: str
    name: str
    scopes: tuple[str, ...]
    created_at: Instant
    revoked_at: Instant | None = None


_COLUMNS: Final = "id, program, source, name, scopes, created_at, revoked_at"


async def create_key(
    database: Database, clock: Clock, program: str, source: str, name: str, scopes: Collection[str]
) -> tuple[str, ApiKey]:
    """The key itself, which is not stored and cannot be shown again, and what is known of it.

    ValueError for a source that is no plain word or is reserved for Laurels itself.
    """
    if not SOURCE.fullmatch(source) or source == RESERVED_SOURCE or source.startswith(f"{RESERVED_SOURCE}."):
        raise ValueError(
            f"{source!r} cannot be a source: use letters, digits and . _ : -, "
            f"and neither {RESERVED_SOURCE!r} nor what begins with '{RESERVED_SOURCE}.'"
        )
    secret = PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    key = ApiKey(secrets.token_hex(8), program, source, name, tuple(sorted(set(scopes))), clock.now())
    await database.pool.execute(
        "insert into api_key (digest, id, program, source, name, scopes, created_at) "
        "values ($1, $2, $3, $4, $5, $6, $7)",
        _digest(secret),
        key.id,
        program,
        source,
        name,
        list(key.scopes),
        key.created_at,
    )
    return secret, key


async def find_key(database: Database, secret: str) -> ApiKey | None:
    """The key, unless it is unknown or revoked."""
    row = await database.pool.fetchrow(
        f"select {_COLUMNS} from api_key where digest = $1 and revoked_at is null",  # noqa: S608 - columns are ours
        _digest(secret),
    )
    return None if row is None else _key(dict(row))


async def keys_of(database: Database, program: str) -> tuple[ApiKey, ...]:
    """All keys of a program, oldest first, revoked ones included."""
    rows = await database.pool.fetch(
        f"select {_COLUMNS} from api_key where program = $1 order by created_at, id",  # noqa: S608 - columns are ours
        program,
    )
    return tuple(_key(dict(row)) for row in rows)


async def revoke_key(database: Database, clock: Clock, program: str, id: str) -> bool:
    """Whether there was such a key in force; from now on there is not."""
    row = await database.pool.fetchrow(
        "update api_key set revoked_at = $3 where program = $1 and id = $2 and revoked_at is null returning id",
        program,
        id,
        clock.now(),
    )
    return row is not None


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _key(row: dict[str, object]) -> ApiKey:
    return msgspec.convert(row, ApiKey)
