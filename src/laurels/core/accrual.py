"""Accrual: which campaigns an activity sets off, what each grants, and why the others grant nothing.

Every campaign is judged by itself first (window, condition, lines, cooldown, limits, budget), then groups choose among
those that would grant, then tiers multiply what was granted. Rounding happens once per campaign and order; the points
are then allocated to the lines by largest remainder, so that returns can take back to the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from laurels.core.activity import Activity, Free, Line, Purchase
from laurels.core.calendar import Instant, LocalTime
from laurels.core.case import ActivityView, Case, View, view_of
from laurels.core.compiled import RATE_GRANTS, Compiled, CompiledCampaign, Trigger
from laurels.core.expiry import repay, terms_of
from laurels.core.facts import Accrued, Explained, Grant, Judged, LineShare, Part
from laurels.core.limit import Room, room_of, use
from laurels.core.money import QUANTITY_ONE, Rate, Rounding, allocate, divide, floor_div, half_up_div
from laurels.core.program.model import (
    Base,
    Brackets,
    ByTier,
    During,
    Fixed,
    Group,
    Multiply,
    PerAmount,
    PerField,
    PerQuantity,
)
from laurels.core.program.model import Grant as GrantRule

NO_LINES: Final[tuple[Line, ...]] = ()


class Granted(msgspec.Struct):
    """What one grant of a campaign comes to: points wanted and granted, and the weights that allocate it to lines."""

    grant: int
    wallet: str
    wanted: int
    granted: int
    weights: Sequence[int] | None
    allocated: tuple[int, ...] | None = None

    def shares(self) -> tuple[int, ...] | None:
        """What each line gets of the points granted; None when they are for the order as a whole."""
        if self.allocated is None and self.weights is not None:
            self.allocated = allocate(self.granted, self.weights)
        return self.allocated


class Candidate(msgspec.Struct):
    """A campaign that would grant something."""

    campaign: CompiledCampaign
    grants: list[Granted]
    room: Room

    @property
    def granted(self) -> int:
        """All points that it would grant."""
        total = 0
        for grant in self.grants:
            total += grant.granted
        return total


class Moment(msgspec.Struct):
    """What conditions and grants read: the activity, the member, the purchase, the local time."""

    view: View
    purchase: Purchase | None
    lines: tuple[Line, ...]
    activity: ActivityView
    at: LocalTime
    instant: Instant
    bases: dict[Base, list[int]]


def moment_of(case: Case, compiled: Compiled, trigger: Trigger, activity: Activity, tiers: dict[str, str]) -> Moment:
    """The moment of an activity, judged at the instant it occurred."""
    data = activity.data
    instant = activity.occurred_at
    purchase = data if isinstance(data, Purchase) else None
    fields: dict[str, Any] = data.fields if isinstance(data, Free) else {}
    return Moment(
        view_of(case, compiled, tiers, trigger),
        purchase,
        NO_LINES if purchase is None else purchase.lines,
        ActivityView(activity.type, activity.source, activity.id, instant, fields),
        compiled.zone.local(instant),
        instant,
        {},
    )


def accrue(case: Case, compiled: Compiled, activity: Activity, tiers: dict[str, str]) -> tuple[Accrued, ...]:
    """Grants what the activity sets off, and explains it; what was accrued, a fact per wallet."""
    trigger = compiled.trigger(activity.type)
    if trigger is None:
        case.emit(Explained(compiled.number, ()))
        return ()
    moment = moment_of(case, compiled, trigger, activity, tiers)
    codes: dict[str, tuple[str, int]] = {}
    candidates = judge(case, compiled, trigger, moment, codes)
    chosen = combine(trigger, candidates, codes)
    earned = _grant(case, compiled, moment, [candidates[id] for id in chosen])
    case.emit(Explained(compiled.number, _explained(trigger, candidates, frozenset(chosen), codes, earned)))
    return earned


def _explained(
    trigger: Trigger,
    candidates: dict[str, Candidate],
    chosen: frozenset[str],
    codes: dict[str, tuple[str, int]],
    earned: tuple[Accrued, ...],
) -> tuple[Judged, ...]:
    judged: list[Judged] = []
    for each in trigger.campaigns:
        if each.id in chosen:
            candidate = candidates[each.id]
            wanted = sum([grant.wanted for grant in candidate.grants])
            granted = candidate.granted
            code = "applied" if granted == wanted else "trimmed"
            judged.append(Judged(each.id, code, wanted, granted, candidate.grants[0].wallet, candidate.room.by))
        else:
            code, wanted = codes[each.id]
            judged.append(Judged(each.id, code, wanted))
    judged.extend(
        [
            Judged(grant.campaign, "applied", grant.points, grant.points, each.wallet, grant.rule)
            for each in earned
            for grant in each.grants
            if grant.rule
        ]
    )
    return tuple(judged)


# --- each campaign by itself ------------------------------------------------------------------------------------------


def judge(
    case: Case,
    compiled: Compiled,
    trigger: Trigger,
    moment: Moment,
    codes: dict[str, tuple[str, int]],
    *,
    room_then: dict[str, int] | None = None,
) -> dict[str, Candidate]:
    """The campaigns that would grant something, by id; the others get a code (and what they wanted) in `codes`.

    `room_then` is what limits had left when it was recorded, in place of what they have left now.
    """
    candidates: dict[str, Candidate] = {}
    for each in trigger.campaigns:
        code = "applied"
        during = each.campaign.during
        if not _runs(during, moment.instant):
            code = "outside_window"
        elif during.weekly and not _in_slot(during, moment.at):
            code = "outside_hours"
        elif each.when is not None and not each.when(moment.view, moment.purchase, moment.activity, moment.at, None):
            code = "condition_not_met"
        if code != "applied":
            codes[each.id] = (code, 0)
            continue
        grants = _wanted(each, moment, candidates)
        if isinstance(grants, str):
            codes[each.id] = (grants, 0)
            continue
        wanted = 0
        for grant in grants:
            wanted += grant.wanted
        room = room_of(case, compiled, each, moment.instant, wanted, room_then)
        if room.points <= 0:
            codes[each.id] = (room.code, wanted)
            continue
        if room.points < wanted:
            _trim(grants, room.points)
        candidates[each.id] = Candidate(each, grants, room)
    return candidates


def _runs(during: During, instant: Instant) -> bool:
    return (during.start is None or during.start <= instant) and (during.end is None or instant < during.end)


def _in_slot(during: During, at: LocalTime) -> bool:
    second = at.second_of_day
    weekday = at.weekday
    for slot in during.weekly:
        if weekday in slot.days and slot.start <= second < slot.end:
            return True
    return False


def _trim(grants: list[Granted], room: int) -> None:
    for grant in grants:
        grant.granted = min(grant.wanted, room)
        room -= grant.granted


def rate_of(by_tier: ByTier, tiers: dict[str, str]) -> Rate | None:
    """The rate for a member standing on these tiers; None for nothing."""
    if by_tier.track:
        return by_tier.tiers.get(tiers.get(by_tier.track, ""), by_tier.default)
    return by_tier.default


def _wanted(each: CompiledCampaign, moment: Moment, candidates: dict[str, Candidate]) -> list[Granted] | str:
    """What a campaign's grants come to, or the code that says why nothing does."""
    selected: list[bool] | None = None
    if each.lines is not None:
        condition = each.lines
        view, purchase, activity, at = moment.view, moment.purchase, moment.activity, moment.at
        selected = [condition(view, purchase, activity, at, line) for line in moment.lines]
        if True not in selected:
            return "no_lines"
    grants: list[Granted] = []
    code = "nothing_to_grant"
    for n, grant in enumerate(each.grants):
        if isinstance(grant, Multiply) and grant.campaign not in candidates:
            code = "base_not_applied"
            continue
        points, weights = _points(grant, moment, selected, candidates)
        if points > 0:
            grants.append(Granted(n, grant.wallet, points, points, weights))
    return grants or code


def _points(
    grant: GrantRule, moment: Moment, selected: list[bool] | None, candidates: dict[str, Candidate]
) -> tuple[int, Sequence[int] | None]:
    """Points wanted by a grant, rounded once, and the weights of the lines (None: it is for the order as a whole)."""
    if isinstance(grant, PerAmount):
        rate = rate_of(grant.points, moment.view.tier)
        if rate is None:
            return 0, None
        weights = _selected(base_of(moment, grant.base), selected)
        return divide(sum(weights) * rate.numerator, grant.per * rate.denominator, grant.round), weights
    if isinstance(grant, Fixed):
        rate = rate_of(grant.points, moment.view.tier)
        return (0 if rate is None else rate.numerator), None
    if isinstance(grant, Multiply):
        return _multiplied(grant, moment, selected, candidates[grant.campaign])
    if isinstance(grant, PerQuantity):
        rate = rate_of(grant.points, moment.view.tier)
        if rate is None:
            return 0, None
        weights = _selected([line.quantity for line in moment.lines], selected)
        return divide(sum(weights) * rate.numerator, QUANTITY_ONE * rate.denominator, grant.round), weights
    if isinstance(grant, PerField):
        rate = rate_of(grant.points, moment.view.tier)
        value = moment.activity.fields.get(grant.field)
        if rate is None or value is None:
            return 0, None
        return divide(_millionths(value) * rate.numerator, grant.per * rate.denominator, grant.round), None
    weights = _selected(base_of(moment, grant.base), selected)
    return _bracketed(grant, sum(weights)), weights


def _millionths(value: Any) -> int:
    """A declared int or decimal in millionths; decimals have at most six places."""
    return int(value.scaleb(6)) if isinstance(value, Decimal) else int(value) * QUANTITY_ONE


def _selected(weights: Sequence[int], selected: list[bool] | None) -> Sequence[int]:
    if selected is None:
        return weights
    return [weight if chosen else 0 for weight, chosen in zip(weights, selected, strict=True)]


def _multiplied(
    grant: Multiply, moment: Moment, selected: list[bool] | None, base: Candidate
) -> tuple[int, Sequence[int] | None]:
    """(by - 1) x what the base granted into the wallet, on the selected lines."""
    rate = rate_of(grant.by, moment.view.tier)
    if rate is None:
        return 0, None
    of = [granted for granted in base.grants if granted.wallet == grant.wallet]
    points, weights = 0, None
    for granted in of:
        allocated = granted.shares()
        if allocated is None:
            points += granted.granted
            continue
        shares = _selected(allocated, selected)
        weights = shares if weights is None else [a + b for a, b in zip(weights, shares, strict=True)]
        points += sum(shares)
    return divide(points * (rate.numerator - rate.denominator), rate.denominator, grant.round), weights


def _bracketed(grant: Brackets, amount: int) -> int:
    """Points for a base by its brackets: marginal rates, or the fixed number of the highest bracket reached."""
    brackets = grant.brackets
    if brackets[0].fixed is not None:
        points = 0
        for bracket in brackets:
            if amount >= bracket.start:
                points = bracket.fixed or 0
        return points
    common = 1
    for bracket in brackets:
        if bracket.points is not None:
            common *= bracket.points.denominator
    numerator = 0
    for n, bracket in enumerate(brackets):
        end = brackets[n + 1].start if n + 1 < len(brackets) else amount
        part = min(amount, end) - bracket.start
        if part > 0 and bracket.points is not None:
            numerator += part * bracket.points.numerator * floor_div(common, bracket.points.denominator)
    return divide(numerator, common * grant.per, grant.round)


def base_of(moment: Moment, base: Base) -> list[int]:
    """The money of each line that counts, in minor units; kept for the next campaign with the same base."""
    known = moment.bases.get(base)
    if known is not None:
        return known
    amounts = base_amounts(moment.purchase, base)
    moment.bases[base] = amounts
    return amounts


def base_amounts(purchase: Purchase | None, base: Base) -> list[int]:
    """The money of each line that counts, in minor units. What other tenders paid is shared over all lines."""
    if purchase is None:
        return []
    of, but = base.of, base.but
    lines = purchase.lines
    if of == "net":
        amounts = [line.amount for line in lines]
    elif of == "gross":
        amounts = [line.gross for line in lines]
    else:
        amounts = [line.amount - line.tax for line in lines]
    for n, line in enumerate(lines):
        if line.kind != "product" and line.kind in but:
            amounts[n] = 0
    if purchase.tenders:
        paid = 0
        for tender in purchase.tenders:
            if f"paid_with_{tender.kind}" in but:
                paid += tender.amount
        if paid:
            shares = allocate(paid, [line.amount for line in lines])
            for n, line in enumerate(lines):
                if shares[n] and amounts[n]:
                    amounts[n] -= half_up_div(amounts[n] * shares[n], line.amount)
    return amounts


# --- together ---------------------------------------------------------------------------------------------------------


def combine(trigger: Trigger, candidates: dict[str, Candidate], codes: dict[str, tuple[str, int]]) -> list[str]:
    """Which candidates are given, in the order judged. The others get a code.

    A multiplier whose base is not given is not given either; groups then choose again without it.
    """
    remaining = dict(candidates)
    if trigger.groups:
        while True:
            given = _settle(trigger, remaining, codes)
            orphans = [
                id
                for id in given
                if any(base in candidates and base not in given for base in remaining[id].campaign.multiplies)
            ]
            if not orphans:
                break
            for id in orphans:
                codes[id] = ("base_not_applied", sum(grant.wanted for grant in remaining.pop(id).grants))
        return [id for id in candidates if id in given]
    return list(candidates)


def _settle(trigger: Trigger, candidates: dict[str, Candidate], codes: dict[str, tuple[str, int]]) -> frozenset[str]:
    given = {id for id in candidates if id not in trigger.group_of}
    picks = [(group, _pick(trigger, group, candidates, codes)) for group in trigger.groups]
    exclusive = [
        (-group.priority, n) for n, (group, picked) in enumerate(picks) if group.mode == "exclusive" and picked
    ]
    winner = min(exclusive)[1] if exclusive else None
    for n, (_group, picked) in enumerate(picks):
        if winner is None or n == winner:
            given.update(picked)
        else:
            for id in picked:
                codes[id] = ("excluded", sum(grant.wanted for grant in candidates[id].grants))
    return frozenset(given)


def _pick(
    trigger: Trigger, group: Group, candidates: dict[str, Candidate], codes: dict[str, tuple[str, int]]
) -> list[str]:
    """What a group gives; a nested group counts as one member."""
    members: list[tuple[int, int, list[str]]] = []
    for place, member in enumerate(group.of):
        inner = trigger.nested.get(member)
        if inner is not None:
            picked = _pick(trigger, inner, candidates, codes)
            priority = inner.priority
        else:
            picked = [member] if member in candidates else []
            priority = candidates[member].campaign.campaign.priority if picked else 0
        if picked:
            members.append((-priority, place, picked))
    if group.mode == "all" or len(members) < 2:
        return [id for _priority, _place, picked in members for id in picked]
    if group.mode == "best":
        best = min(members, key=lambda each: (-sum(candidates[id].granted for id in each[2]), each[0], each[1]))
    else:
        best = min(members, key=lambda each: (each[0], each[1]))
    code = "not_best" if group.mode == "best" else "not_first"
    for member_of in members:
        if member_of is not best:
            for id in member_of[2]:
                codes[id] = (code, sum(grant.wanted for grant in candidates[id].grants))
    return best[2]


# --- granting ---------------------------------------------------------------------------------------------------------


def _grant(case: Case, compiled: Compiled, moment: Moment, chosen: list[Candidate]) -> tuple[Accrued, ...]:
    """Grants per wallet, each into one lot; the facts."""
    by_wallet: dict[str, list[Grant]] = {}
    for candidate in chosen:
        campaign = candidate.campaign
        for grant in candidate.grants:
            if grant.granted > 0:
                limits, pools = use(case, campaign, moment.instant, grant.granted, grant is candidate.grants[0])
                wanted = None if grant.wanted == grant.granted else grant.wanted
                by_wallet.setdefault(grant.wallet, []).append(
                    Grant(
                        campaign.id,
                        grant.granted,
                        _line_shares(moment.lines, grant),
                        grant.grant,
                        wanted,
                        None,
                        limits,
                        pools,
                    )
                )
    if compiled.multiplying and chosen:
        for campaign_id, bonus, tier in _tier_bonuses(compiled, moment, chosen):
            by_wallet.setdefault(bonus.wallet, []).append(
                Grant(campaign_id, bonus.granted, _line_shares(moment.lines, bonus), bonus.grant, None, tier)
            )
    accrued: list[Accrued] = []
    order = moment.purchase.order if moment.purchase else None
    for wallet, grants in by_wallet.items():
        accrued.append(_accrue_into(case, compiled, moment, wallet, tuple(grants), order))
    return tuple(accrued)


def _accrue_into(
    case: Case, compiled: Compiled, moment: Moment, wallet: str, grants: tuple[Grant, ...], order: str | None
) -> Accrued:
    terms = terms_of(case, compiled, compiled.wallets[wallet], moment.instant, moment.view.tier)
    points = 0
    for grant in grants:
        points += grant.points
    fact = Accrued(
        wallet,
        case.new_lot(),
        points,
        moment.instant,
        grants,
        compiled.number,
        order,
        terms.expires_at,
        terms.available_at,
        terms.until,
        terms.tier,
    )
    case.emit(fact)
    if terms.available_at is None:
        repay(case, compiled, wallet, Part(fact.lot, points, fact.at, fact.expires_at, fact.tier))
    return fact


def _line_shares(lines: tuple[Line, ...], grant: Granted) -> tuple[LineShare, ...]:
    parts = grant.shares()
    if parts is None or not lines:
        return ()
    return tuple([LineShare(line.line, points) for line, points in zip(lines, parts, strict=True) if points])


def _tier_bonuses(compiled: Compiled, moment: Moment, chosen: list[Candidate]) -> list[tuple[str, Granted, str]]:
    """A bonus over each rate campaign's granted points for every tier that multiplies its wallet."""
    bonuses: list[tuple[str, Granted, str]] = []
    for track, tier_id in moment.view.tier.items():
        tier = compiled.tiers.get(track, {}).get(tier_id)
        if tier is None or not tier.multiply:
            continue
        for candidate in chosen:
            for grant in candidate.grants:
                rate = tier.multiply.get(grant.wallet)
                if rate is None or not isinstance(candidate.campaign.grants[grant.grant], RATE_GRANTS):
                    continue
                points = divide(grant.granted * (rate.numerator - rate.denominator), rate.denominator, Rounding.DOWN)
                if points > 0:
                    bonus = Granted(grant.grant, grant.wallet, points, points, grant.shares())
                    bonuses.append((candidate.campaign.id, bonus, f"{track}.{tier_id}"))
    return bonuses
