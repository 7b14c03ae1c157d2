"""Ids for the outside: UUIDv7 (RFC 9562), whose text sorts by the millisecond in which it was made.

The instant comes from a clock that is handed in, the rest is chance: two processes never need to agree on anything.
"""

from __future__ import annotations

import secrets
from uuid import UUID

from laurels.core.calendar import Instant

_RANDOM_BITS = 74
_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_LOW = (1 << 62) - 1


def new_id(now: Instant) -> str:
    """A UUIDv7 made at `now`, in its 36 characters."""
    milliseconds = now // 1000
    chance = secrets.randbits(_RANDOM_BITS)
    return str(UUID(int=(milliseconds << 80) | _VERSION_7 | (chance >> 62) << 64 | _VARIANT | (chance & _LOW)))
