"""Redemptions: points are held for a reward or as money, then captured, cancelled or timed out; rewards are sent.

A redemption's id is the caller's and unique for the program. The hold is recorded under a source of its own and that
id, which makes it findable without its member and safe to ask for again.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Protocol, cast

from msgspec import Meta, Struct

from laurels.api.answer import ActivityAnswer, LotPoints, When, lot_points
from laurels.api.given import Given, draw_of, given
from laurels.api.money import Money, money_of
from laurels.api.operation import Call, Nothing, operation
from laurels.api.own import Recorded, submit_own
from laurels.api.paging import NextCursor, PageQuery, newest_page
from laurels.api.problem import ApiProblem, invalid
from laurels.core.compiled import Compiled
from laurels.core.explanation import Sentence
from laurels.core.facts import Part
from laurels.core.fulfilment import AUTOMATIC
from laurels.core.given_back import GivenBack, given_back
from laurels.core.member import Member, Redemption, tickets_key
from laurels.core.purchase import worth
from laurels.core.refusal import Refusal
from laurels.core.shape import Problem
from laurels.core.wire import Id, Word
from laurels.store import reading

SOURCE: Final = "laurels.redemptions"
"""The source of holds; no key may have it."""

AUTOMATIC_PARTS: Final = 3
"""What is redeemed by itself is found by its id: after the beginning come member, number and reward."""

FulfilmentState = Literal["requested", "packed", "shipped", "delivered", "returned", "failed"]
RedemptionStatus = Literal["held", "captured", "cancelled", "timed_out"]
Points = Annotated[int, Meta(ge=1, le=10**12)]


class Pay(Struct, frozen=True, forbid_unknown_fields=True):
    """How a mixed price is paid."""

    points: Annotated[Points, Meta(description="For all pieces together.")]
    cash: Annotated[Money | None, Meta(description="What belongs to that; another amount is refused.")] = None


class NewRedemption(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A reward that a member wants, or points to spend as money at the till: `reward`, or `wallet` and `points`."""

    id: Annotated[
        str,
        Meta(min_length=1, max_length=200, description="Yours; a points tender names it. Not one that begins `auto:`."),
    ]
    member: Id
    reward: Word | None = None
    quantity: Annotated[int, Meta(ge=1, le=10_000, description="How many pieces.")] = 1
    pay: Annotated[Pay | None, Meta(description="With as many points as the price allows, unless said.")] = None
    value: Annotated[Money | None, Meta(description="What a piece is worth, where the reward wants it stated.")] = None
    wallet: Word | None = None
    points: Points | None = None
    hold: Annotated[bool, Meta(description="False redeems at once.")] = True


class NextState(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far a redeemed reward has come."""

    state: Literal["packed", "shipped", "delivered", "returned", "failed"]
    carrier: Annotated[Word | None, Meta(description="Who carries it.")] = None
    tracking: Annotated[Word | None, Meta(description="The carrier's number.")] = None
    reference: Annotated[Word | None, Meta(description="The partner's reference.")] = None


class StepAnswer(Struct, frozen=True, kw_only=True):
    """A state of the fulfilment."""

    state: FulfilmentState
    at: When
    carrier: str | None
    tracking: str | None
    reference: str | None


class GivenBackAnswer(Struct, frozen=True, kw_only=True):
    """What became of the points that went back."""

    points: int
    restored: Annotated[int, Meta(description="In their lots again, with their own expiry.")]
    graced: Annotated[int, Meta(description="Expired meanwhile, and alive for the wallet's grace.")]
    graced_until: When | None
    expired: Annotated[int, Meta(description="Expired meanwhile, and expired at once.")]


class Captured(Struct, frozen=True, forbid_unknown_fields=True):
    """How much of what is held is spent."""

    points: Annotated[Points | None, Meta(description="All of it by default; the rest goes back to its lots.")] = None


class CapturedPoints(Struct, frozen=True):
    """How many of the held points were spent, and what they paid."""

    points: int
    worth: Money | None


class RedemptionAnswer(Struct, frozen=True, kw_only=True):
    """A redemption as of now."""

    id: str
    member: str
    wallet: str
    points: Annotated[int, Meta(description="Held, or wanted when it was held.")]
    status: RedemptionStatus
    worth: Annotated[Money | None, Meta(description="What `points` pay at the till; null: this wallet pays nothing.")]
    held_at: When
    times_out_at: When | None
    ended_at: When | None
    captured: Annotated[CapturedPoints | None, Meta(description="What was spent of `points`; null unless captured.")]
    spent: Annotated[int, Meta(description="Captured points, less what returns gave back.")]
    lots: Annotated[tuple[LotPoints, ...], Meta(description="Where the points came from.")]
    reward: Annotated[str | None, Meta(description="Null: points as money.")]
    quantity: int
    cash: Annotated[Money | None, Meta(description="To be paid beside the points.")]
    fulfilment: Annotated[tuple[StepAnswer, ...], Meta(description="How far it has come, the present state last.")]
    given: Annotated[Given, Meta(description="The vouchers, tickets or money that the member got for it.")]


class RedemptionList(Struct, frozen=True):
    """A member's redemptions, the newest first."""

    items: tuple[RedemptionAnswer, ...]
    next_cursor: NextCursor


class RedemptionSaved(Struct, frozen=True):
    """The redemption, and what became of the activity that changed it."""

    redemption: RedemptionAnswer
    activity: ActivityAnswer
    given_back: Annotated[GivenBackAnswer | None, Meta(description="Null: no points went back.")] = None


@operation(
    "POST",
    "/v1/redemptions",
    tag="Redemptions",
    summary=Sentence("Redeem a reward, or hold points", "兑换奖品或冻结积分"),
    scopes=("redemptions:write",),
    status=201,
    codes=(
        "overloaded", "unknown_member", "unknown_wallet", "wallet_not_spendable", "insufficient_points",
        "frozen_by_debt", "below_minimum", "not_a_multiple", "duplicate_redemption", "member_sealed",
        "unknown_program_version", "unknown_reward", "reward_not_offered", "reward_not_for_member", "out_of_stock",
        "reward_limit_reached", "cause_complete", "value_missing", "value_not_asked", "payment_out_of_range",
        "cash_mismatch", "tier_not_higher", "draw_not_open", "excluded_from_draw", "voucher_expired",
    ),
)  # fmt: skip
async def hold_points(call: Call, body: NewRedemption) -> RedemptionSaved:
    """Takes the points out of their lots, and pieces out of stock, until they are captured, cancelled or timed out.

    What a reward says is given at once, is redeemed at once.

    The same redemption asked for again gets the same answer; another one under its id is a `duplicate_redemption`.
    """
    data = {"redemption": body.id, "hold": body.hold, "quantity": body.quantity}
    said = {
        "reward": body.reward, "wallet": body.wallet, "points": body.points,
        "value": None if body.value is None else await _amount(call, body.value, "/value"),
        "pay": None if body.pay is None else {
            "points": body.pay.points,
            "cash": None if body.pay.cash is None else await _amount(call, body.pay.cash, "/pay/cash"),
        },
    }  # fmt: skip
    data.update({name: value for name, value in said.items() if value is not None})
    try:
        recorded = await submit_own(call, body.member, "redemption", data, source=SOURCE, id=body.id)
    except ApiProblem as problem:
        if problem.code == "activity_conflict":
            raise ApiProblem.of(Refusal("duplicate_redemption", body.id)) from None
        raise
    return await _saved(call, body.id, body.member, recorded)


@operation(
    "POST",
    "/v1/redemptions/{redemption}/capture",
    tag="Redemptions",
    summary=Sentence("Spend what is held", "核销冻结的积分"),
    scopes=("redemptions:write",),
    codes=(
        "overloaded", "no_such_redemption", "redemption_not_held", "capture_exceeds_hold", "captured_whole",
        "voucher_withdrawn", "voucher_expired", "member_sealed",
    ),
)  # fmt: skip
async def capture_points(call: Call, redemption: str, body: Captured) -> RedemptionSaved:
    """Spends what is held, or part of it (not of a reward); the rest goes back to the lots it came from."""
    member = await _member_of(call, redemption)
    data: dict[str, str | int] = {"redemption": redemption}
    if body.points is not None:
        data["points"] = body.points
    recorded = await submit_own(call, member, "redemption_capture", data)
    return await _saved(call, redemption, member, recorded)


@operation(
    "POST",
    "/v1/redemptions/{redemption}/cancel",
    tag="Redemptions",
    summary=Sentence("Give back what is held", "退回冻结的积分"),
    scopes=("redemptions:write",),
    codes=(
        "overloaded", "no_such_redemption", "redemption_not_held", "state_not_next", "tickets_stand",
        "voucher_reserved", "voucher_redeemed", "voucher_expired", "voucher_revoked", "voucher_transferred",
        "member_sealed",
    ),
)  # fmt: skip
async def cancel_redemption(call: Call, redemption: str, body: Nothing) -> RedemptionSaved:  # noqa: ARG001 - it is empty, and must be
    """Gives the points back to the lots they came from, with their own expiry, and pieces to stock.

    What has left cannot be cancelled any more. Tickets of a draw become void, until the draw closes or one of them is
    played; vouchers are taken back, unless one of them was used, has expired or is somebody else's. `given_back` says
    what became of points that expired meanwhile.
    """
    member = await _member_of(call, redemption)
    recorded = await submit_own(call, member, "redemption_cancel", {"redemption": redemption})
    return await _saved(call, redemption, member, recorded)


@operation(
    "POST",
    "/v1/redemptions/{redemption}/fulfilment",
    tag="Redemptions",
    summary=Sentence("Say how far a reward has come", "更新履约状态"),
    scopes=("redemptions:write",),
    codes=(
        "overloaded", "no_such_redemption", "no_fulfilment", "redemption_not_held", "state_not_next", "member_sealed",
    ),
)  # fmt: skip
async def fulfil_redemption(call: Call, redemption: str, body: NextState) -> RedemptionSaved:
    """Packed, shipped, delivered, or returned or failed; the program says what each does to points and stock."""
    member = await _member_of(call, redemption)
    data = {"redemption": redemption, "state": body.state}
    said = {"carrier": body.carrier, "tracking": body.tracking, "reference": body.reference}
    data.update({name: value for name, value in said.items() if value is not None})
    recorded = await submit_own(call, member, "redemption_fulfilment", data)
    return await _saved(call, redemption, member, recorded)


@operation(
    "GET",
    "/v1/redemptions/{redemption}",
    tag="Redemptions",
    summary=Sentence("Read a redemption", "读取兑换"),
    scopes=("redemptions:write", "members:read"),
    codes=("no_such_redemption", "no_version_yet"),
)
async def read_redemption(call: Call, redemption: str) -> RedemptionAnswer:
    """A redemption as of now: one whose time is over is timed out, whether or not that was recorded yet."""
    return await _redemption(call, redemption, await _member_of(call, redemption))


@operation(
    "GET",
    "/v1/members/{member}/redemptions",
    tag="Redemptions",
    summary=Sentence("List a member's redemptions", "会员的兑换记录"),
    scopes=("redemptions:write", "members:read"),
    codes=("no_such_member", "no_version_yet"),
)
async def list_redemptions(call: Call, member: str, query: PageQuery) -> RedemptionList:
    """Everything that the member ever held or redeemed points for, as of now, the newest first."""
    found = await call.services.intake.look(call.program, member, "redemption/", "draw/")
    if found is None:
        raise ApiProblem("no_such_member")
    held = [
        (document.held_at, key.partition("/")[2], document)
        for key, document in found.documents.items()
        if isinstance(document, Redemption)
    ]
    page, next_cursor = newest_page(held, query)
    render = await _renderer(call)
    return RedemptionList(tuple([render(id, found, each) for id, each in page]), next_cursor)


async def _amount(call: Call, money: Money, pointer: str) -> str:
    """The amount of money in the program's currency; a problem for another one."""
    currency = (await call.services.present(call.program)).declared.currency
    if money.currency != currency:
        raise invalid(Problem(f"{pointer}/currency", "other_currency", f"the program's is {currency}"))
    return money.amount


async def _member_of(call: Call, id: str) -> str:
    if id.startswith(AUTOMATIC) and id.count(":") >= AUTOMATIC_PARTS:
        return id.removeprefix(AUTOMATIC).rsplit(":", 2)[0]
    hold = await reading.activity(call.services.database, call.program, SOURCE, id)
    if hold is None:
        raise ApiProblem("no_such_redemption")
    return hold.member


async def _saved(call: Call, id: str, member: str, recorded: Recorded) -> RedemptionSaved:
    """The redemption as the activity left it; one that was recorded before may have gone on since."""
    after = recorded.outcome.member_after
    document = None if after is None else after.documents.get(f"redemption/{id}")
    if after is not None and recorded.outcome.status == "accepted" and isinstance(document, Redemption):
        compiled = await call.services.present(call.program)
        lots = _rendered(document.parts, recorded)
        back = given_back(recorded.outcome.facts, id)
        shown = None if back is None else _given_back(back, compiled)
        render = await _renderer(call)
        return RedemptionSaved(render(id, after, document, lots), recorded.answer, shown)
    return RedemptionSaved(await _redemption(call, id, member), recorded.answer)


def _given_back(back: GivenBack, compiled: Compiled) -> GivenBackAnswer:
    until = None if back.graced_until is None else compiled.zone.format(back.graced_until)
    return GivenBackAnswer(
        points=back.points, restored=back.restored, graced=back.graced, graced_until=until, expired=back.expired
    )


def _rendered(parts: tuple[Part, ...], recorded: Recorded) -> tuple[LotPoints, ...] | None:
    """The lots as an entry of the activity shows them already: the whole of a member's, it may be."""
    shown = zip(recorded.outcome.entries, recorded.answer.entries, strict=True)
    return next((entry.lots for moved, entry in shown if moved.parts is parts), None)


async def _redemption(call: Call, id: str, member: str) -> RedemptionAnswer:
    key = f"redemption/{id}"
    found = await call.services.intake.look(call.program, member, key)
    document = None if found is None else found.documents.get(key)
    if found is None or not isinstance(document, Redemption):
        raise ApiProblem("no_such_redemption")
    render = await _renderer(call)
    draw = draw_of(await call.services.rendering.versions(call.program), document)
    if draw is not None:
        found = await call.services.intake.look(call.program, member, key, tickets_key(draw)) or found
    return render(id, found, document)


class _Render(Protocol):
    def __call__(
        self, id: str, member: Member, redemption: Redemption, lots: tuple[LotPoints, ...] | None = None
    ) -> RedemptionAnswer: ...


async def _renderer(call: Call) -> _Render:
    """Renders redemptions as of now."""
    now = await call.services.now(call.program)
    compiled = await call.services.compiled(call.program, now)
    versions = await call.services.rendering.versions(call.program)

    def render(
        id: str, member: Member, redemption: Redemption, lots: tuple[LotPoints, ...] | None = None
    ) -> RedemptionAnswer:
        what = given(versions, compiled, now, id, redemption, member.documents)
        return _answer(id, member.id, redemption, compiled, what, lots)

    return render


def _answer(
    id: str,
    member: str,
    redemption: Redemption,
    compiled: Compiled,
    what: Given,
    lots: tuple[LotPoints, ...] | None = None,
) -> RedemptionAnswer:
    format = compiled.zone.format
    captured = None
    if redemption.status == "captured":
        captured = CapturedPoints(redemption.spent, _pays(compiled, redemption.wallet, redemption.spent))
    return RedemptionAnswer(
        id=id,
        member=member,
        wallet=redemption.wallet,
        points=redemption.points,
        status=cast(RedemptionStatus, redemption.status),
        worth=None if redemption.reward is not None else _pays(compiled, redemption.wallet, redemption.points),
        held_at=format(redemption.held_at),
        times_out_at=None if redemption.times_out_at is None else format(redemption.times_out_at),
        ended_at=None if redemption.ended_at is None else format(redemption.ended_at),
        captured=captured,
        spent=redemption.spent - redemption.restored,
        lots=lot_points(redemption.parts, format) if lots is None else lots,
        reward=None if redemption.reward is None else _reward_id(compiled, redemption.reward),
        quantity=redemption.quantity,
        cash=_cash(compiled, redemption),
        fulfilment=tuple(
            StepAnswer(
                state=cast(FulfilmentState, step.state), at=format(step.at), carrier=step.carrier,
                tracking=step.tracking, reference=step.reference,
            )
            for step in redemption.steps
        ),
        given=what,
    )  # fmt: skip


def _reward_id(compiled: Compiled, key: str) -> str:
    """What the reward is called now; its first id where the program no longer has it."""
    known = compiled.catalogue.by_key.get(key)
    return key if known is None else known.id


def _cash(compiled: Compiled, redemption: Redemption) -> Money | None:
    if not redemption.cash:
        return None
    return money_of(redemption.cash, compiled.declared)


def _pays(compiled: Compiled, wallet_id: str, points: int) -> Money | None:
    """What points pay at the till, by the version in effect."""
    wallet = compiled.wallets.get(wallet_id)
    if wallet is None or wallet.money is None:
        return None
    return money_of(worth(wallet.money, points), compiled.declared)
