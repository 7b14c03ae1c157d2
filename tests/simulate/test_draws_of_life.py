"""What was drawn in life is drawn the same again, from what is public of it; with a seed it is all drawn anew."""

from __future__ import annotations

from laurels.simulate.living import Lived, live_stored
from laurels.simulate.stored import as_stored, chance_of
from laurels.store import draw_announcing, draws
from laurels.store.embedded import EmbeddedServer
from tests.postgres import drop_database
from tests.stage import Stage, asynchronous, instant, laurels_database, purchase, read_program, stage

WORDS = "{en: a, zh-CN: b}"
RULES = f"{{time: {WORDS}, method: {WORDS}, claim: {WORDS}, forfeiture: {WORDS}}}"
PROGRAM = f"""
program: cafe
time_zone: UTC
currency: CNY
wallets:
  points: {{expires: {{after: 12M}}}}
campaigns:
  base: {{on: purchase, grant: {{wallet: points, points: 1, per: "1.00"}}}}
  chance: {{on: purchase, grant: {{tickets: spring, per: "10.00"}}}}
  turns: {{on: check_in, grant: {{tickets: wheel}}}}
draws:
  spring:
    name: {WORDS}
    opens: 2026-03-01
    closes: 2026-03-31
    draws_at: 2026-04-02T12:00:00Z
    alternates: 3
    claim: 10D
    rules: {RULES}
    prizes:
      bicycle: {{name: {WORDS}, value: "2999.00", quantity: 1}}
      bell: {{name: {WORDS}, value: "29.00", quantity: 1}}
      gift: {{name: {WORDS}, value: "5.00", quantity: 2, gives: {{wallet: points, points: 500}}}}
  wheel:
    name: {WORDS}
    kind: instant
    opens: 2026-03-01
    closes: 2026-03-31
    rules: {RULES}
    prizes:
      mug: {{name: {WORDS}, value: "5.00", quantity: 3, odds: 1/2}}
    fallback: {{name: {WORDS}, value: "1.00", gives: {{wallet: points, points: 3}}}}
"""
MEMBERS = tuple(f"m-{n}" for n in range(8))


async def announce(here: Stage) -> None:
    """What publishing does about draws."""
    async with here.database.pool.acquire() as connection, connection.transaction():
        assert await draw_announcing.announce(connection, read_program(PROGRAM), None, 0, 0) is None


async def winner_of(here: Stage, place: int) -> str:
    """Who has the place now."""
    found = await draws.parts_in(here.database, "cafe", "spring", MEMBERS)
    return next(
        member
        for member, part in found.items()
        for won in part.won
        if won.place == place and won.status in ("open", "given", "claimed")
    )


async def live(here: Stage) -> None:
    """Eight members enter and turn the wheel; the bell is claimed, the bicycle lapses and reaches an alternate."""
    await announce(here)
    await here.enrol(*MEMBERS)
    for n, member in enumerate(MEMBERS):
        await here.send("purchase", member, purchase(f"o-{n}", f"{10 * (n + 1)}.00"), at="2026-03-02")
        await here.send("check_in", member, {"subject": "app"}, at="2026-03-03")
        played = await here.send("draw_play", member, {"draw": "wheel"}, at="2026-03-04")
        assert played.status == "accepted", played
    await here.send("return", "m-1", {"order": "o-1"}, at="2026-03-20")
    await here.intake.move_clock("cafe", instant("2026-04-03"))
    claimed = await here.send(
        "draw_claim", await winner_of(here, 2), {"draw": "spring", "place": 2}, id="claim", at="2026-04-04"
    )
    assert claimed.status == "accepted", claimed
    await here.intake.move_clock("cafe", instant("2026-04-15"))
    claimed = await here.send("draw_claim", await winner_of(here, 1), {"draw": "spring", "place": 1}, at="2026-04-16")
    assert claimed.status == "accepted", claimed
    await here.intake.move_clock("cafe", instant("2026-05-01"))


async def simulated(here: Stage, document: str = PROGRAM, seed: str | None = None) -> Lived:
    async with here.database.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        chance = await chance_of(connection, "cafe", seed)
        now = instant("2026-05-01")
        return await live_stored(connection, "cafe", read_program(document), now, chance=chance)


async def stored(here: Stage) -> Lived:
    versions = await here.intake.versions("cafe")
    async with here.database.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        return await as_stored(connection, "cafe", versions, instant("2026-05-01"))


@asynchronous
async def test_the_same_program_draws_claims_and_forfeits_what_is_stored(server: EmbeddedServer) -> None:
    url = laurels_database(server)
    async with stage(url, document=PROGRAM, now="2026-01-01") as here:
        await live(here)
        before, after = await stored(here), await simulated(here)
        assert after.figures == before.figures
        assert after.members == before.members
        # There is something to be the same: 1 + 2 + ... + 8 tickets, of which 2 came back, and an alternate.
        spring = after.figures.given.draws["spring"]
        assert (spring.tickets, spring.void, spring.entered) == (36, 2, 34)
        assert (spring.winners, spring.prizes) == (5, {"bicycle": 1, "bell": 1, "gift": 2})
        assert (spring.forfeited, spring.points) == (1, {"points": 1000})
        assert after.figures.given.draws["wheel"].played == 8
        assert after.figures.refused == {}
        # Drawn anew, others win, and what nobody won then is claimed; what was claimed then may find nothing.
        anew = [await simulated(here, seed=str(seed)) for seed in range(5)]
        for each in anew:
            figures = each.figures.given.draws["spring"]
            assert (figures.entered, figures.prizes) == (34, {"bicycle": 1, "bell": 1, "gift": 2})
            assert set(each.figures.refused) <= {"unknown_prize", "prize_not_open"}
        assert any(each.members != after.members for each in anew)
        assert (await simulated(here, seed="3")).figures == anew[3].figures
    drop_database(server, url)


@asynchronous
async def test_a_draw_that_is_new_is_drawn_over_a_life_that_did_not_know_it(server: EmbeddedServer) -> None:
    known = (
        PROGRAM.partition("campaigns:")[0] + "campaigns:\n  base: {on: purchase, grant: {wallet: points, fixed: 1}}\n"
    )
    url = laurels_database(server)
    async with stage(url, document=known, now="2026-01-01") as here:
        await here.enrol(*MEMBERS)
        for n, member in enumerate(MEMBERS):
            await here.send("purchase", member, purchase(f"o-{n}", f"{10 * (n + 1)}.00"), at="2026-03-02")
        assert (await stored(here)).figures.given.draws == {}
        after = await simulated(here)
        spring = after.figures.given.draws["spring"]
        assert (spring.entered, spring.winners) == (36, 4)
        assert spring.prizes == {"bicycle": 1, "bell": 1, "gift": 2}
        # A point a yuan on 10.00 + 20.00 + ... + 80.00, and two gifts.
        assert after.figures.wallets["points"].outstanding == 360 + 2 * 500
    drop_database(server, url)


@asynchronous
async def test_a_seed_that_is_still_secret_is_not_looked_at(server: EmbeddedServer) -> None:
    url = laurels_database(server)
    async with stage(url, document=PROGRAM, now="2026-01-01") as here:
        await announce(here)
        await here.enrol(*MEMBERS)
        async with here.database.pool.acquire() as connection, connection.transaction():
            assert (await chance_of(connection, "cafe", None)).drawn == {}
        await here.intake.move_clock("cafe", instant("2026-05-01"))
        async with here.database.pool.acquire() as connection, connection.transaction():
            drawn = (await chance_of(connection, "cafe", None)).drawn
            secret = await draws.secrets_of(connection, "cafe", "spring")
            assert drawn["spring"].seed == secret.seed
            assert (await chance_of(connection, "cafe", "1")).drawn == {}
    drop_database(server, url)
