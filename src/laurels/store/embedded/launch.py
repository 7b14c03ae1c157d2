"""Becomes the user a PostgreSQL program may run as, then runs it. A program of its own, standard library only.

PostgreSQL refuses to run as root. What helps against that (a user namespace, or dropping to another user) cannot be
undone, and a thread-rich process must not do it between fork and exec; so it happens here, in a process that has
nothing else to do. Everything written into the server's directory is written after the change of user, so root never
follows a path that another user could bend.

A task comes as one line of JSON on standard input. When something fails before the program runs, the exit code is
FAILED and the last line of standard error is JSON: the stage, the error number, the message.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import stat
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

assert sys.platform != "win32"

FAILED = 97
CLONE_NEWUSER = 0x10000000
PR_SET_DUMPABLE = 4
# More than any system gives out: a process that cannot exist.
NOBODYS_PID = 4194305
SOCKET = ".s.PGSQL.5432"


class StageError(Exception):
    """Stage and cause of what could not be done."""

    def __init__(self, stage: str, number: int | None, message: str) -> None:
        super().__init__(stage, number, message)


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StageError(name, error.errno, str(error)) from error


def main() -> None:
    task = json.loads(sys.stdin.buffer.readline())
    try:
        become(task["user"], task["alias"])
        with stage("enter"):
            os.chdir(task["directory"])
        if task["do"] == "run":
            execute(task)
        elif task["do"] == "unpack":
            unpack(task)
        else:
            serve(task)
    except StageError as failed:
        give_up(sys.stderr.fileno(), failed)


def give_up(descriptor: int, failed: StageError) -> NoReturn:
    os.write(descriptor, json.dumps(failed.args).encode() + b"\n")
    os._exit(FAILED)


def become(user: list[int] | None, alias: list[int] | None) -> None:
    """Drops to `user`; then, in a namespace of its own, is called by `alias` while staying the same user outside."""
    os.umask(0o077)
    if user is not None:
        with stage("user"):
            os.setgroups([user[1]])
            os.setgid(user[1])
            os.setuid(user[0])
    if alias is None:
        return
    with stage("namespace"):
        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "unshare"):
            raise OSError(errno.ENOSYS, "this system has none")
        uid, gid = os.geteuid(), os.getegid()
        # Who has changed users may not write about themselves in /proc until this is set again.
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
        if libc.unshare(CLONE_NEWUSER) != 0:
            number = ctypes.get_errno()
            # The kernel says "no space left on device" for this.
            exhausted = "the limit user.max_user_namespaces is reached"
            raise OSError(number, exhausted if number == errno.ENOSPC else os.strerror(number))
        # A process without rights outside may map its group only after giving up setgroups.
        write_whole("/proc/self/setgroups", "deny")
        write_whole("/proc/self/uid_map", f"{alias[0]} {uid} 1")
        write_whole("/proc/self/gid_map", f"{alias[1]} {gid} 1")


def write_whole(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def execute(task: dict[str, Any]) -> NoReturn:
    with stage("execute"):
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.execve(task["command"][0], task["command"], task["environment"])  # noqa: S606 - no shell is wanted


def unpack(task: dict[str, Any]) -> None:
    """Unpacks the tar stream that follows the task into `into`, which appears only when it is whole."""
    into = Path(task["into"])
    partial = into.with_name(into.name + ".new")
    with stage("write"), tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as stream:
        # The stream was packed by the process that started this one. The first releases of 3.11 know no filter.
        options: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        stream.extractall(partial, **options)  # noqa: S202 - as said above
        partial.rename(into)


def serve(task: dict[str, Any]) -> None:
    """Starts the server as a process of its own, and says its id and the directory of its socket."""
    data, log_path = Path(task["data"]), Path(task["log"])
    with stage("lock"):
        # Inherited by the server and all its processes: while one of them lives, in whatever container, no other
        # server can start on this data.
        lock = os.open(task["lock"], os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.set_inheritable(lock, True)
    sockets = socket_directory(task["sockets"])
    with stage("write"):
        disown(data / "postmaster.pid")
        for path, text in task["write"].items():
            replace(Path(path), text)
        log_path.parent.mkdir(exist_ok=True)
        log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    command = [*task["command"], "-c", f"unix_socket_directories={sockets}"]
    report, reporter = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with stage("enter"):
                os.setsid()
                os.chdir(data)
                os.dup2(log, 1)
                os.dup2(log, 2)
            execute({**task, "command": command})
        except StageError as failed:
            give_up(reporter, failed)
    os.close(reporter)
    # The pipe closes by itself when the server's program has taken over.
    said = os.read(report, 65536)
    if said:
        raise StageError(*json.loads(said))
    print(json.dumps({"pid": pid, "sockets": str(sockets)}))


def socket_directory(candidates: list[str]) -> Path:
    """The first candidate that is, or can be made, a directory closed to all others; its old sockets are removed."""
    failures = []
    for path in map(Path, candidates):
        try:
            with contextlib.suppress(FileExistsError):
                path.mkdir(mode=0o700)
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
                failures.append(f"{path} is there, but not as a directory open to this user alone")
                continue
            # The lock on the data is ours, so whoever made these is gone; the file beside the socket names a process
            # id that may belong to somebody else by now.
            for name in (SOCKET, SOCKET + ".lock"):
                (path / name).unlink(missing_ok=True)
        except OSError as error:
            failures.append(str(error))
        else:
            return path
    raise StageError("sockets", errno.EPERM, "; ".join(failures))


def disown(path: Path) -> None:
    """Lets a file left by a killed server name no living process; the rest of it stays.

    The server takes any living process with that id for another server. It also checks the shared memory that the
    file names, to find processes of the old server that are still at work, and so the file must not be deleted.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except FileNotFoundError:
        return
    replace(path, "\n".join([str(NOBODYS_PID), *lines[1:]]))


def replace(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".new")
    with partial.open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


if __name__ == "__main__":
    main()
