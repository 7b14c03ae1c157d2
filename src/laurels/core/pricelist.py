"""A version's promotions that take money off, ready to judge: conditions as functions, groups as a tree, in order.

Units apply in the order of the document; a group stands where its first member stands. What a group above another
chooses, it chooses among whole groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from laurels.core.calendar import Instant
from laurels.core.compiled import Compiled, CompiledLimit, Condition, Hours, Selector, weekly_hours
from laurels.core.facts import Offered
from laurels.core.member import NEVER
from laurels.core.program.model import Budget, During, Group, Promotion
from laurels.core.program.offers_model import (
    Bundle,
    BuyGet,
    FreeItem,
    Gives,
    MoneyOffer,
    Multiplier,
    Offer,
    Points,
    Shipping,
)
from laurels.core.rule.check import Rule
from laurels.core.rule.python import compile_rule, compile_selector
from laurels.core.segment import are_read

SKIPPED: Final = (
    "outside_window",
    "outside_hours",
    "outside_store",
    "outside_channel",
    "condition_not_met",
    "no_lines",
)
"""What becomes of a promotion that makes no offer on a cart, whatever other promotions do."""


class CompiledPromotion:
    """A promotion that takes money off. `parts` select the lines of a bundle, those got, or those free."""

    __slots__ = (
        "budget_pools", "channels", "cooldown", "end", "floor", "gives", "id", "is_timed", "key", "limits", "lines",
        "on_shipping", "parts", "priority", "promotion", "round", "skipped", "start", "stores", "weekly", "when",
    )  # fmt: skip

    def __init__(self, promotion: Promotion, gives: MoneyOffer, key: str) -> None:
        self.promotion = promotion
        self.id = promotion.id
        self.key = self.cooldown = key
        self.gives = gives
        self.floor = promotion.offer.floor
        self.round = promotion.offer.round
        self.priority = promotion.priority
        self.when: Condition | None = None if promotion.when is None else compile_rule(promotion.when)
        lines = promotion.offer.lines
        self.lines: Selector | None = None if lines is None else compile_selector(lines)
        self.on_shipping = isinstance(gives, Shipping)
        self.parts = parts_of(gives)
        during = promotion.during
        self.start: Instant = -NEVER if during.start is None else during.start
        self.end: Instant = NEVER if during.end is None else during.end
        self.weekly: Mapping[str, Hours] | None = weekly_hours(during.weekly) if during.weekly else None
        self.is_timed = during != During()
        self.stores = frozenset(promotion.stores)
        self.channels = frozenset(promotion.channels)
        self.limits = tuple(CompiledLimit(key, limit) for limit in promotion.limits)
        self.skipped = {code: Offered(promotion.id, code) for code in SKIPPED}
        self.budget_pools = tuple((each.key, each.limit) for each in self.limits if isinstance(each.limit, Budget))


def parts_of(gives: Gives) -> tuple[Selector, ...]:
    """What selects the lines of the parts of a bundle, those got, or those free."""
    return tuple([compile_selector(rule) for rule in rules_of(gives)])


def conditions_of(when: Rule | None, offer: Offer) -> list[Rule]:
    """All conditions that are asked of an offer: when it is made, and on which lines."""
    return [rule for rule in (when, offer.lines, *rules_of(offer.gives)) if rule is not None]


def rules_of(gives: Gives) -> tuple[Rule, ...]:
    """The conditions by which the parts of a bundle are selected, what is got, or what is free."""
    found: Sequence[Rule | None] = ()
    if isinstance(gives, Bundle):
        found = [part.lines for part in gives.parts]
    elif isinstance(gives, BuyGet | FreeItem):
        found = (gives.gets if isinstance(gives, BuyGet) else gives.lines,)
    return tuple([rule for rule in found if rule is not None])


class CompiledGroup:
    """A group of promotions, or of such groups. `holds` are all promotions in it."""

    __slots__ = ("holds", "id", "members", "mode", "priority")

    def __init__(self, group: Group, members: tuple[Unit, ...]) -> None:
        self.id = group.id
        self.mode = group.mode
        self.priority = group.priority
        self.members = members
        self.holds: frozenset[str] = frozenset(_held(members))


Unit = CompiledPromotion | CompiledGroup

CHOOSING: Final = ("best", "first", "exclusive")


def _held(units: Iterable[Unit]) -> Iterable[str]:
    for unit in units:
        if isinstance(unit, CompiledPromotion):
            yield unit.id
        else:
            yield from unit.holds


class Pricelist:
    """All of a version's promotions that take money off, as the tree of units in which they apply.

    `budgets` are their pools, `cooldowns` the names under which theirs are kept, `ids` what a till may name as the code
    of a discount, `groups` all by id.
    """

    __slots__ = (
        "budgets",
        "cooldowns",
        "groups",
        "has_exclusive",
        "ids",
        "pools",
        "promotions",
        "reads_segments",
        "reads_wallets",
        "units",
    )

    def __init__(self, units: tuple[Unit, ...], promotions: Sequence[CompiledPromotion]) -> None:
        self.units = units
        self.promotions = {each.id: each for each in promotions}
        self.ids = frozenset(self.promotions)
        self.cooldowns = frozenset([each.cooldown for each in promotions])
        self.groups: dict[str, CompiledGroup] = {}
        ahead = list(units)
        while ahead:
            unit = ahead.pop()
            if isinstance(unit, CompiledGroup):
                self.groups[unit.id] = unit
                ahead.extend(unit.members)
        self.has_exclusive = any(isinstance(unit, CompiledGroup) and unit.mode == "exclusive" for unit in units)
        self.budgets = {pool: limit for each in promotions for pool, limit in each.budget_pools}
        self.pools = tuple(self.budgets)
        rules = [rule for each in promotions for rule in conditions_of(each.promotion.when, each.promotion.offer)]
        self.reads_wallets = any(path.startswith("member.wallets.") for rule in rules for path in rule.reads)
        self.reads_segments = are_read(rules)


NO_PROMOTIONS: Final = Pricelist((), ())
"""Of a version without promotions that take money off."""


def pricelist_of(compiled: Compiled, keys: Mapping[str, str]) -> Pricelist | None:
    """The promotions of a version that take money off; None where it has none."""
    program = compiled.program
    promotions: dict[str, CompiledPromotion] = {}
    for each in program.promotions:
        gives = each.offer.gives
        if not isinstance(gives, Multiplier | Points):
            promotions[each.id] = CompiledPromotion(each, gives, keys.get(each.id, each.id))
    if not promotions:
        return None
    groups = {group.id: group for group in program.groups}
    parents = {member: group.id for group in program.groups for member in group.of}

    def built(group: Group) -> CompiledGroup:
        members = [
            promotions[member] if member in promotions else built(groups[member])
            for member in group.of
            if member in promotions or member in groups
        ]
        return CompiledGroup(group, tuple(members))

    units: dict[str, Unit] = {}
    for each in program.promotions:
        top = each.id
        while top in parents:
            top = parents[top]
        if each.id in promotions and top not in units:
            units[top] = promotions[top] if top in promotions else built(groups[top])
    return Pricelist(tuple(units.values()), tuple(promotions.values()))
