"""Older forms of state documents made into the present one, by pure functions from each schema number to the next.

Every stored document carries the number of its schema: an object as `v`, a page of lots as the first of two elements.
One of the present number is decoded in one step and never comes here. One of a newer number is refused: an older
release must not write over what it does not understand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

SCHEMA: Final = 1
"""The number of the present form. It is raised with any change that decoding does not bridge by itself."""


class NewerSchema(msgspec.DecodeError):
    """A document was stored by a newer release than this one."""

    def __init__(self, key: str, number: int) -> None:
        super().__init__(
            f"the document {key} has schema {number} and this release reads up to {SCHEMA}: run a newer release"
        )
        self.key = key
        self.number = number


def number_of(kind: str, form: Any) -> int | None:
    """The schema of a decoded document; those of before there were numbers have 0, and what is none has None."""
    number: Any
    if kind == "lots":
        number = None if not isinstance(form, list) else form[0] if form and type(form[0]) is not list else 0
    else:
        number = form.get("v", 0) if isinstance(form, dict) else None
    return number if type(number) is int and number >= 0 else None


def upcast(key: str, form: Any) -> Any:
    """The present form of a decoded document, itself if it is none; `NewerSchema` if it comes of a newer release."""
    kind = key.partition("/")[0]
    number = number_of(kind, form)
    if number is None:
        return form
    if number > SCHEMA:
        raise NewerSchema(key, number)
    for step in UPCASTERS[number:]:
        form = step(kind, form)
    return form


def _numbered(kind: str, form: Any) -> Any:
    """0 to 1: documents carry the number."""
    return [1, form] if kind == "lots" else {"v": 1, **form}


UPCASTERS: Final[tuple[Callable[[str, Any], Any], ...]] = (_numbered,)
"""By the number that each starts from; each gets the kind of the document and its form, and makes the next form."""
