"""Segments are conditions with a name, asked at the instant that is judged (each step keeps the laws)."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core import case, promotion
from laurels.core.facts import OrderOpened, Priced, QuoteReserved, TicketsEntered
from laurels.core.segment import segments_of
from tests.core.harness import Answer, World, draw_keys, shop

SEGMENTS: dict[str, Any] = {
    "new": {"when": "member.counters.purchases == 0"},
    "regular": {"when": "member.counters.purchases >= 2"},
    "april": {"when": "at.month == 4"},
    "rich": {"when": "member.wallets.points.available >= 1000"},
    "silver_children": {"when": 'member.tier.club == "silver" && member.children > 0'},
}
TRACKS = {
    "club": {
        "measure": {"spent": "net"}, "window": "calendar_year",
        "tiers": [{"id": "member"}, {"id": "silver", "enter": "1000.00"}],
    }
}  # fmt: skip
FIELDS = {"member": {"children": {"type": "int", "default": 0}}}


def in_(*segments: str) -> str:
    return " && ".join(f'"{each}" in member.segments' for each in segments)


def bonus(when: str, points: int = 5, **more: Any) -> dict[str, Any]:
    return {"on": "purchase", "when": when, "grant": {"wallet": "points", "fixed": points}, **more}


def world(**parts: Any) -> World:
    made = World(shop({"expires": "never"}, tracks=TRACKS, fields=FIELDS, **{"segments": SEGMENTS, **parts}))
    made.enrol()
    return made


def quote(here: World) -> Answer:
    """A reserved quote of two pieces, for 10 and 9 yuan."""
    id = f"q-{here._ids}"
    cart = {"order": id, "lines": [{"line": "1", "amount": "10.00"}, {"line": "2", "amount": "9.00"}]}
    return here.post("m", "quote", {"quote": id, "cart": cart, "reserve": True})


def offered(answer: Answer) -> dict[str, tuple[str, int]]:
    """What becomes of promotions and vouchers, and what they take off."""
    (priced,) = answer.of(Priced) or [each.priced for each in answer.of(QuoteReserved)]
    return {each.promotion: (each.code, each.given) for each in priced.offers}


# --- campaigns ---


def test_a_member_is_in_a_segment_while_its_condition_holds() -> None:
    here = world(campaigns={each: bonus(in_(each)) for each in SEGMENTS})

    def given(order: str, amount: str = "1.00") -> list[str]:
        answer = here.buy(order, amount)
        return [each for each in SEGMENTS if answer.granted(each) == 5]

    assert given("o-1") == ["new"]
    # The third order is the first at which two were before it; 1,000 yuan make silver and 1,000 points for the next.
    assert (given("o-2"), given("o-3", "1000.00"), given("o-4")) == ([], ["regular"], ["regular", "rich"])
    here.post("m", "member_change", {"attributes": {"children": 2}})
    assert given("o-5") == ["regular", "rich", "silver_children"]
    here.redeem("r", 1000)
    assert given("o-6") == ["regular", "silver_children"]


def test_what_comes_late_is_judged_as_of_when_it_occurred() -> None:
    here = world(campaigns={"spring": bonus(in_("april"))})
    assert here.buy("o-1", "1.00", at="2026-05-02", occurred="2026-04-30 23:59").granted("spring") == 5
    assert here.buy("o-2", "1.00", occurred="2026-05-01 00:00").granted("spring") == 0


def test_segments_stand_in_the_order_of_the_document_and_can_be_asked_of_as_a_list() -> None:
    counted = {f"of_{n}": bonus(f"size(member.segments) == {n}") for n in (0, 1, 2)}
    named = bonus('member.segments.exists(s, s == "april")')
    here = world(campaigns={**counted, "named": named})
    first = here.buy("o-1", "1.00", at="2026-04-01")
    assert [first.granted(each) for each in (*counted, "named")] == [0, 0, 5, 5]
    (opened,) = first.of(OrderOpened)
    assert opened.standing == {"segments": ["new", "april"]}


def test_joining_and_visits_ask_too() -> None:
    grant = {"grant": {"wallet": "points", "fixed": 5}}
    at = {"on": "enrol", "when": in_("new"), **grant}
    here = world(campaigns={"hello": at, "visit": {"on": "check_in", "when": in_("regular"), **grant}})
    assert here.enrol("n").granted("hello") == 5
    assert here.post("m", "check_in").granted("visit") == 0
    here.buy("o-1", "1.00")
    here.buy("o-2", "1.00")
    assert here.post("m", "check_in").granted("visit") == 5


# --- returns ---


def test_a_return_judges_again_by_the_segments_of_then() -> None:
    here = world(campaigns={"first": bonus(f"{in_('new')} && purchase.total >= 100.00", 50)})
    assert here.buy("o", "80.00", "40.00", "20.00").granted("first") == 50
    # Nobody is new any more, and 120 are left: the 50 stay; with 80 left they go.
    assert here.give_back("o", "3").moved("available", "issuance") == 20
    assert here.give_back("o", "2").moved("available", "issuance") == 40 + 50


def test_a_return_judges_again_by_what_a_segment_was_under_the_version_of_then() -> None:
    first = {"first": bonus(f"{in_('new')} && purchase.total >= 100.00", 50)}
    here = world(campaigns=first)
    here.buy("o", "80.00", "40.00", "20.00", at="2026-02-01")
    never = {"new": {"when": "member.counters.purchases > 100"}}
    document = shop({"expires": "never"}, tracks=TRACKS, fields=FIELDS, segments=never, campaigns=first)
    here.publish(document, "2026-02-02")
    assert here.buy("o-2", "100.00", at="2026-02-03").granted("first") == 0
    assert here.give_back("o", "3").moved("available", "issuance") == 20


# --- promotions and vouchers ---


@pytest.mark.parametrize(
    ("promoted", "before", "off"),
    [
        ({"gives": {"off": "3.00"}, "when": in_("regular")}, "condition_not_met", 300),
        ({"gives": {"percent": "10%"}, "lines": in_("regular")}, "no_lines", 190),
        ({"gives": {"free": f'{in_("regular")} && line.line == "2"'}}, "no_lines", 900),
    ],
)
def test_promotions_ask_by_condition_by_lines_and_by_what_is_free(
    promoted: dict[str, Any], before: str, off: int
) -> None:
    here = world(promotions={"p": promoted})
    assert offered(quote(here)) == {"p": (before, 0)}
    here.buy("o-1", "1.00")
    here.buy("o-2", "1.00")
    assert offered(quote(here)) == {"p": ("applied", off)}


def test_what_is_free_may_depend_on_a_balance() -> None:
    free = 'member.wallets.points.available >= 100 && line.line == "2"'
    here = world(promotions={"gift": {"gives": {"free": free}}})
    assert offered(quote(here)) == {"gift": ("no_lines", 0)}
    here.adjust(100)
    assert offered(quote(here)) == {"gift": ("applied", 900)}


def test_a_voucher_asks() -> None:
    vouchers = {"thanks": {"gives": {"off": "5.00"}, "when": in_("regular"), "code": "THANKS"}}
    here = world(vouchers=vouchers)
    here.buy("o-1", "1.00")
    assert here.buy("o-2", "15.00", vouchers=["THANKS"]).code == "voucher_condition_not_met"
    here.buy("o-2", "1.00")
    line = {"amount": "10.00", "discounts": [{"code": "THANKS", "amount": "5.00"}]}
    assert offered(here.buy("o-3", line, vouchers=["THANKS"]))["THANKS"] == ("applied", 500)


def test_points_promised_to_a_segment_are_kept_with_the_quote() -> None:
    here = world(campaigns={"spring": bonus(f"{in_('april')} && purchase.total >= 50.00", 50)})
    cart = {"order": "o", "lines": [{"line": "1", "amount": "40.00"}, {"line": "2", "amount": "60.00"}]}
    here.post("m", "quote", {"quote": "q", "cart": cart, "reserve": True}, at="2026-04-30 23:50")
    assert here.buy("o", "40.00", "60.00", quote="q", at="2026-05-01 00:10").granted("spring") == 50
    # Judged again as of the quote: 60 are left of the order.
    assert here.give_back("o", "1").moved("available", "issuance") == 40


# --- rewards ---


def redeem(here: World, reward: str) -> Answer:
    return here.post("m", "redemption", {"redemption": f"r-{here._ids}", "reward": reward})


def test_prices_sight_and_the_right_to_buy_differ_by_segment() -> None:
    mug: dict[str, Any] = {"gives": "service", "hold": "none", "price": {"wallet": "points", "points": 100}}
    prices = [
        {"when": in_("rich"), "wallet": "points", "points": 90},
        {"when": in_("regular"), "wallet": "points", "points": 80},
    ]
    here = world(
        rewards={
            "mug": {**mug, "prices": prices},
            "seen": {**mug, "visible": in_("regular")},
            "bought": {**mug, "when": in_("regular")},
        }
    )
    here.adjust(1200)
    # 1,200 points are rich; then 1,000 are not less; then 910 are no longer.
    assert redeem(here, "mug").moved("available", "held") == 90
    assert [redeem(here, each).code for each in ("seen", "bought")] == ["reward_not_for_member"] * 2
    here.adjust(-210)
    assert redeem(here, "mug").moved("available", "held") == 100
    here.buy("o-1", "1.00")
    here.buy("o-2", "1.00")
    assert redeem(here, "mug").moved("available", "held") == 80
    assert [redeem(here, each).code for each in ("seen", "bought")] == ["accepted"] * 2


# --- draws ---


def test_who_is_in_an_excluded_segment_gets_no_ticket_and_has_no_part_at_the_close() -> None:
    spring = {
        "opens": "2026-03-01", "closes": "2026-03-31", "draws_at": "2026-04-02", "exclude": in_("regular"),
        "prizes": {"mug": {"quantity": 1}},
    }  # fmt: skip
    here = world(
        campaigns={"ticket": {"on": "purchase", "grant": {"tickets": "spring"}}},
        draws={"spring": spring},
        jurisdiction="none",
    )
    here.keys = draw_keys
    here.enrol("n")
    for member in ("m", "n"):
        assert here.buy("o-1", "1.00", member=member, at="2026-03-02").why("ticket") == ("applied", 1, 1)
    here.buy("o-2", "1.00")
    assert here.buy("o-3", "1.00").why("ticket") == ("excluded_from_draw", 0, 0)
    entered = [here.post(member, "clock", at="2026-04-01").of(TicketsEntered)[0] for member in ("m", "n")]
    assert [(each.count, each.excluded) for each in entered] == [(0, True), (1, False)]


# --- what it costs ---


@pytest.mark.parametrize(("when", "asked"), [("purchase.total > 0.00", False), (in_("regular"), True)])
def test_nobody_asks_where_no_condition_reads_segments(when: str, asked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    times = 0

    def counted(*args: Any) -> tuple[str, ...]:
        nonlocal times
        times += 1
        return segments_of(*args)

    monkeypatch.setattr(case, "segments_of", counted)
    monkeypatch.setattr(promotion, "segments_of", counted)
    reward = {
        "gives": "service",
        "hold": "none",
        "price": {"wallet": "points", "points": 1},
        "when": "member.counters.purchases > 0",
    }
    here = world(
        campaigns={"c": bonus("purchase.total > 0.00")},
        promotions={"p": {"gives": {"off": "1.00"}, "when": when}},
        rewards={"mug": reward},
    )
    here.buy("o", "5.00")
    assert redeem(here, "mug").code == "accepted"
    assert bool(times) == asked
