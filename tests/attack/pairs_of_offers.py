"""Pairs that want the same of what members can get: a piece, a code, a budget, a prize, a draw that takes tickets yet.

Mostly they are of two members, so that nothing makes one wait but the thing itself. What each does alone (the lock on
the member, the look for the id) comes to the same wherever the other's statements stand. In brief such statements pass
freely, so that there are few enough orders of the rest to try every one; LAURELS_DEEP gives them turns, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import asyncpg

from laurels.core.facts import Offered, Priced, QuoteReserved, TicketPlayed
from laurels.core.member import Tickets, decode_document, tickets_key
from laurels.intake.batch import CREATE_POOLS, LOAD, LOCK_MEMBERS, LOCK_POOLS, PROBE
from laurels.intake.submission import Outcome, Submission
from laurels.store import draws, revoking
from laurels.store.codes import READ_CODES, begin_batch, import_codes
from laurels.store.stock import correct
from tests.attack.depth import DEEP
from tests.attack.interleaving import label
from tests.attack.pairs import NOW, SECOND, Audit, Pair, Server, Work, both, code, enrol, give, statuses
from tests.stage import instant, submission

LOADED: Final = label(LOAD)
READ_HEAD: Final = "select p.mode, p.clock, (select max(numb"
READ_DRAW: Final = f"select {draws._COLUMNS} from draw where program = $1 and id = $2 "
ALONE: Final = frozenset() if DEEP else frozenset({LOCK_MEMBERS, PROBE})
"""What touches nothing of another member's."""
READING_CODES: Final = ALONE if DEEP else ALONE | {READ_CODES, revoking._SHARE}
"""And the look for codes: nobody writes those, and its lock is shared."""
PLAYING: Final = ALONE if DEEP else ALONE | {draws.OPEN_DRAWS}
"""And the lock on a draw that nobody closes: it is shared."""
REVOKING: Final = (
    ALONE
    if DEEP
    else ALONE
    | {
        LOAD,
        CREATE_POOLS,
        LOCK_POOLS,
        "select mode, clock from program where id",
        "select number, id, by, reason, source fr",
        "insert into pool_correction (program, po",
        "update pool set used = used + $3 where p",
    }
)
"""And the pools: a batch of codes and each of its codes have pools of their own, and only a commit shows them."""
CLOSING: Final = ALONE if DEEP else ALONE | {LOAD, draws.DUE_DRAWS, READ_HEAD, READ_DRAW}
"""And what only one of the two ever writes: who has no tickets is not woken by the close, nobody else goes on."""

CLOSE: Final = instant("2026-06-02")
DRAWN_AT: Final = instant("2026-06-03")
CLAIMED_UNTIL: Final = instant("2026-06-04")
RESERVED_UNTIL: Final = NOW + 600 * SECOND

SHOP: Final = """
program: pairs
time_zone: UTC
currency: CNY
jurisdiction: none
wallets:
  points: {expires: never}
"""
MUG: Final = SHOP + "rewards: {mug: {gives: goods, price: {wallet: points, points: 10}, stock: PIECES}}\n"
CODES: Final = SHOP + 'vouchers: {ten: {gives: {off: "2.00"}, hold: 10MIN}}\n'
SHARED: Final = CODES.replace("hold: 10MIN", "code: [WELCOME], limits: [{budget: times, of: 2}]")
LIMITED: Final = CODES.replace("hold: 10MIN", "hold: 10MIN, limits: [{budget: times, of: 1}]")
MONEY: Final = SHOP + 'promotions: {first: {gives: {off: "7.00"}, limits: [{budget: money, of: "17.00"}]}}\n'
TIMES: Final = MONEY.replace('money, of: "17.00"', "times, of: 2")
WHEEL: Final = (
    SHOP
    + """
campaigns: {turn: {on: check_in, grant: {tickets: wheel}}}
draws:
  wheel:
    kind: instant
    opens: 2026-06-01
    closes: 2026-06-02
    prizes:
      mug: {quantity: 2, odds: 999999/1000000}
      pen: {quantity: 1, odds: 1/1000000}
    fallback: {gives: {wallet: points, points: 1}}
"""
)
SPRING: Final = (
    SHOP
    + """
rewards: {luck: {gives: {tickets: spring}, price: {wallet: points, points: 10}}}
draws:
  spring:
    opens: 2026-01-01
    closes: 2026-06-01
    draws_at: 2026-06-03
    claim: 1D
    alternates: 1
    prizes: {bike: {quantity: 1}}
"""
)

STOCK: Final = "reward/mug/stock"


# --- what they send ---------------------------------------------------------------------------------------------------


def redeem(member: str, id: str, reward: str = "mug") -> Submission:
    return submission("redemption", member, {"redemption": id, "reward": reward}, id=id, at="2026-06-01")


def use(member: str, order: str, text: str) -> Submission:
    """An order of 10.00, of which the program takes off what the voucher is worth."""
    lines = [{"line": "1", "amount": "10.00"}]
    data = {"order": order, "lines": lines, "vouchers": [text]}
    return submission("purchase", member, data, id=order, at="2026-06-01")


def reserve(member: str, text: str, order: str) -> Submission:
    data = {"code": text, "order": order}
    return submission("voucher_reserve", member, data, id=f"reserve/{order}", at="2026-06-01")


def discounted(member: str, order: str) -> Submission:
    """A purchase of which a till took 7.00 off, as the promotion says."""
    lines = [{"line": "1", "amount": "13.00", "discounts": [{"code": "first", "amount": "7.00"}]}]
    return submission("purchase", member, {"order": order, "lines": lines}, id=order, at="2026-06-01")


def quote(member: str, id: str) -> Submission:
    cart = {"order": f"o-{id}", "lines": [{"line": "1", "amount": "20.00"}]}
    return submission("quote", member, {"quote": id, "cart": cart, "reserve": True}, id=id, at="2026-06-01")


def play(member: str, id: str) -> Submission:
    return submission("draw_play", member, {"draw": "wheel"}, id=id, at="2026-06-01")


def rich(*members: str) -> list[Submission]:
    return [*enrol(*members), *[give(member, 10) for member in members]]


def listed(*more: str, uses: int = 1) -> Callable[[Server, int], Any]:
    """A list with a code of the run's own, CODEn, and more."""

    async def arrange(server: Server, n: int) -> None:
        batch = f"list-{n}"
        await begin_batch(server.side, server.clock, server.program, batch, "ten", wanted=None, uses=uses)
        _batch, imported = await import_codes(server.side, server.clock, server.program, batch, [f"CODE{n}", *more])
        assert imported.codes == 1 + len(more)

    return arrange


def redeeming(side: str) -> Work:
    return lambda server, n: server.send(redeem(f"m{n}{side}", f"x{n}{side}"))


def using(side: str, text: str = "") -> Work:
    return lambda server, n: server.send(use(f"m{n}{side}", f"o{n}{side}", text or f"CODE{n}"))


def buying(side: str) -> Work:
    return lambda server, n: server.send(discounted(f"m{n}{side}", f"o{n}{side}"))


def quoting(side: str) -> Work:
    return lambda server, n: server.send(quote(f"m{n}{side}", f"q{n}{side}"))


def playing(side: str) -> Work:
    return lambda server, n: server.send(play(f"m{n}{side}", f"play{n}{side}"))


async def _count_again(server: Server, n: int) -> Any:
    """Two pieces fewer than was thought."""
    with server.side.gated():
        return await correct(server.side, server.program, STOCK, f"c{n}", 2, "broken", "office", NOW)


async def _revoke(server: Server, n: int) -> Any:
    with server.side.gated():
        return await revoking.revoke(server.side, server.clock, server.program, n, "printed twice", "office")


async def _sweep(server: Server, _n: int) -> Any:
    return await server.intake.sweep(server.program, 10)


async def _go_on(server: Server, _n: int) -> Any:
    """How many steps were taken; or the statement that failed, of which the session knows, too."""
    with server.side.gated():
        try:
            return await server.intake.go_on_with_draws(server.program)
        except asyncpg.PostgresError as error:
            return error


async def _draw(server: Server, n: int) -> None:
    """Both have a ticket, and one of them has won."""
    tickets = [redeem(f"m{n}{side}", f"x{n}{side}", "luck") for side in "ab"]
    server.clock.at = NOW
    outcomes = await server.send(*rich(f"m{n}a", f"m{n}b"), *tickets)
    assert {outcome.status for outcome in outcomes} == {"accepted"}
    for at in (CLOSE, DRAWN_AT):
        server.clock.at = at
        await server.intake.go_on_with_draws(server.program)


async def _claim(server: Server, n: int) -> list[Outcome]:
    """Whoever won claims the prize."""
    for side in "ab":
        known = await server.intake.look(server.program, f"m{n}{side}", "draw/")
        part = None if known is None else known.documents[tickets_key("spring")]
        if isinstance(part, Tickets) and part.won:
            return await server.send(
                submission("draw_claim", f"m{n}{side}", {"draw": "spring", "place": 1}, id=f"claim{n}", at="2026-06-03")
            )
    raise AssertionError("somebody has won")


# --- what may come of it ----------------------------------------------------------------------------------------------


def is_before(audit: Audit, one: str, other: str) -> bool:
    """Whether one was said before the first of the other; who says commit waits for nobody any more."""
    return audit.said.index(one) < audit.said.index(other)


def offers(outcome: Outcome) -> list[Offered]:
    """What became of promotions and vouchers; of a quote what it promises."""
    priced = [
        fact.priced if isinstance(fact, QuoteReserved) else fact
        for fact in outcome.facts
        if isinstance(fact, QuoteReserved | Priced)
    ]
    return [offered for each in priced if each is not None for offered in each.offers]


def given(answers: dict[str, Any]) -> list[int]:
    """The money that offers gave, sorted."""
    return sorted(offered.given for outcomes in answers.values() for each in outcomes for offered in offers(each))


def accepted(answers: dict[str, Any], side: str) -> bool:
    return code(answers[side][0]) == "accepted"


def _one_piece(answers: dict[str, Any], audit: Audit) -> bool:
    held = sorted(str(balance) for balance in audit.balances.values())
    return (
        statuses(answers) == ["accepted", "out_of_stock"]
        and audit.pools == {STOCK: 2}
        and held == ["{'available': 10}", "{'held': 10}"]
    )


def _piece_that_came_back(answers: dict[str, Any], audit: Audit) -> bool:
    """Whoever looks after it was given back gets it; before, nobody can."""
    got = accepted(answers, "b")
    if got == is_before(audit, f"b {LOADED}", "a commit") and got:
        return False
    if not got and not is_before(audit, f"b {LOADED}", "a commit"):
        return False
    right = audit.pools == ({STOCK: 1} if got else {})
    return right and accepted(answers, "a") and code(answers["b"][0]) in ("accepted", "out_of_stock")


def _counted_again(answers: dict[str, Any], audit: Audit) -> bool:
    """One of two pieces is held. Two fewer: the other one is given only before, and what is held stays held."""
    before = is_before(audit, "a commit", "b commit")
    return (
        code(answers["a"][0]) == ("accepted" if before else "out_of_stock")
        and audit.pools == {STOCK: 4 if before else 3}
        and answers["b"].used == (4 if before else 3)
    )


def _code_of_one(answers: dict[str, Any], audit: Audit) -> bool:
    return statuses(answers) == ["accepted", "voucher_taken"] and _taken(audit) == [1]


def _taken(audit: Audit) -> list[int]:
    """How often the codes of this run were taken."""
    return [used for pool, used in audit.pools.items() if pool == f"code/CODE{_run(audit)}"]


def _run(audit: Audit) -> str:
    """The number of the run, which is in the names of its members."""
    return next(iter(audit.activities)).strip("mab")


def _voucher_of_one_order(answers: dict[str, Any], audit: Audit) -> bool:
    return statuses(answers) == ["accepted", "voucher_redeemed"] and _taken(audit) == [1]


def _last_use(answers: dict[str, Any], audit: Audit) -> bool:
    return statuses(answers) == ["accepted", "voucher_exhausted"] and audit.pools == {"voucher/ten/times": 2}


def _last_use_of_a_list(answers: dict[str, Any], audit: Audit) -> bool:
    return statuses(answers) == ["accepted", "voucher_exhausted"] and _taken(audit) == [2]


def _released_or_used(answers: dict[str, Any], audit: Audit) -> bool:
    """It can be used for another order only once it is let go of, and is let go of whenever that is asked."""
    first = answers["a"][0].seq < answers["b"][0].seq if accepted(answers, "b") else None
    right = code(answers["b"][0]) == "voucher_reserved" if first is None else first
    return accepted(answers, "a") and right and _taken(audit) == [1]


def _ended_or_used(answers: dict[str, Any], audit: Audit) -> bool:
    """Whether its time is over or not, the order that it was reserved for can use it, and its use counts once."""
    return (
        accepted(answers, "a") and offers(answers["a"][0])[0].given == 200 and audit.pools.get("voucher/ten/times") == 1
    )


def _ended_for_another(answers: dict[str, Any], audit: Audit) -> bool:
    """Somebody else gets the only use once the reservation is over and somebody has looked."""
    got = accepted(answers, "b")
    late = is_before(audit, "a commit", f"b {LOADED}")
    right = audit.pools.get("voucher/ten/times", 0) == int(got)
    return right and (got or not late) and code(answers["b"][0]) in ("accepted", "voucher_exhausted")


def _money(answers: dict[str, Any], audit: Audit) -> bool:
    return (
        statuses(answers) == ["accepted", "accepted"]
        and given(answers) == [300, 700]
        and audit.pools == {"campaign/first/money": 1700}
    )


def _one_time(answers: dict[str, Any], audit: Audit) -> bool:
    return (
        statuses(answers) == ["accepted", "accepted"]
        and given(answers) == [0, 700]
        and audit.pools == {"campaign/first/times": 2}
    )


def _one_prize(answers: dict[str, Any], audit: Audit) -> bool:
    """The loser of two who draw the mug has the fallback, and not the pen."""
    played = [
        (fact.drawn, fact.given)
        for outcomes in answers.values()
        for fact in outcomes[0].facts
        if isinstance(fact, TicketPlayed)
    ]
    points = sorted(balance.get("available", 0) for balance in audit.balances.values())
    if {drawn for drawn, _given in played} != {"mug"}:  # Once in 500,000 runs.
        return len(played) == 2
    won = sorted(str(given) for _drawn, given in played)
    return won == ["fallback", "mug"] and points == [0, 1] and audit.pools == {"draw/wheel/mug": 2}


def _revoked_or_used(answers: dict[str, Any], audit: Audit) -> bool:
    used = accepted(answers, "a")
    right = used if is_before(audit, "a commit", "b commit") else code(answers["a"][0]) == "voucher_revoked"
    return right and _taken(audit) == [1] * used and audit.pools[f"revoked/{_run(audit)}"] == 1


def _in_the_draw(answers: dict[str, Any], audit: Audit) -> bool:
    """What was sold is in the draw that closed, and nothing else; what was not sold was not paid for."""
    state, entries, tickets = audit.found
    sold = accepted(answers, "a")
    balance = audit.balances[f"m{_run(audit)}a"]
    return (
        state == "closed"
        and entries == tickets == 1 + sold
        and balance == ({} if sold else {"available": 10})
        and code(answers["a"][0]) in ("accepted", "draw_not_open")
    )


def _returned_or_in(answers: dict[str, Any], audit: Audit) -> bool:
    """What is given back while the draw takes tickets is not in it; afterwards it cannot be given back."""
    state, entries, tickets = audit.found
    back = accepted(answers, "a")
    balance = audit.balances[f"m{_run(audit)}a"]
    return (
        state == "closed"
        and entries == tickets == 2 - back
        and balance == ({"available": 10} if back else {})
        and code(answers["a"][0]) in ("accepted", "tickets_stand")
    )


def _claimed_or_passed_on(answers: dict[str, Any], audit: Audit) -> bool:
    """One has the prize: who won and claims it, or the alternate, and then who won does not."""
    awards, won = audit.found
    if accepted(answers, "a"):
        return won == ["claimed"] and awards in (["open"], ["claimed"])
    return code(answers["a"][0]) == "prize_not_open" and won == ["forfeited", "open"] == awards


def _drawn_once(answers: dict[str, Any], audit: Audit) -> bool:
    awards, won = audit.found
    return (awards, won) == (["open"], ["open"])


async def _look_at_prizes(connection: asyncpg.Connection, program: str) -> Any:
    """What became of the prize by the draw's rows, in their order, and by what members have, sorted."""
    rows = await connection.fetch("select status from draw_award where program = $1 order by turn", program)
    parts = await _parts(connection, program)
    return [row["status"] for row in rows], sorted(won.status for part in parts for won in part.won)


async def _parts(connection: asyncpg.Connection, program: str) -> list[Tickets]:
    key = tickets_key("spring")
    rows = await connection.fetch("select document from state where program = $1 and key = $2", program, key)
    parts = [decode_document(key, document) for (document,) in rows]
    return [part for part in parts if isinstance(part, Tickets)]


async def _look_at_spring(connection: asyncpg.Connection, program: str) -> Any:
    """The state of the draw, how many entries it has, and how many tickets members have."""
    row = await connection.fetchrow("select state, entries from draw where program = $1", program)
    assert row is not None
    return row["state"], row["entries"], sum(len(part.numbers) for part in await _parts(connection, program))


# --- the pairs --------------------------------------------------------------------------------------------------------

OFFERS: dict[str, Pair] = {
    "the last piece for two members": Pair(
        MUG.replace("PIECES", "2"),
        lambda n: [*rich(f"m{n}a", f"m{n}b", f"m{n}c"), redeem(f"m{n}c", f"x{n}c")],
        both(redeeming),
        _one_piece,
        fresh_program=True,
        free=ALONE,
    ),
    "a piece that is given back and the next who wants it": Pair(
        MUG.replace("PIECES", "1"),
        lambda n: [*rich(f"m{n}a", f"m{n}b"), redeem(f"m{n}a", f"x{n}")],
        {
            "a": lambda s, n: s.send(submission("redemption_cancel", f"m{n}a", {"redemption": f"x{n}"}, id=f"back{n}")),
            "b": redeeming("b"),
        },
        _piece_that_came_back,
        fresh_program=True,
        free=ALONE,
    ),
    "a redemption and stock corrected below what is held": Pair(
        MUG.replace("PIECES", "2"),
        lambda n: [*rich(f"m{n}a", f"m{n}c"), redeem(f"m{n}c", f"x{n}c")],
        {"a": redeeming("a"), "b": _count_again},
        _counted_again,
        fresh_program=True,
        free=ALONE,
    ),
    "one code for two members": Pair(
        CODES,
        lambda n: enrol(f"m{n}a", f"m{n}b"),
        both(using),
        _code_of_one,
        arrange=listed(),
        free=READING_CODES,
    ),
    "one code reserved by one and used by another": Pair(
        CODES,
        lambda n: enrol(f"m{n}a", f"m{n}b"),
        {"a": lambda s, n: s.send(reserve(f"m{n}a", f"CODE{n}", f"o{n}a")), "b": using("b")},
        _code_of_one,
        arrange=listed(),
        free=READING_CODES,
    ),
    "one voucher for two orders": Pair(
        CODES,
        lambda n: [*enrol(f"m{n}"), submission("voucher_claim", f"m{n}", {"code": f"CODE{n}"}, id=f"claim{n}")],
        both(lambda side: lambda s, n: s.send(use(f"m{n}", f"o{n}{side}", f"CODE{n}"))),
        _voucher_of_one_order,
        arrange=listed(),
    ),
    "the last use of a shared code": Pair(
        SHARED,
        lambda n: [*enrol(f"m{n}a", f"m{n}b", f"m{n}c"), use(f"m{n}c", f"o{n}c", "WELCOME")],
        both(lambda side: using(side, "WELCOME")),
        _last_use,
        fresh_program=True,
        free=READING_CODES,
    ),
    "the last use of a code of a list": Pair(
        CODES,
        lambda n: [*enrol(f"m{n}a", f"m{n}b", f"m{n}c"), use(f"m{n}c", f"o{n}c", f"CODE{n}")],
        both(using),
        _last_use_of_a_list,
        arrange=listed(uses=2),
        free=READING_CODES,
    ),
    "a release and a use for another order": Pair(
        CODES,
        lambda n: [*enrol(f"m{n}"), reserve(f"m{n}", f"CODE{n}", f"o{n}a")],
        {
            "a": lambda s, n: s.send(
                submission("voucher_release", f"m{n}", {"code": f"CODE{n}", "order": f"o{n}a"}, id=f"release{n}")
            ),
            "b": lambda s, n: s.send(use(f"m{n}", f"o{n}b", f"CODE{n}")),
        },
        _released_or_used,
        arrange=listed(),
    ),
    "a use and the end of its reservation": Pair(
        LIMITED,
        lambda n: [*enrol(f"m{n}"), reserve(f"m{n}", f"CODE{n}", f"o{n}")],
        {"a": lambda s, n: s.send(use(f"m{n}", f"o{n}", f"CODE{n}")), "b": _sweep},
        _ended_or_used,
        clocks=(RESERVED_UNTIL - 1, RESERVED_UNTIL),
        fresh_program=True,
        arrange=listed(),
    ),
    "the end of a reservation and another member's use": Pair(
        LIMITED,
        lambda n: [*enrol(f"m{n}a", f"m{n}b"), reserve(f"m{n}a", f"CODE{n}", f"o{n}a")],
        {"a": _sweep, "b": using("b", "OTHER")},
        _ended_for_another,
        clocks=(RESERVED_UNTIL, RESERVED_UNTIL),
        fresh_program=True,
        arrange=listed("OTHER"),
        free=READING_CODES,
    ),
    "a code and the revocation of its batch": Pair(
        CODES,
        lambda n: enrol(f"m{n}a"),
        {"a": using("a"), "b": _revoke},
        _revoked_or_used,
        arrange=listed(),
        free=REVOKING,
    ),
    "a budget in money for two purchases": Pair(
        MONEY,
        lambda n: [*enrol(f"m{n}a", f"m{n}b", f"m{n}c"), discounted(f"m{n}c", f"o{n}c")],
        both(buying),
        _money,
        fresh_program=True,
        free=ALONE,
    ),
    "the last time of a promotion": Pair(
        TIMES,
        lambda n: [*enrol(f"m{n}a", f"m{n}b", f"m{n}c"), discounted(f"m{n}c", f"o{n}c")],
        both(buying),
        _one_time,
        fresh_program=True,
        free=ALONE,
    ),
    "a reserved quote and a purchase of one budget": Pair(
        MONEY,
        lambda n: [*enrol(f"m{n}a", f"m{n}b", f"m{n}c"), discounted(f"m{n}c", f"o{n}c")],
        {"a": quoting("a"), "b": buying("b")},
        _money,
        fresh_program=True,
        free=ALONE,
    ),
    "the last prize of a wheel": Pair(
        WHEEL,
        lambda n: [
            *enrol(f"m{n}a", f"m{n}b", f"m{n}c"),
            *[submission("check_in", f"m{n}{who}", {}, id=f"in{n}{who}", at="2026-06-01") for who in "abc"],
            play(f"m{n}c", f"play{n}c"),
        ],
        both(playing),
        _one_prize,
        fresh_program=True,
        free=PLAYING,
    ),
    "a ticket and the close of its draw": Pair(
        SPRING,
        lambda n: [*rich(f"m{n}a", f"m{n}b"), redeem(f"m{n}b", f"x{n}b", "luck")],
        {"a": lambda s, n: s.send(redeem(f"m{n}a", f"x{n}a", "luck")), "b": _go_on},
        _in_the_draw,
        clocks=(CLOSE - 1, CLOSE),
        fresh_program=True,
        look=_look_at_spring,
        free=CLOSING,
    ),
}

DRAWING: dict[str, Pair] = {
    "a ticket given back and the close of its draw": Pair(
        SPRING,
        lambda n: [*rich(f"m{n}a", f"m{n}b"), *[redeem(f"m{n}{side}", f"x{n}{side}", "luck") for side in "ab"]],
        {
            "a": lambda s, n: s.send(
                submission("redemption_cancel", f"m{n}a", {"redemption": f"x{n}a"}, id=f"back{n}")
            ),
            "b": _go_on,
        },
        _returned_or_in,
        clocks=(CLOSE - 1, CLOSE),
        fresh_program=True,
        look=_look_at_spring,
    ),
    "a claim and the end of its time": Pair(
        SPRING,
        lambda n: [],
        {"a": _claim, "b": _go_on},
        _claimed_or_passed_on,
        clocks=(CLAIMED_UNTIL - 1, CLAIMED_UNTIL),
        fresh_program=True,
        arrange=_draw,
        look=_look_at_prizes,
    ),
    "two servers that go on with a draw": Pair(
        SPRING,
        lambda n: [*rich(f"m{n}a"), redeem(f"m{n}a", f"x{n}", "luck")],
        both(lambda _side: _go_on),
        _drawn_once,
        clocks=(DRAWN_AT, DRAWN_AT),
        fresh_program=True,
        look=_look_at_prizes,
    ),
}
"""Pairs whose one side says so much that their orders can only be sampled."""
