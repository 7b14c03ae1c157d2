"""What tests of faults share: a database of their own, on the server of all tests."""

from collections.abc import Iterator

import pytest

from laurels.store.embedded import EmbeddedServer
from tests.postgres import drop_database
from tests.stage import laurels_database


@pytest.fixture
def url(server: EmbeddedServer) -> Iterator[str]:
    """A database with the schema for one test."""
    url = laurels_database(server)
    yield url
    drop_database(server, url)
