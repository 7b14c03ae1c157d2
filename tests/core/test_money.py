"""Money against exact fractions: what is read is what was written, and no division loses or invents anything."""

import re
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, trunc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from laurels.core.money import (
    CURRENCIES,
    QUANTITY_ONE,
    Currency,
    Rate,
    Rounding,
    allocate,
    ceil_div,
    divide,
    floor_div,
    format_minor,
    format_quantity,
    half_even_div,
    half_up_div,
    parse_minor,
    parse_quantity,
    quotient_of,
)

numerators = st.integers(-(10**20), 10**20) | st.integers(-30, 30)
denominators = st.integers(1, 10**12) | st.integers(1, 12)
amounts = st.integers(-(10**17), 10**17) | st.integers(-1000, 1000)
places = st.integers(0, 6)


# --- currencies ---


@pytest.mark.parametrize(
    ("code", "decimals"),
    (("CNY", 2), ("USD", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("BHD", 3), ("CLF", 4)),
)
def test_a_currency_has_the_decimals_of_iso_4217(code: str, decimals: int) -> None:
    assert Currency.of(code) == Currency(code, decimals)


def test_the_table_holds_every_active_currency_once() -> None:
    # ISO 4217 list one of 1 January 2026: 178 codes, of which 13 (metals, the SDR, test codes) have no minor unit.
    assert len(CURRENCIES) == 165
    assert all(re.fullmatch("[A-Z]{3}", code) and currency.code == code for code, currency in CURRENCIES.items())
    assert {currency.places for currency in CURRENCIES.values()} == {0, 2, 3, 4}
    # Replaced by others: the Bulgarian lev, the kuna, the Antillean guilder, the old Zimbabwean dollar, metals.
    assert not {"BGN", "HRK", "ANG", "ZWL", "DEM", "XAU", "XTS"} & CURRENCIES.keys()


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CURRENCIES["XTS"] = Currency("XTS", 2)  # type: ignore[index]  # that it is read-only is what is tested


@pytest.mark.parametrize(("code", "hint"), (("cny", "CNY"), (" usd", "USD"), ("EURO", "EUR"), ("CNYY", "CNY")))
def test_an_unknown_currency_is_refused_with_a_suggestion(code: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"is not an active ISO 4217 currency code; did you mean {hint}"):
        Currency.of(code)


def test_a_code_that_is_like_none_is_refused_without_a_suggestion() -> None:
    with pytest.raises(ValueError, match=r"^'\?\?\?' is not an active ISO 4217 currency code$"):
        Currency.of("???")


# --- reading and writing amounts ---


@pytest.mark.parametrize(
    ("text", "decimals", "expected"),
    (
        ("39.80", 2, 3980),
        ("39.8", 2, 3980),
        ("39", 2, 3900),
        ("0.00", 2, 0),
        ("-0.01", 2, -1),
        ("-39.80", 2, -3980),
        ("-0.00", 2, 0),
        ("007.50", 2, 750),
        ("1500", 0, 1500),
        ("-1500", 0, -1500),
        ("123456789012345", 0, 123456789012345),
        ("1.005", 3, 1005),
        ("12.5", 3, 12500),
        ("0.0001", 4, 1),
        ("999999999999999.99", 2, 99999999999999999),
        ("99999999999999.9999", 4, 999999999999999999),
    ),
)
def test_an_amount_is_read_exactly(text: str, decimals: int, expected: int) -> None:
    assert parse_minor(text, decimals) == expected


@pytest.mark.parametrize(
    ("text", "decimals", "message"),
    (
        *(
            (text, 2, "is not a decimal number")
            for text in ("", "-", ".", "1.", ".5", "-.5", "+1", "--1", "1-", "1.-5")
        ),
        *(
            (text, 2, "is not a decimal number")
            for text in ("1e-7", "1E2", "1e400", "NaN", "Infinity", "0x10", "1_000")
        ),
        *((text, 2, "is not a decimal number") for text in ("1,50", "1 000", " 1", "1 ", "1.00\n", "1.2.3", "1..2")),
        # Digits, but not 0 to 9: fullwidth, Arabic, superscript; and a minus that is not the hyphen.
        *((text, 2, "is not a decimal number") for text in ("１.００", "٣.٠٠", "1.0²", "39.８0", "\u22121.00")),
        ("1.005", 2, "has 3 decimals, at most 2 decimals are allowed"),
        ("0.0000001", 2, "has 7 decimals"),
        ("19.990", 2, "has 3 decimals"),
        ("100.0", 0, "has 1 decimals, no decimals are allowed"),
        ("100.", 0, "is not a decimal number"),
        ("１００", 0, "is not a decimal number"),
        ("1234567890123456", 0, "has 16 digits"),
        ("1.0005", 3, "has 4 decimals"),
        ("1234567890123456", 2, "has 16 digits before the point, at most 15 are allowed"),
        ("0000000000000001.00", 2, "has 16 digits"),
        ("1000000000000000.00", 2, "has 16 digits"),
        ("123456789012345.0000", 4, "has 15 digits before the point, at most 14 are allowed"),
    ),
)
def test_an_amount_that_is_not_exact_is_refused(text: str, decimals: int, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{text!r} {message}")):
        parse_minor(text, decimals)


def test_a_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(ValueError, match="are allowed") as caught:
        parse_minor("9" * 100_000, 2)
    assert len(str(caught.value)) < 200


@given(amounts, places)
@settings(max_examples=200, deadline=None)
def test_a_written_amount_is_read_back(amount: int, decimals: int) -> None:
    text = format_minor(amount, decimals)
    assert Decimal(text) == Decimal(amount).scaleb(-decimals)
    assert len(text.partition(".")[2]) == decimals
    if len(text.partition(".")[0].lstrip("-")) <= min(15, 18 - decimals):
        assert parse_minor(text, decimals) == amount


@given(
    st.text(alphabet="0123456789.-+eE_ ９²", max_size=8)
    | st.from_regex(r"-?[0-9]{1,17}(\.[0-9]{1,7})?", fullmatch=True),
    places,
)
@settings(max_examples=500, deadline=None)
def test_an_amount_is_read_if_and_only_if_it_has_the_form(text: str, decimals: int) -> None:
    fraction = rf"(\.[0-9]{{1,{decimals}}})?" if decimals else ""
    if re.fullmatch(rf"-?[0-9]{{1,{min(15, 18 - decimals)}}}{fraction}", text):
        assert parse_minor(text, decimals) == int(Decimal(text).scaleb(decimals))
    else:
        with pytest.raises(ValueError, match=r"allowed|decimal number"):
            parse_minor(text, decimals)


def test_amounts_are_written_with_the_decimals_of_the_currency() -> None:
    assert [format_minor(1999, decimals) for decimals in (0, 2, 3, 4)] == ["1999", "19.99", "1.999", "0.1999"]
    assert [format_minor(amount, 2) for amount in (0, 1, -1, 10, 100, -100)] == [
        *("0.00", "0.01", "-0.01", "0.10", "1.00", "-1.00")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ("2", 2_000_000),
        ("0.125", 125_000),
        ("0.000001", 1),
        ("-1.5", -1_500_000),
        ("0", 0),
        ("12345678901", 12_345_678_901_000_000),
        ("999999999999.999999", 10**18 - 1),
    ),
)
def test_a_quantity_is_read_in_millionths(text: str, expected: int) -> None:
    assert parse_quantity(text) == expected
    assert format_quantity(expected) == text


@pytest.mark.parametrize(
    "text", ("", "1e3", "1e-7", "0.0000001", "1.0000000", "1000000000000", "２", "²", "+2", "2.", "x")
)
def test_a_quantity_that_is_not_exact_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"allowed|decimal number"):
        parse_quantity(text)


@given(st.integers(-(10**18) + 1, 10**18 - 1) | st.integers(-3000, 3000).map(lambda n: n * QUANTITY_ONE))
@settings(max_examples=200, deadline=None)
def test_a_written_quantity_is_the_shortest_that_is_read_back(quantity: int) -> None:
    text = format_quantity(quantity)
    assert parse_quantity(text) == quantity
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]*[1-9])?", text)


def test_scaled_values_fit_64_bits() -> None:
    assert parse_quantity("999999999999.999999") < 2**63
    for currency in CURRENCIES.values():
        digits = min(15, 18 - currency.places)
        assert (
            parse_minor("9" * digits + (f".{'9' * currency.places}" if currency.places else ""), currency.places)
            < 2**63
        )


# --- divisions ---


@pytest.mark.parametrize(
    ("numerator", "down", "up", "half_up", "half_even"),
    (
        (7, 3, 4, 4, 4),
        (5, 2, 3, 3, 2),
        (1, 0, 1, 1, 0),
        (0, 0, 0, 0, 0),
        (4, 2, 2, 2, 2),
        (-1, 0, -1, -1, 0),
        (-5, -2, -3, -3, -2),
        (-7, -3, -4, -4, -4),
    ),
)
def test_halves_are_rounded_as_stated(numerator: int, down: int, up: int, half_up: int, half_even: int) -> None:
    assert divide(numerator, 2, Rounding.DOWN) == down
    assert divide(numerator, 2, Rounding.UP) == up
    assert divide(numerator, 2, Rounding.HALF_UP) == half_up == half_up_div(numerator, 2)
    assert divide(numerator, 2, Rounding.HALF_EVEN) == half_even == half_even_div(numerator, 2)


@given(numerators, denominators)
@settings(max_examples=400, deadline=None)
def test_each_division_is_the_exact_quotient_rounded_as_its_name_says(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    away = 1 if exact > 0 else -1
    assert floor_div(numerator, denominator) == floor(exact)
    assert ceil_div(numerator, denominator) == ceil(exact)
    assert half_up_div(numerator, denominator) == away * floor(abs(exact) + Fraction(1, 2))
    assert half_even_div(numerator, denominator) == round(exact)
    assert divide(numerator, denominator, Rounding.DOWN) == trunc(exact)
    assert divide(numerator, denominator, Rounding.UP) == away * ceil(abs(exact))
    assert divide(numerator, denominator, Rounding.HALF_UP) == half_up_div(numerator, denominator)
    assert divide(numerator, denominator, Rounding.HALF_EVEN) == half_even_div(numerator, denominator)


@given(numerators, denominators, st.sampled_from(Rounding))
@settings(max_examples=200, deadline=None)
def test_taking_back_mirrors_giving(numerator: int, denominator: int, rounding: Rounding) -> None:
    assert divide(-numerator, denominator, rounding) == -divide(numerator, denominator, rounding)


@pytest.mark.parametrize("denominator", (0, -1))
def test_a_denominator_that_is_not_positive_is_refused(denominator: int) -> None:
    for division in (floor_div, ceil_div, half_up_div, half_even_div):
        with pytest.raises(ValueError, match="denominator must be positive"):
            division(1, denominator)
    for rounding in Rounding:
        with pytest.raises(ValueError, match="denominator must be positive"):
            divide(1, denominator, rounding)
    with pytest.raises(ValueError, match="denominator must be positive"):
        Rate(1, denominator)


# --- allocation ---


def largest_remainder(total: int, weights: list[int]) -> tuple[int, ...]:
    """The method as the textbook has it, in fractions."""
    sign, size = (-1, -total) if total < 0 else (1, total)
    if not any(weights):
        weights = [1] * len(weights)
    quotas = [Fraction(size * weight, sum(weights)) for weight in weights]
    parts = [floor(quota) for quota in quotas]
    by_remainder = sorted(range(len(weights)), key=lambda index: (parts[index] - quotas[index], index))
    for index in by_remainder[: size - sum(parts)]:
        parts[index] += 1
    return tuple(sign * part for part in parts)


weights_lists = st.lists(st.integers(0, 10**9) | st.integers(0, 5), min_size=1, max_size=20)


@given(amounts, weights_lists)
@settings(max_examples=500, deadline=None)
def test_parts_sum_to_the_total_and_follow_the_largest_remainders(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)
    assert sum(parts) == total
    assert parts == largest_remainder(total, weights)
    assert allocate(-total, weights) == tuple(-part for part in parts)
    for part, weight in zip(parts, weights, strict=True):
        assert part * total >= 0
        if any(weights):
            assert abs(part * sum(weights) - total * weight) < sum(weights)
            assert weight or not part


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    (
        (37, (1990, 1000, 990), (19, 9, 9)),  # 18.50, 9.30, 9.20: the first has the largest remainder
        (10, (1, 1, 1), (4, 3, 3)),
        (11, (1, 1, 1), (4, 4, 3)),
        (-10, (1, 1, 1), (-4, -3, -3)),
        (100, (1,), (100,)),
        (100, (0,), (100,)),
        (5, (0, 7, 0), (0, 5, 0)),
        (5, (0, 0), (3, 2)),
        (-5, (0, 0), (-3, -2)),
        (1, (0, 1, 1), (0, 1, 0)),
        (0, (3, 4), (0, 0)),
        (2, (1, 1, 1, 1), (1, 1, 0, 0)),
        (0, (), ()),
        (3, [2, 1], (2, 1)),
    ),
)
def test_a_total_is_allocated_like_this(total: int, weights: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert allocate(total, weights) == expected


@pytest.mark.parametrize("weights", ((1, -1), (-1, 1), (-1,), (3, -1), (-3, 1), (-1, -1)))
@pytest.mark.parametrize("total", (5, 0, -5))
def test_a_negative_weight_is_refused(total: int, weights: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="weight must not be negative"):
        allocate(total, weights)


def test_something_cannot_be_allocated_to_nobody() -> None:
    for total in (1, -1):
        with pytest.raises(ValueError, match="nobody"):
            allocate(total, ())


def test_allocating_leaves_the_weights_alone() -> None:
    weights = [0, 0, 0]
    allocate(7, weights)
    assert weights == [0, 0, 0]


# --- rates ---


def test_a_rate_is_an_exact_ratio_in_lowest_terms() -> None:
    assert Rate.of(Decimal("1.25")) == Rate(5, 4)
    assert Rate.of(2) == Rate(2, 1)
    assert Rate.of(Decimal("1.250")) == Rate.of(Decimal("1.25"))
    # 1.25 points per 1.00: per fen, per yen, per fils.
    assert Rate.per(Decimal("1.25"), Decimal("1.00"), 2) == Rate(1, 80)
    assert Rate.per(1, 100, 0) == Rate(1, 100)
    assert Rate.per(1, Decimal("0.250"), 3) == Rate(1, 250)
    assert Rate.per(0, 1, 2) == Rate(0, 1)


def test_a_binary_float_is_no_rate() -> None:
    with pytest.raises(TypeError, match="not float"):
        Rate.of(1.25)  # type: ignore[arg-type]  # that it is refused at run time is what is tested
    with pytest.raises(TypeError, match="not float"):
        Rate.per(1, 0.1, 2)  # type: ignore[arg-type]  # the same
    with pytest.raises(TypeError, match="not bool"):
        Rate.of(True)


@pytest.mark.parametrize("value", ("NaN", "sNaN", "Infinity", "-Infinity"))
def test_a_number_that_is_not_finite_is_no_rate(value: str) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        Rate.of(Decimal(value))


@pytest.mark.parametrize("amount", ("0", "-1", "0.00"))
def test_points_are_granted_per_a_positive_amount(amount: str) -> None:
    with pytest.raises(ValueError, match="per a positive amount"):
        Rate.per(1, Decimal(amount), 2)


@given(
    amounts,
    st.decimals(0, 1000, places=4),
    st.decimals(Decimal("0.0001"), 1000, places=4),
    places,
    st.sampled_from(Rounding),
)
@example(10**17 - 1, Decimal(1), Decimal(1), 0, Rounding.DOWN)
@settings(max_examples=300, deadline=None)
def test_points_are_the_exact_product_rounded_once(
    amount: int, points: Decimal, per: Decimal, decimals: int, rounding: Rounding
) -> None:
    exact = Fraction(amount, 10**decimals) * Fraction(points) / Fraction(per)
    rate = Rate.per(points, per, decimals)
    size = abs(exact)
    rounded = {
        Rounding.DOWN: floor(size),
        Rounding.UP: ceil(size),
        Rounding.HALF_UP: floor(size + Fraction(1, 2)),
        Rounding.HALF_EVEN: round(size),
    }[rounding]
    assert divide(amount * rate.numerator, rate.denominator, rounding) == (rounded if exact >= 0 else -rounded)


# --- cases from the field ---


def earned(amount: int, rate: Rate, rounding: Rounding) -> int:
    """What an amount comes to at a rate, divided as a campaign's grant is."""
    return quotient_of(rounding)(amount * rate.numerator, rate.denominator)


def test_19_99_times_100_is_1999_points() -> None:
    # In binary floating point, 19.99 * 100 is 1998.9999999999998 and rounds down to 1998.
    amount = parse_minor("19.99", Currency.of("CNY").places)
    for rounding in Rounding:
        assert earned(amount, Rate.per(100, Decimal("1.00"), 2), rounding) == 1999


def test_0_1_plus_0_2_is_0_3() -> None:
    total = parse_minor("0.1", 2) + parse_minor("0.2", 2)
    assert total == parse_minor("0.3", 2)
    assert format_minor(total, 2) == "0.30"
    assert earned(total, Rate.per(10, 1, 2), Rounding.DOWN) == 3


def test_1_005_is_refused_in_yuan_and_exact_in_dinars() -> None:
    with pytest.raises(ValueError, match="has 3 decimals"):
        parse_minor("1.005", Currency.of("CNY").places)
    amount = parse_minor("1.005", Currency.of("KWD").places)
    # 1.005 x 100 is 100.5 points; as a binary float it is 100.49999999999999 and rounds to 100.
    assert earned(amount, Rate.per(100, 1, 3), Rounding.HALF_UP) == 101
    assert earned(amount, Rate.per(100, 1, 3), Rounding.HALF_EVEN) == 100


def test_an_exponent_is_refused_everywhere() -> None:
    for decimals in range(8):
        with pytest.raises(ValueError, match="is not a decimal number"):
            parse_minor("1e-7", decimals)
    with pytest.raises(ValueError, match="is not a decimal number"):
        parse_quantity("1e-7")


def test_yen_have_no_decimals_and_dinars_three() -> None:
    assert parse_minor("1500", Currency.of("JPY").places) == 1500
    with pytest.raises(ValueError, match="no decimals are allowed"):
        parse_minor("1500.00", Currency.of("JPY").places)
    # A point per 100 yen on 1,990 yen; two points per dinar on 12.750 dinars.
    assert earned(1990, Rate.per(1, 100, 0), Rounding.DOWN) == 19
    assert earned(12_750, Rate.per(2, Decimal("1.000"), 3), Rounding.DOWN) == 25
