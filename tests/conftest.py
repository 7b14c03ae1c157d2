"""What tests of every ring share: a real PostgreSQL."""

from collections.abc import Iterator

import pytest

from laurels.store.embedded import EmbeddedServer
from tests.attack.depth import DEEP
from tests.postgres import drop_database, fresh_database, temporary_server

LONGEST = ("tests/attack/test_model.py", "tests/mutants/test_mutants.py", "tests/core/test_offer_laws.py")
"""The files that take longest at length, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """At length, these go first, so that in the end nobody waits for one of them."""
    if DEEP:
        places = {name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


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
