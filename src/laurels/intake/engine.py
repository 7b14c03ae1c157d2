"""The intake: activities in, outcomes out, each durable before it is answered.

(Interface; the body follows.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from laurels.clock import Clock
from laurels.core.calendar import Instant
from laurels.core.member import Member
from laurels.core.program.model import Program
from laurels.core.refusal import Refusal
from laurels.core.version import Versions
from laurels.intake.submission import ClockMoved, Outcome, Submission
from laurels.store.database import Database


class Intake:
    """The write path of this process."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        read_program: Callable[[str], Program],
        *,
        lanes: int = 2,
        batch_most: int = 500,
        waiting_most: int = 20_000,
    ) -> None:
        """`read_program` turns a stored (checked) program document into its value."""
        raise NotImplementedError

    async def start(self) -> None:
        """Lanes run from here on; follow-ups that a crash interrupted are picked up."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Everything taken in is answered, then the lanes end."""
        raise NotImplementedError

    async def submit(self, program: str, submissions: Sequence[Submission]) -> list[Outcome]:
        """What became of each submission, in the same order; recorded durably before this returns.

        Raises Overloaded, Unavailable, UnknownProgram.
        """
        raise NotImplementedError

    async def quote(self, program: str, submission: Submission) -> Outcome:
        """What would become of the submission now; nothing is recorded."""
        raise NotImplementedError

    async def look(self, program: str, member: str, *prefixes: str) -> Member | None:
        """The member brought up to now for reading, with all documents whose keys begin with a prefix ("" for all).

        None for a member nobody enrolled. Nothing is recorded.
        """
        raise NotImplementedError

    async def now(self, program: str) -> Instant | None:
        """What time it is in the program; None where its own clock was never set."""
        raise NotImplementedError

    async def versions(self, program: str) -> Versions:
        """The program's version history, compiled, as of now."""
        raise NotImplementedError

    async def move_clock(self, program: str, to: Instant) -> ClockMoved | Refusal:
        """Setup and sandbox: the clock stands at `to`, and everything due on the way was carried out in order."""
        raise NotImplementedError

    async def sweep(self, program: str, limit: int) -> int:
        """How many members were woken because something fell due; at most `limit`."""
        raise NotImplementedError

    async def resume_outbox(self) -> int:
        """How many follow-ups that somebody left open were brought to an end."""
        raise NotImplementedError
