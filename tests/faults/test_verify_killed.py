"""`verify` as a command: it says how far it is, survives being killed, and forgets no column that there ever is."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.proof.test_verify import LEDGER, NOT_PROVEN, STATE
from tests.stage import Stage, asynchronous, purchase, stage, submission

DEEP = bool(os.environ.get("LAURELS_DEEP"))
PURCHASES = 60_000 if DEEP else 8_500
MEMBERS = 50

APART = {
    "api_key": "who may do what; says nothing of points",
    "code": "codes that wait for somebody; what was used of them is a pool, proven not to exceed what they allow",
    "code_batch": "which lists of codes were made or imported, and how far that has come",
    "draw": "proven column by column, as the ledger is, by what was committed to: tests/scenarios/test_draws_proven.py",
    "draw_award": "proven with the draw",
    "draw_entry": "proven with the draw",
    "draw_secret": "proven with the draw",
    "free_text": "erasable; deciding again reads it, and differs where it was changed and matters",
    "idempotency": "answers that are forgotten after a week",
    "identifier": "personal data, erasable",
    "import_progress": "how far an import or a verification has come",
    "profile": "personal data, erasable",
    "program": "which programs there are; the clock is proven not to lie before what was recorded",
    "schema_migration": "compared with the release whenever a connection is opened",
}
"""Tables in which verify is not asked to name each changed value, and why."""


@asynchronous
async def test_every_table_of_the_schema_is_proven_or_said_why_not(url: str) -> None:
    """tests/proof/test_verify.py changes every column of LEDGER and STATE that the database has, in turn."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "select table_name, column_name from information_schema.columns natural join information_schema.tables "
        "where table_schema = 'laurels' and table_type = 'BASE TABLE'"
    )
    written = await connection.fetch(
        "select table_name from information_schema.role_table_grants where grantee = 'laurels_app' "
        "and table_schema = 'laurels' group by 1 having bool_or(privilege_type = 'INSERT') "
        "and not bool_or(privilege_type in ('UPDATE', 'DELETE'))"
    )
    await connection.close()
    tables = {row[0] for row in rows}
    assert tables == {*LEDGER, *STATE, *APART}, "a table is neither proven nor said why it need not be"
    # What may only be appended to is the ledger, and all of it is proven; and codes, which never change either, and
    # draws, of which only some columns may.
    assert {row[0] for row in written} == {*LEDGER, "code", "draw", "draw_award", "draw_entry", "draw_secret"}
    assert {(row[0], row[1]) for row in rows} >= NOT_PROVEN
    assert not [place for place in NOT_PROVEN if place[0] in LEDGER]


@asynchronous
async def test_a_killed_verification_goes_on_where_it_was_and_finds_what_a_whole_one_finds(url: str) -> None:
    async with stage(url) as here:
        await fill(here)
    connection = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    await connection.execute("update entry set points = points + 1 where member in ('m-00', 'm-49') and seq = 3")
    whole = await asyncio.to_thread(verdict, url)
    assert {(each["member"], each["seq"]) for each in whole["differences"]} == {("m-00", 3), ("m-49", 3)}

    running = await asyncio.to_thread(start, url)
    try:
        position = await first_position(connection)
    finally:
        os.kill(running.pid, signal.SIGKILL)
        assert await asyncio.to_thread(running.wait, 30) == -signal.SIGKILL, "it was finished before it was killed"
    assert 0 < position < PURCHASES
    await connection.close()

    resumed = await asyncio.to_thread(verdict, url, "--resume")
    assert resumed["resumed_after"] is not None
    for said in ("clean", "members", "activities", "entries", "differences"):
        assert resumed[said] == whole[said], said


async def fill(here: Stage) -> None:
    """So many purchases of so many members."""
    members = [f"m-{n:02}" for n in range(MEMBERS)]
    await here.enrol(*members)
    for first in range(0, PURCHASES, 500):
        sent = [
            submission("purchase", members[n % MEMBERS], purchase(f"o-{n}", "3.00"), id=f"o-{n}")
            for n in range(first, first + 500)
        ]
        assert {outcome.status for outcome in await here.send_all(sent)} == {"accepted"}


def command(url: str, *options: str) -> tuple[list[str], dict[str, str]]:
    # One process, so that it takes its time.
    arguments = [sys.executable, "-m", "laurels", "verify", "--processes", "1", *options]
    return arguments, {**os.environ, "LAURELS_DATABASE_URL": url}


def start(url: str) -> subprocess.Popen[bytes]:
    arguments, environment = command(url)
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def verdict(url: str, *options: str) -> dict[str, Any]:
    arguments, environment = command(url, "--json", *options)
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def first_position(connection: asyncpg.Connection) -> int:
    """How far it has come, as soon as it has kept something."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        position = await connection.fetchval("select position from import_progress where id = 'verify'")
        if position:
            return int(position)
        await asyncio.sleep(0.01)
    raise AssertionError("it keeps nothing of what it has done")


def test_whoever_watches_is_told_how_far_it_is(url: str, tmp_path: Path) -> None:
    """On a terminal, a bar that moves: `script` gives the command one."""
    pty = pytest.importorskip("pty", reason="a terminal of one's own is had where there are pseudo terminals")

    async def prepare() -> None:
        async with stage(url) as here:
            await fill_a_little(here)

    asyncio.run(prepare())
    arguments, environment = command(url)
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            arguments,
            env={**environment, "TERM": "xterm", "COLUMNS": "120"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ) as running:
            os.close(theirs)
            said = b""
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:
                    break
                if not part:
                    break
                said += part
        assert running.returncode == 0
    finally:
        os.close(ours)
    assert b"verifying" in said
    assert b"100%" in said


async def fill_a_little(here: Stage) -> None:
    await here.enrol("m")
    sent = [submission("purchase", "m", purchase(f"o-{n}", "3.00"), id=f"o-{n}") for n in range(200)]
    assert {outcome.status for outcome in await here.send_all(sent)} == {"accepted"}
