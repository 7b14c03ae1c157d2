"""Draws as stored: closed, drawn, settled; each step once, whoever takes it.

A step locks the draw's row, looks whether it is still to be taken, and commits with what it publishes. Seeds and the
keys of numbers lie in a table of their own; a seed is copied beside the winners by the transaction that draws them.
What hashes many entries does so in a thread, so that nobody else of the process waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from laurels.core.calendar import Duration, Instant, Zone
from laurels.core.draw import Drawn, Entry, draw, entry_of, number_of, root_of, stream_key
from laurels.core.draw_record import Announcement, announcement_digest, name_of, places_of
from laurels.core.member import Tickets, decode_document, tickets_key
from laurels.store.database import Connection, Database
from laurels.store.sql import named

State = Literal["open", "closing", "closed", "drawn", "settled"]
_PAGE: Final = 500

OPEN_DRAWS: Final = named("open_draws")
READ_DRAWS: Final = named("read_draws")
DUE_DRAWS: Final = named("due_draws")
DUE_AWARDS: Final = named("due_awards")

_encode: Final = msgspec.json.Encoder().encode
_announcement: Final = msgspec.json.Decoder(Announcement).decode
_announcements: Final = msgspec.json.Decoder(tuple[Announcement, ...]).decode
_texts: Final = msgspec.json.Decoder(tuple[str, ...]).decode
_numbers: Final = msgspec.json.Decoder(list[int]).decode
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


class DueAward(msgspec.Struct, frozen=True):
    """A prize on its way about which something may be to do: whose it is, and how far they have come (`seq`)."""

    award: AwardRow
    member: str
    seq: int
    is_sealed: bool


class OpenDraw(msgspec.Struct, frozen=True):
    """What deciding needs of a draw that takes tickets: its secrets."""

    seed: bytes
    numbers: bytes


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


async def due_draws(source: Connection | Database, program: str, now: Instant, after: str, limit: int) -> list[str]:
    """Draws about which something is to do at `now`, by id from after `after` on."""
    return [row["id"] for row in await _of(source).fetch(DUE_DRAWS, program, now, after, limit)]


async def draw_row(
    source: Connection | Database,
    program: str,
    id: str,
    *,
    lock: Literal["", "for update", "for no key update"] = "",
) -> DrawRow | None:
    """The draw with this id; "for update" keeps off every step and all tickets, "for no key update" only the steps."""
    row = await _of(source).fetchrow(
        f"select {_COLUMNS} from draw where program = $1 and id = $2 {lock}",  # noqa: S608 - columns and lock are ours
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


async def due_awards(
    source: Connection | Database, program: str, id: str, now: Instant, after: tuple[int, int]
) -> list[DueAward]:
    """A page of the draw's prizes about which something may be to do, from after this place and turn on.

    These are to be sent out, or their time is over, or whoever has them did anything since it was looked last.
    """
    rows = await _of(source).fetch(DUE_AWARDS, program, id, now, *after, _PAGE)
    found = []
    for row in rows:
        values = dict(row)
        member, seq, is_sealed = values.pop("member"), values.pop("seq"), values.pop("is_sealed")
        found.append(DueAward(AwardRow(**values), member, seq, is_sealed))
    return found


async def parts_in(source: Connection | Database, program: str, id: str, members: Sequence[str]) -> dict[str, Tickets]:
    """What these members' documents say of the draw."""
    rows = await _of(source).fetch(
        "select member, document from state where program = $1 and key = $2 and key like 'draw/%' "
        "and member = any($3::text[])",
        program,
        tickets_key(id),
        list(members),
    )
    return {row["member"]: _tickets(id, row["document"]) for row in rows}


async def entries_of(source: Connection | Database, program: str, id: str) -> list[Entry]:
    """The entries of a draw that has closed, sorted."""
    rows = await _of(source).fetch(
        "select number, tickets from draw_entry where program = $1 and draw = $2 order by number", program, id
    )
    return await asyncio.to_thread(_entries, rows)


def _entries(rows: Sequence[Any]) -> list[Entry]:
    decode = _numbers
    return [Entry(row["number"], ticket) for row in rows for ticket in decode(row["tickets"])]


async def open_draws(connection: Connection, program: str, ids: Sequence[str], *, lock: bool) -> dict[str, OpenDraw]:
    """Of these draws the secrets of those that take tickets; locked so that none closes before the transaction ends."""
    rows = await connection.fetch(OPEN_DRAWS if lock else READ_DRAWS, program, sorted(ids))
    return {row["id"]: OpenDraw(row["seed"], row["numbers"]) for row in rows if row["state"] == "open"}


async def numbers_in(database: Database, program: str, ids: Sequence[str], member: str) -> dict[str, str]:
    """The member's own numbers in those of these draws that take tickets."""
    async with database.pool.acquire() as connection:
        found = await open_draws(connection, program, ids, lock=False)
    return {id: number_of(draw.numbers, member) for id, draw in found.items()}


async def secrets_of(source: Connection | Database, program: str, id: str) -> OpenDraw:
    """The draw's secrets; not for anything that is answered before their time."""
    found = await secrets_if_any(source, program, id)
    assert found is not None, f"the draw {id} has no secrets"
    return found


async def secrets_if_any(source: Connection | Database, program: str, id: str) -> OpenDraw | None:
    """The same for whoever doubts that there are any."""
    row = await _of(source).fetchrow(
        "select seed, numbers from draw_secret where program = $1 and draw = $2", program, id
    )
    return None if row is None else OpenDraw(row["seed"], row["numbers"])


# --- the steps --------------------------------------------------------------------------------------------------------


async def begin_closing(connection: Connection, program: str, id: str, now: Instant) -> bool:
    """No ticket is granted from here on: whoever was about to has committed. Whether this was the one to do it."""
    async with connection.transaction():
        row = await draw_row(connection, program, id, lock="for update")
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
        row = await draw_row(connection, program, id, lock="for update")
        if row is None or row.state != "closing":
            return False
        # Hashing takes its time, in which nothing is said to the database.
        await connection.execute("set local idle_in_transaction_session_timeout = 0")
        documents = await connection.fetch(
            "select member, document from state where program = $1 and key = $2 and key like 'draw/%'",
            program,
            tickets_key(id),
        )
        found, count, root = await asyncio.to_thread(_entered, id, documents)
        await connection.copy_records_to_table(
            "draw_entry",
            records=[(program, id, *each) for each in found],
            columns=["program", "draw", "number", "member", "tickets"],
            schema_name="laurels",
        )
        await connection.execute(
            "update draw set state = 'closed', closed_at = $3, entries = $4, root = $5 where program = $1 and id = $2",
            program,
            id,
            max(now, row.closes_at),
            count,
            root,
        )
        return True


def _entered(id: str, documents: Sequence[Any]) -> tuple[list[tuple[str, str, str]], int, bytes]:
    """Number, member and tickets of all who are in the draw; how many entries that is, and their root."""
    parts: list[tuple[str, str, list[int]]] = []
    for document in documents:
        tickets = _tickets(id, document["document"])
        if tickets.entered_at is None or tickets.excluded or not tickets.numbers:
            continue
        parts.append((tickets.number, document["member"], sorted(tickets.numbers)))
    # By members, who are fewer than entries: a long sort keeps every other thread waiting.
    parts.sort()
    entries = [Entry(number, ticket) for number, _member, tickets_of in parts for ticket in tickets_of]
    found = [(number, member, _encode(tickets_of).decode()) for number, member, tickets_of in parts]
    return found, len(entries), root_of(entries)


async def draw_winners(connection: Connection, program: str, id: str, now: Instant, zone: Zone) -> bool:
    """The draw is drawn, and its seed public, in one transaction: whoever sees the winners cannot draw again."""
    async with connection.transaction():
        row = await draw_row(connection, program, id, lock="for update")
        if row is None or row.state != "closed" or row.draws_at is None or row.draws_at > now:
            return False
        assert row.root is not None
        await connection.execute("set local idle_in_transaction_session_timeout = 0")
        seed = (await secrets_of(connection, program, id)).seed
        entries = await entries_of(connection, program, id)
        drawn = await asyncio.to_thread(_draw, row.announcement, seed, row.root, entries)
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
        prizes = places_of(row.announcement)
        awards = [
            AwardRow(place, 0, *entry, prize, None, now, until_of(row.announcement, prize, now, zone), "")
            for place, (entry, prize) in enumerate(zip(drawn.winners, prizes, strict=False), 1)
        ]
        await _send_out(connection, program, id, awards)
        return True


def _draw(announcement: Announcement, seed: bytes, root: bytes, entries: Sequence[Entry]) -> Drawn:
    key = stream_key(name_of(announcement), seed, announcement_digest(announcement), root)
    return draw(key, entries, len(places_of(announcement)), announcement.alternates, announcement.wins_most)


def until_of(announcement: Announcement, prize: str, now: Instant, zone: Zone) -> Instant | None:
    """When a prize that goes out now is forfeited."""
    terms = next(each for each in announcement.prizes if each.prize == prize)
    within = announcement.claim_within
    return None if within is None or terms.is_given else zone.add(now, Duration.parse(within))


async def _send_out(connection: Connection, program: str, id: str, awards: Sequence[AwardRow]) -> None:
    await connection.executemany(
        "insert into draw_award (program, draw, place, turn, number, ticket, prize, alternate, at, until, status) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending')",
        [
            (
                program, id, award.place, award.turn, award.number, award.ticket, award.prize, award.alternate,
                award.at, award.until,
            )
            for award in awards
        ],
    )  # fmt: skip


async def settle_awards(
    connection: Connection,
    program: str,
    id: str,
    settled: Sequence[tuple[DueAward, str]],
    now: Instant,
    zone: Zone,
) -> int:
    """Notes what became of prizes; how many changed. One that nobody has goes to the next alternate with it."""
    async with connection.transaction():
        await connection.execute("select 1 from draw where program = $1 and id = $2 for update", program, id)
        rows = await connection.fetch(
            "update draw_award a set status = w.status, seen = w.seen "
            "from unnest($3::int[], $4::int[], $5::text[], $6::text[], $7::bigint[]) "
            "as w (place, turn, was, status, seen) "
            "where a.program = $1 and a.draw = $2 and a.place = w.place and a.turn = w.turn and a.status = w.was "
            "returning a.place, a.turn, a.prize, a.status, w.was",
            program,
            id,
            [each.award.place for each, _status in settled],
            [each.award.turn for each, _status in settled],
            [each.award.status for each, _status in settled],
            [status for _each, status in settled],
            [each.seq for each, _status in settled],
        )
        changed = [row for row in rows if row["status"] != row["was"]]
        free = sorted(
            [(row["place"], row["turn"], row["prize"]) for row in changed if row["status"] in ("forfeited", "refused")]
        )
        if free:
            await _call_alternates(connection, program, id, free, now, zone)
        return len(changed)


async def _call_alternates(
    connection: Connection, program: str, id: str, free: Sequence[tuple[int, int, str]], now: Instant, zone: Zone
) -> None:
    """Each place that is free goes to the next alternate whom nobody called on before, while there are any."""
    row = await draw_row(connection, program, id)
    assert row is not None
    called = await connection.fetchval(
        "select coalesce(max(alternate), 0) from draw_award where program = $1 and draw = $2", program, id
    )
    awards = [
        AwardRow(
            place, turn + 1, *entry_of(text), prize, called + n, now, until_of(row.announcement, prize, now, zone), ""
        )
        for n, ((place, turn, prize), text) in enumerate(zip(free, row.alternates[called:], strict=False), 1)
    ]
    await _send_out(connection, program, id, awards)


async def end(connection: Connection, program: str, id: str, now: Instant) -> bool:
    """A drawn draw of which no prize is on its way is settled; an instant one that is over reveals its seed first."""
    async with connection.transaction():
        row = await draw_row(connection, program, id, lock="for update")
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
        "  select min(case a.status when 'pending' then 0 else a.until end) from draw d"
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
