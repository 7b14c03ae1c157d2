"""A member's life under a program of `programs/`, told once and lived twice.

`CoreLife` lives it in the core, where every step is also held to the laws of `tests.core.harness`; `StoryLife` lives it
through the public HTTP interface on PostgreSQL, where it ends with `verify`. Both answer in the same words, so that the
numbers that a test worked out by hand hold for the engine and for what a till is told.

A life has one member, ann. Times are local in the program's zone; `points` are available, pending, held and debt;
vouchers are named by their kind, since their codes are chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from laurels.core.facts import Priced
from laurels.core.member import IssuedVoucher, Redemption
from laurels.core.money import format_minor, format_quantity
from tests.core.harness import Answer as CoreAnswer
from tests.core.harness import World
from tests.scenarios.document import lines_of, order_of
from tests.scenarios.story import Story, Tell

PROGRAMS = Path(__file__).parents[2] / "programs"
WHO = "ann"
USED = ("applied", "trimmed", "gives_points")
"""What a quote says of an offer that the order then uses."""

Line = str | Mapping[str, Any]
Back = str | tuple[str, str]
Pay = tuple[int, str]


class Answer(Protocol):
    """What became of an activity."""

    def granted(self, campaign: str, rule: str | None = None) -> int:
        """Points that a campaign, or a tier's bonus over it, granted."""

    def why(self, campaign: str) -> tuple[str, int, int]:
        """Code, wanted and granted of a campaign."""

    def moved(self, out_of: str, into: str, wallet: str = "points") -> int:
        """Points that moved from one account of the wallet to another."""


class Offer(NamedTuple):
    """What a quote says of a promotion or a voucher; `off` is by line. A promotion's code is its id."""

    name: str
    code: str
    why: str
    given: str
    off: dict[str, str]


class Sale(NamedTuple):
    """What she paid at the till, what came off by promotion or kind of voucher, and what became of it."""

    paid: str
    off: dict[str, str]
    answer: Answer


class Life(Protocol):
    """What ann does, and what she sees."""

    def enrol(self, at: str, **attributes: Any) -> Answer:
        """She joins."""

    def buy(self, order: str, *lines: Line, at: str, **data: Any) -> Answer:
        """A purchase: a line for each amount, or lines in full."""

    def till(self, order: str, *lines: Line, at: str, vouchers: Sequence[str] = (), **data: Any) -> Sale:
        """The till asks what the cart costs, takes that off and sends the order, which then deviates in nothing."""

    def quote(self, *lines: Line, at: str, vouchers: Sequence[str] = (), **data: Any) -> dict[str, tuple[str, str]]:
        """Why each promotion and voucher applies or not, and what it gives, as a till is told at an instant."""

    def post(self, type: str, data: Mapping[str, Any] | None = None, *, at: str) -> Answer:
        """Any other activity."""

    def give_back(self, order: str, *lines: Back, at: str) -> Answer:
        """A return of lines, of amounts of lines, or of all that is left."""

    def redeem(self, id: str, points: int, *, wallet: str = "points", hold: bool = False, refused: str = "") -> None:
        """She spends points at once or holds them, at the program's present."""

    def reward(
        self, id: str, reward: str, *, quantity: int = 1, value: str = "", pay: Pay | None = None, refused: str = ""
    ) -> int:
        """She asks for a reward, at the program's present; so many points are set aside for it, or spent.

        With `pay` she chooses how many points and how much money.
        """

    def fulfil(self, id: str, state: str) -> None:
        """How far a reward has come."""

    def clock(self, at: str) -> None:
        """Time goes by."""

    def vouchers(self) -> list[tuple[str, str, str | None]]:
        """Kind, status and expiry of every voucher she ever had, soonest expiry first."""

    def points(self, wallet: str = "points") -> tuple[int, int, int, int]:
        """Available, pending, held and debt."""

    def expiring(self, wallet: str = "points") -> list[tuple[int, str | None]]:
        """Points and when they expire, soonest first."""

    def tier(self, track: str = "membership") -> str:
        """Where she stands."""

    def until(self, track: str = "membership") -> str | None:
        """How long her tier holds at least."""

    def measured(self, track: str = "membership") -> list[int | str]:
        """What the track measures, one number for each measure, as the interface writes them."""

    def benefits(self, track: str = "membership") -> dict[str, str]:
        """What her tier entitles to, in English."""


def text_of(name: str) -> str:
    """A program document of `programs/`."""
    return (PROGRAMS / f"{name}.yaml").read_text(encoding="utf-8")


def tell(offers: Sequence[Offer]) -> dict[str, tuple[str, str]]:
    """Of each offer why it applies or not, and what it gives."""
    return {each.name: (each.why, each.given) for each in offers}


def rung_up(lines: Sequence[Mapping[str, Any]], offers: Sequence[Offer]) -> tuple[list[dict[str, Any]], int]:
    """The lines of a cart as a till sends them once it took the offers off, and what they come to in cents."""
    rows: list[dict[str, Any]] = []
    total = 0
    for line in lines:
        off = [{"code": each.code, "amount": each.off[line["line"]]} for each in offers if line["line"] in each.off]
        amount = cents(line["amount"]) - sum(cents(each["amount"]) for each in off)
        rows.append({**line, "amount": format_minor(amount, 2), **({"discounts": off} if off else {})})
        total += amount
    return rows, total


def cents(amount: str) -> int:
    """An amount with two decimals, as an integer."""
    return int(amount.replace(".", ""))


class CoreLife:
    """The life in the core."""

    def __init__(self, name: str) -> None:
        self.world = World(text_of(name))

    def enrol(self, at: str, **attributes: Any) -> CoreAnswer:
        return self._done(self.world.enrol(WHO, at=at, **({"attributes": attributes} if attributes else {})))

    def buy(self, order: str, *lines: Line, at: str, **data: Any) -> CoreAnswer:
        return self._done(self.world.buy(order, *lines, member=WHO, at=at, **data))

    def till(self, order: str, *lines: Line, at: str, vouchers: Sequence[str] = (), **data: Any) -> Sale:
        offers = self._offers(lines, at, vouchers, data)
        rows, total = rung_up(lines_of(*lines), offers)
        used = [each.code for each in offers if each.why in USED and each.name in vouchers]
        answer = self.buy(order, *rows, at=at, vouchers=used, **data)
        assert [each for fact in answer.of(Priced) for each in fact.deviations] == []
        return Sale(format_minor(total, 2), {each.name: each.given for each in offers if each.off}, answer)

    def quote(self, *lines: Line, at: str, vouchers: Sequence[str] = (), **data: Any) -> dict[str, tuple[str, str]]:
        return tell(self._offers(lines, at, vouchers, data))

    def _offers(self, lines: Sequence[Line], at: str, vouchers: Sequence[str], data: Mapping[str, Any]) -> list[Offer]:
        cart = order_of("quote:q", *lines, **data, vouchers=[self._code(kind) for kind in vouchers])
        # What is not reserved is not recorded.
        quoted = self._done(self.world.fork().post(WHO, "quote", {"quote": "q", "cart": cart, "reserve": False}, at=at))
        return [
            Offer(
                each.promotion if each.voucher is None else each.voucher,
                each.promotion,
                each.code,
                format_minor(each.given, 2),
                {part.line: format_minor(part.amount, 2) for part in each.lines},
            )
            for fact in quoted.of(Priced)
            for each in fact.offers
        ]

    def post(self, type: str, data: Mapping[str, Any] | None = None, *, at: str) -> CoreAnswer:
        return self._done(self.world.post(WHO, type, data, at=at))

    def give_back(self, order: str, *lines: Back, at: str) -> CoreAnswer:
        return self._done(self.world.give_back(order, *lines, member=WHO, at=at))

    def redeem(self, id: str, points: int, *, wallet: str = "points", hold: bool = False, refused: str = "") -> None:
        answer = self.world.redeem(id, points, member=WHO, hold=hold, wallet=wallet)
        assert answer.code == (refused or "accepted")

    def reward(
        self, id: str, reward: str, *, quantity: int = 1, value: str = "", pay: Pay | None = None, refused: str = ""
    ) -> int:
        body: dict[str, Any] = {"redemption": id, "reward": reward, "quantity": quantity}
        if value:
            body["value"] = value
        if pay:
            body["pay"] = {"points": pay[0], "cash": pay[1]}
        assert self.world.post(WHO, "redemption", body).code == (refused or "accepted")
        kept = self.world.look(WHO).documents.get(f"redemption/{id}")
        return kept.points if isinstance(kept, Redemption) else 0

    def fulfil(self, id: str, state: str) -> None:
        self._done(self.world.post(WHO, "redemption_fulfilment", {"redemption": id, "state": state}))

    def clock(self, at: str) -> None:
        self._done(self.world.clock(at, WHO))

    def vouchers(self) -> list[tuple[str, str, str | None]]:
        found = [(each.voucher, each.status, self.world.text(each.expires_at)) for _code, each in self._vouchers()]
        return sorted(found, key=lambda each: (each[2] or "9", *each[:2]))

    def _vouchers(self) -> list[tuple[str, IssuedVoucher]]:
        documents = self.world.look(WHO).documents
        return [(key[8:], each) for key, each in documents.items() if isinstance(each, IssuedVoucher)]

    def _code(self, kind: str) -> str:
        """The code of a voucher of the kind that can be used, if there is one, else of the one that ends last."""
        found = [(code, each) for code, each in self._vouchers() if each.voucher == kind]
        return max(found, key=lambda each: (each[1].status == "issued", each[1].expires_at or 0))[0]

    def points(self, wallet: str = "points") -> tuple[int, int, int, int]:
        return self.world.points(wallet, WHO)

    def expiring(self, wallet: str = "points") -> list[tuple[int, str | None]]:
        sliding = self.world.text(self.world.balance(wallet, WHO).expires_at)
        sums: Counter[str | None] = Counter()
        for lot in self.world.lots(wallet, WHO):
            if lot.available_at is None:
                sums[self.world.text(lot.expires_at) or sliding] += lot.points
        return sorted(((points, at) for at, points in sums.items()), key=lambda each: each[1] or "9")

    def tier(self, track: str = "membership") -> str:
        return self.world.tier(track, WHO)

    def until(self, track: str = "membership") -> str | None:
        return self.world.until(track, WHO)

    def measured(self, track: str = "membership") -> list[int | str]:
        compiled = self.world.versions.judging(self.world.now)
        values = self.world.outlook(track, WHO).values
        return [
            format_minor(value, compiled.declared.places)
            if metric.kind == "spent"
            else format_quantity(value)
            if metric.kind == "sum"
            else value
            for metric, value in zip(compiled.tracks[track].metrics, values, strict=True)
        ]

    def benefits(self, track: str = "membership") -> dict[str, str]:
        tier = self.world.versions.judging(self.world.now).tiers[track][self.tier(track)]
        return {benefit: texts["en"] for benefit, texts in tier.benefits.items()}

    def end(self) -> None:
        """The state is the fold of all stored facts."""
        self.world.replay(WHO)

    def _done(self, answer: CoreAnswer) -> CoreAnswer:
        assert answer.refusal is None, answer.refusal
        return answer


class StoryLife:
    """The life through the public interface; its fixture proves it in the end."""

    def __init__(self, name: str, tell: Tell) -> None:
        rows = text_of(name).splitlines(keepends=True)
        self.story: Story = tell("".join(row for row in rows if not row.startswith("program:")))

    def enrol(self, at: str, **attributes: Any) -> Answer:
        return self.story.enrol(WHO, at=at, **({"attributes": attributes} if attributes else {}))

    def buy(self, order: str, *lines: Line, at: str, **data: Any) -> Answer:
        return self.story.post(WHO, "purchase", order_of(order, *lines, **data), at=at)

    def till(self, order: str, *lines: Line, at: str, vouchers: Sequence[str] = (), **data: Any) -> Sale:
        offers = self._offers(lines, at, vouchers, data)
        rows, total = rung_up(lines_of(*lines), offers)
        used = [each.code for each in offers if each.why in USED and each.name in vouchers]
        answer = self.story.post(WHO, "purchase", order_of(order, *rows, **data, vouchers=used), at=at)
        assert not (answer.json["prices"] or {}).get("deviations")
        return Sale(format_minor(total, 2), {each.name: each.given for each in offers if each.off}, answer)

    def quote(self, *lines: Line, at: str, vouchers: Sequence[str] = (), **data: Any) -> dict[str, tuple[str, str]]:
        return tell(self._offers(lines, at, vouchers, data))

    def _offers(self, lines: Sequence[Line], at: str, vouchers: Sequence[str], data: Mapping[str, Any]) -> list[Offer]:
        self.story.clock(at)
        quoted = self.story.quote(WHO, *lines, **data, vouchers=[self._code(kind) for kind in vouchers])
        prices = quoted.json["prices"] or {"promotions": (), "vouchers": (), "lines": ()}
        said = [(each["promotion"], each["promotion"], each["code"], each["given"]) for each in prices["promotions"]]
        said += [(each["voucher"], each["code"], each["reason"], each["given"]) for each in prices["vouchers"]]
        return [
            Offer(name, code, why, given, {
                line["line"]: each["amount"]
                for line in prices["lines"] for each in line["discounts"] if each["code"] == code
            })
            for name, code, why, given in said
        ]  # fmt: skip

    def post(self, type: str, data: Mapping[str, Any] | None = None, *, at: str) -> Answer:
        return self.story.post(WHO, type, data, at=at)

    def give_back(self, order: str, *lines: Back, at: str) -> Answer:
        return self.story.give_back(WHO, order, *lines, at=at)

    def redeem(self, id: str, points: int, *, wallet: str = "points", hold: bool = False, refused: str = "") -> None:
        self.story.redeem(WHO, id, points, wallet=wallet, hold=hold, refused=refused or None)

    def reward(
        self, id: str, reward: str, *, quantity: int = 1, value: str = "", pay: Pay | None = None, refused: str = ""
    ) -> int:
        currency = self.story.get("/v1/program")["currency"]
        body: dict[str, Any] = {"id": id, "member": WHO, "reward": reward, "quantity": quantity}
        if value:
            body["value"] = {"amount": value, "currency": currency}
        if pay:
            body["pay"] = {"points": pay[0], "cash": {"amount": pay[1], "currency": currency}}
        status, answered = self.story.call("POST", "/v1/redemptions", body)
        assert answered.get("code") == (refused or None), answered
        assert refused or status in (200, 201), answered
        return 0 if refused else int(answered["redemption"]["points"])

    def fulfil(self, id: str, state: str) -> None:
        status, answered = self.story.call("POST", f"/v1/redemptions/{id}/fulfilment", {"state": state})
        assert status == 200, answered

    def clock(self, at: str) -> None:
        self.story.clock(at)

    def vouchers(self) -> list[tuple[str, str, str | None]]:
        found = [(each["voucher"], each["status"], self.story.local(each["expires_at"])) for each in self._vouchers()]
        return sorted(found, key=lambda each: (each[2] or "9", *each[:2]))

    def _vouchers(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.story.get(f"/v1/members/{WHO}/vouchers?limit=200")["items"]
        return items

    def _code(self, kind: str) -> str:
        found = [each for each in self._vouchers() if each["voucher"] == kind]
        return str(max(found, key=lambda each: (each["status"] == "issued", each["expires_at"] or ""))["code"])

    def points(self, wallet: str = "points") -> tuple[int, int, int, int]:
        return self.story.points(WHO, wallet)

    def expiring(self, wallet: str = "points") -> list[tuple[int, str | None]]:
        return self.story.expiring(WHO, wallet)

    def tier(self, track: str = "membership") -> str:
        return self.story.tier(WHO, track)

    def until(self, track: str = "membership") -> str | None:
        return self.story.until(WHO, track)

    def measured(self, track: str = "membership") -> list[int | str]:
        value = self.story.standing(WHO, track)["value"]
        return value if isinstance(value, list) else [value]

    def benefits(self, track: str = "membership") -> dict[str, str]:
        return {benefit: texts["en"] for benefit, texts in self.story.standing(WHO, track)["benefits"].items()}
