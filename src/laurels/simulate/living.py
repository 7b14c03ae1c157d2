"""Feeding a replay: from what was recorded, or from files as an import would.

Recorded activities keep their instants of recording. Where members share something, a budget or points that go from
one to another, they are lived through in the order of recording; else member by member, so that each can be forgotten
when they are done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from laurels.core.activity import Activity, Declared, Purchase, parse
from laurels.core.calendar import Instant
from laurels.core.member import Member
from laurels.core.program.model import Budget, Program
from laurels.core.version import Version, Versions
from laurels.intake.importing.shaping import Shaped
from laurels.intake.sameness import with_text
from laurels.intake.submission import Submission
from laurels.simulate.figures import Figures, count
from laurels.simulate.replay import Replay
from laurels.store.database import Connection
from laurels.store.sql import named

BY_MEMBER: Final = named("replay_stored")
IN_TIME: Final = named("replay_stored_in_time")
_FETCHED: Final = 1000

Tell = Callable[[int], None]


class Stand(msgspec.Struct, frozen=True):
    """What a member has, by wallet, and where they stand, by track."""

    points: dict[str, int]
    tiers: dict[str, str]


def stand_of(member: Member) -> Stand:
    """What comparing needs to remember of a member."""
    root = member.root
    return Stand(
        {wallet: b.available + b.pending + b.held - b.debt for wallet, b in root.wallets.items()},
        {track: standing.tier for track, standing in root.tracks.items()},
    )


class Lived(msgspec.Struct, frozen=True):
    """What came of a life: the figures, where every member stands, and how far the clock came."""

    figures: Figures
    members: dict[str, Stand]
    now: Instant


def _ready(program: Program, *, returns: bool) -> tuple[Replay, Declared]:
    """A replay under a program as if it had been in effect from the beginning."""
    versions = Versions((Version(1, 0, program),))
    declared = versions.declared
    assert declared is not None

    def reread(body: bytes) -> Purchase:
        found = parse(source="", id="", type="purchase", member="", occurred_at=0, data=body, declared=declared)
        assert isinstance(found, Activity), "it was read before"
        assert isinstance(found.data, Purchase), "only purchases are kept"
        return found.data

    return Replay(versions, reread, returns=returns), declared


async def live_stored(
    connection: Connection, id: str, program: Program, now: Instant, tell: Tell = lambda _done: None
) -> Lived:
    """The recorded life of the members of program `id`, under `program`. The connection is in a transaction."""
    returns, transfers = await connection.fetchrow(
        "select exists (select from activity where program = $1 and type = 'return'), "
        "exists (select from outbox where program = $1)",
        id,
    )  # type: ignore[misc]  # a statement without a table has one row
    replay, declared = _ready(program, returns=returns)
    together = transfers or any(
        isinstance(limit, Budget) for campaign in program.campaigns for limit in campaign.limits
    )
    stands: dict[str, Stand] = {}
    present: str | None = None
    done = 0
    async for row in connection.cursor(IN_TIME if together else BY_MEMBER, id, prefetch=_FETCHED):
        member, _seq, source, activity, type_, occurred_at, recorded_at, stored, texts = row
        if not together and member != present:
            if present is not None:
                _end(replay, now, stands, present)
            present, replay.clock = member, 0
        body = with_text(stored.encode(), texts)
        _submit(replay, declared, Submission(source, activity, type_, member, occurred_at, body), recorded_at)
        done += 1
        if done % _FETCHED == 0:
            tell(done)
    tell(done)
    _end(replay, now, stands)
    return Lived(replay.figures, stands, now)


def live_files(program: Program, stream: Iterable[Shaped], tell: Tell = lambda _done: None) -> Lived:
    """The life that an import of the stream into an empty program in setup would be."""
    replay, declared = _ready(program, returns=True)
    for done, shaped in enumerate(stream, 1):
        if shaped.submission is None:
            for fault in shaped.faults[:1]:
                count(replay.figures.invalid, fault.code)
        elif shaped.identifier is not None:
            count(replay.figures.invalid, "identifier")
        else:
            _submit(replay, declared, shaped.submission, None)
        if done % _FETCHED == 0:
            tell(done)
    stands: dict[str, Stand] = {}
    now = replay.clock
    _end(replay, now, stands)
    return Lived(replay.figures, stands, now)


def _submit(replay: Replay, declared: Declared, sent: Submission, recorded_at: Instant | None) -> None:
    body: Any = sent.data
    activity = parse(
        source=sent.source,
        id=sent.id,
        type=sent.type,
        member=sent.member,
        occurred_at=sent.occurred_at,
        data=body,
        declared=declared,
    )
    if isinstance(activity, Activity):
        replay.submit(activity, body, recorded_at)
    else:
        count(replay.figures.invalid, activity[0].code)


def _end(replay: Replay, now: Instant, stands: dict[str, Stand], member: str | None = None) -> None:
    for id, finished in replay.finish(now, member).items():
        stands[id] = stand_of(finished)
