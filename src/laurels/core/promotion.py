"""Promotions on a cart: which of them take money off, how much of which line, and why the others do not.

Each is judged by itself first (time, place, condition, lines, what it comes to on what earlier ones left, limits), then
groups choose. Of a group that chooses, every member is tried on the same cart, so that the explanation can say what
each would have given. A member's own choice goes before the group's. Where an exclusive group gives something, no
promotion of any other group is given; those outside all groups are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from laurels.core.activity import Activity, Line, Purchase
from laurels.core.calendar import Instant, LocalTime
from laurels.core.case import Case, View, balances_of
from laurels.core.compiled import Compiled, Selector
from laurels.core.facts import Contest, Deviation, LineOff, Offered, Priced
from laurels.core.granting import ActivityView, activity_view
from laurels.core.limit import room_of, use
from laurels.core.money import Rounding, allocate, floor_div
from laurels.core.pricelist import CHOOSING, CompiledGroup, CompiledPromotion, Pricelist, Unit
from laurels.core.pricing import Bid, appraise
from laurels.core.program.offers_model import Floor, MoneyOffer
from laurels.core.refusal import Refusal
from laurels.core.segment import segments_of


class Cart(msgspec.Struct, gc=False):
    """A purchase with its prices before promotions, and the moment at which it is judged."""

    purchase: Purchase
    view: View
    activity: ActivityView
    at: LocalTime
    instant: Instant
    goods: list[bool]
    """Of each line whether it is goods."""


class Result(msgspec.Struct, gc=False):
    """What a unit comes to on a cart: what became of its promotions, what is left of lines, what it takes off."""

    offered: list[Offered]
    left: list[int]
    given: int


class Judgement:
    """One cart, judged. `contests` are the choices between promotions that came up."""

    def __init__(self, case: Case, compiled: Compiled, pricelist: Pricelist, cart: Cart) -> None:
        self._case = case
        self._compiled = compiled
        self._pricelist = pricelist
        self._cart = cart
        self._lines = cart.purchase.lines
        self.contests: list[Contest] = []

    def run(self) -> list[Offered]:
        """What becomes of every promotion, in the order in which they apply."""
        left = [line.amount for line in self._lines]
        winner = self._exclusive(left) if self._pricelist.has_exclusive else None
        offered: list[Offered] = []
        for unit in self._pricelist.units:
            if isinstance(unit, CompiledPromotion):
                bid = self._bid(unit)
                if isinstance(bid, str):
                    offered.append(unit.skipped[bid])  # As most are.
                    continue
                result = self._offer(unit, bid, left)
            else:
                result = self._group(unit, left, note=True)
            if winner is not None and isinstance(unit, CompiledGroup) and unit.id != winner:
                offered += [_instead(each, "excluded") for each in result.offered]
                continue
            offered += result.offered
            left = result.left
        return offered

    def _exclusive(self, left: list[int]) -> str | None:
        """The exclusive group that keeps all other groups out: the first by priority that gives something."""
        found = [
            (-unit.priority, n, unit.id)
            for n, unit in enumerate(self._pricelist.units)
            if isinstance(unit, CompiledGroup)
            and unit.mode == "exclusive"
            and self._group(unit, left, note=False).given > 0
        ]
        return min(found)[2] if found else None

    # --- groups -------------------------------------------------------------------------------------------------------

    def _unit(self, unit: Unit, left: list[int], *, note: bool) -> Result:
        if isinstance(unit, CompiledGroup):
            return self._group(unit, left, note=note)
        bid = self._bid(unit)
        return Result([unit.skipped[bid]], left, 0) if isinstance(bid, str) else self._offer(unit, bid, left)

    def _group(self, unit: CompiledGroup, left: list[int], *, note: bool) -> Result:
        if unit.mode not in CHOOSING:
            offered: list[Offered] = []
            given = 0
            for member in unit.members:
                result = self._unit(member, left, note=note)
                offered += result.offered
                left, given = result.left, given + result.given
            return Result(offered, left, given)
        return self._choice(unit, left, note=note)

    def _choice(self, group: CompiledGroup, left: list[int], *, note: bool) -> Result:
        is_best = group.mode == "best"
        tried: list[Result] = []
        giving: list[tuple[Unit, Result]] = []
        taken: tuple[Unit, Result] | None = None
        most: tuple[int, int] | None = None
        for member in group.members:
            result = self._unit(member, left, note=note)
            tried.append(result)
            if result.given:
                giving.append((member, result))
                rank = (result.given if is_best else 0, member.priority)
                if most is None or rank > most:  # Of equals the first.
                    most, taken = rank, giving[-1]
        code = "not_best" if is_best else "not_first"
        choices = self._cart.purchase.choices
        if group.id in choices:
            chosen, code = choices[group.id], "not_chosen"
            taken = next((each for each in giving if _is_in(chosen, each[0])), None)
        if note and len(giving) > 1:
            offers = tuple([(member.id, result.given) for member, result in giving])
            self.contests.append(Contest(group.id, offers, "" if taken is None else taken[0].id))
        if taken is None:
            taken = (group, Result([], left, 0))
        offered: list[Offered] = []
        for result in tried:
            if result is taken[1] or not result.given:
                offered += result.offered
            else:
                offered += [_instead(each, code) for each in result.offered]
        return Result(offered, taken[1].left, taken[1].given)

    # --- each promotion by itself -------------------------------------------------------------------------------------

    def _offer(self, each: CompiledPromotion, bid: Bid, left: list[int]) -> Result:
        found = appraise(self._lines, left, bid)
        wanted, given, code, by = found.wanted, found.given, found.outcome, None
        if not given:
            return Result([Offered(each.id, code, wanted)], left, 0)
        if each.limits:
            room = room_of(self._case, self._compiled, each, self._cart.instant, given)
            if room.points <= 0:
                return Result([Offered(each.id, room.code, wanted, by=room.by)], left, 0)
            if room.points < given:
                found = appraise(self._lines, left, msgspec.structs.replace(bid, most=room.points))
                given, code, by = found.given, "trimmed", room.by
        lines: list[LineOff] = []
        after: list[int] = []
        for line, amount, off in zip(self._lines, left, found.lines, strict=True):
            after.append(amount - off)
            if off:
                lines.append(LineOff(line.line, off))
        if code == "trimmed" and by is None:
            by = "floor"
        return Result([Offered(each.id, code, wanted, given, tuple(lines), by)], after, given)

    def _bid(self, each: CompiledPromotion) -> Bid | str:
        """The promotion as an offer on this cart, or why it makes none; that depends on no other promotion."""
        cart, purchase = self._cart, self._cart.purchase
        if each.is_timed:
            if not each.start <= cart.instant < each.end:
                return "outside_window"
            if each.weekly is not None and not _in_hours(each.weekly.get(cart.at.weekday, ()), cart.at.second_of_day):
                return "outside_hours"
        if each.stores and purchase.store not in each.stores:
            return "outside_store"
        if each.channels and purchase.channel not in each.channels:
            return "outside_channel"
        if each.when is not None and not each.when(cart.view, purchase, cart.activity, cart.at, None):
            return "condition_not_met"
        return bid_on(cart, each, each.id, each.gives) or "no_lines"


class Offering(Protocol):
    """What makes an offer on lines: a promotion, or a kind of voucher."""

    @property
    def lines(self) -> Selector | None: ...
    @property
    def parts(self) -> tuple[Selector, ...]: ...
    @property
    def on_shipping(self) -> bool: ...
    @property
    def floor(self) -> Floor: ...
    @property
    def round(self) -> Rounding: ...


def bid_on(cart: Cart, each: Offering, code: str, gives: MoneyOffer) -> Bid | None:
    """The offer on the lines of a cart that it selects; None where these are none."""
    purchase = cart.purchase
    lines = purchase.lines
    selected: Sequence[bool]
    if each.lines is not None:
        selected = each.lines(cart.view, purchase, cart.activity, cart.at, lines)
    else:
        selected = [line.kind == "shipping" for line in lines] if each.on_shipping else cart.goods
    if True not in selected:
        return None
    if not each.parts:
        return Bid(code, gives, selected, (), each.floor, each.round)
    parts = tuple([part(cart.view, purchase, cart.activity, cart.at, lines) for part in each.parts])
    if any(True not in part for part in parts):
        return None
    return Bid(code, gives, selected, parts, each.floor, each.round)


def _in_hours(hours: Sequence[tuple[int, int]], second: int) -> bool:
    return any(start <= second < end for start, end in hours)


def _is_in(chosen: str | None, member: Unit) -> bool:
    return chosen is not None and (
        member.id == chosen or (isinstance(member, CompiledGroup) and chosen in member.holds)
    )


def _instead(offered: Offered, code: str) -> Offered:
    """What becomes of a promotion that would give something and is not given."""
    return Offered(offered.promotion, code, offered.given) if offered.given else offered


# --- carts and orders -------------------------------------------------------------------------------------------------


def cart_of(
    case: Case,
    compiled: Compiled,
    activity: Activity,
    purchase: Purchase,
    view: View,
    codes: frozenset[str],
    *,
    reads_wallets: bool,
    reads_segments: bool,
) -> Cart:
    """A purchase as promotions and vouchers see it: with what was taken off under their codes already put back."""
    if reads_wallets or reads_segments:
        view = msgspec.structs.replace(view, wallets=balances_of(case, compiled))
    if reads_segments:
        view.segments = segments_of(compiled, view, activity.occurred_at)
    seen = activity_view(activity)
    purchase = before_promotions(purchase, codes)
    return Cart(
        purchase,
        view,
        seen if seen.type == "purchase" else msgspec.structs.replace(seen, type="purchase"),
        compiled.zone.local(activity.occurred_at),
        activity.occurred_at,
        [line.kind == "product" for line in purchase.lines],
    )


def before_promotions(purchase: Purchase, codes: frozenset[str]) -> Purchase:
    """The purchase with its prices before these promotions and vouchers; what a till takes off otherwise stays off."""
    if not _takes_off(purchase, codes):
        return purchase
    lines = tuple(
        [
            msgspec.structs.replace(
                line, amount=line.amount + sum([off for code, off in line.discounts if code in codes])
            )
            if line.discounts
            else line
            for line in purchase.lines
        ]
    )
    return msgspec.structs.replace(purchase, lines=lines, total=sum([line.amount for line in lines]))


def _takes_off(purchase: Purchase, codes: frozenset[str]) -> bool:
    """Whether the till took anything off under one of these codes."""
    for line in purchase.lines:
        for code, _off in line.discounts:
            if code in codes:
                return True
    return False


def check_choices(purchase: Purchase, pricelist: Pricelist | None) -> Refusal | None:
    """A refusal where a choice names no group that chooses, or nothing that is in it."""
    for name, chosen in purchase.choices.items():
        group = None if pricelist is None else pricelist.groups.get(name)
        if group is None or group.mode not in CHOOSING:
            return Refusal("unknown_choice", name)
        if chosen is not None and not any(_is_in(chosen, member) for member in group.members):
            return Refusal("unknown_choice", f"{name}: {chosen}")
    return None


def _not_on_offer(purchase: Purchase, offered: Sequence[Offered], pricelist: Pricelist) -> Refusal | None:
    """A refusal where what was chosen gives nothing here."""
    giving = {each.promotion for each in offered if each.given or each.code == "excluded"}
    for name, chosen in purchase.choices.items():
        if chosen is None:
            continue
        named = pricelist.groups[chosen].holds if chosen in pricelist.groups else {chosen}
        if not named & giving:
            return Refusal("choice_not_offered", f"{name}: {chosen}")
    return None


def price_cart(case: Case, compiled: Compiled, pricelist: Pricelist, cart: Cart) -> Priced | Refusal:
    """What promotions take off a cart; all that they give counts. The prices before are not in it."""
    chooses = bool(cart.purchase.choices)
    refusal = check_choices(cart.purchase, pricelist) if chooses else None
    if refusal is not None:
        return refusal
    judgement = Judgement(case, compiled, pricelist, cart)
    offered = judgement.run()
    refusal = _not_on_offer(cart.purchase, offered, pricelist) if chooses else None
    if refusal is not None:
        return refusal
    return Priced(compiled.number, (), tuple(offered), tuple(judgement.contests))


def prices_before(purchase: Purchase) -> tuple[LineOff, ...]:
    """The prices of the lines of a purchase that was put back to what it cost before promotions."""
    return tuple([LineOff(line.line, line.amount) for line in purchase.lines])


def after_promotions(cart: Purchase, priced: Priced) -> Purchase:
    """The cart as it would be paid: prices with what promotions give taken off, line by line."""
    off: dict[str, list[tuple[str, int]]] = {}
    for each in priced.offers:
        for line in each.lines:
            off.setdefault(line.line, []).append((each.promotion, line.amount))
    lines: list[Line] = []
    for line_of in cart.lines:
        found = off.get(line_of.line)
        if found is None:
            lines.append(line_of)
            continue
        amount = line_of.amount - sum([part for _code, part in found])
        tax = floor_div(line_of.tax * amount, line_of.amount)
        own = tuple([each for each in line_of.discounts if each[0] not in {code for code, _ in found}])
        lines.append(msgspec.structs.replace(line_of, amount=amount, tax=tax, discounts=(*own, *found)))
    return msgspec.structs.replace(cart, lines=tuple(lines), total=sum([line.amount for line in lines]))


Taken = Mapping[tuple[str, str], int]
"""What a till took off, by line and code."""


def deviations_of(priced: Priced, taken: Taken) -> tuple[Deviation, ...]:
    """What the till took off beyond what is given, by line and code; negative where it took less."""
    if not taken:
        return tuple(
            [Deviation(line.line, each.promotion, -line.amount) for each in priced.offers for line in each.lines]
        )
    ours = {(line.line, each.promotion): line.amount for each in priced.offers for line in each.lines}
    if ours == taken:
        return ()
    return tuple(
        [
            Deviation(*key, taken.get(key, 0) - ours.get(key, 0))
            for key in dict.fromkeys((*ours, *taken))
            if taken.get(key, 0) != ours.get(key, 0)
        ]
    )


def taken_by_till(purchase: Purchase, codes: frozenset[str]) -> dict[tuple[str, str], int]:
    """What the till took off under these codes, by line and code."""
    taken: dict[tuple[str, str], int] = {}
    for line in purchase.lines:
        for code, off in line.discounts:
            if code in codes:
                taken[line.line, code] = taken.get((line.line, code), 0) + off
    return taken


def as_taken(priced: Priced, taken: Taken) -> Priced:
    """The same for an order that the till priced by itself: what counts is what it took off, as far as it was given.

    Of a promotion that is judged line by line, of a voucher, which is used up, by all of them together.
    """
    if not taken and not priced.takes_off:
        return priced
    offers = [
        msgspec.structs.replace(each, lines=_counted(each, taken)) if each.lines else each for each in priced.offers
    ]
    return msgspec.structs.replace(priced, offers=tuple(offers), deviations=deviations_of(priced, taken))


def _counted(each: Offered, taken: Taken) -> tuple[LineOff, ...]:
    if not taken:
        return ()
    return _of_promotion(each, taken) if each.voucher is None else counted_of_voucher(each, taken)


def _of_promotion(each: Offered, taken: Taken) -> tuple[LineOff, ...]:
    return tuple(
        [
            LineOff(line.line, off)
            for line in each.lines
            if (off := min(line.amount, taken.get((line.line, each.promotion), 0)))
        ]
    )


def counted_of_voucher(each: Offered, taken: Taken) -> tuple[LineOff, ...]:
    """What counts as taken off by a voucher, where the till took it off."""
    found = {line: off for (line, code), off in taken.items() if code == each.promotion}
    room = min(each.given, sum(found.values()))
    parts = allocate(room, tuple(found.values())) if room else ()
    return tuple([LineOff(line, part) for line, part in zip(found, parts, strict=bool(parts)) if part])


def count(case: Case, compiled: Compiled, pricelist: Pricelist, priced: Priced, instant: Instant) -> Priced:
    """Counts what was given against limits and budgets; the same with which ones those are."""
    offers: list[Offered] = []
    counts = False
    for each in priced.offers:
        if not each.lines:
            offers.append(each)
            continue
        given = sum([line.amount for line in each.lines])
        promotion = pricelist.promotions.get(each.promotion)
        if not given or promotion is None or not promotion.limits:
            offers.append(each)
            continue
        limits, pools = use(case, compiled, promotion, instant, given, True)
        offers.append(msgspec.structs.replace(each, limits=limits, pools=pools))
        counts = True
    return msgspec.structs.replace(priced, offers=tuple(offers)) if counts else priced
