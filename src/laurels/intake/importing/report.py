"""The report of an import: every row that did not go in, with its line and the reason, one JSON object a line.

It grows in step with the import's position: what was written past the position before an interruption is cut off and
written again, so that no row is missing from it or in it twice. A file without bad rows has no report.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Final, Literal

import msgspec


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
