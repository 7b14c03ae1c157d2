"""Request bodies: read within limits, decoded strictly, with every complaint placed by JSON pointer.

Nothing is coerced: a number in quotes is a text. What no table could keep (U+0000, half of a surrogate pair) and what
only an attacker sends (thousands of brackets, endless numbers) is refused here, before anybody looks at what it means.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeVar

import msgspec

from laurels.api.problem import ApiProblem, invalid
from laurels.core.activity import Problem as Finding
from laurels.core.activity import problem_of

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Headers = MutableMapping[bytes, bytes]
_T = TypeVar("_T")

DEPTH_MOST: Final = 32
TEXT_BYTES_MOST: Final = 20_000
NUMBER_DIGITS_MOST: Final = 40
DOCUMENT_BYTES_MOST: Final = 1 << 20
TEXT_TYPES: Final = frozenset(("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain"))

_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]|[-+0-9.eE]+', re.DOTALL)
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_DIGITS_ALIKE: Final = bytes.maketrans(b"0123456789", b"0" * 10)
_ENDLESS: Final = b"0" * (NUMBER_DIGITS_MOST + 1)


class Disconnected(Exception):  # noqa: N818 - nobody is left to be told
    """The caller went away before the body was complete."""


async def read_body(receive: Receive, headers: Headers, bytes_most: int, seconds: int) -> bytes:
    """The whole body; a problem if it is too large, too slow or encoded."""
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise ApiProblem("unsupported_media_type", "Content-Encoding must be identity.")
    stated = headers.get(b"content-length")
    if stated is not None and stated.isdigit() and int(stated) > bytes_most:
        raise _too_large(bytes_most)
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, bytes_most)
    except TimeoutError:
        raise ApiProblem("body_too_slow", f"Within {seconds} s.", headers={"Connection": "close"}) from None


async def _read(receive: Receive, bytes_most: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and message["type"] == "http.request":
        if len(body) > bytes_most:
            raise _too_large(bytes_most)
        return body
    parts = [body]
    size = len(body)
    while True:
        if message["type"] != "http.request":
            raise Disconnected
        if size > bytes_most:
            raise _too_large(bytes_most)
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])


def _too_large(bytes_most: int) -> ApiProblem:
    return ApiProblem("body_too_large", f"At most {bytes_most} bytes.", headers={"Connection": "close"})


def media_type(headers: Headers) -> str:
    """The media type that the caller states, without parameters."""
    return headers.get(b"content-type", b"").split(b";")[0].strip().lower().decode("latin-1")


def require_json(headers: Headers) -> None:
    """A problem unless the body is stated to be JSON."""
    stated = media_type(headers)
    if stated != "application/json":
        raise ApiProblem("unsupported_media_type", f"Send Content-Type: application/json, not {stated or 'nothing'}.")


def decode(body: bytes, decoder: msgspec.json.Decoder[_T], *, text_bytes_most: int = TEXT_BYTES_MOST) -> _T:
    """The body as a value; a problem that says where it does not fit."""
    try:
        value = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid(problem_of(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiProblem("malformed_body", _reason(error)) from None
    found = oddity(body, text_bytes_most=text_bytes_most)
    if found is not None:
        raise invalid(found)
    return value


def finding_of(error: Exception, prefix: str = "") -> Finding:
    """A decoder's complaint as a finding under a pointer."""
    if isinstance(error, msgspec.DecodeError):
        return problem_of(error, prefix)
    return Finding(prefix, "too_deep" if isinstance(error, RecursionError) else "malformed", _reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "Nested too deeply."
    if isinstance(error, UnicodeDecodeError):
        return "The body is not UTF-8."
    return str(error)


def oddity(raw: bytes, prefix: str = "", *, text_bytes_most: int = TEXT_BYTES_MOST) -> Finding | None:
    """What no honest caller sends in well-formed JSON; cheap where there is nothing to find."""
    if b"\\u0000" in raw and _has_nul(raw):
        return Finding(prefix, "nul_character", "must not contain the character U+0000")
    if _may_be_deep(raw) or _ENDLESS in raw.translate(_DIGITS_ALIKE) or _may_be_long(raw, text_bytes_most):
        return _scan(raw, prefix, text_bytes_most)
    return None


def _may_be_deep(raw: bytes) -> bool:
    """Whether pairs of brackets are left after as many peelings as there may be levels; texts may look like them."""
    brackets = raw.translate(None, _NO_BRACKETS)
    for _ in range(DEPTH_MOST):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def _may_be_long(raw: bytes, most: int) -> bool:
    """Whether so much stands between two quotes that are not themselves quoted."""
    if len(raw) <= most:
        return False
    return max(map(len, raw.replace(b'\\"', b"..").split(b'"'))) > most


def _scan(raw: bytes, prefix: str, text_bytes_most: int) -> Finding | None:
    depth = 0
    for token in _TOKEN.finditer(raw):
        first = raw[token.start()]
        if first == 0x22:
            if token.end() - token.start() > text_bytes_most + 2:
                return Finding(prefix, "too_long", f"a text has at most {text_bytes_most} bytes")
        elif first in b"[{":
            depth += 1
            if depth > DEPTH_MOST:
                return Finding(prefix, "too_deep", f"at most {DEPTH_MOST} levels")
        elif first in b"]}":
            depth -= 1
        elif token.end() - token.start() > NUMBER_DIGITS_MOST:
            return Finding(prefix, "too_long", f"a number has at most {NUMBER_DIGITS_MOST} digits")
    return None


def _has_nul(raw: bytes) -> bool:
    return any(len(found[1]) % 2 == 0 for found in re.finditer(rb"(\\*)\\u0000", raw))
