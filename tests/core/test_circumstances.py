"""Chance, codes and keys come from outside and are stored only where a decision looked at them."""

from __future__ import annotations

import pytest

from laurels.core.case import Code, Outside

RANDOM = "0123456789abcdef" * 2


def test_chance_is_the_same_for_the_same_label_and_another_for_another_one() -> None:
    outside, again = Outside(RANDOM), Outside(RANDOM)
    assert outside.chance("a") == again.chance("a")
    assert outside.chance("a") != outside.chance("b")
    assert Outside("f" * 32).chance("a") != outside.chance("a")


def test_without_chance_nothing_that_needs_any_can_happen() -> None:
    with pytest.raises(AssertionError, match="needs chance"):
        Outside().chance("a")
    with pytest.raises(AssertionError, match="needs chance"):
        Outside().random()


def test_only_what_was_looked_at_counts_as_looked_at() -> None:
    outside = Outside(RANDOM, {"X": Code("ten"), "Y": Code("ten")}, {"wheel/2026-03-01": "k"})
    assert not outside.drew
    assert outside.code("Z") is None
    assert outside.code("X") == Code("ten")
    assert outside.looked == {"X"}
    assert outside.key("wheel/2026-03-01") == "k"
    assert outside.random() == RANDOM
    assert outside.drew
