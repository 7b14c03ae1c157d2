"""A crowd of members at random: what they send, as Laurels gets it and as the ledger reads it.

What is sent follows from the seed alone and never from an answer, so that the same seed sends the same again. Amounts
are small and instants whole hours, so that balances run out and things fall due in the same instant.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

from laurels.intake.submission import Submission
from tests.attack.ledger import DAY, HOUR

MINUTE = 60_000_000
EARLY = 5 * MINUTE

KINDS = {
    "purchase": 33, "return": 15, "redemption": 18, "redemption_capture": 7, "redemption_cancel": 6, "adjustment": 9,
    "transfer": 5, "enrol": 0.3, "again": 5, "altered": 1,
}  # fmt: skip


class Sent(NamedTuple):
    """An activity: `data` as the ledger's method takes it, `wire` as Laurels does. None of `data`: it is malformed."""

    id: str
    type: str
    member: str
    at: int
    data: dict[str, Any] | None
    wire: str

    def submission(self) -> Submission:
        return Submission("pos", self.id, self.type, self.member, self.at, self.wire.encode())

    @property
    def content(self) -> int:
        """The same for what is the same activity."""
        return hash((self.type, self.member, self.at, repr(self.data)))


class Crowd:
    """Members `m0`, `m1`, ... and what senders know of them; `early` lets some activities occur ahead of the clock."""

    def __init__(self, chance: Random, members: int, *, early: bool) -> None:
        self.chance = chance
        self.early = early
        self.names = [f"m{n}" for n in range(members)]
        self.sent: deque[Sent] = deque(maxlen=6000)
        self._orders: dict[str, list[tuple[str, list[int]]]] = {name: [] for name in self.names}
        self._tenders: dict[str, list[tuple[str | None, int]]] = {}
        self._holds: dict[str, list[tuple[str, str, int]]] = {name: [] for name in self.names}
        self._count = 0

    def enrolments(self, at: int) -> list[Sent]:
        """Nine in ten of the members join."""
        first = self.names[: len(self.names) * 9 // 10]
        return [self._send("enrol", name, at, {}, {}) for name in first]

    def some(self, clock: int, count: int) -> list[Sent]:
        """So many activities of whoever comes."""
        sent: list[Sent] = []
        while len(sent) < count:
            name = self.chance.choice(self.names)
            what = self.chance.random()
            if what < 0.006:
                sent += self._spree(clock, name)
            elif what < 0.05:
                sent += self._checkout(clock, name)
            else:
                sent.append(self._one(clock, name))
        return sent[:count]

    def _spree(self, clock: int, name: str) -> list[Sent]:
        """Somebody spends all there is, then brings everything back: that is how one gets into debt."""
        wallet = self.chance.choice(("points", "points", "gems"))
        sent = []
        for power in reversed(range(11)):
            data = {"redemption": self._new_or_known([], "x"), "wallet": wallet, "points": 2**power, "hold": False}
            sent.append(self._send("redemption", name, clock, data, data))
        for order, _lines in self._orders[name][-12:]:
            sent.append(self._back(name, clock, order, None, None))
        return sent

    def _checkout(self, clock: int, name: str) -> list[Sent]:
        """Points are held, pay part of an order, and are captured once more; some of the order comes back."""
        chance = self.chance
        wallets = chance.choice((["points"], ["gems"], ["points", "gems"], ["points", "points"], ["stars"]))
        sent = [self._redeem(name, clock, wallet, chance.randint(1, 60)) for wallet in wallets]
        sent.append(self._purchase(name, clock, pays=len(wallets)))
        if chance.random() < 0.4:
            data = {"redemption": self._holds[name][-1][0], "points": None}
            sent.append(self._send("redemption_capture", name, clock, data, {"redemption": data["redemption"]}))
        return [*sent, *[self._return(name, clock, last=True) for _ in range(chance.choice((0, 0, 1, 3)))]]

    def spelled_otherwise(self, sent: Sent) -> Sent:
        """The same activity with its body written in another way."""
        return sent._replace(wire=json.dumps(dict(reversed(json.loads(sent.wire).items())), indent=1))

    def _one(self, clock: int, name: str) -> Sent:
        chance = self.chance
        (kind,) = chance.choices([*KINDS], [*KINDS.values()])
        at = clock - chance.choice((0, 0, 0, 0, HOUR, DAY, 9 * DAY, 70 * DAY))
        if self.early and chance.random() < 0.02:
            at = clock + chance.choice((4 * MINUTE, EARLY, EARLY + 1))
        if kind in ("again", "altered") and len(self.sent) > 2000:
            before = self.sent[chance.randrange(len(self.sent))]
            if kind == "again":
                return self.spelled_otherwise(before) if chance.random() < 0.5 else before
            if chance.random() < 0.5:
                # Mostly an old one: where two members race for an id, its batch is carried out one by one.
                return self.sent[chance.randrange(1000)]._replace(member=name)
            return before._replace(at=before.at - 1)
        wallet = chance.choice(("gems", "points", "points", "stars"))
        points = chance.choice((1, chance.randint(1, 40), chance.randint(1, 200), chance.randint(1, 900)))
        if kind == "return" and self._orders[name]:
            return self._return(name, at)
        if kind == "redemption":
            return self._redeem(name, at, wallet, points)
        if kind in ("redemption_capture", "redemption_cancel"):
            id = chance.choice([id for id, _wallet, _points in self._holds[name][-4:]] or ["none"])
            data: dict[str, Any] = {"redemption": id}
            if kind == "redemption_capture":
                data |= {"points": chance.choice((None, None, points))}
            return self._send(kind, name, at, data, {key: value for key, value in data.items() if value is not None})
        if kind == "adjustment":
            return self._adjust(name, at, clock, wallet, points)
        if kind == "transfer":
            data = {"to": chance.choice(self.names), "wallet": wallet, "points": points}
            return self._send(kind, name, at, data, data)
        if kind == "enrol":
            return self._send(kind, name, at, {}, {})
        return self._purchase(name, at)

    def _redeem(self, name: str, at: int, wallet: str, points: int) -> Sent:
        id = self._new_or_known([id for id, _wallet, _points in self._holds[name]], "x")
        data = {"redemption": id, "wallet": wallet, "points": points, "hold": self.chance.random() < 0.8}
        self._holds[name].append((id, wallet, points))
        return self._send("redemption", name, at, data, data)

    def _purchase(self, name: str, at: int, pays: int = 0) -> Sent:
        chance = self.chance
        order = self._new_or_known([order for order, _ in self._orders[name]], "o")
        lines = [
            chance.choice((1, chance.randint(1, 2000), chance.randint(1, 9000))) for _ in range(chance.randint(1, 4))
        ]
        self._orders[name].append((order, lines))
        wire: dict[str, Any] = {"order": order}
        wire["lines"] = [{"line": str(n), "amount": money(amount)} for n, amount in enumerate(lines)]
        if chance.random() < 0.01:
            wire["lines"][0]["amount"] = "1.999"  # one decimal too many
            return self._send("purchase", name, at, None, wire)
        tenders = self._paid(name, sum(lines), pays or chance.choice((0, 0, 0, 0, 0, 0, 0, 0, 0, 1)))
        if tenders:
            self._tenders[order] = tenders
            wire["tenders"] = [tender(redemption, amount) for redemption, amount in tenders]
        return self._send("purchase", name, at, {"order": order, "lines": lines, "tenders": tenders}, wire)

    def _paid(self, name: str, total: int, pays: int) -> list[tuple[str | None, int]]:
        """What pays for an order: the last redemptions, mostly for what they are worth, and cash."""
        chance = self.chance
        tenders: dict[str | None, int] = {}
        left = total
        for id, wallet, points in self._holds[name][-pays:] if pays else ():
            worth = points * 10 if wallet == "gems" else points * 2 // 3
            amount = min(chance.choice((worth, worth, worth // 2, chance.randint(1, worth + 1))), left)
            if amount > 0 and id not in tenders:
                tenders[id] = amount
                left -= amount
        return [*tenders.items(), *([(None, left)] if left else [])] if tenders else []

    def _return(self, name: str, at: int, *, last: bool = False) -> Sent:
        chance = self.chance
        order, bought = self._orders[name][-1] if last else chance.choice(self._orders[name][-25:])
        if chance.random() < 0.02:
            order = "none"
        if chance.random() < 0.25:
            return self._back(name, at, order, None, None)
        some = chance.sample(range(len(bought)), chance.randint(1, len(bought)))
        lines = {n: max(1, chance.choice((bought[n], bought[n] // 2, chance.randint(1, bought[n])))) for n in some}
        if chance.random() < 0.02:
            lines[9] = 100
        tenders: dict[str | None, int] | None = None
        if order in self._tenders and chance.random() < 0.3:
            left, tenders = sum(lines.values()), {}
            for redemption, amount in chance.sample(self._tenders[order], len(self._tenders[order])):
                if now := min(left, amount):
                    tenders[redemption] = now
                left -= now
        return self._back(name, at, order, lines, tenders)

    def _back(
        self, name: str, at: int, order: str, lines: dict[int, int] | None, tenders: dict[str | None, int] | None
    ) -> Sent:
        wire: dict[str, Any] = {"order": order}
        if lines is not None:
            wire["lines"] = [{"line": str(n), "amount": money(amount)} for n, amount in lines.items()]
        if tenders is not None:
            wire["tenders"] = [tender(redemption, amount) for redemption, amount in tenders.items()]
        return self._send("return", name, at, {"order": order, "lines": lines, "tenders": tenders}, wire)

    def _adjust(self, name: str, at: int, clock: int, wallet: str, points: int) -> Sent:
        chance = self.chance
        signed = points * chance.choice((1, 1, -1))
        expires = clock + chance.choice((-HOUR, HOUR, DAY, 5 * DAY)) if signed > 0 and chance.random() < 0.5 else None
        wire: dict[str, Any] = {"wallet": wallet, "points": signed, "reason": "chance"}
        if expires is not None:
            wire["expires_at"] = written(expires)
        return self._send("adjustment", name, at, {"wallet": wallet, "points": signed, "expires": expires}, wire)

    def _new_or_known(self, known: list[str], letter: str) -> str:
        if known and self.chance.random() < 0.03:
            return self.chance.choice(known)
        return f"{letter}{self._count}"

    def _send(self, type: str, name: str, at: int, data: dict[str, Any] | None, wire: dict[str, Any]) -> Sent:
        self._count += 1
        sent = Sent(f"a{self._count}", type, name, at, data, json.dumps(wire))
        self.sent.append(sent)
        return sent


def tender(redemption: str | None, cents: int) -> dict[str, str]:
    """What pays, as a till writes it."""
    if redemption is None:
        return {"kind": "cash", "amount": money(cents)}
    return {"kind": "points", "redemption": redemption, "amount": money(cents)}


def money(cents: int) -> str:
    """An amount as a till writes it."""
    return f"{cents // 100}.{cents % 100:02}"


def written(instant: int) -> str:
    """An instant of whole seconds in RFC 3339."""
    return datetime.fromtimestamp(instant // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
