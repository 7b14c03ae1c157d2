"""How the facts of draws are folded into a member's part in a draw and into what the root knows of it."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from laurels.core import facts as f
from laurels.core.member import Granted, Tickets, Won, prize_key, tickets_key

if TYPE_CHECKING:
    from laurels.core.apply import Draft


def _tickets_granted(draft: Draft, fact: f.TicketsGranted) -> None:
    known = draft.tickets(fact.draw) or Tickets(fact.number)
    granted = (*known.granted, Granted(fact.first, fact.count, fact.order, fact.redemption))
    last = fact.first + fact.count - 1
    draft.put(tickets_key(fact.draw), msgspec.structs.replace(known, granted=granted, last=last))
    if fact.closes_at is not None:
        draft.root.draws = {**draft.root.draws, fact.draw: fact.closes_at}


def _tickets_voided(draft: Draft, fact: f.TicketsVoided) -> None:
    known = draft.tickets(fact.draw)
    assert known is not None
    void = {span.first: span.count for span in fact.spans}
    left = [msgspec.structs.replace(each, count=each.count - void.get(each.first, 0)) for each in known.granted]
    granted = tuple([each for each in left if each.count])
    draft.put(tickets_key(fact.draw), msgspec.structs.replace(known, granted=granted))


def _draw_moved(draft: Draft, fact: f.DrawMoved) -> None:
    draft.root.draws = {**draft.root.draws, fact.draw: fact.closes_at}


def _tickets_entered(draft: Draft, fact: f.TicketsEntered) -> None:
    known = draft.tickets(fact.draw)
    assert known is not None
    entered = msgspec.structs.replace(known, entered_at=fact.at, excluded=fact.excluded)
    draft.put(tickets_key(fact.draw), entered)
    draft.root.draws = {draw: at for draw, at in draft.root.draws.items() if draw != fact.draw}


def _ticket_played(draft: Draft, fact: f.TicketPlayed) -> None:
    known = draft.tickets(fact.draw)
    assert known is not None
    draft.put(tickets_key(fact.draw), msgspec.structs.replace(known, played=fact.ticket))


def _prize_won(draft: Draft, fact: f.PrizeWon) -> None:
    known = draft.tickets(fact.draw)
    assert known is not None
    status = "given" if fact.is_given else "open"
    won = (*known.won, Won(fact.place, fact.prize, fact.ticket, fact.at, fact.until, status))
    draft.put(tickets_key(fact.draw), msgspec.structs.replace(known, won=won))
    if fact.until is not None:
        draft.root.claims = {**draft.root.claims, prize_key(fact.draw, fact.place): fact.until}


def _prize_ended(draft: Draft, fact: f.PrizeEnded) -> None:
    known = draft.tickets(fact.draw)
    assert known is not None
    won = [
        msgspec.structs.replace(each, status=fact.status) if each.place == fact.place else each for each in known.won
    ]
    draft.put(tickets_key(fact.draw), msgspec.structs.replace(known, won=tuple(won)))
    ended = prize_key(fact.draw, fact.place)
    draft.root.claims = {key: until for key, until in draft.root.claims.items() if key != ended}


DRAW_FOLDS: Final[MappingProxyType[type[Any], Callable[[Draft, Any], None]]] = MappingProxyType(
    {
        f.TicketsGranted: _tickets_granted,
        f.TicketsVoided: _tickets_voided,
        f.DrawMoved: _draw_moved,
        f.TicketsEntered: _tickets_entered,
        f.TicketPlayed: _ticket_played,
        f.PrizeWon: _prize_won,
        f.PrizeEnded: _prize_ended,
    }
)
