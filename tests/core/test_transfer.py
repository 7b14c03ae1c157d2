"""Transfers: lots keep their expiry, both journals tell the story, what cannot arrive comes back (case 14)."""

from __future__ import annotations

from typing import Any

from laurels.core.facts import FollowUp
from tests.core.harness import World, all_of, shop


def world(points: dict[str, Any] | None = None, **parts: Any) -> World:
    made = World(shop(points, **parts))
    made.enrol("m")
    made.enrol("n")
    return made


def test_a_transfer_keeps_each_lots_age_and_expiry_and_both_journals_tell_the_story() -> None:
    w = world()
    w.adjust(30, expires="2026-06-01", at="2026-03-01")
    w.adjust(50, expires="2026-09-01", at="2026-03-02")
    w.send("n", 60, at="2026-03-05")
    assert w.expiries() == [(20, "2026-09-01 00:00")]
    assert w.expiries(member="n") == [(30, "2026-06-01 00:00"), (30, "2026-09-01 00:00")]
    assert [w.text(lot.earned_at) for lot in w.lots(member="n")] == ["2026-03-01 00:00", "2026-03-02 00:00"]
    (sent,) = [entry for entry in all_of(w) if entry.kind == "transfer"]
    assert (sent.out_of, sent.into, sent.points, sent.reason) == ("available", "in_transit", 60, "sent")
    received = [entry for entry in all_of(w, "n") if entry.kind == "transfer"]
    assert [(e.out_of, e.into, e.points, e.reason) for e in received] == [
        ("in_transit", "available", 30, "received"),
        ("in_transit", "available", 30, "received"),
    ]


def test_points_that_the_other_member_cannot_take_come_back_to_their_lots() -> None:
    w = world()
    w.adjust(30, expires="2026-06-01", at="2026-03-01")
    w.adjust(50, expires="2026-09-01", at="2026-03-02")
    before = w.lots()
    sent = w.send("nobody", 60)
    assert len(sent.of(FollowUp)) == 1
    assert w.lots() == before
    assert w.points() == (80, 0, 0, 0)


def test_one_can_send_only_what_is_available_and_not_to_oneself() -> None:
    w = world({"pending": "7D", "when_spent": {"debt": 100, "freeze": True}})
    w.buy("o", "50.00")
    assert w.send("n", 1).code == "insufficient_points"
    w.adjust(10)
    assert w.send("m", 1).code == "same_member"
    w.redeem("r", 10)
    w.clock("2026-01-08")
    w.redeem("r2", 50)
    w.give_back("o")
    assert w.send("n", 1).code == "frozen_by_debt"


def test_received_points_repay_debt_first() -> None:
    w = world({"when_spent": {"debt": "unlimited"}})
    w.buy("o", "50.00", member="n")
    w.redeem("r", 50, member="n")
    w.give_back("o", member="n")
    w.adjust(80)
    w.send("n", 80)
    assert w.points(member="n") == (30, 0, 0, 0)


def test_points_that_expire_on_their_way_expire_on_arrival() -> None:
    w = world()
    w.adjust(30, expires="2026-06-01")
    body = {"counterpart": "m", "wallet": "points", "lots": [["1.0", 30, 0, w.instant("2026-06-01")]]}
    w.checks = False  # The points come from nowhere here.
    w.post("n", "transfer_in", body, at="2026-06-02")
    assert w.points(member="n") == (0, 0, 0, 0)


GOLD: dict[str, Any] = {
    "membership": {
        "measure": {"spent": "net"},
        "holds_until": "this_window",
        "tiers": [{"id": "member"}, {"id": "gold", "enter": "1000.00", "expires": {"points": "never"}}],
    }
}


def test_what_only_the_senders_tier_kept_from_expiring_gets_the_ordinary_expiry_with_its_new_owner() -> None:
    w = world({"expires": {"after": "12M"}}, tracks=GOLD)
    w.buy("o1", "1000.00", at="2026-03-01")
    w.redeem("r", 1000)
    w.buy("o2", "50.00", at="2026-04-01")
    w.send("n", 30, at="2026-05-01")
    assert w.expiries() == [(20, None)]
    assert w.expiries(member="n") == [(30, "2027-05-01 00:00")]


def test_what_came_back_to_a_tier_that_keeps_it_gets_its_clock_when_the_tier_is_lost() -> None:
    w = world({"expires": {"after": "12M"}}, tracks=GOLD)
    w.buy("o1", "1000.00", at="2026-03-01")
    w.redeem("r", 1000)
    w.buy("o2", "50.00", at="2026-04-01")
    w.send("nobody", 50, at="2026-05-01")
    assert w.expiries() == [(50, None)]
    assert w.expiries(at="2027-01-01") == [(50, "2028-01-01 00:00")]


def test_never_expiring_points_stay_so_when_the_wallet_itself_never_expires() -> None:
    w = world()
    w.adjust(30)
    w.send("n", 30)
    assert w.expiries(member="n") == [(30, None)]


def test_a_transfer_keeps_sliding_wallets_alive_on_both_sides() -> None:
    w = world({"expires": {"inactive_for": "6M"}})
    w.buy("o", "50.00", at="2026-01-10")
    w.send("n", 20, at="2026-03-10")
    assert w.points(at="2026-09-09 23:59") == (30, 0, 0, 0)
    assert w.points(at="2026-09-10") == (0, 0, 0, 0)
    assert w.points(member="n", at="2026-09-09 23:59") == (20, 0, 0, 0)
    assert w.points(member="n", at="2026-09-10") == (0, 0, 0, 0)
