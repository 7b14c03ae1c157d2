"""Vouchers that purchases gave: they go with the order that they were given for, wherever they were meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.activity import Activity
from laurels.core.facts import CooldownStarted, FollowUp, VoucherEnded, VoucherIssued
from laurels.core.member import IssuedVoucher
from tests.core.harness import Answer, World, shop

TEN = {"gives": {"off": "10.00"}, "transferable": True}
GIFT = {
    "on": "purchase",
    "when": "purchase.total >= 100.00",
    "grant": {"voucher": "ten"},
    "limits": [{"per": "member", "every": "month", "times": 1}, {"budget": "times", "of": 5}],
}


def world(**words: Any) -> tuple[World, str]:
    """A world in which order `a`, of two lines, gave a voucher; its code."""
    here = World(shop(vouchers={"ten": {**TEN, **words}}, campaigns={"gift": GIFT}))
    here.enrol(at="2026-03-01 10:00")
    (issued,) = here.buy("a", "60.00", "40.00").of(VoucherIssued)
    assert isinstance(issued, VoucherIssued)
    return here, issued.code


def ended(answer: Answer) -> list[tuple[str, str, str | None]]:
    return [(fact.code, fact.reason, fact.order) for fact in answer.of(VoucherEnded)]


def is_free(here: World) -> bool:
    """Whether the campaign's limit and budget have everything again."""
    return not here.pools["campaign/gift/times"] and not any(
        use.used for uses in here.look().root.limits.values() for use in uses
    )


def test_a_gift_that_another_member_refused_still_goes_with_its_order() -> None:
    here, code = world()
    assert here.post("m", "voucher_transfer", {"code": code, "to": "nobody"}).refusal is None
    assert not is_free(here)
    assert ended(here.give_back("a")) == [(code, "returned", "a")]
    assert here.buy("b", "20.00", vouchers=[code]).code == "voucher_revoked"
    assert is_free(here)
    here.replay()


def test_a_gift_that_comes_home_after_its_order_came_back_is_taken_back() -> None:
    class Slow(World):
        """A world in which what is sent to another member stays on its way."""

        def _deliver(self, fact: FollowUp, cause: Activity) -> None:
            sent.append((fact, cause))

    sent: list[tuple[FollowUp, Activity]] = []
    here = Slow(shop(vouchers={"ten": TEN}, campaigns={"gift": GIFT}))
    here.enrol(at="2026-03-01 10:00")
    (issued,) = here.buy("a", "100.00").of(VoucherIssued)
    here.post("m", "voucher_transfer", {"code": issued.code, "to": "nobody"})
    assert ended(here.give_back("a")) == []
    assert not is_free(here)
    World._deliver(here, *sent[0])
    known = here.look().documents[f"voucher/{issued.code}"]
    assert isinstance(known, IssuedVoucher)
    assert (known.status, known.ended_by) == ("revoked", "returned")
    assert is_free(here)
    here.replay()


def test_a_gift_that_was_used_when_its_order_came_back_goes_when_its_use_comes_back() -> None:
    # Bought for 100 and returned, the gift took 10 off another order: that stays. But once that order is back as well,
    # nothing was bought, and nothing is left of the gift.
    here, code = world()
    here.buy("b", {"amount": "20.00", "discounts": [{"code": code, "amount": "10.00"}]})
    assert ended(here.give_back("a")) == []
    assert ended(here.give_back("b")) == [(code, "returned", "a")]
    assert here.buy("c", "20.00", vouchers=[code]).code == "voucher_revoked"
    assert is_free(here)
    here.replay()


def test_a_gift_goes_likewise_when_what_is_left_of_its_order_earns_it_no_more() -> None:
    here, code = world()
    here.buy("b", "20.00", vouchers=[code])
    assert ended(here.give_back("a", "2")) == []  # 60.00 are left, which is less than 100.00
    assert ended(here.give_back("b")) == [(code, "returned", "a")]
    assert is_free(here)


def test_a_gift_whose_order_stands_comes_back_with_its_use() -> None:
    here, code = world()
    here.buy("b", "20.00", vouchers=[code])
    assert ended(here.give_back("b")) == []
    assert here.buy("c", "20.00", vouchers=[code]).refusal is None


def test_nothing_of_a_split_gift_comes_back_once_its_order_is_back() -> None:
    here, code = world(on_return="split")
    here.buy(
        "b",
        {"amount": "15.00", "discounts": [{"code": code, "amount": "5.00"}]},
        {"amount": "15.00", "discounts": [{"code": code, "amount": "5.00"}]},
    )
    here.give_back("a")
    assert here.give_back("b", "1").of(VoucherIssued) == []


SPLIT = {"on_return": "split", "expires": {"after": "30D"}}


def split_in_two(here: World, code: str) -> str:
    """Order `b` uses the gift, and half of it comes back; the code of what was given back of it."""
    here.buy(
        "b",
        {"amount": "15.00", "discounts": [{"code": code, "amount": "5.00"}]},
        {"amount": "15.00", "discounts": [{"code": code, "amount": "5.00"}]},
    )
    (issued,) = here.give_back("b", "1").of(VoucherIssued)
    assert isinstance(issued, VoucherIssued)
    return issued.code


def test_what_was_given_back_of_a_gift_goes_with_the_gifts_order_too() -> None:
    here, code = world(**SPLIT)
    part = split_in_two(here, code)
    assert ended(here.give_back("a")) == [(part, "returned", "a")]
    assert here.buy("c", "20.00", vouchers=[part]).code == "voucher_revoked"
    assert not is_free(here)  # Half of it stays off order `b`.
    assert ended(here.give_back("b")) == [(code, "returned", "a")]
    assert is_free(here)
    here.replay()


def test_what_was_given_back_of_a_gift_and_is_used_stays_until_its_use_comes_back() -> None:
    # As with a gift in whole: the 5 that are off order `c` stay off, and count, until `c` is back.
    here, code = world(**SPLIT)
    part = split_in_two(here, code)
    here.give_back("b")
    here.buy("c", {"amount": "20.00", "discounts": [{"code": part, "amount": "5.00"}]})
    (rest,) = (fact for fact in here.look().documents if fact.startswith("voucher/") and part not in fact
               and code not in fact)  # fmt: skip
    assert ended(here.give_back("a")) == [(rest.removeprefix("voucher/"), "returned", "a")]
    assert not is_free(here)
    assert ended(here.give_back("c")) == [(part, "returned", "a"), (code, "returned", "a")]
    assert is_free(here)
    here.replay()


def test_what_was_given_back_of_a_part_goes_likewise() -> None:
    here, code = world(**SPLIT)
    part = split_in_two(here, code)
    here.buy(
        "c",
        {"amount": "10.00", "discounts": [{"code": part, "amount": "2.00"}]},
        {"amount": "10.00", "discounts": [{"code": part, "amount": "3.00"}]},
    )
    (issued,) = here.give_back("c", "1").of(VoucherIssued)
    assert ended(here.give_back("a", "2")) == [(issued.code, "returned", "a")]
    here.replay()


def test_what_was_given_back_of_a_gift_is_its_part_also_after_another_member_refused_it() -> None:
    here, code = world(**SPLIT)
    part = split_in_two(here, code)
    here.post("m", "voucher_transfer", {"code": part, "to": "nobody"})
    assert ended(here.give_back("a")) == [(part, "returned", "a")]
    here.replay()


def test_what_was_given_back_of_a_voucher_that_was_no_gift_stays_the_members() -> None:
    here, _code = world(**SPLIT)
    (issued,) = here.post("m", "voucher_issue", {"voucher": "ten"}).of(VoucherIssued)
    part = split_in_two(here, issued.code)
    here.give_back("a")
    assert here.buy("c", "20.00", vouchers=[part]).refusal is None


# --- that ended before its order came back ----------------------------------------------------------------------------


def test_a_gift_that_expired_unused_counts_until_its_order_comes_back() -> None:
    # A limit counts what was given, used or not, as with points that expire; a return gives back what it counted.
    here, code = world(expires={"after": "5D"})
    again = here.buy("b", "100.00", at="2026-03-20 10:00")
    assert again.why("gift")[0] == "limit_reached"
    assert ended(here.give_back("a")) == [(code, "returned", "a")]
    known = here.look().documents[f"voucher/{code}"]
    assert isinstance(known, IssuedVoucher)
    assert (known.status, here.text(known.ended_at)) == ("expired", "2026-03-06 10:00")
    assert is_free(here)
    assert len(here.buy("c", "100.00").of(VoucherIssued)) == 1
    here.replay()


def test_a_gift_that_somebody_took_away_counts_until_its_order_comes_back_and_is_given_back_once() -> None:
    here, code = world()
    here.post("m", "voucher_revoke", {"code": code})
    assert not is_free(here)
    assert ended(here.give_back("a", "2")) == [(code, "returned", "a")]
    assert is_free(here)
    assert ended(here.give_back("a")) == []
    assert is_free(here)
    here.replay()


# --- of a kind that is over -------------------------------------------------------------------------------------------


def test_a_campaign_gives_no_voucher_of_a_kind_that_is_over_and_counts_none() -> None:
    here, _code = world(expires={"until": "2026-03-05"})
    here.give_back("a")
    late = here.buy("b", "100.00", at="2026-03-06 10:00")
    assert late.of(VoucherIssued) == []
    assert late.why("gift") == ("nothing_to_grant", 0, 0)
    assert is_free(here)


def test_what_is_over_when_a_quotes_order_comes_is_not_given_and_counts_no_more() -> None:
    here = World(
        shop(vouchers={"ten": {**TEN, "expires": {"until": "2026-03-05"}}}, campaigns={"gift": GIFT}, quote_hold="5D")
    )
    here.enrol(at="2026-03-04 10:00")
    cart = {"order": "a", "lines": [{"line": "1", "amount": "100.00"}]}
    here.post("m", "quote", {"quote": "q", "cart": cart, "reserve": True})
    assert not is_free(here)
    bought = here.buy("a", "100.00", quote="q", at="2026-03-06 10:00")
    assert bought.of(VoucherIssued) == []
    assert bought.why("gift") == ("nothing_to_grant", 0, 0)
    assert bought.why("base") == ("applied", 100, 100)
    assert is_free(here)
    assert here.buy("b", "100.00").why("gift") == ("nothing_to_grant", 0, 0), "without a quote it says the same"
    here.replay()


@pytest.mark.parametrize(
    ("kept", "said", "issued"), [({"voucher": "five"}, "gave", 1), ({"wallet": "points", "fixed": 3}, "applied", 0)]
)
def test_what_else_a_campaign_promised_is_given_and_counts_where_its_voucher_is_over(
    kept: dict[str, Any], said: str, issued: int
) -> None:
    five = {"gives": {"off": "5.00"}}
    gift = {**GIFT, "grant": [{"voucher": "ten"}, kept]}
    here = World(
        shop(
            vouchers={"ten": {**TEN, "expires": {"until": "2026-03-05"}}, "five": five},
            campaigns={"gift": gift},
            quote_hold="5D",
        )
    )
    here.enrol(at="2026-03-04 10:00")
    cart = {"order": "a", "lines": [{"line": "1", "amount": "100.00"}]}
    here.post("m", "quote", {"quote": "q", "cart": cart, "reserve": True})
    bought = here.buy("a", "100.00", quote="q", at="2026-03-06 10:00")
    assert (bought.why("gift")[0], len(bought.of(VoucherIssued))) == (said, issued)
    assert not is_free(here)
    assert here.buy("b", "100.00").why("gift")[0] == "limit_reached"
    here.give_back("a")
    assert is_free(here)
    here.replay()


def test_a_campaign_that_gave_nothing_in_the_end_waits_for_nothing() -> None:
    gift = {**GIFT, "limits": [{"per": "member", "cooldown": "3D"}]}
    here = World(
        shop(vouchers={"ten": {**TEN, "expires": {"until": "2026-03-05"}}}, campaigns={"gift": gift}, quote_hold="5D")
    )
    here.enrol(at="2026-03-04 10:00")
    cart = {"order": "a", "lines": [{"line": "1", "amount": "100.00"}]}
    here.post("m", "quote", {"quote": "q", "cart": cart, "reserve": True})
    assert here.buy("a", "100.00", quote="q", at="2026-03-06 10:00").of(CooldownStarted) == []
