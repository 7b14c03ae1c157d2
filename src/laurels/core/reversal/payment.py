"""What a return gives back of what paid: money to each tender in proportion, points to the lots they came from."""

from __future__ import annotations

from laurels.core.activity import Purchase, Tender
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.facts import (
    LineReturned,
    RedemptionRestored,
)
from laurels.core.money import allocate, floor_div
from laurels.core.redemption import give_back, split
from laurels.core.refusal import Refusal
from laurels.core.reversal.lines import PastOrder


def paid_back_of(
    purchase: Purchase, past: PastOrder, lines: tuple[LineReturned, ...], tenders: tuple[Tender, ...] | None
) -> dict[str, int] | Refusal:
    """Money that goes back to each tender, by its place; in proportion unless the return says otherwise."""
    if not purchase.tenders:
        return {}
    now = sum([line.amount for line in lines])
    left = [tender.amount - past.paid_back.get(str(n), 0) for n, tender in enumerate(purchase.tenders)]
    if tenders is not None:
        back: dict[str, int] = {}
        for given in tenders:
            rest = given.amount
            for n in _paid_likewise(purchase, given):
                here = min(rest, left[n])
                left[n] -= here
                rest -= here
                if here:
                    back[str(n)] = back.get(str(n), 0) + here
            if rest:
                return Refusal("return_exceeds_purchase", f"The order was not paid so much with {given.kind}.")
        if sum(back.values()) != now:
            return Refusal("return_exceeds_purchase", "The tenders do not sum to what is returned.")
        return back
    before = sum(past.paid_back.values())
    targets = allocate(before + now, [tender.amount for tender in purchase.tenders])
    shares = [
        max(target - (tender.amount - rest), 0)
        for target, tender, rest in zip(targets, purchase.tenders, left, strict=True)
    ]
    shares = [min(share, rest) for share, rest in zip(shares, left, strict=True)]
    missing = now - sum(shares)
    for n, rest in enumerate(left):
        more = min(rest - shares[n], missing) if missing > 0 else max(-shares[n], missing)
        shares[n] += more
        missing -= more
    return {str(n): share for n, share in enumerate(shares) if share}


def _paid_likewise(purchase: Purchase, given: Tender) -> list[int]:
    """The order's tenders, by place, that one of a return may mean: of its kind, and of its redemption if named."""
    return [
        n
        for n, tender in enumerate(purchase.tenders)
        if tender.kind == given.kind and given.redemption in (None, tender.redemption)
    ]


def restore_points(
    case: Case, compiled: Compiled, purchase: Purchase, past: PastOrder, money: dict[str, int]
) -> dict[str, int]:
    """Gives points that paid back to the lots they came from, as if less had been spent in the first place."""
    restored: dict[str, int] = {}
    for n, tender in enumerate(purchase.tenders):
        if tender.kind != "points" or tender.redemption is None or str(n) not in money:
            continue
        redemption = case.draft.redemption(tender.redemption)
        if redemption is None:
            continue
        back = past.paid_back.get(str(n), 0) + money[str(n)]
        points = floor_div(redemption.spent * back, tender.amount) - redemption.restored
        if points <= 0:
            continue
        kept = redemption.spent - redemption.restored - points
        _first, rest = split(redemption.parts, kept)
        parts, _last = split(rest, points)
        case.emit(RedemptionRestored(tender.redemption, points))
        give_back(
            case,
            compiled,
            case.versions.current(redemption.wallet, case.at),
            parts,
            "redemption",
            tender.redemption,
            "returned",
            case.at,
            "reversal",
            purchase.order,
            since=redemption.held_at,
        )
        restored[tender.redemption] = points
    return restored
