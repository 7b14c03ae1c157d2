"""Log lines are structured, whoever wrote them, and below the chosen level there are none."""

import io
import json
import logging

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
