"""A PostgreSQL of a test's own, to be killed without warning: the server and everything it started, with SIGKILL.

What the kernel was given survives such a death, as it does the end of a process; what only shared memory held is lost.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from laurels.store import embedded
from laurels.store.embedded import EmbeddedServer

SETTINGS = {"shared_buffers": "32MB", "max_wal_size": "128MB"}


class Cluster:
    """A server in a directory. Its socket stays where it is, so that URLs outlive its deaths."""

    def __init__(self, directory: Path, settings: Mapping[str, str]) -> None:
        self._directory = directory
        self._settings = {**SETTINGS, **settings}
        self.server: EmbeddedServer = self.start()

    def start(self) -> EmbeddedServer:
        """The server, running; after a death it first recovers."""
        self.server = embedded.start(self._directory, settings=self._settings)
        return self.server

    def kill(self) -> None:
        """The server is gone, and so is every process that it had started."""
        doomed = [self.server.pid, *children_of(self.server.pid)]
        for pid in doomed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while any(is_alive(pid) for pid in doomed):
            assert time.monotonic() < deadline, "a killed process is still there"
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends in order, where it is running."""
        embedded.stop(self._directory)


@contextmanager
def cluster_in(directory: Path, **settings: str) -> Iterator[Cluster]:
    """A cluster while the block runs."""
    cluster = Cluster(directory, settings)
    try:
        yield cluster
    finally:
        cluster.stop()


def children_of(pid: int) -> list[int]:
    """The processes that a process started, and those that these started."""
    children = [
        int(child)
        for path in Path(f"/proc/{pid}/task").glob("*/children")
        for child in path.read_text(encoding="ascii").split()
    ]
    return children + [grandchild for child in children for grandchild in children_of(child)]


def is_alive(pid: int) -> bool:
    """Whether a process is there and is more than a name in the table of processes."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
