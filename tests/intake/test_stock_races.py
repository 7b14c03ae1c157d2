"""The last piece is given once, whoever wants it, and stock that was put right meanwhile is what counts."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from laurels.intake.batch import Batch
from laurels.intake.deciding import Pass
from laurels.intake.submission import Outcome
from laurels.proof.verifying import verify
from laurels.store.reading import pools
from laurels.store.stock import correct
from tests.intake.again import assert_all_follows_again
from tests.stage import asynchronous, instant, stage, submission

SHOP = """
program: cafe
time_zone: UTC
currency: CNY
wallets:
  points: {expires: never}
causes:
  trees: {yearly: 1000}
rewards:
  mug: {gives: goods, price: {wallet: points, points: 10}, stock: STOCK}
  self: {gives: goods, price: {wallet: points, points: 10}, stock: STOCK, automatic: 10}
  tree: {gives: {donation: trees}, price: {wallet: points, points: 300}}
campaigns:
  base: {on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}
"""


def shop(stock: int) -> str:
    return SHOP.replace("STOCK", str(stock))


def redeem(member: str, reward: str = "mug", quantity: int = 1) -> dict[str, Any]:
    return {"redemption": f"{reward}-{member}", "reward": reward, "quantity": quantity}


def codes(outcomes: list[Outcome]) -> dict[str, int]:
    return dict(Counter(outcome.refusal.code if outcome.refusal else outcome.status for outcome in outcomes))


async def _race(url: str, members: int, stock: int, reward: str = "mug") -> dict[str, int]:
    """Everybody wants a piece at once, in two processes: what became of it, by code."""
    options: dict[str, Any] = {"mode": "live", "document": shop(stock), "lanes": 4}
    async with stage(url, **options) as here, stage(url, **options) as there:
        names = [f"m-{n}" for n in range(members)]
        await here.enrol(*names)
        await asyncio.gather(*[here.give(name, 1000) for name in names])
        outcomes = await asyncio.gather(
            *[(here, there)[n % 2].send("redemption", name, redeem(name, reward)) for n, name in enumerate(names)]
        )
        await assert_all_follows_again(here)
        return codes(list(outcomes))


@asynchronous
async def test_two_members_redeem_the_last_piece_and_one_gets_it(laurels_url: str) -> None:
    found = await _race(laurels_url, 2, 1)
    assert found == {"accepted": 1, "out_of_stock": 1}
    async with stage(laurels_url, mode="live", document=shop(1)) as again:
        assert (await pools(again.database, "cafe"))["reward/mug/stock"] == 1
        assert (await verify(again.url, again.database, again.clock)).differences == []


@asynchronous
async def test_forty_members_redeem_seven_pieces_and_seven_get_one(laurels_url: str) -> None:
    found = await _race(laurels_url, 40, 7)
    assert found == {"accepted": 7, "out_of_stock": 33}


@asynchronous
async def test_a_cause_is_credited_up_to_its_total_however_many_give_at_once(laurels_url: str) -> None:
    found = await _race(laurels_url, 10, 1, "tree")
    assert found == {"accepted": 3, "cause_complete": 7}


@asynchronous
async def test_without_claiming_under_the_lock_both_would_get_the_last_piece(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control: everybody reads what is left before anybody takes it."""

    async def claim_nothing(batch: Batch, decided: Pass) -> Pass:
        await batch._create_pools(decided.claims)
        await asyncio.sleep(0.2)
        return decided

    monkeypatch.setattr(Batch, "_claim", claim_nothing)
    found = await _race(laurels_url, 2, 1)
    assert found == {"accepted": 2}


@asynchronous
async def test_stock_corrected_between_decision_and_claim_is_decided_again(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide, times = Batch._decide, 0
    async with stage(laurels_url, mode="live", document=shop(1)) as here:
        await here.enrol("m")
        await here.give("m", 10)

        async def decide_and_lose(batch: Batch) -> Pass:
            nonlocal times
            times += 1
            found = await decide(batch)
            if times == 1:
                await correct(here.database, "cafe", "reward/mug/stock", "c", 1, "broken", "office", 1)
            return found

        monkeypatch.setattr(Batch, "_decide", decide_and_lose)
        outcome = await here.send("redemption", "m", redeem("m"))
        assert (times, codes([outcome])) == (2, {"out_of_stock": 1})
        monkeypatch.setattr(Batch, "_decide", decide)
        assert (await verify(here.url, here.database, here.clock)).differences == []


@asynchronous
async def test_what_members_chose_within_a_batch_sees_what_those_before_took(laurels_url: str) -> None:
    """The choice, and the purchase that brings it about, come in one batch: what is left is looked up on the way."""
    async with stage(laurels_url, document=shop(3)) as here:
        names = [f"m-{n}" for n in range(3)]
        await here.enrol(*names)
        choose = {"reward": "self", "automatic": True}
        buy = {"order": "o", "lines": [{"line": "1", "amount": "20.00"}]}
        sent = [
            submission(type, name, data) for name in names for type, data in (("choice", choose), ("purchase", buy))
        ]
        assert {outcome.status for outcome in await here.send_all(sent)} == {"accepted"}
        assert [(await here.balance(name)).available for name in names] == [0, 10, 20]
        assert (await pools(here.database, "cafe")) == {"reward/self/stock": 3}
        assert (await verify(here.url, here.database, here.clock)).differences == []


@asynchronous
async def test_a_year_that_begins_within_a_batch_has_a_total_of_its_own(laurels_url: str) -> None:
    """The clock moves with what comes in, so that nobody knows before which year's total is looked at."""
    async with stage(laurels_url, document=shop(3)) as here:
        await here.enrol("m", "n")
        for name in ("m", "n"):
            await here.give(name, 5000)
        sent = [
            submission("redemption", "m", redeem("m", "tree", 3), at="2026-12-31"),
            submission("redemption", "n", redeem("n", "tree", 3), at="2027-01-01"),
            submission("redemption", "m", {**redeem("m", "tree"), "redemption": "more"}, at="2027-01-02"),
        ]
        assert codes(await here.send_all(sent)) == {"accepted": 2, "cause_complete": 1}
        assert (await pools(here.database, "cafe")) == {"cause/trees/2026": 900, "cause/trees/2027": 900}


@asynchronous
async def test_a_pool_that_only_a_later_version_looks_at_is_looked_up_on_the_way(laurels_url: str) -> None:
    """Three mugs were given, then they were not counted for a while, and a batch comes to when they are again."""
    async with stage(laurels_url, document=shop(3)) as here:
        await here.enrol("m", "n")
        for name in ("m", "n"):
            await here.give(name, 100)
        await here.send("redemption", "m", {**redeem("m", quantity=3), "hold": False}, at="2026-01-10")
        uncounted = SHOP.replace(", stock: STOCK", "")
        await here.publish(uncounted, instant("2026-02-01"))
        await here.publish(shop(3), instant("2026-03-01"))
        sent = [
            submission("purchase", "m", {"order": "o", "lines": [{"line": "1", "amount": "1.00"}]}, at="2026-03-02"),
            submission("redemption", "n", redeem("n"), at="2026-02-15"),
        ]
        assert codes(await here.send_all(sent)) == {"accepted": 1, "out_of_stock": 1}
