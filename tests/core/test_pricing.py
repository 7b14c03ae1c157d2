"""Offers take off a cart what they say, on the lines they mean, never below a floor, and to the last unit of money.

What single offers come to is asserted from numbers worked out by hand; the laws hold for every cart; and a second,
naive reading that lays every piece on the counter one by one comes to the same.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from laurels.core.activity import Line
from laurels.core.money import QUANTITY_ONE, Rate, Rounding
from laurels.core.pricing import Appraisal, Bid, appraise, price, share
from laurels.core.program.offers_model import (
    AmountOff,
    Bundle,
    BundlePart,
    BuyGet,
    Floor,
    FreeItem,
    MoneyOffer,
    Nth,
    PercentOff,
    Price,
    Shipping,
    Step,
    Steps,
)
from laurels.core.rule.check import Rule

ANY = Rule("", "", frozenset())
HALF = Rate(1, 2)


def line(amount: int, pieces: int | str = 1, kind: str = "product", **fields: Any) -> Line:
    quantity = int(Decimal(pieces) * QUANTITY_ONE)
    return Line("", amount, quantity, None, None, (), 0, amount, kind, fields)


def bid(gives: MoneyOffer, cart: Sequence[Line], *parts: Sequence[bool], on: Sequence[int] | None = None) -> Bid:
    return Bid("x", gives, [on is None or n in on for n in range(len(cart))], parts)


def taken(
    gives: MoneyOffer, cart: Sequence[Line], *parts: Sequence[bool], on: Sequence[int] | None = None
) -> Appraisal:
    return appraise(cart, [each.amount for each in cart], bid(gives, cart, *parts, on=on))


# --- each sort of offer -----------------------------------------------------------------------------------------------


def test_an_amount_is_shared_in_proportion_by_largest_remainder() -> None:
    # 10.00 over 20.00, 10.00 and 1.00: 6.451, 3.225, 0.322; 645 + 322 + 32 = 999, the last goes to the largest rest.
    found = taken(AmountOff(1000), [line(2000), line(1000), line(100)])
    assert found.lines == (645, 323, 32)
    assert found.outcome == "applied"


def test_an_amount_larger_than_the_cart_takes_all_of_it_and_says_so() -> None:
    found = taken(AmountOff(5000), [line(2000), line(1000)])
    assert (found.outcome, found.wanted, found.lines) == ("trimmed", 5000, (2000, 1000))


def test_a_percentage_is_rounded_once_and_bounded() -> None:
    cart = [line(333), line(333), line(333)]
    assert taken(PercentOff(Rate(1, 10)), cart).given == 99  # 99.9, and not 3 x 33
    assert replace_round(PercentOff(Rate(1, 10)), cart, Rounding.HALF_UP).given == 100
    assert taken(PercentOff(HALF, 200), cart).lines == (67, 67, 66)


def replace_round(gives: MoneyOffer, cart: Sequence[Line], rounding: Rounding) -> Appraisal:
    return appraise(cart, [each.amount for each in cart], replace(bid(gives, cart), round=rounding))


def test_the_highest_step_counts_once_unless_it_repeats() -> None:
    steps = Steps((Step(10000, 1000), Step(30000, None, Rate(3, 20))))
    assert taken(steps, [line(9999)]).outcome == "below_threshold"
    assert taken(steps, [line(29999)]).given == 1000
    assert taken(steps, [line(30000)]).given == 4500
    every = Steps((Step(30000, 4000),), repeat=True)
    assert taken(every, [line(89999)]).given == 8000
    assert taken(every, [line(90000)]).given == 12000


def test_who_buys_two_gets_the_cheapest_third() -> None:
    cart = [line(3000, 2), line(900, 1)]
    assert taken(BuyGet(2), cart).lines == (0, 900)
    assert taken(BuyGet(2), cart[:1]).outcome == "too_few_pieces"
    # Seven pieces are two times three: the two cheapest are got, at half their price: 9.00 / 2 and 10.00 / 2.
    assert taken(BuyGet(2, 1, HALF), [line(6000, 6), line(900, 1)]).lines == (500, 450)


def test_pieces_got_may_be_on_other_lines_than_those_bought() -> None:
    cart = [line(3000, 3), line(800, 2)]
    assert taken(BuyGet(2, gets=ANY), cart, [False, True], on=[0]).lines == (0, 400)
    assert taken(BuyGet(1, gets=ANY), cart, [False, True], on=[0]).lines == (0, 800)


def test_every_second_piece_is_cheaper_counting_from_the_dearest() -> None:
    cart = [line(1000, 1), line(4000, 2), line(500, 1)]
    # 20, 20, 10, 5: the second and the fourth.
    assert taken(Nth(2, HALF), cart).lines == (0, 1000, 250)
    assert taken(Nth(2, None, 700), cart).lines == (0, 700, 500)
    assert taken(Nth(5, HALF), cart).outcome == "too_few_pieces"


def test_a_bundle_costs_its_price_as_often_as_it_is_whole() -> None:
    cart = [line(6000, 3), line(3000, 2), line(700)]
    bundle = Bundle((BundlePart(ANY), BundlePart(ANY)), 2500)
    parts = ([True, False, False], [False, True, False])
    found = taken(bundle, cart, *parts)
    # Twice 20.00 + 15.00 for 25.00 saves 20.00, shared 40 : 30.
    assert (found.given, found.lines) == (2000, (1143, 857, 0))
    assert taken(Bundle(bundle.parts, 3500), cart, *parts).outcome == "price_is_lower"
    assert taken(bundle, cart, parts[0], [False] * 3).outcome == "too_few_pieces"


def test_a_price_holds_where_it_is_lower() -> None:
    assert taken(Price(990), [line(3000, 3), line(980), line(2500, "2.5")]).lines == (30, 0, 25)
    assert taken(Price(1000), [line(3000, 3)]).outcome == "price_is_lower"


def test_free_items_are_the_dearest_that_may_be_free() -> None:
    cart = [line(1000, 2), line(900, 1)]
    assert taken(FreeItem(ANY, 2), cart, [True, True], on=[]).lines == (500, 900)


def test_shipping_is_reached_and_nothing_else() -> None:
    cart = [line(1000), line(1200, kind="shipping")]
    assert taken(Shipping(HALF), cart).lines == (0, 600)


def test_a_floor_keeps_its_share_and_its_cost() -> None:
    cart = [line(1000, cost=950), line(1000, cost=50)]
    wanted = bid(PercentOff(HALF), cart)
    assert appraise(cart, [1000, 1000], wanted).lines == (500, 500)
    assert appraise(cart, [1000, 1000], replace(wanted, floor=Floor(Rate(7, 10)))).lines == (300, 300)
    kept = appraise(cart, [1000, 1000], replace(wanted, floor=Floor(cost="cost")))
    assert (kept.outcome, kept.lines) == ("applied", (50, 950))  # what one line cannot give, the other gives
    low = appraise(cart, [1000, 1000], replace(wanted, floor=Floor(Rate(7, 10), "cost")))
    assert (low.outcome, low.wanted, low.lines) == ("trimmed", 1000, (50, 300))


def test_each_offer_works_on_what_earlier_ones_left() -> None:
    cart = [line(10000)]
    ten, half = bid(AmountOff(1000), cart), bid(PercentOff(HALF), cart)
    assert price(cart, [ten, half]).amounts == (4500,)
    assert price(cart, [half, ten]).amounts == (4000,)


def test_a_limit_trims_or_refuses() -> None:
    cart = [line(1000)]
    wanted = replace(bid(PercentOff(HALF), cart), most=300)
    assert appraise(cart, [1000], wanted) == Appraisal("x", "trimmed", 500, (300,), 300)
    assert appraise(cart, [1000], replace(wanted, refuse=True)) == Appraisal("x", "limit_reached", 500, (0,))


# --- laws -------------------------------------------------------------------------------------------------------------

AMOUNTS = st.integers(0, 50_000)
LINES = st.builds(
    line,
    AMOUNTS,
    st.sampled_from(["1", "2", "3", "7", "0.5", "2.5"]),
    st.sampled_from(["product", "product", "shipping"]),
    cost=AMOUNTS,
)
RATES = st.builds(Rate, st.integers(0, 20), st.just(20))
PIECES = st.integers(1, 4)
OFFERS: st.SearchStrategy[MoneyOffer] = st.one_of(
    st.builds(AmountOff, AMOUNTS),
    st.builds(PercentOff, RATES, st.none() | AMOUNTS),
    st.builds(lambda spend, off: Steps((Step(spend + 1, min(off, spend)),), True), AMOUNTS, AMOUNTS),
    st.builds(lambda spend, rate: Steps((Step(spend, None, rate),)), AMOUNTS, RATES),
    st.builds(BuyGet, PIECES, PIECES, RATES),
    st.builds(BuyGet, PIECES, PIECES, RATES, st.just(ANY)),
    st.builds(Nth, st.integers(2, 4), RATES),
    st.builds(Nth, st.integers(2, 4), st.none(), AMOUNTS),
    st.builds(Price, AMOUNTS),
    st.builds(FreeItem, st.just(ANY), PIECES),
    st.builds(Shipping, RATES),
    st.builds(lambda a, b, cost: Bundle((BundlePart(ANY, a), BundlePart(ANY, b)), cost), PIECES, PIECES, AMOUNTS),
)


@st.composite
def bids(draw: st.DrawFn, cart: Sequence[Line]) -> Bid:
    gives = draw(OFFERS)
    masks = st.lists(st.booleans(), min_size=len(cart), max_size=len(cart))
    several = 2 if isinstance(gives, Bundle) else 1
    is_parted = isinstance(gives, Bundle | FreeItem) or (isinstance(gives, BuyGet) and gives.gets is not None)
    parts = tuple(draw(masks) for _ in range(several)) if is_parted else ()
    floor = Floor(draw(RATES), draw(st.sampled_from([None, "cost"])))
    return Bid("x", gives, draw(masks), parts, floor, draw(st.sampled_from(Rounding)), draw(st.none() | AMOUNTS))


@st.composite
def carts(draw: st.DrawFn) -> tuple[list[Line], list[Bid]]:
    cart = draw(st.lists(LINES, min_size=1, max_size=5))
    return cart, draw(st.lists(bids(cart), min_size=1, max_size=4))


def least(each: Line, floor: Floor) -> Fraction:
    share_kept = each.amount * Fraction(floor.share.numerator, floor.share.denominator)
    return max(share_kept, Fraction(each.fields["cost"] if floor.cost else 0))


@settings(max_examples=250, deadline=None)
@given(carts())
def test_discounts_sum_to_the_lines_and_no_line_falls_below_zero_or_its_floor(
    case: tuple[list[Line], list[Bid]],
) -> None:
    cart, offers = case
    priced = price(cart, offers)
    gross = sum(each.amount for each in cart)
    assert gross - sum(priced.amounts) == sum(offer.given for offer in priced.offers)
    assert all(amount >= 0 for amount in priced.amounts)
    left = [each.amount for each in cart]
    for offer, found in zip(offers, priced.offers, strict=True):
        assert found.given <= found.wanted or found.given == 0
        assert offer.most is None or found.given <= offer.most
        for n, off in enumerate(found.lines):
            assert off >= 0
            assert off == 0 or left[n] - off >= least(cart[n], offer.floor)
            left[n] -= off
    assert tuple(left) == priced.amounts


@settings(max_examples=100, deadline=None)
@given(carts(), st.integers(0, 10_000))
def test_more_room_never_gives_less(case: tuple[list[Line], list[Bid]], more: int) -> None:
    cart, (offer, *_) = case
    left = [each.amount for each in cart]
    wide = replace(offer, most=None if offer.most is None else offer.most + more)
    assert appraise(cart, left, wide).given >= appraise(cart, left, offer).given
    bare = replace(offer, floor=Floor())
    assert appraise(cart, left, bare).given >= appraise(cart, left, offer).given


@settings(max_examples=100, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=5), RATES, RATES)
def test_a_larger_percentage_never_takes_less(cart: list[Line], one: Rate, other: Rate) -> None:
    low, high = sorted((one, other), key=lambda rate: Fraction(rate.numerator, rate.denominator))
    assert taken(PercentOff(high), cart).given >= taken(PercentOff(low), cart).given


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 1000)), min_size=1, max_size=6), st.data())
def test_sharing_fills_no_line_above_its_cap_and_hands_out_everything(
    lines: list[tuple[int, int]], data: st.DataObject
) -> None:
    weights, caps = zip(*lines, strict=True)
    total = data.draw(st.integers(0, sum(caps)))
    parts = share(total, weights, caps)
    assert sum(parts) == total
    assert all(0 <= part <= cap for part, cap in zip(parts, caps, strict=True))


# --- a second reading -------------------------------------------------------------------------------------------------


def laid_out(cart: Sequence[Line], selected: Sequence[bool]) -> list[tuple[Fraction, int]]:
    """Every whole piece with what it costs, the dearest first."""
    pieces = [
        (Fraction(each.amount * QUANTITY_ONE, each.quantity), n)
        for n, each in enumerate(cart)
        if selected[n]
        for _ in range(each.quantity // QUANTITY_ONE)
    ]
    return sorted(pieces, key=lambda piece: -piece[0])


def bundled(gives: Bundle, cart: Sequence[Line], offer: Bid) -> Fraction | None:
    worth, used = Fraction(0), list[int]()
    while True:
        value, now = Fraction(0), list(used)
        for part, mask in zip(gives.parts, offer.parts, strict=True):
            stock = laid_out(cart, mask)
            for n in now:
                piece = next((each for each in stock if each[1] == n), None)
                if piece is not None:
                    stock.remove(piece)
            if len(stock) < part.quantity:
                return worth or None
            value += sum((cost for cost, _ in stock[: part.quantity]), Fraction(0))
            now += [n for _, n in stock[: part.quantity]]
        if value <= gives.price:
            return worth or None
        worth, used = worth + value - gives.price, now


def naive(cart: Sequence[Line], offer: Bid) -> Fraction | None:
    """What an offer is worth before anything is rounded or bounded; None where it is not met."""
    gives = offer.gives
    meant = [each for n, each in enumerate(cart) if offer.selected[n]]
    total = Fraction(sum(each.amount for each in meant))
    match gives:
        case AmountOff():
            return Fraction(gives.amount)
        case PercentOff():
            part = total * Fraction(gives.percent.numerator, gives.percent.denominator)
            return part if gives.most is None else min(part, Fraction(gives.most))
        case Steps():
            worth = None
            for step in gives.steps:
                if total >= step.spend and step.percent is not None:
                    worth = total * Fraction(step.percent.numerator, step.percent.denominator)
                elif total >= step.spend:
                    spent, worth = total, Fraction(0)
                    while spent >= step.spend:
                        spent, worth = spent - step.spend, worth + (step.off or 0)
                        if not gives.repeat:
                            break
            return worth
        case BuyGet():
            other = offer.parts[0] if offer.parts else None
            counted = [s and not (other and other[n]) for n, s in enumerate(offer.selected)]
            pieces = laid_out(cart, counted)
            each = gives.buy + (0 if other else gives.get)
            cheap = laid_out(cart, other or offer.selected)[::-1][: len(pieces) // each * gives.get]
            rate = Fraction(gives.percent.numerator, gives.percent.denominator)
            return sum((worth * rate for worth, _ in cheap), Fraction(0)) if cheap else None
        case Nth():
            nth = laid_out(cart, offer.selected)[gives.n - 1 :: gives.n]
            if gives.percent is None or not nth:
                return None
            return sum((worth for worth, _ in nth), Fraction(0)) * Fraction(
                gives.percent.numerator, gives.percent.denominator
            )
        case FreeItem():
            return sum((worth for worth, _ in laid_out(cart, offer.parts[0])[: gives.quantity]), Fraction(0)) or None
        case Price():
            return sum(
                (max(each.amount - Fraction(gives.price * each.quantity, QUANTITY_ONE), Fraction(0)) for each in meant),
                Fraction(0),
            )
        case Shipping():
            ways = sum(each.amount for n, each in enumerate(cart) if offer.selected[n] and each.kind == "shipping")
            return ways * Fraction(gives.percent.numerator, gives.percent.denominator)
        case Bundle():
            return bundled(gives, cart, offer)
    raise AssertionError(gives)


@settings(max_examples=250, deadline=None)
@given(carts())
def test_a_naive_reading_that_lays_out_every_piece_wants_the_same(case: tuple[list[Line], list[Bid]]) -> None:
    cart, (offer, *_) = case
    found = appraise(cart, [each.amount for each in cart], offer)
    if isinstance(offer.gives, Nth) and offer.gives.percent is None:
        return
    if True not in offer.selected and not any(True in part for part in offer.parts):
        assert found.outcome == "no_lines"
        return
    worth = naive(cart, offer) or Fraction(0)
    # Rounded once, or once on each line.
    assert abs(found.wanted - worth) < len(cart) + 1


@pytest.mark.parametrize(
    "outcome", ["no_lines", "below_threshold", "too_few_pieces", "price_is_lower", "nothing_left", "limit_reached"]
)
def test_what_gives_nothing_says_why(outcome: str) -> None:
    cart = [line(1000)]
    offers = {
        "no_lines": bid(AmountOff(1), cart, on=[]),
        "below_threshold": bid(Steps((Step(1001, 1),)), cart),
        "too_few_pieces": bid(Nth(2, HALF), cart),
        "price_is_lower": bid(Price(1000), cart),
        "nothing_left": replace(bid(AmountOff(1), cart), floor=Floor(Rate(1, 1))),
        "limit_reached": replace(bid(AmountOff(1), cart), most=0),
    }
    found = appraise(cart, [1000], offers[outcome])
    assert (found.outcome, found.given) == (outcome, 0)
