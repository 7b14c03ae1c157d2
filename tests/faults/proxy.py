"""A wire between the engine and PostgreSQL that can be cut after any byte, in either direction.

PostgreSQL listens on a socket in the file system, the wire on a port. `cut(n, "up")` lets n more bytes pass towards
the server, counted over all connections, then breaks the one on which the next would have passed: it is lost.
`breaking(chance)` gives every connection a number of bytes of its own at which it breaks. `stall(n, "up")` counts like
`cut`, but the connection stays and goes silent: nothing passes either way, and nobody is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Literal
from urllib.parse import parse_qs, urlsplit

Direction = Literal["up", "down"]


class Wire:
    """What passes, and where it breaks."""

    def __init__(self, url: str) -> None:
        self._socket = f"{parse_qs(urlsplit(url).query)['host'][0]}/.s.PGSQL.5432"
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._left: tuple[Direction, int] | None = None
        self._chance: tuple[Random, int] | None = None
        self._stall: tuple[Direction, int] | None = None
        self.passed: dict[Direction, int] = {"up": 0, "down": 0}
        self.cuts = self.stalls = 0

    def cut(self, after: int, direction: Direction) -> None:
        """The wire breaks once so many more bytes have passed."""
        self._left = (direction, after)

    def stall(self, after: int, direction: Direction) -> None:
        """Once so many more bytes have passed, the connection on which the next would have passed goes silent."""
        self._stall = (direction, after)

    def breaking(self, chance: Random | None, most: int = 0) -> None:
        """Every new connection breaks after at most so many bytes; None: no more of that."""
        self._chance = None if chance is None else (chance, most)

    def heal(self) -> None:
        """No cut is due any more, and no silence."""
        self._left = self._chance = self._stall = None

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection of the engine's, carried on to the server until one of them ends it."""
        try:
            behind, ahead = await asyncio.open_unix_connection(self._socket)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, ahead}
        budget = None if self._chance is None else [self._chance[0].randrange(self._chance[1])]
        silent = asyncio.Event()
        pumps = (
            asyncio.create_task(self._pump(reader, ahead, "up", budget, silent)),
            asyncio.create_task(self._pump(behind, writer, "down", budget, silent)),
        )
        self._tasks.update(pumps)
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
                self._tasks.discard(pump)
            for end in (writer, ahead):
                end.transport.abort()
                self._open.discard(end)

    async def _pump(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        direction: Direction,
        budget: list[int] | None,
        silent: asyncio.Event,
    ) -> None:
        with suppress(OSError):
            while part := await source.read(65536):
                part = self._before_silence(part, direction, silent)
                if not part:
                    continue
                part, breaks = self._let_through(part, direction, budget)
                self.passed[direction] += len(part)
                sink.write(part)
                await sink.drain()
                if breaks:
                    # What was let through is to arrive; a reset could overtake it.
                    sink.close()
                    await sink.wait_closed()
                    return

    def _before_silence(self, part: bytes, direction: Direction, silent: asyncio.Event) -> bytes:
        """What passes before the connection goes silent."""
        if silent.is_set():
            return b""
        if self._stall is None or self._stall[0] != direction:
            return part
        left = self._stall[1]
        if len(part) <= left:
            self._stall = (direction, left - len(part))
            return part
        self._stall = None
        self.stalls += 1
        silent.set()
        return part[:left]

    def _let_through(self, part: bytes, direction: Direction, budget: list[int] | None) -> tuple[bytes, bool]:
        if budget is not None:
            budget[0] -= len(part)
            if budget[0] < 0:
                self.cuts += 1
                return part[: budget[0]], True
        if self._left is None or self._left[0] != direction:
            return part, False
        left = self._left[1]
        if len(part) <= left:
            # Nought left: the next byte is the one that does not pass any more.
            self._left = (direction, left - len(part))
            return part, False
        self._left = None
        self.cuts += 1
        return part[:left], True

    def break_all(self) -> None:
        """Every connection is broken now."""
        for end in self._open:
            end.transport.abort()


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to the database while the block runs, and the URL of the database at its near end."""
    wire = Wire(url)
    listener = await asyncio.start_server(wire.connect, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    parts = urlsplit(url)
    try:
        yield wire, f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}?sslmode=disable"
    finally:
        listener.close()
        wire.break_all()
        for _ in range(20):
            await asyncio.sleep(0)
