"""Everything that does not fit a shape is found at once, where it stands; what decoding lets through is not."""

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from laurels.core.shape import FINDINGS_MOST, misfits, misread
from laurels.core.wire import WirePurchase


class Inner(Struct, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=3)]
    amount: Annotated[int, Meta(ge=0)] = 0


class Outer(Struct, forbid_unknown_fields=True):
    word: Annotated[str, Meta(pattern="^[a-z]+$", min_length=2)]
    inners: Annotated[tuple[Inner, ...], Meta(min_length=1, max_length=2)]
    maybe: Inner | None = None
    never_null: str | UnsetType = UNSET
    free: dict[str, Any] = {}
    raw: Raw = Raw(b"{}")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({}, [("/word", "missing"), ("/inners", "missing")]),
        ([], [("", "invalid")]),
        ({"word": "ab", "inners": []}, [("/inners", "missing")]),
        ({"word": "A", "inners": [{"code": ""}]}, [("/word", "invalid"), ("/inners/0/code", "missing")]),
        (
            {"word": 5, "inners": [{"code": "long"}, {"amount": -1}, {"code": "x"}]},
            [
                ("/word", "invalid"),
                ("/inners", "too_long"),
                ("/inners/0/code", "too_long"),
                ("/inners/1/code", "missing"),
                ("/inners/1/amount", "invalid"),
            ],
        ),
        (
            {"word": "ab", "inners": [{"code": "x"}], "maybe": {"code": None}, "never_null": None, "free": []},
            [("/maybe/code", "invalid"), ("/never_null", "invalid"), ("/free", "invalid")],
        ),
        (
            {"wrod": "ab", "word": "ab", "inners": [{"code": "x"}], "a/b~": 1},
            [("/wrod", "unknown_field"), ("/a~1b~0", "unknown_field")],
        ),
        ({"word": "ab", "inners": [{"code": "x"}], "maybe": None, "raw": [[None]]}, []),
    ],
)
def test_every_misfit_is_found_where_it_stands(value: Any, found: list[tuple[str, str]]) -> None:
    assert [(each.pointer, each.code) for each in misfits(value, Outer)] == found


def test_slip_of_the_pen_is_recognised() -> None:
    (found,) = misfits({"word": "ab", "inners": [{"code": "x", "amuont": 1}]}, Outer, "/data")
    assert (found.pointer, found.message) == (
        "/data/inners/0/amuont",
        "there is no such field; did you mean amount?",
    )


def test_nobody_is_told_more_than_a_hundred_misfits() -> None:
    assert len(misfits([{}] * 500, tuple[Inner, ...])) == FINDINGS_MOST


LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.text("aB0", max_size=5)
INNERS = st.dictionaries(st.sampled_from(("code", "amount", "other")), LEAVES, max_size=3)
VALUES = st.dictionaries(
    st.sampled_from(("word", "inners", "maybe", "never_null", "free", "raw", "other")),
    LEAVES | st.lists(INNERS, max_size=3) | INNERS,
    max_size=6,
)


@settings(max_examples=300)
@given(VALUES)
def test_something_is_found_exactly_where_decoding_refuses(value: Any) -> None:
    raw = msgspec.json.encode(value)
    refused: msgspec.ValidationError | None = None
    try:
        msgspec.json.decode(raw, type=Outer)
    except msgspec.ValidationError as error:
        refused = error
    found = misfits(value, Outer)
    assert bool(found) == (refused is not None)
    if refused is not None:
        assert misread(raw, Outer, refused) == found


def test_what_decoding_stopped_at_is_told_where_the_rest_cannot_be_read() -> None:
    raw = b'{"order": 5, "lines": [], "store": "\\ud800"}'
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(raw, type=WirePurchase)
    assert [(each.pointer, each.code) for each in misread(raw, WirePurchase, refused.value, "/data")] == [
        ("/data/order", "invalid")
    ]
