"""How a document is described: kinds of value, words, and forms made of words.

A form of the document is a class with one `Word` per word, each with the kind of its value and a sentence that says
what it means. From that one description come the reading of a document with all its findings, typed access to what
was read, and the JSON Schema that editors use, so that the three cannot differ. Reading is free of context: whether
a wallet exists or an amount fits the currency is judged afterwards, by the module that resolves the form.
"""

from __future__ import annotations

import abc
import enum
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from laurels.core.program.document import Mapping, Node, Scalar, Sequence
from laurels.core.program.finding import Notes, shown

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
T_co = TypeVar("T_co", covariant=True)

Schema = dict[str, Any]


class Kind(abc.ABC, Generic[T_co]):
    """A kind of value: how it is read from a node and how JSON Schema says it."""

    @abc.abstractmethod
    def read(self, node: Node, notes: Notes) -> T_co | None:
        """The value of a node, or None with at least one error noted."""

    @abc.abstractmethod
    def schema(self) -> Schema:
        """The JSON Schema of the value, which refers to forms by `reference_to`."""

    def forms(self) -> tuple[type[Form], ...]:
        """The forms that its schema refers to."""
        return ()


class Said(Generic[T_co]):
    """What a document says for a word: the value, and the node where it says it (the form's node where it does not).

    `value` is None when the word is absent (`is_said` false) or its value was not readable (an error is noted).
    """

    __slots__ = ("is_said", "node", "value")

    def __init__(self, value: T_co | None, node: Node, *, is_said: bool = True) -> None:
        self.value = value
        self.node = node
        self.is_said = is_said


def said_or(said: Said[T], stand_in: T) -> T:
    """The value said, or the stand-in where there is none."""
    return stand_in if said.value is None else said.value


class Word(Generic[T]):
    """A word of a form. On the form's class it is the word, on a form that was read it is what the document says."""

    def __init__(self, kind: Kind[T], says: str, *, required: bool = False, named: str = "") -> None:
        self.kind = kind
        self.says = says
        self.required = required
        self.name = named

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    @overload
    def __get__(self, form: None, owner: type) -> Word[T]: ...
    @overload
    def __get__(self, form: Form, owner: type) -> Said[T]: ...
    def __get__(self, form: Form | None, owner: type) -> Word[T] | Said[T]:
        if form is None:
            return self
        return form.said.get(self.name) or Said(None, form.node, is_said=False)


class Form:
    """A mapping of the document whose keys are the words of a class. Its docstring describes it in the schema."""

    words: ClassVar[dict[str, Word[Any]]] = {}

    def __init__(self, node: Mapping, said: dict[str, Said[Any]]) -> None:
        self.node = node
        self.said = said

    def __init_subclass__(cls) -> None:
        own = {word.name: word for word in vars(cls).values() if isinstance(word, Word)}
        cls.words = {**cls.words, **own}

    @classmethod
    def read(cls, node: Mapping, notes: Notes) -> Self:
        """The form as written; words that could not be read are absent or without a value, with an error noted."""
        said: dict[str, Said[Any]] = {}
        for key, value in node.entries:
            word = cls.words.get(key.text)
            if word is None:
                hint = notes.suggestion(key.text, (name for name in cls.words if name not in said))
                notes.error("unknown_word", key, f"{shown(key.text)} is not a word of {cls.noun()}", hint)
                continue
            said[key.text] = Said(word.kind.read(value, notes), value)
        for word in cls.words.values():
            if word.required and word.name not in said:
                notes.error("missing_word", node, f"{cls.noun()} needs {shown(word.name)}", word.says)
        return cls(node, said)

    @classmethod
    def noun(cls) -> str:
        """What a person calls this form: the first words of its docstring."""
        words = (cls.__doc__ or cls.__name__).split(":", 1)[0]
        return words[0].lower() + words[1:]

    @classmethod
    def schema(cls) -> Schema:
        """The JSON Schema of a mapping with these words."""
        words = cls.words.values()
        return {
            "type": "object",
            "description": " ".join((cls.__doc__ or "").split()),
            "properties": {word.name: {**word.kind.schema(), "description": word.says} for word in words},
            "required": [word.name for word in words if word.required],
            "additionalProperties": False,
        }


def reference_to(form: type[Form]) -> Schema:
    """How a schema refers to the form's own."""
    return {"$ref": f"#/$defs/{form.__name__.removesuffix('Form')}"}


F = TypeVar("F", bound=Form)


class Written(Kind[T]):
    """A single value, made of its text by a function that raises ValueError for what it cannot read."""

    def __init__(
        self, what: str, make: Callable[[str], T], schema: Schema, *, code: str, hint: str, plain: bool = False
    ) -> None:
        self._what = what
        self._make = make
        self._schema = schema
        self._code = code
        self._hint = hint
        self._plain = plain

    def read(self, node: Node, notes: Notes) -> T | None:
        if not isinstance(node, Scalar):
            notes.error("wrong_shape", node, f"here stands {_shape(node)} in place of {self._what}", self._hint)
            return None
        if node.is_null:
            notes.error("no_value", node, f"nothing is said here, where {self._what} belongs", self._hint)
            return None
        if self._plain and not node.is_plain:
            notes.error(self._code, node, f"{shown(node.text)} is text, not {self._what}", "write it without quotes")
            return None
        try:
            return self._make(node.text)
        except ValueError as error:
            message, hint = _with_hint(str(error), self._hint)
            notes.error(self._code, node, message, hint)
            return None

    def schema(self) -> Schema:
        return dict(self._schema)


def _with_hint(message: str, hint: str) -> tuple[str, str]:
    """A message that says what to write instead is parted there; another gets the hint of its kind."""
    for separator, advice in ((": write ", "write "), ("; did you mean ", "did you mean ")):
        before, found, after = message.partition(separator)
        if found:
            return before, advice + after
    return message, hint


def _shape(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping"
    return "a list" if isinstance(node, Sequence) else "a single value"


class Choice(Kind[T]):
    """One of a few words."""

    def __init__(self, *words: T) -> None:
        self._words = {str(word.value if isinstance(word, enum.Enum) else word): word for word in words}

    def read(self, node: Node, notes: Notes) -> T | None:
        if isinstance(node, Scalar) and node.text in self._words:
            return self._words[node.text]
        if isinstance(node, Scalar):
            hint = notes.suggestion(node.text, self._words)
            notes.error("unknown_value", node, f"{shown(node.text)} is none of {_listed(self._words)}", hint)
        else:
            notes.error("wrong_shape", node, f"here stands {_shape(node)} in place of one of {_listed(self._words)}")
        return None

    def schema(self) -> Schema:
        return {"enum": list(self._words)}


def _listed(words: dict[str, Any]) -> str:
    return ", ".join(words)


class FormOf(Kind[F]):
    """A mapping with the words of one form."""

    def __init__(self, form: type[F]) -> None:
        self._form = form

    def read(self, node: Node, notes: Notes) -> F | None:
        if not isinstance(node, Mapping):
            words = ", ".join(self._form.words)
            message = f"here stands {_shape(node)} in place of {self._form.noun()}"
            notes.error("wrong_shape", node, message, f"write a mapping with the words {words}")
            return None
        return self._form.read(node, notes)

    def schema(self) -> Schema:
        return reference_to(self._form)

    def forms(self) -> tuple[type[Form], ...]:
        return (self._form,)


class Variant(Kind[F]):
    """A mapping that is one of several forms, told apart by a word that only this form has.

    Where the words of two forms are mixed, the form whose mark comes first is read, and the other's words are unknown.
    """

    def __init__(self, what: str, forms: dict[str, type[F]]) -> None:
        self._what = what
        self._forms = forms

    def read(self, node: Node, notes: Notes) -> F | None:
        if not isinstance(node, Mapping):
            notes.error("wrong_shape", node, f"here stands {_shape(node)} in place of {self._what}", self._hint())
            return None
        keys = {key.text for key, _ in node.entries}
        for mark, form in self._forms.items():
            if mark in keys:
                return form.read(node, notes)
        for key, _ in node.entries:
            if all(key.text not in form.words for form in self._forms.values()):
                message = f"{shown(key.text)} is not a word of {self._what}"
                notes.error("unknown_word", key, message, notes.suggestion(key.text, self._forms))
                return None
        notes.error("missing_word", node, f"{self._what} says none of {', '.join(self._forms)}", self._hint())
        return None

    def _hint(self) -> str:
        return f"write a mapping with one of {', '.join(self._forms)}"

    def schema(self) -> Schema:
        return {"anyOf": [reference_to(form) for form in self._forms.values()]}

    def forms(self) -> tuple[type[Form], ...]:
        return tuple(self._forms.values())


class Either(Kind[A | B]):
    """A short way of saying it as a single value, or the long one as a mapping or a list."""

    def __init__(self, short: Kind[A], long: Kind[B]) -> None:
        self._short = short
        self._long = long

    def read(self, node: Node, notes: Notes) -> A | B | None:
        return self._short.read(node, notes) if isinstance(node, Scalar) else self._long.read(node, notes)

    def schema(self) -> Schema:
        return {"anyOf": [self._short.schema(), self._long.schema()]}

    def forms(self) -> tuple[type[Form], ...]:
        return self._long.forms()


class OrWord(Kind[A | B]):
    """A single value, or one word that is none of its values."""

    def __init__(self, word: A, kind: Kind[B]) -> None:
        self._word = word
        self._kind = kind

    def read(self, node: Node, notes: Notes) -> A | B | None:
        if isinstance(node, Scalar) and node.text == self._word:
            return self._word
        return self._kind.read(node, notes)

    def schema(self) -> Schema:
        return {"anyOf": [{"const": self._word}, self._kind.schema()]}


class ListOf(Kind[tuple[Said[T], ...]]):
    """A list; with `or_one` also a single thing in place of a list of one."""

    def __init__(self, kind: Kind[T], *, or_one: bool = False, least: int = 0, most: int = 1000) -> None:
        self._kind = kind
        self._or_one = or_one
        self._least = least
        self._most = most

    def read(self, node: Node, notes: Notes) -> tuple[Said[T], ...] | None:
        if not isinstance(node, Sequence):
            if self._or_one:
                return (Said(self._kind.read(node, notes), node),)
            notes.error("wrong_shape", node, f"here stands {_shape(node)} in place of a list", "write [one, another]")
            return None
        if not self._least <= len(node.items) <= self._most:
            message = f"the list has {len(node.items)} entries, not {self._least} to {self._most}"
            notes.error("wrong_length", node, message)
        return tuple(Said(self._kind.read(item, notes), item) for item in node.items)

    def schema(self) -> Schema:
        one = self._kind.schema()
        many: Schema = {"type": "array", "items": one, "maxItems": self._most}
        if self._least:
            many["minItems"] = self._least
        return {"anyOf": [one, many]} if self._or_one else many

    def forms(self) -> tuple[type[Form], ...]:
        return self._kind.forms()


class Entry(Generic[A, B]):
    """A key of a map with its value; `key` is None where it was not readable."""

    __slots__ = ("key", "key_node", "node", "value")

    def __init__(self, key: A | None, key_node: Scalar, value: B | None, node: Node) -> None:
        self.key = key
        self.key_node = key_node
        self.value = value
        self.node = node


class MapOf(Kind["Entries[A, B]"]):
    """A map from names that the author chooses."""

    def __init__(self, key: Kind[A], value: Kind[B], *, most: int = 1000) -> None:
        self._key = key
        self._value = value
        self._most = most

    def read(self, node: Node, notes: Notes) -> Entries[A, B] | None:
        if not isinstance(node, Mapping):
            notes.error(
                "wrong_shape", node, f"here stands {_shape(node)} in place of a mapping", "write names with values"
            )
            return None
        if len(node.entries) > self._most:
            notes.error("wrong_length", node, f"the mapping has {len(node.entries)} entries, at most {self._most}")
        return Entries(
            Entry(self._key.read(key, notes), key, self._value.read(value, notes), value) for key, value in node.entries
        )

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": self._key.schema(),
            "additionalProperties": self._value.schema(),
            "maxProperties": self._most,
        }

    def forms(self) -> tuple[type[Form], ...]:
        return self._value.forms()


class Entries(tuple[Entry[A, B], ...]):
    """The entries of a map in the order written."""

    __slots__ = ()

    def readable(self) -> Iterator[tuple[A, B, Entry[A, B]]]:
        """The entries whose key and value could both be read."""
        for entry in self:
            if entry.key is not None and entry.value is not None:
                yield entry.key, entry.value, entry
