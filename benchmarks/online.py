"""Single activities over HTTP, each answered when it is durable, beside the same transaction by pgbench and by an ORM.

Laurels runs as `laurels serve` in one process and in two, on the embedded PostgreSQL with its ordinary settings, each
contender on its own copy of the same database. Sixty-four connections send one purchase of three lines at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

import msgspec

from benchmarks.ground import Copy, Ground, Server, serving, started
from benchmarks.load import Done, Load, Wanted
from benchmarks.measure import Contest, Figure, Options, Play, Report, Say, Turn, spread
from benchmarks.transaction import Pgbench, Shape, shapes

CONNECTIONS: Final = 64
CLIENTS: Final = 16
RATE_AT_FIRST: Final = 6_000
"""Requests made beforehand for each second of a server's first turn; later ones go by what it managed."""


class Bench(msgspec.Struct):
    """What the programs of a run share."""

    ground: Ground
    load: Load
    options: Options
    say: Say
    run: str = ""
    """What ids of this run begin with: one that is kept for the next run has those of the last."""
    found: dict[int, list[Shape]] = {}
    rates: dict[tuple[int, str], float] = {}

    def shapes(self, members: int) -> list[Shape]:
        """What a purchase writes, recorded once a run."""
        if members not in self.found:
            copy = self.ground.copy("shapes", self.ground.template(members))
            self.found[members] = shapes(copy, members)
            self.ground.drop(copy)
        return self.found[members]

    def over_http(
        self,
        server: Server,
        members: int,
        *,
        connections: int = CONNECTIONS,
        maker: str = "purchases",
        each: int = 1,
    ) -> Play:
        """A contender that answers HTTP, `each` activities a request."""

        def play(mark: str, seconds: float) -> Turn:
            done, cpu, written = self.slice(
                server, connections, seconds, maker, (server.key, f"{self.run}.{mark}", members)
            )
            kinds = {kind: (done.percentile_ms(0.5, kind), done.percentile_ms(0.99, kind)) for kind in done.latencies}
            return Turn(
                done.answered * each,
                done.seconds,
                cpu,
                written,
                done.percentile_ms(0.5),
                done.percentile_ms(0.99),
                kinds if len(kinds) > 1 else {},
            )

        return play

    def slice(
        self, server: Server, connections: int, seconds: float, maker: str, arguments: tuple[str | int, ...]
    ) -> tuple[Done, dict[str, float], int]:
        """Some seconds of load on a server, and what it took: processor seconds by process, bytes of log."""
        rate = self.rates.get((server.port, maker), RATE_AT_FIRST)
        count = int(seconds * rate * 1.6) + 2_000
        self.load.prepare(
            Wanted(server.host, server.port, connections, seconds, f"benchmarks.requests.{maker}", (*arguments, count))
        )
        self.ground.checkpoint()
        meter = self.ground.meter(server.pid)
        done = self.load.go()
        cpu, written = meter.read()
        self.rates[server.port, maker] = done.per_second
        return done, {**cpu, "client": done.cpu_seconds}, written

    def by_pgbench(self, pgbench: Pgbench, clients: int) -> Play:
        """A contender that is pgbench."""

        def play(_mark: str, seconds: float) -> Turn:
            self.ground.checkpoint()
            meter = self.ground.meter()
            turn = pgbench.play(seconds, clients)
            cpu, written = meter.read()
            return msgspec.structs.replace(turn, cpu={**turn.cpu, **cpu}, wal_bytes=written)

        return play


def online(bench: Bench) -> Report:
    """One process and two, beside pgbench and beside an ORM."""
    members = bench.options.members
    found = bench.shapes(members)
    contest = Contest(bench.options, bench.say, rounds=bench.options.rounds)
    with ExitStack() as stack:
        copies = {name: copied(bench, stack, name) for name in ("laurels", "laurels_2p", "pgbench", "orm")}
        one = stack.enter_context(serving(copies["laurels"]))
        two = stack.enter_context(serving(copies["laurels_2p"], processes=2))
        orm = stack.enter_context(_orm(copies["orm"]))
        pgbench = Pgbench(copies["pgbench"], found, members)
        contest.add("laurels", "laurels serve, 64 connections", bench.over_http(one, members))
        contest.add("pgbench", "the same transaction by hand, 16 clients", bench.by_pgbench(pgbench, CLIENTS))
        contest.add("laurels_2p", "laurels serve --processes 2, 64 connections", bench.over_http(two, members))
        contest.add("orm", "FastAPI and SQLAlchemy, 64 connections", bench.over_http(orm, members))
        before = {name: bench.ground.rows(copy) for name, copy in copies.items()}
        contest.run()
        rows = rows_each(bench.ground, copies, before)
    p99 = [turn.p99_ms or 0.0 for turn in contest.turns["laurels"]]
    p50 = [turn.p50_ms or 0.0 for turn in contest.turns["laurels"]]
    return Report(
        [
            contest.ratio("online_vs_pgbench", "one process, beside pgbench", "laurels", "pgbench", "at least", 1.2),
            contest.ratio(
                "online_vs_pgbench_2p", "two processes, beside pgbench", "laurels_2p", "pgbench", "at least", 1.5
            ),
            contest.ratio("online_vs_orm", "one process, beside an ORM", "laurels", "orm", "at least", 10),
            spread("online_p99_ms", "one process, 99 of 100 answers within", p99, "ms", "at most", 60),
            spread("online_p50_ms", "one process, half of all answers within", p50, "ms"),
        ],
        [contest.contender(name, rows[name]) for name in copies],
    )


def few(bench: Bench) -> Report:
    """One busy member beside many, and one connection beside a transaction a request."""
    members = bench.options.members
    found = bench.shapes(members)
    contest = Contest(bench.options, bench.say)
    with ExitStack() as stack:
        copies = {name: copied(bench, stack, name) for name in ("many", "hot", "single", "orm_1", "pgbench_1")}
        servers = {name: stack.enter_context(serving(copies[name])) for name in ("many", "hot", "single")}
        servers["orm_1"] = stack.enter_context(_orm(copies["orm_1"]))
        pgbench = Pgbench(copies["pgbench_1"], found, members)
        contest.add("many", "64 connections, members drawn evenly", bench.over_http(servers["many"], members))
        contest.add(
            "hot", "64 connections, all for one member", bench.over_http(servers["hot"], members, maker="hot_purchases")
        )
        contest.add("single", "one connection", bench.over_http(servers["single"], members, connections=1))
        contest.add(
            "orm_1",
            "a transaction a request with an ORM, one connection",
            bench.over_http(servers["orm_1"], members, connections=1),
        )
        contest.add("pgbench_1", "the same transaction by hand, one client", bench.by_pgbench(pgbench, 1))
        before = {name: bench.ground.rows(copy) for name, copy in copies.items()}
        contest.run()
        rows = rows_each(bench.ground, copies, before)
    return Report(
        [
            contest.ratio("hot_vs_many", "one busy member, beside many", "hot", "many", "at least", 1),
            contest.ratio(
                "single_connection_vs_orm",
                "one connection, beside a transaction a request over HTTP",
                "single",
                "orm_1",
                "at least",
                1,
            ),
            contest.ratio(
                "single_connection_vs_pgbench",
                "one connection over HTTP, beside one client of pgbench, which speaks no HTTP",
                "single",
                "pgbench_1",
                "",
                None,
            ),
        ],
        [contest.contender(name, rows[name]) for name in copies],
    )


def mixed(bench: Bench) -> Report:
    """A mix as in life beside purchases alone."""
    members = bench.options.members
    contest = Contest(bench.options, bench.say)
    with ExitStack() as stack:
        copies = {name: copied(bench, stack, name) for name in ("purchases", "mixed")}
        servers = {name: stack.enter_context(serving(copy)) for name, copy in copies.items()}
        contest.add("purchases", "purchases alone, 64 connections", bench.over_http(servers["purchases"], members))
        contest.add(
            "mixed",
            "of ten: 7 purchases, a return, a redemption, a look at balances",
            bench.over_http(servers["mixed"], members, maker="mix"),
        )
        contest.run()
    mix = contest.contender("mixed")
    figures = [
        contest.ratio("mixed_vs_purchases", "a mix as in life, beside purchases alone", "mixed", "purchases", "", None)
    ]
    for kind, (p50, p99) in mix.by_kind.items():
        figures.append(Figure(f"mixed_{kind}_p50_ms", f"mix, {kind}: half within", p50, "ms"))
        figures.append(Figure(f"mixed_{kind}_p99_ms", f"mix, {kind}: 99 of 100 within", p99, "ms"))
    return Report(figures, [contest.contender("purchases"), mix])


def copied(bench: Bench, stack: ExitStack, name: str) -> Copy:
    copy = bench.ground.copy(name, bench.ground.template(bench.options.members))
    stack.callback(bench.ground.drop, copy)
    return copy


@contextmanager
def _orm(copy: Copy) -> Iterator[Server]:
    with started([sys.executable, "-m", "benchmarks.orm", copy.url], {}) as (process, first_line):
        address = msgspec.json.decode(first_line())
        yield Server(process.pid, "127.0.0.1", address["port"], copy.key)


def rows_each(
    ground: Ground, copies: Mapping[str, Copy], before: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, float]]:
    """How many rows each table of a contender grew by for each activity recorded."""
    found = {}
    for name, copy in copies.items():
        grown = {table: count - before[name][table] for table, count in ground.rows(copy).items()}
        activities = max(1, grown["activity"])
        found[name] = {table: round(count / activities, 3) for table, count in grown.items() if count}
        found[name]["activity"] = grown["activity"]
    return found
