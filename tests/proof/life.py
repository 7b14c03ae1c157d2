"""A program and a few lives in it that leave rows of every kind in every table."""

from typing import Any

from laurels.store.stock import correct
from tests.stage import Stage, purchase

PROGRAM = """
program: cafe
time_zone: UTC
currency: CNY
wallets:
  points: {pending: 7D, expires: {after: 3M}, when_spent: {debt: 500, freeze: false}}
tracks:
  membership:
    measure: {spent: net}
    window: calendar_year
    tiers:
      - {id: member}
      - {id: silver, enter: "100.00", multiply: {points: 1.5}}
campaigns:
  base: {on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}
  first: {on: purchase, grant: {wallet: points, fixed: 5}, limits: [{budget: points, of: 12, over: trim}]}
  welcome: {on: enrol, grant: {wallet: points, fixed: 20}}
rewards:
  mug: {gives: goods, price: {wallet: points, points: 3}, stock: 5, limits: [{every: year, times: 4}]}
"""


def basket(order: str, *amounts: str) -> dict[str, Any]:
    """The data of a purchase of several lines."""
    return {"order": order, "lines": [{"line": str(n), "amount": amount} for n, amount in enumerate(amounts, 1)]}


async def live(here: Stage) -> None:
    """Half a year of three members: tiers, a budget, pending points, expiry, spending, debt, and a transfer."""
    await here.enrol("ann", "bob", "cy")

    async def accepted(type: str, member: str, data: dict[str, Any], **more: Any) -> None:
        outcome = await here.send(type, member, data, **more)
        assert outcome.status == "accepted", outcome

    for n, member in enumerate(("ann", "bob", "ann", "cy")):
        await accepted("purchase", member, basket(f"o-{n}", "60.00", "70.50"), at=f"2026-02-0{n + 1}")
    await accepted("return", "ann", {"order": "o-0", "lines": [{"line": "1"}]}, at="2026-02-20")
    hold = {"redemption": "x-1", "wallet": "points", "points": 50}
    await accepted("redemption", "bob", hold, at="2026-03-01 10:00")
    await accepted("redemption_capture", "bob", {"redemption": "x-1", "points": 30}, at="2026-03-01 10:01")
    await accepted("redemption", "bob", {**hold, "redemption": "x-2"}, at="2026-03-03", id="held")
    mug = {"redemption": "x-3", "reward": "mug", "quantity": 2}
    await accepted("redemption", "bob", mug, at="2026-03-03 10:00", id="mug")
    parcel = {"redemption": "x-3", "state": "shipped", "carrier": "post", "tracking": "RR1"}
    await accepted("redemption_fulfilment", "bob", parcel, at="2026-03-03 11:00")
    for n, by in enumerate((1, -2)):
        await correct(here.database, "cafe", "reward/mug/stock", f"c-{n}", by, "counted", "back office", 1)
    await here.publish(PROGRAM.replace("fixed: 20", "fixed: 30"), None)
    await here.give("ann", 7, at="2026-03-04")
    sent = await here.send("transfer", "ann", {"to": "cy", "wallet": "points", "points": 40}, at="2026-03-05")
    assert sent.status == "accepted"
    lost = await here.send("transfer", "ann", {"to": "nobody", "wallet": "points", "points": 3}, at="2026-03-06")
    assert lost.follow_ups[0].compensated
    await accepted("purchase", "cy", purchase("o-9", "12.00"), at="2026-06-30")
    await accepted("check_in", "cy", {"subject": "counter"}, at="2026-07-01")
