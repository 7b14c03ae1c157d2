"""Transfer: points go to another member with their ages and expiries, by way of an in-transit account.

One activity concerns one member, so the other side is a follow-up that carries the lots. If the other member refuses
them, they come back by a second follow-up, which cannot be refused.
"""

from __future__ import annotations

from laurels.core.activity import Activity, Parcel, Transfer
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.expiry import keep, repay
from laurels.core.facts import FollowUp, LotOpened, LotsUsed, Moved, Part
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
    wallet = compiled.wallets.get(data.wallet)
    if wallet is None:
        return Refusal("unknown_wallet", data.wallet)
    for part in data.lots:
        lot = case.new_lot()
        case.emit(LotOpened(wallet.id, lot, part.points, part.earned_at, part.expires_at))
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
        repay(case, compiled, wallet.id, Part(lot, part.points, part.earned_at, part.expires_at))
    if compiled.sliding:
        keep(case, compiled, "earn", case.at, frozenset((wallet.id,)))
    return None


def take_home(case: Case, compiled: Compiled, data: Parcel) -> None:
    """Points that the other member refused return to their lots."""
    parts = tuple([Part(part.lot, part.points, part.earned_at, part.expires_at) for part in data.lots])
    give_back(case, compiled, data.wallet, parts, "in_transit", None, "refused_by_recipient", case.at, "transfer")
