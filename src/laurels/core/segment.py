"""Segments: which of a version's named conditions hold for a member at an instant.

Nothing is stored of it. Whoever judges by conditions that read `member.segments` asks then, and nobody else does; an
order that was judged so keeps the answer, for its returns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from laurels.core.calendar import Instant
from laurels.core.rule.check import Rule

if TYPE_CHECKING:
    from laurels.core.case import View
    from laurels.core.compiled import Compiled

PATH: Final = "member.segments"


def are_read(rules: Iterable[Rule | None]) -> bool:
    """Whether one of these conditions reads in which segments the member is."""
    return any(rule is not None and PATH in rule.reads for rule in rules)


def segments_of(compiled: Compiled, member: View, instant: Instant) -> tuple[str, ...]:
    """The segments that a member is in at an instant, in the document's order. The view has balances of all wallets."""
    at = compiled.zone.local(instant)
    return tuple([id for id, holds in compiled.segments if holds(member, None, None, at, None)])
