"""Whatever a version changes about segments, rewards, vouchers, promotions and draws is told, in both languages.

Every field of every value that these sections are made of is changed in the document of all words, to each value that
the field has anywhere in it and to one made up; none may pass in silence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest
from msgspec.structs import replace

from laurels.core.calendar import Duration
from laurels.core.money import Rate
from laurels.core.program.difference import difference
from laurels.core.program.draws_model import Prize
from laurels.core.program.loading import load
from laurels.core.program.model import ByTier, Program
from laurels.core.program.rewards_model import Reward
from laurels.core.rule.check import Rule

SECTIONS: Final = ("segments", "causes", "rewards", "vouchers", "promotions", "draws")
NAMES: Final = {"id", "was"}
"""What pairs things: changing it is removing one and adding another, or a rename."""
LEAVES: Final = (Rule, Rate, Duration)
MADE_UP: Final = 3
TRIED: Final = 2
"""Other values that each field of each value is tried with."""


@cache
def every_word() -> Program:
    program = load(Path(__file__).with_name("every_word.yaml").read_text(encoding="utf-8"))
    assert isinstance(program, Program)
    return program


TOGETHER: Final = {"ByTier.default", "ByTier.track", "MemberLimit.unit", "MemberLimit.over"}
"""What cannot change alone, or not in what rewards say of limits."""


def fields_of(value: msgspec.Struct) -> tuple[str, ...]:
    return tuple(each for each in type(value).__struct_fields__ if each not in NAMES)


def walk(value: Any) -> Iterator[msgspec.Struct]:
    if isinstance(value, msgspec.Struct) and not isinstance(value, LEAVES):
        yield value
        for field in type(value).__struct_fields__:
            yield from walk(getattr(value, field))
    elif isinstance(value, tuple):
        for each in value:
            yield from walk(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from walk(each)


@cache
def seen() -> dict[tuple[type, str], list[Any]]:
    """The values of every field, by type and field."""
    found: dict[tuple[type, str], list[Any]] = defaultdict(list)
    for section in (*SECTIONS, "campaigns"):
        for value in walk(getattr(every_word(), section)):
            for field in fields_of(value):
                known = found[type(value), field]
                if getattr(value, field) not in known:
                    known.append(getattr(value, field))
    return found


def made_up(value: Any) -> list[Any]:
    """Other values of the same sort."""
    match value:
        case bool():
            return [not value]
        case Enum():
            return [each for each in type(value) if each is not value][:1]
        case int():
            return [value + MADE_UP]
        case str():
            return [f"{value}x"]
        case Rate():
            return [Rate(value.numerator, value.denominator + MADE_UP)]
        case Decimal():
            return [value + MADE_UP]
        case Duration():
            return [Duration.parse("77D")]
        case tuple() | frozenset() | dict() if not value:
            return []
        case tuple():
            more = [(*value, *made_up(value[-1]))] if isinstance(value[-1], str) else []
            return [value[:-1], *more] if len(value) > 1 else more
        case dict():
            last = next(reversed(value))
            return [{**value, last: each} for each in made_up(value[last])]
        case frozenset():
            return [frozenset(sorted(value)[1:])]
    return []


@cache
def words_of(kind: type, field: str) -> tuple[str, ...] | None:
    """The words that a field can hold, where it holds words of a closed list."""
    hint = get_type_hints(kind)[field]
    choices = [each for each in (hint, *get_args(hint)) if get_origin(each) is Literal]
    return tuple([word for each in choices for word in get_args(each)]) or None


def others(value: msgspec.Struct, field: str) -> list[Any]:
    """Other values that a field could have: those of its kind in the document, its default, words, made-up ones."""
    present = getattr(value, field)
    found: list[Any] = list(seen()[type(value), field])
    default = next(each.default for each in msgspec.structs.fields(value) if each.name == field)
    found += [] if default is msgspec.NODEFAULT else [default]
    words = words_of(type(value), field)
    if isinstance(present, Rule):
        found += [each for (_kind, _field), known in seen().items() for each in known if isinstance(each, Rule)]
    elif words is None:
        found = [*made_up(present), *found]
    else:
        found += words
    return [each for n, each in enumerate(found) if each != present and each not in found[:n]][:TRIED]


def is_possible(value: Any) -> bool:
    """Whether a document can say it: fields that only make sense together are changed together."""
    match value:
        case ByTier():
            return bool(value.track) == bool(value.tiers) == (value.default is None)
        case Prize():
            return (value.wallet is not None or not value.points) and None in (value.wallet, value.voucher)
        case Reward():
            return all((limit.unit, limit.over) == ("times", "refuse") for limit in value.limits)
    return True


def variants(value: Any) -> Iterator[tuple[str, Any]]:
    """The value with one thing changed, and what that is."""
    if isinstance(value, msgspec.Struct) and not isinstance(value, LEAVES):
        name = type(value).__name__
        for field in fields_of(value):
            for other in others(value, field):
                if is_possible(changed := replace(value, **{field: other})):
                    yield f"{name}.{field}", changed
            for label, part in variants(getattr(value, field)):
                if is_possible(changed := replace(value, **{field: part})):
                    yield label, changed
    elif isinstance(value, tuple):
        for n, each in enumerate(value):
            for label, changed in variants(each):
                yield label, (*value[:n], changed, *value[n + 1 :])
    elif isinstance(value, dict):
        for key, each in value.items():
            for label, changed in variants(each):
                yield label, {**value, key: changed}


@pytest.mark.parametrize("section", SECTIONS)
def test_no_field_changes_in_silence(section: str) -> None:
    program = every_word()
    silent: set[str] = set()
    unreadable: set[str] = set()
    told: set[str] = set()
    for label, changed in variants(getattr(program, section)):
        found = difference(program, replace(program, **{section: changed}))
        if not found:
            silent.add(label)
            continue
        told.add(label)
        for change in found:
            if set(change.texts) < {"en", "zh-CN"} or not all(change.texts.values()):
                unreadable.add(label)
            if change.kind == "changed" and change.before == change.after:
                unreadable.add(f"{label}: {change.before}")
            if change.takes_away != (change.concerns is not None):
                unreadable.add(f"{label}: takes from nobody")
    assert (sorted(silent), sorted(unreadable)) == ([], [])
    assert told


def test_every_field_of_every_value_has_another_value_to_be_changed_to() -> None:
    """What has one value only in the document of all words was never tried."""
    tried = {label for section in SECTIONS for label, _changed in variants(getattr(every_word(), section))}
    fields = {
        f"{type(value).__name__}.{field}"
        for section in SECTIONS
        for value in walk(getattr(every_word(), section))
        for field in fields_of(value)
        if len(words_of(type(value), field) or "any") > 1
    }
    assert sorted(fields - tried - TOGETHER) == []
