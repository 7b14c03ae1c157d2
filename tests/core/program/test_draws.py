"""Draws in the document: what is read, what the law of a country asks, and what may not be changed any more."""

import pytest

from laurels.core.calendar import parse_instant
from laurels.core.money import Rate
from laurels.core.program.difference import difference
from laurels.core.program.draws_difference import broken_promises
from laurels.core.program.loading import examine
from laurels.core.program.model import Fixed, PerAmount, Program
from tests.core.program.documents import sound

HEAD = "program: cafe\ntime_zone: Asia/Shanghai\n"
BODY = """
currency: CNY
wallets: {points: {}}
draws:
  spring:
    name: {en: Spring, zh-CN: 春}
    opens: 2026-03-01
    closes: 2026-03-31
    draws_at: 2026-04-01T12:00:00+08:00
    alternates: 2
    rules: {time: {en: a, zh-CN: b}, method: {en: a, zh-CN: b}, claim: {en: a, zh-CN: b}, forfeiture: {en: a, zh-CN: b}}
    prizes:
      car: {name: {en: A car, zh-CN: 车}, value: 50000, quantity: 1}
campaigns:
  each: {on: purchase, grant: {tickets: spring, per: "100.00"}}
  hello: {on: enrol, grant: {tickets: spring, count: 3}}
"""


def read(body: str = BODY) -> Program:
    return sound(HEAD + body)


def test_days_are_those_of_the_zone_and_the_last_one_counts_to_its_end() -> None:
    (draw,) = read().draws
    assert draw.opens_at == parse_instant("2026-02-28T16:00:00Z")
    assert draw.closes_at == parse_instant("2026-03-31T16:00:00Z")
    assert draw.draws_at == parse_instant("2026-04-01T04:00:00Z")
    assert (draw.kind, draw.wins_most, draw.prizes[0].value) == ("scheduled", 1, 5_000_000)


def test_tickets_are_granted_as_points_are() -> None:
    each, hello = [campaign.grants[0] for campaign in read().campaigns]
    assert isinstance(each, PerAmount)
    assert (each.wallet, each.per, each.points.default) == ("draw/spring", 10_000, Rate(1, 1))
    assert isinstance(hello, Fixed)
    assert hello.points.default == Rate(3, 1)


def test_the_law_of_china_applies_to_yuan_unless_the_document_says_otherwise() -> None:
    dearer = BODY.replace("value: 50000,", "value: 50000.01,")
    (finding,) = examine(HEAD + dearer).findings
    assert (finding.code, finding.path) == ("prize_too_high", "/draws/spring/prizes/car")
    assert "article 11" in finding.hint
    assert read("jurisdiction: none" + dearer).jurisdiction is None
    assert read(dearer.replace("CNY", "EUR")).jurisdiction is None
    assert read().jurisdiction == "CN"
    (finding,) = examine(HEAD + "jurisdiction: CN" + BODY.replace("CNY", "EUR")).findings
    assert finding.code == "not_comparable"


@pytest.mark.parametrize(
    ("gives", "is_too_high"),
    [
        ("{wallet: points, points: 5000000}", False),
        ("{wallet: points, points: 5000001}", True),
        ("{voucher: large}", False),
        ("{voucher: off}", True),
        ("{voucher: percent}", True),
        ("{voucher: steps}", True),
    ],
)
def test_no_stated_value_hides_what_the_points_and_vouchers_of_a_prize_come_to(gives: str, is_too_high: bool) -> None:
    body = (
        BODY.replace("value: 50000,", f"value: 5, gives: {gives},")
        + """
vouchers:
  large: {gives: {off: "50000.00"}}
  off: {gives: {off: "50000.01"}}
  percent: {gives: {percent: 50%, most: "50000.01"}}
  steps: {gives: {steps: {spend: "60000.00", off: "50000.01"}}}
"""
    )
    body = body.replace("points: {}", 'points: {money: {points: 100, worth: "1.00"}}')
    found = [(each.code, each.path) for each in examine(HEAD + body).findings]
    assert found == ([("prize_too_high", "/draws/spring/prizes/car")] if is_too_high else [])


def test_odds_are_fractions_or_percentages_and_exact() -> None:
    wheel = """
currency: EUR
wallets: {points: {}}
draws: {wheel: {kind: instant, opens: 2026-03-01, closes: 2026-03-31, prizes: {mug: {odds: 2/60}, cup: {odds: 0.5%}}}}
"""
    mug, cup = read(wheel).draws[0].prizes
    assert (mug.odds, cup.odds) == (Rate(1, 30), Rate(1, 200))


REASON = 'changes: [{at: 2026-03-05, reason: {en: "a second car", zh-CN: 加一辆}}]\n    prizes:'


@pytest.mark.parametrize(
    ("before", "after", "at", "broken"),
    [
        ("quantity: 1", "quantity: 1", "2026-03-10", ()),
        ("quantity: 1", "quantity: 2", "2026-03-10", (("spring", "needs_reason"),)),
        ("A car", "A cart", "2026-02-01", (("spring", "needs_reason"),)),
        ("alternates: 2", "alternates: 3", "2026-03-10", (("spring", "needs_reason"),)),
        ("forfeiture: {en: a", "forfeiture: {en: z", "2026-03-10", (("spring", "needs_reason"),)),
        ("alternates: 2", f"alternates: 3\n    {REASON.removesuffix('prizes:')}", "2026-03-10", ()),
        (
            "alternates: 2",
            f"alternates: 3\n    {REASON.removesuffix('prizes:')}",
            "2026-04-01",
            (("spring", "draw_closed"),),
        ),
        ("hello: {on", "bye: {on", "2026-03-10", ()),
    ],
)
def test_a_published_draw_changes_only_with_a_reason_and_not_after_it_closed(
    before: str, after: str, at: str, broken: tuple[tuple[str, str], ...]
) -> None:
    old, new = read(), read(BODY.replace(before, after))
    assert broken_promises(old, new, parse_instant(f"{at}T00:00:00Z")) == broken


def test_a_close_is_moved_only_while_the_draw_is_open_for_the_new_version_too() -> None:
    old = read()
    new = read(BODY.replace("prizes:", REASON).replace("closes: 2026-03-31", "closes: 2026-03-20"))
    now = parse_instant("2026-03-10T00:00:00Z")
    assert broken_promises(old, new, now) == ()
    assert broken_promises(old, new, now, parse_instant("2026-03-20T00:00:00Z")) == ()
    assert broken_promises(old, new, now, parse_instant("2026-03-22T00:00:00Z")) == (("spring", "draw_closed"),)


def test_a_reason_of_an_earlier_change_is_none_for_the_next() -> None:
    old = read(BODY.replace("prizes:", REASON))
    new = read(BODY.replace("prizes:", REASON).replace("quantity: 1", "quantity: 2"))
    assert broken_promises(old, new, parse_instant("2026-03-10T00:00:00Z")) == (("spring", "needs_reason"),)


def test_an_open_draw_cannot_be_taken_out_and_a_closed_one_can() -> None:
    old = read()
    new = read("\ncurrency: CNY\nwallets: {points: {}}\n")
    assert broken_promises(old, new, parse_instant("2026-03-10T00:00:00Z")) == (("spring", "needs_reason"),)
    assert broken_promises(old, new, parse_instant("2026-04-10T00:00:00Z")) == ()


def test_a_plan_tells_what_becomes_of_a_draw() -> None:
    fewer = difference(read(BODY.replace("quantity: 1", "quantity: 2")), read())
    assert [(change.path, change.takes_away) for change in fewer] == [("/draws/spring/prizes", True)]
    more = difference(read(), read(BODY.replace("alternates: 2", "alternates: 3")))
    assert [(change.path, change.takes_away) for change in more] == [("/draws/spring/alternates", False)]
    assert "候补人数" in more[0].texts["zh-CN"]
    gone = difference(read(), read("\ncurrency: CNY\nwallets: {points: {}}\n"))
    assert [change.path for change in gone if change.path.startswith("/draws")] == ["/draws/spring"]


@pytest.mark.parametrize(
    ("effective", "change", "broken"),
    [
        ("2026-02-20", ("opens: 2026-03-01", "opens: 2026-03-03"), ()),
        ("2026-03-02", ("opens: 2026-03-01", "opens: 2026-03-03"), (("spring", "draw_opened"),)),
        ("2026-03-02", ("quantity: 1", "quantity: 2"), ()),
        ("2026-04-01", ("quantity: 1", "quantity: 2"), (("spring", "draw_closed"),)),
    ],
)
def test_what_counts_is_when_the_version_takes_effect_and_not_when_it_is_published(
    effective: str, change: tuple[str, str], broken: tuple[tuple[str, str], ...]
) -> None:
    old = read()
    new = read(BODY.replace("prizes:", REASON).replace(*change))
    published, at = parse_instant("2026-02-10T00:00:00+08:00"), parse_instant(f"{effective}T00:00:00+08:00")
    assert broken_promises(old, new, published, at) == broken
