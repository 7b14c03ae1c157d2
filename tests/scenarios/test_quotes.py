"""Reserved quotes through the public interface: read, cancelled, in races, and out of the way of the order."""

from __future__ import annotations

from tests.api.harness import Json
from tests.scenarios.document import shop
from tests.scenarios.story import Story, Tell
from tests.scenarios.test_vouchers import given, read

TENTH = "tenth: {gives: {percent: 10%}, limits: [{budget: times, of: 1}]}"
DOUBLE = "double: {on: purchase, grant: {wallet: points, multiply: base, by: 2}, limits: [{budget: points, of: 120}]}"
TEN = "ten: {gives: {off: 10.00}, limits: [{per: member, cooldown: 3D}]}"


def story(tell: Tell) -> Story:
    """Ann and Bob, one discount for all, and points on top for the first."""
    here = tell(shop(vouchers=TEN, promotions=TENTH, campaigns=DOUBLE))
    here.enrol("ann", at="2026-03-01 10:00")
    here.enrol("bob")
    return here


def off(paid: str, **discounts: str) -> dict[str, Json]:
    return {"amount": paid, "discounts": [{"code": code, "amount": amount} for code, amount in discounts.items()]}


def held(here: Story, quote: str = "q-1") -> Json:
    return here.get(f"/v1/quotes/{quote}")


def cancel(here: Story, quote: str = "q-1", key: str | None = None) -> tuple[int, Json]:
    return here.call("POST", f"/v1/quotes/{quote}/cancel", {}, key=key)


def outcome(prices: Json) -> tuple[str, str]:
    (promotion,) = prices["promotions"]
    return promotion["code"], promotion["text"]["zh-CN"]


def test_a_reserved_quote_says_what_it_keeps_until_when_and_what_became_of_it(tell: Tell) -> None:
    here = story(tell)
    code = given(here)
    here.reserve("ann", "q-1", "100.00", vouchers=[code])
    found = held(here)
    assert (found["member"], found["status"], found["order"]) == ("ann", "open", None)
    assert (here.local(found["reserved_at"]), here.local(found["until"])) == ("2026-03-01 10:00", "2026-03-01 10:30")
    assert found["vouchers"] == [code]
    assert found["claims"] == ["campaign/double/points", "campaign/tenth/times"]
    assert (found["prices"]["total"], found["prices"]["quote"]["points"]) == ("80.00", {"points": 160})
    assert found["text"]["zh-CN"] == "在保留期内，承诺有效。"
    assert here.call("GET", "/v1/quotes/nothing")[1]["code"] == "no_such_quote"
    here.drift("2026-03-01 10:30")
    late = held(here)
    assert (late["status"], late["vouchers"], late["claims"]) == ("timed_out", [], [])
    assert late["text"]["zh-CN"] == "超过保留时间：所保留的额度、预算与优惠券已退回。"
    here.reserve("ann", "q-2", "100.00")
    here.buy("ann", "o-2", off("90.00", tenth="10.00"), quote="q-2")
    used = held(here, "q-2")
    assert (used["status"], used["order"], used["text"]["en"]) == (
        "used",
        "o-2",
        "The order that named it was held to it.",
    )


def test_a_cancelled_quote_gives_back_at_once_what_it_kept_and_says_so(tell: Tell) -> None:
    here = story(tell)
    code = given(here)
    here.reserve("ann", "q-1", "100.00", vouchers=[code])
    assert outcome(here.quote("bob", "100.00").json["prices"]) == ("budget_exhausted", "预算已用完；原可优惠 10.00。")
    status, saved = cancel(here)
    assert (status, saved["quote"]["status"], saved["activity"]["status"]) == (200, "cancelled", "accepted")
    assert saved["quote"]["claims"] == []
    assert read(here, code)["status"] == "issued"
    bought = here.buy("bob", "b-1", off("90.00", tenth="10.00"))
    assert outcome(bought.json["prices"]) == ("applied", "优惠 10.00。")
    assert bought.granted("double") == 90
    # Again, and again with another key: the same, and nothing more is given back.
    for key in (None, "again"):
        status, again = cancel(here, key=key)
        assert (status, again["activity"]["status"]) == (200, "replayed")
    assert outcome(here.quote("bob", "100.00").json["prices"])[0] == "budget_exhausted"
    (said,) = here.explanation("ann", "q-1", source="laurels.quote_cancels")["quotes"]
    assert (said["quote"], said["status"]) == ("q-1", "cancelled")
    assert said["text"] == {
        "en": "It was cancelled: what it kept of limits, budgets and vouchers was given back.",
        "zh-CN": "已取消：所保留的额度、预算与优惠券已退回。",
    }
    late = here.buy("ann", "o-1", "100.00", quote="q-1")
    assert late.json["prices"]["quote"] == {
        **late.json["prices"]["quote"],
        "code": "quote_cancelled",
        "text": {"en": "The quote was cancelled: judged anew.", "zh-CN": "试算已取消，已重新计算。"},
    }


def test_a_quote_that_is_used_or_over_cannot_be_cancelled(tell: Tell) -> None:
    here = story(tell)
    assert cancel(here)[1]["code"] == "no_such_quote"
    here.reserve("ann", "q-1", "100.00")
    here.buy("ann", "o-1", off("90.00", tenth="10.00"), quote="q-1")
    status, refused = cancel(here)
    assert (status, refused.get("code")) == (409, "quote_not_open")
    here.reserve("ann", "q-2", "50.00")
    here.drift("2026-03-01 10:30")
    assert cancel(here, "q-2")[1]["code"] == "quote_not_open"


def test_of_a_cancellation_and_the_purchase_that_names_the_quote_one_comes_first_and_both_fit_that(tell: Tell) -> None:
    here = tell(shop(vouchers=TEN, promotions="tenth: {gives: {percent: 10%}, limits: [{budget: times, of: 12}]}"))
    here.enrol("ann", at="2026-03-01 10:00")
    told: set[tuple[str, str, str]] = set()
    for n in range(12):
        quote = f"q-{n}"
        here.reserve("ann", quote, "100.00")
        order = {"order": f"o-{n}", "quote": quote, "lines": [{"line": "1", **off("90.00", tenth="10.00")}]}
        requests: list[tuple[str, Json]] = [
            (f"/v1/quotes/{quote}/cancel", {}),
            ("/v1/activities", here.activity("ann", "purchase", order)),
        ]
        answers = here.at_once(*(requests if n % 2 else requests[::-1]))
        (_, cancelled), (_, bought) = answers if n % 2 else answers[::-1]
        told.add((cancelled.get("code") or "cancelled", bought["prices"]["quote"]["code"], held(here, quote)["status"]))
    assert told <= {("quote_not_open", "kept", "used"), ("cancelled", "quote_cancelled", "cancelled")}
    # Whichever came first, each order took one use, and none was lost on the way.
    here.enrol("bob")
    assert outcome(here.quote("bob", "100.00").json["prices"])[0] == "budget_exhausted"


def test_an_order_that_differs_a_little_from_its_quote_gets_what_the_quote_had_kept_for_it(tell: Tell) -> None:
    here = story(tell)
    code = given(here)
    here.reserve("ann", "q-1", "100.00", "20.00", vouchers=[code])
    bought = here.buy("ann", "o-1", off("80.00", tenth="10.00", **{code: "10.00"}), quote="q-1")
    prices = bought.json["prices"]
    assert outcome(prices) == ("applied", "优惠 10.00。")
    assert [each["applied"] for each in prices["vouchers"]] == [True]
    assert (bought.granted("base"), bought.granted("double")) == (80, 80)
    assert prices["quote"]["text"]["zh-CN"] == "购物车与试算时不同：已退回试算所保留的部分并重新计算。"
    ended = held(here)
    assert (ended["status"], ended["order"]) == ("replaced", "o-1")
    (said,) = here.explanation("ann", bought.json["id"])["quotes"]
    assert said["text"]["zh-CN"] == "指明该试算的订单与之不符：先退回所保留的部分，再重新计算该订单。"


# --- a till that has no order yet -------------------------------------------------------------------------------------


def test_a_till_without_an_order_reserves_a_voucher_and_lets_go_of_it_and_its_cooldown(tell: Tell) -> None:
    here = story(tell)
    code, other = given(here), given(here)
    status, saved = here.call("POST", f"/v1/vouchers/{code}/reserve", {})
    assert (status, saved["voucher"]["status"], saved["voucher"]["order"]) == (200, "reserved", None)
    assert here.local(saved["voucher"]["reserved_until"]) == "2026-03-01 10:30"
    here.buy("ann", "o-1", "40.00", vouchers=[other], refused="voucher_cooldown")
    status, freed = here.call("POST", f"/v1/vouchers/{code}/release", {})
    assert (status, freed["voucher"]["status"]) == (200, "issued")
    assert here.call("POST", f"/v1/vouchers/{code}/release", {})[1]["code"] == "voucher_not_reserved"
    # The cooldown was given back with it.
    here.call("POST", f"/v1/vouchers/{other}/reserve", {"order": "o-2"})
    here.buy("ann", "o-3", "40.00", vouchers=[other], refused="voucher_reserved")
    assert here.call("POST", f"/v1/vouchers/{other}/release", {})[1]["code"] == "voucher_not_reserved"
    here.buy("ann", "o-2", "40.00", vouchers=[other])
    assert here.call("POST", f"/v1/vouchers/{code}/reserve", {})[1]["code"] == "voucher_cooldown"


def test_a_reservation_without_an_order_is_kept_for_the_members_next_one_until_its_time_is_over(tell: Tell) -> None:
    here = tell(shop(vouchers="ten: {gives: {off: 10.00}, hold: 15MIN}\nhi: {gives: {off: 1.00}, code: HELLO}"))
    here.enrol("ann", at="2026-03-01 10:00")
    here.enrol("bob")
    code = given(here)
    for each in (code, "hello"):
        status, _ = here.call("POST", f"/v1/vouchers/{each}/reserve", {"member": "ann"})
        assert status == 200
    here.buy("ann", "o-1", "40.00", vouchers=[code, "HELLO"])
    assert read(here, code)["order"] == "o-1"
    again = given(here)
    here.call("POST", f"/v1/vouchers/{again}/reserve", {})
    here.drift("2026-03-01 10:15")
    assert read(here, again)["status"] == "issued"
    # A code of everybody's has to be somebody's to be reserved.
    status, refused = here.call("POST", "/v1/vouchers/hello/reserve", {})
    assert (status, refused["errors"][0]["code"]) == (422, "member_missing")
    assert here.call("POST", f"/v1/vouchers/{again}/reserve", {"member": "bob"})[1]["code"] == "unknown_voucher"
