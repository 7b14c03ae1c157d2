"""Tickets and prizes in the core: granted, void in time, entered at the close, played, won, claimed, forfeited."""

from typing import Any

import pytest

from laurels.core.apply import Draft
from laurels.core.case import Case, Outside
from laurels.core.draw import Entry, Odds, day_key, drawn_instantly, number_of
from laurels.core.facts import (
    PoolClaimed,
    PrizeEnded,
    PrizeWon,
    Span,
    TicketPlayed,
    TicketsEntered,
    TicketsGranted,
    TicketsVoided,
    VoucherIssued,
)
from laurels.core.member import Tickets
from laurels.core.ticket import grant
from tests.core.harness import DRAW_SEED as SEED
from tests.core.harness import Answer, World, draw_keys, shop

SPRING = {
    "opens": "2026-03-01",
    "closes": "2026-03-31",
    "draws_at": "2026-04-02",
    "claim": "10D",
    "exclude": "member.staff",
    "prizes": {
        "bike": {"quantity": 1},
        "gift": {"quantity": 2, "gives": {"wallet": "points", "points": 500}},
    },
}
WHEEL = {
    "kind": "instant",
    "opens": "2026-03-01",
    "closes": "2026-03-31",
    "claim": "10D",
    "exclude": "member.staff",
    "prizes": {
        "mug": {"quantity": 2, "odds": "1/2"},
        "gift": {"odds": "1/4", "gives": {"wallet": "points", "points": 7}},
    },
    "fallback": {"gives": {"wallet": "points", "points": 1}},
}


def world(draws: dict[str, Any] | None = None, *, vouchers: dict[str, Any] | None = None, **campaigns: Any) -> World:
    """A shop with a ticket of the spring draw for every 100 yuan, and two of the wheel for a check-in."""
    here = World(
        shop(
            campaigns={
                "per_100": {"on": "purchase", "grant": {"tickets": "spring", "per": "100.00"}},
                "turns": {"on": "check_in", "grant": {"tickets": "wheel", "count": 2}},
                **campaigns,
            },
            draws={"spring": SPRING, "wheel": WHEEL, **(draws or {})},
            jurisdiction="none",
            **({"vouchers": vouchers} if vouchers else {}),
            fields={"member": {"staff": {"type": "bool", "default": False}}},
        ),
        start="2026-02-01 10:00",
    )
    here.keys = draw_keys
    return here


def part(here: World, draw: str = "spring", member: str = "m") -> Tickets:
    document = here.members[member].read(f"draw/{draw}")
    assert isinstance(document, Tickets)
    return document


def prize(place: int, ticket: int, prize: str = "bike", quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"draw": "spring", "place": place, "prize": prize, "ticket": ticket, "quantity": quantity, **more}


def win(here: World, body: dict[str, Any], member: str = "m") -> Answer:
    return here.post(member, "draw_prize", body, source="laurels")


# --- granted ----------------------------------------------------------------------------------------------------------


def test_a_purchase_gives_tickets_numbered_from_one_and_says_so() -> None:
    here = world()
    here.enrol()
    first = here.buy("o-1", "250.00", at="2026-03-02 10:00")
    assert first.why("per_100") == ("applied", 2, 2)
    (granted,) = first.of(TicketsGranted)
    assert (granted.first, granted.count, granted.number) == (1, 2, number_of(SEED, "spring m"))
    assert here.buy("o-2", "100.00").of(TicketsGranted)[0].first == 3
    assert part(here).numbers == [1, 2, 3]
    assert first.granted("base") == 250
    assert not first.granted("per_100")


def test_tickets_of_a_draw_count_from_its_opening_until_it_closes() -> None:
    here = world()
    here.enrol()
    assert here.buy("o-1", "100.00", at="2026-02-28 23:59").why("per_100") == ("draw_not_open", 0, 0)
    assert here.buy("o-2", "100.00", at="2026-03-01", occurred="2026-02-28 23:59").why("per_100")[0] == "draw_not_open"
    assert here.buy("o-3", "100.00").why("per_100") == ("applied", 1, 1)
    assert here.buy("o-4", "100.00", at=here.instant("2026-04-01") - 1).why("per_100") == ("applied", 1, 1)
    late = here.buy("o-5", "100.00", at="2026-04-01", occurred="2026-03-31 12:00")
    assert (late.why("per_100")[0], late.granted("base")) == ("draw_not_open", 100)


def test_a_draw_of_which_the_shell_hands_in_no_number_takes_no_tickets() -> None:
    here = world()
    here.enrol()
    here.keys = lambda _member: {}
    assert here.buy("o-1", "100.00", at="2026-03-02").why("per_100") == ("draw_not_open", 0, 0)


def test_who_is_excluded_gets_no_tickets() -> None:
    here = world()
    here.enrol(attributes={"staff": True})
    assert here.buy("o-1", "100.00", at="2026-03-02").why("per_100") == ("excluded_from_draw", 0, 0)


def test_a_limit_in_points_counts_tickets() -> None:
    limits = [{"per": "member", "every": "day", "points": 3}]
    here = world(bonus={"on": "purchase", "grant": {"tickets": "spring", "count": 2}, "limits": limits})
    here.enrol()
    assert here.buy("o-1", "1.00", at="2026-03-02").why("bonus") == ("applied", 2, 2)
    assert here.buy("o-2", "1.00").why("bonus") == ("trimmed", 2, 1)
    here.give_back("o-1")
    assert here.buy("o-3", "1.00").why("bonus") == ("applied", 2, 2)


def test_tickets_that_are_bought_are_given_by_the_same_rules() -> None:
    here = world()
    here.enrol()
    here.enrol("s", attributes={"staff": True})

    def bought(member: str, draw: str, at: str, keys: dict[str, str]) -> str:
        instant = here.instant(at)
        case = Case(here.versions, Draft(here.members[member].all()), instant, {})
        case.draft.documents = {**dict.fromkeys(["draw/spring", "draw/wheel"]), **case.draft.documents}
        case.outside = Outside(keys=keys)
        refused = grant(case, here.versions.judging(instant), draw, 3, redemption="r-1")
        if refused is None:
            (fact,) = case.facts
            assert isinstance(fact, TicketsGranted)
            assert (fact.first, fact.count, fact.redemption) == (1, 3, "r-1")
        return "granted" if refused is None else refused.code

    keys = draw_keys("m")
    assert bought("m", "spring", "2026-03-02", keys) == "granted"
    assert bought("m", "none", "2026-03-02", keys) == "unknown_draw"
    assert bought("m", "spring", "2026-04-01", keys) == "draw_not_open"
    assert bought("m", "spring", "2026-03-02", {}) == "draw_not_open"
    assert bought("s", "spring", "2026-03-02", keys) == "excluded_from_draw"


# --- void -------------------------------------------------------------------------------------------------------------


def test_tickets_of_a_purchase_that_is_returned_before_the_close_are_void() -> None:
    here = world()
    here.enrol()
    here.buy("o-1", "200.00", at="2026-03-02")
    here.buy("o-2", "300.00")
    back = here.give_back("o-1", at="2026-03-20")
    assert [each.spans for each in back.of(TicketsVoided)] == [(Span(1, 2),)]
    assert part(here).numbers == [3, 4, 5]
    assert back.why("per_100") == ("taken_back", 2, 2)
    assert here.buy("o-3", "100.00").of(TicketsGranted)[0].first == 6, "a number is never used again"


def test_a_return_in_part_takes_the_last_tickets_in_proportion() -> None:
    here = world()
    here.enrol()
    here.buy("o-1", "200.00", "100.00", at="2026-03-02")
    assert part(here).numbers == [1, 2, 3]
    here.give_back("o-1", ("1", "150.00"))
    # Two tickets are line 1's: floor(2 x 150 / 200) of them come back.
    assert part(here).numbers == [1, 2]
    here.give_back("o-1")
    assert part(here).numbers == []


def test_tickets_stand_when_the_purchase_is_returned_after_the_close() -> None:
    here = world()
    here.enrol()
    here.buy("o-1", "200.00", at="2026-03-02")
    late = here.give_back("o-1", at="2026-04-01")
    assert late.of(TicketsEntered)[0].count == 2
    assert (late.of(TicketsVoided), late.why("per_100")[0]) == ([], "kept")
    assert part(here).numbers == [1, 2]


def test_what_is_returned_in_the_last_microsecond_is_void() -> None:
    here = world()
    here.enrol()
    here.buy("o-1", "200.00", at="2026-03-02")
    here.give_back("o-1", at=here.instant("2026-04-01") - 1)
    assert part(here).numbers == []


# --- closed -----------------------------------------------------------------------------------------------------------


def test_at_the_close_the_tickets_of_the_member_enter_whether_or_not_a_sweep_ran() -> None:
    here = world()
    here.enrol()
    here.buy("o-1", "200.00", at="2026-03-02")
    assert here.text(here.members["m"].all().root.wake_at) == "2026-04-01 00:00"
    (entered,) = here.clock("2026-05-01").of(TicketsEntered)
    assert (here.text(entered.at), entered.count, entered.excluded) == ("2026-04-01 00:00", 2, False)
    assert here.members["m"].all().root.draws == {}


def test_who_became_excluded_before_the_close_has_no_part_in_it() -> None:
    here = world()
    here.enrol()
    here.buy("o-1", "200.00", at="2026-03-02")
    here.post("m", "member_change", {"attributes": {"staff": True}}, at="2026-03-30")
    (entered,) = here.clock("2026-04-01").of(TicketsEntered)
    assert (entered.count, entered.excluded) == (0, True)
    assert win(here, prize(1, 1)).code == "excluded_from_draw"


def test_a_draw_that_closes_later_than_was_said_closes_later_for_those_who_have_tickets() -> None:
    here = world()
    here.enrol()
    here.buy("o-1", "200.00", at="2026-03-02")
    later = {
        **SPRING,
        "closes": "2026-04-05",
        "draws_at": "2026-04-07",
        "changes": [{"at": "2026-03-20", "reason": "x"}],
    }
    document = shop(
        campaigns={"per_100": {"on": "purchase", "grant": {"tickets": "spring", "per": "100.00"}}},
        draws={"spring": later, "wheel": WHEEL},
        jurisdiction="none",
        fields={"member": {"staff": {"type": "bool", "default": False}}},
    )
    here.publish(document, "2026-03-20")
    assert here.buy("o-2", "100.00", at="2026-04-05 12:00").why("per_100") == ("applied", 1, 1)
    (entered,) = here.clock("2026-04-06").of(TicketsEntered)
    assert (here.text(entered.at), entered.count) == ("2026-04-06 00:00", 3)


@pytest.mark.parametrize("closes", ["2026-03-10", "2026-03-15"])
def test_a_draw_that_a_version_closed_before_it_took_effect_closes_for_members_when_it_does(closes: str) -> None:
    here = world()
    here.enrol()
    here.buy("o-1", "200.00", at="2026-03-02")
    earlier = {**SPRING, "closes": closes, "changes": [{"at": "2026-03-15", "reason": "x"}]}
    here.publish(
        shop(
            draws={"spring": earlier, "wheel": WHEEL},
            jurisdiction="none",
            fields={"member": {"staff": {"type": "bool", "default": False}}},
        ),
        "2026-03-20",
    )
    (entered,) = here.clock("2026-03-25").of(TicketsEntered)
    assert (here.text(entered.at), entered.count) == ("2026-03-20 00:00", 2)
    assert here.look(at="2026-05-01").root.draws == {}


# --- won --------------------------------------------------------------------------------------------------------------


def closed() -> World:
    here = world()
    for member in ("m", "n"):
        here.enrol(member, at="2026-02-01 10:00")
    for member in ("m", "n"):
        here.buy(f"o-{member}", "300.00", member=member, at="2026-03-02")
    for member in ("m", "n"):
        here.clock("2026-04-01", member)
    return here


def test_a_prize_of_points_is_given_at_once_and_once() -> None:
    here = closed()
    won = win(here, prize(2, 1, "gift", 2, wallet="points", points=500))
    assert won.moved("adjustment", "available") == 500
    assert win(here, prize(2, 1, "gift", 2, wallet="points", points=500)).code == "prize_not_open"
    assert part(here).won[0].status == "given"
    assert here.pools["draw/spring/gift"] == 1


def test_no_more_prizes_are_given_than_there_are() -> None:
    here = closed()
    assert win(here, prize(1, 1)).code == "accepted"
    assert win(here, prize(1, 1), "n").code == "prize_gone"


def test_a_prize_is_claimed_once_and_in_its_time() -> None:
    here = closed()
    until = here.instant("2026-04-12")
    here.now = here.instant("2026-04-02")
    win(here, prize(1, 1, until=until))
    assert here.post("m", "draw_claim", {"draw": "spring", "place": 2}).code == "unknown_prize"
    claimed = here.post("m", "draw_claim", {"draw": "spring", "place": 1}, at=until - 1)
    assert [each.status for each in claimed.of(PrizeEnded)] == ["claimed"]
    assert here.post("m", "draw_claim", {"draw": "spring", "place": 1}).code == "prize_not_open"


def test_a_prize_that_nobody_claims_is_forfeited_at_its_instant_and_there_for_an_alternate() -> None:
    here = closed()
    until = here.instant("2026-04-12")
    here.now = here.instant("2026-04-02")
    win(here, prize(1, 1, until=until))
    assert here.post("m", "draw_claim", {"draw": "spring", "place": 1}, at=until).code == "prize_not_open"
    here.clock(until)
    assert part(here).won[0].status == "forfeited"
    assert here.pools["draw/spring/bike"] == 0
    assert win(here, prize(1, 2), "n").code == "accepted"


def test_a_prize_needs_a_ticket_that_is_in_the_draw() -> None:
    here = closed()
    assert win(here, prize(1, 4)).code == "no_ticket"
    here.enrol("late")
    assert win(here, prize(1, 1), "late").code == "no_ticket"


# --- played -----------------------------------------------------------------------------------------------------------


def test_a_play_comes_to_what_the_key_of_the_day_says() -> None:
    here = world()
    here.enrol()
    here.post("m", "check_in", at="2026-03-02 10:00")
    number = part(here, "wheel").number
    odds = [Odds("mug", 1, 2), Odds("gift", 1, 4)]
    for ticket, day in ((1, "2026-03-02"), (2, "2026-03-03")):
        played = here.post("m", "draw_play", {"draw": "wheel"}, at=f"{day} 12:00")
        (fact,) = played.of(TicketPlayed)
        assert fact.drawn == drawn_instantly(day_key(SEED, day), Entry(number, ticket), odds)
        assert (fact.ticket, fact.day) == (ticket, day)
    assert here.post("m", "draw_play", {"draw": "wheel"}).code == "no_ticket"


def test_a_prize_that_ran_out_becomes_the_fallback_and_never_another_prize() -> None:
    here = world()
    here.enrol()
    for _ in range(10):
        here.post("m", "check_in", at=max(here.now, here.instant("2026-03-02 10:00")))
    plays = [here.post("m", "draw_play", {"draw": "wheel"}) for _ in range(20)]
    facts = [play.of(TicketPlayed)[0] for play in plays]
    mugs = [fact for fact in facts if fact.drawn == "mug"]
    assert len(mugs) > 2
    assert [fact.given for fact in mugs] == ["mug"] * 2 + ["fallback"] * (len(mugs) - 2)
    assert all(fact.given == fact.drawn for fact in facts if fact.drawn != "mug")
    assert here.pools["draw/wheel/mug"] == 2
    assert sum(play.moved("adjustment", "available") for play in plays) == len(mugs) - 2 + 7 * sum(
        fact.given == "gift" for fact in facts
    )


def test_a_ticket_that_was_played_stands_and_the_others_become_void() -> None:
    here = world(turns_too={"on": "purchase", "grant": {"tickets": "wheel", "count": 3}})
    here.enrol()
    here.buy("o-1", "1.00", at="2026-03-02")
    here.post("m", "draw_play", {"draw": "wheel"})
    back = here.give_back("o-1")
    assert part(here, "wheel").numbers == [1]
    assert back.why("turns_too") == ("taken_back", 3, 2)
    assert here.post("m", "draw_play", {"draw": "wheel"}).code == "no_ticket"


@pytest.mark.parametrize(
    ("draw", "at", "code"),
    [
        ("none", "2026-03-02", "unknown_draw"),
        ("spring", "2026-03-02", "not_an_instant_draw"),
        ("wheel", "2026-02-27", "draw_not_open"),
        ("wheel", "2026-04-01", "draw_not_open"),
        ("wheel", "2026-03-02", "no_ticket"),
    ],
)
def test_a_play_that_cannot_be_is_refused(draw: str, at: str, code: str) -> None:
    here = world()
    here.enrol()
    assert here.post("m", "draw_play", {"draw": draw}, at=at).code == code


def test_who_became_excluded_plays_no_more() -> None:
    here = world()
    here.enrol()
    here.post("m", "check_in", at="2026-03-02 10:00")
    here.post("m", "member_change", {"attributes": {"staff": True}})
    assert here.post("m", "draw_play", {"draw": "wheel"}).code == "excluded_from_draw"


def test_a_prize_of_a_wheel_that_nobody_claims_is_gone() -> None:
    here = world()
    here.enrol()
    for _ in range(5):
        here.post("m", "check_in", at=max(here.now, here.instant("2026-03-02 10:00")))
    won = next(
        fact
        for _ in range(10)
        for fact in here.post("m", "draw_play", {"draw": "wheel"}).of(PrizeWon)
        if fact.prize == "mug"
    )
    assert here.text(won.until) == "2026-03-12 10:00"
    used = here.pools["draw/wheel/mug"]
    assert here.clock("2026-03-12 10:00").of(PrizeEnded)[0].status == "forfeited"
    assert here.pools["draw/wheel/mug"] == used


def test_a_prize_of_a_winner_who_was_erased_is_passed_over_once_and_there_for_an_alternate() -> None:
    here = closed()
    win(here, prize(1, 1))
    passed = here.post("m", "draw_forfeit", {"draw": "spring", "place": 1}, source="laurels")
    assert [each.status for each in passed.of(PrizeEnded)] == ["forfeited"]
    assert [(each.pool, each.by) for each in passed.of(PoolClaimed)] == [("draw/spring/bike", -1)]
    again = here.post("m", "draw_forfeit", {"draw": "spring", "place": 1}, source="laurels")
    assert (again.code, again.of(PrizeEnded)) == ("accepted", [])
    assert here.post("m", "draw_forfeit", {"draw": "spring", "place": 2}, source="laurels").code == "unknown_prize"


# --- vouchers as prizes -----------------------------------------------------------------------------------------------


def with_voucher() -> World:
    """A shop whose spring draw gives a bicycle and a voucher, and whose trial wheel always gives a voucher."""
    treat = {"gives": {"voucher": "treat"}}
    draws = {
        "spring": {**SPRING, "prizes": {"bike": {"quantity": 1}, "treat": {**treat, "quantity": 1}}},
        "wheel": {**WHEEL, "prizes": {"treat": {**treat, "odds": "1/1"}}, "fallback": {}},
    }
    here = world(draws, vouchers={"treat": {"gives": {"off": "10.00"}, "expires": {"after": "30D"}}})
    here.enrol("m", at="2026-02-01 10:00")
    return here


def test_a_voucher_that_was_drawn_is_the_winners_at_once_with_a_code_of_its_own() -> None:
    here = with_voucher()
    here.buy("o", "300.00", at="2026-03-02")
    here.clock("2026-04-01", "m")
    won = win(here, prize(2, 1, "treat", voucher="treat"))
    (issued,) = won.of(VoucherIssued)
    assert (issued.voucher, issued.reason) == ("treat", "prize")
    assert [(each.prize, each.is_given, each.until) for each in won.of(PrizeWon)] == [("treat", True, None)]
    assert part(here).won[0].status == "given"


def test_a_drawn_voucher_of_a_kind_that_is_gone_is_refused_and_leaves_the_prize_for_another() -> None:
    here = with_voucher()
    here.buy("o", "300.00", at="2026-03-02")
    here.clock("2026-04-01", "m")
    refused = win(here, prize(2, 1, "treat", voucher="cake"))
    assert (refused.code, refused.facts) == ("voucher_withdrawn", ())


def test_a_wheel_gives_vouchers() -> None:
    here = with_voucher()
    here.post("m", "check_in", at="2026-03-02 10:00")
    played = here.post("m", "draw_play", {"draw": "wheel"})
    assert [each.given for each in played.of(TicketPlayed)] == ["treat"]
    assert [(each.voucher, each.reason) for each in played.of(VoucherIssued)] == [("treat", "prize")]
