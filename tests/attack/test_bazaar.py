"""Everybody wants the last pieces at once, on two servers: pools are what members have of them, and never overdrawn."""

from collections.abc import Callable

import pytest

from laurels.intake import batch, settling
from tests.attack.bazaar import Bazaar
from tests.attack.depth import seed_of, size
from tests.attack.life import differences
from tests.attack.test_controls import leave_pools_unlocked, overwriting_pools
from tests.stage import asynchronous


@asynchronous
async def test_whatever_everybody_wants_at_once_pools_are_what_members_have_of_them(laurels_url: str) -> None:
    seed = seed_of(1)
    print(f"LAURELS_SEED={seed}")
    bazaar = Bazaar(laurels_url, seed, members=size(12, 24), rounds=size(12, 180))
    await bazaar.lead()
    print(bazaar.steps, dict(sorted(bazaar.codes.items())), dict(bazaar.world.pools))
    assert await differences(laurels_url) == []


GUARDS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "pools are overwritten": overwriting_pools,
    "pools are not locked": leave_pools_unlocked,
}


@pytest.mark.parametrize("guard", GUARDS)
@asynchronous
async def test_the_bazaar_finds_a_missing_guard(laurels_url: str, monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    GUARDS[guard](monkeypatch)
    # Whoever has read pools takes their time, so that somebody else is there before them.
    monkeypatch.setattr(batch, "LOCK_POOLS", f"{batch.LOCK_POOLS}, lateral (select pg_sleep(0.005)) late")
    monkeypatch.setattr(settling, "PAUSES_MS", (1,))
    with pytest.raises(AssertionError, match="LAURELS_SEED=1 after"):
        await Bazaar(laurels_url, 1, members=20, rounds=40).lead()
