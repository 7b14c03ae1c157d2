"""Metrics for Prometheus. Labels are routes, types and statuses: nothing names a program, a key or a member."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

MEDIA_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._by_type: dict[tuple[str, str], Counter] = {}
        self._by_route: dict[tuple[str, int], Histogram] = {}
        self.activities = Counter(
            "laurels_activities", "Activities answered.", ("type", "status"), registry=self.registry
        )
        self.refusals = Counter(
            "laurels_refusals", "Activities refused, by the refusal's code.", ("code",), registry=self.registry
        )
        self.request_activities = Histogram(
            "laurels_request_activities", "Activities in a request.", buckets=_COUNTS, registry=self.registry
        )
        self.request_seconds = Histogram(
            "laurels_request_seconds",
            "From the first byte of a request to its answer.",
            ("route", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._waiting = Gauge(
            "laurels_activities_waiting", "Activities sent and not yet answered.", registry=self.registry
        )
        self.running = Gauge("laurels_requests_running", "Requests being answered.", registry=self.registry)
        self.woken = Counter("laurels_members_woken", "Members for whom something fell due.", registry=self.registry)
        self.worker_errors = Counter(
            "laurels_worker_errors", "Rounds of the worker that failed.", registry=self.registry
        )

    def activity(self, type: str, status: str) -> None:
        """Counts an answered activity."""
        counter = self._by_type.get((type, status))
        if counter is None:
            counter = self._by_type[type, status] = self.activities.labels(type, status)
        counter.inc()

    def request(self, route: str, status: int, seconds: float) -> None:
        """Measures an answered request."""
        histogram = self._by_route.get((route, status))
        if histogram is None:
            histogram = self._by_route[route, status] = self.request_seconds.labels(route, str(status))
        histogram.observe(seconds)

    @contextmanager
    def waiting(self, count: int) -> Iterator[None]:
        """So many activities wait while the block runs."""
        self._waiting.inc(count)
        try:
            yield
        finally:
            self._waiting.dec(count)

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self.registry)
