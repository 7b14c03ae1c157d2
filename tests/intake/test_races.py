"""Nothing is spent twice and nothing is exceeded, whoever comes at the same time (case 13).

Two intakes on one database stand for two processes. Each guard is taken away once, to see that its test would notice.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from laurels.intake.batch import READ_MEMBERS, Batch
from laurels.intake.deciding import Pass
from laurels.intake.submission import Outcome
from laurels.store import recording
from laurels.store.reading import pools
from tests.intake.again import assert_all_follows_again
from tests.stage import Stage, asynchronous, purchase, stage, submission


def statuses(outcomes: Sequence[Outcome]) -> dict[str, int]:
    return dict(Counter(outcome.status for outcome in outcomes))


async def _race_for_the_last_points(
    url: str, begin: Callable[[], None] = lambda: None, **options: Any
) -> tuple[list[Outcome], int]:
    """Two processes spend the same 100 points at once; the outcomes, and how many were spent by the journal."""
    async with stage(url, mode="live", **options) as here, stage(url, mode="live", **options) as there:
        await here.enrol("m-1")
        await here.give("m-1", 100)
        spend = {"wallet": "points", "points": 100, "hold": False}
        begin()
        outcomes = await asyncio.gather(
            here.send("redemption", "m-1", {**spend, "redemption": "x"}, id="x"),
            there.send("redemption", "m-1", {**spend, "redemption": "y"}, id="y"),
        )
        spent = await here.database.pool.fetchval(
            "select sum(points)::bigint from entry where into_account = 'redemption'"
        )
        return list(outcomes), spent


@pytest.fixture
def slow_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading and writing there is time for everybody else to read too."""
    load = Batch._load

    async def slowly(self: Batch) -> None:
        await load(self)
        await asyncio.sleep(0.1)

    monkeypatch.setattr(Batch, "_load", slowly)


@pytest.mark.usefixtures("slow_loading")
@asynchronous
async def test_two_redemptions_race_for_the_last_points_and_one_wins(laurels_url: str) -> None:
    outcomes, spent = await _race_for_the_last_points(laurels_url)
    assert statuses(outcomes) == {"accepted": 1, "refused": 1}
    assert {outcome.refusal.code for outcome in outcomes if outcome.refusal} == {"insufficient_points"}
    assert spent == 100


@pytest.mark.usefixtures("slow_loading")
@asynchronous
async def test_without_the_lock_the_gapless_number_still_lets_only_one_win(laurels_url: str) -> None:
    outcomes, spent = await _race_for_the_last_points(laurels_url, lock_members=READ_MEMBERS)
    # The other may have met a page that its winner had emptied: then it is answered as a defect, and wrote nothing.
    assert statuses(outcomes)["accepted"] == 1
    assert spent == 100


@pytest.fixture
def reading_together(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when it is called, nobody writes before two have read."""
    load, both = Batch._load, asyncio.Barrier(2)

    async def together(self: Batch) -> None:
        await load(self)
        await asyncio.wait_for(both.wait(), 30)

    return lambda: monkeypatch.setattr(Batch, "_load", together)


@asynchronous
async def test_without_lock_and_number_the_race_would_spend_twice(
    laurels_url: str, reading_together: Callable[[], None]
) -> None:
    """The positive control of the two above."""
    async with stage(laurels_url, mode="live") as here:
        owner = await _owner(here)
        for table in ("activity", "entry"):
            await owner.execute(f"alter table laurels.{table} drop constraint {table}_pkey")
        await owner.close()
    outcomes, spent = await _race_for_the_last_points(laurels_url, reading_together, lock_members=READ_MEMBERS)
    assert statuses(outcomes) == {"accepted": 2}
    assert spent == 200


async def _owner(here: Stage) -> Any:
    import asyncpg  # noqa: PLC0415 - nobody else in this file goes around the store

    return await asyncpg.connect(here.url)


BUDGET = """
program: cafe
time_zone: UTC
currency: CNY
wallets:
  points: {expires: never}
campaigns:
  beans:
    on: purchase
    grant: {wallet: points, points: 1, per: "1.00"}
    limits:
      - {budget: LIMIT, over: OVER}
"""


def budget(limit: str, over: str) -> str:
    return BUDGET.replace("LIMIT", limit).replace("OVER", over)


async def _race_for_a_budget(url: str, document: str, members: int, amount: str) -> tuple[list[int], int, int]:
    """Everybody buys at once in two processes: what each got, what the pool says, how many decisions were checked."""
    options: dict[str, Any] = {"mode": "live", "document": document, "lanes": 4}
    async with stage(url, **options) as here, stage(url, **options) as there:
        names = [f"m-{n}" for n in range(members)]
        await here.enrol(*names)
        outcomes = await asyncio.gather(
            *[(here, there)[n % 2].send("purchase", name, purchase("o", amount)) for n, name in enumerate(names)]
        )
        assert statuses(outcomes) == {"accepted": members}
        got = [(await here.balance(name)).available for name in names]
        used = (await pools(here.database, "cafe")).popitem()[1]
        return got, used, await assert_all_follows_again(here)


@asynchronous
async def test_a_hundred_awards_race_for_the_last_unit_of_a_budget_and_one_gets_it(laurels_url: str) -> None:
    got, used, _checked = await _race_for_a_budget(laurels_url, budget("times, of: 1", "refuse"), 100, "10.00")
    assert sorted(got) == [0] * 99 + [10]
    assert used == 1


@asynchronous
async def test_a_trimmed_budget_is_used_up_to_the_point(laurels_url: str) -> None:
    """1,234 points for 100 who would get 37 each: 33 whole, one trimmed to 13, nothing for 66."""
    got, used, checked = await _race_for_a_budget(laurels_url, budget("points, of: 1234", "trim"), 100, "37.00")
    assert Counter(got) == {37: 33, 13: 1, 0: 66}
    assert used == 1234
    assert checked == 200


@asynchronous
async def test_without_locking_pools_the_race_would_exceed_the_budget(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control: everybody reads what is left before anybody takes it."""

    async def claim_nothing(_self: Batch, decided: Pass) -> Pass:
        await asyncio.sleep(0.1)
        return decided

    monkeypatch.setattr(Batch, "_claim", claim_nothing)
    async with stage(laurels_url, mode="live", document=budget("times, of: 1", "refuse")) as here:
        # The pool has a row already, or what is taken from it would be lost altogether.
        await here.database.pool.execute("insert into pool values ('cafe', 'campaign/beans/times', 0)")
    got, used, _checked = await _race_for_a_budget(laurels_url, budget("times, of: 1", "refuse"), 100, "10.00")
    assert sum(got) > 10
    assert used > 1


@asynchronous
async def test_what_a_return_gives_back_to_a_budget_can_be_taken_again_but_not_twice(laurels_url: str) -> None:
    """A budget of 100: ten have taken 10 each. While five return, ten others buy: the budget is never exceeded."""
    document = budget("points, of: 100", "trim")
    options: dict[str, Any] = {"mode": "live", "document": document, "lanes": 3}
    async with stage(laurels_url, **options) as here, stage(laurels_url, **options) as there:
        first = [f"a-{n}" for n in range(10)]
        second = [f"b-{n}" for n in range(10)]
        await here.enrol(*first, *second)
        await asyncio.gather(*[here.send("purchase", name, purchase("o", "10.00")) for name in first])
        await asyncio.gather(
            *[there.send("return", name, {"order": "o"}, at="2026-03-02") for name in first[:5]],
            *[here.send("purchase", name, purchase("o", "10.00")) for name in second],
        )
        have = sum([(await here.balance(name)).available for name in first + second])
        used = await pools(here.database, "cafe")
        assert used == {"campaign/beans/points": have}
        assert 50 <= have <= 100
        await assert_all_follows_again(here)


async def _race_between_decision_and_write(
    url: str, monkeypatch: pytest.MonkeyPatch, of: int, taken: int
) -> tuple[int, int]:
    """Others take of a budget after a purchase worth 10 was decided: how often it was decided, and what it got."""
    times = 0
    decide = Batch._decide
    async with stage(url, mode="live", document=budget(f"points, of: {of}", "trim")) as here:
        await here.enrol("m")
        await here.database.pool.execute("insert into pool values ('cafe', 'campaign/beans/points', 0)")

        async def decide_and_lose(batch: Batch) -> Pass:
            nonlocal times
            times += 1
            found = await decide(batch)
            if times == 1:
                await here.database.pool.execute("update pool set used = used + $1", taken)
            return found

        monkeypatch.setattr(Batch, "_decide", decide_and_lose)
        await here.send("purchase", "m", purchase("o", "10.00"))
        monkeypatch.setattr(Batch, "_decide", decide)
        got = (await here.balance("m")).available
        assert await pools(here.database, "cafe") == {"campaign/beans/points": taken + got}
        await assert_all_follows_again(here)
        return times, got


@pytest.mark.parametrize(
    ("of", "taken", "times", "got"),
    [
        # 995 are left, and nobody looks again.
        (1000, 5, 1, 10),
        # 7 are left: the pool was locked before the write, and the purchase decided again.
        (12, 5, 2, 7),
        # 4 are left of what had been ample: the write is refused, and the whole batch done again.
        (1000, 996, 2, 4),
    ],
)
@asynchronous
async def test_a_batch_is_decided_again_only_where_a_budget_came_up_short(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch, of: int, taken: int, times: int, got: int
) -> None:
    assert await _race_between_decision_and_write(laurels_url, monkeypatch, of, taken) == (times, got)


@asynchronous
async def test_without_the_guard_in_the_write_an_ample_budget_would_be_exceeded(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control of the last case."""
    guarded = "case when p.used <= w.at_most then p.used + w.by end"
    assert guarded in recording.RECORD
    monkeypatch.setattr(recording, "RECORD", recording.RECORD.replace(guarded, "p.used + w.by"))
    assert await _race_between_decision_and_write(laurels_url, monkeypatch, 1000, 996) == (1, 10)


@asynchronous
async def test_within_a_batch_each_sees_what_those_before_took(laurels_url: str) -> None:
    async with stage(laurels_url, document=budget("points, of: 25", "trim")) as here:
        names = [f"m-{n}" for n in range(5)]
        await here.enrol(*names)
        await here.send_all([submission("purchase", name, purchase("o", "10.00")) for name in names])
        assert [(await here.balance(name)).available for name in names] == [10, 10, 5, 0, 0]
        rows = await here.database.pool.fetch(
            "select circumstances from activity where type = 'purchase' order by member"
        )
        assert [row[0] for row in rows] == [
            None,
            '{"pools":{"campaign/beans/points":10}}',
            '{"pools":{"campaign/beans/points":20}}',
            '{"pools":{"campaign/beans/points":25}}',
            '{"pools":{"campaign/beans/points":25}}',
        ]
        await assert_all_follows_again(here)
