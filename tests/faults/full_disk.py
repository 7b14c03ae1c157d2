"""A shop whose disk runs full and is cleared again, in a file system of its own; run as a program.

It makes a small tmpfs in a directory that it is given, which only this program and what it starts can see when it runs
in a mount namespace of its own. What it found it says as JSON.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from laurels.store import embedded
from laurels.store.migrate import migrate
from tests.faults.audit import audit
from tests.faults.cluster import Cluster, is_alive
from tests.faults.load import Shop, open_shop, until
from tests.faults.serving import serving_beside

SIZE_MB = 200
LEFT_MB = 6
"""What is left for the shop once everything is running."""

SETTINGS = {"min_wal_size": "32MB", "max_wal_size": "32MB", "autovacuum": "off", "checkpoint_timeout": "1h"}


async def run(directory: Path, log: Path) -> dict[str, object]:
    """Trades until the disk is full, goes on until nobody is answered any more, clears it, trades on, audits."""
    cluster = Cluster(directory / "cluster", SETTINGS)
    try:
        embedded.run_sql(cluster.server, "create database shop", database="postgres")
        url = cluster.server.database_url("shop")
        await migrate(url)
        secret = await open_shop(url)
        async with serving_beside(url, log) as server:
            await asyncio.to_thread(server.wait_until_ready)
            shop = Shop([server.address], secret, 901)
            await shop.enrol()
            ballast = directory / "ballast"
            fill(ballast, directory)

            async def clear() -> None:
                await until(lambda: shop.books.heard["unavailable"] >= 20)
                ballast.unlink()
                if not is_alive(cluster.server.pid):
                    # It could not even recover for want of space; whoever runs it starts it again.
                    await asyncio.to_thread(cluster.start)

            clearing = asyncio.create_task(clear())
            before = 0

            def enough() -> bool:
                nonlocal before
                if not clearing.done():
                    before = len(shop.books.acknowledged)
                return clearing.done() and len(shop.books.acknowledged) > before + 50

            await shop.trade(6, enough)
            await clearing
            await asyncio.to_thread(server.wait_until_ready)
        await audit(url, shop.books)
    finally:
        cluster.stop()
    return {"heard": dict(shop.books.heard), "full_after": before}


def fill(ballast: Path, directory: Path) -> None:
    """Leaves only a little."""
    free = shutil.disk_usage(directory).free - LEFT_MB * 1_000_000
    with ballast.open("wb") as file:
        while free > 0:
            file.write(bytes(min(free, 1 << 20)))
            free -= 1 << 20


if __name__ == "__main__":
    disk, log = Path(sys.argv[1]), Path(sys.argv[2])
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=700", "tmpfs", disk], check=True)
    started = time.monotonic()
    found = asyncio.run(run(disk, log))
    print(json.dumps({**found, "seconds": time.monotonic() - started}))
