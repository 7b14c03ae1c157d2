"""Vouchers beside promotions: quoted with the reason why not, reserved, compared with the till, returned together."""

from __future__ import annotations

from tests.api.harness import Json
from tests.scenarios.answer import Answer
from tests.scenarios.document import cash, paid_with_points, shop
from tests.scenarios.story import Story, Tell
from tests.scenarios.test_vouchers import given, listed, read

THRESHOLD = 'threshold: {gives: {steps: {spend: "300.00", off: "40.00"}}}'
KINDS = """
twenty: {gives: {off: 20.00}}
rich: {gives: {percent: 10%}, when: "purchase.total >= 500.00"}
half: {gives: {off: 60.00}, floor: {share: 50%}}
bonus: {gives: {wallet: points, points: 30}}
"""


def off(paid: str, *discounts: tuple[str, str]) -> dict[str, Json]:
    """A line that a till took something off."""
    return {"amount": paid, "discounts": [{"code": code, "amount": amount} for code, amount in discounts]}


def why(prices: Json) -> list[tuple[str | None, bool, str, str]]:
    """What became of each voucher that a cart names."""
    return [(each["voucher"], each["applied"], each["reason"], each["given"]) for each in prices["vouchers"]]


def story(tell: Tell, **parts: str) -> Story:
    here = tell(shop(parts.pop("points", "{}"), vouchers=KINDS, **parts))
    here.enrol("ann", at="2026-03-01 10:00")
    return here


def test_a_quote_of_two_vouchers_takes_one_off_and_says_of_the_other_why_not(tell: Tell) -> None:
    here = story(tell, promotions=THRESHOLD)
    twenty, rich = given(here, voucher="twenty"), given(here, voucher="rich")
    quoted = here.quote("ann", "200.00", "100.00", vouchers=[rich, twenty.lower()])
    assert quoted.json["status"] == "accepted"
    prices = quoted.json["prices"]
    assert (prices["before"], prices["discount"], prices["total"]) == ("300.00", "60.00", "240.00")
    assert [line["discounts"] for line in prices["lines"]] == [
        [{"code": "threshold", "amount": "26.67"}, {"code": twenty, "amount": "13.33"}],
        [{"code": "threshold", "amount": "13.33"}, {"code": twenty, "amount": "6.67"}],
    ]
    assert why(prices) == [
        ("rich", False, "voucher_condition_not_met", "0.00"),
        ("twenty", True, "applied", "20.00"),
    ]
    assert [each["text"]["en"] for each in prices["vouchers"]] == [
        "The purchase does not meet the voucher's condition.",
        "It takes 20.00 off.",
    ]
    assert prices["vouchers"][0]["text"]["zh-CN"] == "未满足该优惠券的使用条件。"
    assert quoted.granted("base") == 240
    assert read(here, twenty)["status"] == "issued"
    here.buy("ann", "o-1", "300.00", vouchers=[rich], refused="voucher_condition_not_met")


def test_a_reserved_quotes_voucher_for_which_nobody_comes_back_is_free_when_its_time_is_over(tell: Tell) -> None:
    here = story(tell)
    twenty = given(here, voucher="twenty")
    prices = here.reserve("ann", "q-1", "50.00", vouchers=[twenty])
    assert here.local(prices["quote"]["until"]) == "2026-03-01 10:30"
    found = read(here, twenty)
    assert (found["status"], found["quote"], here.local(found["reserved_until"])) == (
        "reserved",
        "q-1",
        "2026-03-01 10:30",
    )
    here.buy("ann", "o-1", "50.00", vouchers=[twenty], refused="voucher_reserved")
    assert why(here.quote("ann", "50.00", vouchers=[twenty]).json["prices"]) == [
        ("twenty", False, "voucher_reserved", "0.00")
    ]
    here.drift("2026-03-01 10:30")
    assert read(here, twenty)["status"] == "issued"
    late = here.buy("ann", "o-1", off("30.00", (twenty, "20.00")), quote="q-1")
    assert late.json["prices"]["quote"]["code"] == "quote_timed_out"
    assert read(here, twenty)["order"] == "o-1"


def test_the_purchase_that_uses_a_reserved_quote_redeems_its_vouchers(tell: Tell) -> None:
    here = story(tell, promotions=THRESHOLD)
    twenty, bonus = given(here, voucher="twenty"), given(here, voucher="bonus")
    prices = here.reserve("ann", "q-1", "300.00", vouchers=[twenty, bonus])
    assert (prices["total"], prices["quote"]["points"]) == ("240.00", {"points": 270})
    assert why(prices)[1] == ("bonus", True, "gives_points", "0.00")
    bought = here.buy("ann", "o-1", off("240.00", ("threshold", "40.00"), (twenty, "20.00")), quote="q-1")
    assert (bought.json["prices"]["quote"]["code"], bought.json["prices"]["deviations"]) == ("kept", [])
    assert (bought.granted("base"), bought.granted("voucher/bonus")) == (240, 30)
    assert [read(here, code)["status"] for code in (twenty, bonus)] == ["redeemed", "redeemed"]
    told = here.explanation("ann", bought.json["id"])
    (said,) = [each for each in told["campaigns"] if each["campaign"] == "voucher/bonus"]
    assert said["says"]["grants"] == ["{wallet: points, fixed: 30}"]
    here.give_back("ann", "o-1")
    assert here.points("ann") == (0, 0, 0, 0)
    assert [read(here, code)["status"] for code in (twenty, bonus)] == ["issued", "issued"]


def test_partial_return_of_an_order_with_threshold_discount_voucher_points_as_money_and_a_bonus(tell: Tell) -> None:
    """What each took off stays allocated; the voucher comes back with the last of the order."""
    bonus = "bonus: {on: purchase, when: purchase.total >= 200.00, grant: {wallet: points, fixed: 50}}"
    here = story(tell, points='{money: {points: 1, worth: "1.00"}}', promotions=THRESHOLD, campaigns=bonus)
    twenty = given(here, voucher="twenty")
    here.adjust("ann", 60)
    here.hold("ann", "r-1", 60)
    # 200.00 and 100.00 less 40.00 are 173.33 and 86.67, less 20.00 in proportion 160.00 and 80.00.
    lines = [
        off("160.00", ("threshold", "26.67"), (twenty, "13.33")),
        off("80.00", ("threshold", "13.33"), (twenty, "6.67")),
    ]
    bought = here.buy("ann", "o-1", *lines, tenders=[paid_with_points("r-1", "60.00"), cash("180.00")])
    assert bought.json["prices"]["deviations"] == []
    assert why(bought.json["prices"]) == [("twenty", True, "applied", "20.00")]
    # Points on 180.00: 160.00 less 40.00, and 80.00 less 20.00.
    assert (bought.granted("base"), bought.granted("bonus")) == (180, 50)
    assert here.points("ann") == (230, 0, 0, 0)
    back = here.give_back("ann", "o-1", "2")
    # 80.00 comes back: 20.00 of it in points. Nothing is judged again but the bonus, whose 200.00 are not reached.
    assert brought_back(back) == {"threshold": "-13.33", twenty: "-6.67"}
    told = here.explanation("ann", back.json["id"])
    assert told["returned"]["paid_back"] == [{"tender": 0, "amount": "20.00"}, {"tender": 1, "amount": "60.00"}]
    assert told["returned"]["points_given_back"] == {"r-1": 20}
    assert [(each["campaign"], each["code"], each["granted"]) for each in told["campaigns"]] == [
        ("base", "taken_back", 60),
        ("bonus", "no_longer_qualifies", 50),
    ]
    assert [each["text"]["zh-CN"] for each in told["campaigns"]] == [
        "因退货收回已发放的 60。",
        "剩余订单不再满足条件：收回 50。",
    ]
    assert told["returned"]["vouchers"] == [], "it comes back with the last of the order"
    assert here.points("ann") == (230 + 20 - 60 - 50, 0, 0, 0)
    assert read(here, twenty)["status"] == "redeemed"
    rest = here.give_back("ann", "o-1")
    assert brought_back(rest) == {"threshold": "-26.67", twenty: "-13.33"}
    assert here.points("ann") == (60, 0, 0, 0)
    assert read(here, twenty)["status"] == "issued"
    (restored,) = here.explanation("ann", rest.json["id"])["returned"]["vouchers"]
    assert (restored["status"], restored["text"]["zh-CN"]) == ("restored", "已退回会员，有效期不变。")


def brought_back(answer: Answer) -> dict[str, str]:
    """What a return brought back of discounts, by promotion or voucher."""
    discounts = [each for each in answer.json["grants"] if each["kind"] == "discount"]
    return {each.get("promotion") or each["voucher"]: each["amount"] for each in discounts}


def test_a_floor_holds_against_vouchers_on_top_of_promotions(tell: Tell) -> None:
    here = story(tell, promotions="third: {gives: {percent: 30%}}")
    half = given(here, voucher="half")
    prices = here.quote("ann", "100.00", vouchers=[half]).json["prices"]
    assert (prices["total"], why(prices)) == ("50.00", [("half", True, "trimmed", "20.00")])
    assert prices["vouchers"][0]["text"]["en"] == (
        "It takes 20.00 of 60.00 off: the price of the goods, or its floor, left no more."
    )
    # Where there is no floor the goods are what leaves no more.
    (said,) = here.quote("ann", "5.00", vouchers=[given(here, voucher="twenty")]).json["prices"]["vouchers"]
    assert said["text"]["zh-CN"] == "应优惠 20.00，实际优惠 3.50：受限于商品价格或其下限。"
    # A till that takes all of it off is told by how much that was too much, and is not refused.
    bought = here.buy("ann", "o-1", off("10.00", ("third", "30.00"), (half, "60.00")))
    assert bought.json["prices"]["deviations"] == [{"line": "1", "promotion": half, "amount": "40.00"}]
    (said,) = bought.json["prices"]["vouchers"]
    assert (said["given"], said["taken"]) == ("20.00", "60.00")
    assert said["text"]["en"] == (
        "It comes to 20.00 of 60.00, the price of the goods, or its floor, left no more; the till took 60.00 off."
    )
    assert read(here, half)["took_off"]["amount"] == "20.00"
    # What would be used for nothing is not used.
    other = given(here, voucher="half")
    here.buy("ann", "o-2", {"amount": "0.00", "quantity": "1"}, vouchers=[other], refused="voucher_gives_nothing")
    assert read(here, other)["status"] == "issued"


def test_a_reserved_quote_takes_codes_that_are_nobodys_and_gives_back_the_use_of_those_that_are_everybodys(
    tell: Tell,
) -> None:
    here = tell(shop(vouchers="ten: {gives: {off: 10.00}, per_order: 2}"))
    for member in ("ann", "bob"):
        here.enrol(member, at="2026-03-01 10:00")
    listed(here, "LEAF")
    listed(here, "STAR", uses=2, batch="stars")
    prices = here.reserve("ann", "q-1", "50.00", vouchers=["leaf", "star"])
    assert [each["given"] for each in prices["vouchers"]] == ["10.00", "10.00"]
    assert why(here.quote("bob", "50.00", vouchers=["leaf"]).json["prices"]) == [(None, False, "voucher_taken", "0.00")]
    here.buy("ann", "o-1", "50.00", vouchers=["leaf"], refused="voucher_reserved")
    here.clock("2026-03-01 10:30")
    assert read(here, "LEAF")["member"] == "ann"
    # Both uses of the other one are there again.
    here.buy("bob", "p-1", "50.00", vouchers=["star"])
    here.buy("bob", "p-2", "50.00", vouchers=["star"])
    here.buy("ann", "o-2", "50.00", vouchers=["star"], refused="voucher_exhausted")
    here.buy("ann", "o-3", "50.00", vouchers=["leaf"])
