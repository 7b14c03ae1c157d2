"""The airline: its year begins on 1 March, its miles go by the fare, and its status lasts to 31 March."""

from tests.programs.conftest import Lives
from tests.scenarios.document import line


def test_status_is_reached_by_flying_holds_to_the_31_march_after_the_next_year_and_then_falls_to_what_was_earned(
    living: Lives,
) -> None:
    ann = living("airline")
    ann.enrol("2026-03-10")

    # 1,000 of fare and carrier fee x 5, nothing for taxes: 5,000 miles and as many qualifying points.
    ticket = (line("900.00", "fare"), line("100.00", "carrier_fee"), line("85.60", "tax"))
    assert ann.buy("f-1", *ticket, at="2026-03-15 10:00").granted("flight") == 5_000 + 5_000
    assert (ann.points("miles"), ann.points("qualifying")) == ((5_000, 0, 0, 0), (5_000, 0, 0, 0))

    # 7,000 x 5 = 35,000, together 40,000: silver. The ticket that reaches it still earned at 5.
    ann.buy("f-2", line("7000.00", "fare"), at="2026-06-01 10:00")
    # The year ends with February 2027, the next one with February 2028, and status with the March after it.
    assert (ann.tier("status"), ann.until("status")) == ("silver", "2028-04-01 00:00")

    # 1,000 x 7 = 7,000, the status bonus included: 47,000 of both.
    ann.buy("f-3", line("1000.00", "fare"), at="2026-07-01 10:00")
    assert (ann.points("miles")[0], ann.points("qualifying")[0]) == (47_000, 47_000)

    # The card: 500 x 1 of both, and 500 x 1 of miles alone for dining.
    paid = ann.post("custom.card_purchase", {"amount": "500.00", "category": "dining"}, at="2026-08-01 10:00")
    assert (paid.granted("card"), paid.granted("card_accelerator")) == (500 + 500, 500)
    assert (ann.points("miles")[0], ann.points("qualifying")[0]) == (48_000, 47_500)

    # 4,000 x 7 = 28,000: 76,000 miles, and 75,500 qualifying points are gold.
    ann.buy("f-4", line("4000.00", "fare"), at="2026-09-01 10:00")
    assert (ann.tier("status"), ann.points("miles")[0], ann.points("qualifying")[0]) == ("gold", 76_000, 75_500)

    # A seat with a fare of 750 costs 80 miles a dollar. Spending miles does not touch status.
    assert ann.reward("trip", "award", value="750.00") == 60_000
    assert (ann.tier("status"), ann.points("miles")[0]) == ("gold", 16_000)

    # The last hour of February belongs to the old year, the first of March to the new one. 8 x 100, 8 x 5,000.
    ann.buy("f-5", line("100.00", "fare"), at="2027-02-28 23:00")
    ann.buy("f-6", line("5000.00", "fare"), at="2027-03-01 00:00")
    assert ann.points("miles")[0] == 16_000 + 800 + 40_000
    assert (ann.tier("status"), ann.until("status")) == ("gold", "2028-04-01 00:00")

    # In the second year she earned 40,000, which keep silver and not gold.
    ann.clock("2028-03-31 23:59")
    assert ann.tier("status") == "gold"
    ann.clock("2028-04-01")
    assert (ann.tier("status"), ann.until("status")) == ("silver", "2029-04-01 00:00")

    # Her last activity was on 1 March 2027; 24 months later all miles go, the very instant.
    assert ann.expiring("miles") == [(56_800, "2029-03-01 00:00")]
    ann.clock("2029-03-01")
    assert ann.points("miles") == (0, 0, 0, 0)
    # What is counted for status is not spent and does not expire: 75,500 + 800 + 40,000.
    assert ann.points("qualifying")[0] == 116_300


def test_each_status_has_its_miles_a_dollar_and_begins_at_its_threshold(living: Lives) -> None:
    ann = living("airline")
    ann.enrol("2026-03-01")
    year = [
        # ticket, miles for it, qualifying points so far, status after it
        ("7999.99", 39_999, 39_999, "member"),  # x 5 = 39,999.95, rounded down
        ("0.20", 1, 40_000, "silver"),  # x 5 = 1
        ("5000.00", 35_000, 75_000, "gold"),  # x 7
        ("6250.00", 50_000, 125_000, "platinum"),  # x 8
        ("8333.33", 74_999, 199_999, "platinum"),  # x 9 = 74,999.97
        ("1.00", 9, 200_008, "diamond"),  # x 9
        ("100.00", 1_100, 201_108, "diamond"),  # x 11
    ]
    for n, (fare, miles, qualifying, status) in enumerate(year):
        assert ann.buy(f"f-{n}", line(fare, "fare"), at=f"2026-04-{n + 1:02} 10:00").granted("flight") == 2 * miles
        assert (ann.points("qualifying")[0], ann.tier("status")) == (qualifying, status)
    # Bags are those of platinum, upgrades those of diamond.
    assert ann.benefits("status") == {
        "bags": "Three checked bags free",
        "upgrade": "Upgrades from 100 hours before departure",
    }


def test_a_ticket_that_is_given_back_takes_its_miles_and_what_it_counted_for_status(living: Lives) -> None:
    ann = living("airline")
    ann.enrol("2026-03-01")
    ann.buy("f-1", line("600.00", "fare"), line("60.00", "tax"), at="2026-04-01 10:00")
    # The tax earned nothing and takes nothing; half of the fare takes half of 3,000.
    ann.give_back("f-1", "2", ("1", "300.00"), at="2026-04-05 10:00")
    assert (ann.points("miles")[0], ann.points("qualifying")[0]) == (1_500, 1_500)


def test_awards_go_by_the_fare_or_have_a_fixed_price_and_both_awards_and_upgrades_cost_less_by_status(
    living: Lives,
) -> None:
    ann = living("airline")
    ann.enrol("2026-03-01")
    # A member: 3,000 x 5 = 15,000 miles, which are no upgrade at 20,000 and two awards of 7,500.
    ann.buy("f-1", line("3000.00", "fare"), at="2026-04-01 10:00")
    assert ann.reward("u-0", "upgrade", refused="insufficient_points") == 0
    assert ann.reward("a-1", "saver_award") == 7_500
    assert ann.points("miles") == (7_500, 0, 0, 0)
    # What she cancels comes back, and can be spent again: 93.75 x 80 is all of it, a cent more 7,500.8, rounded up.
    ann.fulfil("a-1", "failed")
    assert ann.reward("a-2", "award", value="93.75") == 7_500
    assert ann.reward("a-3", "award", value="93.76", refused="insufficient_points") == 0
    assert (ann.points("miles"), ann.points("qualifying")[0]) == ((7_500, 0, 0, 0), 15_000)

    # 5,000 x 5: 40,000 qualifying points are silver, 32,500 miles. An upgrade is 15,000.
    ann.buy("f-2", line("5000.00", "fare"), at="2026-04-02 10:00")
    assert (ann.tier("status"), ann.reward("u-1", "upgrade")) == ("silver", 15_000)
    # 5,000 x 7 = 35,000: gold, at 10,000. A saver award is 7,500 as before.
    ann.buy("f-3", line("5000.00", "fare"), at="2026-04-03 10:00")
    assert (ann.tier("status"), ann.reward("u-2", "upgrade"), ann.reward("a-4", "saver_award")) == (
        "gold",
        10_000,
        7_500,
    )
    # 6,250 x 8 = 50,000: platinum pays 6,000 for it, and for an upgrade what gold pays.
    ann.buy("f-4", line("6250.00", "fare"), at="2026-04-04 10:00")
    assert (ann.tier("status"), ann.reward("u-3", "upgrade"), ann.reward("a-5", "saver_award")) == (
        "platinum",
        10_000,
        6_000,
    )
    # 32,500 - 15,000 + 35,000 - 17,500 + 50,000 - 16,000.
    assert ann.points("miles") == (69_000, 0, 0, 0)
    # Four upgrades a calendar year.
    assert ann.reward("u-4", "upgrade") == 10_000
    assert ann.reward("u-5", "upgrade", refused="reward_limit_reached") == 0
    ann.clock("2027-01-01")
    assert ann.reward("u-5", "upgrade") == 10_000
