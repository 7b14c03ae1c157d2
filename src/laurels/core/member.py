"""A member's state: small documents that facts are folded into, and nothing else.

State is cut into documents by key, so that a busy member costs what an activity touches and not what they own: `root`
(balances, standing, running counters), `lots/<wallet>/<n>` (pages of lots), `order/<id>`, `redemption/<id>`,
`expired/<lot>` (what expired, for returns and reinstatement), `measures/<track>` (days of a rolling window),
`voucher/<code>` and `vouchers` (the list of those that are open), `quote/<id>` (what a reserved quote promised),
`bought` (what was bought before, where a promotion asks), `draw/<id>` (tickets and prizes).
Documents are values: they are never changed in place once they left `apply`; a change makes a copy first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from laurels.core.activity import Purchase
from laurels.core.calendar import Instant
from laurels.core.facts import (
    Accrued,
    AnyFact,
    Beneath,
    LineReturned,
    LineShare,
    OrderOpened,
    Part,
    Priced,
    QuoteReserved,
    Scalar,
    TakenBack,
    TicketsGranted,
    VoucherIssued,
    VoucherRedeemed,
)
from laurels.core.upcasting import SCHEMA, upcast

ROOT: Final = "root"
NEVER: Final = 1 << 62
"""An instant after every other, the place of never-expiring lots in the order of consumption."""


class Lot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An earned parcel of points with its own expiry; pending while it has `available_at`."""

    lot: str
    points: int
    earned_at: Instant
    expires_at: Instant | None
    available_at: Instant | None = None
    until: str | None = None
    tier: str | None = None


LotKey = tuple[Instant, Instant, int, str]


def lot_key(expires_at: Instant | None, earned_at: Instant, lot: str) -> LotKey:
    """The order of consumption: earliest expiry (never last), then age, then id (shorter ids first)."""
    return (NEVER if expires_at is None else expires_at, earned_at, len(lot), lot)


class PageHead(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the root knows of a page of lots without loading it: its least key, how many, the next activation."""

    number: int
    expires_at: Instant | None
    earned_at: Instant
    lot: str
    count: int
    activates_at: Instant | None = None

    @property
    def key(self) -> LotKey:
        """The key of the page's first lot."""
        return lot_key(self.expires_at, self.earned_at, self.lot)


class Balance(msgspec.Struct, omit_defaults=True, gc=False):
    """A wallet's balances and the heads of its pages, in the order of consumption.

    `earned` is what was ever earned less what returns took back. `last` is the greatest key ever put on the last page.
    `expires_at` is the one instant of a wallet with sliding expiry, and `lapsed_at` when that last came, so that what
    was away then (held, spent) has lapsed, too. `extended` says that a lot got another expiry while part of it may have
    been away, so that points of one lot may expire at different times.
    """

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    earned: int = 0
    pages: tuple[PageHead, ...] = ()
    next_page: int = 0
    last: LotKey | None = None
    expires_at: Instant | None = None
    lapsed_at: Instant | None = None
    extended: bool = False


class Past(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A tier held from an instant on, which would have lasted until `until`."""

    at: Instant
    tier: str
    until: Instant | None = None


class Measure(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a track measured in the window that began at `window`."""

    window: Instant
    values: tuple[int, ...]


class Standing(msgspec.Struct, omit_defaults=True, gc=False):
    """Where the member stands on a track, at least until `until`; whether they stay is judged at `review_at`.

    With `beneath` the tier is a pass, and that is where they stand without it. `year_ends_at` is when the year ends
    that may be counted as one on their tier. `term_ends_at` as in `TierSet`.
    """

    tier: str
    since: Instant
    until: Instant | None = None
    review_at: Instant | None = None
    measures: tuple[Measure, ...] = ()
    past: tuple[Past, ...] = ()
    beneath: Beneath | None = None
    year_ends_at: Instant | None = None
    term_ends_at: Instant | None = None


class Use(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was used of a limit in the period that began at `period`."""

    period: Instant
    used: int


class Root(msgspec.Struct, omit_defaults=True, gc=False, tag_field="v", tag=SCHEMA):
    """What nearly every activity needs. `now` is the instant up to which everything due has been carried out.

    `due_at` is the next instant at which anything falls due; `wake_at` the next at which a sweep should look.
    `automatic` are the rewards that the member has chosen to be redeemed by themselves. `draws` are the scheduled draws
    that the member's tickets are to enter, with the instants at which they close; `claims` the prizes to be claimed
    (`prize_key`), with the instants at which they are forfeited.
    """

    seq: int = 0
    enrolled_at: Instant | None = None
    now: Instant = 0
    due_at: Instant | None = None
    wake_at: Instant | None = None
    referral_code: str | None = None
    time_zone: str | None = None
    attributes: dict[str, Scalar] = {}
    wallets: dict[str, Balance] = {}
    tracks: dict[str, Standing] = {}
    limits: dict[str, tuple[Use, ...]] = {}
    cooldowns: dict[str, Instant] = {}
    counters: dict[str, int] = {}
    holds: dict[str, Instant | None] = {}
    vouchers_at: Instant | None = None
    quotes: dict[str, Instant] = {}
    automatic: tuple[str, ...] = ()
    draws: dict[str, Instant] = {}
    claims: dict[str, Instant] = {}


class Quote(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="v", tag=SCHEMA):
    """A reserved quote, as it was reserved, and what became of it."""

    reserved: QuoteReserved
    status: str = "open"
    order: str | None = None


class History(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="v", tag=SCHEMA):
    """What the member has bought before, as far as a promotion asks for it, the earliest first."""

    categories: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


class Order(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="v", tag=SCHEMA):
    """What came back of an order. The purchase itself and what it earned stay with its activity, number `seq`."""

    seq: int
    returned: dict[str, LineReturned] = {}
    taken: tuple[TakenBack, ...] = ()
    restored: dict[str, int] = {}
    paid_back: dict[str, int] = {}
    forgiven: dict[str, int] = {}
    unmeasured: dict[str, tuple[int, ...]] = {}
    vouchers: dict[str, int] = {}


class Step(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A state of a fulfilment, since when, and by what it can be followed."""

    state: str
    at: Instant
    carrier: str | None = None
    tracking: str | None = None
    reference: str | None = None


class Redemption(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="v", tag=SCHEMA):
    """A hold and what became of it. `parts` are the lots it took, in order; `spent` how many points were captured.

    `order` is the order that it paid part of. What it says of a reward is as in `RedemptionHeld`; `steps` is what
    became of its fulfilment, the present state last, and `vouchers` are the codes that it gave.
    """

    wallet: str
    points: int
    parts: tuple[Part, ...]
    held_at: Instant
    times_out_at: Instant | None = None
    status: str = "held"
    ended_at: Instant | None = None
    spent: int = 0
    restored: int = 0
    order: str | None = None
    reward: str | None = None
    quantity: int = 1
    cash: int = 0
    value: int | None = None
    pools: dict[str, int] = {}
    limits: dict[str, Instant] = {}
    steps: tuple[Step, ...] = ()
    vouchers: tuple[str, ...] = ()


class Expired(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="v", tag=SCHEMA):
    """What expired of a lot, and how much of that was reinstated or forgiven by a return."""

    wallet: str
    points: int
    at: Instant
    earned_at: Instant
    reinstated: int = 0


class IssuedVoucher(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="v", tag=SCHEMA):
    """A voucher that the member has or had (key `voucher/<code>`; of a shared code, `Holder.instance` says which).

    `voucher` is the key of its kind. `order`, or `quote`, or else whichever order comes first, reserves it until
    `reserved_until`; `order` has used it. `given_for` is the order whose purchase gave it, and `counted` what its
    campaign counted for it; `limits` and `pools` are what its use counted against, and `cooldown` is the end of the
    cooldown that its reservation began. `parts` are the vouchers that were given back of it, each of which is `part_of`
    it and was given for what it was given for.
    """

    voucher: str
    issued_at: Instant
    reason: str
    expires_at: Instant | None = None
    status: str = "issued"
    order: str | None = None
    reserved_until: Instant | None = None
    ended_at: Instant | None = None
    ended_by: str | None = None
    worth: int | None = None
    amount: int = 0
    campaign: str | None = None
    given_for: str | None = None
    shared: bool = False
    limits: dict[str, Instant] = {}
    pools: tuple[str, ...] = ()
    counted: tuple[dict[str, Instant], tuple[str, ...]] = ({}, ())
    quote: str | None = None
    cooldown: Instant | None = None
    parts: tuple[str, ...] = ()
    part_of: str | None = None


class OpenVoucher(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the list of a member's vouchers says of one that is issued or reserved."""

    voucher: str
    expires_at: Instant | None = None
    reserved_until: Instant | None = None

    @property
    def due_at(self) -> Instant | None:
        """When something happens to it by itself: a reservation keeps it from expiring."""
        return self.expires_at if self.reserved_until is None else self.reserved_until


class Vouchers(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="v", tag=SCHEMA):
    """The member's vouchers that are issued or reserved, by code; not those of shared codes that nobody reserves."""

    open: dict[str, OpenVoucher] = {}


class Measures(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="v", tag=SCHEMA):
    """A rolling window's days, oldest first."""

    days: tuple[Measure, ...] = ()


class Granted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Tickets granted at once, from number `first` on, less those that became void."""

    first: int
    count: int
    order: str | None = None
    redemption: str | None = None


class Won(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A prize that the member won at a place; `status` is open, given, claimed or forfeited."""

    place: int
    prize: str
    ticket: int
    at: Instant
    until: Instant | None
    status: str


class Tickets(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="v", tag=SCHEMA):
    """A member's part in a draw: their own number, their tickets, and what they won.

    `last` is the number of the last ticket ever granted, `played` that of the last one played in an instant draw.
    """

    number: str
    last: int = 0
    granted: tuple[Granted, ...] = ()
    played: int = 0
    entered_at: Instant | None = None
    excluded: bool = False
    won: tuple[Won, ...] = ()

    @property
    def numbers(self) -> list[int]:
        """The numbers of all tickets that are not void."""
        return [number for each in self.granted for number in range(each.first, each.first + each.count)]

    @property
    def ready(self) -> list[int]:
        """Those that can be played yet."""
        return [number for number in self.numbers if number > self.played]


def tickets_key(draw: str) -> str:
    """The key of a member's part in a draw."""
    return f"draw/{draw}"


def prize_key(draw: str, place: int) -> str:
    """How the root names a prize that waits to be claimed."""
    return f"{draw}#{place}"


class Earned(msgspec.Struct, frozen=True, gc=False):
    """What an order earned by one grant, with the lot it went into; the fields are those of `Grant`."""

    wallet: str
    lot: str
    expires_at: Instant | None
    campaign: str
    points: int
    lines: tuple[LineShare, ...]
    grant: int
    tier: str | None
    limits: dict[str, Instant]
    pools: tuple[str, ...]


class Purchased(msgspec.Struct, frozen=True, gc=False):
    """A recorded purchase (key `activity/<seq>`): an input only, read from the stored activity, never written."""

    purchase: Purchase
    opened: OrderOpened
    earned: tuple[Earned, ...]
    redeemed: tuple[VoucherRedeemed, ...] = ()
    given: tuple[VoucherIssued, ...] = ()
    priced: Priced | None = None


def purchased(purchase: Purchase, facts: Iterable[AnyFact]) -> Purchased:
    """A recorded purchase from its activity's data and facts."""
    earned: list[Earned] = []
    opened: OrderOpened | None = None
    redeemed: list[VoucherRedeemed] = []
    given: list[VoucherIssued] = []
    priced: Priced | None = None
    for fact in facts:
        if isinstance(fact, Accrued) and fact.order == purchase.order:
            earned.extend(
                [
                    Earned(
                        fact.wallet,
                        fact.lot,
                        fact.expires_at,
                        grant.campaign,
                        grant.points,
                        grant.lines,
                        grant.grant,
                        grant.rule,
                        grant.limits,
                        grant.pools,
                    )
                    for grant in fact.grants
                ]
            )
        elif isinstance(fact, TicketsGranted) and fact.order == purchase.order:
            earned.extend(
                [
                    Earned(
                        tickets_key(fact.draw), "", None, grant.campaign, grant.points, grant.lines, grant.grant,
                        grant.rule, grant.limits, grant.pools,
                    )
                    for grant in fact.grants
                ]
            )  # fmt: skip
        elif isinstance(fact, OrderOpened):
            opened = fact
        elif isinstance(fact, VoucherRedeemed):
            redeemed.append(fact)
        elif isinstance(fact, VoucherIssued) and fact.reason == "campaign":
            given.append(fact)
        elif isinstance(fact, Priced):
            priced = fact
    if opened is None:
        raise AssertionError(f"the facts of the purchase {purchase.order} open no order")
    return Purchased(purchase, opened, tuple(earned), tuple(redeemed), tuple(given), priced)


Page = tuple[Lot, ...]
Document = (
    Root
    | Page
    | Order
    | Quote
    | History
    | Redemption
    | Expired
    | Measures
    | Tickets
    | IssuedVoucher
    | Vouchers
    | Purchased
)


class Member(msgspec.Struct, frozen=True, gc=False):
    """A member as loaded: documents by key; None where the store has no such document.

    A key that is absent has not been looked up; whoever needs it asks for it with `Missing`.
    """

    id: str
    documents: dict[str, Document | None]

    @property
    def root(self) -> Root:
        """The root document; a member nobody has heard of has an empty one."""
        root = self.documents.get(ROOT)
        return root if isinstance(root, Root) else Root()


class Missing(Exception):  # noqa: N818  (not an error: it asks the shell for documents)
    """Documents that the decision needs and that were not loaded; load them and decide again."""

    def __init__(self, *keys: str) -> None:
        super().__init__(*keys)
        self.keys = keys


class _StoredPage(msgspec.Struct, frozen=True, array_like=True, tag=SCHEMA, gc=False):
    lots: Page


_KINDS: Final[dict[str, type[Any]]] = {
    "root": Root,
    "lots": _StoredPage,
    "order": Order,
    "quote": Quote,
    "bought": History,
    "redemption": Redemption,
    "expired": Expired,
    "measures": Measures,
    "voucher": IssuedVoucher,
    "vouchers": Vouchers,
    "draw": Tickets,
}
_decoders: Final = {kind: msgspec.json.Decoder(type_) for kind, type_ in _KINDS.items()}
_encoder: Final = msgspec.json.Encoder()


def encode_document(document: Document) -> bytes:
    """The stored form of a state document (compact JSON with the number of its schema)."""
    return _encoder.encode(_StoredPage(document) if type(document) is tuple else document)


def decode_document(key: str, stored: bytes | str) -> Document:
    """A state document from its stored form; the key's first part says which kind it is.

    Older forms are upcast. Raises `NewerSchema` for one of a newer release, msgspec.DecodeError for what is none.
    """
    kind = key.partition("/")[0]
    try:
        decoded = _decoders[kind].decode(stored)
    except msgspec.ValidationError:
        form = msgspec.json.decode(stored)
        present = upcast(key, form)
        if present is form:
            raise
        decoded = msgspec.convert(present, _KINDS[kind])
    document: Document = decoded.lots if kind == "lots" else decoded
    return document


def purchase_key(seq: int) -> str:
    """The key under which a decision asks for the stored purchase that was the member's activity number `seq`."""
    return f"activity/{seq}"


def page_key(wallet: str, number: int) -> str:
    """The key of a page of lots."""
    return f"lots/{wallet}/{number}"


def upcoming(root: Root) -> tuple[Instant | None, Instant | None]:
    """The next instant at which anything falls due, activations included, and the next at which a sweep should look.

    A sweep has something to do when points or vouchers expire, a hold or reservation times out, a tier is reviewed, or
    a year on it ends.
    """
    sweep = activation = NEVER
    for balance in root.wallets.values():
        pages = balance.pages
        if pages:
            first = pages[0].expires_at
            if first is not None and first < sweep:
                sweep = first
            if balance.pending:
                for head in pages:
                    at = head.activates_at
                    if at is not None and at < activation:
                        activation = at
        if balance.expires_at is not None and balance.expires_at < sweep:
            sweep = balance.expires_at
    for standing in root.tracks.values():
        review_at = standing.review_at
        if review_at is not None and review_at < sweep:
            sweep = review_at
        year_ends_at = standing.year_ends_at
        if year_ends_at is not None and year_ends_at < sweep:
            sweep = year_ends_at
        term_ends_at = standing.term_ends_at
        if term_ends_at is not None and term_ends_at < sweep:
            sweep = term_ends_at
    if root.holds:
        for times_out_at in root.holds.values():
            if times_out_at is not None and times_out_at < sweep:
                sweep = times_out_at
    if root.vouchers_at is not None and root.vouchers_at < sweep:
        sweep = root.vouchers_at
    if root.quotes:
        sweep = min(sweep, *root.quotes.values())
    for ends_at in (*root.draws.values(), *root.claims.values()) if root.draws or root.claims else ():
        sweep = min(sweep, ends_at)
    due = min(sweep, activation)
    return None if due == NEVER else due, None if sweep == NEVER else sweep
