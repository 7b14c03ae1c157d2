"""`laurels serve` as a process of its own, to be killed, and started again at the same address."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from tests.faults.cluster import children_of

COMMAND = (sys.executable, "-m", "laurels", "serve", "--json")


class Serving:
    """A server at an address that stays."""

    def __init__(self, url: str, log: Path, *command: str, **environment: str) -> None:
        self._command = command or COMMAND
        self._log = log
        self._environment = {
            **os.environ, "LAURELS_DATABASE_URL": url, "LAURELS_PORT": "0", "LAURELS_LOG_LEVEL": "warning",
            "LAURELS_WORKER_SECONDS": "1", **environment,
        }  # fmt: skip
        self.address = ""
        self.start()

    def start(self) -> None:
        """Listening, at the address of before."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=log, env=self._environment, text=True
            )
        assert self._process.stdout is not None
        said = ""
        while line := self._process.stdout.readline():
            said += line
            if line.rstrip() == "}" or (line.startswith("{") and line.rstrip().endswith("}")):
                break
        if '"address"' not in said:
            self._process.wait()
            self._closed()
            raise AssertionError(f"the server did not start: {self._log.read_text()[-2000:]}")
        self.address = json.loads(said)["address"]
        self._environment["LAURELS_PORT"] = self.address.rpartition(":")[2]

    def kill(self) -> None:
        """Gone without a word, with whatever it had started."""
        for pid in (self._process.pid, *children_of(self._process.pid)):
            os.kill(pid, signal.SIGKILL)
        assert self._process.wait(30) == -signal.SIGKILL
        self._closed()

    def stop(self) -> None:
        """Ends in order, where it is running."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            assert self._process.wait(60) == 0, self._log.read_text()[-2000:]
        self._closed()

    def _closed(self) -> None:
        if self._process.stdout is not None:
            self._process.stdout.close()

    def wait_until_ready(self, seconds: int = 60) -> None:
        """The server answers that it is ready."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, self._log.read_text()[-2000:]
            time.sleep(0.05)


@contextmanager
def serving(url: str, log: Path, *command: str, **environment: str) -> Iterator[Serving]:
    """A server while the block runs."""
    server = Serving(url, log, *command, **environment)
    try:
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def serving_beside(url: str, log: Path, *command: str, **environment: str) -> AsyncIterator[Serving]:
    """The same while this process goes on with what the server may be waiting for."""
    server = await asyncio.to_thread(Serving, url, log, *command, **environment)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)
