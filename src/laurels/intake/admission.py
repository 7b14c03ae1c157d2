"""What a submission must be before anybody decides about it: well-formed, storable, and its sender's to send.

Problems found here concern the input alone. Whether the program knows the type, and what the member may do, is decided
later and said as a refusal.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from laurels.core.activity import INTERNAL_TYPES, Activity, Declared, is_type, parse
from laurels.core.calendar import LAST_LIVED
from laurels.core.shape import Problem, below
from laurels.intake.submission import SOURCE, Outcome, Submission

ID_MOST: Final = 200

_decode: Final = msgspec.json.Decoder().decode


class Item:
    """A submission on its way through the intake.

    `problems` are final when found in the envelope; problems of the data wait until it is known whether the id was
    accepted before. `outbox` is the follow-up that it delivers, with the bucket under which that is kept. `codes` are
    those of vouchers that it names, once the batch that it is in has looked.
    """

    __slots__ = ("activity", "body", "codes", "known", "outbox", "outcome", "problems", "submission")

    def __init__(self, submission: Submission, outbox: tuple[str, int] | None = None) -> None:
        self.submission = submission
        data = submission.data
        self.body = data if isinstance(data, bytes) else bytes(data)
        self.outbox = outbox
        self.activity: Activity | None = None
        self.codes: tuple[str, ...] = ()
        self.problems: tuple[Problem, ...] = ()
        self.known = -1
        self.outcome: Outcome | None = None

    def read(self, declared: Declared, known: int) -> None:
        """Parses the data by what the program declares, as of its version number `known`."""
        if self.known == known:
            return
        sent = self.submission
        try:
            parsed = parse(
                source=sent.source,
                id=sent.id,
                type=sent.type,
                member=sent.member,
                occurred_at=sent.occurred_at,
                data=self.body,
                declared=declared,
            )
        except RecursionError:
            parsed = (Problem("/data", "too_deep", "nested too deeply"),)
        self.known = known
        if isinstance(parsed, Activity):
            self.activity, self.problems = parsed, ()
        else:
            self.activity, self.problems = None, parsed

    def invalid(self, *problems: Problem) -> Outcome:
        """The outcome for malformed input."""
        sent = self.submission
        return Outcome(sent.source, sent.id, sent.member, "invalid", problems=problems)


def envelope_problems(sent: Submission, body: bytes, *, internal: bool) -> tuple[Problem, ...]:
    """What is wrong with a submission apart from what its data mean."""
    problems = [
        problem
        for name, value in (("source", sent.source), ("id", sent.id), ("type", sent.type), ("member", sent.member))
        if (problem := _word_problem(f"/{name}", value, internal)) is not None
    ]
    if not problems and not internal:
        if sent.source == SOURCE or "/" in sent.source:
            problems.append(Problem("/source", "reserved_source", "this source cannot be used"))
        if sent.type in INTERNAL_TYPES or not is_type(sent.type):
            problems.append(Problem("/type", "unknown_type", "no such activity type; your own begin with custom."))
    if not 0 <= sent.occurred_at <= LAST_LIVED:
        problems.append(Problem("/occurred_at", "invalid_instant", "must lie in the years 1970 to 7999"))
    problem = _body_problem(body)
    if problem is not None:
        problems.append(problem)
    return tuple(problems)


def _word_problem(pointer: str, value: str, internal: bool) -> Problem | None:
    if not value:
        return Problem(pointer, "missing", "must not be empty")
    if len(value) > ID_MOST and not internal:
        return Problem(pointer, "too_long", f"at most {ID_MOST} characters")
    if "\0" in value:
        return Problem(pointer, "nul_character", "must not contain the character U+0000")
    try:
        value.encode()
    except UnicodeEncodeError:
        return Problem(pointer, "malformed", "must not contain half of a surrogate pair")
    return None


def _body_problem(body: bytes) -> Problem | None:
    try:
        body.decode()
        if b"\\u0000" in body and (place := _nul_at(_decode(body), "/data")) is not None:
            return Problem(place, "nul_character", "must not contain the character U+0000")
    except UnicodeDecodeError:
        return Problem("/data", "malformed", "must be UTF-8")
    except msgspec.DecodeError as error:
        return Problem("/data", "malformed", str(error))
    except RecursionError:
        return Problem("/data", "too_deep", "nested too deeply")
    return None


def _nul_at(value: Any, pointer: str) -> str | None:
    """Where the character U+0000 stands; a name that has it is placed by what it is a name in."""
    if isinstance(value, str):
        return pointer if "\0" in value else None
    if isinstance(value, dict):
        if any("\0" in key for key in value):
            return pointer
        places = (_nul_at(each, below(pointer, key)) for key, each in value.items())
    elif isinstance(value, list):
        places = (_nul_at(each, below(pointer, n)) for n, each in enumerate(value))
    else:
        return None
    return next((place for place in places if place is not None), None)
