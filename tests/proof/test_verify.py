"""Verify finds a whole database clean, and names whatever is changed in it behind Laurels' back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from laurels.clock import RealClock
from laurels.proof.difference import Difference
from laurels.proof.verifying import Verdict, verify, verify_member
from laurels.store.digest import activity_digest
from laurels.store.imports import Progress, progress_of
from tests.proof.life import PROGRAM, live
from tests.stage import Stage, asynchronous, stage

LEDGER = ("activity", "entry", "program_version", "pool_correction")
STATE = ("member", "state", "pool", "outbox")

# What verify cannot know: when a member was erased.
NOT_PROVEN = {("member", "sealed_at")}

KINDS = ("adjustment", "reversal")
STATUSES = {"pending": "delivered", "delivered": "pending", "returned": "delivered", "returning": "delivered"}


@asynccontextmanager
async def lived(url: str) -> AsyncIterator[Stage]:
    async with stage(url, document=PROGRAM, now="2026-01-01") as here:
        await live(here)
        yield here


async def judged(here: Stage, **options: Any) -> Verdict:
    return await verify(here.url, here.database, RealClock(), **options)


def another(column: str, value: Any, type: str) -> Any:
    """Another value that the column may hold."""
    if column == "kind":
        return next(kind for kind in KINDS if kind != value)
    if column == "status":
        return STATUSES[value]
    if column == "into_account":
        return "write_off" if value != "write_off" else "breakage"
    if column == "type" and value is not None:
        return "review"
    if value is None:
        return {"text": "x", "bytea": b"x", "integer": 7, "bigint": 7, "smallint": 7}[type]
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, int):
        return value + 1 if column not in ("seq", "n", "number") else value + 100
    if column in ("facts", "document", "root", "body", "detail", "circumstances") and any(map(str.isdigit, value)):
        place = max(n for n, character in enumerate(value) if character.isdigit())
        return value[:place] + str((int(value[place]) + 1) % 10) + value[place + 1 :]
    return value + "x"


async def columns_of(connection: asyncpg.Connection, table: str) -> list[tuple[str, str]]:
    rows = await connection.fetch(
        "select column_name, data_type from information_schema.columns "
        "where table_schema = 'laurels' and table_name = $1 order by ordinal_position",
        table,
    )
    return [(row[0], row[1]) for row in rows]


def names(difference: Difference, table: str, column: str, row: Mapping[str, Any]) -> bool:
    """Whether the difference names the table, the column and the row that was changed."""
    if table == "pool_correction" and column == "program" and difference.table == "pool":
        return bool(difference.key == row["pool"])  # It is another program's now, and missing here.
    if difference.table != table:
        return False
    if table == "program_version":
        at_row = difference.key in (f"version {row['number']}", f"version {row['number'] + 100}")
        return column in difference.column or (at_row and column in ("program", "number"))
    if table == "pool_correction":
        at_row = difference.key in [f"{row['pool']} {number}" for number in (row["number"], row["number"] + 100)]
        return column in difference.column and (at_row or column in ("program", "pool"))
    if table == "pool":
        return difference.key is not None and (difference.column == column or column in ("id", "program"))
    member = row.get("member") if table != "outbox" else row["sender"]
    here = difference.member == (row["id"] if table == "member" else member)
    if column in ("program", "member", "seq", "n", "id", "key", "sender") and table != "activity":
        # The row stands at another place now: it is missing where it was, or too much where it is.
        return here or difference.column == "program"
    if column == "program":
        return difference.column == "program"
    if column == "member":
        return here or difference.member == f"{member}x"
    at_row = "seq" not in row or table == "member" or difference.seq in (row["seq"], row["seq"] + 100)
    if table == "entry":
        at_row = at_row and difference.entry == row["n"]
    if table == "state":
        at_row = difference.key == row["key"]
    return here and at_row and column in difference.column.replace(" or ", ", ").split(", ")


@asynchronous
async def test_an_untouched_database_is_clean(laurels_url: str) -> None:
    async with lived(laurels_url) as here:
        verdict = await judged(here)
        assert verdict.differences == []
        rows = await here.rows()
        assert (verdict.counted.members, verdict.counted.activities, verdict.counted.entries) == (
            *(3, rows["activity"], rows["entry"]),
        )
        # The tables that the corruptions below are made in all hold something.
        assert all(rows[table] for table in ("activity", "entry", "member", "state", "pool", "outbox"))
        assert await here.count("pool_correction") == 2
        assert {row[0] for row in await here.database.pool.fetch("select distinct kind from entry")} >= {
            *("accrual", "activation", "redemption", "expiry", "adjustment", "reversal", "transfer"),
        }


@pytest.mark.parametrize("table", LEDGER + STATE)
@asynchronous
async def test_every_column_that_is_changed_in_turn_is_named(laurels_url: str, table: str) -> None:
    async with lived(laurels_url) as here:
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        try:
            await owner.execute(
                "alter table program_version drop constraint program_version_program_fkey;"
                "alter table pool drop constraint pool_program_fkey;"
                "alter table pool_correction drop constraint pool_correction_program_fkey;"
                "alter table pool_correction drop constraint pool_correction_by_check"
            )
            for column, type in await columns_of(owner, table):
                if (table, column) in NOT_PROVEN:
                    continue
                for wanted in (f"{column} is not null", f"{column} is null"):
                    row = await owner.fetchrow(f"select ctid, * from {table} where {wanted} order by 2, 3, 4 limit 1")
                    if row is None:
                        continue
                    value = another(column, row[column], type)
                    changed = f"update {table} set {column} = $1 where ctid = $2 returning ctid"
                    place = await owner.fetchval(changed, value, row["ctid"])
                    found = (await judged(here)).differences
                    assert any(names(each, table, column, dict(row)) for each in found), (
                        f"{table}.{column}: {row[column]!r} became {value!r} and was not named, but: {found}"
                    )
                    await owner.execute(changed, row[column], place)
            assert (await judged(here)).differences == []
        finally:
            await owner.close()


DELETIONS = {
    "the last activity": "delete from activity where member = 'cy' and seq = (select max(seq) from activity a "
    "where a.member = 'cy')",
    "an activity in the middle": "delete from activity where member = 'cy' and seq = 2",
    "an entry": "delete from entry where ctid in (select ctid from entry limit 1)",
    "a document": "delete from state where ctid in (select ctid from state limit 1)",
    "a member": "delete from member where id = 'bob'",
    "a pool": "delete from pool",
    "a correction of stock": "delete from pool_correction where number = 1",
    "the last correction of stock": "delete from pool_correction where number = 2",
    "a follow-up": "delete from outbox where ctid in (select ctid from outbox limit 1)",
    "a version": "delete from program_version where number = 1",
}


@pytest.mark.parametrize("what", DELETIONS)
@asynchronous
async def test_a_row_that_is_deleted_is_missed(laurels_url: str, what: str) -> None:
    async with lived(laurels_url) as here:
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        await owner.execute(DELETIONS[what])
        await owner.close()
        assert not (await judged(here)).is_clean


@asynchronous
async def test_a_forged_activity_with_a_fitting_digest_is_found_by_deciding_again(laurels_url: str) -> None:
    """Who can compute the digest and changes facts, entries and state alike is still found by the decision."""
    async with lived(laurels_url) as here:
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        row = await owner.fetchrow("select * from activity where member = 'cy' order by seq desc offset 1 limit 1")
        assert row is not None
        assert row["type"] == "purchase"
        forged = row["facts"].replace('"points":12', '"points":92')
        assert forged != row["facts"]
        digest = activity_digest(
            "cafe",
            "cy",
            row["seq"],
            row["source"],
            row["id"],
            row["type"],
            row["occurred_at"],
            row["recorded_at"],
            row["engine"],
            row["version"],
            row["known"],
            row["circumstances"],
            row["body"].encode(),
            forged.encode(),
        )
        await owner.execute(
            "update activity set facts = $1, digest = $2 where member = 'cy' and seq = $3", forged, digest, row["seq"]
        )
        await owner.close()
        found = (await judged(here)).differences
        assert ("activity", "facts", "cy", row["seq"]) in {
            (each.table, each.column, each.member, each.seq) for each in found
        }
        assert any("deciding again gives others" in each.message for each in found)


@asynchronous
async def test_an_erased_member_is_verified_by_the_fold_alone(laurels_url: str) -> None:
    async with lived(laurels_url) as here:
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        await owner.execute("update member set sealed_at = 1 where id = 'cy'")
        await owner.execute("update free_text set texts = null")
        assert (await judged(here)).differences == []
        await owner.execute(
            "update member set root = replace(root, '\"enrolled_at\":', '\"enrolled_at\":1') where id = 'cy'"
        )
        await owner.close()
        assert [each.member for each in (await judged(here)).differences] == ["cy"]


@asynchronous
async def test_rows_of_another_engine_are_folded_and_reported_and_no_failure(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lived(laurels_url) as here:
        monkeypatch.setattr("laurels.proof.member.ENGINE", 2)
        verdict = await judged(here)
        assert verdict.differences == []
        assert verdict.counted.older == verdict.counted.activities
        assert verdict.counted.otherwise == 0


@asynchronous
async def test_one_member_can_be_verified_alone(laurels_url: str) -> None:
    async with lived(laurels_url) as here:
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        await owner.execute("update entry set points = points + 1 where member = 'ann' and seq = 1")
        await owner.close()
        assert (await verify_member(here.database, "cafe", "bob")).differences == []
        (found,) = (await verify_member(here.database, "cafe", "ann")).differences
        assert (found.table, found.column, found.member, found.seq, found.entry) == ("entry", "points", "ann", 1, 0)
        assert (found.stored, found.expected) == ("21", "20")


@asynchronous
async def test_processes_find_what_one_finds(laurels_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with lived(laurels_url) as here:
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        await owner.execute("update entry set points = points + 1 where seq = 1")
        await owner.close()
        alone = await judged(here, processes=1)
        monkeypatch.setattr("laurels.proof.verifying.WORTH_PROCESSES", 1)
        monkeypatch.setattr("laurels.proof.verifying.ACTIVITIES_PER_REACH", 5)
        told: list[tuple[int, int]] = []
        together = await judged(here, processes=2, tell=lambda done, total: told.append((done, total)))
        assert together.differences == alone.differences
        assert len(alone.differences) == 3
        assert together.counted == alone.counted
        assert told[-1] == (alone.counted.activities, alone.counted.activities)


@asynchronous
async def test_an_interrupted_run_goes_on_behind_what_it_judged(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurels.proof.verifying.ACTIVITIES_PER_REACH", 5)
    async with lived(laurels_url) as here:
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        await owner.execute("update entry set points = points + 1 where member = 'ann' and seq = 1")
        await owner.close()
        whole = await judged(here)
        kept = await interrupted(here)
        assert kept.position > 0
        resumed = await judged(here, resume=True)
        assert resumed.resumed_at is not None
        assert resumed.differences == whole.differences
        assert resumed.counted == whole.counted
        assert resumed.notes == []
        # It is finished, so that there is nothing to go on with.
        assert (await judged(here, resume=True)).resumed_at is None


@asynchronous
async def test_what_was_recorded_since_an_interruption_is_no_difference(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurels.proof.verifying.ACTIVITIES_PER_REACH", 5)
    async with lived(laurels_url) as here:
        await interrupted(here)
        await here.enrol("a-new-one", at="2026-08-01")
        resumed = await judged(here, resume=True)
        assert resumed.differences == []
        assert len(resumed.notes) == 1


class Interrupted(Exception):  # noqa: N818 - it stands for Ctrl+C
    """The run ends here."""


async def interrupted(here: Stage) -> Progress:
    """What a run leaves that ends after its first range."""
    pages = 0

    def tell(_done: int, _total: int) -> None:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        await judged(here, tell=tell)
    kept = await progress_of(here.database, "cafe", "verify")
    assert kept is not None
    return kept


@pytest.mark.parametrize("page", [1, 2, 3])
@asynchronous
async def test_members_that_go_over_pages_are_judged_the_same(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    async with lived(laurels_url) as here:
        whole = await judged(here)
        monkeypatch.setattr("laurels.proof.reach.PAGE", page)
        assert await judged(here) == whole
        owner = await asyncpg.connect(laurels_url, server_settings={"search_path": "laurels"})
        await owner.execute("update entry set seq = 77 where member = 'bob' and seq = 3 and n = 0")
        await owner.execute("update entry set member = 'aaa' where member = 'cy' and seq = 1")
        await owner.close()
        found = {(each.member, each.seq, each.message) for each in (await judged(here)).differences}
        assert found >= {
            ("bob", 3, "the entry is missing"),
            ("bob", 77, "an entry of no activity"),
            ("cy", 1, "the entry is missing"),
            ("aaa", 1, "an entry of no activity"),
        }
