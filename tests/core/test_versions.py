"""Versions: judged by the one in effect; members of a tier that goes are mapped when it does (cases 10 and 19)."""

from __future__ import annotations

from typing import Any

from laurels.core.facts import TierSet
from tests.core.harness import World, shop


def tiers(*words: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"membership": {"measure": {"spent": "net"}, "tiers": [{"id": "member"}, *words], **more}}


SILVER = {"id": "silver", "enter": "1000.00"}
GOLD = {"id": "gold", "enter": "5000.00"}


def rate(points: int, **words: Any) -> dict[str, Any]:
    base = {"on": "purchase", "grant": {"wallet": "points", "points": points, "per": "1.00"}}
    return {"campaigns": {"base": base}, **words}


def test_earning_is_judged_by_the_version_of_the_instant_it_occurred() -> None:
    w = World(shop(**rate(1)))
    w.enrol()
    w.publish(shop(**rate(2)), "2026-06-01")
    assert w.buy("o1", "10.00", at="2026-05-31 23:59:59.999999").granted("base") == 10
    assert w.buy("o2", "10.00", at="2026-06-01").granted("base") == 20
    assert w.buy("o3", "10.00", at="2026-07-01", occurred="2026-05-01").granted("base") == 10


def test_a_return_is_judged_by_the_version_of_the_purchase() -> None:
    w = World(shop(**rate(2)))
    w.enrol()
    w.buy("o", "10.00", "10.00", at="2026-05-01")
    w.publish(shop(campaigns={"other": {"on": "purchase", "grant": {"wallet": "points", "fixed": 1}}}), "2026-06-01")
    assert w.give_back("o", ("1", "5.00"), at="2026-07-01").moved("available", "issuance") == 10


def test_spending_is_judged_by_the_version_of_the_recording_and_not_by_one_that_is_only_published() -> None:
    w = World(shop({"when_spent": "within_balance"}))
    w.enrol()
    w.publish(shop({"when_spent": {"debt": "unlimited"}}), "2026-06-01")
    for n, at in enumerate(("2026-05-01", "2026-06-01")):
        w.buy(f"o{n}", "100.00", at=at)
        w.redeem(f"r{n}", 100)
        w.give_back(f"o{n}")
    # In May what was spent is written off, in June it is owed.
    assert w.points() == (0, 0, 0, 100)


def test_an_activity_before_the_first_version_is_refused() -> None:
    w = World(shop())
    w.versions = type(w.versions)(
        tuple(type(each)(each.number, w.instant("2026-02-01"), each.program) for each in w.versions.versions)
    )
    assert w.post("m", "enrol", at="2026-01-15").code == "unknown_program_version"
    assert w.post("m", "enrol", at="2026-02-01").refusal is None


def test_members_of_a_renamed_tier_stand_on_its_new_name_from_the_versions_first_instant() -> None:
    w = World(shop(tracks=tiers(SILVER)))
    w.enrol()
    w.buy("o1", "1000.00", at="2026-03-01")
    w.publish(shop(tracks=tiers({"id": "bronze", "enter": "1000.00", "was": "silver"})), "2026-06-01")
    (fact,) = w.clock("2026-09-01").of(TierSet)
    assert (fact.tier, fact.reason, w.text(fact.at)) == ("bronze", "mapped", "2026-06-01 00:00")
    assert w.until() == "2028-01-01 00:00"


def test_members_of_a_tier_that_is_gone_stand_where_the_version_says() -> None:
    w = World(shop(tracks=tiers(SILVER, GOLD)))
    w.enrol()
    w.buy("o1", "5000.00", at="2026-03-01")
    w.publish(shop(tracks=tiers(SILVER), retired={"tiers": {"membership.gold": "silver"}}), "2026-06-01")
    assert w.tier(at="2026-05-31 23:59:59") == "gold"
    assert w.tier(at="2026-06-01") == "silver"


KEPT = {"expires": {"points": "never"}}


def test_points_that_a_tier_kept_get_the_ordinary_clock_when_a_version_removes_the_tier() -> None:
    after = {"expires": {"after": "6M"}, "hold": "9M"}
    w = World(shop(after, tracks=tiers(SILVER, {**GOLD, **KEPT})))
    w.enrol()
    w.buy("o1", "5000.00", at="2026-03-01")
    w.buy("o2", "30.00", at="2026-03-02")
    w.redeem("all", 5000)
    w.hold("r", 10)
    w.publish(shop(after, tracks=tiers(SILVER), retired={"tiers": {"membership.gold": "silver"}}), "2026-06-01")
    assert w.expiries(at="2026-05-31") == [(20, None)]
    # Six months from the instant at which they stand on silver, the held ones, too.
    assert w.expiries(at="2026-06-01") == [(20, "2026-12-01 00:00")]
    w.cancel("r", at="2026-07-01")
    assert w.expiries() == [(30, "2026-12-01 00:00")]
    assert w.points(at="2026-12-01") == (0, 0, 0, 0)


HALF_A_YEAR: dict[str, Any] = {"expires": {"after": "6M"}}


def thirty_kept_by_silver() -> World:
    """Silver keeps points that would live for half a year; 30 are left of those earned on it and on the way."""
    w = World(shop(HALF_A_YEAR, tracks=tiers({**SILVER, **KEPT}, holds_until="this_window")))
    w.enrol()
    w.buy("o1", "1000.00", at="2026-03-01")
    w.buy("o2", "30.00", at="2026-03-02")
    w.redeem("r", 1000)
    return w


def test_a_renamed_tier_goes_on_keeping_points_and_lets_go_of_them_when_it_is_lost() -> None:
    w = thirty_kept_by_silver()
    renamed = {"id": "bronze", "enter": "1000.00", "was": "silver", **KEPT}
    w.publish(shop(HALF_A_YEAR, tracks=tiers(renamed, holds_until="this_window")), "2026-06-01")
    assert w.expiries(at="2026-12-31") == [(30, None)]
    assert w.expiries(at="2027-01-01") == [(30, "2027-07-01 00:00")]


def test_points_that_a_tier_kept_get_the_ordinary_clock_when_it_is_lost_though_the_benefit_went_before() -> None:
    w = thirty_kept_by_silver()
    w.publish(shop(HALF_A_YEAR, tracks=tiers(SILVER, holds_until="this_window")), "2026-06-01")
    # Nothing is taken from who holds the tier; what they earn now expires.
    assert w.expiries(at="2026-07-01") == [(30, None)]
    assert w.expiries(at="2027-01-01") == [(30, "2027-07-01 00:00")]


def test_points_that_a_tier_kept_get_the_ordinary_clock_when_its_track_goes_or_is_renamed_without_the_benefit() -> None:
    after = {"expires": {"after": "6M"}}
    for later in ({}, {"tracks": {"club": {**tiers(SILVER, window="lifetime")["membership"], "was": "membership"}}}):
        w = World(shop(after, tracks=tiers({**SILVER, **KEPT}, window="lifetime")))
        w.enrol()
        w.buy("o1", "1000.00", at="2026-03-01")
        w.buy("o2", "30.00", at="2026-03-02")
        w.redeem("r", 1000)
        w.publish(shop(after, **later), "2026-06-01")
        assert w.expiries(at="2026-05-31") == [(30, None)]
        assert w.expiries(at="2026-06-01") == [(30, "2026-12-01 00:00")]


def test_a_raised_threshold_takes_nothing_from_who_holds_the_tier_until_its_time_is_over() -> None:
    w = World(shop(tracks=tiers(SILVER)))
    w.enrol()
    w.buy("o1", "1000.00", at="2026-03-01")
    w.publish(shop(tracks=tiers({"id": "silver", "enter": "2000.00"})), "2026-06-01")
    w.buy("o2", "1500.00", at="2027-03-01")
    assert w.tier() == "silver"
    # 1500.00 would have kept it before; the review asks for what is in effect then.
    assert w.tier(at="2028-01-01") == "member"


def test_a_late_activity_of_an_older_version_is_judged_by_the_tier_of_its_time() -> None:
    double = {"points": 2}
    w = World(shop(tracks=tiers({**SILVER, "multiply": double})))
    w.enrol()
    w.buy("o1", "1000.00", at="2026-03-01")
    renamed = {"id": "bronze", "enter": "1000.00", "was": "silver", "multiply": double}
    w.publish(shop(tracks=tiers(renamed)), "2026-06-01")
    w.clock("2026-07-01")
    late = w.buy("o2", "10.00", occurred="2026-05-01")
    assert late.granted("base", "membership.silver") == 10
    assert w.tier() == "bronze"


def test_points_that_arrive_late_and_expired_under_an_older_version_do_not_bring_its_tiers_back() -> None:
    w = World(shop({"expires": {"after": "1M"}}, tracks=tiers(SILVER)))
    w.enrol()
    w.buy("o1", "1000.00", at="2026-03-01")
    renamed = {"id": "bronze", "enter": "1000.00", "was": "silver"}
    w.publish(shop({"expires": {"after": "1M"}}, tracks=tiers(renamed)), "2026-06-01")
    w.clock("2026-07-01")
    w.buy("o2", "10.00", occurred="2026-03-02")
    assert w.tier() == "bronze"


def test_a_member_who_enrolled_late_goes_through_the_versions_since() -> None:
    w = World(shop(tracks=tiers(SILVER)))
    w.publish(
        shop(tracks={**tiers(SILVER), "visits": {"measure": {"count": "check_in"}, "tiers": [{"id": "guest"}]}}),
        "2026-06-01",
    )
    w.post("m", "enrol", at="2026-07-01", occurred="2026-03-01")
    assert w.tier("visits") == "guest"
    assert w.text(w.standing("visits").since) == "2026-06-01 00:00"


def test_a_track_that_is_gone_ends_nothing_and_holds_nobody_up() -> None:
    w = World(shop(tracks=tiers(SILVER)))
    w.enrol()
    w.buy("o1", "1000.00", at="2026-03-01")
    w.publish(shop(), "2026-06-01")
    w.buy("o2", "10.00", at="2026-07-01")
    w.clock("2029-01-01")
    assert w.points() == (1010, 0, 0, 0)


def test_a_renamed_track_goes_on_where_it_stood() -> None:
    for window in ("calendar_year", {"rolling": "12M"}):
        w = World(shop(tracks=tiers(SILVER, GOLD, window=window)))
        w.enrol()
        w.buy("o1", "1000.00", at="2026-03-01")
        until = w.until()
        renamed = {"club": {**tiers(SILVER, GOLD, window=window)["membership"], "was": "membership"}}
        w.publish(shop(tracks=renamed), "2026-06-01")
        w.clock("2026-07-01")
        assert (w.tier("club"), w.until("club")) == ("silver", until)
        # 1000.00 and 4000.00 make gold.
        assert ("gold", "earned") in w.buy("o2", "4000.00").tier_changes


def test_a_version_that_measures_something_else_begins_anew() -> None:
    w = World(shop(tracks=tiers(SILVER)))
    w.enrol()
    w.buy("o1", "900.00", at="2026-03-01")
    both = {"membership": {"measure": {"all": [{"spent": "net"}, {"count": "purchase"}]},
                           "tiers": [{"id": "member"}, {"id": "silver", "enter": ["100.00", 2]}]}}  # fmt: skip
    w.publish(shop(tracks=both), "2026-06-01")
    w.buy("o2", "100.00", at="2026-07-01")
    assert w.outlook().values == (10_000, 1)
    # What the first version had counted is gone, so its return lowers nothing.
    w.give_back("o1")
    assert w.outlook().values == (10_000, 1)
    w.buy("o3", "1.00")
    assert w.tier() == "silver"
    w.give_back("o2")
    assert w.outlook().values == (100, 1)


def test_a_version_may_be_in_effect_since_before_the_member_was_last_looked_at() -> None:
    w = World(shop({"pending": "7D"}))
    w.enrol()
    w.buy("o1", "100.00", at="2026-03-01")
    by_points = {"measure": {"earned": "points"}, "tiers": [{"id": "member"}, {"id": "silver", "enter": 100}]}
    w.publish(shop({"pending": "7D"}, tracks={"membership": by_points}), "2026-02-01")
    w.clock("2026-03-10")
    assert w.tier() == "silver"


def test_points_of_a_wallet_that_is_gone_still_expire() -> None:
    w = World(shop({"expires": {"after": "6M"}}))
    w.enrol()
    w.buy("o1", "10.00", at="2026-03-01")
    w.publish(
        {
            **shop(campaigns={"base": {"on": "purchase", "grant": {"wallet": "stars", "fixed": 1}}}),
            "wallets": {"stars": {}},
        },
        "2026-06-01",
    )
    assert w.points(at="2026-08-31") == (10, 0, 0, 0)
    assert w.points(at="2026-09-01") == (0, 0, 0, 0)
    assert w.redeem("r", 5, at="2026-07-01").code == "unknown_wallet"
