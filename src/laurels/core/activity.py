"""Activities: the immutable things that members did, as `decide` reads them.

`wire` describes how `data` of each type is sent. `parse` turns a wire body into an `Activity` whose money is minor
units, quantities are millionths and instants are microseconds, or into problems that each name the place by JSON
pointer. Nothing here knows a rule of any program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from laurels.core.calendar import Instant, parse_instant
from laurels.core.declared_fields import read_attributes, read_fields
from laurels.core.money import QUANTITY_ONE, parse_minor, parse_quantity
from laurels.core.rule.environment import Field
from laurels.core.shape import Problem, below, misread, problem_of
from laurels.core.voucher_activity import VOUCHER_VALUES, VoucherData, problems_of_codes
from laurels.core.wire import (
    WIRE_TYPES,
    WireAdjustment,
    WireClaim,
    WireEnrol,
    WireExtension,
    WireHold,
    WireLine,
    WireMemberChange,
    WireOpeningBalance,
    WireParcel,
    WirePart,
    WirePlay,
    WirePrize,
    WirePurchase,
    WireQuote,
    WireQuoteCancel,
    WireReinstatement,
    WireReturn,
    WireTender,
    WireTransfer,
)

FREE_TYPES: Final = frozenset(
    (
        "check_in",
        "review",
        "share",
        "profile_completed",
        "feedback",
        "referral",
        "survey_answer",
        "view",
        "complaint",
    )
)
"""Types whose data are free fields; `custom.*` are too."""

INTERNAL_TYPES: Final = frozenset(
    ("transfer_in", "transfer_back", "voucher_in", "voucher_back", "clock", "draw_prize", "draw_forfeit", "tier_kept")
)
"""Types that only Laurels itself sends."""


_CUSTOM: Final = re.compile(r"custom\.[a-z][a-z0-9_.]{0,99}")


# --- values: what `decide` reads --------------------------------------------------------------------------------------


class Line(Struct, frozen=True, gc=False):
    """A line of a purchase. `gross` is the amount before `discounts`, which are codes with what they took off."""

    line: str
    amount: int
    quantity: int
    sku: str | None
    category: str | None
    tags: tuple[str, ...]
    tax: int
    gross: int
    kind: str
    fields: dict[str, Any]
    discounts: tuple[tuple[str, int], ...] = ()


class Tender(Struct, frozen=True, gc=False):
    """How part of an order was paid."""

    kind: str
    amount: int
    redemption: str | None = None
    code: str | None = None


class Purchase(Struct, frozen=True, gc=False):
    """An order. `total` is the sum of its lines' amounts; `only_products` says that its lines are all products.

    `vouchers` are codes that it uses, as they were sent; `choices` says by group which offer the member took. `free`
    is known once its prices are judged: by line the quantity that offers gave for nothing, which earns no points by
    the piece.
    """

    order: str
    total: int
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...] = ()
    store: str | None = None
    channel: str | None = None
    fields: dict[str, Any] = {}
    only_products: bool = False
    vouchers: tuple[str, ...] = ()
    quote: str | None = None
    choices: dict[str, str | None] = {}
    free: Mapping[str, int] = {}

    @property
    def goods(self) -> int:
        """What its goods come to: the total without shipping, fees and gift cards."""
        if self.only_products:
            return self.total
        return sum([line.amount for line in self.lines if line.kind == "product"])


class Quote(Struct, frozen=True, gc=False):
    """A wish to know what a cart would cost and earn; with `reserve` to have that kept for a while."""

    quote: str
    cart: Purchase
    reserve: bool


class QuoteCancel(Struct, frozen=True, gc=False):
    """Nobody comes back for a reserved quote."""

    quote: str


class ReturnLine(Struct, frozen=True, gc=False):
    """Part of a line that comes back."""

    line: str
    quantity: int | None = None
    amount: int | None = None


class Return(Struct, frozen=True, gc=False):
    """Goods that come back; `lines` None is everything left."""

    order: str
    lines: tuple[ReturnLine, ...] | None = None
    tenders: tuple[Tender, ...] | None = None


class Free(Struct, frozen=True, gc=False):
    """Fields of an activity whose program declares them; and what `tier_kept` says."""

    fields: dict[str, Any] = {}


class Enrol(Struct, frozen=True, gc=False):
    """Joining."""

    attributes: dict[str, Any] = {}
    referral_code: str | None = None
    time_zone: str | None = None


class MemberChange(Struct, frozen=True, gc=False):
    """New attribute values; None removes."""

    attributes: dict[str, Any]


class Adjustment(Struct, frozen=True, gc=False):
    """Points given (positive) or taken (negative) by a person, with a reason."""

    wallet: str
    points: int
    reason: str
    expires_at: Instant | None = None


class OpeningLot(Struct, frozen=True, gc=False):
    """A lot from another system."""

    points: int
    earned_at: Instant
    expires_at: Instant | None


class OpeningBalance(Struct, frozen=True, gc=False):
    """What a member brings from another system."""

    wallet: str
    lots: tuple[OpeningLot, ...]


class Transfer(Struct, frozen=True, gc=False):
    """Points that go to another member."""

    to: str
    wallet: str
    points: int


class Parcel(Struct, frozen=True, gc=False):
    """Points that arrive from `counterpart`, or come back after it refused them."""

    counterpart: str
    wallet: str
    lots: tuple[WirePart, ...]


class Extension(Struct, frozen=True, gc=False):
    """A later expiry for lots (None: all of the wallet)."""

    wallet: str
    expires_at: Instant | None
    reason: str
    lots: tuple[str, ...] | None = None


class Reinstatement(Struct, frozen=True, gc=False):
    """Expired points that come back."""

    wallet: str
    lots: tuple[str, ...]
    expires_at: Instant | None
    reason: str


class Hold(Struct, frozen=True, gc=False):
    """A wish to spend points; with `hold` false at once."""

    redemption: str
    wallet: str
    points: int
    hold: bool = True


class Redeem(Struct, frozen=True, gc=False):
    """A wish for a reward. `points` and `cash` (minor units) are what the member pays; None is as the price says.

    `value` is the stated value of a piece. With `hold` false it is redeemed at once.
    """

    redemption: str
    reward: str
    quantity: int = 1
    points: int | None = None
    cash: int | None = None
    value: int | None = None
    hold: bool = True


class Fulfil(Struct, frozen=True, gc=False):
    """How far a redeemed reward has come."""

    redemption: str
    state: str
    carrier: str | None = None
    tracking: str | None = None
    reference: str | None = None


class Choose(Struct, frozen=True, gc=False):
    """A member's choice whether a reward is redeemed by itself."""

    reward: str
    automatic: bool


class Capture(Struct, frozen=True, gc=False):
    """Spend what is held, or part of it."""

    redemption: str
    points: int | None = None


class Cancel(Struct, frozen=True, gc=False):
    """Give back what is held."""

    redemption: str


class Play(Struct, frozen=True, gc=False):
    """A ticket of an instant draw is played."""

    draw: str


class Prize(Struct, frozen=True, gc=False):
    """A prize that was drawn for a ticket, on the terms announced."""

    draw: str
    place: int
    prize: str
    ticket: int
    quantity: int
    wallet: str | None = None
    points: int = 0
    until: Instant | None = None
    voucher: str | None = None


class Claim(Struct, frozen=True, gc=False):
    """A prize is claimed."""

    draw: str
    place: int


class Forfeit(Struct, frozen=True, gc=False):
    """A prize goes to somebody else, since its winner was erased."""

    draw: str
    place: int


class Clock(Struct, frozen=True, gc=False):
    """Time went by."""


Data = (
    Purchase
    | Quote
    | QuoteCancel
    | Return
    | Free
    | Enrol
    | MemberChange
    | Adjustment
    | OpeningBalance
    | Transfer
    | Parcel
    | Extension
    | Reinstatement
    | Hold
    | Redeem
    | Capture
    | Cancel
    | VoucherData
    | Fulfil
    | Choose
    | Play
    | Prize
    | Claim
    | Forfeit
    | Clock
)


class Activity(Struct, frozen=True, gc=False):
    """Something that a member did, parsed. (source, id) is unique for ever."""

    source: str
    id: str
    type: str
    member: str
    occurred_at: Instant
    data: Data


class Declared(Struct, frozen=True, gc=False):
    """What parsing needs of a program: the currency and the declared fields by scope or activity type."""

    currency: str
    places: int
    fields: dict[str, tuple[Field, ...]]
    required: dict[str, tuple[str, ...]] = {}


def declared_by(currency: str, places: int, fields: dict[str, tuple[Field, ...]]) -> Declared:
    """What parsing needs of a program with these declarations; what has neither option nor default is required."""
    required = {
        scope: tuple(field.name for field in of if not field.optional and field.default is None)
        for scope, of in fields.items()
    }
    return Declared(currency, places, fields, {scope: names for scope, names in required.items() if names})


# --- parsing ----------------------------------------------------------------------------------------------------------

_decoders: Final = {name: msgspec.json.Decoder(wire) for name, wire in WIRE_TYPES.items()}
_free_decoder: Final = msgspec.json.Decoder(dict[str, Any])


def is_type(name: str) -> bool:
    """Whether `name` is an activity type that exists, or a well-formed `custom.*`."""
    return name in WIRE_TYPES or name in FREE_TYPES or _CUSTOM.fullmatch(name) is not None


def parse(
    *, source: str, id: str, type: str, member: str, occurred_at: Instant, data: bytes | msgspec.Raw, declared: Declared
) -> Activity | tuple[Problem, ...]:
    """The activity that `data` (JSON) describes, or every problem found in it."""
    decoder = _decoders.get(type)
    problems: list[Problem] = []
    value: Data
    try:
        if decoder is None:
            value = Free(read_fields(_free_decoder.decode(data), type, declared, "/data", problems))
        else:
            value = _VALUES[type](decoder.decode(data), declared, problems)
    except msgspec.ValidationError as error:
        shape = dict[str, Any] if decoder is None else WIRE_TYPES[type]
        return misread(data, shape, error, "/data")
    except msgspec.DecodeError as error:
        return (problem_of(error, "/data"),)
    except UnicodeDecodeError:
        return (Problem("/data", "malformed", "is not UTF-8"),)
    except RecursionError:
        return (Problem("/data", "too_deep", "is nested too deeply"),)
    if problems:
        return tuple(problems)
    return Activity(source, id, type, member, occurred_at, value)


def _money(text: str, places: int, pointer: str, problems: list[Problem]) -> int:
    try:
        amount = parse_minor(text, places)
    except ValueError as error:
        problems.append(Problem(pointer, "invalid_amount", str(error)))
        return 0
    if amount < 0:
        problems.append(Problem(pointer, "negative_amount", "must not be negative"))
        return 0
    return amount


def _quantity(text: str, pointer: str, problems: list[Problem]) -> int:
    try:
        quantity = parse_quantity(text)
    except ValueError as error:
        problems.append(Problem(pointer, "invalid_quantity", str(error)))
        return 0
    if quantity < 0:
        problems.append(Problem(pointer, "negative_quantity", "must not be negative"))
        return 0
    return quantity


def _instant(text: str, pointer: str, problems: list[Problem]) -> Instant:
    try:
        return parse_instant(text)
    except ValueError as error:
        problems.append(Problem(pointer, "invalid_instant", str(error)))
        return 0


def _instant_or_none(text: str | None, pointer: str, problems: list[Problem]) -> Instant | None:
    return None if text is None else _instant(text, pointer, problems)


def _currency(code: str | None, declared: Declared, problems: list[Problem]) -> None:
    if code is not None and code != declared.currency:
        problems.append(Problem("/data/currency", "other_currency", f"the program's currency is {declared.currency}"))


def _tenders(wires: tuple[WireTender, ...], places: int, problems: list[Problem]) -> tuple[Tender, ...]:
    return tuple(
        Tender(
            wire.kind, _money(wire.amount, places, f"/data/tenders/{n}/amount", problems), wire.redemption, wire.code
        )
        for n, wire in enumerate(wires)
    )


def _line(wire: WireLine, n: int, declared: Declared, problems: list[Problem]) -> Line:
    places = declared.places
    try:
        amount = parse_minor(wire.amount, places)
        tax = 0 if wire.tax == "0" else parse_minor(wire.tax, places)
        quantity = QUANTITY_ONE if wire.quantity == "1" else parse_quantity(wire.quantity)
        if amount < 0 or tax < 0 or quantity < 0:
            raise ValueError
    except ValueError:
        amount = _money(wire.amount, places, f"/data/lines/{n}/amount", problems)
        tax = _money(wire.tax, places, f"/data/lines/{n}/tax", problems)
        quantity = _quantity(wire.quantity, f"/data/lines/{n}/quantity", problems)
    if tax > amount:
        problems.append(Problem(f"/data/lines/{n}/tax", "tax_exceeds_amount", "the tax is part of the amount"))
    gross = amount
    discounts: tuple[tuple[str, int], ...] = ()
    if wire.discounts:
        discounts = tuple(
            (each.code, _money(each.amount, places, f"/data/lines/{n}/discounts/{m}/amount", problems))
            for m, each in enumerate(wire.discounts)
        )
        gross += sum(off for _code, off in discounts)
    fields = wire.fields
    if fields or "line" in declared.required:
        fields = read_fields(fields, "line", declared, f"/data/lines/{n}/fields", problems)
    return Line(
        wire.line, amount, quantity, wire.sku, wire.category, wire.tags, tax, gross, wire.kind, fields, discounts
    )


def _purchase(wire: WirePurchase, declared: Declared, problems: list[Problem]) -> Purchase:
    _currency(wire.currency, declared, problems)
    lines = tuple([_line(line, n, declared, problems) for n, line in enumerate(wire.lines)])
    total = 0
    only_products = True
    for line in lines:
        total += line.amount
        if line.kind != "product":
            only_products = False
    if len(lines) > 1 and len({line.line for line in lines}) < len(lines):
        problems.append(Problem("/data/lines", "duplicate_line", "two lines have the same id"))
    tenders = _tenders(wire.tenders, declared.places, problems) if wire.tenders else ()
    if tenders and not problems and sum(tender.amount for tender in tenders) != total:
        problems.append(Problem("/data/tenders", "tenders_mismatch", "tenders must sum to the lines' amounts"))
    if tenders:
        _redemptions(tenders, problems)
    fields = wire.fields
    if fields or "purchase" in declared.required:
        fields = read_fields(fields, "purchase", declared, "/data/fields", problems)
    if wire.vouchers:
        problems.extend(problems_of_codes(wire.vouchers))
    choices = _choices(wire.choices, problems) if wire.choices else {}
    return Purchase(
        wire.order,
        total,
        lines,
        tenders,
        wire.store,
        wire.channel,
        fields,
        only_products,
        wire.vouchers,
        wire.quote,
        choices,
    )


def _choices(given: dict[str, Any], problems: list[Problem]) -> dict[str, str | None]:
    """By group the promotion chosen, or null where the member wants none of it."""
    for group, chosen in given.items():
        if chosen is not None and not isinstance(chosen, str):
            problems.append(
                Problem(below("/data/choices", group), "invalid_choice", "must name a promotion, or be null for none")
            )
    return given


def _quote(wire: WireQuote, declared: Declared, problems: list[Problem]) -> Quote:
    return Quote(wire.quote, _purchase(wire.cart, declared, problems), wire.reserve)


def _quote_cancel(wire: WireQuoteCancel, _declared: Declared, _problems: list[Problem]) -> QuoteCancel:
    return QuoteCancel(wire.quote)


def _redemptions(tenders: tuple[Tender, ...], problems: list[Problem]) -> None:
    for n, tender in enumerate(tenders):
        if tender.kind == "points" and tender.redemption is None:
            problems.append(
                Problem(f"/data/tenders/{n}/redemption", "redemption_missing", "a points tender names its redemption")
            )
    named = [tender.redemption for tender in tenders if tender.redemption is not None]
    if len(set(named)) < len(named):
        problems.append(Problem("/data/tenders", "duplicate_redemption", "two tenders name the same redemption"))


def _return(wire: WireReturn, declared: Declared, problems: list[Problem]) -> Return:
    _currency(wire.currency, declared, problems)
    places = declared.places
    lines: tuple[ReturnLine, ...] | None = None
    if wire.lines is not None:
        lines = tuple(
            ReturnLine(
                line.line,
                None if line.quantity is None else _quantity(line.quantity, f"/data/lines/{n}/quantity", problems),
                None if line.amount is None else _money(line.amount, places, f"/data/lines/{n}/amount", problems),
            )
            for n, line in enumerate(wire.lines)
        )
        if len({line.line for line in lines}) < len(lines):
            problems.append(Problem("/data/lines", "duplicate_line", "two lines have the same id"))
    tenders = None if wire.tenders is None else _tenders(wire.tenders, places, problems)
    return Return(wire.order, lines, tenders)


def _enrol(wire: WireEnrol, declared: Declared, problems: list[Problem]) -> Enrol:
    return Enrol(read_attributes(wire.attributes, declared, problems), wire.referral_code, wire.time_zone)


def _member_change(wire: WireMemberChange, declared: Declared, problems: list[Problem]) -> MemberChange:
    return MemberChange(read_attributes(wire.attributes, declared, problems, removable=True))


def _adjustment(wire: WireAdjustment, _declared: Declared, problems: list[Problem]) -> Adjustment:
    if wire.points == 0:
        problems.append(Problem("/data/points", "zero_points", "must not be zero"))
    expires_at = _instant_or_none(wire.expires_at, "/data/expires_at", problems)
    return Adjustment(wire.wallet, wire.points, wire.reason, expires_at)


def _opening_balance(wire: WireOpeningBalance, _declared: Declared, problems: list[Problem]) -> OpeningBalance:
    return OpeningBalance(
        wire.wallet,
        tuple(
            OpeningLot(
                lot.points,
                _instant(lot.earned_at, f"/data/lots/{n}/earned_at", problems),
                _instant_or_none(lot.expires_at, f"/data/lots/{n}/expires_at", problems),
            )
            for n, lot in enumerate(wire.lots)
        ),
    )


def _transfer(wire: WireTransfer, _declared: Declared, _problems: list[Problem]) -> Transfer:
    return Transfer(wire.to, wire.wallet, wire.points)


def _parcel(wire: WireParcel, _declared: Declared, _problems: list[Problem]) -> Parcel:
    return Parcel(wire.counterpart, wire.wallet, wire.lots)


def _extension(wire: WireExtension, _declared: Declared, problems: list[Problem]) -> Extension:
    expires_at = _instant_or_none(wire.expires_at, "/data/expires_at", problems)
    return Extension(wire.wallet, expires_at, wire.reason, wire.lots)


def _reinstatement(wire: WireReinstatement, _declared: Declared, problems: list[Problem]) -> Reinstatement:
    expires_at = _instant_or_none(wire.expires_at, "/data/expires_at", problems)
    return Reinstatement(wire.wallet, wire.lots, expires_at, wire.reason)


def _redemption(wire: WireHold, declared: Declared, problems: list[Problem]) -> Hold | Redeem:
    """Of a reward, or of points as money; what belongs to the other is a problem."""
    if wire.reward is None:
        if wire.wallet is None or wire.points is None:
            problems.append(Problem("/data", "redemption_of_nothing", "name a reward, or a wallet and points"))
        for name, said in (("pay", wire.pay), ("value", wire.value), ("quantity", None if wire.quantity == 1 else 1)):
            if said is not None:
                problems.append(Problem(f"/data/{name}", "needs_reward", "this belongs to a reward"))
        return Hold(wire.redemption, wire.wallet or "", wire.points or 0, wire.hold)
    for name, given in (("wallet", wire.wallet), ("points", wire.points)):
        if given is not None:
            problems.append(Problem(f"/data/{name}", "reward_has_price", "the reward says what it costs"))
    value = None if wire.value is None else _money(wire.value, declared.places, "/data/value", problems)
    points = cash = None
    if wire.pay is not None:
        points = wire.pay.points
        if wire.pay.cash is not None:
            cash = _money(wire.pay.cash, declared.places, "/data/pay/cash", problems)
    return Redeem(wire.redemption, wire.reward, wire.quantity, points, cash, value, wire.hold)


def _play(wire: WirePlay, _declared: Declared, _problems: list[Problem]) -> Play:
    return Play(wire.draw)


def _prize(wire: WirePrize, _declared: Declared, _problems: list[Problem]) -> Prize:
    return Prize(
        wire.draw, wire.place, wire.prize, wire.ticket, wire.quantity, wire.wallet, wire.points, wire.until,
        wire.voucher,
    )  # fmt: skip


def _claim(wire: WireClaim, _declared: Declared, _problems: list[Problem]) -> Claim:
    return Claim(wire.draw, wire.place)


_VALUES: Final[dict[str, Callable[[Any, Declared, list[Problem]], Data]]] = {
    "purchase": _purchase,
    "quote": _quote,
    "quote_cancel": _quote_cancel,
    "return": _return,
    "enrol": _enrol,
    "member_change": _member_change,
    "adjustment": _adjustment,
    "opening_balance": _opening_balance,
    "transfer": _transfer,
    "extension": _extension,
    "reinstatement": _reinstatement,
    "redemption": _redemption,
    "redemption_capture": lambda wire, _d, _p: Capture(wire.redemption, wire.points),
    "redemption_cancel": lambda wire, _d, _p: Cancel(wire.redemption),
    "redemption_fulfilment": lambda wire, _d, _p: Fulfil(
        wire.redemption, wire.state, wire.carrier, wire.tracking, wire.reference
    ),
    "choice": lambda wire, _d, _p: Choose(wire.reward, wire.automatic),
    "draw_play": _play,
    "draw_prize": _prize,
    "draw_claim": _claim,
    "draw_forfeit": lambda wire, _d, _p: Forfeit(wire.draw, wire.place),
    "transfer_in": _parcel,
    "transfer_back": _parcel,
    **VOUCHER_VALUES,
    "clock": lambda _wire, _d, _p: Clock(),
    "tier_kept": lambda wire, _d, _p: Free({"track": wire.track, "tier": wire.tier}),
}
