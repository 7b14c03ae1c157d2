"""Draws: what is public of them, a member's part in them, playing a ticket, claiming a prize."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from laurels.api.answer import ActivityAnswer, When
from laurels.api.members import row_of
from laurels.api.operation import Call, Nothing, operation
from laurels.api.own import submit_own
from laurels.api.paging import NextCursor, PageQuery, page_of, place_of
from laurels.api.performing import Reply
from laurels.api.problem import ApiProblem
from laurels.core.calendar import Zone
from laurels.core.draw import Entry
from laurels.core.draw_record import announcement_digest
from laurels.core.explanation import Sentence
from laurels.core.facts import TicketPlayed
from laurels.core.member import Tickets
from laurels.store.draw_records import public_record, written
from laurels.store.draws import DrawRow, draw_row, draw_rows

DrawState = Literal["open", "closing", "closed", "drawn", "settled"]


class DrawAnswer(Struct, frozen=True, kw_only=True):
    """What is public of a draw now."""

    id: str
    kind: Literal["scheduled", "instant"]
    state: DrawState
    announcement: Annotated[dict[str, Any], Meta(description="What was published before anybody could win.")]
    announcement_digest: Annotated[str, Meta(description="Note it: with it the public record is verified.")]
    closed_at: When | None
    entries: Annotated[int | None, Meta(description="How many there are; null before they closed.")]
    root: Annotated[str | None, Meta(description="Note it: it binds the entries before the seed is revealed.")]
    drawn_at: When | None


class DrawsPage(Struct, frozen=True):
    """Draws by id."""

    items: tuple[DrawAnswer, ...]
    next_cursor: NextCursor


class PrizeAnswer(Struct, frozen=True, kw_only=True):
    """A prize that a member won."""

    place: Annotated[int, Meta(description="By which it is claimed; of an instant draw the ticket's number.")]
    prize: str
    ticket: int
    won_at: When
    until: Annotated[When | None, Meta(description="When it is forfeited unless it is claimed.")]
    status: Literal["open", "given", "claimed", "forfeited"]


class MemberDraw(Struct, frozen=True, kw_only=True):
    """A member's part in a draw."""

    draw: str
    number: Annotated[str, Meta(description="By which the member is known in the public record, to nobody else.")]
    tickets: tuple[int, ...]
    ready: Annotated[tuple[int, ...], Meta(description="Of an instant draw: those that can be played yet.")]
    entered_at: Annotated[When | None, Meta(description="Since when they are in a scheduled draw.")]
    excluded: bool
    prizes: tuple[PrizeAnswer, ...]


class MemberDraws(Struct, frozen=True):
    """A member's part in all draws."""

    items: tuple[MemberDraw, ...]


class PlayAnswer(Struct, frozen=True, kw_only=True):
    """What a ticket came to."""

    draw: str
    ticket: int
    entry: Annotated[str, Meta(description="As it will stand in the public record.")]
    day: str
    drawn: Annotated[str | None, Meta(description="The prize that it drew; null: none.")]
    given: Annotated[str | None, Meta(description="That, or `fallback` where it had run out.")]
    activity: ActivityAnswer


class ClaimAnswer(Struct, frozen=True):
    """The member's part in the draw, with the prize claimed."""

    part: MemberDraw
    activity: ActivityAnswer


@operation(
    "GET", "/v1/draws", tag="Draws", summary=Sentence("List draws", "抽奖列表"), scopes=("program:read",),
    codes=("no_version_yet",),
)  # fmt: skip
async def list_draws(call: Call, query: PageQuery) -> DrawsPage:
    """The program's draws by id, with what is public of them now."""
    zone = await _zone(call)
    after = place_of(query.cursor, str) or ""
    found = await draw_rows(call.services.database, call.program, after=after, limit=query.limit + 1)
    page, next_cursor = page_of(found, query.limit, lambda row: row.id)
    return DrawsPage(tuple([_answer(row, zone) for row in page]), next_cursor)


@operation(
    "GET", "/v1/draws/{draw}", tag="Draws", summary=Sentence("Read a draw", "读取抽奖"), scopes=("program:read",),
    codes=("no_such_draw", "no_version_yet"),
)  # fmt: skip
async def read_draw(call: Call, draw: str) -> DrawAnswer:
    """What is public of a draw now: the announcement with the commitment, then the root, then that it was drawn."""
    row = await draw_row(call.services.database, call.program, draw)
    if row is None:
        raise ApiProblem("no_such_draw")
    return _answer(row, await _zone(call))


@operation(
    "GET", "/v1/draws/{draw}/record", tag="Draws", summary=Sentence("Export the public record", "导出公示记录"),
    scopes=("program:read",), codes=("no_such_draw", "no_version_yet"),
)  # fmt: skip
async def export_draw(call: Call, draw: str) -> Any:
    """The public record as a file: `laurels draw verify` computes a finished draw from it alone.

    It holds the announcements with the reasons of changes, the entries, the seed, winners, alternates and what became
    of every prize: the archive of the draw, which is kept for good.
    """
    services = call.services
    zone = await _zone(call)
    record = await public_record(services.database, call.program, draw, await services.now(call.program), zone)
    if record is None:
        raise ApiProblem("no_such_draw")
    return Reply(200, await asyncio.to_thread(written, record))


@operation(
    "GET", "/v1/members/{member}/draws", tag="Draws", summary=Sentence("Read a member's tickets", "读取会员抽奖券"),
    scopes=("members:read",), codes=("no_such_member", "no_version_yet"),
)  # fmt: skip
async def read_member_draws(call: Call, member: str) -> MemberDraws:
    """The member's own number, tickets and prizes in each draw."""
    await row_of(call, member)
    found = await call.services.intake.look(call.program, member, "draw/")
    if found is None:
        raise ApiProblem("no_such_member")
    zone = await _zone(call)
    parts = [
        _part(key.removeprefix("draw/"), document, zone)
        for key, document in sorted(found.documents.items())
        if isinstance(document, Tickets)
    ]
    return MemberDraws(tuple(parts))


@operation(
    "POST", "/v1/members/{member}/draws/{draw}/play", tag="Draws", summary=Sentence("Play a ticket", "即时抽奖"),
    scopes=("activities:write",),
    codes=(
        "overloaded", "unknown_member", "unknown_draw", "not_an_instant_draw", "draw_not_open", "excluded_from_draw",
        "no_ticket", "member_sealed", "unknown_program_version",
    ),
)  # fmt: skip
async def play_ticket(call: Call, member: str, draw: str, body: Nothing) -> PlayAnswer:  # noqa: ARG001 - it is empty, and must be
    """Plays the member's next ticket of an instant draw; recorded before it is answered, and never twice."""
    recorded = await submit_own(call, member, "draw_play", {"draw": draw})
    fact = next(fact for fact in recorded.outcome.facts if isinstance(fact, TicketPlayed))
    after = recorded.outcome.member_after
    part = None if after is None else after.documents.get(f"draw/{draw}")
    if not isinstance(part, Tickets):
        found = await call.services.intake.look(call.program, member, "draw/")
        part = None if found is None else found.documents.get(f"draw/{draw}")
    assert isinstance(part, Tickets)
    return PlayAnswer(
        draw=draw,
        ticket=fact.ticket,
        entry=Entry(part.number, fact.ticket).text,
        day=fact.day,
        drawn=fact.drawn,
        given=fact.given,
        activity=recorded.answer,
    )


@operation(
    "POST", "/v1/members/{member}/draws/{draw}/prizes/{place}/claim", tag="Draws",
    summary=Sentence("Claim a prize", "领取奖项"), scopes=("redemptions:write",),
    codes=("overloaded", "no_such_draw", "unknown_member", "unknown_prize", "prize_not_open", "member_sealed",
           "unknown_program_version"),
)  # fmt: skip
async def claim_prize(call: Call, member: str, draw: str, place: str, body: Nothing) -> ClaimAnswer:  # noqa: ARG001 - it is empty, and must be
    """The member has their prize; whoever hands it out says so. The draw's record follows when the worker looks."""
    if not (place.isascii() and place.isdecimal() and len(place) < 10):
        raise ApiProblem("no_such_draw", "A place is a number.")
    recorded = await submit_own(call, member, "draw_claim", {"draw": draw, "place": int(place)})
    found = await call.services.intake.look(call.program, member, "draw/")
    part = None if found is None else found.documents.get(f"draw/{draw}")
    assert isinstance(part, Tickets)
    return ClaimAnswer(_part(draw, part, await _zone(call)), recorded.answer)


async def _zone(call: Call) -> Zone:
    return (await call.services.present(call.program)).zone


def _answer(row: DrawRow, zone: Zone) -> DrawAnswer:
    return DrawAnswer(
        id=row.id,
        kind=row.kind,
        state=row.state,
        announcement=msgspec.to_builtins(row.announcement),
        announcement_digest=announcement_digest(row.announcement).hex(),
        closed_at=None if row.closed_at is None else zone.format(row.closed_at),
        entries=row.entries,
        root=None if row.root is None else row.root.hex(),
        drawn_at=None if row.drawn_at is None else zone.format(row.drawn_at),
    )


def _part(draw: str, tickets: Tickets, zone: Zone) -> MemberDraw:
    prizes = [
        PrizeAnswer(
            place=won.place,
            prize=won.prize,
            ticket=won.ticket,
            won_at=zone.format(won.at),
            until=None if won.until is None else zone.format(won.until),
            status=msgspec.convert(won.status, Literal["open", "given", "claimed", "forfeited"]),
        )
        for won in tickets.won
    ]
    return MemberDraw(
        draw=draw,
        number=tickets.number,
        tickets=tuple(tickets.numbers),
        ready=tuple(tickets.ready),
        entered_at=None if tickets.entered_at is None else zone.format(tickets.entered_at),
        excluded=tickets.excluded,
        prizes=tuple(prizes),
    )
