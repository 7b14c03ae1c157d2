"""Lanes: items of many requests wait in line, and while one transaction commits the next batch gathers.

A lane has one connection and one batch at a time. A member always comes to the same lane, so within a process nobody
waits for a lock of their own. Programs take turns. In a live program requests share a batch, so that a small one does
not stand behind a large one; where the clock moves with what comes in, first come is first served.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence

from laurels.intake.admission import Item


class Request:
    """Items that somebody waits for together."""

    __slots__ = ("_left", "_settled", "failure")

    def __init__(self, count: int) -> None:
        self._left = count
        self._settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failure: Exception | None = None
        if count == 0:
            self._settled.set_result(None)

    def settle(self, count: int, failure: Exception | None = None) -> None:
        """So many of its items are done with; `failure` says why they have no outcome."""
        self.failure = self.failure or failure
        self._left -= count
        if self._left == 0 and not self._settled.done():
            self._settled.set_result(None)

    async def settled(self) -> None:
        """Returns when all items have an outcome, or raises the first failure."""
        await self._settled
        if self.failure is not None:
            raise self.failure


class Waiting:
    """The part of a request that a lane has still to do."""

    __slots__ = ("items", "request")

    def __init__(self, request: Request, items: Sequence[Item]) -> None:
        self.request = request
        self.items = deque(items)


class Line:
    """Who waits in a lane for one program."""

    __slots__ = ("in_order", "waiting")

    def __init__(self) -> None:
        self.in_order = False
        self.waiting: deque[Waiting] = deque()

    def take(self, most: int) -> list[tuple[Request, list[Item]]]:
        """The next batch: items by the request that they belong to, each request's in their order."""
        batch: list[tuple[Request, list[Item]]] = []
        shares = len(self.waiting)
        while self.waiting and most > 0:
            first = self.waiting[0]
            share = most if self.in_order or shares <= 1 else max(1, most // shares)
            taken = [first.items.popleft() for _ in range(min(share, len(first.items)))]
            batch.append((first.request, taken))
            most -= len(taken)
            shares -= 1
            if not first.items:
                self.waiting.popleft()
            elif not self.in_order:
                self.waiting.rotate(-1)
                if shares <= 0:
                    break
        return batch


Batch = list[tuple[Request, list[Item]]]


class Lane:
    """A line for each program and the task that works them off through `carry_out`, which must not raise."""

    def __init__(self, carry_out: Callable[[str, Batch], Awaitable[None]], batch_most: int) -> None:
        self._carry_out = carry_out
        self._batch_most = batch_most
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._stirred = asyncio.Event()
        self._ending = False

    def put(self, program: str, request: Request, items: Sequence[Item], *, in_order: bool) -> None:
        """Items join the line of their program."""
        line = self._lines.get(program)
        if line is None:
            line = self._lines[program] = Line()
        line.in_order = in_order
        line.waiting.append(Waiting(request, items))
        self._stirred.set()

    def end(self) -> None:
        """No more will come: `work` returns when the lines are empty."""
        self._ending = True
        self._stirred.set()

    async def work(self) -> None:
        """Carries out batch after batch until the lane has ended."""
        while True:
            while self._lines:
                program, line = self._lines.popitem(last=False)
                batch = line.take(self._batch_most)
                if line.waiting:
                    self._lines[program] = line
                await self._carry_out(program, batch)
            if self._ending:
                return
            self._stirred.clear()
            await self._stirred.wait()
