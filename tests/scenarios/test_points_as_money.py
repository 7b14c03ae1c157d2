"""Points as money, from the hold to the return: a purchase captures what pays it and binds it to the order."""

import pytest

from tests.api.harness import Json
from tests.scenarios.answer import Answer
from tests.scenarios.document import cash, paid_with_points, shop
from tests.scenarios.story import Story, Tell

MONEY = 'money: {points: 100, worth: "1.00"}'
TILL = 'money: {points: 100, worth: "1.00", minimum: 500, multiple: 100, largest_share: 50%}'
JUNE, SEPTEMBER = "2026-06-01 00:00", "2026-09-01 00:00"


def till(tell: Tell, money: str = MONEY, more: str = "") -> Story:
    """Ann has 1,000 points until June and 3,000 until September, worth 10.00 and 30.00. Nothing is earned."""
    base = "{on: check_in, grant: {wallet: points, fixed: 1}}"
    here = tell(shop(f"{{expires: {{after: 12M}}, {more}{money}}}", base=base))
    here.enrol("ann", at="2026-03-01")
    here.adjust("ann", 1000, expires="2026-06-01")
    here.adjust("ann", 3000, expires="2026-09-01")
    return here


def held(here: Story, id: str = "r", points: int = 2000) -> None:
    """The till asks in the words of the contract; a redemption is held unless it says otherwise."""
    body = {"id": id, "member": "ann", "wallet": "points", "points": points}
    status, answered = here.call("POST", "/v1/redemptions", body)
    assert (status, answered["redemption"]["status"]) == (201, "held"), answered


def paid(tell: Tell, order: str = "o") -> Story:
    """An order of 40.00, of which 2,000 held points pay 20.00: 1,000 of June and 1,000 of September."""
    here = till(tell)
    held(here)
    here.buy("ann", order, "40.00", tenders=[paid_with_points("r", "20.00"), cash("20.00")])
    return here


def spent(here: Story, id: str = "r") -> tuple[str, int]:
    found = here.redemption(id)
    return found["status"], found["spent"]


def lots_given_back(here: Story) -> list[list[tuple[int, str | None]]]:
    """Points and expiry of the lots of each entry by which points came back, oldest first."""
    entries = [each for each in reversed(here.journal("ann")) if each["out_of"] == "redemption"]
    return [[(lot["points"], here.local(lot["expires_at"])) for lot in each["lots"]] for each in entries]


# --- the purchase ---


def test_a_purchase_that_names_a_hold_captures_it_and_binds_it_to_the_order(tell: Tell) -> None:
    """Case 4. Decision 3."""
    here = till(tell)
    held(here)
    # 4,000 less 2,000.
    assert here.points("ann") == (2000, 0, 2000, 0)
    bought = here.buy("ann", "o", "40.00", tenders=[paid_with_points("r", "20.00"), cash("20.00")])
    assert bought.moved("held", "redemption") == 2000
    assert (here.points("ann"), spent(here)) == ((2000, 0, 0, 0), ("captured", 2000))
    # The lot of June is spent first: 1,000 of June and 1,000 of September.
    assert here.expiring("ann") == [(2000, SEPTEMBER)]
    # Bound: only a return of that order moves them again.
    assert here.give_back("ann", "o").moved("redemption", "available") == 2000


def test_a_member_loses_no_points_that_they_did_not_pay_with(tell: Tell) -> None:
    """Case 4. Decision 3."""
    here = till(tell)
    held(here, points=2000)
    # 0.50 are 50 points; the other 1,950 go back: 950 to June and 1,000 to September.
    bought = here.buy("ann", "o", "20.00", tenders=[paid_with_points("r", "0.50"), cash("19.50")])
    assert (bought.moved("held", "redemption"), bought.moved("held", "available")) == (50, 1950)
    assert (here.points("ann"), spent(here)) == ((3950, 0, 0, 0), ("captured", 50))
    assert here.expiring("ann") == [(950, JUNE), (3000, SEPTEMBER)]
    # The journal says where the rest went.
    (entry,) = [each for each in here.journal("ann") if (each["out_of"], each["into"]) == ("held", "available")]
    assert entry["reason"] == "captured_in_part"
    # The till may say its capture, and nothing more.
    assert here.capture("r")["spent"] == 50
    here.capture("r", 2000, refused="redemption_not_held")
    # Half of the order: 25 of the 50 points that paid.
    assert here.give_back("ann", "o", ("1", "10.00")).moved("redemption", "available") == 25
    here.give_back("ann", "o")
    assert (here.points("ann"), here.expiring("ann")) == ((4000, 0, 0, 0), [(1000, JUNE), (3000, SEPTEMBER)])


@pytest.mark.parametrize("at_once", [False, True], ids=["held", "redeemed at once"])
def test_what_paid_for_an_order_pays_for_no_second_one(tell: Tell, at_once: bool) -> None:
    """Case 4. Decision 3."""
    here = till(tell)
    if at_once:
        here.redeem("ann", "r", 2000)
    else:
        held(here)
    here.buy("ann", "o-1", "5.00", tenders=[paid_with_points("r", "5.00")])
    # 15.00 of the 20.00 were not needed. Where they were held they are free again, to be held for another order; where
    # the till had them redeemed before, they are spent with the rest. Neither way the same redemption pays twice.
    assert here.points("ann") == (2000 if at_once else 3500, 0, 0, 0)
    again = [paid_with_points("r", "5.00")]
    here.buy("ann", "o-2", "5.00", tenders=again, refused="points_tender_mismatch")
    # Nor is the redemption free when all of the order has come back.
    here.give_back("ann", "o-1")
    here.buy("ann", "o-2", "5.00", tenders=again, refused="points_tender_mismatch")
    assert here.points("ann") == (4000, 0, 0, 0)


def test_what_paid_cannot_be_cancelled(tell: Tell) -> None:
    """Decision 3."""
    here = paid(tell)
    here.cancel("r", refused="redemption_not_held")
    here.give_back("ann", "o")
    # Its points are back by the return; a cancellation would give them back twice.
    here.cancel("r", refused="redemption_not_held")
    assert here.points("ann") == (4000, 0, 0, 0)


def test_the_tills_own_capture_after_the_purchase_changes_nothing(tell: Tell) -> None:
    """Decision 3."""
    here = paid(tell)
    before = (here.journal("ann"), here.points("ann"), here.redemption("r"))
    for points in (None, 2000):
        captured = here.capture("r", points)
        assert (captured["status"], captured["spent"]) == ("captured", 2000)
        assert (here.journal("ann"), here.points("ann"), here.redemption("r")) == before
    # What the purchase captured is all there was to capture: another amount is another wish.
    here.capture("r", 1999, refused="redemption_not_held")
    # After half has come back the till may still say it: 2,000 were captured, of which 1,000 are spent now.
    here.give_back("ann", "o", ("1", "20.00"))
    before = (here.journal("ann"), here.points("ann"), here.redemption("r"))
    here.capture("r")
    assert (here.journal("ann"), here.points("ann"), here.redemption("r")) == before


def test_a_capture_without_a_purchase_still_happens_once(tell: Tell) -> None:
    """Decision 8. Only what paid for an order may be captured again to no effect."""
    here = till(tell)
    held(here)
    here.capture("r")
    here.capture("r", refused="redemption_not_held")


def test_a_capture_in_part_then_pays_what_it_is_worth_and_no_more(tell: Tell) -> None:
    """Decision 3."""
    here = till(tell)
    held(here)
    # Of 2,000 held, 1,500 are spent: 1,000 of June and 500 of September. 500 of September go back.
    here.capture("r", 1500)
    assert (here.points("ann"), spent(here)) == ((2500, 0, 0, 0), ("captured", 1500))
    # 1,500 points are worth 15.00.
    more = [paid_with_points("r", "15.01"), cash("24.99")]
    here.buy("ann", "o", "40.00", tenders=more, refused="points_tender_mismatch")
    bought = here.buy("ann", "o", "40.00", tenders=[paid_with_points("r", "15.00"), cash("25.00")])
    # Captured before, it is not captured again.
    assert bought.moved("held", "redemption") == 0
    assert (here.points("ann"), here.expiring("ann")) == ((2500, 0, 0, 0), [(2500, SEPTEMBER)])
    # The till may say once more what was captured, and nothing else.
    here.capture("r", 1500)
    here.capture("r", 2000, refused="redemption_not_held")
    # 1,500 come back with all of it: 1,000 until June, and 500 join the 2,500 of September.
    here.give_back("ann", "o")
    assert here.expiring("ann") == [(1000, JUNE), (3000, SEPTEMBER)]


def test_points_that_are_worth_no_money_pay_for_nothing(tell: Tell) -> None:
    """Whatever amount the till writes beside them."""
    here = till(tell, money="")
    held(here)
    tenders = [paid_with_points("r", "0.01"), cash("19.99")]
    here.buy("ann", "o", "20.00", tenders=tenders, refused="points_tender_mismatch")
    assert (here.points("ann"), spent(here)) == ((2000, 0, 2000, 0), ("held", 0))


def test_a_hold_that_timed_out_pays_for_nothing_and_its_points_are_back(tell: Tell) -> None:
    """Decision 8."""
    here = till(tell, more="hold: 24H, ")
    here.clock("2026-03-01 10:00")
    held(here)
    tenders = [paid_with_points("r", "20.00")]
    here.drift("2026-03-02 10:00")
    here.buy("ann", "o", "20.00", tenders=tenders, refused="points_tender_mismatch")
    assert (here.points("ann"), spent(here)) == ((4000, 0, 0, 0), ("timed_out", 0))


def test_a_purchase_in_the_last_microsecond_of_a_hold_captures_it(tell: Tell) -> None:
    """Case 6."""
    here = till(tell, more="hold: 24H, ")
    here.clock("2026-03-01 10:00")
    held(here)
    here.drift("2026-03-02 09:59:59.999999")
    here.buy("ann", "o", "20.00", tenders=[paid_with_points("r", "20.00")])
    here.clock("2026-03-03")
    assert (here.points("ann"), spent(here)) == ((2000, 0, 0, 0), ("captured", 2000))


def test_a_purchase_sent_again_captures_once_and_a_refused_one_leaves_its_hold(tell: Tell) -> None:
    """Case 12. Decision 7."""
    here = till(tell)
    held(here)
    # 2,000 points are worth 20.00: a fen more is refused, and the points are still held.
    here.buy("ann", "o", "20.01", tenders=[paid_with_points("r", "20.01")], refused="points_tender_mismatch")
    assert spent(here) == ("held", 0)
    at = "2026-03-01 12:00"
    answers = [here.buy("ann", "o", "20.00", at=at, id="b", tenders=[paid_with_points("r", "20.00")]) for _ in range(2)]
    assert [each.status for each in answers] == ["accepted", "replayed"]
    assert here.points("ann") == (2000, 0, 0, 0)


def test_nobody_pays_with_the_points_of_another(tell: Tell) -> None:
    """Case 4."""
    here = till(tell)
    here.enrol("bob")
    held(here)
    here.buy("bob", "o", "20.00", tenders=[paid_with_points("r", "20.00")], refused="unknown_redemption")
    assert spent(here) == ("held", 0)


def test_two_orders_race_for_one_redemption_and_one_of_them_has_it(tell: Tell) -> None:
    """Case 13."""
    here = till(tell)
    held(here)
    tenders = [paid_with_points("r", "20.00")]
    lines = [{"line": "1", "amount": "20.00"}]
    requests: list[tuple[str, Json]] = [
        ("/v1/activities", here.activity("ann", "purchase", {"order": f"o-{n}", "lines": lines, "tenders": tenders}))
        for n in range(4)
    ]
    codes = sorted(Answer(answered).code for _status, answered in here.at_once(*requests))
    assert codes == ["accepted", *["points_tender_mismatch"] * 3]
    assert here.points("ann") == (2000, 0, 0, 0)


# --- what the program allows ---


def test_points_below_the_minimum_or_between_steps_are_not_held(tell: Tell) -> None:
    """Case 4."""
    here = till(tell, TILL)
    here.hold("ann", "r", 499, refused="below_minimum")
    # 400 are a multiple of 100, and too few; 501 are enough, and no multiple.
    here.hold("ann", "r", 400, refused="below_minimum")
    here.hold("ann", "r", 501, refused="not_a_multiple")
    here.hold("ann", "r", 4100, refused="insufficient_points")
    held(here, points=500)
    assert here.points("ann") == (3500, 0, 500, 0)


def test_a_hold_pays_no_larger_share_than_allowed_and_stays_held_when_refused(tell: Tell) -> None:
    """Case 4."""
    here = till(tell, TILL)
    held(here)
    # 20.00 of 39.99 are more than half; of 40.00 they are half.
    tenders = [paid_with_points("r", "20.00"), cash("19.99")]
    here.buy("ann", "o", "39.99", tenders=tenders, refused="share_exceeded")
    assert spent(here) == ("held", 0)
    # A lesser part of what it is worth may pay: 15.01 of 30.02 are half. In steps of 100 that takes 1,600 points, and
    # the other 400 are the member's again.
    tenders = [paid_with_points("r", "15.01"), cash("15.01")]
    here.buy("ann", "o", "30.02", tenders=tenders)
    assert spent(here) == ("captured", 1600)
    assert here.points("ann") == (2400, 0, 0, 0)


def test_the_shares_of_several_redemptions_count_together(tell: Tell) -> None:
    """Case 4."""
    here = till(tell, TILL)
    held(here, "r-1", 1000)
    held(here, "r-2", 1000)
    # 10.00 of 30.00 are a third, two of them are two thirds.
    both = [paid_with_points("r-1", "10.00"), paid_with_points("r-2", "10.00")]
    here.buy("ann", "o", "30.00", tenders=[*both, cash("10.00")], refused="share_exceeded")
    assert (spent(here, "r-1"), spent(here, "r-2")) == (("held", 0), ("held", 0))
    here.buy("ann", "o", "40.00", tenders=[*both, cash("20.00")])
    assert (spent(here, "r-1"), spent(here, "r-2")) == (("captured", 1000), ("captured", 1000))
    assert here.points("ann") == (2000, 0, 0, 0)


# --- the return ---


def test_a_return_in_part_gives_points_back_in_proportion_to_their_lots(tell: Tell) -> None:
    """Decision 3."""
    here = paid(tell)
    # 10.00 of 40.00: 5.00 in cash and 5.00 in points, which are 500. Of 2,000 spent the first 1,500 stay spent: 1,000
    # of June and 500 of September; so 500 of September come back to the 2,000 that were left of it.
    returned = here.give_back("ann", "o", ("1", "10.00"))
    assert returned.moved("redemption", "available") == 500
    assert (here.expiring("ann"), spent(here)) == ([(2500, SEPTEMBER)], ("captured", 1500))
    # 20.00 more: 10.00 in points, 1,000. Spent stay 500 of June; 500 of June and 500 of September come back.
    here.give_back("ann", "o", ("1", "20.00"))
    assert here.expiring("ann") == [(500, JUNE), (3000, SEPTEMBER)]
    here.give_back("ann", "o")
    assert (here.expiring("ann"), spent(here)) == ([(1000, JUNE), (3000, SEPTEMBER)], ("captured", 0))
    assert lots_given_back(here) == [[(500, SEPTEMBER)], [(500, JUNE), (500, SEPTEMBER)], [(500, JUNE)]]


def test_a_return_in_part_that_names_its_tenders_gives_back_as_it_says(tell: Tell) -> None:
    """Decision 3."""
    here = paid(tell)
    # 10.00 in cash alone: no points come back.
    assert here.give_back("ann", "o", ("1", "10.00"), tenders=[cash("10.00")]).moved("redemption", "available") == 0
    assert here.expiring("ann") == [(2000, SEPTEMBER)]
    # 15.00 in points alone are 1,500: spent stay 500 of June; 500 of June and 1,000 of September come back.
    here.give_back("ann", "o", ("1", "15.00"), tenders=[paid_with_points("r", "15.00")])
    assert (here.expiring("ann"), spent(here)) == ([(500, JUNE), (3000, SEPTEMBER)], ("captured", 500))
    # Of points 5.00 are left.
    too_many = [paid_with_points("r", "5.01"), cash("9.99")]
    here.give_back("ann", "o", tenders=too_many, refused="return_exceeds_purchase")
    here.give_back("ann", "o")
    assert here.expiring("ann") == [(1000, JUNE), (3000, SEPTEMBER)]


@pytest.mark.parametrize("names", [True, False], ids=["tenders named", "in proportion"])
def test_points_that_come_back_after_a_lots_expiry_expire_and_the_others_live_on(tell: Tell, names: bool) -> None:
    """Decision 3. Decision 8."""
    here = paid(tell)
    tenders: dict[str, Json] = {"tenders": [paid_with_points("r", "20.00"), cash("20.00")]} if names else {}
    here.clock("2026-06-01")
    returned = here.give_back("ann", "o", **tenders)
    # All 2,000 come back; the 1,000 of June are over at once, those of September join their lot.
    assert (returned.moved("redemption", "available"), returned.moved("available", "breakage")) == (2000, 1000)
    assert here.expiring("ann") == [(3000, SEPTEMBER)]
