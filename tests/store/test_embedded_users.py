"""Who the embedded server runs as: root, an ordinary user, one whom passwd does not know, root without namespaces.

Each of them is a process of its own here, which becomes that user and then starts the server.
"""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from laurels.store import embedded
from laurels.store.embedded import EmbeddedServerError, binaries, configuration, launch, lock, posix

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="user namespaces exist on Linux only"),
    pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become somebody else"),
]

UNKNOWN_UID = 54321
NOBODY = 65534
SOURCE = Path(embedded.__file__).parents[3]

# What the process does: everything is imported while it is still root, because Python itself may lie where the
# other user cannot read; the launcher is then run by a Python which that user can.
AS_USER = """
import json, os, shutil, sys
from pathlib import Path
import msgspec
from laurels.store import embedded
uid, directory, keep = json.loads(sys.argv[1])
if uid:
    os.setgroups([]); os.setgid(uid); os.setuid(uid)
if not os.access(sys.executable, os.X_OK):
    sys.executable = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
try:
    server = embedded.start(Path(directory))
    engine = msgspec.structs.replace(server, url=server.engine_url)
    row = embedded.run_sql(engine, "select 'answered ' || session_user from pg_roles "
                           "where rolname = session_user and not rolsuper")
    status = Path(f"/proc/{server.pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    said = {"row": row, "uid": int(fields["Uid"].split()[0]), "capabilities": int(fields["CapEff"], 16),
            "program": Path(f"/proc/{server.pid}/cmdline").read_text().split(chr(0))[0], "error": ""}
    if not keep:
        embedded.stop(Path(directory))
except embedded.EmbeddedServerError as error:
    said = {"error": str(error)}
print(json.dumps(said))
"""

# Becomes root of a user namespace that has all the users of this one and can make no further namespaces, which is how
# a container without the right to make them looks from inside.
WITHOUT_NAMESPACES = """
import ctypes, os, sys
ready, go = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    if ctypes.CDLL(None).unshare(0x10000000) != 0:
        os._exit(96)
    os.write(ready[1], b"x")
    os.read(go[0], 1)
    os.setuid(0)
    with open("/proc/sys/user/max_user_namespaces", "w") as limit:
        limit.write("0")
    os.execv(sys.argv[1], sys.argv[1:])
os.close(ready[1])
if os.read(ready[0], 1):
    for kind in ("uid", "gid"):
        with open(f"/proc/{child}/{kind}_map", "w") as map:
            map.write("0 0 65536")
    os.write(go[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class Outcome:
    """What the server was like for the user who started it, or the error that user was shown."""

    def __init__(self, said: dict[str, object]) -> None:
        self.row = said.get("row")
        self.uid = said.get("uid")
        self.capabilities = said.get("capabilities")
        self.program = str(said.get("program"))
        self.error = str(said["error"])


def start_as(uid: int, directory: Path, *, namespaces: bool = True, keep: bool = False) -> Outcome:
    command = [sys.executable, "-c", AS_USER, json.dumps([uid, str(directory), keep])]
    if not namespaces:
        command = [sys.executable, "-c", WITHOUT_NAMESPACES, *command]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=False, timeout=60)
    if done.returncode == 96:
        pytest.skip("this machine allows no user namespaces, so there is none to forbid")
    assert done.returncode == 0
    return Outcome(json.loads(done.stdout))


def given_to(uid: int, directory: Path) -> None:
    for path in (directory, *directory.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)


def owners(directory: Path) -> set[int]:
    return {path.lstat().st_uid for path in (directory, *directory.rglob("*"))}


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can enter; those of pytest are closed."""
    path = Path(tempfile.mkdtemp(prefix="laurels-test-"))
    path.chmod(0o755)
    yield path
    for directory in path.iterdir():
        if directory.is_dir():
            embedded.stop(directory, mode="immediate")
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("seed") / "server"
    embedded.start(directory)
    embedded.stop(directory)
    return directory


@pytest.fixture
def directory(seed: Path, open_directory: Path) -> Path:
    """A copy of a stopped server that belongs to root, where every user can come."""
    copy = open_directory / "server"
    shutil.copytree(seed, copy)
    (copy / "data" / configuration.LOCAL_FILE).write_text("fsync = off\n")
    return copy


@pytest.fixture
def readable_programs() -> None:
    """The ordinary user's own installation, for which the one of this test run stands in."""
    for program in (binaries.find().program("postgres"), Path(launch.__file__)):
        for above in program.parents:
            if not above.stat().st_mode & 0o001:
                pytest.skip(f"{above} is closed, so an ordinary user cannot run what is installed here")


def test_root_runs_the_server_without_any_right_of_root_and_keeps_its_files(directory: Path) -> None:
    outcome = start_as(0, directory)
    assert (outcome.error, outcome.row, outcome.uid, outcome.capabilities) == ("", "answered laurels_engine", 0, 0)
    assert owners(directory) == {0}


@pytest.mark.usefixtures("readable_programs")
def test_ordinary_user_makes_and_runs_a_server(open_directory: Path) -> None:
    directory = open_directory / "home"
    directory.mkdir()
    given_to(NOBODY, directory)
    outcome = start_as(NOBODY, directory / "server")
    assert (outcome.error, outcome.row, outcome.uid) == ("", "answered laurels_engine", NOBODY)
    assert owners(directory) == {NOBODY}


@pytest.mark.usefixtures("readable_programs")
def test_user_whom_passwd_does_not_know_makes_and_runs_a_server(open_directory: Path) -> None:
    directory = open_directory / "server"
    directory.mkdir()
    given_to(UNKNOWN_UID, directory)
    outcome = start_as(UNKNOWN_UID, directory)
    if "a user namespace, which would help, cannot be had here" in outcome.error:
        pytest.skip("this machine lets only root make user namespaces")
    assert (outcome.error, outcome.row, outcome.uid) == ("", "answered laurels_engine", UNKNOWN_UID)
    assert owners(directory) == {UNKNOWN_UID}
    # Root leaves it to that user, name or no name.
    again = start_as(0, directory)
    assert (again.error, again.row, again.uid) == ("", "answered laurels_engine", UNKNOWN_UID)
    assert owners(directory) == {UNKNOWN_UID}


def test_user_whom_passwd_does_not_know_is_told_what_to_do_where_namespaces_are_forbidden(
    open_directory: Path,
) -> None:
    directory = open_directory / "server"
    directory.mkdir()
    given_to(UNKNOWN_UID, directory)
    outcome = start_as(UNKNOWN_UID, directory, namespaces=False)
    assert f"`{UNKNOWN_UID}` has no line in /etc/passwd" in outcome.error
    assert "add a line for that user to /etc/passwd" in outcome.error


def test_root_runs_a_server_as_the_owner_of_its_directory(directory: Path) -> None:
    given_to(NOBODY, directory)
    outcome = start_as(0, directory, keep=True)
    assert (outcome.error, outcome.row, outcome.uid, outcome.capabilities) == ("", "answered laurels_engine", NOBODY, 0)
    assert owners(directory) == {NOBODY}
    found = embedded.status(directory)
    assert found is not None
    sockets = Path(found.url.partition("host=")[2].partition("&")[0])
    assert (sockets.stat().st_uid, sockets.stat().st_mode & 0o777) == (NOBODY, 0o700)
    # Nor does a second start by root leave anything that its owner could not open.
    with lock.held(directory / "users.lock", shared=True, patience_seconds=1, reason="this test"):
        assert owners(directory) == {NOBODY}


def test_ordinary_user_is_told_to_whom_the_data_belongs(directory: Path) -> None:
    (directory / "start.lock").unlink()
    directory.chmod(0o777)
    (directory / "data").chmod(0o755)
    (directory / "data" / "PG_VERSION").chmod(0o644)
    outcome = start_as(NOBODY, directory)
    assert f"{directory / 'data'} belongs to root, but this runs as nobody" in outcome.error
    directory.chmod(0o700)
    outcome = start_as(NOBODY, directory)
    assert "run as the user to whom it belongs" in outcome.error
    assert owners(directory / "data") == {0}


@pytest.mark.usefixtures("readable_programs")
def test_ordinary_user_is_told_that_a_server_of_root_is_not_theirs_to_stop(directory: Path) -> None:
    found = embedded.start(directory)
    code = AS_USER.replace("server = embedded.start(Path(directory))", "embedded.stop(Path(directory))")
    for path in (directory, directory / "data"):
        path.chmod(0o755)
    for path in (directory / "start.lock", directory / "data" / "postmaster.pid"):
        path.chmod(0o666)
    command = [sys.executable, "-c", code, json.dumps([NOBODY, str(directory), False])]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    said = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    assert "belongs to another user" in json.loads(said)["error"]
    assert embedded.run_sql(found, "select 1") == "1"


def test_root_without_namespaces_gives_a_new_directory_to_another_user(open_directory: Path) -> None:
    directory = open_directory / "server"
    outcome = start_as(0, directory, namespaces=False)
    other = pwd.getpwnam(next(name for name in posix._OTHER_USERS if any(u.pw_name == name for u in pwd.getpwall())))
    assert (outcome.error, outcome.row, outcome.uid, outcome.capabilities) == (
        "",
        "answered laurels_engine",
        other.pw_uid,
        0,
    )
    assert owners(directory) == {other.pw_uid}


def test_root_without_namespaces_gives_away_the_server_it_ran_in_one_before(directory: Path) -> None:
    outcome = start_as(0, directory, namespaces=False)
    assert (outcome.error, outcome.row) == ("", "answered laurels_engine")
    assert outcome.uid != 0
    assert owners(directory) == {outcome.uid}
    # And so it stays, also where there are namespaces.
    again = start_as(0, directory)
    assert (again.error, again.row, again.uid) == ("", "answered laurels_engine", outcome.uid)
    assert owners(directory) == {outcome.uid}


def test_root_without_namespaces_gives_away_nothing_that_is_not_the_servers(directory: Path) -> None:
    (directory / "letter").touch()
    outcome = start_as(0, directory, namespaces=False)
    assert "holds things that are not the server's: letter" in outcome.error
    assert "choose an empty directory" in outcome.error
    assert owners(directory) == {0}


def test_root_without_namespaces_in_a_closed_place_is_told_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    outcome = start_as(0, tmp_path / "server", namespaces=False)
    assert "PostgreSQL does not run as root, and a user namespace cannot be had here" in outcome.error
    assert "choose a directory which that user can reach" in outcome.error
    assert "LAURELS_DATABASE_URL" in outcome.error
    assert owners(tmp_path) == {0}
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_programs_closed_to_the_user_are_copied_once_into_the_servers_directory(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    installed = binaries.find()
    for part in installed.parts():
        shutil.copytree(installed.site / part, tmp_path / part)
    monkeypatch.setattr(binaries, "_site", lambda: tmp_path)
    given_to(NOBODY, directory)
    copy = directory / f"binaries-{installed.release}"
    older = directory / "binaries-18.0"
    older.mkdir()
    with embedded.running(directory) as found:
        program = Path(f"/proc/{found.pid}/cmdline").read_text().split("\0")[0]
        assert program.startswith(str(copy))
        assert embedded.run_sql(found, "select upper('é')") == "É"
    assert not older.exists()
    assert owners(copy) == {NOBODY}
    made_at = copy.stat().st_mtime_ns
    with embedded.running(directory):
        pass
    assert copy.stat().st_mtime_ns == made_at


def test_root_in_a_directory_it_cannot_enter_without_its_rights_is_told_so(
    open_directory: Path,
) -> None:
    home = open_directory / "home"
    home.mkdir()
    given_to(NOBODY, home)
    home.chmod(0o700)
    with pytest.raises(EmbeddedServerError, match=r"cannot enter its directory: .* Permission denied"):
        embedded.start(home / "server")


def test_socket_directory_of_another_user_is_not_used_even_where_root_could(open_directory: Path) -> None:
    sockets = open_directory / "sockets"
    sockets.mkdir(mode=0o700)
    assert launch.socket_directory([str(sockets)]) == sockets
    os.chown(sockets, NOBODY, NOBODY)
    with pytest.raises(launch.StageError, match="not as a directory open to this user alone"):
        launch.socket_directory([str(sockets)])


def test_namespace_gives_no_right_over_what_belongs_to_others(tmp_path: Path) -> None:
    # The control of the case above: what runs in the namespace is root by name only.
    file = tmp_path / "of_nobody"
    file.touch()
    os.chown(file, NOBODY, NOBODY)
    file.chmod(0o600)
    identity = posix.Identity(alias=posix._alias())
    done = posix._launched(tmp_path, identity, do="run", command=["/bin/cat", str(file)])
    assert done.returncode != 0
    assert "Permission denied" in done.stderr
