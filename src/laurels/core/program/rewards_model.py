"""What a program says of its rewards and of the causes that points can be donated to, typed.

A reward gives something for a price. The price is points of one wallet, by tier or by the reward's value; the first of
several whose condition holds is taken. Everything is frozen and compares by value, as in `model`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, Literal

import msgspec

from laurels.core.calendar import Duration
from laurels.core.money import Rate, Rounding
from laurels.core.program.model import ByTier, During, MemberLimit, Texts
from laurels.core.rule.check import Rule


class Thing(msgspec.Struct, frozen=True, tag="thing"):
    """Something that is sent, done or attended: the shop sees to it, and says how far it has come."""

    kind: Literal["goods", "service", "experience"]


class FromPartner(msgspec.Struct, frozen=True, tag="partner"):
    """Something that a partner gives: fulfilled outside, with the partner's reference kept."""

    partner: str
    kind: Literal["partner"] = "partner"


class StoredValue(msgspec.Struct, frozen=True, tag="stored_value"):
    """Money in a wallet whose points are worth money: a gift card, or cash that the member is owed."""

    kind: Literal["gift_card", "cashback"]
    wallet: str
    points: int


class Donation(msgspec.Struct, frozen=True, tag="donation"):
    """The points of the price go to a cause."""

    cause: str
    kind: Literal["donation"] = "donation"


class TierPass(msgspec.Struct, frozen=True, tag="tier_pass"):
    """A tier for a time, after which the member stands where they would have stood without it."""

    track: str
    tier: str
    lasts: Duration
    kind: Literal["tier_pass"] = "tier_pass"


class IssuedVoucher(msgspec.Struct, frozen=True, tag="voucher"):
    """Vouchers of a kind."""

    voucher: str
    count: int = 1
    kind: Literal["voucher"] = "voucher"


class Tickets(msgspec.Struct, frozen=True, tag="ticket"):
    """Tickets of a draw."""

    draw: str
    count: int = 1
    kind: Literal["ticket"] = "ticket"


VOUCHERS_MOST: Final = 100
"""Vouchers that a redemption gives: its document names them."""

Gives = Thing | FromPartner | StoredValue | Donation | TierPass | IssuedVoucher | Tickets

State = Literal["requested", "packed", "shipped", "delivered", "returned", "failed"]

NEXT: Final = MappingProxyType(
    {
        "requested": ("packed", "shipped", "delivered", "failed"),
        "packed": ("shipped", "delivered", "failed"),
        "shipped": ("delivered", "failed", "returned"),
        "delivered": ("returned",),
        "returned": (),
        "failed": (),
    }
)
"""The states of a fulfilment, and which may follow each."""


class Effect(msgspec.Struct, frozen=True):
    """What a state of the fulfilment does: held points are captured or points given back, pieces go back to stock."""

    points: Literal["keep", "capture", "give_back"] = "keep"
    stock: Literal["keep", "give_back"] = "keep"


NOTHING: Final = Effect()
USUAL: Final = MappingProxyType(
    {
        "shipped": Effect("capture"),
        "delivered": Effect("capture"),
        "failed": Effect("give_back", "give_back"),
        "returned": Effect("give_back", "keep"),
    }
)
"""What states do unless the program says otherwise: what comes back is looked at before it is stock again."""


class Price(msgspec.Struct, frozen=True):
    """`points` of a wallet a piece, or for every `per` minor units of the reward's value; where `when` holds."""

    wallet: str
    points: ByTier
    per: int | None = None
    round: Rounding = Rounding.UP
    when: Rule | None = None


class Mix(msgspec.Struct, frozen=True):
    """The member pays between `least` and `most` of the price (points a piece, or a share of it) with points.

    For every `points` points that are not paid, `worth` minor units are, rounded once.
    """

    least: int | Rate
    most: int | Rate
    points: int
    worth: int
    round: Rounding = Rounding.HALF_UP


class Cause(msgspec.Struct, frozen=True):
    """What points can be donated to; `yearly` is the most that it is credited with in a calendar year."""

    id: str
    name: Texts
    about: Texts = {}
    picture: str | None = None
    yearly: int | None = None
    was: str | None = None


class Reward(msgspec.Struct, frozen=True):
    """What points can buy. `prices` are in the order in which they are tried; the last one has no condition.

    `value` is the reward's value in minor units, or "stated" where each request says it. `stock` counts pieces, and so
    do `limits`. `hold` is how long a redemption may stay open; None redeems at once. `fulfilment` has an effect for
    every state that has one; None: it is given at once. `automatic` is the number of points from which on it
    is redeemed by itself for members who have chosen that.
    """

    id: str
    name: Texts
    gives: Gives
    prices: tuple[Price, ...]
    about: Texts = {}
    picture: str | None = None
    mix: Mix | None = None
    value: int | Literal["stated"] | None = None
    stock: int | None = None
    limits: tuple[MemberLimit, ...] = ()
    during: During = During()
    when: Rule | None = None
    visible: Rule | None = None
    hold: Duration | None = None
    fulfilment: dict[str, Effect] | None = None
    automatic: int | None = None
    was: str | None = None

    @property
    def kind(self) -> str:
        """The sort of thing that it gives."""
        return self.gives.kind
