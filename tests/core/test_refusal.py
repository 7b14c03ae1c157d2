"""A refusal has its code from the closed list."""

import pytest

from laurels.core.refusal import REFUSALS, Refusal


def test_a_code_that_is_not_in_the_list_cannot_be_said() -> None:
    with pytest.raises(AssertionError, match="no_such_code is not in the closed list"):
        Refusal("no_such_code")
    with pytest.raises(AssertionError, match="closed list"):
        Refusal("")


def test_every_code_says_something_and_has_a_status_that_is_no_fault_of_the_server() -> None:
    for code, kind in REFUSALS.items():
        refusal = Refusal(code, "So it is.")
        assert refusal.message == f"{kind.en} So it is."
        assert refusal.status in (409, 422)
