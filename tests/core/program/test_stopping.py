"""What is stopped has an end in the document, and the rest of the text is untouched."""

from __future__ import annotations

import difflib

import pytest

from laurels.core.calendar import parse_instant
from laurels.core.program.model import During, Program
from laurels.core.program.stopping import stopped
from tests.core.harness import program

END = "2026-03-01T10:05:00+08:00"
HEAD = """\
# What our café gives.
program: shop
time_zone: Asia/Shanghai   # as in the lease
currency: CNY
wallets: {points: {}}
"""
POINT = "on: purchase, grant: {wallet: points, fixed: 1}"
FORMS = {
    "in braces": f"campaigns:\n  double: {{{POINT}}}  # 双倍\n",
    "in lines": "campaigns:\n  double:\n    # Twice, since May.\n    on: purchase\n"
    "    grant: {wallet: points, fixed: 1}\n",
    "with a beginning": f"campaigns:\n  double: {{{POINT}, during: {{from: 2026-01-01}}}}\n",
    "with an end": f"campaigns:\n  double: {{{POINT}, during: {{from: 2026-01-01, until: 2026-12-31}}}} # 年底\n",
    "with times in lines": "campaigns:\n  double:\n    on: purchase\n    during:\n      from: 2026-01-01\n"
    "      until: 2026-12-31  # the lease ends\n    grant: {wallet: points, fixed: 1}\n",
    "with hours alone": f'campaigns:\n  double: {{{POINT}, during: {{weekly: [{{from: "09:00"}}]}}}}\n',
    "in quotes": f'"campaigns": {{"double": {{{POINT}, "during": {{"until": "2026-12-31"}}}}}}\n',
    "a promotion": "promotions:\n  double: {gives: {percent: 10%}}\n",
    "a voucher": "vouchers:\n  double: {gives: {percent: 10%}, name: {zh-CN: 九折券}}\n",
}


def during(here: Program) -> During:
    """When the one thing that the program has runs."""
    found = [each.during for each in here.campaigns]
    found += [each.during for each in here.promotions]
    (only,) = [*found, *[each.during for each in here.vouchers]]
    return only


@pytest.mark.parametrize("form", FORMS)
def test_an_end_is_put_in_however_it_is_written_and_every_other_line_stays(form: str) -> None:
    before = HEAD + FORMS[form]
    old = program(before)
    after = stopped(before, "double", END, "it gave\ntoo much")
    assert after is not None
    new = program(after)
    was, now = during(old), during(new)
    assert now.end == parse_instant(END)
    assert (now.start, now.weekly) == (was.start, was.weekly)
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    assert len([line for line in lines if line.startswith("- ")]) <= 1, "one line is changed at most"
    for comment in ("# What our café gives.", "# as in the lease", "# 双倍", "# Twice", "# 年底", "# the lease ends"):
        assert (comment in after) == (comment in before)
    section = "campaigns" if new.campaigns else "promotions" if new.promotions else "vouchers"
    assert after.endswith(f"# {section}/double stopped at {END}: it gave too much\n")
    sooner = "2026-03-01T10:00:00+08:00"
    again = stopped(after, "double", sooner, "at once")
    assert again is not None
    assert during(program(again)).end == parse_instant(sooner)


def test_what_nothing_is_called_cannot_be_stopped() -> None:
    assert stopped(HEAD + FORMS["in braces"], "triple", END, "why") is None
