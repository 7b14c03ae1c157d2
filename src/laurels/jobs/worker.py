"""The worker: rounds in which members of live programs are woken, and what was left open is brought to an end.

No round is needed for correctness, since judging and reading carry out what is due themselves. Any number of workers
may run: a member is woken once, whoever comes first. A round that fails is tried again, never silently.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from laurels import log
from laurels.clock import Clock
from laurels.core.calendar import MICROSECONDS_PER_DAY
from laurels.intake.engine import Intake
from laurels.store.codes import generate, open_batches
from laurels.store.database import Database
from laurels.store.idempotency import forget
from laurels.store.programs import programs

WOKEN_MOST: Final = 500
"""Members woken in one go, so that others come to their turn in the lanes."""

KEYS_KEPT_DAYS: Final = 7
"""How long an Idempotency-Key is remembered."""


class Round(msgspec.Struct, frozen=True):
    """What a round did."""

    woken: int
    ended: int
    forgotten: int
    drawn: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.woken or self.ended or self.forgotten or self.drawn)


class Worker:
    """Rounds, one every so many seconds, until it is told to stop."""

    def __init__(
        self,
        database: Database,
        intake: Intake,
        clock: Clock,
        *,
        every_seconds: int,
        on_woken: Callable[[int], None] = lambda _count: None,
        on_error: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._intake = intake
        self._clock = clock
        self._every_seconds = every_seconds
        self._on_woken = on_woken
        self._on_error = on_error
        self._stopping = asyncio.Event()
        self._log: FilteringBoundLogger = log.logger("laurels.worker")

    async def work(self) -> None:
        """Goes round until stopped."""
        while not self._stopping.is_set():
            try:
                done = await self.round()
                if not done.is_idle:
                    self._log.info(
                        "round", woken=done.woken, ended=done.ended, forgotten=done.forgotten, drawn=done.drawn
                    )
            except Exception:  # noqa: BLE001 - it is logged and counted, and the next round tries again
                self._on_error()
                self._log.exception("round_failed")
            try:
                await asyncio.wait_for(self._stopping.wait(), self._every_seconds)
            except TimeoutError:
                continue

    def stop(self) -> None:
        """The round that is running is the last."""
        self._stopping.set()

    async def round(self) -> Round:
        """Goes on with draws, wakes whoever is due, ends open follow-ups, makes codes asked for, forgets old keys."""
        woken = 0
        drawn = 0
        for program in await programs(self._database):
            drawn += await self._go_on_with_draws(program.id)
            if program.mode != "live":
                continue
            while not self._stopping.is_set():
                count = await self._intake.sweep(program.id, WOKEN_MOST)
                woken += count
                self._on_woken(count)
                if count < WOKEN_MOST:
                    break
        ended = await self._intake.resume_outbox()
        for program_id, batch in await open_batches(self._database):
            if not self._stopping.is_set():
                await generate(self._database, self._clock, program_id, batch)
        forgotten = await forget(self._database, self._clock.now() - KEYS_KEPT_DAYS * MICROSECONDS_PER_DAY)
        return Round(woken, ended, forgotten, drawn)

    async def _go_on_with_draws(self, program: str) -> int:
        """Steps of draws; members are woken also where a draw fails, which is tried again in the next round."""
        try:
            return await self._intake.go_on_with_draws(program)
        except Exception:  # noqa: BLE001 - it is logged and counted, and the next round tries again
            self._on_error()
            self._log.exception("draw_failed", program=program)
            return 0
