"""Circumstances are read back as they were stored; what is empty is not stored."""

from __future__ import annotations

import msgspec
import pytest

from laurels.core.case import Code
from laurels.core.decide import Circumstances
from laurels.store.circumstances import circumstances_of, stored_circumstances


def test_circumstances_come_back_as_they_were_stored() -> None:
    given = Circumstances(7, {"a": 1}, "0" * 32, {"X": Code("ten", None, 9)}, {"wheel/2026-03-01": "k"})
    assert circumstances_of(7, stored_circumstances(given)) == given


def test_what_is_empty_is_left_out_and_nothing_at_all_is_null() -> None:
    assert stored_circumstances(Circumstances(7, {"a": 0})) is None
    assert stored_circumstances(Circumstances(7, {"a": 1, "b": 0})) == '{"pools":{"a":1}}'
    assert stored_circumstances(Circumstances(7, random="0" * 32)) == '{"random":"' + "0" * 32 + '"}'


def test_what_is_no_circumstance_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        circumstances_of(7, '{"weather":"rain"}')
