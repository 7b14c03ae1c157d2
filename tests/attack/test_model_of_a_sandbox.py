"""One server whose clock is moved by command: whatever a crowd does, the ledger agrees."""

from tests.attack.depth import seed_of, size
from tests.attack.life import Life, differences
from tests.stage import asynchronous


@asynchronous
async def test_whatever_a_crowd_does_the_ledger_agrees_in_a_sandbox(laurels_url: str) -> None:
    life = Life(laurels_url, "sandbox", seed_of(2), members=size(300, 3000))
    print(f"LAURELS_SEED={life.books.seed}")
    await life.lead(size(25_000, 250_000))
    print(life.books.steps, dict(sorted(life.books.codes.items())))
    assert await differences(laurels_url) == []
