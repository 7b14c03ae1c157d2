"""Every program of `programs/` passes `check` without a finding, and can be read in both languages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from laurels.core.program.loading import examine
from tests.programs.living import PROGRAMS

ALL = sorted(PROGRAMS.glob("*.yaml"))
KNOWN = {
    "airline", "bank", "bank_card", "beauty_retailer", "chinese_retailer", "coffee_chain", "four_tier_retailer",
    "hotel", "hotel_group", "marketplace", "stamp_card",
}  # fmt: skip


def names_in(value: Any) -> Iterator[dict[str, str]]:
    """Every text by language in a plain value."""
    match value:
        case dict():
            for word, each in value.items():
                if word in ("name", "about", "benefits") and isinstance(each, dict) and each:
                    yield from [each] if all(isinstance(text, str) for text in each.values()) else names_in(each)
                else:
                    yield from names_in(each)
        case list() | tuple():
            for each in value:
                yield from names_in(each)


def test_the_programs_that_people_know_are_there() -> None:
    assert {path.stem for path in ALL} >= KNOWN


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_program_passes_check_without_findings_and_has_its_names_in_both_languages(path: Path) -> None:
    examined = examine(path.read_text(encoding="utf-8"))
    assert examined.findings == ()
    assert examined.program is not None
    assert examined.program.id == path.stem
    for texts in names_in(msgspec.to_builtins(examined.program)) if path.stem in KNOWN else ():
        assert {"en", "zh-CN"} <= texts.keys(), texts


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_program_that_people_know_says_where_its_numbers_come_from_and_to_check_them(name: str) -> None:
    text = (PROGRAMS / f"{name}.yaml").read_text(encoding="utf-8")
    head = text[: text.index("\nprogram:")]
    assert "# Source" in head
    assert "check before use" in text
