"""What a campaign grants: points by amount, fixed, by quantity, by a field, by brackets, or a multiple of another.

A number of points may differ by tier: `{member: 1, silver: 1.2}`. A tier that is not named has the number of the
nearest named tier below it, and nothing where there is none. Tiers are named by their id, or as `track.tier` where
two tracks have a tier of that id.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from laurels.core.money import Rate, Rounding
from laurels.core.program.document import Node
from laurels.core.program.draws_model import TICKETS
from laurels.core.program.finding import shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import (
    Choice,
    Either,
    Entries,
    Form,
    FormOf,
    ListOf,
    MapOf,
    Said,
    Variant,
    Word,
    said_or,
)
from laurels.core.program.model import (
    Base,
    Bracket,
    Brackets,
    ByTier,
    Fixed,
    Grant,
    Multiply,
    PerAmount,
    PerField,
    PerQuantity,
    Track,
)
from laurels.core.program.tracks import note_number_field
from laurels.core.program.values import AMOUNT, DOTTED, FACTOR_MOST, NAME, POSITIVE, number, whole
from laurels.core.program.vouchers_model import VoucherGift

_PARTS: Final = Choice("shipping", "fee", "gift_card", "paid_with_points", "paid_with_gift_card", "paid_with_voucher")
_ROUND: Final = Choice(*Rounding)
_AMOUNTS: Final = ("gross", "net", "net_of_tax")
_POINTS: Final = Either(number(), MapOf(DOTTED, number()))
_FACTOR: Final = Either(number(1, FACTOR_MOST), MapOf(DOTTED, number(1, FACTOR_MOST)))

TieredForm = Decimal | Entries[str, Decimal]


class PointsForm(Form):
    """A grant by amount: so many points for every so much money, or for every so much of a field."""

    wallet = Word(NAME, "the wallet they go into", required=True)
    points = Word(_POINTS, "how many points ...; may differ by tier: {member: 1, silver: 1.2}", required=True)
    per = Word(POSITIVE, "... for every so much")
    of = Word(
        DOTTED, "gross, net (as paid) or net_of_tax; or activity.field for a field of the activity; net by default"
    )
    but = Word(ListOf(_PARTS, most=5), "the parts of an order that do not count; by default all that can be named here")
    round = Word(_ROUND, "how the points of an order are rounded, once; down by default")


class FixedForm(Form):
    """A fixed grant: a number of points for the activity as a whole."""

    wallet = Word(NAME, "the wallet they go into", required=True)
    fixed = Word(_POINTS, "how many points; may differ by tier", required=True)


class PerQuantityForm(Form):
    """A grant by quantity: points for each unit on the selected lines."""

    wallet = Word(NAME, "the wallet they go into", required=True)
    per_quantity = Word(_POINTS, "how many points for each unit; may differ by tier", required=True)
    round = Word(_ROUND, "how the points of an order are rounded, once; down by default")


class MultiplyForm(Form):
    """A multiple: a further part of what another campaign grants on the selected lines."""

    wallet = Word(NAME, "the wallet they go into", required=True)
    multiply = Word(NAME, "the campaign whose points are multiplied", required=True)
    by = Word(_FACTOR, "the multiplier: 2 grants as much again; may differ by tier", required=True)
    round = Word(_ROUND, "how the points of an order are rounded, once; down by default")


class BracketForm(Form):
    """A bracket: from an amount on."""

    from_ = Word(AMOUNT, "the amount at which it begins", required=True, named="from")
    points = Word(number(), "points per `per` for the part of the amount inside this bracket")
    fixed = Word(number(), "points for the order, where this is the highest bracket that it reaches")


class BracketsForm(Form):
    """A grant by brackets: other rates, or another number of points, for larger amounts."""

    wallet = Word(NAME, "the wallet they go into", required=True)
    brackets = Word(ListOf(FormOf(BracketForm), least=1, most=100), "the brackets, the lowest first", required=True)
    per = Word(POSITIVE, "for brackets with points: for every so much money")
    of = Word[Literal["gross", "net", "net_of_tax"]](
        Choice("gross", "net", "net_of_tax"), "gross, net (as paid) or net_of_tax; net by default"
    )
    but = Word(ListOf(_PARTS, most=5), "the parts of an order that do not count; by default all that can be named here")
    round = Word(_ROUND, "how the points of an order are rounded, once; down by default")


VOUCHER_COUNT_MOST: Final = 20
"""Vouchers that are given at a time."""


class VoucherGrantForm(Form):
    """A voucher: one that the member gets; it is taken back, if unused, with what it was given for."""

    voucher = Word(
        Either(NAME, MapOf(DOTTED, NAME)),
        "the kind of voucher; may differ by tier: {silver: five, gold: ten}",
        required=True,
    )
    count = Word(whole(1, VOUCHER_COUNT_MOST), "how many of them; 1 by default")


class TicketsForm(Form):
    """A grant of tickets: so many for the activity, or for every so much money."""

    tickets = Word(NAME, "the draw that they are for", required=True)
    count = Word(_POINTS, "how many tickets ...; may differ by tier; 1 by default")
    per = Word(POSITIVE, "... for every so much money; for the activity as a whole by default")
    of = Word[Literal["gross", "net", "net_of_tax"]](
        Choice("gross", "net", "net_of_tax"), "gross, net (as paid) or net_of_tax; net by default"
    )
    but = Word(ListOf(_PARTS, most=5), "the parts of an order that do not count; by default all that can be named here")


GrantForm = VoucherGrantForm | TicketsForm | BracketsForm | MultiplyForm | PerQuantityForm | FixedForm | PointsForm

GRANT: Final = Variant[GrantForm](
    "a grant",
    {
        "voucher": VoucherGrantForm,
        "tickets": TicketsForm,
        "brackets": BracketsForm,
        "multiply": MultiplyForm,
        "per_quantity": PerQuantityForm,
        "fixed": FixedForm,
        "points": PointsForm,
    },
)


def resolve_grants(said: tuple[Said[GrantForm], ...], on: str | None, frame: Frame) -> tuple[Grant, ...]:
    """The grants of a campaign on activities of type `on` (None: unknown, so that nothing depends on it)."""
    return tuple(
        _grant(each.value, on, frame)
        for each in said
        if each.value is not None and not isinstance(each.value, VoucherGrantForm)
    )


def resolve_gifts(said: tuple[Said[GrantForm], ...], frame: Frame) -> tuple[VoucherGift, ...]:
    """What a campaign gives besides points."""
    gifts: list[VoucherGift] = []
    for each in said:
        if isinstance(each.value, VoucherGrantForm):
            count = said_or(each.value.count, 1)
            said_kind = each.value.voucher.value
            if isinstance(said_kind, Entries):
                gifts += _gifts_by_tier(said_kind, count, frame)
            else:
                kind = giveable(Said(said_kind, each.value.voucher.node), frame)
                gifts += [] if kind is None else [VoucherGift(kind, count)]
    return tuple(gifts)


def _gifts_by_tier(entries: Entries[str, str], count: int, frame: Frame) -> list[VoucherGift]:
    """A gift for each kind, with the tiers that get it. Tiers above a named one get its kind, those below all none."""
    track = _track_of(entries, frame)
    named: dict[str, str] = {}
    for name, kind, entry in entries.readable():
        if giveable(Said(kind, entry.node), frame) is not None:
            named[name.rpartition(".")[2]] = kind
    tiers: dict[str, list[str]] = {}
    current = None
    for tier in track.tiers if track else ():
        current = named.get(tier.id, current)
        if current is not None:
            tiers.setdefault(current, []).append(tier.id)
    return [VoucherGift(kind, count, track.id if track else "", tuple(ids)) for kind, ids in tiers.items()]


def giveable(said: Said[str], frame: Frame) -> str | None:
    """A kind of voucher that is given to somebody; findings where it is none, or anybody's."""
    if said.value is None or not frame.has("voucher", said.value, frame.vouchers, said.node):
        return None
    if frame.vouchers[said.value].codes:
        message = f"anybody may use {shown(said.value)}, so that it cannot be given to somebody"
        frame.notes.error("contradiction", said.node, message, "give it no code of its own")
    return said.value


PointsGrantForm = TicketsForm | BracketsForm | MultiplyForm | PerQuantityForm | FixedForm | PointsForm


def _tickets(form: TicketsForm, on: str | None, frame: Frame) -> Grant:
    """Tickets are granted as points are, into what stands for a wallet."""
    frame.has("draw", form.tickets.value, frame.draws, form.tickets.node)
    wallet = f"{TICKETS}{said_or(form.tickets, '')}"
    one = ByTier(Rate(1, 1))
    if not form.per.is_said:
        for said in (form.of, form.but):
            if said.is_said:
                message = "tickets for the activity as a whole do not depend on an amount"
                frame.notes.error("contradiction", said.node, message, 'write per: "100.00"')
        return Fixed(wallet, by_tier(form.count, frame, whole=True) if form.count.is_said else one)
    _note_needs_purchase(form.per.node, "amounts", on, frame)
    count = by_tier(form.count, frame) if form.count.is_said else one
    per = frame.money(form.per.value, form.per.node) or 1
    return PerAmount(wallet, count, per, _base(said_or(form.of, "net"), form.but))


def _grant(form: PointsGrantForm, on: str | None, frame: Frame) -> Grant:
    if isinstance(form, TicketsForm):
        return _tickets(form, on, frame)
    frame.has_wallet(form.wallet.value, form.wallet.node)
    wallet = said_or(form.wallet, "")
    match form:
        case FixedForm():
            return Fixed(wallet, by_tier(form.fixed, frame, whole=True))
        case PerQuantityForm():
            _note_needs_purchase(form.per_quantity.node, "quantities", on, frame)
            return PerQuantity(wallet, by_tier(form.per_quantity, frame), said_or(form.round, Rounding.DOWN))
        case MultiplyForm():
            round_ = said_or(form.round, Rounding.DOWN)
            return Multiply(wallet, said_or(form.multiply, ""), by_tier(form.by, frame, idle=1), round_)
        case BracketsForm():
            _note_needs_purchase(form.brackets.node, "amounts", on, frame)
            return _brackets(form, wallet, frame)
        case PointsForm():
            if said_or(form.of, "net").startswith("activity."):
                return _per_field(form, wallet, on, frame)
            return _per_amount(form, wallet, on, frame)


def _note_needs_purchase(at: Node, what: str, on: str | None, frame: Frame) -> None:
    if on not in (None, "purchase"):
        hint = "say on: purchase, or grant fixed points or points per activity.field"
        frame.notes.error("needs_purchase", at, f"{shown(str(on))} has no {what}", hint)


def _per_amount(form: PointsForm, wallet: str, on: str | None, frame: Frame) -> PerAmount:
    of = form.of.value
    _note_needs_purchase(form.points.node, "amounts", on, frame)
    if of is not None:
        frame.has("amount", of, (*_AMOUNTS, "activity.field"), form.of.node)
    if not form.per.is_said:
        frame.notes.error("missing_word", form.node, 'a grant by amount needs "per"', 'write per: "1.00"')
    base: Literal["gross", "net", "net_of_tax"] = (
        "gross" if of == "gross" else "net_of_tax" if of == "net_of_tax" else "net"
    )
    return PerAmount(
        wallet,
        by_tier(form.points, frame),
        frame.money(form.per.value, form.per.node) or 1,
        _base(base, form.but),
        said_or(form.round, Rounding.DOWN),
    )


def _base(of: Literal["gross", "net", "net_of_tax"], but: Said[tuple[Said[str], ...]]) -> Base:
    if but.value is None:
        return Base(of)
    return Base(of, frozenset(part.value for part in but.value if part.value is not None))


def _per_field(form: PointsForm, wallet: str, on: str | None, frame: Frame) -> PerField:
    field = said_or(form.of, "").removeprefix("activity.")
    if form.but.is_said:
        message = "but leaves out parts of an order, and a field has none"
        frame.notes.error("contradiction", form.but.node, message, "leave it out")
    if on is not None and on in frame.triggers:
        note_number_field(on, field, form.of.node, frame)
    return PerField(
        wallet,
        field,
        by_tier(form.points, frame),
        frame.millionths(said_or(form.per, Decimal(1)), form.per.node) or 1,
        said_or(form.round, Rounding.DOWN),
    )


def _brackets(form: BracketsForm, wallet: str, frame: Frame) -> Brackets:
    brackets: list[Bracket] = []
    sorts: set[bool] = set()
    for each in said_or(form.brackets, ()):
        bracket = each.value
        if bracket is None:
            continue
        start = frame.money(bracket.from_.value, bracket.from_.node)
        if brackets and start <= brackets[-1].start:
            frame.notes.error(
                "not_rising", bracket.from_.node, "brackets rise from one to the next", "put the lowest first"
            )
        is_fixed = bracket.fixed.is_said
        if is_fixed == bracket.points.is_said:
            frame.notes.error(
                "contradiction", bracket.node, "a bracket says either points or fixed", "keep one of them"
            )
        elif sorts and is_fixed not in sorts:
            message = "brackets with points and with fixed cannot be mixed"
            frame.notes.error("contradiction", bracket.node, message, "write two grants")
        sorts.add(is_fixed)
        fixed = _whole_points(bracket.fixed.value, bracket.fixed.node, frame) if is_fixed else None
        brackets.append(Bracket(start, None if is_fixed else frame.rate(bracket.points.value), fixed))
    if False in sorts and not form.per.is_said:
        frame.notes.error("missing_word", form.node, 'brackets with points need "per"', 'write per: "1.00"')
    if sorts == {True} and form.per.is_said:
        frame.notes.error("contradiction", form.per.node, "brackets with fixed points have no per", "leave it out")
    per = frame.money(form.per.value, form.per.node) or 1
    base = _base(said_or(form.of, "net"), form.but)
    return Brackets(wallet, tuple(brackets), per, base, said_or(form.round, Rounding.DOWN))


def _whole_points(value: Decimal | None, at: Node, frame: Frame) -> int:
    if value is None:
        return 0
    if value != value.to_integral_value():
        frame.notes.error("bad_number", at, f"{value} is not a whole number", "fixed points are whole")
    return int(value)


def by_tier(said: Said[TieredForm], frame: Frame, *, whole: bool = False, idle: int = 0) -> ByTier:
    """The rate for every tier. Tiers above a named one have its rate; `default` is for those below all named ones."""
    if not isinstance(said.value, Entries):
        if whole:
            _whole_points(said.value, said.node, frame)
        if said.value == idle:
            frame.notes.warning("idle_grant", said.node, f"{said.value} grants nothing", "leave the grant out")
        return ByTier(frame.rate(said.value))
    track = _track_of(said.value, frame)
    named = {}
    for name, value, entry in said.value.readable():
        if whole:
            _whole_points(value, entry.node, frame)
        named[name.rpartition(".")[2]] = frame.rate(value)
    tiers = {}
    current = None
    for tier in track.tiers if track else ():
        current = named.get(tier.id, current)
        if current is not None:
            tiers[tier.id] = current
    return ByTier(None, track.id if track else "", tiers)


def _track_of(entries: Entries[str, Decimal] | Entries[str, str], frame: Frame) -> Track | None:
    """The one track that has all the named tiers; findings where there is none, or more than one."""
    named = [(*name.rpartition(".")[::2], entry.key_node) for name, _, entry in entries.readable()]
    tracks = [
        track
        for track in frame.tracks.values()
        if all(name in ("", track.id) and tier in _tier_ids(track) for name, tier, _ in named)
    ]
    if len(tracks) == 1 or not named:
        return tracks[0] if tracks else None
    if tracks:
        _, tier, at = named[0]
        hint = f"write {' or '.join(f'{track.id}.{tier}' for track in tracks)}"
        frame.notes.error("ambiguous_tier", at, f"several tracks have a tier {shown(tier)}", hint)
        return None
    is_known = True
    for name, tier, at in named:
        if name and not frame.has("track", name, frame.tracks, at):
            is_known = False
        else:
            among = [frame.tracks[name]] if name else frame.tracks.values()
            is_known &= frame.has("tier", tier, [known for track in among for known in _tier_ids(track)], at)
    if is_known:
        frame.notes.error(
            "mixed_tracks", named[-1][2], "these tiers belong to several tracks", "name tiers of one track"
        )
    return None


def _tier_ids(track: Track) -> tuple[str, ...]:
    return tuple(tier.id for tier in track.tiers)
