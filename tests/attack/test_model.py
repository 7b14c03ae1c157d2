"""Two servers, real time, everything at once: whatever a crowd does, the ledger agrees."""

from tests.attack.depth import seed_of, size
from tests.attack.life import Life, differences
from tests.stage import asynchronous


@asynchronous
async def test_whatever_a_crowd_does_the_ledger_agrees(laurels_url: str) -> None:
    life = Life(laurels_url, "live", seed_of(1), members=size(300, 3000))
    print(f"LAURELS_SEED={life.books.seed}")
    await life.lead(size(75_000, 750_000))
    print(life.books.steps, dict(sorted(life.books.codes.items())))
    assert await differences(laurels_url) == []
