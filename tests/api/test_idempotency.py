"""Mutations other than activities answer the same when they come again, whatever happened in between."""

import asyncio
import json
from typing import Any

import pytest

from laurels import wiring
from laurels.api import members, own
from laurels.store import idempotency
from tests.api.harness import Api, Json, api
from tests.stage import asynchronous

NEW: dict[str, Json] = {"id": "m-1", "profile": {"name": "Li"}, "identifiers": [{"kind": "card", "value": "C-1"}]}


async def count(here: Api, table: str) -> int:
    """How many rows a table has."""
    return int(await here.running.database.pool.fetchval(f"select count(*) from {table}"))


@asynchronous
async def test_same_key_and_body_answer_the_same_also_after_a_restart(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        first = await here.call("POST", "/v1/members", NEW, key="k-1")
        assert (first.status_code, "idempotent-replayed" in first.headers) == (201, False)
        again = await here.call("POST", "/v1/members", NEW, key="k-1")
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotent-replayed"] == "true"
    async with api(laurels_url, document=None) as here:
        again = await here.call("POST", "/v1/members", NEW, key="k-1")
        assert (again.status_code, again.content) == (201, first.content)
        assert await count(here, "activity") == 1


@asynchronous
async def test_body_is_the_same_whatever_its_spaces_and_the_order_of_its_keys(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.post("/v1/members", NEW, key="k-1")
        turned = json.dumps(dict(reversed(NEW.items())), indent=2).encode()
        again = await here.call("POST", "/v1/members", content=turned, key="k-1")
        assert again.headers["idempotent-replayed"] == "true"
        other = await here.call("POST", "/v1/members", {**NEW, "id": "m-2"}, key="k-1")
        assert other.json()["code"] == "idempotency_conflict"


@asynchronous
async def test_refused_request_leaves_its_key_free(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        hold = {"id": "r-1", "member": "m-1", "wallet": "points", "points": 100}
        refused = await here.call("POST", "/v1/redemptions", hold, key="k-1")
        assert refused.json()["code"] == "unknown_member"
        await here.enrol("m-1")
        await here.give("m-1", 100)
        assert (await here.call("POST", "/v1/redemptions", hold, key="k-1")).status_code == 201


@asynchronous
async def test_ten_at_once_with_one_key_do_it_once(laurels_url: str) -> None:
    async with api(laurels_url, mode="live") as here:
        await here.enrol("m-1")
        await here.give("m-1", 1000, at="2026-06-01T00:00:00Z")
        hold = {"id": "r-1", "member": "m-1", "wallet": "points", "points": 100}
        answers = await asyncio.gather(*[here.call("POST", "/v1/redemptions", hold, key="k") for _ in range(10)])
        assert {answer.status_code for answer in answers} <= {201, 409}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"still_running"}
        assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 409} <= {"1"}
        points = (await here.get("/v1/members/m-1/balances"))["wallets"]["points"]
        assert points["held"] == 100


async def _dies_after_the_activity(here: Api, method: str, path: str, body: Json) -> None:
    """The request ends after its activity was recorded and before its answer was: as a crash would end it."""

    async def dies(*_args: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(idempotency, "finish", dies)
        with pytest.raises(KeyboardInterrupt):
            await here.client.request(
                method,
                path,
                json=body,
                headers={"Authorization": f"Bearer {here.secret}", "Idempotency-Key": "k-1"},
            )
    here.clock.at += idempotency.DEAD_AFTER + 1


@asynchronous
async def test_request_that_died_after_recording_is_finished_by_its_repetition(laurels_url: str) -> None:
    async with api(laurels_url, mode="live") as here:
        await here.enrol("m-1")
        await here.give("m-1", 1000, at="2026-06-01T00:00:00Z")
        hold = {"id": "r-1", "member": "m-1", "wallet": "points", "points": 300}
        for path, body in (("/v1/redemptions", hold), ("/v1/redemptions/r-1/capture", {"points": 100})):
            before = await count(here, "activity")
            await here.running.database.pool.execute("delete from idempotency")
            await _dies_after_the_activity(here, "POST", path, body)
            assert await count(here, "activity") == before + 1
            answered = await here.call("POST", path, body, key="k-1")
            assert answered.status_code in (200, 201), answered.text
            assert answered.json()["activity"]["status"] == "replayed"
            assert await count(here, "activity") == before + 1


@asynchronous
async def test_without_ids_that_follow_from_the_key_it_would_be_done_twice(laurels_url: str) -> None:
    async with api(laurels_url, mode="live") as here:
        await here.enrol("m-1", attributes={"birthday_month": 1})
        change = {"attributes": {"birthday_month": 2}}
        await here.running.database.pool.execute("delete from idempotency")
        await _dies_after_the_activity(here, "PATCH", "/v1/members/m-1", change)
        with pytest.MonkeyPatch.context() as patch:
            submit_own = own.submit_own

            async def forgetful(call: Any, *args: Any) -> Any:
                call.idempotency_key = None
                return await submit_own(call, *args)

            patch.setattr(members, "submit_own", forgetful)
            await here.call("PATCH", "/v1/members/m-1", change, key="k-1")
        assert await count(here, "activity") == 3


@asynchronous
async def test_key_of_another_program_is_another_key(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.post("/v1/clock", {"now": "2026-02-01T00:00:00Z"}, key="k-1")
        secret, _known = await wiring.make_key(here.running, "bar", source="pos", name="till", scopes=["admin"])
        answered = await here.call("POST", "/v1/clock", {"now": "2026-03-01T00:00:00Z"}, key="k-1", secret=secret)
        assert answered.status_code == 200


@pytest.mark.parametrize(("times", "statuses"), [(2, (201, 201)), (3, (503, 409))])
@asynchronous
async def test_a_database_that_is_away_for_a_moment_when_a_request_ends_keeps_no_key(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch, times: int, statuses: tuple[int, int]
) -> None:
    """Three times in a row is too often: that the key then waits for its minute shows that the test can tell."""
    finish, left = idempotency.finish, [times]

    async def away(*arguments: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise ConnectionResetError("the connection was cut")
        await finish(*arguments)

    async with api(laurels_url) as here:
        monkeypatch.setattr(idempotency, "finish", away)
        body = {"id": "m-1", "enrolled_at": "2026-01-02T00:00:00Z"}
        answered = [await here.call("POST", "/v1/members", body, key="k-1") for _ in range(2)]
        assert tuple(each.status_code for each in answered) == statuses
        assert (answered[0].content == answered[1].content) == (times == 2)
