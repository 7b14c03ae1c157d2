"""Returned points that were spent: pending, balance, debt, write-off; and how debt is repaid."""

import pytest

from tests.scenarios.document import shop
from tests.scenarios.story import Story, Tell


def spent(tell: Tell, when_spent: str) -> Story:
    """Ann earned 100 and spent 80 of them."""
    here = tell(shop(f"{{when_spent: {when_spent}}}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "100.00", at="2026-03-02")
    here.redeem("ann", "r-1", 80)
    return here


@pytest.mark.parametrize(
    ("when_spent", "debt", "written_off"),
    [
        ("within_balance", 0, 80),
        ("pending_only", 0, 80),
        ("{debt: 50}", 50, 30),
        ("{debt: 0}", 0, 80),
        ("{debt: unlimited}", 80, 0),
    ],
)
def test_what_was_not_spent_comes_back_and_the_wallets_policy_decides_on_the_rest(
    tell: Tell, when_spent: str, debt: int, written_off: int
) -> None:
    """Case 3. Decision 4."""
    here = spent(tell, when_spent)
    returned = here.give_back("ann", "o-1", at="2026-03-03")
    # 100 are to be taken. 20 of the order's own lot are left; 80 are missing.
    assert returned.moved("available", "issuance") == 20
    assert returned.moved("debt", "issuance") == debt
    assert returned.moved("write_off", "issuance") == written_off
    assert here.points("ann") == (0, 0, 0, debt)


def test_what_was_spent_comes_out_of_pending_then_available_points_in_order_then_debt_then_a_write_off(
    tell: Tell,
) -> None:
    """Case 3. Decision 4."""
    here = tell(shop("{pending: 7D, expires: {after: 12M}, when_spent: {debt: 50}}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "300.00", at="2026-03-01")
    here.clock("2026-03-08")
    here.redeem("ann", "r-1", 290)
    here.adjust("ann", 30, expires="2026-09-01")
    here.adjust("ann", 40, expires="2026-06-01")
    here.buy("ann", "o-2", "60.00")
    assert here.points("ann") == (10 + 30 + 40, 60, 0, 0)
    # 100 of the 300: 60 that are pending, 10 of the order's own lot, 30 of the 40 that expire first.
    first = here.give_back("ann", "o-1", ("1", "100.00"), at="2026-03-09")
    assert (first.moved("pending", "issuance"), first.moved("available", "issuance")) == (60, 40)
    assert here.expiring("ann") == [(10, "2026-06-01 00:00"), (30, "2026-09-01 00:00")]
    # 200 more: the 40 there are, 50 of debt, and 110 that are written off for all to see.
    rest = here.give_back("ann", "o-1", at="2026-03-10")
    taken = (rest.moved("available", "issuance"), rest.moved("debt", "issuance"), rest.moved("write_off", "issuance"))
    assert taken == (40, 50, 110)
    states = [(kind, state) for kind, _points, state in rest.entries]
    assert states == [("reversal", "returned"), ("reversal", "owed"), ("write_off", "written_off")]
    assert here.points("ann") == (0, 0, 0, 50)


def test_pending_only_leaves_the_available_points_of_other_orders_alone(tell: Tell) -> None:
    """Case 3."""
    here = tell(shop("{pending: 7D, when_spent: pending_only}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "100.00", at="2026-03-01")
    here.clock("2026-03-08")
    here.redeem("ann", "r-1", 100)
    here.buy("ann", "o-2", "60.00", at="2026-03-08")
    here.buy("ann", "o-3", "25.00", at="2026-03-14")
    # On the 16th the 60 of o-2 are available and the 25 of o-3 still pending: these 25, and 75 written off.
    returned = here.give_back("ann", "o-1", at="2026-03-16")
    assert (returned.moved("pending", "issuance"), returned.moved("write_off", "issuance")) == (25, 75)
    assert here.points("ann") == (60, 0, 0, 0)


def test_debt_is_repaid_by_later_earning_before_anything_can_be_spent_and_redemption_is_frozen_meanwhile(
    tell: Tell,
) -> None:
    """Case 3. Decision 5."""
    here = spent(tell, "{debt: 500, freeze: true}")
    here.give_back("ann", "o-1", at="2026-03-03")
    assert here.points("ann") == (0, 0, 0, 80)
    # 50 of 80 are repaid: nothing to spend.
    assert here.buy("ann", "o-2", "50.00").moved("available", "debt") == 50
    assert here.points("ann") == (0, 0, 0, 30)
    refused = here.redeem("ann", "r-2", 1, refused="frozen_by_debt")
    assert "30 points are owed" in refused["detail"]
    # 30 of 50 repay the rest, 20 stay; with the debt gone they can be spent, and the redemption's id was free.
    assert here.buy("ann", "o-3", "50.00").moved("available", "debt") == 30
    assert here.points("ann") == (20, 0, 0, 0)
    assert here.redeem("ann", "r-2", 20)["status"] == "captured"
    assert here.told("ann")[-4:] == [
        ("accrual", 50, "available"),
        ("debt", -30, "repaid"),
        ("redemption", -20, "held"),
        ("redemption", -20, "redeemed"),
    ]


def test_where_the_wallet_does_not_freeze_only_the_points_are_missing(tell: Tell) -> None:
    """Case 3. Decision 5."""
    here = spent(tell, "{debt: 500, freeze: false}")
    here.give_back("ann", "o-1", at="2026-03-03")
    here.redeem("ann", "r-2", 1, refused="insufficient_points")


def test_pending_points_repay_debt_when_they_activate_and_not_before(tell: Tell) -> None:
    """Decision 5."""
    here = tell(shop("{pending: 7D, when_spent: {debt: unlimited}}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "100.00", at="2026-03-01")
    here.clock("2026-03-08")
    here.redeem("ann", "r-1", 100)
    here.give_back("ann", "o-1")
    here.buy("ann", "o-2", "130.00", at="2026-03-10")
    here.clock("2026-03-16 23:59:59.999999")
    assert here.points("ann") == (0, 130, 0, 100)
    here.clock("2026-03-17")
    assert here.points("ann") == (30, 0, 0, 0)


def test_the_limit_of_debt_counts_what_is_owed_already(tell: Tell) -> None:
    """Decision 4."""
    here = tell(shop("{when_spent: {debt: 50}}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "40.00", at="2026-03-02")
    here.buy("ann", "o-2", "40.00")
    here.redeem("ann", "r-1", 80)
    assert here.give_back("ann", "o-1").moved("debt", "issuance") == 40
    # 50 - 40 leaves 10 of 40; 30 are written off.
    second = here.give_back("ann", "o-2")
    assert (second.moved("debt", "issuance"), second.moved("write_off", "issuance")) == (10, 30)
    assert here.points("ann") == (0, 0, 0, 50)


def test_points_of_the_order_that_have_expired_are_not_taken_a_second_time(tell: Tell) -> None:
    """Decision 4."""
    here = tell(shop("{expires: {after: 12M}, when_spent: {debt: unlimited}}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "100.00", at="2026-03-01")
    here.clock("2026-04-01")
    here.redeem("ann", "r-1", 40)
    # On 1 March 2027 the other 60 expire. In pieces: what was spent can be taken, 30 and then 10; what expired is
    # forgiven, 20 and then 40.
    owed, forgiven = [], []
    for amount in ("30.00", "30.00", "40.00"):
        returned = here.give_back("ann", "o-1", ("1", amount), at="2027-03-05")
        owed.append(returned.moved("debt", "issuance"))
        told = here.explanation("ann", returned.json["id"])["returned"]
        forgiven.append(told["points_not_taken"].get("points", 0))
    assert (owed, forgiven) == ([30, 10, 0], [0, 20, 40])
    assert here.points("ann") == (0, 0, 0, 40)


def test_what_is_taken_is_told_campaign_by_campaign(tell: Tell) -> None:
    """Case 3."""
    double = "double: {on: purchase, grant: {wallet: points, multiply: base, by: 2}}"
    here = tell(shop("{when_spent: {debt: unlimited}}", campaigns=double))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "100.00", at="2026-03-02")
    here.redeem("ann", "r-1", 150)
    returned = here.give_back("ann", "o-1")
    # 50 of 200 are left: base takes them and owes 50, double owes its 100.
    told = [(each["campaign"], each["out_of"], each["points"]) for each in returned.json["entries"]]
    assert told == [("base", "available", -50), ("base", "debt", -50), ("double", "debt", -100)]
    reasons = here.explanation("ann", returned.json["id"])["reasons"]
    assert reasons["spent_before"]["en"] == "They had been spent before the return and are owed."
