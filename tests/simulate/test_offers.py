"""A simulation says what promotions, vouchers, rewards and draws would have given on the orders of the past."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from laurels.core.activity import Activity, Purchase, parse
from laurels.core.calendar import parse_instant
from laurels.core.decide import Decision
from laurels.core.facts import LineOff, Offered, Priced, VoucherIssued
from laurels.core.refusal import Refusal
from laurels.core.version import Version, Versions
from laurels.simulate.given import (
    DrawFigures,
    Given,
    PromotionFigures,
    RewardFigures,
    VoucherFigures,
    called,
)
from laurels.simulate.replay import Replay
from tests.core.harness import program, shop

DAY = 86_400_000_000
AT = parse_instant("2026-03-01T10:00:00Z")
TENTH = {"tenth": {"gives": {"percent": "10%"}}}


class Past:
    """The orders of one member, lived through under a program."""

    def __init__(self, **parts: Any) -> None:
        self.versions = Versions((Version(1, 0, program(shop(**parts))),))
        declared = self.versions.declared
        assert declared is not None
        self.declared = declared
        self.replay = Replay(self.versions, self.reread)
        self.seq = 0
        self.send("enrol", {})

    def read(self, type: str, data: Mapping[str, Any], id: str = "x") -> Activity:
        at = AT + self.seq * DAY
        activity = parse(
            source="pos", id=id, type=type, member="m", occurred_at=at, data=json.dumps(data).encode(),
            declared=self.declared,
        )  # fmt: skip
        assert isinstance(activity, Activity), activity
        return activity

    def reread(self, body: bytes) -> Purchase:
        data = self.read("purchase", json.loads(body)).data
        assert isinstance(data, Purchase)
        return data

    def send(self, type: str, data: Mapping[str, Any], priced: Priced | None = None) -> Decision | Refusal:
        self.seq += 1
        return self.replay.submit(
            self.read(type, data, f"a-{self.seq}"), json.dumps(data).encode(), None, None, priced
        )  # fmt: skip

    def buy(self, order: str, *amounts: str, priced: Priced | None = None, **more: Any) -> Decision | Refusal:
        lines = [{"line": str(n), "amount": amount} for n, amount in enumerate(amounts, 1)]
        return self.send("purchase", {"order": order, "lines": lines, **more}, priced)

    @property
    def given(self) -> Given:
        return self.replay.figures.given

    @property
    def points(self) -> tuple[int, int]:
        wallet = self.replay.figures.wallet("points")
        return wallet.issued, wallet.returned


def test_a_new_promotion_is_taken_off_orders_of_the_past_and_points_are_earned_on_the_rest() -> None:
    past = Past(promotions=TENTH)
    past.buy("o-1", "60.00", "40.00")
    past.buy("o-2", "5.00")
    # 10.00 and 0.50; a point a yuan on 90.00 and 4.50.
    assert past.given.promotions == {"tenth": PromotionFigures(times=2, money=1050, taken=1050)}
    assert past.points == (94, 0)


def test_a_budget_is_used_up_by_orders_of_the_past_and_no_further() -> None:
    limits = [{"budget": "money", "of": "12.00", "over": "trim"}]
    past = Past(promotions={"tenth": {**TENTH["tenth"], "limits": limits}})
    for n in range(3):
        past.buy(f"o-{n}", "100.00")
    assert past.given.promotions["tenth"] == PromotionFigures(times=2, money=1200, taken=1200)
    assert past.given.used_of("promotions", "tenth", "money") == 1200


def test_what_the_promotions_of_then_took_off_is_put_back_and_what_a_till_gave_by_itself_stays() -> None:
    past = Past(promotions=TENTH)
    line = {"line": "1", "amount": "75.00", "discounts": [
        {"code": "old", "amount": "20.00"}, {"code": "staff", "amount": "5.00"},
    ]}  # fmt: skip
    then = Priced(1, (), (Offered("old", "applied", 2000, 2000, (LineOff("1", 2000),)),))
    past.send("purchase", {"order": "o-1", "lines": [line]}, then)
    # 95.00 before promotions, so 9.50 off and 85 points.
    assert past.given.promotions == {"tenth": PromotionFigures(times=1, money=950, taken=950)}
    assert past.points == (85, 0)


def test_a_promotion_that_is_gone_is_not_given() -> None:
    past = Past()
    line = {"line": "1", "amount": "80.00", "discounts": [{"code": "old", "amount": "20.00"}]}
    then = Priced(1, (), (Offered("old", "applied", 2000, 2000, (LineOff("1", 2000),)),))
    tenders = [{"kind": "cash", "amount": "80.00"}]
    past.send("purchase", {"order": "o-1", "lines": [line], "tenders": tenders}, then)
    assert past.given.promotions == {}
    assert past.points == (100, 0)


def test_the_same_promotion_gives_the_same_again() -> None:
    past = Past(promotions=TENTH)
    line = {"line": "1", "amount": "90.00", "discounts": [{"code": "tenth", "amount": "10.00"}]}
    then = Priced(1, (), (Offered("tenth", "applied", 1000, 1000, (LineOff("1", 1000),)),))
    for priced in (then, None):
        past.send("purchase", {"order": f"o-{priced is None}", "lines": [line]}, priced)
    assert past.given.promotions == {"tenth": PromotionFigures(times=2, money=2000, taken=2000)}
    assert past.points == (180, 0)


@pytest.mark.parametrize(
    "parts",
    [
        [{"line": "1", "amount": "33.33"}, {"line": "1", "amount": "33.33"}, {"line": "1", "amount": "33.34"}],
        [{"line": "1", "quantity": "1"}, {"line": "1", "quantity": "1"}, {"line": "1", "quantity": "1"}],
        [{"line": "1", "quantity": "1", "amount": "10.00"}, {"line": "1", "amount": "90.00"}],
        [{"line": "1", "quantity": "2"}, {"line": "1", "amount": "33.34"}],
        [{"line": "1"}],
    ],
)
def test_returns_bring_back_the_same_shares_of_another_price(parts: list[dict[str, str]]) -> None:
    past = Past(promotions=TENTH)
    line = {"line": "1", "amount": "100.00", "quantity": "3"}
    past.send("purchase", {"order": "o-1", "lines": [line]})
    for part in parts:
        assert isinstance(past.send("return", {"order": "o-1", "lines": [part]}), Decision)
    assert past.given.promotions["tenth"].returned == 1000
    assert past.points == (90, 90)
    assert isinstance(past.send("return", {"order": "o-1"}), Refusal)


def test_tenders_sum_to_the_other_price() -> None:
    past = Past(promotions=TENTH)
    tenders = [{"kind": "gift_card", "amount": "50.00"}, {"kind": "cash", "amount": "50.00"}]
    past.buy("o-1", "100.00", tenders=tenders)
    # 50.00 by gift card earn nothing; 40.00 in cash are left.
    assert past.points == (40, 0)


def test_vouchers_are_counted_by_kind() -> None:
    past = Past(
        vouchers={"ten": {"gives": {"off": "10.00"}}},
        campaigns={"gift": {"on": "purchase", "when": "purchase.total >= 100.00", "grant": {"voucher": "ten"}}},
    )
    bought = past.buy("o-1", "120.00")
    assert isinstance(bought, Decision)
    (code,) = [fact.code for fact in bought.facts if isinstance(fact, VoucherIssued)]
    past.buy("o-2", "30.00", vouchers=[code])
    assert past.given.vouchers == {"ten": VoucherFigures(issued=1, used=1, money=1000, taken=1000)}
    past.send("return", {"order": "o-2"})
    assert past.given.vouchers["ten"] == VoucherFigures(
        issued=1, used=1, money=1000, taken=1000, returned=1000, given_back=1
    )


def test_a_recorded_order_goes_without_a_voucher_that_is_not_there_and_one_of_a_file_is_refused() -> None:
    past = Past(vouchers={"ten": {"gives": {"off": "10.00"}}})
    then = Priced(1, (), (Offered("LEAF", "applied", 500, 500, (LineOff("1", 500),), voucher="five"),))
    past.buy("o-1", "25.00", vouchers=["leaf"], priced=then)
    assert past.points == (25, 0)
    line = {"line": "1", "amount": "20.00", "discounts": [{"code": "leaf", "amount": "5.00"}]}
    past.send("purchase", {"order": "o-2", "lines": [line]}, then)
    assert past.points == (50, 0)
    refused = past.buy("o-3", "25.00", vouchers=["leaf"])
    assert isinstance(refused, Refusal)
    assert refused.code == "unknown_voucher"


def test_a_choice_that_is_not_offered_any_more_is_not_made() -> None:
    past = Past(promotions=TENTH)
    past.buy("o-1", "100.00", choices={"gone": "tenth"}, priced=Priced(1, (), ()))
    assert past.points == (90, 0)


def test_a_reserved_quote_is_held_to() -> None:
    past = Past(promotions={"tenth": {**TENTH["tenth"], "limits": [{"budget": "times", "of": 1, "over": "refuse"}]}})
    cart = {"order": "o-1", "lines": [{"line": "1", "amount": "100.00"}]}
    past.send("quote", {"quote": "q-1", "cart": cart, "reserve": True})
    past.seq -= 1
    past.buy("o-2", "100.00")
    past.seq -= 1
    past.buy("o-1", "100.00", quote="q-1")
    assert past.given.promotions == {"tenth": PromotionFigures(times=1, money=1000, taken=1000)}
    assert past.points == (190, 0)


def test_rewards_are_counted_less_what_was_given_back() -> None:
    past = Past(
        rewards={"mug": {"gives": "goods", "price": {"wallet": "points", "points": 50}, "stock": 5, "hold": "1D"}}
    )
    past.buy("o-1", "200.00")
    past.send("redemption", {"redemption": "r-1", "reward": "mug", "quantity": 2})
    past.seq -= 1
    past.send("redemption_capture", {"redemption": "r-1"})
    past.send("redemption", {"redemption": "r-2", "reward": "mug"})
    past.seq -= 1
    past.send("redemption_cancel", {"redemption": "r-2"})
    assert past.given.rewards == {"mug": RewardFigures(redemptions=2, pieces=2, points=100, given_back=1)}
    assert past.given.used_of("rewards", "mug", "stock") == 2


def test_a_new_draw_grants_tickets_while_it_is_open() -> None:
    past = Past(
        campaigns={"chance": {"on": "purchase", "grant": {"tickets": "spring", "per": "10.00"}}},
        draws={
            "spring": {
                "opens": "2026-03-01",
                "closes": "2026-03-05",
                "draws_at": "2026-04-02",
                "claim": "10D",
                "prizes": {"mug": {"quantity": 1}},
            }
        },
        jurisdiction="none",
    )
    past.buy("o-1", "35.00")
    past.buy("o-2", "20.00")
    past.send("return", {"order": "o-2"})
    past.seq += 5
    past.buy("o-3", "99.00")
    assert past.given.draws == {"spring": DrawFigures(tickets=5, void=2, entered=3)}


def test_what_was_renamed_is_counted_as_what_it_is_now() -> None:
    first = program(shop(promotions={"old": TENTH["tenth"]}))
    now = program(shop(promotions={"new": {**TENTH["tenth"], "was": "old"}}))
    given = Given(
        promotions={"old": PromotionFigures(2, 30, 30), "new": PromotionFigures(1, 5, 5)},
        used={"campaign/old/money": 35, "code/old": 1},
    )
    found = called(given, [first], now)
    assert found.promotions == {"new": PromotionFigures(3, 35, 35)}
    assert found.used == {"campaign/new/money": 35, "code/old": 1}
