"""What one transaction writes, gathered row by row and sent as rows.

A row here is a tuple in the order of its table's columns (schema.sql). All rows of a kind are one parameter, so that a
batch with all its consequences is one statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import asyncpg
import msgspec

from laurels.core.calendar import Instant
from laurels.core.facts import LineShare, Moved, Part
from laurels.store.database import Connection
from laurels.store.digest import activity_digest
from laurels.store.sql import named

RECORD: Final = named("record")
LARGEST: Final = (1 << 63) - 1


class PoolCameUpShort(Exception):  # noqa: N818 - it happens, and the batch is decided again
    """Others took from a pool what decisions counted on; nothing was written."""


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an entry says beyond its columns: what each line of the order earned, which lots were drawn on."""

    lines: tuple[LineShare, ...] = ()
    parts: tuple[Part, ...] = ()


_encode_detail: Final = msgspec.json.Encoder().encode


class Recording:
    """The rows of one program that one transaction writes."""

    __slots__ = (
        "_activities",
        "_documents",
        "_documents_gone",
        "_entries",
        "_members_known",
        "_members_new",
        "_pools",
        "_sent",
        "_settled",
        "_texts",
        "clock",
        "program",
    )

    def __init__(self, program: str) -> None:
        self.program = program
        self.clock: Instant | None = None
        self._activities: list[tuple[Any, ...]] = []
        self._entries: list[tuple[Any, ...]] = []
        self._documents: list[tuple[str, str, str, int, str]] = []
        self._documents_gone: list[tuple[str, str, int]] = []
        self._members_new: list[tuple[Any, ...]] = []
        self._members_known: list[tuple[Any, ...]] = []
        self._pools: list[tuple[str, int, int]] = []
        self._sent: list[tuple[Any, ...]] = []
        self._settled: list[tuple[str, int, str, str | None]] = []
        self._texts: list[tuple[str, str, int, int, str]] = []

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self._activities or self._settled)

    def activity(
        self,
        member: str,
        seq: int,
        bucket: int,
        source: str,
        id: str,
        type: str,
        occurred_at: Instant,
        recorded_at: Instant,
        engine: int,
        version: int,
        known: int,
        body: bytes,
        facts: bytes,
        circumstances: str | None,
    ) -> None:
        """An activity with its facts."""
        digest = activity_digest(
            self.program,
            member,
            seq,
            source,
            id,
            type,
            occurred_at,
            recorded_at,
            engine,
            version,
            known,
            circumstances,
            body,
            facts,
        )
        self._activities.append(
            (
                self.program,
                member,
                seq,
                bucket,
                source,
                id,
                type,
                occurred_at,
                recorded_at,
                engine,
                version,
                known,
                body.decode(),
                facts.decode(),
                circumstances,
                digest,
            )
        )

    def entries(self, member: str, seq: int, bucket: int, entries: Iterable[Moved]) -> None:
        """The entries that an activity posts, in their order."""
        program = self.program
        self._entries.extend([(program, *entry_row(member, seq, bucket, n, entry)) for n, entry in enumerate(entries)])

    def document(self, member: str, key: str, bucket: int, document: bytes) -> None:
        """A document that is new or changed."""
        self._documents.append((self.program, member, key, bucket, document.decode()))

    def document_gone(self, member: str, key: str, bucket: int) -> None:
        """A document that is no more."""
        self._documents_gone.append((member, key, bucket))

    def member(self, id: str, bucket: int, seq: int, root: bytes, wake_at: Instant | None, *, is_new: bool) -> None:
        """A member's root."""
        rows = self._members_new if is_new else self._members_known
        rows.append((self.program, id, bucket, seq, root.decode(), wake_at, None))

    def pool(self, id: str, by: int, at_most: int = LARGEST) -> None:
        """What is taken from a pool, or given back (negative), if no more than `at_most` was used of it before.

        The pool must be there. One that was used more makes `write` raise PoolCameUpShort.
        """
        self._pools.append((id, by, at_most))

    def sent(
        self,
        id: str,
        bucket: int,
        sender: str,
        seq: int,
        member: str,
        type: str,
        body: bytes,
        occurred_at: Instant,
    ) -> None:
        """A follow-up that now waits to be submitted; the bucket is the sender's."""
        self._sent.append(
            (self.program, id, bucket, sender, seq, member, type, body.decode(), occurred_at, "pending", None)
        )

    def settled(self, id: str, bucket: int, status: str, refusal: str | None) -> None:
        """What became of a follow-up; the caller has locked it."""
        self._settled.append((id, bucket, status, refusal))

    def texts(self, member: str, seq: int, bucket: int, texts: bytes) -> None:
        """Free text of an activity."""
        self._texts.append((self.program, member, seq, bucket, texts.decode()))

    async def write(self, connection: Connection) -> None:
        """Writes everything; the caller's transaction makes it so."""
        try:
            await connection.execute(RECORD, *self._arguments())
        except asyncpg.NotNullViolationError as error:
            if error.table_name == "pool":
                raise PoolCameUpShort from error
            raise

    def _arguments(self) -> tuple[Any, ...]:
        return (
            self.program,
            self._activities,
            self._entries,
            self._documents,
            *_columns(self._documents_gone, 3),
            self._members_new,
            self._members_known,
            *_columns(self._pools, 3),
            self._sent,
            *_columns(self._settled, 4),
            self._texts,
            self.clock,
        )


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True)) if rows else [()] * width


def entry_row(member: str, seq: int, bucket: int, n: int, entry: Moved) -> tuple[Any, ...]:
    """The columns of an activity's `n`-th entry after the program, in the order of schema.sql."""
    detail = _encode_detail(Detail(entry.lines, entry.parts)).decode() if entry.lines or entry.parts else None
    return (
        member,
        seq,
        n,
        bucket,
        entry.wallet,
        entry.kind,
        entry.points,
        entry.out_of,
        entry.into,
        entry.at,
        entry.version,
        entry.campaign,
        entry.rule,
        entry.order,
        entry.redemption,
        entry.lot,
        entry.available_at,
        entry.expires_at,
        entry.reason,
        detail,
    )
