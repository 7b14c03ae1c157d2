"""Segments in the document: names for conditions on a member, which other conditions ask for as `member.segments`."""

from __future__ import annotations

from laurels.core.program.campaigns import resolve_rule
from laurels.core.program.frame import SEGMENT, Frame
from laurels.core.program.grammar import Entries, Form, Word
from laurels.core.program.model import Segment
from laurels.core.program.values import CONDITION, TEXTS


class SegmentForm(Form):
    """A segment: members for whom a condition holds at the instant that is judged."""

    name = Word(TEXTS, "what it is called, by language")
    when = Word(CONDITION, "the condition (CEL) over member and at", required=True)


def resolve_segments(forms: Entries[str, SegmentForm], frame: Frame) -> tuple[Segment, ...]:
    """The segments that forms describe; `frame` then knows all their ids, also of those with mistakes."""
    frame.segments = tuple(entry.key for entry in forms if entry.key is not None)
    segments: list[Segment] = []
    for segment, form, _ in forms.readable():
        when = resolve_rule(form.when, SEGMENT, "condition", frame)
        if when is not None:
            segments.append(Segment(segment, frame.texts(form.name, segment), when))
    return tuple(segments)
