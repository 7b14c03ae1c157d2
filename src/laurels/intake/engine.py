"""The intake: activities in, outcomes out, each durable before it is answered.

`submit` sorts a request into lanes and waits; lanes batch what many requests bring; a batch is one transaction. What an
activity sends to other members leaves after its commit and is waited for by the request, never by a lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final
from zlib import crc32

import msgspec

from laurels.clock import Clock
from laurels.core.calendar import LAST_LIVED, Instant
from laurels.core.facts import FollowUp
from laurels.core.member import Member
from laurels.core.refusal import Refusal
from laurels.core.version import Versions
from laurels.intake import looking, waking
from laurels.intake.admission import Item, envelope_problems
from laurels.intake.batch import LOCK_MEMBERS, Batch
from laurels.intake.drawing import carry_out
from laurels.intake.follow_up import Letter, deliver, letters_of, open_letters
from laurels.intake.head import Heads, ReadProgram
from laurels.intake.lane import Lane, Request
from laurels.intake.settling import Settler
from laurels.intake.submission import ClockMoved, FollowUpOutcome, Outcome, Overloaded, Submission
from laurels.store.bucket import bucket_of
from laurels.store.database import Database
from laurels.store.draws import next_step_at
from laurels.store.programs import program_row
from laurels.store.reading import MemberRow

RETRY_AFTER_S: Final = 1


class Intake:
    """The write path of this process."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        read_program: ReadProgram,
        *,
        lanes: int = 2,
        batch_most: int = 500,
        waiting_most: int = 20_000,
        lock_members: str = LOCK_MEMBERS,
    ) -> None:
        """`read_program` turns a stored (checked) program document into its value."""
        self._database = database
        self._clock = clock
        self._heads = Heads(read_program)
        self._settlers = [Settler(database, self._heads, clock, lock_members=lock_members) for _ in range(lanes)]
        self._lanes = [Lane(settler.carry_out, batch_most) for settler in self._settlers]
        self._tasks: list[asyncio.Task[None]] = []
        self._errands: set[asyncio.Task[tuple[FollowUpOutcome, ...]]] = set()
        self._batch_most = batch_most
        self._waiting_most = waiting_most
        self._waiting = 0
        self._is_open = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self) -> None:
        """Lanes run from here on; follow-ups that a crash interrupted are picked up."""
        self._tasks = [asyncio.create_task(lane.work()) for lane in self._lanes]
        self._is_open = True
        await self.resume_outbox()

    async def stop(self) -> None:
        """Everything taken in is answered, then the lanes end."""
        self._is_open = False
        while self._waiting or self._errands:
            await self._idle.wait()
            if self._errands:
                await asyncio.wait(self._errands)
        for lane in self._lanes:
            lane.end()
        await asyncio.gather(*self._tasks)
        for settler in self._settlers:
            await settler.close()

    # --- writing ------------------------------------------------------------------------------------------------------

    async def submit(self, program: str, submissions: Sequence[Submission]) -> list[Outcome]:
        """What became of each submission, in the same order; recorded durably before this returns.

        Raises Overloaded, Unavailable, UnknownProgram.
        """
        if not self._is_open or (self._waiting and self._waiting + len(submissions) > self._waiting_most):
            raise Overloaded(RETRY_AFTER_S)
        items = [Item(submission) for submission in submissions]
        for item in items:
            problems = envelope_problems(item.submission, item.body, internal=False)
            if problems:
                item.outcome = item.invalid(*problems)
        return await self._submit(program, items)

    async def _submit(self, program: str, items: Sequence[Item]) -> list[Outcome]:
        """The same without the bound, for what was admitted before."""
        self._waiting += len(items)
        self._idle.clear()
        try:
            await self._line_up(program, items)
        finally:
            self._waiting -= len(items)
            if not self._waiting:
                self._idle.set()
        outcomes = [_outcome(item) for item in items]
        sending = [n for n, outcome in enumerate(outcomes) if any(type(fact) is FollowUp for fact in outcome.facts)]
        if sending:
            waited_for = await asyncio.gather(*[self._with_follow_ups(program, outcomes[n]) for n in sending])
            for n, outcome in zip(sending, waited_for, strict=True):
                outcomes[n] = outcome
        return outcomes

    async def _line_up(self, program: str, items: Sequence[Item]) -> None:
        """Returns when every item has its outcome."""
        head = await self._heads.of(self._database, program)
        declared = head.versions.declared
        by_lane: dict[int, list[Item]] = {}
        for item in items:
            if item.outcome is None:
                if declared is not None:
                    item.read(declared, head.number)
                # One lane serves a program whose clock moves with what comes in, so that it moves in one order.
                place = bucket_of(item.submission.member) if head.is_live else crc32(program.encode())
                by_lane.setdefault(place % len(self._lanes), []).append(item)
        request = Request(sum(map(len, by_lane.values())))
        for lane, part in by_lane.items():
            self._lanes[lane].put(program, request, part, in_order=not head.is_live)
        await request.settled()

    async def _with_follow_ups(self, program: str, outcome: Outcome) -> Outcome:
        sent = [fact.id for fact in outcome.facts if type(fact) is FollowUp]
        letters = await letters_of(self._database, program, outcome.member, sent)
        follow_ups = await asyncio.shield(self._errand(program, letters))
        return msgspec.structs.replace(outcome, follow_ups=follow_ups)

    def _errand(self, program: str, letters: Iterable[Letter]) -> asyncio.Task[tuple[FollowUpOutcome, ...]]:
        """Delivers follow-ups, whether or not anybody goes on waiting for it."""

        async def run() -> tuple[FollowUpOutcome, ...]:
            return tuple(
                await asyncio.gather(
                    *[deliver(letter, lambda item: self._submit(program, [item])) for letter in letters]
                )
            )

        task = asyncio.create_task(run())
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
        return task

    async def resume_outbox(self) -> int:
        """How many follow-ups that somebody left open were brought to an end."""
        ended = 0
        for program, letters in (await open_letters(self._database)).items():
            outcomes = await self._errand(program, letters)
            ended += sum(outcome.status is not None for outcome in outcomes)
        return ended

    async def move_clock(self, program: str, to: Instant) -> ClockMoved | Refusal:
        """Setup and sandbox: the clock stands at `to`, and everything due on the way was carried out in order."""
        if to > LAST_LIVED:
            return Refusal("clock_too_far")
        first: ClockMoved | None = None
        woken, is_stuck = 0, False
        while True:
            at = to if is_stuck else await self._next_step(program, to)
            moved = await waking.move_clock(self._database, program, at, self._wake, self._batch_most)
            if isinstance(moved, Refusal):
                return moved
            first, woken = first or moved, woken + moved.woken
            is_stuck = not await self.go_on_with_draws(program)
            if at == to and is_stuck:
                return ClockMoved(first.before, to, woken)

    async def _next_step(self, program: str, to: Instant) -> Instant:
        """The instant up to `to` at which a draw of a program with a clock of its own goes on; else `to`."""
        row = await program_row(self._database, program)
        if row is None or row.mode == "live" or (row.clock is not None and to < row.clock):
            return to
        due = await next_step_at(self._database, program)
        return to if due is None or due > to else max(due, row.clock or 0)

    async def go_on_with_draws(self, program: str) -> int:
        """Closes, draws and settles what is due of the program's draws; how many steps that took."""
        now = await self.now(program)
        if now is None:
            return 0
        return await carry_out(self._database, program, lambda: self.versions(program), now, self._wake)

    async def sweep(self, program: str, limit: int) -> int:
        """How many members were woken because something fell due; at most `limit`."""
        return await waking.sweep(self._database, program, self._clock.now(), limit, self._wake)

    async def _wake(self, program: str, submissions: Sequence[Submission]) -> list[Outcome]:
        return await self._submit(program, [Item(submission) for submission in submissions])

    # --- looking ------------------------------------------------------------------------------------------------------

    async def quote(self, program: str, submission: Submission) -> Outcome:
        """What would become of the submission now; nothing is recorded."""
        item = Item(submission)
        problems = envelope_problems(submission, item.body, internal=False)
        if problems:
            return item.invalid(*problems)
        async with self._database.pool.acquire() as connection:
            batch = Batch(connection, self._heads, program, [item], self._clock)
            return (await batch.foresee())[item]

    async def look(self, program: str, member: str, *prefixes: str) -> Member | None:
        """The member brought up to now for reading, with all documents whose keys begin with a prefix ("" for all).

        None for a member nobody enrolled. Nothing is recorded.
        """
        return await looking.look(self._database, self._heads, self._clock, program, member, prefixes)

    async def look_at_page(
        self, program: str, *, after: str, limit: int, query: str | None
    ) -> list[tuple[MemberRow, Member]]:
        """Members by id from after `after` on, each as stored and brought up to now; with `query` those it finds.

        It is the beginning of an id, name, phone or e-mail, or the whole of an identifier. Nothing is recorded.
        """
        return await looking.look_at_page(self._database, self._heads, self._clock, program, after, limit, query)

    async def now(self, program: str) -> Instant | None:
        """What time it is in the program; None where its own clock was never set."""
        return await looking.now(self._database, self._heads, self._clock, program)

    async def versions(self, program: str) -> Versions:
        """The program's version history, compiled, as of now."""
        async with self._database.pool.acquire() as connection:
            return (await self._heads.fresh(connection, program))[0].versions


def _outcome(item: Item) -> Outcome:
    assert item.outcome is not None, "a settled item has its outcome"
    return item.outcome
