"""Servers of one program on one database, as a test can start, stop and lose them: each an intake of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from laurels.clock import SetClock
from laurels.core.refusal import Refusal
from laurels.intake.engine import Intake
from laurels.intake.submission import Outcome, Submission
from laurels.store.database import Connection, Database
from laurels.store.draw_announcing import announce
from laurels.store.programs import Mode, StoredVersion, create_program, publish
from tests.stage import read_program


class Server:
    """An intake with a clock and connections of its own."""

    def __init__(self, url: str, program: str, clock: SetClock, **options: Any) -> None:
        self.program = program
        self.clock = clock
        self._url = url
        self._options = options
        self.database: Database
        self.intake: Intake

    async def start(self) -> None:
        self.database = await Database.open(self._url)
        self.intake = Intake(self.database, self.clock, read_program, **self._options)
        await self.intake.start()

    async def stop(self) -> None:
        await self.intake.stop()
        await self.database.close()

    async def lose(self) -> None:
        """The server is gone, whatever it was doing: nobody is answered, and its connections break."""
        for task in (*self.intake._tasks, *self.intake._errands):
            task.cancel()
        for settler in self.intake._settlers:
            await settler._drop()
        self.database.pool.terminate()
        await asyncio.gather(*self.intake._tasks, *self.intake._errands, return_exceptions=True)

    async def submit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        return await self.intake.submit(self.program, submissions)


async def found(url: str, program: str, mode: Mode, document: str, clock: SetClock) -> None:
    """Makes a program and publishes its first version."""
    database = await Database.open(url)
    try:
        await create_program(database, clock, program, mode)
        await publish_announced(database, clock, program, document)
    finally:
        await database.close()


async def publish_announced(
    database: Database, clock: SetClock, program: str, document: str, before: str | None = None
) -> StoredVersion:
    """The version as published, with its draws announced; `before` is the document of the version until now."""

    async def announced(connection: Connection, version: StoredVersion) -> Refusal | None:
        known = None if before is None else read_program(before)
        return await announce(connection, read_program(document), known, clock.now(), version.effective_at)

    version = await publish(database, clock, program, document, None, announced)
    assert isinstance(version, StoredVersion), version
    return version
