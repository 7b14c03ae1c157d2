"""`laurels stop ID`: a campaign, promotion or kind of voucher ends as early as can be."""

from __future__ import annotations

import click

from laurels.cli.outside import Outside, pass_outside
from laurels.cli.screen import Screen, ending, json_option, program_of, program_option, refused, settings_of
from laurels.core.refusal import Refusal


@click.command("stop")
@click.argument("id")
@click.option("--reason", required=True, help="Why; it is kept as a comment of the document.")
@program_option
@json_option
@pass_outside
def stop_command(outside: Outside, id: str, *, reason: str, program: str | None, as_json: bool) -> None:
    """End a campaign, promotion or kind of voucher at once: in a live program some ten seconds from now.

    The version in effect is published anew with that end, and so are those scheduled for later. Their documents stay as
    they are otherwise, comments included.
    """
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_stop(outside, screen, id, reason, program))


async def _stop(outside: Outside, screen: Screen, id: str, reason: str, given: str | None) -> None:
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        done = await outside.stop(running, program, id, reason)
        versions = await running.intake.versions(program)
    if isinstance(done, Refusal):
        raise refused(done)
    at = versions.judging(done.ends_at).zone.format(done.ends_at)
    screen.result(
        {"id": id, "ends_at": at, "versions": list(done.versions)},
        lambda out: out.print(f"{id} ends at {at}, by version {', '.join(map(str, done.versions))}"),
    )
