"""Joining, and what rules read about a member: it changes by activity alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from laurels.core.activity import Activity, Enrol, MemberChange
from laurels.core.case import Case, view_of
from laurels.core.compiled import Compiled
from laurels.core.declared_fields import attributes_size
from laurels.core.facts import AttributesSet, Enrolled, Scalar
from laurels.core.purchase import earn
from laurels.core.refusal import Refusal
from laurels.core.tier import measure, place
from laurels.core.wire import ATTRIBUTES_BYTES_MOST


def enrol(case: Case, compiled: Compiled, activity: Activity, data: Enrol) -> Refusal | None:
    """The member joins, stands on the first tier of each track, and gets what enrolment campaigns grant."""
    if case.root.enrolled_at is not None:
        return Refusal("already_enrolled", activity.member)
    case.emit(Enrolled(activity.occurred_at, data.referral_code, data.time_zone))
    if data.attributes:
        case.emit(AttributesSet(activity.occurred_at, stored(data.attributes)))
    place(case, compiled, activity.occurred_at)
    for start in case.versions.starts_between(activity.occurred_at, case.at):
        place(case, case.versions.judging(start), start)
    trigger = compiled.trigger(activity.type)
    tiers = case.tiers_at(activity.occurred_at)
    view = view_of(case, compiled, tiers, trigger, activity.occurred_at)
    earned = earn(case, compiled, trigger, activity, view)
    measure(case, case.versions.judging(case.at), activity, earned)
    return None


def change(case: Case, activity: Activity, data: MemberChange) -> Refusal | None:
    """Attributes take new values, unless that made more of them than a root document should hold."""
    new = stored(data.attributes)
    before = case.root.attributes
    after = {name: value for name, value in {**before, **new}.items() if value is not None}
    # Those who have too many, from a time when nobody looked, can still be rid of some.
    if attributes_size(after) > max(ATTRIBUTES_BYTES_MOST, attributes_size(before)):
        return Refusal("attributes_too_large", f"{attributes_size(after):,} bytes, at most {ATTRIBUTES_BYTES_MOST:,}.")
    case.emit(AttributesSet(activity.occurred_at, new))
    return None


def stored(attributes: dict[str, Any]) -> dict[str, Scalar]:
    """Attribute values in the form in which state keeps them: decimals as text."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in attributes.items()}
