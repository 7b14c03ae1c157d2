"""Programs and versions: numbered without gaps, immutable, announced in time."""

import asyncio

import pytest

from laurels.clock import SetClock
from laurels.core.refusal import Refusal
from laurels.store.database import Database
from laurels.store.digest import version_digest
from laurels.store.programs import (
    NOTICE,
    ProgramExists,
    StoredVersion,
    create_program,
    go_live,
    program_row,
    programs,
    publish,
    stored_versions,
)
from tests.stage import asynchronous, instant

NOW = instant("2026-06-01 12:00")


async def opened(url: str) -> tuple[Database, SetClock]:
    return await Database.open(url), SetClock(NOW)


@asynchronous
async def test_a_program_is_made_once(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    made = await create_program(database, clock, "cafe", "setup")
    assert await program_row(database, "cafe") == made
    assert await program_row(database, "bar") is None
    with pytest.raises(ProgramExists):
        await create_program(database, clock, "cafe", "live")
    await create_program(database, clock, "bar", "sandbox")
    assert [row.id for row in await programs(database)] == ["bar", "cafe"]
    await database.close()


@asynchronous
async def test_the_first_version_is_in_effect_from_the_beginning_and_numbers_have_no_gaps(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    await create_program(database, clock, "cafe", "live")
    first = await publish(database, clock, "cafe", "one")
    assert first == StoredVersion(1, 0, NOW, "one")
    too_soon = await publish(database, clock, "cafe", "two", NOW + NOTICE - 1)
    assert too_soon == Refusal("effective_too_soon", "It is 2026-06-01T12:00:00Z.")
    second = await publish(database, clock, "cafe", "two", NOW + NOTICE)
    assert second == StoredVersion(2, NOW + NOTICE, NOW, "two")
    assert await stored_versions(database, "cafe") == (first, second)
    assert await publish(database, clock, "nowhere", "one") is None
    await database.close()


@asynchronous
async def test_a_live_version_without_an_instant_takes_effect_as_soon_as_it_may(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    await create_program(database, clock, "cafe", "live")
    await publish(database, clock, "cafe", "one")
    second = await publish(database, clock, "cafe", "two")
    assert isinstance(second, StoredVersion)
    assert NOTICE < second.effective_at - NOW <= NOTICE + 1_000_000
    await database.close()


@asynchronous
async def test_where_the_clock_is_the_programs_own_a_version_may_be_in_effect_from_any_instant(
    laurels_url: str,
) -> None:
    database, clock = await opened(laurels_url)
    await create_program(database, clock, "cafe", "sandbox")
    await publish(database, clock, "cafe", "one")
    second = await publish(database, clock, "cafe", "two", instant("2017-01-01"))
    assert isinstance(second, StoredVersion)
    assert second.effective_at == instant("2017-01-01")
    await database.pool.execute("update program set clock = $1", instant("2017-05-05"))
    third = await publish(database, clock, "cafe", "three")
    assert isinstance(third, StoredVersion)
    assert third.effective_at == instant("2017-05-05")
    await database.close()


@asynchronous
async def test_publishing_at_once_numbers_each(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    await create_program(database, clock, "cafe", "setup")
    await asyncio.gather(*[publish(database, clock, "cafe", f"document {n}") for n in range(10)])
    versions = await stored_versions(database, "cafe")
    assert [version.number for version in versions] == list(range(1, 11))
    assert {version.document for version in versions} == {f"document {n}" for n in range(10)}
    await database.close()


@asynchronous
async def test_a_versions_row_carries_its_digest(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    await create_program(database, clock, "cafe", "setup")
    await publish(database, clock, "cafe", "name: 咖啡", 7)
    digest = await database.pool.fetchval("select digest from program_version")
    assert digest == version_digest("cafe", 1, 7, NOW, "name: 咖啡")
    await database.close()


@asynchronous
async def test_a_program_goes_live_once_and_not_while_its_clock_is_ahead(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    await create_program(database, clock, "cafe", "setup")
    await database.pool.execute("update program set clock = $1", instant("2026-07-01"))
    assert await go_live(database, clock, "cafe") == Refusal(
        "clock_backwards", "The program is at 2026-07-01T00:00:00Z."
    )
    clock.at = instant("2026-07-02")
    live = await go_live(database, clock, "cafe")
    assert live == await program_row(database, "cafe")
    assert not isinstance(live, Refusal | None)
    assert live.mode == "live"
    assert await go_live(database, clock, "cafe") is None
    await create_program(database, clock, "trial", "sandbox")
    assert await go_live(database, clock, "trial") is None
    await database.close()
