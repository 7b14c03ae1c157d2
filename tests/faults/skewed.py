"""`laurels serve` on a machine whose clock is wrong by so many seconds, which is the first argument."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import msgspec

from laurels import log, wiring
from laurels.clock import RealClock
from laurels.settings import read_settings


class WrongClock(msgspec.Struct, frozen=True):
    """The operating system's clock, and so many microseconds."""

    ahead: int

    def now(self) -> int:
        """What this machine takes for the present."""
        return RealClock().now() + self.ahead


async def serve(seconds: int) -> None:
    """Serves until told to stop."""
    settings = read_settings(os.environ)
    log.configure(settings)
    async with wiring.application(settings, WrongClock(seconds * 1_000_000)) as running:
        await wiring.serve_running(running, lambda address: print(json.dumps({"address": address}), flush=True))


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
