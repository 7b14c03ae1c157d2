"""Limits: the most a member, or all members together, get from a campaign.

A limit counts in the period in which the activity occurred. What a return takes back is given back to the same period,
and nothing is granted after the fact because of it. Budgets are pools: `circumstances` says what was used of them, and
the shell decides again under a lock when less is left than was wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from laurels.core.apply import USES_IN_ROOT, uses_key
from laurels.core.calendar import Instant
from laurels.core.compiled import Compiled, CompiledCampaign, CompiledLimit, Trigger
from laurels.core.facts import CooldownStarted, Judged, LimitUsed, Priced
from laurels.core.member import Measures, Use
from laurels.core.program.model import Budget, Cooldown, MemberLimit

if TYPE_CHECKING:
    from laurels.core.case import Case
    from laurels.core.pricelist import Pricelist


class Limited(Protocol):
    """What has limits: a campaign, a kind of voucher, or a promotion that takes money off (its points are minor units).

    `id` and `key` are as those of campaigns; `cooldown` is under which key its last use is kept.
    """

    @property
    def id(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def cooldown(self) -> str: ...
    @property
    def limits(self) -> tuple[CompiledLimit, ...]: ...


class Room(msgspec.Struct, gc=False):
    """How many points may be granted, what narrowed it (`by`, a limit's name), and the code if it is nothing."""

    points: int
    code: str = "applied"
    by: str | None = None


def room_of(
    case: Case,
    compiled: Compiled,
    each: Limited,
    instant: Instant,
    wanted: int,
    recorded: dict[str, int] | None = None,
) -> Room:
    """The room that a campaign's limits leave for `wanted` points at an instant, or left when `recorded` was (`lefts`).

    A limit that was not recorded does not narrow anything.
    """
    room = Room(wanted)
    for compiled_limit in each.limits:
        limit, name = compiled_limit.limit, compiled_limit.name
        if recorded is not None:
            left = recorded.get(f"{each.id}/{name}", wanted)
        else:
            left = left_of(case, compiled, each, compiled_limit, instant)
        if isinstance(limit, Cooldown):
            if left <= 0:
                return Room(0, "cooldown", name)
            continue
        if limit.unit == "times":
            left = wanted if left > 0 else 0
        if left >= room.points:
            continue
        budget = isinstance(limit, Budget)
        if left <= 0 or limit.over == "refuse":
            return Room(0, "budget_exhausted" if budget else "limit_reached", name)
        room = Room(left, "applied", name)
    return room


def lefts(case: Case, compiled: Compiled, campaigns: tuple[CompiledCampaign, ...], instant: Instant) -> dict[str, int]:
    """What is left of each limit of campaigns at an instant, to be recorded: returns judge by the room there was."""
    return {
        f"{each.id}/{limit.name}": left_of(case, compiled, each, limit, instant)
        for each in campaigns
        for limit in each.limits
    }


def left_of(case: Case, compiled: Compiled, each: Limited, compiled_limit: CompiledLimit, instant: Instant) -> int:
    """What is left of a limit for the period of an instant; may be negative after the program lowered it.

    A period so long ago that its use may be forgotten counts as used up: a limit is never exceeded. A cooldown leaves
    1 or nothing; while the last grant is ahead of an instant, or too near, nothing.
    """
    limit, key = compiled_limit.limit, compiled_limit.key
    if isinstance(limit, Cooldown):
        until = case.root.cooldowns.get(each.cooldown)
        return int(until is None or instant >= until)
    if isinstance(limit, Budget):
        return limit.most - case.pools.get(key, 0)
    return left_in(case, compiled, limit, key, period_of(compiled, limit, instant))


def left_in(case: Case, compiled: Compiled, limit: MemberLimit, key: str, period: Instant) -> int:
    """What is left of a member's limit in the period that began then."""
    uses = case.root.limits.get(key, ())
    for use_of in uses:
        if use_of.period == period:
            return limit.most - use_of.used
    if not _is_earlier(uses, period):
        return limit.most
    known = case.draft.get(uses_key(key))
    if isinstance(known, Measures):
        for measure in known.days:
            if measure.window == period:
                return limit.most - measure.values[0]
        return 0 if period < _oldest_period(case, compiled, limit) else limit.most
    return limit.most


def _is_earlier(uses: tuple[Use, ...], period: Instant) -> bool:
    """Whether a period lies before those that the root holds, so that a document of its own knows of it."""
    return len(uses) > 1 and period < uses[0].period


def _oldest_period(case: Case, compiled: Compiled, limit: MemberLimit) -> Instant:
    """The period of the earliest instant at which late activities are still judged as of their time."""
    return period_of(compiled, limit, compiled.zone.add(case.at, -compiled.program.late_horizon))


def period_of(compiled: Compiled, limit: MemberLimit, instant: Instant) -> Instant:
    """The instant at which the limit's period began; 0 where everything is one period."""
    if isinstance(limit.every, str):
        return 0
    return compiled.zone.period_start(instant, limit.every)


def wished(trigger: Trigger, judged: Iterable[Judged]) -> Iterator[tuple[str, Budget, int]]:
    """Of each budget that a judgement looked at: its pool, itself, and all that its campaign wanted of it.

    While so much more is left of a budget than all activities wanted, none of them would have been judged otherwise.
    """
    wanted = {each.campaign: each.wanted for each in judged if each.wanted and not _is_tier_bonus(each)}
    for campaign in trigger.campaigns:
        for pool, limit in campaign.budget_pools:
            points = wanted.get(campaign.id, 0)
            if points:
                yield pool, limit, points if limit.unit == "points" else 1


def wished_money(pricelist: Pricelist, priced: Priced) -> Iterator[tuple[str, Budget, int]]:
    """The same for the budgets of promotions that take money off."""
    for offered in priced.offers:
        promotion = pricelist.promotions.get(offered.promotion)
        if promotion is not None and offered.wanted:
            for pool, limit in promotion.budget_pools:
                yield pool, limit, offered.wanted if limit.unit == "money" else 1


def _is_tier_bonus(judged: Judged) -> bool:
    return judged.by is not None and "." in judged.by


def use(
    case: Case, compiled: Compiled, each: Limited, instant: Instant, points: int, first: bool
) -> tuple[dict[str, Instant], tuple[str, ...]]:
    """Counts a grant against the campaign's limits and budgets; which ones, for returns.

    `first` says that this is the campaign's first grant on the activity, which is what limits in times count.
    """
    periods: dict[str, Instant] = {}
    pools: list[str] = []
    for compiled_limit in each.limits:
        limit, key = compiled_limit.limit, compiled_limit.key
        if isinstance(limit, Cooldown):
            if first:
                case.emit(CooldownStarted(each.cooldown, instant, compiled.zone.add(instant, limit.wait)))
            continue
        by = int(first) if limit.unit == "times" else points
        if by == 0:
            continue
        if isinstance(limit, Budget):
            case.claim(key, by)
            pools.append(key)
        else:
            periods[key] = period_of(compiled, limit, instant)
            use_in(case, compiled, limit, key, periods[key], by)
    return periods, tuple(pools)


def use_in(case: Case, compiled: Compiled, limit: MemberLimit, key: str, period: Instant, by: int) -> None:
    """Counts against a member's limit in the period that began then."""
    uses = case.root.limits.get(key, ())
    moves = len(uses) >= USES_IN_ROOT or _is_earlier(uses, period)
    case.emit(LimitUsed(key, period, by, _oldest_period(case, compiled, limit) if moves else 0))


def give_use_back(case: Case, limits: Mapping[str, Instant], pools: Iterable[str], amount: int, *, whole: bool) -> None:
    """Limits and budgets get an amount back in the period in which it counted; those in times, where all of it is."""
    for key, period in limits.items():
        by = int(whole) if key.endswith("_times") else amount
        if by:
            case.emit(LimitUsed(key, period, -by))
    for pool in pools:
        by = int(whole) if pool.endswith("/times") else amount
        if by:
            case.claim(pool, -by)
