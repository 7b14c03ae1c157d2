"""Whether a server's memory grows: load for minutes, its resident memory noted in between.

The first fifth of the time is for caches to fill. The figure is the mean of the last fifth beside that of the second.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from statistics import mean
from typing import Final

from benchmarks.ground import serving
from benchmarks.machine import resident_bytes
from benchmarks.measure import Figure, Report
from benchmarks.online import CONNECTIONS, Bench

SLICE_SECONDS: Final = 4.0


def memory(bench: Bench) -> Report:
    """One server process under purchases from 64 connections."""
    members = bench.options.members
    minutes = bench.options.memory_minutes
    noted: list[tuple[float, float]] = []
    count = 0
    with ExitStack() as stack:
        copy = bench.ground.copy("memory", bench.ground.template(members))
        stack.callback(bench.ground.drop, copy)
        server = stack.enter_context(serving(copy))
        started = time.monotonic()
        while time.monotonic() - started < minutes * 60:
            mark = f"{bench.run}.memory.{len(noted)}"
            done, _, _ = bench.slice(server, CONNECTIONS, SLICE_SECONDS, "purchases", (server.key, mark, members))
            count += done.answered
            noted.append((time.monotonic() - started, resident_bytes(server.pid) / 1e6))
            if len(noted) % 10 == 0:
                bench.say(f"  {noted[-1][0]:.0f} s: {noted[-1][1]:.1f} MB after {count:,} purchases")
    end = noted[-1][0]
    second = mean([size for at, size in noted if end / 5 <= at <= end * 2 / 5] or [noted[0][1]])
    last = mean([size for at, size in noted if at >= end * 4 / 5])
    note = f"{minutes:g} minutes, {count:,} purchases; the target speaks of 10 minutes"
    return Report(
        [
            Figure("memory_flat", "memory at the end, beside a while after the start", round(last / second, 3), "x",
                   "at most", 1.05, note=note),
            Figure("memory_mb", "memory of a server process under load", round(last, 1), "MB"),
        ]
    )  # fmt: skip
