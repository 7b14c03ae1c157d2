"""Rewards and causes in the document: what points can buy, who may, for what price, and what becomes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from laurels.core.calendar import Duration, Period
from laurels.core.money import Rate, Rounding, floor_div
from laurels.core.program.campaigns import DuringForm, resolve_during, resolve_rule
from laurels.core.program.document import Node
from laurels.core.program.finding import shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import (
    Choice,
    Either,
    Entries,
    Form,
    FormOf,
    ListOf,
    MapOf,
    OrWord,
    Said,
    Variant,
    Word,
    said_or,
)
from laurels.core.program.grants import VOUCHER_COUNT_MOST, by_tier, giveable
from laurels.core.program.model import MemberLimit
from laurels.core.program.rewards_model import (
    USUAL,
    Cause,
    Donation,
    Effect,
    FromPartner,
    Gives,
    IssuedVoucher,
    Mix,
    Price,
    Reward,
    StoredValue,
    Thing,
    Tickets,
    TierPass,
)
from laurels.core.program.values import (
    AMOUNT,
    CONDITION,
    DOTTED,
    ID,
    LONG_TEXTS,
    NAME,
    PICTURE,
    POSITIVE,
    SPAN,
    TEXTS,
    WHOLE_OR_SHARE,
    whole,
)

TRIGGER: Final = "redemption"
"""Conditions of rewards read what conditions on this type of activity may."""

_ROUND: Final = Choice(*Rounding)
_POINTS: Final = Either(POSITIVE, MapOf(DOTTED, POSITIVE))
_EVERY: Final[Choice[Period | Literal["lifetime"]]] = Choice(*Period, "lifetime")
_GOING: Final[Choice[Literal["keep", "capture"]]] = Choice("keep", "capture")
_COMING_BACK: Final[Choice[Literal["keep", "give_back"]]] = Choice("keep", "give_back")
_HOLD_USUAL: Final = Duration(days=30)
TICKETS_MOST: Final = 10_000
"""Tickets in a piece."""


class CauseForm(Form):
    """A cause: what points can be donated to."""

    name = Word(TEXTS, "what it is called, by language")
    about = Word(LONG_TEXTS, "what it does, by language")
    picture = Word(PICTURE, "the address of a picture")
    yearly = Word(whole(1), "the most points that it is credited with in a calendar year; no end by default")
    was = Word(ID, "the id it had in the version before")


class GiftCardForm(Form):
    """A gift card: money in a wallet of its own."""

    gift_card = Word(NAME, "the wallet that it is in; its points are worth money", required=True)
    amount = Word(AMOUNT, "how much money", required=True)


class CashbackForm(Form):
    """Cashback: money that the member is owed, in a wallet from which it is paid out."""

    cashback = Word(NAME, "the wallet that says what is owed; its points are worth money", required=True)
    amount = Word(AMOUNT, "how much money", required=True)


class DonationForm(Form):
    """A donation: the points of the price are credited to a cause."""

    donation = Word(NAME, "the cause", required=True)


class TierPassForm(Form):
    """A tier pass: a tier for a time."""

    tier = Word(DOTTED, "the tier, as track.tier where several tracks have one of that id", required=True)
    for_ = Word(SPAN, "for how long, such as 3M", required=True, named="for")


class PartnerForm(Form):
    """Something from a partner: fulfilled outside."""

    partner = Word(NAME, "who gives it", required=True)


class BoughtTicketsForm(Form):
    """Tickets: chances in a draw."""

    tickets = Word(NAME, "the draw that they are for", required=True)
    count = Word(whole(1, TICKETS_MOST), "how many tickets a piece is; 1 by default")


class BoughtVoucherForm(Form):
    """A voucher: one that the member gets; it is taken back, if unused, when its redemption is cancelled."""

    voucher = Word(NAME, "the kind of voucher", required=True)
    count = Word(whole(1, VOUCHER_COUNT_MOST), "how many of them a piece is; 1 by default")


GivenForm = (
    BoughtVoucherForm | BoughtTicketsForm | GiftCardForm | CashbackForm | DonationForm | TierPassForm | PartnerForm
)  # fmt: skip

_THINGS: Final[Choice[Literal["goods", "service", "experience"]]] = Choice("goods", "service", "experience")
_GIVES: Final = Either(
    _THINGS,
    Variant[GivenForm](
        "what a reward gives",
        {
            "gift_card": GiftCardForm,
            "cashback": CashbackForm,
            "donation": DonationForm,
            "tier": TierPassForm,
            "voucher": BoughtVoucherForm,
            "tickets": BoughtTicketsForm,
            "partner": PartnerForm,
        },
    ),
)


class RewardPriceForm(Form):
    """A price: points of a wallet."""

    wallet = Word(NAME, "the wallet that is paid from", required=True)
    points = Word(_POINTS, "how many points ...; may differ by tier: {member: 500, silver: 400}", required=True)
    per = Word(POSITIVE, "... for every so much of the reward's value; a piece by default")
    round = Word(_ROUND, "how the points of a piece are rounded; up by default")


class FurtherPriceForm(RewardPriceForm):
    """A further price: it holds in place of the ordinary one under a condition."""

    when = Word(CONDITION, "the condition (CEL)", required=True)


class CashForm(Form):
    """Cash in place of points: so much money for so many points."""

    points = Word(whole(1), "for every so many points that are not paid ...", required=True)
    worth = Word(AMOUNT, "... this amount is paid", required=True)
    round = Word(_ROUND, "how the amount is rounded, once; half_up by default")


class MixForm(Form):
    """A mixed price: part of it is paid with points, as the member chooses, the rest with money."""

    least = Word(WHOLE_OR_SHARE, "the least points a piece, or the least share of the price", required=True)
    most = Word(WHOLE_OR_SHARE, "the most points a piece, or the largest share of the price; 100% by default")
    cash = Word(FormOf(CashForm), "the money in place of the other points", required=True)


class RewardLimitForm(Form):
    """A limit of a reward: how many pieces a member gets in a period."""

    per = Word(Choice("member"), "for each member")
    every = Word(_EVERY, "the period", required=True)
    times = Word(whole(1), "how many pieces at most", required=True)


class GoingForm(Form):
    """A step on the way: what it does to the points that are held."""

    points = Word(_GOING, "keep them held, or capture them")


class ComingBackForm(Form):
    """A bad end: what it does to points and stock."""

    points = Word(_COMING_BACK, "keep them spent, or give them back to their lots")
    stock = Word(_COMING_BACK, "keep the pieces out of stock, or give them back")


class FulfilmentForm(Form):
    """A fulfilment: what each state of it does to points and stock."""

    packed = Word(FormOf(GoingForm), "keeps points held by default")
    shipped = Word(FormOf(GoingForm), "captures points by default")
    delivered = Word(FormOf(GoingForm), "captures points by default, where they still are held")
    failed = Word(FormOf(ComingBackForm), "gives points and pieces back by default")
    returned = Word(FormOf(ComingBackForm), "gives points back by default, and not the pieces")


class RewardForm(Form):
    """A reward: what points can buy."""

    name = Word(TEXTS, "what it is called, by language")
    about = Word(LONG_TEXTS, "what it is, by language")
    picture = Word(PICTURE, "the address of a picture")
    gives = Word(
        _GIVES,
        "goods, service or experience; or a gift card, cashback, a donation, a tier pass, a voucher, tickets of a "
        "draw, something from a partner",
        required=True,
    )
    price = Word(FormOf(RewardPriceForm), "what it costs", required=True)
    prices = Word(
        ListOf(FormOf(FurtherPriceForm), least=1, most=20), "other prices; the first whose condition holds is taken"
    )
    mix = Word(FormOf(MixForm), "part of the price may be paid with money")
    value = Word(OrWord("stated", AMOUNT), "what a piece is worth in money; stated: each request says it")
    stock = Word(whole(), "how many pieces there are; no end by default")
    limits = Word(ListOf(FormOf(RewardLimitForm), least=1, most=10), "the most pieces a member gets")
    during = Word(FormOf(DuringForm), "when it can be bought; always by default")
    when = Word(CONDITION, "the condition (CEL) under which a member may buy it")
    visible = Word(CONDITION, "the condition (CEL) under which a member sees it, and may buy it")
    hold = Word(
        OrWord("none", SPAN),
        "how long a redemption may stay open; none redeems at once. 30D by default for what is sent or done, else none",
    )
    fulfilment = Word(FormOf(FulfilmentForm), "what the states of sending it do to points and stock")
    automatic = Word(
        whole(1), "members may choose that it is redeemed by itself as soon as they have so many points available"
    )
    was = Word(ID, "the id it had in the version before")


def resolve_cause(cause: str, form: CauseForm, frame: Frame) -> Cause:
    """The cause that a form describes."""
    return Cause(
        id=cause,
        name=frame.texts(form.name, cause),
        about=_about(form.about, frame),
        picture=form.picture.value,
        yearly=form.yearly.value,
        was=form.was.value,
    )


def resolve_reward(reward: str, form: RewardForm, frame: Frame) -> Reward:
    """The reward that a form describes, with findings where its words do not go together."""
    gives = _gives(form, frame)
    is_sent = isinstance(gives, Thing | FromPartner)
    value = form.value.value
    prices = [
        _price(each.value, form, frame)
        for each in (*said_or(form.prices, ()), form.price)
        if each.value is not None
    ]  # fmt: skip
    hold = form.hold.value
    return Reward(
        id=reward,
        name=frame.texts(form.name, reward),
        gives=gives,
        prices=tuple(prices),
        about=_about(form.about, frame),
        picture=form.picture.value,
        mix=_mix(form.mix.value, frame) if form.mix.value else None,
        value=frame.money(value, form.value.node) if isinstance(value, Decimal) else "stated" if value else None,
        stock=form.stock.value,
        limits=_limits(said_or(form.limits, ()), frame),
        during=resolve_during(form.during.value, frame, "reward"),
        when=resolve_rule(form.when, TRIGGER, "condition", frame),
        visible=resolve_rule(form.visible, TRIGGER, "condition", frame),
        hold=hold if isinstance(hold, Duration) else _HOLD_USUAL if hold is None and is_sent else None,
        fulfilment=_fulfilment(form, frame, is_sent=is_sent),
        automatic=_automatic(form, frame),
        was=form.was.value,
    )


def _about(said: Said[str | Entries[str, str]], frame: Frame) -> dict[str, str]:
    return frame.texts(said, "") if said.value is not None else {}


def _gives(form: RewardForm, frame: Frame) -> Gives:
    match form.gives.value:
        case "service":
            return Thing("service")
        case "experience":
            return Thing("experience")
        case GiftCardForm() as card:
            return StoredValue("gift_card", said_or(card.gift_card, ""), _stored(card.gift_card, card.amount, frame))
        case CashbackForm() as cash:
            return StoredValue("cashback", said_or(cash.cashback, ""), _stored(cash.cashback, cash.amount, frame))
        case DonationForm() as donation:
            frame.has("cause", donation.donation.value, frame.causes, donation.donation.node)
            return Donation(said_or(donation.donation, ""))
        case TierPassForm() as given:
            return _tier_pass(given, frame)
        case BoughtVoucherForm() as given:
            kind = giveable(given.voucher, frame)
            return IssuedVoucher(kind or "", said_or(given.count, 1))
        case BoughtTicketsForm() as tickets:
            frame.has("draw", tickets.tickets.value, frame.draws, tickets.tickets.node)
            if isinstance(form.hold.value, Duration):
                message = "tickets are not held, since their draw may close before they are captured"
                frame.notes.error("contradiction", form.hold.node, message, "leave hold out: they are given at once")
            return Tickets(said_or(tickets.tickets, ""), said_or(tickets.count, 1))
        case PartnerForm() as given:
            return FromPartner(said_or(given.partner, ""))
        case _:
            return Thing("goods")


def _stored(wallet: Said[str], amount: Said[Decimal], frame: Frame) -> int:
    """The points of a wallet that an amount of money is."""
    minor = frame.money(amount.value, amount.node)
    if not frame.has_wallet(wallet.value, wallet.node):
        return 0
    money = frame.wallets[said_or(wallet, "")].money
    if money is None:
        message = f"points of {shown(said_or(wallet, ''))} are worth no money"
        frame.notes.error("not_money", wallet.node, message, 'say in the wallet: money: {points: 1, worth: "0.01"}')
        return 0
    points = floor_div(minor * money.points, money.worth) if money.worth else 0
    if amount.value is not None and (not points or points * money.worth != minor * money.points):
        message = f"{amount.value} is not a whole number of points"
        frame.notes.error("uneven_amount", amount.node, message, f"{money.points} points are worth {money.worth}")
    return points


def _tier_pass(form: TierPassForm, frame: Frame) -> TierPass:
    named, _, tier = said_or(form.tier, "").rpartition(".")
    lasts = said_or(form.for_, Duration(months=1))
    if form.tier.value is None or (named and not frame.has("track", named, frame.tracks, form.tier.node)):
        return TierPass(named, tier, lasts)
    among = [frame.tracks[named]] if named else list(frame.tracks.values())
    tracks = [track for track in among if any(each.id == tier for each in track.tiers)]
    if len(tracks) > 1:
        hint = f"write {' or '.join(f'{track.id}.{tier}' for track in tracks)}"
        frame.notes.error("ambiguous_tier", form.tier.node, f"several tracks have a tier {shown(tier)}", hint)
    elif (
        frame.has("tier", tier, [each.id for track in among for each in track.tiers], form.tier.node)
        and tracks[0].tiers[0].id == tier
    ):
        frame.notes.error("first_tier_given", form.tier.node, "everybody starts on this tier", "name a higher tier")
    return TierPass(tracks[0].id if tracks else named, tier, lasts)


def _price(form: RewardPriceForm, reward: RewardForm, frame: Frame) -> Price:
    if frame.has_wallet(form.wallet.value, form.wallet.node):
        wallet = frame.wallets[said_or(form.wallet, "")]
        if not wallet.spendable:
            message = f"points of {shown(wallet.id)} cannot be spent"
            frame.notes.error("not_spendable", form.wallet.node, message, "name another wallet")
    if form.per.is_said and not reward.value.is_said:
        message, hint = "this price goes by the value of the reward, which has none", 'write value: "59.00", or stated'
        frame.notes.error("no_value_stated", form.per.node, message, hint)
    return Price(
        wallet=said_or(form.wallet, ""),
        points=by_tier(form.points, frame, whole=not form.per.is_said),
        per=(frame.money(form.per.value, form.per.node) or 1) if form.per.is_said else None,
        round=said_or(form.round, Rounding.UP),
        when=resolve_rule(form.when, TRIGGER, "condition", frame) if isinstance(form, FurtherPriceForm) else None,
    )


def _mix(form: MixForm, frame: Frame) -> Mix:
    least: int | Rate = said_or(form.least, 0)
    most: int | Rate = said_or(form.most, Rate(1, 1))
    if type(least) is type(most) and _is_more(least, most):
        frame.notes.error("not_rising", form.most.node, "the most is less than the least", "least comes first")
    elif form.least.value == Rate(1, 1):
        message = "all of the price is paid with points, so that no money is left to pay"
        frame.notes.warning("idle_cash", form.least.node, message, "leave mix out")
    cash = form.cash.value
    if cash is None:
        return Mix(least, most, 1, 0)
    worth = frame.money(cash.worth.value, cash.worth.node)
    if cash.worth.value is not None and not worth:
        frame.notes.error("worthless", cash.worth.node, "points would be replaced by nothing", "write an amount")
    return Mix(least, most, said_or(cash.points, 1), worth, said_or(cash.round, Rounding.HALF_UP))


def _is_more(one: int | Rate, other: int | Rate) -> bool:
    if isinstance(one, Rate) and isinstance(other, Rate):
        return one.numerator * other.denominator > other.numerator * one.denominator
    return isinstance(one, int) and isinstance(other, int) and one > other


def _limits(said: tuple[Said[RewardLimitForm], ...], frame: Frame) -> tuple[MemberLimit, ...]:
    limits: dict[str, MemberLimit] = {}
    for each in said:
        if each.value is None or each.value.every.value is None:
            continue
        limit = MemberLimit(each.value.every.value, "times", said_or(each.value.times, 1), "refuse")
        if limit.key in limits:
            frame.notes.error(
                "duplicate_limit", each.node, "there is already a limit of this sort", "keep the tighter one"
            )
        limits[limit.key] = limit
    return tuple(limits.values())


def _fulfilment(form: RewardForm, frame: Frame, *, is_sent: bool) -> dict[str, Effect] | None:
    """What each state does, as said or as usual; None for what is given at once."""
    if not is_sent:
        if form.fulfilment.is_said:
            message = "this reward is given at once and has no fulfilment"
            frame.notes.error("no_fulfilment", form.fulfilment.node, message, "leave it out")
        return None
    effects = dict(USUAL)
    said = form.fulfilment.value
    if said is None:
        return effects
    for state, going in (("packed", said.packed), ("shipped", said.shipped), ("delivered", said.delivered)):
        if going.value is not None:
            effects[state] = Effect(said_or(going.value.points, effects.get(state, Effect()).points))
    for state, back in (("failed", said.failed), ("returned", said.returned)):
        if back.value is not None:
            usual = effects[state]
            effects[state] = Effect(said_or(back.value.points, usual.points), said_or(back.value.stock, usual.stock))
    return effects


def _automatic(form: RewardForm, frame: Frame) -> int | None:
    """The points from which on it is redeemed by itself; what needs a member's word cannot be."""
    at: Node | None = form.automatic.node if form.automatic.is_said else None
    if at is not None and form.value.value == "stated":
        message = "what is redeemed by itself has nobody to state a value"
        frame.notes.error("contradiction", at, message, "leave out automatic, or say the value")
    if at is not None and form.mix.is_said:
        message = "what is redeemed by itself is paid with points alone"
        frame.notes.error("contradiction", at, message, "leave out automatic, or mix")
    return form.automatic.value
