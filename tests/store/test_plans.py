"""Plans that are kept must be right for a table of any age: every hot look-up goes by the whole of a key.

The tables are empty here, which is when a planner that believes in them chooses worst.
"""

import json
import re
from typing import Any

import pytest

from laurels.clock import SetClock
from laurels.store.database import Connection, Database
from laurels.store.programs import create_program
from laurels.store.sql import named
from tests.stage import asynchronous

LOOKS_UP = {
    "lock_members": ["member_pkey: program, id, bucket"],
    "read_members": ["member_pkey: program, id, bucket"],
    "probe": [
        *("program_pkey: id", "program_version_pkey: program"),
        *("activity_id: program, source, id", "free_text_pkey: program, member, seq, bucket"),
    ],
    "load_documents": ["state_pkey: program, member, key, bucket"],
    "load_bodies": ["activity_pkey: program, member, seq"],
    "load": ["state_pkey: program, member, key, bucket", "pool_pkey: program, id", "code_pkey: program, code"],
    "read_pools": ["pool_pkey: program, id"],
    "lock_pools": ["pool_pkey: program, id"],
    "read_codes": ["code_pkey: program, code", "pool_pkey: program, id"],
    "lock_outbox": ["outbox_pkey: program, id, bucket"],
    "record": [
        *("state_pkey: program, member, key, bucket", "outbox_pkey: program, id, bucket"),
        *("pool_pkey: program, id", "program_pkey: id"),
    ],
}
"""By statement, which indexes it goes by and on which columns."""

MANY = 3000

JOINED = """
  update pool p
  set used = case when p.used <= w.at_most then p.used + w.by end
  from unnest($10::text[], $11::bigint[], $12::bigint[]) as w (id, by, at_most)
  where p.program = $1 and p.id = w.id
"""
"""Taking from pools as one would write it first."""


async def lookups(database: Database, statement: str) -> tuple[set[str], str]:
    """Indexes with the columns that they are entered by, and the plan."""
    connection = await database.connect_hot()
    try:
        await connection.execute(f"prepare it as {statement}")
        count = max(int(found) for found in re.findall(r"\$(\d+)", statement))
        rows = await connection.fetch(f"explain execute it({', '.join(['null'] * count)})")
    finally:
        await connection.close()
    plan = "\n".join(row[0] for row in rows)
    found = set()
    for index, condition in re.findall(r"(\w+_(?:pkey|id))\b[^\n]*\n\s*Index Cond: ([^\n]*)", plan):
        columns = re.findall(r"\(?(\w+) = ", condition)
        together = re.search(r"ROW\(([^)]*)\) >=", condition)
        found.add(f"{index}: {', '.join([*columns, *([together[1]] if together else [])])}")
    return found, plan


@pytest.mark.parametrize("name", LOOKS_UP)
@asynchronous
async def test_a_hot_statement_goes_by_whole_keys_on_an_empty_table(laurels_url: str, name: str) -> None:
    database = await Database.open(laurels_url)
    found, plan = await lookups(database, named(name))
    await database.close()
    assert found == set(LOOKS_UP[name]), plan
    assert "Seq Scan" not in plan


@asynchronous
async def test_a_plain_join_would_read_the_whole_program_every_time(laurels_url: str) -> None:
    """The positive control: what the same look-up comes to when it is left to the planner."""
    database = await Database.open(laurels_url)
    found, plan = await lookups(
        database,
        "select s.document from unnest($2::text[], $3::text[], $4::smallint[]) as w (member, key, bucket) "
        "join state s on s.program = $1 and s.member = w.member and s.key = w.key and s.bucket = w.bucket",
    )
    await database.close()
    assert found == {"state_pkey: program"}, plan


async def rows_met(connection: Connection, statement: str, *arguments: Any) -> int:
    """The most rows that any step of the statement met, those included that it passed over; nothing is written."""
    await connection.execute("begin")
    try:
        (row,) = await connection.fetch(f"explain (analyze, format json) {statement}", *arguments)
    finally:
        await connection.execute("rollback")

    def met(node: dict[str, Any]) -> float:
        passed_over = sum(node.get(f"Rows Removed by {by}", 0) for by in ("Filter", "Join Filter", "Index Recheck"))
        own = node["Actual Loops"] * (node["Actual Rows"] + passed_over)
        return float(max([own, *map(met, node.get("Plans", ()))]))

    return int(met(json.loads(row[0])[0]["Plan"]))


async def with_many_codes(url: str) -> Database:
    """Two batches of codes, the large one before the small one in every order, and pools of all that were taken."""
    database = await Database.open(url)
    await create_program(database, SetClock(1), "cafe", "sandbox")
    await database.pool.execute(
        "insert into code_batch (program, id, number, voucher, kind, position, made, created_at) "
        "select 'cafe', n, n, 'ten', 'imported', 0, 0, 1 from generate_series(1, 2) n"
    )
    for row in (
        f"insert into code select 'cafe', 'A' || n, 1 from generate_series(1, {MANY}) n",
        "insert into code select 'cafe', 'B' || n, 2 from generate_series(1, 20) n",
        "insert into pool select program, 'code/' || code, 1 from code",
    ):
        await database.pool.execute(row)
    return database


@asynchronous
async def test_a_plan_made_when_there_were_no_pools_takes_from_a_hundred_without_reading_the_others(
    laurels_url: str,
) -> None:
    record = named("record")
    taking = record[record.index("update pool p") : record.index("),\nactivities")]
    joined = record.replace(taking, JOINED)
    pools, ones, nines = ",".join(f"code/A{n}" for n in range(1, 101)), ",".join(["1"] * 100), ",".join(["9"] * 100)
    taken = [f"'{{{each}}}'" for each in (pools, ones, nines)]
    arguments = ["'cafe'", *["'{}'"] * 8, *taken, *["'{}'"] * 6, "null"]
    execute = f"execute it ({', '.join(arguments)})"
    young = await Database.open(laurels_url)
    here, control = [await young.connect_hot() for _ in range(2)]
    for connection, statement in ((here, record), (control, joined)):
        await connection.execute(f"prepare it as {statement}")
        await rows_met(connection, execute)
    grown = await with_many_codes(laurels_url)
    assert await rows_met(here, execute) == 100
    # The positive control: a join goes through all of them.
    assert await rows_met(control, execute) > MANY
    await here.close()
    await control.close()
    await grown.close()
    await young.close()


@asynchronous
async def test_who_has_vouchers_of_a_kind_is_found_among_those_who_have_any(laurels_url: str) -> None:
    database = await Database.open(laurels_url)
    await create_program(database, SetClock(1), "cafe", "sandbox")
    for key, document, members in (("order/o", "{}", MANY), ("vouchers", '{"open": {"A": ["ten"]}}', 3)):
        await database.pool.execute(
            "insert into state (program, member, key, bucket, document) "
            f"select 'cafe', 'm-' || n, '{key}', 0, '{document}' from generate_series(1, {members}) n"
        )
    async with database.pool.acquire() as connection:
        (found,) = await connection.fetch(named("voucher_holders"), "cafe", "ten", 2)
        assert tuple(found) == (3, ["m-1", "m-2"])
        assert await rows_met(connection, named("voucher_holders"), "cafe", "ten", 2) == 3
    await database.close()


@asynchronous
async def test_a_page_of_a_small_batch_of_codes_does_not_read_a_large_one(laurels_url: str) -> None:
    database = await with_many_codes(laurels_url)
    for after, count in (("", 20), ("B7", 2)):
        async with database.pool.acquire() as connection:
            assert len(await connection.fetch(named("codes_of_batch"), "cafe", 2, after, 50)) == count
            assert await rows_met(connection, named("codes_of_batch"), "cafe", 2, after, 50) <= 20
    await database.close()
