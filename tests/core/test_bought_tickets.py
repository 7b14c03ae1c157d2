"""Tickets as rewards in the core: bought at once, all or none given back, and only while they are in no draw."""

from typing import Any

import msgspec
import pytest

from laurels.core import ticket
from laurels.core.facts import Moved, RedemptionEnded, Span, TicketsGranted, TicketsVoided
from laurels.core.member import Redemption
from laurels.core.version import Version, Versions
from tests.core.harness import Answer, World, draw_keys, shop
from tests.core.test_tickets import SPRING, WHEEL, part
from tests.core.test_tickets import world as granting

LUCK: dict[str, Any] = {"gives": {"tickets": "spring", "count": 2}, "price": {"wallet": "points", "points": 100}}
TURN: dict[str, Any] = {"gives": {"tickets": "wheel"}, "price": {"wallet": "points", "points": 10}}


def document(**rewards: Any) -> dict[str, Any]:
    made: dict[str, Any] = shop(
        draws={"spring": SPRING, "wheel": WHEEL},
        rewards={"luck": LUCK, "turn": TURN, **rewards},
        jurisdiction="none",
        fields={"member": {"staff": {"type": "bool", "default": False}}},
    )
    return made


def world(at: str = "2026-03-02 10:00", **rewards: Any) -> World:
    here = World(document(**rewards), start="2026-02-01 10:00")
    here.keys = draw_keys
    here.enrol()
    here.adjust(1000)
    here.clock(at)
    return here


def redeem(here: World, reward: str = "luck", id: str = "r", *, at: str | None = None, **more: Any) -> Answer:
    return here.post("m", "redemption", {"redemption": id, "reward": reward, **more}, at=at)


def status(here: World, id: str = "r") -> str:
    known = here.members["m"].read(f"redemption/{id}")
    assert isinstance(known, Redemption)
    return known.status


def test_tickets_are_bought_at_once_so_many_a_piece() -> None:
    here = world()
    done = redeem(here, quantity=3)
    (granted,) = done.of(TicketsGranted)
    assert (granted.first, granted.count, granted.redemption, granted.grants) == (1, 6, "r", ())
    assert (done.moved("available", "held"), status(here)) == (300, "captured")


@pytest.mark.parametrize(
    ("at", "attributes", "refusal"),
    [
        ("2026-02-20 10:00", {}, "draw_not_open"),
        ("2026-04-01 00:00", {}, "draw_not_open"),
        ("2026-03-02 10:00", {"staff": True}, "excluded_from_draw"),
    ],
)
def test_tickets_that_the_draw_does_not_take_are_not_sold(at: str, attributes: dict[str, Any], refusal: str) -> None:
    here = world(at)
    if attributes:
        here.post("m", "member_change", {"attributes": attributes})
    refused = redeem(here).refusal
    assert refused is not None
    assert refused.code == refusal


def test_nobody_buys_more_tickets_than_a_member_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    here = world(auto={"gives": {"tickets": "spring"}, "price": {"wallet": "points", "points": 10}, "automatic": 10})
    monkeypatch.setattr(ticket, "MOST", 5)
    redeem(here, quantity=2)
    refused = redeem(here, id="s").refusal
    assert refused is not None
    assert refused.code == "draw_not_open"
    here.post("m", "choice", {"reward": "auto", "automatic": True})
    assert part(here).last == 5, "by themselves as many as there is room for"


def test_tickets_given_back_in_time_are_void_and_the_points_are_back_once() -> None:
    here = world(luck={**LUCK, "stock": 3, "limits": [{"every": "month", "times": 3}]})
    redeem(here, id="first")
    redeem(here, quantity=2)
    back = here.cancel("r")
    assert back.of(TicketsVoided) == [TicketsVoided("spring", (Span(3, 4),), here.now, redemption="r")]
    assert [(fact.points, fact.out_of, fact.into, fact.reason) for fact in back.of(Moved)] == [
        (200, "redemption", "available", "cancelled")
    ]
    assert back.of(RedemptionEnded)[0].status == "cancelled"
    assert (status(here), part(here).numbers) == ("cancelled", [1, 2])
    again = here.cancel("r").refusal
    assert again is not None
    assert again.code == "redemption_not_held"
    assert redeem(here, id="more", quantity=2).refusal is None, "stock and room are there again"
    assert part(here).numbers == [1, 2, 7, 8, 9, 10], "a number is never used again"


@pytest.mark.parametrize("when", ["the draw has closed", "a turn was played", "the wheel has stopped"])
def test_tickets_stand_with_all_that_was_bought_together_once_they_count(when: str) -> None:
    here = world()
    redeem(here, "luck" if when == "the draw has closed" else "turn", quantity=2)
    if when == "a turn was played":
        assert here.post("m", "draw_play", {"draw": "wheel"}).refusal is None
    else:
        here.clock("2026-04-01")
    refused = here.cancel("r").refusal
    assert refused is not None
    assert (refused.code, status(here)) == ("tickets_stand", "captured")


def test_what_other_rewards_gave_is_not_given_back_by_cancelling() -> None:
    here = world(lounge={"gives": "service", "hold": "none", "price": {"wallet": "points", "points": 10}})
    redeem(here, "lounge")
    refused = here.cancel("r").refusal
    assert refused is not None
    assert refused.code == "redemption_not_held"


def test_the_shell_is_told_of_every_draw_that_a_decision_may_want_the_keys_of() -> None:
    here = world()
    other = document(luck={**LUCK, "gives": {"tickets": "wheel"}})
    later = World(other).versions.versions[0].program
    versions = Versions((*here.versions.versions, Version(2, here.instant("2026-03-20"), later)))
    bought = redeem(here)
    assert bought.refusal is None
    activity = here.members["m"].recorded[-1].activity
    assert versions.draws_of(activity, ()) == ("spring", "wheel")
    assert versions.draws_of(here.members["m"].recorded[0].activity, ()) == ()
    assert versions.draws_of(here.members["m"].recorded[0].activity, ("turn",)) == ("wheel",)


def test_a_draw_that_no_campaign_of_its_instant_gives_tickets_of_is_asked_for_by_a_quote_of_before_alone() -> None:
    here = granting()
    here.keys = draw_keys
    here.enrol()
    later = World(document()).versions.versions[0].program
    versions = Versions((*here.versions.versions, Version(2, here.instant("2026-03-20"), later)))
    for order, more in (("o-1", {}), ("o-2", {"quote": "q"})):
        here.buy(order, "100.00", at="2026-03-02 10:00", **more)
    plain, quoted = [each.activity for each in here.members["m"].recorded[-2:]]
    after = here.instant("2026-03-21")
    assert versions.draws_of(plain, ()) == ("spring",)
    assert versions.draws_of(msgspec.structs.replace(plain, occurred_at=after), ()) == ()
    assert versions.draws_of(msgspec.structs.replace(quoted, occurred_at=after), ()) == ("spring",)
