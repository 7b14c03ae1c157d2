"""Money as answers say it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Money(Struct, frozen=True):
    """An amount of money."""

    amount: Annotated[str, Meta(description="Decimal.", examples=["3.00"])]
    currency: Annotated[str, Meta(description="ISO 4217.", examples=["CNY"])]
