"""The single values of a document: names, numbers, durations, dates, conditions, each in the form people write.

Numbers are decimals, exactly as written. An amount of money is a decimal here, too; whether the currency has so many
decimals is judged where the currency is known. Bounds are wide enough for any program and narrow enough that no later
sum can leave 64 bits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from laurels.core.calendar import Date, Duration, Instant, parse_date, parse_instant, parse_month_day
from laurels.core.money import Rate
from laurels.core.program.finding import shown
from laurels.core.program.grammar import Choice, Either, Kind, MapOf, Written
from laurels.core.rule.check import TEXT_LONGEST as CONDITION_LONGEST
from laurels.core.rule.environment import RESERVED_WORDS, is_name

POINTS_MOST: Final = 10**12
FACTOR_MOST: Final = 1000

_ID_LETTERS_MOST: Final = 64
_TEXT_LETTERS_MOST: Final = 200

_ID_PATTERN: Final = "[a-z][a-z0-9_]*"
_TYPE_PATTERN: Final = rf"{_ID_PATTERN}(\.{_ID_PATTERN})*"
_LANGUAGE_PATTERN: Final = "[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?"
_NUMBER_PATTERN: Final = r"-?[0-9]{1,13}(\.[0-9]{1,6})?"
_WHOLE_PATTERN: Final = "-?(0|[1-9][0-9]{0,15})"
_SHARE_PATTERN: Final = r"([0-9]{1,3}(?:\.[0-9]{1,4})?)%"
_CLOCK_PATTERN: Final = "([01][0-9]|2[0-4]):([0-5][0-9])"
_DURATION_PATTERN: Final = "(0|[1-9][0-9]{0,8})(Y|MIN|M|W|D|H|S)"
_MONTH_DAY_PATTERN: Final = "[0-9]{2}-[0-9]{2}"
_DATE_PATTERN: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

_YEAR_AFTER_LAST: Final = 2190
"""Conditions know instants up to here."""

N = TypeVar("N", int, Decimal)


def _id(text: str) -> str:
    if text in RESERVED_WORDS:
        raise ValueError(f"{shown(text)} is a reserved word of the rule language")
    if not is_name(text):
        raise ValueError(f"{shown(text)} is not an id")
    if len(text) > _ID_LETTERS_MOST:
        raise ValueError(f"the id {shown(text)} is longer than {_ID_LETTERS_MOST} characters")
    return text


ID: Final = Written(
    "an id",
    _id,
    {"type": "string", "pattern": f"^{_ID_PATTERN}$", "maxLength": _ID_LETTERS_MOST},
    code="bad_id",
    hint="an id is made of a to z, 0 to 9 and _, begins with a letter and is no reserved word",
)


def _matching(pattern: str, what: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def make(text: str) -> str:
        if compiled.fullmatch(text) is None or len(text) > 2 * _ID_LETTERS_MOST:
            raise ValueError(f"{shown(text)} is not {what}")
        return text

    return make


def _name(what: str, pattern: str, hint: str) -> Written[str]:
    schema = {"type": "string", "pattern": f"^{pattern}$", "maxLength": 2 * _ID_LETTERS_MOST}
    return Written(what, _matching(pattern, what), schema, code="bad_id", hint=hint)


NAME: Final = _name("the id of something", _ID_PATTERN, "write the id of a thing that the document describes")
DOTTED: Final = _name("a name", _TYPE_PATTERN, "write names joined by dots, as in custom.stay.nights")
ACTIVITY_TYPE: Final = _name(
    "an activity type", _TYPE_PATTERN, "write a type such as purchase, check_in or custom.stay"
)


def _text(longest: int) -> Callable[[str], str]:
    def make(text: str) -> str:
        if not text.strip():
            raise ValueError("the text is empty")
        if len(text) > longest:
            raise ValueError(f"the text has {len(text)} characters, at most {longest} are allowed")
        return text

    return make


TEXT: Final = Written(
    "a text",
    _text(_TEXT_LETTERS_MOST),
    {"type": "string", "minLength": 1, "maxLength": _TEXT_LETTERS_MOST},
    code="bad_text",
    hint=f"a text has 1 to {_TEXT_LETTERS_MOST} characters",
)


def long_text(longest: int = 2000) -> Written[str]:
    """Texts that people read as a whole, such as rules."""
    return Written(
        "a text",
        _text(longest),
        {"type": "string", "minLength": 1, "maxLength": longest},
        code="bad_text",
        hint=f"a text has 1 to {longest} characters",
    )


LANGUAGE: Final = Written(
    "a language",
    _matching(_LANGUAGE_PATTERN, "a language"),
    {"type": "string", "pattern": f"^{_LANGUAGE_PATTERN}$"},
    code="bad_language",
    hint="write a language tag such as en or zh-CN",
)
TEXTS: Final = Either(TEXT, MapOf(LANGUAGE, TEXT, most=50))

_LONG_TEXT_LETTERS_MOST: Final = 2000
_LONG_TEXT: Final = Written(
    "a text",
    _text(_LONG_TEXT_LETTERS_MOST),
    {"type": "string", "minLength": 1, "maxLength": _LONG_TEXT_LETTERS_MOST},
    code="bad_text",
    hint=f"a text has 1 to {_LONG_TEXT_LETTERS_MOST} characters",
)
LONG_TEXTS: Final = Either(_LONG_TEXT, MapOf(LANGUAGE, _LONG_TEXT, most=50))
"""What is said at length, by language."""


def _address(text: str) -> str:
    if re.fullmatch(_ADDRESS_PATTERN, text) is None or len(text) > _ADDRESS_LETTERS_MOST:
        raise ValueError(f"{shown(text)} is not the address of a picture")
    return text


_ADDRESS_PATTERN: Final = r"(https://|/)[!-~]+"
_ADDRESS_LETTERS_MOST: Final = 1000
PICTURE: Final = Written(
    "the address of a picture",
    _address,
    {"type": "string", "pattern": f"^{_ADDRESS_PATTERN}$", "maxLength": _ADDRESS_LETTERS_MOST},
    code="bad_address",
    hint="write https:// and what follows, or a path that begins with /",
)

CONDITION: Final = Written(
    "a condition",
    _text(CONDITION_LONGEST),
    {"type": "string", "minLength": 1, "maxLength": CONDITION_LONGEST},
    code="bad_text",
    hint="write a condition such as purchase.total >= 30.00",
)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{shown(text)} is neither true nor false")
    return text == "true"


TRUTH: Final = Written(
    "true or false", _truth, {"type": "boolean"}, code="bad_truth", hint="write true or false", plain=True
)


def _within(value: N, least: int, most: int) -> N:
    if not least <= value <= most:
        raise ValueError(f"{value} is out of range, it must be {least:,} to {most:,}")
    return value


def whole(least: int = 0, most: int = POINTS_MOST) -> Written[int]:
    """Whole numbers within bounds."""

    def make(text: str) -> int:
        if re.fullmatch(_WHOLE_PATTERN, text) is None:
            raise ValueError(f"{shown(text)} is not a whole number")
        return _within(int(text), least, most)

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Written(
        "a whole number",
        make,
        schema,
        code="bad_number",
        hint=f"write a whole number from {least:,} to {most:,}",
        plain=True,
    )


def number(least: int = 0, most: int = POINTS_MOST, *, above_zero: bool = False) -> Written[Decimal]:
    """Decimal numbers within bounds, with or without quotes; at most six decimals."""

    def make(text: str) -> Decimal:
        if re.fullmatch(_NUMBER_PATTERN, text) is None:
            raise ValueError(f"{shown(text)} is not a number")
        value = _within(Decimal(text), least, most)
        if above_zero and not value:
            raise ValueError(f"{shown(text)} must be more than zero")
        return value

    schema = {
        "type": ["number", "string"],
        "pattern": f"^{_NUMBER_PATTERN}$",
        ("exclusiveMinimum" if above_zero else "minimum"): least,
        "maximum": most,
    }
    return Written("a number", make, schema, code="bad_number", hint="write digits with an optional point, as in 1.25")


AMOUNT: Final = number(most=10**12)
"""An amount of money, not negative."""

POSITIVE: Final = number(above_zero=True)


def _span(text: str) -> Duration:
    duration = Duration.parse(text)
    if duration == Duration():
        raise ValueError("a duration of zero makes no sense here")
    return duration


_DURATION_SCHEMA: Final = {"type": "string", "pattern": f"^{_DURATION_PATTERN}$"}
_DURATION_HINT: Final = "write a number and Y, M, W, D, H, MIN or S, as in 12M"

DURATION: Final = Written("a duration", Duration.parse, _DURATION_SCHEMA, code="bad_duration", hint=_DURATION_HINT)
SPAN: Final = Written("a duration", _span, _DURATION_SCHEMA, code="bad_duration", hint=_DURATION_HINT)
"""A duration that is not zero."""


def _share(text: str) -> Rate:
    match = re.fullmatch(_SHARE_PATTERN, text)
    if match is None or Decimal(match[1]) > 100:
        raise ValueError(f"{shown(text)} is not a share")
    return Rate.per(Decimal(match[1]), 100, 0)


SHARE: Final = Written(
    "a share",
    _share,
    {"type": "string", "pattern": f"^{_SHARE_PATTERN}$"},
    code="bad_share",
    hint="write a percentage from 0% to 100%",
)


def _whole_or_share(text: str) -> int | Rate:
    if text.endswith("%"):
        return _share(text)
    if re.fullmatch(_WHOLE_PATTERN, text) is None:
        raise ValueError(f"{shown(text)} is neither a whole number nor a share")
    return _within(int(text), 0, POINTS_MOST)


WHOLE_OR_SHARE: Final = Written(
    "a whole number or a share",
    _whole_or_share,
    {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"^{_SHARE_PATTERN}$"}]},
    code="bad_number",
    hint="write a whole number, or a percentage from 0% to 100%",
)

MONTH_DAY: Final = Written(
    "a day of the year",
    parse_month_day,
    {"type": "string", "pattern": f"^{_MONTH_DAY_PATTERN}$"},
    code="bad_date",
    hint='write month and day, as in "06-30"',
)


class Moment(msgspec.Struct, frozen=True):
    """A date in the program's zone, or an instant."""

    date: Date | None = None
    instant: Instant | None = None


def _moment(text: str) -> Moment:
    moment = Moment(instant=parse_instant(text)) if "T" in text else Moment(date=parse_date(text))
    if not 1970 <= int(text[:4]) < _YEAR_AFTER_LAST:
        raise ValueError(f"{shown(text)} is not in the years 1970 to {_YEAR_AFTER_LAST - 1}")
    return moment


MOMENT: Final = Written(
    "a date or an instant",
    _moment,
    {"type": "string", "pattern": f"^{_DATE_PATTERN}(T.*)?$"},
    code="bad_date",
    hint="write a date such as 2026-03-01 or an instant such as 2026-03-01T10:00:00+08:00",
)


def _clock(text: str) -> int:
    match = re.fullmatch(_CLOCK_PATTERN, text)
    seconds = int(match[1]) * 3600 + int(match[2]) * 60 if match else 86_401
    if seconds > 86_400:
        raise ValueError(f"{shown(text)} is not a time of day")
    return seconds


CLOCK: Final = Written(
    "a time of day",
    _clock,
    {"type": "string", "pattern": f"^{_CLOCK_PATTERN}$"},
    code="bad_time",
    hint='write hours and minutes from "00:00" to "24:00"',
)


WEEKDAYS: Final[Kind[str]] = Choice("mon", "tue", "wed", "thu", "fri", "sat", "sun")
