"""Returns are exact to the line, in pieces and as a whole, and say what they took back and why."""

from tests.scenarios.document import cash, line, shop
from tests.scenarios.story import Tell

DOUBLE_BEANS = """
beans:
  on: purchase
  lines: has(line.category) && line.category == "beans"
  grant: {wallet: points, multiply: base, by: 2}
"""
BIG_BASKET = "big: {on: purchase, when: purchase.total >= 300.00, grant: {wallet: points, fixed: 100}}"
SILVER = """
membership:
  measure: {spent: net}
  tiers: [{id: member}, {id: silver, enter: "1000.00", multiply: {points: 1.25}}]
"""


def test_three_partial_returns_take_back_exactly_what_was_earned_and_a_fourth_is_refused(tell: Tell) -> None:
    """Case 1. Decision 2."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    assert here.buy("ann", "o", "10.00", at="2026-03-02").granted("base") == 10
    # In all floor(10 x 3.33 / 10.00) = 3; floor(10 x 6.66 / 10.00) = 6, so 3 more; the last takes the rest: 4.
    taken = [here.give_back("ann", "o", ("1", amount)).moved("available", "issuance") for amount in ("3.33", "3.33")]
    assert taken == [3, 3]
    assert here.give_back("ann", "o", ("1", "3.34")).moved("available", "issuance") == 4
    assert here.points("ann") == (0, 0, 0, 0)
    here.give_back("ann", "o", ("1", "0.01"), refused="return_exceeds_purchase")
    here.give_back("ann", "o", refused="nothing_left_to_return")
    assert [points for _kind, points, _state in here.told("ann")] == [10, -3, -3, -4]


def test_partial_returns_of_several_lines_and_campaigns_sum_to_what_each_of_them_granted(tell: Tell) -> None:
    """Case 1. Case 2."""
    here = tell(shop(campaigns=DOUBLE_BEANS, tracks=SILVER))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "first", "1000.00", at="2026-03-02")
    lines = (line("9.99", "beans"), line("19.98", "cups"), line("0.05", "sugar"))
    bought = here.buy("ann", "o", *lines, at="2026-03-03")
    # 30.02 earn 30. By line 9.983, 19.967 and 0.0499: floors 9 and 19, and the two largest remainders are those of
    # lines 1 and 2: 10, 20, 0. Beans double line 1: 10. Silver: floor(30 x 0.25) = 7 over the base.
    earned = (bought.granted("base"), bought.granted("beans"), bought.granted("base", "membership.silver"))
    assert earned == (30, 10, 7)
    back = {"base": 0, "beans": 0, "silver": 0}
    for number, amount in (("1", "3.33"), ("2", "0.01"), ("1", "3.33"), ("3", "0.05"), ("2", "19.97"), ("1", "3.33")):
        for entry in here.give_back("ann", "o", (number, amount)).json["entries"]:
            back["silver" if entry["rule"] else entry["campaign"]] -= entry["points"]
    assert back == {"base": 30, "beans": 10, "silver": 7}
    assert here.points("ann") == (1000, 0, 0, 0)


def test_units_that_come_back_one_by_one_sum_to_the_whole_line(tell: Tell) -> None:
    """Case 1."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o", line("10.00", quantity="3"), at="2026-03-02")
    # A third of 10.00 is 3.33, two thirds 6.66: the money is rounded down in all, and so are the points.
    returned = [here.give_back("ann", "o", {"line": "1", "quantity": "1"}) for _ in range(3)]
    assert [each.moved("available", "issuance") for each in returned] == [3, 3, 4]
    amounts = [here.explanation("ann", each.json["id"])["returned"]["lines"][0]["amount"] for each in returned]
    assert amounts == ["3.33", "3.33", "3.34"]
    here.give_back("ann", "o", {"line": "1", "quantity": "1"}, refused="return_exceeds_purchase")


def test_a_line_that_earned_nothing_takes_nothing_back_and_a_multiplied_one_the_multiplied_points(tell: Tell) -> None:
    """Case 2."""
    here = tell(shop(campaigns=DOUBLE_BEANS))
    here.enrol("ann", at="2026-03-01")
    lines = (line("30.00", "beans"), line("20.00", "cups"), line("50.00", kind="gift_card"))
    here.buy("ann", "o", *lines, at="2026-03-02")
    # 30 + 20 of base, none for the gift card; 1 x 30 over the beans.
    assert here.points("ann") == (80, 0, 0, 0)
    assert here.give_back("ann", "o", "3").entries == []
    assert here.give_back("ann", "o", "2").entries == [("reversal", -20, "returned")]
    last = here.give_back("ann", "o", "1")
    assert {each["campaign"]: each["points"] for each in last.json["entries"]} == {"base": -30, "beans": -30}
    assert here.points("ann") == (0, 0, 0, 0)


def test_more_than_was_bought_cannot_come_back_nor_what_was_never_bought(tell: Tell) -> None:
    """Case 1."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o", line("10.00", quantity="2"), "5.00", at="2026-03-02")
    here.give_back("ann", "o", ("1", "10.01"), refused="return_exceeds_purchase")
    here.give_back("ann", "o", {"line": "1", "quantity": "3"}, refused="return_exceeds_purchase")
    here.give_back("ann", "o", "3", refused="unknown_line")
    here.buy("ann", "o", "10.00", refused="duplicate_order")
    assert here.points("ann") == (15, 0, 0, 0)


def test_points_are_rounded_once_for_the_order_and_allocated_by_largest_remainder_earlier_lines_first(
    tell: Tell,
) -> None:
    """Decision 2."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    # 1.80 is 1 point, although each line alone would be none; the remainders are equal, so line 1 has it.
    equal = here.buy("ann", "o-1", "0.60", "0.60", "0.60", at="2026-03-02")
    assert [each["lines"] for each in equal.json["entries"]] == [[{"line": "1", "points": 1}]]
    # 10.00 is 10: 3.40 and 6.60 have floors 3 and 6 and remainders 0.40 and 0.60, so 3 and 7.
    unequal = here.buy("ann", "o-2", "3.40", "6.60")
    assert unequal.json["entries"][0]["lines"] == [{"line": "1", "points": 3}, {"line": "2", "points": 7}]
    assert here.give_back("ann", "o-1", "2").entries == []
    assert here.give_back("ann", "o-1", "1").moved("available", "issuance") == 1
    assert here.give_back("ann", "o-2", "1").moved("available", "issuance") == 3


def test_a_line_of_amount_zero_gives_back_with_its_quantity(tell: Tell) -> None:
    """Decision 2."""
    gifts = "gifts: {on: purchase, lines: line.amount <= 0.00, grant: {wallet: points, per_quantity: 5}}"
    here = tell(shop(campaigns=gifts))
    here.enrol("ann", at="2026-03-01")
    assert here.buy("ann", "o", line("0.00", quantity="3"), "10.00", at="2026-03-02").granted("gifts") == 15
    # One of three: floor(15 x 1 / 3) = 5; the other two: 10.
    assert here.give_back("ann", "o", {"line": "1", "quantity": "1"}).moved("available", "issuance") == 5
    assert here.give_back("ann", "o", {"line": "1", "quantity": "2"}).moved("available", "issuance") == 10
    here.give_back("ann", "o", "1", refused="return_exceeds_purchase")
    assert here.points("ann") == (10, 0, 0, 0)


def test_an_order_bonus_that_no_longer_qualifies_is_taken_back_whole_and_once_and_never_granted_again(
    tell: Tell,
) -> None:
    """Decision 2."""
    here = tell(shop(campaigns=BIG_BASKET))
    here.enrol("ann", at="2026-03-01")
    assert here.buy("ann", "o", "120.00", "120.00", "120.00", at="2026-03-02").moved("issuance", "available") == 460
    # 240.00 remain: 120 for the line, and the whole 100.
    first = here.give_back("ann", "o", "1")
    assert first.moved("available", "issuance") == 220
    assert first.why("big") == ("no_longer_qualifies", 100, 100)
    assert here.give_back("ann", "o", "2").moved("available", "issuance") == 120
    last = here.give_back("ann", "o", "3")
    assert (last.moved("available", "issuance"), last.moved("issuance", "available")) == (120, 0)
    assert here.points("ann") == (0, 0, 0, 0)
    told = here.explanation("ann", first.json["id"])
    (big,) = [each for each in told["campaigns"] if each["campaign"] == "big"]
    assert big["text"]["en"].endswith("100 are taken back.")


def test_a_fixed_bonus_stays_whole_while_it_qualifies_and_goes_with_the_last_line(tell: Tell) -> None:
    """Decision 2."""
    here = tell(shop(campaigns=f"{BIG_BASKET}\nhello: {{on: purchase, grant: {{wallet: points, fixed: 7}}}}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o", "120.00", "120.00", "120.00", at="2026-03-02")
    # 300.00 remain, exactly: 60 of the line and nothing of the bonuses.
    kept = here.give_back("ann", "o", ("1", "60.00"))
    assert kept.moved("available", "issuance") == 60
    assert (kept.why("big")[0], kept.why("hello")[0]) == ("kept", "kept")
    # 299.99 remain: in all floor(120 x 60.01 / 120.00) = 60 of the line, so none; the 100 go.
    assert here.give_back("ann", "o", ("1", "0.01")).moved("available", "issuance") == 100
    # All but a fen: the last of the 300 points and the 7 of `hello` go with it.
    assert here.give_back("ann", "o", "1", "2", ("3", "119.99")).moved("available", "issuance") == 60 + 120 + 119
    assert here.give_back("ann", "o").moved("available", "issuance") == 1 + 7


def test_brackets_are_judged_again_on_what_remains(tell: Tell) -> None:
    """Decision 2."""
    rates = '[{from: "0.00", points: 1}, {from: "100.00", points: 2}]'
    here = tell(shop(base=f'{{on: purchase, grant: {{wallet: points, per: "1.00", brackets: {rates}}}}}'))
    here.enrol("ann", at="2026-03-01")
    # 100 x 1 + 50 x 2 = 200. 90.00 remain and make 90: 110 come back, and not 80, the share of the line.
    assert here.buy("ann", "o", "90.00", "60.00", at="2026-03-02").granted("base") == 200
    assert here.give_back("ann", "o", "2").moved("available", "issuance") == 110
    assert here.give_back("ann", "o").moved("available", "issuance") == 90


BEST = """
specials: {mode: best, of: [rich, plain]}
"""
RICH_AND_PLAIN = """
rich:
  on: purchase
  when: purchase.total >= 80.00
  grant: {wallet: points, points: 3, per: "1.00"}
  limits: [{per: member, every: day, points: 150}]
plain: {on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}
"""


def test_a_choice_is_judged_again_on_what_remains_with_the_room_there_was(tell: Tell) -> None:
    """Decision 2."""
    here = tell(shop(campaigns=RICH_AND_PLAIN, groups=BEST))
    here.enrol("ann", at="2026-03-01")
    # rich wants 300 and has room for 150, plain would give 100: rich it is, with 150; base 100.
    bought = here.buy("ann", "o", "60.00", "40.00", at="2026-03-02")
    assert (bought.granted("rich"), bought.granted("plain")) == (150, 0)
    assert bought.why("plain") == ("not_best", 100, 0)
    # 60.00 remain: rich no longer qualifies and plain stands in with 60, so 90 of the 150 go, and 40 of the base.
    returned = here.give_back("ann", "o", "2")
    assert returned.moved("available", "issuance") == 40 + 90
    assert returned.why("rich") == ("judged_again", 90, 90)
    # Nothing is granted: the 60 that stay are those of rich.
    assert returned.moved("issuance", "available") == 0
    assert here.give_back("ann", "o").moved("available", "issuance") == 60 + 60


def test_another_choice_never_leaves_more_than_was_earned(tell: Tell) -> None:
    """Decision 2."""
    campaigns = """
    small: {on: purchase, when: purchase.total < 100.00, grant: {wallet: points, fixed: 500}}
    rate: {on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}
    """
    here = tell(shop(campaigns=campaigns, groups="g: {mode: best, of: [small, rate]}"))
    here.enrol("ann", at="2026-03-01")
    assert here.buy("ann", "o", "150.00", at="2026-03-02").moved("issuance", "available") == 150 + 150
    # 90.00 remain. small would give 500 now, and 150 is the most that may stay: 60 of the base come back alone.
    returned = here.give_back("ann", "o", ("1", "60.00"))
    assert (returned.moved("available", "issuance"), returned.moved("issuance", "available")) == (60, 0)


def test_conditions_on_the_member_are_judged_again_by_the_standing_of_then(tell: Tell) -> None:
    """Decision 2."""
    campaigns = """
    newcomer:
      on: purchase
      when: member.tier.membership == "member" && purchase.total >= 800.00
      grant: {wallet: points, fixed: 50}
    """
    here = tell(shop(campaigns=campaigns, tracks=SILVER))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o", "900.00", "100.00", at="2026-03-02")
    assert here.tier("ann") == "silver"
    # 900.00 remain of an order that a member bought, whatever tier she has now.
    assert here.give_back("ann", "o", "2").moved("available", "issuance") == 100
    # 799.99 remain: 100 for 100.01, floor(900 x 100.01 / 900.00) = 100, and the 50.
    assert here.give_back("ann", "o", ("1", "100.01")).moved("available", "issuance") == 100 + 50


def test_the_money_returned_is_the_discounted_price(tell: Tell) -> None:
    """Decision 2."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    reduced = line("8.00", quantity="2", discounts=[{"code": "spring", "amount": "2.00"}])
    here.buy("ann", "o", reduced, tenders=[cash("8.00")], at="2026-03-02")
    returned = here.give_back("ann", "o", {"line": "1", "quantity": "1"})
    # Half of the 8.00 that were paid, and not of the 10.00 on the shelf; 4 of 8 points.
    assert here.explanation("ann", returned.json["id"])["returned"]["paid_back"] == [{"tender": 0, "amount": "4.00"}]
    assert returned.moved("available", "issuance") == 4


def test_a_return_takes_back_what_a_limit_let_through_and_not_what_was_wanted(tell: Tell) -> None:
    """Decision 2."""
    base = """{on: purchase, grant: {wallet: points, points: 1, per: "1.00"},
           limits: [{per: member, every: day, points: 20}]}"""
    here = tell(shop(base=base))
    here.enrol("ann", at="2026-03-01")
    assert here.buy("ann", "o", "50.00", at="2026-03-02").why("base") == ("trimmed", 50, 20)
    # Half of the line: half of the 20.
    assert here.give_back("ann", "o", ("1", "25.00")).moved("available", "issuance") == 10
    assert here.give_back("ann", "o").moved("available", "issuance") == 10


def test_a_voided_line_earns_nothing_and_keeps_nothing_from_coming_back(tell: Tell) -> None:
    """Case 20."""
    here = tell(shop(campaigns="hello: {on: purchase, grant: {wallet: points, fixed: 7}}"))
    here.enrol("ann", at="2026-03-01")
    bought = here.buy("ann", "o", "9.90", line("0.00", quantity="0"), at="2026-03-02")
    assert (bought.granted("base"), bought.granted("hello")) == (9, 7)
    # Everything that was ever bought is back: the fixed 7 go with it.
    assert here.give_back("ann", "o", "1").moved("available", "issuance") == 9 + 7
