"""Vouchers: who has one and what became of it, taken away or passed on, and batches of codes that are nobody's yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, cast

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from laurels.api.activities import instant_of
from laurels.api.answer import ActivityAnswer, When
from laurels.api.money import Money, money_of
from laurels.api.operation import Call, operation
from laurels.api.own import submit_own
from laurels.api.paging import NextCursor, PageQuery, newest_page, page_of, place_of
from laurels.api.problem import ApiProblem, invalid
from laurels.core.code import canonical, grouped
from laurels.core.compiled import Compiled
from laurels.core.explanation import Sentence
from laurels.core.facts import VoucherReleased, VoucherReserved
from laurels.core.folding_vouchers import LIST, bare_code, voucher_key
from laurels.core.member import IssuedVoucher, decode_document
from laurels.core.refusal import Refusal
from laurels.core.shape import Problem as Finding
from laurels.core.wire import Id, Text
from laurels.store import codes, revoking
from laurels.store.codes import CODES_MOST, CodeBatch, OtherBatch
from laurels.store.sql import named

OWNERS: Final = named("voucher_owners")
VoucherStatus = Literal["open", "issued", "reserved", "redeemed", "expired", "revoked", "transferred"]
"""Statuses; `open` is a code that is nobody's yet, or everybody's."""


class VoucherAnswer(Struct, frozen=True, kw_only=True):
    """A voucher as of now."""

    code: Annotated[str, Meta(description="Grouped for people; blanks, dashes and case make no difference.")]
    voucher: Annotated[str, Meta(description="Its kind, by its id in the program.")]
    name: Annotated[dict[str, str], Meta(description="By language; empty where the program has no such kind any more.")]
    member: Annotated[str | None, Meta(description="Whose it is; null where it is nobody's.")]
    status: VoucherStatus
    issued_at: When | None = None
    expires_at: When | None = None
    reserved_until: When | None = None
    ended_at: When | None = None
    order: Annotated[str | None, Meta(description="The order that reserved or used it.")] = None
    quote: Annotated[str | None, Meta(description="The quote that reserved it.")] = None
    took_off: Annotated[Money | None, Meta(description="What it took off the order that used it.")] = None
    worth: Annotated[Money | None, Meta(description="What is off in place of its kind's offer.")] = None
    reason: Annotated[str | None, Meta(description="Why the member has it.")] = None
    ended_by: Annotated[str | None, Meta(description="Why it ended.")] = None


class VoucherSaved(Struct, frozen=True):
    """The voucher, and what became of the activity that changed it."""

    voucher: VoucherAnswer
    activity: ActivityAnswer


class VoucherList(Struct, frozen=True):
    """A member's vouchers, the newest first."""

    items: tuple[VoucherAnswer, ...]
    next_cursor: NextCursor


class Revoked(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a voucher is taken away."""

    reason: Text = ""


class RevokedBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a batch is revoked."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class Reserving(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who comes with a voucher, and for which order."""

    member: Annotated[
        Id | UnsetType, Meta(description="Whose it is; may be left out unless it is nobody's or everybody's.")
    ] = UNSET
    order: Annotated[
        Id | None, Meta(description="Null: there is none yet, and whichever of the member's comes first may use it.")
    ] = None


class Passed(Struct, frozen=True, forbid_unknown_fields=True):
    """To whom a voucher goes."""

    to: Id


class NewCodeBatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Codes that are to be made."""

    id: Annotated[Id, Meta(description="Yours; the same batch asked for again is made once.")]
    voucher: Annotated[Id, Meta(description="The kind of voucher, by its id in the program.")]
    count: Annotated[int, Meta(ge=1, le=CODES_MOST)]
    uses: Annotated[
        Annotated[int, Meta(ge=1, le=10**9)] | None,
        Meta(description="How often each code may be used in all; null: as often as the kind allows."),
    ] = 1
    expires_at: Annotated[str | None, Meta(description="RFC 3339; besides the expiry of the kind.")] = None


class BatchRevocation(Struct, frozen=True, kw_only=True):
    """Since when nothing of a batch can be used that was not used before."""

    revoked_at: When
    source: Annotated[str, Meta(description="The source of the key with which it was revoked.")]
    reason: str


class CodeBatchAnswer(Struct, frozen=True, kw_only=True):
    """A batch of codes as of now."""

    id: str
    voucher: str
    kind: Literal["generated", "imported"]
    uses: int | None
    expires_at: When | None
    wanted: Annotated[int | None, Meta(description="How many codes were asked for; null for a list.")]
    made: Annotated[int, Meta(description="How many codes there are.")]
    created_at: When
    finished_at: Annotated[When | None, Meta(description="Null while codes are being made.")]
    revoked: Annotated[BatchRevocation | None, Meta(description="Null: its codes can be used.")] = None


class BatchCode(Struct, frozen=True):
    """A code of a batch."""

    code: str
    taken: Annotated[int, Meta(description="How often it was taken.")]


class BatchCodes(Struct, frozen=True):
    """Codes of a batch in the order of their text."""

    items: tuple[BatchCode, ...]
    next_cursor: NextCursor


# --- vouchers ---------------------------------------------------------------------------------------------------------


@operation(
    "GET",
    "/v1/vouchers/{code}",
    tag="Vouchers",
    summary=Sentence("Read a voucher", "读取优惠券"),
    scopes=("members:read", "activities:write"),
    codes=("no_such_voucher", "no_version_yet"),
)
async def read_voucher(call: Call, code: str) -> VoucherAnswer:
    """A voucher by its code, as of now: one whose time is over has expired, whether or not that was recorded yet."""
    return await _voucher(call, code)


@operation(
    "POST",
    "/v1/vouchers/{code}/reserve",
    tag="Vouchers",
    summary=Sentence("Set a voucher aside", "锁定优惠券"),
    scopes=("activities:write",),
    codes=(
        "overloaded", "no_version_yet", "unknown_member", "unknown_voucher", "voucher_taken", "voucher_withdrawn",
        "voucher_redeemed", "voucher_reserved", "voucher_expired", "voucher_revoked", "voucher_transferred",
        "voucher_not_yet", "voucher_over", "voucher_outside_hours", "voucher_limit_reached", "voucher_cooldown",
        "voucher_exhausted", "member_sealed",
    ),
)  # fmt: skip
async def reserve_voucher(call: Call, code: str, body: Reserving) -> VoucherSaved:
    """Keeps it for a checkout that may have no order yet, for as long as its kind's `hold`; asked again, from now on.

    It counts against limits as a use does. Conditions on what is bought are judged with the purchase.
    """
    return await _at_checkout(call, "voucher_reserve", code, body)


@operation(
    "POST",
    "/v1/vouchers/{code}/release",
    tag="Vouchers",
    summary=Sentence("Let go of a voucher", "释放优惠券"),
    scopes=("activities:write",),
    codes=(
        "overloaded", "no_version_yet", "unknown_member", "unknown_voucher", "voucher_not_reserved", "member_sealed",
    ),
)  # fmt: skip
async def release_voucher(call: Call, code: str, body: Reserving) -> VoucherSaved:
    """As if it had not been reserved for that order, or for whichever comes first: its limits have it again."""
    return await _at_checkout(call, "voucher_release", code, body)


@operation(
    "POST",
    "/v1/vouchers/{code}/revoke",
    tag="Vouchers",
    summary=Sentence("Take a voucher away", "收回优惠券"),
    scopes=("adjustments:write",),
    codes=(
        "overloaded", "no_such_voucher", "no_version_yet", "unknown_voucher", "voucher_redeemed", "voucher_expired",
        "voucher_revoked", "voucher_transferred", "member_sealed",
    ),
)  # fmt: skip
async def revoke_voucher(call: Call, code: str, body: Revoked) -> VoucherSaved:
    """The member can never use it again, also where a checkout has reserved it."""
    member = await _member_of(call, code)
    recorded = await submit_own(call, member, "voucher_revoke", {"code": code, "reason": body.reason})
    return VoucherSaved(await _voucher(call, code), recorded.answer)


@operation(
    "POST",
    "/v1/vouchers/{code}/transfer",
    tag="Vouchers",
    summary=Sentence("Pass a voucher on", "转赠优惠券"),
    scopes=("activities:write",),
    codes=(
        "overloaded", "no_such_voucher", "no_version_yet", "unknown_voucher", "voucher_redeemed", "voucher_reserved",
        "voucher_expired", "voucher_revoked", "voucher_transferred", "voucher_not_transferable", "voucher_withdrawn",
        "same_member", "member_sealed",
    ),
)  # fmt: skip
async def transfer_voucher(call: Call, code: str, body: Passed) -> VoucherSaved:
    """The other member has it from now on, with its code and expiry; it comes back if they cannot take it."""
    member = await _member_of(call, code)
    recorded = await submit_own(call, member, "voucher_transfer", {"code": code, "to": body.to})
    return VoucherSaved(await _voucher(call, code), recorded.answer)


@operation(
    "GET",
    "/v1/members/{member}/vouchers",
    tag="Vouchers",
    summary=Sentence("List a member's vouchers", "会员的优惠券"),
    scopes=("members:read",),
    codes=("no_such_member", "no_version_yet"),
)
async def list_vouchers(call: Call, member: str, query: PageQuery) -> VoucherList:
    """The vouchers that the member has or had, as of now, the newest first."""
    found = await call.services.intake.look(call.program, member, "voucher/", LIST)
    if found is None:
        raise ApiProblem("no_such_member")
    compiled = await call.services.present(call.program)
    held = [
        (document.issued_at, key.partition("/")[2], document)
        for key, document in found.documents.items()
        if isinstance(document, IssuedVoucher)
    ]
    page, next_cursor = newest_page(held, query)
    void = await _revoked(call, dict(page))
    shown = [(code, _answer(code, member, each, compiled)) for code, each in page]
    return VoucherList(tuple([_void(each) if code in void else each for code, each in shown]), next_cursor)


async def _at_checkout(call: Call, type: str, code: str, body: Reserving) -> VoucherSaved:
    member = (await _owner(call, canonical(code))) if body.member is UNSET else body.member
    if member is None:
        raise invalid(Finding("/member", "member_missing", "the voucher is nobody's, or everybody's: say who comes"))
    recorded = await submit_own(call, member, type, {"code": code, "order": body.order})
    after = recorded.outcome.member_after
    # Of a shared code there is a use for every order, and after a release there may be none.
    instance = next(
        (fact.code for fact in recorded.outcome.facts if isinstance(fact, VoucherReserved | VoucherReleased)), ""
    )
    document = None if after is None else after.documents.get(voucher_key(instance))
    if recorded.outcome.status == "accepted" and isinstance(document, IssuedVoucher):
        compiled = await call.services.present(call.program)
        return VoucherSaved(_answer(instance, member, document, compiled), recorded.answer)
    return VoucherSaved(await _voucher(call, code), recorded.answer)


async def _owner(call: Call, code: str) -> str | None:
    """The member who has it, or had it last."""
    rows = await call.services.database.pool.fetch(OWNERS, call.program, voucher_key(code))
    owners = [(row["member"], decode_document(voucher_key(code), row["document"])) for row in rows]
    has = [member for member, each in owners if isinstance(each, IssuedVoucher) and each.status != "transferred"]
    return has[0] if has else owners[0][0] if owners else None


async def _member_of(call: Call, code: str) -> str:
    owner = await _owner(call, canonical(code))
    if owner is None:
        raise ApiProblem("no_such_voucher")
    return owner


async def _voucher(call: Call, text: str) -> VoucherAnswer:
    code = canonical(text)
    compiled = await call.services.present(call.program)
    owner = await _owner(call, code)
    if owner is not None:
        found = await call.services.intake.look(call.program, owner, voucher_key(code), LIST)
        document = None if found is None else found.documents.get(voucher_key(code))
        if isinstance(document, IssuedVoucher):
            answered = _answer(code, owner, document, compiled)
            return _void(answered) if code in await _revoked(call, {code: document}) else answered
    key = compiled.shared_codes.get(code)
    expires_at = None
    if key is None:
        async with call.services.database.pool.acquire() as connection:
            known = (await codes.read_codes(connection, call.program, [code])).get(code)
        if known is None:
            raise ApiProblem("no_such_voucher")
        key = known.voucher
        if known.revoked:
            id, name = _kind(key, compiled)
            return VoucherAnswer(
                code=grouped(code), voucher=id, name=name, member=None, status="revoked", ended_by="batch"
            )
        expires_at = None if known.expires_at is None else compiled.zone.format(known.expires_at)
    id, name = _kind(key, compiled)
    return VoucherAnswer(code=grouped(code), voucher=id, name=name, member=None, status="open", expires_at=expires_at)


async def _revoked(call: Call, vouchers: Mapping[str, IssuedVoucher]) -> frozenset[str]:
    """The codes of those that a member has, and that cannot be used since their batch was revoked."""
    unused = [code for code, each in vouchers.items() if each.status == "issued" and not each.shared]
    if not unused:
        return frozenset()
    async with call.services.database.pool.acquire() as connection:
        known = await codes.read_codes(connection, call.program, unused)
    return frozenset(code for code, each in known.items() if each.revoked)


def _void(answered: VoucherAnswer) -> VoucherAnswer:
    return structs.replace(answered, status="revoked", ended_by="batch")


def _kind(key: str, compiled: Compiled) -> tuple[str, dict[str, str]]:
    kind = compiled.vouchers.get(key)
    return (key, {}) if kind is None else (kind.voucher.id, kind.voucher.name)


def _answer(instance: str, member: str, voucher: IssuedVoucher, compiled: Compiled) -> VoucherAnswer:
    id, name = _kind(voucher.voucher, compiled)

    def at(instant: int | None) -> str | None:
        return None if instant is None else compiled.zone.format(instant)

    def money(amount: int | None) -> Money | None:
        return None if amount is None else money_of(amount, compiled.declared)

    return VoucherAnswer(
        code=grouped(bare_code(instance)),
        voucher=id,
        name=name,
        member=member,
        status=cast(VoucherStatus, voucher.status),
        issued_at=at(voucher.issued_at),
        expires_at=at(voucher.expires_at),
        reserved_until=at(voucher.reserved_until),
        ended_at=at(voucher.ended_at),
        order=voucher.order,
        quote=voucher.quote,
        took_off=money(voucher.amount) if voucher.status == "redeemed" else None,
        worth=money(voucher.worth),
        reason=voucher.reason,
        ended_by=voucher.ended_by,
    )


# --- batches of codes -------------------------------------------------------------------------------------------------


@operation(
    "POST",
    "/v1/voucher_batches",
    tag="Vouchers",
    summary=Sentence("Have codes made", "生成券码"),
    scopes=("program:write",),
    status=202,
    codes=("unknown_voucher", "batch_conflict", "no_version_yet"),
)
async def create_batch(call: Call, body: NewCodeBatch) -> CodeBatchAnswer:
    """Begins a batch of codes that anybody may take; a worker makes them, a million in less than a minute.

    Asked for again it goes on, and is made once. `laurels vouchers generate` does the same and waits.
    """
    services, program = call.services, call.program
    compiled = await services.present(program)
    expires_at = None
    if body.expires_at is not None:
        found = instant_of(body.expires_at)
        if isinstance(found, Finding):
            raise invalid(Finding("/expires_at", found.code, found.message))
        expires_at = found
    key = compiled.voucher_keys.get(body.voucher)
    if key is None or compiled.vouchers[key].voucher.codes:
        raise ApiProblem.of(Refusal("unknown_voucher", body.voucher))
    try:
        batch = await codes.begin_batch(
            services.database, services.clock, program, body.id, key,
            wanted=body.count, uses=body.uses, expires_at=expires_at,
        )  # fmt: skip
    except OtherBatch:
        raise ApiProblem.of(Refusal("batch_conflict", body.id)) from None
    return await _with_revocation(call, batch, compiled)


@operation(
    "GET",
    "/v1/voucher_batches/{batch}",
    tag="Vouchers",
    summary=Sentence("Read a batch of codes", "读取券码批次"),
    scopes=("program:read",),
    codes=("no_such_batch", "no_version_yet"),
)
async def read_batch(call: Call, batch: str) -> CodeBatchAnswer:
    """How far a batch has come."""
    compiled = await call.services.present(call.program)
    return await _with_revocation(call, await _batch(call, batch), compiled)


@operation(
    "POST",
    "/v1/voucher_batches/{batch}/revoke",
    tag="Vouchers",
    summary=Sentence("Revoke a batch of codes", "作废整批券码"),
    scopes=("adjustments:write",),
    codes=("no_such_batch", "no_version_yet"),
)
async def revoke_batch(call: Call, batch: str, body: RevokedBatch) -> CodeBatchAnswer:
    """From this instant on no code of the batch can be used that was not used before, nor passed on, whoever has it.

    What was used stays used; what a checkout has reserved stays good for that checkout. Revoked again, it is the same.
    """
    services, program = call.services, call.program
    number = (await _batch(call, batch)).number
    await revoking.revoke(services.database, services.clock, program, number, body.reason, call.caller.source)
    compiled = await services.present(program)
    return await _with_revocation(call, await _batch(call, batch), compiled)


@operation(
    "GET",
    "/v1/voucher_batches/{batch}/codes",
    tag="Vouchers",
    summary=Sentence("List the codes of a batch", "列出批次中的券码"),
    scopes=("program:write",),
    codes=("no_such_batch",),
)
async def list_codes(call: Call, batch: str, query: PageQuery) -> BatchCodes:
    """The codes themselves; whoever has one can use it. For many, `laurels vouchers export` writes a file."""
    after = place_of(query.cursor, str) or ""
    number = (await _batch(call, batch)).number
    found = await codes.codes_of_batch(call.services.database, call.program, number, after, query.limit + 1)
    page, next_cursor = page_of(found, query.limit, lambda each: each[0])
    return BatchCodes(tuple([BatchCode(grouped(code), taken) for code, taken in page]), next_cursor)


async def _batch(call: Call, id: str) -> CodeBatch:
    found = await codes.batch(call.services.database, call.program, id)
    if found is None:
        raise ApiProblem("no_such_batch")
    return found


async def _with_revocation(call: Call, batch: CodeBatch, compiled: Compiled) -> CodeBatchAnswer:
    found = await revoking.revocation(call.services.database, call.program, batch.number)
    answered = _batch_answer(batch, compiled)
    if found is None:
        return answered
    at = compiled.zone.format(found.revoked_at)
    return structs.replace(answered, revoked=BatchRevocation(revoked_at=at, source=found.source, reason=found.reason))


def _batch_answer(batch: CodeBatch, compiled: Compiled) -> CodeBatchAnswer:
    format = compiled.zone.format
    return CodeBatchAnswer(
        id=batch.id,
        voucher=_kind(batch.voucher, compiled)[0],
        kind=batch.kind,
        uses=batch.uses,
        expires_at=None if batch.expires_at is None else format(batch.expires_at),
        wanted=batch.wanted,
        made=batch.made,
        created_at=format(batch.created_at),
        finished_at=None if batch.finished_at is None else format(batch.finished_at),
    )
