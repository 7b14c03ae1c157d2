"""Pieces that a promotion or voucher gave for nothing: what is paid for earns points by the piece, and these do not.

Facts say what was taken off a line in money. A piece was free where its whole price was taken off by an offer that
gives pieces away, and so was every piece of a line of which offers left nothing to pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from laurels.core.activity import Line
from laurels.core.compiled import Compiled
from laurels.core.facts import Offered, Priced
from laurels.core.money import QUANTITY_ONE, Rounding, divide, floor_div
from laurels.core.program.offers_model import BuyGet, FreeItem, Gives, Nth
from laurels.core.version import Versions

NONE_FREE: Final[Mapping[str, int]] = MappingProxyType({})


def free_pieces(
    versions: Versions, compiled: Compiled, lines: tuple[Line, ...], given: Priced, counted: Priced
) -> Mapping[str, int]:
    """The quantities, in millionths, that were for nothing, by line. `lines` are at their prices before offers.

    `given` is what offers give, by which each is measured on what earlier ones left, and `counted` what a till took off
    of that.
    """
    if not counted.takes_off:
        return NONE_FREE
    by_line = {line.line: line for line in lines}
    left = {line.line: line.amount for line in lines}
    to_pay = dict(left)
    free: dict[str, int] = {}
    for offer, taken in zip(given.offers, counted.offers, strict=True):
        rounding = _gives_away(versions, compiled, offer)
        for part in taken.lines:
            to_pay[part.line] = to_pay.get(part.line, 0) - part.amount
            if rounding is not None and part.line in by_line:
                line = by_line[part.line]
                pieces = _pieces_worth(left[line.line], line.quantity, part.amount, rounding)
                if pieces:
                    free[line.line] = free.get(line.line, 0) + pieces * QUANTITY_ONE
        for part in offer.lines:
            if part.line in left:
                left[part.line] -= part.amount
    for line in lines:
        if (line.amount and to_pay[line.line] <= 0) or free.get(line.line, 0) > line.quantity:
            free[line.line] = line.quantity
    return free or NONE_FREE


def _gives_away(versions: Versions, compiled: Compiled, offer: Offered) -> Rounding | None:
    """How an offer that gives pieces away rounds; None for any other."""
    gives: Gives
    if offer.voucher is None:
        promotion = None if compiled.pricelist is None else compiled.pricelist.promotions.get(offer.promotion)
        if promotion is None:
            return None
        gives, rounding = promotion.gives, promotion.round
    else:
        kind = compiled.vouchers.get(offer.voucher) or versions.newest_voucher(offer.voucher)
        if kind is None:
            return None
        gives, rounding = kind.gives, kind.round
    whole = isinstance(gives, FreeItem) or (
        isinstance(gives, BuyGet | Nth)
        and gives.percent is not None
        and gives.percent.numerator == gives.percent.denominator
    )
    return rounding if whole else None


def _pieces_worth(left: int, quantity: int, off: int, rounding: Rounding) -> int:
    """How many pieces of a line cost what was taken off; a part of a piece is none."""
    pieces = floor_div(quantity, QUANTITY_ONE)
    if left <= 0 or not pieces:
        return 0

    def worth(count: int) -> int:
        return min(divide(left * count * QUANTITY_ONE, quantity, rounding), left)

    about = floor_div(off * quantity, left * QUANTITY_ONE)
    found = 0
    # Rounding a price moves its inverse by one piece at most, where a piece costs the least amount or more.
    for count in range(max(about - 1, 1), min(about + 2, pieces) + 1):
        if worth(count) == off:
            return count
        if worth(count) < off:
            found = count
    return found


def left_free(free: Mapping[str, int], lines: tuple[Line, ...], remaining: tuple[Line, ...]) -> dict[str, int]:
    """Of the free quantities those on what remains of each line, in proportion."""
    whole = {line.line: line.quantity for line in lines}
    return {
        line.line: floor_div(free[line.line] * line.quantity, whole[line.line] or 1)
        for line in remaining
        if line.line in free
    }
