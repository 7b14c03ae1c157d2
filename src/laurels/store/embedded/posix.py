"""Who the server runs as on Linux and macOS, and how its programs are run.

An ordinary user runs it as they are. Root, whom PostgreSQL refuses, runs it as whoever owns the directory; where that
is root as well, in a user namespace that calls root by another name, so that the data stays root's and nothing has to
be opened to anybody. Where namespaces are forbidden the directory is given to another user. A user who cannot read the
installed programs gets a copy. One without a line in passwd (usual in containers) is refused by `initdb`, and is given
a name by a namespace in the same way as root.
"""

import errno
import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from laurels.store.embedded import launch
from laurels.store.embedded.binaries import Binaries
from laurels.store.embedded.failure import EmbeddedServerError, StillInUseError, failure
from laurels.store.embedded.place import Place

assert sys.platform != "win32"

_STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
# Who runs the server when root may not and no namespace can be had, in this order.
_OTHER_USERS = ("postgres", "nobody")
# The system's limit is 103 bytes on macOS and 107 on Linux.
_SOCKET_PATH_BYTES_MAX = 99
_DATABASE_ELSEWHERE = "name a PostgreSQL server of yours in LAURELS_DATABASE_URL"


class Identity(msgspec.Struct, frozen=True):
    """`user` (uid, gid) is dropped to first; `alias` is what a namespace then calls it. None: stay as it is."""

    user: tuple[int, int] | None = None
    alias: tuple[int, int] | None = None

    @property
    def uid(self) -> int:
        """By which the system knows it outside of any namespace."""
        return self.user[0] if self.user else os.geteuid()


class _LaunchError(Exception):
    """What the launcher could not do before the program ran."""

    def __init__(self, stage: str, number: int | None, message: str) -> None:
        super().__init__(stage, number, message)
        self.stage, self.number, self.message = stage, number, message


class _Started(msgspec.Struct, frozen=True):
    pid: int
    sockets: str


class Host(msgspec.Struct, frozen=True):
    """Runs the programs for one directory as one user who can run them there."""

    place: Place
    identity: Identity
    binaries: Binaries

    def initialise(self, options: list[str]) -> None:
        """Makes a new cluster; it appears under its name only when it is whole."""
        command = [str(self.binaries.program("initdb")), "-D", str(self.place.data_new), *options]
        command += ["--auth-local=trust", "--auth-host=reject"]
        try:
            done = _launched(self.place.root, self.identity, do="run", command=command)
        except _LaunchError as failed:
            raise _explained(failed, self.place, self.identity) from failed
        if done.returncode != 0:
            raise failure(
                f"A new database could not be made in {self.place.data}.",
                log=(done.stdout + done.stderr)[-4000:],
                mend="see the last line above; free space or another directory usually helps. Trying again is safe.",
            )
        self.place.data_new.rename(self.place.data)
        # Without this a power failure could lose the name, and with it everything stored since.
        descriptor = os.open(self.place.root, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def serve(self, files: Mapping[Path, str], patience_seconds: int) -> int:  # noqa: ARG002 - Windows waits here
        """The id of the server's process, which then outlives this one; it may not be ready yet."""
        try:
            done = _launched(
                self.place.root,
                self.identity,
                do="serve",
                command=[str(self.binaries.program("postgres")), "-D", str(self.place.data), "-p", "5432"],
                data=str(self.place.data),
                lock=str(self.place.server_lock),
                log=str(self.place.startup_log),
                sockets=_socket_directories(self.place, self.identity.uid),
                write={str(path): text for path, text in files.items()},
            )
        except _LaunchError as failed:
            if failed.stage == "lock" and failed.number == errno.EWOULDBLOCK:
                raise StillInUseError from failed
            raise _explained(failed, self.place, self.identity) from failed
        return msgspec.json.decode(done.stdout, type=_Started).pid


def settle(place: Place, binaries: Binaries) -> Host:
    """A user who can run the server on this directory, with programs which that user can run."""
    me = os.geteuid()
    owner = (place.data if place.data.exists() else place.root).stat()
    if me != 0:
        if place.data.exists() and owner.st_uid != me:
            raise failure(
                f"{place.data} belongs to {_name(owner.st_uid)}, but this runs as {_name(me)}.",
                mend=f"run as {_name(owner.st_uid)}, choose another directory, or let root give this one away "
                f"(chown -R {_name(me)} {place.root}).",
            )
        return _settled(place, binaries, Identity(alias=None if _in_passwd(me) else _alias()))
    if owner.st_uid != 0:
        alias = None if _in_passwd(owner.st_uid) else _alias()
        return _settled(place, binaries, Identity(user=(owner.st_uid, owner.st_gid), alias=alias))
    try:
        return _host(place, binaries, Identity(alias=_alias()))
    except _LaunchError as failed:
        if failed.stage != "namespace":
            raise _explained(failed, place, Identity()) from failed
        return _settled(place, binaries, _handed_over(place, failed.message))


def send_stop(pid: int, mode: str) -> None:
    os.kill(pid, _STOP_SIGNALS[mode])


def _settled(place: Place, binaries: Binaries, identity: Identity) -> Host:
    try:
        return _host(place, binaries, identity)
    except _LaunchError as failed:
        raise _explained(failed, place, identity) from failed


def _host(place: Place, binaries: Binaries, identity: Identity) -> Host:
    try:
        return _tried(place, binaries, identity)
    except _LaunchError as failed:
        if failed.stage != "execute" or failed.number != errno.EACCES:
            raise
    copy = msgspec.structs.replace(binaries, site=place.copied_binaries(binaries.release))
    if not copy.program("postgres").exists():
        for old in place.root.glob(f"{Place.BINARIES}*"):
            shutil.rmtree(old)
        _copy(place, binaries, identity, copy.site)
    return _tried(place, copy, identity)


def _tried(place: Place, binaries: Binaries, identity: Identity) -> Host:
    _launched(place.root, identity, do="run", command=[str(binaries.program("postgres")), "--version"])
    return Host(place=place, identity=identity, binaries=binaries)


def _copy(place: Place, binaries: Binaries, identity: Identity, into: Path) -> None:
    """Packs here, where the programs can be read, and unpacks as the user who is to have them."""
    with tempfile.TemporaryFile() as archive:
        archive.write(_task(place.root, identity, do="unpack", into=str(into)))
        with tarfile.open(fileobj=archive, mode="w|") as stream:
            for part in binaries.parts():
                stream.add(binaries.site / part, arcname=str(part))
        archive.seek(0)
        _checked(subprocess.run(_launcher(), stdin=archive, capture_output=True, check=False))


def _handed_over(place: Place, forbidden: str) -> Identity:
    """Gives root's directory to a user who may run a server, for good: from then on it is theirs."""
    why = f"PostgreSQL does not run as root, and a user namespace cannot be had here ({forbidden})"
    otherwise = f"run Laurels as an ordinary user, allow user namespaces, or {_DATABASE_ELSEWHERE}"
    user = next((user for name in _OTHER_USERS for user in pwd.getpwall() if user.pw_name == name), None)
    if user is None:
        raise failure(f"{why}; nor is there a user {' or '.join(_OTHER_USERS)} to run it.", mend=f"{otherwise}.")
    strangers = sorted(path.name for path in place.root.iterdir() if not Place.owns(path.name))
    if strangers:
        raise failure(
            f"{why}, so {place.root} would have to be given to `{user.pw_name}`; but it holds things that are not "
            f"the server's: {', '.join(strangers[:5])}.",
            mend=f"choose an empty directory, or {otherwise}.",
        )
    identity = Identity(user=(user.pw_uid, user.pw_gid))
    try:
        _launched(place.root.parent, identity, do="run", command=["/bin/sh", "-c", ":"])
    except _LaunchError as failed:
        raise failure(
            f"{why}, so the server has to run as `{user.pw_name}`, which fails: {failed.message}.",
            mend=f"choose a directory which that user can reach, such as /var/lib/laurels, or {otherwise}.",
        ) from failed
    for path in [place.root, *place.root.rglob("*")]:
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    return identity


def _launcher() -> list[str]:
    # Isolated: no site packages, no environment of the caller, nothing from the working directory.
    return [sys.executable, "-I", "-S", launch.__file__]


def _launched(directory: Path, identity: Identity, **task: Any) -> subprocess.CompletedProcess[str]:
    line = _task(directory, identity, **task)
    return _checked(subprocess.run(_launcher(), input=line, capture_output=True, check=False))


def _task(directory: Path, identity: Identity, **task: Any) -> bytes:
    # Settings such as PGPORT or PGDATA of whoever starts the server must not reach it; its messages are in English
    # because some of them are read here.
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    environment |= {"LC_ALL": "C", "TZ": "UTC"}
    whole = {"user": identity.user, "alias": identity.alias, "directory": str(directory), "environment": environment}
    return json.dumps({**whole, **task}).encode() + b"\n"


def _checked(done: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[str]:
    stdout, stderr = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    if done.returncode == launch.FAILED:
        raise _LaunchError(*json.loads(stderr.splitlines()[-1]))
    return subprocess.CompletedProcess(done.args, done.returncode, stdout, stderr)


def _explained(failed: _LaunchError, place: Place, identity: Identity) -> EmbeddedServerError:
    who = f"`{_name(identity.uid)}`"
    if failed.stage == "enter":
        return failure(
            f"The server runs as {who}, who cannot enter its directory: {failed.message}.",
            mend="open the directories above it for that user, or choose another directory.",
        )
    if failed.stage == "namespace":
        return failure(
            f"The user {who} has no line in /etc/passwd, which PostgreSQL needs, and a user namespace, which would "
            f"help, cannot be had here ({failed.message}).",
            mend=f"add a line for that user to /etc/passwd, run as a user who has one, or {_DATABASE_ELSEWHERE}.",
        )
    if failed.stage == "user":
        return failure(
            f"The server has to run as {who}, but this process may not become that user ({failed.message}).",
            mend=f"run Laurels as that user, or {_DATABASE_ELSEWHERE}.",
        )
    if failed.stage == "sockets":
        return failure(
            f"There is no private place for the server's socket: {failed.message}.",
            mend="remove what is in the way, or name another temporary directory in TMPDIR (a short one).",
        )
    if failed.stage == "execute":
        return failure(
            f"A PostgreSQL program could not be run as {who}: {failed.message}.",
            mend="see that the file system lets programs run (no `noexec`), or choose another directory.",
        )
    return failure(
        f"The server could not be started in {place.root} as {who}: {failed.message}.",
        mend="see that there is space and that the directory belongs to that user, or choose another directory.",
    )


def _socket_directories(place: Place, uid: int) -> list[str]:
    """Candidates, best first. The inode keeps apart directories of one name in two containers that share /tmp."""
    key = hashlib.sha256(os.fsencode(place.data) + b"\0" + str(place.data.stat().st_ino).encode()).hexdigest()[:12]
    # In a directory open to all a name can be taken by another: the launcher accepts only what is its user's alone.
    places = (tempfile.gettempdir(), "/tmp")  # noqa: S108 - as said above
    candidates = [f"{above}/{Place.SOCKETS}{uid}-{key}" for above in places]
    fit = [
        path
        for path in dict.fromkeys(candidates)
        # These characters mean something in the server's setting or in a connection URL.
        if len(os.fsencode(f"{path}/{launch.SOCKET}")) <= _SOCKET_PATH_BYTES_MAX and not set(path) & set(",\"'@%?#")
    ]
    return fit or candidates[-1:]


def _alias() -> tuple[int, int]:
    """Some user other than root whom passwd knows: it makes no difference who, there only has to be a name."""
    known = sorted(pwd.getpwall(), key=lambda user: (user.pw_name not in _OTHER_USERS, user.pw_uid))
    for user in known:
        if user.pw_uid != 0:
            return user.pw_uid, user.pw_gid
    raise failure(
        "PostgreSQL needs a user other than root, and /etc/passwd knows none.",
        mend=f"add a user to /etc/passwd (such as nobody:x:65534:65534::/:/bin/false), or {_DATABASE_ELSEWHERE}.",
    )


def _in_passwd(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _name(uid: int) -> str:
    return pwd.getpwuid(uid).pw_name if _in_passwd(uid) else str(uid)
