"""Transfers: what leaves one member arrives at the other or comes back, once, whatever happens on the way."""

import asyncio
from typing import Any

import pytest

from laurels.core.facts import FollowUp
from laurels.core.refusal import Refusal
from laurels.intake import engine
from laurels.intake.deciding import Pass
from laurels.intake.follow_up import Letter, deliver, open_letters
from laurels.intake.submission import FollowUpOutcome, Outcome, Unavailable
from laurels.store.reading import journal, system_accounts
from tests.intake.again import assert_all_follows_again
from tests.stage import Stage, asynchronous, instant, purchase, stage, submission

SEND = {"to": "m-2", "wallet": "points", "points": 60}


async def in_transit(here: Stage) -> int:
    totals = await system_accounts(here.database, "cafe")
    return sum(total.points for total in totals if total.account == "in_transit")


async def have(here: Stage, *members: str) -> list[int]:
    return [(await here.balance(member)).available for member in members]


@asynchronous
async def test_a_transfer_arrives_with_its_lots_and_both_journals_tell_the_story(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2")
        await here.send("purchase", "m-1", purchase("o-1", "40.00"), at="2026-02-01")
        await here.send("purchase", "m-1", purchase("o-2", "40.00"), at="2026-03-01")
        outcome = await here.send("transfer", "m-1", SEND, id="t-1", at="2026-03-05")
        (sent,) = outcome.follow_ups
        assert (sent.member, sent.status, sent.refusal, sent.compensated) == ("m-2", "accepted", None, False)
        assert await have(here, "m-1", "m-2") == [20, 60]
        assert await in_transit(here) == 0
        received = await journal(here.database, "cafe", "m-2")
        assert [(entry.points, entry.out_of, entry.into, entry.expires_at) for entry in reversed(received)] == [
            (40, "in_transit", "available", instant("2027-02-01")),
            (20, "in_transit", "available", instant("2027-03-01")),
        ]
        gone = await journal(here.database, "cafe", "m-1", limit=1)
        assert [(entry.points, entry.out_of, entry.into) for entry in gone] == [(60, "available", "in_transit")]
        assert await here.database.pool.fetchval("select status from outbox") == "delivered"
        await assert_all_follows_again(here)


@asynchronous
async def test_what_the_other_side_refuses_comes_back_to_its_lots(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        await here.send("purchase", "m-1", purchase("o-1", "80.00"), at="2026-02-01")
        outcome = await here.send("transfer", "m-1", SEND, id="t-1", at="2026-03-05")
        assert outcome.status == "accepted"
        (sent,) = outcome.follow_ups
        assert (sent.status, sent.refusal, sent.compensated) == ("refused", Refusal("unknown_member", "m-2"), True)
        assert await have(here, "m-1") == [80]
        assert await in_transit(here) == 0
        member = await here.intake.look("cafe", "m-1", "lots/")
        assert member is not None
        (lot,) = member.documents["lots/points/0"]  # type: ignore[misc]  # a page of lots is iterable
        assert (lot.points, lot.expires_at) == (80, instant("2027-02-01"))
        await assert_all_follows_again(here)


@asynchronous
async def test_a_replayed_transfer_says_what_became_of_it(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2")
        await here.give("m-1", 100)
        await here.send("transfer", "m-1", SEND, id="t-1")
        await here.send("transfer", "m-1", {**SEND, "to": "m-3"}, id="t-2", at="2026-03-02")
        first = await here.send("transfer", "m-1", SEND, id="t-1")
        refused = await here.send("transfer", "m-1", {**SEND, "to": "m-3"}, id="t-2", at="2026-03-02")
        assert (first.status, [sent.status for sent in first.follow_ups]) == ("replayed", ["accepted"])
        assert refused.refusal == Refusal("insufficient_points", "60 wanted, 40 available.")
        third = await here.send("transfer", "m-1", {**SEND, "to": "m-3", "points": 5}, id="t-3")
        again = await here.send("transfer", "m-1", {**SEND, "to": "m-3", "points": 5}, id="t-3")
        assert again.status == "replayed"
        assert again.follow_ups == third.follow_ups
        assert await have(here, "m-1", "m-2") == [40, 60]


@pytest.fixture
def dead_postman(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The process dies between the commit and the delivery; `undo` brings the post back."""

    async def never(letter: Letter, _submit: object) -> FollowUpOutcome:
        return FollowUpOutcome(letter.member, letter.id, None)

    monkeypatch.setattr(engine, "deliver", never)
    return monkeypatch


@pytest.mark.parametrize("exists", [True, False])
@asynchronous
async def test_after_a_crash_what_was_on_its_way_is_picked_up(
    laurels_url: str, dead_postman: pytest.MonkeyPatch, exists: bool
) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", *(["m-2"] if exists else []))
        await here.give("m-1", 100)
        outcome = await here.send("transfer", "m-1", SEND, id="t-1")
        assert [sent.status for sent in outcome.follow_ups] == [None]
        assert await in_transit(here) == 60
    dead_postman.undo()
    async with stage(laurels_url) as there:
        assert await in_transit(there) == 0
        assert await have(there, "m-1") == [40 if exists else 100]
        assert await there.intake.resume_outbox() == 0
        assert await there.count("activity") == (5 if exists else 4)
        await assert_all_follows_again(there)


@asynchronous
async def test_after_a_crash_between_refusal_and_return_the_points_come_back(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        await here.give("m-1", 100)

        async def half(letter: Letter, submit: Any) -> FollowUpOutcome:
            async def only_delivery(item: Any) -> list[Outcome]:
                if item.submission.type == "transfer_back":
                    raise Unavailable("the process is gone")
                return await submit(item)  # type: ignore[no-any-return]  # it is what `deliver` is given

            return await deliver(letter, only_delivery)

        monkeypatch.setattr(engine, "deliver", half)
        outcome = await here.send("transfer", "m-1", SEND, id="t-1")
        assert [sent.status for sent in outcome.follow_ups] == [None]
        assert await here.database.pool.fetchval("select status from outbox") == "returning"
        monkeypatch.undo()
        await here.enrol("m-2", at="2026-04-01")
        assert await here.intake.resume_outbox() == 1
        assert await have(here, "m-1", "m-2") == [100, 0]
        assert await here.database.pool.fetchval("select status from outbox") == "returned"


async def _refused_here_and_delivered_there(here: Stage, there: Stage) -> list[int]:
    """One process was told no and gives back; another read the letter before, and the member has enrolled since."""
    await here.enrol("m-1")
    await here.give("m-1", 100)
    await here.send("transfer", "m-1", SEND, id="t-1")
    (letter,) = (await open_letters(there.database))["cafe"]
    submit = there.intake._submit

    async def refused_then_late(item: Any) -> list[Outcome]:
        if item.submission.type == "transfer_in":
            answer = await here.intake._submit("cafe", [item])
            await here.enrol("m-2", at="2026-04-01")
            await deliver(letter, lambda late: submit("cafe", [late]))
            return answer
        return await here.intake._submit("cafe", [item])

    await deliver(letter, refused_then_late)
    return [*await have(here, "m-1", "m-2"), await in_transit(here)]


@pytest.mark.usefixtures("dead_postman")
@asynchronous
async def test_giving_back_and_delivering_exclude_each_other(laurels_url: str) -> None:
    async with stage(laurels_url) as here, stage(laurels_url) as there:
        assert await _refused_here_and_delivered_there(here, there) == [100, 0, 0]


@pytest.mark.usefixtures("dead_postman")
@asynchronous
async def test_without_looking_at_the_letter_points_would_be_doubled(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control of the one above."""
    monkeypatch.setattr(Pass, "_settled", lambda _self, _item: None)
    async with stage(laurels_url) as here, stage(laurels_url) as there:
        assert await _refused_here_and_delivered_there(here, there) == [100, 60, -60]


@asynchronous
async def test_many_processes_delivering_at_once_deliver_once(
    laurels_url: str, dead_postman: pytest.MonkeyPatch
) -> None:
    async with stage(laurels_url, mode="live") as here:
        await here.enrol("m-1", "m-2")
        await here.give("m-1", 100)
        for n in range(10):
            await here.send("transfer", "m-1", {**SEND, "points": 5, "to": "m-2" if n % 2 else "m-3"}, id=f"t-{n}")
        dead_postman.undo()
        async with stage(laurels_url, mode="live") as there:
            await asyncio.gather(*[intake.resume_outbox() for intake in (here.intake, there.intake) * 3])
            assert await have(there, "m-1", "m-2") == [75, 25]
            assert await in_transit(there) == 0
            await assert_all_follows_again(there)


@asynchronous
async def test_a_sealed_sender_gets_back_what_was_refused(laurels_url: str, dead_postman: pytest.MonkeyPatch) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        await here.give("m-1", 100)
        await here.send("transfer", "m-1", SEND, id="t-1")
        dead_postman.undo()
        await here.database.pool.execute("update member set sealed_at = 1 where id = 'm-1'")
        assert await here.intake.resume_outbox() == 1
        assert await have(here, "m-1") == [100]


@asynchronous
async def test_transfers_both_ways_at_once_do_not_wait_for_each_other(laurels_url: str) -> None:
    async with stage(laurels_url, mode="live", lanes=3, waiting_most=10) as here:
        names = [f"m-{n}" for n in range(9)]
        await here.enrol(*names)
        for name in names:
            await here.give(name, 100)
        sends = [
            submission("transfer", names[n % 9], {**SEND, "to": names[(n + 4) % 9], "points": 7}, id=f"t-{n}")
            for n in range(9)
        ]
        outcomes = await asyncio.gather(*[here.send_all([one]) for one in sends])
        assert {outcome.follow_ups[0].status for (outcome,) in outcomes} == {"accepted"}
        assert await have(here, *names) == [100] * 9
        assert all(isinstance(outcome.facts[-1], FollowUp) for (outcome,) in outcomes)
