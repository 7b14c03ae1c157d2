"""Years on a tier: a year counts, for the tracks that measure it, when it ends with the member on that tier or above.

The years are those of the track that has the tier: its windows, or calendar years where it has no windows of years.
The end of a year falls due like anything else, so that a tier for years is there at the first instant after it, whoever
looks. What was counted stays: what arrives late or comes back afterwards changes tiers, and no year that is over.
"""

from __future__ import annotations

from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.facts import YearFollowed
from laurels.core.program.model import Track
from laurels.core.tier import move, window_of
from laurels.core.tier_pass import rank_without_pass


def _year_end(compiled: Compiled, track: Track, instant: Instant, enrolled_at: Instant) -> Instant:
    """When the year of a track ends that contains an instant."""
    if track.window.kind in ("year", "anniversary"):
        _start, end = window_of(compiled, track, instant, enrolled_at)
        assert end is not None
        return end
    return compiled.zone.year_from(instant, 1, 1)[1]


def follow_years(case: Case, compiled: Compiled, at: Instant) -> None:
    """Sees to it that the year's end is looked at for members on a tier whose years are counted, or above it."""
    for id, least in compiled.years_counted.items():
        standing = case.root.tracks.get(id)
        if standing is None or standing.year_ends_at is not None:
            continue
        if compiled.ranks[id].get(standing.tier, 0) >= least:
            case.emit(YearFollowed(id, _year_end(compiled, compiled.tracks[id], at, case.root.enrolled_at or 0)))


def count_years(case: Case, compiled: Compiled, at: Instant) -> None:
    """Counts the years that end at an instant. All are looked at as they ended, before any of them raises a tier."""
    ended = sorted(
        [id for id, each in case.root.tracks.items() if each.year_ends_at is not None and each.year_ends_at <= at]
    )
    if not ended:
        return
    stood: dict[str, int] = {}
    for id in ended:
        case.emit(YearFollowed(id, None))
        if id in compiled.years_counted:
            stood[id] = rank_without_pass(case, compiled, compiled.tracks[id], at - 1)
    for track in compiled.program.tracks:
        by = tuple(
            [
                int(
                    metric.kind == "years"
                    and metric.subject in stood
                    and stood[metric.subject] >= compiled.ranks[metric.subject][metric.field]
                )
                for metric in track.metrics
            ]
        )
        if any(by):
            move(case, compiled, track, at - 1, by)
