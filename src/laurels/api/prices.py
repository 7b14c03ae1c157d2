"""Prices as outsiders read them: what promotions and vouchers take off each line, and what a quote keeps.

What became of each of them is said beside the prices, also why a voucher cannot be used.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from laurels.api.texts import Texts, texts
from laurels.core.code import canonical, grouped
from laurels.core.compiled import Compiled
from laurels.core.explanation import promotion_sentence, quote_sentence
from laurels.core.facts import AnyFact, DiscountsBack, LineOff, Offered, Priced, QuoteReserved
from laurels.core.money import format_minor, parse_minor
from laurels.core.program.draws_model import TICKETS
from laurels.core.voucher_pricing import is_used

Body = bytes | msgspec.Raw | str
"""The data of an activity in JSON."""

Amount = Annotated[str, Meta(description="Decimal, in the program's currency.", examples=["12.00"])]


_TAKEN = "What the till took off an order for it, where that is not what is given; else null."


class LineDiscount(msgspec.Struct, frozen=True):
    """What a promotion or voucher takes off a line."""

    code: Annotated[str, Meta(description="The promotion's id, or the voucher's code; a till sends it in `discounts`.")]
    amount: Amount


class LinePrice(msgspec.Struct, frozen=True):
    """A line before promotions, what they take off, and what it costs then."""

    line: str
    before: Amount
    discounts: tuple[LineDiscount, ...]
    amount: Amount


class PromotionOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one promotion that takes money off, and why."""

    promotion: str
    applied: bool
    code: Annotated[str, Meta(description="Why; each code has its sentence in docs/explanations.md.")]
    wanted: Amount
    given: Amount
    taken: Annotated[Amount | None, Meta(description=_TAKEN)]
    limited_by: Annotated[str | None, Meta(examples=["day_money"])]
    text: Texts


class VoucherOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one voucher that the cart names, and why."""

    code: Annotated[str, Meta(description="The voucher's code, grouped for people.")]
    voucher: Annotated[str | None, Meta(description="Its kind, by its id in the program; null for an unknown code.")]
    applied: bool
    reason: Annotated[
        str, Meta(description="Why; docs/explanations.md has its sentence, docs/refusals.md if it cannot be used.")
    ]
    wanted: Amount
    given: Amount
    taken: Annotated[Amount | None, Meta(description=_TAKEN)]
    limited_by: Annotated[str | None, Meta(examples=["floor"])]
    text: Texts


class ContestedOffer(msgspec.Struct, frozen=True):
    """One of several offers that exclude each other, and what it would take off."""

    id: Annotated[str, Meta(description="A promotion, or a group of them.")]
    amount: Amount


class ContestAnswer(msgspec.Struct, frozen=True):
    """Offers of a group of which one is given; `choices` in the data takes another one."""

    group: str
    offers: tuple[ContestedOffer, ...]
    taken: Annotated[str | None, Meta(description="Null: the member declined.")]


class DeviationAnswer(msgspec.Struct, frozen=True):
    """What a till took off a line beyond what a promotion or voucher gives; negative: less."""

    line: str
    promotion: Annotated[str, Meta(description="The promotion's id, or the voucher's code.")]
    amount: Amount


class QuoteState(msgspec.Struct, frozen=True, kw_only=True):
    """The quote that was reserved, or that a purchase names."""

    id: str
    code: Annotated[str, Meta(description="`reserved`, `kept`, or why the order was judged anew.")]
    text: Texts | None = None
    until: Annotated[str | None, Meta(description="How long it keeps what it promises.")] = None
    points: Annotated[dict[str, int], Meta(description="By wallet: what a reserved quote promises.")] = {}
    tickets: Annotated[dict[str, int], Meta(description="By draw: what a reserved quote promises.")] = {}


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """What a cart or order costs with the program's promotions and its vouchers."""

    before: Amount
    discount: Amount
    total: Amount
    lines: tuple[LinePrice, ...]
    promotions: tuple[PromotionOutcome, ...]
    vouchers: tuple[VoucherOutcome, ...]
    contests: tuple[ContestAnswer, ...]
    deviations: tuple[DeviationAnswer, ...]
    quote: QuoteState | None = None


_TELLING = (Priced, QuoteReserved, DiscountsBack)


def tell_of_prices(facts: tuple[AnyFact, ...]) -> bool:
    """Whether promotions or a quote were concerned at all."""
    for fact in facts:
        if type(fact) in _TELLING:
            return True
    return False


class _SentLine(msgspec.Struct, frozen=True, gc=False):
    line: str
    amount: str


class _Sent(msgspec.Struct, frozen=True, gc=False):
    lines: tuple[_SentLine, ...]


_sent = msgspec.json.Decoder(_Sent)


def prices_of(facts: tuple[AnyFact, ...], compiled: Compiled, data: Body | None = None) -> Prices | None:
    """The prices that facts tell of; None where no promotion and no quote was concerned.

    `data` are those of the purchase: an order of which nothing was taken off says by itself what it cost.
    """
    for fact in facts:
        if type(fact) not in _TELLING:
            continue
        if isinstance(fact, Priced):
            state = None
            if fact.quote is not None:
                sentence = quote_sentence(fact.held)
                state = QuoteState(id=fact.quote, code=fact.held, text=texts(sentence))
            return _prices(fact, fact.before or _as_sent(data, compiled), compiled, state)
        if isinstance(fact, QuoteReserved):
            sums = {wallet: sum([grant.points for grant in grants]) for wallet, grants in fact.grants.items()}
            state = QuoteState(
                id=fact.quote,
                code="reserved",
                until=compiled.zone.format(fact.until),
                points={wallet: total for wallet, total in sums.items() if not wallet.startswith(TICKETS)},
                tickets={key.removeprefix(TICKETS): total for key, total in sums.items() if key.startswith(TICKETS)},
            )
            priced = fact.priced or Priced(fact.version, (), ())
            return _prices(priced, priced.before, compiled, state)
    return None


def _as_sent(data: Body | None, compiled: Compiled) -> tuple[LineOff, ...]:
    """The prices of a purchase's lines as they were sent."""
    if data is None:
        return ()
    places = compiled.declared.places
    return tuple([LineOff(line.line, parse_minor(line.amount, places)) for line in _sent.decode(data).lines])


def _prices(priced: Priced, prices: tuple[LineOff, ...], compiled: Compiled, quote: QuoteState | None) -> Prices:
    places = compiled.declared.places
    off: dict[str, list[tuple[str, int]]] = {}
    for each in priced.offers:
        for line in each.lines:
            off.setdefault(line.line, []).append((each.promotion, line.amount))
    lines: list[LinePrice] = []
    before = total = 0
    for line in prices:
        left, text = line.amount, format_minor(line.amount, places)
        before += left
        found = off.get(line.line)
        if found is None:
            lines.append(LinePrice(line.line, text, (), text))
        else:
            discounts = tuple([LineDiscount(grouped(code), format_minor(amount, places)) for code, amount in found])
            left -= sum([amount for _code, amount in found])
            lines.append(LinePrice(line.line, text, discounts, format_minor(left, places)))
        total += left
    by_till = _taken_otherwise(priced)
    return Prices(
        before=format_minor(before, places),
        discount=format_minor(before - total, places),
        total=format_minor(total, places),
        lines=tuple(lines),
        promotions=tuple(
            [
                _outcome(
                    each.promotion, each.code, each.by, each.wanted, each.given, by_till.get(each.promotion), places
                )
                for each in priced.offers
                if each.voucher is None
            ]
        ),
        vouchers=tuple(
            [
                _of_voucher(each, by_till.get(each.promotion), compiled)
                for each in priced.offers
                if each.voucher is not None
            ]
        ),
        contests=tuple(
            [
                ContestAnswer(
                    each.group,
                    tuple([ContestedOffer(id, format_minor(amount, places)) for id, amount in each.offers]),
                    each.taken or None,
                )
                for each in priced.contests
            ]
        ),
        deviations=tuple(
            [
                DeviationAnswer(each.line, grouped(each.promotion), format_minor(each.amount, places))
                for each in priced.deviations
            ]
        ),
        quote=quote,
    )


def _taken_otherwise(priced: Priced) -> dict[str, int]:
    """What a till took off in all, by code, where that is not what is given."""
    if not priced.deviations:
        return {}
    more: dict[str, int] = {}
    for deviation in priced.deviations:
        more[deviation.promotion] = more.get(deviation.promotion, 0) + deviation.amount
    return {each.promotion: each.given + by for each in priced.offers if (by := more.get(each.promotion))}


@lru_cache(4096)
def _outcome(
    promotion: str, code: str, by: str | None, wanted: int, given: int, taken: int | None, places: int
) -> PromotionOutcome:
    """What is said of a promotion; kept, since most give nothing or one of few amounts."""
    wanted_text, given_text = format_minor(wanted, places), format_minor(given, places)
    taken_text = None if taken is None else format_minor(taken, places)
    sentence = promotion_sentence(code, by, wanted_text, given_text, taken_text)
    return PromotionOutcome(
        promotion=promotion,
        applied=given > 0,
        code=code,
        wanted=wanted_text,
        given=given_text,
        taken=taken_text,
        limited_by=by,
        text=texts(sentence),
    )


def _of_voucher(each: Offered, by_till: int | None, compiled: Compiled) -> VoucherOutcome:
    places = compiled.declared.places
    wanted, given = format_minor(each.wanted, places), format_minor(each.given, places)
    taken = None if by_till is None else format_minor(by_till, places)
    sentence = promotion_sentence(each.code, each.by, wanted, given, taken)
    kind = compiled.vouchers.get(each.voucher or "")
    return VoucherOutcome(
        code=grouped(each.promotion),
        voucher=None if kind is None else kind.voucher.id,
        applied=is_used(each),
        reason=each.code,
        wanted=wanted,
        given=given,
        taken=taken,
        limited_by=each.by,
        text=texts(sentence),
    )


def discounts_of(facts: tuple[AnyFact, ...], compiled: Compiled) -> tuple[dict[str, Any], ...]:
    """Discounts among what was granted other than points; negative where a return brought them back."""
    places = compiled.declared.places
    found: list[dict[str, Any]] = []
    for fact in facts:
        if type(fact) not in _TELLING:
            continue
        priced = fact.priced if isinstance(fact, QuoteReserved) else fact
        if isinstance(priced, Priced):
            for each in priced.offers:
                if not each.lines:
                    continue
                amount = sum([line.amount for line in each.lines])
                if amount:
                    found.append(_discount(each.promotion, each.voucher is not None, format_minor(amount, places)))
        elif isinstance(priced, DiscountsBack):
            # No id of a promotion is spelled as codes are.
            found += [
                _discount(code, canonical(code) == code, format_minor(-amount, places))
                for code, amount in priced.discounts.items()
            ]
    return tuple(found)


def _discount(code: str, is_voucher: bool, amount: str) -> dict[str, Any]:
    return {"kind": "discount", "voucher" if is_voucher else "promotion": grouped(code), "amount": amount}
