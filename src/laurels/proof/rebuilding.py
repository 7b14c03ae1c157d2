"""Making state anew from facts: members' documents, and what was used of pools.

Each member is one transaction under the member's lock, so that a running system may go on. A member whose recorded
activities are not what they must be is refused and left alone: what is wrong in the ledger is not made state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from laurels.core.facts import PoolClaimed, decode_facts
from laurels.core.member import ROOT, encode_document
from laurels.proof.difference import Difference
from laurels.proof.history import History
from laurels.proof.member import Counted, MemberProof
from laurels.proof.reach import ACTIVITIES, ENTRIES, PAGE
from laurels.proof.whole import judge_versions
from laurels.store.bucket import bucket_of
from laurels.store.database import Connection, Database

_LAST: Final = 2**62


class Rebuilt(msgspec.Struct):
    """What rebuilding did: members looked at, those whose state was another, and those refused with the reasons."""

    members: int = 0
    changed: list[str] = []
    pools: list[str] = []
    refused: list[Difference] = []


async def rebuild(
    database: Database,
    program: str,
    member: str | None = None,
    *,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> Rebuilt:
    """State made anew for all members of a program, or for one; pools too when it is for all."""
    rebuilt = Rebuilt()
    async with database.pool.acquire() as connection:
        rebuilt.refused, history = await judge_versions(connection, program)
        if rebuilt.refused:
            return rebuilt
        members = [member] if member is not None else await _members(connection, program)
        for done, id in enumerate(members, 1):
            async with connection.transaction():
                await _rebuild_member(connection, history, program, id, rebuilt)
            tell(done, len(members))
        if member is None and not rebuilt.refused:
            async with connection.transaction():
                rebuilt.pools = await _rebuild_pools(connection, program)
    return rebuilt


async def _members(connection: Connection, program: str) -> list[str]:
    rows = await connection.fetch(
        "select id from member where program = $1 union select member from activity where program = $1 "
        "union select member from state where program = $1 order by 1",
        program,
    )
    return [row[0] for row in rows]


async def _rebuild_member(connection: Connection, history: History, program: str, id: str, rebuilt: Rebuilt) -> None:
    bucket = bucket_of(id)
    stored = await connection.fetchrow(
        "select bucket, seq, root, wake_at, sealed_at from member where program = $1 and id = $2 for update",
        program,
        id,
    )
    is_sealed = stored is not None and stored["sealed_at"] is not None
    proof = MemberProof(program, id, history, Counted(), is_sealed=is_sealed)
    await _judge(connection, program, id, proof)
    rebuilt.members += 1
    wrong = [difference for difference in proof.differences if difference.table == "activity"]
    if wrong:
        rebuilt.refused += wrong
        return
    folded = proof.folded()
    root = folded.root
    changed = False
    must = (bucket, root.seq, encode_document(root).decode(), root.wake_at)
    if root.seq == 0:
        await connection.execute("delete from state where program = $1 and member = $2", program, id)
        return
    if stored is None:
        await connection.execute(
            "insert into member (program, id, bucket, seq, root, wake_at) values ($1, $2, $3, $4, $5, $6)",
            program,
            id,
            *must,
        )
        changed = True
    elif tuple(stored)[:4] != must:
        await connection.execute(
            "update member set bucket = $3, seq = $4, root = $5, wake_at = $6 where program = $1 and id = $2",
            program,
            id,
            *must,
        )
        changed = True
    documents = {
        key: encode_document(document).decode()
        for key, document in folded.documents.items()
        if key != ROOT and document is not None
    }
    if await _rewrite(connection, program, id, bucket, documents) or changed:
        rebuilt.changed.append(id)


async def _judge(connection: Connection, program: str, id: str, proof: MemberProof) -> None:
    seq = 0
    while True:
        rows = await connection.fetch(ACTIVITIES, program, id, seq, id, PAGE)
        last = rows[-1]["seq"] if len(rows) == PAGE else _LAST
        entries: dict[int, list[Any]] = {}
        for row in await connection.fetch(ENTRIES, program, id, seq, id, last):
            entries.setdefault(row["seq"], []).append(row)
        for row in rows:
            proof.activity(row, entries.get(row["seq"], ()))
        if len(rows) < PAGE:
            return
        seq = last


async def _rewrite(connection: Connection, program: str, id: str, bucket: int, documents: dict[str, str]) -> bool:
    """Makes the stored documents these; whether that changed anything."""
    rows = await connection.fetch(
        "select key, bucket, document from state where program = $1 and member = $2", program, id
    )
    stored = {(row["key"], row["bucket"]): row["document"] for row in rows}
    gone = [(program, id, *place) for place in stored if place[1] != bucket or place[0] not in documents]
    if gone:
        await connection.executemany(
            "delete from state where program = $1 and member = $2 and key = $3 and bucket = $4", gone
        )
    other = [(program, id, key, bucket, text) for key, text in documents.items() if stored.get((key, bucket)) != text]
    if other:
        await connection.executemany(
            "insert into state (program, member, key, bucket, document) values ($1, $2, $3, $4, $5) "
            "on conflict (program, member, key, bucket) do update set document = excluded.document",
            other,
        )
    return bool(gone or other)


async def _rebuild_pools(connection: Connection, program: str) -> list[str]:
    """Pools are locked first: whoever claims waits, and what was claimed before is in the ledger by then."""
    rows = await connection.fetch("select id, used from pool where program = $1 order by id for update", program)
    claimed: dict[str, int] = {row["id"]: 0 for row in rows}
    found = await connection.fetch(
        "select facts from activity where program = $1 and facts like '%\"pool_claimed\"%'", program
    )
    for (facts,) in found:
        for fact in decode_facts(facts):
            if type(fact) is PoolClaimed:
                claimed[fact.pool] = claimed.get(fact.pool, 0) + fact.by
    for row in await connection.fetch("select pool, by from pool_correction where program = $1", program):
        claimed[row["pool"]] = claimed.get(row["pool"], 0) + row["by"]
    used = {row["id"]: row["used"] for row in rows}
    changed = [pool for pool, by in claimed.items() if used.get(pool) != by]
    for pool in changed:
        await connection.execute(
            "insert into pool (program, id, used) values ($1, $2, $3) "
            "on conflict (program, id) do update set used = excluded.used",
            program,
            pool,
            claimed[pool],
        )
    return sorted(changed)
