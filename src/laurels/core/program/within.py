"""A member's own times and steps in the document: `within` so long after enrolment or around a birthday; `reaches`.

A birthday is read from an attribute that the program declares as a date, so that it changes by activity alone and what
was decided by it stays explained.
"""

from __future__ import annotations

from typing import Final

from laurels.core.calendar import Duration
from laurels.core.program.document import Node
from laurels.core.program.finding import shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import Form, Said, Variant, Word, said_or
from laurels.core.program.values import DURATION, NAME, SPAN
from laurels.core.program.within_model import AfterEnrolment, AroundBirthday, BirthMonth, Reach, Within

DAYS_MOST: Final = 180


class AfterEnrolmentForm(Form):
    """A time after enrolment: it begins when the member enrols."""

    after_enrolment = Word(SPAN, "how long it is, such as 3M", required=True)


class BirthdayForm(Form):
    """A time around the member's birthday, in whole days; of the birthday alone where neither is said."""

    birthday = Word(NAME, "the member's field, of type date, that says when they were born", required=True)
    before = Word(DURATION, "how many days before it, such as 3D; none by default")
    after = Word(DURATION, "how many days after it; none by default")


class BirthMonthForm(Form):
    """The month of the member's birthday."""

    birth_month = Word(NAME, "the member's field, of type date, that says when they were born", required=True)


WithinForm = AfterEnrolmentForm | BirthdayForm | BirthMonthForm

WITHIN: Final = Variant[WithinForm](
    "a time of the member's own",
    {"after_enrolment": AfterEnrolmentForm, "birthday": BirthdayForm, "birth_month": BirthMonthForm},
)


def resolve_within(said: Said[WithinForm], frame: Frame) -> Within | None:
    """The time of the member's own that a form describes."""
    match said.value:
        case AfterEnrolmentForm() as form:
            return AfterEnrolment(said_or(form.after_enrolment, Duration(days=1)))
        case BirthdayForm() as form:
            _note_birthday(form.birthday.value, form.birthday.node, frame)
            return AroundBirthday(said_or(form.birthday, ""), _days(form.before, frame), _days(form.after, frame))
        case BirthMonthForm() as form:
            _note_birthday(form.birth_month.value, form.birth_month.node, frame)
            return BirthMonth(said_or(form.birth_month, ""))
        case _:
            return None


def _note_birthday(field: str | None, at: Node, frame: Frame) -> None:
    types = {each.name: each.type for each in frame.fields.get("member", ())}
    if frame.has("field", field, types, at) and types[field or ""] != "date":
        message = f"{shown(field or '')} is a {types[field or '']}, not a date"
        frame.notes.error("not_a_date", at, message, "declare it as a date, under fields: member")


def _days(said: Said[Duration], frame: Frame) -> int:
    time = said_or(said, Duration())
    if time != Duration(days=time.days) or time.days > DAYS_MOST:
        hint = f"write at most {DAYS_MOST}D"
        frame.notes.error("bad_duration", said.node, f"{time} is no number of days around a birthday", hint)
    return time.days


def resolve_reaches(said: Said[str], frame: Frame) -> Reach | None:
    """The tier that a campaign waits for. Points are granted when it is judged, so that they cannot be waited for."""
    if said.value is None:
        return None
    reach = resolve_tier(said.value, said.node, "name a higher tier, or say on: enrol", frame)
    if reach is not None and any(metric.kind == "earned" for metric in frame.tracks[reach.track].metrics):
        message = f"track {shown(reach.track)} measures points, which are not known before campaigns are judged"
        frame.notes.error("unforeseeable", said.node, message, "name a tier of a track that measures no points")
    return reach


def resolve_keeps(said: Said[str], on: str | None, frame: Frame) -> Reach | None:
    """The tier that a campaign waits for the member to keep: on the activity that says so, and one that has reviews."""
    if said.value is None:
        return None
    if on not in (None, "tier_kept"):
        message, hint = f"{shown(on or '')} keeps no tier", "say on: tier_kept, or reaches in place of keeps"
        frame.notes.error("needs_tier_kept", said.node, message, hint)
    keeps = resolve_tier(said.value, said.node, "name a higher tier", frame)
    track = None if keeps is None else frame.tracks[keeps.track]
    if track is not None and (track.window.kind == "lifetime" or track.fall == "never"):
        message = f"nobody falls from a tier of {shown(track.id)}, so that none is kept"
        frame.notes.error("never_reviewed", said.node, message, "name a tier that members can lose")
    return keeps


def resolve_tier(name: str, at: Node, hint: str, frame: Frame) -> Reach | None:
    """A tier written as track.tier, with a finding where it is the one on which everybody begins."""
    track, _, tier = name.rpartition(".")
    if not frame.has("track", track, frame.tracks, at):
        return None
    tiers = [each.id for each in frame.tracks[track].tiers]
    if not frame.has("tier", tier, tiers, at):
        return None
    if tier == tiers[0]:
        frame.notes.error("first_tier", at, f"everybody stands on {shown(tier)} from the beginning", hint)
    return Reach(track, tier)
