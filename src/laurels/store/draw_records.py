"""The public record of a draw as of an instant, made from what is stored: nothing in it is secret any more by then."""

from __future__ import annotations

from typing import Final

import msgspec

from laurels.core.calendar import MICROSECONDS_PER_MINUTE, Instant, Zone, format_instant
from laurels.core.draw import Entry, day_key, entry_of, number_of
from laurels.core.draw_record import Award, AwardStatus, Closing, Day, Play, Record, Winner, places_of, sealed
from laurels.core.facts import TicketPlayed, decode_facts
from laurels.store.database import Database
from laurels.store.draws import DrawRow, award_rows, draw_row, entries_of, secrets_of
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
    """All that is public of the draw at `now`; None if there is no such draw."""
    row = await draw_row(database, program, id)
    if row is None:
        return None
    is_drawn = row.state in ("drawn", "settled") and row.drawn_at is not None
    closing = None
    if row.closed_at is not None and row.root is not None and row.entries is not None:
        closing = Closing(format_instant(row.closed_at), row.entries, row.root.hex())
    prizes = places_of(row.announcement) if row.kind == "scheduled" else []
    entries = await entries_of(database, program, id) if is_drawn and row.kind == "scheduled" else []
    awards = [
        Award(each.place, each.prize, Entry(each.number, each.ticket).text, each.alternate, _STATUS[each.status])
        for each in await award_rows(database, program, id)
    ]
    return sealed(
        announcement=row.announcement,
        replaced=row.replaced,
        closing=closing,
        entries=tuple([entry.text for entry in sorted(entries)]),
        seed=row.seed.hex() if row.seed is not None else None,
        drawn_at=None if row.drawn_at is None else format_instant(row.drawn_at),
        winners=tuple([Winner(n, prizes[n - 1], entry) for n, entry in enumerate(row.winners, 1)]),
        alternates=row.alternates,
        awards=tuple(awards),
        days=await _days(database, program, row, now, zone),
    )


async def _days(database: Database, program: str, row: DrawRow, now: Instant, zone: Zone) -> tuple[Day, ...]:
    """The days of an instant draw that are over: nobody can play with their keys any more."""
    if row.kind != "instant":
        return ()
    today = zone.local(now - HELD_BACK).date
    over = [each.day for each in row.announcement.days if each.day < today or row.state != "open"]
    hidden = await secrets_of(database, program, row.id)
    plays: dict[str, list[Play]] = {day: [] for day in over}
    for stored in await database.pool.fetch(PLAYS, program):
        for fact in decode_facts(stored["facts"]):
            if isinstance(fact, TicketPlayed) and fact.draw == row.id and fact.day in plays:
                entry = Entry(number_of(hidden.numbers, stored["member"]), fact.ticket)
                plays[fact.day].append(Play(entry.text, fact.drawn, fact.given))
    return tuple(
        [
            Day(day, day_key(hidden.seed, day).hex(), tuple(sorted(plays[day], key=lambda play: entry_of(play.entry))))
            for day in over
        ]
    )


def written(record: Record) -> bytes:
    """The record as a file."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"
