"""What members and people do with vouchers, as `decide` reads it, and how it is read from what was sent."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from laurels.core.calendar import Instant
from laurels.core.code import canonical
from laurels.core.shape import Problem


class VoucherIssue(Struct, frozen=True, gc=False):
    """A person gives the member a voucher of a kind."""

    voucher: str
    reason: str = ""


class VoucherClaim(Struct, frozen=True, gc=False):
    """A code that is nobody's becomes the member's."""

    code: str


class VoucherReserve(Struct, frozen=True, gc=False):
    """A checkout reserves a voucher for an order; None: for whichever order of the member comes first."""

    code: str
    order: str | None = None


class VoucherRelease(Struct, frozen=True, gc=False):
    """A checkout lets go of it."""

    code: str
    order: str | None = None


class VoucherRevoke(Struct, frozen=True, gc=False):
    """A person takes a voucher away."""

    code: str
    reason: str = ""


class VoucherTransfer(Struct, frozen=True, gc=False):
    """A voucher goes to another member."""

    code: str
    to: str


class VoucherParcel(Struct, frozen=True, gc=False):
    """A voucher arrives from `counterpart`, or comes back after it refused it."""

    counterpart: str
    code: str
    voucher: str
    expires_at: Instant | None = None
    worth: int | None = None


NamesCode = VoucherClaim | VoucherReserve | VoucherRelease | VoucherRevoke | VoucherTransfer | VoucherParcel
"""What names a voucher by its code, and nothing else does: others have codes of other sorts."""

VoucherData = VoucherIssue | NamesCode


def problems_of_codes(codes: tuple[str, ...]) -> list[Problem]:
    """What is wrong with the codes that a purchase names."""
    problems: list[Problem] = []
    spelled = [canonical(code) for code in codes]
    for n, code in enumerate(spelled):
        if not code:
            problems.append(Problem(f"/data/vouchers/{n}", "invalid_code", "is not a code"))
        elif code in spelled[:n]:
            problems.append(Problem(f"/data/vouchers/{n}", "duplicate_code", "is named twice"))
    return problems


def _code(text: str, problems: list[Problem]) -> str:
    """A code in the spelling under which it is kept."""
    code = canonical(text)
    if not code:
        problems.append(Problem("/data/code", "invalid_code", "is not a code"))
    return code


def _parcel(wire: Any, _declared: Any, _problems: list[Problem]) -> VoucherParcel:
    return VoucherParcel(wire.counterpart, wire.code, wire.voucher, wire.expires_at, wire.worth)


VOUCHER_VALUES: Final[MappingProxyType[str, Callable[[Any, Any, list[Problem]], VoucherData]]] = MappingProxyType(
    {
        "voucher_issue": lambda wire, _d, _p: VoucherIssue(wire.voucher, wire.reason),
        "voucher_claim": lambda wire, _d, p: VoucherClaim(_code(wire.code, p)),
        "voucher_reserve": lambda wire, _d, p: VoucherReserve(_code(wire.code, p), wire.order),
        "voucher_release": lambda wire, _d, p: VoucherRelease(_code(wire.code, p), wire.order),
        "voucher_revoke": lambda wire, _d, p: VoucherRevoke(_code(wire.code, p), wire.reason),
        "voucher_transfer": lambda wire, _d, p: VoucherTransfer(_code(wire.code, p), wire.to),
        "voucher_in": _parcel,
        "voucher_back": _parcel,
    }
)
"""How each type is read from its wire form."""
