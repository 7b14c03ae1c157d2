"""Quotes: what a purchase would earn, by the same decisions, without recording anything."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from laurels.api.activities import PURCHASE_REFUSALS, IdentifierBody, alone, instant_of
from laurels.api.answer import ActivityAnswer, answer, quoted, refusal_answer
from laurels.api.body import finding_of
from laurels.api.operation import Call, operation
from laurels.api.problem import ApiProblem, invalid
from laurels.core.explanation import Sentence
from laurels.core.refusal import Refusal
from laurels.core.shape import Problem as Finding
from laurels.core.shape import problem_of
from laurels.core.wire import Id, Word
from laurels.ids import new_id
from laurels.intake.submission import Outcome, Submission
from laurels.store import people
from laurels.store.people import Identifier

_data: Final = msgspec.json.Decoder(dict[str, Any])
_encode: Final = msgspec.json.Encoder().encode


class QuoteBody(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A purchase, paid or still a cart: `order` and `tenders` may be left out of its data."""

    data: Raw
    member: Id | UnsetType = UNSET
    identifier: Annotated[IdentifierBody | UnsetType, Meta(description="In place of `member`.")] = UNSET
    type: Literal["purchase"] = "purchase"
    occurred_at: Annotated[Word | None, Meta(description="RFC 3339 with an offset; now by default.")] = None
    id: Annotated[str, Meta(min_length=1, max_length=180, description="Only echoed.")] | None = None
    reserve: Annotated[bool, Meta(description="Keep what is promised for a stated time; not supported yet.")] = False


@operation(
    "POST",
    "/v1/quotes",
    tag="Activities",
    summary=Sentence("Ask what a purchase would earn", "试算一笔购买"),
    scopes=("activities:write", "members:read"),
    codes=("not_supported", *PURCHASE_REFUSALS),
    takes_key=False,
)
async def quote(call: Call, body: QuoteBody) -> ActivityAnswer:
    """Decides the purchase as if it were sent now and answers likewise, with balances and tiers as they would be.

    Nothing is recorded, so entries and lots have no ids, and a budget that a quote counts on may be used up by others.
    """
    if body.reserve:
        raise ApiProblem("not_supported", "Quotes reserve nothing yet: leave reserve out.")
    if (body.member is UNSET) == (body.identifier is UNSET):
        raise invalid(Finding("/member", "member_missing", "give either member or identifier"))
    services, caller = call.services, call.caller
    now = await services.now(caller.program)
    occurred_at = now if body.occurred_at is None else instant_of(body.occurred_at)
    if isinstance(occurred_at, Finding):
        raise invalid(occurred_at)
    id = body.id or new_id(services.clock.now())
    member = None if body.member is UNSET else body.member
    if body.identifier is not UNSET:
        identifier = Identifier(body.identifier.kind, body.identifier.value)
        member = (await people.resolve(services.database, caller.program, [identifier])).get(identifier)
    if member is None:
        refusal = refusal_answer(Refusal("unknown_member"))
        return alone(ActivityAnswer(source=caller.source, id=id, status="refused", refusal=refusal))
    submission = Submission(caller.source, f"quote:{id}", "purchase", member, occurred_at, _with_order(body.data, id))
    outcome = await services.intake.quote(caller.program, submission)
    return alone(await _rendered(call, msgspec.structs.replace(outcome, id=id)))


def _with_order(data: Raw, id: str) -> bytes:
    """The data of a purchase; a cart that has no order yet is given one that nobody uses."""
    body = bytes(data)
    try:
        value = _data.decode(body)
    except msgspec.ValidationError as error:
        raise invalid(problem_of(error, "/data")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(finding_of(error, body, "/data")) from None
    return body if "order" in value else _encode({**value, "order": f"quote:{id}"})


async def _rendered(call: Call, outcome: Outcome) -> ActivityAnswer:
    if outcome.recorded_at is None:
        return answer(outcome, None, 0)
    versions = await call.services.rendering.versions(call.program, outcome.version or 0)
    return quoted(answer(outcome, versions.judging(outcome.recorded_at), outcome.recorded_at))
