"""What members got beside points, in tables and as JSON: promotions, vouchers, rewards and draws of a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from laurels.core.money import format_minor
from laurels.core.program.model import Budget, Limit, Program, Texts
from laurels.simulate.given import (
    DrawFigures,
    Given,
    PromotionFigures,
    RewardFigures,
    Sort,
    VoucherFigures,
)

UNKNOWN: Final[Texts] = {
    "en": (
        "Every order of the past is priced as this program prices it, as if its till had asked for a quote: what the "
        "program of then took off is put back; discounts that tills gave on their own stay. Members are taken to have "
        "bought, returned and redeemed what they did; what they would have done otherwise is not known. Vouchers and "
        "rewards that are new are therefore not used by anybody. Draws are drawn; who did not win the same then claims "
        "the prize at once."
    ),
    "zh-CN": (
        "过去的每笔订单都按这份计划重新定价，如同收银端曾先询价：当时的计划给出的优惠先加回，收银端自行给出的折扣保留。"
        "假定会员仍如当时一样购买、退货和兑换；他们若会另作选择，无从得知。因此新的优惠券和奖励无人使用。"
        "抽奖照常开奖；当时未中同一奖项的会员，视为中奖后立即领取。"
    ),
}
"""What a simulation takes for granted, and what it cannot know."""

_MONEY: Final = frozenset(("money", "taken", "returned"))


def given_as_json(program: Program, given: Given) -> dict[str, Any]:
    """All of it as JSON, by id: money as decimals, budgets with what they hold and what was used of them."""
    value: dict[str, Any] = {}
    for sort, figures in _by_sort(given):
        value[sort] = {
            id: {**_as_json(program, each), **_limits_json(program, given, sort, id)} for id, each in figures.items()
        }
    return value


def _by_sort(given: Given) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("promotions", given.promotions),
        ("vouchers", given.vouchers),
        ("rewards", given.rewards),
        ("draws", given.draws),
    ]


def _as_json(program: Program, each: msgspec.Struct) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(each)
    return {
        field: format_minor(number, program.currency.places) if field in _MONEY else number
        for field, number in built.items()
    }


def _limits_json(program: Program, given: Given, sort: str, id: str) -> dict[str, Any]:
    budgets = _budgets(program, given, sort, id)
    return {
        "budgets": [
            {"unit": unit, "of": _shown(program, unit, most), "used": _shown(program, unit, used)}
            for unit, most, used in budgets
        ]
    }


def _shown(program: Program, unit: str, amount: int) -> str | int:
    return format_minor(amount, program.currency.places) if unit == "money" else amount


def _budgets(program: Program, given: Given, sort: str, id: str) -> list[tuple[str, int, int]]:
    """What is limited for all members together: the unit, the most, and what was used."""
    if sort == "rewards":
        stock = next((reward.stock for reward in program.rewards if reward.id == id), None)
        return [] if stock is None else [("stock", stock, given.used_of("rewards", id, "stock"))]
    limits: tuple[Limit, ...] = ()
    of: Sort = "promotions"
    if sort == "promotions":
        limits = next((each.limits for each in program.promotions if each.id == id), ())
    elif sort == "vouchers":
        of = "vouchers"
        limits = next((each.limits for each in program.vouchers if each.id == id), ())
    return [
        (limit.unit, limit.most, given.used_of(of, id, limit.unit)) for limit in limits if isinstance(limit, Budget)
    ]


def say_given(out: Console, program: Program, given: Given, before: Given | None = None) -> None:
    """Tables of what was given; with `before`, what was recorded stands beside each figure."""
    if program.promotions or given.promotions:
        _say(
            out, program, given, before, "promotions", "Promotions", PromotionFigures,
            [each.id for each in program.promotions if each.takes_money_off],
            ("times", "money", "taken", "returned"),
        )  # fmt: skip
    if program.vouchers or given.vouchers:
        _say(
            out, program, given, before, "vouchers", "Vouchers", VoucherFigures, [each.id for each in program.vouchers],
            ("issued", "used", "money", "taken", "returned", "expired"),
        )  # fmt: skip
    if program.rewards or given.rewards:
        _say(
            out, program, given, before, "rewards", "Rewards", RewardFigures, [each.id for each in program.rewards],
            ("redemptions", "pieces", "points", "money", "given_back"),
        )  # fmt: skip
    if program.draws or given.draws:
        _say(
            out, program, given, before, "draws", "Draws", DrawFigures, [each.id for each in program.draws],
            ("tickets", "void", "entered", "played", "winners", "points"),
        )  # fmt: skip


_HEADINGS: Final = {
    "money": "money off",
    "taken": "taken by tills",
    "returned": "came back",
    "given_back": "given back",
}
_HEADINGS_OF: Final = {"rewards": {"money": "cash"}, "draws": {"points": "points won"}}


def _say(
    out: Console,
    program: Program,
    given: Given,
    before: Given | None,
    sort: str,
    title: str,
    kind: type[PromotionFigures | VoucherFigures | RewardFigures | DrawFigures],
    ids: Iterable[str],
    fields: tuple[str, ...],
) -> None:
    now = getattr(given, sort)
    was = {} if before is None else getattr(before, sort)
    if before is None:
        if not any(any(msgspec.structs.astuple(each)) for each in now.values()):
            out.print(f"[bold]{title}[/]: none given\n", highlight=False)
            return
        fields = tuple([field for field in fields if field != "taken"])
    table = Table(
        title=title if before is None else f"{title}: stored and simulated",
        title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False,
    )  # fmt: skip
    headings = {**_HEADINGS, **_HEADINGS_OF.get(sort, {})}
    table.add_column("")
    if before is not None:
        table.add_column("")
    for field in fields:
        table.add_column(headings.get(field, field), justify="right")
    table.add_column("prizes" if sort == "draws" else "budget used", justify="right")
    names = _names(program, sort)
    for id in dict.fromkeys([*ids, *was, *now]):
        rows = [("simulated", given, now.get(id))]
        if before is not None:
            rows.insert(0, ("stored", before, was.get(id)))
        for n, (what, source, each) in enumerate(rows):
            figures = each if each is not None else kind()
            cells = [_cell(program, field, getattr(figures, field)) for field in fields]
            last = (
                _prizes(program, id, figures) if isinstance(figures, DrawFigures) else _used(program, source, sort, id)
            )
            first = [names.get(id, id) if n == 0 else ""]
            table.add_row(*first, *([what] if before is not None else []), *cells, last)
    out.print(table)


def _used(program: Program, given: Given, sort: str, id: str) -> str:
    """What was used of each budget: "40.00 of 100.00, 3 of 5 times"."""
    return ", ".join(
        f"{_grouped(_shown(program, unit, used))} of {_grouped(_shown(program, unit, most))}"
        + ("" if unit in ("money", "stock") else f" {unit}")
        for unit, most, used in _budgets(program, given, sort, id)
    )


def _prizes(program: Program, id: str, figures: DrawFigures) -> str:
    """Who has how many of each prize: "1 of 1 bicycle, 7 coffee"."""
    terms = next((draw.prizes for draw in program.draws if draw.id == id), ())
    most = {prize.id: prize.quantity for prize in terms}
    return ", ".join(
        f"{figures.prizes.get(prize, 0):,}" + ("" if most.get(prize) is None else f" of {most[prize]:,}") + f" {prize}"
        for prize in dict.fromkeys([*most, *figures.prizes])
    )


def _names(program: Program, sort: str) -> dict[str, str]:
    return {each.id: each.name.get("en") or each.id for each in getattr(program, sort)}


def _cell(program: Program, field: str, number: int | dict[str, int]) -> str:
    if isinstance(number, dict):
        return ", ".join(f"{each:,} {wallet}" for wallet, each in number.items()) or "0"
    return _grouped(format_minor(number, program.currency.places) if field in _MONEY else number)


def _grouped(number: str | int) -> str:
    if isinstance(number, int):
        return f"{number:,}"
    sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number)
    whole, point, fraction = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{fraction}"
