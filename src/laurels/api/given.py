"""What a redemption of a reward gave the member: codes of vouchers, tickets of a draw, money in a wallet.

Tickets that became void, or have never been granted, are not listed; vouchers are, whatever has become of them since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from laurels.api.answer import TICKETS_SHOWN
from laurels.api.money import Money
from laurels.core.calendar import Instant
from laurels.core.code import grouped
from laurels.core.compiled import Compiled
from laurels.core.member import Document, Redemption, Tickets, tickets_key
from laurels.core.money import format_minor
from laurels.core.program import rewards_model
from laurels.core.program.rewards_model import StoredValue
from laurels.core.purchase import worth
from laurels.core.version import Versions


class TicketsGiven(Struct, frozen=True, kw_only=True):
    """Tickets of a draw that stand."""

    draw: str
    count: int
    tickets: Annotated[tuple[int, ...], Meta(description="Their numbers, the first hundred of them.")]


class ValueGiven(Struct, frozen=True, kw_only=True):
    """Money that points bought, in a wallet of its own."""

    kind: Literal["gift_card", "cashback"]
    wallet: Annotated[str, Meta(description="By its present id.")]
    points: int
    worth: Annotated[Money | None, Meta(description="What they pay at the till; null: this wallet pays nothing.")]


class Given(Struct, frozen=True, kw_only=True):
    """What was given, by its kind."""

    vouchers: tuple[str, ...] = ()
    tickets: TicketsGiven | None = None
    value: ValueGiven | None = None


def draw_of(versions: Versions, redemption: Redemption) -> str | None:
    """The draw of which the redemption gave tickets, or is to give some."""
    if redemption.reward is None:
        return None
    gives = versions.reward(redemption.reward, redemption.held_at).gives
    return gives.draw if isinstance(gives, rewards_model.Tickets) else None


def given(
    versions: Versions,
    compiled: Compiled,
    at: Instant,
    id: str,
    redemption: Redemption,
    documents: Mapping[str, Document | None],
) -> Given:
    """What a redemption gave; `documents` are the member's, its draw's among them."""
    codes = tuple([grouped(code) for code in redemption.vouchers])
    draw = draw_of(versions, redemption)
    known = None if draw is None else documents.get(tickets_key(draw))
    if draw is not None and isinstance(known, Tickets):
        numbers = [
            number
            for each in known.granted
            if each.redemption == id
            for number in range(each.first, each.first + each.count)
        ]
        if numbers:
            tickets = TicketsGiven(draw=draw, count=len(numbers), tickets=tuple(numbers[:TICKETS_SHOWN]))
            return Given(vouchers=codes, tickets=tickets)
    if redemption.reward is None or redemption.status != "captured":
        return Given(vouchers=codes)
    gives = versions.reward(redemption.reward, redemption.held_at).gives
    if not isinstance(gives, StoredValue):
        return Given(vouchers=codes)
    wallet, points = versions.current(gives.wallet, at), gives.points * redemption.quantity
    money = compiled.wallets[wallet].money if wallet in compiled.wallets else None
    paid = None if money is None else format_minor(worth(money, points), compiled.declared.places)
    value = ValueGiven(
        kind=gives.kind,
        wallet=wallet,
        points=points,
        worth=None if paid is None else Money(paid, compiled.declared.currency),
    )
    return Given(vouchers=codes, value=value)
