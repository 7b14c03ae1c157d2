"""What a program may declare for its rules, and what it may not."""

from decimal import Decimal

import pytest

from laurels.core.rule.check import Rule, check
from laurels.core.rule.environment import Environment, Field, is_name, problem_with


@pytest.mark.parametrize("name", ["a", "drink", "a_b", "a__b", "x1", "class", "lambda", "size", "money", "none"])
def test_names_that_rules_can_say(name: str) -> None:
    assert is_name(name)
    within = Environment.build(
        currency_places=2, tracks=(name,), wallets=(name,), member=(Field(name, "int", optional=True, default=1),)
    )
    text = f"member.tier.{name} == 'x' && member.wallets.{name}.available > 0 && member.{name} == 1"
    assert isinstance(check(text, within, scope="condition"), Rule)


@pytest.mark.parametrize("name", ["", "A", "1a", "_a", "a-b", "a.b", "é", "a\n", "in", "true", "for", "package"])
def test_names_that_rules_cannot_say(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(ValueError, match="is no name"):
        Environment.build(currency_places=2, tracks=(name,), wallets=())
    with pytest.raises(ValueError, match="is no name"):
        Environment.build(currency_places=2, tracks=(), wallets=(name,))
    with pytest.raises(ValueError, match="is no name"):
        Environment.build(currency_places=2, tracks=(), wallets=(), line=(Field(name, "int"),))


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        (Field("id", "string"), "member.id is built in"),
        (Field("x", "float"), "'float' is no type"),
        (Field("x", "list<int>"), "is no type"),
        (Field("x", "int", default="1"), "cannot be the default"),
        (Field("x", "int", default=True), "cannot be the default"),
        (Field("x", "int", default=2**53 + 1), "cannot be the default"),
        (Field("x", "bool", default=1), "cannot be the default"),
        (Field("x", "string", default=1), "cannot be the default"),
        (Field("x", "date", default="2026-02-29"), "cannot be the default"),
        (Field("x", "money", default=Decimal("1.005")), "cannot be the default"),
        (Field("x", "decimal", default=Decimal("NaN")), "cannot be the default"),
        (Field("x", "decimal", default=Decimal("1.0000000000000001")), "cannot be the default"),
        (Field("x", "timestamp", default=0), "cannot be the default"),
        (Field("x", "list<string>", default="a"), "cannot be the default"),
    ],
)
def test_field_that_cannot_be_declared(field: Field, problem: str) -> None:
    assert problem in (problem_with("member", field, 2) or "")
    with pytest.raises(ValueError, match=problem):
        Environment.build(currency_places=2, tracks=(), wallets=(), member=(field,))


def test_a_field_is_declared_once() -> None:
    with pytest.raises(ValueError, match=r"line\.x is declared twice"):
        Environment.build(currency_places=2, tracks=(), wallets=(), line=(Field("x", "int"), Field("x", "string")))


def test_two_programs_do_not_see_each_other() -> None:
    one = Environment.build(currency_places=2, tracks=(), wallets=(), member=(Field("x", "int"),))
    two = Environment.build(currency_places=2, tracks=(), wallets=(), member=(Field("x", "string"),))
    assert isinstance(check("member.x == 1", one, scope="condition"), Rule)
    assert isinstance(check("member.x == 'a'", two, scope="condition"), Rule)
    assert not isinstance(check("member.x == 1", two, scope="condition"), Rule)


def test_similar_names_leave_no_warning(capfd: pytest.CaptureFixture[str]) -> None:
    """In JSON `a_b` and `a__b` would be one name, of which protobuf would warn on standard error."""
    Environment.build(currency_places=2, tracks=(), wallets=(), member=(Field("a_b", "int"), Field("a__b", "int")))
    assert capfd.readouterr() == ("", "")
