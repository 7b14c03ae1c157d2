"""Segments as members, tills and service agents see them, proven at the end like every story."""

from tests.api.harness import Json
from tests.scenarios.document import shop
from tests.scenarios.story import Story, Tell

SEGMENTS = """
regular: {name: {en: Regulars, zh-CN: 常客}, when: member.counters.purchases >= 2}
rich: {when: member.wallets.points.available >= 100}
spring: {when: at.month == 4}
"""
CAMPAIGNS = """
thanks:
  on: purchase
  when: '"regular" in member.segments && purchase.total >= 50.00'
  grant: {wallet: points, fixed: 20}
"""
PROMOTIONS = """
spring_price: {gives: {percent: 10%}, when: '"spring" in member.segments'}
"""
REWARDS = """
mug:
  gives: service
  hold: none
  price: {wallet: points, points: 100}
  prices: [{when: '"regular" in member.segments', wallet: points, points: 80}]
seat: {gives: experience, price: {wallet: points, points: 10}, visible: '"regular" in member.segments'}
lounge: {gives: service, price: {wallet: points, points: 10}, when: '"rich" in member.segments'}
"""


def market(tell: Tell) -> Story:
    here = tell(shop(segments=SEGMENTS, campaigns=CAMPAIGNS, promotions=PROMOTIONS, rewards=REWARDS))
    here.enrol("ann", at="2026-03-01")
    return here


def segments(here: Story, member: str = "ann") -> Json:
    return here.get(f"/v1/members/{member}")["segments"]


def rewards(here: Story) -> dict[str, tuple[int, list[str]]]:
    """The price of each reward that she sees, and what stands in the way of it."""
    found = here.get("/v1/members/ann/rewards")["items"]
    return {each["id"]: (each["price"]["points"], [lack["code"] for lack in each["missing"]]) for each in found}


def redeem(here: Story, id: str, reward: str, refused: str | None = None) -> Json:
    return here._redemption("/v1/redemptions", {"id": id, "member": "ann", "reward": reward}, refused)


def test_a_member_is_shown_the_segments_they_are_in_and_pays_and_sees_what_is_for_these(tell: Tell) -> None:
    here = market(tell)
    assert segments(here) == []
    here.buy("ann", "o-1", "90.00", at="2026-03-02")
    # 90 points: neither the mug nor the lounge.
    assert rewards(here) == {"mug": (100, ["insufficient_points"]), "lounge": (10, ["reward_not_for_member"])}
    redeem(here, "r-1", "seat", refused="reward_not_for_member")
    # The second order is not a regular's yet.
    assert here.buy("ann", "o-2", "50.00", at="2026-03-03").granted("thanks") == 0
    assert segments(here) == ["regular", "rich"]
    assert rewards(here) == {"mug": (80, []), "seat": (10, []), "lounge": (10, [])}
    assert redeem(here, "r-2", "mug")["points"] == 80
    # 90 + 50 - 80 = 60 are no longer rich.
    assert segments(here) == ["regular"]
    assert rewards(here)["lounge"] == (10, ["reward_not_for_member"])


def test_what_a_segment_was_given_is_taken_back_by_what_it_was_then(tell: Tell) -> None:
    here = market(tell)
    for n in (1, 2):
        here.buy("ann", f"o-{n}", "1.00", at=f"2026-03-0{n + 1}")
    assert here.buy("ann", "o-3", "40.00", "30.00", at="2026-03-05").granted("thanks") == 20
    # 40 are left of the 70: the 20 go with the 30.
    here.give_back("ann", "o-3", "2", at="2026-03-06")
    assert here.points("ann")[0] == 2 + 40


def test_a_quote_and_a_purchase_ask_at_their_own_instant(tell: Tell) -> None:
    here = market(tell)
    here.clock("2026-03-31 23:59")
    assert here.quote("ann", "10.00").json["prices"]["total"] == "10.00"
    here.clock("2026-04-01 00:00")
    assert segments(here) == ["spring"]
    assert here.quote("ann", "10.00").json["prices"]["total"] == "9.00"


def test_who_is_erased_is_in_no_segment(tell: Tell) -> None:
    here = market(tell)
    here.enrol("bob", at="2026-04-02")
    assert segments(here, "bob") == ["spring"]
    here.members.remove("bob")
    assert here.call("DELETE", "/v1/members/bob")[0] == 204
    assert segments(here, "bob") == []
