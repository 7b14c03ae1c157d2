"""Discounts stay as they were allocated: the money returned is the discounted price, and budgets get the discount back.

Of what a promotion took off a line, as much comes back in all as of the line, rounded down; the last return of the line
brings the rest. A use, of a limit or budget in times, is given back once all of the promotion's discount is back.
"""

from __future__ import annotations

from laurels.core.activity import Purchase
from laurels.core.case import Case
from laurels.core.facts import DiscountsBack, LineReturned, Priced
from laurels.core.limit import give_use_back
from laurels.core.reversal.lines import PastOrder, share_of


def give_discounts_back(
    case: Case, past: PastOrder, purchase: Purchase, priced: Priced, cumulative: dict[str, LineReturned]
) -> None:
    """Gives limits and budgets of promotions back what this return brings back."""
    before = {line.line: share_of(line, past.returned.get(line.line)) for line in purchase.lines}
    after = {line.line: share_of(line, cumulative.get(line.line)) for line in purchase.lines}
    brought: dict[str, int] = {}
    for each in priced.offers:
        earlier = sum([before[line.line].of(line.amount) for line in each.lines])
        back = sum([after[line.line].of(line.amount) for line in each.lines])
        amount = back - earlier
        if amount <= 0:
            continue
        brought[each.promotion] = amount
        whole = back == sum([line.amount for line in each.lines])
        give_use_back(case, each.limits, each.pools, amount, whole=whole)
    if brought:
        case.emit(DiscountsBack(purchase.order, brought))
