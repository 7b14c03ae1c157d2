"""Carrying a batch through: what is tried again, what is split, and what is given up.

A conflict with another transaction (serialization, deadlock, lock timeout) or a lost connection is tried again a few
times; ids make it safe even when a commit went through unheard. Anything else that fails a batch is one item's doing:
each is then tried by itself, so that a bad one never spoils the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

import asyncpg

from laurels.clock import Clock
from laurels.intake.admission import Item
from laurels.intake.batch import LOCK_MEMBERS, Batch
from laurels.intake.deciding import defect
from laurels.intake.head import Heads
from laurels.intake.lane import Request
from laurels.intake.submission import Outcome, Unavailable, UnknownProgram
from laurels.store.database import Database
from laurels.store.outage import OUTAGES
from laurels.store.recording import PoolCameUpShort

PAUSES_MS: Final = (10, 50, 200, 500, 1000)
"""How long to wait before each further attempt; after the last the batch is given up."""

_CONFLICTS: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)
_log: Final = logging.getLogger("laurels.intake")


class Settler:
    """A lane's connection, and the way a batch takes through it."""

    def __init__(self, database: Database, heads: Heads, clock: Clock, *, lock_members: str = LOCK_MEMBERS) -> None:
        self._database = database
        self._heads = heads
        self._clock = clock
        self._lock_members = lock_members
        self._connection: asyncpg.Connection | None = None

    async def carry_out(self, program: str, batch: list[tuple[Request, list[Item]]]) -> None:
        """Gives every item its outcome, or its request the failure; never raises."""
        items = [item for _, part in batch for item in part]
        failure: Exception | None = None
        try:
            await self._settle(program, items)
        except (Unavailable, UnknownProgram) as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - the request is told, and the lane goes on
            _log.exception("a batch of %s could not be carried out", program)
            failure = error
        for request, part in batch:
            left = any(item.outcome is None for item in part)
            request.settle(len(part), failure if left else None)

    async def close(self) -> None:
        """Disconnects."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _settle(self, program: str, items: list[Item]) -> None:
        try:
            outcomes = await self._record(program, items)
        except (Unavailable, UnknownProgram):
            raise
        except Exception as error:  # noqa: BLE001 - whose doing it was shows when each is tried by itself
            if len(items) > 1:
                for item in items:
                    await self._settle(program, [item])
                return
            _log.exception("activity %s %s could not be recorded", items[0].submission.source, items[0].submission.id)
            outcomes = {items[0]: items[0].invalid(defect())}
            if not isinstance(error, asyncpg.PostgresError):
                # What state the connection was left in, nobody can tell.
                await self._drop()
        for item, outcome in outcomes.items():
            item.outcome = outcome

    async def _record(self, program: str, items: list[Item]) -> Mapping[Item, Outcome]:
        """The outcomes, after at most so many attempts; Unavailable when the database would not have it."""
        attempts = iter(PAUSES_MS)
        locks_pools = False
        why: Exception
        while True:
            try:
                connection = await self._connected()
                batch = Batch(
                    connection,
                    self._heads,
                    program,
                    items,
                    self._clock,
                    lock_members=self._lock_members,
                    locks_pools=locks_pools,
                )
                return await batch.record()
            except PoolCameUpShort:
                # Once locked, it cannot come up short.
                locks_pools = True
                continue
            except _CONFLICTS as error:
                why = error
            except asyncpg.UniqueViolationError as error:
                # Somebody recorded the same id or enrolled the same member meanwhile, and the probe will find it now.
                if len(items) > 1:
                    raise
                why = error
            except OUTAGES as error:
                await self._drop()
                why = error
            pause_ms = next(attempts, None)
            if pause_ms is None:
                raise Unavailable(f"the database did not take a batch of {program}: {why}") from why
            _log.warning("a batch of %s is tried again: %s", program, why)
            await asyncio.sleep(pause_ms / 1000)

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._database.connect_hot()
        return self._connection

    async def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
