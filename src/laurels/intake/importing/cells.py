"""From a cell to a value of an activity: texts, numbers and instants as the contract writes them.

A cell of a CSV file is a text; one of Parquet or NDJSON may be of any type. Each value of a mapping becomes one
function from a row to the value, made once for a file. None says that the cell is empty and the value is left out.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from laurels.core.calendar import (
    LAST_INSTANT,
    MICROSECONDS_PER_DAY,
    MICROSECONDS_PER_SECOND,
    Instant,
    Zone,
    format_instant,
    parse_instant,
)
from laurels.intake.importing.mapping import Value, text_of

Row = Sequence[Any]
Taker = Callable[[Row], Any]


class Unfit(ValueError):  # noqa: N818 - it is about the cell, and its text is for a person
    """A cell that cannot be the value that it should be; the text says why."""


def taker(value: Value, places: Mapping[str, int], *, text: bool = False) -> Taker:
    """The function from a row to the value. `places` says where columns are; `text`: as a text whatever the cell is."""
    if value.constant is not None:
        constant = text_of(value.constant) if text else value.constant
        return lambda _row: constant
    assert value.column is not None
    place = places[value.column]
    steps = _steps(value, text=text)
    default = value.default
    if default is not None and text:
        default = text_of(default)

    def take(row: Row) -> Any:
        cell = row[place]
        if isinstance(cell, str):
            cell = cell.strip()
        if cell is None or cell == "":
            return default
        for step in steps:
            cell = step(cell)
            if cell is None:
                return default
        return cell

    return take


def instant_taker(value: Value, places: Mapping[str, int]) -> Callable[[Row], Instant | None]:
    """The function from a row to the instant, as a number."""
    take = taker(value, places)

    def take_instant(row: Row) -> Instant | None:
        text = take(row)
        if text is None:
            return None
        try:
            return parse_instant(text)
        except ValueError as error:
            raise Unfit(str(error)) from None

    return take_instant


def _steps(value: Value, *, text: bool) -> tuple[Callable[[Any], Any], ...]:
    steps: list[Callable[[Any], Any]] = []
    if value.values is not None:
        replacements = value.values
        steps.append(lambda cell: replacements.get(text_from(cell), cell))
    if value.is_instant:
        reading = _Instants(value.zone, value.format)
        steps.append(reading.text)
    elif value.split is not None:
        separator = value.split
        steps.append(lambda cell: _split(cell, separator))
    elif value.to == "integer":
        steps.append(_integer)
    elif value.to == "boolean":
        steps.append(_boolean)
    elif value.decimals is not None or value.decimal == ",":
        decimals, comma = value.decimals, value.decimal == ","
        steps.append(lambda cell: _number(cell, decimals, comma=comma))
    elif text or value.to == "text":
        steps.append(text_from)
    else:
        steps.append(_plain)
    return tuple(steps)


def text_from(cell: Any) -> str:
    """A cell as a text; numbers without exponents."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float):
        return format(_decimal(cell), "f").removesuffix(".0")
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    raise Unfit(f"{_shown(cell)} is not a text")


def _plain(cell: Any) -> Any:
    """A value in JSON as it is; numbers with decimals as text, which is how the contract writes them."""
    if isinstance(cell, float | Decimal | datetime.date):
        return text_from(cell)
    return cell


def _split(cell: Any, separator: str) -> list[str]:
    if isinstance(cell, list):
        return [text_from(each) for each in cell if each is not None]
    return [part for each in text_from(cell).split(separator) if (part := each.strip())]


def _integer(cell: Any) -> int:
    try:
        number = _decimal(cell)
    except InvalidOperation:
        raise Unfit(f"{_shown(cell)} is not a whole number") from None
    if number != number.to_integral_value() or not number.is_finite():
        raise Unfit(f"{_shown(cell)} is not a whole number")
    return int(number)


_TRUE: Final = frozenset(("true", "t", "yes", "y", "1"))
_FALSE: Final = frozenset(("false", "f", "no", "n", "0"))


def _boolean(cell: Any) -> bool:
    text = text_from(cell).lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise Unfit(f"{_shown(cell)} is neither true nor false: true, yes, 1, false, no and 0 are known")


def _number(cell: Any, decimals: int | None, *, comma: bool) -> str:
    if comma and isinstance(cell, str):
        cell = cell.replace(".", "").replace(",", ".")
    try:
        number = _decimal(cell)
        if not number.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise Unfit(f"{_shown(cell)} is not a number") from None
    if decimals is not None:
        number = number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return format(number, "f")


def _decimal(cell: Any) -> Decimal:
    # A binary number means the shortest decimal that is nearest to it: 0.1, not 0.1000000000000000055.
    if isinstance(cell, float):
        return Decimal(repr(cell))
    text = text_from(cell)
    if not _NUMBER.fullmatch(text):
        raise InvalidOperation
    return Decimal(text)


_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?")


class _Instants:
    """How instants are read: by a format or as ISO 8601, in a zone where they have no offset of their own."""

    __slots__ = ("_format", "_name", "_per_unit", "_zone")

    def __init__(self, zone: str | None, format: str | None) -> None:
        self._name = zone
        self._zone = None if zone is None else Zone(zone)
        self._format = format
        self._per_unit = _EPOCHS.get(format or "")

    def text(self, cell: Any) -> str:
        """The instant in RFC 3339."""
        if self._per_unit is not None:
            instant = _integer(cell) * self._per_unit
        elif isinstance(cell, datetime.datetime):
            instant = self._of(cell)
        elif isinstance(cell, datetime.date):
            instant = self._of(datetime.datetime(cell.year, cell.month, cell.day))  # noqa: DTZ001 - local by intent
        else:
            instant = self._of(self._parsed(text_from(cell)))
        if not 0 <= instant <= LAST_INSTANT:
            raise Unfit(f"{_shown(cell)} lies outside the years 1970 to 9999")
        return format_instant(instant)

    def _parsed(self, text: str) -> datetime.datetime:
        try:
            if self._format is not None:
                return datetime.datetime.strptime(text, self._format)  # noqa: DTZ007 - the zone comes after
            return datetime.datetime.fromisoformat(text)
        except ValueError:
            expected = f"as {self._format} says" if self._format else "such as 2026-03-01 10:00:00"
            raise Unfit(f"{_shown(text)} is not an instant {expected}") from None

    def _of(self, moment: datetime.datetime) -> Instant:
        second = (moment.hour * 60 + moment.minute) * 60 + moment.second
        if moment.tzinfo is not None:
            since = moment - _EPOCH
            return since.days * MICROSECONDS_PER_DAY + since.seconds * MICROSECONDS_PER_SECOND + since.microseconds
        if self._zone is None:
            raise Unfit(f"{moment} has no offset, and the mapping names no zone for it")
        instant = self._zone.instant_at(moment.toordinal(), second, moment.microsecond)
        shown = self._zone.local(instant)
        if (shown.ordinal, shown.second_of_day) != (moment.toordinal(), second):
            raise Unfit(f"{moment} does not exist in {self._name}, where clocks were put forward then")
        return instant


_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_EPOCHS: Final = {"epoch_s": MICROSECONDS_PER_SECOND, "epoch_ms": 1000, "epoch_us": 1}


def _shown(cell: Any) -> str:
    text = repr(cell)
    return text if len(text) <= 60 else text[:57] + "..."
