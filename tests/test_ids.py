"""Ids for the outside are UUIDv7: in order of time, and never the same twice."""

import os
from uuid import UUID

import pytest

from laurels.ids import Chance, new_id

NOW = 1_780_000_000_123_456


def test_id_is_a_uuid_of_version_7_that_tells_its_millisecond() -> None:
    id = UUID(new_id(NOW))
    assert (id.version, id.variant) == (7, "specified in RFC 4122")
    assert id.int >> 80 == NOW // 1000


def test_ids_sort_by_time_and_never_repeat() -> None:
    ids = [new_id(NOW + 1000 * n) for n in range(1000)]
    assert ids == sorted(ids)
    assert len({new_id(NOW) for _ in range(10_000)}) == 10_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_fork_draws_chance_of_its_own() -> None:
    class Unforgetting(Chance):
        def forget(self) -> None:
            """Keeps what was drawn before the fork."""

    assert len(_ids_after_fork(Chance())) == 20
    assert len(_ids_after_fork(Unforgetting())) == 10, "parent and child get the same"


def _ids_after_fork(chance: Chance) -> set[bytes]:
    """Ten shares of a process and ten of its child, which was forked when some were drawn already."""
    chance.share()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"".join([chance.share() for _ in range(10)]))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 1000)
    os.close(reading)
    os.close(writing)
    assert len(theirs) == 100
    return {theirs[n : n + 10] for n in range(0, 100, 10)} | {chance.share() for _ in range(10)}
