"""What tests of jobs share: a database with the schema in it, and a program whose points last a day."""

from collections.abc import Iterator

import pytest

from laurels.store.embedded import EmbeddedServer
from tests.postgres import drop_database
from tests.stage import laurels_database

PROGRAM = """
program: cafe
time_zone: UTC
currency: CNY
wallets:
  points: {expires: {after: 1D}}
"""


@pytest.fixture
def laurels_url(server: EmbeddedServer) -> Iterator[str]:
    """A database with the schema for one test."""
    url = laurels_database(server)
    yield url
    drop_database(server, url)
