"""Ids for the outside are UUIDv7: in order of time, and never the same twice."""

from uuid import UUID

from laurels.ids import new_id

NOW = 1_780_000_000_123_456


def test_id_is_a_uuid_of_version_7_that_tells_its_millisecond() -> None:
    id = UUID(new_id(NOW))
    assert (id.version, id.variant) == (7, "specified in RFC 4122")
    assert id.int >> 80 == NOW // 1000


def test_ids_sort_by_time_and_never_repeat() -> None:
    ids = [new_id(NOW + 1000 * n) for n in range(1000)]
    assert ids == sorted(ids)
    assert len({new_id(NOW) for _ in range(10_000)}) == 10_000
