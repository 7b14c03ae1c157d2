"""What purchases earn: exact amounts, what counts of them, and bonuses that never multiply each other."""

import pytest

from tests.api.harness import Json
from tests.scenarios.document import line, shop
from tests.scenarios.story import Tell

SILVER = """
membership:
  measure: {spent: net}
  tiers: [{id: member}, {id: silver, enter: "1000.00", multiply: {points: 1.25}}]
"""


def rate(points: str, per: str, more: str = "") -> str:
    return f'{{on: purchase, grant: {{wallet: points, points: {points}, per: "{per}"{more}}}}}'


# --- amounts ---


@pytest.mark.parametrize(
    ("currency", "amount", "per", "points"),
    [
        ("CNY", "19.99", "0.01", 1999),  # 19.99 x 100 is 1998.9999999999998 in binary
        ("CNY", "0.30", "0.10", 3),  # 0.1 + 0.2 is not 0.3 there, and 0.3 / 0.1 is 2.9999999999999996
        ("CNY", "1.1", "0.1", 11),
        ("CNY", "8.41", "0.29", 29),
        ("JPY", "1005", "1", 1005),  # no decimals
        ("JPY", "1005", "1000", 1),
        ("KWD", "1.005", "0.001", 1005),  # three decimals; 1.005 is 1.00499999999999989... in binary
        ("KWD", "1.005", "1", 1),
    ],
)
def test_amounts_are_exact_in_every_currency(tell: Tell, currency: str, amount: str, per: str, points: int) -> None:
    """Case 15."""
    here = tell(shop(base=rate("1", per), currency=currency))
    here.enrol("ann", at="2026-03-01")
    assert here.buy("ann", "o", amount, currency=currency, at="2026-03-02").granted("base") == points
    assert here.give_back("ann", "o").moved("available", "issuance") == points


def test_sums_of_lines_are_exact(tell: Tell) -> None:
    """Case 15."""
    cent_exact = "purchase.total >= 0.30 && purchase.total <= 0.30"
    here = tell(shop(campaigns=f"whole: {{on: purchase, when: {cent_exact}, grant: {{wallet: points, fixed: 5}}}}"))
    here.enrol("ann", at="2026-03-01")
    # 0.10 + 0.20 is exactly 0.30, and with 0.70 exactly 1.00: a point and not none.
    assert here.buy("ann", "o-1", "0.10", "0.20", at="2026-03-02").granted("whole") == 5
    assert here.buy("ann", "o-2", "0.10", "0.20", "0.70").granted("base") == 1


@pytest.mark.parametrize(
    ("currency", "amount", "code"),
    [
        ("CNY", "1.005", "invalid_amount"),  # more decimals than the currency has
        ("CNY", "1e-7", "invalid_amount"),
        ("CNY", "0.0000001", "invalid_amount"),
        ("JPY", "10.5", "invalid_amount"),
        ("KWD", "1.0005", "invalid_amount"),
        ("CNY", "-1.00", "negative_amount"),
        ("CNY", "NaN", "invalid_amount"),
        ("CNY", "1,00", "invalid_amount"),
        ("CNY", 1.1, "invalid"),  # a JSON number is binary for most who send it
    ],
)
def test_an_amount_that_the_currency_cannot_hold_is_invalid_and_leaves_nothing_behind(
    tell: Tell, currency: str, amount: Json, code: str
) -> None:
    """Case 15."""
    here = tell(shop(base=rate("1", "1"), currency=currency))
    here.enrol("ann", at="2026-03-01")
    sent = here.activity("ann", "purchase", {"order": "o", "lines": [{"line": "1", "amount": amount}]})
    assert here.malformed(sent) == [("/data/lines/0/amount", code)]
    here.buy("ann", "o", "10", id=str(sent["id"]))


def test_another_currency_than_the_programs_is_invalid(tell: Tell) -> None:
    """Case 15."""
    here = tell()
    here.enrol("ann", at="2026-03-01")
    data = {"order": "o", "currency": "USD", "lines": [{"line": "1", "amount": "10.00"}]}
    assert here.malformed(here.activity("ann", "purchase", data)) == [("/data/currency", "other_currency")]


def test_fields_of_an_activity_are_added_and_multiplied_as_decimals(tell: Tell) -> None:
    """Case 15."""
    recycled = "recycled: {on: custom.recycled, grant: {wallet: points, points: 3, of: activity.kilograms}}"
    here = tell(shop(campaigns=recycled, fields="custom.recycled: {kilograms: decimal}"))
    here.enrol("ann", at="2026-03-01")
    # 2.7 x 3 = 8.1; 0.333333 x 3 = 0.999999; 0.333334 x 3 = 1.000002.
    for kilograms, points in (("2.7", 8), ("0.333333", 0), ("0.333334", 1)):
        assert here.post("ann", "custom.recycled", {"kilograms": kilograms}).granted("recycled") == points
    sent = here.activity("ann", "custom.recycled", {"kilograms": "1e-7"})
    assert [pointer for pointer, _code in here.malformed(sent)] == ["/data/kilograms"]


# --- what counts ---


@pytest.mark.parametrize(("of", "points"), [("net", 20), ("gross", 25), ("net_of_tax", 17)])
def test_earning_is_on_the_gross_the_net_or_the_amount_without_tax(tell: Tell, of: str, points: int) -> None:
    """Case 20."""
    here = tell(shop(base=rate("1", "1.00", f", of: {of}")))
    here.enrol("ann", at="2026-03-01")
    # Paid 20.00, of which 2.30 is tax; 5.00 were taken off before: 20.00, 25.00, 17.70.
    bought = line("20.00", tax="2.30", discounts=[{"code": "d", "amount": "5.00"}])
    assert here.buy("ann", "o", bought, at="2026-03-02").granted("base") == points
    assert here.give_back("ann", "o").moved("available", "issuance") == points


def test_shipping_fees_and_gift_cards_earn_nothing_unless_the_program_counts_them(tell: Tell) -> None:
    """Case 20."""
    all_in = f"all_in: {rate('1', '1.00', ', but: [fee]')}"
    here = tell(shop(campaigns=all_in))
    here.enrol("ann", at="2026-03-01")
    lines = [line("10.00"), line("5.00", kind="shipping"), line("2.00", kind="fee"), line("100.00", kind="gift_card")]
    bought = here.buy("ann", "o", *lines, at="2026-03-02")
    # 10.00; and 10.00 + 5.00 + 100.00, the fee left out.
    assert (bought.granted("base"), bought.granted("all_in")) == (10, 115)


def test_a_quote_says_what_the_purchase_then_earns_and_writes_nothing(tell: Tell) -> None:
    """Case 20."""
    here = tell(shop("{pending: 7D}", tracks=SILVER))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "1000.00", at="2026-03-02")
    before = (here.journal("ann"), here.wallet("ann"))
    cart = (line("33.40", tax="3.00"), line("6.00", kind="shipping"))
    quoted = here.quote("ann", *cart)
    assert (here.journal("ann"), here.wallet("ann")) == before
    bought = here.buy("ann", "o-2", *cart)
    # 33 of base, and floor(33 x 0.25) = 8 for silver.
    assert quoted.entries == bought.entries == [("accrual", 33, "pending"), ("accrual", 8, "pending")]
    assert quoted.json["balances"] == bought.json["balances"]


# --- multipliers ---

HALF_AND_DOUBLE = """
half: {on: purchase, grant: {wallet: points, multiply: base, by: 1.5}}
double: {on: purchase, grant: {wallet: points, multiply: base, by: 2}}
"""


def test_multipliers_are_bonuses_over_the_rounded_base_and_never_multiply_each_other(tell: Tell) -> None:
    """Decision 1."""
    here = tell(shop(campaigns=HALF_AND_DOUBLE))
    here.enrol("ann", at="2026-03-01")
    bought = here.buy("ann", "o", "33.40", at="2026-03-02")
    # 33.40 is 33. x1.5 adds floor(33 x 0.5) = 16, x2 adds 33: 33 + 16 + 33 = 82, and not 33 x 3 = 99.
    assert (bought.granted("base"), bought.granted("half"), bought.granted("double")) == (33, 16, 33)
    assert here.points("ann") == (82, 0, 0, 0)


def test_a_tiers_multiplier_is_an_entry_of_its_own_over_the_base_alone(tell: Tell) -> None:
    """Decision 1."""
    here = tell(shop(campaigns=HALF_AND_DOUBLE, tracks=SILVER))
    here.enrol("ann", at="2026-03-01")
    here.buy("ann", "o-1", "1000.00", at="2026-03-02")
    bought = here.buy("ann", "o-2", "33.40")
    # Silver adds floor(33 x 0.25) = 8 over the base, and nothing over the other bonuses: 33 + 16 + 33 + 8.
    assert bought.granted("base", "membership.silver") == 8
    assert sum(points for _kind, points, _state in bought.entries) == 90
    (entry,) = [each for each in here.journal("ann") if each["rule"]]
    assert (entry["campaign"], entry["rule"], entry["points"], entry["version"]) == ("base", "membership.silver", 8, 1)


def test_a_multiplier_on_some_lines_is_over_what_the_base_gave_these_lines(tell: Tell) -> None:
    """Decision 1."""
    beans = """
    beans:
      on: purchase
      lines: has(line.category) && line.category == "beans"
      grant: {wallet: points, multiply: base, by: 2}
    """
    here = tell(shop(campaigns=beans))
    here.enrol("ann", at="2026-03-01")
    bought = here.buy("ann", "o", line("3.40", "beans"), line("6.60", "cups"), at="2026-03-02")
    # 10 of base, 3 and 7 by line: the beans add 3.
    assert (bought.granted("base"), bought.granted("beans")) == (10, 3)


def test_every_campaign_that_granted_nothing_says_why(tell: Tell) -> None:
    """Case 11."""
    campaigns = """
    big: {on: purchase, when: purchase.total >= 100.00, grant: {wallet: points, fixed: 1}}
    fees: {on: purchase, lines: line.kind == "fee", grant: {wallet: points, fixed: 1}}
    more: {on: purchase, grant: {wallet: points, multiply: big_rate, by: 2}}
    big_rate: {on: purchase, when: purchase.total >= 100.00, grant: {wallet: points, points: 1, per: "1.00"}}
    """
    here = tell(shop(campaigns=campaigns))
    here.enrol("ann", at="2026-03-01")
    bought = here.buy("ann", "o", "0.50", at="2026-03-02")
    told = here.explanation("ann", bought.json["id"])["campaigns"]
    assert {each["campaign"]: (each["code"], each["applied"]) for each in told} == {
        "base": ("nothing_to_grant", False),
        "big": ("condition_not_met", False),
        "fees": ("no_lines", False),
        "more": ("base_not_applied", False),
        "big_rate": ("condition_not_met", False),
    }
    assert all(each["text"]["en"] and each["text"]["zh-CN"] and each["says"] for each in told)
