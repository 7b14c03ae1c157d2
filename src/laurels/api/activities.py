"""Activities: one, or up to a thousand, each answered on its own and in the order in which it was sent.

What cannot be read is answered `invalid` and what the program does not allow `refused`; neither keeps the others from
being recorded. The source is the key's. Identifiers are resolved to members here and go no further.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from laurels.api.answer import ActivityAnswer, RefusalAnswer, answer, refusal_answer
from laurels.api.authentication import Caller
from laurels.api.body import finding_of, oddity
from laurels.api.metrics import Metrics
from laurels.api.operation import Call, operation
from laurels.api.performing import Replied, Reply
from laurels.api.problem import MEDIA_TYPE, ApiProblem, invalid, problem_body, status_of
from laurels.api.scopes import SCOPE_OF_TYPE
from laurels.api.services import Services
from laurels.core.activity import FREE_TYPES
from laurels.core.activity import Problem as Finding
from laurels.core.calendar import Instant, parse_instant
from laurels.core.explanation import Sentence
from laurels.core.refusal import Refusal
from laurels.core.wire import WIRE_TYPES, Id, Word
from laurels.intake.submission import Outcome, Submission
from laurels.store import people
from laurels.store.people import Identifier

ACTIVITIES_MOST: Final = 1000
REDEMPTION_TYPES: Final = frozenset(("redemption", "redemption_capture", "redemption_cancel"))
PURCHASE_REFUSALS: Final = (
    "unknown_member",
    "member_sealed",
    "unknown_program_version",
    "occurred_in_future",
    "duplicate_order",
    "unknown_redemption",
    "points_tender_mismatch",
    "share_exceeded",
)
REFUSALS_HERE: Final = (
    *PURCHASE_REFUSALS,
    "activity_conflict",
    "already_enrolled",
    "undeclared_activity",
    "unknown_wallet",
    "unknown_order",
    "unknown_line",
    "return_exceeds_purchase",
    "nothing_left_to_return",
    "insufficient_points",
    "wallet_not_spendable",
    "frozen_by_debt",
    "below_zero",
    "expiry_in_past",
    "unknown_lot",
    "nothing_to_extend",
    "nothing_to_reinstate",
    "same_member",
)
"""What activities may be refused for."""

_NO_DATA: Final = Raw(b"{}")
_UNKNOWN_MEMBER: Final = refusal_answer(Refusal("unknown_member"))


class IdentifierBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Something a member is known by, such as a phone number."""

    kind: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,49}$", examples=["phone"])]
    value: Annotated[str, Meta(min_length=1, max_length=200)]


class Envelope(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An activity as sent, its data still unread."""

    id: Annotated[Id, Meta(description="Unique for its source, for ever.")]
    type: Annotated[Word, Meta(description="What was done.")]
    occurred_at: Annotated[Word, Meta(description="RFC 3339 with an offset.")]
    source: Annotated[str | None, Meta(description="The key's source; may be left out.")] = None
    member: Id | None = None
    identifier: Annotated[IdentifierBody | None, Meta(description="In place of `member`.")] = None
    data: Raw | UnsetType = UNSET


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """Several activities."""

    activities: list[Raw]


class _Either(Struct, frozen=True):
    activities: Raw | UnsetType = UNSET


class BatchAnswer(Struct, frozen=True):
    """What became of each activity, in the order in which they were sent."""

    activities: tuple[ActivityAnswer, ...]


_either: Final = msgspec.json.Decoder(_Either)
_batch: Final = msgspec.json.Decoder(Batch)
_envelope: Final = msgspec.json.Decoder(Envelope)
_id_alone: Final = msgspec.json.Decoder(Annotated[dict[str, Any], Meta(max_length=50)])
_encode: Final = msgspec.json.Encoder().encode


class _Item:
    """An activity on its way: what was sent of it, and either a submission or the answer it already has."""

    __slots__ = ("answer", "id", "identifier", "submission", "type")

    def __init__(self) -> None:
        self.id: str | None = None
        self.type = ""
        self.identifier: Identifier | None = None
        self.submission: Submission | None = None
        self.answer: ActivityAnswer | None = None


@operation(
    "POST",
    "/v1/activities",
    tag="Activities",
    summary=Sentence("Send what members did", "发送会员行为"),
    scopes=("activities:write", "adjustments:write", "members:write"),
    codes=("overloaded", *REFUSALS_HERE),
    takes_key=False,
)
async def send_activities(call: Call, body: bytes) -> ActivityAnswer | BatchAnswer:
    """Takes one activity, or `{"activities": [...]}` with at most 1,000. Each is recorded before it is answered.

    Sending an accepted activity again is safe: the same body gets its first answer again with `status` `replayed`
    (balances are the present ones), another body is refused as `activity_conflict`. A refused activity leaves nothing
    behind and its id stays free.
    """
    raws, is_batch = _split(body)
    caller = call.caller
    items = [_read(raw, caller) for raw in raws]
    await resolve_members(call.services, caller.program, items)
    sent = [item for item in items if item.submission is not None and item.answer is None]
    if sent:
        with call.services.metrics.waiting(len(sent)):
            outcomes = await call.services.intake.submit(
                caller.program, [item.submission for item in sent if item.submission is not None]
            )
        await _render(call.services, caller.program, sent, outcomes)
    answers = [item.answer for item in items if item.answer is not None]
    _count(call.services.metrics, call.counts, items, answers)
    if is_batch:
        return BatchAnswer(tuple(answers))
    return alone(answers[0])


def _split(body: bytes) -> tuple[Sequence[bytes | Raw], bool]:
    """The activities in a body, still unread, and whether they came as a batch."""
    try:
        if _either.decode(body).activities is UNSET:
            return (body,), False
        raws = _batch.decode(body).activities
    except msgspec.ValidationError as error:
        raise invalid(finding_of(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiProblem("malformed_body", finding_of(error).message) from None
    if not 1 <= len(raws) <= ACTIVITIES_MOST:
        raise invalid(Finding("/activities", "too_many_activities", f"1 to {ACTIVITIES_MOST} activities"))
    return raws, True


def _read(raw: bytes | Raw, caller: Caller) -> _Item:
    item = _Item()
    body = bytes(raw)
    try:
        sent = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        item.id = _id_of(body)
        item.answer = _invalid(caller.source, item.id, finding_of(error))
        return item
    item.id, item.type = sent.id, sent.type
    found = oddity(body) or _unfit(sent, caller)
    occurred_at = instant_of(sent.occurred_at)
    if found is not None:
        item.answer = _invalid(caller.source, sent.id, found)
        return item
    if isinstance(occurred_at, Finding):
        item.answer = _invalid(caller.source, sent.id, occurred_at)
        return item
    if sent.identifier is not None:
        item.identifier = Identifier(sent.identifier.kind, sent.identifier.value)
    data = _NO_DATA if sent.data is UNSET else sent.data
    item.submission = Submission(caller.source, sent.id, sent.type, sent.member or "", occurred_at, data)
    return item


def instant_of(text: str, pointer: str = "/occurred_at") -> Instant | Finding:
    """The instant that a text names, or what is wrong with it."""
    try:
        return parse_instant(text)
    except ValueError as error:
        return Finding(pointer, "invalid_instant", str(error))


def _unfit(sent: Envelope, caller: Caller) -> Finding | None:
    if sent.source is not None and sent.source != caller.source:
        return Finding("/source", "other_source", f"the key sends as {caller.source}")
    if (sent.member is None) == (sent.identifier is None):
        return Finding("/member", "member_missing", "give either member or identifier")
    if sent.type in REDEMPTION_TYPES:
        return Finding("/type", "other_route", "redemptions have routes of their own: /v1/redemptions")
    scope = SCOPE_OF_TYPE.get(sent.type, "activities:write")
    if not caller.may(scope):
        return Finding("/type", "scope_missing", f"the key lacks {scope}")
    return None


def _id_of(body: bytes) -> str | None:
    """The id of an activity that does not fit otherwise, so that its sender recognises it."""
    try:
        id = _id_alone.decode(body).get("id")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return id if isinstance(id, str) and len(id) <= 200 else None


def single_code(answered: ActivityAnswer) -> str | None:
    """The problem code with which a single activity goes out; None where it was recorded."""
    if answered.status in ("accepted", "replayed"):
        return None
    if answered.refusal is not None:
        return answered.refusal.code
    return "internal_error" if any(error.code == "internal_error" for error in answered.errors) else "invalid"


def _invalid(source: str, id: str | None, *errors: Finding) -> ActivityAnswer:
    return ActivityAnswer(source=source, id=id, status="invalid", errors=errors)


async def resolve_members(services: Services, program: str, items: Sequence[_Item]) -> None:
    """Puts members in the place of identifiers; what names nobody is refused."""
    wanted = [item.identifier for item in items if item.identifier is not None]
    if not wanted:
        return
    members = await people.resolve(services.database, program, wanted)
    for item in items:
        if item.identifier is None or item.submission is None:
            continue
        member = members.get(item.identifier)
        if member is None:
            item.answer = ActivityAnswer(
                source=item.submission.source, id=item.id, status="refused", refusal=_UNKNOWN_MEMBER
            )
        else:
            item.submission = msgspec.structs.replace(item.submission, member=member)


async def _render(services: Services, program: str, items: Sequence[_Item], outcomes: Sequence[Outcome]) -> None:
    newest = max([outcome.version or 0 for outcome in outcomes])
    versions = await services.rendering.versions(program, newest)
    now = 0
    if any(outcome.status == "replayed" for outcome in outcomes):
        now = await services.now(program)
    for item, outcome in zip(items, outcomes, strict=True):
        compiled = None if outcome.recorded_at is None else versions.judging(max(outcome.recorded_at, now))
        item.answer = answer(outcome, compiled, now)


def alone(answered: ActivityAnswer) -> ActivityAnswer:
    """The answer to a single activity; one that was not recorded goes out as a problem that says the same."""
    code = single_code(answered)
    if code is None:
        return answered
    raise Replied(Reply(status_of(code), _encode(refused(answered, code)), MEDIA_TYPE))


def refused(answered: ActivityAnswer, code: str) -> dict[str, Any]:
    """A problem document that is the answer as well; `status` is the answer's, which RFC 9457 lets readers ignore."""
    document: dict[str, Any] = msgspec.to_builtins(problem_body(code))
    if answered.refusal is not None:
        document["detail"] = answered.refusal.message
    return {**document, **msgspec.to_builtins(answered)}


class RefusedActivity(Struct, frozen=True, kw_only=True):
    """An activity that was not recorded: a problem document and the answer in one."""

    type: str
    title: str
    code: Annotated[str, Meta(description="The refusal's code, or `invalid`.")]
    source: str
    id: str | None
    status: Literal["refused", "invalid"]
    detail: str = ""
    refusal: RefusalAnswer | None = None
    errors: tuple[Finding, ...] = ()


def _count(metrics: Metrics, counts: dict[str, int], items: Sequence[_Item], answers: Sequence[ActivityAnswer]) -> None:
    metrics.request_activities.observe(len(items))
    counts["activities"] = len(items)
    for item, answered in zip(items, answers, strict=True):
        counts[answered.status] = counts.get(answered.status, 0) + 1
        metrics.activity(type_label(item.type), answered.status)
        if answered.refusal is not None:
            metrics.refusals.labels(answered.refusal.code).inc()


def type_label(type: str) -> str:
    """The type as metrics name it: the programs' own types are one, so that labels stay few."""
    if type in WIRE_TYPES or type in FREE_TYPES:
        return type
    return "custom" if type.startswith("custom.") else "unknown"
