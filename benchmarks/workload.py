"""The shopping that is measured: a program of ten purchase campaigns, and members who buy three lines at a time.

On average about four of the campaigns apply to a purchase; the others fail by window, hours, condition, lines or
cooldown. There are three tiers with multipliers, lots that wait for seven days and expire a year later at the month's
end, a daily limit, a budget and a cooldown. Eighteen months pass, so that lots activate and expire and years close.
The same seed gives the same activities, byte for byte.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

import msgspec

from laurels.core.calendar import MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND, Instant, parse_instant
from laurels.core.program.loading import load
from laurels.core.program.model import Program
from laurels.core.version import Version, Versions

DOCUMENT: Final = """
program: workload
name: {en: Measured rewards, zh-CN: 测速会员}
time_zone: America/New_York
currency: USD

fields:
  member: {staff: bool}

wallets:
  points:
    name: {en: Points, zh-CN: 积分}
    pending: 7D
    expires: {after: 12M, round: month}
    when_spent: {debt: unlimited, freeze: true}

tracks:
  membership:
    name: {en: Membership, zh-CN: 会员等级}
    measure: {spent: net}
    window: calendar_year
    tiers:
      - {id: member, name: {en: Member, zh-CN: 普通会员}}
      - {id: silver, name: {en: Silver, zh-CN: 银卡}, enter: "400.00", keep: "300.00", multiply: {points: 1.25}}
      - {id: gold, name: {en: Gold, zh-CN: 金卡}, enter: "900.00", keep: "800.00", multiply: {points: 1.5}}

campaigns:
  base:
    on: purchase
    lines: '!(has(line.category) && line.category == "FUEL")'
    grant: {wallet: points, points: 1, per: "1.00", of: net}
  produce:
    on: purchase
    lines: has(line.category) && line.category == "PRODUCE"
    grant: {wallet: points, multiply: base, by: 2}
  weekdays:
    on: purchase
    during: {weekly: [{days: [tue, thu]}]}
    grant: {wallet: points, multiply: base, by: 2}
  big_basket: {on: purchase, when: purchase.total >= 50.00, grant: {wallet: points, fixed: 20}}
  loyal:
    on: purchase
    grant: {wallet: points, points: {member: 1, silver: 2, gold: 3}, per: "5.00", of: net}
  dairy:
    on: purchase
    lines: has(line.category) && line.category == "DAIRY"
    grant: {wallet: points, per_quantity: 2}
    limits: [{per: member, every: day, points: 10, over: trim}]
  app:
    on: purchase
    when: has(purchase.channel) && purchase.channel == "app" && purchase.total >= 20.00
    grant: {wallet: points, fixed: 5}
    limits: [{budget: points, of: 100000000, over: trim}]
  last_season:
    on: purchase
    during: {from: 2023-01-01, until: 2023-06-30}
    grant: {wallet: points, fixed: 10}
  colleagues:
    on: purchase
    when: has(member.staff) && member.staff && member.tier.membership in ["silver", "gold"]
    grant: {wallet: points, points: 1, per: "2.00", of: gross}
  harbour_store:
    on: purchase
    when: has(purchase.store) && purchase.store == "harbour"
    grant: {wallet: points, fixed: 10}
    limits: [{per: member, cooldown: 3D}]
"""

OFFERS: Final = """
promotions:
  app_cart:
    gives: {off: "2.00"}
    channels: app
    when: purchase.total >= 20.00
    limits: [{per: member, every: month, money: "40.00"}]
  dairy_days:
    gives: {percent: 10%, most: "5.00"}
    lines: has(line.category) && line.category == "DAIRY"
    during: {weekly: [{days: [mon, sat]}]}
  big_cart:
    gives: {steps: [{spend: "30.00", off: "2.00"}, {spend: "60.00", off: "5.00"}]}
    limits: [{budget: money, of: "1000000.00"}]
  second_bread:
    gives: {nth: 2, percent: 50%}
    lines: has(line.category) && line.category == "BAKERY"
  gold_prices:
    gives: {percent: 5%}
    when: member.tier.membership == "gold"
    floor: {share: 50%}
groups:
  one_of_these: {mode: best, of: [app_cart, big_cart]}
vouchers:
  thanks: {gives: {off: "5.00"}, when: purchase.total >= 25.00, expires: {after: 60D}}
  welcome: {gives: {percent: 10%}, code: WELCOME10, limits: [{per: member, every: lifetime, times: 1}]}
rewards:
  mug: {gives: goods, price: {wallet: points, points: 500}, stock: 1000}
  ticket: {gives: experience, price: {wallet: points, points: 2000}, limits: [{per: member, every: year, times: 1}]}
  coupon: {gives: {voucher: thanks}, price: {wallet: points, points: 400}}
"""
"""What a shop of today has beside points. Of the promotions one or two apply to a purchase; no voucher is used."""

START: Final = parse_instant("2024-01-02T06:00:00Z")
DAYS: Final = 548
CATEGORIES: Final = ("PRODUCE", "DAIRY", "GROCERY", "BAKERY", "DRUG GM", "FUEL", "GROCERY")
STORES: Final = ("harbour", "station", "old_town", "mall")
CHANNELS: Final = ("store", "store", "store", "app", "web")


class Sent(msgspec.Struct, frozen=True, gc=False):
    """An activity as a client sends it; `data` is JSON."""

    id: str
    type: str
    member: str
    occurred_at: Instant
    data: bytes


def program(beside: str = "") -> Program:
    """The program that is measured, with these parts of a document beside it."""
    loaded = load(DOCUMENT + beside)
    if not isinstance(loaded, Program):
        raise ValueError("\n".join(map(str, loaded)))
    return loaded


def versions(beside: str = "") -> Versions:
    """The program as its only version, in effect from the beginning."""
    return Versions((Version(1, 0, program(beside)),))


def enrolments(members: int) -> Iterator[Sent]:
    """All members join in the first hours."""
    for n in range(members):
        yield Sent(f"e{n}", "enrol", f"m{n}", START + n % 3600 * MICROSECONDS_PER_SECOND, b"{}")


def purchases(members: int, count: int, seed: int = 1) -> Iterator[Sent]:
    """So many purchases of three lines in order of time, each by a member drawn evenly."""
    chance = random.Random(seed)
    first = START + MICROSECONDS_PER_DAY
    step = (DAYS - 1) * MICROSECONDS_PER_DAY // count
    for n in range(count):
        yield purchase(chance, n, f"m{chance.randrange(members)}", first + n * step)


def purchase(chance: random.Random, n: int, member: str, at: Instant) -> Sent:
    """The purchase numbered `n`: three lines, now and then of two pieces, discounted or heavy."""
    lines: list[dict[str, object]] = []
    for line in range(1, 4):
        amount = chance.randrange(80, 3200)
        said: dict[str, object] = {
            "line": str(line),
            "sku": str(chance.randrange(800_000, 900_000)),
            "category": chance.choice(CATEGORIES),
            "quantity": chance.choice(("1", "1", "1", "2", "0.740")),
            "amount": f"{amount // 100}.{amount % 100:02}",
        }
        if chance.randrange(5) == 0:
            lines.append({**said, "discounts": [{"code": "coupon", "amount": "0.50"}]})
        else:
            lines.append(said)
    data = {"order": f"o{n}", "store": chance.choice(STORES), "channel": chance.choice(CHANNELS), "lines": lines}
    return Sent(f"p{n}", "purchase", member, at, msgspec.json.encode(data))
