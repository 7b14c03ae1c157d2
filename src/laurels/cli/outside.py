"""What commands need of the rings above and beside the command line, handed in by `laurels.__main__`.

The command line stands below the wiring and beside the HTTP entrance, so it names what it needs by shape.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import click
import msgspec

from laurels.clock import Clock
from laurels.core.calendar import Instant
from laurels.core.program.change import Change
from laurels.core.program.finding import Finding
from laurels.core.refusal import Refusal
from laurels.intake.engine import Intake
from laurels.settings import Settings
from laurels.store.database import Database
from laurels.store.keys import ApiKey
from laurels.store.migrate import Migration
from laurels.store.programs import Mode, StoredVersion

Announce = Callable[[str], None]
"""Is told the address when it listens."""


class Running(Protocol):
    """A running application."""

    @property
    def settings(self) -> Settings: ...
    @property
    def url(self) -> str: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def database(self) -> Database: ...
    @property
    def intake(self) -> Intake: ...


class PlannedChange(msgspec.Struct, frozen=True):
    """A change, and how many members it takes something from, with the first of them by id."""

    change: Change
    members: int
    first_members: tuple[str, ...]


class Planned(msgspec.Struct, frozen=True):
    """What a document changes against version `against` (None: there is none).

    `broken` are draws whose change would be refused now, with the code of the refusal; `findings` are warnings.
    """

    against: int | None
    changes: tuple[PlannedChange, ...]
    broken: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()


class Published(msgspec.Struct, frozen=True):
    """A version that was published, and the warnings that its document got."""

    version: StoredVersion
    findings: tuple[Finding, ...]


class Stopped(msgspec.Struct, frozen=True):
    """Since when something has ended, and the numbers of the versions that say so."""

    ends_at: Instant
    versions: tuple[int, ...]


class MakesKey(Protocol):
    """Makes an API key, shown this once; ValueError for a source or scope that cannot be."""

    def __call__(
        self, running: Any, program: str, *, source: str, name: str, scopes: Collection[str], mode: Mode
    ) -> Awaitable[tuple[str, ApiKey]]: ...


class Outside(msgspec.Struct, frozen=True):
    """The functions that are handed in."""

    run_to_end: Callable[[Coroutine[Any, Any, Any]], Any]
    database_url: Callable[[Settings], AbstractAsyncContextManager[str]]
    migrate: Callable[[Settings], Awaitable[tuple[Migration, ...]]]
    application: Callable[[Settings], AbstractAsyncContextManager[Running]]
    serve: Callable[[Settings, Announce], None]
    serve_running: Callable[[Any, Announce], Awaitable[None]]
    work: Callable[[Settings], None]
    plan: Callable[[Any, str], Awaitable[Planned | tuple[Finding, ...]]]
    publish: Callable[[Any, str, Mode, Instant | None], Awaitable[Published | tuple[Finding, ...] | Refusal]]
    stop: Callable[[Any, str, str, str], Awaitable[Stopped | Refusal]]
    make_key: MakesKey
    scopes: Callable[[], dict[str, str]]
    openapi_text: Callable[[], str]


P = ParamSpec("P")
R = TypeVar("R")


def pass_outside(command: Callable[Concatenate[Outside, P], R]) -> Callable[P, R]:
    """Hands a command what it needs of the outside, which is imported now and not before."""

    @wraps(command)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        make: Callable[[], Outside] = click.get_current_context().obj
        return command(make(), *args, **kwargs)

    return call
