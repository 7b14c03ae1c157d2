"""Tiers: reached at once, held for a status year, kept or lost once, and what returns and late arrivals do to them."""

import pytest

from tests.scenarios.document import shop
from tests.scenarios.story import Story, Tell

LADDER = """
membership:
  measure: {spent: net}
  WORDS
  tiers:
    - {id: member}
    - {id: silver, enter: "1000.00", keep: "800.00", multiply: {points: 1.5}}
    - {id: gold, enter: "5000.00", keep: "4000.00", multiply: {points: 2}}
"""


def ladder(tell: Tell, words: str = "", points: str = "{}", at: str = "2026-01-01") -> Story:
    here = tell(shop(points, tracks=LADDER.replace("  WORDS\n", f"  {words}\n" if words else "")))
    here.enrol("ann", at=at)
    return here


def tiers_told(here: Story, id: str) -> list[tuple[str, str]]:
    return [(each["tier"], each["reason"]) for each in here.explanation("ann", id)["tiers"]]


def test_the_order_that_crosses_a_threshold_still_earns_at_the_old_tier(tell: Tell) -> None:
    """Decision 11."""
    here = ladder(tell)
    assert here.buy("ann", "o-1", "999.99", at="2026-03-01").tier() == ("member", False)
    crossing = here.buy("ann", "o-2", "0.01", "100.00")
    assert crossing.tier() == ("silver", True)
    assert crossing.granted("base", "membership.silver") == 0
    # 100 x 0.5.
    assert here.buy("ann", "o-3", "100.00").granted("base", "membership.silver") == 50


@pytest.mark.parametrize(
    ("holds_until", "until"),
    [
        ("", "2028-01-01 00:00"),
        ("holds_until: this_window", "2027-01-01 00:00"),
        ("holds_until: next_window", "2028-01-01 00:00"),
        ("holds_until: {end_of: next_window, plus: 1M}", "2028-02-01 00:00"),
        ("holds_until: {windows: 2}", "2029-01-01 00:00"),
        ('window: {year_from: "03-01"}', "2028-03-01 00:00"),  # the year of March 2026 ends with February 2027
        ("window: anniversary", "2028-01-15 00:00"),  # enrolled on 15 January
    ],
)
def test_a_tier_holds_until_the_end_stated_counted_from_the_end_of_the_window_it_was_reached_in(
    tell: Tell, holds_until: str, until: str
) -> None:
    """Decision 12."""
    here = ladder(tell, holds_until, at="2026-01-15 10:00")
    here.buy("ann", "o", "1000.00", at="2026-05-01")
    assert here.until("ann") == until
    here.clock(here.before(until))
    assert here.tier("ann") == "silver"
    here.clock(until)
    assert here.tier("ann") == "member"


def test_a_status_year_is_kept_by_the_keep_threshold_in_the_next_window(tell: Tell) -> None:
    """Decision 12."""
    here = ladder(tell)
    here.buy("ann", "o-1", "1000.00", at="2026-05-01")
    here.buy("ann", "o-2", "799.99", at="2027-05-01")
    assert here.until("ann") == "2028-01-01 00:00"
    # 800.00 in 2027 keep silver until the end of 2028; it is silver since May 2026.
    kept = here.buy("ann", "o-3", "0.01", at="2027-05-02")
    assert tiers_told(here, kept.json["id"]) == [("silver", "kept")]
    assert kept.tier() == ("silver", False)
    assert here.until("ann") == "2029-01-01 00:00"
    assert here.local(here.standing("ann")["since"]) == "2026-05-01 00:00"


@pytest.mark.parametrize(("fall", "falls_to"), [("to_earned", "silver"), ("one_step", "silver"), ("never", "gold")])
def test_a_tier_that_was_not_kept_falls_as_the_track_says(tell: Tell, fall: str, falls_to: str) -> None:
    """Decision 12."""
    here = ladder(tell, f"fall: {fall}")
    here.buy("ann", "o-1", "5000.00", at="2026-05-01")
    # 900.00 in 2027 are no 4,000.00, and keep silver.
    here.buy("ann", "o-2", "900.00", at="2027-05-01")
    assert here.standing("ann")["projected"] == falls_to
    here.clock("2028-01-01")
    assert here.tier("ann") == falls_to


def test_the_answer_says_what_is_missing_to_the_next_tier_and_what_keeps_this_one(tell: Tell) -> None:
    """Decision 12."""
    here = ladder(tell)
    assert here.standing("ann")["next"] == {"tier": "silver", "missing": "1000.00"}
    here.buy("ann", "o-1", "1000.00", at="2026-05-01")
    here.buy("ann", "o-2", "300.00", at="2027-05-01")
    standing = here.standing("ann")
    assert (standing["tier"], standing["value"], standing["projected"]) == ("silver", "300.00", "member")
    assert standing["next"] == {"tier": "gold", "missing": "4700.00"}
    keep = standing["keep"]
    assert (keep["needed"], keep["missing"], here.local(keep["by"])) == ("800.00", "500.00", "2028-01-01 00:00")


def test_in_the_days_of_grace_a_tier_still_counts_and_may_still_be_kept(tell: Tell) -> None:
    """Decision 12."""
    here = ladder(tell, "grace: 30D")
    here.enrol("bob", at="2026-01-01")
    for member in ("ann", "bob"):
        here.buy(member, f"{member}-1", "1000.00", at="2026-05-01")
    bought = here.buy("ann", "o-2", "800.00", at="2028-01-15")
    assert bought.granted("base", "membership.silver") == 400
    assert here.until("ann") == "2030-01-01 00:00"
    here.clock("2028-01-30 23:59:59.999999")
    assert here.tier("bob") == "silver"
    here.clock("2028-01-31")
    assert (here.tier("ann"), here.tier("bob")) == ("silver", "member")


# --- returns ---


def test_by_default_a_returned_order_leaves_the_tier_for_its_time_and_lowers_the_window_of_its_purchase(
    tell: Tell,
) -> None:
    """Case 8. Decision 11."""
    here = ladder(tell)
    here.buy("ann", "o-1", "1000.00", at="2026-05-01")
    here.buy("ann", "o-2", "100.00", at="2026-06-01")
    returned = here.give_back("ann", "o-1", at="2027-02-01")
    assert returned.tier() == ("silver", False)
    assert tiers_told(here, returned.json["id"]) == [("silver", "stayed")]
    # Of 2026 are left 100.00, of 2027 nothing was taken; silver is not earned again and ends at its time.
    standing = here.standing("ann")
    assert (standing["value"], standing["projected"], here.until("ann")) == ("0.00", "member", "2028-01-01 00:00")
    here.clock("2028-01-01")
    assert here.tier("ann") == "member"


def test_where_the_program_says_so_the_tier_falls_back_and_orders_since_keep_what_they_earned(tell: Tell) -> None:
    """Case 8. Decision 11."""
    here = ladder(tell, "on_return: fall_back")
    here.buy("ann", "o-1", "1000.00", at="2026-05-01")
    assert here.buy("ann", "o-2", "100.00", at="2026-06-01").granted("base", "membership.silver") == 50
    returned = here.give_back("ann", "o-1", at="2026-07-01")
    assert returned.tier() == ("member", True)
    (told,) = here.explanation("ann", returned.json["id"])["tiers"]
    assert (told["tier"], told["reason"]) == ("member", "fell_back")
    assert told["text"]["en"] == "A return took away what it had been earned with."
    # The 1,000 of o-1 are taken back; 100 + 50 of o-2, earned at the higher rate, stay.
    assert here.points("ann") == (150, 0, 0, 0)
    assert here.buy("ann", "o-3", "10.00").granted("base", "membership.silver") == 0


def test_a_tier_falls_back_no_further_than_what_remains_and_what_was_earned_before(tell: Tell) -> None:
    """Case 8. Decision 11."""
    here = ladder(tell, "on_return: fall_back")
    here.buy("ann", "o-1", "1000.00", at="2026-05-01")
    here.buy("ann", "o-2", "5000.00", at="2027-05-01")
    # 4,999.99 of 2027 still make silver, for 2028 too.
    assert here.give_back("ann", "o-2", ("1", "0.01"), at="2027-06-01").tier() == ("silver", True)
    assert here.until("ann") == "2029-01-01 00:00"
    # Nothing is left of 2027: silver of 2026 holds until the end of 2027.
    assert here.give_back("ann", "o-2", at="2027-06-02").tier() == ("silver", False)
    assert here.until("ann") == "2028-01-01 00:00"


def test_spending_points_lowers_no_tier(tell: Tell) -> None:
    """Case 9."""
    tracks = "membership: {measure: {earned: points}, tiers: [{id: member}, {id: silver, enter: 100}]}"
    here = tell(shop(tracks=tracks))
    here.enrol("ann", at="2026-01-01")
    here.buy("ann", "o", "100.00", at="2026-03-01")
    here.redeem("ann", "r", 100)
    assert here.points("ann") == (0, 0, 0, 0)
    standing = here.standing("ann")
    assert (standing["tier"], standing["value"]) == ("silver", 100)
    # Neither does it at the next review: silver holds until the end of 2027.
    here.clock("2027-12-31 23:59:59.999999")
    assert here.tier("ann") == "silver"
    assert here.wallet("ann")["lifetime_earned"] == 100


# --- late arrivals ---


def test_a_late_activity_counts_in_its_window_and_raises_the_tier_from_its_arrival_on(tell: Tell) -> None:
    """Decision 11."""
    here = ladder(tell)
    here.buy("ann", "o-1", "900.00", at="2026-12-30")
    here.buy("ann", "o-2", "50.00", at="2027-01-10")
    here.clock("2027-01-20")
    late = here.buy("ann", "o-3", "100.00", at="2026-12-31 12:00")
    # 1,000.00 in 2026: silver from 20 January on, until the end of 2027. Nothing of 2027 was counted but 50.00.
    assert late.tier() == ("silver", True)
    assert (here.until("ann"), here.standing("ann")["value"]) == ("2028-01-01 00:00", "50.00")
    assert here.local(here.standing("ann")["since"]) == "2027-01-20 00:00"
    # What occurred before the arrival was bought by a member, whenever it is recorded.
    assert here.buy("ann", "o-4", "10.00", at="2027-01-15").granted("base", "membership.silver") == 0
    assert here.buy("ann", "o-5", "10.00").granted("base", "membership.silver") == 5


def test_a_late_activity_earns_at_the_tier_of_its_time(tell: Tell) -> None:
    """Decision 11."""
    here = ladder(tell)
    here.buy("ann", "o-1", "1000.00", at="2026-05-01")
    here.clock("2028-02-01")
    assert here.tier("ann") == "member"
    # In December 2027 she was silver, in April 2026 not yet.
    assert here.buy("ann", "o-2", "100.00", at="2027-12-31 23:59:59").granted("base", "membership.silver") == 50
    assert here.buy("ann", "o-3", "100.00", at="2026-04-30").granted("base", "membership.silver") == 0


# --- benefits ---

NEVER_FOR_GOLD = """
membership:
  measure: {spent: net}
  holds_until: this_window
  tiers: [{id: member}, {id: gold, enter: "1000.00", expires: {points: never}}]
"""


def test_a_tiers_own_expiry_applies_to_lots_earned_in_it_and_falling_starts_the_ordinary_clock(tell: Tell) -> None:
    """Decision 11."""
    here = tell(shop("{expires: {after: 12M}}", tracks=NEVER_FOR_GOLD))
    here.enrol("ann", at="2026-01-01")
    here.buy("ann", "o-1", "1000.00", at="2026-03-01")
    here.buy("ann", "o-2", "50.00", at="2026-04-01")
    # A member bought o-1, so its points expire as usual.
    assert here.expiring("ann") == [(1000, "2027-03-01 00:00"), (50, None)]
    # Gold ends with 2026: twelve months from there.
    here.clock("2027-01-01")
    assert here.expiring("ann") == [(1000, "2027-03-01 00:00"), (50, "2028-01-01 00:00")]
