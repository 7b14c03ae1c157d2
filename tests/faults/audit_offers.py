"""The audit of what members can get: each piece, code, use and prize was given once, and no more than there are.

It counts anew from the facts that are stored, by a program whose limits a short load exhausts. What pools say must be
what it counted. `judge` takes rows and nothing else, so that a test can show it a history in which something is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from laurels.core.facts import AnyFact, Priced, TicketPlayed, VoucherIssued, VoucherRedeemed, decode_facts
from tests.faults.audit import Books, Lost, prove

TODAY = datetime.now(UTC).date()
PIECES = 6
PRIZES = 4
USES = 8
MONEY = 4000
LIST = tuple(f"LIST{n}" for n in range(12))

PROGRAM = f"""
program: cafe
time_zone: UTC
currency: CNY
jurisdiction: none
wallets:
  points: {{expires: {{after: 12M}}}}
  stars: {{spendable: false}}
campaigns:
  base: {{on: purchase, grant: {{wallet: points, points: 1, per: "1.00"}}}}
  turn: {{on: check_in, grant: {{tickets: wheel}}}}
rewards:
  mug: {{gives: goods, price: {{wallet: points, points: 5}}, stock: {PIECES}}}
vouchers:
  crowd: {{gives: {{off: "2.00"}}, code: [WELCOME], limits: [{{budget: times, of: {USES}}}]}}
  printed: {{gives: {{off: "1.00"}}}}
promotions:
  first: {{gives: {{off: "1.50"}}, limits: [{{budget: money, of: "{MONEY // 100}.00"}}]}}
draws:
  wheel:
    name: {{en: wheel, zh-CN: 转盘}}
    kind: instant
    opens: {TODAY - timedelta(days=30)}
    closes: {TODAY + timedelta(days=300)}
    prizes:
      mug: {{name: {{en: mug, zh-CN: 杯}}, quantity: {PRIZES}, odds: 1/2}}
      pen: {{name: {{en: pen, zh-CN: 笔}}, quantity: {PRIZES}, odds: 1/4}}
    fallback: {{name: {{en: star, zh-CN: 星}}, gives: {{wallet: stars, points: 1}}}}
"""


class Row(msgspec.Struct):
    """An activity as it is stored."""

    member: str
    source: str
    id: str
    type: str
    facts: tuple[AnyFact, ...]
    redemption: str | None = None


async def audit_offers(url: str, books: Books, *, program: str = "cafe") -> None:
    """Raises AssertionError where the database is not what was answered, or something was given twice."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    try:
        rows, pools = await read(connection, program)
    finally:
        await connection.close()
    judge(rows, pools, books)
    await prove(url, program)


async def read(connection: asyncpg.Connection, program: str) -> tuple[list[Row], dict[str, int]]:
    """What is stored of a program: its activities, and what was used of its pools."""
    stored = await connection.fetch(
        "select member, source, id, type, facts, body::json ->> 'redemption' as redemption from activity "
        "where program = $1 order by member, seq",
        program,
    )
    pools = await connection.fetch("select id, used from pool where program = $1 and used <> 0", program)
    rows = [Row(**{**each, "facts": decode_facts(each["facts"].encode())}) for each in stored]
    return rows, {each["id"]: each["used"] for each in pools}


def judge(rows: Sequence[Row], pools: Mapping[str, int], books: Books) -> None:
    """Raises AssertionError, or Lost, where these rows and pools cannot be what was sent and answered."""
    times = Counter(row.id for row in rows if row.source == "pos" and not row.type.startswith("redemption"))
    lost = sorted(books.acknowledged - times.keys())
    if lost:
        raise Lost(f"{len(lost)} activities were answered and are not there, such as {lost[:3]}")
    assert not [id for id, count in times.items() if count > 1], "an activity is there twice"
    assert times.keys() <= books.sent.keys(), "an activity is there that nobody sent"
    done = {(row.type, row.redemption) for row in rows}
    answered = [("redemption", id) for id in books.held] + [(f"redemption_{by}", id) for id, by in books.ended.items()]
    if not done.issuperset(answered):
        raise Lost(f"redemptions were answered and are not there: {set(answered) - done}")
    counted = _pieces(rows) + _vouchers(rows) + _prizes(rows) + _money(rows)
    assert dict(pools) == {pool: used for pool, used in counted.items() if used}, "pools are not what was given"
    mosts = {"reward/mug/stock": PIECES, "voucher/crowd/times": USES, "campaign/first/money": MONEY}
    mosts |= {"draw/wheel/mug": PRIZES, "draw/wheel/pen": PRIZES, **{f"code/{code}": 1 for code in LIST}}
    over = {pool: used for pool, used in pools.items() if used > mosts[pool]}
    assert not over, f"more was given than there is: {over}"


def _pieces(rows: Sequence[Row]) -> Counter[str]:
    held = [row.redemption for row in rows if row.type == "redemption"]
    kept = [row.redemption for row in rows if row.type == "redemption_capture"]
    back = [row.redemption for row in rows if row.type == "redemption_cancel"]
    assert len({*kept, *back}) == len(kept) + len(back), "a redemption ended twice"
    assert len(set(held)) == len(held)
    assert {*kept, *back} <= set(held)
    return Counter({"reward/mug/stock": len(held) - len(back)})


def _vouchers(rows: Sequence[Row]) -> Counter[str]:
    taken: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for row in rows:
        for fact in row.facts:
            if isinstance(fact, VoucherIssued) and not fact.shared:
                taken[f"code/{fact.code}"] += 1
            elif isinstance(fact, VoucherRedeemed) and fact.voucher == "crowd":
                taken["voucher/crowd/times"] += 1
            elif isinstance(fact, VoucherRedeemed):
                used[fact.code] += 1
    twice = [code for code, orders in used.items() if orders > 1]
    assert not twice, f"two orders used {twice}"
    assert {f"code/{code}" for code in used} <= taken.keys()
    return taken


def _prizes(rows: Sequence[Row]) -> Counter[str]:
    given: Counter[str] = Counter()
    tickets: set[tuple[str, int]] = set()
    for row in rows:
        for fact in row.facts:
            if not isinstance(fact, TicketPlayed):
                continue
            assert (row.member, fact.ticket) not in tickets, "a ticket was played twice"
            tickets.add((row.member, fact.ticket))
            assert fact.given in (fact.drawn, "fallback"), f"{fact.drawn} was drawn and {fact.given} given"
            if fact.given in ("mug", "pen"):
                given[f"draw/wheel/{fact.given}"] += 1
    return given


def _money(rows: Sequence[Row]) -> Counter[str]:
    offers = [offered for row in rows for fact in row.facts if isinstance(fact, Priced) for offered in fact.offers]
    taken = sum(part.amount for offered in offers if offered.promotion == "first" for part in offered.lines)
    return Counter({"campaign/first/money": taken})
