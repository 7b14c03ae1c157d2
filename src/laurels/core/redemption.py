"""Redemption: points are held, then captured (also in part), cancelled or timed out, each a new fact, each once.

Points leave their lots when they are held, in the order of consumption, and the redemption remembers from which: what
is given back goes to the same lots with their own expiry. A hold keeps its lots from expiring; given back after its
expiry, a lot expires at once or lives on for the wallet's `restore_grace`.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final

import msgspec

from laurels.core.activity import Cancel, Capture, Hold
from laurels.core.apply import uses_key
from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.expiry import expiry_of, keep, lost_at, part_of, repay, wind
from laurels.core.facts import (
    EntryKind,
    LimitUsed,
    LotOpened,
    LotsExpired,
    LotsRestored,
    LotsUsed,
    Moved,
    Part,
    RedemptionCaptured,
    RedemptionEnded,
    RedemptionHeld,
)
from laurels.core.giving import cannot_give, give
from laurels.core.member import Redemption, page_key
from laurels.core.money import ceil_div, floor_div
from laurels.core.program.model import Wallet
from laurels.core.refusal import Refusal

_points: Final = attrgetter("points")


def take(case: Case, wallet: str, points: int) -> tuple[Part, ...]:
    """The lots that `points` available points come from, in the order of consumption.

    The caller has made sure that so many are available. Pages that are not loaded are asked for many at a time: as many
    as the points are likely to lie in, or as many again as were looked through.
    """
    parts: list[Part] = []
    left = points
    balance = case.draft.balance(wallet)
    heads = balance.pages
    for n, head in enumerate(heads):
        if left == 0:
            break
        if page_key(wallet, head.number) not in case.draft.documents:
            likely = ceil_div(len(heads) * points, balance.available)
            case.draft.look_up([page_key(wallet, each.number) for each in heads[n : max(likely, 2 * n, n + 1)]])
        lots = [lot for lot in case.draft.page(wallet, head.number) if lot.available_at is None]
        whole = sum(map(_points, lots))
        if whole <= left:
            parts.extend([Part(lot.lot, lot.points, lot.earned_at, lot.expires_at, lot.tier) for lot in lots])
            left -= whole
            continue
        for lot in lots:
            if left > 0:
                parts.append(part_of(lot, min(left, lot.points)))
                left -= parts[-1].points
    if left:
        raise AssertionError(f"{wallet}: the lots hold {left} points less than the balance")
    return tuple(parts)


def spendable(case: Case, compiled: Compiled, wallet_id: str, points: int) -> Wallet | Refusal:
    """The wallet, if the member may spend so many points of it now."""
    wallet = compiled.wallets.get(wallet_id)
    if wallet is None:
        return Refusal("unknown_wallet", wallet_id)
    if not wallet.spendable:
        return Refusal("wallet_not_spendable", wallet_id)
    balance = case.draft.balance(wallet_id)
    if wallet.freeze and balance.debt > 0:
        return Refusal("frozen_by_debt", f"{balance.debt} points are owed.")
    if points > balance.available:
        return Refusal("insufficient_points", f"{points} wanted, {balance.available} available.")
    return wallet


def hold(case: Case, compiled: Compiled, data: Hold) -> Refusal | None:
    """Holds points for a redemption, or redeems them at once."""
    if case.draft.redemption(data.redemption) is not None:
        return Refusal("duplicate_redemption", data.redemption)
    wallet = spendable(case, compiled, data.wallet, data.points)
    if isinstance(wallet, Refusal):
        return wallet
    money = wallet.money
    if money is not None:
        if data.points < money.minimum:
            return Refusal("below_minimum", f"{money.minimum} at least.")
        if floor_div(data.points, money.multiple) * money.multiple != data.points:
            return Refusal("not_a_multiple", f"In steps of {money.multiple}.")
    parts = take(case, wallet.id, data.points)
    times_out_at = compiled.zone.add(case.at, wallet.hold) if data.hold else None
    set_aside(case, compiled, RedemptionHeld(data.redemption, wallet.id, data.points, parts, case.at, times_out_at))
    if not data.hold:
        spend(case, compiled, data.redemption, data.points)
    return None


def set_aside(case: Case, compiled: Compiled, held: RedemptionHeld) -> None:
    """The points of a hold leave their lots."""
    wallet = held.wallet
    case.emit(LotsUsed(wallet, held.parts))
    case.emit(held)
    _post(case, compiled, wallet, "redemption", held.points, "available", "held", held.redemption, "held", held.parts)
    keep(case, compiled, "spend", case.at, frozenset((wallet,)))


def capture(case: Case, compiled: Compiled, data: Capture) -> Refusal | None:
    """Spends what is held, or part of it; the rest goes back to its lots."""
    known = case.draft.redemption(data.redemption)
    if known is not None and known.order is not None and data.points in (None, known.spent):
        return None  # The purchase that it paid captured it: the till says the same again.
    held = _held(case, data.redemption)
    if isinstance(held, Refusal):
        return held
    points = held.points if data.points is None else data.points
    if points > held.points:
        return Refusal("capture_exceeds_hold", f"{held.points} are held.")
    if held.reward is not None and points < held.points:
        return Refusal("captured_whole", f"{held.points} are held.")
    if held.reward is not None and (gone := cannot_give(case, compiled, held)) is not None:
        return gone
    spend(case, compiled, data.redemption, points)
    return None


def cancel(case: Case, compiled: Compiled, data: Cancel) -> Refusal | None:
    """Gives back what is held."""
    held = _held(case, data.redemption)
    if isinstance(held, Refusal):
        return held
    if held.steps and held.steps[-1].state not in ("requested", "packed"):
        return Refusal("state_not_next", f"It is {held.steps[-1].state}.")
    end(case, compiled, data.redemption, "cancelled")
    return None


def end(case: Case, compiled: Compiled, redemption: str, reason: str, *, pools: bool = True) -> None:
    """A hold ends without spending: points go back to their lots, and what it took of limits (and pools) with them."""
    held = case.draft.redemption(redemption)
    assert held is not None
    case.emit(RedemptionEnded(redemption, "cancelled", case.at))
    give_room_back(case, compiled, held, case.at, pools=pools)
    give_back(case, compiled, held.wallet, held.parts, "held", redemption, reason, case.at, since=held.held_at)


def give_room_back(case: Case, compiled: Compiled, held: Redemption, at: Instant, *, pools: bool) -> None:
    """What a redemption took of the member's limits is theirs again, in the same period, and of pools everybody's."""
    for pool, by in held.pools.items() if pools else ():
        case.claim(pool, -by)
    oldest = compiled.zone.add(at, -compiled.program.late_horizon)
    for limit, period in held.limits.items():
        case.draft.get(uses_key(limit))
        case.emit(LimitUsed(limit, period, -held.quantity, min(oldest, period), apart=True))


def time_out(case: Case, compiled: Compiled, redemption: str, at: Instant) -> None:
    """A hold that nobody captured in time gives its points back."""
    held = _held(case, redemption)
    assert isinstance(held, Redemption)
    case.emit(RedemptionEnded(redemption, "timed_out", at))
    give_room_back(case, compiled, held, at, pools=True)
    give_back(
        case, compiled, held.wallet, held.parts, "held", redemption, "timed_out", at,
        since=held.held_at, expired_until=at - 1,
    )  # fmt: skip


def _held(case: Case, redemption: str) -> Redemption | Refusal:
    known = case.draft.redemption(redemption)
    if known is None:
        return Refusal("unknown_redemption", redemption)
    if known.status != "held":
        return Refusal("redemption_not_held", f"It is {known.status}.")
    return known


def spend(case: Case, compiled: Compiled, redemption: str, points: int) -> None:
    """So many of the held points are spent, the rest goes back, and what they bought is given."""
    held = case.draft.redemption(redemption)
    assert held is not None
    spent, rest = split(held.parts, points)
    case.emit(RedemptionCaptured(redemption, points, case.at))
    _post(case, compiled, held.wallet, "redemption", points, "held", "redemption", redemption, "captured", spent)
    if rest:
        give_back(
            case, compiled, held.wallet, rest, "held", redemption, "captured_in_part", case.at, since=held.held_at
        )
    if held.reward is not None:
        give(case, compiled, redemption, held)


def split(parts: tuple[Part, ...], points: int) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The first `points` points of parts, and the rest."""
    if points == sum([part.points for part in parts]):
        return parts, ()
    first: list[Part] = []
    rest: list[Part] = []
    for part in parts:
        now = min(points, part.points)
        points -= now
        if now:
            first.append(msgspec.structs.replace(part, points=now))
        if now < part.points:
            rest.append(msgspec.structs.replace(part, points=part.points - now))
    return tuple(first), tuple(rest)


def give_back(
    case: Case,
    compiled: Compiled,
    wallet_id: str,
    parts: tuple[Part, ...],
    out_of: str,
    redemption: str | None,
    reason: str,
    at: Instant,
    kind: EntryKind = "redemption",
    order: str | None = None,
    *,
    since: Instant | None = None,
    expired_until: Instant | None = None,
) -> None:
    """Points that were away since an instant return to the lots they came from.

    Those whose expiry has passed, or whose wallet has lapsed meanwhile, expire at once or live on for a grace; without
    `since` they were away but a moment. Once back they repay debt first, like anything that becomes available. Lots
    have been expired up to `expired_until`, which is `at` unless it is said: within an instant, holds time out before
    lots expire.
    """
    expired_until = at if expired_until is None else expired_until
    wallet = case.versions.wallet(wallet_id, case.at)
    points = sum([part.points for part in parts])
    lapsed_at = case.draft.balance(wallet_id).lapsed_at
    lapsed = lapsed_at is not None and since is not None and since < lapsed_at
    _post(case, compiled, wallet_id, kind, points, out_of, "available", redemption, reason, parts, at, order)
    parts = tuple([_as_it_is_now(case, compiled, wallet, part) for part in parts])
    passed = [part for part in parts if lapsed or (part.expires_at is not None and part.expires_at <= expired_until)]
    alive = tuple([part for part in parts if part not in passed])
    if alive:
        case.emit(LotsRestored(wallet_id, alive))
    if passed and wallet.restore_grace is not None:
        expires_at = compiled.zone.add(at, wallet.restore_grace)
        for part in passed:
            lot = case.new_lot()
            case.emit(LotOpened(wallet_id, lot, part.points, part.earned_at, expires_at))
            repay(case, compiled, wallet_id, Part(lot, part.points, part.earned_at, expires_at))
    elif passed:
        for part in passed:
            case.emit(LotsRestored(wallet_id, (part,)))
            case.emit(
                LotsExpired(wallet_id, (part,), at, compiled.number, True, "expired_while_held", order, redemption)
            )
    if alive:
        wind(case, compiled, wallet, at)
    for part in alive:
        repay(case, compiled, wallet_id, part)


def _as_it_is_now(case: Case, compiled: Compiled, wallet: Wallet, part: Part) -> Part:
    """A part as its lot would be if it had not been away: the tier that kept it from expiring may be lost."""
    if part.tier is None or part.expires_at is not None:
        return part
    lost = lost_at(case, wallet, part.earned_at)
    if lost is None:
        return part
    return msgspec.structs.replace(part, expires_at=expiry_of(compiled, lost[1], lost[0]), tier=None)


def _post(
    case: Case,
    compiled: Compiled,
    wallet: str,
    kind: EntryKind,
    points: int,
    out_of: str,
    into: str,
    redemption: str | None,
    reason: str,
    parts: tuple[Part, ...],
    at: Instant | None = None,
    order: str | None = None,
) -> None:
    case.emit(
        Moved(
            wallet,
            kind,
            points,
            out_of,
            into,
            case.at if at is None else at,
            compiled.number,
            order=order,
            redemption=redemption,
            parts=parts,
            reason=reason,
        )
    )
