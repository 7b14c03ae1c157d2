"""The application on one database for all stories, in this process, and a second one beside it for races."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.api.harness import Api, api

T = TypeVar("T")


class House:
    """The application on one database; `restart` opens it anew, `neighbour` is another process beside it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.here = self._open()
        self._neighbour: Api | None = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._stack.aclose())
        self._runner.close()

    def _open(self) -> Api:
        return self.run(self._stack.enter_async_context(api(self.url, document=None)))

    @property
    def neighbour(self) -> Api:
        """A second application on the same database."""
        if self._neighbour is None:
            self._neighbour = self._open()
        return self._neighbour

    def restart(self) -> None:
        """Everything that ran is gone, and runs again on what is in the database."""
        self.run(self._stack.aclose())
        self._neighbour = None
        self.here = self._open()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work comes to."""
        return self._runner.run(work)

    def new_program(self) -> str:
        """An id that no other story has."""
        return f"shop_{next(self._numbers)}"
