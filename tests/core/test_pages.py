"""Lots lie in pages: the order of consumption holds over hundreds of them, and earning touches few (case 16)."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given

from laurels.core import due
from laurels.core.apply import Draft, apply
from laurels.core.calendar import MICROSECONDS_PER_DAY, Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.decide import bring_up
from laurels.core.facts import AnyFact, DrawMoved, LotExtended, LotOpened, LotsRestored, LotsUsed, Moved, Part
from laurels.core.member import Lot, Member, encode_document, lot_key
from laurels.core.pages import FULL, drop_front, rewrite
from tests.core.harness import World, check_member, lots_of, shop
from tests.core.histories import SEEDS
from tests.core.test_laws import few

DAY = MICROSECONDS_PER_DAY


def key(lot: Lot) -> tuple[int, int, int, str]:
    return lot_key(lot.expires_at, lot.earned_at, lot.lot)


def part(lot: Lot, points: int) -> Part:
    return Part(lot.lot, points, lot.earned_at, lot.expires_at, lot.tier)


def posted(points: int, out_of: str, into: str) -> Moved:
    return Moved("points", "adjustment", points, out_of, into, 0)


@few
@given(SEEDS)
def test_pages_keep_the_order_of_consumption_of_a_sorted_list(seed: int) -> None:
    chance = Random(seed)
    member, naive = Member("m", {}), list[Lot]()
    rising = chance.random() < 0.5
    for n in range(chance.choice((60, 400))):
        facts: list[AnyFact] = []
        kind = chance.choice(("open", "open", "open", "use", "extend"))
        if kind == "open" or not naive:
            expires = (n if rising else chance.randint(1, 50)) * DAY if chance.random() < 0.9 else None
            lot = Lot(f"{n}.0", chance.randint(1, 9), chance.randint(0, 3), expires)
            naive.append(lot)
            facts = [LotOpened("points", lot.lot, lot.points, lot.earned_at, lot.expires_at)]
            facts.append(posted(lot.points, "adjustment", "available"))
        elif kind == "use":
            some = chance.sample(naive, min(len(naive), chance.randint(1, 12)))
            parts = tuple([part(lot, chance.randint(1, lot.points)) for lot in some])
            facts = [LotsUsed("points", parts), posted(sum(p.points for p in parts), "available", "adjustment")]
            for lot, used in zip(some, parts, strict=True):
                naive.remove(lot)
                if used.points < lot.points:
                    naive.append(Lot(lot.lot, lot.points - used.points, lot.earned_at, lot.expires_at))
            if chance.random() < 0.5:
                back = part(some[0], parts[0].points)
                facts += [LotsRestored("points", (back,)), posted(back.points, "adjustment", "available")]
                naive = [lot for lot in naive if lot.lot != back.lot] + [some[0]]
        else:
            lot = chance.choice(naive)
            naive.remove(lot)
            later = None if lot.expires_at is None else lot.expires_at + chance.randint(1, 20) * DAY
            naive.append(Lot(lot.lot, lot.points, lot.earned_at, later))
            facts = [LotExtended("points", part(lot, lot.points), later)]
        member = apply(member, facts, n + 1, 0)
        naive.sort(key=key)
        assert lots_of(member, "points") == naive
    check_member(Member("m", {key: each for key, each in member.documents.items() if each is not None}))


def test_lots_are_found_by_their_key_alone() -> None:
    member = Member("m", {})
    for n in range(500):
        lot = LotOpened("points", f"{n}.0", 1, n, (n % 50 + 1) * DAY)
        member = apply(member, [lot, posted(1, "adjustment", "available")], n + 1, 0)
    draft = Draft(member)
    for n in range(500):
        found = draft.find("points", f"{n}.0", n, (n % 50 + 1) * DAY)
        assert found is not None
        assert found.lot == f"{n}.0"
    assert draft.find("points", "7.0", 7, 9 * DAY) is None


def test_points_that_are_released_early_move_to_the_place_of_their_new_expiry() -> None:
    pending = {"until": "custom.delivered", "at_most": "60D"}
    fields = {"custom.delivered": {"order": "string"}}
    w = World(shop({"pending": pending, "expires": {"after": "12M"}}, fields=fields))
    w.enrol()
    for n in range(40):
        w.buy(f"o{n}", "1.00", at=w.now + 3_600_000_000)
    for n in (39, 3, 20):
        w.post("m", "custom.delivered", {"order": f"o{n}"}, at=w.now + 3_600_000_000)
    # Released first, they expire first, in the order of their release; the others wait in the order of purchase.
    bought = [(lot.earned_at - w.instant("2026-01-01")) // 3_600_000_000 - 1 for lot in w.lots()]
    assert bought == [39, 3, 20, *[n for n in range(40) if n not in (39, 3, 20)]]


# --- ten thousand lots ---


def many(lots: int) -> World:
    """A member with so many open lots, of which every hundredth never expires."""
    w = World(shop({"expires": {"after": "24M"}}))
    w.enrol()
    w.checks = False
    for start in range(0, lots, 5000):
        body = [
            {
                "points": 1 + n % 7,
                "earned_at": w.zone.format(w.instant("2024-01-01") + n * 3_600_000_000),
                "expires_at": None if n % 100 == 0 else w.zone.format(w.instant("2027-01-01") + n * 3_600_000_000),
            }
            for n in range(start, min(start + 5000, lots))
        ]
        w.post("m", "opening_balance", {"wallet": "points", "lots": body})
    return w


def pages(keys: Any) -> int:
    return sum(key.startswith("lots/") for key in keys)


def test_with_ten_thousand_lots_earning_reads_and_writes_a_page_or_two() -> None:
    w = many(10_000)
    written_most = 0
    for n in range(40):
        before = dict(w.members["m"].documents)
        bought = w.buy(f"o{n}", "5.00", at=w.now + 3_600_000_000)
        after = w.members["m"].documents
        written = [key for key in after if key.startswith("lots/") and after[key] != before.get(key)]
        written_most = max(written_most, len(written))
        assert pages(bought.loaded) <= 3
    assert written_most <= 2


def test_with_ten_thousand_lots_a_return_of_unspent_points_reads_a_few_pages() -> None:
    w = many(10_000)
    w.buy("o", "5.00")
    w.buy("other", "5.00", at=w.now + 3_600_000_000)
    assert pages(w.give_back("o").loaded) <= 3


def test_with_ten_thousand_lots_spending_a_little_reads_one_page_and_spending_all_is_exact() -> None:
    w = many(10_000)
    everything = sum(1 + n % 7 for n in range(10_000))
    assert w.points() == (everything, 0, 0, 0)
    small = w.redeem("r1", 10)
    assert pages(small.loaded) <= 2
    w.checks = True
    rest = w.redeem("r2", everything - 10)
    assert rest.moved("available", "held") == everything - 10
    assert w.points() == (0, 0, 0, 0)
    assert not [key for key in w.members["m"].documents if key.startswith("lots/")]


def test_pages_stay_full_enough_that_ten_thousand_lots_need_about_a_hundred() -> None:
    w = many(10_000)
    count = pages(w.members["m"].documents)
    assert 10_000 // FULL <= count <= 200


# --- the root ---

FIVE_LIMITS: list[dict[str, Any]] = [
    {"per": "member", "every": "day", "points": 200},
    {"per": "member", "every": "week", "points": 500},
    {"per": "member", "every": "month", "points": 1000},
    {"per": "member", "every": "year", "times": 100},
    {"per": "member", "every": "lifetime", "points": 100_000},
]
THREE_TRACKS: dict[str, Any] = {
    name: {
        "measure": measure,
        "window": window,
        "tiers": [{"id": "member"}, {"id": "silver", "enter": 1000}, {"id": "gold", "enter": 5000}],
    }
    for name, measure, window in (
        ("membership", {"spent": "net"}, "calendar_year"),
        ("visits", {"count": "purchase"}, {"rolling": "12M"}),
        ("growth", {"earned": "growth"}, "anniversary"),
    )
}


def test_the_root_of_a_busy_member_stays_under_one_and_a_half_kilobytes() -> None:
    """Two years of two purchases a week, three tracks, two wallets, five limits."""
    base = {
        "on": "purchase",
        "grant": [
            {"wallet": "points", "points": 1, "per": "1.00"},
            {"wallet": "growth", "points": 1, "per": "1.00"},
        ],
        "limits": FIVE_LIMITS,
    }
    document = shop(
        {"pending": "7D", "expires": {"after": "12M", "round": "month"}},
        wallets={"growth": {"spendable": False}},
        tracks=THREE_TRACKS,
        campaigns={"base": base},
    )
    w = World(document)
    w.checks = False
    w.enrol()
    sizes = []
    for n in range(208):
        w.buy(f"order-{n}", "49.90", at=w.now + (3 + n % 2) * DAY)
        if n % 10 == 9:
            w.redeem(f"redemption-{n}", 100)
        sizes.append(len(w.members["m"].documents["root"]))
    assert max(sizes) < 1500, sizes
    assert len(encode_document(w.look().root)) < 1500


def test_a_root_whose_pages_are_of_another_moment_is_a_defect_and_no_endless_search() -> None:
    """As a reader without locks would see them: the page has been activated already, the root says it waits."""
    w = World(shop({"pending": "7D"}))
    w.enrol()
    w.buy("o", "10.00")
    before = w.look()
    after = bring_up(w.versions, before, before.root.now + 8 * DAY)
    torn = Member("m", {**before.documents, "lots/points/0": after.documents["lots/points/0"]})
    assert bring_up(w.versions, before, before.root.now + 8 * DAY).root.wallets["points"].available == 10
    with pytest.raises(AssertionError, match="is due is not in the member's documents"):
        bring_up(w.versions, torn, before.root.now + 8 * DAY)


def test_what_stays_due_however_often_it_is_carried_out_is_a_defect_and_no_endless_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    w = World(shop({"pending": "7D"}))
    w.enrol()
    w.buy("o", "10.00")

    def changes_nothing(case: Case, _compiled: Compiled, at: Instant) -> None:
        case.facts.append(DrawMoved("spring", at))

    monkeypatch.setattr(due, "_carry_out", changes_nothing)
    with pytest.raises(AssertionError, match="is due is not in the member's documents"):
        bring_up(w.versions, w.look(), w.look().root.now + 8 * DAY)


def test_what_falls_due_at_one_instant_after_another_is_no_endless_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "AGAIN_MOST", 1)
    w = World(shop({"expires": {"after": "12M"}}))
    w.enrol()
    lots = [
        {"points": n, "earned_at": f"2024-0{n}-01T00:00:00Z", "expires_at": f"2025-0{n}-01T00:00:00Z"}
        for n in range(1, 6)
    ]
    opened = w.post("m", "opening_balance", {"wallet": "points", "lots": lots}, at="2026-03-01")
    assert opened.moved("available", "breakage") == 15


def less(lot: Lot, used: Part) -> Lot | None:
    left = lot.points - used.points
    return Lot(lot.lot, left, lot.earned_at, lot.expires_at) if left else None


@few
@given(SEEDS)
def test_lots_taken_from_the_front_leave_the_pages_that_taking_each_by_itself_leaves(seed: int) -> None:
    chance = Random(seed)
    lots = [Lot(f"{n}.0", chance.randint(1, 3), n, (1 + n // 7) * DAY) for n in range(chance.choice((5, 60, 700)))]
    opened: list[AnyFact] = []
    for lot in lots:
        opened.append(LotOpened("points", lot.lot, lot.points, lot.earned_at, lot.expires_at))
        opened.append(posted(lot.points, "adjustment", "available"))
    member = apply(Member("m", {}), opened, 1, 0)
    some = lots[: chance.choice((1, len(lots) // 2, len(lots)))]
    if chance.random() < 0.5:
        some = [lot for lot in some if chance.random() < 0.99]
    parts = tuple([part(lot, lot.points if chance.random() < 0.995 else 1) for lot in some])
    by_page, by_lot = Draft(member), Draft(member)
    left = drop_front(by_page, "points", parts)
    assert left == parts[len(parts) - len(left) :]
    rewrite(by_page, "points", left, less)
    rewrite(by_lot, "points", parts, less)
    assert by_page.documents == by_lot.documents
    assert by_page.balance("points") == by_lot.balance("points")


def test_whole_pages_at_the_front_are_taken_without_looking_for_their_lots() -> None:
    opened: list[AnyFact] = [LotOpened("points", f"{n}.0", 2, n, DAY + n) for n in range(3 * FULL)]
    draft = Draft(apply(Member("m", {}), opened, 1, 0))
    lots = draft.lots("points")
    assert drop_front(draft, "points", tuple([part(lot, 2) for lot in lots[:-5]])) == ()
    assert draft.lots("points") == lots[-5:]
    assert drop_front(draft, "points", (part(lots[-5], 1),)) == (part(lots[-5], 1),)
    assert drop_front(draft, "points", (part(lots[-4], 2),)) == (part(lots[-4], 2),)
