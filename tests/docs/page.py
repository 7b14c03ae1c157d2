"""Pages: what documentation there is, and the fenced blocks in it."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))

BLOCK = re.compile(r"^```(?P<kind>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
KEY = re.compile(r"^(?P<key>\w+):.*\n(?:(?:[ #].*)?\n)*", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: the page and line at which it begins, what it says it is, and its text."""

    page: str
    line: int
    kind: str
    text: str


def text_of(page: str) -> str:
    """The whole page."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks_of(page: str, *kinds: str) -> list[Block]:
    """The page's blocks of these kinds in their order; of every kind when none is named."""
    text = text_of(page)
    found = [
        Block(page, text.count("\n", 0, match.start("text")) + 1, match["kind"], match["text"])
        for match in BLOCK.finditer(text)
    ]
    return [block for block in found if not kinds or block.kind in kinds]


def whole_document(part: str) -> str:
    """A program document of which a page shows a part: what it leaves out at the top is as in the smallest program."""
    minimal = (ROOT / "programs" / "minimal.yaml").read_text(encoding="utf-8")
    said = {match["key"] for match in KEY.finditer(part)}
    return part + "".join(match[0] for match in KEY.finditer(minimal) if match["key"] not in said)
