"""What handlers work with, built once by `laurels.wiring` and handed in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from laurels.api.authentication import Keys
from laurels.api.metrics import Metrics
from laurels.api.problem import ApiProblem
from laurels.clock import Clock
from laurels.core.calendar import Instant
from laurels.core.compiled import Compiled
from laurels.core.refusal import Refusal
from laurels.core.version import Versions
from laurels.intake.engine import Intake
from laurels.settings import Settings
from laurels.store.database import Database

_FRESH_SECONDS: Final = 1


class Rendering:
    """The versions of programs as far as answers are worded by them, remembered for a second.

    A live program announces a new version ten seconds ahead, and answers name the version that judged them, so a
    second late is never too late.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._known: dict[str, tuple[Versions, float]] = {}

    async def versions(self, program: str, judged_by: int = 0) -> Versions:
        """The version history, with version `judged_by` at least."""
        known = self._known.get(program)
        now = time.monotonic()
        if known is not None and known[1] > now and (not judged_by or known[0].numbered(judged_by) is not None):
            return known[0]
        if known is not None:
            # While one asks, the others go on with what is known.
            self._known[program] = (known[0], now + _FRESH_SECONDS)
        versions = await self._intake.versions(program)
        self._known[program] = (versions, now + _FRESH_SECONDS)
        return versions

    def forget(self, program: str) -> None:
        """The program has a new version."""
        self._known.pop(program, None)


class Page(msgspec.Struct, frozen=True):
    """A file that is served as it is."""

    body: bytes
    media_type: str


class Services(msgspec.Struct, frozen=True):
    """The parts of a running application."""

    settings: Settings
    database: Database
    intake: Intake
    clock: Clock
    keys: Keys
    metrics: Metrics
    rendering: Rendering
    pages: Mapping[str, Page] = MappingProxyType({})

    async def now(self, program: str) -> Instant:
        """What time it is in the program; real time where its own clock was never set."""
        return await self.intake.now(program) or self.clock.now()

    async def present(self, program: str) -> Compiled:
        """The version that words what is said of now; a problem where nothing is published yet."""
        return await self.compiled(program, await self.now(program))

    async def compiled(self, program: str, at: Instant) -> Compiled:
        """The version that words what is said of an instant; a problem where nothing is published yet."""
        versions = await self.rendering.versions(program)
        if not versions.versions:
            raise ApiProblem.of(Refusal("no_version_yet"))
        return versions.judging(at)
