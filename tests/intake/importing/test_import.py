"""The import as a whole: good rows go in, bad ones are reported, and nothing is lost or doubled by an interruption."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from laurels.intake.importing.importer import Import, identity_of
from laurels.intake.importing.mapping import Csv, read_mapping
from laurels.intake.importing.progress import Progress, Tally, save_progress
from laurels.intake.importing.reading import open_table
from laurels.intake.importing.shaping import Shaped, Shaper
from laurels.intake.submission import Outcome, Overloaded, Submission, Unavailable
from laurels.store.imports import progress_of
from laurels.store.people import Identifier, put_identifiers
from tests.intake.importing.receipts import MAPPING
from tests.stage import Stage, asynchronous, stage


def import_of(here: Stage, tmp_path: Path, intake: Any = None) -> Import:
    return Import(
        intake or here.intake, here.database, here.clock, "cafe", id="test", name="till.csv",
        report=tmp_path / "report.ndjson",
    )  # fmt: skip


def stream_of(tmp_path: Path, text: str, position: int = 0, mapping: str = MAPPING) -> Iterator[Shaped]:
    file = tmp_path / "till.csv"
    file.write_text(text)
    read = read_mapping(mapping)
    table = open_table(file, "csv", options=Csv(), wanted=read.columns())
    rows = list(table.rows())
    return Shaper(read, table.columns, "tills").shape(rows[position:])


def till(count: int, lines: int = 2) -> str:
    """A file of receipts of three members; receipt n pays n.00 a line."""
    rows = [
        f"r-{n},m-{n % 3},2026-03-01 10:{n // 60 % 60:02}:{n % 60:02},{n}.00"
        for n in range(1, count + 1)
        for _ in range(lines)
    ]
    return "\n".join(["receipt,card,time,paid", *rows, ""])


def report_of(tmp_path: Path) -> list[dict[str, Any]]:
    path = tmp_path / "report.ndjson"
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()] if path.exists() else []


@asynchronous
async def test_good_rows_go_in_and_every_bad_one_is_reported_with_its_line_and_reason(
    laurels_url: str, tmp_path: Path
) -> None:
    text = (
        "receipt,card,time,paid\n"
        "r-1,m-0,2026-03-01 10:00,5.00\n"  # line 2
        "r-1,m-0,2026-03-01 10:00,6.00\n"
        "r-2,nobody,2026-03-01 11:00,5.00\n"  # line 4: refused
        "r-3,m-1,never,5.00\n"  # line 5: faulty
        "r-4,m-1,2026-03-01 12:00,5.00\n"
        "r-4,m-1,2026-03-01 12:00,5.001\n"  # line 7: invalid
        "r-5,m-1,2026-03-01 13:00\n"  # line 8: unreadable, beside two activities
        "r-6,m-1,2026-03-01 14:00,5.00\n"
        "r-7,m-1,2026-03-01 15:00,7.00\n"
    )
    async with stage(laurels_url) as here:
        await here.enrol("m-0", "m-1")
        run = import_of(here, tmp_path)
        tally = await run.run(stream_of(tmp_path, text))
        assert tally == Tally(rows=9, accepted=2, faulty=4, refused={"unknown_member": 1}, invalid={})
        assert [(each["line"], each["status"], each["code"]) for each in report_of(tmp_path)] == [
            (4, "refused", "unknown_member"),
            (5, "faulty", "unfit"),
            (6, "faulty", "beside_unreadable"),
            (8, "faulty", "unreadable"),
            (9, "faulty", "beside_unreadable"),
        ]
        assert (await here.balance("m-0")).available == 11
        assert (await here.balance("m-1")).available == 7


@asynchronous
async def test_a_problem_in_the_data_is_reported_at_the_line_it_came_from(laurels_url: str, tmp_path: Path) -> None:
    text = "receipt,card,time,paid\nr-1,m-0,2026-03-01 10:00,5.00\nr-1,m-0,2026-03-01 10:00,6.001\n"
    async with stage(laurels_url) as here:
        await here.enrol("m-0")
        tally = await import_of(here, tmp_path).run(stream_of(tmp_path, text))
        assert (tally.accepted, tally.invalid, tally.bad) == (0, {"invalid_amount": 1}, 1)
        (entry,) = report_of(tmp_path)
        assert (entry["line"], entry["lines"], entry["pointer"]) == (3, [2, 3], "/data/lines/1/amount")
        assert (entry["id"], entry["member"]) == ("r-1", "m-0")
        assert await here.count("activity") == 1


@asynchronous
async def test_an_import_without_bad_rows_leaves_no_report(laurels_url: str, tmp_path: Path) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-0", "m-1", "m-2")
        tally = await import_of(here, tmp_path).run(stream_of(tmp_path, till(10)))
        assert tally == Tally(rows=20, accepted=10)
        assert not (tmp_path / "report.ndjson").exists()


@asynchronous
async def test_activities_go_in_in_the_order_of_the_file(laurels_url: str, tmp_path: Path) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-0", "m-1", "m-2")
        await import_of(here, tmp_path).run(stream_of(tmp_path, till(2500, 1)))
        for member in range(3):
            rows = await here.database.pool.fetch(
                "select id from activity where member = $1 and seq > 1 order by seq", f"m-{member}"
            )
            assert [row[0] for row in rows] == [f"r-{n}" for n in range(1, 2501) if n % 3 == member]


class Ends(Exception):  # noqa: N818 - it stands for the end of the process
    """The process ends here."""


class Dying:
    """The intake until so many batches have been answered."""

    def __init__(self, here: Stage, batches: int) -> None:
        self._here = here
        self._batches = batches

    async def submit(self, program: str, submissions: Any) -> list[Outcome]:
        if self._batches == 0:
            raise Ends
        self._batches -= 1
        return await self._here.intake.submit(program, submissions)


@pytest.mark.parametrize("batches", [0, 1, 3])
@asynchronous
async def test_an_interrupted_import_goes_on_and_loses_and_doubles_nothing(
    laurels_url: str, tmp_path: Path, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurels.intake.importing.importer.BATCH", 10)
    text = till(95)
    async with stage(laurels_url) as here:
        # m-2 is unknown: every third receipt is refused and reported.
        await here.enrol("m-0", "m-1")
        with pytest.raises(Ends):
            await import_of(here, tmp_path, Dying(here, batches)).run(stream_of(tmp_path, text))
        kept = await progress_of(here.database, "cafe", "test")
        assert (kept.position if kept else 0) <= batches * 20
        # Somebody wrote to the report and died before saying so.
        with (tmp_path / "report.ndjson").open("ab") as report:
            report.write(b'{"half a li')

        again = import_of(here, tmp_path)
        position = (await again.load()).tally.rows
        tally = await again.run(stream_of(tmp_path, text, position))
        assert tally.rows == 190
        assert (tally.accepted + tally.replayed, tally.refused) == (63, {"unknown_member": 32})
        assert await here.count("activity") == 2 + 63
        assert [each["line"] for each in report_of(tmp_path)] == [2 * n for n in range(1, 96) if n % 3 == 2]
        # It is finished: a third run does nothing.
        third = import_of(here, tmp_path)
        assert (await third.load()).finished
        assert await third.run(iter(())) == tally


@asynchronous
async def test_a_batch_that_went_in_unheard_is_recognised_by_its_ids(laurels_url: str, tmp_path: Path) -> None:
    class Deaf:
        async def submit(self, program: str, submissions: Any) -> list[Outcome]:
            await here.intake.submit(program, submissions)
            raise Ends

    async with stage(laurels_url) as here:
        await here.enrol("m-0", "m-1", "m-2")
        with pytest.raises(Ends):
            await import_of(here, tmp_path, Deaf()).run(stream_of(tmp_path, till(30)))
        assert await here.count("activity") == 33
        again = import_of(here, tmp_path)
        assert (await again.load()).tally.rows == 0
        assert await again.run(stream_of(tmp_path, till(30))) == Tally(rows=60, replayed=30)
        assert await here.count("activity") == 33


@asynchronous
async def test_a_position_ahead_of_the_answers_would_lose_rows(laurels_url: str, tmp_path: Path) -> None:
    """What the order of answering and remembering is there for: with it the other way round this is what happens."""
    async with stage(laurels_url) as here:
        await here.enrol("m-0", "m-1", "m-2")
        ahead = Progress(Tally(rows=20))
        await save_progress(here.database, here.clock, "cafe", "test", ahead)
        run = import_of(here, tmp_path)
        position = (await run.load()).tally.rows
        assert (await run.run(stream_of(tmp_path, till(30), position))).accepted == 20
        assert await here.count("activity") == 3 + 20


@asynchronous
async def test_a_report_that_was_taken_away_begins_anew(laurels_url: str, tmp_path: Path) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-0", "m-1")
        progress = Progress(Tally(rows=20), report_bytes=5000)
        await save_progress(here.database, here.clock, "cafe", "test", progress)
        (tmp_path / "report.ndjson").write_text("short\n")
        run = import_of(here, tmp_path)
        await run.load()
        await run.run(stream_of(tmp_path, till(12), 20))
        written = (tmp_path / "report.ndjson").read_bytes()
        assert written.startswith(b"short\n{")
        assert b"\0" not in written


@asynchronous
async def test_what_the_intake_cannot_take_now_is_sent_again(laurels_url: str, tmp_path: Path) -> None:
    class Busy:
        asked = 0

        async def submit(self, program: str, submissions: list[Submission]) -> list[Outcome]:
            self.asked += 1
            if self.asked == 1:
                raise Overloaded(0)
            if self.asked == 2:
                raise Unavailable("away", 0)
            return await here.intake.submit(program, submissions)

    async with stage(laurels_url) as here:
        await here.enrol("m-0", "m-1", "m-2")
        assert (await import_of(here, tmp_path, Busy()).run(stream_of(tmp_path, till(5)))).accepted == 5


@asynchronous
async def test_a_database_that_stays_away_ends_the_import_where_it_is(
    laurels_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        async def submit(self, _program: str, _submissions: list[Submission]) -> list[Outcome]:
            raise Unavailable("away", 0)

    async with stage(laurels_url) as here:
        with pytest.raises(Unavailable):
            await import_of(here, tmp_path, Away()).run(stream_of(tmp_path, till(5)))
        assert await progress_of(here.database, "cafe", "test") is None


@asynchronous
async def test_identifiers_are_resolved_and_unknown_ones_refused(laurels_url: str, tmp_path: Path) -> None:
    mapping = MAPPING.replace("member: card", "identifier: {kind: phone, value: card}")
    text = "receipt,card,time,paid\nr-1,138 0000,2026-03-01,5.00\nr-2,139 0000,2026-03-01,5.00\n"
    async with stage(laurels_url) as here:
        await here.enrol("m-0")
        await put_identifiers(here.database, "cafe", "m-0", [Identifier("phone", "1380000")])
        tally = await import_of(here, tmp_path).run(stream_of(tmp_path, text, mapping=mapping))
        assert tally == Tally(rows=2, accepted=1, refused={"unknown_member": 1})
        assert (await here.balance("m-0")).available == 5
        (entry,) = report_of(tmp_path)
        # The identifier itself is nothing for a report.
        assert "139" not in str(entry)


def test_an_import_is_known_by_its_file_mapping_and_source(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n")
    first = identity_of(file, "m", "s")
    assert identity_of(file, "m", "s") == first
    assert identity_of(file, "n", "s") != first
    assert identity_of(file, "m", "t") != first
    file.write_text("a\n2\n")
    assert identity_of(file, "m", "s") != first
