"""Verifying a database: one snapshot of it, cut into ranges of members, judged by several processes.

All of them see the same snapshot, so it makes no difference what is recorded meanwhile. Which ranges are done is kept
in the database, and a run that was interrupted can go on behind them.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import queue
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from typing import Any, Final

import asyncpg
import msgspec

from laurels.clock import Clock
from laurels.core.calendar import Instant
from laurels.proof.difference import Difference
from laurels.proof.draws import judge_draws
from laurels.proof.member import Counted
from laurels.proof.reach import Reach, judge_reach
from laurels.proof.whole import (
    judge_clock,
    judge_codes,
    judge_ids,
    judge_outbox,
    judge_pools,
    judge_strays,
    judge_versions,
)
from laurels.store import imports
from laurels.store.database import Connection, Database
from laurels.store.sql import named

REACHES: Final = named("verify_reaches")

ACTIVITIES_PER_REACH: Final = 4000
WORTH_PROCESSES: Final = 8000
"""Activities from which on it pays to start processes."""

DIFFERENCES_MOST: Final = 10_000
_PROGRESS: Final = "verify"


class Verdict(msgspec.Struct):
    """What verifying found. `resumed_at` is the member behind which an interrupted run was taken up."""

    differences: list[Difference] = []
    counted: Counted = msgspec.field(default_factory=Counted)
    programs: list[str] = []
    resumed_at: str | None = None
    notes: list[str] = []

    @property
    def is_clean(self) -> bool:
        """Whether everything is what it must be."""
        return not self.differences


class _Kept(msgspec.Struct):
    """What an interrupted run leaves: everything up to a member is judged."""

    after: str
    activities: int
    counted: Counted
    differences: list[Difference]


Told = Callable[[int, int], None]
"""Is told how many activities of how many are judged."""


async def verify(
    url: str,
    database: Database,
    clock: Clock,
    programs: Sequence[str] | None = None,
    *,
    processes: int | None = None,
    resume: bool = False,
    tell: Told = lambda _done, _total: None,
) -> Verdict:
    """Judges these programs, or the whole database. Writes nothing but how far it has come."""
    verdict = Verdict()
    async with database.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        # It only waits while others work, for as long as that takes.
        await connection.execute("set local idle_in_transaction_session_timeout = 0")
        snapshot = await connection.fetchval("select pg_export_snapshot()")
        if programs is None:
            verdict.differences += await judge_strays(connection)
            programs = [row[0] for row in await connection.fetch("select id from program order by id")]
        verdict.programs = list(programs)
        for program in programs:
            run = _Run(url, database, clock, program, snapshot, processes or os.cpu_count() or 1, tell)
            await run.judge(connection, verdict, resume=resume)
    return verdict


async def verify_member(database: Database, program: str, member: str) -> Verdict:
    """Judges one member, and the versions of the program."""
    verdict = Verdict(programs=[program])
    async with database.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        differences, history = await judge_versions(connection, program)
        before = await connection.fetchval("select max(id) from member where program = $1 and id < $2", program, member)
        found, verdict.counted = await judge_reach(connection, history, Reach(program, before or "", member))
        verdict.differences = differences + [each for each in found if each.member == member]
    return verdict


class _Run:
    """One program being judged."""

    def __init__(
        self, url: str, database: Database, clock: Clock, program: str, snapshot: str, processes: int, tell: Told
    ) -> None:
        self._url = url
        self._database = database
        self._clock = clock
        self._program = program
        self._snapshot = snapshot
        self._processes = processes
        self._tell = tell
        self._done = 0
        self._total = 0

    async def judge(self, connection: Connection, verdict: Verdict, *, resume: bool) -> None:
        program = self._program
        differences, history = await judge_versions(connection, program)
        differences += await judge_ids(connection, program)
        differences += await judge_draws(connection, program, history, await self._now(connection))
        kept = await self._kept() if resume else None
        self._total = await connection.fetchval(
            "select coalesce(sum(seq), 0)::bigint from member where program = $1", program
        )
        state = kept or _Kept("", 0, Counted(), [])
        self._done = state.activities
        if kept is not None:
            verdict.resumed_at = kept.after
        reaches = await self._reaches(connection, state.after)
        if self._total - self._done >= WORTH_PROCESSES and self._processes > 1:
            await self._judge_apart(reaches, state)
        else:
            for reach in reaches:
                found, counted = await judge_reach(connection, history, reach, self._on_page)
                await self._keep(state, reach, found, counted)
        if kept is not None and state.counted.activities != self._total:
            verdict.notes.append(
                f"{program}: activities were recorded since the run that was taken up, so what sums over all of them "
                "(pools, points in transit) was not judged"
            )
        else:
            differences += await judge_pools(connection, program, state.counted)
            differences += await judge_codes(connection, program)
            differences += await judge_outbox(connection, program, state.counted)
            differences += await judge_clock(connection, program, state.counted)
        verdict.differences += differences + state.differences
        verdict.counted.add(state.counted)
        await imports.forget_progress(self._database, program, _PROGRESS)

    async def _now(self, connection: Connection) -> Instant:
        """What time it is in the program."""
        own = await connection.fetchval("select clock from program where id = $1 and mode <> 'live'", self._program)
        return self._clock.now() if own is None else own

    async def _reaches(self, connection: Connection, after: str) -> list[Reach]:
        rows = await connection.fetch(REACHES, self._program, ACTIVITIES_PER_REACH, after)
        ends = [row[0] for row in rows]
        # The last one reaches to the end of the tables, whatever lies there.
        return [
            Reach(self._program, begin, end) for begin, end in zip([after, *ends], [*ends, None], strict=True)
        ]  # fmt: skip

    def _on_page(self, count: int) -> None:
        self._done += count
        self._tell(self._done, max(self._total, self._done))

    async def _kept(self) -> _Kept | None:
        found = await imports.progress_of(self._database, self._program, _PROGRESS)
        return None if found is None else msgspec.json.decode(found.detail, type=_Kept)

    async def _keep(self, state: _Kept, reach: Reach, found: list[Difference], counted: Counted) -> None:
        """Takes in the outcome of the next range, in order."""
        state.counted.add(counted)
        state.differences += found[: DIFFERENCES_MOST - len(state.differences)]
        state.activities += counted.activities
        if reach.upto is None:
            return
        state.after = reach.upto
        detail = msgspec.json.encode(state).decode()
        progress = imports.Progress(state.activities, detail)
        await imports.keep_progress(self._database, self._clock, self._program, _PROGRESS, progress)

    async def _judge_apart(self, reaches: list[Reach], state: _Kept) -> None:
        """Has processes judge the ranges; takes their outcomes in, in order."""
        context = multiprocessing.get_context("spawn")
        tasks: multiprocessing.Queue[tuple[int, Reach] | None] = context.Queue()
        answers: multiprocessing.Queue[_Answer] = context.Queue()
        count = min(self._processes, len(reaches))
        workers = [
            context.Process(target=_work, args=(self._url, self._program, self._snapshot, tasks, answers), daemon=True)
            for _ in range(count)
        ]
        for task in (*enumerate(reaches), *([None] * count)):
            tasks.put(task)
        for worker in workers:
            worker.start()
        try:
            outcomes: dict[int, tuple[list[Difference], Counted]] = {}
            following = 0
            while following < len(reaches):
                answer = await asyncio.to_thread(_next_answer, answers, workers)
                if answer.reach is None:
                    self._on_page(answer.activities)
                    continue
                assert answer.counted is not None
                outcomes[answer.reach] = (answer.differences, answer.counted)
                while following in outcomes:
                    await self._keep(state, reaches[following], *outcomes.pop(following))
                    following += 1
        finally:
            for worker in workers:
                worker.terminate()
                worker.join()


class _Answer(msgspec.Struct, frozen=True):
    """From a process: some activities are judged, or a whole range is, by its place."""

    activities: int = 0
    reach: int | None = None
    differences: list[Difference] = []
    counted: Counted | None = None
    failure: str | None = None


class ProcessFailed(Exception):  # noqa: N818 - reads as what it is
    """A process that judged ended before its time."""


def _next_answer(answers: Any, workers: Sequence[BaseProcess]) -> _Answer:
    while True:
        try:
            answer: _Answer = answers.get(timeout=1)
        except queue.Empty:
            if not any(worker.is_alive() for worker in workers):
                raise ProcessFailed("the processes that judge ended before their time") from None
            continue
        if answer.failure is not None:
            raise ProcessFailed(answer.failure)
        return answer


def _work(url: str, program: str, snapshot: str, tasks: Any, answers: Any) -> None:
    """What a process does: judges range after range."""
    # What was imported stays; looking at it again and again would find no garbage in it.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    try:
        asyncio.run(_judge_tasks(url, program, snapshot, tasks, answers))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        answers.put(_Answer(failure=f"the database went away: {error}"))
    except Exception as error:
        answers.put(_Answer(failure=repr(error)))
        raise


async def _judge_tasks(url: str, program: str, snapshot: str, tasks: Any, answers: Any) -> None:
    database = await Database.open(url, connections_most=1, patience_seconds=None)
    async with database.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        await connection.execute(f"set transaction snapshot '{snapshot}'")
        await connection.execute("set local idle_in_transaction_session_timeout = 0")
        _differences, history = await judge_versions(connection, program)
        # Blocking the loop while waiting for work is right here: nothing else runs in it.
        while (task := tasks.get()) is not None:
            place, reach = task
            found, counted = await judge_reach(
                connection, history, reach, lambda count: answers.put(_Answer(activities=count))
            )
            answers.put(_Answer(0, place, found, counted))
    await database.close()
