"""A member's own times and steps, as a campaign waits for them: so long after enrolment, around a birthday, a rise.

These are values like those of `model`, which names them; `within` reads them from the document.
"""

from __future__ import annotations

import msgspec

from laurels.core.calendar import Duration


class AfterEnrolment(msgspec.Struct, frozen=True, tag="after_enrolment"):
    """From the instant at which the member enrolled, for a duration."""

    time: Duration


class AroundBirthday(msgspec.Struct, frozen=True, tag="birthday"):
    """From so many days before the member's birthday to so many days after it; `field` is an attribute of type date."""

    field: str
    days_before: int = 0
    days_after: int = 0


class BirthMonth(msgspec.Struct, frozen=True, tag="birth_month"):
    """The calendar month of the member's birthday, every year; `field` is an attribute of type date."""

    field: str


Within = AfterEnrolment | AroundBirthday | BirthMonth


class Reach(msgspec.Struct, frozen=True):
    """A tier of a track to which, or past which, an activity raises the member; or which they keep."""

    track: str
    tier: str
