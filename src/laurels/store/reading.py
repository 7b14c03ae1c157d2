"""Reading what was recorded: members, journals, activities, and the sums that finance asks for.

Everything here reads one snapshot or one statement and changes nothing. Pages are asked for by the last row of the page
before, never by number, so that what is written meanwhile neither repeats nor hides a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from laurels.core.calendar import Instant
from laurels.core.facts import AnyFact, LineShare, Part, decode_facts
from laurels.core.member import ROOT, Document, Root, decode_document
from laurels.store.bucket import bucket_of
from laurels.store.database import Connection, Database
from laurels.store.recording import Detail
from laurels.store.sql import named

JOURNAL: Final = named("journal")
DOCUMENTS: Final = named("documents")
LOAD_DOCUMENTS: Final = named("load_documents")
ACTIVITY: Final = named("activity")
ACTIVITIES: Final = named("activities")
MEMBERS: Final = named("members")
MOVEMENTS: Final = named("movements")
NEWEST_REDEMPTIONS: Final = named("newest_redemptions")

_BEFORE_ALL: Final = (2**63 - 1, 2**31 - 1)
_decode_detail: Final = msgspec.json.Decoder(Detail).decode


_BY_PERSONS: Final = frozenset(("adjusted", "reinstated"))
"""Reasons of entries for which a person gives one in their own words."""


class _Texts(msgspec.Struct, frozen=True):
    """What was written in an activity's own words, as far as entries show it; free fields hold anything."""

    reason: Any = None


_decode_texts: Final = msgspec.json.Decoder(_Texts).decode


class MemberRow(msgspec.Struct, frozen=True):
    """A member as stored; `documents` holds the root."""

    id: str
    seq: int
    wake_at: Instant | None
    sealed_at: Instant | None
    documents: dict[str, Document | None]

    @property
    def root(self) -> Root:
        """The root document."""
        root = self.documents[ROOT]
        assert isinstance(root, Root)
        return root


class StoredActivity(msgspec.Struct, frozen=True):
    """An activity as recorded. `texts` is its free text (JSON), None where it has none or it was erased."""

    member: str
    seq: int
    source: str
    id: str
    type: str
    occurred_at: Instant
    recorded_at: Instant
    engine: int
    version: int
    known: int
    body: str
    facts: tuple[AnyFact, ...]
    circumstances: str | None
    texts: str | None


class JournalEntry(msgspec.Struct, frozen=True):
    """An entry with the activity that posted it; (seq, n) is its place in the member's journal.

    `stated_reason` is what a person gave as the activity's reason in their own words; None where nobody did, or where
    it was erased.
    """

    seq: int
    n: int
    wallet: str
    kind: str
    points: int
    out_of: str
    into: str
    at: Instant
    version: int
    campaign: str | None
    rule: str | None
    order: str | None
    redemption: str | None
    lot: str | None
    available_at: Instant | None
    expires_at: Instant | None
    reason: str | None
    lines: tuple[LineShare, ...]
    parts: tuple[Part, ...]
    source: str
    activity: str
    type: str
    occurred_at: Instant
    recorded_at: Instant
    stated_reason: str | None = None


class AccountTotal(msgspec.Struct, frozen=True):
    """The points on an account of a wallet, over all members."""

    wallet: str
    account: str
    points: int


class Movement(msgspec.Struct, frozen=True):
    """How many points entries of a kind moved between two accounts of a wallet."""

    wallet: str
    kind: str
    out_of: str
    into: str
    reason: str | None
    entries: int
    points: int


async def member_row(connection: Connection | Database, program: str, id: str) -> MemberRow | None:
    """The member with this id, as stored."""
    row = await _source(connection).fetchrow(
        "select id, seq, wake_at, sealed_at, root from member where program = $1 and id = $2 and bucket = $3",
        program,
        id,
        bucket_of(id),
    )
    return None if row is None else _member(row)


async def members(
    connection: Connection | Database,
    program: str,
    *,
    after: str = "",
    limit: int = 50,
    query: str | None = None,
    known: Sequence[str] = (),
) -> list[MemberRow]:
    """Members by id, from after `after` on; with `query` those whose id, name, phone or e-mail begins with it.

    Found with them are the `known` ones, who are known by the query to the letter.
    """
    rows = await _source(connection).fetch(
        MEMBERS, program, after, limit, query or None, (query or "").casefold(), list(known)
    )
    return [_member(row) for row in rows]


async def documents(
    connection: Connection | Database,
    program: str,
    member: str,
    *,
    prefixes: Sequence[str] = (),
    keys: Iterable[str] = (),
) -> dict[str, Document | None]:
    """The member's documents under these keys, and all whose keys begin with a prefix ("" for all).

    `activity/<seq>` is no document of a member and is not found here.
    """
    wanted = list(keys)
    if not prefixes and not wanted:
        return {}
    rows = await _source(connection).fetch(DOCUMENTS, program, member, bucket_of(member), wanted, list(prefixes))
    return {row[0]: decode_document(row[0], row[1]) for row in rows}


async def documents_of(
    connection: Connection | Database, program: str, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Document | None]:
    """Documents by member and key; None where there is none."""
    found: dict[tuple[str, str], Document | None] = dict.fromkeys(wanted)
    if wanted:
        owners, keys = zip(*wanted, strict=True)
        buckets = [bucket_of(member) for member in owners]
        for row in await _source(connection).fetch(LOAD_DOCUMENTS, program, owners, keys, buckets):
            found[row[0], row[1]] = decode_document(row[1], row[2])
    return found


async def newest_redemptions(database: Database, program: str, member: str, limit: int) -> list[str]:
    """The ids of the member's newest redemptions, the newest first."""
    return [row["redemption"] for row in await database.pool.fetch(NEWEST_REDEMPTIONS, program, member, limit)]


async def journal(
    database: Database,
    program: str,
    member: str,
    *,
    before: tuple[int, int] | None = None,
    limit: int = 50,
    wallet: str | None = None,
) -> list[JournalEntry]:
    """The member's entries, newest first, from before the entry (seq, n) on."""
    seq, n = before or _BEFORE_ALL
    rows = await database.pool.fetch(JOURNAL, program, member, bucket_of(member), seq, n, limit, wallet)
    return [_entry(dict(row)) for row in rows]


async def activity(database: Database, program: str, source: str, id: str) -> StoredActivity | None:
    """The activity with this id."""
    row = await database.pool.fetchrow(ACTIVITY, program, source, id)
    return None if row is None else _activity(dict(row))


async def activities(
    connection: Connection | Database, program: str, member: str, *, after: int = 0, limit: int = 1000
) -> list[StoredActivity]:
    """The member's activities in the order of `seq`, from after number `after` on."""
    rows = await _source(connection).fetch(ACTIVITIES, program, member, bucket_of(member), after, limit)
    return [_activity(dict(row)) for row in rows]


async def pools(connection: Connection | Database, program: str) -> dict[str, int]:
    """What was used of every pool."""
    rows = await _source(connection).fetch("select id, used from pool where program = $1 order by id", program)
    return {row["id"]: row["used"] for row in rows}


async def member_accounts(database: Database, program: str) -> tuple[AccountTotal, ...]:
    """What all members together have, by the journal: the liability. Debt is negative."""
    rows = await database.pool.fetch(
        "select wallet, account, sum(points)::bigint as points from member_account where program = $1 "
        "group by wallet, account order by wallet, account",
        program,
    )
    return tuple(AccountTotal(**row) for row in rows)


async def system_accounts(database: Database, program: str) -> tuple[AccountTotal, ...]:
    """Where points came from and went: issuance and what left the members, rolled up now."""
    rows = await database.pool.fetch(
        "select wallet, account, points from system_account where program = $1 order by wallet, account", program
    )
    return tuple(AccountTotal(**row) for row in rows)


async def movements(
    database: Database, program: str, *, since: Instant = 0, until: Instant = 2**62
) -> tuple[Movement, ...]:
    """What moved in the journal at `since` <= instant < `until`."""
    rows = await database.pool.fetch(MOVEMENTS, program, since, until)
    return tuple(Movement(**row) for row in rows)


def _source(connection: Connection | Database) -> Any:
    return connection.pool if isinstance(connection, Database) else connection


def _member(row: Any) -> MemberRow:
    root = decode_document(ROOT, row["root"])
    return MemberRow(row["id"], row["seq"], row["wake_at"], row["sealed_at"], {ROOT: root})


def _activity(row: dict[str, Any]) -> StoredActivity:
    row["facts"] = decode_facts(row["facts"])
    return StoredActivity(**row)


def _entry(row: dict[str, Any]) -> JournalEntry:
    stored, texts = row.pop("detail"), row.pop("texts")
    detail = Detail() if stored is None else _decode_detail(stored)
    # What fell due before the activity, or by it, is posted with it and has reasons of its own.
    reason = None if texts is None or row["reason"] not in _BY_PERSONS else _decode_texts(texts).reason
    stated = reason if isinstance(reason, str) else None
    return JournalEntry(**row, lines=detail.lines, parts=detail.parts, stated_reason=stated)
