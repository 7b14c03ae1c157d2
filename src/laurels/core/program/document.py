"""The text of a program document as a tree of nodes that know where they stand.

YAML, and JSON, which YAML reads, is taken as written: every scalar stays text, because only the word that it belongs
to knows whether `on` is a word, `1.10` a decimal or `22:30` a time of day. What makes YAML dangerous or
ambiguous is refused: anchors and aliases (which can blow a kilobyte up to gigabytes), tags, merge keys, repeated
keys, deep nesting, several documents. Every node carries its line and column, and a scalar can tell where each of its
characters stands in the text, through quotes, escapes and folded lines.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
import yaml

from laurels.core.program.finding import Notes, shown

BYTES_MOST: Final = 1_000_000
DEPTH_MOST: Final = 24

_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_WHITE: Final = " \t\n\r\x85\u2028\u2029"
_NULLS: Final = frozenset(("", "~", "null", "Null", "NULL"))
_ESCAPED_DIGITS: Final = {"x": 2, "u": 4, "U": 8}

# libyaml where it was built in, which it is in the wheels of PyYAML; the same events ten times slower otherwise.
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Node(msgspec.Struct, frozen=True):
    """A part of a document. `line` and `column` count from 1; `path` is its JSON pointer."""

    path: str
    line: int
    column: int


class Scalar(Node, frozen=True):
    """A text as YAML reads it, with the source it was written as and the sign that opens it ("" for a plain one)."""

    text: str
    source: str
    style: str

    @property
    def is_plain(self) -> bool:
        """Whether it stands without quotes, as numbers and true and false must."""
        return not self.style

    @property
    def is_null(self) -> bool:
        """Whether nothing is written there."""
        return self.is_plain and self.text in _NULLS

    def place_of(self, offset: int) -> tuple[int, int]:
        """Line and column in the document of the character at `offset` of the text (its length: just after it)."""
        sources = _source_offsets(self)
        if not sources:
            return self.line, self.column
        index = sources[offset] if offset < len(sources) else sources[-1] + 1
        line, column, begin = self.line, self.column, 0
        for found in _LINE_BREAK.finditer(self.source, 0, index):
            line, column, begin = line + 1, 1, found.end()
        return line, column + index - begin


class Sequence(Node, frozen=True):
    """A list."""

    items: tuple[Node, ...]


class Mapping(Node, frozen=True):
    """Keys, each once, with their values, in the order written. A key's path is that of its value."""

    entries: tuple[tuple[Scalar, Node], ...]


def parse(text: str, notes: Notes) -> Node | None:
    """The document's root, or None with a finding where there is none to be had."""
    text = text.removeprefix("\ufeff")
    if not _is_acceptable(text, notes):
        return None
    builder = _Builder(text, notes)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not builder.take(event):
                return None
    except yaml.MarkedYAMLError as error:
        _note_syntax_error(error, text, notes)
        return None
    except yaml.YAMLError as error:
        notes.error("syntax", _ROOT, f"this is not valid YAML: {error}")
        return None
    if builder.root is None:
        notes.error("empty", _ROOT, "the document is empty", 'begin with "program:" and an id')
    return builder.root


_ROOT: Final = Node("", 1, 1)


def _is_acceptable(text: str, notes: Notes) -> bool:
    found = _UNREADABLE.search(text)
    if found:
        line, column = _place(text, found.start())
        notes.error("unreadable", Node("", line, column), f"the character U+{ord(found[0]):04X} is not text")
        return False
    size = len(text) if len(text) > BYTES_MOST else len(text.encode())
    if size > BYTES_MOST:
        notes.error("too_large", _ROOT, f"the document has more than {BYTES_MOST:,} bytes")
        return False
    return True


def _place(text: str, index: int) -> tuple[int, int]:
    line, begin = 1, 0
    for found in _LINE_BREAK.finditer(text, 0, index):
        line, begin = line + 1, found.end()
    return line, index - begin + 1


def _note_syntax_error(error: yaml.MarkedYAMLError, text: str, notes: Notes) -> None:
    mark = error.problem_mark or error.context_mark
    # What is missing at the end stands, for libyaml, on a line after the last one.
    last = _place(text, len(text))
    at = Node("", *min((mark.line + 1, mark.column + 1), last)) if mark else _ROOT
    said = ", ".join(part for part in (error.context, error.problem) if part)
    hint = ""
    if mark and text[mark.index : mark.index + 1] == "\t":
        hint = "indent with spaces, not tabs"
    elif "mapping values are not allowed" in said:
        hint = 'text that contains ": " needs quotes'
    elif "cannot start any token" in said:
        hint = "text that begins with a special character needs quotes"
    elif "could not find expected" in said:
        hint = 'a key is followed by ": " and its value'
    notes.error("syntax", at, f"this is not valid YAML: {said}", hint)


class _Open:
    """A list or mapping whose end has not come yet."""

    __slots__ = ("at", "entries", "is_mapping", "items", "key", "keys")

    def __init__(self, at: Node, *, is_mapping: bool) -> None:
        self.at = at
        self.is_mapping = is_mapping
        self.items: list[Node] = []
        self.entries: list[tuple[Scalar, Node]] = []
        self.keys: set[str] = set()
        self.key: Scalar | None = None

    def close(self) -> Node:
        if self.is_mapping:
            return Mapping(self.at.path, self.at.line, self.at.column, tuple(self.entries))
        return Sequence(self.at.path, self.at.line, self.at.column, tuple(self.items))


class _Builder:
    """Makes nodes of parser events with a stack of its own, so that no nesting can exhaust Python's."""

    def __init__(self, text: str, notes: Notes) -> None:
        self.root: Node | None = None
        self._text = text
        self._notes = notes
        self._stack: list[_Open] = []
        self._documents = 0

    def take(self, event: Any) -> bool:
        """Whether reading can go on after this event."""
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.CollectionStartEvent):
            return self._begin(event)
        if isinstance(event, yaml.CollectionEndEvent):
            self._place(self._stack.pop().close())
        elif isinstance(event, yaml.AliasEvent):
            at = self._here(event)
            self._notes.error("alias", at, f"the alias *{event.anchor} is not allowed", "write the value out")
            return False
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                at = self._here(event)
                self._notes.error("several_documents", at, "a second document begins here", "one file, one program")
                return False
        return True

    def _here(self, event: Any) -> Node:
        mark = event.start_mark
        return Node(self._path(), mark.line + 1, mark.column + 1)

    def _path(self) -> str:
        if not self._stack:
            return ""
        parent = self._stack[-1]
        if not parent.is_mapping:
            return f"{parent.at.path}/{len(parent.items)}"
        return f"{parent.at.path}/{_escaped(parent.key.text)}" if parent.key is not None else parent.at.path

    def _refuses(self, event: Any, at: Node) -> bool:
        if event.anchor is not None:
            self._notes.error("alias", at, f"the anchor &{event.anchor} is not allowed", "write values out")
            return True
        if event.tag is not None:
            hint = 'text that begins with "!" needs quotes'
            self._notes.error("tag", at, f"the tag {shown(event.tag)} is not allowed", hint)
            return True
        return False

    def _begin(self, event: Any) -> bool:
        at = self._here(event)
        if self._refuses(event, at):
            return False
        if len(self._stack) >= DEPTH_MOST:
            self._notes.error("too_deep", at, f"more than {DEPTH_MOST} levels of lists and mappings")
            return False
        if self._stack and self._stack[-1].is_mapping and self._stack[-1].key is None:
            hint = 'text that begins with "{" or "[" needs quotes'
            self._notes.error("syntax", at, "a key must be a single word", hint)
            return False
        self._stack.append(_Open(at, is_mapping=isinstance(event, yaml.MappingStartEvent)))
        return True

    def _scalar(self, event: Any) -> bool:
        at = self._here(event)
        if self._refuses(event, at):
            return False
        source = self._text[event.start_mark.index : event.end_mark.index]
        parent = self._stack[-1] if self._stack else None
        if parent is not None and parent.is_mapping and parent.key is None:
            path = f"{parent.at.path}/{_escaped(event.value)}"
            parent.key = Scalar(path, at.line, at.column, event.value, source, event.style or "")
        else:
            self._place(Scalar(at.path, at.line, at.column, event.value, source, event.style or ""))
        return True

    def _place(self, node: Node) -> None:
        if not self._stack:
            self.root = None if isinstance(node, Scalar) and node.is_null else node
            return
        parent = self._stack[-1]
        if not parent.is_mapping:
            parent.items.append(node)
            return
        key = parent.key
        parent.key = None
        if key is None:
            return
        if key.text in parent.keys:
            self._notes.error("duplicate_key", key, f"{shown(key.text)} is said twice here", "keep one of them")
            return
        parent.keys.add(key.text)
        parent.entries.append((key, node))


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _source_offsets(scalar: Scalar) -> list[int]:
    """Where each character of the text stands in the source.

    Exact for everything but white space, which YAML folds; a folded blank stands where its source begins. The text
    never has a character that the source has not in the same order, so one pass over both finds them all.
    """
    source, style = scalar.source, scalar.style
    index = 0
    if style in ("|", ">"):
        header = _LINE_BREAK.search(source)
        index = header.end() if header else len(source)
    elif style:
        index = 1
    offsets = []
    for character in scalar.text:
        begin, index = _find(character, source, index, style)
        offsets.append(begin)
    return offsets


def _find(character: str, source: str, index: int, style: str) -> tuple[int, int]:
    """Where a character of the text stands in the source from `index` on, and where to look for the next."""
    is_white, is_joined = character in _WHITE, False
    while index < len(source):
        if style == '"' and source[index] == "\\" and source[index + 1 : index + 2] in ("\n", "\r"):
            index, is_joined = index + 2, True
        elif source[index] in _WHITE and (is_joined or not is_white):
            index += 1
        else:
            break
    here = source[index : index + 1]
    if style == '"' and here == "\\":
        return index, index + 2 + _ESCAPED_DIGITS.get(source[index + 1 : index + 2], 0)
    if here != character:  # a folded blank
        return index, index
    return index, index + (2 if style == "'" and here == "'" else 1)
