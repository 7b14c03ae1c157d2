"""What became of an activity, as outsiders read it: outcomes and facts rendered to the contract's words.

Pure functions of values: the same rendering serves the HTTP answers, explanations read later, and anybody else who
shows outcomes. An entry's `points` are signed as the member sees it, negative where points leave what they can spend or
await; `out_of` and `into` say between which accounts, so that the journal sums exactly whatever one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from laurels.api.prices import Body, Prices, discounts_of, prices_of, tell_of_prices
from laurels.api.texts import Texts, sentences_of
from laurels.api.vouchers_back import grants_back
from laurels.core.calendar import Instant
from laurels.core.code import grouped
from laurels.core.compiled import Compiled
from laurels.core.facts import (
    AnyFact,
    Explained,
    Judged,
    Moved,
    Part,
    PrizeWon,
    TicketsGranted,
    TicketsVoided,
    TierSet,
    VoucherIssued,
)
from laurels.core.journal import entries as entries_of
from laurels.core.journal import leaves
from laurels.core.member import Balance, Member
from laurels.core.refusal import Refusal
from laurels.core.shape import Problem as Finding
from laurels.intake.submission import FollowUpOutcome, Outcome, Status

When = Annotated[str, Meta(description="RFC 3339, in the program's zone.", examples=["2026-03-01T10:00:00+08:00"])]
State = Literal[
    "pending",
    "available",
    "held",
    "redeemed",
    "expired",
    "returned",
    "owed",
    "repaid",
    "sent",
    "adjusted",
    "written_off",
]
Kind = Literal[
    "accrual", "activation", "redemption", "expiry", "adjustment", "reversal", "transfer", "debt", "write_off"
]


TICKETS_SHOWN: Final = 100
"""Numbers of tickets that an answer lists; there may be any number of them."""


class LinePoints(msgspec.Struct, frozen=True):
    """What one line of the order has to do with an entry."""

    line: str
    points: int


class LotPoints(msgspec.Struct, frozen=True):
    """Points of a lot that were consumed, or went back to it."""

    lot: str
    points: int
    earned_at: When
    expires_at: When | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of points in the member's journal."""

    id: Annotated[
        str | None,
        Meta(description="`{activity's number}.{place}`, unique for the member; null in a quote.", examples=["12.0"]),
    ]
    wallet: str
    kind: Kind
    points: Annotated[int, Meta(description="Negative where they leave what the member can spend or await.")]
    state: Annotated[State, Meta(description="What the points were after this entry.")]
    at: When
    available_at: When | None = None
    expires_at: When | None = None
    campaign: Annotated[str | None, Meta(description="The campaign; of a tier's bonus, the one it multiplies.")] = None
    rule: Annotated[str | None, Meta(description="`track.tier` of a tier's bonus.", examples=["membership.silver"])] = (
        None
    )
    version: Annotated[int, Meta(description="The program version it was judged by.")]
    line: Annotated[str | None, Meta(description="The line, where it lies on one line alone.")] = None
    lines: Annotated[tuple[LinePoints, ...], Meta(description="Its lines; none for the order as a whole.")] = ()
    order: str | None = None
    redemption: str | None = None
    lot: str | None = None
    lots: Annotated[tuple[LotPoints, ...], Meta(description="The lots it consumed or gave back to.")] = ()
    out_of: Annotated[str, Meta(description="The account debited.")]
    into: Annotated[str, Meta(description="The account credited.")]
    reason: str | None = None


class WalletBalance(msgspec.Struct, frozen=True):
    """A wallet's balances. `available` is never negative; what is owed is `debt`."""

    available: int
    pending: int
    held: int
    debt: int


class TierNow(msgspec.Struct, frozen=True):
    """Where the member stands on a track, and whether this activity changed it."""

    tier: str
    changed: bool


class RefusalAnswer(msgspec.Struct, frozen=True):
    """A business no: its code, the English sentence with the particulars, and the sentence by language without them."""

    code: str
    message: str
    text: Texts


class FollowUp(msgspec.Struct, frozen=True):
    """What became of the activity that this one sent to another member; null: it will be tried again."""

    member: str
    status: Status | None
    refusal: RefusalAnswer | None
    compensated: Annotated[bool, Meta(description="Refused there, and the points are back with the sender.")]


class CampaignOutcome(msgspec.Struct, frozen=True):
    """What became of one campaign, and why."""

    campaign: str
    applied: Annotated[bool, Meta(description="Whether it granted anything or, on a return, took anything back.")]
    code: Annotated[str, Meta(description="Why; each code has its sentence in docs/explanations.md.")]
    wanted: Annotated[int, Meta(description="What it would have been without limits.")]
    granted: int
    wallet: str | None
    rule: Annotated[str | None, Meta(description="`track.tier` of a tier's bonus.")]
    limited_by: Annotated[str | None, Meta(description="The limit that narrowed it.", examples=["day_points"])]


class ActivityAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one activity."""

    source: str
    id: Annotated[str | None, Meta(description="Null where what was sent has no readable id.")]
    status: Status
    member: Annotated[str | None, Meta(description="The member's id, also where an identifier was sent.")] = None
    refusal: RefusalAnswer | None = None
    errors: Annotated[tuple[Finding, ...], Meta(description="What is malformed, by JSON pointer.")] = ()
    recorded_at: When | None = None
    entries: tuple[Entry, ...] = ()
    balances: Annotated[dict[str, WalletBalance], Meta(description="By wallet, as of `balances_at`.")] = {}
    balances_at: Annotated[When | None, Meta(description="A replay's are the present ones.")] = None
    tiers: Annotated[dict[str, TierNow], Meta(description="By track.")] = {}
    follow_ups: tuple[FollowUp, ...] = ()
    grants: Annotated[tuple[dict[str, Any], ...], Meta(description="What was granted other than points.")] = ()
    explanation: tuple[CampaignOutcome, ...] = ()
    prices: Annotated[
        Prices | None,
        Meta(description="Of a quote always; of an order null where no promotion, voucher or quote is concerned."),
    ] = None


_STATES: Final[dict[str, State]] = {
    "pending": "pending",
    "available": "available",
    "held": "held",
    "debt": "repaid",
    "redemption": "redeemed",
    "breakage": "expired",
    "issuance": "returned",
    "in_transit": "sent",
    "adjustment": "adjusted",
    "write_off": "written_off",
}
_LEAVING: Final[dict[str, State]] = {"debt": "owed", "write_off": "written_off"}
_CHANGING: Final = frozenset(("earned", "restored", "fell", "fell_back", "mapped"))

Format = Callable[[Instant], str]


def answer(outcome: Outcome, compiled: Compiled | None, now: Instant, data: Body | None = None) -> ActivityAnswer:
    """The contract's answer to one activity. `compiled` is the version in effect, `now` the instant of a replay.

    `data` are those that were sent, which say the prices of an order of which nothing was taken off.
    """
    refusal = None if outcome.refusal is None else refusal_answer(outcome.refusal)
    after = outcome.member_after
    if compiled is None or after is None or outcome.seq is None or outcome.recorded_at is None:
        return ActivityAnswer(
            source=outcome.source,
            id=outcome.id,
            status=outcome.status,
            member=outcome.member or None,
            refusal=refusal,
            errors=outcome.problems,
        )
    format = compiled.zone.format
    facts = outcome.facts
    is_priced = tell_of_prices(facts)
    return ActivityAnswer(
        source=outcome.source,
        id=outcome.id,
        status=outcome.status,
        member=outcome.member,
        refusal=refusal,
        recorded_at=format(outcome.recorded_at),
        entries=rendered(outcome.entries, outcome.seq, format),
        balances=balances(compiled, after),
        balances_at=format(now if outcome.status == "replayed" else outcome.recorded_at),
        tiers=tiers(compiled, after, facts),
        follow_ups=tuple([follow_up(each) for each in outcome.follow_ups]),
        grants=(
            *(discounts_of(facts, compiled) if is_priced else ()),
            *grants(facts, compiled),
            *grants_back(facts, compiled),
            *drawn_grants(facts),
        ),
        explanation=explanation(facts),
        prices=prices_of(facts, compiled, data) if is_priced else None,
    )


def grants(facts: tuple[AnyFact, ...], compiled: Compiled) -> tuple[dict[str, Any], ...]:
    """What an activity gave besides points: vouchers with their codes."""
    return tuple(
        [
            {
                "kind": "voucher",
                "voucher": compiled.vouchers[fact.voucher].voucher.id if fact.voucher in compiled.vouchers else None,
                "code": grouped(fact.code),
                "expires_at": None if fact.expires_at is None else compiled.zone.format(fact.expires_at),
                "campaign": fact.campaign,
                "reason": fact.reason,
            }
            for fact in facts
            if isinstance(fact, VoucherIssued) and not fact.shared
        ]
    )


def void_count(fact: TicketsVoided) -> int:
    """How many tickets became void."""
    return sum([span.count for span in fact.spans])


def drawn_grants(facts: tuple[AnyFact, ...]) -> tuple[dict[str, Any], ...]:
    """Tickets and prizes among what an activity brought about; tickets that became void are counted below zero."""
    found: list[dict[str, Any]] = []
    for fact in facts:
        if isinstance(fact, TicketsGranted):
            tickets = [*range(fact.first, fact.first + min(fact.count, TICKETS_SHOWN))]
            found.append({"kind": "draw_ticket", "draw": fact.draw, "count": fact.count, "tickets": tickets})
        elif isinstance(fact, TicketsVoided):
            found.append({"kind": "draw_ticket", "draw": fact.draw, "count": -void_count(fact)})
        elif isinstance(fact, PrizeWon):
            found.append({"kind": "prize", "draw": fact.draw, "prize": fact.prize, "place": fact.place})
    return tuple(found)


def quoted(answered: ActivityAnswer) -> ActivityAnswer:
    """The same for a quote: what was not recorded has no ids."""
    return msgspec.structs.replace(
        answered,
        entries=tuple([msgspec.structs.replace(entry, id=None, lot=None) for entry in answered.entries]),
        grants=tuple([{**grant, "code": None} if grant["kind"] == "voucher" else grant for grant in answered.grants]),
    )


def refusal_answer(refusal: Refusal) -> RefusalAnswer:
    """A refusal's code with its sentences."""
    return RefusalAnswer(refusal.code, refusal.message, sentences_of(refusal.code))


def follow_up(outcome: FollowUpOutcome) -> FollowUp:
    """What became of an activity that was sent to another member."""
    refusal = None if outcome.refusal is None else refusal_answer(outcome.refusal)
    return FollowUp(outcome.member, outcome.status, refusal, outcome.compensated)


def entries(facts: tuple[AnyFact, ...], seq: int, format: Format) -> tuple[Entry, ...]:
    """The journal entries of an activity that was the member's number `seq`."""
    return rendered(entries_of(facts), seq, format)


def rendered(moves: Sequence[Moved], seq: int, format: Format) -> tuple[Entry, ...]:
    """Journal entries of the member's activity number `seq`."""
    found: list[Entry] = []
    known: tuple[Part, ...] = ()
    lots: tuple[LotPoints, ...] = ()
    for n, moved in enumerate(moves):
        # What is held and captured at once comes from the same lots twice.
        if moved.parts is not known:
            known, lots = moved.parts, lot_points(moved.parts, format)
        found.append(entry(moved, f"{seq}.{n}", format, lots))
    return tuple(found)


def entry(moved: Moved, id: str, format: Format, lots: tuple[LotPoints, ...] | None = None) -> Entry:
    """One journal entry; `lots` are its lots where they were rendered before."""
    lines = moved.lines
    return Entry(
        id=id,
        wallet=moved.wallet,
        kind=moved.kind,
        points=-moved.points if leaves(moved.out_of, moved.into) else moved.points,
        state=_LEAVING.get(moved.out_of) or _STATES[moved.into],
        at=format(moved.at),
        available_at=None if moved.available_at is None else format(moved.available_at),
        expires_at=None if moved.expires_at is None else format(moved.expires_at),
        campaign=moved.campaign,
        rule=moved.rule,
        version=moved.version,
        line=lines[0].line if len(lines) == 1 else None,
        lines=tuple([LinePoints(share.line, share.points) for share in lines]) if lines else (),
        order=moved.order,
        redemption=moved.redemption,
        lot=moved.lot,
        lots=lot_points(moved.parts, format) if lots is None else lots,
        out_of=moved.out_of,
        into=moved.into,
        reason=moved.reason,
    )


def lot_points(parts: tuple[Part, ...], format: Format) -> tuple[LotPoints, ...]:
    """Parts of lots."""
    found: list[LotPoints] = []
    # Neighbours expire together, as a rule.
    expiry: Instant | None = None
    expires_at: str | None = None
    for part in parts:
        if part.expires_at != expiry:
            expiry = part.expires_at
            expires_at = None if expiry is None else format(expiry)
        found.append(LotPoints(part.lot, part.points, format(part.earned_at), expires_at))
    return tuple(found)


def balances(compiled: Compiled, member: Member) -> dict[str, WalletBalance]:
    """The balances of every wallet that the program has or the member still holds, in the program's order."""
    held = member.root.wallets
    found = {wallet: _balance(held.get(wallet)) for wallet in compiled.wallets}
    for wallet, balance in held.items():
        if wallet not in found:
            found[wallet] = _balance(balance)
    return found


_EMPTY: Final = WalletBalance(0, 0, 0, 0)


def _balance(balance: Balance | None) -> WalletBalance:
    if balance is None:
        return _EMPTY
    return WalletBalance(balance.available, balance.pending, balance.held, balance.debt)


def tiers(compiled: Compiled, member: Member, facts: tuple[AnyFact, ...]) -> dict[str, TierNow]:
    """Where the member stands on every track of the program, and what the facts changed of it."""
    changed = {fact.track: fact.at for fact in facts if type(fact) is TierSet and fact.reason in _CHANGING}
    found: dict[str, TierNow] = {}
    for track, first in compiled.first_tiers.items():
        standing = member.root.tracks.get(track)
        if standing is None:
            found[track] = TierNow(first, False)
            continue
        # Falling back may leave the tier and only end it sooner: then the member has stood there since before.
        found[track] = TierNow(standing.tier, track in changed and standing.since >= changed[track])
    return found


def explanation(facts: tuple[AnyFact, ...]) -> tuple[CampaignOutcome, ...]:
    """Every campaign that could have applied, in the order judged; tiers' bonuses last."""
    return tuple([campaign_outcome(judged) for fact in facts if type(fact) is Explained for judged in fact.campaigns])


def campaign_outcome(judged: Judged) -> CampaignOutcome:
    """What became of one campaign."""
    by = judged.by
    is_tier = by is not None and "." in by
    return CampaignOutcome(
        judged.campaign,
        judged.granted > 0,
        judged.code,
        judged.wanted,
        judged.granted,
        judged.wallet,
        by if is_tier else None,
        None if is_tier else by,
    )
