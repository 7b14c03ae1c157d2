"""Rewards, from the catalogue to the parcel that comes back, as members and shops see them."""

import pytest

from tests.api.harness import Json
from tests.scenarios.answer import kinds
from tests.scenarios.document import shop
from tests.scenarios.story import Story, Tell

REWARDS = """
mug:
  name: {en: Mug, zh-CN: 马克杯}
  about: {en: It holds coffee., zh-CN: 装咖啡。}
  picture: https://example.org/mug.png
  gives: goods
  price: {wallet: points, points: 100}
  mix: {least: 40%, cash: {points: 100, worth: "1.25"}}
  stock: 3
  limits: [{every: month, times: 2}]
  hold: 90D
seat: {gives: experience, price: {wallet: points, points: 700}, visible: member.counters.purchases > 0}
lounge: {gives: service, price: {wallet: points, points: 10}, when: member.counters.purchases > 5}
fare: {gives: {partner: air}, value: stated, price: {wallet: points, points: 10, per: "1.00"}}
tree: {gives: {donation: trees}, price: {wallet: points, points: 50}}
card: {gives: {gift_card: card, amount: "5.00"}, price: {wallet: points, points: 100}, automatic: 1000}
"""


def market(tell: Tell, points: str = "{expires: {after: 12M}}", *, document: str = REWARDS) -> Story:
    """Ann has 300 points until June and 200 until September. Nothing is earned."""
    wallets = 'card: {money: {points: 1, worth: "0.01"}}'
    base = "{on: check_in, grant: {wallet: points, fixed: 1}}"
    here = tell(shop(points, base=base, wallets=wallets, causes="trees: {yearly: 80}\nseas: {}", rewards=document))
    here.enrol("ann", at="2026-03-01")
    here.adjust("ann", 300, expires="2026-06-01")
    here.adjust("ann", 200, expires="2026-09-01")
    return here


def redeem(here: Story, reward: str = "mug", id: str = "r", *, refused: str | None = None, **more: Json) -> Json:
    body = {"id": id, "member": "ann", "reward": reward, **more}
    return here._redemption("/v1/redemptions", body, refused)


def fulfil(here: Story, state: str, id: str = "r", *, refused: str | None = None, **more: Json) -> Json:
    return here._redemption(f"/v1/redemptions/{id}/fulfilment", {"state": state, **more}, refused)


def left(here: Story, reward: str = "mug") -> int:
    found = {each["id"]: each for each in here.get("/v1/rewards")["items"]}
    return int(found[reward]["stock"]["left"])


def correct(here: Story, by: int, reward: str = "mug", key: str | None = None) -> Json:
    status, done = here.call("POST", f"/v1/rewards/{reward}/stock", {"by": by, "reason": "counted"}, key=key)
    assert status == 200, done
    return done


def within_reach(here: Story) -> dict[str, tuple[bool, list[str]]]:
    found = here.get("/v1/members/ann/rewards")["items"]
    return {each["id"]: (each["within_reach"], [lack["code"] for lack in each["missing"]]) for each in found}


# --- the catalogue ---


def test_the_catalogue_says_in_both_languages_what_there_is_page_by_page(tell: Tell) -> None:
    here = market(tell)
    first = here.get("/v1/rewards?limit=2")
    assert [each["id"] for each in first["items"]] == ["mug", "seat"]
    mug = first["items"][0]
    assert (mug["name"], mug["picture"]) == ({"en": "Mug", "zh-CN": "马克杯"}, "https://example.org/mug.png")
    assert mug["stock"] == {"pieces": 3, "left": 3}
    rest = here.get(f"/v1/rewards?limit=200&cursor={first['next_cursor']}")
    assert ([each["id"] for each in rest["items"]], rest["next_cursor"]) == (["lounge", "fare", "tree", "card"], None)


def test_causes_and_what_a_member_can_have_come_page_by_page(tell: Tell) -> None:
    here = market(tell)
    for path in ("/v1/members/ann/rewards", "/v1/causes"):
        whole = here.get(path)
        assert whole["next_cursor"] is None
        found: list[Json] = []
        cursor: str | None = ""
        while cursor is not None:
            page = here.get(f"{path}?limit=1{cursor and f'&cursor={cursor}'}")
            assert len(page["items"]) == 1
            found += page["items"]
            cursor = page["next_cursor"]
        assert found == whole["items"]
    # What the member does not see, the second of all, leaves no hole.
    assert [each["id"] for each in here.get("/v1/members/ann/rewards?limit=2")["items"]] == ["mug", "lounge"]


def test_the_list_a_member_gets_says_what_is_within_reach_and_what_is_missing(tell: Tell) -> None:
    here = market(tell)
    # Seats are seen by those who have bought something, of which Ann has not.
    assert within_reach(here) == {
        "mug": (True, []),
        "lounge": (False, ["reward_not_for_member"]),
        "fare": (False, ["value_missing"]),
        "tree": (True, []),
        "card": (True, []),
    }
    here.buy("ann", "o", "1.00")
    shown = {each["id"]: each for each in here.get("/v1/members/ann/rewards")["items"]}
    seat = shown["seat"]
    assert (seat["missing_points"], seat["missing"][0]["detail"]) == (200, "700 wanted, 500 available.")
    assert seat["missing"][0]["message"]["zh-CN"] == "可用积分不足。"
    price = shown["mug"]["price"]
    assert (price["points"], price["least"], price["most"]) == (100, 40, 100)
    assert (price["cash"]["amount"], price["cash_at_least_points"]["amount"]) == ("0.00", "0.75")


def test_what_the_list_says_is_what_a_redemption_gets(tell: Tell) -> None:
    here = market(tell)
    for reward, (reachable, codes) in within_reach(here).items():
        value = {"amount": "1.00", "currency": "CNY"}
        if reward == "fare":
            redeem(here, reward, refused=codes[0])
            redeem(here, reward, id=reward, value=value)
        elif reachable:
            redeem(here, reward, id=reward)
        else:
            redeem(here, reward, id=reward, refused=codes[0])


# --- the way of a mug ---


def test_a_mug_is_held_packed_sent_delivered_and_comes_back(tell: Tell) -> None:
    here = market(tell)
    held = redeem(here, quantity=2, pay={"points": 150, "cash": {"amount": "0.63", "currency": "CNY"}})
    # 50 of 200 points are 0.625 in money, halves up.
    assert (held["status"], held["points"], held["cash"]["amount"]) == ("held", 150, "0.63")
    assert (here.points("ann"), left(here)) == ((350, 0, 150, 0), 1)
    fulfil(here, "packed")
    sent = fulfil(here, "shipped", carrier="post", tracking="RR123")
    assert (sent["status"], sent["fulfilment"][-1]["tracking"]) == ("captured", "RR123")
    here.cancel("r", refused="redemption_not_held")
    fulfil(here, "packed", refused="state_not_next")
    fulfil(here, "delivered")
    back = fulfil(here, "returned")
    assert ([step["state"] for step in back["fulfilment"]], back["spent"]) == (
        ["requested", "packed", "shipped", "delivered", "returned"], 0,
    )  # fmt: skip
    # What comes back is looked at before it is stock again: a correction puts it there.
    assert (here.points("ann"), left(here)) == ((500, 0, 0, 0), 1)
    correct(here, 2)
    assert left(here) == 3


def test_what_is_sold_in_the_shop_goes_the_same_way_at_once(tell: Tell) -> None:
    here = market(tell)
    assert redeem(here, hold=False)["status"] == "captured"
    assert fulfil(here, "delivered")["fulfilment"][-1]["state"] == "delivered"


def test_a_redemption_asked_for_again_gets_its_answer_again_and_takes_nothing_more(tell: Tell) -> None:
    here = market(tell)
    first = redeem(here)
    assert redeem(here) == first
    assert left(here) == 2
    redeem(here, "card", refused="duplicate_redemption")


def test_a_hold_that_times_out_gives_the_piece_and_the_room_back(tell: Tell) -> None:
    here = market(tell)
    redeem(here, quantity=2)
    here.clock("2026-05-29")
    assert left(here) == 1
    here.clock("2026-05-31")
    assert (left(here), here.redemption("r")["status"]) == (3, "timed_out")


# --- what goes wrong in practice ---


@pytest.mark.parametrize(("grace", "graced", "expired"), [("", 0, 300), (", restore_grace: 7D", 300, 0)])
def test_cancelled_redemption_after_the_lots_expired(tell: Tell, grace: str, graced: int, expired: int) -> None:
    """The outcome says what was restored and what was not, and the explanation says why."""
    document = REWARDS.replace("hold: 90D", "hold: 1Y").replace("times: 2", "times: 3")
    here = market(tell, f"{{expires: {{after: 12M}}{grace}}}", document=document)
    redeem(here, quantity=3)
    redeem(here, "card", id="other")
    # 300 of June are held for mugs; the card took 100 of September. 100 of September are left.
    here.clock("2026-06-10")
    status, answered = here.call("POST", "/v1/redemptions/r/cancel", {}, key="once")
    assert status == 200, answered
    back = answered["given_back"]
    assert (back["points"], back["restored"]) == (300, 0)
    assert (back["graced"], back["expired"]) == (graced, expired)
    assert here.local(back["graced_until"]) == ("2026-06-17 00:00" if graced else None)
    assert left(here) == 3
    why = here.get(f"/v1/members/ann/explanations/pos/{answered['activity']['id']}")
    assert why["reasons"]["cancelled"] == {
        "en": "The redemption was cancelled; the points went back.",
        "zh-CN": "兑换取消，积分退回。",
    }
    assert ("expired_while_held" in why["reasons"]) == bool(expired)
    if expired:
        assert why["reasons"]["expired_while_held"]["zh-CN"] == "冻结期间已过期。"
    assert here.points("ann")[0] == 100 + graced
    if graced:
        here.clock("2026-06-17")
        assert here.points("ann")[0] == 100


def test_stock_corrected_below_what_is_held_keeps_what_is_held_and_gives_nothing_more(tell: Tell) -> None:
    here = market(tell)
    redeem(here, quantity=2)
    assert correct(here, -2)["stock"] == {"pieces": 3, "left": -1}
    assert within_reach(here)["mug"] == (False, ["out_of_stock", "reward_limit_reached"])
    (mug,) = [each for each in here.get("/v1/members/ann/rewards")["items"] if each["id"] == "mug"]
    assert [each["message"]["zh-CN"] for each in mug["missing"]] == ["库存不足。", "已达该奖品的会员兑换上限。"]
    # What is held stays held, and goes its way.
    assert fulfil(here, "shipped")["status"] == "captured"
    here.enrol("bob")
    here.adjust("bob", 100)
    status, refused = here.call("POST", "/v1/redemptions", {"id": "b", "member": "bob", "reward": "mug"})
    assert (status, refused["code"], refused["detail"]) == (409, "out_of_stock", "0 left.")
    # A parcel that failed brings its pieces back, of which one was never there.
    fulfil(here, "failed")
    assert left(here) == 1


def test_a_correction_sent_twice_with_its_key_is_made_once(tell: Tell) -> None:
    here = market(tell)
    first = correct(here, -1, key="k")
    assert correct(here, -1, key="k") == first
    assert left(here) == 2
    status, found = here.call("POST", "/v1/rewards/tree/stock", {"by": 1, "reason": "x"})
    assert (status, found["code"]) == (409, "stock_not_counted")


def test_corrections_of_stock_are_listed_with_who_made_them_when_and_why_the_newest_first(tell: Tell) -> None:
    here = market(tell)
    for n, by in enumerate((2, -1, -3), 1):
        here.clock(f"2026-03-0{n} 12:00")
        correct(here, by)
    first = here.get("/v1/rewards/mug/stock?limit=2")
    told = [(each["number"], each["by"], here.local(each["corrected_at"])) for each in first["items"]]
    assert told == [(3, -3, "2026-03-03 12:00"), (2, -1, "2026-03-02 12:00")]
    assert {(each["source"], each["reason"]) for each in first["items"]} == {("pos", "counted")}
    rest = here.get(f"/v1/rewards/mug/stock?limit=2&cursor={first['next_cursor']}")
    assert ([each["by"] for each in rest["items"]], rest["next_cursor"]) == ([2], None)
    assert here.call("GET", "/v1/rewards/tree/stock")[1]["code"] == "stock_not_counted"
    assert here.call("GET", "/v1/rewards/none/stock")[1]["code"] == "unknown_reward"


def test_two_members_redeem_the_last_piece(tell: Tell) -> None:
    here = market(tell)
    here.enrol("bob")
    here.adjust("bob", 500)
    correct(here, -2)
    answers = here.at_once(
        ("/v1/redemptions", {"id": "a", "member": "ann", "reward": "mug"}),
        ("/v1/redemptions", {"id": "b", "member": "bob", "reward": "mug"}),
    )
    assert kinds(answers) == {"": 1, "out_of_stock": 1}
    (refused,) = [body for _status, body in answers if body.get("code") == "out_of_stock"]
    assert (refused["title"], refused["detail"]) == ("Not so many pieces are left.", "0 left.")
    assert left(here) == 0
    # When they look again both are told why, in both languages.
    for member in ("ann", "bob"):
        found = {each["id"]: each for each in here.get(f"/v1/members/{member}/rewards")["items"]}["mug"]
        (missing,) = [each for each in found["missing"] if each["code"] == "out_of_stock"]
        assert missing["message"] == {"en": "Not so many pieces are left.", "zh-CN": "库存不足。"}
        assert (found["within_reach"], missing["detail"]) == (False, "0 left.")


# --- what is given ---


def test_points_donated_are_credited_to_the_cause_up_to_its_total(tell: Tell) -> None:
    here = market(tell)
    redeem(here, "tree")
    cause, _other = here.get("/v1/causes")["items"]
    assert (cause["year"], cause["points"], cause["most"]) == (2026, 50, 80)
    redeem(here, "tree", id="again", refused="cause_complete")


def test_a_reward_is_redeemed_by_itself_and_found_by_its_id(tell: Tell) -> None:
    here = market(tell)
    here.post("ann", "choice", {"reward": "card", "automatic": True})
    here.adjust("ann", 500)
    # 1,000 reach the threshold: one card of 100, after which 900 do not.
    assert (here.points("ann")[0], here.points("ann", "card")[0]) == (900, 500)
    chosen = {each["id"]: each["chosen"] for each in here.get("/v1/members/ann/rewards")["items"]}
    assert (chosen["card"], chosen["mug"]) == (True, False)
    found = here.get("/v1/redemptions/auto:ann:5:card")
    assert (found["reward"], found["status"], found["points"]) == ("card", "captured", 100)
    worth = {"amount": "5.00", "currency": "CNY"}
    assert found["given"]["value"] == {"kind": "gift_card", "wallet": "card", "points": 500, "worth": worth}
    redeem(here, "card", id="auto:ann:9:card", refused="duplicate_redemption")


def test_a_partners_reference_is_kept(tell: Tell) -> None:
    here = market(tell)
    redeem(here, "fare", value={"amount": "12.30", "currency": "CNY"})
    assert fulfil(here, "delivered", reference="PNR7")["fulfilment"][-1]["reference"] == "PNR7"
