"""A simulation closes, draws and settles draws at their time, by a seed that gives the same again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from laurels.core.activity import Activity, Purchase, parse
from laurels.core.calendar import Instant, parse_instant
from laurels.core.decide import Circumstances, Decision
from laurels.core.draw import Entry, Odds, day_key, digest_of, draw, drawn_instantly, number_of, root_of, stream_key
from laurels.core.facts import PrizeEnded, PrizeWon, TicketPlayed
from laurels.core.member import Tickets
from laurels.core.refusal import Refusal
from laurels.core.version import Version, Versions
from laurels.simulate.chance import ORDINARY, Chance, Drawn
from laurels.simulate.given import DrawFigures
from laurels.simulate.replay import Replay
from tests.core.harness import program, shop

GIFT = {"quantity": 2, "gives": {"wallet": "points", "points": 500}}
SPRING = {
    "opens": "2026-03-01",
    "closes": "2026-03-31",
    "draws_at": "2026-04-02",
    "claim": "10D",
    "alternates": 2,
    "prizes": {
        "bicycle": {"quantity": 1},
        "gift": GIFT,
    },
}
CHANCE = {"chance": {"on": "purchase", "grant": {"tickets": "spring", "per": "100.00"}}}
WHEEL = {
    "kind": "instant",
    "opens": "2026-03-01",
    "closes": "2026-03-31",
    "prizes": {"mug": {"quantity": 2, "odds": "1/2"}, "coffee": {"odds": "1/4"}},
    "fallback": {"gives": {"wallet": "points", "points": 3}},
}
TURNS = {"turns": {"on": "check_in", "grant": {"tickets": "wheel"}}}
DRAWN_AT = parse_instant("2026-04-02T00:00:00+08:00")
LAPSED_AT = parse_instant("2026-04-12T00:00:00+08:00")


def at(text: str) -> Instant:
    """ "03-02", of 2026 unless it says the year, at ten in the shop's morning."""
    return parse_instant(f"{text if len(text) > 5 else f'2026-{text}'}T10:00:00+08:00")


class Life:
    """Activities of members, lived through under a shop with draws. What is won is kept as (place, member)."""

    def __init__(self, chance: Chance = ORDINARY, played: Collection[str] = (), **parts: Any) -> None:
        self.versions = Versions((Version(1, 0, program(shop(jurisdiction="none", **parts))),))
        self.replay = Replay(self.versions, self.reread, chance=chance, played=played)
        self.won: list[tuple[int, str, str]] = []
        self.sent = 0
        decide = self.replay._decide

        def watched(*arguments: Any) -> Decision | Refusal:
            decided, activity = decide(*arguments), arguments[0]
            if isinstance(decided, Decision):
                found = [fact for fact in decided.facts if isinstance(fact, PrizeWon)]
                self.won += [(each.place, activity.member, each.prize) for each in found]
                self.times += [each.at for each in found]
                self.ended += [each.at for each in decided.facts if isinstance(each, PrizeEnded)]
            return decided

        self.times: list[Instant] = []
        self.ended: list[Instant] = []
        self.replay._decide = watched  # type: ignore[assignment, method-assign]  # it is only looked at

    def read(self, member: str, type: str, data: Mapping[str, Any], when: str) -> Activity:
        declared = self.versions.declared
        assert declared is not None
        self.sent += 1
        activity = parse(
            source="pos", id=f"a-{self.sent}", type=type, member=member, occurred_at=at(when),
            data=json.dumps(data).encode(), declared=declared,
        )  # fmt: skip
        assert isinstance(activity, Activity), activity
        return activity

    def reread(self, body: bytes) -> Purchase:
        data = self.read("", "purchase", json.loads(body), "01-01").data
        assert isinstance(data, Purchase)
        return data

    def send(
        self, member: str, type: str, data: Mapping[str, Any], when: str, given: Circumstances | None = None
    ) -> Decision | Refusal:
        activity = self.read(member, type, data, when)
        recorded_at = None if given is None else given.recorded_at
        return self.replay.submit(activity, json.dumps(data).encode(), recorded_at, given)

    def enrol(self, *members: str) -> None:
        for member in members:
            self.send(member, "enrol", {}, "02-01")

    def buy(self, member: str, amount: str, when: str = "03-02") -> Decision | Refusal:
        data = {"order": f"o-{self.sent}", "lines": [{"line": "1", "amount": amount}]}
        return self.send(member, "purchase", data, when)

    def turn(self, member: str, when: str) -> str | None:
        """What a turn of the wheel gives."""
        self.send(member, "check_in", {"subject": "app"}, when)
        played = self.send(member, "draw_play", {"draw": "wheel"}, when)
        assert isinstance(played, Decision), played
        (fact,) = [fact for fact in played.facts if isinstance(fact, TicketPlayed)]
        return fact.given

    def part(self, member: str, draw: str = "spring") -> Tickets:
        part = self.replay._members[member].member.documents[f"draw/{draw}"]
        assert isinstance(part, Tickets)
        return part

    def figures(self, draw: str = "spring") -> DrawFigures:
        return self.replay.figures.given.draws[draw]


def spring(chance: Chance = ORDINARY, members: int = 8, **words: Any) -> Life:
    """Members m-0 to m-7 have one ticket, two, three, ..."""
    life = Life(chance, campaigns=CHANCE, draws={"spring": {**SPRING, **words}})
    names = [f"m-{n}" for n in range(members)]
    life.enrol(*names)
    for n, member in enumerate(names):
        life.buy(member, f"{100 * (n + 1)}.00")
    return life


def by_hand(seed: str, members: int = 8) -> list[str]:
    """Who wins the three places, and the two alternates, by the words of docs/concepts/draws.md and simulation.md."""
    owners = {number_of(b"spring", f"m-{n}"): n for n in range(members)}
    entries = sorted(Entry(number, ticket) for number, n in owners.items() for ticket in range(1, n + 2))
    key = stream_key("shop/spring", digest_of("simulated", b"shop/spring", seed.encode()), b"", root_of(entries))
    drawn = draw(key, entries, 3, 2)
    return [f"m-{owners[entry.number]}" for entry in (*drawn.winners, *drawn.alternates)]


# --- scheduled draws --------------------------------------------------------------------------------------------------


def test_a_draw_is_drawn_at_its_time_and_its_prizes_are_given() -> None:
    life = spring(members=3)
    life.replay.finish(at("03-31"))
    assert life.figures() == DrawFigures(tickets=6)
    life = spring(members=3)
    life.replay.finish(at("04-03"))
    # One ticket, two and three; three members for three places, each of whom wins once.
    assert life.figures() == DrawFigures(
        tickets=6, entered=6, winners=3, prizes={"bicycle": 1, "gift": 2}, points={"points": 1000}
    )
    assert life.times == [DRAWN_AT] * 3
    # 100, 200 and 300 for what was bought, and twice 500.
    points = life.replay.figures.wallet("points")
    assert (points.issued, points.adjusted, points.available) == (600, 1000, 1600)
    assert life.replay.figures.given.used == {"draw/spring/bicycle": 1, "draw/spring/gift": 2}


@pytest.mark.parametrize("seed", ["1", "2", "winter"])
def test_the_same_seed_draws_the_same_as_the_page_says(seed: str) -> None:
    first, again = spring(Chance(seed)), spring(Chance(seed))
    for life in (first, again):
        life.replay.finish(at("04-03"))
    assert [member for _place, member, _prize in first.won] == by_hand(seed)[:3]
    assert [prize for _place, _member, prize in first.won] == ["bicycle", "gift", "gift"]
    assert again.won == first.won
    assert again.replay.figures == first.replay.figures


def test_other_seeds_draw_otherwise_and_who_has_more_tickets_wins_more_often() -> None:
    won: Counter[str] = Counter()
    for seed in range(60):
        life = spring(Chance(str(seed)))
        life.replay.finish(at("04-03"))
        won.update([life.won[0][1]])
    assert len(won) >= 5
    assert won["m-6"] + won["m-7"] > won["m-0"] + won["m-1"]


def test_an_activity_after_the_draw_finds_the_prize_in_the_wallet() -> None:
    rewards = {"mug": {"gives": "goods", "price": {"wallet": "points", "points": 550}}}
    life = Life(rewards=rewards, campaigns=CHANCE, draws={"spring": {**SPRING, "prizes": {"gift": GIFT}}})
    life.enrol("m-0")
    life.buy("m-0", "100.00")
    bought = life.send("m-0", "redemption", {"redemption": "r-1", "reward": "mug"}, "04-02")
    assert isinstance(bought, Decision)


@pytest.mark.parametrize("seed", ["1", "2", "3", "4", "5", "6"])
def test_who_is_excluded_has_no_part_and_what_a_return_makes_void_does_not_enter(seed: str) -> None:
    life = Life(
        Chance(seed),
        campaigns=CHANCE,
        draws={"spring": {**SPRING, "exclude": "member.staff"}},
        fields={"member": {"staff": {"type": "bool", "default": False}}},
    )
    life.enrol("ann", "bob", "cy")
    life.buy("ann", "300.00")
    life.send("bob", "purchase", {"order": "back", "lines": [{"line": "1", "amount": "200.00"}]}, "03-03")
    life.send("bob", "return", {"order": "back"}, "03-04")
    life.buy("cy", "100.00")
    life.send("cy", "member_change", {"attributes": {"staff": True}}, "03-05")
    life.replay.finish(at("04-03"))
    assert [member for _place, member, _prize in life.won] == ["ann"]
    assert life.figures() == DrawFigures(tickets=6, void=2, entered=3, winners=1, prizes={"bicycle": 1})


def test_who_won_the_place_in_life_and_let_it_lapse_makes_room_for_the_next_alternate_who_claims() -> None:
    first, *_, alternate, _second = by_hand("1")
    life = spring(Chance(won=frozenset({(first, "spring", 1)})))
    life.replay.finish(at("05-01"))
    assert [(place, member) for place, member, prize in life.won if prize == "bicycle"] == [(1, first), (1, alternate)]
    assert life.ended == [LAPSED_AT, LAPSED_AT]
    assert life.figures() == DrawFigures(
        tickets=36, entered=36, winners=4, prizes={"bicycle": 1, "gift": 2}, forfeited=1, points={"points": 1000}
    )
    assert life.replay.figures.given.used["draw/spring/bicycle"] == 1


def test_who_won_the_place_in_life_claims_as_then() -> None:
    first = by_hand("1")[0]
    life = spring(Chance(won=frozenset({(first, "spring", 1)})))
    claimed = life.send(first, "draw_claim", {"draw": "spring", "place": 1}, "04-05")
    assert isinstance(claimed, Decision)
    life.replay.finish(at("05-01"))
    assert (life.figures().forfeited, life.figures().prizes) == (0, {"bicycle": 1, "gift": 2})
    assert life.ended == [at("04-05")]


def test_who_did_not_win_in_life_has_claimed_and_a_claim_of_a_file_finds_it_so() -> None:
    first = by_hand("1")[0]
    life = spring()
    assert isinstance(life.send(first, "draw_claim", {"draw": "spring", "place": 1}, "04-05"), Decision)
    assert life.ended == [DRAWN_AT]
    refused = life.send(by_hand("1")[1], "draw_claim", {"draw": "spring", "place": 1}, "04-05")
    assert isinstance(refused, Refusal)
    assert life.replay.figures.refused == {"unknown_prize": 1}


def test_erased_members_do_not_enter_and_make_room_where_they_are_erased_before_they_claim() -> None:
    first, *_, alternate, second = by_hand("1")
    before = spring(Chance(sealed={first: at("03-15")}))
    before.replay.finish(at("04-03"))
    assert first not in [member for _place, member, _prize in before.won]
    between = spring(Chance(sealed={first: at("04-01")}))
    between.replay.finish(at("04-03"))
    assert [member for place, member, _prize in between.won if place == 1] == [alternate]
    life = frozenset({(first, "spring", 1), (alternate, "spring", 1)})
    after = spring(Chance(sealed={first: at("04-05"), alternate: at("04-07")}, won=life))
    after.replay.finish(at("04-08"))
    assert [member for place, member, _prize in after.won if place == 1] == [first, alternate, second]
    assert after.ended == [at("04-05"), at("04-07"), at("04-07")]


@pytest.mark.parametrize("ends_at", ["2026-04-05", "2026-04-01"])
def test_a_prize_is_a_voucher_and_where_its_kind_is_over_nobody_can_be_given_it(ends_at: str) -> None:
    life = Life(
        campaigns=CHANCE,
        draws={"spring": {**SPRING, "prizes": {"card": {"quantity": 1, "gives": {"voucher": "ten"}}}}},
        vouchers={"ten": {"gives": {"off": "10.00"}, "expires": {"until": ends_at}}},
    )
    life.enrol("ann", "bob", "cy", "dan")
    for member in ("ann", "bob", "cy", "dan"):
        life.buy(member, "100.00")
    life.replay.finish(at("04-03"))
    given = life.replay.figures.given
    if ends_at == "2026-04-05":
        assert (life.figures().prizes, given.vouchers["ten"].issued) == ({"card": 1}, 1)
    else:
        # Neither the winner nor the two alternates.
        assert (life.won, given.vouchers, life.figures().entered) == ([], {}, 4)


def test_a_draw_that_was_drawn_keeps_its_seed_its_announcement_and_when_it_was_drawn() -> None:
    late = DRAWN_AT + 3_600_000_000
    drawn = Drawn("cafe/spring", b"\7" * 32, b"\1" * 32, DRAWN_AT, late)
    life = spring(Chance(drawn={"spring": drawn}))
    life.replay.finish(at("04-03"))
    owners = {number_of(b"spring", f"m-{n}"): n for n in range(8)}
    entries = sorted(Entry(number, ticket) for number, n in owners.items() for ticket in range(1, n + 2))
    found = draw(stream_key("cafe/spring", b"\7" * 32, b"\1" * 32, root_of(entries)), entries, 3, 2)
    assert [member for _place, member, _prize in life.won] == [f"m-{owners[each.number]}" for each in found.winners]
    assert life.times == [late] * 3
    # Where it is to be drawn at another time, it is drawn then.
    moved = spring(Chance(drawn={"spring": drawn}), draws_at="2026-04-05")
    moved.replay.finish(at("04-06"))
    assert moved.times == [parse_instant("2026-04-05T00:00:00+08:00")] * 3


def test_a_row_of_a_file_that_is_refused_draws_nothing() -> None:
    life = spring()
    assert isinstance(life.buy("nobody", "100.00", "06-01"), Refusal)
    assert isinstance(life.send("m-9", "enrol", {}, "03-05"), Decision)
    assert isinstance(life.buy("m-9", "100.00", "03-06"), Decision)
    assert life.figures() == DrawFigures(tickets=37)
    # One that goes in does.
    assert isinstance(life.send("m-10", "enrol", {}, "04-03"), Decision)
    assert (life.figures().entered, life.figures().winners) == (37, 3)


def test_a_tier_that_a_closing_draw_finds_kept_is_told_as_without_the_draw() -> None:
    tiers = [{"id": "member"}, {"id": "silver", "enter": "1000.00", "keep": "800.00"}]
    tracks = {"membership": {"measure": {"spent": "net"}, "window": "calendar_year", "tiers": tiers}}
    kept = {"on": "tier_kept", "keeps": "membership.silver", "grant": {"wallet": "points", "fixed": 500}}
    # Nothing happens to the member between the last purchase and the close, over a year later; the term ends before it.
    year = {**SPRING, "closes": "2028-03-31", "draws_at": "2028-04-02"}
    told = []
    for draws in ({}, {"spring": year}):
        life = Life(campaigns={"kept": kept, **(CHANCE if draws else {})}, draws=draws, tracks=tracks)
        life.enrol("m")
        life.buy("m", "1000.00", "05-01")
        life.buy("m", "800.00", "2027-05-01")
        life.replay.finish(parse_instant("2028-06-01T00:00:00+08:00"))
        told.append(life.replay.figures.wallet("points").campaigns["kept"].points)
    assert told == [500, 500]


# --- instant draws ----------------------------------------------------------------------------------------------------


def odds(day: str, ticket: int, member: str = "ann", seed: str = "1") -> str | None:
    """What the page says that a ticket draws."""
    key = day_key(digest_of("simulated", b"shop/wheel", seed.encode()), day)
    return drawn_instantly(key, Entry(number_of(b"wheel", member), ticket), [Odds("mug", 1, 2), Odds("coffee", 1, 4)])


def test_turns_are_decided_by_keys_of_the_day_that_follow_from_the_seed_and_mugs_run_out() -> None:
    for seed in ("1", "7"):
        life = Life(Chance(seed), campaigns=TURNS, draws={"wheel": WHEEL})
        life.enrol("ann")
        given = [life.turn("ann", f"03-{day:02}") for day in range(1, 17)]
        drawn = [odds(f"2026-03-{day:02}", day, seed=seed) for day in range(1, 17)]
        mugs = [n for n, each in enumerate(drawn) if each == "mug"]
        assert len(mugs) > 2
        assert given == ["fallback" if n in mugs[2:] else each for n, each in enumerate(drawn)]
        coffees, over = drawn.count("coffee"), len(mugs) - 2
        assert life.figures("wheel") == DrawFigures(
            tickets=16,
            played=16,
            winners=1,
            prizes={"mug": 2, "coffee": coffees, "fallback": over},
            points={"points": 3 * over},
        )


def test_a_recorded_turn_keeps_the_key_of_then_unless_all_is_drawn_anew() -> None:
    keys = {"wheel": number_of(b"wheel", "ann"), "wheel/2026-03-02": "ab" * 32}
    then = drawn_instantly(b"\xab" * 32, Entry(keys["wheel"], 1), [Odds("mug", 1, 2), Odds("coffee", 1, 4)])
    for seed in ("1", "2", "3", "4"):
        for anew in (False, True):
            life = Life(Chance(seed, anew), campaigns=TURNS, draws={"wheel": WHEEL})
            life.enrol("ann")
            life.send("ann", "check_in", {"subject": "app"}, "03-02")
            life.send("ann", "draw_play", {"draw": "wheel"}, "03-02", Circumstances(at("03-02"), keys=keys))
            prizes = life.figures("wheel").prizes
            assert prizes == {prize: 1 for prize in [odds("2026-03-02", 1, seed=seed) if anew else then] if prize}
    assert len({odds("2026-03-02", 1, seed=seed) for seed in ("1", "2", "3", "4")} | {then}) > 1


def test_a_new_wheel_is_played_by_nobody_unless_it_is_said_that_everybody_does() -> None:
    for played in ((), ("wheel",)):
        life = Life(played=played, campaigns=TURNS, draws={"wheel": WHEEL})
        life.enrol("ann", "bob")
        for day in range(1, 9):
            life.send("ann", "check_in", {"subject": "app"}, f"03-{day:02}")
        # A turn that was recorded has been made by then.
        turned = life.send("ann", "draw_play", {"draw": "wheel"}, "03-08")
        assert isinstance(turned, Decision)
        figures = life.figures("wheel")
        drawn = [odds(f"2026-03-{day:02}", day) for day in range(1, 9)]
        assert (figures.tickets, figures.played) == (8, 8 if played else 1)
        if played:
            mugs, coffees = drawn.count("mug"), drawn.count("coffee")
            assert figures.prizes["mug"] == min(mugs, 2)
            assert figures.prizes.get("coffee", 0) == coffees
            assert sum(figures.points.values()) == 3 * max(mugs - 2, 0)


def test_a_mug_that_nobody_won_then_is_claimed_and_one_that_lapsed_then_lapses() -> None:
    first = next(day for day in range(1, 9) if odds(f"2026-03-{day:02}", day) == "mug")
    for won, forfeited in ((frozenset[Any](), 0), (frozenset({("ann", "wheel", first)}), 1)):
        life = Life(Chance(won=won), campaigns=TURNS, draws={"wheel": {**WHEEL, "claim": "5D"}})
        life.enrol("ann")
        for day in range(1, first + 1):
            life.turn("ann", f"03-{day:02}")
        life.replay.finish(at("03-31"))
        assert (life.figures("wheel").forfeited, life.figures("wheel").prizes["mug"]) == (forfeited, 1 - forfeited)
