"""What `postmaster.pid` says about a server, and whether that server is alive.

The file outlives a server that was killed, and its process id may by then belong to anybody: to a child of another
server, after a restart of a container to this very program. So a process counts only when it is seen to work in the
data directory. A process that ended but was not yet collected by its parent does not count as alive.
"""

import os
import subprocess
import sys
from pathlib import Path

import msgspec

FILE = "postmaster.pid"


class Postmaster(msgspec.Struct, frozen=True):
    """A living server process; `status` is starting, ready, stopping or standby."""

    pid: int
    port: int
    sockets: str
    host: str
    status: str


def living(data: Path) -> Postmaster | None:
    """The server that works in the data directory now, if there is one."""
    try:
        lines = (data / FILE).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    # The lines are written one after another while the server starts.
    lines += [""] * (8 - len(lines))
    pid = int(lines[0]) if lines[0].strip().isdigit() else 0
    if pid <= 0 or not _works_in(pid, data):
        return None
    return Postmaster(
        pid=pid,
        port=int(lines[3]) if lines[3].strip().isdigit() else 0,
        sockets=lines[4].strip(),
        host=lines[5].strip(),
        status=lines[7].strip() or "starting",
    )


def alive(pid: int) -> bool:
    """Whether the process exists and has not ended."""
    return _state(pid) not in ("", "Z", "X")


def _works_in(pid: int, data: Path) -> bool:
    return alive(pid) and _names(pid, data)


if sys.platform == "linux":

    def _state(pid: int) -> str:
        try:
            return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return ""

    def _names(pid: int, data: Path) -> bool:
        process = Path(f"/proc/{pid}")
        try:
            # A server is in its data directory before it writes the file.
            return (process / "cwd").samefile(data)
        except PermissionError:
            return os.fsencode(data) in (process / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return False

elif sys.platform == "win32":

    def _state(pid: int) -> str:
        # It says "INFO: No tasks ..." when there is none.
        return "R" if str(pid) in _said("tasklist", "/nh", "/fi", f"PID eq {pid}") else ""

    def _names(pid: int, data: Path) -> bool:  # noqa: ARG001 - as said below
        # A command line takes an administrator to read; the program's name has to do.
        return "postgres.exe" in _said("tasklist", "/nh", "/fi", f"PID eq {pid}")

else:

    def _state(pid: int) -> str:
        return _said("ps", "-o", "stat=", "-p", str(pid))[:1]

    def _names(pid: int, data: Path) -> bool:
        return str(data) in _said("ps", "-ww", "-o", "args=", "-p", str(pid))


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout.strip()
