"""Bodies are read within limits and decoded strictly; each limit is seen to hold, and to let through what fits it."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from laurels.api.body import DEPTH_MOST, NUMBER_DIGITS_MOST, TEXT_BYTES_MOST, Disconnected, decode, oddities, read_body
from laurels.api.members import NewMember
from laurels.api.problem import ApiProblem
from laurels.core.shape import FINDINGS_MOST

ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("raw", "place", "code"),
    [
        (b'{"a": "x\\u0000"}', "/a", "nul_character"),
        (b'{"b": [1, {"c": 2, "a\\u0000": 1}]}', "/b/1/...", "nul_character"),
        (b'{"a": "\\\\\\u0000"}', "/a", "nul_character"),
        (b'{"a/b~": [[], {}, "\\u0000"]}', "/a~1b~0/2", "nul_character"),
        (nested(DEPTH_MOST + 1), "/0" * DEPTH_MOST, "too_deep"),
        (b'{"a": "]]]]", "b": ' + nested(DEPTH_MOST) + b"}", "/b" + "/0" * (DEPTH_MOST - 1), "too_deep"),
        (b'{"a": [{"b": 1}, ' + b"9" * (NUMBER_DIGITS_MOST + 1) + b"]}", "/a/1", "too_long"),
        (b'{"b": {"c": [1, 2]}, "a": "' + b"x" * (TEXT_BYTES_MOST + 1) + b'"}', "/a", "too_long"),
        (b'{"a": "' + b'\\"x' * TEXT_BYTES_MOST + b'"}', "/a", "too_long"),
    ],
)
def test_what_no_honest_caller_sends_is_found_where_it_stands(raw: bytes, place: str, code: str) -> None:
    (found,) = oddities(raw, "/activities/3")
    assert (found.code, found.pointer) == (code, f"/activities/3{place}")


def test_everything_odd_is_found_at_once() -> None:
    raw = b'{"a": "\\u0000", "b": ["\\u0000", ' + b"9" * 50 + b"]}"
    assert [(found.pointer, found.code) for found in oddities(raw)] == [
        ("/a", "nul_character"),
        ("/b/0", "nul_character"),
        ("/b/1", "too_long"),
    ]
    assert len(oddities(b'["' + b'\\u0000","' * 500 + b'"]')) == FINDINGS_MOST


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": "\\\\u0000"}',
        b'{"a": "' + b"[{" * 100 + b'"}',
        nested(DEPTH_MOST),
        json.dumps([[{"tags": []}]] * 200).encode(),
        b'{"a": "' + b"9" * 200 + b'"}',
        b'{"a": ' + b"9" * NUMBER_DIGITS_MOST + b"}",
        b'{"a": "' + b"x" * TEXT_BYTES_MOST + b'"}',
        json.dumps({"lines": ["x" * 1000] * 100}).encode(),
        json.dumps({"quoted": '"' * 1000, "more": ["y"] * 9000}).encode(),
    ],
)
def test_what_is_within_the_limits_passes(raw: bytes) -> None:
    json.loads(raw)
    assert oddities(raw) == ()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "malformed_body"),
        (b"{", "malformed_body"),
        (b'{"a": "\\ud800"}', "malformed_body"),
        (b'{"a": "\xed\xa0\x80"}', "malformed_body"),
        (b'{"a": "\xff"}', "malformed_body"),
        (b"[" * 100_000, "invalid"),
        (b'{"a": NaN}', "malformed_body"),
    ],
)
def test_what_is_no_json_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(ApiProblem) as refused:
        decode(raw, ANY)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b'{"a": 1,\n "b": }', "Line 2, column 7"),
        (b'{"a": 1,\n "b": [1, 2', "Line 2, column 12"),
        (b'{"a": 1,\n "b": "cut o', "Line 2, column 7"),
        (b'{"a":\n\xc3\xbc\xff}', "Line 2, column 2"),
        (b'{"a":\n"\xc3\xbc\xff"}', "Line 2, column 3"),
    ],
)
def test_what_is_no_json_is_placed_by_line_and_column(raw: bytes, place: str) -> None:
    with pytest.raises(ApiProblem) as refused:
        decode(raw, ANY)
    (finding,) = refused.value.errors
    assert (finding.pointer, finding.code) == ("", "malformed")
    assert place in finding.message
    assert place in refused.value.detail


def test_everything_that_does_not_fit_is_named_at_once() -> None:
    with pytest.raises(ApiProblem) as refused:
        decode(b'{"id": "x\\u0000", "enroled_at": null, "profile": {"name": 5}}', msgspec.json.Decoder(NewMember))
    assert [(error.pointer, error.code) for error in refused.value.errors] == [
        ("/id", "nul_character"),
        ("/profile/name", "invalid"),
        ("/enroled_at", "unknown_field"),
    ]


def test_numbers_in_quotes_are_no_numbers() -> None:
    with pytest.raises(ApiProblem) as refused:
        decode(b'{"points": "5"}', msgspec.json.Decoder(dict[str, int]))
    assert refused.value.code == "invalid"
    assert refused.value.errors[0].pointer


def read(*parts: bytes, headers: dict[bytes, bytes] | None = None, most: int = 10) -> bytes:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": n < len(parts)} for n, part in enumerate(parts, 1)
    ] + [{"type": "http.disconnect"}]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return asyncio.run(read_body(receive, headers or {}, most, 1))


def test_body_of_several_parts_is_joined() -> None:
    assert read(b"ab", b"", b"cd") == b"abcd"


@pytest.mark.parametrize("parts", [(b"x" * 11,), (b"x" * 6, b"x" * 5)])
def test_body_is_cut_off_at_its_limit_whatever_its_length_says(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(ApiProblem) as refused:
        read(*parts, headers={b"content-length": b"1"})
    assert refused.value.code == "body_too_large"
    assert read(b"x" * 10) == b"x" * 10


def test_caller_who_goes_away_is_not_answered() -> None:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"x", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    with pytest.raises(Disconnected):
        asyncio.run(read_body(receive, {}, 10, 1))


def test_body_that_arrives_in_parts_is_put_together() -> None:
    parts = [(b"a", True), (b"b", True), (b"c", False)]

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.001)
        body, more = parts.pop(0)
        return {"type": "http.request", "body": body, "more_body": more}

    assert asyncio.run(read_body(receive, {}, 10, 5)) == b"abc"
