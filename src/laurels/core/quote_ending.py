"""Reserved quotes that end before their time: cancelled by the checkout, or since the order that names one is another.

What a quote gives back then is what it would give back when its time is over: limits, budgets, points, tickets, and the
vouchers that it had reserved for itself.
"""

from __future__ import annotations

from typing import Literal

from laurels.core.activity import QuoteCancel
from laurels.core.case import Case
from laurels.core.quote import end_quote
from laurels.core.refusal import Refusal
from laurels.core.voucher import Holder
from laurels.core.voucher_pricing import reserved_by_quote
from laurels.core.voucher_use import let_go


def cancel_quote(case: Case, data: QuoteCancel) -> Refusal | None:
    """Nobody comes back for the quote: everybody else may have what it kept."""
    known = case.draft.quote(data.quote)
    if known is None:
        return Refusal("unknown_quote", data.quote)
    if known.status != "open":
        return Refusal("quote_not_open", f"It is {known.status}.")
    _end(case, data.quote, "cancelled")
    return None


def make_way(case: Case, quote: str, order: str) -> None:
    """The order that names the quote is judged anew: what the quote kept does not stand in its way."""
    known = case.draft.quote(quote)
    if known is not None and known.status == "open":
        _end(case, quote, "replaced", order)


def _end(case: Case, quote: str, status: Literal["cancelled", "replaced"], order: str | None = None) -> None:
    known = case.draft.quote(quote)
    assert known is not None
    for code in list(reserved_by_quote(case, quote, known.reserved.priced)):
        let_go(case, code, Holder(quote=quote))
    end_quote(case, quote, case.at, status, order)
