"""Campaigns and groups in the document: on what, when, under which condition, granting what, within which limits."""

from __future__ import annotations

from typing import Final, Literal

from laurels.core.calendar import Instant, Period
from laurels.core.program.document import Node, Scalar
from laurels.core.program.finding import nearest, shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import Choice, Form, FormOf, ListOf, Said, Variant, Word, said_or
from laurels.core.program.grants import GRANT, MultiplyForm, resolve_gifts, resolve_grants
from laurels.core.program.model import (
    Brackets,
    Budget,
    Campaign,
    Cooldown,
    During,
    Fixed,
    Grant,
    Limit,
    MemberLimit,
    Multiply,
    Slot,
)
from laurels.core.program.values import (
    ACTIVITY_TYPE,
    CLOCK,
    CONDITION,
    DOTTED,
    ID,
    MOMENT,
    SPAN,
    TEXTS,
    WEEKDAYS,
    Moment,
    whole,
)
from laurels.core.program.within import WITHIN, resolve_keeps, resolve_reaches, resolve_within
from laurels.core.rule.check import Rule, RuleFinding, check
from laurels.core.rule.environment import Scope

_DAY_SECONDS: Final = 86_400
_TRIGGERS_TRIED: Final = 20

_OVER: Final[Choice[Literal["trim", "refuse"]]] = Choice("trim", "refuse")
_PER_MEMBER: Final = Choice("member")
_EVERY: Final[Choice[Period | Literal["lifetime", "campaign"]]] = Choice(*Period, "lifetime", "campaign")


class SlotForm(Form):
    """A weekly slot: hours of some days of the week."""

    days = Word(ListOf(WEEKDAYS, or_one=True, least=1, most=7), "mon to sun; all days by default")
    from_ = Word(CLOCK, 'when it begins on these days, such as "14:00"', named="from")
    until = Word(CLOCK, 'when it ends on the same day, such as "17:00"; "24:00" is midnight')


class DuringForm(Form):
    """A time: when a campaign runs."""

    from_ = Word(MOMENT, "the first day, in the program's zone, or the first instant", named="from")
    until = Word(MOMENT, "the last day, which is included, or the first instant after it")
    weekly = Word(ListOf(FormOf(SlotForm), or_one=True, least=1, most=50), "the hours of the week; always by default")


class MemberLimitForm(Form):
    """A limit for each member: the most one gets from the campaign in a period."""

    per = Word(_PER_MEMBER, "for each member")
    every = Word(_EVERY, "the period; campaign is the whole time in which it runs", required=True)
    points = Word(whole(1), "the most points")
    times = Word(whole(1), "how often at most")
    over = Word(_OVER, "what happens to a grant that goes over it: trim gives what is left, refuse gives nothing")


class BudgetForm(Form):
    """A budget: the most all members together get from the campaign."""

    budget = Word[Literal["points", "times"]](Choice("points", "times"), "what is counted", required=True)
    of = Word(whole(1), "how many", required=True)
    over = Word(_OVER, "what happens to a grant that goes over it: trim gives what is left, refuse gives nothing")


class CooldownForm(Form):
    """A cooldown: after a grant, a member gets nothing more from the campaign for a while."""

    per = Word(_PER_MEMBER, "for each member")
    cooldown = Word(SPAN, "for how long", required=True)


LimitForm = BudgetForm | CooldownForm | MemberLimitForm

LIMIT: Final = Variant[LimitForm]("a limit", {"budget": BudgetForm, "cooldown": CooldownForm, "every": MemberLimitForm})


class CampaignForm(Form):
    """A campaign: a rule that grants something when an activity comes in."""

    name = Word(TEXTS, "what it is called, by language")
    on = Word(ACTIVITY_TYPE, "the type of activity, such as purchase", required=True)
    during = Word(FormOf(DuringForm), "when it runs; always by default")
    within = Word(WITHIN, "a time of the member's own: so long after they enrolled, or around their birthday")
    reaches = Word(DOTTED, "the tier, as track.tier, to which or past which the activity raises the member")
    keeps = Word(DOTTED, "with on: tier_kept, the tier, as track.tier, that the member keeps; any by default")
    when = Word(CONDITION, "the condition (CEL) under which it applies")
    lines = Word(CONDITION, "the condition (CEL) that selects lines of a purchase; all lines by default")
    grant = Word(ListOf(GRANT, or_one=True, least=1, most=20), "what it grants, or a list of that", required=True)
    limits = Word(ListOf(LIMIT, least=1, most=20), "the most it grants")
    priority = Word(whole(-1_000_000, 1_000_000), "which comes first where a group has to choose: the higher one")
    was = Word(ID, "the id it had in the version before")


def resolve_campaign(campaign: str, form: CampaignForm, frame: Frame) -> Campaign:
    """The campaign that a form describes, its conditions checked; what it multiplies is checked when all are known.

    One on an activity type that does not exist is judged as if it were on the type that was most likely meant, so that
    mending that word brings no further findings to light.
    """
    said = form.on.value
    is_known = frame.has_trigger(said, form.on.node)
    on = said if said is None or is_known else nearest(said, frame.triggers)
    if on is None:
        frame.unsure.add(campaign)
    if form.lines.is_said and is_known and on is not None and on != "purchase":
        hint = "say on: purchase, or put the condition under when"
        frame.notes.error("needs_purchase", form.lines.node, f"{shown(on)} has no lines", hint)
    has_lines = on in ("purchase", None)
    return Campaign(
        id=campaign,
        name=frame.texts(form.name, campaign),
        on=on or said or "purchase",
        grants=resolve_grants(said_or(form.grant, ()), on, frame),
        gifts=resolve_gifts(said_or(form.grant, ()), frame),
        during=resolve_during(form.during.value, frame),
        when=_rule(form.when, form, on, "condition", frame),
        lines=_rule(form.lines, form, on, "lines", frame) if has_lines else None,
        limits=resolve_limits(said_or(form.limits, ()), frame),
        priority=said_or(form.priority, 0),
        was=form.was.value,
        within=resolve_within(form.within, frame),
        reaches=resolve_reaches(form.reaches, frame),
        keeps=resolve_keeps(form.keeps, on, frame),
    )


def _rule(said: Said[str], form: CampaignForm, on: str | None, scope: Scope, frame: Frame) -> Rule | None:
    """The checked condition of a campaign; where nobody knows on what that is, what is wrong with it in any case."""
    if on is not None:
        return resolve_rule(said, on, scope, frame)
    if form.lines.is_said:
        return resolve_rule(said, "purchase", scope, frame)
    if said.value is None or not isinstance(said.node, Scalar):
        return None
    found: dict[tuple[str, int, int], RuleFinding] = {}
    for n, trigger in enumerate(frame.triggers[:_TRIGGERS_TRIED]):
        rule = check(said.value, frame.environment(trigger), scope=scope)
        here = {} if isinstance(rule, Rule) else {(each.code, each.line, each.column): each for each in rule}
        # The fields of an activity type that is declared nowhere are not known to be wrong.
        here = {key: each for key, each in here.items() if not (each.hint or "").startswith("activity has ")}
        found = here if n == 0 else {key: each for key, each in found.items() if key in here}
    _note_rule(tuple(found.values()), said.value, said.node, frame)
    return None


def resolve_rule(said: Said[str], on: str, scope: Scope, frame: Frame) -> Rule | None:
    """The checked condition, or its findings at their lines and columns of the document."""
    if said.value is None or not isinstance(said.node, Scalar):
        return None
    rule = check(said.value, frame.environment(on), scope=scope)
    if isinstance(rule, Rule):
        if not rule.reads:
            message = "this condition reads nothing, so that it is always true or always false"
            frame.notes.warning("idle_condition", said.node, message, "leave it out, or name what it depends on")
        return rule
    _note_rule(rule, said.value, said.node, frame)
    return None


def _note_rule(findings: tuple[RuleFinding, ...], text: str, node: Scalar, frame: Frame) -> None:
    for finding in findings:
        lines = text.split("\n")
        offset = sum(len(each) + 1 for each in lines[: finding.line - 1]) + finding.column - 1
        at = Node(node.path, *node.place_of(offset))
        frame.notes.error(finding.code, at, finding.message, finding.hint or "")


def resolve_during(form: DuringForm | None, frame: Frame, what: str = "campaign") -> During:
    """The time that a form describes, of a campaign or of something else that runs for a time."""
    if form is None:
        return During()
    start = _start(form.from_.value, frame)
    end = end_of(form.until.value, frame)
    if start is not None and end is not None and start >= end:
        hint = "from comes before until; a day given as until is included"
        frame.notes.error("empty_window", form.until.node, "this ends before it begins", hint)
    elif end is not None and frame.at is not None and end <= frame.at:
        message, hint = f"this {what} has already ended", "leave it out, or give it another end"
        frame.notes.warning("past_window", form.until.node, message, hint)
    slots = (_slot(each.value, frame) for each in said_or(form.weekly, ()) if each.value is not None)
    return During(start, end, tuple(slots))


def _start(moment: Moment | None, frame: Frame) -> Instant | None:
    if moment is None or moment.date is None or frame.zone is None:
        return moment.instant if moment else None
    return frame.zone.instant_at(moment.date)


def end_of(moment: Moment | None, frame: Frame) -> Instant | None:
    """The first instant after a moment: a day given as the last one is included."""
    if moment is None or moment.date is None or frame.zone is None:
        return moment.instant if moment else None
    return frame.zone.instant_at(moment.date + 1)


def _slot(form: SlotForm, frame: Frame) -> Slot:
    start, end = said_or(form.from_, 0), said_or(form.until, _DAY_SECONDS)
    if form.from_.value is not None and form.until.value is not None and start >= end:
        if start > end:
            message, hint = (
                "this slot goes over midnight",
                'write two: one until "24:00" and one from "00:00" on the next day',
            )
        else:
            message, hint = "this slot is empty", "from comes before until"
        frame.notes.error("bad_slot", form.until.node, message, hint)
    days = said_or(form.days, ()) if form.days.is_said else ()
    names = frozenset(day.value for day in days if day.value is not None)
    return Slot(names or frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun")), start, end)


def resolve_limits(said: tuple[Said[LimitForm], ...], frame: Frame) -> tuple[Limit, ...]:
    """The limits that a list of forms describes, at most one of each sort."""
    limits: list[Limit] = []
    keys: set[str] = set()
    for each in said:
        if each.value is None:
            continue
        limit = _limit(each.value, frame)
        if limit is None:
            continue
        key = limit.key if isinstance(limit, MemberLimit) else "cooldown" if isinstance(limit, Cooldown) else limit.unit
        if key in keys:
            frame.notes.error(
                "duplicate_limit", each.node, "there is already a limit of this sort", "keep the tighter one"
            )
        keys.add(key)
        limits.append(limit)
    return tuple(limits)


def _limit(form: LimitForm, frame: Frame) -> Limit | None:
    match form:
        case BudgetForm():
            return Budget(said_or(form.budget, "points"), said_or(form.of, 1), said_or(form.over, "trim"))
        case CooldownForm():
            return None if form.cooldown.value is None else Cooldown(form.cooldown.value)
        case MemberLimitForm():
            if form.points.is_said == form.times.is_said:
                message = "a limit says either points or times"
                frame.notes.error("contradiction", form.node, message, "for both, write two limits")
            if form.every.value is None:
                return None
            unit: Literal["points", "times"] = "times" if form.times.is_said else "points"
            most = said_or(form.times if form.times.is_said else form.points, 1)
            return MemberLimit(form.every.value, unit, most, said_or(form.over, "trim"))


def note_multiplied_campaigns(forms: dict[str, CampaignForm], frame: Frame) -> None:
    """Findings where a campaign multiplies what is not there: another trigger or wallet, no rate, or in a circle."""
    for campaign, form in forms.items():
        for grant in said_or(form.grant, ()):
            if isinstance(grant.value, MultiplyForm):
                _note_multiplied_campaign(campaign, grant.value, frame)


def _note_multiplied_campaign(campaign: str, grant: MultiplyForm, frame: Frame) -> None:
    at = grant.multiply.node
    if not frame.has("campaign", grant.multiply.value, frame.campaigns, at):
        return
    by, base = frame.campaigns[campaign], frame.campaigns[said_or(grant.multiply, "")]
    if campaign in _multiplied_from(base, frame):
        message = f"{shown(campaign)} multiplies itself by way of {shown(base.id)}"
        frame.notes.error("circle", at, message, "multiply a campaign that grants by rate")
    elif by.on != base.on and not frame.unsure & {by.id, base.id}:
        message = f"{shown(base.id)} is on {base.on}, not on {by.on}"
        frame.notes.error("other_trigger", at, message, f"multiply a campaign that is on {by.on}")
    elif not any(_is_rate(each, grant.wallet.value) for each in base.grants):
        message = f"{shown(base.id)} grants nothing by rate into {shown(grant.wallet.value or '')}"
        hint = "points by amount, quantity, field or bracket can be multiplied; fixed points and multiples cannot"
        frame.notes.error("nothing_to_multiply", at, message, hint)


def _multiplied_from(campaign: Campaign, frame: Frame) -> set[str]:
    """The campaign and all that it multiplies, directly or by way of others."""
    seen: set[str] = set()
    ahead = [campaign.id]
    while ahead:
        current = frame.campaigns.get(ahead.pop())
        if current is not None and current.id not in seen:
            seen.add(current.id)
            ahead.extend(grant.campaign for grant in current.grants if isinstance(grant, Multiply))
    return seen


def _is_rate(grant: Grant, wallet: str | None) -> bool:
    if isinstance(grant, Brackets):
        return grant.wallet == wallet and all(bracket.fixed is None for bracket in grant.brackets)
    return grant.wallet == wallet and not isinstance(grant, Fixed | Multiply)
