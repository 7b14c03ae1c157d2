"""Whether an activity raises the member to a tier, told before it is granted anything and before it is measured.

What is missing to the tier's thresholds is taken first, and with an order it is kept: a return judges by it whether
what remains would still have reached the tier. Tracks that measure points are not asked, as `check` sees to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from laurels.core.activity import Purchase
from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.member import Measures
from laurels.core.program.within_model import Reach
from laurels.core.tier import by_activity, holds_until, values_of


def missing_to(case: Case, compiled: Compiled, reach: Reach, instant: Instant) -> tuple[int, ...] | None:
    """What is missing to a tier in the window of an instant, by metric; None where the activity cannot raise to it.

    That is so for members who stand on it or above it, and where the tier would be over by now.
    """
    track = compiled.tracks[reach.track]
    ranks = compiled.ranks[reach.track]
    standing = case.root.tracks.get(reach.track)
    if standing is None or ranks.get(standing.tier, 0) >= ranks[reach.tier]:
        return None
    until = holds_until(compiled, track, instant, case.root.enrolled_at or 0)
    if until is not None and until <= case.at:
        return None
    known = case.draft.get(f"measures/{track.id}") if track.window.kind == "rolling" else None
    values = values_of(compiled, track, case.root, known if isinstance(known, Measures) else None, instant)
    enter = compiled.tiers[reach.track][reach.tier].enter
    return tuple([threshold - value for threshold, value in zip(enter, values, strict=True)])


def is_reached(
    compiled: Compiled,
    reach: Reach,
    missing: tuple[int, ...] | None,
    type_: str,
    purchase: Purchase | None,
    fields: Mapping[str, Any],
) -> bool:
    """Whether an activity brings all, or any, of what is missing, as the track asks for it."""
    if missing is None:
        return False
    track = compiled.tracks[reach.track]
    brought = [by_activity(metric, type_, purchase, fields) for metric in track.metrics]
    reached = [by >= wanted for by, wanted in zip(brought, missing, strict=True)]
    return all(reached) if track.need == "all" else any(reached)
