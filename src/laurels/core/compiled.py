"""A program version made ready to decide with: conditions as functions, look-ups by id, campaigns by trigger.

Compiling happens once per version; deciding reads. Campaigns of a trigger are in the order in which they are judged:
the document's, with each multiplier after the campaign that it multiplies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from laurels.core import segment
from laurels.core.activity import Activity, declared_by
from laurels.core.calendar import Instant, Zone
from laurels.core.catalogue import Catalogue
from laurels.core.draw import Odds
from laurels.core.facts import Grant, Judged
from laurels.core.granting import Want, wanting
from laurels.core.member import NEVER
from laurels.core.money import Rate
from laurels.core.program.draws_model import TICKETS, Draw
from laurels.core.program.model import (
    Brackets,
    Budget,
    ByTier,
    Campaign,
    During,
    Fixed,
    Group,
    Inactive,
    Limit,
    MemberLimit,
    Multiply,
    PerAmount,
    PerField,
    PerQuantity,
    Program,
    Promotion,
    Slot,
    Tier,
    Track,
    Wallet,
)
from laurels.core.program.model import Grant as GrantRule
from laurels.core.program.offers_model import Multiplier, Points
from laurels.core.program.within_model import AroundBirthday, BirthMonth
from laurels.core.rule.python import compile_rule, compile_selector
from laurels.core.within import inside_of

if TYPE_CHECKING:
    from laurels.core.compiled_voucher import CompiledVoucher

if TYPE_CHECKING:
    from laurels.core.pricelist import Pricelist

Condition = Callable[[Any, Any, Any, Any, Any], bool]
Selector = Callable[[Any, Any, Any, Any, Any], list[bool]]

Rated = tuple[str, int, str, int, tuple[int, ...] | None]
"""What a tier's multiplier multiplies: campaign, place of the grant in it, wallet, points, and what each line got."""

Writ = Callable[[Any, "Compiled", "Trigger", Activity, Any], tuple[dict[str, list[Grant]], tuple[Judged, ...]]]
"""A trigger's campaigns as one function of a case, an activity and the member's view: see `written`."""

Hours = tuple[tuple[int, int], ...]
"""Spans of a day, in seconds of the clock."""

SKIPPED: Final = (
    "outside_window",
    "outside_hours",
    "condition_not_met",
    "no_lines",
    "nothing_new",
    "nothing_to_grant",
    "base_not_applied",
)
"""What becomes of a campaign that wants nothing."""

RATE_GRANTS: Final = (PerAmount, PerQuantity, PerField, Brackets)
"""Grants that a tier's multiplier multiplies: those that depend on how much was done."""


class CompiledCampaign:
    """A campaign with its conditions and grants as functions, and all that can be said of it before any activity.

    If `is_timed`, it runs while `start` <= instant < `end` and, unless `weekly` is None, in those hours of the
    weekdays. `wants` holds the campaign that each grant multiplies, if any, and what the grant comes to; `rated` says
    which of them a tier's multiplier multiplies. `key` is the id under which its limits, cooldown and budgets are kept:
    its first one, whatever it is called now. `promotion` is the one that gives points of which this is the other form,
    if it has words that campaigns do not have; `new` is what lines must be to the member.
    """

    __slots__ = (
        "bracketed", "budget_pools", "campaign", "cooldown", "end", "gifts", "grants", "id", "is_timed", "keeps", "key",
        "limits", "lines", "multiplies", "new", "promotion", "rated", "reaches", "rejudged", "skipped", "start",
        "trial", "wants", "weekly", "when", "within",
    )  # fmt: skip

    def __init__(self, campaign: Campaign, key: str, *, chosen: bool, promotion: Promotion | None = None) -> None:
        self.campaign = campaign
        self.promotion: Promotion | None = None
        self.new: str | None = None
        self.trial: Selector | None = None
        self.id = campaign.id
        self.key = self.cooldown = key
        self.grants = campaign.grants
        self.when: Condition | None = None if campaign.when is None else compile_rule(campaign.when)
        self.lines: Selector | None = None if campaign.lines is None else compile_selector(campaign.lines)
        if promotion is not None:
            self._narrow(promotion)
        during = campaign.during
        self.start: Instant = -NEVER if during.start is None else during.start
        self.end: Instant = NEVER if during.end is None else during.end
        self.within = None if campaign.within is None else inside_of(campaign.within)
        self.reaches = campaign.reaches
        self.keeps = campaign.keeps
        self.is_timed = during != During() or campaign.within is not None
        self.weekly = weekly_hours(during.weekly) if during.weekly else None
        self.wants: tuple[tuple[str | None, Want], ...] = tuple(
            (grant.campaign if isinstance(grant, Multiply) else None, wanting(n, grant))
            for n, grant in enumerate(campaign.grants)
        )
        self.rated = tuple(isinstance(grant, RATE_GRANTS) for grant in campaign.grants)
        self.limits = tuple(CompiledLimit(key, limit) for limit in campaign.limits)
        self.skipped = {code: Judged(campaign.id, code) for code in SKIPPED}
        self.multiplies = frozenset(grant.campaign for grant in campaign.grants if isinstance(grant, Multiply))
        self.budget_pools = tuple((each.key, each.limit) for each in self.limits if isinstance(each.limit, Budget))
        by_lines = campaign.lines is not None and (
            any(path.startswith("purchase.") for path in campaign.lines.reads)
            or any(isinstance(grant, Fixed) for grant in campaign.grants)
        )
        self.bracketed = any(isinstance(grant, Brackets) for grant in campaign.grants)
        # Whether a return judges the campaign again: its points do not follow from each line by itself.
        waits = campaign.reaches is not None
        gives_by_lines = bool(campaign.gifts) and campaign.lines is not None
        waits = waits or self.new is not None
        self.rejudged = campaign.order_condition or chosen or by_lines or waits or self.bracketed or gives_by_lines
        self.gifts = campaign.gifts

    def _narrow(self, promotion: Promotion) -> None:
        """Puts the words that a campaign does not have into its conditions."""
        gives, when, lines = promotion.offer.gives, self.when, self.lines
        stores, channels = frozenset(promotion.stores), frozenset(promotion.channels)
        if stores or channels:
            self.promotion = promotion

            def here(member: Any, purchase: Any, activity: Any, at: Any, line: Any) -> bool:
                return (
                    (not stores or purchase.store in stores)
                    and (not channels or purchase.channel in channels)
                    and (when is None or when(member, purchase, activity, at, line))
                )

            self.when = here
        if isinstance(gives, Points) and gives.new is not None:
            self.promotion, self.new = promotion, gives.new
            word = "sku" if gives.new == "product" else "category"

            def fresh(member: Any, purchase: Any, activity: Any, at: Any, of: Any) -> list[bool]:
                new = member.new[word]
                chosen = [True] * len(of) if lines is None else lines(member, purchase, activity, at, of)
                return [is_in and getattr(line, word) in new for is_in, line in zip(chosen, of, strict=True)]

            self.lines, self.trial = fresh, lines


def as_campaigns(program: Program) -> tuple[Campaign, ...]:
    """The promotions of a program that give points, as campaigns on purchases."""
    found: list[Campaign] = []
    for each in program.promotions:
        gives = each.offer.gives
        grants: tuple[GrantRule, ...] = ()
        if isinstance(gives, Points):
            grants = (Fixed(gives.wallet, ByTier(Rate(gives.points, 1))),)
        elif isinstance(gives, Multiplier):
            grants = tuple(
                Multiply(gives.wallet, campaign.id, ByTier(gives.by))
                for campaign in program.campaigns
                if campaign.on == "purchase" and _grants_by_rate(campaign, gives.wallet)
            )
        if grants:
            words = (each.during, each.when, each.offer.lines, each.limits, each.priority, each.was)
            found.append(Campaign(each.id, each.name, "purchase", grants, *words))
    return tuple(found)


def _grants_by_rate(campaign: Campaign, wallet: str) -> bool:
    return any(
        grant.wallet == wallet
        and isinstance(grant, RATE_GRANTS)
        and not (isinstance(grant, Brackets) and any(bracket.fixed is not None for bracket in grant.brackets))
        for grant in campaign.grants
    )


def weekly_hours(slots: tuple[Slot, ...]) -> dict[str, Hours]:
    """The hours of each weekday that weekly slots come to."""
    hours: dict[str, Hours] = {}
    for slot in slots:
        for day in slot.days:
            hours[day] = (*hours.get(day, ()), (slot.start, slot.end))
    return hours


class CompiledLimit:
    """A limit with its names: `name` within the campaign, `key` where its use is kept (of a budget: its pool)."""

    __slots__ = ("key", "limit", "name")

    def __init__(self, campaign: str, limit: Limit) -> None:
        self.limit = limit
        if isinstance(limit, MemberLimit):
            self.name = limit.key
        else:
            self.name = f"budget_{limit.unit}" if isinstance(limit, Budget) else "cooldown"
        self.key = pool_id(campaign, limit) if isinstance(limit, Budget) else f"{campaign}/{self.name}"


class Trigger:
    """The campaigns of one activity type in the order in which they are judged, and how they combine.

    `writ` is all of them as one function, where they can be written as one.
    """

    __slots__ = (
        "activity", "asks_new", "attributes", "by_piece", "campaigns", "counters", "draws", "group_of", "groups",
        "is_recorded", "nested", "pools", "reaching", "reads_segments", "reads_wallets", "weighed", "writ",
    )  # fmt: skip

    def __init__(self, program: Program, type_: str, keys: Mapping[str, str]) -> None:
        campaigns, promotions = program.campaigns, {each.id: each for each in program.promotions}
        groups = {group.id: group for group in program.groups}
        if promotions:
            campaigns = (*campaigns, *as_campaigns(program))
            priced = {each.id for each in program.promotions if each.takes_money_off}
            groups = {id: group for id, group in groups.items() if not _holds(group, priced, groups)}
        parents = {member: group.id for group in groups.values() for member in group.of}
        chosen = {campaign.id for campaign in campaigns if _is_chosen(campaign.id, parents, groups)}
        compiled = {
            campaign.id: CompiledCampaign(
                campaign,
                keys.get(campaign.id, campaign.id),
                chosen=campaign.id in chosen,
                promotion=promotions.get(campaign.id),
            )
            for campaign in campaigns
            if campaign.on == type_
        }
        self.campaigns = tuple(_after_their_base(compiled))
        for each in self.campaigns:
            bases = [compiled[base] for base in each.multiplies if base in compiled]
            each.rejudged = each.rejudged or any(base.rejudged for base in bases)
            each.bracketed = each.bracketed or any(base.bracketed for base in bases)
        weighing = chosen.union(*[each.multiplies for each in self.campaigns if each.id in chosen])
        self.reaching = tuple(each for each in self.campaigns if each.reaches is not None)
        self.weighed = tuple(each for each in self.campaigns if each.id in weighing and each.campaign.limits)
        self.groups = tuple(group for group in groups.values() if group.id not in parents)
        self.asks_new = tuple(sorted({each.new for each in self.campaigns if each.new is not None}))
        self.nested = groups
        self.group_of = parents
        reads = {
            path
            for each in self.campaigns
            for rule in (each.campaign.when, each.campaign.lines)
            if rule is not None
            for path in rule.reads
        }
        reads |= {
            f"member.{each.campaign.within.field}"
            for each in self.campaigns
            if isinstance(each.campaign.within, AroundBirthday | BirthMonth)
        }
        self.reads_wallets = tuple(
            sorted(path[len("member.wallets.") :] for path in reads if path.startswith("member.wallets."))
        )
        self.reads_segments = segment.PATH in reads
        self.counters = tuple(
            sorted(path[len("member.counters.") :] for path in reads if path.startswith("member.counters."))
        )
        declared = {field.name for field in program.fields.get("member", ())}
        self.attributes = tuple(sorted(name for name in declared if f"member.{name}" in reads))
        self.activity = tuple(name for name in ("source", "id") if f"activity.{name}" in reads)
        self.is_recorded = bool(
            self.attributes
            or self.counters
            or self.reads_wallets
            or self.reads_segments
            or self.activity
            or self.weighed
            or self.reaching
            or self.asks_new
        )
        self.writ: Writ | None = None
        # The draws of which they grant tickets.
        wallets = dict.fromkeys([grant.wallet for each in self.campaigns for grant in each.grants])
        self.by_piece = any(isinstance(grant, PerQuantity) for each in self.campaigns for grant in each.grants)
        self.draws = tuple([wallet.removeprefix(TICKETS) for wallet in wallets if wallet.startswith(TICKETS)])
        self.pools = tuple(pool for each in self.campaigns for pool, _limit in each.budget_pools)


def _is_chosen(campaign: str, parents: dict[str, str], groups: dict[str, Group]) -> bool:
    """Whether some group above the campaign chooses between its members."""
    place = parents.get(campaign)
    while place is not None:
        if groups[place].mode != "all":
            return True
        place = parents.get(place)
    return False


def _holds(group: Group, ids: set[str], groups: Mapping[str, Group]) -> bool:
    """Whether one of these is in the group, or in one that it holds."""
    return any(member in ids or (member in groups and _holds(groups[member], ids, groups)) for member in group.of)


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
    """One version of a program, ready to decide with.

    `keys` maps campaigns that had another id to their first one; `reward_keys` and `cause_keys` do so for these.
    """

    def __init__(
        self,
        number: int,
        program: Program,
        keys: Mapping[str, str] = MappingProxyType({}),
        reward_keys: Mapping[str, str] = MappingProxyType({}),
        cause_keys: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.number = number
        self.program = program
        self.campaign_keys = keys
        self.zone = Zone(program.time_zone)
        self.wallets: MappingProxyType[str, Wallet] = MappingProxyType(
            {wallet.id: wallet for wallet in program.wallets}
        )
        self.wallet_ids = frozenset(self.wallets)
        self.tracks: MappingProxyType[str, Track] = MappingProxyType({track.id: track for track in program.tracks})
        self.tiers: MappingProxyType[str, dict[str, Tier]] = MappingProxyType(
            {track.id: {tier.id: tier for tier in track.tiers} for track in program.tracks}
        )
        self.ranks: MappingProxyType[str, dict[str, int]] = MappingProxyType(
            {track.id: {tier.id: rank for rank, tier in enumerate(track.tiers)} for track in program.tracks}
        )
        # Of tracks with one metric, by rank: from what value on a higher tier may be reached.
        self.nearest = {
            track.id: tuple(
                min([tier.enter[0] if tier.enter else -NEVER for tier in track.tiers[rank + 1 :]], default=NEVER)
                for rank in range(len(track.tiers))
            )
            for track in program.tracks
            if len(track.metrics) == 1
        }
        self.first_tiers = MappingProxyType({track.id: track.tiers[0].id for track in program.tracks})
        self.heirs = MappingProxyType(_heirs_of(program))
        # By track and tier: what the tier adds to a wallet's points, as a fraction of them.
        self.multipliers = {
            (track.id, tier.id): {
                wallet: (rate.numerator - rate.denominator, rate.denominator) for wallet, rate in tier.multiply.items()
            }
            for track in program.tracks
            for tier in track.tiers
            if tier.multiply
        }
        self.expiring_tracks = tuple(track for track in program.tracks if any(tier.expires for tier in track.tiers))
        self.sliding = tuple(wallet for wallet in program.wallets if isinstance(wallet.expires, Inactive))
        self.earning_tracks = frozenset(
            track.id for track in program.tracks if any(metric.kind == "earned" for metric in track.metrics)
        )
        # By track whose years are counted: the lowest rank of which they are.
        self.years_counted: dict[str, int] = {}
        for metric in [each for track in program.tracks for each in track.metrics if each.kind == "years"]:
            rank = self.ranks[metric.subject][metric.field]
            self.years_counted[metric.subject] = min(rank, self.years_counted.get(metric.subject, rank))
        self.rolling_tracks = tuple(track for track in program.tracks if track.window.kind == "rolling")
        self.released_by = frozenset(
            wallet.pending.until for wallet in program.wallets if wallet.pending and wallet.pending.until
        )
        self.attribute_types = MappingProxyType({field.name: field.type for field in program.fields.get("member", ())})
        # Whether anything in the program needs chance: such a program's decisions are given some.
        self.draws_chance = False
        # By key; see `compiled_voucher.equip`.
        self.vouchers: Mapping[str, CompiledVoucher] = MappingProxyType({})
        self.voucher_keys: Mapping[str, str] = MappingProxyType({})
        self.shared_codes: Mapping[str, str] = MappingProxyType({})
        # By the kinds that an order uses of those that give points; see `voucher_points`.
        self.voucher_triggers: dict[tuple[str, ...], Trigger] = {}
        self.voucher_pools: tuple[str, ...] = ()
        self.catalogue = Catalogue(program, reward_keys, cause_keys)
        self.draws: MappingProxyType[str, Draw] = MappingProxyType({draw.id: draw for draw in program.draws})
        self.exclusions = MappingProxyType(
            {draw.id: compile_rule(draw.exclude) for draw in program.draws if draw.exclude is not None}
        )
        self.odds = MappingProxyType(
            {
                draw.id: tuple(
                    [
                        Odds(prize.id, prize.odds.numerator, prize.odds.denominator)
                        for prize in draw.prizes
                        if prize.odds is not None
                    ]
                )
                for draw in program.draws
            }
        )
        self.segments: tuple[tuple[str, Condition], ...] = tuple(
            (each.id, compile_rule(each.when)) for each in program.segments
        )
        self.declared = declared_by(program.currency.code, program.currency.places, program.fields)
        on = {campaign.on for campaign in (*program.campaigns, *as_campaigns(program))}
        self.triggers: dict[str, Trigger] = {type_: Trigger(program, type_, keys) for type_ in on}
        self.pricelist: Pricelist | None = None
        purchase = self.triggers.get("purchase")
        self.purchase_pools: tuple[str, ...] = () if purchase is None else purchase.pools

    def heir_of(self, track: Track, tier: str) -> Tier:
        """Where members of a tier that this version no longer has stand.

        The tier that was it, else the one that `retired` names, else the first.
        """
        heir = self.program.retired.tiers.get(f"{track.id}.{tier}")
        return next((each for each in track.tiers if each.was == tier or each.id == heir), track.tiers[0])

    def trigger(self, type_: str) -> Trigger | None:
        """The campaigns that an activity type may set off; None where there are none."""
        return self.triggers.get(type_)
