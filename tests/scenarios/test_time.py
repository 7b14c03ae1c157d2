"""Points through time: pending, activation, every model of expiry, to the microsecond and in the right zone."""

import pytest

from tests.scenarios.document import shop
from tests.scenarios.story import Tell

BASE = "{on: purchase, grant: {wallet: points, fixed: 10}}"


def test_the_expiry_clock_of_pending_points_starts_at_their_activation(tell: Tell) -> None:
    """Case 5."""
    here = tell(shop("{pending: 7D, expires: {after: 12M, round: month}}"))
    here.enrol("ann", at="2026-01-01")
    bought = here.buy("ann", "o", "10.00", at="2026-01-25 10:00")
    # Active on 1 February 2026, so they live to the end of February 2027; from earning it would be January.
    (entry,) = bought.json["entries"]
    assert here.local(entry["available_at"]) == "2026-02-01 10:00"
    assert here.local(entry["expires_at"]) == "2027-03-01 00:00"
    here.clock("2026-02-01 09:59:59.999999")
    assert here.points("ann") == (0, 10, 0, 0)
    here.clock("2026-02-01 10:00")
    assert here.points("ann") == (10, 0, 0, 0)
    assert here.expiring("ann") == [(10, "2027-03-01 00:00")]


TIER_BY_POINTS = """
membership:
  measure: {earned: points, pending: PENDING}
  tiers: [{id: member}, {id: silver, enter: 100}]
"""


@pytest.mark.parametrize(("pending", "tier"), [("counts", "silver"), ("waits", "member")])
def test_pending_points_count_towards_a_tier_only_where_the_track_says_so(tell: Tell, pending: str, tier: str) -> None:
    """Case 5."""
    here = tell(shop("{pending: 7D}", tracks=TIER_BY_POINTS.replace("PENDING", pending)))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o", "100.00", at="2026-03-01 12:00")
    assert here.tier("ann") == tier
    # Once they are active they count in either case, and once: 100 and not 200.
    here.clock("2026-03-08 12:00")
    assert (here.tier("ann"), here.standing("ann")["value"]) == ("silver", 100)


# --- exactly at the second ---


@pytest.mark.parametrize("sweeps", [True, False], ids=["swept", "not swept"])
def test_from_the_instant_of_expiry_on_points_cannot_be_spent_swept_or_not(tell: Tell, sweeps: bool) -> None:
    """Case 6."""
    here = tell(shop("{expires: {after: 1M}}"))
    pass_time = here.clock if sweeps else here.drift
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o", "100.00", at="2026-03-01 12:00")
    pass_time("2026-04-01 11:59:59.999999")
    assert here.points("ann") == (100, 0, 0, 0)
    here.redeem("ann", "r-1", 40)
    pass_time("2026-04-01 12:00")
    assert here.points("ann") == (0, 0, 0, 0)
    here.redeem("ann", "r-2", 1, refused="insufficient_points")
    # The journal has the expiry once somebody looked, at its own instant.
    here.post("ann", "check_in", at="2026-04-02")
    assert here.told("ann")[-1] == ("expiry", -60, "expired")
    assert here.local(here.journal("ann")[0]["at"]) == "2026-04-01 12:00"


@pytest.mark.parametrize("sweeps", [True, False], ids=["swept", "not swept"])
def test_at_the_instant_of_activation_points_can_be_spent_swept_or_not(tell: Tell, sweeps: bool) -> None:
    """Case 6."""
    here = tell(shop("{pending: 1H}"))
    pass_time = here.clock if sweeps else here.drift
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o", "100.00", at="2026-03-01 12:00")
    pass_time("2026-03-01 12:59:59.999999")
    here.redeem("ann", "r", 100, refused="insufficient_points")
    pass_time("2026-03-01 13:00")
    assert here.redeem("ann", "r", 100)["status"] == "captured"


def test_an_order_at_the_instant_at_which_a_tier_ends_is_bought_without_it(tell: Tell) -> None:
    """Case 6."""
    tracks = """
    membership:
      measure: {spent: net}
      tiers: [{id: member}, {id: silver, enter: "1000.00", keep: "800.00", multiply: {points: 1.5}}]
    """
    here = tell(shop(tracks=tracks))
    here.enrol("ann", at="2026-01-01")
    here.buy("ann", "o-1", "1000.00", at="2026-05-01")
    assert here.until("ann") == "2028-01-01 00:00"
    last = here.buy("ann", "o-2", "100.00", at="2027-12-31 23:59:59.999999")
    assert last.granted("base", "membership.silver") == 50
    assert here.buy("ann", "o-3", "100.00", at="2028-01-01").granted("base", "membership.silver") == 0


def test_a_campaign_runs_from_its_first_instant_to_the_last_of_its_last_day(tell: Tell) -> None:
    """Case 6. Decision 10."""
    spring = """
    spring: {on: purchase, during: {from: 2026-03-01, until: 2026-03-31}, grant: {wallet: points, fixed: 5}}
    happy:
      on: purchase
      during: {weekly: [{days: [tue], from: "14:00", until: "17:00"}]}
      grant: {wallet: points, fixed: 3}
    """
    here = tell(shop(campaigns=spring))
    here.enrol("ann", at="2026-02-01")
    runs = {
        "2026-02-28 23:59:59.999999": 0,
        "2026-03-01 00:00": 5,
        "2026-03-31 23:59:59.999999": 5,
        "2026-04-01 00:00": 0,
    }
    for at, points in runs.items():
        assert here.buy("ann", at, "1.00", at=at).granted("spring") == points
    assert here.buy("ann", "o", "1.00").why("spring") == ("outside_window", 0, 0)
    # 7 April 2026 is a Tuesday.
    hours = {"13:59:59.999999": 0, "14:00": 3, "16:59:59.999999": 3, "17:00": 0}
    for at, points in hours.items():
        assert here.buy("ann", at, "1.00", at=f"2026-04-07 {at}").granted("happy") == points


# --- calendar ---


@pytest.mark.parametrize(
    ("expires", "earned", "ends"),
    [
        ("{after: 1M}", "2026-01-31 15:30", "2026-02-28 15:30"),  # keeps the clock time, clamps the day
        ("{after: 1M}", "2028-01-31 15:30", "2028-02-29 15:30"),
        ("{after: 1Y}", "2028-02-29 15:30", "2029-02-28 15:30"),
        ("{after: 12M, round: month}", "2026-01-31 23:59:59.999999", "2027-02-01 00:00"),
        ("{after: 12M, round: month}", "2026-02-01 00:00", "2027-03-01 00:00"),
        ("{after: 36M, round: month}", "2026-01-15 12:00", "2029-02-01 00:00"),  # January plus 36 months, to its end
        ("{after: 1D, round: day}", "2026-01-15 12:00", "2026-01-17 00:00"),
        ("{after: 1W, round: week}", "2026-12-28 00:00", "2027-01-11 00:00"),  # week 53 of 2026, then week 1
        ("{after: 1M, round: quarter}", "2026-02-28 12:00", "2026-04-01 00:00"),
        ("{after: 1M, round: half_year}", "2026-05-31 12:00", "2026-07-01 00:00"),
        ("{after: 1Y, round: year}", "2026-01-01 00:00", "2028-01-01 00:00"),
        ('{on: ["06-30", "12-31"]}', "2026-06-30 23:59:59", "2026-07-01 00:00"),
        ('{on: ["06-30", "12-31"]}', "2026-07-01 00:00", "2027-01-01 00:00"),
        ('{on: ["06-30", "12-31"], at_least: 6M}', "2026-01-02 00:00", "2027-01-01 00:00"),
        ('{on: ["02-29"]}', "2027-01-01 00:00", "2027-03-01 00:00"),  # the 28th in common years
        ("{inactive_for: 6M}", "2026-03-10 09:00", "2026-09-10 09:00"),
        ("never", "2026-01-15 12:00", None),
    ],
)
def test_each_model_of_expiry_ends_at_its_instant(tell: Tell, expires: str, earned: str, ends: str | None) -> None:
    """Case 7. Decision 10. Decision 13."""
    here = tell(shop(f"{{expires: {expires}}}", base=BASE))
    here.enrol("ann", at=earned)
    here.buy("ann", "o", "1.00", at=earned)
    assert here.expiring("ann") == [(10, ends)]
    if ends is not None:
        # Spendable to the last microsecond; the first instant after is too late.
        here.clock(here.before(ends))
        here.redeem("ann", "r-1", 1)
        # Spending keeps what only inactivity lets expire, so the end is looked at where it does not.
        if "inactive" not in expires:
            here.clock(ends)
            here.redeem("ann", "r-2", 1, refused="insufficient_points")


def test_the_night_of_the_clock_change_is_as_long_as_it_is(tell: Tell) -> None:
    """Case 7. Decision 10."""
    here = tell(shop("{pending: 1D, expires: {after: 12H}}", base=BASE, time_zone="America/New_York"))
    here.enrol("ann", at="2026-03-01")
    # 8 March 2026 has no 02:30. A day after 02:30 of the 7th the clock shows 03:30; twelve hours are absolute.
    (skipped,) = here.buy("ann", "o-1", "1.00", at="2026-03-07 02:30").json["entries"]
    assert skipped["available_at"] == "2026-03-08T03:30:00-04:00"
    assert skipped["expires_at"] == "2026-03-08T15:30:00-04:00"
    # 1 November has 25 hours: a day later is the same time of day, 25 hours on.
    doubled = here.buy("ann", "o-2", "1.00", at="2026-10-31 12:00").json["entries"][-1]
    assert doubled["available_at"] == "2026-11-01T12:00:00-05:00"
    # Both 01:30 of that night are told apart by their offset.
    sent = here.activity("ann", "purchase", {"order": "o-3", "lines": [{"line": "1", "amount": "1.00"}]})
    for hour, offset in (("05:30", "-04:00"), ("06:30", "-05:00")):
        order = {**sent["data"], "order": hour}
        _status, answered = here.call(
            "POST",
            "/v1/activities",
            {**sent, "id": hour, "data": order, "occurred_at": f"2026-11-01T{hour}:00Z"},
        )
        assert answered["entries"][-1]["at"] == f"2026-11-01T01:30:00{offset}"


@pytest.mark.parametrize(
    ("every", "last", "first"),
    [
        ("day", "2026-03-10 23:59:59.999999", "2026-03-11 00:00"),
        ("week", "2026-03-15 23:59:59.999999", "2026-03-16 00:00"),  # a Sunday and a Monday
        ("week", "2027-01-03 23:59:59.999999", "2027-01-04 00:00"),  # week 53 of 2026 ends in 2027
        ("month", "2028-02-29 23:59:59.999999", "2028-03-01 00:00"),
        ("quarter", "2026-03-31 23:59:59.999999", "2026-04-01 00:00"),
        ("half_year", "2026-06-30 23:59:59.999999", "2026-07-01 00:00"),
        ("year", "2026-12-31 23:59:59.999999", "2027-01-01 00:00"),
    ],
)
def test_a_period_ends_with_the_last_instant_of_its_last_day(tell: Tell, every: str, last: str, first: str) -> None:
    """Case 7. Decision 10."""
    base = f"{{on: purchase, grant: {{wallet: points, fixed: 10}}, limits: [{{every: {every}, points: 10}}]}}"
    here = tell(shop(base=base))
    here.enrol("ann", at="2026-01-01")
    assert here.buy("ann", "o-1", "1.00", at=last).granted("base") == 10
    assert here.buy("ann", "o-2", "1.00").why("base") == ("limit_reached", 10, 0)
    assert here.buy("ann", "o-3", "1.00", at=first).granted("base") == 10


def test_iso_week_53_is_one_week_across_the_new_year(tell: Tell) -> None:
    """Case 7."""
    base = "{on: purchase, grant: {wallet: points, fixed: 10}, limits: [{every: week, points: 10}]}"
    here = tell(shop(base=base))
    here.enrol("ann", at="2026-01-01")
    # 28 December 2026 is a Monday; its week lasts until 3 January 2027.
    assert here.buy("ann", "o-1", "1.00", at="2026-12-28 00:00").granted("base") == 10
    assert here.buy("ann", "o-2", "1.00", at="2027-01-01 12:00").granted("base") == 0


def test_limits_hours_and_expiry_are_in_the_programs_zone_wherever_the_member_lives(tell: Tell) -> None:
    """Case 7. Decision 10."""
    base = "{on: purchase, grant: {wallet: points, fixed: 10}, limits: [{every: day, points: 10}]}"
    night = "night: {on: purchase, when: at.hour < 6, grant: {wallet: points, fixed: 1}}"
    here = tell(shop("{expires: {after: 1D, round: day}}", base=base, campaigns=night))
    here.enrol("ann", at="2026-03-01", profile={"time_zone": "America/New_York"})
    # In New York both are on 10 March at noon; in Shanghai midnight lies between them.
    assert here.buy("ann", "o-1", "1.00", at="2026-03-10 23:59:59").granted("base") == 10
    after = here.buy("ann", "o-2", "1.00", at="2026-03-11 00:00")
    assert (after.granted("base"), after.granted("night")) == (10, 1)
    assert here.expiring("ann") == [(10, "2026-03-12 00:00"), (11, "2026-03-13 00:00")]


# --- one instant, one order ---


def test_in_one_instant_points_activate_holds_time_out_lots_expire_and_then_tiers_are_reviewed(tell: Tell) -> None:
    """Decision 9."""
    tracks = """
    membership:
      measure: {count: check_in}
      holds_until: this_window
      tiers: [{id: member}, {id: silver, enter: 1}]
    """
    here = tell(shop("{pending: 31D, hold: 31D}", tracks=tracks))
    here.enrol("ann", at="2026-12-01 00:00")
    here.post("ann", "check_in")
    here.adjust("ann", 50, expires="2027-01-01")
    here.adjust("ann", 70, expires="2027-01-01")
    here.hold("ann", "r", 50)
    here.buy("ann", "o", "30.00")
    before = len(here.told("ann"))
    assert here.tier("ann") == "silver"
    # All of it falls due on 1 January 2027 at 00:00.
    here.clock("2027-01-01")
    told = here.told("ann")[before:]
    assert list(dict.fromkeys(kind for kind, _points, _state in told)) == ["activation", "redemption", "expiry"]
    assert sum(points for kind, points, _state in told if kind == "expiry") == -(50 + 70)
    assert {here.local(each["at"]) for each in here.journal("ann")[: len(told)]} == {"2027-01-01 00:00"}
    assert here.points("ann") == (30, 0, 0, 0)
    activity = here.journal("ann")[0]["activity"]
    (tier,) = here.explanation("ann", activity["id"], activity["source"])["tiers"]
    assert (tier["tier"], tier["reason"]) == ("member", "fell")


def test_everything_due_up_to_and_including_an_activitys_instant_happens_before_it_is_judged(tell: Tell) -> None:
    """Decision 9."""
    rich = "rich: {on: purchase, when: member.wallets.points.available >= 100, grant: {wallet: points, fixed: 5}}"
    here = tell(shop("{pending: 7D}", campaigns=rich))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "100.00", at="2026-03-01 12:00")
    assert here.buy("ann", "o-2", "1.00", at="2026-03-08 11:59:59.999999").granted("rich") == 0
    assert here.buy("ann", "o-3", "1.00", at="2026-03-08 12:00").granted("rich") == 5


def test_what_falls_due_while_nobody_does_anything_is_journalled_at_its_own_instant_in_order(tell: Tell) -> None:
    """Decision 9."""
    here = tell(shop("{pending: 7D, expires: {after: 1M}}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "10.00", at="2026-03-01")
    here.buy("ann", "o-2", "20.00", at="2026-03-05")
    here.clock("2026-06-01")
    told = [(each["kind"], each["points"], here.local(each["at"])) for each in reversed(here.journal("ann"))]
    # Active on the 8th and the 12th, expired a month later.
    assert told[2:] == [
        ("activation", 10, "2026-03-08 00:00"),
        ("activation", 20, "2026-03-12 00:00"),
        ("expiry", -10, "2026-04-08 00:00"),
        ("expiry", -20, "2026-04-12 00:00"),
    ]


def test_points_wait_for_the_activity_that_releases_them_and_their_expiry_counts_from_there(tell: Tell) -> None:
    """Case 5."""
    wallet = "{pending: {until: custom.delivered, at_most: 30D}, expires: {after: 1M}}"
    here = tell(shop(wallet, fields="custom.delivered: {order: string}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "10.00", at="2026-03-01")
    here.buy("ann", "o-2", "20.00", at="2026-03-02")
    here.post("ann", "custom.delivered", {"order": "o-1"}, at="2026-03-05 08:00")
    assert here.points("ann") == (10, 20, 0, 0)
    assert here.expiring("ann") == [(10, "2026-04-05 08:00")]
    # The other order waits thirty days at most.
    here.clock("2026-04-01")
    assert here.expiring("ann") == [(10, "2026-04-05 08:00"), (20, "2026-05-01 00:00")]


def test_points_that_arrive_late_are_active_or_expired_as_if_they_had_come_in_time(tell: Tell) -> None:
    """Case 6. Decision 9."""
    here = tell(shop("{pending: 7D, expires: {after: 1M}}"))
    here.enrol("ann", at="2026-03-01")
    here.clock("2026-03-20")
    assert here.buy("ann", "o-1", "10.00", at="2026-03-01").entries == [("accrual", 10, "available")]
    # Active since the 8th, whenever it arrived.
    assert here.expiring("ann") == [(10, "2026-04-08 00:00")]
    here.clock("2026-05-01")
    assert here.buy("ann", "o-2", "20.00", at="2026-03-02").entries == [
        ("accrual", 20, "available"),
        ("expiry", -20, "expired"),
    ]
