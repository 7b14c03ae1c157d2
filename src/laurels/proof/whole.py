"""What concerns a program as a whole: its versions, what was used of pools, points on their way between members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from laurels.core.program.loading import load
from laurels.core.program.model import Program
from laurels.core.refusal import Refusal
from laurels.core.version import Version
from laurels.proof.difference import Difference, recorded_twice, shown
from laurels.proof.history import History
from laurels.proof.member import Counted, Sent
from laurels.store.bucket import bucket_of
from laurels.store.database import Connection
from laurels.store.digest import correction_digest, version_digest
from laurels.store.sql import named

STRAYS: Final = named("verify_strays")
IDS: Final = named("verify_ids")
CODES: Final = named("verify_codes")


async def judge_versions(connection: Connection, program: str) -> tuple[list[Difference], History]:
    """Differences in the published versions, and those that can be decided by."""
    rows = await connection.fetch(
        "select number, effective_at, published_at, document, digest from program_version where program = $1 "
        "order by number",
        program,
    )
    differences: list[Difference] = []
    versions: list[Version] = []
    missing = set(range(1, max((row[0] for row in rows), default=0) + 1)) - {row[0] for row in rows}
    differences.extend(
        Difference("program_version", "number", "the version is missing", program, key=f"version {number}")
        for number in sorted(missing)
    )
    for place, (number, effective_at, published_at, document, digest) in enumerate(rows, 1):
        where = f"version {number}"
        must = version_digest(program, number, effective_at, published_at, document)
        if must != digest:
            column, expected = _changed(program, place, number, effective_at, published_at, document, digest)
            message = "the version is not what was published"
            differences.append(
                Difference("program_version", column, message, program, key=where, expected=shown(expected))
            )
        read = load(document)
        if isinstance(read, Program):
            versions.append(Version(number, effective_at, read))
        else:
            message = f"cannot be read: {read[0].message}"
            differences.append(Difference("program_version", "document", message, program, key=where))
    return differences, History(tuple(versions))


def _changed(
    program: str, place: int, number: int, effective_at: int, published_at: int, document: str, digest: bytes
) -> tuple[str, str]:
    for column, value, candidate in (
        ("number", place, (place, effective_at, published_at, document)),
        ("effective_at", 0, (number, 0, published_at, document)),
        ("effective_at", published_at, (number, published_at, published_at, document)),
    ):
        if version_digest(program, *candidate) == digest:
            return column, str(value)
    return "effective_at, published_at, document or digest", ""


async def judge_pools(connection: Connection, program: str, counted: Counted) -> list[Difference]:
    """Pools of which more or less was used than activities claimed and people corrected; and corrections themselves."""
    rows = await connection.fetch("select id, used from pool where program = $1 order by id", program)
    stored = {row[0]: row[1] for row in rows}
    used = dict(counted.claims)
    differences = await _judge_corrections(connection, program, used)
    differences.extend(
        Difference(
            "pool", "used", "not the sum of what was claimed and corrected", program, key=pool,
            stored=str(stored.get(pool, "no row")), expected=str(used.get(pool, 0)),
        )
        for pool in sorted(stored.keys() | used.keys())
        if stored.get(pool, 0) != used.get(pool, 0)
    )  # fmt: skip
    return differences


async def _judge_corrections(connection: Connection, program: str, used: dict[str, int]) -> list[Difference]:
    """Corrections that are not what was recorded; what they correct is added to what was used."""
    rows = await connection.fetch(
        "select pool, number, id, by, reason, source, corrected_at, digest from pool_correction where program = $1 "
        "order by pool, number",
        program,
    )
    differences: list[Difference] = []
    due: dict[str, int] = {}
    for pool, number, id, by, reason, source, corrected_at, digest in rows:
        due[pool] = due.get(pool, 0) + 1
        used[pool] = used.get(pool, 0) + by
        key = f"{pool} {number}"
        if number != due[pool]:
            message = f"number {due[pool]} is missing"
            differences.append(Difference("pool_correction", "number", message, program, key=key))
            due[pool] = number
        if correction_digest(program, pool, number, id, by, reason, source, corrected_at) != digest:
            columns = "program, pool, number, id, by, reason, source, corrected_at or digest"
            message = "the correction is not what was recorded"
            differences.append(Difference("pool_correction", columns, message, program, key=key))
    return differences


async def judge_codes(connection: Connection, program: str) -> list[Difference]:
    """Codes that were nobody's and were taken more often than they may be, or that no batch has."""
    rows = await connection.fetch(CODES, program)
    return [
        Difference(
            "pool", "used", "the code was taken more often than it may be" if uses else "there is no such code",
            program, key=pool, stored=str(used), expected=f"at most {uses}" if uses else "",
        )
        for pool, used, uses in rows
    ]  # fmt: skip


async def judge_clock(connection: Connection, program: str, counted: Counted) -> list[Difference]:
    """A program with a clock of its own whose clock stands before something that was recorded."""
    row = await connection.fetchrow("select mode, clock from program where id = $1", program)
    if row is None or row["mode"] == "live" or (row["clock"] or 0) >= counted.latest:
        return []
    message = "stands before what was recorded"
    return [Difference("program", "clock", message, program, stored=str(row["clock"]), expected=str(counted.latest))]


async def judge_outbox(connection: Connection, program: str, counted: Counted) -> list[Difference]:
    """Follow-ups that are not kept as they were caused, or not settled as they say; and points in transit."""
    rows = await connection.fetch(
        "select id, bucket, sender, seq, member, type, body, occurred_at, status, refusal "
        "from outbox where program = $1",
        program,
    )
    differences: list[Difference] = []
    stored: dict[tuple[str, str], Any] = {(row["sender"], row["id"]): row for row in rows}
    received = frozenset(counted.received)
    in_transit: dict[str, int] = dict.fromkeys(counted.in_transit, 0)
    for sent in counted.sent:
        row = stored.pop((sent.sender, sent.id), None)
        if row is None:
            differences.append(_of(sent, "id", "the follow-up is missing"))
            continue
        for column, is_, must in (
            ("bucket", row["bucket"], bucket_of(sent.sender)),
            ("seq", row["seq"], sent.seq),
            ("member", row["member"], sent.member),
            ("type", row["type"], sent.type),
            ("body", row["body"], sent.body),
            ("occurred_at", row["occurred_at"], sent.occurred_at),
        ):
            if is_ != must:
                differences.append(_of(sent, column, "the fact says otherwise", is_, must))
        came_in = (sent.id, sent.member) in received
        came_back = (f"{sent.id}/back", sent.sender) in received
        must_be = ("delivered",) if came_in else ("returned",) if came_back else ("pending", "returning")
        if row["status"] not in must_be:
            differences.append(_of(sent, "status", "not what became of it", row["status"], " or ".join(must_be)))
        if not _is_refusal(row["refusal"], row["status"] in ("returning", "returned")):
            differences.append(_of(sent, "refusal", f"does not go with {row['status']}", row["refusal"]))
        if not came_in and not came_back:
            in_transit[sent.wallet] = in_transit.get(sent.wallet, 0) + sent.points
    differences.extend(
        Difference("outbox", "id", "no fact causes it", program, sender, row["seq"], key=id)
        for (sender, id), row in stored.items()
    )
    for wallet, points in counted.in_transit.items():
        if points != in_transit[wallet]:
            message = f"{wallet}: points in transit are not those of open follow-ups"
            differences.append(
                Difference("entry", "points", message, program, stored=str(points), expected=str(in_transit[wallet]))
            )
    return differences


def _is_refusal(stored: str | None, is_refused: bool) -> bool:
    if stored is None or not is_refused:
        return stored is None and not is_refused
    try:
        msgspec.json.decode(stored, type=Refusal)
    except (msgspec.DecodeError, AssertionError):
        return False
    return True


def _of(sent: Sent, column: str, message: str, stored: Any = "", expected: Any = "") -> Difference:
    return Difference(
        "outbox", column, message, sent.program, sent.sender, sent.seq, key=sent.id,
        stored=str(stored), expected=str(expected),
    )  # fmt: skip


async def judge_ids(connection: Connection, program: str) -> list[Difference]:
    """Activities whose id another member's activity has: all but the first of each, which it names.

    What one member has twice is found when that member is judged.
    """
    differences: list[Difference] = []
    first: Any = None
    for row in await connection.fetch(IDS, program):
        if first is None or (row["source"], row["id"]) != (first["source"], first["id"]):
            first = row
        elif row["member"] != first["member"]:
            source, id, member, seq = row
            differences.append(recorded_twice(program, source, id, member, seq, first["member"], first["seq"]))
    return differences


async def judge_strays(connection: Connection) -> list[Difference]:
    """Rows that belong to no program."""
    rows: Sequence[Any] = await connection.fetch(STRAYS)
    return [Difference(name, "program", "rows of a program that does not exist", program) for name, program in rows]
