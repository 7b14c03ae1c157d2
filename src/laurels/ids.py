"""Ids for the outside: UUIDv7 (RFC 9562), whose text sorts by the millisecond in which it was made.

The instant comes from a clock that is handed in, the rest is chance: two processes never need to agree on anything.
Chance is drawn from the system for many ids at a time, and never twice: a process that was forked draws its own.
"""

from __future__ import annotations

import os
from typing import Final

from laurels.core.calendar import Instant

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_FREE = (0xFFF << 64) | ((1 << 62) - 1)
"""The bits that are left to chance."""


_SHARE: Final = 10
_SHARES: Final = 400


class Chance:
    """Random bytes of the operating system, asked for many times as much as is given at once."""

    def __init__(self) -> None:
        self._shares: list[bytes] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.forget)

    def share(self) -> bytes:
        """Ten bytes that nobody gets again."""
        try:
            return self._shares.pop()
        except IndexError:
            drawn = os.urandom(_SHARE * _SHARES)
            self._shares.extend([drawn[n : n + _SHARE] for n in range(_SHARE, len(drawn), _SHARE)])
            return drawn[:_SHARE]

    def forget(self) -> None:
        """What was drawn for another process is not given here."""
        self._shares = []


_share: Final = Chance().share


def chance() -> str:
    """128 bits of chance as 32 hex digits, for a decision that may need them."""
    return os.urandom(16).hex()


def new_id(now: Instant) -> str:
    """A UUIDv7 made at `now`, in its 36 characters."""
    chance = int.from_bytes(_share()) & _FREE
    digits = f"{(now // 1000) << 80 | _VERSION_7 | _VARIANT | chance:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
