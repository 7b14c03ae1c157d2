"""The closed vocabulary of what can come to be true about a member.

`decide` returns facts, `apply` folds them into state, and they are stored with the activity for ever, so each carries
all that the fold needs and nothing that a rule would have to work out again. Instants are microseconds since 1970 UTC,
money is minor units, quantities are millionths, points are integers. A fact's tag is its name in the stored JSON.

Balances move by journal entries (`journal.entries`), lots by the facts about lots; that the two agree is law 3.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from laurels.core.calendar import Instant
from laurels.core.fact import (
    Fact,
    Grant,
    Judged,
    LineShare,
    Part,
    Scalar,
)
from laurels.core.facts_draws import (
    DrawMoved,
    PrizeEnded,
    PrizeWon,
    Span,
    TicketPlayed,
    TicketsEntered,
    TicketsGranted,
    TicketsVoided,
)
from laurels.core.facts_offers import (
    Bought,
    Contest,
    Deviation,
    DiscountsBack,
    LineOff,
    Offered,
    Priced,
    PromisedGift,
    QuoteEnded,
    QuoteReserved,
    SentVoucher,
    VoucherEnded,
    VoucherGivenBack,
    VoucherIssued,
    VoucherRedeemed,
    VoucherReleased,
    VoucherReserved,
)

# Every fact is imported from here, whichever file describes it.
__all__ = [
    "MEMBER_ACCOUNTS", "SYSTEM_ACCOUNTS", "Accrued", "AnyFact", "AttributesSet", "AutomaticChosen", "Beneath",
    "Bought", "Contest", "CooldownEnded", "CooldownStarted", "CounterMoved", "Deviation", "DiscountsBack", "DrawMoved",
    "Enrolled", "EntryKind", "Explained", "Fact", "FollowUp", "Fulfilled", "Grant", "Judged", "KeptTier", "LimitUsed",
    "LineOff", "LineReturned", "LineShare", "LotActivated", "LotExtended", "LotOpened", "LotReinstated", "LotsExpired",
    "LotsRestored", "LotsUsed", "Measured", "Moved", "Offered", "OrderOpened", "OrderReturned", "Part",
    "PoolClaimed", "Priced", "PrizeEnded", "PrizeWon", "PromisedGift", "QuoteEnded", "QuoteReserved",
    "RedemptionCaptured", "RedemptionEnded", "RedemptionHeld", "RedemptionPaid", "RedemptionRestored", "Scalar",
    "SentVoucher", "Span", "TakenBack", "TicketPlayed", "TicketsEntered", "TicketsGranted", "TicketsVoided",
    "TierSet", "VoucherEnded", "VoucherGivenBack", "VoucherIssued", "VoucherRedeemed", "VoucherReleased",
    "VoucherReserved", "WalletCarried", "WalletKept", "WalletLapsed", "YearFollowed", "decode_facts", "encode_facts",
]  # fmt: skip

EntryKind = Literal[
    "accrual", "activation", "redemption", "expiry", "adjustment", "reversal", "transfer", "debt", "write_off"
]

MEMBER_ACCOUNTS = frozenset(("pending", "available", "held", "debt"))
SYSTEM_ACCOUNTS = frozenset(("issuance", "redemption", "breakage", "in_transit", "adjustment", "write_off"))


class Moved(Fact, frozen=True, tag="moved"):
    """`points` (> 0) of a wallet moved from account `out_of` to account `into` at an instant: one journal entry.

    The debit and the credit are one fact, so that every entry sums to zero by construction. `parts` are the lots a
    spending consumed or gave back. `reason` is a code that says why (`returned`, `debt_repaid`, `timed_out`, ...).
    Accruals, activations and expiries are entries too and are said by `Accrued`, `LotActivated` and `LotsExpired`;
    `journal.entries` reads every entry off an activity's facts.
    """

    wallet: str
    kind: EntryKind
    points: int
    out_of: str
    into: str
    at: Instant
    version: int = 0
    campaign: str | None = None
    rule: str | None = None
    order: str | None = None
    redemption: str | None = None
    lot: str | None = None
    available_at: Instant | None = None
    expires_at: Instant | None = None
    lines: tuple[LineShare, ...] = ()
    parts: tuple[Part, ...] = ()
    reason: str | None = None


class Enrolled(Fact, frozen=True, tag="enrolled"):
    """The member joined."""

    at: Instant
    referral_code: str | None = None
    time_zone: str | None = None


class AttributesSet(Fact, frozen=True, tag="attributes_set"):
    """Declared attributes took these values from `at` on; None removes one."""

    at: Instant
    attributes: dict[str, Scalar]


class CounterMoved(Fact, frozen=True, tag="counter_moved"):
    """A running count about the member went up or down."""

    counter: str
    by: int


class Accrued(Fact, frozen=True, tag="accrued"):
    """Campaigns granted points into a wallet, which opened one lot: an entry per grant, from issuance.

    Pending while `available_at` is ahead, or until an activity of type `until`. `tier` as in `LotOpened`.
    """

    wallet: str
    lot: str
    points: int
    at: Instant
    grants: tuple[Grant, ...]
    version: int
    order: str | None = None
    expires_at: Instant | None = None
    available_at: Instant | None = None
    until: str | None = None
    tier: str | None = None


class LotOpened(Fact, frozen=True, tag="lot_opened"):
    """A lot came to be other than by accrual, available at once; the entry says where its points come from.

    `tier` is the tier whose own expiry rule made the lot never expire, so that falling from it starts the clock.
    """

    wallet: str
    lot: str
    points: int
    earned_at: Instant
    expires_at: Instant | None = None
    tier: str | None = None


class LotActivated(Fact, frozen=True, tag="lot_activated"):
    """A pending lot became available; its expiry counts from here. `lot` is the lot as it was while pending."""

    wallet: str
    lot: Part
    at: Instant
    expires_at: Instant | None = None
    version: int = 0


class LotsUsed(Fact, frozen=True, tag="lots_used"):
    """Points left lots: spent, held, taken back, transferred. Parts carry the lots' ages and expiries as they are."""

    wallet: str
    parts: tuple[Part, ...]


class LotsExpired(Fact, frozen=True, tag="lots_expired"):
    """All that was left in these lots expired; it stays known under each lot's id for returns and reinstatement.

    `again` says that points of the same lots may have expired before, so that what is known adds up. One entry.
    """

    wallet: str
    parts: tuple[Part, ...]
    at: Instant
    version: int = 0
    again: bool = False
    reason: str = "expired"
    order: str | None = None
    redemption: str | None = None


class LotsRestored(Fact, frozen=True, tag="lots_restored"):
    """Points came back to lots; one that was used up is made anew with its own age and expiry."""

    wallet: str
    parts: tuple[Part, ...]


class LotExtended(Fact, frozen=True, tag="lot_extended"):
    """A lot (as it was) got another expiry."""

    wallet: str
    lot: Part
    expires_at: Instant | None


class LotReinstated(Fact, frozen=True, tag="lot_reinstated"):
    """Expired points of a lot were given back, or forgiven to a return; neither can happen to them again."""

    lot: str
    points: int


class WalletKept(Fact, frozen=True, tag="wallet_kept"):
    """Something happened that keeps a wallet with sliding expiry alive: its lots now expire at `expires_at`.

    None says that the member's tier keeps them from expiring.
    """

    wallet: str
    at: Instant
    expires_at: Instant | None = None


class WalletLapsed(Fact, frozen=True, tag="wallet_lapsed"):
    """The instant of a wallet with sliding expiry came: what is away (held, spent) has lapsed, too. The clock stops."""

    wallet: str
    at: Instant


class WalletCarried(Fact, frozen=True, tag="wallet_carried"):
    """All that was in a wallet is in the wallet `into` from now on, since the program's version says so.

    Up to two entries a balance, out of the one wallet and into the other, against the account of adjustments. Lots keep
    their ids and expiries; those without one get `lots_until`, the instant of the sliding wallet that they were in.
    `redemptions` are the open ones, of which those that hold points of the wallet hold points of `into`.
    """

    wallet: str
    into: str
    at: Instant
    version: int
    pending: int = 0
    available: int = 0
    held: int = 0
    debt: int = 0
    lots_until: Instant | None = None
    redemptions: tuple[str, ...] = ()


class LimitUsed(Fact, frozen=True, tag="limit_used"):
    """A member's limit on a campaign was used (or given back, negative) in the period that began at `period`.

    Uses in periods before `drop_before` may be forgotten. `apart`: a document of its own keeps it, not the root.
    """

    limit: str
    period: Instant
    by: int
    drop_before: Instant = 0
    apart: bool = False


class CooldownStarted(Fact, frozen=True, tag="cooldown_started"):
    """A campaign granted something, so that it waits until `until` before it grants again."""

    campaign: str
    at: Instant
    until: Instant


class CooldownEnded(Fact, frozen=True, tag="cooldown_ended"):
    """What had begun a cooldown came to nothing, so that nothing waits for its end."""

    campaign: str
    at: Instant


class PoolClaimed(Fact, frozen=True, tag="pool_claimed"):
    """`by` was taken from a pool (or given back, negative)."""

    pool: str
    by: int


class Measured(Fact, frozen=True, tag="measured"):
    """A track's metrics moved by these amounts in the window (rolling: on the day) that began at `window`.

    A rolling track forgets days before `drop_before`.
    """

    track: str
    window: Instant
    by: tuple[int, ...]
    rolling: bool = False
    drop_before: Instant = 0


class Beneath(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a member stands beneath a tier pass: the tier, until when, and when that is reviewed."""

    tier: str
    until: Instant | None = None
    review_at: Instant | None = None


class TierSet(Fact, frozen=True, tag="tier_set"):
    """The member stands on `tier` of `track` from `at`, at least until `until` (None: for good).

    `review_at` is when it is judged whether they stay: `until` and the track's grace. `reason`: "enrolled", "earned",
    "kept", "renewed", "fell", "fell_back", "stayed", "restored", "mapped", "pass", "pass_ended". Where they stood
    before `drop_before` may be forgotten. With `beneath` the tier is a pass. `term_ends_at` is when it would have been
    judged, had the tier (or the one beneath) not been made to hold longer: then it was kept.
    """

    track: str
    tier: str
    at: Instant
    until: Instant | None
    review_at: Instant | None
    reason: str
    drop_before: Instant = 0
    beneath: Beneath | None = None
    term_ends_at: Instant | None = None


class YearFollowed(Fact, frozen=True, tag="year_followed"):
    """The year of a track that ends at `ends_at` will be counted if it ends on a tier whose years are counted.

    None: nothing waits for the end of a year, or it has come and was counted.
    """

    track: str
    ends_at: Instant | None


class Explained(Fact, frozen=True, tag="explained"):
    """Every campaign that could have applied, and what became of it."""

    version: int
    campaigns: tuple[Judged, ...]


class OrderOpened(Fact, frozen=True, tag="order_opened"):
    """A purchase was recorded as the member's activity number `seq`.

    `standing` holds what rules read about the member then and `tiers` where they stood, so that a return judges by the
    same; `measured` is what the tracks counted. What it earned are the `Accrued` facts beside it.
    """

    order: str
    seq: int
    at: Instant
    version: int
    measured: dict[str, tuple[int, ...]] = {}
    standing: dict[str, Scalar] = {}
    tiers: dict[str, str] = {}


class LineReturned(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How much of one line came back in this return."""

    line: str
    quantity: int
    amount: int


class TakenBack(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a return took back of one grant (by its place among all the order earned), per line when allocated."""

    grant: int
    points: int
    lines: tuple[LineShare, ...] = ()


class OrderReturned(Fact, frozen=True, tag="order_returned"):
    """Part or all of an order came back, and what that took back and gave back.

    `restored` maps a redemption to the points of it that were given back, `paid_back` a tender's place to money,
    `forgiven` a wallet to points that had expired already and are not taken a second time, `vouchers` the code of one
    that the order used to what came back of it.
    """

    order: str
    lines: tuple[LineReturned, ...]
    taken: tuple[TakenBack, ...] = ()
    restored: dict[str, int] = {}
    paid_back: dict[str, int] = {}
    forgiven: dict[str, int] = {}
    measured: dict[str, tuple[int, ...]] = {}
    vouchers: dict[str, int] = {}


class RedemptionHeld(Fact, frozen=True, tag="redemption_held"):
    """Points were taken out of their lots and set aside until captured, cancelled or timed out.

    For a reward (its first id) it says how many pieces, the cash (minor units) and the stated value of a piece. `pools`
    is what was claimed of pools and `limits` the periods of the limits that were used, so that an end gives both back.
    `state` is where its fulfilment begins.
    """

    redemption: str
    wallet: str
    points: int
    parts: tuple[Part, ...]
    at: Instant
    times_out_at: Instant | None
    reward: str | None = None
    quantity: int = 1
    cash: int = 0
    value: int | None = None
    pools: dict[str, int] = {}
    limits: dict[str, Instant] = {}
    state: str | None = None


class RedemptionCaptured(Fact, frozen=True, tag="redemption_captured"):
    """`points` of a hold were spent (in the order of its parts); the rest was given back."""

    redemption: str
    points: int
    at: Instant


class RedemptionEnded(Fact, frozen=True, tag="redemption_ended"):
    """A hold ended without spending, or what was given for it at once was given back."""

    redemption: str
    status: Literal["cancelled", "timed_out"]
    at: Instant


class RedemptionPaid(Fact, frozen=True, tag="redemption_paid"):
    """A captured redemption paid part of an order, which no other order can be paid with any more."""

    redemption: str
    order: str


class RedemptionRestored(Fact, frozen=True, tag="redemption_restored"):
    """Points of a captured redemption were given back because what they paid for came back."""

    redemption: str
    points: int


class Fulfilled(Fact, frozen=True, tag="fulfilled"):
    """A redeemed reward came to a state on its way to the member, or back.

    `waits` says that a hold does not time out any more, because the pieces have left.
    """

    redemption: str
    state: str
    at: Instant
    carrier: str | None = None
    tracking: str | None = None
    reference: str | None = None
    waits: bool = False


class AutomaticChosen(Fact, frozen=True, tag="automatic_chosen"):
    """The member chose that a reward (its first id) is redeemed by itself from now on, or no longer."""

    reward: str
    chosen: bool


class KeptTier(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A tier that was kept when its time was over."""

    track: str
    tier: str


class FollowUp(Fact, frozen=True, tag="follow_up"):
    """An activity that another member (or this one) must now be sent.

    It carries points of a wallet, or a voucher, or says of a tier that it was `kept`. It occurs `at` an instant, or
    when this was recorded.
    """

    member: str
    id: str
    type: str
    wallet: str
    points: int
    parts: tuple[Part, ...]
    counterpart: str
    voucher: SentVoucher | None = None
    kept: KeptTier | None = None
    at: Instant | None = None

    def occurred_at(self, recorded_at: Instant) -> Instant:
        """When the activity occurs, if this was recorded at an instant."""
        return recorded_at if self.at is None else self.at


AnyFact = (
    Moved
    | Accrued
    | Enrolled
    | AttributesSet
    | CounterMoved
    | LotOpened
    | LotActivated
    | LotsUsed
    | LotsExpired
    | LotsRestored
    | LotExtended
    | LotReinstated
    | WalletKept
    | WalletLapsed
    | WalletCarried
    | LimitUsed
    | CooldownStarted
    | CooldownEnded
    | PoolClaimed
    | Measured
    | TierSet
    | YearFollowed
    | Explained
    | Priced
    | QuoteReserved
    | QuoteEnded
    | DiscountsBack
    | Bought
    | OrderOpened
    | OrderReturned
    | RedemptionHeld
    | RedemptionCaptured
    | RedemptionEnded
    | RedemptionPaid
    | RedemptionRestored
    | VoucherIssued
    | VoucherReserved
    | VoucherReleased
    | VoucherRedeemed
    | VoucherGivenBack
    | VoucherEnded
    | Fulfilled
    | AutomaticChosen
    | FollowUp
    | TicketsGranted
    | TicketsVoided
    | DrawMoved
    | TicketsEntered
    | TicketPlayed
    | PrizeWon
    | PrizeEnded
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[AnyFact, ...])


def encode_facts(facts: tuple[AnyFact, ...]) -> bytes:
    """The stored form of facts: a JSON array."""
    return _encoder.encode(facts)


def decode_facts(stored: bytes | str) -> tuple[AnyFact, ...]:
    """Facts from their stored form, equal to what was encoded; msgspec.DecodeError if it is not facts."""
    return _decoder.decode(stored)
