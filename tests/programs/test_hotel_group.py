"""The hotel group: spend or stays, in the member's own year."""

from tests.programs.conftest import Lives


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
