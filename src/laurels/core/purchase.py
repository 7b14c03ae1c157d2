"""Purchases, and every other activity that campaigns react to: what it earns, what it counts, what is kept of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import msgspec

from laurels.core.accrual import accrue, accrue_promised
from laurels.core.activity import Activity, Capture, Free, Purchase
from laurels.core.bought import new_to, remember
from laurels.core.case import Case, View, view_of
from laurels.core.compiled import Compiled, Trigger
from laurels.core.due import release
from laurels.core.expiry import keep, wind
from laurels.core.facts import (
    Accrued,
    CooldownStarted,
    CounterMoved,
    Explained,
    OrderOpened,
    Priced,
    QuoteEnded,
    RedemptionPaid,
    Scalar,
)
from laurels.core.member import Quote
from laurels.core.money import floor_div
from laurels.core.program.model import PointsAsMoney
from laurels.core.promotion import after_promotions, as_taken, cart_of, check_choices, count, deviations_of, price_cart
from laurels.core.quote import open_quote, paid_otherwise, release_grants
from laurels.core.redemption import capture
from laurels.core.refusal import Refusal
from laurels.core.reversal.target import standing_of
from laurels.core.tier import measure
from laurels.core.voucher_use import redeem_all

COUNTED: Final = MappingProxyType({"purchase": "purchases", "check_in": "check_ins", "referral": "referrals"})


def record_purchase(
    case: Case, compiled: Compiled, now: Compiled, activity: Activity, data: Purchase, *, quoting: bool = False
) -> Refusal | None:
    """A purchase earns, is measured, and is remembered for its returns.

    Promotions are judged beside what the till took off; `quoting`, they are taken off first.
    """
    if case.draft.get(f"order/{data.order}") is not None:
        return Refusal("duplicate_order", data.order)
    if data.tenders:
        refusal = _check_points_tenders(case, compiled, data)
        if refusal is not None:
            return refusal
        _pay(case, now, data)
    if case.versions.has_vouchers:
        refusal = redeem_all(case, compiled, activity, data)
        if refusal is not None:
            return refusal
    held = ""
    if data.quote is not None and not quoting:
        quote = open_quote(case, data)
        if not isinstance(quote, str):
            fulfil(case, now, activity, data, quote)
            return None
        held = quote
    tiers = case.tiers_at(activity.occurred_at)
    trigger = compiled.trigger("purchase")
    view = view_of(case, compiled, tiers, trigger)
    if trigger is not None and trigger.asks_new:
        view.new = new_to(case, data)
    if compiled.pricelist is not None or held or data.choices:
        found = price_order(case, compiled, activity, data, view, held=held, quoting=quoting)
        if isinstance(found, Refusal):
            return found
        activity, data = msgspec.structs.replace(activity, data=found), found
    standing: dict[str, Scalar] = {}
    if trigger is not None and trigger.is_recorded:
        standing = standing_of(case, compiled, trigger, activity, view)
    earned = earn(case, compiled, trigger, activity, view)
    measured = measure(case, now, activity, earned)
    if trigger is not None and trigger.asks_new:
        remember(case, trigger, activity, view)
    case.emit(OrderOpened(data.order, case.seq, activity.occurred_at, compiled.number, measured, standing, tiers))
    return None


def price_order(
    case: Case, compiled: Compiled, activity: Activity, data: Purchase, view: View, *, held: str, quoting: bool
) -> Purchase | Refusal:
    """Judges promotions on an order. A quoted cart comes back as it would be paid, an order as it was paid.

    `held` says why an order that names a quote is judged anew.
    """
    pricelist = compiled.pricelist
    if pricelist is None:
        refusal = check_choices(data, None)
        if refusal is not None or not held:
            return refusal or data
        case.emit(Priced(compiled.number, (), (), quote=data.quote, held=held))
        return data
    cart = cart_of(case, compiled, pricelist, activity, data, view)
    priced = price_cart(case, compiled, pricelist, cart)
    if isinstance(priced, Refusal):
        return priced
    if not quoting:
        priced = as_taken(priced, data, pricelist.ids)
        if not held and not priced.deviations and not any(each.lines for each in priced.offers):
            priced = msgspec.structs.replace(priced, before=())  # The order says its prices itself.
    priced = count(case, compiled, pricelist, priced, activity.occurred_at)
    case.emit(msgspec.structs.replace(priced, quote=data.quote, held=held))
    return after_promotions(cart.purchase, priced) if quoting else data


def fulfil(case: Case, now: Compiled, activity: Activity, data: Purchase, quote: Quote) -> None:
    """A purchase that is held to what it was quoted: prices, and points unless it was paid otherwise than quoted."""
    reserved = quote.reserved
    then = case.versions.numbered(reserved.version)
    assert then is not None
    case.emit(QuoteEnded(reserved.quote, "used", case.at, data.order))
    as_paid = paid_otherwise(data) == reserved.paid
    priced = reserved.priced or Priced(then.number, (), ())
    codes = frozenset([each.promotion for each in priced.offers])
    deviations = deviations_of(data, priced, codes)
    held = "kept" if as_paid else "points_anew"
    case.emit(msgspec.structs.replace(priced, quote=reserved.quote, held=held, deviations=deviations))
    standing, tiers, trigger = reserved.standing, reserved.tiers, then.trigger("purchase")
    if as_paid:
        for campaign, (at, until) in reserved.cooldowns.items():
            case.emit(CooldownStarted(campaign, at, until))
        earned = accrue_promised(case, then, activity, tiers, reserved.grants)
        case.emit(Explained(then.number, reserved.said))
        follow_accrual(case, then, activity, earned)
    else:
        release_grants(case, reserved.grants)
        tiers = case.tiers_at(reserved.at)
        view = view_of(case, then, tiers, trigger)
        if trigger is not None and trigger.asks_new:
            view.new = new_to(case, data)
        standing = {}
        if trigger is not None and trigger.is_recorded:
            standing = standing_of(case, then, trigger, activity, view)
        earned = earn(case, then, trigger, activity, view)
    measured = measure(case, now, activity, earned)
    if trigger is not None and trigger.asks_new:
        remember(case, trigger, activity, view_of(case, then, tiers, trigger))
    case.emit(OrderOpened(data.order, case.seq, activity.occurred_at, then.number, measured, standing, tiers))


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
    follow_accrual(case, compiled, activity, earned)
    return earned


def follow_accrual(case: Case, compiled: Compiled, activity: Activity, earned: tuple[Accrued, ...]) -> None:
    """Counts an activity, and keeps wallets alive that expire with inactivity."""
    counter = COUNTED.get(activity.type)
    if counter is not None:
        case.emit(CounterMoved(counter, 1))
    if compiled.sliding:
        if earned:
            keep(case, compiled, "earn", activity.occurred_at, frozenset(each.wallet for each in earned))
            for each in earned:
                wind(case, compiled, compiled.wallets[each.wallet], activity.occurred_at)
        keep(case, compiled, activity.type, activity.occurred_at, frozenset())


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
