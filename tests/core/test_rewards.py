"""Rewards: what they cost, who may have them, what is given, and what comes back (each step keeps the laws)."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.facts import Fulfilled, LimitUsed, PoolClaimed
from laurels.core.member import Redemption
from tests.core.harness import Answer, World, shop

MUG: dict[str, Any] = {"gives": "goods", "price": {"wallet": "points", "points": 100}}
SILVER = {"id": "silver", "enter": "1000.00"}
TRACKS = {
    "club": {
        "measure": {"spent": "net"}, "window": "calendar_year", "holds_until": {"end_of": "next_window"},
        "tiers": [{"id": "member"}, SILVER, {"id": "gold", "enter": "5000.00"}],
    }
}  # fmt: skip
CARD = {"money": {"points": 1, "worth": "0.01"}, "expires": {"after": "24M"}}


def world(points: int = 1000, *, member: str = "m", wallet: dict[str, Any] | None = None, **rewards: Any) -> World:
    made = World(
        shop(
            wallet or {"expires": "never"},
            wallets={"card": CARD},
            tracks=TRACKS,
            causes={"trees": {"yearly": 500}},
            rewards=rewards,
        )
    )
    made.enrol(member)
    if points:
        made.adjust(points, member=member)
    return made


def redeem(
    w: World, reward: str = "mug", id: str = "r", *, member: str = "m", at: str | None = None, **more: Any
) -> Answer:
    return w.post(member, "redemption", {"redemption": id, "reward": reward, **more}, at=at)


def fulfil(w: World, state: str, id: str = "r", *, at: str | None = None, **more: Any) -> Answer:
    return w.post("m", "redemption_fulfilment", {"redemption": id, "state": state, **more}, at=at)


def kept(w: World, id: str = "r", member: str = "m") -> Redemption:
    found = w.look(member).documents[f"redemption/{id}"]
    assert isinstance(found, Redemption)
    return found


# --- what it costs ---


def test_a_piece_costs_its_price_and_so_many_pieces_so_many_times() -> None:
    w = world(mug=MUG)
    assert redeem(w, quantity=3).moved("available", "held") == 300
    assert kept(w).quantity == 3


@pytest.mark.parametrize(("spent", "price"), [(None, 500), ("1000.00", 400), ("5000.00", 300)])
def test_a_price_differs_by_tier(spent: str | None, price: int) -> None:
    tiers = {"member": 500, "silver": 400, "gold": 300}
    w = world(mug={**MUG, "price": {"wallet": "points", "points": tiers}})
    if spent:
        w.buy("o", spent)
    assert redeem(w).moved("available", "held") == price


def test_a_tier_without_a_price_cannot_buy() -> None:
    w = world(mug={**MUG, "price": {"wallet": "points", "points": {"silver": 400}}})
    assert redeem(w).code == "reward_not_for_member"


def test_the_first_price_whose_condition_holds_is_taken() -> None:
    prices = [
        {"wallet": "points", "points": 70, "when": "member.counters.purchases > 1"},
        {"wallet": "points", "points": 80, "when": "member.counters.purchases > 0"},
    ]
    w = world(mug={**MUG, "prices": prices})
    costs = []
    for n in range(3):
        costs.append(redeem(w, id=f"r{n}").moved("available", "held"))
        w.buy(f"o{n}", "1.00")
    assert costs == [100, 80, 70]


def test_a_price_by_value_is_rounded_once_a_piece() -> None:
    # 59.99 at 1.5 points for each 1.00 is 89.985, which is 90; two pieces are 180 and not 179.97.
    by_value = {"wallet": "points", "points": 1.5, "per": "1.00"}
    w = world(seat={"gives": "service", "value": "59.99", "price": by_value})
    assert redeem(w, "seat", quantity=2).moved("available", "held") == 180
    down = world(seat={"gives": "service", "value": "59.99", "price": {**by_value, "round": "down"}})
    assert redeem(down, "seat", quantity=2).moved("available", "held") == 178


def test_a_stated_value_is_asked_of_the_request_and_of_no_other() -> None:
    by_value = {"wallet": "points", "points": 10, "per": "1.00"}
    w = world(fare={"gives": {"partner": "air"}, "value": "stated", "price": by_value}, mug=MUG)
    assert redeem(w, "fare").code == "value_missing"
    assert redeem(w, "mug", value="5.00").code == "value_not_asked"
    assert redeem(w, "fare", value="12.30").moved("available", "held") == 123
    assert kept(w).value == 1230


MIX = {"least": "40%", "most": 90, "cash": {"points": 100, "worth": "1.25"}}


@pytest.mark.parametrize(
    ("pay", "points", "cash"),
    [
        # 100 points a piece, 40 to 90 of them with points; each other point is 1.25 cents, halves rounded up.
        (None, 90, 13),
        ({"points": 40}, 40, 75),
        ({"points": 41, "cash": "0.74"}, 41, 74),
        ({"points": 90, "cash": "0.13"}, 90, 13),
    ],
)
def test_a_mixed_price_is_paid_as_the_member_chooses(pay: dict[str, Any] | None, points: int, cash: int) -> None:
    w = world(mug={**MUG, "mix": MIX})
    answer = redeem(w) if pay is None else redeem(w, pay=pay)
    assert (answer.moved("available", "held"), kept(w).cash) == (points, cash)


@pytest.mark.parametrize(
    ("pay", "code"),
    [
        ({"points": 39}, "payment_out_of_range"),
        ({"points": 91}, "payment_out_of_range"),
        ({"points": 40, "cash": "0.74"}, "cash_mismatch"),
    ],
)
def test_a_mixed_price_has_its_bounds(pay: dict[str, Any], code: str) -> None:
    assert redeem(world(mug={**MUG, "mix": MIX}), pay=pay).code == code


def test_who_pays_the_wrong_money_is_told_how_much_it_is_in_the_programs_currency() -> None:
    refusal = redeem(world(mug={**MUG, "mix": MIX}), pay={"points": 40, "cash": "0.74"}).refusal
    assert refusal is not None
    assert refusal.detail == "It is CNY 0.75."


def test_without_a_mix_a_price_is_paid_with_points_alone() -> None:
    w = world(mug=MUG)
    assert redeem(w, pay={"points": 99}).code == "payment_out_of_range"
    assert redeem(w, pay={"points": 100, "cash": "0.00"}).code == "accepted"


# --- who may have it ---


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"when": "member.counters.purchases > 0"}, "reward_not_for_member"),
        ({"visible": 'member.tier.club == "gold"'}, "reward_not_for_member"),
        ({"during": {"from": "2026-02-01"}}, "reward_not_offered"),
        ({"during": {"until": "2025-12-31"}}, "reward_not_offered"),
        ({"during": {"weekly": [{"days": ["fri"]}]}}, "reward_not_offered"),
        ({"stock": 0}, "out_of_stock"),
        ({"price": {"wallet": "points", "points": 1001}}, "insufficient_points"),
    ],
)
def test_what_stands_in_the_way_is_said_and_nothing_is_written(words: dict[str, Any], code: str) -> None:
    w = world(mug={**MUG, **words})
    assert redeem(w).code == code
    assert (w.points(), w.pools) == ((1000, 0, 0, 0), {})


def test_a_reward_that_is_not_there_is_unknown() -> None:
    assert redeem(world(mug=MUG), "cup").code == "unknown_reward"


def test_stock_is_counted_in_pieces_and_limits_too() -> None:
    w = world(mug={**MUG, "stock": 5, "hold": "90D", "limits": [{"every": "month", "times": 3}]})
    assert redeem(w, quantity=4).code == "reward_limit_reached"
    redeem(w, id="a", quantity=2)
    assert redeem(w, id="b", quantity=2).code == "reward_limit_reached"
    redeem(w, id="b")
    assert redeem(w, id="c", at="2026-01-31 23:59").code == "reward_limit_reached"
    assert redeem(w, id="c", quantity=3, at="2026-02-01").code == "out_of_stock"
    redeem(w, id="c", quantity=2)
    assert w.pools["reward/mug/stock"] == 5


def test_the_limits_of_a_hundred_rewards_leave_the_root_as_it_was() -> None:
    many: dict[str, Any] = {
        f"mug_{n}": {**MUG, "limits": [{"every": "day", "times": 3}], "hold": "none"} for n in range(30)
    }
    w = world(3000, **many)
    before = len(w.members["m"].documents["root"])
    for n in range(30):
        redeem(w, f"mug_{n}", id=f"r{n}")
    assert len(w.members["m"].documents["root"]) <= before


# --- what comes back ---


@pytest.mark.parametrize("ends", ["cancel", "time out", "failed"])
def test_what_ends_a_redemption_gives_points_pieces_and_room_back_in_the_same_period_once(ends: str) -> None:
    w = world(mug={**MUG, "stock": 5, "limits": [{"every": "month", "times": 3}]})
    redeem(w, quantity=3, at="2026-01-20")
    if ends == "cancel":
        answer = w.cancel("r", at="2026-02-03")
    elif ends == "time out":
        answer = w.clock("2026-02-20")
    else:
        answer = fulfil(w, "failed", at="2026-02-03")
    assert (w.points(), w.pools["reward/mug/stock"]) == ((1000, 0, 0, 0), 0)
    assert [(fact.pool, fact.by) for fact in answer.of(PoolClaimed)] == [("reward/mug/stock", -3)]
    january = w.instant("2026-01-01")
    assert [(fact.period, fact.by) for fact in answer.of(LimitUsed)] == [(january, -3)]
    # Nobody can end it again.
    assert w.cancel("r").code == "redemption_not_held"
    assert fulfil(w, "failed").code == "redemption_not_held"
    # And in February there is room for three, of which January's were none.
    assert redeem(w, id="again", quantity=3).code == "accepted"
    assert redeem(w, id="more").code == "reward_limit_reached"


def test_a_reward_is_captured_whole() -> None:
    w = world(mug=MUG)
    redeem(w)
    assert w.capture("r", 60).code == "captured_whole"
    assert w.capture("r").moved("held", "redemption") == 100


def test_points_held_for_a_reward_pay_for_no_order() -> None:
    w = world(wallet={"expires": "never", "money": {"points": 100, "worth": "1.00"}}, mug=MUG)
    redeem(w)
    tender = {"kind": "points", "amount": "1.00", "redemption": "r"}
    assert w.buy("o", "1.00", tenders=[tender]).code == "points_tender_mismatch"


# --- on its way ---


def test_a_parcel_is_requested_packed_shipped_and_delivered_and_its_points_are_spent_when_it_leaves() -> None:
    w = world(mug={**MUG, "stock": 5})
    redeem(w)
    assert fulfil(w, "packed").moved("held", "redemption") == 0
    shipped = fulfil(w, "shipped", carrier="post", tracking="RR123")
    assert shipped.moved("held", "redemption") == 100
    assert [fact.tracking for fact in shipped.of(Fulfilled)] == ["RR123"]
    fulfil(w, "delivered")
    assert [step.state for step in kept(w).steps] == ["requested", "packed", "shipped", "delivered"]
    assert kept(w).status == "captured"


@pytest.mark.parametrize(
    ("way", "state"),
    [
        ([], "returned"), (["packed"], "packed"), (["shipped"], "packed"), (["delivered"], "failed"),
        (["delivered"], "shipped"), (["failed"], "packed"), (["delivered", "returned"], "delivered"),
    ],
)  # fmt: skip
def test_a_state_that_does_not_follow_is_refused(way: list[str], state: str) -> None:
    w = world(mug=MUG)
    redeem(w)
    for each in way:
        assert fulfil(w, each).code == "accepted"
    code = "redemption_not_held" if way == ["failed"] else "state_not_next"
    assert fulfil(w, state).code == code


def test_what_comes_back_gives_points_and_room_back_but_no_stock_unless_the_program_says_so() -> None:
    for words, left in (({}, 1), ({"fulfilment": {"returned": {"stock": "give_back"}}}, 0)):
        w = world(mug={**MUG, "stock": 5, "limits": [{"every": "year", "times": 1}], **words})
        redeem(w)
        fulfil(w, "delivered")
        assert w.points() == (900, 0, 0, 0)
        assert fulfil(w, "returned").moved("redemption", "available") == 100
        assert (w.points(), w.pools["reward/mug/stock"]) == ((1000, 0, 0, 0), left)
        assert redeem(w, id="again").code == "accepted"


def test_a_program_may_keep_points_spent_for_what_failed() -> None:
    w = world(mug={**MUG, "stock": 5, "fulfilment": {"failed": {"points": "keep", "stock": "give_back"}}})
    redeem(w)
    fulfil(w, "failed")
    assert (w.points(), w.pools["reward/mug/stock"], kept(w).status) == ((900, 0, 0, 0), 0, "captured")


def test_what_has_left_is_neither_cancelled_nor_timed_out() -> None:
    w = world(mug={**MUG, "fulfilment": {"shipped": {"points": "keep"}}})
    redeem(w)
    fulfil(w, "shipped")
    assert w.cancel("r").code == "state_not_next"
    w.clock("2026-06-01")
    assert kept(w).status == "held"
    assert fulfil(w, "delivered").moved("held", "redemption") == 100


def test_terms_are_those_of_the_version_under_which_it_was_redeemed() -> None:
    w = world(mug={**MUG, "stock": 5})
    redeem(w)
    w.publish(shop({"expires": "never"}, wallets={"card": CARD}, tracks=TRACKS), "2026-01-10")
    assert redeem(w, id="late", at="2026-01-11").code == "unknown_reward"
    assert fulfil(w, "shipped").moved("held", "redemption") == 100
    assert fulfil(w, "returned").moved("redemption", "available") == 100


def test_a_renamed_reward_goes_on_under_its_first_id() -> None:
    w = world(mug={**MUG, "stock": 2, "limits": [{"every": "year", "times": 2}]})
    redeem(w)
    cup = {**MUG, "was": "mug", "stock": 2, "limits": [{"every": "year", "times": 2}]}
    w.publish(shop({"expires": "never"}, wallets={"card": CARD}, tracks=TRACKS, rewards={"cup": cup}), "2026-01-10")
    assert redeem(w, "cup", id="two", quantity=2, at="2026-01-11").code == "out_of_stock"
    redeem(w, "cup", id="two")
    assert w.pools == {"reward/mug/stock": 2}
    w.cancel("r")
    assert w.pools == {"reward/mug/stock": 1}


# --- what is given ---


def test_a_gift_card_is_money_in_a_wallet_of_its_own_with_that_wallets_expiry() -> None:
    w = world(card={"gives": {"gift_card": "card", "amount": "5.00"}, "price": {"wallet": "points", "points": 400}})
    given = redeem(w, "card", quantity=2)
    assert given.moved("available", "held") == 800
    assert (w.points(), w.points("card")) == ((200, 0, 0, 0), (1000, 0, 0, 0))
    assert [w.text(lot.expires_at) for lot in w.lots("card")] == ["2028-01-01 00:00"]
    # It pays at the till like any points as money.
    w.redeem("pay", 1000, wallet="card", hold=True)
    assert w.buy("o", "10.00", tenders=[{"kind": "points", "amount": "10.00", "redemption": "pay"}]).code == "accepted"


def test_cashback_is_money_that_the_member_is_owed_until_it_is_paid_out() -> None:
    w = world(cash={"gives": {"cashback": "card", "amount": "5.00"}, "price": {"wallet": "points", "points": 500}})
    assert redeem(w, "cash").moved("issuance", "available", "card") == 500
    w.redeem("payout", 500, wallet="card", hold=True)
    assert w.capture("payout").moved("held", "redemption", "card") == 500


def test_a_donation_credits_its_cause_up_to_the_total_of_each_year() -> None:
    w = world(tree={"gives": {"donation": "trees"}, "price": {"wallet": "points", "points": 200}})
    redeem(w, "tree", quantity=2)
    assert w.pools == {"cause/trees/2026": 400}
    assert redeem(w, "tree", id="b").code == "cause_complete"
    redeem(w, "tree", id="b", at="2027-01-01")
    assert w.pools == {"cause/trees/2026": 400, "cause/trees/2027": 200}


# --- tier passes ---

PASS = {"gives": {"tier": "gold", "for": "3M"}, "price": {"wallet": "points", "points": 100}}


def standing(w: World) -> tuple[str, str | None]:
    found = w.look().root.tracks["club"]
    return found.tier, w.text(found.until)


def test_a_pass_gives_a_tier_for_its_time_and_then_the_member_stands_where_they_stood() -> None:
    w = world(gold=PASS)
    w.buy("o", "1000.00")
    assert standing(w) == ("silver", "2028-01-01 00:00")
    assert redeem(w, "gold", at="2026-02-01").tier_changes == [("gold", "pass")]
    assert standing(w) == ("gold", "2026-05-01 00:00")
    assert w.clock("2026-05-01").tier_changes == [("silver", "pass_ended")]
    assert standing(w) == ("silver", "2028-01-01 00:00")


def test_a_second_pass_goes_on_where_the_first_ends() -> None:
    w = world(gold=PASS)
    redeem(w, "gold")
    redeem(w, "gold", id="two", at="2026-02-01")
    assert standing(w) == ("gold", "2026-07-01 00:00")
    assert w.clock("2026-07-01").tier_changes == [("member", "pass_ended")]


def test_passes_end_within_a_hundred_years_and_come_by_themselves_one_at_a_time() -> None:
    year = {"gives": {"tier": "gold", "for": "1Y"}, "price": {"wallet": "points", "points": 1}, "automatic": 5000}
    w = world(gold=year)
    assert redeem(w, "gold", quantity=101).code == "reward_limit_reached"
    assert redeem(w, "gold", quantity=9000, id="many").code == "reward_limit_reached"
    assert redeem(w, "gold", quantity=99).tier_changes == [("gold", "pass")]
    assert standing(w) == ("gold", "2125-01-01 00:00")
    assert redeem(w, "gold", id="one").refusal is None
    assert redeem(w, "gold", id="another").code == "reward_limit_reached"
    other = world(gold=year)
    other.post("m", "choice", {"reward": "gold", "automatic": True})
    assert other.adjust(20_000).tier_changes == [("gold", "pass")]
    assert standing(other) == ("gold", "2027-01-01 00:00")


def test_a_tier_that_is_earned_during_a_pass_is_there_when_it_ends() -> None:
    w = world(gold=PASS)
    redeem(w, "gold")
    w.buy("o", "1000.00", at="2026-02-01")
    assert standing(w) == ("gold", "2026-04-01 00:00")
    assert w.clock("2026-04-01").tier_changes == [("silver", "earned")]
    assert standing(w) == ("silver", "2028-01-01 00:00")


def test_who_earns_the_tier_of_the_pass_keeps_it_as_earned() -> None:
    w = world(gold=PASS)
    redeem(w, "gold")
    w.buy("o", "5000.00", at="2026-02-01")
    assert standing(w) == ("gold", "2028-01-01 00:00")
    assert w.clock("2026-04-01").tier_changes == []
    assert redeem(w, "gold", id="two").code == "tier_not_higher"


def test_a_review_that_fell_due_during_a_pass_comes_when_it_ends() -> None:
    w = world(gold={**PASS, "gives": {"tier": "gold", "for": "12M"}})
    w.buy("o", "1000.00")
    redeem(w, "gold", at="2027-12-01")
    assert standing(w) == ("gold", "2028-12-01 00:00")
    # Silver was held until the end of 2027, and 2028 earned nothing.
    assert w.clock("2028-12-01").tier_changes == [("silver", "pass_ended"), ("member", "fell")]


def test_a_pass_ends_on_a_track_on_which_nobody_falls() -> None:
    tracks = {"club": {**TRACKS["club"], "fall": "never"}}
    w = World(shop({"expires": "never"}, tracks=tracks, rewards={"gold": PASS}))
    w.enrol()
    w.adjust(100)
    redeem(w, "gold")
    assert w.clock("2026-04-01").tier_changes == [("member", "pass_ended")]


def test_returns_during_a_pass_count_when_it_ends() -> None:
    tracks = {"club": {**TRACKS["club"], "on_return": "fall_back"}}
    w = World(shop({"expires": "never"}, tracks=tracks, rewards={"gold": PASS}))
    w.enrol()
    w.adjust(100)
    w.buy("o", "1000.00")
    redeem(w, "gold")
    assert w.give_back("o").tier_changes == []
    assert w.clock("2026-04-01").tier_changes == [("silver", "pass_ended"), ("member", "fell_back")]


# --- by itself ---

SELF = {**MUG, "gives": {"gift_card": "card", "amount": "1.00"}, "automatic": 250}


def choose(w: World, automatic: bool = True, **more: Any) -> Answer:
    return w.post("m", "choice", {"reward": "card", "automatic": automatic}, **more)


def test_points_turn_into_a_reward_by_themselves_where_the_member_has_chosen_it() -> None:
    w = world(0, card=SELF)
    w.adjust(200)
    choose(w)
    assert w.points("card")[0] == 0
    w.adjust(50)
    # 250 reach the threshold: one piece of 100, after which 150 do not.
    assert (w.points(), w.points("card")[0]) == ((150, 0, 0, 0), 100)
    w.buy("o", "320.00")
    # 470: at 470, 370 and 270 a piece each.
    assert (w.points(), w.points("card")[0]) == ((170, 0, 0, 0), 400)
    choose(w, False)
    w.adjust(1000)
    assert w.points() == (1170, 0, 0, 0)


def test_nothing_is_redeemed_while_the_member_is_merely_looked_at() -> None:
    w = world(0, wallet={"expires": "never", "pending": "7D"}, card=SELF)
    choose(w)
    w.buy("o", "300.00")
    assert w.points(at="2026-01-08") == (300, 0, 0, 0)
    w.clock("2026-01-08")
    assert (w.points(), w.points("card")[0]) == ((200, 0, 0, 0), 100)


def test_what_is_redeemed_by_itself_keeps_to_stock_and_limits() -> None:
    w = world(1000, card={**SELF, "stock": 5, "limits": [{"every": "day", "times": 3}]})
    choose(w)
    assert (w.points(), w.pools) == ((700, 0, 0, 0), {"reward/card/stock": 3})
    w.clock("2026-01-02")
    assert (w.points(), w.pools) == ((500, 0, 0, 0), {"reward/card/stock": 5})
    assert [key for key in w.look().documents if key.startswith("redemption/")] == [
        "redemption/auto:m:3:card", "redemption/auto:m:4:card"
    ]  # fmt: skip


def test_only_what_the_program_offers_for_that_can_be_chosen_and_its_ids_are_laurels_own() -> None:
    w = world(mug=MUG)
    assert w.post("m", "choice", {"reward": "mug", "automatic": True}).code == "not_automatic"
    assert w.post("m", "choice", {"reward": "cup", "automatic": True}).code == "unknown_reward"
    assert redeem(w, id="auto:m:9:mug").code == "duplicate_redemption"
