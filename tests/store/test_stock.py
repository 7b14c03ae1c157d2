"""Corrections of stock: once for every id, also when the request that made one was forgotten long ago."""

from __future__ import annotations

import pytest

from laurels.clock import SetClock
from laurels.core.refusal import Refusal
from laurels.store.database import Database
from laurels.store.programs import create_program
from laurels.store.stock import Correction, correct, used_of
from tests.stage import asynchronous

MUGS = "reward/mug/stock"


@pytest.mark.parametrize(
    ("by", "reason", "source", "is_same"),
    [
        (1, "broken", "office", True),
        (2, "broken", "office", False),
        (1, "stolen", "office", False),
        (1, "broken", "depot", False),
    ],
)
@asynchronous
async def test_another_correction_under_an_id_that_the_pool_has_is_refused_and_not_taken_for_it(
    laurels_url: str, by: int, reason: str, source: str, is_same: bool
) -> None:
    database = await Database.open(laurels_url)
    await create_program(database, SetClock(1), "cafe", "sandbox")
    first = await correct(database, "cafe", MUGS, "c", 1, "broken", "office", 1)
    assert first == Correction(MUGS, 1, 1, 1)
    again = await correct(database, "cafe", MUGS, "c", by, reason, source, 9)
    assert again == (first if is_same else Refusal("idempotency_conflict"))
    # Of another pool it is another correction.
    assert await correct(database, "cafe", "reward/cup/stock", "c", 5, "counted", "office", 9) == Correction(
        "reward/cup/stock", 1, 5, 5
    )
    assert await used_of(database, "cafe", [MUGS, "reward/cup/stock"]) == {MUGS: 1, "reward/cup/stock": 5}
    await database.close()
