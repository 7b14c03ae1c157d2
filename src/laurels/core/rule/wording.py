"""The words of findings: kinds as people say them, suggestions for misspelled names, hints for first tries."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Final

_KINDS: Final[Mapping[str, str]] = {
    "money": "money",
    "number": "a decimal literal",
    "int": "a whole number",
    "bool": "a truth value",
    "wallets": "the wallets together",
    "tiers": "the tiers together",
    "counters": "the counters together",
    "member": "the member",
    "purchase": "the purchase",
    "activity": "the activity",
    "at": "the point in time",
}

_HINTS: Final[Mapping[frozenset[str], str]] = {
    frozenset(("int", "string")): "write a number without quotes and a text with quotes",
    frozenset(("bool", "string")): "write true and false without quotes",
    frozenset(("timestamp", "string")): 'write timestamp("2026-03-01T10:00:00+08:00")',
    frozenset(("duration", "string")): 'write duration("720h")',
    frozenset(("date", "string")): "a date is compared with a constant or with another date",
    frozenset(("date", "timestamp")): "compare at.date with dates, and timestamps with timestamp(...)",
    frozenset(("money", "string")): "write an amount without quotes: 30.00",
    frozenset(("money", "int")): "money is compared with literals only",
    frozenset(("quantity", "int")): "a quantity is compared with literals and quantities",
    frozenset(("decimal", "int")): "a decimal is compared with literals and decimals",
    frozenset(("quantity", "decimal")): "a quantity is compared with literals and quantities",
}

# What CEL does instead of a rule's own reading. Each entry: what it is, and what to write.
OUTSIDE: Final[Mapping[str, tuple[str, str]]] = {
    "_/_": ("division", "multiply the other side: `a > b * 2`"),
    "_%_": ("the remainder", "declare a field that says what you need"),
    "_[_]": ("indexing", "ask with `in`, `exists(x, ...)` or `all(x, ...)`"),
    "matches": ("a regular expression", "use startsWith, endsWith, contains or `in [...]`"),
    **dict.fromkeys(
        ("int", "uint", "double", "string", "bytes", "bool", "dyn", "type"),
        ("a conversion", "compare values of one type; declare the field with the type you need"),
    ),
    **dict.fromkeys(
        (
            *("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours"),
            *("getMilliseconds", "getMinutes", "getMonth", "getSeconds"),
        ),
        ("a date getter", "use at.hour, at.minute, at.weekday, at.date, at.day, at.month or at.year"),
    ),
}


def words(kind: str) -> str:
    """A kind as a sentence says it: "a string", "money", "a list of lines"."""
    if kind.startswith("list<"):
        return f"a list of {kind[5:-1]}s"
    return _KINDS.get(kind, f"a {kind}")


def mismatch_hint(left: str, right: str) -> str | None:
    """What to do about two kinds that do not compare, where that is known."""
    return _HINTS.get(frozenset((left, right)))


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'category'?` where a known word is near, else nothing."""
    near = difflib.get_close_matches(word.lower(), list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
