"""import: files of several kinds, exit codes, reports; and a process that is killed in the middle."""

import asyncio
import subprocess
import sys

import asyncpg
import msgspec

from tests.cli.giving import Giving


def test_good_rows_go_in_and_bad_ones_are_in_a_report_beside(give: Giving) -> None:
    give.publish()
    give.members("m-1")
    result = give.shop("o-1,m-1,2026-03-01,50.00", "o-2,nobody,2026-03-01,5.00", "o-3,m-1,never,5.00", code=1)
    assert (result["accepted"], result["refused"], result["faulty"], result["bad"]) == (1, {"unknown_member": 1}, 1, 2)
    report = (give.directory / result["report"]).read_text().splitlines()
    assert [msgspec.json.decode(line)["line"] for line in report] == [3, 4]
    # Again: it was imported before, so nothing is done; from the start, everything is recognised.
    again = give.json("import", "till.csv", "--mapping", "mapping.yaml", code=1)
    assert again["already_imported"]
    said = give.says("import", "till.csv", "--mapping", "mapping.yaml", code=1)
    assert f"till.csv: already imported completely on {again['imported_at']}: nothing to do; --again" in said
    assert "a second" not in said
    once_more = give.json("import", "till.csv", "--mapping", "mapping.yaml", "--again", code=1)
    assert (once_more["accepted"], once_more["replayed"]) == (0, 1)
    assert len((give.directory / result["report"]).read_text().splitlines()) == 2


def test_people_are_told_what_went_in_and_what_did_not(give: Giving) -> None:
    give.publish()
    give.members("m-1")
    give.file("till.csv", "id,card,time,paid\no-1,m-1,2026-03-01,50.00\no-2,nobody,2026-03-01,5.00\n")
    give.file("mapping.yaml", "{type: purchase, id: id, member: card, occurred_at: {column: time, zone: UTC},"
              " data: {order: id}, lines: {amount: paid}}")  # fmt: skip
    said = give.says("import", "till.csv", "--mapping", "mapping.yaml", code=1)
    assert "till.csv: 2 rows, 1 activity accepted" in said
    assert "1 refused: unknown_member" in said
    assert "till.csv.report.ndjson" in said


def test_a_mapping_with_mistakes_or_a_file_without_its_columns_imports_nothing(give: Giving) -> None:
    give.publish()
    give.file("till.csv", "id,card\n1,2\n")
    wrong = give.file("mapping.yaml", "{type: purchase, id: id, member: card, occurred_att: x}")
    said = give.fails("import", "till.csv", "--mapping", wrong, code=2)
    assert "line 1, column 1: occurred_at is missing" in said
    assert "line 1, column 40: occurred_att: no such word; did you mean occurred_at?" in said
    assert "line 1, column 40" in give.fails(
        "simulate", "program.yaml", "--activities", "till.csv", "--mapping", wrong, code=2
    )
    lacking = give.file("mapping.yaml", "{type: check_in, id: id, member: card, occurred_at: time}")
    assert "no column time; it has id, card" in give.fails("import", "till.csv", "--mapping", lacking, code=2)
    assert "--mapping" in give.fails("import", "till.csv", code=2)


def test_a_killed_import_run_again_loses_and_doubles_nothing(give: Giving) -> None:
    """SIGKILL in the middle, twice; then a run to the end."""
    receipts = 8_000
    give.publish()
    give.members("m-0", "m-1", "m-2")
    # Every hundredth receipt is of a member that nobody knows.
    rows = "".join(
        f"r-{n},{'nobody' if n % 100 == 0 else f'm-{n % 3}'},2026-03-01,{n}.00\n" for n in range(1, receipts + 1)
    )
    give.file("till.csv", f"id,card,time,paid\n{rows}")
    give.file("mapping.yaml", "{type: purchase, id: id, member: card, occurred_at: {column: time, zone: UTC},"
              " data: {order: id}, lines: {amount: paid}}")  # fmt: skip
    command = [sys.executable, "-m", "laurels", "import", "till.csv", "--mapping", "mapping.yaml"]
    for part in (2000, 5000):
        process = subprocess.Popen(command, cwd=give.directory, stderr=subprocess.DEVNULL)
        try:
            recorded = asyncio.run(wait_for(give.url, part))
        finally:
            process.kill()
        assert process.wait() == -9, "it was finished before it could be killed"
        assert part <= recorded < receipts

    result = give.json("import", "till.csv", "--mapping", "mapping.yaml", code=1)
    assert result["resumed_at_row"] > 0
    assert result["rows"] == receipts
    assert result["accepted"] + result["replayed"] == receipts - 80
    assert result["refused"] == {"unknown_member": 80}
    lines = [
        msgspec.json.decode(line)["line"] for line in (give.directory / result["report"]).read_bytes().splitlines()
    ]
    assert lines == [n + 1 for n in range(100, receipts + 1, 100)]
    # Receipt n earned n points: nothing is missing and nothing is there twice.
    points = sum(give.json("member", f"m-{m}", "--entries", "0")["wallets"]["points"]["available"] for m in range(3))
    assert points == sum(n for n in range(1, receipts + 1) if n % 100)
    assert give.json("verify")["clean"]


async def wait_for(url: str, activities: int) -> int:
    """How many activities are recorded, as soon as there are so many."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    try:
        for _ in range(3000):
            count: int = await connection.fetchval("select count(*) from activity")
            if count >= activities:
                return count
            await asyncio.sleep(0.02)
        raise AssertionError(f"there were no {activities} activities within a minute")
    finally:
        await connection.close()
