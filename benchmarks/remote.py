"""What distance and a slow disk cost: single activities over HTTP, with PostgreSQL at the far end of a slow wire.

The wire is `benchmarks.relay`. All servers share one database, so that tables are the same for each; only the way there
differs. `local` goes through a relay too, one without delay, so that a ratio shows the delay and not the relay.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import msgspec

from benchmarks.ground import HOME, Copy, serving, started
from benchmarks.measure import Contest, Figure, Report, spread
from benchmarks.online import CONNECTIONS, Bench
from benchmarks.relay import Passed

MANY: Final = 512
LANES: Final = 8
COMMIT_MS: Final = 10


class Way(msgspec.Struct, frozen=True):
    """How a server reaches its database, and how it is asked."""

    what: str
    delay_ms: float = 0
    """Each way."""
    commit_ms: float = 0
    """How much longer a commit takes."""
    connections: int = CONNECTIONS
    lanes: int = 2


WAYS: Final[dict[str, Way]] = {
    "local": Way("a relay without delay"),
    "remote_1ms": Way("1 ms each way", 1),
    "remote_5ms": Way("5 ms each way", 5),
    "remote_5ms_lanes": Way(f"5 ms each way, {LANES} lanes", 5, lanes=LANES),
    "remote_5ms_many": Way(f"5 ms each way, {MANY} connections", 5, connections=MANY),
    "slow_commit": Way(f"commits take {COMMIT_MS} ms longer", commit_ms=COMMIT_MS),
}


def remote(bench: Bench) -> Report:
    """One server for each way to the database."""
    members = bench.options.members
    contest = Contest(bench.options, bench.say)
    with ExitStack() as stack:
        copy = bench.ground.copy("remote", bench.ground.template(members))
        stack.callback(bench.ground.drop, copy)
        direct = stack.enter_context(serving(copy))
        contest.add("direct", "no relay, 64 connections", bench.over_http(direct, members))
        for name, way in WAYS.items():
            there = stack.enter_context(_relayed(copy, name, way))
            server = stack.enter_context(serving(there, LAURELS_LANES=str(way.lanes)))
            contest.add(name, way.what, bench.over_http(server, members, connections=way.connections))
        contest.run()
    names = ["direct", *WAYS]
    figures = [
        contest.ratio(f"{name}_vs_local", f"{way.what}, beside no delay", name, "local", "", None)
        for name, way in WAYS.items()
        if name != "local"
    ]
    figures.append(contest.ratio("relay_vs_direct", "through a relay without delay", "local", "direct", "", None))
    for name in names:
        turns = contest.turns[name]
        for share, taken in (("p50", [turn.p50_ms for turn in turns]), ("p99", [turn.p99_ms for turn in turns])):
            figures.append(_within(f"{name}_{share}_ms", name, share, [each or 0.0 for each in taken]))
    return Report(figures, [contest.contender(name) for name in names])


def _within(figure: str, name: str, share: str, taken: list[float]) -> Figure:
    part = "half" if share == "p50" else "99 of 100"
    return spread(figure, f"{name}: {part} of all answers within", taken, "ms")


@contextmanager
def _relayed(copy: Copy, name: str, way: Way) -> Iterator[Copy]:
    """The database behind a relay; RuntimeError if commits that should have been held up were not."""
    file = HOME / f"relay_{name}.json"
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.relay", copy.url, str(way.delay_ms), str(way.commit_ms), str(file)]
    with started(command, {}) as (_, first_line):
        yield msgspec.structs.replace(copy, url=msgspec.json.decode(first_line())["url"])
    passed = msgspec.json.decode(file.read_bytes(), type=Passed)
    if way.commit_ms and passed.held < 0.9 * passed.committed:
        raise RuntimeError(f"{name}: only {passed.held} of {passed.committed} commits were held up")
    if not passed.committed:
        raise RuntimeError(f"{name}: nothing was committed through the relay")
