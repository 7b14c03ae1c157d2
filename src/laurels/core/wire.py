"""The wire form of activities: `data` of each type, exactly as the contract states it, decoded strictly.

Amounts and quantities are decimal texts and instants are RFC 3339 texts here; `activity.parse` turns them into values.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from laurels.core.calendar import Instant

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Word = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=2000)]
Number = Annotated[str, Meta(min_length=1, max_length=24)]
Points = Annotated[int, Meta(ge=-(10**12), le=10**12)]

LINES_MOST: Final = 1000
TAGS_MOST: Final = 50
VOUCHERS_MOST: Final = 20
FIELDS_MOST: Final = 100
INTEGER_MOST: Final = 2**53
ATTRIBUTE_MOST: Final = 200
"""Characters in an attribute's name and in each of its texts."""

ATTRIBUTES_BYTES_MOST: Final = 4096
"""What the attributes of a member may be as JSON: whatever the member does reads and writes all of them."""


class WireDiscount(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A discount already taken off a line."""

    code: Word
    amount: Number


class WireLine(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A line of a purchase; `amount` is what is paid for it, after discounts and with tax."""

    line: Id
    amount: Number
    quantity: Number = "1"
    sku: Word | None = None
    category: Word | None = None
    tags: Annotated[tuple[Word, ...], Meta(max_length=TAGS_MOST)] = ()
    tax: Number = "0"
    kind: Literal["product", "shipping", "fee", "gift_card"] = "product"
    discounts: Annotated[tuple[WireDiscount, ...], Meta(max_length=TAGS_MOST)] = ()
    fields: dict[str, Any] = {}


class WireTender(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """How part of a purchase was paid."""

    kind: Literal["cash", "points", "gift_card", "voucher"]
    amount: Number
    redemption: Id | None = None
    code: Word | None = None


class WirePurchase(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a purchase."""

    order: Id
    lines: Annotated[tuple[WireLine, ...], Meta(min_length=1, max_length=LINES_MOST)]
    currency: Word | None = None
    store: Word | None = None
    channel: Word | None = None
    tenders: Annotated[tuple[WireTender, ...], Meta(max_length=TAGS_MOST)] = ()
    quote: Id | None = None
    choices: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    vouchers: Annotated[tuple[Word, ...], Meta(max_length=VOUCHERS_MOST)] = ()


class WireQuote(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a quote: a purchase that is not paid yet, under the quote's id."""

    quote: Id
    cart: WirePurchase
    reserve: bool = False


class WireQuoteCancel(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of the end of a reserved quote before its time."""

    quote: Id


class WireReturnLine(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Part of a line that comes back: by quantity, by amount, or both; neither means all that is left of it."""

    line: Id
    quantity: Number | None = None
    amount: Number | None = None


class WireReturn(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a return; without `lines` everything left of the order comes back."""

    order: Id
    lines: Annotated[tuple[WireReturnLine, ...], Meta(min_length=1, max_length=LINES_MOST)] | None = None
    tenders: Annotated[tuple[WireTender, ...], Meta(max_length=TAGS_MOST)] | None = None
    currency: Word | None = None


class WireEnrol(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of an enrolment."""

    attributes: dict[str, Any] = {}
    referral_code: Id | None = None
    time_zone: Word | None = None


class WireMemberChange(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a change to what rules read about a member; null removes an attribute."""

    attributes: dict[str, Any]


class WireAdjustment(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of an adjustment by a person."""

    wallet: Word
    points: Points
    reason: Text
    expires_at: Word | None = None


class WireOpeningLot(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A lot brought from another system, with its own dates."""

    points: Annotated[int, Meta(ge=1, le=10**12)]
    earned_at: Word
    expires_at: Word | None = None


class WireOpeningBalance(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of an opening balance."""

    wallet: Word
    lots: Annotated[tuple[WireOpeningLot, ...], Meta(min_length=1, max_length=20_000)]


class WireTransfer(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a transfer to another member."""

    to: Id
    wallet: Word
    points: Annotated[int, Meta(ge=1, le=10**12)]


class WireExtension(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of an extension: a later expiry for the named lots, or for all lots of the wallet."""

    wallet: Word
    expires_at: Word | None
    reason: Text
    lots: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=LINES_MOST)] | None = None


class WireReinstatement(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a reinstatement: expired points of the named lots come back with a new expiry."""

    wallet: Word
    lots: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=LINES_MOST)]
    expires_at: Word | None
    reason: Text


class WirePay(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """How a mixed price is paid: so many points for all pieces, and the money that belongs to that."""

    points: Annotated[int, Meta(ge=1, le=10**12)]
    cash: Number | None = None


class WireHold(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a redemption request: of a reward, or of points of a wallet as money; `hold` false redeems at once."""

    redemption: Id
    wallet: Word | None = None
    points: Annotated[int, Meta(ge=1, le=10**12)] | None = None
    hold: bool = True
    reward: Word | None = None
    quantity: Annotated[int, Meta(ge=1, le=10_000)] = 1
    pay: WirePay | None = None
    value: Number | None = None


class WireFulfilment(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a step in the fulfilment of a redeemed reward."""

    redemption: Id
    state: Literal["packed", "shipped", "delivered", "returned", "failed"]
    carrier: Word | None = None
    tracking: Word | None = None
    reference: Word | None = None


class WireChoice(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a member's choice whether a reward is redeemed by itself."""

    reward: Word
    automatic: bool


class WireCapture(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a capture; without `points` all that is held."""

    redemption: Id
    points: Annotated[int, Meta(ge=1, le=10**12)] | None = None


class WireCancel(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a cancellation."""

    redemption: Id


class WirePlay(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of playing a ticket of an instant draw."""

    draw: Id


class WirePrize(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a prize that was drawn for a ticket: the terms are those announced. Laurels itself sends it."""

    draw: Id
    place: int
    prize: Id
    ticket: int
    quantity: int
    wallet: Word | None = None
    points: int = 0
    until: Instant | None = None
    voucher: Word | None = None


class WireClaim(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of claiming a prize."""

    draw: Id
    place: int


class WireForfeit(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a prize that goes to somebody else, since its winner was erased. Laurels itself sends it."""

    draw: Id
    place: int


class WirePart(Struct, frozen=True, array_like=True, gc=False):
    """A lot on its way between members."""

    lot: str
    points: int
    earned_at: Instant
    expires_at: Instant | None
    tier: str | None = None


class WireParcel(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a follow-up that carries points: from whom, and the lots."""

    counterpart: Id
    wallet: Word
    lots: tuple[WirePart, ...]


class WireTierKept(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a follow-up that says of a tier that the member keeps it."""

    track: Word
    tier: Word


class WireVoucherIssue(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a voucher that a person gives to the member."""

    voucher: Word
    reason: Text = ""


class WireVoucherClaim(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a code that is nobody's and becomes the member's."""

    code: Word


class WireVoucherReserve(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a checkout that reserves a voucher for an order, or for whichever comes first."""

    code: Word
    order: Id | None = None


class WireVoucherRelease(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a checkout that lets go of a voucher that it reserved, and for which order."""

    code: Word
    order: Id | None = None


class WireVoucherRevoke(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a voucher that a person takes away."""

    code: Word
    reason: Text = ""


class WireVoucherTransfer(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a voucher that goes to another member."""

    code: Word
    to: Id


class WireSentVoucher(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of a follow-up that carries a voucher: from whom, and what it is."""

    counterpart: Id
    code: str
    voucher: str
    expires_at: Instant | None = None
    worth: int | None = None


class WireNothing(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`data` of an activity that has none."""


WIRE_TYPES: Final[dict[str, type[Struct]]] = {
    "purchase": WirePurchase,
    "quote": WireQuote,
    "quote_cancel": WireQuoteCancel,
    "return": WireReturn,
    "enrol": WireEnrol,
    "member_change": WireMemberChange,
    "adjustment": WireAdjustment,
    "opening_balance": WireOpeningBalance,
    "transfer": WireTransfer,
    "extension": WireExtension,
    "reinstatement": WireReinstatement,
    "redemption": WireHold,
    "redemption_capture": WireCapture,
    "redemption_cancel": WireCancel,
    "redemption_fulfilment": WireFulfilment,
    "choice": WireChoice,
    "draw_play": WirePlay,
    "draw_prize": WirePrize,
    "draw_claim": WireClaim,
    "draw_forfeit": WireForfeit,
    "transfer_in": WireParcel,
    "transfer_back": WireParcel,
    "voucher_issue": WireVoucherIssue,
    "voucher_claim": WireVoucherClaim,
    "voucher_reserve": WireVoucherReserve,
    "voucher_release": WireVoucherRelease,
    "voucher_revoke": WireVoucherRevoke,
    "voucher_transfer": WireVoucherTransfer,
    "voucher_in": WireSentVoucher,
    "voucher_back": WireSentVoucher,
    "clock": WireNothing,
    "tier_kept": WireTierKept,
}
