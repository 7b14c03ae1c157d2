"""Attributes are short, and few enough that the root document stays small: everything a member does reads all of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from laurels.core import enrolment
from laurels.core.activity import Activity, declared_by, parse
from laurels.core.member import encode_document
from laurels.core.rule.environment import Field
from laurels.core.shape import Problem
from laurels.core.wire import ATTRIBUTE_MOST, ATTRIBUTES_BYTES_MOST
from tests.core.harness import World, shop

DECLARED = declared_by("CNY", 2, {"member": (Field("city", "string", optional=True),)})
LONGEST = "字" * ATTRIBUTE_MOST


def read(type: str, attributes: dict[str, Any]) -> Activity | tuple[Problem, ...]:
    data = json.dumps({"attributes": attributes}, ensure_ascii=False).encode()
    return parse(source="pos", id="a-1", type=type, member="m", occurred_at=0, data=data, declared=DECLARED)


def places(found: Activity | tuple[Problem, ...]) -> list[tuple[str, str]]:
    assert not isinstance(found, Activity)
    return [(problem.pointer, problem.code) for problem in found]


@pytest.mark.parametrize("type", ["enrol", "member_change"])
def test_a_long_attribute_is_invalid_and_named_whether_or_not_it_is_declared(type: str) -> None:
    assert isinstance(read(type, {"city": LONGEST, "other": [LONGEST, "b"], LONGEST: 1}), Activity)
    for name, value in (("city", LONGEST + "x"), ("other", LONGEST + "x"), ("other", ["a", LONGEST + "x"])):
        assert places(read(type, {"fine": "x", name: value})) == [(f"/data/attributes/{name}", "too_long")]
    assert places(read(type, {LONGEST + "x": 1})) == [(f"/data/attributes/{LONGEST}x", "too_long")]


@pytest.mark.parametrize("type", ["enrol", "member_change"])
def test_attributes_that_are_too_large_together_are_invalid(type: str) -> None:
    size = len(b'{"a00":""}') - 1
    many = {f"a{n:02}": "x" * 100 for n in range(ATTRIBUTES_BYTES_MOST // (size + 100))}
    assert isinstance(read(type, many), Activity)
    assert places(read(type, {**many, "more": "x" * 100})) == [("/data/attributes", "too_long")]


def test_attributes_that_gather_over_time_are_refused_where_they_become_too_large() -> None:
    world = World(shop())
    world.enrol()
    code = None
    for n in range(100):
        code = world.post("m", "member_change", {"attributes": {f"a{n}": LONGEST}}).code
        if code != "accepted":
            break
    assert code == "attributes_too_large"
    root = world.look().root
    assert len(encode_document(root)) < ATTRIBUTES_BYTES_MOST + 1500
    # What is there can change, and whoever makes room can go on.
    assert world.post("m", "member_change", {"attributes": {"a0": "short"}}).code == "accepted"
    assert world.post("m", "member_change", {"attributes": {"a1": None, "b": LONGEST}}).code == "accepted"


def test_a_member_who_has_too_many_can_be_rid_of_some(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(shop())
    world.enrol()
    monkeypatch.setattr(enrolment, "ATTRIBUTES_BYTES_MOST", 2 * ATTRIBUTES_BYTES_MOST)
    for n in range(10):
        assert world.post("m", "member_change", {"attributes": {f"a{n}": LONGEST}}).code == "accepted"
    monkeypatch.undo()
    assert world.post("m", "member_change", {"attributes": {"b": 1}}).code == "attributes_too_large"
    assert world.post("m", "member_change", {"attributes": {"a1": None, "b": 1}}).code == "accepted"
