"""`laurels migrate` and `laurels db`: the database itself, and the embedded server where that is used."""

from __future__ import annotations

import asyncio

import click

from laurels.cli.outside import Outside, pass_outside
from laurels.cli.screen import No, Screen, ending, json_option, settings_of
from laurels.settings import Settings
from laurels.store import embedded
from laurels.store.migrate import migrate


@click.command("migrate")
@json_option
@pass_outside
def migrate_command(outside: Outside, *, as_json: bool) -> None:
    """Bring the database up to this release of Laurels."""
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_migrate(outside, screen))


async def _migrate(outside: Outside, screen: Screen) -> None:
    names = [f"{migration.number:04d} {migration.name}" for migration in await outside.migrate(settings_of())]
    screen.result(
        {"applied": names}, lambda out: out.print("\n".join(names) if names else "The database is up to date.")
    )


@click.group("db")
def db_group() -> None:
    """Start, stop and find the embedded PostgreSQL server."""


def _embedded_settings() -> Settings:
    settings = settings_of()
    if settings.database_url:
        raise No("LAURELS_DATABASE_URL names a server of yours: this is about the embedded one.")
    return settings


@db_group.command("start")
@json_option
def start_command(*, as_json: bool) -> None:
    """Start the embedded server, and leave it running."""
    with ending(as_json=as_json) as screen:
        server = embedded.start(_embedded_settings().postgres_directory)
        asyncio.run(migrate(server.url))
        _say(screen, server)


@db_group.command("stop")
@json_option
def stop_command(*, as_json: bool) -> None:
    """Stop the embedded server."""
    with ending(as_json=as_json) as screen:
        stopped = embedded.stop(_embedded_settings().postgres_directory)
        screen.result({"stopped": stopped}, lambda out: out.print("Stopped." if stopped else "It was not running."))


@db_group.command("status")
@json_option
def status_command(*, as_json: bool) -> None:
    """Say whether the embedded server runs, and its URL. Exit code 1 if it does not."""
    with ending(as_json=as_json) as screen:
        server = embedded.status(_embedded_settings().postgres_directory)
        if server is None:
            screen.result({"running": False}, lambda out: out.print("It is not running."))
            raise No
        _say(screen, server)


def _say(screen: Screen, server: embedded.EmbeddedServer) -> None:
    value = {"running": True, "url": server.url, "pid": server.pid, "directory": str(server.directory)}
    screen.result(value, lambda out: out.print(f"It runs in {server.directory}: {server.url}", markup=False))
