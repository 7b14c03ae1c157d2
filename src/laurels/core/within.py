"""Whether a moment lies in a time of the member's own: so long after they enrolled, or around their birthday.

Days are those of the program's zone; who was born on 29 February has the 28th in common years.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from laurels.core.calendar import Instant, Zone, date_in_year
from laurels.core.program.within_model import AfterEnrolment, AroundBirthday, Within

if TYPE_CHECKING:
    from laurels.core.case import View

Inside = Callable[[Zone, "View", Instant], bool]


def inside_of(within: Within) -> Inside:
    """The function that says of an instant whether it lies in the member's time."""
    if isinstance(within, AfterEnrolment):
        return _after_enrolment(within)
    return _around_birthday(within)


def _after_enrolment(within: AfterEnrolment) -> Inside:
    time = within.time

    def is_inside(zone: Zone, member: View, instant: Instant) -> bool:
        return member.enrolled_at <= instant < zone.add(member.enrolled_at, time)

    return is_inside


def _around_birthday(within: AroundBirthday) -> Inside:
    field, before, after = within.field, within.days_before, within.days_after

    def is_inside(zone: Zone, member: View, instant: Instant) -> bool:
        born = member.attributes.get(field)
        if born is None:
            return False
        today, year = zone.ordinal_at(instant), zone.local(instant).year
        _year, month, day = map(int, born.split("-"))
        # Around New Year the nearest birthday may be one of another year.
        birthdays = [date_in_year(each, month, day) for each in (year - 1, year, year + 1)]
        return any(birthday - before <= today <= birthday + after for birthday in birthdays)

    return is_inside
