"""Every mistake in `findings.txt` is one finding, at its exact place, with a hint; and every code occurs there."""

import json
import re
import time
from pathlib import Path

import pytest

from laurels.core.calendar import parse_instant
from laurels.core.program.finding import CODES, FINDINGS_MOST
from laurels.core.program.loading import examine, load
from laurels.core.program.model import Program
from laurels.core.rule.check import CODES as RULE_CODES

MARK = "‸"
HEAD = "program: cafe\ntime_zone: Asia/Shanghai\ncurrency: CNY\n"
WALLETS = "wallets: {points: {}, growth: {spendable: false}}\n"

WARNINGS = {"idle_word", "idle_condition", "idle_grant", "uneven_worth", "uneven_minimum", "idle_cash"}
ELSEWHERE = {
    "code_in_batch",
    "past_window",
    "too_large",
    "unreadable",
    "empty",
    "too_many",
    "bad_zone",
    "bad_currency",
    "not_comparable",
}


def cases() -> list[tuple[str, str, str]]:
    blocks = Path(__file__).with_name("findings.txt").read_text().split("\n== ")[1:]
    found = []
    for block in blocks:
        title, _, body = block.partition("\n")
        code, _, hint = title.partition(":")
        found.append((code, hint.strip(), body.removesuffix("\n")))
    return found


CASES = cases()


def document(body: str) -> str:
    return HEAD + ("" if re.search(r"^.?wallets:", body, re.MULTILINE) else WALLETS) + body + "\n"


def marked(text: str) -> tuple[str, int, int]:
    """The text without its mark, and the line and column at which the mark stood."""
    before = text[: text.index(MARK)]
    return text.replace(MARK, ""), before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize(("code", "hint", "body"), CASES, ids=[f"{code}-{n}" for n, (code, _, _) in enumerate(CASES)])
def test_a_mistake_is_one_finding_at_its_place_with_a_hint(code: str, hint: str, body: str) -> None:
    text, line, column = marked(document(body))
    examined = examine(text)
    assert [(each.code, each.line, each.column) for each in examined.findings] == [(code, line, column)]
    finding = examined.findings[0]
    assert re.search(hint, f"{finding.message}; {finding.hint}"), finding
    assert finding.severity == ("warning" if code in WARNINGS else "error")
    assert (examined.program is not None) == (code in WARNINGS)


def test_the_parts_stand_in_a_document_that_has_no_finding_of_its_own() -> None:
    assert examine(document("")).findings == ()
    assert examine(document("wallets: {points: {}}")).findings == ()


def test_a_shared_code_that_is_in_a_batch_is_a_warning_at_its_place() -> None:
    text, line, column = marked(
        document("vouchers: {a: {gives: {off: 5}, code: ‸save-5}, b: {gives: {off: 5}, code: BEST}}")
    )
    assert examine(text).findings == ()
    examined = examine(text, in_batches={"SAVE5", "OTHER"})
    assert [(each.code, each.line, each.column, each.severity) for each in examined.findings] == [
        ("code_in_batch", line, column, "warning")
    ]
    assert examined.program is not None


def test_every_code_has_a_case_and_every_case_a_code_of_the_closed_list() -> None:
    assert {code for code, _, _ in CASES} | ELSEWHERE == set(CODES)
    assert not set(CODES) & set(RULE_CODES)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", "empty", 1, 1),
        ("# nothing but a comment\n", "empty", 1, 1),
        ("- a\n- b\n", "wrong_shape", 1, 1),
        ("program: a\nname: b\u0007c\n", "unreadable", 2, 8),
        ("program: a\nname: b\x00c\n", "unreadable", 2, 8),
        ("program: a\nname: \ud800\n", "unreadable", 2, 7),
        ("program: a" + " " * 1_000_000, "too_large", 1, 1),
        ("名" * 400_000, "too_large", 1, 1),
    ],
)
def test_a_text_that_is_no_document_is_one_finding(text: str, code: str, line: int, column: int) -> None:
    assert [(each.code, each.line, each.column) for each in examine(text).findings] == [(code, line, column)]


@pytest.mark.parametrize(
    ("head", "code", "line", "column", "hint"),
    [
        ("program: a\ntime_zone: Asia/Shangai\ncurrency: CNY", "bad_zone", 2, 12, "Asia/Shanghai"),
        ("program: a\ntime_zone: UTC+8\ncurrency: CNY", "bad_zone", 2, 12, "such as"),
        ("program: a\ntime_zone: Asia/Tokyo\ncurrency: YEN", "bad_currency", 3, 11, "did you mean|such as"),
        ("program: a\ntime_zone: Asia/Tokyo\ncurrency: jpy", "bad_currency", 3, 11, "JPY"),
    ],
)
def test_zone_and_currency_must_exist(head: str, code: str, line: int, column: int, hint: str) -> None:
    # An amount with decimals and a date follow, which are not judged by a currency or zone that nobody knows.
    worth = "1.005" if code == "bad_currency" else "1.00"
    rest = (
        f"\nwallets: {{points: {{money: {{points: 100, worth: {worth}}}}}}}\n"
        "campaigns: {a: {on: enrol, during: {from: 2026-01-01}, grant: {wallet: points, fixed: 1}}}\n"
    )
    findings = examine(head + rest).findings
    assert [(each.code, each.line, each.column) for each in findings] == [(code, line, column)]
    assert re.search(hint, findings[0].hint)


def test_a_currency_without_decimals_has_whole_amounts_only() -> None:
    text = document("wallets: {points: {money: {points: 100, worth: 1.0}}}").replace("CNY", "JPY")
    assert [each.code for each in examine(text).findings] == ["bad_money"]
    assert isinstance(load(text.replace("1.0}", "1}")), Program)


def test_all_findings_are_reported_at_once_from_top_to_bottom() -> None:
    text = (
        "program: Cafe\n"
        "time_zone: Asia/Shanghai\n"
        "currency: CNY\n"
        "wallets: {points: {pending: 7X, expires: {after: 12M, round: months}}}\n"
        "campaigns:\n"
        "  a: {on: purchase, when: purchase.totl > 3 && member.tear == 1, grant: {wallet: point, fixed: 1}}\n"
    )
    findings = examine(text).findings
    assert load(text) == findings
    assert [(each.code, each.line, each.column) for each in findings] == [
        ("bad_id", 1, 10),
        ("bad_duration", 4, 29),
        ("unknown_value", 4, 62),
        ("rule_unknown_field", 6, 36),
        ("rule_unknown_field", 6, 55),
        ("unknown_wallet", 6, 82),
    ]
    assert findings[4].path == "/campaigns/a/when"


def test_a_path_is_a_json_pointer() -> None:
    text = HEAD + "wallets: {points: {}}\nfields: {custom.a: {b/c~d: int}}\n"
    assert [each.path for each in examine(text).findings] == ["/fields/custom.a/b~1c~0d"]


def test_findings_beyond_what_anyone_reads_are_cut_off() -> None:
    text = document("\n".join(f"word{n}: 1" for n in range(FINDINGS_MOST + 50)))
    findings = examine(text).findings
    assert len(findings) == FINDINGS_MOST + 1
    assert findings[-1].code == "too_many"


# Each would take minutes or gigabytes from a reader that follows it.
HOSTILE = {
    "aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"b{n}: &b{n} [*a,*a,*a,*a,*a]\n" for n in range(50)),
    "lists": "[" * 500_000,
    "mappings": "{a: " * 200_000,
    "indented lists": "- " * 400_000,
    "keys of keys": "? " * 300_000,
    "unknown words": "\n".join(f"wallet{n}: 1" for n in range(60_000)),
    "wallets": "wallets: {" + ", ".join(f"w{n}: {{}}" for n in range(60_000)) + "}",
    "a long number": HEAD + "late_horizon: " + "9" * 900_000,
    "a long whole number": HEAD + "wallets: {points: {when_spent: {debt: " + "9" * 900_000 + "}}}",
    "a long name": HEAD + "wallets: {points: {name: '" + "x" * 900_000 + "'}}",
    "a long condition": HEAD + "campaigns: {a: {on: enrol, when: '" + "(" * 900_000 + "'}}",
    "many conditions": HEAD
    + WALLETS
    + "campaigns:\n"
    + "".join(f"  c{n}: {{on: purchase, when: purchase.x > 1}}\n" for n in range(5_000)),
}


@pytest.mark.parametrize("sort", HOSTILE)
def test_a_hostile_document_is_refused_in_little_time(sort: str) -> None:
    start = time.process_time()
    assert examine(HOSTILE[sort]).program is None
    assert time.process_time() - start < 10


def test_a_campaign_that_is_over_is_a_warning_from_the_first_instant_after_it() -> None:
    text, line, column = marked(
        document("campaigns: {a: {on: enrol, during: {until: ‸2026-03-31}, grant: {wallet: points, fixed: 1}}}")
    )
    end = parse_instant("2026-04-01T00:00:00+08:00")
    assert examine(text).findings == examine(text, at=end - 1).findings == ()
    (over,) = examine(text, at=end).findings
    assert (over.code, over.severity, over.line, over.column) == ("past_window", "warning", line, column)
    assert examine(text, at=end).program is not None


def test_json_is_read_as_yaml_with_exact_decimals() -> None:
    described = {
        "program": "cafe",
        "time_zone": "Asia/Shanghai",
        "currency": "CNY",
        "wallets": {"points": {"name": {"zh-CN": "积分"}}},
        "campaigns": {"base": {"on": "purchase", "grant": {"wallet": "points", "points": 1.1, "per": "1.00"}}},
    }
    for ascii_only in (True, False):
        program = load(json.dumps(described, ensure_ascii=ascii_only, indent=1))
        assert isinstance(program, Program)
        assert program.wallets[0].name == {"zh-CN": "积分"}
        assert "Rate(numerator=11, denominator=10)" in repr(program.campaigns[0].grants)


def codes_of(body: str) -> list[str]:
    return [finding.code for finding in examine(document(body)).findings]


def test_a_trigger_that_does_not_exist_hides_nothing_in_its_campaign() -> None:
    """Judged as on the type that was meant: what mending the word would bring to light is said at once."""
    wrong = """\
campaigns:
  base: {on: purchase, grant: {wallet: points, points: 1, per: 1.00}}
  a:
    on: purchse
    when: purchase.totl > 5.00 && member.tier.gold == "x"
    lines: line.category == "tea"
    grant: [{wallet: points, multiply: base, by: 2}, {wallet: pints, fixed: 1}]"""
    mended = wrong.replace("purchse", "purchase")
    assert codes_of(mended) == ["rule_unknown_field"] * 2 + ["rule_unguarded_optional", "unknown_wallet"]
    assert codes_of(wrong) == ["unknown_activity", *codes_of(mended)]


def test_a_declared_activity_that_is_misspelt_is_judged_by_its_own_fields() -> None:
    body = """\
fields: {custom.recycled: {kilograms: decimal}}
campaigns: {a: {on: custom.recycle, when: activity.kilograms > "x", grant: {wallet: points, fixed: 1}}}"""
    assert codes_of(body) == ["unknown_activity", "rule_unguarded_optional", "rule_type_mismatch"]


def test_where_nobody_can_tell_the_trigger_only_that_is_said_which_is_wrong_on_any() -> None:
    body = "campaigns: {a: {on: xyzzy, when: CONDITION, grant: {wallet: points, fixed: 1}}}"
    for condition, codes in (
        ("purchase.total > 5.00", []),
        ("activity.weight > 1", []),
        ('member.tierr == "x"', ["rule_unknown_field"]),
        ('purchase.total > 5.00 && member.tierr == "x"', ["rule_unknown_field"]),
        ("member.id ==", ["rule_syntax"]),
    ):
        assert codes_of(body.replace("CONDITION", f"'{condition}'")) == ["unknown_activity", *codes], condition
    multiplied = """\
campaigns:
  base: {on: purchase, grant: {wallet: points, points: 1, per: 1.00}}
  a: {on: custom.stay, grant: {wallet: points, multiply: base, by: 2}}
  b: {grant: {wallet: points, multiply: base, by: 2}, when: member.tierr == "x"}"""
    assert codes_of(multiplied) == ["unknown_activity", "missing_word", "rule_unknown_field"]
