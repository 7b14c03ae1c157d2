"""The use of a voucher: whether it may be used and why not, reserved at a checkout, and which codes an order names.

An order uses a voucher once. A reservation counts against limits and budgets as a use does, so that whoever holds one
can redeem it; given back or let go of, it counts no more. Status, expiry and limits are judged at the recording;
conditions and times at the instant of the purchase, by the version of then. What one takes off is `voucher_pricing`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from laurels.core.accrual import in_hours
from laurels.core.activity import Purchase
from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.code import canonical
from laurels.core.compiled import Compiled
from laurels.core.compiled_voucher import CompiledVoucher
from laurels.core.facts import VoucherReleased, VoucherReserved
from laurels.core.folding_vouchers import voucher_of
from laurels.core.limit import room_of, use
from laurels.core.member import IssuedVoucher
from laurels.core.promotion import Cart
from laurels.core.refusal import Refusal
from laurels.core.voucher import Bearer, Holder, attach, bearer, code_pool, is_void, release_counts
from laurels.core.voucher_activity import NamesCode, VoucherRelease, VoucherReserve

_REASON_OF_ROOM: Final = {
    "cooldown": "voucher_cooldown",
    "limit_reached": "voucher_limit_reached",
    "budget_exhausted": "voucher_exhausted",
}


class Usable(msgspec.Struct, frozen=True):
    """A voucher that may be used: its kind, and under which code its document is. `bearing`: it is nobody's yet.

    `worth` is what is off where that is another amount than the offer of its kind says.
    """

    code: str
    instance: str
    kind: CompiledVoucher
    known: IssuedVoucher | None
    bearing: Bearer | None

    @property
    def worth(self) -> int | None:
        """What is off in minor units, in place of its kind's offer."""
        return None if self.known is None else self.known.worth


def usable(case: Case, compiled: Compiled, code: str, holder: Holder) -> Usable | Refusal:
    """The voucher that a code stands for, if it may be reserved for this holder; else why not.

    What depends on a cart is not judged.
    """
    found = find(case, compiled, code, (holder,))
    if isinstance(found, Refusal):
        return found
    reason = unfit(case, compiled, found, None)
    return found if reason is None else Refusal(reason, found.code)


def find(case: Case, compiled: Compiled, code: str, holders: tuple[Holder, ...]) -> Usable | Refusal:
    """The voucher that a code stands for, if its state lets the member use it; else why not.

    One that is reserved is usable for these `holders`; for the first one, a shared code is the member's.
    `compiled` is the version in effect when the purchase occurred.
    """
    code = canonical(code)
    known = voucher_of(case.draft, code)
    instance, bearing = code, None
    if known is None:
        found = bearer(case, case.versions.judging(case.at), code, holders[0])
        if isinstance(found, Refusal):
            if found.code not in ("voucher_exhausted", "voucher_expired", "voucher_revoked"):
                return found
            # Used up, over, or revoked, it is still there for the order that reserved it.
            instance, known = _reserved_for(case, code, holders)
            if known is None:
                return found
        elif found.shared:
            instance, known = _reserved_for(case, code, holders)
        if known is None:
            assert isinstance(found, Bearer)
            instance = found.instance
            known = voucher_of(case.draft, instance) if found.shared else None
            bearing = found if known is None else None
    elif is_void(case, code, known):
        return Refusal("voucher_revoked", code)
    key = bearing.key if bearing is not None else known.voucher if known is not None else ""
    kind = compiled.vouchers.get(key) or case.versions.judging(case.at).vouchers.get(key)
    if kind is None:
        return Refusal("voucher_withdrawn", code)
    if known is None or known.status == "issued" or any(holder.holds(known) for holder in holders):
        return Usable(code, instance, kind, known, bearing)
    return Refusal(f"voucher_{known.status}", code)


def _reserved_for(case: Case, code: str, holders: tuple[Holder, ...]) -> tuple[str, IssuedVoucher | None]:
    """The use of a shared code that one of these has reserved."""
    for holder in holders:
        instance = holder.instance(code)
        known = voucher_of(case.draft, instance)
        if known is not None and known.status == "reserved":
            return instance, known
    return code, None


def unfit(case: Case, compiled: Compiled, found: Usable, cart: Cart | None) -> str | None:
    """Why its times, conditions or limits keep it from being used; None where they do not."""
    kind, known = found.kind, found.known
    instant = case.at if cart is None else cart.instant
    if known is None and kind.is_over(compiled.zone, case.at, case.root):
        return "voucher_expired"
    if kind.is_timed:
        if instant < kind.start:
            return "voucher_not_yet"
        if instant >= kind.end:
            return "voucher_over"
        at = compiled.zone.local(instant)
        if kind.weekly is not None and not in_hours(kind.weekly.get(at.weekday, ()), at.second_of_day):
            return "voucher_outside_hours"
    if cart is not None and (kind.when is not None or kind.lines is not None):
        purchase = cart.purchase
        if kind.when is not None and not kind.when(cart.view, purchase, cart.activity, cart.at, None):
            return "voucher_condition_not_met"
        if kind.lines is not None and True not in kind.lines(
            cart.view, purchase, cart.activity, cart.at, purchase.lines
        ):
            return "voucher_no_lines"
    if known is None or known.status != "reserved":
        room = room_of(case, compiled, kind, case.at, 1)
        if room.points <= 0:
            return _REASON_OF_ROOM[room.code]
    return None


# --- at the checkout --------------------------------------------------------------------------------------------------


def reserve(case: Case, compiled: Compiled, data: VoucherReserve) -> Refusal | None:
    """Sets the voucher aside for an order, for as long as its kind says; asked again by the order, from now on."""
    found = usable(case, compiled, data.code, Holder(data.order))
    if isinstance(found, Refusal):
        return found
    waits = case.root.cooldowns.get(found.kind.cooldown)
    limits, pools = counted(case, compiled, found)
    until = compiled.zone.add(case.at, found.kind.voucher.hold)
    began = case.root.cooldowns.get(found.kind.cooldown)
    case.emit(
        VoucherReserved(
            found.instance, data.order, case.at, until, limits, pools, cooldown=None if began == waits else began
        )
    )
    return None


def counted(case: Case, compiled: Compiled, found: Usable) -> tuple[dict[str, Instant], tuple[str, ...]]:
    """Makes the voucher the member's and counts its use, unless it is reserved, which has counted already; where."""
    known = found.known
    if known is not None and known.status == "reserved":
        return known.limits, known.pools
    if found.bearing is not None:
        attach(case, compiled, found.kind, found.bearing)
    return use(case, compiled, found.kind, case.at, 1, True)


def release(case: Case, data: VoucherRelease) -> Refusal | None:
    """The checkout lets go of it. The code of nobody that it took stays the member's; a shared one is everybody's."""
    if let_go(case, data.code, Holder(data.order)):
        return None
    known = voucher_of(case.draft, data.code)
    return Refusal("unknown_voucher" if known is None else "voucher_not_reserved", data.code)


def let_go(case: Case, code: str, holder: Holder) -> bool:
    """Whether this holder had the voucher reserved, which it is no longer; what that counted is given back."""
    for instance in (code, holder.instance(code)):
        known = voucher_of(case.draft, instance)
        if known is not None and holder.holds(known):
            release_counts(case, known)
            case.emit(VoucherReleased(instance, case.at, "released"))
            return True
    return False


class Named(msgspec.Struct):
    """What a purchase says of one code: how much is off, line by line, and how much was paid with it."""

    lines: dict[str, int]
    tender: int = 0
    must_be: bool = False


_NO_IDS: Final[frozenset[str]] = frozenset()


def codes_of(data: Purchase, ids: frozenset[str] = _NO_IDS) -> dict[str, Named]:
    """The codes that a purchase names, in their one spelling and their order.

    A code under `vouchers` or of a tender must be a voucher's; one of a discount may as well be the till's own, and is
    no voucher's where it is among `ids`, those of promotions.
    """
    named: dict[str, Named] = {}
    for text in data.vouchers:
        named.setdefault(canonical(text), Named({})).must_be = True
    for tender in data.tenders:
        if tender.kind == "voucher" and tender.code is not None and (code := canonical(tender.code)):
            each = named.setdefault(code, Named({}))
            each.must_be = True
            each.tender += tender.amount
    for line in data.lines:
        for text, amount in line.discounts:
            if text not in ids and (code := canonical(text)):
                off = named.setdefault(code, Named({})).lines
                off[line.line] = off.get(line.line, 0) + amount
    return named


def names_codes(data: Any, compiled: Compiled | None) -> tuple[str, ...]:
    """The codes that an activity names, or its cart, for whoever looks up what is nobody's yet.

    `compiled` is the version in effect when it occurred.
    """
    data = getattr(data, "cart", data)
    if isinstance(data, Purchase):
        ids = _NO_IDS if compiled is None or compiled.pricelist is None else compiled.pricelist.ids
        return tuple(codes_of(data, ids))
    return (data.code,) if isinstance(data, NamesCode) else ()


def pools_named(codes: Iterable[str]) -> tuple[str, ...]:
    """The pools of codes that may be nobody's."""
    return tuple(code_pool(code) for code in codes)
