"""Rows become activities: one each, or several that follow one another under the same group become one.

What cannot be an activity becomes faults that name line and reason. An activity of several rows of which one is bad is
left out as a whole, because half a purchase would be a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from laurels.core.calendar import Instant, parse_instant
from laurels.core.shape import problem_of
from laurels.intake.importing.cells import Row, Taker, Unfit, instant_taker, taker, text_from
from laurels.intake.importing.mapping import FileMapping, Form, Value
from laurels.intake.submission import Submission
from laurels.store.people import Identifier

ROWS_MOST: Final = 20_000
"""How many rows of one group are kept; more cannot be one activity."""


FAULTS_MOST: Final = 100
"""How many unreadable rows behind a group may be in its midst."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a line of the file, or with the part of an activity that came from it."""

    line: int
    code: str
    message: str
    pointer: str = ""


class Read(msgspec.Struct, frozen=True):
    """A row as read: the line it begins on, its cells, or why there are none."""

    line: int
    cells: Row = ()
    fault: str | None = None


class Shaped(msgspec.Struct, frozen=True):
    """What became of some rows that follow one another: an activity or faults, or neither where all are left out.

    `rows` is how many rows they are, `left_out` how many of them were left out on purpose; `lines` says on which lines
    the others begin. A submission without a member comes with the `identifier` of one.
    """

    rows: int
    lines: tuple[int, ...]
    submission: Submission | None = None
    identifier: Identifier | None = None
    faults: tuple[Fault, ...] = ()
    id: str | None = None
    left_out: int = 0

    @property
    def line(self) -> int:
        """The line on which the first of the rows begins."""
        return self.lines[0] if self.lines else 0


class _WireIdentifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    value: str


class _Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    type: str
    occurred_at: str
    member: str | None = None
    identifier: _WireIdentifier | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")
    source: str | None = None


_decode_wire: Final = msgspec.json.Decoder(_Wire).decode
_encode: Final = msgspec.json.Encoder().encode


def shape_activities(rows: Iterable[Read], source: str) -> Iterator[Shaped]:
    """Rows whose only cell is an activity in JSON, as the contract writes it; `source` for those that name none."""
    for row in rows:
        if row.fault is not None:
            yield _bad(row)
            continue
        try:
            wire = _decode_wire(row.cells[0])
        except msgspec.DecodeError as error:
            problem = problem_of(error)
            yield _faulty(row, problem.code, problem.message, problem.pointer)
            continue
        except UnicodeDecodeError as error:
            yield _faulty(row, "malformed", str(error), "")
            continue
        if (wire.member is None) == (wire.identifier is None):
            yield _faulty(row, "invalid", "names a member or an identifier, not both", "/member", wire.id)
            continue
        try:
            at = parse_instant(wire.occurred_at)
        except ValueError as error:
            yield _faulty(row, "invalid_instant", str(error), "/occurred_at", wire.id)
            continue
        # A copy, so that the line can be forgotten.
        sent = Submission(wire.source or source, wire.id, wire.type, wire.member or "", at, bytes(wire.data))
        who = wire.identifier
        yield Shaped(1, (row.line,), sent, None if who is None else Identifier(who.kind, who.value), (), wire.id)


def _faulty(row: Read, code: str, message: str, pointer: str, id: str | None = None) -> Shaped:
    return Shaped(1, (row.line,), None, None, (Fault(row.line, code, message, pointer),), id)


def _bad(row: Read) -> Shaped:
    return _faulty(row, "unreadable", row.fault or "", "")


class Shaper:
    """Makes activities of rows, by a mapping. `columns` are the columns of the rows; KeyError for one they lack."""

    def __init__(self, mapping: FileMapping, columns: Sequence[str], source: str) -> None:
        places = {name: n for n, name in enumerate(columns)}
        self._source = mapping.source or source
        self._type = taker(mapping.type, places, text=True)
        self._id = taker(mapping.id, places, text=True)
        self._member = taker(mapping.member, places, text=True)
        self._identifier_kind = mapping.identifier_kind
        self._at: Callable[[Row], Instant | None] = instant_taker(mapping.occurred_at, places)
        self._data = {
            name: _taker(_as_integer(name, form), places, _is_text(name)) for name, form in mapping.data.items()
        }
        self._each = {
            name: {
                key: _taker(_as_integer(key, form), places, name == "lines" and key != "fields")
                for key, form in forms.items()
            }
            for name, forms in mapping.each.items()
        }
        self._group = tuple([places[column] for column in mapping.group_by])
        self._leave_out = tuple([(places[column], values) for column, values in mapping.leave_out.items()])

    def shape(self, rows: Iterable[Read]) -> Iterator[Shaped]:
        """What becomes of the rows, in their order."""
        if self._group:
            yield from self._shape_groups(rows)
            return
        for row in rows:
            if row.fault is not None:
                yield _bad(row)
            elif self._is_left_out(row.cells):
                yield Shaped(1, (row.line,), left_out=1)
            else:
                yield self._activity([row])

    def _shape_groups(self, rows: Iterable[Read]) -> Iterator[Shaped]:
        """A row that does not say where it belongs spoils the activities on both of its sides.

        They may be one: such rows wait (`faults`, and `behind`: rows left out after them) until it is known whether the
        group goes on, so that its activity is reported once.
        """
        group: list[Read] = []
        key: tuple[str, ...] | None = None
        within: list[Fault] = []
        faults: list[Fault] = []
        left_out = behind = 0
        doubt: int | None = None
        for row in rows:
            fault, own = self._key(row)
            if fault is not None and group and not behind and len(faults) < FAULTS_MOST:
                faults.append(fault)
            elif fault is not None:
                if group:
                    yield from self._parted(group, left_out, within, faults, doubt)
                    left_out = behind
                if left_out:
                    yield Shaped(left_out, (), left_out=left_out)
                yield Shaped(1, (row.line,), faults=(fault,))
                group, within, faults, left_out, behind, doubt = [], [], [], 0, 0, row.line
            elif self._is_left_out(row.cells):
                if faults:
                    behind += 1
                else:
                    left_out += 1
            elif group and own == key:
                within += faults
                left_out += behind
                faults, behind = [], 0
                group.append(row)
            else:
                if group:
                    yield from self._parted(group, left_out, within, faults, doubt)
                    doubt = faults[-1].line if faults else None
                    left_out, behind, within, faults = behind, 0, [], []
                key, group = own, [row]
        if group:
            yield from self._parted(group, left_out, within, faults, doubt)
            left_out = behind
        if left_out:
            yield Shaped(left_out, (), left_out=left_out)

    def _parted(
        self, group: list[Read], left_out: int, within: list[Fault], faults: list[Fault], doubt: int | None
    ) -> Iterator[Shaped]:
        """What becomes of a group, with the unreadable rows in its midst; then of those behind it."""
        unreadable = (*within, *faults)
        shaped = self._end(group, left_out, unreadable[0].line if doubt is None and unreadable else doubt)
        if within:
            lines = sorted((*shaped.lines, *(fault.line for fault in within)))
            shaped = msgspec.structs.replace(
                shaped, rows=shaped.rows + len(within), lines=tuple(lines), faults=(*shaped.faults, *within)
            )
        yield shaped
        for fault in faults:
            yield Shaped(1, (fault.line,), faults=(fault,))

    def _is_left_out(self, cells: Row) -> bool:
        for place, values in self._leave_out:
            cell = cells[place]
            if cell is not None and text_from(cell).strip() in values:
                return True
        return False

    def _key(self, row: Read) -> tuple[Fault | None, tuple[str, ...]]:
        if row.fault is not None:
            return Fault(row.line, "unreadable", row.fault), ()
        key = []
        for place in self._group:
            cell = row.cells[place]
            try:
                text = "" if cell is None else text_from(cell).strip()
            except Unfit as unfit:
                return Fault(row.line, "unfit", str(unfit)), ()
            if not text:
                return Fault(row.line, "no_group", "the column that groups rows is empty"), ()
            key.append(text)
        return None, tuple(key)

    def _end(self, group: list[Read], left_out: int, doubt: int | None) -> Shaped:
        shaped = self._activity(group)
        if doubt is not None:
            beside = Fault(shaped.line, "beside_unreadable", f"line {doubt}, which cannot be read, may belong to it")
            shaped = msgspec.structs.replace(shaped, submission=None, faults=(*shaped.faults, beside))
        if left_out:
            shaped = msgspec.structs.replace(shaped, rows=shaped.rows + left_out, left_out=left_out)
        return shaped

    def _activity(self, group: list[Read]) -> Shaped:
        first = group[0]
        lines = tuple([row.line for row in group])
        faults: list[Fault] = []
        if len(group) > ROWS_MOST:
            fault = Fault(first.line, "too_many_rows", f"more than {ROWS_MOST} rows")
            return Shaped(len(group), lines, faults=(fault,))

        def taken(what: str, take: Callable[[Row], Any], row: Read = first) -> Any:
            try:
                return take(row.cells)
            except Unfit as unfit:
                faults.append(Fault(row.line, "unfit", str(unfit), what))
                return None

        id = taken("/id", self._id)
        known = len(faults)
        words = {"/id": id, "/type": taken("/type", self._type), "/member": taken("/member", self._member)}
        at = taken("/occurred_at", self._at)
        for pointer, word in ({**words, "/occurred_at": at}).items():
            if word is None and len(faults) == known:
                faults.append(Fault(first.line, "missing", "the cell is empty", pointer))
        data: dict[str, Any] = {}
        for name, take in self._data.items():
            value = taken(f"/data/{name}", take)
            if value is not None:
                data[name] = value
        for name, takers in self._each.items():
            elements = []
            for n, row in enumerate(group):
                element = {} if "line" in takers or name != "lines" else {"line": str(n + 1)}
                for key, take in takers.items():
                    value = taken(f"/data/{name}/{n}/{key}", take, row)
                    if value is not None:
                        element[key] = value
                elements.append(element)
            data[name] = elements
        if faults:
            return Shaped(len(group), lines, faults=tuple(faults), id=id)
        who = words["/member"]
        kind = self._identifier_kind
        sent = Submission(self._source, id, words["/type"], who if kind is None else "", at, _encode(data))
        return Shaped(len(group), lines, sent, None if kind is None else Identifier(kind, who), (), id)


_TEXTS: Final = frozenset(("order", "currency", "store", "channel", "quote", "redemption", "wallet", "reason", "to"))
_INTEGERS: Final = frozenset(("points",))


def _is_text(name: str) -> bool:
    return name in _TEXTS or name == "tenders"


def _taker(form: Form, places: Mapping[str, int], text: bool) -> Taker:
    """The function from a row to a value of the data; parts that are empty are left out, empty elements of lists too.

    In a list an element counts as empty without an amount: a discount that was not given, a tender that was not used.
    """
    if isinstance(form, Value):
        return taker(form, places, text=text)
    if isinstance(form, list):
        elements = [_taker(each, places, text) for each in form]
        amounts = [isinstance(each, dict) and "amount" in each for each in form]

        def take_list(row: Row) -> list[Any] | None:
            found = []
            for take, needs_amount in zip(elements, amounts, strict=True):
                value = take(row)
                if value is not None and not (needs_amount and _is_nothing(value.get("amount"))):
                    found.append(value)
            return found or None

        return take_list
    parts = {name: _taker(_as_integer(name, each), places, text and name != "fields") for name, each in form.items()}

    def take_parts(row: Row) -> dict[str, Any] | None:
        found = {name: value for name, take in parts.items() if (value := take(row)) is not None}
        return found or None

    return take_parts


def _as_integer(name: str, form: Form) -> Form:
    """Points are numbers in every activity, also where a file holds them as text."""
    if name in _INTEGERS and isinstance(form, Value) and form.to is None:
        return msgspec.structs.replace(form, to="integer")
    return form


def _is_nothing(amount: Any) -> bool:
    return amount is None or (isinstance(amount, str) and not amount.strip("0."))
