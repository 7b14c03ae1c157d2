"""A mistake anywhere in segments, rewards, causes, vouchers, promotions and draws is found at its line and column.

The document of all words is written out with one value a line, and every key and value of these sections is spoilt in
turn: another shape, nothing, a word that does not exist, a number or date that cannot be, a reference to nothing, a key
that is no word, a word left out. What is noted must stand where the document was spoilt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from laurels.core.program.document import Mapping, Node, Scalar, Sequence, parse
from laurels.core.program.finding import Finding, Notes
from laurels.core.program.loading import examine

SECTIONS: Final = ("segments", "causes", "rewards", "vouchers", "promotions", "draws")
NEEDED: Final = ("program", "time_zone", "currency", "fields", "wallets", "tracks", "jurisdiction")
NOTHING: Final = "zz_nothing"
Place = tuple[int, int]


@cache
def every_word() -> Mapping:
    text = Path(__file__).with_name("every_word.yaml").read_text(encoding="utf-8")
    root = parse(text, Notes())
    assert isinstance(root, Mapping)
    kept = tuple((key, value) for key, value in root.entries if key.text in (*NEEDED, *SECTIONS))
    return Mapping("", 1, 1, kept)


class Written:
    """The document with one value a line. `spoilt` is the path of what is written otherwise, and how.

    `values` and `keys` are the places of all values and keys, by path.
    """

    def __init__(self, spoilt: str = "", how: str = "") -> None:
        self.values: dict[str, Place] = {}
        self.keys: dict[str, Place] = {}
        self._parts: list[str] = []
        self._line, self._column = 1, 1
        self._spoilt, self._how = spoilt, how
        for key, value in every_word().entries:
            self._entry(key, value)
            self._put("\n")
        self.text = "".join(self._parts)

    def _put(self, text: str) -> None:
        self._parts.append(text)
        lines = text.split("\n")
        self._line += len(lines) - 1
        self._column = len(lines[-1]) + (self._column if len(lines) == 1 else 1)

    def _entry(self, key: Scalar, value: Node) -> None:
        is_spoilt = value.path == self._spoilt
        self.keys[value.path] = (self._line, self._column)
        self._put('"Zz !"' if is_spoilt and self._how == "key" else json.dumps(key.text, ensure_ascii=False))
        self._put(": ")
        self._value(value)

    def _value(self, node: Node) -> None:
        self.values[node.path] = (self._line, self._column)
        if node.path == self._spoilt and self._how in SPOILT:
            self._put(SPOILT[self._how])
        elif isinstance(node, Scalar):
            is_simple = node.is_plain and re.fullmatch(r"[\w.%+-]+", node.text)
            self._put(node.text if is_simple else json.dumps(node.text, ensure_ascii=False))
        elif isinstance(node, Sequence):
            self._put("[")
            for item in node.items:
                self._put("\n")
                self._value(item)
                self._put(",")
            self._put("\n]")
        elif isinstance(node, Mapping):
            self._put("{")
            for key, value in node.entries:
                if (value.path, "missing") == (self._spoilt, self._how):
                    continue
                self._put("\n")
                self._entry(key, value)
                self._put(",")
            self._put("\n}")


SPOILT: Final = {
    "list": "[[[1]]]",
    "mapping": "{zz: {zz: 1}}",
    "null": "~",
    "word": NOTHING,
    "text": '"!?"',
    "negative": "-1",
    "huge": "9" * 40,
    "date": "2026-13-41",
}


def nodes(node: Node) -> Iterator[Node]:
    if isinstance(node, Mapping):
        for _key, value in node.entries:
            yield value
            yield from nodes(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield item
            yield from nodes(item)


def of(section: str) -> list[Node]:
    value = next(value for key, value in every_word().entries if key.text == section)
    return [value, *nodes(value)]


def errors(written: Written) -> list[Finding]:
    return [each for each in examine(written.text).findings if each.severity == "error"]


def is_at(finding: Finding, place: Place) -> bool:
    """Whether it stands there, or inside what stands there on one line."""
    return finding.line == place[0] and place[1] <= finding.column <= place[1] + 60


TEXT: Final = re.compile(
    r"/(name|about|picture|rules/\w+|reason|stores/\d+|stores|channels|partner|was|code/\d+)(/[\w-]+)?$"
)
"""Values that may be any text."""


def test_as_it_is_written_out_there_is_no_mistake() -> None:
    assert errors(Written()) == []
    assert sum(len(of(section)) for section in SECTIONS) > 300


def in_turn(section: str, hows: tuple[str, ...]) -> Iterator[tuple[Node, str]]:
    """Every value of a section with one of several ways to spoil it, which take turns."""
    for n, node in enumerate(of(section)):
        yield node, hows[n % len(hows)]


@pytest.mark.parametrize("section", SECTIONS)
def test_another_shape_and_nothing_at_all_are_found_where_they_stand(section: str) -> None:
    for node, how in in_turn(section, ("list", "mapping", "null")):
        if (how == "mapping" and isinstance(node, Mapping)) or (how == "list" and isinstance(node, Sequence)):
            continue
        written = Written(node.path, how)
        place = written.values[node.path]
        found = errors(written)
        assert any(is_at(each, place) and each.column <= place[1] + 5 for each in found), (node.path, place, found)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_key_that_is_no_word_and_no_id_is_found_at_the_key(section: str) -> None:
    for node in of(section)[1:]:
        written = Written(node.path, "key")
        if node.path not in written.keys:
            continue  # It is an item of a list.
        place = written.keys[node.path]
        found = errors(written)
        assert any((each.line, each.column) == place for each in found), (node.path, place, found)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_word_that_is_needed_is_missed_where_its_form_begins(section: str) -> None:
    missed, keys = 0, Written().keys
    for node in of(section)[1:]:
        if node.path not in keys:
            continue
        written = Written(node.path, "missing")
        parent = node.path.rpartition("/")[0]
        word = node.path.rpartition("/")[2]
        for each in errors(written):
            if each.code == "missing_word" and f'"{word}"' in each.message:
                missed += 1
                assert (each.line, each.column) == written.values[parent], (node.path, each)
    assert missed or section == "causes"


@pytest.mark.parametrize("section", SECTIONS)
def test_a_value_that_cannot_be_is_found_on_its_line(section: str) -> None:
    found_any = 0
    for node, how in in_turn(section, ("word", "negative", "text", "huge", "date")):
        if not isinstance(node, Scalar) or TEXT.search(node.path):
            continue
        written = Written(node.path, how)
        found = errors(written)
        found_any += bool(found)
        place = written.values[node.path]
        assert not found or any(is_at(each, place) for each in found), (node.path, place, found)
        if how in ("word", "text", "date"):
            assert found, (node.path, "passes")
    assert found_any
