"""Metrics for Prometheus. Labels are routes, types and statuses: nothing names a program, a key or a member.

What every request touches is counted in plain numbers and turned into Prometheus' families only when somebody reads
them: the library's own counters lock, and cost a request more than its authentication does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

MEDIA_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Spread:
    """How values spread over buckets; a bucket counts those up to its bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Counts a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Each bound with the values up to it."""
        bounds = [*[str(float(bound)) for bound in self.bounds], "+Inf"]
        return list(zip(bounds, accumulate(self.counts), strict=True))


class Metrics(Collector):
    """The counters of one process."""

    def __init__(self) -> None:
        self.running = 0
        self.waiting = 0
        self.request_activities = Spread(_COUNTS)
        self._activities: dict[tuple[str, str], int] = {}
        self._refusals: dict[str, int] = {}
        self._requests: dict[tuple[str, int], Spread] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self.woken = Counter("laurels_members_woken", "Members for whom something fell due.", registry=self._registry)
        self.worker_errors = Counter(
            "laurels_worker_errors", "Rounds of the worker that failed.", registry=self._registry
        )

    def activity(self, type: str, status: str) -> None:
        """Counts an answered activity."""
        self._activities[type, status] = self._activities.get((type, status), 0) + 1

    def refusal(self, code: str) -> None:
        """Counts a refused activity."""
        self._refusals[code] = self._refusals.get(code, 0) + 1

    def request(self, route: str, status: int, seconds: float) -> None:
        """Measures an answered request."""
        spread = self._requests.get((route, status))
        if spread is None:
            spread = self._requests[route, status] = Spread(_SECONDS)
        spread.add(seconds)

    def collect(self) -> Iterator[Metric]:
        """What the registry asks for."""
        activities = CounterMetricFamily("laurels_activities", "Activities answered.", labels=("type", "status"))
        for (type, status), count in self._activities.items():
            activities.add_metric((type, status), count)
        yield activities
        refusals = CounterMetricFamily(
            "laurels_refusals", "Activities refused, by the refusal's code.", labels=("code",)
        )
        for code, count in self._refusals.items():
            refusals.add_metric((code,), count)
        yield refusals
        sizes = self.request_activities
        yield HistogramMetricFamily(
            "laurels_request_activities", "Activities in a request.", buckets=sizes.buckets(), sum_value=sizes.total
        )
        requests = HistogramMetricFamily(
            "laurels_request_seconds", "From the first byte of a request to its answer.", labels=("route", "status")
        )
        for (route, answered), spread in self._requests.items():
            requests.add_metric((route, str(answered)), spread.buckets(), spread.total)
        yield requests
        yield GaugeMetricFamily("laurels_activities_waiting", "Activities sent and not yet answered.", self.waiting)
        yield GaugeMetricFamily("laurels_requests_running", "Requests being answered.", self.running)

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)
