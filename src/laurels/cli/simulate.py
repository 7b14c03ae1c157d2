"""`laurels simulate FILE`: what would have come of the activities under another program. Nothing is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console

from laurels.cli.figures import comparison_as_json, figures_as_json, say_comparison, say_figures
from laurels.cli.outside import Outside, pass_outside
from laurels.cli.plan import say_faulty
from laurels.cli.screen import No, Screen, ending, json_option, plural, program_of, settings_of
from laurels.clock import RealClock
from laurels.core.calendar import Zone, format_instant
from laurels.core.program.loading import examine, load
from laurels.core.program.model import Program
from laurels.core.version import Version, Versions
from laurels.intake.importing.mapping import Csv, FileMapping, read_mapping
from laurels.intake.importing.reading import FileFormat, format_of, open_table
from laurels.intake.importing.shaping import Shaped, Shaper, shape_activities
from laurels.simulate.comparing import compare
from laurels.simulate.living import Lived, live_files, live_stored
from laurels.simulate.stored import as_stored
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
@click.option("--stored", is_flag=True, help="The activities that are recorded.")
@click.option("--program", "program", metavar="ID", help="Whose activities; the document's program otherwise.")
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
    stored: bool,
    program: str | None,
    diff: bool,
    as_json: bool,
) -> None:
    """Live through activities again under the program in FILE, as if it had been in effect from the beginning.

    Shows points by wallet and campaign, tiers, expiry and what is outstanding; with --diff beside what is stored.
    """
    if bool(activities) == stored:
        raise click.UsageError("Say which activities: --stored, or --activities FILE")
    with ending(as_json=as_json) as screen:
        document = file.read_text(encoding="utf-8")
        examined = examine(document)
        if examined.program is None:
            say_faulty(screen, file, document, examined.findings)
            raise No
        read = None if mapping is None else read_mapping(mapping.read_text(encoding="utf-8"))
        lived: Lived | None = None
        started = time.monotonic()
        if activities:
            with screen.progress("simulating", None) as move:
                stream = _stream(activities, read, format)
                lived = live_files(examined.program, stream, lambda done: move(done, None))
        before: Lived | None = None
        if stored or diff:
            lived, before = outside.run_to_end(
                _with_store(outside, screen, examined.program, program, lived, diff=diff)
            )
        assert lived is not None
        _say(screen, examined.program, lived, before, time.monotonic() - started)


def _stream(files: tuple[Path, ...], mapping: FileMapping | None, format: FileFormat | None) -> Iterator[Shaped]:
    for file in files:
        wanted = None if mapping is None else mapping.columns()
        options = Csv() if mapping is None else mapping.csv
        table = open_table(file, format or format_of(file), options=options, wanted=wanted)
        if mapping is None:
            yield from shape_activities(table.rows(), "import")
        else:
            yield from Shaper(mapping, table.columns, "import").shape(table.rows())


async def _with_store(
    outside: Outside, screen: Screen, program: Program, given: str | None, lived: Lived | None, *, diff: bool
) -> tuple[Lived, Lived | None]:
    async with outside.database_url(settings_of()) as url:
        database = await Database.open(url, connections_most=2)
        try:
            id = await program_of(database, given or program.id)
            async with (
                database.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                await connection.execute("set local idle_in_transaction_session_timeout = 0")
                row = await program_row(database, id)
                assert row is not None
                now = RealClock().now() if row.mode == "live" else row.clock or 0
                if lived is None:
                    total = await connection.fetchval("select count(*) from activity where program = $1", id)
                    with screen.progress("simulating", total) as move:
                        lived = await live_stored(connection, id, program, now, lambda done: move(done, None))
                if not diff:
                    return lived, None
                versions = []
                for version in await stored_versions(connection, id):
                    read = load(version.document)
                    assert isinstance(read, Program), f"a published document has errors: {read}"
                    versions.append(Version(version.number, version.effective_at, read))
                return lived, await as_stored(connection, id, Versions(tuple(versions)), now)
        finally:
            await database.close()


def _say(screen: Screen, program: Program, lived: Lived, before: Lived | None, seconds: float) -> None:
    zone = Zone(program.time_zone)
    rate = round(lived.figures.activities / seconds) if seconds else 0
    comparison = None if before is None else compare(before, lived)
    value = {
        "program": program.id,
        "as_of": format_instant(lived.now),
        "simulated": figures_as_json(lived.figures, zone),
        "difference": None
        if before is None or comparison is None
        else comparison_as_json(before.figures, comparison, zone),
        "seconds": round(seconds, 1),
    }

    def say(out: Console) -> None:
        out.print(
            f"[bold]{plural(lived.figures.activities, 'activity', 'activities')}[/] of "
            f"{plural(lived.figures.members, 'member')} under {program.id}, as of {zone.format(lived.now)} "
            f"({seconds:.1f} s, {rate:,} a second). Nothing was written."
        )
        say_figures(out, program, lived.figures, zone)
        if before is not None and comparison is not None:
            say_comparison(out, program, before.figures, lived.figures, comparison)

    screen.result(value, say)
