"""Facts about what is taken off a cart: promotions, quotes and vouchers."""

from __future__ import annotations

from typing import Literal

import msgspec

from laurels.core.calendar import Instant
from laurels.core.fact import Fact, Grant, Judged, LineShare, Scalar


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

    `before` are the lines' prices before promotions, left out where nothing is taken off an order, whose data say
    them. `quote` is the quote that the purchase named, and `held` what became of that: "kept", or why the order was
    judged anew ("quote_unknown", "quote_timed_out", "quote_used", "quote_cancelled", "quote_replaced",
    "quote_differs", "voucher_gone"; "points_anew": prices kept, points not, since it was paid otherwise).
    """

    version: int
    before: tuple[LineOff, ...]
    offers: tuple[Offered, ...]
    contests: tuple[Contest, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    quote: str | None = None
    held: str = ""

    @property
    def takes_off(self) -> bool:
        """Whether anything counts as taken off."""
        for each in self.offers:
            if each.lines:
                return True
        return False


class PromisedGift(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A voucher that a campaign promised, by the key of its kind, and what it was counted against."""

    campaign: str
    voucher: str
    limits: dict[str, Instant]
    pools: tuple[str, ...]


class QuoteReserved(Fact, frozen=True, tag="quote_reserved"):
    """A quote keeps what it promised until `until`: prices, points, and what these claim of limits and pools.

    `cart` and `paid` are digests of what was quoted. `grants` are the points by wallet, tickets under `draw/<id>`;
    `said` is what became of the campaigns, `cooldowns` are those that begin with the purchase, `gifts` what campaigns
    give beside points; `standing` and `tiers` are as in `OrderOpened`.
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
    """A reserved quote became an order ("used"), its time was over, it was cancelled, or `order` named it, was not what
    had been quoted, and was judged anew ("replaced").
    """

    quote: str
    status: Literal["used", "timed_out", "cancelled", "replaced"]
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


class VoucherIssued(Fact, frozen=True, tag="voucher_issued"):
    """The member has the voucher `code` from `at` on. `voucher` is the key of its kind.

    `reason`: "campaign" (`campaign` gave it, for `order` if it was a purchase), "code" (the member named a code that
    was nobody's; `shared` if it stays everybody's), "person", "reward", "prize", "transfer", "split" (what a return of
    `order` gave back of the voucher `of`), "refused_by_recipient". `worth` is what is off, where that is another amount
    than its kind's. `limits` and `pools` are what the campaign counted for it, `redemption` the one that bought it.
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
    redemption: str | None = None
    of: str | None = None


class VoucherReserved(Fact, frozen=True, tag="voucher_reserved"):
    """A checkout has the voucher until `until`, for `order` or for `quote`; for neither: whichever order comes first.

    `limits` and `pools` are what its use counted against, `cooldown` is the end of the cooldown that it began.
    """

    code: str
    order: str | None
    at: Instant
    until: Instant
    limits: dict[str, Instant] = {}
    pools: tuple[str, ...] = ()
    quote: str | None = None
    cooldown: Instant | None = None


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
    """Nothing is left of the order that used the voucher: the member has it again, with its own expiry.

    One whose time was over by then lives until `graced_until`, where its kind has a grace.
    """

    code: str
    order: str
    at: Instant
    graced_until: Instant | None = None


class VoucherEnded(Fact, frozen=True, tag="voucher_ended"):
    """The voucher can never be used again, for `reason`: "expired", "returned" (what it was given for came back),
    "cancelled" (the redemption that bought it was), "person" (somebody took it away), "sent" (another member has it).

    One that had ended unused ends a second time when what it was given for comes back: its status stays as it was.
    """

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
