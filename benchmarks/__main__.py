"""`python -m benchmarks`: the groups one after another, a table of what each found, and latest.json."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Final

from benchmarks import (
    alone,
    bulk,
    lots,
    memory,
    offers,
    online,
    quotes,
    remote,
    results,
    sampling,
    scale,
    verified,
    vouchers,
)
from benchmarks.ground import ground
from benchmarks.load import Load
from benchmarks.measure import Options, Report
from benchmarks.online import Bench

GROUPS: Final[dict[str, tuple[str, Callable[[Bench], Report]]]] = {
    "replay": ("deciding without a store", alone.replayed),
    "online": ("single activities over HTTP, beside pgbench and an ORM", online.online),
    "profile": ("where the server's processor time goes", sampling.profile),
    "few": ("one busy member, one connection", online.few),
    "bulk": ("a thousand a request, and importing", bulk.bulk),
    "mixed": ("a mix as in life", online.mixed),
    "lots": ("redeeming from 10,000 lots", lots.lots),
    "offers": ("promotions, vouchers and rewards in the program", offers.offers),
    "quotes": ("quoting a large cart under many promotions", quotes.quotes),
    "scale": ("many members beside few", scale.scale),
    "memory": ("memory under load", memory.memory),
    "verify": ("proving what is recorded", verified.verify),
    "vouchers": ("a million voucher codes", vouchers.vouchers),
    "remote": ("a database far away, a slow disk", remote.remote),
}
ASKED: Final = frozenset({"remote"})
"""Groups that run when they are named."""


def main() -> None:
    """Runs what was asked for."""
    given = _options()
    names = given.groups or [name for name in GROUPS if name not in ASKED]
    chosen = _chosen(given)
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    load = Load()
    try:
        with ground(say) as server:
            bench = Bench(server, load, chosen, say, f"{int(time.time()):x}")
            for number, name in enumerate(names, 1):
                title, run = GROUPS[name]
                say(f"[{number}/{len(names)}, {time.monotonic() - began:.0f} s] {name}: {title}")
                started = time.monotonic()
                report = run(bench)
                results.keep(name, report, time.monotonic() - started, chosen)
                say(results.table(report))
    finally:
        load.end()
    if not chosen.quick:
        results.write_pages()
    say(f"{time.monotonic() - began:.0f} s; results in {results.kept(chosen.quick).relative_to(results.HERE.parent)}")


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("groups", nargs="*", metavar="group", choices=[[], *GROUPS], help=", ".join(GROUPS))
    options.add_argument("--quick", action="store_true", help="about three minutes; says little, and is kept apart")
    options.add_argument("--rounds", type=int, help="counted rounds of each contest")
    options.add_argument("--seconds", type=float, help="seconds of a contender's turn")
    options.add_argument("--memory-minutes", type=float, help="minutes of load while memory is watched")
    options.add_argument("--many-members", type=int, help="members of the large database")
    options.add_argument("--verified", type=int, help="activities that are verified")
    return options.parse_args()


def _chosen(given: argparse.Namespace) -> Options:
    quick = Options(
        quick=True,
        rounds=2,
        fewer_rounds=2,
        seconds=1.5,
        members=20_000,
        many_members=100_000,
        memory_minutes=0.2,
        verified=10_000,
    )
    standard = quick if given.quick else Options()
    return Options(
        quick=given.quick,
        rounds=given.rounds or standard.rounds,
        fewer_rounds=given.rounds or standard.fewer_rounds,
        seconds=given.seconds or standard.seconds,
        members=standard.members,
        many_members=given.many_members or standard.many_members,
        memory_minutes=given.memory_minutes or standard.memory_minutes,
        verified=given.verified or standard.verified,
    )


if __name__ == "__main__":
    main()
