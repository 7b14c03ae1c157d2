"""The report of an import: every row that did not go in, with its line and the reason, one JSON object a line.

It grows in step with the import's position: what was written past the position before an interruption is cut off and
written again, so that no row is missing from it or in it twice. A file without bad rows has no report.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Final, Literal

import msgspec

from laurels.intake.importing.progress import Tally
from laurels.intake.importing.shaping import Shaped
from laurels.intake.submission import Outcome


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason why something did not go in. `lines` is where the activity's rows begin and end."""

    file: str
    line: int
    lines: tuple[int, int]
    status: Literal["faulty", "invalid", "refused"]
    code: str
    message: str
    pointer: str = ""
    id: str | None = None
    member: str | None = None


_encode: Final = msgspec.json.Encoder().encode


class Report:
    """A report being written; the file appears with its first entry."""

    def __init__(self, path: Path, length: int) -> None:
        """Goes on after `length` bytes of what an earlier run wrote; what is missing of them is not made up."""
        self.path = path
        self._file: BinaryIO | None = None
        if length and path.exists():
            os.truncate(path, min(length, path.stat().st_size))
            self._file = path.open("ab")
        elif path.exists():
            path.unlink()

    def write(self, entry: Entry) -> None:
        """Adds an entry."""
        if self._file is None:
            self._file = self.path.open("ab")
        self._file.write(_encode(entry) + b"\n")

    def length(self) -> int:
        """How long the report is, durably."""
        if self._file is None:
            return 0
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Nothing more comes."""
        if self._file is not None:
            self._file.close()


def note(tally: Tally, report: Report, name: str, shaped: Shaped, outcome: Outcome | None) -> None:
    """Counts what became of some rows of the file `name`, and writes down why it did not go in where it did not.

    `outcome` is None where the rows did not make an activity.
    """
    tally.rows += shaped.rows
    tally.left_out += shaped.left_out
    extent = (shaped.lines[0], shaped.lines[-1]) if shaped.lines else (0, 0)
    if outcome is None:
        if shaped.faults:
            tally.faulty += 1
        for fault in shaped.faults:
            report.write(Entry(name, fault.line, extent, "faulty", fault.code, fault.message, fault.pointer, shaped.id))
    elif outcome.status == "accepted":
        tally.accepted += 1
    elif outcome.status == "replayed":
        tally.replayed += 1
    elif outcome.refusal is not None:
        code, message = outcome.refusal.code, outcome.refusal.message
        tally.refused[code] = tally.refused.get(code, 0) + 1
        report.write(Entry(name, shaped.line, extent, "refused", code, message, "", outcome.id, outcome.member))
    else:
        first = outcome.problems[0].code if outcome.problems else "invalid"
        tally.invalid[first] = tally.invalid.get(first, 0) + 1
        for problem in outcome.problems:
            line, pointer = _line_of(shaped, problem.pointer), problem.pointer
            report.write(
                Entry(
                    name, line, extent, "invalid", problem.code, problem.message, pointer, outcome.id, outcome.member
                )
            )  # fmt: skip


def _line_of(shaped: Shaped, pointer: str) -> int:
    """The line that a part of the data came from: where an activity has several rows, each made one element."""
    steps = pointer.split("/")
    if len(shaped.lines) > 1 and len(steps) > 3 and steps[2] in ("lines", "lots") and steps[3].isdigit():
        place = int(steps[3])
        if place < len(shaped.lines):
            return shaped.lines[place]
    return shaped.line
