"""What a member has bought before, as far as a promotion asks for it: categories, and the products of a trial.

It is remembered from the first version on that asks. Goods that come back stay bought: who tried a thing has tried it.
"""

from __future__ import annotations

from laurels.core.accrual import moment_of
from laurels.core.activity import Activity, Purchase
from laurels.core.case import Case, View
from laurels.core.compiled import Trigger
from laurels.core.facts import Bought
from laurels.core.member import History

KEY = "bought"


def history_of(case: Case) -> History:
    """What is remembered of what the member bought."""
    known = case.draft.get(KEY)
    return known if isinstance(known, History) else History()


def new_to(case: Case, purchase: Purchase) -> dict[str, frozenset[str]]:
    """Products of a purchase that the member never bought; categories likewise, once they bought in any."""
    known = history_of(case)
    products = frozenset([line.sku for line in purchase.lines if line.sku is not None])
    categories = frozenset([line.category for line in purchase.lines if line.category is not None])
    return {
        "sku": products - frozenset(known.products),
        "category": categories - frozenset(known.categories) if known.categories else frozenset(),
    }


def remember(case: Case, trigger: Trigger, activity: Activity, view: View) -> None:
    """Keeps the categories of a purchase, and the products that some trial selects, unless they are known."""
    purchase = activity.data
    assert isinstance(purchase, Purchase)
    known = history_of(case)
    categories: list[str] = []
    if "category" in trigger.asks_new:
        found = dict.fromkeys([line.category for line in purchase.lines if line.category is not None])
        categories = [each for each in found if each not in known.categories]
    products: list[str] = []
    if "product" in trigger.asks_new:
        moment = moment_of(case.versions.judging(case.at), activity, view)
        for each in trigger.campaigns:
            if each.new == "product" and each.trial is not None:
                selected = each.trial(view, purchase, moment.activity, moment.at, purchase.lines)
                products += [
                    line.sku for line, is_in in zip(purchase.lines, selected, strict=True) if is_in and line.sku
                ]
        products = [each for each in dict.fromkeys(products) if each not in known.products]
    if categories or products:
        case.emit(Bought(tuple(categories), tuple(products)))
