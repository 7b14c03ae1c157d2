"""The public record of a draw as of an instant, made from what is stored: nothing in it is secret any more by then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from laurels.core.calendar import MICROSECONDS_PER_MINUTE, Instant, Zone, format_instant
from laurels.core.draw import Entry, day_key, entry_of, number_of
from laurels.core.draw_record import Award, AwardStatus, Closing, Day, Play, Record, Winner, places_of, sealed
from laurels.core.facts import TicketPlayed, decode_facts
from laurels.store.database import Connection, Database
from laurels.store.draws import AwardRow, DrawRow, OpenDraw, award_rows, draw_row, entries_of, secrets_if_any
from laurels.store.sql import named

PLAYS: Final = named("plays")

HELD_BACK: Final = 10 * MICROSECONDS_PER_MINUTE
"""How long the key of a day that is over stays secret: no server's clock may be so slow that it still plays then."""

_STATUS: Final[dict[str, AwardStatus]] = {
    "pending": "open",
    "open": "open",
    "given": "given",
    "claimed": "claimed",
    "forfeited": "forfeited",
    "refused": "refused",
}


async def public_record(database: Database, program: str, id: str, now: Instant, zone: Zone) -> Record | None:
    """All that is public of the draw at `now`, as of one instant of the database; None if there is no such draw."""
    async with (
        database.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        stored = await read(connection, program, id, now, zone)
    # What was read is hashed when nobody waits for the connection any more.
    return None if stored is None else await asyncio.to_thread(recorded, stored)


class Stored(msgspec.Struct, frozen=True):
    """What the record of a draw is made of. `over` are the days whose keys are public, `plays` rows of their plays."""

    row: DrawRow
    entries: list[Entry]
    awards: list[AwardRow]
    hidden: OpenDraw | None
    over: list[str]
    plays: Sequence[Any]


async def read(connection: Connection, program: str, id: str, now: Instant, zone: Zone) -> Stored | None:
    """What the draw's record is made of, read within the transaction of the connection."""
    row = await draw_row(connection, program, id)
    if row is None:
        return None
    is_scheduled = row.kind == "scheduled"
    entries = await entries_of(connection, program, id) if is_scheduled and row.drawn_at is not None else []
    awards = await award_rows(connection, program, id)
    hidden, over, plays = None, [], []
    if not is_scheduled:
        hidden = await secrets_if_any(connection, program, id)
        # Days that are over: nobody can play with their keys any more.
        today = zone.local(now - HELD_BACK).date
        over = [each.day for each in row.announcement.days if each.day < today or row.state != "open"]
        plays = await connection.fetch(PLAYS, program, id) if over else []
    return Stored(row, entries, awards, hidden, over, plays)


def recorded(stored: Stored) -> Record:
    """The record made of what was read."""
    row = stored.row
    closing = None
    if row.closed_at is not None and row.root is not None and row.entries is not None:
        closing = Closing(format_instant(row.closed_at), row.entries, row.root.hex())
    prizes = places_of(row.announcement) if row.kind == "scheduled" else []
    awards = [
        Award(each.place, each.prize, Entry(each.number, each.ticket).text, each.alternate, _STATUS[each.status])
        for each in stored.awards
    ]
    return sealed(
        announcement=row.announcement,
        replaced=row.replaced,
        closing=closing,
        entries=tuple([entry.text for entry in stored.entries]),
        seed=row.seed.hex() if row.seed is not None else None,
        drawn_at=None if row.drawn_at is None else format_instant(row.drawn_at),
        winners=tuple(
            [Winner(n, prize, entry) for n, (entry, prize) in enumerate(zip(row.winners, prizes, strict=False), 1)]
        ),
        alternates=row.alternates,
        awards=tuple(awards),
        days=_days(stored),
    )


def _days(stored: Stored) -> tuple[Day, ...]:
    hidden = stored.hidden
    if hidden is None:
        return ()
    plays: dict[str, list[Play]] = {day: [] for day in stored.over}
    for each in stored.plays:
        for fact in decode_facts(each["facts"]):
            if isinstance(fact, TicketPlayed) and fact.day in plays:
                entry = Entry(number_of(hidden.numbers, each["member"]), fact.ticket)
                plays[fact.day].append(Play(entry.text, fact.drawn, fact.given))
    return tuple(
        [
            Day(day, day_key(hidden.seed, day).hex(), tuple(sorted(played, key=lambda play: entry_of(play.entry))))
            for day, played in plays.items()
        ]
    )


def written(record: Record) -> bytes:
    """The record as a file."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"
