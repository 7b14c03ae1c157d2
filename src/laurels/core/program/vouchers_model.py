"""Vouchers typed: what each takes off, who may use it when and how often, and what becomes of it afterwards."""

from __future__ import annotations

from typing import Literal

import msgspec

from laurels.core.calendar import Duration, Instant
from laurels.core.program.model import After, During, Limit, Texts
from laurels.core.program.offers_model import Offer
from laurels.core.program.within_model import Within
from laurels.core.rule.check import Rule


class Until(msgspec.Struct, frozen=True, tag="until"):
    """Every voucher of this kind expires at this instant, whenever it was issued."""

    until: Instant


class WithTime(msgspec.Struct, frozen=True, tag="within"):
    """A voucher expires with the member's own time in which it was issued, else with the next one.

    For a member who has no such time, since they did not say when they were born, it does not expire.
    """

    within: Within


VoucherExpiry = After | Until | WithTime


class Voucher(msgspec.Struct, frozen=True):
    """A kind of voucher. `codes` are shared ones, which anybody may use; without any, every voucher has its own code.

    `when`, `during` and `limits` bind its use, not its issue. `per_order` is how many of the kind one order may use.
    With `on_return` "split" a partial return gives back its share of what the voucher took off, as a new voucher;
    "whole" gives the voucher back when nothing of its order is left. What comes back after its expiry expires at once,
    or lives on for `restore_grace`. `hold` is how long a checkout may reserve it.
    """

    id: str
    name: Texts
    offer: Offer
    codes: tuple[str, ...] = ()
    expires: VoucherExpiry | None = None
    when: Rule | None = None
    during: During = During()
    limits: tuple[Limit, ...] = ()
    per_order: int = 1
    transferable: bool = False
    on_return: Literal["whole", "split"] = "whole"
    hold: Duration = Duration(microseconds=30 * 60 * 1_000_000)
    was: str | None = None
    restore_grace: Duration | None = None


class VoucherGift(msgspec.Struct, frozen=True, tag="voucher"):
    """A campaign gives `count` vouchers of a kind: to everybody, or to those who stand on one of `tiers` of `track`."""

    voucher: str
    count: int = 1
    track: str = ""
    tiers: tuple[str, ...] = ()
