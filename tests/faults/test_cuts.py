"""The connection to PostgreSQL is cut after any byte, above all around COMMIT. Nobody is told of what is not there.

What a batch sends and receives is counted once; then the same is done again and again with the wire cut one byte
further. Whoever was not answered sends the same again, and it is recorded once.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest

from laurels.intake.submission import Outcome, Unavailable
from tests.faults.audit import Books, Lost, audit
from tests.faults.load import Shop, open_shop
from tests.faults.proxy import Direction, Wire, wire_to
from tests.faults.serving import serving_beside
from tests.stage import PROGRAM as PLAIN
from tests.stage import Stage, asynchronous, purchase, stage

DEEP = bool(os.environ.get("LAURELS_DEEP"))
SEED = 501
ELSEWHERE = 15
"""Cuts at other bytes than those around COMMIT; all of them in the long version."""

# b"Q" and a length before "commit" and its end; the answer COMMIT, and that the server is ready.
COMMIT_BYTES: dict[Direction, int] = {"up": 12, "down": 18}
AROUND = 6


class Cutting:
    """A stage whose lane speaks to PostgreSQL over a wire, and the books of what it was answered.

    Every purchase is another member's first, so that all of them are of one length.
    """

    def __init__(self, here: Stage, wire: Wire) -> None:
        self.here = here
        self.wire = wire
        self.books = Books()
        self._number = 0

    async def enrol(self) -> None:
        """Everybody joins who is to buy something."""
        members = [member_of(n) for n in range(1, 2 + 2 * (9000 if DEEP else 200))]
        for n in range(0, len(members), 500):
            await self.here.enrol(*members[n : n + 500])
        self.books.sent |= {f"enrol/{member}/2026-01-01": None for member in members}

    async def buy(self) -> Outcome:
        """The present purchase of seven yuan, entered as it is answered."""
        id = f"o-{self._number:06}"
        self.books.sent[id] = 7
        outcome = await self.here.send("purchase", member_of(self._number), purchase(id, "7.00"), id=id)
        assert outcome.status in ("accepted", "replayed"), outcome
        self.books.acknowledged.add(id)
        self.books.heard[outcome.status] += 1
        return outcome

    async def buy_next(self) -> Outcome:
        """The next purchase."""
        self._number += 1
        return await self.buy()

    async def size(self) -> dict[Direction, int]:
        """How many bytes go up and down for a purchase on a connection that is there and warm."""
        await self.buy_next()
        before = dict(self.wire.passed)
        await self.buy_next()
        return {"up": self.wire.passed["up"] - before["up"], "down": self.wire.passed["down"] - before["down"]}

    async def cut_at(self, after: int, direction: Direction, linger_seconds: float = 0) -> str | None:
        """What a purchase is answered whose connection is cut after so many bytes; None for no answer.

        The wire is whole again so long after the answer.
        """
        # The connection is there and warm, and nothing but the purchase passes from now on.
        await self.buy_next()
        self.wire.cut(after, direction)
        try:
            status = (await self.buy_next()).status
            await asyncio.sleep(linger_seconds)
        except Unavailable:
            return None
        finally:
            self.wire.heal()
        return status


def member_of(number: int) -> str:
    """Who makes a purchase."""
    return f"m-{number:06}"


@asynccontextmanager
async def cutting(url: str) -> AsyncIterator[Cutting]:
    async with wire_to(url) as (wire, wired), stage(url, document=PLAIN, lanes=1) as here:
        each = Cutting(here, wire)
        await each.enrol()
        await here.intake._settlers[0].close()
        # From now on the lane connects over the wire, everything else as always.
        here.database._url = wired
        yield each


def places(size: dict[Direction, int]) -> Iterable[tuple[int, Direction]]:
    """Where to cut: at each byte around COMMIT, and at some of the others."""
    chance = Random(SEED)
    for direction, bytes in size.items():
        first = bytes - COMMIT_BYTES[direction] - AROUND
        elsewhere = range(first) if DEEP else sorted(chance.sample(range(first), min(ELSEWHERE, first)))
        for after in (*elsewhere, *range(first, bytes)):
            yield after, direction


@asynchronous
async def test_whoever_is_not_answered_sends_it_again_and_it_is_recorded_once(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Laurels itself does not try again: what happened to the batch is the caller's to bear.
    monkeypatch.setattr("laurels.intake.settling.PAUSES_MS", ())
    ends: Counter[tuple[Direction, str]] = Counter()
    async with cutting(url) as cut:
        for after, direction in places(await cut.size()):
            answered = await cut.cut_at(after, direction)
            assert answered is None, f"answered {answered} although the wire was cut after {after} bytes {direction}"
            end = (await cut.buy()).status
            ends[direction, end] += 1
        assert (await cut.buy()).status == "replayed"
    print(f"seed {SEED}: {cut.wire.cuts} cuts; sent again: {dict(ends)}")
    # The cuts lay on both sides of COMMIT: some purchases were recorded unheard, some were not.
    assert ends["up", "accepted"] > 10
    assert ends["down", "accepted"] > 10
    assert ends["down", "replayed"] == COMMIT_BYTES["down"]
    await audit(url, cut.books)


@asynchronous
async def test_a_batch_whose_connection_is_cut_is_tried_again_and_recorded_once(url: str) -> None:
    async with cutting(url) as cut:
        for after, direction in places(await cut.size()):
            assert await cut.cut_at(after, direction) is not None
    print(f"seed {SEED}: {cut.wire.cuts} cuts; {dict(cut.books.heard)}")
    assert cut.books.heard["replayed"] == COMMIT_BYTES["down"]
    await audit(url, cut.books)


class Hasty(asyncpg.Connection):
    """A connection that does not wait for COMMIT: what an answer before the commit would be."""

    __slots__ = ("_committing",)
    _committing: asyncio.Future[str]

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        if query == "begin":
            with suppress(AttributeError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await self._committing
        if query != "commit":
            return await super().execute(query, *args, **options)
        self._committing = asyncio.ensure_future(super().execute(query))
        # Nobody wants to know.
        self._committing.add_done_callback(lambda committing: committing.exception())
        return "COMMIT"


@asynchronous
async def test_an_answer_before_the_commit_would_be_found_out(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laurels.intake.settling.PAUSES_MS", ())
    connect = asyncpg.connect

    async def connect_hastily(url: str, **options: Any) -> asyncpg.Connection:
        return await connect(url, connection_class=Hasty, **options)

    async with cutting(url) as cut:
        size = await cut.size()
        await cut.here.intake._settlers[0]._drop()
        monkeypatch.setattr("laurels.store.database.asyncpg.connect", connect_hastily)
        first = size["up"] - COMMIT_BYTES["up"]
        # The purchase before has its COMMIT still to send, too.
        last = size["up"] + COMMIT_BYTES["up"]
        answers = [await cut.cut_at(after, "up", 0.02) for after in range(first, last)]
        assert "accepted" in answers, "nobody was answered too early"
        await cut.here.intake._settlers[0]._drop()
        await asyncio.sleep(0.1)
        monkeypatch.undo()
    with pytest.raises(Lost, match="were answered and are not there"):
        await audit(url, cut.books)


@pytest.mark.parametrize("seed", range(601, 611) if DEEP else (601,))
@asynchronous
async def test_a_server_whose_connections_all_break_now_and_then_loses_and_doubles_nothing(
    url: str, tmp_path: Path, seed: int
) -> None:
    """All that it has to say to PostgreSQL, under load: activities, redemptions, transfers, keys and the worker."""
    print(f"seed {seed}")
    secret = await open_shop(url)
    async with wire_to(url) as (wire, wired), serving_beside(wired, tmp_path / "log") as server:
        await asyncio.to_thread(server.wait_until_ready)
        shop = Shop([server.address], secret, seed, keyed=DEEP)
        await shop.enrol()
        wire.break_all()
        wire.breaking(Random(seed), 120_000)
        await shop.trade(6, lambda: wire.cuts >= (300 if DEEP else 25))
        wire.heal()
        wire.break_all()
        await asyncio.to_thread(server.wait_until_ready)
        await shop.trade(2, iter([False] * 20 + [True] * 10).__next__)
    print(f"{wire.cuts} cuts: {dict(shop.books.heard)}")
    await audit(url, shop.books)
