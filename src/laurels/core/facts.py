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

Scalar = str | int | bool | None | list[str]
"""A declared field's value as stored; decimals are strings."""

EntryKind = Literal[
    "accrual", "activation", "redemption", "expiry", "adjustment", "reversal", "transfer", "debt", "write_off"
]

MEMBER_ACCOUNTS = frozenset(("pending", "available", "held", "debt"))
SYSTEM_ACCOUNTS = frozenset(("issuance", "redemption", "breakage", "in_transit", "adjustment", "write_off"))


class Fact(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="fact", gc=False):
    """The base of all facts. They hold no reference that could lead back to them, so the collector need not look."""


class Part(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Points taken from, or destined for, one lot, with all that is needed to make the lot anew."""

    lot: str
    points: int
    earned_at: Instant
    expires_at: Instant | None
    tier: str | None = None


class LineShare(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one line of an order earned."""

    line: str
    points: int


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


class Grant(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What one grant of a campaign gave: an entry of its own.

    `grant` is its place in the campaign. `lines` allocates it; empty for a grant to the activity as a whole. `wanted`
    is what it would have been without limits, when that differs. `rule` (`track.tier`) marks a tier's bonus over the
    campaign. `limits` maps the limits that were used to their periods and `pools` are the budgets, so that a return
    gives both back.
    """

    campaign: str
    points: int
    lines: tuple[LineShare, ...] = ()
    grant: int = 0
    wanted: int | None = None
    rule: str | None = None
    limits: dict[str, Instant] = {}
    pools: tuple[str, ...] = ()


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
    "kept", "fell", "fell_back", "stayed", "restored", "mapped", "pass", "pass_ended". Where they stood before
    `drop_before` may be forgotten. With `beneath` the tier is a pass.
    """

    track: str
    tier: str
    at: Instant
    until: Instant | None
    review_at: Instant | None
    reason: str
    drop_before: Instant = 0
    beneath: Beneath | None = None


class Judged(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of one campaign: applied, or not with a code; how much was wanted and how much granted."""

    campaign: str
    code: str
    wanted: int = 0
    granted: int = 0
    wallet: str | None = None
    by: str | None = None


class Explained(Fact, frozen=True, tag="explained"):
    """Every campaign that could have applied, and what became of it."""

    version: int
    campaigns: tuple[Judged, ...]


class LineOff(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Money off one line."""

    line: str
    amount: int


class Offered(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What became of one promotion, or voucher: applied, or not with a code; money wanted and given.

    Of a voucher `promotion` is its code and `voucher` the key of its kind, "" where the code is of none; what its use
    counted against is said where it is redeemed.
    `lines` allocates what counts as given: of an order that was not quoted, no more than the till took off. `limits`
    and `pools` are what that was counted against, so that a return gives both back.
    """

    promotion: str
    code: str
    wanted: int = 0
    given: int = 0
    lines: tuple[LineOff, ...] = ()
    by: str | None = None
    limits: dict[str, Instant] = {}
    pools: tuple[str, ...] = ()
    voucher: str | None = None


class Contest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Offers of a group that exclude each other, with what each would give, and which one was taken ("": none)."""

    group: str
    offers: tuple[tuple[str, int], ...]
    taken: str


class Deviation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a till took off a line under a promotion beyond what it gives; negative: less."""

    line: str
    promotion: str
    amount: int


class Priced(Fact, frozen=True, tag="priced"):
    """What promotions take off a cart, or took off an order, in the order in which they apply; then vouchers likewise.

    `before` are the lines' prices before promotions, left out where none takes anything off an order. `quote` is the
    quote that the purchase named, and `held` what became of that: "kept", or why the order was judged anew
    ("quote_unknown", "quote_timed_out", "quote_used", "quote_differs", "voucher_gone"; "points_anew": prices kept,
    points not, since it was paid otherwise).
    """

    version: int
    before: tuple[LineOff, ...]
    offers: tuple[Offered, ...]
    contests: tuple[Contest, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    quote: str | None = None
    held: str = ""


class PromisedGift(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A voucher that a campaign promised, by the key of its kind, and what it was counted against."""

    campaign: str
    voucher: str
    limits: dict[str, Instant]
    pools: tuple[str, ...]


class QuoteReserved(Fact, frozen=True, tag="quote_reserved"):
    """A quote keeps what it promised until `until`: prices, points, and what these claim of limits and pools.

    `cart` and `paid` are digests of what was quoted. `grants` are the points by wallet, `said` what became of the
    campaigns, `cooldowns` those that begin with the purchase, `gifts` what campaigns give beside points; `standing` and
    `tiers` as in `OrderOpened`.
    """

    quote: str
    at: Instant
    until: Instant
    version: int
    cart: str
    paid: str
    priced: Priced | None = None
    grants: dict[str, tuple[Grant, ...]] = {}
    said: tuple[Judged, ...] = ()
    cooldowns: dict[str, tuple[Instant, Instant]] = {}
    standing: dict[str, Scalar] = {}
    tiers: dict[str, str] = {}
    gifts: tuple[PromisedGift, ...] = ()


class QuoteEnded(Fact, frozen=True, tag="quote_ended"):
    """A reserved quote became an order, or its time was over."""

    quote: str
    status: Literal["used", "timed_out"]
    at: Instant
    order: str | None = None


class DiscountsBack(Fact, frozen=True, tag="discounts_back"):
    """What a return brought back of the discounts of an order, by promotion; their budgets have it again."""

    order: str
    discounts: dict[str, int]


class Bought(Fact, frozen=True, tag="bought"):
    """The member bought these categories, and these products that are remembered, for the first time."""

    categories: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


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


class VoucherIssued(Fact, frozen=True, tag="voucher_issued"):
    """The member has the voucher `code` from `at` on. `voucher` is the key of its kind.

    `reason`: "campaign" (`campaign` gave it, for `order` if it was a purchase), "code" (the member named a code that
    was nobody's; `shared` if it stays everybody's), "person", "reward", "transfer", "split" (what a return of `order`
    gave back of another one), "refused_by_recipient". `worth` is what is off, where that is another amount than its
    kind's. `limits` and `pools` are what the campaign counted for it.
    """

    code: str
    voucher: str
    at: Instant
    expires_at: Instant | None = None
    reason: str = "campaign"
    version: int = 0
    campaign: str | None = None
    order: str | None = None
    worth: int | None = None
    shared: bool = False
    limits: dict[str, Instant] = {}
    pools: tuple[str, ...] = ()


class VoucherReserved(Fact, frozen=True, tag="voucher_reserved"):
    """A checkout has the voucher for `order`, or a quote under the name `quote:<id>`, until `until`.

    `limits` and `pools` are what its use counted against.
    """

    code: str
    order: str
    at: Instant
    until: Instant
    limits: dict[str, Instant] = {}
    pools: tuple[str, ...] = ()


class VoucherReleased(Fact, frozen=True, tag="voucher_released"):
    """The checkout let go of the voucher ("released") or did not come back in time ("timed_out")."""

    code: str
    at: Instant
    reason: Literal["released", "timed_out"]


class VoucherRedeemed(Fact, frozen=True, tag="voucher_redeemed"):
    """An order used the voucher, which took `amount` off, allocated to lines. `limits` and `pools` as in a reservation.

    One that was reserved has counted already; its own are repeated here.
    """

    code: str
    voucher: str
    order: str
    at: Instant
    amount: int
    lines: tuple[LineShare, ...] = ()
    limits: dict[str, Instant] = {}
    pools: tuple[str, ...] = ()


class VoucherGivenBack(Fact, frozen=True, tag="voucher_given_back"):
    """Nothing is left of the order that used the voucher: the member has it again, with its own expiry."""

    code: str
    order: str
    at: Instant


class VoucherEnded(Fact, frozen=True, tag="voucher_ended"):
    """The voucher can never be used again, for `reason`: "expired", "returned" (what it was given for came back),
    "person" (somebody took it away), "sent" (another member has it now)."""

    code: str
    status: Literal["expired", "revoked", "transferred"]
    at: Instant
    reason: str
    order: str | None = None


class SentVoucher(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A voucher on its way to another member."""

    code: str
    voucher: str
    expires_at: Instant | None = None
    worth: int | None = None


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


class TicketsGranted(Fact, frozen=True, tag="tickets_granted"):
    """Tickets `first` to `first` + `count` - 1 of a draw, in which the member is known by `number`.

    `grants` are those of campaigns, whose points are tickets here. `closes_at` is when they enter a scheduled draw.
    """

    draw: str
    number: str
    first: int
    count: int
    at: Instant
    version: int
    closes_at: Instant | None = None
    grants: tuple[Grant, ...] = ()
    order: str | None = None
    redemption: str | None = None


class Span(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last `count` of the tickets that were granted from number `first` on."""

    first: int
    count: int


class TicketsVoided(Fact, frozen=True, tag="tickets_voided"):
    """Tickets became void, since what they were granted for came back before the draw closed."""

    draw: str
    spans: tuple[Span, ...]
    at: Instant
    order: str | None = None
    redemption: str | None = None


class DrawMoved(Fact, frozen=True, tag="draw_moved"):
    """A draw in which the member has tickets closes at another instant than was said."""

    draw: str
    closes_at: Instant


class TicketsEntered(Fact, frozen=True, tag="tickets_entered"):
    """The draw closed: `count` tickets of the member are in it, none if the member is excluded."""

    draw: str
    at: Instant
    count: int
    excluded: bool = False


class TicketPlayed(Fact, frozen=True, tag="ticket_played"):
    """A ticket of an instant draw was played with the key of a day: what it drew, and what was given for that.

    `given` is "fallback" where the prize had run out.
    """

    draw: str
    ticket: int
    day: str
    at: Instant
    drawn: str | None = None
    given: str | None = None


class PrizeWon(Fact, frozen=True, tag="prize_won"):
    """The member won a prize at a place of the draw; claimed until an instant, or given at once (`is_given`)."""

    draw: str
    place: int
    prize: str
    ticket: int
    at: Instant
    until: Instant | None = None
    is_given: bool = False


class PrizeEnded(Fact, frozen=True, tag="prize_ended"):
    """A prize that waited was claimed, or was forfeited because nobody claimed it in time."""

    draw: str
    place: int
    status: Literal["claimed", "forfeited"]
    at: Instant


class FollowUp(Fact, frozen=True, tag="follow_up"):
    """An activity that another member (or this one) must now be sent; it carries points of a wallet, or a voucher."""

    member: str
    id: str
    type: str
    wallet: str
    points: int
    parts: tuple[Part, ...]
    counterpart: str
    voucher: SentVoucher | None = None


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
    | PoolClaimed
    | Measured
    | TierSet
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
