"""Points through time: pending, activation, every model of expiry (decisions 9, 10, 13; cases 5 to 7)."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.facts import LotActivated, LotsExpired, TierSet
from tests.core.harness import World, shop


def world(time_zone: str = "Asia/Shanghai", **points: Any) -> World:
    made = World(shop(points, time_zone=time_zone))
    made.enrol()
    return made


def test_expiry_counts_from_activation() -> None:
    w = world(pending="7D", expires={"after": "12M", "round": "month"})
    w.buy("o", "10.00", at="2026-01-25 10:00")
    # Active on 1 February 2026, so it lives to the end of February 2027; counted from earning it would be January.
    assert w.expiries() == [(10, "2027-03-01 00:00")]
    assert w.expiries(at="2026-02-01 10:00") == [(10, "2027-03-01 00:00")]


@pytest.mark.parametrize(
    ("expires", "earned", "expected"),
    [
        ({"after": "1M"}, "2026-01-31 15:30", "2026-02-28 15:30"),  # keeps the clock time, clamps the day
        ({"after": "1M"}, "2028-01-31 15:30", "2028-02-29 15:30"),
        ({"after": "1Y"}, "2028-02-29 15:30", "2029-02-28 15:30"),
        ({"after": "12M", "round": "month"}, "2026-01-31 23:59:59.999999", "2027-02-01 00:00"),
        ({"after": "12M", "round": "month"}, "2026-02-01 00:00", "2027-03-01 00:00"),
        ({"after": "36M", "round": "month"}, "2026-01-15 12:00", "2029-02-01 00:00"),  # decision 13: January + 36
        ({"after": "1D", "round": "day"}, "2026-01-15 12:00", "2026-01-17 00:00"),
        ({"after": "1W", "round": "week"}, "2026-12-28 00:00", "2027-01-11 00:00"),  # ISO week 53 + 1: week 1
        ({"after": "1M", "round": "quarter"}, "2026-02-28 12:00", "2026-04-01 00:00"),
        ({"after": "1M", "round": "half_year"}, "2026-05-31 12:00", "2026-07-01 00:00"),
        ({"after": "1Y", "round": "year"}, "2026-01-01 00:00", "2028-01-01 00:00"),
        ({"on": ["06-30", "12-31"]}, "2026-06-30 23:59:59", "2026-07-01 00:00"),
        ({"on": ["06-30", "12-31"]}, "2026-07-01 00:00", "2027-01-01 00:00"),
        ({"on": ["06-30", "12-31"], "at_least": "6M"}, "2026-01-02 00:00", "2027-01-01 00:00"),
        ({"on": ["06-30", "12-31"], "at_least": "6M"}, "2026-01-01 00:00", "2026-07-01 00:00"),
        ({"on": ["02-29"]}, "2027-01-01 00:00", "2027-03-01 00:00"),  # the 28th in common years
        ("never", "2026-01-15 12:00", None),
    ],
)
def test_each_model_of_expiry_ends_at_its_instant(expires: Any, earned: str, expected: str | None) -> None:
    w = world(expires=expires)
    w.buy("o", "10.00", at=earned)
    assert w.expiries() == [(10, expected)]


def test_the_night_of_the_clock_change_is_as_long_as_it_is() -> None:
    w = world("America/New_York", pending="1D", expires={"after": "12H"})
    # The night of 8 March 2026 has no 02:30; a day later the clock shows 03:30, moved by the hour that is skipped.
    w.buy("o1", "10.00", at="2026-03-07 02:30")
    assert w.text(w.lots()[0].available_at) == "2026-03-08 03:30"
    # Twelve hours are absolute.
    assert w.expiries() == [(10, "2026-03-08 15:30")]
    # 1 November 2026 has 25 hours: a day later is the same clock time, 25 hours on.
    w.buy("o2", "10.00", at="2026-10-31 12:00")
    assert w.lots()[0].available_at == w.instant("2026-10-31 12:00") + 25 * 3_600_000_000


def test_at_the_second_of_expiry_points_cannot_be_spent_whether_or_not_a_sweep_has_run() -> None:
    w = world(expires={"after": "1M"})
    w.buy("o", "100.00", at="2026-03-01 12:00")
    assert w.points(at="2026-04-01 11:59:59.999999") == (100, 0, 0, 0)
    assert w.points(at="2026-04-01 12:00") == (0, 0, 0, 0)
    assert w.redeem("r1", 40, at="2026-04-01 11:59:59.999999").refusal is None
    assert w.redeem("r2", 40, at="2026-04-01 12:00").code == "insufficient_points"


def test_at_the_second_of_activation_points_can_be_spent() -> None:
    w = world(pending="1H")
    w.buy("o", "100.00", at="2026-03-01 12:00")
    assert w.redeem("r1", 100, at="2026-03-01 12:59:59.999999").code == "insufficient_points"
    assert w.redeem("r1", 100, at="2026-03-01 13:00").refusal is None


def test_what_falls_due_while_nobody_looks_is_recorded_at_its_own_instant_in_order() -> None:
    w = world(pending="7D", expires={"after": "1M"})
    w.buy("o1", "10.00", at="2026-03-01")
    w.buy("o2", "20.00", at="2026-03-05")
    caught_up = w.clock("2026-06-01")
    # Active on the 8th and the 12th, expired a month later.
    assert [(fact.__class__, w.text(fact.at)) for fact in caught_up.of(object)] == [
        (LotActivated, "2026-03-08 00:00"),
        (LotActivated, "2026-03-12 00:00"),
        (LotsExpired, "2026-04-08 00:00"),
        (LotsExpired, "2026-04-12 00:00"),
    ]


def test_in_one_instant_pending_points_activate_holds_time_out_lots_expire_and_tiers_are_reviewed() -> None:
    tracks = {
        "membership": {
            "measure": {"count": "check_in"},
            "holds_until": "this_window",
            "tiers": [{"id": "member"}, {"id": "silver", "enter": 1}],
        }
    }
    w = World(shop({"pending": "31D", "hold": "31D"}, tracks=tracks))
    w.enrol(at="2026-12-01 00:00")
    w.post("m", "check_in")
    w.adjust(50, expires="2027-01-01")
    w.adjust(70, expires="2027-01-01 00:00")
    w.hold("r", 50)
    w.buy("o", "30.00")
    # Everything falls due on 1 January 2027 at 00:00.
    kinds = [fact.__class__.__name__ for fact in w.clock("2027-01-01").facts]
    assert kinds[0] == "LotActivated"
    assert kinds.index("RedemptionEnded") < kinds.index("LotsExpired") < kinds.index("TierSet")
    assert w.points() == (30, 0, 0, 0)
    assert w.tier() == "member"


def test_everything_due_up_to_an_activitys_instant_happens_before_it_is_judged() -> None:
    rich = {
        "on": "purchase",
        "when": "member.wallets.points.available >= 100",
        "grant": {"wallet": "points", "fixed": 5},
    }
    w = World(shop({"pending": "7D"}, campaigns={"rich": rich}))
    w.enrol()
    w.buy("o1", "100.00", at="2026-03-01 12:00")
    assert w.buy("o2", "1.00", at="2026-03-08 11:59:59.999999").granted("rich") == 0
    assert w.buy("o3", "1.00", at="2026-03-08 12:00").granted("rich") == 5


RELEASED = {"until": "custom.delivered", "at_most": "30D"}
DELIVERED = {"custom.delivered": {"order": "string"}}


def test_points_wait_for_the_activity_that_releases_them() -> None:
    w = World(shop({"pending": RELEASED, "expires": {"after": "1M"}}, fields=DELIVERED))
    w.enrol()
    w.buy("o1", "10.00", at="2026-03-01")
    w.buy("o2", "20.00", at="2026-03-02")
    released = w.post("m", "custom.delivered", {"order": "o1"}, at="2026-03-05 08:00")
    assert released.moved("pending", "available") == 10
    # Its expiry counts from the release.
    assert w.expiries()[0] == (10, "2026-04-05 08:00")
    assert w.points() == (10, 20, 0, 0)
    # The other one waits thirty days at most.
    assert w.points(at="2026-03-31 23:59:59") == (10, 20, 0, 0)
    assert w.points(at="2026-04-01") == (30, 0, 0, 0)


def test_a_release_without_an_order_releases_everything_and_one_for_an_unknown_order_nothing() -> None:
    w = World(shop({"pending": RELEASED}, fields=DELIVERED))
    w.enrol()
    w.buy("o1", "10.00")
    w.buy("o2", "20.00")
    w.post("m", "custom.delivered", {"order": "nobody"})
    assert w.points() == (0, 30, 0, 0)
    w.post("m", "custom.delivered")
    assert w.points() == (30, 0, 0, 0)


def test_points_that_arrive_after_their_waiting_is_over_are_available_at_once() -> None:
    w = world(pending="7D", expires={"after": "1M"})
    late = w.buy("o", "10.00", at="2026-03-20", occurred="2026-03-01")
    assert late.moved("issuance", "available") == 10
    # Active since the 8th.
    assert w.expiries() == [(10, "2026-04-08 00:00")]


def test_points_that_arrive_after_their_expiry_expire_at_once() -> None:
    w = world(expires={"after": "1M"})
    late = w.buy("o", "10.00", at="2026-05-01", occurred="2026-03-01")
    assert [(e.kind, w.text(e.at)) for e in late.entries] == [
        ("accrual", "2026-03-01 00:00"),
        ("expiry", "2026-04-01 00:00"),
    ]
    assert w.points() == (0, 0, 0, 0)


# --- sliding expiry ---

SLIDING = {"inactive_for": "6M"}


def test_all_points_of_a_sliding_wallet_expire_together_when_nothing_kept_them() -> None:
    w = world(expires=SLIDING)
    w.buy("o1", "10.00", at="2026-01-10")
    w.buy("o2", "20.00", at="2026-03-10 09:00")
    assert w.points(at="2026-09-10 08:59:59.999999") == (30, 0, 0, 0)
    assert w.points(at="2026-09-10 09:00") == (0, 0, 0, 0)


def test_spending_keeps_a_sliding_wallet_alive_and_looking_does_not() -> None:
    w = world(expires=SLIDING)
    w.buy("o1", "10.00", at="2026-01-10")
    w.redeem("r", 1, at="2026-03-10")
    w.clock("2026-08-01")
    assert w.points(at="2026-09-09 23:59") == (9, 0, 0, 0)
    assert w.points(at="2026-09-10") == (0, 0, 0, 0)


def test_other_activities_keep_a_sliding_wallet_alive_where_the_program_says_so() -> None:
    w = world(expires={"inactive_for": "6M", "kept_by": ["check_in"]})
    w.buy("o1", "10.00", at="2026-01-10")
    # Earning keeps nothing here, but the clock starts with the first points.
    w.buy("o2", "10.00", at="2026-03-10")
    assert w.points(at="2026-07-10") == (0, 0, 0, 0)
    w.post("m", "check_in", at="2026-05-10")
    assert w.points(at="2026-07-10") == (20, 0, 0, 0)
    assert w.points(at="2026-11-10") == (0, 0, 0, 0)


def test_after_a_lapse_a_sliding_wallet_starts_anew_with_the_next_points() -> None:
    w = world(expires={"inactive_for": "6M", "kept_by": ["check_in"]})
    w.buy("o1", "10.00", at="2026-01-10")
    w.buy("o2", "20.00", at="2026-08-10")
    assert w.points() == (20, 0, 0, 0)
    assert w.points(at="2027-02-09 23:59") == (20, 0, 0, 0)
    assert w.points(at="2027-02-10") == (0, 0, 0, 0)


def test_a_sliding_wallet_that_was_emptied_starts_anew_with_the_next_points() -> None:
    w = world(expires={"inactive_for": "6M", "kept_by": ["check_in"]})
    w.buy("o1", "10.00", at="2026-01-10")
    w.redeem("r", 10, at="2026-06-10")
    w.buy("o2", "20.00", at="2026-07-01")
    assert w.points(at="2026-12-31") == (20, 0, 0, 0)
    assert w.points(at="2027-01-01") == (0, 0, 0, 0)


def test_a_hold_does_not_prolong_a_sliding_wallet_that_spending_does_not_keep() -> None:
    w = world(expires={"inactive_for": "6M", "kept_by": ["earn"]})
    w.buy("o1", "10.00", at="2026-01-10")
    w.hold("r", 10, at="2026-07-09 12:00")
    w.cancel("r", at="2026-07-09 13:00")
    assert w.points() == (10, 0, 0, 0)
    assert w.points(at="2026-07-10") == (0, 0, 0, 0)


def test_what_is_held_when_a_sliding_wallet_lapses_expires_when_it_comes_back() -> None:
    w = world(expires={"inactive_for": "6M", "kept_by": ["earn"]}, hold="90D")
    w.buy("o1", "10.00", at="2026-01-10")
    w.hold("r", 4, at="2026-07-09")
    w.clock("2026-07-10")
    assert w.points() == (0, 0, 4, 0)
    w.post("m", "check_in", at="2026-07-11")
    cancelled = w.cancel("r", at="2026-07-12")
    assert cancelled.moved("available", "breakage") == 4
    assert w.points() == (0, 0, 0, 0)


def test_what_is_held_when_a_sliding_wallet_lapses_lives_on_for_the_grace() -> None:
    w = world(expires={"inactive_for": "6M", "kept_by": ["earn"]}, hold="90D", restore_grace="7D")
    w.buy("o1", "10.00", at="2026-01-10")
    w.hold("r", 10, at="2026-07-09")
    w.cancel("r", at="2026-07-12")
    assert w.points() == (10, 0, 0, 0)
    assert w.points(at="2026-07-18 23:59") == (10, 0, 0, 0)
    assert w.points(at="2026-07-19") == (0, 0, 0, 0)


def test_what_lapsed_of_a_lot_at_different_times_adds_up() -> None:
    w = world(expires={"inactive_for": "6M", "kept_by": ["earn"]}, hold="90D")
    lot = w.buy("o1", "10.00", at="2026-01-10").entries[0].lot
    w.hold("r", 4, at="2026-07-09")
    # 6 lapse; then new points start the clock, and the 4 that come back while it runs have lapsed with the 6.
    w.buy("o2", "1.00", at="2026-07-11")
    assert w.cancel("r", at="2026-07-12").moved("available", "breakage") == 4
    assert w.points(at="2027-01-10") == (1, 0, 0, 0)
    w.clock("2027-02-01")
    body = {"wallet": "points", "lots": [lot], "expires_at": None, "reason": "sorry"}
    assert w.post("m", "reinstatement", body).moved("breakage", "available") == 10


def test_what_is_held_lapses_also_while_other_points_are_pending() -> None:
    document = shop(
        {"expires": {"inactive_for": "6M", "kept_by": ["check_in"]}, "hold": "90D", "pending": "30D"},
        campaigns={"gift": {"on": "review", "grant": {"wallet": "points", "fixed": 7}}},
    )
    w = World(document)
    w.enrol()
    w.adjust(10, at="2026-01-10")
    w.hold("r1", 4, at="2026-07-09")
    w.hold("r2", 6)
    w.post("m", "review")
    # The wallet lapses on 10 July; the 7 are pending until 8 August.
    assert w.points(at="2026-07-10") == (0, 7, 10, 0)
    assert w.cancel("r1", at="2026-07-12").moved("available", "breakage") == 4
    assert w.points(at="2026-08-09") == (7, 0, 6, 0)
    # The clock of the 7 runs, and does not give the 6 another life.
    assert w.cancel("r2", at="2026-08-09").moved("available", "breakage") == 6
    assert w.points(at="2027-02-07 23:59") == (7, 0, 0, 0)
    assert w.points(at="2027-02-08") == (0, 0, 0, 0)


def test_what_was_held_only_after_a_lapse_has_not_lapsed() -> None:
    w = world(expires={"inactive_for": "6M", "kept_by": ["earn"]}, hold="90D")
    w.buy("o1", "10.00", at="2026-01-10")
    # Everything lapses on 10 July, in whose very instant new points are earned and held.
    w.buy("o2", "5.00", at="2026-07-10")
    w.hold("r", 5)
    w.cancel("r", at="2026-07-12")
    assert w.points() == (5, 0, 0, 0)


def test_points_that_paid_lapse_with_their_wallet_and_a_return_cannot_bring_them_back_to_life() -> None:
    w = world(expires={"inactive_for": "1M", "kept_by": ["check_in"]}, money={"points": 1, "worth": "1.00"})
    w.adjust(30, at="2026-03-01")
    w.redeem("r", 10)
    tender = {"kind": "points", "amount": "10.00", "redemption": "r"}
    w.buy("o", "10.00", tenders=[tender])
    # The 20 that were left lapse on 1 April; the 10 would have lapsed with them if they had not been spent.
    w.clock("2026-04-01")
    assert w.points() == (0, 0, 0, 0)
    assert w.give_back("o", at="2026-04-02").moved("available", "breakage") == 10
    assert w.points() == (0, 0, 0, 0)


def test_what_expired_of_a_lot_that_an_extension_split_while_part_of_it_was_held_adds_up() -> None:
    w = world(expires={"after": "1M"}, hold="90D")
    lot = w.buy("o1", "10.00", at="2026-03-01").entries[0].lot
    w.hold("r", 4)
    later = {"wallet": "points", "expires_at": "2026-06-01T00:00:00+08:00", "reason": "strike"}
    w.post("m", "extension", later)
    w.cancel("r", at="2026-03-02")
    # 4 go back to the first of April, 6 live until June.
    assert w.expiries() == [(4, "2026-04-01 00:00"), (6, "2026-06-01 00:00")]
    w.clock("2026-04-01")
    w.clock("2026-06-01")
    body = {"wallet": "points", "lots": [lot], "expires_at": None, "reason": "sorry"}
    assert w.post("m", "reinstatement", body).moved("breakage", "available") == 10
    w.replay()


def test_what_lapsed_of_a_lot_and_what_expired_of_it_on_its_own_date_add_up() -> None:
    w = world(expires={"inactive_for": "1M", "kept_by": ["check_in"]}, hold="90D", restore_grace="5D")
    lots = [{"points": 10, "earned_at": "2026-01-01T00:00:00+08:00", "expires_at": "2026-03-10T00:00:00+08:00"}]
    w.post("m", "opening_balance", {"wallet": "points", "lots": lots}, at="2026-02-01")
    w.adjust(1)
    lot = w.lots()[0].lot
    w.hold("r", 4)
    extended = {"wallet": "points", "expires_at": "2026-04-01T00:00:00+08:00", "reason": "strike", "lots": [lot]}
    w.post("m", "extension", extended)
    w.cancel("r", at="2026-02-02")
    w.post("m", "check_in", at="2026-02-20")
    # 4 expire on 10 March by their own date, 6 (and 1) lapse on 20 March.
    w.clock("2026-03-15")
    w.clock("2026-04-02")
    body = {"wallet": "points", "lots": [lot], "expires_at": None, "reason": "sorry"}
    assert w.post("m", "reinstatement", body).moved("breakage", "available") == 10


def test_pending_points_outlive_a_lapse_and_their_clock_starts_when_they_activate() -> None:
    w = world(expires={"inactive_for": "1M"}, pending="3M")
    w.buy("o1", "10.00", at="2026-01-10")
    # The clock of earning lapses on 10 February with nothing available; the points activate on 10 April.
    assert w.points(at="2026-04-09") == (0, 10, 0, 0)
    assert w.points(at="2026-05-09 23:59") == (10, 0, 0, 0)
    assert w.points(at="2026-05-10") == (0, 0, 0, 0)


# --- what people put right ---


def test_an_adjustment_may_have_its_own_expiry_and_otherwise_the_wallets() -> None:
    w = world(expires={"after": "12M", "round": "month"})
    w.adjust(10, at="2026-03-15")
    w.adjust(20, expires="2026-04-01 12:00")
    assert w.expiries() == [(20, "2026-04-01 12:00"), (10, "2027-04-01 00:00")]
    assert w.adjust(5, expires="2026-03-15").code == "expiry_in_past"


def test_an_opening_balance_brings_lots_with_their_own_dates_and_shows_expired_ones_to_expire() -> None:
    w = world(expires={"after": "12M"})
    lots = [
        {"points": 5, "earned_at": "2024-01-01T00:00:00+08:00", "expires_at": "2025-12-31T00:00:00+08:00"},
        {"points": 7, "earned_at": "2025-01-01T00:00:00+08:00", "expires_at": "2026-06-01T00:00:00+08:00"},
    ]
    opened = w.post("m", "opening_balance", {"wallet": "points", "lots": lots}, at="2026-03-01")
    assert opened.moved("available", "breakage") == 5
    assert w.expiries() == [(7, "2026-06-01 00:00")]


def test_an_extension_never_shortens() -> None:
    w = world(expires={"after": "12M"})
    w.adjust(10, expires="2026-06-01")
    w.adjust(20, expires="2026-09-01")
    body = {"wallet": "points", "expires_at": "2026-08-01T00:00:00+08:00", "reason": "strike"}
    w.post("m", "extension", body)
    assert w.expiries() == [(10, "2026-08-01 00:00"), (20, "2026-09-01 00:00")]
    assert w.post("m", "extension", body).code == "nothing_to_extend"


def test_an_extension_of_a_sliding_wallet_never_shortens() -> None:
    w = world(expires=SLIDING)
    w.buy("o", "10.00", at="2026-01-10")
    shorter = {"wallet": "points", "expires_at": "2026-06-01T00:00:00+08:00", "reason": "strike"}
    assert w.post("m", "extension", shorter).code == "nothing_to_extend"
    assert w.post("m", "extension", {**shorter, "expires_at": "2026-08-01T00:00:00+08:00"}).refusal is None
    assert w.points(at="2026-07-31") == (10, 0, 0, 0)
    assert w.points(at="2026-08-01") == (0, 0, 0, 0)


def test_expired_points_are_reinstated_once_with_the_stated_expiry() -> None:
    w = world(expires={"after": "1M"})
    lot = w.buy("o", "10.00", at="2026-03-01").entries[0].lot
    body = {"wallet": "points", "lots": [lot], "expires_at": "2026-07-01T00:00:00+08:00", "reason": "sorry"}
    assert w.post("m", "reinstatement", body, at="2026-03-20").code == "unknown_lot"
    assert w.post("m", "reinstatement", body, at="2026-05-01").moved("breakage", "available") == 10
    assert w.expiries() == [(10, "2026-07-01 00:00")]
    assert w.post("m", "reinstatement", body).code == "nothing_to_reinstate"


def test_tiers_set_by_an_activation_are_set_at_its_instant() -> None:
    tracks = {
        "membership": {
            "measure": {"earned": "points"},
            "tiers": [{"id": "member"}, {"id": "silver", "enter": 100, "multiply": {"points": 2}}],
        }
    }
    w = World(shop({"pending": "7D"}, tracks=tracks))
    w.enrol()
    w.buy("o1", "100.00", at="2026-03-01 12:00")
    caught_up = w.clock("2026-05-01")
    assert [w.text(fact.at) for fact in caught_up.of(TierSet)] == ["2026-03-08 12:00"]
    # What occurred after the activation and arrives now was bought by a silver member.
    assert w.buy("o2", "10.00", occurred="2026-04-01").granted("base", "membership.silver") == 10
    assert w.buy("o3", "10.00", occurred="2026-03-05").granted("base", "membership.silver") == 0
