"""The versions of a program, each in effect from an instant on, and immutable.

`Versions` holds them compiled. What occurred before the first version took effect is judged by the first one only when
that one was published as being in effect from the beginning (`effective_at` 0); otherwise nothing is in effect.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable
from typing import Literal

import msgspec

from laurels.core.activity import Activity, Choose, Declared, Play, Prize, Purchase, Quote, Redeem
from laurels.core.calendar import Instant
from laurels.core.code import is_made
from laurels.core.compiled import Compiled
from laurels.core.compiled_voucher import CompiledVoucher, equip
from laurels.core.member import NEVER
from laurels.core.pricelist import pricelist_of
from laurels.core.program.draws_model import stock_pool
from laurels.core.program.model import Program, Wallet
from laurels.core.program.renaming import names_between
from laurels.core.program.rewards_model import Reward, Tickets
from laurels.core.written import write


class Version(msgspec.Struct, frozen=True):
    """One published version; `number` counts from 1."""

    number: int
    effective_at: Instant
    program: Program


def _first_ids(
    ordered: list[Version], *of: Literal["campaigns", "promotions", "rewards", "causes"]
) -> list[dict[str, str]]:
    """For each version in the order of effect, the first ids of things that had another one before."""
    keys: list[dict[str, str]] = []
    for n, version in enumerate(ordered):
        former, known = (ordered[n - 1].program, keys[-1]) if n else (version.program, {})
        names = names_between(former, version.program)
        renamed: dict[str, str] = {}
        now: dict[str, str] = {}
        for sort in of:
            renamed.update(getattr(names, sort))
            now.update({each.id: known[each.id] for each in getattr(version.program, sort) if each.id in known})
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
        keys = _first_ids(ordered, "campaigns", "promotions")
        first_ids = zip(keys, _first_ids(ordered, "rewards"), _first_ids(ordered, "causes"), strict=True)
        self._compiled = tuple(
            Compiled(version.number, version.program, *keys) for version, keys in zip(ordered, first_ids, strict=True)
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
        self.shared_codes = frozenset(code for compiled in self._compiled for code in compiled.shared_codes)
        # Of each budget of vouchers the least that any version gives it.
        self.voucher_budgets: dict[str, int] = {}
        for compiled in self._compiled:
            for kind in compiled.vouchers.values():
                for pool, budget in kind.budget_pools:
                    self.voucher_budgets[pool] = min(self.voucher_budgets.get(pool, budget.most), budget.most)
        self.draws_chance = any(compiled.draws_chance for compiled in self._compiled)
        self.pools = tuple(dict.fromkeys(pool for compiled in self._compiled for pool in compiled.purchase_pools))
        """Every pool that a purchase may look at, in any version."""
        purchases = [compiled.trigger("purchase") for compiled in self._compiled]
        self._quoted_draws = tuple(dict.fromkeys(draw for each in purchases if each is not None for draw in each.draws))
        # Nearly everything is judged by the newest version.
        self._newest_start = self._starts[-1] if ordered else NEVER

    def of_vouchers(self, codes: tuple[str, ...], found: Container[str]) -> tuple[str, ...]:
        """Those of some codes that may be a voucher's: found in a batch, shared by a version, or of our own making."""
        return tuple([code for code in codes if code in found or code in self.shared_codes or is_made(code)])

    def shared_from(self, at: Instant) -> frozenset[str]:
        """The codes that the version in effect at an instant, or any later one, shares with everybody."""
        later = self._compiled[max(bisect_right(self._starts, at) - 1, 0) :]
        return frozenset([code for compiled in later for code in compiled.shared_codes])

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

    def newest_voucher(self, key: str) -> CompiledVoucher | None:
        """A kind of voucher by its first id, as the newest version that has it says; None where none does."""
        found = (compiled.vouchers.get(key) for compiled in reversed(self._compiled))
        return next((kind for kind in found if kind is not None), None)

    def reward(self, key: str, at: Instant) -> Reward:
        """A reward by its first id, as of an instant, else as the newest version that has it says."""
        for compiled in (self.judging(at), *reversed(self._compiled)):
            found = compiled.catalogue.by_key.get(key)
            if found is not None:
                return found.reward
        raise AssertionError(f"no version has a reward {key}")

    def pools_of(self, activity: Activity, automatic: Iterable[str], at: Instant) -> tuple[str, ...]:
        """The pools that deciding an activity may look at if it is recorded then, but for those of vouchers.

        `automatic` are the rewards that the member has chosen to be redeemed by themselves.
        """
        data = activity.data
        pools = self._pools_of_campaigns(activity)
        if isinstance(data, Play):
            pools = self._stocks(data.draw)
        elif isinstance(data, Prize):
            pools = (stock_pool(data.draw, data.prize),)
        if not automatic and not isinstance(data, Redeem | Choose):
            return pools
        now = self.judging(at)
        chosen = [now.catalogue.by_key[key] for key in automatic if key in now.catalogue.by_key]
        if isinstance(data, Redeem | Choose) and data.reward in now.catalogue.rewards:
            chosen.append(now.catalogue.rewards[data.reward])
        return tuple(dict.fromkeys([*pools, *[pool for each in chosen for pool in each.pools(now.zone, at)]]))

    def _pools_of_campaigns(self, activity: Activity) -> tuple[str, ...]:
        """The budgets of campaigns and promotions."""
        data = activity.data
        if isinstance(data, Purchase) and data.quote is not None:
            # The version that made the quote may judge it.
            return self.pools
        compiled = self.at(activity.occurred_at)
        if compiled is None:
            return ()
        if isinstance(data, Purchase | Quote):
            return compiled.purchase_pools
        trigger = compiled.trigger(activity.type)
        return () if trigger is None else trigger.pools

    def _stocks(self, draw: str) -> tuple[str, ...]:
        """The pools of a draw's prizes, whichever version has them."""
        prizes = {
            prize.id
            for version in self.versions
            for each in version.program.draws
            if each.id == draw
            for prize in each.prizes
            if prize.quantity is not None
        }
        return tuple([stock_pool(draw, prize) for prize in sorted(prizes)])

    def draws_of(self, activity: Activity, automatic: Iterable[str]) -> tuple[str, ...]:
        """The draws of which deciding an activity may want the keys: those it grants tickets of, or plays.

        Rewards are looked for in every version, since a decision says only later which one it is made by.
        """
        data = activity.data
        if isinstance(data, Play):
            return (data.draw,)
        if isinstance(data, Purchase) and data.quote is not None:
            # The version that made the quote may judge it.
            draws = self._quoted_draws
        else:
            compiled = self.at(activity.occurred_at)
            type = "purchase" if isinstance(data, Quote) else activity.type
            trigger = None if compiled is None else compiled.trigger(type)
            draws = () if trigger is None else trigger.draws
        if not automatic and not isinstance(data, Redeem | Choose):
            return draws
        keys, id = set(automatic), data.reward if isinstance(data, Redeem | Choose) else None
        bought = {
            each.reward.gives.draw
            for compiled in self._compiled
            for each in compiled.catalogue.rewards.values()
            if isinstance(each.reward.gives, Tickets) and (each.key in keys or each.id == id)
        }
        return tuple(dict.fromkeys([*draws, *sorted(bought)]))

    @property
    def declared(self) -> Declared | None:
        """What parsing needs: fields and currency of the newest version."""
        return self._compiled[-1].declared if self._compiled else None
