"""The laws of what members get, as properties over random programs and histories of rewards, vouchers and the like.

After every step pools and limits are counted anew from what members have (`tallies`), every sum that an answer states
is added up, and deciding with more loaded must decide the same. LAURELS_DEEP goes on for as long as it takes; what it
finds is a seed, with which the function behind the property lives the same history again.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, settings

from laurels.core.facts import OrderReturned, QuoteReserved, decode_facts
from laurels.core.member import History, IssuedVoucher, Order, Quote, Redemption, Tickets, Vouchers
from tests.core.harness import World, lots_of
from tests.core.histories import SEEDS, money
from tests.core.shopping import IMPORTED, LoadedWorld, Shop, history_of, offers_of
from tests.core.tallies import Tally, check_claims, check_orders, check_sums, check_vouchers, limits_of

DEEP = bool(os.environ.get("LAURELS_DEEP"))


def examples(brief: int, deep: int) -> settings:
    """So many examples, always the same ones unless it goes on for long."""
    return settings(
        max_examples=deep if DEEP else brief,
        deadline=None,
        derandomize=not DEEP,
        suppress_health_check=list(HealthCheck),
        database=None,
        report_multiple_bugs=False,
        phases=(Phase.generate,),  # There is no simpler seed.
    )


@examples(20, 1500)
@given(SEEDS)
def test_every_step_keeps_the_laws_and_the_whole_is_the_fold_of_its_facts(seed: int) -> None:
    live(seed)


def live(seed: int, steps: int = 30) -> Shop:
    shop = Shop(seed, world=LoadedWorld)
    for step in history_of(Random(~seed), steps):
        answer = shop.take(step)
        for stored in shop.world.members.values():
            for each in stored.recorded[-3:]:
                check_sums(shop.world, each.activity.data, decode_facts(each.facts))
        if answer.of(OrderReturned):
            assert not any(entry.out_of == "issuance" and entry.kind != "redemption" for entry in answer.entries), (
                "a return yields points"
            )
        Tally(shop.world).check()
        check_vouchers(shop.world)
        check_claims(shop.world)
        check_orders(shop.world)
    for member in shop.world.members:
        shop.world.replay(member)
    return shop


# --- as if it had never been ------------------------------------------------------------------------------------------


@examples(12, 1000)
@given(SEEDS)
def test_an_order_that_comes_back_leaves_things_as_if_it_had_never_been_bought(seed: int) -> None:
    there_and_back(seed)


def there_and_back(seed: int) -> None:
    shop, n = lived(seed, 15)
    cart = shop.cart("m", n, "last")
    before = shop.world
    after = before.fork()
    if n[0] % 3:
        quoted = shop.send("m", "quote", {"quote": "last", "cart": cart}, world=before.fork())
        if quoted.refusal is not None:
            return
        cart = shop.as_paid(cart, offers_of(quoted))
    elif n[0] % 2:
        reserved = shop.send("m", "quote", {"quote": "last", "cart": cart, "reserve": True}, world=after)
        if reserved.refusal is not None:
            return
        (fact,) = reserved.of(QuoteReserved)
        cart = shop.as_paid(cart, () if fact.priced is None else fact.priced.offers, "last")
    if shop.buy("m", cart, world=after).refusal is not None:
        return
    in_pieces = n[1] % 2
    if in_pieces:
        for _ in range(1 + n[2] % 3):
            line = {"line": str(1 + n[3] % 4), "amount": money(n[4] % 500)}
            shop.send("m", "return", {"order": "last", "lines": [line]}, world=after)
            n = n[1:] + n[:1]
    shop.send("m", "return", {"order": "last"}, world=after)
    Tally(after).check()
    check_orders(after)
    assert of_everybody(after) == of_everybody(before)
    had, has = vouchers_of(before), vouchers_of(after)
    split = [code for code in had if code in has and has[code] != had[code]]
    assert set(had) <= set(has)
    if not in_pieces:
        assert not split
    order = after.members["m"].read("order/last")
    assert isinstance(order, Order)
    for code in split:
        # What began to come back as a new voucher comes back so, and all of it does.
        kept = after.members["m"].read(f"voucher/{code}")
        assert isinstance(kept, IssuedVoucher)
        assert kept.status == "redeemed"
        assert order.vouchers.get(code, 0) in (0, kept.amount)
        of_kind = after.versions.judging(after.now).vouchers.get(kept.voucher)
        assert of_kind is None or order.vouchers.get(code, 0) == kept.amount
    for code in set(has) - set(had):
        found = after.members["m"].read(f"voucher/{code}")
        assert isinstance(found, IssuedVoucher)
        assert found.reason in ("code", "split"), found


def lived(seed: int, steps: int) -> tuple[Shop, tuple[int, ...]]:
    """A shop with a past, in which nothing is redeemed by itself, and chance for what comes."""
    chance = Random(~seed)
    shop = Shop(seed, automatic=False)
    shop.world.checks = False
    for step in history_of(chance, steps):
        shop.take(step)
    shop.world.checks = True
    shop.steps += 1
    for member in shop.world.members:
        shop.send(member, "clock", {})
    return shop, tuple(chance.randrange(10**6) for _ in range(8))


def of_everybody(world: World) -> Any:
    """Pools but those of codes that somebody took for good, and what members have and may."""
    single = {f"code/{code}" for code, each in world.codes.items() if each.uses == 1}
    pools = {pool: used for pool, used in world.pools.items() if used and pool not in single}
    members = {}
    for id, stored in world.members.items():
        root = stored.all().root
        balances = {
            wallet: (each.available, each.pending, each.held, each.debt)
            for wallet, each in root.wallets.items()
            if each.available or each.pending or each.held or each.debt
        }
        tickets = {
            key: len(each.ready if key == "draw/wheel" else each.numbers)
            for key, each in stored.all().documents.items()
            if isinstance(each, Tickets) and each.numbers
        }
        limits = limits_of(stored)
        members[id] = (balances, tickets, limits, root.quotes, root.holds)
    return pools, members


def vouchers_of(world: World) -> dict[str, Any]:
    """The vouchers of a member that can be used, and what keeps them."""
    return {
        key.partition("/")[2]: (each.status, each.order, each.expires_at, each.worth, each.limits, each.pools)
        for key, each in world.members["m"].all().documents.items()
        if isinstance(each, IssuedVoucher) and (each.status in ("issued", "reserved") or each.order == "last")
        and not (each.status == "redeemed" and each.order != "last")
    }  # fmt: skip


@examples(12, 1000)
@given(SEEDS)
def test_a_quote_that_timed_out_leaves_things_as_if_nobody_had_asked(seed: int) -> None:
    timed_out(seed)


def timed_out(seed: int) -> None:
    shop, n = lived(seed, 12)
    cart = shop.cart("m", n, "last")
    before, after = shop.world, shop.world.fork()
    reserved = shop.send("m", "quote", {"quote": "last", "cart": cart, "reserve": True}, world=after)
    if reserved.refusal is not None:
        return
    (fact,) = reserved.of(QuoteReserved)
    before.now = after.now = fact.until
    for member in before.members:
        for world in (before, after):
            shop.steps += 1
            shop.send(member, "clock", {}, world=world)
    Tally(after).check()
    assert of_everybody(after) == of_everybody(before)
    had, has = vouchers_of(before), vouchers_of(after)
    assert {code: each for code, each in has.items() if code in had} == had
    assert all(IMPORTED[code].uses == 1 for code in set(has) - set(had)), "a code that was nobody's stays the member's"


# --- it makes no difference -------------------------------------------------------------------------------------------


@examples(8, 800)
@given(SEEDS)
def test_it_makes_no_difference_how_often_a_sweep_ran(seed: int) -> None:
    swept(seed)


def swept(seed: int) -> None:
    chance = Random(~seed)
    rarely, often = Shop(seed, automatic=False), Shop(seed, automatic=False)
    rarely.world.checks = False
    for drawn in history_of(chance, 25):
        # What another member's quote holds of a budget, it holds until that member is looked at.
        step = msgspec.structs.replace(drawn, member="m")
        begin = often.world.now
        for share in sorted(chance.randint(0, 100) for _ in range(2)):
            for member in often.world.members:
                often.world.clock(begin + step.after * share // 100, member)
        often.world.now = rarely.world.now
        assert rarely.take(step).code == often.take(step).code, step
    for member in rarely.world.members:
        for shop in (rarely, often):
            shop.world.clock(shop.world.now, member)
        assert normal(rarely.world, member) == normal(often.world, member)
    assert +rarely.world.pools == +often.world.pools


def normal(world: World, member: str) -> Any:
    """A member's state without what counts activities."""
    looked = world.members[member].all()
    root = looked.root
    wallets = {
        id: (
            (balance.available, balance.pending, balance.held, balance.debt, balance.earned, balance.expires_at),
            sorted((lot.points, lot.earned_at, lot.expires_at or 0) for lot in lots_of(looked, id)),
        )
        for id, balance in root.wallets.items()
    }
    rest = (root.tracks, root.cooldowns, root.counters, root.holds, root.quotes, root.vouchers_at, root.draws)
    documents = {
        key: each
        for key, each in looked.documents.items()
        if isinstance(each, IssuedVoucher | Vouchers | Quote | Tickets | History)
    }
    ended = {
        key: (each.status, each.ended_at, each.spent, each.restored, each.steps, each.vouchers)
        for key, each in looked.documents.items()
        if isinstance(each, Redemption)
    }
    return wallets, rest, limits_of(world.members[member]), documents, ended
