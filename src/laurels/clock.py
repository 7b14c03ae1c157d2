"""The time of day as a value that is handed in: whoever needs it is given a clock, and tests give one that stands.

An instant is microseconds since 1970 UTC. The operating system's clock may step back; what is recorded for a member
never does, because the write path takes the later of the clock and what was recorded before.
"""

import time
from typing import Protocol

import msgspec

from laurels.core.calendar import Instant


class Clock(Protocol):
    """Tells what time it is."""

    def now(self) -> Instant:
        """The present instant."""
        ...


class RealClock(msgspec.Struct, frozen=True):
    """The clock of the operating system."""

    def now(self) -> Instant:
        """The present instant, to the microsecond."""
        return time.time_ns() // 1000


class SetClock(msgspec.Struct):
    """A clock that stands until it is set."""

    at: Instant

    def now(self) -> Instant:
        """The instant it was set to."""
        return self.at
