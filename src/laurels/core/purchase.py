"""Purchases, and every other activity that campaigns react to: what it earns, what it counts, what is kept of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from laurels.core.accrual import accrue
from laurels.core.activity import Activity, Capture, Free, Purchase
from laurels.core.case import Case, View, view_of
from laurels.core.compiled import Compiled, Trigger
from laurels.core.due import release
from laurels.core.expiry import keep, wind
from laurels.core.facts import Accrued, CounterMoved, OrderOpened, RedemptionPaid, Scalar
from laurels.core.money import floor_div
from laurels.core.program.model import PointsAsMoney
from laurels.core.redemption import capture
from laurels.core.refusal import Refusal
from laurels.core.reversal.target import standing_of
from laurels.core.tier import measure

COUNTED: Final = MappingProxyType({"purchase": "purchases", "check_in": "check_ins", "referral": "referrals"})


def record_purchase(
    case: Case, compiled: Compiled, now: Compiled, activity: Activity, data: Purchase
) -> Refusal | None:
    """A purchase earns, is measured, and is remembered for its returns."""
    if case.draft.get(f"order/{data.order}") is not None:
        return Refusal("duplicate_order", data.order)
    if data.tenders:
        refusal = _check_points_tenders(case, compiled, data)
        if refusal is not None:
            return refusal
        _pay(case, now, data)
    tiers = case.tiers_at(activity.occurred_at)
    trigger = compiled.trigger("purchase")
    view = view_of(case, compiled, tiers, trigger)
    standing: dict[str, Scalar] = {}
    if trigger is not None and trigger.is_recorded:
        standing = standing_of(case, compiled, trigger, activity, view)
    earned = earn(case, compiled, trigger, activity, view)
    measured = measure(case, now, activity, earned)
    case.emit(OrderOpened(data.order, case.seq, activity.occurred_at, compiled.number, measured, standing, tiers))
    return None


def record_free(case: Case, compiled: Compiled, now: Compiled, activity: Activity, data: Free) -> Refusal | None:
    """A check-in, a review, a declared custom activity: releases what waits for it, earns, is measured."""
    if activity.type.startswith("custom.") and activity.type not in compiled.program.fields:
        return Refusal("undeclared_activity", activity.type)
    if activity.type in compiled.released_by:
        release(case, compiled, activity.type, data, case.at)
    tiers = case.tiers_at(activity.occurred_at)
    trigger = compiled.trigger(activity.type)
    earned = earn(case, compiled, trigger, activity, view_of(case, compiled, tiers, trigger))
    measure(case, now, activity, earned)
    return None


def earn(
    case: Case, compiled: Compiled, trigger: Trigger | None, activity: Activity, view: View
) -> tuple[Accrued, ...]:
    """Grants what the activity sets off and counts it; what it earned."""
    earned = accrue(case, compiled, trigger, activity, view)
    counter = COUNTED.get(activity.type)
    if counter is not None:
        case.emit(CounterMoved(counter, 1))
    if compiled.sliding:
        if earned:
            keep(case, compiled, "earn", activity.occurred_at, frozenset(each.wallet for each in earned))
            for each in earned:
                wind(case, compiled, compiled.wallets[each.wallet], activity.occurred_at)
        keep(case, compiled, activity.type, activity.occurred_at, frozenset())
    return earned


def _check_points_tenders(case: Case, compiled: Compiled, data: Purchase) -> Refusal | None:
    paid: dict[str, int] = {}
    for tender in data.tenders:
        if tender.kind != "points" or tender.redemption is None:
            continue
        redemption = case.draft.redemption(tender.redemption)
        if redemption is None:
            return Refusal("unknown_redemption", tender.redemption)
        if redemption.reward is not None:
            return Refusal("points_tender_mismatch", f"{tender.redemption} is for a reward.")
        if redemption.order is not None:
            return Refusal("points_tender_mismatch", f"{tender.redemption} paid for the order {redemption.order}.")
        if redemption.status not in ("held", "captured"):
            return Refusal("points_tender_mismatch", f"{tender.redemption} is {redemption.status}.")
        # The order and the redemption may know the wallet by different names.
        wallet = compiled.wallets.get(redemption.wallet) or case.versions.wallet(redemption.wallet, case.at)
        money = wallet.money
        if money is None:
            return Refusal("points_tender_mismatch", f"{wallet.id} is worth no money.")
        points = redemption.spent if redemption.status == "captured" else redemption.points
        if tender.amount > worth(money, points):
            return Refusal("points_tender_mismatch", f"{points} points are worth less.")
        share = money.largest_share
        paid[redemption.wallet] = paid.get(redemption.wallet, 0) + tender.amount
        if share is not None and paid[redemption.wallet] * share.denominator > data.total * share.numerator:
            return Refusal("share_exceeded", tender.redemption)
    return None


def _pay(case: Case, now: Compiled, data: Purchase) -> None:
    """Captures what is still held of the redemptions that pay, and binds them to the order."""
    for tender in data.tenders:
        if tender.kind == "points" and tender.redemption is not None:
            redemption = case.draft.redemption(tender.redemption)
            if redemption is not None and redemption.status == "held":
                capture(case, now, Capture(tender.redemption))
            case.emit(RedemptionPaid(tender.redemption, data.order))


def worth(money: PointsAsMoney, points: int) -> int:
    """What points pay at the till, in minor units, rounded down."""
    return floor_div(points * money.worth, money.points)
