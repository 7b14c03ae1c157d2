"""The retailer with four tiers: both spend and points are asked for, and the month of birth is worth double."""

from tests.programs.conftest import Lives


def test_two_years_of_shopping(living: Lives) -> None:
    ann = living("four_tier_retailer")
    ann.enrol("2026-01-02", birthday_month=5)

    # 2,000 yuan and 2,000 points: the points are not enough for silver. Five a day for a visit, once a day.
    ann.buy("o-1", "2000.00", at="2026-01-10 10:00")
    assert ann.tier() == "ordinary"
    assert ann.post("check_in", at="2026-01-11 09:00").granted("sign_in") == 5
    assert ann.post("check_in", at="2026-01-11 18:00").granted("sign_in") == 0
    # The eighth is double: 250 + 250 make 2,505 points.
    ann.buy("o-2", "250.00", at="2026-02-08 10:00")
    assert (ann.points()[0], ann.tier(), ann.until()) == (2_505, "silver", "2028-01-01 00:00")

    # Silver earns 1.2; in May double; on the eighth of May thrice, not four times. The eighth is also five per cent off
    # from silver on: 95 x 1.2 = 114, and 114 twice more.
    assert ann.buy("o-3", "100.00", at="2026-04-10 10:00").granted("base") == 120
    may = ann.buy("o-4", "100.00", at="2026-05-07 10:00")
    assert (may.granted("base"), may.granted("birthday_month"), may.granted("member_day")) == (120, 120, 0)
    paid, off, eighth = ann.till("o-5", "100.00", at="2026-05-08 10:00")
    assert (paid, off) == ("95.00", {"member_day_price": "5.00"})
    assert (eighth.granted("base"), eighth.granted("birthday_month"), eighth.granted("member_day")) == (114, 114, 114)
    assert ann.points()[0] == 2_505 + 120 + 240 + 342

    # 5,455 more are 8,000 yuan; 5,455 x 1.2 = 6,546 points make 9,753 of the 10,000: silver still.
    ann.buy("o-6", "5455.00", at="2026-06-10 10:00")
    assert (ann.points()[0], ann.tier()) == (9_753, "silver")
    # 206 x 1.2 = 247.2.
    ann.buy("o-7", "206.00", at="2026-06-11 10:00")
    assert (ann.points()[0], ann.tier()) == (10_000, "gold")
    # Gold earns 1.5.
    assert ann.buy("o-8", "100.00", at="2026-06-12 10:00").granted("base") == 150

    # 1,000 points pay 10 yuan of an order of 20, which is the largest share; the other ten yuan earn 15.
    ann.redeem("r-1", 1_000, hold=True)
    tenders = [{"kind": "points", "redemption": "r-1", "amount": "10.00"}, {"kind": "cash", "amount": "10.00"}]
    assert ann.buy("o-9", "20.00", at="2026-06-12 10:05", tenders=tenders).granted("base") == 15
    assert ann.points()[0] == 10_150 - 1_000 + 15

    # 2027: 1,499 yuan and 2,248 points: a yuan short of keeping even silver, but one falls one step at most.
    ann.buy("o-10", "1499.00", at="2027-03-10 10:00")
    ann.clock("2027-12-31 23:59")
    # 9,165 of 2026 and 2,248 (1,499 x 1.5 = 2,248.5) of 2027, each to the end of the year after.
    assert ann.expiring() == [(9_165, "2028-01-01 00:00"), (2_248, "2029-01-01 00:00")]
    ann.clock("2028-01-01")
    assert (ann.tier(), ann.until(), ann.points()[0]) == ("silver", "2029-01-01 00:00", 2_248)


def test_a_diamond_needs_thirty_thousand_yuan_and_forty_thousand_points(living: Lives) -> None:
    ann = living("four_tier_retailer")
    ann.enrol("2026-01-02")
    # 10,000 at 1; gold asks for 8,000 yuan and 10,000 points: from the first tier straight to the third.
    ann.buy("o-1", "10000.00", at="2026-01-10 10:00")
    assert ann.tier() == "gold"
    # 20,000 x 1.5 = 30,000: both thresholds at once.
    ann.buy("o-2", "19999.99", at="2026-01-11 10:00")
    assert (ann.points()[0], ann.tier()) == (39_999, "gold")
    ann.buy("o-3", "1.00", at="2026-01-12 10:00")
    assert (ann.points()[0], ann.tier()) == (40_000, "diamond")
    assert ann.buy("o-4", "10.00", at="2026-01-13 10:00").granted("base") == 20
    assert ann.benefits()["agent"] == "An agent of your own"
    # On the eighth a tenth of 6,000 would be 600, and is 500 at most; 5,500 x 2, and as much again.
    paid, off, eighth = ann.till("o-5", "6000.00", at="2026-02-08 10:00")
    assert (paid, off) == ("5500.00", {"member_day_price_of_diamond": "500.00"})
    assert (eighth.granted("base"), eighth.granted("member_day")) == (11_000, 11_000)


def test_a_gift_comes_with_the_first_visit_in_the_month_of_birth_and_is_used_in_it(living: Lives) -> None:
    ann = living("four_tier_retailer")
    ann.enrol("2026-01-02", birthday_month=5)
    for at in ("2026-04-30 10:00", "2026-05-08 10:00", "2026-05-09 10:00"):
        ann.post("check_in", at=at)
    assert ann.vouchers() == [("birthday", "issued", "2026-06-01 00:00")]
    # 150 is asked for; a cent less would use it up for nothing.
    assert ann.quote("149.99", at="2026-05-10 10:00", vouchers=["birthday"])["birthday"] == ("below_threshold", "0.00")
    sale = ann.till("o-1", "100.00", "50.00", at="2026-05-10 10:00", vouchers=["birthday"])
    # 120 yuan earn 120 and, in May, 120 more.
    assert (sale.paid, sale.off, sale.answer.granted("base")) == ("120.00", {"birthday": "30.00"}, 120)
    # The line of 50 comes back: 40 were paid for it, and 80 are left of the points, beside 15 of three visits. The rest
    # is below 150 and stays at its price; the gift comes back with the whole order.
    ann.give_back("o-1", "2", at="2026-05-11 10:00")
    assert (ann.points()[0], ann.vouchers()[0][1]) == (160 + 15, "redeemed")
    ann.give_back("o-1", "1", at="2026-05-12 10:00")
    assert (ann.points()[0], ann.vouchers()[0][1]) == (15, "issued")
    ann.clock("2026-06-01")
    assert ann.vouchers()[0][1] == "expired"

    # Gold a year later: 100 yuan off, on the eighth after five per cent: 400 - 20 - 100. Points are trebled: 280 x 1.5.
    ann.buy("o-2", "10000.00", at="2026-07-01 10:00")
    ann.post("check_in", at="2027-05-01 00:00")
    assert ann.vouchers()[1] == ("birthday_gold", "issued", "2027-06-01 00:00")
    sale = ann.till("o-3", "400.00", at="2027-05-08 10:00", vouchers=["birthday_gold"])
    assert (sale.paid, sale.off) == ("280.00", {"member_day_price": "20.00", "birthday_gold": "100.00"})
    assert [sale.answer.granted(each) for each in ("base", "birthday_month", "member_day")] == [420, 420, 420]


def test_who_comes_often_pays_less_for_a_reward_and_sees_another(living: Lives) -> None:
    ann = living("four_tier_retailer")
    ann.enrol("2026-01-02")
    ann.buy("o-1", "1500.00", at="2026-01-10 10:00")
    for day in range(1, 10):
        ann.post("check_in", at=f"2026-02-0{day} 09:00")
    # Nine visits are 45 points and no regular yet.
    ann.reward("r-1", "preview", refused="reward_not_for_member")
    assert ann.reward("r-2", "bag") == 500
    ann.post("check_in", at="2026-02-10 09:00")
    assert (ann.reward("r-3", "bag"), ann.reward("r-4", "preview")) == (400, 300)
    # 1,500 + 50, of which 1,200 are held.
    assert ann.points() == (350, 0, 1_200, 0)
