"""Killed under load: PostgreSQL, the server, and a server that moves a clock. Nothing answered is lost or doubled.

The import that is killed is in tests/cli/test_import.py.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import asyncpg
import httpx
import pytest

from tests.faults.audit import audit
from tests.faults.audit_offers import PROGRAM as OFFERS
from tests.faults.audit_offers import audit_offers
from tests.faults.cluster import Cluster, cluster_in
from tests.faults.load import Shop, open_shop, until
from tests.faults.serving import Serving, serving
from tests.faults.stall import Stall, import_list
from tests.postgres import drop_database
from tests.stage import asynchronous, laurels_database

DEEP = bool(os.environ.get("LAURELS_DEEP"))
PROCESSES = (1, 2) if DEEP else (1,)
DEATHS = 25 if DEEP else 2
BETWEEN = (30, 90)
"""Activities that are answered between two deaths."""
DAYS = 9 if DEEP else 3
TILLS = 8


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_in(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def url(cluster: Cluster) -> Iterator[str]:
    url = laurels_database(cluster.server)
    yield url
    drop_database(cluster.server, url)


async def under_load(shop: Shop, fault: Callable[[], None], chance: Random) -> None:
    """Business as usual while the fault strikes again and again, each time after some more was answered."""
    strikes, due = 0, 0
    over = False

    def ready() -> bool:
        return len(shop.books.acknowledged) >= due

    async def strike() -> None:
        nonlocal strikes, due, over
        while strikes < DEATHS:
            due = len(shop.books.acknowledged) + chance.randrange(*BETWEEN)
            await until(ready)
            await asyncio.to_thread(fault)
            strikes += 1
        due = len(shop.books.acknowledged) + BETWEEN[0]
        await until(ready)
        over = True

    async with asyncio.TaskGroup() as group:
        group.create_task(strike())
        group.create_task(shop.trade(TILLS, lambda: over))


@pytest.mark.parametrize("processes", PROCESSES)
@asynchronous
async def test_postgresql_killed_under_load_loses_and_doubles_nothing(
    cluster: Cluster, url: str, tmp_path: Path, processes: int
) -> None:
    seed = 101 + processes
    print(f"seed {seed}")
    secret = await open_shop(url)

    def die() -> None:
        cluster.kill()
        time.sleep(0.2)
        cluster.start()

    with serving(url, tmp_path / "log", LAURELS_PROCESSES=str(processes)) as server:
        await asyncio.to_thread(server.wait_until_ready)
        shop = Shop([server.address], secret, seed, keyed=DEEP)
        await shop.enrol()
        await under_load(shop, die, Random(seed))
        # It serves again by itself, and nobody had to start it anew.
        await asyncio.to_thread(server.wait_until_ready)
    print(f"{DEATHS} deaths of PostgreSQL, {processes} processes: {dict(shop.books.heard)}")
    await audit(url, shop.books)


@pytest.mark.parametrize("processes", PROCESSES)
@asynchronous
async def test_server_killed_under_load_loses_and_doubles_nothing(url: str, tmp_path: Path, processes: int) -> None:
    seed = 201 + processes
    print(f"seed {seed}")
    secret = await open_shop(url)
    with serving(url, tmp_path / "log", LAURELS_PROCESSES=str(processes)) as server:
        await asyncio.to_thread(server.wait_until_ready)
        shop = Shop([server.address], secret, seed, keyed=DEEP)
        await shop.enrol()

        def die() -> None:
            server.kill()
            server.start()

        await under_load(shop, die, Random(seed))
        await asyncio.to_thread(server.wait_until_ready)
        await settled(url)
    print(f"{DEATHS} deaths of the server, {processes} processes: {dict(shop.books.heard)}")
    assert shop.books.heard["silence"], "nobody noticed"
    await audit(url, shop.books)


@pytest.mark.parametrize("processes", PROCESSES)
@asynchronous
async def test_server_and_postgresql_killed_in_turns_give_no_piece_no_code_and_no_prize_twice(
    cluster: Cluster, url: str, tmp_path: Path, processes: int
) -> None:
    seed = 401 + processes
    print(f"seed {seed}")
    secret = await open_shop(url, document=OFFERS)
    await import_list(url)
    with serving(url, tmp_path / "log", LAURELS_PROCESSES=str(processes)) as server:
        await asyncio.to_thread(server.wait_until_ready)
        stall = Stall([server.address], secret, seed)
        await stall.enrol()
        turns = itertools.cycle((False, True))

        def die() -> None:
            if next(turns):
                cluster.kill()
                cluster.start()
            else:
                server.kill()
                server.start()

        await under_load(stall, die, Random(seed))
        await asyncio.to_thread(server.wait_until_ready)
        repeated = await stall.repeat()
    print(f"{DEATHS} deaths, {processes} processes: {dict(stall.books.heard)}, {repeated} answered the same again")
    assert stall.books.heard["silence"], "nobody noticed"
    await audit_offers(url, stall.books)


async def settled(url: str) -> None:
    """What was on its way between members when a process died has arrived."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    try:
        for _ in range(400):
            if not await connection.fetchval("select count(*) from outbox where status in ('pending', 'returning')"):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("a follow-up is never brought to an end")
    finally:
        await connection.close()


SHORT_LIVED = """
program: cafe
time_zone: UTC
currency: CNY
wallets:
  points: {pending: 2D, expires: {after: 10D}}
  stars: {spendable: false}
campaigns:
  base: {on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}
"""


@asynchronous
async def test_a_clock_move_killed_under_load_is_finished_by_the_next_and_nothing_falls_due_twice(
    url: str, tmp_path: Path
) -> None:
    seed, members = 301, 400 if DEEP else 150
    print(f"seed {seed}")
    secret = await open_shop(url, document=SHORT_LIVED, mode="sandbox")
    deaths = 0
    with serving(url, tmp_path / "log") as server:
        shop = Shop([server.address], secret, seed)
        await shop.enrol("2026-01-01T00:00:00Z", members)
        headers = {"Authorization": f"Bearer {secret}"}
        for day in range(1, DAYS + 1):
            await asyncio.to_thread(buy, server, headers, shop, members, day)
        moved = {"now": "2026-03-01T00:00:00Z"}
        # What was bought on a day expires on a day: waves, between which the server dies.
        for wave in range(1, DAYS):
            asked = asyncio.create_task(asyncio.to_thread(move, server, headers, moved))
            await recorded(url, wave * members)
            await asyncio.to_thread(server.kill)
            deaths += not await asked
            await asyncio.to_thread(server.start)
        assert await asyncio.to_thread(move, server, headers, moved)
    print(f"{deaths} deaths while the clock moved")
    assert deaths >= 1
    await audit(url, shop.books)
    connection = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    sums = await connection.fetch(
        "select kind, sum(points)::bigint as points, count(*) as entries from entry group by kind order by kind"
    )
    await connection.close()
    due = sum(points or 0 for points in shop.books.sent.values())
    # Each was earned, became available and expired: once.
    assert {row["kind"]: (row["points"], row["entries"]) for row in sums} == {
        "accrual": (due, DAYS * members), "activation": (due, DAYS * members), "expiry": (due, DAYS * members),
    }  # fmt: skip


def buy(server: Serving, headers: dict[str, str], shop: Shop, members: int, day: int) -> None:
    """A purchase of every member on that day."""
    activities = []
    for n in range(members):
        id = f"day-{day}-{n}"
        shop.books.sent[id] = day
        shop.books.acknowledged.add(id)
        data = {"order": id, "lines": [{"line": "1", "amount": f"{day}.00"}]}
        at = f"2026-01-0{day}T10:{n % 60:02}:00Z"
        activities.append({"id": id, "type": "purchase", "member": f"m-{n}", "occurred_at": at, "data": data})
    activities.sort(key=lambda each: str(each["occurred_at"]))
    answered = httpx.post(
        f"{server.address}/v1/activities", json={"activities": activities}, headers=headers, timeout=60
    )
    assert {each["status"] for each in answered.json()["activities"]} == {"accepted"}


def move(server: Serving, headers: dict[str, str], moved: dict[str, str]) -> bool:
    """Whether the clock was moved to its end; not if the server died on the way."""
    try:
        answered = httpx.post(f"{server.address}/v1/clock", json=moved, headers=headers, timeout=60)
    except httpx.TransportError:
        return False
    assert answered.status_code == 200, answered.text
    return True


async def recorded(url: str, count: int) -> None:
    """Returns when so many have been woken by the clock."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    try:
        for _ in range(60_000):
            if await connection.fetchval("select count(*) from activity where type = 'clock'") >= count:
                return
            await asyncio.sleep(0.001)
        raise AssertionError("the clock does not move")
    finally:
        await connection.close()
