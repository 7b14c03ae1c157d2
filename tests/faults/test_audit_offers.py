"""What the audit of offers sees: shown a history in which something is lost or given twice, it says so."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from laurels.core.facts import AnyFact, LineOff, Offered, Priced, TicketPlayed, VoucherIssued, VoucherRedeemed
from tests.faults.audit import Books
from tests.faults.audit_offers import PRIZES, Row, judge


def done(id: str, type: str, *facts: AnyFact, redemption: str | None = None) -> Row:
    source = "laurels.redemptions" if type == "redemption" else "pos"
    return Row("m-1", source, id, type, facts, redemption)


def turn(ticket: int, drawn: str, given: str) -> Row:
    return done(f"play-{ticket}", "draw_play", TicketPlayed("wheel", ticket, "2026-06-01", 0, drawn, given))


def order(id: str, code: str) -> Row:
    issued = VoucherIssued(code, "printed", 0, reason="code")
    off = Offered("first", "applied", 150, 150, (LineOff("1", 150),))
    return done(id, "purchase", issued, VoucherRedeemed(code, "printed", id, 0, 100), Priced(1, (), (off,)))


def history() -> tuple[list[Row], dict[str, int], Books]:
    """A mug kept and one let go of, a mug won and a fallback, a code used."""
    rows = [
        done("x-1", "redemption", redemption="x-1"),
        done("x-2", "redemption", redemption="x-2"),
        done("cancel/x-2", "redemption_cancel", redemption="x-2"),
        turn(1, "mug", "mug"),
        turn(2, "mug", "fallback"),
        order("o-1", "LIST1"),
    ]
    pools = {"reward/mug/stock": 1, "draw/wheel/mug": 1, "code/LIST1": 1, "campaign/first/money": 150}
    named = {"play-1", "play-2", "o-1"}
    more = dict.fromkeys(["o-2", "play-3"])
    books = Books(dict.fromkeys(named) | more, set(named), held={"x-1": 5, "x-2": 5}, ended={"x-2": "cancel"})
    return rows, pools, books


def test_a_history_in_which_everything_is_given_once_passes() -> None:
    judge(*history())


def remove(id: str) -> Callable[..., None]:
    def change(rows: list[Row], _pools: dict[str, int], _books: Books) -> None:
        rows[:] = [row for row in rows if row.id != id]

    return change


def add(row: Row, **used: int) -> Callable[..., None]:
    def change(rows: list[Row], pools: dict[str, int], _books: Books) -> None:
        rows.append(row)
        for pool, by in used.items():
            name = pool.replace("__", "/")
            pools[name] = pools.get(name, 0) + by

    return change


def play_too_much(rows: list[Row], pools: dict[str, int], books: Books) -> None:
    for ticket in range(3, 3 + PRIZES):
        rows.append(turn(ticket, "mug", "mug"))
        books.sent[f"play-{ticket}"] = None
    pools["draw/wheel/mug"] += PRIZES


WRONG: dict[str, tuple[Callable[..., None], str]] = {
    "an answer is lost": (remove("o-1"), "were answered and are not there"),
    "a redemption is lost": (remove("x-1"), "redemptions were answered"),
    "a cancellation is lost": (remove("cancel/x-2"), "redemptions were answered"),
    "an activity is there twice": (add(turn(1, "mug", "mug"), draw__wheel__mug=1), "is there twice"),
    "nobody sent it": (add(turn(9, "pen", "pen"), draw__wheel__pen=1), "nobody sent"),
    "a redemption ends twice": (
        add(done("capture/x-2", "redemption_capture", redemption="x-2")), "ended twice",
    ),
    "a code is used twice": (
        add(order("o-2", "LIST1"), code__LIST1=1, campaign__first__money=150), "two orders used",
    ),
    "a ticket is played twice": (
        add(msgspec.structs.replace(turn(1, "mug", "mug"), id="play-3"), draw__wheel__mug=1), "played twice",
    ),
    "another prize is given for one that ran out": (
        add(turn(3, "mug", "pen"), draw__wheel__pen=1), "was drawn and pen given",
    ),
    "a prize is given and not counted": (add(turn(3, "mug", "mug")), "pools are not what was given"),
    "more prizes are given than there are": (play_too_much, "more was given than there is"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_the_audit_sees_that(wrong: str) -> None:
    change, said = WRONG[wrong]
    found: tuple[Any, ...] = history()
    change(*found)
    with pytest.raises(AssertionError, match=said):
        judge(*found)
