"""Simulation gives what the write path gives, and shows what another program would have given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from laurels.core.calendar import Instant
from laurels.intake.importing.shaping import Fault, Shaped
from laurels.simulate.comparing import compare
from laurels.simulate.living import Lived, Rehearsal, live_stored
from laurels.simulate.stored import as_stored
from laurels.store.embedded import EmbeddedServer
from laurels.store.people import Identifier
from tests.postgres import drop_database
from tests.proof.life import PROGRAM, live
from tests.stage import Stage, asynchronous, instant, laurels_database, purchase, read_program, stage, submission

NOW = instant("2026-07-15")


@asynccontextmanager
async def lived(server: EmbeddedServer) -> AsyncIterator[Stage]:
    url = laurels_database(server)
    try:
        async with stage(url, document=PROGRAM, now="2026-01-01") as here:
            await live(here)
            yield here
    finally:
        drop_database(server, url)


async def stored(here: Stage, now: Instant = NOW) -> Lived:
    versions = await here.intake.versions("cafe")
    async with here.database.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        return await as_stored(connection, "cafe", versions, now)


async def simulated(here: Stage, document: str, now: Instant = NOW) -> Lived:
    async with here.database.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        return await live_stored(connection, "cafe", read_program(document), now)


@asynchronous
async def test_the_same_program_gives_what_is_stored(server: EmbeddedServer) -> None:
    async with lived(server) as here:
        before = await stored(here)
        after = await simulated(here, PROGRAM)
        assert after.figures == before.figures
        assert after.members == before.members
        comparison = compare(before, after)
        assert comparison.moves == {}
        assert (comparison.wallets["points"].gain, comparison.wallets["points"].lose) == (0, 0)
        # There is something to be the same: budget, return, redemption, expiry, transfer.
        points = after.figures.wallets["points"]
        assert points.campaigns["first"].points == 12
        assert min(points.returned, points.spent, points.expired, points.adjusted, points.outstanding) > 0
        assert points.in_transit == 0


@asynchronous
async def test_members_one_by_one_and_all_in_time_come_to_the_same(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a budget or a transfer members have nothing in common, and each can be forgotten when they are done."""
    document = PROGRAM.replace(", limits: [{budget: points, of: 12, over: trim}]", "")
    url = laurels_database(server)
    async with stage(url, document=document, now="2026-01-01") as here:
        await here.enrol("ann", "bob")
        for n in range(20):
            member = ("ann", "bob")[n % 2]
            await here.send("purchase", member, purchase(f"o-{n}", f"{n}.00"), at=f"2026-02-{n + 1:02}")
        await here.send("return", "ann", {"order": "o-8"}, at="2026-03-01")
        apart = await simulated(here, document)
        monkeypatch.setattr("laurels.simulate.living.BY_MEMBER", "select 1 where $1 = 'not asked'")
        monkeypatch.setattr("laurels.simulate.living.Budget", object)
        # A limit that limits nothing stands for what would have them live together.
        limited = document.replace(
            "fixed: 5}", "fixed: 5}, limits: [{per: member, every: day, points: 99, over: trim}]"
        )
        assert limited != document
        together = await simulated(here, limited)
        assert together.figures == apart.figures
        assert together.members == apart.members
    drop_database(server, url)


@asynchronous
async def test_another_program_is_compared_with_what_is_stored_and_nothing_is_written(server: EmbeddedServer) -> None:
    async with lived(server) as here:
        rows = await here.rows()
        before = await stored(here)
        after = await simulated(
            here, PROGRAM.replace("fixed: 20", "fixed: 120").replace('enter: "100.00"', 'enter: "900.00"')
        )
        # Three members were welcomed with 100 points more; nobody reaches silver, and its bonus is not paid.
        was, is_ = before.figures.wallets["points"], after.figures.wallets["points"]
        assert is_.campaigns["welcome"].points - was.campaigns["welcome"].points == 300
        assert "base × membership.silver" in was.campaigns
        assert "base × membership.silver" not in is_.campaigns
        comparison = compare(before, after)
        assert comparison.moves == {"membership": {"silver": {"member": 3}}}
        # The welcome has expired by now; cy's 12.00 of last month earn 12 and no longer a half more.
        points = comparison.wallets["points"]
        assert (points.lose, points.lost, points.movers[0].member) == (1, 6, "cy")
        assert await here.rows() == rows
        assert (await stored(here)).figures == before.figures


@asynchronous
async def test_what_fell_due_since_is_counted_on_both_sides(server: EmbeddedServer) -> None:
    async with lived(server) as here:
        later = instant("2030-01-01")
        before, after = await stored(here, later), await simulated(here, PROGRAM, later)
        assert after.figures == before.figures
        assert after.figures.wallets["points"].outstanding == 0


def shaped(*submissions: msgspec.Struct) -> list[Shaped]:
    return [Shaped(1, (n,), each) for n, each in enumerate(submissions, 1)]  # type: ignore[arg-type]  # they are submissions


@asynchronous
async def test_files_are_lived_through_as_an_import_into_an_empty_program(server: EmbeddedServer) -> None:
    url = laurels_database(server)
    sent = [submission("enrol", "ann", at="2026-01-01"), submission("enrol", "bob", at="2026-01-02")]
    sent += [
        submission("purchase", ("ann", "bob")[n % 2], purchase(f"o-{n}", f"{n}.50"), at=f"2026-02-{n + 1:02}")
        for n in range(20)
    ]
    sent.append(submission("return", "ann", {"order": "o-8"}, at="2026-03-01"))
    sent.append(submission("transfer", "ann", {"to": "bob", "wallet": "points", "points": 9}, at="2026-03-09"))
    sent.append(submission("transfer", "ann", {"to": "nobody", "wallet": "points", "points": 2}, at="2026-03-10"))
    sent.append(submission("purchase", "nobody", purchase("o-x", "5.00"), at="2026-03-11"))
    sent.append(submission("purchase", "ann", purchase("o-y", "-5.00"), at="2026-03-11"))
    async with stage(url, document=PROGRAM, now="2026-01-01") as here:
        await here.send_all(sent)
        before = await stored(here, instant("2026-03-10"))
    drop_database(server, url)
    faulty = Shaped(1, (99,), faults=(Fault(99, "unfit", "x"),))
    rehearsal = Rehearsal(read_program(PROGRAM))
    for each in [*shaped(*sent), faulty]:
        rehearsal.take(each)
    after = rehearsal.end()
    assert after.now == instant("2026-03-10")
    assert after.figures.refused == {"unknown_member": 1}
    assert after.figures.invalid == {"negative_amount": 1, "unfit": 1}
    assert after.figures.wallets == before.figures.wallets
    assert after.members == before.members


@asynchronous
async def test_files_are_taken_row_by_row_as_an_import_takes_them(server: EmbeddedServer) -> None:
    """What comes of each row in the intake comes of it here, whatever is wrong with it."""
    url = laurels_database(server)
    first = submission("purchase", "ann", purchase("o-1", "5.00"), id="p-1", at="2026-02-01")
    sent = [
        submission("enrol", "ann", at="2026-01-01"),
        first,
        first,
        submission(
            "purchase", "ann", b'{"lines":[{"amount":"5.00","line":"1"}], "order":"o-1"}', id="p-1", at="2026-02-01"
        ),
        submission("purchase", "ann", purchase("o-1", "6.00"), id="p-1", at="2026-02-01"),
        submission("purchase", "ann", b"{", id="p-1", at="2026-02-01"),
        submission("purchase", "ann", purchase("o\0", "5.00"), id="nul", at="2026-02-02"),
        submission("purchase", "ann\0", purchase("o-2", "5.00"), id="nul in the member", at="2026-02-02"),
        submission("purchase", "ann", purchase("o-2", "5.00"), id="x" * 201, at="2026-02-02"),
        submission("purchases", "ann", purchase("o-2", "5.00"), id="no such type", at="2026-02-02"),
        submission("clock", "ann", id="ours alone", at="2026-02-02"),
        submission("purchase", "ann", purchase("o-2", "5.00"), id="ours", at="2026-02-02", source="laurels"),
        submission("purchase", "ann", b"[" * 100_000, id="deep", at="2026-02-02"),
        submission("purchase", "nobody", purchase("o-3", "5.00"), id="p-3", at="2026-02-03"),
        submission("purchase", "ann", purchase("o-3", "5.00"), id="p-3", at="2026-02-03"),
        submission("adjustment", "ann", {"wallet": "points", "points": 7, "reason": "sorry"}, id="a", at="2026-02-04"),
        submission("adjustment", "ann", {"wallet": "points", "points": 7, "reason": "sorry"}, id="a", at="2026-02-04"),
        submission("adjustment", "ann", {"wallet": "points", "points": 7, "reason": "never"}, id="a", at="2026-02-04"),
    ]
    async with stage(url, document=PROGRAM, now="2026-01-01") as here:
        stored = await here.send_all(sent)
    drop_database(server, url)
    rehearsal = Rehearsal(read_program(PROGRAM))
    taken = [rehearsal.take(each) for each in shaped(*sent)]
    assert [(each.id, each.status, each.refusal, each.problems) for each in taken if each] == [
        (each.id, each.status, each.refusal, each.problems) for each in stored
    ]
    # Something of each kind is among them.
    statuses = [each.status for each in stored]
    assert [statuses.count(each) for each in ("accepted", "replayed", "refused", "invalid")] == [4, 3, 3, 8]


def test_whom_an_identifier_names_is_not_in_a_file_and_that_is_said() -> None:
    sent = submission("purchase", "", purchase("o-1", "5.00"))
    rehearsal = Rehearsal(read_program(PROGRAM))
    taken = rehearsal.take(Shaped(1, (1,), sent, Identifier("phone", "138")))
    assert taken is not None
    assert taken.refusal is not None
    assert taken.refusal.code == "unknown_member"
    assert "Nobody is known by this phone" in taken.refusal.message
    assert "not asked here" in taken.refusal.message
    assert rehearsal.end().figures.refused == {"unknown_member": 1}
