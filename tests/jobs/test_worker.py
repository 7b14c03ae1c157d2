"""The worker wakes members of live programs, ends what was left open, and survives what goes wrong."""

import asyncio

import pytest

from laurels.core.calendar import MICROSECONDS_PER_DAY
from laurels.jobs.worker import KEYS_KEPT_DAYS, WOKEN_MOST, Worker
from laurels.store.idempotency import begin, fingerprint
from tests.jobs.conftest import PROGRAM
from tests.stage import Stage, asynchronous, instant, stage


def worker_of(here: Stage, **more: object) -> Worker:
    return Worker(here.database, here.intake, here.clock, every_seconds=1, **more)  # type: ignore[arg-type]  # the callbacks are what they are


@asynchronous
async def test_round_wakes_whoever_is_due_and_nobody_twice(laurels_url: str) -> None:
    async with stage(laurels_url, mode="live", document=PROGRAM, now="2026-01-01") as here:
        await here.enrol("m-1", "m-2", "m-3")
        for member in ("m-1", "m-2"):
            await here.give(member, 10, at="2026-01-01")
        worker = worker_of(here)
        assert (await worker.round()).is_idle
        # Points last a day.
        here.clock.at = instant("2026-01-03")
        assert (await worker.round()).woken == 2
        assert (await worker.round()).is_idle
        expired = await here.database.pool.fetch("select member, at from entry where kind = 'expiry' order by member")
        assert [(row["member"], row["at"]) for row in expired] == [
            ("m-1", instant("2026-01-02")),
            ("m-2", instant("2026-01-02")),
        ]


@asynchronous
async def test_two_workers_wake_a_member_once(laurels_url: str) -> None:
    async with (
        stage(laurels_url, mode="live", document=PROGRAM, now="2026-01-01") as here,
        stage(laurels_url, mode="live", now="2026-01-03") as there,
    ):
        for n in range(20):
            await here.enrol(f"m-{n}")
            await here.give(f"m-{n}", 10, at="2026-01-01")
        here.clock.at = instant("2026-01-03")
        rounds = await asyncio.gather(worker_of(here).round(), worker_of(there).round())
        assert sum(each.woken for each in rounds) == 20
        assert await here.database.pool.fetchval("select count(*) from entry where kind = 'expiry'") == 20
        assert WOKEN_MOST > 20


@asynchronous
async def test_program_with_a_clock_of_its_own_is_left_alone(laurels_url: str) -> None:
    async with stage(laurels_url, mode="sandbox", document=PROGRAM, now="2026-06-01") as here:
        await here.enrol("m-1")
        await here.give("m-1", 10, at="2026-01-01")
        assert (await worker_of(here).round()).is_idle
        assert await here.count("activity") == 2


@asynchronous
async def test_old_keys_are_forgotten_and_young_ones_are_not(laurels_url: str) -> None:
    async with stage(laurels_url, mode="live", document=PROGRAM, now="2026-01-01") as here:
        for key in ("old", "young"):
            assert await begin(here.database, here.clock, "cafe", key, fingerprint("POST", "/", b"")) is None
            here.clock.at += 2 * MICROSECONDS_PER_DAY
        here.clock.at += (KEYS_KEPT_DAYS - 3) * MICROSECONDS_PER_DAY
        assert (await worker_of(here).round()).forgotten == 1
        assert await here.database.pool.fetchval("select key from idempotency") == "young"


@asynchronous
async def test_worker_goes_on_after_a_round_that_failed(laurels_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(laurels_url, mode="live", document=PROGRAM, now="2026-01-01") as here:
        errors: list[int] = []
        done: list[int] = []
        sweep = here.intake.sweep

        async def faltering(program: str, limit: int) -> int:
            if not errors:
                raise ConnectionError("the database is away")
            done.append(await sweep(program, limit))
            worker.stop()
            return 0

        monkeypatch.setattr(here.intake, "sweep", faltering)
        worker = worker_of(here, on_error=lambda: errors.append(1))
        await asyncio.wait_for(worker.work(), 10)
        assert (errors, done) == ([1], [0])
