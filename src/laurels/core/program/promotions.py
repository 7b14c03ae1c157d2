"""Promotions in the document: an offer, when and where it is made, under which condition, within which limits.

Those that take money off apply in the order in which they are written. Those that give points are campaigns on
purchases in another form, so that limits, groups, explanations and returns say of them what they say of campaigns.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from laurels.core.calendar import Period
from laurels.core.program.campaigns import CooldownForm, DuringForm, resolve_during, resolve_rule
from laurels.core.program.document import Node, Scalar
from laurels.core.program.finding import shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import Choice, Form, FormOf, ListOf, Said, Variant, Word, said_or
from laurels.core.program.model import Budget, Cooldown, Limit, MemberLimit, Promotion
from laurels.core.program.offers import OfferForm, resolve_offer
from laurels.core.program.offers_model import Multiplier, Points
from laurels.core.program.values import CONDITION, ID, POSITIVE, TEXT, TEXTS, whole

_PLACES_MOST: Final = 1000

Unit = Literal["money", "points", "times"]


class PromotionMemberLimitForm(Form):
    """A limit for each member: the most one gets from the promotion in a period."""

    per = Word(Choice("member"), "for each member")
    every = Word[Period | Literal["lifetime", "campaign"]](
        Choice(*Period, "lifetime", "campaign"),
        "the period; campaign is the whole time in which it runs",
        required=True,
    )
    money = Word(POSITIVE, "the most money off")
    points = Word(whole(1), "the most points, of one that gives points")
    times = Word(whole(1), "how often at most")
    over = Word[Literal["trim", "refuse"]](
        Choice("trim", "refuse"), "what happens over it: trim gives what is left, refuse gives nothing"
    )


class PromotionBudgetForm(Form):
    """A budget: the most all members together get from the promotion."""

    budget = Word[Unit](Choice("money", "points", "times"), "what is counted", required=True)
    of = Word(POSITIVE, "how much, or how many", required=True)
    over = Word[Literal["trim", "refuse"]](
        Choice("trim", "refuse"), "what happens over it: trim gives what is left, refuse gives nothing"
    )


PromotionLimitForm = PromotionBudgetForm | CooldownForm | PromotionMemberLimitForm

_LIMIT: Final = Variant[PromotionLimitForm](
    "a limit", {"budget": PromotionBudgetForm, "cooldown": CooldownForm, "every": PromotionMemberLimitForm}
)


class PromotionForm(OfferForm):
    """A promotion: an offer that is made to members at the till."""

    name = Word(TEXTS, "what it is called, by language")
    during = Word(FormOf(DuringForm), "when it runs; always by default")
    when = Word(CONDITION, "the condition (CEL) under which it applies")
    stores = Word(ListOf(TEXT, or_one=True, least=1, most=_PLACES_MOST), "the stores in which it runs; all by default")
    channels = Word(
        ListOf(TEXT, or_one=True, least=1, most=_PLACES_MOST), "the channels in which it runs; all by default"
    )
    limits = Word(ListOf(_LIMIT, least=1, most=20), "the most it gives")
    priority = Word(whole(-1_000_000, 1_000_000), "which comes first where a group has to choose: the higher one")
    was = Word(ID, "the id it had in the version before")


def resolve_promotion(promotion: str, form: PromotionForm, key: Scalar, frame: Frame) -> None:
    """Puts the promotion that a form describes into the frame, if it says what it gives."""
    if promotion in frame.campaigns:
        message = f"there is a campaign {shown(promotion)}, too"
        frame.notes.error("duplicate_id", key, message, "promotions and campaigns need different ids")
    offer = resolve_offer(form, frame)
    during = resolve_during(form.during.value, frame, "promotion")
    when = resolve_rule(form.when, "purchase", "condition", frame)
    if offer is None:
        return
    if isinstance(offer.gives, Points) and offer.gives.new == "product" and not form.lines.is_said:
        hint = "say lines, such as the products of the trial: only what they select is remembered"
        frame.notes.error("missing_word", form.gives.node, "points for a new product need lines", hint)
    gives: Unit = "points" if isinstance(offer.gives, Multiplier | Points) else "money"
    frame.promotions[promotion] = Promotion(
        id=promotion,
        name=frame.texts(form.name, promotion),
        offer=offer,
        during=during,
        when=when,
        stores=_texts(form.stores),
        channels=_texts(form.channels),
        limits=_limits(said_or(form.limits, ()), gives, frame),
        priority=said_or(form.priority, 0),
        was=form.was.value,
    )


def _texts(said: Said[tuple[Said[str], ...]]) -> tuple[str, ...]:
    return tuple(each.value for each in said_or(said, ()) if each.value is not None)


def _limits(said: tuple[Said[PromotionLimitForm], ...], gives: Unit, frame: Frame) -> tuple[Limit, ...]:
    limits: list[Limit] = []
    keys: set[str] = set()
    for each in said:
        limit = None if each.value is None else _limit(each.value, gives, frame)
        if limit is None:
            continue
        key = limit.key if isinstance(limit, MemberLimit) else "cooldown" if isinstance(limit, Cooldown) else limit.unit
        if key in keys:
            message, hint = "there is already a limit of this sort", "keep the tighter one"
            frame.notes.error("duplicate_limit", each.node, message, hint)
        keys.add(key)
        limits.append(limit)
    return tuple(limits)


def _limit(form: PromotionLimitForm, gives: Unit, frame: Frame) -> Limit | None:
    match form:
        case CooldownForm():
            return None if form.cooldown.value is None else Cooldown(form.cooldown.value)
        case PromotionBudgetForm():
            unit = said_or(form.budget, gives)
            _note_other(unit, gives, form.budget.node, frame)
            return Budget(unit, _most(form.of, unit, frame), said_or(form.over, "trim"))
        case PromotionMemberLimitForm():
            named: dict[Unit, Said[Decimal] | Said[int]] = {
                "money": form.money, "points": form.points, "times": form.times
            }  # fmt: skip
            units = [unit for unit, said in named.items() if said.is_said]
            if len(units) != 1:
                message = "a limit says one of money, points and times"
                frame.notes.error("contradiction", form.node, message, "for several, write several limits")
            if form.every.value is None or not units:
                return None
            _note_other(units[0], gives, named[units[0]].node, frame)
            most = _most(named[units[0]], units[0], frame)
            return MemberLimit(form.every.value, units[0], most, said_or(form.over, "trim"))


def _note_other(unit: Unit, gives: Unit, at: Node, frame: Frame) -> None:
    if unit not in (gives, "times"):
        message = f"a promotion that gives {gives} has no limit in {unit}"
        frame.notes.error("contradiction", at, message, f"write {gives} or times")


def _most(said: Said[Decimal] | Said[int], unit: Unit, frame: Frame) -> int:
    value = said.value
    if value is None:
        return 1
    if unit == "money":
        return frame.money(Decimal(value), said.node)
    if int(value) != value:
        frame.notes.error("bad_number", said.node, f"{value} is not a whole number", f"{unit} are whole")
    return int(value)
