"""Baskets as purchases: the tables of the demo's data put together as activities, in Polars alone.

Lines become JSON by expressions over columns, so that Python touches a household and never a line. It is imported by
`shopping` when the demo runs, because Polars is an optional extra.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from laurels.cli.shopping import Quirks, Shopping

_GASOLINE_IN_THOUSANDTHS: Final = 100
"""From this quantity on, gasoline is given in thousandths of a gallon: then it costs 2.40 dollars a gallon."""


_ATTRIBUTES: Final = (
    "age",
    "income",
    "home_ownership",
    "marital_status",
    "household_size",
    "household_comp",
    "kids_count",
)


def read_shopping(directory: Path, every: int) -> Shopping:
    """The data as activities: the whole year of every household, or of every so many-th one."""
    lines = _lines(directory, every)
    baskets = pl.concat([_baskets(part) for part in _parts(lines)])
    households = _enrolments(directory, baskets)
    quirks = _quirks(lines, baskets, households)
    purchases = baskets.select(
        pl.col("basket").alias("id"), pl.lit("purchase").alias("type"), pl.col("member"), pl.col("at"), pl.col("data")
    )
    frame = pl.concat([households.drop("known"), purchases]).sort(
        # A household enrols at the till and then pays: "enrol" comes before "purchase".
        ["at", "type"],
        maintain_order=True,
    )
    last = baskets["at"].max()
    assert isinstance(last, int)
    return Shopping(frame, quirks, last)


def _lines(directory: Path, every: int) -> pl.DataFrame:
    """All lines in the order of time and basket, as numbers."""
    products = pl.scan_parquet(directory / "products.parquet").select(
        pl.col("product_id").alias("sku"),
        "department",
        pl.col("product_type").str.starts_with("GASOLINE").fill_null(value=False).alias("is_gasoline"),
    )
    lines = pl.scan_parquet(directory / "transactions.parquet")
    if every > 1:
        lines = lines.filter(pl.col("household_id") % every == 1)
    joined = (
        lines.select(
            pl.col("household_id").cast(pl.Int32).alias("household"),
            pl.col("store_id").cast(pl.Int32).alias("store"),
            pl.col("basket_id").alias("basket"),
            pl.col("product_id").alias("sku"),
            pl.col("quantity").cast(pl.Int32),
            *(_cents(pl.col(name)).alias(name) for name in _MONEY),
            _is_dusty().alias("is_dusty"),
            pl.col("transaction_timestamp").dt.epoch("us").alias("at"),
        )
        .sort("at", "basket", maintain_order=True)
        .join(products, on="sku", how="left", maintain_order="left")
        .with_columns(
            (pl.col("is_gasoline").fill_null(value=False) & (pl.col("quantity") >= _GASOLINE_IN_THOUSANDTHS)).alias(
                "is_in_thousandths"
            )
        )
        .drop("is_gasoline")
        .collect()
    )
    known = joined["department"].unique().drop_nulls().to_list()
    quoted = {name: json.dumps(name, ensure_ascii=False) for name in known}
    return joined.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("basket").alias("number"),
        pl.col("department").replace_strict(quoted, default=None, return_dtype=pl.Categorical).alias("category"),
    ).drop("department")


def _parts(lines: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The lines, some baskets at a time: as JSON they are large."""
    starts = lines.with_row_index().filter(pl.col("number") == 1)["index"].to_list()[::_BASKETS_AT_ONCE]
    for start, end in zip(starts, [*starts[1:], lines.height], strict=True):
        yield lines.slice(start, end - start)


_BASKETS_AT_ONCE: Final = 20_000
_MONEY: Final = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")


def _cents(amount: pl.Expr) -> pl.Expr:
    return (amount * 100).round().cast(pl.Int32)


def _is_dusty() -> pl.Expr:
    """Whether the amount is no whole number of cents, by what binary arithmetic left on it."""
    # As text: dividing here would leave dust of its own.
    return ~pl.col("sales_value").cast(pl.String).str.contains(r"^[0-9]+(\.[0-9]{1,2})?$")


def _dollars(cents: pl.Expr) -> pl.Expr:
    return pl.concat_str((cents // 100).cast(pl.String), pl.lit("."), (cents % 100).cast(pl.String).str.zfill(2))


def _optional(condition: pl.Expr, *parts: Any) -> pl.Expr:
    return (
        pl.when(condition)
        .then(pl.concat_str(*(pl.lit(p) if isinstance(p, str) else p for p in parts)))
        .otherwise(pl.lit(""))
    )


def _line() -> pl.Expr:
    """A line of a basket in JSON.

    What the shop receives is the amount; its own card's discount and its match of a coupon were taken off before.
    """
    quantity = pl.col("quantity")
    card, match = pl.col("retail_disc"), pl.col("coupon_match_disc")
    return pl.concat_str(
        pl.lit('{"line":"'),
        pl.col("number").cast(pl.String),
        pl.lit('","sku":"'),
        pl.col("sku").cast(pl.String),
        pl.lit('"'),
        _optional(pl.col("category").is_not_null(), ',"category":', pl.col("category").cast(pl.String)),
        pl.when(pl.col("is_in_thousandths"))
        .then(
            pl.concat_str(
                pl.lit(',"quantity":"'),
                (quantity // 1000).cast(pl.String),
                pl.lit("."),
                (quantity % 1000).cast(pl.String).str.zfill(3),
                pl.lit('"'),
            )
        )
        .otherwise(_optional(quantity != 1, ',"quantity":"', quantity.cast(pl.String), '"')),
        pl.lit(',"amount":"'),
        _dollars(pl.col("sales_value")),
        pl.lit('"'),
        _optional(
            (card > 0) | (match > 0),
            ',"discounts":[',
            _optional(card > 0, '{"code":"card","amount":"', _dollars(card), '"}'),
            _optional((card > 0) & (match > 0), ","),
            _optional(match > 0, '{"code":"coupon_match","amount":"', _dollars(match), '"}'),
            "]",
        ),
        pl.lit("}"),
    )


def _baskets(lines: pl.DataFrame) -> pl.DataFrame:
    return (
        lines.with_columns(_line().alias("json"))
        .group_by("basket", maintain_order=True)
        .agg(
            pl.col("household").first().cast(pl.String).alias("member"),
            pl.col("store").first().cast(pl.String),
            pl.col("at").first(),
            pl.col("sales_value").sum().alias("total"),
            pl.col("coupon_disc").sum().alias("coupons"),
            pl.col("json").str.join(",").alias("json"),
        )
        .with_columns(pl.col("basket").cast(pl.String))
        .with_columns(_purchase().alias("data"))
        .drop("json", "store")
    )


def _purchase() -> pl.Expr:
    """A basket's data in JSON. A manufacturer's coupon, no voucher of the program, pays for part or all of it."""
    total = pl.col("total")
    coupons = pl.min_horizontal(pl.col("coupons"), total)
    return pl.concat_str(
        pl.lit('{"order":"'),
        pl.col("basket"),
        pl.lit('","currency":"USD","store":"'),
        pl.col("store"),
        pl.lit('","channel":"store","lines":['),
        pl.col("json"),
        pl.lit("]"),
        _optional(
            coupons > 0,
            ',"tenders":[{"kind":"voucher","amount":"',
            _dollars(coupons),
            '"}',
            _optional(coupons < total, ',{"kind":"cash","amount":"', _dollars(total - coupons), '"}'),
            "]",
        ),
        pl.lit("}"),
    )


def _enrolments(directory: Path, baskets: pl.DataFrame) -> pl.DataFrame:
    """Households join at the till, with their first basket; what is known of 801 of them becomes attributes."""
    known: dict[str, dict[str, str]] = {
        str(row["household_id"]): {name: row[name] for name in _ATTRIBUTES if row[name] is not None}
        for row in pl.read_parquet(directory / "demographics.parquet").iter_rows(named=True)
    }
    first = baskets.group_by("member", maintain_order=True).agg(pl.col("at").min())
    members = first["member"].to_list()
    data = [
        json.dumps({"attributes": known[member]}, separators=(",", ":")) if member in known else "{}"
        for member in members
    ]
    return first.select(
        pl.concat_str(pl.lit("enrol-"), "member").alias("id"),
        pl.lit("enrol").alias("type"),
        "member",
        "at",
        pl.Series("data", data),
        pl.Series("known", [member in known for member in members]),
    )


def _quirks(lines: pl.DataFrame, baskets: pl.DataFrame, households: pl.DataFrame) -> Quirks:
    def count(condition: pl.Expr, frame: pl.DataFrame = lines) -> int:
        return int(frame.select(condition.sum()).item())

    unknown = pl.col("category").is_null()
    return Quirks(
        households=households.height,
        baskets=baskets.height,
        lines=lines.height,
        without_demographics=count(~pl.col("known"), households),
        unknown_products=count(unknown),
        coupon_lines=count(unknown & (pl.col("quantity") == 0) & (pl.col("sales_value") == 0)),
        zero_quantity=count(pl.col("quantity") == 0),
        zero_amount=count(pl.col("sales_value") == 0),
        zero_baskets=count(pl.col("total") == 0, baskets),
        gasoline=count(pl.col("is_in_thousandths")),
        dust=count(pl.col("is_dusty")),
        coupon_baskets=count(pl.col("coupons") > 0, baskets),
        coupons_capped=count(pl.col("coupons") > pl.col("total"), baskets),
        on_new_year=count(pl.col("at") >= _NEW_YEAR, baskets),
    )


_NEW_YEAR: Final = 1_514_764_800_000_000
"""2018-01-01 in UTC, when it was still New Year's Eve in New York."""
