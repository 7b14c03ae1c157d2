"""Every finding of the rule language, with the place it points at and what it tells people to write."""

import pytest

from laurels.core.rule.check import CODES, FINDINGS_MOST, TEXT_LONGEST, Rule, RuleFinding, check
from laurels.core.rule.environment import Environment, Scope
from tests.core.rule.sample import environment

ENVIRONMENT = environment()


def findings(text: str, *, scope: Scope = "lines", within: Environment = ENVIRONMENT) -> tuple[RuleFinding, ...]:
    found = check(text, within, scope=scope)
    assert not isinstance(found, Rule), found.source
    return found


def passes(text: str, *, scope: Scope = "lines", within: Environment = ENVIRONMENT) -> Rule:
    rule = check(text, within, scope=scope)
    assert isinstance(rule, Rule), rule
    return rule


# (rule, code, column, part of the message, part of the hint or None)
EXAMPLES = (
    # what CEL cannot parse
    ("", "rule_syntax", 1, "the rule is empty", "leave it out"),
    ("  \n ", "rule_syntax", 1, "the rule is empty", "leave it out"),
    ("at.hour >", "rule_syntax", 10, "ends too early", "something is missing"),
    ("(at.hour > 3", "rule_syntax", 13, "ends too early", "something is missing"),
    ("at.hour > 3)", "rule_syntax", 12, "extraneous input ')'", None),
    ("at.hour > 3 and at.hour < 5", "rule_syntax", 13, "'and'", "write && in place of and"),
    ("at.hour > 3 OR at.hour < 5", "rule_syntax", 13, "'OR'", "write || in place of OR"),
    ("at.hour = 3", "rule_syntax", 9, "'= '", "write == to compare"),
    ("at.hour ＞ 3", "rule_syntax", 9, "'＞'", "write '>' in place of the full-width '＞'"),
    ("purchase.total ≥ 30.00", "rule_syntax", 16, "'≥'", "write '>='"),
    ("at.weekday == “mon”", "rule_syntax", 15, "'“'", "write '\"'"),
    ("for == 1", "rule_syntax", 1, "reserved identifier: for", None),
    ("at.hour == 99999999999999999999", "rule_syntax", 12, "invalid int literal", None),
    ("has(at)", "rule_syntax", 5, "must be a field selection", None),
    ("line.tags.exists(t.x, true)", "rule_syntax", 19, "simple identifier", None),
    ("purchase.?store == 'a'", "rule_syntax", 1, "unsupported syntax", None),
    ("at.hour\x00 > 3", "rule_invalid_character", 8, "U+0000", None),
    ("member.id == '\ud800'", "rule_invalid_character", 15, "U+D800", None),
    # names
    ("lin.sku == 'a'", "rule_unknown_name", 1, "unknown name 'lin'; did you mean 'line'?", "a rule may name activity"),
    ("category == 'a'", "rule_unknown_name", 1, "did you mean 'line.category'?", None),
    ("line.tags.exists(tag, tga == 'a')", "rule_unknown_name", 23, "did you mean 'tag'?", None),
    ("line.tags.exists(t, .t == 'a')", "rule_unknown_name", 22, "unknown name '.t'", None),
    ("line.catgory == 'a'", "rule_unknown_field", 6, "unknown field 'catgory'; did you mean 'category'?", "line has"),
    ("has(line.catgory)", "rule_unknown_field", 10, "did you mean 'category'?", "line has age, amount"),
    ("member.tier.membrship == 'gold'", "rule_unknown_field", 13, "did you mean 'membership'?", "member.tier has club"),
    ("member.wallets.points.avail > 1", "rule_unknown_field", 23, "did you mean 'available'?", "member.wallets.points"),
    ("member.id.x == 1", "rule_unknown_field", 11, "a string has no fields", None),
    ("line.tags.x == 1", "rule_unknown_field", 11, "a list of strings has no fields", "exists(x, ...)"),
    ("'a'.x == 1", "rule_unknown_field", 5, "a string has no fields", None),
    ("member.id.startswith('a')", "rule_unknown_function", 11, "did you mean 'startsWith'?", "a rule may use"),
    ("lower(member.id) == 'a'", "rule_unknown_function", 1, "unknown function 'lower'", "a rule may use"),
    ("math.abs(at.hour) > 1", "rule_unknown_function", 6, "unknown function 'abs'", None),
    ("startsWith(member.id, 'a')", "rule_unknown_function", 1, "called differently", "write text.startsWith(...)"),
    ("line.tags.exists(at, at == 'a')", "rule_name_taken", 11, "'at' is a variable already", "choose another name"),
    # values that cannot be
    ("member.tier.membership == 'sliver'", "rule_unknown_value", 27, "did you mean 'silver'?", "member, silver, gold"),
    ("at.weekday in ['mon', 'tuesday']", "rule_unknown_value", 23, "never 'tuesday'; did you mean 'tue'?", "mon, tue"),
    ("'voucher' != line.kind", "rule_unknown_value", 1, "line.kind is never 'voucher'", "product, shipping"),
    # outside the language
    ("at.hour / 2 == 3", "rule_outside_subset", 9, "division", "multiply the other side"),
    ("at.hour % 2 == 1", "rule_outside_subset", 9, "remainder", None),
    ("line.tags[0] == 'a'", "rule_outside_subset", 10, "indexing", "exists"),
    ("member.id.matches('a+')", "rule_outside_subset", 11, "regular expression", "startsWith"),
    ("matches(member.id, 'a+')", "rule_outside_subset", 1, "regular expression", "startsWith"),
    ("string(at.hour) == '3'", "rule_outside_subset", 1, "conversion", None),
    ("int(member.id) == 3", "rule_outside_subset", 1, "conversion", None),
    ("timestamp(member.id) > member.enrolled_at", "rule_outside_subset", 1, "takes a constant", "declare the field"),
    ("activity.occurred_at.getHours() > 3", "rule_outside_subset", 22, "date getter", "at.hour"),
    ("line.tags.exists_one(t, t == 'a')", "rule_outside_subset", 11, "exists_one has no place", "exists(x, ...)"),
    ("line.tags.map(t, t) == line.tags", "rule_outside_subset", 11, "map has no place", "exists(x, ...)"),
    ("line.tags.filter(t, t == 'a') == line.tags", "rule_outside_subset", 11, "filter has no place", "exists(x, ...)"),
    ("{'a': 1} == {'a': 1}", "rule_outside_subset", 1, "maps or messages", None),
    ("member.id == null", "rule_outside_subset", 14, "no null literals", "has(...)"),
    ("1u == 1u", "rule_outside_subset", 1, "no uint64 literals", None),
    ("b'a' == b'a'", "rule_outside_subset", 1, "no bytes literals", None),
    ("at.hour in [1, at.minute]", "rule_outside_subset", 16, "constants only", "`||`"),
    ("member.id + 'a' == 'ba'", "rule_outside_subset", 11, "between a string and a string", "only whole numbers"),
    ("line.amount + line.tax > 3", "rule_outside_subset", 13, "between money and money", "computed by `grant`"),
    ("line.quantity * 2 > 3", "rule_outside_subset", 15, "between a quantity and", "compare the fields one by one"),
    ("-line.amount < 3", "rule_outside_subset", 1, "`-` before money", "only whole numbers"),
    ("at.hour * at.minute > 3", "rule_outside_subset", 9, "two fields are not multiplied", "by a number"),
    (
        "activity.occurred_at - member.enrolled_at > duration('1h')",
        *("rule_outside_subset", 22, "between a timestamp and a timestamp", "add a duration to one"),
    ),
    (
        "line.quantity > (at.hour > 3 ? 1.5 : 2.5)",
        "rule_outside_subset",
        30,
        "cannot choose a decimal literal",
        "? x >",
    ),
    # types
    ("at.hour", "rule_not_bool", 1, "but this is a whole number", "compare it"),
    ("at.hour + 1", "rule_not_bool", 1, "but this is a whole number", "compare it"),
    ("purchase.lines", "rule_not_bool", 1, "but this is a list of lines", "compare it"),
    ("member.id && at.hour > 3", "rule_type_mismatch", 1, "`&&` takes conditions", "compare it"),
    ("at.hour > 3 && (at.minute)", "rule_type_mismatch", 17, "`&&` takes conditions", "compare it"),
    ("!at.hour", "rule_type_mismatch", 2, "`!` takes conditions", "compare it"),
    ("at.hour ? true : false", "rule_type_mismatch", 1, "`?` takes conditions", None),
    ("at.hour > 3 ? 1 : 'a'", "rule_type_mismatch", 13, "between a whole number and a string", "one type"),
    ("at.hour == '3'", "rule_type_mismatch", 9, "between a whole number and a string", "without quotes"),
    ("at.hour > 1.5", "rule_type_mismatch", 9, "a decimal literal", "write a whole number"),
    ("1.5 < 2.5", "rule_type_mismatch", 5, "a decimal literal", "compared with money and decimal fields"),
    ("activity.news == 'true'", "rule_type_mismatch", 15, "between a truth value and a string", "without quotes"),
    ("activity.news < true", "rule_type_mismatch", 15, "a truth value is not compared with `<`", None),
    ("member.enrolled_at > '2026-01-01'", "rule_type_mismatch", 20, "a timestamp and a string", "timestamp("),
    ("at.date > member.enrolled_at", "rule_type_mismatch", 9, "a date and a timestamp", None),
    ("at.date == member.id", "rule_type_mismatch", 9, "a date and a string", "another date"),
    ("at.date.startsWith('2026')", "rule_type_mismatch", 1, "asked of strings", "at.year"),
    ("line.tags.contains('a')", "rule_type_mismatch", 1, "asked of strings", '"a" in list'),
    ("member.id.contains(3)", "rule_type_mismatch", 20, "asked of strings", None),
    ("size(at.hour) > 1", "rule_type_mismatch", 1, "size counts", None),
    ("line.tags == ['a']", "rule_type_mismatch", 11, "a list of strings is not compared with `==`", "exists"),
    ("line == line", "rule_type_mismatch", 6, "a line is not compared with `==`", None),
    ("3 in line.tags", "rule_type_mismatch", 3, "cannot be in a list of strings", None),
    ("'a' in member.id", "rule_type_mismatch", 8, "this is a string", "contains"),
    ("'a' in purchase.lines", "rule_type_mismatch", 8, "a list of lines", "exists"),
    ("at.hour in [1, 'a']", "rule_type_mismatch", 16, "a list that begins with a whole number", None),
    ("member.id.exists(c, c == 'a')", "rule_type_mismatch", 11, "exists asks about a list", None),
    ("line.quantity > line.ratio", "rule_type_mismatch", 15, "a quantity and a decimal", "literals and quantities"),
    ("line.quantity > at.hour", "rule_type_mismatch", 15, "a quantity and a whole number", "literals"),
    # optional fields
    (
        "line.category == 'a'",
        "rule_unguarded_optional",
        6,
        "line.category may be absent",
        "write has(line.category) &&",
    ),
    ("member.age > 3", "rule_unguarded_optional", 8, "member.age may be absent", "or give the field a default"),
    ("has(member.id)", "rule_needless_has", 12, "member.id is always there", "leave has(member.id) out"),
    ("has(line.tags)", "rule_needless_has", 10, "line.tags is always there", "size(line.tags) > 0"),
    ("has(member.tier)", "rule_needless_has", 12, "member.tier is always there", None),
    # money, numbers and other constants
    ("purchase.total == 30.00", "rule_money_comparison", 16, "not compared with `==`", "write a range"),
    ("purchase.goods == 30.00", "rule_money_comparison", 16, "not compared with `==`", "write a range"),
    ("purchase.good >= 30.00", "rule_unknown_field", 10, "did you mean 'goods'?", "purchase has"),
    ("purchase.total in [30.00]", "rule_money_comparison", 16, "not compared with `in`", "write ranges"),
    ("line.amount > line.tax", "rule_money_comparison", 13, "with literals only", "30.00"),
    ("purchase.total >= 30.005", "rule_money_precision", 19, "3 decimals, the currency has 2", "at most 2 decimals"),
    ("purchase.total >= 30.000", "rule_money_precision", 19, "3 decimals, the currency has 2", "at most 2 decimals"),
    ("purchase.total >= 30.0000000000000001", "rule_money_precision", 19, "16 decimals", None),
    ("line.quantity > 1.1234567", "rule_decimal_precision", 17, "7 decimals, a quantity has 6", "at most 6 decimals"),
    ("line.ratio > 1234567890.123456", "rule_decimal_precision", 14, "more than 15 digits", None),
    ("purchase.total > 99999999999999.99", "rule_decimal_precision", 18, "more than 15 digits", None),
    ("purchase.total > 1e2", "rule_invalid_literal", 18, "1e2 is not written out", "0.50"),
    ("purchase.total > .5", "rule_invalid_literal", 18, ".5 is not written out", "0.50"),
    ("at.date == '2026-02-29'", "rule_invalid_literal", 12, "'2026-02-29' is no date", "a day that exists"),
    ("at.date in ['2026-2-1']", "rule_invalid_literal", 13, "'2026-2-1' is no date", "a day that exists"),
    ("member.enrolled_at > timestamp('2026-01-01')", "rule_invalid_literal", 32, "not an instant", "timestamp("),
    ("member.enrolled_at + duration('30D') > member.enrolled_at", "rule_invalid_literal", 31, "no duration", "720h"),
    ("at.hour in []", "rule_empty_list", 12, "at least one constant", None),
    # totality
    ("at.hour + 9223372036854775807 > 0", "rule_overflow", 9, "64 bits", "2^53"),
    ("member.visits * 1024 > 0", "rule_overflow", 15, "64 bits", "2^53"),
    ("-(-9223372036854775808) > 0", "rule_overflow", 1, "64 bits", "2^53"),
    ("at.hour in [9007199254740993]", "rule_overflow", 13, "beyond 2^53", None),
    ("activity.occurred_at + duration('9000000h') > member.enrolled_at", "rule_overflow", 22, "1 to 9999", "year 9000"),
    # size
    ("+".join(["at.hour"] * 33) + " > 0", "rule_too_deep", 1, "nests too deeply", "terms in a sum"),
    ("(" * 40 + "true" + ")" * 40, "rule_too_deep", 1, "nests too deeply", None),
    ("line.tags.exists(a, " * 26 + "true" + ")" * 26, "rule_too_deep", 1, "nests too deeply", None),
    (
        "line.tags.exists(a, line.tags.all(b, line.tags.exists(c, a == b)))",
        *("rule_too_deep", 48, "2 deep at most", None),
    ),
    ("true" + " " * TEXT_LONGEST, "rule_too_long", TEXT_LONGEST + 1, "at most 4000", None),
)


@pytest.mark.parametrize(("text", "code", "column", "message", "hint"), EXAMPLES)
def test_finding_names_what_is_wrong_and_where(
    text: str, code: str, column: int, message: str, hint: str | None
) -> None:
    first = findings(text)[0]
    assert (first.code, first.column) == (code, column), first
    assert message in first.message
    assert hint is None or hint in (first.hint or "")


MOVABLE = tuple(
    (text, code, column)
    for text, code, column, message, _ in EXAMPLES
    if code not in ("rule_too_long", "rule_too_deep", "rule_not_bool")
    and "empty" not in message
    and text.count("(") == text.count(")")
)


@pytest.mark.parametrize(("text", "code", "column"), MOVABLE)
def test_finding_keeps_its_place_behind_chinese_text_and_further_down(text: str, code: str, column: int) -> None:
    """Columns count code points: of 𝒳 there is one, though UTF-16 has two and UTF-8 four units for it."""
    lines_before = "'咖啡𝒳' != member.id &&\n\t// 注释\n"
    same_line = "('咖啡𝒳' != member.id) && ("
    first = findings(f"{lines_before}{same_line}{text})")[0]
    assert (first.code, first.line, first.column) == (code, 3, column + len(same_line)), first


def test_every_code_has_an_example() -> None:
    assert {code for _, code, *_ in EXAMPLES} | {"rule_no_lines"} == set(CODES)


def test_all_findings_are_reported_at_once_in_the_order_of_the_text() -> None:
    text = (
        "purchase.total == 30.00\n"
        "  && purchase.total > 30.005\n"
        "  && line.catgory == 'beans' && line.category == 'beans'\n"
        "  && at.weekday == 'monday' && member.id.matches('a')\n"
        "  && fob > at.hour / 2 && member.age == '3'"
    )
    assert [(each.line, each.column, each.code) for each in findings(text)] == [
        (1, 16, "rule_money_comparison"),
        (2, 23, "rule_money_precision"),
        (3, 11, "rule_unknown_field"),
        (3, 38, "rule_unguarded_optional"),
        (4, 20, "rule_unknown_value"),
        (4, 42, "rule_outside_subset"),
        (5, 6, "rule_unknown_name"),
        (5, 20, "rule_outside_subset"),
        (5, 34, "rule_unguarded_optional"),
        (5, 38, "rule_type_mismatch"),
    ]


def test_one_mistake_is_one_finding() -> None:
    for text in ("lin.sku == 'a' && true", "(line.catgory + 1) * 2 > 3", "size(lin.tags) > 1 ? lin.x : lin.y"):
        assert len({each.code for each in findings(text)}) == 1, findings(text)
    assert len(findings("lin.tags.exists(t, t == 3 && t.x && t.y > t.z)")) == 1


def test_no_more_findings_than_a_person_reads() -> None:
    assert len(findings(" && ".join(["fob == 1"] * 50))) == FINDINGS_MOST


def test_lines_are_named_only_where_each_line_is_asked() -> None:
    passes("line.amount > 0", scope="lines")
    only = findings("line.amount > 0", scope="condition")
    assert [(each.code, each.column) for each in only] == [("rule_unknown_name", 1)]
    assert "purchase.lines.exists(l," in (only[0].hint or "")
    # In a condition `line` is free to name an element.
    passes("purchase.lines.exists(line, line.amount > 0)", scope="condition")
    taken = findings("purchase.lines.exists(line, line.amount > 0)", scope="lines")
    assert [each.code for each in taken] == ["rule_name_taken"]


def test_purchase_is_named_only_in_rules_about_purchases() -> None:
    check_in = environment(has_purchase=False)
    assert [each.code for each in findings("purchase.total > 1", within=check_in, scope="condition")] == [
        "rule_unknown_name"
    ]
    assert [each.code for each in findings("true", within=check_in, scope="lines")] == ["rule_no_lines"]


def test_reads_names_every_path_whichever_object_it_is_read_from() -> None:
    rule = passes(
        "member.tier.membership == 'gold' && purchase.total >= 30.00 && has(line.category) && at.hour < 12"
        " && purchase.lines.exists(l, l.quantity > 1 && l.tags.exists(t, t in member.segments))"
        " && ['a'].all(x, x != member.id) && member.wallets.points.available > 0 && size(purchase.tenders) == 0"
    )
    assert rule.reads == {
        *("member.tier.membership", "member.segments", "member.id", "member.wallets.points.available"),
        *("purchase.total", "purchase.lines", "purchase.lines.quantity", "purchase.lines.tags", "purchase.tenders"),
        *("line.category", "at.hour"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "purchase.total >= 30.00 && member.tier.membership in ['silver', 'gold']",
        "30 <= purchase.total && -5.00 < line.amount",
        "line.quantity == 2 && line.quantity != 2.5 && line.quantity in [1, 2.5] && 3 > line.quantity",
        "line.ratio == 2 && line.ratio < member.ratio && line.ratio in [1, 2.25]",
        "at.date >= '2026-03-01' && at.date in ['2026-10-01'] && member.since < at.date",
        "activity.occurred_at < member.enrolled_at + duration('720h')",
        "activity.occurred_at >= timestamp('2026-03-01T00:00:00+08:00')",
        "(at.hour > 12 ? member.visits : 2 * member.counters.purchases) - 1 >= -3",
        "['decaf', 'beans'].exists(t, t in line.tags) && !('clearance' in line.tags)",
        "purchase.tenders.all(t, t.kind == 'points' ? t.amount < 10.00 : true)",
        "'\\u0000\\n\\'' != member.id && r'\\d' != member.id && '''a'b''' != member.id",
        "at.hour > 3 // after three.\n && at.minute < 30",
        "+".join(["at.hour"] * 25) + " > 0",
        " && ".join(["true"] * 400),
    ],
)
def test_language_holds_what_it_promises(text: str) -> None:
    passes(text)


@pytest.mark.parametrize(
    ("places", "fits", "breaks"), [(0, "30", "30.0"), (2, "30.05", "30.050"), (3, "1.005", "1.0050")]
)
def test_money_has_the_decimals_of_its_currency(places: int, fits: str, breaks: str) -> None:
    within = Environment.build(currency_places=places, tracks=(), wallets=(), has_purchase=True)
    passes(f"purchase.total >= {fits}", within=within)
    found = findings(f"purchase.total >= {breaks}", within=within)
    assert [each.code for each in found] == ["rule_money_precision"]
