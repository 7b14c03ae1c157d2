"""How fast the core is without a store: microseconds a purchase takes, by stage, on one core and on two at once.

`python -m benchmarks.replay` parses, decides and encodes the same purchases again and again, the stages taking turns,
and prints the median of the processor time of each. Members are values, so every round begins with the same ones.
Documents are handed to `decide` as the write path would: the pages that it needs, and that the order is new. Of a
decision nothing is kept but the member that it leads to, as in any stream of activities.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from benchmarks.workload import Sent, enrolments, purchases, versions
from laurels.core.activity import Activity, Purchase, parse
from laurels.core.decide import Circumstances, Decision, decide, needs
from laurels.core.facts import AnyFact, encode_facts
from laurels.core.member import ROOT, Document, Member, Missing, encode_document
from laurels.core.refusal import Refusal
from laurels.core.version import Versions

Result = TypeVar("Result")
KEPT = ("root", "lots", "measures")


class Bench:
    """The program and the purchases; `parse`, `decide` and `encode` run one stage over all of them."""

    def __init__(self, members: int, count: int, beside: str = "") -> None:
        self.versions: Versions = versions(beside)
        self.sent: tuple[Sent, ...] = tuple(purchases(members, count))
        self.members: dict[str, Member] = {}
        for decision in self._decide(self._parse(enrolments(members)), {}):
            self.members[decision.member.id] = decision.member
        self.purchases = list(self._parse(self.sent))
        decided = list(self._decide(self.purchases, dict(self.members)))
        self.facts: list[tuple[AnyFact, ...]] = [decision.facts for decision in decided]
        self.documents: list[list[Document | None]] = [
            [decision.member.documents[key] for key in decision.changed] for decision in decided
        ]

    def parse(self) -> None:
        """From JSON to activities."""
        for _ in self._parse(self.sent):
            pass

    def decide(self) -> None:
        """All purchases, each by the member as the one before left them."""
        for _ in self._decide(self.purchases, dict(self.members)):
            pass

    def encode(self) -> list[bytes]:
        """Facts as they are stored."""
        return [encode_facts(facts) for facts in self.facts]

    def state(self) -> list[list[bytes]]:
        """The documents that changed, as they are stored."""
        return [[encode_document(each) for each in documents if each is not None] for documents in self.documents]

    def _parse(self, sent: Iterable[Sent]) -> Iterator[Activity]:
        declared = self.versions.declared
        assert declared is not None
        for each in sent:
            activity = parse(
                source="bench",
                id=each.id,
                type=each.type,
                member=each.member,
                occurred_at=each.occurred_at,
                data=each.data,
                declared=declared,
            )
            assert isinstance(activity, Activity), activity
            yield activity

    def _decide(self, activities: Iterable[Activity], members: dict[str, Member]) -> Iterator[Decision]:
        for activity in activities:
            member = members.get(activity.member) or Member(activity.member, {ROOT: None})
            if isinstance(activity.data, Purchase):
                documents = {key: each for key, each in member.documents.items() if key.startswith(KEPT)}
                documents[f"order/{activity.data.order}"] = None
                if self.versions.has_vouchers:
                    asked = needs(self.versions, activity, member.root, activity.occurred_at)
                    documents = {**dict.fromkeys(asked), **documents}
                member = Member(member.id, documents)
            # Chance that is always the same: no code is made of it here.
            circumstances = Circumstances(activity.occurred_at, random="0" * 32)
            decided: Decision | Refusal | None = None
            while decided is None:
                try:
                    decided = decide(self.versions, member, activity, circumstances)
                except Missing as missing:
                    # Nothing was put away, so what is not here was never written.
                    member = Member(member.id, {**member.documents, **dict.fromkeys(missing.keys)})
            assert isinstance(decided, Decision), decided
            members[member.id] = decided.member
            yield decided


def timed(run: Callable[[], Result], count: int) -> float:
    """Microseconds of processor time for each of `count`."""
    start = time.process_time()
    run()
    return (time.process_time() - start) / count * 1e6


def measure(members: int, count: int, rounds: int, beside: str = "") -> dict[str, float]:
    """The median of each stage over interleaved rounds; `beside` as in `workload.program`."""
    bench = Bench(members, count, beside)
    # As the server does: what was there before the measuring is not looked through again and again.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    stages: dict[str, Callable[[], object]] = {
        "parse": bench.parse,
        "decide": bench.decide,
        "facts": bench.encode,
        "state": bench.state,
    }
    times: dict[str, list[float]] = {name: [] for name in stages}
    for _ in range(rounds):
        for name, run in stages.items():
            times[name].append(timed(run, count))
    return {name: statistics.median(each) for name, each in times.items()}


def main() -> None:
    """Measures and prints."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--members", type=int, default=500)
    options.add_argument("--purchases", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--processes", type=int, default=2, help="how many at once after one alone; 1: one alone only")
    given = options.parse_args()
    sizes = (given.members, given.purchases, given.rounds)
    show("one process", [measure(*sizes)])
    if given.processes > 1:
        with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
            show(f"{given.processes} processes", pool.starmap(measure, [sizes] * given.processes))


def show(title: str, measured: list[dict[str, float]]) -> None:
    """One line per stage: microseconds per purchase, and purchases per second of all processes together."""
    sys.stdout.write(f"{title}\n")
    for stage in measured[0]:
        times = [each[stage] for each in measured]
        rate = sum(1e6 / each for each in times)
        sys.stdout.write(f"  {stage:8}{statistics.mean(times):8.1f} us {rate:12,.0f}/s\n")


if __name__ == "__main__":
    main()
