"""What a tier gives beyond points: an expiry of its own (decision 11); and what members read about where they stand."""

from __future__ import annotations

from typing import Any

from tests.core.harness import World, shop


def tracks(*tiers: dict[str, Any], **words: Any) -> dict[str, Any]:
    return {"membership": {"measure": {"spent": "net"}, "tiers": [{"id": "member"}, *tiers], **words}}


NEVER_FOR_GOLD: dict[str, Any] = tracks(
    {"id": "gold", "enter": "1000.00", "expires": {"points": "never"}}, holds_until="this_window"
)


def world(points: dict[str, Any], tracks: dict[str, Any] = NEVER_FOR_GOLD) -> World:
    made = World(shop(points, tracks=tracks))
    made.enrol()
    return made


def test_a_tiers_own_expiry_applies_to_lots_earned_in_it_and_falling_from_it_starts_the_ordinary_clock() -> None:
    w = world({"expires": {"after": "12M"}})
    w.buy("o1", "1000.00", at="2026-03-01")
    w.buy("o2", "50.00", at="2026-04-01")
    # o1 was still bought by a member.
    assert w.expiries() == [(1000, "2027-03-01 00:00"), (50, None)]
    # Gold ends with 2026: twelve months from then.
    assert w.expiries(at="2027-01-01") == [(1000, "2027-03-01 00:00"), (50, "2028-01-01 00:00")]


def test_another_duration_of_a_tier_stays_with_the_lots_earned_in_it() -> None:
    longer = tracks(
        {"id": "gold", "enter": "1000.00", "expires": {"points": {"after": "24M"}}}, holds_until="this_window"
    )
    w = world({"expires": {"after": "12M"}}, longer)
    w.buy("o1", "1000.00", at="2026-03-01")
    w.buy("o2", "50.00", at="2026-04-01")
    assert w.expiries(at="2027-02-01") == [(1000, "2027-03-01 00:00"), (50, "2028-04-01 00:00")]


def test_pending_points_of_a_lost_tier_get_the_ordinary_expiry_counted_from_their_activation() -> None:
    w = world({"expires": {"after": "12M"}, "pending": "30D"})
    w.buy("o1", "1000.00", at="2026-03-01")
    w.buy("o2", "50.00", at="2026-12-20")
    assert w.expiries(at="2027-01-02") == [(1000, "2027-03-31 00:00"), (50, "2028-01-19 00:00")]
    assert w.expiries(at="2027-01-19") == [(1000, "2027-03-31 00:00"), (50, "2028-01-19 00:00")]


def test_points_released_after_the_tier_was_lost_do_not_live_for_ever() -> None:
    document = shop(
        {"expires": {"after": "12M"}, "pending": {"until": "custom.delivered", "at_most": "60D"}},
        tracks=NEVER_FOR_GOLD,
        fields={"custom.delivered": {"order": "string"}},
    )
    w = World(document)
    w.enrol()
    w.buy("o1", "1000.00", at="2026-03-01")
    w.buy("o2", "50.00", at="2026-12-20")
    w.post("m", "custom.delivered", {"order": "o2"}, at="2027-01-10")
    assert (50, "2028-01-10 00:00") in w.expiries()


def test_points_of_the_tier_that_arrive_after_it_was_lost_expire_as_if_they_had_been_there_in_time() -> None:
    w = world({"expires": {"after": "12M"}})
    w.buy("o1", "1000.00", at="2026-03-01")
    w.clock("2027-02-01")
    w.buy("o2", "50.00", occurred="2026-12-20")
    assert (50, "2028-01-01 00:00") in w.expiries()


def test_points_of_the_tier_that_come_back_from_a_hold_after_it_was_lost_expire_as_the_others() -> None:
    w = world({"expires": {"after": "12M"}, "hold": "90D"})
    w.buy("o1", "1000.00", at="2026-03-01")
    w.redeem("r1", 1000)
    w.buy("o2", "50.00", at="2026-12-20")
    w.hold("r2", 30)
    w.cancel("r2", at="2027-02-01")
    # The 20 that were not held got their clock on 1 January; the 30 join them in their lot.
    assert w.expiries() == [(50, "2028-01-01 00:00")]
    assert len(w.lots()) == 1


def test_extended_lots_are_not_touched_when_the_tier_is_lost() -> None:
    w = world({"expires": {"after": "12M"}})
    w.buy("o1", "1000.00", at="2026-03-01")
    lot = w.buy("o2", "50.00", at="2026-04-01").entries[0].lot
    body = {"wallet": "points", "lots": [lot], "expires_at": None, "reason": "vip"}
    # It does not expire already, so there is nothing to extend.
    assert w.post("m", "extension", body).code == "nothing_to_extend"


def test_a_tier_may_keep_a_sliding_wallet_from_expiring() -> None:
    w = world({"expires": {"inactive_for": "3M"}})
    w.buy("o1", "1000.00", at="2026-03-01")
    # Gold from the first order on: the wallet's clock stands still until gold ends with the year.
    assert w.points(at="2026-12-31") == (1000, 0, 0, 0)
    assert w.balance(at="2026-12-31").expires_at is None
    assert w.points(at="2027-03-31 23:59") == (1000, 0, 0, 0)
    assert w.points(at="2027-04-01") == (0, 0, 0, 0)


# --- what members read ---

LADDER: dict[str, Any] = tracks(
    {"id": "silver", "enter": "1000.00", "keep": "800.00"}, {"id": "gold", "enter": "5000.00", "keep": "4000.00"}
)


def test_next_says_what_is_missing_and_keep_what_is_needed_by_when() -> None:
    w = world({}, LADDER)
    assert (w.outlook().next_tier, w.outlook().missing) == ("silver", (100_000,))
    w.buy("o1", "1000.00", at="2026-05-01")
    w.buy("o2", "300.00", at="2027-05-01")
    outlook = w.outlook()
    assert (outlook.tier, w.text(outlook.since), w.text(outlook.until)) == (
        "silver",
        "2026-05-01 00:00",
        "2028-01-01 00:00",
    )
    assert (outlook.next_tier, outlook.missing) == ("gold", (470_000,))
    # 800.00 - 300.00 by the end of 2027.
    assert (outlook.keep_needed, outlook.keep_missing, w.text(outlook.keep_by)) == (
        (80_000,),
        (50_000,),
        "2028-01-01 00:00",
    )


def test_projected_is_the_tier_after_the_present_ones_time() -> None:
    w = world({}, LADDER)
    w.buy("o1", "5000.00", at="2026-05-01")
    w.buy("o2", "900.00", at="2027-05-01")
    assert w.outlook().projected == "silver"
    w.buy("o3", "3100.00", at="2027-06-01")
    assert w.outlook().projected == "gold"


def test_projected_in_the_days_of_grace_is_what_the_closed_window_earned() -> None:
    w = world({}, {"membership": {**LADDER["membership"], "grace": "60D"}})
    w.buy("o1", "5000.00", at="2026-05-01")
    w.buy("o2", "900.00", at="2027-05-01")
    assert w.outlook(at="2028-01-15").projected == "silver"
    assert w.tier(at="2028-03-02") == "silver"


def test_projected_falls_one_step_where_the_program_says_so() -> None:
    w = world({}, {"membership": {**LADDER["membership"], "fall": "one_step"}})
    w.buy("o1", "5000.00", at="2026-05-01")
    assert w.outlook(at="2027-05-01").projected == "silver"


def test_what_arrives_late_from_the_time_of_a_tier_that_kept_a_sliding_wallet_does_not_stop_the_clock_that_runs() -> (
    None
):
    tiers = [{"id": "member"}, {"id": "gold", "enter": "100.00", "expires": {"points": "never"}}]
    tracks = {"membership": {"measure": {"spent": "net"}, "holds_until": "this_window", "tiers": tiers}}
    for others in (True, False):
        w = World(shop({"expires": {"inactive_for": "2M"}}, tracks=tracks))
        w.enrol()
        w.buy("o1", "100.00", at="2026-03-01")
        if not others:
            w.redeem("r", 100)
        # Gold until the end of the year, so the clock starts with 2027.
        w.buy("late", "10.00", at="2027-01-20", occurred="2026-12-20")
        left = 110 if others else 10
        assert w.points(at="2027-02-28 23:59") == (left, 0, 0, 0)
        assert w.points(at="2027-03-01") == (0, 0, 0, 0)
