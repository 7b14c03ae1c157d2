"""An activity id is unique for ever: the same again gets its answer again, another one under it is refused."""

import asyncio
from typing import Any

import pytest

from laurels.core.refusal import Refusal
from laurels.intake.submission import Submission
from laurels.store.people import erase
from tests.stage import asynchronous, instant, purchase, stage, submission

CONFLICT = Refusal("activity_conflict")


@asynchronous
async def test_the_same_activity_again_gets_its_first_answer_with_present_balances(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        first = await here.send("purchase", "m-1", purchase("o-1", "39.80"), id="r-1")
        await here.send("purchase", "m-1", purchase("o-2", "10.00"), id="r-2")
        before = await here.rows()
        again = await here.send("purchase", "m-1", purchase("o-1", "39.80"), id="r-1")
        assert again.status == "replayed"
        assert (again.seq, again.version, again.recorded_at) == (first.seq, first.version, first.recorded_at)
        assert again.facts == first.facts
        assert again.member_after is not None
        assert again.member_after.root.wallets["points"].available == 49
        assert await here.rows() == before


@asynchronous
async def test_a_replay_shows_the_member_as_of_now_without_recording_what_fell_due(laurels_url: str) -> None:
    async with stage(laurels_url, mode="live", now="2026-01-01") as here:
        await here.enrol("m-1")
        await here.send("purchase", "m-1", purchase("o-1", "39.80"), id="r-1", at="2026-01-01")
        here.clock.at = instant("2027-02-01")
        before = await here.rows()
        again = await here.send("purchase", "m-1", purchase("o-1", "39.80"), id="r-1", at="2026-01-01")
        assert again.member_after is not None
        assert again.member_after.root.wallets["points"].available == 0  # expired on 2027-01-01
        assert await here.rows() == before


@asynchronous
async def test_another_body_under_an_accepted_id_is_refused_and_writes_nothing(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2")
        sent = submission("purchase", "m-1", purchase("o-1", "39.80"), id="r-1")
        await here.send_all([sent])
        before = await here.rows()
        others = [
            submission("purchase", "m-1", purchase("o-1", "39.81"), id="r-1"),
            submission("purchase", "m-2", purchase("o-1", "39.80"), id="r-1"),
            submission("purchase", "nobody", purchase("o-1", "39.80"), id="r-1"),
            submission("check_in", "m-1", purchase("o-1", "39.80"), id="r-1"),
            submission("purchase", "m-1", purchase("o-1", "39.80"), id="r-1", at="2026-03-02"),
        ]
        assert [outcome.refusal for outcome in await here.send_all(others)] == [CONFLICT] * 5
        assert await here.rows() == before
        assert (await here.send_all([sent]))[0].status == "replayed"


@asynchronous
async def test_the_same_id_from_another_source_is_another_activity(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        outcomes = await here.send_all(
            [submission("purchase", "m-1", purchase(f"o-{s}", "1.00"), id="r-1", source=s) for s in ("pos", "web")]
        )
        assert [outcome.status for outcome in outcomes] == ["accepted", "accepted"]


@asynchronous
async def test_replay_and_conflict_survive_a_restart(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        first = await here.send("purchase", "m-1", purchase("o-1", "39.80"), id="r-1")
    async with stage(laurels_url) as there:
        again = await there.send("purchase", "m-1", purchase("o-1", "39.80"), id="r-1")
        assert (again.status, again.facts) == ("replayed", first.facts)
        other = await there.send("purchase", "m-1", purchase("o-1", "1.00"), id="r-1")
        assert other.refusal == CONFLICT


ONE = b'{"order":"o","lines":[{"line":"1","amount":"1.00"}]}'


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (ONE, b'{ "lines": [{"amount":"1.00","line":"1"}],"order":"o" }', True),
        (ONE, b'{"order":"o","lines":[{"line":"1","amount":"1.00","tags":[],"quantity":"1"}]}', True),
        (ONE, b'{"order":"o","lines":[{"line":"1","amount":"1.01"}]}', False),
        (ONE.replace(b'"o"', b'"\\u5496"'), ONE.replace(b'"o"', '"咖"'.encode()), True),
    ],
)
@asynchronous
async def test_bodies_are_compared_by_value(laurels_url: str, first: bytes, second: bytes, same: bool) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        sent = [Submission("pos", "r-1", "purchase", "m-1", instant("2026-03-01"), body) for body in (first, second)]
        assert (await here.send_all(sent[:1]))[0].status == "accepted"
        (outcome,) = await here.send_all(sent[1:])
        assert (outcome.status == "replayed") == same
        assert (outcome.refusal == CONFLICT) == (not same)


@asynchronous
async def test_a_duplicate_within_a_batch_is_a_replay_or_a_conflict(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2")
        outcomes = await here.send_all(
            [
                submission("purchase", "m-1", purchase("o-1", "39.80"), id="r-1"),
                submission("purchase", "m-1", purchase("o-1", "39.80"), id="r-1"),
                submission("purchase", "m-1", purchase("o-1", "1.00"), id="r-1"),
                submission("purchase", "m-2", purchase("o-1", "39.80"), id="r-1"),
            ]
        )
        assert [outcome.status for outcome in outcomes] == ["accepted", "replayed", "refused", "refused"]
        assert [outcome.refusal for outcome in outcomes[2:]] == [CONFLICT, CONFLICT]
        assert outcomes[1].facts == outcomes[0].facts
        assert await here.count("activity") == 3


@asynchronous
async def test_a_refused_activity_leaves_its_id_free(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        back = submission("return", "m-1", {"order": "o-1"}, id="back", at="2026-03-02")
        assert (await here.send_all([back]))[0].refusal == Refusal("unknown_order", "o-1")
        await here.send("purchase", "m-1", purchase("o-1", "39.80"))
        assert (await here.send_all([back]))[0].status == "accepted"


@asynchronous
async def test_within_a_batch_a_refused_id_may_come_again(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        back = submission("return", "m-1", {"order": "o-1"}, id="back", at="2026-03-02")
        outcomes = await here.send_all([back, submission("purchase", "m-1", purchase("o-1", "39.80")), back, back])
        assert [outcome.status for outcome in outcomes] == ["refused", "accepted", "accepted", "replayed"]


@pytest.mark.parametrize("mode", ["sandbox", "live"])
@asynchronous
async def test_the_same_id_for_two_members_at_once_is_accepted_once(laurels_url: str, mode: Any) -> None:
    """In different lanes nothing but the index stands between them."""
    async with stage(laurels_url, mode=mode, lanes=4) as here:
        await here.enrol(*[f"m-{n}" for n in range(40)])
        sent = [submission("purchase", f"m-{n}", purchase("o-1", "1.00"), id="r-1") for n in range(40)]
        outcomes = await asyncio.gather(*[here.send_all([one]) for one in sent])
        statuses = [outcome.status for (outcome,) in outcomes]
        assert sorted(statuses) == ["accepted"] + ["refused"] * 39
        assert {outcome.refusal for (outcome,) in outcomes if outcome.status == "refused"} == {CONFLICT}
        assert await here.database.pool.fetchval("select count(*) from activity where id = 'r-1'") == 1


@asynchronous
async def test_after_a_text_was_erased_a_replay_with_any_text_in_its_place_is_the_same(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        data = {"wallet": "points", "points": 5, "reason": "She called Anna at home."}
        await here.send("adjustment", "m-1", data, id="a-1")
        assert await erase(here.database, here.clock, "cafe", "m-1")
        assert (await here.send("adjustment", "m-1", {**data, "reason": "Whatever."}, id="a-1")).status == "replayed"
        other = await here.send("adjustment", "m-1", {**data, "points": 6}, id="a-1")
        assert other.refusal == CONFLICT
        fresh = await here.send("adjustment", "m-1", data, id="a-2")
        assert fresh.refusal == Refusal("member_sealed")
