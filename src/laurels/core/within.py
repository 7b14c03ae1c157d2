"""Whether a moment lies in a time of the member's own: so long after they enrolled, or around their birthday.

Days are those of the program's zone; who was born on 29 February has the 28th in common years.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, assert_never

from laurels.core.calendar import Instant, Period, Zone, date_in_year
from laurels.core.program.within_model import AfterEnrolment, AroundBirthday, BirthMonth, Within

if TYPE_CHECKING:
    from laurels.core.case import View

Inside = Callable[[Zone, "View", Instant], bool]


def inside_of(within: Within) -> Inside:
    """The function that says of an instant whether it lies in the member's time."""
    if isinstance(within, AfterEnrolment):
        return _after_enrolment(within)
    if isinstance(within, BirthMonth):
        return _birth_month(within)
    return _around_birthday(within)


def _after_enrolment(within: AfterEnrolment) -> Inside:
    time = within.time

    def is_inside(zone: Zone, member: View, instant: Instant) -> bool:
        return member.enrolled_at <= instant < zone.add(member.enrolled_at, time)

    return is_inside


def _birth_month(within: BirthMonth) -> Inside:
    field = within.field

    def is_inside(zone: Zone, member: View, instant: Instant) -> bool:
        born = member.attributes.get(field)
        return born is not None and zone.local(instant).month == _month_and_day(born)[0]

    return is_inside


def _month_and_day(born: str) -> tuple[int, int]:
    _year, month, day = map(int, born.split("-"))
    return month, day


def end_of_own(
    within: Within, zone: Zone, enrolled_at: Instant, attributes: Mapping[str, Any], instant: Instant
) -> Instant | None:
    """When the member's time is over in which an instant lies, else the next one; None for who has no such time.

    Of a time after enrolment there is only one, which may be over.
    """
    if isinstance(within, AfterEnrolment):
        return zone.add(enrolled_at, within.time)
    born = attributes.get(within.field)
    if not isinstance(born, str):
        return None
    month, day = _month_and_day(born)
    year = zone.local(instant).year
    for each in (year - 1, year, year + 1, year + 2):
        if isinstance(within, AroundBirthday):
            end = zone.instant_at(date_in_year(each, month, day) + within.days_after + 1)
        elif isinstance(within, BirthMonth):
            end = zone.period_end(zone.instant_at(date_in_year(each, month, 1)), Period.MONTH)
        else:
            assert_never(within)
        if end > instant:
            return end
    raise AssertionError("a year holds every birthday")


def _around_birthday(within: AroundBirthday) -> Inside:
    field, before, after = within.field, within.days_before, within.days_after

    def is_inside(zone: Zone, member: View, instant: Instant) -> bool:
        born = member.attributes.get(field)
        if born is None:
            return False
        today, year = zone.ordinal_at(instant), zone.local(instant).year
        month, day = _month_and_day(born)
        # Around New Year the nearest birthday may be one of another year.
        birthdays = [date_in_year(each, month, day) for each in (year - 1, year, year + 1)]
        return any(birthday - before <= today <= birthday + after for birthday in birthdays)

    return is_inside
