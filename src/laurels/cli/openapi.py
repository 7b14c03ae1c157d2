"""`laurels openapi`: the outside contract as OpenAPI 3.1."""

from __future__ import annotations

from pathlib import Path

import click

from laurels.cli.outside import Outside, pass_outside
from laurels.cli.screen import ending, json_option


@click.command("openapi")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@json_option
@pass_outside
def openapi_command(outside: Outside, *, output: Path | None, as_json: bool) -> None:
    """Print the OpenAPI document of the HTTP API."""
    with ending(as_json=as_json):
        text = outside.openapi_text()
        if output is None:
            click.echo(text, nl=not text.endswith("\n"))
        else:
            output.write_text(text, encoding="utf-8")
