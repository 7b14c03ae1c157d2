"""Every route answers, and every code that can be answered is: with its declared status, and with nothing written.

The last test of the file holds what the others saw against the tables, so that a new code or route needs a case here.
"""

import asyncio
import json
from typing import Any

import pytest

from laurels.api.openapi import OPERATIONS
from laurels.api.performing import canonical
from laurels.api.problem import PROBLEMS, status_of
from laurels.core.calendar import MICROSECONDS_PER_MINUTE
from laurels.core.refusal import REFUSALS
from laurels.intake.submission import Outcome, Overloaded, Submission, Unavailable
from laurels.store.codes import generate
from laurels.store.idempotency import begin, fingerprint
from tests.api.harness import PROGRAM, Api, activity, api, purchase
from tests.stage import asynchronous

TABLES = (
    "activity",
    "entry",
    "member",
    "state",
    "pool",
    "outbox",
    "free_text",
    "profile",
    "identifier",
    "program_version",
)


@pytest.fixture(scope="module")
def seen() -> set[tuple[str, int, str]]:
    """What the tests of this file were answered: (route, status, code)."""
    return set()


async def rows(here: Api) -> dict[str, int]:
    """How many rows every table has that a refused request must leave alone."""
    return {name: await here.running.database.pool.fetchval(f"select count(*) from {name}") for name in TABLES}


async def answers(here: Api, code: str, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    """The request is answered with this code and its status, and nothing is written."""
    before = await rows(here)
    answered = await here.call(method, path, body, **more)
    document: dict[str, Any] = answered.json()
    assert (document["code"], answered.status_code) == (code, status_of(code)), answered.text
    assert answered.headers["content-type"] == "application/problem+json"
    assert document["title"]
    assert await rows(here) == before
    return document


async def refuses(here: Api, code: str, type: str, data: Any, **more: Any) -> None:
    """An activity of m-1 is refused with this code, alone and in a batch, and nothing is written."""
    sent = activity(type, f"x-{code}", more.pop("member", "m-1"), data, more.pop("at", "2026-03-10T10:00:00+08:00"))
    document = await answers(here, code, "POST", "/v1/activities", sent, **more)
    assert document["status"] == "refused"
    assert document["refusal"]["code"] == code
    in_batch = await here.call("POST", "/v1/activities", {"activities": [sent]}, **more)
    assert in_batch.status_code == 200
    assert in_batch.json()["activities"][0]["refusal"] == document["refusal"]


@asynchronous
async def test_activities_are_refused_by_code(laurels_url: str, seen: set[tuple[str, int, str]]) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        await here.enrol("m-2")
        await refuses(here, "unknown_member", "check_in", {}, member="nobody")
        await refuses(here, "already_enrolled", "enrol", {})
        await refuses(here, "undeclared_activity", "custom.unheard_of", {})
        await refuses(here, "unknown_wallet", "adjustment", {"wallet": "gems", "points": 5, "reason": "x"})
        many: dict[str, str] = {}
        for first in (0, 10):
            many = {f"note_{n}": "x" * 200 for n in range(first, first + 9)}
            await here.send("member_change", f"c-{first}", "m-1", {"attributes": many})
        too_many = {"attributes": {**many, "more": "x" * 200, "still_more": "x" * 200}}
        await refuses(here, "attributes_too_large", "member_change", too_many)
        await answers(here, "attributes_too_large", "PATCH", "/v1/members/m-1", too_many)
        await here.send("purchase", "p-1", "m-1", purchase("o-1", ("coffee", "30.00"), ("coffee", "40.00")))
        await refuses(here, "duplicate_order", "purchase", purchase("o-1", ("coffee", "30.00")))
        await refuses(here, "unknown_order", "return", {"order": "o-2"})
        await refuses(here, "unknown_line", "return", {"order": "o-1", "lines": [{"line": "7"}]})
        too_much = {"order": "o-1", "lines": [{"line": "1", "amount": "30.01"}]}
        await refuses(here, "return_exceeds_purchase", "return", too_much)
        await here.send("purchase", "p-2", "m-1", purchase("o-2", ("coffee", "10.00")))
        await here.send("return", "b-2", "m-1", {"order": "o-2"})
        await refuses(here, "nothing_left_to_return", "return", {"order": "o-2"})
        await refuses(here, "below_zero", "adjustment", {"wallet": "points", "points": -9000, "reason": "x"})
        past = {"wallet": "points", "points": 5, "reason": "x", "expires_at": "2026-01-01T00:00:00Z"}
        await refuses(here, "expiry_in_past", "adjustment", past)
        longer = {"wallet": "points", "expires_at": "2030-01-01T00:00:00Z", "reason": "x"}
        await refuses(here, "unknown_lot", "extension", {**longer, "lots": ["9.9"]})
        await refuses(here, "nothing_to_extend", "extension", {**longer, "expires_at": "2026-05-01T00:00:00Z"})
        lot = {"wallet": "points", "points": 5, "reason": "x", "expires_at": "2026-03-05T00:00:00Z"}
        given = await here.send("adjustment", "a-1", "m-1", lot, "2026-03-04T10:00:00+08:00")
        again = {"wallet": "points", "lots": [given["entries"][0]["lot"]], "expires_at": None, "reason": "x"}
        await here.send("reinstatement", "a-2", "m-1", again, "2026-03-08T10:00:00+08:00")
        await refuses(here, "nothing_to_reinstate", "reinstatement", again)
        to_self = {"to": "m-1", "wallet": "points", "points": 1}
        await refuses(here, "same_member", "transfer", to_self)
        await refuses(here, "insufficient_points", "transfer", {**to_self, "to": "m-2", "points": 10_000})
        await refuses(here, "wallet_not_spendable", "transfer", {**to_self, "to": "m-2", "wallet": "growth"})
        sent = activity("purchase", "p-1", "m-1", purchase("o-1", ("coffee", "31.00")))
        await answers(here, "activity_conflict", "POST", "/v1/activities", sent)
        seen |= here.seen


PROMOTED = """
promotions: {cheaper: {gives: {off: 5}, lines: line.amount > 50.00}}
groups: {till: {mode: first, of: [cheaper]}}
"""


@asynchronous
async def test_choices_and_quotes_are_refused_by_code(laurels_url: str, seen: set[tuple[str, int, str]]) -> None:
    async with api(laurels_url, document=PROGRAM + PROMOTED) as here:
        await here.enrol("m-1")
        await refuses(here, "unknown_choice", "purchase", {**purchase("o-9", ("tea", "9.00")), "choices": {"x": "y"}})
        nothing = {**purchase("o-9", ("tea", "9.00")), "choices": {"till": "cheaper"}}
        await refuses(here, "choice_not_offered", "purchase", nothing)
        kept = {"member": "m-1", "id": "q-1", "reserve": True, "data": {"lines": [{"line": "1", "amount": "1.00"}]}}
        await here.post("/v1/quotes", kept)
        other = {**kept, "data": {"lines": [{"line": "1", "amount": "2.00"}]}}
        await answers(here, "duplicate_quote", "POST", "/v1/quotes", other)
        for n in range(2, 6):
            await here.post("/v1/quotes", {**kept, "id": f"q-{n}"})
        await answers(here, "too_many_quotes", "POST", "/v1/quotes", {**kept, "id": "q-6"})
        await answers(here, "no_such_quote", "GET", "/v1/quotes/none")
        bought = {**purchase("o-9", ("coffee", "1.00")), "quote": kept["id"]}
        await here.send("purchase", "q-9", "m-1", bought, "2026-03-01T10:05:00+08:00")
        await answers(here, "quote_not_open", "POST", f"/v1/quotes/{kept['id']}/cancel", {})
        seen |= here.seen


@asynchronous
async def test_redemptions_are_refused_by_code(laurels_url: str, seen: set[tuple[str, int, str]]) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        await here.give("m-1", 1000)
        hold = {"id": "r-1", "member": "m-1", "wallet": "points", "points": 300}
        path = "/v1/redemptions"
        await answers(here, "unknown_member", "POST", path, {**hold, "member": "nobody"})
        await answers(here, "unknown_wallet", "POST", path, {**hold, "wallet": "gems"})
        await answers(here, "wallet_not_spendable", "POST", path, {**hold, "wallet": "growth"})
        await answers(here, "insufficient_points", "POST", path, {**hold, "points": 5000})
        await answers(here, "below_minimum", "POST", path, {**hold, "points": 50})
        await answers(here, "not_a_multiple", "POST", path, {**hold, "points": 250})
        await answers(here, "no_such_redemption", "POST", f"{path}/r-1/capture", {})
        await here.post(path, hold)
        await answers(here, "duplicate_redemption", "POST", path, {**hold, "points": 200})
        await answers(here, "capture_exceeds_hold", "POST", f"{path}/r-1/capture", {"points": 301})
        # 300 points are worth 3.00; points may pay half of an order.
        soon = "2026-03-03T11:00:00+08:00"
        points = {"kind": "points", "redemption": "r-1", "amount": "3.00"}
        bought = purchase(
            "o-1", ("coffee", "10.00"), tenders=[{**points, "amount": "3.01"}, {"kind": "cash", "amount": "6.99"}]
        )
        await refuses(here, "points_tender_mismatch", "purchase", bought, at=soon)
        bought = purchase("o-1", ("coffee", "5.00"), tenders=[points, {"kind": "cash", "amount": "2.00"}])
        await refuses(here, "share_exceeded", "purchase", bought, at=soon)
        bought = purchase("o-1", ("coffee", "3.00"), tenders=[{**points, "redemption": "r-9"}])
        await refuses(here, "unknown_redemption", "purchase", bought, at=soon)
        await here.post(f"{path}/r-1/cancel", {})
        await answers(here, "redemption_not_held", "POST", f"{path}/r-1/capture", {})
        await answers(here, "redemption_not_held", "POST", f"{path}/r-1/cancel", {})
        await answers(here, "no_such_redemption", "GET", f"{path}/r-2")
        # 200 points earned, 1200 spent, the 200 taken back: a debt of 200 freezes the wallet.
        await here.send("purchase", "p-1", "m-1", purchase("o-2", ("coffee", "200.00")), "2026-03-10T10:00:00+08:00")
        await here.post("/v1/clock", {"now": "2026-03-20T00:00:00+08:00"})
        await here.post(path, {**hold, "id": "r-3", "points": 1200, "hold": False})
        await here.send("return", "b-1", "m-1", {"order": "o-2"}, "2026-03-21T00:00:00+08:00")
        await answers(here, "frozen_by_debt", "POST", path, {**hold, "id": "r-4"})
        seen |= here.seen


@asynchronous
async def test_rewards_are_refused_by_code(laurels_url: str, seen: set[tuple[str, int, str]]) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        await here.give("m-1", 1000)
        path = "/v1/redemptions"

        def want(reward: str, id: str = "r", **more: Any) -> dict[str, Any]:
            return {"id": id, "member": "m-1", "reward": reward, **more}

        money = {"amount": "5.00", "currency": "CNY"}
        await answers(here, "unknown_reward", "POST", path, want("cup"))
        await answers(here, "reward_not_offered", "POST", path, want("summer"))
        await answers(here, "insufficient_points", "POST", path, want("seat"))
        await answers(here, "value_missing", "POST", path, want("flight"))
        await answers(here, "value_not_asked", "POST", path, want("mug", value=money))
        await answers(here, "invalid", "POST", path, want("flight", value={**money, "currency": "USD"}))
        await answers(here, "payment_out_of_range", "POST", path, want("mug", pay={"points": 19}))
        await answers(here, "cash_mismatch", "POST", path, want("mug", pay={"points": 30, "cash": money}))
        await answers(here, "reward_limit_reached", "POST", path, want("mug", quantity=3))
        await here.post("/v1/rewards/mug/stock", {"by": -2, "reason": "broken"})
        await answers(here, "out_of_stock", "POST", path, want("mug", quantity=2))
        await answers(here, "unknown_reward", "POST", "/v1/rewards/cup/stock", {"by": 1, "reason": "x"})
        await answers(here, "stock_not_counted", "POST", "/v1/rewards/tree/stock", {"by": 1, "reason": "x"})
        await answers(here, "invalid", "POST", "/v1/rewards/mug/stock", {"by": 0, "reason": "x"})
        await here.post(path, want("tree", "t"))
        await answers(here, "cause_complete", "POST", path, want("tree", "t2"))
        await answers(here, "no_fulfilment", "POST", f"{path}/t/fulfilment", {"state": "shipped"})
        await answers(here, "no_such_redemption", "POST", f"{path}/x/fulfilment", {"state": "shipped"})
        await here.post(path, want("mug", "m"))
        await answers(here, "captured_whole", "POST", f"{path}/m/capture", {"points": 20})
        await answers(here, "state_not_next", "POST", f"{path}/m/fulfilment", {"state": "returned"})
        await here.post(f"{path}/m/fulfilment", {"state": "failed"})
        await answers(here, "redemption_not_held", "POST", f"{path}/m/fulfilment", {"state": "shipped"})
        await here.post(path, want("gold_month", "g"))
        await answers(here, "tier_not_higher", "POST", path, want("silver_month"))
        await answers(here, "reward_not_for_member", "POST", path, want("seat"))
        choose = {"reward": "tree", "automatic": True}
        await refuses(here, "not_automatic", "choice", choose)
        await refuses(here, "unknown_reward", "choice", {**choose, "reward": "cup"})
        await answers(here, "no_such_member", "GET", "/v1/members/nobody/rewards")
        seen |= here.seen


@asynchronous
async def test_programs_and_clocks_are_refused_by_code(laurels_url: str, seen: set[tuple[str, int, str]]) -> None:
    async with api(laurels_url, document=None) as here:
        await answers(here, "unknown_program_version", "POST", "/v1/members", {"id": "m-1"})
        await answers(here, "no_version_yet", "GET", "/v1/members")
        for route in ("/v1/rewards", "/v1/causes"):
            await answers(here, "no_version_yet", "GET", route)
        await answers(here, "no_version_yet", "POST", "/v1/rewards/mug/stock", {"by": 1, "reason": "x"})
        await answers(here, "program_invalid", "POST", "/v1/program/versions", {"document": "program: cafe"})
        other = PROGRAM.replace("program: cafe", "program: bar")
        await answers(here, "other_program", "POST", "/v1/program/versions", {"document": other})
        await answers(here, "other_program", "POST", "/v1/program/plan", {"document": other})
        await here.post("/v1/program/versions", {"document": PROGRAM})
        await here.enrol("m-1")
        await here.give("m-1", 100)
        gone = PROGRAM.replace("  points:\n", "  coins:\n", 1).replace("wallet: points", "wallet: coins")
        gone = gone.replace("{points: 1.5}", "{coins: 1.5}").replace("{points: 2}", "{coins: 2}")
        await answers(here, "needs_mapping", "POST", "/v1/program/versions", {"document": gone})
        planned = await here.post("/v1/program/plan", {"document": gone})
        assert planned["ok"] is False
        await answers(here, "no_such_version", "GET", "/v1/program/versions/9")
        await answers(here, "clock_backwards", "POST", "/v1/clock", {"now": "2026-01-01T00:00:00Z"})
        await answers(here, "clock_too_far", "POST", "/v1/clock", {"now": "9999-12-31T23:59:59Z"})
        seen |= here.seen


@asynchronous
async def test_live_program_refuses_what_real_time_forbids(laurels_url: str, seen: set[tuple[str, int, str]]) -> None:
    async with api(laurels_url, mode="live") as here:
        await here.enrol("m-1", "2026-05-01T00:00:00Z")
        await refuses(here, "occurred_in_future", "check_in", {}, at="2026-06-01T12:05:01+08:00")
        await answers(here, "clock_is_real", "POST", "/v1/clock", {"now": "2027-01-01T00:00:00Z"})
        soon = {"document": PROGRAM, "effective_at": "2026-06-01T12:00:09+08:00"}
        await answers(here, "nothing_to_stop", "POST", "/v1/program/campaigns/none/stop", {"reason": "x"})
        await answers(here, "effective_too_soon", "POST", "/v1/program/versions", soon)
        await answers(here, "nothing_to_stop", "POST", "/v1/program/campaigns/none/stop", {"reason": "x"})
        seen |= here.seen


@asynchronous
async def test_members_are_refused_by_code(laurels_url: str, seen: set[tuple[str, int, str]]) -> None:
    async with api(laurels_url) as here:
        phone = [{"kind": "phone", "value": "+86 1"}]
        await here.enrol("m-1", identifiers=phone)
        await here.enrol("m-2")
        await answers(here, "already_enrolled", "POST", "/v1/members", {"id": "m-1"})
        taken = [{"kind": "phone", "value": "+86-1"}]
        await answers(here, "identifier_taken", "POST", "/v1/members", {"id": "m-3", "identifiers": taken})
        await answers(here, "identifier_taken", "PATCH", "/v1/members/m-2", {"identifiers": taken})
        for path in ("", "/balances", "/tiers", "/journal", "/explanations/pos/x", "/personal_data"):
            await answers(here, "no_such_member", "GET", f"/v1/members/nobody{path}")
        await answers(here, "no_such_member", "DELETE", "/v1/members/nobody")
        await answers(here, "no_such_member", "PATCH", "/v1/members/nobody", {})
        await answers(here, "no_such_activity", "GET", "/v1/members/m-1/explanations/pos/never")
        # Another member's activity is none of this one's.
        await answers(here, "no_such_activity", "GET", "/v1/members/m-2/explanations/pos/enrol:enrol-m-1")
        erased = await here.call("DELETE", "/v1/members/m-1")
        assert erased.status_code == 204
        await answers(here, "member_sealed", "PATCH", "/v1/members/m-1", {"attributes": {"birthday_month": 3}})
        await refuses(here, "member_sealed", "check_in", {})
        seen |= here.seen


@asynchronous
async def test_unfit_requests_are_refused_by_code(
    laurels_url: str, seen: set[tuple[str, int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with api(laurels_url, body_bytes_most=4096, body_seconds=1) as here:
        await answers(here, "unauthenticated", "GET", "/v1/program", secret="laurels_made-up")
        await answers(here, "unauthenticated", "GET", "/v1/program", headers={"Authorization": "Basic eA=="})
        narrow = await here.key("members:read")
        await answers(here, "scope_missing", "GET", "/v1/program", secret=narrow)
        await answers(here, "malformed_body", "POST", "/v1/clock", content=b'{"now": ')
        await answers(here, "malformed_body", "POST", "/v1/activities", content=b'{"activities": [}')
        await answers(here, "malformed_query", "GET", "/v1/members?limit=0")
        await answers(here, "malformed_query", "GET", "/v1/members?nothing=1")
        await answers(here, "malformed_query", "GET", "/v1/members?cursor=%21")
        await answers(here, "malformed_key", "POST", "/v1/clock", {"now": "x"}, key="two words")
        await answers(here, "invalid", "POST", "/v1/clock", {"now": "tomorrow"})
        await answers(here, "invalid", "POST", "/v1/activities", {"activities": []})
        await answers(here, "body_too_large", "POST", "/v1/clock", content=b" " * 4097)
        plain = {"Content-Type": "text/plain"}
        await answers(here, "unsupported_media_type", "POST", "/v1/clock", {"now": "x"}, headers=plain)
        squeezed = {"Content-Encoding": "gzip"}
        await answers(here, "unsupported_media_type", "POST", "/v1/clock", {"now": "x"}, headers=squeezed)
        await answers(here, "no_such_route", "GET", "/v2")
        await answers(here, "no_such_route", "GET", f"/v1/members/{'x' * 201}")
        await answers(here, "no_such_route", "GET", "/v1/members/%FF")
        await answers(here, "no_such_route", "GET", "/docs/other.js")
        refused = await here.call("PUT", "/v1/program", {})
        assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
        assert refused.headers["allow"] == "GET, OPTIONS"
        await _answers_too_slow(here)

        async def overloaded(_program: str, _sent: list[Submission]) -> list[Outcome]:
            raise Overloaded(7)

        monkeypatch.setattr(here.running.intake, "submit", overloaded)
        sent = activity("check_in", "c-1", "m-1", {})
        await answers(here, "overloaded", "POST", "/v1/activities", sent)
        answered = await here.call("POST", "/v1/members", {"id": "m-9"}, key="k-9")
        assert (answered.status_code, answered.headers["retry-after"]) == (503, "7")

        async def unavailable(_program: str, _sent: list[Submission]) -> list[Outcome]:
            raise Unavailable("it is away")

        monkeypatch.setattr(here.running.intake, "submit", unavailable)
        await answers(here, "unavailable", "POST", "/v1/activities", sent)

        async def defective(_program: str, _sent: list[Submission]) -> list[Outcome]:
            raise ZeroDivisionError("a defect with a name: Li Wen")

        monkeypatch.setattr(here.running.intake, "submit", defective)
        document = await answers(here, "internal_error", "POST", "/v1/activities", sent)
        assert "Li Wen" not in json.dumps(document)
        await answers(here, "internal_error", "POST", "/v1/members", {"id": "m-9"}, key="k-9")
        seen |= here.seen


async def _answers_too_slow(here: Api) -> None:
    """A body of which nothing comes, over bare ASGI."""
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    async def send(message: Any) -> None:
        messages.append(message)

    headers = [(b"authorization", f"Bearer {here.secret}".encode()), (b"content-type", b"application/json")]
    scope = {
        "type": "http", "method": "POST", "path": "/v1/activities", "raw_path": b"/v1/activities", "query_string": b"",
        "headers": headers,
    }  # fmt: skip
    await here.entrance(scope, receive, send)
    assert messages[0]["status"] == 408
    assert json.loads(messages[1]["body"])["code"] == "body_too_slow"
    here.seen.add(("POST /v1/activities", 408, "body_too_slow"))


VOUCHERS = """
  plain: {gives: {off: "5.00"}, per_order: 1}
  passing: {gives: {off: "5.00"}, transferable: true, expires: {after: 60D}}
  soon: {gives: {off: "5.00"}, during: {from: 2026-06-01}}
  late: {gives: {off: "5.00"}, during: {until: 2026-02-28}}
  mondays: {gives: {off: "5.00"}, during: {weekly: {days: mon}}}
  large: {gives: {off: "5.00"}, when: purchase.total >= 500.00}
  rich: {gives: {steps: {spend: "500.00", off: "5.00"}}}
  tea: {gives: {off: "5.00"}, lines: 'has(line.category) && line.category == "tea"'}
  once: {gives: {off: "5.00"}, limits: [{every: month, times: 1}]}
  seldom: {gives: {off: "5.00"}, limits: [{cooldown: 90D}]}
  few: {gives: {off: "5.00"}, limits: [{budget: times, of: 1}]}
  brief: {gives: {off: "5.00"}, expires: {after: 1D}}
  hello: {gives: {off: "5.00"}, code: HELLO}
  gone: {gives: {off: "5.00"}}
"""
"""One kind for each reason why a voucher may not be used. 10 March 2026 is a Tuesday."""


@asynchronous
async def test_vouchers_are_refused_by_code(laurels_url: str, seen: set[tuple[str, int, str]]) -> None:
    document = PROGRAM[: PROGRAM.index("vouchers:")] + "vouchers:" + VOUCHERS
    async with api(laurels_url, document=document) as here:
        await here.enrol("m-1")
        await here.enrol("m-2")
        numbers = iter(range(1000))

        async def given(kind: str) -> str:
            n = next(numbers)
            answered = await here.send("voucher_issue", f"g-{n}", "m-1", {"voucher": kind}, "2026-03-03T10:00:00+08:00")
            code: str = answered["grants"][0]["code"]
            return code

        def using(*codes: str) -> dict[str, Any]:
            return {**purchase(f"v-{next(numbers)}", ("coffee", "30.00")), "vouchers": list(codes)}

        async def use(code: str) -> None:
            await here.send("purchase", f"u-{next(numbers)}", "m-1", using(code), "2026-03-04T10:00:00+08:00")

        codes = {kind: await given(kind) for kind in ("plain", "passing", "brief", "gone", "once", "seldom", "few")}
        more = {kind: await given(kind) for kind in ("plain", "once", "seldom", "few")}
        taken = await given("passing")
        await refuses(here, "unknown_voucher", "purchase", using("NONE"))
        for code, kind in {
            "voucher_not_yet": "soon",
            "voucher_over": "late",
            "voucher_outside_hours": "mondays",
            "voucher_condition_not_met": "large",
            "voucher_no_lines": "tea",
            "voucher_gives_nothing": "rich",
        }.items():
            await refuses(here, code, "purchase", using(await given(kind)))
        await refuses(here, "voucher_per_order", "purchase", using(codes["plain"], more["plain"]))
        for code, kind in {
            "voucher_limit_reached": "once",
            "voucher_cooldown": "seldom",
            "voucher_exhausted": "few",
        }.items():
            await use(codes[kind])
            await refuses(here, code, "purchase", using(more[kind]))
        await here.send("voucher_reserve", "r-1", "m-1", {"code": codes["plain"], "order": "other"},
                        "2026-03-10T10:00:00+08:00")  # fmt: skip
        await refuses(here, "voucher_reserved", "purchase", using(codes["plain"]))
        await answers(here, "voucher_not_transferable", "POST", f"/v1/vouchers/{more['plain']}/transfer", {"to": "m-2"})
        await refuses(here, "voucher_not_reserved", "voucher_release", {"code": codes["plain"], "order": "mine"})
        await refuses(here, "voucher_redeemed", "purchase", using(codes["once"]))
        await refuses(here, "voucher_expired", "purchase", using(codes["brief"]))
        await here.post(f"/v1/vouchers/{taken}/revoke", {})
        await refuses(here, "voucher_revoked", "purchase", using(taken))
        await here.post(f"/v1/vouchers/{codes['passing']}/transfer", {"to": "m-2"})
        await refuses(here, "voucher_transferred", "purchase", using(codes["passing"]))
        await refuses(here, "voucher_shared", "voucher_claim", {"code": "hello"})
        wanted = {"id": "b", "voucher": "plain", "count": 3}
        assert (await here.call("POST", "/v1/voucher_batches", wanted)).status_code == 202
        await answers(here, "batch_conflict", "POST", "/v1/voucher_batches", {**wanted, "count": 4})
        await answers(here, "unknown_voucher", "POST", "/v1/voucher_batches", {**wanted, "voucher": "hello"})
        await answers(here, "invalid", "POST", "/v1/voucher_batches", {**wanted, "expires_at": "soon"})
        await generate(here.running.database, here.clock, "cafe", "b")
        code = (await here.get("/v1/voucher_batches/b/codes"))["items"][0]["code"]
        await here.send("voucher_claim", "c-1", "m-2", {"code": code}, "2026-03-10T10:00:00+08:00")
        await refuses(here, "voucher_held", "voucher_claim", {"code": code}, member="m-2")
        await refuses(here, "voucher_taken", "voucher_claim", {"code": code})
        await answers(here, "no_such_voucher", "GET", "/v1/vouchers/none")
        await answers(here, "no_such_batch", "GET", "/v1/voucher_batches/none")
        await answers(here, "no_such_member", "GET", "/v1/members/none/vouchers")
        without = "\n".join(line for line in document.splitlines() if "gone:" not in line)
        await here.post("/v1/program/versions", {"document": without})
        await refuses(here, "voucher_withdrawn", "purchase", using(codes["gone"]), at="2026-03-12T10:00:00+08:00")
        seen |= here.seen


DRAW = """
draws:
  wheel:
    {kind: instant, opens: 2026-03-01, closes: 2026-03-31, exclude: member.favourite_drink == "tea",
     prizes: {mug: {odds: 1/1, quantity: 1}}}
  spring: {opens: 2026-03-01, closes: 2026-03-02, draws_at: 2026-03-20, prizes: {mug: {quantity: 1}}}
"""


@asynchronous
async def test_draws_are_refused_by_code(laurels_url: str, seen: set[tuple[str, int, str]]) -> None:
    wheel = "  turns: {on: check_in, grant: {tickets: wheel}}\n\ncauses:\n"
    turn = "  turn: {gives: {tickets: wheel}, price: {wallet: points, points: 1}}\n"
    drink = PROGRAM.replace("favourite_drink: string", 'favourite_drink: {type: string, default: ""}')
    document = (
        "jurisdiction: none\n" + drink.replace("\ncauses:\n", wheel).replace("rewards:\n", "rewards:\n" + turn) + DRAW
    )
    async with api(laurels_url, document=document) as here:
        await here.enrol("m-1", "2026-02-01T00:00:00Z")
        await here.enrol("m-2", "2026-02-01T00:00:00Z", attributes={"favourite_drink": "tea"})
        plays = "/v1/members/m-1/draws/wheel/play"
        await answers(here, "draw_not_open", "POST", plays, {})
        bought = {"id": "t-1", "member": "m-1", "reward": "turn"}
        await answers(here, "draw_not_open", "POST", "/v1/redemptions", bought)
        await here.send("check_in", "c-1", "m-1", {}, "2026-03-05T10:00:00+08:00")
        await answers(here, "unknown_draw", "POST", "/v1/members/m-1/draws/none/play", {})
        await answers(here, "not_an_instant_draw", "POST", "/v1/members/m-1/draws/spring/play", {})
        await answers(here, "excluded_from_draw", "POST", "/v1/members/m-2/draws/wheel/play", {})
        await here.post(plays, {})
        await answers(here, "no_ticket", "POST", plays, {})
        await answers(here, "excluded_from_draw", "POST", "/v1/redemptions", {**bought, "member": "m-2"})
        await here.post("/v1/redemptions", {**bought, "id": "t-2"})
        await here.post(plays, {})
        await answers(here, "tickets_stand", "POST", "/v1/redemptions/t-2/cancel", {})
        claims = "/v1/members/m-1/draws/wheel/prizes"
        await answers(here, "unknown_prize", "POST", f"{claims}/9/claim", {})
        await answers(here, "no_such_draw", "POST", f"{claims}/first/claim", {})
        await here.post(f"{claims}/1/claim", {})
        await answers(here, "prize_not_open", "POST", f"{claims}/1/claim", {})
        await answers(here, "no_such_draw", "GET", "/v1/draws/none")
        await answers(here, "no_such_draw", "GET", "/v1/draws/none/record")
        await answers(here, "no_such_member", "GET", "/v1/members/nobody/draws")
        changed = document.replace("odds: 1/1, quantity: 1", "odds: 1/1, quantity: 2")
        await answers(here, "draw_opened", "POST", "/v1/program/versions", {"document": changed})
        longer = document.replace("closes: 2026-03-31", "closes: 2026-04-30")
        await answers(here, "needs_reason", "POST", "/v1/program/versions", {"document": longer})
        late = document.replace("draws_at: 2026-03-20", "draws_at: 2026-03-21")
        await answers(here, "draw_closed", "POST", "/v1/program/versions", {"document": late})
        seen |= here.seen


@asynchronous
async def test_idempotency_key_is_refused_by_code(laurels_url: str, seen: set[tuple[str, int, str]]) -> None:
    async with api(laurels_url) as here:
        await here.post("/v1/clock", {"now": "2026-02-01T00:00:00Z"}, key="k-1")
        await answers(here, "idempotency_conflict", "POST", "/v1/clock", {"now": "2026-02-02T00:00:00Z"}, key="k-1")
        body = b'{"now": "2026-02-03T00:00:00Z"}'
        print = fingerprint("POST", "/v1/clock", canonical(body))
        assert await begin(here.running.database, here.clock, "cafe", "k-2", print) is None
        await answers(here, "still_running", "POST", "/v1/clock", content=body, key="k-2")
        # The one that took the key has died: after a minute another may have it.
        here.clock.at += MICROSECONDS_PER_MINUTE + 1
        answered = await here.call("POST", "/v1/clock", content=body, key="k-2")
        assert answered.status_code == 200
        seen |= here.seen


@asynchronous
async def test_every_public_route_answers_without_a_key(laurels_url: str, seen: set[tuple[str, int, str]]) -> None:
    async with api(laurels_url) as here:
        for path in (
            "/healthz",
            "/readyz",
            "/metrics",
            "/openapi.json",
            "/docs",
            "/docs/reference.js",
            "/docs/reference.css",
        ):
            answered = await here.call("GET", path, headers={"Authorization": ""})
            assert answered.status_code == 200, path
        seen |= here.seen
    async with api(laurels_url, document=None, metrics="off") as here:
        await answers(here, "no_such_route", "GET", "/metrics")


def test_every_code_and_every_problem_was_answered(
    request: pytest.FixtureRequest, seen: set[tuple[str, int, str]]
) -> None:
    stories = {name for name in globals() if name.startswith("test_")}
    if not stories <= {item.name for item in request.session.items}:
        pytest.skip("the other tests of this file were not asked for")
    codes = {code for _route, _status, code in seen}
    declared = {code for operation in OPERATIONS for code in operation.all_codes}
    assert declared - codes == set(), "declared and never answered"
    # What Laurels itself sends is never asked for by anybody outside; who cancels a quote is found by the quote.
    within = {"prize_gone", "unknown_quote"}
    assert {*PROBLEMS, *REFUSALS} - codes == within, "in a table and never answered"


def test_business_noes_are_in_the_one_closed_list_and_nowhere_else() -> None:
    assert not {*PROBLEMS} & {*REFUSALS}
    # What is left to HTTP: improper requests, things that are not there, and failures. No state of affairs says no.
    assert {code for code, kind in PROBLEMS.items() if kind.status == 409} == set()
    assert {"identifier_taken", "no_version_yet", "other_program"} <= {*REFUSALS}
