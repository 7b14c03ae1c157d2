"""Pieces that were for nothing earn nothing by the piece, and returns stay exact."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurels.core.facts import Accrued
from laurels.core.free_pieces import _pieces_worth
from laurels.core.money import QUANTITY_ONE, Rounding, divide
from tests.core.harness import World, shop

STAMPS = {"stamps": {"on": "purchase", "grant": {"wallet": "stamps", "per_quantity": 1}}}
ONE_FREE = {"gives": {"free": 'line.sku == "TEA"'}}
TEA = 'has(line.sku) && line.sku == "TEA"'


def world(promotions: dict[str, Any], campaigns: dict[str, Any] | None = None, **parts: Any) -> World:
    here = World(
        shop(wallets={"stamps": {}}, campaigns=campaigns or STAMPS, promotions=promotions, **parts),
        start="2026-03-01 09:00",
    )
    here.enrol()
    return here


def tea(amount: str, quantity: str = "2", off: str = "", code: str = "offer", line: str = "1") -> dict[str, Any]:
    discounts = [{"code": code, "amount": off}] if off else []
    return {"line": line, "sku": "TEA", "amount": amount, "quantity": quantity, "discounts": discounts}


def stamps(answer: Any) -> int:
    return sum(fact.points for fact in answer.of(Accrued) if fact.wallet == "stamps")


def bought(here: World, *lines: dict[str, Any], order: str = "o-1", **more: Any) -> Any:
    return here.post("m", "purchase", {"order": order, "lines": list(lines), **more})


@pytest.mark.parametrize(
    ("gives", "line", "earned"),
    [
        ({"free": TEA}, tea("30.00", "2", "30.00"), 1),
        ({"free": TEA, "quantity": 2}, tea("30.00", "3", "60.00"), 1),
        ({"buy": 2}, tea("20.00", "3", "10.00"), 2),
        ({"buy": 2, "percent": "50%"}, tea("25.00", "3", "5.00"), 3),
        ({"nth": 2, "percent": "100%"}, tea("20.00", "4", "20.00"), 2),
        ({"nth": 2, "percent": "50%"}, tea("15.00", "2", "5.00"), 2),
        ({"off": "10.00"}, tea("10.00", "2", "10.00"), 2),
        ({"percent": "100%"}, tea("0.00", "2", "20.00"), 0),
        # A third of 10.00 is 3.33, rounded down; the piece was free all the same.
        ({"free": TEA}, tea("6.67", "3", "3.33"), 2),
        # A till that took less than a piece off gave none away.
        ({"free": TEA}, tea("40.00", "2", "20.00"), 2),
        # And one that took nothing off.
        ({"free": TEA}, tea("60.00", "2"), 2),
        ({"free": TEA}, tea("4.50", "2.5", "3.00"), 1.5),
    ],
)
def test_what_was_given_for_nothing_earns_nothing_by_the_piece(
    gives: dict[str, Any], line: dict[str, Any], earned: float
) -> None:
    here = world({"offer": {"gives": gives}})
    assert stamps(bought(here, line)) == int(earned)


def test_a_quote_says_the_same_as_the_order_that_is_held_to_it() -> None:
    here = world({"offer": {"gives": {"free": TEA}}})
    cart = {"order": "o-1", "lines": [tea("60.00")]}
    here.post("m", "quote", {"quote": "q-1", "cart": cart, "reserve": True})
    assert stamps(bought(here, tea("30.00", "2", "30.00"), quote="q-1")) == 1


def test_an_order_paid_otherwise_than_quoted_earns_for_what_it_paid() -> None:
    here = world({"offer": {"gives": {"free": TEA}}})
    cart = {"order": "o-1", "lines": [tea("60.00")]}
    here.post("m", "quote", {"quote": "q-1", "cart": cart, "reserve": True})
    tenders = [{"kind": "gift_card", "amount": "30.00"}]
    assert stamps(bought(here, tea("30.00", "2", "30.00"), quote="q-1", tenders=tenders)) == 1


def test_a_voucher_for_a_free_item_gives_no_stamp_for_it() -> None:
    here = world({}, vouchers={"drink": {"gives": {"free": TEA}, "code": ["DRINK"]}})
    assert stamps(bought(here, tea("30.00", "2", "30.00", "DRINK"))) == 1
    assert stamps(bought(here, tea("30.00", "2"), order="o-2")) == 2


def test_other_lines_and_other_campaigns_are_as_ever() -> None:
    here = world({"offer": {"gives": {"free": TEA}}})
    cup = {"line": "2", "sku": "CUP", "amount": "12.00", "quantity": "3"}
    answer = bought(here, tea("30.00", "2", "30.00"), cup)
    assert stamps(answer) == 4
    assert answer.granted("base") == 42


@pytest.mark.parametrize(
    "parts",
    [
        [{"line": "1", "quantity": "1"}, {"line": "1", "quantity": "2"}],
        [{"line": "1", "amount": "10.00"}, {"line": "1", "amount": "10.00"}],
        [{"line": "1"}],
        [{"line": "1", "quantity": "1"}, {"line": "1", "quantity": "1"}, {"line": "1", "quantity": "1"}],
    ],
)
def test_parts_that_come_back_take_back_what_was_earned_and_no_more(parts: list[dict[str, Any]]) -> None:
    here = world({"offer": {"gives": {"buy": 2}}})
    assert stamps(bought(here, tea("20.00", "3", "10.00"))) == 2
    for part in parts:
        here.post("m", "return", {"order": "o-1", "lines": [part]})
    assert here.balance("stamps").available == 0


def test_a_choice_judged_again_counts_the_pieces_that_were_paid() -> None:
    """Two stamps for the two paid pieces tie with the two of the other; counted with the free one they would win."""
    campaigns = {
        "fixed": {"on": "purchase", "when": "purchase.total >= 20.00", "grant": {"wallet": "stamps", "fixed": 2}},
        "pieces": {"on": "purchase", "grant": {"wallet": "stamps", "per_quantity": 1}},
    }
    groups = {"one": {"mode": "best", "of": ["fixed", "pieces"]}}
    here = world({"offer": {"gives": {"buy": 2}}}, campaigns, groups=groups)
    answer = bought(here, tea("20.00", "3", "10.00"))
    assert (answer.why("fixed")[0], answer.why("pieces")[0]) == ("applied", "not_best")
    # 13.34 are left on two thirds of three pieces, of which one was free: one piece and a third was paid for.
    here.post("m", "return", {"order": "o-1", "lines": [{"line": "1", "quantity": "1"}]})
    assert here.balance("stamps").available == 1


@settings(max_examples=300)
@given(
    price=st.integers(1, 10**7),
    pieces=st.integers(1, 500),
    rest=st.integers(0, QUANTITY_ONE - 1),
    taken=st.integers(1, 500),
    rounding=st.sampled_from(list(Rounding)),
)
def test_the_pieces_are_found_again_from_what_they_cost(
    price: int, pieces: int, rest: int, taken: int, rounding: Rounding
) -> None:
    quantity, taken = pieces * QUANTITY_ONE + rest, min(taken, pieces)
    left = price * (pieces + 1)
    off = min(divide(left * taken * QUANTITY_ONE, quantity, rounding), left)
    assert _pieces_worth(left, quantity, off, rounding) == taken
    if off > 1 and price > 2:
        assert _pieces_worth(left, quantity, off - 1, rounding) == taken - 1
