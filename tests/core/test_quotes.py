"""Reserved quotes keep what they promised for a while, claims included, and say why where they no longer do."""

from collections.abc import Mapping
from typing import Any

from laurels.core.facts import Priced, QuoteEnded, QuoteReserved
from tests.core.harness import Answer, World, shop

TENTH = {"gives": {"percent": "10%"}, "limits": [{"budget": "money", "of": "15.00"}, {"every": "day", "times": 1}]}
DOUBLE = {
    "on": "purchase",
    "grant": {"wallet": "points", "multiply": "base", "by": 2},
    "limits": [{"budget": "points", "of": 100}],
}
SHOP = shop(promotions={"tenth": TENTH}, campaigns={"double": DOUBLE})
POOLS = {"campaign/tenth/money": 1000, "campaign/tenth/times": 0, "campaign/double/points": 90}


def world(document: Mapping[str, Any] = SHOP) -> World:
    made = World(document)
    made.enrol(at="2026-03-01 09:00")
    return made


def reserve(here: World, *amounts: str, quote: str = "q", at: str | None = None, **data: Any) -> Answer:
    lines = [{"line": str(n), "amount": amount} for n, amount in enumerate(amounts, 1)]
    cart = {"order": f"quote:{quote}", "lines": lines, **data}
    return here.post("m", "quote", {"quote": quote, "cart": cart, "reserve": True}, at=at)


def paid(amount: str, off: str = "10.00") -> dict[str, Any]:
    return {"amount": amount, "discounts": [{"code": "tenth", "amount": off}]}


def held(answer: Answer) -> str:
    (found,) = answer.of(Priced)
    assert isinstance(found, Priced)
    return found.held


def test_a_reserved_quote_claims_what_it_promised_and_grants_nothing_yet() -> None:
    here = world()
    (kept,) = reserve(here, "100.00", at="2026-03-01 10:00").of(QuoteReserved)
    assert here.text(kept.until) == "2026-03-01 10:30"
    assert {wallet: sum(grant.points for grant in grants) for wallet, grants in kept.grants.items()} == {"points": 180}
    assert {pool: used for pool, used in here.pools.items() if used} == {
        "campaign/tenth/money": 1000,
        "campaign/double/points": 90,
    }
    assert here.points() == (0, 0, 0, 0)


def test_the_purchase_that_names_it_is_held_to_it() -> None:
    here = world()
    reserve(here, "100.00", at="2026-03-01 10:00")
    bought = here.buy("o", paid("90.00"), quote="q", at="2026-03-01 10:29")
    assert held(bought) == "kept"
    (found,) = bought.of(Priced)
    assert found.deviations == ()
    assert (bought.granted("base"), bought.granted("double")) == (90, 90)
    assert here.pools["campaign/tenth/money"] == 1000
    assert here.pools["campaign/double/points"] == 90
    back = here.give_back("o")
    assert back.moved("available", "issuance") == 180
    assert not any(here.pools.values())


def test_a_quotes_cooldown_begins_with_its_order_however_that_is_paid_and_ends_no_later_one_sooner() -> None:
    once_a_week = {"gives": {"percent": "10%"}, "limits": [{"cooldown": "7D"}]}
    for tenders in ([], [{"kind": "gift_card", "amount": "90.00"}]):
        here = World(shop(promotions={"tenth": once_a_week}))
        here.enrol(at="2026-03-01 09:00")
        reserve(here, "100.00", at="2026-03-01 10:00")
        bought = here.buy("o", paid("90.00"), quote="q", at="2026-03-01 10:20", tenders=tenders)
        assert held(bought) == ("points_anew" if tenders else "kept")
        (later,) = here.buy("o2", paid("90.00"), at="2026-03-02 10:00").of(Priced)
        assert isinstance(later, Priced)
        assert [each.code for each in later.offers] == ["cooldown"]
    other = World(shop(promotions={"tenth": once_a_week}))
    other.enrol(at="2026-03-01 09:00")
    reserve(other, "100.00", at="2026-03-01 10:00")
    other.buy("o", paid("90.00"), at="2026-03-01 10:10")
    until = other.look().root.cooldowns
    other.buy("o2", paid("90.00"), quote="q", at="2026-03-01 10:20")
    assert (other.look().root.cooldowns, len(until)) == (until, 1)


def test_promotions_and_campaigns_stopped_meanwhile_are_honoured_for_it_and_for_nobody_else() -> None:
    here = world()
    reserve(here, "100.00", at="2026-03-01 10:00")
    here.publish(shop(), "2026-03-01 10:10")
    bought = here.buy("o", paid("90.00"), quote="q", at="2026-03-01 10:20")
    assert (held(bought), bought.granted("double")) == ("kept", 90)
    other = here.buy("o-2", paid("90.00"), at="2026-03-01 10:21")
    assert (other.of(Priced), "double" in other.judged) == ([], False)
    # Returns go by the version that made the quote.
    assert here.give_back("o", ("1", "45.00")).moved("available", "issuance") == 90


def test_its_time_over_it_gives_everything_back_and_the_order_is_judged_anew() -> None:
    here = world()
    reserve(here, "100.00", at="2026-03-01 10:00")
    late = here.buy("o", paid("90.00"), quote="q", at="2026-03-01 10:30")
    assert held(late) == "quote_timed_out"
    assert [each.status for each in late.of(QuoteEnded)] == ["timed_out"]
    assert here.pools["campaign/tenth/money"] == 1000, "given back, and taken by the order"
    swept = world()
    reserve(swept, "100.00", at="2026-03-01 10:00")
    swept.clock("2026-03-01 10:30")
    assert not any(swept.pools.values())
    assert reserve(swept, "100.00", quote="q-2").of(QuoteReserved), "the member's own limit is free again, too"


def test_another_cart_an_unknown_quote_and_a_used_one_are_judged_anew_and_say_so() -> None:
    here = world()
    reserve(here, "100.00", at="2026-03-01 10:00")
    assert held(here.buy("o-2", paid("90.00"), quote="other")) == "quote_unknown"
    assert held(here.buy("o-3", paid("90.00"), quote="q")) == "kept"
    assert held(here.buy("o-4", paid("90.00"), quote="q")) == "quote_used"
    reserve(here, "100.00", quote="r")
    assert held(here.buy("o-5", paid("80.00"), quote="r")) == "quote_differs"
    assert held(here.buy("o-6", paid("90.00"), quote="r")) == "quote_replaced"


def test_a_till_that_took_something_else_off_than_quoted_is_told_the_difference() -> None:
    here = world()
    reserve(here, "100.00", at="2026-03-01 10:00")
    bought = here.buy("o", paid("92.00", "8.00"), quote="q")
    (found,) = bought.of(Priced)
    assert (found.held, [each.amount for each in found.deviations]) == ("kept", [-200])


def test_paid_otherwise_than_quoted_prices_are_kept_and_points_judged_anew() -> None:
    here = world(
        shop({"money": {"points": 1, "worth": "1.00"}}, promotions={"tenth": TENTH}, campaigns={"double": DOUBLE})
    )
    here.adjust(40)
    reserve(here, "100.00", at="2026-03-01 10:00")
    here.hold("r", 40)
    tenders = [{"kind": "points", "amount": "40.00", "redemption": "r"}, {"kind": "cash", "amount": "50.00"}]
    bought = here.buy("o", paid("90.00"), quote="q", tenders=tenders)
    assert (held(bought), bought.granted("base"), bought.granted("double")) == ("points_anew", 50, 50)
    assert here.pools["campaign/double/points"] == 50


def test_ids_are_used_once_and_few_quotes_are_open_at_a_time() -> None:
    here = world(shop())
    for n in range(5):
        assert reserve(here, "1.00", quote=f"q-{n}", at="2026-03-01 10:00").refusal is None
    assert reserve(here, "1.00", quote="q-0").code == "duplicate_quote"
    assert reserve(here, "1.00", quote="q-5").code == "too_many_quotes"
    assert reserve(here, "1.00", quote="q-5", at="2026-03-01 10:30").refusal is None


def test_cooldowns_begin_with_the_purchase_and_not_with_the_quote() -> None:
    slow = {"on": "purchase", "grant": {"wallet": "points", "fixed": 5}, "limits": [{"cooldown": "1H"}]}
    here = world(shop(campaigns={"slow": slow}))
    reserve(here, "1.00", at="2026-03-01 10:00")
    here.clock("2026-03-01 10:31")
    assert here.buy("o-1", "1.00").granted("slow") == 5
    reserve(here, "1.00", quote="q-2", at="2026-03-01 12:00")
    assert here.buy("o-2", "1.00", quote="q-2").granted("slow") == 5
    assert here.buy("o-3", "1.00", at="2026-03-01 12:59").why("slow")[0] == "cooldown"
