"""What a command says: words and tables for people, or one JSON document; and the exit code it ends with.

Results go to standard output, progress and failures to standard error. What a command may meet is turned into its exit
code here, in one place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import asyncpg
import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from laurels.cli.shopping import NoShoppingData
from laurels.core.refusal import Refusal
from laurels.intake.importing.mapping import WrongMapping
from laurels.intake.importing.reading import UnreadableFile
from laurels.intake.submission import Overloaded, Unavailable, UnknownProgram
from laurels.proof.verifying import ProcessFailed
from laurels.settings import Settings, WrongSettings, read_settings
from laurels.store.database import Database, UnfitDatabase
from laurels.store.embedded import EmbeddedServerError
from laurels.store.migrate import WrongDatabase
from laurels.store.programs import programs

REFUSED: Final = 1
USAGE: Final = 2
OUTSIDE: Final = 3

_WIDTH_OF_PIPES: Final = 160
"""Where nobody looks, tables need not be narrow."""

_OUTSIDE_FAILED: Final = (
    EmbeddedServerError,
    UnfitDatabase,
    WrongDatabase,
    Overloaded,
    Unavailable,
    ProcessFailed,
    NoShoppingData,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)


class No(Exception):  # noqa: N818 - it is an answer, not an error in the program
    """The command ends with exit code 1: what it was asked for is refused, or there are findings, all said already."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)


class Screen:
    """Where a command says things."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDTH_OF_PIPES)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def result(self, value: Any, say: Callable[[Console], None]) -> None:
        """The result: the value as JSON, or what `say` prints."""
        if self.as_json:
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
            sys.stdout.flush()
        else:
            say(self.out)

    def say(self, text: str) -> None:
        """A word on the way, for people only."""
        if not self.as_json:
            self.out.print(text)

    @contextmanager
    def progress(self, what: str, total: int | None) -> Iterator[Callable[[int, int | None], None]]:
        """A bar while the block runs; the function moves it to so much of so much."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        bar = Progress(*columns, console=self.err, transient=True, disable=self.as_json or not self.err.is_terminal)
        with bar:
            task = bar.add_task(what, total=total)
            yield lambda done, of: bar.update(task, completed=done, total=of if of is not None else total)

    def failed(self, message: str, code: int) -> None:
        """Says why the command did not do what it was asked to."""
        if self.as_json:
            sys.stdout.write(msgspec.json.encode({"error": message, "exit_code": code}).decode() + "\n")
        else:
            self.err.print(message, style="red", markup=False)


@contextmanager
def ending(*, as_json: bool) -> Iterator[Screen]:
    """A screen for one command; what the block raises becomes the exit code and a message."""
    screen = Screen(as_json=as_json)
    try:
        yield screen
    except No as no:
        if str(no):
            screen.failed(str(no), REFUSED)
        raise SystemExit(REFUSED) from None
    except UnknownProgram as error:
        screen.failed(f"There is no program {error}.", REFUSED)
        raise SystemExit(REFUSED) from None
    except WrongMapping as error:
        screen.failed(f"The mapping cannot be used:\n{error}", USAGE)
        raise SystemExit(USAGE) from None
    except (UnreadableFile, WrongSettings) as error:
        screen.failed(str(error), USAGE)
        raise SystemExit(USAGE) from None
    except BrokenPipeError:
        # Whoever read has gone; what is left to say goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(OUTSIDE) from None
    except _OUTSIDE_FAILED as error:
        screen.failed(str(error) or repr(error), OUTSIDE)
        raise SystemExit(OUTSIDE) from None


json_option: Final = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
program_option: Final = click.option(
    "--program", "program", metavar="ID", help="The program; needed if there are several."
)


def settings_of(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment states."""
    return read_settings(environment)


async def program_of(database: Database, given: str | None) -> str:
    """The program that is meant: the one that is named, else the only one there is."""
    found = [row.id for row in await programs(database)]
    if given is not None:
        if given not in found:
            raise No(f"There is no program {given}." + (f" There are: {', '.join(found)}." if found else ""))
        return given
    if len(found) == 1:
        return found[0]
    if not found:
        raise No("There is no program yet: laurels publish FILE makes one.")
    raise click.UsageError(f"Say which program with --program: {', '.join(found)}")


def refused(refusal: Refusal) -> No:
    """A business no, as the command's end."""
    return No(f"{refusal.code}: {refusal.message}")


def plural(count: int, thing: str, things: str | None = None) -> str:
    """ "1 member", "2,469 members"."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"
