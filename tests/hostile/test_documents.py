"""Program documents, conditions and import files that were never meant well: findings, never exceptions, and soon.

tests/core/program cuts words out and swaps them, and has the documents that would blow up a reader; here every
character, line and indentation of the real documents is at risk, and what people paste into them.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from laurels import cli
from laurels.__main__ import outside
from laurels.core.program.finding import Finding
from laurels.core.program.loading import examine
from laurels.core.rule.check import Rule, check
from laurels.core.rule.environment import Scope
from laurels.core.rule.python import compile_rule
from tests.core.program.documents import DOCUMENTS
from tests.core.rule.sample import Case, environment

DEEP = bool(os.environ.get("LAURELS_DEEP"))
SECONDS_MOST = 10

STRANGE: Final = (
    "\0", "\ud800", "\udcff", "\u202e", "\u2066", "\ufeff", "\u2028", "\u0085", "\u200b", "عربى", "𝒳", "e\u0301", "﷽",
    "=1+1", "+1", "@x", "- ", "? ", ": ", "| ", "> ", "& ", "&a ", "*a ", "!!python/object:os.system ", "<<: ", "%TAG",
    "---\n", "...\n", "\t", "\r", "\r\n", "'", '"', "\\", "\\u0000", "{", "}", "[", "]", ",", "#", "~", "null", "NaN",
    ".inf", "1e309", "0x10", "1_000", "9" * 50, "-0", "1.", "0.1e-7", "2026-02-30", "29-02", "P1Y", "-1D", "999999999Y",
)  # fmt: skip


def broken(text: str, chance: Random) -> str:
    """The text with some of what can happen to a file: cut, doubled, shifted, and strangers in it."""
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(text) + 1)
        end = min(len(text), at + chance.randrange(1, 40))
        how = chance.randrange(7)
        if how == 0:
            text = text[:at] + text[end:]
        elif how == 1:
            text = text[:at] + text[at:end] * 2 + text[end:]
        elif how == 2:
            text = text[:at] + chance.choice(STRANGE) + text[at:]
        elif how == 3:
            text = text[:at] + chance.choice(STRANGE) + text[end:]
        elif how == 4:
            lines = text.split("\n")
            place = chance.randrange(len(lines))
            lines[place] = " " * chance.randrange(9) + lines[place].lstrip()
            text = "\n".join(lines)
        elif how == 5:
            lines = text.split("\n")
            chance.shuffle(lines)
            text = "\n".join(lines)
        else:
            text = text[:at]
        text = text or " "
    return text


def assert_findings_in(text: str, findings: tuple[Finding, ...], *, is_program: bool) -> None:
    assert is_program or any(each.severity == "error" for each in findings)
    for finding in findings:
        assert finding.line >= 1, finding
        assert finding.column >= 1, finding
        assert finding.line <= len(text.splitlines()) + 1, finding
        assert finding.message
    # They travel as JSON, whatever they quote.
    msgspec.json.encode(findings)


@settings(max_examples=6000 if DEEP else 300, deadline=None)
@given(st.sampled_from(sorted(DOCUMENTS)), st.integers(0, 2**32))
def test_a_broken_document_has_findings_with_places_and_nothing_is_raised(name: str, seed: int) -> None:
    text = broken(DOCUMENTS[name], Random(seed))
    start = time.process_time()
    examined = examine(text)
    assert time.process_time() - start < SECONDS_MOST, f"{name}, seed {seed}"
    assert_findings_in(text, examined.findings, is_program=examined.program is not None)


@settings(max_examples=2000 if DEEP else 100, deadline=None)
@given(st.text(max_size=200) | st.lists(st.sampled_from(STRANGE), max_size=20).map("".join))
def test_any_text_is_a_document_with_findings(text: str) -> None:
    examined = examine(text)
    assert_findings_in(text, examined.findings, is_program=examined.program is not None)


@settings(max_examples=200 if DEEP else 25, deadline=None)
@given(st.sampled_from(sorted(DOCUMENTS)), st.integers(0, 2**32), st.binary(max_size=6))
def test_check_says_what_is_wrong_with_any_bytes(
    tmp_path_factory: pytest.TempPathFactory, name: str, seed: int, strange: bytes
) -> None:
    chance = Random(seed)
    raw = broken(DOCUMENTS[name], chance).encode(errors="surrogatepass")
    at = chance.randrange(len(raw) + 1)
    file = tmp_path_factory.mktemp("check") / "program.yaml"
    file.write_bytes(raw[:at] + strange + raw[at:])
    for options in ((), ("--json",)):
        result = CliRunner().invoke(cli.laurels, ["check", str(file), *options], obj=outside)
        assert result.exit_code in (0, 1), result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), f"seed {seed}: {result.exception}"


# --- conditions -------------------------------------------------------------------------------------------------------

ENVIRONMENT = environment()
SCOPES: Final[tuple[Scope, ...]] = ("lines", "condition")
TOKENS: Final = (
    "member", "line", "purchase", "at", "activity", "wallet", ".id", ".sku", ".lines", ".tags", ".total", ".quantity",
    ".hour", ".weekday", "has(", ")", "(", "[", "]", ",", "&&", "||", "!", "==", "!=", "<", ">=", "in", "?", ":", "+",
    "-", "*", "/", "%", ".exists(x, ", ".all(x, ", ".map(x, ", ".filter(x, ", "size(", ".startsWith(", ".matches(",
    "duration(", "timestamp(", "int(", "string(", "dyn(", "type(", "'a'", '"b"', "'''", "r'\\'", "b'\\xff'", "1", "-1",
    "0x7f", "1u", "2.5", "1e309", "30.00", "9223372036854775808", "true", "null", "x", "\n", " ", "咖", "//", "\0",
    "\u202e", "\\", "`", "$", "__import__('os')", "{", "}", "{'a': 1}", "a.b.c.d", "._x", ".__class__",
)  # fmt: skip


@settings(max_examples=10_000 if DEEP else 400, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=25).map("".join), st.sampled_from(SCOPES))
def test_a_soup_of_tokens_is_a_condition_that_runs_or_has_findings(text: str, scope: Scope) -> None:
    found = check(text, ENVIRONMENT, scope=scope)
    if isinstance(found, Rule):
        assert compile_rule(found)(*Case().arguments) in (True, False)
        return
    assert found
    assert all(1 <= finding.line <= text.count("\n") + 1 for finding in found)


DEEP_CONDITIONS: Final = {
    "brackets": "(" * 3000 + "true" + ")" * 3000,
    "noes": "!" * 5000 + "true",
    "ands": " && ".join(["true"] * 5000),
    "sums": " + ".join(["1"] * 5000) + " > 0",
    "lists": "[" * 2000 + "]" * 2000,
    "questions": "true ? " * 2000 + "true",
    "steps": "purchase" + ".x" * 5000,
    "exists": "purchase.lines.exists(x, " * 200 + "true" + ")" * 200,
    "a long text": "purchase.id == '" + "x" * 500_000 + "'",
    "a long number": "purchase.total > " + "9" * 100_000,
}


@pytest.mark.parametrize("sort", DEEP_CONDITIONS)
def test_a_condition_of_great_depth_or_length_is_judged_in_little_time(sort: str) -> None:
    start = time.process_time()
    found = check(DEEP_CONDITIONS[sort], ENVIRONMENT, scope="lines")
    if isinstance(found, Rule):
        assert compile_rule(found)(*Case().arguments) in (True, False)
    assert time.process_time() - start < SECONDS_MOST


def bomb(directory: Path) -> Path:
    """Nine aliases of nine aliases of ...: a gigabyte, in a mapping."""
    file = directory / "mapping.yaml"
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 10))
    file.write_text("l0: &l0 [lol]\n" + levels + "type: purchase\n")
    return file
