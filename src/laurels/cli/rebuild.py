"""`laurels rebuild`: state made anew from the recorded facts."""

from __future__ import annotations

import click
import msgspec
from rich.console import Console

from laurels.cli.outside import Outside, pass_outside
from laurels.cli.screen import No, Screen, ending, json_option, plural, program_of, program_option, settings_of
from laurels.cli.verify import said_difference
from laurels.proof.rebuilding import Rebuilt, rebuild
from laurels.store.database import Database
from laurels.store.programs import programs


@click.command("rebuild")
@program_option
@click.option("--member", metavar="ID", help="Make one member's state anew.")
@json_option
@pass_outside
def rebuild_command(outside: Outside, *, program: str | None, member: str | None, as_json: bool) -> None:
    """Make state anew from facts: balances, lots, tiers, orders, and what was used of budgets.

    Members are done one at a time, so that a running system may go on. A member whose recorded activities are not what
    they must be is refused: exit code 1.
    """
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_rebuild(outside, screen, program, member))


async def _rebuild(outside: Outside, screen: Screen, given: str | None, member: str | None) -> None:
    found: dict[str, Rebuilt] = {}
    async with outside.database_url(settings_of()) as url:
        database = await Database.open(url, connections_most=2, patience_seconds=None)
        try:
            if given is not None or member is not None:
                wanted = [await program_of(database, given)]
            else:
                wanted = [row.id for row in await programs(database)]
            for program in wanted:
                with screen.progress(f"rebuilding {program}", None) as move:
                    found[program] = await rebuild(database, program, member, tell=move)
        finally:
            await database.close()

    def say(out: Console) -> None:
        for program, rebuilt in found.items():
            for difference in rebuilt.refused:
                for line in said_difference(difference):
                    out.print(line)
            pools = f", {plural(len(rebuilt.pools), 'pool')}" if rebuilt.pools else ""
            out.print(
                f"{program}: {plural(rebuilt.members, 'member')} made anew, {len(rebuilt.changed):,} of them were "
                f"otherwise{pools}"
            )

    screen.result({program: msgspec.to_builtins(rebuilt) for program, rebuilt in found.items()}, say)
    if any(rebuilt.refused for rebuilt in found.values()):
        raise No
