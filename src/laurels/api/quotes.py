"""Quotes: what a cart would cost and earn, by the same decisions, without recording anything.

Reserved, a quote is a mutation: it is recorded under a source of its own and its id, and keeps what it promised.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from laurels.api.activities import PURCHASE_REFUSALS, IdentifierBody, alone, instant_of
from laurels.api.answer import ActivityAnswer, When, answer, quoted, refusal_answer
from laurels.api.body import finding_of
from laurels.api.operation import Call, Nothing, operation
from laurels.api.own import Recorded, submit_own
from laurels.api.prices import Prices, prices_of
from laurels.api.problem import ApiProblem, invalid
from laurels.api.texts import Texts, texts
from laurels.core.code import grouped
from laurels.core.explanation import Sentence, quote_end_sentence
from laurels.core.facts import QuoteReserved
from laurels.core.folding_vouchers import LIST, bare_code, voucher_key
from laurels.core.member import IssuedVoucher, Member
from laurels.core.member import Quote as Reserved
from laurels.core.quote import order_of_cart
from laurels.core.refusal import Refusal
from laurels.core.shape import Problem as Finding
from laurels.core.shape import problem_of
from laurels.core.wire import Id, Word
from laurels.ids import new_id
from laurels.intake.submission import Outcome, Submission
from laurels.store import people, reading
from laurels.store.people import Identifier

SOURCE: Final = "laurels.quotes"
"""The source of reserved quotes; no key may have it."""

CANCELS: Final = "laurels.quote_cancels"
"""The source of their cancellations, whose ids are those of the quotes: cancelled again, it is the same."""

QuoteStatus = Literal["open", "used", "cancelled", "timed_out", "replaced"]

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


class QuoteAnswer(Struct, frozen=True, kw_only=True):
    """A reserved quote as of now."""

    id: str
    member: str
    status: QuoteStatus
    text: Annotated[Texts, Meta(description="What became of it.")]
    reserved_at: When
    until: Annotated[When, Meta(description="How long it keeps, or would have kept, what it promised.")]
    order: Annotated[str | None, Meta(description="The order that used or replaced it.")]
    prices: Annotated[Prices | None, Meta(description="What was promised; `quote` has the points and tickets.")]
    gifts: Annotated[tuple[str, ...], Meta(description="Kinds of voucher that campaigns promised.")]
    vouchers: Annotated[tuple[str, ...], Meta(description="Codes that it has reserved now.")]
    claims: Annotated[tuple[str, ...], Meta(description="Budgets that it claims a part of now.")]


class QuoteSaved(Struct, frozen=True):
    """The quote, and what became of the activity that changed it."""

    quote: QuoteAnswer
    activity: ActivityAnswer


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


@operation(
    "GET",
    "/v1/quotes/{quote}",
    tag="Activities",
    summary=Sentence("Read a reserved quote", "读取保留的试算"),
    scopes=("activities:write", "members:read"),
    codes=("no_such_quote", "no_version_yet"),
)
async def read_quote(call: Call, quote: str) -> QuoteAnswer:
    """A reserved quote as of now: one whose time is over has timed out, whether or not that was recorded yet."""
    return await _quote(call, quote, await _member_of(call, quote))


@operation(
    "POST",
    "/v1/quotes/{quote}/cancel",
    tag="Activities",
    summary=Sentence("Give back what a quote keeps", "取消保留的试算"),
    scopes=("activities:write", "members:read"),
    codes=("overloaded", "no_such_quote", "no_version_yet", "quote_not_open", "member_sealed"),
)
async def cancel_quote(call: Call, quote: str, body: Nothing) -> QuoteSaved:  # noqa: ARG001 - it is empty, and must be
    """Gives back what it keeps of limits, budgets, vouchers, points and tickets, as when its time is over.

    Cancelled again, it gets the same answer. A purchase that names it from now on is judged anew; once a purchase has
    used it, it cannot be cancelled.
    """
    member = await _member_of(call, quote)
    recorded = await submit_own(call, member, "quote_cancel", {"quote": quote}, source=CANCELS, id=quote)
    return QuoteSaved(await _quote(call, quote, member), recorded.answer)


async def _member_of(call: Call, quote: str) -> str:
    reserved = await reading.activity(call.services.database, call.program, SOURCE, quote)
    if reserved is None:
        raise ApiProblem("no_such_quote")
    return reserved.member


async def _quote(call: Call, id: str, member: str) -> QuoteAnswer:
    key = f"quote/{id}"
    found, document = await _looked_up(call, member, key)
    reserved = document.reserved
    offers = () if reserved.priced is None else reserved.priced.offers
    of_vouchers = [voucher_key(each.promotion) for each in offers if each.voucher]
    if document.status == "open" and of_vouchers:
        found, document = await _looked_up(call, member, key, LIST, *of_vouchers)
    versions = await call.services.rendering.versions(call.program, reserved.version)
    compiled = versions.numbered(reserved.version) or versions.judging(reserved.at)
    sentence = quote_end_sentence(document.status)
    is_open = document.status == "open"
    vouchers = [
        grouped(bare_code(code.partition("/")[2]))
        for code, each in found.documents.items()
        if isinstance(each, IssuedVoucher) and each.status == "reserved" and each.quote == id
    ]
    kinds = compiled.vouchers
    return QuoteAnswer(
        id=id,
        member=member,
        status=cast(QuoteStatus, document.status),
        text=texts(sentence),
        reserved_at=compiled.zone.format(reserved.at),
        until=compiled.zone.format(reserved.until),
        order=document.order,
        prices=prices_of((reserved,), compiled),
        gifts=tuple([kinds[each.voucher].voucher.id for each in reserved.gifts if each.voucher in kinds]),
        vouchers=tuple(sorted(vouchers)),
        claims=claims_of_quote(reserved) if is_open else (),
    )


async def _looked_up(call: Call, member: str, key: str, *prefixes: str) -> tuple[Member, Reserved]:
    found = await call.services.intake.look(call.program, member, key, *prefixes)
    document = None if found is None else found.documents.get(key)
    if found is None or not isinstance(document, Reserved):
        raise ApiProblem("no_such_quote")
    return found, document


def claims_of_quote(reserved: QuoteReserved) -> tuple[str, ...]:
    """The pools of which a quote claims a part by its prices, points, tickets and gifts."""
    of_points = [pool for grants in reserved.grants.values() for grant in grants for pool in grant.pools]
    of_gifts = [pool for gift in reserved.gifts for pool in gift.pools]
    of_prices = [pool for each in (reserved.priced.offers if reserved.priced else ()) for pool in each.pools]
    return tuple(sorted({*of_points, *of_gifts, *of_prices}))


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
    return data if "order" in value else {**value, "order": order_of_cart(id)}


async def _rendered(call: Call, outcome: Outcome) -> ActivityAnswer:
    if outcome.recorded_at is None:
        return answer(outcome, None, 0)
    versions = await call.services.rendering.versions(call.program, outcome.version or 0)
    return quoted(answer(outcome, versions.judging(outcome.recorded_at), outcome.recorded_at))
