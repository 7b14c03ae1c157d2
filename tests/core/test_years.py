"""Years on a tier count when they end, for tracks that measure them: status for life and the like."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.facts import YearFollowed
from tests.core.harness import World, shop

TIERS: list[dict[str, Any]] = [
    {"id": "member"},
    {"id": "silver", "enter": "1000.00", "keep": "800.00"},
    {"id": "gold", "enter": "5000.00", "keep": "4000.00"},
]


def document(years: Any = "membership.silver", rewards: Any = None, **words: Any) -> dict[str, Any]:
    """A shop with status for life after two years on a tier. `words` are those of the track of the tier."""
    for_life = {
        "measure": {"years": years} if isinstance(years, str) else years,
        "window": "lifetime",
        "tiers": [{"id": "none"}, {"id": "silver", "enter": 2, "multiply": {"points": 2}}],
    }
    membership = {"measure": {"spent": "net"}, "window": "calendar_year", "tiers": TIERS, **words}
    more = {} if rewards is None else {"rewards": rewards}
    return shop(tracks={"membership": membership, "for_life": for_life}, **more)


def world(years: Any = "membership.silver", rewards: Any = None, enrolled: str = "2026-01-10", **words: Any) -> World:
    made = World(document(years, rewards, **words), start="2025-01-01")
    made.enrol(at=enrolled)
    return made


def years(w: World, at: str | None = None) -> int:
    """How many years were counted, as of an instant."""
    return w.outlook("for_life", at=at).values[0]


def test_a_year_counts_at_the_first_instant_after_it_and_raises_the_tier_then() -> None:
    w = world()
    w.buy("o-1", "1000.00", at="2026-05-01")
    assert years(w, at="2026-12-31 23:59:59.999999") == 0
    assert years(w, at="2027-01-01") == 1
    # Silver until 1 January 2028: 2027 ends on it, too.
    assert w.tier("for_life", at="2027-12-31 23:59:59.999999") == "none"
    assert w.tier("for_life", at="2028-01-01") == "silver"
    assert w.tier(at="2028-01-01") == "member"
    # What is bought at that instant earns at it.
    assert w.buy("o-2", "100.00", at="2028-01-01").granted("base", "for_life.silver") == 100
    assert w.standing("for_life").since == w.instant("2028-01-01")


def test_nobody_is_woken_for_years_that_are_not_counted() -> None:
    w = world("membership.gold")
    bought = w.buy("o-1", "1000.00", at="2026-05-01")
    assert bought.of(YearFollowed) == []
    assert w.buy("o-2", "4000.00", at="2026-06-01").of(YearFollowed) == [
        YearFollowed("membership", w.instant("2027-01-01"))
    ]
    assert w.look().root.wake_at == w.instant("2027-01-01")
    # The end of a year is looked at once; below the tier nobody waits for the next one.
    w.clock("2028-01-01")
    assert (years(w), w.tier()) == (2, "member")
    w.clock("2030-06-01")
    assert (years(w), w.look().root.wake_at) == (2, None)


def test_a_tier_above_counts_for_the_one_below_it_and_not_the_other_way() -> None:
    both = {"all": [{"years": "membership.silver"}, {"years": "membership.gold"}]}
    doc = document(both)
    doc["tracks"]["for_life"]["tiers"] = [{"id": "none"}, {"id": "silver", "enter": [9, 9]}]
    w = World(doc, start="2025-01-01")
    w.enrol(at="2026-01-10")
    w.buy("o-1", "5000.00", at="2026-05-01")  # gold until 1 January 2028
    w.buy("o-2", "900.00", at="2027-05-01")  # silver in 2028
    assert w.outlook("for_life", at="2027-01-01").values == (1, 1)
    assert w.outlook("for_life", at="2028-01-01").values == (2, 2)
    assert (w.tier(at="2028-12-31"), w.outlook("for_life", at="2029-01-01").values) == ("silver", (3, 2))


def test_many_years_count_alike_whether_each_was_recorded_or_none() -> None:
    often, seldom = world(), world()
    for w in (often, seldom):
        for year in range(2026, 2031):
            w.buy(f"o-{year}", "1000.00", at=f"{year}-05-01")
            if w is often:
                w.clock(f"{year}-12-31 23:59:59")
                w.clock(f"{year + 1}-01-01")
                w.clock(f"{year + 1}-01-01 00:00:01")
    assert years(often, at="2032-06-01") == years(seldom, at="2032-06-01") == 6
    assert often.standing("for_life").since == seldom.standing("for_life").since == often.instant("2028-01-01")


@pytest.mark.parametrize(
    ("window", "ends"),
    [
        ("calendar_year", "2027-01-01"),
        ({"year_from": "03-01"}, "2027-03-01"),
        ("anniversary", "2027-01-10"),
        ({"rolling": "12M"}, "2027-01-01"),
        ("lifetime", "2027-01-01"),
    ],
)
def test_a_year_is_one_of_the_track_that_has_the_tier(window: Any, ends: str) -> None:
    w = world(window=window)
    w.buy("o-1", "1000.00", at="2026-05-01")
    end = w.instant(ends)
    assert w.outlook("for_life", at=end - 1).values == (0,)
    assert w.outlook("for_life", at=end).values == (1,)


def test_the_year_that_ends_with_a_tier_counts_before_its_review() -> None:
    w = world(holds_until="this_window")
    w.buy("o-1", "1000.00", at="2026-05-01")
    assert (w.tier(at="2027-01-01"), years(w, at="2027-01-01")) == ("member", 1)


def test_years_that_end_together_are_looked_at_before_they_raise_anybody() -> None:
    doc = document()
    doc["tracks"]["for_life"]["tiers"] = [{"id": "none"}, {"id": "one", "enter": 1}, {"id": "two", "enter": 2}]
    both = {"all": [{"years": "for_life.one"}, {"years": "for_life.two"}]}
    tiers = [{"id": "none"}, {"id": "elder", "enter": [9, 9]}]
    doc["tracks"]["elders"] = {"measure": both, "window": "lifetime", "tiers": tiers}
    w = World(doc, start="2025-01-01")
    w.enrol(at="2026-01-10")
    for year in (2026, 2027, 2028):
        w.buy(f"o-{year}", "1000.00", at=f"{year}-05-01")
    # One from the first instant of 2027 and two from that of 2028: 2027 ended on one, though two came at its end.
    assert (w.tier("for_life", at="2028-01-01"), w.outlook("elders", at="2028-01-01").values) == ("two", (1, 0))
    assert w.outlook("elders", at="2029-01-01").values == (2, 1)


def test_a_year_counts_in_the_window_in_which_it_ended() -> None:
    doc = document()
    tiers = [{"id": "none"}, {"id": "loyal", "enter": 1}]
    doc["tracks"]["loyalty"] = {"measure": {"years": "membership.silver"}, "window": "calendar_year", "tiers": tiers}
    w = World(doc, start="2025-01-01")
    w.enrol(at="2026-01-10")
    w.buy("o-1", "1000.00", at="2026-05-01")
    # A year of 2026, which is the window before: its tier holds until the end of 2027, as 2027 itself makes it longer.
    assert (w.tier("loyalty", at="2027-01-01"), w.until("loyalty", at="2027-01-01")) == ("loyal", "2028-01-01 00:00")
    assert w.outlook("loyalty", at="2027-01-01").values == (0,)
    assert w.until("loyalty", at="2028-01-01") == "2029-01-01 00:00"


def test_what_arrives_after_the_year_changes_the_tier_and_not_the_year() -> None:
    w = world()
    w.buy("o-1", "900.00", at="2026-05-01")
    late = w.buy("o-2", "100.00", at="2027-01-05", occurred="2026-12-30")
    assert late.tier_changes == [("silver", "earned")]
    assert (years(w), years(w, at="2028-01-01")) == (0, 1)


def test_a_return_after_the_year_leaves_it_counted() -> None:
    w = world(on_return="fall_back")
    w.buy("o-1", "1000.00", at="2026-05-01")
    w.give_back("o-1", at="2027-01-05")
    assert (w.tier(), years(w), years(w, at="2028-01-01")) == ("member", 1, 1)


PASS = {"taste": {"gives": {"tier": "membership.gold", "for": "12M"}, "price": {"wallet": "points", "points": 10}}}


def test_a_year_that_ends_on_a_pass_is_one_of_the_tier_beneath() -> None:
    both = {"all": [{"years": "membership.silver"}, {"years": "membership.gold"}]}
    doc = document(both, PASS)
    doc["tracks"]["for_life"]["tiers"] = [{"id": "none"}, {"id": "silver", "enter": [9, 9]}]
    w = World(doc, start="2025-01-01")
    w.enrol(at="2026-01-10")
    w.buy("o-1", "1000.00", at="2026-05-01")
    # Silver until 1 January 2028, and over it gold for a year, and for another one.
    taste(w, "2026-09-01")
    assert (w.tier(at="2026-12-31"), w.outlook("for_life", at="2027-01-01").values) == ("gold", (1, 0))
    taste(w, "2027-08-01")
    assert (w.tier(at="2027-12-31"), w.outlook("for_life", at="2028-01-01").values) == ("gold", (2, 0))
    # 2027 did not keep silver, so that without the pass a review would have taken it away on 1 January 2028.
    assert (w.tier(at="2028-08-31"), w.until()) == ("gold", "2028-09-01 00:00")
    taste(w, "2028-08-01")
    assert (w.tier(at="2028-12-31"), w.outlook("for_life", at="2029-01-01").values) == ("gold", (2, 0))


def taste(w: World, at: str) -> None:
    given = w.post("m", "redemption", {"redemption": at, "reward": "taste"}, at=at)
    assert given.tier_changes == [("gold", "pass")]


def test_a_year_that_ends_on_a_pass_counts_as_the_tier_that_was_earned_meanwhile() -> None:
    w = world("membership.silver", PASS)
    w.adjust(10, at="2026-02-01")
    taste(w, "2026-02-01")
    w.buy("o-1", "1000.00", at="2026-05-01")
    assert years(w, at="2027-01-01") == 1


def test_a_version_that_counts_years_begins_with_the_year_in_which_it_takes_effect() -> None:
    before = document()
    del before["tracks"]["for_life"]
    w = World(before, start="2025-01-01")
    w.enrol(at="2025-01-10")
    w.buy("o-1", "1000.00", at="2025-05-01")
    w.publish(document(), "2026-06-01")
    assert (years(w, at="2026-12-31"), years(w, at="2027-01-01")) == (0, 1)


def test_a_version_that_counts_no_more_years_or_has_no_such_track_waits_for_none() -> None:
    for gone in ("for_life", "membership"):
        w = world()
        w.buy("o-1", "1000.00", at="2026-05-01")
        after = document()
        del after["tracks"]["for_life"]
        if gone == "membership":
            bare = {"measure": {"count": "purchase"}, "window": "lifetime", "tiers": [{"id": "none"}]}
            after["tracks"] = {"for_life": bare}
        w.publish(after, "2026-06-01")
        w.clock("2027-06-01")
        assert w.standing("membership").year_ends_at is None


def test_a_renamed_track_and_tier_go_on_counting() -> None:
    w = world()
    w.buy("o-1", "1000.00", at="2026-05-01")
    after = document("standing.silver_card")
    tiers = [{**TIERS[0]}, {**TIERS[1], "id": "silver_card", "was": "silver"}, TIERS[2]]
    after["tracks"]["standing"] = {**after["tracks"].pop("membership"), "was": "membership", "tiers": tiers}
    w.publish(after, "2027-06-01")
    assert (years(w, at="2027-06-01"), years(w, at="2028-01-01")) == (1, 2)


def test_orders_of_before_a_tier_was_renamed_are_taken_out_of_the_measure_when_they_come_back() -> None:
    both = {"all": [{"spent": "net"}, {"years": "membership.silver"}]}

    def doc(tier: str) -> dict[str, Any]:
        made = document({"all": [{"spent": "net"}, {"years": f"membership.{tier}"}]})
        made["tracks"]["for_life"]["tiers"] = [{"id": "none"}, {"id": "silver", "enter": ["9000.00", 2]}]
        if tier != "silver":
            made["tracks"]["membership"]["tiers"] = [TIERS[0], {**TIERS[1], "id": tier, "was": "silver"}, TIERS[2]]
        return made

    assert both == doc("silver")["tracks"]["for_life"]["measure"]
    w = World(doc("silver"), start="2025-01-01")
    w.enrol(at="2026-01-10")
    w.buy("o-1", "1000.00", at="2026-05-01")
    w.publish(doc("argent"), "2026-06-01")
    w.give_back("o-1", ("1", "300.00"), at="2026-06-02")
    assert w.outlook("for_life").values == (70_000, 0)


def test_an_activity_that_is_called_as_a_track_is_no_year_on_it() -> None:
    review = {"measure": {"spent": "net"}, "tiers": [{"id": "none"}, {"id": "stars", "enter": "10.00"}]}
    life = {
        "measure": {"years": "review.stars"},
        "window": "lifetime",
        "tiers": [{"id": "none"}, {"id": "x", "enter": 1}],
    }
    w = World(shop(tracks={"review": review, "life": life}, fields={"review": {"stars": "int"}}))
    w.enrol()
    w.post("m", "review", {"stars": 5})
    assert (w.outlook("life").values, w.tier("life")) == ((0,), "none")
