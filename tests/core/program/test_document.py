"""A scalar knows where each of its characters stands in the text, however it is written."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from laurels.core.program import document
from laurels.core.program.document import Mapping, Node, Scalar, Sequence, parse
from laurels.core.program.finding import Notes
from laurels.core.program.loading import examine

HEAD = (
    "program: cafe\ntime_zone: Asia/Shanghai\ncurrency: CNY\nwallets: {points: {}}\n"
    "campaigns:\n  a:\n    on: purchase\n    grant: {wallet: points, fixed: 1}\n"
)
MARK = "‸"


def read(text: str) -> Node:
    notes = Notes()
    root = parse(text, notes)
    assert root is not None, notes.findings()
    return root


def scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    if isinstance(node, Sequence):
        return [each for item in node.items for each in scalars(item)]
    assert isinstance(node, Mapping)
    return [each for key, value in node.entries for each in (key, *scalars(value))]


@pytest.mark.parametrize(
    "when",
    [
        "    when: purchase.total > 5.00 && purchase.‸totl > 3",
        "    when: purchase.total > 5.00\n      && purchase.‸totl > 3",
        "    when: purchase.total\n\n\n      > 5.00 &&\n         purchase.‸totl > 3\n",
        "    when: 'purchase.store == ''a'' || purchase.‸totl > 3'",
        "    when: 'purchase.total > 5.00\n\n      && purchase.‸totl > 3'",
        '    when: "purchase.lines.exists(l, l.sku == \\"a\\\\b\\") || purchase.‸totl > 3"',
        '    when: "purchase.total > 5.00 \\\n       && \\x70urchase.‸totl > 3"',
        '    when: "purchase.lines.exists(l, l.sku == \\"\\u540d\\U0001F600\\") ||\n\n  purchase.‸totl > 3"',
        "    when: |\n      purchase.total > 5.00\n        && purchase.‸totl > 3\n",
        "    when: |2\n\n\n      purchase.total > 5.00 &&\n      purchase.‸totl > 3\n",
        "    when: |- # why\n      purchase.lines.exists(l, l.sku == '名') ||\n      purchase.‸totl > 3\n",
        "    when: >\n      purchase.total > 5.00\n      &&\n\n      purchase.‸totl\n      > 3\n",
        "    when: >+\n      purchase.total > 5.00 &&\n        purchase.‸totl > 3\n\n\n",
        '    {"when": "purchase.total > 5.00 && purchase.‸totl > 3"}',
    ],
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_a_finding_in_a_condition_stands_where_the_word_stands_in_the_file(when: str, line_break: str) -> None:
    text = HEAD + when
    if when.strip().startswith("{"):
        json_form = "campaigns: {a: {on: purchase, grant: {wallet: points, fixed: 1}, " + when.strip()[1:] + "}}"
        text = HEAD.replace(
            "campaigns:\n  a:\n    on: purchase\n    grant: {wallet: points, fixed: 1}\n", json_form[:-1]
        )
    text = text.replace("\n", line_break)
    before = text[: text.index(MARK)]
    expected = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    found = [each for each in examine(text.replace(MARK, "")).findings if "totl" in each.message]
    assert [(each.line, each.column) for each in found] == [expected]


WORDS = st.text(alphabet="ab.\"\\'>|&:# 名\n\t😀,[]{}-!", max_size=60)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from([None, "'", '"', "|", ">"]), st.integers(5, 80))
def test_every_visible_character_is_found_in_the_source(texts: list[str], style: str | None, width: int) -> None:
    written = yaml.dump({"a": texts}, default_style=style, width=width, allow_unicode=width % 2 == 0)
    lines = written.split("\n")
    for scalar in scalars(read(written))[1:]:
        before = (0, 0)
        for offset, character in enumerate(scalar.text):
            line, column = scalar.place_of(offset)
            assert (line, column) >= before
            before = (line, column)
            here = lines[line - 1][column - 1 :] if line <= len(lines) else ""
            if character not in " \n\t":
                assert here.startswith((character, "\\")), (scalar, offset)
    assert [scalar.text for scalar in scalars(read(written))[1:]] == texts


def test_both_of_the_parsers_that_pyyaml_may_bring_give_the_same_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD + '    when: |\n      purchase.total >\n      3\n    lines: "line.\\u0061mount > 名\n      4"\n'
    assert document._LOADER is yaml.CSafeLoader
    fast = read(text)
    monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)
    assert read(text) == fast


def test_words_that_yaml_would_turn_into_something_else_stay_text() -> None:
    text = "on: yes\noff: 0x10\na: 1_000\nb: 22:30\nc: 1.10\nd: 2026-03-01\ne: .inf\nf: 010\n<<: g\n"
    root = read(text)
    assert isinstance(root, Mapping)
    written = {key.text: value.text for key, value in root.entries if isinstance(value, Scalar)}
    assert written == {
        "on": "yes", "off": "0x10", "a": "1_000", "b": "22:30", "c": "1.10", "d": "2026-03-01", "e": ".inf", "f": "010",
        "<<": "g",
    }  # fmt: skip


def test_a_byte_order_mark_is_no_part_of_the_document() -> None:
    assert read("\ufeffa: b") == read("a: b")
