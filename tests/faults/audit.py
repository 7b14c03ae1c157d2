"""The audit after a fault: what was answered is there exactly once, nothing is doubled, and `verify` finds nothing.

It reads the tables itself and does its own sums, by a program in which a yuan earns a point, so that it agrees with
the engine only where both are right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import asyncpg
import msgspec

from laurels.clock import RealClock
from laurels.proof.verifying import verify
from laurels.store.database import Database

STARS = 300

PROGRAM = f"""
program: cafe
time_zone: UTC
currency: CNY
wallets:
  points: {{expires: {{after: 12M}}}}
  stars: {{spendable: false}}
campaigns:
  base: {{on: purchase, grant: {{wallet: points, points: 1, per: "1.00"}}}}
  bonus: {{on: purchase, grant: {{wallet: stars, fixed: 5}}, limits: [{{budget: points, of: {STARS}, over: trim}}]}}
"""


class Told(msgspec.Struct):
    """An activity as it was sent, and its answer."""

    sent: dict[str, Any]
    told: dict[str, Any]


class Books(msgspec.Struct):
    """What was sent and what was answered. Points are those that an activity has to earn; None where it earns none.

    `held` are redemptions with their points, and `ended` says how those ended that did.
    """

    sent: dict[str, int | None] = {}
    acknowledged: set[str] = msgspec.field(default_factory=set)
    replayed: set[str] = msgspec.field(default_factory=set)
    held: dict[str, int] = {}
    ended: dict[str, str] = {}
    heard: Counter[str] = msgspec.field(default_factory=Counter)
    answers: dict[str, Told] = {}


class Lost(AssertionError):  # noqa: N818 - reads as what happened
    """Something that was answered is not there."""


async def audit(url: str, books: Books, *, program: str = "cafe") -> None:
    """Raises AssertionError where the database is not what was answered."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    try:
        await _audit_activities(connection, program, books.sent, books.acknowledged)
        await _audit_redemptions(connection, program, books.held)
        await _audit_accounts(connection, program)
    finally:
        await connection.close()
    await prove(url, program)


async def prove(url: str, program: str) -> None:
    """`verify` finds nothing."""
    database = await Database.open(url, connections_most=3)
    try:
        verdict = await verify(url, database, RealClock(), [program], processes=1)
    finally:
        await database.close()
    assert verdict.differences == []


async def _audit_activities(
    connection: asyncpg.Connection, program: str, sent: Mapping[str, int | None], acknowledged: Collection[str]
) -> None:
    rows = await connection.fetch(
        "select id from activity where program = $1 and source = 'pos' and type not like 'redemption%'", program
    )
    times = Counter(row[0] for row in rows)
    lost = sorted(set(acknowledged) - times.keys())
    if lost:
        raise Lost(f"{len(lost)} activities were answered and are not there, such as {lost[:3]}")
    assert not [id for id, count in times.items() if count > 1], "an activity is there twice"
    assert times.keys() <= sent.keys(), "an activity is there that nobody sent"
    earned: dict[str, int] = {
        row[0]: row[1]
        for row in await connection.fetch(
            "select a.id, coalesce(sum(e.points), 0)::bigint from activity a left join entry e "
            "on (e.program, e.member, e.seq) = (a.program, a.member, a.seq) and e.kind = 'accrual' "
            "and e.wallet = 'points' where a.program = $1 and a.source = 'pos' group by a.id",
            program,
        )
    }
    wrong = {id: (earned[id], points) for id, points in sent.items() if id in earned and earned[id] != (points or 0)}
    assert not wrong, f"(earned, due) of {wrong}"


async def _audit_redemptions(connection: asyncpg.Connection, program: str, held: Mapping[str, int]) -> None:
    taken: dict[str, int] = {
        row[0]: row[1]
        for row in await connection.fetch(
            "select redemption, sum(points)::bigint from entry where program = $1 and kind = 'redemption' "
            "and out_of = 'available' and redemption is not null group by redemption",
            program,
        )
    }
    lost = {id for id in held if id not in taken}
    if lost:
        raise Lost(f"{len(lost)} holds were answered and are not there")
    assert {id: taken[id] for id in held} == held, "a hold took something else than it says"


async def _audit_accounts(connection: asyncpg.Connection, program: str) -> None:
    transit = await connection.fetch(
        "select wallet, points from system_account where program = $1 and account = 'in_transit' and points <> 0",
        program,
    )
    pending = await connection.fetchval(
        "select count(*) from outbox where program = $1 and status in ('pending', 'returning')", program
    )
    assert bool(transit) <= bool(pending), f"points are on their way to nobody: {transit}"
    stars = await connection.fetchval(
        "select coalesce(sum(points), 0) from entry where program = $1 and kind = 'accrual' and wallet = 'stars'",
        program,
    )
    used = await connection.fetchval("select coalesce(sum(used), 0) from pool where program = $1", program)
    assert stars == used <= STARS, f"{stars} stars were given and {used} are counted, of {STARS}"
    below = await connection.fetch(
        "select member, wallet, account, points from member_account where program = $1 and points < 0", program
    )
    assert not below, f"somebody has less than nothing: {below}"
