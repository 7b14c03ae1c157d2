"""What a new version changes in rewards and causes, and what of it takes something from those who could buy them.

A dearer price, fewer pieces, a tighter limit, another condition: whoever has points of the wallet that pays is
concerned.
"""

from __future__ import annotations

from collections.abc import Mapping

from laurels.core.calendar import Duration, Zone
from laurels.core.money import Currency, Rate
from laurels.core.program import generosity, notation
from laurels.core.program import rewards_notation as words
from laurels.core.program.change import Aspect, Changes, Everyone, Holders, Subject
from laurels.core.program.model import ByTier, PointsAsMoney, Program, Texts
from laurels.core.program.renaming import Names
from laurels.core.program.rewards_model import (
    Cause,
    Effect,
    Gives,
    IssuedVoucher,
    Mix,
    Price,
    Reward,
    StoredValue,
    Tickets,
    TierPass,
)
from laurels.core.program.wording import thing


def compare_rewards(old: Program, new: Program, names: Names, changes: Changes) -> None:
    """Notes what changes in causes and rewards."""
    _compare_causes(old, new, names, changes)
    before = {reward.id: reward for reward in old.rewards}
    after = {reward.id for reward in new.rewards}
    former = {now: was for was, now in names.rewards.items()}
    for reward in old.rewards:
        if reward.id not in after:
            changes.removed(_subject("reward", reward.name, reward.id), _payers(reward, names))
    aspects = _reward_aspects(words.worths(old.wallets, new.wallets), new.currency, Zone(new.time_zone))
    for reward in new.rewards:
        subject = _subject("reward", reward.name, reward.id)
        if reward.id not in before:
            changes.added(subject)
            continue
        changes.renamed(subject, former.get(reward.id, reward.id), reward.id)
        for aspect in aspects:
            changes.compare(subject, aspect, before[reward.id], reward, _payers(before[reward.id], names))


def _compare_causes(old: Program, new: Program, names: Names, changes: Changes) -> None:
    before = {cause.id: cause for cause in old.causes}
    after = {cause.id for cause in new.causes}
    former = {now: was for was, now in names.causes.items()}
    for cause in old.causes:
        if cause.id not in after:
            changes.removed(_subject("cause", cause.name, cause.id))
    aspects: tuple[Aspect[Cause], ...] = (
        Aspect("name", lambda cause: cause.name, notation.form),
        Aspect("about", lambda cause: cause.about, notation.form),
        Aspect("picture", lambda cause: cause.picture or "none"),
        Aspect("yearly", lambda cause: cause.yearly, _number, _fewer),
    )
    for cause in new.causes:
        subject = _subject("cause", cause.name, cause.id)
        if cause.id not in before:
            changes.added(subject)
            continue
        changes.renamed(subject, former.get(cause.id, cause.id), cause.id)
        for aspect in aspects:
            changes.compare(subject, aspect, before[cause.id], cause, Everyone())


def _subject(kind: str, name: Texts, id: str) -> Subject:
    return Subject(thing(kind, name), f"/{kind}s/{id}")


def _payers(reward: Reward, names: Names) -> Holders:
    """Those with points that could pay it, under the wallet's old id."""
    return Holders(names.old_wallet(reward.prices[-1].wallet))


def _reward_aspects(wallets: Mapping[str, PointsAsMoney], currency: Currency, zone: Zone) -> tuple[Aspect[Reward], ...]:
    def price(each: Price) -> str:
        return words.price(each, currency)

    return (
        Aspect("name", lambda reward: reward.name, notation.form),
        Aspect("about", lambda reward: reward.about, notation.form),
        Aspect("picture", lambda reward: reward.picture or "none"),
        Aspect("gives", lambda reward: reward.gives, lambda gives: words.gives(gives, wallets, currency), _gives_less),
        Aspect("price", lambda reward: reward.prices[-1], price, _dearer),
        Aspect(
            "prices",
            lambda reward: reward.prices[:-1],
            lambda prices: notation.listed(map(price, prices)),
            lambda before, after: len(before) != len(after) or any(map(_dearer, before, after)),
        ),
        Aspect("mix", lambda reward: reward.mix, lambda mix: words.mix(mix, currency), _asks_more),
        Aspect("value", lambda reward: reward.value, lambda value: words.value(value, currency), lambda *_: True),
        Aspect("stock", lambda reward: reward.stock, _number, _fewer),
        Aspect(
            "limits",
            lambda reward: reward.limits,
            lambda limits: notation.listed(map(words.limit, limits)),
            lambda before, after: any(
                not any(other.every == limit.every and other.most <= limit.most for other in before) for limit in after
            ),
        ),
        Aspect(
            "during", lambda reward: reward.during, lambda during: notation.during(during, zone), generosity.runs_less
        ),
        Aspect("when", lambda reward: notation.condition(reward.when), takes_away=generosity.asks_otherwise),
        Aspect("visible", lambda reward: notation.condition(reward.visible), takes_away=generosity.asks_otherwise),
        Aspect("hold", lambda reward: reward.hold, notation.duration, _times_out_sooner),
        Aspect("fulfilment", lambda reward: reward.fulfilment or {}, words.fulfilment, _gives_back_less),
        Aspect("automatic", lambda reward: reward.automatic, _number, lambda _before, after: after is None),
    )


def _number(value: int | None) -> str:
    return "none" if value is None else str(value)


def _fewer(before: int | None, after: int | None) -> bool:
    """Whether an upper bound came down; none is no bound."""
    return after is not None and (before is None or after < before)


def _times_out_sooner(before: Duration | None, after: Duration | None) -> bool:
    return before is not None and after is not None and generosity.shorter(before, after)


# --- prices -----------------------------------------------------------------------------------------------------------


def _dearer(before: Price, after: Price) -> bool:
    """Whether somebody would pay more, or with other points, or could no longer buy it at this price."""
    if before.wallet != after.wallet or notation.condition(before.when) != notation.condition(after.when):
        return True
    if (before.per is None) != (after.per is None) or before.round != after.round:
        return True
    tiers = {*before.points.tiers, *after.points.tiers}
    pairs = [(_rate(before.points, tier), _rate(after.points, tier)) for tier in ("", *tiers)]
    return any(was is not None and (now is None or _is_more(now, after, was, before)) for was, now in pairs)


def _rate(points: ByTier, tier: str) -> Rate | None:
    return points.tiers.get(tier, points.default)


def _is_more(now: Rate, after: Price, was: Rate, before: Price) -> bool:
    return now.numerator * was.denominator * (before.per or 1) > was.numerator * now.denominator * (after.per or 1)


def _asks_more(before: Mix | None, after: Mix | None) -> bool:
    if before is None or after is None:
        return after is None
    is_dearer = after.worth * before.points > before.worth * after.points
    return is_dearer or before.least != after.least or before.most != after.most


# --- what is given ----------------------------------------------------------------------------------------------------


def _gives_less(before: Gives, after: Gives) -> bool:
    match before, after:
        case StoredValue(), StoredValue():
            return before.kind != after.kind or before.wallet != after.wallet or after.points < before.points
        case TierPass(), TierPass():
            is_same = (before.track, before.tier) == (after.track, after.tier)
            return not is_same or generosity.shorter(before.lasts, after.lasts)
        case Tickets(), Tickets():
            return before.draw != after.draw or after.count < before.count
        case IssuedVoucher(), IssuedVoucher():
            return before.voucher != after.voucher or after.count < before.count
        case _:
            return True


def _gives_back_less(before: dict[str, Effect], after: dict[str, Effect]) -> bool:
    return any(
        effect.points == "give_back" and state in after and after[state].points != "give_back"
        for state, effect in before.items()
    )
