"""Draws as a program promises them, typed: when, which prizes by which chance, who is left out, by which rules."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from laurels.core.calendar import Duration, Instant
from laurels.core.money import Rate
from laurels.core.rule.check import Rule

Texts = dict[str, str]

TICKETS: Final = "draw/"
"""What stands before a draw's id where a campaign's grant names a wallet: tickets of the draw in place of points."""

RULES: Final = ("time", "method", "claim", "forfeiture")
"""What the published rules of a draw are about, each a text."""


class Prize(msgspec.Struct, frozen=True):
    """A prize. `value` is in minor units of the program's currency; `quantity` None is as many as are drawn.

    `odds` stand in instant draws. With a `wallet` it is `points` in that, with a `voucher` one of that kind: both are
    given at once. Any other is claimed.
    """

    id: str
    name: Texts
    value: int | None = None
    quantity: int | None = None
    odds: Rate | None = None
    wallet: str | None = None
    points: int = 0
    voucher: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether the winner has it at once, and need not claim it."""
        return self.wallet is not None or self.voucher is not None


class Amendment(msgspec.Struct, frozen=True):
    """That the draw was changed after it was published: since when, and why."""

    at: Instant
    reason: Texts


class Draw(msgspec.Struct, frozen=True):
    """A draw: tickets count from `opens_at` until `closes_at`; a scheduled one is drawn at `draws_at` or soon after.

    `wins_most` is how many prizes a member can win (None: any number). `claim` is how long a winner may claim a prize
    that is not given at once. `fallback` is what a prize of an instant draw becomes when it has run out; None: nothing.
    """

    id: str
    name: Texts
    kind: Literal["scheduled", "instant"]
    opens_at: Instant
    closes_at: Instant
    draws_at: Instant | None = None
    prizes: tuple[Prize, ...] = ()
    fallback: Prize | None = None
    wins_most: int | None = 1
    alternates: int = 0
    exclude: Rule | None = None
    claim: Duration | None = None
    rules: dict[str, Texts] = {}
    amendments: tuple[Amendment, ...] = ()

    @property
    def wallet(self) -> str:
        """How campaigns' grants name its tickets."""
        return f"{TICKETS}{self.id}"

    def prize(self, id: str) -> Prize | None:
        """The prize with this id."""
        return next((prize for prize in self.prizes if prize.id == id), None)


def stock_pool(draw: str, prize: str) -> str:
    """The pool of which the prizes of a kind are taken."""
    return f"{TICKETS}{draw}/{prize}"
