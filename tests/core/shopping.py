"""Random histories of what members do with what they can get, and a shop in which they happen.

A history is a list of plain steps, so that the same one can be lived through again under another condition. What a step
refers to (which order, which code) is a number taken modulo what there is. Every activity has an id that follows from
its step, and codes follow from ids, so that two lives of a history can be compared code by code.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Final

import msgspec

from laurels.core.activity import Activity, Tender
from laurels.core.calendar import MICROSECONDS_PER_DAY, MICROSECONDS_PER_HOUR, Instant
from laurels.core.case import Code
from laurels.core.code import canonical
from laurels.core.decide import Circumstances, Decision, decide
from laurels.core.facts import Offered, Priced, QuoteReserved, VoucherIssued
from laurels.core.folding_vouchers import bare_code
from laurels.core.member import IssuedVoucher, Member, Missing, Order, Purchased, Quote, Redemption, Tickets
from laurels.core.program.rewards_model import NEXT
from laurels.core.refusal import Refusal
from laurels.core.reversal.lines import all_back
from tests.core.assortments import program_of, shape_of
from tests.core.harness import Answer, Stored, World, draw_keys
from tests.core.histories import money
from tests.core.tallies import given_by, taken_off

MEMBERS: Final = ("m", "n")
IMPORTED: Final = {canonical(f"IMPORT{n}"): Code("ten", uses) for n, uses in enumerate((1, 1, 1, 2, 3, None), 2)}
SHARED: Final = ("WELCOME", "HELLO5")

MINUTE: Final = MICROSECONDS_PER_HOUR // 60


class Step(msgspec.Struct, frozen=True):
    """One thing that a member does `after` some time."""

    after: Instant
    kind: str
    member: str
    numbers: tuple[int, ...]


KINDS: Final = (
    *("buy",) * 7,
    *("quote_and_buy",) * 5,
    *("reserve",) * 4,
    *("take_quote",) * 4,
    *("give_back",) * 8,
    *("redeem",) * 5,
    *("fulfil",) * 5,
    *("issue_voucher",) * 3,
    *("reserve_voucher",) * 2,
    *(
        "hold_money",
        "hold_money",
        "capture",
        "capture",
        "cancel",
        "cancel",
        "choose",
        "exchange",
        "adjust",
        "adjust",
        "send",
    ),
    *("release_voucher", "claim_voucher", "revoke_voucher", "transfer_voucher", "play", "play", "prize", "claim"),
    *("check_in", "check_in", "clock", "staff", "publish"),
)
SOON: Final = frozenset({"take_quote", "capture", "cancel", "fulfil", "release_voucher", "give_back", "play"})
"""What mostly follows at once on what was there before."""
GAPS: Final = (
    *(0, 0, 0, 0, 0, 0, MINUTE, MINUTE, 10 * MINUTE, 31 * MINUTE, 6 * MICROSECONDS_PER_HOUR),
    *(days * MICROSECONDS_PER_DAY for days in (1, 1, 2, 3, 6)),
)


def history_of(chance: Random, steps: int) -> list[Step]:
    """So many steps."""
    history: list[Step] = []
    for _ in range(steps):
        kind = chance.choice(KINDS)
        after = 0 if kind in SOON and chance.random() < 0.7 else chance.choice(GAPS)
        member = "n" if chance.random() < 0.2 else "m"
        numbers = tuple(chance.randrange(10**6) for _ in range(8))
        history.append(Step(after, kind, member, numbers))
        if kind == "reserve" and chance.random() < 0.6:
            later = chance.choice((0, MINUTE, 29 * MINUTE, 30 * MINUTE))
            history.append(Step(later, "take_quote", member, tuple(chance.randrange(10**6) for _ in range(8))))
    return history


class LoadedWorld(World):
    """A world that also decides everything with all documents at hand, and sees that a refusal changes none."""

    def _decide(
        self, stored: Stored, activity: Activity, circumstances: Circumstances
    ) -> tuple[Decision | Refusal, Member]:
        outcome, before = super()._decide(stored, activity, circumstances)
        if isinstance(outcome, Refusal):
            for key, document in before.documents.items():
                assert document == stored.read(key), f"a refusal changed {key}"
        return outcome, before

    def _check_step(
        self,
        stored: Stored,
        before: Member,
        decision: Decision,
        activity: Activity,
        circumstances: Circumstances,
        seq: int,
    ) -> None:
        super()._check_step(stored, before, decision, activity, circumstances, seq)
        documents: dict[str, Any] = {**before.documents, **stored.all().documents}
        again: Any = None
        while again is None:
            try:
                again = decide(self.versions, Member(stored.id, dict(documents)), activity, circumstances)
            except Missing as missing:
                documents.update({key: stored.read(key) for key in missing.keys})
        assert isinstance(again, Decision)
        assert again.facts == decision.facts, "what is loaded besides makes a difference"


class Shop:
    """A world in which steps are carried out; remembers orders, quotes, redemptions and codes."""

    def __init__(self, seed: int, *, world: type[World] = World, automatic: bool = True) -> None:
        chance = Random(seed)
        self.shape = shape_of(chance)
        self.world = world(program_of(chance, self.shape), start="2026-03-01 09:00")
        self.world.keys = draw_keys
        self.world.codes = dict(IMPORTED)
        self.automatic = automatic
        self.orders: list[tuple[str, str, list[str]]] = []
        self.quotes: list[tuple[str, str, dict[str, Any]]] = []
        self.redemptions: list[tuple[str, str]] = []
        self.codes: list[str] = [*SHARED, *IMPORTED]
        self.steps = 0
        self._sent = 0
        for member in MEMBERS:
            self.send(member, "enrol", {})
            self.send(member, "adjustment", {"wallet": "points", "points": 40, "reason": "welcome"})

    def send(self, member: str, type: str, data: Mapping[str, Any], *, world: World | None = None) -> Answer:
        """Sends an activity under an id that follows from the step."""
        self._sent += 1
        return (world or self.world).post(
            member, type, data, id=f"s{self.steps}.{self._sent}",
            source="laurels" if type in ("clock", "draw_prize") else "pos",
        )  # fmt: skip

    def take(self, step: Step) -> Answer:
        """Carries a step out."""
        self.world.now += step.after
        self.steps += 1
        self._sent = 0
        answer: Answer = getattr(self, f"_{step.kind}")(step.member, step.numbers)
        self.codes.extend([fact.code for fact in answer.of(VoucherIssued) if not fact.shared])
        return answer

    # --- what there is ---

    def redemption(self, n: int, member: str) -> str:
        """One of the member's latest redemptions, mostly one that is held."""
        mine = [id for owner, id in self.redemptions if owner == member or n % 17 == 0]
        held = [id for id in mine if id in self.world.look(member).root.holds]
        mine = held if held and n % 4 else mine
        return mine[-1 - n // 4 % min(len(mine), 4)] if mine else "none"

    def code(self, n: int, member: str) -> str:
        """A code, mostly one that the member can use."""
        looked = self.world.look(member).documents
        mine = [
            key.partition("/")[2]
            for key, each in looked.items()
            if isinstance(each, IssuedVoucher) and each.status in ("issued", "reserved") and not each.shared
        ]
        codes = sorted(mine) if mine and n % 4 else self.codes
        return codes[n // 4 % len(codes)]

    # --- carts ---

    def cart(self, member: str, n: tuple[int, ...], order: str) -> dict[str, Any]:
        """A cart of one to four lines, at prices before anything is taken off."""
        lines: list[dict[str, Any]] = []
        for place in range(1 + n[0] % 4):
            number = n[1 + place]
            amount = (number // 60) % (3000 if number % 5 == 0 else 900)
            line: dict[str, Any] = {
                "line": str(place + 1),
                "amount": money(amount),
                "quantity": ("1", "1", "2", "3", "0", "1.5")[number % 6],
                "category": ("beans", "tea", "beans", "milk")[number // 6 % 4],
            }
            if number // 24 % 5 == 0:
                line["kind"] = "shipping"
            if number // 24 % 3 == 0:
                line["fields"] = {"cost": money(amount * (number % 11) // 10)}
            if number // 24 % 4 == 0:
                line["tax"] = money(amount * 6 // 106)
            lines.append(line)
        cart: dict[str, Any] = {"order": order, "lines": lines}
        if n[5] % 3:
            cart["store"] = "s-1"
        if n[6] % 2:
            codes = [self.code(n[6] // 2 + 7 * more, member) for more in range(1 + n[6] // 2 % 3)]
            cart["vouchers"] = list(dict.fromkeys(codes))
        choice = n[7] % 6
        groups = self.world.versions.judging(self.world.now).program.groups
        choosing = sorted(group.id for group in groups if group.mode in ("best", "first", "exclusive"))
        if choice < 2 and choosing:
            group = choosing[n[7] // 6 % len(choosing)]
            members = next(each.of for each in groups if each.id == group)
            cart["choices"] = {group: None if choice else members[n[7] // 36 % len(members)]}
        return cart

    def as_paid(self, cart: dict[str, Any], offers: tuple[Offered, ...], quote: str | None = None) -> dict[str, Any]:
        """The cart as a till would send it that took these offers off."""
        off = {each.promotion: {part.line: part.amount for part in each.lines} for each in offers if each.lines}
        used = [each.promotion for each in offers if each.voucher is not None and _is_used(each)]
        lines = []
        for line in cart["lines"]:
            discounts = [(code, parts[line["line"]]) for code, parts in off.items() if line["line"] in parts]
            amount = minor(line["amount"]) - sum(part for _code, part in discounts)
            said = [{"code": code, "amount": money(part)} for code, part in discounts]
            tax = minor(line.get("tax", "0.00"))
            lines.append({**line, "amount": money(amount), "discounts": said, "tax": money(min(tax, amount))})
        paid = {**cart, "lines": lines, "vouchers": used}
        return {**paid, "quote": quote} if quote else paid

    def tenders(self, member: str, n: int, cart: dict[str, Any]) -> dict[str, Any]:
        """The cart, paid in part with points if a redemption is there for that."""
        total = sum(minor(line["amount"]) for line in cart["lines"])
        looked = self.world.look(member).documents
        if n % 3 == 0 and total:
            free = sorted(
                key.partition("/")[2]
                for key, each in looked.items()
                if isinstance(each, Redemption)
                and each.reward is None
                and each.order is None
                and each.status in ("held", "captured")
            )
            if free:
                id = free[n // 3 % len(free)]
                known = looked[f"redemption/{id}"]
                assert isinstance(known, Redemption)
                points = known.points if known.status == "held" else known.spent
                paid = min(points * (10 if known.wallet == "points" else 1), total if n % 2 else max(total // 3, 1))
                tenders = [{"kind": "points", "amount": money(paid), "redemption": id}]
                if n % 5 == 0:
                    tenders.append({"kind": "gift_card", "amount": money((total - paid) // 2)})
                left = total - sum(minor(each["amount"]) for each in tenders)
                return {**cart, "tenders": [*tenders, {"kind": "cash", "amount": money(left)}]}
        return cart

    # --- buying ---

    def _buy(self, member: str, n: tuple[int, ...]) -> Answer:
        """A till that prices by itself: it takes off nothing, too much or too little."""
        cart = self.cart(member, n, f"o{self.steps}")
        promotions = [each.id for each in self.world.versions.judging(self.world.now).program.promotions]
        codes = [*promotions, *cart.get("vouchers", ()), "staff"]
        for place, line in enumerate(cart["lines"]):
            if n[place] % 3 == 0:
                off = n[place] // 3 % (minor(line["amount"]) + 1)
                code = codes[n[place + 1] % len(codes)]
                line["amount"] = money(minor(line["amount"]) - off)
                line["tax"] = "0"
                line["discounts"] = [{"code": code, "amount": money(off)}]
        total = sum(minor(line["amount"]) for line in cart["lines"])
        if n[4] % 4 == 0 and total:
            part = 1 + n[4] // 4 % min(total, 1000)
            voucher = {"kind": "voucher", "amount": money(part), "code": self.code(n[5], member)}
            cart["tenders"] = [voucher, {"kind": "cash", "amount": money(total - part)}]
            return self.buy(member, cart)
        return self.buy(member, self.tenders(member, n[3], cart))

    def buy(self, member: str, cart: dict[str, Any], *, world: World | None = None) -> Answer:
        """Buys a cart as it is, and remembers the order."""
        answer = self.send(member, "purchase", cart, world=world)
        if answer.refusal is None and world is None:
            self.orders.append((member, cart["order"], [line["line"] for line in cart["lines"]]))
        return answer

    def _quote_and_buy(self, member: str, n: tuple[int, ...]) -> Answer:
        """Asks for a quote and buys what was quoted at once; the last quote is left for the law that compares them."""
        cart = self.cart(member, n, f"o{self.steps}")
        quoted = self.send(member, "quote", {"quote": f"q{self.steps}", "cart": cart}, world=self.world.fork())
        if quoted.refusal is not None:
            return quoted
        paid = self.as_paid(cart, offers_of(quoted))
        answer = self.buy(member, paid)
        assert answer.refusal is None, (answer.refusal, "what was quoted can be bought")
        assert_as_quoted(quoted, answer)
        return answer

    def _reserve(self, member: str, n: tuple[int, ...]) -> Answer:
        cart = self.cart(member, n, f"o{self.steps}")
        answer = self.send(member, "quote", {"quote": f"q{self.steps}", "cart": cart, "reserve": True})
        for fact in answer.of(QuoteReserved):
            offers = () if fact.priced is None else fact.priced.offers
            self.quotes.append((member, fact.quote, self.as_paid(cart, offers, fact.quote)))
        return answer

    def _take_quote(self, member: str, n: tuple[int, ...]) -> Answer:
        """Buys what was quoted some time ago: as it was, paid otherwise, changed, or under another order."""
        if not self.quotes:
            return self._reserve(member, n)
        open_ = [each for each in self.quotes if each[1] in self.world.look(each[0]).root.quotes]
        quotes = open_ if open_ and n[4] % 5 else self.quotes
        owner, quote, cart = quotes[-1 - n[0] % min(len(quotes), 3)]
        known = self.world.look(owner).documents.get(f"quote/{quote}")
        assert isinstance(known, Quote)
        if n[1] % 5 == 0:
            cart = {**cart, "lines": [{**cart["lines"][0], "quantity": "4"}, *cart["lines"][1:]]}
        if n[1] % 5 == 1 or n[4] % 5 == 0:
            cart = {**cart, "order": f"o{self.steps}"}
        if n[1] % 20 == 2:
            cart = {**cart, "vouchers": [*cart["vouchers"], self.code(n[2], owner)]}
            cart["vouchers"] = list(dict.fromkeys(cart["vouchers"]))
        answer = self.buy(owner, self.tenders(owner, n[3], cart))
        if answer.refusal is None:
            (priced,) = answer.of(Priced)
            assert isinstance(priced, Priced)
            if priced.held in ("kept", "points_anew"):
                promised = () if known.reserved.priced is None else known.reserved.priced.offers
                assert priced.offers == promised, "prices that a quote promised are kept"
        return answer

    def _exchange(self, member: str, n: tuple[int, ...]) -> Answer:
        """A line comes back and another cart is bought for it."""
        self._give_back(member, (n[0], 1, *n[2:]))
        return self._quote_and_buy(member, n)

    def _give_back(self, member: str, n: tuple[int, ...]) -> Answer:
        """A return: of all, of lines, of pieces, of amounts."""
        mine = [each for each in self.orders if each[0] == member] or self.orders
        if not mine:
            return self.send(member, "return", {"order": "none"})
        some = [each for each in mine if n[4] % 5 == 0 or not self._is_back(each[0], each[1])] or mine
        owner, order, lines = some[-1 - n[0] % min(len(some), 5)]
        body: dict[str, Any] = {"order": order}
        how = n[1] % 7
        chosen = [line for place, line in enumerate(lines) if n[2] >> place & 1] or lines[:1]
        if how == 1:
            body["lines"] = [{"line": lines[n[2] % len(lines)]}]
        elif how == 2:
            body["lines"] = [{"line": line, "quantity": "1"} for line in chosen]
        elif how == 3:
            body["lines"] = [{"line": line, "amount": money(n[3] % (700 if n[3] % 2 else 90))} for line in chosen]
        elif how == 4:
            body["lines"] = [{"line": line} for line in chosen]
        elif how == 5:
            # The price is put right after the sale: money comes back, and nothing else.
            body["lines"] = [{"line": lines[0], "quantity": "0", "amount": money(n[3] % 90)}]
        elif how == 6:
            tenders = self._tenders_of(owner, order)
            if tenders:
                tender = tenders[n[3] % len(tenders)]
                part = money(1 + n[5] % max(tender.amount, 1))
                body["lines"] = [{"line": lines[0], "amount": part}]
                body["tenders"] = [{"kind": tender.kind, "amount": part, "redemption": tender.redemption}]
        return self.send(owner, "return", body)

    def _tenders_of(self, member: str, order: str) -> tuple[Tender, ...]:
        stored = self.world.members[member]
        known = stored.read(f"order/{order}")
        assert isinstance(known, Order)
        recorded = stored.read(f"activity/{known.seq}")
        assert isinstance(recorded, Purchased)
        return recorded.purchase.tenders

    def _is_back(self, member: str, order: str) -> bool:
        stored = self.world.members[member]
        known = stored.read(f"order/{order}")
        assert isinstance(known, Order)
        recorded = stored.read(f"activity/{known.seq}")
        assert isinstance(recorded, Purchased)
        return all(all_back(line, known.returned.get(line.line)) for line in recorded.purchase.lines)

    # --- rewards ---

    def _redeem(self, member: str, n: tuple[int, ...]) -> Answer:
        rewards = [reward.id for reward in self.world.versions.judging(self.world.now).program.rewards]
        reward = rewards[n[0] % len(rewards)]
        body: dict[str, Any] = {
            "redemption": f"r{self.steps}",
            "reward": reward,
            "quantity": 1 + n[1] % 8 // 6,
            "hold": n[2] % 3 != 0,
        }
        if reward == "fare":
            body["value"] = money(200 + n[3] % 900)
            if n[4] % 2:
                body["pay"] = {"points": 1 + n[5] % 12}
        return self._remember(member, self.send(member, "redemption", body))

    def _hold_money(self, member: str, n: tuple[int, ...]) -> Answer:
        wallet = "card" if n[1] % 4 == 0 else "points"
        points = max(1, n[0] % (self.world.balance(wallet, member).available + 2))
        body = {"redemption": f"r{self.steps}", "wallet": wallet, "points": points, "hold": n[2] % 2 == 0}
        return self._remember(member, self.send(member, "redemption", body))

    def _remember(self, member: str, answer: Answer) -> Answer:
        if answer.refusal is None:
            self.redemptions.append((member, f"r{self.steps}"))
        return answer

    def _capture(self, member: str, n: tuple[int, ...]) -> Answer:
        body: dict[str, Any] = {"redemption": self.redemption(n[0], member)}
        if n[1] % 3 == 0:
            body["points"] = 1 + n[1] % 12
        return self.send(member, "redemption_capture", body)

    def _cancel(self, member: str, n: tuple[int, ...]) -> Answer:
        return self.send(member, "redemption_cancel", {"redemption": self.redemption(n[0], member)})

    def _fulfil(self, member: str, n: tuple[int, ...]) -> Answer:
        looked = self.world.look(member).documents
        sent = sorted(
            key.partition("/")[2] for key, each in looked.items() if isinstance(each, Redemption) and each.steps
        )
        id = sent[n[0] % len(sent)] if sent else self.redemption(n[0], member)
        known = looked.get(f"redemption/{id}")
        states: tuple[str, ...] = ("packed", "shipped", "delivered", "returned", "failed")
        if isinstance(known, Redemption) and known.steps and n[2] % 6:
            states = NEXT[known.steps[-1].state] or states
        state = states[n[1] % len(states)]
        return self.send(member, "redemption_fulfilment", {"redemption": id, "state": state})

    def _choose(self, member: str, n: tuple[int, ...]) -> Answer:
        program = self.world.versions.judging(self.world.now).program
        chosen = [reward.id for reward in program.rewards if reward.automatic is not None and self.automatic]
        if not chosen:
            return self._redeem(member, n)
        body = {"reward": chosen[n[0] % len(chosen)], "automatic": n[1] % 3 > 0}
        return self.send(member, "choice", body)

    # --- vouchers ---

    def _issue_voucher(self, member: str, n: tuple[int, ...]) -> Answer:
        kinds = [each.id for each in self.world.versions.judging(self.world.now).program.vouchers if not each.codes]
        return self.send(member, "voucher_issue", {"voucher": kinds[n[0] % len(kinds)]})

    def _reserve_voucher(self, member: str, n: tuple[int, ...]) -> Answer:
        body = {"code": self.code(n[0], member), "order": f"o{self.steps + n[1] % 3}"}
        return self.send(member, "voucher_reserve", body)

    def _release_voucher(self, member: str, n: tuple[int, ...]) -> Answer:
        looked = self.world.look(member).documents
        held = [
            (bare_code(key.partition("/")[2]), each.order or "o1")
            for key, each in looked.items()
            if isinstance(each, IssuedVoucher) and each.status == "reserved"
        ]
        code, order = sorted(held)[n[0] % len(held)] if held else (self.code(n[0], member), "o1")
        return self.send(member, "voucher_release", {"code": code, "order": order})

    def _claim_voucher(self, member: str, n: tuple[int, ...]) -> Answer:
        codes = [*IMPORTED, *SHARED]
        return self.send(member, "voucher_claim", {"code": codes[n[0] % len(codes)]})

    def _revoke_voucher(self, member: str, n: tuple[int, ...]) -> Answer:
        return self.send(member, "voucher_revoke", {"code": self.code(n[0], member)})

    def _transfer_voucher(self, member: str, n: tuple[int, ...]) -> Answer:
        to = "nobody" if n[1] % 4 == 0 else "m" if member == "n" else "n"
        return self.send(member, "voucher_transfer", {"code": self.code(n[0], member), "to": to})

    # --- draws ---

    def _play(self, member: str, n: tuple[int, ...]) -> Answer:
        return self.send(member, "draw_play", {"draw": "wheel"})

    def _prize(self, member: str, n: tuple[int, ...]) -> Answer:
        known = self.world.look(member).documents.get("draw/spring")
        numbers = known.numbers if isinstance(known, Tickets) else []
        prize, quantity = (("bike", 1), ("gift", 2))[n[1] % 2]
        body: dict[str, Any] = {
            "draw": "spring",
            "place": 1 + n[2] % 4,
            "prize": prize,
            "ticket": numbers[n[3] % len(numbers)] if numbers else 1,
            "quantity": quantity,
        }
        body |= {"wallet": "points", "points": 50} if n[1] % 2 else {"until": self.world.now + 5 * MICROSECONDS_PER_DAY}
        return self.send(member, "draw_prize", body)

    def _claim(self, member: str, n: tuple[int, ...]) -> Answer:
        looked = self.world.look(member).documents
        won = [
            (draw, each.place)
            for draw in ("spring", "wheel")
            if isinstance(known := looked.get(f"draw/{draw}"), Tickets)
            for each in known.won
        ]
        draw, place = won[n[0] % len(won)] if won else ("wheel", 1)
        return self.send(member, "draw_claim", {"draw": draw, "place": place})

    # --- and otherwise ---

    def _adjust(self, member: str, n: tuple[int, ...]) -> Answer:
        points = 1 + n[0] % 30 - (15 if n[1] % 3 == 0 else 0) or 1
        return self.send(member, "adjustment", {"wallet": "points", "points": points, "reason": "goodwill"})

    def _send(self, member: str, n: tuple[int, ...]) -> Answer:
        to = "nobody" if n[1] % 4 == 0 else "m" if member == "n" else "n"
        return self.send(member, "transfer", {"to": to, "wallet": "points", "points": 1 + n[0] % 15})

    def _check_in(self, member: str, n: tuple[int, ...]) -> Answer:
        return self.send(member, "check_in", {})

    def _clock(self, member: str, n: tuple[int, ...]) -> Answer:
        return self.send(member, "clock", {})

    def _staff(self, member: str, n: tuple[int, ...]) -> Answer:
        return self.send(member, "member_change", {"attributes": {"staff": n[0] % 3 == 0}})

    def _publish(self, member: str, n: tuple[int, ...]) -> Answer:
        """Another version takes effect in this instant: the same wallets and draws, and other offers."""
        self.world.now += 1
        self.world._add(program_of(Random(n[0]), self.shape), self.world.now)
        return self.send(member, "clock", {})


def minor(text: str) -> int:
    """An amount in minor units: "19.99" is 1999."""
    whole, _, cents = text.partition(".")
    return int(whole) * 100 + int(cents.ljust(2, "0") or 0)


def _is_used(offered: Offered) -> bool:
    return offered.given > 0 or offered.code == "gives_points"


def offers_of(answer: Answer) -> tuple[Offered, ...]:
    return tuple(offered for priced in answer.of(Priced) for offered in priced.offers)


def assert_as_quoted(quoted: Answer, bought: Answer) -> None:
    """A purchase in the instant of its quote gives what was quoted, in money, in points and in kind."""
    assert taken_off(bought) == taken_off(quoted), "a purchase costs what was quoted"
    assert given_by(bought) == given_by(quoted), "a purchase gives what was quoted"
