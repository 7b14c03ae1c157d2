"""Files as rows: CSV, NDJSON and Parquet, one row at a time, each with the line that it begins on.

A row that cannot be read is a row that says why, and the next one goes on. `done` and `total` are for a progress bar:
bytes, or rows where the file says how many it has.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import msgspec

from laurels.intake.importing.mapping import Csv
from laurels.intake.importing.shaping import Read

FileFormat = Literal["csv", "ndjson", "parquet"]

_SUFFIXES: Final = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
}
_FIELD_LARGEST: Final = 1 << 20
_ROWS_AT_ONCE: Final = 1 << 16


class UnreadableFile(Exception):  # noqa: N818 - its text is for whoever named the file
    """The file as a whole cannot be imported; the text says why and what to do."""


def format_of(path: Path) -> FileFormat:
    """The format that the file's name says; raises UnreadableFile if it says none."""
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise UnreadableFile(f"{path}: name it .csv, .ndjson or .parquet, or say which it is with --format")
    return found  # type: ignore[return-value]  # the table's values are the formats


class Table:
    """A file being read. `columns` are its columns (of NDJSON: those asked for); `rows` goes through it once."""

    columns: tuple[str, ...] = ()
    total: int = 0

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def done(self) -> int:
        """How much of `total` has been read."""
        raise NotImplementedError

    def rows(self) -> Iterator[Read]:
        """The rows, in order."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing more is read."""


def open_table(path: Path, format: FileFormat, *, options: Csv, wanted: Sequence[str] | None) -> Table:
    """The file as a table of the columns `wanted`; None: of activities in JSON, one a line.

    Raises UnreadableFile, also when it lacks one of the columns.
    """
    try:
        if wanted is None:
            if format != "ndjson":
                raise UnreadableFile(f"{path}: say with a mapping file which column is what (--mapping)")
            return ActivityLines(path)
        table: Table
        if format == "csv":
            table = CsvTable(path, options)
        elif format == "ndjson":
            return JsonTable(path, wanted)
        else:
            table = ParquetTable(path, wanted)
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from None
    lacking = [column for column in wanted if column not in table.columns]
    if lacking:
        table.close()
        raise UnreadableFile(f"{path}: no column {', '.join(lacking)}; it has {', '.join(table.columns)}")
    return table


class _Bytes(Table):
    """A file that is read as bytes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.total = path.stat().st_size
        self._file: BinaryIO = path.open("rb")

    @property
    def done(self) -> int:
        return self.total if self._file.closed else self._file.tell()

    def close(self) -> None:
        """Nothing more is read."""
        self._file.close()


class ActivityLines(_Bytes):
    """A file of activities in JSON, one a line; the only cell of a row is its line."""

    columns = ("",)

    def rows(self) -> Iterator[Read]:
        """A row for each line that is not empty."""
        with self._file as file:
            for number, line in enumerate(file, 1):
                text = line.strip()
                if text:
                    yield Read(number, (text,))


class JsonTable(_Bytes):
    """A file of objects in JSON, one a line; a column such as `customer.id` looks into nested ones."""

    def __init__(self, path: Path, wanted: Sequence[str]) -> None:
        super().__init__(path)
        self.columns = tuple(wanted)

    def rows(self) -> Iterator[Read]:
        """A row for each line that is not empty."""
        decode = msgspec.json.Decoder(dict[str, Any]).decode
        paths = [(column, tuple(column.split("."))) for column in self.columns]
        with self._file as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    found = decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    yield Read(number, (), str(error))
                    continue
                yield Read(number, [_looked_up(found, column, path) for column, path in paths])


def _looked_up(found: dict[str, Any], column: str, path: tuple[str, ...]) -> Any:
    if column in found or len(path) == 1:
        return found.get(column)
    value: Any = found
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


class CsvTable(_Bytes):
    """A text file of cells, the first line naming its columns."""

    def __init__(self, path: Path, options: Csv) -> None:
        super().__init__(path)
        csv.field_size_limit(_FIELD_LARGEST)
        self._encoding = options.encoding
        try:
            # What is not text in this encoding is kept as lone surrogates, so that only its row is lost.
            self._text = io.TextIOWrapper(self._file, options.encoding, errors="surrogateescape", newline="")
            self._reader = csv.reader(self._text, delimiter=options.delimiter, strict=True)
            self.columns = tuple(name.strip() for name in self._header())
        except LookupError:
            self.close()
            raise UnreadableFile(f"{path}: there is no encoding {options.encoding}") from None
        except (csv.Error, UnreadableFile) as error:
            self.close()
            raise UnreadableFile(f"{path}: the first line names the columns: {error}") from None

    def _header(self) -> list[str]:
        header = next(self._reader, None)
        if not header:
            raise UnreadableFile("there is none")
        names = [name.strip() for name in header]
        doubled = {name for name in names if name and names.count(name) > 1}
        if doubled:
            raise UnreadableFile(f"two columns are called {min(doubled)}")
        return header

    def rows(self) -> Iterator[Read]:
        """A row for each record; one in quotes may go over several lines."""
        reader, width = self._reader, len(self.columns)
        with self._text:
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Read(line, (), f"{error} (to line {reader.line_num})")
                    continue
                if len(cells) != width:
                    if not cells:
                        continue
                    yield Read(line, (), f"{len(cells)} cells, where the first line names {width}")
                elif _is_text(cells):
                    yield Read(line, cells)
                else:
                    yield Read(line, (), f"not text in {self._encoding.removesuffix('-sig')}")


def _is_text(cells: list[str]) -> bool:
    for cell in cells:
        if not cell.isascii():
            try:
                cell.encode()
            except UnicodeEncodeError:
                return False
    return True


class ParquetTable(Table):
    """A Parquet file, of which the wanted columns are read, some rows at a time; lines are rows, from 1."""

    def __init__(self, path: Path, wanted: Sequence[str]) -> None:
        super().__init__(path)
        try:
            import polars  # noqa: PLC0415 - an optional extra, wanted for Parquet alone
        except ModuleNotFoundError:
            raise UnreadableFile(f"{path}: for Parquet files, install laurels with the extra parquet") from None
        if not path.is_file():
            raise UnreadableFile(f"{path}: no such file")
        self._scan = polars.scan_parquet(path)
        try:
            known = tuple(self._scan.collect_schema().names())
            # Only these are read; where one is lacking, all are named for the message that says so.
            self.columns = tuple(wanted) if set(wanted) <= set(known) else known
            self.total = int(self._scan.select(polars.len()).collect().item())
        except polars.exceptions.PolarsError as error:
            raise UnreadableFile(f"{path}: {error}") from None
        self._done = 0

    @property
    def done(self) -> int:
        return self._done

    def rows(self) -> Iterator[Read]:
        """The rows; cells keep their types."""
        selected = self._scan.select(self.columns)
        while self._done < self.total:
            first = self._done
            part = selected.slice(first, _ROWS_AT_ONCE).collect()
            for number, cells in enumerate(part.iter_rows(), first + 1):
                self._done = number
                yield Read(number, cells)
            if part.height == 0:
                return
