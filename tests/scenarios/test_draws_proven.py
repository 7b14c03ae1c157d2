"""Every column of every table of draws is changed in turn, and `verify` names the draw and where it differs.

The rest of `verify`'s test of columns is in tests/proof/test_verify.py: the tables of draws are no ledger and have a
proof of their own, by what was committed to and by what members' documents say.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import asyncpg
import pytest

from tests.proof.test_verify import columns_of
from tests.scenarios.story import Tell
from tests.scenarios.test_draws import entered, judged_draws

TABLES: Final = ("draw", "draw_secret", "draw_entry", "draw_award")

NOT_PROVEN: Final = {
    ("draw", "closed_at"): "when it was closed is nobody else's to know; not before it was due, nor after it was drawn",
    ("draw_award", "seen"): "how far the worker has looked; what it says of points is nothing",
}
"""What verify cannot know to the last value."""

UNFETTERED: Final = "alter table draw disable trigger all; alter table draw drop constraint draw_program_fkey"

BROKEN: Final = {"announcement": '{"draw": 1}', "replaced": '["x"]', "winners": "[", "alternates": "7", "tickets": "x"}
"""What nobody can read."""


def others(column: str, value: Any, type: str) -> list[Any]:
    """Other values that the column may hold."""
    if value is None:
        return [b"x" * 32 if type == "bytea" else "[]" if type == "text" else 7]
    if isinstance(value, bytes):
        return [bytes([value[0] ^ 1]) + value[1:]]
    if isinstance(value, int):
        # An instant draw is drawn by whoever looks first after its end.
        return [value - 1] if column == "drawn_at" else [value + 1]
    if column == "kind":
        return ["instant" if value == "scheduled" else "scheduled"]
    if column == "state":
        return ["settled" if value == "drawn" else "closed"]
    if column == "status":
        return [each for each in ("claimed", "forfeited", "refused") if each != value]
    if column not in BROKEN:
        return [f"{value}x"]
    found = [BROKEN[column]]
    if any(map(str.isdigit, value)):
        place = max(n for n, character in enumerate(value) if character.isdigit())
        found.append(value[:place] + str((int(value[place]) + 1) % 10) + value[place + 1 :])
    return found


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_a_draw_that_is_changed_in_turn_is_named(tell: Tell, table: str) -> None:
    here = entered(tell)
    here.post("m-0", "check_in", at="2026-03-03")
    here.clock("2026-04-02 12:00")
    running = here.house.here.running

    async def unnoticed() -> list[str]:
        owner = await asyncpg.connect(
            running.url.replace("laurels_engine@", "laurels@"), server_settings={"search_path": "laurels"}
        )
        missed = []
        try:
            assert await judged_draws(owner, here.program) == []
            rows = await owner.fetch(f"select ctid, * from {table} where program = $1", here.program)
            assert rows
            columns, judged = set(), set()
            for column, type in await columns_of(owner, table):
                columns.add(column)
                if (table, column) in NOT_PROVEN:
                    continue
                for row in rows:
                    for value in others(column, row[column], type):
                        judged.add(column)
                        transaction = owner.transaction()
                        await transaction.start()
                        await owner.execute(UNFETTERED)
                        # Awards have places one after another: the changed one lies between the others and none.
                        await owner.execute(f"alter table {table} drop constraint {table}_pkey")
                        change = f"update {table} set {column} = $1 where ctid = $2"
                        # What a table cannot hold, whoever writes it, need not be found in it.
                        with suppress(asyncpg.CheckViolationError):
                            assert await owner.execute(change, value, row["ctid"]) == "UPDATE 1"
                            draw = row["id"] if table == "draw" else row["draw"]
                            found = await judged_draws(owner, here.program)
                            if draw not in {each.key for each in found}:
                                missed.append(f"{table}.{column} of {draw}: {row[column]!r} became {value!r}: {found}")
                        await transaction.rollback()
            assert columns - judged == {column for of, column in NOT_PROVEN if of == table}
        finally:
            await owner.close()
        return missed

    assert here.house.run(unnoticed()) == []


def test_a_prize_that_was_never_sent_out_and_a_draw_that_is_gone_are_missed(tell: Tell) -> None:
    here = entered(tell)
    here.clock("2026-04-02 12:00")
    running = here.house.here.running
    deletions = {
        "delete from draw_award where place = 2": ("spring", "draw_award"),
        "delete from draw_award where place = 3": ("spring", "draw_award"),
        "delete from draw where id = 'wheel'": ("wheel", "program or id"),
        "delete from draw_entry": ("spring", "entries"),
    }

    async def judged() -> None:
        owner = await asyncpg.connect(
            running.url.replace("laurels_engine@", "laurels@"), server_settings={"search_path": "laurels"}
        )
        try:
            for statement, named in deletions.items():
                transaction = owner.transaction()
                await transaction.start()
                await owner.execute(f"alter table draw disable trigger all; {statement}")
                found = {(each.key, each.column) for each in await judged_draws(owner, here.program)}
                assert named in found, statement
                await transaction.rollback()
        finally:
            await owner.close()

    here.house.run(judged())
