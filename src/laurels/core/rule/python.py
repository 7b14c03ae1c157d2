"""A checked rule as a Python function: compiled once, called for every activity, in a fraction of a microsecond."""

from collections.abc import Callable
from decimal import Decimal
from types import FunctionType
from typing import cast

from laurels.core.rule.check import Rule
from laurels.core.rule.view import ActivityView, At, Line, MemberView, Purchase

RuleFunction = Callable[[MemberView, Purchase | None, ActivityView, At, Line | None], bool]


def compile_rule(rule: Rule) -> RuleFunction:
    """The function of a rule that `check` passed; it gives true or false for all values of the declared types.

    A rule of the scope "condition" is called with None for the line, one on no purchase with None for the purchase.
    """
    builtins = {"any": any, "all": all, "len": len, "frozenset": frozenset, "Decimal": Decimal}
    names: dict[str, object] = {"__builtins__": builtins}
    exec(compile(rule.source, "<rule>", "exec"), names)  # noqa: S102  (our own source, in which every text is a repr)
    function = names["rule"]
    assert isinstance(function, FunctionType)
    return cast(RuleFunction, function)
