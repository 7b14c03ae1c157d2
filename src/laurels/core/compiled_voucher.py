"""A kind of voucher made ready to judge by: its conditions as functions, and the names of what counts its use.

`key` is the first id that the kind ever had. Codes, facts and documents carry it, so that a kind which is renamed keeps
its vouchers.
"""

from __future__ import annotations

from collections.abc import Mapping

from laurels.core.calendar import Instant, Zone
from laurels.core.compiled import Compiled, CompiledLimit, Condition, Selector, weekly_hours
from laurels.core.member import NEVER, Root
from laurels.core.pricelist import conditions_of, parts_of
from laurels.core.program.model import Budget, During
from laurels.core.program.offers_model import Shipping
from laurels.core.program.vouchers_model import Until, Voucher, WithTime
from laurels.core.rule.python import compile_rule, compile_selector
from laurels.core.segment import are_read
from laurels.core.within import end_of_own


def cooldown_key(key: str) -> str:
    """Under which key the last use of a kind of voucher is kept."""
    return f"voucher/{key}"


class CompiledVoucher:
    """A kind of voucher. `limits` count uses; `budget_pools` are those that all members share."""

    __slots__ = (
        "budget_pools", "cooldown", "end", "floor", "gives", "id", "is_timed", "key", "limits", "lines", "on_shipping",
        "parts", "reads_segments", "reads_wallets", "round", "start", "voucher", "weekly", "when",
    )  # fmt: skip

    def __init__(self, voucher: Voucher, key: str) -> None:
        self.voucher = voucher
        self.id = self.cooldown = cooldown_key(key)
        self.key = key
        self.when: Condition | None = None if voucher.when is None else compile_rule(voucher.when)
        offer = voucher.offer
        self.gives = offer.gives
        self.lines: Selector | None = None if offer.lines is None else compile_selector(offer.lines)
        self.parts = parts_of(offer.gives)
        self.on_shipping = isinstance(offer.gives, Shipping)
        self.floor = offer.floor
        self.round = offer.round
        rules = conditions_of(voucher.when, offer)
        self.reads_wallets = any(path.startswith("member.wallets.") for rule in rules for path in rule.reads)
        self.reads_segments = are_read(rules)
        during = voucher.during
        self.start: Instant = -NEVER if during.start is None else during.start
        self.end: Instant = NEVER if during.end is None else during.end
        self.weekly = weekly_hours(during.weekly) if during.weekly else None
        self.is_timed = during != During()
        self.limits = tuple(CompiledLimit(f"voucher/{key}", limit) for limit in voucher.limits)
        for each in self.limits:
            if isinstance(each.limit, Budget):
                each.key = f"voucher/{key}/{each.limit.unit}"
        self.budget_pools = tuple((each.key, each.limit) for each in self.limits if isinstance(each.limit, Budget))

    def is_over(self, zone: Zone, at: Instant, root: Root) -> bool:
        """Whether one that is issued then to the member would have expired by then."""
        until = self.expiry(zone, at, root)
        return until is not None and until <= at

    def expiry(self, zone: Zone, issued_at: Instant, root: Root) -> Instant | None:
        """When one that is issued then to the member expires."""
        rule = self.voucher.expires
        if rule is None:
            return None
        if isinstance(rule, Until):
            return rule.until
        if isinstance(rule, WithTime):
            return end_of_own(rule.within, zone, root.enrolled_at or 0, root.attributes, issued_at)
        if rule.round is None:
            return zone.add(issued_at, rule.after)
        return zone.period_end_after(issued_at, rule.after, rule.round)


def equip(compiled: Compiled, keys: Mapping[str, str]) -> None:
    """Gives a version its kinds of voucher; `keys` maps those that had another id to their first one."""
    compiled.voucher_keys = {voucher.id: keys.get(voucher.id, voucher.id) for voucher in compiled.program.vouchers}
    compiled.vouchers = {
        compiled.voucher_keys[voucher.id]: CompiledVoucher(voucher, compiled.voucher_keys[voucher.id])
        for voucher in compiled.program.vouchers
    }
    compiled.shared_codes = {code: key for key, each in compiled.vouchers.items() for code in each.voucher.codes}
    compiled.voucher_pools = tuple(pool for each in compiled.vouchers.values() for pool, _limit in each.budget_pools)
    compiled.draws_chance = compiled.draws_chance or bool(compiled.vouchers)
