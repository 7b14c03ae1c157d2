"""`laurels verify`: proof that state is what the facts lead to, and that deciding again gives the same facts."""

from __future__ import annotations

import os
import time
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape

from laurels.cli.outside import Outside, pass_outside
from laurels.cli.screen import No, Screen, ending, json_option, plural, program_of, program_option, settings_of
from laurels.clock import RealClock
from laurels.proof.difference import Difference
from laurels.proof.verifying import Verdict, verify, verify_member
from laurels.store.database import Database

SHOWN_MOST = 100
OTHERWISE_SHOWN_MOST = 10


@click.command("verify")
@program_option
@click.option("--member", metavar="ID", help="Verify one member only.")
@click.option("--resume", is_flag=True, help="Go on where an interrupted run stopped.")
@click.option("--processes", type=click.IntRange(1, 256), default=os.cpu_count() or 1, help="How many work at it.")
@json_option
@pass_outside
def verify_command(
    outside: Outside, *, program: str | None, member: str | None, resume: bool, processes: int, as_json: bool
) -> None:
    """Prove the ledger and the state of the whole database, or of one program or member.

    Nothing is changed. Exit code 1 if anything differs; every difference is named with its member, activity, entry and
    column.
    """
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_verify(outside, screen, program, member, resume=resume, processes=processes))


async def _verify(
    outside: Outside, screen: Screen, given: str | None, member: str | None, *, resume: bool, processes: int
) -> None:
    started = time.monotonic()
    async with outside.database_url(settings_of()) as url:
        database = await Database.open(url, connections_most=3, patience_seconds=None)
        try:
            if member is not None:
                program = await program_of(database, given)
                verdict = await verify_member(database, program, member)
                if verdict.counted.activities == 0 and verdict.is_clean:
                    raise No(f"{program} has no member {member}.")
            else:
                programs = None if given is None else [await program_of(database, given)]
                with screen.progress("verifying", None) as move:
                    verdict = await verify(
                        url, database, RealClock(), programs, processes=processes, resume=resume, tell=move
                    )
        finally:
            await database.close()
    seconds = time.monotonic() - started
    screen.result(as_json(verdict, seconds), lambda out: say_verdict(out, verdict, seconds))
    if not verdict.is_clean:
        raise No


def as_json(verdict: Verdict, seconds: float) -> dict[str, Any]:
    """A verdict as JSON."""
    counted = verdict.counted
    return {
        "clean": verdict.is_clean,
        "programs": verdict.programs,
        "members": counted.members,
        "activities": counted.activities,
        "entries": counted.entries,
        "older_engine": {
            "activities": counted.older,
            "would_be_decided_otherwise": counted.otherwise,
            "first": [msgspec.to_builtins(difference) for difference in counted.first_otherwise],
        },
        "resumed_after": verdict.resumed_at,
        "notes": verdict.notes,
        "seconds": round(seconds, 1),
        "differences": [msgspec.to_builtins(difference) for difference in verdict.differences],
    }


def say_verdict(out: Console, verdict: Verdict, seconds: float) -> None:
    """A verdict in words."""
    counted = verdict.counted
    for difference in verdict.differences[:SHOWN_MOST]:
        for line in said_difference(difference):
            out.print(line)
    if len(verdict.differences) > SHOWN_MOST:
        out.print(f"... and {len(verdict.differences) - SHOWN_MOST:,} more; --json shows all")
    for note in verdict.notes:
        out.print(f"[yellow]note:[/] {escape(note)}")
    if counted.older:
        out.print(
            f"{plural(counted.older, 'activity was', 'activities were')} decided by an older engine: proven by the "
            f"fold; {counted.otherwise:,} would be decided otherwise now"
        )
        for difference in counted.first_otherwise[:OTHERWISE_SHOWN_MOST]:
            for line in said_difference(difference, "yellow"):
                out.print(line)
    looked = (
        f"{plural(counted.members, 'member')}, {plural(counted.activities, 'activity', 'activities')}, "
        f"{plural(counted.entries, 'entry', 'entries')} in {seconds:.1f} s"
    )
    if verdict.is_clean:
        out.print(f"[green]Everything is as it must be:[/] {looked}")
    else:
        out.print(f"[red]{plural(len(verdict.differences), 'difference')}:[/] {looked}")


def said_difference(difference: Difference, colour: str = "red") -> list[str]:
    """A difference in lines with Rich's markup."""
    what = f"[{colour}]{difference.table}.{escape(difference.column)}[/] {escape(difference.message)}"
    lines = [f"[bold]{escape(difference.place)}[/]: {what}"]
    if difference.stored:
        lines.append(f"    stored:   {escape(difference.stored)}")
    if difference.expected:
        lines.append(f"    expected: {escape(difference.expected)}")
    return lines
