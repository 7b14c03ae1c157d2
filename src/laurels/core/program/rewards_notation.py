"""What a reward says, in the words of the document: how two versions of it are shown side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from laurels.core.money import Currency, Rate, floor_div
from laurels.core.program import notation
from laurels.core.program.model import MemberLimit, PointsAsMoney, Wallet
from laurels.core.program.rewards_model import (
    Donation,
    Effect,
    FromPartner,
    Gives,
    IssuedVoucher,
    Mix,
    Price,
    StoredValue,
    Tickets,
    TierPass,
)


def worths(*programs: Iterable[Wallet]) -> dict[str, PointsAsMoney]:
    """By wallet what its points are worth, where all the programs that have the wallet say the same."""
    found: dict[str, PointsAsMoney | None] = {}
    for wallet in chain.from_iterable(programs):
        money, known = wallet.money, found.setdefault(wallet.id, wallet.money)
        if money is None or known is None or (money.points, money.worth) != (known.points, known.worth):
            found[wallet.id] = None
    return {id: money for id, money in found.items() if money is not None}


def price(price: Price, currency: Currency) -> str:
    """What a reward costs."""
    when = None if price.when is None else "'" + notation.condition(price.when).replace("'", "''") + "'"
    return notation.form(
        {
            "wallet": price.wallet,
            "points": notation.by_tier(price.points),
            "per": None if price.per is None else notation.money(price.per, currency),
            "round": price.round.value,
            "when": when,
        }
    )


def mix(mix: Mix | None, currency: Currency) -> str:
    """How much of a price may be paid with money, and for what."""
    if mix is None:
        return "none"
    cash = {"points": str(mix.points), "worth": notation.money(mix.worth, currency), "round": mix.round.value}
    return notation.form({"least": _bound(mix.least), "most": _bound(mix.most), "cash": notation.form(cash)})


def _bound(bound: int | Rate) -> str:
    return str(bound) if isinstance(bound, int) else notation.percentage(bound)


def value(value: int | str | None, currency: Currency) -> str:
    """What a piece is worth."""
    return notation.money(value, currency) if isinstance(value, int) else value or "none"


def limit(limit: MemberLimit) -> str:
    """The most pieces that a member gets."""
    every = limit.every if isinstance(limit.every, str) else limit.every.value
    return notation.form({"per": "member", "every": every, "times": str(limit.most)})


def gives(gives: Gives, wallets: Mapping[str, PointsAsMoney], currency: Currency) -> str:
    """What a reward gives; money in a wallet whose points have no one worth is shown as points of it."""
    match gives:
        case StoredValue():
            worth = wallets.get(gives.wallet)
            if worth is None:
                return notation.form({gives.kind: gives.wallet, "points": str(gives.points)})
            amount = notation.money(floor_div(gives.points * worth.worth, worth.points), currency)
            return notation.form({gives.kind: gives.wallet, "amount": amount})
        case Donation():
            return notation.form({"donation": gives.cause})
        case TierPass():
            return notation.form({"tier": f"{gives.track}.{gives.tier}", "for": str(gives.lasts)})
        case IssuedVoucher():
            return notation.form({"voucher": gives.voucher, "count": str(gives.count)})
        case Tickets():
            return notation.form({"tickets": gives.draw, "count": str(gives.count)})
        case FromPartner():
            return notation.form({"partner": gives.partner})
        case _:
            return gives.kind


def fulfilment(effects: dict[str, Effect]) -> str:
    """What the states of a fulfilment do."""
    shown = {
        state: notation.form(
            {
                "points": effect.points,
                "stock": effect.stock if state in ("failed", "returned") or effect.stock != "keep" else None,
            }
        )
        for state, effect in effects.items()
    }
    return notation.form(shown)
