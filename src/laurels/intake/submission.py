"""What goes into the intake and what comes out of it, as values.

A `Submission` is an activity as it was sent, its `data` still JSON. An `Outcome` says what became of it: business noes
are in it as refusals, malformed input as problems. What is raised instead concerns the whole request: `Overloaded` and
`Unavailable` say that nothing was decided yet and that the same request may come again, because ids make that safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from laurels.core.calendar import Instant
from laurels.core.facts import AnyFact, Moved
from laurels.core.member import Member
from laurels.core.refusal import Refusal
from laurels.core.shape import Problem

Status = Literal["accepted", "replayed", "refused", "invalid"]

SOURCE = "laurels"
"""The source of what Laurels itself submits: clock activities and follow-ups. No key may have it."""


class Submission(msgspec.Struct, frozen=True, gc=False):
    """An activity as sent in; identifiers are resolved to `member` already. Its body is all but source and id."""

    source: str
    id: str
    type: str
    member: str
    occurred_at: Instant
    data: msgspec.Raw | bytes


class FollowUpOutcome(msgspec.Struct, frozen=True, gc=False):
    """What became of an activity that another one sent to `member`.

    A refused one was compensated: the points went back to the sender's lots (`compensated`), or are about to, when the
    sender's answer could not wait for it (`status` None: neither side has answered yet, and it will be tried again).
    """

    member: str
    id: str
    status: Status | None
    refusal: Refusal | None = None
    compensated: bool = False


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of a submission.

    accepted: `facts` are recorded as the member's activity number `seq`. replayed: they were, earlier; `facts` are the
    first ones. `entries` are those that the facts make in the journal. refused and invalid wrote nothing. `version` is
    the newest version of the program that was known when it was decided; facts say by which one they were judged.
    `member_after` is the member's present state, when the member is known; for replays it is brought up to now. A
    problem whose code is `internal_error` is a defect of Laurels and not of the input; nothing was written for it
    either.
    """

    source: str
    id: str
    member: str
    status: Status
    refusal: Refusal | None = None
    problems: tuple[Problem, ...] = ()
    seq: int | None = None
    version: int | None = None
    recorded_at: Instant | None = None
    facts: tuple[AnyFact, ...] = ()
    entries: Sequence[Moved] = ()
    member_after: Member | None = None
    follow_ups: tuple[FollowUpOutcome, ...] = ()


class ClockMoved(msgspec.Struct, frozen=True):
    """The program's clock moved, and `woken` members had something fall due on the way."""

    before: Instant | None
    now: Instant
    woken: int


class Overloaded(Exception):  # noqa: N818 - it is an answer to the caller, not an error in the program
    """More is waiting than can be answered in good time; the request was not taken in. Try after `retry_after_s`."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many activities are waiting; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Unavailable(Exception):  # noqa: N818 - it is an answer to the caller, not an error in the program
    """The database did not take part of the request; what was not answered may be sent again with the same ids."""

    def __init__(self, why: str, retry_after_s: int = 1) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class UnknownProgram(LookupError):  # noqa: N818 - reads as what it is
    """There is no program with this id."""
