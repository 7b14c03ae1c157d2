"""What must have been taken back in all after a return: proportional to the line, or judged again on what remains."""

from __future__ import annotations

from typing import Any

import msgspec

from laurels.core.accrual import NO_LINES, Candidate, Moment, combine, judge
from laurels.core.activity import Line, Purchase
from laurels.core.case import ActivityView, Case, View
from laurels.core.compiled import Compiled, CompiledCampaign, Trigger
from laurels.core.facts import (
    LineReturned,
    LineShare,
)
from laurels.core.member import Balance, Earned
from laurels.core.money import Rounding, allocate, divide, floor_div
from laurels.core.program.model import Brackets, Fixed
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
    whole: bool,
) -> list[Target]:
    if whole:
        return [Target(each.points, each.lines, "taken_back") for each in past.earned]
    trigger = compiled.trigger("purchase")
    campaigns = {} if trigger is None else {each.id: each for each in trigger.campaigns}
    again: dict[str, Candidate] = {}
    chosen: frozenset[str] = frozenset()
    if trigger is not None and any(campaigns[each.campaign].rejudged for each in past.earned):
        again, chosen = _judge_again(case, compiled, trigger, past, purchase, cumulative)
    targets: list[Target] = []
    lost: set[str] = set()
    for each in past.earned:
        campaign = campaigns[each.campaign]
        target = _target(each, campaign, past, targets, shares, again, chosen, trigger, compiled)
        if each.tier is None and campaign.multiplies & lost:
            target = Target(each.points, each.lines, "no_longer_qualifies")
        if target.code == "no_longer_qualifies":
            lost.add(each.campaign)
        targets.append(target)
    return targets


def _target(
    each: Earned,
    campaign: CompiledCampaign,
    past: PastOrder,
    before: list[Target],
    shares: dict[str, Share],
    again: dict[str, Candidate],
    chosen: frozenset[str],
    trigger: Trigger | None,
    compiled: Compiled,
) -> Target:
    by_line = tuple([LineShare(share.line, shares[share.line].of(share.points)) for share in each.lines])
    proportional = Target(sum([share.points for share in by_line]), by_line, "taken_back")
    if each.tier is not None:
        return _bonus_target(each, past, before, proportional, compiled, campaign.rejudged)
    if not campaign.rejudged:
        return proportional
    everything = Target(each.points, each.lines, "no_longer_qualifies")
    if campaign.id not in chosen:
        instead = _chosen_instead(campaign.id, trigger, again, chosen)
        if instead <= 0:
            return everything
        own = [(n, one.points) for n, one in enumerate(past.earned) if one.campaign == each.campaign and not one.tier]
        keeps = allocate(min(instead, sum([points for _n, points in own])), [points for _n, points in own])
        kept = next(keep for keep, (n, _points) in zip(keeps, own, strict=True) if past.earned[n] is each)
        return _part_target(each, each.points - kept, "judged_again")
    grant = campaign.grants[each.grant]
    if isinstance(grant, Fixed):
        return Target(0, (), "kept")
    if isinstance(grant, Brackets):
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
    each: Earned, past: PastOrder, before: list[Target], proportional: Target, compiled: Compiled, rejudged: bool
) -> Target:
    """A tier's bonus follows the points it was given over."""
    track, _dot, tier_id = (each.tier or "").partition(".")
    for n, base in enumerate(past.earned):
        if base.campaign == each.campaign and base.grant == each.grant and base.tier is None:
            left = base.points - before[n].points
            if left == 0:
                return Target(each.points, each.lines, before[n].code)
            if not rejudged and each.lines:
                return proportional
            rate = compiled.tiers[track][tier_id].multiply[each.wallet]
            kept = divide(left * (rate.numerator - rate.denominator), rate.denominator, Rounding.DOWN)
            return _part_target(each, each.points - min(kept, each.points), before[n].code)
    return proportional


def _chosen_instead(campaign: str, trigger: Trigger | None, again: dict[str, Candidate], chosen: frozenset[str]) -> int:
    """What a group that had chosen the campaign would grant now with another choice; 0 where nothing stands instead."""
    if trigger is None:
        return 0
    place = trigger.group_of.get(campaign)
    while place is not None:
        points = sum(
            [candidate.granted for id, candidate in again.items() if id in chosen and _below(id, place, trigger)]
        )
        if points:
            return points
        place = trigger.group_of.get(place)
    return 0


def _below(campaign: str, group: str, trigger: Trigger) -> bool:
    place = trigger.group_of.get(campaign)
    while place is not None:
        if place == group:
            return True
        place = trigger.group_of.get(place)
    return False


def _judge_again(
    case: Case,
    compiled: Compiled,
    trigger: Trigger,
    past: PastOrder,
    purchase: Purchase,
    cumulative: dict[str, LineReturned],
) -> tuple[dict[str, Candidate], frozenset[str]]:
    """Judges what remains of a purchase, with the standing recorded then and without limits."""
    remaining = _remaining(purchase, cumulative)
    view = _recorded_view(case, compiled, past)
    moment = Moment(
        view,
        remaining,
        remaining.lines or NO_LINES,
        ActivityView("purchase", "", "", past.occurred_at, {}),
        compiled.zone.local(past.occurred_at),
        past.occurred_at,
        {},
    )
    codes: dict[str, tuple[str, int]] = {}
    candidates = judge(case, compiled, trigger, moment, codes, limited=False)
    return candidates, frozenset(combine(trigger, candidates, codes))


def _remaining(purchase: Purchase, cumulative: dict[str, LineReturned]) -> Purchase:
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
    tenders = purchase.tenders
    if tenders:
        parts = allocate(total, [tender.amount for tender in tenders])
        tenders = tuple([msgspec.structs.replace(t, amount=part) for t, part in zip(tenders, parts, strict=True)])
    return msgspec.structs.replace(purchase, lines=tuple(lines), total=total, tenders=tenders)


def standing_of(view: View, trigger: Trigger) -> dict[str, Any]:
    """What conditions read about the member besides their tiers, to be kept with the order."""
    standing: dict[str, Any] = {}
    for name in trigger.attributes:
        if name in view.attributes:
            standing[f"attributes.{name}"] = view.attributes[name]
    for name in trigger.counters:
        standing[f"counters.{name}"] = view.counters.get(name, 0)
    for path in trigger.reads_wallets:
        wallet, _dot, balance = path.partition(".")
        standing[f"wallets.{path}"] = getattr(view.wallets[wallet], balance)
    return standing


def _recorded_view(case: Case, compiled: Compiled, past: PastOrder) -> View:
    attributes: dict[str, Any] = {}
    counters: dict[str, int] = {}
    wallets = {wallet: Balance() for wallet in compiled.wallets}
    for path, value in past.standing.items():
        kind, _dot, name = path.partition(".")
        if kind == "attributes":
            attributes[name] = value
        elif kind == "counters":
            assert isinstance(value, int)
            counters[name] = value
        else:
            wallet, _dot, balance = name.partition(".")
            setattr(wallets[wallet], balance, value)
    return View(
        case.draft.id,
        case.root.enrolled_at or 0,
        {**compiled.first_tiers, **past.tiers},
        wallets,
        (),
        counters,
        attributes,
    )
