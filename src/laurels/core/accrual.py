"""Accrual: which campaigns an activity sets off, what each grants, and why the others grant nothing.

Every campaign is judged by itself first (window, condition, lines, cooldown, limits, budget), then groups choose among
those that would grant, then tiers multiply what was granted. Rounding happens once per campaign and order; the points
are then allocated to the lines by largest remainder, so that returns can take back to the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final

from laurels.core.activity import Activity, Purchase
from laurels.core.calendar import Instant
from laurels.core.case import Case, View
from laurels.core.compiled import Compiled, CompiledCampaign, Hours, Rated, Trigger
from laurels.core.expiry import repay, terms_of
from laurels.core.facts import Accrued, Explained, Grant, Judged, Part
from laurels.core.granting import NO_LINES, Candidate, Granted, Moment, activity_view, bonuses, line_shares
from laurels.core.limit import room_of, use
from laurels.core.program.draws_model import TICKETS
from laurels.core.program.model import Group
from laurels.core.program.vouchers_model import VoucherGift
from laurels.core.program.within_model import Reach
from laurels.core.reach import is_reached, missing_to
from laurels.core.ticket import NONE_SHUT, grant_by_campaigns, shut_draws
from laurels.core.voucher import issue


def moment_of(compiled: Compiled, activity: Activity, view: View) -> Moment:
    """The moment of an activity, judged at the instant it occurred."""
    instant = activity.occurred_at
    purchase = activity.data if isinstance(activity.data, Purchase) else None
    return Moment(
        view,
        purchase,
        NO_LINES if purchase is None else purchase.lines,
        activity_view(activity),
        compiled.zone.local(instant),
        instant,
        {},
    )


def accrue(
    case: Case, compiled: Compiled, trigger: Trigger | None, activity: Activity, view: View
) -> tuple[Accrued, ...]:
    """Grants what the activity sets off, and explains it; what was accrued, a fact per wallet."""
    if trigger is None:
        case.emit(Explained(compiled.number, ()))
        return ()
    shut = shut_draws(case, trigger, activity) if trigger.draws else None
    if shut or (isinstance(activity.data, Purchase) and activity.data.free):
        grants, said = _granted(case, compiled, trigger, activity, view, shut or NONE_SHUT)
    else:
        grants, said = (trigger.writ or _granted)(case, compiled, trigger, activity, view)
    earned: list[Accrued] = []
    for wallet, of_wallet in grants.items():
        if wallet.startswith(TICKETS):
            grant_by_campaigns(case, compiled, activity, wallet.removeprefix(TICKETS), tuple(of_wallet))
            continue
        earned.append(_accrue_into(case, compiled, activity, view.tier, wallet, tuple(of_wallet)))
    case.emit(Explained(compiled.number, said))
    return tuple(earned)


def accrue_promised(
    case: Case, compiled: Compiled, activity: Activity, tiers: dict[str, str], grants: dict[str, tuple[Grant, ...]]
) -> tuple[Accrued, ...]:
    """Grants what a quote promised, which was counted against limits when it was; a fact per wallet.

    Draws are known to take the tickets that are left of it.
    """
    earned: list[Accrued] = []
    for wallet, of_wallet in grants.items():
        if wallet.startswith(TICKETS):
            grant_by_campaigns(case, compiled, activity, wallet.removeprefix(TICKETS), of_wallet)
        else:
            earned.append(_accrue_into(case, compiled, activity, tiers, wallet, of_wallet))
    return tuple(earned)


def _granted(
    case: Case,
    compiled: Compiled,
    trigger: Trigger,
    activity: Activity,
    view: View,
    shut: Mapping[str, str] = NONE_SHUT,
) -> tuple[dict[str, list[Grant]], tuple[Judged, ...]]:
    """Grants by wallet, and what became of each campaign: what a trigger's writ comes to, where it has one.

    `shut` are draws, as grants name them, of which the member gets no tickets now, with the code that says why.
    """
    moment = moment_of(compiled, activity, view)
    judged: dict[str, Judged] = {}
    candidates = judge(case, compiled, trigger, moment, judged, shut=shut)
    if trigger.groups:
        candidates = {id: candidates[id] for id in combine(trigger, candidates, judged)}
        for id, candidate in candidates.items():
            judged[id] = _applied(candidate)
    rated: list[Rated] = []
    grants = _counted(case, compiled, moment, candidates, rated)
    lines = [line.line for line in moment.lines]
    return grants, (*judged.values(), *bonuses(compiled, view.tier, lines, grants, rated))


def _applied(candidate: Candidate) -> Judged:
    wanted, granted = candidate.wanted, candidate.granted
    if not candidate.grants:
        return Judged(candidate.campaign.id, "gave")
    code = "applied" if granted == wanted else "trimmed"
    return Judged(candidate.campaign.id, code, wanted, granted, candidate.grants[0].wallet, candidate.by)


# --- each campaign by itself ------------------------------------------------------------------------------------------


def judge(
    case: Case,
    compiled: Compiled,
    trigger: Trigger,
    moment: Moment,
    judged: dict[str, Judged],
    *,
    room_then: dict[str, int] | None = None,
    missing_then: Mapping[str, tuple[int, ...]] | None = None,
    shut: Mapping[str, str] = NONE_SHUT,
) -> dict[str, Candidate]:
    """The campaigns that would grant something, by id; what becomes of each is put in `judged`, in their order.

    `room_then` is what limits had left when it was recorded, in place of what they have left now, and `missing_then`
    what was missing to the tiers that campaigns wait for.
    """
    candidates: dict[str, Candidate] = {}
    view, purchase, activity, at, instant = moment.view, moment.purchase, moment.activity, moment.at, moment.instant
    for each in trigger.campaigns:
        id = each.id
        if each.is_timed:
            untimely = _untimely(compiled, each, moment)
            if untimely is not None:
                judged[id] = each.skipped[untimely]
                continue
        if (each.reaches is not None and not _reaches(case, compiled, each, moment, missing_then)) or (
            each.keeps is not None and not _keeps(each.keeps, activity.fields)
        ):
            judged[id] = each.skipped["condition_not_met"]
            continue
        if each.when is not None and not each.when(view, purchase, activity, at, None):
            judged[id] = each.skipped["condition_not_met"]
            continue
        selected: list[bool] | None = None
        if each.lines is not None:
            selected = each.lines(view, purchase, activity, at, moment.lines)
            if True not in selected:
                judged[id] = each.skipped["no_lines" if each.new is None else _none_selected(each, moment)]
                continue
        grants: list[Granted] = []
        wanted = 0
        code = "nothing_to_grant"
        for n, (base, want) in enumerate(each.wants):
            if shut and each.grants[n].wallet in shut:
                code = shut[each.grants[n].wallet]
                continue
            if base is not None and base not in candidates:
                code = "base_not_applied"
                continue
            granted = want(moment, selected, candidates)
            if granted is not None:
                grants.append(granted)
                wanted += granted.wanted
        if not grants and not (each.gifts and _gifts_of(case, compiled, each, view, of_then=room_then is not None)):
            judged[id] = each.skipped.get(code) or Judged(id, code)
            continue
        if not each.limits:
            candidate = candidates[id] = Candidate(each, grants, wanted)
            judged[id] = _applied(candidate)
            continue
        room = room_of(case, compiled, each, instant, wanted or 1, room_then)
        if room.points <= 0:
            judged[id] = Judged(id, room.code, wanted)
            continue
        if room.points < wanted:
            _trim(grants, room.points)
        candidate = candidates[id] = Candidate(each, grants, wanted, room.by)
        judged[id] = _applied(candidate)
    return candidates


def _none_selected(campaign: CompiledCampaign, moment: Moment) -> str:
    """Why a campaign on what is new to the member selects none of the lines."""
    trial = campaign.trial
    if trial is not None and True not in trial(moment.view, moment.purchase, moment.activity, moment.at, moment.lines):
        return "no_lines"
    return "nothing_new"


def _untimely(compiled: Compiled, campaign: CompiledCampaign, moment: Moment) -> str | None:
    """Why a campaign does not run at this moment, or None."""
    at, instant = moment.at, moment.instant
    if not campaign.start <= instant < campaign.end:
        return "outside_window"
    if campaign.weekly is not None and not in_hours(campaign.weekly.get(at.weekday, ()), at.second_of_day):
        return "outside_hours"
    if campaign.within is not None and not campaign.within(compiled.zone, moment.view, instant):
        return "outside_window"
    return None


def _reaches(
    case: Case,
    compiled: Compiled,
    campaign: CompiledCampaign,
    moment: Moment,
    missing_then: Mapping[str, tuple[int, ...]] | None,
) -> bool:
    """Whether the activity raises the member to the tier that the campaign waits for."""
    reach, activity = campaign.reaches, moment.activity
    if reach is None:
        return True
    if missing_then is None:
        missing = missing_to(case, compiled, reach, moment.instant)
    else:
        missing = missing_then.get(campaign.id)
    return is_reached(compiled, reach, missing, activity.type, moment.purchase, activity.fields)


def _keeps(keeps: Reach, fields: Mapping[str, Any]) -> bool:
    """Whether the tier that was kept is the one that the campaign waits for."""
    return (fields["track"], fields["tier"]) == (keeps.track, keeps.tier)


def in_hours(hours: Hours, second: int) -> bool:
    """Whether a second of the day lies in the hours."""
    for start, end in hours:
        if start <= second < end:
            return True
    return False


def _trim(grants: list[Granted], room: int) -> None:
    for grant in grants:
        grant.granted = min(grant.wanted, room)
        room -= grant.granted


# --- together ---------------------------------------------------------------------------------------------------------


def combine(trigger: Trigger, candidates: dict[str, Candidate], judged: dict[str, Judged]) -> list[str]:
    """Which candidates are given, in the order judged. The others are told apart in `judged`.

    A multiplier whose base is not given is not given either; groups then choose again without it.
    """
    remaining = dict(candidates)
    if trigger.groups:
        while True:
            given = _settle(trigger, remaining, judged)
            orphans = [
                id
                for id in given
                if any(base in candidates and base not in given for base in remaining[id].campaign.multiplies)
            ]
            if not orphans:
                break
            for id in orphans:
                judged[id] = Judged(id, "base_not_applied", remaining.pop(id).wanted)
        return [id for id in candidates if id in given]
    return list(candidates)


def _settle(trigger: Trigger, candidates: dict[str, Candidate], judged: dict[str, Judged]) -> frozenset[str]:
    given = {id for id in candidates if id not in trigger.group_of}
    picks = [(group, _pick(trigger, group, candidates, judged)) for group in trigger.groups]
    exclusive = [
        (-group.priority, n) for n, (group, picked) in enumerate(picks) if group.mode == "exclusive" and picked
    ]
    winner = min(exclusive)[1] if exclusive else None
    for n, (_group, picked) in enumerate(picks):
        if winner is None or n == winner:
            given.update(picked)
        else:
            for id in picked:
                judged[id] = Judged(id, "excluded", candidates[id].wanted)
    return frozenset(given)


def _pick(trigger: Trigger, group: Group, candidates: dict[str, Candidate], judged: dict[str, Judged]) -> list[str]:
    """What a group gives; a nested group counts as one member."""
    members: list[tuple[int, int, list[str]]] = []
    for place, member in enumerate(group.of):
        inner = trigger.nested.get(member)
        if inner is not None:
            picked = _pick(trigger, inner, candidates, judged)
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
                judged[id] = Judged(id, code, candidates[id].wanted)
    return best[2]


# --- granting ---------------------------------------------------------------------------------------------------------


def _counted(
    case: Case, compiled: Compiled, moment: Moment, chosen: dict[str, Candidate], rated: list[Rated]
) -> dict[str, list[Grant]]:
    """Grants by wallet, counted against their limits; what tiers multiply is put in `rated`."""
    grants: dict[str, list[Grant]] = {}
    lines = [line.line for line in moment.lines]
    for id, candidate in chosen.items():
        campaign = candidate.campaign
        if campaign.gifts:
            _give(case, compiled, moment, candidate)
        for each in candidate.grants:
            points = each.granted
            if points <= 0:
                continue
            first = each is candidate.grants[0]
            limits, pools = use(case, compiled, campaign, moment.instant, points, first)
            wanted = None if each.wanted == points else each.wanted
            parts = each.shares()
            shares = () if parts is None else line_shares(lines, parts)
            grant = Grant(id, points, shares, each.grant, wanted, None, limits, pools)
            grants.setdefault(each.wallet, []).append(grant)
            if campaign.rated[each.grant]:
                rated.append((id, each.grant, each.wallet, points, parts))
    return grants


def gets(gift: VoucherGift, member: View) -> bool:
    """Whether a gift is for the member, by the tier on which they stand."""
    return not gift.track or member.tier.get(gift.track) in gift.tiers


def _gifts_of(
    case: Case, compiled: Compiled, campaign: CompiledCampaign, member: View, *, of_then: bool = False
) -> list[tuple[int, str, VoucherGift]]:
    """The vouchers that a campaign gives the member, by place and key.

    None is of a kind that is over, which nobody could use, unless what was given `of_then` is asked.
    """
    gifts = [
        (place, compiled.voucher_keys[gift.voucher], gift)
        for place, gift in enumerate(campaign.gifts)
        if gets(gift, member)
    ]
    return [
        each for each in gifts if of_then or not compiled.vouchers[each[1]].is_over(compiled.zone, case.at, case.root)
    ]


def _give(case: Case, compiled: Compiled, moment: Moment, candidate: Candidate) -> None:
    """Gives what a campaign gives besides points. Where it grants none, its limits count what it gives."""
    campaign = candidate.campaign
    limits: dict[str, Instant] = {}
    pools: tuple[str, ...] = ()
    if not candidate.grants:
        limits, pools = use(case, compiled, campaign, moment.instant, 0, True)
    order = None if moment.purchase is None else moment.purchase.order
    for place, key, gift in _gifts_of(case, compiled, campaign, moment.view):
        for n in range(gift.count):
            issue(
                case, compiled, key, "campaign", f"{campaign.key} {place} {n}",
                campaign=campaign.id, order=order, limits=limits, pools=pools,
            )  # fmt: skip
            limits, pools = {}, ()


_points: Final = attrgetter("points")


def _accrue_into(
    case: Case, compiled: Compiled, activity: Activity, tiers: dict[str, str], wallet: str, grants: tuple[Grant, ...]
) -> Accrued:
    """Opens the lot for what was granted into a wallet."""
    data, instant = activity.data, activity.occurred_at
    terms = terms_of(case, compiled, compiled.wallets[wallet], instant, tiers)
    points = sum(map(_points, grants))
    fact = Accrued(
        wallet,
        case.new_lot(),
        points,
        instant,
        grants,
        compiled.number,
        data.order if isinstance(data, Purchase) else None,
        terms.expires_at,
        terms.available_at,
        terms.until,
        terms.tier,
    )
    case.emit(fact)
    if terms.available_at is None:
        repay(case, compiled, wallet, Part(fact.lot, points, fact.at, fact.expires_at, fact.tier))
    return fact
