"""Offers in the document: what promotions and vouchers take off a cart, or give on top of its points.

A promotion and a voucher have the words of `OfferForm` beside their own. Whatever is given is one form, told apart by
a word that only it has. Money is off the goods of a cart: shipping, fees and gift cards are no goods, and are reached
by `shipping`, or where `lines` selects their kind.
"""

from __future__ import annotations

from typing import Final, Literal

from laurels.core.money import Rate, Rounding
from laurels.core.program.campaigns import resolve_rule
from laurels.core.program.finding import shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import Choice, Form, FormOf, ListOf, Said, Variant, Word, said_or
from laurels.core.program.offers_model import (
    AmountOff,
    Bundle,
    BundlePart,
    BuyGet,
    Floor,
    FreeItem,
    Gives,
    Multiplier,
    Nth,
    Offer,
    PercentOff,
    Points,
    Price,
    Shipping,
    Step,
    Steps,
)
from laurels.core.program.values import AMOUNT, CONDITION, FACTOR_MOST, NAME, POSITIVE, SHARE, TRUTH, number, whole

_PIECES_MOST: Final = 1000
_ALL: Final = Rate(1, 1)
_PIECES: Final = whole(1, _PIECES_MOST)


class AmountOffForm(Form):
    """An amount off: so much less for the selected lines together."""

    off = Word(POSITIVE, "how much less, in the program's currency", required=True)


class PercentOffForm(Form):
    """A percentage off: a part of the price of the selected lines."""

    percent = Word(SHARE, "how much less, as in 20%", required=True)
    most = Word(POSITIVE, "how much less at most, for all lines together")


class StepForm(Form):
    """A step: how much less from an amount on."""

    spend = Word(POSITIVE, "what the selected lines come to at least", required=True)
    off = Word(POSITIVE, "how much less then")
    percent = Word(SHARE, "or which part less")


class StepsForm(Form):
    """A threshold discount: so much less for those who spend so much."""

    steps = Word(ListOf(FormOf(StepForm), or_one=True, least=1, most=20), "the steps, the lowest first", required=True)
    repeat = Word(TRUTH, "whether the only step is given for every such amount; false by default")


class BuyGetForm(Form):
    """A gift for buying: who buys so many pieces gets further ones for less, or for nothing."""

    buy = Word(_PIECES, "how many pieces are bought at their price", required=True)
    get = Word(_PIECES, "how many further ones are got for that, the cheapest; 1 by default")
    percent = Word(SHARE, "how much less they cost; 100%, for nothing, by default")
    gets = Word(CONDITION, "the condition (CEL) that selects the lines got; by default those that count as bought")


class BundlePartForm(Form):
    """A part of a bundle: so many pieces of the selected lines."""

    lines = Word(CONDITION, "the condition (CEL) that selects lines", required=True)
    quantity = Word(_PIECES, "how many pieces of them; 1 by default")


class BundleForm(Form):
    """A bundle: several things together for one price."""

    bundle = Word(ListOf(FormOf(BundlePartForm), least=1, most=10), "what is in it", required=True)
    price = Word(AMOUNT, "what all of it costs together", required=True)


class NthForm(Form):
    """An n-th piece: every so many pieces one for less, counting from the dearest on."""

    nth = Word(whole(2, _PIECES_MOST), "2 makes every second piece cheaper", required=True)
    percent = Word(SHARE, "how much less it costs")
    off = Word(POSITIVE, "or by which amount")


class PriceForm(Form):
    """A price: what each piece of the selected lines costs, where that is less than its own price."""

    price = Word(AMOUNT, "the price of a piece", required=True)


class FreeItemForm(Form):
    """A free item: pieces for nothing."""

    free = Word(CONDITION, "the condition (CEL) that selects the lines that may be free", required=True)
    quantity = Word(_PIECES, "how many pieces are free, the dearest of them; 1 by default")


class ShippingForm(Form):
    """Free shipping: a part less of what lines of kind shipping cost."""

    shipping = Word(SHARE, "how much less shipping costs; 100% is free shipping", required=True)


class MultiplierForm(Form):
    """A multiplier of points: a further part of what rate campaigns grant on the selected lines."""

    multiply = Word(NAME, "the wallet whose points are multiplied", required=True)
    by = Word(number(1, FACTOR_MOST), "the multiplier: 2 gives as much again", required=True)


class PointsOfferForm(Form):
    """Points on top: a number of points for the purchase."""

    wallet = Word(NAME, "the wallet they go into", required=True)
    points = Word(whole(1), "how many points", required=True)
    new = Word[Literal["product", "category"]](
        Choice("product", "category"),
        "product: only with a product that the member never bought; category: only with a category that the member "
        "never bought, having bought in another one",
    )


GivesForm = (
    StepsForm
    | BuyGetForm
    | BundleForm
    | NthForm
    | FreeItemForm
    | ShippingForm
    | MultiplierForm
    | PointsOfferForm
    | PriceForm
    | AmountOffForm
    | PercentOffForm
)

GIVES: Final = Variant[GivesForm](
    "an offer",
    {
        "steps": StepsForm,
        "buy": BuyGetForm,
        "bundle": BundleForm,
        "nth": NthForm,
        "free": FreeItemForm,
        "shipping": ShippingForm,
        "multiply": MultiplierForm,
        "points": PointsOfferForm,
        "price": PriceForm,
        "off": AmountOffForm,
        "percent": PercentOffForm,
    },
)


class FloorForm(Form):
    """A floor: below what the price of no line may fall."""

    share = Word(SHARE, "a part of the line's price before all discounts")
    cost = Word(NAME, "the declared field of lines, of type money, that holds what the line cost")


class OfferForm(Form):
    """An offer: what is given, on which lines, and within which bounds."""

    gives = Word(GIVES, "what is given", required=True)
    lines = Word(CONDITION, "the condition (CEL) that selects lines of a purchase; all goods by default")
    floor = Word(FormOf(FloorForm), "below what the price of no line may fall; nothing by default")
    round = Word(Choice(*Rounding), "how a discount is rounded to the currency, once; down by default")


def resolve_offer(form: OfferForm, frame: Frame) -> Offer | None:
    """What the words of an offer come to; None where it does not say what is given, which is a finding already."""
    gives = form.gives.value
    if gives is None:
        return None
    if form.lines.is_said and isinstance(gives, ShippingForm | FreeItemForm | BundleForm):
        message = f"{gives.noun()} selects its lines itself"
        frame.notes.error("contradiction", form.lines.node, message, "leave lines out here")
    if isinstance(gives, MultiplierForm | PointsOfferForm):
        for said in (form.floor, form.round):
            if said.is_said:
                message = "points have no price that could fall, and are whole"
                frame.notes.warning("idle_word", said.node, message, "leave it out")
    resolved = _gives(gives, frame)
    lines = resolve_rule(form.lines, "purchase", "lines", frame)
    floor = Floor() if form.floor.value is None else _floor(form.floor.value, frame)
    return None if resolved is None else Offer(resolved, lines, floor, said_or(form.round, Rounding.DOWN))


def _gives(form: GivesForm, frame: Frame) -> Gives | None:
    match form:
        case StepsForm():
            return _steps(form, frame)
        case BuyGetForm():
            percent = _percent(form.percent, frame) if form.percent.is_said else _ALL
            gets = resolve_rule(form.gets, "purchase", "lines", frame)
            return BuyGet(said_or(form.buy, 1), said_or(form.get, 1), percent, gets)
        case BundleForm():
            parts = [each.value for each in said_or(form.bundle, ()) if each.value is not None]
            resolved = [(resolve_rule(part.lines, "purchase", "lines", frame), part.quantity) for part in parts]
            bundled = [BundlePart(rule, said_or(quantity, 1)) for rule, quantity in resolved if rule is not None]
            return Bundle(tuple(bundled), frame.money(form.price.value, form.price.node)) if bundled else None
        case NthForm():
            return _nth(form, frame)
        case FreeItemForm():
            rule = resolve_rule(form.free, "purchase", "lines", frame)
            return None if rule is None else FreeItem(rule, said_or(form.quantity, 1))
        case ShippingForm():
            return Shipping(_percent(form.shipping, frame))
        case MultiplierForm():
            frame.has_wallet(form.multiply.value, form.multiply.node)
            if form.by.value == 1:
                frame.notes.warning("idle_grant", form.by.node, "once the points grants nothing more", "write 2 or so")
            return Multiplier(said_or(form.multiply, ""), frame.rate(form.by.value))
        case PointsOfferForm():
            frame.has_wallet(form.wallet.value, form.wallet.node)
            return Points(said_or(form.wallet, ""), said_or(form.points, 1), form.new.value)
        case PriceForm():
            return Price(frame.money(form.price.value, form.price.node))
        case AmountOffForm():
            return AmountOff(frame.money(form.off.value, form.off.node))
        case PercentOffForm():
            most = frame.money(form.most.value, form.most.node) if form.most.value is not None else None
            return PercentOff(_percent(form.percent, frame), most)


def _percent(said: Said[Rate], frame: Frame) -> Rate:
    if said.value is not None and said.value.numerator == 0:
        frame.notes.warning("idle_grant", said.node, "0% off takes nothing off", "leave the offer out")
    return said_or(said, _ALL)


def _steps(form: StepsForm, frame: Frame) -> Steps | None:
    steps: list[Step] = []
    for each in said_or(form.steps, ()):
        step = each.value
        if step is None:
            continue
        spend = frame.money(step.spend.value, step.spend.node)
        if steps and spend <= steps[-1].spend:
            frame.notes.error("not_rising", step.spend.node, "steps rise from one to the next", "put the lowest first")
        if step.off.is_said == step.percent.is_said:
            frame.notes.error("contradiction", step.node, "a step says either off or percent", "keep one of them")
            continue
        if step.off.is_said:
            off = frame.money(step.off.value, step.off.node)
            if step.off.value is not None and step.spend.value is not None and off > spend:
                message = f"{step.off.value} off is more than the {step.spend.value} spent"
                frame.notes.error("contradiction", step.off.node, message, "take off at most what is spent")
            steps.append(Step(spend, off))
        else:
            steps.append(Step(spend, None, _percent(step.percent, frame)))
    repeat = said_or(form.repeat, False)
    if repeat and (len(steps) != 1 or steps[0].off is None):
        hint = "write one step with off, or leave repeat out"
        frame.notes.error("contradiction", form.repeat.node, "only a single step with an amount is repeated", hint)
    return Steps(tuple(steps), repeat) if steps else None


def _nth(form: NthForm, frame: Frame) -> Nth | None:
    if form.percent.is_said == form.off.is_said:
        frame.notes.error("contradiction", form.node, "an n-th piece says either percent or off", "keep one of them")
        return None
    if form.off.is_said:
        return Nth(said_or(form.nth, 2), None, frame.money(form.off.value, form.off.node))
    return Nth(said_or(form.nth, 2), _percent(form.percent, frame))


def _floor(form: FloorForm, frame: Frame) -> Floor:
    cost = form.cost.value
    fields = {field.name: field.type for field in frame.fields.get("line", ())}
    if frame.has("field", cost, fields, form.cost.node) and cost is not None and fields[cost] != "money":
        message = f"{shown(cost)} is a {fields[cost]}, which is no amount of money"
        frame.notes.error("unknown_field", form.cost.node, message, "name a field of lines of type money")
    return Floor(said_or(form.share, Rate(0, 1)), cost)
