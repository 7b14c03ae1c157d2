"""Checking what a page's commands answer: what is left out may be anything, what is shown must be there."""

import os
import sys
from pathlib import Path

import pytest

from tests.docs.console import BACKGROUND, answers, free_port, live_through
from tests.docs.page import Block, blocks_of

RUN = [
    ("README.md",),
    ("docs/till.md", "docs/concepts/promotions.md", "docs/concepts/vouchers.md", "docs/concepts/rewards.md"),
]
"""Pages whose commands run one after another, on the first program of the first page."""


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("", ""),
        ("one\ntwo\n", "one\ntwo\n\n"),
        ("a ... c", "a b b c"),
        ("one\n...\nfour", "one\ntwo\nthree\nfour"),
        ('{..."points":60...}', '{"id":"1","points":60,"x":[1]}'),
    ],
)
def test_answer_that_fits_is_accepted(shown: str, found: str) -> None:
    assert answers(shown, found)


@pytest.mark.parametrize(
    ("shown", "found"),
    [("", "error"), ("one", "one\ntwo"), ("a ... c", "a b"), ('{..."points":60...}', '{"points":61,"x":[1]}')],
)
def test_answer_that_does_not_fit_is_noticed(shown: str, found: str) -> None:
    assert not answers(shown, found)


def block(text: str, kind: str = "console") -> Block:
    return Block("README.md", 1, kind, text)


def test_commands_share_a_shell_and_wait_for_what_goes_on_in_the_background(tmp_path: Path) -> None:
    port = free_port()
    pages = [
        block("$ NAME=world\n$ echo hello \\\n  $NAME\nhello world\n$ echo 'a\n  b'\na\n  b\n"),
        block(f"$ python3 -m http.server --bind 127.0.0.1 {port}\n", "console background"),
        block(f"$ curl -s http://127.0.0.1:{port}/ | head -1\n<!DOCTYPE ...\n"),
    ]
    live_through(pages, tmp_path, {}, port)


def test_wrong_answer_of_a_command_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="hello moon"):
        live_through([block("$ echo hello world\nhello moon\n")], tmp_path, {}, free_port())


@pytest.mark.parametrize("page", RUN, ids=lambda pages: pages[0])
def test_the_commands_of_the_pages_run_as_shown(tmp_path: Path, page: tuple[str, ...]) -> None:
    """From a document to an explanation, on an embedded server of its own, on another port than the page's."""
    port = free_port()
    pages = [
        each._replace(text=each.text.replace("127.0.0.1:8100", f"127.0.0.1:{port}"))
        for name in page
        for each in blocks_of(name, "console", BACKGROUND)
    ]
    (tmp_path / "cafe.yaml").write_text(blocks_of(page[0], "yaml program")[0].text, encoding="utf-8")
    command = tmp_path / "bin" / "laurels"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m laurels "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    environment = {
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "LAURELS_DATA_DIRECTORY": str(tmp_path / "postgres"),
        "LAURELS_DATABASE_URL": "",
        "LAURELS_PORT": str(port),
    }
    live_through(pages, tmp_path, environment, port)
