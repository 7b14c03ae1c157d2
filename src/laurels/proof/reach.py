"""A range of members, read page by page in the order of the ledger's keys, and judged.

Everything that the tables hold in the range is read, whoever it belongs to: a row of a member that does not exist, or
an entry of an activity that does not, is a difference as much as one that is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from laurels.proof.difference import Difference, shown
from laurels.proof.history import History
from laurels.proof.member import Counted, MemberProof
from laurels.store.database import Connection
from laurels.store.sql import named

ACTIVITIES: Final = named("verify_activities")
ENTRIES: Final = named("verify_entries")
STATE: Final = named("verify_state")
MEMBERS: Final = named("verify_members")

PAGE: Final = 2000
_LAST: Final = 2**62


class Reach(msgspec.Struct, frozen=True):
    """Members of a program with ids after `after`, up to and including `upto` (None: to the end)."""

    program: str
    after: str = ""
    upto: str | None = None


async def judge_reach(
    connection: Connection, history: History, reach: Reach, on_page: Callable[[int], None] = lambda _count: None
) -> tuple[list[Difference], Counted]:
    """The differences in a range, and what was seen there; `on_page` is told how many activities were judged."""
    counted = Counted()
    differences: list[Difference] = []
    program, upto = reach.program, reach.upto
    members = {row[0]: row for row in await connection.fetch(MEMBERS, program, reach.after, upto)}
    documents: dict[str, list[Any]] = {}
    for row in await connection.fetch(STATE, program, reach.after, upto):
        documents.setdefault(row[0], []).append(row)
    proof: MemberProof | None = None
    present = ""
    seen: set[str] = set()
    place = (reach.after, _LAST)
    while True:
        rows = await connection.fetch(ACTIVITIES, program, *place, upto, PAGE)
        end: tuple[str | None, int] = (rows[-1][0], rows[-1][1]) if len(rows) == PAGE else (upto, _LAST)
        entries: dict[tuple[str, int], list[Any]] = {}
        for row in await connection.fetch(ENTRIES, program, *place, *end):
            entries.setdefault((row[0], row[1]), []).append(row)
        for row in rows:
            id = row[0]
            if proof is None or id != present:
                if proof is not None:
                    _end(proof, present, members, documents, differences)
                present = id
                seen.add(id)
                known = members.get(id)
                is_sealed = known is not None and known[5] is not None
                proof = MemberProof(program, id, history, counted, is_sealed=is_sealed)
            proof.activity(row, entries.pop((id, row[1]), ()))
        for (member, seq), left in entries.items():
            differences.extend(
                Difference(
                    "entry", "seq", "an entry of no activity", program, member, seq, None, entry[2], None, shown(entry)
                )
                for entry in left
            )
        on_page(len(rows))
        if len(rows) < PAGE:
            break
        place = (rows[-1][0], rows[-1][1])
    if proof is not None:
        _end(proof, present, members, documents, differences)
    for id in sorted((members.keys() | documents.keys()) - seen):
        # Nothing is recorded of them, so nothing may be stored.
        proof = MemberProof(program, id, history, counted, is_sealed=False)
        _end(proof, id, members, documents, differences)
    return differences, counted


def _end(
    proof: MemberProof,
    id: str,
    members: dict[str, Any],
    documents: dict[str, list[Any]],
    differences: list[Difference],
) -> None:
    proof.end(members.get(id), documents.get(id, ()))
    differences.extend(proof.differences)
