"""Money as answers say it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from laurels.core.activity import Declared
from laurels.core.money import format_minor


class Money(Struct, frozen=True):
    """An amount of money."""

    amount: Annotated[str, Meta(description="Decimal.", examples=["3.00"])]
    currency: Annotated[str, Meta(description="ISO 4217.", examples=["CNY"])]


def money_of(amount: int, declared: Declared) -> Money:
    """An amount in minor units of the program's currency."""
    return Money(format_minor(amount, declared.places), declared.currency)
