"""Tiers: reached at once, held for a status year, kept or lost once (decisions 11 and 12; cases 5, 6, 8, 9)."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.facts import TierSet
from tests.core.harness import World, shop

TIERS: list[dict[str, Any]] = [
    {"id": "member"},
    {"id": "silver", "enter": "1000.00", "keep": "800.00", "multiply": {"points": "1.5"}},
    {"id": "gold", "enter": "5000.00", "keep": "4000.00", "multiply": {"points": 2}},
]


def track(**words: Any) -> dict[str, Any]:
    return {"membership": {"measure": {"spent": "net"}, "tiers": TIERS, **words}}


def world(points: dict[str, Any] | None = None, enrolled: str = "2026-01-01 00:00", **words: Any) -> World:
    made = World(shop(points, tracks=track(**words)), start="2025-01-01 00:00")
    made.enrol(at=enrolled)
    return made


def test_the_order_that_crosses_a_threshold_still_earns_at_the_old_tier() -> None:
    w = world()
    assert w.buy("o1", "999.99").tier_changes == []
    crossing = w.buy("o2", "0.01", "100.00")
    assert crossing.granted("base", "membership.silver") == 0
    assert crossing.tier_changes == [("silver", "earned")]
    # 100 x 0.5.
    assert w.buy("o3", "100.00").granted("base", "membership.silver") == 50


def test_a_large_order_skips_tiers() -> None:
    w = world()
    assert w.buy("o", "5000.00").tier_changes == [("gold", "earned")]


def test_a_tier_holds_until_the_end_of_the_next_window() -> None:
    w = world()
    w.buy("o", "1000.00", at="2026-05-01")
    # Qualified in the window that ends with 2026: until the end of 2027.
    assert w.until() == "2028-01-01 00:00"
    assert w.tier(at="2027-12-31 23:59:59.999999") == "silver"
    assert w.tier(at="2028-01-01") == "member"


@pytest.mark.parametrize(
    ("holds_until", "until"),
    [
        ("this_window", "2027-01-01 00:00"),
        ("next_window", "2028-01-01 00:00"),
        ({"end_of": "next_window", "plus": "1M"}, "2028-02-01 00:00"),
        ({"windows": 2}, "2029-01-01 00:00"),
    ],
)
def test_how_long_a_tier_holds_counts_from_the_end_of_the_window(holds_until: Any, until: str) -> None:
    w = world(holds_until=holds_until)
    w.buy("o", "1000.00", at="2026-05-01")
    assert w.until() == until
    assert w.tier(at=w.instant(until) - 1) == "silver"
    assert w.tier(at=until) == "member"


def test_a_tier_is_kept_by_its_keep_threshold_in_the_next_window() -> None:
    w = world()
    w.buy("o1", "1000.00", at="2026-05-01")
    w.buy("o2", "799.99", at="2027-05-01")
    assert w.until() == "2028-01-01 00:00"
    assert w.buy("o3", "0.01", at="2027-05-02").tier_changes == [("silver", "kept")]
    assert w.until() == "2029-01-01 00:00"
    assert w.standing().since == w.instant("2026-05-01")


def test_to_earned_falls_to_what_the_last_window_earned() -> None:
    w = world()
    w.buy("o1", "5000.00", at="2026-05-01")
    w.buy("o2", "900.00", at="2027-05-01")
    # 900.00 keep silver and not gold.
    fallen = w.clock("2028-01-01")
    assert fallen.tier_changes == [("silver", "fell")]
    # Earned in 2027, so it holds until the end of 2028.
    assert w.until() == "2029-01-01 00:00"


def test_one_step_falls_one_tier_whatever_was_earned() -> None:
    w = world(fall="one_step")
    w.buy("o1", "5000.00", at="2026-05-01")
    assert w.clock("2028-01-01").tier_changes == [("silver", "fell")]
    assert w.until() == "2029-01-01 00:00"
    assert w.clock("2029-01-01").tier_changes == [("member", "fell")]


def test_one_step_falls_once_a_window_also_when_a_tier_holds_for_its_own_window_only() -> None:
    w = world(fall="one_step", holds_until="this_window")
    w.buy("o1", "5000.00", at="2026-05-01")
    assert w.clock("2027-01-01").tier_changes == [("silver", "fell")]
    assert w.until() == "2028-01-01 00:00"
    assert w.clock("2028-01-01").tier_changes == [("member", "fell")]


def test_never_does_not_fall() -> None:
    w = world(fall="never")
    w.buy("o1", "5000.00", at="2026-05-01")
    w.clock("2036-01-01")
    assert w.tier() == "gold"


def test_in_the_days_of_grace_the_tier_still_counts_and_may_still_be_kept() -> None:
    w = world(grace="30D")
    w.buy("o1", "1000.00", at="2026-05-01")
    assert w.tier(at="2028-01-30 23:59:59.999999") == "silver"
    assert w.tier(at="2028-01-31") == "member"
    # Bought as a silver member in the days of grace; 800.00 in the new window keep it.
    bought = w.buy("o2", "800.00", at="2028-01-15")
    assert bought.granted("base", "membership.silver") == 400
    assert bought.tier_changes == [("silver", "kept")]
    assert w.until() == "2030-01-01 00:00"


def test_who_did_not_keep_a_tier_falls_to_what_the_days_of_grace_have_earned_anew() -> None:
    w = world(grace="60D")
    w.buy("o1", "5000.00", at="2026-05-01")
    # Nothing in 2027; 900.00 in the days of grace keep silver in 2028, and with it until the end of 2029.
    w.buy("o2", "900.00", at="2028-02-01")
    assert w.clock("2028-03-01").tier_changes == [("silver", "fell")]
    assert w.until() == "2030-01-01 00:00"


def test_an_order_at_the_very_instant_at_which_a_tier_ends_is_bought_without_it() -> None:
    w = world()
    w.buy("o1", "1000.00", at="2026-05-01")
    assert w.buy("o2", "100.00", at="2027-12-31 23:59:59.999999").granted("base", "membership.silver") == 50
    assert w.buy("o3", "100.00", at="2028-01-01").granted("base", "membership.silver") == 0


def test_a_year_may_begin_on_any_day() -> None:
    w = world(window={"year_from": "03-01"})
    w.buy("o1", "600.00", at="2026-02-28 23:59:59")
    w.buy("o2", "600.00", at="2026-03-01")
    assert w.tier() == "member"
    w.buy("o3", "400.00", at="2027-02-28 12:00")
    assert w.tier() == "silver"
    assert w.until() == "2028-03-01 00:00"


def test_member_years_begin_on_the_anniversary_of_enrolment_in_the_programs_zone() -> None:
    w = world(window="anniversary", enrolled="2026-03-15 10:00")
    w.buy("o1", "600.00", at="2027-03-14 23:59:59")
    w.buy("o2", "600.00", at="2027-03-15 00:00")
    assert w.tier() == "member"
    w.buy("o3", "400.00", at="2027-03-15 00:01")
    assert w.tier() == "silver"
    # The second member year ends on 15 March 2028, the next one a year later.
    assert w.until() == "2029-03-15 00:00"


def test_a_lifetime_window_never_ends() -> None:
    w = world(window="lifetime")
    for year in range(2026, 2031):
        w.buy(f"o{year}", "200.00", at=f"{year}-06-01")
    assert w.tier() == "silver"
    assert w.until() is None
    assert w.tier(at="2060-01-01") == "silver"


def test_a_rolling_window_counts_whole_days_and_a_tier_holds_as_long_as_the_window_is() -> None:
    w = world(window={"rolling": "30D"})
    w.buy("o1", "600.00", at="2026-03-01 10:00")
    # On 31 March the first of March is the 31st day back and no longer counts.
    w.buy("o2", "399.99", at="2026-03-31 08:00")
    assert w.tier() == "member"
    w.buy("o3", "600.01", at="2026-04-05 08:00")
    assert w.tier() == "silver"
    assert w.until() == "2026-05-05 08:00"
    # Review: of the last 30 days nothing is left but 100.00.
    w.buy("o4", "100.00", at="2026-05-04")
    assert w.tier(at="2026-05-05 07:59:59") == "silver"
    assert w.tier(at="2026-05-05 08:00") == "member"


def test_a_rolling_tier_is_prolonged_while_the_window_keeps_it() -> None:
    w = world(window={"rolling": "30D"})
    w.buy("o1", "1000.00", at="2026-03-01 10:00")
    # The last 30 days hold 1000.00 and keep silver until 8 April.
    w.buy("o2", "10.00", at="2026-03-09 10:00")
    assert w.until() == "2026-04-08 10:00"


def test_all_or_any_of_several_measures() -> None:
    tiers = [{"id": "member"}, {"id": "silver", "enter": ["100.00", 3]}]
    measures = [{"spent": "net"}, {"count": "check_in"}]
    every = world(measure={"all": measures}, tiers=tiers)
    some = world(measure={"any": measures}, tiers=tiers)
    for w in (every, some):
        w.buy("o", "100.00")
    assert (every.tier(), some.tier()) == ("member", "silver")
    for _ in range(3):
        every.post("m", "check_in")
    assert every.tier() == "silver"


def test_sums_of_declared_fields_are_exact() -> None:
    tiers = [{"id": "member"}, {"id": "silver", "enter": "0.3"}]
    document = shop(
        fields={"custom.stay": {"nights": "decimal"}}, tracks=track(measure={"sum": "custom.stay.nights"}, tiers=tiers)
    )
    w = World(document)
    w.enrol()
    w.post("m", "custom.stay", {"nights": "0.1"})
    assert w.tier() == "member"
    w.post("m", "custom.stay", {"nights": "0.2"})
    assert w.tier() == "silver"


# --- points as the measure ---

BY_POINTS: dict[str, Any] = {
    "measure": {"earned": "points"},
    "tiers": [{"id": "member"}, {"id": "silver", "enter": 100}],
}


def test_spending_points_does_not_lower_what_was_earned() -> None:
    w = world(**BY_POINTS)
    w.buy("o", "100.00", at="2026-03-01")
    w.redeem("r", 100, at="2026-03-02")
    assert w.tier() == "silver"
    assert w.outlook().values == (100,)
    w.clock("2027-06-01")
    assert w.tier() == "silver"


@pytest.mark.parametrize(("pending", "tier"), [("counts", "silver"), ("waits", "member")])
def test_pending_points_count_towards_tiers_only_where_the_track_says_so(pending: str, tier: str) -> None:
    w = world({"pending": "7D"}, **{**BY_POINTS, "measure": {"earned": "points", "pending": pending}})
    w.buy("o", "100.00", at="2026-03-01")
    assert w.tier() == tier
    # Once active they count in either case, and once only.
    assert w.tier(at="2026-03-08") == "silver"
    assert w.outlook(at="2026-03-08").values == (100,)


def test_points_that_activate_in_the_next_year_count_in_the_year_of_the_purchase() -> None:
    w = world({"pending": "7D"}, **BY_POINTS)
    w.buy("o", "100.00", at="2026-12-30 12:00")
    assert w.tier(at="2027-01-06 12:00") == "silver"
    assert w.until(at="2027-01-06 12:00") == "2028-01-01 00:00"
    assert w.outlook(at="2027-01-06 12:00").values == (0,)


def test_adjustments_of_a_counting_wallet_count_and_can_be_taken_again() -> None:
    document = shop(
        wallets={"growth": {"spendable": False}},
        tracks=track(measure={"earned": "growth"}, tiers=[{"id": "member"}, {"id": "silver", "enter": 100}]),
    )
    w = World(document)
    w.enrol()
    w.adjust(100, wallet="growth")
    assert w.tier() == "silver"
    w.adjust(-60, wallet="growth")
    assert w.outlook().values == (40,)
    assert w.tier() == "silver"


# --- late arrivals ---


def test_a_late_activity_counts_in_its_window_and_raises_from_its_arrival_on() -> None:
    w = world()
    w.buy("o1", "900.00", at="2026-12-30")
    w.buy("o2", "50.00", at="2027-01-10")
    late = w.buy("o3", "100.00", at="2027-01-20", occurred="2026-12-31 12:00")
    (fact,) = late.of(TierSet)
    assert (fact.tier, w.text(fact.at), w.text(fact.until)) == ("silver", "2027-01-20 00:00", "2028-01-01 00:00")
    # What was decided before stays: o2 was bought by a member, and so is what occurred before the arrival.
    assert w.buy("o4", "10.00", occurred="2027-01-15").granted("base", "membership.silver") == 0
    assert w.buy("o5", "10.00").granted("base", "membership.silver") == 5


def test_a_late_activity_that_would_have_kept_a_tier_brings_it_back_from_its_arrival_on() -> None:
    w = world()
    w.buy("o1", "1000.00", at="2026-05-01")
    w.buy("o2", "700.00", at="2027-05-01")
    # Silver is lost on 1 January 2028: 700.00 are less than the 800.00 that keep it.
    assert w.tier(at="2028-01-10") == "member"
    late = w.buy("o3", "99.99", at="2028-01-20", occurred="2027-12-31 12:00")
    assert late.tier_changes == [("member", "fell")]
    late = w.buy("o4", "0.01", at="2028-01-21", occurred="2027-12-31 13:00")
    (fact,) = late.of(TierSet)
    assert (fact.tier, fact.reason, w.text(fact.at), w.text(fact.until)) == (
        "silver",
        "restored",
        "2028-01-21 00:00",
        "2029-01-01 00:00",
    )
    # The days between stay those of a member.
    assert w.buy("o5", "10.00", occurred="2028-01-20").granted("base", "membership.silver") == 0
    assert w.buy("o6", "10.00").granted("base", "membership.silver") == 5


def test_a_late_activity_brings_a_tier_back_only_where_it_could_have_kept_it() -> None:
    w = world(holds_until="this_window")
    w.buy("o1", "1000.00", at="2026-05-01")
    w.clock("2027-01-01")
    # 800.00 in 2027, in which the member never was silver: that takes 1000.00.
    w.buy("o2", "800.00", at="2027-02-01", occurred="2027-01-20")
    assert w.tier() == "member"
    # 2026 would have been kept by what it was earned with, and its time is over.
    w.buy("o3", "800.00", at="2027-02-02", occurred="2026-12-20")
    assert w.tier() == "member"


def test_a_late_activity_in_the_days_of_grace_brings_the_tier_back() -> None:
    w = world(grace="30D")
    w.buy("o1", "1000.00", at="2026-05-01")
    w.clock("2028-02-01")
    assert w.tier() == "member"
    # Still silver on 15 January 2028; 800.00 in 2028 keep it, as they would have at the review of the 31st.
    late = w.buy("o2", "800.00", at="2028-02-02", occurred="2028-01-15")
    assert late.tier_changes == [("silver", "restored")]
    assert w.until() == "2030-01-01 00:00"


def test_a_late_activity_brings_back_one_of_several_tiers_that_were_lost() -> None:
    w = world()
    w.buy("o1", "5000.00", at="2026-05-01")
    w.clock("2028-01-02")
    assert w.tier() == "member"
    # 900.00 in 2027 keep silver and not gold.
    assert w.buy("o2", "900.00", occurred="2027-12-01").tier_changes == [("silver", "restored")]


def test_in_a_rolling_window_a_late_activity_brings_back_the_tier_for_as_long_as_it_would_have_kept_it() -> None:
    w = world(window={"rolling": "30D"})
    w.buy("o1", "1000.00", at="2026-03-01 10:00")
    assert w.tier(at="2026-03-31 09:59") == "silver"
    w.clock("2026-04-01")
    assert w.tier() == "member"
    # On 10 March the window holds 1790.00, which keep silver until 9 April.
    late = w.buy("o2", "790.00", at="2026-04-02", occurred="2026-03-10 10:00")
    (fact,) = late.of(TierSet)
    assert (fact.tier, w.text(fact.until)) == ("silver", "2026-04-09 10:00")
    v = world(window={"rolling": "30D"})
    v.buy("o1", "1000.00", at="2026-03-01 10:00")
    v.buy("o2", "10.00", at="2026-03-29 10:00")
    v.clock("2026-05-01")
    assert v.tier() == "member"
    # Silver held until 28 April. 800.00 of 20 April keep it for 30 days from there.
    (fact,) = v.buy("o3", "800.00", at="2026-05-02", occurred="2026-04-20 10:00").of(TierSet)
    assert (fact.tier, fact.reason, v.text(fact.until)) == ("silver", "restored", "2026-05-20 10:00")


def test_a_late_activity_of_a_window_whose_standing_is_over_raises_nobody() -> None:
    w = world(holds_until="this_window")
    late = w.buy("o", "1000.00", at="2027-01-20", occurred="2026-12-31 12:00")
    assert late.tier_changes == []
    assert w.tier() == "member"


def test_a_late_activity_is_judged_by_the_tier_of_its_time() -> None:
    w = world()
    w.buy("o1", "1000.00", at="2026-05-01")
    w.clock("2028-02-01")
    assert w.tier() == "member"
    # In December 2027 the member was silver, before May 2026 a member.
    assert w.buy("o2", "100.00", occurred="2027-12-31 23:59:59").granted("base", "membership.silver") == 50
    assert w.buy("o3", "100.00", occurred="2026-04-30").granted("base", "membership.silver") == 0


def test_what_occurred_at_the_very_instant_of_a_change_belongs_to_the_new_tier() -> None:
    w = world()
    w.buy("o1", "1000.00", at="2027-12-01")
    w.buy("o2", "5000.00", at="2027-12-20 12:00")
    w.buy("o3", "1.00", at="2027-12-21")
    # Silver from the first of December, gold from the twentieth at noon.
    assert w.buy("o4", "10.00", occurred="2027-11-30 23:59:59").granted("base", "membership.silver") == 0
    assert w.buy("o5", "10.00", occurred="2027-12-01").granted("base", "membership.silver") == 5
    assert w.buy("o6", "10.00", occurred="2027-12-20 11:59:59").granted("base", "membership.silver") == 5
    assert w.buy("o7", "10.00", occurred="2027-12-20 12:00").granted("base", "membership.gold") == 10


def test_a_late_activity_in_a_rolling_window_counts_in_the_windows_that_end_later() -> None:
    w = world(window={"rolling": "30D"})
    w.buy("o1", "600.00", at="2026-03-20 10:00")
    # 400.00 of the 10th arrive on the 25th: the window that ends on the 20th holds 1000.00.
    late = w.buy("o2", "400.00", at="2026-03-25", occurred="2026-03-10 10:00")
    assert late.tier_changes == [("silver", "earned")]
    assert w.tier(at="2026-04-18 23:59") == "silver"


# --- returns ---


def test_a_return_lowers_the_window_of_its_purchase_and_by_default_the_tier_stays_for_its_time() -> None:
    w = world()
    w.buy("o1", "1000.00", at="2026-05-01")
    w.buy("o2", "100.00", at="2026-06-01")
    returned = w.give_back("o1", at="2027-02-01")
    # What the tier was earned with is gone, and the explanation says that it stays.
    assert returned.tier_changes == [("silver", "stayed")]
    assert (w.tier(), w.until()) == ("silver", "2028-01-01 00:00")
    # It was taken from 2026: 2027 is untouched, and nothing but 100.00 is left of 2026.
    assert w.outlook().values == (0,)
    assert w.tier(at="2028-01-01") == "member"


def test_a_return_that_leaves_what_earns_the_tier_says_nothing_about_it() -> None:
    for on_return in ("stay", "fall_back"):
        w = world(on_return=on_return)
        w.buy("o1", "1000.00", at="2026-05-01")
        w.buy("o2", "100.00", at="2026-06-01")
        # 1000.00 of 1100.00 are left.
        assert w.give_back("o2", at="2026-07-01").tier_changes == []
        assert w.until() == "2028-01-01 00:00"


def test_where_the_program_says_so_the_tier_falls_back_and_later_orders_keep_what_they_earned() -> None:
    w = world(on_return="fall_back")
    w.buy("o1", "1000.00", at="2026-05-01")
    later = w.buy("o2", "100.00", at="2026-06-01")
    assert later.granted("base", "membership.silver") == 50
    returned = w.give_back("o1", at="2026-07-01")
    assert returned.tier_changes == [("member", "fell_back")]
    # 1000 of o1 are taken back; the 150 of o2 stay, earned at the higher rate.
    assert w.points() == (150, 0, 0, 0)
    assert w.buy("o3", "10.00").granted("base", "membership.silver") == 0


def test_a_tier_does_not_fall_back_while_what_remains_still_earns_it() -> None:
    w = world(on_return="fall_back")
    w.buy("o1", "1000.00", at="2026-05-01")
    w.buy("o2", "5000.00", at="2026-06-01")
    # 6000.00 less 1000.00 still make gold.
    assert w.give_back("o1", at="2026-07-01").tier_changes == []
    # 4999.99 make silver.
    assert w.give_back("o2", ("1", "0.01")).tier_changes == [("silver", "fell_back")]


def test_a_tier_falls_back_to_an_earlier_standing_that_has_not_ended() -> None:
    w = world(on_return="fall_back")
    w.buy("o1", "1000.00", at="2026-05-01")
    w.buy("o2", "5000.00", at="2027-05-01")
    returned = w.give_back("o2", at="2027-06-01")
    # Silver was earned in 2026 and holds until the end of 2027.
    assert returned.tier_changes == [("silver", "fell_back")]
    assert w.until() == "2028-01-01 00:00"


def test_a_tier_that_a_late_activity_had_raised_falls_back_with_its_return() -> None:
    w = world(on_return="fall_back")
    w.buy("o1", "1000.00", at="2027-01-10", occurred="2026-12-31 12:00")
    assert w.tier() == "silver"
    assert w.give_back("o1", at="2027-01-11").tier_changes == [("member", "fell_back")]


def test_a_return_of_an_earlier_window_does_not_end_what_the_present_one_earned() -> None:
    w = world(on_return="fall_back")
    w.buy("o1", "1000.00", at="2026-05-01")
    w.buy("o2", "1000.00", at="2027-05-01")
    assert w.until() == "2029-01-01 00:00"
    assert w.give_back("o1", at="2027-06-01").tier_changes == []
    # And a return of the present window takes back the longer time alone.
    w2 = world(on_return="fall_back")
    w2.buy("o1", "1000.00", at="2026-05-01")
    w2.buy("o2", "1000.00", at="2027-05-01")
    w2.give_back("o2", at="2027-06-01")
    assert (w2.tier(), w2.until()) == ("silver", "2028-01-01 00:00")


def test_in_a_rolling_window_the_tier_falls_back_to_what_the_days_still_earn() -> None:
    w = world(window={"rolling": "12M"}, on_return="fall_back")
    w.buy("o1", "1000.00", at="2026-03-01 10:00")
    w.buy("o2", "4000.00", at="2026-06-01 10:00")
    assert w.tier() == "gold"
    assert w.give_back("o2", ("1", "0.01"), at="2026-07-01").tier_changes == [("silver", "fell_back")]
    assert w.give_back("o2").tier_changes == []
    assert w.give_back("o1").tier_changes == [("member", "fell_back")]


def test_the_last_return_takes_a_visit_away_and_only_once() -> None:
    w = world(measure={"count": "purchase"}, tiers=[{"id": "member"}, {"id": "silver", "enter": 2}])
    w.buy("o1", "10.00", {"amount": "0.00", "quantity": "0"})
    w.buy("o2", "10.00")
    assert w.outlook().values == (2,)
    w.give_back("o1", ("1", "5.00"))
    assert w.outlook().values == (2,)
    w.give_back("o1", "1")
    assert w.outlook().values == (1,)
    w.give_back("o1", "2")
    assert w.outlook().values == (1,)


def test_pending_points_that_are_taken_back_were_never_counted() -> None:
    w = world({"pending": "7D"}, **BY_POINTS)
    w.buy("o1", "60.00", at="2026-03-01")
    w.give_back("o1", at="2026-03-02")
    w.buy("o2", "90.00", at="2026-03-03")
    w.clock("2026-03-20")
    assert w.outlook().values == (90,)


def test_what_a_return_takes_from_another_orders_pending_points_is_counted_once() -> None:
    w = world({"pending": "7D", "when_spent": {"debt": "unlimited"}}, **BY_POINTS)
    w.buy("o1", "60.00", at="2026-03-01")
    w.redeem("r", 60, at="2026-03-08")
    w.buy("o2", "90.00", at="2026-03-09")
    # The 60 of o1 come out of o2's pending ones: 60 of o1 counted, 30 of o2 will, and 90 were earned in all.
    w.give_back("o1", at="2026-03-10")
    w.clock("2026-03-20")
    assert w.outlook().values == (90,)
