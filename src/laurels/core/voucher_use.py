"""The use of a voucher: whether it may be used and why not, reserved at a checkout, redeemed by an order, given back.

An order uses a voucher once. A reservation counts against limits and budgets as a use does, so that whoever holds one
can redeem it; given back or let go of, it counts no more. Status, expiry and limits are judged at the recording;
conditions and times at the instant of the purchase, by the version of then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from laurels.core.accrual import in_hours, moment_of
from laurels.core.activity import Activity, Purchase
from laurels.core.case import Case, view_of
from laurels.core.code import canonical
from laurels.core.compiled import Compiled
from laurels.core.compiled_voucher import CompiledVoucher
from laurels.core.facts import (
    LineShare,
    VoucherRedeemed,
    VoucherReleased,
    VoucherReserved,
)
from laurels.core.folding_vouchers import voucher_of
from laurels.core.limit import room_of, use
from laurels.core.member import IssuedVoucher
from laurels.core.money import allocate
from laurels.core.refusal import Refusal
from laurels.core.voucher import Bearer, attach, bearer, code_pool, release_counts
from laurels.core.voucher_activity import VoucherRelease, VoucherReserve

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


def usable(case: Case, compiled: Compiled, code: str, order: str, activity: Activity | None = None) -> Usable | Refusal:
    """The voucher that a code stands for, if the member may use it for the order; else why not.

    `compiled` is the version in effect when the purchase occurred. Without the activity of a purchase, as when a
    checkout reserves, what depends on the cart is not judged.
    """
    code = canonical(code)
    known = voucher_of(case.draft, code)
    instance, bearing = code, None
    if known is None:
        found = bearer(case, case.versions.judging(case.at), code, order)
        if isinstance(found, Refusal):
            return _of_this_order(case, compiled, code, order, found)
        instance, bearing = found.instance, found
        if found.shared:
            known = voucher_of(case.draft, instance)
            bearing = found if known is None else None
    key = bearing.key if bearing is not None else known.voucher if known is not None else ""
    kind = compiled.vouchers.get(key) or case.versions.judging(case.at).vouchers.get(key)
    if kind is None:
        return Refusal("voucher_withdrawn", code)
    reason = _stands(known, order) or _fits(case, compiled, kind, known, activity)
    if reason is not None:
        return Refusal(reason, code)
    return Usable(code, instance, kind, known, bearing)


def _of_this_order(case: Case, compiled: Compiled, code: str, order: str, otherwise: Refusal) -> Usable | Refusal:
    """A shared code that is used up, or over, is still there for the order that reserved it."""
    instance = f"{code}:{order}"
    known = voucher_of(case.draft, instance) if otherwise.code in ("voucher_exhausted", "voucher_expired") else None
    if known is None or known.status != "reserved":
        return otherwise
    kind = compiled.vouchers.get(known.voucher)
    return otherwise if kind is None else Usable(code, instance, kind, known, None)


def _stands(known: IssuedVoucher | None, order: str) -> str | None:
    """Why the state of the voucher keeps it from being used for an order."""
    if known is None or known.status == "issued" or (known.status == "reserved" and known.order == order):
        return None
    return f"voucher_{known.status}"


def _fits(
    case: Case, compiled: Compiled, kind: CompiledVoucher, known: IssuedVoucher | None, activity: Activity | None
) -> str | None:
    """Why its times, conditions or limits keep it from being used."""
    instant = case.at if activity is None else activity.occurred_at
    until = kind.expiry(compiled.zone, case.at) if known is None else None
    if until is not None and until <= case.at:
        return "voucher_expired"
    if kind.is_timed:
        if instant < kind.start:
            return "voucher_not_yet"
        if instant >= kind.end:
            return "voucher_over"
        at = compiled.zone.local(instant)
        if kind.weekly is not None and not in_hours(kind.weekly.get(at.weekday, ()), at.second_of_day):
            return "voucher_outside_hours"
    if activity is not None and (kind.when is not None or kind.lines is not None):
        view = view_of(case, compiled, case.tiers_at(instant), compiled.trigger("purchase"))
        moment = moment_of(compiled, activity, view)
        if kind.when is not None and not kind.when(moment.view, moment.purchase, moment.activity, moment.at, None):
            return "voucher_condition_not_met"
        if kind.lines is not None and True not in kind.lines(
            moment.view, moment.purchase, moment.activity, moment.at, moment.lines
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
    found = usable(case, compiled, data.code, data.order)
    if isinstance(found, Refusal):
        return found
    known = found.known
    if known is not None and known.status == "reserved":
        limits, pools = known.limits, known.pools
    else:
        if found.bearing is not None:
            attach(case, compiled, found.kind, found.bearing)
        limits, pools = use(case, compiled, found.kind, case.at, 1, True)
    until = compiled.zone.add(case.at, found.kind.voucher.hold)
    case.emit(VoucherReserved(found.instance, data.order, case.at, until, limits, pools))
    return None


def release(case: Case, data: VoucherRelease) -> Refusal | None:
    """The checkout lets go of it. The code of nobody that it took stays the member's; a shared one is everybody's."""
    for code in (data.code, f"{data.code}:{data.order}"):
        known = voucher_of(case.draft, code)
        if known is not None and known.status == "reserved" and known.order == data.order:
            release_counts(case, known)
            case.emit(VoucherReleased(code, case.at, "released"))
            return None
    known = voucher_of(case.draft, data.code)
    return Refusal("unknown_voucher" if known is None else "voucher_not_reserved", data.code)


class Named(msgspec.Struct):
    """What a purchase says of one code: how much was paid with it or is off, line by line."""

    lines: dict[str, int]
    must_be: bool = False

    @property
    def amount(self) -> int:
        """All of it."""
        return sum(self.lines.values())


def codes_of(data: Purchase) -> dict[str, Named]:
    """The codes that a purchase names, in their one spelling and their order.

    A code under `vouchers` or of a tender must be a voucher's; one of a discount may as well be the till's own.
    """
    named: dict[str, Named] = {}
    for text in data.vouchers:
        named.setdefault(canonical(text), Named({})).must_be = True
    for tender in data.tenders:
        if tender.kind == "voucher" and tender.code is not None and (code := canonical(tender.code)):
            each = named.setdefault(code, Named({}))
            each.must_be = True
            shares = allocate(tender.amount, [line.amount for line in data.lines]) if data.total else ()
            for line, share in zip(data.lines, shares, strict=bool(shares)):
                _add(each.lines, line.line, share)
    for line in data.lines:
        for text, amount in line.discounts:
            if code := canonical(text):
                _add(named.setdefault(code, Named({})).lines, line.line, amount)
    return named


def _add(lines: dict[str, int], line: str, amount: int) -> None:
    if amount:
        lines[line] = lines.get(line, 0) + amount


def names_codes(data: Any) -> tuple[str, ...]:
    """The codes that an activity names, or its cart, for whoever looks up what is nobody's yet."""
    data = getattr(data, "cart", data)
    if isinstance(data, Purchase):
        return tuple(codes_of(data)) if data.vouchers or data.tenders or _has_discounts(data) else ()
    code = getattr(data, "code", None)
    return (code,) if isinstance(code, str) and code else ()


def _has_discounts(data: Purchase) -> bool:
    return any(line.discounts for line in data.lines)


def pools_named(codes: Iterable[str]) -> tuple[str, ...]:
    """The pools of codes that may be nobody's."""
    return tuple(code_pool(code) for code in codes)


def redeem_all(case: Case, compiled: Compiled, activity: Activity, data: Purchase) -> Refusal | None:
    """The order uses the vouchers that it names. Every one of them must be usable, else the purchase is refused."""
    of_kind: dict[str, int] = {}
    for code, named in codes_of(data).items():
        found = usable(case, compiled, code, data.order, activity)
        if isinstance(found, Refusal):
            if found.code == "unknown_voucher" and not named.must_be:
                continue
            return found
        key = found.kind.key
        of_kind[key] = of_kind.get(key, 0) + 1
        if of_kind[key] > found.kind.voucher.per_order:
            return Refusal("voucher_per_order", code)
        _redeem(case, compiled, found, data.order, named)
    return None


def _redeem(case: Case, compiled: Compiled, found: Usable, order: str, named: Named) -> None:
    known = found.known
    if known is not None and known.status == "reserved":
        limits, pools = known.limits, known.pools
    else:
        if found.bearing is not None:
            attach(case, compiled, found.kind, found.bearing)
        limits, pools = use(case, compiled, found.kind, case.at, 1, True)
    lines = tuple([LineShare(line, amount) for line, amount in named.lines.items()])
    case.emit(
        VoucherRedeemed(found.instance, found.kind.key, order, case.at, named.amount, lines, limits, pools)
    )  # fmt: skip
