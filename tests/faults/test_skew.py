"""Two servers on one database whose clocks are ten minutes apart. What is recorded never goes back in time.

One is five minutes fast and one five minutes slow; tills and members go to either, and programs are published at both.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.faults.audit import PROGRAM, audit
from tests.faults.load import Shop, ago, open_shop
from tests.faults.serving import serving
from tests.stage import asynchronous

DEEP = bool(os.environ.get("LAURELS_DEEP"))
ENOUGH = 5000 if DEEP else 200
SECONDS = 300
SKEWED = str(Path(__file__).with_name("skewed.py"))


@asynchronous
async def test_two_servers_ten_minutes_apart_record_one_history(url: str, tmp_path: Path) -> None:
    seed = 801
    print(f"seed {seed}")
    secret = await open_shop(url)
    headers = {"Authorization": f"Bearer {secret}"}
    with (
        serving(url, tmp_path / "fast", sys.executable, SKEWED, str(SECONDS)) as fast,
        serving(url, tmp_path / "slow", sys.executable, SKEWED, str(-SECONDS)) as slow,
    ):
        shop = Shop([fast.address, slow.address], secret, seed)
        await shop.enrol()
        await shop.trade(4, partial(reached, shop, ENOUGH))
        for number, server in enumerate((slow, fast), 2):
            named = PROGRAM.replace("base:", f"base: # as of version {number}\n   ")
            answered = await asyncio.to_thread(
                httpx.post,
                f"{server.address}/v1/program/versions",
                json={"document": named},
                headers={**headers, "Idempotency-Key": f"version-{number}"},
                timeout=60,
            )
            assert answered.status_code == 201, answered.text
            # Whoever is asked knows of it at once, whatever their clock says.
            more = len(shop.books.acknowledged) + 60
            await shop.trade(4, partial(reached, shop, more))
        await one_id_at_both(shop, headers, fast.address, slow.address)
    print(dict(shop.books.heard))
    await audit(url, shop.books)
    connection = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    back = await connection.fetchval(
        "select count(*) from (select recorded_at, lag(recorded_at) over (partition by member order by seq) as before "
        "from activity) as a where recorded_at < before"
    )
    span = await connection.fetchval("select max(recorded_at) - min(recorded_at) from activity")
    known = await connection.fetch("select known, count(*) from activity group by known order by known")
    await connection.close()
    assert back == 0, "a member's history went back in time"
    # The two clocks did both record.
    assert span > SECONDS * 1_000_000
    assert {row[0] for row in known} == {1, 2, 3}


def reached(shop: Shop, count: int) -> bool:
    return len(shop.books.acknowledged) > count


async def one_id_at_both(shop: Shop, headers: dict[str, str], fast: str, slow: str) -> None:
    """What is too far ahead for one clock and not for the other is recorded once, by the one that takes it."""
    # A minute ahead of the truth: six ahead for the slow one, where nothing of this member came from the fast one yet.
    at = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    joined: dict[str, Any] = {
        "id": "joined",
        "type": "enrol",
        "member": "m-late",
        "occurred_at": ago(days=1),
        "data": {},
    }
    bought: dict[str, Any] = {
        "id": "ahead", "type": "purchase", "member": "m-late", "occurred_at": at,
        "data": {"order": "ahead", "lines": [{"line": "1", "amount": "4.00"}]},
    }  # fmt: skip
    answers = [
        await asyncio.to_thread(httpx.post, f"{address}/v1/activities", json=activity, headers=headers, timeout=60)
        for address, activity in ((slow, joined), (slow, bought), (fast, bought), (slow, bought))
    ]
    said = [answered.json() for answered in answers]
    assert [each.get("status") for each in said] == ["accepted", "refused", "accepted", "replayed"], said
    assert said[1]["refusal"]["code"] == "occurred_in_future"
    shop.books.sent |= {"joined": None, "ahead": 4}
    shop.books.acknowledged |= {"joined", "ahead"}
