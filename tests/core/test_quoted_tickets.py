"""Tickets that a reserved quote promised: given with its order while their draw takes them, else given up and told."""

from typing import Any

import pytest

from laurels.core.facts import CooldownStarted, Priced, QuoteReserved, TicketsGranted, TicketsVoided
from tests.core.harness import Answer, World, draw_keys, shop
from tests.core.test_quotes import reserve
from tests.core.test_tickets import SPRING, part, world

CLOSED = "2026-04-01 00:10"
LAST_EVENING = "2026-03-31 23:50"


def quoted(here: World, amount: str = "250.00", at: str = "2026-03-02 10:00") -> QuoteReserved:
    (kept,) = reserve(here, amount, at=at).of(QuoteReserved)
    assert isinstance(kept, QuoteReserved)
    return kept


def fair(limits: list[dict[str, Any]], *grants: dict[str, Any], **words: Any) -> World:
    here = world(lucky={"on": "purchase", "grant": list(grants), "limits": limits, **words})
    here.enrol()
    return here


def bought(here: World, amount: str = "250.00", at: str | None = None) -> Answer:
    answer = here.buy("o", amount, quote="q", at=at)
    assert [each.held for each in answer.of(Priced)] == ["kept"]
    return answer


def test_tickets_of_a_reserved_quote_come_with_its_order_and_go_with_it() -> None:
    here = world()
    here.enrol()
    kept = quoted(here)
    assert {wallet: sum(each.points for each in grants) for wallet, grants in kept.grants.items()} == {
        "points": 250,
        "draw/spring": 2,
    }
    assert "draw/spring" not in here.look("m").documents
    done = bought(here)
    (granted,) = done.of(TicketsGranted)
    assert (granted.count, granted.order, done.why("per_100"), done.granted("base")) == (2, "o", ("applied", 2, 2), 250)
    assert part(here).numbers == [1, 2]
    assert here.give_back("o").of(TicketsVoided)[0].order == "o"
    assert part(here).numbers == []
    here.replay()


@pytest.mark.parametrize("why", ["draw_not_open", "excluded_from_draw"])
def test_tickets_that_the_draw_takes_no_more_give_their_limits_back_and_say_why(why: str) -> None:
    limits = [{"every": "lifetime", "times": 1}, {"budget": "points", "of": 9}, {"budget": "times", "of": 9}]
    here = fair([*limits, {"cooldown": "1D"}], {"tickets": "spring", "count": 3})
    quoted(here, at=LAST_EVENING)
    pools = ("campaign/lucky/points", "campaign/lucky/times")
    assert [here.pools[pool] for pool in pools] == [3, 1]
    if why == "excluded_from_draw":
        here.post("m", "member_change", {"attributes": {"staff": True}})
    done = bought(here, at=CLOSED if why == "draw_not_open" else None)
    assert (done.of(TicketsGranted), done.why("lucky"), done.granted("base")) == ([], (why, 0, 0), 250)
    assert [here.pools[pool] for pool in pools] == [0, 0]
    assert done.of(CooldownStarted) == []
    here.post("m", "member_change", {"attributes": {"staff": False}})
    if why == "excluded_from_draw":
        assert here.buy("p", "10.00").why("lucky") == ("applied", 3, 3), "the member's own limit is free again, too"
    here.replay()


def test_a_campaign_that_gives_something_else_as_well_keeps_its_use_until_that_comes_back() -> None:
    limits = [{"every": "lifetime", "times": 1}, {"budget": "times", "of": 9}, {"budget": "points", "of": 100}]
    here = fair(limits, {"tickets": "spring", "count": 3}, {"wallet": "points", "fixed": 5})
    quoted(here, at=LAST_EVENING)
    assert (here.pools["campaign/lucky/times"], here.pools["campaign/lucky/points"]) == (1, 8)
    done = bought(here, at=CLOSED)
    assert (done.granted("lucky"), done.why("lucky")) == (5, ("applied", 5, 5))
    assert (here.pools["campaign/lucky/times"], here.pools["campaign/lucky/points"]) == (1, 5)
    assert here.buy("p", "10.00").why("lucky")[0] == "limit_reached"
    here.give_back("o")
    assert (here.pools["campaign/lucky/times"], here.pools["campaign/lucky/points"]) == (0, 0)
    assert here.buy("p-2", "10.00").granted("lucky") == 5
    here.replay()


def test_a_voucher_beside_the_tickets_stays_with_the_campaigns_use() -> None:
    here = World(
        shop(
            vouchers={"ten": {"gives": {"off": "10.00"}}},
            draws={"spring": SPRING},
            campaigns={
                "lucky": {
                    "on": "purchase",
                    "grant": [{"tickets": "spring"}, {"voucher": "ten"}],
                    "limits": [{"budget": "times", "of": 9}],
                }
            },
            jurisdiction="none",
            fields={"member": {"staff": {"type": "bool", "default": False}}},
        ),
        start="2026-02-01 10:00",
    )
    here.keys = draw_keys
    here.enrol()
    quoted(here, at=LAST_EVENING)
    done = bought(here, at=CLOSED)
    assert (done.why("lucky")[0], here.pools["campaign/lucky/times"]) == ("gave", 1)
    here.give_back("o")
    assert here.pools["campaign/lucky/times"] == 0
    here.replay()


def test_a_quote_whose_time_is_over_gives_back_what_its_tickets_counted() -> None:
    here = fair([{"budget": "points", "of": 9}], {"tickets": "spring", "count": 3})
    quoted(here)
    assert here.pools["campaign/lucky/points"] == 3
    here.clock("2026-03-02 10:30")
    assert here.pools["campaign/lucky/points"] == 0
