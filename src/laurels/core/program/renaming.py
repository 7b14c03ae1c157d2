"""The old version of a program told in the ids of the new one, so that a renamed thing is compared with itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from laurels.core.program.model import (
    Brackets,
    ByTier,
    Campaign,
    Fixed,
    Grant,
    Metric,
    Multiply,
    PerAmount,
    PerField,
    PerQuantity,
    Program,
    Promotion,
    Tier,
    Track,
)
from laurels.core.program.offers_model import Multiplier, Offer, Points
from laurels.core.program.rewards_model import Donation, Gives, IssuedVoucher, Reward, StoredValue, TierPass
from laurels.core.program.vouchers_model import VoucherGift
from laurels.core.program.within_model import Reach


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def was(self) -> str | None: ...


N = TypeVar("N", bound=_Named)
V = TypeVar("V")


class Names(msgspec.Struct, frozen=True):
    """New ids by old ones, renamed things only; `tiers` by old track and old tier."""

    wallets: Mapping[str, str]
    tracks: Mapping[str, str]
    tiers: Mapping[tuple[str, str], str]
    campaigns: Mapping[str, str]
    groups: Mapping[str, str]
    vouchers: Mapping[str, str]
    promotions: Mapping[str, str]
    causes: Mapping[str, str]
    rewards: Mapping[str, str]

    def old_wallet(self, wallet: str) -> str:
        """The id that a wallet of the new version had in the old one."""
        return _key_of(self.wallets, wallet)

    def old_track(self, track: str) -> str:
        """The id that a track of the new version had in the old one."""
        return _key_of(self.tracks, track)

    def old_tier(self, track: str, tier: str) -> str:
        """The id that a tier of a track of the new version had in the old one."""
        before = self.old_track(track)
        return next((old for (of, old), new in self.tiers.items() if of == before and new == tier), tier)

    def old_campaign(self, campaign: str) -> str:
        """The id that a campaign of the new version had in the old one."""
        return _key_of(self.campaigns, campaign)

    def old_group(self, group: str) -> str:
        """The id that a group of the new version had in the old one."""
        return _key_of(self.groups, group)

    def old_promotion(self, promotion: str) -> str:
        """The id that a promotion of the new version had in the old one."""
        return _key_of(self.promotions, promotion)


def _key_of(names: Mapping[str, str], value: str) -> str:
    return next((old for old, new in names.items() if new == value), value)


def names_between(old: Program, new: Program) -> Names:
    """What the new version renamed: things whose `was` is an id that the old version has and the new one has not."""
    tracks = _renames(old.tracks, new.tracks)
    tiers = {}
    for track in old.tracks:
        now = next((each for each in new.tracks if each.id == tracks.get(track.id, track.id)), None)
        for before, after in _renames(track.tiers, now.tiers if now else ()).items():
            tiers[track.id, before] = after
    return Names(
        wallets=_renames(old.wallets, new.wallets),
        tracks=tracks,
        tiers=tiers,
        campaigns=_renames(old.campaigns, new.campaigns),
        groups=_renames(old.groups, new.groups),
        vouchers=_renames(old.vouchers, new.vouchers),
        promotions=_renames(old.promotions, new.promotions),
        causes=_renames(old.causes, new.causes),
        rewards=_renames(old.rewards, new.rewards),
    )


def _renames(old: Iterable[N], new: Iterable[N]) -> dict[str, str]:
    former = {each.id for each in old}
    things = list(new)
    current = {each.id for each in things}
    return {
        each.was: each.id for each in things if each.was in former and each.was not in current and each.id not in former
    }


def in_new_words(old: Program, names: Names) -> Program:
    """The old version with the ids of the new one, in every place that names one. Conditions stay as written."""
    members = {**names.campaigns, **names.promotions, **names.groups}
    return replace(
        old,
        wallets=tuple(replace(each, id=names.wallets.get(each.id, each.id)) for each in old.wallets),
        tracks=tuple(_track(each, names) for each in old.tracks),
        campaigns=tuple(_campaign(each, names) for each in old.campaigns),
        groups=tuple(
            replace(
                each, id=names.groups.get(each.id, each.id), of=tuple(members.get(member, member) for member in each.of)
            )
            for each in old.groups
        ),
        vouchers=tuple(
            replace(each, id=names.vouchers.get(each.id, each.id), offer=_offer(each.offer, names))
            for each in old.vouchers
        ),
        promotions=tuple(_promotion(each, names) for each in old.promotions),
        causes=tuple(replace(each, id=names.causes.get(each.id, each.id)) for each in old.causes),
        rewards=tuple(_reward(each, names) for each in old.rewards),
    )


def _promotion(promotion: Promotion, names: Names) -> Promotion:
    offer = _offer(promotion.offer, names)
    return replace(promotion, id=names.promotions.get(promotion.id, promotion.id), offer=offer)


def _offer(offer: Offer, names: Names) -> Offer:
    gives = offer.gives
    if not isinstance(gives, Multiplier | Points):
        return offer
    return replace(offer, gives=replace(gives, wallet=names.wallets.get(gives.wallet, gives.wallet)))


def _track(track: Track, names: Names) -> Track:
    return replace(
        track,
        id=names.tracks.get(track.id, track.id),
        metrics=tuple(_metric(each, names) for each in track.metrics),
        tiers=tuple(_tier(track.id, each, names) for each in track.tiers),
    )


def _metric(metric: Metric, names: Names) -> Metric:
    if metric.kind == "years":
        tier = names.tiers.get((metric.subject, metric.field), metric.field)
        return replace(metric, subject=names.tracks.get(metric.subject, metric.subject), field=tier)
    if metric.kind != "earned":
        return metric
    return replace(metric, subject=names.wallets.get(metric.subject, metric.subject))


def _tier(track: str, tier: Tier, names: Names) -> Tier:
    return replace(
        tier,
        id=names.tiers.get((track, tier.id), tier.id),
        multiply=_with_keys(tier.multiply, names.wallets),
        expires=_with_keys(tier.expires, names.wallets),
    )


def _with_keys(values: Mapping[str, V], names: Mapping[str, str]) -> dict[str, V]:
    return {names.get(key, key): value for key, value in values.items()}


def _campaign(campaign: Campaign, names: Names) -> Campaign:
    return replace(
        campaign,
        id=names.campaigns.get(campaign.id, campaign.id),
        grants=tuple(_grant(each, names) for each in campaign.grants),
        reaches=_reach(campaign.reaches, names) if campaign.reaches is not None else None,
        keeps=_reach(campaign.keeps, names) if campaign.keeps is not None else None,
        gifts=tuple(_gift(each, names) for each in campaign.gifts),
    )


def _gift(gift: VoucherGift, names: Names) -> VoucherGift:
    return replace(
        gift,
        voucher=names.vouchers.get(gift.voucher, gift.voucher),
        track=names.tracks.get(gift.track, gift.track),
        tiers=tuple(names.tiers.get((gift.track, tier), tier) for tier in gift.tiers),
    )


def _reach(reach: Reach, names: Names) -> Reach:
    return Reach(names.tracks.get(reach.track, reach.track), names.tiers.get((reach.track, reach.tier), reach.tier))


def _grant(grant: Grant, names: Names) -> Grant:
    wallet = names.wallets.get(grant.wallet, grant.wallet)
    match grant:
        case Multiply():
            campaign = names.campaigns.get(grant.campaign, grant.campaign)
            return replace(grant, wallet=wallet, campaign=campaign, by=_by_tier(grant.by, names))
        case Brackets():
            return replace(grant, wallet=wallet)
        case PerAmount() | PerField() | PerQuantity() | Fixed():
            return replace(grant, wallet=wallet, points=_by_tier(grant.points, names))


def _reward(reward: Reward, names: Names) -> Reward:
    return replace(
        reward,
        id=names.rewards.get(reward.id, reward.id),
        gives=_given(reward.gives, names),
        prices=tuple(
            replace(
                price, wallet=names.wallets.get(price.wallet, price.wallet), points=_by_tier(price.points, names)
            )
            for price in reward.prices
        ),
    )  # fmt: skip


def _given(gives: Gives, names: Names) -> Gives:
    match gives:
        case StoredValue():
            return replace(gives, wallet=names.wallets.get(gives.wallet, gives.wallet))
        case Donation():
            return replace(gives, cause=names.causes.get(gives.cause, gives.cause))
        case TierPass():
            tier = names.tiers.get((gives.track, gives.tier), gives.tier)
            return replace(gives, track=names.tracks.get(gives.track, gives.track), tier=tier)
        case IssuedVoucher():
            return replace(gives, voucher=names.vouchers.get(gives.voucher, gives.voucher))
        case _:
            return gives


def _by_tier(rates: ByTier, names: Names) -> ByTier:
    tiers = {names.tiers.get((rates.track, tier), tier): rate for tier, rate in rates.tiers.items()}
    return replace(rates, track=names.tracks.get(rates.track, rates.track), tiers=tiers)
