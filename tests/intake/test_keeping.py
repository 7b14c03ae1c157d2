"""A tier that is kept is told to its member through the outbox: once, whatever happens, and proven like the rest."""

import asyncio

import pytest

from laurels.clock import RealClock
from laurels.core.facts import FollowUp
from laurels.intake import deciding, engine
from laurels.intake.follow_up import Letter
from laurels.intake.submission import FollowUpOutcome
from laurels.proof.rebuilding import rebuild
from laurels.proof.verifying import verify
from laurels.simulate.living import live_stored
from laurels.simulate.stored import as_stored
from laurels.store.bucket import bucket_of
from laurels.store.people import erase
from laurels.store.reading import activities
from tests.intake.again import assert_all_follows_again
from tests.stage import Stage, asynchronous, instant, purchase, read_program, stage

DOCUMENT = """
program: cafe
time_zone: UTC
currency: EUR
wallets: {points: {}}
tracks:
  membership:
    measure: {spent: net}
    window: calendar_year
    tiers: [{id: member}, {id: gold, enter: "100.00", keep: "80.00"}]
  for_life:
    measure: {years: membership.gold}
    window: lifetime
    tiers: [{id: none}, {id: gold, enter: 3}]
vouchers:
  treat: {gives: {off: "5.00"}, expires: {after: 12M}}
campaigns:
  base: {on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}
  another_year:
    on: tier_kept
    keeps: membership.gold
    during: {until: 2028-01-31}  # whoever is told later is told as of the review
    grant: [{wallet: points, fixed: 50}, {voucher: treat}]
    limits: [{budget: points, of: 70, over: trim}]
"""


async def keep(here: Stage, *members: str) -> None:
    """Gold reached in 2026 and kept in 2027, so that 1 January 2028 is when it was kept."""
    await here.enrol(*members)
    for member in members:
        await here.send("purchase", member, purchase(f"{member}-1", "100.00"), at="2026-03-01")
    for member in members:
        await here.send("purchase", member, purchase(f"{member}-2", "80.00"), at="2027-03-01")


async def told(here: Stage, member: str) -> list[tuple[str, int]]:
    """Ids and instants of the activities that said of a tier that it was kept."""
    found = await activities(here.database, "cafe", member, limit=1000)
    return [(each.id, each.occurred_at) for each in found if each.type == "tier_kept"]


async def assert_clean(here: Stage) -> None:
    assert (await verify(here.url, here.database, RealClock())).differences == []
    rebuilt = await rebuild(here.database, "cafe")
    assert (rebuilt.changed, rebuilt.pools, rebuilt.refused) == ([], [], [])
    await assert_all_follows_again(here)


REVIEW = instant("2028-01-01")


async def dead(letter: Letter, _submit: object) -> FollowUpOutcome:
    """A postman who delivers nothing, as if the process were gone."""
    return FollowUpOutcome(letter.member, letter.id, None)


@asynchronous
async def test_the_clock_tells_members_what_they_kept_and_gives_them_points_and_vouchers(laurels_url: str) -> None:
    async with stage(laurels_url, document=DOCUMENT, now="2026-01-01") as here:
        await keep(here, "ann", "bob")
        await here.intake.move_clock("cafe", instant("2029-06-01"))
        for member in ("ann", "bob"):
            assert await told(here, member) == [(f"kept/{member}/membership/{REVIEW}", REVIEW)]
            assert len(await vouchers(here, member)) == 1
        # The budget of 70 is theirs together, and each has 180 of their own.
        balances = sorted([(await here.balance(member)).available for member in ("ann", "bob")])
        assert balances == [200, 230]
        assert (
            await here.database.pool.fetchval("select used from pool where id = 'campaign/another_year/points'") == 70
        )
        # 2026, 2027 and 2028 ended on gold.
        looked = await here.intake.look("cafe", "ann")
        assert looked is not None
        assert looked.root.tracks["for_life"].tier == "gold"
        await assert_clean(here)


async def vouchers(here: Stage, member: str) -> list[str]:
    looked = await here.intake.look("cafe", member, "voucher/")
    assert looked is not None
    return [key for key in looked.documents if key.startswith("voucher/")]


@asynchronous
async def test_whoever_is_looked_at_late_is_told_by_their_next_activity_whose_answer_says_so(laurels_url: str) -> None:
    async with stage(laurels_url, document=DOCUMENT, now="2026-01-01") as here:
        await keep(here, "ann")
        late = purchase("ann-3", "10.00")
        outcome = await here.send("purchase", "ann", late, id="late", at="2028-02-01")
        assert outcome.follow_ups == (FollowUpOutcome("ann", f"kept/ann/membership/{REVIEW}", "accepted"),)
        assert (await here.balance("ann")).available == 100 + 80 + 10 + 50
        again = await here.send("purchase", "ann", late, id="late", at="2028-02-01")
        assert (again.status, again.follow_ups) == ("replayed", outcome.follow_ups)
        assert len(await told(here, "ann")) == 1
        await assert_clean(here)


@asynchronous
async def test_nobody_else_can_say_that_a_tier_was_kept(laurels_url: str) -> None:
    async with stage(laurels_url, document=DOCUMENT, now="2026-01-01") as here:
        await keep(here, "ann")
        forged = await here.send("tier_kept", "ann", {"track": "membership", "tier": "gold"}, at="2027-04-01")
        assert forged.status == "invalid"
        assert (await here.balance("ann")).available == 180


@asynchronous
async def test_what_a_crash_left_untold_is_told_once_by_whoever_comes_next(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(laurels_url, document=DOCUMENT, now="2026-01-01") as here:
        await keep(here, "ann")
        monkeypatch.setattr(engine, "deliver", dead)
        outcome = await here.send("purchase", "ann", purchase("ann-3", "10.00"), at="2028-02-01")
        assert [type(fact) for fact in outcome.facts].count(FollowUp) == 1
        assert (await told(here, "ann"), (await here.balance("ann")).available) == ([], 190)
        assert (await verify(here.url, here.database, RealClock())).differences == []
        monkeypatch.undo()
        async with stage(laurels_url, document=DOCUMENT) as there:
            await asyncio.gather(*[intake.resume_outbox() for intake in (here.intake, there.intake) * 3])
            # It is told as of the review, however late.
            assert await told(there, "ann") == [(f"kept/ann/membership/{REVIEW}", REVIEW)]
            assert (await there.balance("ann")).available == 240
            await assert_clean(there)


@asynchronous
async def test_a_member_who_was_erased_meanwhile_leaves_no_letter_open(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(laurels_url, document=DOCUMENT, now="2026-01-01") as here:
        await keep(here, "ann")
        monkeypatch.setattr(engine, "deliver", dead)
        await here.send("purchase", "ann", purchase("ann-3", "10.00"), at="2028-02-01")
        monkeypatch.undo()
        assert await erase(here.database, here.clock, "cafe", "ann")
        assert await here.intake.resume_outbox() == 1
        assert await here.database.pool.fetchval("select status from outbox") == "delivered"
        assert (await verify(here.url, here.database, RealClock())).differences == []


@asynchronous
async def test_what_could_not_be_told_stays_open_and_stands_in_nobodys_way(
    laurels_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control of the one above: where the seal holds, what cannot go back to anybody is not sent back."""
    monkeypatch.setattr(deciding, "_PASS_THE_SEAL", deciding.RETURNS)
    async with stage(laurels_url, document=DOCUMENT, now="2026-01-01") as here:
        await keep(here, "ann")
        await here.database.pool.execute("update member set sealed_at = 1 where id = 'ann'")
        await here.database.pool.execute(
            "insert into outbox values ('cafe', 'kept/ann/membership/7', $1, 'ann', 3, 'ann', 'tier_kept', "
            """'{"track":"membership","tier":"gold"}', 7, 'pending', null)""",
            bucket_of("ann"),
        )
        for _ in range(2):
            assert await here.intake.resume_outbox() == 0
            assert await here.database.pool.fetchval("select status from outbox") == "returning"


@asynchronous
async def test_the_same_program_simulated_keeps_the_same_tiers(laurels_url: str) -> None:
    async with stage(laurels_url, document=DOCUMENT, now="2026-01-01") as here:
        await keep(here, "ann", "bob")
        now = instant("2028-06-01")
        await here.intake.move_clock("cafe", now)
        versions = await here.intake.versions("cafe")
        async with here.database.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            there = await as_stored(connection, "cafe", versions, now)
            lived = await live_stored(connection, "cafe", read_program(DOCUMENT), now)
            doubled = DOCUMENT.replace("fixed: 50", "fixed: 30")
            other = await live_stored(connection, "cafe", read_program(doubled), now)
        assert lived.figures == there.figures
        assert lived.figures.wallets["points"].campaigns["another_year"].points == 70
        assert other.figures.wallets["points"].campaigns["another_year"].points == 60
