"""Constants of a rule, read exactly from their text; what does not read is a `Misread`, never a rounding."""

import re
from decimal import Decimal
from typing import Final

import msgspec

from laurels.core.calendar import parse_instant
from laurels.core.money import QUANTITY_PLACES, parse_minor, parse_quantity
from laurels.core.rule.environment import SIGNIFICANT_DIGITS, is_date

_NUMBER: Final = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")
_DURATION: Final = re.compile(r"(-?)(?=[0-9])(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?")
_UNITS: Final = (3_600_000_000, 60_000_000, 1_000_000, 1_000)
_LONGEST: Final = 87_660_000 * 3_600_000_000  # ten thousand years, where CEL's durations end


class Misread(msgspec.Struct, frozen=True):
    """Why a constant is none: code, message and hint of a finding."""

    code: str
    message: str
    hint: str | None = None


def read_number(text: str, kind: str, currency_places: int) -> int | Decimal | Misread:
    """A number as the field it meets has it: money in minor units, a quantity in millionths, a decimal as it is."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return Misread("rule_invalid_literal", f"{text} is not written out", "write digits around a point: 0.50")
    whole, decimals = found[1], found[2] or ""
    places = {"money": currency_places, "quantity": QUANTITY_PLACES}.get(kind, SIGNIFICANT_DIGITS)
    if len(decimals) > places:
        code = "rule_money_precision" if kind == "money" else "rule_decimal_precision"
        has = "the currency has" if kind == "money" else "a quantity has"
        return Misread(code, f"{text} has {len(decimals)} decimals, {has} {places}", f"write at most {places} decimals")
    if len((whole + decimals).lstrip("0")) > SIGNIFICANT_DIGITS:
        message = f"{text} has more than {SIGNIFICANT_DIGITS} digits"
        return Misread("rule_decimal_precision", message, "no amount or quantity is that large or that fine")
    if kind == "decimal":
        return Decimal(text)
    try:
        return parse_minor(text, places) if kind == "money" else parse_quantity(text)
    except ValueError as error:
        return Misread("rule_decimal_precision", str(error))


def read_date(text: str) -> str | Misread:
    """A date, which stays text: dates written like this are in order as texts."""
    if is_date(text):
        return text
    return Misread("rule_invalid_literal", f"{text!r} is no date", 'write a day that exists, such as "2026-03-01"')


def read_instant(text: str) -> int | Misread:
    """An instant in microseconds since 1970."""
    try:
        return parse_instant(text)
    except ValueError as error:
        return Misread("rule_invalid_literal", str(error), 'write timestamp("2026-03-01T10:00:00+08:00")')


def read_duration(text: str) -> int | Misread:
    """A duration in microseconds."""
    hint = 'write whole hours, minutes, seconds and milliseconds: duration("720h"), duration("1h30m")'
    found = _DURATION.fullmatch(text)
    if found is None:
        return Misread("rule_invalid_literal", f"{text!r} is no duration", hint)
    sign, *counts = found.groups()
    length = sum(int(count or 0) * unit for count, unit in zip(counts, _UNITS, strict=True))
    if length > _LONGEST:
        return Misread("rule_invalid_literal", f"{text!r} is longer than ten thousand years", hint)
    return -length if sign else length
