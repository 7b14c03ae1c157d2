"""Random programs full of what members can get: rewards, vouchers, promotions, draws, with small limits everywhere.

Amounts, stocks and limits are so small that a history of thirty steps comes up against most of them. Every part has a
fixed id, so that a further version of the same program differs in what its parts say and leave out, never in what an
id means.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

MODES: Final = ("all", "best", "first", "exclusive")
BEANS: Final = 'has(line.category) && line.category == "beans"'
TEA: Final = 'has(line.category) && line.category == "tea"'
FIELDS: Final[dict[str, Any]] = {
    "line": {"cost": {"type": "money", "optional": True}},
    "member": {"staff": {"type": "bool", "default": False}},
}

OFFERS: Final[dict[str, dict[str, Any]]] = {
    "off": {"off": "7.00"},
    "percent": {"percent": "15%"},
    "percent_most": {"percent": "33%", "most": "6.00"},
    "steps": {"steps": [{"spend": "10.00", "off": "3.00"}, {"spend": "30.00", "percent": "20%"}]},
    "every": {"steps": {"spend": "9.99", "off": "1.11"}, "repeat": True},
    "buy_get": {"buy": 2, "get": 1},
    "got_tea": {"buy": 1, "get": 1, "percent": "50%", "gets": TEA},
    "bundle": {"bundle": [{"lines": BEANS, "quantity": 1}, {"lines": TEA, "quantity": 1}], "price": "5.01"},
    "nth": {"nth": 2, "percent": "50%"},
    "nth_off": {"nth": 3, "off": "0.99"},
    "price": {"price": "3.33"},
    "free": {"free": TEA, "quantity": 1},
    "shipping": {"shipping": "100%"},
    "half_shipping": {"shipping": "50%"},
    "double": {"multiply": "points", "by": "2.5"},
    "points": {"wallet": "points", "points": 7},
}
ON_POINTS: Final = frozenset({"double", "points"})
SELECTING: Final = frozenset({"bundle", "free", "shipping", "half_shipping"})
"""Offers that select their lines themselves."""

SEGMENTS: Final = {
    "staff": {"when": "member.staff"},
    "regular": {"when": "member.counters.purchases >= 1 && member.wallets.points.available >= 0"},
}
SPRING: Final[dict[str, Any]] = {
    "opens": "2026-03-01",
    "closes": "2026-03-20",
    "draws_at": "2026-03-22",
    "claim": "5D",
    "exclude": '"staff" in member.segments',
    "prizes": {"bike": {"quantity": 1}, "gift": {"quantity": 2, "gives": {"wallet": "points", "points": 50}}},
}
WHEEL: Final[dict[str, Any]] = {
    "kind": "instant",
    "opens": "2026-03-01",
    "closes": "2026-03-31",
    "claim": "5D",
    "exclude": "member.staff",
    "prizes": {
        "mug": {"quantity": 2, "odds": "1/2"},
        "gift": {"odds": "1/4", "gives": {"wallet": "points", "points": 7}},
    },
    "fallback": {"gives": {"wallet": "points", "points": 1}},
}


def _maybe(chance: Random, part: dict[str, Any], likely: float, **words: Any) -> dict[str, Any]:
    return {**part, **words} if chance.random() < likely else part


def _floor(chance: Random) -> dict[str, Any]:
    return chance.choice(({"share": "60%"}, {"cost": "cost"}, {"share": "25%", "cost": "cost"}))


def _offer(chance: Random, name: str) -> dict[str, Any]:
    """The words that every offer may have."""
    part: dict[str, Any] = {"gives": OFFERS[name]}
    if name not in SELECTING:
        part = _maybe(chance, part, 0.3, lines=chance.choice((BEANS, "line.amount >= 4.00")))
    if name not in ON_POINTS:
        part = _maybe(chance, part, 0.3, floor=_floor(chance))
        part = _maybe(chance, part, 0.3, round=chance.choice(("down", "up", "half_up", "half_even")))
    return part


def _some(chance: Random, choices: list[dict[str, Any]], part: dict[str, Any]) -> dict[str, Any]:
    """The part with none, one or two of these limits."""
    limits = chance.sample(choices, chance.choice((0, 0, 1, 2)))
    return {**part, "limits": limits} if limits else part


def limited(chance: Random, part: dict[str, Any], unit: str) -> dict[str, Any]:
    """A campaign or promotion with limits in `unit` and in times."""
    over = chance.choice(("trim", "refuse"))
    most = ("4.00", "9.00", "15.00") if unit == "money" else (12, 40, 60)
    return _some(
        chance,
        [
            {"per": "member", "every": "day", unit: most[0], "over": over},
            {"per": "member", "every": "month", "times": 2},
            {"per": "member", "every": "lifetime", unit: most[1], "over": over},
            {"budget": unit, "of": most[2], "over": over},
            {"budget": "times", "of": 3},
            {"cooldown": "12H"} if unit == "money" else {"per": "member", "cooldown": "12H"},
        ],
        part,
    )


def _uses(chance: Random, part: dict[str, Any]) -> dict[str, Any]:
    """A kind of voucher with limits, which are in times."""
    return _some(
        chance,
        [
            {"per": "member", "every": "day", "times": 1},
            {"per": "member", "every": "lifetime", "times": 2},
            {"budget": "times", "of": 2},
            {"per": "member", "cooldown": "6H"},
        ],
        part,
    )


def _promotions(chance: Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Promotions of all sorts, and groups of those that take money off."""
    promotions: dict[str, Any] = {}
    for name in chance.sample(sorted(OFFERS), chance.randint(2, 6)):
        unit = "points" if name in ON_POINTS else "money"
        part = limited(chance, _offer(chance, name), unit)
        part = _maybe(chance, part, 0.2, when="purchase.total >= 12.00")
        part = _maybe(chance, part, 0.15, stores=["s-1"])
        part = _maybe(chance, part, 0.15, priority=chance.randint(-1, 1))
        promotions[f"p_{name}"] = part
    free = [id for id in promotions if id[2:] not in ON_POINTS]
    groups: dict[str, Any] = {}
    if len(free) > 1 and chance.random() < 0.6:
        chance.shuffle(free)
        cut = chance.randint(1, len(free))
        groups["g"] = {"mode": chance.choice(MODES), "of": free[:cut]}
        if free[cut:] and chance.random() < 0.6:
            groups["h"] = {"mode": chance.choice(MODES), "of": free[cut:]}
            if chance.random() < 0.5:
                groups["both"] = {"mode": chance.choice(MODES), "of": ["g", "h"]}
    return promotions, groups


def _life(chance: Random, id: str, kind: dict[str, Any]) -> dict[str, Any]:
    """The words about the life of a kind of voucher."""
    part = _uses(chance, kind)
    part = _maybe(chance, part, 0.3, when="purchase.total >= 5.00")
    part = _maybe(chance, part, 0.3, expires=chance.choice(({"after": "9D"}, {"until": "2026-03-15"})))
    part = _maybe(chance, part, 0.3, per_order=2)
    part = _maybe(chance, part, 0.4, hold=chance.choice(("10MIN", "1D")))
    if id == "shared":
        return part
    part = _maybe(chance, part, 0.4, transferable=True)
    return part if id[2:] in ON_POINTS else _maybe(chance, part, 0.4, on_return="split")


def _vouchers(chance: Random) -> dict[str, Any]:
    """Kinds of vouchers: `ten` is given by campaigns and bought, `shared` is anybody's, the others are given."""
    vouchers: dict[str, Any] = {"ten": {"gives": {"off": "10.00"}}}
    names = chance.sample(sorted(OFFERS), chance.randint(2, 5))
    vouchers.update({f"v_{name}": _offer(chance, name) for name in names})
    vouchers["shared"] = {**_offer(chance, chance.choice(sorted(OFFERS))), "code": ["WELCOME", "HELLO5"]}
    return {id: _life(chance, id, part) for id, part in vouchers.items()}


FULFILMENTS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"failed": {"points": "keep"}},
    {"returned": {"stock": "give_back"}},
    {"failed": {"points": "give_back", "stock": "keep"}, "returned": {"points": "keep", "stock": "give_back"}},
    {"packed": {"points": "capture"}},
    {"shipped": {"points": "keep"}, "delivered": {"points": "keep"}},
)


def _rewards(chance: Random) -> dict[str, Any]:
    """Rewards of every kind, at prices that members can pay."""

    def price(points: int) -> dict[str, Any]:
        return {"wallet": "points", "points": points}

    keep = chance.choice(FULFILMENTS)
    rewards: dict[str, Any] = {
        "mug": {"gives": "goods", "price": price(9), "fulfilment": keep, "hold": chance.choice(("2D", "none"))},
        "seat": {
            "gives": "experience",
            "price": price(5),
            "prices": [{**price(3), "when": '"staff" in member.segments'}],
        },
        "fare": {
            "gives": {"partner": "air"},
            "value": "stated",
            "price": {"wallet": "points", "points": "1.5", "per": "1.00"},
            "mix": {"least": "40%", "most": "90%", "cash": {"points": 3, "worth": "0.10"}},
        },
        "card": {"gives": {"gift_card": "card", "amount": "2.50"}, "price": price(6)},
        "cash": {"gives": {"cashback": "card", "amount": "0.75"}, "price": price(2)},
        "tree": {"gives": {"donation": "trees"}, "price": price(4)},
        "pass": {"gives": {"tier": "silver", "for": "5D"}, "price": price(5)},
        "coupon": {"gives": {"voucher": "ten", "count": 2}, "price": price(8)},
        "chances": {"gives": {"tickets": "spring", "count": 2}, "price": price(3)},
        "turns": {"gives": {"tickets": "wheel"}, "price": price(2)},
    }
    chosen = chance.sample(sorted(rewards), chance.randint(4, len(rewards)))
    result: dict[str, Any] = {}
    for id in chosen:
        part = _maybe(chance, rewards[id], 0.6, stock=chance.randint(0, 4))
        if chance.random() < 0.5:
            every = chance.choice(("day", "month", "lifetime"))
            part = {**part, "limits": [{"per": "member", "every": every, "times": chance.randint(1, 3)}]}
        if id in ("coupon", "card", "tree", "pass"):
            part = _maybe(chance, part, 0.4, hold="1D")
        if id != "fare":
            part = _maybe(chance, part, 0.3, automatic=chance.choice((10, 40)))
        result[id] = part
    return result


def _campaigns(chance: Random) -> dict[str, Any]:
    base = {"on": "purchase", "grant": {"wallet": "points", "points": "0.7", "per": "1.00"}}
    gift = {"on": "purchase", "when": "purchase.total >= 12.00", "grant": {"voucher": "ten"}}
    extra: dict[str, Any] = {
        "gift": limited(chance, gift, "points"),
        "pair": limited(
            chance,
            {"on": "purchase", "grant": [{"wallet": "points", "fixed": 5}, {"voucher": "ten"}], "lines": BEANS},
            "points",
        ),
        "lucky": limited(chance, {"on": "purchase", "grant": {"tickets": "spring", "per": "8.00"}}, "points"),
        "mixed": limited(
            chance,
            {"on": "purchase", "grant": [{"tickets": "spring", "count": 2}, {"wallet": "points", "fixed": 3}]},
            "points",
        ),
        "turn": limited(chance, {"on": "purchase", "grant": {"tickets": "wheel", "count": 1}}, "points"),
        "visit": limited(chance, {"on": "check_in", "grant": {"voucher": "ten"}}, "points"),
        "spin": {"on": "check_in", "grant": [{"tickets": "wheel", "count": 2}, {"wallet": "points", "fixed": 2}]},
        "big": limited(
            chance,
            {
                "on": "purchase",
                "when": 'purchase.total >= 20.00 && "regular" in member.segments',
                "grant": {"wallet": "points", "fixed": 6},
            },
            "points",
        ),
    }
    chosen = chance.sample(sorted(extra), chance.randint(2, 6))
    return {"base": limited(chance, base, "points"), **{id: extra[id] for id in chosen}}


WALLET: Final[dict[str, tuple[Any, ...]]] = {
    "pending": ("none", "none", "2D"),
    "expires": ("never", {"after": "20D"}, {"inactive_for": "15D"}),
    "when_spent": ("within_balance", "pending_only", {"debt": 30, "freeze": True}, {"debt": "unlimited"}),
}


def shape_of(chance: Random) -> dict[str, Any]:
    """What every version of a program has in common: zone, wallets, tracks."""
    points = {word: chance.choice(values) for word, values in WALLET.items()}
    money = {"points": 10, "worth": "1.00"}
    points |= {"hold": "2D", "money": _maybe(chance, money, 0.3, largest_share="50%")}
    points = _maybe(chance, points, 0.5, restore_grace="3D")
    track: dict[str, Any] = {
        "measure": chance.choice(({"spent": "net"}, {"earned": "points"})),
        "window": chance.choice(("lifetime", "calendar_year", {"rolling": "20D"})),
        "on_return": chance.choice(("stay", "fall_back")),
        "tiers": [
            {"id": "member"},
            {"id": "silver", "enter": 50, "multiply": {"points": "1.5"}},
            {"id": "gold", "enter": 150, "multiply": {"points": 2}},
        ],
    }
    return {
        "program": "random",
        "time_zone": chance.choice(("Asia/Shanghai", "America/New_York")),
        "currency": "CNY",
        "jurisdiction": "none",
        "fields": FIELDS,
        "wallets": {"points": points, "card": {"money": {"points": 1, "worth": "0.01"}, "expires": {"after": "24M"}}},
        "tracks": {"club": track},
        "segments": SEGMENTS,
        "draws": {"spring": SPRING, "wheel": WHEEL},
        "quote_hold": chance.choice(("30MIN", "2D", "9D")),
    }


def program_of(chance: Random, shape: dict[str, Any]) -> dict[str, Any]:
    """A program document of that shape."""
    promotions, groups = _promotions(chance)
    document = {
        **shape,
        "causes": {"trees": _maybe(chance, {}, 0.7, yearly=10)},
        "campaigns": _campaigns(chance),
        "promotions": promotions,
        "vouchers": _vouchers(chance),
        "rewards": _rewards(chance),
    }
    return {**document, "groups": groups} if groups else document
