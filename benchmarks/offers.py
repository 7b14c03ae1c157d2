"""The purchases of the foundation again, with promotions, vouchers and rewards in the program, in turns with it."""

from __future__ import annotations

import multiprocessing
from contextlib import ExitStack
from statistics import median

from benchmarks import replay
from benchmarks.ground import serving
from benchmarks.measure import Contest, Figure, Report, Turn, spread
from benchmarks.online import Bench, copied, rows_each
from benchmarks.workload import OFFERS


def offers(bench: Bench) -> Report:
    """Over HTTP, each on its copy of a database, then in the core alone."""
    members = bench.options.members
    # The machine moves more between turns than what is asked for: more rounds than elsewhere.
    contest = Contest(bench.options, bench.say, rounds=bench.options.rounds + 2)
    with ExitStack() as stack:
        copies = {name: copied(bench, stack, name) for name in ("plain", "offers")}
        # Each has a new version: what members take over with it, once, is not what is measured.
        bench.ground.published(copies["plain"], "")
        bench.ground.published(copies["offers"], OFFERS)
        servers = {name: stack.enter_context(serving(copy)) for name, copy in copies.items()}
        contest.add("plain", "the foundation's program, 64 connections", bench.over_http(servers["plain"], members))
        contest.add(
            "offers",
            "with promotions, vouchers and rewards beside it",
            bench.over_http(servers["offers"], members),
        )
        before = {name: bench.ground.rows(copy) for name, copy in copies.items()}
        contest.run()
        rows = rows_each(bench.ground, copies, before)
    pairs = list(zip(contest.turns["offers"], contest.turns["plain"], strict=True))
    figures = [
        spread(
            "offers_vs_plain",
            "time of an activity with promotions, vouchers and rewards in the program, beside one without",
            [plain.per_second / with_.per_second for with_, plain in pairs],
            "x",
            "at most",
            1.25,
        ),
        spread(
            "offers_cost_vs_plain",
            "the same in processor time of server and database",
            [_cost(with_) / _cost(plain) for with_, plain in pairs],
            "x",
            "at most",
            1.25,
        ),
    ]
    return Report(figures + _in_the_core(bench), [contest.contender(name, rows[name]) for name in copies])


def _cost(turn: Turn) -> float:
    return sum([seconds for who, seconds in turn.cpu.items() if who != "client"]) / turn.count


def _in_the_core(bench: Bench) -> list[Figure]:
    """The same decided without a store."""
    sizes = (500, 3_000 if bench.options.quick else 6_000, 3)
    plain: list[float] = []
    offers: list[float] = []
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for number in range(3):
            plain += [sum(each.values()) for each in pool.starmap(replay.measure, [sizes])]
            offers += [sum(each.values()) for each in pool.starmap(replay.measure, [(*sizes, OFFERS)])]
            bench.say(f"  round {number + 1}: plain {plain[-1]:.0f} us, with offers {offers[-1]:.0f} us")
    ratios = [with_ / without for with_, without in zip(offers, plain, strict=True)]
    what = "a purchase with promotions, vouchers and rewards in the program, beside one without"
    return [
        spread("offers_core_vs_plain", what, ratios, "x", note="the core alone"),
        Figure("offers_us", "processor time of a purchase with them", round(median(offers), 1), "us"),
        Figure("offers_plain_us", "and without", round(median(plain), 1), "us"),
    ]
