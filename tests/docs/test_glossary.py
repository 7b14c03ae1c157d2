"""The glossary has one word per idea in each language, and every word that the journal speaks."""

import re
from collections import Counter
from typing import get_args

from laurels.core.facts import MEMBER_ACCOUNTS, EntryKind
from tests.docs.page import text_of

ROW = re.compile(r"^\| (?P<en>[^|]+) \| (?P<zh>[^|]+) \| (?P<means>[^|]+) \|(?P<never>[^|]*)\|$", re.MULTILINE)

ROWS = [row for row in ROW.finditer(text_of("docs/glossary.md")) if row["en"] != "English"]
ENGLISH = [row["en"] for row in ROWS]
CHINESE = [row["zh"] for row in ROWS]


def test_the_glossary_was_read() -> None:
    assert len(ROWS) > 60


def test_no_word_stands_for_two_ideas() -> None:
    assert [word for word, times in Counter(ENGLISH + CHINESE).items() if times > 1] == []


def test_no_word_is_recommended_and_forbidden() -> None:
    never = {word.strip() for row in ROWS for word in row["never"].split(",")}
    assert never & set(ENGLISH) == set()


def test_every_chinese_word_is_chinese() -> None:
    assert [word for word in CHINESE if not re.fullmatch(r"[一-鿿、]+", word)] == []


def test_every_kind_of_entry_and_every_balance_is_in_the_glossary() -> None:
    assert {*get_args(EntryKind), *MEMBER_ACCOUNTS} <= set(ENGLISH)
