"""A release that rounds otherwise, on purpose: what it says of the past, what it leaves alone, and that it is noticed.

The release is a copy of the source with one rule of rounding altered, and run as a process, as a release is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg

from laurels.clock import RealClock
from laurels.proof.verifying import verify
from tests.stage import PROGRAM as A_POINT_A_YUAN
from tests.stage import Stage, asynchronous, purchase, stage

ROOT = Path(__file__).parents[2]

PROGRAM = A_POINT_A_YUAN.replace('"1.00"', '"2.00"')

# What a campaign grants per amount is rounded up instead of down.
RULE = 'else f"points = {points} // {rate[1]}"]'
ALTERED = 'else f"points = -(-({points}) // {rate[1]})"]'

# Yuan, of which two earn a point: by the present rule a half is dropped, by the altered one it is rounded up.
EVEN = ("4.00", "10.00")
ODD = ("5.00", "7.00", "1.00")


def release(directory: Path, *, raised: bool) -> Path:
    """The source of a release that rounds up, with its engine's number raised or forgotten."""
    source = directory / ("raised" if raised else "forgotten")
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    altered(source / "laurels" / "core" / "written.py", RULE, ALTERED)
    if raised:
        decide = source / "laurels" / "core" / "decide.py"
        engine = engine_of(decide)
        altered(decide, f"ENGINE: Final = {engine}\n", f"ENGINE: Final = {engine + 1}\n")
    return source


def engine_of(decide: Path) -> int:
    (line,) = [line for line in decide.read_text("utf-8").splitlines() if line.startswith("ENGINE: Final = ")]
    return int(line.rpartition(" ")[2])


def altered(path: Path, text: str, instead: str) -> None:
    before = path.read_text("utf-8")
    assert before.count(text) == 1, f"{path.name} has another rule now"
    path.write_text(before.replace(text, instead), "utf-8")


def laurels(source: Path, url: str, *command: str) -> tuple[int, Any]:
    """The exit code of a command of that release, and what it says to programs."""
    environment = {**os.environ, "PYTHONPATH": str(source), "LAURELS_DATABASE_URL": url}
    done = subprocess.run(
        [sys.executable, "-m", "laurels", *command, "--json"],
        capture_output=True, text=True, env=environment, cwd=source, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout)


async def live(here: Stage) -> list[str]:
    """Some purchases; the ids of those that the altered rule would decide otherwise."""
    await here.enrol("ann", "bob")
    for member in ("ann", "bob"):
        for n, amount in enumerate((*EVEN, *ODD)):
            id = f"{member}-{n}"
            outcome = await here.send("purchase", member, purchase(id, amount), id=id)
            assert outcome.status == "accepted", outcome
    return [f"{member}-{n}" for member in ("ann", "bob") for n in range(len(EVEN), len(EVEN) + len(ODD))]


async def documents_of(url: str) -> list[Any]:
    connection = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    try:
        rows = await connection.fetch(
            "select id, root as document from member union all select member || key, document from state order by 1"
        )
        return [tuple(row) for row in rows]
    finally:
        await connection.close()


@asynchronous
async def test_a_raised_engine_reports_what_it_would_decide_otherwise_and_changes_nothing(
    url: str, tmp_path: Path
) -> None:
    async with stage(url, document=PROGRAM) as here:
        otherwise = await live(here)
    before = await documents_of(url)
    source = release(tmp_path, raised=True)

    # Everything is still proven by the fold; that it would be decided otherwise is said, and is no failure.
    code, verdict = laurels(source, url, "verify")
    assert (code, verdict["clean"], verdict["differences"]) == (0, True, [])
    older = verdict["older_engine"]
    assert older["activities"] == verdict["activities"] == 12
    assert older["would_be_decided_otherwise"] == len(otherwise)
    named = [each["activity"].rpartition(" ")[2] for each in older["first"]]
    assert sorted(named) == sorted(otherwise)
    assert {each["member"] for each in older["first"]} == {"ann", "bob"}
    assert all(each["stored"] != each["expected"] for each in older["first"])

    # State made anew is what the stored facts say, and not what would be decided now.
    code, rebuilt = laurels(source, url, "rebuild")
    assert (code, rebuilt["cafe"]["changed"], rebuilt["cafe"]["refused"]) == (0, [], [])
    connection = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    await connection.execute("update member set root = '{}'; delete from state")
    await connection.close()
    code, rebuilt = laurels(source, url, "rebuild")
    assert (code, rebuilt["cafe"]["changed"]) == (0, ["ann", "bob"])
    assert await documents_of(url) == before

    # The release before agrees, and so does this one, to the end.
    async with stage(url) as here:
        assert (await verify(url, here.database, RealClock())).differences == []
    assert laurels(source, url, "verify")[1]["clean"]


@asynchronous
async def test_a_changed_rule_under_the_same_number_is_a_failure_that_names_each_activity(
    url: str, tmp_path: Path
) -> None:
    async with stage(url, document=PROGRAM) as here:
        await live(here)
    code, verdict = laurels(release(tmp_path, raised=False), url, "verify")
    assert code == 1
    # After the first of a member, what follows from it is not judged.
    assert {(each["member"], each["activity"]) for each in verdict["differences"]} == {
        ("ann", "pos ann-2"), ("bob", "pos bob-2"),
    }  # fmt: skip


def test_a_changed_rule_under_the_same_number_fails_the_golden_corpus(tmp_path: Path) -> None:
    source = release(tmp_path, raised=False)
    program = (
        "import json\nfrom tests.core.golden.corpus import FILE, replay\n"
        "head, *lines = [json.loads(line) for line in FILE.read_text('utf-8').splitlines()]\n"
        "print(json.dumps([head['engine'], replay(head, lines) == lines]))\n"
    )

    def golden(path: str) -> Any:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((path, str(ROOT)))}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=environment, cwd=ROOT, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    engine = engine_of(ROOT / "src" / "laurels" / "core" / "decide.py")
    assert golden(str(ROOT / "src")) == [engine, True]
    assert golden(str(source)) == [engine, False]
