"""Wiring: the one place that builds the parts and puts them together, for serving, for the worker and for commands.

`application` is everything a command needs, opened and closed in order. `serve` puts the HTTP entrance in front of it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import msgspec
import uvicorn

from laurels import log
from laurels.api.application import Entrance
from laurels.api.authentication import Keys
from laurels.api.metrics import Metrics
from laurels.api.openapi import openapi_text
from laurels.api.publishing import Faulty, OtherProgram, Plan, Published, examine_apart
from laurels.api.publishing import plan as plan_version
from laurels.api.publishing import publish as publish_document
from laurels.api.reference import pages
from laurels.api.scopes import SCOPES
from laurels.api.services import Rendering, Services
from laurels.clock import Clock, RealClock
from laurels.core.calendar import Instant
from laurels.core.program.loading import load
from laurels.core.program.model import Program
from laurels.core.refusal import Refusal
from laurels.intake.engine import Intake
from laurels.jobs.worker import Worker
from laurels.settings import Settings, read_settings, variable_of
from laurels.store import embedded
from laurels.store.database import Database
from laurels.store.keys import ApiKey, create_key
from laurels.store.migrate import migrate
from laurels.store.programs import Mode, ProgramExists, ProgramRow, create_program, program_row

OWN_SOURCES: Final = "laurels"
"""What sources begin with that only Laurels uses."""


class Application(msgspec.Struct, frozen=True):
    """The parts of a running application. `url` is its database's."""

    settings: Settings
    url: str
    clock: Clock
    database: Database
    intake: Intake


def read_program(document: str) -> Program:
    """The value of a stored document, which was checked before it was published."""
    program = load(document)
    assert isinstance(program, Program), f"a published document has errors: {program}"
    return program


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """The URL of the database that the settings name; the embedded server runs while the block does."""
    if settings.database_url:
        yield settings.database_url
        return
    server = await asyncio.to_thread(embedded.start, settings.postgres_directory)
    try:
        yield server.database_url("laurels")
    finally:
        if server.started:
            await asyncio.to_thread(embedded.stop, settings.postgres_directory)


@asynccontextmanager
async def application(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Application]:
    """Everything running, on a database brought up to date; stopped in order at the end of the block."""
    clock = clock or RealClock()
    async with database_url(settings) as url:
        await migrate(url)
        database = await Database.open(url, connections_most=settings.pool_connections)
        try:
            intake = Intake(
                database,
                clock,
                read_program,
                lanes=settings.lanes,
                batch_most=settings.batch_most,
                waiting_most=settings.waiting_most,
            )
            await intake.start()
            try:
                yield Application(settings, url, clock, database, intake)
            finally:
                await intake.stop()
        finally:
            await database.close()


# --- HTTP and the worker ----------------------------------------------------------------------------------------------


def entrance(running: Application) -> Entrance:
    """The ASGI application over the running parts."""
    return Entrance(_services(running))


def _services(running: Application) -> Services:
    metrics = Metrics()
    metrics.watch("laurels_activities_waiting", "Activities waiting for a lane.", lambda: running.intake.waiting)
    return Services(
        running.settings,
        running.database,
        running.intake,
        running.clock,
        Keys(running.database, running.settings.key_cache_seconds),
        metrics,
        Rendering(running.intake),
        pages(openapi_text()),
    )


def worker_of(running: Application, metrics: Metrics | None = None) -> Worker:
    """A worker over the running parts, not yet working."""
    metrics = metrics or Metrics()
    return Worker(
        running.database,
        running.intake,
        running.clock,
        every_seconds=running.settings.worker_seconds,
        on_woken=metrics.woken.inc,
        on_error=metrics.worker_errors.inc,
    )


async def work(settings: Settings) -> None:
    """Runs the worker alone, until cancelled."""
    async with application(settings) as running:
        await worker_of(running).work()


@asynccontextmanager
async def _working(running: Application, metrics: Metrics) -> AsyncIterator[None]:
    if running.settings.worker == "apart":
        yield
        return
    worker = worker_of(running, metrics)
    task = asyncio.create_task(worker.work())
    try:
        yield
    finally:
        worker.stop()
        await task
