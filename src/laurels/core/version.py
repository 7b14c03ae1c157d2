"""The versions of a program, each in effect from an instant on, and immutable.

`Versions` holds them compiled. What occurred before the first version took effect is judged by the first one only when
that one was published as being in effect from the beginning (`effective_at` 0); otherwise nothing is in effect.
"""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from laurels.core.activity import Declared
from laurels.core.calendar import Instant
from laurels.core.compiled import Compiled
from laurels.core.compiled_voucher import equip
from laurels.core.member import NEVER
from laurels.core.pricelist import pricelist_of
from laurels.core.program.model import Program, Wallet
from laurels.core.program.renaming import names_between
from laurels.core.written import write


class Version(msgspec.Struct, frozen=True):
    """One published version; `number` counts from 1."""

    number: int
    effective_at: Instant
    program: Program


def _campaign_keys(ordered: list[Version]) -> list[dict[str, str]]:
    """For each version in the order of effect, the first ids of campaigns and promotions that had another before."""
    keys: list[dict[str, str]] = []
    for n, version in enumerate(ordered):
        former, known = (ordered[n - 1].program, keys[-1]) if n else (version.program, {})
        names = names_between(former, version.program)
        renamed = {**names.campaigns, **names.promotions}
        here = [*[each.id for each in version.program.campaigns], *[each.id for each in version.program.promotions]]
        now = {id: known[id] for id in here if id in known}
        keys.append({**now, **{new: known.get(old, old) for old, new in renamed.items()}})
    return keys


def _voucher_keys(ordered: list[Version]) -> list[dict[str, str]]:
    """The same for kinds of voucher. A kind that is gone for a while and comes back is the same."""
    keys: list[dict[str, str]] = []
    for n, version in enumerate(ordered):
        former, known = (ordered[n - 1].program, keys[-1]) if n else (version.program, {})
        renamed = names_between(former, version.program).vouchers
        keys.append({**known, **{new: known.get(old, old) for old, new in renamed.items()}})
    return keys


class Versions:
    """The version history of a program, by instant."""

    def __init__(self, versions: tuple[Version, ...]) -> None:
        ordered = sorted(versions, key=lambda version: (version.effective_at, version.number))
        self.versions = tuple(ordered)
        self._starts = [version.effective_at for version in ordered]
        keys = _campaign_keys(ordered)
        self._compiled = tuple(
            Compiled(version.number, version.program, campaign_keys)
            for version, campaign_keys in zip(ordered, keys, strict=True)
        )
        for compiled, voucher_keys in zip(self._compiled, _voucher_keys(ordered), strict=True):
            equip(compiled, voucher_keys)
        self._expiring = tuple(
            (start, compiled)
            for start, compiled in zip(self._starts, self._compiled, strict=True)
            if compiled.expiring_tracks
        )
        for compiled, campaign_keys in zip(self._compiled, keys, strict=True):
            compiled.pricelist = pricelist_of(compiled, campaign_keys)
            if compiled.pricelist is not None:
                compiled.purchase_pools += compiled.pricelist.pools
            for trigger in compiled.triggers.values():
                trigger.writ = write(trigger)
        self.has_vouchers = any(compiled.vouchers for compiled in self._compiled)
        # Of each budget of vouchers the least that any version gives it.
        self.voucher_budgets: dict[str, int] = {}
        for compiled in self._compiled:
            for kind in compiled.vouchers.values():
                for pool, budget in kind.budget_pools:
                    self.voucher_budgets[pool] = min(self.voucher_budgets.get(pool, budget.most), budget.most)
        self.draws_chance = any(compiled.draws_chance for compiled in self._compiled)
        self.pools = tuple(dict.fromkeys(pool for compiled in self._compiled for pool in compiled.purchase_pools))
        """Every pool that a purchase may look at, in any version."""
        # Nearly everything is judged by the newest version.
        self._newest_start = self._starts[-1] if ordered else NEVER

    def at(self, instant: Instant) -> Compiled | None:
        """The version in effect at the instant, compiled; None before the first."""
        if instant >= self._newest_start:
            return self._compiled[-1]
        place = bisect_right(self._starts, instant) - 1
        return self._compiled[place] if place >= 0 else None

    def numbered(self, number: int) -> Compiled | None:
        """The version with this number, compiled."""
        return next((compiled for compiled in self._compiled if compiled.number == number), None)

    def judging(self, instant: Instant) -> Compiled:
        """The version that judges what falls due at an instant: the one in effect, else the first."""
        if instant >= self._newest_start:
            return self._compiled[-1]
        return self.at(instant) or self._compiled[0]

    def starts_between(self, after: Instant, until: Instant) -> tuple[Instant, ...]:
        """The instants in (after, until] at which a version takes effect, in order."""
        if after >= self._newest_start:
            return ()
        return tuple(self._starts[bisect_right(self._starts, after) : bisect_right(self._starts, until)])

    def wallet(self, id: str, at: Instant) -> Wallet:
        """A wallet as of an instant: from the newest version in effect that has it, since points outlive versions."""
        place = bisect_right(self._starts, at)
        newest = self._compiled[place - 1].wallets.get(id) if place else None
        if newest is not None:
            return newest
        for compiled in (*reversed(self._compiled[:place]), *self._compiled[place:]):
            wallet = compiled.wallets.get(id)
            if wallet is not None:
                return wallet
        raise AssertionError(f"no version has a wallet {id}")

    def current(self, wallet: str, at: Instant) -> str:
        """The wallet under which the points of a wallet are kept at an instant: itself, or what it became."""
        if wallet in self.judging(at).wallets:
            return wallet
        for compiled in self._compiled[: max(bisect_right(self._starts, at), 1)]:
            wallet = compiled.heirs.get(wallet, wallet)
        return wallet

    def wallet_then(self, wallet: Wallet, then: Compiled, at: Instant) -> Wallet:
        """A wallet as another version has it, also under another id, if its points are this wallet's at an instant."""
        known = then.wallets.get(wallet.id)
        if known is not None:
            return known
        now = self.current(wallet.id, at)
        return next((each for each in then.wallets.values() if self.current(each.id, at) == now), wallet)

    def expiring_until(self, at: Instant) -> tuple[Compiled, ...]:
        """The versions in effect at an instant or before it that have tiers with an expiry of their own."""
        return tuple([compiled for start, compiled in self._expiring if start <= at])

    @property
    def declared(self) -> Declared | None:
        """What parsing needs: fields and currency of the newest version."""
        return self._compiled[-1].declared if self._compiled else None
