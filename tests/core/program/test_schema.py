"""The schema that editors use is the one in the repository, takes every sound document, and refuses what it can."""

import json
import re
from typing import Any

import pytest

from laurels.core.program.document import Mapping, Node, Scalar, Sequence, parse
from laurels.core.program.finding import Notes
from laurels.core.program.schema import program_schema, schema_text
from tests.core.program.documents import DOCUMENTS, EVERY_WORD, PROGRAMS

Json = Any


def plain(node: Node) -> Json:
    """The node as an editor's YAML reader gives it to the schema."""
    match node:
        case Mapping():
            return {key.text: plain(value) for key, value in node.entries}
        case Sequence():
            return [plain(item) for item in node.items]
        case Scalar() if node.is_plain and node.text in ("true", "false"):
            return node.text == "true"
        case Scalar() if node.is_plain and re.fullmatch(r"-?\d+(\.\d+)?", node.text):
            return json.loads(node.text)
        case Scalar():
            return node.text
    raise AssertionError(node)


def read(text: str) -> Json:
    root = parse(text, Notes())
    assert root is not None
    return plain(root)


TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool}
IGNORED = {"$schema", "$defs", "title", "description"}


def is_of_type(value: Json, name: str) -> bool:
    if name in ("number", "integer"):
        return isinstance(value, int if name == "integer" else (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def accepts(schema: Json, value: Json, root: Json) -> bool:
    """As much of JSON Schema 2020-12 as the schema uses; a keyword beyond that is a KeyError."""
    return all(KEYWORDS[word](said, value, schema, root) for word, said in schema.items() if word not in IGNORED)


def _numeric(value: Json) -> bool:
    return is_of_type(value, "number")


KEYWORDS: dict[str, Any] = {
    "$ref": lambda said, value, schema, root: accepts(root["$defs"][said.rpartition("/")[2]], value, root),
    "type": lambda said, value, *_: any(
        is_of_type(value, name) for name in ([said] if isinstance(said, str) else said)
    ),
    "enum": lambda said, value, *_: value in said,
    "const": lambda said, value, *_: value == said,
    "anyOf": lambda said, value, schema, root: any(accepts(each, value, root) for each in said),
    "pattern": lambda said, value, *_: not isinstance(value, str) or re.search(said, value) is not None,
    "minLength": lambda said, value, *_: not isinstance(value, str) or len(value) >= said,
    "maxLength": lambda said, value, *_: not isinstance(value, str) or len(value) <= said,
    "minimum": lambda said, value, *_: not _numeric(value) or value >= said,
    "exclusiveMinimum": lambda said, value, *_: not _numeric(value) or value > said,
    "maximum": lambda said, value, *_: not _numeric(value) or value <= said,
    "items": lambda said, value, schema, root: (
        not isinstance(value, list) or all(accepts(said, each, root) for each in value)
    ),
    "minItems": lambda said, value, *_: not isinstance(value, list) or len(value) >= said,
    "maxItems": lambda said, value, *_: not isinstance(value, list) or len(value) <= said,
    "maxProperties": lambda said, value, *_: not isinstance(value, dict) or len(value) <= said,
    "required": lambda said, value, *_: not isinstance(value, dict) or all(word in value for word in said),
    "propertyNames": lambda said, value, schema, root: (
        not isinstance(value, dict) or all(accepts(said, key, root) for key in value)
    ),
    "properties": lambda said, value, schema, root: (
        not isinstance(value, dict) or all(accepts(said[key], each, root) for key, each in value.items() if key in said)
    ),
    "additionalProperties": lambda said, value, schema, root: (
        not isinstance(value, dict)
        or all(
            said is not False and accepts(said, each, root)
            for key, each in value.items()
            if key not in schema.get("properties", {})
        )
    ),
}


def test_the_schema_in_the_repository_is_current() -> None:
    written = (PROGRAMS / "program.schema.json").read_text()
    assert written == schema_text(), "write laurels.core.program.schema.schema_text() to programs/program.schema.json"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_schema_accepts_every_sound_document(name: str) -> None:
    schema = program_schema()
    assert accepts(schema, read(DOCUMENTS[name]), schema)


@pytest.mark.parametrize(
    ("word", "instead"),
    [
        ("currency: EUR", "currency: euro"),
        ("spendable: true", "spendable: yes"),
        ("restore_grace: 7D", "restore_grace: 7 days"),
        ("largest_share: 12.5%", "largest_share: 0.125"),
        ("minimum: 400", 'minimum: "400"'),
        ("was: coins", "was: Coins"),
        ("round: quarter", "round: quarters"),
        ("measure: {spent: net}", "measure: {spend: net}"),
        ("fall: one_step", "fall: one step"),
        ("fixed: 20", "fixed: 20, fix: 3"),
        ("mode: best", "mod: best"),
        ("on: purchase", "# on: purchase"),
        ("city: string", "city: text"),
        ("{id: low}", "{name: low}"),
        ('from: "08:00"', 'from: "8:00"'),
    ],
)
def test_the_schema_refuses_what_reading_refuses(word: str, instead: str) -> None:
    schema = program_schema()
    assert EVERY_WORD.count(word) >= 1
    assert not accepts(schema, read(EVERY_WORD.replace(word, instead, 1)), schema)


def test_every_word_of_the_schema_is_described() -> None:
    for definition in program_schema()["$defs"].values():
        assert definition["description"].endswith(".")
        assert all(word["description"] for word in definition["properties"].values())
