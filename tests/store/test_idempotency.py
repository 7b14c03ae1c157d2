"""Idempotency-Key: the first answer again, a clear no to another request, and no waiting for the dead."""

import asyncio

from laurels.clock import SetClock
from laurels.core.refusal import Refusal
from laurels.store.database import Database
from laurels.store.idempotency import DEAD_AFTER, Answer, abandon, begin, fingerprint, finish, forget
from laurels.store.programs import create_program
from tests.stage import asynchronous, instant

PRINT = fingerprint("POST", "/v1/program/versions", b"{}")
ANSWER = Answer(201, '{"number": 1}')


async def opened(url: str) -> tuple[Database, SetClock]:
    database, clock = await Database.open(url), SetClock(instant("2026-06-01"))
    await create_program(database, clock, "cafe", "live")
    return database, clock


@asynchronous
async def test_the_same_request_gets_the_first_answer_and_another_is_refused(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    assert await begin(database, clock, "cafe", "k", PRINT) is None
    assert await begin(database, clock, "cafe", "k", PRINT) == Refusal("still_running")
    await finish(database, clock, "cafe", "k", ANSWER)
    assert await begin(database, clock, "cafe", "k", PRINT) == ANSWER
    other = fingerprint("POST", "/v1/program/versions", b"{ }")
    assert await begin(database, clock, "cafe", "k", other) == Refusal("idempotency_conflict")
    assert await begin(database, clock, "cafe", "another", other) is None
    await database.close()


@asynchronous
async def test_of_many_at_once_one_has_the_key(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    answers = await asyncio.gather(*[begin(database, clock, "cafe", "k", PRINT) for _ in range(20)])
    assert answers.count(None) == 1
    assert answers.count(Refusal("still_running")) == 19
    await database.close()


@asynchronous
async def test_a_request_that_failed_frees_its_key_and_one_that_finished_does_not(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    await begin(database, clock, "cafe", "k", PRINT)
    await abandon(database, "cafe", "k")
    assert await begin(database, clock, "cafe", "k", PRINT) is None
    await finish(database, clock, "cafe", "k", ANSWER)
    await abandon(database, "cafe", "k")
    assert await begin(database, clock, "cafe", "k", PRINT) == ANSWER
    await database.close()


@asynchronous
async def test_a_request_that_died_keeps_its_key_for_a_while_only(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    await begin(database, clock, "cafe", "k", PRINT)
    clock.at += DEAD_AFTER
    assert await begin(database, clock, "cafe", "k", PRINT) == Refusal("still_running")
    clock.at += 1
    other = fingerprint("POST", "/v1/program/versions", b"{ }")
    assert await begin(database, clock, "cafe", "k", other) == Refusal("idempotency_conflict")
    assert await begin(database, clock, "cafe", "k", PRINT) is None
    assert await begin(database, clock, "cafe", "k", PRINT) == Refusal("still_running")
    await database.close()


@asynchronous
async def test_old_answers_can_be_thrown_away(laurels_url: str) -> None:
    database, clock = await opened(laurels_url)
    for key in ("a", "b"):
        await begin(database, clock, "cafe", key, PRINT)
        await finish(database, clock, "cafe", key, ANSWER)
        clock.at += 1_000_000
    assert await forget(database, instant("2026-06-01") + 1) == 1
    assert await begin(database, clock, "cafe", "b", PRINT) == ANSWER
    assert await begin(database, clock, "cafe", "a", PRINT) is None
    await database.close()
