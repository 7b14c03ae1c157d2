"""Orders paid with points and gift cards: what they earn, where money and points go back (decision 3, case 4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurels.core.facts import OrderReturned
from laurels.core.program.model import PointsAsMoney
from laurels.core.purchase import points_for, worth
from tests.core.harness import Answer, World, shop

MONEY = {"points": 100, "worth": "1.00"}


def world(grant: dict[str, Any] | None = None, **points: Any) -> World:
    campaigns = {"base": {"on": "purchase", "grant": grant}} if grant else {}
    made = World(shop({"money": MONEY, **points}, campaigns=campaigns))
    made.enrol()
    return made


def points_and_cash(redemption: str, points: str, cash: str) -> list[dict[str, str]]:
    return [
        {"kind": "points", "amount": points, "redemption": redemption},
        {"kind": "cash", "amount": cash},
    ]


def paid_back(answer: Answer) -> dict[str, int]:
    (fact,) = answer.of(OrderReturned)
    return dict(fact.paid_back)


def test_the_part_paid_with_points_or_a_gift_card_earns_nothing_by_default() -> None:
    w = world()
    w.adjust(4000)
    w.redeem("r", 4000)
    tenders = [*points_and_cash("r", "40.00", "50.00"), {"kind": "gift_card", "amount": "10.00"}]
    # 100.00 less 40.00 and 10.00.
    assert w.buy("o", "100.00", tenders=tenders).granted("base") == 50


def test_the_part_paid_with_points_earns_where_the_program_says_so() -> None:
    w = world({"wallet": "points", "points": 1, "per": "1.00", "but": ["paid_with_gift_card"]})
    w.adjust(4000)
    w.redeem("r", 4000)
    tenders = [*points_and_cash("r", "40.00", "50.00"), {"kind": "gift_card", "amount": "10.00"}]
    assert w.buy("o", "100.00", tenders=tenders).granted("base") == 90


def test_what_points_paid_is_shared_over_all_lines_those_that_earn_nothing_included() -> None:
    w = world()
    w.adjust(4000)
    w.redeem("r", 4000)
    bought = w.buy(
        "o",
        {"amount": "60.00"},
        {"amount": "40.00", "kind": "shipping"},
        tenders=points_and_cash("r", "40.00", "60.00"),
    )
    # 40.00 of 100.00 were paid with points: 24.00 of the first line. 36.00 earn.
    assert bought.granted("base") == 36


def test_of_the_gross_amount_the_share_that_points_paid_is_left_out() -> None:
    w = world({"wallet": "points", "points": 1, "per": "1.00", "of": "gross"})
    w.adjust(4000)
    w.redeem("r", 4000)
    line = {"amount": "100.00", "discounts": [{"code": "d", "amount": "50.00"}]}
    # 40 % of the line were paid with points: 150.00 less 60.00.
    assert w.buy("o", line, tenders=points_and_cash("r", "40.00", "60.00")).granted("base") == 90


def test_an_order_paid_with_points_alone_earns_nothing() -> None:
    w = world()
    w.adjust(4000)
    w.redeem("r", 4000)
    bought = w.buy("o", "40.00", tenders=[{"kind": "points", "amount": "40.00", "redemption": "r"}])
    assert bought.why("base") == ("nothing_to_grant", 0, 0)


def test_a_return_is_split_over_the_tenders_in_proportion_and_points_go_back() -> None:
    w = world()
    w.adjust(4000)
    w.redeem("r", 4000)
    w.buy("o", "100.00", tenders=points_and_cash("r", "40.00", "60.00"))
    assert w.points() == (60, 0, 0, 0)
    returned = w.give_back("o", ("1", "50.00"))
    # 20.00 in points, which are 2000, and 30.00 in cash; of the 60 earned, floor(60 x 50 / 100) = 30 come back.
    assert paid_back(returned) == {"0": 2000, "1": 3000}
    assert returned.moved("redemption", "available") == 2000
    assert returned.moved("available", "issuance") == 30
    assert w.points() == (2030, 0, 0, 0)


def test_in_pieces_the_tenders_sum_to_what_was_paid_and_the_points_to_what_was_spent() -> None:
    w = world()
    w.adjust(3334)
    w.redeem("r", 3334)
    w.buy("o", "100.00", tenders=points_and_cash("r", "33.34", "66.66"))
    points, money = 0, {"0": 0, "1": 0}
    for amount in ("0.01", "33.33", "33.33", "33.33"):
        returned = w.give_back("o", ("1", amount))
        points += returned.moved("redemption", "available")
        for place, back in paid_back(returned).items():
            money[place] += back
    assert money == {"0": 3334, "1": 6666}
    assert points == 3334
    assert w.points() == (3334, 0, 0, 0)


def test_a_return_may_name_its_tenders() -> None:
    w = world()
    w.adjust(4000)
    w.redeem("r", 4000)
    w.buy("o", "100.00", tenders=points_and_cash("r", "40.00", "60.00"))
    returned = w.give_back("o", ("1", "50.00"), tenders=points_and_cash("r", "40.00", "10.00"))
    assert returned.moved("redemption", "available") == 4000
    # 50.00 of cash are left, and nothing of the points.
    refused = w.give_back("o", ("1", "50.00"), tenders=points_and_cash("r", "0.01", "49.99"))
    assert refused.code == "return_exceeds_purchase"
    assert w.give_back("o", ("1", "50.00"), tenders=[{"kind": "cash", "amount": "49.99"}]).code == (
        "return_exceeds_purchase"
    )
    assert paid_back(w.give_back("o")) == {"1": 5000}


def test_a_named_tender_may_come_back_over_several_of_its_kind() -> None:
    w = world()
    tenders = [{"kind": "cash", "amount": "50.00"}, {"kind": "cash", "amount": "50.00"}]
    w.buy("o", "100.00", tenders=tenders)
    returned = w.give_back("o", ("1", "80.00"), tenders=[{"kind": "cash", "amount": "80.00"}])
    assert paid_back(returned) == {"0": 5000, "1": 3000}


def test_points_go_back_to_the_lots_they_came_from_with_their_own_expiry() -> None:
    w = world(expires={"after": "12M"})
    w.adjust(1000, expires="2026-06-01", at="2026-03-01")
    w.adjust(3000, expires="2026-09-01")
    w.redeem("r", 4000, at="2026-03-02")
    w.buy("o", "40.00", tenders=[{"kind": "points", "amount": "40.00", "redemption": "r"}])
    # As if 2000 had been spent in the first place: those of June and 1000 of September are still gone.
    w.give_back("o", ("1", "20.00"))
    assert w.expiries() == [(2000, "2026-09-01 00:00")]
    w.give_back("o")
    assert w.expiries() == [(1000, "2026-06-01 00:00"), (3000, "2026-09-01 00:00")]


def test_points_given_back_after_their_expiry_expire_at_once() -> None:
    w = world(expires={"after": "12M"})
    w.adjust(1000, expires="2026-06-01", at="2026-03-01")
    w.redeem("r", 1000)
    w.buy("o", "10.00", tenders=[{"kind": "points", "amount": "10.00", "redemption": "r"}])
    returned = w.give_back("o", at="2026-06-01")
    assert returned.moved("redemption", "available") == 1000
    assert returned.moved("available", "breakage") == 1000
    assert w.points() == (0, 0, 0, 0)


def test_points_given_back_after_their_expiry_live_on_for_the_grace() -> None:
    w = world(expires={"after": "12M"}, restore_grace="7D")
    w.adjust(1000, expires="2026-06-01", at="2026-03-01")
    w.redeem("r", 1000)
    w.buy("o", "10.00", tenders=[{"kind": "points", "amount": "10.00", "redemption": "r"}])
    w.give_back("o", at="2026-06-10 12:00")
    assert w.expiries() == [(1000, "2026-06-17 12:00")]


def test_a_points_tender_must_fit_the_redemption_it_names() -> None:
    w = world()
    w.adjust(4000)
    assert w.buy("o", "10.00", tenders=[{"kind": "points", "amount": "10.00", "redemption": "r"}]).code == (
        "unknown_redemption"
    )
    w.hold("r", 1000)
    # 1000 points are worth 10.00.
    assert w.buy("o", "10.01", tenders=[{"kind": "points", "amount": "10.01", "redemption": "r"}]).code == (
        "points_tender_mismatch"
    )
    assert w.buy("o", "10.00", tenders=[{"kind": "points", "amount": "10.00", "redemption": "r"}]).refusal is None
    w.hold("r2", 1000)
    w.cancel("r2")
    assert w.buy("o2", "10.00", tenders=[{"kind": "points", "amount": "10.00", "redemption": "r2"}]).code == (
        "points_tender_mismatch"
    )


def test_points_pay_no_larger_share_of_an_order_than_the_program_allows_in_all_tenders_together() -> None:
    w = World(shop({"money": {**MONEY, "largest_share": "50%"}}))
    w.enrol()
    w.adjust(8000)
    w.redeem("r1", 3000)
    w.redeem("r2", 3000)
    tenders = [
        {"kind": "points", "amount": "30.00", "redemption": "r1"},
        {"kind": "points", "amount": "30.00", "redemption": "r2"},
        {"kind": "cash", "amount": "40.00"},
    ]
    assert w.buy("o", "100.00", tenders=tenders).code == "share_exceeded"
    assert w.buy("o", "100.00", tenders=points_and_cash("r1", "30.00", "70.00")).refusal is None


def test_what_points_paid_does_not_count_towards_spending_tiers() -> None:
    tracks = {"membership": {"measure": {"spent": "net"}, "tiers": [{"id": "member"}, {"id": "silver", "enter": 100}]}}
    w = World(shop({"money": MONEY}, tracks=tracks))
    w.enrol()
    w.adjust(4000)
    w.redeem("r", 4000)
    w.buy("o1", "139.99", tenders=points_and_cash("r", "40.00", "99.99"))
    assert w.tier() == "member"
    w.buy("o2", "0.01")
    assert w.tier() == "silver"


def test_a_purchase_captures_the_held_points_that_pay_it_so_that_nobody_can_cancel_them() -> None:
    w = world()
    w.adjust(1000)
    w.hold("r", 500)
    w.buy("o", "20.00", tenders=points_and_cash("r", "5.00", "15.00"))
    assert w.cancel("r").code == "redemption_not_held"
    # 20.00 less 5.00 earn 15 beside the 500 that were not held.
    assert w.points() == (515, 0, 0, 0)
    # The till may still capture, which changes nothing.
    assert w.capture("r").refusal is None
    assert w.points() == (515, 0, 0, 0)
    # Half of it comes back: 250 of the points that paid, and floor(15 x 10 / 20) = 7 that were earned.
    w.give_back("o", ("1", "10.00"))
    assert w.points() == (515 + 250 - 7, 0, 0, 0)


def test_points_that_paid_one_order_cannot_pay_another() -> None:
    w = world()
    w.adjust(1000)
    w.redeem("r", 500)
    w.buy("o1", "20.00", tenders=points_and_cash("r", "5.00", "15.00"))
    assert w.buy("o2", "20.00", tenders=points_and_cash("r", "5.00", "15.00")).code == "points_tender_mismatch"


def till_of(money: dict[str, Any], **points: Any) -> dict[str, Any]:
    """A shop where points pay and nothing is earned by buying."""
    base = {"on": "check_in", "grant": {"wallet": "points", "fixed": 1}}
    return shop({"money": {**MONEY, **money}, **points}, campaigns={"base": base})


def till(money: dict[str, Any] | None = None, **points: Any) -> World:
    made = World(till_of(money or {}, **points))
    made.enrol()
    return made


@pytest.mark.parametrize(
    ("money", "amount", "captured"),
    [
        # 0.50 of 6.00: 50 points are worth it, of which none can be spent alone where 500 is the least.
        ({}, "0.50", 50),
        ({"minimum": 500}, "0.50", 500),
        ({"multiple": 100}, "0.50", 100),
        ({"minimum": 500, "multiple": 100}, "5.01", 600),
        # 33 points are worth 0.99 and 34 are worth 1.02, rounded down to what the till can pay.
        ({"points": 100, "worth": "3.00"}, "1.00", 34),
        # A point is worth 0.33 1/3: 2 are worth 0.66, 3 are worth 1.00.
        ({"points": 3, "worth": "1.00"}, "0.66", 2),
        ({"points": 3, "worth": "1.00"}, "0.67", 3),
        # All that is held, whose worth rounds down to 2.00.
        ({"points": 300, "worth": "1.00"}, "2.00", 600),
    ],
)
def test_a_tender_captures_the_least_points_that_cover_it_and_the_rest_goes_back(
    money: dict[str, Any], amount: str, captured: int
) -> None:
    w = till(money)
    w.adjust(1000)
    w.hold("r", 600)
    bought = w.buy("o", "20.00", tenders=points_and_cash("r", amount, f"{20 - Decimal(amount)}"))
    assert bought.moved("held", "redemption") == captured
    assert bought.moved("held", "available") == 600 - captured
    assert w.points() == (1000 - captured, 0, 0, 0)
    # What was captured is what a return gives back, all of it with all of the order.
    assert w.give_back("o", ("1", "10.00")).moved("redemption", "available") == captured // 2
    w.give_back("o")
    assert w.points() == (1000, 0, 0, 0)


def test_the_rest_of_a_hold_that_paid_goes_back_to_its_own_lots() -> None:
    w = till(expires={"after": "12M"})
    w.adjust(100, expires="2026-06-01", at="2026-03-01")
    w.adjust(900, expires="2026-09-01")
    w.hold("r", 600)
    # Of June 100 are spent, of September 150: 350 of the 500 that were held come back to the 400 that were not.
    w.buy("o", "20.00", tenders=points_and_cash("r", "2.50", "17.50"))
    assert w.expiries() == [(750, "2026-09-01 00:00")]


def test_the_rest_of_a_hold_that_paid_after_its_lots_expired_expires_at_once() -> None:
    w = till(expires={"after": "12M"}, hold="30D")
    w.adjust(600, expires="2026-06-01", at="2026-03-01")
    w.hold("r", 600, at="2026-05-20")
    bought = w.buy("o", "20.00", tenders=points_and_cash("r", "2.50", "17.50"), at="2026-06-02")
    assert bought.moved("held", "redemption") == 250
    assert bought.moved("available", "breakage") == 350
    assert w.points() == (0, 0, 0, 0)


def test_a_tender_of_nothing_takes_no_points() -> None:
    w = till()
    w.adjust(600)
    w.hold("r", 600)
    nothing = [{"kind": "points", "amount": "0", "redemption": "r"}, {"kind": "cash", "amount": "20.00"}]
    assert w.buy("o-1", "20.00", tenders=nothing).refusal is None
    assert w.points() == (0, 0, 600, 0)
    # Still held, it may pay another order.
    w.buy("o-2", "6.00", tenders=[{"kind": "points", "amount": "6.00", "redemption": "r"}])
    assert w.points() == (0, 0, 0, 0)


def test_what_was_captured_before_the_purchase_stays_captured_whatever_the_tender_needs() -> None:
    w = till()
    w.adjust(600)
    w.redeem("r", 600)
    bought = w.buy("o", "20.00", tenders=points_and_cash("r", "0.50", "19.50"))
    assert bought.moved("held", "redemption") == bought.moved("held", "available") == 0
    assert w.points() == (0, 0, 0, 0)


def test_a_minimum_that_was_raised_since_takes_no_more_than_is_held() -> None:
    w = till()
    w.adjust(300)
    w.hold("r", 300, at="2026-03-01 12:00")
    w.publish(till_of({"minimum": 500, "multiple": 200}), "2026-03-01 13:00")
    bought = w.buy("o", "20.00", tenders=points_and_cash("r", "0.50", "19.50"), at="2026-03-01 14:00")
    assert bought.moved("held", "redemption") == 300


@settings(max_examples=300, deadline=None)
@given(
    st.builds(
        PointsAsMoney,
        st.integers(1, 5000),
        st.integers(1, 5000),
        st.integers(0, 3000),
        st.integers(1, 500),
    ),
    st.integers(1, 10**7),
)
def test_no_fewer_points_would_cover_a_tender(money: PointsAsMoney, amount: int) -> None:
    points = points_for(money, amount)
    assert points >= money.minimum
    assert points % money.multiple == 0
    assert amount <= worth(money, points)
    fewer = points - money.multiple
    assert fewer < money.minimum or worth(money, fewer) < amount
