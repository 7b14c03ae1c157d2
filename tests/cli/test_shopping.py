"""The demo's data: every line of every basket becomes part of an activity, and what is odd is counted exactly."""

import datetime
import zoneinfo
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from laurels.cli import shopping
from laurels.cli.shopping import Shopping, data_directory, read_shopping

polars = pytest.importorskip("polars")

EVERY = 40
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def raw() -> Any:
    """The lines as the package has them."""
    try:
        directory = data_directory()
    except shopping.NoShoppingData:
        pytest.skip("the extra demo is not installed")
    return polars.read_parquet(directory / "transactions.parquet")


@pytest.fixture(scope="module")
def some(raw: Any) -> Shopping:
    """The year of every fortieth household."""
    return read_shopping(data_directory(), every=EVERY)


def purchases(read: Shopping) -> dict[str, Any]:
    found = {}
    for shaped in read.stream(0):
        assert shaped.submission is not None
        if shaped.submission.type == "purchase":
            found[shaped.submission.id] = (shaped.submission, msgspec.json.decode(shaped.submission.data))
    return found


def test_instants_in_the_data_are_utc(raw: Any) -> None:
    """Its weeks, numbered from Monday to Sunday, change at midnight in New York only when its instants are UTC."""

    def week(naive: datetime.datetime, zone: datetime.tzinfo) -> int:
        local = naive.replace(tzinfo=zone).astimezone(NEW_YORK)
        return (local.date() - datetime.date(2016, 12, 26)).days // 7 + 1

    rows = raw.select("week", "transaction_timestamp").unique().iter_rows()
    instants = [(number, naive) for number, naive in rows]
    assert all(week(naive, datetime.UTC) == number for number, naive in instants)
    # Read as New York's own time, thousands of them lie in another week.
    assert sum(week(naive, NEW_YORK) != number for number, naive in instants) > 1000


def test_every_line_goes_in_with_what_was_paid_for_it(raw: Any, some: Shopping) -> None:
    mine = raw.filter(polars.col("household_id") % EVERY == 1)
    baskets = purchases(some)
    expected: dict[str, list[tuple[str, Decimal, Decimal]]] = {}
    for row in mine.iter_rows(named=True):
        paid = Decimal(repr(row["sales_value"])).quantize(Decimal("0.01"))
        off = Decimal(repr(row["retail_disc"])) + Decimal(repr(row["coupon_match_disc"]))
        expected.setdefault(str(row["basket_id"]), []).append((str(row["product_id"]), paid, off))
    assert some.quirks.lines == mine.height
    assert baskets.keys() == expected.keys()
    for id, (submission, data) in baskets.items():
        assert submission.member == str(mine.filter(polars.col("basket_id") == int(id))["household_id"][0])
        lines = [
            (line["sku"], Decimal(line["amount"]), sum(Decimal(each["amount"]) for each in line.get("discounts", ())))
            for line in data["lines"]
        ]
        assert lines == expected[id]
        assert [line["line"] for line in data["lines"]] == [str(n) for n in range(1, len(lines) + 1)]
        if "tenders" in data:
            paid_in_all = sum(Decimal(tender["amount"]) for tender in data["tenders"])
            assert paid_in_all == sum(amount for _, amount, _ in lines)


def test_a_household_enrols_with_its_first_basket_and_all_is_in_the_order_of_time(some: Shopping) -> None:
    seen: set[str] = set()
    last = 0
    for shaped in some.stream(0):
        sent = shaped.submission
        assert sent is not None
        assert sent.occurred_at >= last
        last = sent.occurred_at
        if sent.type == "enrol":
            assert sent.member not in seen
            seen.add(sent.member)
        assert sent.member in seen
    assert len(seen) == some.quirks.households
    assert last == some.ends_at


def test_a_stream_can_begin_in_the_middle(some: Shopping) -> None:
    assert list(some.stream(100)) == list(some.stream(0))[100:]
    assert some.activities == some.quirks.households + some.quirks.baskets


def test_gasoline_comes_in_gallons(raw: Any, some: Shopping) -> None:
    quantities = [
        (Decimal(line["quantity"]), Decimal(line["amount"]))
        for _, data in purchases(some).values()
        for line in data["lines"]
        if "." in line.get("quantity", "")
    ]
    assert len(quantities) == some.quirks.gasoline > 0
    assert all(Decimal("1.2") < amount / gallons < 4 for gallons, amount in quantities if gallons > 1)


def test_what_is_odd_is_counted_over_the_whole_year(raw: Any) -> None:
    quirks = read_shopping(data_directory()).quirks
    assert quirks == shopping.Quirks(
        households=2469,
        baskets=155_848,
        lines=1_469_307,
        without_demographics=1668,
        unknown_products=4836,
        coupon_lines=4804,
        zero_quantity=8869,
        zero_amount=11_246,
        zero_baskets=478,
        gasoline=13_509,
        dust=20,
        coupon_baskets=9827,
        coupons_capped=19,
        on_new_year=86,
    )
