"""Carrying over: points of a wallet that a version renamed or retired go to the wallet that takes its place.

They keep their lots, ages and expiries, whether pending, available or held; debt goes along and is paid by what is
available. The journals of both wallets say so, against the account of adjustments, so that each sums to zero. What
still arrives under the old id (a late activity, a transfer on its way) is carried over at once.
"""

from __future__ import annotations

from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.expiry import part_of, repay, rule_for, wind
from laurels.core.facts import WalletCarried, WalletKept
from laurels.core.member import Balance, page_key
from laurels.core.program.model import Inactive


def carry_over(case: Case, compiled: Compiled, at: Instant) -> None:
    """Carries over every wallet that the version in effect at an instant no longer has, if it says where to."""
    for id in case.root.wallets:
        if id not in compiled.wallet_ids:
            break
    else:
        return
    for id in sorted(case.root.wallets):
        into = case.versions.current(id, at)
        if into != id:
            _carry(case, compiled, id, into, at)


def _carry(case: Case, compiled: Compiled, id: str, into: str, at: Instant) -> None:
    old, new = case.draft.balance(id), case.draft.balance(into)
    redemptions = [f"redemption/{redemption}" for redemption in case.root.holds] if old.held else []
    pages = [page_key(wallet, head.number) for wallet in (id, into) for head in case.draft.balance(wallet).pages]
    case.draft.look_up([*pages, *redemptions])
    wallet = case.versions.wallet(into, at)
    rule, _tier = rule_for(compiled, wallet, case.tiers_at(at))
    # A tier that keeps the points for now does not make the wallet another one.
    is_sliding = isinstance(wallet.expires, Inactive) or isinstance(rule, Inactive)
    clock = _clock(old, new) if is_sliding else None
    # A sliding wallet's instant stays with its points where the other wallet has none, and is nobody else's.
    lots_until = old.expires_at if clock is None else None
    case.emit(
        WalletCarried(
            id,
            into,
            at,
            compiled.number,
            old.pending,
            old.available,
            old.held,
            old.debt,
            lots_until,
            tuple([key.partition("/")[2] for key in redemptions]),
        )
    )
    if case.draft.balance(into).expires_at != clock and is_sliding:
        case.emit(WalletKept(into, at, clock))
    wind(case, compiled, wallet, at)
    _pay_debt(case, compiled, into)


def _clock(old: Balance, new: Balance) -> Instant | None:
    """The instant of both wallets together: the later one, so that nobody loses anything by it."""
    known = [balance.expires_at for balance in (old, new) if balance.expires_at is not None]
    return max(known, default=None)


def _pay_debt(case: Case, compiled: Compiled, wallet: str) -> None:
    balance = case.draft.balance(wallet)
    if not (balance.debt and balance.available):
        return
    for lot in case.draft.lots(wallet):
        if lot.available_at is None and case.draft.balance(wallet).debt:
            repay(case, compiled, wallet, part_of(lot))
