"""Quotes: what a cart would cost and earn, decided like a purchase; reserved, it is kept for a while.

A reserved quote claims what it promised of limits and budgets, so that nobody else can have it, and gives it back when
its time is over. The purchase that names it is held to it whatever was published meanwhile, if it is the same cart;
otherwise the order is judged anew, and the facts say why.
"""

from __future__ import annotations

import hashlib

import msgspec

from laurels.core.activity import Purchase
from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
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
    QuoteEnded,
    QuoteReserved,
    Scalar,
)
from laurels.core.member import Quote
from laurels.core.promotion import before_promotions, give_back
from laurels.core.refusal import Refusal

OPEN_MOST = 5
"""Reserved quotes that a member may have open: the root document lists them."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def may_reserve(case: Case, quote: str) -> Refusal | None:
    """A refusal where the id is in use, or too many quotes are open."""
    if case.draft.quote(quote) is not None:
        return Refusal("duplicate_quote", quote)
    if len(case.root.quotes) >= OPEN_MOST:
        return Refusal("too_many_quotes", f"{OPEN_MOST} at most.")
    return None


def reserve(case: Case, now: Compiled, quote: str, cart: Purchase, codes: frozenset[str], facts: list[AnyFact]) -> None:
    """Keeps what the facts of a purchase of this cart would bring about: their claims, prices and points."""
    priced: Priced | None = None
    grants: dict[str, tuple[Grant, ...]] = {}
    said: tuple[Judged, ...] = ()
    cooldowns: dict[str, tuple[Instant, Instant]] = {}
    standing: dict[str, Scalar] = {}
    tiers: dict[str, str] = {}
    version = now.number
    for fact in facts:
        if isinstance(fact, PoolClaimed):
            case.pools[fact.pool] = case.pools.get(fact.pool, 0) + fact.by
            case.emit(fact)
        elif isinstance(fact, LimitUsed):
            case.emit(fact)
        elif isinstance(fact, Priced):
            priced = fact
        elif isinstance(fact, Accrued):
            grants[fact.wallet] = fact.grants
        elif isinstance(fact, Explained):
            said, version = fact.campaigns, fact.version
        elif isinstance(fact, CooldownStarted):
            cooldowns[fact.campaign] = (fact.at, fact.until)
        elif isinstance(fact, OrderOpened):
            standing, tiers, version = fact.standing, fact.tiers, fact.version
    until = now.zone.add(case.at, now.program.quote_hold)
    digest, paid = cart_digest(before_promotions(cart, codes)), paid_otherwise(cart)
    case.emit(
        QuoteReserved(
            quote, case.at, until, version, digest, paid, priced, grants, said, cooldowns, standing, tiers
        )
    )  # fmt: skip
    case.emit(Explained(version, said))


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
        return "quote_used" if quote.status == "used" else "quote_timed_out"
    priced = quote.reserved.priced
    codes = frozenset([each.promotion for each in priced.offers]) if priced is not None else frozenset[str]()
    same = cart_digest(before_promotions(purchase, codes)) == quote.reserved.cart
    return quote if same else "quote_differs"


def time_out_quote(case: Case, quote: str, at: Instant) -> None:
    """A quote that nobody used in time gives back what it claimed."""
    known = case.draft.quote(quote)
    assert known is not None
    case.emit(QuoteEnded(quote, "timed_out", at))
    reserved = known.reserved
    release_grants(case, reserved.grants)
    for each in () if reserved.priced is None else reserved.priced.offers:
        given = sum([line.amount for line in each.lines])
        for key, period in each.limits.items():
            case.emit(LimitUsed(key, period, -(1 if key.endswith("_times") else given)))
        give_back(case, each.pools, given, whole=True)


def release_grants(case: Case, grants: dict[str, tuple[Grant, ...]]) -> None:
    """Gives back what promised points were counted against."""
    for each in [grant for of_wallet in grants.values() for grant in of_wallet]:
        for key, period in each.limits.items():
            case.emit(LimitUsed(key, period, -(1 if key.endswith("_times") else each.points)))
        give_back(case, each.pools, each.points, whole=True)
