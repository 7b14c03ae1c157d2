"""Ids for the outside: UUIDv7 (RFC 9562), whose text sorts by the millisecond in which it was made.

The instant comes from a clock that is handed in, the rest is chance: two processes never need to agree on anything.
"""

from __future__ import annotations

import os

from laurels.core.calendar import Instant

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_FREE = (0xFFF << 64) | ((1 << 62) - 1)
"""The bits that are left to chance."""


def new_id(now: Instant) -> str:
    """A UUIDv7 made at `now`, in its 36 characters."""
    chance = int.from_bytes(os.urandom(10)) & _FREE
    digits = f"{(now // 1000) << 80 | _VERSION_7 | _VARIANT | chance:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
