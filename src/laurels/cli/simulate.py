"""`laurels simulate FILE`: what would have come of the activities under another program. Nothing is written."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from laurels.cli.figures import comparison_as_json, figures_as_json, say_comparison, say_figures, say_refused
from laurels.cli.given import UNKNOWN
from laurels.cli.import_files import open_activities, say_taken, stream_of
from laurels.cli.moments import InstantType
from laurels.cli.outside import Outside, pass_outside
from laurels.cli.plan import say_faulty
from laurels.cli.screen import No, Screen, ending, json_option, plural, program_of, settings_of
from laurels.clock import RealClock
from laurels.core.calendar import Instant, Zone
from laurels.core.program.loading import examine, load
from laurels.core.program.model import Program
from laurels.core.version import Version, Versions
from laurels.intake.importing.importer import BATCH
from laurels.intake.importing.mapping import FileMapping, read_mapping
from laurels.intake.importing.progress import Tally
from laurels.intake.importing.reading import FileFormat
from laurels.intake.importing.report import Report, note
from laurels.simulate.chance import SEED
from laurels.simulate.comparing import compare
from laurels.simulate.given import called
from laurels.simulate.living import Lived, Rehearsal, live_stored
from laurels.simulate.stored import as_stored, chance_of
from laurels.store.database import Database
from laurels.store.programs import program_row, stored_versions


@click.command("simulate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--activities",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Files of activities, as for import; repeat.",
)
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="As for import.")
@click.option("--format", "format", type=click.Choice(["csv", "ndjson", "parquet"]), help="If the name does not say.")
@click.option("--source", default="import", show_default=True, help="As for import.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where bad rows are listed.")
@click.option("--stored", is_flag=True, help="The activities that are recorded.")
@click.option("--program", "program", metavar="ID", help="Whose activities; the document's program otherwise.")
@click.option(
    "--until", type=InstantType(), help="Go on until this instant (RFC 3339), if it comes after the last activity."
)
@click.option(
    "--seed", metavar="TEXT", help=f"Draw all draws anew with this seed; {SEED} by default, for what nobody drew."
)
@click.option("--play", "played", multiple=True, metavar="DRAW", help="Play all tickets of this wheel; repeat.")
@click.option("--diff", is_flag=True, help="Show the difference to what is stored.")
@json_option
@pass_outside
def simulate_command(
    outside: Outside,
    file: Path,
    *,
    activities: tuple[Path, ...],
    mapping: Path | None,
    format: FileFormat | None,
    source: str,
    report: Path | None,
    stored: bool,
    program: str | None,
    until: Instant | None,
    seed: str | None,
    played: tuple[str, ...],
    diff: bool,
    as_json: bool,
) -> None:
    """Live through activities again under the program in FILE, as if it had been in effect from the beginning.

    Shows points by wallet and campaign, tiers, expiry and what is outstanding; with --diff beside what is stored. Files
    are taken as import takes them: every row that would not go in is listed in a report (exit code 1). Draws are drawn
    when it is time; the same seed draws the same.
    """
    if bool(activities) == stored:
        raise click.UsageError("Say which activities: --stored, or --activities FILE")
    if report is not None and len(activities) != 1:
        raise click.UsageError("--report goes with one file; without it each file has a report of its own")
    with ending(as_json=as_json) as screen:
        document = file.read_text(encoding="utf-8")
        examined = examine(document)
        if examined.program is None:
            say_faulty(screen, file, document, examined.findings)
            raise No
        _check_played(examined.program, played)
        read = None if mapping is None else read_mapping(mapping.read_text(encoding="utf-8"))
        lived: Lived | None = None
        taken: list[Taken] = []
        started = time.monotonic()
        if activities:
            # Everything that can be wrong with the files as such is said before the first row is lived through.
            for each in activities:
                open_activities(each, format, read).close()
            rehearsal = Rehearsal(examined.program, seed=SEED if seed is None else seed, played=played)
            taken = [_take(screen, rehearsal, each, read, format, source, report) for each in activities]
            lived = rehearsal.end(until or 0)
        before: Lived | None = None
        if stored or diff:
            life = _Life(program, until or 0, seed, played)
            lived, before = outside.run_to_end(_with_store(outside, screen, examined.program, life, lived, diff=diff))
        assert lived is not None
        _say(screen, examined.program, lived, before, taken, time.monotonic() - started)
        if any(each.tally.bad for each in taken):
            raise No


def _check_played(program: Program, played: tuple[str, ...]) -> None:
    wheels = [draw.id for draw in program.draws if draw.kind == "instant"]
    for each in played:
        if each not in wheels:
            there = f" There are: {', '.join(wheels)}." if wheels else ""
            raise click.UsageError(f"{each} is no draw whose tickets are played.{there}")


class _Life(msgspec.Struct, frozen=True):
    """Which recorded life is lived through again, how far, and by what chance."""

    program: str | None
    until: Instant
    seed: str | None
    played: Collection[str]


class Taken(msgspec.Struct, frozen=True):
    """What became of a file's rows."""

    file: str
    tally: Tally
    report: str | None


def _take(
    screen: Screen,
    rehearsal: Rehearsal,
    file: Path,
    mapping: FileMapping | None,
    format: FileFormat | None,
    source: str,
    given: Path | None,
) -> Taken:
    """Lives through a file. What an import would not take in goes to a report of the same form as an import's."""
    where = given or Path(f"{file.name}.simulated.report.ndjson")
    report, tally = Report(where, 0), Tally()
    table = open_activities(file, format, mapping)
    with closing(table), closing(report), screen.progress(file.name, table.total) as move:
        for n, shaped in enumerate(stream_of(table, table.rows(), mapping, source), 1):
            note(tally, report, file.name, shaped, rehearsal.take(shaped))
            if n % BATCH == 0:
                move(table.done, None)
    return Taken(str(file), tally, str(where) if tally.bad else None)


async def _with_store(
    outside: Outside, screen: Screen, program: Program, life: _Life, lived: Lived | None, *, diff: bool
) -> tuple[Lived, Lived | None]:
    async with outside.database_url(settings_of()) as url:
        database = await Database.open(url, connections_most=2, patience_seconds=None)
        try:
            id = await program_of(database, life.program or program.id)
            async with (
                database.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                await connection.execute("set local idle_in_transaction_session_timeout = 0")
                row = await program_row(database, id)
                assert row is not None
                now = max(RealClock().now() if row.mode == "live" else row.clock or 0, life.until)
                if lived is None:
                    total = await connection.fetchval("select count(*) from activity where program = $1", id)
                    with screen.progress("simulating", total) as move:
                        lived = await live_stored(
                            connection,
                            id,
                            program,
                            now,
                            lambda done: move(done, None),
                            chance=await chance_of(connection, id, life.seed),
                            played=life.played,
                        )
                if not diff:
                    return lived, None
                versions = []
                for version in await stored_versions(connection, id):
                    read = load(version.document)
                    assert isinstance(read, Program), f"a published document has errors: {read}"
                    versions.append(Version(version.number, version.effective_at, read))
                history = Versions(tuple(versions))
                before = await as_stored(connection, id, history, now)
                chain = [version.program for version in history.versions]
                before.figures.given = called(before.figures.given, chain, program)
                return lived, before
        finally:
            await database.close()


def _offers(program: Program) -> bool:
    return bool(program.promotions or program.vouchers or program.rewards or program.draws)


def _draws_json(program: Program, lived: Lived, zone: Zone) -> dict[str, Any] | None:
    """How the draws were drawn, and which were not, since their time is later."""
    if not program.draws:
        return None
    return {
        "seed": lived.chance.seed,
        "as_then": [draw.id for draw in program.draws if draw.id in lived.chance.drawn],
        "to_come": [
            {"draw": draw.id, "draws_at": zone.format(draw.draws_at)}
            for draw in program.draws
            if draw.draws_at is not None and draw.draws_at > lived.now
        ],
    }


def _say_draws(out: Console, told: dict[str, Any]) -> None:
    kept = f", but as in life: {', '.join(told['as_then'])}" if told["as_then"] else ""
    out.print(f"Draws are drawn with the seed {told['seed']!r} (--seed gives another){kept}.")
    for each in told["to_come"]:
        out.print(f"{each['draw']} is not drawn yet: that is on {each['draws_at']} (--until goes on so far).")


def _say(
    screen: Screen, program: Program, lived: Lived, before: Lived | None, taken: list[Taken], seconds: float
) -> None:
    zone = Zone(program.time_zone)
    rate = round(lived.figures.activities / seconds) if seconds else 0
    comparison = None if before is None else compare(before, lived)
    draws = _draws_json(program, lived, zone)
    value = {
        "program": program.id,
        "as_of": zone.format(lived.now),
        "files": [
            {"file": each.file, **msgspec.to_builtins(each.tally), "bad": each.tally.bad, "report": each.report}
            for each in taken
        ],
        "draws": draws,
        "simulated": figures_as_json(program, lived.figures, zone),
        "difference": None
        if before is None or comparison is None
        else comparison_as_json(program, before.figures, comparison, zone),
        "not_known": UNKNOWN if _offers(program) else None,
        "seconds": round(seconds, 1),
    }

    def say(out: Console) -> None:
        out.print(
            f"[bold]{plural(lived.figures.activities, 'activity', 'activities')}[/] of "
            f"{plural(lived.figures.members, 'member')} under {program.id}, as of {zone.format(lived.now)} "
            f"({seconds:.1f} s, {rate:,} a second). Nothing was written."
        )
        for each in taken:
            say_taken(out, each.file, each.tally, each.report)
        if not taken:
            say_refused(out, lived.figures)
        say_figures(out, program, lived.figures, zone, given=before is None)
        if before is not None and comparison is not None:
            say_comparison(out, program, before.figures, lived.figures, comparison)
        if draws is not None:
            _say_draws(out, draws)
        if _offers(program):
            out.print(f"[dim]{UNKNOWN['en']}\n{UNKNOWN['zh-CN']}[/]")

    screen.result(value, say)
