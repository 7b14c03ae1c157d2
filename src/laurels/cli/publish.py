"""`laurels publish FILE`: a document becomes a version of its program, which is made where there is none."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from laurels.cli.findings import shown_findings
from laurels.cli.moments import InstantType
from laurels.cli.outside import Outside, Planned, pass_outside
from laurels.cli.plan import planned_as_json, say_faulty, say_planned
from laurels.cli.screen import No, Screen, ending, json_option, refused, settings_of
from laurels.core.calendar import Instant, Zone
from laurels.core.program.loading import load
from laurels.core.program.model import Program
from laurels.core.refusal import Refusal
from laurels.store.programs import Mode


@click.command("publish")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mode",
    type=click.Choice(["setup", "sandbox", "live"]),
    default="setup",
    show_default=True,
    help="The mode of the program, if it is made now.",
)
@click.option("--effective-at", type=InstantType(), help="When the version takes effect (RFC 3339).")
@click.option("--accept-losses", is_flag=True, help="Publish although it takes something from members.")
@json_option
@pass_outside
def publish_command(
    outside: Outside, file: Path, *, mode: Mode, effective_at: Instant | None, accept_losses: bool, as_json: bool
) -> None:
    """Publish a document as the next version of its program.

    A version that takes something from members is shown and not published, unless you accept that.
    """
    with ending(as_json=as_json) as screen:
        document = file.read_text(encoding="utf-8")
        outside.run_to_end(
            _publish(outside, screen, file, document, mode=mode, effective_at=effective_at, accept=accept_losses)
        )


async def _publish(
    outside: Outside,
    screen: Screen,
    file: Path,
    document: str,
    *,
    mode: Mode,
    effective_at: Instant | None,
    accept: bool,
) -> None:
    async with outside.application(settings_of()) as running:
        planned = await outside.plan(running, document)
        if not isinstance(planned, Planned):
            say_faulty(screen, file, document, planned)
            raise No
        if not accept and any(each.change.takes_away for each in planned.changes):
            screen.result({"published": None, **planned_as_json(planned)}, lambda out: say_planned(out, planned))
            raise No("" if screen.as_json else "Not published. With --accept-losses it would be.")
        published = await outside.publish(running, document, mode, effective_at)
    if isinstance(published, Refusal):
        raise refused(published)
    if isinstance(published, tuple):
        say_faulty(screen, file, document, published)
        raise No
    version = published.version
    program = load(version.document)
    assert isinstance(program, Program), "what was published has no errors"
    zone = Zone(program.time_zone)
    since = zone.format(version.effective_at) if version.effective_at else "the beginning"

    def say(out: Console) -> None:
        for line in shown_findings(str(file), document, published.findings):
            out.print(line)
        if planned.against is not None:
            say_planned(out, planned)
        out.print(f"[green]Published[/] as version {version.number}, in effect from {since}.")

    screen.result(
        {
            "published": {
                "version": version.number,
                "effective_at": zone.format(version.effective_at),
                "published_at": zone.format(version.published_at),
            },
            "findings": published.findings,
            **planned_as_json(planned),
        },
        say,
    )
