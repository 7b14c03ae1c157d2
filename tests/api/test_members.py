"""Members: rules learn of them by activity alone; who they are lies apart, can be found, exported and erased."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from laurels.core.calendar import parse_instant
from tests.api.harness import Api, activity, api, purchase
from tests.stage import asynchronous


@asynchronous
async def test_nothing_personal_reaches_the_journal(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        profile = {"name": "Li Wen", "phone": "+86 138", "email": "wen@example.com", "birth_date": "1990-05-17"}
        await here.enrol("m-1", profile=profile, identifiers=[{"kind": "card", "value": "C-77"}])
        answered = await here.call("PATCH", "/v1/members/m-1", {"profile": {"name": "Li Wenwen"}})
        assert answered.json() == {"id": "m-1", "activity": None}
        ledger = await here.running.database.pool.fetchval("select string_agg(body || facts, '') from activity")
        for word in ("Li Wen", "138", "example.com", "1990", "C-77"):
            assert word not in ledger
        logged = "".join(line for line in here.log.getvalue().splitlines() if '"logger":"laurels.' in line)
        assert '"route":"POST /v1/members"' in logged
        for word in ("Li Wen", "138 ", "example.com", "C-77", "m-1"):
            assert word not in logged


@asynchronous
async def test_attributes_change_by_activity_and_rules_read_them(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1", attributes={"favourite_drink": "tea", "birthday_month": 5})
        changed = await here.call(
            "PATCH", "/v1/members/m-1", {"attributes": {"favourite_drink": None, "birthday_month": 6}}
        )
        assert changed.json()["activity"]["status"] == "accepted"
        assert (await here.get("/v1/members/m-1"))["attributes"] == {"birthday_month": 6}
        wrong = await here.call(
            "PATCH", "/v1/members/m-1", {"attributes": {"birthday_month": "June"}, "profile": {"name": "X"}}
        )
        assert wrong.json()["errors"][0]["pointer"] == "/attributes/birthday_month"
        # Nothing of a request that is refused is done.
        assert (await here.get("/v1/members/m-1"))["profile"]["name"] is None


@asynchronous
async def test_members_are_found_by_what_they_are_known_by_page_by_page(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1", profile={"name": "Ångström"})
        await here.enrol("m-2", profile={"name": "Ann", "phone": "+49 30 1"})
        await here.enrol("m-3", profile={"email": "ANN@example.com"})

        async def found(query: str) -> list[str]:
            return [item["id"] for item in (await here.get(f"/v1/members?query={query}"))["items"]]

        assert await found("%C3%A5NG") == ["m-1"]
        assert await found("ann") == ["m-2", "m-3"]
        assert await found("%2B4930") == ["m-2"]
        assert await found("m-") == ["m-1", "m-2", "m-3"]
        assert await found("zz") == []
        first = await here.get("/v1/members?limit=2")
        rest = await here.get(f"/v1/members?limit=2&cursor={first['next_cursor']}")
        assert [item["id"] for page in (first, rest) for item in page["items"]] == ["m-1", "m-2", "m-3"]
        assert rest["next_cursor"] is None


@asynchronous
async def test_members_are_found_by_a_whole_identifier_of_any_kind(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1", identifiers=[{"kind": "card", "value": "C-77"}, {"kind": "phone", "value": "+86 138"}])
        await here.enrol("m-2", identifiers=[{"kind": "email", "value": "Wen@Example.com"}])
        await here.enrol("m-3", profile={"name": "C-77 the collector"})

        async def found(query: str) -> list[str]:
            return [item["id"] for item in (await here.get(f"/v1/members?query={query}"))["items"]]

        assert await found("C-77") == ["m-1", "m-3"]
        assert await found("%2B86-138") == ["m-1"]
        assert await found("wen%40example.COM") == ["m-2"]
        # Identifiers are kept as digests: the beginning of one finds nobody.
        assert await found("wen%40") == await found("C-7%20") == []


@asynchronous
async def test_listed_members_have_the_figures_that_their_balances_say(laurels_url: str) -> None:
    async with api(laurels_url, mode="live") as here:
        for n in range(4):
            await here.enrol(f"m-{n}", "2026-05-31T00:00:00Z")
            await here.give(f"m-{n}", 100 + n, at="2026-06-01T00:00:00Z")
        await here.send("purchase", "p-1", "m-1", purchase("o-1", ("tea", "400.00")), "2026-06-01T00:00:00Z")
        # In July the welcome and the purchase have become available, and nobody wrote that down.
        here.clock.at = parse_instant("2026-07-01T00:00:00Z")
        for at in ("2026-07-01T00:00:00Z", "2027-07-01T00:00:00Z"):
            here.clock.at = parse_instant(at)
            listed = (await here.get("/v1/members"))["items"]
            for item in listed:
                balances = (await here.get(f"/v1/members/{item['id']}/balances"))["wallets"]
                tracks = (await here.get(f"/v1/members/{item['id']}/tiers"))["tracks"]
                assert item["available"] == {wallet: each["available"] for wallet, each in balances.items()}
                assert item["tiers"] == {track: each["tier"] for track, each in tracks.items()}
            # 100 of welcome, 100 to 103 by hand, and 400 for the purchase: all expire at the end of May and June.
            expected = [200, 601, 202, 203] if at.startswith("2026") else [0, 0, 0, 0]
            assert [item["available"]["points"] for item in listed] == expected


@asynchronous
async def test_page_of_members_costs_as_many_statements_as_one_member(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        for n in range(5):
            await here.enrol(f"m-{n}", profile={"name": f"Ann {n}"})
        asked: list[int] = []
        async with _statements(here) as statements:
            for limit in (1, 1, 5):
                before = len(statements)
                listed = await here.get(f"/v1/members?limit={limit}")
                assert [item["name"] for item in listed["items"]] == [f"Ann {n}" for n in range(limit)]
                asked.append(len(statements) - before)
        # The first time also looks the key up and reads the program.
        assert asked[1] == asked[2] > 0


@asynccontextmanager
async def _statements(here: Api) -> AsyncIterator[list[object]]:
    """Every statement over a connection that the pool has now, as they are carried out."""
    pool = here.running.database.pool
    seen: list[object] = []
    held = [await pool.acquire() for _ in range(pool.get_size())]
    for connection in held:
        connection.add_query_logger(seen.append)
        await pool.release(connection)
    yield seen


@asynchronous
async def test_two_who_claim_one_identifier_at_once_do_not_both_get_it(laurels_url: str) -> None:
    async with api(laurels_url, mode="live") as here:
        card = [{"kind": "card", "value": "C-1"}]
        answers = await asyncio.gather(
            *[here.call("POST", "/v1/members", {"id": f"m-{n}", "identifiers": card}) for n in range(5)]
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
        assert await here.running.database.pool.fetchval("select count(*) from identifier") == 1


@asynchronous
async def test_erased_member_is_nobody_any_more_and_the_journal_stays(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1", profile={"name": "Li Wen"}, identifiers=[{"kind": "card", "value": "C-1"}])
        reason = "called by telephone"
        await here.send("adjustment", "a-1", "m-1", {"wallet": "points", "points": 7, "reason": reason})
        exported = await here.get("/v1/members/m-1/personal_data")
        assert exported["member"]["profile"]["name"] == "Li Wen"
        assert exported["activities"][-1]["data"]["reason"] == reason
        journal = await here.get("/v1/members/m-1/journal")

        assert (await here.call("DELETE", "/v1/members/m-1", key="erase")).status_code == 204
        assert (await here.call("DELETE", "/v1/members/m-1", key="erase")).headers["idempotent-replayed"] == "true"
        exported = await here.get("/v1/members/m-1/personal_data")
        assert exported["member"]["profile"] == dict.fromkeys(exported["member"]["profile"])
        assert exported["activities"][-1]["data"]["reason"] == ""
        # What somebody wrote is gone, and nothing else of the journal.
        assert journal["items"][0]["stated_reason"] == reason
        journal["items"][0]["stated_reason"] = None
        assert await here.get("/v1/members/m-1/journal") == journal
        database = here.running.database.pool
        for table in ("profile", "identifier"):
            assert await database.fetchval(f"select count(*) from {table}") == 0
        # The card may be given to somebody else.
        await here.enrol("m-2", identifiers=[{"kind": "card", "value": "C-1"}])


@asynchronous
async def test_upcoming_expiries_sum_to_what_is_available_and_held(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        for n, expires_at in enumerate(("2027-01-01T00:00:00Z", "2026-12-01T00:00:00Z", None)):
            data = {
                "wallet": "points",
                "lots": [{"points": 100, "earned_at": "2026-01-01T00:00:00Z", "expires_at": expires_at}],
            }
            await here.send("opening_balance", f"b-{n}", "m-1", data)
        await here.send("purchase", "p-1", "m-1", purchase("o-1", ("tea", "40.00")))
        await here.post("/v1/redemptions", {"id": "r-1", "member": "m-1", "wallet": "points", "points": 200})
        points = (await here.get("/v1/members/m-1/balances"))["wallets"]["points"]
        # 300 brought and 100 of welcome, available since February 8; 40 still wait. 200 of 400 are held: the 100 of
        # December 1 and 100 of January 1.
        assert (points["available"], points["held"], points["pending"]) == (200, 200, 40)
        assert [(each["at"], each["points"]) for each in points["expiring"]] == [
            ("2026-12-01T08:00:00+08:00", 100),
            ("2027-01-01T08:00:00+08:00", 100),
            ("2027-03-01T00:00:00+08:00", 100),
            (None, 100),
        ]


@asynchronous
async def test_journal_tells_every_entry_once_newest_first(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        for n in range(7):
            await here.send("purchase", f"p-{n}", "m-1", purchase(f"o-{n}", ("beans", "10.00")))
        ids: list[str] = []
        cursor = ""
        while True:
            page = await here.get(f"/v1/members/m-1/journal?limit=5{cursor}")
            ids += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        # Joining and its activation: 2. Three for each purchase, base, beans and growing: 21. beans stops at 50 a day,
        # after 5 purchases: 2 less.
        assert len(ids) == len(set(ids)) == 2 + 7 * 3 - 2
        assert ids == sorted(ids, key=lambda id: [int(part) for part in id.split(".")], reverse=True)


@asynchronous
async def test_explanation_keeps_the_words_of_the_version_that_judged(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        await here.send("purchase", "p-1", "m-1", purchase("o-1", ("tea", "10.00")))
        versions = await here.get("/v1/program/versions/1")
        doubled = versions["document"].replace("{wallet: points, points: 1, per", "{wallet: points, points: 2, per")
        await here.post("/v1/program/versions", {"document": doubled})
        await here.send("purchase", "p-2", "m-1", purchase("o-2", ("tea", "10.00")), "2026-04-01T00:00:00Z")
        for id, version, rate in (("p-1", 1, "points: 1"), ("p-2", 2, "points: 2")):
            explained = await here.get(f"/v1/members/m-1/explanations/pos/{id}")
            base = next(each for each in explained["campaigns"] if each["campaign"] == "base")
            assert explained["version"] == version
            assert rate in base["says"]["grants"][0]
            for campaign in explained["campaigns"]:
                # A code without a sentence would be shown as itself.
                assert campaign["code"] not in campaign["text"].values()
                assert set(campaign["text"]) == {"en", "zh-CN"}


@asynchronous
async def test_profile_that_names_what_does_not_exist_is_refused(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        for profile in (
            {"time_zone": "Mars/Olympus"},
            {"birth_date": "1990-02-30"},
            {"phone": "call me"},
            {"email": "me"},
        ):
            answered = await here.call("POST", "/v1/members", {"id": "m-1", "profile": profile})
            assert answered.json()["errors"][0]["pointer"] == f"/profile/{next(iter(profile))}", answered.text
        twice = [{"kind": "phone", "value": "+1 2"}, {"kind": "phone", "value": "+12"}]
        answered = await here.call("POST", "/v1/members", {"id": "m-1", "identifiers": twice})
        assert answered.json()["errors"][0]["code"] == "duplicate_identifier"
        assert await here.running.database.pool.fetchval("select count(*) from member") == 0
        assert (await here.call("POST", "/v1/activities", activity("check_in", "c", "m-1", {}))).status_code == 409


@asynchronous
async def test_journal_shows_the_reason_that_a_person_gave_until_it_is_erased(laurels_url: str) -> None:
    async with api(laurels_url) as here:
        await here.enrol("m-1")
        data = {"wallet": "points", "points": 7, "reason": "a long wait"}
        await here.send("adjustment", "a-1", "m-1", data)
        adjusted, welcome = (await here.get("/v1/members/m-1/journal"))["items"][:2]
        assert (adjusted["reason"], adjusted["stated_reason"]) == ("adjusted", "a long wait")
        assert welcome["stated_reason"] is None
        await here.call("DELETE", "/v1/members/m-1")
        assert [each["stated_reason"] for each in (await here.get("/v1/members/m-1/journal"))["items"][:2]] == [
            None
        ] * 2
