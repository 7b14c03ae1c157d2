"""Redemptions: points are held, then captured (also in part), cancelled or timed out.

A redemption's id is the caller's and unique for the program. The hold is recorded under a source of its own and that
id, which makes it findable without its member and safe to ask for again.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, cast

from msgspec import Meta, Struct

from laurels.api.answer import ActivityAnswer, LotPoints, When, lot_points
from laurels.api.operation import Call, operation
from laurels.api.own import Recorded, submit_own
from laurels.api.problem import ApiProblem
from laurels.core.compiled import Compiled
from laurels.core.explanation import Sentence
from laurels.core.facts import Part
from laurels.core.member import Redemption
from laurels.core.money import format_minor
from laurels.core.purchase import worth
from laurels.core.refusal import Refusal
from laurels.core.wire import Id, Word
from laurels.store import reading

SOURCE: Final = "laurels.redemptions"
"""The source of holds; no key may have it."""

RedemptionStatus = Literal["held", "captured", "cancelled", "timed_out"]
Points = Annotated[int, Meta(ge=1, le=10**12)]


class NewRedemption(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Points that a member wants to spend as money at the till."""

    id: Annotated[str, Meta(min_length=1, max_length=200, description="Yours; a points tender names it.")]
    member: Id
    wallet: Word
    points: Points
    hold: Annotated[bool, Meta(description="False redeems at once.")] = True


class Captured(Struct, frozen=True, forbid_unknown_fields=True):
    """How much of what is held is spent."""

    points: Annotated[Points | None, Meta(description="All of it by default; the rest goes back to its lots.")] = None


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """An empty object."""


class Money(Struct, frozen=True):
    """An amount of money."""

    amount: Annotated[str, Meta(description="Decimal.", examples=["3.00"])]
    currency: Annotated[str, Meta(description="ISO 4217.", examples=["CNY"])]


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


class RedemptionSaved(Struct, frozen=True):
    """The redemption, and what became of the activity that changed it."""

    redemption: RedemptionAnswer
    activity: ActivityAnswer


@operation(
    "POST",
    "/v1/redemptions",
    tag="Redemptions",
    summary=Sentence("Hold points", "冻结积分"),
    scopes=("redemptions:write",),
    status=201,
    codes=(
        "overloaded", "unknown_member", "unknown_wallet", "wallet_not_spendable", "insufficient_points",
        "frozen_by_debt", "below_minimum", "not_a_multiple", "duplicate_redemption", "member_sealed",
        "unknown_program_version",
    ),
)  # fmt: skip
async def hold_points(call: Call, body: NewRedemption) -> RedemptionSaved:
    """Takes the points out of their lots and sets them aside until they are captured, cancelled or timed out.

    The same redemption asked for again gets the same answer; another one under its id is a `duplicate_redemption`.
    """
    data = {"redemption": body.id, "wallet": body.wallet, "points": body.points, "hold": body.hold}
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
    codes=("overloaded", "no_such_redemption", "redemption_not_held", "capture_exceeds_hold", "member_sealed"),
)
async def capture_points(call: Call, redemption: str, body: Captured) -> RedemptionSaved:
    """Spends what is held, or part of it; the rest goes back to the lots it came from."""
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
    codes=("overloaded", "no_such_redemption", "redemption_not_held", "member_sealed"),
)
async def cancel_redemption(call: Call, redemption: str, body: Nothing) -> RedemptionSaved:  # noqa: ARG001 - it is empty, and must be
    """Gives the points back to the lots they came from, with their own expiry."""
    member = await _member_of(call, redemption)
    recorded = await submit_own(call, member, "redemption_cancel", {"redemption": redemption})
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


async def _member_of(call: Call, id: str) -> str:
    hold = await reading.activity(call.services.database, call.program, SOURCE, id)
    if hold is None:
        raise ApiProblem("no_such_redemption")
    return hold.member


async def _saved(call: Call, id: str, member: str, recorded: Recorded) -> RedemptionSaved:
    """The redemption as the activity left it; one that was recorded before may have gone on since."""
    after = recorded.outcome.member_after
    document = None if after is None else after.documents.get(f"redemption/{id}")
    if recorded.outcome.status == "accepted" and isinstance(document, Redemption):
        compiled = await call.services.compiled(call.program, await call.services.now(call.program))
        lots = _rendered(document.parts, recorded)
        return RedemptionSaved(_answer(id, member, document, compiled, lots), recorded.answer)
    return RedemptionSaved(await _redemption(call, id, member), recorded.answer)


def _rendered(parts: tuple[Part, ...], recorded: Recorded) -> tuple[LotPoints, ...] | None:
    """The lots as an entry of the activity shows them already: the whole of a member's, it may be."""
    shown = zip(recorded.outcome.entries, recorded.answer.entries, strict=True)
    return next((entry.lots for moved, entry in shown if moved.parts is parts), None)


async def _redemption(call: Call, id: str, member: str) -> RedemptionAnswer:
    key = f"redemption/{id}"
    found = await call.services.intake.look(call.program, member, key)
    document = None if found is None else found.documents.get(key)
    if not isinstance(document, Redemption):
        raise ApiProblem("no_such_redemption")
    compiled = await call.services.compiled(call.program, await call.services.now(call.program))
    return _answer(id, member, document, compiled)


def _answer(
    id: str, member: str, redemption: Redemption, compiled: Compiled, lots: tuple[LotPoints, ...] | None = None
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
        worth=_pays(compiled, redemption.wallet, redemption.points),
        held_at=format(redemption.held_at),
        times_out_at=None if redemption.times_out_at is None else format(redemption.times_out_at),
        ended_at=None if redemption.ended_at is None else format(redemption.ended_at),
        captured=captured,
        spent=redemption.spent - redemption.restored,
        lots=lot_points(redemption.parts, format) if lots is None else lots,
    )


def _pays(compiled: Compiled, wallet_id: str, points: int) -> Money | None:
    """What points pay at the till, by the version in effect."""
    wallet = compiled.wallets.get(wallet_id)
    if wallet is None or wallet.money is None:
        return None
    return Money(format_minor(worth(wallet.money, points), compiled.declared.places), compiled.declared.currency)
