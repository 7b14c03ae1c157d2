"""`laurels draw verify FILE`: a finished draw computed again from its public record. No database is needed."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from laurels.cli.screen import No, ending, json_option, plural
from laurels.core.draw_record import Fault, Record, verify


@click.group("draw")
def draw_group() -> None:
    """Draws: verify a public record."""


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
                won = sum(len(day.plays) for day in record.days) if record.days else len(record.winners)
                out.print(
                    f"[green]{escape(str(file))}: everything comes out as it is recorded / 全部核验一致[/] "
                    f"({escape(record.announcement.draw)}, {plural(won, 'ticket played' if record.days else 'winner')})"
                )
            else:
                out.print(f"[red]{escape(str(file))}: {plural(len(faults), 'difference')} / {len(faults)} 处不符[/]")

        screen.result(_as_json(file, record, faults), say)
        if faults:
            raise No


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
