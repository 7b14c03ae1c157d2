"""What an offer takes off a cart, or gives on top of its points, typed: the values that pricing reads.

A promotion and a voucher both make an offer: what it gives, on which lines, how it is rounded, and below what no line
may fall. Amounts are minor units of the program's currency, percentages are exact ratios, numbers of pieces are whole.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from laurels.core.money import Rate, Rounding
from laurels.core.rule.check import Rule


class AmountOff(msgspec.Struct, frozen=True, tag="off"):
    """`amount` off the selected lines together, shared among them in proportion to their prices."""

    amount: int


class PercentOff(msgspec.Struct, frozen=True, tag="percent"):
    """A part of the price of the selected lines, of all together `most` at most (None: without bound)."""

    percent: Rate
    most: int | None = None


class Step(msgspec.Struct, frozen=True):
    """From `spend` on the selected lines on: either `off`, an amount, or `percent`, a part of their prices."""

    spend: int
    off: int | None = None
    percent: Rate | None = None


class Steps(msgspec.Struct, frozen=True, tag="steps"):
    """The highest step that is reached. With `repeat` there is one step, with an amount, given for every `spend`."""

    steps: tuple[Step, ...]
    repeat: bool = False


class BuyGet(msgspec.Struct, frozen=True, tag="buy"):
    """Who buys `buy` pieces gets `get` more at `percent` off: the cheapest, and again for every further `buy`.

    The pieces got are among the selected lines, so that `buy` + `get` are in the cart for each time; with `gets` they
    are on the lines that it selects, none of which counts as bought.
    """

    buy: int
    get: int = 1
    percent: Rate = Rate(1, 1)
    gets: Rule | None = None


class BundlePart(msgspec.Struct, frozen=True):
    """`quantity` pieces of the lines that a condition selects."""

    lines: Rule
    quantity: int = 1


class Bundle(msgspec.Struct, frozen=True, tag="bundle"):
    """All parts together for `price`, as often as the cart holds them; the dearest pieces are bundled first."""

    parts: tuple[BundlePart, ...]
    price: int


class Nth(msgspec.Struct, frozen=True, tag="nth"):
    """Every `n`-th piece at `percent` off, or at `off` less, counting from the dearest on."""

    n: int
    percent: Rate | None = None
    off: int | None = None


class Price(msgspec.Struct, frozen=True, tag="price"):
    """Each piece for `price`, where that is less than its own."""

    price: int


class FreeItem(msgspec.Struct, frozen=True, tag="free"):
    """`quantity` pieces of the lines that a condition selects, for nothing; the dearest of them."""

    lines: Rule
    quantity: int = 1


class Shipping(msgspec.Struct, frozen=True, tag="shipping"):
    """A part of what the lines of kind shipping cost."""

    percent: Rate = Rate(1, 1)


class Multiplier(msgspec.Struct, frozen=True, tag="multiplier"):
    """A further (`by` - 1) x what rate campaigns grant into a wallet on the selected lines."""

    wallet: str
    by: Rate


class Points(msgspec.Struct, frozen=True, tag="points"):
    """`points` into a wallet; with `new` only where a selected line holds what the member never bought before.

    "product": a product of that number. "category": a category, by a member who has bought in another one.
    """

    wallet: str
    points: int
    new: Literal["product", "category"] | None = None


MoneyOffer = AmountOff | PercentOff | Steps | BuyGet | Bundle | Nth | Price | FreeItem | Shipping
PointsOffer = Multiplier | Points
Gives = MoneyOffer | PointsOffer


class Floor(msgspec.Struct, frozen=True):
    """Below what no line may fall: a share of its price before all discounts, and what it cost where it says so.

    `cost` names a declared field of lines, of type money, that holds the cost of the whole line.
    """

    share: Rate = Rate(0, 1)
    cost: str | None = None


class Offer(msgspec.Struct, frozen=True):
    """What is given, on which lines (None: all that are goods), how money is rounded, and the floor of every line."""

    gives: Gives
    lines: Rule | None = None
    floor: Floor = Floor()
    round: Rounding = Rounding.DOWN
