"""How facts about vouchers are folded in: the voucher's own document, the list of open ones, and when one is due."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from laurels.core import facts as f
from laurels.core.calendar import Instant
from laurels.core.member import IssuedVoucher, OpenVoucher, Vouchers

if TYPE_CHECKING:
    from laurels.core.apply import Draft

LIST: Final = "vouchers"
"""The key of the list of open ones."""


def voucher_key(code: str) -> str:
    """The key of a voucher's document."""
    return f"voucher/{code}"


def bare_code(instance: str) -> str:
    """The code as people know it: a document of a shared one is under more than that (`Holder.instance`)."""
    return instance.partition(":")[0].partition("/")[0]


def voucher_of(draft: Draft, code: str) -> IssuedVoucher | None:
    """What is kept of a voucher."""
    known = draft.get(voucher_key(code))
    return known if isinstance(known, IssuedVoucher) else None


class OpenVouchers:
    """The open vouchers in the hands of one draft, which changes them in place: only the first change costs a copy.

    `by_code` is the dictionary of the document that the draft holds, and becomes a value with it. When they fall due
    is noted in a heap as soon as it is asked for more than once, and kept up to date from then on: what has changed
    since it was noted is passed over.
    """

    __slots__ = ("_asked", "_noted", "by_code")

    def __init__(self, known: dict[str, OpenVoucher]) -> None:
        self.by_code = dict(known)
        self._asked = False
        self._noted: list[tuple[Instant, str]] | None = None

    def put(self, code: str, entry: OpenVoucher | None) -> None:
        """Sets the entry of a voucher; None: it is open no more."""
        if entry is None:
            self.by_code.pop(code, None)
            return
        self.by_code[code] = entry
        if self._noted is not None and entry.due_at is not None:
            heappush(self._noted, (entry.due_at, code))

    def next_due(self) -> Instant | None:
        """When the first of them falls due."""
        if self._noted is None and not self._asked:
            self._asked = True
            return min([each.due_at for each in self.by_code.values() if each.due_at is not None], default=None)
        noted = self._notes()
        while noted and not self._holds(noted[0]):
            heappop(noted)
        return noted[0][0] if noted else None

    def due(self, at: Instant) -> list[str]:
        """The codes of all that are due by an instant, in the order of codes."""
        noted = self._notes()
        found: set[str] = set()
        places = [0]
        while places:
            place = places.pop()
            if place < len(noted) and noted[place][0] <= at:
                if self._holds(noted[place]):
                    found.add(noted[place][1])
                places += (2 * place + 1, 2 * place + 2)
        return sorted(found)

    def _notes(self) -> list[tuple[Instant, str]]:
        if self._noted is None:
            dues = [(each.due_at, code) for code, each in self.by_code.items()]
            self._noted = [(due_at, code) for due_at, code in dues if due_at is not None]
            heapify(self._noted)
        return self._noted

    def _holds(self, note: tuple[Instant, str]) -> bool:
        entry = self.by_code.get(note[1])
        return entry is not None and entry.due_at == note[0]


def open_vouchers(draft: Draft) -> OpenVouchers:
    """The open ones, as the draft has them in hand."""
    if draft.vouchers is None:
        known = draft.get(LIST)
        draft.vouchers = OpenVouchers(known.open if isinstance(known, Vouchers) else {})
    return draft.vouchers


def _known(draft: Draft, code: str) -> IssuedVoucher:
    known = voucher_of(draft, code)
    assert known is not None, f"there is no voucher {code}"
    return known


def _keep(draft: Draft, code: str, voucher: IssuedVoucher) -> None:
    """Keeps a voucher's document and its place in the list."""
    draft.put(voucher_key(code), voucher)
    is_open = voucher.status in ("issued", "reserved")
    _list(draft, code, OpenVoucher(voucher.voucher, voucher.expires_at, voucher.reserved_until) if is_open else None)


def _list(draft: Draft, code: str, entry: OpenVoucher | None) -> None:
    opened = open_vouchers(draft)
    before = opened.by_code.get(code)
    opened.put(code, entry)
    draft.put(LIST, Vouchers(opened.by_code) if opened.by_code else None)
    first, due_at = draft.root.vouchers_at, None if entry is None else entry.due_at
    if due_at is not None and (first is None or due_at <= first):
        draft.root.vouchers_at = due_at
    elif first is not None and before is not None and before.due_at == first:
        draft.root.vouchers_at = opened.next_due()


def _issued(draft: Draft, fact: f.VoucherIssued) -> None:
    counted = (fact.limits, fact.pools)
    campaign, given_for = fact.campaign, fact.order
    if fact.of is not None:
        whole = _known(draft, fact.of)
        campaign, given_for = whole.campaign, whole.given_for
        if fact.code not in whole.parts:
            draft.put(voucher_key(fact.of), msgspec.structs.replace(whole, parts=(*whole.parts, fact.code)))
    _keep(
        draft,
        fact.code,
        IssuedVoucher(
            fact.voucher,
            fact.at,
            fact.reason,
            fact.expires_at,
            worth=fact.worth,
            campaign=campaign,
            given_for=given_for,
            shared=fact.shared,
            counted=counted,
            part_of=fact.of,
        ),
    )
    if fact.redemption is not None:
        bought = draft.redemption(fact.redemption)
        assert bought is not None
        bought = msgspec.structs.replace(bought, vouchers=(*bought.vouchers, fact.code))
        draft.put(f"redemption/{fact.redemption}", bought)


def _reserved(draft: Draft, fact: f.VoucherReserved) -> None:
    known = _known(draft, fact.code)
    _keep(
        draft,
        fact.code,
        msgspec.structs.replace(
            known,
            status="reserved",
            order=fact.order,
            quote=fact.quote,
            reserved_until=fact.until,
            limits=fact.limits,
            pools=fact.pools,
            cooldown=fact.cooldown if known.cooldown is None else known.cooldown,
        ),
    )


def _free(draft: Draft, code: str) -> None:
    """As if it had never been used; of a code that is everybody's, the member has nothing then."""
    known = _known(draft, code)
    if known.shared:
        draft.put(voucher_key(code), None)
        _list(draft, code, None)
        return
    _keep(
        draft,
        code,
        msgspec.structs.replace(
            known,
            status="issued",
            order=None,
            quote=None,
            reserved_until=None,
            ended_at=None,
            amount=0,
            limits={},
            pools=(),
            cooldown=None,
        ),
    )


def _released(draft: Draft, fact: f.VoucherReleased) -> None:
    _free(draft, fact.code)


def _given_back(draft: Draft, fact: f.VoucherGivenBack) -> None:
    _free(draft, fact.code)
    known = voucher_of(draft, fact.code)
    if known is not None and fact.graced_until is not None:
        _keep(draft, fact.code, msgspec.structs.replace(known, expires_at=fact.graced_until))


def _redeemed(draft: Draft, fact: f.VoucherRedeemed) -> None:
    known = _known(draft, fact.code)
    _keep(
        draft,
        fact.code,
        msgspec.structs.replace(
            known,
            status="redeemed",
            order=fact.order,
            quote=None,
            cooldown=None,
            reserved_until=None,
            ended_at=fact.at,
            amount=fact.amount,
            limits=fact.limits,
            pools=fact.pools,
        ),
    )


def _ended(draft: Draft, fact: f.VoucherEnded) -> None:
    known = _known(draft, fact.code)
    ended_at = known.ended_at if known.status == fact.status else fact.at
    _keep(
        draft,
        fact.code,
        msgspec.structs.replace(
            known, status=fact.status, reserved_until=None, ended_at=ended_at, ended_by=fact.reason
        ),
    )


VOUCHER_FOLDS: Final[MappingProxyType[type[Any], Callable[[Draft, Any], None]]] = MappingProxyType(
    {
        f.VoucherIssued: _issued,
        f.VoucherReserved: _reserved,
        f.VoucherReleased: _released,
        f.VoucherRedeemed: _redeemed,
        f.VoucherGivenBack: _given_back,
        f.VoucherEnded: _ended,
    }
)
