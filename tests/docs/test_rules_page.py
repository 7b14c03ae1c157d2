"""Every rule on the page about rules is what the page says it is: one that passes, or one that is refused, and why."""

import re
from pathlib import Path

import pytest

from laurels.core.rule.check import Rule, check
from laurels.core.rule.environment import Environment, Field
from laurels.core.rule.python import compile_rule

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "rules.md"
BLOCK = re.compile(r"^```cel( refused)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

ENVIRONMENT = Environment.build(
    currency_places=2,
    tracks=("membership",),
    wallets=("points",),
    member=(Field("favourite_drink", "string", optional=True),),
    has_purchase=True,
    tiers={"membership": ("member", "silver", "gold")},
)


def blocks(*, refused: bool) -> list[str]:
    found = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    return [text for mark, text in found if bool(mark) is refused]


PASSING = [rule.strip() for block in blocks(refused=False) for rule in block.split("\n\n")]
REFUSED = [line for block in blocks(refused=True) for line in block.splitlines()]


def test_the_page_has_examples() -> None:
    assert len(PASSING) > 10
    assert len(REFUSED) > 10


@pytest.mark.parametrize("text", PASSING)
def test_rule_on_the_page_passes(text: str) -> None:
    rule = check(text, ENVIRONMENT, scope="lines")
    assert isinstance(rule, Rule), rule
    assert callable(compile_rule(rule))


@pytest.mark.parametrize("line", REFUSED)
def test_rule_on_the_page_is_refused_for_the_reason_given(line: str) -> None:
    text, _, code = line.rpartition("//")
    found = check(text, ENVIRONMENT, scope="lines")
    assert not isinstance(found, Rule), found.source
    assert [finding.code for finding in found] == [code.strip()]
