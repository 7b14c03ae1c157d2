"""Every read of an optional field stands behind a `has()` that answers for it.

An absent field has no value to compare, so a rule asks first: `has(line.sku) && line.sku == "A"`, or the other way
round `!has(line.sku) || line.sku != "A"`. Conditions are judged from left to right, hence what a condition being true
(or false) tells is known to what stands to its right. A field with a default needs no asking.
"""

from laurels.core.rule.typed import Choice, Has, Join, Not, Quantified, Read, Typed, parts

Known = frozenset[str]
"""The places (`Read.name`) that are known to be present."""

_NOTHING: Known = frozenset()


def unguarded(node: Typed) -> list[Read]:
    """The reads of optional fields that may be absent when they are read, from left to right."""
    found: list[Read] = []
    _judge(node, _NOTHING, found)
    return found


def _judge(node: Typed, known: Known, found: list[Read]) -> tuple[Known, Known]:
    """What is known to be present where the node is true, and where it is false, beyond `known`."""
    match node:
        case Has():
            return frozenset((node.read.name,)), _NOTHING
        case Not():
            when_true, when_false = _judge(node.term, known, found)
            return when_false, when_true
        case Join():
            return _judge_join(node, known, found)
        case Choice():
            when_true, when_false = _judge(node.condition, known, found)
            _judge(node.yes, known | when_true, found)
            _judge(node.no, known | when_false, found)
        case Quantified():
            _judge(node.over, known, found)
            _judge(node.body, known, found)
        case Read():
            if node.named.optional and node.named.default is None and node.name not in known:
                found.append(node)
        case _:
            for part in parts(node):
                _judge(part, known, found)
    return _NOTHING, _NOTHING


def _judge_join(node: Join, known: Known, found: list[Read]) -> tuple[Known, Known]:
    """Where `a && b` is true both are; where it is false, one of them is, so only what either tells is known."""
    conjunction = node.operator == "and"
    all_hold, one_holds = _NOTHING, None
    for term in node.terms:
        when_true, when_false = _judge(term, known | all_hold, found)
        holds, fails = (when_true, when_false) if conjunction else (when_false, when_true)
        one_holds = all_hold | fails if one_holds is None else one_holds & (all_hold | fails)
        all_hold |= holds
    one_holds = one_holds or _NOTHING
    return (all_hold, one_holds) if conjunction else (one_holds, all_hold)
