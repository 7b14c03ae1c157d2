"""Vouchers on a cart: what each takes off what promotions, and vouchers named before it, have left of the prices.

They apply after all promotions, in the order in which the cart names them. A quote says of each one that cannot be used
why not; an order that names such a one is refused. So is one that names a voucher which gives nothing, unless the till
took something off for it: then the voucher is used, and all that the till took is a deviation. What a quote reserves it
reserves for itself, until the order that names the quote comes; what the order of the quoted cart had reserved stays
the order's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from laurels.core.activity import Line, Purchase
from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.code import canonical
from laurels.core.compiled import Compiled
from laurels.core.facts import LineOff, LineShare, Offered, Priced, VoucherRedeemed, VoucherReserved
from laurels.core.folding_vouchers import voucher_of
from laurels.core.member import IssuedVoucher
from laurels.core.pricing import appraise, share
from laurels.core.program.offers_model import AmountOff, Multiplier, Points
from laurels.core.promotion import Cart, bid_on, counted_of_voucher, taken_by_till
from laurels.core.refusal import Refusal
from laurels.core.voucher import ANYBODY, Holder
from laurels.core.voucher_use import Named, Usable, codes_of, counted, find, unfit


class Claim(msgspec.Struct, frozen=True):
    """A code that a cart names, and the voucher that it stands for or why that cannot be used, whatever is bought."""

    code: str
    named: Named
    found: Usable | Refusal


def claims_of(
    case: Case, compiled: Compiled, data: Purchase, holders: tuple[Holder, ...], *, quoting: bool
) -> list[Claim] | Refusal:
    """The vouchers that a cart names; a refusal where an order names one that cannot be used."""
    ids = frozenset[str]() if compiled.pricelist is None else compiled.pricelist.ids
    claims: list[Claim] = []
    of_kind: dict[str, int] = {}
    for code, named in codes_of(data, ids).items():
        found = find(case, compiled, code, holders)
        if isinstance(found, Usable):
            key = found.kind.key
            of_kind[key] = of_kind.get(key, 0) + 1
            if of_kind[key] > found.kind.voucher.per_order:
                found = Refusal("voucher_per_order", code)
        elif found.code == "unknown_voucher" and not named.must_be:
            continue  # The till's own.
        if isinstance(found, Refusal) and not quoting:
            return found
        claims.append(Claim(code, named, found))
    return claims


def spelled(purchase: Purchase, codes: Iterable[str]) -> Purchase:
    """The purchase with discounts under these codes written in their one spelling."""
    known = frozenset(codes)
    if not known or not any(line.discounts for line in purchase.lines):
        return purchase
    lines: list[Line] = []
    for line in purchase.lines:
        discounts = tuple([(one if (one := canonical(code)) in known else code, off) for code, off in line.discounts])
        lines.append(msgspec.structs.replace(line, discounts=discounts) if discounts else line)
    return msgspec.structs.replace(purchase, lines=tuple(lines))


def price_vouchers(
    case: Case,
    compiled: Compiled,
    claims: list[Claim],
    cart: Cart,
    priced: Priced,
    taken: dict[tuple[str, str], int],
    *,
    quoting: bool,
) -> Priced | Refusal:
    """The same with the vouchers, which are used.

    `taken` is what the till took off; what was paid with a voucher is put there.
    """
    purchase = cart.purchase
    off: dict[str, int] = {}
    for each in priced.offers:
        for part in each.lines:
            off[part.line] = off.get(part.line, 0) + part.amount
    left = [line.amount - off.get(line.line, 0) for line in purchase.lines]
    offers = list(priced.offers)
    paid = {line.line: line.amount for line in purchase.lines}
    for (line_id, _code), part_of in taken.items():
        paid[line_id] -= part_of
    for claim in claims:
        found = _judged(case, compiled, claim, cart)
        if isinstance(found, Refusal):
            if not quoting:
                return found
            offers.append(Offered(claim.code, found.code, voucher=_kind_of(case, claim)))
            continue
        offered, left = _offered(found, cart, left)
        if not quoting and claim.named.tender:
            _paid_with(paid, claim.code, claim.named.tender, offered, taken)
        offers.append(offered)
        if not is_used(offered) and (quoting or not any(code == claim.code for _line, code in taken)):
            if not quoting:
                return Refusal("voucher_gives_nothing", claim.code)
            continue
        redeem(case, compiled, found, purchase.order, offered.lines if quoting else counted_of_voucher(offered, taken))
    return msgspec.structs.replace(priced, offers=tuple(offers))


def _judged(case: Case, compiled: Compiled, claim: Claim, cart: Cart) -> Usable | Refusal:
    found = claim.found
    if isinstance(found, Refusal):
        return found
    reason = unfit(case, compiled, found, cart)
    if reason is None and _gives_points(found) and found.kind.key not in compiled.vouchers:
        reason = "voucher_not_yet"
    return found if reason is None else Refusal(reason, claim.code)


def _kind_of(case: Case, claim: Claim) -> str:
    """The key of the kind, "" where the code is of none that is known."""
    if isinstance(claim.found, Usable):
        return claim.found.kind.key
    known = voucher_of(case.draft, claim.code)
    return "" if known is None else known.voucher


def _gives_points(found: Usable) -> bool:
    return isinstance(found.kind.gives, Multiplier | Points) and found.worth is None


def _offered(found: Usable, cart: Cart, left: list[int]) -> tuple[Offered, list[int]]:
    """What a voucher takes off, and what it leaves."""
    kind, key, lines = found.kind, found.kind.key, cart.purchase.lines
    gives = kind.gives if found.worth is None else AmountOff(found.worth)
    if isinstance(gives, Multiplier | Points):
        return Offered(found.code, "gives_points", voucher=key), left
    bid = bid_on(cart, kind, found.code, gives)
    if bid is None:
        return Offered(found.code, "no_lines", voucher=key), left
    appraisal = appraise(lines, left, bid)
    given = appraisal.given
    by = "floor" if given and appraisal.outcome == "trimmed" else None
    parts = tuple([LineOff(line.line, part) for line, part in zip(lines, appraisal.lines, strict=True) if part])
    offered = Offered(found.code, appraisal.outcome, appraisal.wanted, given, parts, by, voucher=key)
    return offered, [amount - part for amount, part in zip(left, appraisal.lines, strict=True)]


def _paid_with(
    paid: dict[str, int], code: str, amount: int, offered: Offered, taken: dict[tuple[str, str], int]
) -> None:
    """Puts what was paid with a voucher on the lines from which the voucher takes it, in proportion.

    `paid` is what is left that was paid for each line: no more than that was paid for it with a voucher.
    """
    weights = {part.line: part.amount for part in offered.lines if paid.get(part.line)}
    if sum([paid[line] for line in weights]) < amount:
        weights = paid.copy()
    caps = [paid[line] for line in weights]
    for line, part in zip(weights, share(min(amount, sum(caps)), tuple(weights.values()), caps), strict=True):
        if part:
            taken[line, code] = taken.get((line, code), 0) + part
            paid[line] -= part


def redeem(case: Case, compiled: Compiled, found: Usable, order: str, off: tuple[LineOff, ...]) -> None:
    """The order uses the voucher."""
    limits, pools = counted(case, compiled, found)
    lines = tuple([LineShare(part.line, part.amount) for part in off])
    amount = sum([part.amount for part in off])
    case.emit(VoucherRedeemed(found.instance, found.kind.key, order, case.at, amount, lines, limits, pools))


def is_used(offered: Offered) -> bool:
    """Whether it is a voucher that gives something."""
    return offered.voucher is not None and (offered.given > 0 or offered.code == "gives_points")


def giving_points(offers: Iterable[Offered]) -> tuple[str, ...]:
    """The kinds of vouchers that give points, by key, as often as they are used."""
    return tuple(sorted([each.voucher for each in offers if each.code == "gives_points" and each.voucher]))


# --- reserved by a quote ----------------------------------------------------------------------------------------------


def reserve_for_quote(
    case: Case, quote: str, fact: VoucherRedeemed, until: Instant, cooldown: Instant | None = None
) -> None:
    """What an order of the cart would use, the quote reserves; what it counted against is counted already.

    What the order has reserved already stays reserved for it, for as long as the quote at least.
    """
    known = voucher_of(case.draft, fact.code)
    if known is not None and known.status == "reserved" and known.order is not None:
        until = until if known.reserved_until is None else max(until, known.reserved_until)
        case.emit(VoucherReserved(fact.code, known.order, case.at, until, fact.limits, fact.pools))
        return
    case.emit(VoucherReserved(fact.code, None, case.at, until, fact.limits, fact.pools, quote, cooldown))


def reserved_by_quote(case: Case, quote: str, priced: Priced | None) -> Iterator[str]:
    """The vouchers that a quote itself has reserved, by the codes that its cart names."""
    for each in () if priced is None else priced.offers:
        if is_used(each) and Holder(quote=quote).holds(_reserved_by(case, quote, each, None)[1]):
            yield each.promotion


def changed_since(case: Case, purchase: Purchase, quote: str, priced: Priced | None) -> str | None:
    """Why vouchers keep an order from being held to its quote: it names others, or one is not reserved any more."""
    offers = () if priced is None else priced.offers
    used = [each for each in offers if is_used(each)]
    codes = frozenset([each.promotion for each in used])
    ids = frozenset([each.promotion for each in offers if each.voucher is None])
    others = frozenset([each.promotion for each in offers if each.voucher is not None]) - codes
    if any((named.must_be or code in others) and code not in codes for code, named in codes_of(purchase, ids).items()):
        return "quote_differs"
    gone = any(_reserved_by(case, quote, each, purchase.order)[1] is None for each in used)
    return "voucher_gone" if gone else None


def quoted_taken(purchase: Purchase, priced: Priced) -> dict[tuple[str, str], int]:
    """What the till took off, by line and code, of what was quoted; what was paid with a voucher likewise."""
    codes = frozenset([each.promotion for each in priced.offers])
    vouchers = {each.promotion: each for each in priced.offers if each.voucher is not None}
    sent = spelled(purchase, vouchers)
    taken = taken_by_till(sent, codes)
    paid = {line.line: line.amount for line in purchase.lines}
    for code, named in codes_of(sent, codes - vouchers.keys()).items() if vouchers else ():
        if named.tender and code in vouchers:
            _paid_with(paid, code, named.tender, vouchers[code], taken)
    return taken


def redeem_reserved(case: Case, quote: str, priced: Priced, order: str) -> None:
    """The order that is held to a quote uses the vouchers that the quote reserved."""
    for each in priced.offers:
        if not is_used(each):
            continue
        code, known = _reserved_by(case, quote, each, order)
        assert known is not None
        lines = tuple([LineShare(part.line, part.amount) for part in each.lines])
        case.emit(
            VoucherRedeemed(code, known.voucher, order, case.at, each.given, lines, known.limits, known.pools)
        )  # fmt: skip


def _reserved_by(case: Case, quote: str, offered: Offered, order: str | None) -> tuple[str, IssuedVoucher | None]:
    """The voucher, with the code of its document, if the quote has it reserved, or the order itself has."""
    holders = [Holder(quote=quote), *([] if order is None else [Holder(order), ANYBODY])]
    for code in (offered.promotion, *[holder.instance(offered.promotion) for holder in holders]):
        known = voucher_of(case.draft, code)
        if any(holder.holds(known) for holder in holders):
            return code, known
    return offered.promotion, None
