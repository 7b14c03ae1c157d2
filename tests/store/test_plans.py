"""Plans that are kept must be right for a table of any age: every hot look-up goes by the whole of a key.

The tables are empty here, which is when a planner that believes in them chooses worst.
"""

import re

import pytest

from laurels.store.database import Database
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
    "load": ["state_pkey: program, member, key, bucket", "pool_pkey: program, id"],
    "read_pools": ["pool_pkey: program, id"],
    "lock_pools": ["pool_pkey: program, id"],
    "read_codes": ["code_pkey: program, code"],
    "lock_outbox": ["outbox_pkey: program, id, bucket"],
    "record": [
        *("state_pkey: program, member, key, bucket", "outbox_pkey: program, id, bucket"),
        *("pool_pkey: program", "program_pkey: id"),
    ],
}
"""By statement, which indexes it goes by and on which columns. Of pools there are few, and all are near."""


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
