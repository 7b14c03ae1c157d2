"""Instants, local dates and durations: every question about time that the program's zone decides.

An `Instant` counts microseconds since 1970 in UTC; a `Date` is the ordinal of a local date as in
`datetime.date.toordinal`. A `Zone` answers from the pinned `tzdata` package, never from the machine it runs on.
Days, months and years are cut at the first instant of a local date, so periods tile the timeline without gap or
overlap even where a clock change removes midnight, repeats it, or skips a whole day. An instant that is exactly the
first of a period belongs to the period that it starts.
"""

from __future__ import annotations

import datetime
import difflib
import enum
import importlib
import importlib.resources
import re
import struct
from bisect import bisect_left, bisect_right
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

Instant = int
Date = int

MICROSECONDS_PER_SECOND: Final = 1_000_000
MICROSECONDS_PER_MINUTE: Final = 60 * MICROSECONDS_PER_SECOND
MICROSECONDS_PER_HOUR: Final = 60 * MICROSECONDS_PER_MINUTE
MICROSECONDS_PER_DAY: Final = 24 * MICROSECONDS_PER_HOUR

EPOCH_DATE: Final[Date] = datetime.date(1970, 1, 1).toordinal()
LAST_INSTANT: Final[Instant] = (datetime.date.max.toordinal() + 1 - EPOCH_DATE) * MICROSECONDS_PER_DAY - 1
LAST_LIVED: Final[Instant] = (datetime.date(8000, 1, 1).toordinal() - EPOCH_DATE) * MICROSECONDS_PER_DAY - 1
"""The last instant at which anything happens: durations of up to 1000 years can still be added to it."""

_EPOCH_UTC: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_EPOCH: Final = _EPOCH_UTC.replace(tzinfo=None)
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# The Gregorian calendar, weekdays included, repeats after 400 years; so do rules for clock changes.
_CYCLE: Final = 146_097 * MICROSECONDS_PER_DAY
_NEVER: Final[Instant] = 2**63
_TABLE_ENTRIES_MAX: Final = 4096

_MINUTES: Final = tuple([f"{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60)])
_SECONDS: Final = tuple([f":{second:02}" for second in range(60)])
_MINUTES_PER_DAY: Final = 24 * 60
_DURATIONS_MAX: Final = 64

_Day = tuple[str, int, int, int, str]
_Span = tuple[Instant, Instant]
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_NO_SPAN: Final[_Span] = (_NEVER, _NEVER)
_NO_SPANS: Final = (_NO_SPAN, _NO_SPAN)

_RFC_3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH_DAY: Final = re.compile(r"([0-9]{2})-([0-9]{2})")
_DURATION: Final = re.compile(r"(0|[1-9][0-9]{0,8})(Y|MIN|M|W|D|H|S)")


def tzdata_version() -> str:
    """The IANA release of the zone data in use, such as "2026b"; another release may change decisions."""
    return str(importlib.import_module("tzdata").IANA_VERSION)


def parse_instant(text: str) -> Instant:
    """The instant that an RFC 3339 text with seconds and an offset (Z or +hh:mm) names; ValueError for any other.

    Upper-case T and Z, at most six decimals, no leap second; the instant lies in the years 1970 to 9999 of UTC.
    """
    if not _RFC_3339.fullmatch(text):
        raise ValueError(f'{_shown(text)} is not an instant: write RFC 3339, as in "2026-03-01T10:00:00+08:00"')
    try:
        since = datetime.datetime.fromisoformat(text) - _EPOCH_UTC
    except ValueError as error:
        raise ValueError(f"{_shown(text)} is not an instant: {error}") from None
    instant = (since.days * 86_400 + since.seconds) * MICROSECONDS_PER_SECOND + since.microseconds
    if not 0 <= instant <= LAST_INSTANT:
        raise ValueError(f"{_shown(text)} lies outside the years 1970 to 9999 of UTC")
    return instant


def format_instant(instant: Instant, zone: Zone | None = None) -> str:
    """RFC 3339 that `parse_instant` reads back: in UTC with Z, or with a zone in its local time and offset.

    Six decimals when there is a fraction of a second. RFC 3339 has no offsets with seconds, as zones had before
    1972, and no year 10000: the offset is then cut to the minute, or UTC is written.
    """
    return f"{_clock_text(instant)}Z" if zone is None else zone.format(instant)


def _clock_text(local: int) -> str:
    try:
        return (_EPOCH + datetime.timedelta(0, 0, local)).isoformat()
    except OverflowError:
        raise ValueError(f"the instant {local} lies outside the years 1 to 9999") from None


def parse_date(text: str) -> Date:
    """The date that "2026-03-01" names; ValueError for any other form and for dates that do not exist."""
    if not _ISO_DATE.fullmatch(text):
        raise ValueError(f'{_shown(text)} is not a date: write it as in "2026-03-01"')
    try:
        return datetime.date.fromisoformat(text).toordinal()
    except ValueError as error:
        raise ValueError(f"{_shown(text)} is not a date: {error}") from None


def format_date(date: Date) -> str:
    """The date as "2026-03-01"."""
    return datetime.date.fromordinal(date).isoformat()


def parse_month_day(text: str) -> tuple[int, int]:
    """The month and day that "06-30" names, "02-29" included; ValueError for any other form or date."""
    match = _MONTH_DAY.fullmatch(text)
    if match is not None:
        month, day = int(match[1]), int(match[2])
        if 1 <= month <= 12 and 1 <= day <= _month_length(2000, month):
            return month, day
    raise ValueError(f'{_shown(text)} is not a day of the year: write month and day, as in "06-30"')


def date_in_year(year: int, month: int, day: int) -> Date:
    """That day of the year; the month's last where the month is shorter, so 29 February is the 28th in common years."""
    return datetime.date(year, month, min(day, _month_length(year, month))).toordinal()


def _month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


class Duration(msgspec.Struct, frozen=True):
    """Calendar months and days, which keep the clock time, and microseconds, which are absolute; in this order.

    `-duration` points back, for windows such as the last twelve months.
    """

    months: int = 0
    days: int = 0
    microseconds: int = 0

    @staticmethod
    def parse(text: str) -> Duration:
        """The duration that "1Y", "12M", "2W", "30D", "1H", "15MIN" or "30S" names, at most 1000 years.

        ValueError for any other form; units are not combined.
        """
        match = _DURATION.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{_shown(text)} is not a duration: write a whole number and Y, M, W, D, H, MIN or S, "
                'as in "1Y", "12M", "30D" or "15MIN"'
            )
        count, unit = int(match[1]), _DURATION_UNITS[match[2]]
        duration = Duration(count * unit.months, count * unit.days, count * unit.microseconds)
        if (
            duration.months > 12_000
            or duration.days > 365_000
            or duration.microseconds > 365_000 * MICROSECONDS_PER_DAY
        ):
            raise ValueError(f"{_shown(text)} is longer than 1000 years")
        return duration

    def __str__(self) -> str:
        """The shortest text that `parse` reads back as this duration, such as "1Y" for twelve months; parts that
        differ in kind, which `parse` does not write, are joined by +."""
        parts = []
        if self.months:
            years, months = divmod(self.months, 12)
            parts.append(f"{self.months}M" if months else f"{years}Y")
        if self.days:
            parts.append(f"{self.days}D")
        if self.microseconds:
            seconds, rest = divmod(self.microseconds, MICROSECONDS_PER_SECOND)
            if rest:
                parts.append(f"{self.microseconds}US")
            elif seconds % 3600 == 0:
                parts.append(f"{seconds // 3600}H")
            elif seconds % 60 == 0:
                parts.append(f"{seconds // 60}MIN")
            else:
                parts.append(f"{seconds}S")
        return "+".join(parts) or "0D"

    def __neg__(self) -> Duration:
        return Duration(-self.months, -self.days, -self.microseconds)


_DURATION_UNITS: Final = MappingProxyType(
    {
        "Y": Duration(months=12),
        "M": Duration(months=1),
        "W": Duration(days=7),
        "D": Duration(days=1),
        "H": Duration(microseconds=MICROSECONDS_PER_HOUR),
        "MIN": Duration(microseconds=MICROSECONDS_PER_MINUTE),
        "S": Duration(microseconds=MICROSECONDS_PER_SECOND),
    }
)


class Period(enum.Enum):
    """A stretch of the local calendar; weeks are those of ISO 8601 and begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"

    # Members are singletons compared by identity; the inherited hash is a Python function and ten times slower.
    __hash__ = object.__hash__


class LocalTime(msgspec.Struct, frozen=True, gc=False):
    """What calendar and clock show at an instant in a zone: date "2026-03-01", weekday "mon" to "sun", ordinal the
    `Date`, second_of_day counted on the clock's face (0 to 86399)."""

    date: str
    year: int
    month: int
    day: int
    weekday: str
    hour: int
    minute: int
    ordinal: Date
    second_of_day: int


class Zone:
    """A time zone by its IANA name. Two zones of one name are equal; ValueError for a name that does not exist.

    Questions that lead into local years after 9999 are a ValueError. What is asked often is kept in small tables
    inside the object, so keep one object per zone; the tables change how fast an answer comes, never the answer.
    """

    __slots__ = (
        "_ahead",
        "_at",
        "_dates",
        "_days",
        "_ends_after",
        "_horizon",
        "_offsets",
        "_recent_ends",
        "_recent_offset",
        "_recent_spans",
        "_recent_years",
        "_shifts",
        "_spans",
        "_starts",
        "_texts",
        "_walls",
        "name",
    )

    name: str

    def __init__(self, name: str) -> None:
        self.name = name
        changes, before, rule = _read_tzif(_zone_data(name))
        self._horizon: Instant = _NEVER
        if "," in rule:
            last = changes[-1][0] if changes else 0
            first_year = datetime.date.fromordinal(last // MICROSECONDS_PER_DAY + EPOCH_DATE).year
            # One cycle, after which the answers repeat, and a margin so that the rule alone governs all of it.
            last_year = first_year + 402
            changes += [change for change in _rule_changes(rule, first_year, last_year) if change[0] > last]
            self._horizon = _midnight(datetime.date(last_year, 1, 1).toordinal())
        # From _at[i - 1] on and before _at[i] the offset is _offsets[i]. A clock reading is judged as after change
        # i - 1 from _walls[i - 1] on; what that change repeats or skips is judged as before it.
        self._at: list[Instant] = [-_NEVER]
        self._offsets: list[int] = [before, before]
        self._walls: list[int] = [-_NEVER]
        for at, offset in changes:
            if offset != self._offsets[-1]:
                self._at.append(at)
                self._walls.append(at + max(offset, self._offsets[-1]))
                self._offsets.append(offset)
        self._at.append(_NEVER)
        self._recent_offset = (_NEVER, _NEVER, 0)
        self._recent_spans = dict.fromkeys(Period, _NO_SPAN)
        # The year asked for last and the next one, to whose end tiers hold.
        self._recent_years: dict[tuple[int, int], tuple[_Span, _Span]] = {}
        self._starts: dict[tuple[int, int, int], list[Instant]] = {}
        self._recent_ends: dict[tuple[tuple[int, int], ...], _Span] = {}
        self._days: dict[Date, _Day] = {}
        self._spans: dict[Period, dict[Date, _Span]] = {period: {} for period in Period}
        self._shifts: dict[Duration, dict[int, int]] = {}
        self._ends_after: dict[tuple[Duration, Period], dict[int, Instant]] = {}
        self._texts: dict[Instant, str] = {}
        self._dates: dict[int, str] = {}
        self._ahead: dict[int, str] = {}

    def __repr__(self) -> str:
        return f"Zone({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return self.name == other.name if isinstance(other, Zone) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[type[Zone], tuple[str]]:
        return Zone, (self.name,)

    def offset_at(self, instant: Instant) -> int:
        """Microseconds by which local clocks are ahead of UTC (east is positive)."""
        start, end, offset = self._recent_offset
        return offset if start <= instant < end else self._find_offset(instant)

    def ordinal_at(self, instant: Instant) -> Date:
        """The date that a local calendar shows."""
        return (instant + self.offset_at(instant)) // MICROSECONDS_PER_DAY + EPOCH_DATE

    def weekday_at(self, instant: Instant) -> str:
        """The weekday that a local calendar shows, "mon" to "sun"."""
        return _WEEKDAYS[(self.ordinal_at(instant) - 1) % 7]

    def local(self, instant: Instant) -> LocalTime:
        """What local calendar and clock show."""
        start, end, offset = self._recent_offset
        if not start <= instant < end:
            offset = self._find_offset(instant)
        day, second = divmod((instant + offset) // MICROSECONDS_PER_SECOND, 86_400)
        ordinal = day + EPOCH_DATE
        date, year, month, day_of_month, weekday = self._days.get(ordinal) or self._find_day(ordinal)
        minutes = second // 60
        return LocalTime(date, year, month, day_of_month, weekday, minutes // 60, minutes % 60, ordinal, second)

    def format(self, instant: Instant) -> str:
        """The instant in RFC 3339, in local time with its offset; see `format_instant`."""
        return self._texts.get(instant) or self._find_text(instant)

    def instant_at(self, ordinal: Date, second_of_day: int = 0, microsecond: int = 0) -> Instant:
        """The instant at which local clocks show that time.

        A time that occurs twice means the first. A time that is skipped is read with the offset before the change,
        which moves it forward by what is skipped; but a skipped midnight means the first instant of that date or,
        where the whole date is skipped, of the next.
        """
        return self._instant_of(_midnight(ordinal) + second_of_day * MICROSECONDS_PER_SECOND + microsecond)

    def add(self, instant: Instant, duration: Duration) -> Instant:
        """The instant that lies a duration later, or earlier where the duration is negative.

        Months keep the day and clamp it to the month's last; months and days keep the clock time and are then read
        as by `instant_at`; microseconds are absolute and come last.
        """
        if not (duration.months or duration.days):
            return instant + duration.microseconds
        start, end, offset = self._recent_offset
        if not start <= instant < end:
            offset = self._find_offset(instant)
        wall = instant + offset
        shifts = self._shifts.get(duration)
        if shifts is not None:
            shift = shifts.get(wall // MICROSECONDS_PER_DAY)
            if shift is not None:
                return wall + shift
        return self._find_sum(wall, duration)

    def period_start(self, instant: Instant, period: Period) -> Instant:
        """The first instant of the period that contains the instant."""
        start, end = self._recent_spans[period]
        return start if start <= instant < end else self._find_span(instant, period)[0]

    def period_end(self, instant: Instant, period: Period) -> Instant:
        """The first instant of the period after the one that contains the instant."""
        start, end = self._recent_spans[period]
        return end if start <= instant < end else self._find_span(instant, period)[1]

    def period_end_after(self, instant: Instant, duration: Duration, period: Period) -> Instant:
        """The end of the period that contains the instant a duration later: "after 12M, round month"."""
        start, end, offset = self._recent_offset
        if not start <= instant < end:
            offset = self._find_offset(instant)
        day = (instant + offset) // MICROSECONDS_PER_DAY
        ends = self._ends_after.get((duration, period))
        if ends is None:
            ends = {}
            _keep(self._ends_after, (duration, period), ends, _DURATIONS_MAX)
        found = ends.get(day)
        if found is None:
            found = self.period_end(self.add(instant, duration), period)
            if not duration.microseconds and day in self._shifts.get(duration, ()):
                # Every time of this day arrives on one date, which no clock change cuts.
                _keep(ends, day, found)
        return found

    def year_from(self, instant: Instant, month: int, day: int) -> tuple[Instant, Instant]:
        """The year that begins on that month and day and contains the instant, as its first instant and that of the
        next; 29 February is the 28th in common years."""
        span, following = self._recent_years.get((month, day), _NO_SPANS)
        if span[0] <= instant < span[1]:
            return span
        return following if following[0] <= instant < following[1] else self._find_year(instant, month, day)

    def anniversary_window(self, anchor: Instant, instant: Instant) -> tuple[Instant, Instant]:
        """The member year that contains the instant; it begins on the anniversary of the anchor's local date."""
        ordinal = self.ordinal_at(anchor)
        _, _, month, day, _ = self._days.get(ordinal) or self._find_day(ordinal)
        return self.year_from(instant, month, day)

    def next_dates(
        self, instant: Instant, dates: tuple[tuple[int, int], ...], at_least: Duration | None = None
    ) -> Instant:
        """The end of the first listed (month, day) date that ends after the instant and when `at_least` has passed.

        The end is the first instant of the following day. ValueError for an empty list.
        """
        earliest = instant + 1
        if at_least is not None:
            earliest = max(earliest, self.add(instant, at_least))
        previous, end = self._recent_ends.get(dates, _NO_SPAN)
        return end if previous < earliest <= end else self._find_end(earliest, dates)

    def _find_offset(self, instant: Instant) -> int:
        if instant >= self._horizon:
            instant -= ((instant - self._horizon) // _CYCLE + 1) * _CYCLE
            return self._offsets[bisect_right(self._at, instant)]
        index = bisect_right(self._at, instant)
        offset = self._offsets[index]
        self._recent_offset = (self._at[index - 1], self._at[index], offset)
        return offset

    def _instant_of(self, wall: int) -> Instant:
        cycles = 0
        if wall >= self._horizon:
            cycles = ((wall - self._horizon) // _CYCLE + 1) * _CYCLE
            wall -= cycles
        index = bisect_right(self._walls, wall)
        instant = wall - self._offsets[index]
        if instant > self._at[index] and wall % MICROSECONDS_PER_DAY == 0:
            instant = self._at[index]
        return instant + cycles

    def _find_day(self, ordinal: Date) -> _Day:
        try:
            date = datetime.date.fromordinal(ordinal)
        except (ValueError, OverflowError):
            raise ValueError(f"the local date {ordinal} lies outside the years 1 to 9999") from None
        day = (date.isoformat(), date.year, date.month, date.day, _WEEKDAYS[date.weekday()])
        _keep(self._days, ordinal, day)
        return day

    def _find_text(self, instant: Instant) -> str:
        start, end, offset = self._recent_offset
        if not start <= instant < end:
            offset = self._find_offset(instant)
        minutes = offset // MICROSECONDS_PER_MINUTE
        local = instant + minutes * MICROSECONDS_PER_MINUTE
        if local > LAST_INSTANT:
            text = f"{_clock_text(instant)}Z"
        else:
            minute, micro = divmod(local, MICROSECONDS_PER_MINUTE)
            day = minute // _MINUTES_PER_DAY
            date = self._dates.get(day) or self._find_date_text(day)
            ahead = self._ahead.get(minutes) or self._find_offset_text(minutes)
            if micro:
                second, micro = divmod(micro, MICROSECONDS_PER_SECOND)
                fraction = f".{micro:06}" if micro else ""
                text = f"{date}{_MINUTES[minute % _MINUTES_PER_DAY]}{_SECONDS[second]}{fraction}{ahead}"
            else:
                text = f"{date}{_MINUTES[minute % _MINUTES_PER_DAY]}:00{ahead}"
        texts = self._texts
        if len(texts) >= _TABLE_ENTRIES_MAX:
            texts.clear()
        texts[instant] = text
        return text

    def _find_date_text(self, day: int) -> str:
        text = f"{format_date(day + EPOCH_DATE)}T"
        _keep(self._dates, day, text)
        return text

    def _find_offset_text(self, minutes: int) -> str:
        ahead = abs(minutes)
        text = f"{'-' if minutes < 0 else '+'}{ahead // 60:02}:{ahead % 60:02}"
        _keep(self._ahead, minutes, text)
        return text

    def _find_sum(self, wall: int, duration: Duration) -> Instant:
        day, time_of_day = divmod(wall, MICROSECONDS_PER_DAY)
        ordinal = day + EPOCH_DATE
        if duration.months:
            _, year, month, day_of_month, _ = self._days.get(ordinal) or self._find_day(ordinal)
            year, month = divmod(year * 12 + month - 1 + duration.months, 12)
            ordinal = date_in_year(year, month + 1, day_of_month)
        midnight = _midnight(ordinal + duration.days)
        first, last = self._instant_of(midnight), self._instant_of(midnight + MICROSECONDS_PER_DAY - 1)
        if last - first == MICROSECONDS_PER_DAY - 1:
            # No change on the day of arrival, so every time of the day of departure is shifted alike.
            shifts = self._shifts.get(duration)
            if shifts is None:
                shifts = {}
                _keep(self._shifts, duration, shifts, _DURATIONS_MAX)
            _keep(shifts, day, first + duration.microseconds - day * MICROSECONDS_PER_DAY)
        return self._instant_of(midnight + time_of_day) + duration.microseconds

    def _find_span(self, instant: Instant, period: Period) -> _Span:
        spans = self._spans[period]
        ordinal = self.ordinal_at(instant)
        span = spans.get(ordinal)
        while span is None or instant >= span[1]:
            if span is not None:
                # Clocks went back across midnight and show again a date whose successor has already begun.
                ordinal += 1
            first, following = _period_dates(ordinal, period)
            span = (self.instant_at(first), self.instant_at(following))
            _keep(spans, ordinal, span)
        self._recent_spans[period] = span
        return span

    def _find_year(self, instant: Instant, month: int, day: int) -> _Span:
        year = self.local(instant).year
        starts = self._starts.get((year, month, day))
        if starts is None:
            starts = [self.instant_at(date_in_year(each, month, day)) for each in range(year - 1, year + 3)]
            _keep(self._starts, (year, month, day), starts)
        index = bisect_right(starts, instant)
        span = (starts[index - 1], starts[index])
        following = (starts[index], starts[index + 1]) if index + 1 < len(starts) else _NO_SPAN
        _keep(self._recent_years, (month, day), (span, following))
        return span

    def _find_end(self, earliest: Instant, dates: tuple[tuple[int, int], ...]) -> Instant:
        if not dates:
            raise ValueError("at least one date is needed")
        year = self.local(earliest).year
        ends = sorted(
            self.instant_at(date_in_year(each, month, day) + 1)
            for each in range(year - 2, year + 2)
            for month, day in dates
        )
        index = bisect_left(ends, earliest)
        _keep(self._recent_ends, dates, (ends[index - 1], ends[index]))
        return ends[index]


def _keep(table: dict[_Key, _Value], key: _Key, value: _Value, entries_max: int = _TABLE_ENTRIES_MAX) -> None:
    if len(table) >= entries_max:
        table.clear()
    table[key] = value


def _midnight(ordinal: Date) -> int:
    return (ordinal - EPOCH_DATE) * MICROSECONDS_PER_DAY


def _period_dates(ordinal: Date, period: Period) -> tuple[Date, Date]:
    """The first date of the period that contains a date, and that of the next period."""
    if period is Period.DAY:
        return ordinal, ordinal + 1
    if period is Period.WEEK:
        # The ordinals of Mondays leave 1 when divided by 7.
        monday = ordinal - (ordinal - 1) % 7
        return monday, monday + 7
    months = {Period.MONTH: 1, Period.QUARTER: 3, Period.HALF_YEAR: 6, Period.YEAR: 12}[period]
    date = datetime.date.fromordinal(ordinal)
    month = (date.month - 1) // months * months + 1
    first = datetime.date(date.year, month, 1).toordinal()
    following = first + sum(_month_length(date.year, each) for each in range(month, month + months))
    return first, following


# --- The zone files: TZif of RFC 8536, with a rule in POSIX notation for the years after the last listed change.

_TZIF_HEADER: Final = struct.Struct(">4sc15x6l")
_TIME: Final = r"[+-]?[0-9]{1,3}(?::[0-9]{2}(?::[0-9]{2})?)?"
_CHANGE_RULE: Final = rf"M([0-9]{{1,2}})\.([1-5])\.([0-6])(?:/({_TIME}))?"
_POSIX_RULE: Final = re.compile(
    rf"(?:[A-Za-z]+|<[A-Za-z0-9+-]+>)({_TIME})(?:[A-Za-z]+|<[A-Za-z0-9+-]+>)({_TIME})?,{_CHANGE_RULE},{_CHANGE_RULE}"
)


def _zone_data(name: str) -> bytes:
    package = importlib.resources.files("tzdata")
    # The package's list decides, because a file system may ignore case or follow dots out of the directory.
    names = package.joinpath("zones").read_text("ascii").split()
    if name not in names:
        raise ValueError(f"{_shown(name)} is not a time zone{_zone_hint(name, names)}")
    return package.joinpath("zoneinfo", *name.split("/")).read_bytes()


def _zone_hint(name: str, names: list[str]) -> str:
    wanted = name.strip().replace(" ", "_").casefold()
    # The zone of China is named after its largest city, where many expect the capital.
    wanted = wanted.replace("beijing", "shanghai")
    matches = [each for each in names if each.casefold() == wanted or each.casefold().endswith(f"/{wanted}")]
    # Short ones, such as CST or UTC+8, are near to many and meant as none of them.
    if not matches and len(wanted) > 5:
        folded = {each.casefold(): each for each in names}
        matches = [folded[each] for each in difflib.get_close_matches(wanted, folded, 1)]
    return f"; did you mean {matches[0]}?" if matches else "; write an IANA name, as in Asia/Shanghai"


def _read_tzif(data: bytes) -> tuple[list[tuple[Instant, int]], int, str]:
    """The listed changes as (instant, offset from then on), the offset before the first, and the rule after the
    last. Offsets count microseconds."""
    magic, version, isut, isstd, leap, times, types, chars = _TZIF_HEADER.unpack_from(data)
    if magic != b"TZif" or version < b"2":
        raise ValueError("the zone file is not in the TZif format of version 2 or later")
    # The first block holds the same in 32 bits, for old readers.
    start = _TZIF_HEADER.size + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    _, _, isut, isstd, leap, times, types, chars = _TZIF_HEADER.unpack_from(data, start)
    start += _TZIF_HEADER.size
    seconds = struct.unpack_from(f">{times}q", data, start)
    kinds = data[start + times * 8 : start + times * 9]
    offsets = [struct.unpack_from(">l", data, start + times * 9 + kind * 6)[0] for kind in range(types)]
    rule = data[start + times * 9 + types * 6 + chars + leap * 12 + isstd + isut :].decode("ascii").strip("\n")
    changes = [
        (second * MICROSECONDS_PER_SECOND, offsets[kind] * MICROSECONDS_PER_SECOND)
        for second, kind in zip(seconds, kinds, strict=True)
    ]
    return changes, offsets[0] * MICROSECONDS_PER_SECOND, rule


def _rule_changes(rule: str, first_year: int, last_year: int) -> list[tuple[Instant, int]]:
    """The changes that a POSIX rule such as "CET-1CEST,M3.5.0,M10.5.0/3" makes in those years, in order."""
    match = _POSIX_RULE.fullmatch(rule)
    if match is None:
        raise ValueError(f"the zone file states a rule that is not understood: {rule}")
    # POSIX counts offsets to the west.
    standard = -_posix_time(match[1])
    summer = -_posix_time(match[2]) if match[2] else standard + MICROSECONDS_PER_HOUR
    changes = []
    for year in range(first_year, last_year + 1):
        for month, week, weekday, time, before, after in (
            (match[3], match[4], match[5], match[6], standard, summer),
            (match[7], match[8], match[9], match[10], summer, standard),
        ):
            date = _nth_weekday(year, int(month), int(week), int(weekday))
            changes.append((_midnight(date) + _posix_time(time or "2") - before, after))
    return sorted(changes)


def _nth_weekday(year: int, month: int, week: int, weekday: int) -> Date:
    """The week-th such weekday (0 is Sunday) of a month, where the fifth means the last."""
    first = datetime.date(year, month, 1).toordinal()
    date = first + (weekday - first) % 7 + (week - 1) * 7
    return date if date < first + _month_length(year, month) else date - 7


def _posix_time(text: str) -> int:
    sign = -1 if text[0] == "-" else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    hours, minutes, seconds = (*parts, 0, 0)[:3]
    return sign * ((hours * 60 + minutes) * 60 + seconds) * MICROSECONDS_PER_SECOND
