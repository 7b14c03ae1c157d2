"""A trigger's campaigns written out as one Python function, the way each rule already is one.

`accrual` says what judging and granting mean, for campaigns of every form. What is written here says the same of the
campaigns of one trigger, one after the other with their own words and numbers, and so need not ask of each what it is:
it takes half the time. Only triggers without groups whose campaigns have one grant of a common form are written out;
for these a property holds both readings to the same facts. `source_of` shows the function to a reader.
"""

from __future__ import annotations

import re
from operator import attrgetter
from types import FunctionType
from typing import Any, Final, cast

from laurels.core.compiled import CompiledCampaign, CompiledLimit, Trigger, Writ
from laurels.core.facts import CooldownStarted, Grant, Judged, PoolClaimed
from laurels.core.granting import Fraction, activity_view, base_amounts, bonuses, key_of, line_shares
from laurels.core.limit import left_in, room_of, use, use_in
from laurels.core.member import NEVER
from laurels.core.money import QUANTITY_ONE, Rate, Rounding, allotted, quotient_of
from laurels.core.program.model import Base, Budget, ByTier, Cooldown, Fixed, Multiply, PerAmount, PerQuantity
from laurels.core.rule.python import BUILTINS, expression_of

COMMON: Final = (PerAmount, Fixed, PerQuantity, Multiply)
"""Forms of grant that are written out."""

DAY: Final = ((0, 86_400),)

NAMES: Final = {
    "Grant": Grant,
    "Judged": Judged,
    "CooldownStarted": CooldownStarted,
    "PoolClaimed": PoolClaimed,
    "activity_view": activity_view,
    "allotted": allotted,
    "base_amounts": base_amounts,
    "bonuses": bonuses,
    "ids_of": attrgetter("line"),
    "left_in": left_in,
    "line_shares": line_shares,
    "quantities_of": attrgetter("quantity"),
    "room_of": room_of,
    "use": use,
    "use_in": use_in,
}
"""What the function may call, besides what belongs to single campaigns."""

HEAD: Final = "def written(case, compiled, trigger, sent, member):"
WHAT: Final = "instant, root, zone, tier = sent.occurred_at, case.root, compiled.zone, member.tier"
OF_ORDER: Final = ("purchase, lines = sent.data, sent.data.lines", "ids = list(map(ids_of, lines))")
OF_OTHERS: Final = ("purchase, lines, ids = None, (), ()",)


def write(trigger: Trigger) -> Writ | None:
    """The function of a trigger whose campaigns are of the common forms; None for others."""
    if not is_common(trigger):
        return None
    writer = _Writer(trigger)
    exec(compile(writer.source(), "<trigger>", "exec"), writer.names)  # noqa: S102  (texts of authors are a repr in it)
    function = writer.names["written"]
    assert isinstance(function, FunctionType)
    return cast(Writ, function)


def source_of(trigger: Trigger) -> str:
    """The source of a trigger's function."""
    return _Writer(trigger).source()


def is_common(trigger: Trigger) -> bool:
    """Whether a trigger can be written out: whatever it multiplies are points that belong to lines."""
    if trigger.groups:
        return False
    by_line: set[tuple[str, str]] = set()
    for each in trigger.campaigns:
        if each.gifts:
            return False
        grant = each.grants[0]
        if each.promotion is not None or each.reaches is not None or each.keeps is not None:
            return False
        if len(each.grants) > 1 or not isinstance(grant, COMMON):
            return False
        if isinstance(grant, Multiply) and (grant.campaign, grant.wallet) not in by_line:
            return False
        if not isinstance(grant, Fixed):
            by_line.add((each.id, grant.wallet))
    return True


class _Writer:
    """Writes the function; `names` are the values that its source refers to."""

    def __init__(self, trigger: Trigger) -> None:
        self.names: dict[str, Any] = {
            "__builtins__": {
                **BUILTINS,
                "list": list,
                "map": map,
                "sum": sum,
                "zip": zip,
            },
            **NAMES,
        }
        self._campaigns = trigger.campaigns
        self._places = {each.id: n for n, each in enumerate(trigger.campaigns)}
        self._multiplied = frozenset(base for each in trigger.campaigns for base in each.multiplies)
        self._is_rated = any(each.rated[0] for each in trigger.campaigns)
        wallets = {each.grants[0].wallet for each in trigger.campaigns}
        self._only_wallet = wallets.pop() if len(wallets) == 1 else None
        self._bases: dict[str, str] = {}

    def source(self) -> str:
        """The whole function, a paragraph for each campaign."""
        paragraphs: list[str] = []
        for n, each in enumerate(self._campaigns):
            paragraphs.append(f"\n    # {each.id}")
            if each.id in self._multiplied:
                paragraphs.append(f"    points_{n}, parts_{n} = 0, ()")
            paragraphs += [f"    {line}" for line in self._campaign(n, each)]
        said = "".join([f"said_{n}, " for n in range(len(self._campaigns))])
        end: list[str] = []
        if self._only_wallet is not None:
            end.append(f"by_wallet = {{{self._only_wallet!r}: grants}} if grants else {{}}")
        if self._is_rated:
            end.append("if rated and compiled.multipliers:")
            end.append(f"    return by_wallet, ({said}*bonuses(compiled, tier, ids, by_wallet, rated))")
        end.append(f"return by_wallet, ({said})")
        return "\n".join([HEAD, *[f"    {line}" for line in self._head(paragraphs)], *paragraphs,
                          "", *[f"    {line}" for line in end], ""])  # fmt: skip

    def _head(self, paragraphs: list[str]) -> list[str]:
        """What the paragraphs refer to."""
        text = "\n".join(paragraphs)
        lines = [WHAT, *(OF_ORDER if self._campaigns[0].campaign.on == "purchase" else OF_OTHERS)]
        if re.search(r"\bat\b", text):
            lines.append("at = zone.local(instant)")
        if re.search(r"\bactivity\b", text):
            lines.append("activity = activity_view(sent)")
        lines += [f"{amounts} = None" for amounts in self._bases.values()]
        if self._is_rated:
            lines.append("rated = []")
        return [*lines, "by_wallet = {}" if self._only_wallet is None else "grants = []"]

    def _campaign(self, n: int, each: CompiledCampaign) -> list[str]:
        ladder: list[str] = []
        for condition, code in self._hurdles(n, each):
            said = self._name(f"{code}_{n}", each.skipped[code])
            ladder += [f"{'elif' if ladder else 'if'} {condition}:", f"    said_{n} = {said}"]
        wanted = [*self._wanted(n, each), *self._positive(n, each)]
        return [*ladder, "else:", *_within(wanted)] if ladder else wanted

    def _hurdles(self, n: int, each: CompiledCampaign) -> list[tuple[str, str]]:
        """What keeps a campaign from granting anything, in the order asked, each with its code."""
        hurdles: list[tuple[str, str]] = []
        if (each.start, each.end) != (-NEVER, NEVER):
            hurdles.append((f"not {each.start} <= instant < {each.end}", "outside_window"))
        if each.weekly is not None:
            if all(hours == DAY for hours in each.weekly.values()):
                days = self._name(f"days_{n}", frozenset(each.weekly))
                hurdles.append((f"zone.weekday_at(instant) not in {days}", "outside_hours"))
            else:
                hours = f"{self._name(f'weekly_{n}', each.weekly)}.get(at.weekday, ())"
                hurdles.append((f"not any(start <= at.second_of_day < end for start, end in {hours})", "outside_hours"))
        if each.within is not None:
            hurdles.append((f"not {self._name(f'within_{n}', each.within)}(zone, member, instant)", "outside_window"))
        if each.campaign.when is not None:
            inside = expression_of(each.campaign.when)
            if inside is None:
                inside = f"{self._name(f'when_{n}', each.when)}(member, purchase, activity, at, None)"
            hurdles.append((f"not ({inside})", "condition_not_met"))
        if each.campaign.lines is not None:
            inside = expression_of(each.campaign.lines)
            asked = f"[{inside} for line in lines]"
            if inside is None:
                asked = f"{self._name(f'lines_{n}', each.lines)}(member, purchase, activity, at, lines)"
            hurdles.append((f"True not in (selected := {asked})", "no_lines"))
        grant = each.grants[0]
        if isinstance(grant, Multiply):
            hurdles.append((f"points_{self._places[grant.campaign]} == 0", "base_not_applied"))
        return hurdles

    def _wanted(self, n: int, each: CompiledCampaign) -> list[str]:
        """Sets `points`, and `weights` with their sum `weight` where they belong to lines."""
        grant = each.grants[0]
        selects = each.lines is not None
        if isinstance(grant, Fixed):
            return self._rated(n, grant.points, 1, "1", Rounding.DOWN)
        if isinstance(grant, PerAmount):
            lines, weights = self._amounts(grant.base)
            by_tier, per, beyond = grant.points, grant.per, 0
        elif isinstance(grant, PerQuantity):
            lines, weights = [], "map(quantities_of, lines)"
            by_tier, per, beyond = grant.points, QUANTITY_ONE, 0
        else:
            assert isinstance(grant, Multiply)
            lines, weights = [], f"parts_{self._places[grant.campaign]}"
            by_tier, per, beyond = grant.by, 1, 1
        weight = "sum(weights)"
        if selects:
            weights = f"[weight if chosen else 0 for weight, chosen in zip({weights}, selected)]"
        elif isinstance(grant, Multiply):
            weight = f"points_{self._places[grant.campaign]}"
        elif isinstance(grant, PerQuantity):
            weights = f"list({weights})"
        lines += [f"weights = {weights}", f"weight = {weight}"]
        return lines + self._rated(n, by_tier, per, "weight", grant.round, beyond=beyond)

    def _amounts(self, base: Base) -> tuple[list[str], str]:
        """Sees to it that the money of each line is there that counts for a base; its name."""
        amounts = self._bases.setdefault(key_of(base), f"amounts_{len(self._bases)}")
        based = self._name(f"base_of_{amounts}", base)
        return [f"if {amounts} is None:", f"    {amounts} = base_amounts(purchase, {based})"], amounts

    def _rated(
        self, n: int, by_tier: ByTier, per: int, amount: str, rounding: Rounding, *, beyond: int = 0
    ) -> list[str]:
        """Sets `points` to the amount x (the member's rate - `beyond`) / `per`."""
        quotient = self._name(rounding.value, quotient_of(rounding))
        if by_tier.track:
            rates = self._name(f"rates_{n}", {tier: _rate(rate, per, beyond) for tier, rate in by_tier.tiers.items()})
            default = self._name(f"rate_{n}", _rate(by_tier.default, per, beyond))
            divided = f"{quotient}({amount} * rate[0], rate[1])"
            if rounding is Rounding.DOWN:
                divided = f"{amount} * rate[0] // rate[1]"
            return [
                f"rate = {rates}.get(tier.get({by_tier.track!r}), {default})",
                f"points = 0 if rate is None else {divided}",
            ]
        rate = _rate(by_tier.default, per, beyond)
        if rate is None:
            return ["points = 0"]
        if amount == "1":
            return [f"points = {rate[0]}"]
        points = amount if rate[0] == 1 else f"{amount} * {rate[0]}"
        if rounding is Rounding.DOWN or rate[1] == 1:
            return [f"points = {points}" if rate[1] == 1 else f"points = {points} // {rate[1]}"]
        return [f"points = {quotient}({points}, {rate[1]})"]

    def _positive(self, n: int, each: CompiledCampaign) -> list[str]:
        """Grants `points` unless there are none; what is known of them beforehand is not asked."""
        nothing = f"said_{n} = {self._name(f'nothing_to_grant_{n}', each.skipped['nothing_to_grant'])}"
        grant = each.grants[0]
        always: int | None = None
        if isinstance(grant, Fixed) and not grant.points.track:
            rate = _rate(grant.points.default, 1, 0)
            always = 0 if rate is None else rate[0]
            if always <= 0:
                return [nothing]
        granted = self._granted(n, each, always)
        return granted if always else ["if points <= 0:", f"    {nothing}", "else:", *_within(granted)]

    def _granted(self, n: int, each: CompiledCampaign, always: int | None) -> list[str]:
        """Grants `points`, which are `always` so many where that is known, as far as limits leave room; says so."""
        id, wallet = each.id, each.grants[0].wallet
        shares = "()" if isinstance(each.grants[0], Fixed) else "line_shares(ids, parts)"
        allocated = [] if shares == "()" else ["parts = allotted(points, weights, weight)"]
        applied = f"Judged({id!r}, 'applied', points, points, {wallet!r})"
        granted = f"Grant({id!r}, points, {shares})"
        if always:
            applied = self._name(f"applied_{n}", Judged(id, "applied", always, always, wallet))
            granted = self._name(f"grant_{n}", Grant(id, always))
        free = [*allocated, f"said_{n} = {applied}", *self._given(n, each, granted)]
        if not each.limits:
            return free
        if len(each.limits) > 1:
            return self._narrowed(n, each, allocated, shares)
        (limit,) = each.limits
        key = repr(limit.key)
        if isinstance(limit.limit, Cooldown):
            wait = self._name(f"wait_{n}", limit.limit.wait)
            return [
                f"until = root.cooldowns.get({each.key!r})",
                "if until is not None and instant < until:",
                f"    said_{n} = Judged({id!r}, 'cooldown', points)",
                "else:",
                f"    case.emit(CooldownStarted({each.key!r}, instant, zone.add(instant, {wait})))",
                *_within(free),
            ]
        return [
            *self._left(n, limit),
            f"if {self._is_refused(limit)}:",
            f"    said_{n} = Judged({id!r}, '{_refusal(limit)}', points)",
            "else:",
            *_within(self._trimmed(n, each, limit, allocated, shares, key)),
        ]

    def _left(self, n: int, limit: CompiledLimit) -> list[str]:
        """Sets `left` to what is left of a limit."""
        rule, key = limit.limit, repr(limit.key)
        assert not isinstance(rule, Cooldown)
        if isinstance(rule, Budget):
            return [f"left = {rule.most} - case.pools.get({key}, 0)"]
        period = "0"
        if not isinstance(rule.every, str):
            period = f"zone.period_start(instant, {self._name(f'every_{n}', rule.every)})"
        named = self._name(f"limit_{n}", rule)
        return [
            f"period = {period}",
            f"left = {rule.most} if {key} not in root.limits else left_in(case, compiled, {named}, {key}, period)",
        ]

    def _is_refused(self, limit: CompiledLimit) -> str:
        assert not isinstance(limit.limit, Cooldown)
        trims = limit.limit.unit == "times" or limit.limit.over == "trim"
        return "left <= 0" if trims else "left < points"

    def _trimmed(
        self, n: int, each: CompiledCampaign, limit: CompiledLimit, allocated: list[str], shares: str, key: str
    ) -> list[str]:
        """Grants what is left of a limit, and counts it."""
        id, wallet, rule = each.id, each.grants[0].wallet, limit.limit
        assert not isinstance(rule, Cooldown)
        is_budget, in_points = isinstance(rule, Budget), rule.unit == "points"
        by = "points" if in_points else "1"
        used = f"use_in(case, compiled, limit_{n}, {key}, period, {by})"
        counted, limits, pools = [used], f"{{{key}: period}}", "()"
        if is_budget:
            counted, limits, pools = [f"case.emit(PoolClaimed({key}, {by}))"], "{}", f"({key},)"
            counted.append(f"case.pools[{key}] = case.pools.get({key}, 0) + {by}")
        lines = ["less = None"]
        said = f"said_{n} = Judged({id!r}, 'applied', points, points, {wallet!r})"
        if in_points and rule.over == "trim":
            lines += ["if left < points:", "    less, points = points, left"]
            trimmed = f"Judged({id!r}, 'trimmed', less, points, {wallet!r}, {limit.name!r})"
            said = f"{said} if less is None else {trimmed}"
        granted = f"Grant({id!r}, points, {shares}, 0, less, None, {limits}, {pools})"
        return [*lines, *allocated, *counted, said, *self._given(n, each, granted)]

    def _narrowed(self, n: int, each: CompiledCampaign, allocated: list[str], shares: str) -> list[str]:
        """Grants what several limits leave, and counts it."""
        id, wallet = each.id, each.grants[0].wallet
        campaign = self._name(f"campaign_{n}", each)
        granted = f"Grant({id!r}, points, {shares}, 0, None if points == wanted else wanted, None, limits, pools)"
        return [
            "wanted = points",
            f"room = room_of(case, compiled, {campaign}, instant, wanted)",
            "points = room.points if room.points < wanted else wanted",
            "if points <= 0:",
            f"    said_{n} = Judged({id!r}, room.code, wanted)",
            "else:",
            *_within(allocated),
            f"    limits, pools = use(case, compiled, {campaign}, instant, points, True)",
            "    code = 'applied' if points == wanted else 'trimmed'",
            f"    said_{n} = Judged({id!r}, code, wanted, points, {wallet!r}, room.by)",
            *_within(self._given(n, each, granted)),
        ]

    def _given(self, n: int, each: CompiledCampaign, granted: str) -> list[str]:
        """Keeps a grant, for its wallet and for what is granted over it."""
        id, wallet = each.id, each.grants[0].wallet
        lines = [f"by_wallet.setdefault({wallet!r}, []).append({granted})"]
        if self._only_wallet is not None:
            lines = [f"grants.append({granted})"]
        if each.rated[0]:
            lines.append(f"rated.append(({id!r}, 0, {wallet!r}, points, parts))")
        if id in self._multiplied:
            lines.append(f"points_{n}, parts_{n} = points, parts")
        return lines

    def _name(self, name: str, value: Any) -> str:
        self.names[name] = value
        return name


def _within(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _refusal(limit: CompiledLimit) -> str:
    return "budget_exhausted" if isinstance(limit.limit, Budget) else "limit_reached"


def _rate(rate: Rate | None, per: int, beyond: int) -> Fraction | None:
    if rate is None:
        return None
    return max(rate.numerator - beyond * rate.denominator, 0), rate.denominator * per
