"""Set-up brings the same packages to everyone: locks are complete, hashed and current, and CI runs what people run."""

import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.tree import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("demo.txt", "dev.txt", "uv.txt")

PINNED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}(?![0-9a-f])")


def lock_text(name: str) -> str:
    return (ROOT / "requirements" / name).read_text(encoding="utf-8")


def lock_entries(text: str) -> Iterator[str]:
    """The requirements of a lock, each in one line with its hashes."""
    without_comments = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    yield from filter(None, without_comments.replace("\\\n", " ").splitlines())


def lock_objections(text: str) -> list[str]:
    """What keeps a lock from being installed with every byte known in advance, from a registry of one's choice."""
    entries = list(lock_entries(text))
    return [
        *(f"not pinned: {entry}" for entry in entries if not PINNED.match(entry)),
        *(f"no hash: {entry}" for entry in entries if not HASH.search(entry)),
        *(f"names a place: {found}" for found in re.findall(r"\S*(?:://|file:|--index|--find-links|-i )\S*", text)),
        *(f"a path: {found}" for found in re.findall(r"(?<![\w.])/\w+/\S*", text)),
        *([] if entries else ["empty"]),
    ]


def locked_versions(name: str) -> Mapping[str, Version]:
    pins = filter(None, map(PINNED.match, lock_entries(lock_text(name))))
    return {canonicalize_name(pin["name"]): Version(pin["version"]) for pin in pins}


def group(name: str) -> Iterator[str]:
    for item in PYPROJECT["dependency-groups"][name]:
        if isinstance(item, str):
            yield item
        else:
            yield from group(item["include-group"])


def wanted(lock: str) -> list[str]:
    project: Mapping[str, Any] = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    match lock:
        case "demo.txt":
            return [*project["dependencies"], *extras["demo"], *group("build")]
        case "dev.txt":
            return [*project["dependencies"], *chain(*extras.values()), *group("dev")]
        case _:
            return list(group("setup"))


def unmet(wants: list[str], versions: Mapping[str, Version]) -> list[str]:
    """The requirements that the locked versions do not fulfil."""

    def met(requirement: Requirement) -> bool:
        version = versions.get(canonicalize_name(requirement.name))
        return version is not None and requirement.specifier.contains(version)

    return [want for want in wants if not met(Requirement(want))]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_and_hashes_everything_and_names_no_place(lock: str) -> None:
    assert lock_objections(lock_text(lock)) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rich==15.0.0\n",
        "rich>=15.0.0 --hash=sha256:" + "0" * 64,
        "rich==15.0.0 --hash=sha256:" + "0" * 63,
        "--index-url https://example.test/simple\nrich==15.0.0 --hash=sha256:" + "0" * 64,
        "# made in /srv/laurels/requirements\nrich==15.0.0 --hash=sha256:" + "0" * 64,
    ],
)
def test_lock_with_a_fault_is_noticed(text: str) -> None:
    assert lock_objections(text)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_fulfils_what_pyproject_wants(lock: str) -> None:
    assert unmet(wanted(lock), locked_versions(lock)) == [], "run `make lock`"


def test_stale_lock_is_noticed() -> None:
    versions = {"rich": Version("15.0.0")}
    assert unmet(["rich>=14", "Rich>=16", "click"], versions) == ["Rich>=16", "click"]


def test_demo_runs_on_the_versions_that_are_tested() -> None:
    tested = locked_versions("dev.txt")
    untested = {name: version for name, version in locked_versions("demo.txt").items() if tested.get(name) != version}
    assert untested == {}


def test_continuous_integration_runs_make_test_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    code = [line for line in script.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert code == ["set -euo pipefail", 'cd "$(dirname "${BASH_SOURCE[0]}")/.."', "exec make test"]
    assert script.stat().st_mode & stat.S_IXUSR


def silent_ignores(pyproject: str) -> list[str]:
    """The lines that turn a lint rule off, or an import rule aside, without a comment that says why."""
    lint = pyproject.partition("[tool.ruff.lint]")[2].partition("[tool.mypy]")[0]
    ignores = re.findall(r"^(?:ignore|\"[^\"]+\") = \[\n(.*?)^\]", lint, flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in ignores for line in block.splitlines()]
    return [line for line in lines if not re.search(r'^ *"[A-Z]+\d*", +# \w+\W+\w+', line)]


def test_every_lint_rule_that_is_off_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert silent_ignores(text) == []
    ruff: Mapping[str, Any] = PYPROJECT["tool"]["ruff"]["lint"]
    off = {*ruff["ignore"], *chain(*ruff["per-file-ignores"].values())}
    assert all(f'"{code}", ' in text for code in off), "written so that the check above does not see it"


def test_silent_ignore_is_noticed() -> None:
    lines = '  "S101",\n  "S102",   # it is\n  "PLR2004",  # 24 hours speak for themselves\n'
    assert silent_ignores(f"[tool.ruff.lint]\nignore = [\n{lines}]\n") == ['  "S101",']
    assert silent_ignores(f'[tool.ruff.lint]\n[x]\n"tests/**" = [\n{lines}]\n[tool.mypy]') == ['  "S101",']
