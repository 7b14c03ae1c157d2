"""What an activity costs among a million members beside what it costs among ten thousand.

The members' purchases are left out of the ledger here, so that a million of them fit; all that a purchase reads and
writes is there for each: the member, lots, orders, and the ids of their enrolments.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Final

from benchmarks.ground import serving
from benchmarks.measure import Contest, Report, Turn, spread
from benchmarks.online import Bench

FEW: Final = 10_000


def scale(bench: Bench) -> Report:
    """Few members and many, a server on each."""
    contest = Contest(bench.options, bench.say)
    many_members = bench.options.many_members
    with ExitStack() as stack:
        few = bench.ground.copy("few", bench.ground.template(FEW, short=True))
        stack.callback(bench.ground.drop, few)
        many = bench.ground.itself(bench.ground.template(many_members, short=True))
        few_server, many_server = [stack.enter_context(serving(copy)) for copy in (few, many)]
        contest.add("few_members", f"{FEW:,} members", bench.over_http(few_server, FEW))
        contest.add("many_members", f"{many_members:,} members", bench.over_http(many_server, many_members))
        contest.run()
    note = "" if many_members == 1_000_000 else f"with {many_members:,} members in place of 1,000,000"
    pairs = list(zip(contest.turns["many_members"], contest.turns["few_members"], strict=True))
    return Report(
        [
            spread(
                "scale_1m_vs_10k",
                "time per activity among 1,000,000 members, beside 10,000",
                [few_turn.per_second / many_turn.per_second for many_turn, few_turn in pairs],
                "x",
                "at most",
                1.3,
                note=note,
            ),
            spread(
                "scale_1m_vs_10k_cpu",
                "processor time per activity of server and database, likewise",
                [_cpu(many_turn) / _cpu(few_turn) for many_turn, few_turn in pairs],
                "x",
                "at most",
                1.3,
                note=note,
            ),
        ],
        [contest.contender("few_members"), contest.contender("many_members")],
    )


def _cpu(turn: Turn) -> float:
    used = turn.cpu.get("server", 0.0) + turn.cpu.get("postgresql", 0.0)
    return (used or turn.seconds) / turn.count
