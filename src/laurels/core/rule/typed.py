"""What a rule means: a tree in which every name is resolved and every value has a kind.

This is all that a rule can say, so a reader of rules (the Python function, an SQL predicate) is complete when it knows
these nodes. Literals are in the form of run time: money in minor units, quantities in millionths, instants and
durations in microseconds, dates as text. Kinds are the types of fields, "quantity", "duration", the names of messages
("line") and lists of these ("list<line>").
"""

from decimal import Decimal

import msgspec

from laurels.core.rule.environment import Named


class Literal(msgspec.Struct, frozen=True):
    """A constant. `kind` is "number" for a decimal one that has not met the field it is compared with."""

    at: int
    kind: str
    value: str | int | bool | Decimal


class Variable(msgspec.Struct, frozen=True):
    """A variable of the environment, or of `exists` and `all`; `name` is unique in the rule, `written` as it is there.

    `path` is where its values come from: "purchase.lines" for a line, "" for an element of a list in the rule itself.
    `choices` are what an element of a list of words may be; none is anything.
    """

    at: int
    kind: str
    name: str
    written: str
    path: str
    choices: tuple[str, ...] = ()


class Read(msgspec.Struct, frozen=True):
    """A field of a variable or of a message in it."""

    at: int
    base: "Variable | Read"
    field: str
    named: Named

    @property
    def kind(self) -> str:
        """The kind of the field."""
        return self.named.kind

    @property
    def name(self) -> str:
        """The place that is read; equal for two reads of the same field of the same object."""
        return f"{self.base.name}.{self.field}"

    @property
    def written(self) -> str:
        """The read as a rule writes it."""
        return f"{self.base.written}.{self.field}"

    @property
    def path(self) -> str:
        """What is read, whichever line or tender it is read from."""
        return f"{self.base.path}.{self.field}"


class ListOf(msgspec.Struct, frozen=True):
    """Constants of one kind."""

    at: int
    kind: str
    items: tuple[Literal, ...]


class Has(msgspec.Struct, frozen=True):
    """Whether an optional field is there."""

    at: int
    read: Read
    kind: str = "bool"


class Compare(msgspec.Struct, frozen=True):
    """`left operator right`, with two values of one kind."""

    at: int
    operator: str
    left: "Typed"
    right: "Typed"
    kind: str = "bool"


class In(msgspec.Struct, frozen=True):
    """Whether a list holds the item."""

    at: int
    item: "Typed"
    among: "Typed"
    kind: str = "bool"


class Join(msgspec.Struct, frozen=True):
    """Two or more conditions joined by `and` or by `or`, judged from left to right as far as needed."""

    at: int
    operator: str
    terms: "tuple[Typed, ...]"
    kind: str = "bool"


class Not(msgspec.Struct, frozen=True):
    """The opposite of a condition."""

    at: int
    term: "Typed"
    kind: str = "bool"


class Quantified(msgspec.Struct, frozen=True):
    """Whether the body holds for any element of a list, or for all."""

    at: int
    how: str
    variable: Variable
    over: "Typed"
    body: "Typed"
    kind: str = "bool"


class Size(msgspec.Struct, frozen=True):
    """The number of elements of a list, or of code points of a string."""

    at: int
    of: "Typed"
    kind: str = "int"


class StringTest(msgspec.Struct, frozen=True):
    """`text.startsWith(part)`, `endsWith` or `contains`."""

    at: int
    how: str
    text: "Typed"
    part: "Typed"
    kind: str = "bool"


class Arithmetic(msgspec.Struct, frozen=True):
    """`left operator right` on integers, or an instant moved by a duration."""

    at: int
    operator: str
    left: "Typed"
    right: "Typed"
    kind: str


class Negative(msgspec.Struct, frozen=True):
    """The negative of an integer."""

    at: int
    term: "Typed"
    kind: str = "int"


class Choice(msgspec.Struct, frozen=True):
    """`condition ? yes : no`."""

    at: int
    condition: "Typed"
    yes: "Typed"
    no: "Typed"
    kind: str


class Broken(msgspec.Struct, frozen=True):
    """Where a finding stands; keeps what is inside, so that that is judged too. A rule that passed has none."""

    at: int
    parts: "tuple[Typed, ...]" = ()
    kind: str = "broken"


Typed = (
    Literal
    | Variable
    | Read
    | ListOf
    | Has
    | Compare
    | In
    | Join
    | Not
    | Quantified
    | Size
    | StringTest
    | Arithmetic
    | Negative
    | Choice
    | Broken
)


def parts(node: Typed) -> tuple[Typed, ...]:
    """The nodes directly inside a node, from left to right."""
    match node:
        case Read():
            return (node.base,)
        case Has():
            return (node.read,)
        case Compare() | Arithmetic():
            return (node.left, node.right)
        case In():
            return (node.item, node.among)
        case Join():
            return node.terms
        case Not() | Negative():
            return (node.term,)
        case Quantified():
            return (node.over, node.body)
        case Size():
            return (node.of,)
        case StringTest():
            return (node.text, node.part)
        case Choice():
            return (node.condition, node.yes, node.no)
        case Broken():
            return node.parts
        case ListOf():
            return node.items
        case Literal() | Variable():
            return ()


def reads(node: Typed) -> frozenset[str]:
    """The dotted paths that a rule reads, of lists also the list itself: "purchase.lines", "purchase.lines.sku"."""
    if isinstance(node, Read):
        return frozenset((node.path,))
    return frozenset().union(*map(reads, parts(node)))
