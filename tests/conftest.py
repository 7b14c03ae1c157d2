"""What tests of every ring share: a real PostgreSQL."""

from collections.abc import Iterator

import pytest

from laurels.store.embedded import EmbeddedServer
from tests.postgres import drop_database, fresh_database, temporary_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """One server for all tests of this process that want a database."""
    with temporary_server(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture
def database_url(server: EmbeddedServer) -> Iterator[str]:
    """An empty database for one test."""
    url = fresh_database(server)
    yield url
    drop_database(server, url)
