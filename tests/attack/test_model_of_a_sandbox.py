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


@asynchronous
async def test_in_a_short_life_the_ledger_agrees(laurels_url: str) -> None:
    """What mutants are held against: the same crowd, in few enough steps to be run for each of them."""
    life = Life(laurels_url, "sandbox", 3, members=100)
    await life.lead(5_000)
    assert await differences(laurels_url) == []
