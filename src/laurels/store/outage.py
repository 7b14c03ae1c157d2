"""What the driver raises when the database is away: nothing is wrong with Laurels, and the same may be sent again.

One list for everybody who talks to the database, so that none of them takes an outage for a defect.
"""

from __future__ import annotations

from typing import Final

import asyncpg

OUTAGES: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What the driver says of a connection that the server ended while something else was being done about it.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # Too many connections, a full disk, no memory.
    asyncpg.InsufficientResourcesError,
    OSError,
    TimeoutError,
)
