"""Codes of vouchers that belong to nobody yet: made in batches of any size, imported from lists, read for decisions.

A batch is written a share at a time, each in a transaction with how far it has come, so that one that was interrupted
goes on where it stopped. What a batch's codes are made of is a seed that is forgotten when all of them are made.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Final, Literal

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

_COLUMNS: Final = "id, number, voucher, kind, uses, expires_at, wanted, position, made, seed, created_at, finished_at"


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
    created_at: Instant
    finished_at: Instant | None


class OtherBatch(Exception):  # noqa: N818 - it says what there is, and nothing is broken
    """There is a batch of this id with other codes."""


async def read_codes(connection: Connection, program: str, codes: Collection[str]) -> dict[str, Code]:
    """What is known of these codes, as far as they are in a batch."""
    rows = await connection.fetch(READ_CODES, program, sorted(codes))
    return {row["code"]: Code(row["voucher"], row["uses"], row["expires_at"]) for row in rows}


async def batch(database: Database, program: str, id: str) -> CodeBatch | None:
    """A batch, if there is one of this id."""
    row = await database.pool.fetchrow(f"select {_COLUMNS} from code_batch where program = $1 and id = $2", program, id)  # noqa: S608 - columns are ours
    return None if row is None else CodeBatch(**row)


async def batches(database: Database, program: str, after: str = "", limit: int = 1000) -> list[CodeBatch]:
    """The batches of a program by id."""
    rows = await database.pool.fetch(
        f"select {_COLUMNS} from code_batch where program = $1 and id > $2 order by id limit $3",  # noqa: S608 - columns are ours
        program,
        after,
        limit,
    )
    return [CodeBatch(**row) for row in rows]


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
    while True:
        async with database.pool.acquire() as connection:
            found = await batch(database, program, id)
            assert found is not None
            if found.finished_at is not None or found.seed is None or found.wanted is None:
                return found
            start, end = found.position, min(found.position + SHARE, found.wanted)
            codes = await asyncio.to_thread(_codes_of, found.seed, start, end)
            async with connection.transaction():
                position = await connection.fetchval(
                    "select position from code_batch where program = $1 and id = $2 for update", program, id
                )
                if position != start:
                    continue
                await connection.copy_records_to_table(
                    "code",
                    records=[(program, code, found.number) for code in codes],
                    columns=("program", "code", "batch"),
                    schema_name="laurels",
                )
                is_done = end == found.wanted
                await connection.execute(
                    "update code_batch set position = $3, made = $3, finished_at = $4, "
                    "seed = case when $4::bigint is null then seed end where program = $1 and id = $2",
                    program,
                    id,
                    end,
                    clock.now() if is_done else None,
                )
        tell(end)


class Imported(msgspec.Struct):
    """What came of a list: codes that are in, rows that are no code, and codes that were in already."""

    codes: int = 0
    unreadable: int = 0
    repeated: int = 0


async def import_codes(
    database: Database,
    clock: Clock,
    program: str,
    id: str,
    rows: Iterable[str],
    tell: Callable[[int], None] = lambda _read: None,
) -> tuple[CodeBatch, Imported]:
    """Takes a list in, from where an earlier attempt stopped; a code that any batch has already is left out."""
    found = await batch(database, program, id)
    assert found is not None
    counted = Imported()
    position = found.position
    rest: Iterator[str] = islice(iter(rows), position, None)
    while share := list(islice(rest, SHARE)):
        spelled = [canonical(row) for row in share]
        codes = list(dict.fromkeys([code for code in spelled if len(code) > 2]))
        async with database.pool.acquire() as connection, connection.transaction():
            kept = await connection.fetch(
                "insert into code (program, code, batch) select $1, c, $3 from unnest($2::text[]) c "
                "on conflict (program, code) do nothing returning code",
                program,
                codes,
                found.number,
            )
            position += len(share)
            await connection.execute(
                "update code_batch set position = $3, made = made + $4 where program = $1 and id = $2",
                program,
                id,
                position,
                len(kept),
            )
        counted.codes += len(kept)
        counted.unreadable += sum(len(code) <= 2 for code in spelled)
        counted.repeated += sum(len(code) > 2 for code in spelled) - len(kept)
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
