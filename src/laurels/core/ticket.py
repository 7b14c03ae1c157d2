"""Tickets: a member's chances in a draw, granted by campaigns or bought, void when what earned them comes back in time.

Tickets of a draw are numbered from 1 for each member, and a number is never used again. A draw takes tickets from its
opening until it closes, and only while the shell hands in the member's own number in it (`outside.key`), which it does
until the draw is closed for all. When a scheduled draw closes, the tickets that a member has then are in it: from that
instant on they stand, whatever becomes of the purchase.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from laurels.core.activity import Activity, Purchase
from laurels.core.calendar import Instant
from laurels.core.case import Case, view_now
from laurels.core.compiled import Compiled, Trigger
from laurels.core.facts import DrawMoved, Grant, Span, TakenBack, TicketsEntered, TicketsGranted, TicketsVoided
from laurels.core.granting import ActivityView
from laurels.core.member import Earned, Tickets
from laurels.core.program.draws_model import TICKETS, Draw
from laurels.core.refusal import Refusal
from laurels.core.segment import are_read

NONE_SHUT: Final[Mapping[str, str]] = MappingProxyType({})
MOST: Final = 1_000_000
"""Tickets of a member in a draw."""


def shut_draws(case: Case, trigger: Trigger, activity: Activity) -> dict[str, str]:
    """The draws, as grants name them, of which an activity's campaigns grant the member no tickets now, and why."""
    now = case.versions.judging(case.at)
    found: dict[str, str] = {}
    for id in trigger.draws:
        draw = now.draws.get(id)
        opens_at = 0 if draw is None else draw.opens_at
        why = "draw_not_open" if activity.occurred_at < opens_at else _shut(case, now, draw)
        if why is not None:
            found[f"{TICKETS}{id}"] = why
    return found


def _shut(case: Case, now: Compiled, draw: Draw | None) -> str | None:
    """The code that says why a member gets no ticket of a draw now; None if they may."""
    if draw is None or not draw.opens_at <= case.at < draw.closes_at or case.outside.key(draw.id) is None:
        return "draw_not_open"
    known = case.draft.tickets(draw.id)
    if known is not None and known.entered_at is not None:
        return "draw_not_open"
    return "excluded_from_draw" if is_excluded(case, now, draw.id) else None


def is_excluded(case: Case, compiled: Compiled, draw: str) -> bool:
    """Whether the member, as they are now, has no part in the draw."""
    condition = compiled.exclusions.get(draw)
    if condition is None:
        return False
    view = view_now(case, compiled, reads_segments=are_read((compiled.draws[draw].exclude,)))
    activity = ActivityView("draw", "", "", case.at, {})
    return bool(condition(view, None, activity, compiled.zone.local(case.at), None))


# --- granting ---------------------------------------------------------------------------------------------------------


def obstacle(case: Case, compiled: Compiled, draw: str, count: int) -> Refusal | None:
    """What keeps the member from getting tickets of a draw now. `compiled` is the version in effect now."""
    terms = compiled.draws.get(draw)
    if terms is None:
        return Refusal("unknown_draw", draw)
    why = _shut(case, compiled, terms)
    if why is not None:
        return Refusal(why, draw)
    if count > room(case, draw):
        return Refusal("draw_not_open", f"A member has at most {MOST:,} tickets.")
    return None


def room(case: Case, draw: str) -> int:
    """How many more tickets of a draw the member can have."""
    return MOST - _last(case, draw)


def grant(case: Case, compiled: Compiled, draw: str, count: int, *, redemption: str | None = None) -> Refusal | None:
    """Gives the member tickets of a draw, or says why not. `compiled` is the version in effect now."""
    why = obstacle(case, compiled, draw, count)
    if why is None:
        _emit(case, compiled, compiled.draws[draw], count, redemption=redemption)
    return why


def grant_by_campaigns(
    case: Case, compiled: Compiled, activity: Activity, draw: str, grants: tuple[Grant, ...]
) -> None:
    """Gives the tickets that campaigns granted; the draw is known to take them."""
    terms = case.versions.judging(case.at).draws[draw]
    order = activity.data.order if isinstance(activity.data, Purchase) else None
    _emit(case, compiled, terms, sum([each.points for each in grants]), grants, order)


def _last(case: Case, draw: str) -> int:
    known = case.draft.tickets(draw)
    return 0 if known is None else known.last


def _emit(
    case: Case,
    compiled: Compiled,
    draw: Draw,
    count: int,
    grants: tuple[Grant, ...] = (),
    order: str | None = None,
    redemption: str | None = None,
) -> None:
    number = case.outside.key(draw.id)
    assert number is not None
    closes_at = draw.closes_at if draw.kind == "scheduled" else None
    first = _last(case, draw.id) + 1
    case.emit(
        TicketsGranted(
            draw.id, number, first, count, case.at, compiled.number, closes_at, grants, order, redemption
        )
    )  # fmt: skip


# --- coming back ------------------------------------------------------------------------------------------------------


def void(case: Case, earned: Sequence[Earned], order: str, taken: dict[int, TakenBack]) -> dict[int, TakenBack]:
    """Makes void what a return takes of an order's tickets; what was taken, less the tickets that stand.

    Those stand that have entered a draw or were played. Of what was granted, the last tickets become void first.
    """
    left = dict(taken)
    for wallet in sorted({earned[n].wallet for n in taken if earned[n].wallet.startswith(TICKETS)}):
        draw = wallet.removeprefix(TICKETS)
        known = case.draft.tickets(draw)
        spans: dict[int, int] = {}
        loose = _loose(known, order)
        for n in [n for n in taken if earned[n].wallet == wallet]:
            wanted = taken[n].points
            for first, count in loose.items():
                now = min(wanted, count)
                loose[first] -= now
                wanted -= now
                spans[first] = spans.get(first, 0) + now
            if wanted == taken[n].points:
                del left[n]
            elif wanted:
                left[n] = TakenBack(n, taken[n].points - wanted)
        void_now = tuple([Span(first, count) for first, count in spans.items() if count])
        if void_now:
            case.emit(TicketsVoided(draw, void_now, case.at, order))
    return left


def _loose(known: Tickets | None, order: str) -> dict[int, int]:
    """Of an order's tickets, by the first of those granted together: how many can become void yet."""
    if known is None or known.entered_at is not None:
        return {}
    return {
        each.first: min(each.count, max(each.first + each.count - 1 - known.played, 0))
        for each in known.granted
        if each.order == order
    }


def void_bought(case: Case, compiled: Compiled, draw: str, redemption: str) -> Refusal | None:
    """Makes void the tickets that a redemption bought, or says that they stand: all of them, or none.

    Those stand whose draw has closed or of which one was played. `compiled` is the version in effect now.
    """
    known = case.draft.tickets(draw)
    assert known is not None, f"{redemption} bought tickets of {draw}"
    terms = compiled.draws.get(draw)
    bought = [each for each in known.granted if each.redemption == redemption]
    is_closed = known.entered_at is not None or (terms is not None and terms.closes_at <= case.at)
    if is_closed or any(each.first <= known.played for each in bought):
        return Refusal("tickets_stand", draw)
    spans = tuple([Span(each.first, each.count) for each in bought])
    case.emit(TicketsVoided(draw, spans, case.at, redemption=redemption))
    return None


# --- closing ----------------------------------------------------------------------------------------------------------


def follow_draws(case: Case, compiled: Compiled) -> None:
    """Draws that a version closes at another instant close then for the member, too; now, if that has passed."""
    for id, closes_at in case.root.draws.items():
        draw = compiled.draws.get(id)
        if draw is not None and (moved := max(draw.closes_at, case.at)) != closes_at:
            case.emit(DrawMoved(id, moved))


def enter(case: Case, compiled: Compiled, draw: str, at: Instant) -> None:
    """The draw closes: the member's tickets are in it from now on, or the member is excluded."""
    known = case.draft.tickets(draw)
    assert known is not None
    excluded = is_excluded(case, compiled, draw)
    count = 0 if excluded else sum([each.count for each in known.granted])
    case.emit(TicketsEntered(draw, at, count, excluded))
