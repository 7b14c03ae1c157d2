"""Waking: time passes for members who do nothing, by an ordinary clock activity each.

Nothing depends on it being on time: judging and reading carry out what is due themselves. It is for those who wait to
be told, and for journals that should say what happened when it happened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from laurels.core.calendar import Instant, format_instant
from laurels.core.refusal import Refusal
from laurels.intake.submission import SOURCE, ClockMoved, Outcome, Submission, UnknownProgram
from laurels.store.database import Database
from laurels.store.programs import program_row
from laurels.store.sql import named

DUE: Final = named("due")
UNSETTLED: Final = named("unsettled")

Wake = Callable[[str, Sequence[Submission]], Awaitable[list[Outcome]]]


async def move_clock(
    database: Database, program: str, to: Instant, wake: Wake, batch_most: int
) -> ClockMoved | Refusal:
    """Wakes everybody who has something due up to `to`, in the order in which it falls due, then sets the clock.

    Points that only wait to become available wake nobody by themselves. A command carries out that as well, last and
    at its end: whoever has such points is woken once, and each activation has its own instant.
    """
    row = await program_row(database, program)
    if row is None:
        raise UnknownProgram(program)
    if row.mode == "live":
        return Refusal("clock_is_real")
    if row.clock is not None and to < row.clock:
        return Refusal("clock_backwards", f"It is {format_instant(row.clock)}.")
    woken = 0
    before: list[Submission] = []
    while due := await _due(database, program, to, batch_most):
        if due == before:
            raise AssertionError(f"{program}: {due[0].member} is due again after everything was carried out")
        outcomes = await wake(program, due)
        woken += sum(outcome.status == "accepted" for outcome in outcomes)
        before = due
    last = ""
    while ids := [row["id"] for row in await database.pool.fetch(UNSETTLED, program, last, to, batch_most)]:
        outcomes = await wake(program, [Submission(SOURCE, f"clock/{id}/{to}", "clock", id, to, b"{}") for id in ids])
        woken += sum(outcome.status == "accepted" for outcome in outcomes)
        last = ids[-1]
    await database.pool.execute(
        "update program set clock = greatest(clock, $2) where id = $1 and mode <> 'live'", program, to
    )
    return ClockMoved(row.clock, to, woken)


async def sweep(database: Database, program: str, now: Instant, limit: int, wake: Wake) -> int:
    """Wakes at most `limit` members of a live program who have something due."""
    due = await _due(database, program, now, limit)
    if not due:
        return 0
    outcomes = await wake(program, due)
    return sum(outcome.status == "accepted" for outcome in outcomes)


async def _due(database: Database, program: str, until: Instant, most: int) -> list[Submission]:
    rows = await database.pool.fetch(DUE, program, until, most)
    return [
        Submission(SOURCE, f"clock/{row['id']}/{row['wake_at']}", "clock", row["id"], row["wake_at"], b"{}")
        for row in rows
    ]
