"""Where a member stands: balances with what expires when, and tiers with what is ahead.

Both are as of now: what fell due since the last activity is carried out on a copy, and nothing of it is recorded.
"""

from __future__ import annotations

from typing import Annotated, cast

from msgspec import Meta, Struct

from laurels.api.answer import When
from laurels.api.members import row_of
from laurels.api.operation import Call, operation
from laurels.api.problem import ApiProblem
from laurels.api.texts import Texts
from laurels.core.calendar import Instant, Zone
from laurels.core.compiled import Compiled
from laurels.core.explanation import Sentence
from laurels.core.member import Balance, Measures, Member, Page, Redemption, page_key
from laurels.core.money import format_minor, format_quantity
from laurels.core.program.model import Metric, Track
from laurels.core.tier import Outlook, outlook

Amount = Annotated[int | str, Meta(description="Points or a count; a decimal string where the track measures money.")]
Amounts = Annotated[
    int | str | tuple[int | str, ...],
    Meta(description="A number, or a decimal string for money; a list where the track joins several measures."),
]


class Expiring(Struct, frozen=True):
    """Points that expire together; `at` null: never."""

    at: When | None
    points: int


class WalletAnswer(Struct, frozen=True, kw_only=True):
    """A wallet as of now."""

    available: int
    pending: int
    held: int
    debt: int
    lifetime_earned: Annotated[int, Meta(description="Ever earned, less what returns took back.")]
    expiring: Annotated[tuple[Expiring, ...], Meta(description="By instant; sums to `available` + `held`.")]


class BalancesAnswer(Struct, frozen=True):
    """All wallets of the program and any other in which the member still has points."""

    wallets: dict[str, WalletAnswer]
    at: When


class NextTier(Struct, frozen=True):
    """The next tier, and what is missing to it."""

    tier: str
    missing: Amounts


class KeepTier(Struct, frozen=True):
    """What the present tier needs to be kept, and by when."""

    needed: Amounts
    missing: Amounts
    by: When | None


class TrackAnswer(Struct, frozen=True, kw_only=True):
    """A track as of now."""

    tier: str
    since: When
    until: Annotated[When | None, Meta(description="The tier holds at least until then; null: for good.")]
    value: Annotated[Amounts, Meta(description="What the track measures in its present window.")]
    next: NextTier | None
    keep: KeepTier | None
    projected: Annotated[str, Meta(description="The tier after the present one's time if nothing more happens.")]
    benefits: Annotated[dict[str, Texts], Meta(description="What the tier entitles to, by id.")]


class TiersAnswer(Struct, frozen=True):
    """Every track of the program."""

    tracks: dict[str, TrackAnswer]
    at: When


@operation(
    "GET",
    "/v1/members/{member}/balances",
    tag="Members",
    summary=Sentence("Read a member's balances", "读取会员余额"),
    scopes=("members:read",),
    codes=("no_such_member", "no_version_yet"),
)
async def read_balances(call: Call, member: str) -> BalancesAnswer:
    """Every wallet with what expires when; never-expiring points are listed with `at` null."""
    services = call.services
    prefixes = ["lots/", *[f"redemption/{id}" for id in (await row_of(call, member)).root.holds]]
    found = await _look(call, member, *prefixes)
    while lacking := [id for id in found.root.holds if f"redemption/{id}" not in found.documents]:
        # Held between the two readings.
        prefixes += [f"redemption/{id}" for id in lacking]
        found = await _look(call, member, *prefixes)
    now = max(await services.now(call.program), found.root.now)
    compiled = await services.compiled(call.program, now)
    wallets = {id: found.root.wallets.get(id) or Balance() for id in compiled.wallets}
    wallets.update(found.root.wallets)
    shown = {id: _wallet(found, id, balance, compiled.zone) for id, balance in wallets.items()}
    return BalancesAnswer(shown, compiled.zone.format(now))


@operation(
    "GET",
    "/v1/members/{member}/tiers",
    tag="Members",
    summary=Sentence("Read a member's tiers", "读取会员等级"),
    scopes=("members:read",),
    codes=("no_such_member", "no_version_yet"),
)
async def read_tiers(call: Call, member: str) -> TiersAnswer:
    """Every track: the tier, how long it holds, what is missing to the next one and to keep it."""
    await row_of(call, member)
    found = await _look(call, member, "measures/")
    now = max(await call.services.now(call.program), found.root.now)
    compiled = await call.services.compiled(call.program, now)
    return TiersAnswer(
        {track.id: _track(compiled, track, found, now) for track in compiled.program.tracks},
        compiled.zone.format(now),
    )


async def _look(call: Call, member: str, *prefixes: str) -> Member:
    found = await call.services.intake.look(call.program, member, *prefixes)
    if found is None:
        raise ApiProblem("no_such_member")
    return found


def _wallet(member: Member, id: str, balance: Balance, zone: Zone) -> WalletAnswer:
    points: dict[Instant | None, int] = {}

    def add(expires_at: Instant | None, number: int) -> None:
        if balance.expires_at is not None and (expires_at is None or expires_at > balance.expires_at):
            expires_at = balance.expires_at
        points[expires_at] = points.get(expires_at, 0) + number

    for head in balance.pages:
        for lot in cast(Page, member.documents[page_key(id, head.number)]):
            if lot.available_at is None:
                add(lot.expires_at, lot.points)
    for redemption in member.root.holds:
        held = cast(Redemption, member.documents[f"redemption/{redemption}"])
        if held.wallet == id:
            has_lapsed = balance.lapsed_at is not None and held.held_at < balance.lapsed_at
            for part in held.parts:
                add(balance.lapsed_at if has_lapsed else part.expires_at, part.points)
    dated = sorted(at for at in points if at is not None)
    expiring = [Expiring(zone.format(at), points[at]) for at in dated]
    if None in points:
        expiring.append(Expiring(None, points[None]))
    return WalletAnswer(
        available=balance.available,
        pending=balance.pending,
        held=balance.held,
        debt=balance.debt,
        lifetime_earned=balance.earned,
        expiring=tuple(expiring),
    )


def _track(compiled: Compiled, track: Track, member: Member, now: Instant) -> TrackAnswer:
    days = member.documents.get(f"measures/{track.id}")
    ahead = outlook(compiled, track, member.root, days if isinstance(days, Measures) else None, now)
    format = compiled.zone.format
    return TrackAnswer(
        tier=ahead.tier,
        since=format(ahead.since),
        until=None if ahead.until is None else format(ahead.until),
        value=_amounts(ahead.values, track, compiled),
        next=None if ahead.next_tier is None else NextTier(ahead.next_tier, _amounts(ahead.missing, track, compiled)),
        keep=_keep(ahead, track, compiled),
        projected=ahead.projected,
        benefits=compiled.tiers[track.id][ahead.tier].benefits,
    )


def _keep(ahead: Outlook, track: Track, compiled: Compiled) -> KeepTier | None:
    if not ahead.keep_needed:
        return None
    return KeepTier(
        _amounts(ahead.keep_needed, track, compiled),
        _amounts(ahead.keep_missing, track, compiled),
        None if ahead.keep_by is None else compiled.zone.format(ahead.keep_by),
    )


def _amounts(values: tuple[int, ...], track: Track, compiled: Compiled) -> int | str | tuple[int | str, ...]:
    shown = tuple([_amount(value, metric, compiled) for value, metric in zip(values, track.metrics, strict=True)])
    return shown[0] if len(shown) == 1 else shown


def _amount(value: int, metric: Metric, compiled: Compiled) -> int | str:
    if metric.kind == "spent":
        return format_minor(value, compiled.declared.places)
    return format_quantity(value) if metric.kind == "sum" else value
