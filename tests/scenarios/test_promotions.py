"""Promotions at the till: quotes with prices and points, orders held to them or judged anew, returns, races."""

from __future__ import annotations

from decimal import Decimal

import pytest

from laurels.core.calendar import parse_instant
from tests.api.harness import Json
from tests.scenarios.answer import Answer
from tests.scenarios.document import cash, order_of, paid_with_points, shop
from tests.scenarios.story import Tell

TENTH = "tenth: {gives: {percent: 10%}}"
THRESHOLD = 'threshold: {gives: {steps: {spend: "300.00", off: "40.00"}}}'


def off(promotion: str, amount: str, paid: str, **words: Json) -> dict[str, Json]:
    """A line that a till took something off."""
    return {"amount": paid, "discounts": [{"code": promotion, "amount": amount}], **words}


def why(answer: Answer | Json) -> dict[str, tuple[str, str]]:
    """What became of each promotion, and the money it gives."""
    prices = answer.json["prices"] if isinstance(answer, Answer) else answer
    return {each["promotion"]: (each["code"], each["given"]) for each in prices["promotions"]}


def costs(prices: Json) -> tuple[str, str, str, list[tuple[str, str, str]]]:
    """What a cart costs before anything is taken off, what is, and what is left, in all and line by line."""
    lines = [(line["line"], line["before"], line["amount"]) for line in prices["lines"]]
    return prices["before"], prices["discount"], prices["total"], lines


def text(answer: Answer, promotion: str) -> str:
    (found,) = [each for each in answer.json["prices"]["promotions"] if each["promotion"] == promotion]
    return str(found["text"]["en"])


def test_a_quote_answers_prices_and_points_together_and_records_nothing(tell: Tell) -> None:
    here = tell(shop(promotions=f"{TENTH}\ndouble: {{gives: {{multiply: points, by: 2}}}}"))
    here.enrol("ann", at="2026-03-01")
    quoted = here.quote("ann", "80.00", "20.00")
    prices = quoted.json["prices"]
    assert (prices["before"], prices["discount"], prices["total"]) == ("100.00", "10.00", "90.00")
    assert [(line["line"], line["before"], line["amount"]) for line in prices["lines"]] == [
        ("1", "80.00", "72.00"),
        ("2", "20.00", "18.00"),
    ]
    assert prices["lines"][0]["discounts"] == [{"code": "tenth", "amount": "8.00"}]
    assert (quoted.granted("base"), quoted.granted("double")) == (90, 90)
    assert quoted.json["grants"] == [{"kind": "discount", "promotion": "tenth", "amount": "10.00"}]
    assert here.points("ann") == (0, 0, 0, 0)


def test_a_cart_of_which_nothing_is_taken_off_costs_what_its_lines_say(tell: Tell) -> None:
    here = tell(shop(promotions="elsewhere: {gives: {percent: 10%}, stores: s-9}"))
    here.enrol("ann", at="2026-03-01 10:00")
    bought = here.buy("ann", "o-1", "80", "20.00", id="r-1")
    again = here.buy("ann", "o-1", "80", "20.00", id="r-1")
    told = here.explanation("ann", "r-1")
    for prices in (
        here.quote("ann", "80", "20.00").json["prices"],
        bought.json["prices"],
        again.json["prices"],
        told["prices"],
    ):
        assert costs(prices) == ("100.00", "0.00", "100.00", [("1", "80.00", "80.00"), ("2", "20.00", "20.00")])
        assert why(prices) == {"elsewhere": ("outside_store", "0.00")}


def test_a_quote_says_what_a_cart_costs_where_the_program_takes_nothing_off(tell: Tell) -> None:
    here = tell(shop())
    here.enrol("ann", at="2026-03-01 10:00")
    whole = ("80.00", "0.00", "80.00", [("1", "80.00", "80.00")])
    assert costs(here.quote("ann", "80.00").json["prices"]) == whole
    assert costs(here.reserve("ann", "q-1", "80.00")) == whole
    assert costs(here.get("/v1/quotes/q-1")["prices"]) == whole
    for order, code in (("o-1", "kept"), ("o-2", "quote_used")):
        bought = here.buy("ann", order, "80.00", quote="q-1")
        assert (costs(bought.json["prices"]), bought.json["prices"]["quote"]["code"]) == (whole, code)
    assert here.buy("ann", "o-3", "80.00").json["prices"] is None, "no promotion and no quote was concerned"


def test_offers_that_exclude_each_other_are_both_shown_and_the_member_chooses(tell: Tell) -> None:
    here = tell(shop(promotions=f"{TENTH}\n{THRESHOLD}", groups="one: {mode: exclusive, of: [tenth, threshold]}"))
    here.enrol("ann", at="2026-03-01")
    both = here.quote("ann", "300.00")
    assert both.json["prices"]["contests"] == [
        {
            "group": "one",
            "offers": [{"id": "tenth", "amount": "30.00"}, {"id": "threshold", "amount": "40.00"}],
            "taken": "tenth",
        }
    ]
    chosen = here.quote("ann", "300.00", choices={"one": "threshold"})
    assert why(chosen) == {"tenth": ("not_chosen", "0.00"), "threshold": ("applied", "40.00")}
    assert text(chosen, "tenth") == "The member chose otherwise; 30.00 would have been taken off."
    bought = here.buy("ann", "o-1", off("threshold", "40.00", "260.00"), choices={"one": "threshold"})
    assert bought.json["prices"]["deviations"] == []
    here.buy("ann", "o-2", "20.00", choices={"one": "threshold"}, refused="choice_not_offered")
    here.buy("ann", "o-3", "20.00", choices={"two": "tenth"}, refused="unknown_choice")


def test_a_reserved_quote_is_kept_for_the_purchase_that_names_it(tell: Tell) -> None:
    here = tell(shop(promotions="tenth: {gives: {percent: 10%}, limits: [{budget: money, of: 10}]}"))
    for member in ("ann", "bob"):
        here.enrol(member, at="2026-03-01 10:00")
    prices = here.reserve("ann", "q-1", "100.00")
    assert (prices["total"], prices["quote"]["points"]) == ("90.00", {"points": 90})
    assert here.local(prices["quote"]["until"]) == "2026-03-01 10:30"
    assert here.reserve("ann", "q-1", "100.00") == prices, "asked for again, it is the same"
    here.reserve("ann", "q-1", "101.00", refused="duplicate_quote")
    assert why(here.quote("bob", "100.00")) == {"tenth": ("budget_exhausted", "0.00")}
    bought = here.buy("ann", "o-1", off("tenth", "10.00", "90.00"), quote="q-1", at="2026-03-01 10:20")
    assert bought.json["prices"]["quote"]["code"] == "kept"
    assert bought.granted("base") == 90
    told = here.explanation("ann", bought.json["id"])
    assert told["prices"]["quote"]["text"]["en"] == "It is held to what was quoted."
    # Ten yuan came off, so that a return brings ten yuan back to the budget.
    here.give_back("ann", "o-1")
    assert why(here.quote("bob", "100.00")) == {"tenth": ("applied", "10.00")}


def test_a_quote_that_nobody_used_gives_back_what_it_claimed(tell: Tell) -> None:
    here = tell(shop(promotions="tenth: {gives: {percent: 10%}, limits: [{budget: money, of: 10}]}"))
    for member in ("ann", "bob"):
        here.enrol(member, at="2026-03-01 10:00")
    here.reserve("ann", "q-1", "100.00")
    here.clock("2026-03-01 10:30")
    assert why(here.quote("bob", "100.00")) == {"tenth": ("applied", "10.00")}
    late = here.buy("ann", "o-1", off("tenth", "10.00", "90.00"), quote="q-1")
    assert late.json["prices"]["quote"]["code"] == "quote_timed_out"
    assert late.json["prices"]["quote"]["text"]["en"] == "The quote's time was over: judged anew."


def test_campaign_and_promotion_stopped_at_once_while_quotes_are_open(tell: Tell) -> None:
    double = "double: {on: purchase, grant: {wallet: points, multiply: base, by: 2}}"
    here = tell(shop(promotions=TENTH, campaigns=double))
    here.enrol("ann", at="2026-03-01 10:00")
    here.reserve("ann", "q-1", "100.00")
    assert here.quote("ann", "100.00").granted("double") == 90
    here.publish(shop(), "2026-03-01 10:05")
    kept = here.buy("ann", "o-1", off("tenth", "10.00", "90.00"), quote="q-1", at="2026-03-01 10:10")
    assert kept.json["prices"]["quote"]["code"] == "kept"
    assert kept.json["prices"]["quote"]["text"]["zh-CN"] == "按试算结果执行。"
    assert (kept.granted("base"), kept.granted("double")) == (90, 90)
    # The quote that was not reserved promised nothing: its order is judged anew.
    anew = here.buy("ann", "o-2", off("tenth", "10.00", "90.00"), quote="q-2")
    assert anew.json["prices"]["quote"]["text"]["en"] == "No such quote was reserved: judged anew."
    assert [each["campaign"] for each in anew.json["explanation"]] == ["base"]
    assert here.give_back("ann", "o-1").moved("available", "issuance") == 180


def test_its_owner_stops_a_campaign_and_a_promotion_with_a_reason_and_open_quotes_are_kept(tell: Tell) -> None:
    double = "double: {on: purchase, grant: {wallet: points, multiply: base, by: 2}}  # since spring"
    here = tell(shop(promotions=TENTH, campaigns=double))
    here.enrol("ann", at="2026-03-01 10:00")
    here.publish(shop(promotions=TENTH, campaigns=double), "2026-03-10")
    here.reserve("ann", "q-1", "100.00")
    here.clock("2026-03-01 10:05")
    for id in ("double", "tenth"):
        status, done = here.call("POST", f"/v1/program/campaigns/{id}/stop", {"reason": "it gave too much"})
        assert (status, here.local(done["ends_at"])) == (201, "2026-03-01 10:05"), done
        # What was scheduled would begin it again: it has the same end.
        assert [here.local(each["effective_at"]) for each in done["versions"]] == [
            "2026-03-01 10:05",
            "2026-03-10 00:00",
        ]
    newest = here.get("/v1/program/versions?limit=1")["items"][0]["number"]
    document = here.get(f"/v1/program/versions/{newest}")["document"]
    assert "# since spring" in document
    assert document.endswith("# promotions/tenth stopped at 2026-03-01T10:05:00+08:00: it gave too much\n")
    kept = here.buy("ann", "o-1", off("tenth", "10.00", "90.00"), quote="q-1", at="2026-03-01 10:10")
    assert kept.json["prices"]["quote"]["text"]["zh-CN"] == "按试算结果执行。"
    assert kept.granted("double") == 90
    for at in ("2026-03-01 10:11", "2026-03-12"):
        anew = here.buy("ann", f"o {at}", "100.00", at=at)
        assert anew.why("double") == ("outside_window", 0, 0)
        assert why(anew) == {"tenth": ("outside_window", "0.00")}
        told = {each["campaign"]: each["text"] for each in here.explanation("ann", anew.json["id"])["campaigns"]}
        assert told["double"] == {
            "en": "It does not run at the instant of the activity.",
            "zh-CN": "行为发生时，本营销活动不在有效期内。",
        }
    for id in ("double", "none"):
        status, refused = here.call("POST", f"/v1/program/campaigns/{id}/stop", {"reason": "again"})
        assert (status, refused["code"]) == (409, "nothing_to_stop")


def test_in_a_live_program_it_ends_after_the_notice_that_every_version_has(tell: Tell) -> None:
    here = tell(shop(promotions=TENTH), mode="live")
    status, done = here.call("POST", "/v1/program/campaigns/tenth/stop", {"reason": "it gave too much"})
    assert status == 201, done
    (version,) = done["versions"]
    notice = parse_instant(done["ends_at"]) - parse_instant(version["published_at"])
    assert 10_000_000 <= notice < 20_000_000
    assert parse_instant(version["effective_at"]) == parse_instant(done["ends_at"])


def test_an_order_without_a_quote_is_judged_anew_and_the_difference_told(tell: Tell) -> None:
    here = tell(shop(promotions=TENTH))
    here.enrol("ann", at="2026-03-01")
    bought = here.buy("ann", "o-1", off("tenth", "15.00", "85.00"), "50.00")
    assert why(bought) == {"tenth": ("applied", "15.00")}
    assert bought.json["prices"]["deviations"] == [
        {"line": "1", "promotion": "tenth", "amount": "5.00"},
        {"line": "2", "promotion": "tenth", "amount": "-5.00"},
    ]
    assert bought.granted("base") == 135, "points are earned on what was paid"


@pytest.mark.parametrize(
    ("took", "en", "zh"),
    [
        (None, "It comes to 20.00; the till took 0.00 off.", "应优惠 20.00；收银台实际优惠 0.00。"),
        ("15.00", "It comes to 20.00; the till took 15.00 off.", "应优惠 20.00；收银台实际优惠 15.00。"),
        ("20.00", "It takes 20.00 off.", "优惠 20.00。"),
        ("25.00", "It comes to 20.00; the till took 25.00 off.", "应优惠 20.00；收银台实际优惠 25.00。"),
    ],
    ids=["nothing", "less", "as given", "more"],
)
def test_of_an_order_that_was_not_quoted_figures_and_sentence_say_what_the_till_took(
    tell: Tell, took: str | None, en: str, zh: str
) -> None:
    here = tell(shop(promotions=TENTH))
    here.enrol("ann", at="2026-03-01")
    fen = 0 if took is None else int(took.replace(".", ""))
    lines = "200.00" if took is None else off("tenth", took, f"{(20000 - fen) / 100:.2f}")
    bought = here.buy("ann", "o-1", lines)
    # A tenth of 200.00. What counts as taken off is what the till took, as far as it is given.
    prices = bought.json["prices"]
    assert prices["discount"] == f"{min(fen, 2000) / 100:.2f}"
    (outcome,) = prices["promotions"]
    assert (outcome["given"], outcome["taken"]) == ("20.00", None if took == "20.00" else took or "0.00")
    assert outcome["text"] == {"en": en, "zh-CN": zh}
    # Whoever asks later is told the same.
    assert here.explanation("ann", bought.json["id"])["prices"]["promotions"] == [outcome]


def test_of_what_is_not_new_to_the_member_it_is_said_that_nothing_is_new(tell: Tell) -> None:
    here = tell(shop(promotions="aisle: {gives: {wallet: points, points: 50, new: category}}"))
    here.enrol("ann", at="2026-03-01")
    tea = {"amount": "10.00", "category": "tea"}
    first, again = here.buy("ann", "o-1", tea), here.buy("ann", "o-2", tea)
    for bought in (first, again):
        (told,) = [
            each for each in here.explanation("ann", bought.json["id"])["campaigns"] if each["campaign"] == "aisle"
        ]
        assert (told["code"], told["text"]) == (
            "nothing_new",
            {
                "en": "Nothing that it selects counts as new to the member.",
                "zh-CN": "所选商品均不计为该会员的新商品或新品类。",
            },
        )
    assert here.buy("ann", "o-3", {"amount": "10.00", "category": "cups"}).granted("aisle") == 50


def test_a_promotion_that_does_not_apply_says_why_and_what_the_till_took_for_it(tell: Tell) -> None:
    here = tell(shop(promotions=THRESHOLD))
    here.enrol("ann", at="2026-03-01")
    (outcome,) = here.buy("ann", "o-1", off("threshold", "40.00", "60.00")).json["prices"]["promotions"]
    assert (outcome["applied"], outcome["given"], outcome["taken"]) == (False, "0.00", "40.00")
    assert outcome["text"]["en"] == (
        "The selected lines do not reach its first step. The till took 40.00 off all the same."
    )
    assert outcome["text"]["zh-CN"] == "所选商品未达到门槛金额。收银台仍优惠了 40.00。"


def test_partial_return_of_an_order_with_threshold_discount_points_as_money_and_a_bonus(tell: Tell) -> None:
    """The discount stays allocated, points go back to their lots, the bonus goes once its condition does."""
    bonus = "bonus: {on: purchase, when: purchase.total >= 200.00, grant: {wallet: points, fixed: 50}}"
    here = tell(shop('{money: {points: 1, worth: "1.00"}}', promotions=THRESHOLD, campaigns=bonus))
    here.enrol("ann", at="2026-03-01")
    here.adjust("ann", 60)
    here.hold("ann", "r-1", 60)
    # 200.00 and 100.00 less 40.00: 26.67 and 13.33. 260.00, of which points pay 60.00.
    lines = [off("threshold", "26.67", "173.33"), off("threshold", "13.33", "86.67")]
    tenders = [paid_with_points("r-1", "60.00"), cash("200.00")]
    bought = here.buy("ann", "o-1", *lines, tenders=tenders)
    assert bought.json["prices"]["deviations"] == []
    # Points on 200.00: 173.33 - 40.00 is 133.33, 86.67 - 20.00 is 66.67.
    assert (bought.granted("base"), bought.granted("bonus")) == (200, 50)
    assert here.points("ann") == (250, 0, 0, 0)
    back = here.give_back("ann", "o-1", "2")
    # 86.67 comes back: 20.00 of it in points, the rest in cash; no more of the discount than was on that line.
    assert back.json["grants"] == [{"kind": "discount", "promotion": "threshold", "amount": "-13.33"}]
    told = here.explanation("ann", back.json["id"])
    assert told["returned"]["paid_back"] == [{"tender": 0, "amount": "20.00"}, {"tender": 1, "amount": "66.67"}]
    assert told["returned"]["points_given_back"] == {"r-1": 20}
    # 173.33 is below 200.00: the bonus goes. The threshold of 300.00 is not judged again.
    assert back.why("bonus")[0] == "no_longer_qualifies"
    rest = here.give_back("ann", "o-1")
    assert rest.json["grants"] == [{"kind": "discount", "promotion": "threshold", "amount": "-26.67"}]
    assert here.points("ann") == (60, 0, 0, 0)


def test_exchange_is_a_return_and_a_purchase_that_is_judged_by_itself(tell: Tell) -> None:
    here = tell(shop(promotions=THRESHOLD))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", off("threshold", "26.67", "173.33"), off("threshold", "13.33", "86.67"))
    back = here.give_back("ann", "o-1", "2")
    (taken,) = here.explanation("ann", back.json["id"])["campaigns"]
    assert taken["text"] == {
        "en": "The return takes back 87 of what it granted.",
        "zh-CN": "因退货收回已发放的 87。",
    }
    instead = here.buy("ann", "o-2", "110.00")
    assert why(instead) == {"threshold": ("below_threshold", "0.00")}
    (said,) = instead.json["prices"]["promotions"]
    assert said["text"]["zh-CN"] == "所选商品未达到门槛金额。"
    # 260 points are 173 and 87 on the lines, by largest remainder; 87 go back, 110 are new.
    assert here.points("ann") == (260 - 87 + 110, 0, 0, 0)


def test_price_adjustment_after_the_sale_takes_back_the_points_on_it_and_leaves_the_goods(tell: Tell) -> None:
    here = tell(shop(promotions="tenth: {gives: {percent: 10%}, limits: [{budget: money, of: 10}]}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", off("tenth", "10.00", "90.00"))
    adjusted = here.give_back("ann", "o-1", {"line": "1", "quantity": "0", "amount": "9.00"})
    assert adjusted.moved("available", "issuance") == 9
    assert adjusted.json["grants"] == [{"kind": "discount", "promotion": "tenth", "amount": "-1.00"}]
    told = here.explanation("ann", adjusted.json["id"])
    assert told["returned"]["lines"] == [{"line": "1", "quantity": "0", "amount": "9.00"}]
    assert [each["text"]["zh-CN"] for each in told["campaigns"]] == ["因退货收回已发放的 9。"]
    here.give_back("ann", "o-1", {"line": "1", "quantity": "1", "amount": "81.00"})
    assert here.points("ann") == (0, 0, 0, 0)


def test_a_budget_of_money_is_never_overdrawn_by_quotes_and_tills_at_once(tell: Tell) -> None:
    here = tell(shop(promotions="tenth: {gives: {percent: 10%}, limits: [{budget: money, of: 35}]}"))
    members = [f"m-{n}" for n in range(8)]
    for member in members:
        here.enrol(member, at="2026-03-01")
    requests: list[tuple[str, Json]] = []
    for n, member in enumerate(members):
        if n < 4:
            cart = {"lines": [{"line": "1", "amount": "100.00"}]}
            requests.append(("/v1/quotes", {"member": member, "id": f"q-{n}", "reserve": True, "data": cart}))
        else:
            order = order_of(f"o-{n}", off("tenth", "10.00", "90.00"))
            requests.append(("/v1/activities", here.activity(member, "purchase", order)))
    answers = here.at_once(*requests)
    given = [Decimal(answer["prices"]["discount"]) for _status, answer in answers]
    assert sum(given) == 35


def test_promotions_run_in_their_stores_and_channels(tell: Tell) -> None:
    here = tell(shop(promotions="tenth: {gives: {percent: 10%}, stores: s-1, channels: [app]}"))
    here.enrol("ann", at="2026-03-01")
    assert why(here.quote("ann", "10.00", store="s-1", channel="app")) == {"tenth": ("applied", "1.00")}
    assert why(here.quote("ann", "10.00", store="s-2", channel="app")) == {"tenth": ("outside_store", "0.00")}
    assert why(here.quote("ann", "10.00", store="s-1")) == {"tenth": ("outside_channel", "0.00")}
    assert text(here.quote("ann", "10.00"), "tenth") == "It does not run in that store."


def test_points_for_another_category_are_taken_back_with_its_goods(tell: Tell) -> None:
    here = tell(shop(promotions="cross: {gives: {wallet: points, points: 50, new: category}}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", {"amount": "10.00", "category": "tea"})
    other = here.buy("ann", "o-2", {"amount": "10.00", "category": "cups"}, {"amount": "5.00", "category": "tea"})
    assert other.granted("cross") == 50
    assert here.explanation("ann", other.json["id"])["campaigns"][-1]["says"]["grants"] == [
        "{wallet: points, fixed: 50}"
    ]
    assert here.give_back("ann", "o-2", "1").why("cross")[0] == "no_longer_qualifies"
