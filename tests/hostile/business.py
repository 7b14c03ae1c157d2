"""A program that has everything, a member with some history in it, and a request of each sort that is fine as it is.

What is fine is where strangers are put in: a request that would have been refused anyway shows nothing.
"""

from __future__ import annotations

from typing import Any, Final

import httpx

from tests.api.harness import PROGRAM as WITH_REWARDS

_NAME = "{en: a, zh-CN: b}"
_RULES = f"{{time: {_NAME}, method: {_NAME}, claim: {_NAME}, forfeiture: {_NAME}}}"

PROGRAM: Final = (
    WITH_REWARDS.replace(
        "campaigns:\n",
        "campaigns:\n"
        "  early_tickets: {on: purchase, grant: {tickets: early, per: '10.00'}}\n"
        "  turns: {on: check_in, grant: {tickets: wheel}}\n",
    )
    + f"""
  hello: {{gives: {{off: "2.00"}}, code: [HELLO5, WELCOME]}}

promotions:
  tenth: {{gives: {{percent: 10%, most: "3.00"}}, limits: [{{budget: money, of: "500.00", over: trim}}]}}
  summer: {{gives: {{off: "1.00"}}, lines: has(line.category) && line.category == "beans"}}

groups:
  one: {{mode: best, of: [tenth, summer]}}

draws:
  early:
    name: {_NAME}
    opens: 2026-01-01
    closes: 2026-01-20
    draws_at: 2026-01-22T12:00:00+08:00
    claim: 30D
    rules: {_RULES}
    prizes:
      bicycle: {{name: {_NAME}, value: 99, quantity: 1}}
  wheel:
    name: {_NAME}
    kind: instant
    opens: 2026-01-01
    closes: 2026-12-31
    rules: {_RULES}
    prizes:
      mug: {{name: {_NAME}, value: 5, quantity: 50, odds: 1/2}}
    fallback: {{name: {_NAME}, value: 1, gives: {{wallet: points, points: 3}}}}
"""
)

Request = tuple[str, dict[str, Any]]

PURCHASE: Final[dict[str, Any]] = {
    "id": "p-1", "type": "purchase", "member": "m-1", "occurred_at": "2026-03-01T10:00:00+08:00",
    "data": {
        "order": "o-1", "currency": "CNY", "store": "s-7", "channel": "store",
        "lines": [
            {"line": "1", "sku": "A", "category": "coffee", "tags": ["new"], "quantity": "2", "amount": "39.80",
             "tax": "1.00", "kind": "product", "discounts": [{"code": "x", "amount": "1.00"}]},
            {"line": "2", "amount": "5.00", "kind": "shipping"},
        ],
        "tenders": [{"kind": "cash", "amount": "44.80"}],
    },
}  # fmt: skip
GIFT: Final[dict[str, Any]] = {
    "id": "a-1", "type": "adjustment", "member": "m-1", "occurred_at": "2026-03-02T10:00:00+08:00",
    "data": {"wallet": "points", "points": 1000, "reason": "to begin with"},
}  # fmt: skip
REDEMPTION: Final[dict[str, Any]] = {"id": "x-1", "member": "m-1", "wallet": "points", "points": 100}
RETURN: Final[dict[str, Any]] = {
    "id": "r-1", "type": "return", "member": "m-1", "occurred_at": "2026-03-03T10:00:00+08:00",
    "data": {"order": "o-1", "lines": [{"line": "1", "quantity": "1", "amount": "19.90"}]},
}  # fmt: skip
MEMBER: Final[dict[str, Any]] = {
    "id": "m-2", "enrolled_at": "2026-01-01T00:00:00Z", "attributes": {"favourite_drink": "tea", "birthday_month": 3},
    "profile": {"name": "安", "phone": "138", "email": "a@b.c", "birth_date": "1990-01-01", "locale": "zh-CN",
                "time_zone": "Asia/Shanghai"},
    "identifiers": [{"kind": "phone", "value": "138"}],
}  # fmt: skip
ISSUE: Final[dict[str, Any]] = {
    "id": "v-1", "type": "voucher_issue", "member": "m-1", "occurred_at": "2026-03-03T10:00:00+08:00",
    "data": {"voucher": "coffee", "reason": "so kind"},
}  # fmt: skip
CART: Final[dict[str, Any]] = {
    "lines": [{"line": "1", "category": "beans", "quantity": "1", "amount": "30.00"}],
    "vouchers": ["HELLO5"], "choices": {"one": "tenth"},
}  # fmt: skip
QUOTE: Final[dict[str, Any]] = {"id": "q-1", "member": "m-1", "reserve": True, "data": CART}
WITH_OFFERS: Final[dict[str, Any]] = {
    "id": "p-2", "type": "purchase", "member": "m-1", "occurred_at": "2026-03-03T12:00:00+08:00",
    "data": {
        "order": "o-2", "quote": "q-1", "choices": {"one": "tenth"},
        "lines": [
            {"line": "1", "category": "beans", "quantity": "1", "amount": "25.20",
             "discounts": [{"code": "tenth", "amount": "3.00"}, {"code": "HELLO5", "amount": "1.80"}]},
        ],
        "vouchers": ["HELLO5"],
    },
}  # fmt: skip
CHECK_IN: Final[dict[str, Any]] = {
    "id": "c-1", "type": "check_in", "member": "m-1", "occurred_at": "2026-03-03T13:00:00+08:00", "data": {},
}  # fmt: skip
REWARD: Final[dict[str, Any]] = {
    "id": "x-2", "member": "m-1", "reward": "mug", "quantity": 1,
    "pay": {"points": 30, "cash": {"amount": "1.20", "currency": "CNY"}},
}  # fmt: skip
BATCH: Final[dict[str, Any]] = {
    "id": "b-1", "voucher": "coffee", "count": 3, "uses": 1, "expires_at": "2026-12-01T00:00:00Z",
}  # fmt: skip

EARLIER: Final[tuple[Request, ...]] = (
    ("/v1/members", {"id": "m-1", "enrolled_at": "2026-01-01T00:00:00Z"}),
    ("/v1/members", {"id": "m-3", "enrolled_at": "2026-01-01T00:00:00Z"}),
    (
        "/v1/activities",
        {**CHECK_IN, "id": "p-0", "type": "purchase", "occurred_at": "2026-01-10T10:00:00+08:00",
         "data": {"order": "o-0", "lines": [{"line": "1", "amount": "50.00"}]}},
    ),
    ("/v1/clock", {"now": "2026-01-25T00:00:00+08:00"}),
)  # fmt: skip
"""What happened before: somebody joined, and the member won in a draw."""

REQUESTS: Final[tuple[Request, ...]] = (
    ("/v1/members/m-1/draws/early/prizes/1/claim", {}),
    ("/v1/activities", PURCHASE),
    ("/v1/activities", GIFT),
    ("/v1/activities", RETURN),
    ("/v1/activities", {"activities": [PURCHASE, RETURN, GIFT]}),
    ("/v1/quotes", {**PURCHASE, "data": {**PURCHASE["data"], "order": "o-3"}}),
    ("/v1/members", MEMBER),
    ("/v1/redemptions", REDEMPTION),
    ("/v1/redemptions/x-1/capture", {"points": 5}),
    ("/v1/activities", ISSUE),
    ("/v1/vouchers/CODE/reserve", {"member": "m-1", "order": "o-9"}),
    ("/v1/vouchers/CODE/release", {"member": "m-1", "order": "o-9"}),
    ("/v1/vouchers/CODE/transfer", {"to": "m-3"}),
    ("/v1/vouchers/CODE/revoke", {"reason": "by mistake"}),
    ("/v1/quotes", QUOTE),
    ("/v1/activities", WITH_OFFERS),
    ("/v1/quotes", {**QUOTE, "id": "q-2"}),
    ("/v1/quotes/q-2/cancel", {}),
    ("/v1/activities", CHECK_IN),
    ("/v1/members/m-1/draws/wheel/play", {}),
    ("/v1/redemptions", REWARD),
    ("/v1/redemptions/x-2/capture", {}),
    ("/v1/redemptions/x-2/fulfilment", {"state": "shipped", "carrier": "post", "tracking": "RR1"}),
    ("/v1/redemptions", {**REWARD, "id": "x-3"}),
    ("/v1/redemptions/x-3/cancel", {}),
    ("/v1/rewards/mug/stock", {"by": 1, "reason": "counted"}),
    ("/v1/voucher_batches", BATCH),
    ("/v1/voucher_batches/b-1/revoke", {"reason": "leaked"}),
    ("/v1/program/campaigns/recycled/stop", {"reason": "too dear"}),
    ("/v1/program/check", {"document": PROGRAM}),
    ("/v1/program/plan", {"document": PROGRAM}),
    ("/v1/clock", {"now": "2026-06-01T00:00:00Z"}),
)
"""A request of each sort, in an order in which each is answered with what was asked for."""


def live(client: httpx.Client) -> list[Request]:
    """Sends all of them, to see that nothing is wrong with them; the requests with the voucher's own code in them."""
    for path, body in EARLIER:
        accepted(client.post(path, json=body), path)
    asked: list[Request] = []
    code = "CODE"
    for written, body in REQUESTS:
        path = written.replace("CODE", code)
        asked.append((path, body))
        found = accepted(client.post(path, json=body), path)
        if body is ISSUE:
            code = found["grants"][0]["code"]
    return asked


def accepted(answered: httpx.Response, path: str) -> Any:
    """What was answered, which is what was asked for."""
    assert answered.status_code in (200, 201, 202), f"{path}: {answered.text}"
    found = answered.json()
    for each in found.get("activities", [found] if "status" in found and "source" in found else []):
        assert each["status"] in ("accepted", "replayed"), f"{path}: {each}"
    return found
