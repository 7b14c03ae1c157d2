"""What clients see at the same time, on two servers, could have happened one after the other.

Every answer counts: the balances that come with what was accepted, the codes of refusals, and plain reads.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import asyncpg
import pytest

from laurels.clock import SetClock
from laurels.core.member import Balance, Member
from laurels.intake.batch import READ_MEMBERS
from laurels.intake.engine import Intake
from laurels.intake.submission import Outcome, Unavailable
from tests.api.harness import Api, activity, api
from tests.attack.depth import seed_of, size
from tests.attack.linear import Operation, Points, is_linearizable, points_after
from tests.attack.pairs import NOW, PROGRAM, enrol, spend
from tests.attack.servers import Server, found
from tests.stage import asynchronous, submission

Ask = Callable[[str, str, Any, str], Awaitable[Any]]
"""Asks a server: what, of what, for which member, with which id; the balances that it led to, or a refusal's code."""


async def history_of(ask: list[Ask], member: str, chance: Random, clients: int = 5, each: int = 4) -> list[Operation]:
    """What some clients ask of one member at the same time, each one thing after another."""
    count = itertools.count()
    history: list[Operation] = []

    async def client(name: int) -> None:
        for n in range(each):
            what = chance.choice(("earn", "hold", "hold", "capture", "cancel", "read", "read"))
            id = f"{member}.{name}.{n}"
            of: Any = None
            if what == "earn":
                of = chance.randint(1, 20)
            elif what == "hold":
                of = f"x{member}.{chance.randrange(clients)}.{n}.{name}", chance.randint(1, 20)
            elif what in ("capture", "cancel"):
                of = chance.choice([each.of[0] for each in history if each.what == "hold"] or [f"x{member}.0"])
            called = next(count)
            answer = await chance.choice(ask)(what, member, of, id)
            history.append(Operation(called, next(count), what, of, answer))

    await asyncio.gather(*[client(name) for name in range(clients)])
    return history


def asking(server: Server) -> Ask:
    """Asks an intake."""

    async def ask(what: str, member: str, of: Any, id: str) -> Any:
        if what == "read":
            looked = await server.intake.look(server.program, member)
            assert looked is not None
            return shown(looked)
        if what == "earn":
            data = {"wallet": "points", "points": of, "reason": "earned"}
            sent = submission("adjustment", member, data, id=id)
        elif what == "hold":
            sent = spend(member, of[1], of[0])
        else:
            sent = submission(f"redemption_{what}", member, {"redemption": of}, id=id)
        try:
            (outcome,) = await server.submit([sent])
        except Unavailable:
            return "unavailable"  # No order explains it: nothing is out of order here.
        return told(outcome)

    return ask


def told(outcome: Outcome) -> Any:
    if outcome.refusal is not None:
        return outcome.refusal.code
    return "invalid" if outcome.member_after is None else shown(outcome.member_after)


def shown(member: Member) -> tuple[int, int]:
    balance = member.root.wallets.get("points", Balance())
    return balance.available, balance.held


async def histories(url: str, count: int, **options: Any) -> list[list[Operation]]:
    """So many histories from two servers, ten members at a time."""
    seed = seed_of(3)
    print(f"LAURELS_SEED={seed}")
    chance = Random(seed)
    await found(url, "pairs", "live", PROGRAM, SetClock(NOW))
    servers = [Server(url, "pairs", SetClock(NOW), **options) for _ in range(2)]
    for server in servers:
        await server.start()
    try:
        seen: list[list[Operation]] = []
        ask = [asking(server) for server in servers]
        for begin in range(0, count, 10):
            names = [f"m{n}" for n in range(begin, begin + 10)]
            await servers[0].submit(enrol(*names))
            seen += await asyncio.gather(*[history_of(ask, name, chance) for name in names])
        return seen
    finally:
        for server in servers:
            await server.stop()


def unexplained(seen: list[list[Operation]]) -> list[list[Operation]]:
    """The histories that no order explains."""
    return [history for history in seen if not is_linearizable(history, Points(), points_after)]


@asynchronous
async def test_concurrent_histories_of_members_on_two_servers_are_linearizable(laurels_url: str) -> None:
    seen = await histories(laurels_url, size(150, 20_000))
    assert unexplained(seen) == []


@asynchronous
async def test_concurrent_histories_over_http_are_linearizable(laurels_url: str) -> None:
    document = PROGRAM.replace("program: pairs", "program: cafe")
    options: dict[str, Any] = {"mode": "live", "now": "2026-06-01T00:00:00Z"}
    seed = seed_of(4)
    print(f"LAURELS_SEED={seed}")
    chance = Random(seed)
    async with api(laurels_url, document=document, **options) as one, api(laurels_url, document=None, **options) as two:
        seen = []
        for n in range(size(20, 1000)):
            await one.enrol(f"m{n}")
            seen.append(await history_of([asking_api(one), asking_api(two)], f"m{n}", chance))
    assert unexplained(seen) == []


def asking_api(server: Api) -> Ask:
    """Asks an application over HTTP."""

    async def ask(what: str, member: str, of: Any, id: str) -> Any:
        if what == "read":
            balances = (await server.get(f"/v1/members/{member}/balances"))["wallets"].get("points")
            return (balances["available"], balances["held"]) if balances else (0, 0)
        if what == "earn":
            body = activity("adjustment", id, member, {"wallet": "points", "points": of, "reason": "earned"})
            answered = await server.post("/v1/activities", body)
            balance = answered["balances"]["points"]
            return balance["available"], balance["held"]
        path, wanted = f"/v1/redemptions/{of}/{what}", dict[str, Any]()
        if what == "hold":
            path = "/v1/redemptions"
            wanted = {"id": of[0], "member": member, "wallet": "points", "points": of[1]}
        response = await server.call("POST", path, wanted, key=id)
        if response.is_success:
            return "accepted"
        code = response.json()["code"]
        return "unknown_redemption" if code == "no_such_redemption" else code

    return ask


# --- the checker itself, and what it is there for ---------------------------------------------------------------------


def test_a_stale_read_is_refused() -> None:
    earned = Operation(0, 1, "earn", 10, (10, 0))
    stale = Operation(2, 3, "read", None, (0, 0))
    assert not is_linearizable([earned, stale], Points(), points_after)
    # While the earning was still going on, either answer would have done.
    assert is_linearizable([earned._replace(answered=4), stale], Points(), points_after)
    assert is_linearizable([earned, stale._replace(answer=(10, 0))], Points(), points_after)


def test_two_reads_that_see_two_writes_in_opposite_orders_are_refused() -> None:
    writes = [Operation(0, 9, "earn", 1, (1, 0)), Operation(0, 9, "earn", 2, (3, 0))]
    reads = [Operation(1, 2, "read", None, (1, 0)), Operation(3, 4, "read", None, (0, 0))]
    assert not is_linearizable([*writes, *reads], Points(), points_after)


def test_a_double_spend_is_refused() -> None:
    history = [
        Operation(0, 1, "earn", 10, (10, 0)),
        Operation(2, 5, "hold", ("x", 10), (0, 10)),
        Operation(3, 4, "hold", ("y", 10), (0, 10)),
    ]
    assert not is_linearizable(history, Points(), points_after)


@asynchronous
async def test_a_server_that_shows_what_it_saw_before_is_found(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[tuple[Intake, str], Member | None] = {}
    look = Intake.look

    async def remembering(self: Intake, program: str, member: str, *prefixes: str) -> Member | None:
        now = await look(self, program, member, *prefixes)
        before, seen[self, member] = seen.get((self, member), now), now
        return before

    monkeypatch.setattr(Intake, "look", remembering)
    assert unexplained(await histories(laurels_url, 20)) != []


@asynchronous
async def test_without_the_lock_and_the_gapless_number_histories_are_not_linearizable(laurels_url: str) -> None:
    owner = await asyncpg.connect(laurels_url)
    for table in ("activity", "entry"):
        await owner.execute(f"alter table laurels.{table} drop constraint {table}_pkey")
    await owner.close()
    assert unexplained(await histories(laurels_url, 20, lock_members=READ_MEMBERS)) != []
