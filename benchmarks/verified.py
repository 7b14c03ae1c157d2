"""How long `laurels verify` takes: a year and a half of shopping is imported as it would be, then proven.

A million activities take a while to import, so by default it is a tenth of that and the figure is what a million would
take at the same rate; `--verified 1000000` measures it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from typing import Any, Final

import msgspec

from benchmarks import workload
from benchmarks.bulk import imported
from benchmarks.ground import HOME, ROOT, Copy
from benchmarks.measure import Figure, Report
from benchmarks.online import Bench
from benchmarks.requests import envelope
from laurels import wiring
from laurels.settings import Settings

WANTED: Final = 1_000_000
PER_MEMBER: Final = 20


def verify(bench: Bench) -> Report:
    """Imports, then verifies with as many processes as there are cores."""
    count = bench.options.verified
    copy = bench.ground.empty("verify")
    try:
        asyncio.run(_publish(copy))
        members = max(10, count // PER_MEMBER)
        file = HOME / "verify.ndjson"
        with file.open("wb") as lines:
            for sent in (*workload.enrolments(members), *workload.purchases(members, count - members)):
                lines.write(envelope(sent) + b"\n")
        bench.say(f"  importing {count:,} activities")
        said = imported(copy, str(file))
        bench.say(f"  imported at {said['per_second']:,}/s; verifying")
        started = time.monotonic()
        verdict = _verify(copy)
        seconds = time.monotonic() - started
    finally:
        bench.ground.drop(copy)
    if not verdict["clean"] or verdict["activities"] < count:
        raise RuntimeError(f"verify found differences, or too little: {str(verdict)[:1000]}")
    rate = verdict["activities"] / seconds
    note = f"measured on {verdict['activities']:,} activities, {verdict['entries']:,} entries"
    if verdict["activities"] < WANTED:
        note += "; extrapolated to 1,000,000"
    return Report(
        [
            Figure("verify_1m_seconds", "proving a million activities", round(WANTED / rate, 1), "s", "at most", 300,
                   note=note),
            Figure("verify_per_second", "activities proven a second", round(rate), "/s"),
            Figure("import_history_per_second", "importing them first, one program clock", said["per_second"], "/s"),
        ]
    )  # fmt: skip


async def _publish(copy: Copy) -> None:
    async with wiring.application(Settings(database_url=copy.url)) as running:
        await wiring.publish(running, workload.DOCUMENT, mode="sandbox")


def _verify(copy: Copy) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "laurels", "verify", "--json"],
        env={**os.environ, "LAURELS_DATABASE_URL": copy.url},
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"laurels verify ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    return found
