"""Redeeming a reward, and how far it then comes: requested, packed, shipped, delivered, and back if it must.

Redeeming takes everything at once: points out of their lots, pieces out of stock, room out of the member's limits. All
of it is given back by whatever ends the redemption before the reward is given. What each state of the fulfilment does
to points and stock is the program's choice, by the version under which the reward was redeemed.
"""

from __future__ import annotations

from typing import Final

from laurels.core.activity import Cancel, Fulfil, Redeem
from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.catalogue import CompiledReward, pool_of_year
from laurels.core.compiled import Compiled
from laurels.core.facts import Fulfilled, LimitUsed, RedemptionEnded, RedemptionHeld, RedemptionRestored
from laurels.core.giving import terms_of
from laurels.core.limit import period_of
from laurels.core.member import Redemption
from laurels.core.program.rewards_model import NEXT, NOTHING, IssuedVoucher, Tickets
from laurels.core.redemption import cancel, end, give_back, give_room_back, set_aside, spend, split, take
from laurels.core.refusal import Refusal
from laurels.core.reward import Bill, bill, obstacles
from laurels.core.ticket import void_bought
from laurels.core.voucher import revoke_bought

AUTOMATIC: Final = "auto:"
"""How the ids of redemptions begin that Laurels makes by itself; nobody else's do."""


def redeem(case: Case, compiled: Compiled, data: Redeem) -> Refusal | None:
    """Takes the points and the pieces for a reward; what is not held is given at once."""
    if case.draft.redemption(data.redemption) is not None or data.redemption.startswith(AUTOMATIC):
        return Refusal("duplicate_redemption", data.redemption)
    each = compiled.catalogue.rewards.get(data.reward)
    if each is None:
        return Refusal("unknown_reward", data.reward)
    billed = bill(case, compiled, each, data.quantity, data.points, data.cash, data.value)
    found = obstacles(case, compiled, each, data.quantity, billed)
    if found or isinstance(billed, Refusal):
        return found[0]
    redeem_for(case, compiled, each, data, billed)
    return None


def redeem_for(case: Case, compiled: Compiled, each: CompiledReward, data: Redeem, billed: Bill) -> None:
    """The same where nothing stands in the way."""
    reward = each.reward
    is_held = data.hold and reward.hold is not None
    pools: dict[str, int] = {}
    if each.stock_pool is not None:
        pools[each.stock_pool] = data.quantity
    if each.cause is not None:
        pools[pool_of_year(each.cause, compiled.zone, case.at)] = billed.points
    held = RedemptionHeld(
        data.redemption,
        billed.wallet,
        billed.points,
        take(case, billed.wallet, billed.points),
        case.at,
        compiled.zone.add(case.at, reward.hold) if is_held and reward.hold is not None else None,
        each.key,
        data.quantity,
        billed.cash,
        data.value,
        pools,
        {key: period_of(compiled, limit, case.at) for limit, key in each.limits},
        None if reward.fulfilment is None else "requested",
    )
    for pool, by in pools.items():
        case.claim(pool, by)
    for limit, key in each.limits:
        oldest = period_of(compiled, limit, compiled.zone.add(case.at, -compiled.program.late_horizon))
        case.emit(LimitUsed(key, held.limits[key], data.quantity, oldest, apart=True))
    set_aside(case, compiled, held)
    if not is_held:
        spend(case, compiled, data.redemption, billed.points)


def fulfil(case: Case, compiled: Compiled, data: Fulfil) -> Refusal | None:
    """A redeemed reward comes to a state, with what the program says that this does to points and stock."""
    known = case.draft.redemption(data.redemption)
    if known is None:
        return Refusal("unknown_redemption", data.redemption)
    if known.reward is None or not known.steps:
        return Refusal("no_fulfilment", data.redemption)
    if known.status not in ("held", "captured"):
        return Refusal("redemption_not_held", f"It is {known.status}.")
    present = known.steps[-1].state
    if data.state not in NEXT[present]:
        return Refusal("state_not_next", f"It is {present}.")
    effect = (terms_of(case, known).fulfilment or {}).get(data.state, NOTHING)
    comes_back = data.state in ("returned", "failed")
    is_held = known.status == "held"
    # What has left is not given back because nobody captured it in time.
    waits = is_held and effect.points == "keep" and data.state in ("shipped", "delivered")
    case.emit(
        Fulfilled(data.redemption, data.state, case.at, data.carrier, data.tracking, data.reference, waits=waits)
    )  # fmt: skip
    if effect.points == "give_back":
        _take_back(case, compiled, data.redemption, known, data.state, pools=effect.stock == "give_back")
        return None
    if is_held and (effect.points == "capture" or comes_back):
        spend(case, compiled, data.redemption, known.points)
    if effect.stock == "give_back":
        for pool, by in known.pools.items():
            case.claim(pool, -by)
    return None


def call_off(case: Case, compiled: Compiled, data: Cancel) -> Refusal | None:
    """Gives back what is held, or was spent on tickets and vouchers, which come to nothing as long as they can."""
    known = case.draft.redemption(data.redemption)
    gives = None if known is None or known.reward is None else terms_of(case, known).gives
    if known is None or known.status != "captured" or not isinstance(gives, Tickets | IssuedVoucher):
        return cancel(case, compiled, data)
    if isinstance(gives, Tickets):
        why = void_bought(case, compiled, gives.draw, data.redemption)
    else:
        why = revoke_bought(case, known.vouchers)
    if why is None:
        _take_back(case, compiled, data.redemption, known, "cancelled", pools=True)
        case.emit(RedemptionEnded(data.redemption, "cancelled", case.at))
    return why


def _take_back(case: Case, compiled: Compiled, redemption: str, known: Redemption, reason: str, *, pools: bool) -> None:
    """Gives back the points of a reward that came back or never arrived, held or spent, with the room in limits."""
    if known.status == "held":
        end(case, compiled, redemption, reason, pools=pools)
        return
    points = known.spent - known.restored
    parts, _kept = split(known.parts, known.spent)
    give_room_back(case, compiled, known, case.at, pools=pools)
    case.emit(RedemptionRestored(redemption, points))
    wallet = case.versions.current(known.wallet, case.at)
    since: Instant = known.held_at
    give_back(case, compiled, wallet, parts, "redemption", redemption, reason, case.at, "reversal", since=since)
