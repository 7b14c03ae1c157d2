"""Transfer: points go to another member with their ages and expiries, by way of an in-transit account.

One activity concerns one member, so the other side is a follow-up that carries the lots. If the other member refuses
them, they come back by a second follow-up, which cannot be refused.
"""

from __future__ import annotations

import msgspec

from laurels.core.activity import Activity, Parcel, Transfer
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.expiry import expiry_of, keep, repay, rule_for, wind
from laurels.core.facts import FollowUp, LotOpened, LotsUsed, Moved, Part
from laurels.core.program.model import Never, Wallet
from laurels.core.redemption import give_back, spendable, take
from laurels.core.refusal import Refusal


def send(case: Case, compiled: Compiled, activity: Activity, data: Transfer) -> Refusal | None:
    """Takes the points out of their lots and sends them on their way."""
    if data.to == activity.member:
        return Refusal("same_member")
    wallet = spendable(case, compiled, data.wallet, data.points)
    if isinstance(wallet, Refusal):
        return wallet
    parts = take(case, wallet.id, data.points)
    case.emit(LotsUsed(wallet.id, parts))
    case.emit(
        Moved(
            wallet.id,
            "transfer",
            data.points,
            "available",
            "in_transit",
            case.at,
            compiled.number,
            parts=parts,
            reason="sent",
        )
    )
    keep(case, compiled, "spend", case.at, frozenset((wallet.id,)))
    follow_up = f"{activity.source}/{activity.id}/in"
    case.emit(FollowUp(data.to, follow_up, "transfer_in", wallet.id, data.points, parts, activity.member))
    return None


def receive(case: Case, compiled: Compiled, data: Parcel) -> Refusal | None:
    """Opens a lot for each that arrives, with the same age and expiry."""
    if case.versions.current(data.wallet, case.at) not in compiled.wallets:
        return Refusal("unknown_wallet", data.wallet)
    # Of a wallet that was renamed while they were on their way they arrive there, and are carried over then.
    wallet = case.versions.wallet(data.wallet, case.at)
    for sent in data.lots:
        lot = case.new_lot()
        part = _received(case, compiled, wallet, Part(lot, sent.points, sent.earned_at, sent.expires_at, sent.tier))
        case.emit(LotOpened(wallet.id, lot, part.points, part.earned_at, part.expires_at, part.tier))
        case.emit(
            Moved(
                wallet.id,
                "transfer",
                part.points,
                "in_transit",
                "available",
                case.at,
                compiled.number,
                lot=lot,
                expires_at=part.expires_at,
                reason="received",
            )
        )
        repay(case, compiled, wallet.id, part)
    if compiled.sliding:
        keep(case, compiled, "earn", case.at, frozenset((wallet.id,)))
        wind(case, compiled, wallet, case.at)
    return None


def _received(case: Case, compiled: Compiled, wallet: Wallet, part: Part) -> Part:
    """A lot as its new owner has it: what only the sender's tier kept from expiring does not leave that tier's shelter
    with them, unless the new owner's tier gives the same."""
    if part.tier is None or part.expires_at is not None:
        return msgspec.structs.replace(part, tier=None)
    rule, tier = rule_for(compiled, wallet, case.tiers_at(case.at))
    expires_at = expiry_of(compiled, rule, case.at)
    return msgspec.structs.replace(part, expires_at=expires_at, tier=tier if isinstance(rule, Never) else None)


def take_home(case: Case, compiled: Compiled, data: Parcel) -> None:
    """Points that the other member refused return to their lots."""
    parts = tuple([Part(part.lot, part.points, part.earned_at, part.expires_at, part.tier) for part in data.lots])
    give_back(case, compiled, data.wallet, parts, "in_transit", None, "refused_by_recipient", case.at, "transfer")
