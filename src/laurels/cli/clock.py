"""`laurels clock`: what time it is in a program, and moving the clock of one in setup or sandbox."""

from __future__ import annotations

import click

from laurels.cli.moments import InstantType, zone_of
from laurels.cli.outside import Outside, pass_outside
from laurels.cli.screen import Screen, ending, json_option, plural, program_of, program_option, refused, settings_of
from laurels.core.calendar import Instant
from laurels.core.refusal import Refusal
from laurels.store.programs import program_row


@click.command("clock")
@click.option("--to", "to", type=InstantType(), help="Move the clock forward to this instant (RFC 3339).")
@program_option
@json_option
@pass_outside
def clock_command(outside: Outside, *, to: Instant | None, program: str | None, as_json: bool) -> None:
    """Show a program's clock in its zone, or move it; what falls due on the way is carried out in order."""
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_clock(outside, screen, to, program))


async def _clock(outside: Outside, screen: Screen, to: Instant | None, given: str | None) -> None:
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        zone = await zone_of(running, program)
        if to is None:
            row = await program_row(running.database, program)
            assert row is not None
            now = await running.intake.now(program)
            shown = "not set yet" if now is None else zone.format(now)
            screen.result(
                {"program": program, "mode": row.mode, "now": None if now is None else shown},
                lambda out: out.print(f"{program} ({row.mode}): {shown}"),
            )
            return
        moved = await running.intake.move_clock(program, to)
        if isinstance(moved, Refusal):
            raise refused(moved)
        before = None if moved.before is None else zone.format(moved.before)
        screen.result(
            {"program": program, "before": before, "now": zone.format(moved.now), "woken": moved.woken},
            lambda out: out.print(
                f"{program}: {zone.format(moved.now)}; {plural(moved.woken, 'activity', 'activities')} of members "
                "who had something due on the way"
            ),
        )
