"""What people put right: adjustments, opening balances, longer lives for points, expired ones back."""

from __future__ import annotations

from laurels.core.activity import Adjustment, Extension, OpeningBalance, Reinstatement
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.expiry import expiry_of, part_of, rule_for
from laurels.core.facts import LotExtended, LotReinstated, LotsUsed, Moved, WalletKept
from laurels.core.opening import add
from laurels.core.program.model import Inactive, Never
from laurels.core.redemption import take
from laurels.core.refusal import Refusal
from laurels.core.tier import measure_points


def adjust(case: Case, compiled: Compiled, data: Adjustment) -> Refusal | None:
    """Points given or taken by a person. Given ones are available at once; taken ones never go below zero."""
    wallet = compiled.wallets.get(data.wallet)
    if wallet is None:
        return Refusal("unknown_wallet", data.wallet)
    if data.points > 0:
        if data.expires_at is not None and data.expires_at <= case.at:
            return Refusal("expiry_in_past")
        rule, tier = rule_for(compiled, wallet, case.tiers_at(case.at))
        expires_at = data.expires_at
        if expires_at is None:
            expires_at = expiry_of(compiled, rule, case.at)
        by_tier = tier if data.expires_at is None and isinstance(rule, Never) else None
        add(case, compiled, wallet, data.points, case.at, expires_at, "adjustment", "adjusted", by_tier)
    else:
        points = -data.points
        available = case.draft.balance(wallet.id).available
        if points > available:
            return Refusal("below_zero", f"{available} are available.")
        parts = take(case, wallet.id, points)
        case.emit(LotsUsed(wallet.id, parts))
        case.emit(
            Moved(
                wallet.id,
                "adjustment",
                points,
                "available",
                "adjustment",
                case.at,
                compiled.number,
                parts=parts,
                reason="adjusted",
            )
        )
    if not wallet.spendable:
        measure_points(case, compiled, wallet.id, data.points, case.at, waited=False)
    return None


def open_balance(case: Case, compiled: Compiled, data: OpeningBalance) -> Refusal | None:
    """Lots brought from another system, each with its own dates; expired ones are shown to expire at once."""
    wallet = compiled.wallets.get(data.wallet)
    if wallet is None:
        return Refusal("unknown_wallet", data.wallet)
    for lot in data.lots:
        add(case, compiled, wallet, lot.points, lot.earned_at, lot.expires_at, "adjustment", "opening_balance", None)
    if not wallet.spendable:
        for lot in data.lots:
            measure_points(case, compiled, wallet.id, lot.points, lot.earned_at, waited=False)
    return None


def extend(case: Case, compiled: Compiled, data: Extension) -> Refusal | None:
    """Lots of a wallet get another expiry; never an earlier one."""
    wallet = compiled.wallets.get(data.wallet)
    if wallet is None:
        return Refusal("unknown_wallet", data.wallet)
    if data.expires_at is not None and data.expires_at <= case.at:
        return Refusal("expiry_in_past")
    lots = case.draft.lots(wallet.id)
    if data.lots is not None:
        known = {lot.lot for lot in lots}
        for wanted in data.lots:
            if wanted not in known:
                return Refusal("unknown_lot", wanted)
        lots = [lot for lot in lots if lot.lot in data.lots]
    kept_until = case.draft.balance(wallet.id).expires_at
    if isinstance(wallet.expires, Inactive) and data.lots is None and kept_until is not None and lots:
        if data.expires_at is not None and data.expires_at <= kept_until:
            return Refusal("nothing_to_extend", wallet.id)
        case.emit(WalletKept(wallet.id, case.at, data.expires_at))
        return None
    changed = False
    for lot in lots:
        later = lot.expires_at is not None and (data.expires_at is None or data.expires_at > lot.expires_at)
        if later:
            case.emit(LotExtended(wallet.id, part_of(lot), data.expires_at))
            changed = True
    return None if changed else Refusal("nothing_to_extend", wallet.id)


def reinstate(case: Case, compiled: Compiled, data: Reinstatement) -> Refusal | None:
    """Expired points of lots come back, each once, in new lots of the same age with the stated expiry."""
    wallet = compiled.wallets.get(data.wallet)
    if wallet is None:
        return Refusal("unknown_wallet", data.wallet)
    if data.expires_at is not None and data.expires_at <= case.at:
        return Refusal("expiry_in_past")
    found = False
    for lot in data.lots:
        expired = case.draft.expired(lot)
        if expired is None or case.versions.current(expired.wallet, case.at) != wallet.id:
            return Refusal("unknown_lot", lot)
        points = expired.points - expired.reinstated
        if points <= 0:
            continue
        found = True
        case.emit(LotReinstated(lot, points))
        add(
            case, compiled, wallet, points, expired.earned_at, data.expires_at, "adjustment", "reinstated", None,
            "breakage",
        )  # fmt: skip
    return None if found else Refusal("nothing_to_reinstate", wallet.id)
