"""Rebuild makes state anew from facts, and leaves alone what it cannot vouch for."""

import asyncpg
import pytest

from laurels.clock import RealClock
from laurels.proof.rebuilding import rebuild
from laurels.proof.verifying import verify
from tests.proof.life import PROGRAM, live
from tests.stage import asynchronous, purchase, stage

DAMAGE = (
    "update member set root = '{}'",
    "update member set seq = 99, wake_at = 7",
    "delete from member where id = 'bob'",
    "delete from state",
    "update state set document = '[]' where key like 'lots/%'",
    "update state set bucket = bucket # 1",
    "insert into state select program, member, 'order/made-up', bucket, '{}' from state limit 1",
    "insert into state select program, 'nobody', key, bucket, document from state limit 1",
    "update pool set used = 1",
    "delete from pool",
)


@pytest.mark.parametrize("damage", DAMAGE)
@asynchronous
async def test_damaged_state_is_made_anew_from_the_facts(laurels_url: str, damage: str) -> None:
    async with stage(laurels_url, document=PROGRAM, now="2026-01-01") as here:
        await live(here)
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        await owner.execute(damage)
        await owner.close()
        assert not (await verify(here.url, here.database, RealClock())).is_clean
        rebuilt = await rebuild(here.database, "cafe")
        assert rebuilt.refused == []
        assert rebuilt.changed or rebuilt.pools or "nobody" in damage
        assert (await verify(here.url, here.database, RealClock())).differences == []
        # And life goes on upon it.
        outcome = await here.send("purchase", "bob", purchase("after", "10.00"), at="2026-07-02")
        assert outcome.status == "accepted"
        assert (await verify(here.url, here.database, RealClock())).differences == []


@asynchronous
async def test_state_that_is_right_is_not_written(laurels_url: str) -> None:
    async with stage(laurels_url, document=PROGRAM, now="2026-01-01") as here:
        await live(here)
        rebuilt = await rebuild(here.database, "cafe")
        assert (rebuilt.members, rebuilt.changed, rebuilt.pools, rebuilt.refused) == (3, [], [], [])


@asynchronous
async def test_a_member_whose_facts_differ_is_refused_and_left_alone(laurels_url: str) -> None:
    async with stage(laurels_url, document=PROGRAM, now="2026-01-01") as here:
        await live(here)
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        await owner.execute("update activity set facts = replace(facts, '20', '21') where member = 'bob' and seq = 1")
        await owner.execute("update member set root = '{}' where id in ('ann', 'bob')")
        rebuilt = await rebuild(here.database, "cafe")
        assert {(each.table, each.column, each.member, each.seq) for each in rebuilt.refused} == {
            ("activity", "facts", "bob", 1)
        }
        assert rebuilt.changed == ["ann"]
        assert await owner.fetchval("select root from member where id = 'bob'") == "{}"
        await owner.close()


@asynchronous
async def test_one_member_is_made_anew_alone(laurels_url: str) -> None:
    async with stage(laurels_url, document=PROGRAM, now="2026-01-01") as here:
        await live(here)
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        await owner.execute("update member set root = '{}'")
        assert (await rebuild(here.database, "cafe", "cy")).changed == ["cy"]
        assert await owner.fetchval("select count(*) from member where root = '{}'") == 2
        await owner.close()


@asynchronous
async def test_a_member_that_goes_over_pages_is_made_anew_whole(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurels.proof.rebuilding.PAGE", 2)
    async with stage(laurels_url, document=PROGRAM, now="2026-01-01") as here:
        await live(here)
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        await owner.execute("update member set root = '{}'")
        await owner.close()
        assert (await rebuild(here.database, "cafe")).changed == ["ann", "bob", "cy"]
        assert (await verify(here.url, here.database, RealClock())).differences == []
