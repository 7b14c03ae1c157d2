"""Codes that are nobody's: batches that go on, several makers at once, and a proof that none was taken too often."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from laurels.clock import SetClock
from laurels.core.calendar import parse_instant
from laurels.core.case import Code
from laurels.core.code import is_made
from laurels.proof.whole import judge_codes
from laurels.store import codes, revoking
from laurels.store.codes import OtherBatch, OtherList
from laurels.store.database import Database
from laurels.store.programs import create_program
from tests.stage import asynchronous

CLOCK = SetClock(parse_instant("2026-03-01T00:00:00Z"))


async def opened(url: str) -> Database:
    database = await Database.open(url)
    await create_program(database, CLOCK, "shop", "sandbox")
    return database


@asynchronous
async def test_several_who_make_one_batch_at_once_make_each_code_once(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "SHARE", 50)
    database = await opened(laurels_url)
    await codes.begin_batch(database, CLOCK, "shop", "b", "ten", wanted=420, uses=None, expires_at=9)
    made = await asyncio.gather(*[codes.generate(database, CLOCK, "shop", "b") for _ in range(4)])
    assert {(each.made, each.seed) for each in made} == {(420, None)}
    found = await codes.codes_of_batch(database, "shop", 1)
    assert len({code for code, _ in found}) == 420
    assert all(is_made(code) and taken == 0 for code, taken in found)
    async with database.pool.acquire() as connection:
        assert await codes.read_codes(connection, "shop", [found[0][0]]) == {found[0][0]: Code("ten", None, 9)}
    assert await codes.open_batches(database) == []
    await database.close()


@asynchronous
async def test_a_batch_of_the_same_name_is_the_same_batch_or_refused(laurels_url: str) -> None:
    database = await opened(laurels_url)
    first = await codes.begin_batch(database, CLOCK, "shop", "b", "ten", wanted=5)
    assert await codes.begin_batch(database, CLOCK, "shop", "b", "ten", wanted=5) == first
    with pytest.raises(OtherBatch):
        await codes.begin_batch(database, CLOCK, "shop", "b", "ten", wanted=6)
    other = await codes.begin_batch(database, CLOCK, "shop", "c", "ten", wanted=6)
    assert (first.number, other.number) == (1, 2)
    assert await codes.open_batches(database) == [("shop", "b"), ("shop", "c")]
    await database.close()


@asynchronous
async def test_a_code_that_was_taken_too_often_or_is_in_no_batch_is_found(laurels_url: str) -> None:
    database = await opened(laurels_url)
    await codes.begin_batch(database, CLOCK, "shop", "b", "ten", wanted=None)
    await codes.import_codes(database, CLOCK, "shop", "b", ["ONE", "TWO"])
    async with database.pool.acquire() as connection:
        put = "insert into pool (program, id, used) values ('shop', $1, $2)"
        await connection.execute(put, "code/ONE", 1)
        assert await judge_codes(connection, "shop") == []
        await connection.execute(put, "code/TWO", 2)
        await connection.execute(put, "code/NONE", 1)
        found = {each.key: (each.stored, each.expected) for each in await judge_codes(connection, "shop")}
    assert found == {"code/TWO": ("2", "at most 1"), "code/NONE": ("1", "")}
    await database.close()


@asynchronous
async def test_a_list_goes_on_where_it_stopped_and_another_one_loses_no_row_unsaid(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "SHARE", 2)
    database = await opened(laurels_url)
    await codes.begin_batch(database, CLOCK, "shop", "b", "ten", wanted=None)
    rows = ["ONE", "?", "TWO", "TWO", "THREE"]

    def cut() -> Iterator[str]:
        yield from rows[:4]
        raise OSError("the file is away")

    with pytest.raises(OSError, match="away"):
        await codes.import_codes(database, CLOCK, "shop", "b", cut())
    # Shorter, other, and in another order: none of them is the list of which four rows are in.
    for other in (["ONE"], ["ONE", "?", "TWO", "FOUR", "FIVE"], ["?", "ONE", "TWO", "TWO"], []):
        with pytest.raises(OtherList):
            await codes.import_codes(database, CLOCK, "shop", "b", other)
    done, counted = await codes.import_codes(database, CLOCK, "shop", "b", rows)
    assert (done.made, done.position, counted) == (3, 5, codes.Imported(1, 0, 0))
    assert (await codes.import_codes(database, CLOCK, "shop", "b", rows))[1] == codes.Imported()
    with pytest.raises(OtherList):
        await codes.import_codes(database, CLOCK, "shop", "b", ["SIX", "SEVEN", "EIGHT", "NINE", "TEN", "ELEVEN"])
    longer, counted = await codes.import_codes(database, CLOCK, "shop", "b", [*rows, "FOUR"])
    assert (longer.made, longer.finished_at, counted.codes) == (4, done.finished_at, 1)
    await database.close()


@asynchronous
async def test_of_two_lists_that_go_in_at_once_under_one_name_one_is_refused(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "SHARE", 10)
    database = await opened(laurels_url)
    await codes.begin_batch(database, CLOCK, "shop", "b", "ten", wanted=None)
    lists = [[f"{letter}{n}X" for n in range(40)] for letter in "AB"]
    came = await asyncio.gather(
        *[codes.import_codes(database, CLOCK, "shop", "b", each) for each in lists], return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in came) == ["OtherList", "tuple"]
    kept = {code for code, _ in await codes.codes_of_batch(database, "shop", 1)}
    assert [set(each) & kept for each in lists if set(each) & kept] == [kept]
    await database.close()


@asynchronous
async def test_codes_are_made_with_one_connection(laurels_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "SHARE", 5)
    database = await Database.open(laurels_url, connections_most=1)
    await create_program(database, CLOCK, "shop", "sandbox")
    await codes.begin_batch(database, CLOCK, "shop", "b", "ten", wanted=12)
    told: list[int] = []
    done = await asyncio.wait_for(codes.generate(database, CLOCK, "shop", "b", told.append), 10)
    assert (done.made, told) == (12, [5, 10, 12])
    await database.close()


@asynchronous
async def test_a_revocation_waits_for_those_who_decide_about_its_codes_and_others_wait_for_it(
    laurels_url: str,
) -> None:
    database = await opened(laurels_url)
    await codes.begin_batch(database, CLOCK, "shop", "b", "ten", wanted=None)
    await codes.import_codes(database, CLOCK, "shop", "b", ["CODE-1"])
    async with database.pool.acquire() as first, database.pool.acquire() as second:
        begun, after = first.transaction(), second.transaction()
        await begun.start()
        await revoking.hold_back_revocation(first, "shop", ["CODE1", "NONE"])
        assert not (await codes.read_codes(first, "shop", ["CODE1"]))["CODE1"].revoked
        revoked = asyncio.create_task(revoking.revoke(database, CLOCK, "shop", 1, "leaked", "office"))
        await asyncio.sleep(0.1)
        # Who comes later does not overtake it, so that it is not kept waiting for ever.
        await after.start()
        later = asyncio.create_task(revoking.hold_back_revocation(second, "shop", ["CODE1"]))
        await asyncio.sleep(0.1)
        assert not revoked.done()
        assert not later.done()
        await begun.commit()
        assert (await revoked).reason == "leaked"
        await later
        assert (await codes.read_codes(second, "shop", ["CODE1"]))["CODE1"].revoked
        await after.commit()
    again = await revoking.revoke(database, CLOCK, "shop", 1, "another reason", "office")
    assert again.reason == "leaked"
    await database.close()
