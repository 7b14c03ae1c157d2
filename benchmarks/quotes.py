"""A quote of a large cart under many promotions: what of its time is the server's own, without a database.

Thirty promotions of every sort, in groups, with limits, on a cart of twenty lines, of which most apply. A quote is read
from its JSON, decided, rendered and written as JSON, as `POST /v1/quotes` does between reading and answering.
"""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec

from benchmarks.measure import Figure, Report, spread
from benchmarks.online import Bench
from laurels.api.answer import answer, quoted
from laurels.core.activity import Activity, parse
from laurels.core.calendar import Instant, parse_instant
from laurels.core.decide import Circumstances, Decision, decide
from laurels.core.journal import entries
from laurels.core.member import ROOT, Document, Member, Missing
from laurels.core.program.loading import load
from laurels.core.program.model import Program
from laurels.core.version import Version, Versions
from laurels.intake.submission import Outcome

PROMOTIONS: Final = 30
LINES: Final = 20
SORTS: Final = (
    "{percent: 5%}",
    '{off: "3.00"}',
    '{steps: [{spend: "50.00", off: "4.00"}, {spend: "100.00", off: "9.00"}]}',
    "{nth: 2, percent: 20%}",
    "{buy: 3, get: 1, percent: 50%}",
    '{price: "9.00"}',
    '{bundle: [{lines: line.amount > 5.00}, {lines: line.amount > 8.00, quantity: 2}], price: "30.00"}',
    "{free: 'has(line.category) && line.category == \"c3\"', quantity: 1}",
    "{shipping: 50%}",
    "{multiply: points, by: 2}",
)


def document() -> str:
    """A program with thirty promotions: of each sort three, the third in a group that takes the best of them."""
    rows = []
    for n in range(PROMOTIONS):
        gives = SORTS[n % len(SORTS)]
        selects = not gives.startswith(("{bundle", "{free", "{shipping"))
        lines = f", lines: 'has(line.category) && line.category != \"c{n % 5}\"'" if selects else ""
        limits = "" if "multiply" in gives else ", limits: [{every: month, money: 500}, {budget: money, of: 100000}]"
        rows.append(f"  p{n}: {{gives: {gives}, when: purchase.total > {n}.00{lines}{limits}}}\n")
    last = range(2 * len(SORTS), PROMOTIONS)
    best = ", ".join(f"p{n}" for n in last if "multiply" not in SORTS[n % len(SORTS)])
    return (
        "program: quotes\ntime_zone: Asia/Shanghai\ncurrency: CNY\nwallets: {points: {}}\n"
        'campaigns: {base: {on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}}\n'
        f"promotions:\n{''.join(rows)}groups: {{one: {{mode: best, of: [{best}]}}}}\n"
    )


def cart() -> bytes:
    """Twenty lines of one to four pieces in five categories, with what it costs to bring them."""
    lines: list[dict[str, Any]] = [
        {
            "line": str(n),
            "sku": f"s{n}",
            "category": f"c{n % 5}",
            "quantity": str(1 + n % 4),
            "amount": f"{9 + n}.{n:02}",
        }
        for n in range(LINES - 1)
    ]
    lines.append({"line": "delivery", "amount": "12.00", "kind": "shipping"})
    return msgspec.json.encode({"quote": "q", "cart": {"order": "quote:q", "lines": lines}})


def quotes(bench: Bench) -> Report:
    """Some hundred quotes, one after the other."""
    program = load(document())
    assert isinstance(program, Program), program
    versions = Versions((Version(1, 0, program),))
    at = parse_instant("2026-03-01T10:00:00+08:00")
    member, data = _enrolled(versions, at), cart()
    applied = _quote(versions, member, data, at)[1]
    times: list[float] = []
    for n in range(120 if bench.options.quick else 600):
        began = time.process_time_ns()
        _quote(versions, member, data, at)
        if n >= 20:
            times.append((time.process_time_ns() - began) / 1e6)
    times.sort()
    middle = times[len(times) // 20 : -(len(times) // 20)]
    bench.say(f"  {applied} of {PROMOTIONS} promotions applied, {times[len(times) // 2]:.2f} ms")
    what = f"a quote with {PROMOTIONS} promotions and {LINES} lines, without the database, processor time"
    figure = Figure("quote_promotions_applied", "promotions of it that give something", applied, "")
    return Report([spread("quote_server_ms", what, middle, "ms", "at most", 5), figure])


def _enrolled(versions: Versions, at: Instant) -> Member:
    declared = versions.declared
    assert declared is not None
    sent = parse(source="b", id="e", type="enrol", member="m", occurred_at=at, data=b"{}", declared=declared)
    assert isinstance(sent, Activity)
    decided = decide(versions, Member("m", {ROOT: None}), sent, Circumstances(at))
    assert isinstance(decided, Decision)
    return decided.member


def _quote(versions: Versions, member: Member, data: bytes, at: Instant) -> tuple[bytes, int]:
    """The answer as JSON, and how many promotions gave something."""
    declared = versions.declared
    assert declared is not None
    sent = parse(source="b", id="q", type="quote", member="m", occurred_at=at, data=data, declared=declared)
    assert isinstance(sent, Activity)
    documents: dict[str, Document | None] = dict(member.documents)
    decided = None
    while decided is None:
        try:
            decided = decide(versions, Member("m", documents), sent, Circumstances(at))
        except Missing as missing:
            documents |= dict.fromkeys(missing.keys)
    assert isinstance(decided, Decision)
    facts, after = decided.facts, decided.member
    outcome = Outcome(
        "b", "q", "m", "accepted", seq=2, version=1, recorded_at=at, facts=facts, entries=entries(facts),
        member_after=after,
    )  # fmt: skip
    answered = quoted(answer(outcome, versions.judging(at), at))
    assert answered.prices is not None
    given = sum(each.applied for each in answered.prices.promotions) + sum(
        each.applied for each in answered.explanation
    )
    return msgspec.json.encode(answered), given - 1
