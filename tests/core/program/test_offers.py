"""Offers are read as written, say what is wrong with them at its place, and stand in the schema."""

import pytest

from laurels.core.calendar import Zone
from laurels.core.money import Currency, Rate, Rounding
from laurels.core.program.document import parse
from laurels.core.program.finding import Notes
from laurels.core.program.frame import Frame
from laurels.core.program.grammar import FormOf
from laurels.core.program.model import Wallet
from laurels.core.program.offers import GIVES, OfferForm, resolve_offer
from laurels.core.program.offers_model import (
    AmountOff,
    Bundle,
    BuyGet,
    Floor,
    FreeItem,
    Multiplier,
    Nth,
    Offer,
    PercentOff,
    Points,
    Price,
    Shipping,
    Step,
    Steps,
)
from laurels.core.rule.environment import Field

MARK = "‸"


def resolved(text: str) -> tuple[Offer | None, list[tuple[str, int, int]]]:
    """The offer of a text, and the findings on it."""
    notes = Notes()
    frame = Frame(notes, Currency.of("CNY"), Zone("Asia/Shanghai"))
    frame.wallets["points"] = Wallet("points", {"en": "Points"})
    frame.fields["line"] = (Field("cost", "money"), Field("brand", "string"))
    root = parse(text, notes)
    assert root is not None
    form = FormOf(OfferForm).read(root, notes)
    offer = resolve_offer(form, frame) if form is not None else None
    return offer, [(each.code, each.line, each.column) for each in notes.findings()]


def given(text: str) -> Offer:
    offer, findings = resolved(text)
    assert findings == []
    assert offer is not None
    return offer


@pytest.mark.parametrize(
    ("gives", "expected"),
    [
        ('{off: "20.00"}', AmountOff(2000)),
        ("{percent: 12.5%}", PercentOff(Rate(1, 8))),
        ("{percent: 20%, most: 50}", PercentOff(Rate(1, 5), 5000)),
        ('{steps: {spend: "300", off: "40"}, repeat: true}', Steps((Step(30000, 4000),), True)),
        (
            "{steps: [{spend: 100, off: 10}, {spend: 300, percent: 15%}]}",
            Steps((Step(10000, 1000), Step(30000, None, Rate(3, 20)))),
        ),
        ("{buy: 2}", BuyGet(2)),
        ("{buy: 2, get: 2, percent: 50%}", BuyGet(2, 2, Rate(1, 2))),
        ("{nth: 2, percent: 50%}", Nth(2, Rate(1, 2))),
        ("{nth: 3, off: 5}", Nth(3, None, 500)),
        ('{price: "9.90"}', Price(990)),
        ("{shipping: 100%}", Shipping()),
        ("{multiply: points, by: 1.5}", Multiplier("points", Rate(3, 2))),
        ("{wallet: points, points: 50, new: product}", Points("points", 50, "product")),
    ],
)
def test_what_is_given_is_read_as_written(gives: str, expected: object) -> None:
    assert given(f"gives: {gives}\n").gives == expected


def test_conditions_of_what_is_given_are_checked_rules() -> None:
    bundle = given(
        """gives: {bundle: [{lines: 'line.line == "A"'}, {lines: 'line.line == "B"', quantity: 2}], price: 99}"""
    )
    assert isinstance(bundle.gives, Bundle)
    assert [(part.lines.text, part.quantity) for part in bundle.gives.parts] == [
        ('line.line == "A"', 1),
        ('line.line == "B"', 2),
    ]
    free = given("""gives: {free: 'line.line == "A"', quantity: 2}""").gives
    assert isinstance(free, FreeItem)
    assert (free.lines.text, free.quantity) == ('line.line == "A"', 2)
    got = given("""gives: {buy: 1, gets: 'line.line == "B"'}\nlines: 'line.line == "A"'""")
    assert isinstance(got.gives, BuyGet)
    assert got.gives.gets is not None
    assert got.lines is not None


def test_floor_and_rounding_are_part_of_the_offer() -> None:
    offer = given("gives: {percent: 50%}\nfloor: {share: 60%, cost: cost}\nround: half_up\n")
    assert offer.floor == Floor(Rate(3, 5), "cost")
    assert offer.round is Rounding.HALF_UP
    assert given("gives: {percent: 50%}\n").floor == Floor()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("missing_word", "‸lines: line.amount > 1.00\n"),
        ("missing_word", "gives: ‸{}\n"),
        ("unknown_word", "gives: {‸of: 1}\n"),
        ("contradiction", "gives: {shipping: 100%}\nlines: ‸line.amount > 1.00\n"),
        ("idle_word", "gives: {multiply: points, by: 2}\nfloor: ‸{share: 10%}\n"),
        ("unknown_wallet", "gives: {multiply: ‸miles, by: 2}\n"),
        ("unknown_wallet", "gives: {wallet: ‸miles, points: 2}\n"),
        ("idle_grant", "gives: {multiply: points, by: ‸1}\n"),
        ("idle_grant", "gives: {percent: ‸0%}\n"),
        ("bad_number", "gives: {off: ‸0}\n"),
        ("bad_money", "gives: {off: ‸0.001}\n"),
        ("bad_share", "gives: {percent: ‸120%}\n"),
        ("not_rising", "gives: {steps: [{spend: 300, off: 40}, {spend: ‸300, off: 50}]}\n"),
        ("contradiction", "gives: {steps: [‸{spend: 300, off: 40, percent: 10%}]}\n"),
        ("contradiction", "gives: {steps: [{spend: 30, off: ‸40}]}\n"),
        ("contradiction", "gives: {steps: [{spend: 300, percent: 40%}], repeat: ‸true}\n"),
        ("contradiction", "gives: ‸{nth: 2}\n"),
        ("bad_number", "gives: {nth: ‸1, percent: 50%}\n"),
        ("unknown_field", "gives: {percent: 5%}\nfloor: {cost: ‸costs}\n"),
        ("unknown_field", "gives: {percent: 5%}\nfloor: {cost: ‸brand}\n"),
        ("rule_unknown_field", "gives: {buy: 2, gets: line.‸colour == 1}\n"),
        ("rule_unknown_field", "gives: {bundle: [{lines: line.‸colour == 1}], price: 1}\n"),
    ],
)
def test_a_mistake_is_one_finding_at_its_place(code: str, text: str) -> None:
    before = text[: text.index(MARK)]
    place = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert resolved(text.replace(MARK, ""))[1] == [(code, *place)]


def test_every_sort_of_offer_is_told_apart_by_a_word_that_no_other_form_begins_with() -> None:
    marks = [name for form in GIVES.forms() for name in list(form.words)[:1]]
    assert len(marks) == len(set(marks)) == 11
