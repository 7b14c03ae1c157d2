"""Vouchers when an order comes back: those that it used are given back, those that it was given are taken back.

Each happens once: what was given back is kept with the order, and what was taken back has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.compiled_voucher import CompiledVoucher
from laurels.core.facts import VoucherEnded, VoucherGivenBack
from laurels.core.folding_vouchers import voucher_key, voucher_of
from laurels.core.limit import give_use_back
from laurels.core.member import IssuedVoucher, Purchased, purchase_key
from laurels.core.reversal.lines import PastOrder, Share, all_back, is_nothing, past_order
from laurels.core.reversal.target import gifts_lost
from laurels.core.voucher import issue, release_counts


def give_vouchers_back(
    case: Case,
    past: PastOrder,
    recorded: Purchased,
    shares: Mapping[str, Share],
    given: Mapping[str, int],
    *,
    whole: bool,
) -> dict[str, int]:
    """Gives vouchers back that the order used; by code what came back of each now.

    With nothing left of the order the voucher is the member's again. Where its kind splits, a partial return gives
    back its share of the amount as a new voucher; once any of it came back so, the rest does, too, and with the last of
    it the use counts no more. Where its time was over, it expires at once, or lives on for its kind's grace. One whose
    own order, for which it was given, has come back meanwhile is nobody's, nor is any share of it: it could only not be
    taken back while it was used.
    """
    back: dict[str, int] = {}
    for n, redeemed in enumerate(recorded.redeemed):
        before = given.get(redeemed.code)
        known = voucher_of(case.draft, redeemed.code)
        if known is None or known.status != "redeemed" or known.order != redeemed.order:
            continue
        then = case.versions.numbered(past.version)
        now = case.versions.judging(case.at)
        kind = now.vouchers.get(redeemed.voucher) or (then.vouchers.get(redeemed.voucher) if then else None)
        graced = None if kind is None else _graced_until(case, now, kind, known)
        if whole and before is None:
            release_counts(case, known)
            case.emit(VoucherGivenBack(redeemed.code, redeemed.order, case.at, graced))
            back[redeemed.code] = redeemed.amount
            if _is_lost(case, known):
                _take_upwards(case, redeemed.code)
            continue
        if kind is None or known.shared or (before is None and kind.voucher.on_return != "split"):
            continue
        due = sum([shares[share.line].of(share.points) for share in redeemed.lines])
        amount = due - (before or 0)
        if amount <= 0 or redeemed.voucher not in now.vouchers:
            continue
        lost = _is_lost(case, known)
        if lost and before is None:
            continue  # As long as nothing was given back of it, it can still be given back whole, and taken.
        if not lost:
            issue(
                case, now, redeemed.voucher, "split", f"{redeemed.code} {n}", order=redeemed.order, worth=amount,
                expires_at=known.expires_at if graced is None else graced, of=redeemed.code,
            )  # fmt: skip
        back[redeemed.code] = amount
        if due == redeemed.amount:
            release_counts(case, known)
    return back


def _graced_until(case: Case, now: Compiled, kind: CompiledVoucher, known: IssuedVoucher) -> Instant | None:
    """Until when a voucher lives on whose time is over; None where it is not, or its kind has no grace."""
    grace = kind.voucher.restore_grace
    if grace is None or known.shared or known.expires_at is None or known.expires_at > case.at:
        return None
    return now.zone.add(case.at, grace)


def take_gifts_back(case: Case, recorded: Purchased, order: str, lost: frozenset[str] | None) -> None:
    """Vouchers that the purchase gave are taken back unless they were used; `lost` are the campaigns, None: all."""
    for given in recorded.given:
        if lost is not None and given.campaign not in lost:
            continue
        known = voucher_of(case.draft, given.code)
        if known is not None and known.given_for == order:
            _take(case, given.code)


def end_split_gifts(case: Case, back: Mapping[str, int]) -> None:
    """A gift whose order is back ends once all that it took off has come back, too; `back` is what did now, by code."""
    for code in back:
        known = voucher_of(case.draft, code)
        if known is not None and known.status == "redeemed" and _is_lost(case, known):
            _take_upwards(case, code)


def take_if_lost(case: Case, code: str) -> None:
    """A gift that comes home from another member who refused it is nobody's, if its order came back meanwhile."""
    known = voucher_of(case.draft, code)
    if known is not None and _is_lost(case, known):
        _take_upwards(case, code)


def _take_upwards(case: Case, code: str) -> None:
    """Takes a voucher back, and with the last that was left of it the one of which it was part."""
    part: str | None = code
    while part is not None and _take(case, part):
        known = voucher_of(case.draft, part)
        part = None if known is None else known.part_of


def _take(case: Case, code: str) -> bool:
    """Takes back what there is of a gift, with the parts that were given back of it; whether nothing is left of it.

    What one that is gone counted for its campaign counts no more, also where it expired, or a person took it away,
    before anybody used it. One that is used, or another member's, is something that its order gave: it counts.
    """
    known = voucher_of(case.draft, code)
    assert known is not None, f"there is no voucher {code}"
    status: Literal["expired", "revoked"] = "revoked"
    if known.status == "redeemed":
        case.draft.look_up([voucher_key(part) for part in known.parts])
        standing = [part for part in known.parts if not _take(case, part)]
        if standing or not _is_all_back(case, code, known):
            return False
    elif known.status == "transferred":
        return False
    elif known.ended_by == "returned":
        return True
    elif known.status == "reserved":
        release_counts(case, known)
    elif known.status == "expired":
        status = "expired"
    case.emit(VoucherEnded(code, status, case.at, "returned", known.given_for))
    give_use_back(case, *known.counted, 1, whole=True)
    return True


def _is_all_back(case: Case, code: str, known: IssuedVoucher) -> bool:
    """Whether all that a voucher took off its order has come back."""
    order = None if known.order is None else case.draft.order(known.order)
    return order is not None and order.vouchers.get(code, 0) == known.amount > 0


def _is_lost(case: Case, known: IssuedVoucher) -> bool:
    """Whether the campaign that gave the voucher for an order would not give it for what is left of that order."""
    if known.given_for is None or known.campaign is None:
        return False
    order = case.draft.order(known.given_for)
    if order is None or not order.returned:
        return False
    recorded = case.draft.get(purchase_key(order.seq))
    assert isinstance(recorded, Purchased)
    if all(all_back(line, order.returned.get(line.line)) or is_nothing(line) for line in recorded.purchase.lines):
        return True
    compiled = case.versions.numbered(recorded.opened.version)
    assert compiled is not None
    past = past_order(compiled, recorded, order)
    return known.campaign in gifts_lost(case, compiled, past, recorded.purchase, recorded, order.returned, {})
