"""The server on Windows: TCP on the loopback address, a random password, programs run through `pg_ctl`.

A socket there is not closed by the permissions of its directory, so any user of the machine could connect; the
password in the server's directory keeps them out. `pg_ctl` also sheds an administrator's rights, which PostgreSQL
refuses.
"""

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from laurels.store.embedded import binaries as programs
from laurels.store.embedded import postmaster
from laurels.store.embedded.binaries import Binaries
from laurels.store.embedded.failure import failure
from laurels.store.embedded.place import Place

assert sys.platform == "win32"

_STOP_SIGNALS = {"smart": "TERM", "fast": "INT", "immediate": "QUIT"}


class Host(msgspec.Struct, frozen=True):
    """Runs the programs for one directory."""

    place: Place
    binaries: Binaries

    def initialise(self, options: list[str]) -> None:
        """Makes a new cluster and its password; it appears under its name only when it is whole."""
        self.place.password.write_text(secrets.token_urlsafe(32), encoding="utf-8")
        command = [str(self.binaries.program("initdb")), "-D", str(self.place.data_new), *options]
        command += ["--auth=scram-sha-256", f"--pwfile={self.place.password}"]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, env=_environment()
        )
        if done.returncode != 0:
            raise failure(
                f"A new database could not be made in {self.place.data}.",
                log=(done.stdout + done.stderr)[-4000:],
                mend="see the last line above; free space or another directory usually helps. Trying again is safe.",
            )
        if self.place.data.exists():
            self.place.data.rmdir()
        self.place.data_new.rename(self.place.data)

    def serve(self, files: Mapping[Path, str], patience_seconds: int) -> int:
        """The id of the server's process, which then outlives this one."""
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        self.place.startup_log.parent.mkdir(exist_ok=True)
        self.place.startup_log.unlink(missing_ok=True)
        command = [str(self.binaries.program("pg_ctl")), "start", "-D", str(self.place.data)]
        command += ["-l", str(self.place.startup_log), "-w", "-t", str(patience_seconds), "-o", f"-p {_free_port()}"]
        # The server inherits what it is given and keeps it open: a pipe would never end.
        nothing = subprocess.DEVNULL
        subprocess.run(command, stdin=nothing, stdout=nothing, stderr=nothing, check=False, env=_environment())
        found = postmaster.living(self.place.data)
        if found is None:
            raise failure(
                f"The server in {self.place.root} did not start.",
                log=self.place.log_tail(),
                mend="see the last lines above; when they speak of a process that is still running, end that one.",
            )
        return found.pid


def settle(place: Place, binaries: Binaries) -> Host:
    return Host(place=place, binaries=binaries)


def send_stop(pid: int, mode: str) -> None:
    program = str(programs.installed_program("pg_ctl"))
    subprocess.run([program, "kill", _STOP_SIGNALS[mode], str(pid)], capture_output=True, check=False)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
