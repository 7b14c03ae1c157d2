"""The life of a voucher apart from its use: issued, claimed, revoked, passed on, expired, taken back.

A voucher is the member's from the moment it is issued. Its use is `voucher_use`'s. What it was given for and what its
use counted against is kept with it, so that both can be undone exactly once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct

from laurels.core.activity import Activity
from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.code import make
from laurels.core.compiled import Compiled
from laurels.core.compiled_voucher import CompiledVoucher, cooldown_key
from laurels.core.facts import (
    CooldownEnded,
    FollowUp,
    SentVoucher,
    VoucherEnded,
    VoucherIssued,
    VoucherReleased,
)
from laurels.core.folding_vouchers import open_vouchers, voucher_key, voucher_of
from laurels.core.limit import give_use_back
from laurels.core.member import IssuedVoucher
from laurels.core.refusal import Refusal
from laurels.core.voucher_activity import VoucherClaim, VoucherIssue, VoucherParcel, VoucherRevoke, VoucherTransfer

CODE_POOLS: Final = "code/"
"""What the pools of codes begin with."""

TRANSFER_IN: Final = "voucher_in"
Ended = Literal["expired", "revoked", "transferred"]


def code_pool(code: str) -> str:
    """The pool of a code that was nobody's: how often it was taken."""
    return CODE_POOLS + code


# --- coming to be -----------------------------------------------------------------------------------------------------


def issue(
    case: Case,
    compiled: Compiled,
    key: str,
    reason: str,
    label: str,
    *,
    campaign: str | None = None,
    order: str | None = None,
    worth: int | None = None,
    limits: Mapping[str, Instant] | None = None,
    pools: tuple[str, ...] = (),
    expires_at: Instant | None = None,
    redemption: str | None = None,
    of: str | None = None,
) -> str:
    """Gives the member a new voucher of a kind, by its key; its code, which is made of the activity's chance.

    `label` says what it is for, once in the activity, so that the same activity decided again gives the same code.
    """
    kind = compiled.vouchers[key]
    code = make(case.chance(f"voucher {label}"))
    until = kind.expiry(compiled.zone, case.at, case.root) if expires_at is None else expires_at
    case.emit(
        VoucherIssued(
            code, key, case.at, until, reason, compiled.number, campaign, order, worth,
            limits=dict(limits or {}), pools=pools, redemption=redemption, of=of,
        )
    )  # fmt: skip
    return code


def give(case: Case, compiled: Compiled, data: VoucherIssue) -> Refusal | None:
    """A person gives the member a voucher."""
    key = compiled.voucher_keys.get(data.voucher)
    if key is None or compiled.vouchers[key].voucher.codes:
        return Refusal("unknown_voucher", data.voucher)
    issue(case, compiled, key, "person", "given")
    return None


class Bearer:
    """A code that the member does not have yet, and may have: whose kind it is, and what taking it claims."""

    __slots__ = ("code", "expires_at", "instance", "key", "pool", "shared")

    def __init__(
        self, code: str, key: str, instance: str, pool: str | None, expires_at: Instant | None, *, shared: bool
    ) -> None:
        self.code = code
        self.key = key
        self.instance = instance
        self.pool = pool
        self.expires_at = expires_at
        self.shared = shared


class Holder(Struct, frozen=True):
    """Who a voucher is reserved for: an order, a quote, or neither, which is whichever order comes first."""

    order: str | None = None
    quote: str | None = None

    def instance(self, code: str) -> str:
        """Under which code the document of a shared code is, for this holder; no code has ":" or "/"."""
        return f"{code}:{self.order or ''}" if self.quote is None else f"{code}/{self.quote}"

    def holds(self, known: IssuedVoucher | None) -> bool:
        """Whether this is who has a voucher reserved."""
        return known is not None and known.status == "reserved" and (known.order, known.quote) == (
            self.order, self.quote,
        )  # fmt: skip


ANYBODY: Final = Holder()
"""Whichever order of the member comes first."""


def withdrawn(case: Case, compiled: Compiled, key: str | None, name: str) -> Refusal | None:
    """A refusal where nobody gets a voucher of this kind any more, or one that could not be used."""
    kind = None if key is None else compiled.vouchers.get(key)
    if kind is None or kind.voucher.codes:
        return Refusal("voucher_withdrawn", name)
    return Refusal("voucher_expired", name) if kind.is_over(compiled.zone, case.at, case.root) else None


def bearer(case: Case, compiled: Compiled, code: str, holder: Holder) -> Bearer | Refusal:
    """Whoever names the code may have it: a shared one for an order, another one for good."""
    key = compiled.shared_codes.get(code)
    if key is not None:
        return Bearer(code, key, holder.instance(code), None, None, shared=True)
    found = case.outside.code(code)
    if found is None:
        return Refusal("unknown_voucher", code)
    if found.revoked:
        return Refusal("voucher_revoked", code)
    if found.expires_at is not None and found.expires_at <= case.at:
        return Refusal("voucher_expired", code)
    pool = code_pool(code)
    if found.uses is not None and case.pools.get(pool, 0) >= found.uses:
        return Refusal("voucher_taken" if found.uses == 1 else "voucher_exhausted", code)
    shared = found.uses != 1
    instance = holder.instance(code) if shared else code
    return Bearer(code, found.voucher, instance, pool, found.expires_at, shared=shared)


def is_void(case: Case, code: str, known: IssuedVoucher) -> bool:
    """Whether a voucher that the member has cannot be used, since the batch of its code was revoked before."""
    if known.status != "issued" or known.shared:
        return False
    found = case.outside.code(code)
    return found is not None and found.revoked


def attach(case: Case, compiled: Compiled, kind: CompiledVoucher, bearing: Bearer) -> None:
    """The member takes the code."""
    until = kind.expiry(compiled.zone, case.at, case.root)
    if bearing.expires_at is not None:
        until = bearing.expires_at if until is None else min(until, bearing.expires_at)
    pools: tuple[str, ...] = ()
    if bearing.pool is not None:
        case.claim(bearing.pool, 1)
        pools = (bearing.pool,)
    case.emit(
        VoucherIssued(
            bearing.instance, bearing.key, case.at, until, "code", compiled.number, shared=bearing.shared, pools=pools
        )
    )


def claim(case: Case, compiled: Compiled, data: VoucherClaim) -> Refusal | None:
    """A code that is nobody's becomes the member's, to be used later. A shared one can only be used."""
    if voucher_of(case.draft, data.code) is not None:
        return Refusal("voucher_held", data.code)
    bearing = bearer(case, compiled, data.code, ANYBODY)
    if isinstance(bearing, Refusal):
        return bearing
    if bearing.shared:
        return Refusal("voucher_shared", data.code)
    kind = compiled.vouchers.get(bearing.key)
    if kind is None:
        return Refusal("voucher_withdrawn", data.code)
    attach(case, compiled, kind, bearing)
    return None


# --- ending -----------------------------------------------------------------------------------------------------------


def revoke(case: Case, data: VoucherRevoke) -> Refusal | None:
    """A person takes the voucher away, also from a checkout that reserved it."""
    known = voucher_of(case.draft, data.code)
    if known is None:
        return Refusal("unknown_voucher", data.code)
    if known.status not in ("issued", "reserved"):
        return Refusal(f"voucher_{known.status}", data.code)
    end(case, data.code, known, "revoked", "person")
    return None


def revoke_bought(case: Case, codes: tuple[str, ...]) -> Refusal | None:
    """Takes back the vouchers that a redemption bought, or says why not: all of them, or none.

    One that a checkout has reserved is as good as used until the checkout lets go of it.
    """
    bought = [(code, voucher_of(case.draft, code)) for code in codes]
    for code, known in bought:
        if known is None or known.status != "issued":
            return Refusal("unknown_voucher" if known is None else f"voucher_{known.status}", code)
    for code, known in bought:
        if known is not None:
            end(case, code, known, "revoked", "cancelled")
    return None


def end(case: Case, code: str, known: IssuedVoucher, status: Ended, reason: str, order: str | None = None) -> None:
    """The voucher ends; what a reservation counted is given back first."""
    if known.status == "reserved":
        release_counts(case, known)
    case.emit(VoucherEnded(code, status, case.at, reason, order))


def release_counts(case: Case, known: IssuedVoucher) -> None:
    """Limits and budgets get back what a use, or a reservation, counted; of a shared code also its own use.

    The cooldown that a reservation began ends with it, unless another use has begun a later one.
    """
    give_use_back(case, known.limits, known.pools, 1, whole=True)
    if known.shared:
        give_use_back(case, *known.counted, 1, whole=True)
    key = cooldown_key(known.voucher)
    if known.status == "reserved" and known.cooldown is not None and case.root.cooldowns.get(key) == known.cooldown:
        case.emit(CooldownEnded(key, case.at))


def run_out(case: Case, at: Instant) -> None:
    """Carries out what is due of vouchers at an instant: reservations time out, then vouchers expire."""
    opened = open_vouchers(case.draft)
    due = opened.due(at)
    if any(voucher_key(code) not in case.draft.documents for code in due):
        # All that are due until the decision's own instant, at once: each one that is asked for begins it again.
        case.draft.look_up([voucher_key(code) for code in opened.due(case.until)])
    for code in due:
        known = voucher_of(case.draft, code)
        assert known is not None, "the list of open vouchers names one that is not there"
        if known.status == "reserved":
            release_counts(case, known)
            case.emit(VoucherReleased(code, at, "timed_out"))
            known = voucher_of(case.draft, code)
        if known is not None and known.expires_at is not None and known.expires_at <= at:
            case.emit(VoucherEnded(code, "expired", at, "expired"))


# --- to another member ------------------------------------------------------------------------------------------------


def pass_on(case: Case, compiled: Compiled, activity: Activity, data: VoucherTransfer) -> Refusal | None:
    """Sends the voucher, with its code and expiry, on its way to another member."""
    if data.to == activity.member:
        return Refusal("same_member")
    known = voucher_of(case.draft, data.code)
    if known is None:
        return Refusal("unknown_voucher", data.code)
    if known.status != "issued" or is_void(case, data.code, known):
        return Refusal("voucher_revoked" if known.status == "issued" else f"voucher_{known.status}", data.code)
    kind = compiled.vouchers.get(known.voucher)
    if kind is None:
        return Refusal("voucher_withdrawn", data.code)
    if not kind.voucher.transferable:
        return Refusal("voucher_not_transferable", data.code)
    end(case, data.code, known, "transferred", "sent")
    sent = SentVoucher(data.code, known.voucher, known.expires_at, known.worth)
    follow_up = f"{activity.source}/{activity.id}/in"
    case.emit(FollowUp(data.to, follow_up, TRANSFER_IN, "", 0, (), activity.member, sent))
    return None


def receive(case: Case, compiled: Compiled, data: VoucherParcel) -> Refusal | None:
    """The voucher arrives; it is refused where the program has none of its kind any more, or its time is over."""
    if data.voucher not in compiled.vouchers:
        return Refusal("voucher_withdrawn", data.code)
    if data.expires_at is not None and data.expires_at <= case.at:
        return Refusal("voucher_expired", data.code)
    case.emit(_arrived(case, compiled, data, "transfer"))
    return None


def take_home(case: Case, compiled: Compiled, data: VoucherParcel) -> None:
    """What the other member refused is the sender's again, whatever has become of its kind meanwhile.

    It is what it was: still given for the order that it was given for, or part of another one, still counted where it
    was counted.
    """
    back = _arrived(case, compiled, data, "refused_by_recipient")
    sent = voucher_of(case.draft, data.code)
    if sent is not None:
        limits, pools = sent.counted
        back = msgspec.structs.replace(
            back, campaign=sent.campaign, order=sent.given_for, limits=limits, pools=pools, of=sent.part_of
        )
    case.emit(back)


def _arrived(case: Case, compiled: Compiled, data: VoucherParcel, reason: str) -> VoucherIssued:
    return VoucherIssued(
        data.code, data.voucher, case.at, data.expires_at, reason, compiled.number, worth=data.worth
    )  # fmt: skip
