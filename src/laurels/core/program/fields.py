"""The `fields` of a document: which fields members, purchases, lines and activities have beyond the built-in ones.

A field is `name: type`, or a form with a default. An activity need not carry a field unless it is `required`.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from laurels.core.activity import FREE_TYPES
from laurels.core.program.document import Mapping, Node, Scalar, Sequence
from laurels.core.program.finding import Notes, shown
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import Entries, Form, FormOf, Kind, MapOf, Schema, Word, said_or
from laurels.core.program.values import ACTIVITY_TYPE, ID, TRUTH
from laurels.core.rule.environment import FIELD_TYPES, Field, Value, problem_with

_OWNERS: Final = ("member", "purchase", "line")


class FieldType(Kind[str]):
    """The name of a field's type; a list of texts may also be written as [string]."""

    def read(self, node: Node, notes: Notes) -> str | None:
        item = node.items[0] if isinstance(node, Sequence) and len(node.items) == 1 else None
        if isinstance(item, Scalar) and item.text == "string":
            return "list<string>"
        if isinstance(node, Scalar) and node.text in FIELD_TYPES:
            return node.text
        if isinstance(node, Scalar):
            hint = notes.suggestion(node.text, FIELD_TYPES)
            notes.error("unknown_type", node, f"{shown(node.text)} is not a type of field", hint)
        else:
            hint = f"write one of {', '.join(FIELD_TYPES)}"
            notes.error("unknown_type", node, "this is not a type of field", hint)
        return None

    def schema(self) -> Schema:
        listed: Schema = {"type": "array", "items": {"const": "string"}, "minItems": 1, "maxItems": 1}
        return {"anyOf": [{"enum": list(FIELD_TYPES)}, listed]}


class Literally(Kind[str]):
    """A single value whose meaning depends on the type beside it; only that it is one is read here."""

    def read(self, node: Node, notes: Notes) -> str | None:
        if not isinstance(node, Scalar) or node.is_null:
            notes.error(
                "wrong_shape", node, "a default must be a single value", "lists are empty where they are absent"
            )
            return None
        return node.text

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"]}


class FieldForm(Form):
    """A field: its type, and what an absent one reads as."""

    type = Word(
        FieldType(), "the field's type: string, int, bool, decimal, money, timestamp, date or [string]", required=True
    )
    default = Word(Literally(), "what conditions read where the field is absent")
    required = Word(TRUTH, "true: an activity without this field is refused")
    optional = Word(TRUTH, "true, as it is by default: the field may be absent")


class FieldKind(Kind[FieldForm]):
    """A field in its short or long form."""

    _form = FormOf(FieldForm)

    def read(self, node: Node, notes: Notes) -> FieldForm | None:
        if isinstance(node, Mapping):
            return self._form.read(node, notes)
        # `name: type` is `name: {type: type}`, standing at the same place.
        key = Scalar(node.path, node.line, node.column, "type", "", "")
        return FieldForm.read(Mapping(node.path, node.line, node.column, ((key, node),)), notes)

    def schema(self) -> Schema:
        return {"anyOf": [*FieldType().schema()["anyOf"], self._form.schema()]}

    def forms(self) -> tuple[type[Form], ...]:
        return self._form.forms()


FIELDS: Final = MapOf(ACTIVITY_TYPE, MapOf(ID, FieldKind(), most=100))


def resolve_fields(scopes: Entries[str, Entries[str, FieldForm]], frame: Frame) -> dict[str, tuple[Field, ...]]:
    """The declared fields by scope: "member", "purchase", "line" or an activity type with free fields."""
    resolved: dict[str, tuple[Field, ...]] = {}
    for scope, forms, entry in scopes.readable():
        is_custom = scope.startswith("custom.")
        if scope not in _OWNERS and scope not in FREE_TYPES and not is_custom:
            known = (*_OWNERS, *sorted(FREE_TYPES))
            hint = (
                frame.notes.suggestion(scope, known)
                or "use member, purchase, line, an activity type or custom.something"
            )
            frame.notes.error("unknown_scope", entry.key_node, f"nothing called {shown(scope)} has fields", hint)
            continue
        owner = scope if scope in _OWNERS else "activity"
        fields = [_field(owner, name, form, field.key_node, frame) for name, form, field in forms.readable()]
        resolved[scope] = tuple(field for field in fields if field is not None)
    return resolved


def _field(owner: str, name: str, form: FieldForm, key: Scalar, frame: Frame) -> Field | None:
    kind = form.type.value
    if kind is None:
        return None
    if form.required.value is not None and form.required.value is form.optional.value:
        hint = "fields are optional unless required: true"
        frame.notes.error("contradiction", form.optional.node, "required and optional contradict each other", hint)
    required = said_or(form.required, form.optional.value is False)
    plain = Field(name, kind, optional=not required)
    places = frame.currency.places if frame.currency else 2
    problem = problem_with(owner, plain, places)
    if problem is not None:
        frame.notes.error("bad_field", key, problem, "choose another name")
        return None
    if form.default.value is None:
        return plain
    default = _default(form.default.value, kind)
    field = Field(name, kind, optional=not required, default=default)
    if default is None or problem_with(owner, field, places) is not None:
        message = f"{shown(form.default.value)} cannot be the default of a {kind} field"
        frame.notes.error("bad_default", form.default.node, message, f"write a value of type {kind}, or leave it out")
        return plain
    return field


def _default(text: str, kind: str) -> Value | None:
    if kind in ("decimal", "money"):
        try:
            return Decimal(text)
        except InvalidOperation:
            return None
    if kind == "int":
        return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else None
    if kind == "bool":
        return {"true": True, "false": False}.get(text)
    return text
