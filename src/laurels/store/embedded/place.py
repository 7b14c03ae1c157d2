"""Where things are in the directory of one embedded server.

The cluster is a directory below it and not the directory itself, so that locks, logs and a password have a place
before there is a cluster, and a cluster can be made beside its final name and moved there when it is whole.
"""

from pathlib import Path
from typing import ClassVar

import msgspec

from laurels.store.embedded.failure import EmbeddedServerError, failure


class Place(msgspec.Struct, frozen=True):
    """Paths below the absolute directory `root`."""

    BINARIES: ClassVar[str] = "binaries-"
    SOCKETS: ClassVar[str] = "laurels-"

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def data_new(self) -> Path:
        return self.root / "data.new"

    @property
    def password(self) -> Path:
        return self.root / "password"

    @property
    def engine_password(self) -> Path:
        return self.root / "engine-password"

    @property
    def startup_log(self) -> Path:
        """What the server says before its own log is open."""
        return self.root / "log" / "startup.log"

    @property
    def start_lock(self) -> Path:
        """Held while a process starts or stops the server."""
        return self.root / "start.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server and its processes for as long as one of them lives."""
        return self.root / "server.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by the processes that keep the server running while they use it."""
        return self.root / "users.lock"

    def copied_binaries(self, release: str) -> Path:
        return self.root / f"{self.BINARIES}{release}"

    @classmethod
    def owns(cls, name: str) -> bool:
        """Whether a name in the directory is one of the server's."""
        known = {"data", "data.new", "log", "password", "engine-password", "start.lock", "server.lock", "users.lock"}
        return name in known or name.startswith(cls.BINARIES)

    def has_cluster(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def log_tail(self, lines_max: int = 15) -> str:
        """The last lines of the start and of the newest log."""
        logs = sorted(self.root.glob("log/postgresql-*.log"), key=lambda path: path.stat().st_mtime_ns)
        tail: list[str] = []
        for path in [self.startup_log, *logs[-1:]]:
            try:
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError as error:
                lines = [f"cannot be read: {error.strerror}"]
            tail += [f"{path}:", *lines[-lines_max:]] if lines else []
        return "\n".join(tail)


def of(directory: Path) -> Place:
    """The place of a server, refused where it is, or holds, something else; nothing is created."""
    root = directory.expanduser().resolve()
    if set(str(root)) & set("\r\n"):
        raise failure(f"The path {str(root)!r} has a line break.", mend="choose a path without one.")
    place = Place(root)
    try:
        if root.exists() and not root.is_dir():
            raise failure(f"{root} is not a directory.", mend="choose another path.")
        if (root / "PG_VERSION").exists():
            raise failure(
                f"{root} is itself the data directory of a PostgreSQL server which Laurels did not make.",
                mend="choose another directory, or start that server yourself and name it in LAURELS_DATABASE_URL.",
            )
        if place.data.exists() and not place.has_cluster() and any(place.data.iterdir()):
            raise failure(
                f"{place.data} is not empty, and what it holds is not a database.",
                mend="choose another directory, or move what is there away.",
            )
    except PermissionError as error:
        raise unreadable(error) from error
    return place


def unreadable(error: PermissionError) -> EmbeddedServerError:
    return failure(
        f"{error.filename} cannot be read: {error.strerror}.",
        mend="run as the user to whom it belongs, or choose another directory.",
    )
