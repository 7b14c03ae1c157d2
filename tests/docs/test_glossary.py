"""The glossary has one word per idea in each language, and every word that the journal speaks."""

import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from laurels.core.facts import MEMBER_ACCOUNTS, EntryKind
from tests.docs.page import PAGES, ROOT, text_of

ROW = re.compile(r"^\| (?P<en>[^|]+) \| (?P<zh>[^|]+) \| (?P<means>[^|]+) \|(?P<never>[^|]*)\|$", re.MULTILINE)

ROWS = [row for row in ROW.finditer(text_of("docs/glossary.md")) if row["en"] != "English"]
ENGLISH = [row["en"] for row in ROWS]
CHINESE = [row["zh"] for row in ROWS]

# 方案 is no word for a program, 活动 alone is neither an activity (行为) nor a campaign (营销活动), and to write off is
# not to capture. The group of campaigns is 活动组.
FOREIGN = re.compile(r"方案|(?<!营销)活动(?!组)|writ(?:e|ten)[ _]off.*核销|核销.*writ(?:e|ten)[ _]off", re.IGNORECASE)

SPOKEN = [
    *(ROOT / page for page in PAGES if page != "docs/glossary.md"),
    *(path for path in ROOT.glob("src/**/*") if path.suffix in {".py", ".js", ".html", ".json", ".yaml", ".sql"}),
    *ROOT.glob("programs/**/*.yaml"),
    ROOT / "openapi.json",
]


def foreign_words(text: str) -> list[str]:
    """The words that the glossary has others for."""
    return [found[0] for found in FOREIGN.finditer(text)]


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


def test_no_text_says_in_other_chinese_words_what_the_glossary_has_a_word_for() -> None:
    spoken: dict[Path, str] = {path: path.read_text(encoding="utf-8") for path in SPOKEN}
    assert len([path for path, text in spoken.items() if "计划" in text]) > 5, "the texts were found"
    assert {str(path): words for path, text in spoken.items() if (words := foreign_words(text))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "方案没有该版本。",
        "发送会员活动",
        "同组中另有更优的活动",
        '"They are written off.", "按规则核销。"',
        "write_off | 核销",
    ],
)
def test_a_foreign_word_is_noticed(text: str) -> None:
    assert foreign_words(text) != []


@pytest.mark.parametrize(
    "text", ["计划没有该版本。", "营销活动", "活动组", "行为", "冻结、核销与取消兑换。", "write_off | 销账"]
)
def test_a_word_of_the_glossary_is_not_taken_for_a_foreign_one(text: str) -> None:
    assert foreign_words(text) == []
