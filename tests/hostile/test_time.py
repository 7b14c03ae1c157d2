"""Every hour of two years in eight zones, with and without summer time, beside the standard library.

The years hold a leap day, and the zones what is odd about clocks: half hours and quarters, half an hour of summer time,
summer time that stops for a month, a zone across the date line, and one that gave summer time up.
"""

from __future__ import annotations

import datetime
import importlib.resources
import os
from bisect import bisect_right
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from laurels.core.calendar import Duration, Instant, Period, Zone, format_instant, parse_instant

DEEP = bool(os.environ.get("LAURELS_DEEP"))
ZONES = (
    "Asia/Shanghai",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Africa/Casablanca",
)
# Two years from which every zone keeps some clock change: Sao Paulo and Apia gave theirs up before the later ones.
YEARS = ((2011, 2013), (2018, 2020), (2023, 2025), (2027, 2029)) if DEEP else ((2023, 2025),)
EARLIER = {"America/Sao_Paulo": (2018, 2020), "Pacific/Apia": (2011, 2013)}

HOUR = 3_600_000_000
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MICROSECOND = datetime.timedelta(microseconds=1)
CASES = [(name, years) for name in ZONES for years in ({*YEARS, EARLIER[name]} if name in EARLIER else YEARS)]


def oracle_of(name: str) -> ZoneInfo:
    """The standard library's zone from the pinned data, and not from the machine's."""
    with importlib.resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def instant_of(moment: datetime.datetime) -> Instant:
    return (moment - EPOCH) // MICROSECOND


def hours(years: tuple[int, int]) -> Iterator[datetime.datetime]:
    """Every hour from the first day of one year to the last of the next, in UTC."""
    moment = datetime.datetime(years[0], 1, 1, tzinfo=datetime.UTC)
    while moment.year < years[1]:
        yield moment
        moment += datetime.timedelta(hours=1)


@pytest.mark.parametrize(("name", "years"), CASES)
def test_every_hour_reads_as_the_standard_library_reads_it_and_is_found_again(
    name: str, years: tuple[int, int]
) -> None:
    zone, oracle = Zone(name), oracle_of(name)
    for moment in hours(years):
        instant = instant_of(moment)
        there = moment.astimezone(oracle)
        local = zone.local(instant)
        assert (local.date, local.hour, local.minute) == (there.date().isoformat(), there.hour, there.minute), moment
        assert zone.ordinal_at(instant) == there.toordinal(), moment
        offset = there.utcoffset()
        assert offset is not None
        assert zone.offset_at(instant) == offset // MICROSECOND, moment
        # A clock that shows an hour twice means the first, everything else is the instant it came from.
        found = zone.instant_at(there.toordinal(), there.hour * 3600 + there.minute * 60)
        assert found == (instant_of(there.replace(fold=0)) if there.fold else instant), moment
        assert parse_instant(format_instant(instant, zone)) == instant
    assert parse_instant(format_instant(0, zone)) == 0


@pytest.mark.parametrize(("name", "years"), CASES)
def test_days_weeks_months_and_years_hold_every_hour_and_tile_the_line(name: str, years: tuple[int, int]) -> None:
    zone, oracle = Zone(name), oracle_of(name)
    for period in Period:
        starts = sorted({zone.period_start(instant_of(moment), period) for moment in hours(years)})
        ends = [zone.period_end(start, period) for start in starts]
        assert ends[:-1] == starts[1:], f"{period} of {name} leave a gap or overlap"
        keys = [key_of((EPOCH + start * MICROSECOND).astimezone(oracle), period) for start in starts]
        for moment in hours(years):
            instant = instant_of(moment)
            place = bisect_right(starts, instant) - 1
            start = starts[place]
            assert zone.period_start(instant, period) == start <= instant < zone.period_end(instant, period), moment
            # The same period is the same run of local dates.
            assert key_of(moment.astimezone(oracle), period) == keys[place], moment


def key_of(there: datetime.datetime, period: Period) -> tuple[int, ...]:
    """What all instants of a period share."""
    if period is Period.WEEK:
        return there.isocalendar()[:2]
    if period is Period.DAY:
        return there.year, there.month, there.day
    months = {Period.MONTH: 1, Period.QUARTER: 3, Period.HALF_YEAR: 6, Period.YEAR: 12}[period]
    return there.year, (there.month - 1) // months


DURATIONS = ("1H", "24H", "1D", "7D", "1M", "2M", "12M", "1Y")


@pytest.mark.parametrize(("name", "years"), CASES)
def test_what_is_added_to_an_hour_lands_where_the_calendar_says(name: str, years: tuple[int, int]) -> None:
    """Every third hour, and with it every month end and leap day, at some hour of the day."""
    zone, oracle = Zone(name), oracle_of(name)
    steps = [(text, Duration.parse(text)) for text in DURATIONS]
    for n, moment in enumerate(hours(years)):
        if n % 3 and not DEEP:
            continue
        instant, there = instant_of(moment), moment.astimezone(oracle)
        for text, duration in steps:
            expected = later(there, text, oracle)
            assert zone.add(instant, duration) == expected, f"{there} plus {text}"


def later(there: datetime.datetime, text: str, oracle: ZoneInfo) -> Instant:
    """The instant a duration after a local time, by the rules as they are published."""
    count, unit = int(text[:-1]), text[-1]
    if unit == "H":
        return instant_of(there) + count * HOUR
    if unit == "D":
        day = there.date() + datetime.timedelta(days=count)
    else:
        months = there.year * 12 + there.month - 1 + count * (12 if unit == "Y" else 1)
        year, month = months // 12, months % 12 + 1
        following = datetime.date(year + month // 12, month % 12 + 1, 1)
        length = (following - datetime.timedelta(days=1)).day
        day = datetime.date(year, month, min(there.day, length))
    wall = datetime.datetime.combine(day, there.time().replace(fold=0))
    # A time that the clock skips moves on by what was skipped; one that it shows twice is the first.
    return instant_of(wall.replace(tzinfo=oracle, fold=0).astimezone(datetime.UTC))


def test_the_oracle_sees_a_calendar_that_is_off_by_an_hour() -> None:
    """A zone taken for its neighbour differs somewhere in the two years, wherever their clocks do."""
    zone, oracle = Zone("Europe/London"), oracle_of("Africa/Casablanca")
    differing = [
        moment for moment in hours((2023, 2025))
        if zone.local(instant_of(moment)).hour != moment.astimezone(oracle).hour
    ]  # fmt: skip
    assert differing
