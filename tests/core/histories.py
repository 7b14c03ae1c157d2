"""Random programs and random histories for the properties: every wallet policy, expiry, window, group and limit mixed.

Both grow from a seed, because left to itself Hypothesis prefers short histories in which little happens. A history is
a list of plain steps, so that the same one can be lived through again under another condition: with more sweeps, in
other pieces. What a step refers to (which order, which redemption) is a number taken modulo what there is.
"""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
from hypothesis import strategies as st

from laurels.core.calendar import MICROSECONDS_PER_DAY, MICROSECONDS_PER_HOUR, Instant
from tests.core.harness import Answer, World

FIELDS: dict[str, Any] = {"custom.delivered": {"order": "string"}}

PENDING: tuple[Any, ...] = ("none", "7D", {"until": "custom.delivered", "at_most": "20D"})
EXPIRES: tuple[Any, ...] = (
    "never",
    {"after": "60D"},
    {"after": "2M", "round": "month"},
    {"on": ["03-31", "09-30"], "at_least": "1M"},
    {"inactive_for": "2M"},
    {"inactive_for": "2M", "kept_by": ["check_in"]},
)
POLICIES: tuple[Any, ...] = (
    "within_balance",
    "pending_only",
    {"debt": 30, "freeze": True},
    {"debt": "unlimited", "freeze": False},
)
MODES = ("all", "best", "first", "exclusive")
WINDOWS: tuple[Any, ...] = ("calendar_year", {"year_from": "03-01"}, {"rolling": "60D"}, "anniversary", "lifetime")
MEASURES: tuple[tuple[Any, Any, Any], ...] = (
    ({"spent": "net"}, "60.00", "200.00"),
    ({"earned": "points"}, 60, 200),
    ({"earned": "points", "pending": "counts"}, 60, 200),
    ({"earned": "growth"}, 60, 200),
    ({"count": "purchase"}, 2, 4),
    ({"all": [{"spent": "net"}, {"count": "check_in"}]}, ["60.00", 1], ["100.00", 2]),
    ({"any": [{"spent": "net"}, {"count": "check_in"}]}, ["200.00", 1], ["400.00", 3]),
)

BEANS = 'has(line.category) && line.category == "beans"'


def _limits(chance: Random) -> list[dict[str, Any]]:
    over = chance.choice(("trim", "refuse"))
    choices: list[dict[str, Any]] = [
        {"per": "member", "every": "day", "points": 25, "over": over},
        {"per": "member", "every": "week", "points": 60, "over": over},
        {"per": "member", "every": "month", "times": 3},
        {"per": "member", "every": "lifetime", "points": 100, "over": over},
        {"budget": "points", "of": 120, "over": over},
        {"budget": "times", "of": 4},
        {"per": "member", "cooldown": "12H"},
    ]
    return chance.sample(choices, chance.choice((0, 0, 1, 2)))


def _limited(chance: Random, campaign: dict[str, Any]) -> dict[str, Any]:
    limits = _limits(chance)
    return {**campaign, "limits": limits} if limits else campaign


def _track(chance: Random, sliding: bool) -> dict[str, Any]:
    measure, silver, gold = chance.choice(MEASURES)
    window = chance.choice(WINDOWS)
    track: dict[str, Any] = {
        "measure": measure,
        "window": window,
        "fall": chance.choice(("to_earned", "one_step", "never")),
        "on_return": chance.choice(("stay", "fall_back")),
        "tiers": [
            {"id": "member"},
            {"id": "silver", "enter": silver, "multiply": {"points": "1.5"}},
            {"id": "gold", "enter": gold, "multiply": {"points": "1.25"}},
        ],
    }
    if chance.random() < 0.5:
        track["tiers"][1]["expires"] = {"points": "never"}
    elif not sliding and chance.random() < 0.5:
        track["tiers"][2]["expires"] = {"points": {"after": "5M"}}
    if window != "lifetime":
        track["holds_until"] = chance.choice(("this_window", "next_window"))
        if track["fall"] != "never" and chance.random() < 0.5:
            track["grace"] = "10D"
    return track


def program_of(chance: Random) -> dict[str, Any]:
    """A program document."""
    points: dict[str, Any] = {
        "pending": chance.choice(PENDING),
        "expires": chance.choice(EXPIRES),
        "when_spent": chance.choice(POLICIES),
        "hold": "5D",
        "money": {"points": 10, "worth": "1.00"},
    }
    if chance.random() < 0.5:
        points["restore_grace"] = "7D"
    rate = {"on": "purchase", "grant": {"wallet": "points", "points": "0.7", "per": "1.00"}}
    campaigns: dict[str, dict[str, Any]] = {
        "base": _limited(chance, rate),
        "growth": {"on": "purchase", "grant": {"wallet": "growth", "points": 1, "per": "1.00"}},
        "visit": _limited(chance, {"on": "check_in", "grant": {"wallet": "points", "fixed": 3}}),
    }
    extra: dict[str, dict[str, Any]] = {
        "double": {"on": "purchase", "lines": BEANS, "grant": {"wallet": "points", "multiply": "base", "by": "2.5"}},
        "big": {"on": "purchase", "when": "purchase.total >= 30.00", "grant": {"wallet": "points", "fixed": 15}},
        "small": {"on": "purchase", "when": "purchase.total < 15.00", "grant": {"wallet": "points", "fixed": 9}},
        "steps": {
            "on": "purchase",
            "grant": {
                "wallet": "points",
                "per": "1.00",
                "brackets": [{"from": "5.00", "points": "0.5"}, {"from": "25.00", "points": "1.5"}],
            },
        },
        "cups": {"on": "purchase", "lines": BEANS, "grant": {"wallet": "points", "per_quantity": "1.5"}},
        "both": {
            "on": "purchase",
            "when": "purchase.total >= 20.00 && member.wallets.points.available < 100",
            "grant": [{"wallet": "points", "fixed": 4}, {"wallet": "growth", "points": "0.3", "per": "1.00"}],
        },
    }
    for name in chance.sample(sorted(extra), chance.randint(0, 4)):
        campaigns[name] = _limited(chance, extra[name])
    free = [name for name in campaigns if name not in ("visit", "growth")]
    groups: dict[str, Any] = {}
    if len(free) >= 2 and chance.random() < 0.5:
        chance.shuffle(free)
        cut = chance.randint(1, len(free))
        groups["g"] = {"mode": chance.choice(MODES), "of": free[:cut]}
        if free[cut:]:
            groups["h"] = {"mode": chance.choice(MODES), "of": free[cut:]}
            if chance.random() < 0.5:
                groups["all_of_them"] = {"mode": chance.choice(MODES), "of": ["g", "h"]}
    document: dict[str, Any] = {
        "program": "random",
        "time_zone": chance.choice(("Asia/Shanghai", "America/New_York")),
        "currency": "CNY",
        "fields": FIELDS,
        "wallets": {"points": points, "growth": {"spendable": False}},
        "campaigns": campaigns,
    }
    if groups:
        document["groups"] = groups
    sliding = "inactive_for" in points["expires"]
    tracks = {name: _track(chance, sliding) for name in ("a", "b")[: chance.randint(0, 2)]}
    if tracks:
        document["tracks"] = tracks
    return document


class Step(msgspec.Struct, frozen=True):
    """One thing that happens `after` some time; `late` is how long ago it occurred."""

    after: Instant
    kind: str
    numbers: tuple[int, ...]
    late: Instant = 0


KINDS = (
    *("buy",) * 8,
    *("return",) * 5,
    *("redeem", "redeem", "hold", "hold", "capture", "capture", "cancel", "adjust", "send", "check_in", "delivered"),
    *("clock", "extend", "reinstate"),
)
GAPS = (
    *(0, 0, 0, MICROSECONDS_PER_HOUR, MICROSECONDS_PER_HOUR),
    *(days * MICROSECONDS_PER_DAY for days in (1, 1, 1, 2, 3, 5, 5, 17, 40, 150)),
)
LATE = (0, 0, 0, 0, MICROSECONDS_PER_HOUR, *(days * MICROSECONDS_PER_DAY for days in (2, 10, 45)))

SEEDS = st.integers(0, 2**32 - 1)


def history_of(chance: Random, steps: int) -> list[Step]:
    """So many steps."""
    history: list[Step] = []
    for _ in range(steps):
        kind = chance.choice(KINDS)
        soon = kind in ("capture", "cancel") and chance.random() < 0.8
        after = chance.choice(GAPS[:6] if soon else GAPS)
        numbers = tuple(chance.randint(0, chance.choice((9, 2000, 5000))) for _ in range(6))
        history.append(Step(after, kind, numbers, chance.choice(LATE)))
    return history


def money(minor: int) -> str:
    """Minor units as an amount: 1999 is "19.99"."""
    return f"{minor // 100}.{minor % 100:02}"


class Story:
    """A world in which steps are carried out; remembers orders and redemptions."""

    def __init__(self, document: dict[str, Any], *, world: type[World] = World) -> None:
        self.world = world(document, start="2026-01-20 10:00")
        self.orders: list[tuple[str, int]] = []
        self.redemptions: list[str] = []
        self.holds: list[str] = []
        self.lots: list[str] = []
        self.steps = 0
        for member in ("m", "n"):
            self.world.enrol(member)

    def take(self, step: Step) -> Answer:
        """Carries a step out."""
        w = self.world
        w.now += step.after
        self.steps += 1
        answer: Answer = getattr(self, f"_{step.kind}")(step.numbers, step.late)
        self.lots.extend([entry.lot for entry in answer.entries if entry.kind == "accrual" and entry.lot])
        return answer

    def _occurred(self, late: Instant) -> Instant:
        return max(self.world.now - late, self.world.instant("2026-01-20 10:00"))

    def _buy(self, n: tuple[int, ...], late: Instant) -> Answer:
        order = f"o{self.steps}"
        lines = [
            {
                "amount": money(amount),
                "quantity": str(n[5] % 3),
                **({"category": "beans"} if amount % 2 else {}),
                **({"kind": "shipping"} if amount % 7 == 3 else {}),
            }
            for amount in n[: 1 + n[4] % 3]
        ]
        data: dict[str, Any] = {}
        total = sum(n[: 1 + n[4] % 3])
        if n[3] % 3 == 0 and self.redemptions:
            redemption = self.redemptions[n[3] % len(self.redemptions)]
            known = self.world.look().documents.get(f"redemption/{redemption}")
            paid = min(getattr(known, "spent", 0) * 10, total)
            if paid:
                data["tenders"] = [
                    {"kind": "points", "amount": money(paid), "redemption": redemption},
                    {"kind": "cash", "amount": money(total - paid)},
                ]
        answer = self.world.buy(order, *lines, occurred=self._occurred(late), **data)
        if answer.refusal is None:
            self.orders.append((order, len(lines)))
        return answer

    def _return(self, n: tuple[int, ...], late: Instant) -> Answer:
        order, count = self.orders[n[0] % len(self.orders)] if self.orders else ("none", 1)
        if n[1] % 4 == 0:
            return self.world.give_back(order)
        if n[1] % 4 == 1:
            return self.world.give_back(order, str(1 + n[2] % count))
        if n[1] % 4 == 2:
            return self.world.give_back(order, {"line": str(1 + n[2] % count), "quantity": "1"})
        amount = n[3] % 1500
        return self.world.give_back(order, (str(1 + n[2] % count), money(amount)))

    def _redeem(self, n: tuple[int, ...], late: Instant) -> Answer:
        return self._spend(n, hold=False)

    def _hold(self, n: tuple[int, ...], late: Instant) -> Answer:
        return self._spend(n, hold=True)

    def _spend(self, n: tuple[int, ...], *, hold: bool) -> Answer:
        available = self.world.balance().available
        points = available if n[0] % 3 == 0 else n[0] % 40
        answer = self.world.redeem(f"r{self.steps}", max(points, 1), hold=hold)
        if answer.refusal is None:
            self.redemptions.append(f"r{self.steps}")
            self.holds.extend([f"r{self.steps}"] * hold)
        return answer

    def _capture(self, n: tuple[int, ...], late: Instant) -> Answer:
        points = None if n[1] % 2 else 1 + n[1] % 10
        return self.world.capture(self._redemption(n), points)

    def _cancel(self, n: tuple[int, ...], late: Instant) -> Answer:
        return self.world.cancel(self._redemption(n))

    def _redemption(self, n: tuple[int, ...]) -> str:
        return self.holds[-1 - n[0] % min(len(self.holds), 2)] if self.holds else "none"

    def _adjust(self, n: tuple[int, ...], late: Instant) -> Answer:
        points = n[0] % 50 - 10 or 1
        expires = None
        if points > 0 and n[1] % 2:
            expires = self.world.zone.format(self.world.now + (1 + n[1] % 30) * MICROSECONDS_PER_DAY)
        return self.world.adjust(points, expires=expires, wallet="growth" if n[2] % 5 == 0 else "points")

    def _send(self, n: tuple[int, ...], late: Instant) -> Answer:
        return self.world.send("nobody" if n[1] % 3 == 0 else "n", 1 + n[0] % 30)

    def _check_in(self, n: tuple[int, ...], late: Instant) -> Answer:
        return self.world.post("m", "check_in", occurred=self._occurred(late))

    def _delivered(self, n: tuple[int, ...], late: Instant) -> Answer:
        data = {"order": self.orders[n[0] % len(self.orders)][0]} if self.orders and n[1] % 2 else {}
        return self.world.post("m", "custom.delivered", data, occurred=self._occurred(late))

    def _clock(self, n: tuple[int, ...], late: Instant) -> Answer:
        return self.world.clock(self.world.now)

    def _extend(self, n: tuple[int, ...], late: Instant) -> Answer:
        at = self.world.now + (1 + n[0] % 200) * MICROSECONDS_PER_DAY
        body: dict[str, Any] = {"wallet": "points", "expires_at": self.world.zone.format(at), "reason": "strike"}
        lots = [lot.lot for lot in self.world.lots()]
        if lots and n[1] % 2:
            body["lots"] = [lots[n[2] % len(lots)]]
        return self.world.post("m", "extension", body)

    def _reinstate(self, n: tuple[int, ...], late: Instant) -> Answer:
        lot = self.lots[n[0] % len(self.lots)] if self.lots else "0.0"
        at = self.world.now + (1 + n[1] % 200) * MICROSECONDS_PER_DAY
        body = {
            "wallet": "points",
            "lots": [lot],
            "expires_at": self.world.zone.format(at) if n[2] % 3 else None,
            "reason": "sorry",
        }
        return self.world.post("m", "reinstatement", body)
