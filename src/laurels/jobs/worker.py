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
from laurels.store.codes import generate_share, open_batches
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
    coded: int = 0
    """Batches of which it made a share of codes."""

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.woken or self.ended or self.forgotten or self.drawn or self.coded)


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
            pause = float(self._every_seconds)
            try:
                done = await self.round()
                if not done.is_idle:
                    self._log.info("round", **msgspec.structs.asdict(done))
                if done.coded:
                    # Somebody waits for the rest of the codes.
                    pause = 0
            except Exception:  # noqa: BLE001 - it is logged and counted, and the next round tries again
                self._on_error()
                self._log.exception("round_failed")
            try:
                await asyncio.wait_for(self._stopping.wait(), pause)
            except TimeoutError:
                continue

    def stop(self) -> None:
        """The round that is running is the last."""
        self._stopping.set()

    async def round(self) -> Round:
        """Goes on with draws, wakes whoever is due, ends open follow-ups, forgets old keys, makes codes asked for.

        Of each batch of codes one share is made, so that members are woken in between.
        """
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
        forgotten = await forget(self._database, self._clock.now() - KEYS_KEPT_DAYS * MICROSECONDS_PER_DAY)
        return Round(woken, ended, forgotten, drawn, await self._make_codes())

    async def _make_codes(self) -> int:
        """How many batches came on; one that fails keeps no other waiting, and is tried again in the next round."""
        came_on = 0
        for program, batch in await open_batches(self._database):
            if self._stopping.is_set():
                break
            try:
                came_on += await generate_share(self._database, self._clock, program, batch) is not None
            except Exception:  # noqa: BLE001 - it is logged and counted, and the next round tries again
                self._on_error()
                self._log.exception("codes_failed", program=program, batch=batch)
        return came_on

    async def _go_on_with_draws(self, program: str) -> int:
        """Steps of draws; members are woken also where a draw fails, which is tried again in the next round."""
        try:
            return await self._intake.go_on_with_draws(program)
        except Exception:  # noqa: BLE001 - it is logged and counted, and the next round tries again
            self._on_error()
            self._log.exception("draw_failed", program=program)
            return 0
