"""Deciding without a store, from `benchmarks.replay`: one process, then two at once.

A replay reads a purchase from its JSON and decides it. The stages are measured apart, in processor time; two processes
are compared by what each of them takes while the other runs.
"""

from __future__ import annotations

import multiprocessing
from statistics import median

from benchmarks import replay
from benchmarks.measure import Figure, Report, spread
from benchmarks.online import Bench

PROCESSES = 2


def replayed(bench: Bench) -> Report:
    """Rounds of one process and of two, taking turns."""
    rounds = 2 if bench.options.quick else 3
    sizes = (500, 5_000 if bench.options.quick else 10_000, 3)
    ones: list[dict[str, float]] = []
    twos: list[list[dict[str, float]]] = []
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        for number in range(rounds):
            ones += pool.starmap(replay.measure, [sizes])
            twos.append(pool.starmap(replay.measure, [sizes] * PROCESSES))
            alone, together = _rate(ones[-1]), sum([_rate(each) for each in twos[-1]])
            bench.say(f"  round {number + 1}: one {alone:,.0f}/s, two {together:,.0f}/s")
    figures = [
        spread(
            "replay_per_core",
            "purchases read and decided a second, one process",
            [_rate(one) for one in ones],
            "/s",
            "at least",
            40_000,
        ),
        spread(
            "replay_two_processes",
            "two processes, beside one",
            [sum(_rate(each) for each in two) / _rate(one) for one, two in zip(ones, twos, strict=True)],
            "x",
            "at least",
            1.8,
        ),
    ]
    for stage in ones[0]:
        value = median([one[stage] for one in ones])
        figures.append(Figure(f"replay_{stage}_us", f"of which {stage}, a purchase", round(value, 2), "us"))
    return Report(figures)


def _rate(stages: dict[str, float]) -> float:
    return 1e6 / (stages["parse"] + stages["decide"])
