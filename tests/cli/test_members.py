"""member, key, clock, verify and rebuild: looking after a program."""

import asyncio
from typing import Any

import asyncpg
import msgspec
import pytest

from laurels.cli import member as showing
from laurels.core.compiled import Compiled
from laurels.core.journal import leaves
from laurels.core.member import Member
from laurels.store.database import Database
from laurels.store.keys import find_key
from tests.cli.giving import PROGRAM, Giving, run


@pytest.fixture
def cafe(give: Giving) -> Giving:
    """A cafe with two members, of whom one has bought something."""
    give.publish()
    give.members("m-1", "m-2")
    give.shop("o-1,m-1,2026-03-01,50.00", "o-2,m-1,2026-03-02,60.00")
    return give


def owner(give: Giving, statement: str) -> None:
    async def carry_out() -> None:
        connection = await asyncpg.connect(give.url, server_settings={"search_path": "laurels"})
        await connection.execute(statement)
        await connection.close()

    asyncio.run(carry_out())


def test_member_shows_balances_tiers_and_the_newest_entries(cafe: Giving) -> None:
    shown = cafe.json("member", "m-1")
    assert shown["wallets"]["points"]["available"] == 110
    assert shown["wallets"]["points"]["expiring"] == [
        {"at": "2027-03-01T00:00:00+00:00", "points": 50},
        {"at": "2027-03-02T00:00:00+00:00", "points": 60},
    ]
    assert shown["tiers"]["membership"]["tier"] == "silver"
    assert [entry["points"] for entry in shown["entries"]] == [60, 50]
    assert shown["segments"] == ["regular"]
    said = cafe.says("member", "m-1", "--entries", "1")
    assert "segments: regular" in said
    assert "110 available" in said
    assert "import o-2" in said
    assert "o-1" not in said
    assert "has no member nobody" in cafe.fails("member", "nobody", code=1)


def test_member_shows_the_newest_redemptions_with_what_they_were_for(give: Giving) -> None:
    give.publish(PROGRAM + "rewards:\n  mug: {gives: goods, price: {wallet: points, points: 20}}\n")
    give.members("m-1")
    give.shop("o-1,m-1,2026-03-01,50.00")
    rows = activity("r-1", "redemption", {"redemption": "x-1", "reward": "mug"}, "2026-03-04T00:00:00Z") + activity(
        "f-1", "redemption_fulfilment", {"redemption": "x-1", "state": "shipped", "tracking": "RR1"}
    )
    give.json("import", give.file("rows.ndjson", rows))
    (shown,) = give.json("member", "m-1")["redemptions"]
    assert (shown["reward"], shown["points"], shown["status"]) == ("mug", 20, "captured")
    assert (shown["fulfilment"], shown["tracking"]) == ("shipped", "RR1")
    said = give.says("member", "m-1")
    assert "1 x mug" in said
    assert "shipped RR1" in said


def test_member_looks_at_no_more_redemptions_than_are_shown_or_hold_points(
    give: Giving, monkeypatch: pytest.MonkeyPatch
) -> None:
    give.publish()
    give.members("m-1")
    give.shop("o-1,m-1,2026-03-01,50.00")
    rows = [
        activity(f"r-{n}", "redemption", {"redemption": f"x-{n}", "wallet": "points", "points": n, "hold": n == 1})
        for n in range(1, 6)
    ]
    give.json("import", give.file("rows.ndjson", "".join(rows)))
    monkeypatch.setattr(showing, "REDEMPTIONS_SHOWN", 2)
    looked: list[set[str]] = []
    redemptions = showing._redemptions

    def noting(compiled: Compiled, member: Member) -> list[dict[str, Any]]:
        looked.append({key for key in member.documents if key.startswith("redemption/")})
        return redemptions(compiled, member)

    monkeypatch.setattr(showing, "_redemptions", noting)
    shown = give.json("member", "m-1")
    assert [each["id"] for each in shown["redemptions"]] == ["x-5", "x-4"]
    assert looked == [{"redemption/x-1", "redemption/x-4", "redemption/x-5"}]
    points = shown["wallets"]["points"]
    assert (points["available"], points["held"], [each["points"] for each in points["expiring"]]) == (35, 1, [36])


def activity(id: str, type: str, data: dict[str, Any], at: str = "2026-03-05T00:00:00Z") -> str:
    return msgspec.json.encode(
        {"id": id, "type": type, "member": "m-1", "occurred_at": at, "data": data}
    ).decode() + "\n"  # fmt: skip


def test_entries_have_the_signs_of_the_api_and_the_reasons_that_people_gave(cafe: Giving) -> None:
    """A hold takes from what can be spent; what a return cannot take back is written off, which takes nothing."""
    rows = (
        activity("h-1", "redemption", {"redemption": "x-1", "wallet": "points", "points": 105})
        + activity("a-1", "adjustment", {"wallet": "points", "points": 7, "reason": "a [long] wait"})
        + activity("a-2", "adjustment", {"wallet": "points", "points": -2, "reason": "too much"})
        + activity("b-1", "return", {"order": "o-2"})
    )
    cafe.json("import", cafe.file("more.ndjson", rows))
    shown = cafe.json("member", "m-1")
    entries = [(each["kind"], each["points"], each["stated_reason"]) for each in shown["entries"]]
    assert entries == [
        ("write_off", 50, None),
        ("reversal", -10, None),
        ("adjustment", -2, "too much"),
        ("adjustment", 7, "a [long] wait"),
        ("redemption", -105, None),
        ("accrual", 60, None),
        ("accrual", 50, None),
    ]
    assert 'adjusted: "a [long] wait"' in cafe.says("member", "m-1")
    # What is held is still the member's, and expires with the rest.
    points = shown["wallets"]["points"]
    assert sum(each["points"] for each in points["expiring"]) == points["available"] + points["held"] == 105
    api = [
        (kind, -moved if leaves(out_of, into) else moved)
        for kind, moved, out_of, into in (
            (each["kind"], abs(each["points"]), each["out_of"], each["into"]) for each in shown["entries"]
        )
    ]
    assert [(kind, points) for kind, points, _ in entries] == api
    owner(cafe, "update free_text set texts = null")
    assert {each["stated_reason"] for each in cafe.json("member", "m-1")["entries"]} == {None}


def test_people_read_the_last_day_and_programs_the_first_instant_after_it(give: Giving) -> None:
    give.publish(PROGRAM.replace("time_zone: UTC", "time_zone: Asia/Shanghai").replace(
        "{after: 12M}", "{after: 12M, round: month}"
    ))  # fmt: skip
    give.members("m-1")
    give.shop("o-1,m-1,2025-03-05,150.00")
    (lapse,) = give.json("member", "m-1")["wallets"]["points"]["expiring"]
    assert lapse == {"at": "2026-04-01T00:00:00+08:00", "points": 150}
    said = give.says("member", "m-1")
    assert "150 good until the end of 31 March 2026" in said
    assert "until the end of 31 December 2026; projected" in said
    simulated = give.says("simulate", "program.yaml", "--stored")
    assert "good until 150 the end of 31 March 2026" in " ".join(simulated.split())


def test_clock_moves_and_expires_what_falls_due(cafe: Giving) -> None:
    moved = cafe.json("clock", "--to", "2027-03-01T12:00:00Z")
    assert (moved["now"], moved["woken"]) == ("2027-03-01T12:00:00+00:00", 1)
    assert cafe.json("member", "m-1")["wallets"]["points"]["available"] == 60
    assert "clock_backwards" in cafe.fails("clock", "--to", "2026-01-01T00:00:00Z", code=1)


def test_a_key_is_shown_once_listed_and_revoked(cafe: Giving) -> None:
    made = cafe.json("key", "create", "--name", "till 7", "--source", "till-7", "--scope", "activities:write")
    assert made["key"].startswith("laurels_")
    assert (made["source"], made["scopes"]) == ("till-7", ["activities:write"])
    (listed,) = cafe.json("key", "list")
    assert listed == {name: value for name, value in made.items() if name != "key"}

    async def found() -> bool:
        database = await Database.open(cafe.url)
        try:
            return await find_key(database, made["key"]) is not None
        finally:
            await database.close()

    assert asyncio.run(found())
    cafe.says("key", "revoke", made["id"])
    assert not asyncio.run(found())
    assert cafe.fails("key", "revoke", made["id"], code=1)
    assert run("key", "create", "--scope", "everything").exit_code == 2
    assert run("key", "create", "--source", "laurels").exit_code == 2


def test_verify_says_that_all_is_well_or_names_what_differs(cafe: Giving) -> None:
    assert "Everything is as it must be: 2 members, 4 activities, 2 entries" in cafe.says("verify")
    owner(cafe, "update entry set points = 51 where points = 50")
    said = cafe.says("verify", code=1)
    assert "cafe, member m-1, activity 2 (import o-1), entry 0: entry.points the facts say otherwise" in said
    assert "stored:   51" in said
    assert "expected: 50" in said
    (found,) = cafe.json("verify", "--member", "m-1", code=1)["differences"]
    assert (found["table"], found["column"], found["entry"]) == ("entry", "points", 0)
    assert cafe.json("verify", "--member", "m-2")["clean"]
    assert "has no member nobody" in cafe.fails("verify", "--member", "nobody", code=1)


def test_rebuild_makes_damaged_state_anew_and_refuses_damaged_facts(cafe: Giving) -> None:
    owner(cafe, "update member set root = '{}' where id = 'm-1'")
    cafe.says("verify", code=1)
    assert cafe.json("rebuild")["cafe"]["changed"] == ["m-1"]
    assert cafe.json("verify")["clean"]
    owner(cafe, "update activity set facts = '[]' where member = 'm-1' and seq = 2")
    refused = cafe.json("rebuild", code=1)["cafe"]["refused"]
    assert [(each["member"], each["seq"], each["column"]) for each in refused] == [("m-1", 2, "facts")]


def test_where_there_are_several_programs_one_must_be_named(cafe: Giving) -> None:
    cafe.publish(PROGRAM.replace("program: cafe", "program: bar"))
    assert run("clock").exit_code == 2
    assert cafe.json("clock", "--program", "bar")["program"] == "bar"
    assert "There are: bar, cafe" in cafe.fails("clock", "--program", "pub", code=1)


def test_openapi_and_migrate(cafe: Giving) -> None:
    assert '"openapi": "3.1' in cafe.says("openapi")
    assert cafe.json("migrate") == {"applied": []}
