"""The program over HTTP: checked, planned with the members concerned, published, and its clock moved."""

import json
from typing import Any

from tests.api.harness import PROGRAM, Api, api, purchase
from tests.stage import asynchronous


async def concerned(here: Api, document: str) -> dict[str, int]:
    """By path: how many members a change takes something from."""
    planned = await here.post("/v1/program/plan", {"document": document})
    return {each["path"]: each["members"] for each in planned["changes"] if each["takes_away"]}


@asynchronous
async def test_plan_counts_whom_each_change_takes_something_from(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        # growth: m-0 none, m-1 150, m-2 320 and silver, m-3 450 and silver. Only m-3 bought beans.
        for n, amount in enumerate(("", "150.00", "320.00", "450.00")):
            await here.enrol(f"m-{n}")
            if amount:
                kind = "beans" if n == 3 else "tea"
                await here.send("purchase", f"p-{n}", f"m-{n}", purchase(f"o-{n}", (kind, amount)))
        lower = PROGRAM.replace("enter: 300, keep: 200", "enter: 100, keep: 50")
        assert await concerned(here, lower) == {}
        # m-1 is on the way to silver with 150, m-0 is not. m-2 has 320 and would no longer keep silver; m-3 has 450.
        higher = PROGRAM.replace("enter: 300, keep: 200", "enter: 500, keep: 400")
        assert await concerned(here, higher) == {
            "/tracks/membership/tiers/1/enter": 1,
            "/tracks/membership/tiers/1/keep": 1,
        }
        assert await concerned(here, PROGRAM.replace("multiply: {points: 1.5}", "multiply: {points: 1.2}")) == {
            "/tracks/membership/tiers/1/multiply": 2
        }
        # All four hold points: everybody got 100 for joining.
        assert await concerned(here, PROGRAM.replace("after: 12M", "after: 1M")) == {"/wallets/points/expires": 4}
        beans = await concerned(here, PROGRAM.replace("points: 50, over: trim", "points: 10, over: trim"))
        assert list(beans.values()) == [1]
        erased = await here.call("DELETE", "/v1/members/m-3")
        assert erased.status_code == 204
        assert await concerned(here, PROGRAM.replace("after: 12M", "after: 1M")) == {"/wallets/points/expires": 3}


@asynchronous
async def test_plan_counts_over_rolling_windows(laurels_url: str) -> None:
    rolling = PROGRAM.replace("window: calendar_year", "window: {rolling: 12M}")
    async with api(laurels_url, document=rolling) as here:
        for n, amount in enumerate(("250.00", "320.00")):
            await here.enrol(f"m-{n}")
            await here.send("purchase", f"p-{n}", f"m-{n}", purchase(f"o-{n}", ("tea", amount)))
        stricter = rolling.replace("enter: 300, keep: 200", "enter: 400, keep: 390")
        # 250 is on the way to silver; 320 would not keep it.
        assert await concerned(here, stricter) == {
            "/tracks/membership/tiers/1/enter": 1,
            "/tracks/membership/tiers/1/keep": 1,
        }


@asynchronous
async def test_document_may_be_sent_as_it_is(laurels_url: str) -> None:
    async with api(laurels_url, document=None) as here:
        yaml = {"Content-Type": "application/yaml; charset=utf-8"}
        checked = await here.call("POST", "/v1/program/check", content=PROGRAM.encode(), headers=yaml)
        assert checked.json() == {"ok": True, "findings": []}
        published = await here.call("POST", "/v1/program/versions", content=PROGRAM.encode(), headers=yaml)
        assert (published.status_code, published.json()["number"]) == (201, 1)
        assert (await here.get("/v1/program/versions/1"))["document"] == PROGRAM
        latin = await here.call("POST", "/v1/program/check", content="name: Café".encode("latin-1"), headers=yaml)
        assert latin.json()["code"] == "malformed_body"


@asynchronous
async def test_check_shows_all_findings_with_their_places(laurels_url: str) -> None:
    async with api(laurels_url, document=None) as here:
        wrong = PROGRAM.replace("currency: CNY", "currency: CNX").replace('per: "1.00"', 'per: "1.001"', 1)
        findings = (await here.post("/v1/program/check", {"document": wrong}))["findings"]
        lines = wrong.splitlines()
        assert findings[0]["code"] == "bad_currency"
        for finding in findings:
            assert 1 <= finding["line"] <= len(lines)
            assert finding["column"] >= 1


@asynchronous
async def test_published_version_is_in_effect_at_once_in_a_sandbox(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        first = await here.send("purchase", "p-1", "m-1", purchase("o-1", ("tea", "10.00")))
        assert "gems" not in first["balances"]
        with_gems = PROGRAM.replace("  growth: {name", "  gems: {}\n  growth: {name")
        await here.post("/v1/program/versions", {"document": with_gems})
        second = await here.send(
            "purchase", "p-2", "m-1", purchase("o-2", ("tea", "10.00")), "2026-03-04T10:00:00+08:00"
        )
        assert second["balances"]["gems"]["available"] == 0
        pages: list[dict[str, Any]] = [await here.get("/v1/program/versions?limit=1")]
        pages.append(await here.get(f"/v1/program/versions?limit=1&cursor={pages[0]['next_cursor']}"))
        assert [page["items"][0]["number"] for page in pages] == [2, 1]
        assert pages[1]["next_cursor"] is None


@asynchronous
async def test_clock_carries_out_on_the_way_what_falls_due(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1", "2026-02-01T10:00:00+08:00")
        # 100 points of February 8 expire at the end of February 2027: a journal entry, at that instant.
        moved = await here.post("/v1/clock", {"now": "2027-04-01T00:00:00+08:00"})
        assert moved["woken"] >= 1
        newest = (await here.get("/v1/members/m-1/journal?limit=1"))["items"][0]
        shown = ("kind", "points", "state", "at", "reason")
        assert tuple(newest[name] for name in shown) == (
            "expiry", -100, "expired", "2027-03-01T00:00:00+08:00", "expired",
        )  # fmt: skip
        assert (await here.get("/v1/program"))["now"] == "2027-04-01T00:00:00+08:00"


@asynchronous
async def test_hold_whose_time_is_over_reads_as_timed_out_before_anybody_recorded_it(laurels_url: str) -> None:
    async with api(laurels_url, mode="live") as here:
        await here.enrol("m-1", "2026-05-01T00:00:00Z")
        hold = {"id": "r-1", "member": "m-1", "wallet": "points", "points": 100}
        held = (await here.post("/v1/redemptions", hold))["redemption"]
        assert (held["status"], held["times_out_at"]) == ("held", "2026-06-02T12:00:00+08:00")
        rows = await here.running.database.pool.fetchval("select count(*) from activity")
        here.clock.at += 24 * 3600 * 1_000_000
        read = await here.get("/v1/redemptions/r-1")
        assert (read["status"], read["ended_at"], read["spent"]) == ("timed_out", "2026-06-02T12:00:00+08:00", 0)
        assert (await here.get("/v1/members/m-1/balances"))["wallets"]["points"]["available"] == 100
        assert await here.running.database.pool.fetchval("select count(*) from activity") == rows


CUT = PROGRAM.index("    expires:")


@asynchronous
async def test_document_that_is_cut_off_or_garbled_is_placed_by_line_and_column(laurels_url: str) -> None:
    yaml = {"Content-Type": "application/yaml"}
    async with api(laurels_url) as here:
        for route in ("check", "plan", "versions"):
            path = f"/v1/program/{route}"
            # The body around the document.
            cut = json.dumps({"document": PROGRAM}).encode()[:100]
            answered = await here.call("POST", path, content=cut)
            assert (answered.status_code, answered.json()["code"]) == (400, "malformed_body")
            assert answered.json()["errors"][0]["message"].startswith("Line 1, column 14: Unterminated string")
            answered = await here.call("POST", path, content=b"name: \xff", headers=yaml)
            assert answered.json()["errors"][0]["message"] == "Line 1, column 7: not UTF-8."
            answered = await here.call("POST", path, content=b"", headers=yaml)
            assert (answered.status_code, answered.json()["errors"][0]["pointer"]) == (422, "/document")
            # The document itself, as YAML and as JSON.
            for document in (PROGRAM[:CUT] + "    expires: {after: 12M", '{"program": "cafe", "wallets": {"points"'):
                answered = await here.call("POST", path, content=document.encode(), headers=yaml)
                same = await here.call("POST", path, {"document": document})
                assert answered.json() == same.json()
                first = answered.json()["findings"][0]
                assert (first["code"], first["line"], first["column"]) == ("syntax", *_end(document)), first
                assert answered.status_code == (422 if route == "versions" else 200)


def _end(text: str) -> tuple[int, int]:
    """Line and column behind the last character."""
    last = text.rpartition("\n")[2]
    return text.count("\n") + 1, len(last) + 1
