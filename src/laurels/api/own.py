"""Activities that a route makes of its request: an enrolment, a change, a redemption.

Their ids follow from the Idempotency-Key, so that a request which died after its activity was recorded does nothing
twice when it comes again: the activity is found, and sent again exactly as it was.
"""

from __future__ import annotations

from typing import Any

import msgspec

from laurels.api.answer import ActivityAnswer, answer
from laurels.api.operation import Call
from laurels.api.problem import ApiProblem, invalid
from laurels.core.calendar import Instant
from laurels.core.shape import Problem as Finding
from laurels.ids import new_id
from laurels.intake.submission import Outcome, Submission
from laurels.store import reading


class Recorded(msgspec.Struct, frozen=True):
    """An accepted activity: its answer, and what the answer was made from."""

    answer: ActivityAnswer
    outcome: Outcome


async def submit_own(
    call: Call,
    member: str,
    type: str,
    data: dict[str, Any],
    *,
    occurred_at: Instant | None = None,
    source: str | None = None,
    id: str | None = None,
) -> Recorded:
    """What became of an accepted activity; a refusal or malformed data end the request as a problem."""
    services, program = call.services, call.program
    source = source or call.caller.source
    id = id or f"{type}:{call.idempotency_key or new_id(services.clock.now())}"
    if occurred_at is None:
        occurred_at = await services.now(program)
    submission = Submission(source, id, type, member, occurred_at, msgspec.json.encode(data))
    (outcome,) = await services.intake.submit(program, [submission])
    if outcome.refusal is not None and outcome.refusal.code == "activity_conflict":
        # Recorded before: it is the same activity, if it is the same but for the instant that this request made up.
        earlier = await reading.activity(services.database, program, source, id)
        if earlier is not None and earlier.occurred_at != occurred_at:
            submission = msgspec.structs.replace(submission, occurred_at=earlier.occurred_at)
            (outcome,) = await services.intake.submit(program, [submission])
    return Recorded(await answered(call, outcome), outcome)


async def answered(call: Call, outcome: Outcome) -> ActivityAnswer:
    """An outcome as an answer, or as a problem where nothing was recorded."""
    call.counts[outcome.status] = call.counts.get(outcome.status, 0) + 1
    if outcome.refusal is not None:
        raise ApiProblem.of(outcome.refusal)
    if outcome.problems:
        if any(problem.code == "internal_error" for problem in outcome.problems):
            raise ApiProblem("internal_error")
        raise invalid(*[_unwrapped(problem) for problem in outcome.problems])
    assert outcome.recorded_at is not None
    versions = await call.services.rendering.versions(call.program, outcome.version or 0)
    now = await call.services.now(call.program)
    return answer(outcome, versions.judging(max(outcome.recorded_at, now)), now)


def _unwrapped(finding: Finding) -> Finding:
    """The finding as of the request's body, which is the activity's data."""
    return Finding(finding.pointer.removeprefix("/data"), finding.code, finding.message)
