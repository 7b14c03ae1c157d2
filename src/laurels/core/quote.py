"""Quotes: what a cart would cost and earn, decided like a purchase; reserved, it is kept for a while.

A reserved quote claims what it promised of limits and budgets, and reserves its vouchers, so that nobody else can have
them, and gives all of it back when its time is over. The purchase that names it is held to it whatever was published
meanwhile, if it is the same cart; otherwise the order is judged anew, and the facts say why.
"""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import Final, Literal, TypeVar

import msgspec

from laurels.core.activity import Purchase
from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.compiled_voucher import cooldown_key
from laurels.core.facts import (
    Accrued,
    AnyFact,
    CooldownStarted,
    Explained,
    Grant,
    Judged,
    LimitUsed,
    OrderOpened,
    PoolClaimed,
    Priced,
    PromisedGift,
    QuoteEnded,
    QuoteReserved,
    Scalar,
    TicketsGranted,
    VoucherIssued,
    VoucherRedeemed,
)
from laurels.core.limit import give_use_back
from laurels.core.member import Quote
from laurels.core.program.draws_model import TICKETS
from laurels.core.promotion import before_promotions
from laurels.core.refusal import Refusal
from laurels.core.ticket import obstacle
from laurels.core.voucher import issue
from laurels.core.voucher_pricing import changed_since, reserve_for_quote, spelled

OPEN_MOST = 5
"""Reserved quotes that a member may have open: the root document lists them."""

_ENDED: Final = MappingProxyType(
    {
        "used": "quote_used",
        "timed_out": "quote_timed_out",
        "cancelled": "quote_cancelled",
        "replaced": "quote_replaced",
    }
)
"""Why an order that names a quote is judged anew, by what became of the quote."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def order_of_cart(quote: str) -> str:
    """The order that stands in the cart of a quote which has none yet."""
    return f"quote:{quote}"


def may_reserve(case: Case, quote: str) -> Refusal | None:
    """A refusal where the id is in use, or too many quotes are open."""
    if case.draft.quote(quote) is not None:
        return Refusal("duplicate_quote", quote)
    if len(case.root.quotes) >= OPEN_MOST:
        return Refusal("too_many_quotes", f"{OPEN_MOST} at most.")
    return None


def reserve(case: Case, now: Compiled, quote: str, cart: Purchase, facts: list[AnyFact]) -> None:
    """Keeps what the facts of a purchase of this cart would bring about: their claims, prices and points."""
    priced: Priced | None = None
    grants: dict[str, tuple[Grant, ...]] = {}
    said: tuple[Judged, ...] = ()
    cooldowns: dict[str, tuple[Instant, Instant]] = {}
    standing: dict[str, Scalar] = {}
    tiers: dict[str, str] = {}
    version = now.number
    gifts: list[PromisedGift] = []
    began: dict[str, Instant] = {}
    until = now.zone.add(case.at, now.program.quote_hold)
    for fact in facts:
        if isinstance(fact, PoolClaimed):
            case.claim(fact.pool, fact.by)
        elif isinstance(fact, LimitUsed):
            case.emit(fact)
        elif isinstance(fact, Priced):
            priced = fact
        elif isinstance(fact, Accrued):
            grants[fact.wallet] = fact.grants
        elif isinstance(fact, TicketsGranted):
            grants[f"{TICKETS}{fact.draw}"] = fact.grants
        elif isinstance(fact, Explained):
            said, version = fact.campaigns, fact.version
        elif isinstance(fact, VoucherIssued):
            if fact.reason == "code":
                case.emit(fact)  # It was nobody's.
            elif fact.campaign is not None:
                gifts.append(PromisedGift(fact.campaign, fact.voucher, fact.limits, fact.pools))
        elif isinstance(fact, VoucherRedeemed):
            reserve_for_quote(case, quote, fact, until, began.pop(cooldown_key(fact.voucher), None))
        elif isinstance(fact, CooldownStarted):
            if fact.campaign.startswith("voucher/"):
                case.emit(fact)  # As with any reservation.
                began[fact.campaign] = fact.until
            else:
                cooldowns[fact.campaign] = (fact.at, fact.until)
        elif isinstance(fact, OrderOpened):
            standing, tiers, version = fact.standing, fact.tiers, fact.version
    digest, paid = cart_digest(before_offers(cart, priced)), paid_otherwise(cart)
    case.emit(
        QuoteReserved(
            quote, case.at, until, version, digest, paid, priced, grants, said, cooldowns, standing, tiers, tuple(gifts)
        )
    )  # fmt: skip
    case.emit(Explained(version, said))


def before_offers(cart: Purchase, priced: Priced | None) -> Purchase:
    """A cart with its prices before all promotions and vouchers that were judged on it."""
    offers = () if priced is None else priced.offers
    spelt = spelled(cart, [each.promotion for each in offers if each.voucher is not None])
    return before_promotions(spelt, frozenset([each.promotion for each in offers]))


def cart_digest(cart: Purchase) -> str:
    """What makes a cart the same: its lines with their prices before promotions, where it is bought, its fields."""
    lines = [
        (line.line, line.sku, line.category, line.tags, line.quantity, line.amount, line.kind, line.fields)
        for line in cart.lines
    ]
    return hashlib.sha256(_encode((lines, cart.store, cart.channel, cart.fields))).hexdigest()


def paid_otherwise(purchase: Purchase) -> str:
    """What is paid in other ways than cash, on which points may depend."""
    return ",".join(sorted([f"{each.kind}={each.amount}" for each in purchase.tenders if each.kind != "cash"]))


def open_quote(case: Case, purchase: Purchase) -> Quote | str:
    """The quote that a purchase names, if it holds; else why the order is judged anew."""
    assert purchase.quote is not None
    quote = case.draft.quote(purchase.quote)
    if quote is None:
        return "quote_unknown"
    if quote.status != "open":
        return _ENDED[quote.status]
    priced = quote.reserved.priced
    if cart_digest(before_offers(purchase, priced)) != quote.reserved.cart:
        return "quote_differs"
    if case.versions.has_vouchers and (changed := changed_since(case, purchase, purchase.quote, priced)) is not None:
        return changed
    return quote


def end_quote(
    case: Case,
    quote: str,
    at: Instant,
    status: Literal["timed_out", "cancelled", "replaced"] = "timed_out",
    order: str | None = None,
) -> None:
    """A quote that nobody used in time, or that ends before, gives back what it claimed."""
    known = case.draft.quote(quote)
    assert known is not None
    case.emit(QuoteEnded(quote, status, at, order))
    reserved = known.reserved
    release_grants(case, reserved.grants)
    release_gifts(case, reserved.gifts)
    for each in () if reserved.priced is None else reserved.priced.offers:
        give_use_back(case, each.limits, each.pools, sum([line.amount for line in each.lines]), whole=True)


def still_due(case: Case, now: Compiled, then: Compiled, reserved: QuoteReserved) -> QuoteReserved:
    """What can be given of what a quote promised: all but tickets that their draw takes no more, and vouchers of a kind
    that is over meanwhile, which nobody could use.

    What those were counted against is given back, and why they are not given is said in place of what was.
    """
    shut: dict[str, str] = {}
    for wallet, of_draw in reserved.grants.items():
        if wallet.startswith(TICKETS):
            why = obstacle(case, now, wallet.removeprefix(TICKETS), sum([each.points for each in of_draw]))
            if why is not None:
                shut[wallet] = "excluded_from_draw" if why.code == "excluded_from_draw" else "draw_not_open"
    over = [gift for gift in reserved.gifts if then.vouchers[gift.voucher].is_over(then.zone, case.at, case.root)]
    if not shut and not over:
        return reserved
    kept = {wallet: list(grants) for wallet, grants in reserved.grants.items() if wallet not in shut}
    gifts = [gift for gift in reserved.gifts if gift not in over]
    lost = {each.campaign: shut[wallet] for wallet in shut for each in reserved.grants[wallet]}
    for each in [grant for wallet in shut for grant in reserved.grants[wallet]]:
        release_grants(case, {"": (_hand_over(each, kept, gifts),)})
    for gift in over:
        release_gifts(case, (_hand_over(gift, kept, gifts),))
        # What is said of a campaign that granted points says nothing of its vouchers.
        if not any(each.campaign == gift.campaign for grants in kept.values() for each in grants):
            lost.setdefault(gift.campaign, "nothing_to_grant")
    nothing: set[str] = set()
    said: list[Judged] = []
    for judged in reserved.said:
        code = lost.pop(judged.campaign, None)
        anew = judged if code is None else _said_anew(judged, code, kept, gifts)
        if anew.code == code:
            nothing.add(judged.campaign)
        said.append(anew)
    trigger = then.trigger("purchase")
    assert trigger is not None
    idle = {each.cooldown for each in trigger.campaigns if each.id in nothing}
    return msgspec.structs.replace(
        reserved,
        grants={wallet: tuple(grants) for wallet, grants in kept.items()},
        gifts=tuple(gifts),
        said=tuple(said),
        cooldowns={campaign: span for campaign, span in reserved.cooldowns.items() if campaign not in idle},
    )


_Promised = TypeVar("_Promised", Grant, PromisedGift)


def _hand_over(lost: _Promised, kept: dict[str, list[Grant]], gifts: list[PromisedGift]) -> _Promised:
    """A use in times, which is a campaign's whatever it gives, stays with what else it gives; the rest of the lost."""
    uses = {key: period for key, period in lost.limits.items() if key.endswith("_times")}
    pools = tuple([pool for pool in lost.pools if pool.endswith("/times")])
    for grants in kept.values():
        for n, each in enumerate(grants):
            if each.campaign == lost.campaign and each.rule is None:
                grants[n] = _with(each, uses, pools)
                return _without(lost, uses, pools)
    for n, gift in enumerate(gifts):
        if gift.campaign == lost.campaign:
            gifts[n] = _with(gift, uses, pools)
            return _without(lost, uses, pools)
    return lost


def _with(promised: _Promised, uses: dict[str, Instant], pools: tuple[str, ...]) -> _Promised:
    return msgspec.structs.replace(promised, limits={**uses, **promised.limits}, pools=(*pools, *promised.pools))


def _without(promised: _Promised, uses: dict[str, Instant], pools: tuple[str, ...]) -> _Promised:
    limits = {key: period for key, period in promised.limits.items() if key not in uses}
    return msgspec.structs.replace(
        promised, limits=limits, pools=tuple([each for each in promised.pools if each not in pools])
    )


def _said_anew(judged: Judged, code: str, kept: dict[str, list[Grant]], gifts: list[PromisedGift]) -> Judged:
    """What became of a campaign without its tickets and vouchers that are lost, as if there had never been any."""
    left = [
        (each.grant, wallet, each)
        for wallet, grants in kept.items()
        for each in grants
        if each.campaign == judged.campaign and each.rule is None
    ]
    if left:
        granted = sum([each.points for _n, _wallet, each in left])
        wanted = sum([each.points if each.wanted is None else each.wanted for _n, _wallet, each in left])
        wallet = min(left, key=lambda each: each[:2])[1]
        if granted == wanted:
            return Judged(judged.campaign, "applied", wanted, granted, wallet)
        return Judged(judged.campaign, "trimmed", wanted, granted, wallet, judged.by)
    if any(gift.campaign == judged.campaign for gift in gifts):
        return Judged(judged.campaign, "gave")
    return Judged(judged.campaign, code)


def give_promised(case: Case, compiled: Compiled, order: str, gifts: tuple[PromisedGift, ...]) -> None:
    """Gives what campaigns promised beside points, which was counted against limits when they did."""
    for n, gift in enumerate(gifts):
        issue(
            case, compiled, gift.voucher, "campaign", f"promised {n}",
            campaign=gift.campaign, order=order, limits=gift.limits, pools=gift.pools,
        )  # fmt: skip


def release_gifts(case: Case, gifts: tuple[PromisedGift, ...]) -> None:
    """Gives back what promised gifts were counted against."""
    for gift in gifts:
        give_use_back(case, gift.limits, gift.pools, 1, whole=True)


def release_grants(case: Case, grants: dict[str, tuple[Grant, ...]]) -> None:
    """Gives back what promised points were counted against."""
    for each in [grant for of_wallet in grants.values() for grant in of_wallet]:
        give_use_back(case, each.limits, each.pools, each.points, whole=True)
