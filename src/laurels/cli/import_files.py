"""`laurels import FILE...`: activities from CSV, Parquet and NDJSON, by the same path as everything else."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from laurels.cli.moments import zone_of
from laurels.cli.outside import Outside, Running, pass_outside
from laurels.cli.screen import No, Screen, ending, json_option, plural, program_of, program_option, settings_of
from laurels.intake.importing.importer import BATCH, Import, identity_of
from laurels.intake.importing.mapping import Csv, FileMapping, read_mapping
from laurels.intake.importing.progress import Tally
from laurels.intake.importing.reading import FileFormat, Table, format_of, open_table
from laurels.intake.importing.shaping import Read, Shaped, Shaper, shape_activities
from laurels.store.imports import forget_progress


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Says which column is what."
)
@click.option("--format", "format", type=click.Choice(["csv", "ndjson", "parquet"]), help="If the name does not say.")
@click.option("--source", default="import", show_default=True, help="The source of activities that name none.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where bad rows are listed.")
@click.option("--again", is_flag=True, help="From the start; what is in already is recognised by its ids.")
@program_option
@json_option
@pass_outside
def import_command(
    outside: Outside,
    files: tuple[Path, ...],
    *,
    mapping: Path | None,
    format: FileFormat | None,
    source: str,
    report: Path | None,
    again: bool,
    program: str | None,
    as_json: bool,
) -> None:
    """Import activities from files.

    Good rows go in; every bad one is listed with its line and the reason in a report (exit code 1). An import that was
    interrupted goes on where it stopped when you start it again, and nothing is lost or doubled.
    """
    if report is not None and len(files) > 1:
        raise click.UsageError("--report goes with one file; without it each file has a report of its own")
    with ending(as_json=as_json) as screen:
        text = "" if mapping is None else mapping.read_text(encoding="utf-8")
        read = None if mapping is None else read_mapping(text)
        # Everything that can be wrong with the files as such is said before the first row goes in.
        for file in files:
            open_activities(file, format, read).close()
        outside.run_to_end(_import(outside, screen, files, read, text, format, source, report, program, again=again))


def open_activities(file: Path, format: FileFormat | None, mapping: FileMapping | None) -> Table:
    """A file of activities; UnreadableFile if it cannot be one."""
    wanted = None if mapping is None else mapping.columns()
    return open_table(file, format or format_of(file), options=mapping.csv if mapping else Csv(), wanted=wanted)


def stream_of(table: Table, rows: Iterable[Read], mapping: FileMapping | None, source: str) -> Iterator[Shaped]:
    """What becomes of rows of the table."""
    return shape_activities(rows, source) if mapping is None else Shaper(mapping, table.columns, source).shape(rows)


async def _import(
    outside: Outside,
    screen: Screen,
    files: tuple[Path, ...],
    mapping: FileMapping | None,
    text: str,
    format: FileFormat | None,
    source: str,
    report: Path | None,
    given: str | None,
    *,
    again: bool,
) -> None:
    results: list[dict[str, Any]] = []
    settings = settings_of()
    # A transaction takes what the importer hands over at a time.
    settings = msgspec.structs.replace(settings, batch_most=max(settings.batch_most, BATCH))
    async with outside.application(settings) as running:
        program = await program_of(running.database, given)
        for file in files:
            id = identity_of(file, text, source)
            if again:
                await forget_progress(running.database, program, id)
            where = report or Path(f"{file.name}.report.ndjson")
            results.append(await _import_file(screen, running, program, file, mapping, format, source, where, id))
    screen.result(results[0] if len(results) == 1 else results, lambda out: _say(out, results))
    if any(result["bad"] for result in results):
        raise No


async def _import_file(
    screen: Screen,
    running: Running,
    program: str,
    file: Path,
    mapping: FileMapping | None,
    format: FileFormat | None,
    source: str,
    report: Path,
    id: str,
) -> dict[str, Any]:
    started = time.monotonic()
    table = open_activities(file, format, mapping)
    run = Import(running.intake, running.database, running.clock, program, id=id, name=file.name, report=report)
    before = await run.load()
    was_finished, finished_at = before.finished, before.finished_at
    position, answered = before.tally.rows, before.tally.answered
    resumed_at = position if position and not was_finished else None
    stream = stream_of(table, islice(table.rows(), position, None), mapping, source)
    with closing(table), screen.progress(file.name, table.total) as move:
        tally = await run.run(stream, lambda _tally: move(table.done, None))
    seconds = time.monotonic() - started
    return {
        "file": str(file),
        "program": program,
        "resumed_at_row": resumed_at,
        "already_imported": was_finished,
        "imported_at": None if finished_at is None else (await zone_of(running, program)).format(finished_at),
        **msgspec.to_builtins(tally),
        "bad": tally.bad,
        "report": str(report) if tally.bad else None,
        "seconds": round(seconds, 1),
        "per_second": round((tally.answered - answered) / seconds) if seconds else 0,
    }


def _say(out: Console, results: list[dict[str, Any]]) -> None:
    for result in results:
        if result["already_imported"]:
            when = f" on {result['imported_at']}" if result["imported_at"] else ""
            out.print(
                f"{result['file']}: already imported completely{when}: nothing to do; --again goes through it once more"
            )
        if result["resumed_at_row"] is not None:
            out.print(f"{result['file']}: went on after row {result['resumed_at_row']:,}")
        say_taken(out, result["file"], msgspec.convert(result, Tally, strict=False), result["report"])
        if not result["already_imported"]:
            out.print(
                f"  {result['seconds']:,.1f} s, {plural(result['per_second'], 'activity', 'activities')} a second"
            )


def say_taken(out: Console, name: str, tally: Tally, report: str | None) -> None:
    """What became of a file's rows."""
    for line in said_tally(name, tally):
        out.print(line)
    if report:
        out.print(f"  [yellow]what did not go in, line by line:[/] {report}")


def said_tally(name: str, tally: Tally) -> list[str]:
    """What an import counted, in lines with Rich's markup."""
    lines = [
        f"[bold]{name}[/]: {plural(tally.rows, 'row')}, {plural(tally.accepted, 'activity', 'activities')} accepted"
    ]
    if tally.replayed:
        lines.append(f"  {tally.replayed:,} were in already")
    if tally.left_out:
        lines.append(f"  {plural(tally.left_out, 'row')} left out, as the mapping says")
    if tally.faulty:
        lines.append(f"  [yellow]{tally.faulty:,} could not be read[/]")
    lines += [f"  [yellow]{count:,} refused:[/] {code}" for code, count in sorted(tally.refused.items())]
    lines += [f"  [yellow]{count:,} invalid:[/] {code}" for code, count in sorted(tally.invalid.items())]
    return lines
