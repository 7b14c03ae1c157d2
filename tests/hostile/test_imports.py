"""Import files and mappings that somebody broke, or made to break something: rows are read or reported, all of them.

Reports are one JSON object a line. The one thing that is written as CSV is a list of codes, in which no cell becomes a
formula (tests/cli/test_vouchers.py); a test holds that it stays the only one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from laurels.clock import RealClock
from laurels.intake.importing.importer import Import
from laurels.intake.importing.mapping import Csv, FileMapping, read_mapping
from laurels.intake.importing.reading import FileFormat, UnreadableFile, open_table
from laurels.intake.importing.shaping import Shaped, Shaper, shape_activities
from laurels.proof.verifying import verify
from tests.attack.depth import seed_of, size
from tests.hostile.bombs import BOMBS
from tests.intake.importing.receipts import MAPPING
from tests.stage import Stage, asynchronous, stage

FILES = size(40, 400)
IDS = FILES + 10
"""Few enough that they meet again in other files, and enough that most files bring something new."""
SEED = seed_of(701)
SECONDS_MOST = 10
SOURCE = Path(__file__).parents[2] / "src" / "laurels"

STRANGE: Final = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n\n", b'"', b'""', b'"\n', b",", b",,,", b";",
    b"\t", "\u202eevil".encode(), "\u2028".encode(), b"=1+1", b"=HYPERLINK(\"http://x\")", b"+1", b"-1", b"@SUM(A1)",
    b"9" * 60, b"1e309", b"NaN", b"0.001", b"-0.00", b"1,00", b"{", b"}", b"[", b'{"a":' * 40, b'"\\ud800"',
    b'"\\u0000"', b"null", b"x" * 5000,
)  # fmt: skip


def receipts(chance: Random) -> bytes:
    rows = [
        f"r-{chance.randrange(IDS // 5)},{chance.choice(('m-0', 'm-1', 'nobody'))},"
        f"2026-03-0{chance.randrange(1, 9)} 10:00,{chance.randrange(99)}.{chance.randrange(100):02}"
        for _ in range(chance.randrange(1, 12))
    ]
    return "\n".join(["receipt,card,time,paid", *rows, ""]).encode()


def lines(chance: Random) -> bytes:
    made = []
    for n in range(chance.randrange(1, 12)):
        data = {"order": f"n-{chance.randrange(IDS)}-{n}", "lines": [{"line": "1", "amount": "3.00"}]}
        activity = {"id": f"n-{chance.randrange(IDS)}", "type": "purchase", "member": "m-0", "data": data}
        made.append(msgspec.json.encode({**activity, "occurred_at": "2026-03-01T10:00:00Z"}))
    return b"\n".join([*made, b""])


def broken(raw: bytes, chance: Random, keep: int = 0) -> bytes:
    """The bytes with some of them cut, doubled or replaced; the first `keep` stay."""
    head, body = raw[:keep], raw[keep:]
    for _ in range(chance.randrange(0, 5)):
        at = chance.randrange(len(body) + 1)
        end = min(len(body), at + chance.randrange(0, 12))
        with_ = chance.choice((b"", body[at:end] * 2, chance.choice(STRANGE), chance.randbytes(3)))
        body = body[:at] + with_ + body[end:]
    return head + body


@asynchronous
async def test_of_a_broken_file_every_row_is_in_or_reported_and_the_ledger_stays_sound(
    url: str, tmp_path: Path
) -> None:
    print(f"LAURELS_SEED={SEED}")
    chance = Random(SEED)
    mapping = read_mapping(MAPPING)
    bad = good = unreadable = 0
    async with stage(url) as here:
        await here.enrol("m-0", "m-1")
        for n in range(FILES):
            of_receipts = n % 2 == 0
            whole = receipts(chance) if of_receipts else lines(chance)
            # Every fourth file may lose its heading as well.
            raw = broken(whole, chance, 23 if of_receipts and n % 4 else 0)
            file = tmp_path / f"file-{n}.{'csv' if of_receipts else 'ndjson'}"
            file.write_bytes(raw)
            try:
                accepted, reported = await imported(here, file, mapping if of_receipts else None, n)
            except UnreadableFile:
                unreadable += 1
                continue
            good += accepted
            bad += reported
        verdict = await verify(url, here.database, RealClock(), ["cafe"], processes=1)
    print(f"{FILES} files: {good} activities went in, {bad} were reported, {unreadable} files were refused whole")
    assert verdict.differences == []
    assert good > FILES // 4
    assert bad > FILES // 4


async def imported(here: Stage, file: Path, mapping: FileMapping | None, n: int) -> tuple[int, int]:
    """How many activities of a file went in, and how many lines its report has."""
    format: FileFormat = "csv" if mapping else "ndjson"
    wanted = mapping.columns() if mapping else None
    rows = list(open_table(file, format, options=mapping.csv if mapping else Csv(), wanted=wanted).rows())
    table = open_table(file, format, options=mapping.csv if mapping else Csv(), wanted=wanted)
    stream: Iterator[Shaped]
    if mapping is None:
        stream = shape_activities(table.rows(), "till")
    else:
        stream = Shaper(mapping, table.columns, f"till-{n}").shape(table.rows())
    report = file.with_suffix(".report")
    run = Import(here.intake, here.database, here.clock, "cafe", id=f"file-{n}", name=file.name, report=report)
    tally = await run.run(stream)
    table.close()
    assert tally.rows == len(rows), f"file {n}: rows went missing"
    entries = [msgspec.json.decode(line) for line in report.read_bytes().splitlines()] if report.exists() else []
    assert bool(entries) == bool(tally.bad), f"file {n}: what is bad is reported, and nothing else"
    assert all(entry["code"] != "internal_error" for entry in entries), f"file {n}: {entries}"
    return tally.accepted, len(entries)


def test_nothing_but_the_list_of_codes_is_written_as_csv() -> None:
    words = ("csv.writer", "DictWriter", "write_csv", "to_csv", '.csv"', "CSV file")
    speaking = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in words)
    }
    # Those that read it, and the one that writes it.
    reading = {f"intake/importing/{name}.py" for name in ("cells", "mapping", "reading")}
    assert speaking - reading == {"cli/vouchers.py"}, (
        "a cell that begins with = + - or @ is a formula to whoever opens it"
    )


# --- mappings that blow up --------------------------------------------------------------------------------------------


def test_mappings_that_would_blow_up_are_refused_in_little_time_and_memory() -> None:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("bombs.py")], capture_output=True, text=True, timeout=200, check=False
    )
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each[0] for each in outcomes] == list(BOMBS), done.stderr[-2000:]
    for sort, outcome, seconds in outcomes:
        assert outcome in ("refused", "read"), sort
        assert seconds < SECONDS_MOST, sort
