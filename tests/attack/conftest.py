"""What the attacks share: a database with the schema in it."""

from collections.abc import Iterator

import pytest

from laurels.store.embedded import EmbeddedServer
from tests.postgres import drop_database
from tests.stage import laurels_database


@pytest.fixture
def laurels_url(server: EmbeddedServer) -> Iterator[str]:
    """A database with the schema for one test."""
    url = laurels_database(server)
    yield url
    drop_database(server, url)
