"""Declared fields as they are sent: each read by its type, what is wrong with it told by JSON pointer.

A field that nobody declared is kept as it was sent, and no rule can read it. Attributes are a member's fields: the root
document holds them, so they are plain and short.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from laurels.core.calendar import parse_instant
from laurels.core.facts import Scalar
from laurels.core.money import parse_minor, parse_quantity
from laurels.core.rule.environment import Field
from laurels.core.shape import Problem, below
from laurels.core.wire import ATTRIBUTE_MOST, ATTRIBUTES_BYTES_MOST, FIELDS_MOST, INTEGER_MOST

if TYPE_CHECKING:
    from laurels.core.activity import Declared

_encode: Final = msgspec.json.Encoder().encode


def _field(value: Any, field: Field, declared: Declared, pointer: str, problems: list[Problem]) -> Any:
    kind = field.type
    wrong: str | None = None
    if kind == "string":
        wrong = None if isinstance(value, str) and len(value) <= 2000 else "must be a text of at most 2,000 characters"
    elif kind == "bool":
        wrong = None if isinstance(value, bool) else "must be true or false"
    elif kind == "int":
        fits = isinstance(value, int) and not isinstance(value, bool) and -INTEGER_MOST <= value <= INTEGER_MOST
        wrong = None if fits else "must be a whole number between -2^53 and 2^53"
    elif kind == "list<string>":
        fits = isinstance(value, list) and len(value) <= FIELDS_MOST and all(isinstance(item, str) for item in value)
        wrong = None if fits else "must be a list of at most 100 texts"
    elif not isinstance(value, str):
        wrong = f"must be a {kind} written as a text, such as " + _SAMPLES[kind]
    else:
        try:
            return _FIELD_PARSERS[kind](value, declared)
        except ValueError as error:
            wrong = str(error)
    if wrong:
        problems.append(Problem(pointer, "invalid_field", wrong))
    return value


_SAMPLES: Final = {
    "decimal": '"1.5"',
    "money": '"19.99"',
    "timestamp": '"2026-03-01T10:00:00Z"',
    "date": '"2026-03-01"',
}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _date(text: str, _declared: Declared) -> str:
    if not _DATE.fullmatch(text):
        raise ValueError("must be a date such as 2026-03-01")
    parse_instant(text + "T00:00:00Z")
    return text


_FIELD_PARSERS: Final = {
    "decimal": lambda text, _declared: Decimal(parse_quantity(text)).scaleb(-6).normalize(),
    "money": lambda text, declared: parse_minor(text, declared.places),
    "timestamp": lambda text, _declared: parse_instant(text),
    "date": _date,
}


def _is_plain(value: Any) -> bool:
    """Whether the root document of a member can hold it."""
    try:
        msgspec.convert(value, Scalar)
    except msgspec.ValidationError:
        return False
    return True


def read_fields(
    given: dict[str, Any],
    scope: str,
    declared: Declared,
    pointer: str,
    problems: list[Problem],
    *,
    removable: bool = False,
) -> dict[str, Any]:
    """Declared fields parsed by their type; what is not declared is kept as sent but no rule can read it.

    A field that the program requires must be there, and with `removable` must not be removed.
    """
    problems.extend(
        [
            Problem(below(pointer, name), "missing_field", "the program requires this field")
            for name in declared.required.get(scope, ())
            if given.get(name) is None and (name in given or not removable)
        ]
    )
    if not given:
        return {}
    if len(given) > FIELDS_MOST:
        problems.append(Problem(pointer, "too_many_fields", f"at most {FIELDS_MOST} fields"))
        return {}
    fields = {field.name: field for field in declared.fields.get(scope, ())}
    parsed: dict[str, Any] = {}
    for name, value in given.items():
        field = fields.get(name)
        if value is None and not removable:
            continue
        if field is None or value is None:
            parsed[name] = value
            if scope == "member" and not _is_plain(value):
                # It becomes part of the member's root document, which holds nothing else.
                problems.append(Problem(below(pointer, name), "invalid_field", "a text, whole number, truth or texts"))
        else:
            parsed[name] = _field(value, field, declared, below(pointer, name), problems)
    return parsed


def read_attributes(
    given: dict[str, Any], declared: Declared, problems: list[Problem], *, removable: bool = False
) -> dict[str, Any]:
    """A member's attributes, each of which is short: the root document holds them, which everything reads."""
    pointer = "/data/attributes"
    parsed = read_fields(given, "member", declared, pointer, problems, removable=removable)
    for name, value in parsed.items():
        texts = value if isinstance(value, list) else (value,)
        if any(isinstance(text, str) and len(text) > ATTRIBUTE_MOST for text in (name, *texts)):
            problems.append(
                Problem(
                    below(pointer, name),
                    "too_long",
                    f"an attribute and its texts have at most {ATTRIBUTE_MOST} characters; what no rule reads belongs "
                    "elsewhere",
                )
            )
    if not problems and (size := attributes_size(given)) > ATTRIBUTES_BYTES_MOST:
        message = f"{size:,} bytes of JSON; the attributes of a member are at most {ATTRIBUTES_BYTES_MOST:,}"
        problems.append(Problem(pointer, "too_long", f"{message}, with those that the member has"))
    return parsed


def attributes_size(attributes: dict[str, Any]) -> int:
    """How many bytes attributes are as JSON."""
    return len(_encode(attributes)) if attributes else 0
