"""Reading back what was recorded, page by page, and the sums that finance asks for."""

from laurels.core.member import Order
from laurels.store.bucket import bucket_of
from laurels.store.imports import Progress, forget_progress, keep_progress, progress_of
from laurels.store.reading import (
    AccountTotal,
    Movement,
    activities,
    activity,
    documents,
    journal,
    member_accounts,
    member_row,
    movements,
    system_accounts,
)
from tests.stage import asynchronous, instant, purchase, stage


def test_a_bucket_is_the_last_ten_bits_of_the_digest_of_the_id() -> None:
    # `printf m-1 | sha256sum` ends in bfc6, and so on; 0xbfc6 & 1023 = 966.
    ends = {"m-1": 0xBFC6, "m-2": 0x0523, "会员": 0x1BC5, "": 0xB855}
    assert {member: bucket_of(member) for member in ends} == {member: end & 1023 for member, end in ends.items()}
    assert {bucket_of(f"m-{n}") for n in range(20_000)} == set(range(1024))


@asynchronous
async def test_a_journal_is_read_newest_first_in_pages_that_neither_repeat_nor_skip(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2")
        for n in range(7):
            await here.send("purchase", "m-1", purchase(f"o-{n}", f"{n + 1}.00"), at=f"2026-02-{n + 1:02}")
        await here.send("purchase", "m-2", purchase("o", "99.00"))
        seen: list[int] = []
        before: tuple[int, int] | None = None
        while page := await journal(here.database, "cafe", "m-1", before=before, limit=3):
            seen += [entry.points for entry in page]
            before = (page[-1].seq, page[-1].n)
            await here.send("purchase", "m-1", purchase(f"more-{len(seen)}", "50.00"))
        assert seen == [7, 6, 5, 4, 3, 2, 1]
        assert await journal(here.database, "cafe", "m-1", wallet="other") == []


@asynchronous
async def test_an_entry_shows_lines_and_the_lots_that_spending_consumed(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        await here.send("purchase", "m-1", purchase("o-1", "40.00"), at="2026-02-01")
        spend = {"redemption": "x", "wallet": "points", "points": 30, "hold": False}
        await here.send("redemption", "m-1", spend, at="2026-02-02")
        captured, held, earned = await journal(here.database, "cafe", "m-1")
        assert [(share.line, share.points) for share in earned.lines] == [("1", 40)]
        assert [(part.lot, part.points, part.earned_at) for part in held.parts] == [(earned.lot, 30, earned.at)]
        assert captured.parts == held.parts
        assert (captured.redemption, earned.order) == ("x", "o-1")


@asynchronous
async def test_documents_are_read_by_key_and_by_prefix(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2")
        for order in ("a", "b", "c"):
            await here.send("purchase", "m-1", purchase(order, "10.00"))
        await here.send("purchase", "m-2", purchase("z", "10.00"))
        found = await documents(
            here.database, "cafe", "m-1", prefixes=["order/"], keys=["lots/points/0", "lots/none/0"]
        )
        assert sorted(found) == ["lots/points/0", "order/a", "order/b", "order/c"]
        assert isinstance(found["order/a"], Order)
        assert sorted(await documents(here.database, "cafe", "m-1", prefixes=[""])) == sorted(found)
        assert await documents(here.database, "cafe", "m-1") == {}
        row = await member_row(here.database, "cafe", "m-1")
        assert row is not None
        assert (row.seq, row.root.seq, row.root.wallets["points"].available) == (4, 4, 30)
        assert row.wake_at == instant("2027-03-01")
        assert await member_row(here.database, "cafe", "nobody") is None


@asynchronous
async def test_activities_are_read_in_the_order_of_their_numbers(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1")
        for order in ("a", "b", "c"):
            await here.send("purchase", "m-1", purchase(order, "10.00"), id=order)
        assert [each.id for each in await activities(here.database, "cafe", "m-1", after=1, limit=2)] == ["a", "b"]
        assert await activity(here.database, "cafe", "web", "a") is None


@asynchronous
async def test_finance_sees_what_was_issued_spent_and_expired_and_what_is_owed(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        await here.enrol("m-1", "m-2")
        await here.send("purchase", "m-1", purchase("o-1", "100.00"), at="2026-01-05")
        await here.send("purchase", "m-2", purchase("o-2", "50.00"), at="2026-02-05")
        spend = {"redemption": "x", "wallet": "points", "points": 30, "hold": False}
        await here.send("redemption", "m-1", spend, at="2026-02-06")
        await here.intake.move_clock("cafe", instant("2027-01-06"))
        assert await system_accounts(here.database, "cafe") == (
            AccountTotal("points", "breakage", 70),
            AccountTotal("points", "issuance", -150),
            AccountTotal("points", "redemption", 30),
        )
        assert AccountTotal("points", "available", 50) in await member_accounts(here.database, "cafe")
        moved = await movements(here.database, "cafe", since=instant("2026-02-01"), until=instant("2026-03-01"))
        assert moved == (
            Movement("points", "accrual", "issuance", "available", None, 1, 50),
            Movement("points", "redemption", "available", "held", "held", 1, 30),
            Movement("points", "redemption", "held", "redemption", "captured", 1, 30),
        )
        assert len(await movements(here.database, "cafe")) == 4


@asynchronous
async def test_an_import_goes_on_where_it_stopped(laurels_url: str) -> None:
    async with stage(laurels_url) as here:
        assert await progress_of(here.database, "cafe", "file") is None
        await keep_progress(here.database, here.clock, "cafe", "file", Progress(10, "{}"))
        await keep_progress(here.database, here.clock, "cafe", "file", Progress(20, '{"bad": 1}'))
        assert await progress_of(here.database, "cafe", "file") == Progress(20, '{"bad": 1}')
        await forget_progress(here.database, "cafe", "file")
        assert await progress_of(here.database, "cafe", "file") is None
