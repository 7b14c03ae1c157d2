"""`laurels worker`: what runs by itself, apart from `serve`."""

from __future__ import annotations

import click

from laurels.cli.outside import Outside, pass_outside
from laurels.cli.screen import ending, json_option, settings_of


@click.command("worker")
@json_option
@pass_outside
def worker_command(outside: Outside, *, as_json: bool) -> None:
    """Wake members who have something due, and end what was left open, until stopped."""
    with ending(as_json=as_json):
        outside.work(settings_of())
