"""A campaign that waits for a tier is given with the activity that raises the member to it, and judged again by it."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.harness import World, shop

TIERS = [{"id": "none"}, {"id": "half", "enter": "2000.00"}, {"id": "done", "enter": "4000.00"}]


def welcoming(window: str | dict[str, str] = "lifetime", campaign: dict[str, Any] | None = None, **track: Any) -> World:
    """A shop that grants 60,000 points to whoever reaches 4,000 yuan."""
    welcome = {
        "on": "purchase",
        "reaches": "start.done",
        "grant": {"wallet": "points", "fixed": 60_000},
        **(campaign or {}),
    }
    start = {"measure": {"spent": "net"}, "window": window, "tiers": TIERS, **track}
    return World(shop(campaigns={"welcome": welcome}, tracks={"start": start}), start="2026-01-01")


def test_the_order_that_reaches_the_tier_is_given_it_and_no_other() -> None:
    world = welcoming()
    world.enrol(at="2026-01-10")
    assert world.buy("o-1", "3999.99", at="2026-01-11").why("welcome") == ("condition_not_met", 0, 0)
    last = world.buy("o-2", "0.01", at="2026-01-12")
    assert (last.granted("welcome"), last.tier_changes) == (60_000, [("done", "earned")])
    assert world.buy("o-3", "5000.00", at="2026-01-13").granted("welcome") == 0


def test_an_order_that_goes_past_the_tier_reaches_it() -> None:
    world = welcoming(campaign={"reaches": "start.half"})
    world.enrol(at="2026-01-10")
    past = world.buy("o-1", "9000.00", at="2026-01-11")
    assert (past.granted("welcome"), past.tier_changes) == (60_000, [("done", "earned")])


def test_a_return_of_part_of_that_order_takes_it_back_where_the_rest_would_not_have_reached_the_tier() -> None:
    world = welcoming()
    world.enrol(at="2026-01-10")
    world.buy("o-1", "3000.00", at="2026-01-11")
    world.buy("o-2", "900.00", "300.00", at="2026-01-12")
    # 3,000 + 900 + 300 - 200 = 4,000: it stays. A cent less, and it goes, once.
    assert world.give_back("o-2", ("2", "200.00"), at="2026-01-13").why("welcome")[0] == "kept"
    assert world.points()[0] == 3_000 + 900 + 100 + 60_000
    assert world.give_back("o-2", ("2", "0.01"), at="2026-01-14").why("welcome")[0] == "no_longer_qualifies"
    assert world.points()[0] == 3_000 + 900 + 100
    world.give_back("o-2", at="2026-01-15")
    assert world.points()[0] == 3_000


def test_what_the_member_had_before_is_taken_as_it_was_then() -> None:
    world = welcoming()
    world.enrol(at="2026-01-10")
    world.buy("o-1", "3000.00", at="2026-01-11")
    world.buy("o-2", "1000.00", at="2026-01-12")
    # An earlier order comes back: what o-2 reached it reached.
    world.give_back("o-1", at="2026-01-13")
    assert world.points()[0] == 1_000 + 60_000


def test_a_member_who_falls_and_rises_again_reaches_the_tier_again_unless_a_limit_says_once() -> None:
    for limits, times in (([], 2), ([{"per": "member", "every": "lifetime", "times": 1}], 1)):
        world = welcoming(campaign={"limits": limits} if limits else {}, on_return="fall_back")
        world.enrol(at="2026-01-10")
        world.buy("o-1", "3000.00", at="2026-01-11")
        world.buy("o-2", "1000.00", at="2026-01-12")
        world.give_back("o-1", at="2026-01-13")
        assert world.tier("start") == "none"
        world.buy("o-3", "3000.00", at="2026-01-14")
        assert world.points()[0] == 1_000 + 3_000 + 60_000 * times


@pytest.mark.parametrize("window", ["calendar_year", "anniversary", {"rolling": "12M"}, {"year_from": "03-01"}])
def test_in_every_window_the_campaign_is_given_when_the_tier_is_reached_and_only_then(
    window: str | dict[str, str],
) -> None:
    world = welcoming(window)
    world.enrol(at="2026-01-10")
    for n, at in enumerate(("2026-01-20", "2026-02-20", "2026-03-20", "2026-12-20", "2027-01-20", "2027-12-20")):
        bought = world.buy(f"o-{n}", "1700.00", at=at)
        risen = any(tier == "done" for tier, reason in bought.tier_changes if reason == "earned")
        assert (bought.granted("welcome") > 0) == risen


def test_a_tier_of_several_measures_is_reached_by_the_activity_that_brings_the_last_of_them() -> None:
    tiers = [{"id": "none"}, {"id": "done", "enter": ["100.00", 2]}]
    both = {"all": [{"spent": "net"}, {"count": "purchase"}]}
    world = welcoming(measure=both, tiers=tiers)
    world.enrol(at="2026-01-10")
    assert world.buy("o-1", "150.00", at="2026-01-11").granted("welcome") == 0
    assert world.buy("o-2", "1.00", at="2026-01-12").granted("welcome") == 60_000


def test_other_activities_reach_a_tier_by_count_and_by_sum() -> None:
    stays = {"measure": {"sum": "custom.stay.nights"}, "tiers": [{"id": "new"}, {"id": "tenth", "enter": 10}]}
    gift = {"on": "custom.stay", "reaches": "stays.tenth", "grant": {"wallet": "points", "fixed": 500}}
    fields = {"custom.stay": {"nights": {"type": "decimal", "required": True}}}
    world = World(shop(campaigns={"gift": gift}, tracks={"stays": stays}, fields=fields))
    world.enrol(at="2026-01-10")
    assert world.post("m", "custom.stay", {"nights": "9.5"}, at="2026-02-01").granted("gift") == 0
    assert world.post("m", "custom.stay", {"nights": "0.5"}, at="2026-02-02").granted("gift") == 500


def test_a_late_order_reaches_a_tier_that_would_still_hold_and_none_that_is_over() -> None:
    for holds_until, granted in (("next_window", 60_000), ("this_window", 0)):
        world = welcoming("calendar_year", holds_until=holds_until)
        world.enrol(at="2026-01-10")
        world.buy("o-1", "3000.00", at="2026-12-01")
        late = world.buy("o-2", "1000.00", at="2027-01-05", occurred="2026-12-30")
        assert late.granted("welcome") == granted


DOINGS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "late", "return"]),
        st.integers(1, 90),
        st.sampled_from([1, 99_999, 100_000, 200_000, 399_999, 400_000]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["lifetime", "calendar_year", "anniversary", {"rolling": "6M"}]),
    st.sampled_from(["stay", "fall_back"]),
    DOINGS,
)
@example(
    {"rolling": "6M"},
    "stay",
    [("buy", 1, 399_999), ("buy", 1, 1), ("buy", 90, 1), ("buy", 90, 1), ("buy", 3, 1), ("buy", 90, 399_999)],
)
def test_whatever_happens_an_order_in_its_own_time_is_given_it_where_and_only_where_it_raises_the_member(
    window: str | dict[str, str], on_return: str, doings: list[tuple[str, int, int]]
) -> None:
    world = welcoming(window, on_return=on_return)
    world.enrol(at="2026-01-01")
    day, orders = 20_454, list[str]()  # 2026-01-01
    for n, (what, days, cents) in enumerate(doings):
        day += days
        at = world.zone.instant_at(day + 719_163)
        if what == "return" and orders:
            world.give_back(orders.pop(), at=at)
            continue
        # A rolling window of a later day may reach what that of the day itself does not; such a late order rises alone.
        late = what == "late" and isinstance(window, str)
        occurred = world.zone.instant_at(day + 719_163 - min(days, 30)) if late else None
        # The tier may have run out since the member was last looked at.
        world.clock(at)
        before = world.tier("start")
        bought = world.buy(f"o-{n}", f"{cents / 100:.2f}", at=at, occurred=occurred)
        orders.append(f"o-{n}")
        if occurred is not None and bought.tier_changes and bought.tier_changes[-1][1] == "restored":
            continue
        assert (bought.granted("welcome") > 0) == (world.tier("start") == "done" and before != "done")
    world.replay()
