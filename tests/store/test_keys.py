"""API keys: shown once, stored as a digest, bound to a program and a source, revocable."""

import pytest

from laurels.clock import SetClock
from laurels.store.database import Database
from laurels.store.keys import PREFIX, create_key, find_key, keys_of, revoke_key
from laurels.store.programs import create_program
from tests.stage import asynchronous, instant


async def opened(url: str) -> tuple[Database, SetClock]:
    database, clock = await Database.open(url), SetClock(instant("2026-06-01"))
    await create_program(database, clock, "cafe", "live")
    return database, clock


@asynchronous
async def test_a_key_is_found_by_its_secret_which_is_stored_nowhere(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    secret, key = await create_key(database, clock, "cafe", "pos", "till 7", {"activities:write", "members:read"})
    assert secret.startswith(PREFIX)
    assert len(secret) >= len(PREFIX) + 43  # 256 bits
    assert key.scopes == ("activities:write", "members:read")
    assert await find_key(database, secret) == key
    assert await find_key(database, secret + "x") is None
    row = await database.pool.fetchval("select k::text from api_key k")
    assert secret not in row
    assert secret.removeprefix(PREFIX) not in row
    other, _key = await create_key(database, clock, "cafe", "pos", "till 8", ())
    assert other != secret
    await database.close()


@asynchronous
async def test_a_revoked_key_opens_nothing_and_is_still_listed(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    secret, key = await create_key(database, clock, "cafe", "pos", "till 7", ())
    assert not await revoke_key(database, clock, "bar", key.id)
    assert await revoke_key(database, clock, "cafe", key.id)
    assert not await revoke_key(database, clock, "cafe", key.id)
    assert await find_key(database, secret) is None
    (listed,) = await keys_of(database, "cafe")
    assert (listed.id, listed.revoked_at) == (key.id, clock.at)
    await database.close()


@pytest.mark.parametrize(
    "source", ["laurels", "laurels.redemptions", "laurels.", "", "a/b", "a b", "x" * 101, "-", "咖啡"]
)
@asynchronous
async def test_a_source_that_could_be_taken_for_another_is_refused(laurels_url: str, source: str) -> None:
    database, clock = await opened(laurels_url)
    with pytest.raises(ValueError, match="cannot be a source"):
        await create_key(database, clock, "cafe", source, "till 7", ())
    await database.close()


@pytest.mark.parametrize("source", ["laurelsian", "my.laurels", "laurels-pos"])
@asynchronous
async def test_a_source_that_merely_resembles_the_reserved_one_is_taken(laurels_url: str, source: str) -> None:
    database, clock = await opened(laurels_url)
    _secret, key = await create_key(database, clock, "cafe", source, "till 7", ())
    assert key.source == source
    await database.close()
