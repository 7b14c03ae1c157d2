"""A time of the member's own: so long after enrolment, or around their birthday."""

from typing import Any

import pytest

from laurels.core.written import is_common
from tests.core.harness import Answer, World, shop

FIELDS = {"member": {"born": "date"}}


def granting(within: dict[str, Any], **more: Any) -> World:
    """A shop that grants 50 points in a time of the member's own."""
    own = {"on": "purchase", "within": within, "grant": {"wallet": "points", "fixed": 50}, **more}
    return World(shop(campaigns={"own": own}, fields=FIELDS), start="2020-01-01")


def bought(world: World, at: str) -> Answer:
    return world.buy(at, "1.00", at=at)


def test_a_time_after_enrolment_begins_with_it_and_ends_to_the_instant() -> None:
    world = granting({"after_enrolment": "3M"})
    world.enrol(at="2026-01-31 10:00")
    # January 31 and three months is the last of April, at the same time of day.
    assert [bought(world, at).granted("own") for at in ("2026-01-31 10:00", "2026-04-30 09:59:59.999999")] == [50, 50]
    assert bought(world, "2026-04-30 10:00").why("own") == ("outside_window", 0, 0)


@pytest.mark.parametrize(
    ("born", "within", "inside", "outside"),
    [
        ("1990-05-20", {}, ["2026-05-20 00:00", "2026-05-20 23:59:59"], ["2026-05-21 00:00", "2027-05-19 23:59:59"]),
        ("1990-05-20", {"before": "3D", "after": "1W"}, ["2026-05-17 00:00", "2026-05-27 23:59"], ["2026-05-28 00:00"]),
        # Over New Year, both ways.
        ("1990-01-02", {"before": "5D"}, ["2026-12-28 00:00", "2027-01-02 12:00"], ["2027-12-27 23:59"]),
        ("1990-12-30", {"after": "5D"}, ["2026-12-30 00:00", "2027-01-04 23:59"], ["2027-01-05 00:00"]),
        ("1990-05-20", None, ["2026-05-01 00:00", "2026-05-31 23:59:59"], ["2026-06-01 00:00", "2027-04-30 23:59"]),
        # Born on a leap day: the 28th in common years.
        ("1992-02-29", {}, ["2027-02-28 12:00", "2028-02-29 12:00"], ["2029-03-01 12:00"]),
    ],
)
def test_a_time_around_the_birthday_counts_in_whole_days_of_the_programs_zone(
    born: str, within: dict[str, str] | None, inside: list[str], outside: list[str]
) -> None:
    """None is the month of birth."""
    world = granting({"birth_month": "born"} if within is None else {"birthday": "born", **within})
    world.enrol(at="2026-01-10", attributes={"born": born})
    assert [bought(world, at).granted("own") for at in inside] == [50] * len(inside)
    assert [bought(world, at).why("own")[0] for at in outside] == ["outside_window"] * len(outside)


def test_a_member_of_whom_no_birthday_is_known_has_no_such_time() -> None:
    world = granting({"birthday": "born"})
    world.enrol(at="2026-05-20")
    assert bought(world, "2026-05-20 12:00").why("own") == ("outside_window", 0, 0)


def test_a_return_judges_by_the_birthday_that_was_known_when_it_was_bought() -> None:
    world = granting({"birthday": "born"}, when="purchase.total >= 10.00")
    world.enrol(at="2026-01-10", attributes={"born": "1990-05-20"})
    world.buy("o", "10.00", "5.00", at="2026-05-20 12:00")
    world.post("m", "member_change", {"attributes": {"born": "1990-08-01"}}, at="2026-05-21")
    # 10.00 are left, and it was her birthday.
    assert world.give_back("o", "2", at="2026-05-22").why("own")[0] == "kept"
    assert world.points()[0] == 50 + 10


@pytest.mark.parametrize("within", [{"after_enrolment": "1M"}, {"birthday": "born", "after": "2D"}])
def test_a_time_of_ones_own_means_the_same_where_campaigns_are_written_out_as_one_function(
    within: dict[str, str],
) -> None:
    own = {"on": "purchase", "within": within, "grant": {"wallet": "points", "fixed": 50}}
    # A campaign with two grants is judged one by one, and so are those beside it.
    two = {"on": "purchase", "grant": [{"wallet": "points", "fixed": 1}] * 2}
    written = World(shop(campaigns={"own": own}, fields=FIELDS))
    judged = World(shop(campaigns={"own": own, "two": two}, fields=FIELDS))
    triggers = [world.versions.judging(0).trigger("purchase") for world in (written, judged)]
    assert [trigger is not None and is_common(trigger) for trigger in triggers] == [True, False]
    for world in (written, judged):
        world.enrol(at="2026-05-01", attributes={"born": "1990-05-20"})
    for at in ("2026-05-19 12:00", "2026-05-20 12:00", "2026-05-22 23:59", "2026-05-23 00:00", "2026-06-02 00:00"):
        assert bought(written, at).why("own") == bought(judged, at).why("own")
