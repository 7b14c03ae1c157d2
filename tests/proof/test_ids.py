"""An activity id is unique for ever. Where the index that holds it is gone, verify says what was recorded twice."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from laurels.clock import RealClock
from laurels.intake import batch
from laurels.proof import member as judging
from laurels.proof import verifying
from laurels.proof.difference import Difference
from laurels.proof.rebuilding import rebuild
from laurels.proof.verifying import verify, verify_member
from tests.stage import Stage, asynchronous, stage


@asynccontextmanager
async def careless(url: str, patch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A stage that neither looks for ids nor has an index that keeps them unique; ann and bob are there."""
    probe = re.sub(r"on a\.source = w\.source and a\.id = w\.id", "on false", batch.PROBE)
    assert probe != batch.PROBE
    patch.setattr(batch, "PROBE", probe)
    owner = await asyncpg.connect(url, server_settings={"search_path": "laurels"})
    await owner.execute("drop index activity_id; create index activity_id on activity (program, source, id)")
    await owner.close()
    async with stage(url) as here:
        await here.enrol("ann", "bob")
        yield here


async def visit(here: Stage, member: str, id: str, *, source: str = "pos") -> None:
    outcome = await here.send("check_in", member, {"subject": "counter"}, id=id, source=source)
    assert outcome.status == "accepted", outcome


async def differences(here: Stage) -> list[Difference]:
    return (await verify(here.url, here.database, RealClock())).differences


@asynchronous
async def test_an_id_that_a_member_has_twice_is_named_with_both_activities(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with careless(laurels_url, monkeypatch) as here:
        await visit(here, "ann", "v-1")
        await visit(here, "ann", "v-2")
        await visit(here, "ann", "v-1", source="till")
        assert await differences(here) == []
        await visit(here, "ann", "v-1")
        (found,) = await differences(here)
        assert (found.table, found.column, found.member, found.seq) == ("activity", "id", "ann", 5)
        assert found.activity == "pos v-1"
        assert "activity 2 of ann" in found.message
        assert (await verify_member(here.database, "cafe", "ann")).differences == [found]
        assert (await verify_member(here.database, "cafe", "bob")).differences == []
        # Its points are twice in the ledger too: no state is made of that.
        assert (await rebuild(here.database, "cafe")).refused == [found]
        # Without the check nobody would know.
        monkeypatch.setattr(judging.MemberProof, "_add", lambda _proof, _difference: None)
        assert await differences(here) == []


@asynchronous
async def test_an_id_that_two_members_have_is_named_with_both_activities(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with careless(laurels_url, monkeypatch) as here:
        await visit(here, "bob", "v-1")
        await visit(here, "ann", "v-2")
        await visit(here, "ann", "v-1")
        (found,) = await differences(here)
        assert (found.table, found.column, found.activity) == ("activity", "id", "pos v-1")
        assert (found.member, found.seq) in (("ann", 3), ("bob", 2))
        other = "activity 2 of bob" if found.member == "ann" else "activity 3 of ann"
        assert other in found.message

        async def see_nothing(_connection: object, _program: str) -> list[Difference]:
            return []

        monkeypatch.setattr(verifying, "judge_ids", see_nothing)
        assert await differences(here) == []
