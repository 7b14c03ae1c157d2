"""A mapping file says how the columns of a table become activities (docs/concepts/import.md is its reference).

Where a value is wanted, a word names a column; a form with `column` or `constant` says more: a default, replacements,
how numbers and instants are written. Forms and lists nest as the activity's data do. Reading a mapping finds unknown
words; which columns a file lacks is said when the two are brought together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
import yaml

from laurels.core.activity import is_type
from laurels.core.calendar import Zone

Scalar = str | int | bool


class WrongMapping(ValueError):  # noqa: N818 - its text is for the author of the mapping
    """The mapping file cannot be understood; the text says what is wrong where."""


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value of an activity: from a column, or the same for all.

    `values` replaces what a cell holds, `default` stands in for an empty one. `split` makes a list of a text. `format`
    and `zone` make an instant of it; `decimals` and `decimal` say how a number is to be written and how it is.
    """

    column: str | None = None
    constant: Scalar | None = None
    default: Scalar | None = None
    values: dict[str, Scalar | None] | None = None
    split: str | None = None
    to: Literal["text", "integer", "boolean", "instant"] | None = msgspec.field(default=None, name="as")
    zone: str | None = None
    format: str | None = None
    decimals: int | None = None
    decimal: Literal[".", ","] = "."

    @property
    def is_instant(self) -> bool:
        """Whether the value is an instant."""
        return self.to == "instant" or self.zone is not None or self.format is not None


Form = Value | dict[str, "Form"] | list["Form"]
"""A value, or values nested as the data of an activity are."""


class Csv(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a CSV file is written."""

    delimiter: str = ","
    encoding: str = "utf-8-sig"


class _Identifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    value: Any


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: Any
    id: Any
    occurred_at: Any
    member: Any = None
    identifier: _Identifier | None = None
    source: str | None = None
    zone: str | None = None
    group_by: str | tuple[str, ...] = ()
    data: dict[str, Any] = {}
    lines: dict[str, Any] | None = None
    lots: dict[str, Any] | None = None
    leave_out: dict[str, tuple[Scalar, ...]] = {}
    csv: Csv = Csv()


class FileMapping(msgspec.Struct, frozen=True):
    """A mapping as read. `each` are the parts of the data that have one element a row: `lines` or `lots`.

    With `identifier_kind`, `member` is not the member's id but such an identifier.
    """

    type: Value
    id: Value
    member: Value
    identifier_kind: str | None
    occurred_at: Value
    source: str | None
    group_by: tuple[str, ...]
    data: dict[str, Form]
    each: dict[str, dict[str, Form]]
    leave_out: dict[str, frozenset[str]]
    csv: Csv

    def columns(self) -> tuple[str, ...]:
        """Every column that the mapping names, once, in the order in which it names them."""
        named = dict.fromkeys(self.group_by)
        for form in (self.type, self.id, self.member, self.occurred_at, self.data, self.each):
            named |= dict.fromkeys(_columns(form))
        return tuple(named | dict.fromkeys(self.leave_out))


def _columns(form: Any) -> Iterator[str]:
    if isinstance(form, Value):
        if form.column is not None:
            yield form.column
    else:
        for each in form.values() if isinstance(form, Mapping) else form:
            yield from _columns(each)


def read_mapping(text: str) -> FileMapping:
    """The mapping that a YAML or JSON document states; raises WrongMapping."""
    try:
        found = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise WrongMapping(f"not readable as YAML: {' '.join(str(error).split())}") from None
    try:
        document = msgspec.convert(found, _Document)
    except msgspec.ValidationError as error:
        raise WrongMapping(_said(error)) from None
    zone = _zone(document.zone, "zone")
    if len(document.csv.delimiter) != 1:
        raise WrongMapping("csv.delimiter: one character")
    if document.lines is not None and document.lots is not None:
        raise WrongMapping("lines and lots: an activity has one of them")
    each = {
        name: {key: _form(form, f"{name}.{key}", zone) for key, form in forms.items()}
        for name, forms in (("lines", document.lines), ("lots", document.lots))
        if forms is not None
    }
    group_by = (document.group_by,) if isinstance(document.group_by, str) else document.group_by
    if group_by and not each:
        raise WrongMapping("group_by: says which rows are lines or lots of one activity, and there are neither")
    if (overlap := set(each) & set(document.data)) != set():
        raise WrongMapping(f"data.{min(overlap)}: said twice")
    occurred_at = _value(document.occurred_at, "occurred_at", zone)
    if not occurred_at.is_instant:
        occurred_at = msgspec.structs.replace(occurred_at, to="instant", zone=zone)
    identifier = document.identifier
    if (document.member is None) == (identifier is None):
        raise WrongMapping("member: name the column of the member's id, or else an identifier with kind and value")
    who = document.member if identifier is None else identifier.value
    return FileMapping(
        _value(document.type, "type", zone, constant=True),
        _value(document.id, "id", zone),
        _value(who, "member" if identifier is None else "identifier.value", zone),
        None if identifier is None else identifier.kind,
        occurred_at,
        document.source,
        group_by,
        {key: _form(form, f"data.{key}", zone) for key, form in document.data.items()},
        each,
        {column: frozenset(map(text_of, values)) for column, values in document.leave_out.items()},
        document.csv,
    )


_VALUE_WORDS: Final = frozenset(("column", "constant"))


def _form(given: Any, place: str, zone: str | None) -> Form:
    if isinstance(given, dict) and not _VALUE_WORDS & given.keys():
        return {str(key): _form(each, f"{place}.{key}", zone) for key, each in given.items()}
    if isinstance(given, list):
        return [_form(each, f"{place}[{n}]", zone) for n, each in enumerate(given)]
    return _value(given, place, zone)


def _value(given: Any, place: str, zone: str | None, *, constant: bool = False) -> Value:
    if isinstance(given, str):
        # An activity's type is nearly always the same for a whole file.
        if constant and is_type(given):
            return Value(constant=given)
        return Value(column=given)
    try:
        value = msgspec.convert(given, Value)
    except msgspec.ValidationError as error:
        raise WrongMapping(f"{place}: {_said(error)}") from None
    if (value.column is None) == (value.constant is None):
        raise WrongMapping(f"{place}: name a column, or a form with either column or constant")
    if value.is_instant and value.zone is None:
        value = msgspec.structs.replace(value, zone=zone)
    _zone(value.zone, f"{place}.zone")
    if value.decimals is not None and not 0 <= value.decimals <= 6:
        raise WrongMapping(f"{place}.decimals: between 0 and 6")
    if value.split == "":
        raise WrongMapping(f"{place}.split: at least one character")
    return value


def _zone(name: str | None, place: str) -> str | None:
    if name is not None:
        try:
            Zone(name)
        except ValueError as error:
            raise WrongMapping(f"{place}: {error}") from None
    return name


def text_of(value: Scalar) -> str:
    """A scalar as a cell of a text file would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _said(error: msgspec.ValidationError) -> str:
    text, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`").lstrip(".")
    return f"{path}: {text}" if path else text
