"""A reserved quote that is cancelled, or in the way of the order that names it, gives back what timing out would."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import msgspec
import pytest

from laurels.core.case import Code
from laurels.core.facts import (
    CooldownEnded,
    CooldownStarted,
    Priced,
    QuoteEnded,
    QuoteReserved,
    VoucherRedeemed,
    VoucherReleased,
)
from laurels.core.folding_vouchers import voucher_key
from laurels.core.member import ROOT, Document, IssuedVoucher, Quote, Root
from tests.core.harness import Answer, World, shop

VOUCHERS: dict[str, Any] = {
    "ten": {
        "gives": {"off": "10.00"},
        "per_order": 2,
        "limits": [{"budget": "times", "of": 3}, {"every": "day", "times": 2}],
    },
    "slow": {"gives": {"off": "5.00"}, "limits": [{"cooldown": "3D"}]},
    "hello": {"gives": {"off": "1.00"}, "code": "HELLO", "limits": [{"every": "lifetime", "times": 1}]},
}
PROMOTIONS = {
    "tenth": {"gives": {"percent": "10%"}, "limits": [{"budget": "money", "of": "15.00"}, {"every": "day", "times": 1}]}
}
CAMPAIGNS = {
    "double": {
        "on": "purchase",
        "grant": {"wallet": "points", "multiply": "base", "by": 2},
        "limits": [{"budget": "points", "of": 100}, {"every": "day", "points": 150}],
    },
    "gift": {"on": "purchase", "grant": {"voucher": "slow"}, "limits": [{"every": "day", "times": 1}]},
}
DOCUMENT = shop(vouchers=VOUCHERS, promotions=PROMOTIONS, campaigns=CAMPAIGNS)


def world(document: dict[str, Any] = DOCUMENT) -> World:
    made = World(document)
    made.codes["LEAFLET"] = Code("ten", uses=2)
    made.enrol(at="2026-03-01 09:00")
    return made


def given(here: World, voucher: str) -> str:
    code: str = here.post("m", "voucher_issue", {"voucher": voucher}).facts[0].code  # type: ignore[union-attr]  # it issues
    return code


def reserve(here: World, *amounts: str, quote: str = "q", order: str | None = None, **data: Any) -> Answer:
    lines = [{"line": str(n), "amount": amount} for n, amount in enumerate(amounts, 1)]
    cart = {"order": order or f"quote:{quote}", "lines": lines, **data}
    return here.post("m", "quote", {"quote": quote, "cart": cart, "reserve": True})


def cancel(here: World, quote: str = "q", at: str | None = None) -> Answer:
    return here.post("m", "quote_cancel", {"quote": quote}, at=at)


def paid(amount: str, off: str, **vouchers: str) -> dict[str, Any]:
    discounts = {"tenth": off, **vouchers}
    return {"amount": amount, "discounts": [{"code": code, "amount": each} for code, each in discounts.items()]}


def held(answer: Answer) -> str:
    (found,) = answer.of(Priced)
    assert isinstance(found, Priced)
    return found.held


def reserved(here: World, code: str) -> IssuedVoucher | None:
    found = here.look().documents.get(voucher_key(code))
    return found if isinstance(found, IssuedVoucher) and found.status == "reserved" else None


def left(here: World) -> tuple[dict[str, Document | None], dict[str, int]]:
    """All that is kept of the member but for what only says how the quote ended, and what was used of pools."""
    documents = dict(here.look().documents)
    root = documents[ROOT]
    assert isinstance(root, Root)
    documents[ROOT] = msgspec.structs.replace(root, seq=0)
    ended = documents.pop("quote/q")
    assert isinstance(ended, Quote)
    assert ended.status != "open"
    return documents, {pool: used for pool, used in here.pools.items() if used}


NAMED = ("own", "slow", "HELLO", "LEAFLET")


@pytest.mark.parametrize("named", [kinds for n in range(5) for kinds in combinations(NAMED, n)])
def test_cancelling_gives_back_exactly_what_timing_out_gives_back(named: tuple[str, ...]) -> None:
    here = world()
    codes = {"own": given(here, "ten"), "slow": given(here, "slow"), "HELLO": "HELLO", "LEAFLET": "LEAFLET"}
    before = here.pools.copy()
    reserve(here, "100.00", "7.77", vouchers=[codes[each] for each in named])
    assert here.pools != before
    timed_out, cancelled = here, here.fork()
    timed_out.clock("2026-03-01 09:30")
    ends = cancel(cancelled, at="2026-03-01 09:10")
    assert [each.status for each in ends.of(QuoteEnded)] == ["cancelled"]
    assert {each.reason for each in ends.of(VoucherReleased)} <= {"released"}
    # Time went by, but did nothing.
    cancelled.clock("2026-03-01 09:30")
    assert left(cancelled) == left(timed_out)
    cancelled.replay()
    timed_out.replay()


def test_a_quote_is_cancelled_once_and_never_after_its_time_or_its_order() -> None:
    here = world()
    assert cancel(here).code == "unknown_quote"
    reserve(here, "100.00")
    assert cancel(here).code == "accepted"
    pools = dict(here.pools)
    assert cancel(here).code == "quote_not_open"
    assert dict(here.pools) == pools
    assert reserve(here, "100.00").code == "duplicate_quote"
    reserve(here, "100.00", quote="late")
    here.now = here.instant("2026-03-01 09:30")
    assert cancel(here, "late").code == "quote_not_open"
    reserve(here, "100.00", quote="kept")
    assert held(here.buy("o", paid("90.00", "10.00"), quote="kept")) == "kept"
    assert cancel(here, "kept").code == "quote_not_open"


def test_an_order_that_names_a_cancelled_quote_is_judged_anew_and_says_why() -> None:
    here = world()
    reserve(here, "100.00")
    cancel(here)
    bought = here.buy("o", paid("90.00", "10.00"), quote="q")
    assert held(bought) == "quote_cancelled"
    assert here.pools["campaign/tenth/money"] == 1000
    here.replay()


def test_whoever_cancels_makes_room_for_another_quote() -> None:
    here = world(shop())
    for n in range(5):
        reserve(here, "1.00", quote=f"q-{n}")
    assert reserve(here, "1.00", quote="q-5").code == "too_many_quotes"
    cancel(here, "q-3")
    assert reserve(here, "1.00", quote="q-5").code == "accepted"


# --- an order that is not what was quoted -----------------------------------------------------------------------------


def test_an_order_that_differs_from_its_quote_still_gets_what_that_had_reserved_of_a_budget_for_one() -> None:
    one = {"gives": {"percent": "10%"}, "limits": [{"budget": "times", "of": 1}, {"every": "lifetime", "times": 1}]}
    thrice = {
        "on": "purchase",
        "grant": {"wallet": "points", "fixed": 50},
        "limits": [{"budget": "times", "of": 1, "over": "refuse"}],
    }
    here = world(shop(promotions={"tenth": one}, campaigns={"thrice": thrice}))
    reserve(here, "100.00", "20.00")
    assert here.buy("other", "100.00").why("thrice")[0] == "budget_exhausted"
    bought = here.buy("o", paid("90.00", "10.00"), quote="q")
    assert [(ended.status, ended.order) for ended in bought.of(QuoteEnded)] == [("replaced", "o")]
    assert (held(bought), bought.granted("thrice")) == ("quote_differs", 50)
    (priced,) = bought.of(Priced)
    assert [(each.code, each.given) for each in priced.offers] == [("applied", 1000)]
    assert (here.pools["campaign/tenth/times"], here.pools["campaign/thrice/times"]) == (1, 1)
    here.clock("2026-03-01 12:00")
    assert (here.pools["campaign/tenth/times"], here.pools["campaign/thrice/times"]) == (1, 1), "given back once"
    here.replay()


def test_an_order_that_differs_uses_the_vouchers_that_its_quote_had_reserved() -> None:
    here = world()
    codes = [given(here, "ten"), given(here, "slow"), "HELLO", "LEAFLET"]
    reserve(here, "100.00", vouchers=codes)
    bought = here.buy("o", "120.00", quote="q", vouchers=codes)
    assert (bought.code, held(bought)) == ("accepted", "quote_differs")
    assert [each.voucher for each in bought.of(VoucherRedeemed)] == ["ten", "slow", "hello", "ten"]
    assert here.pools["code/LEAFLET"] == 1
    assert here.pools["voucher/ten/times"] == 2
    here.replay()


def test_an_order_that_is_refused_leaves_the_quote_that_it_names_as_it_was() -> None:
    here = world()
    reserve(here, "100.00")
    assert here.buy("o", "80.00", quote="q", vouchers=["NOSUCH"]).code == "unknown_voucher"
    assert held(here.buy("o", paid("90.00", "10.00"), quote="q")) == "kept"


# --- who has a voucher reserved ---------------------------------------------------------------------------------------


def test_an_order_and_a_quote_are_never_taken_for_each_other_whatever_they_are_called() -> None:
    here = world()
    code = given(here, "ten")
    here.post("m", "voucher_reserve", {"code": code, "order": "quote:q"})
    here.post("m", "voucher_reserve", {"code": "HELLO", "order": "quote:q"})
    quoted = reserve(here, "100.00", vouchers=[code, "HELLO"])
    priced = quoted.of(QuoteReserved)[0].priced
    assert [each.code for each in priced.offers if each.voucher] == ["voucher_reserved", "voucher_limit_reached"]
    known = reserved(here, code)
    assert known is not None
    assert (known.order, known.quote) == ("quote:q", None)
    cancel(here)
    assert here.buy("quote:q", "100.00", vouchers=[code, "HELLO"]).code == "accepted"
    # The other way round: an order that is called like a quote has nothing of what that one reserved.
    other = given(here, "ten")
    reserve(here, "100.00", quote="r", vouchers=[other])
    assert here.buy("quote:r", "100.00", vouchers=[other]).code == "voucher_reserved"
    here.replay()


def test_what_an_order_has_reserved_stays_its_own_when_it_is_quoted() -> None:
    here = world()
    code = given(here, "ten")
    here.post("m", "voucher_reserve", {"code": code, "order": "o"})
    reserve(here, "100.00", order="o", vouchers=[code])
    known = reserved(here, code)
    assert known is not None
    assert (known.order, known.quote) == ("o", None)
    apart = here.fork()
    assert held(here.buy("o", paid("80.00", "10.00", **{code: "10.00"}), quote="q")) == "kept"
    cancel(apart)
    assert reserved(apart, code) is not None
    assert here.pools["voucher/ten/times"] == apart.pools["voucher/ten/times"] == 1
    assert apart.buy("o", "100.00", vouchers=[code]).of(VoucherRedeemed)
    here.replay()
    apart.replay()


def test_a_voucher_reserved_before_there_is_an_order_is_for_whichever_comes_first() -> None:
    here = world()
    not_theirs = ("voucher_not_reserved", "unknown_voucher")
    for code, off in ((given(here, "ten"), "10.00"), ("HELLO", "1.00"), ("LEAFLET", "10.00")):
        assert here.post("m", "voucher_reserve", {"code": code}).code == "accepted"
        assert here.post("m", "voucher_release", {"code": code, "order": "o"}).code in not_theirs
        quoted, bought, free = here.fork(), here.fork(), here.fork()
        assert reserve(quoted, "100.00", vouchers=[code]).code == "accepted"
        assert quoted.buy("o", "100.00", vouchers=[code]).code != "accepted", "the quote has it now"
        total = {"10.00": "80.00", "1.00": "89.00"}[off]
        assert held(quoted.buy("o", paid(total, "10.00", **{code: off}), quote="q")) == "kept"
        assert bought.buy("o", "100.00", vouchers=[code]).of(VoucherRedeemed)
        assert free.post("m", "voucher_release", {"code": code}).code == "accepted"
        assert free.post("m", "voucher_release", {"code": code}).code in not_theirs
        for each in (quoted, bought, free):
            each.replay()


def test_letting_go_of_a_voucher_gives_its_cooldown_back_unless_it_was_used() -> None:
    here = world()
    first, second = given(here, "slow"), given(here, "slow")
    for n in range(3):
        assert here.post("m", "voucher_reserve", {"code": first, "order": f"o{n}"}).of(CooldownStarted)
        assert here.buy(f"x{n}", "20.00", vouchers=[second]).code == "voucher_cooldown"
        assert here.post("m", "voucher_release", {"code": first, "order": f"o{n}"}).of(CooldownEnded)
    here.post("m", "voucher_reserve", {"code": first, "order": "o"})
    here.clock("2026-03-01 10:00")
    bought = here.buy("y", "20.00", vouchers=[second])
    assert bought.of(VoucherRedeemed), "timed out, it waits for nothing either"
    assert here.buy("z", "20.00", vouchers=[first]).code == "voucher_cooldown"
    # What was used and came back was used all the same.
    here.give_back("y")
    assert here.buy("z", "20.00", vouchers=[first]).code == "voucher_cooldown"
    here.replay()


def test_a_cooldown_that_another_use_began_later_goes_on() -> None:
    quick = {"gives": {"off": "5.00"}, "hold": "2D", "limits": [{"cooldown": "1D"}]}
    here = world(shop(vouchers={"slow": quick}))
    first, second = given(here, "slow"), given(here, "slow")
    here.post("m", "voucher_reserve", {"code": first, "order": "o"})
    assert here.buy("x", "20.00", vouchers=[second], at="2026-03-02 09:30").of(VoucherRedeemed)
    assert here.post("m", "voucher_release", {"code": first, "order": "o"}).of(CooldownEnded) == []
    assert here.buy("y", "20.00", vouchers=[first]).code == "voucher_cooldown"
