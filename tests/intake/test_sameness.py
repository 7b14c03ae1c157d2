"""Which bodies are the same activity, and which words of a body are free text."""

from typing import Any

import msgspec
import pytest

from laurels.core.activity import Declared
from laurels.core.rule.environment import Field
from laurels.intake.sameness import StoredBody, is_same, with_text, without_text

DECLARED = Declared("CNY", 2, {"feedback": (Field("score", "int"), Field("topic", "string"))})


def body(value: Any) -> bytes:
    return msgspec.json.encode(value)


@pytest.mark.parametrize(
    ("type", "value", "kept", "texts"),
    [
        (
            "adjustment",
            {"wallet": "points", "points": 5, "reason": "She called."},
            {"wallet": "points", "points": 5, "reason": ""},
            {"reason": "She called."},
        ),
        (
            "feedback",
            {"score": 9, "topic": "coffee", "words": "Too hot for Anna.", "order": "o-1", "more": {"who": "Anna"}},
            {"score": 9, "topic": "coffee", "words": "", "order": "o-1", "more": ""},
            {"words": "Too hot for Anna.", "more": {"who": "Anna"}},
        ),
        ("feedback", {"score": 9, "words": "", "sure": True}, {"score": 9, "words": "", "sure": True}, None),
        ("custom.recycled", {"kilograms": 2}, {"kilograms": 2}, None),
    ],
)
def test_free_text_is_what_no_rule_can_read(type: str, value: Any, kept: Any, texts: Any) -> None:
    left, taken = without_text(type, body(value), DECLARED)
    assert msgspec.json.decode(left) == kept
    assert (None if taken is None else msgspec.json.decode(taken)) == texts
    assert msgspec.json.decode(with_text(left, None if taken is None else taken.decode())) == value


def test_a_body_without_text_is_kept_as_it_was_sent() -> None:
    sent = b'{ "kilograms" : 2 }'
    assert without_text("custom.recycled", sent, DECLARED) == (sent, None)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ({"x": 1}, {"x": 1}, True),
        ({"x": 1, "y": [1, {"z": None}]}, {"y": [1, {"z": None}], "x": 1}, True),
        ({"x": 1}, {"x": True}, False),
        ({"x": 0}, {"x": False}, False),
        ({"x": 1}, {"x": "1"}, False),
        ({"x": [1, 2]}, {"x": [2, 1]}, False),
        ({"x": None}, {}, False),
        ({"x": ""}, {"x": "a"}, False),
    ],
)
def test_free_fields_are_compared_by_value_and_kind(a: Any, b: Any, same: bool) -> None:
    stored = StoredBody("check_in", "m-1", 7, body(a), False, None)
    assert is_same(stored, "check_in", "m-1", 7, body(b)) == same


def test_type_member_and_instant_are_part_of_the_body() -> None:
    stored = StoredBody("check_in", "m-1", 7, b"{}", False, None)
    assert is_same(stored, "check_in", "m-1", 7, b"{}")
    assert not is_same(stored, "review", "m-1", 7, b"{}")
    assert not is_same(stored, "check_in", "m-2", 7, b"{}")
    assert not is_same(stored, "check_in", "m-1", 8, b"{}")


def test_kept_text_counts_and_erased_text_does_not() -> None:
    sent = body({"wallet": "points", "points": 5, "reason": "She called."})
    other = body({"wallet": "points", "points": 5, "reason": "He wrote."})
    left, texts = without_text("adjustment", sent, DECLARED)
    assert texts is not None
    kept = StoredBody("adjustment", "m-1", 7, left, True, texts.decode())
    erased = StoredBody("adjustment", "m-1", 7, left, True, None)
    assert is_same(kept, "adjustment", "m-1", 7, sent)
    assert not is_same(kept, "adjustment", "m-1", 7, other)
    assert is_same(erased, "adjustment", "m-1", 7, sent)
    assert is_same(erased, "adjustment", "m-1", 7, other)
    assert not is_same(erased, "adjustment", "m-1", 7, body({"wallet": "points", "points": 6, "reason": "He wrote."}))
