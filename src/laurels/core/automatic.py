"""Automatic redemption: points turn into a reward by themselves where the member has chosen that.

It is carried out at the end of every recorded decision, on what that left, and never while somebody merely reads: the
member gets the reward when something of theirs is recorded next, at the latest when they are woken.
"""

from __future__ import annotations

from typing import Final

from laurels.core.activity import Choose, Redeem
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.facts import AutomaticChosen
from laurels.core.fulfilment import AUTOMATIC, redeem_for
from laurels.core.money import floor_div
from laurels.core.program.rewards_model import VOUCHERS_MOST, IssuedVoucher, Tickets, TierPass
from laurels.core.refusal import Refusal
from laurels.core.reward import bill, cause_left, obstacles, pieces_left, stock_left
from laurels.core.ticket import room

PIECES_MOST: Final = 10_000
"""As many pieces as one request may ask for."""


def choose(case: Case, compiled: Compiled, data: Choose) -> Refusal | None:
    """The member's choice is kept; what it brings about at once follows at the end of the decision."""
    each = compiled.catalogue.rewards.get(data.reward)
    if each is None:
        return Refusal("unknown_reward", data.reward)
    if data.automatic and each.reward.automatic is None:
        return Refusal("not_automatic", data.reward)
    case.emit(AutomaticChosen(each.key, data.automatic))
    return None


def redeem_chosen(case: Case, compiled: Compiled) -> None:
    """Redeems what the member has chosen, as many pieces as points, stock and limits allow."""
    for key in case.root.automatic:
        each = compiled.catalogue.by_key.get(key)
        if each is None or each.reward.automatic is None:
            continue
        one = bill(case, compiled, each)
        if isinstance(one, Refusal) or obstacles(case, compiled, each, 1, one):
            continue
        available = case.draft.balance(one.wallet).available
        spare = available - max(each.reward.automatic, one.price)
        if spare < 0:
            continue
        rooms = [pieces_left(case, compiled, limit, name) for limit, name in each.limits]
        stock, total = stock_left(case, each), cause_left(case, compiled, each)
        if stock is not None:
            rooms.append(stock)
        if total is not None:
            rooms.append(floor_div(total, one.price))
        if isinstance(each.reward.gives, TierPass):
            rooms.append(1)
        if isinstance(each.reward.gives, IssuedVoucher):
            rooms.append(floor_div(VOUCHERS_MOST, each.reward.gives.count))
        if isinstance(each.reward.gives, Tickets):
            rooms.append(floor_div(room(case, each.reward.gives.draw), each.reward.gives.count))
        quantity = min(floor_div(spare, one.price) + 1, *rooms, PIECES_MOST)
        id = f"{AUTOMATIC}{case.draft.id}:{case.seq}:{each.key}"
        billed = bill(case, compiled, each, quantity)
        assert not isinstance(billed, Refusal)
        redeem_for(case, compiled, each, Redeem(id, each.id, quantity, hold=False), billed)
