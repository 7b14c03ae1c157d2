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

from laurels.core.calendar import Instant, Zone
from laurels.core.version import Versions
from laurels.intake.submission import SOURCE, Outcome, Submission
from laurels.store import draws
from laurels.store.database import Database
from laurels.store.draws import DrawRow, DueAward

Wake = Callable[[str, Sequence[Submission]], Awaitable[list[Outcome]]]

_PAGE: Final = 100
_TURNS_MOST: Final = 10_000
_log: Final = logging.getLogger("laurels.intake")


async def carry_out(
    database: Database, program: str, versions: Callable[[], Awaitable[Versions]], now: Instant, wake: Wake
) -> int:
    """Takes every step that is due at `now`; how many were taken. A draw that fails keeps no other one waiting.

    Where nothing is due that is one statement and no more.
    """
    taken = 0
    failure: Exception | None = None
    zone: Zone | None = None
    after = ""
    while due := await draws.due_draws(database, program, now, after, _PAGE):
        zone = zone or (await versions()).judging(now).zone
        for id in due:
            try:
                taken += await _Going(database, program, zone, now, wake, id).go_on()
            except Exception as error:  # noqa: BLE001 - it is raised when the others have gone on
                failure = failure or error
        after = due[-1]
    if failure is not None:
        raise failure
    return taken


class _Going:
    """One draw going on, as of an instant."""

    def __init__(self, database: Database, program: str, zone: Zone, now: Instant, wake: Wake, id: str) -> None:
        self._database = database
        self._program = program
        self._zone = zone
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
        program, id, now = self._program, self._id, self._now
        changed = 0
        after = (0, -1)
        while due := await draws.due_awards(self._database, program, id, now, after):
            settled = await self._send(row, [each for each in due if each.award.status == "pending"])
            settled += await self._see([each for each in due if each.award.status == "open"])
            async with self._database.pool.acquire() as connection:
                changed += await draws.settle_awards(connection, program, id, settled, now, self._zone)
            after = (due[-1].award.place, due[-1].award.turn)
        if changed:
            return True
        async with self._database.pool.acquire() as connection:
            return await draws.end(connection, program, id, now)

    async def _send(self, row: DrawRow, due: Sequence[DueAward]) -> list[tuple[DueAward, str]]:
        """Prizes that are pending are sent to whom they were drawn for; what became of each."""
        if not due:
            return []
        terms = {each.prize: each for each in row.announcement.prizes}
        sent = []
        for each in due:
            award, prize = each.award, terms[each.award.prize]
            body = {
                "draw": row.id,
                "place": award.place,
                "prize": award.prize,
                "ticket": award.ticket,
                "quantity": prize.quantity,
                "wallet": prize.wallet,
                "points": prize.points,
                "voucher": prize.voucher,
                "until": award.until,
            }
            id = f"draw/{row.id}/{award.place}/{award.turn}"
            sent.append(Submission(SOURCE, id, "draw_prize", each.member, award.at, msgspec.json.encode(body)))
        found = []
        for each, outcome in zip(due, await self._wake(self._program, sent), strict=True):
            place = each.award.place
            if outcome.status in ("accepted", "replayed"):
                status = "given" if terms[each.award.prize].is_given else "open"
            elif outcome.status == "refused":
                _log.warning("the prize of place %s of %s is refused: %s", place, row.id, outcome.refusal)
                status = "refused"
            else:
                _log.error("the prize of place %s of %s cannot be given: %s", place, row.id, outcome.problems)
                status = each.award.status
            found.append((each, status))
        return found

    async def _see(self, due: Sequence[DueAward]) -> list[tuple[DueAward, str]]:
        """What became of prizes that waited to be claimed. Whose time is over is woken, and who was erased forfeits."""
        if not due:
            return []
        program, id = self._program, self._id
        ending = []
        for each in due:
            award = each.award
            name = f"draw/{id}/{award.place}/{award.turn}"
            if each.is_sealed:
                body = msgspec.json.encode({"draw": id, "place": award.place})
                ending.append(Submission(SOURCE, f"{name}/erased", "draw_forfeit", each.member, self._now, body))
            elif award.until is not None and award.until <= self._now:
                ending.append(Submission(SOURCE, f"{name}/over", "clock", each.member, award.until, b"{}"))
        if ending:
            for outcome in await self._wake(program, ending):
                if outcome.status not in ("accepted", "replayed"):
                    _log.error("a prize of %s cannot be forfeited: %s", id, outcome.refusal or outcome.problems)
        parts = await draws.parts_in(self._database, program, id, sorted({each.member for each in due}))
        found = []
        for each in due:
            won = parts[each.member].won if each.member in parts else ()
            status = next((one.status for one in won if one.place == each.award.place), each.award.status)
            found.append((each, status))
        return found
