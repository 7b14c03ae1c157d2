"""What the pages show is true: their programs load, their stories and their Python run, their tables are current."""

import re

import pytest

from laurels.core.program.loading import examine, load
from laurels.core.program.model import Program
from laurels.core.program.schema import program_schema
from tests.docs.page import PAGES, ROOT, Block, blocks_of, text_of, whole_document
from tests.docs.reference import PART, with_parts_made_anew
from tests.docs.story import Story

PROGRAM = "yaml program"
REFUSED = "yaml refused"
STORY = "story"

DECISION = re.compile(
    r"# (?P<number>\d{4}) .+\n\n20\d\d-\d\d-\d\d\n\n## Context\n.*?\n## Decision\n.*?\n## Consequences\n", re.DOTALL
)

ALL = [block for page in PAGES for block in blocks_of(page)]


def of_kind(kind: str) -> list[Block]:
    return [block for block in ALL if block.kind == kind]


def named(block: Block) -> str:
    return f"{block.page}:{block.line}"


def story_of(block: Block) -> Story:
    """A story begins under the program that stands last before it on its page."""
    programs = [each for each in blocks_of(block.page, PROGRAM) if each.line < block.line]
    assert programs, f"{named(block)}: no program stands before the story"
    program = load(whole_document(programs[-1].text))
    assert isinstance(program, Program), program
    return Story(program)


def codes_said(text: str) -> list[tuple[int, str]]:
    """Findings that a refused document announces: their codes in a comment at the end of the line."""
    lines = [(n, line.rpartition("# ")[2]) for n, line in enumerate(text.splitlines(), 1) if "# " in line]
    return [(n, code) for n, codes in lines for code in codes.split(", ")]


def anchors_of(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_anchors(page: str, text: str) -> list[str]:
    broken = []
    for target, anchor in re.findall(r"\]\(([^)\s#]*)#([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            there = ((ROOT / page).parent / target).read_text(encoding="utf-8") if target else text
            if anchor not in anchors_of(there):
                broken.append(f"{target}#{anchor}")
    return broken


def test_the_pages_have_examples_of_every_sort_that_is_run() -> None:
    assert {block.kind for block in ALL} >= {PROGRAM, REFUSED, STORY, "python", "console"}


@pytest.mark.parametrize("block", ALL, ids=named)
def test_every_block_says_what_it_is(block: Block) -> None:
    assert block.kind


@pytest.mark.parametrize("block", of_kind(PROGRAM), ids=named)
def test_program_on_a_page_loads_without_a_finding(block: Block) -> None:
    assert examine(whole_document(block.text)).findings == ()


@pytest.mark.parametrize("block", of_kind(REFUSED), ids=named)
def test_refused_program_on_a_page_has_the_findings_it_announces(block: Block) -> None:
    findings = examine(whole_document(block.text)).findings
    assert [(finding.line, finding.code) for finding in findings] == codes_said(block.text)


@pytest.mark.parametrize("block", of_kind(STORY), ids=named)
def test_story_on_a_page_comes_out_as_it_says(block: Block) -> None:
    story_of(block).live_through(block.text)


@pytest.mark.parametrize("page", sorted({block.page for block in of_kind("python")}))
def test_python_on_a_page_runs_and_its_assertions_hold(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    for block in blocks_of(page, "python"):
        assert "assert " in block.text, f"{named(block)}: an example that claims nothing proves nothing"
        code = compile("\n" * (block.line - 1) + block.text, page, "exec")
        exec(code, names)


@pytest.mark.parametrize("page", [page for page in PAGES if PART.search(text_of(page))])
def test_generated_part_of_a_page_is_current(page: str) -> None:
    assert text_of(page) == with_parts_made_anew(text_of(page)), "python -m tests.docs.reference writes it anew"


def test_every_word_of_the_program_document_stands_in_its_reference() -> None:
    page = text_of("docs/program.md")
    words = {word for form in program_schema()["$defs"].values() for word in form["properties"]}
    assert len(words) > 60
    assert [word for word in sorted(words) if f"`{word}`" not in page and f"{{{word}:" not in page] == []


@pytest.mark.parametrize("page", [page for page in PAGES if re.match(r"docs/adr/[0-9]", page)])
def test_decision_is_one_page_with_its_number_its_date_and_what_follows(page: str) -> None:
    text = text_of(page)
    found = DECISION.match(text)
    assert found
    assert page.startswith(f"docs/adr/{found['number']}-")
    assert len(text.splitlines()) <= 60


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_heading_finds_it(page: str) -> None:
    assert broken_anchors(page, text_of(page)) == []


def test_both_readmes_show_the_same_commands_and_programs() -> None:
    ours = [(block.kind, block.text) for block in blocks_of("README.md")]
    assert ours == [(block.kind, block.text) for block in blocks_of("README.zh-CN.md")]


# --- the checks themselves notice what is wrong -----------------------------------------------------------------------


def minimal_story() -> Story:
    program = load((ROOT / "programs" / "minimal.yaml").read_text(encoding="utf-8"))
    assert isinstance(program, Program)
    return Story(program)


ENROLMENT = "2026-03-01 10:00  enrol\n"


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-02 10:00  buy o-1: 1 beans 60.00  -> available 61",
        "2026-03-02 10:00  buy o-1: 1 beans 60.00  -> base 61",
        "2026-03-02 10:00  buy o-1: 1 beans 60.00  -> base limit_reached",
        "2026-03-02 10:00  buy o-1: 1 beans 60.00  -> refused duplicate_order",
        "2026-03-02 10:00  buy o-1: 1 beans 60.00  -> tier gold",
        "2026-03-02 10:00  buy o-1: 1 beans 60.00  -> expiring 60 at 2027-03-02 10:00",
        "2026-03-02 10:00  redeem r-1 5",
        "2026-03-02 10:00  wait  -> what becomes of this",
        "on Monday she buys beans",
    ],
)
def test_story_that_is_not_true_is_noticed(line: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(line)):
        minimal_story().live_through(ENROLMENT + line)


def test_story_that_is_true_passes() -> None:
    minimal_story().live_through(ENROLMENT + "2026-03-02 10:00  buy o-1: 1 60.00  -> base 60, expiring 60 never")


def test_what_a_part_of_a_document_leaves_out_is_as_in_the_smallest_program() -> None:
    part = "currency: EUR\nwallets:\n  stars: {}  # two\n\n  points: {}\n"
    program = load(whole_document(part))
    assert isinstance(program, Program), program
    assert (program.id, program.currency.code, [wallet.id for wallet in program.wallets]) == (
        "minimal",
        "EUR",
        ["stars", "points"],
    )


def test_link_to_a_heading_that_is_not_there_is_noticed() -> None:
    assert broken_anchors("README.md", "# Two words\n[a](#two-words) [b](#three-words)") == ["#three-words"]


def test_generated_part_that_is_out_of_date_is_noticed() -> None:
    page = "<!-- generated: refusals -->\nold\n<!-- end -->"
    assert "unknown_member" in with_parts_made_anew(page)
