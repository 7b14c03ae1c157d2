"""A simulation asks for segments as the write path does, and shows what another condition would have given."""

from laurels.simulate.living import live_stored
from laurels.simulate.stored import as_stored
from laurels.store.embedded import EmbeddedServer
from tests.postgres import drop_database
from tests.stage import asynchronous, instant, laurels_database, purchase, read_program, stage

DOCUMENT = """
program: cafe
time_zone: UTC
currency: EUR
wallets: {points: {}}
segments:
  regular: {when: member.counters.purchases >= 3}
campaigns:
  thanks: {on: purchase, when: '"regular" in member.segments', grant: {wallet: points, fixed: 10}}
"""


@asynchronous
async def test_the_same_segments_give_what_is_stored_and_others_what_they_would_have_given(
    server: EmbeddedServer,
) -> None:
    url = laurels_database(server)
    now = instant("2026-03-01")
    async with stage(url, document=DOCUMENT, now="2026-01-01") as here:
        await here.enrol("ann")
        for n in range(1, 6):
            await here.send("purchase", "ann", purchase(f"o-{n}", "5.00"), at=f"2026-02-{n:02}")
        versions = await here.intake.versions("cafe")
        async with here.database.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            stored = await as_stored(connection, "cafe", versions, now)
            same = await live_stored(connection, "cafe", read_program(DOCUMENT), now)
            sooner = DOCUMENT.replace(">= 3", ">= 1")
            other = await live_stored(connection, "cafe", read_program(sooner), now)
        assert same.figures == stored.figures
        # The fourth and fifth order; from the second on it would have been four.
        points = [lived.figures.wallets["points"].campaigns["thanks"].points for lived in (stored, other)]
        assert points == [20, 40]
    drop_database(server, url)
