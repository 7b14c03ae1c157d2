"""Requests as bytes, made before the clock starts: purchases, batches of them, and a mix as in life.

Ids begin with the slice's `mark`, so that no slice sends what another one sent. The head of a request is what an HTTP
library would send and no more.
"""

from __future__ import annotations

import random
import time
from typing import Final

import msgspec

from benchmarks import workload
from benchmarks.workload import Sent
from laurels.core.calendar import MICROSECONDS_PER_SECOND, format_instant

Requests = list[tuple[str, bytes]]

HOT: Final = "m0"
BEHIND: Final = 400
"""How many purchases later one of them is returned at the soonest."""

_encode: Final = msgspec.json.Encoder().encode


def now() -> int:
    """A moment ago, so that no clock finds it in the future."""
    return time.time_ns() // 1000 - 2 * MICROSECONDS_PER_SECOND


def head(method: str, path: str, key: str, *more: str) -> bytes:
    """What stands before the length of the body."""
    lines = (f"{method} {path} HTTP/1.1", "host: localhost", f"authorization: Bearer {key}", *more)
    return "\r\n".join([*lines, "content-type: application/json", "content-length: "]).encode()


def request(before: bytes, body: bytes) -> bytes:
    """The whole request."""
    return b"%b%d\r\n\r\n%b" % (before, len(body), body)


def envelope(sent: Sent) -> bytes:
    """An activity as the HTTP interface takes it."""
    return b'{"source":"pos","id":"%b","type":"%b","member":"%b","occurred_at":"%b","data":%b}' % (
        sent.id.encode(),
        sent.type.encode(),
        sent.member.encode(),
        format_instant(sent.occurred_at).encode(),
        sent.data,
    )


def bought(mark: str, members: int, count: int, *, hot: bool = False) -> list[Sent]:
    """So many purchases made now by members drawn evenly, or all by one."""
    chance = random.Random(mark)
    at = now()
    found = []
    for n in range(count):
        member = HOT if hot else f"m{chance.randrange(members)}"
        sent = workload.purchase(chance, n, member, at)
        data = sent.data.replace(b'"order":"o', b'"order":"%b-' % mark.encode(), 1)
        found.append(Sent(f"{mark}-{n}", sent.type, member, at, data))
    return found


def purchases(key: str, mark: str, members: int, count: int) -> Requests:
    """Single purchases by many members."""
    before = head("POST", "/v1/activities", key)
    return [("purchase", request(before, envelope(sent))) for sent in bought(mark, members, count)]


def hot_purchases(key: str, mark: str, _members: int, count: int) -> Requests:
    """Single purchases, all by one member."""
    before = head("POST", "/v1/activities", key)
    return [("purchase", request(before, envelope(sent))) for sent in bought(mark, 1, count, hot=True)]


def batches(key: str, mark: str, members: int, count: int) -> Requests:
    """Purchases, a thousand a request."""
    before, size = head("POST", "/v1/activities", key), 1000
    sent = [envelope(each) for each in bought(mark, members, count)]
    bodies = [b'{"activities":[%b]}' % b",".join(sent[at : at + size]) for at in range(0, count, size)]
    return [("batch", request(before, body)) for body in bodies]


def mix(key: str, mark: str, members: int, count: int) -> Requests:
    """Of ten requests seven purchases, a return of a line bought a while before, a redemption, a look at balances."""
    post = head("POST", "/v1/activities", key)
    chance = random.Random(f"mix {mark}")
    sent = bought(mark, members, count)
    made: Requests = []
    done: list[Sent] = []
    for n, purchase in enumerate(sent):
        drawn = chance.randrange(10)
        member = f"m{chance.randrange(members)}"
        if drawn == 7 and len(done) > BEHIND:
            # So long ago that it has been answered, whatever order the connections keep.
            order = done[-BEHIND - chance.randrange(min(len(done) - BEHIND, 5000))]
            made.append(("return", request(post, _returned(mark, n, order, chance.randrange(3)))))
        elif drawn == 8:
            made.append(("redemption", _redemption(key, mark, n, member)))
        elif drawn == 9:
            made.append(("read", request(head("GET", f"/v1/members/{member}/balances", key), b"")))
        else:
            done.append(purchase)
            made.append(("purchase", request(post, envelope(purchase))))
    return made


def _returned(mark: str, n: int, purchase: Sent, line: int) -> bytes:
    """A line of an order comes back, the part of it that nobody brought back before."""
    order = msgspec.json.decode(purchase.data)["order"]
    data = _encode({"order": order, "lines": [{"line": str(line + 1), "amount": "0.10"}]})
    return envelope(Sent(f"{mark}-r{n}", "return", purchase.member, now(), data))


def _redemption(key: str, mark: str, n: int, member: str) -> bytes:
    before = head("POST", "/v1/redemptions", key, f"idempotency-key: {mark}-{n}")
    return request(before, _encode({"id": f"{mark}-{n}", "member": member, "wallet": "points", "points": 1}))
