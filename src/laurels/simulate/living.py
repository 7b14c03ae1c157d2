"""Feeding a replay: from what was recorded, or from files as an import would.

Recorded activities keep their instants of recording. Where members share something, a budget or points that go from
one to another, they are lived through in the order of recording; else member by member, so that each can be forgotten
when they are done.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, Final

import msgspec

from laurels.core.activity import Activity, Declared, Purchase, parse
from laurels.core.calendar import Instant
from laurels.core.decide import Circumstances, Decision
from laurels.core.facts import Priced, decode_facts
from laurels.core.member import Member
from laurels.core.program.model import Budget, Program
from laurels.core.refusal import Refusal
from laurels.core.version import Version, Versions
from laurels.intake.admission import Item, envelope_problems
from laurels.intake.importing.importer import nobody_known
from laurels.intake.importing.shaping import Shaped
from laurels.intake.sameness import StoredBody, is_same, with_text
from laurels.intake.submission import Outcome, Submission
from laurels.simulate.chance import ORDINARY, SEED, Chance
from laurels.simulate.figures import Figures, count
from laurels.simulate.replay import Replay
from laurels.store.circumstances import circumstances_of
from laurels.store.database import Connection
from laurels.store.people import Identifier
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
    """What came of a life: the figures, where every member stands, how far the clock came, and by what chance."""

    figures: Figures
    members: dict[str, Stand]
    now: Instant
    chance: Chance = ORDINARY


def _ready(program: Program, *, returns: bool, chance: Chance, played: Container[str]) -> tuple[Replay, Declared]:
    """A replay under a program as if it had been in effect from the beginning."""
    versions = Versions((Version(1, 0, program),))
    declared = versions.declared
    assert declared is not None

    def reread(body: bytes) -> Purchase:
        found = parse(source="", id="", type="purchase", member="", occurred_at=0, data=body, declared=declared)
        assert isinstance(found, Activity), "it was read before"
        assert isinstance(found.data, Purchase), "only purchases are kept"
        return found.data

    return Replay(versions, reread, returns=returns, chance=chance, played=played), declared


async def live_stored(
    connection: Connection,
    id: str,
    program: Program,
    now: Instant,
    tell: Tell = lambda _done: None,
    *,
    chance: Chance = ORDINARY,
    played: Container[str] = (),
) -> Lived:
    """The recorded life of the members of program `id`, under `program`. The connection is in a transaction.

    Draws are drawn by `chance`; of the instant draws in `played` each ticket is played as soon as it is had.
    """
    returns, transfers = await connection.fetchrow(
        "select exists (select from activity where program = $1 and type = 'return'), "
        "exists (select from outbox where program = $1)",
        id,
    )  # type: ignore[misc]  # a statement without a table has one row
    replay, declared = _ready(program, returns=returns, chance=chance, played=played)
    together = transfers or _is_shared(program)
    stands: dict[str, Stand] = {}
    present: str | None = None
    done = 0
    async for row in connection.cursor(IN_TIME if together else BY_MEMBER, id, prefetch=_FETCHED):
        member, _seq, source, activity, type_, occurred_at, recorded_at, stored, circumstances, texts, facts = row
        if not together and member != present:
            if present is not None:
                _end(replay, now, stands, present)
            present, replay.clock = member, 0
        body = with_text(stored.encode(), texts)
        given = circumstances_of(recorded_at, circumstances)
        priced = None if facts is None else _priced_in(facts)
        _submit(replay, declared, Submission(source, activity, type_, member, occurred_at, body), given, priced)
        done += 1
        if done % _FETCHED == 0:
            tell(done)
    tell(done)
    _end(replay, now, stands)
    return Lived(replay.figures, stands, now, chance)


def _is_shared(program: Program) -> bool:
    """Whether members have something in common that can run out: a budget, stock, a cause's yearly total."""
    limits = [each.limits for each in program.campaigns] + [each.limits for each in program.promotions]
    limits += [each.limits for each in program.vouchers]
    return (
        any(isinstance(limit, Budget) for some in limits for limit in some)
        or any(each.stock is not None for each in program.rewards)
        or any(each.yearly is not None for each in program.causes)
        or any(prize.quantity is not None for draw in program.draws for prize in draw.prizes)
    )


def _priced_in(facts: str) -> Priced | None:
    return next((fact for fact in decode_facts(facts) if isinstance(fact, Priced)), None)


class Rehearsal:
    """What an import of files into an empty program in setup would be: `take` their rows in order, then `end`.

    Rows are admitted and recognised as the intake does it, so that what an import refuses is refused here.
    """

    def __init__(self, program: Program, *, seed: str = SEED, played: Container[str] = ()) -> None:
        self._chance = Chance(seed)
        self._replay, self._declared = _ready(program, returns=True, chance=self._chance, played=played)
        self._accepted: dict[tuple[str, str], StoredBody] = {}

    def take(self, shaped: Shaped) -> Outcome | None:
        """What becomes of some rows; None where they do not make an activity."""
        outcome = None if shaped.submission is None else self._outcome(shaped.submission, shaped.identifier)
        figures = self._replay.figures
        if outcome is None:
            for fault in shaped.faults[:1]:
                count(figures.invalid, fault.code)
        elif outcome.status == "invalid":
            count(figures.invalid, outcome.problems[0].code)
        return outcome

    def _outcome(self, sent: Submission, identifier: Identifier | None) -> Outcome:
        if identifier is not None:
            count(self._replay.figures.refused, "unknown_member")
            return nobody_known(sent, identifier, " Identifiers are recorded in the database, which is not asked here.")
        item = Item(sent)
        problems = envelope_problems(sent, item.body, internal=False)
        if problems:
            return item.invalid(*problems)
        item.read(self._declared, 1)
        first = self._accepted.get((sent.source, sent.id))
        if first is not None and _is_repeated(first, item):
            return Outcome(sent.source, sent.id, sent.member, "replayed")
        if item.activity is None:
            return item.invalid(*item.problems)
        decided: Decision | Refusal
        if first is None:
            decided = self._replay.submit(item.activity, item.body)
        else:
            decided = Refusal("activity_conflict")
            count(self._replay.figures.refused, decided.code)
        if isinstance(decided, Refusal):
            return Outcome(sent.source, sent.id, sent.member, "refused", decided)
        self._accepted[sent.source, sent.id] = StoredBody(
            sent.type, sent.member, sent.occurred_at, item.body, False, None
        )
        return Outcome(sent.source, sent.id, sent.member, "accepted")

    def end(self, until: Instant = 0) -> Lived:
        """What came of it, or will have come of it until then; nothing can be taken after this."""
        stands: dict[str, Stand] = {}
        now = max(self._replay.clock, until)
        _end(self._replay, now, stands)
        return Lived(self._replay.figures, stands, now, self._chance)


def _is_repeated(first: StoredBody, item: Item) -> bool:
    sent = item.submission
    try:
        return is_same(first, sent.type, sent.member, sent.occurred_at, item.body)
    except msgspec.DecodeError:
        return False


def _submit(replay: Replay, declared: Declared, sent: Submission, given: Circumstances, priced: Priced | None) -> None:
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
        replay.submit(activity, body, given.recorded_at, given, priced)
    else:
        count(replay.figures.invalid, activity[0].code)


def _end(replay: Replay, now: Instant, stands: dict[str, Stand], member: str | None = None) -> None:
    for id, finished in replay.finish(now, member).items():
        stands[id] = stand_of(finished)
