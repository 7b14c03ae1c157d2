"""The example in docs/concepts/import.md, carried out as it stands there."""

import re

import pytest

from laurels.intake.importing.mapping import read_mapping
from tests.cli.giving import Giving, run
from tests.docs.page import ROOT, blocks_of, text_of

PAGE = "docs/concepts/import.md"
NAMED = re.compile(r"^`(?P<name>[\w.]+)`\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = {match["name"]: match["text"] for match in NAMED.finditer(text_of(PAGE))}


def commands() -> list[tuple[str, list[str]]]:
    """Each command of the page with the lines that it says."""
    (console,) = blocks_of(PAGE, "console")
    found: list[tuple[str, list[str]]] = []
    for line in console.text.splitlines():
        if line.startswith("$ laurels "):
            found.append((line.removeprefix("$ laurels "), []))
        else:
            found[-1][1].append(line)
    return found


def test_the_commands_say_what_the_page_says(give: Giving) -> None:
    (give.directory / "programs").symlink_to(ROOT / "programs")
    for name in ("receipts.csv", "receipts.yaml", "members.ndjson"):
        give.file(name, FILES[name])
    assert len(commands()) == 3
    for command, said in commands():
        output = run(*command.split()).stdout.splitlines()
        # How long it took is not on the page.
        assert [line for line in output if not line.endswith(" a second")] == said
    assert (give.directory / "receipts.csv.report.ndjson").read_text() == FILES["receipts.csv.report.ndjson"]
    # 3.20 + 19.80 and 4.00, a point a yuan.
    balances = [give.json("member", member)["wallets"]["points"]["available"] for member in ("m-1", "m-2")]
    assert balances == [23, 4]


@pytest.mark.parametrize("block", blocks_of(PAGE, "yaml"), ids=lambda block: f"line {block.line}")
def test_every_mapping_on_the_page_can_be_read(block: object) -> None:
    read_mapping(block.text)  # type: ignore[attr-defined]  # it is a block
