"""What each form of grant comes to, as a function that is made once per version and called for every activity.

A function of a grant takes the moment, which lines are selected (None: all), and the campaigns that would grant
something so far. It rounds once and says by which weights the points belong to lines; None is nothing to grant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, assert_never

import msgspec

from laurels.core.activity import Activity, Free, Line, Purchase
from laurels.core.calendar import Instant, LocalTime
from laurels.core.facts import Grant, Judged, LineShare
from laurels.core.money import QUANTITY_ONE, allocate, allotted, divide, floor_div, half_up_div, quotient_of
from laurels.core.program.model import (
    Base,
    Bracket,
    Brackets,
    ByTier,
    Fixed,
    Multiply,
    PerAmount,
    PerField,
    PerQuantity,
)
from laurels.core.program.model import Grant as GrantRule

if TYPE_CHECKING:
    from laurels.core.case import View
    from laurels.core.compiled import Compiled, CompiledCampaign, Rated

NO_LINES: Final[tuple[Line, ...]] = ()
NET: Final = Base()

# What is asked of every line of an order is asked without a step of Python for each.
_amounts: Final = attrgetter("amount")
_grosses: Final = attrgetter("gross")
_points: Final = attrgetter("points")


class ActivityView(msgspec.Struct, gc=False):
    """The activity as conditions see it."""

    type: str
    source: str
    id: str
    occurred_at: Instant
    fields: dict[str, Any]


def activity_view(activity: Activity) -> ActivityView:
    """An activity for conditions."""
    fields: dict[str, Any] = activity.data.fields if isinstance(activity.data, Free) else {}
    return ActivityView(activity.type, activity.source, activity.id, activity.occurred_at, fields)


class Moment(msgspec.Struct, gc=False):
    """What conditions and grants read: the activity, the member, the purchase, the local time."""

    view: View
    purchase: Purchase | None
    lines: tuple[Line, ...]
    activity: ActivityView
    at: LocalTime
    instant: Instant
    bases: dict[str, list[int]]


class Granted(msgspec.Struct, gc=False):
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


class Candidate(msgspec.Struct, gc=False):
    """A campaign that would grant something; `by` is the limit that narrowed it."""

    campaign: CompiledCampaign
    grants: list[Granted]
    wanted: int
    by: str | None = None

    @property
    def granted(self) -> int:
        """All points that it would grant."""
        total = 0
        for grant in self.grants:
            total += grant.granted
        return total


Selected = Sequence[bool] | None
Want = Callable[[Moment, Selected, dict[str, Candidate]], Granted | None]
Fraction = tuple[int, int]


def wanting(n: int, grant: GrantRule) -> Want:
    """The function of a campaign's grant number `n`."""
    if isinstance(grant, PerAmount):
        return _per_amount(n, grant)
    if isinstance(grant, Fixed):
        return _fixed(n, grant)
    if isinstance(grant, PerQuantity):
        return _per_quantity(n, grant)
    if isinstance(grant, Multiply):
        return _multiplied(n, grant)
    if isinstance(grant, PerField):
        return _per_field(n, grant)
    if isinstance(grant, Brackets):
        return _bracketed(n, grant)
    assert_never(grant)


def _rates(by_tier: ByTier, per: int) -> tuple[str, dict[str | None, Fraction], Fraction | None]:
    """The track whose tier decides ("": none), the rate over `per` by tier, and that of all others (None: nothing)."""
    rates: dict[str | None, Fraction] = {}
    if by_tier.track:
        rates = {tier: (rate.numerator, rate.denominator * per) for tier, rate in by_tier.tiers.items()}
    default = by_tier.default
    return by_tier.track, rates, None if default is None else (default.numerator, default.denominator * per)


def _chosen(weights: Sequence[int], selected: Selected) -> Sequence[int]:
    if selected is None:
        return weights
    return [weight if chosen else 0 for weight, chosen in zip(weights, selected, strict=True)]


def _per_amount(n: int, grant: PerAmount) -> Want:
    wallet, base, quotient = grant.wallet, grant.base, quotient_of(grant.round)
    key = key_of(base)
    track, rates, default = _rates(grant.points, grant.per)

    def want(moment: Moment, selected: Selected, _candidates: dict[str, Candidate]) -> Granted | None:
        rate = rates.get(moment.view.tier.get(track), default)
        if rate is None:
            return None
        weights = _chosen(amounts_of(moment, key, base), selected)
        points = quotient(sum(weights) * rate[0], rate[1])
        return Granted(n, wallet, points, points, weights) if points > 0 else None

    return want


def _fixed(n: int, grant: Fixed) -> Want:
    wallet = grant.wallet
    track, rates, default = _rates(grant.points, 1)

    def want(moment: Moment, _selected: Selected, _candidates: dict[str, Candidate]) -> Granted | None:
        rate = rates.get(moment.view.tier.get(track), default)
        if rate is None or rate[0] <= 0:
            return None
        return Granted(n, wallet, rate[0], rate[0], None)

    return want


def _per_quantity(n: int, grant: PerQuantity) -> Want:
    wallet, quotient = grant.wallet, quotient_of(grant.round)
    track, rates, default = _rates(grant.points, QUANTITY_ONE)

    def want(moment: Moment, selected: Selected, _candidates: dict[str, Candidate]) -> Granted | None:
        rate = rates.get(moment.view.tier.get(track), default)
        if rate is None:
            return None
        weights = _chosen(_quantities(moment), selected)
        points = quotient(sum(weights) * rate[0], rate[1])
        return Granted(n, wallet, points, points, weights) if points > 0 else None

    return want


def _quantities(moment: Moment) -> list[int]:
    """How much of each line was bought, without the pieces that were for nothing."""
    free = None if moment.purchase is None else moment.purchase.free
    if not free:
        return [line.quantity for line in moment.lines]
    return [line.quantity - free.get(line.line, 0) for line in moment.lines]


def _per_field(n: int, grant: PerField) -> Want:
    wallet, field, rounding = grant.wallet, grant.field, grant.round
    track, rates, default = _rates(grant.points, grant.per)

    def want(moment: Moment, _selected: Selected, _candidates: dict[str, Candidate]) -> Granted | None:
        rate = rates.get(moment.view.tier.get(track), default)
        value = moment.activity.fields.get(field)
        if rate is None or value is None:
            return None
        points = divide(_millionths(value) * rate[0], rate[1], rounding)
        return Granted(n, wallet, points, points, None) if points > 0 else None

    return want


def _millionths(value: Any) -> int:
    """A declared int or decimal in millionths; decimals have at most six places."""
    return int(value.scaleb(6)) if isinstance(value, Decimal) else int(value) * QUANTITY_ONE


def _multiplied(n: int, grant: Multiply) -> Want:
    """(by - 1) x what the base granted into the wallet, on the selected lines."""
    wallet, campaign, rounding = grant.wallet, grant.campaign, grant.round
    track, rates, default = _rates(grant.by, 1)

    def want(moment: Moment, selected: Selected, candidates: dict[str, Candidate]) -> Granted | None:
        rate = rates.get(moment.view.tier.get(track), default)
        if rate is None:
            return None
        points = 0
        weights: Sequence[int] | None = None
        for granted in candidates[campaign].grants:
            if granted.wallet != wallet:
                continue
            allocated = granted.shares()
            if allocated is None:
                points += granted.granted
                continue
            shares = _chosen(allocated, selected)
            weights = shares if weights is None else [a + b for a, b in zip(weights, shares, strict=True)]
            points += sum(shares)
        points = divide(points * (rate[0] - rate[1]), rate[1], rounding)
        return Granted(n, wallet, points, points, weights) if points > 0 else None

    return want


def _bracketed(n: int, grant: Brackets) -> Want:
    """Points for a base by its brackets: marginal rates, or the fixed number of the highest bracket reached."""
    wallet, base = grant.wallet, grant.base
    key = key_of(base)
    points_of = _by_highest(grant.brackets) if grant.brackets[0].fixed is not None else _by_parts(grant)

    def want(moment: Moment, selected: Selected, _candidates: dict[str, Candidate]) -> Granted | None:
        weights = _chosen(amounts_of(moment, key, base), selected)
        points = points_of(sum(weights))
        return Granted(n, wallet, points, points, weights) if points > 0 else None

    return want


def _by_highest(brackets: tuple[Bracket, ...]) -> Callable[[int], int]:
    def points_of(amount: int) -> int:
        points = 0
        for bracket in brackets:
            if amount >= bracket.start:
                points = bracket.fixed or 0
        return points

    return points_of


def _by_parts(grant: Brackets) -> Callable[[int], int]:
    brackets = grant.brackets
    common = 1
    for bracket in brackets:
        if bracket.points is not None:
            common *= bracket.points.denominator

    def points_of(amount: int) -> int:
        numerator = 0
        for n, bracket in enumerate(brackets):
            end = brackets[n + 1].start if n + 1 < len(brackets) else amount
            part = min(amount, end) - bracket.start
            if part > 0 and bracket.points is not None:
                numerator += part * bracket.points.numerator * floor_div(common, bracket.points.denominator)
        return divide(numerator, common * grant.per, grant.round)

    return points_of


def key_of(base: Base) -> str:
    """A base by name: grants with the same one share what it comes to."""
    return " ".join((base.of, *sorted(base.but)))


def amounts_of(moment: Moment, key: str, base: Base) -> list[int]:
    """The money of each line that counts, kept under the base's key for the next campaign that asks."""
    amounts = moment.bases.get(key)
    if amounts is None:
        amounts = moment.bases[key] = base_amounts(moment.purchase, base)
    return amounts


def line_shares(lines: Sequence[str], parts: tuple[int, ...]) -> tuple[LineShare, ...]:
    """What each of these lines gets, without those that get nothing."""
    shares = map(LineShare, lines, parts)
    return tuple(filter(_points, shares) if 0 in parts else shares)


def bonuses(
    compiled: Compiled, tiers: dict[str, str], lines: Sequence[str], grants: dict[str, list[Grant]], rated: list[Rated]
) -> list[Judged]:
    """Adds what tiers give over what rate campaigns granted, as grants of their own; what is said of it."""
    judged: list[Judged] = []
    for track, tier in tiers.items():
        factors = compiled.multipliers.get((track, tier))
        if factors is None:
            continue
        rule = f"{track}.{tier}"
        for id, n, wallet, granted, parts in rated:
            factor = factors.get(wallet)
            if factor is None:
                continue
            points = floor_div(granted * factor[0], factor[1])
            if points > 0:
                shares = () if parts is None else line_shares(lines, allotted(points, parts, granted))
                grants[wallet].append(Grant(id, points, shares, n, None, rule))
                judged.append(Judged(id, "applied", points, points, wallet, rule))
    return judged


def net_of(purchase: Purchase) -> int:
    """What a purchase comes to as tracks measure it: as paid, without what is neither goods nor money."""
    if purchase.only_products and not purchase.tenders:
        return purchase.total
    return sum(base_amounts(purchase, NET))


def base_amounts(purchase: Purchase | None, base: Base) -> list[int]:
    """The money of each line that counts, in minor units. What other tenders paid is shared over all lines."""
    if purchase is None:
        return []
    of, but = base.of, base.but
    lines = purchase.lines
    if of == "net":
        amounts = list(map(_amounts, lines))
    elif of == "gross":
        amounts = list(map(_grosses, lines))
    else:
        amounts = [line.amount - line.tax for line in lines]
    if not purchase.only_products:
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
