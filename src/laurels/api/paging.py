"""Lists, page by page: a cursor is the place after the last row, in words that only the list itself reads."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from laurels.api.problem import ApiProblem
from laurels.core.calendar import Instant

LIMIT_MOST: Final = 200
T = TypeVar("T")

Limit = Annotated[int, Meta(ge=1, le=LIMIT_MOST, description="Items on a page.")]
Cursor = Annotated[str, Meta(max_length=1000, description="`next_cursor` of the page before.")]
NextCursor = Annotated[str | None, Meta(description="Where the next page begins; null on the last one.")]


class PageQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which page of a list."""

    limit: Limit = 50
    cursor: Cursor | None = None


def page_of(found: Sequence[T], limit: int, place: Callable[[T], Any]) -> tuple[Sequence[T], str | None]:
    """The page, and the cursor of the next one; of `found` there is one more than fits, if there is a next one."""
    page = found[:limit]
    return page, _cursor(place(page[-1])) if len(found) > limit else None


def newest_page(
    found: Iterable[tuple[Instant, str, T]], query: PageQuery
) -> tuple[Sequence[tuple[str, T]], str | None]:
    """The page of what is there since an instant, under an id, the newest first; and the cursor of the next one."""
    after = place_of(query.cursor, tuple[int, str])
    placed = sorted([((-at, id), each) for at, id, each in found], key=lambda each: each[0])
    rest = [each for each in placed if after is None or each[0] > after][: query.limit + 1]
    page, cursor = page_of(rest, query.limit, lambda each: each[0])
    return [(place[1], each) for place, each in page], cursor


def _cursor(place: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str | None, kind: type[T]) -> T | None:
    """The place that a cursor names; a problem if it is none of ours."""
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise ApiProblem("malformed_query", "cursor is none that this list gave.") from None
