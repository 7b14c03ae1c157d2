"""The rewards of a version ready to decide with: conditions as functions, look-ups by id, pools by name.

Pools and limits are kept under a reward's key, its first id, whatever it is called now. A cause has a pool for each
calendar year, from which its total for the year is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from laurels.core.calendar import Instant, Period, Zone
from laurels.core.program.model import MemberLimit, Program
from laurels.core.program.rewards_model import Cause, Donation, Price, Reward
from laurels.core.rule.check import Rule
from laurels.core.rule.python import compile_rule
from laurels.core.segment import are_read

Condition = Callable[[Any, Any, Any, Any, Any], bool]


def _condition(rule: Rule | None) -> Condition | None:
    return None if rule is None else compile_rule(rule)


class CompiledReward:
    """A reward with its conditions as functions. `stock_pool` is where its pieces are counted, if they are."""

    __slots__ = ("cause", "id", "key", "limits", "prices", "reads_segments", "reward", "stock_pool", "visible", "when")

    def __init__(self, reward: Reward, key: str, cause_key: str | None) -> None:
        self.reward = reward
        self.id = reward.id
        self.key = key
        self.when = _condition(reward.when)
        self.visible = _condition(reward.visible)
        self.prices: tuple[tuple[Condition | None, Price], ...] = tuple(
            (_condition(price.when), price) for price in reward.prices
        )
        self.reads_segments = are_read((reward.when, reward.visible, *[price.when for price in reward.prices]))
        self.limits: tuple[tuple[MemberLimit, str], ...] = tuple(
            (limit, f"reward/{key}/{limit.key}") for limit in reward.limits
        )
        self.stock_pool = f"reward/{key}/stock" if reward.stock is not None else None
        self.cause = None if cause_key is None else f"cause/{cause_key}"

    def pools(self, zone: Zone, at: Instant) -> tuple[str, ...]:
        """The pools that redeeming it at an instant looks at."""
        pools = [] if self.stock_pool is None else [self.stock_pool]
        if self.cause is not None:
            pools.append(pool_of_year(self.cause, zone, at))
        return tuple(pools)


def pool_of_year(cause: str, zone: Zone, at: Instant) -> str:
    """The pool in which a cause's total for the calendar year of an instant is kept."""
    return f"{cause}/{zone.local(zone.period_start(at, Period.YEAR)).year}"


class Catalogue:
    """The rewards and causes of a version. `bounds` is the most that may be used of pools, by what they belong to."""

    __slots__ = ("bounds", "by_key", "causes", "rewards")

    def __init__(self, program: Program, reward_keys: Mapping[str, str], cause_keys: Mapping[str, str]) -> None:
        self.causes: dict[str, tuple[Cause, str]] = {
            cause.id: (cause, f"cause/{cause_keys.get(cause.id, cause.id)}") for cause in program.causes
        }
        self.rewards: dict[str, CompiledReward] = {}
        self.bounds: dict[str, int] = {
            pool: cause.yearly for cause, pool in self.causes.values() if cause.yearly is not None
        }
        for reward in program.rewards:
            gives = reward.gives
            cause_key = cause_keys.get(gives.cause, gives.cause) if isinstance(gives, Donation) else None
            each = CompiledReward(reward, reward_keys.get(reward.id, reward.id), cause_key)
            self.rewards[reward.id] = each
            if each.stock_pool is not None and reward.stock is not None:
                self.bounds[each.stock_pool] = reward.stock
        self.by_key = {each.key: each for each in self.rewards.values()}

    def bound_of(self, pool: str) -> int | None:
        """The most that may be used of a pool; None where it has no bound, or is none of a reward's or cause's."""
        return self.bounds.get(pool if pool.startswith("reward/") else pool.rpartition("/")[0])
