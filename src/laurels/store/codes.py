"""Codes of vouchers that belong to nobody yet: made in batches of any size, imported from lists, read for decisions.

A batch is written a share at a time, each in a transaction with how far it has come, so that one that was interrupted
goes on where it stopped. What a batch's codes are made of is a seed that is forgotten when all of them are made. A list
goes on only where its first rows are those that were taken in: another one under the same name is refused.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from hashlib import sha256
from itertools import islice
from typing import Any, Final, Literal

import msgspec

from laurels.clock import Clock
from laurels.core.calendar import Instant
from laurels.core.case import Code
from laurels.core.code import canonical, make
from laurels.store.database import Connection, Database
from laurels.store.sql import named

READ_CODES: Final = named("read_codes")
CODES_OF_BATCH: Final = named("codes_of_batch")
SHARE: Final = 50_000
"""How many codes are written at a time."""

CODES_MOST: Final = 1_000_000
"""How many codes a batch may have."""

_COLUMNS: Final = (
    "id, number, voucher, kind, uses, expires_at, wanted, position, made, seed, digest, created_at, finished_at"
)


class CodeBatch(msgspec.Struct, frozen=True):
    """A batch of codes: `made` is how many it has, `position` how many of the wanted, or rows of a list, are done."""

    id: str
    number: int
    voucher: str
    kind: Literal["generated", "imported"]
    uses: int | None
    expires_at: Instant | None
    wanted: int | None
    position: int
    made: int
    seed: bytes | None
    digest: bytes | None
    created_at: Instant
    finished_at: Instant | None


class OtherBatch(Exception):  # noqa: N818 - it says what there is, and nothing is broken
    """There is a batch of this id with other codes."""


class OtherList(OtherBatch):
    """Another list was taken in as this batch, or is being taken in; the rows that were committed stay."""


async def read_codes(connection: Connection, program: str, codes: Collection[str]) -> dict[str, Code]:
    """What is known of these codes, as far as they are in a batch."""
    rows = await connection.fetch(READ_CODES, program, sorted(codes))
    return {row["code"]: Code(row["voucher"], row["uses"], row["expires_at"], row["revoked"]) for row in rows}


async def batch(database: Database, program: str, id: str) -> CodeBatch | None:
    """A batch, if there is one of this id."""
    row = await database.pool.fetchrow(f"select {_COLUMNS} from code_batch where program = $1 and id = $2", program, id)  # noqa: S608 - columns are ours
    return None if row is None else CodeBatch(**row)


async def open_batches(database: Database) -> list[tuple[str, str]]:
    """Batches that are to be made and are not finished, with their programs."""
    rows = await database.pool.fetch(
        "select program, id from code_batch where kind = 'generated' and finished_at is null order by program, id"
    )
    return [(row["program"], row["id"]) for row in rows]


async def begin_batch(
    database: Database,
    clock: Clock,
    program: str,
    id: str,
    voucher: str,
    *,
    wanted: int | None,
    uses: int | None = 1,
    expires_at: Instant | None = None,
) -> CodeBatch:
    """The batch of this id, new if there was none; OtherBatch if there is one that is of another kind, or size.

    `wanted` None is a list. The voucher is the key of its kind.
    """
    kind = "imported" if wanted is None else "generated"
    async with database.pool.acquire() as connection, connection.transaction():
        # Numbers have no gaps that matter, and two batches never get the same one.
        await connection.execute("select from program where id = $1 for update", program)
        await connection.execute(
            "insert into code_batch (program, id, number, voucher, kind, uses, expires_at, wanted, position, made, "
            "seed, created_at) select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, 0, 0, $8, $9 "
            "from code_batch where program = $1 on conflict (program, id) do nothing",
            program, id, voucher, kind, uses, expires_at, wanted,
            None if wanted is None else os.urandom(32), clock.now(),
        )  # fmt: skip
    found = await batch(database, program, id)
    assert found is not None
    if (found.voucher, found.kind, found.uses, found.expires_at, found.wanted) != (
        voucher, kind, uses, expires_at, wanted,
    ):  # fmt: skip
        raise OtherBatch(id)
    return found


def _codes_of(seed: bytes, start: int, end: int) -> list[str]:
    """The codes of a batch from one place to another, by their text: always the same for the same seed."""
    # In the order of the index, which is half the work of any other.
    return sorted([make(sha256(seed + n.to_bytes(8)).digest()) for n in range(start, end)])


async def generate(
    database: Database, clock: Clock, program: str, id: str, tell: Callable[[int], None] = lambda _made: None
) -> CodeBatch:
    """Makes what is left to be made of a batch; several may try at once, and each code is made once."""
    while (made := await generate_share(database, clock, program, id)) is not None:
        tell(made)
    found = await batch(database, program, id)
    assert found is not None
    return found


async def generate_share(database: Database, clock: Clock, program: str, id: str) -> int | None:
    """Makes the next share of a batch, unless somebody else made it: how far the batch has come; None if it is done."""
    found = await batch(database, program, id)
    assert found is not None
    if found.finished_at is not None or found.seed is None or found.wanted is None:
        return None
    start, end = found.position, min(found.position + SHARE, found.wanted)
    # No connection is held meanwhile: others need it more.
    codes = await asyncio.to_thread(_codes_of, found.seed, start, end)
    async with database.pool.acquire() as connection, connection.transaction():
        position: int = await connection.fetchval(
            "select position from code_batch where program = $1 and id = $2 for update", program, id
        )
        if position != start:
            return position
        await connection.copy_records_to_table(
            "code",
            records=[(program, code, found.number) for code in codes],
            columns=("program", "code", "batch"),
            schema_name="laurels",
        )
        await connection.execute(
            "update code_batch set position = $3, made = $3, finished_at = $4, "
            "seed = case when $4::bigint is null then seed end where program = $1 and id = $2",
            program,
            id,
            end,
            clock.now() if end == found.wanted else None,
        )
    return end


class Imported(msgspec.Struct):
    """What came of a list: codes that are in, rows that are no code, codes that were in already, and shared ones."""

    codes: int = 0
    unreadable: int = 0
    repeated: int = 0
    shared: int = 0
    shared_codes: tuple[str, ...] = ()


async def import_codes(
    database: Database,
    clock: Clock,
    program: str,
    id: str,
    rows: Iterable[str],
    tell: Callable[[int], None] = lambda _read: None,
    *,
    shared: Collection[str] = frozenset(),
) -> tuple[CodeBatch, Imported]:
    """Takes a list in, from where an earlier attempt stopped; a code that any batch has already is left out.

    So are those that the program itself shares with everybody, under which nobody would ever find the batch's.
    OtherList where the rows that are done with are not those of this list.
    """
    found = await batch(database, program, id)
    assert found is not None
    counted = Imported()
    position, seen = 0, sha256()
    spelled = map(canonical, rows)
    while position < found.position:
        known = list(islice(spelled, min(SHARE, found.position - position)))
        if not known:
            raise OtherList(id)
        position += len(known)
        _see(seen, known)
    if position and seen.digest() != found.digest:
        raise OtherList(id)
    while share := list(islice(spelled, SHARE)):
        readable = [code for code in share if len(code) > 2]
        codes = list(dict.fromkeys([code for code in readable if code not in shared]))
        before = position
        position += len(share)
        _see(seen, share)
        async with database.pool.acquire() as connection, connection.transaction():
            came = await connection.fetchval(
                "update code_batch set position = $4, digest = $5 where program = $1 and id = $2 and position = $3 "
                "returning position",
                program,
                id,
                before,
                position,
                seen.digest(),
            )
            if came is None:
                raise OtherList(id)
            kept = await connection.fetch(
                "insert into code (program, code, batch) select $1, c, $3 from unnest($2::text[]) c "
                "on conflict (program, code) do nothing returning code",
                program,
                codes,
                found.number,
            )
            await connection.execute(
                "update code_batch set made = made + $3 where program = $1 and id = $2", program, id, len(kept)
            )
        everybodys = [code for code in readable if code in shared]
        counted.codes += len(kept)
        counted.unreadable += len(share) - len(readable)
        counted.repeated += len(readable) - len(kept) - len(everybodys)
        counted.shared += len(everybodys)
        counted.shared_codes = tuple(dict.fromkeys((*counted.shared_codes, *everybodys)))
        tell(position)
    await database.pool.execute(
        "update code_batch set finished_at = coalesce(finished_at, $3) where program = $1 and id = $2",
        program,
        id,
        clock.now(),
    )
    done = await batch(database, program, id)
    assert done is not None
    return done, counted


def _see(seen: Any, rows: Iterable[str]) -> None:
    seen.update("\n".join([*rows, ""]).encode())


async def codes_of_batch(
    database: Database, program: str, number: int, after: str = "", limit: int = SHARE
) -> list[tuple[str, int]]:
    """A page of a batch's codes in the order of their text, each with how often it was taken."""
    rows = await database.pool.fetch(CODES_OF_BATCH, program, number, after, limit)
    return [(row["code"], row["used"]) for row in rows]


async def all_codes(database: Database, program: str, number: int) -> AsyncIterator[list[tuple[str, int]]]:
    """All codes of a batch, page by page."""
    after = ""
    while page := await codes_of_batch(database, program, number, after):
        yield page
        after = page[-1][0]
