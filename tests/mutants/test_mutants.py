"""Every law of the design has been broken, and the tests noticed.

In `make test` the patches are held to apply; in `make test-deep` each is applied to a copy of the project, on which
the tests that it names must fail.
"""

from __future__ import annotations

import ast
import re

import pytest

from tests.attack.depth import DEEP
from tests.mutants.catalogue import LAWS, README, ROOT, Mutant, mutants, page_with_table
from tests.mutants.patching import Hunk, Unfit, applied, read
from tests.mutants.running import copy_with, hunt, run

MUTANTS = mutants()
at_length = pytest.mark.skipif(not DEEP, reason="runs tests on a copy for each mutant: make test-deep")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_patch_fits_the_source_and_what_it_makes_can_be_compiled(mutant: Mutant) -> None:
    for path, hunks in mutant.patch.hunks.items():
        text = applied(hunks, path, (ROOT / path).read_text(encoding="utf-8"))
        if path.endswith(".py"):
            compile(text, path, "exec")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_a_patch_names_are_there(mutant: Mutant) -> None:
    for test in mutant.caught_by:
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert re.sub(r"\[.*", "", name) in defined, test


def test_every_law_is_broken_by_a_mutant() -> None:
    assert {mutant.law for mutant in MUTANTS} == set(LAWS)


def test_the_readme_lists_the_mutants() -> None:
    page = README.read_text(encoding="utf-8")
    assert page == page_with_table(page), "python -m tests.mutants writes it"


PATCH = """\
Law 1: what it does
--- a/src/x.py
+++ b/src/x.py
@@ -7,2 +7,2 @@
 kept
-old
+new
"""


def test_a_patch_is_applied_wherever_its_lines_stand() -> None:
    patch = read(PATCH)
    assert patch.heading == "Law 1: what it does\n"
    assert applied(patch.hunks["src/x.py"], "src/x.py", "first\nkept\nold\nlast\n") == "first\nkept\nnew\nlast\n"


@pytest.mark.parametrize("text", ["kept\nolder\n", "not kept\nold\n", "kept\nold\nkept\nold\n", "kept\n\nold\n"])
def test_a_patch_whose_lines_stand_nowhere_or_twice_does_not_fit(text: str) -> None:
    with pytest.raises(Unfit, match=r"stand in it [02] times"):
        applied((Hunk("kept\nold\n", "kept\nnew\n"),), "src/x.py", text)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("+++ b/src/x.py", "+++ b/src/y.py", "another name"),
        ("@@ -7,2 +7,2 @@", "@@ -7,3 +7,3 @@", "does not count"),
        ("+new", "+old", "changes nothing"),
        ("+new", "new", "neither kept"),
    ],
)
def test_a_patch_that_contradicts_itself_is_none(old: str, new: str, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        read(PATCH.replace(old, new))


@at_length
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught_by_every_test_that_it_names(mutant: Mutant) -> None:
    escape, ran = hunt(mutant)
    print(f"{mutant.name}: {ran.seconds:.1f} s")
    assert not escape, f"{escape}\n{ran.output[-4000:]}"


@at_length
def test_without_a_mutant_none_of_these_tests_fails() -> None:
    with copy_with(None) as copy:
        ran = run(copy, sorted({test for mutant in MUTANTS for test in mutant.caught_by}))
    assert (ran.exit_code, ran.failures, ran.errors) == (0, {}, {}), ran.output[-4000:]
    assert ran.count >= len(MUTANTS) // 2
