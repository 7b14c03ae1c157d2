"""Redemptions: held, then captured (also in part), cancelled or timed out, each once (decision 8, case 13)."""

from __future__ import annotations

from typing import Any

from laurels.core.member import Redemption
from tests.core.harness import World, shop


def world(**points: Any) -> World:
    made = World(shop(points))
    made.enrol()
    return made


def redemption(w: World, id: str) -> Redemption:
    found = w.look().documents[f"redemption/{id}"]
    assert isinstance(found, Redemption)
    return found


def test_points_are_consumed_by_earliest_expiry_then_age_then_id_and_never_expiring_ones_last() -> None:
    w = world()
    lots = [
        {"points": 1, "earned_at": "2025-03-01T00:00:00Z", "expires_at": None},
        {"points": 2, "earned_at": "2025-02-01T00:00:00Z", "expires_at": "2026-09-01T00:00:00Z"},
        {"points": 4, "earned_at": "2025-01-01T00:00:00Z", "expires_at": "2026-09-01T00:00:00Z"},
        {"points": 8, "earned_at": "2025-06-01T00:00:00Z", "expires_at": "2026-06-01T00:00:00Z"},
        {"points": 16, "earned_at": "2025-06-01T00:00:00Z", "expires_at": "2026-06-01T00:00:00Z"},
    ]
    w.post("m", "opening_balance", {"wallet": "points", "lots": lots})
    assert [lot.points for lot in w.lots()] == [8, 16, 4, 2, 1]
    w.redeem("r", 25)
    # 8 and 16, and 1 of the 4.
    assert [lot.points for lot in w.lots()] == [3, 2, 1]


def test_of_lots_with_one_expiry_and_age_the_one_that_came_first_goes_first_also_among_more_than_ten() -> None:
    w = world()
    same = {"earned_at": "2025-06-01T00:00:00Z", "expires_at": "2026-06-01T00:00:00Z"}
    w.post("m", "opening_balance", {"wallet": "points", "lots": [{"points": n, **same} for n in range(1, 13)]})
    assert [lot.points for lot in w.lots()] == [*range(1, 13)]
    # 1 to 10, and 4 of the 11: as text, the id of the eleventh would come before that of the third.
    w.redeem("r", 59)
    assert [lot.points for lot in w.lots()] == [7, 12]


def test_a_hold_is_captured_once() -> None:
    w = world()
    w.adjust(100)
    w.hold("r", 60)
    assert w.points() == (40, 0, 60, 0)
    assert w.capture("r").moved("held", "redemption") == 60
    assert w.points() == (40, 0, 0, 0)
    assert w.capture("r").code == "redemption_not_held"
    assert w.cancel("r").code == "redemption_not_held"
    assert w.hold("r", 10).code == "duplicate_redemption"
    assert redemption(w, "r").status == "captured"


def test_a_capture_in_part_spends_the_first_lots_and_gives_the_rest_back() -> None:
    w = world()
    w.adjust(50, expires="2026-06-01")
    w.adjust(50, expires="2026-09-01")
    w.hold("r", 80)
    captured = w.capture("r", 60)
    assert captured.moved("held", "redemption") == 60
    assert captured.moved("held", "available") == 20
    # 50 of June and 10 of September are spent.
    assert w.expiries() == [(40, "2026-09-01 00:00")]
    assert w.capture("r", 20).code == "redemption_not_held"


def test_more_than_is_held_cannot_be_captured() -> None:
    w = world()
    w.adjust(100)
    w.hold("r", 60)
    assert w.capture("r", 61).code == "capture_exceeds_hold"
    assert w.points() == (40, 0, 60, 0)


def test_a_cancelled_redemption_returns_points_to_their_lots_with_original_expiry() -> None:
    w = world()
    w.adjust(50, expires="2026-06-01")
    w.adjust(50, expires="2026-09-01")
    before = w.lots()
    w.hold("r", 80)
    assert w.expiries() == [(20, "2026-09-01 00:00")]
    w.cancel("r", at="2026-03-01")
    assert w.lots() == before
    assert w.cancel("r").code == "redemption_not_held"


def test_a_hold_that_nobody_captures_times_out_at_its_instant() -> None:
    w = world(hold="24H")
    w.adjust(100)
    w.hold("r", 60, at="2026-03-01 10:00")
    assert w.points(at="2026-03-02 09:59:59.999999") == (40, 0, 60, 0)
    assert w.points(at="2026-03-02 10:00") == (100, 0, 0, 0)
    # At the very instant it is too late.
    assert w.capture("r", at="2026-03-02 10:00").code == "redemption_not_held"
    w.clock("2026-03-03")
    assert redemption(w, "r").status == "timed_out"
    assert w.text(redemption(w, "r").ended_at) == "2026-03-02 10:00"


def test_a_capture_just_before_the_time_out_is_in_time() -> None:
    w = world(hold="24H")
    w.adjust(100)
    w.hold("r", 60, at="2026-03-01 10:00")
    assert w.capture("r", at="2026-03-02 09:59:59.999999").refusal is None


def test_a_hold_keeps_its_lots_from_expiring_and_a_capture_still_spends_them() -> None:
    w = world(hold="90D")
    w.adjust(100, expires="2026-06-01")
    w.hold("r", 60, at="2026-05-01")
    w.clock("2026-06-01")
    assert w.points() == (0, 0, 60, 0)
    assert w.capture("r", at="2026-06-15").moved("held", "redemption") == 60
    assert w.points() == (0, 0, 0, 0)


def test_cancelled_after_its_expiry_a_lot_expires_at_once() -> None:
    w = world(hold="90D")
    w.adjust(100, expires="2026-06-01")
    w.hold("r", 60, at="2026-05-01")
    cancelled = w.cancel("r", at="2026-06-15")
    # 40 expired on 1 June, before; the 60 that come back expire with the cancellation.
    assert [(e.points, e.into, e.reason) for e in cancelled.entries] == [
        (40, "breakage", "expired"),
        (60, "available", "cancelled"),
        (60, "breakage", "expired_while_held"),
    ]
    assert w.points() == (0, 0, 0, 0)


def test_cancelled_after_its_expiry_a_lot_lives_on_for_the_grace() -> None:
    w = world(hold="90D", restore_grace="7D")
    w.adjust(100, expires="2026-06-01")
    w.hold("r", 60, at="2026-05-01")
    w.cancel("r", at="2026-06-15 08:00")
    assert w.expiries() == [(60, "2026-06-22 08:00")]
    # Held again and cancelled again within the grace, the lot keeps the end of its grace.
    w.hold("r2", 60, at="2026-06-16 08:00")
    w.cancel("r2", at="2026-06-17 08:00")
    assert w.expiries() == [(60, "2026-06-22 08:00")]


def test_cancelled_at_the_instant_of_its_expiry_a_lot_has_expired() -> None:
    w = world(hold="90D")
    w.adjust(100, expires="2026-06-01")
    w.hold("r", 100, at="2026-05-01")
    w.cancel("r", at="2026-06-01")
    assert w.points() == (0, 0, 0, 0)


def test_a_hold_that_times_out_at_the_instant_of_expiry_gives_back_first_and_everything_expires_together() -> None:
    w = world(hold="24H", restore_grace="7D")
    w.adjust(100, expires="2026-06-01")
    w.hold("r", 60, at="2026-05-31")
    caught_up = w.clock("2026-06-01")
    assert [(e.points, e.into, e.reason) for e in caught_up.entries] == [
        (60, "available", "timed_out"),
        (100, "breakage", "expired"),
    ]
    assert w.points() == (0, 0, 0, 0)


def test_the_last_points_are_redeemed_once() -> None:
    w = world()
    w.adjust(100)
    assert w.redeem("r1", 100).refusal is None
    assert w.redeem("r2", 100).code == "insufficient_points"
    assert w.points() == (0, 0, 0, 0)


def test_only_available_points_can_be_spent() -> None:
    w = world(pending="7D")
    w.buy("o", "100.00", at="2026-03-01 10:00")
    assert w.redeem("r", 1, at="2026-03-08 09:59:59.999999").code == "insufficient_points"
    assert w.redeem("r", 100, at="2026-03-08 10:00").refusal is None


def test_points_as_money_keep_to_minimum_and_steps() -> None:
    w = world(money={"points": 100, "worth": "1.00", "minimum": 500, "multiple": 100})
    w.adjust(1000)
    assert w.redeem("r", 400).code == "below_minimum"
    assert w.redeem("r", 550).code == "not_a_multiple"
    assert w.redeem("r", 600).refusal is None


def test_a_wallet_that_only_counts_cannot_be_spent() -> None:
    w = World(shop(wallets={"growth": {"spendable": False}}))
    w.enrol()
    w.adjust(10, wallet="growth")
    assert w.redeem("r", 5, wallet="growth").code == "wallet_not_spendable"
    assert w.redeem("r", 5, wallet="gold").code == "unknown_wallet"


def test_what_is_held_of_a_lot_comes_back_with_its_own_expiry_when_the_rest_was_extended() -> None:
    w = world(hold="90D")
    w.adjust(100, expires="2026-06-01")
    w.hold("r", 60, at="2026-03-01")
    lot = w.lots()[0].lot
    body = {"wallet": "points", "lots": [lot], "expires_at": "2026-06-02T00:00:00+08:00", "reason": "sorry"}
    w.post("m", "extension", body)
    w.cancel("r", at="2026-03-02")
    assert w.expiries() == [(60, "2026-06-01 00:00"), (40, "2026-06-02 00:00")]
    # Both parts lie on one page under one lot's id; both are spent.
    w.redeem("r2", 100)
    assert w.points() == (0, 0, 0, 0)


def test_parts_of_a_lot_that_get_the_same_expiry_are_one_lot_again() -> None:
    w = world(hold="90D")
    w.adjust(100, expires="2026-06-01")
    w.hold("r", 60, at="2026-03-01")
    body = {"wallet": "points", "expires_at": "2026-06-02T00:00:00+08:00", "reason": "sorry"}
    w.post("m", "extension", body)
    w.cancel("r", at="2026-03-02")
    w.post("m", "extension", {**body, "expires_at": "2026-07-01T00:00:00+08:00"})
    assert w.expiries() == [(100, "2026-07-01 00:00")]
    assert w.points(at="2026-07-01") == (0, 0, 0, 0)


def test_adjustments_take_available_points_only() -> None:
    w = world()
    w.adjust(100)
    w.hold("r", 60)
    assert w.adjust(-41).code == "below_zero"
    assert w.adjust(-40).moved("available", "adjustment") == 40
    assert w.points() == (0, 0, 60, 0)
