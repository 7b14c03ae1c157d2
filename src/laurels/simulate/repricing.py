"""Orders of the past priced anew: what a till would have charged that asks for a quote and holds to it.

What was recorded is what was paid. Of that, what the program of then took off is put back, what the simulated one gives
is taken off, and the order is as if it had been paid so: other amounts, tenders that sum to them, and returns in the
same proportion. What members would otherwise have bought, nobody knows; see docs/adr/0030.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from laurels.core.activity import Activity, Line, Purchase, Quote, Return, ReturnLine, Tender
from laurels.core.calendar import Instant
from laurels.core.code import canonical
from laurels.core.facts import AnyFact, Offered, Priced
from laurels.core.member import Document
from laurels.core.member import Quote as Reserved
from laurels.core.money import allocate, floor_div
from laurels.core.promotion import after_promotions, before_promotions
from laurels.core.quote import cart_digest
from laurels.core.refusal import Refusal
from laurels.core.version import Versions
from laurels.core.voucher_pricing import is_used, spelled

Decide = Callable[[Activity], Iterable[AnyFact] | Refusal]
Documents = Mapping[str, Document | None]

_LEAST_WANTED: Final = ("cash", "gift_card", "points", "voucher")
"""Tenders in the order in which they make up for another price."""


class _Bought(msgspec.Struct):
    """A line whose price changed: its quantity, what was paid, what would have been, and how much of it came back."""

    quantity: int
    paid: int
    price: int
    quantity_back: int = 0
    paid_back: int = 0
    price_back: int = 0


class Repricing:
    """Prices the orders of one simulation anew, and follows them in their returns."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._orders: dict[tuple[str, str], dict[str, _Bought]] = {}

    def purchase(
        self, activity: Activity, sent: Purchase, then: Priced | None, documents: Documents, at: Instant, decide: Decide
    ) -> Purchase:
        """The order as it would have been paid. `then` is what was recorded of its prices; None for what is new.

        `decide` judges a quote as of now. Vouchers of a recorded order that could not be used are left out of it.
        """
        compiled = self._versions.at(activity.occurred_at)
        if compiled is None or (compiled.pricelist is None and not self._versions.has_vouchers and then is None):
            return sent
        before = sent if then is None else _without(sent, then.offers)
        quoted = self._quoted(before, documents, at)
        priced = quoted if quoted is not None else self._judged(activity, before, decide)
        if priced is None and then is not None and before.choices:
            # What was chosen is not to be chosen here; a file that is not recorded yet is refused for that.
            before = replace(before, choices={})
            priced = self._judged(activity, before, decide)
        if priced is None:
            return sent
        after = _as_priced(before, priced, leave_out=then is not None)
        if after == sent or (after.lines == sent.lines and then is None):
            return sent
        return replace(after, tenders=_tenders(after.tenders, after.total))

    def _quoted(self, before: Purchase, documents: Documents, at: Instant) -> Priced | None:
        """What the order was quoted, where that holds."""
        known = None if before.quote is None else documents.get(f"quote/{before.quote}")
        if not isinstance(known, Reserved) or known.status != "open" or known.reserved.until <= at:
            return None
        priced = known.reserved.priced or Priced(known.reserved.version, (), ())
        return priced if cart_digest(_without(before, priced.offers)) == known.reserved.cart else None

    def _judged(self, activity: Activity, before: Purchase, decide: Decide) -> Priced | None:
        """What a quote of the cart would say; None where it would be refused."""
        vouchers = tuple([each for each in before.tenders if each.kind == "voucher"])
        quote = Quote(before.quote or "", replace(before, tenders=vouchers, quote=None), False)
        found = decide(replace(activity, type="quote", data=quote))
        if isinstance(found, Refusal):
            return None
        return next((fact for fact in found if isinstance(fact, Priced)), Priced(0, (), ()))

    def accepted(self, member: str, sent: Purchase, paid: Purchase) -> None:
        """Remembers an order that is in, where its prices are others than those sent."""
        changed = {
            line.line: _Bought(line.quantity, line.amount, now.amount)
            for line, now in zip(sent.lines, paid.lines, strict=True)
            if line.amount != now.amount
        }
        if changed:
            self._orders[member, sent.order] = changed

    def returned(self, member: str, sent: Return) -> Return:
        """The return as it would have been: the same share of every line, of another price."""
        order = self._orders.get((member, sent.order))
        if order is None:
            return sent
        if sent.lines is None:
            return replace(sent, tenders=None)
        return replace(sent, lines=tuple([_line_back(order, line) for line in sent.lines]), tenders=None)

    def forget(self, member: str) -> None:
        """Nothing more comes of a member."""
        for key in [key for key in self._orders if key[0] == member]:
            del self._orders[key]


def _line_back(order: Mapping[str, _Bought], sent: ReturnLine) -> ReturnLine:
    line = order.get(sent.line)
    if line is None:
        return sent
    quantity, paid = sent.quantity, sent.amount
    if quantity is None and paid is None:
        line.quantity_back, line.paid_back, line.price_back = line.quantity, line.paid, line.price
        return sent
    if paid is None:
        assert quantity is not None
        line.quantity_back += quantity
        paid = max(floor_div(line.paid * line.quantity_back, line.quantity or 1) - line.paid_back, 0)
    elif not line.paid:
        # It was for nothing, and has a price: only its quantity says how much of it came back.
        line.quantity_back += quantity or 0
        price = floor_div(line.price * line.quantity_back, line.quantity or 1) - line.price_back
        line.price_back += price
        return ReturnLine(sent.line, quantity, price if quantity else None)
    else:
        line.quantity_back += quantity or 0
    line.paid_back += paid
    # Parts of what was paid are the same parts of the price, so that together they are never more than it.
    price = floor_div(line.price * line.paid_back, line.paid or 1) - line.price_back
    line.price_back += price
    return ReturnLine(sent.line, quantity, price)


def _without(sent: Purchase, offers: Iterable[Offered]) -> Purchase:
    """The order with its prices before these offers, and their vouchers named."""
    vouchers = [each.promotion for each in offers if each.voucher is not None]
    codes = frozenset([each.promotion for each in offers])
    spelt = spelled(sent, vouchers)
    raised = before_promotions(spelt, codes)
    lines: list[Line] = []
    for line, was in zip(raised.lines, sent.lines, strict=True):
        if not line.discounts:
            lines.append(line)
            continue
        kept = tuple([each for each in line.discounts if each[0] not in codes])
        tax = floor_div(line.tax * line.amount, was.amount) if was.amount else line.tax
        lines.append(replace(line, discounts=kept, tax=tax))
    named = {canonical(code) for code in sent.vouchers}
    named |= {canonical(each.code) for each in sent.tenders if each.kind == "voucher" and each.code is not None}
    more = tuple([code for code in vouchers if code not in named])
    return replace(raised, lines=tuple(lines), vouchers=(*sent.vouchers, *more))


def _as_priced(before: Purchase, priced: Priced, *, leave_out: bool) -> Purchase:
    """The order with what a quote takes off taken off, as its till would send it."""
    paid = after_promotions(_without(before, priced.offers), priced)
    judged = {each.promotion: is_used(each) for each in priced.offers if each.voucher is not None}
    with_vouchers = [each.code for each in paid.tenders if each.kind == "voucher" and each.code is not None]
    codes = dict.fromkeys([canonical(code) for code in (*paid.vouchers, *with_vouchers)])
    kept = tuple([code for code in codes if not leave_out or judged.get(code, False)])
    tenders = tuple([each for each in paid.tenders if each.kind != "voucher"])
    if paid.tenders and not tenders:
        tenders = (Tender("cash", 0),)
    return replace(paid, vouchers=kept, tenders=tenders)


def _tenders(tenders: tuple[Tender, ...], total: int) -> tuple[Tender, ...]:
    """The tenders, summing to another total: what is more is paid in cash, what is less is cash first."""
    missing = total - sum([each.amount for each in tenders])
    if not tenders or not missing:
        return tenders
    if missing > 0:
        place = next((n for n, each in enumerate(tenders) if each.kind == "cash"), None)
        if place is None:
            return (*tenders, Tender("cash", missing))
        return tuple(
            [replace(each, amount=each.amount + missing) if n == place else each for n, each in enumerate(tenders)]
        )
    left = {n: each.amount for n, each in enumerate(tenders)}
    for kind in _LEAST_WANTED:
        of_kind = {n: left[n] for n, each in enumerate(tenders) if each.kind == kind}
        take = min(-missing, sum(of_kind.values()))
        if take:
            for n, part in zip(of_kind, allocate(take, tuple(of_kind.values())), strict=True):
                left[n] -= part
            missing += take
    return tuple([replace(each, amount=left[n]) for n, each in enumerate(tenders)])
