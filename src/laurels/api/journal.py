"""A member's journal: every movement of points with all that caused it, newest first."""

from __future__ import annotations

from typing import Annotated, cast

from msgspec import Meta, Struct

from laurels.api.answer import Entry, Kind, When, entry
from laurels.api.members import row_of
from laurels.api.operation import Call, operation
from laurels.api.paging import Cursor, Limit, NextCursor, page_of, place_of
from laurels.core.calendar import Zone
from laurels.core.explanation import Sentence
from laurels.core.facts import Moved
from laurels.store import reading
from laurels.store.reading import JournalEntry


class ActivityReference(Struct, frozen=True, kw_only=True):
    """The activity that brought an entry about."""

    source: str
    id: str
    type: str
    occurred_at: When
    recorded_at: When


class JournalItem(Entry, frozen=True, kw_only=True):
    """An entry with its activity."""

    activity: ActivityReference
    stated_reason: Annotated[
        str | None,
        Meta(description="What a person gave as the reason, of an adjustment say, in their own words; null if erased."),
    ] = None


class JournalAnswer(Struct, frozen=True):
    """Entries, newest first."""

    items: tuple[JournalItem, ...]
    next_cursor: NextCursor


class JournalQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which entries."""

    wallet: Annotated[str, Meta(max_length=200, description="Of this wallet only.")] | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


@operation(
    "GET",
    "/v1/members/{member}/journal",
    tag="Members",
    summary=Sentence("Read a member's journal", "读取会员流水"),
    scopes=("members:read",),
    codes=("no_such_member", "no_version_yet"),
)
async def read_journal(call: Call, member: str, query: JournalQuery) -> JournalAnswer:
    """Every entry as it was posted, with campaign, rule, program version, activity, lot and the lots it consumed.

    What falls due without an activity is posted when the clock's worker or the next activity records it.
    """
    await row_of(call, member)
    before = place_of(query.cursor, tuple[int, int])
    found = await reading.journal(
        call.services.database, call.program, member, before=before, limit=query.limit + 1, wallet=query.wallet
    )
    page, next_cursor = page_of(found, query.limit, lambda each: (each.seq, each.n))
    compiled = await call.services.present(call.program)
    return JournalAnswer(tuple([_item(each, compiled.zone) for each in page]), next_cursor)


def _item(stored: JournalEntry, zone: Zone) -> JournalItem:
    moved = Moved(
        stored.wallet,
        cast(Kind, stored.kind),
        stored.points,
        stored.out_of,
        stored.into,
        stored.at,
        stored.version,
        stored.campaign,
        stored.rule,
        stored.order,
        stored.redemption,
        stored.lot,
        stored.available_at,
        stored.expires_at,
        stored.lines,
        stored.parts,
        stored.reason,
    )
    shown = entry(moved, f"{stored.seq}.{stored.n}", zone.format)
    return JournalItem(
        **{name: getattr(shown, name) for name in Entry.__struct_fields__},
        activity=ActivityReference(
            source=stored.source,
            id=stored.activity,
            type=stored.type,
            occurred_at=zone.format(stored.occurred_at),
            recorded_at=zone.format(stored.recorded_at),
        ),
        stated_reason=stored.stated_reason,
    )
