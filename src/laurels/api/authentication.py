"""Who is asking: the bearer key, its program, its source and its scopes.

Keys are looked up by digest and remembered for some seconds, so that a revoked key stops working within that time and
the database is not asked for every request. Keys that do not exist are never remembered.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import msgspec

from laurels.api.problem import ApiProblem
from laurels.api.scopes import allows
from laurels.store.database import Database
from laurels.store.keys import ApiKey, find_key

REMEMBERED_MOST: Final = 10_000
_ASKING_SECONDS: Final = 1
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="laurels"'}
_PREFIX: Final = b"bearer "


class Caller(msgspec.Struct, frozen=True):
    """A key in force, as far as requests are concerned."""

    key: str
    name: str
    program: str
    source: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether the key has the scope."""
        return allows(self.scopes, scope)

    def require(self, *any_of: str) -> None:
        """A problem unless the key has one of the scopes."""
        if any_of and not any(allows(self.scopes, scope) for scope in any_of):
            raise ApiProblem("scope_missing", f"It needs {' or '.join(any_of)}.")


class Keys:
    """The keys that this process has seen lately."""

    def __init__(self, database: Database, remember_seconds: int) -> None:
        self._database = database
        self._remember_seconds = remember_seconds
        self._known: dict[str, tuple[Caller, float]] = {}

    async def caller(self, headers: Mapping[bytes, bytes]) -> Caller:
        """The caller that the Authorization header names; a problem if there is none."""
        stated = headers.get(b"authorization", b"")
        if stated[: len(_PREFIX)].lower() != _PREFIX:
            raise ApiProblem("unauthenticated", "Send Authorization: Bearer <key>.", headers=_CHALLENGE)
        secret = stated[len(_PREFIX) :].strip().decode("latin-1")
        known = self._known.get(secret)
        now = time.monotonic()
        if known is not None and known[1] > now:
            return known[0]
        if known is not None:
            # While one asks, the others go on with what is known.
            self._known[secret] = (known[0], now + _ASKING_SECONDS)
        found = await find_key(self._database, secret)
        if found is None:
            self._known.pop(secret, None)
            raise ApiProblem("unauthenticated", "The key is unknown or revoked.", headers=_CHALLENGE)
        caller = _caller(found)
        if len(self._known) >= REMEMBERED_MOST:
            self._known.clear()
        self._known[secret] = (caller, now + self._remember_seconds)
        return caller


def _caller(key: ApiKey) -> Caller:
    return Caller(key.id, key.name, key.program, key.source, frozenset(key.scopes))
