"""Request bodies: read within limits, decoded strictly, with every complaint placed by JSON pointer.

Nothing is coerced: a number in quotes is a text. What no table could keep (U+0000, half of a surrogate pair) and what
only an attacker sends (thousands of brackets, endless numbers) is refused here, before anybody looks at what it means.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Iterator, MutableMapping
from functools import reduce
from itertools import islice
from typing import Any, Final, Generic, TypeVar

import msgspec

from laurels.api.problem import ApiProblem, invalid
from laurels.core.shape import FINDINGS_MOST, below, misread
from laurels.core.shape import Problem as Finding

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Headers = MutableMapping[bytes, bytes]
_T = TypeVar("_T")

DEPTH_MOST: Final = 32
TEXT_BYTES_MOST: Final = 20_000
NUMBER_DIGITS_MOST: Final = 40
DOCUMENT_BYTES_MOST: Final = 1 << 20
TEXT_TYPES: Final = frozenset(("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain"))

_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]|,|[-+0-9.eE]+', re.DOTALL)
_NUL: Final = re.compile(rb"(\\*)\\u0000")
_LINE: Final = b"\n"
_QUOTE, _LIST, _COMMA = b'"[,'
PLACE_MOST: Final = 200
_IN_QUOTES: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS_ALIKE: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_DIGITS_ALIKE: Final = bytes.maketrans(b"0123456789", b"0" * 10)
_ENDLESS: Final = b"0" * (NUMBER_DIGITS_MOST + 1)


class Disconnected(Exception):  # noqa: N818 - nobody is left to be told
    """The caller went away before the body was complete."""


def check_head(headers: Headers, bytes_most: int) -> None:
    """A problem if the head says that the body is encoded or too large."""
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise ApiProblem("unsupported_media_type", "Content-Encoding must be identity.")
    stated = headers.get(b"content-length")
    if stated is not None and stated.isdigit() and int(stated) > bytes_most:
        raise too_large(bytes_most)


async def read_body(receive: Receive, headers: Headers, bytes_most: int, seconds: int) -> bytes:
    """The whole body; a problem if it is too large, too slow or encoded."""
    check_head(headers, bytes_most)
    reading = _read(receive, bytes_most)
    try:
        waits_for = reading.send(None)
    except StopIteration as read:
        # Small bodies have arrived with their head. A timer would cost more than reading them does.
        body: bytes = read.value
        return body
    try:
        async with asyncio.timeout(seconds):
            return await _Begun(reading, waits_for)
    except TimeoutError:
        raise ApiProblem("body_too_slow", f"Within {seconds} s.", headers={"Connection": "close"}) from None


class _Begun(Generic[_T]):
    """A coroutine that already waits for something; to await it is to go on from there."""

    def __init__(self, coroutine: Coroutine[Any, Any, _T], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, _T]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    given = yield waits_for
                except BaseException as error:  # noqa: BLE001 - a cancellation is the coroutine's to know of
                    waits_for = self._coroutine.throw(error)
                else:
                    waits_for = self._coroutine.send(given)
        except StopIteration as done:
            value: _T = done.value
            return value


async def _read(receive: Receive, bytes_most: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and message["type"] == "http.request":
        if len(body) > bytes_most:
            raise too_large(bytes_most)
        return body
    parts = [body]
    size = len(body)
    while True:
        if message["type"] != "http.request":
            raise Disconnected
        if size > bytes_most:
            raise too_large(bytes_most)
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])


def too_large(bytes_most: int) -> ApiProblem:
    """The problem with a body of more bytes."""
    return ApiProblem("body_too_large", f"At most {bytes_most} bytes.", headers={"Connection": "close"})


def media_type(headers: Headers) -> str:
    """The media type that the caller states, without parameters."""
    return headers.get(b"content-type", b"").split(b";")[0].strip().lower().decode("latin-1")


def require_json(headers: Headers) -> None:
    """A problem unless the body is stated to be JSON."""
    if headers.get(b"content-type") == b"application/json":
        return
    stated = media_type(headers)
    if stated != "application/json":
        raise ApiProblem("unsupported_media_type", f"Send Content-Type: application/json, not {stated or 'nothing'}.")


def decode(body: bytes, decoder: msgspec.json.Decoder[_T], *, text_bytes_most: int = TEXT_BYTES_MOST) -> _T:
    """The body as a value; a problem that says everywhere where it does not fit."""
    try:
        value = decoder.decode(body)
    except msgspec.ValidationError as error:
        odd = oddities(body, text_bytes_most=text_bytes_most)
        raise invalid(*once([*odd, *misread(body, decoder.type, error)])) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(body, error) from None
    found = oddities(body, text_bytes_most=text_bytes_most)
    if found:
        raise invalid(*found)
    return value


def unreadable(body: bytes, error: Exception) -> ApiProblem:
    """The problem with a body that is no JSON, or that nobody could read to its end."""
    if isinstance(error, RecursionError) and (found := oddities(body)):
        return invalid(*found)
    finding = finding_of(error, body)
    return ApiProblem("malformed_body", finding.message, errors=(finding,))


def finding_of(error: Exception, body: bytes, prefix: str = "") -> Finding:
    """A decoder's complaint about what is no JSON as a finding under a pointer."""
    if isinstance(error, RecursionError):
        return Finding(prefix, "too_deep", f"at most {DEPTH_MOST} levels")
    try:
        json.loads(body.decode(), parse_constant=_no_number)
    except UnicodeDecodeError as found:
        line, before = body.count(_LINE, 0, found.start) + 1, body[body.rfind(_LINE, 0, found.start) + 1 : found.start]
        return Finding(prefix, "malformed", f"Line {line}, column {len(before.decode()) + 1}: not UTF-8.")
    except json.JSONDecodeError as found:
        return Finding(prefix, "malformed", f"Line {found.lineno}, column {found.colno}: {found.msg}.")
    except (ValueError, RecursionError):
        pass  # Only the other decoder objects, and says to what.
    return Finding(prefix, "malformed", str(error))


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def once(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, the first of each place."""
    by_place: dict[str, Finding] = {}
    for finding in found:
        by_place.setdefault(finding.pointer, finding)
    return tuple(by_place.values())[:FINDINGS_MOST]


def oddities(raw: bytes, prefix: str = "", *, text_bytes_most: int = TEXT_BYTES_MOST) -> tuple[Finding, ...]:
    """What no honest caller sends in well-formed JSON, by its places; cheap where there is nothing to find."""
    if (
        b"\\u0000" in raw
        or _may_be_deep(raw)
        or _ENDLESS in raw.translate(_DIGITS_ALIKE)
        or _may_be_long(raw, text_bytes_most)
    ):
        return tuple(islice(_scan(raw, prefix, text_bytes_most), FINDINGS_MOST))
    return ()


def _may_be_deep(raw: bytes) -> bool:
    """Whether brackets are left after as many peelings as there may be levels. Those in texts count for nothing: with
    them a text could make up for any depth."""
    if raw.count(b"[") + raw.count(b"{") <= DEPTH_MOST:
        return False
    brackets = _IN_QUOTES.sub(b"", raw).translate(_BRACKETS_ALIKE, _NO_BRACKETS)
    for _ in range(DEPTH_MOST):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _may_be_long(raw: bytes, most: int) -> bool:
    """Whether so much stands between two quotes that are not themselves quoted."""
    if len(raw) <= most:
        return False
    return max(map(len, raw.replace(b'\\"', b"..").split(b'"'))) > most


def _scan(raw: bytes, prefix: str, text_bytes_most: int) -> Iterator[Finding]:
    """Reads token by token, knowing at every one of them where it stands: under which names, at which places."""
    path: list[str | int] = []
    is_name = False
    for token in _TOKEN.finditer(raw):
        first = raw[token.start()]
        size = token.end() - token.start()
        if first == _QUOTE:
            if is_name:
                path[-1], is_name = _name(token[0]), False
            finding = _odd_text(token[0], text_bytes_most)
            if finding is not None:
                yield Finding(_pointer(prefix, path), *finding)
        elif first in b"[{":
            if len(path) == DEPTH_MOST:
                yield Finding(_pointer(prefix, path), "too_deep", f"at most {DEPTH_MOST} levels")
                return
            path.append(0 if first == _LIST else "")
            is_name = first != _LIST
        elif first in b"]}":
            if path:
                path.pop()
            is_name = False
        elif first == _COMMA:
            if path:
                last = path[-1]
                is_name = isinstance(last, str)
                path[-1] = "" if isinstance(last, str) else last + 1
        elif size > NUMBER_DIGITS_MOST:
            yield Finding(_pointer(prefix, path), "too_long", f"a number has at most {NUMBER_DIGITS_MOST} digits")


def _odd_text(token: bytes, most: int) -> tuple[str, str] | None:
    if len(token) > most + 2:
        return "too_long", f"a text has at most {most} bytes"
    if b"\\u0000" in token and any(len(found[1]) % 2 == 0 for found in _NUL.finditer(token)):
        return "nul_character", "must not contain the character U+0000"
    return None


def _name(token: bytes) -> str:
    """A field's name as a step of a pointer; what is odd itself leads no further."""
    try:
        name = msgspec.json.decode(token, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "..."
    return name if len(name) <= PLACE_MOST and "\0" not in name else "..."


def _pointer(prefix: str, path: list[str | int]) -> str:
    return reduce(below, path, prefix)
