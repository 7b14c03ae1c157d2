"""A trigger's campaigns written out as one Python function, the way each rule already is one.

`accrual` says what judging and granting mean, for campaigns of every form. What is written here says the same of the
campaigns of one trigger, one after the other with their own words and numbers, and so need not ask of each what it is:
it takes half the time. Only triggers without groups whose campaigns have one grant of a common form are written out;
for these a property holds both readings to the same facts. `source_of` shows the function to a reader.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any, Final, cast

from laurels.core.compiled import CompiledCampaign, Trigger, Writ
from laurels.core.facts import Grant, Judged
from laurels.core.granting import Fraction, amounts_of, key_of, line_shares
from laurels.core.limit import room_of, use
from laurels.core.member import NEVER
from laurels.core.money import QUANTITY_ONE, Rate, Rounding, allocate, quotient_of
from laurels.core.program.model import ByTier, Fixed, Multiply, PerAmount, PerQuantity
from laurels.core.rule.python import BUILTINS, expression_of

COMMON: Final = (PerAmount, Fixed, PerQuantity, Multiply)
"""Forms of grant that are written out."""

DAY: Final = ((0, 86_400),)

HEAD: Final = """\
def written(case, compiled, moment, judged, rated):
    member, purchase, activity = moment.view, moment.purchase, moment.activity
    at, instant, lines = moment.at, moment.instant, moment.lines
    tier = member.tier
    ids = [line.line for line in lines]
    by_wallet = {}
"""


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
        grant = each.grants[0]
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
            "__builtins__": {**BUILTINS, "min": min, "sum": sum, "zip": zip},
            "Grant": Grant,
            "Judged": Judged,
            "allocate": allocate,
            "amounts_of": amounts_of,
            "line_shares": line_shares,
            "room_of": room_of,
            "use": use,
        }
        self._campaigns = trigger.campaigns
        self._places = {each.id: n for n, each in enumerate(trigger.campaigns)}
        self._multiplied = frozenset(base for each in trigger.campaigns for base in each.multiplies)

    def source(self) -> str:
        """The whole function, a paragraph for each campaign."""
        lines = [HEAD]
        for n, each in enumerate(self._campaigns):
            lines.append(f"\n    # {each.id}")
            if each.id in self._multiplied:
                lines.append(f"    points_{n}, parts_{n} = 0, None")
            lines += [f"    {line}" for line in self._campaign(n, each)]
        return "\n".join([*lines, "\n    return by_wallet\n"])

    def _campaign(self, n: int, each: CompiledCampaign) -> list[str]:
        ladder: list[str] = []
        for condition, code in self._hurdles(n, each):
            said = self._name(f"{code}_{n}", each.skipped[code])
            ladder += [f"{'elif' if ladder else 'if'} {condition}:", f"    judged[{each.id!r}] = {said}"]
        wanted = [*self._wanted(n, each), *self._granted(n, each)]
        return [*ladder, "else:", *[f"    {line}" for line in wanted]] if ladder else wanted

    def _hurdles(self, n: int, each: CompiledCampaign) -> list[tuple[str, str]]:
        """What keeps a campaign from granting anything, in the order asked, each with its code."""
        hurdles: list[tuple[str, str]] = []
        if (each.start, each.end) != (-NEVER, NEVER):
            hurdles.append((f"not {each.start} <= instant < {each.end}", "outside_window"))
        if each.weekly is not None:
            if all(hours == DAY for hours in each.weekly.values()):
                hurdles.append(
                    (f"at.weekday not in {self._name(f'days_{n}', frozenset(each.weekly))}", "outside_hours")
                )
            else:
                hours = f"{self._name(f'weekly_{n}', each.weekly)}.get(at.weekday, ())"
                hurdles.append((f"not any(start <= at.second_of_day < end for start, end in {hours})", "outside_hours"))
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
        """Sets `points`, and `weights` where they belong to lines."""
        grant = each.grants[0]
        selects = each.lines is not None
        if isinstance(grant, PerAmount):
            key = key_of(grant.base)
            base = self._name(f"base_{n}", grant.base)
            amounts = f"amounts_of(moment, {key!r}, {base})"
            chosen = f"[amount if chosen else 0 for amount, chosen in zip({amounts}, selected)]"
            lines = [f"weights = {chosen if selects else amounts}"]
            return lines + self._rated(n, grant.points, grant.per, "sum(weights)", grant.round)
        if isinstance(grant, PerQuantity):
            chosen = "[line.quantity if chosen else 0 for line, chosen in zip(lines, selected)]"
            lines = [f"weights = {chosen if selects else '[line.quantity for line in lines]'}"]
            return lines + self._rated(n, grant.points, QUANTITY_ONE, "sum(weights)", grant.round)
        if isinstance(grant, Fixed):
            return self._rated(n, grant.points, 1, "1", Rounding.DOWN)
        assert isinstance(grant, Multiply)
        base_of = self._places[grant.campaign]
        chosen = f"[share if chosen else 0 for share, chosen in zip(parts_{base_of}, selected)]"
        lines = [f"weights = {chosen if selects else f'parts_{base_of}'}"]
        amount = "sum(weights)" if selects else f"points_{base_of}"
        return lines + self._rated(n, grant.by, 1, amount, grant.round, beyond=1)

    def _rated(
        self, n: int, by_tier: ByTier, per: int, amount: str, rounding: Rounding, *, beyond: int = 0
    ) -> list[str]:
        """Sets `points` to the amount x (the member's rate - `beyond`) / `per`."""
        quotient = self._name(rounding.value, quotient_of(rounding))
        if by_tier.track:
            rates = self._name(f"rates_{n}", {tier: _rate(rate, per, beyond) for tier, rate in by_tier.tiers.items()})
            default = self._name(f"rate_{n}", _rate(by_tier.default, per, beyond))
            return [
                f"rate = {rates}.get(tier.get({by_tier.track!r}), {default})",
                f"points = 0 if rate is None else {quotient}({amount} * rate[0], rate[1])",
            ]
        rate = _rate(by_tier.default, per, beyond)
        if rate is None:
            return ["points = 0"]
        if amount == "1":
            return [f"points = {rate[0]}"]
        return [f"points = {quotient}({amount} * {rate[0]}, {rate[1]})"]

    def _granted(self, n: int, each: CompiledCampaign) -> list[str]:
        """Grants `points`, as far as limits leave room, and says so."""
        id, wallet = each.id, each.grants[0].wallet
        nothing = self._name(f"nothing_to_grant_{n}", each.skipped["nothing_to_grant"])
        lines = ["if points <= 0:", f"    judged[{id!r}] = {nothing}"]
        allocated, shares = "parts = allocate(points, weights)", "line_shares(ids, parts)"
        if isinstance(each.grants[0], Fixed):
            allocated, shares = "parts = None", "()"
        elif isinstance(each.grants[0], Multiply):
            allocated, shares = (
                "parts = None if weights is None else allocate(points, weights)",
                ("() if parts is None else line_shares(ids, parts)"),
            )
        if each.limits:
            campaign = self._name(f"campaign_{n}", each)
            lines += [
                "else:",
                "    wanted = points",
                f"    room = room_of(case, compiled, {campaign}, instant, wanted)",
                "    points = min(room.points, wanted)",
                "    if points <= 0:",
                f"        judged[{id!r}] = Judged({id!r}, room.code, wanted)",
                "if points > 0:",
                f"    {allocated}",
                f"    limits, pools = use(case, compiled, {campaign}, instant, points, True)",
                "    less = None if points == wanted else wanted",
                f"    grant = Grant({id!r}, points, {shares}, 0, less, None, limits, pools)",
                "    code = 'applied' if points == wanted else 'trimmed'",
                f"    judged[{id!r}] = Judged({id!r}, code, wanted, points, {wallet!r}, room.by)",
            ]
        else:
            lines += [
                "else:",
                f"    {allocated}",
                f"    grant = Grant({id!r}, points, {shares})",
                f"    judged[{id!r}] = Judged({id!r}, 'applied', points, points, {wallet!r})",
            ]
        lines.append(f"    by_wallet.setdefault({wallet!r}, []).append(grant)")
        if each.rated[0]:
            lines.append(f"    rated.append(({id!r}, 0, {wallet!r}, points, parts))")
        if id in self._multiplied:
            lines.append(f"    points_{n}, parts_{n} = points, parts")
        return lines

    def _name(self, name: str, value: Any) -> str:
        self.names[name] = value
        return name


def _rate(rate: Rate | None, per: int, beyond: int) -> Fraction | None:
    if rate is None:
        return None
    return max(rate.numerator - beyond * rate.denominator, 0), rate.denominator * per
