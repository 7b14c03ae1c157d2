"""One request, many activities: each has its own fate, and members keep their order."""

import asyncio
from collections import Counter

import asyncpg
import msgspec
import pytest

from laurels.core.refusal import Refusal
from laurels.intake import settling
from laurels.intake.submission import Outcome, Submission
from tests.stage import asynchronous, purchase, stage, submission


@pytest.mark.parametrize("mode", ["sandbox", "live"])
@asynchronous
async def test_a_thousand_of_which_every_third_is_malformed_refused_or_a_duplicate(laurels_url: str, mode: str) -> None:
    """Case 17: 1,000 activities; 334 of them in turn malformed, refused, or a duplicate of the one before."""
    async with stage(laurels_url, mode=mode) as here:  # type: ignore[arg-type]  # the parameter is a mode
        members = [f"m-{n}" for n in range(100)]
        await here.enrol(*members)
        sent: list[Submission] = []
        expected: list[str] = []
        for n in range(1000):
            member = members[n % 100]
            good = submission("purchase", member, purchase(f"o-{n}", "10.00"), id=f"r-{n}")
            kind = "good" if n % 3 else ("malformed", "refused", "duplicate")[n // 3 % 3]
            if kind == "malformed":
                sent.append(msgspec.structs.replace(good, data=b'{"order": '))
                expected.append("invalid")
            elif kind == "refused":
                sent.append(msgspec.structs.replace(good, member="nobody"))
                expected.append("refused")
            elif kind == "duplicate":
                sent.append(sent[-1])
                expected.append("replayed")
            else:
                sent.append(good)
                expected.append("accepted")
        outcomes = await here.send_all(sent)
        assert [outcome.status for outcome in outcomes] == expected
        assert [outcome.id for outcome in outcomes] == [each.id for each in sent]
        accepted = Counter(expected)["accepted"]
        assert accepted == 666
        assert await here.count("activity") == 100 + accepted
        balances = [(await here.balance(member)).available for member in members]
        assert sum(balances) == accepted * 10


@asynchronous
async def test_the_same_member_twice_in_a_batch_is_decided_on_what_the_first_left(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        await here.give("m-1", 100)
        spend = [
            submission("redemption", "m-1", {"redemption": f"x-{n}", "wallet": "points", "points": 60}, id=f"x-{n}")
            for n in range(2)
        ]
        first, second = await here.send_all(spend)
        assert first.status == "accepted"
        assert second.refusal == Refusal("insufficient_points", "60 wanted, 40 available.")


@asynchronous
async def test_a_return_finds_the_purchase_that_came_just_before_it_in_its_batch(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        bought, back, more = await here.send_all(
            [
                submission("purchase", "m-1", purchase("o-1", "39.80")),
                submission("return", "m-1", {"order": "o-1"}),
                submission("purchase", "m-1", purchase("o-2", "5.00")),
            ]
        )
        assert [bought.status, back.status, more.status] == ["accepted", "accepted", "accepted"]
        assert (await here.balance("m-1")).available == 5


@asynchronous
async def test_an_enrolment_and_what_follows_it_may_share_a_batch(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        outcomes = await here.send_all(
            [
                submission("purchase", "m-1", purchase("o-0", "5.00"), at="2026-02-01"),
                submission("enrol", "m-1", at="2026-02-01"),
                submission("purchase", "m-1", purchase("o-1", "5.00"), at="2026-02-01"),
                submission("enrol", "m-1", at="2026-02-02"),
            ]
        )
        assert [outcome.status for outcome in outcomes] == ["refused", "accepted", "accepted", "refused"]
        assert await here.count("member") == 1


@asynchronous
async def test_the_same_member_in_concurrent_requests_loses_nothing(laurels_url: str) -> None:
    """Case 18: fifty requests at once for one member, in two processes' intakes."""
    async with stage(laurels_url, mode="live") as here, stage(laurels_url, mode="live") as there:
        await here.enrol("m-1")
        tasks = [
            (here, there)[n % 2].send("purchase", "m-1", purchase(f"o-{n}", "10.00"), id=f"r-{n}") for n in range(50)
        ]
        outcomes = await asyncio.gather(*tasks)
        assert {outcome.status for outcome in outcomes} == {"accepted"}
        assert sorted(outcome.seq or 0 for outcome in outcomes) == list(range(2, 52))
        assert (await here.balance("m-1")).available == 500


@asynchronous
async def test_two_processes_enrolling_the_same_member_do_it_once(laurels_url: str) -> None:
    async with stage(laurels_url, mode="live") as here, stage(laurels_url, mode="live") as there:
        tasks = [
            (here, there)[n % 2].send_all(
                [submission("enrol", f"m-{n // 2}", id=f"e-{n}"), submission("enrol", f"x-{n}")]
            )
            for n in range(40)
        ]
        outcomes = [outcome for both in await asyncio.gather(*tasks) for outcome in both]
        contested = [outcome for outcome in outcomes if outcome.member.startswith("m-")]
        assert Counter(outcome.status for outcome in contested) == {"accepted": 20, "refused": 20}
        assert {outcome.refusal.code for outcome in contested if outcome.refusal} == {"already_enrolled"}
        assert {outcome.status for outcome in outcomes if outcome.member.startswith("x-")} == {"accepted"}


async def _until_waiting(owner: asyncpg.Connection, count: int) -> None:
    """Returns when so many connections of the database wait for a lock."""
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while await owner.fetchval(waiting) < count:
            # Within a transaction the server would go on showing what it showed first.
            await owner.execute("select pg_stat_clear_snapshot()")
            await asyncio.sleep(0.01)


@asynchronous
async def test_batches_over_the_same_members_in_opposite_orders_never_wait_in_a_circle(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The member in the middle is held until one batch has the first and waits, and the other one waits, too."""
    monkeypatch.setattr(settling, "PAUSES_MS", ())
    async with stage(laurels_url, lanes=1) as here, stage(laurels_url, lanes=1) as there:
        await here.enrol("m-1", "m-2", "m-3")
        owner = await asyncpg.connect(laurels_url)
        batches: list[asyncio.Task[list[Outcome]]] = []
        async with owner.transaction():
            await owner.execute("select from laurels.member where id = 'm-2' for update")
            for process, members in ((here, ("m-1", "m-2", "m-3")), (there, ("m-3", "m-2", "m-1"))):
                sent = [
                    submission("purchase", member, purchase(f"o-{len(batches)}", "1.00"), id=f"{len(batches)}/{member}")
                    for member in members
                ]
                batches.append(asyncio.create_task(process.send_all(sent)))
                await _until_waiting(owner, len(batches))
        await owner.close()
        answers = await asyncio.gather(*batches, return_exceptions=True)
        assert [isinstance(answer, list) and {each.status for each in answer} for answer in answers] == [
            {"accepted"}
        ] * 2
