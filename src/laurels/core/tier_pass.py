"""Tier passes: a tier for a time, over whatever the member has earned.

What lies beneath a pass stays where it is, and reviews go on as if there were none: when the pass ends, the member
stands on the tier beneath, or on a higher one that they earned meanwhile. Who truly reaches the tier of the pass has
earned it, and the pass is no more.
"""

from __future__ import annotations

from typing import Final

from laurels.core.calendar import Duration, Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.facts import Beneath, TierSet
from laurels.core.keeping import term_within
from laurels.core.member import NEVER, Measures
from laurels.core.program.model import Tier, Track
from laurels.core.program.rewards_model import TierPass
from laurels.core.tier import (
    fall_back,
    highest,
    holds_until,
    late_since,
    review_at_of,
    start_clocks,
    stays_on,
    values_of,
    window_of,
)

LONGEST: Final = Duration(months=1200)
"""How far ahead a pass may end."""


def pass_until(case: Case, compiled: Compiled, given: TierPass, at: Instant, pieces: int) -> Instant | None:
    """When so many passes in a row that begin then would end; None where they would give the member nothing.

    A pass of the tier that the present pass gives goes on where that one ends. Beyond `LONGEST` nobody counts on.
    """
    found = _tier_of(compiled, given)
    standing = None if found is None else case.root.tracks.get(found[0].id)
    if found is None or standing is None:
        return None
    track, tier = found
    ranks = compiled.ranks[track.id]
    rank, present = ranks[tier.id], ranks.get(standing.tier, 0)
    if standing.beneath is not None and present == rank and standing.until is not None:
        return _in_a_row(compiled, standing.until, given, at, pieces)
    until = compiled.zone.add(at, given.lasts)
    if present < rank or (present == rank and standing.until is not None and standing.until < until):
        return _in_a_row(compiled, until, given, at, pieces - 1)
    return None


def is_too_long(compiled: Compiled, until: Instant, at: Instant) -> bool:
    """Whether a pass would last longer than any may."""
    return until > compiled.zone.add(at, LONGEST)


def _in_a_row(compiled: Compiled, until: Instant, given: TierPass, at: Instant, pieces: int) -> Instant:
    for _ in range(pieces):
        if is_too_long(compiled, until, at):
            break
        until = compiled.zone.add(until, given.lasts)
    return until


def _tier_of(compiled: Compiled, given: TierPass) -> tuple[Track, Tier] | None:
    """The track and tier as the version calls them; None where it has no such track any more."""
    for track in compiled.program.tracks:
        if given.track in (track.id, track.was):
            tier = compiled.tiers[track.id].get(given.tier) or compiled.heir_of(track, given.tier)
            return track, tier
    return None


def begin_pass(case: Case, compiled: Compiled, given: TierPass, at: Instant, pieces: int) -> None:
    """The member stands on the tier for the time of the passes, if that is higher than where they stand."""
    found, until = _tier_of(compiled, given), pass_until(case, compiled, given, at, pieces)
    if found is None or until is None:
        return
    track, tier = found
    standing = case.root.tracks[track.id]
    beneath = standing.beneath or Beneath(standing.tier, standing.until, standing.review_at)
    before = case.tiers_at(at)
    late = late_since(compiled, at)
    case.emit(TierSet(track.id, tier.id, at, until, until, "pass", late, beneath, standing.term_ends_at))
    start_clocks(case, compiled, before, at)


def end_pass(case: Case, compiled: Compiled, track: Track, at: Instant) -> None:
    """The pass is over: the member stands where they would without it. A review that fell due meanwhile comes next."""
    standing = case.root.tracks[track.id]
    assert standing.beneath is not None
    ranks = compiled.ranks[track.id]
    tier, until, review_at, reason = _without(case, compiled, track, standing.beneath, at)
    review_at = None if review_at is None else max(review_at, at)
    before = case.tiers_at(at)
    term = term_within(standing, review_at) if reason == "pass_ended" else None
    late = late_since(compiled, at)
    case.emit(TierSet(track.id, tier.id, at, until, review_at, reason, late, term_ends_at=term))
    start_clocks(case, compiled, before, at)
    if track.on_return == "fall_back" and ranks[tier.id] > 0:
        # Returns did nothing to the tier beneath while the pass lasted.
        for window in [each.window for each in case.root.tracks[track.id].measures]:
            fall_back(case, compiled, track, window)


def rank_without_pass(case: Case, compiled: Compiled, track: Track, at: Instant) -> int:
    """The rank on which the member stands, of a pass apart: what its end at that instant would lead to."""
    standing, ranks = case.root.tracks[track.id], compiled.ranks[track.id]
    if standing.beneath is None:
        return ranks.get(standing.tier, 0)
    tier, _until, review_at, _reason = _without(case, compiled, track, standing.beneath, at)
    rank = ranks[tier.id]
    return rank if review_at is None or review_at > at else stays_on(case, compiled, track, rank, at)[0]


def _without(
    case: Case, compiled: Compiled, track: Track, beneath: Beneath, at: Instant
) -> tuple[Tier, Instant | None, Instant | None, str]:
    """Where the member stands without their pass: the tier, until when, when that is reviewed, and why."""
    tier = compiled.tiers[track.id].get(beneath.tier) or compiled.heir_of(track, beneath.tier)
    earned = _earned_meanwhile(case, compiled, track, compiled.ranks[track.id][tier.id], at)
    if earned is None:
        return tier, beneath.until, beneath.review_at, "pass_ended"
    tier, until = earned
    return tier, until, review_at_of(compiled, track, until), "earned"


def _earned_meanwhile(
    case: Case, compiled: Compiled, track: Track, rank: int, at: Instant
) -> tuple[Tier, Instant | None] | None:
    """The highest tier above a rank that the present window or the last one earned, and until when; None for none."""
    enrolled_at = case.root.enrolled_at or 0
    days = case.draft.get(f"measures/{track.id}") if track.window.kind == "rolling" else None
    instants = (at,) if track.window.kind == "rolling" else (window_of(compiled, track, at, enrolled_at)[0] - 1, at)
    best: tuple[int, Instant | None] = (rank, None)
    for instant in instants:
        values = values_of(compiled, track, case.root, days if isinstance(days, Measures) else None, instant)
        found, until = highest(track, values, above=rank), holds_until(compiled, track, instant, enrolled_at)
        if found > rank and (until is None or until > at):
            best = max(best, (found, until), key=lambda each: (each[0], NEVER if each[1] is None else each[1]))
    return (track.tiers[best[0]], best[1]) if best[0] > rank else None
