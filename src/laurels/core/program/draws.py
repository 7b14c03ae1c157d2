"""Draws in the document: times, prizes with quantity or odds, who is left out, and the rules that are published."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final, Literal

from laurels.core.calendar import Instant
from laurels.core.money import Rate, floor_div
from laurels.core.program.campaigns import resolve_rule
from laurels.core.program.document import Node
from laurels.core.program.draws_model import RULES, Amendment, Draw, Prize
from laurels.core.program.finding import shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import (
    Choice,
    Either,
    Entries,
    Form,
    FormOf,
    ListOf,
    MapOf,
    OrWord,
    Said,
    Variant,
    Word,
    Written,
    said_or,
)
from laurels.core.program.grants import giveable
from laurels.core.program.jurisdiction import check_cn
from laurels.core.program.values import (
    AMOUNT,
    CONDITION,
    ID,
    LANGUAGE,
    MOMENT,
    NAME,
    SPAN,
    TEXTS,
    Moment,
    long_text,
    whole,
)
from laurels.core.rule.check import Rule

ALTERNATES_MOST: Final = 1000
WINNERS_MOST: Final = 100_000
DAYS_MOST: Final = 400
_ODDS_FINEST: Final = 10**18
_ODDS_PATTERN: Final = r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})|([0-9]{1,2}(?:\.[0-9]{1,6})?)%"
_DAY: Final = 86_400_000_000


def _odds(text: str) -> Rate:
    match = re.fullmatch(_ODDS_PATTERN, text)
    if match is None:
        raise ValueError(f"{shown(text)} are no odds")
    rate = Rate.per(Decimal(match[3]), 100, 0) if match[3] else Rate.per(int(match[1]), int(match[2]), 0)
    if not 0 < rate.numerator <= rate.denominator:
        raise ValueError(f"{shown(text)} is not between never and always")
    return rate


ODDS: Final = Written(
    "odds",
    _odds,
    {"type": "string", "pattern": f"^({_ODDS_PATTERN})$"},
    code="bad_odds",
    hint="write a fraction such as 1/50, or a percentage such as 2%",
)
_LONG: Final = long_text()
_LONG_TEXTS: Final = Either(_LONG, MapOf(LANGUAGE, _LONG, most=50))


class PrizePointsForm(Form):
    """Points that a prize gives at once."""

    wallet = Word(NAME, "the wallet they go into", required=True)
    points = Word(whole(1), "how many points", required=True)


class PrizeVoucherForm(Form):
    """A voucher that a prize gives at once, with a code of its own."""

    voucher = Word(NAME, "the kind of voucher", required=True)


_GIVES: Final = Variant[PrizePointsForm | PrizeVoucherForm](
    "what a prize gives", {"wallet": PrizePointsForm, "voucher": PrizeVoucherForm}
)


class PrizeForm(Form):
    """A prize: what can be won."""

    name = Word(TEXTS, "what it is called, by language")
    value = Word(AMOUNT, "what one of it is worth, in the program's currency")
    quantity = Word(whole(1, WINNERS_MOST), "how many of it there are; in an instant draw without end by default")
    odds = Word(ODDS, "instant: how likely a ticket draws it, as 1/50 or 2%")
    gives = Word(_GIVES, "points or a voucher, given at once; without it the prize is claimed")


class RulesForm(Form):
    """The rules of a draw: what is published before anybody enters."""

    time = Word(_LONG_TEXTS, "when one can enter and when it is drawn, by language")
    method = Word(_LONG_TEXTS, "how tickets are had and how winners are found, by language")
    claim = Word(_LONG_TEXTS, "how and until when a prize is claimed, by language")
    forfeiture = Word(_LONG_TEXTS, "what becomes of a prize that nobody claims, by language")


class AmendmentForm(Form):
    """A change to a draw that was published: since when, and why."""

    at = Word(MOMENT, "when it was decided", required=True)
    reason = Word(TEXTS, "why, by language; it is published with the draw", required=True)


class DrawForm(Form):
    """A draw: chance decides who of those with tickets gets a prize."""

    name = Word(TEXTS, "what it is called, by language")
    kind = Word[Literal["scheduled", "instant"]](
        Choice("scheduled", "instant"),
        "scheduled: it closes, then it is drawn; instant: each ticket is played by itself",
    )
    opens = Word(
        MOMENT, "the first day, in the program's zone, or the first instant at which tickets count", required=True
    )
    closes = Word(MOMENT, "the last day, which is included, or the first instant after it", required=True)
    draws_at = Word(MOMENT, "scheduled: the instant, or the beginning of the day, at which it is drawn")
    prizes = Word(MapOf(ID, FormOf(PrizeForm), most=100), "what can be won, the first prize first", required=True)
    fallback = Word(FormOf(PrizeForm), "instant: what a prize that has run out becomes; nothing by default")
    wins = Word(
        OrWord("unlimited", whole(1, 1000)), "how many prizes a member can win; 1, in an instant draw unlimited"
    )
    alternates = Word(whole(0, ALTERNATES_MOST), "scheduled: how many are drawn besides, for prizes that are forfeited")
    exclude = Word(CONDITION, "the condition (CEL) on the member under which somebody has no part in it")
    claim = Word(SPAN, "how long a prize can be claimed before it is forfeited; for ever by default")
    rules = Word(FormOf(RulesForm), "what is published before anybody enters")
    changes = Word(
        ListOf(FormOf(AmendmentForm), least=1, most=50), "changes since it was published, with their reasons"
    )


def resolve_draw(draw: str, form: DrawForm, frame: Frame, jurisdiction: str | None) -> Draw:
    """The draw that a form describes, with findings where its words do not go together or the law forbids it."""
    kind = said_or(form.kind, "scheduled")
    opens_at, closes_at = _start(form.opens, frame), _end(form.closes, frame)
    draws_at = _start(form.draws_at, frame) if form.draws_at.value is not None else None
    if form.opens.value is not None and form.closes.value is not None and opens_at >= closes_at:
        frame.notes.error(
            "empty_window", form.closes.node, "this draw closes before it opens", "opens comes before closes"
        )
    at: dict[str, Node] = {"": form.node}
    for word in ("name", "rules"):
        said = getattr(form, word)
        if said.is_said:
            at[word] = said.node
    prizes = []
    for name, prize, entry in said_or(form.prizes, Entries[str, PrizeForm]()).readable():
        at[f"prizes/{name}"] = entry.node
        prizes.append(_prize(name, prize, kind, frame))
    fallback = None
    if form.fallback.value is not None:
        at["prizes/fallback"] = form.fallback.node
        fallback = _prize("fallback", form.fallback.value, "fallback", frame)
    if kind == "scheduled":
        _check_scheduled(form, draws_at, closes_at, frame)
    else:
        _check_instant(form, prizes, closes_at - opens_at, frame)
    rules = {}
    if form.rules.value is not None:
        for word in RULES:
            said = getattr(form.rules.value, word)
            if said.value is not None:
                at[f"rules/{word}"] = said.node
                rules[word] = frame.texts(said, "")
    amendments: list[Amendment] = []
    for n, each in enumerate(said_or(form.changes, ())):
        if each.value is not None:
            at[f"changes/{len(amendments)}"] = each.node
            amendments.append(Amendment(_start(each.value.at, frame), frame.texts(each.value.reason, f"{n}")))
    wins = said_or(form.wins, 1 if kind == "scheduled" else "unlimited")
    resolved = Draw(
        id=draw,
        name=frame.texts(form.name, draw),
        kind=kind,
        opens_at=opens_at,
        closes_at=closes_at,
        draws_at=draws_at,
        prizes=tuple(prizes),
        fallback=fallback,
        wins_most=wins if isinstance(wins, int) else None,
        alternates=said_or(form.alternates, 0),
        exclude=_exclude(form.exclude, frame),
        claim=form.claim.value,
        rules=rules,
        amendments=tuple(amendments),
    )
    if jurisdiction == "CN":
        check_cn(resolved, at, frame)
    return resolved


def _check_scheduled(form: DrawForm, draws_at: Instant | None, closes_at: Instant, frame: Frame) -> None:
    if form.fallback.is_said:
        message = "a scheduled draw gives each prize once, so that none runs out"
        frame.notes.error("contradiction", form.fallback.node, message, "leave out fallback, or say kind: instant")
    if draws_at is None:
        if not form.draws_at.is_said:
            message = 'a scheduled draw needs "draws_at"'
            frame.notes.error("missing_word", form.node, message, "say when it is drawn, or kind: instant")
    elif form.closes.value is not None and draws_at < closes_at:
        message = "this is drawn before it closes"
        frame.notes.error("draws_early", form.draws_at.node, message, "draws_at comes after closes")


def _check_instant(form: DrawForm, prizes: list[Prize], length: int, frame: Frame) -> None:
    for said, word in ((form.draws_at, "draws_at"), (form.alternates, "alternates")):
        if said.is_said:
            message = f"an instant draw decides when a ticket is played and has no {word}"
            frame.notes.error("contradiction", said.node, message, f"leave out {word}, or say kind: scheduled")
    odds = [prize.odds for prize in prizes if prize.odds is not None]
    whole_odds = math.lcm(*[rate.denominator for rate in odds])
    if whole_odds > _ODDS_FINEST:
        message = "the odds of all prizes together are finer than can be told"
        frame.notes.error("bad_odds", form.prizes.node, message, "use fractions with a common denominator")
    elif sum([rate.numerator * floor_div(whole_odds, rate.denominator) for rate in odds]) > whole_odds:
        frame.notes.error("bad_odds", form.prizes.node, "the odds sum to more than one", "every ticket draws one prize")
    if length > DAYS_MOST * _DAY:
        message = f"an instant draw lasts at most {DAYS_MOST} days, each with its own key"
        frame.notes.error("too_long", form.closes.node, message, "write two draws")


def _prize(prize: str, form: PrizeForm, kind: str, frame: Frame) -> Prize:
    if kind == "instant" and not form.odds.is_said:
        frame.notes.error("missing_word", form.node, 'a prize of an instant draw needs "odds"', "write odds: 1/50")
    if kind != "instant" and form.odds.is_said:
        message = "this prize is not drawn by odds"
        frame.notes.error("contradiction", form.odds.node, message, "leave out odds, or say kind: instant")
    if kind == "scheduled" and not form.quantity.is_said:
        message = 'a prize of a scheduled draw needs "quantity"'
        frame.notes.error("missing_word", form.node, message, "write quantity: 1")
    if kind == "fallback" and form.quantity.is_said:
        message = "the fallback is there for as many as come to it"
        frame.notes.error("contradiction", form.quantity.node, message, "leave out quantity")
    wallet, points, voucher = None, 0, None
    match form.gives.value:
        case PrizePointsForm() as gives:
            frame.has_wallet(gives.wallet.value, gives.wallet.node)
            wallet, points = said_or(gives.wallet, ""), said_or(gives.points, 0)
        case PrizeVoucherForm() as gives:
            voucher = giveable(gives.voucher, frame)
        case _:
            pass
    return Prize(
        prize,
        frame.texts(form.name, prize),
        None if form.value.value is None else frame.money(form.value.value, form.value.node),
        form.quantity.value,
        form.odds.value,
        wallet,
        points,
        voucher,
    )


def _exclude(said: Said[str], frame: Frame) -> Rule | None:
    """The condition, which is asked of members as they are when they enter and when entries close."""
    rule = resolve_rule(said, "draw", "condition", frame)
    other = sorted(path for path in rule.reads if not path.startswith("member.")) if rule is not None else []
    if other:
        message = f"who is excluded depends on the member alone, not on {shown(other[0])}"
        frame.notes.error("member_only", said.node, message, "name fields of member only")
        return None
    return rule


def _start(said: Said[Moment], frame: Frame) -> Instant:
    moment = said.value
    if moment is None:
        return 0
    if moment.date is None or frame.zone is None:
        return moment.instant or 0
    return frame.zone.instant_at(moment.date)


def _end(said: Said[Moment], frame: Frame) -> Instant:
    moment = said.value
    if moment is None or moment.date is None or frame.zone is None:
        return (moment.instant or 0) if moment is not None else 0
    return frame.zone.instant_at(moment.date + 1)
