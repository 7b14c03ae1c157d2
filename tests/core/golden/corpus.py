"""The golden corpus: activities of every kind with the facts that this engine says, as they are stored.

A line is an activity: which world it belongs to, what was posted (nothing for a follow-up, which comes by itself), and
its facts or refusal. Programs stand in the first line. A test reads it, `python -m tests.core.golden` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from laurels.core.activity import Activity
from laurels.core.calendar import tzdata_version
from laurels.core.decide import ENGINE
from laurels.core.facts import VoucherIssued, encode_facts
from tests.core.harness import Answer, World, draw_keys, shop
from tests.core.histories import Story, history_of, program_of

FILE = Path(__file__).with_name("facts.ndjson")
CAFE = Path(__file__).parent.parent / "program" / "corner_cafe.yaml"


class Recorder(World):
    """A world that writes down what is posted and what comes of it."""

    def __init__(self, *programs: Any, start: str = "2026-01-01 00:00") -> None:
        self.lines: list[dict[str, Any]] = []
        self.documents: list[tuple[int, Any]] = []
        self._inside = False
        super().__init__(*programs, start=start)
        self.start = self.now
        self.keys = draw_keys

    def _add(self, each: Any, effective_at: int) -> None:
        self.documents.append((effective_at, each))
        super()._add(each, effective_at)

    def post(self, member: str, type: str, data: Any = None, **words: Any) -> Answer:
        if self._inside:
            return super().post(member, type, data, **words)
        self._inside = True
        place = len(self.lines)
        answer = super().post(member, type, data, **words)
        self._inside = False
        self.lines[place]["post"] = {"member": member, "type": type, "data": data or {}, **words, "at": self.now}
        return answer

    def _submit(self, activity: Activity) -> Answer:
        answer = super()._submit(activity)
        line: dict[str, Any] = {}
        if answer.refusal is None:
            line["facts"] = json.loads(encode_facts(answer.facts))
        else:
            line["refused"] = answer.refusal.code
        self.lines.append(line)
        return answer


def compose() -> str:
    """The corpus as this engine makes it."""
    worlds = [story() for story in STORIES]
    head = {
        "engine": ENGINE,
        "tzdata": tzdata_version(),
        "worlds": [{"start": world.start, "programs": world.documents} for world in worlds],
    }
    lines = [head, *[{"world": n, **line} for n, world in enumerate(worlds) for line in world.lines]]
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def replay(head: dict[str, Any], lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same posts, decided by the engine as it is now."""
    now: list[dict[str, Any]] = []
    for n, stored in enumerate(head["worlds"]):
        (_, first), *later = stored["programs"]
        world = Recorder(first)
        world.now = stored["start"]
        for effective_at, document in later:
            world._add(document, effective_at)
        for line in lines:
            if line["world"] == n and "post" in line:
                world.post(**line["post"])
        now.extend([{"world": n, **line} for line in world.lines])
    return now


# --- stories ----------------------------------------------------------------------------------------------------------


def cafe() -> Recorder:
    """A member of the corner café through three years: pending, beans, gold, debt, returns, a hold that times out."""
    w = Recorder(CAFE.read_text("utf-8"), start="2026-01-05 09:00")
    w.enrol("m", attributes={"favourite_drink": "flat white"}, referral_code="lin", time_zone="Asia/Tokyo")
    w.enrol("n")
    w.buy("o1", {"amount": "39.80", "tax": "2.30", "category": "beans", "quantity": "2"}, at="2026-02-01 10:00")
    w.post("m", "adjustment", {"wallet": "growth", "points": 1200, "reason": "opened"}, at="2026-03-01 10:00")
    w.buy("o2", {"amount": "150.00", "category": "beans"}, "200.00", at="2026-03-03 14:00", store="s1", channel="store")
    w.buy("o3", {"amount": "250.00", "category": "beans", "tags": ["clearance"]}, at="2026-03-03 14:30")
    w.buy("soon", {"amount": "50.00", "category": "beans"}, at="2026-03-03 14:40")
    w.buy("o4", {"amount": "250.00", "category": "beans"}, at="2026-03-05 16:59:59")
    w.buy("late", {"amount": "90.00", "category": "beans"}, at="2026-03-20 12:00", occurred="2026-03-05 15:30")
    w.give_back("o2", ("1", "100.00"), at="2026-03-21")
    w.give_back("o2", at="2026-03-22")
    w.give_back("o2")
    w.give_back("nothing")
    w.hold("r1", 500, at="2026-04-01")
    tenders = [{"kind": "points", "amount": "5.00", "redemption": "r1"}, {"kind": "cash", "amount": "15.00"}]
    w.buy("o5", "20.00", tenders=tenders)
    w.capture("r1", 500)
    w.give_back("o5", ("1", "10.00"), at="2026-04-02")
    w.redeem("r2", 100)
    w.hold("r3", 500)
    w.clock("2026-04-04")
    w.redeem("r4", 500)
    w.give_back("o4")
    w.redeem("r5", 500)
    w.buy("o6", "77.70", at="2026-05-01")
    w.post("m", "adjustment", {"wallet": "growth", "points": 4000, "reason": "bonus"}, at="2026-05-02")
    w.buy("o7", "777.70", at="2026-05-03")
    w.post("m", "member_change", {"attributes": {"favourite_drink": None, "birthday_month": 3}})
    w.post("m", "custom.recycled", {"kilograms": "2.5"})
    w.post("m", "custom.unheard_of", {})
    w.send("n", 300, at="2026-06-01")
    w.send("nobody", 100)
    w.send("m", 1)
    w.clock("2028-02-01")
    w.clock("2028-03-02")
    w.clock("2030-01-01")
    return w


def put_right() -> Recorder:
    """What people put right: opening balances, extensions, reinstatement, adjustments, refusals."""
    w = Recorder(shop({"expires": {"after": "3M"}, "restore_grace": "7D", "money": {"points": 5, "worth": "1.00"}}))
    w.enrol()
    lots = [
        {"points": 50, "earned_at": "2025-11-01T00:00:00Z", "expires_at": "2026-02-01T00:00:00Z"},
        {"points": 70, "earned_at": "2025-12-01T00:00:00Z", "expires_at": None},
        {"points": 9, "earned_at": "2025-01-01T00:00:00Z", "expires_at": "2025-06-01T00:00:00Z"},
    ]
    w.post("m", "opening_balance", {"wallet": "points", "lots": lots})
    body = {"wallet": "points", "expires_at": "2026-03-01T00:00:00Z", "reason": "strike"}
    w.post("m", "extension", body, at="2026-01-10")
    w.post("m", "extension", {**body, "lots": ["2.0"]})
    w.adjust(-60)
    w.adjust(-600)
    w.adjust(5, expires="2026-02-15 12:00")
    w.clock("2026-03-05")
    back = {"wallet": "points", "lots": ["2.2", "5.0"], "expires_at": "2026-04-01T00:00:00Z", "reason": "sorry"}
    w.post("m", "reinstatement", {**back, "lots": ["2.2"]})
    w.post("m", "reinstatement", {**back, "lots": ["2.2"]})
    w.post("m", "reinstatement", {**back, "lots": ["99.0"]})
    w.hold("r", 20)
    w.cancel("r", at="2026-03-05 12:00")
    w.hold("r6", 60)
    w.capture("r6", 61)
    w.capture("r6", 10)
    w.buy("o", "10.00", at="2026-04-01")
    w.redeem("r7", 25)
    w.buy("o", "10.00")
    w.post("m", "enrol")
    w.post("nobody", "clock")
    w.buy("p", "5.00", tenders=[{"kind": "points", "amount": "5.00", "redemption": "r7"}])
    w.give_back("p", at="2027-01-01")
    return w


def combinations() -> Recorder:
    """Campaigns of every sort in nested groups with limits, budgets and cooldowns."""
    rate = {"wallet": "points", "points": {"member": 1, "silver": "1.2"}, "per": "1.00", "round": "half_up"}
    document = shop(
        {"expires": {"on": ["06-30", "12-31"], "at_least": "1M"}, "when_spent": {"debt": 10}},
        fields={"custom.stay": {"nights": "int"}, "member": {"ratio": {"type": "decimal", "default": "1"}}},
        tracks={
            "membership": {
                "measure": {"any": [{"spent": "net"}, {"sum": "custom.stay.nights"}]},
                "window": {"rolling": "90D"},
                "fall": "one_step",
                "grace": "5D",
                "on_return": "fall_back",
                "tiers": [
                    {"id": "member"},
                    {"id": "silver", "enter": ["100.00", 3], "multiply": {"points": "1.25"}},
                    {"id": "gold", "enter": ["500.00", 9], "expires": {"points": "never"}},
                ],
            }
        },
        campaigns={
            "base": {"on": "purchase", "grant": rate},
            "double": {
                "on": "purchase",
                "lines": "line.amount >= 10.00",
                "grant": {"wallet": "points", "multiply": "base", "by": 2},
                "limits": [{"per": "member", "every": "day", "points": 30}, {"budget": "points", "of": 100}],
            },
            "steps": {
                "on": "purchase",
                "grant": {
                    "wallet": "points",
                    "per": "1.00",
                    "brackets": [{"from": "0.00", "points": "0.1"}, {"from": "50.00", "points": "0.5"}],
                },
            },
            "fixed": {
                "on": "purchase",
                "when": 'purchase.total >= 40.00 && activity.source == "pos" && member.ratio >= 0.5',
                "grant": {"wallet": "points", "fixed": 12},
                "limits": [{"per": "member", "cooldown": "1H"}, {"budget": "times", "of": 9, "over": "refuse"}],
            },
            "units": {
                "on": "purchase",
                "lines": 'line.kind == "product"',
                "grant": {"wallet": "points", "per_quantity": "1.5"},
                "limits": [{"per": "member", "every": "week", "times": 2}],
                "priority": 1,
            },
            "only": {
                "on": "purchase",
                "during": {"weekly": [{"days": ["sat"], "from": "10:00", "until": "12:00"}]},
                "grant": {"wallet": "points", "fixed": 3},
            },
            "over_only": {"on": "purchase", "grant": {"wallet": "points", "multiply": "steps", "by": 3}},
            "nights": {"on": "custom.stay", "grant": {"wallet": "points", "points": 7, "of": "activity.nights"}},
        },
        groups={
            "inner": {"mode": "best", "of": ["steps", "fixed"]},
            "outer": {"mode": "first", "of": ["inner", "units"]},
            "alone": {"mode": "exclusive", "of": ["only"]},
        },
    )
    w = Recorder(document)
    w.enrol(attributes={"ratio": "0.75"})
    for n, (at, amounts) in enumerate(
        (
            ("2026-01-02 10:00", ("60.00", "9.99")),
            ("2026-01-02 10:30", ("45.50", "3.33")),
            ("2026-01-02 11:30", ("0.40",)),
            ("2026-01-03 11:00", ("33.40",)),
            ("2026-01-05 10:00", ("20.00", "30.00")),
            ("2026-01-05 11:30", ("200.00",)),
            ("2026-01-06 09:00", ("60.00", "60.00")),
            ("2026-01-14 09:00", ("500.00",)),
        )
    ):
        w.buy(f"o{n}", *amounts, at=at)
    w.give_back("o0", ("1", "30.00"), at="2026-01-15")
    w.give_back("o6", "1")
    w.give_back("o7", ("1", "499.00"))
    w.post("m", "custom.stay", {"nights": 4}, at="2026-01-16")
    w.post("m", "custom.stay", {"nights": 5}, at="2026-01-17")
    w.redeem("r", 100)
    w.give_back("o5")
    w.give_back("o4")
    w.buy("late", "5.00", occurred="2026-01-06 10:00")
    w.clock("2026-05-01")
    w.clock("2027-05-01")
    return w


def versions() -> Recorder:
    """A sliding wallet kept by its tier, and a second version that renames the tier and drops a track."""
    tiers = [{"id": "member"}, {"id": "silver", "enter": 50, "expires": {"points": "never"}}]
    tracks = {
        "membership": {"measure": {"earned": "points"}, "holds_until": "this_window", "tiers": tiers},
        "visits": {
            "measure": {"count": "check_in"},
            "window": "anniversary",
            "tiers": [{"id": "a"}, {"id": "b", "enter": 2}],
        },
    }
    sliding = {"expires": {"inactive_for": "2M", "kept_by": ["earn", "check_in"]}, "pending": {
        "until": "custom.delivered", "at_most": "20D"}}  # fmt: skip
    fields = {"custom.delivered": {"order": "string"}}
    w = Recorder(shop(sliding, tracks=tracks, fields=fields))
    renamed = [{"id": "member"}, {"id": "bronze", "enter": 80, "was": "silver"}]
    w.publish(
        shop(sliding, tracks={"membership": {**tracks["membership"], "tiers": renamed}}, fields=fields), "2026-07-01"
    )
    w.enrol(at="2026-01-02")
    w.buy("o1", "30.00")
    w.post("m", "check_in", at="2026-02-01")
    w.post("m", "check_in")
    w.buy("o2", "60.00", at="2026-02-10")
    w.post("m", "custom.delivered", {"order": "o2"})
    w.hold("r", 40, at="2026-02-11")
    w.buy("o3", "5.00", at="2026-03-15")
    w.clock("2026-06-20")
    w.buy("o4", "7.00", at="2026-07-02", occurred="2026-06-25")
    w.post("m", "custom.delivered", {})
    w.cancel("r", at="2026-07-03")
    w.clock("2027-01-10")
    w.clock("2027-04-10")
    return w


def renamed() -> Recorder:
    """A sliding wallet and a campaign with limits that get another name, a retired wallet, a tier won back and kept."""

    def document(stars: str, base: str, **was: str) -> dict[str, Any]:
        tiers = [{"id": "member"}, {"id": "silver", "enter": 50, "keep": 20}]
        return {
            "program": "shop", "time_zone": "Asia/Shanghai", "currency": "CNY",
            "wallets": {stars: {"expires": {"inactive_for": "2M"}, "hold": "9M", "pending": "3D", **was}},
            "tracks": {"membership": {"measure": {"earned": stars}, "window": {"rolling": "60D"}, "tiers": tiers}},
            "campaigns": {
                base: {
                    "on": "purchase",
                    "grant": {"wallet": stars, "points": 1, "per": "1.00"},
                    "limits": [{"per": "member", "every": "year", "points": 150}, {"budget": "points", "of": 500}],
                    **({"was": "base"} if was else {}),
                }
            },
        }  # fmt: skip

    first = document("stars", "base")
    first["wallets"]["miles"] = {"when_spent": {"debt": "unlimited"}}
    first["campaigns"]["miles"] = {"on": "check_in", "grant": {"wallet": "miles", "fixed": 3}}
    w = Recorder(first)
    w.publish({**document("points", "basic", was="stars"), "retired": {"wallets": {"miles": "points"}}}, "2026-05-01")
    w.enrol()
    w.buy("o1", "45.00", at="2026-01-10")
    w.redeem("r1", 10, wallet="stars", hold=True, at="2026-01-20")
    w.buy("o0", "15.00", at="2026-01-30")
    w.clock("2026-04-05")
    w.buy("o2", "10.00", at="2026-04-06", occurred="2026-03-20")
    w.buy("o3", "30.00", at="2026-04-20")
    w.redeem("r2", 9, wallet="stars", hold=True, at="2026-04-25")
    w.post("m", "check_in")
    w.buy("o4", "25.00", at="2026-04-29")
    w.buy("o5", "12.00", at="2026-05-02", occurred="2026-04-30")
    w.cancel("r1")
    w.capture("r2", 4)
    w.give_back("o4", at="2026-05-10")
    w.give_back("o3")
    w.give_back("o5")
    w.buy("o6", "80.00", at="2026-05-11")
    w.redeem("r3", 5, wallet="stars")
    w.redeem("r3", 5)
    w.clock("2026-09-01")
    return w


def vouchers() -> Recorder:
    """Vouchers given by a person and by a campaign: reserved, used, split, passed on, taken away, run out."""
    kinds = {
        "ten": {"gives": {"off": "10.00"}, "expires": {"after": "30D"}, "transferable": True, "on_return": "split",
                "limits": [{"every": "month", "times": 2}, {"budget": "times", "of": 5}]},
        "hello": {"gives": {"percent": "10%"}, "code": "HELLO10", "hold": "15MIN"},
        "slow": {"gives": {"off": "1.00"}, "limits": [{"cooldown": "3D"}]},
    }  # fmt: skip
    gift = {"on": "purchase", "when": "purchase.total >= 100.00", "grant": {"voucher": "ten"}}
    w = Recorder(shop(vouchers=kinds, campaigns={"gift": gift}))
    w.enrol()
    w.enrol("n")
    codes = [w.post("m", "voucher_issue", {"voucher": "ten"}).of(VoucherIssued)[0].code for _ in range(3)]
    w.post("m", "voucher_reserve", {"code": codes[0], "order": "o1"}, at="2026-01-02 10:00")
    w.post("m", "voucher_reserve", {"code": "hello10", "order": "o1"})
    w.post("m", "voucher_release", {"code": "hello10", "order": "o1"})
    w.post("m", "voucher_reserve", {"code": "hello10", "order": "o1"})
    off = [{"code": codes[0], "amount": "10.00"}]
    w.buy("o1", {"amount": "30.00", "discounts": off}, "90.00", at="2026-01-02 10:20")
    w.buy("o2", "30.00", vouchers=[codes[0]])
    w.buy("o2", "30.00", vouchers=[codes[1], "hello10"])
    w.buy("o3", "30.00", vouchers=[codes[2]])
    cart = {"order": "quote:q", "lines": [{"line": "1", "amount": "120.00"}], "vouchers": [codes[2], "hello10", "none"]}
    w.post("m", "quote", {"quote": "q", "cart": cart, "reserve": True})
    off = [{"code": codes[2], "amount": "10.00"}, {"code": "hello10", "amount": "10.00"}]
    w.buy("o4", {"amount": "100.00", "discounts": off}, quote="q")
    w.give_back("o4")
    w.give_back("o1", ("1", "15.00"), at="2026-01-03")
    w.give_back("o1")
    w.give_back("o2")
    w.post("m", "voucher_transfer", {"code": codes[2], "to": "nobody"})
    w.post("m", "voucher_transfer", {"code": codes[2], "to": "n"})
    w.post("m", "voucher_revoke", {"code": codes[1], "reason": "given by mistake"})
    (slow,) = w.post("m", "voucher_issue", {"voucher": "slow"}).of(VoucherIssued)
    w.post("m", "voucher_reserve", {"code": slow.code})
    w.post("m", "voucher_release", {"code": slow.code})
    for id in ("q2", "q3"):
        cart = {"order": f"quote:{id}", "lines": [{"line": "1", "amount": "50.00"}], "vouchers": [slow.code, "hello10"]}
        w.post("m", "quote", {"quote": id, "cart": cart, "reserve": True})
        if id == "q2":
            w.post("m", "quote_cancel", {"quote": id})
            w.post("m", "quote_cancel", {"quote": id})
    w.buy("o5", "60.00", vouchers=[slow.code], quote="q3")
    w.clock("2026-02-10", "n")
    w.clock("2026-02-10")
    return w


def draws() -> Recorder:
    """Tickets granted, void, entered and played; prizes won, claimed and forfeited; a draw that closes later."""
    spring = {
        "opens": "2026-03-01", "closes": "2026-03-20", "draws_at": "2026-04-02", "exclude": "member.staff",
        "prizes": {"bike": {"quantity": 2}, "gift": {"quantity": 2, "gives": {"wallet": "points", "points": 500}}},
    }  # fmt: skip
    wheel = {
        "kind": "instant", "opens": "2026-03-01", "closes": "2026-03-31", "claim": "2D",
        "prizes": {
            "mug": {"quantity": 1, "odds": "1/2"},
            "gift": {"odds": "1/4", "gives": {"wallet": "points", "points": 7}},
        },
        "fallback": {"gives": {"wallet": "points", "points": 1}},
    }  # fmt: skip

    def document(**words: Any) -> dict[str, Any]:
        return shop(
            campaigns={
                "per_100": {"on": "purchase", "grant": {"tickets": "spring", "per": "100.00"}},
                "turns": {"on": "check_in", "grant": {"tickets": "wheel", "count": 4}},
            },
            draws={"spring": {**spring, **words}, "wheel": wheel},
            jurisdiction="none",
            fields={"member": {"staff": {"type": "bool", "default": False}}},
        )

    w = Recorder(document(), start="2026-02-01 10:00")
    w.enrol()
    w.enrol("s", attributes={"staff": True})
    w.buy("o0", "100.00")
    w.buy("o1", "250.00", at="2026-03-02 10:00")
    w.buy("s1", "250.00", member="s")
    w.buy("o2", "100.00", "200.00")
    w.give_back("o2", "2")
    w.post("m", "check_in")
    w.post("m", "check_in")
    for _ in range(8):
        w.post("m", "draw_play", {"draw": "wheel"})
    w.post("m", "draw_play", {"draw": "wheel"})
    w.publish(document(closes="2026-03-25", changes=[{"at": "2026-03-05", "reason": "longer"}]), "2026-03-05")
    w.give_back("o1", at="2026-03-26")
    for place, ticket, prize, more in (
        (1, 1, "bike", {"until": w.instant("2026-04-10")}),
        (2, 2, "bike", {"until": w.instant("2026-04-10")}),
        (3, 3, "gift", {"wallet": "points", "points": 500}),
    ):
        body = {"draw": "spring", "place": place, "ticket": ticket, "prize": prize, "quantity": 2, **more}
        w.post("m", "draw_prize", body, at="2026-04-02", source="laurels")
    w.post("m", "draw_claim", {"draw": "spring", "place": 1}, at="2026-04-03")
    w.clock("2026-04-10")
    return w


def bought_tickets() -> Recorder:
    """Tickets bought with points: refused, given back, played, in a draw, and bought by themselves."""
    document = shop(
        draws={
            "spring": {
                "opens": "2026-03-01", "closes": "2026-03-20", "draws_at": "2026-04-02",
                "prizes": {"bike": {"quantity": 2}},
            },
            "wheel": {
                "kind": "instant", "opens": "2026-03-01", "closes": "2026-03-31", "prizes": {"a": {"odds": "1/2"}},
            },
        },
        jurisdiction="none",
        rewards={
            "luck": {
                "gives": {"tickets": "spring", "count": 2}, "price": {"wallet": "points", "points": 100}, "stock": 9,
                "limits": [{"every": "month", "times": 5}], "automatic": 500,
            },
            "turn": {"gives": {"tickets": "wheel"}, "price": {"wallet": "points", "points": 10}},
        },
    )  # fmt: skip
    w = Recorder(document, start="2026-02-01 10:00")
    w.enrol()
    w.adjust(450)
    for id, reward, quantity, at in (
        ("a", "luck", 1, "2026-02-28"), ("b", "luck", 1, "2026-03-02"), ("c", "luck", 2, "2026-03-02"),
        ("d", "turn", 2, "2026-03-03"), ("e", "turn", 1, "2026-03-03"),
    ):  # fmt: skip
        w.post("m", "redemption", {"redemption": id, "reward": reward, "quantity": quantity}, at=at)
    w.cancel("c")
    w.post("m", "draw_play", {"draw": "wheel"})
    w.cancel("d")
    w.cancel("e")
    w.post("m", "choice", {"reward": "luck", "automatic": True})
    w.adjust(500)
    w.clock("2026-03-21")
    w.cancel("b")
    w.adjust(900)
    return w


def random(seed: int) -> Callable[[], Recorder]:
    """A random history under a random program."""

    def live() -> Recorder:
        chance = Random(seed)
        story = Story(program_of(chance), world=Recorder)
        for step in history_of(chance, 22):
            story.take(step)
        assert isinstance(story.world, Recorder)
        return story.world

    return live


def promoted() -> Recorder:
    """Promotions of several sorts in groups with limits and budgets, quotes reserved, kept and timed out, returns."""

    def line(amount: str, *discounts: tuple[str, str], **words: str) -> dict[str, Any]:
        return {"amount": amount, "discounts": [{"code": code, "amount": off} for code, off in discounts], **words}

    promotions = {
        "tenth": {"gives": {"percent": "10%"}, "limits": [{"budget": "money", "of": "60.00"}]},
        "steps": {"gives": {"steps": [{"spend": 100, "off": 10}, {"spend": 300, "off": 40}]}},
        "second": {"gives": {"nth": 2, "percent": "50%"}, "lines": "line.quantity >= 2.0", "round": "half_up"},
        "members": {"gives": {"price": "8.00"}, "when": "member.counters.purchases > 0", "floor": {"share": "50%"}},
        "triple": {"gives": {"multiply": "points", "by": 3}, "channels": "app"},
        "cross": {"gives": {"wallet": "points", "points": 30, "new": "category"}},
        "trial": {
            "gives": {"wallet": "points", "points": 5, "new": "product"},
            "lines": 'has(line.category) && line.category == "new"',
        },
    }
    document = {
        "program": "shop", "time_zone": "Asia/Shanghai", "currency": "CNY", "wallets": {"points": {}},
        "campaigns": {"base": {"on": "purchase", "grant": {"wallet": "points", "points": 1, "per": "1.00"}}},
        "promotions": promotions,
        "groups": {"one": {"mode": "exclusive", "of": ["steps", "tenth"]}},
    }  # fmt: skip
    w = Recorder(document)
    w.publish({key: value for key, value in document.items() if key not in ("promotions", "groups")}, "2026-03-02")
    w.enrol()
    w.buy("o1", line("90.00", ("tenth", "10.00"), category="tea"), at="2026-03-01 10:00")

    def quote(id: str, amount: str, **data: Any) -> None:
        lines = [{"line": "1", "amount": amount, "quantity": "2", "category": "new", "sku": "n-1"}]
        cart = {"order": f"quote:{id}", "lines": lines, **data}
        w.post("m", "quote", {"quote": id, "cart": cart, "reserve": True})

    quote("q1", "320.00", choices={"one": "tenth"})
    quote("q2", "320.00", channel="app")
    quote("q2", "320.00")
    w.clock("2026-03-01 10:31")
    quote("q3", "120.00", channel="app")
    w.publish({**document, "promotions": {"tenth": promotions["tenth"]}, "groups": {}}, "2026-03-01 10:40")
    kept = line("74.25", ("steps", "10.00"), ("second", "27.50"), ("members", "8.25"), category="new", sku="n-1")
    w.buy("o2", {**kept, "quantity": "2"}, quote="q3", channel="app", at="2026-03-01 10:45")
    w.buy("o3", "20.00", quote="q3", at="2026-03-01 11:00")
    w.give_back("o2", ("1", "30.00"))
    w.give_back("o1")
    w.give_back("o2")
    return w


def for_life() -> Recorder:
    """Years on a tier that make another one, while a pass lies over the first; and what is given for keeping it."""
    life = {
        "measure": {"years": "club.silver"},
        "window": "lifetime",
        "tiers": [{"id": "none"}, {"id": "for_life", "enter": 3}],
    }
    club = {
        "measure": {"spent": "net"},
        "tiers": [{"id": "base"}, {"id": "silver", "enter": "50.00"}, {"id": "gold", "enter": "90.00"}],
    }
    taste = {"gives": {"tier": "club.gold", "for": "3M"}, "price": {"wallet": "points", "points": 30}}
    kept = {"on": "tier_kept", "keeps": "club.silver", "grant": {"wallet": "points", "fixed": 20}}
    w = Recorder(shop(tracks={"club": club, "for_life": life}, rewards={"taste": taste}, campaigns={"kept": kept}))
    w.enrol()
    w.buy("o1", "60.00", at="2026-05-01")
    w.post("m", "redemption", {"redemption": "r1", "reward": "taste"}, at="2026-11-01")
    w.clock("2027-01-01")
    w.buy("o2", "55.00", at="2027-05-01")
    w.clock("2030-06-01")
    return w


def rewards() -> Recorder:
    """Rewards of every kind, held, sent, given, failed, returned, timed out, and redeemed by themselves."""
    document = shop(
        {"expires": {"after": "2M"}, "restore_grace": "10D"},
        wallets={"card": {"money": {"points": 1, "worth": "0.01"}}},
        tracks={"club": {"measure": {"spent": "net"}, "tiers": [{"id": "member"}, {"id": "gold", "enter": "900.00"}]}},
        causes={"trees": {"yearly": 90}},
        rewards={
            "mug": {
                "gives": "goods", "price": {"wallet": "points", "points": {"member": 50, "gold": 40}}, "stock": 6,
                "mix": {"least": "50%", "cash": {"points": 100, "worth": "1.20"}},
                "limits": [{"every": "month", "times": 5}], "hold": "60D",
            },
            "fare": {
                "gives": {"partner": "air"}, "value": "stated",
                "price": {"wallet": "points", "points": 1.5, "per": "1.00"},
            },
            "card": {
                "gives": {"gift_card": "card", "amount": "5.00"}, "price": {"wallet": "points", "points": 50},
                "automatic": 60,
            },
            "tree": {"gives": {"donation": "trees"}, "price": {"wallet": "points", "points": 30}},
            "pass": {"gives": {"tier": "gold", "for": "1M"}, "price": {"wallet": "points", "points": 60}},
        },
    )  # fmt: skip
    w = Recorder(document)
    w.enrol()
    w.buy("o1", "500.00")

    def redeem(id: str, reward: str, at: str | None = None, **more: Any) -> None:
        w.post("m", "redemption", {"redemption": id, "reward": reward, **more}, at=at)

    def fulfil(id: str, state: str, **more: Any) -> None:
        w.post("m", "redemption_fulfilment", {"redemption": id, "state": state, **more})

    redeem("a", "mug", quantity=2, pay={"points": 60, "cash": "0.48"})
    redeem("b", "mug", quantity=2)
    redeem("b", "mug", quantity=3)
    redeem("c", "mug", "2026-01-20")
    redeem("d", "fare", value="33.33", hold=False)
    redeem("e", "tree", quantity=3)
    redeem("f", "pass")
    fulfil("a", "packed")
    fulfil("a", "shipped", carrier="post", tracking="RR1")
    fulfil("a", "returned")
    fulfil("b", "failed")
    fulfil("d", "delivered", reference="PNR7")
    w.cancel("c", at="2026-03-02")
    redeem("g", "tree")
    w.clock("2026-03-05")
    w.post("m", "choice", {"reward": "card", "automatic": True})
    w.buy("o2", "130.00", at="2026-03-06")
    w.post("m", "choice", {"reward": "card", "automatic": False})
    redeem("h", "mug")
    w.clock("2026-05-01")
    return w


STORIES: list[Callable[[], Recorder]] = [
    cafe,
    put_right,
    combinations,
    versions,
    renamed,
    *map(random, range(101, 109)),
    vouchers,
    promoted,
    rewards,
    draws,
    bought_tickets,
    for_life,
]
