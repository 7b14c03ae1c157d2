"""The network goes silent in the middle of a batch: nothing is closed, nothing is said. No lane waits for it for ever.

What is waited for is as short here as the tests need it; the claim is that waiting ends, and that what was sent is
recorded once wherever the silence fell.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from time import monotonic

import asyncpg
import pytest

from laurels.intake.submission import Unavailable
from laurels.store.database import PATIENCE_SECONDS, Database
from laurels.store.outage import OUTAGES
from tests.faults.audit import audit
from tests.faults.proxy import Wire, wire_to
from tests.faults.test_cuts import COMMIT_BYTES, Cutting
from tests.stage import PROGRAM, asynchronous, stage

SEED = 701
PATIENCE = 1


@asynccontextmanager
async def waiting(url: str, seconds: int | None) -> AsyncIterator[Cutting]:
    """A stage whose lane speaks over a wire, and waits so long for an answer."""
    async with wire_to(url) as (wire, wired), stage(url, document=PROGRAM, lanes=1) as here:
        each = Cutting(here, wire)
        await each.enrol()
        await here.intake._settlers[0].close()
        here.database._url = wired
        here.database._patience_seconds = seconds
        yield each


def at_bytes(size: int, commit: int) -> list[int]:
    """Some places in the middle, and some around COMMIT."""
    return [*sorted(Random(SEED).sample(range(size - commit), 2)), size - commit, size - 5, size - 1]


@asynchronous
async def test_a_batch_that_the_network_swallows_is_tried_again_and_recorded_once(url: str) -> None:
    async with waiting(url, PATIENCE) as cut:
        size = await cut.size()
        for direction in ("up", "down"):
            for after in at_bytes(size[direction], COMMIT_BYTES[direction]):
                await cut.buy_next()
                cut.wire.stall(after, direction)
                began = monotonic()
                await cut.buy_next()
                assert PATIENCE <= monotonic() - began < 20 * PATIENCE
    assert cut.wire.stalls == 10
    # COMMIT arrived, and only its answer did not.
    assert cut.books.heard["replayed"] == 3
    await audit(url, cut.books)


@asynchronous
async def test_a_silence_that_lasts_is_said_to_the_sender(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laurels.intake.settling.PAUSES_MS", ())
    async with waiting(url, PATIENCE) as cut:
        await cut.buy_next()
        cut.wire.stall(0, "up")
        with pytest.raises(Unavailable):
            await cut.buy_next()
        assert (await cut.buy()).status == "accepted"


@asynchronous
async def test_without_a_bound_the_lane_would_wait_for_ever(url: str) -> None:
    async with waiting(url, None) as cut:
        await cut.buy_next()
        cut.wire.stall(0, "up")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3 * PATIENCE):
                await cut.buy_next()
        cut.wire.break_all()


async def ask(wire: Wire, database: Database) -> None:
    assert await database.pool.fetchval("select 1") == 1
    wire.stall(0, "down")
    await database.pool.fetchval("select 1")


@asynchronous
async def test_readers_do_not_wait_for_ever_either(url: str) -> None:
    async with wire_to(url) as (wire, wired):
        database = await Database.open(wired, connections_most=1, patience_seconds=PATIENCE)
        async with asyncio.timeout(20 * PATIENCE):
            with pytest.raises(OUTAGES):
                await ask(wire, database)
            # The only connection there may be is another one.
            assert await database.pool.fetchval("select 1") == 1
        await database.close()


@asynchronous
async def test_the_server_gives_up_a_statement_of_the_write_path_before_anybody_stops_listening(url: str) -> None:
    """So that an answer is lost to the network alone."""
    database = await Database.open(url, connections_most=1)
    hot = await database.connect_hot()
    try:
        for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
            limit_ms = await hot.fetchval("select setting::int from pg_settings where name = $1", setting)
            assert 0 < limit_ms < 1000 * PATIENCE_SECONDS
        with pytest.raises(asyncpg.QueryCanceledError):
            await hot.execute("set statement_timeout = 50; select pg_sleep(1)")
    finally:
        await hot.close()
        await database.close()
