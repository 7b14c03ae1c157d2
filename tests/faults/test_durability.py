"""What the promises rest on, taken away: each time the audit sees what was lost.

The same story with the guard in place loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from laurels.store import embedded
from laurels.store.database import Database, UnfitDatabase
from laurels.store.migrate import migrate
from tests.faults.audit import PROGRAM, Books, Lost, audit
from tests.faults.cluster import Cluster, cluster_in
from tests.stage import Stage, purchase, stage

# The server writes its log when told to, and nobody else does so meanwhile.
PATIENT = {"wal_writer_delay": "10s", "wal_writer_flush_after": "100MB"}


@contextmanager
def shop_on(directory: Path, **settings: str) -> Iterator[tuple[Cluster, str]]:
    """A cluster with a database that has the schema, and its URL."""
    with cluster_in(directory, **PATIENT, **settings) as cluster:
        embedded.run_sql(cluster.server, "create database shop", database="postgres")
        url = cluster.server.database_url("shop")
        asyncio.run(migrate(url))
        yield cluster, url


async def trade_and_die(cluster: Cluster, url: str) -> Books:
    """Thirty purchases, each answered; then PostgreSQL is killed, and started again."""
    books = Books()
    async with stage(url, document=PROGRAM) as here:
        await here.enrol("m")
        books.sent["enrol/m/2026-01-01"] = None
        embedded.run_sql(cluster.server, "checkpoint")
        for n in range(30):
            await buy(here, books, f"o-{n}", n + 1)
        await asyncio.to_thread(cluster.kill)
    await asyncio.to_thread(cluster.start)
    return books


async def buy(here: Stage, books: Books, id: str, yuan: int) -> None:
    """A purchase goes into the books as it was answered."""
    books.sent[id] = yuan
    outcome = await here.send("purchase", "m", purchase(id, f"{yuan}.00"), id=id)
    assert outcome.status == "accepted", outcome
    books.acknowledged.add(id)


def test_with_synchronous_commit_a_crash_right_after_the_answers_loses_none(tmp_path: Path) -> None:
    with shop_on(tmp_path / "cluster") as (cluster, url):
        books = asyncio.run(trade_and_die(cluster, url))
        asyncio.run(audit(url, books))


def test_without_synchronous_commit_nothing_starts_and_if_it_did_the_audit_would_find_what_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look_away(_connection: object) -> None:
        """Nothing is asserted."""

    with shop_on(tmp_path / "cluster", synchronous_commit="off") as (cluster, url):
        with pytest.raises(UnfitDatabase, match="synchronous_commit is off"):
            asyncio.run(Database.open(url))
        monkeypatch.setattr("laurels.store.database.refuse_unfit_database", look_away)
        books = asyncio.run(trade_and_die(cluster, url))
        with pytest.raises(Lost, match="were answered and are not there"):
            asyncio.run(audit(url, books))
