"""A wire to PostgreSQL that takes its time: a process that passes bytes on after a delay, each way.

`python -m benchmarks.relay URL DELAY_MS COMMIT_MS FILE` says the URL of its near end as JSON, and at its end writes to
FILE what it did. With COMMIT_MS a commit waits so long on its way to the server: as with a disk that takes so long to
write, the answer is late, and what the transaction locked stays locked until then.
"""

from __future__ import annotations

import asyncio
import selectors
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import msgspec

COMMIT: Final = b"commit"
TAIL: Final = 16
"""A commit is a short message, and the last of what is sent before its answer is awaited."""
COMMITTED: Final = b"COMMIT\x00"
"""What the server says when a transaction was committed."""


class Passed(msgspec.Struct):
    """What a relay did: commits that it held up, and those that the server said were made."""

    held: int = 0
    committed: int = 0


class _End(asyncio.Protocol):
    """One end of a connection. What arrives here leaves at the other end, in order, so many seconds later."""

    def __init__(self, passed: Passed, delay: float, commit_delay: float = 0.0, *, is_server: bool = False) -> None:
        self._passed = passed
        self._delay = delay
        self._commit_delay = commit_delay
        self._is_server = is_server
        self._last_at = 0.0
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def join(self, other: _End) -> None:
        """From here on what arrives has somewhere to go."""
        self.other = other
        early, self._early = self._early, []
        for data in early:
            self.data_received(data)

    def data_received(self, data: bytes) -> None:
        other = self.other
        if other is None:
            self._early.append(data)
            return
        delay = self._delay
        if self._is_server:
            self._passed.committed += data.count(COMMITTED)
        elif self._commit_delay and COMMIT in data[-TAIL:].lower():
            self._passed.held += 1
            delay += self._commit_delay
        if not delay:
            other.send(data)
            return
        loop = asyncio.get_running_loop()
        # Nothing overtakes what was sent before it.
        self._last_at = max(self._last_at, loop.time() + delay)
        loop.call_at(self._last_at, other.send, data)

    def send(self, data: bytes) -> None:
        """These bytes have arrived at the far end."""
        if self.transport is not None:
            self.transport.write(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.transport = None
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class _Near(_End):
    """The end that Laurels connects to; it opens the far one."""

    def __init__(self, passed: Passed, delay: float, commit_delay: float, reach: Callable[[_Near], None]) -> None:
        super().__init__(passed, delay, commit_delay)
        self._reach = reach

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._reach(self)


async def relay(url: str, delay: float, commit_delay: float) -> Passed:
    """Passes on what comes until the process is told to end; what it did."""
    loop = asyncio.get_running_loop()
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    socket = asked.get("host", [""])[0]
    port = int(asked.get("port", [parts.port or 5432])[0])
    passed = Passed()
    tasks: set[asyncio.Task[None]] = set()

    async def open_far(near: _Near) -> None:
        far = _End(passed, delay, is_server=True)
        if socket.startswith("/"):
            await loop.create_unix_connection(lambda: far, f"{socket}/.s.PGSQL.{port}")
        else:
            await loop.create_connection(lambda: far, socket or parts.hostname or "localhost", port)
        far.join(near)
        near.join(far)

    def reach(near: _Near) -> None:
        task = loop.create_task(open_far(near))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    server = await loop.create_server(lambda: _Near(passed, delay, commit_delay, reach), "127.0.0.1", 0)
    near_port = server.sockets[0].getsockname()[1]
    login = parts.netloc.rpartition("@")[0]
    here = f"postgresql://{login}@127.0.0.1:{near_port}{parts.path}?sslmode=disable"
    sys.stdout.write(msgspec.json.encode({"url": here}).decode() + "\n")
    sys.stdout.flush()
    await over.wait()
    server.close()
    return passed


def main() -> None:
    """The command line."""
    url, delay_ms, commit_ms, file = sys.argv[1:]
    # Other selectors round a wait up to a whole millisecond.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        passed = runner.run(relay(url, float(delay_ms) / 1000, float(commit_ms) / 1000))
    Path(file).write_bytes(msgspec.json.encode(passed))


if __name__ == "__main__":
    main()
