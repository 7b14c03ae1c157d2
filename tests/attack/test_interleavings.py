"""Two requests on two servers: whatever the order of their statements, they come to what is right."""

import pytest

from tests.attack.depth import size
from tests.attack.meeting import attack
from tests.attack.pairs import PAIRS
from tests.stage import asynchronous


@pytest.mark.parametrize("name", PAIRS)
@asynchronous
async def test_whatever_the_order_of_their_statements_a_pair_comes_to_what_is_right(
    laurels_url: str, name: str
) -> None:
    bad, explored = await attack(laurels_url, PAIRS[name], size(130, 4000))
    print(f"{name}: {vars(explored)}")
    assert bad == {}
    assert explored.runs > 2
