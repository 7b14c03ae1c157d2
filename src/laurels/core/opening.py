"""Points that come to a member other than by earning: a lot that is available at once, and the entry for it."""

from __future__ import annotations

from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.expiry import repay, wind
from laurels.core.facts import EntryKind, LotOpened, Moved, Part
from laurels.core.program.model import Wallet


def add(
    case: Case,
    compiled: Compiled,
    wallet: Wallet,
    points: int,
    earned_at: Instant,
    expires_at: Instant | None,
    kind: EntryKind,
    reason: str,
    tier: str | None,
    out_of: str = "adjustment",
    redemption: str | None = None,
) -> None:
    """Opens an available lot and posts it; debt is paid first. One whose expiry has passed expires at once."""
    lot = case.new_lot()
    case.emit(LotOpened(wallet.id, lot, points, earned_at, expires_at, tier=tier))
    case.emit(
        Moved(
            wallet.id,
            kind,
            points,
            out_of,
            "available",
            case.at,
            compiled.number,
            lot=lot,
            redemption=redemption,
            expires_at=expires_at,
            reason=reason,
        )
    )
    wind(case, compiled, wallet, case.at)
    repay(case, compiled, wallet.id, Part(lot, points, earned_at, expires_at, tier))
