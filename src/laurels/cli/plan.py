"""`laurels plan FILE`: what publishing a document would change, and whom it takes something from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.markup import escape

from laurels.cli.findings import shown_findings, summary_of
from laurels.cli.outside import Outside, Planned, PlannedChange, pass_outside
from laurels.cli.screen import No, Screen, ending, json_option, plural, settings_of
from laurels.core.program.change import Between, Concerned, Earners, Everyone, Holders, Standing, VoucherHolders
from laurels.core.program.finding import Finding
from laurels.core.refusal import Refusal

SHOWN_MOST: Final = 5


@click.command("plan")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@pass_outside
def plan_command(outside: Outside, file: Path, *, as_json: bool) -> None:
    """Show what a new version would change, and which members it takes something from.

    Exit code 1 if it takes something away, or could not be published.
    """
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_plan(outside, screen, file, file.read_text(encoding="utf-8")))


async def _plan(outside: Outside, screen: Screen, file: Path, document: str) -> None:
    async with outside.application(settings_of()) as running:
        planned = await outside.plan(running, document)
    if not isinstance(planned, Planned):
        say_faulty(screen, file, document, planned)
        raise No

    def say(out: Console) -> None:
        for line in shown_findings(str(file), document, planned.findings):
            out.print(line)
        say_planned(out, planned)

    screen.result({"findings": planned.findings, **planned_as_json(planned)}, say)
    if planned.broken or any(each.change.takes_away or each.change.needs_mapping for each in planned.changes):
        raise No


def say_faulty(screen: Screen, file: Path, document: str, findings: tuple[Finding, ...]) -> None:
    """A document with errors cannot be planned or published; its findings say why."""

    def say(out: Console) -> None:
        for line in shown_findings(str(file), document, findings):
            out.print(line)
        out.print(f"[red]{file}: not a program yet[/], {summary_of(findings)}")

    screen.result({"file": str(file), "valid": False, "findings": findings}, say)


def planned_as_json(planned: Planned) -> dict[str, object]:
    """A plan as JSON."""
    return {
        "against": planned.against,
        "changes": list(planned.changes),
        "takes_away": any(each.change.takes_away for each in planned.changes),
        "refused": [{"draw": draw, "code": code} for draw, code in planned.broken],
    }


def say_planned(out: Console, planned: Planned) -> None:
    """A plan in words: what is taken away first."""
    if planned.against is None:
        out.print("This is the first version of the program: nobody can lose anything.")
        return
    if not planned.changes:
        out.print(f"Nothing changes against version {planned.against}.")
        return
    for draw, code in planned.broken:
        out.print(f"[red]It could not be published:[/] {code}: {Refusal(code).message} [dim]({draw})[/]")
    taking = [each for each in planned.changes if each.change.takes_away or each.change.needs_mapping]
    others = [each for each in planned.changes if each not in taking]
    if taking:
        out.print("[red]Takes something from members:[/]")
        for each in taking:
            mapping = "  [bold]needs a mapping under retired[/]" if each.change.needs_mapping else ""
            out.print(f"  - {escape(each.change.texts['en'])} [dim]({whom(each)})[/]{mapping}")
    if others:
        out.print(f"{'Else' if taking else 'Against'} version {planned.against}:" if not taking else "Besides:")
        for each in others:
            out.print(f"  - {escape(each.change.texts['en'])}")


def whom(planned: PlannedChange) -> str:
    """Whom a change takes something from: how many, who they are, and the first of them by id."""
    told = _told(planned.change.concerns, plural(planned.members, "member"))
    shown = planned.first_members[:SHOWN_MOST]
    if not shown:
        return told
    more = planned.members - len(shown)
    return f"{told}: {', '.join(map(escape, shown))}{f' and {more:,} more' if more else ''}"


def _told(concern: Concerned | None, members: str) -> str:
    match concern:
        case Everyone():
            return f"all members: {members}"
        case VoucherHolders():
            return f"who hold such a voucher: {members}"
        case Holders():
            return f"{members} with points or debt in the wallet"
        case Standing():
            return f"{members} now on {' or '.join(concern.tiers)}"
        case Between(threshold="keep"):
            return f"{members} of those who hold it reach the old threshold now, not the new one: it would not be kept"
        case Between():
            return f"{members} below it on the way; who holds it is asked for what it takes to keep it"
        case Earners():
            return f"{members} to whom it granted something so far"
        case None:
            return members
