"""The documents name files that are there."""

import re
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from posixpath import normpath

import pytest

from tests.house.tree import ROOT, project_files, text_of

DOCUMENTS = tuple(name for name in project_files() if name.endswith(".md"))

# Where a path in a document may count from, besides the document's own folder.
BASES = ("", "src/laurels/")

FILE_LIKE = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
FILE_SUFFIXES = frozenset({".md", ".py", ".sql", ".toml", ".txt", ".yaml", ".yml", ".json"})


def named_paths(text: str, top: Collection[str]) -> Iterator[str]:
    """The files and folders that a document names: relative links, and what looks like a path in back quotes."""
    for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
        if not re.match(r"[a-z]+:", link):
            yield link
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for quoted in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose):
        if FILE_LIKE.fullmatch(quoted) and "/" in quoted:
            path = PurePosixPath(quoted)
            if path.parts[0] in top or path.suffix in FILE_SUFFIXES:
                yield quoted


def is_there(path: str, folder: str, files: Collection[str]) -> bool:
    """Whether a path, or a pattern with `*`, names a file or a folder of the project."""
    names = {normpath(PurePosixPath(start, path)) for start in (folder, *BASES)}
    return any(fnmatchcase(file, name) or file.startswith(f"{name}/") for file in files for name in names)


def missing_paths(document: str, text: str, files: Collection[str]) -> list[str]:
    top = {file.removeprefix(base).split("/")[0] for base in BASES for file in files if file.startswith(base)}
    folder = str(PurePosixPath(document).parent)
    return [path for path in named_paths(text, top) if not is_there(path, folder, files)]


@pytest.mark.skipif(not DOCUMENTS, reason="no documents yet")
def test_every_file_that_a_document_names_exists() -> None:
    files = project_files()
    missing = {name: missing_paths(name, text_of(name) or "", files) for name in DOCUMENTS}
    assert {name: paths for name, paths in missing.items() if paths} == {}


def unnamed(text: str, files: Collection[str]) -> list[str]:
    """Files and packages of the core that a text does not name."""
    inside = {file.removeprefix("src/laurels/") for file in files if file.startswith("src/laurels/core/")}
    rooms = {f"{path.parts[0]}/{path.parts[1]}{'/' * (len(path.parts) > 2)}" for path in map(PurePosixPath, inside)}
    return sorted(room for room in rooms - {"core/__init__.py"} if f"`{room}`" not in text)


def test_the_architecture_names_every_file_of_the_core() -> None:
    text = text_of("ARCHITECTURE.md")
    assert text is not None
    assert unnamed(text, project_files()) == []


def test_a_file_of_the_core_that_nobody_names_is_noticed() -> None:
    files = ("src/laurels/core/money.py", "src/laurels/core/rule/check.py", "src/laurels/store/sql.py")
    assert unnamed("`core/money.py`", files) == ["core/rule/"]
    assert unnamed("`core/rule/`", files) == ["core/money.py"]


FILES = ("README.md", "docs/time.md", "docs/adr/1.md", "src/laurels/core/money.py", "programs/grocery.yaml", ".ci/run")


@pytest.mark.parametrize(
    "text",
    [
        "see `src/laurels/core/vanished.py`",
        "see `core/vanished.py`",
        "see [time](docs/vanished.md)",
        "see [time](docs/vanished.md#zones)",
        "see `programs/*.json`",
        "see `vanished/tree.py`",
        "see `docs/vanished/`",
    ],
)
def test_vanished_file_is_noticed(text: str) -> None:
    assert missing_paths("README.md", text, FILES)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("README.md", "see `src/laurels/core/money.py` and `core/money.py` and `core/`"),
        ("README.md", "see [time](docs/time.md#zones), [x](https://example.test/y), [below](#limits), `.ci/run`"),
        ("README.md", "`programs/*.yaml`, `/v1/activities`, `application/json`, `and/or`, `laurels check FILE`"),
        ("docs/adr/1.md", "see [time](../time.md) and [readme](../../README.md)"),
        ("README.md", "```\n`src/laurels/core/vanished.py`\n```"),
    ],
)
def test_file_that_is_there_is_found(document: str, text: str) -> None:
    assert missing_paths(document, text, FILES) == []


def test_project_has_its_own_files() -> None:
    assert "pyproject.toml" in project_files()
    assert "tests/house/test_documents.py" in project_files()
    assert not [name for name in project_files() if name.startswith((".venv/", ".git/"))]
    assert (ROOT / "LICENSE").is_file()
