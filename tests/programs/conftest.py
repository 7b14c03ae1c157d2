"""A life under a program, lived in the core and through the public interface on PostgreSQL."""

from collections.abc import Callable, Iterator

import pytest

from tests.programs.living import CoreLife, Life, StoryLife
from tests.scenarios.conftest import house  # noqa: F401  (a fixture)
from tests.scenarios.house import House
from tests.scenarios.story import Tell

Lives = Callable[[str], Life]


@pytest.fixture(params=["core", "http"])
def living(request: pytest.FixtureRequest) -> Iterator[Lives]:
    """Begins lives under programs of `programs/` by name; when the test is over every one of them must prove."""
    if request.param == "core":
        lives: list[CoreLife] = []

        def in_core(name: str) -> Life:
            lives.append(CoreLife(name))
            return lives[-1]

        yield in_core
        for each in lives:
            each.end()
        return
    opened: House = request.getfixturevalue("house")
    telling = Tell(opened)
    yield lambda name: StoryLife(name, telling)
    telling.end()
