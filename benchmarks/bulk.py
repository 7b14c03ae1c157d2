"""A thousand activities a request, and `laurels import`, beside the same rows written by hand with arrays.

By hand: two connections, each a transaction of a thousand purchases after another. It locks the members, probes the
ids, and inserts each table's rows in one statement over `unnest`. What the purchases earn was decided beforehand, and
all but numbers and places of the rows is made before the clock starts.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any, Final

import asyncpg
import msgspec

from benchmarks.ground import HOME, PROGRAM, ROOT, Copy, serving
from benchmarks.measure import Contest, Play, Report, Turn
from benchmarks.online import Bench, rows_each
from benchmarks.requests import bought, envelope
from benchmarks.transaction import POOL, SESSION, Shape

SIZE: Final = 1000
CONNECTIONS: Final = 2
IMPORTED: Final = 3000
"""Activities in a file for each second of a turn."""

TEXTS: Final = ("body", "facts", "circumstances", "digest")

LOCK: Final = """
select id, seq + 1 as seq, bucket from unnest($1::text[]) as w (id)
join member m using (id) where m.program = 'workload' order by id for update of m
"""
PROBE: Final = "select id from activity where program = 'workload' and source = 'pos' and id = any ($1::text[])"
ACTIVITIES: Final = """
insert into activity
  (program, member, seq, bucket, source, id, type, occurred_at, recorded_at, engine, version, known, body, facts,
   circumstances, digest)
select 'workload', member, seq, bucket, 'pos', id, 'purchase', at, at, 1, 1, 1, body, facts, circumstances, digest
from unnest($1::text[], $2::bigint[], $3::smallint[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
            $9::bytea[]) as w (member, seq, bucket, id, at, body, facts, circumstances, digest)
"""
ENTRIES: Final = """
insert into entry
  (program, member, seq, n, bucket, wallet, kind, points, out_of, into_account, at, version, campaign, rule, order_id,
   lot, available_at, expires_at, detail)
select 'workload', member, seq, n, bucket, 'points', 'accrual', points, 'issuance', 'pending', at, 1, campaign, rule,
       id, seq || '.0', at, at, detail
from unnest($1::text[], $2::bigint[], $3::integer[], $4::smallint[], $5::bigint[], $6::bigint[], $7::text[],
            $8::text[], $9::text[], $10::text[]) as w (member, seq, n, bucket, points, at, campaign, rule, id, detail)
"""
STATE: Final = """
insert into state (program, member, key, bucket, document)
select 'workload', * from unnest($1::text[], $2::text[], $3::smallint[], $4::text[])
on conflict (program, member, key, bucket) do update set document = excluded.document
"""
MEMBERS: Final = """
insert into member (program, id, bucket, seq, root, wake_at)
select 'workload', * from unnest($1::text[], $2::smallint[], $3::bigint[], $4::text[], $5::bigint[])
on conflict (program, id, bucket) do update
set seq = excluded.seq, root = excluded.root, wake_at = excluded.wake_at
"""
CLAIM: Final = "update pool set used = used + $2 where program = 'workload' and id = $1"


def bulk(bench: Bench) -> Report:
    """A thousand a request and imports, beside arrays by hand."""
    members = bench.options.members
    found = bench.shapes(members)
    contest = Contest(bench.options, bench.say)
    with ExitStack() as stack:
        template = bench.ground.template(members)
        copies = {name: bench.ground.copy(name, template) for name in ("bulk", "unnest", "import")}
        stack.callback(bench.ground.drop, *copies.values())
        server = stack.enter_context(serving(copies["bulk"]))
        contest.add(
            "bulk",
            "1,000 activities a request, 2 connections",
            bench.over_http(server, members, connections=CONNECTIONS, maker="batches", each=SIZE),
        )
        contest.add("unnest", "the same rows by hand, 2 connections", _by_hand(bench, copies["unnest"], found, members))
        contest.add("import", "laurels import of an NDJSON file", _imports(bench, copies["import"], members))
        before = {name: bench.ground.rows(copy) for name, copy in copies.items()}
        contest.run()
        rows = rows_each(bench.ground, copies, before)
    return Report(
        [
            contest.ratio(
                "bulk_vs_unnest", "1,000 a request, beside unnest by hand", "bulk", "unnest", "at least", 0.5
            ),
            contest.ratio("import_vs_bulk", "laurels import, beside that", "import", "bulk", "at least", 1),
        ],
        [contest.contender(name, rows[name]) for name in copies],
    )


# --- by hand ---


class Load(msgspec.Struct):
    """A thousand purchases, all of them written but for each member's number and place."""

    members: list[str]
    shapes: list[Shape]
    ids: list[str]
    texts: tuple[list[Any], ...]


def _by_hand(bench: Bench, copy: Copy, found: list[Shape], members: int) -> Play:
    def play(mark: str, seconds: float) -> Turn:
        chance = random.Random(mark)
        loads = [_load(f"{mark}-{n}", found, members, chance) for n in range(int(seconds * 15) + 4)]
        bench.ground.checkpoint()
        gc.collect()
        meter = bench.ground.meter()
        used = time.process_time()
        count, lasted = asyncio.run(_write(copy, loads, seconds))
        client = time.process_time() - used
        cpu, written = meter.read()
        return Turn(count, lasted, {**cpu, "client": client}, written)

    return play


def _load(mark: str, found: list[Shape], members: int, chance: random.Random) -> Load:
    drawn = chance.choices(found, [shape.weight for shape in found], k=SIZE)
    who = [f"m{n}" for n in chance.sample(range(members), SIZE)]
    texts = tuple([shape.activity[column] for shape in drawn] for column in TEXTS)
    return Load(sorted(who), drawn, [f"{mark}-{n}" for n in range(SIZE)], texts)


async def _write(copy: Copy, loads: list[Load], seconds: float) -> tuple[int, float]:
    connections = [await asyncpg.connect(copy.url, server_settings=SESSION) for _ in range(CONNECTIONS)]
    try:
        waiting = iter(loads)
        started = time.perf_counter()

        async def work(connection: asyncpg.Connection) -> int:
            count = 0
            for load in waiting:
                async with connection.transaction():
                    await _transaction(connection, load)
                count += SIZE
                if time.perf_counter() - started > seconds:
                    break
            return count

        counts = await asyncio.gather(*[work(connection) for connection in connections])
        return sum(counts), time.perf_counter() - started
    finally:
        for connection in connections:
            await connection.close()


async def _transaction(connection: asyncpg.Connection, load: Load) -> None:
    locked = await connection.fetch(LOCK, load.members)
    members, numbers, buckets = zip(*locked, strict=True)
    assert not await connection.fetch(PROBE, load.ids)
    at = time.time_ns() // 1000
    instants = [at] * SIZE
    await connection.execute(ACTIVITIES, members, numbers, buckets, load.ids, instants, *load.texts)
    entries: list[tuple[Any, ...]] = []
    documents: list[tuple[Any, ...]] = []
    for member, seq, bucket, id, shape in zip(members, numbers, buckets, load.ids, load.shapes, strict=True):
        entries += [
            (member, seq, n, bucket, entry["points"], at, entry["campaign"], entry["rule"], id, entry["detail"])
            for n, entry in enumerate(shape.entries)
        ]
        documents.append((member, "lots/points/0", bucket, shape.page))
        documents.append((member, f"order/{id}", bucket, shape.order))
    await connection.execute(ENTRIES, *zip(*entries, strict=True))
    await connection.execute(STATE, *zip(*documents, strict=True))
    await connection.execute(MEMBERS, members, buckets, numbers, [shape.root for shape in load.shapes], instants)
    claimed = sum(shape.claims for shape in load.shapes)
    await connection.execute(CLAIM, POOL, 5 * claimed)


# --- importing ---


def _imports(bench: Bench, copy: Copy, members: int) -> Play:
    def play(mark: str, seconds: float) -> Turn:
        sent = bought(f"{bench.run}.{mark}", members, int(seconds * IMPORTED))
        file = HOME / "import.ndjson"
        file.write_bytes(b"\n".join(envelope(each) for each in sent) + b"\n")
        bench.ground.checkpoint()
        meter, used = bench.ground.meter(), os.times()
        said = imported(copy, str(file))
        after = os.times()
        cpu, written = meter.read()
        own = after.children_user + after.children_system - used.children_user - used.children_system
        return Turn(said["accepted"], said["accepted"] / said["per_second"], {**cpu, "server": own}, written)

    return play


def imported(copy: Copy, file: str) -> dict[str, Any]:
    """What `laurels import` says of a file."""
    command = [sys.executable, "-m", "laurels", "import", file, "--program", PROGRAM, "--source", "pos", "--json"]
    done = subprocess.run(
        command,
        env={**os.environ, "LAURELS_DATABASE_URL": copy.url, "LAURELS_LOG_LEVEL": "warning"},
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"laurels import ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    return found
