"""Redeeming all points of members who hold a million of them in ten thousand lots.

The lots come as an opening balance and expire month by month. The redemption is asked for over HTTP by one connection;
its time is the server's, and what the connection takes is part of it.
"""

from __future__ import annotations

import http.client
import time
from contextlib import ExitStack
from typing import Any, Final

import msgspec

from benchmarks.ground import Server, serving
from benchmarks.machine import cpu_seconds
from benchmarks.measure import Figure, Report, spread
from benchmarks.online import Bench
from benchmarks.requests import now
from laurels.core.calendar import MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND, format_instant

LOTS: Final = 10_000
POINTS: Final = 100


def lots(bench: Bench) -> Report:
    """Some members, each redeeming once."""
    times: list[float] = []
    used: list[float] = []
    with ExitStack() as stack:
        copy = bench.ground.copy("lots", bench.ground.template(bench.options.members))
        stack.callback(bench.ground.drop, copy)
        server = stack.enter_context(serving(copy))
        connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
        stack.callback(connection.close)
        for n in range(4 if bench.options.quick else 16):
            member = f"holder{n}"
            _open(connection, server, member)
            wanted = {"id": f"all-{n}", "member": member, "wallet": "points", "points": LOTS * POINTS, "hold": False}
            before = cpu_seconds(server.pid), time.perf_counter_ns()
            _ask(connection, server, "/v1/redemptions", wanted, f"all-{n}")
            # The first one finds every cache cold, as no member after it does.
            if n:
                times.append((time.perf_counter_ns() - before[1]) / 1e6)
                used.append((cpu_seconds(server.pid) - before[0]) * 1000)
    bench.say(f"  {', '.join(f'{each:.1f}' for each in times)} ms")
    return Report(
        [
            spread("lots_10k_redeem_ms", "1,000,000 points redeemed from 10,000 lots", times, "ms", "at most", 50),
            # The kernel counts in steps of about 10 ms: a mean says more than a median.
            Figure(
                "lots_10k_redeem_cpu_ms",
                "the server's processor time for it, a mean",
                round(sum(used) / len(used), 1),
                "ms",
            ),
        ]
    )


def _open(connection: http.client.HTTPConnection, server: Server, member: str) -> None:
    at = now()
    month = 30 * MICROSECONDS_PER_DAY
    held = [
        {
            "points": POINTS,
            "earned_at": format_instant(at - (LOTS - n) * 60 * MICROSECONDS_PER_SECOND),
            "expires_at": format_instant(at + (2 + n * 24 // LOTS) * month),
        }
        for n in range(LOTS)
    ]
    for type, data in (("enrol", {}), ("opening_balance", {"wallet": "points", "lots": held})):
        sent = {"id": f"{type}-{member}", "type": type, "member": member, "data": data}
        sent["occurred_at"] = format_instant(at - (LOTS + 60) * 60 * MICROSECONDS_PER_SECOND if type == "enrol" else at)
        _ask(connection, server, "/v1/activities", sent)


def _ask(
    connection: http.client.HTTPConnection, server: Server, path: str, body: Any, idempotency_key: str = ""
) -> None:
    headers = {"authorization": f"Bearer {server.key}", "content-type": "application/json"}
    if idempotency_key:
        headers["idempotency-key"] = idempotency_key
    connection.request("POST", path, msgspec.json.encode(body), headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status not in (200, 201):
        raise RuntimeError(f"{path}: {answer.status} {said[:500]!r}")
