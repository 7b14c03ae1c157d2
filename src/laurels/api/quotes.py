"""Quotes: what a cart would cost and earn, by the same decisions, without recording anything.

Reserved, a quote is a mutation: it is recorded under a source of its own and its id, and keeps what it promised.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from laurels.api.activities import PURCHASE_REFUSALS, IdentifierBody, alone, instant_of
from laurels.api.answer import ActivityAnswer, answer, quoted, refusal_answer
from laurels.api.body import finding_of
from laurels.api.operation import Call, operation
from laurels.api.own import Recorded, submit_own
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

SOURCE: Final = "laurels.quotes"
"""The source of reserved quotes; no key may have it."""

_data: Final = msgspec.json.Decoder(dict[str, Any])
_encode: Final = msgspec.json.Encoder().encode


class QuoteBody(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A purchase, paid or still a cart: `order` and `tenders` may be left out of its data."""

    data: Raw
    member: Id | UnsetType = UNSET
    identifier: Annotated[IdentifierBody | UnsetType, Meta(description="In place of `member`.")] = UNSET
    type: Literal["purchase"] = "purchase"
    occurred_at: Annotated[Word | None, Meta(description="RFC 3339 with an offset; now by default.")] = None
    id: (
        Annotated[str, Meta(min_length=1, max_length=180, description="Echoed; a purchase names a reserved one by it.")]
        | None
    ) = None
    reserve: Annotated[
        bool, Meta(description="Keep what is promised, and what it claims, for the program's `quote_hold`.")
    ] = False


@operation(
    "POST",
    "/v1/quotes",
    tag="Activities",
    summary=Sentence("Ask what a cart would cost and earn", "试算一笔购买"),
    scopes=("activities:write", "members:read"),
    codes=("overloaded", "duplicate_quote", "too_many_quotes", *PURCHASE_REFUSALS),
)
async def quote(call: Call, body: QuoteBody) -> ActivityAnswer:
    """Takes promotions off the cart, decides it as a purchase sent now, and answers prices and points together.

    Nothing is recorded, so entries and lots have no ids, and a budget that a quote counts on may be used up by others.
    With `reserve` the quote is recorded instead: `prices` and `prices.quote.points` are kept until `prices.quote.until`
    for a purchase that names it under `quote`. The same quote reserved again gets the same answer.
    """
    if body.reserve and body.occurred_at is not None:
        raise invalid(Finding("/occurred_at", "contradiction", "a reserved quote is as of now: leave occurred_at out"))
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
    data = {"quote": id, "cart": _with_order(body.data, id), "reserve": body.reserve}
    if body.reserve:
        return (await _reserved(call, member, data, id)).answer
    submission = Submission(caller.source, f"quote:{id}", "quote", member, occurred_at, _encode(data))
    outcome = await services.intake.quote(caller.program, submission)
    return alone(await _rendered(call, msgspec.structs.replace(outcome, id=id, problems=_of_cart(outcome.problems))))


async def _reserved(call: Call, member: str, data: dict[str, Any], id: str) -> Recorded:
    try:
        return await submit_own(call, member, "quote", data, source=SOURCE, id=id)
    except ApiProblem as problem:
        if problem.code == "activity_conflict":
            raise ApiProblem.of(Refusal("duplicate_quote", id)) from None
        raise


def _of_cart(problems: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings as of the request's body, whose data are the cart."""
    return tuple(
        [
            Finding(f"/data{each.pointer.removeprefix('/data/cart')}", each.code, each.message)
            if each.pointer.startswith("/data/cart")
            else each
            for each in problems
        ]
    )


def _with_order(data: Raw, id: str) -> Any:
    """The data of a purchase; a cart that has no order yet is given one that nobody uses."""
    body = bytes(data)
    try:
        value = _data.decode(body)
    except msgspec.ValidationError as error:
        raise invalid(problem_of(error, "/data")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(finding_of(error, body, "/data")) from None
    return data if "order" in value else {**value, "order": f"quote:{id}"}


async def _rendered(call: Call, outcome: Outcome) -> ActivityAnswer:
    if outcome.recorded_at is None:
        return answer(outcome, None, 0)
    versions = await call.services.rendering.versions(call.program, outcome.version or 0)
    return quoted(answer(outcome, versions.judging(outcome.recorded_at), outcome.recorded_at))
