"""The disk runs full under load: nobody is told of what could not be written, and with space it all goes on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def of_our_own() -> list[str] | None:
    """A command that runs another where mounts are its own; None where there is no such thing."""
    if sys.platform != "linux" or shutil.which("unshare") is None or shutil.which("mount") is None:
        return None
    for command in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        probe = [*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return command
    return None


def test_disk_that_runs_full_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    apart = of_our_own()
    if apart is None:
        pytest.skip("a small file system of its own needs mount namespaces (Linux; root, or user namespaces allowed)")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        [*apart, sys.executable, "-m", "tests.faults.full_disk", disk, tmp_path / "log"],
        capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp_path)}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)
    assert found["full_after"] > 0
    assert found["heard"]["unavailable"] >= 20
