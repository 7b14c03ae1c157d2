"""The vouchers of the demo's program: one that points buy, one for something new, one code that everybody has."""

from __future__ import annotations

from tests.programs.living import StoryLife
from tests.scenarios.document import line
from tests.scenarios.story import Tell


def test_points_buy_five_dollars_off_forty_and_a_return_splits_them(tell: Tell) -> None:
    ann = StoryLife("grocery", tell)
    ann.enrol("2017-03-01")
    here = ann.story
    here.adjust("ann", 500)
    # Of 500 points the voucher costs 450; the 100 for joining wait for a week.
    status, bought = here.call("POST", "/v1/redemptions", {"id": "r", "member": "ann", "reward": "five_off"})
    assert (status, here.points("ann")[0]) == (201, 50)
    (code,) = bought["redemption"]["given"]["vouchers"]
    assert here.quote("ann", "39.99", vouchers=[code]).json["prices"]["vouchers"][0]["reason"] == "below_threshold"
    # 5.00 on 30.00 and 20.00 are 3.00 and 2.00.
    lines = [
        {"amount": "27.00", "discounts": [{"code": code, "amount": "3.00"}]},
        {"amount": "18.00", "discounts": [{"code": code, "amount": "2.00"}]},
    ]
    assert here.buy("ann", "o-1", *lines, vouchers=[code]).granted("base") == 45
    here.give_back("ann", "o-1", "2")
    open_ones = [each for each in here.get("/v1/members/ann/vouchers")["items"] if each["status"] == "issued"]
    assert [(each["voucher"], each["worth"]["amount"]) for each in open_ones] == [("five_off", "2.00")]


def test_a_jar_of_something_new_is_free_once_a_month(tell: Tell) -> None:
    ann = StoryLife("grocery", tell)
    ann.enrol("2017-03-01")
    here = ann.story
    codes = [here.post("ann", "voucher_issue", {"voucher": "taste"}).json["grants"][0]["code"] for _ in range(2)]
    jars = line("8.00", "GROCERY", quantity="2", tags=["new"])
    prices = here.quote("ann", jars, line("5.00", "GROCERY"), vouchers=[codes[0]]).json["prices"]
    # One of two jars at 4.00, and nothing else.
    assert [each["amount"] for each in prices["lines"]] == ["4.00", "5.00"]
    jar = {**line("0.00", "GROCERY", tags=["new"]), "discounts": [{"code": codes[0], "amount": "4.00"}]}
    here.buy("ann", "o-1", jar, vouchers=[codes[0]])
    (said,) = here.quote("ann", jars, vouchers=[codes[1]]).json["prices"]["vouchers"]
    assert said["text"] == {
        "en": "The member has used vouchers of this kind as often as allowed.",
        "zh-CN": "会员已达该种优惠券的使用上限。",
    }


def test_the_code_of_the_app_is_good_once_and_in_the_app(tell: Tell) -> None:
    ann = StoryLife("grocery", tell)
    ann.enrol("2017-03-01")
    here = ann.story
    (shop,) = here.quote("ann", "50.00", vouchers=["HELLO10"]).json["prices"]["vouchers"]
    assert shop["reason"] == "voucher_condition_not_met"
    # 10.00 for the first order in the app, then a tenth of 40.00.
    app = here.quote("ann", "50.00", vouchers=["HELLO10"], channel="app").json["prices"]
    assert (app["discount"], app["total"]) == ("14.00", "36.00")


def test_points_buy_a_spin_of_the_wheel(tell: Tell) -> None:
    ann = StoryLife("grocery", tell)
    ann.enrol("2017-03-01")
    here = ann.story
    here.adjust("ann", 50)
    status, bought = here.call("POST", "/v1/redemptions", {"id": "r", "member": "ann", "reward": "spin"})
    assert (status, bought["redemption"]["points"]) == (201, 50)
    status, played = here.call("POST", "/v1/members/ann/draws/wheel/play", {}, key="p")
    assert (status, played["ticket"], played["drawn"] in (None, "mug", "five", "points")) == (200, 1, True)
