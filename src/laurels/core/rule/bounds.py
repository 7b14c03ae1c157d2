"""How large a sum in a rule can become, so that none leaves what CEL's types hold.

CEL fails where a whole number leaves 64 bits or an instant the years 1 to 9999; Python counts on. A rule in which that
could happen, given the bounds of fields, is refused before anybody can see the two differ.
"""

from collections.abc import Mapping
from typing import Final

from laurels.core.rule.environment import EARLIEST_AT, LARGEST_INT, LATEST_AT
from laurels.core.rule.typed import Arithmetic, Choice, Literal, Negative, Size, Typed

_Span = tuple[int, int]

_FIELDS: Final[Mapping[str, _Span]] = {
    "int": (-LARGEST_INT, LARGEST_INT),
    "timestamp": (EARLIEST_AT, LATEST_AT),
}
_TYPES: Final[Mapping[str, _Span]] = {
    "int": (-(2**63), 2**63 - 1),
    "timestamp": (-62_135_596_800_000_000, 253_402_300_799_999_999),  # the years 1 to 9999
}


def fits(sum_: Arithmetic | Negative) -> bool:
    """True where the sum stays within its type for all values that fields can have."""
    low, high = _span(sum_)
    lowest, highest = _TYPES[sum_.kind]
    return lowest <= low and high <= highest


def _span(node: Typed) -> _Span:
    """Between which values a whole number, instant or duration lies, given the bounds of fields."""
    match node:
        case Literal(value=int(value)):
            return value, value
        case Size():
            return 0, LARGEST_INT
        case Negative():
            low, high = _span(node.term)
            return -high, -low
        case Choice():
            (low, high), (other_low, other_high) = _span(node.yes), _span(node.no)
            return min(low, other_low), max(high, other_high)
        case Arithmetic():
            (low, high), (other_low, other_high) = _span(node.left), _span(node.right)
            if node.operator == "*":
                products = [a * b for a in (low, high) for b in (other_low, other_high)]
                return min(products), max(products)
            if node.operator == "+":
                return low + other_low, high + other_high
            return low - other_high, high - other_low
        case _:
            return _FIELDS[node.kind]
