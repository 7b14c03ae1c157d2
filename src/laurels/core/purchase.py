"""Purchases, and every other activity that campaigns react to: what it earns, what it counts, what is kept of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import msgspec

from laurels.core.accrual import accrue, accrue_promised
from laurels.core.activity import Activity, Capture, Free, Purchase
from laurels.core.bought import new_to, remember
from laurels.core.calendar import Instant
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
from laurels.core.free_pieces import NONE_FREE, free_pieces
from laurels.core.member import Quote, Redemption
from laurels.core.money import ceil_div, floor_div
from laurels.core.pricelist import NO_PROMOTIONS
from laurels.core.program.model import PointsAsMoney, Wallet
from laurels.core.promotion import (
    after_promotions,
    as_taken,
    cart_of,
    check_choices,
    count,
    deviations_of,
    price_cart,
    prices_before,
    taken_by_till,
)
from laurels.core.quote import (
    before_offers,
    give_promised,
    open_quote,
    order_of_cart,
    paid_otherwise,
    release_gifts,
    release_grants,
    still_due,
)
from laurels.core.quote_ending import make_way
from laurels.core.redemption import capture
from laurels.core.refusal import Refusal
from laurels.core.reversal.target import standing_of
from laurels.core.tier import measure
from laurels.core.voucher import ANYBODY, Holder
from laurels.core.voucher_points import with_vouchers
from laurels.core.voucher_pricing import (
    Claim,
    claims_of,
    giving_points,
    price_vouchers,
    quoted_taken,
    redeem_reserved,
    spelled,
)
from laurels.core.voucher_use import Usable

COUNTED: Final = MappingProxyType({"purchase": "purchases", "check_in": "check_ins", "referral": "referrals"})


def record_purchase(
    case: Case, compiled: Compiled, now: Compiled, activity: Activity, data: Purchase, *, quoting: str | None = None
) -> Refusal | None:
    """A purchase earns, is measured, and is remembered for its returns.

    Promotions and vouchers are judged beside what the till took off; in the quote `quoting`, they are taken off first.
    """
    if case.draft.get(f"order/{data.order}") is not None:
        return Refusal("duplicate_order", data.order)
    if data.tenders:
        refusal = _check_points_tenders(case, compiled, data)
        if refusal is not None:
            return refusal
        _pay(case, compiled, now, data)
    held = ""
    if data.quote is not None and quoting is None:
        quote = open_quote(case, data)
        if not isinstance(quote, str):
            fulfil(case, now, activity, data, quote)
            return None
        held = quote
        make_way(case, data.quote, data.order)
    claims: list[Claim] = []
    if case.versions.has_vouchers:
        found = claims_of(case, compiled, data, _holders(data, quoting), quoting=quoting is not None)
        if isinstance(found, Refusal):
            return found
        claims = found
    tiers = case.tiers_at(activity.occurred_at)
    trigger = compiled.trigger("purchase")
    view = _seen_by(case, compiled, trigger, tiers, activity, data)
    if compiled.pricelist is not None or claims or held or data.choices or quoting is not None:
        priced = price_order(case, compiled, activity, data, view, claims, held=held, quoting=quoting is not None)
        if isinstance(priced, Refusal):
            return priced
        data, points = priced
        activity = msgspec.structs.replace(activity, data=data)
        if points:
            trigger = with_vouchers(compiled, points)
            view = _seen_by(case, compiled, trigger, tiers, activity, data)
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
    case: Case,
    compiled: Compiled,
    activity: Activity,
    data: Purchase,
    view: View,
    claims: list[Claim],
    *,
    held: str,
    quoting: bool,
) -> tuple[Purchase, tuple[str, ...]] | Refusal:
    """Judges promotions and vouchers on an order; with it, the kinds of vouchers that give points.

    A quoted cart comes back as it would be paid, an order as it was paid. `held` says why an order that names a quote
    is judged anew.
    """
    pricelist = compiled.pricelist
    if pricelist is None and not claims:
        refusal = check_choices(data, None)
        if refusal is not None:
            return refusal
        if quoting or held:
            case.emit(Priced(compiled.number, prices_before(data), (), quote=data.quote, held=held))
        return data, ()
    pricelist = pricelist or NO_PROMOTIONS
    codes, sent = pricelist.ids, data
    reads_wallets, reads_segments = pricelist.reads_wallets, pricelist.reads_segments
    if claims:
        codes |= {each.code for each in claims}
        sent = spelled(data, codes)
        kinds = [each.found.kind for each in claims if isinstance(each.found, Usable)]
        reads_wallets = reads_wallets or any(kind.reads_wallets for kind in kinds)
        reads_segments = reads_segments or any(kind.reads_segments for kind in kinds)
    cart = cart_of(
        case, compiled, activity, sent, view, codes, reads_wallets=reads_wallets, reads_segments=reads_segments
    )
    priced = price_cart(case, compiled, pricelist, cart)
    if isinstance(priced, Refusal):
        return priced
    taken = {} if quoting else taken_by_till(sent, codes)
    if claims:
        priced = price_vouchers(case, compiled, claims, cart, priced, taken, quoting=quoting)
        if isinstance(priced, Refusal):
            return priced
    points = giving_points(priced.offers) if claims else ()
    given = priced
    if not quoting:
        priced = as_taken(priced, taken)
    free = NONE_FREE
    takes_off = priced.takes_off
    if takes_off:
        priced = count(case, compiled, pricelist, priced, activity.occurred_at)
        trigger = compiled.trigger("purchase")
        if trigger is not None and trigger.by_piece:
            free = free_pieces(case.versions, compiled, cart.purchase.lines, given, priced)
    # An order of which nothing is taken off says its prices itself.
    if quoting or held or takes_off or priced.deviations:
        priced = msgspec.structs.replace(priced, before=prices_before(cart.purchase), quote=data.quote, held=held)
    case.emit(priced)
    if not quoting:
        return (msgspec.structs.replace(data, free=free) if free else data), points
    after = after_promotions(cart.purchase, priced)
    if free:
        after = msgspec.structs.replace(after, free=free)
    if claims and after.tenders:
        # What is paid with a voucher is taken off already.
        tenders = tuple([each for each in after.tenders if each.kind != "voucher"])
        after = msgspec.structs.replace(after, tenders=tenders)
    return after, points


def _holders(data: Purchase, quoting: str | None) -> tuple[Holder, ...]:
    """For whom vouchers may be reserved that an order uses, or a quote of it, which comes first itself."""
    if quoting is None:
        return (Holder(data.order), ANYBODY)
    own = () if data.order == order_of_cart(quoting) else (Holder(data.order),)
    return (Holder(quote=quoting), *own, ANYBODY)


def _seen_by(
    case: Case, compiled: Compiled, trigger: Trigger | None, tiers: dict[str, str], activity: Activity, data: Purchase
) -> View:
    """The member as conditions of a purchase see them."""
    view = view_of(case, compiled, tiers, trigger, activity.occurred_at)
    if trigger is not None and trigger.asks_new:
        view.new = new_to(case, data)
    return view


def fulfil(case: Case, now: Compiled, activity: Activity, data: Purchase, quote: Quote) -> None:
    """A purchase that is held to what it was quoted: prices, and points unless it was paid otherwise than quoted."""
    reserved = quote.reserved
    then = case.versions.numbered(reserved.version)
    assert then is not None
    case.emit(QuoteEnded(reserved.quote, "used", case.at, data.order))
    as_paid = paid_otherwise(data) == reserved.paid
    priced = reserved.priced or Priced(then.number, (), ())
    redeem_reserved(case, reserved.quote, priced, data.order)
    deviations = deviations_of(priced, quoted_taken(data, priced))
    held = "kept" if as_paid else "points_anew"
    case.emit(msgspec.structs.replace(priced, quote=reserved.quote, held=held, deviations=deviations))
    points = giving_points(priced.offers)
    trigger = with_vouchers(then, points) if points else then.trigger("purchase")
    standing, tiers = reserved.standing, reserved.tiers
    if as_paid:
        reserved = still_due(case, now, then, reserved)
        _begin_cooldowns(case, reserved.cooldowns)
        earned = accrue_promised(case, then, activity, tiers, reserved.grants)
        give_promised(case, then, data.order, reserved.gifts)
        case.emit(Explained(then.number, reserved.said))
        follow_accrual(case, then, activity, earned)
    else:
        # Prices are kept in any case, and with them what they begin.
        of_prices = frozenset[str]() if then.pricelist is None else then.pricelist.cooldowns
        _begin_cooldowns(case, {key: span for key, span in reserved.cooldowns.items() if key in of_prices})
        release_grants(case, reserved.grants)
        release_gifts(case, reserved.gifts)
        tiers = case.tiers_at(reserved.at)
        if trigger is not None and trigger.by_piece:
            free = free_pieces(case.versions, then, before_offers(data, priced).lines, priced, priced)
            data = msgspec.structs.replace(data, free=free)
            activity = msgspec.structs.replace(activity, data=data)
        view = _seen_by(case, then, trigger, tiers, activity, data)
        standing = {}
        if trigger is not None and trigger.is_recorded:
            standing = standing_of(case, then, trigger, activity, view)
        earned = earn(case, then, trigger, activity, view)
    measured = measure(case, now, activity, earned)
    if trigger is not None and trigger.asks_new:
        remember(case, trigger, activity, view_of(case, then, tiers, trigger, activity.occurred_at))
    case.emit(OrderOpened(data.order, case.seq, activity.occurred_at, then.number, measured, standing, tiers))


def _begin_cooldowns(case: Case, cooldowns: dict[str, tuple[Instant, Instant]]) -> None:
    """Begins what a quote's purchase begins, where nothing else began a later one since."""
    for key, (at, until) in cooldowns.items():
        if case.root.cooldowns.get(key, 0) < until:
            case.emit(CooldownStarted(key, at, until))


def record_free(case: Case, compiled: Compiled, now: Compiled, activity: Activity, data: Free) -> Refusal | None:
    """A check-in, a review, a declared custom activity: releases what waits for it, earns, is measured."""
    if activity.type.startswith("custom.") and activity.type not in compiled.program.fields:
        return Refusal("undeclared_activity", activity.type)
    if activity.type in compiled.released_by:
        release(case, compiled, activity.type, data, case.at)
    tiers = case.tiers_at(activity.occurred_at)
    trigger = compiled.trigger(activity.type)
    view = view_of(case, compiled, tiers, trigger, activity.occurred_at)
    earned = earn(case, compiled, trigger, activity, view)
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
        wallet = _wallet_of(case, compiled, redemption)
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


def _pay(case: Case, compiled: Compiled, now: Compiled, data: Purchase) -> None:
    """Captures what it takes of the points that are still held, and binds the redemptions that pay to the order."""
    for tender in data.tenders:
        if tender.kind == "points" and tender.redemption is not None:
            redemption = case.draft.redemption(tender.redemption)
            assert redemption is not None, "it was checked"
            if redemption.status == "held":
                if not tender.amount:
                    continue  # It pays nothing, and its points stay held.
                money = _wallet_of(case, compiled, redemption).money
                assert money is not None, "it was checked"
                # A program that asks for more by now asks no more of the member than they hold.
                points = min(points_for(money, tender.amount), redemption.points)
                capture(case, now, Capture(tender.redemption, points))
            case.emit(RedemptionPaid(tender.redemption, data.order))


def _wallet_of(case: Case, compiled: Compiled, redemption: Redemption) -> Wallet:
    """The wallet by whose rate a redemption pays: the order and the redemption may know it by different names."""
    return compiled.wallets.get(redemption.wallet) or case.versions.wallet(redemption.wallet, case.at)


def worth(money: PointsAsMoney, points: int) -> int:
    """What points pay at the till, in minor units, rounded down."""
    return floor_div(points * money.worth, money.points)


def points_for(money: PointsAsMoney, amount: int) -> int:
    """The least points that may pay so many minor units: from the minimum on, in steps of the multiple."""
    least = max(ceil_div(amount * money.points, money.worth), money.minimum)
    return ceil_div(least, money.multiple) * money.multiple
