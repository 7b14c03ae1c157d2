"""An optional field is read only where it is known to be there; what counts as knowing, and what does not."""

import pytest

from laurels.core.rule.check import Rule, check
from laurels.core.rule.python import compile_rule
from tests.core.rule.sample import Case, Dice, environment

ENVIRONMENT = environment()

GUARDED = (
    "has(line.sku) && line.sku == 'a'",
    "!has(line.sku) || line.sku == 'a'",
    "has(line.sku) && (at.hour > 3 || line.sku == 'a') && line.sku != 'b'",
    "has(line.sku) && has(line.category) && line.sku == line.category",
    "!(has(line.sku) && has(line.category)) || line.sku == line.category",
    "!has(line.sku) || !has(line.category) || line.sku == line.category",
    "has(line.sku) ? line.sku == 'a' : at.hour > 3",
    "!has(line.sku) ? at.hour > 3 : line.sku == 'a'",
    "(has(line.sku) && line.sku != '' || has(line.sku) && at.hour > 3) && line.sku == 'a'",
    "has(line.sku) && purchase.lines.exists(l, l.line == line.sku)",
    "purchase.lines.exists(l, has(l.sku) && l.tags.exists(t, t == l.sku))",
    "purchase.lines.all(l, !has(l.sku) || l.sku == 'a')",
    "!(!has(line.sku)) && line.sku == 'a'",
    "at.hour > 3 && has(line.sku) && line.sku == 'a'",
    "member.size == 'tea' && member.visits > 2 && line.goal > 1.00",  # defaults
    "'a' in member.likes || size(member.likes) == 0",  # an absent list is empty
)

UNGUARDED = (
    "line.sku == 'a'",
    "line.sku == 'a' && has(line.sku)",  # too late: read from left to right
    "has(line.sku) || line.sku == 'a'",
    "!has(line.sku) && line.sku == 'a'",
    "has(line.category) && line.sku == 'a'",
    "(has(line.sku) || at.hour > 3) && line.sku == 'a'",
    "!(has(line.sku) && has(line.category)) && line.sku == 'a'",
    "!has(line.sku) || at.hour > 3 || line.category == 'a'",
    "has(line.sku) ? at.hour > 3 : line.sku == 'a'",
    "has(line.sku) == true && line.sku == 'a'",
    "(at.hour > 3 ? has(line.sku) : true) && line.sku == 'a'",
    "has(line.sku) && purchase.lines.exists(l, l.sku == 'a')",  # another line
    "purchase.lines.exists(l, has(l.sku)) && line.sku == 'a'",
    "purchase.lines.exists(l, has(l.sku) && purchase.lines.exists(l, l.sku == 'a'))",  # another l
    "purchase.lines.exists(l, has(l.sku)) && purchase.lines.exists(l, l.sku == 'a')",
    "has(member.drink) && activity.drink == 'a'",
    "(has(line.sku) && line.sku == 'a') || line.sku == 'b'",
)


@pytest.mark.parametrize("text", GUARDED)
def test_guarded_read_passes_and_cannot_fail(text: str) -> None:
    rule = check(text, ENVIRONMENT, scope="lines")
    assert isinstance(rule, Rule), rule
    function = compile_rule(rule)
    dice = Dice(1)
    assert {type(function(*dice.case().arguments)) for _ in range(40)} == {bool}


@pytest.mark.parametrize("text", UNGUARDED)
def test_unguarded_read_is_a_finding(text: str) -> None:
    found = check(text, ENVIRONMENT, scope="lines")
    assert not isinstance(found, Rule), found.source
    assert [finding.code for finding in found] == ["rule_unguarded_optional"]


def test_an_absent_field_would_fail_without_the_guard() -> None:
    """The control: what the guard keeps away is an exception."""
    rule = check("has(member.age) && member.age > 3", ENVIRONMENT, scope="lines")
    assert isinstance(rule, Rule)
    without = Rule(rule.text, rule.source.replace("member.attributes.get('age') is not None", "True"), rule.reads)
    assert not compile_rule(rule)(*Case().arguments)
    with pytest.raises(TypeError):
        compile_rule(without)(*Case().arguments)
