"""Returns are exact to the line: partial ones sum to what was earned, never more (decisions 2, 7; cases 1, 2, 19)."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.facts import OrderReturned
from tests.core.harness import World, shop


def world(document: dict[str, Any] | None = None) -> World:
    made = World(document or shop())
    made.enrol()
    return made


def double(**words: Any) -> dict[str, Any]:
    return {"on": "purchase", "grant": {"wallet": "points", "multiply": "base", "by": 2}, **words}


def fixed(points: int, **words: Any) -> dict[str, Any]:
    return {"on": "purchase", "grant": {"wallet": "points", "fixed": points}, **words}


def test_three_partial_returns_take_exactly_what_was_earned_and_a_fourth_is_refused() -> None:
    w = world()
    assert w.buy("o", "10.00").granted("base") == 10
    # In all: floor(10 x 3.33 / 10) = 3, then floor(10 x 6.66 / 10) = 6, so 3 more; the last takes the rest: 4.
    assert w.give_back("o", ("1", "3.33")).moved("available", "issuance") == 3
    assert w.give_back("o", ("1", "3.33")).moved("available", "issuance") == 3
    assert w.give_back("o", ("1", "3.34")).moved("available", "issuance") == 4
    assert w.points() == (0, 0, 0, 0)
    assert w.give_back("o", ("1", "0.01")).code == "return_exceeds_purchase"
    assert w.give_back("o").code == "nothing_left_to_return"


def test_returning_units_one_by_one_gives_the_same_sum() -> None:
    w = world()
    w.buy("o", {"amount": "10.00", "quantity": "3"})
    # A third of 10.00 is 3.33, two thirds are 6.66: floor of the amount in all.
    for points, amount in ((3, 333), (3, 333), (4, 334)):
        returned = w.give_back("o", {"line": "1", "quantity": "1"})
        assert returned.moved("available", "issuance") == points
        (fact,) = returned.of(OrderReturned)
        assert fact.lines[0].amount == amount
    assert w.give_back("o", {"line": "1", "quantity": "1"}).code == "return_exceeds_purchase"


def test_more_than_was_bought_of_a_line_cannot_come_back() -> None:
    w = world()
    w.buy("o", {"amount": "10.00", "quantity": "2"}, "5.00")
    assert w.give_back("o", ("1", "10.01")).code == "return_exceeds_purchase"
    assert w.give_back("o", {"line": "1", "quantity": "3"}).code == "return_exceeds_purchase"
    # Where both are said, each is held to what was bought.
    assert w.give_back("o", {"line": "1", "quantity": "1", "amount": "10.01"}).code == "return_exceeds_purchase"
    assert w.give_back("o", {"line": "1", "quantity": "3", "amount": "1.00"}).code == "return_exceeds_purchase"
    assert w.give_back("o", "3").code == "unknown_line"
    assert w.points() == (15, 0, 0, 0)


def test_a_line_that_earned_nothing_takes_nothing_back_and_one_with_a_multiplier_the_multiplied_points() -> None:
    beans = double(lines='has(line.category) && line.category == "beans"')
    w = world(shop(campaigns={"beans": beans}))
    w.buy(
        "o",
        {"amount": "30.00", "category": "beans"},
        {"amount": "20.00", "category": "cups"},
        {"amount": "50.00", "kind": "gift_card"},
    )
    # 30 + 20 base, 30 over the beans.
    assert w.points() == (80, 0, 0, 0)
    assert w.give_back("o", "3").entries == []
    assert w.give_back("o", "2").moved("available", "issuance") == 20
    assert w.give_back("o", "1").moved("available", "issuance") == 60
    assert w.points() == (0, 0, 0, 0)


def test_points_are_taken_back_line_by_line_as_they_were_allocated() -> None:
    w = world()
    # 3.40 and 6.60 earn 10 together, allocated 3 and 7 by largest remainder.
    w.buy("o", "3.40", "6.60")
    assert w.give_back("o", "1").moved("available", "issuance") == 3
    assert w.give_back("o", "2").moved("available", "issuance") == 7


def test_a_tiers_bonus_comes_back_with_the_line_it_was_given_over() -> None:
    tracks = {
        "membership": {
            "measure": {"spent": "net"},
            "tiers": [{"id": "member"}, {"id": "silver", "enter": "1000.00", "multiply": {"points": "1.25"}}],
        }
    }
    w = world(shop(tracks=tracks))
    w.buy("first", "1000.00")
    w.buy("o", "33.40")
    # 33 and floor(33 x 0.25) = 8.
    assert w.points() == (1041, 0, 0, 0)
    # Half of the line: floor(33 / 2) = 16 and floor(8 / 2) = 4.
    assert w.give_back("o", ("1", "16.70")).moved("available", "issuance") == 20
    assert w.give_back("o").moved("available", "issuance") == 21


def test_a_line_of_amount_zero_gives_back_with_its_quantity() -> None:
    gifts = {"on": "purchase", "lines": "line.amount <= 0.00", "grant": {"wallet": "points", "per_quantity": 5}}
    w = world(shop(campaigns={"gifts": gifts}))
    assert w.buy("o", {"amount": "0.00", "quantity": "3"}, "10.00").granted("gifts") == 15
    # One of three units: floor(15 x 1 / 3) = 5.
    assert w.give_back("o", {"line": "1", "quantity": "1"}).moved("available", "issuance") == 5
    assert w.give_back("o", {"line": "1", "quantity": "2"}).moved("available", "issuance") == 10
    assert w.give_back("o", "1").code == "return_exceeds_purchase"
    assert w.give_back("o").moved("available", "issuance") == 10


def test_the_money_returned_is_the_discounted_price() -> None:
    w = world()
    line = {"amount": "8.00", "quantity": "2", "discounts": [{"code": "d", "amount": "2.00"}]}
    w.buy("o", line, tenders=[{"kind": "cash", "amount": "8.00"}])
    (fact,) = w.give_back("o", {"line": "1", "quantity": "1"}).of(OrderReturned)
    # Half of the 8.00 paid, not of the 10.00 on the shelf.
    assert fact.paid_back == {"0": 400}


def test_an_order_level_bonus_that_no_longer_qualifies_is_taken_back_whole_and_once() -> None:
    w = world(shop(campaigns={"big": fixed(100, when="purchase.total >= 300.00")}))
    assert w.buy("o", "120.00", "120.00", "120.00").moved("issuance", "available") == 460
    first = w.give_back("o", "1")
    # 240.00 remain: the 120 of the line and the whole 100.
    assert first.moved("available", "issuance") == 220
    assert first.judged["big"].code == "no_longer_qualifies"
    assert w.give_back("o", "2").moved("available", "issuance") == 120
    assert w.give_back("o", "3").moved("available", "issuance") == 120
    assert w.points() == (0, 0, 0, 0)


def test_a_fixed_bonus_stays_whole_while_its_condition_holds() -> None:
    w = world(shop(campaigns={"big": fixed(100, when="purchase.total >= 300.00")}))
    w.buy("o", "120.00", "120.00", "120.00")
    # 300.00 remain, exactly.
    kept = w.give_back("o", ("1", "60.00"))
    assert kept.moved("available", "issuance") == 60
    assert kept.judged["big"].code == "kept"
    # 299.99 remain. In all floor(120 x 60.01 / 120) = 60 of the line, so 0 more; the bonus goes.
    assert w.give_back("o", ("1", "0.01")).moved("available", "issuance") == 100


def test_a_fixed_bonus_without_a_condition_goes_with_the_last_line() -> None:
    w = world(shop(campaigns={"hello": fixed(7)}))
    w.buy("o", "10.00", "10.00")
    assert w.give_back("o", "1").moved("available", "issuance") == 10
    assert w.give_back("o", ("2", "9.99")).moved("available", "issuance") == 9
    assert w.give_back("o").moved("available", "issuance") == 8


def test_a_fixed_bonus_on_lines_goes_with_the_last_of_these_lines() -> None:
    beans = fixed(7, lines='has(line.category) && line.category == "beans"')
    w = world(shop(campaigns={"beans": beans}))
    w.buy("o", {"amount": "10.00", "category": "beans"}, {"amount": "5.00", "category": "beans"}, "10.00")
    assert w.give_back("o", "1").moved("available", "issuance") == 10
    assert w.give_back("o", "2").moved("available", "issuance") == 5 + 7
    assert w.give_back("o", "3").moved("available", "issuance") == 10


def test_a_rate_campaign_with_an_order_level_condition_is_proportional_while_it_holds_and_gone_after() -> None:
    rich = {
        "on": "purchase",
        "when": "purchase.total >= 100.00",
        "grant": {"wallet": "points", "points": 1, "per": "2.00"},
    }
    w = world(shop(campaigns={"rich": rich}))
    assert w.buy("o", "90.00", "60.00").granted("rich") == 75
    # rich: 45 and 30 by line. Of line 2 a third comes back: 20 of base, floor(30 / 3) = 10 of rich; 130.00 remain.
    assert w.give_back("o", ("2", "20.00")).moved("available", "issuance") == 30
    # 90.00 remain: the other 40 of base, and all that is left of rich: 75 - 10 = 65.
    assert w.give_back("o", "2").moved("available", "issuance") == 105
    # Only the base of line 1 is left.
    assert w.points() == (90, 0, 0, 0)


def test_a_multiplier_goes_with_a_base_that_no_longer_qualifies() -> None:
    rich = {
        "on": "purchase",
        "when": "purchase.total >= 100.00",
        "grant": {"wallet": "points", "points": 1, "per": "2.00"},
    }
    triple = {"on": "purchase", "grant": {"wallet": "points", "multiply": "rich", "by": 3}}
    w = world(shop(campaigns={"rich": rich, "triple": triple}))
    w.buy("o", "60.00", "60.00")
    # base 120, rich 60, triple 2 x 60 = 120.
    assert w.points() == (300, 0, 0, 0)
    # Back: 60 of base, all of rich and all of triple.
    assert w.give_back("o", "1").moved("available", "issuance") == 60 + 60 + 120
    assert w.points() == (60, 0, 0, 0)


def test_a_return_takes_back_what_a_limit_let_through() -> None:
    limits = [{"per": "member", "every": "day", "points": 20}]
    base = {"on": "purchase", "grant": {"wallet": "points", "points": 1, "per": "1.00"}, "limits": limits}
    w = world(shop(campaigns={"base": base}))
    assert w.buy("o", "50.00").granted("base") == 20
    # Half of the line: half of the 20 that were granted, not of the 50 that were wanted.
    assert w.give_back("o", ("1", "25.00")).moved("available", "issuance") == 10
    assert w.give_back("o").moved("available", "issuance") == 10


def test_a_full_return_in_pieces_takes_back_what_a_full_return_at_once_takes() -> None:
    pieces, at_once = world(), world()
    for each in (pieces, at_once):
        each.buy("o", "9.99", "19.98", "0.05")
    at_once.give_back("o")
    for line, amounts in (("2", ("0.01", "6.66", "13.31")), ("1", ("3.33", "3.33", "3.33")), ("3", ("0.05",))):
        for amount in amounts:
            pieces.give_back("o", (line, amount))
    assert pieces.points() == at_once.points() == (0, 0, 0, 0)
    assert pieces.give_back("o").code == at_once.give_back("o").code == "nothing_left_to_return"


def test_goods_may_come_back_for_less_than_was_paid_and_the_rest_of_the_money_later() -> None:
    w = world()
    w.buy("o", {"amount": "10.00", "quantity": "2"})
    # Both units, but a restocking fee keeps 2.00: the amount decides, floor(10 x 8 / 10) = 8.
    assert w.give_back("o", {"line": "1", "quantity": "2", "amount": "8.00"}).moved("available", "issuance") == 8
    assert w.give_back("o", {"line": "1", "quantity": "0", "amount": "2.00"}).moved("available", "issuance") == 2
    assert w.give_back("o").code == "nothing_left_to_return"


def test_an_order_whose_other_lines_are_voided_is_whole_when_everything_else_is_back() -> None:
    w = world(shop(campaigns={"hello": fixed(7)}))
    w.buy("o", "10.00", {"amount": "0.00", "quantity": "0"})
    assert w.give_back("o", "1").moved("available", "issuance") == 17


def test_a_return_before_its_purchase_is_refused_and_may_come_again() -> None:
    w = world()
    assert w.give_back("o").code == "unknown_order"
    w.buy("o", "10.00")
    assert w.give_back("o").refusal is None
    assert w.points() == (0, 0, 0, 0)


def test_what_a_stranger_does_is_refused_and_leaves_nothing_behind() -> None:
    w = world()
    assert w.buy("o", "10.00", member="stranger").code == "unknown_member"
    assert w.members["stranger"].documents == {}
    w.enrol("stranger")
    assert w.buy("o", "10.00", member="stranger").granted("base") == 10
    assert w.enrol("stranger").code == "already_enrolled"


def test_an_order_is_bought_once() -> None:
    w = world()
    w.buy("o", "10.00")
    assert w.buy("o", "10.00").code == "duplicate_order"
    assert w.points() == (10, 0, 0, 0)


@pytest.mark.parametrize("amount", ["10.00", "0.01"])
def test_a_return_of_an_order_that_arrived_late_takes_back_what_it_earned_then(amount: str) -> None:
    spring = fixed(5, during={"from": "2026-03-01", "until": "2026-03-31"})
    w = world(shop(campaigns={"spring": spring}))
    w.buy("o", amount, at="2026-05-01", occurred="2026-03-15 12:00")
    returned = w.give_back("o", at="2026-06-01")
    assert returned.moved("available", "issuance") == (15 if amount == "10.00" else 5)
    assert w.points() == (0, 0, 0, 0)
