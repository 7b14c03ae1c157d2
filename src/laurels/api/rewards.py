"""Rewards: the catalogue, what of it a member can have now and what is missing otherwise, and stock put right.

What a member is told comes of the same functions that decide a redemption; the message of an obstacle is that of the
refusal that a redemption would get.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from laurels.api.answer import When
from laurels.api.money import Money, money_of
from laurels.api.operation import Call, operation
from laurels.api.paging import NextCursor, PageQuery, page_of, place_of
from laurels.api.problem import ApiProblem, invalid
from laurels.api.texts import Texts, sentences_of
from laurels.core.apply import Draft, uses_key
from laurels.core.calendar import Instant
from laurels.core.case import Case, Outside
from laurels.core.catalogue import CompiledReward, pool_of_year
from laurels.core.compiled import Compiled
from laurels.core.explanation import Sentence
from laurels.core.member import Member, tickets_key
from laurels.core.program import rewards_notation
from laurels.core.program.rewards_model import Reward, Tickets
from laurels.core.refusal import Refusal
from laurels.core.reward import bill, is_visible, obstacles
from laurels.core.shape import Problem
from laurels.ids import new_id
from laurels.store import stock
from laurels.store.draws import numbers_in
from laurels.store.stock import used_of

T = TypeVar("T")


class Stock(Struct, frozen=True):
    """How many pieces there are, and how many are left."""

    pieces: int
    left: Annotated[int, Meta(description="Less than nothing after a correction below what is held.")]


class RewardAnswer(Struct, frozen=True, kw_only=True):
    """A reward of the catalogue."""

    id: str
    kind: str
    name: Texts
    about: Texts
    picture: str | None
    gives: Annotated[str, Meta(description="In the words of the program document.")]
    prices: Annotated[tuple[str, ...], Meta(description="Likewise; the first whose condition holds is taken.")]
    value: Annotated[Money | None, Meta(description="What a piece is worth, where the program says it.")]
    stock: Annotated[Stock | None, Meta(description="Null: there is no end of it.")]
    automatic: Annotated[int | None, Meta(description="Points from which on it is redeemed by itself, if chosen.")]


class RewardsAnswer(Struct, frozen=True):
    """A page of the catalogue, in the order of the program document."""

    items: tuple[RewardAnswer, ...]
    next_cursor: NextCursor


class CauseAnswer(Struct, frozen=True, kw_only=True):
    """A cause with what it was credited with this year."""

    id: str
    name: Texts
    about: Texts
    picture: str | None
    year: int
    points: int
    most: Annotated[int | None, Meta(description="The total for the year; null: there is no end.")]


class CausesAnswer(Struct, frozen=True):
    """A page of the causes, in the order of the program document."""

    items: tuple[CauseAnswer, ...]
    next_cursor: NextCursor


class PriceAnswer(Struct, frozen=True, kw_only=True):
    """What a piece costs the member now."""

    wallet: str
    points: int
    least: Annotated[int, Meta(description="Of these, so many must be paid with points ...")]
    most: Annotated[int, Meta(description="... and so many may be.")]
    cash: Annotated[Money | None, Meta(description="Paid in addition to `most` points.")]
    cash_at_least_points: Annotated[Money | None, Meta(description="Paid in addition to `least` points.")]


class Obstacle(Struct, frozen=True):
    """Something that is missing; the code is that of the refusal."""

    code: str
    message: Texts
    detail: str


class RewardForMember(RewardAnswer, frozen=True, kw_only=True):
    """A reward as a member can have it now."""

    price: Annotated[PriceAnswer | None, Meta(description="Null where it depends on a value, or there is none.")]
    within_reach: bool
    missing: tuple[Obstacle, ...]
    missing_points: Annotated[int, Meta(description="How many points more it takes.")]
    chosen: Annotated[bool, Meta(description="Whether it is redeemed by itself for this member.")]


class MemberRewardsAnswer(Struct, frozen=True):
    """A page of the rewards that the member sees, in the order of the program document."""

    items: tuple[RewardForMember, ...]
    next_cursor: NextCursor
    at: When


class StockCorrection(Struct, frozen=True, forbid_unknown_fields=True):
    """Pieces that a count found to be more, or fewer."""

    by: Annotated[int, Meta(ge=-(10**9), le=10**9, description="More pieces, or fewer (negative).")]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class StockCorrected(Struct, frozen=True):
    """The stock since the correction."""

    reward: str
    number: Annotated[int, Meta(description="Counts the corrections of this reward.")]
    stock: Stock


@operation(
    "GET",
    "/v1/rewards",
    tag="Rewards",
    summary=Sentence("List the catalogue", "列出奖品目录"),
    scopes=("program:read", "members:read", "redemptions:write"),
    codes=("no_version_yet",),
)
async def list_rewards(call: Call, query: PageQuery) -> RewardsAnswer:
    """Every reward of the version in effect, with what is left of it."""
    compiled, _now = await _present(call)
    page, cursor = _page(_after(compiled.catalogue.rewards.values(), query), query)
    used = await _used(call, page)
    return RewardsAnswer(tuple([_answer(compiled, each, used) for each in page]), cursor)


@operation(
    "GET",
    "/v1/causes",
    tag="Rewards",
    summary=Sentence("List causes", "列出公益项目"),
    scopes=("program:read", "members:read", "redemptions:write"),
    codes=("no_version_yet",),
)
async def list_causes(call: Call, query: PageQuery) -> CausesAnswer:
    """What points can be donated to, with the points of the present calendar year."""
    compiled, now = await _present(call)
    zone = compiled.zone
    causes, cursor = _page(_after(compiled.catalogue.causes.values(), query), query)
    pools = {cause.id: pool_of_year(key, zone, now) for cause, key in causes}
    used = await used_of(call.services.database, call.program, sorted(pools.values()))
    year = zone.local(now).year
    return CausesAnswer(
        tuple(
            CauseAnswer(
                id=cause.id, name=cause.name, about=cause.about, picture=cause.picture, year=year,
                points=used.get(pools[cause.id], 0), most=cause.yearly,
            )
            for cause, _ in causes
        ),
        cursor,
    )  # fmt: skip


@operation(
    "GET",
    "/v1/members/{member}/rewards",
    tag="Rewards",
    summary=Sentence("List what a member can have", "列出会员可兑换的奖品"),
    scopes=("members:read", "redemptions:write"),
    codes=("no_such_member", "no_version_yet"),
)
async def list_member_rewards(call: Call, member: str, query: PageQuery) -> MemberRewardsAnswer:
    """The rewards that the member sees: what each costs them, whether it is within reach, and what is missing."""
    found = await call.services.intake.look(call.program, member, "measures/reward/", "draw/")
    if found is None:
        raise ApiProblem("no_such_member")
    compiled, now = await _present(call)
    now = max(now, found.root.now)
    places = [*_after(compiled.catalogue.rewards.values(), query)]
    rewards = [each for _, each in places]
    pools = sorted({pool for each in rewards for pool in each.pools(compiled.zone, now)})
    used = await used_of(call.services.database, call.program, pools)
    # What is not there was looked up: the limits of which nothing was used yet.
    limits = {uses_key(key): None for each in rewards for _, key in each.limits}
    draws = sorted({each.reward.gives.draw for each in rewards if isinstance(each.reward.gives, Tickets)})
    known = Member(found.id, {**limits, **{tickets_key(draw): None for draw in draws}, **found.documents})
    versions = await call.services.rendering.versions(call.program)
    case = Case(versions, Draft(known), now, used)
    if draws:
        case.outside = Outside(keys=await numbers_in(call.services.database, call.program, draws, member))
    page, cursor = _page((place for place in places if is_visible(case, compiled, place[1])), query)
    shown = [_for_member(case, compiled, each, used) for each in page]
    return MemberRewardsAnswer(tuple(shown), cursor, compiled.zone.format(now))


class CorrectionAnswer(Struct, frozen=True, kw_only=True):
    """A correction of stock: by how many pieces, who made it, when and why."""

    number: int
    by: int
    reason: str
    source: Annotated[str, Meta(description="The source of the key with which it was made.")]
    corrected_at: When


class CorrectionsAnswer(Struct, frozen=True):
    """Corrections of a reward's stock, the newest first."""

    items: tuple[CorrectionAnswer, ...]
    next_cursor: NextCursor


@operation(
    "GET",
    "/v1/rewards/{reward}/stock",
    tag="Rewards",
    summary=Sentence("List corrections of stock", "库存更正记录"),
    scopes=("adjustments:write", "program:read"),
    codes=("unknown_reward", "stock_not_counted", "no_version_yet"),
)
async def list_corrections(call: Call, reward: str, query: PageQuery) -> CorrectionsAnswer:
    """Who put the reward's stock right, when, by how many pieces and why; `number` counts them."""
    compiled, _now = await _present(call)
    pool, _pieces = _counted(compiled, reward)
    before = place_of(query.cursor, int)
    found = await stock.corrections(call.services.database, call.program, pool, before, query.limit + 1)
    page, cursor = page_of(found, query.limit, lambda each: each.number)
    return CorrectionsAnswer(
        tuple(
            [
                CorrectionAnswer(
                    number=each.number,
                    by=-each.by,
                    reason=each.reason,
                    source=each.source,
                    corrected_at=compiled.zone.format(each.corrected_at),
                )
                for each in page
            ]
        ),
        cursor,
    )


def _counted(compiled: Compiled, reward: str) -> tuple[str, int]:
    """The pool of a reward's stock, and how many pieces the program says there are; a problem if none is counted."""
    each = compiled.catalogue.rewards.get(reward)
    if each is None:
        raise ApiProblem.of(Refusal("unknown_reward", reward))
    if each.stock_pool is None or each.reward.stock is None:
        raise ApiProblem.of(Refusal("stock_not_counted", reward))
    return each.stock_pool, each.reward.stock


@operation(
    "POST",
    "/v1/rewards/{reward}/stock",
    tag="Rewards",
    summary=Sentence("Put stock right", "更正库存"),
    scopes=("adjustments:write",),
    codes=("unknown_reward", "stock_not_counted", "no_version_yet"),
)
async def correct_stock(call: Call, reward: str, body: StockCorrection) -> StockCorrected:
    """Records that there are more pieces than thought, or fewer.

    Stock may be corrected below what is held: then nothing more is given, and what is held stays held.
    """
    compiled, now = await _present(call)
    pool, pieces = _counted(compiled, reward)
    if body.by == 0:
        raise invalid(Problem("/by", "zero_pieces", "a correction by nothing corrects nothing"))
    services, source = call.services, call.caller.source
    id = call.idempotency_key or new_id(services.clock.now())
    done = await stock.correct(services.database, call.program, pool, id, -body.by, body.reason, source, now)
    if isinstance(done, Refusal):
        raise ApiProblem.of(done)
    return StockCorrected(reward, done.number, Stock(pieces, pieces - done.used))


async def _present(call: Call) -> tuple[Compiled, Instant]:
    now = await call.services.now(call.program)
    return await call.services.compiled(call.program, now), now


def _after(found: Iterable[T], query: PageQuery) -> Iterator[tuple[int, T]]:
    """What comes after the cursor, each with its place in the program document."""
    return islice(enumerate(found, 1), max(place_of(query.cursor, int) or 0, 0), None)


def _page(found: Iterator[tuple[int, T]], query: PageQuery) -> tuple[list[T], str | None]:
    """The first of these that fit on a page, and the cursor of the next one."""
    page, cursor = page_of([*islice(found, query.limit + 1)], query.limit, lambda place: place[0])
    return [each for _, each in page], cursor


async def _used(call: Call, rewards: list[CompiledReward]) -> dict[str, int]:
    pools = sorted({each.stock_pool for each in rewards if each.stock_pool is not None})
    return await used_of(call.services.database, call.program, pools)


def _answer(compiled: Compiled, each: CompiledReward, used: dict[str, int]) -> RewardAnswer:
    reward, currency = each.reward, compiled.program.currency
    value = reward.value if isinstance(reward.value, int) else None
    return RewardAnswer(
        id=each.id,
        kind=reward.kind,
        name=reward.name,
        about=reward.about,
        picture=reward.picture,
        gives=rewards_notation.gives(reward.gives, rewards_notation.worths(compiled.program.wallets), currency),
        prices=tuple(rewards_notation.price(price, currency) for price in reward.prices),
        value=None if value is None else money_of(value, compiled.declared),
        stock=_stock(each, reward, used),
        automatic=reward.automatic,
    )


def _stock(each: CompiledReward, reward: Reward, used: dict[str, int]) -> Stock | None:
    if each.stock_pool is None or reward.stock is None:
        return None
    return Stock(reward.stock, reward.stock - used.get(each.stock_pool, 0))


def _for_member(case: Case, compiled: Compiled, each: CompiledReward, used: dict[str, int]) -> RewardForMember:
    billed = bill(case, compiled, each)
    # A mixed price is within reach from the least points on.
    cheapest = billed if isinstance(billed, Refusal) else bill(case, compiled, each, points=billed.least)
    missing = obstacles(case, compiled, each, 1, cheapest)
    price, lacking = None, 0
    if not isinstance(billed, Refusal) and not isinstance(cheapest, Refusal):
        price = PriceAnswer(
            wallet=billed.wallet,
            points=billed.price,
            least=billed.least,
            most=billed.most,
            cash=money_of(billed.cash, compiled.declared) if each.reward.mix else None,
            cash_at_least_points=money_of(cheapest.cash, compiled.declared) if each.reward.mix else None,
        )
        lacking = max(cheapest.points - case.draft.balance(cheapest.wallet).available, 0)
    return RewardForMember(
        **msgspec.structs.asdict(_answer(compiled, each, used)),
        price=price,
        within_reach=not missing,
        missing=tuple([_obstacle(refusal) for refusal in missing]),
        missing_points=lacking,
        chosen=each.key in case.root.automatic,
    )


def _obstacle(refusal: Refusal) -> Obstacle:
    return Obstacle(refusal.code, sentences_of(refusal.code), refusal.detail)
