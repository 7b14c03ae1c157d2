"""Draws as stored: announced with their secrets, closed, drawn, settled; each step once, whoever takes it.

A step locks the draw's row, looks whether it is still to be taken, and commits with what it publishes. Seeds and the
keys of numbers lie in a table of their own; a seed is copied beside the winners by the transaction that draws them.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from laurels.core.calendar import Duration, Instant, Zone, format_date, format_instant
from laurels.core.draw import (
    SEED_BYTES,
    Drawn,
    Entry,
    commitment_of,
    day_commitment,
    day_key,
    draw,
    entry_of,
    number_of,
    root_of,
    stream_key,
)
from laurels.core.draw_record import (
    Announcement,
    DayTerms,
    PrizeTerms,
    Replaces,
    announcement_digest,
    name_of,
    places_of,
)
from laurels.core.member import Tickets, decode_document, tickets_key
from laurels.core.money import format_minor
from laurels.core.program.draws_model import Draw
from laurels.core.program.draws_model import Prize as Terms
from laurels.core.program.model import Program
from laurels.store.database import Connection, Database
from laurels.store.sql import named

State = Literal["open", "closing", "closed", "drawn", "settled"]
_PAGE: Final = 500

OPEN_DRAWS: Final = named("open_draws")

_encode: Final = msgspec.json.Encoder().encode
_announcement: Final = msgspec.json.Decoder(Announcement).decode
_announcements: Final = msgspec.json.Decoder(tuple[Announcement, ...]).decode
_texts: Final = msgspec.json.Decoder(tuple[str, ...]).decode
_COLUMNS: Final = (
    "id, kind, state, closes_at, draws_at, announcement, replaced, closed_at, entries, root, drawn_at, seed, winners, "
    "alternates"
)


class DrawRow(msgspec.Struct, frozen=True):
    """A draw with all that is public of it."""

    id: str
    kind: Literal["scheduled", "instant"]
    state: State
    closes_at: Instant
    draws_at: Instant | None
    announcement: Announcement
    replaced: tuple[Announcement, ...]
    closed_at: Instant | None
    entries: int | None
    root: bytes | None
    drawn_at: Instant | None
    seed: bytes | None
    winners: tuple[str, ...]
    alternates: tuple[str, ...]


class AwardRow(msgspec.Struct, frozen=True):
    """A prize on its way."""

    place: int
    turn: int
    number: str
    ticket: int
    prize: str
    alternate: int | None
    at: Instant
    until: Instant | None
    status: str


class OpenDraw(msgspec.Struct, frozen=True):
    """What deciding needs of a draw that takes tickets: its secrets."""

    seed: bytes
    numbers: bytes


# --- announcing -------------------------------------------------------------------------------------------------------


async def announce(connection: Connection, program: Program, at: Instant) -> None:
    """Announces the program's draws that are new or changed, in the transaction that publishes their version.

    In a program whose own clock has not begun it is never later than a draw opens.
    """
    has_begun = await connection.fetchval(
        "select mode = 'live' or clock is not null from program where id = $1", program.id
    )
    for terms in program.draws:
        now = at if has_begun else min(at, terms.opens_at)
        row = await connection.fetchrow(
            f"select {_COLUMNS} from draw where program = $1 and id = $2 for update",  # noqa: S608 - columns are ours
            program.id,
            terms.id,
        )
        if row is None:
            await _announce_new(connection, program, terms, now)
            continue
        known = _row(row)
        if known.state == "open":
            await _announce_again(connection, program, terms, known, now)


async def _announce_new(connection: Connection, program: Program, terms: Draw, now: Instant) -> None:
    seed, numbers = secrets.token_bytes(SEED_BYTES), secrets.token_bytes(SEED_BYTES)
    await connection.execute(
        "insert into draw_secret (program, draw, seed, numbers) values ($1, $2, $3, $4)",
        program.id,
        terms.id,
        seed,
        numbers,
    )
    announcement = announcement_of(program, terms, seed, now, None)
    await connection.execute(
        "insert into draw (program, id, kind, state, closes_at, draws_at, announcement, replaced) "
        "values ($1, $2, $3, 'open', $4, $5, $6, '[]')",
        program.id,
        terms.id,
        terms.kind,
        terms.closes_at,
        terms.draws_at,
        _encode(announcement).decode(),
    )


async def _announce_again(connection: Connection, program: Program, terms: Draw, known: DrawRow, now: Instant) -> None:
    seed = await connection.fetchval(
        "select seed from draw_secret where program = $1 and draw = $2", program.id, terms.id
    )
    before = known.announcement
    same = announcement_of(program, terms, seed, now, before.replaces)
    if msgspec.structs.replace(same, announced_at=before.announced_at) == before:
        return
    reason = terms.amendments[-1].reason if terms.amendments else {}
    announcement = announcement_of(
        program, terms, seed, now, Replaces(announcement_digest(before).hex(), reason)
    )  # fmt: skip
    await connection.execute(
        "update draw set announcement = $3, replaced = $4, closes_at = $5, draws_at = $6 "
        "where program = $1 and id = $2",
        program.id,
        terms.id,
        _encode(announcement).decode(),
        _encode((*known.replaced, before)).decode(),
        terms.closes_at,
        terms.draws_at,
    )


def announcement_of(
    program: Program, terms: Draw, seed: bytes, now: Instant, replaces: Replaces | None
) -> Announcement:
    """What is published of a draw before anybody can win."""
    name = f"{program.id}/{terms.id}"
    places = program.currency.places
    zone = Zone(program.time_zone)
    days: list[DayTerms] = []
    if terms.kind == "instant":
        first, last = zone.local(terms.opens_at).ordinal, zone.local(terms.closes_at - 1).ordinal
        texts = [format_date(day) for day in range(first, last + 1)]
        days = [DayTerms(day, day_commitment(name, day, day_key(seed, day)).hex()) for day in texts]
    return Announcement(
        program=program.id,
        draw=terms.id,
        kind=terms.kind,
        name=terms.name,
        announced_at=format_instant(now),
        opens_at=format_instant(terms.opens_at, zone),
        closes_at=format_instant(terms.closes_at, zone),
        draws_at=None if terms.draws_at is None else format_instant(terms.draws_at, zone),
        prizes=tuple([_prize(prize, places) for prize in terms.prizes]),
        fallback=None if terms.fallback is None else terms.fallback.name,
        wins_most=terms.wins_most,
        alternates=terms.alternates,
        excluded=None if terms.exclude is None else terms.exclude.text,
        claim_within=None if terms.claim is None else str(terms.claim),
        rules=terms.rules,
        commitment=commitment_of(name, seed).hex(),
        days=tuple(days),
        replaces=replaces,
    )


def _prize(prize: Terms, places: int) -> PrizeTerms:
    odds = None if prize.odds is None else f"{prize.odds.numerator}/{prize.odds.denominator}"
    value = None if prize.value is None else format_minor(prize.value, places)
    return PrizeTerms(prize.id, prize.name, value, prize.quantity, odds, prize.wallet, prize.points)


# --- reading ----------------------------------------------------------------------------------------------------------


async def draw_rows(
    source: Connection | Database, program: str, *, after: str = "", limit: int = 1000
) -> list[DrawRow]:
    """The program's draws by id, from after `after` on."""
    rows = await _of(source).fetch(
        f"select {_COLUMNS} from draw where program = $1 and id > $2 order by id limit $3",  # noqa: S608 - columns are ours
        program,
        after,
        limit,
    )
    return [_row(row) for row in rows]


async def draw_row(source: Connection | Database, program: str, id: str, *, lock: bool = False) -> DrawRow | None:
    """The draw with this id; locked against every step and against tickets, if so wanted."""
    row = await _of(source).fetchrow(
        f"select {_COLUMNS} from draw where program = $1 and id = $2{' for update' if lock else ''}",  # noqa: S608 - columns are ours
        program,
        id,
    )
    return None if row is None else _row(row)


async def award_rows(source: Connection | Database, program: str, id: str) -> list[AwardRow]:
    """The draw's prizes on their way, in the order in which they went out."""
    rows = await _of(source).fetch(
        "select place, turn, number, ticket, prize, alternate, at, until, status from draw_award "
        "where program = $1 and draw = $2 order by coalesce(alternate, 0), place",
        program,
        id,
    )
    return [AwardRow(**row) for row in rows]


async def member_of(source: Connection | Database, program: str, id: str, number: str) -> str | None:
    """Whose number it is, once the draw has closed."""
    member: str | None = await _of(source).fetchval(
        "select member from draw_entry where program = $1 and draw = $2 and number = $3", program, id, number
    )
    return member


async def entries_of(source: Connection | Database, program: str, id: str) -> list[Entry]:
    """The entries of a draw that has closed, sorted."""
    rows = await _of(source).fetch(
        "select number, tickets from draw_entry where program = $1 and draw = $2 order by number", program, id
    )
    return [
        Entry(row["number"], ticket) for row in rows for ticket in msgspec.json.decode(row["tickets"], type=list[int])
    ]


async def open_draws(connection: Connection, program: str, ids: Sequence[str], *, lock: bool) -> dict[str, OpenDraw]:
    """Of these draws the secrets of those that take tickets; locked so that none closes before the transaction ends."""
    statement = OPEN_DRAWS if lock else OPEN_DRAWS.replace("for key share of d", "")
    rows = await connection.fetch(statement, program, list(ids))
    return {row["id"]: OpenDraw(row["seed"], row["numbers"]) for row in rows if row["state"] == "open"}


async def numbers_in(database: Database, program: str, ids: Sequence[str], member: str) -> dict[str, str]:
    """The member's own numbers in those of these draws that take tickets."""
    async with database.pool.acquire() as connection:
        found = await open_draws(connection, program, ids, lock=False)
    return {id: number_of(draw.numbers, member) for id, draw in found.items()}


async def secrets_of(source: Connection | Database, program: str, id: str) -> OpenDraw:
    """The draw's secrets; not for anything that is answered before their time."""
    row = await _of(source).fetchrow(
        "select seed, numbers from draw_secret where program = $1 and draw = $2", program, id
    )
    assert row is not None, f"the draw {id} has no secrets"
    return OpenDraw(row["seed"], row["numbers"])


# --- the steps --------------------------------------------------------------------------------------------------------


async def begin_closing(connection: Connection, program: str, id: str, now: Instant) -> bool:
    """No ticket is granted from here on: whoever was about to has committed. Whether this was the one to do it."""
    async with connection.transaction():
        row = await draw_row(connection, program, id, lock=True)
        if row is None or row.state != "open" or row.kind != "scheduled" or row.closes_at > now:
            return False
        await connection.execute("update draw set state = 'closing' where program = $1 and id = $2", program, id)
        return True


async def not_entered(source: Connection | Database, program: str, id: str, after: str) -> tuple[list[str], str | None]:
    """Members whose tickets have not entered yet, of the page of members from after `after` on; and its last member."""
    rows = await _of(source).fetch(
        "select s.member, s.document, m.sealed_at "
        "from state s join member m on m.program = s.program and m.id = s.member "
        "where s.program = $1 and s.key = $2 and s.key like 'draw/%' and s.member > $3 order by s.member limit $4",
        program,
        tickets_key(id),
        after,
        _PAGE,
    )
    waiting = [
        row["member"] for row in rows if row["sealed_at"] is None and not _tickets(id, row["document"]).entered_at
    ]
    return waiting, rows[-1]["member"] if len(rows) == _PAGE else None


async def close(connection: Connection, program: str, id: str, now: Instant) -> bool:
    """The entries and their root are published; nobody's tickets may still be on their way."""
    async with connection.transaction():
        row = await draw_row(connection, program, id, lock=True)
        if row is None or row.state != "closing":
            return False
        found: list[tuple[str, str, str, str, str]] = []
        entries: list[Entry] = []
        documents = await connection.fetch(
            "select member, document from state where program = $1 and key = $2 and key like 'draw/%'",
            program,
            tickets_key(id),
        )
        for document in documents:
            tickets = _tickets(id, document["document"])
            if tickets.entered_at is None or tickets.excluded or not tickets.numbers:
                continue
            entries += [Entry(tickets.number, number) for number in tickets.numbers]
            numbers = _encode(sorted(tickets.numbers)).decode()
            found.append((program, id, tickets.number, document["member"], numbers))
        await connection.executemany(
            "insert into draw_entry (program, draw, number, member, tickets) values ($1, $2, $3, $4, $5)", found
        )
        await connection.execute(
            "update draw set state = 'closed', closed_at = $3, entries = $4, root = $5 where program = $1 and id = $2",
            program,
            id,
            max(now, row.closes_at),
            len(entries),
            root_of(sorted(entries)),
        )
        return True


async def draw_winners(connection: Connection, program: str, id: str, now: Instant, zone: Zone) -> bool:
    """The draw is drawn, and its seed public, in one transaction: whoever sees the winners cannot draw again."""
    async with connection.transaction():
        row = await draw_row(connection, program, id, lock=True)
        if row is None or row.state != "closed" or row.draws_at is None or row.draws_at > now:
            return False
        assert row.root is not None
        seed = (await secrets_of(connection, program, id)).seed
        announcement = row.announcement
        prizes = places_of(announcement)
        key = stream_key(name_of(announcement), seed, announcement_digest(announcement), row.root)
        entries = await entries_of(connection, program, id)
        drawn: Drawn = draw(key, entries, len(prizes), announcement.alternates, announcement.wins_most)
        await connection.execute(
            "update draw set state = 'drawn', drawn_at = $3, seed = $4, winners = $5, alternates = $6 "
            "where program = $1 and id = $2",
            program,
            id,
            now,
            seed,
            _encode([entry.text for entry in drawn.winners]).decode(),
            _encode([entry.text for entry in drawn.alternates]).decode(),
        )
        for place, entry in enumerate(drawn.winners, 1):
            award = AwardRow(
                place, 0, *entry, prizes[place - 1], None, now, until_of(row, prizes[place - 1], now, zone), ""
            )
            await _send_out(connection, program, id, award)
        return True


def until_of(row: DrawRow, prize: str, now: Instant, zone: Zone) -> Instant | None:
    """When a prize that goes out now is forfeited."""
    terms = next(each for each in row.announcement.prizes if each.prize == prize)
    within = row.announcement.claim_within
    return None if within is None or terms.wallet is not None else zone.add(now, Duration.parse(within))


async def _send_out(connection: Connection, program: str, id: str, award: AwardRow) -> None:
    await connection.execute(
        "insert into draw_award (program, draw, place, turn, number, ticket, prize, alternate, at, until, status) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending')",
        program,
        id,
        award.place,
        award.turn,
        award.number,
        award.ticket,
        award.prize,
        award.alternate,
        award.at,
        award.until,
    )


async def settle_award(
    connection: Connection, program: str, id: str, award: AwardRow, status: str, now: Instant, zone: Zone
) -> None:
    """Notes what became of a prize; one that nobody has goes to the next alternate in the same transaction."""
    async with connection.transaction():
        row = await draw_row(connection, program, id, lock=True)
        assert row is not None
        known = await connection.fetchval(
            "select status from draw_award where program = $1 and draw = $2 and place = $3 and turn = $4",
            program,
            id,
            award.place,
            award.turn,
        )
        if known != award.status or known == status:
            return
        await connection.execute(
            "update draw_award set status = $5 where program = $1 and draw = $2 and place = $3 and turn = $4",
            program,
            id,
            award.place,
            award.turn,
            status,
        )
        if status not in ("forfeited", "refused"):
            return
        called = await connection.fetchval(
            "select coalesce(max(alternate), 0) from draw_award where program = $1 and draw = $2", program, id
        )
        if called < len(row.alternates):
            entry = entry_of(row.alternates[called])
            until = until_of(row, award.prize, now, zone)
            next_turn = AwardRow(award.place, award.turn + 1, *entry, award.prize, called + 1, now, until, "")
            await _send_out(connection, program, id, next_turn)


async def end(connection: Connection, program: str, id: str, now: Instant) -> bool:
    """A drawn draw of which no prize is on its way is settled; an instant one that is over reveals its seed first."""
    async with connection.transaction():
        row = await draw_row(connection, program, id, lock=True)
        if row is None:
            return False
        if row.kind == "instant" and row.state == "open" and row.closes_at <= now:
            seed = (await secrets_of(connection, program, id)).seed
            await connection.execute(
                "update draw set state = 'drawn', drawn_at = $3, seed = $4, winners = '[]', alternates = '[]' "
                "where program = $1 and id = $2",
                program,
                id,
                now,
                seed,
            )
        elif row.state != "drawn":
            return False
        on_their_way = await connection.fetchval(
            "select count(*) from draw_award where program = $1 and draw = $2 and status in ('pending', 'open')",
            program,
            id,
        )
        if on_their_way:
            return False
        await connection.execute("update draw set state = 'settled' where program = $1 and id = $2", program, id)
        return True


async def next_step_at(source: Connection | Database, program: str) -> Instant | None:
    """When anything is to be done about the program's draws next; None where nothing is."""
    at: Instant | None = await _of(source).fetchval(
        "select min(at) from ("
        "  select case state when 'open' then closes_at when 'closing' then 0 when 'closed' then draws_at end as at"
        "  from draw where program = $1 and state in ('open', 'closing', 'closed')"
        "  union all"
        "  select case a.status when 'pending' then 0 else a.until end from draw d"
        "  join draw_award a on a.program = d.program and a.draw = d.id and a.status in ('pending', 'open')"
        "  where d.program = $1 and d.state = 'drawn'"
        ") s",
        program,
    )
    return at


def _of(source: Connection | Database) -> Any:
    return source.pool if isinstance(source, Database) else source


def _row(row: Any) -> DrawRow:
    values = dict(row)
    values["announcement"] = _announcement(values["announcement"])
    values["replaced"] = _announcements(values["replaced"])
    values["winners"] = _texts(values["winners"] or "[]")
    values["alternates"] = _texts(values["alternates"] or "[]")
    return DrawRow(**values)


def _tickets(id: str, document: str) -> Tickets:
    tickets = decode_document(tickets_key(id), document)
    assert isinstance(tickets, Tickets)
    return tickets
