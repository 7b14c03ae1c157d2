"""What stories send: a program as its manager writes it, orders and tenders as a till does."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent, indent

from tests.api.harness import Json

A_POINT_A_YUAN = '{on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}'


def shop(
    points: str = "{}",
    *,
    base: str = A_POINT_A_YUAN,
    time_zone: str = "Asia/Shanghai",
    currency: str = "CNY",
    wallets: str = "",
    campaigns: str = "",
    **parts: str,
) -> str:
    """A program document but for its id: a shop that grants a point a yuan, with further parts as YAML."""
    sections = {
        "wallets": f"points: {points}\n{dedent(wallets)}",
        "campaigns": f"base: {base}\n{dedent(campaigns)}",
        **{name: dedent(text) for name, text in parts.items()},
    }
    body = "".join(f"{name}:\n{indent(text.strip(), '  ')}\n" for name, text in sections.items())
    return f"time_zone: {time_zone}\ncurrency: {currency}\n{body}"


def order_of(order: str, *lines: str | Mapping[str, Json], **data: Json) -> dict[str, Json]:
    """The data of a purchase."""
    return {"order": order, "lines": lines_of(*lines), **data}


def lines_of(*lines: str | Mapping[str, Json]) -> list[dict[str, Json]]:
    """Lines of a purchase, numbered from 1."""
    return [
        {"line": str(n), **({"amount": line} if isinstance(line, str) else line)} for n, line in enumerate(lines, 1)
    ]


def line(amount: str, category: str | None = None, **words: Json) -> dict[str, Json]:
    """A line of a purchase in full."""
    return {"amount": amount, **({} if category is None else {"category": category}), **words}


def cash(amount: str) -> dict[str, str]:
    """A tender in cash."""
    return {"kind": "cash", "amount": amount}


def paid_with_points(redemption: str, amount: str) -> dict[str, str]:
    """A tender in points."""
    return {"kind": "points", "redemption": redemption, "amount": amount}


def line_back(line: str | tuple[str, str] | Mapping[str, Json]) -> dict[str, Json]:
    """A line of a return: all that is left of it, an amount of it, or as given."""
    if isinstance(line, str):
        return {"line": line}
    return {"line": line[0], "amount": line[1]} if isinstance(line, tuple) else dict(line)
