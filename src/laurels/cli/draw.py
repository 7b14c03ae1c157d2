"""`laurels draw`: verifying a public record, for which no database is needed; exporting one; going on with draws."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from laurels.cli.moments import zone_of
from laurels.cli.outside import Outside, pass_outside
from laurels.cli.screen import No, Screen, ending, json_option, plural, program_of, program_option, settings_of
from laurels.core.draw_record import Fault, Record, verify
from laurels.store.draw_records import public_record, written


@click.group("draw")
def draw_group() -> None:
    """Draws: verify a public record, export one, close and draw what is due."""


@draw_group.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--announced", metavar="DIGEST", help="The digest of the announcement, as it was noted before the draw.")
@click.option("--root", metavar="ROOT", help="The root of the entries, as it was noted before the seed was revealed.")
@json_option
def verify_draw_command(file: Path, *, announced: str | None, root: str | None, as_json: bool) -> None:
    """Compute a draw again from its public record alone.

    Who noted the announcement's digest and the entries' root when they were published gives them with --announced and
    --root: a record can be true in itself and still not be the one that was promised. Exit code 1 if anything differs.
    """
    with ending(as_json=as_json) as screen:
        record, faults = verify(file.read_bytes())
        if record is not None:
            faults += _other_than_noted(record, announced, root)

        def say(out: Console) -> None:
            for fault in faults:
                sentence = fault.sentence
                out.print(f"[red]{fault.code}[/] {escape(fault.pointer or '/')}: {sentence.en} / {sentence.zh}")
                if fault.stated:
                    out.print(f"    stated:   {escape(fault.stated)}")
                if fault.computed:
                    out.print(f"    computed: {escape(fault.computed)}")
            if record is not None and not faults:
                played = sum([len(day.plays) for day in record.days])
                counted = plural(played, "ticket played", "tickets played")
                if not record.days:
                    counted = plural(len(record.winners), "winner")
                out.print(
                    f"[green]{escape(str(file))}: everything comes out as it is recorded / 全部核验一致[/] "
                    f"({escape(record.announcement.draw)}, {counted})"
                )
            else:
                out.print(f"[red]{escape(str(file))}: {plural(len(faults), 'difference')} / {len(faults)} 处不符[/]")

        screen.result(_as_json(file, record, faults), say)
        if faults:
            raise No


@draw_group.command("export")
@click.argument("draw")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; DRAW.json by default.")
@program_option
@json_option
@pass_outside
def export_draw_command(outside: Outside, *, draw: str, out: Path | None, program: str | None, as_json: bool) -> None:
    """Write the public record of a draw to a file: its archive, with everything that became of it so far."""
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_export(outside, screen, draw, out or Path(f"{draw}.json"), program))


async def _export(outside: Outside, screen: Screen, draw: str, file: Path, given: str | None) -> None:
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        zone = await zone_of(running, program)
        now = await running.intake.now(program) or running.clock.now()
        record = await public_record(running.database, program, draw, now, zone)
        if record is None:
            raise No(f"{program} has no draw {draw}.")
        await asyncio.to_thread(lambda: file.write_bytes(written(record)))
        screen.result(
            {"program": program, "draw": draw, "file": str(file), "digest": record.digest},
            lambda console: console.print(f"{escape(str(file))}: {record.digest}"),
        )


@draw_group.command("run")
@program_option
@json_option
@pass_outside
def run_draws_command(outside: Outside, *, program: str | None, as_json: bool) -> None:
    """Close, draw and settle what is due, as the worker does by itself."""
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_run(outside, screen, program))


async def _run(outside: Outside, screen: Screen, given: str | None) -> None:
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        taken = await running.intake.go_on_with_draws(program)
        screen.result(
            {"program": program, "steps": taken},
            lambda console: console.print(f"{program}: {plural(taken, 'step')} of draws"),
        )


def _other_than_noted(record: Record, announced: str | None, root: str | None) -> tuple[Fault, ...]:
    found: list[Fault] = []
    if announced is not None and announced != record.announcement_digest:
        found.append(Fault("announcement_differs", "/announcement_digest", record.announcement_digest, announced))
    stated = "" if record.closing is None else record.closing.root
    if root is not None and root != stated:
        found.append(Fault("root_differs", "/closing/root", stated, root))
    return tuple(found)


def _as_json(file: Path, record: Record | None, faults: tuple[Fault, ...]) -> dict[str, object]:
    return {
        "file": str(file),
        "draw": None if record is None else record.announcement.draw,
        "clean": not faults,
        "faults": [
            {
                "code": fault.code,
                "pointer": fault.pointer,
                "stated": fault.stated,
                "computed": fault.computed,
                "message": {"en": fault.sentence.en, "zh-CN": fault.sentence.zh},
            }
            for fault in faults
        ],
    }
