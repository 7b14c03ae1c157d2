"""Limits and budgets: trimmed or refused, never exceeded by whoever comes at once, given back by returns."""

from collections import Counter

import pytest

from tests.scenarios.document import order_of, shop
from tests.scenarios.story import Tell

DAY = "{per: member, every: day, points: 200}"


def limited(*limits: str) -> str:
    grant = '{wallet: points, points: 1, per: "1.00"}'
    return shop(base=f"{{on: purchase, grant: {grant}, limits: [{', '.join(limits)}]}}")


def test_a_cap_in_the_middle_of_an_award_trims_it_and_says_what_was_wanted_and_what_granted(tell: Tell) -> None:
    """Case 11."""
    here = tell(limited(DAY))
    here.enrol("ann", at="2026-03-01")
    assert here.buy("ann", "o-1", "150.00", at="2026-03-02").why("base") == ("applied", 150, 150)
    # 200 - 150 leaves 50 of 100.
    trimmed = here.buy("ann", "o-2", "100.00")
    assert trimmed.why("base") == ("trimmed", 100, 50)
    assert trimmed.limited_by("base") == "day_points"
    assert here.buy("ann", "o-3", "1.00").why("base") == ("limit_reached", 1, 0)
    assert here.points("ann") == (200, 0, 0, 0)
    (told,) = here.explanation("ann", trimmed.json["id"])["campaigns"]
    assert told["text"]["en"] == "It granted 50 of 100: the member's limit a day (points) left no more."
    assert told["says"]["limits"]


def test_a_limit_that_refuses_grants_all_or_nothing(tell: Tell) -> None:
    """Case 11."""
    here = tell(limited("{per: member, every: day, points: 200, over: refuse}"))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "150.00", at="2026-03-02")
    assert here.buy("ann", "o-2", "100.00").why("base") == ("limit_reached", 100, 0)
    assert here.buy("ann", "o-3", "50.00").why("base") == ("applied", 50, 50)


def test_several_limits_hold_at_once_and_the_narrowest_is_named(tell: Tell) -> None:
    """Case 11."""
    here = tell(limited(DAY, "{per: member, every: month, points: 250}", "{per: member, every: year, times: 3}"))
    here.enrol("ann", at="2026-01-01")
    assert here.buy("ann", "o-1", "300.00", at="2026-01-10").why("base") == ("trimmed", 300, 200)
    # The day leaves 200, the month 50.
    second = here.buy("ann", "o-2", "300.00", at="2026-01-11")
    assert (second.why("base"), second.limited_by("base")) == (("trimmed", 300, 50), "month_points")
    assert here.buy("ann", "o-3", "7.00", at="2026-02-01").granted("base") == 7
    fourth = here.buy("ann", "o-4", "7.00", at="2026-03-01")
    assert fourth.why("base") == ("limit_reached", 7, 0)


def test_a_cooldown_ends_after_its_duration_exactly(tell: Tell) -> None:
    """Case 6. Case 11."""
    here = tell(limited("{per: member, cooldown: 1H}"))
    here.enrol("ann", at="2026-03-01")
    assert here.buy("ann", "o-1", "5.00", at="2026-03-01 10:00").granted("base") == 5
    assert here.buy("ann", "o-2", "5.00", at="2026-03-01 10:59:59.999999").why("base") == ("cooldown", 5, 0)
    assert here.buy("ann", "o-3", "5.00", at="2026-03-01 11:00").granted("base") == 5


def test_a_budget_is_shared_by_all_members_and_the_last_award_gets_what_is_left(tell: Tell) -> None:
    """Case 11."""
    here = tell(limited("{budget: points, of: 100}"))
    for member in ("ann", "bob"):
        here.enrol(member, at="2026-03-01")
    assert here.buy("ann", "o-1", "70.00").granted("base") == 70
    trimmed = here.buy("bob", "o-2", "70.00")
    assert (trimmed.why("base"), trimmed.limited_by("base")) == (("trimmed", 70, 30), "budget_points")
    assert here.buy("bob", "o-3", "1.00").why("base") == ("budget_exhausted", 1, 0)


# --- returns ---


def test_a_return_gives_a_limit_back_in_its_period_and_nothing_is_granted_after_the_fact(tell: Tell) -> None:
    """Decision 6."""
    here = tell(limited(DAY))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "150.00", at="2026-03-01 09:00")
    here.buy("ann", "o-2", "100.00", at="2026-03-01 10:00")
    assert here.give_back("ann", "o-1", at="2026-03-01 11:00").moved("available", "issuance") == 150
    # o-2 was trimmed to 50 and stays so, although there is room now.
    assert here.points("ann") == (50, 0, 0, 0)
    # 200 - 50 = 150 of room, as if o-1 had never been.
    assert here.buy("ann", "o-3", "500.00", at="2026-03-01 12:00").why("base") == ("trimmed", 500, 150)


def test_a_return_on_another_day_gives_the_limit_back_to_the_day_of_the_purchase(tell: Tell) -> None:
    """Decision 6."""
    here = tell(limited(DAY))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "200.00", at="2026-03-01 09:00")
    here.buy("ann", "o-2", "200.00", at="2026-03-02 09:00")
    here.give_back("ann", "o-1", at="2026-03-02 10:00")
    # The 2nd is as full as before; a purchase of the 1st that arrives late finds room for 200.
    assert here.buy("ann", "o-3", "5.00", at="2026-03-02 11:00").why("base") == ("limit_reached", 5, 0)
    assert here.buy("ann", "o-4", "300.00", at="2026-03-01 20:00").why("base") == ("trimmed", 300, 200)


def test_a_return_gives_a_budget_back_for_others_to_earn(tell: Tell) -> None:
    """Decision 6."""
    here = tell(limited("{budget: points, of: 100}"))
    for member in ("ann", "bob"):
        here.enrol(member, at="2026-03-01")
    here.buy("ann", "o-1", "100.00")
    assert here.buy("bob", "o-2", "70.00").granted("base") == 0
    here.give_back("ann", "o-1", ("1", "40.00"))
    # 100 - 60 = 40 of room; what bob missed before is not made up for.
    assert here.points("bob") == (0, 0, 0, 0)
    assert here.buy("bob", "o-3", "70.00").why("base") == ("trimmed", 70, 40)


# --- races ---


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ("{budget: times, of: 1, over: refuse}", {37: 1, 0: 99}),
        ("{budget: points, of: 1, over: trim}", {1: 1, 0: 99}),
        ("{budget: points, of: 36, over: refuse}", {0: 100}),
        # 33 x 37 = 1,221 of 1,234 leave 13 for one more.
        ("{budget: points, of: 1234, over: trim}", {37: 33, 13: 1, 0: 66}),
    ],
)
def test_a_hundred_awards_race_for_the_last_of_a_budget_and_get_exactly_that(
    tell: Tell, budget: str, expected: dict[int, int]
) -> None:
    """Case 13."""
    here = tell(limited(budget), mode="live")
    members = [f"m-{n}" for n in range(100)]
    here.members += members
    joins = here.activity("", "enrol")
    joined = here.batch(*[{**joins, "id": f"e-{member}", "member": member} for member in members])
    assert {each.status for each in joined} == {"accepted"}
    buys = here.activity("", "purchase", order_of("o", "37.00"))
    orders = [{**buys, "id": f"p-{member}", "member": member} for member in members]
    answers = here.at_once(*[("/v1/activities", order) for order in orders])
    assert {status for status, _answer in answers} == {200}
    granted = [sum(entry["points"] for entry in answer["entries"]) for _status, answer in answers]
    assert Counter(granted) == expected
    assert Counter(here.points(member)[0] for member in members) == expected
    # All of them wanted 37, and whoever got less is told.
    assert {answer["explanation"][0]["wanted"] for _status, answer in answers} == {37}
