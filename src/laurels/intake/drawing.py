"""Draws going on: closed, drawn and settled when it is time, by whoever comes first.

Every step is found by looking, taken under the lock of the draw's row, and looked for again; a process that dies
between two steps leaves the next one to be found. Members' tickets enter by clock activities, and prizes reach members
as activities whose ids follow from draw, place and turn, so that what is sent twice is recorded once.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from laurels.core.calendar import Instant
from laurels.core.member import Tickets, tickets_key
from laurels.core.version import Versions
from laurels.intake.submission import SOURCE, Outcome, Submission
from laurels.store import draws
from laurels.store.database import Database
from laurels.store.draws import AwardRow, DrawRow
from laurels.store.reading import documents

Wake = Callable[[str, Sequence[Submission]], Awaitable[list[Outcome]]]

_TURNS_MOST: Final = 10_000
_log: Final = logging.getLogger("laurels.intake")


async def carry_out(database: Database, program: str, versions: Versions, now: Instant, wake: Wake) -> int:
    """Takes every step that is due at `now`; how many were taken. A draw that fails keeps no other one waiting."""
    taken = 0
    failure: Exception | None = None
    for row in await draws.draw_rows(database, program):
        if row.state == "settled":
            continue
        try:
            taken += await _Going(database, program, versions, now, wake, row.id).go_on()
        except Exception as error:  # noqa: BLE001 - it is raised when the others have gone on
            failure = failure or error
    if failure is not None:
        raise failure
    return taken


class _Going:
    """One draw going on, as of an instant."""

    def __init__(self, database: Database, program: str, versions: Versions, now: Instant, wake: Wake, id: str) -> None:
        self._database = database
        self._program = program
        self._zone = versions.judging(now).zone
        self._now = now
        self._wake = wake
        self._id = id

    async def go_on(self) -> int:
        """Takes one step after the other until none is due."""
        taken = 0
        while taken < _TURNS_MOST and await self._step():
            taken += 1
        return taken

    async def _step(self) -> bool:
        program, id, now = self._program, self._id, self._now
        async with self._database.pool.acquire() as connection:
            row = await draws.draw_row(connection, program, id)
            if row is None or row.state == "settled":
                return False
            if row.state == "open" and row.kind == "instant":
                return row.closes_at <= now and await draws.end(connection, program, id, now)
            if row.state == "open":
                return await draws.begin_closing(connection, program, id, now)
            if row.state == "closed":
                return await draws.draw_winners(connection, program, id, now, self._zone)
        if row.state == "closing":
            if not await self._enter(row):
                return False
            async with self._database.pool.acquire() as connection:
                return await draws.close(connection, program, id, now)
        return await self._settle(row)

    async def _enter(self, row: DrawRow) -> bool:
        """Everybody's tickets enter; whether nobody's are missing."""
        after: str | None = ""
        while after is not None:
            waiting, next_after = await draws.not_entered(self._database, self._program, row.id, after)
            if waiting:
                outcomes = await self._wake(
                    self._program,
                    [
                        Submission(SOURCE, f"draw/{row.id}/close/{member}", "clock", member, row.closes_at, b"{}")
                        for member in waiting
                    ],
                )
                for outcome in outcomes:
                    if outcome.status not in ("accepted", "replayed"):
                        _log.error("tickets of %s cannot enter %s: %s", outcome.member, row.id, outcome.refusal)
                still, _ = await draws.not_entered(self._database, self._program, row.id, after)
                if still:
                    return False
            after = next_after
        return True

    async def _settle(self, row: DrawRow) -> bool:
        """Sends out what is pending, and sees what became of what waits to be claimed; whether anything changed."""
        for award in await draws.award_rows(self._database, self._program, row.id):
            status = award.status
            if award.status == "pending":
                status = await self._send(row, award)
            elif award.status == "open":
                status = await self._seen(award)
            if status != award.status:
                async with self._database.pool.acquire() as connection:
                    await draws.settle_award(
                        connection, self._program, row.id, award, status, self._now, self._zone
                    )  # fmt: skip
                return True
        async with self._database.pool.acquire() as connection:
            return await draws.end(connection, self._program, row.id, self._now)

    async def _send(self, row: DrawRow, award: AwardRow) -> str:
        member = await draws.member_of(self._database, self._program, row.id, award.number)
        assert member is not None, f"{award.number} is in no entry of {row.id}"
        terms = next(each for each in row.announcement.prizes if each.prize == award.prize)
        body = {
            "draw": row.id,
            "place": award.place,
            "prize": award.prize,
            "ticket": award.ticket,
            "quantity": terms.quantity,
            "wallet": terms.wallet,
            "points": terms.points,
            "until": award.until,
        }
        id = f"draw/{row.id}/{award.place}/{award.turn}"
        sent = Submission(SOURCE, id, "draw_prize", member, award.at, msgspec.json.encode(body))
        (outcome,) = await self._wake(self._program, [sent])
        if outcome.status in ("accepted", "replayed"):
            return "open" if terms.wallet is None else "given"
        if outcome.status == "refused":
            _log.warning("the prize of place %s of %s is refused: %s", award.place, row.id, outcome.refusal)
            return "refused"
        _log.error("the prize of place %s of %s cannot be given: %s", award.place, row.id, outcome.problems)
        return award.status

    async def _seen(self, award: AwardRow) -> str:
        """What became of a prize that waited to be claimed; the member is woken when its time is over."""
        program, id = self._program, self._id
        member = await draws.member_of(self._database, program, id, award.number)
        assert member is not None
        if award.until is not None and award.until <= self._now:
            name = f"draw/{id}/{award.place}/{award.turn}/over"
            await self._wake(program, [Submission(SOURCE, name, "clock", member, award.until, b"{}")])
        key = tickets_key(id)
        found = (await documents(self._database, program, member, keys=[key])).get(key)
        won = found.won if isinstance(found, Tickets) else ()
        return next((each.status for each in won if each.place == award.place), award.status)
