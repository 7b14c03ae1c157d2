"""Pricing: what offers take off the lines of a cart, one after the other, each on what earlier ones left.

What an offer wants is worked out on the lines it selects. A line gives at most what keeps it at its floor, and no line
falls below zero; what one line cannot give, the others give as far as they can, except that an offer on pieces takes
from these pieces alone. Money is rounded to the currency once for an offer on amounts, and once for each line for an
offer on pieces; what is given is shared over lines by largest remainder, so that the parts always sum to it.

Pieces are whole units of a line; the rest of a quantity such as 1.5 kg counts towards amounts only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, assert_never

import msgspec

from laurels.core.activity import Line
from laurels.core.money import QUANTITY_ONE, Rate, Rounding, allocate, ceil_div, divide, floor_div
from laurels.core.program.offers_model import (
    AmountOff,
    Bundle,
    BuyGet,
    Floor,
    FreeItem,
    MoneyOffer,
    Nth,
    PercentOff,
    Price,
    Shipping,
    Step,
    Steps,
)

_FINER: Final = 10**36

BUNDLES_MOST: Final = 1000
"""How many bundles one offer makes of a cart at most."""


class Bid(msgspec.Struct, frozen=True, gc=False):
    """An offer on a cart: under which code, on which lines, and how much it may give.

    `selected` says of each line whether it is meant. `parts` says the same for each part of a bundle, for the lines
    got where bought ones are others, and for free items. Over `most` nothing is given, or with `refuse` nothing at all.
    """

    code: str
    gives: MoneyOffer
    selected: Sequence[bool]
    parts: tuple[Sequence[bool], ...] = ()
    floor: Floor = Floor()
    round: Rounding = Rounding.DOWN
    most: int | None = None
    refuse: bool = False


class Appraisal(msgspec.Struct, frozen=True, gc=False):
    """What an offer comes to: the outcome, what it wanted, and what each line gives, which sums to `given`."""

    code: str
    outcome: str
    wanted: int
    lines: tuple[int, ...]
    given: int = 0


class Priced(msgspec.Struct, frozen=True, gc=False):
    """A cart with the offers applied: what each line costs then, and what became of each offer, in their order."""

    amounts: tuple[int, ...]
    offers: tuple[Appraisal, ...]


def price(cart: Sequence[Line], bids: Sequence[Bid]) -> Priced:
    """The cart with these offers applied in this order. `amount` of a line is its price before all of them."""
    left = [line.amount for line in cart]
    offers: list[Appraisal] = []
    for bid in bids:
        appraisal = appraise(cart, left, bid)
        left = [amount - off for amount, off in zip(left, appraisal.lines, strict=True)]
        offers.append(appraisal)
    return Priced(tuple(left), tuple(offers))


def appraise(cart: Sequence[Line], left: Sequence[int], bid: Bid) -> Appraisal:
    """What one offer takes off a cart of which `left` is left to pay.

    Outcomes: "applied", "trimmed" (a floor or a limit left less than wanted), "no_lines", "below_threshold",
    "too_few_pieces", "price_is_lower", "nothing_left" (earlier offers or the floor left nothing to take).
    """
    nothing = (0,) * len(cart)
    if True not in bid.selected and not any(True in part for part in bid.parts):
        return Appraisal(bid.code, "no_lines", 0, nothing)
    wish = _wish(cart, left, bid)
    if isinstance(wish, str):
        return Appraisal(bid.code, wish, 0, nothing)
    wanted, weights, by_piece = wish
    if wanted <= 0:
        return Appraisal(bid.code, "nothing_left", 0, nothing)
    # Without a floor a line gives up to what it is weighed by, which no part of a smaller total exceeds.
    is_bare = bid.floor.cost is None and not bid.floor.share.numerator
    caps = weights if is_bare else _caps(cart, left, bid.floor, weights, by_piece=by_piece)
    most = sum(caps)
    room = min(wanted, most)
    if room <= 0:
        return Appraisal(bid.code, "nothing_left", wanted, nothing)
    if bid.most is not None and room > bid.most:
        if bid.refuse or bid.most <= 0:
            return Appraisal(bid.code, "limit_reached", wanted, nothing)
        room = bid.most
    lines = tuple(caps) if room == most else allocate(room, weights) if is_bare else share(room, weights, caps)
    return Appraisal(bid.code, "applied" if room == wanted else "trimmed", wanted, lines, room)


def share(total: int, weights: Sequence[int], caps: Sequence[int]) -> tuple[int, ...]:
    """Parts of `total` in proportion to weights, none above its cap; all caps together are no less than the total.

    What a capped line cannot take is shared over the others in the same proportion.
    """
    parts = [0] * len(weights)
    open_ = [n for n, cap in enumerate(caps) if cap > 0]
    while total > 0:
        offered = allocate(total, [weights[n] for n in open_])
        full = [n for n, part in zip(open_, offered, strict=True) if parts[n] + part >= caps[n]]
        if not full:
            for n, part in zip(open_, offered, strict=True):
                parts[n] += part
            break
        # Lines that would be filled are filled first; what is left is shared among the others anew.
        for n in full:
            total -= caps[n] - parts[n]
            parts[n] = caps[n]
        open_ = [n for n in open_ if n not in full]
    return tuple(parts)


def _caps(
    cart: Sequence[Line], left: Sequence[int], floor: Floor, weights: Sequence[int], *, by_piece: bool
) -> Sequence[int]:
    """How much each line may still give; of pieces no more than they are worth."""
    caps: list[int] = []
    for line, amount, weight in zip(cart, left, weights, strict=True):
        least = ceil_div(line.amount * floor.share.numerator, floor.share.denominator)
        if floor.cost is not None:
            cost = line.fields.get(floor.cost)
            least = max(least, cost if isinstance(cost, int) else 0)
        room = max(amount - least, 0)
        caps.append(min(room, weight) if by_piece else room if weight else 0)
    return caps


Wish = tuple[int, Sequence[int], bool]
"""Money wanted, the weights by which lines give it, and whether the weights are what each line gives at most."""


def _wish(cart: Sequence[Line], left: Sequence[int], bid: Bid) -> Wish | str:
    gives, chosen = bid.gives, _chosen(left, bid.selected)
    match gives:
        case AmountOff():
            return gives.amount, chosen, False
        case PercentOff():
            wanted = _part(sum(chosen), gives.percent, bid.round)
            return (wanted if gives.most is None else min(wanted, gives.most)), chosen, False
        case Steps():
            return _stepped(gives, chosen, bid.round)
        case Shipping():
            chosen = [amount if line.kind == "shipping" else 0 for line, amount in zip(cart, chosen, strict=True)]
            return _part(sum(chosen), gives.percent, bid.round), chosen, False
        case Price():
            return _priced(gives, cart, chosen, bid)
        case BuyGet():
            return _got(gives, cart, left, bid)
        case Nth():
            return _every(gives, cart, left, bid)
        case FreeItem():
            taken = dict(_dearest(cart, left, bid.parts[0], gives.quantity))
            return _by_pieces(cart, left, taken, Rate(1, 1), bid.round) if taken else "too_few_pieces"
        case Bundle():
            return _bundled(gives, cart, left, bid)
        case _:
            assert_never(gives)


def _chosen(left: Sequence[int], selected: Sequence[bool]) -> list[int]:
    return [amount if is_chosen else 0 for amount, is_chosen in zip(left, selected, strict=True)]


def _part(amount: int, rate: Rate, rounding: Rounding) -> int:
    return divide(amount * rate.numerator, rate.denominator, rounding)


# --- on amounts -------------------------------------------------------------------------------------------------------


def _stepped(gives: Steps, chosen: Sequence[int], rounding: Rounding) -> Wish | str:
    spent = sum(chosen)
    reached: Step | None = None
    for step in gives.steps:
        if spent >= step.spend:
            reached = step
    if reached is None:
        return "below_threshold"
    if reached.percent is not None:
        return _part(spent, reached.percent, rounding), chosen, False
    times = floor_div(spent, reached.spend) if gives.repeat else 1
    return times * (reached.off or 0), chosen, False


def _priced(gives: Price, cart: Sequence[Line], chosen: Sequence[int], bid: Bid) -> Wish | str:
    """What the pieces cost above their price, line by line."""
    off = [
        divide(max(amount * QUANTITY_ONE - gives.price * line.quantity, 0), QUANTITY_ONE, bid.round) if amount else 0
        for line, amount in zip(cart, chosen, strict=True)
    ]
    return (sum(off), off, True) if any(off) else "price_is_lower"


# --- on pieces --------------------------------------------------------------------------------------------------------


def _pieces(line: Line) -> int:
    return floor_div(line.quantity, QUANTITY_ONE)


def _by_worth(cart: Sequence[Line], left: Sequence[int], selected: Sequence[bool]) -> list[int]:
    """The places of selected lines that hold pieces, the dearest piece first, ties in the order of the cart."""
    places = [n for n, line in enumerate(cart) if selected[n] and _pieces(line)]
    if len(places) < 2:
        return places
    # Quantities are below 10**18, so that two prices of a piece that differ at all differ by a whole at this scale.
    return sorted(places, key=lambda n: floor_div(left[n] * _FINER, cart[n].quantity), reverse=True)


def _dearest(
    cart: Sequence[Line], left: Sequence[int], selected: Sequence[bool], pieces: int
) -> Iterator[tuple[int, int]]:
    """The dearest so many pieces: places of lines with how many of each, fewer where there are not so many."""
    for n in _by_worth(cart, left, selected):
        now = min(pieces, _pieces(cart[n]))
        pieces -= now
        if now:
            yield n, now


def _by_pieces(
    cart: Sequence[Line], left: Sequence[int], taken: dict[int, int], rate: Rate, rounding: Rounding
) -> Wish:
    """A part of what these pieces cost, rounded on each line."""
    off = [0] * len(cart)
    for n, pieces in taken.items():
        numerator = left[n] * pieces * QUANTITY_ONE * rate.numerator
        off[n] = min(divide(numerator, cart[n].quantity * rate.denominator, rounding), left[n])
    return sum(off), off, True


def _got(gives: BuyGet, cart: Sequence[Line], left: Sequence[int], bid: Bid) -> Wish | str:
    bought = sum([_pieces(line) for n, line in enumerate(cart) if bid.selected[n]])
    got_from: Sequence[bool] = bid.selected
    if bid.parts:
        got_from = bid.parts[0]
        bought = sum([_pieces(line) for n, line in enumerate(cart) if bid.selected[n] and not got_from[n]])
        times = floor_div(bought, gives.buy)
    else:
        times = floor_div(bought, gives.buy + gives.get)
    taken: dict[int, int] = {}
    pieces = times * gives.get
    for n in reversed(_by_worth(cart, left, got_from)):
        now = min(pieces, _pieces(cart[n]))
        pieces -= now
        if now:
            taken[n] = now
    return _by_pieces(cart, left, taken, gives.percent, bid.round) if taken else "too_few_pieces"


def _every(gives: Nth, cart: Sequence[Line], left: Sequence[int], bid: Bid) -> Wish | str:
    before = 0
    taken: dict[int, int] = {}
    for n in _by_worth(cart, left, bid.selected):
        after = before + _pieces(cart[n])
        times = floor_div(after, gives.n) - floor_div(before, gives.n)
        if times:
            taken[n] = times
        before = after
    if not taken:
        return "too_few_pieces"
    if gives.percent is not None:
        return _by_pieces(cart, left, taken, gives.percent, bid.round)
    _wanted, worth, _ = _by_pieces(cart, left, taken, Rate(1, 1), Rounding.DOWN)
    off = [min((gives.off or 0) * taken.get(n, 0), amount) for n, amount in enumerate(worth)]
    return sum(off), off, True


def _bundled(gives: Bundle, cart: Sequence[Line], left: Sequence[int], bid: Bid) -> Wish | str:
    """What the bundled pieces cost more than their bundles; a bundle that is no cheaper is not made.

    Parts take pieces in the order in which the bundle names them, the dearest first, so that every further bundle is
    worth no more than the one before.
    """
    orders = [_by_worth(cart, left, part) for part in bid.parts]
    free = [_pieces(line) for line in cart]
    worth = [Fraction(left[n] * QUANTITY_ONE, line.quantity or 1) for n, line in enumerate(cart)]
    saved, bundled, made = Fraction(0), [Fraction(0)] * len(cart), 0
    lacks = False
    while made < BUNDLES_MOST:
        taken = _one_bundle(gives, orders, free)
        lacks = taken is None
        if taken is None:
            break
        value = sum([worth[n] * pieces for n, pieces in taken], Fraction(0))
        if value <= gives.price:
            break
        made += 1
        saved += value - gives.price
        for n, pieces in taken:
            free[n] -= pieces
            bundled[n] += worth[n] * pieces
    if not made:
        return "too_few_pieces" if lacks else "price_is_lower"
    wanted = divide(saved.numerator, saved.denominator, bid.round)
    # A line gives in proportion to what its bundled pieces cost, and no more than that.
    weights = [floor_div(each.numerator, each.denominator) for each in bundled]
    return wanted, weights, True


def _one_bundle(gives: Bundle, orders: Sequence[Sequence[int]], free: Sequence[int]) -> list[tuple[int, int]] | None:
    """The pieces of a further bundle by line, or None where they are not there."""
    left = list(free)
    taken: list[tuple[int, int]] = []
    for part, order in zip(gives.parts, orders, strict=True):
        lacking = part.quantity
        for n in order:
            now = min(lacking, left[n])
            if now:
                taken.append((n, now))
                left[n] -= now
                lacking -= now
        if lacking:
            return None
    return taken
