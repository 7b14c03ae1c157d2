"""Facts about draws: tickets that a member has, and prizes that they won."""

from __future__ import annotations

from typing import Literal

import msgspec

from laurels.core.calendar import Instant
from laurels.core.fact import Fact, Grant


class TicketsGranted(Fact, frozen=True, tag="tickets_granted"):
    """Tickets `first` to `first` + `count` - 1 of a draw, in which the member is known by `number`.

    `grants` are those of campaigns, whose points are tickets here. `closes_at` is when they enter a scheduled draw.
    """

    draw: str
    number: str
    first: int
    count: int
    at: Instant
    version: int
    closes_at: Instant | None = None
    grants: tuple[Grant, ...] = ()
    order: str | None = None
    redemption: str | None = None


class Span(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last `count` of the tickets that were granted from number `first` on."""

    first: int
    count: int


class TicketsVoided(Fact, frozen=True, tag="tickets_voided"):
    """Tickets became void, since what they were granted for came back before the draw closed."""

    draw: str
    spans: tuple[Span, ...]
    at: Instant
    order: str | None = None
    redemption: str | None = None


class DrawMoved(Fact, frozen=True, tag="draw_moved"):
    """A draw in which the member has tickets closes at another instant than was said."""

    draw: str
    closes_at: Instant


class TicketsEntered(Fact, frozen=True, tag="tickets_entered"):
    """The draw closed: `count` tickets of the member are in it, none if the member is excluded."""

    draw: str
    at: Instant
    count: int
    excluded: bool = False


class TicketPlayed(Fact, frozen=True, tag="ticket_played"):
    """A ticket of an instant draw was played with the key of a day: what it drew, and what was given for that.

    `given` is "fallback" where the prize had run out.
    """

    draw: str
    ticket: int
    day: str
    at: Instant
    drawn: str | None = None
    given: str | None = None


class PrizeWon(Fact, frozen=True, tag="prize_won"):
    """The member won a prize at a place of the draw; claimed until an instant, or given at once (`is_given`)."""

    draw: str
    place: int
    prize: str
    ticket: int
    at: Instant
    until: Instant | None = None
    is_given: bool = False


class PrizeEnded(Fact, frozen=True, tag="prize_ended"):
    """A prize that waited was claimed, or was forfeited because nobody claimed it in time."""

    draw: str
    place: int
    status: Literal["claimed", "forfeited"]
    at: Instant
