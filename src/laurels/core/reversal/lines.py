"""What a return brings back, line by line: quantities, amounts, and the share of each line that is back in all."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from laurels.core.activity import Line, Purchase, Return, ReturnLine
from laurels.core.calendar import Instant
from laurels.core.compiled import Compiled, Trigger
from laurels.core.facts import LineReturned, Scalar, TakenBack
from laurels.core.member import Earned, Order, Purchased
from laurels.core.money import floor_div
from laurels.core.refusal import Refusal
from laurels.core.voucher_points import used_by, with_vouchers


class Share(msgspec.Struct, frozen=True):
    """How much of a line has come back in all: `part` of `whole`, which are equal when it is all back."""

    part: int
    whole: int

    def of(self, points: int) -> int:
        """That share of points, rounded down; all of them once all is back."""
        return floor_div(points * self.part, self.whole)


class PastOrder(msgspec.Struct, frozen=True):
    """An order as returns see it: what was recorded with the purchase, and what came back since.

    `trigger` holds the campaigns that it set off.
    """

    purchase: Purchase
    occurred_at: Instant
    version: int
    earned: tuple[Earned, ...]
    standing: dict[str, Scalar]
    tiers: dict[str, str]
    returned: dict[str, LineReturned]
    taken: tuple[TakenBack, ...]
    paid_back: dict[str, int]
    forgiven: dict[str, int]
    unmeasured: dict[str, tuple[int, ...]]
    trigger: Trigger | None


def past_order(compiled: Compiled, recorded: Purchased, order: Order) -> PastOrder:
    """Joins a recorded purchase with what came back of it; `compiled` is the version that judged it."""
    points = used_by(compiled, recorded) if recorded.redeemed else ()
    opened = recorded.opened
    return PastOrder(
        recorded.purchase,
        opened.at,
        opened.version,
        recorded.earned,
        opened.standing,
        opened.tiers,
        order.returned,
        order.taken,
        order.paid_back,
        order.forgiven,
        order.unmeasured,
        with_vouchers(compiled, points) if points else compiled.trigger("purchase"),
    )


def returned_lines(purchase: Purchase, past: PastOrder, data: Return) -> tuple[LineReturned, ...] | Refusal:
    """What comes back of each line in this return, or why it cannot."""
    bought = {line.line: line for line in purchase.lines}
    wanted: Iterable[ReturnLine] = (
        [ReturnLine(line.line) for line in purchase.lines if not all_back(line, past.returned.get(line.line))]
        if data.lines is None
        else data.lines
    )
    lines: list[LineReturned] = []
    for each in wanted:
        line = bought.get(each.line)
        if line is None:
            return Refusal("unknown_line", each.line)
        before = past.returned.get(line.line) or LineReturned(line.line, 0, 0)
        if all_back(line, past.returned.get(line.line)):
            return Refusal("return_exceeds_purchase", f"Line {line.line} was returned in full.")
        returned = _one_line(line, before, each)
        if isinstance(returned, Refusal):
            return returned
        lines.append(returned)
    if not lines:
        return Refusal("nothing_left_to_return", data.order)
    return tuple(lines)


def _one_line(line: Line, before: LineReturned, wanted: ReturnLine) -> LineReturned | Refusal:
    """Quantity and amount that come back of a line; what is not stated follows from the other."""
    quantity_left, amount_left = line.quantity - before.quantity, line.amount - before.amount
    quantity, amount = wanted.quantity, wanted.amount
    if quantity is None and amount is None:
        return LineReturned(line.line, quantity_left, amount_left)
    if amount is None:
        assert quantity is not None
        if quantity > quantity_left:
            return Refusal("return_exceeds_purchase", f"Line {line.line}.")
        if quantity == quantity_left:
            amount = amount_left
        else:
            amount = max(floor_div(line.amount * (before.quantity + quantity), line.quantity) - before.amount, 0)
    if quantity is None:
        if amount == amount_left:
            quantity = quantity_left
        else:
            quantity = max(floor_div(line.quantity * (before.amount + amount), line.amount or 1) - before.quantity, 0)
    if quantity > quantity_left or amount > amount_left:
        return Refusal("return_exceeds_purchase", f"Line {line.line}.")
    if quantity == 0 and amount == 0 and line.quantity > 0:
        return Refusal("nothing_left_to_return", f"Line {line.line}: neither quantity nor amount.")
    return LineReturned(line.line, quantity, amount)


def all_back(line: Line, returned: LineReturned | None) -> bool:
    """Whether the whole line has come back."""
    if returned is None:
        return False
    return returned.amount == line.amount if line.amount else returned.quantity == line.quantity


def is_nothing(line: Line) -> bool:
    """A line without amount and quantity: nothing of it remains when all others came back."""
    return line.amount == 0 and line.quantity == 0


def cumulative_of(past: PastOrder, lines: tuple[LineReturned, ...]) -> dict[str, LineReturned]:
    """What has come back of each line in all, this return included."""
    cumulative = dict(past.returned)
    for line in lines:
        before = cumulative.get(line.line) or LineReturned(line.line, 0, 0)
        cumulative[line.line] = LineReturned(line.line, before.quantity + line.quantity, before.amount + line.amount)
    return cumulative


def share_of(line: Line, returned: LineReturned | None) -> Share:
    """Amounts decide; a line of amount zero goes by its quantity, and one of quantity zero is back once named."""
    if returned is None:
        return Share(0, 1)
    if line.amount:
        return Share(returned.amount, line.amount)
    if line.quantity:
        return Share(returned.quantity, line.quantity)
    return Share(1, 1)
