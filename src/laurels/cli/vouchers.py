"""`laurels vouchers`: codes that anybody may take, made in batches, imported from lists, and written out."""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Final

import click
from rich.console import Console
from rich.markup import escape

from laurels.cli.outside import Outside, Running, pass_outside
from laurels.cli.screen import No, Screen, ending, json_option, plural, program_of, program_option, settings_of
from laurels.core.calendar import Instant, format_instant, parse_instant
from laurels.core.code import grouped
from laurels.store import codes, revoking
from laurels.store.codes import CODES_MOST, CodeBatch, OtherBatch, OtherList

HEAD: Final = "code"
"""How the column of codes is called."""

APOSTROPHE: Final = "'"
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that spreadsheets carry out."""


@click.group("vouchers")
def vouchers_group() -> None:
    """Make, import and write out codes of vouchers."""


def _moment(_context: object, _option: object, text: str | None) -> Instant | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_batch_option = click.option("--batch", required=True, help="What the batch is called; the same again goes on.")
_known_batch_option = click.option("--batch", required=True, help="What the batch is called.")
_voucher_option = click.option("--voucher", required=True, help="The kind of voucher, by its id in the program.")
_uses_option = click.option(
    "--uses",
    type=click.IntRange(0, 10**9),
    default=1,
    show_default=True,
    help="How often each may be used; 0: no bound.",
)
_expires_option = click.option("--expires", callback=_moment, help="RFC 3339; besides the expiry of the kind.")


@vouchers_group.command("generate")
@_batch_option
@_voucher_option
@click.option("--count", type=click.IntRange(1, CODES_MOST), required=True, help="How many codes.")
@_uses_option
@_expires_option
@program_option
@json_option
@pass_outside
def generate_command(
    outside: Outside,
    *,
    batch: str,
    voucher: str,
    count: int,
    uses: int,
    expires: Instant | None,
    program: str | None,
    as_json: bool,
) -> None:
    """Make codes that anybody may take. One that was interrupted goes on where it stopped; nothing is made twice."""
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_generate(outside, screen, batch, voucher, count, uses, expires, program))


async def _generate(
    outside: Outside,
    screen: Screen,
    id: str,
    voucher: str,
    count: int,
    uses: int,
    expires: Instant | None,
    given: str | None,
) -> None:
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        begun = await _begin(running, program, id, voucher, count, uses, expires)
        started = time.monotonic()
        with screen.progress(id, count) as move:
            move(begun.made, None)
            done = await codes.generate(running.database, running.clock, program, id, lambda made: move(made, None))
    _say(screen, done, {"made": done.made - begun.made, "seconds": round(time.monotonic() - started, 1)})


async def _begin(
    running: Running, program: str, id: str, voucher: str, count: int | None, uses: int, expires: Instant | None
) -> CodeBatch:
    versions = await running.intake.versions(program)
    if not versions.versions:
        raise click.UsageError(f"{program} has no version yet: publish one first.")
    compiled = versions.judging(await running.intake.now(program) or running.clock.now())
    key = compiled.voucher_keys.get(voucher)
    if key is None or compiled.vouchers[key].voucher.codes:
        own = sorted(each.voucher.id for each in compiled.vouchers.values() if not each.voucher.codes)
        raise click.UsageError(f"{voucher} is no kind of voucher with codes of its own. There are: {', '.join(own)}")
    try:
        return await codes.begin_batch(
            running.database, running.clock, program, id, key, wanted=count, uses=uses or None, expires_at=expires
        )
    except OtherBatch:
        raise click.UsageError(f"There is a batch {id} already, with other codes: choose another name.") from None


@vouchers_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@_batch_option
@_voucher_option
@_uses_option
@_expires_option
@program_option
@json_option
@pass_outside
def import_command(
    outside: Outside,
    file: Path,
    *,
    batch: str,
    voucher: str,
    uses: int,
    expires: Instant | None,
    program: str | None,
    as_json: bool,
) -> None:
    """Take in a list of codes, one a line; - reads standard input.

    Of a CSV file the first column counts, and a first line that calls it "code" does not, as in what export writes.
    Codes that are in already, in whatever batch, are left out and counted, as are lines that are no code, and those
    that the program shares with everybody (exit code 1).
    The same list again goes on where it stopped; another one wants a batch of its own.
    """
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_import(outside, screen, file, batch, voucher, uses, expires, program))


async def _import(
    outside: Outside,
    screen: Screen,
    file: Path,
    id: str,
    voucher: str,
    uses: int,
    expires: Instant | None,
    given: str | None,
) -> None:
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        begun = await _begin(running, program, id, voucher, None, uses, expires)
        versions = await running.intake.versions(program)
        shared = versions.shared_from(await running.intake.now(program) or running.clock.now())
        with _reading(file) as stream, screen.progress(id, None) as move:
            move(begun.position, None)
            try:
                done, counted = await codes.import_codes(
                    running.database, running.clock, program, id, _rows(stream), lambda read: move(read, None),
                    shared=shared,
                )  # fmt: skip
            except OtherList:
                raise click.UsageError(
                    f"Another list was taken in as batch {id}, or is at this moment: choose another name."
                ) from None
    left_out = {"unreadable": counted.unreadable, "repeated": counted.repeated, "shared": counted.shared}
    _say(screen, done, {"codes": counted.codes, **left_out}, shared=counted.shared_codes)
    if any(left_out.values()):
        raise No


@contextmanager
def _reading(file: Path) -> Iterator[IO[str]]:
    """The file as text, from wherever it comes; what is not text is kept as what can be no code."""
    if str(file) == "-":
        stream = io.TextIOWrapper(sys.stdin.buffer, "utf-8-sig", errors="surrogateescape")
        try:
            yield stream
        finally:
            stream.detach()
        return
    with closing(file.open(encoding="utf-8-sig", errors="surrogateescape")) as opened:
        yield opened


def _rows(stream: Iterable[str]) -> Iterator[str]:
    """The first field of each line, without a head. Line by line: a quotation mark that is left open ends with its."""
    for number, line in enumerate(stream):
        try:
            cells = next(csv.reader([line]), [])
        except csv.Error:
            cells = []
        field = cells[0] if cells else ""
        if number or field.strip().casefold() != HEAD:
            yield field[1:] if field[:1] == APOSTROPHE and field[1:2] in FORMULAS else field


def _cell(code: str) -> str:
    """A code as a cell that no spreadsheet carries out: lists come from anywhere."""
    shown = grouped(code)
    return APOSTROPHE + shown if shown[:1] in FORMULAS else shown


async def _known(running: Running, program: str, id: str) -> CodeBatch:
    found = await codes.batch(running.database, program, id)
    if found is None:
        raise click.UsageError(f"There is no batch {id}.")
    return found


@vouchers_group.command("export")
@_known_batch_option
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@program_option
@json_option
@pass_outside
def export_command(outside: Outside, *, batch: str, to: Path, program: str | None, as_json: bool) -> None:
    """Write the codes of a batch into a CSV file, each with how often it was taken.

    A code that a spreadsheet would take for a formula (it begins with = + @ or the like) has an apostrophe before it,
    which import takes away again.
    """
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_export(outside, screen, batch, to, program))


async def _export(outside: Outside, screen: Screen, id: str, to: Path, given: str | None) -> None:
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        found = await _known(running, program, id)
        written = 0
        with to.open("w", encoding="utf-8", newline="") as stream, screen.progress(id, found.made) as move:
            rows = csv.writer(stream, lineterminator="\n")
            rows.writerow((HEAD, "taken"))
            async for page in codes.all_codes(running.database, program, found.number):
                rows.writerows([(_cell(code), taken) for code, taken in page])
                written += len(page)
                move(written, None)
    screen.result(
        {"batch": id, "file": str(to), "codes": written},
        lambda out: out.print(f"{plural(written, 'code')} of {id} are in {to}"),
    )


@vouchers_group.command("revoke")
@_known_batch_option
@click.option("--reason", required=True, help="Why; it is kept with the revocation.")
@program_option
@json_option
@pass_outside
def revoke_command(outside: Outside, *, batch: str, reason: str, program: str | None, as_json: bool) -> None:
    """Revoke the codes of a batch that nobody has used: from now on none of them can be used."""
    with ending(as_json=as_json) as screen:
        outside.run_to_end(_revoke(outside, screen, batch, reason, program))


async def _revoke(outside: Outside, screen: Screen, id: str, reason: str, given: str | None) -> None:
    async with outside.application(settings_of()) as running:
        program = await program_of(running.database, given)
        found = await _known(running, program, id)
        done = await revoking.revoke(running.database, running.clock, program, found.number, reason, "command line")
    at = format_instant(done.revoked_at)
    screen.result(
        {"batch": id, "revoked_at": at, "source": done.source, "reason": done.reason},
        lambda out: out.print(f"{id} is revoked since {at}: {done.reason} ({done.source})"),
    )


def _say(screen: Screen, batch: CodeBatch, more: dict[str, object], *, shared: tuple[str, ...] | None = None) -> None:
    """How many codes there are; of a list also which of its rows are codes that the program shares with everybody."""
    result = {
        "batch": batch.id,
        "voucher": batch.voucher,
        "uses": batch.uses,
        "in_batch": batch.made,
        "finished": batch.finished_at is not None,
        **more,
        **({} if shared is None else {"shared_codes": [grouped(code) for code in shared]}),
    }
    words = ", ".join(f"{name} {value}" for name, value in more.items())

    def say(out: Console) -> None:
        out.print(f"{batch.id}: {plural(batch.made, 'code')} ({words})")
        for code in shared or ():
            out.print(
                f"{escape(grouped(code))} was left out: the program shares it with everybody, so that nobody could use "
                "the one of the list."
            )

    screen.result(result, say)
