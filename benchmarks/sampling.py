"""Where a server's processor time goes: it is asked a thousand times a second of its own time what it is doing.

`python -m benchmarks.sampling FILE serve ...` is `laurels serve ...`, which from SIGUSR2 on notes the Python functions
that are running and writes them to FILE when it ends. Work in C counts for the function that called it.
"""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec

from benchmarks.ground import HOME, Server, started
from benchmarks.measure import Figure, Report
from benchmarks.online import CONNECTIONS, Bench
from laurels.__main__ import main as laurels

EVERY_SECONDS: Final = 0.001
DEEP: Final = 40

STAGES: Final = (
    # The first that a function on the stack belongs to, from the innermost outwards.
    ("decide", ("laurels/core/decide", "laurels/core/purchase", "laurels/core/rule", "laurels/core/accrual")),
    ("driver", ("asyncpg/", "<frozen abc>")),
    ("parse", ("laurels/core/activity", "laurels/intake/admission")),
    ("answer", ("laurels/api/answer",)),
    ("rows", ("laurels/store/recording", "laurels/store/digest", "laurels/core/journal", "laurels/core/facts")),
    ("log and metrics", ("structlog/", "prometheus_client/", "laurels/log", "laurels/api/metrics")),
    ("decide", ("laurels/core/", "laurels/intake/deciding")),
    ("batch", ("laurels/intake/",)),
    ("entrance", ("laurels/api/",)),
    ("http", ("uvicorn/", "h11/", "httptools/")),
)


def stage_of(stack: tuple[str, ...]) -> str:
    """What a stack of `file:function`, innermost first, was busy with."""
    for place in stack:
        for stage, parts in STAGES:
            if any(part in place for part in parts):
                return stage
    return "event loop"


def profile(bench: Bench) -> Report:
    """Purchases from 64 connections on a server that is watched."""
    file = HOME / "samples.json"
    file.unlink(missing_ok=True)
    members = bench.options.members
    with ExitStack() as stack:
        copy = bench.ground.copy("profile", bench.ground.template(members))
        stack.callback(bench.ground.drop, copy)
        with ExitStack() as inner:
            command = [sys.executable, "-m", "benchmarks.sampling", str(file), "serve", "--port", "0", "--json"]
            environment = {"LAURELS_DATABASE_URL": copy.url, "LAURELS_LOG_LEVEL": "warning"}
            process, first_line = inner.enter_context(started(command, environment))
            port = int(msgspec.json.decode(first_line())["address"].rpartition(":")[2])
            server = Server(process.pid, "127.0.0.1", port, copy.key)
            bench.slice(server, CONNECTIONS, 2.0, "purchases", (copy.key, f"{bench.run}.warm", members))
            process.send_signal(signal.SIGUSR2)
            seconds = 4.0 if bench.options.quick else 12.0
            done, cpu, _ = bench.slice(
                server, CONNECTIONS, seconds, "purchases", (copy.key, f"{bench.run}.profile", members)
            )
    samples: list[tuple[tuple[str, ...], int]] = msgspec.json.decode(
        file.read_bytes(), type=list[tuple[tuple[str, ...], int]]
    )
    total = sum(count for _, count in samples)
    each_us = cpu["server"] / done.answered * 1e6
    stages: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for places, count in samples:
        stages[stage_of(places)] += count
        functions[" < ".join(places[:2])] += count
    for place, count in functions.most_common(12):
        bench.say(f"  {count / total:6.1%}  {place}")
    return Report(
        [
            Figure(
                f"profile_{stage.replace(' ', '_')}_us",
                f"{stage}: of a server's processor time for a purchase, {count / total:.0%}",
                round(each_us * count / total, 1),
                "us",
            )
            for stage, count in stages.most_common()
        ]
    )


# --- in the server ---


def _places(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    for _ in range(DEEP):
        if frame is None:
            return
        yield frame.f_code.co_filename, frame.f_code.co_name
        frame = frame.f_back


def _short(place: tuple[str, str]) -> str:
    return f"{'/'.join(Path(place[0]).parts[-4:])}:{place[1]}"


def main() -> None:
    """The command line of Laurels, watched."""
    file = Path(sys.argv.pop(1))
    seen: Counter[tuple[tuple[str, str], ...]] = Counter()

    def note(_number: int, frame: FrameType | None) -> None:
        seen[tuple(_places(frame))] += 1

    def begin(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGPROF, note)
        signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)

    signal.signal(signal.SIGUSR2, begin)
    try:
        laurels()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        said = [(tuple(map(_short, places)), count) for places, count in seen.items()]
        file.write_bytes(msgspec.json.encode(said))


if __name__ == "__main__":
    main()
