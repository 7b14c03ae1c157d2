"""The beauty retailer: a tier for the rest of the calendar year and the next, and 500 points for 10 dollars."""

from tests.programs.conftest import Lives
from tests.scenarios.document import cash, line, paid_with_points


def test_two_years_of_shopping(living: Lives) -> None:
    ann = living("beauty_retailer")
    ann.enrol("2026-02-01")

    # 350 at a point a dollar; 650 at 1.25 are 812.5, and 1,000 dollars are reached.
    ann.buy("o-1", "350.00", at="2026-02-02 10:00")
    assert (ann.tier(), ann.until(), ann.points()[0]) == ("star", "2028-01-01 00:00", 350)
    ann.buy("o-2", "650.00", at="2026-05-01 10:00")
    assert (ann.tier(), ann.until(), ann.points()[0]) == ("luxe", "2028-01-01 00:00", 1_162)
    # 100 x 1.5.
    assert ann.buy("o-3", "100.00", at="2026-06-01 10:00").granted("base") == 150

    # 500 points pay 10 dollars, and only by the 500: of 60 dollars 50 are paid in cash and earn 75.
    ann.redeem("r-0", 600, refused="not_a_multiple")
    ann.redeem("r-1", 500, hold=True)
    paid = [paid_with_points("r-1", "10.00"), cash("50.00")]
    assert ann.buy("o-4", "60.00", at="2026-06-01 10:05", tenders=paid).granted("base") == 75
    assert ann.points() == (1_162 + 150 - 500 + 75, 0, 0, 0)

    # In the next year a cent is missing to 350; 349.99 x 1.5 = 524.985.
    assert ann.buy("o-5", "349.99", at="2027-05-01 10:00").granted("base") == 524
    ann.clock("2027-12-31 23:59")
    assert ann.tier() == "luxe"
    ann.clock("2028-01-01")
    assert ann.tier() == "member"

    # 887 + 524, eighteen months after the last activity.
    assert ann.expiring() == [(1_411, "2028-11-01 10:00")]


def test_what_was_returned_does_not_count_for_the_next_year(living: Lives) -> None:
    ann = living("beauty_retailer")
    ann.enrol("2026-02-01")
    ann.buy("o-1", "400.00", at="2026-11-20 10:00")
    # 300 dollars are left: the tier stays for its time, and 2027 has to earn it anew.
    ann.give_back("o-1", ("1", "100.00"), at="2026-12-01 10:00")
    assert (ann.points()[0], ann.tier(), ann.until()) == (300, "star", "2028-01-01 00:00")
    ann.buy("o-2", "349.00", at="2027-03-01 10:00")
    ann.clock("2028-01-01")
    assert ann.tier() == "member"


def test_a_set_on_the_birthday_is_free_once_and_earns_nothing(living: Lives) -> None:
    ann = living("beauty_retailer")
    ann.enrol("2026-02-01", born="1992-05-20")
    # The two weeks before it begin on 6 May. A voucher that is asked for on the 30th lives into June.
    for early in ("2026-05-05 23:59", "2026-05-30 10:00", "2026-05-31 10:00"):
        ann.post("check_in", at=early)
    assert ann.vouchers() == [("birthday_set", "issued", "2026-06-13 10:00")]

    # 25 and 40 dollars; the set of 25 is free, and what is paid earns 40. The till need not offer it without a set.
    assert ann.quote("40.00", at="2026-06-01 10:00", vouchers=["birthday_set"]) == {
        "birthday_set": ("no_lines", "0.00")
    }
    cart = (line("25.00", "skin", tags=["birthday_set"]), line("40.00", "skin"))
    sale = ann.till("o-1", *cart, at="2026-06-01 10:00", vouchers=["birthday_set"])
    assert (sale.paid, sale.off, sale.answer.granted("base")) == ("40.00", {"birthday_set": "25.00"}, 40)
    assert ann.vouchers() == [("birthday_set", "redeemed", "2026-06-13 10:00")]

    # When all of the order comes back, so does the voucher, with the time it had; and that is soon over.
    ann.give_back("o-1", "2", at="2026-06-05 10:00")
    assert ann.vouchers()[0][1] == "redeemed"
    ann.give_back("o-1", "1", at="2026-06-06 10:00")
    assert (ann.vouchers()[0][1], ann.points()) == ("issued", (0, 0, 0, 0))
    ann.clock("2026-06-13 10:00")
    assert ann.vouchers() == [("birthday_set", "expired", "2026-06-13 10:00")]
    # In the next year there is one again.
    ann.post("check_in", at="2027-05-06 00:00")
    assert ann.vouchers()[1] == ("birthday_set", "issued", "2027-05-20 00:00")


def test_points_buy_sets_of_samples_the_larger_ones_from_the_second_tier_on(living: Lives) -> None:
    ann = living("beauty_retailer")
    ann.enrol("2026-02-01")
    ann.buy("o-1", "349.99", at="2026-02-02 10:00")
    assert ann.reward("r-0", "deluxe_set", refused="reward_not_for_member") == 0
    # 349 - 100 - 100; a third set has to wait for March.
    assert (ann.reward("r-1", "trial_set"), ann.reward("r-2", "trial_set")) == (100, 100)
    assert ann.reward("r-3", "trial_set", refused="reward_limit_reached") == 0
    # 650.01 dollars reach luxe: 149 + 650 points, and 400 of them are a larger set.
    ann.buy("o-2", "650.01", at="2026-03-01 10:00")
    assert (ann.tier(), ann.reward("r-4", "deluxe_set"), ann.reward("r-5", "trial_set")) == ("luxe", 400, 100)
    # 349 - 200 + 650 - 400 - 100.
    assert ann.points() == (299, 0, 0, 0)
