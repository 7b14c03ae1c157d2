"""The function of a rule: clear source, exact constants, and nothing of a text's author that runs as code."""

import ast
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurels.core.rule.check import Rule, check
from laurels.core.rule.environment import Environment, Field
from laurels.core.rule.python import compile_rule
from tests.core.rule.sample import Activity, Case, Line, Member, Moment, Purchase, Tender, Wallet, environment

ENVIRONMENT = environment()


def checked(text: str, within: Environment = ENVIRONMENT) -> Rule:
    rule = check(text, within, scope="lines")
    assert isinstance(rule, Rule), rule
    return rule


def holds(text: str, case: Case | None = None, within: Environment = ENVIRONMENT) -> bool:
    return compile_rule(checked(text, within))(*(case or Case()).arguments)


def test_source_reads_like_python_a_person_wrote() -> None:
    assert checked(
        "purchase.total >= 30.00 && member.tier.membership in ['silver', 'gold'] && has(line.sku)"
        " && !('clearance' in line.tags) && line.quantity > 2.5"
    ).source == (
        "def rule(member, purchase, activity, at, line):\n"
        "    return (\n"
        "        purchase.total >= 3000\n"
        "        and member.tier['membership'] in {'silver', 'gold'}\n"
        "        and line.sku is not None\n"
        "        and 'clearance' not in line.tags\n"
        "        and line.quantity > 2500000\n"
        "    )\n"
    )
    assert checked("member.ratio == 2.50 || line.ratio in [1, 2]").source == (
        "CONSTANT_1 = Decimal('2.5')\n"
        "CONSTANT_2 = Decimal('2.50')\n"
        "CONSTANT_3 = frozenset([Decimal('1'), Decimal('2')])\n"
        "\n\n"
        "def rule(member, purchase, activity, at, line):\n"
        "    return (\n"
        "        (CONSTANT_1 if (given_1 := member.attributes.get('ratio')) is None else given_1) == CONSTANT_2\n"
        "        or (CONSTANT_1 if (given_2 := line.fields.get('ratio')) is None else given_2) in CONSTANT_3\n"
        "    )\n"
    )


@pytest.mark.parametrize(
    ("text", "case", "expected"),
    [
        # 39.80 is 3980 minor units; 2.5 is 2,500,000 millionths.
        ("purchase.total >= 39.80", Case(purchase=Purchase(total=3980)), True),
        ("purchase.total >= 39.80", Case(purchase=Purchase(total=3979)), False),
        ("39.80 > purchase.total", Case(purchase=Purchase(total=3979)), True),
        ("purchase.total > 39", Case(purchase=Purchase(total=3901)), True),
        ("line.quantity == 2.5", Case(line=Line(quantity=2_500_000)), True),
        ("line.quantity in [1, 2.5]", Case(line=Line(quantity=1_000_000)), True),
        ("line.quantity in [1, 2.5]", Case(line=Line(quantity=1_000_001)), False),
        ("line.quantity >= 0.000001", Case(line=Line(quantity=1)), True),
        # decimals compare exactly, however many digits they have
        ("line.ratio == 0.3", Case(line=Line(fields={"ratio": Decimal("0.1") + Decimal("0.2")})), True),
        ("line.ratio < 1.1", Case(line=Line(fields={"ratio": Decimal("1.0999999999999999999999")})), True),
        # defaults: ratio 2.5, goal 1.50, visits 3, since 2026-01-01, nickname none and hence empty
        ("line.ratio == 2.5 && line.goal >= 1.50 && line.goal <= 1.50 && line.visits == 3", Case(), True),
        ("member.since == '2026-01-01' && member.news && member.nickname == ''", Case(), True),
        ("member.visits == 3", Case(member=Member(attributes={"visits": None})), True),
        ("member.visits == 3", Case(member=Member(attributes={"visits": 0})), False),
        ("has(member.visits)", Case(member=Member(attributes={"visits": 0})), True),
        ("has(member.visits)", Case(), False),
        ("member.joined_at == timestamp('1970-01-01T00:00:00Z')", Case(), True),
        ("'x' in member.likes", Case(), False),
        ("'x' in member.likes", Case(member=Member(attributes={"likes": ("x",)})), True),
        # where things are
        ("member.wallets.growth.held == 7", Case(member=Member(wallets={"growth": Wallet(held=7)})), True),
        ("member.counters.purchases == 0", Case(), True),
        ("member.counters.check_ins == 4", Case(member=Member(counters={"check_ins": 4})), True),
        ("'vips' in member.segments", Case(member=Member(segments=("vips",))), True),
        ("has(activity.age) && activity.age == 9", Case(activity=Activity(fields={"age": 9})), True),
        ("has(purchase.store) && purchase.store == 's-7'", Case(purchase=Purchase(store="s-7")), True),
        ("at.date > '2026-02-28' && at.weekday == 'sun' && at.year == 2026", Case(at=Moment()), True),
        # lists
        ("purchase.lines.all(l, l.amount > 0)", Case(purchase=Purchase(lines=())), True),
        ("purchase.lines.exists(l, l.amount > 0)", Case(purchase=Purchase(lines=())), False),
        ("purchase.tenders.exists(t, t.kind == 'points')", Case(purchase=Purchase(tenders=(Tender("points"),))), True),
        ("['a', 'b'].exists(t, t in line.tags)", Case(line=Line(tags=("b",))), True),
        ("['a', 'b'].all(t, t in line.tags)", Case(line=Line(tags=("b",))), False),
        ("size(member.id) == 3", Case(member=Member(id="咖啡𝒳")), True),
        # a day is 86,400,000,000 microseconds
        (
            "activity.occurred_at < member.enrolled_at + duration('24h')",
            Case(member=Member(enrolled_at=5), activity=Activity(occurred_at=86_400_000_004)),
            True,
        ),
        (
            "activity.occurred_at - duration('24h') >= member.enrolled_at",
            Case(member=Member(enrolled_at=5), activity=Activity(occurred_at=86_400_000_004)),
            False,
        ),
        # how tightly things bind
        ("10 - (at.hour - (3 - 1)) * 2 == -6", Case(at=Moment(hour=10)), True),
        ("-(-at.hour) - -1 == 11", Case(at=Moment(hour=10)), True),
        ("(at.hour > 3) == (at.minute > 3)", Case(at=Moment(hour=10, minute=0)), False),
        ("!(at.hour > 3 && at.minute > 3) || false", Case(at=Moment(hour=10, minute=0)), True),
        ("(at.hour > 3 ? at.minute : at.hour) == 0", Case(at=Moment(hour=10, minute=0)), True),
        ("(at.hour > 3 ? 'ab' : 'c').startsWith('a')", Case(at=Moment(hour=10)), True),
    ],
)
def test_function_answers(text: str, case: Case, expected: bool) -> None:
    assert holds(text, case) is expected


def test_money_counts_in_the_minor_units_of_its_currency() -> None:
    for places, expected in ((0, 30), (2, 3000), (3, 30_000)):
        within = Environment.build(currency_places=places, tracks=(), wallets=(), has_purchase=True)
        assert f"purchase.total >= {expected}\n" in checked("purchase.total >= 30", within).source


# --- what authors write stays text ---

HOSTILE = (
    "'",
    '"',
    "\\",
    "\\'",
    "'''",
    "\n",
    "\r\u2028\x85",
    "{x}",
    "%s",
    "'); __import__('os').abort() #",
    "' or True or '",
    "\x00\x7f\x1b",
    "𝒳咖啡",
    "\ufeff\u202e",
)
NODES = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Constant, ast.Name, ast.Load, ast.Store),
    *(ast.Compare, ast.Eq, ast.In, ast.NotIn, ast.Set, ast.Tuple, ast.Attribute, ast.Call, ast.BoolOp, ast.And, ast.Or),
    *(ast.GeneratorExp, ast.comprehension, ast.Is, ast.IsNot, ast.IfExp, ast.NamedExpr),
)


def cel_text(text: str) -> str:
    return "'" + "".join(f"\\U{ord(character):08x}" for character in text) + "'"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=20) | st.sampled_from(HOSTILE))
def test_texts_of_a_rule_are_compared_and_never_run(text: str) -> None:
    literal = cel_text(text)
    rule = checked(
        f"member.id == {literal} && member.id in [{literal}, 'x'] && {literal} in line.tags"
        f" && member.id.startsWith({literal}) && [{literal}].exists(t, t == {literal})"
    )
    parsed = ast.parse(rule.source)
    assert {type(node) for node in ast.walk(parsed)} <= set(NODES)
    assert {node.id for node in ast.walk(parsed) if isinstance(node, ast.Name)} == {"member", "line", "any", "each_1"}
    function = compile_rule(rule)
    assert function(*Case(member=Member(id=text), line=Line(tags=(text,))).arguments)
    assert not function(*Case(member=Member(id=text + "."), line=Line(tags=(text,))).arguments)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=20) | st.sampled_from(HOSTILE))
def test_default_texts_of_a_program_are_compared_and_never_run(text: str) -> None:
    within = Environment.build(
        currency_places=2, tracks=(), wallets=(), member=(Field("word", "string", True, text),), has_purchase=True
    )
    rule = checked(f"member.word == {cel_text(text)} && member.word != 'other'", within)
    assert {type(node) for node in ast.walk(ast.parse(rule.source))} <= {*NODES, ast.NotEq}
    assert compile_rule(rule)(*Case().arguments) is (text != "other")


def test_an_unescaped_text_would_run() -> None:
    """The control: pasted into the source without `repr`, a hostile text changes the answer."""
    hostile = "' or True or '"
    rule = checked(f"member.id == {json.dumps(hostile)}")
    pasted = Rule(rule.text, rule.source.replace(repr(hostile), f"'{hostile}'"), rule.reads)
    assert pasted.source != rule.source
    assert not compile_rule(rule)(*Case().arguments)
    assert compile_rule(pasted)(*Case().arguments)


def test_function_sees_no_builtins_but_its_own() -> None:
    function: Any = compile_rule(checked("at.hour > 3"))
    assert set(function.__globals__["__builtins__"]) == {"any", "all", "len", "frozenset", "Decimal"}


# --- any text at all ---

TOKENS = (
    *("member", "line", "purchase", "at", "activity", ".id", ".sku", ".lines", ".tags", ".total", ".quantity", ".age"),
    *("has(", ")", "(", "[", "]", ",", " && ", " || ", "!", " == ", " < ", " in ", " ? ", " : ", " + ", " * ", "-"),
    *(".exists(x, ", ".all(x, ", "x", "size(", "'a'", "1", "2.5", "30.00", "true", "\n", " ", "咖", ".", "timestamp("),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=14).map("".join) | st.text(max_size=30))
def test_any_text_is_a_rule_that_runs_or_has_findings_within_it(text: str) -> None:
    found = check(text, ENVIRONMENT, scope="lines")
    if isinstance(found, Rule):
        assert compile_rule(found)(*Case().arguments) in (True, False)
        return
    assert found
    lines = text.split("\n")
    for finding in found:
        assert 1 <= finding.line <= len(lines), finding
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1, finding
