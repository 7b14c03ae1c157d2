"""Returned points that were spent: pending, balance, debt, write-off; how debt is repaid (decisions 4, 5; case 3)."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.facts import OrderReturned
from tests.core.harness import World, shop


def world(**points: Any) -> World:
    made = World(shop(points))
    made.enrol()
    return made


def spent(when_spent: Any, spend: int = 80) -> World:
    """100 earned, some of it spent."""
    w = world(when_spent=when_spent)
    w.buy("o", "100.00")
    w.redeem("r", spend)
    return w


@pytest.mark.parametrize(
    ("when_spent", "debt", "written_off"),
    [
        ("within_balance", 0, 80),
        ("pending_only", 0, 80),
        ({"debt": 50}, 50, 30),
        ({"debt": 0}, 0, 80),
        ({"debt": "unlimited"}, 80, 0),
    ],
    ids=["within_balance", "pending_only", "debt_50", "debt_0", "debt_unlimited"],
)
def test_what_was_not_spent_comes_back_and_the_policy_decides_on_the_rest(
    when_spent: Any, debt: int, written_off: int
) -> None:
    w = spent(when_spent)
    returned = w.give_back("o")
    # 100 earned, 80 spent: the 20 left of the order's own lot come back under every policy; 80 are missing.
    assert returned.moved("available", "issuance") == 20
    assert returned.moved("debt", "issuance") == debt
    assert returned.moved("write_off", "issuance") == written_off
    assert w.points() == (0, 0, 0, debt)


def test_pending_points_are_taken_before_anything_becomes_debt() -> None:
    w = world(when_spent={"debt": "unlimited"}, pending="7D")
    w.buy("o1", "100.00", at="2026-03-01")
    w.redeem("r", 100, at="2026-03-08")
    w.buy("o2", "60.00", at="2026-03-09")
    returned = w.give_back("o1", at="2026-03-10")
    assert returned.moved("pending", "issuance") == 60
    assert returned.moved("debt", "issuance") == 40
    assert w.points() == (0, 0, 0, 40)


def test_under_pending_only_other_orders_available_points_are_left_alone() -> None:
    w = world(when_spent="pending_only", pending="7D")
    w.buy("o1", "100.00", at="2026-03-01")
    w.redeem("r", 100, at="2026-03-08")
    w.buy("o2", "60.00", at="2026-03-08")
    w.buy("o3", "25.00", at="2026-03-14")
    # o2's 60 are available from the 15th, o3's 25 still pending.
    returned = w.give_back("o1", at="2026-03-16")
    assert returned.moved("pending", "issuance") == 25
    assert returned.moved("available", "issuance") == 0
    assert returned.moved("write_off", "issuance") == 75
    assert w.points() == (60, 0, 0, 0)


def test_other_pending_points_come_before_other_available_ones_and_these_in_the_order_of_consumption() -> None:
    w = world(when_spent={"debt": "unlimited"}, expires={"after": "12M"})
    w.buy("o", "100.00", at="2026-03-01")
    w.redeem("r", 100, at="2026-03-02")
    w.adjust(30, expires="2026-09-01")
    w.adjust(50, expires="2026-06-01")
    w.buy("later", "70.00", at="2026-03-03")
    w.give_back("o", at="2026-03-04")
    # 50 that expire in June, then 30 that expire in September, then 20 of the 70.
    assert [points for points, _ in w.expiries()] == [50]
    assert w.points() == (50, 0, 0, 0)


def test_the_orders_own_lot_is_taken_before_lots_that_expire_earlier() -> None:
    w = world(when_spent="within_balance", expires={"after": "12M"})
    w.adjust(30, expires="2026-06-01")
    w.buy("o", "100.00", at="2026-03-01")
    w.give_back("o", at="2026-03-04")
    assert w.expiries() == [(30, "2026-06-01 00:00")]


def test_debt_is_repaid_by_later_earning_before_anything_becomes_spendable() -> None:
    w = spent({"debt": "unlimited"})
    w.give_back("o")
    first = w.buy("o2", "50.00")
    # 80 owed: 50 of 50 repay.
    assert first.moved("available", "debt") == 50
    assert w.points() == (0, 0, 0, 30)
    # 30 of 50 repay, 20 stay.
    w.buy("o3", "50.00")
    assert w.points() == (20, 0, 0, 0)


def test_pending_points_repay_debt_when_they_activate() -> None:
    w = world(when_spent={"debt": "unlimited"}, pending="7D")
    w.buy("o1", "100.00", at="2026-03-01")
    w.redeem("r", 100, at="2026-03-08")
    w.give_back("o1")
    w.buy("o2", "130.00", at="2026-03-10")
    assert w.points() == (0, 130, 0, 100)
    assert w.points(at="2026-03-16 23:59:59") == (0, 130, 0, 100)
    assert w.points(at="2026-03-17") == (30, 0, 0, 0)


def test_adjusted_points_and_points_that_come_back_from_a_hold_repay_debt_too() -> None:
    w = world(when_spent={"debt": "unlimited"})
    w.buy("o", "100.00")
    w.hold("r1", 40)
    w.redeem("r2", 60)
    w.give_back("o")
    # 40 are held and 60 spent, so 100 are owed.
    assert w.points() == (0, 0, 40, 100)
    w.adjust(10)
    assert w.points() == (0, 0, 40, 90)
    w.cancel("r1")
    assert w.points() == (0, 0, 0, 50)


def test_a_wallet_in_debt_is_frozen_where_the_program_says_so() -> None:
    frozen, thawed = spent({"debt": 500, "freeze": True}), spent({"debt": 500, "freeze": False})
    for w in (frozen, thawed):
        w.give_back("o")
    assert frozen.redeem("r2", 1).code == "frozen_by_debt"
    assert thawed.redeem("r2", 1).code == "insufficient_points"
    for w in (frozen, thawed):
        w.buy("o2", "81.00")
        assert w.redeem("r3", 1).refusal is None


def test_the_limit_counts_the_debt_there_is_already() -> None:
    w = world(when_spent={"debt": 50})
    w.buy("o1", "40.00")
    w.buy("o2", "40.00")
    w.redeem("r", 80)
    assert w.give_back("o1").moved("debt", "issuance") == 40
    second = w.give_back("o2")
    assert second.moved("debt", "issuance") == 10
    assert second.moved("write_off", "issuance") == 30


def test_points_of_the_purchase_that_have_expired_are_not_taken_a_second_time() -> None:
    w = world(when_spent={"debt": "unlimited"}, expires={"after": "12M"})
    w.buy("o", "100.00", at="2026-03-01")
    w.redeem("r", 40, at="2026-04-01")
    w.clock("2027-03-01")
    returned = w.give_back("o", at="2027-03-05")
    # 60 of the 100 expired and are forgiven; the 40 that were spent are owed.
    (fact,) = returned.of(OrderReturned)
    assert fact.forgiven == {"points": 60}
    assert returned.moved("debt", "issuance") == 40
    assert w.points() == (0, 0, 0, 40)


def test_in_pieces_what_has_not_expired_is_taken_first_and_expired_points_are_forgiven_once() -> None:
    w = world(when_spent={"debt": "unlimited"}, expires={"after": "12M"})
    w.buy("o", "100.00", at="2026-03-01")
    w.redeem("r", 40, at="2026-04-01")
    forgiven = []
    taken = []
    for amount in ("30.00", "30.00", "40.00"):
        returned = w.give_back("o", ("1", amount), at="2027-03-05")
        (fact,) = returned.of(OrderReturned)
        forgiven.append(fact.forgiven.get("points", 0))
        taken.append(returned.moved("debt", "issuance"))
    # 40 can be taken: 30, then 10. 60 expired: 20, then 40.
    assert taken == [30, 10, 0]
    assert forgiven == [0, 20, 40]


def test_reinstated_points_are_taken_back_by_a_return() -> None:
    w = world(when_spent={"debt": "unlimited"}, expires={"after": "12M"})
    lot = w.buy("o", "100.00", at="2026-03-01").entries[0].lot
    body = {"wallet": "points", "lots": [lot], "expires_at": "2027-06-01T00:00:00+08:00", "reason": "sorry"}
    w.post("m", "reinstatement", body, at="2027-03-05")
    assert w.points() == (100, 0, 0, 0)
    assert w.post("m", "reinstatement", body).code == "nothing_to_reinstate"
    returned = w.give_back("o")
    assert returned.moved("available", "issuance") == 100
    assert w.points() == (0, 0, 0, 0)


def test_points_that_were_forgiven_to_a_return_cannot_be_reinstated() -> None:
    w = world(when_spent={"debt": "unlimited"}, expires={"after": "12M"})
    lot = w.buy("o", "100.00", at="2026-03-01").entries[0].lot
    w.give_back("o", ("1", "40.00"), at="2027-03-05")
    body = {"wallet": "points", "lots": [lot], "expires_at": "2027-06-01T00:00:00+08:00", "reason": "sorry"}
    # 100 expired and 40 of them are forgiven: 60 are left to come back, and to be taken by the rest of the return.
    assert w.post("m", "reinstatement", body).moved("breakage", "available") == 60
    assert w.give_back("o").moved("available", "issuance") == 60
    assert w.points() == (0, 0, 0, 0)


def test_a_return_of_pending_points_takes_them_out_of_pending() -> None:
    w = world(pending="7D")
    w.buy("o", "100.00", at="2026-03-01")
    assert w.give_back("o", ("1", "30.00"), at="2026-03-02").moved("pending", "issuance") == 30
    assert w.points() == (0, 70, 0, 0)
    assert w.points(at="2026-03-08") == (70, 0, 0, 0)


def test_points_that_expired_before_they_arrived_repay_nothing() -> None:
    w = world(when_spent={"debt": "unlimited"}, expires={"after": "30D"})
    w.buy("o1", "100.00", at="2026-03-01")
    w.redeem("r", 100)
    w.give_back("o1")
    late = w.buy("o2", "50.00", at="2026-06-01", occurred="2026-03-10")
    # They lived until 9 April. From then on they could not be spent, on debt neither.
    assert late.moved("available", "debt") == 0
    assert late.moved("available", "breakage") == 50
    assert w.points() == (0, 0, 0, 100)


def test_what_is_taken_is_shown_campaign_by_campaign() -> None:
    double = {"on": "purchase", "grant": {"wallet": "points", "multiply": "base", "by": 2}}
    w = World(shop({"when_spent": {"debt": "unlimited"}}, campaigns={"double": double}))
    w.enrol()
    w.buy("o", "100.00")
    w.redeem("r", 150)
    entries = [(e.campaign, e.out_of, e.points) for e in w.give_back("o").entries]
    # 50 are left: base takes them and 50 of debt, double 100 of debt.
    assert entries == [("base", "available", 50), ("base", "debt", 50), ("double", "debt", 100)]
