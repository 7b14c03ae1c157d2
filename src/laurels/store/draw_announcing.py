"""Announcing draws: what is published of them before anybody can win, in the transaction that publishes their version.

An announcement says what will be true when its version takes effect, and changes only with a reason that it was given.
Both are judged here, under the lock of the program's row, against what was announced last: nothing can come between.
"""

from __future__ import annotations

import secrets
from typing import Final

import asyncpg
import msgspec

from laurels.core.calendar import Instant, Zone, format_date, format_instant, parse_instant
from laurels.core.draw import SEED_BYTES, commitment_of, day_commitment, day_key
from laurels.core.draw_record import Announcement, DayTerms, PrizeTerms, Replaces, announcement_digest
from laurels.core.money import format_minor
from laurels.core.program.draws_difference import broken_promises
from laurels.core.program.draws_model import Draw
from laurels.core.program.draws_model import Prize as Terms
from laurels.core.program.model import Program
from laurels.core.refusal import Refusal
from laurels.store.database import Connection
from laurels.store.draws import DrawRow, draw_row

_encode: Final = msgspec.json.Encoder().encode


async def announce(
    connection: Connection, program: Program, before: Program | None, at: Instant, effective_at: Instant
) -> Refusal | None:
    """Announces the program's draws that are new or changed, or says why the program may not be published.

    `before` is the newest version until now. In a program whose own clock has not begun an announcement is never later
    than the draw opens.
    """
    begun = await has_begun(connection, program.id)
    broken = () if before is None else broken_promises(before, program, at if begun else 0, effective_at)
    if broken:
        return Refusal(broken[0][1], ", ".join([draw for draw, _code in broken]))
    reasons = {} if before is None else {draw.id: len(draw.amendments) for draw in before.draws}
    for terms in sorted(program.draws, key=lambda draw: draw.id):
        now = at if begun else min(at, terms.opens_at)
        known = await draw_row(connection, program.id, terms.id, lock="for no key update")
        refusal = (
            await _announce_new(connection, program, terms, now, effective_at)
            if known is None
            else await _announce_again(connection, program, terms, known, now, effective_at, reasons.get(terms.id))
        )
        if refusal is not None:
            return refusal
    return None


async def has_begun(source: Connection | asyncpg.Pool, program: str) -> bool:
    """Whether any time has passed in the program: it is live, or its own clock was set."""
    return bool(await source.fetchval("select mode = 'live' or clock is not null from program where id = $1", program))


async def _announce_new(
    connection: Connection, program: Program, terms: Draw, now: Instant, effective_at: Instant
) -> Refusal | None:
    if terms.closes_at <= effective_at:
        return Refusal("draw_closed", terms.id)
    seed, numbers = secrets.token_bytes(SEED_BYTES), secrets.token_bytes(SEED_BYTES)
    announcement = announcement_of(program, terms, seed, now, None, max(terms.opens_at, effective_at))
    await connection.execute(
        "insert into draw_secret (program, draw, seed, numbers) values ($1, $2, $3, $4)",
        program.id,
        terms.id,
        seed,
        numbers,
    )
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
    return None


async def _announce_again(
    connection: Connection,
    program: Program,
    terms: Draw,
    known: DrawRow,
    now: Instant,
    effective_at: Instant,
    reasons: int | None,
) -> Refusal | None:
    """`reasons` is how many changes of the draw the version before gave a reason for; None if it had no such draw."""
    seed = await connection.fetchval(
        "select seed from draw_secret where program = $1 and draw = $2", program.id, terms.id
    )
    before = known.announcement
    opened_at = parse_instant(before.opens_at)
    opens_at = opened_at if opened_at < effective_at else max(terms.opens_at, effective_at)
    same = announcement_of(program, terms, seed, now, before.replaces, opens_at)
    if says_the_same(same, before):
        return None
    if known.state != "open" or known.closes_at <= effective_at:
        return Refusal("draw_closed", terms.id)
    if len(terms.amendments) <= (len(known.replaced) if reasons is None else reasons):
        return Refusal("needs_reason", terms.id)
    replaces = Replaces(announcement_digest(before).hex(), terms.amendments[-1].reason)
    announcement = announcement_of(program, terms, seed, now, replaces, opens_at)
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
    return None


def says_the_same(one: Announcement, other: Announcement) -> bool:
    """Whether two announcements promise the same, whenever they were made.

    Instants of a scheduled draw are the same in whichever zone they are written; the days of an instant draw are not.
    """
    return _promise(one) == _promise(other)


def _promise(announcement: Announcement) -> Announcement:
    promise = msgspec.structs.replace(announcement, announced_at="")
    if announcement.kind == "instant":
        return promise
    times = {
        word: None if (text := getattr(announcement, word)) is None else format_instant(parse_instant(text))
        for word in ("opens_at", "closes_at", "draws_at")
    }
    return msgspec.structs.replace(promise, **times)


def announcement_of(
    program: Program, terms: Draw, seed: bytes, now: Instant, replaces: Replaces | None, opens_at: Instant
) -> Announcement:
    """What is published of a draw before anybody can win. It takes tickets from `opens_at` on."""
    name = f"{program.id}/{terms.id}"
    places = program.currency.places
    zone = Zone(program.time_zone)
    days: list[DayTerms] = []
    if terms.kind == "instant":
        first, last = zone.local(opens_at).ordinal, zone.local(terms.closes_at - 1).ordinal
        texts = [format_date(day) for day in range(first, last + 1)]
        days = [DayTerms(day, day_commitment(name, day, day_key(seed, day)).hex()) for day in texts]
    return Announcement(
        program=program.id,
        draw=terms.id,
        kind=terms.kind,
        name=terms.name,
        announced_at=format_instant(now),
        opens_at=format_instant(opens_at, zone),
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
    return PrizeTerms(
        prize.id, prize.name, value, prize.quantity, odds, prize.wallet, prize.points, prize.voucher
    )  # fmt: skip
