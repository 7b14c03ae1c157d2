"""Activities over HTTP: each on its own, in order, under the key's source, by whatever the member is known by."""

import asyncio
from typing import Any

import pytest

from laurels.api import activities
from laurels.api.body import TEXT_BYTES_MOST
from tests.api.harness import Json, activity, api, purchase
from tests.stage import asynchronous


@asynchronous
async def test_batch_of_a_thousand_with_every_third_unfit_is_answered_in_order(laurels_url: str) -> None:
    # Case 17: of 1,000, every n with n % 3 == 0 is malformed, refused or a duplicate in turn; 666 are accepted.
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        batch: list[Json] = []
        expected: list[tuple[str, str]] = []
        for n in range(1000):
            sent: dict[str, Any] = activity("check_in", f"c-{n}", "m-1", {})
            status = "accepted"
            if n % 9 == 0:
                sent, status = {**sent, "occurred_at": 5}, "invalid"
            elif n % 9 == 3:
                sent, status = {**sent, "member": "nobody"}, "refused"
            elif n % 9 == 6:
                sent, status = {**sent, "id": f"c-{n - 1}"}, "replayed"
            batch.append(sent)
            expected.append((sent["id"], status))
        answered = await here.post("/v1/activities", {"activities": batch})
        assert [(item["id"], item["status"]) for item in answered["activities"]] == expected
        assert sum(status == "accepted" for _id, status in expected) == 666
        assert await here.running.database.pool.fetchval("select count(*) from activity") == 667
        too_many = await here.call("POST", "/v1/activities", {"activities": [batch[1]] * 1001})
        assert too_many.json()["errors"][0]["code"] == "too_many_activities"


@asynchronous
async def test_same_member_at_once_in_several_requests_gets_every_point_once(laurels_url: str) -> None:
    # Case 18: 10 requests of 5 purchases of 10.00 each, all of one member: 50 x 10 = 500 points, none lost or doubled.
    async with api(laurels_url, mode="live") as here:
        await here.enrol("m-1", "2026-05-01T00:00:00Z")
        at = "2026-06-01T00:00:00Z"
        batches = [
            [activity("purchase", f"p-{n}", "m-1", purchase(f"o-{n}", ("tea", "10.00")), at) for n in range(r, r + 5)]
            for r in range(0, 50, 5)
        ]
        await asyncio.gather(*[here.post("/v1/activities", {"activities": batch}) for batch in batches])
        balances = await here.get("/v1/members/m-1/balances")
        assert balances["wallets"]["growth"]["available"] == 500


@asynchronous
async def test_replay_answers_as_the_first_time_with_present_balances(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        sent = activity("purchase", "p-1", "m-1", purchase("o-1", ("tea", "10.00")))
        first = await here.post("/v1/activities", sent)
        await here.send("purchase", "p-2", "m-1", purchase("o-2", ("tea", "5.00")), "2026-03-20T10:00:00+08:00")
        again = await here.post("/v1/activities", sent)
        same = ("entries", "explanation", "grants", "recorded_at", "follow_ups")
        assert (again["status"], {name: again[name] for name in same}) == (
            "replayed",
            {name: first[name] for name in same},
        )
        # 10 growth + 5; the 10 points of March 3 have been available since March 10.
        assert again["balances"]["growth"]["available"] == 15
        assert again["balances_at"] == "2026-03-20T10:00:00+08:00"


@asynchronous
async def test_identifier_names_a_member_and_is_stored_with_no_activity(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1", identifiers=[{"kind": "email", "value": "Wen@Example.com"}])
        sent: dict[str, Any] = activity("check_in", "c-1", "m-1", {})
        del sent["member"]
        answered = await here.post(
            "/v1/activities", {**sent, "identifier": {"kind": "email", "value": "wen@example.COM "}}
        )
        assert (answered["status"], answered["member"]) == ("accepted", "m-1")
        stored = await here.running.database.pool.fetchval("select string_agg(body || facts, '') from activity")
        assert "example" not in stored.lower()
        unknown = await here.call(
            "POST", "/v1/activities", {**sent, "id": "c-2", "identifier": {"kind": "phone", "value": "1"}}
        )
        assert unknown.json()["code"] == "unknown_member"


@asynchronous
async def test_source_is_the_keys_own(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        sent: dict[str, Any] = activity("check_in", "c-1", "m-1", {})
        refused = await here.call("POST", "/v1/activities", {**sent, "source": "web"})
        assert refused.json()["errors"][0]["code"] == "other_source"
        del sent["source"]
        assert (await here.post("/v1/activities", sent))["source"] == "pos"
        # Another key's source has ids of its own: the same id is another activity there.
        web = await here.key("activities:write", source="web")
        answered = await here.call("POST", "/v1/activities", sent, secret=web)
        assert (answered.json()["source"], answered.json()["status"]) == ("web", "accepted")


TILL_MAY_NOT = {
    "adjustment": {"wallet": "points", "points": 5, "reason": "x"},
    "opening_balance": {"wallet": "points", "lots": [{"points": 5, "earned_at": "2026-01-01T00:00:00Z"}]},
    "extension": {"wallet": "points", "expires_at": None, "reason": "x"},
    "reinstatement": {"wallet": "points", "lots": ["1.0"], "expires_at": None, "reason": "x"},
    "enrol": {},
    "member_change": {"attributes": {}},
}


async def _what_a_till_may(laurels_url: str) -> dict[str, str]:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        till = await here.key("activities:write", source="till")
        found = {}
        for type, data in TILL_MAY_NOT.items():
            sent = {**activity(type, f"t-{type}", "m-1", data), "source": "till"}
            answered = (await here.call("POST", "/v1/activities", sent, secret=till)).json()
            found[type] = answered["errors"][0]["code"] if answered["errors"] else answered["status"]
        return found


@asynchronous
async def test_key_of_a_till_cannot_give_points_by_hand_or_change_members(laurels_url: str) -> None:
    assert await _what_a_till_may(laurels_url) == dict.fromkeys(TILL_MAY_NOT, "scope_missing")


@asynchronous
async def test_without_scopes_by_type_the_till_could(laurels_url: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activities, "SCOPE_OF_TYPE", {})
        assert (await _what_a_till_may(laurels_url))["adjustment"] == "accepted"


def _bought(**line: Any) -> dict[str, Any]:
    return {"data": {"order": "o", "lines": [{"line": "1", **line}]}}


def _nested(levels: int) -> list[Any]:
    return [] if levels == 1 else [_nested(levels - 1)]


UNFIT: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"occurred_at": "2026-03-03"}, "/occurred_at", "invalid_instant"),
    ({"occurred_at": "2026-03-03T10:00:00"}, "/occurred_at", "invalid_instant"),
    ({"member": None}, "/member", "member_missing"),
    ({"member": None, "identifier": {"kind": "phone", "value": "1"}}, "/member", "member_missing"),
    ({"identifier": None}, "/identifier", "member_missing"),
    ({"identifier": {"kind": "phone", "value": "1"}}, "/member", "member_missing"),
    ({"type": "sprint"}, "/type", "unknown_type"),
    ({"type": "clock"}, "/type", "unknown_type"),
    ({"type": "redemption"}, "/type", "other_route"),
    ({"id": ""}, "/id", "missing"),
    ({"id": "x" * 201}, "/id", "too_long"),
    ({"id": "a\0b"}, "/id", "nul_character"),
    ({"nothing": 1}, "/nothing", "unknown_field"),
    (_bought(amount="1.001"), "/data/lines/0/amount", "invalid_amount"),
    (_bought(amount=1), "/data/lines/0/amount", "invalid"),
    (_bought(amount="1e3"), "/data/lines/0/amount", "invalid_amount"),
    (_bought(amount="-1"), "/data/lines/0/amount", "negative_amount"),
    ({"data": {"order": "o", "lines": []}}, "/data/lines", "missing"),
    ({"data": {**_bought(amount="1")["data"], "currency": "USD"}}, "/data/currency", "other_currency"),
    ({"type": "feedback", "data": {"deep": _nested(40)}}, "/data/deep" + "/0" * 30, "too_deep"),
    ({"type": "feedback", "data": {"text": "x" * (TEXT_BYTES_MOST + 1)}}, "/data/text", "too_long"),
)


@asynchronous
async def test_unfit_activity_is_invalid_with_its_place(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        for changed, pointer, code in UNFIT:
            sent = {**activity("purchase", "p-1", "m-1", purchase("o-1", ("tea", "1.00"))), **changed}
            answered = await here.call("POST", "/v1/activities", sent)
            document = answered.json()
            assert (answered.status_code, document["code"], document["status"]) == (422, "invalid", "invalid"), changed
            assert (document["errors"][0]["pointer"], document["errors"][0]["code"]) == (pointer, code), changed
            assert document["id"] == (sent["id"] if len(sent["id"]) <= 200 else None)


@asynchronous
async def test_several_mistakes_in_an_order_are_named_at_once(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        lines = [{"line": "1", "amount": "1.001"}, {"line": "1", "amount": "2", "tax": "3"}]
        answered = await here.call(
            "POST", "/v1/activities", activity("purchase", "p", "m-1", {"order": "o", "lines": lines})
        )
        codes = [error["code"] for error in answered.json()["errors"]]
        assert codes == ["invalid_amount", "tax_exceeds_amount", "duplicate_line"]


@asynchronous
async def test_every_misfit_of_a_batch_is_named_by_its_place_in_the_body(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        fine = activity("check_in", "c-1", "m-1", {})
        worst = {
            "source": "web", "id": 7, "type": "purchase", "member": None, "ocurred_at": "2026-03-03",
            "data": {"lines": [{"line": "", "amount": 5, "sku": "x" * 201}, {"line": "2", "tax": None}]},
        }  # fmt: skip
        value = {"type": "purchase", "data": {"order": "o", "lines": [{"line": "1", "amount": "1.001"}]}}
        sent = {"activities": [fine, worst, {**fine, "occurred_at": "soon", **value}, {**fine, "id": "c-3", **value}]}
        answered = (await here.post("/v1/activities", sent))["activities"]
        assert [each["status"] for each in answered] == ["accepted", "invalid", "invalid", "invalid"]
        assert {(error["pointer"], error["code"]) for error in answered[1]["errors"]} == {
            ("/activities/1/source", "other_source"),
            ("/activities/1/id", "invalid"),
            ("/activities/1/member", "member_missing"),
            ("/activities/1/occurred_at", "missing"),
            ("/activities/1/ocurred_at", "unknown_field"),
            ("/activities/1/data/order", "missing"),
            ("/activities/1/data/lines/0/line", "missing"),
            ("/activities/1/data/lines/0/amount", "invalid"),
            ("/activities/1/data/lines/0/sku", "too_long"),
            ("/activities/1/data/lines/1/amount", "missing"),
            ("/activities/1/data/lines/1/tax", "invalid"),
        }
        assert [(error["pointer"], error["code"]) for error in answered[2]["errors"]] == [
            ("/activities/2/occurred_at", "invalid_instant"),
            ("/activities/2/data/lines/0/amount", "invalid_amount"),
        ]
        assert [(error["pointer"], error["code"]) for error in answered[3]["errors"]] == [
            ("/activities/3/data/lines/0/amount", "invalid_amount"),
        ]


@asynchronous
async def test_misfits_are_named_before_anything_is_published(laurels_url: str) -> None:
    async with api(laurels_url, document=None) as here:
        answered = await here.call("POST", "/v1/activities", {"type": "transfer", "data": {"points": 0}})
        assert {(error["pointer"], error["code"]) for error in answered.json()["errors"]} == {
            ("/id", "missing"),
            ("/occurred_at", "missing"),
            ("/member", "member_missing"),
            ("/data/to", "missing"),
            ("/data/wallet", "missing"),
            ("/data/points", "invalid"),
        }


@asynchronous
async def test_ids_with_slashes_and_spaces_are_found_by_address(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("团 购/m 1")
        await here.send("check_in", "c/1 ü", "团 购/m 1", {})
        member = "%E5%9B%A2%20%E8%B4%AD%2Fm%201"
        assert (await here.get(f"/v1/members/{member}"))["id"] == "团 购/m 1"
        explained = await here.get(f"/v1/members/{member}/explanations/pos/c%2F1%20%C3%BC")
        assert explained["id"] == "c/1 ü"


@asynchronous
async def test_quote_promises_what_the_purchase_then_earns_and_records_nothing(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1", identifiers=[{"kind": "card", "value": "C-1"}])
        before = await here.running.database.pool.fetchval("select count(*) from activity")
        data = {"lines": [{"line": "1", "category": "beans", "amount": "30.00"}]}
        asked = {
            "identifier": {"kind": "card", "value": "C-1"},
            "occurred_at": "2026-03-03T10:00:00+08:00",
            "data": data,
        }
        quoted = await here.post("/v1/quotes", asked)
        assert await here.running.database.pool.fetchval("select count(*) from activity") == before
        bought = await here.send("purchase", "p-1", "m-1", {**data, "order": "o-1"})
        assert quoted["explanation"] == bought["explanation"]
        assert quoted["balances"] == bought["balances"]
        shown = ("wallet", "points", "campaign", "expires_at")
        assert [{name: each[name] for name in shown} for each in quoted["entries"]] == [
            {name: each[name] for name in shown} for each in bought["entries"]
        ]
        assert {(each["id"], each["lot"]) for each in quoted["entries"]} == {(None, None)}
        unknown = await here.call("POST", "/v1/quotes", {"member": "nobody", "data": data})
        assert unknown.json()["code"] == "unknown_member"
