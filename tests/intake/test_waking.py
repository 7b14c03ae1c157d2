"""Time passes: by command where the clock is the program's own, by itself where it is real."""

import asyncio

from laurels.core.refusal import Refusal
from laurels.intake.submission import ClockMoved
from laurels.store.reading import journal
from tests.intake.again import assert_all_follows_again
from tests.stage import PROGRAM, asynchronous, instant, purchase, stage, submission


@asynchronous
async def test_moving_the_clock_carries_out_what_falls_due_on_the_way_when_it_falls_due(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2", "m-3")
        await here.send("purchase", "m-1", purchase("o-1", "40.00"), at="2026-02-01")
        await here.send("purchase", "m-2", purchase("o-2", "30.00"), at="2026-03-01")
        moved = await here.intake.move_clock("cafe", instant("2027-02-15"))
        assert moved == ClockMoved(instant("2026-03-01"), instant("2027-02-15"), 1)
        assert await here.intake.now("cafe") == instant("2027-02-15")
        (entry, _accrual) = await journal(here.database, "cafe", "m-1")
        assert (entry.kind, entry.at, entry.recorded_at) == ("expiry", instant("2027-02-01"), instant("2027-02-01"))
        assert (entry.source, entry.type) == ("laurels", "clock")
        assert (await here.balance("m-2")).available == 30
        moved = await here.intake.move_clock("cafe", instant("2028-01-01"))
        assert moved == ClockMoved(instant("2027-02-15"), instant("2028-01-01"), 1)
        await assert_all_follows_again(here)


@asynchronous
async def test_what_falls_due_is_carried_out_in_order_of_time_over_all_members(laurels_url: str) -> None:
    async with stage(laurels_url, batch_most=2) as here:
        names = [f"m-{n}" for n in range(9)]
        await here.enrol(*names)
        days = [(5 * n) % 9 + 1 for n in range(9)]
        for day, name in sorted(zip(days, names, strict=True)):
            await here.send("purchase", name, purchase("o", "10.00"), at=f"2026-02-{day:02}")
        assert await here.intake.move_clock("cafe", instant("2027-02-20")) == ClockMoved(
            instant("2026-02-09"), instant("2027-02-20"), 9
        )
        rows = await here.database.pool.fetch(
            "select occurred_at, recorded_at from activity where type = 'clock' order by recorded_at"
        )
        assert [tuple(row) for row in rows] == [(instant(f"2027-02-{day:02}"),) * 2 for day in range(1, 10)]


@asynchronous
async def test_a_command_to_the_clock_records_what_becomes_available_on_the_way(laurels_url: str) -> None:
    document = PROGRAM.replace("{expires: ", "{pending: 7D, expires: ")
    assert document != PROGRAM
    async with stage(laurels_url, document=document, batch_most=2) as here:
        names = [f"m-{n}" for n in range(5)]
        await here.enrol(*names)
        for n, name in enumerate(names):
            await here.send("purchase", name, purchase("o", "10.00"), at=f"2026-03-0{n + 1}")
        # Those of March 1 to 3 have waited for seven days by March 10, the others not yet.
        moved = await here.intake.move_clock("cafe", instant("2026-03-10"))
        assert moved == ClockMoved(instant("2026-03-05"), instant("2026-03-10"), 3)
        for n, name in enumerate(names):
            (newest, *_) = await journal(here.database, "cafe", name)
            kind, at = ("activation", f"2026-03-{n + 8:02}") if n < 3 else ("accrual", f"2026-03-0{n + 1}")
            assert (newest.kind, newest.at) == (kind, instant(at))
        # Nothing is left to do: moving it to where it stands wakes nobody.
        assert await here.intake.move_clock("cafe", instant("2026-03-10")) == ClockMoved(
            instant("2026-03-10"), instant("2026-03-10"), 0
        )
        await assert_all_follows_again(here)


@asynchronous
async def test_the_clock_never_moves_back_and_a_live_one_is_real(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", at="2026-02-01")
        refused = await here.intake.move_clock("cafe", instant("2026-01-31"))
        assert refused == Refusal("clock_backwards", "It is 2026-02-01T00:00:00Z.")
        assert await here.intake.now("cafe") == instant("2026-02-01")
        await here.database.pool.execute("update program set mode = 'live'")
        assert await here.intake.move_clock("cafe", instant("2026-03-01")) == Refusal("clock_is_real")


@asynchronous
async def test_a_clock_that_was_never_set_is_set_by_moving_it(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        assert await here.intake.move_clock("cafe", instant("2026-03-01")) == ClockMoved(None, instant("2026-03-01"), 0)
        outcome = await here.send("enrol", "m-1", at="2026-01-01")
        assert outcome.recorded_at == instant("2026-03-01")


@asynchronous
async def test_a_sweep_wakes_whoever_is_due_and_each_once(laurels_url: str) -> None:
    async with stage(laurels_url, mode="live", now="2026-01-01") as here:
        names = [f"m-{n}" for n in range(7)]
        await here.enrol(*names)
        await here.send_all([submission("purchase", name, purchase("o", "10.00"), at="2026-01-01") for name in names])
        assert await here.intake.sweep("cafe", 100) == 0
        here.clock.at = instant("2027-01-05")
        assert await here.intake.sweep("cafe", 3) == 3
        swept = await asyncio.gather(*[here.intake.sweep("cafe", 100) for _ in range(3)])
        assert sum(swept) == 4
        assert await here.intake.sweep("cafe", 100) == 0
        assert await here.database.pool.fetchval("select count(*) from entry where kind = 'expiry'") == 7
        (entry, _accrual) = await journal(here.database, "cafe", "m-1")
        assert (entry.at, entry.recorded_at) == (instant("2027-01-01"), instant("2027-01-05"))


@asynchronous
async def test_reading_needs_no_sweep(laurels_url: str) -> None:
    async with stage(laurels_url, mode="live", now="2026-01-01") as here:
        await here.enrol("m-1")
        await here.send("purchase", "m-1", purchase("o", "10.00"), at="2026-01-01")
        here.clock.at = instant("2026-12-31")
        assert (await here.balance("m-1")).available == 10
        here.clock.at = instant("2027-01-01")
        before = await here.rows()
        assert (await here.balance("m-1")).available == 0
        assert await here.rows() == before
        assert await here.intake.look("cafe", "nobody") is None


@asynchronous
async def test_a_sealed_member_is_let_sleep(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        await here.send("purchase", "m-1", purchase("o", "10.00"))
        await here.database.pool.execute("update member set sealed_at = 1")
        moved = await here.intake.move_clock("cafe", instant("2029-01-01"))
        assert isinstance(moved, ClockMoved)
        assert moved.woken == 0
