"""Tickets that points buy: in a draw once it closes, void where they are given back before, told as they are sold."""

import pytest

from tests.api.harness import Json
from tests.scenarios.document import shop
from tests.scenarios.story import Story, Tell
from tests.scenarios.test_draws import faults, part, record, spring, wheel, winners
from tests.scenarios.test_rewards import redeem, within_reach

LUCK = "luck: {gives: {tickets: spring, count: 2}, price: {wallet: points, points: 100}, limits: [LIMIT], stock: 5}"
LIMIT = "{per: member, every: month, times: 3}"
TURN = "turn: {gives: {tickets: wheel}, price: {wallet: points, points: 10}}"


def fair(tell: Tell, *, more: str = "") -> Story:
    """Ann and Bob have 300 points each when the spring draw opens. Nothing but tickets is granted by it."""
    here = tell(
        shop(
            "{expires: {after: 12M}}",
            draws=spring() + wheel(),
            rewards=f"{LUCK.replace('LIMIT', LIMIT)}\n{TURN}\n{more}",
            fields="member: {staff: {type: bool, default: false}}",
        )
    )
    for member in ("ann", "bob"):
        here.enrol(member, at="2026-02-01")
        here.adjust(member, 300)
    return here


def bought(here: Story, member: str = "ann", id: str = "r", quantity: int = 1, **more: Json) -> Json:
    body = {"id": id, "member": member, "reward": "luck", "quantity": quantity, **more}
    return here._redemption("/v1/redemptions", body, None)


def test_tickets_that_points_bought_win_a_draw_that_verifies(tell: Tell) -> None:
    here = fair(tell)
    here.clock("2026-03-02")
    done = bought(here, quantity=3)
    assert (done["status"], done["spent"]) == ("captured", 300)
    assert done["given"]["tickets"] == {"draw": "spring", "count": 6, "tickets": [1, 2, 3, 4, 5, 6]}
    assert here.redemption("r")["given"] == done["given"]
    assert part(here, "ann")["tickets"] == [1, 2, 3, 4, 5, 6]
    assert here.points("ann") == (0, 0, 0, 0)
    here.clock("2026-04-02 12:00")
    assert winners(here) == {1: "ann"}, "a member wins once"
    assert faults(record(here)) == []
    assert part(here, "ann")["prizes"]


def test_tickets_given_back_before_the_close_are_void_and_cannot_win(tell: Tell) -> None:
    here = fair(tell)
    here.clock("2026-03-02")
    bought(here, quantity=2)
    bought(here, "bob", "s")
    here.clock("2026-03-31 23:59")
    back = here.cancel("r")
    assert (back["status"], back["spent"], here.points("ann")) == ("cancelled", 0, (300, 0, 0, 0))
    assert here.get("/v1/rewards")["items"][0]["stock"] == {"pieces": 5, "left": 4}
    assert part(here, "ann")["tickets"] == []
    here.cancel("r", refused="redemption_not_held")
    here.clock("2026-04-02 12:00")
    assert [won["entry"].rpartition(":")[0] for won in record(here)["winners"]] == [part(here, "bob")["number"]]
    assert here.get("/v1/draws/spring")["entries"] == 2
    assert faults(record(here)) == []


def test_given_back_tickets_leave_their_numbers_and_make_room_for_others(tell: Tell) -> None:
    here = fair(tell)
    here.clock("2026-03-02")
    bought(here, quantity=3)
    redeem(here, "luck", "more", refused="reward_limit_reached")
    here.cancel("r")
    bought(here, id="again")
    assert part(here, "ann")["tickets"] == [7, 8]


@pytest.mark.parametrize("at", ["2026-04-01", "2026-04-02 12:00"])
def test_tickets_in_a_closed_draw_stand_and_are_not_given_back(tell: Tell, at: str) -> None:
    here = fair(tell)
    here.clock("2026-03-02")
    bought(here)
    here.clock(at)
    here.cancel("r", refused="tickets_stand")
    assert part(here, "ann")["tickets"] == [1, 2]


def test_turns_stand_once_one_of_them_was_played_or_their_draw_is_over(tell: Tell) -> None:
    here = fair(tell)
    here.clock("2026-03-02")
    for id, quantity in (("one", 1), ("two", 2)):
        redeem(here, "turn", id, quantity=quantity)
    status, _played = here.call("POST", "/v1/members/ann/draws/wheel/play", {})
    assert status == 200
    here.cancel("one", refused="tickets_stand")
    here.cancel("two")
    assert part(here, "ann", "wheel")["tickets"] == [1]
    redeem(here, "turn", "three")
    here.clock("2026-04-01")
    here.cancel("three", refused="tickets_stand")


def test_what_is_told_of_tickets_is_what_a_redemption_gets(tell: Tell) -> None:
    here = fair(tell)
    assert within_reach(here)["luck"] == (False, ["draw_not_open"])
    redeem(here, "luck", refused="draw_not_open")
    here.clock("2026-03-02")
    assert within_reach(here)["luck"] == (True, [])
    here.post("ann", "member_change", {"attributes": {"staff": True}})
    assert within_reach(here)["luck"] == (False, ["excluded_from_draw"])
    redeem(here, "luck", refused="excluded_from_draw")
    here.clock("2026-04-01")
    assert within_reach(here)["turn"] == (False, ["draw_not_open"])


def test_points_become_tickets_by_themselves_where_the_member_chose_that(tell: Tell) -> None:
    here = fair(tell, more="auto: {gives: {tickets: spring}, price: {wallet: points, points: 100}, automatic: 200}")
    here.clock("2026-03-02")
    here.post("ann", "choice", {"reward": "auto", "automatic": True})
    assert part(here, "ann")["tickets"] == [1, 2]
    here.adjust("ann", 100)
    assert part(here, "ann")["tickets"] == [1, 2, 3]
    here.clock("2026-04-01")
    here.adjust("ann", 500)
    assert here.points("ann") == (600, 0, 0, 0), "the draw has closed, and takes none"
