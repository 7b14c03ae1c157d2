"""What purchases earn: bases, rates, multipliers, brackets, and rounding once per campaign and order (decision 1)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.json import encode

from laurels.core.activity import parse
from tests.core.harness import World, shop

SILVER: dict[str, Any] = {
    "membership": {
        "measure": {"spent": "net"},
        "tiers": [
            {"id": "member"},
            {"id": "silver", "enter": "1000.00", "multiply": {"points": "1.25"}},
            {"id": "gold", "enter": "5000.00"},
        ],
    }
}


def multiplier(by: str, **words: Any) -> dict[str, Any]:
    return {"on": "purchase", "grant": {"wallet": "points", "multiply": "base", "by": by}, **words}


def world(document: dict[str, Any], **data: Any) -> World:
    made = World(document)
    made.enrol(**data)
    return made


def test_multipliers_are_separate_bonuses_over_the_rounded_base_and_never_multiply_each_other() -> None:
    w = world(shop(campaigns={"half": multiplier("1.5"), "double": multiplier("2")}))
    bought = w.buy("o1", "33.40")
    # 33.40 -> 33 points. x1.5 is a bonus of 0.5 x 33 = 16.5 -> 16, x2 one of 1 x 33 = 33. 33 + 16 + 33 = 82.
    assert bought.granted("base") == 33
    assert bought.granted("half") == 16
    assert bought.granted("double") == 33
    assert w.points() == (82, 0, 0, 0)


def test_a_tiers_multiplier_is_an_entry_of_its_own_and_does_not_multiply_other_multipliers() -> None:
    w = world(shop(campaigns={"double": multiplier("2")}, tracks=SILVER))
    w.buy("o1", "1000.00")
    bought = w.buy("o2", "33.40")
    # Silver: 0.25 x 33 = 8.25 -> 8 over the base of 33; the doubling stays 33. 33 + 33 + 8 = 74.
    assert bought.granted("base") == 33
    assert bought.granted("double") == 33
    assert bought.granted("base", "membership.silver") == 8
    assert bought.granted("double", "membership.silver") == 0
    assert sum(entry.points for entry in bought.entries) == 74


def test_rounding_happens_once_for_the_order_and_points_go_to_lines_by_largest_remainder() -> None:
    w = world(shop())
    bought = w.buy("o1", "0.60", "0.60", "0.60")
    # 1.80 -> 1 point, although each line alone would earn 0. The remainders are equal: the earlier line gets it.
    (entry,) = bought.entries
    assert entry.points == 1
    assert [(share.line, share.points) for share in entry.lines] == [("1", 1)]


def test_a_multiplier_on_some_lines_multiplies_what_the_base_gave_these_lines() -> None:
    beans = multiplier("2", lines='has(line.category) && line.category == "beans"')
    w = world(shop(campaigns={"beans": beans}))
    bought = w.buy("o1", {"amount": "3.40", "category": "beans"}, {"amount": "6.60", "category": "cups"})
    # 10 points: 3.4 and 6.6 -> 3 and 6, the larger remainder is the second line's -> 3 and 7. Doubling line 1: 3.
    assert bought.granted("base") == 10
    assert bought.granted("beans") == 3


@pytest.mark.parametrize(("rounding", "points"), [("down", 2), ("up", 3), ("half_up", 3), ("half_even", 2)])
def test_a_grant_states_its_rounding(rounding: str, points: int) -> None:
    grant = {"wallet": "points", "points": 1, "per": "1.00", "round": rounding}
    w = world(shop(campaigns={"base": {"on": "purchase", "grant": grant}}))
    # 2.50 at a point a yuan is 2.5.
    assert w.buy("o1", "2.50").granted("base") == points


def test_points_may_differ_by_tier() -> None:
    grant = {"wallet": "points", "points": {"member": 1, "silver": "1.2"}, "per": "1.00"}
    tracks = {"membership": {"measure": {"spent": "net"}, "tiers": [{"id": "member"}, {"id": "silver", "enter": "50"}]}}
    w = world(shop(campaigns={"base": {"on": "purchase", "grant": grant}}, tracks=tracks))
    assert w.buy("o1", "99.99").granted("base") == 99
    # Now silver: 33.40 x 1.2 = 40.08 -> 40.
    assert w.buy("o2", "33.40").granted("base") == 40


def test_points_per_quantity_count_what_was_bought_on_the_selected_lines() -> None:
    cups = {
        "on": "purchase",
        "lines": 'has(line.sku) && line.sku == "cup"',
        "grant": {"wallet": "points", "per_quantity": "2.5"},
    }
    w = world(shop(campaigns={"cups": cups}))
    bought = w.buy("o1", {"amount": "10.00", "quantity": "3", "sku": "cup"}, {"amount": "5.00", "quantity": "4"})
    # 3 cups x 2.5 = 7.5 -> 7; the base sees 15.00.
    assert bought.granted("cups") == 7
    assert bought.granted("base") == 15


def test_marginal_brackets_apply_each_rate_to_its_part_of_the_base() -> None:
    brackets = [{"from": "0.00", "points": 1}, {"from": "100.00", "points": 2}, {"from": "200.00", "points": "2.5"}]
    grant = {"wallet": "points", "per": "1.00", "brackets": brackets}
    w = world(shop(campaigns={"base": {"on": "purchase", "grant": grant}}))
    # 100 x 1 + 100 x 2 + 50.50 x 2.5 = 100 + 200 + 126.25 -> 426.
    assert w.buy("o1", "250.50").granted("base") == 426
    assert w.buy("o2", "99.99").granted("base") == 99


def test_fixed_brackets_grant_the_number_of_the_highest_one_reached() -> None:
    brackets = [{"from": "50.00", "fixed": 10}, {"from": "100.00", "fixed": 30}]
    steps = {"on": "purchase", "grant": {"wallet": "points", "brackets": brackets}}
    w = world(shop(campaigns={"steps": steps}))
    assert w.buy("o1", "49.99").why("steps") == ("nothing_to_grant", 0, 0)
    assert w.buy("o2", "50.00").granted("steps") == 10
    assert w.buy("o3", "99.99").granted("steps") == 10
    assert w.buy("o4", "100.00").granted("steps") == 30


def test_points_per_declared_field_are_exact_in_decimals() -> None:
    recycled = {"on": "custom.recycled", "grant": {"wallet": "points", "points": 3, "of": "activity.kilograms"}}
    w = world(shop(fields={"custom.recycled": {"kilograms": "decimal"}}, campaigns={"recycled": recycled}))
    # 0.1 + 0.2 is not what a binary float makes of it: 2.7 kg x 3 = 8.1 -> 8, and 0.333334 x 3 = 1.000002 -> 1.
    assert w.post("m", "custom.recycled", {"kilograms": "2.7"}).granted("recycled") == 8
    assert w.post("m", "custom.recycled", {"kilograms": "0.333334"}).granted("recycled") == 1
    assert w.post("m", "custom.recycled", {"kilograms": "0.333333"}).granted("recycled") == 0


@pytest.mark.parametrize(
    ("of", "points"), [("net", 20), ("gross", 25), ("net_of_tax", 17)], ids=["net", "gross", "net_of_tax"]
)
def test_the_base_is_gross_net_or_net_of_tax(of: str, points: int) -> None:
    grant = {"wallet": "points", "points": 1, "per": "1.00", "of": of}
    w = world(shop(campaigns={"base": {"on": "purchase", "grant": grant}}))
    line = {"amount": "20.00", "tax": "2.30", "discounts": [{"code": "d", "amount": "5.00"}]}
    # Paid 20.00, of which 2.30 is tax; 5.00 were taken off before. 20.00 / 25.00 / 17.70 -> 17.
    assert w.buy("o1", line).granted("base") == points


def test_shipping_fees_and_gift_card_lines_earn_nothing_unless_the_program_counts_them() -> None:
    all_in = {"wallet": "points", "points": 1, "per": "1.00", "but": ["fee"]}
    w = world(shop(campaigns={"all_in": {"on": "purchase", "grant": all_in}}))
    bought = w.buy(
        "o1",
        {"amount": "10.00"},
        {"amount": "5.00", "kind": "shipping"},
        {"amount": "2.00", "kind": "fee"},
        {"amount": "100.00", "kind": "gift_card"},
    )
    assert bought.granted("base") == 10
    # 10 + 5 + 100; only the fee is left out.
    assert bought.granted("all_in") == 115


def test_a_voided_line_of_amount_and_quantity_zero_earns_and_disturbs_nothing() -> None:
    w = world(shop())
    bought = w.buy("o1", {"amount": "0.00", "quantity": "0"}, {"amount": "9.90"})
    assert bought.granted("base") == 9
    w.give_back("o1", "2")
    assert w.points() == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("currency", "amount", "per", "points"),
    [
        ("CNY", "19.99", "0.01", 1999),  # 19.99 x 100 is 1998.9999... in binary
        ("CNY", "0.30", "0.10", 3),  # 0.1 + 0.2
        ("JPY", "1005", "1", 1005),  # no decimals
        ("KWD", "1.005", "0.001", 1005),  # three decimals
        ("KWD", "1.005", "1", 1),
    ],
)
def test_amounts_are_exact_in_every_currency(currency: str, amount: str, per: str, points: int) -> None:
    grant = {"wallet": "points", "points": 1, "per": per}
    w = world(shop(currency=currency, campaigns={"base": {"on": "purchase", "grant": grant}}))
    assert w.buy("o1", amount).granted("base") == points


@pytest.mark.parametrize("amount", ["1e-7", "1.005", "0.1e1", "+1.00", "1,00", ".5", "NaN", "-1.00"])
def test_an_amount_that_the_currency_cannot_hold_exactly_is_no_amount(amount: str) -> None:
    data = {"order": "o", "lines": [{"line": "1", "amount": amount}]}
    declared = World(shop()).versions.declared
    assert declared is not None
    problems = parse(
        source="pos", id="a", type="purchase", member="m", occurred_at=0, data=encode(data), declared=declared
    )
    assert isinstance(problems, tuple)
    assert [problem.pointer for problem in problems] == ["/data/lines/0/amount"]


def test_sums_of_lines_are_exact() -> None:
    w = world(shop())
    # 0.1 + 0.2 + 0.7 is exactly 1.00.
    assert w.buy("o1", "0.10", "0.20", "0.70").granted("base") == 1


def test_a_campaign_runs_from_its_first_instant_to_the_last_of_its_last_day_in_the_programs_zone() -> None:
    spring = {
        "on": "purchase",
        "during": {"from": "2026-03-01", "until": "2026-03-31"},
        "grant": {"wallet": "points", "fixed": 5},
    }
    w = world(shop(campaigns={"spring": spring}))
    assert w.buy("o1", "1.00", at="2026-02-28 23:59:59.999999").why("spring") == ("outside_window", 0, 0)
    assert w.buy("o2", "1.00", at="2026-03-01 00:00").granted("spring") == 5
    assert w.buy("o3", "1.00", at="2026-03-31 23:59:59.999999").granted("spring") == 5
    # Exactly at the second of its end.
    assert w.buy("o4", "1.00", at="2026-04-01 00:00").why("spring") == ("outside_window", 0, 0)


def test_a_weekly_slot_begins_with_its_first_second_and_ends_before_its_last() -> None:
    happy = {
        "on": "purchase",
        "during": {"weekly": [{"days": ["tue", "thu"], "from": "14:00", "until": "17:00"}]},
        "grant": {"wallet": "points", "fixed": 5},
    }
    w = world(shop(campaigns={"happy": happy}))
    # 2026-03-03 is a Tuesday.
    assert w.buy("o1", "1.00", at="2026-03-03 13:59:59").why("happy") == ("outside_hours", 0, 0)
    assert w.buy("o2", "1.00", at="2026-03-03 14:00").granted("happy") == 5
    assert w.buy("o3", "1.00", at="2026-03-03 16:59:59.999999").granted("happy") == 5
    assert w.buy("o4", "1.00", at="2026-03-03 17:00").why("happy") == ("outside_hours", 0, 0)
    assert w.buy("o5", "1.00", at="2026-03-04 15:00").why("happy") == ("outside_hours", 0, 0)


def test_every_campaign_that_granted_nothing_is_explained() -> None:
    campaigns = {
        "big": {"on": "purchase", "when": "purchase.total >= 100.00", "grant": {"wallet": "points", "fixed": 1}},
        "tea": {"on": "purchase", "lines": 'line.kind == "fee"', "grant": {"wallet": "points", "fixed": 1}},
        "more": {"on": "purchase", "grant": {"wallet": "points", "multiply": "big_base", "by": 2}},
        "big_base": {
            "on": "purchase",
            "when": "purchase.total >= 100.00",
            "grant": {"wallet": "points", "points": 1, "per": "1.00"},
        },
    }
    w = world(shop(campaigns=campaigns))
    bought = w.buy("o1", "0.50")
    assert {id: judged.code for id, judged in bought.judged.items()} == {
        "base": "nothing_to_grant",
        "big": "condition_not_met",
        "tea": "no_lines",
        "more": "base_not_applied",
        "big_base": "condition_not_met",
    }
