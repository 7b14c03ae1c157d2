"""What a program holds, in the words of the document: how two versions are shown side by side.

A number is a decimal where it has one, and a fraction where it has none. What a document leaves out because it is so
by default is left out here, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from laurels.core.calendar import Duration, Period, Zone, format_instant
from laurels.core.money import QUANTITY_ONE, Currency, Rate, Rounding, floor_div, format_minor, format_quantity
from laurels.core.program.draws_model import TICKETS
from laurels.core.program.model import (
    After,
    Base,
    Bracket,
    Brackets,
    Budget,
    ByTier,
    Cooldown,
    During,
    ExpiryRule,
    Fixed,
    Grant,
    HoldsUntil,
    Inactive,
    Limit,
    MemberLimit,
    Metric,
    Multiply,
    OnDates,
    Pending,
    PerAmount,
    PerField,
    PerQuantity,
    PointsAsMoney,
    Slot,
    Window,
)
from laurels.core.program.offers_model import (
    AmountOff,
    Bundle,
    BuyGet,
    Floor,
    FreeItem,
    Gives,
    Multiplier,
    Nth,
    PercentOff,
    Points,
    Price,
    Shipping,
    Step,
    Steps,
)
from laurels.core.program.vouchers_model import Until, VoucherExpiry, VoucherGift, WithTime
from laurels.core.program.within_model import AfterEnrolment, AroundBirthday, BirthMonth, Reach, Within
from laurels.core.rule.check import Rule
from laurels.core.rule.environment import WEEKDAYS, Field


def form(words: Mapping[str, str | None]) -> str:
    """A mapping in one line; words without a value are left out."""
    return "{" + ", ".join(f"{word}: {value}" for word, value in words.items() if value is not None) + "}"


def listed(values: Iterable[str]) -> str:
    """A list in one line."""
    return "[" + ", ".join(values) + "]"


def truth(value: bool) -> str:
    """True or false."""
    return "true" if value else "false"


def duration(value: Duration | None) -> str:
    """A duration, or none."""
    return "none" if value is None else str(value)


def rate(value: Rate) -> str:
    """A decimal with up to six places, or a fraction such as 1/3."""
    scaled = floor_div(value.numerator * QUANTITY_ONE, value.denominator)
    is_exact = scaled * value.denominator == value.numerator * QUANTITY_ONE
    return format_quantity(scaled) if is_exact else f"{value.numerator}/{value.denominator}"


def money(amount: int, currency: Currency) -> str:
    """An amount in the program's currency, quoted as in the document."""
    return f'"{format_minor(amount, currency.places)}"'


def expiry(rule: ExpiryRule) -> str:
    """A wallet's expiry."""
    match rule:
        case After():
            return form({"after": str(rule.after), "round": rule.round.value if rule.round else None})
        case OnDates():
            days = listed(f'"{month:02}-{day:02}"' for month, day in rule.dates)
            return form({"on": days, "at_least": str(rule.at_least) if rule.at_least else None})
        case Inactive():
            return form({"inactive_for": str(rule.inactive_for), "kept_by": listed(sorted(rule.kept_by))})
        case _:
            return "never"


def voucher_expiry(rule: VoucherExpiry | None, zone: Zone) -> str:
    """A voucher's expiry; the instant in the program's zone, being the first that is outside."""
    if isinstance(rule, Until):
        return form({"until": format_instant(rule.until, zone)})
    if isinstance(rule, WithTime):
        return form({"within": within(rule.within)})
    return "never" if rule is None else expiry(rule)


def pending(rule: Pending | None) -> str:
    """How long points wait."""
    if rule is None:
        return "none"
    return str(rule.wait) if rule.until is None else form({"until": rule.until, "at_most": str(rule.wait)})


def when_spent(policy: str, limit: int | None, freeze: bool) -> str:
    """What a return takes when its points are spent."""
    if policy != "debt":
        return policy
    return form({"debt": "unlimited" if limit is None else str(limit), "freeze": truth(freeze)})


def condition(rule: Rule | None) -> str:
    """A condition in one line, or always."""
    return "always" if rule is None else " ".join(rule.text.split())


def field(value: Field) -> str:
    """A declared field."""
    kind = "[string]" if value.type == "list<string>" else value.type
    default = truth(value.default) if isinstance(value.default, bool) else value.default
    required = None if value.optional else "true"
    if default is None and required is None:
        return kind
    return form({"type": kind, "default": None if default is None else str(default), "required": required})


def points_as_money(value: PointsAsMoney | None, currency: Currency) -> str:
    """What points pay at the till."""
    if value is None:
        return "none"
    share = value.largest_share
    return form(
        {
            "points": str(value.points),
            "worth": money(value.worth, currency),
            "minimum": str(value.minimum),
            "multiple": str(value.multiple),
            "largest_share": percentage(share) if share is not None else None,
        }
    )


def percentage(share: Rate) -> str:
    """A share of a whole."""
    return f"{format_quantity(floor_div(share.numerator * 100 * QUANTITY_ONE, share.denominator))}%"


def metric(value: Metric) -> str:
    """One measure."""
    if value.kind == "earned":
        return form({"earned": value.subject, "pending": "counts" if value.include_pending else None})
    if value.kind == "sum":
        return form({"sum": f"{value.subject}.{value.field}"})
    if value.kind == "years":
        return form({"years": f"{value.subject}.{value.field}"})
    return form({value.kind: value.subject or "net"})


def measure(metrics: tuple[Metric, ...], need: str) -> str:
    """What a track measures."""
    return metric(metrics[0]) if len(metrics) == 1 else form({need: listed(map(metric, metrics))})


def window(value: Window) -> str:
    """The time over which a track measures."""
    if value.kind == "year":
        first = f'"{value.month:02}-{value.day:02}"'
        return "calendar_year" if (value.month, value.day) == (1, 1) else form({"year_from": first})
    return form({"rolling": duration(value.length)}) if value.kind == "rolling" else value.kind


def holds_until(value: HoldsUntil) -> str:
    """How long a tier holds."""
    ends = {0: "this_window", 1: "next_window"}
    words = {"end_of": ends.get(value.windows), "windows": None if value.windows in ends else str(value.windows)}
    return form({**words, "plus": str(value.plus) if value.plus else None})


def threshold(values: tuple[int, ...], metrics: tuple[Metric, ...], currency: Currency) -> str:
    """What it takes to enter or keep a tier."""
    texts = []
    for value, each in zip(values, metrics, strict=False):
        shown = {"spent": money(value, currency), "sum": format_quantity(value)}
        texts.append(shown.get(each.kind, str(value)))
    return "none" if not texts else texts[0] if len(texts) == 1 else listed(texts)


def by_tier(value: ByTier) -> str:
    """A number, or one by tier."""
    if not value.tiers:
        return rate(value.default) if value.default is not None else "none"
    return form({f"{value.track}.{tier}": rate(each) for tier, each in value.tiers.items()})


def _rounding(value: Rounding) -> str | None:
    return None if value is Rounding.DOWN else value.value


def _base(value: Base) -> dict[str, str | None]:
    return {"of": value.of, "but": None if value.but == Base().but else listed(sorted(value.but))}


def grant(value: Grant, currency: Currency) -> str:
    """What a campaign grants."""
    wallet = {"wallet": value.wallet}
    if value.wallet.startswith(TICKETS):
        return _tickets(value, currency)
    match value:
        case PerAmount():
            per_amount = {"points": by_tier(value.points), "per": money(value.per, currency)}
            return form({**wallet, **per_amount, **_base(value.base), "round": _rounding(value.round)})
        case Fixed():
            return form({**wallet, "fixed": by_tier(value.points)})
        case PerQuantity():
            return form({**wallet, "per_quantity": by_tier(value.points), "round": _rounding(value.round)})
        case PerField():
            per, of = f'"{format_quantity(value.per)}"', f"activity.{value.field}"
            per_field = {"points": by_tier(value.points), "per": per, "of": of}
            return form({**wallet, **per_field, "round": _rounding(value.round)})
        case Multiply():
            multiple = {"multiply": value.campaign, "by": by_tier(value.by)}
            return form({**wallet, **multiple, "round": _rounding(value.round)})
        case Brackets():
            brackets = listed(_bracket(each, currency) for each in value.brackets)
            is_fixed = any(each.fixed is not None for each in value.brackets)
            bracketed = {"brackets": brackets, "per": None if is_fixed else money(value.per, currency)}
            return form({**wallet, **bracketed, **_base(value.base), "round": _rounding(value.round)})


def _tickets(value: Grant, currency: Currency) -> str:
    """Tickets of a draw, which are granted as points are."""
    words: dict[str, str | None] = {"tickets": value.wallet.removeprefix(TICKETS)}
    if isinstance(value, PerAmount):
        return form({**words, "count": by_tier(value.points), "per": money(value.per, currency), **_base(value.base)})
    assert isinstance(value, Fixed)
    return form({**words, "count": by_tier(value.points)})


def _bracket(value: Bracket, currency: Currency) -> str:
    points = rate(value.points) if value.points is not None else None
    fixed = str(value.fixed) if value.fixed is not None else None
    return form({"from": money(value.start, currency), "points": points, "fixed": fixed})


def limit(value: Limit) -> str:
    """The most a campaign grants."""
    match value:
        case Cooldown():
            return form({"per": "member", "cooldown": str(value.wait)})
        case Budget():
            return form({"budget": value.unit, "of": str(value.most), "over": value.over})
        case MemberLimit():
            every = value.every.value if isinstance(value.every, Period) else value.every
            return form({"per": "member", "every": every, value.unit: str(value.most), "over": value.over})


def gifts(values: Iterable[VoucherGift]) -> str:
    """What a campaign gives besides points; gifts that differ by tier in one form, as they are written."""
    shown: list[str] = []
    by_tier: dict[str, str] = {}
    before: VoucherGift | None = None
    for gift in (*values, None):
        kinds = {} if gift is None else {f"{gift.track}.{tier}": gift.voucher for tier in gift.tiers}
        is_more = gift is not None and before is not None and (gift.track, gift.count) == (before.track, before.count)
        if before is not None and not (by_tier and is_more and not kinds.keys() & by_tier.keys()):
            shown.append(form({"voucher": form(by_tier) if by_tier else before.voucher, "count": str(before.count)}))
            by_tier = {}
        by_tier, before = {**by_tier, **kinds}, gift
    return listed(shown)


def promotion_limit(value: Limit, currency: Currency) -> str:
    """The most a promotion gives; what is counted in money is an amount."""
    if isinstance(value, Cooldown) or value.unit != "money":
        return limit(value)
    most = money(value.most, currency)
    if isinstance(value, Budget):
        return form({"budget": "money", "of": most, "over": value.over})
    every = value.every.value if isinstance(value.every, Period) else value.every
    return form({"per": "member", "every": every, "money": most, "over": value.over})


def gives(value: Gives, currency: Currency) -> str:
    """What an offer gives."""

    def amount(minor: int | None) -> str | None:
        return None if minor is None else money(minor, currency)

    match value:
        case AmountOff():
            return form({"off": amount(value.amount)})
        case PercentOff():
            return form({"percent": percentage(value.percent), "most": amount(value.most)})
        case Steps():
            repeat = "true" if value.repeat else None
            return form({"steps": listed(_step(step, currency) for step in value.steps), "repeat": repeat})
        case BuyGet():
            gets = None if value.gets is None else _quoted(value.gets)
            bought = {"buy": str(value.buy), "get": str(value.get), "percent": percentage(value.percent)}
            return form({**bought, "gets": gets})
        case Bundle():
            parts = (form({"lines": _quoted(each.lines), "quantity": str(each.quantity)}) for each in value.parts)
            return form({"bundle": listed(parts), "price": amount(value.price)})
        case Nth():
            percent = None if value.percent is None else percentage(value.percent)
            return form({"nth": str(value.n), "percent": percent, "off": amount(value.off)})
        case Price():
            return form({"price": amount(value.price)})
        case FreeItem():
            return form({"free": _quoted(value.lines), "quantity": str(value.quantity)})
        case Shipping():
            return form({"shipping": percentage(value.percent)})
        case Multiplier():
            return form({"multiply": value.wallet, "by": rate(value.by)})
        case Points():
            return form({"wallet": value.wallet, "points": str(value.points), "new": value.new})


def _quoted(rule: Rule) -> str:
    """A condition among other words, in quotes as it then must be."""
    return json.dumps(condition(rule), ensure_ascii=False)


def _step(value: Step, currency: Currency) -> str:
    off = None if value.off is None else money(value.off, currency)
    percent = None if value.percent is None else percentage(value.percent)
    return form({"spend": money(value.spend, currency), "off": off, "percent": percent})


def floor(value: Floor) -> str:
    """Below what prices may not fall."""
    if value == Floor():
        return "none"
    return form({"share": percentage(value.share) if value.share.numerator else None, "cost": value.cost})


def during(value: During, zone: Zone) -> str:
    """When a campaign runs; instants in the program's zone, `until` being the first that is outside."""
    words = {
        "from": format_instant(value.start, zone) if value.start is not None else None,
        "until": format_instant(value.end, zone) if value.end is not None else None,
        "weekly": listed(map(_slot, value.weekly)) if value.weekly else None,
    }
    return form(words) if any(words.values()) else "always"


def within(value: Within | None) -> str:
    """A time of the member's own."""
    match value:
        case AfterEnrolment():
            return form({"after_enrolment": str(value.time)})
        case AroundBirthday():
            return form({"birthday": value.field, "before": f"{value.days_before}D", "after": f"{value.days_after}D"})
        case BirthMonth():
            return form({"birth_month": value.field})
        case None:
            return "none"


def reach(value: Reach | None) -> str:
    """The tier to which an activity must raise the member, or of which it must say that they keep it."""
    return "always" if value is None else f"{value.track}.{value.tier}"


def _slot(value: Slot) -> str:
    days = None if len(value.days) == 7 else listed(day for day in WEEKDAYS if day in value.days)
    return form({"days": days, "from": f'"{_clock(value.start)}"', "until": f'"{_clock(value.end)}"'})


def _clock(second_of_day: int) -> str:
    minutes = floor_div(second_of_day, 60)
    hours = floor_div(minutes, 60)
    return f"{hours:02}:{minutes - 60 * hours:02}"
