"""Returns: what each line earned comes back off it, exactly once, and points used to pay go back to their lots.

Per line and campaign the points taken back in all are floor(earned x returned / bought), the last return takes the
rest. Conditions on the order, brackets and choices between campaigns are judged again on what remains, with the
standing recorded then; they never yield more than was earned, and nothing is granted again.
"""

from __future__ import annotations

from msgspec.structs import replace

from laurels.core.activity import Return
from laurels.core.case import Case
from laurels.core.facts import Explained, Judged, OrderReturned, TakenBack
from laurels.core.free_pieces import free_pieces
from laurels.core.member import Purchased, purchase_key
from laurels.core.program.draws_model import TICKETS
from laurels.core.quote import before_offers
from laurels.core.refusal import Refusal
from laurels.core.reversal.discounts import give_discounts_back
from laurels.core.reversal.lines import (
    PastOrder,
    all_back,
    cumulative_of,
    is_nothing,
    past_order,
    returned_lines,
    share_of,
)
from laurels.core.reversal.payment import paid_back_of, restore_points
from laurels.core.reversal.taking import give_limits_back, take, taken_of, unmeasure, where_it_is_now
from laurels.core.reversal.target import Target, gifts_lost, targets_of
from laurels.core.reversal.vouchers import end_split_gifts, give_vouchers_back, take_gifts_back
from laurels.core.ticket import void
from laurels.core.tier import fall_back


def take_back(case: Case, data: Return) -> Refusal | None:
    """Carries out a return."""
    order = case.draft.order(data.order)
    if order is None:
        return Refusal("unknown_order", data.order)
    recorded = case.draft.get(purchase_key(order.seq))
    assert isinstance(recorded, Purchased)
    compiled = case.versions.numbered(recorded.opened.version)
    assert compiled is not None
    past = past_order(compiled, recorded, order)
    purchase = past.purchase
    paid_with = [f"redemption/{tender.redemption}" for tender in purchase.tenders if tender.redemption is not None]
    wanted = [f"expired/{each.lot}" if each.lot else each.wallet for each in past.earned]
    case.draft.look_up(dict.fromkeys([*wanted, *paid_with]))
    lines = returned_lines(purchase, past, data)
    if isinstance(lines, Refusal):
        return lines
    cumulative = cumulative_of(past, lines)
    shares = {line.line: share_of(line, cumulative.get(line.line)) for line in purchase.lines}
    money = paid_back_of(purchase, past, lines, data.tenders)
    if isinstance(money, Refusal):
        return money
    restored = restore_points(case, compiled, purchase, past, money)
    whole = all(all_back(line, cumulative.get(line.line)) or is_nothing(line) for line in purchase.lines)
    if recorded.priced is not None and past.trigger is not None and past.trigger.by_piece:
        before = before_offers(purchase, recorded.priced).lines
        free = free_pieces(case.versions, compiled, before, recorded.priced, recorded.priced)
        purchase = replace(purchase, free=free)
    targets = targets_of(case, compiled, past, purchase, cumulative, shares, money, whole)
    taken = void(case, past.earned, data.order, taken_of(past, targets))
    then = past
    past = where_it_is_now(case, past)
    points = {n: each for n, each in taken.items() if not past.earned[n].wallet.startswith(TICKETS)}
    forgiven, waited = take(case, compiled, past, data.order, points)
    give_limits_back(case, past, taken)
    if recorded.priced is not None:
        give_discounts_back(case, past, purchase, recorded.priced, cumulative)
    now = case.versions.judging(case.at)
    was_whole = all(all_back(line, past.returned.get(line.line)) or is_nothing(line) for line in purchase.lines)
    measured = unmeasure(case, now, past, purchase, shares, taken, waited, whole=whole and not was_whole)
    vouchers = give_vouchers_back(case, past, recorded, shares, order.vouchers, whole=whole)
    if recorded.given:
        lost = None if whole else gifts_lost(case, compiled, then, purchase, recorded, cumulative, money)
        take_gifts_back(case, recorded, data.order, lost)
    returned = OrderReturned(data.order, lines, tuple(taken.values()), restored, money, forgiven, measured, vouchers)
    case.emit(returned)
    end_split_gifts(case, vouchers)
    case.emit(Explained(compiled.number, explained(then, taken, targets)))
    for track_id in measured:
        fall_back(case, now, now.tracks[track_id], past.occurred_at)
    return None


def explained(past: PastOrder, taken: dict[int, TakenBack], targets: list[Target]) -> tuple[Judged, ...]:
    """What became of each grant of the order: taken back by how much, kept, or no longer earned."""
    return tuple(
        [
            Judged(
                each.campaign,
                targets[n].code if n in taken or targets[n].code != "taken_back" else "kept",
                targets[n].points,
                taken[n].points if n in taken else 0,
                each.wallet,
                each.tier,
            )
            for n, each in enumerate(past.earned)
        ]
    )
