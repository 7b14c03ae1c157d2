"""A million voucher codes made and stored, by the program that people run: `laurels vouchers generate`.

Beside that, what making them alone takes, without a database: the share of a processor that no database can save.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Final

import msgspec

from benchmarks.ground import HOME, ROOT
from benchmarks.measure import Figure, Report
from benchmarks.online import Bench
from laurels.core.code import make_many

CODES: Final = 1_000_000
QUICK: Final = 100_000
PROGRAM: Final = """
program: codes
time_zone: Asia/Shanghai
currency: CNY
wallets: {points: {}}
vouchers: {ten: {gives: {off: "10.00"}}}
"""


def vouchers(bench: Bench) -> Report:
    """A batch of a million codes; a list of as many would take the same way."""
    count = QUICK if bench.options.quick else CODES
    with ExitStack() as stack:
        copy = bench.ground.empty("vouchers")
        stack.callback(bench.ground.drop, copy)
        environment = {**os.environ, "LAURELS_DATABASE_URL": copy.url, "LAURELS_DATA_DIRECTORY": str(HOME)}

        def laurels(*words: str) -> str:
            command = [sys.executable, "-m", "laurels", *words]
            return subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True).stdout

        document = HOME / "codes.yaml"
        document.write_text(PROGRAM, encoding="utf-8")
        laurels("publish", str(document))
        started = time.monotonic()
        told = laurels(
            "vouchers", "generate", "--program", "codes", "--batch", "b", "--voucher", "ten", "--count", str(count),
            "--json",
        )  # fmt: skip
        seconds = time.monotonic() - started
        made = msgspec.json.decode(told)
        assert made["in_batch"] == count, told
        bench.say(f"  {count:,} codes in {seconds:.1f} s, starting up included")
    chance = os.urandom(16 * 100_000)
    started = time.process_time()
    make_many(chance)
    alone = (time.process_time() - started) * count / 100_000
    note = f"{count:,} codes in shares of 50,000, each durable before the next"
    return Report(
        [
            Figure("voucher_codes", "a million codes made and stored", round(seconds * CODES / count, 1), "s",
                   "at most", 60, note=note),
            Figure("voucher_codes_alone", "of that, making the codes", round(alone * CODES / count, 1), "s"),
        ]
    )  # fmt: skip
