"""Connecting, with words for those who run Laurels where it fails: which server, and what says where it is.

A URL holds a password. What is said of one is its host, its port and its database, and nothing that could not be read.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

VARIABLE: Final = "LAURELS_DATABASE_URL"

_PORT: Final = 5432
_MEND: Final = f"Does it run, and does {VARIABLE} name the right one? Without it Laurels runs a server of its own."
_REFUSED: Final = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)


class UnreachableDatabase(ConnectionError):  # noqa: N818 - the message is for people, and reads so
    """No connection could be made; `str()` says to where, why, and what to look at."""


async def connect(url: str, **options: Any) -> asyncpg.Connection:
    """A connection; UnreachableDatabase where there is no server, or it does not let this login in."""
    try:
        return await asyncpg.connect(url, **options)
    except _REFUSED as error:
        raise UnreachableDatabase(f"{_place(url)} refuses the login: {error}. {_MEND}") from None
    except (OSError, TimeoutError) as error:
        why = error.strerror or str(error) or "it took too long"
        raise UnreachableDatabase(f"{_place(url)} cannot be reached: {why}. {_MEND}") from None
    except ValueError:
        # What cannot be read may hold the password anywhere; neither it nor what was said of it is shown.
        raise UnreachableDatabase(f"{VARIABLE} is no URL such as postgresql://login@host:5432/database.") from None


def _place(url: str) -> str:
    """The server and database that a URL means, in words."""
    try:
        parts = urlsplit(url)
        asked = parse_qs(parts.query)
        host = unquote(parts.hostname or "") or asked.get("host", ["localhost"])[0]
        port = parts.port or int(asked.get("port", [_PORT])[0])
    except ValueError:
        return f"The servers that {VARIABLE} lists,"
    database = unquote(parts.path.removeprefix("/"))
    named = f" (database {database})" if database else ""
    return f"PostgreSQL at {host}, port {port}{named},"
