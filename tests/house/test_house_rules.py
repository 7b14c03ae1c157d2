"""The house rules hold in every file, and each of them has been seen to object."""

import pytest

from tests.house.rules import RULES, SHAPE_RULES, File, Rule
from tests.house.tree import project_files, text_of

EXAMPLES = tuple((rule, File(rule.at, text)) for rule in RULES for text in rule.bad)
COUNTEREXAMPLES = tuple((rule, File(rule.at, text)) for rule in RULES for text in rule.good)
SHAPES = tuple((rule, file) for rule, bad, _ in SHAPE_RULES for file in bad)
GOOD_SHAPES = tuple((rule, file) for rule, _, good in SHAPE_RULES for file in good)


@pytest.mark.parametrize("rule", [*RULES, *(rule for rule, _, _ in SHAPE_RULES)], ids=lambda rule: rule.name)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    files = (File(name, text) for name in project_files() if (text := text_of(name)) is not None)
    objections = [objection for file in files for objection in rule.objections(file)]
    assert not objections, f"{rule.name}:\n" + "\n".join(objections)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_brings_something_it_must_flag(rule: Rule) -> None:
    assert rule.bad


@pytest.mark.parametrize(("rule", "file"), EXAMPLES + SHAPES)
def test_rule_flags_what_it_forbids(rule: Rule, file: File) -> None:
    assert rule.objections(file), f"{rule.name}: not flagged in {file.path}: {file.text[:200]}"


@pytest.mark.parametrize(("rule", "file"), COUNTEREXAMPLES + GOOD_SHAPES)
def test_rule_leaves_alone_what_it_allows(rule: Rule, file: File) -> None:
    assert not rule.objections(file), f"{rule.name}: flagged in {file.path}: {file.text[:200]}"
