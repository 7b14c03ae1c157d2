"""Whether a rule gives members less than another: the judgement behind "takes something from members".

Each function says whether `after` may leave a member with less than `before` did. Where two rules cannot be put in
an order (another condition, another measure) the answer is yes: a warning too many is read and waved through, one
too few is a broken promise. Durations of months and of days are compared by their usual length, and only where they
differ in kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from laurels.core.calendar import MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND, Duration, Period
from laurels.core.money import Rate, Rounding, floor_div
from laurels.core.program.model import (
    After,
    Base,
    Brackets,
    ByTier,
    Cooldown,
    During,
    ExpiryRule,
    Fixed,
    Grant,
    HoldsUntil,
    Inactive,
    Limit,
    Metric,
    Multiply,
    Never,
    OnDates,
    Pending,
    PerAmount,
    PerField,
    PointsAsMoney,
    Slot,
    Window,
)
from laurels.core.program.offers_model import (
    AmountOff,
    Floor,
    Gives,
    Multiplier,
    PercentOff,
    Points,
    Price,
    Shipping,
    Step,
    Steps,
)
from laurels.core.program.vouchers_model import VoucherGift
from laurels.core.program.within_model import AfterEnrolment, AroundBirthday, Within

# The usual month: 400 years of 146,097 days in 4,800 parts.
_MONTH: Final = 2_629_746 * MICROSECONDS_PER_SECOND
_PERIODS: Final[Mapping[Period, int]] = MappingProxyType(
    {
        Period.DAY: MICROSECONDS_PER_DAY,
        Period.WEEK: 7 * MICROSECONDS_PER_DAY,
        Period.MONTH: _MONTH,
        Period.QUARTER: 3 * _MONTH,
        Period.HALF_YEAR: 6 * _MONTH,
        Period.YEAR: 12 * _MONTH,
    }
)
_FOREVER: Final = 1_000_000 * _MONTH
_NOTHING: Final = Rate(0, 1)
_ONE: Final = Rate(1, 1)
_ROUNDINGS: Final = (Rounding.DOWN, Rounding.HALF_EVEN, Rounding.HALF_UP, Rounding.UP)
_AMOUNTS: Final = ("net_of_tax", "net", "gross")
_FALLS: Final = ("never", "one_step", "to_earned")
_MODES: Final = ("all", "best", "first", "exclusive")
_POLICIES: Final = ("pending_only", "within_balance", "debt")
_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

SpentPolicy = tuple[str, int | None, bool]
Measure = tuple[tuple[Metric, ...], str]


def length(duration: Duration | None) -> int:
    """The usual length in microseconds; nothing is zero."""
    if duration is None:
        return 0
    return duration.months * _MONTH + duration.days * MICROSECONDS_PER_DAY + duration.microseconds


def shorter(before: Duration | None, after: Duration | None) -> bool:
    """Whether a stretch of time that favours members got shorter."""
    return length(after) < length(before)


def longer(before: Duration | None, after: Duration | None) -> bool:
    """Whether a stretch of time that members wait out got longer."""
    return length(after) > length(before)


def expires_sooner(before: ExpiryRule, after: ExpiryRule) -> bool:
    """Whether some points would live less long."""
    if isinstance(after, Never):
        return False
    if isinstance(before, Inactive) and isinstance(after, Inactive) and before.kept_by - after.kept_by:
        return True
    if isinstance(before, OnDates) and isinstance(after, OnDates) and set(after.dates) - set(before.dates):
        return True
    (least_before, most_before), (least_after, most_after) = _lives(before), _lives(after)
    return least_after < least_before or most_after < most_before


def _lives(rule: ExpiryRule) -> tuple[int, int]:
    """The least and the most time that points live; a member who stays active keeps them for ever."""
    match rule:
        case After():
            return length(rule.after), length(rule.after) + (_PERIODS[rule.round] if rule.round else 0)
        case OnDates():
            return length(rule.at_least), length(rule.at_least) + _widest_gap(rule.dates)
        case Inactive():
            return length(rule.inactive_for), _FOREVER
        case _:
            return _FOREVER, _FOREVER


def _widest_gap(dates: tuple[tuple[int, int], ...]) -> int:
    """The longest time from one of these days to the next."""
    places = sorted((month - 1) * _MONTH + day * MICROSECONDS_PER_DAY for month, day in dates)
    following = [*places[1:], *(place + 12 * _MONTH for place in places[:1])]
    return max((late - early for early, late in zip(places, following, strict=True)), default=12 * _MONTH)


def waits_longer(before: Pending | None, after: Pending | None) -> bool:
    """Whether some points would become available later."""
    if after is None:
        return False
    if before is None or before.until != after.until:
        return True
    return longer(before.wait, after.wait)


def takes_more_back(before: SpentPolicy, after: SpentPolicy) -> bool:
    """Whether a return of spent points would cost more: policy, limit of debt (None: none) and freeze."""
    (policy, limit, freeze), (new_policy, new_limit, new_freeze) = before, after
    if policy != new_policy:
        return _POLICIES.index(new_policy) > _POLICIES.index(policy)
    if limit is not None and (new_limit is None or new_limit > limit):
        return True
    return new_freeze and not freeze


def pays_less(before: PointsAsMoney | None, after: PointsAsMoney | None) -> bool:
    """Whether points would pay less at the till, or less freely."""
    if before is None or after is None:
        return after is None
    return (
        after.worth * before.points < before.worth * after.points
        or after.minimum > before.minimum
        or math.gcd(before.multiple, after.multiple) != after.multiple
        or rate_lower(before.largest_share or _ONE, after.largest_share or _ONE)
    )


def measures_otherwise(before: Measure, after: Measure) -> bool:
    """Whether a member may now measure less: yes, unless one of the same measures is now enough, or pending counts."""
    (metrics, need), (new_metrics, new_need) = before, after
    if metrics == new_metrics:
        return need == "any" and new_need == "all"
    pairs = list(zip(metrics, new_metrics, strict=False))
    waits = any(each.include_pending and not now.include_pending for each, now in pairs)
    counting = tuple(replace(each, include_pending=now.include_pending) for each, now in pairs)
    return need != new_need or waits or counting != new_metrics or len(metrics) != len(new_metrics)


def looks_back_otherwise(before: Window, after: Window) -> bool:
    """Whether less may count towards a tier; only a longer window of its own sort, or all of life, counts no less."""
    if after.kind == "lifetime":
        return False
    return before.kind != after.kind or after.kind != "rolling" or shorter(before.length, after.length)


def holds_shorter(before: HoldsUntil, after: HoldsUntil) -> bool:
    """Whether a tier would end earlier."""
    return after.windows < before.windows or (after.windows == before.windows and shorter(before.plus, after.plus))


def falls_further(before: str, after: str) -> bool:
    """Whether members who do not keep their tier would fall further."""
    return _FALLS.index(after) > _FALLS.index(before)


def any_higher(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether some threshold was raised."""
    return len(before) != len(after) or any(new > old for old, new in zip(before, after, strict=True))


def rated_lower(before: ByTier, after: ByTier, per_before: int = 1, per_after: int = 1) -> bool:
    """Whether a member on some tier would get less per unit."""
    if before.track and after.track and before.track != after.track:
        return True
    for tier in {None, *before.tiers, *after.tiers}:
        old = (before.tiers.get(tier, before.default) if tier is not None else before.default) or _NOTHING
        new = (after.tiers.get(tier, after.default) if tier is not None else after.default) or _NOTHING
        if new.numerator * old.denominator * per_before < old.numerator * new.denominator * per_after:
            return True
    return False


def rate_lower(before: Rate, after: Rate) -> bool:
    """Whether a multiplier got lower."""
    return after.numerator * before.denominator < before.numerator * after.denominator


def asks_otherwise(_before: str, after: str) -> bool:
    """Whether a changed condition may leave somebody out; only one that is gone leaves out nobody."""
    return after != "always"


def grants_less(before: Grant, after: Grant) -> bool:
    """Whether some activity would earn less; two sorts of grant cannot be compared."""
    if after.wallet != before.wallet:
        return True
    if isinstance(before, Fixed) or isinstance(after, Fixed):
        return not (isinstance(before, Fixed) and isinstance(after, Fixed)) or rated_lower(before.points, after.points)
    if _ROUNDINGS.index(after.round) < _ROUNDINGS.index(before.round):
        return True
    match before, after:
        case PerAmount(), PerAmount():
            return _counts_less(before.base, after.base) or rated_lower(
                before.points, after.points, before.per, after.per
            )
        case PerField(), PerField():
            return before.field != after.field or rated_lower(before.points, after.points, before.per, after.per)
        case Multiply(), Multiply():
            return before.campaign != after.campaign or rated_lower(before.by, after.by)
        case Brackets(), Brackets():
            return _counts_less(before.base, after.base) or _bracketed_lower(before, after)
        case (PerAmount() | PerField() | Multiply() | Brackets(), _) | (
            _,
            PerAmount() | PerField() | Multiply() | Brackets(),
        ):
            return True
        case _:
            return rated_lower(before.points, after.points)


def _counts_less(before: Base, after: Base) -> bool:
    return _AMOUNTS.index(after.of) < _AMOUNTS.index(before.of) or bool(after.but - before.but)


def _bracketed_lower(before: Brackets, after: Brackets) -> bool:
    """Points by amount are straight lines between the starts of brackets, so that these and the last rates decide."""
    if _is_fixed(before) != _is_fixed(after):
        return True
    every = [bracket for grant in (before, after) for bracket in grant.brackets]
    scale = math.lcm(*(bracket.points.denominator for bracket in every if bracket.points is not None))
    if _slope(after, -1, scale) * before.per < _slope(before, -1, scale) * after.per:
        return True
    return any(
        _bracketed(after, bracket.start, scale) * before.per < _bracketed(before, bracket.start, scale) * after.per
        for bracket in every
    )


def _is_fixed(grant: Brackets) -> bool:
    return any(bracket.fixed is not None for bracket in grant.brackets)


def _slope(grant: Brackets, place: int, scale: int) -> int:
    """The rate of a bracket times `scale`, which its denominator divides; nothing for one with fixed points."""
    rate = grant.brackets[place].points or _NOTHING
    return rate.numerator * floor_div(scale, rate.denominator)


def _bracketed(grant: Brackets, amount: int, scale: int) -> int:
    """The points of an amount, times `scale` and `per`."""
    points = 0
    for place, bracket in enumerate(grant.brackets):
        if bracket.start > amount:
            break
        if bracket.fixed is not None:
            points = bracket.fixed * scale * grant.per
        else:
            following = grant.brackets[place + 1 : place + 2]
            end = min(amount, following[0].start) if following else amount
            points += _slope(grant, place, scale) * (end - bracket.start)
    return points


def gives_fewer(before: tuple[VoucherGift, ...], after: tuple[VoucherGift, ...]) -> bool:
    """Whether a campaign would give fewer things besides points."""
    wanted = [(gift, tier) for gift in before for tier in gift.tiers or ("",)]
    return any(_given(after, gift, tier) < _given(before, gift, tier) for gift, tier in wanted)


def _given(gifts: tuple[VoucherGift, ...], like: VoucherGift, tier: str) -> int:
    """How many of a gift's kind those on a tier get; "" is whoever stands nowhere in particular."""
    return sum(
        gift.count
        for gift in gifts
        if gift.voucher == like.voucher and (not gift.track or (gift.track == like.track and tier in gift.tiers))
    )


def limits_more(before: Limit, after: Limit) -> bool:
    """Whether a limit of the same sort would leave members less."""
    if isinstance(before, Cooldown) or isinstance(after, Cooldown):
        return isinstance(before, Cooldown) and isinstance(after, Cooldown) and longer(before.wait, after.wait)
    return after.most < before.most or (after.over == "refuse" and before.over == "trim")


def runs_less(before: During, after: During) -> bool:
    """Whether a campaign would not run at some time at which it ran."""
    starts_later = after.start is not None and (before.start is None or after.start > before.start)
    ends_earlier = after.end is not None and (before.end is None or after.end < before.end)
    if starts_later or ends_earlier or not after.weekly:
        return starts_later or ends_earlier
    slots = before.weekly or (Slot(frozenset(_WEEK)),)
    return any(not _covers(after.weekly, day, slot) for slot in slots for day in slot.days)


def lasts_less(before: Within | None, after: Within | None) -> bool:
    """Whether a time of the member's own leaves out some of what it was."""
    match before, after:
        case AfterEnrolment(), AfterEnrolment():
            return shorter(before.time, after.time)
        case AroundBirthday(), AroundBirthday() if before.field == after.field:
            return after.days_before < before.days_before or after.days_after < before.days_after
        case _:
            return after is not None


def _covers(slots: Iterable[Slot], day: str, wanted: Slot) -> bool:
    reached = wanted.start
    for slot in sorted((slot for slot in slots if day in slot.days), key=lambda slot: slot.start):
        if slot.start <= reached:
            reached = max(reached, slot.end)
    return reached >= wanted.end


def gives_less(before: Gives, after: Gives) -> bool:
    """Whether an offer would give less to some cart. Only plain amounts, parts, steps and prices can be compared."""
    match before, after:
        case AmountOff(), AmountOff():
            return after.amount < before.amount
        case PercentOff(), PercentOff():
            return _is_less(after.percent, before.percent) or _bounds_more(before.most, after.most)
        case Steps(), Steps() if before.repeat == after.repeat:
            return any(_steps_less(step, after.steps) for step in before.steps)
        case Price(), Price():
            return after.price > before.price
        case Shipping(), Shipping():
            return _is_less(after.percent, before.percent)
        case Multiplier(), Multiplier() if before.wallet == after.wallet:
            return _is_less(after.by, before.by)
        case Points(), Points() if (before.wallet, before.new) == (after.wallet, after.new):
            return after.points < before.points
        case _:
            return True


def _is_less(one: Rate, other: Rate) -> bool:
    return one.numerator * other.denominator < other.numerator * one.denominator


def _bounds_more(before: int | None, after: int | None) -> bool:
    return after is not None and (before is None or after < before)


def _steps_less(step: Step, steps: tuple[Step, ...]) -> bool:
    """Whether those who reach a step would get less at the highest step that they reach now."""
    reached = [each for each in steps if each.spend <= step.spend]
    if not reached or (reached[-1].percent is None) != (step.percent is None):
        return True
    now = reached[-1]
    if now.percent is not None and step.percent is not None:
        return _is_less(now.percent, step.percent)
    return (now.off or 0) < (step.off or 0)


def keeps_more(before: Floor, after: Floor) -> bool:
    """Whether a floor would keep some price higher."""
    return _is_less(before.share, after.share) or (after.cost is not None and after.cost != before.cost)


def rounds_less(before: Rounding, after: Rounding) -> bool:
    """Whether a rounding gives less."""
    return _ROUNDINGS.index(after) < _ROUNDINGS.index(before)


def narrows(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Whether some place is no longer among those named; naming none names all."""
    return bool(after) and (not before or bool(set(before) - set(after)))


def leaves_out_more(mode: str) -> Callable[[tuple[str, ...], tuple[str, ...]], bool]:
    """Whether a group of that mode would now leave out campaigns: new ones in it, or, where the first is given, by
    another order."""

    def judge(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
        common = [member for member in before if member in after]
        is_reordered = common != [member for member in after if member in before]
        return mode != "all" and (bool(set(after) - set(before)) or (mode != "best" and is_reordered))

    return judge


def chooses_more(before: str, after: str) -> bool:
    """Whether a group would leave out campaigns that it gave."""
    return _MODES.index(after) > _MODES.index(before)
