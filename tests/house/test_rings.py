"""The import contracts of pyproject.toml object to what they forbid: each is tried on a small house that breaks it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

RINGS = ("core", "store", "intake", "jobs", "simulate", "api", "cli")


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    """What the project's contracts say about the package `laurels` in `house`."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]
    options = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    environment = {"PYTHONPATH": str(house), "PYTHONSAFEPATH": "1", "COLUMNS": "200"}
    return subprocess.run([*command, *options], cwd=house, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for ring in RINGS:
        (tmp_path / "laurels" / ring).mkdir(parents=True)
        (tmp_path / "laurels" / ring / "__init__.py").touch()
    for module in ("__init__", "wiring", "settings", "clock", "ids", "log"):
        (tmp_path / "laurels" / f"{module}.py").touch()
    return tmp_path


def test_empty_house_keeps_the_contracts(house: Path) -> None:
    answer = lint(house)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("module", "statement", "objection"),
    [
        ("core/tier.py", "import laurels.store", "laurels.core is not allowed to import laurels.store"),
        ("core/tier.py", "import laurels.clock", "laurels.core is not allowed to import laurels.clock"),
        ("core/tier.py", "import time", "laurels.core is not allowed to import time"),
        ("core/tier.py", "import asyncpg", "laurels.core is not allowed to import asyncpg"),
        ("store/rows.py", "import laurels.intake", "laurels.store is not allowed to import laurels.intake"),
        ("intake/lane.py", "import laurels.api", "laurels.intake is not allowed to import laurels.api"),
        ("simulate/fold.py", "import laurels.jobs", "laurels.simulate is not allowed to import laurels.jobs"),
        ("clock.py", "import laurels.store", "laurels.clock is not allowed to import laurels.store"),
        ("annex.py", "", "The following modules are not listed as layers"),
    ],
)
def test_contract_objects(house: Path, module: str, statement: str, objection: str) -> None:
    (house / "laurels" / module).write_text(f"{statement}\n", encoding="utf-8")
    answer = lint(house)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert objection in answer.stdout
