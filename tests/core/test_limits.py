"""Limits and budgets: never exceeded, trimmed or refused, given back by returns (decision 6; cases 11 and 13)."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.facts import LimitUsed
from tests.core.harness import World, shop


def limited(*limits: dict[str, Any], **words: Any) -> dict[str, Any]:
    base = {"on": "purchase", "grant": {"wallet": "points", "points": 1, "per": "1.00"}, "limits": list(limits)}
    return shop(campaigns={"base": {**base, **words}})


def world(document: dict[str, Any], start: str = "2026-01-01 00:00") -> World:
    made = World(document, start=start)
    made.enrol()
    return made


DAY = {"per": "member", "every": "day", "points": 200}


def test_a_cap_hit_in_the_middle_of_an_award_trims_it_and_says_what_was_wanted() -> None:
    w = world(limited(DAY))
    assert w.buy("o1", "150.00").why("base") == ("applied", 150, 150)
    trimmed = w.buy("o2", "100.00")
    # 200 - 150 leaves 50 of 100.
    assert trimmed.why("base") == ("trimmed", 100, 50)
    assert trimmed.judged["base"].by == "day_points"
    assert w.buy("o3", "1.00").why("base") == ("limit_reached", 1, 0)
    assert w.points() == (200, 0, 0, 0)


def test_a_limit_that_refuses_grants_all_or_nothing() -> None:
    w = world(limited({**DAY, "over": "refuse"}))
    w.buy("o1", "150.00")
    assert w.buy("o2", "100.00").why("base") == ("limit_reached", 100, 0)
    assert w.buy("o3", "50.00").why("base") == ("applied", 50, 50)


def test_one_of_several_limits_that_refuses_grants_all_or_nothing() -> None:
    w = world(limited({**DAY, "over": "refuse"}, {"per": "member", "every": "year", "points": 1000}))
    w.buy("o1", "150.00")
    assert w.buy("o2", "100.00").why("base") == ("limit_reached", 100, 0)
    assert w.buy("o3", "50.00").why("base") == ("applied", 50, 50)


def test_a_limit_in_times_counts_activities_whatever_they_grant() -> None:
    w = world(limited({"per": "member", "every": "day", "times": 2}))
    assert w.buy("o1", "500.00").granted("base") == 500
    assert w.buy("o2", "0.50").why("base") == ("nothing_to_grant", 0, 0)
    assert w.buy("o3", "500.00").granted("base") == 500
    assert w.buy("o4", "500.00").why("base") == ("limit_reached", 500, 0)


def test_several_limits_hold_at_once() -> None:
    w = world(limited(DAY, {"per": "member", "every": "month", "points": 250}))
    assert w.buy("o1", "300.00", at="2026-01-10").why("base") == ("trimmed", 300, 200)
    second = w.buy("o2", "300.00", at="2026-01-11")
    # The day leaves 200, the month 50.
    assert second.why("base") == ("trimmed", 300, 50)
    assert second.judged["base"].by == "month_points"


@pytest.mark.parametrize(
    ("every", "last", "first"),
    [
        ("day", "2026-03-10 23:59:59.999999", "2026-03-11 00:00"),
        ("week", "2026-03-15 23:59:59.999999", "2026-03-16 00:00"),  # a Sunday and a Monday
        ("week", "2027-01-03 23:59:59.999999", "2027-01-04 00:00"),  # ISO week 53 of 2026 ends in 2027
        ("month", "2026-02-28 23:59:59.999999", "2026-03-01 00:00"),
        ("quarter", "2026-03-31 23:59:59.999999", "2026-04-01 00:00"),
        ("half_year", "2026-06-30 23:59:59.999999", "2026-07-01 00:00"),
        ("year", "2026-12-31 23:59:59.999999", "2027-01-01 00:00"),
    ],
)
def test_a_period_ends_with_the_last_instant_of_its_last_day_in_the_programs_zone(
    every: str, last: str, first: str
) -> None:
    w = world(limited({"per": "member", "every": every, "points": 10}))
    assert w.buy("o1", "10.00", at=last).granted("base") == 10
    assert w.buy("o2", "10.00").why("base") == ("limit_reached", 10, 0)
    assert w.buy("o3", "10.00", at=first).granted("base") == 10


def test_iso_week_53_is_one_week_across_the_new_year() -> None:
    w = world(limited({"per": "member", "every": "week", "points": 10}))
    # 2026-12-28 is a Monday; its week lasts until 2027-01-03.
    assert w.buy("o1", "10.00", at="2026-12-28 00:00").granted("base") == 10
    assert w.buy("o2", "10.00", at="2027-01-01 12:00").why("base") == ("limit_reached", 10, 0)
    assert w.buy("o3", "10.00", at="2027-01-03 12:00").why("base") == ("limit_reached", 10, 0)
    assert w.buy("o4", "10.00", at="2027-01-04 00:00").granted("base") == 10


def test_a_members_own_time_zone_does_not_move_the_programs_days() -> None:
    w = World(limited({"per": "member", "every": "day", "points": 10}))
    w.enrol(time_zone="America/New_York")
    assert w.buy("o1", "10.00", at="2026-03-10 23:00").granted("base") == 10
    # In New York it is the tenth until noon in Shanghai on the eleventh; the limit's day is Shanghai's.
    assert w.buy("o2", "10.00", at="2026-03-11 00:00").granted("base") == 10


@pytest.mark.parametrize("every", ["lifetime", "campaign"])
def test_a_limit_for_life_or_for_the_campaign_is_one_period(every: str) -> None:
    w = world(limited({"per": "member", "every": every, "points": 10}))
    assert w.buy("o1", "8.00", at="2026-01-10").granted("base") == 8
    assert w.buy("o2", "8.00", at="2028-01-10").why("base") == ("trimmed", 8, 2)


def test_a_cooldown_ends_after_its_duration_exactly() -> None:
    w = world(limited({"per": "member", "cooldown": "1H"}))
    assert w.buy("o1", "5.00", at="2026-03-01 10:00").granted("base") == 5
    assert w.buy("o2", "5.00", at="2026-03-01 10:59:59.999999").why("base") == ("cooldown", 5, 0)
    assert w.buy("o3", "5.00", at="2026-03-01 11:00").granted("base") == 5


def test_what_granted_nothing_starts_no_cooldown() -> None:
    w = world(limited({"per": "member", "cooldown": "1H"}))
    w.buy("o1", "0.50", at="2026-03-01 10:00")
    assert w.buy("o2", "5.00", at="2026-03-01 10:01").granted("base") == 5


def test_a_budget_is_shared_by_all_members_and_never_exceeded() -> None:
    w = world(limited({"budget": "points", "of": 100}))
    w.enrol("n")
    assert w.buy("o1", "70.00").granted("base") == 70
    trimmed = w.buy("o2", "70.00", member="n")
    assert trimmed.why("base") == ("trimmed", 70, 30)
    assert trimmed.judged["base"].by == "budget_points"
    assert w.buy("o3", "1.00", member="n").why("base") == ("budget_exhausted", 1, 0)
    assert w.pools["campaign/base/points"] == 100


def test_a_budget_in_times_counts_awards() -> None:
    w = world(limited({"budget": "times", "of": 2, "over": "refuse"}))
    w.enrol("n")
    assert w.buy("o1", "70.00").granted("base") == 70
    assert w.buy("o1", "70.00", member="n").granted("base") == 70
    assert w.buy("o2", "70.00", member="n").why("base") == ("budget_exhausted", 70, 0)


def test_a_return_gives_the_limit_back_in_the_same_period_and_nothing_is_granted_after_the_fact() -> None:
    w = world(limited(DAY))
    w.buy("o1", "150.00", at="2026-03-01 09:00")
    w.buy("o2", "100.00", at="2026-03-01 10:00")  # trimmed to 50
    returned = w.give_back("o1", at="2026-03-01 11:00")
    assert returned.moved("available", "issuance") == 150
    # o2 keeps its 50: what was trimmed is not granted because there is room now.
    assert w.points() == (50, 0, 0, 0)
    # 200 - 50 = 150 of room, as if o1 had never been.
    assert w.buy("o3", "500.00", at="2026-03-01 12:00").why("base") == ("trimmed", 500, 150)


def test_a_return_on_a_later_day_gives_the_limit_back_to_the_day_of_the_purchase() -> None:
    w = world(limited(DAY))
    w.buy("o1", "200.00", at="2026-03-01 09:00")
    w.buy("o2", "200.00", at="2026-03-02 09:00")
    returned = w.give_back("o1", at="2026-03-02 10:00")
    assert [w.text(fact.period) for fact in returned.of(LimitUsed)] == ["2026-03-01 00:00"]
    assert w.buy("o3", "5.00", at="2026-03-02 11:00").why("base") == ("limit_reached", 5, 0)
    # A purchase of the first day that arrives late finds the room.
    assert w.buy("o4", "5.00", occurred="2026-03-01 20:00").granted("base") == 5


def test_a_partial_return_gives_back_what_it_takes_and_an_award_counts_in_times_until_nothing_is_left_of_it() -> None:
    w = world(limited({"per": "member", "every": "day", "times": 1}, DAY))
    w.buy("o1", "100.00", at="2026-03-01 09:00")
    w.give_back("o1", ("1", "60.00"), at="2026-03-01 10:00")
    assert w.buy("o2", "5.00", at="2026-03-01 10:30").why("base") == ("limit_reached", 5, 0)
    w.give_back("o1", at="2026-03-01 11:00")
    assert w.buy("o3", "500.00", at="2026-03-01 12:00").why("base") == ("trimmed", 500, 200)


def test_a_return_gives_a_budget_back() -> None:
    w = world(limited({"budget": "points", "of": 100}))
    w.enrol("n")
    w.buy("o1", "100.00")
    w.give_back("o1", ("1", "40.00"))
    assert w.pools["campaign/base/points"] == 60
    assert w.buy("o2", "70.00", member="n").why("base") == ("trimmed", 70, 40)


def test_a_late_activity_uses_the_limit_of_the_period_in_which_it_occurred() -> None:
    w = world(limited(DAY))
    w.buy("o1", "150.00", at="2026-03-01 09:00")
    w.buy("o2", "200.00", at="2026-03-05 09:00")
    late = w.buy("o3", "100.00", at="2026-03-06 09:00", occurred="2026-03-01 10:00")
    assert late.why("base") == ("trimmed", 100, 50)
    assert w.buy("o4", "300.00").why("base") == ("trimmed", 300, 200)


def test_periods_of_long_ago_are_remembered_as_far_back_as_late_activities_count() -> None:
    w = world(limited(DAY))
    w.buy("first", "150.00", at="2026-01-01 12:00")
    for day in range(80):
        w.buy(f"o{day}", "200.00", at=w.now + 86_400_000_000)
    assert len(w.look().root.limits["base/day_points"]) <= 3
    # Eighty days later, 50 of the first day are left, and a return gives it 30 back.
    assert w.buy("late", "200.00", occurred="2026-01-01 13:00").why("base") == ("trimmed", 200, 50)
    assert w.buy("later", "1.00", occurred="2026-01-01 14:00").why("base") == ("limit_reached", 1, 0)
    w.give_back("first", ("1", "30.00"))
    assert w.buy("last", "200.00", occurred="2026-01-01 15:00").why("base") == ("trimmed", 200, 30)


def test_a_period_that_may_be_forgotten_leaves_no_room_and_gets_none_back() -> None:
    w = world(limited(DAY))
    w.buy("first", "150.00", at="2026-01-01 12:00")
    for day in range(100):
        w.buy(f"o{day}", "200.00", at=w.now + 86_400_000_000)
    assert w.buy("late", "1.00", occurred="2026-01-01 13:00").why("base") == ("limit_reached", 1, 0)
    w.give_back("first")
    assert w.buy("later", "1.00", occurred="2026-01-01 13:00").why("base") == ("limit_reached", 1, 0)
