"""The calendar against the standard library's own zoneinfo and datetime, over the same pinned zone data."""

import datetime
import functools
import importlib.resources
import itertools
import pickle
import random
import zoneinfo
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurels.core.calendar import (
    EPOCH_DATE,
    LAST_INSTANT,
    MICROSECONDS_PER_DAY,
    MICROSECONDS_PER_HOUR,
    MICROSECONDS_PER_MINUTE,
    MICROSECONDS_PER_SECOND,
    Duration,
    LocalTime,
    Period,
    Zone,
    date_in_year,
    format_date,
    format_instant,
    parse_date,
    parse_instant,
    parse_month_day,
    tzdata_version,
)

DAY, HOUR, MINUTE, SECOND = (
    MICROSECONDS_PER_DAY,
    MICROSECONDS_PER_HOUR,
    MICROSECONDS_PER_MINUTE,
    MICROSECONDS_PER_SECOND,
)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MICROSECOND = datetime.timedelta(microseconds=1)

# Ordinary zones, and those whose clocks did something that breaks assumptions: midnight skipped (Sao_Paulo, Beirut,
# Havana, Asuncion), midnight shown twice (St_Johns, Casey), a date skipped (Apia, Kwajalein), half-hour changes
# (Lord_Howe), summer time below standard time (Dublin), summer time off for Ramadan (Casablanca), a rule whose hour
# exceeds 24 (Gaza) or lies before the day (Nuuk), an offset with seconds (Monrovia), a date shown twice
# (Kwajalein in 1969), no summer time (Shanghai since 1991, Kathmandu).
ZONES = (
    *("UTC", "Asia/Shanghai", "Asia/Kathmandu", "Europe/Berlin", "America/New_York", "Europe/Dublin", "Europe/London"),
    *("America/Sao_Paulo", "Asia/Beirut", "America/Havana", "America/Asuncion", "America/St_Johns", "Antarctica/Casey"),
    *("Pacific/Apia", "Pacific/Kwajalein", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Gaza", "America/Nuuk"),
    *("Africa/Monrovia", "Pacific/Chatham", "Africa/Cairo"),
)

IN_2100 = 47_482 * DAY  # the first day of 2100

zones = st.sampled_from(ZONES)
periods = st.sampled_from(Period)


@functools.cache
def zone_of(name: str) -> Zone:
    return Zone(name)


@functools.cache
def oracle_of(name: str) -> zoneinfo.ZoneInfo:
    resource = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with resource.open("rb") as file:
        return zoneinfo.ZoneInfo.from_file(file, name)


@functools.cache
def zone_names() -> tuple[str, ...]:
    return tuple(importlib.resources.files("tzdata").joinpath("zones").read_text("ascii").split())


@functools.cache
def changes_of(name: str) -> tuple[int, ...]:
    """The instants from 1970 to 2100 at which the oracle's offset changes, found by halving."""

    def offset(second: int) -> int:
        return expected_offset(oracle_of(name), second * SECOND)

    found = []
    # Changes lie more than three days apart, as a test below makes sure.
    step = 3 * 86_400
    for start in range(0, IN_2100 // SECOND, step):
        low, high = start, start + step
        if offset(low) != offset(high):
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            found.append(high * SECOND)
    return tuple(found)


def expected_offset(oracle: zoneinfo.ZoneInfo, instant: int) -> int:
    offset = (EPOCH + datetime.timedelta(microseconds=instant)).astimezone(oracle).utcoffset()
    assert offset is not None
    return offset // MICROSECOND


def instant_of(local: datetime.datetime) -> int:
    return (local - EPOCH) // MICROSECOND


def at(text: str, zone: str | None = None) -> int:
    """An instant written with its offset, or a clock reading of a zone as the oracle understands it."""
    if zone is None:
        return parse_instant(text)
    return instant_of(datetime.datetime.fromisoformat(text).replace(tzinfo=oracle_of(zone)))


def shown(zone: str, instant: int) -> str:
    return format_instant(instant, zone_of(zone))


@st.composite
def instants_near_changes(draw: st.DrawFn, zone: str, within: int = 2 * DAY) -> int:
    changes = changes_of(zone)
    if not changes:
        return draw(st.integers(0, IN_2100))
    distance = st.sampled_from((0, -1, 1)) | st.integers(-within, within)
    return max(0, draw(st.sampled_from(changes)) + draw(distance))


def instants(zone: str) -> st.SearchStrategy[int]:
    return st.integers(0, IN_2100) | instants_near_changes(zone)


@st.composite
def zones_and_instants(draw: st.DrawFn) -> tuple[str, int]:
    zone = draw(zones)
    return zone, draw(instants(zone))


durations = st.builds(Duration, st.integers(-30, 60), st.integers(-40, 400), st.integers(-30 * HOUR, 30 * HOUR))


# --- text ---


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T08:00:00+08:00", 0),
        ("1969-12-31T16:00:00-08:00", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T05:45:00+05:45", 0),
        ("2026-03-01T10:00:00+08:00", 1_772_330_400 * SECOND),
        ("2026-03-01T02:00:00-00:00", 1_772_330_400 * SECOND),
        ("2024-02-29T23:59:59.999999Z", 1_709_251_199_999_999),
        ("9999-12-31T23:59:59.999999Z", LAST_INSTANT),
    ),
)
def test_an_instant_is_read_exactly(text: str, expected: int) -> None:
    assert parse_instant(text) == expected


@pytest.mark.parametrize(
    "text",
    (
        "",
        "2026-03-01",
        "2026-03-01T10:00:00",  # no offset
        "2026-03-01T10:00+08:00",  # no seconds
        "2026-03-01 10:00:00+08:00",
        "2026-03-01t10:00:00Z",
        "2026-03-01T10:00:00z",
        "2026-03-01T10:00:00+0800",
        "2026-03-01T10:00:00+08",
        "2026-03-01T10:00:00+24:00",
        "2026-03-01T10:00:00+08:60",
        "2026-03-01T10:00:00+08:00:30",
        "2026-03-01T10:00:00.Z",
        "2026-03-01T10:00:00,5Z",
        "2026-03-01T10:00:00.1234567Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T23:60:00Z",
        "2016-12-31T23:59:60Z",  # a leap second
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-W09-7T10:00:00Z",
        "20260301T100000Z",
        " 2026-03-01T10:00:00Z",
        "2026-03-01T10:00:00Z\n",
        "２０２６-03-01T10:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",  # 1969 in UTC
        "9999-12-31T23:59:59-00:01",  # 10000 in UTC
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ),
)
def test_a_text_that_is_no_instant_is_refused_with_the_text_in_the_message(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an instant|outside the years") as caught:
        parse_instant(text)
    assert repr(text) in str(caught.value)


def test_a_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(ValueError, match="not an instant") as caught:
        parse_instant("9" * 100_000)
    assert len(str(caught.value)) < 200


@given(st.integers(0, LAST_INSTANT), st.none() | zones)
@settings(max_examples=150, deadline=None)
def test_a_written_instant_is_read_back(instant: int, zone: str | None) -> None:
    assert parse_instant(format_instant(instant, zone_of(zone) if zone else None)) == instant


@given(st.integers(0, LAST_INSTANT - DAY), zones)
@settings(max_examples=100, deadline=None)
def test_an_instant_is_written_as_the_standard_library_writes_it(instant: int, zone: str) -> None:
    local = (EPOCH + datetime.timedelta(microseconds=instant)).astimezone(oracle_of(zone))
    if zone == "Africa/Monrovia" and instant < at("1972-01-07T01:00:00Z"):
        return  # an offset with seconds, which RFC 3339 cannot express
    assert format_instant(instant, zone_of(zone)) == local.isoformat()


def test_an_instant_is_written_with_a_fraction_only_where_there_is_one() -> None:
    assert format_instant(0) == "1970-01-01T00:00:00Z"
    assert format_instant(1) == "1970-01-01T00:00:00.000001Z"
    assert format_instant(500_000) == "1970-01-01T00:00:00.500000Z"
    assert format_instant(0, zone_of("Asia/Kathmandu")) == "1970-01-01T05:30:00+05:30"
    assert format_instant(0, zone_of("UTC")) == "1970-01-01T00:00:00+00:00"


def test_an_offset_with_seconds_is_written_to_the_minute_and_stays_the_same_instant() -> None:
    # Monrovia was 44 minutes and 30 seconds behind until 1972: cut to -00:45, its clock reads half a minute earlier.
    assert shown("Africa/Monrovia", 0) == "1969-12-31T23:15:00-00:45"


def test_an_instant_that_is_in_the_year_10000_locally_is_written_in_utc() -> None:
    assert shown("Asia/Shanghai", LAST_INSTANT) == "9999-12-31T23:59:59.999999Z"


def test_an_instant_that_no_year_of_four_digits_holds_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="outside the years"):
        format_instant(LAST_INSTANT + 1)
    with pytest.raises(ValueError, match="outside the years"):
        zone_of("Asia/Shanghai").local(LAST_INSTANT)


def test_a_date_is_read_and_written() -> None:
    assert parse_date("1970-01-01") == EPOCH_DATE
    assert parse_date("2024-02-29") == datetime.date(2024, 2, 29).toordinal()
    assert format_date(parse_date("2026-03-31")) == "2026-03-31"


@pytest.mark.parametrize("text", ("", "2026-02-29", "2026-3-1", "20260301", "2026-W09-7", "2026-03-01T00:00:00Z", "x"))
def test_a_text_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        parse_date(text)


def test_a_day_of_the_year_is_read() -> None:
    assert parse_month_day("06-30") == (6, 30)
    assert parse_month_day("02-29") == (2, 29)


@pytest.mark.parametrize("text", ("", "6-30", "06-31", "02-30", "00-10", "13-01", "06-00", "06-30 ", "--06-30"))
def test_a_text_that_is_no_day_of_the_year_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a day of the year"):
        parse_month_day(text)


# --- durations ---


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ("12M", Duration(months=12)),
        ("1Y", Duration(months=12)),
        ("36M", Duration(months=36)),
        ("2W", Duration(days=14)),
        ("30D", Duration(days=30)),
        ("1H", Duration(microseconds=HOUR)),
        ("15MIN", Duration(microseconds=15 * MINUTE)),
        ("30S", Duration(microseconds=30 * SECOND)),
        ("0D", Duration()),
        ("1000Y", Duration(months=12_000)),
    ),
)
def test_a_duration_is_read(text: str, expected: Duration) -> None:
    assert Duration.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    (
        *("", "M", "12", "12m", "12 M", "-1D", "+1D", "1.5D", "01D", "1Y6M", "P1Y", "1MONTH", "1D\n", "１D"),
        *("1001Y", "12001M", "365001D", "8760001H", "9999999999S", "9999999999D"),
    ),
)
def test_a_text_that_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration|longer than 1000 years"):
        Duration.parse(text)


@given(st.integers(0, 1000), st.sampled_from(("Y", "M", "W", "D", "H", "MIN", "S")))
@settings(max_examples=60, deadline=None)
def test_a_written_duration_is_read_back(count: int, unit: str) -> None:
    duration = Duration.parse(f"{count}{unit}")
    assert Duration.parse(str(duration)) == duration


def test_a_duration_is_written_in_its_largest_whole_unit() -> None:
    written = [str(Duration.parse(text)) for text in ("12M", "13M", "2W", "24H", "60MIN", "90S", "60S", "0H")]
    assert written == ["1Y", "13M", "14D", "24H", "1H", "90S", "1MIN", "0D"]
    assert str(Duration(13, 2, 1)) == "13M+2D+1US"


def test_a_negated_duration_points_back_over_the_same_calendar() -> None:
    zone = zone_of("Asia/Shanghai")
    # A rolling window of twelve months that ends on 31 March begins on 31 March; one month before it is February.
    assert -Duration(1, 2, 3) == Duration(-1, -2, -3)
    assert zone.add(at("2026-03-31T00:00:00+08:00"), -Duration.parse("12M")) == at("2025-03-31T00:00:00+08:00")
    assert zone.add(at("2026-03-31T00:00:00+08:00"), -Duration.parse("1M")) == at("2026-02-28T00:00:00+08:00")


# --- zones ---


def test_zones_of_one_name_are_equal_and_travel_between_processes() -> None:
    zone = Zone("Asia/Shanghai")
    assert zone == zone_of("Asia/Shanghai") == pickle.loads(pickle.dumps(zone))
    assert hash(zone) == hash(zone_of("Asia/Shanghai"))
    assert zone != Zone("Asia/Taipei")
    assert zone != "Asia/Shanghai"
    assert repr(zone) == "Zone('Asia/Shanghai')"


@pytest.mark.parametrize(
    ("name", "hint"),
    (
        ("Asia/Shanghia", "Asia/Shanghai"),
        ("asia/shanghai", "Asia/Shanghai"),
        ("Asia/Beijing", "Asia/Shanghai"),
        ("Shanghai", "Asia/Shanghai"),
        ("New York", "America/New_York"),
        ("Europe/Berln", "Europe/Berlin"),
    ),
)
def test_an_unknown_zone_is_refused_with_a_suggestion(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=rf"is not a time zone; did you mean {hint}"):
        Zone(name)


@pytest.mark.parametrize(
    "name", ("", "../zones", "Asia", "Asia/../UTC", "/etc/localtime", "localtime", "UTC+8", "CST", "C" * 99)
)
def test_a_name_outside_the_list_of_zones_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone; "):
        Zone(name)


def test_the_version_of_the_zone_data_is_known() -> None:
    version = tzdata_version()
    assert version[:4].isdigit()
    assert version[4:].isalpha()


def test_a_zone_answers_from_the_package_and_not_from_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    # A system that takes Shanghai for Greenwich.
    (tmp_path / "Asia").mkdir()
    package = importlib.resources.files("tzdata").joinpath("zoneinfo")
    (tmp_path / "Asia" / "Shanghai").write_bytes(package.joinpath("UTC").read_bytes())
    zoneinfo.reset_tzpath([str(tmp_path)])
    try:
        believed = datetime.datetime(2026, 3, 1, tzinfo=zoneinfo.ZoneInfo.no_cache("Asia/Shanghai"))
        assert believed.utcoffset() == datetime.timedelta()
        assert Zone("Asia/Shanghai").offset_at(0) == 8 * HOUR
        assert Zone("UTC").offset_at(0) == 0
    finally:
        zoneinfo.reset_tzpath()


def test_every_zone_has_the_offsets_of_zoneinfo_at_random_instants_and_around_its_changes() -> None:
    draw = random.Random(20260301)
    compared = 0
    for name in zone_names():
        zone, oracle = Zone(name), oracle_of(name)
        known = [change for change in zone._at if 0 <= change < IN_2100]
        asked = [draw.randrange(IN_2100) for _ in range(100)]
        asked += [draw.choice(known) + distance for _ in range(25) for distance in (-1, 0, 1) if known]
        for instant in asked:
            assert zone.offset_at(instant) == expected_offset(oracle, instant), (name, format_instant(instant))
        compared += len(asked)
    assert compared > 80_000


@pytest.mark.parametrize("name", ZONES)
def test_an_offset_is_that_of_zoneinfo_a_microsecond_before_at_and_after_every_change(name: str) -> None:
    zone, oracle = zone_of(name), oracle_of(name)
    for change in changes_of(name):
        for instant in (change - 1, change, change + 1):
            assert zone.offset_at(instant) == expected_offset(oracle, instant), format_instant(instant)
        assert zone.offset_at(change - 1) != zone.offset_at(change)


@given(zones, st.integers(0, LAST_INSTANT - DAY))
@settings(max_examples=150, deadline=None)
def test_an_offset_is_that_of_zoneinfo_until_the_end_of_the_calendar(name: str, instant: int) -> None:
    assert zone_of(name).offset_at(instant) == expected_offset(oracle_of(name), instant)


@given(zones, st.dates(datetime.date(2100, 1, 1), datetime.date(9998, 12, 31)), st.integers(1, 86_399))
@settings(max_examples=150, deadline=None)
def test_a_clock_reading_is_that_of_zoneinfo_until_the_end_of_the_calendar(
    name: str, date: datetime.date, second: int
) -> None:
    local = datetime.datetime.combine(date, datetime.time()) + datetime.timedelta(seconds=second)
    assert zone_of(name).instant_at(date.toordinal(), second) == instant_of(local.replace(tzinfo=oracle_of(name)))


@pytest.mark.parametrize("name", ("Europe/Berlin", "America/St_Johns", "Pacific/Chatham"))
def test_an_offset_is_that_of_zoneinfo_where_the_listed_cycle_of_400_years_ends(name: str) -> None:
    zone = zone_of(name)
    for day in range(-400, 400):
        for distance in (-1, 0, 1, 3 * HOUR):
            instant = zone._horizon + day * DAY + distance
            assert zone.offset_at(instant) == expected_offset(oracle_of(name), instant)
            local = datetime.datetime.fromordinal(EPOCH_DATE + instant // DAY)
            assert zone.instant_at(local.toordinal(), 45_000) == instant_of(
                local.replace(hour=12, minute=30, tzinfo=oracle_of(name))
            )


def test_changes_lie_so_far_apart_that_a_day_sees_one_at_most() -> None:
    # What `add` keeps for a whole day, and how a clock reading is judged, rests on this.
    for name in zone_names():
        zone = Zone(name)
        since_1970 = [change for change in zone._at if change >= 0]
        assert all(later - earlier > 3 * DAY for earlier, later in itertools.pairwise(since_1970))
        assert zone._walls == sorted(zone._walls)


@given(zones_and_instants())
@settings(max_examples=200, deadline=None)
def test_local_time_is_what_the_standard_library_shows(case: tuple[str, int]) -> None:
    name, instant = case
    local = (EPOCH + datetime.timedelta(microseconds=instant)).astimezone(oracle_of(name))
    assert zone_of(name).local(instant) == LocalTime(
        date=local.date().isoformat(),
        year=local.year,
        month=local.month,
        day=local.day,
        weekday=("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local.weekday()],
        hour=local.hour,
        minute=local.minute,
        ordinal=local.toordinal(),
        second_of_day=(local.hour * 60 + local.minute) * 60 + local.second,
    )
    assert zone_of(name).ordinal_at(instant) == local.toordinal()


# --- from the clock to the instant ---


@given(zones_and_instants(), st.integers(0, 86_399), st.integers(0, 999_999))
@settings(max_examples=200, deadline=None)
def test_a_clock_reading_is_the_instant_that_zoneinfo_gives_it(
    case: tuple[str, int], second: int, microsecond: int
) -> None:
    name, instant = case
    ordinal = zone_of(name).ordinal_at(instant)
    local = datetime.datetime.fromordinal(ordinal) + datetime.timedelta(seconds=second, microseconds=microsecond)
    # fold=0 reads what occurs twice as the first and moves what is skipped forward, as promised here.
    if (second, microsecond) != (0, 0):
        expected = instant_of(local.replace(tzinfo=oracle_of(name)))
        assert zone_of(name).instant_at(ordinal, second, microsecond) == expected


@pytest.mark.parametrize("name", ZONES)
def test_a_day_starts_at_the_first_instant_that_shows_its_date(name: str) -> None:
    zone, oracle = zone_of(name), oracle_of(name)

    def date_shown(instant: int) -> int:
        return (EPOCH + datetime.timedelta(microseconds=instant)).astimezone(oracle).toordinal()

    days = {date_shown(change) + distance for change in changes_of(name) for distance in (-2, -1, 0, 1, 2)}
    for ordinal in days | {parse_date("2026-03-01")}:
        start = zone.instant_at(ordinal)
        skipped = name.startswith("Pacific/") and date_shown(start) == ordinal + 1
        assert skipped or date_shown(start) == ordinal
        assert date_shown(start - 1) < ordinal


def test_a_skipped_clock_time_moves_forward_by_the_gap() -> None:
    # Berlin, 29 March 2026: 02:00 becomes 03:00.
    berlin, day = zone_of("Europe/Berlin"), parse_date("2026-03-29")
    assert shown("Europe/Berlin", berlin.instant_at(day, 2 * 3600 + 1800)) == "2026-03-29T03:30:00+02:00"
    assert shown("Europe/Berlin", berlin.instant_at(day, 2 * 3600 - 1, 999_999)) == "2026-03-29T01:59:59.999999+01:00"
    assert shown("Europe/Berlin", berlin.instant_at(day, 3 * 3600)) == "2026-03-29T03:00:00+02:00"
    # New York, 8 March 2026, the same at its own hour.
    new_york, day = zone_of("America/New_York"), parse_date("2026-03-08")
    assert shown("America/New_York", new_york.instant_at(day, 2 * 3600)) == "2026-03-08T03:00:00-04:00"


def test_a_clock_time_that_occurs_twice_is_the_first() -> None:
    berlin, day = zone_of("Europe/Berlin"), parse_date("2026-10-25")
    assert shown("Europe/Berlin", berlin.instant_at(day, 2 * 3600 + 1800)) == "2026-10-25T02:30:00+02:00"
    new_york, day = zone_of("America/New_York"), parse_date("2026-11-01")
    assert shown("America/New_York", new_york.instant_at(day, 3600 + 1800)) == "2026-11-01T01:30:00-04:00"


@pytest.mark.parametrize(
    ("name", "date", "first"),
    (
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"),
        ("Asia/Beirut", "2022-03-27", "2022-03-27T01:00:00+03:00"),
        ("America/Havana", "2024-03-10", "2024-03-10T01:00:00-04:00"),
        # The clock went from 23:30 to 00:30: the day's first instant is half past midnight, not one o'clock.
        ("America/Toronto", "1919-03-31", "1919-03-31T00:30:00-04:00"),
    ),
)
def test_a_day_without_midnight_starts_at_its_first_instant(name: str, date: str, first: str) -> None:
    assert shown(name, zone_of(name).instant_at(parse_date(date))) == first


def test_a_midnight_that_comes_back_as_the_day_before_starts_the_day_once() -> None:
    # Sao Paulo, 18 February 2018: at midnight clocks went back to 23:00 of the 17th.
    zone = zone_of("America/Sao_Paulo")
    assert shown("America/Sao_Paulo", zone.instant_at(parse_date("2018-02-18"))) == "2018-02-18T00:00:00-03:00"
    again = at("2018-02-17T23:30:00-03:00")
    assert zone.local(again).date == "2018-02-17"
    assert zone.period_end(again, Period.DAY) == at("2018-02-18T00:00:00-03:00")


def test_an_hour_shown_again_after_midnight_belongs_to_the_day_that_has_begun() -> None:
    # St John's, 29 October 2006: at 00:01 clocks went back to 23:01 of the 28th. The 29th had begun a minute before.
    zone = zone_of("America/St_Johns")
    begun = at("2006-10-29T00:00:00-02:30")
    again = at("2006-10-28T23:30:00-03:30")
    assert zone.instant_at(parse_date("2006-10-29")) == begun
    assert begun < again
    assert zone.local(again).date == "2006-10-28"
    assert zone.period_start(again, Period.DAY) == begun
    assert zone.period_end(again, Period.DAY) == at("2006-10-30T00:00:00-03:30")


def test_a_date_that_was_skipped_is_an_empty_day() -> None:
    # Samoa went from Thursday 29 December 2011 to Saturday the 31st.
    zone = zone_of("Pacific/Apia")
    saturday = at("2011-12-31T00:00:00+14:00")
    assert zone.instant_at(parse_date("2011-12-30")) == saturday == zone.instant_at(parse_date("2011-12-31"))
    assert zone.local(saturday - 1).date == "2011-12-29"
    assert zone.local(saturday).date == "2011-12-31"
    assert zone.period_end(saturday - 1, Period.DAY) == saturday
    assert zone.add(at("2011-12-29T10:00:00-10:00"), Duration(days=1)) == at("2011-12-31T10:00:00+14:00")
    assert zone.add(at("2011-11-30T10:00:00-10:00"), Duration(months=1)) == at("2011-12-31T10:00:00+14:00")
    assert zone.period_start(saturday, Period.MONTH) == at("2011-12-01T00:00:00-10:00")


def test_zones_without_summer_time_have_none() -> None:
    assert shown("Asia/Shanghai", at("2026-07-01T00:00:00Z")) == "2026-07-01T08:00:00+08:00"
    assert shown("Asia/Shanghai", at("1988-07-01T00:00:00Z")) == "1988-07-01T09:00:00+09:00"  # it had until 1991
    assert shown("Asia/Kathmandu", at("2026-07-01T00:00:00Z")) == "2026-07-01T05:45:00+05:45"
    assert shown("Asia/Kathmandu", at("1985-12-31T18:29:59Z")) == "1985-12-31T23:59:59+05:30"
    assert shown("Asia/Kathmandu", at("1985-12-31T18:30:00Z")) == "1986-01-01T00:15:00+05:45"
    # That New Year had no midnight in Nepal.
    assert zone_of("Asia/Kathmandu").instant_at(parse_date("1986-01-01")) == at("1985-12-31T18:30:00Z")


# --- adding ---


def expected_sum(name: str, instant: int, duration: Duration) -> int:
    oracle = oracle_of(name)
    if not (duration.months or duration.days):
        return instant + duration.microseconds
    local = (EPOCH + datetime.timedelta(microseconds=instant)).astimezone(oracle).replace(tzinfo=None, fold=0)
    year, month = divmod(local.year * 12 + local.month - 1 + duration.months, 12)
    following = datetime.date(year + month // 11, (month + 1) % 12 + 1, 1)
    last = following - datetime.timedelta(days=1)
    local = local.replace(year=year, month=month + 1, day=min(local.day, last.day))
    local += datetime.timedelta(days=duration.days)
    there = instant_of(local.replace(tzinfo=oracle))
    back = (EPOCH + datetime.timedelta(microseconds=there)).astimezone(oracle).replace(tzinfo=None)
    if local.time() == datetime.time() and back != local:
        there = next(change for change in changes_of(name) if there - 2 * DAY < change <= there)
    return there + duration.microseconds


@given(zones_and_instants(), durations | st.builds(Duration, days=st.integers(-3, 3)))
@settings(max_examples=250, deadline=None)
def test_adding_keeps_the_clock_time_clamps_the_day_and_counts_hours_absolutely(
    case: tuple[str, int], duration: Duration
) -> None:
    name, instant = case
    zone = zone_of(name)
    instant += 4000 * DAY if instant < IN_2100 // 2 else 0
    assert zone.add(instant, duration) == expected_sum(name, instant, duration)


@given(zones, st.data())
@settings(max_examples=100, deadline=None)
def test_adding_days_reaches_the_night_of_a_change_as_zoneinfo_does(name: str, data: st.DataObject) -> None:
    zone = zone_of(name)
    arrival = data.draw(instants_near_changes(name, DAY))
    days = data.draw(st.integers(1, 3))
    instant = arrival - days * DAY + data.draw(st.sampled_from((0, -HOUR, HOUR, -30 * MINUTE, 30 * MINUTE)))
    # Twice, because the second answer may come from what was kept of the first.
    for _ in range(2):
        assert zone.add(instant, Duration(days=days)) == expected_sum(name, instant, Duration(days=days))


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    (
        ("2026-01-31T10:00:00+08:00", "1M", "2026-02-28T10:00:00+08:00"),
        ("2024-01-31T10:00:00+08:00", "1M", "2024-02-29T10:00:00+08:00"),
        ("2024-02-29T10:00:00+08:00", "1Y", "2025-02-28T10:00:00+08:00"),
        ("2024-02-29T10:00:00+08:00", "4Y", "2028-02-29T10:00:00+08:00"),
        # A year that 100 divides has no 29 February unless 400 divides it.
        ("2000-01-31T10:00:00+08:00", "1M", "2000-02-29T10:00:00+08:00"),
        ("2100-01-31T10:00:00+08:00", "1M", "2100-02-28T10:00:00+08:00"),
        ("2026-03-31T00:00:00+08:00", "1M", "2026-04-30T00:00:00+08:00"),
        ("2025-12-15T10:00:00+08:00", "1M", "2026-01-15T10:00:00+08:00"),
        ("2025-12-31T23:59:59.999999+08:00", "2M", "2026-02-28T23:59:59.999999+08:00"),
        ("2026-03-01T10:00:00+08:00", "36M", "2029-03-01T10:00:00+08:00"),
        ("2026-02-28T10:00:00+08:00", "7D", "2026-03-07T10:00:00+08:00"),
        ("2026-03-01T10:00:00+08:00", "2W", "2026-03-15T10:00:00+08:00"),
        ("2026-03-01T23:30:00+08:00", "1H", "2026-03-02T00:30:00+08:00"),
        ("2026-03-01T10:00:00+08:00", "15MIN", "2026-03-01T10:15:00+08:00"),
        ("2026-03-01T10:00:00+08:00", "30S", "2026-03-01T10:00:30+08:00"),
        # By the UTC date the month would be January still: the local date decides.
        ("2026-02-01T00:30:00+08:00", "1M", "2026-03-01T00:30:00+08:00"),
    ),
)
def test_months_clamp_and_days_count(start: str, duration: str, expected: str) -> None:
    assert shown("Asia/Shanghai", zone_of("Asia/Shanghai").add(at(start), Duration.parse(duration))) == expected


def test_months_do_not_add_up_where_they_clamp() -> None:
    zone, start = zone_of("Asia/Shanghai"), at("2026-01-31T00:00:00+08:00")
    twice = zone.add(zone.add(start, Duration(months=1)), Duration(months=1))
    assert shown("Asia/Shanghai", twice) == "2026-03-28T00:00:00+08:00"
    assert shown("Asia/Shanghai", zone.add(start, Duration(months=2))) == "2026-03-31T00:00:00+08:00"


def test_a_day_keeps_the_clock_time_and_24_hours_do_not() -> None:
    zone, start = zone_of("Europe/Berlin"), at("2026-03-28T12:00:00+01:00")
    assert shown("Europe/Berlin", zone.add(start, Duration.parse("1D"))) == "2026-03-29T12:00:00+02:00"
    assert shown("Europe/Berlin", zone.add(start, Duration.parse("24H"))) == "2026-03-29T13:00:00+02:00"
    assert shown("Europe/Berlin", zone.add(at("2026-03-28T02:30:00+01:00"), Duration(days=1))) == (
        "2026-03-29T03:30:00+02:00"
    )
    assert shown("Europe/Berlin", zone.add(at("2026-10-24T02:30:00+02:00"), Duration(days=1))) == (
        "2026-10-25T02:30:00+02:00"
    )
    # Both half past two of the long night lead to the one half past two of the next.
    for offset in ("+02:00", "+01:00"):
        assert shown("Europe/Berlin", zone.add(at(f"2026-10-25T02:30:00{offset}"), Duration(days=1))) == (
            "2026-10-26T02:30:00+01:00"
        )


def test_adding_past_the_year_9999_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="out of range"):
        zone_of("Asia/Shanghai").add(at("9999-06-01T00:00:00Z"), Duration(months=12))


# --- periods ---


def expected_period(date: datetime.date, period: Period) -> tuple[datetime.date, datetime.date]:
    """By walking day by day with the standard library's own fields."""

    def key(day: datetime.date) -> tuple[int, ...]:
        match period:
            case Period.DAY:
                return (day.toordinal(),)
            case Period.WEEK:
                return day.isocalendar()[:2]
            case Period.MONTH:
                return (day.year, day.month)
            case Period.QUARTER:
                return (day.year, (day.month + 2) // 3)
            case Period.HALF_YEAR:
                return (day.year, (day.month + 5) // 6)
            case Period.YEAR:
                return (day.year,)

    one = datetime.timedelta(days=1)
    first = last = date
    while key(first - one) == key(date):
        first -= one
    while key(last) == key(date):
        last += one
    return first, last


@given(st.sampled_from(("UTC", "Asia/Shanghai", "Asia/Kathmandu", "Europe/Berlin", "America/New_York")), st.data())
@settings(max_examples=100, deadline=None)
def test_a_period_is_the_run_of_days_that_the_standard_library_counts_alike(name: str, data: st.DataObject) -> None:
    # The 2000s, in which all these zones have a midnight every day that occurs once.
    instant = data.draw(st.integers(11_000 * DAY, IN_2100 - 400 * DAY))
    local = (EPOCH + datetime.timedelta(microseconds=instant)).astimezone(oracle_of(name))
    for period in Period:
        first, following = expected_period(local.date(), period)
        assert zone_of(name).period_start(instant, period) == at(f"{first}T00:00:00", name)
        assert zone_of(name).period_end(instant, period) == at(f"{following}T00:00:00", name)


@given(zones_and_instants(), periods)
@settings(max_examples=250, deadline=None)
def test_periods_tile_the_timeline(case: tuple[str, int], period: Period) -> None:
    name, instant = case
    zone = zone_of(name)
    start, end = zone.period_start(instant, period), zone.period_end(instant, period)
    assert start <= instant < end
    for inside in (start, end - 1, (start + end) // 2):
        assert (zone.period_start(inside, period), zone.period_end(inside, period)) == (start, end)
    assert zone.period_end(start - 1, period) == start
    assert zone.period_end(end - 1, period) == end
    assert zone.period_end(end, period) > end
    assert zone.period_start(end - 1, period) == start
    assert zone.period_start(end, period) == end


@given(zones_and_instants())
@settings(max_examples=100, deadline=None)
def test_periods_nest(case: tuple[str, int]) -> None:
    name, instant = case
    zone = zone_of(name)
    nested = (Period.DAY, Period.MONTH, Period.QUARTER, Period.HALF_YEAR, Period.YEAR)
    starts = [zone.period_start(instant, period) for period in nested]
    ends = [zone.period_end(instant, period) for period in nested]
    assert starts == sorted(starts, reverse=True)
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("instant", "period", "start", "end"),
    (
        ("2026-03-01T10:00:00+08:00", Period.DAY, "2026-03-01", "2026-03-02"),
        ("2026-03-01T10:00:00+08:00", Period.WEEK, "2026-02-23", "2026-03-02"),
        ("2026-03-02T00:00:00+08:00", Period.WEEK, "2026-03-02", "2026-03-09"),
        ("2026-03-01T00:00:00+08:00", Period.MONTH, "2026-03-01", "2026-04-01"),
        ("2024-02-29T23:59:59+08:00", Period.MONTH, "2024-02-01", "2024-03-01"),
        ("2026-12-31T23:59:59+08:00", Period.MONTH, "2026-12-01", "2027-01-01"),
        ("2026-03-31T10:00:00+08:00", Period.QUARTER, "2026-01-01", "2026-04-01"),
        ("2026-11-01T10:00:00+08:00", Period.QUARTER, "2026-10-01", "2027-01-01"),
        ("2026-06-30T10:00:00+08:00", Period.HALF_YEAR, "2026-01-01", "2026-07-01"),
        ("2026-07-01T00:00:00+08:00", Period.HALF_YEAR, "2026-07-01", "2027-01-01"),
        ("2026-03-01T10:00:00+08:00", Period.YEAR, "2026-01-01", "2027-01-01"),
        # ISO weeks: 2020 has a week 53, from Monday 28 December to Sunday 3 January 2021, and so has 2026.
        ("2021-01-03T23:59:59+08:00", Period.WEEK, "2020-12-28", "2021-01-04"),
        ("2021-01-04T00:00:00+08:00", Period.WEEK, "2021-01-04", "2021-01-11"),
        ("2026-12-31T10:00:00+08:00", Period.WEEK, "2026-12-28", "2027-01-04"),
        ("2027-01-01T10:00:00+08:00", Period.WEEK, "2026-12-28", "2027-01-04"),
        ("2024-12-30T10:00:00+08:00", Period.WEEK, "2024-12-30", "2025-01-06"),
        # 17:00 in UTC on the last of the month is the next month in Shanghai.
        ("2026-03-31T17:00:00Z", Period.MONTH, "2026-04-01", "2026-05-01"),
        ("1970-01-01T00:00:00Z", Period.YEAR, "1970-01-01", "1971-01-01"),
        ("9999-11-30T00:00:00Z", Period.MONTH, "9999-11-01", "9999-12-01"),
    ),
)
def test_a_period_starts_and_ends_on_these_dates(instant: str, period: Period, start: str, end: str) -> None:
    zone = zone_of("Asia/Shanghai")
    assert zone.period_start(at(instant), period) == zone.instant_at(parse_date(start))
    assert zone.period_end(at(instant), period) == zone.instant_at(parse_date(end))


def test_the_day_of_a_clock_change_has_23_or_25_hours() -> None:
    zone = zone_of("Europe/Berlin")
    for text, hours in (("2026-03-29T12:00:00", 23), ("2026-10-25T12:00:00", 25), ("2026-10-26T12:00:00", 24)):
        noon = at(text, "Europe/Berlin")
        assert zone.period_end(noon, Period.DAY) - zone.period_start(noon, Period.DAY) == hours * HOUR


def test_an_expiry_rounded_to_the_month_is_the_first_instant_of_the_next() -> None:
    zone = zone_of("Asia/Shanghai")
    a_year, month = Duration.parse("12M"), Period.MONTH
    # Earned on 15 March 2026: spendable until the end of March 2027.
    expected = at("2027-04-01T00:00:00+08:00")
    assert zone.period_end_after(at("2026-03-15T10:00:00+08:00"), a_year, month) == expected
    # The first instant of a period belongs to the period it starts, so midnight of 1 March is March as well,
    assert zone.period_end_after(at("2026-03-01T00:00:00+08:00"), a_year, month) == expected
    # and the microsecond before is February.
    assert zone.period_end_after(at("2026-02-28T23:59:59.999999+08:00"), a_year, month) == (
        at("2027-03-01T00:00:00+08:00")
    )
    # "Lapses on the first day of the 36th month": the month of earning plus 36, here a day after 29 February.
    assert zone.period_end_after(at("2025-02-10T10:00:00+08:00"), Duration.parse("36M"), month) == (
        at("2028-03-01T00:00:00+08:00")
    )


@pytest.mark.parametrize("name", ["America/New_York", "America/Sao_Paulo", "Pacific/Apia", "Asia/Gaza"])
@pytest.mark.parametrize("text", ["7D", "12M", "36H"])
def test_a_rounded_expiry_asked_of_often_is_what_it_is_at_first(name: str, text: str) -> None:
    zone, after = Zone(name), Duration.parse(text)
    start = at("2010-10-01T00:00:00Z")
    for instant in range(start, start + 480 * 24 * HOUR, 5 * HOUR):
        for period in (Period.DAY, Period.MONTH):
            plainly = zone.period_end(zone.add(instant, after), period)
            assert zone.period_end_after(instant, after, period) == plainly


# --- years that begin on another day, anniversaries, and dates of expiry ---


@pytest.mark.parametrize(
    ("instant", "start", "end"),
    (
        ("2026-03-01T00:00:00+08:00", "2026-03-01", "2027-03-01"),
        ("2026-02-28T23:59:59.999999+08:00", "2025-03-01", "2026-03-01"),
        ("2026-12-31T10:00:00+08:00", "2026-03-01", "2027-03-01"),
        ("2027-01-01T10:00:00+08:00", "2026-03-01", "2027-03-01"),
        ("1970-01-01T00:00:00Z", "1969-03-01", "1970-03-01"),
    ),
)
def test_a_year_from_the_first_of_march(instant: str, start: str, end: str) -> None:
    zone = zone_of("Asia/Shanghai")
    assert zone.year_from(at(instant), 3, 1) == (zone.instant_at(parse_date(start)), zone.instant_at(parse_date(end)))


@given(zones_and_instants(), st.dates(datetime.date(2024, 1, 1), datetime.date(2024, 12, 31)))
@settings(max_examples=150, deadline=None)
def test_years_from_any_day_tile_the_timeline(case: tuple[str, int], first: datetime.date) -> None:
    name, instant = case
    zone = zone_of(name)
    start, end = zone.year_from(instant, first.month, first.day)
    assert start <= instant < end
    assert 365 * DAY - DAY <= end - start <= 366 * DAY + DAY
    assert zone.year_from(start, first.month, first.day) == (start, end)
    assert zone.year_from(end - 1, first.month, first.day) == (start, end)
    assert zone.year_from(start - 1, first.month, first.day)[1] == start
    assert zone.year_from(end, first.month, first.day)[0] == end
    if (first.month, first.day) == (1, 1):
        assert (start, end) == (zone.period_start(instant, Period.YEAR), zone.period_end(instant, Period.YEAR))


@given(zones_and_instants())
@settings(max_examples=60, deadline=None)
def test_the_year_from_the_first_of_january_is_the_calendar_year(case: tuple[str, int]) -> None:
    name, instant = case
    zone = zone_of(name)
    year = (zone.period_start(instant, Period.YEAR), zone.period_end(instant, Period.YEAR))
    assert zone.year_from(instant, 1, 1) == year


def test_a_member_year_begins_at_midnight_of_the_anniversary() -> None:
    zone = zone_of("Asia/Shanghai")
    enrolled = at("2025-05-10T15:30:00+08:00")
    first = (at("2025-05-10T00:00:00+08:00"), at("2026-05-10T00:00:00+08:00"))
    assert zone.anniversary_window(enrolled, enrolled) == first
    assert zone.anniversary_window(enrolled, first[1] - 1) == first
    assert zone.anniversary_window(enrolled, first[1]) == (first[1], at("2027-05-10T00:00:00+08:00"))
    # The local date counts: 17:00 in UTC on the 9th is the 10th in Shanghai.
    assert zone.anniversary_window(at("2025-05-09T17:00:00Z"), enrolled) == first


def test_the_anniversary_of_29_february_is_the_28th_in_common_years() -> None:
    zone = zone_of("Asia/Shanghai")
    enrolled = at("2024-02-29T12:00:00+08:00")
    bounds = [zone.instant_at(parse_date(text)) for text in ("2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28")]
    bounds.append(zone.instant_at(parse_date("2028-02-29")))
    for start, end in itertools.pairwise(bounds):
        assert zone.anniversary_window(enrolled, start) == (start, end)
        assert zone.anniversary_window(enrolled, end - 1) == (start, end)


TWICE_A_YEAR = ((6, 30), (12, 31))


@pytest.mark.parametrize(
    ("instant", "at_least", "expected"),
    (
        ("2026-03-01T10:00:00+08:00", None, "2026-07-01"),
        ("2026-06-30T23:59:59.999999+08:00", None, "2026-07-01"),
        ("2026-07-01T00:00:00+08:00", None, "2027-01-01"),  # it has ended, so it is the next
        ("2026-12-31T10:00:00+08:00", None, "2027-01-01"),
        ("2026-03-01T10:00:00+08:00", "6M", "2027-01-01"),  # 1 September at least
        ("2026-01-01T00:00:00+08:00", "6M", "2026-07-01"),  # six months to the instant are enough
        ("2026-01-01T00:00:00.000001+08:00", "6M", "2027-01-01"),
        ("2025-12-31T23:59:59+08:00", "6M", "2026-07-01"),
        ("2026-07-01T00:00:00+08:00", "0D", "2027-01-01"),
        ("2026-03-01T10:00:00+08:00", "24M", "2028-07-01"),
    ),
)
def test_points_expire_at_the_end_of_the_next_listed_date(instant: str, at_least: str | None, expected: str) -> None:
    zone = zone_of("Asia/Shanghai")
    minimum = None if at_least is None else Duration.parse(at_least)
    assert shown("Asia/Shanghai", zone.next_dates(at(instant), TWICE_A_YEAR, minimum)) == f"{expected}T00:00:00+08:00"


def test_29_february_as_a_date_of_expiry_is_the_28th_in_common_years() -> None:
    zone = zone_of("Asia/Shanghai")
    ends = [zone.next_dates(at(f"{year}-01-15T00:00:00Z"), ((2, 29),)) for year in (2026, 2027, 2028)]
    assert [shown("Asia/Shanghai", end)[:10] for end in ends] == ["2026-03-01", "2027-03-01", "2028-03-01"]


@given(
    zones_and_instants(),
    st.lists(st.dates(datetime.date(2024, 1, 1), datetime.date(2024, 12, 31)), min_size=1, max_size=4),
    st.none() | st.builds(Duration, months=st.integers(0, 30), days=st.integers(0, 40)),
)
@settings(max_examples=150, deadline=None)
def test_the_next_listed_date_is_the_first_that_qualifies(
    case: tuple[str, int], days: list[datetime.date], at_least: Duration | None
) -> None:
    name, instant = case
    zone = zone_of(name)
    dates = tuple((day.month, day.day) for day in days)
    earliest = instant if at_least is None else zone.add(instant, at_least)
    year = zone.local(instant).year
    ends = [zone.instant_at(date_in_year(each, *date) + 1) for each in range(year - 1, year + 6) for date in dates]
    assert zone.next_dates(instant, dates, at_least) == min(end for end in ends if end >= earliest and end > instant)


def test_without_dates_there_is_no_next_one() -> None:
    with pytest.raises(ValueError, match="at least one date"):
        zone_of("UTC").next_dates(0, ())


# --- what a zone keeps ---


def questions(zone: str) -> st.SearchStrategy[Callable[[Zone], object]]:
    moments = instants(zone).map(lambda instant: max(instant, 800 * DAY))
    dates = st.sampled_from((TWICE_A_YEAR, ((2, 29),), ((3, 25), (10, 28))))
    lengths = st.sampled_from((Duration(1), Duration(12), Duration(-1), Duration(0, 1), Duration(0, 7, HOUR)))
    return st.one_of(
        st.builds(lambda at: lambda zone: (zone.offset_at(at), zone.local(at), zone.format(at)), moments),
        st.builds(lambda at, length: lambda zone: zone.add(at, length), moments, lengths),
        st.builds(lambda at, period: lambda zone: zone.period_start(at, period), moments, periods),
        st.builds(lambda at, period: lambda zone: zone.period_end(at, period), moments, periods),
        st.builds(lambda at, month: lambda zone: zone.year_from(at, month, 29), moments, st.integers(1, 12)),
        st.builds(lambda at, dates: lambda zone: zone.next_dates(at, dates), moments, dates),
    )


@given(st.data(), zones)
@settings(max_examples=40, deadline=None)
def test_an_answer_does_not_depend_on_what_was_asked_before(data: st.DataObject, name: str) -> None:
    asked = data.draw(st.lists(questions(name), min_size=2, max_size=20))
    forwards, backwards = Zone(name), Zone(name)
    answers = [ask(forwards) for ask in asked]
    assert answers == [ask(backwards) for ask in reversed(asked)][::-1]
    assert answers == [ask(forwards) for ask in asked]


def tables_of(zone: Zone) -> Iterator[dict[object, object]]:
    waiting = [getattr(zone, name) for name in Zone.__slots__]
    while waiting:
        table = waiting.pop()
        if isinstance(table, dict):
            yield table
            waiting.extend(table.values())


def test_what_a_zone_keeps_stays_small_and_right() -> None:
    zone, days = Zone("Europe/Berlin"), 10_000
    oracle = oracle_of("Europe/Berlin")
    for day in range(days):
        instant = 400 * DAY + day * DAY
        local = (EPOCH + datetime.timedelta(microseconds=instant)).astimezone(oracle)
        assert zone.local(instant).ordinal == local.toordinal()
        assert zone.format(instant) == local.isoformat()
        assert zone.period_start(instant, Period.YEAR) == instant_of(local.replace(month=1, day=1, hour=0, fold=0))
        later = zone.add(instant, Duration(days=1 + day % 200))
        assert zone.local(later).ordinal == local.toordinal() + 1 + day % 200
    assert max(len(table) for table in tables_of(zone)) <= 4096
    assert sum(len(table) for table in tables_of(zone)) < days * 3
