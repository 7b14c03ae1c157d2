"""A checked rule as a Python function: compiled once, called for every activity, in a fraction of a microsecond."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from types import FunctionType, MappingProxyType
from typing import Final, cast

from laurels.core.rule.check import Rule
from laurels.core.rule.view import ActivityView, At, Line, MemberView, Purchase

RuleFunction = Callable[[MemberView, Purchase | None, ActivityView, At, Line | None], bool]
SelectorFunction = Callable[[MemberView, Purchase | None, ActivityView, At, Sequence[Line]], list[bool]]

BUILTINS: Final = MappingProxyType({"any": any, "all": all, "len": len, "frozenset": frozenset, "Decimal": Decimal})
"""What the source of a rule may call."""


def compile_rule(rule: Rule) -> RuleFunction:
    """The function of a rule that `check` passed; it gives true or false for all values of the declared types.

    A rule of the scope "condition" is called with None for the line, one on no purchase with None for the purchase.
    """
    return cast(RuleFunction, _function(rule.source))


def compile_selector(rule: Rule) -> SelectorFunction:
    """The function that asks a rule of the scope "lines" of all lines at once: what `compile_rule`'s says of each."""
    head, body = _parted(rule)
    head = head.replace("activity, at, line):", "activity, at, lines):")
    return cast(SelectorFunction, _function(f"{head}    return [{body} for line in lines]"))


def expression_of(rule: Rule) -> str | None:
    """A rule's expression over `member`, `purchase`, `activity`, `at` and `line`; None if it needs more than these."""
    head, body = _parted(rule)
    return body if head.startswith("def ") else None


def _parted(rule: Rule) -> tuple[str, str]:
    head, returns, body = rule.source.partition("    return ")
    assert returns, "a rule's source returns one expression"
    return head, body.rstrip()


def _function(source: str) -> FunctionType:
    names: dict[str, object] = {"__builtins__": dict(BUILTINS)}
    exec(compile(source, "<rule>", "exec"), names)  # noqa: S102  (our own source, in which every text is a repr)
    function = names["rule"]
    assert isinstance(function, FunctionType)
    return function
