"""A rule as the source of a Python function, for people to read and for Python to run.

It is made from the typed tree alone. Names in it are attribute names that `environment` has vetted and variables named
here; every text of the rule's author goes through `repr`. It needs `any`, `all`, `len`, `frozenset` and `Decimal`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from laurels.core.rule.typed import (
    Arithmetic,
    Broken,
    Choice,
    Compare,
    Has,
    In,
    Join,
    ListOf,
    Literal,
    Negative,
    Not,
    Quantified,
    Read,
    Size,
    StringTest,
    Typed,
    Variable,
)

# How tightly a piece of Python binds; what stands inside something tighter goes in parentheses.
_CHOICE, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _NEGATIVE, _ATOM = range(9)
_JOINS: Final[Mapping[str, int]] = {"or": _OR, "and": _AND}
_SUMS: Final[Mapping[str, int]] = {"+": _SUM, "-": _SUM, "*": _PRODUCT}
_METHODS: Final[Mapping[str, str]] = {"startsWith": "startswith", "endsWith": "endswith"}
_QUANTIFIERS: Final[Mapping[str, str]] = {"exists": "any", "all": "all"}
_KEYED: Final = frozenset(("tiers", "wallets"))


def source_of(rule: Typed) -> str:
    """The source of `rule(member, purchase, activity, at, line)`, true where the rule is."""
    writer = _Writer()
    body = writer.body(rule)
    constants = [f"{name} = {value}\n" for value, name in writer.constants.items()]
    blank = ["\n\n"] if constants else []
    return "".join([*constants, *blank, "def rule(member, purchase, activity, at, line):\n", f"    return {body}\n"])


class _Writer:
    """Writes expressions; collects constants that are made once, by their source."""

    def __init__(self) -> None:
        self.constants: dict[str, str] = {}
        self._defaults = 0

    def body(self, rule: Typed) -> str:
        """The returned expression; a conjunction or disjunction with one term a line."""
        if not isinstance(rule, Join):
            return self.at_least(_CHOICE, rule)
        terms = [self.at_least(_JOINS[rule.operator] + 1, term) for term in rule.terms]
        return "(\n        " + f"\n        {rule.operator} ".join(terms) + "\n    )"

    def at_least(self, tightness: int, node: Typed) -> str:
        """The expression, in parentheses where it binds less tightly than that."""
        written, binds = self.expression(node)
        return written if binds >= tightness else f"({written})"

    def expression(self, node: Typed) -> tuple[str, int]:
        """A node's source and how tightly it binds."""
        match node:
            case Literal():
                return self.literal(node)
            case Variable():
                return node.name, _ATOM
            case Read():
                return self.read(node)
            case ListOf():
                items = [self.literal(item)[0] for item in node.items]
                return f"({', '.join(items)}{',' if len(items) == 1 else ''})", _ATOM
            case Has():
                return f"{self.place(node.read)} is not None", _COMPARISON
            case Not(term=Has(read=read)):
                return f"{self.place(read)} is None", _COMPARISON
            case Not(term=In(item=item, among=among)):
                return f"{self.at_least(_SUM, item)} not in {self.among(among)}", _COMPARISON
            case Not():
                return f"not {self.at_least(_NOT, node.term)}", _NOT
            case Compare():
                left, right = self.at_least(_SUM, node.left), self.at_least(_SUM, node.right)
                return f"{left} {node.operator} {right}", _COMPARISON
            case In():
                return f"{self.at_least(_SUM, node.item)} in {self.among(node.among)}", _COMPARISON
            case Join():
                binds = _JOINS[node.operator]
                return f" {node.operator} ".join(self.at_least(binds + 1, term) for term in node.terms), binds
            case Quantified():
                over, body = self.at_least(_OR, node.over), self.at_least(_CHOICE, node.body)
                return f"{_QUANTIFIERS[node.how]}({body} for {node.variable.name} in {over})", _ATOM
            case Size():
                return f"len({self.at_least(_CHOICE, node.of)})", _ATOM
            case StringTest(how="contains"):
                return f"{self.at_least(_SUM, node.part)} in {self.at_least(_SUM, node.text)}", _COMPARISON
            case StringTest():
                text, part = self.at_least(_ATOM, node.text), self.at_least(_CHOICE, node.part)
                return f"{text}.{_METHODS[node.how]}({part})", _ATOM
            case Arithmetic():
                binds = _SUMS[node.operator]
                # The right side of `a - (b - c)` keeps its parentheses.
                left, right = self.at_least(binds, node.left), self.at_least(binds + 1, node.right)
                return f"{left} {node.operator} {right}", binds
            case Negative():
                return f"-{self.at_least(_ATOM, node.term)}", _NEGATIVE
            case Choice():
                condition, yes = self.at_least(_OR, node.condition), self.at_least(_OR, node.yes)
                return f"{yes} if {condition} else {self.at_least(_CHOICE, node.no)}", _CHOICE
            case Broken():
                raise AssertionError("a rule with findings has no function")

    def literal(self, literal: Literal) -> tuple[str, int]:
        """A constant; decimals are made once, outside the function."""
        value = literal.value
        if isinstance(value, Decimal):
            return self.constant(f"Decimal({str(value)!r})"), _ATOM
        negative = isinstance(value, int) and value < 0
        return repr(value), _NEGATIVE if negative else _ATOM

    def constant(self, value: str) -> str:
        """The name of a constant made outside the function."""
        return self.constants.setdefault(value, f"CONSTANT_{len(self.constants) + 1}")

    def among(self, node: Typed) -> str:
        """A list to look something up in. Python makes a frozenset of a set of plain constants, once."""
        if not isinstance(node, ListOf):
            return self.at_least(_SUM, node)
        if node.kind == "list<decimal>":
            return self.constant(f"frozenset([{', '.join(f'Decimal({str(item.value)!r})' for item in node.items)}])")
        return f"{{{', '.join(repr(item.value) for item in node.items)}}}"

    def read(self, read: Read) -> tuple[str, int]:
        """A field's value, with its default where it is absent."""
        place, default = self.place(read), read.named.default
        if read.kind == "list<string>" and read.named.declared:
            return f"{place} or ()", _OR
        if default is None:
            return place, _ATOM
        self._defaults += 1
        name = f"given_{self._defaults}"
        otherwise = self.literal(Literal(read.at, read.kind, default))[0]
        return f"{otherwise} if ({name} := {place}) is None else {name}", _CHOICE

    def place(self, read: Read) -> str:
        """Where a field is: an attribute, or declared and by name in a mapping."""
        base = read.base.name if isinstance(read.base, Variable) else self.place(read.base)
        if read.base.kind in _KEYED:
            return f"{base}[{read.field!r}]"
        if read.base.kind == "counters":
            return f"{base}.get({read.field!r}, 0)"
        if read.named.declared:
            return f"{base}.{'attributes' if read.base.kind == 'member' else 'fields'}.get({read.field!r})"
        return f"{base}.{read.field}"
