"""Facts stay what they are: the golden corpus is decided again, and differs only when ENGINE was raised.

A difference means that `verify` would report every activity of this sort that is stored anywhere. If it is meant, raise
ENGINE in `laurels/core/decide.py` and run `python -m tests.core.golden`.
"""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from laurels.core.calendar import tzdata_version
from laurels.core.decide import ENGINE
from laurels.core.explanation import CAMPAIGN_CODES, TIER_REASONS
from laurels.core.facts import AnyFact
from tests.core.golden.corpus import FILE, replay

HOW = "raise ENGINE in laurels/core/decide.py if this is meant, then run `python -m tests.core.golden`"


@pytest.fixture(scope="module")
def stored() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    head, *lines = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
    return head, lines


def test_facts_come_out_as_they_did_under_this_engine(
    stored: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    head, lines = stored
    assert head["engine"] == ENGINE, f"the corpus is of engine {head['engine']}: run `python -m tests.core.golden`"
    now = replay(head, lines)
    assert len(now) == len(lines), HOW
    for n, (then, again) in enumerate(zip(lines, now, strict=True), 2):
        told = f"line {n} of {FILE.name} (tzdata {head['tzdata']}, now {tzdata_version()}): {HOW}"
        assert again == then, told


def test_the_corpus_holds_every_sort_of_fact_and_every_outcome_of_a_campaign(
    stored: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    facts = [fact for line in stored[1] for fact in line.get("facts", [])]
    tags = {kind.__struct_config__.tag for kind in get_args(AnyFact)}
    assert {fact["fact"] for fact in facts} == tags
    codes = {campaign[1] for fact in facts if fact["fact"] == "explained" for campaign in fact["campaigns"]}
    assert codes == set(CAMPAIGN_CODES)
    assert {fact["reason"] for fact in facts if fact["fact"] == "tier_set"} == set(TIER_REASONS)


def test_the_corpus_is_small_enough_to_be_read_in_a_review() -> None:
    assert FILE.stat().st_size < 350_000
