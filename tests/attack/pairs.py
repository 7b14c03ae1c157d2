"""Pairs of requests that meet on two servers: what is prepared, what each sends, and what may come of it.

Every run has members of its own, named after its number, so that runs share a database and leave it to be verified.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import asyncpg

from laurels.clock import SetClock
from laurels.core.calendar import Instant
from laurels.intake.batch import PROBE
from laurels.intake.engine import Intake
from laurels.intake.submission import Outcome, Submission
from laurels.store.programs import Mode, publish
from tests.attack.interleaving import Side, label
from tests.stage import instant, purchase, read_program, submission

NOW = instant("2026-06-01")
SECOND = 1_000_000
PROBED = label(PROBE)

PROGRAM = """
program: pairs
time_zone: UTC
currency: CNY
wallets:
  points: {expires: {after: 12M}, when_spent: {debt: unlimited}}
campaigns:
  base: {on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}
"""
LIMITED = PROGRAM.replace('"1.00"}}', '"1.00"}, limits: [{per: member, every: day, points: 15, over: trim}]}')
BUDGET = PROGRAM.replace('"1.00"}}', '"1.00"}, limits: [{budget: points, of: 20, over: trim}]}')
TIMES = PROGRAM.replace('"1.00"}}', '"1.00"}, limits: [{budget: times, of: 1, over: refuse}]}')


class Server:
    """One of two servers: an intake on a gated database, with a clock of its own."""

    def __init__(self, side: Side, program: str, **options: Any) -> None:
        self.side = side
        self.program = program
        self.clock = SetClock(NOW)
        self.intake = Intake(side, self.clock, read_program, lanes=1, **options)

    async def send(self, *submissions: Submission) -> list[Outcome]:
        return await self.intake.submit(self.program, submissions)

    async def publish(self, document: str, at: Instant | None) -> Any:
        with self.side.gated():
            return await publish(self.side, self.clock, self.program, document, at)


class Audit(NamedTuple):
    """What is stored of a run: per member the balances by wallet account, and (type, id) of activities in order;
    of pools what was used, in all and of each; the newest version that a decision knew; all
    statements in their order, as their session and how they begin; and what the pair's own look found."""

    balances: dict[str, dict[str, int]]
    activities: dict[str, list[tuple[str, str]]]
    used: int
    pools: dict[str, int]
    known: int
    said: list[str]
    found: Any = None


Work = Callable[[Server, int], Awaitable[Any]]


def both(work: Callable[[str], Work]) -> dict[str, Work]:
    """Both sides do the same, each as itself."""
    return {side: work(side) for side in "ab"}


def other(side: str) -> str:
    return "b" if side == "a" else "a"


class Pair(NamedTuple):
    """`prepare` says what the members of run `n` did before; `right` whether the answers and the rows go together.

    `arrange` comes before what is prepared, and `look` after all. `free` are statements that come to the same wherever
    the other's stand.
    """

    document: str
    prepare: Callable[[int], Sequence[Submission]]
    works: dict[str, Work]
    right: Callable[[dict[str, Any], Audit], bool]
    mode: Mode = "live"
    clocks: tuple[Instant, Instant] = (NOW, NOW)
    fresh_program: bool = False
    errors_expected: bool = False
    arrange: Callable[[Server, int], Awaitable[None]] | None = None
    look: Callable[[asyncpg.Connection, str], Awaitable[Any]] | None = None
    free: frozenset[str] = frozenset()


def enrol(*members: str) -> list[Submission]:
    return [submission("enrol", member, at="2026-01-01") for member in members]


def give(member: str, points: int, at: str = "2026-01-02", **more: Any) -> Submission:
    data = {"wallet": "points", "points": points, "reason": "to begin with", **more}
    return submission("adjustment", member, data, id=f"give/{member}", at=at)


def spend(member: str, points: int, id: str, *, hold: bool = True) -> Submission:
    data = {"redemption": id, "wallet": "points", "points": points, "hold": hold}
    return submission("redemption", member, data, id=id)


def transfer(member: str, to: str) -> Submission:
    return submission("transfer", member, {"to": to, "wallet": "points", "points": 100})


def buy(member: str, order: str, amount: str, id: str | None = None, at: str = "2026-06-01") -> Submission:
    return submission("purchase", member, purchase(order, amount), id=id or f"{order}/{member}", at=at)


def statuses(answers: dict[str, Any]) -> list[str]:
    """What each of two was answered, as status or refusal's code, sorted."""
    return sorted(code(outcome) for outcomes in answers.values() for outcome in outcomes)


def code(outcome: Outcome) -> str:
    return outcome.refusal.code if outcome.refusal else outcome.status


def _double_spend(answers: dict[str, Any], audit: Audit) -> bool:
    (balance,) = audit.balances.values()
    return statuses(answers) == ["accepted", "insufficient_points"] and balance == {"held": 100}


def _same_twice(answers: dict[str, Any], audit: Audit) -> bool:
    ((member, rows),) = audit.activities.items()
    once = len(rows) == 2 and answers["a"][0].seq == answers["b"][0].seq == 2
    return once and statuses(answers) == ["accepted", "replayed"] and audit.balances[member] == {"available": 10}


def _one_id(answers: dict[str, Any], audit: Audit) -> bool:
    earned = [balance.get("available", 0) for balance in audit.balances.values()]
    return statuses(answers) == ["accepted", "activity_conflict"] and sum(earned) == 10


def _fifteen(answers: dict[str, Any], audit: Audit) -> bool:
    earned = sum(balance.get("available", 0) for balance in audit.balances.values())
    return statuses(answers) == ["accepted", "accepted"] and earned == 15


def _budget(answers: dict[str, Any], audit: Audit) -> bool:
    return _fifteen(answers, audit) and audit.used == 20


def _first_budget(answers: dict[str, Any], audit: Audit) -> bool:
    earned = sum(balance.get("available", 0) for balance in audit.balances.values())
    return statuses(answers) == ["accepted", "accepted"] and earned == audit.used == 20


def _one_time(answers: dict[str, Any], audit: Audit) -> bool:
    earned = sorted(balance.get("available", 0) for balance in audit.balances.values())
    return statuses(answers) == ["accepted", "accepted"] and sum(earned) == 10 and audit.used == 1


def _held_or_expired(answers: dict[str, Any], audit: Audit) -> bool:
    (balance,) = audit.balances.values()
    if code(answers["a"][0]) == "accepted":
        return balance == {"held": 100}
    return code(answers["a"][0]) == "insufficient_points" and balance == {}


def _return_or_redeem(answers: dict[str, Any], audit: Audit) -> bool:
    (balance,) = audit.balances.values()
    if code(answers["b"][0]) == "accepted":
        return code(answers["a"][0]) == "accepted" and balance == {"held": 100, "debt": -100}
    return statuses(answers) == ["accepted", "insufficient_points"] and balance == {}


def _captured_or_cancelled(answers: dict[str, Any], audit: Audit) -> bool:
    (balance,) = audit.balances.values()
    must = {} if code(answers["a"][0]) == "accepted" else {"available": 100}
    return statuses(answers) == ["accepted", "redemption_not_held"] and balance == must


def _captured_or_timed_out(answers: dict[str, Any], audit: Audit) -> bool:
    (balance,) = audit.balances.values()
    return balance == ({} if code(answers["a"][0]) == "accepted" else {"available": 100})


def _published(answers: dict[str, Any], audit: Audit) -> bool:
    """The points are those of the version that the answer names, and a version counts from where it takes effect."""
    (outcome,), version = answers["b"], answers["a"]
    (balance,) = audit.balances.values()
    by = {1: 10, 2: 20}[audit.known]
    if by != 20 and audit.said.index("a commit") < audit.said.index(f"b {PROBED}"):
        return False  # Whoever probes after the commit knows of it.
    return (
        code(outcome) == "accepted"
        and outcome.version == audit.known == version.number - (by == 10)
        and (balance == {"available": by})
    )


def _two_versions(answers: dict[str, Any], _audit: Audit) -> bool:
    return sorted(version.number for version in answers.values()) == [2, 3]


def _crossed(answers: dict[str, Any], audit: Audit) -> bool:
    followed = [outcome.follow_ups[0].status for outcomes in answers.values() for outcome in outcomes]
    both = all(balance == {"available": 100} for balance in audit.balances.values())
    return statuses(answers) == ["accepted", "accepted"] and followed == ["accepted", "accepted"] and both


def _sent_or_spent(answers: dict[str, Any], audit: Audit) -> bool:
    balances = [*audit.balances.values()]
    if code(answers["a"][0]) == "accepted":
        right = balances == [{}, {"available": 100}]
    else:
        right = balances == [{"held": 100}, {}]
    return right and statuses(answers) == ["accepted", "insufficient_points"]


def _enrolled_once(answers: dict[str, Any], audit: Audit) -> bool:
    return statuses(answers) == ["accepted", "already_enrolled"] and [len(r) for r in audit.activities.values()] == [1]


def _all_accepted(answers: dict[str, Any], audit: Audit) -> bool:
    earned = [balance.get("available", 0) for balance in audit.balances.values()]
    return set(statuses(answers)) == {"accepted"} and earned == [20, 20]


def _clock(member: str, due: Instant) -> Submission:
    return Submission("laurels", f"clock/{member}/{due}", "clock", member, due, b"{}")


async def _sweep(server: Server, _n: int) -> int:
    return await server.intake.sweep(server.program, 10)


EXPIRY = NOW + 60 * SECOND

PAIRS: dict[str, Pair] = {
    "two redemptions of the last points": Pair(
        PROGRAM,
        lambda n: [*enrol(f"m{n}"), give(f"m{n}", 100)],
        both(lambda side: lambda s, n: s.send(spend(f"m{n}", 100, f"{side}{n}"))),
        _double_spend,
    ),
    "the same activity twice": Pair(
        PROGRAM,
        lambda n: enrol(f"m{n}"),
        both(lambda _side: lambda s, n: s.send(give(f"m{n}", 10))),
        _same_twice,
    ),
    "one id for two bodies": Pair(
        PROGRAM,
        lambda n: enrol(f"m{n}"),
        both(lambda side: lambda s, n: s.send(buy(f"m{n}", side, "10.00", id=f"r{n}"))),
        _one_id,
    ),
    "one id for two members": Pair(
        PROGRAM,
        lambda n: enrol(f"m{n}a", f"m{n}b"),
        both(lambda side: lambda s, n: s.send(buy(f"m{n}{side}", "o", "10.00", id=f"r{n}"))),
        _one_id,
        errors_expected=True,
    ),
    "a limit for two purchases": Pair(
        LIMITED,
        lambda n: enrol(f"m{n}"),
        both(lambda side: lambda s, n: s.send(buy(f"m{n}", side, "10.00"))),
        _fifteen,
    ),
    "a budget for two members": Pair(
        BUDGET,
        lambda n: [*enrol(f"m{n}a", f"m{n}b", f"m{n}c"), buy(f"m{n}c", "o", "5.00")],
        both(lambda side: lambda s, n: s.send(buy(f"m{n}{side}", "o", "10.00"))),
        _budget,
        fresh_program=True,
    ),
    "the first two of a budget": Pair(
        BUDGET,
        lambda n: enrol(f"m{n}a", f"m{n}b"),
        both(lambda side: lambda s, n: s.send(buy(f"m{n}{side}", "o", "13.00"))),
        _first_budget,
        fresh_program=True,
    ),
    "the last one of a budget in times": Pair(
        TIMES,
        lambda n: enrol(f"m{n}a", f"m{n}b"),
        both(lambda side: lambda s, n: s.send(buy(f"m{n}{side}", "o", "10.00"))),
        _one_time,
        fresh_program=True,
    ),
    "a hold and the expiry of its points": Pair(
        PROGRAM,
        lambda n: [*enrol(f"m{n}"), give(f"m{n}", 100, expires_at="2026-06-01T00:01:00Z")],
        {"a": lambda s, n: s.send(spend(f"m{n}", 100, f"x{n}")), "b": _sweep},
        _held_or_expired,
        clocks=(EXPIRY - 1, EXPIRY),
    ),
    "a return and a redemption of what it takes": Pair(
        PROGRAM,
        lambda n: [*enrol(f"m{n}"), buy(f"m{n}", "o", "100.00", at="2026-05-01")],
        {
            "a": lambda s, n: s.send(submission("return", f"m{n}", {"order": "o"}, id=f"back{n}")),
            "b": lambda s, n: s.send(spend(f"m{n}", 100, f"x{n}")),
        },
        _return_or_redeem,
    ),
    "a capture and a cancellation": Pair(
        PROGRAM,
        lambda n: [*enrol(f"m{n}"), give(f"m{n}", 100), spend(f"m{n}", 100, f"x{n}")],
        {
            "a": lambda s, n: s.send(submission("redemption_capture", f"m{n}", {"redemption": f"x{n}"}, id=f"c{n}")),
            "b": lambda s, n: s.send(submission("redemption_cancel", f"m{n}", {"redemption": f"x{n}"}, id=f"d{n}")),
        },
        _captured_or_cancelled,
    ),
    "a capture and the end of its hold": Pair(
        PROGRAM.replace("expires:", "hold: 1H, expires:"),
        lambda n: [*enrol(f"m{n}"), give(f"m{n}", 100), spend(f"m{n}", 100, f"x{n}")],
        {
            "a": lambda s, n: s.send(submission("redemption_capture", f"m{n}", {"redemption": f"x{n}"}, id=f"c{n}")),
            "b": _sweep,
        },
        _captured_or_timed_out,
        clocks=(NOW + 3600 * SECOND - 1, NOW + 3600 * SECOND),
    ),
    "a version and a purchase": Pair(
        PROGRAM,
        lambda n: enrol(f"m{n}"),
        {
            "a": lambda s, _n: s.publish(PROGRAM.replace("points: 1,", "points: 2,"), None),
            "b": lambda s, n: s.send(buy(f"m{n}", "o", "10.00", at="2026-06-01 00:01")),
        },
        _published,
        fresh_program=True,
    ),
    "a version and a purchase in a sandbox": Pair(
        PROGRAM,
        lambda n: enrol(f"m{n}"),
        {
            "a": lambda s, _n: s.publish(PROGRAM.replace("points: 1,", "points: 2,"), None),
            "b": lambda s, n: s.send(buy(f"m{n}", "o", "10.00")),
        },
        _published,
        mode="sandbox",
        fresh_program=True,
    ),
    "two versions": Pair(
        PROGRAM,
        lambda n: enrol(f"m{n}"),
        both(lambda _side: lambda s, _n: s.publish(PROGRAM, None)),
        _two_versions,
        fresh_program=True,
    ),
    "two transfers that cross": Pair(
        PROGRAM,
        lambda n: [*enrol(f"m{n}a", f"m{n}b"), give(f"m{n}a", 100), give(f"m{n}b", 100)],
        both(lambda side: lambda s, n: s.send(transfer(f"m{n}{side}", f"m{n}{other(side)}"))),
        _crossed,
    ),
    "a transfer and a redemption of the same points": Pair(
        PROGRAM,
        lambda n: [*enrol(f"m{n}a", f"m{n}b"), give(f"m{n}a", 100)],
        {
            "a": lambda s, n: s.send(transfer(f"m{n}a", f"m{n}b")),
            "b": lambda s, n: s.send(spend(f"m{n}a", 100, f"x{n}")),
        },
        _sent_or_spent,
    ),
    "two enrolments": Pair(
        PROGRAM,
        lambda n: [],
        both(lambda side: lambda s, n: s.send(submission("enrol", f"m{n}", id=f"{side}{n}"))),
        _enrolled_once,
        errors_expected=True,
    ),
    "two batches over the same members in opposite orders": Pair(
        PROGRAM,
        lambda n: enrol(f"m{n}a", f"m{n}b"),
        both(lambda side: lambda s, n: s.send(*[buy(f"m{n}{who}", side, "10.00") for who in (side, other(side))])),
        _all_accepted,
    ),
}
