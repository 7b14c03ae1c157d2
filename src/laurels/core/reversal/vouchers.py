"""Vouchers when an order comes back: those that it used are given back, those that it was given are taken back.

Each happens once: what was given back is kept with the order, and what was taken back has ended.
"""

from __future__ import annotations

from collections.abc import Mapping

from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.compiled_voucher import CompiledVoucher
from laurels.core.facts import VoucherEnded, VoucherGivenBack
from laurels.core.folding_vouchers import voucher_of
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
    own order, for which it was given, has come back meanwhile is nobody's: it could only not be taken back while it was
    used.
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
                _take_gift(case, redeemed.code, known, known.given_for)
            continue
        if kind is None or known.shared or (before is None and kind.voucher.on_return != "split"):
            continue
        due = sum([shares[share.line].of(share.points) for share in redeemed.lines])
        amount = due - (before or 0)
        if amount > 0 and redeemed.voucher in now.vouchers and not _is_lost(case, known):
            issue(
                case, now, redeemed.voucher, "split", f"{redeemed.code} {n}",
                order=redeemed.order, worth=amount, expires_at=known.expires_at if graced is None else graced,
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
    """Vouchers that the purchase gave and nobody used are taken back; `lost` are the campaigns, None means all."""
    for given in recorded.given:
        if lost is not None and given.campaign not in lost:
            continue
        known = voucher_of(case.draft, given.code)
        if known is None or known.status not in ("issued", "reserved") or known.given_for != order:
            continue
        if known.status == "reserved":
            release_counts(case, known)
        _take_gift(case, given.code, known, order)


def _take_gift(case: Case, code: str, known: IssuedVoucher, order: str | None) -> None:
    case.emit(VoucherEnded(code, "revoked", case.at, "returned", order))
    give_use_back(case, *known.counted, 1, whole=True)


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
