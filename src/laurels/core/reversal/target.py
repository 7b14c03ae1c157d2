"""What must have been taken back in all after a return: proportional to the line, or judged again on what remains."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec

from laurels.core.accrual import combine, judge
from laurels.core.activity import Activity, Line, Purchase
from laurels.core.case import NOTHING_NEW, Case, View, readable
from laurels.core.compiled import Compiled, CompiledCampaign, Trigger
from laurels.core.facts import (
    Judged,
    LineReturned,
    LineShare,
    Scalar,
)
from laurels.core.free_pieces import left_free
from laurels.core.granting import NO_LINES, ActivityView, Candidate, Moment
from laurels.core.limit import lefts
from laurels.core.member import Balance, Earned, Purchased
from laurels.core.money import Rounding, allocate, divide, floor_div
from laurels.core.program.model import Brackets, Fixed, Multiply
from laurels.core.reach import missing_to
from laurels.core.reversal.lines import PastOrder, Share, all_back


class Target(msgspec.Struct, frozen=True):
    """What must have been taken back of an `Earned` in all, with the code that explains it."""

    points: int
    lines: tuple[LineShare, ...]
    code: str


def targets_of(
    case: Case,
    compiled: Compiled,
    past: PastOrder,
    purchase: Purchase,
    cumulative: dict[str, LineReturned],
    shares: dict[str, Share],
    money: dict[str, int],
    whole: bool,
) -> list[Target]:
    """What must have been taken back of everything the order earned; `money` is what each tender now gets back."""
    if whole:
        return [Target(each.points, each.lines, "taken_back") for each in past.earned]
    trigger = past.trigger
    campaigns = {} if trigger is None else {each.id: each for each in trigger.campaigns}
    again: dict[str, Candidate] = {}
    chosen: frozenset[str] = frozenset()
    instead: dict[int, int] = {}
    if trigger is not None and any(campaigns[each.campaign].rejudged for each in past.earned):
        again, chosen = _judge_again(case, compiled, trigger, past, purchase, cumulative, money)
        instead = _kept_instead(trigger, past, again, chosen)
    targets: list[Target] = []
    lost: set[str] = set()
    for n, each in enumerate(past.earned):
        campaign = campaigns[each.campaign]
        target = _target(each, campaign, past, targets, shares, again, chosen, instead.get(n, 0), compiled)
        if each.tier is None and campaign.multiplies & lost:
            target = Target(each.points, each.lines, "no_longer_qualifies")
        if target.code == "no_longer_qualifies":
            lost.add(each.campaign)
        targets.append(target)
    return targets


def gifts_lost(
    case: Case,
    compiled: Compiled,
    past: PastOrder,
    purchase: Purchase,
    recorded: Purchased,
    cumulative: dict[str, LineReturned],
    money: dict[str, int],
) -> frozenset[str]:
    """The campaigns that would not give any more on what remains of the order what they gave besides points."""
    trigger = past.trigger
    assert trigger is not None, "something was given for it"
    gave = {given.campaign for given in recorded.given if given.campaign is not None}
    rejudged = {each.id for each in trigger.campaigns if each.id in gave and each.rejudged}
    if not rejudged:
        return frozenset()
    _again, chosen = _judge_again(case, compiled, trigger, past, purchase, cumulative, money)
    return frozenset(rejudged - chosen)


def _target(
    each: Earned,
    campaign: CompiledCampaign,
    past: PastOrder,
    before: list[Target],
    shares: dict[str, Share],
    again: dict[str, Candidate],
    chosen: frozenset[str],
    instead: int,
    compiled: Compiled,
) -> Target:
    by_line = tuple([LineShare(share.line, shares[share.line].of(share.points)) for share in each.lines])
    proportional = Target(sum([share.points for share in by_line]), by_line, "taken_back")
    if each.tier is not None:
        return _bonus_target(each, past, before, proportional, compiled)
    if not campaign.rejudged:
        return proportional
    everything = Target(each.points, each.lines, "no_longer_qualifies")
    if campaign.id not in chosen:
        return _part_target(each, each.points - instead, "judged_again") if instead else everything
    grant = campaign.grants[each.grant]
    if isinstance(grant, Fixed):
        return Target(0, (), "kept")
    if isinstance(grant, Brackets) or (isinstance(grant, Multiply) and campaign.bracketed):
        now = sum([granted.wanted for granted in again[campaign.id].grants if granted.grant == each.grant])
        return _part_target(each, each.points - min(now, each.points), "judged_again")
    return proportional


def _part_target(each: Earned, points: int, code: str) -> Target:
    """So many points in all, allocated to the lines as they were earned."""
    if not each.lines:
        return Target(points, (), code)
    parts = allocate(points, [share.points for share in each.lines])
    return Target(
        points, tuple([LineShare(share.line, part) for share, part in zip(each.lines, parts, strict=True)]), code
    )


def _bonus_target(
    each: Earned, past: PastOrder, before: list[Target], proportional: Target, compiled: Compiled
) -> Target:
    """A tier's bonus follows the points it was given over: line by line, or the rate on what is left of them."""
    track, _dot, tier_id = (each.tier or "").partition(".")
    for n, base in enumerate(past.earned):
        if base.campaign == each.campaign and base.grant == each.grant and base.tier is None:
            left = base.points - before[n].points
            if left == 0:
                return Target(each.points, each.lines, before[n].code)
            if before[n].code == "taken_back" and each.lines:
                return proportional
            rate = compiled.tiers[track][tier_id].multiply[each.wallet]
            kept = divide(left * (rate.numerator - rate.denominator), rate.denominator, Rounding.DOWN)
            return _part_target(each, each.points - min(kept, each.points), before[n].code)
    return proportional


def _kept_instead(
    trigger: Trigger, past: PastOrder, again: dict[str, Candidate], chosen: frozenset[str]
) -> dict[int, int]:
    """What is kept of grants, by their place, whose campaign a group would not choose now: what its choice grants.

    Nothing is granted anew, so the points of another choice can only keep points that the first one earned.
    """
    replaced: dict[str, tuple[int, list[int]]] = {}
    for n, each in enumerate(past.earned):
        if each.tier is None and each.campaign not in chosen:
            found = _choice_instead(trigger, each.campaign, again, chosen)
            if found is not None:
                replaced.setdefault(found[0], (found[1], []))[1].append(n)
    kept: dict[int, int] = {}
    for instead, places in replaced.values():
        earned = [past.earned[n].points for n in places]
        kept.update(zip(places, allocate(min(instead, sum(earned)), earned), strict=True))
    return kept


def _choice_instead(
    trigger: Trigger, campaign: str, again: dict[str, Candidate], chosen: frozenset[str]
) -> tuple[str, int] | None:
    """The nearest group above the campaign that now chooses another member, and what that grants."""
    path = _path(trigger, campaign)
    for member, group in pairwise(path):
        if trigger.nested[group].mode != "all":
            others = [id for id in chosen if group in (way := _path(trigger, id)) and member not in way]
            if others:
                return group, sum([again[id].granted for id in others])
    if len(path) > 1:
        for id in chosen:
            top = _path(trigger, id)[-1]
            if top not in path and top in trigger.nested and trigger.nested[top].mode == "exclusive":
                return top, sum([again[one].granted for one in chosen if top in _path(trigger, one)])
    return None


def _path(trigger: Trigger, campaign: str) -> list[str]:
    """The campaign and the groups above it, outwards."""
    path = [campaign]
    while (above := trigger.group_of.get(path[-1])) is not None:
        path.append(above)
    return path


def _judge_again(
    case: Case,
    compiled: Compiled,
    trigger: Trigger,
    past: PastOrder,
    purchase: Purchase,
    cumulative: dict[str, LineReturned],
    money: dict[str, int],
) -> tuple[dict[str, Candidate], frozenset[str]]:
    """Judges what remains of a purchase, with the standing and the room recorded then."""
    remaining = _remaining(purchase, past, cumulative, money)
    view = _recorded_view(case, compiled, past)
    source, id = past.standing.get("activity.source"), past.standing.get("activity.id")
    moment = Moment(
        view,
        remaining,
        remaining.lines or NO_LINES,
        ActivityView("purchase", str(source or ""), str(id or ""), past.occurred_at, {}),
        compiled.zone.local(past.occurred_at),
        past.occurred_at,
        {},
    )
    judged: dict[str, Judged] = {}
    room = {
        name.removeprefix("room."): left
        for name, left in past.standing.items()
        if name.startswith("room.") and isinstance(left, int)
    }
    missing = _missing_then(past)
    candidates = judge(case, compiled, trigger, moment, judged, room_then=room, missing_then=missing)
    return candidates, frozenset(combine(trigger, candidates, judged))


def _remaining(
    purchase: Purchase, past: PastOrder, cumulative: dict[str, LineReturned], money: dict[str, int]
) -> Purchase:
    """The purchase as if what came back had never been bought, paid with what was not paid back."""
    lines: list[Line] = []
    for line in purchase.lines:
        back = cumulative.get(line.line)
        if back is None:
            lines.append(line)
            continue
        if all_back(line, back) or (line.amount == 0 and line.quantity == 0):
            continue
        amount = line.amount - back.amount
        whole = line.amount or 1
        lines.append(
            msgspec.structs.replace(
                line,
                amount=amount,
                quantity=line.quantity - back.quantity,
                tax=floor_div(line.tax * amount, whole),
                gross=floor_div(line.gross * amount, whole),
            )
        )
    total = sum([line.amount for line in lines])
    tenders = tuple(
        [
            msgspec.structs.replace(tender, amount=tender.amount - past.paid_back.get(str(n), 0) - money.get(str(n), 0))
            for n, tender in enumerate(purchase.tenders)
        ]
    )
    free = left_free(purchase.free, purchase.lines, tuple(lines)) if purchase.free else {}
    return msgspec.structs.replace(purchase, lines=tuple(lines), total=total, tenders=tenders, free=free)


def standing_of(case: Case, compiled: Compiled, trigger: Trigger, activity: Activity, view: View) -> dict[str, Scalar]:
    """What conditions read besides the purchase and the tiers, and the room there was, to be kept with the order."""
    standing: dict[str, Scalar] = {}
    for name in trigger.attributes:
        if name in view.attributes:
            value = view.attributes[name]
            standing[f"attributes.{name}"] = str(value) if isinstance(value, Decimal) else value
    for name in trigger.counters:
        standing[f"counters.{name}"] = view.counters.get(name, 0)
    for path in trigger.reads_wallets:
        wallet, _dot, balance = path.partition(".")
        standing[f"wallets.{path}"] = getattr(view.wallets[wallet], balance)
    if trigger.reads_segments and view.segments:
        standing["segments"] = list(view.segments)
    for name in trigger.activity:
        standing[f"activity.{name}"] = activity.source if name == "source" else activity.id
    for each in trigger.reaching:
        assert each.reaches is not None
        missing = missing_to(case, compiled, each.reaches, activity.occurred_at)
        for n, value in enumerate(missing or ()):
            standing[f"missing.{each.id}.{n}"] = value
    if trigger.asks_new:
        for name, new in view.new.items():
            standing[f"new.{name}"] = sorted(new)
    if trigger.weighed:
        for name, left in lefts(case, compiled, trigger.weighed, activity.occurred_at).items():
            standing[f"room.{name}"] = left
    return standing


def _missing_then(past: PastOrder) -> dict[str, tuple[int, ...]]:
    """What was missing to the tier that each campaign waits for, where the order could raise to it."""
    missing: dict[str, tuple[int, ...]] = {}
    for path, value in past.standing.items():
        kind, _dot, name = path.partition(".")
        if kind == "missing" and isinstance(value, int):
            # Metrics were recorded in their order.
            campaign = name.rpartition(".")[0]
            missing[campaign] = (*missing.get(campaign, ()), value)
    return missing


def _recorded_view(case: Case, compiled: Compiled, past: PastOrder) -> View:
    attributes: dict[str, Any] = {}
    counters: dict[str, int] = {}
    wallets = {wallet: Balance() for wallet in compiled.wallets}
    new = dict(NOTHING_NEW)
    segments: tuple[str, ...] = ()
    for path, value in past.standing.items():
        kind, _dot, name = path.partition(".")
        if kind == "attributes":
            attributes[name] = value
        elif kind == "counters":
            assert isinstance(value, int)
            counters[name] = value
        elif kind == "wallets":
            wallet, _dot, balance = name.partition(".")
            setattr(wallets[wallet], balance, value)
        elif kind == "segments":
            assert isinstance(value, list)
            segments = tuple(value)
        elif kind == "new":
            assert isinstance(value, list)
            new[name] = frozenset(value)
    return View(
        case.draft.id,
        case.root.enrolled_at or 0,
        {**compiled.first_tiers, **past.tiers},
        wallets,
        segments,
        counters,
        readable(attributes, compiled.attribute_types),
        new,
    )
