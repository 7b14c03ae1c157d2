"""What hostile tests share: a database with the schema in it for each."""

from collections.abc import Iterator

import pytest

from laurels.store.embedded import EmbeddedServer
from tests.postgres import drop_database
from tests.stage import laurels_database


@pytest.fixture
def url(server: EmbeddedServer) -> Iterator[str]:
    url = laurels_database(server)
    yield url
    drop_database(server, url)
