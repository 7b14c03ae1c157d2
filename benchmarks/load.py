"""The load: a process of its own that keeps connections busy with requests made beforehand.

It shares the machine with what it measures, so it does as little as it can: HTTP/1.1 over kept connections, bytes
written as they are, answers looked at for their length, status and outcome. What it used itself is part of the result.
Each connection sends its next request when the last one was answered.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from itertools import chain
from multiprocessing.connection import Connection
from typing import Final

import msgspec

END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length: "


class Wanted(msgspec.Struct, frozen=True):
    """A slice of load. `maker` is called as `make(*arguments)` in the process and makes (kind, bytes) of requests."""

    host: str
    port: int
    connections: int
    seconds: float
    maker: str
    arguments: tuple[str | int, ...]


class Done(msgspec.Struct, frozen=True):
    """What came of a slice. Latencies are in microseconds and in order, by kind."""

    answered: int
    failed: int
    seconds: float
    cpu_seconds: float
    latencies: dict[str, list[int]]
    first_failure: str = ""

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds

    def percentile_ms(self, share: float, kind: str | None = None) -> float:
        """The latency that this share of answers (of a kind) did not exceed."""
        values = self.latencies.get(kind, []) if kind else sorted(chain.from_iterable(self.latencies.values()))
        return values[min(len(values) - 1, int(len(values) * share))] / 1000 if values else 0.0


class _Run:
    """What the connections of a slice share."""

    def __init__(self, requests: Sequence[tuple[str, bytes]]) -> None:
        self.requests = iter(requests)
        self.latencies: dict[str, list[int]] = {}
        self.failed = 0
        self.first_failure = ""
        self.deadline_ns = 0
        self.open = 0
        self.ended_ns = 0


class _Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: _Run, ended: Callable[[], None]) -> None:
        self._run = run
        self._ended = ended
        self._received = b""
        self._wanted = 0
        self._sent_ns = 0
        self._kind = ""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's transports are not subclasses

    def send(self) -> None:
        """The next request, or the end."""
        run = self._run
        now_ns = time.perf_counter_ns()
        if now_ns >= run.deadline_ns:
            self._close(now_ns)
            return
        try:
            self._kind, request = next(run.requests)
        except StopIteration:
            self._close(now_ns)
            return
        self._sent_ns = now_ns
        assert self._transport is not None
        self._transport.write(request)

    def _close(self, now_ns: int) -> None:
        self._run.ended_ns = max(self._run.ended_ns, now_ns)
        assert self._transport is not None
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        if not self._wanted:
            head = data.find(END)
            if head < 0:
                self._received = data
                return
            at = data.find(LENGTH, 0, head) + len(LENGTH)
            self._wanted = head + len(END) + int(data[at : data.find(b"\r", at)])
        if len(data) < self._wanted:
            self._received = data
            return
        run = self._run
        if data.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")) and b'"status":"refused"' not in data:
            taken = run.latencies.get(self._kind)
            if taken is None:
                taken = run.latencies[self._kind] = []
            taken.append((time.perf_counter_ns() - self._sent_ns) // 1000)
        else:
            run.failed += 1
            run.first_failure = run.first_failure or data.decode(errors="replace")
        self._received, self._wanted = b"", 0
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._run.failed += 1
            self._run.first_failure = self._run.first_failure or repr(exc)
        self._ended()


async def _carry_out(wanted: Wanted, requests: Sequence[tuple[str, bytes]]) -> Done:
    loop = asyncio.get_running_loop()
    run = _Run(requests)
    over = asyncio.Event()

    def ended() -> None:
        run.open -= 1
        if run.open == 0:
            over.set()

    callers: list[_Caller] = []
    for _ in range(wanted.connections):
        _, caller = await loop.create_connection(lambda: _Caller(run, ended), wanted.host, wanted.port)
        callers.append(caller)
    run.open = len(callers)
    gc.collect()
    gc.disable()
    started_ns, used = time.perf_counter_ns(), time.process_time()
    run.deadline_ns = started_ns + int(wanted.seconds * 1e9)
    for caller in callers:
        caller.send()
    await over.wait()
    seconds = (run.ended_ns - started_ns) / 1e9
    cpu = time.process_time() - used
    gc.enable()
    return Done(
        sum(map(len, run.latencies.values())),
        run.failed,
        seconds,
        cpu,
        {kind: sorted(taken) for kind, taken in run.latencies.items()},
        run.first_failure,
    )


def _work(pipe: Connection) -> None:
    """Makes the requests of a slice, waits for the word, carries it out, says what came of it."""
    factory = None if sys.platform == "win32" else importlib.import_module("uvloop").new_event_loop
    while (encoded := pipe.recv_bytes()) != b"":
        wanted = msgspec.json.decode(encoded, type=Wanted)
        module, _, name = wanted.maker.rpartition(".")
        requests = getattr(importlib.import_module(module), name)(*wanted.arguments)
        pipe.send_bytes(b"ready")
        pipe.recv_bytes()
        with asyncio.Runner(loop_factory=factory) as runner:
            done = runner.run(_carry_out(wanted, requests))
        pipe.send_bytes(msgspec.json.encode(done))


class Load:
    """The process. `prepare`, then `go`."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()

    def prepare(self, wanted: Wanted) -> None:
        """Returns when all requests of the slice are made."""
        self._pipe.send_bytes(msgspec.json.encode(wanted))
        self._pipe.recv_bytes()

    def go(self) -> Done:
        """Carries the slice out; RuntimeError if a request was not accepted."""
        self._pipe.send_bytes(b"go")
        done = msgspec.json.decode(self._pipe.recv_bytes(), type=Done)
        if done.failed:
            raise RuntimeError(f"{done.failed} of {done.answered + done.failed} requests failed: {done.first_failure}")
        return done

    def end(self) -> None:
        """The process ends."""
        self._pipe.send_bytes(b"")
        self._process.join()
