"""Whatever a rule says, the generated Python and Google's C++ evaluator give the same answer."""

import itertools
from collections.abc import Callable, Iterator

import msgspec
import pytest

from laurels.core.rule.check import Rule, check
from laurels.core.rule.environment import LARGEST_INT, LATEST_AT
from laurels.core.rule.python import compile_rule
from tests.core.rule.sample import Activity, Case, Dice, Member, Oracle, environment
from tests.core.rule.writer import Writer

RULES = 700
CASES = 12


class Answers(msgspec.Struct):
    """How often the readings agreed, and on what."""

    true: int = 0
    false: int = 0
    overflowing: int = 0
    undecided: int = 0
    rules: int = 0


def _unchanged(source: str) -> str:
    return source


def _texts(oracle: Oracle, seed: int) -> Iterator[str]:
    writer = Writer(oracle.environment, seed)
    while True:
        yield writer.rule()


def _compare(texts: Iterator[str], oracle: Oracle, cases: list[Case], change: Callable[[str], str]) -> Answers:
    """Asks both readers; the first difference is an AssertionError that names rule, source and case."""
    answers = Answers()
    asked = [(case, oracle.messages(case)) for case in cases]
    for text in texts:
        rule = check(text, oracle.environment, scope="lines")
        if not isinstance(rule, Rule):
            assert {finding.code for finding in rule} == {"rule_overflow"}, (text, rule)
            answers.overflowing += 1
            continue
        function = compile_rule(msgspec.structs.replace(rule, source=change(rule.source)))
        expected = oracle.compile(text, "lines")
        given = set()
        for case, messages in asked:
            answer = function(*case.arguments)
            assert answer is expected(messages), (text, rule.source, case)
            given.add(answer)
            answers.true += answer
            answers.false += not answer
        answers.undecided += len(given) == 2
        answers.rules += 1
    return answers


def test_python_and_cel_agree_on_every_rule_and_case() -> None:
    oracle = Oracle(environment())
    dice = Dice(20260301)
    cases = [dice.case() for _ in range(CASES)]
    answers = _compare(itertools.islice(_texts(oracle, 7), RULES), oracle, cases, _unchanged)

    assert dice.absent >= 0.3 * dice.asked
    assert answers.overflowing < 0.1 * RULES
    # Rules that are true of some cases and false of others are the ones that prove something.
    assert answers.undecided > 0.4 * answers.rules
    assert min(answers.true, answers.false) > 0.25 * (answers.true + answers.false)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (" >= ", " > "),
        (" <= ", " < "),
        (" == ", " != "),
        ("        and ", "        or "),
        ("not ", ""),
        (" is None", " is not None"),
        (" is not None", " is None"),
        ("any(", "all("),
        ("startswith", "endswith"),
        ("000000", "00000"),
        (".pending", ".available"),
        ("['growth']", "['points']"),
        ("('tea' if ", "('a' if "),
        ("Decimal('2.5')", "Decimal('2.4')"),
        ("len(", "1 + len("),
        ("each_2", "each_1"),
    ],
)
def test_a_wrong_translation_is_caught(right: str, wrong: str) -> None:
    oracle = Oracle(environment())
    dice = Dice(20260301)
    cases = [dice.case() for _ in range(CASES)]

    def change(source: str) -> str:
        head, _, body = source.partition("line):\n")
        return head.replace(right, wrong) + "line):\n" + body.replace(right, wrong)

    texts = itertools.islice(_texts(oracle, 7), RULES)
    with pytest.raises((AssertionError, AttributeError, TypeError)):
        _compare(texts, oracle, cases, change)


@pytest.mark.parametrize(
    ("fits", "breaks"),
    [
        # 2^53 x 1024 is 2^63, one more than 64 bits hold.
        ("member.visits * 1023 > 0", "member.visits * 1024 > 0"),
        ("member.visits * 1022 + member.visits > 0", "member.visits * 1023 + member.visits > 0"),
        ("-member.visits * -1023 > 0", "-member.visits * -1024 > 0"),
        # A thousand years after the year 9000 is no instant any more.
        (
            'activity.occurred_at + duration("8760000h") > member.enrolled_at',
            'activity.occurred_at + duration("8770000h") > member.enrolled_at',
        ),
    ],
)
def test_a_sum_is_refused_exactly_where_cel_could_overflow(fits: str, breaks: str) -> None:
    oracle = Oracle(environment())
    case = Case(member=Member(attributes={"visits": LARGEST_INT}), activity=Activity(occurred_at=LATEST_AT))
    messages = oracle.messages(case)

    rule = check(fits, oracle.environment, scope="lines")
    assert isinstance(rule, Rule), rule
    assert compile_rule(rule)(*case.arguments) is oracle.compile(fits, "lines")(messages) is True

    found = check(breaks, oracle.environment, scope="lines")
    assert not isinstance(found, Rule)
    assert [finding.code for finding in found] == ["rule_overflow"]
    assert "overflow" in str(oracle.compile(breaks, "lines")(messages))
