"""A mapping file says how the columns of a table become activities (docs/concepts/import.md is its reference).

Where a value is wanted, a word names a column; a form with `column` or `constant` says more: a default, replacements,
how numbers and instants are written. Forms and lists nest as the activity's data do. Reading a mapping finds all that
is wrong with it at once, with places; which columns a file lacks is said when the two are brought together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal

import msgspec
import yaml

from laurels.core.activity import is_type
from laurels.core.calendar import Zone

Scalar = str | int | bool

TEXT_LONGEST: Final = 1_000_000
DEPTH_MOST: Final = 24


class WrongMapping(ValueError):  # noqa: N818 - its text is for the author of the mapping
    """The mapping file cannot be understood; the text says all that is wrong, a line each, and where."""


class Value(msgspec.Struct, frozen=True):
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


class Csv(msgspec.Struct, frozen=True):
    """How a CSV file is written."""

    delimiter: str = ","
    encoding: str = "utf-8-sig"


class _Identifier(msgspec.Struct, frozen=True):
    kind: str
    value: Any


class _Document(msgspec.Struct, frozen=True):
    type: Any
    id: Any
    occurred_at: Any
    member: Any = None
    identifier: Any = None
    source: str | None = None
    zone: str | None = None
    group_by: str | tuple[str, ...] = ()
    data: dict[str, Any] = {}
    lines: dict[str, Any] | None = None
    lots: dict[str, Any] | None = None
    leave_out: dict[str, tuple[Scalar, ...]] = {}
    csv: Any = None


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
    if len(text) > TEXT_LONGEST:
        raise WrongMapping(f"longer than {TEXT_LONGEST:,} characters")
    try:
        _refuse_bombs(text)
        faults = _Faults(yaml.compose(text, Loader=yaml.CSafeLoader))
        found = yaml.load(text, Loader=yaml.CSafeLoader)
    except WrongMapping:
        raise
    except (yaml.YAMLError, ValueError) as error:
        # A ValueError is of a number or date that cannot be.
        raise WrongMapping(f"not readable as YAML: {' '.join(str(error).split())}") from None
    mapping = _mapping(found, faults)
    if faults.found:
        raise WrongMapping("\n".join(text for _place, text in sorted(faults.found)))
    return mapping


def _refuse_bombs(text: str) -> None:
    """Raises WrongMapping for what would grow as it is read: aliases, or lists and mappings deep in one another."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = 0 if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise WrongMapping(f"line {line}: anchors and aliases are not read here; write it out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_MOST:
                raise WrongMapping(f"line {line}: more than {DEPTH_MOST} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Faults:
    """What is wrong so far, in the order of the document, by the line and column of what it is wrong with."""

    def __init__(self, root: yaml.Node | None) -> None:
        self.found: list[tuple[tuple[int, int], str]] = []
        self._places: dict[str, tuple[int, int]] = {"": (1, 1)}
        self._enter(root, "")

    def _enter(self, node: yaml.Node | None, path: str) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._enter_at(key, value, _within(path, str(key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for n, value in enumerate(node.value):
                self._enter_at(value, value, f"{path}[{n}]")

    def _enter_at(self, at: yaml.Node, value: yaml.Node, path: str) -> None:
        mark = at.start_mark
        if mark is not None:
            self._places[path] = (mark.line + 1, mark.column + 1)
        self._enter(value, path)

    def note(self, path: str, message: str) -> None:
        """Something is wrong with what stands there, or is missing in what does."""
        known = path
        while known not in self._places:
            known = known[: max(known.rfind("."), known.rfind("["), 0)]
        line, column = self._places[known]
        self.found.append(((line, column), f"line {line}, column {column}: {f'{path}: ' if path else ''}{message}"))


def _within(path: str, word: str) -> str:
    return f"{path}.{word}" if path else word


def _words(given: Any, form: type[msgspec.Struct], path: str, faults: _Faults) -> dict[str, Any]:
    """The words of a form that are sound; those it does not say have their defaults."""
    known = {field.encode_name: field for field in msgspec.structs.fields(form)}
    found = {field.name: field.default for field in known.values() if field.default is not msgspec.NODEFAULT}
    found |= {field.name: field.default_factory() for field in known.values() if callable(field.default_factory)}
    if not isinstance(given, dict):
        faults.note(path, f"say these words: {', '.join(known)}")
        return found
    for word in given:
        if word not in known:
            near = get_close_matches(str(word), known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            faults.note(_within(path, str(word)), f"no such word; {hint}")
    for word, field in known.items():
        if word in given:
            try:
                found[field.name] = msgspec.convert(given[word], field.type)
            except msgspec.ValidationError as error:
                faults.note(_within(path, word), str(error).replace(" - at `$", ", in `").replace("`.", "`"))
        elif field.required:
            faults.note(path, f"{word} is missing")
    return found


def _mapping(given: Any, faults: _Faults) -> FileMapping:
    """The mapping; of one with faults, what could be made of it."""
    document = _words(given, _Document, "", faults)
    zone = _zone(document["zone"], "zone", faults)
    csv = Csv() if document["csv"] is None else Csv(**_words(document["csv"], Csv, "csv", faults))
    if len(csv.delimiter) != 1:
        faults.note("csv.delimiter", "one character")
    data, group_by = document["data"], document["group_by"]
    parts = {name: document[name] for name in ("lines", "lots") if document[name] is not None}
    if len(parts) == 2:
        faults.note("lots", "an activity has lines or lots, one of them")
    if group_by and not parts:
        faults.note("group_by", "says which rows are lines or lots of one activity, and there are neither")
    for name in sorted(parts.keys() & data.keys()):
        faults.note(f"data.{name}", "said twice")
    occurred_at = _value(document.get("occurred_at"), "occurred_at", zone, faults)
    if not occurred_at.is_instant:
        occurred_at = msgspec.structs.replace(occurred_at, to="instant", zone=zone)
    member, identifier = document["member"], document["identifier"]
    if (member is None) == (identifier is None):
        place = "" if member is None else "identifier"
        faults.note(place, "name the column of the member's id, or else an identifier with kind and value")
    named = {} if identifier is None else _words(identifier, _Identifier, "identifier", faults)
    who = member if identifier is None else named.get("value")
    return FileMapping(
        _value(document.get("type"), "type", zone, faults, constant=True),
        _value(document.get("id"), "id", zone, faults),
        _value(who, "member" if identifier is None else "identifier.value", zone, faults),
        named.get("kind"),
        occurred_at,
        document["source"],
        (group_by,) if isinstance(group_by, str) else group_by,
        {key: _form(form, f"data.{key}", zone, faults) for key, form in data.items()},
        {
            name: {key: _form(form, f"{name}.{key}", zone, faults) for key, form in forms.items()}
            for name, forms in parts.items()
        },
        {column: frozenset(map(text_of, values)) for column, values in document["leave_out"].items()},
        csv,
    )


_VALUE_WORDS: Final = frozenset(("column", "constant"))


def _form(given: Any, path: str, zone: str | None, faults: _Faults) -> Form:
    if isinstance(given, dict) and not _VALUE_WORDS & given.keys():
        return {str(key): _form(each, f"{path}.{key}", zone, faults) for key, each in given.items()}
    if isinstance(given, list):
        return [_form(each, f"{path}[{n}]", zone, faults) for n, each in enumerate(given)]
    return _value(given, path, zone, faults)


def _value(given: Any, path: str, zone: str | None, faults: _Faults, *, constant: bool = False) -> Value:
    """The value; a missing one is said by whoever misses it."""
    if given is None or isinstance(given, str):
        # An activity's type is nearly always the same for a whole file.
        if constant and given is not None and is_type(given):
            return Value(constant=given)
        return Value(column=given)
    before = len(faults.found)
    value = Value(**_words(given, Value, path, faults))
    if (value.column is None) == (value.constant is None) and len(faults.found) == before:
        faults.note(path, "name a column, or a form with either column or constant")
    if value.is_instant and value.zone is None:
        value = msgspec.structs.replace(value, zone=zone)
    elif value.zone is not None:
        _zone(value.zone, f"{path}.zone", faults)
    if value.decimals is not None and not 0 <= value.decimals <= 6:
        faults.note(f"{path}.decimals", "between 0 and 6")
    if value.split == "":
        faults.note(f"{path}.split", "at least one character")
    return value


def _zone(name: str | None, path: str, faults: _Faults) -> str | None:
    """The zone's name if it is one."""
    if name is not None:
        try:
            Zone(name)
        except ValueError as error:
            faults.note(path, str(error))
            return None
    return name


def text_of(value: Scalar) -> str:
    """A scalar as a cell of a text file would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
