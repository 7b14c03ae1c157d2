"""A program version made ready to decide with: conditions as functions, look-ups by id, campaigns by trigger.

Compiling happens once per version; deciding reads. Campaigns of a trigger are in the order in which they are judged:
the document's, with each multiplier after the campaign that it multiplies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from laurels.core.activity import declared_by
from laurels.core.calendar import Zone
from laurels.core.program.model import (
    Brackets,
    Budget,
    Campaign,
    Fixed,
    Group,
    Inactive,
    Multiply,
    PerAmount,
    PerField,
    PerQuantity,
    Program,
    Tier,
    Track,
    Wallet,
)
from laurels.core.rule.python import compile_rule

Condition = Callable[[Any, Any, Any, Any, Any], bool]

RATE_GRANTS: Final = (PerAmount, PerQuantity, PerField, Brackets)
"""Grants that a tier's multiplier multiplies: those that depend on how much was done."""


class CompiledCampaign:
    """A campaign with its conditions as functions.

    `key` is the id under which its limits, cooldown and budgets are kept: its first one, whatever it is called now.
    """

    __slots__ = (
        "bracketed", "budget_pools", "campaign", "grants", "id", "key", "lines", "multiplies", "rejudged", "when",
    )  # fmt: skip

    def __init__(self, campaign: Campaign, key: str, *, chosen: bool) -> None:
        self.campaign = campaign
        self.id = campaign.id
        self.key = key
        self.grants = campaign.grants
        self.when: Condition | None = None if campaign.when is None else compile_rule(campaign.when)
        self.lines: Condition | None = None if campaign.lines is None else compile_rule(campaign.lines)
        self.multiplies = frozenset(grant.campaign for grant in campaign.grants if isinstance(grant, Multiply))
        self.budget_pools = tuple(
            (pool_id(key, limit), limit) for limit in campaign.limits if isinstance(limit, Budget)
        )
        by_lines = campaign.lines is not None and (
            any(path.startswith("purchase.") for path in campaign.lines.reads)
            or any(isinstance(grant, Fixed) for grant in campaign.grants)
        )
        self.bracketed = any(isinstance(grant, Brackets) for grant in campaign.grants)
        # Whether a return judges the campaign again: its points do not follow from each line by itself.
        self.rejudged = campaign.order_condition or chosen or by_lines or self.bracketed


class Trigger:
    """The campaigns of one activity type in the order in which they are judged, and how they combine."""

    __slots__ = (
        "activity", "attributes", "campaigns", "counters", "group_of", "groups", "is_recorded", "nested", "pools",
        "reads_wallets", "weighed",
    )  # fmt: skip

    def __init__(self, program: Program, type_: str, keys: Mapping[str, str]) -> None:
        groups = {group.id: group for group in program.groups}
        parents = {member: group.id for group in program.groups for member in group.of}
        chosen = {campaign.id for campaign in program.campaigns if _is_chosen(campaign.id, parents, groups)}
        compiled = {
            campaign.id: CompiledCampaign(campaign, keys.get(campaign.id, campaign.id), chosen=campaign.id in chosen)
            for campaign in program.campaigns
            if campaign.on == type_
        }
        self.campaigns = tuple(_after_their_base(compiled))
        for each in self.campaigns:
            bases = [compiled[base] for base in each.multiplies if base in compiled]
            each.rejudged = each.rejudged or any(base.rejudged for base in bases)
            each.bracketed = each.bracketed or any(base.bracketed for base in bases)
        weighing = chosen.union(*[each.multiplies for each in self.campaigns if each.id in chosen])
        self.weighed = tuple(each for each in self.campaigns if each.id in weighing and each.campaign.limits)
        self.groups = tuple(group for group in program.groups if group.id not in parents)
        self.nested = groups
        self.group_of = parents
        reads = {
            path
            for each in self.campaigns
            for rule in (each.campaign.when, each.campaign.lines)
            if rule is not None
            for path in rule.reads
        }
        self.reads_wallets = tuple(
            sorted(path[len("member.wallets.") :] for path in reads if path.startswith("member.wallets."))
        )
        self.counters = tuple(
            sorted(path[len("member.counters.") :] for path in reads if path.startswith("member.counters."))
        )
        declared = {field.name for field in program.fields.get("member", ())}
        self.attributes = tuple(sorted(name for name in declared if f"member.{name}" in reads))
        self.activity = tuple(name for name in ("source", "id") if f"activity.{name}" in reads)
        self.is_recorded = bool(self.attributes or self.counters or self.reads_wallets or self.activity or self.weighed)
        self.pools = tuple(pool for each in self.campaigns for pool, _limit in each.budget_pools)


def _is_chosen(campaign: str, parents: dict[str, str], groups: dict[str, Group]) -> bool:
    """Whether some group above the campaign chooses between its members."""
    place = parents.get(campaign)
    while place is not None:
        if groups[place].mode != "all":
            return True
        place = parents.get(place)
    return False


def _after_their_base(compiled: dict[str, CompiledCampaign]) -> list[CompiledCampaign]:
    ordered: list[CompiledCampaign] = []
    placed: set[str] = set()

    def place(each: CompiledCampaign) -> None:
        if each.id in placed:
            return
        placed.add(each.id)
        for base in sorted(each.multiplies):
            if base in compiled:
                place(compiled[base])
        ordered.append(each)

    for each in compiled.values():
        place(each)
    return ordered


def pool_id(key: str, budget: Budget) -> str:
    """The pool behind a campaign's budget; permanent, since a campaign's key is."""
    return f"campaign/{key}/{budget.unit}"


def _heirs_of(program: Program) -> dict[str, str]:
    """Where points of a wallet that this version no longer has go: the wallet that was it, else the retired one's."""
    here = {wallet.id for wallet in program.wallets}
    renamed = {wallet.was: wallet.id for wallet in program.wallets if wallet.was is not None}
    return {gone: heir for gone, heir in {**program.retired.wallets, **renamed}.items() if gone not in here}


class Compiled:
    """One version of a program, ready to decide with. `keys` maps campaigns that had another id to their first one."""

    def __init__(self, number: int, program: Program, keys: Mapping[str, str] = MappingProxyType({})) -> None:
        self.number = number
        self.program = program
        self.zone = Zone(program.time_zone)
        self.wallets: MappingProxyType[str, Wallet] = MappingProxyType(
            {wallet.id: wallet for wallet in program.wallets}
        )
        self.tracks: MappingProxyType[str, Track] = MappingProxyType({track.id: track for track in program.tracks})
        self.tiers: MappingProxyType[str, dict[str, Tier]] = MappingProxyType(
            {track.id: {tier.id: tier for tier in track.tiers} for track in program.tracks}
        )
        self.ranks: MappingProxyType[str, dict[str, int]] = MappingProxyType(
            {track.id: {tier.id: rank for rank, tier in enumerate(track.tiers)} for track in program.tracks}
        )
        self.first_tiers = MappingProxyType({track.id: track.tiers[0].id for track in program.tracks})
        self.heirs = MappingProxyType(_heirs_of(program))
        self.multiplying = any(tier.multiply for track in program.tracks for tier in track.tiers)
        self.expiring_tracks = tuple(track for track in program.tracks if any(tier.expires for tier in track.tiers))
        self.sliding = tuple(wallet for wallet in program.wallets if isinstance(wallet.expires, Inactive))
        self.rolling_tracks = tuple(track for track in program.tracks if track.window.kind == "rolling")
        self.released_by = frozenset(
            wallet.pending.until for wallet in program.wallets if wallet.pending and wallet.pending.until
        )
        self.decimal_attributes = tuple(
            field.name for field in program.fields.get("member", ()) if field.type == "decimal"
        )
        self.declared = declared_by(program.currency.code, program.currency.places, program.fields)
        self._triggers: dict[str, Trigger] = {
            type_: Trigger(program, type_, keys) for type_ in {campaign.on for campaign in program.campaigns}
        }

    def heir_of(self, track: Track, tier: str) -> Tier:
        """Where members of a tier that this version no longer has stand.

        The tier that was it, else the one that `retired` names, else the first.
        """
        heir = self.program.retired.tiers.get(f"{track.id}.{tier}")
        return next((each for each in track.tiers if each.was == tier or each.id == heir), track.tiers[0])

    def trigger(self, type_: str) -> Trigger | None:
        """The campaigns that an activity type may set off; None where there are none."""
        return self._triggers.get(type_)
