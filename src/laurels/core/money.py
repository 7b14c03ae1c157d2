"""Money, quantities and points are integers; this module holds every place where one is divided.

An amount is a count of its currency's minor units (19.99 CNY is 1999), a quantity a count of millionths, points are
whole. Text becomes such an integer strictly: a decimal that the currency cannot hold is refused, never rounded. A
division says in its name how it rounds, and `allocate` hands out the remainder, so that parts always sum to their
total. Scaled values stay below 10**18, which fits the 64 bits of a database column and of a JSON integer.
"""

from __future__ import annotations

import difflib
import enum
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import msgspec

QUANTITY_PLACES: Final = 6
QUANTITY_ONE: Final = 1_000_000

_INTEGER_DIGITS_MAX: Final = 15
_SCALED_DIGITS_MAX: Final = 18

# Prices and quantities come again and again; reading one is pure, so what it came to may be kept.
_KEPT_MOST: Final = 8192

# So many units are handed out faster by looking for the largest remainder each time than by sorting.
_FEW: Final = 4

# ISO 4217 list one as published on 2026-01-01, by minor units. Codes without a minor unit (gold, the SDR, test
# codes) are not money that a shop takes and are left out.
_CODES_BY_PLACES: Final = (
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (
        2,
        (
            "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
            "CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
            "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK "
            "MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD "
            "RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
            "USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"
        ),
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
)


class Currency(msgspec.Struct, frozen=True):
    """An ISO 4217 currency: its alphabetic code and how many decimals its minor unit has."""

    code: str
    places: int

    @staticmethod
    def of(code: str) -> Currency:
        """The active currency of that code; ValueError, with a suggestion where one is near, for any other."""
        currency = CURRENCIES.get(code)
        if currency is None:
            near = code.strip().upper()
            matches = [near] if near in CURRENCIES else difflib.get_close_matches(near, CURRENCIES, 1)
            hint = f"; did you mean {matches[0]}?" if matches else ""
            raise ValueError(f"{_shown(code)} is not an active ISO 4217 currency code{hint}")
        return currency


CURRENCIES: Final[Mapping[str, Currency]] = MappingProxyType(
    {code: Currency(code, places) for places, codes in _CODES_BY_PLACES for code in codes.split()}
)


@lru_cache(_KEPT_MOST)
def parse_minor(text: str, places: int) -> int:
    """The count of minor units that a decimal such as "39.80" states, exactly.

    Accepts an optional minus, one to fifteen ASCII digits, and optionally a point with one to `places` digits;
    fourteen integer digits where `places` is 4. Everything else (an exponent, a plus, spaces, further decimals even
    when they are zeros) is a ValueError.
    """
    # The usual form goes a short way: of fifteen characters no digit can be too many. Once a text is ASCII, isdigit()
    # means 0 to 9 and nothing else.
    if len(text) <= 15 and text.isascii():
        whole, _, fraction = text.partition(".")
        if len(fraction) == places and whole.isdigit() and fraction.isdigit():
            return int(whole + fraction)
        if not places and text.isdigit():
            return int(text)
    return _parse_scaled(text, places)


@lru_cache(_KEPT_MOST)
def parse_quantity(text: str) -> int:
    """The count of millionths that a decimal such as "2" or "0.125" states, exactly; at most 12 integer digits."""
    if len(text) < 12 and text.isascii() and text.isdigit():
        return int(text) * QUANTITY_ONE
    return _parse_scaled(text, QUANTITY_PLACES)


@lru_cache(_KEPT_MOST)
def format_minor(amount: int, places: int) -> str:
    """The decimal with exactly `places` decimals that `parse_minor` reads back as `amount`."""
    if not places:
        return str(amount)
    digits = str(amount)
    if amount >= 0 and len(digits) > places:
        return f"{digits[:-places]}.{digits[-places:]}"
    sign = ""
    if digits[0] == "-":
        sign, digits = "-", digits[1:]
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def format_quantity(quantity: int) -> str:
    """The shortest decimal that `parse_quantity` reads back as `quantity`: "2", "0.125"."""
    return format_minor(quantity, QUANTITY_PLACES).rstrip("0").removesuffix(".")


def _parse_scaled(text: str, places: int) -> int:
    unsigned = text[1:] if text[:1] == "-" else text
    whole, point, fraction = unsigned.partition(".")
    if not (text.isascii() and whole.isdigit() and (fraction.isdigit() if point else True)):
        raise ValueError(f'{_shown(text)} is not a decimal number: write digits with an optional point, as in "19.99"')
    if len(fraction) > places:
        allowed = f"at most {places} decimals are" if places else "no decimals are"
        raise ValueError(f"{_shown(text)} has {len(fraction)} decimals, {allowed} allowed")
    digits_max = min(_INTEGER_DIGITS_MAX, _SCALED_DIGITS_MAX - places)
    if len(whole) > digits_max:
        raise ValueError(f"{_shown(text)} has {len(whole)} digits before the point, at most {digits_max} are allowed")
    scaled = int(whole + fraction.ljust(places, "0"))
    return -scaled if unsigned is not text else scaled


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


class Rounding(enum.Enum):
    """How a division that does not come out even is rounded. A negative result mirrors the positive one, so that
    what is taken back for -x is what was given for x: DOWN is towards zero, UP away from it, HALF_UP takes ties away
    from zero, HALF_EVEN to the even neighbour."""

    DOWN = "down"
    UP = "up"
    HALF_UP = "half_up"
    HALF_EVEN = "half_even"

    # Members are singletons compared by identity; the inherited hash is a Python function and ten times slower.
    __hash__ = object.__hash__


def floor_div(numerator: int, denominator: int) -> int:
    """The greatest integer not above the quotient: 7/2 is 3, -7/2 is -4. Denominators are positive."""
    if denominator <= 0:
        raise ValueError(f"a denominator must be positive, not {denominator}")
    return numerator // denominator


def ceil_div(numerator: int, denominator: int) -> int:
    """The least integer not below the quotient: 7/2 is 4, -7/2 is -3. Denominators are positive."""
    if denominator <= 0:
        raise ValueError(f"a denominator must be positive, not {denominator}")
    return -(-numerator // denominator)


def half_up_div(numerator: int, denominator: int) -> int:
    """The nearest integer, ties away from zero: 5/2 is 3, -5/2 is -3. Denominators are positive."""
    if denominator <= 0:
        raise ValueError(f"a denominator must be positive, not {denominator}")
    if numerator < 0:
        return -((denominator - 2 * numerator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


def half_even_div(numerator: int, denominator: int) -> int:
    """The nearest integer, ties to the even one: 5/2 is 2, 7/2 is 4, -5/2 is -2. Denominators are positive."""
    if denominator <= 0:
        raise ValueError(f"a denominator must be positive, not {denominator}")
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """The quotient rounded as stated, the same for -x as for x but for the sign. Denominators are positive."""
    if rounding is Rounding.HALF_UP:
        return half_up_div(numerator, denominator)
    if rounding is Rounding.HALF_EVEN:
        return half_even_div(numerator, denominator)
    if (rounding is Rounding.DOWN) == (numerator >= 0):
        return floor_div(numerator, denominator)
    return ceil_div(numerator, denominator)


def quotient_of(rounding: Rounding) -> Callable[[int, int], int]:
    """What `divide` comes to for a rounding, where the numerator is not negative: the function that divides."""
    if rounding is Rounding.DOWN:
        return floor_div
    if rounding is Rounding.UP:
        return ceil_div
    return half_up_div if rounding is Rounding.HALF_UP else half_even_div


def allocate(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Parts of `total` in proportion to `weights`, which sum to it exactly (largest remainder, ties to the earlier).

    No part has the other sign than the total, and allocating -x gives the negated parts of x. A weight of zero gets
    nothing, unless all are zero: then all count alike. Weights must not be negative, and something cannot be
    allocated to nobody (ValueError).
    """
    if total < 0:
        return tuple([-part for part in allocate(-total, weights)])
    weight = sum(weights)
    if weight == total and weight > 0 and min(weights) >= 0:
        return tuple(weights)
    if weight <= 0:
        if not weights:
            if total:
                raise ValueError(f"there is nobody to allocate {total} to")
            return ()
        if min(weights) < 0:
            raise ValueError(f"a weight must not be negative, not {min(weights)}")
        weight = len(weights)
        weights = (1,) * weight
    if min(weights) < 0:
        raise ValueError(f"a weight must not be negative, not {min(weights)}")
    return allotted(total, weights, weight)


def allotted(total: int, weights: Sequence[int], weight: int) -> tuple[int, ...]:
    """What `allocate` comes to where it is known that nothing is negative and that the weights sum to `weight` > 0."""
    if weight == total:
        return tuple(weights)
    parts: list[int] = []
    remainders: list[int] = []
    short = total
    for each in weights:
        product = total * each
        part = product // weight
        parts.append(part)
        remainders.append(product - part * weight)
        short -= part
    # At least `short` remainders are above zero, since each is less than one part of what they sum to, so a weight of
    # zero never gets one.
    if short > _FEW:
        # The sort is stable, which gives ties to the earlier.
        for index in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[:short]:
            parts[index] += 1
        return tuple(parts)
    while short:
        index = remainders.index(max(remainders))
        parts[index] += 1
        remainders[index] = 0
        short -= 1
    return tuple(parts)


class Rate(msgspec.Struct, frozen=True):
    """An exact ratio in lowest terms, such as points per minor unit."""

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        if self.denominator <= 0:
            raise ValueError(f"a rate's denominator must be positive, not {self.denominator}")

    @staticmethod
    def of(value: Decimal | int) -> Rate:
        """The value itself as a ratio: a multiplier of 1.25 is 5/4. TypeError for a binary float."""
        return Rate(*_ratio(value))

    @staticmethod
    def per(points: Decimal | int, amount: Decimal | int, places: int) -> Rate:
        """`points` for every `amount` of a currency with that many decimals, as a ratio per minor unit.

        1.25 points per 1.00 CNY is 1/80. TypeError for a binary float, ValueError unless `amount` is positive.
        """
        above, below = _ratio(points)
        amount_above, amount_below = _ratio(amount)
        if amount_above <= 0:
            raise ValueError(f"points are granted per a positive amount, not per {amount}")
        numerator = above * amount_below
        denominator = below * amount_above * 10**places
        shared = math.gcd(numerator, denominator)
        return Rate(numerator // shared, denominator // shared)


def _ratio(value: Decimal | int) -> tuple[int, int]:
    if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
        raise TypeError(f"an exact number is needed, a Decimal or an int, not {type(value).__name__}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{value} is not a finite number")
    return value.as_integer_ratio()
