"""A trigger written out as one function says the facts that judging campaign by campaign says."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from laurels.core.compiled import Trigger
from laurels.core.facts import encode_facts
from laurels.core.written import source_of, write
from tests.core.harness import World, program, shop
from tests.core.histories import BEANS, SEEDS, Step, Story, history_of, program_of

few = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)

UNCOMMON = ("steps", "both")
"""Campaigns of the random programs whose grants are not written out."""

MORE: dict[str, dict[str, Any]] = {
    "hours": {
        "on": "purchase",
        "during": {"weekly": [{"days": ["mon", "tue", "sat"], "from": "08:00", "until": "14:00"}, {"days": ["sun"]}]},
        "grant": {"wallet": "points", "fixed": 2},
    },
    "days": {
        "on": "purchase",
        "during": {"weekly": [{"days": ["mon", "wed", "fri"]}]},
        "grant": {"wallet": "points", "multiply": "base", "by": "1.5", "round": "half_up"},
    },
    "spring": {
        "on": "purchase",
        "during": {"from": "2026-02-01", "until": "2026-04-15"},
        "grant": {"wallet": "points", "points": 1, "per": "3.00", "of": "gross", "round": "up"},
    },
    "beans": {"on": "purchase", "lines": BEANS, "grant": {"wallet": "points", "multiply": "pieces", "by": 2}},
    "pieces": {"on": "purchase", "grant": {"wallet": "points", "per_quantity": "0.8", "round": "up"}},
    "net": {
        "on": "purchase",
        "lines": 'has(line.sku) || line.amount >= 2.00 && !("clearance" in line.tags)',
        "grant": {"wallet": "points", "points": "0.1", "per": "1.00", "of": "net_of_tax", "round": "half_even"},
    },
}


def common_program(chance: Random) -> dict[str, Any]:
    """A random program whose campaigns can be written out; where it has tiers, rates by tier among them."""
    document = program_of(chance)
    document.pop("groups", None)
    campaigns = {name: each for name, each in document["campaigns"].items() if name not in UNCOMMON}
    for name in chance.sample(sorted(MORE), chance.randint(2, len(MORE))):
        campaigns[name] = MORE[name]
    if "beans" in campaigns:
        campaigns["pieces"] = MORE["pieces"]
    if "tracks" in document:
        of_tier = {"a.member": 1, "a.silver": "1.5"}
        campaigns["by_tier"] = {"on": "purchase", "grant": {"wallet": "points", "points": of_tier, "per": "2.00"}}
    document["campaigns"] = campaigns
    return document


def triggers_of(world: World) -> list[Trigger]:
    compiled = world.versions.numbered(1)
    assert compiled is not None
    return list(compiled.triggers.values())


def lived(story: Story, history: list[Step]) -> list[tuple[str, bytes]]:
    """What came of each step."""
    answers = [story.take(step) for step in history]
    return [(answer.code, encode_facts(answer.facts)) for answer in answers]


@few
@given(SEEDS)
def test_what_is_written_out_says_the_facts_that_judging_says(seed: int) -> None:
    chance = Random(seed)
    document = common_program(chance)
    history = history_of(chance, 20)
    written, judged = Story(document), Story(document)
    assert all(trigger.writ is not None for trigger in triggers_of(written.world))
    for trigger in triggers_of(judged.world):
        trigger.writ = None
    assert lived(written, history) == lived(judged, history)


def test_a_function_written_for_another_program_is_noticed() -> None:
    history = history_of(Random(7), 20)
    one, other = Story(shop(wallets={"growth": {}})), Story(shop(wallets={"growth": {}}))
    double = shop(wallets={"growth": {}})
    double["campaigns"]["base"]["grant"]["points"] = 2
    for trigger, wrong in zip(triggers_of(other.world), triggers_of(World(double)), strict=True):
        trigger.writ = wrong.writ
    assert lived(one, history) != lived(other, history)


@pytest.mark.parametrize(
    "document",
    [
        shop(
            campaigns={"a": {"on": "purchase", "grant": {"wallet": "points", "fixed": 1}}},
            groups={"g": {"mode": "best", "of": ["base", "a"]}},
        ),
        shop(
            campaigns={
                "a": {"on": "purchase", "grant": [{"wallet": "points", "fixed": 1}, {"wallet": "points", "fixed": 2}]}
            }
        ),
    ],
)
def test_groups_and_several_grants_are_judged_and_not_written_out(document: dict[str, Any]) -> None:
    assert [trigger.writ for trigger in triggers_of(World(program(document)))] == [None]


def test_the_function_can_be_read() -> None:
    (trigger,) = triggers_of(World(shop()))
    assert write(trigger) is not None
    source = source_of(trigger)
    assert "points = weight // 100" in source
    assert "said_0 = Judged('base', 'applied', points, points, 'points')" in source
