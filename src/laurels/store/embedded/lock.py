"""File locks between processes: one process at a time starts or stops a server, several may use it.

The system gives a lock back when its holder dies, however it dies, so that a lock file left behind means nothing.
"""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from laurels.store.embedded.failure import EmbeddedServerError, failure

_PAUSE_MS = 50


def pause(milliseconds: int) -> None:
    time.sleep(milliseconds / 1000)


@contextmanager
def held(path: Path, *, shared: bool, patience_seconds: int, reason: str) -> Iterator[int]:
    """While the block runs the lock on `path` is held by the descriptor given; `reason` says who may have it else."""
    descriptor = _opened(path)
    try:
        deadline_ns = time.monotonic_ns() + patience_seconds * 1_000_000_000
        while not acquired(descriptor, shared=shared, path=path):
            if time.monotonic_ns() > deadline_ns:
                raise failure(
                    f"{path} has been locked for {patience_seconds} seconds: {reason}.",
                    mend="wait for that process to finish, or end it, then try again.",
                )
            pause(_PAUSE_MS)
        yield descriptor
    finally:
        os.close(descriptor)


def acquired(descriptor: int, *, shared: bool, path: Path) -> bool:
    """Whether the lock could be had at once; a shared lock already held here is turned into the one asked for."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - exists on Windows only

            # Windows has no shared locks on bytes: users are not counted there.
            if not shared:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - exists on POSIX only

            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            return False
        raise _unusable(path, error) from error
    return True


def _opened(path: Path) -> int:
    # Root may be working in somebody else's directory: never follow a link there, and leave no file that its owner
    # could not open again.
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        try:
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return os.open(path, flags)
        if sys.platform != "win32" and os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise _unusable(path, error) from error
    return descriptor


def _unusable(path: Path, error: OSError) -> EmbeddedServerError:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP):
        mend = f"run as the user to whom {path.parent} belongs, or choose another directory."
    else:
        mend = "choose a directory on a local file system: this one cannot lock files."
    return failure(f"{path} cannot be locked: {error.strerror}.", mend=mend)
