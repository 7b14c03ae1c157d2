"""The hotel group: spend or stays, in the member's own year."""

from tests.programs.conftest import Lives
from tests.scenarios.document import line


def test_two_years_of_stays(living: Lives) -> None:
    ann = living("hotel_group")
    ann.enrol("2026-03-15 12:00")

    # Three stays of 300 yuan: 900 yuan would not do, three stays do. Her year ends on 15 March 2027, the next in 2028.
    for n in (1, 2, 3):
        ann.buy(f"s-{n}", "300.00", at=f"2026-04-0{n} 10:00")
        ann.post("custom.stay", {"nights": 1}, at=f"2026-04-0{n} 10:01")
    assert (ann.tier(), ann.points()[0]) == ("silver", 900)
    assert ann.until() == "2028-03-15 00:00"
    assert ann.benefits() == {"late_checkout": "Check-out until 13:00"}

    # One long stay of 4,100 yuan: 4,100 and a quarter of it, and 5,000 yuan are gold with four stays.
    stay = ann.buy("s-4", "4100.00", at="2026-08-01 10:00")
    assert (stay.granted("base"), stay.granted("base", "membership.silver")) == (4_100, 1_025)
    ann.post("custom.stay", {"nights": 12}, at="2026-08-01 10:01")
    assert ann.tier() == "gold"
    assert ann.vouchers() == [("room_upgrade", "issued", "2027-08-01 10:00")] * 2
    # 100 and half of it.
    assert ann.buy("s-5", "100.00", at="2026-09-01 10:00").granted("base", "membership.gold") == 50

    # In her second year nothing: on its last day she is gold, then one step lower.
    ann.clock("2028-03-14 23:59")
    assert ann.tier() == "gold"
    # What silver entitles to, and what gold does.
    assert ann.benefits() == {
        "late_checkout": "Check-out until 13:00",
        "breakfast": "Free breakfast for one",
        "room_upgrade": "A better room where there is one",
    }
    ann.clock("2028-03-15")
    assert (ann.tier(), ann.until()) == ("silver", "2029-03-15 00:00")
    assert ann.benefits() == {"late_checkout": "Check-out until 13:00"}

    # Points live 24 months to the end of the month: 900 of April 2026, 5,125 of August, 150 of September.
    assert ann.expiring() == [
        (900, "2028-05-01 00:00"), (5_125, "2028-09-01 00:00"), (150, "2028-10-01 00:00"),
    ]  # fmt: skip


def test_the_highest_tier_entitles_to_more_of_what_the_tiers_below_it_have(living: Lives) -> None:
    ann = living("hotel_group")
    ann.enrol("2026-03-15 12:00")
    assert ann.benefits() == {}
    ann.buy("s-1", "15000.00", at="2026-04-01 10:00")
    assert (ann.tier(), ann.benefits()) == (
        "platinum",
        {
            "late_checkout": "Check-out until 14:00",
            "breakfast": "Free breakfast for two",
            "room_upgrade": "A better room where there is one",
        },
    )


def test_rooms_cost_less_by_tier_and_gold_has_two_better_rooms(living: Lives) -> None:
    ann = living("hotel_group")
    ann.enrol("2026-03-15 12:00")
    # Star: the price of everybody. 1,000 yuan are silver, which pays 380 of 400 and earns 380 and a quarter of it.
    assert ann.till("s-1", line("1000.00", "room"), at="2026-04-01 10:00")[:2] == ("1000.00", {})
    sale = ann.till("s-2", line("400.00", "room"), line("80.00", "dinner"), at="2026-05-01 10:00")
    assert (sale.paid, sale.off) == ("460.00", {"silver_price": "20.00"})
    assert (sale.answer.granted("base"), sale.answer.granted("base", "membership.silver")) == (460, 115)

    # 1,460 and 3,540 are gold by spend; the tenth stay does not reach it a second time.
    ann.buy("s-3", line("3540.00", "banquet"), at="2026-06-01 10:00")
    assert (ann.tier(), ann.vouchers()) == ("gold", [("room_upgrade", "issued", "2027-06-01 10:00")] * 2)
    for n in range(10):
        ann.post("custom.stay", {"nights": 1}, at=f"2026-07-{n + 1:02} 10:00")
    assert len(ann.vouchers()) == 2

    # A room at 450 of 500, and the better one without its surcharge of 200.
    stay = (line("500.00", "room"), line("200.00", "upgrade"))
    sale = ann.till("s-4", *stay, at="2026-08-01 10:00", vouchers=["room_upgrade"])
    assert (sale.paid, sale.off) == ("450.00", {"gold_price": "50.00", "room_upgrade": "200.00"})
    assert (sale.answer.granted("base"), sale.answer.granted("base", "membership.gold")) == (450, 225)
    # Of two better rooms one is free; then there are no vouchers left.
    two = line("400.00", "upgrade", quantity="2")
    assert ann.till("s-5", two, at="2026-08-02 10:00", vouchers=["room_upgrade"]).off == {"room_upgrade": "200.00"}
    assert [status for _kind, status, _until in ann.vouchers()] == ["redeemed", "redeemed"]
    # A stay that is cancelled whole gives its voucher back, until the day on which it would have expired.
    ann.give_back("s-5", at="2026-08-03 10:00")
    assert sorted(status for _kind, status, _until in ann.vouchers()) == ["issued", "redeemed"]
    ann.clock("2027-06-01 10:00")
    assert sorted(status for _kind, status, _until in ann.vouchers()) == ["expired", "redeemed"]


def test_who_comes_to_platinum_at_once_has_the_vouchers_of_both_tiers_and_loses_them_with_the_order(
    living: Lives,
) -> None:
    ann = living("hotel_group")
    ann.enrol("2026-03-15 12:00")
    ann.buy("s-1", line("15000.00", "banquet"), at="2026-04-01 10:00")
    assert (ann.tier(), [kind for kind, _status, _until in ann.vouchers()]) == (
        "platinum",
        ["room_upgrade", "room_upgrade", "suite_upgrade", "suite_upgrade"],
    )
    # One suite is used: 850 of 1,000 for the room, nothing for the suite.
    stay = (line("1000.00", "room"), line("600.00", "suite"))
    sale = ann.till("s-2", *stay, at="2026-04-02 10:00", vouchers=["suite_upgrade"])
    assert (sale.paid, sale.off) == ("850.00", {"platinum_price": "150.00", "suite_upgrade": "600.00"})
    # A yuan comes back: 14,999 would have reached gold and not platinum; the other suite is gone.
    ann.give_back("s-1", ("1", "1.00"), at="2026-04-03 10:00")
    assert [each[:2] for each in ann.vouchers()] == [
        ("room_upgrade", "issued"),
        ("room_upgrade", "issued"),
        ("suite_upgrade", "redeemed"),
        ("suite_upgrade", "revoked"),
    ]
    # All of it comes back: the better rooms are gone as well.
    ann.give_back("s-1", at="2026-04-04 10:00")
    assert [status for _kind, status, _until in ann.vouchers()] == ["revoked", "revoked", "redeemed", "revoked"]
    # 850 of s-2 and, as platinum, as much again.
    assert ann.points()[0] == 1_700


def test_the_tenth_stay_brings_the_better_rooms_as_spend_does(living: Lives) -> None:
    ann = living("hotel_group")
    ann.enrol("2026-03-15 12:00")
    for n in range(9):
        ann.post("custom.stay", {"nights": 1}, at=f"2026-04-{n + 1:02} 10:00")
    assert (ann.tier(), ann.vouchers()) == ("silver", [])
    ann.post("custom.stay", {"nights": 1}, at="2026-04-10 10:00")
    assert (ann.tier(), ann.vouchers()) == ("gold", [("room_upgrade", "issued", "2027-04-10 10:00")] * 2)
