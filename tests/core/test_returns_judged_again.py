"""What a return judges again on what remains: brackets, choices between campaigns, conditions (decision 2).

With the standing and the room recorded then; never more than was earned, and nothing is granted again.
"""

from __future__ import annotations

from typing import Any

from tests.core.harness import World, shop


def world(document: dict[str, Any], **data: Any) -> World:
    made = World(document)
    made.enrol(**data)
    return made


def fixed(points: int, **words: Any) -> dict[str, Any]:
    return {"on": "purchase", "grant": {"wallet": "points", "fixed": points}, **words}


def rate(points: int | str, **words: Any) -> dict[str, Any]:
    return {"on": "purchase", "grant": {"wallet": "points", "points": points, "per": "1.00"}, **words}


BRACKETS = {
    "on": "purchase",
    "grant": {
        "wallet": "points",
        "per": "1.00",
        "brackets": [{"from": "0.00", "points": 1}, {"from": "100.00", "points": 2}],
    },
}


def test_brackets_are_judged_again_on_what_remains() -> None:
    w = world(shop(campaigns={"base": BRACKETS}))
    # 100 x 1 + 50 x 2 = 200.
    assert w.buy("o", "90.00", "60.00").granted("base") == 200
    # 90.00 remain and earn 90: 110 come back, not the 80 of the line's share.
    assert w.give_back("o", "2").moved("available", "issuance") == 110
    assert w.give_back("o").moved("available", "issuance") == 90


def test_fixed_brackets_fall_a_step_when_what_remains_does() -> None:
    steps = {"wallet": "points", "brackets": [{"from": "50.00", "fixed": 10}, {"from": "100.00", "fixed": 30}]}
    w = world(shop(campaigns={"base": {"on": "purchase", "grant": steps}}))
    w.buy("o", "60.00", "60.00")
    assert w.give_back("o", ("1", "20.00")).entries == []
    assert w.give_back("o", ("1", "0.01")).moved("available", "issuance") == 20
    assert w.give_back("o", ("1", "39.99")).entries == []
    assert w.give_back("o", ("2", "10.01")).moved("available", "issuance") == 10
    assert w.give_back("o").entries == []


def test_brackets_that_a_limit_trimmed_never_yield_more_than_the_room_there_was() -> None:
    limited = {**BRACKETS, "limits": [{"per": "member", "every": "day", "points": 120}]}
    w = world(shop(campaigns={"base": limited}))
    assert w.buy("o", "90.00", "60.00").granted("base") == 120
    # What remains would earn 90.
    assert w.give_back("o", "2").moved("available", "issuance") == 30


def test_a_multiplier_over_brackets_is_judged_again_with_them() -> None:
    double = {"on": "purchase", "grant": {"wallet": "points", "multiply": "base", "by": 2}}
    w = world(shop(campaigns={"base": BRACKETS, "double": double}))
    w.buy("o", "90.00", "60.00")
    # 200 and 200 over it; 90 and 90 remain.
    assert w.give_back("o", "2").moved("available", "issuance") == 220
    assert w.give_back("o").moved("available", "issuance") == 180


def test_a_tiers_bonus_over_brackets_is_judged_again_with_them() -> None:
    tracks = {
        "membership": {
            "measure": {"count": "check_in"},
            "tiers": [{"id": "member"}, {"id": "silver", "enter": 1, "multiply": {"points": "1.5"}}],
        }
    }
    w = world(shop(campaigns={"base": BRACKETS}, tracks=tracks))
    w.post("m", "check_in")
    w.buy("o", "90.00", "60.00")
    # 200 + 100; 90 + 45 remain.
    assert w.points() == (300, 0, 0, 0)
    assert w.give_back("o", "2").moved("available", "issuance") == 165


def test_a_tiers_bonus_over_a_campaign_whose_condition_still_holds_comes_back_line_by_line() -> None:
    tracks = {
        "membership": {
            "measure": {"count": "check_in"},
            "tiers": [{"id": "member"}, {"id": "silver", "enter": 1, "multiply": {"points": "1.5"}}],
        }
    }
    rich = {**rate("0.5"), "when": "purchase.total >= 100.00"}
    w = world(shop(campaigns={"rich": rich}, tracks=tracks))
    w.post("m", "check_in")
    w.buy("o", "90.00", "60.00")
    # Of line 1: base 90 and 45 over it; rich 45 and, of floor(75 / 2) = 37 shared as 45 to 30, 22 over it.
    returned = w.give_back("o", ("1", "4.00"))
    # 4, floor(45 x 4 / 90) = 2, floor(45 x 4 / 90) = 2, floor(22 x 4 / 90) = 0.
    assert returned.moved("available", "issuance") == 4 + 2 + 2 + 0


BEANS = {"lines": 'has(line.category) && line.category == "beans"'}


def best(*of: str, **campaigns: dict[str, Any]) -> dict[str, Any]:
    return shop(campaigns=campaigns, groups={"g": {"mode": "best", "of": list(of)}})


def test_a_choice_that_stays_the_same_is_taken_back_in_proportion() -> None:
    w = world(best("big", "beans", big=fixed(100, when="purchase.total >= 300.00"), beans=rate(1, **BEANS)))
    # beans 150 against big 100.
    assert w.buy("o", {"amount": "150.00", "category": "beans"}, "200.00").granted("beans") == 150
    # 250.00 remain, of which 50.00 are beans: big does not qualify. floor(150 x 100 / 150) = 100 of each come back.
    assert w.give_back("o", ("1", "100.00")).moved("available", "issuance") == 100 + 100


def test_what_a_group_would_choose_now_stands_in_place_of_what_it_chose() -> None:
    w = world(best("big", "beans", big=fixed(100, when="purchase.total >= 300.00"), beans=rate(1, **BEANS)))
    w.buy("o", {"amount": "150.00", "category": "beans"}, "400.00")
    returned = w.give_back("o", ("1", "100.00"))
    # 450.00 remain with 50.00 of beans: big (100) is better than beans (50), so 100 of the 150 stay.
    assert returned.moved("available", "issuance") == 100 + 50
    assert returned.judged["beans"].code == "judged_again"
    # 50.00 of beans less: nothing changes for the group, 400.00 remain and big stands.
    assert w.give_back("o", ("1", "50.00")).moved("available", "issuance") == 50
    # 299.99 remain: nothing stands in its place any more.
    assert w.give_back("o", ("2", "100.01")).moved("available", "issuance") == 100 + 100


def test_another_choice_never_yields_more_than_was_earned() -> None:
    w = world(best("small", "beans", small=fixed(500, when="purchase.total < 100.00"), beans=rate(1, **BEANS)))
    w.buy("o", {"amount": "150.00", "category": "beans"})
    # 90.00 remain and small would grant 500, but no more than the 150 that were earned can stay.
    returned = w.give_back("o", ("1", "60.00"))
    assert returned.moved("available", "issuance") == 60
    assert returned.moved("issuance", "available") == 0
    assert w.points() == (90 + 150, 0, 0, 0)


def test_the_choice_is_judged_by_the_room_that_limits_left_then() -> None:
    rich = rate(5, limits=[{"per": "member", "every": "day", "points": 100}])
    w = world(best("rich", "plain", rich=rich, plain=rate(2)))
    # rich wants 500 and may 100; plain grants 200.
    assert w.buy("o", "100.00").granted("plain") == 200
    # 60.00 remain: rich would want 300 and could still have had 100, plain grants 120 and stays the choice.
    # Back: 40 of base and floor(200 x 40 / 100) = 80 of plain.
    assert w.give_back("o", ("1", "40.00")).moved("available", "issuance") == 40 + 80


def test_a_campaign_that_was_in_its_cooldown_then_is_no_choice_now() -> None:
    rich = rate(5, limits=[{"per": "member", "cooldown": "1D"}])
    w = world(best("rich", "plain", rich=rich, plain=rate(2)))
    assert w.buy("o1", "10.00", at="2026-03-01 10:00").granted("rich") == 50
    assert w.buy("o2", "100.00", at="2026-03-01 11:00").granted("plain") == 200
    returned = w.give_back("o2", ("1", "40.00"), at="2026-03-05 11:00")
    assert returned.moved("available", "issuance") == 40 + 80


def test_a_multipliers_choice_is_judged_by_the_room_that_its_base_had_then() -> None:
    document = shop(
        campaigns={
            "base": {**rate(1), "limits": [{"per": "member", "every": "day", "points": 2}]},
            "triple": {"on": "purchase", "grant": {"wallet": "points", "multiply": "base", "by": 3}},
            "plain": rate("0.15"),
        },
        groups={"g": {"mode": "best", "of": ["triple", "plain"]}},
    )
    w = world(document)
    # base may 2, so triple is worth 4 and plain 15.
    assert w.buy("o", "100.00").granted("plain") == 15
    # Of 50.00 plain is worth 7 and triple still 4: floor(15 / 2) = 7 and floor(2 / 2) = 1 come back.
    assert w.give_back("o", ("1", "50.00")).moved("available", "issuance") == 7 + 1


def test_in_a_group_of_mode_all_the_others_do_not_stand_in_for_a_bonus_that_is_lost() -> None:
    document = shop(
        campaigns={"a": fixed(50), "b": fixed(60, when="purchase.total >= 100.00")},
        groups={"g": {"mode": "all", "of": ["a", "b"]}},
    )
    w = world(document)
    w.buy("o", "60.00", "60.00")
    assert w.give_back("o", "2").moved("available", "issuance") == 60 + 60


def test_what_stands_in_for_a_nested_group_is_kept_once_for_all_its_campaigns() -> None:
    document = shop(
        campaigns={"a": fixed(50), "b": fixed(60, when="purchase.total >= 100.00"), "c": fixed(80)},
        groups={"pair": {"mode": "all", "of": ["a", "b"]}, "g": {"mode": "best", "of": ["pair", "c"]}},
    )
    w = world(document)
    w.buy("o", "60.00", "60.00")
    assert w.points() == (120 + 110, 0, 0, 0)
    # 60.00 remain: the pair is worth 50, c is worth 80 and stands for both: 110 - 80 = 30 come back.
    assert w.give_back("o", "2").moved("available", "issuance") == 60 + 30


def test_an_exclusive_choice_that_would_be_made_now_stands_in_for_what_it_excludes() -> None:
    document = shop(
        campaigns={
            "small": fixed(30, when="purchase.total < 100.00"),
            "big": fixed(70, when="purchase.total >= 50.00"),
        },
        groups={"only": {"mode": "exclusive", "of": ["small"]}, "others": {"mode": "all", "of": ["big"]}},
    )
    w = world(document)
    w.buy("o", "60.00", "60.00")
    # 60.00 remain: big would qualify, but small would exclude it. 30 of the 70 stay.
    assert w.give_back("o", "2").moved("available", "issuance") == 60 + 40


def test_a_condition_on_the_activitys_source_is_judged_again_by_the_source_then() -> None:
    shop_only = fixed(100, when='activity.source == "pos" && purchase.total >= 100.00')
    w = world(shop(campaigns={"shop_only": shop_only}))
    w.buy("o", "100.00", "50.00")
    assert w.give_back("o", "2").moved("available", "issuance") == 50


def test_a_condition_on_a_decimal_attribute_is_judged_again_by_its_value_then() -> None:
    ratio = fixed(100, when="member.ratio >= 1.5 && purchase.total >= 100.00")
    fields = {"member": {"ratio": {"type": "decimal", "default": "0"}}}
    w = world(shop(campaigns={"ratio": ratio}, fields=fields), attributes={"ratio": "1.50"})
    w.buy("o", "100.00", "50.00")
    w.post("m", "member_change", {"attributes": {"ratio": "0.1"}})
    assert w.give_back("o", "2").moved("available", "issuance") == 50
    assert w.give_back("o", ("1", "0.01")).moved("available", "issuance") == 100


def test_a_condition_on_tier_balance_and_counters_is_judged_again_by_the_standing_then() -> None:
    campaigns = {
        "tier": fixed(1, when='member.tier.membership == "member" && purchase.total >= 100.00'),
        "poor": fixed(2, when="member.wallets.points.available < 10 && purchase.total >= 100.00"),
        "third": fixed(4, when="member.counters.purchases == 0 && purchase.total >= 100.00"),
    }
    tracks = {"membership": {"measure": {"spent": "net"}, "tiers": [{"id": "member"}, {"id": "silver", "enter": 100}]}}
    w = world(shop(campaigns=campaigns, tracks=tracks))
    assert w.buy("o", "100.00", "50.00").moved("issuance", "available") == 150 + 7
    # By now the member is silver, has points and has bought; the conditions held when it mattered.
    assert w.give_back("o", "2").moved("available", "issuance") == 50
    assert w.give_back("o", ("1", "0.01")).moved("available", "issuance") == 7


def test_lines_that_are_selected_by_the_orders_total_are_judged_again() -> None:
    rich = rate(1, lines="purchase.total >= 100.00 && line.amount >= 10.00")
    w = world(shop(campaigns={"rich": rich}))
    assert w.buy("o", "60.00", "60.00").granted("rich") == 120
    assert w.give_back("o", "2").moved("available", "issuance") == 60 + 120


def test_what_remains_is_paid_with_what_was_not_paid_back() -> None:
    money = {"points": 100, "worth": "1.00"}
    w = world(shop({"money": money}, campaigns={"base": BRACKETS}))
    w.adjust(10_000)
    w.redeem("r", 10_000)
    w.buy(
        "o",
        "100.00",
        "100.00",
        tenders=[{"kind": "points", "amount": "100.00", "redemption": "r"}, {"kind": "cash", "amount": "100.00"}],
    )
    # 100.00 were not paid with points: 100.
    assert w.points() == (100, 0, 0, 0)
    # All points back, the cash stays: the remaining 100.00 are all cash and still earn 100.
    tenders = [{"kind": "points", "amount": "100.00", "redemption": "r"}]
    assert w.give_back("o", "2", tenders=tenders).moved("available", "issuance") == 0
    assert w.points() == (100 + 10_000, 0, 0, 0)
