"""The worker wakes members of live programs, ends what was left open, and survives what goes wrong."""

import asyncio

import pytest

from laurels.clock import Clock
from laurels.core.calendar import MICROSECONDS_PER_DAY
from laurels.jobs import worker as work
from laurels.jobs.worker import KEYS_KEPT_DAYS, WOKEN_MOST, Worker
from laurels.store import codes
from laurels.store.codes import begin_batch, generate_share, open_batches
from laurels.store.database import Database
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


@asynchronous
async def test_codes_are_made_a_share_a_round_and_a_batch_that_fails_keeps_nobody_waiting(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "SHARE", 10)
    async with stage(laurels_url, mode="live", document=PROGRAM, now="2026-01-01") as here:
        for id in ("broken", "large", "small"):
            await begin_batch(here.database, here.clock, "cafe", id, "ten", wanted=25 if id == "large" else 5)
        assert await begin(here.database, here.clock, "cafe", "old", fingerprint("POST", "/", b"")) is None
        here.clock.at += (KEYS_KEPT_DAYS + 1) * MICROSECONDS_PER_DAY

        async def faltering(database: Database, clock: Clock, program: str, id: str) -> int | None:
            if id == "broken":
                raise ConnectionError("the database is away")
            return await generate_share(database, clock, program, id)

        monkeypatch.setattr(work, "generate_share", faltering)
        errors: list[int] = []
        worker = worker_of(here, on_error=lambda: errors.append(1))
        rounds = [await worker.round() for _ in range(4)]
        assert [(each.coded, each.forgotten, each.is_idle) for each in rounds] == [
            (2, 1, False),
            (1, 0, False),
            (1, 0, False),
            (0, 0, True),
        ]
        assert len(errors) == 4
        made = await here.database.pool.fetch("select id, made from code_batch order by id")
        assert [tuple(row) for row in made] == [("broken", 0), ("large", 25), ("small", 5)]


@asynchronous
async def test_worker_does_not_pause_while_codes_are_waited_for(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "SHARE", 10)
    async with stage(laurels_url, mode="live", document=PROGRAM, now="2026-01-01") as here:
        await begin_batch(here.database, here.clock, "cafe", "b", "ten", wanted=45)
        worker = Worker(here.database, here.intake, here.clock, every_seconds=3600)

        async def stopping(database: Database) -> list[tuple[str, str]]:
            found = await open_batches(database)
            if not found:
                worker.stop()
            return found

        monkeypatch.setattr(work, "open_batches", stopping)
        await asyncio.wait_for(worker.work(), 10)
        assert await here.count("code") == 45
