"""What tests of the command line share: a database of their own, and a way to give a command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from laurels.store.embedded import EmbeddedServer
from tests.cli.giving import Giving
from tests.postgres import drop_database
from tests.stage import laurels_database


@pytest.fixture
def laurels_url(server: EmbeddedServer) -> Iterator[str]:
    """A database with the schema for one test."""
    url = laurels_database(server)
    yield url
    drop_database(server, url)


@pytest.fixture
def give(laurels_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Giving:
    """Gives commands on a database of the test's own, in a directory of its own."""
    monkeypatch.setenv("LAURELS_DATABASE_URL", laurels_url)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(tmp_path)
    return Giving(laurels_url, tmp_path)
