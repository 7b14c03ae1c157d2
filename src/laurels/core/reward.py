"""What a reward costs a member now, and what stands in the way of buying it.

A `Bill` is the price of some pieces and how it is paid; an obstacle is the refusal that a redemption would get. The
list that a member reads and the redemption itself ask the same functions, so that neither can promise what the other
refuses. Rewards are judged by the version in effect when they are asked for, like all spending.
"""

from __future__ import annotations

import msgspec

from laurels.core.apply import uses_key
from laurels.core.calendar import Instant
from laurels.core.case import Case, View, view_now
from laurels.core.catalogue import CompiledReward, pool_of_year
from laurels.core.compiled import Compiled
from laurels.core.granting import ActivityView
from laurels.core.limit import period_of
from laurels.core.member import Measures
from laurels.core.money import Rate, divide, format_minor
from laurels.core.program.model import MemberLimit
from laurels.core.program.rewards_model import VOUCHERS_MOST, IssuedVoucher, Mix, Price, Tickets, TierPass
from laurels.core.refusal import Refusal
from laurels.core.ticket import obstacle
from laurels.core.tier_pass import is_too_long, pass_until

_NO_ACTIVITY = "redemption"


class Bill(msgspec.Struct, frozen=True, gc=False):
    """What pieces cost: `price` points of a wallet, of which between `least` and `most` are paid with points.

    `points` are paid, and `cash` (minor units) for the others.
    """

    wallet: str
    price: int
    least: int
    most: int
    points: int
    cash: int


def is_visible(case: Case, compiled: Compiled, each: CompiledReward) -> bool:
    """Whether the member sees the reward in the catalogue."""
    return each.visible is None or each.visible(*_read(case, compiled, each))


def _read(case: Case, compiled: Compiled, each: CompiledReward) -> tuple[View, None, ActivityView, object, None]:
    activity = ActivityView(_NO_ACTIVITY, "", "", case.at, {})
    view = view_now(case, compiled, reads_segments=each.reads_segments)
    return view, None, activity, compiled.zone.local(case.at), None


# --- what it costs ----------------------------------------------------------------------------------------------------


def bill(
    case: Case,
    compiled: Compiled,
    each: CompiledReward,
    quantity: int = 1,
    points: int | None = None,
    cash: int | None = None,
    value: int | None = None,
) -> Bill | Refusal:
    """The bill for some pieces, paid as the member wishes: with as many points as may be unless they say otherwise."""
    reward = each.reward
    if reward.value != "stated" and value is not None:
        return Refusal("value_not_asked", each.id)
    worth = value if reward.value == "stated" else reward.value
    read = _read(case, compiled, each)
    price = next(price for when, price in each.prices if when is None or when(*read))
    if price.per is not None and worth is None:
        return Refusal("value_missing", each.id)
    piece = _points_of(price, read[0], worth or 0)
    if piece is None:
        return Refusal("reward_not_for_member", "It has no price on this tier.")
    total, mix = piece * quantity, reward.mix
    least, most = (total, total) if mix is None else _range(mix, piece, quantity)
    paid = most if points is None else points
    if not least <= paid <= most:
        return Refusal("payment_out_of_range", f"{least} to {most} points.")
    due = 0 if mix is None else divide((total - paid) * mix.worth, mix.points, mix.round)
    if cash is not None and cash != due:
        currency = compiled.program.currency
        return Refusal("cash_mismatch", f"It is {currency.code} {format_minor(due, currency.places)}.")
    return Bill(price.wallet, total, least, most, paid, due)


def _points_of(price: Price, view: View, value: int) -> int | None:
    """The points of a piece, at least one; None where the member's tier has no price."""
    rate: Rate | None = price.points.default
    if price.points.tiers:
        rate = price.points.tiers.get(view.tier.get(price.points.track, ""), rate)
    if rate is None:
        return None
    if price.per is None:
        return divide(rate.numerator, rate.denominator, price.round)
    return max(divide(value * rate.numerator, price.per * rate.denominator, price.round), 1)


def _range(mix: Mix, piece: int, quantity: int) -> tuple[int, int]:
    """The least and the most points that pieces are paid with: at least one, at most all of the price."""
    least, most = (
        bound * quantity
        if isinstance(bound, int)
        else divide(piece * quantity * bound.numerator, bound.denominator, mix.round)
        for bound in (mix.least, mix.most)
    )
    most = max(min(most, piece * quantity), 1)
    return min(max(least, 1), most), most


# --- what stands in the way -------------------------------------------------------------------------------------------


def obstacles(
    case: Case, compiled: Compiled, each: CompiledReward, quantity: int, billed: Bill | Refusal
) -> list[Refusal]:
    """Everything that keeps the member from redeeming so many pieces now; empty: it is within reach."""
    found: list[Refusal] = []
    if not is_visible(case, compiled, each) or (each.when is not None and not each.when(*_read(case, compiled, each))):
        found.append(Refusal("reward_not_for_member", each.id))
    if not _runs(compiled, each, case.at):
        found.append(Refusal("reward_not_offered", each.id))
    left = stock_left(case, each)
    if left is not None and left < quantity:
        found.append(Refusal("out_of_stock", f"{max(left, 0)} left."))
    for limit, key in each.limits:
        room = pieces_left(case, compiled, limit, key)
        if room < quantity:
            found.append(Refusal("reward_limit_reached", f"{max(room, 0)} of {limit.most} left."))
            break
    gives = each.reward.gives
    if isinstance(gives, TierPass):
        until = pass_until(case, compiled, gives, case.at, quantity)
        if until is None:
            found.append(Refusal("tier_not_higher", gives.tier))
        elif is_too_long(compiled, until, case.at):
            found.append(Refusal("reward_limit_reached", "A pass lasts 100 years at most."))
    if isinstance(gives, IssuedVoucher):
        if gives.count * quantity > VOUCHERS_MOST:
            found.append(Refusal("reward_limit_reached", f"A redemption gives {VOUCHERS_MOST} vouchers at most."))
        if compiled.vouchers[compiled.voucher_keys[gives.voucher]].is_over(compiled.zone, case.at, case.root):
            found.append(Refusal("voucher_expired", gives.voucher))
    if isinstance(gives, Tickets):
        shut = obstacle(case, compiled, gives.draw, gives.count * quantity)
        if shut is not None:
            found.append(shut)
    if isinstance(billed, Refusal):
        return [*found, billed]
    room_of_cause = cause_left(case, compiled, each)
    if room_of_cause is not None and room_of_cause < billed.points:
        found.append(Refusal("cause_complete", f"{max(room_of_cause, 0)} points left."))
    balance = case.draft.balance(billed.wallet)
    wallet = compiled.wallets[billed.wallet]
    if wallet.freeze and balance.debt > 0:
        found.append(Refusal("frozen_by_debt", f"{balance.debt} points are owed."))
    if billed.points > balance.available:
        found.append(Refusal("insufficient_points", f"{billed.points} wanted, {balance.available} available."))
    return found


def _runs(compiled: Compiled, each: CompiledReward, at: Instant) -> bool:
    during = each.reward.during
    if (during.start is not None and at < during.start) or (during.end is not None and at >= during.end):
        return False
    if not during.weekly:
        return True
    local = compiled.zone.local(at)
    return any(
        local.weekday in slot.days and slot.start <= local.second_of_day < slot.end for slot in during.weekly
    )  # fmt: skip


def stock_left(case: Case, each: CompiledReward) -> int | None:
    """The pieces left, fewer than none after a correction; None where they are not counted."""
    if each.stock_pool is None or each.reward.stock is None:
        return None
    return each.reward.stock - case.pools.get(each.stock_pool, 0)


def cause_left(case: Case, compiled: Compiled, each: CompiledReward) -> int | None:
    """The points that the reward's cause may still be credited with this year; None where there is no end."""
    if each.cause is None or (most := compiled.catalogue.bounds.get(each.cause)) is None:
        return None
    return most - case.pools.get(pool_of_year(each.cause, compiled.zone, case.at), 0)


def pieces_left(case: Case, compiled: Compiled, limit: MemberLimit, key: str) -> int:
    """The pieces that a member's limit leaves in the present period."""
    known = case.draft.get(uses_key(key))
    period = period_of(compiled, limit, case.at)
    used = [day.values[0] for day in known.days if day.window == period] if isinstance(known, Measures) else []
    return limit.most - sum(used)
