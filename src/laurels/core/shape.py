"""What does not fit a shape: every place of it, by JSON pointer.

Decoding stops at the first thing that does not fit, which is fast and enough for input that fits. For input that does
not, `misfits` walks it slowly beside its type and lists everything at once. A leaf is judged by msgspec itself, so that
nothing is found here that decoding would have let through.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Raw, Struct, UnsetType

FINDINGS_MOST: Final = 100
"""Nobody reads more."""

_NAME_MOST: Final = 200
_PATH: Final = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")


class Problem(Struct, frozen=True, gc=False):
    """What is wrong with an input, where (JSON pointer), and how it should be."""

    pointer: str
    code: str
    message: str


def below(pointer: str, step: str | int) -> str:
    """The pointer to what stands under a name or at a place (RFC 6901)."""
    if isinstance(step, str):
        step = step.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{step}"


def misfits(value: Any, kind: Any, pointer: str = "") -> tuple[Problem, ...]:
    """Where a decoded JSON value does not fit a type; at most a hundred places."""
    return tuple(islice(_misfits(value, kind, (), pointer), FINDINGS_MOST))


def misread(raw: bytes | Raw, kind: Any, error: msgspec.ValidationError, pointer: str = "") -> tuple[Problem, ...]:
    """Everything that keeps JSON from being read as a type, given what reading it stopped at."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return (problem_of(error, pointer),)
    return misfits(value, kind, pointer) or (problem_of(error, pointer),)


def problem_of(error: msgspec.DecodeError, prefix: str = "") -> Problem:
    """msgspec's complaint as a problem with a JSON pointer."""
    text = str(error)
    found = _PATH.search(text)
    pointer = prefix
    if found:
        text = text[: found.start()]
        for step in re.finditer(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", found["path"]):
            pointer = below(pointer, step[1] or step[2])
    code = "invalid" if isinstance(error, msgspec.ValidationError) else "malformed"
    return Problem(pointer, code, text)


def _misfits(value: Any, kind: Any, limits: tuple[Meta, ...], pointer: str) -> Iterator[Problem]:
    while get_origin(kind) is Annotated:
        kind, *metas = get_args(kind)
        limits = (*limits, *[meta for meta in metas if isinstance(meta, Meta)])
    if get_origin(kind) in (Union, UnionType):
        others = [each for each in get_args(kind) if each not in (NoneType, UnsetType)]
        if value is None and NoneType in get_args(kind):
            return
        if len(others) == 1:
            yield from _misfits(value, others[0], limits, pointer)
            return
    elif kind in (Any, Raw):
        return
    elif isinstance(kind, type) and issubclass(kind, Struct) and not kind.__struct_config__.array_like:
        if isinstance(value, dict):
            if not _fits(value, kind):
                yield from _of_fields(value, kind, pointer)
            return
    elif get_origin(kind) in (tuple, list) and isinstance(value, list):
        yield from _of_length(value, limits, pointer)
        for n, item in enumerate(value):
            yield from _misfits(item, get_args(kind)[0], (), below(pointer, n))
        return
    yield from _of_leaf(value, kind, limits, pointer)


def _fits(value: Any, kind: Any) -> bool:
    """Most parts of what does not fit as a whole do."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


@cache
def _fields_of(kind: type[Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _of_fields(value: dict[str, Any], kind: type[Struct], pointer: str) -> Iterator[Problem]:
    fields = _fields_of(kind)
    for name, field in fields.items():
        if name in value:
            yield from _misfits(value[name], field.type, (), below(pointer, name))
        elif field.required:
            yield Problem(below(pointer, name), "missing", "must be given")
    if kind.__struct_config__.forbid_unknown_fields:
        for name in value:
            if name not in fields:
                at = below(pointer, name) if len(name) <= _NAME_MOST else pointer
                yield Problem(at, "unknown_field", "there is no such field" + _hint(name, fields))


def _hint(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name[:_NAME_MOST], known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def _of_length(value: str | list[Any], limits: tuple[Meta, ...], pointer: str) -> Iterator[Problem]:
    what = "characters" if isinstance(value, str) else "entries"
    for meta in limits:
        if meta.max_length is not None and len(value) > meta.max_length:
            yield Problem(pointer, "too_long", f"at most {meta.max_length} {what}")
        if meta.min_length is not None and len(value) < meta.min_length:
            if not value:
                yield Problem(pointer, "missing", "must not be empty")
            else:
                yield Problem(pointer, "invalid", f"at least {meta.min_length} {what}")


def _of_leaf(value: Any, kind: Any, limits: tuple[Meta, ...], pointer: str) -> Iterator[Problem]:
    try:
        msgspec.convert(value, Annotated[kind, *limits] if limits else kind)
    except msgspec.ValidationError as error:
        found = list(_of_length(value, limits, pointer)) if kind is str and isinstance(value, str) else []
        yield from found or [problem_of(error, pointer)]
