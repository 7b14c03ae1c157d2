"""Two requests on two servers: whatever the order of their statements, they come to what is right."""

import pytest

from tests.attack.depth import DEEP, size
from tests.attack.meeting import attack
from tests.attack.pairs import PAIRS
from tests.attack.pairs_of_offers import DRAWING, OFFERS
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


@pytest.mark.parametrize("name", OFFERS)
@asynchronous
async def test_whatever_the_order_of_their_statements_what_members_can_get_is_given_once(
    laurels_url: str, name: str
) -> None:
    bad, explored = await attack(laurels_url, OFFERS[name], size(200, 400))
    print(f"{name}: {vars(explored)}")
    assert bad == {}
    assert explored.runs > 2
    assert explored.is_complete or DEEP


@pytest.mark.parametrize("name", DRAWING)
@asynchronous
async def test_whatever_the_order_of_their_statements_a_draw_goes_on_once(laurels_url: str, name: str) -> None:
    bad, explored = await attack(laurels_url, DRAWING[name], size(10, 200))
    print(f"{name}: {vars(explored)}")
    assert bad == {}
    assert explored.runs > 2
