"""What a new version of a program changes, and what of it takes something from members.

Things are paired by id, or by the `was` of a renamed one; then compared aspect by aspect, as the document words them.
A change that takes something away says whom it concerns in a form that a query or a simulation can count. Ids in
`concerns` are those of the old version, under which the members of today are recorded. A wallet or tier that goes
has to say, under `retired`, where its holders go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeVar

from laurels.core.calendar import Zone
from laurels.core.money import Rate
from laurels.core.program import generosity, notation
from laurels.core.program.change import (
    Aspect,
    Between,
    Change,
    Changes,
    Concerned,
    Earners,
    Everyone,
    Holders,
    Standing,
    Subject,
)
from laurels.core.program.draws_difference import compare_draws
from laurels.core.program.draws_model import TICKETS
from laurels.core.program.model import (
    Budget,
    Campaign,
    Cooldown,
    ExpiryRule,
    Grant,
    Group,
    Limit,
    MemberLimit,
    Multiply,
    PerField,
    Program,
    Promotion,
    Segment,
    Texts,
    Tier,
    Track,
    Wallet,
)
from laurels.core.program.renaming import Names, in_new_words, names_between
from laurels.core.program.rewards_difference import compare_rewards
from laurels.core.program.voucher_difference import compare_vouchers
from laurels.core.program.wording import thing, within

V = TypeVar("V")

_ONE = Rate(1, 1)


def difference(old: Program, new: Program) -> tuple[Change, ...]:
    """All that the new version does otherwise than the old one, from the top of the document to its end."""
    names = names_between(old, new)
    old = in_new_words(old, names)
    changes = Changes()
    _compare_programs(old, new, changes)
    _compare_fields(old, new, changes)
    _compare_wallets(old, new, names, changes)
    _compare_tracks(old, new, names, changes)
    _compare_segments(old, new, changes)
    _compare_campaigns(old, new, names, changes)
    _compare_groups(old, new, names, changes)
    compare_vouchers(old, new, names, changes)
    _compare_promotions(old, new, names, changes)
    compare_rewards(old, new, names, changes)
    compare_draws(old, new, changes)
    return tuple(changes.found)


def _always(_before: V, _after: V) -> bool:
    return True


def _compare_programs(old: Program, new: Program, changes: Changes) -> None:
    subject = Subject(thing("program", new.name), "")
    for aspect in (
        Aspect[Program]("program", lambda program: program.id),
        Aspect[Program]("name", lambda program: program.name, notation.form),
        Aspect[Program]("time_zone", lambda program: program.time_zone),
        Aspect[Program]("currency", lambda program: program.currency.code, takes_away=_always),
        Aspect[Program]("late_horizon", lambda program: program.late_horizon),
        Aspect[Program]("quote_hold", lambda program: program.quote_hold, takes_away=generosity.shorter),
        Aspect[Program]("jurisdiction", lambda program: program.jurisdiction or "none"),
    ):
        changes.compare(subject, aspect, old, new, Everyone())


def _compare_fields(old: Program, new: Program, changes: Changes) -> None:
    before, after = (
        {(scope, field.name): notation.field(field) for scope, fields in program.fields.items() for field in fields}
        for program in (old, new)
    )
    definition = Aspect[str]("type", lambda shown: shown)
    for scope, name in dict.fromkeys((*before, *after)):
        subject = Subject(thing("field", {"en": f"{scope}.{name}"}), f"/fields/{scope}/{name}")
        if (scope, name) not in after:
            changes.removed(subject)
        elif (scope, name) not in before:
            changes.added(subject)
        else:
            changes.compare(subject, definition, before[scope, name], after[scope, name])


# --- wallets ----------------------------------------------------------------------------------------------------------


def _compare_wallets(old: Program, new: Program, names: Names, changes: Changes) -> None:
    before = {wallet.id: wallet for wallet in old.wallets}
    after = {wallet.id: wallet for wallet in new.wallets}
    for wallet in old.wallets:
        if wallet.id not in after:
            heir = new.retired.wallets.get(wallet.id)
            takes_away = heir is None or (wallet.spendable and not after[heir].spendable)
            subject = Subject(thing("wallet", wallet.name), f"/wallets/{wallet.id}")
            changes.moved(subject, heir, Holders(wallet.id) if takes_away else None)
    for_all = _wallet_aspects_for_all()
    for_holders = _wallet_aspects_for_holders(new)
    for wallet in new.wallets:
        subject = Subject(thing("wallet", wallet.name), f"/wallets/{wallet.id}")
        if wallet.id not in before:
            changes.added(subject)
            continue
        was = names.old_wallet(wallet.id)
        changes.renamed(subject, was, wallet.id)
        for aspect in for_holders:
            changes.compare(subject, aspect, before[wallet.id], wallet, Holders(was))
        for aspect in for_all:
            changes.compare(subject, aspect, before[wallet.id], wallet, Everyone())


def _wallet_aspects_for_holders(new: Program) -> tuple[Aspect[Wallet], ...]:
    return (
        Aspect("name", lambda wallet: wallet.name, notation.form),
        Aspect("spendable", lambda wallet: wallet.spendable, notation.truth, lambda was, now: was and not now),
        Aspect("expires", lambda wallet: wallet.expires, notation.expiry, generosity.expires_sooner),
        Aspect("restore_grace", lambda wallet: wallet.restore_grace, notation.duration, generosity.shorter),
        Aspect("hold", lambda wallet: wallet.hold),
        Aspect(
            "money",
            lambda wallet: wallet.money,
            lambda money: notation.points_as_money(money, new.currency),
            generosity.pays_less,
        ),
    )


def _wallet_aspects_for_all() -> tuple[Aspect[Wallet], ...]:
    return (
        Aspect("pending", lambda wallet: wallet.pending, notation.pending, generosity.waits_longer),
        Aspect(
            "when_spent",
            lambda wallet: (wallet.when_spent, wallet.debt_limit, wallet.freeze),
            lambda policy: notation.when_spent(*policy),
            generosity.takes_more_back,
        ),
    )


# --- tracks -----------------------------------------------------------------------------------------------------------


def _compare_tracks(old: Program, new: Program, names: Names, changes: Changes) -> None:
    before = {track.id: track for track in old.tracks}
    after = {track.id: track for track in new.tracks}
    for track in old.tracks:
        if track.id not in after:
            subject = Subject(thing("track", track.name), f"/tracks/{track.id}")
            changes.removed(subject, Standing(track.id, tuple(tier.id for tier in track.tiers[1:])))
    for track in new.tracks:
        subject = Subject(thing("track", track.name), f"/tracks/{track.id}")
        if track.id not in before:
            changes.added(subject)
            continue
        was = before[track.id]
        changes.renamed(subject, names.old_track(track.id), track.id)
        for aspect in _track_aspects():
            changes.compare(subject, aspect, was, track, _standing(names, track.id, was.tiers[1:]))
        _compare_order(subject, was, track, names, changes)
        _compare_tiers(was, track, old, new, names, changes)


def _track_aspects() -> tuple[Aspect[Track], ...]:
    return (
        Aspect("name", lambda track: track.name, notation.form),
        Aspect(
            "measure",
            lambda track: (track.metrics, track.need),
            lambda measure: notation.measure(*measure),
            generosity.measures_otherwise,
        ),
        Aspect("window", lambda track: track.window, notation.window, generosity.looks_back_otherwise),
        Aspect("holds_until", lambda track: track.holds_until, notation.holds_until, generosity.holds_shorter),
        Aspect("fall", lambda track: str(track.fall), takes_away=generosity.falls_further),
        Aspect("grace", lambda track: track.grace, notation.duration, generosity.shorter),
        Aspect("on_return", lambda track: str(track.on_return), takes_away=lambda _, now: now == "fall_back"),
    )


def _compare_order(subject: Subject, old: Track, new: Track, names: Names, changes: Changes) -> None:
    """Tiers that both versions have, in another order."""
    common = {tier.id for tier in old.tiers} & {tier.id for tier in new.tiers}
    order = Aspect[Track](
        "tiers", lambda track: [tier.id for tier in track.tiers if tier.id in common], notation.listed, _always
    )
    concerned = _standing(names, new.id, [tier for tier in old.tiers if tier.id in common])
    changes.compare(subject, order, old, new, concerned)


def _compare_tiers(old: Track, new: Track, before: Program, after: Program, names: Names, changes: Changes) -> None:
    former = {tier.id: tier for tier in old.tiers}
    current = {tier.id for tier in new.tiers}
    for place, tier in enumerate(old.tiers):
        if tier.id not in current:
            _tier_removed(place, old, new, after, names, changes)
    for place, tier in enumerate(new.tiers):
        subject = Subject(thing("tier", tier.name), f"/tracks/{new.id}/tiers/{place}")
        if tier.id not in former:
            changes.added(subject)
            continue
        was = former[tier.id]
        changes.renamed(subject, names.old_tier(new.id, tier.id), tier.id)
        changes.compare(subject, Aspect("name", lambda each: each.name, notation.form), was, tier)
        _compare_thresholds(subject, (old, was), (new, tier), after, names, changes)
        standing = _standing(names, new.id, [tier])
        _compare_benefits(subject, was, tier, standing, (before, after), changes)
        _compare_entitlements(subject, was, tier, standing, changes)


def _tier_removed(place: int, old: Track, new: Track, after: Program, names: Names, changes: Changes) -> None:
    tier, track = old.tiers[place], names.old_track(new.id)
    heir = after.retired.tiers.get(f"{new.id}.{tier.id}") or after.retired.tiers.get(f"{track}.{tier.id}")
    ranks = [each.id for each in old.tiers]
    takes_away = heir is None or heir not in ranks or ranks.index(heir) < place
    subject = Subject(thing("tier", tier.name), f"/tracks/{track}/tiers/{place}")
    changes.moved(subject, heir, _standing(names, new.id, [tier]) if takes_away else None)


def _compare_thresholds(
    subject: Subject, old: tuple[Track, Tier], new: tuple[Track, Tier], after: Program, names: Names, changes: Changes
) -> None:
    """Thresholds in the units of their measures. Where these changed, that says already what it takes from members."""
    (was, former), (track, tier) = old, new
    at = names.old_track(track.id), names.old_tier(track.id, tier.id)
    before = {"enter": former.enter, "keep": former.keep}
    current = {"enter": tier.enter, "keep": tier.keep}
    words: tuple[Literal["enter", "keep"], ...] = ("enter", "keep")
    for word in words:
        texts = (
            notation.threshold(before[word], was.metrics, after.currency),
            notation.threshold(current[word], track.metrics, after.currency),
        )
        raised = was.metrics == track.metrics and generosity.any_higher(before[word], current[word])
        aspect = Aspect[str](word, lambda shown: shown, takes_away=_always if raised else None)
        changes.compare(subject, aspect, *texts, Between(*at, word, before[word], current[word]))


def _compare_benefits(
    subject: Subject, old: Tier, new: Tier, standing: Standing, programs: tuple[Program, Program], changes: Changes
) -> None:
    """Multipliers and expiry by wallet. Where a tier does not say them, they are one, and the wallet's own expiry."""
    before, after = ({wallet.id: wallet for wallet in program.wallets} for program in programs)
    factor = Aspect[Rate]("multiply", lambda rate: rate, notation.rate, generosity.rate_lower)
    expiry = Aspect[ExpiryRule]("expires", lambda rule: rule, notation.expiry, generosity.expires_sooner)
    for wallet in after.values():
        if wallet.id not in before:
            continue
        part = Subject(within(subject.called, "wallet", wallet.name), subject.path)
        changes.compare(part, factor, old.multiply.get(wallet.id, _ONE), new.multiply.get(wallet.id, _ONE), standing)
        if wallet.id in old.expires or wallet.id in new.expires:
            was = old.expires.get(wallet.id, before[wallet.id].expires)
            changes.compare(part, expiry, was, new.expires.get(wallet.id, wallet.expires), standing)


def _compare_entitlements(subject: Subject, old: Tier, new: Tier, standing: Standing, changes: Changes) -> None:
    """What else a tier entitles to. Another text may promise less, and nobody but a reader can tell."""
    for benefit in dict.fromkeys((*old.benefits, *new.benefits)):
        was, now = old.benefits.get(benefit), new.benefits.get(benefit)
        if was is None:
            changes.part_added(subject, "benefits", benefit)
        elif now is None:
            changes.part_removed(subject, "benefits", benefit, standing)
        else:
            part = Subject(within(subject.called, "benefit", was), f"{subject.path}/benefits")
            changes.compare(part, Aspect[Texts](benefit, lambda text: text, notation.form, _always), was, now, standing)


def _standing(names: Names, track: str, tiers: Iterable[Tier]) -> Standing:
    """Those on tiers of a track, as the old version calls them."""
    return Standing(names.old_track(track), tuple(names.old_tier(track, tier.id) for tier in tiers))


# --- segments ---------------------------------------------------------------------------------------------------------


def _compare_segments(old: Program, new: Program, changes: Changes) -> None:
    """Who is in a segment may have something for it, or be without something for it: any change may take away."""
    before = {segment.id: segment for segment in old.segments}
    after = {segment.id: segment for segment in new.segments}
    for segment in old.segments:
        if segment.id not in after:
            changes.removed(Subject(thing("segment", segment.name), f"/segments/{segment.id}"), Everyone())
    for segment in new.segments:
        subject = Subject(thing("segment", segment.name), f"/segments/{segment.id}")
        if segment.id not in before:
            changes.added(subject)
            continue
        for aspect in (
            Aspect[Segment]("name", lambda each: each.name, notation.form),
            Aspect[Segment]("when", lambda each: notation.condition(each.when), takes_away=_always),
        ):
            changes.compare(subject, aspect, before[segment.id], segment, Everyone())


# --- campaigns and groups ---------------------------------------------------------------------------------------------


def _compare_campaigns(old: Program, new: Program, names: Names, changes: Changes) -> None:
    before = {campaign.id: campaign for campaign in old.campaigns}
    after = {campaign.id: campaign for campaign in new.campaigns}
    for campaign in old.campaigns:
        if campaign.id not in after:
            subject = Subject(thing("campaign", campaign.name), f"/campaigns/{campaign.id}")
            changes.removed(subject, _earners(campaign, campaign.id))
    aspects = _campaign_aspects(Zone(new.time_zone))
    for campaign in new.campaigns:
        subject = Subject(thing("campaign", campaign.name), f"/campaigns/{campaign.id}")
        if campaign.id not in before:
            changes.added(subject)
            continue
        was = before[campaign.id]
        earners = _earners(was, names.old_campaign(campaign.id))
        changes.renamed(subject, names.old_campaign(campaign.id), campaign.id)
        for aspect in aspects:
            changes.compare(subject, aspect, was, campaign, earners)
        _compare_grants(subject, was, campaign, new, earners, changes)
        _compare_limits(subject, was, campaign, earners, changes, new)


def _earners(campaign: Campaign, id: str) -> Concerned:
    """To whom a campaign granted something; everybody where that is no entry of a journal, as vouchers and tickets."""
    if all(grant.wallet.startswith(TICKETS) for grant in campaign.grants):
        return Everyone()
    return Earners((id,))


def _campaign_aspects(zone: Zone) -> tuple[Aspect[Campaign], ...]:
    return (
        Aspect("name", lambda campaign: campaign.name, notation.form),
        Aspect("on", lambda campaign: campaign.on, takes_away=_always),
        Aspect(
            "during",
            lambda campaign: campaign.during,
            lambda during: notation.during(during, zone),
            generosity.runs_less,
        ),
        Aspect("within", lambda campaign: campaign.within, notation.within, generosity.lasts_less),
        Aspect("reaches", lambda campaign: notation.reach(campaign.reaches), takes_away=generosity.asks_otherwise),
        Aspect("keeps", lambda campaign: notation.reach(campaign.keeps), takes_away=generosity.asks_otherwise),
        Aspect("when", lambda campaign: notation.condition(campaign.when), takes_away=generosity.asks_otherwise),
        Aspect("lines", lambda campaign: notation.condition(campaign.lines), takes_away=generosity.asks_otherwise),
        Aspect("priority", lambda campaign: campaign.priority),
        Aspect("gifts", lambda campaign: campaign.gifts, notation.gifts, generosity.gives_fewer),
    )


def _compare_grants(
    subject: Subject, old: Campaign, new: Campaign, after: Program, earners: Concerned, changes: Changes
) -> None:
    def show(grant: Grant) -> str:
        return notation.grant(grant, after.currency)

    aspect = Aspect[Grant]("grant", lambda grant: grant, show, generosity.grants_less)
    come = list(new.grants)
    gone: list[Grant] = []
    for grant in old.grants:
        match = next((each for each in come if _is_same_sort(grant, each)), None)
        if match is None:
            gone.append(grant)
        else:
            come.remove(match)
            changes.compare(subject, aspect, grant, match, earners)
    for grant in gone:
        changes.part_removed(subject, "grant", show(grant), earners)
    for grant in come:
        changes.part_added(subject, "grant", show(grant))


def _is_same_sort(grant: Grant, other: Grant) -> bool:
    if type(grant) is not type(other) or grant.wallet != other.wallet:
        return False
    if isinstance(grant, Multiply) and isinstance(other, Multiply):
        return grant.campaign == other.campaign
    return not (isinstance(grant, PerField) and isinstance(other, PerField)) or grant.field == other.field


def _compare_limits(
    subject: Subject,
    old: Campaign | Promotion,
    new: Campaign | Promotion,
    concerned: Concerned,
    changes: Changes,
    after_program: Program,
) -> None:
    def show(limit: Limit) -> str:
        return notation.promotion_limit(limit, after_program.currency)

    before = {_sort_of(limit): limit for limit in old.limits}
    after = {_sort_of(limit): limit for limit in new.limits}
    aspect = Aspect[Limit]("limits", lambda limit: limit, show, generosity.limits_more)
    for sort, limit in before.items():
        if sort not in after:
            changes.part_removed(subject, "limits", show(limit))
    for sort, limit in after.items():
        if sort in before:
            changes.compare(subject, aspect, before[sort], limit, concerned)
        else:
            changes.part_added(subject, "limits", show(limit), concerned)


def _sort_of(limit: Limit) -> tuple[str, str]:
    match limit:
        case MemberLimit():
            return "member", limit.key
        case Budget():
            return "budget", limit.unit
        case Cooldown():
            return "cooldown", ""


def _compare_groups(old: Program, new: Program, names: Names, changes: Changes) -> None:
    before = {group.id: group for group in old.groups}
    after = {group.id: group for group in new.groups}
    campaigns = {campaign.id for campaign in old.campaigns}
    promotions = {promotion.id for promotion in old.promotions}
    for group in old.groups:
        if group.id not in after:
            changes.removed(Subject(thing("group", {"en": group.id}), f"/groups/{group.id}"))
    for group in new.groups:
        subject = Subject(thing("group", {"en": group.id}), f"/groups/{group.id}")
        known = [each for each in _campaigns_of(group, after) if each in campaigns or each in promotions]
        earners: Concerned = Earners(tuple(names.old_campaign(campaign) for campaign in known))
        if known and not any(campaign in campaigns for campaign in known):
            earners = Everyone()  # Money off is no entry of anybody's journal.
        if group.id not in before:
            changes.added(subject, earners if group.mode != "all" and known else None)
            continue
        changes.renamed(subject, names.old_group(group.id), group.id)
        for aspect in _group_aspects(group):
            changes.compare(subject, aspect, before[group.id], group, earners)


def _group_aspects(now: Group) -> tuple[Aspect[Group], ...]:
    return (
        Aspect("mode", lambda group: str(group.mode), takes_away=generosity.chooses_more),
        Aspect("of", lambda group: group.of, notation.listed, generosity.leaves_out_more(now.mode)),
        Aspect("priority", lambda group: group.priority),
    )


def _campaigns_of(group: Group, groups: Mapping[str, Group]) -> list[str]:
    """The campaigns in a group, directly or by way of others."""
    found = []
    for member in group.of:
        found.extend(_campaigns_of(groups[member], groups) if member in groups else [member])
    return found


# --- promotions -------------------------------------------------------------------------------------------------------


def _compare_promotions(old: Program, new: Program, names: Names, changes: Changes) -> None:
    """Who would have got money off is in nobody's journal, so that everybody is concerned."""
    before = {promotion.id: promotion for promotion in old.promotions}
    after = {promotion.id: promotion for promotion in new.promotions}
    for promotion in old.promotions:
        if promotion.id not in after:
            changes.removed(_promoted(promotion), Everyone())
    aspects = _promotion_aspects(new)
    for promotion in new.promotions:
        subject = _promoted(promotion)
        if promotion.id not in before:
            changes.added(subject)
            continue
        changes.renamed(subject, names.old_promotion(promotion.id), promotion.id)
        for aspect in aspects:
            changes.compare(subject, aspect, before[promotion.id], promotion, Everyone())
        _compare_limits(subject, before[promotion.id], promotion, Everyone(), changes, new)
    common = Aspect[tuple[str, ...]]("order", lambda order: order, notation.listed, _always)
    was, now = (tuple(each for each in these if each in before and each in after) for these in (before, after))
    changes.compare(Subject(thing("program", new.name), "/promotions"), common, was, now, Everyone())


def _promoted(promotion: Promotion) -> Subject:
    return Subject(thing("promotion", promotion.name), f"/promotions/{promotion.id}")


def _promotion_aspects(new: Program) -> tuple[Aspect[Promotion], ...]:
    zone = Zone(new.time_zone)
    return (
        Aspect("name", lambda promotion: promotion.name, notation.form),
        Aspect(
            "gives",
            lambda promotion: promotion.offer.gives,
            lambda gives: notation.gives(gives, new.currency),
            generosity.gives_less,
        ),
        Aspect(
            "lines", lambda promotion: notation.condition(promotion.offer.lines), takes_away=generosity.asks_otherwise
        ),
        Aspect("floor", lambda promotion: promotion.offer.floor, notation.floor, generosity.keeps_more),
        Aspect(
            "round", lambda promotion: promotion.offer.round, lambda rounding: rounding.value, generosity.rounds_less
        ),
        Aspect(
            "during",
            lambda promotion: promotion.during,
            lambda during: notation.during(during, zone),
            generosity.runs_less,
        ),
        Aspect("when", lambda promotion: notation.condition(promotion.when), takes_away=generosity.asks_otherwise),
        Aspect("stores", lambda promotion: promotion.stores, notation.listed, generosity.narrows),
        Aspect("channels", lambda promotion: promotion.channels, notation.listed, generosity.narrows),
        Aspect("priority", lambda promotion: promotion.priority),
    )
