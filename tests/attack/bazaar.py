"""A bazaar: members who want the same last pieces, codes and budgets at the same instant, on two servers.

In each round everybody plans from what they saw before it, so that most of what they want is wanted by others, too. All
of it is sent at once, some of it twice. Then the database is read as a world of the core's own tests, in which pools
and limits are counted anew from what members have. Half the way another version with other offers is published while
everybody buys; a draw closes about then, is drawn, and its prizes are claimed or forfeited; a wheel ends later.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any, Final

import asyncpg

from laurels.clock import SetClock
from laurels.core.activity import Activity, parse
from laurels.core.calendar import MICROSECONDS_PER_HOUR, format_date, parse_date
from laurels.core.code import canonical
from laurels.core.facts import decode_facts
from laurels.core.folding_vouchers import bare_code
from laurels.core.journal import entries
from laurels.core.member import Quote
from laurels.core.refusal import Refusal
from laurels.intake.submission import Outcome, Submission
from laurels.store.codes import begin_batch, import_codes
from laurels.store.database import Database
from tests.attack.servers import Server, found, publish_announced
from tests.core.assortments import SPRING, WHEEL, program_of, shape_of
from tests.core.harness import Answer, Recorded, Stored, World, draw_keys
from tests.core.shopping import IMPORTED, KINDS, SHARED, Shop, offers_of
from tests.core.tallies import Tally, check_claims, check_orders, check_sums, check_vouchers

NAME: Final = "bazaar"
ELSEWHERE: Final = frozenset({"publish", "prize", "clock"})
"""What no member does, and the run does at its own time."""
PLANNED: Final = (*(kind for kind in KINDS if kind not in ELSEWHERE), "play", "claim")
ROUND_HOURS: Final = 14
"""How long a round lasts, on average."""
NOT_YET: Final = Answer(Refusal("unknown_member", "planned"), (), 0, frozenset())

WANTED: Final[dict[str, Any]] = {
    "campaigns": {"everybody": {
        "on": "purchase", "grant": {"wallet": "points", "fixed": 3}, "limits": [{"budget": "points", "of": 100}],
    }},
    "promotions": {"first_come": {
        "gives": {"off": "1.50"}, "limits": [{"budget": "money", "of": "40.00"}, {"budget": "times", "of": 30}],
    }},
    "vouchers": {"crowd": {
        "gives": {"off": "2.00"}, "code": ["WELCOME", "HELLO5"], "limits": [{"budget": "times", "of": 25}],
    }},
    "rewards": {"last": {
        "gives": "goods", "price": {"wallet": "points", "points": 1}, "stock": 12, "hold": "2D",
    }, "luck": {"gives": {"tickets": "spring"}, "price": {"wallet": "points", "points": 1}}},
}  # fmt: skip
"""What everybody wants and many get, beside what chance makes of the program."""


class Planner(Shop):
    """A shop that carries nothing out: what it would send is kept, planned from what the world was like."""

    def __init__(self, document: dict[str, Any], world: World, chance: Random) -> None:
        self.document = document
        self.world = world
        self.automatic = True
        self.chance = chance
        self.orders = []
        self.quotes = []
        self.redemptions = []
        self.codes = [*SHARED, *IMPORTED]
        self.steps = 0
        self.planned: list[tuple[str, str, dict[str, Any]]] = []
        self._sent = 0

    def send(self, member: str, type: str, data: Mapping[str, Any], *, world: World | None = None) -> Answer:
        """Plans an activity; in a world of its own, carries it out there."""
        if world is not None:
            return super().send(member, type, data, world=world)
        self.planned.append((member, type, dict(data)))
        return NOT_YET

    def plan(self, member: str) -> list[tuple[str, str, dict[str, Any]]]:
        """A few things that a member does next."""
        self.planned = []
        for _ in range(self.chance.randint(1, 3)):
            self.steps += 1
            self._sent = 0
            numbers = tuple(self.chance.randrange(10**6) for _ in range(8))
            getattr(self, f"_{self.chance.choice(PLANNED)}")(member, numbers)
        self.steps += 1
        wish = self.chance.random()
        if wish < 0.15:
            self._remember(member, self.send(member, "redemption", {"redemption": f"r{self.steps}", "reward": "luck"}))
        elif wish < 0.25:
            self.send(member, "check_in", {})
            self.send(member, "draw_play", {"draw": "wheel"})
        elif wish < 0.5:
            body = {"redemption": f"r{self.steps}", "reward": "last", "hold": self.chance.random() < 0.5}
            self._remember(member, self.send(member, "redemption", body))
        elif wish < 0.75:
            line = {"line": "1", "amount": "8.00", "discounts": [{"code": "first_come", "amount": "1.50"}]}
            self.send(member, "purchase", {"order": f"o{self.steps}", "lines": [line], "vouchers": ["WELCOME"]})
        return self.planned

    def _quote_and_buy(self, member: str, n: tuple[int, ...]) -> Answer:
        """Buys what was quoted from what was known; by then it may be otherwise."""
        cart = self.cart(member, n, f"o{self.steps}")
        quoted = self.send(member, "quote", {"quote": f"q{self.steps}", "cart": cart}, world=self.world.fork())
        return quoted if quoted.refusal is not None else self.buy(member, self.as_paid(cart, offers_of(quoted)))

    def _reserve(self, member: str, n: tuple[int, ...]) -> Answer:
        cart = self.cart(member, n, f"o{self.steps}")
        self.quotes.append((member, f"q{self.steps}", cart))
        return self.send(member, "quote", {"quote": f"q{self.steps}", "cart": cart, "reserve": True})

    def _take_quote(self, member: str, n: tuple[int, ...]) -> Answer:
        """Buys what a quote reserved in an earlier round, as it was promised; some try it twice."""
        known = [
            (owner, quote, cart, document)
            for owner, quote, cart in self.quotes
            if isinstance(document := self.world.look(owner).documents.get(f"quote/{quote}"), Quote)
        ]
        open_ = [each for each in known if each[3].status == "open"] or known
        if not open_:
            return self._reserve(member, n)
        owner, quote, cart, document = open_[-1 - n[0] % min(len(open_), 4)]
        priced = document.reserved.priced
        paid = self.as_paid(cart, () if priced is None else priced.offers, quote)
        if n[1] % 3 == 0:
            self.buy(owner, {**paid, "order": f"o{self.steps}"})
        return self.buy(owner, paid)

    def _remember(self, member: str, answer: Answer) -> Answer:
        self.redemptions.append((member, f"r{self.steps}"))
        return answer

    def learn(self) -> None:
        """What there is by now: orders to return, codes to name."""
        self.orders = []
        for id, stored in self.world.members.items():
            for key in stored.documents:
                kind, _, rest = key.partition("/")
                if kind == "order":
                    order: Any = stored.read(key)
                    bought: Any = stored.read(f"activity/{order.seq}")
                    self.orders.append((id, rest, [line.line for line in bought.purchase.lines]))
                elif kind == "voucher" and bare_code(rest) == rest and rest not in self.codes:
                    self.codes.append(rest)


class Bazaar:
    """A run: rounds in which everybody comes at once."""

    def __init__(self, url: str, seed: int, members: int, rounds: int) -> None:
        chance = self.chance = Random(seed)
        self.url = url
        self.seed = seed
        self.names = [f"m{n}" for n in range(members)]
        self.shape = _shape(chance, rounds)
        self.rounds = rounds
        self.document = _document(chance, self.shape)
        self.world = World(self.document, start="2026-03-01 09:00")
        self.world.codes = dict(IMPORTED)
        self.world.keys = draw_keys
        self.planner = Planner(self.document, self.world, chance)
        self.servers = [Server(url, NAME, SetClock(self.world.now), lanes=2) for _ in range(2)]
        self.codes: Counter[str] = Counter()
        self.steps = 0

    async def lead(self) -> None:
        """Lives through all rounds; an AssertionError says which law broke, after which round."""
        await found(self.url, NAME, "live", json.dumps(self.document), SetClock(self.world.now))
        connection = await asyncpg.connect(self.url, server_settings={"search_path": "laurels"})
        for server in self.servers:
            await server.start()
        try:
            await _import_codes(self.servers[0].database, self.servers[0].clock)
            welcome = {"wallet": "points", "points": 40, "reason": "welcome"}
            await self._send([(name, "enrol", {}) for name in self.names])
            await self._send([(name, "adjustment", welcome) for name in self.names])
            for number in range(self.rounds):
                await self._read(connection)
                self.planner.learn()
                planned = [each for name in self.names for each in self.planner.plan(name)]
                if number == self.rounds // 2:
                    await asyncio.gather(self._publish(), self._send(planned))
                else:
                    await self._send(planned)
                await self._read(connection)
                self._check(f"LAURELS_SEED={self.seed} after round {number}")
                await self._let_time_pass()
        finally:
            for server in self.servers:
                await server.stop()
            await connection.close()

    async def _send(self, planned: list[tuple[str, str, dict[str, Any]]]) -> None:
        """Everything at once, each request to one of the servers, one in ten to both."""
        calls = []
        for member, type_, data in planned:
            self.steps += 1
            sent = Submission("pos", f"a{self.steps}", type_, member, self.world.now, json.dumps(data).encode())
            homes = self.servers if self.chance.random() < 0.1 else [self.chance.choice(self.servers)]
            calls += [home.submit([sent]) for home in homes]
        self.chance.shuffle(calls)
        for outcomes in await asyncio.gather(*calls):
            self._count(outcomes[0])

    async def _publish(self) -> None:
        """Other offers and the same draws: from some seconds on, and not for what was bought before."""
        before, self.document = self.document, _document(self.chance, self.shape)
        server = self.servers[0]
        version = await publish_announced(
            server.database, server.clock, NAME, json.dumps(self.document), json.dumps(before)
        )
        self.world._add(self.document, version.effective_at)
        self.planner.document = self.document

    def _count(self, outcome: Outcome) -> None:
        assert outcome.status != "invalid", outcome
        self.codes[outcome.refusal.code if outcome.refusal else outcome.status] += 1

    async def _let_time_pass(self) -> None:
        gaps = (0, 0, 10, 31, 6 * 60, 24 * 60, 3 * 24 * 60)
        self.world.now += self.chance.choice(gaps) * (MICROSECONDS_PER_HOUR // 60)
        for server in self.servers:
            server.clock.at = self.world.now
        if self.chance.random() < 0.5:
            await asyncio.gather(*[server.intake.sweep(NAME, 50) for server in self.servers])
        if self.chance.random() < 0.7:
            await asyncio.gather(*[server.intake.go_on_with_draws(NAME) for server in self.servers])

    async def _read(self, connection: asyncpg.Connection) -> None:
        """The database as a world."""
        world, declared = self.world, self.world.versions.declared
        assert declared is not None
        members: dict[str, Stored] = {}
        for id, root in await connection.fetch("select id, root from member order by id"):
            members[id] = Stored(id)
            members[id].documents["root"] = root.encode()
        for id, key, document in await connection.fetch("select member, key, document from state"):
            members[id].documents[key] = document.encode()
        rows = await connection.fetch(
            "select member, seq, source, id, type, occurred_at, recorded_at, body, facts from activity "
            "order by member, seq"
        )
        for id, seq, source, name, type_, occurred_at, recorded_at, body, facts in rows:
            activity = parse(
                source=source, id=name, type=type_, member=id, occurred_at=occurred_at, data=body.encode(),
                declared=declared,
            )  # fmt: skip
            assert isinstance(activity, Activity)
            members[id].recorded.append(Recorded(seq, activity, recorded_at, facts.encode()))
            for entry in entries(decode_facts(facts)):
                members[id].accounts[entry.wallet, entry.out_of] -= entry.points
                members[id].accounts[entry.wallet, entry.into] += entry.points
        world.members = members
        rows = await connection.fetch("select id, used from pool where used <> 0")
        world.pools = Counter({row["id"]: row["used"] for row in rows})

    def _check(self, where: str) -> None:
        try:
            Tally(self.world).check()
            check_vouchers(self.world)
            check_orders(self.world)
            check_claims(self.world)
            for stored in self.world.members.values():
                self.world._check_state(stored)
                for each in stored.recorded[-20:]:
                    check_sums(self.world, each.activity.data, decode_facts(each.facts))
        except AssertionError as broken:
            raise AssertionError(f"{where}: {broken}") from broken


def _shape(chance: Random, rounds: int) -> dict[str, Any]:
    """What its versions have in common; a draw closes half the way, and a wheel later."""

    def after(part: float) -> str:
        return format_date(parse_date("2026-03-01") + int(rounds * ROUND_HOURS * part) // 24)

    spring = {**SPRING, "closes": after(0.4), "draws_at": after(0.6), "claim": "1D", "alternates": 4}
    wheel = {**WHEEL, "closes": after(0.9), "claim": "1D"}
    shape = {**shape_of(chance), "program": NAME, "quote_hold": "30MIN"}
    return {**shape, "draws": {"spring": spring, "wheel": wheel}}


def _document(chance: Random, shape: dict[str, Any]) -> dict[str, Any]:
    """A program of that shape, with what everybody wants."""
    document = program_of(chance, shape)
    del document["vouchers"]["shared"]
    for part, wanted in WANTED.items():
        document[part] = {**document[part], **wanted}
    return document


async def _import_codes(database: Database, clock: SetClock) -> None:
    for text, code in IMPORTED.items():
        batch = f"batch-{text}".lower()
        await begin_batch(database, clock, NAME, batch, code.voucher, wanted=None, uses=code.uses)
        _batch, imported = await import_codes(database, clock, NAME, batch, [canonical(text)])
        assert imported.codes == 1
