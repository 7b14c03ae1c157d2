"""What scenarios share: the application on one database for all of them, and a fresh program for each."""

from collections.abc import Iterator

import pytest

from laurels.store.embedded import EmbeddedServer
from tests.postgres import drop_database
from tests.scenarios.house import House
from tests.scenarios.story import Tell
from tests.stage import laurels_database


@pytest.fixture(scope="session")
def house(server: EmbeddedServer) -> Iterator[House]:
    """The application, opened once for all scenarios of this process."""
    url = laurels_database(server)
    with House(url) as opened:
        yield opened
    drop_database(server, url)


@pytest.fixture
def tell(house: House) -> Iterator[Tell]:
    """Begins stories; when the test is over every one of them must prove."""
    telling = Tell(house)
    yield telling
    telling.end()
