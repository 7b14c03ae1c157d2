"""The import itself: batches of activities into the intake, two under way at once, position and report in step.

While the disk makes one batch durable, the next is being read and decided. Answers are counted in the order of the
file. What the intake cannot take now is sent again, because ids make that safe; when the database stays away the
import ends where it is and may be run again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

import msgspec

from laurels.clock import Clock
from laurels.core.refusal import Refusal
from laurels.intake.importing.progress import Progress, Tally, load_progress, save_progress
from laurels.intake.importing.report import Report, note
from laurels.intake.importing.shaping import Shaped
from laurels.intake.submission import Outcome, Overloaded, Submission, Unavailable
from laurels.store.database import Database
from laurels.store.people import Identifier, resolve

BATCH: Final = 1000
UNDER_WAY: Final = 2
TRIES: Final = 8


class Submits(Protocol):
    """What an import needs of the intake."""

    async def submit(self, program: str, submissions: Sequence[Submission]) -> list[Outcome]:
        """What became of each."""
        ...


def identity_of(path: Path, mapping: str, source: str) -> str:
    """Says which file under which mapping: a digest of its name, its size, its beginning and its end."""
    digest = sha256()
    size = path.stat().st_size
    for word in (path.name, str(size), mapping, source):
        digest.update(word.encode() + b"\0")
    with path.open("rb") as file:
        digest.update(file.read(1 << 16))
        file.seek(max(size - (1 << 16), 0))
        digest.update(file.read())
    return digest.hexdigest()


class Import:
    """One stream of activities into a program.

    `id` is what its progress is kept under, `name` what the report calls it. Watch `progress.tally` while it runs.
    """

    def __init__(
        self, intake: Submits, database: Database, clock: Clock, program: str, *, id: str, name: str, report: Path
    ) -> None:
        self._intake = intake
        self._database = database
        self._clock = clock
        self._program = program
        self._id = id
        self._name = name
        self._report_path = report
        self.progress = Progress()

    async def load(self) -> Progress:
        """How far it came before."""
        self.progress = await load_progress(self._database, self._program, self._id)
        return self.progress

    async def run(self, stream: Iterator[Shaped], on_batch: Callable[[Tally], None] = lambda _tally: None) -> Tally:
        """Imports what follows the position; `stream` begins there. Everything is durable when this returns.

        Raises Unavailable when the database stays away; what was answered until then is kept.
        """
        if self.progress.finished:
            return self.progress.tally
        report = Report(self._report_path, self.progress.report_bytes)
        under_way: deque[tuple[list[Shaped], asyncio.Task[list[Outcome]]]] = deque()
        settled = False
        try:
            while batch := list(islice(stream, BATCH)):
                under_way.append((batch, asyncio.create_task(self._submit(batch))))
                # Lets it take its place in the queue before the next one can.
                await asyncio.sleep(0)
                # The very first batch goes alone: the intake may have to read the program before it queues anything.
                if len(under_way) >= (UNDER_WAY if settled else 1):
                    await self._settle(under_way, report)
                    settled = True
                    on_batch(self.progress.tally)
            while under_way:
                await self._settle(under_way, report)
                on_batch(self.progress.tally)
            self.progress.finished, self.progress.finished_at = True, self._clock.now()
            await self._save(report)
        finally:
            for _batch, task in under_way:
                task.cancel()
            await asyncio.gather(*(task for _batch, task in under_way), return_exceptions=True)
            report.close()
        return self.progress.tally

    async def _submit(self, batch: list[Shaped]) -> list[Outcome]:
        """The outcomes of the batch's activities, in their order."""
        sent = [shaped.submission for shaped in batch if shaped.submission is not None]
        named = [shaped.identifier for shaped in batch if shaped.submission is not None]
        wanted = list({identifier for identifier in named if identifier is not None})
        if not wanted:
            return await self._answered(sent)
        members = await resolve(self._database, self._program, wanted)
        known: list[Submission] = []
        outcomes: list[Outcome | None] = []
        for submission, identifier in zip(sent, named, strict=True):
            if identifier is None:
                known.append(submission)
                outcomes.append(None)
            elif identifier in members:
                known.append(msgspec.structs.replace(submission, member=members[identifier]))
                outcomes.append(None)
            else:
                outcomes.append(nobody_known(submission, identifier))
        answers = iter(await self._answered(known))
        return [next(answers) if outcome is None else outcome for outcome in outcomes]

    async def _answered(self, submissions: list[Submission]) -> list[Outcome]:
        for attempt in range(TRIES):
            try:
                return await self._intake.submit(self._program, submissions) if submissions else []
            except (Overloaded, Unavailable) as answer:
                if attempt == TRIES - 1:
                    raise
                await asyncio.sleep(answer.retry_after_s)
        raise AssertionError("the last attempt either returns or raises")

    async def _settle(self, under_way: deque[tuple[list[Shaped], asyncio.Task[list[Outcome]]]], report: Report) -> None:
        batch, task = under_way[0]
        outcomes = iter(await task)
        under_way.popleft()
        tally = self.progress.tally
        for shaped in batch:
            note(tally, report, self._name, shaped, None if shaped.submission is None else next(outcomes))
        await self._save(report)

    async def _save(self, report: Report) -> None:
        self.progress.report_bytes = report.length()
        await save_progress(self._database, self._clock, self._program, self._id, self.progress)


def nobody_known(sent: Submission, identifier: Identifier, why: str = "") -> Outcome:
    """What becomes of an activity whose identifier names no member."""
    refusal = Refusal("unknown_member", f"Nobody is known by this {identifier.kind}.{why}")
    return Outcome(sent.source, sent.id, "", "refused", refusal)


def after(rows: Iterable[Shaped], position: int) -> Iterator[Shaped]:
    """The part of a stream that follows a position."""
    seen = 0
    for shaped in rows:
        if seen >= position:
            yield shaped
        seen += shaped.rows
