"""When the database will not have a batch: what is tried again, what is split, and what is given up."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import pytest

from laurels.core import decide as deciding
from laurels.intake import deciding as intake_deciding
from laurels.intake import settling
from laurels.intake.admission import Item
from laurels.intake.batch import Batch
from laurels.intake.deciding import Accepted
from laurels.intake.submission import Outcome, Unavailable
from laurels.store.recording import Recording
from tests.stage import asynchronous, purchase, stage, submission

Record = Callable[[Batch], Any]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "PAUSES_MS", (0, 0, 0, 0, 0))


def failing(monkeypatch: pytest.MonkeyPatch, times: int, error: Exception, *, after: bool = False) -> list[int]:
    """The next `times` batches fail, before they begin or after they have committed; counts attempts."""
    record: Record = Batch.record
    attempts = [0]

    async def fails(self: Batch) -> Mapping[Item, Outcome]:
        attempts[0] += 1
        if attempts[0] > times:
            return await record(self)  # type: ignore[no-any-return]  # what the batch returns
        if after:
            await record(self)
        raise error

    monkeypatch.setattr(Batch, "record", fails)
    return attempts


@pytest.mark.parametrize(
    "kind", [asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError]
)
@asynchronous
async def test_a_conflict_is_tried_again(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        attempts = failing(monkeypatch, 3, kind("as tests have it"))
        assert (await here.send("purchase", "m-1", purchase("o", "1.00"))).status == "accepted"
        assert attempts == [4]


@asynchronous
async def test_attempts_are_bounded_and_the_request_may_come_again(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        attempts = failing(monkeypatch, 6, asyncpg.DeadlockDetectedError("as tests have it"))
        with pytest.raises(Unavailable):
            await here.send("purchase", "m-1", purchase("o", "1.00"))
        assert attempts == [6]
        assert (await here.send("purchase", "m-1", purchase("o", "1.00"))).status == "accepted"


@asynchronous
async def test_a_commit_that_went_through_unheard_is_not_done_twice(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        failing(monkeypatch, 1, asyncpg.ConnectionDoesNotExistError("as tests have it"), after=True)
        outcome = await here.send("purchase", "m-1", purchase("o", "7.00"))
        assert (outcome.status, outcome.seq) == ("replayed", 2)
        assert (await here.balance("m-1")).available == 7


@asynchronous
async def test_a_lane_whose_connection_was_cut_gets_another(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        owner = await asyncpg.connect(here.url)
        killed = await owner.fetch(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
            "and pid <> pg_backend_pid() and query like '%' "
        )
        await owner.close()
        assert len(killed) >= 2
        assert (await here.send("purchase", "m-1", purchase("o", "7.00"))).status == "accepted"


@asynchronous
async def test_one_that_cannot_be_decided_spoils_nobody_elses(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2")
        decide = deciding.decide

        def stumbles(*args: Any) -> Any:
            if args[2].id == "bad":
                raise ZeroDivisionError
            return decide(*args)

        monkeypatch.setattr(intake_deciding, "decide", stumbles)
        outcomes = await here.send_all(
            [
                submission("purchase", "m-1", purchase("o-1", "1.00")),
                submission("purchase", "m-1", purchase("o-2", "1.00"), id="bad"),
                submission("purchase", "m-1", purchase("o-3", "1.00")),
                submission("purchase", "m-2", purchase("o-4", "1.00")),
            ]
        )
        assert [outcome.status for outcome in outcomes] == ["accepted", "invalid", "accepted", "accepted"]
        assert outcomes[1].problems[0].code == "internal_error"
        assert "bad could not be decided" in caplog.text
        monkeypatch.undo()
        (again,) = await here.send_all([submission("purchase", "m-1", purchase("o-2", "1.00"), id="bad")])
        assert (again.status, again.seq) == ("accepted", 4)


@pytest.mark.parametrize("count", [5, 150])
@asynchronous
async def test_one_that_cannot_be_written_spoils_nobody_elses(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """A value that the database refuses fails the whole statement, and then only the one that brought it."""
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        record = Batch._record

        def spoils(self: Batch, recording: Recording, accepted: Accepted) -> None:
            record(self, recording, accepted)
            if accepted.item.submission.id == "bad":
                recording.texts("m-1", 2**80, 0, b"{}")

        monkeypatch.setattr(Batch, "_record", spoils)
        sent = [submission("purchase", "m-1", purchase(f"o-{n}", "1.00")) for n in range(count)]
        sent[2] = submission("purchase", "m-1", purchase("o-2", "1.00"), id="bad")
        outcomes = await here.send_all(sent)
        assert [n for n, outcome in enumerate(outcomes) if outcome.status != "accepted"] == [2]
        assert outcomes[2].problems[0].code == "internal_error"
        assert (await here.balance("m-1")).available == count - 1
        assert [outcome.seq for outcome in outcomes if outcome.seq] == list(range(2, count + 1))


@asynchronous
async def test_a_caller_that_went_away_changes_nothing_for_the_others(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        gone = asyncio.create_task(here.send("purchase", "m-1", purchase("o-1", "1.00")))
        stays = asyncio.create_task(here.send("purchase", "m-1", purchase("o-2", "1.00")))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await stays).status == "accepted"
        assert (await here.send("purchase", "m-1", purchase("o-1", "1.00"))).status in ("accepted", "replayed")
        assert (await here.balance("m-1")).available == 2


@asynchronous
async def test_a_batch_that_waits_too_long_for_somebodys_lock_is_tried_again_and_given_up(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        # The lane's next connection waits for a moment only.
        await here.intake._settlers[0].close()
        await here.intake._settlers[1].close()
        here.database._hot["lock_timeout"] = "50ms"
        owner = await asyncpg.connect(here.url)
        async with owner.transaction():
            await owner.execute("select from laurels.member for update")
            with pytest.raises(Unavailable):
                await here.send("purchase", "m-1", purchase("o-1", "1.00"))
        await owner.close()
        assert (await here.send("purchase", "m-1", purchase("o-1", "1.00"))).status == "accepted"
