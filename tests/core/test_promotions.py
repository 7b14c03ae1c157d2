"""Promotions: what is taken off a cart and why, what counts of what a till took, and what returns give back."""

from collections.abc import Mapping
from typing import Any

import pytest

from laurels.core.facts import Bought, Deviation, DiscountsBack, Offered, Priced
from tests.core.harness import Answer, World, shop


def world(promotions: Mapping[str, Any], **parts: Any) -> World:
    made = World(shop(promotions=promotions, **parts))
    made.enrol(at="2026-03-01 09:00")
    return made


def quote(world: World, *amounts: str | Mapping[str, Any], at: str | None = None, **data: Any) -> Answer:
    """The purchase that a cart would be, with promotions taken off; the world forgets it."""
    lines = [
        {"line": str(n), **({"amount": each} if isinstance(each, str) else each)} for n, each in enumerate(amounts, 1)
    ]
    cart = {"order": "quote", "lines": lines, **data}
    return world.fork().post("m", "quote", {"quote": "q", "cart": cart}, at=at)


def priced(answer: Answer) -> Priced:
    assert answer.refusal is None, answer.refusal
    (found,) = answer.of(Priced)
    assert isinstance(found, Priced)
    return found


def why(answer: Answer) -> dict[str, tuple[str, int, int]]:
    """What became of each promotion: code, wanted, given."""
    return {each.promotion: (each.code, each.wanted, each.given) for each in priced(answer).offers}


def off(code: str, amount: str, paid: str, **words: Any) -> dict[str, Any]:
    """A line as a till sends it that took something off."""
    return {"amount": paid, "discounts": [{"code": code, "amount": amount}], **words}


TENTH = {"gives": {"percent": "10%"}}
TWENTY = {"gives": {"off": "20.00"}}


def test_a_quote_takes_promotions_off_in_order_and_grants_points_on_what_is_left() -> None:
    here = world({"tenth": TENTH, "twenty": TWENTY})
    found = quote(here, "100.00", "20.00")
    # 12.00 off 120.00, then 20.00 off 108.00.
    assert why(found) == {"tenth": ("applied", 1200, 1200), "twenty": ("applied", 2000, 2000)}
    assert found.granted("base") == 88
    reverse = world({"twenty": TWENTY, "tenth": TENTH})
    assert quote(reverse, "100.00", "20.00").granted("base") == 90


def test_without_promotions_nothing_is_said_of_them() -> None:
    here = World(shop())
    here.enrol(at="2026-03-01 09:00")
    assert here.buy("o", "10.00").of(Priced) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"during": {"until": "2026-02-28"}}, "outside_window"),
        ({"during": {"weekly": {"days": "mon"}}}, "outside_hours"),
        ({"stores": ["s-2"]}, "outside_store"),
        ({"channels": "app"}, "outside_channel"),
        ({"when": "purchase.total > 100.00"}, "condition_not_met"),
        ({"lines": "line.amount > 100.00"}, "no_lines"),
    ],
)
def test_a_promotion_that_is_not_made_here_and_now_says_why(words: Mapping[str, Any], code: str) -> None:
    here = world({"twenty": {**TWENTY, **words}})
    # 1 March 2026 is a Sunday.
    assert why(quote(here, "100.00", store="s-1", channel="till")) == {"twenty": (code, 0, 0)}


def test_stores_and_channels_are_a_promotions_scope() -> None:
    here = world({"twenty": {**TWENTY, "stores": ["s-1", "s-2"], "channels": "app"}})
    assert why(quote(here, "100.00", store="s-2", channel="app"))["twenty"][2] == 2000


def test_first_order_member_day_and_birthday_month_are_conditions() -> None:
    parts: dict[str, Any] = {"fields": {"member": {"birthday_month": "int"}}}
    rules = {
        "first_order": {**TWENTY, "when": "member.counters.purchases == 0"},
        "member_day": {**TENTH, "when": "at.day == 8"},
        "birthday": {**TENTH, "when": "has(member.birthday_month) && member.birthday_month == at.month"},
    }
    here = World(shop(promotions=rules, **parts))
    here.enrol(at="2026-03-01 09:00", attributes={"birthday_month": 4})
    assert [code for code, *_ in why(quote(here, "100.00")).values()] == [
        "applied",
        "condition_not_met",
        "condition_not_met",
    ]
    here.buy("o", "1.00", at="2026-04-08 10:00")
    assert [code for code, *_ in why(quote(here, "100.00")).values()] == ["condition_not_met", "applied", "applied"]


def test_a_tier_price_is_a_price_under_a_condition() -> None:
    track = {"measure": {"spent": "net"}, "window": "lifetime", "tiers": [{"id": "base"}, {"id": "gold", "enter": 50}]}
    here = world(
        {"gold": {"gives": {"price": "8.00"}, "when": 'member.tier.membership == "gold"'}}, tracks={"membership": track}
    )
    assert why(quote(here, "10.00"))["gold"][0] == "condition_not_met"
    here.buy("o", "60.00")
    assert why(quote(here, "10.00"))["gold"] == ("applied", 200, 200)


# --- groups -----------------------------------------------------------------------------------------------------------

BOTH = {"tenth": TENTH, "twenty": TWENTY}


def test_the_best_for_the_member_is_given_and_the_other_says_what_it_would_have_been() -> None:
    here = world(BOTH, groups={"g": {"mode": "best", "of": ["tenth", "twenty"]}})
    assert why(quote(here, "100.00")) == {"tenth": ("not_best", 1000, 0), "twenty": ("applied", 2000, 2000)}
    assert why(quote(here, "300.00")) == {"tenth": ("applied", 3000, 3000), "twenty": ("not_best", 2000, 0)}


def test_the_first_that_gives_something_is_given() -> None:
    rules = {**BOTH, "twenty": {**TWENTY, "when": "purchase.total > 200.00"}}
    here = world(rules, groups={"g": {"mode": "first", "of": ["twenty", "tenth"]}})
    assert why(quote(here, "100.00"))["tenth"][0] == "applied"
    assert why(quote(here, "300.00"))["tenth"] == ("not_first", 3000, 0)
    ranked = world({**BOTH, "tenth": {**TENTH, "priority": 1}}, groups={"g": {"mode": "first", "of": [*BOTH]}})
    assert why(quote(ranked, "100.00"))["twenty"] == ("not_first", 2000, 0)


def test_groups_nest_and_exclude_each_other() -> None:
    rules = {
        **BOTH,
        "five": {"gives": {"off": "5.00"}},
        "three": {"gives": {"off": "3.00"}},
        "one": {"gives": {"off": 1}},
    }
    groups = {
        "inner": {"mode": "best", "of": ["tenth", "twenty"]},
        "outer": {"mode": "all", "of": ["inner", "five"]},
        "alone": {"mode": "exclusive", "of": ["three"]},
    }
    found = why(quote(world(rules, groups=groups), "100.00"))
    assert found == {
        "tenth": ("not_best", 1000, 0),
        "twenty": ("excluded", 2000, 0),
        "five": ("excluded", 500, 0),
        "three": ("applied", 300, 300),
        "one": ("applied", 100, 100),
    }


def test_a_member_chooses_between_offers_that_exclude_each_other() -> None:
    here = world(BOTH, groups={"g": {"mode": "exclusive", "of": ["tenth", "twenty"]}})
    both = priced(quote(here, "100.00"))
    assert [(each.group, each.offers, each.taken) for each in both.contests] == [
        ("g", (("tenth", 1000), ("twenty", 2000)), "tenth")
    ]
    assert why(quote(here, "100.00", choices={"g": "twenty"})) == {
        "tenth": ("not_chosen", 1000, 0),
        "twenty": ("applied", 2000, 2000),
    }
    assert [code for code, *_ in why(quote(here, "100.00", choices={"g": None})).values()] == ["not_chosen"] * 2
    assert quote(here, "100.00", choices={"g": "half"}).code == "unknown_choice"
    assert quote(here, "100.00", choices={"h": "tenth"}).code == "unknown_choice"
    dear = world(
        {**BOTH, "twenty": {**TWENTY, "when": "purchase.total > 200.00"}},
        groups={"g": {"mode": "exclusive", "of": ["tenth", "twenty"]}},
    )
    assert quote(dear, "100.00", choices={"g": "twenty"}).code == "choice_not_offered"


# --- limits -----------------------------------------------------------------------------------------------------------


def test_limits_and_budgets_in_money_and_times_are_counted_and_given_back() -> None:
    rule = {
        **TENTH,
        "limits": [
            {"budget": "money", "of": "25.00"},
            {"per": "member", "every": "day", "money": "20.00"},
            {"budget": "times", "of": 3},
        ],
    }
    here = world({"tenth": rule})
    bought = here.buy("o-1", off("tenth", "15.00", "135.00"))
    assert why(bought) == {"tenth": ("applied", 1500, 1500)}
    trimmed = quote(here, "100.00")
    assert why(trimmed) == {"tenth": ("trimmed", 1000, 500)}
    assert priced(trimmed).offers[0].by == "day_money"
    tomorrow = quote(here, "200.00", at="2026-03-02 10:00")
    assert (why(tomorrow)["tenth"], priced(tomorrow).offers[0].by) == (("trimmed", 2000, 1000), "budget_money")
    assert here.pools == {"campaign/tenth/money": 1500, "campaign/tenth/times": 1}
    # A third of the line comes back, and a third of the discount; then the rest, and with it the use.
    part = here.give_back("o-1", ("1", "45.00"))
    assert part.of(DiscountsBack) == [DiscountsBack("o-1", {"tenth": 500})]
    assert here.pools == {"campaign/tenth/money": 1000, "campaign/tenth/times": 1}
    here.give_back("o-1")
    assert here.pools == {"campaign/tenth/money": 0, "campaign/tenth/times": 0}
    assert why(quote(here, "200.00"))["tenth"] == ("applied", 2000, 2000)


def test_a_limit_that_refuses_gives_all_or_nothing_and_a_cooldown_waits() -> None:
    here = world({"tenth": {**TENTH, "limits": [{"every": "day", "money": "5.00", "over": "refuse"}]}})
    assert why(quote(here, "60.00")) == {"tenth": ("limit_reached", 600, 0)}
    slow = world({"tenth": {**TENTH, "limits": [{"cooldown": "1H"}]}})
    slow.buy("o", off("tenth", "1.00", "9.00"), at="2026-03-01 10:00")
    assert why(quote(slow, "10.00", at="2026-03-01 10:59"))["tenth"] == ("cooldown", 100, 0)
    assert why(quote(slow, "10.00", at="2026-03-01 11:00"))["tenth"] == ("applied", 100, 100)


# --- what a till took by itself ---------------------------------------------------------------------------------------


def test_an_order_that_was_not_quoted_is_judged_anew_and_the_difference_reported() -> None:
    here = world({"tenth": TENTH, "twenty": {**TWENTY, "when": "purchase.total >= 300.00"}})
    found = here.buy("o", off("tenth", "12.00", "88.00"), off("twenty", "5.00", "15.00"), off("staff", "1.00", "9.00"))
    # 100.00 and 20.00, and 9.00: what the till takes off by itself stays off. A tenth of 129.00 is 12.90.
    assert why(found) == {"tenth": ("applied", 1290, 1290), "twenty": ("condition_not_met", 0, 0)}
    assert set(priced(found).deviations) == {
        Deviation("1", "tenth", 200),
        Deviation("2", "tenth", -200),
        Deviation("2", "twenty", 500),
        Deviation("3", "tenth", -90),
    }
    assert found.granted("base") == 112, "points are earned on what was paid"
    counted = priced(found).offers[0]
    assert [(line.line, line.amount) for line in counted.lines] == [("1", 1000)], "what the till took, as far as given"


def test_the_same_discounts_as_quoted_are_no_difference() -> None:
    here = world({"tenth": TENTH})
    assert priced(here.buy("o", off("tenth", "10.00", "90.00"))).deviations == ()


# --- points -----------------------------------------------------------------------------------------------------------


def test_n_fold_points_are_a_multiple_of_all_that_rate_campaigns_grant() -> None:
    extra = {"more": {"on": "purchase", "grant": {"wallet": "points", "per_quantity": 2}}}
    here = world({"triple": {"gives": {"multiply": "points", "by": 3}, "stores": "s-1"}}, campaigns=extra)
    assert here.buy("o-1", "10.00", store="s-1").granted("triple") == 24
    assert here.buy("o-2", "10.00", store="s-2").why("triple")[0] == "condition_not_met"
    back = here.give_back("o-1")
    assert back.moved("available", "issuance") == 36


def test_points_for_a_first_purchase_in_another_category() -> None:
    here = world({"cross": {"gives": {"wallet": "points", "points": 50, "new": "category"}}})
    first = here.buy("o-1", {"amount": "10.00", "category": "tea"})
    assert first.why("cross")[0] == "nothing_new", "the first category of all does not count as new"
    assert here.buy("o-2", {"amount": "10.00", "category": "tea"}).why("cross")[0] == "nothing_new"
    other = here.buy("o-3", {"amount": "10.00", "category": "cups"}, {"amount": "5.00", "category": "tea"})
    assert other.granted("cross") == 50
    assert other.of(Bought) == [Bought(("cups",))]
    assert here.buy("o-4", {"amount": "10.00", "category": "cups"}).why("cross")[0] == "nothing_new"
    # The line in the other category goes back, and the points with it; the rest of the order keeps nothing.
    assert here.give_back("o-3", "1").judged["cross"].code == "no_longer_qualifies"


def test_points_for_trying_a_product_are_given_once_and_only_trials_are_remembered() -> None:
    trial = {
        "gives": {"wallet": "points", "points": 20, "new": "product"},
        "lines": 'has(line.category) && line.category == "new"',
    }
    here = world({"trial": trial})
    first = here.buy("o-1", {"amount": "3.00", "sku": "n-1", "category": "new"}, {"amount": "3.00", "sku": "x"})
    assert (first.granted("trial"), first.of(Bought)) == (20, [Bought((), ("n-1",))])
    again = here.buy("o-2", {"amount": "3.00", "sku": "n-1", "category": "new"})
    assert (again.why("trial")[0], again.of(Bought)) == ("nothing_new", [])
    # What is no part of the trial is not selected, new or not.
    assert here.buy("o-4", {"amount": "3.00", "sku": "x-2"}).why("trial")[0] == "no_lines"
    assert here.buy("o-3", {"amount": "3.00", "sku": "n-2", "category": "new"}).granted("trial") == 20


def test_what_a_promotion_says_of_every_offer_is_kept_with_the_order() -> None:
    here = world({"tenth": TENTH})
    (offer,) = priced(here.buy("o", off("tenth", "1.00", "9.00"))).offers
    assert offer == Offered("tenth", "applied", 100, 100, offer.lines)


# --- from so much of goods --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "off"),
    [
        (({"amount": "35.00"}, {"amount": "6.00", "kind": "shipping"}), 600),
        (({"amount": "34.99"}, {"amount": "6.00", "kind": "shipping"}), 0),
        (({"amount": "34.99"}, {"amount": "6.00", "kind": "shipping"}, {"amount": "0.01"}), 600),
        (({"amount": "20.00"}, {"amount": "50.00", "kind": "gift_card"}, {"amount": "6.00", "kind": "shipping"}), 0),
        (({"amount": "20.00"}, {"amount": "15.00", "kind": "fee"}, {"amount": "6.00", "kind": "shipping"}), 0),
    ],
)
def test_shipping_is_free_from_so_much_of_goods_whatever_else_is_on_the_cart(
    lines: tuple[dict[str, str], ...], off: int
) -> None:
    here = World(shop(promotions={"home": {"gives": {"shipping": "100%"}, "when": "purchase.goods >= 35.00"}}))
    here.enrol(at="2026-03-01 10:00")
    numbered = [{"line": str(n), **line} for n, line in enumerate(lines)]
    quoted = here.post("m", "quote", {"quote": "q", "cart": {"order": "quote:q", "lines": numbered}})
    assert sum(offered.given for priced in quoted.of(Priced) for offered in priced.offers) == off


def test_a_bonus_from_so_much_of_goods_is_judged_again_without_shipping_when_goods_come_back() -> None:
    bonus = {"on": "purchase", "when": "purchase.goods >= 35.00", "grant": {"wallet": "points", "fixed": 5}}
    here = World(shop(campaigns={"bonus": bonus}))
    here.enrol(at="2026-03-01 10:00")
    assert here.buy("o", "20.00", "20.00", {"amount": "30.00", "kind": "shipping"}).granted("bonus") == 5
    here.give_back("o", "3")
    assert here.points()[0] == 45, "shipping came back, and the goods are still there"
    here.give_back("o", "1")
    assert here.points()[0] == 20
    here.replay()
