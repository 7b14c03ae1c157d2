"""Activities: one, or up to a thousand, each answered on its own and in the order in which it was sent.

What cannot be read is answered `invalid` and what the program does not allow `refused`; neither keeps the others from
being recorded. The source is the key's. Identifiers are resolved to members here and go no further.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from laurels.api.answer import ActivityAnswer, RefusalAnswer, answer, refusal_answer
from laurels.api.authentication import Caller
from laurels.api.body import finding_of, oddities, once, unreadable
from laurels.api.metrics import Metrics
from laurels.api.operation import Call, operation
from laurels.api.performing import Replied, Reply
from laurels.api.problem import MEDIA_TYPE, invalid, problem_body, status_of
from laurels.api.scopes import SCOPE_OF_TYPE
from laurels.api.services import Services
from laurels.core.activity import FREE_TYPES, INTERNAL_TYPES, Declared, is_type, parse
from laurels.core.calendar import Instant, parse_instant
from laurels.core.explanation import Sentence
from laurels.core.refusal import Refusal
from laurels.core.shape import Problem as Finding
from laurels.core.shape import misfits, misread
from laurels.core.wire import WIRE_TYPES, Id, Word
from laurels.intake.admission import ID_MOST
from laurels.intake.submission import Outcome, Submission
from laurels.store import people
from laurels.store.people import Identifier

ACTIVITIES_MOST: Final = 1000
VOUCHER_REFUSALS: Final = (
    "unknown_voucher",
    "voucher_taken",
    "voucher_withdrawn",
    "voucher_redeemed",
    "voucher_reserved",
    "voucher_expired",
    "voucher_revoked",
    "voucher_transferred",
    "voucher_not_yet",
    "voucher_over",
    "voucher_outside_hours",
    "voucher_condition_not_met",
    "voucher_no_lines",
    "voucher_limit_reached",
    "voucher_cooldown",
    "voucher_exhausted",
    "voucher_per_order",
    "voucher_gives_nothing",
)
"""Why a purchase may not use a voucher that it names."""

QUOTE_TYPES: Final = frozenset(("quote", "quote_cancel"))
REDEMPTION_TYPES: Final = frozenset(("redemption", "redemption_capture", "redemption_cancel", "redemption_fulfilment"))
PURCHASE_REFUSALS: Final = (
    "unknown_member",
    "member_sealed",
    "unknown_program_version",
    "occurred_in_future",
    "duplicate_order",
    "unknown_redemption",
    "points_tender_mismatch",
    "share_exceeded",
    *VOUCHER_REFUSALS,
    "unknown_choice",
    "choice_not_offered",
)
REFUSALS_HERE: Final = (
    *PURCHASE_REFUSALS,
    "activity_conflict",
    "already_enrolled",
    "attributes_too_large",
    "undeclared_activity",
    "unknown_wallet",
    "unknown_order",
    "unknown_line",
    "return_exceeds_purchase",
    "nothing_left_to_return",
    "insufficient_points",
    "wallet_not_spendable",
    "unknown_reward",
    "not_automatic",
    "frozen_by_debt",
    "below_zero",
    "expiry_in_past",
    "unknown_lot",
    "nothing_to_extend",
    "nothing_to_reinstate",
    "same_member",
    "voucher_held",
    "voucher_shared",
    "voucher_not_reserved",
    "voucher_not_transferable",
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
    member: Id | UnsetType = UNSET
    identifier: Annotated[IdentifierBody | UnsetType, Meta(description="In place of `member`.")] = UNSET
    data: Raw | UnsetType = UNSET


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """Several activities."""

    activities: list[Raw]


class _Either(Struct, frozen=True):
    activities: Raw | UnsetType = UNSET


class _DataAlone(Struct, frozen=True):
    data: Raw = Raw(b"{}")


class BatchAnswer(Struct, frozen=True):
    """What became of each activity, in the order in which they were sent."""

    activities: tuple[ActivityAnswer, ...]


_either: Final = msgspec.json.Decoder(_Either)
_batch: Final = msgspec.json.Decoder(Batch)
_envelope: Final = msgspec.json.Decoder(Envelope)
_data_alone: Final = msgspec.json.Decoder(_DataAlone)
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


class _Item:
    """An activity on its way: what was sent of it, and either a submission or the answer it already has.

    `place` is the pointer to it in the body. What does not fit is left in `unread` until somebody looks why.
    """

    __slots__ = ("answer", "id", "identifier", "place", "submission", "type", "unread")

    def __init__(self, place: str) -> None:
        self.place = place
        self.id: str | None = None
        self.type = ""
        self.identifier: Identifier | None = None
        self.submission: Submission | None = None
        self.unread: bytes | None = None
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
    caller = call.caller
    single = _single(body)
    if single is not None:
        is_batch = False
        items = [_taken(_Item(""), single, body, caller)]
    else:
        raws, is_batch = _split(body)
        items = [_read(raw, f"/activities/{n}" if is_batch else "", caller) for n, raw in enumerate(raws)]
    await _complain(call, [item for item in items if item.unread is not None])
    await resolve_members(call.services, caller.program, items)
    sent = [item for item in items if item.submission is not None and item.answer is None]
    if sent:
        metrics = call.services.metrics
        metrics.waiting += len(sent)
        try:
            outcomes = await call.services.intake.submit(
                caller.program, [item.submission for item in sent if item.submission is not None]
            )
        finally:
            metrics.waiting -= len(sent)
        await _render(call.services, caller.program, sent, outcomes)
    answers = [item.answer for item in items if item.answer is not None]
    _count(call.services.metrics, call.counts, items, answers)
    if is_batch:
        return BatchAnswer(tuple(answers))
    return alone(answers[0])


def _single(body: bytes) -> Envelope | None:
    """The one activity that a body is, where it is well-formed; a batch has a field that no activity has."""
    try:
        return _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _split(body: bytes) -> tuple[Sequence[bytes | Raw], bool]:
    """The activities in a body, still unread, and whether they came as a batch."""
    kind: type[Struct] = _Either
    try:
        if _either.decode(body).activities is UNSET:
            return (body,), False
        kind = Batch
        raws = _batch.decode(body).activities
    except msgspec.ValidationError as error:
        raise invalid(*misread(body, kind, error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(body, error) from None
    if not 1 <= len(raws) <= ACTIVITIES_MOST:
        raise invalid(Finding("/activities", "too_many_activities", f"1 to {ACTIVITIES_MOST} activities"))
    return raws, True


def _read(raw: bytes | Raw, place: str, caller: Caller) -> _Item:
    item = _Item(place)
    body = bytes(raw)
    try:
        sent = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        item.unread = body
        return item
    return _taken(item, sent, body, caller)


def _taken(item: _Item, sent: Envelope, body: bytes, caller: Caller) -> _Item:
    """The item with its submission, or left unread where the caller may not send it so."""
    item.id, item.type = sent.id, sent.type
    occurred_at = instant_of(sent.occurred_at)
    if isinstance(occurred_at, Finding) or not _fits(sent, caller) or oddities(body):
        item.unread = body
        return item
    if sent.identifier is not UNSET:
        item.identifier = Identifier(sent.identifier.kind, sent.identifier.value)
    member = "" if sent.member is UNSET else sent.member
    data = _NO_DATA if sent.data is UNSET else sent.data
    item.submission = Submission(caller.source, sent.id, sent.type, member, occurred_at, data)
    return item


def instant_of(text: str, pointer: str = "/occurred_at") -> Instant | Finding:
    """The instant that a text names, or what is wrong with it."""
    try:
        return parse_instant(text)
    except ValueError as error:
        return Finding(pointer, "invalid_instant", str(error))


def _fits(sent: Envelope, caller: Caller) -> bool:
    """Whether an envelope is one that this caller may send; `_unfit` says why not."""
    return (
        (sent.source is None or sent.source == caller.source)
        and (sent.member is UNSET) != (sent.identifier is UNSET)
        and sent.type not in REDEMPTION_TYPES
        and sent.type not in QUOTE_TYPES
        and caller.may(SCOPE_OF_TYPE.get(sent.type, "activities:write"))
    )


# --- what does not fit ------------------------------------------------------------------------------------------------


async def _complain(call: Call, items: Sequence[_Item]) -> None:
    """Answers activities that do not fit, each with everything that does not."""
    if not items:
        return
    declared = (await call.services.rendering.versions(call.program)).declared
    for item in items:
        assert item.unread is not None
        findings = _findings(item.unread, call.caller, declared)
        item.id = _id_of(item.unread)
        item.answer = _invalid(call.caller.source, item.id, *[_placed(each, item.place) for each in findings])


def _findings(body: bytes, caller: Caller, declared: Declared | None) -> tuple[Finding, ...]:
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return oddities(body) or (finding_of(error, body),)
    found = [*oddities(body), *member_misfits(value), *misfits(value, Envelope)]
    if isinstance(value, dict):
        found += [*_unfit(value, caller), *_unfit_data(value, body, declared)]
    return once(found)


def member_misfits(value: Any) -> tuple[Finding, ...]:
    """What is wrong with the way in which an activity names its member: by `member` or by `identifier`, never null."""
    if not isinstance(value, dict):
        return ()
    given = [name for name in ("member", "identifier") if name in value]
    nothing = [
        Finding(f"/{name}", "member_missing", f"null names nobody: leave {name} out, or say whom it names")
        for name in given
        if value[name] is None
    ]
    if len(given) == 1 or nothing:
        return tuple(nothing)
    return (Finding("/member", "member_missing", "give either member or identifier"),)


def _unfit(value: dict[str, Any], caller: Caller) -> Iterator[Finding]:
    source, type, occurred_at = value.get("source"), value.get("type"), value.get("occurred_at")
    if isinstance(source, str) and source != caller.source:
        yield Finding("/source", "other_source", f"the key sends as {caller.source}")
    if isinstance(occurred_at, str):
        instant = instant_of(occurred_at)
        if isinstance(instant, Finding):
            yield instant
    if not isinstance(type, str):
        return
    if type in REDEMPTION_TYPES:
        yield Finding("/type", "other_route", "redemptions have routes of their own: /v1/redemptions")
    elif type in QUOTE_TYPES:
        yield Finding("/type", "other_route", "quotes have a route of their own: /v1/quotes")
    elif type in INTERNAL_TYPES or not is_type(type):
        yield Finding("/type", "unknown_type", "no such activity type; your own begin with custom.")
    else:
        scope = SCOPE_OF_TYPE.get(type, "activities:write")
        if not caller.may(scope):
            yield Finding("/type", "scope_missing", f"the key lacks {scope}")


def _unfit_data(value: dict[str, Any], body: bytes, declared: Declared | None) -> tuple[Finding, ...]:
    """What is wrong with the data of an activity whose envelope is wrong already."""
    type = value.get("type")
    if not isinstance(type, str) or not is_type(type):
        return ()
    if declared is None:
        return misfits(value.get("data", {}), WIRE_TYPES.get(type, dict[str, Any]), "/data")
    data = bytes(_data_alone.decode(body).data)
    parsed = parse(source="", id="", type=type, member="", occurred_at=0, data=data, declared=declared)
    return parsed if isinstance(parsed, tuple) else ()


def _placed(finding: Finding, place: str) -> Finding:
    """The finding as of the whole body."""
    return Finding(place + finding.pointer, finding.code, finding.message) if place else finding


def _id_of(body: bytes) -> str | None:
    """The id of an activity that does not fit otherwise, so that its sender recognises it."""
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    id = value.get("id") if isinstance(value, dict) else None
    return id if isinstance(id, str) and len(id) <= ID_MOST else None


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
        item.answer = answer(outcome, compiled, now, None if item.submission is None else item.submission.data)
        if outcome.problems and item.place:
            errors = tuple([_placed(each, item.place) for each in outcome.problems])
            item.answer = msgspec.structs.replace(item.answer, errors=errors)


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
    metrics.request_activities.add(len(items))
    counts["activities"] = len(items)
    for item, answered in zip(items, answers, strict=True):
        counts[answered.status] = counts.get(answered.status, 0) + 1
        metrics.activity(type_label(item.type), answered.status)
        if answered.refusal is not None:
            metrics.refusal(answered.refusal.code)


def type_label(type: str) -> str:
    """The type as metrics name it: the programs' own types are one, so that labels stay few."""
    if type in WIRE_TYPES or type in FREE_TYPES:
        return type
    return "custom" if type.startswith("custom.") else "unknown"
