"""A difference: a stored value that is not what it must be, by table, column and row."""

from __future__ import annotations

from typing import Any, Final

import msgspec

_SHOWN_MOST: Final = 160


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong with one stored value. `entry` is the place among its activity's entries, `key` a document's key.

    `stored` and `expected` are shortened where long; `column` names several where it could be any of them.
    """

    table: str
    column: str
    message: str
    program: str = ""
    member: str | None = None
    seq: int | None = None
    activity: str | None = None
    entry: int | None = None
    key: str | None = None
    stored: str = ""
    expected: str = ""

    @property
    def place(self) -> str:
        """Where it is, in words."""
        parts = [self.program]
        if self.member is not None:
            parts.append(f"member {self.member}")
        if self.seq is not None:
            parts.append(f"activity {self.seq}" + (f" ({self.activity})" if self.activity else ""))
        if self.entry is not None:
            parts.append(f"entry {self.entry}")
        if self.key is not None:
            parts.append(self.key)
        return ", ".join(part for part in parts if part)


def recorded_twice(program: str, source: str, id: str, member: str, seq: int, first: str, first_seq: int) -> Difference:
    """The activity has the id of an earlier one: number `first_seq` of the member `first`."""
    message = f"recorded twice: activity {first_seq} of {first} has the same id"
    return Difference("activity", "id", message, program, member, seq, f"{source} {id}", stored=shown(id))


def shown(value: Any) -> str:
    """A value as a reader can take it in."""
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= _SHOWN_MOST else text[: _SHOWN_MOST - 3] + "..."


def shown_around(stored: str, expected: str) -> tuple[str, str]:
    """Two long texts from shortly before where they part."""
    start = next((n for n, (a, b) in enumerate(zip(stored, expected, strict=False)) if a != b), 0)
    if max(len(stored), len(expected)) <= _SHOWN_MOST or start < _SHOWN_MOST // 2:
        return shown(stored), shown(expected)
    cut = start - _SHOWN_MOST // 4
    return "..." + shown(stored[cut:]), "..." + shown(expected[cut:])


def parting(stored: Any, expected: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """The first place at which two JSON values differ, with what each has there; None if they are equal."""
    if stored == expected:
        return None
    if isinstance(stored, dict) and isinstance(expected, dict):
        for key in {**expected, **stored}:
            found = parting(stored.get(key), expected.get(key), f"{path}.{key}" if path else str(key))
            if found is not None:
                return found
    if isinstance(stored, list) and isinstance(expected, list) and len(stored) == len(expected):
        for n, (a, b) in enumerate(zip(stored, expected, strict=True)):
            found = parting(a, b, f"{path}[{n}]")
            if found is not None:
                return found
    return path, stored, expected
