"""Prizes: won by a ticket that is played, or drawn for one; points and vouchers are given at once, others claimed.

What a play comes to follows from the day's key, which the shell hands in and which was bound by its commitment before
the day began. Prizes are taken from pools, so that none is given twice: one that has run out becomes the fallback of
the draw. A prize that is drawn arrives as an activity of its own with an id that follows from the draw and the place.
"""

from __future__ import annotations

from laurels.core.activity import Claim, Forfeit, Play, Prize
from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.draw import Entry, drawn_instantly
from laurels.core.draw_record import FALLBACK
from laurels.core.expiry import expiry_of, rule_for
from laurels.core.facts import PrizeEnded, PrizeWon, TicketPlayed
from laurels.core.member import Won, prize_key
from laurels.core.opening import add
from laurels.core.program.draws_model import Draw, stock_pool
from laurels.core.program.draws_model import Prize as PrizeTerms
from laurels.core.program.model import Never
from laurels.core.refusal import Refusal
from laurels.core.ticket import is_excluded
from laurels.core.voucher import issue, withdrawn


def day_of(compiled: Compiled, at: Instant) -> str:
    """The day of an instant draw, by which its key is named."""
    return compiled.zone.local(at).date


def key_name(draw: str, day: str) -> str:
    """The name under which the shell hands in the key of a day."""
    return f"{draw}/{day}"


def play(case: Case, now: Compiled, data: Play) -> Refusal | None:
    """The member's next ticket is played."""
    draw = now.draws.get(data.draw)
    if draw is None:
        return Refusal("unknown_draw", data.draw)
    if draw.kind != "instant":
        return Refusal("not_an_instant_draw", data.draw)
    key = case.outside.key(key_name(draw.id, day_of(now, case.at)))
    if key is None or not draw.opens_at <= case.at < draw.closes_at:
        return Refusal("draw_not_open", data.draw)
    if is_excluded(case, now, draw.id):
        return Refusal("excluded_from_draw", data.draw)
    known = case.draft.tickets(draw.id)
    ready = [] if known is None else known.ready
    if known is None or not ready:
        return Refusal("no_ticket", data.draw)
    if draw.wins_most is not None and len(known.won) >= draw.wins_most:
        return Refusal("no_ticket", f"A member wins at most {draw.wins_most}.")
    for each in (*draw.prizes, *((draw.fallback,) if draw.fallback else ())):
        # Before it is known what the ticket draws, or a prize could be kept back from whoever drew it.
        if each.voucher is not None and (gone := _withdrawn(case, now, each.voucher)) is not None:
            return gone
    ticket = ready[0]
    drawn = drawn_instantly(bytes.fromhex(key), Entry(known.number, ticket), now.odds[draw.id])
    prize = None if drawn is None else draw.prize(drawn)
    given = drawn
    if prize is not None and prize.quantity is not None:
        pool = stock_pool(draw.id, prize.id)
        if case.pools.get(pool, 0) < prize.quantity:
            case.claim(pool, 1)
        else:
            given, prize = FALLBACK, draw.fallback
    case.emit(TicketPlayed(draw.id, ticket, day_of(now, case.at), case.at, drawn, given))
    if prize is not None:
        _give(case, now, draw.id, ticket, prize.id, ticket, prize, until_of(now, draw, prize, case.at))
    return None


def until_of(compiled: Compiled, draw: Draw, prize: PrizeTerms, at: Instant) -> Instant | None:
    """When a prize that is won at an instant is forfeited, unless it is claimed; None for what is given at once."""
    return None if draw.claim is None or prize.is_given else compiled.zone.add(at, draw.claim)


def win(case: Case, now: Compiled, data: Prize) -> Refusal | None:
    """A prize was drawn for a ticket of the member, who has it from now on; once, and while there is one."""
    known = case.draft.tickets(data.draw)
    if known is None or known.entered_at is None or data.ticket not in known.numbers:
        return Refusal("no_ticket", data.draw)
    if known.excluded:
        return Refusal("excluded_from_draw", data.draw)
    if any(each.place == data.place for each in known.won):
        return Refusal("prize_not_open", data.draw)
    pool = stock_pool(data.draw, data.prize)
    if case.pools.get(pool, 0) >= data.quantity:
        return Refusal("prize_gone", data.prize)
    if data.voucher is not None and (gone := _withdrawn(case, now, data.voucher)) is not None:
        return gone
    case.claim(pool, 1)
    terms = PrizeTerms(data.prize, {}, wallet=data.wallet, points=data.points, voucher=data.voucher)
    _give(case, now, data.draw, data.place, data.prize, data.ticket, terms, data.until)
    return None


def _withdrawn(case: Case, compiled: Compiled, voucher: str) -> Refusal | None:
    return withdrawn(case, compiled, compiled.voucher_keys.get(voucher), voucher)


def _give(
    case: Case,
    compiled: Compiled,
    draw: str,
    place: int,
    prize: str,
    ticket: int,
    terms: PrizeTerms,
    until: Instant | None,
) -> None:
    """The prize is the member's: points and vouchers at once, anything else to be claimed."""
    case.emit(PrizeWon(draw, place, prize, ticket, case.at, until, terms.is_given))
    if terms.voucher is not None:
        issue(case, compiled, compiled.voucher_keys[terms.voucher], "prize", f"{draw} {place}")
    if terms.wallet is None:
        return
    wallet = case.versions.wallet(case.versions.current(terms.wallet, case.at), case.at)
    rule, tier = rule_for(compiled, wallet, case.tiers_at(case.at))
    expires_at = expiry_of(compiled, rule, case.at)
    by_tier = tier if isinstance(rule, Never) else None
    add(case, compiled, wallet, terms.points, case.at, expires_at, "adjustment", "prize", by_tier)


def _won(case: Case, draw: str, place: int) -> Won | None:
    """The member's prize of a place, if it is theirs."""
    known = case.draft.tickets(draw)
    return None if known is None else next((each for each in known.won if each.place == place), None)


def claim(case: Case, data: Claim) -> Refusal | None:
    """The member has their prize."""
    won = _won(case, data.draw, data.place)
    if won is None:
        return Refusal("unknown_prize", f"{data.draw} {data.place}")
    if won.status != "open":
        return Refusal("prize_not_open", f"It is {won.status}.")
    case.emit(PrizeEnded(data.draw, data.place, "claimed", case.at))
    return None


def pass_over(case: Case, data: Forfeit) -> Refusal | None:
    """The member was erased: what they won of a scheduled draw and did not claim is there for an alternate."""
    won = _won(case, data.draw, data.place)
    if won is None:
        return Refusal("unknown_prize", f"{data.draw} {data.place}")
    # What was due before may have ended it already.
    if won.status == "open":
        forfeit(case, prize_key(data.draw, data.place), case.at)
    return None


def forfeit(case: Case, key: str, at: Instant) -> None:
    """The time to claim a prize is over. One of a scheduled draw is there for an alternate; of a wheel it is gone."""
    draw, _, place = key.rpartition("#")
    known = case.draft.tickets(draw)
    assert known is not None
    won = next(each for each in known.won if each.place == int(place))
    case.emit(PrizeEnded(draw, won.place, "forfeited", at))
    if known.entered_at is not None:
        case.claim(stock_pool(draw, won.prize), -1)
