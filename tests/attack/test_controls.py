"""Each guard of the write path is taken away once, and the attacks notice: what they cannot find they do not prove.

Most laws have two guards. The lock goes first, and a failing statement shows that it was needed; with the index behind
it gone as well, points are doubled or lost.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from laurels.intake import batch, settling
from laurels.intake.batch import LOCK_MEMBERS, LOCK_POOLS, PROBE, READ_MEMBERS, Batch
from laurels.intake.head import Head, Heads
from laurels.store import draws, recording
from laurels.store.database import Connection
from laurels.store.programs import Mode
from laurels.store.recording import RECORD
from tests.attack.life import Life
from tests.attack.meeting import CORRUPT, FAILED, WRONG, attack
from tests.attack.pairs import PAIRS
from tests.attack.pairs_of_offers import DRAWING, OFFERS
from tests.attack.reconciling import Found
from tests.stage import asynchronous

STEPS = 12_000


async def without(url: str, *constraints: str) -> None:
    """The database loses these."""
    owner = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    for constraint in constraints:
        if constraint == "activity_id":
            await owner.execute("drop index activity_id")
            await owner.execute("create index activity_id on activity (program, source, id)")
        else:
            table = constraint.removesuffix("_pkey")
            await owner.execute(f"alter table {table} drop constraint {constraint}")
            await owner.execute(f"create index {constraint} on {table} (program, member, seq)")
    await owner.close()


NUMBERS = ("activity_pkey", "entry_pkey")


class Together(Batch):
    """Locks the members and probes the ids in one statement, whose snapshot is older than its locks."""

    _probed: Any = None

    async def record(self) -> Any:
        mine = self

        class Both:
            """The connection, with one statement in place of two."""

            def __init__(self, connection: Connection) -> None:
                self._connection = connection

            def __getattr__(self, name: str) -> Any:
                return getattr(self._connection, name)

            async def fetch(self, statement: str, *arguments: Any) -> Any:
                if statement == LOCK_MEMBERS:
                    probe = PROBE.replace("$2", "$4").replace("$3", "$5")
                    sql = (
                        f"with m as materialized ({LOCK_MEMBERS}\n), h as materialized ({probe}\n) "
                        "select (select json_agg(m) from m), (select json_agg(h) from h)"
                    )
                    sent = [item.submission for item in mine._items]
                    row = await self._connection.fetchrow(
                        sql, *arguments, [each.source for each in sent], [each.id for each in sent]
                    )
                    assert row is not None
                    mine._probed = json.loads(row[1] or "[]")
                    return [(each["id"], each["root"], each["sealed_at"]) for each in json.loads(row[0] or "[]")]
                if statement == PROBE:
                    return mine._probed
                return await self._connection.fetch(statement, *arguments)

        self._connection = Both(self._connection)  # type: ignore[assignment]  # as much of one as a batch uses
        return await super().record()


def probe_with_the_lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("laurels.intake.settling.Batch", Together)


def record_as(old: str, new: str) -> Callable[[pytest.MonkeyPatch], None]:
    def change(patch: pytest.MonkeyPatch) -> None:
        assert old in RECORD
        patch.setattr(recording, "RECORD", RECORD.replace(old, new))

    return change


UPDATE = "set seq = excluded.seq, root = excluded.root, wake_at = excluded.wake_at"
without_update = record_as(UPDATE, "set wake_at = excluded.wake_at")
without_number = record_as(UPDATE, "set root = excluded.root, wake_at = excluded.wake_at")
overwriting_pools = record_as("then p.used + w.by end", "then w.by end")


def leave_pools_unlocked(patch: pytest.MonkeyPatch) -> None:
    assert "for update" in LOCK_POOLS
    patch.setattr(batch, "LOCK_POOLS", LOCK_POOLS.replace("for update", ""))


def remember_the_head(patch: pytest.MonkeyPatch) -> None:
    """A process that reads what a program is once and for all."""
    read = Heads.matching

    async def once(self: Heads, connection: Connection, program: str, mode: Mode, number: int) -> Head:
        known = self._heads.get(program)
        return known if known is not None else await read(self, connection, program, mode, number)

    patch.setattr(Heads, "matching", once)


def change_nothing(_patch: pytest.MonkeyPatch) -> None:
    """The guard is an option or a constraint."""


UNLOCKED = {"lock_members": READ_MEMBERS}
SPEND = "two redemptions of the last points"
TWICE = "the same activity twice"

INTERLEAVED = {
    "no lock": (SPEND, change_nothing, UNLOCKED, (), {FAILED}),
    "no lock and no number": (SPEND, change_nothing, UNLOCKED, NUMBERS, {WRONG, CORRUPT}),
    "no lock, a limit": ("a limit for two purchases", change_nothing, UNLOCKED, NUMBERS, {WRONG, CORRUPT}),
    "no lock, a return": (
        "a return and a redemption of what it takes", change_nothing, UNLOCKED, NUMBERS, {WRONG, CORRUPT},
    ),
    "no lock, an expiry": ("a hold and the expiry of its points", change_nothing, UNLOCKED, NUMBERS, {WRONG, CORRUPT}),
    "no second statement": (TWICE, probe_with_the_lock, {}, (), {FAILED}),
    "no second statement and no index": (TWICE, probe_with_the_lock, {}, ("activity_id",), {WRONG}),
    "no index of ids": ("one id for two members", change_nothing, {}, ("activity_id",), {WRONG}),
    "no update of the member": (SPEND, without_update, {}, NUMBERS, {WRONG, CORRUPT}),
    "no number on the member": (SPEND, without_number, {}, (), {CORRUPT}),
    "no lock on pools": ("a budget for two members", leave_pools_unlocked, {}, (), {WRONG}),
    "pools overwritten": ("a budget for two members", overwriting_pools, {}, (), {CORRUPT}),
    "an old head": ("a version and a purchase", remember_the_head, {}, (), {WRONG}),
}  # fmt: skip


@pytest.mark.parametrize("guard", INTERLEAVED)
@asynchronous
async def test_interleavings_find_a_missing_guard(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    name, change, options, constraints, expected = INTERLEAVED[guard]
    change(monkeypatch)
    await without(laurels_url, *constraints)
    bad, _explored = await attack(laurels_url, PAIRS[name], 40, **options)
    assert expected <= set(bad), {what: where[0] for what, where in bad.items()}


def claim_blindly(patch: pytest.MonkeyPatch) -> None:
    """Nobody makes the row of a code that is taken: whoever makes it keeps others waiting, as the lock on it does."""

    async def make_none(_batch: Batch, _pools: object) -> None:
        """What is claimed of no row is claimed of nothing."""

    leave_pools_unlocked(patch)
    patch.setattr(Batch, "_create_pools", make_none)


def leave_draws_unlocked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(draws, "OPEN_DRAWS", draws.READ_DRAWS)


def let_revocations_pass(patch: pytest.MonkeyPatch) -> None:
    async def hold_nothing_back(_connection: Connection, _program: str, _codes: object) -> None:
        """Whoever revokes waits for nobody."""

    patch.setattr(batch, "hold_back_revocation", hold_nothing_back)


OFFERED = {
    "no lock on pools, a piece": ("the last piece for two members", leave_pools_unlocked),
    "no lock on pools, stock corrected": (
        "a redemption and stock corrected below what is held", leave_pools_unlocked,
    ),
    "no row and no lock, a code": ("one code for two members", claim_blindly),
    "no row and no lock, a reservation": ("one code reserved by one and used by another", claim_blindly),
    "no lock on pools, a shared code": ("the last use of a shared code", leave_pools_unlocked),
    "no lock on pools, money": ("a budget in money for two purchases", leave_pools_unlocked),
    "no lock on pools, a quote": ("a reserved quote and a purchase of one budget", leave_pools_unlocked),
    "no lock on pools, a prize": ("the last prize of a wheel", leave_pools_unlocked),
    "pools overwritten": ("the last use of a code of a list", overwriting_pools),
    "no lock on draws": ("a ticket and the close of its draw", leave_draws_unlocked),
    "no lock on codes": ("a code and the revocation of its batch", let_revocations_pass),
}  # fmt: skip


@pytest.mark.parametrize("guard", OFFERED)
@asynchronous
async def test_interleavings_of_offers_find_a_missing_guard(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    name, change = OFFERED[guard]
    change(monkeypatch)
    bad, _explored = await attack(laurels_url, OFFERS[name], 130, until=WRONG)
    assert WRONG in bad


OF_A_MEMBER = {
    name: {**OFFERS, **DRAWING}[name]
    for name in (
        "one voucher for two orders",
        "a release and a use for another order",
        "a ticket given back and the close of its draw",
        "a claim and the end of its time",
    )
}


@pytest.mark.parametrize("name", OF_A_MEMBER)
@asynchronous
async def test_without_the_lock_on_the_member_a_voucher_a_ticket_or_a_prize_goes_wrong(
    laurels_url: str, name: str
) -> None:
    await without(laurels_url, *NUMBERS)
    bad, _explored = await attack(laurels_url, OF_A_MEMBER[name], 130, until=WRONG, **UNLOCKED)
    assert {WRONG, CORRUPT} <= set(bad)


@asynchronous
async def test_without_the_lock_on_a_draw_two_servers_take_its_steps_twice(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = draws.draw_row

    async def read_unlocked(source: Any, program: str, id: str, *, lock: str = "") -> Any:
        return await read(source, program, id)

    monkeypatch.setattr(draws, "draw_row", read_unlocked)
    bad, _explored = await attack(laurels_url, DRAWING["two servers that go on with a draw"], 24, until=FAILED)
    assert FAILED in bad


@asynchronous
async def test_the_second_statement_finds_an_id_without_any_help_of_the_index(laurels_url: str) -> None:
    """Citus has no index of ids over all buckets; within a member none is needed."""
    await without(laurels_url, "activity_id")
    bad, explored = await attack(laurels_url, PAIRS[TWICE], 40)
    assert bad == {}
    assert explored.is_complete


LIVED = {
    "no lock and no number": (change_nothing, UNLOCKED, NUMBERS),
    "no second statement and no index": (probe_with_the_lock, {}, ("activity_id",)),
    "no update of the member": (without_update, {}, NUMBERS),
    "no number on the member": (without_number, {}, ()),
}


@pytest.mark.parametrize("guard", LIVED)
@asynchronous
async def test_the_ledger_finds_a_missing_guard(laurels_url: str, monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    change, options, constraints = LIVED[guard]
    change(monkeypatch)
    # What can never be recorded is given up sooner.
    monkeypatch.setattr(settling, "PAUSES_MS", (1,))
    await without(laurels_url, *constraints)
    async with asyncio.timeout(600):
        with pytest.raises(Found, match="LAURELS_SEED=1 "):
            await Life(laurels_url, "live", 1, members=100, **options).lead(STEPS)
