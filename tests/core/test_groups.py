"""How campaigns that apply together combine: all, best, first, exclusive, nested; multipliers whose base is gone."""

from __future__ import annotations

from typing import Any

from tests.core.harness import World, shop


def fixed(points: int, **words: Any) -> dict[str, Any]:
    return {"on": "purchase", "grant": {"wallet": "points", "fixed": points}, **words}


def world(groups: dict[str, Any], **campaigns: dict[str, Any]) -> World:
    made = World(shop(campaigns=campaigns, groups=groups))
    made.enrol()
    return made


def test_campaigns_outside_groups_and_in_a_group_of_mode_all_are_all_given() -> None:
    w = world({"g": {"mode": "all", "of": ["a", "b"]}}, a=fixed(5), b=fixed(7))
    assert w.buy("o", "10.00").moved("issuance", "available") == 10 + 5 + 7


def test_best_gives_the_one_that_grants_most_after_its_limits() -> None:
    trimmed = fixed(50, limits=[{"per": "member", "every": "day", "points": 6}])
    w = world({"g": {"mode": "best", "of": ["a", "b"]}}, a=trimmed, b=fixed(7))
    bought = w.buy("o", "10.00")
    # a wants 50 and may 6; b grants 7 and is better.
    assert bought.granted("b") == 7
    assert bought.why("a") == ("not_best", 50, 0)


def test_ties_go_to_the_higher_priority_and_then_to_the_earlier_one() -> None:
    w = world(
        {"g": {"mode": "best", "of": ["a", "b", "c"]}}, a=fixed(7), b=fixed(7, priority=1), c=fixed(7, priority=1)
    )
    assert w.buy("o", "10.00").granted("b") == 7


def test_first_gives_the_first_by_priority_and_place_however_little_it_grants() -> None:
    w = world({"g": {"mode": "first", "of": ["a", "b"]}}, a=fixed(1), b=fixed(100))
    bought = w.buy("o", "10.00")
    assert bought.granted("a") == 1
    assert bought.why("b") == ("not_first", 100, 0)


def test_exclusive_keeps_every_campaign_of_another_group_out_but_not_those_in_no_group() -> None:
    groups = {"only": {"mode": "exclusive", "of": ["a"]}, "others": {"mode": "all", "of": ["b", "c"]}}
    w = world(groups, a=fixed(1), b=fixed(10), c=fixed(20))
    bought = w.buy("o", "10.00")
    assert bought.moved("issuance", "available") == 10 + 1
    assert bought.why("b") == ("excluded", 10, 0)
    assert bought.why("c") == ("excluded", 20, 0)


def test_an_exclusive_group_without_a_candidate_excludes_nobody() -> None:
    groups = {"only": {"mode": "exclusive", "of": ["a"]}, "others": {"mode": "all", "of": ["b"]}}
    w = world(groups, a=fixed(1, when="purchase.total >= 100.00"), b=fixed(10))
    assert w.buy("o", "10.00").granted("b") == 10


def test_a_nested_group_counts_as_one_member_with_all_that_it_gives() -> None:
    groups = {"pair": {"mode": "all", "of": ["a", "b"]}, "g": {"mode": "best", "of": ["pair", "c"]}}
    w = world(groups, a=fixed(50), b=fixed(60), c=fixed(80))
    bought = w.buy("o", "10.00")
    # The pair grants 110, more than 80.
    assert (bought.granted("a"), bought.granted("b"), bought.granted("c")) == (50, 60, 0)


def test_a_multiplier_falls_with_a_base_that_its_group_does_not_choose() -> None:
    double = {"on": "purchase", "grant": {"wallet": "points", "multiply": "slow", "by": 3}}
    slow = {"on": "purchase", "grant": {"wallet": "points", "points": 1, "per": "2.00"}}
    w = world({"g": {"mode": "best", "of": ["slow", "a"]}}, slow=slow, a=fixed(100), double=double)
    bought = w.buy("o", "10.00")
    assert bought.granted("a") == 100
    # slow would grant 5 and the multiplier 2 x 5 = 10 over it, but slow is not given.
    assert bought.why("double") == ("base_not_applied", 10, 0)


def test_a_group_chooses_again_when_the_multiplier_it_had_chosen_falls_with_its_base() -> None:
    slow = {"on": "purchase", "grant": {"wallet": "points", "points": 1, "per": "1.00"}}
    double = {"on": "purchase", "grant": {"wallet": "points", "multiply": "slow", "by": 10}}
    groups = {"bases": {"mode": "first", "of": ["a", "slow"]}, "extras": {"mode": "best", "of": ["double", "b"]}}
    w = world(groups, slow=slow, double=double, a=fixed(1), b=fixed(30))
    bought = w.buy("o", "10.00")
    # bases gives a, so slow is not given; double (90) was best among the extras and falls; b (30) takes its place.
    assert bought.granted("a") == 1
    assert bought.granted("b") == 30
    assert bought.why("double")[0] == "base_not_applied"


def test_a_multiplier_sees_its_base_as_its_limits_left_it() -> None:
    base = {
        "on": "purchase",
        "grant": {"wallet": "points", "points": 1, "per": "1.00"},
        "limits": [{"per": "member", "every": "day", "points": 30}],
    }
    w = world({}, base=base, double={"on": "purchase", "grant": {"wallet": "points", "multiply": "base", "by": 2}})
    bought = w.buy("o", "100.00")
    assert bought.why("base") == ("trimmed", 100, 30)
    assert bought.granted("double") == 30
