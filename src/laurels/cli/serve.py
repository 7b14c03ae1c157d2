"""`laurels serve`: HTTP until a signal says stop."""

from __future__ import annotations

import click
import msgspec

from laurels.cli.outside import Outside, pass_outside
from laurels.cli.screen import ending, json_option, settings_of


@click.command("serve")
@click.option("--host", help="Address to listen on; LAURELS_HOST otherwise.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on; LAURELS_PORT otherwise.")
@click.option("--processes", type=click.IntRange(1, 1000), help="Processes that serve; LAURELS_PROCESSES otherwise.")
@json_option
@pass_outside
def serve_command(
    outside: Outside, *, host: str | None, port: int | None, processes: int | None, as_json: bool
) -> None:
    """Serve the HTTP API until stopped."""
    with ending(as_json=as_json) as screen:
        given = {"host": host, "port": port, "processes": processes}
        settings = msgspec.structs.replace(
            settings_of(), **{name: value for name, value in given.items() if value is not None}
        )

        def announce(address: str) -> None:
            screen.result(
                {"address": address},
                lambda out: out.print(f"Laurels serves [bold]{address}[/]; its reference is at {address}/docs"),
            )

        outside.serve(settings, announce)
