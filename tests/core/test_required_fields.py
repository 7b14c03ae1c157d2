"""Fields that a program requires: an activity without one is invalid, and says which."""

from __future__ import annotations

import json
from typing import Any

from laurels.core.activity import Activity, declared_by, parse
from laurels.core.rule.environment import Field
from laurels.core.shape import Problem

DECLARED = declared_by(
    "CNY",
    2,
    {
        "custom.recycled": (Field("kilograms", "decimal"), Field("place", "string", optional=True)),
        "line": (Field("origin", "string"),),
        "member": (Field("city", "string"), Field("level", "int", optional=True, default=1)),
    },
)


def read(type: str, data: dict[str, Any]) -> Activity | tuple[Problem, ...]:
    return parse(
        source="pos", id="a-1", type=type, member="m", occurred_at=0, data=json.dumps(data).encode(), declared=DECLARED
    )


def test_an_activity_without_a_required_field_is_invalid_and_says_which() -> None:
    assert read("custom.recycled", {"place": "north"}) == (
        Problem("/data/kilograms", "missing_field", "the program requires this field"),
    )
    assert isinstance(read("custom.recycled", {"kilograms": "1.5"}), Activity)


def test_each_line_of_a_purchase_needs_the_fields_required_of_lines() -> None:
    lines = [{"line": "1", "amount": "1.00", "fields": {"origin": "CN"}}, {"line": "2", "amount": "1.00"}]
    assert read("purchase", {"order": "o", "lines": lines}) == (
        Problem("/data/lines/1/fields/origin", "missing_field", "the program requires this field"),
    )


def test_a_required_attribute_is_needed_to_enrol_and_cannot_be_removed_later() -> None:
    missing = (Problem("/data/attributes/city", "missing_field", "the program requires this field"),)
    assert read("enrol", {}) == missing
    assert isinstance(read("enrol", {"attributes": {"city": "Xi'an"}}), Activity)
    assert read("member_change", {"attributes": {"city": None}}) == missing
    assert isinstance(read("member_change", {"attributes": {"level": 2}}), Activity)
