"""An independent model of a simple program, written the obvious way with its own arithmetic, agrees with the engine.

Points are pending for seven days, live three months from activation to the end of the month, are owed without limit;
a point a yuan, and as much again on beans. Dates are `datetime`, lots a plain list that is sorted when it is needed.
"""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given

from tests.core.harness import World, shop
from tests.core.histories import SEEDS, money
from tests.core.test_laws import few

PROGRAM = shop(
    {"pending": "7D", "expires": {"after": "3M", "round": "month"}, "when_spent": {"debt": "unlimited"}},
    campaigns={
        "beans": {
            "on": "purchase",
            "lines": 'has(line.category) && line.category == "beans"',
            "grant": {"wallet": "points", "multiply": "base", "by": 2},
        }
    },
)


def end_of_month_after(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return datetime(year, month + 1, last) + timedelta(days=1)  # noqa: DTZ001 - Shanghai's clocks do not change


class Naive:
    """A member, as one would write it first."""

    def __init__(self) -> None:
        self.lots: list[dict[str, Any]] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.debt = 0

    def advance(self, now: datetime) -> None:
        while True:
            due = [lot["active"] for lot in self.lots if lot["pending"]] + [lot["expires"] for lot in self.lots]
            if not due or min(due) > now:
                return
            at = min(due)
            for lot in sorted(self.lots, key=lambda lot: int(lot["id"])):
                if lot["pending"] and lot["active"] <= at:
                    lot["pending"] = False
                    paid = min(self.debt, lot["points"])
                    self.debt -= paid
                    lot["points"] -= paid
            for lot in self.lots:
                if lot["expires"] <= at:
                    lot["expired"](lot["points"])
                    lot["points"] = 0
            self.lots = [lot for lot in self.lots if lot["points"]]

    def buy(self, id: str, lines: list[tuple[int, bool]], now: datetime, place: int) -> None:
        total = sum(amount for amount, _ in lines)
        points = total // 100
        shares = [amount * points // total for amount, _ in lines]
        rests = sorted(range(len(lines)), key=lambda n: (-(lines[n][0] * points % total), n))
        for n in rests[: points - sum(shares)]:
            shares[n] += 1
        extra = [share if beans else 0 for share, (_, beans) in zip(shares, lines, strict=True)]
        order: dict[str, Any] = {
            "lines": lines, "base": shares, "beans": extra, "back": [0] * len(lines),
            "expired": 0, "taken": 0, "forgiven": 0, "lot": place,
        }  # fmt: skip
        self.orders[id] = order
        earned = sum(shares) + sum(extra)
        if earned:
            active = now + timedelta(days=7)

            def expired(points: int) -> None:
                order["expired"] += points

            self.lots.append(
                {
                    "id": place, "points": earned, "earned": now, "active": active, "pending": True,
                    "expires": end_of_month_after(active, 3), "expired": expired,
                }
            )  # fmt: skip

    def give_back(self, id: str, n: int, amount: int) -> bool:
        order = self.orders.get(id)
        if order is None or amount == 0 or order["back"][n] + amount > order["lines"][n][0]:
            return False
        bought, before = order["lines"][n][0], order["back"][n]
        order["back"][n] += amount
        points = 0
        for earned in (order["base"][n], order["beans"][n]):
            points += earned * (before + amount) // bought - earned * before // bought
        earned = sum(order["base"]) + sum(order["beans"])
        takeable = max(earned - order["expired"] - (order["taken"] - order["forgiven"]), 0)
        excused = max(points - takeable, 0)
        order["taken"] += points
        order["forgiven"] += excused
        left = points - excused
        for lot in sorted(self.lots, key=lambda lot: (lot["id"] != order["lot"], not lot["pending"], *self.key(lot))):
            now = min(left, lot["points"])
            lot["points"] -= now
            left -= now
        self.debt += left
        self.lots = [lot for lot in self.lots if lot["points"]]
        return True

    def redeem(self, points: int) -> bool:
        available = sorted((lot for lot in self.lots if not lot["pending"]), key=self.key)
        if points > sum(lot["points"] for lot in available):
            return False
        for lot in available:
            now = min(points, lot["points"])
            lot["points"] -= now
            points -= now
        self.lots = [lot for lot in self.lots if lot["points"]]
        return True

    def key(self, lot: dict[str, Any]) -> tuple[Any, ...]:
        return lot["expires"], lot["earned"], lot["id"]


@few
@given(SEEDS)
def test_the_engine_agrees_with_a_naive_model(seed: int) -> None:
    chance = Random(seed)
    w, naive = World(PROGRAM, start="2026-01-20 10:00"), Naive()
    w.checks = False
    w.enrol()
    now = datetime(2026, 1, 20, 10)  # noqa: DTZ001 - Shanghai's clocks do not change
    for step in range(30):
        hours = chance.choice((0, 1, 24, 24 * 3, 24 * 8, 24 * 20, 24 * 45))
        now += timedelta(hours=hours)
        w.now += hours * 3_600_000_000
        naive.advance(now)
        kind = chance.choice(("buy", "buy", "return", "return", "redeem", "look"))
        if kind == "buy":
            lines = [(chance.randint(1, 5000), chance.random() < 0.5) for _ in range(chance.randint(1, 3))]
            naive.buy(f"o{step}", lines, now, len(w.members["m"].recorded) + 1)
            w.buy(f"o{step}", *[{"amount": money(a), "category": "beans" if b else "cups"} for a, b in lines])
        elif kind == "return" and naive.orders:
            id = chance.choice(sorted(naive.orders))
            n = chance.randrange(len(naive.orders[id]["lines"]))
            amount = chance.choice((chance.randint(1, 5000), naive.orders[id]["lines"][n][0]))
            answer = w.give_back(id, (str(n + 1), money(amount)))
            assert (answer.refusal is None) == naive.give_back(id, n, amount)
        elif kind == "redeem":
            points = chance.randint(1, 60)
            assert (w.redeem(f"r{step}", points).refusal is None) == naive.redeem(points)
        available = sum(lot["points"] for lot in naive.lots if not lot["pending"])
        pending = sum(lot["points"] for lot in naive.lots if lot["pending"])
        assert w.points() == (available, pending, 0, naive.debt)
        ours = [(lot.points, w.text(lot.expires_at), lot.available_at is not None) for lot in w.lots()]
        theirs = sorted(naive.lots, key=naive.key)
        assert ours == [(lot["points"], lot["expires"].strftime("%Y-%m-%d %H:%M"), lot["pending"]) for lot in theirs]
