"""Whether the process is alive, whether it can serve, and what it counts. None of it needs a key or says who is who."""

from __future__ import annotations

import asyncio
from importlib.metadata import distributions
from typing import Final, Literal

import asyncpg
from msgspec import Struct

from laurels.api import metrics
from laurels.api.operation import operation
from laurels.api.performing import Replied, Reply
from laurels.api.problem import ApiProblem
from laurels.api.services import Services
from laurels.core.decide import ENGINE
from laurels.core.explanation import Sentence

RELEASE: Final = next((found.version for found in distributions(name="laurels")), "unknown")
_PATIENCE_SECONDS: Final = 2


class HealthAnswer(Struct, frozen=True):
    """The process is alive."""

    status: Literal["ok"]
    release: str
    engine: int


class ReadyAnswer(Struct, frozen=True):
    """The process can serve."""

    status: Literal["ready"]


@operation("GET", "/healthz", tag="Operation", summary=Sentence("Whether the process is alive", "进程是否存活"))
async def read_health(services: Services) -> HealthAnswer:  # noqa: ARG001 - being called is the answer
    """Answers as long as the process does; it asks nobody else."""
    return HealthAnswer("ok", RELEASE, ENGINE)


@operation("GET", "/readyz", tag="Operation", summary=Sentence("Whether it can serve", "是否可以服务"))
async def read_readiness(services: Services) -> ReadyAnswer:
    """Answers once the database answers; 503 `unavailable` otherwise."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await services.database.pool.fetchval("select 1")
    except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise ApiProblem("unavailable", type(error).__name__, headers={"Retry-After": "1"}) from None
    return ReadyAnswer("ready")


@operation(
    "GET",
    "/metrics",
    tag="Operation",
    summary=Sentence("What the process counts", "进程指标"),
    codes=("no_such_route",),
)
async def read_metrics(services: Services) -> str:
    """Prometheus' text format. The setting `LAURELS_METRICS=off` takes it away."""
    if services.settings.metrics == "off":
        raise ApiProblem("no_such_route")
    raise Replied(Reply(200, services.metrics.text(), metrics.MEDIA_TYPE))
