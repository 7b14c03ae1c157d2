"""member, key, clock, verify and rebuild: looking after a program."""

import asyncio

import asyncpg
import pytest

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
    said = cafe.says("member", "m-1", "--entries", "1")
    assert "110 available" in said
    assert "import o-2" in said
    assert "o-1" not in said
    assert "has no member nobody" in cafe.fails("member", "nobody", code=1)


def test_clock_moves_and_expires_what_falls_due(cafe: Giving) -> None:
    moved = cafe.json("clock", "--to", "2027-03-01T12:00:00Z")
    assert (moved["now"], moved["woken"]) == ("2027-03-01T12:00:00Z", 1)
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
