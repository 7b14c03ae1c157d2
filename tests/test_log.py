"""Log lines are structured, whoever wrote them, and below the chosen level there are none."""

import asyncio
import io
import json
import logging
import subprocess
import sys

import pytest

from laurels import log
from laurels.settings import Settings


def test_own_lines_and_those_of_libraries_have_one_form() -> None:
    out = io.StringIO()
    log.configure(Settings(), out)
    log.logger("laurels.test").info("happened", count=3, name="咖啡")
    logging.getLogger("asyncpg").warning("slow %s", "query")
    own, theirs = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (own["event"], own["logger"], own["level"], own["count"], own["name"]) == (
        "happened",
        "laurels.test",
        "info",
        3,
        "咖啡",
    )
    assert (theirs["event"], theirs["logger"], theirs["level"]) == ("slow query", "asyncpg", "warning")
    assert own["at"].endswith("Z")
    assert theirs["at"].endswith("Z")


@pytest.mark.parametrize(("level", "lines"), [("debug", 2), ("info", 2), ("warning", 1), ("error", 0)])
def test_lines_below_the_level_are_not_written(level: str, lines: int) -> None:
    out = io.StringIO()
    log.configure(Settings(log_level=level), out)  # type: ignore[arg-type]  # one of the levels
    log.logger("laurels.test").info("one")
    logging.getLogger("laurels.other").warning("two")
    assert len(out.getvalue().splitlines()) == lines


def test_exception_is_one_line_with_its_trace() -> None:
    out = io.StringIO()
    log.configure(Settings(), out)
    try:
        raise ValueError("no good")
    except ValueError:
        log.logger("laurels.test").exception("defect")
    (line,) = out.getvalue().splitlines()
    assert "ValueError: no good" in json.loads(line)["exception"]


def test_text_form_is_for_people() -> None:
    out = io.StringIO()
    log.configure(Settings(log_format="text"), out)
    log.logger("laurels.test").info("happened", count=3)
    assert "happened" in out.getvalue()
    assert "count=3" in out.getvalue()


class Counting(io.StringIO):
    """A stream that counts how often it is written to."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


def test_lines_of_one_turn_are_written_at_once_and_in_order() -> None:
    out = Counting()

    async def run() -> None:
        for turn in (1, 2):
            for n in range(10):
                log.logger("laurels.test").info("happened", n=n)
            logging.getLogger("asyncpg").warning("slow query")
            assert out.writes == turn - 1
            await asyncio.sleep(0)
            assert out.writes == turn

    log.configure(Settings(), log.Together(out))
    asyncio.run(run())
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line.get("n") for line in lines] == [*range(10), None] * 2


def test_without_a_loop_or_after_it_every_line_is_written_at_once() -> None:
    out = Counting()
    log.configure(Settings(), log.Together(out))
    say = log.logger("laurels.test").info
    say("before")
    assert out.writes == 1

    async def break_off() -> None:
        say("in its last turn")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(break_off())
    say("after")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == [
        "before",
        "in its last turn",
        "after",
    ]


def test_process_that_ends_in_the_middle_of_a_turn_loses_no_line() -> None:
    program = """
import asyncio, sys
from laurels import log
from laurels.settings import Settings
log.configure(Settings())
async def run():
    log.logger("laurels.test").info("last words")
    asyncio.get_running_loop().stop()
    sys.exit(3)
asyncio.run(run())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, "last words" in ended.stderr) == (3, True), ended.stderr
