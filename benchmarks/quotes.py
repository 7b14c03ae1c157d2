"""A quote of a large cart under many promotions: what of its time is the server's own, without a database.

Thirty promotions of every sort, in groups, with limits, on a cart of twenty lines, of which most apply, and five
vouchers of five sorts, which all apply. A quote is read from its JSON, decided, rendered and written as JSON, as `POST
/v1/quotes` does between reading and answering.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from benchmarks.measure import Figure, Report, spread
from benchmarks.online import Bench
from laurels.api.answer import answer, quoted
from laurels.core.activity import Activity, parse
from laurels.core.calendar import Instant, parse_instant
from laurels.core.decide import Circumstances, Decision, decide, needs
from laurels.core.facts import VoucherIssued
from laurels.core.journal import entries
from laurels.core.member import ROOT, Document, Member, Missing
from laurels.core.program.loading import load
from laurels.core.program.model import Program
from laurels.core.version import Version, Versions
from laurels.intake.submission import Outcome

PROMOTIONS: Final = 30
PROMOTION_IDS: Final = frozenset(f"p{n}" for n in range(PROMOTIONS))
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


VOUCHERS: Final = (
    "{off: 2.00}",
    "{percent: 5%, most: 8.00}",
    '{steps: [{spend: "50.00", off: "4.00"}, {spend: "100.00", off: "9.00"}]}',
    "{free: 'has(line.category) && line.category == \"c2\"', quantity: 1}",
    "{multiply: points, by: 2}",
)


def document() -> str:
    """A program with thirty promotions: of each sort three, the third in a group that takes the best of them.

    And five kinds of vouchers with conditions, floors and limits.
    """
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
        f"vouchers:\n{_kinds()}"
    )


def _kinds() -> str:
    limits = "limits: [{every: month, times: 500}, {budget: times, of: 100000}]"
    rows = []
    for n, gives in enumerate(VOUCHERS):
        floor = "" if "multiply" in gives else ", floor: {share: 10%}"
        rows.append(f"  v{n}: {{gives: {gives}, when: purchase.total > {n}.00, {limits}{floor}}}\n")
    return "".join(rows)


def cart(vouchers: Sequence[str]) -> bytes:
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
    cart = {"order": "quote:q", "lines": lines, "vouchers": vouchers}
    return msgspec.json.encode({"quote": "q", "cart": cart})


def quotes(bench: Bench) -> Report:
    """Some hundred quotes, one after the other."""
    program = load(document())
    assert isinstance(program, Program), program
    versions = Versions((Version(1, 0, program),))
    at = parse_instant("2026-03-01T10:00:00+08:00")
    member, codes = _enrolled(versions, at)
    data = cart(codes)
    applied, used = _quote(versions, member, data, at)[1:]
    assert used == len(VOUCHERS), used
    times: list[float] = []
    for n in range(120 if bench.options.quick else 600):
        began = time.process_time_ns()
        _quote(versions, member, data, at)
        if n >= 20:
            times.append((time.process_time_ns() - began) / 1e6)
    times.sort()
    middle = times[len(times) // 20 : -(len(times) // 20)]
    bench.say(f"  {applied} of {PROMOTIONS} promotions and {used} vouchers applied, {times[len(times) // 2]:.2f} ms")
    sizes = f"{PROMOTIONS} promotions, {used} vouchers and {LINES} lines"
    what = f"a quote with {sizes}, without the database, processor time"
    figure = Figure("quote_promotions_applied", "promotions of it that give something", applied, "")
    return Report([spread("quote_server_ms", what, middle, "ms", "at most", 5), figure])


def _enrolled(versions: Versions, at: Instant) -> tuple[Member, list[str]]:
    """A member with a voucher of each kind, and their codes."""
    member = _decided(versions, Member("m", {ROOT: None}), "enrol", b"{}", at).member
    codes: list[str] = []
    for n in range(len(VOUCHERS)):
        decided = _decided(versions, member, "voucher_issue", b'{"voucher": "v%d"}' % n, at, f"{n:032x}")
        member = decided.member
        codes += [fact.code for fact in decided.facts if isinstance(fact, VoucherIssued)]
    return member, codes


def _decided(versions: Versions, member: Member, type_: str, data: bytes, at: Instant, random: str = "") -> Decision:
    declared = versions.declared
    assert declared is not None
    sent = parse(source="b", id=type_, type=type_, member="m", occurred_at=at, data=data, declared=declared)
    assert isinstance(sent, Activity)
    documents: dict[str, Document | None] = dict(member.documents)
    if type_ != "enrol":
        documents = {**dict.fromkeys(needs(versions, sent, member.root, at)), **documents}
    while True:
        try:
            decided = decide(versions, Member("m", documents), sent, Circumstances(at, random=random))
        except Missing as missing:
            documents |= dict.fromkeys(missing.keys)
        else:
            assert isinstance(decided, Decision), decided
            return decided


def _quote(versions: Versions, member: Member, data: bytes, at: Instant) -> tuple[bytes, int, int]:
    """The answer as JSON, and how many promotions and vouchers gave something."""
    decided = _decided(versions, member, "quote", data, at)
    facts, after = decided.facts, decided.member
    outcome = Outcome(
        "b", "q", "m", "accepted", seq=2, version=1, recorded_at=at, facts=facts, entries=entries(facts),
        member_after=after,
    )  # fmt: skip
    answered = quoted(answer(outcome, versions.judging(at), at))
    assert answered.prices is not None
    given = sum(each.applied for each in answered.prices.promotions) + sum(
        each.applied for each in answered.explanation if each.campaign in PROMOTION_IDS
    )
    return msgspec.json.encode(answered), given, sum(each.applied for each in answered.prices.vouchers)
