"""From what CEL parsed to what it means: names resolved, kinds agreed, everything outside the language found.

Resolution goes on after a finding, so that one pass reports all of them; where one stands, a `Broken` node keeps silent
about what follows from it. Totality rests on this module: only operations that cannot fail get a node, and a sum that
could leave 64 bits under the bounds of `environment` is a finding.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from laurels.core.rule import tree
from laurels.core.rule.bounds import fits
from laurels.core.rule.environment import LARGEST_INT, Environment, Scope
from laurels.core.rule.literals import Misread, read_date, read_duration, read_instant, read_number
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
from laurels.core.rule.wording import OUTSIDE, mismatch_hint, suggestion, words

FUNCTIONS: Final = ("has", "size", "startsWith", "endsWith", "contains", "exists", "all", "timestamp", "duration")
LOOPS_MOST: Final = 2  # two loops over a thousand lines are a million steps

_COMPARISONS: Final = frozenset(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"))
_ORDERED: Final = frozenset(("string", "int", "date", "timestamp", "duration", "decimal", "quantity"))
_SCALED: Final = frozenset(("money", "quantity", "decimal"))


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, at which code point of the text."""

    at: int
    code: str
    message: str
    hint: str | None = None


class Resolver:
    """Resolves one rule; collects `problems` on the way."""

    def __init__(self, text: str, environment: Environment, scope: Scope) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._environment = environment
        self._scope: Scope = scope
        self._loops: list[Variable] = []
        self._loop_count = 0

    def rule(self, node: tree.Node) -> Typed:
        """The meaning of a whole rule, which is true or false."""
        resolved = self._node(node)
        if resolved.kind in ("bool", "broken"):
            return resolved
        hint = "compare it: a condition such as `purchase.total >= 30.00` is true or false"
        message = f"a rule is true or false, but this is {words(resolved.kind)}"
        return self._broken(self._start(node), "rule_not_bool", message, hint, [resolved])

    def _problem(self, at: int, code: str, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(at, code, message, hint))

    def _broken(
        self, at: int, code: str, message: str, hint: str | None = None, inside: Iterable[Typed] = ()
    ) -> Broken:
        self._problem(at, code, message, hint)
        return Broken(at, tuple(inside))

    def _node(self, node: tree.Node) -> Typed:
        match node:
            case tree.Constant():
                return self._constant(node)
            case tree.Name():
                return self._name(node)
            case tree.Selection():
                return self._selection(node)
            case tree.Call():
                return self._call(node)
            case tree.Listing():
                return self._listing(node)
            case tree.Macro():
                return self._macro(node)
            case tree.Other():
                return self._broken(node.at, "rule_outside_subset", "a rule cannot make maps or messages")

    def _condition(self, node: tree.Node, sign: str) -> Typed:
        resolved = self._node(node)
        if resolved.kind in ("bool", "broken"):
            return resolved
        message = f"{sign} takes conditions, but this is {words(resolved.kind)}"
        return self._broken(self._start(node), "rule_type_mismatch", message, "compare it with something", [resolved])

    # --- positions ---

    def _start(self, node: tree.Node) -> int:
        """Where a node's text begins, parentheses aside; CEL gives the place of its operator."""
        match node:
            case tree.Selection(operand=operand, test=False):
                return self._start(operand)
            case tree.Call(function=function, args=args, method=method) if args:
                written_before = function.startswith("_") or function == "@in" or method
                return self._start(args[0]) if written_before else self._called_at(node)
            case tree.Macro(over=over):
                return self._start(over)
            case _:
                return node.at

    def _called_at(self, node: tree.Call) -> int:
        """Where a function's name is written; CEL gives the parenthesis after it."""
        before = self._text[: node.at].rstrip()
        return len(before) - len(node.function) if before.endswith(node.function) else node.at

    def _field_at(self, node: tree.Selection) -> int:
        """Where a field's name is written; CEL gives the dot before it, or the parenthesis of has()."""
        at = node.at
        if node.test:
            operand = node.operand
            begin = self._field_at(operand) if isinstance(operand, tree.Selection) else operand.at
            at = self._text.find(".", begin)
        found = _FIELD.match(self._text, max(at, 0))
        return found.start(1) if found and found[1] == node.field else node.at

    # --- names ---

    def _name(self, node: tree.Name) -> Typed:
        for loop in reversed(self._loops):
            if loop.written == node.name:
                return msgspec.structs.replace(loop, at=node.at)
        variables = self._variables()
        # A leading dot means the outermost scope.
        name = node.name.removeprefix(".")
        if name in variables:
            return Variable(node.at, variables[name], name, name, name)
        return self._broken(node.at, "rule_unknown_name", *self._unknown_name(node.name, variables))

    def _variables(self) -> Mapping[str, str]:
        return self._environment.variables(self._scope)

    def _unknown_name(self, name: str, variables: Mapping[str, str]) -> tuple[str, str | None]:
        if name in self._environment.absent:
            return f"{name!r} is not known here", self._environment.absent[name]
        if name in ("purchase", "line") and not self._environment.has_purchase:
            return f"{name!r} is known only to rules about purchases", None
        if name == "line":
            hint = 'write `purchase.lines.exists(l, has(l.sku) && l.sku == "A")`, or choose lines with `lines`'
            return "'line' is known only where each line is asked by itself", hint
        known = f"a rule may name {', '.join(sorted(variables))}"
        owners = [owner for owner, kind in variables.items() if name in self._environment.messages[kind]]
        if owners:
            return f"unknown name {name!r}; did you mean '{owners[-1]}.{name}'?", known
        near = suggestion(name, [*(loop.written for loop in self._loops), *variables])
        return f"unknown name {name!r}{near}", known

    def _selection(self, node: tree.Selection) -> Typed:
        base = self._node(node.operand)
        at = self._field_at(node)
        if base.kind == "broken":
            return Broken(at, (base,))
        fields = self._environment.messages.get(base.kind)
        if fields is None or not isinstance(base, Variable | Read):
            message = f"{words(base.kind)} has no fields"
            hint = (
                "ask about its elements with exists(x, ...) or all(x, ...)" if base.kind.startswith("list<") else None
            )
            return self._broken(at, "rule_unknown_field", message, hint, [base])
        named = fields.get(node.field)
        if named is None:
            message = f"unknown field {node.field!r}{suggestion(node.field, fields)}"
            hint = self._environment.absent.get(f"{base.kind}.{node.field}")
            hint = hint or f"{base.written} has {', '.join(sorted(fields)) or 'no fields'}"
            return self._broken(at, "rule_unknown_field", message, hint, [base])
        read = Read(at, base, node.field, named)
        return self._has(read) if node.test else read

    def _has(self, read: Read) -> Typed:
        if read.named.optional:
            return Has(read.at, read)
        hint = f"leave has({read.written}) out"
        if read.kind.startswith("list<"):
            hint = f"an absent list is empty: write size({read.written}) > 0"
        return self._broken(read.at, "rule_needless_has", f"{read.written} is always there", hint)

    # --- constants and lists ---

    def _constant(self, node: tree.Constant) -> Typed:
        if node.value is None:
            hint = "ask with has(...) whether a field is there" if node.kind == "null" else None
            return self._broken(node.at, "rule_outside_subset", f"a rule has no {node.kind} literals", hint)
        return Literal(node.at, "number" if node.kind == "decimal" else node.kind, node.value)

    def _listing(self, node: tree.Listing) -> Typed:
        if not node.items:
            return self._broken(node.at, "rule_empty_list", "a list in a rule holds at least one constant")
        items = [self._node(item) for item in node.items]
        literals: list[Literal] = []
        for place, item in zip(node.items, items, strict=True):
            if isinstance(item, Literal):
                literals.append(item)
                if isinstance(item.value, int) and abs(item.value) > LARGEST_INT:
                    self._problem(item.at, "rule_overflow", f"{item.value} is beyond 2^53, where fields end")
            elif item.kind != "broken":
                hint = "compare with `==` and join with `||`"
                self._problem(self._start(place), "rule_outside_subset", "a list in a rule holds constants only", hint)
        if len(literals) < len(items):
            return Broken(node.at, tuple(items))
        kinds = {literal.kind for literal in literals}
        if len(kinds) == 1 or kinds == {"int", "number"}:
            return ListOf(node.at, f"list<{max(kinds)}>", tuple(literals))
        other = next(literal for literal in literals if literal.kind != literals[0].kind)
        message = f"{words(other.kind)} in a list that begins with {words(literals[0].kind)}"
        return self._broken(other.at, "rule_type_mismatch", message)

    def _time_literal(self, node: tree.Call) -> Typed:
        literal = self._node(node.args[0])
        if literal.kind == "broken":
            return literal
        if not isinstance(literal, Literal) or literal.kind != "string":
            message = f"{node.function} takes a constant in quotes"
            hint = (
                f"a rule cannot convert: declare the field as a {node.function}"
                if node.function == "timestamp"
                else None
            )
            return self._broken(self._called_at(node), "rule_outside_subset", message, hint, [literal])
        read = (read_instant if node.function == "timestamp" else read_duration)(str(literal.value))
        return self._literal(literal, node.function, read) or Broken(node.at)

    def _literal(self, literal: Literal, kind: str, read: str | int | Decimal | Misread) -> Literal | None:
        """The literal in the kind it was read as; None after a finding."""
        if isinstance(read, Misread):
            self._problem(literal.at, read.code, read.message, read.hint)
            return None
        return Literal(literal.at, kind, read)

    # --- calls ---

    def _call(self, node: tree.Call) -> Typed:
        match node.function, len(node.args):
            case "_&&_" | "_||_", 2:
                sign, operator = ("`&&`", "and") if node.function == "_&&_" else ("`||`", "or")
                terms = _chain(node, node.function)
                return Join(node.at, operator, tuple(self._condition(term, sign) for term in terms))
            case "!_", 1:
                return Not(node.at, self._condition(node.args[0], "`!`"))
            case function, 2 if function in _COMPARISONS:
                left, right = self._args(node)
                return self._compare(node.at, function.strip("_"), left, right)
            case "@in", 2:
                return self._in(node)
            case "_+_" | "_-_" | "_*_", 2:
                left, right = self._args(node)
                return self._arithmetic(node.at, node.function[1], left, right)
            case "-_", 1:
                return self._negative(node)
            case "_?_:_", 3:
                return self._choice(node)
            case "size", 1:
                return self._size(node)
            case "startsWith" | "endsWith" | "contains", 2 if node.method:
                return self._string_test(node)
            case "timestamp" | "duration", 1 if not node.method:
                return self._time_literal(node)
            case _:
                return self._unknown_call(node)

    def _unknown_call(self, node: tree.Call) -> Typed:
        name, at = node.function, self._called_at(node)
        if name in OUTSIDE:
            what, hint = OUTSIDE[name]
            return self._broken(at, "rule_outside_subset", f"{what} has no place in a rule", hint, self._args(node))
        if name in FUNCTIONS:
            hint = (
                f"write {name}(...)" if name in ("size", "timestamp", "duration", "has") else f"write text.{name}(...)"
            )
            return self._broken(at, "rule_unknown_function", f"{name} is called differently", hint, self._args(node))
        message = f"unknown function {name!r}{suggestion(name, FUNCTIONS)}"
        hint = f"a rule may use {', '.join(FUNCTIONS)}"
        if node.method and isinstance(node.args[0], tree.Name) and node.args[0].name not in self._variables():
            # `module.function(x)`: that the module is no variable goes without saying.
            return self._broken(at, "rule_unknown_function", message, hint, map(self._node, node.args[1:]))
        return self._broken(at, "rule_unknown_function", message, hint, self._args(node))

    def _args(self, node: tree.Call) -> list[Typed]:
        return [self._node(arg) for arg in node.args]

    def _size(self, node: tree.Call) -> Typed:
        of = self._node(node.args[0])
        if of.kind in ("string", "broken") or (of.kind.startswith("list<") and not isinstance(of, ListOf)):
            return Size(node.at, of)
        message = f"size counts the elements of a list field or the characters of a string, not {words(of.kind)}"
        return self._broken(self._start(node), "rule_type_mismatch", message, None, [of])

    def _string_test(self, node: tree.Call) -> Typed:
        text, part = self._args(node)
        for place, side in zip(node.args, (text, part), strict=True):
            if side.kind not in ("string", "broken"):
                hint = "use at.year, at.month or at.day, or compare with dates" if side.kind == "date" else None
                if side.kind == "list<string>" and node.function == "contains":
                    hint = 'write `"a" in list`'
                message = f"{node.function} is asked of strings, but this is {words(side.kind)}"
                return self._broken(self._start(place), "rule_type_mismatch", message, hint, [text, part])
        return StringTest(node.at, node.function, text, part)

    def _choice(self, node: tree.Call) -> Typed:
        condition = self._condition(node.args[0], "`?`")
        yes, no = self._node(node.args[1]), self._node(node.args[2])
        kind = yes.kind if yes.kind == no.kind else "broken"
        if kind == "broken" and "broken" not in (yes.kind, no.kind):
            message = f"`? :` chooses between {words(yes.kind)} and {words(no.kind)}"
            self._problem(node.at, "rule_type_mismatch", message, "both sides are of one type")
        elif kind not in _ORDERED | {"bool", "money", "broken"}:
            hint = "choose between comparisons: `a ? x > 1.5 : x > 2.5`"
            self._problem(node.at, "rule_outside_subset", f"`? :` cannot choose {words(kind)}", hint)
            kind = "broken"
        return Choice(node.at, condition, yes, no, kind)

    def _macro(self, node: tree.Macro) -> Typed:
        over = self._node(node.over)
        choices: tuple[str, ...] = ()
        at = max(self._text.rfind(node.how, 0, node.at), 0)
        if node.body is None:
            what, hint = OUTSIDE.get(node.how, (node.how, "use exists(x, ...) or all(x, ...)"))
            return self._broken(at, "rule_outside_subset", f"{what} has no place in a rule", hint, [over])
        if over.kind == "broken":
            element, path = "broken", ""
        elif over.kind.startswith("list<"):
            element, path = over.kind[5:-1], over.path if isinstance(over, Read) else ""
            choices = over.named.choices if isinstance(over, Read) else ()
        else:
            self._problem(at, "rule_type_mismatch", f"{node.how} asks about a list, and this is {words(over.kind)}")
            element, path = "broken", ""
        if len(self._loops) == LOOPS_MOST:
            self._problem(at, "rule_too_deep", f"exists and all stand in one another {LOOPS_MOST} deep at most")
        if node.variable in self._variables():
            message = f"{node.variable!r} is a variable already"
            self._problem(at, "rule_name_taken", message, f"choose another name in {node.how}(x, ...)")
        self._loop_count += 1
        variable = Variable(node.at, element, f"each_{self._loop_count}", node.variable, path, choices)
        self._loops.append(variable)
        body = self._condition(node.body, f"`{node.how}`")
        self._loops.pop()
        return Quantified(node.at, node.how, variable, over, body)

    # --- comparisons ---

    def _compare(self, at: int, operator: str, left: Typed, right: Typed) -> Typed:
        agreed = self._agree(at, f"`{operator}`", left, right)
        if agreed is None:
            return Broken(at, (left, right))
        left, right = agreed
        equality = operator in ("==", "!=")
        if left.kind in _ORDERED or (left.kind == "money" and not equality) or (left.kind == "bool" and equality):
            return Compare(at, operator, left, right)
        hint = "ask with `in`, exists or all" if left.kind.startswith("list<") else None
        if left.kind == "money":
            hint = "write a range: `x >= 30.00 && x <= 30.00`"
            return self._broken(at, "rule_money_comparison", f"money is not compared with `{operator}`", hint, agreed)
        message = f"{words(left.kind)} is not compared with `{operator}`"
        return self._broken(at, "rule_type_mismatch", message, hint, agreed)

    def _in(self, node: tree.Call) -> Typed:
        item, among = self._args(node)
        if isinstance(among, ListOf):
            return self._in_constants(node.at, item, among)
        if "broken" in (item.kind, among.kind):
            return Broken(node.at, (item, among))
        if among.kind != "list<string>":
            message = f"`in` asks a list of constants or of strings, and this is {words(among.kind)}"
            hint = "write exists(x, ...)" if among.kind.startswith("list<") else None
            if among.kind == "string":
                hint = 'write text.contains("part")'
            return self._broken(self._start(node.args[1]), "rule_type_mismatch", message, hint, [item, among])
        if item.kind != "string":
            message = f"{words(item.kind)} cannot be in a list of strings"
            return self._broken(node.at, "rule_type_mismatch", message, None, [item, among])
        if isinstance(item, Literal) and not self._is_possible(item, among):
            return Broken(node.at, (item, among))
        return In(node.at, item, among)

    def _in_constants(self, at: int, item: Typed, among: ListOf) -> Typed:
        if item.kind == "money":
            hint = "write ranges: `x >= 30.00 && x <= 30.00`"
            return self._broken(at, "rule_money_comparison", "money is not compared with `in`", hint, [item])
        items: list[Literal] = []
        for constant in among.items:
            agreed = self._agree(constant.at, "`in`", item, constant)
            if agreed is None:
                return Broken(at, (item,))
            item, fitted = agreed
            assert isinstance(fitted, Literal)
            items.append(fitted)
        if item.kind not in _ORDERED | {"bool"}:
            message = f"{words(item.kind)} is not compared with `in`"
            return self._broken(at, "rule_type_mismatch", message, None, [item])
        return In(at, item, ListOf(among.at, f"list<{item.kind}>", tuple(items)))

    def _agree(self, at: int, sign: str, left: Typed, right: Typed) -> tuple[Typed, Typed] | None:
        """Both sides in one kind, a literal taking that of the field it meets; None where something is wrong."""
        if "broken" in (left.kind, right.kind):
            return None
        fitted_left, fitted_right = self._fitted(left, right), self._fitted(right, left)
        if fitted_left is None or fitted_right is None:
            return None
        kinds = {fitted_left.kind, fitted_right.kind}
        if "number" in kinds:
            message = f"{sign} between {words(left.kind)} and {words(right.kind)}"
            hint = "write a whole number" if "int" in kinds else "a decimal is compared with money and decimal fields"
            self._problem(at, "rule_type_mismatch", message, hint)
        elif kinds == {"money"} and not isinstance(fitted_left, Literal) and not isinstance(fitted_right, Literal):
            self._problem(at, "rule_money_comparison", "money is compared with literals only", "write an amount: 30.00")
        elif len(kinds) == 1:
            return fitted_left, fitted_right
        else:
            message = f"{sign} between {words(left.kind)} and {words(right.kind)}"
            self._problem(at, "rule_type_mismatch", message, mismatch_hint(left.kind, right.kind))
        return None

    def _fitted(self, node: Typed, other: Typed) -> Typed | None:
        """A literal as a value of the kind of what it is compared with; None after a finding."""
        if not isinstance(node, Literal):
            return node
        if node.kind in ("int", "number") and other.kind in _SCALED and not isinstance(other, Literal):
            read = read_number(str(node.value), other.kind, self._environment.currency_places)
            return self._literal(node, other.kind, read)
        if node.kind == "string" and other.kind == "date":
            return self._literal(node, "date", read_date(str(node.value)))
        if node.kind == other.kind == "string" and not self._is_possible(node, other):
            return None
        return node

    def _is_possible(self, literal: Literal, other: Typed) -> bool:
        """Whether a field, or an element of a list, may say that word; a finding where not."""
        if not isinstance(other, Read | Variable):
            return True
        choices = other.named.choices if isinstance(other, Read) else other.choices
        word = str(literal.value)
        if not choices or word in choices:
            return True
        never, may = ("is never", "is one") if other.kind == "string" else ("never has", "has any")
        message = f"{other.written} {never} {word!r}{suggestion(word, choices)}"
        self._problem(literal.at, "rule_unknown_value", message, f"it {may} of {', '.join(choices)}")
        return False

    # --- sums ---

    def _arithmetic(self, at: int, operator: str, left: Typed, right: Typed) -> Typed:
        kinds = (left.kind, right.kind)
        if "broken" in kinds:
            return Broken(at, (left, right))
        if kinds == ("int", "int"):
            if operator == "*" and not isinstance(left, Literal) and not isinstance(right, Literal):
                message = "two fields are not multiplied"
                return self._broken(at, "rule_outside_subset", message, "multiply by a number", [left, right])
            return self._within(Arithmetic(at, operator, left, right, "int"))
        if (operator in "+-" and kinds == ("timestamp", "duration")) or (
            operator == "+" and kinds == ("duration", "timestamp")
        ):
            return self._within(Arithmetic(at, operator, left, right, "timestamp"))
        message = f"`{operator}` between {words(left.kind)} and {words(right.kind)}"
        hint = "only whole numbers are added, subtracted and multiplied"
        if kinds == ("timestamp", "timestamp"):
            hint = 'add a duration to one and compare: `a < b + duration("720h")`'
        elif "money" in kinds or not _SCALED.isdisjoint(kinds):
            hint = "compare the fields one by one; amounts are computed by `grant`"
        return self._broken(at, "rule_outside_subset", message, hint, [left, right])

    def _negative(self, node: tree.Call) -> Typed:
        term = self._node(node.args[0])
        if term.kind == "int":
            return self._within(Negative(node.at, term))
        if term.kind == "broken":
            return Broken(node.at, (term,))
        message = f"`-` before {words(term.kind)}"
        return self._broken(node.at, "rule_outside_subset", message, "only whole numbers are negated", [term])

    def _within(self, node: Arithmetic | Negative) -> Typed:
        """The sum, unless it could leave what CEL can hold, given the bounds of fields."""
        if fits(node):
            return node
        what = "64 bits" if node.kind == "int" else "the years 1 to 9999"
        hint = "fields lie between -2^53 and 2^53" if node.kind == "int" else "fields lie before the year 9000"
        return self._broken(node.at, "rule_overflow", f"this could leave {what}", hint, [node])


def _chain(node: tree.Node, function: str) -> Iterable[tree.Node]:
    """The terms of `a && b && c`, which CEL arranges as a balanced tree, from left to right."""
    if isinstance(node, tree.Call) and node.function == function:
        for arg in node.args:
            yield from _chain(arg, function)
    else:
        yield node


_FIELD: Final = re.compile(r"\.\s*`?(\w+)", re.ASCII)
