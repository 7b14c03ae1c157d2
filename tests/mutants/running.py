"""Running tests against a mutant: a copy of the whole project with the patch in it, and a pytest of its own.

The whole project is copied, because some tests read the source rather than run it. What counts is that each named test
fails by an assertion; a mutant that cannot be imported, or breaks the tests rather than the law, was not caught.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.mutants.catalogue import ROOT, Mutant
from tests.mutants.patching import Patch, applied

PATIENCE_S = 300

# Made things and outputs; git's own folder is beside the point, since rules over the files walk the tree without it.
LEFT_OUT = shutil.ignore_patterns(".*", "var", "dist", "node_modules", "*.egg-info", "benchmarks")

# How an assertion fails: by itself, by pytest's `raises`, or by what the tests' own auditors raise.
ASSERTED = ("AssertionError", "assert ", "Failed: ", "tests.")


@dataclass(frozen=True)
class Ran:
    """What became of tests: pytest's exit code, the failures by the test's id, the errors, and what was printed."""

    exit_code: int | None
    failures: dict[str, str]
    errors: dict[str, str]
    count: int
    seconds: float
    output: str

    def is_failing(self, test: str) -> bool:
        """Whether the test, or one of its cases if the id names none, failed by an assertion."""
        return any(
            (id == test or id.startswith(f"{test}[")) and message.startswith(ASSERTED)
            for id, message in self.failures.items()
        )


@contextmanager
def copy_with(patch: Patch | None) -> Iterator[Path]:
    """A copy of the project with a patch in it, while the block runs."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder, "project")
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        for path, hunks in {} if patch is None else patch.hunks.items():
            file = copy / path
            text = applied(hunks, path, file.read_text(encoding="utf-8"))
            for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
                # It might be as old and as long as the new source.
                compiled.unlink()
            file.write_text(text, encoding="utf-8")
        yield copy


def run(copy: Path, tests: Sequence[str]) -> Ran:
    """Runs these tests on a copy, briefly whatever is asked of the tests around."""
    report, output = copy.parent / "report.xml", copy.parent / "output"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "LAURELS_", "COV_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=short"]
    began = time.monotonic()
    with output.open("w") as written:
        process = subprocess.Popen(
            [*command, f"--basetemp={copy.parent / 'made'}", f"--junitxml={report}", *tests],
            cwd=copy, env={**kept, "PYTHONPATH": str(copy / "src")}, stdout=written, stderr=subprocess.STDOUT,
        )  # fmt: skip
        code = _wait(process)
    seconds = time.monotonic() - began
    failures: dict[str, str] = {}
    errors: dict[str, str] = {}
    cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []
    for case in cases:
        id = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        for found, kind in ((failures, "failure"), (errors, "error")):
            if (what := case.find(kind)) is not None:
                found[id] = what.get("message", "")
    return Ran(code, failures, errors, len(cases), seconds, output.read_text(errors="replace"))


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    """The exit code; None for tests that hang. These are interrupted, so that they stop what they started."""
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def hunt(mutant: Mutant) -> tuple[str, Ran]:
    """Why the mutant does not count as caught, "" if it does; and what became of the tests that must catch it."""
    with copy_with(mutant.patch) as copy:
        ran = run(copy, mutant.caught_by)
    if ran.exit_code is None:
        return f"the tests hung for {PATIENCE_S} s", ran
    if ran.exit_code != 1 or ran.errors:
        return f"pytest ended with {ran.exit_code}, errors: {ran.errors}", ran
    blind = [test for test in mutant.caught_by if not ran.is_failing(test)]
    return "".join(f"\nnot caught by {test}" for test in blind), ran
