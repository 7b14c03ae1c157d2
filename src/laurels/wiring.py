"""Wiring: the one place that builds the parts and puts them together, for serving, for the worker and for commands.

`application` is everything a command needs, opened and closed in order. `serve` puts the HTTP entrance in front of it.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import multiprocessing
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Generator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from multiprocessing.context import SpawnProcess
from typing import Any, Final, TypeVar

import msgspec
import uvicorn

from laurels import log
from laurels.api.application import Entrance
from laurels.api.authentication import Keys
from laurels.api.connection import JoiningProtocol
from laurels.api.metrics import Metrics
from laurels.api.openapi import openapi_text
from laurels.api.publishing import Faulty, OtherProgram, Plan, Published, beside_batches, examine_apart
from laurels.api.publishing import plan as plan_version
from laurels.api.publishing import publish as publish_document
from laurels.api.reference import pages
from laurels.api.scopes import SCOPES
from laurels.api.services import Rendering, Services
from laurels.api.stopping import Stopped
from laurels.api.stopping import stop as stop_at_once
from laurels.clock import Clock, RealClock
from laurels.core.calendar import Instant
from laurels.core.program.loading import load
from laurels.core.program.model import Program
from laurels.core.refusal import Refusal
from laurels.intake.engine import Intake
from laurels.jobs.worker import Worker
from laurels.settings import Settings
from laurels.store import embedded
from laurels.store.database import Database, powers_over_ledger
from laurels.store.keys import ApiKey, create_key
from laurels.store.migrate import Migration, migrate
from laurels.store.programs import Mode, ProgramExists, ProgramRow, create_program, program_row

OWN_SOURCES: Final = "laurels"
"""What sources begin with that only Laurels uses."""

GRACE_SECONDS: Final = 30
"""How long requests that are being answered may take when the process is told to end."""

Announce = Callable[[str], None]
T = TypeVar("T")


def _silent(_address: str) -> None:
    """Nobody wants to know."""


class Application(msgspec.Struct, frozen=True):
    """The parts of a running application. `url` is how it connects to its database."""

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


class Logins(msgspec.Struct, frozen=True):
    """URLs of one database: `owner` makes its tables, `engine` works in them."""

    owner: str
    engine: str


@asynccontextmanager
async def logins(settings: Settings) -> AsyncIterator[Logins]:
    """The database that the settings name; without one the embedded server runs while the block does."""
    if settings.database_url:
        yield Logins(settings.database_url, settings.database_url)
        return
    with ExitStack() as stack:
        server = await asyncio.to_thread(stack.enter_context, embedded.running(settings.postgres_directory))
        yield Logins(server.url, server.engine_url)


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """The URL by which the engine works in the database, while that runs."""
    async with logins(settings) as database:
        yield database.engine


async def bring_up_to_date(settings: Settings) -> tuple[Migration, ...]:
    """Migrates the database to this release; what was applied."""
    async with logins(settings) as database:
        return await migrate(database.owner)


@asynccontextmanager
async def application(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Application]:
    """Everything running, on a database brought up to date; stopped in order at the end of the block."""
    clock = clock or RealClock()
    async with logins(settings) as urls:
        await migrate(urls.owner)
        database = await Database.open(urls.engine, connections_most=settings.pool_connections)
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
                yield Application(settings, urls.engine, clock, database, intake)
            finally:
                await intake.stop()
        finally:
            await database.close()


# --- HTTP and the worker ----------------------------------------------------------------------------------------------


def entrance(running: Application, metrics: Metrics | None = None) -> Entrance:
    """The ASGI application over the running parts."""
    services = Services(
        running.settings,
        running.database,
        running.intake,
        running.clock,
        Keys(running.database, running.settings.key_cache_seconds),
        metrics or Metrics(),
        Rendering(running.intake),
        pages(openapi_text()),
    )
    return Entrance(services)


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


@asynccontextmanager
async def at_work(running: Application, metrics: Metrics) -> AsyncIterator[None]:
    """The worker works while the block runs, unless it is to run apart."""
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


async def serve_running(running: Application, announce: Announce = _silent) -> None:
    """Serves HTTP over the running parts until a signal says stop; `announce` is told the address when it listens."""
    metrics = Metrics()
    settings = running.settings
    with listening(settings) as (listener, address):
        server = _Server(_config(settings, entrance(running, metrics)), lambda: announce(address))
        async with at_work(running, metrics):
            await server.serve(sockets=[listener])


def serve(settings: Settings, announce: Announce = _silent) -> None:
    """Serves HTTP until a signal says stop, in as many processes as the settings say."""
    log.configure(settings)
    if settings.processes > 1:
        _serve_apart(settings, announce)
        return

    async def run() -> None:
        async with application(settings) as running:
            await warn_of_powers(running.url)
            await serve_running(running, announce)

    run_to_end(run())


def work(settings: Settings) -> None:
    """Runs the worker alone until a signal says stop."""
    log.configure(settings)

    async def run() -> None:
        async with application(settings) as running:
            await warn_of_powers(running.url)
            worker = worker_of(running)
            with _signals(worker.stop):
                await worker.work()

    run_to_end(run())


async def warn_of_powers(url: str) -> None:
    """A log line where the login of the database could change what is recorded."""
    powers = await powers_over_ledger(url)
    if powers.tables or powers.is_superuser:
        log.logger("laurels.database").warning(
            "login_could_change_ledger",
            login=powers.login,
            superuser=powers.is_superuser,
            tables=powers.tables,
            mend="give Laurels a login that is in laurels_app alone: docs/settings.md",
        )


def run_to_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine comes to, on the fastest event loop there is.

    The values of the core hold no cycles, so the collector has little to find: looking seldom saves a seventh of the
    processor time of an import.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(coroutine)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory


@contextmanager
def listening(settings: Settings) -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens where the settings say, and the address to reach it by."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family, backlog=2048) as listener:
        listener.setblocking(False)
        host, port = listener.getsockname()[:2]
        yield listener, f"http://{f'[{host}]' if ':' in host else host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn, which on a signal ends in order and leaves it to its caller to go on."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, then says so."""
        await super().startup(sockets)
        self._announce()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """A first signal ends it in order, a second at once; neither is raised again afterwards."""
        with _signals(lambda: self.handle_exit(signal.SIGINT, None)):
            yield


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Calls `stop` for each signal that asks the process to end while the block runs."""
    loop = asyncio.get_running_loop()
    wanted = (signal.SIGINT, signal.SIGTERM)
    try:
        for number in wanted:
            loop.add_signal_handler(number, stop)
    except (NotImplementedError, RuntimeError, ValueError):
        # Windows, or not the main thread: whoever started it stops it otherwise.
        yield
        return
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)


def _config(settings: Settings, app: Any, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="none",
        http=JoiningProtocol,
        ws="none",
        proxy_headers=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=settings.idle_seconds,
        limit_concurrency=settings.connections_most,
        timeout_graceful_shutdown=GRACE_SECONDS,
        **more,
    )


# --- several processes ------------------------------------------------------------------------------------------------


def _serve_apart(settings: Settings, announce: Announce) -> None:
    """One process keeps the database and listens; as many as the settings say serve. The worker runs in the first."""

    async def prepare() -> None:
        async with logins(settings) as database:
            await migrate(database.owner)
            await warn_of_powers(database.engine)
            apart = msgspec.structs.replace(settings, database_url=database.engine)
            with listening(settings) as (listener, address):
                await _supervise(apart, listener, lambda: announce(address))

    run_to_end(prepare())


async def _supervise(settings: Settings, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Starts the processes, starts anew what dies, and ends them together."""
    context = multiprocessing.get_context("spawn")
    stopping = asyncio.Event()

    def start(number: int) -> SpawnProcess:
        worker = settings.worker if number == 0 else "apart"
        theirs = msgspec.structs.replace(settings, worker=worker)
        process = context.Process(target=_serve_here, args=(msgspec.json.encode(theirs), listener), daemon=False)
        process.start()
        return process

    children = {number: start(number) for number in range(settings.processes)}
    announce()
    with _signals(stopping.set):
        while not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), 1)
            for number, child in children.items():
                if not child.is_alive() and not stopping.is_set():
                    log.logger("laurels.serve").error("process_died", exitcode=child.exitcode)
                    children[number] = start(number)
    for child in children.values():
        child.terminate()
    for child in children.values():
        await asyncio.to_thread(child.join)


def _serve_here(encoded: bytes, listener: socket.socket) -> None:
    """What each of several processes does."""
    settings = msgspec.json.decode(encoded, type=Settings)
    log.configure(settings)
    metrics = Metrics()

    async def run() -> None:
        async with application(settings) as running, at_work(running, metrics):
            server = _Server(_config(settings, entrance(running, metrics)), lambda: None)
            await server.serve(sockets=[listener])

    run_to_end(run())


# --- what commands ask for --------------------------------------------------------------------------------------------


async def ensure_program(running: Application, id: str, mode: Mode) -> ProgramRow:
    """The program, made in this mode where it is not there yet."""
    row = await program_row(running.database, id)
    if row is not None:
        return row
    try:
        return await create_program(running.database, running.clock, id, mode)
    except ProgramExists:
        return await ensure_program(running, id, mode)


async def make_key(
    running: Application, program: str, *, source: str, name: str, scopes: Collection[str], mode: Mode = "sandbox"
) -> tuple[str, ApiKey]:
    """A new key, shown this once, and what is known of it; the program is made where it is not there yet.

    ValueError for a source that only Laurels uses, or a scope that does not exist.
    """
    if source == OWN_SOURCES or source.startswith(f"{OWN_SOURCES}."):
        raise ValueError(f"{source!r} cannot be a source: those that begin with {OWN_SOURCES!r} are Laurels' own")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ValueError(f"unknown scopes: {', '.join(unknown) or 'none given'}; known are {', '.join(SCOPES)}")
    await ensure_program(running, program, mode)
    return await create_key(running.database, running.clock, program, source, name, scopes)


async def plan(running: Application, document: str) -> Plan | Faulty:
    """What the document would change in its program, and how many members each change takes something from."""
    examined = await examine_apart(document)
    if examined.program is None:
        return Faulty(examined.findings)
    id = examined.program.id
    if await program_row(running.database, id) is None:
        return Plan(None, (), findings=examined.findings)
    versions = await running.intake.versions(id)
    now = await running.intake.now(id) or running.clock.now()
    planned = await plan_version(running.database, versions, examined.program, now)
    examined = await beside_batches(running.database, versions, examined, document)
    return msgspec.structs.replace(planned, findings=examined.findings)


async def publish(
    running: Application, document: str, *, mode: Mode = "setup", effective_at: Instant | None = None
) -> Published | Faulty | OtherProgram | Refusal:
    """The document published in its program, which is made in this mode where it is not there yet; or why not."""
    examined = await examine_apart(document)
    if examined.program is None:
        return Faulty(examined.findings)
    id = examined.program.id
    await ensure_program(running, id, mode)
    versions = await running.intake.versions(id)
    now = await running.intake.now(id) or running.clock.now()
    published = await publish_document(running.database, running.clock, versions, id, document, effective_at, now)
    assert published is not None, "the program was there a moment ago"
    return published


async def stop(running: Application, program: str, id: str, reason: str) -> Stopped | Faulty | Refusal:
    """Ends a campaign, promotion or kind of voucher of the program as early as can be; or why not."""
    intake = running.intake
    now = await intake.now(program) or running.clock.now()
    return await stop_at_once(
        running.database, running.clock, lambda: intake.versions(program), program, id, reason, now
    )
