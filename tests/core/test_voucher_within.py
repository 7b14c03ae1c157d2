"""A voucher can end with a time of the member's own: around a birthday, the month of birth, the first weeks."""

from __future__ import annotations

from typing import Any

import pytest

from laurels.core.calendar import Zone, parse_instant
from laurels.core.facts import VoucherEnded, VoucherIssued
from laurels.core.program.difference import difference
from tests.core.harness import World, program, shop

FIELDS = {"member": {"born": "date"}}
ZONE = Zone("Asia/Shanghai")
GIFT = {"on": "check_in", "grant": {"voucher": "cake"}}


def world(within: dict[str, Any]) -> World:
    kinds = {"cake": {"gives": {"off": "5.00"}, "expires": {"within": within}}}
    return World(shop(vouchers=kinds, campaigns={"gift": GIFT}, fields=FIELDS), start="2026-01-01 00:00")


@pytest.mark.parametrize(
    ("within", "born", "issued", "ends"),
    [
        # In the time itself, before it, and after this year's.
        ({"birth_month": "born"}, "1990-05-20", "2026-05-31 23:59", "2026-06-01"),
        ({"birth_month": "born"}, "1990-05-20", "2026-02-03 10:00", "2026-06-01"),
        ({"birth_month": "born"}, "1990-05-20", "2026-06-01 00:00", "2027-06-01"),
        ({"birth_month": "born"}, "1990-12-31", "2026-12-31 12:00", "2027-01-01"),
        ({"birthday": "born"}, "1990-05-20", "2026-05-20 00:00", "2026-05-21"),
        ({"birthday": "born", "before": "3D", "after": "1W"}, "1990-05-20", "2026-05-18 10:00", "2026-05-28"),
        ({"birthday": "born", "after": "1W"}, "1990-12-28", "2026-01-03 10:00", "2026-01-05"),
        ({"birthday": "born"}, "1992-02-29", "2026-02-01 10:00", "2026-03-01"),
        ({"birthday": "born"}, "1992-02-29", "2027-12-01 10:00", "2028-03-01"),
        ({"after_enrolment": "1M"}, "1990-05-20", "2026-01-15 10:00", "2026-02-02"),
    ],
)
def test_it_ends_with_the_time_in_which_it_was_issued_else_with_the_next(
    within: dict[str, Any], born: str, issued: str, ends: str
) -> None:
    here = world(within)
    here.enrol(at="2026-01-02", attributes={"born": born})
    (fact,) = here.post("m", "check_in", {}, at=issued).of(VoucherIssued)
    assert fact.expires_at == parse_instant(f"{ends}T00:00:00+08:00")


def test_it_is_over_from_that_instant_on() -> None:
    here = world({"birth_month": "born"})
    here.enrol(at="2026-01-02", attributes={"born": "1990-05-20"})
    (fact,) = here.post("m", "check_in", {}, at="2026-05-02 10:00").of(VoucherIssued)
    line = {"line": "1", "amount": "20.00"}
    used = here.post("m", "purchase", {"order": "o-1", "lines": [line], "vouchers": [fact.code]}, at="2026-06-01 00:00")
    assert used.refusal is not None
    assert used.refusal.code == "voucher_expired"
    ended = here.post("m", "check_in", {}, at="2026-06-01 00:01").of(VoucherEnded)
    assert [(each.code, each.status) for each in ended] == [(fact.code, "expired")]


def test_who_did_not_say_when_they_were_born_has_it_without_an_end() -> None:
    here = world({"birth_month": "born"})
    here.enrol(at="2026-01-02")
    (fact,) = here.post("m", "check_in", {}, at="2026-05-02 10:00").of(VoucherIssued)
    assert fact.expires_at is None


def test_a_narrower_time_takes_something_from_those_who_hold_it_and_a_wider_one_does_not() -> None:
    def kind(after: str) -> Any:
        expires = {"within": {"birthday": "born", "after": after}}
        return program(shop(vouchers={"cake": {"gives": {"off": "5.00"}, "expires": expires}}, fields=FIELDS))

    (change,) = difference(kind("7D"), kind("3D"))
    assert (change.path, change.takes_away) == ("/vouchers/cake/expires", True)
    assert change.before == "{within: {birthday: born, before: 0D, after: 7D}}"
    (change,) = difference(kind("3D"), kind("7D"))
    assert not change.takes_away
