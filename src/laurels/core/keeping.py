"""Keeping a tier: what tells campaigns that its time is over and the member stays.

A tier is mostly kept before its review, by what makes it hold longer. The instant of the review that would have been is
then its term: when that comes, and the member still stands there, the tier is kept. An activity that Laurels sends
says so, since time also passes where nothing can be granted: while somebody only reads.
"""

from __future__ import annotations

from typing import Final

from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.facts import FollowUp, KeptTier, TierSet
from laurels.core.member import Standing
from laurels.core.program.model import Track

TIER_KEPT: Final = "tier_kept"
"""The type of the activity."""


def is_told(compiled: Compiled, track: str, tier: str) -> bool:
    """Whether a campaign waits for that tier to be kept."""
    trigger = compiled.trigger(TIER_KEPT)
    return trigger is not None and any(
        each.keeps is None or (each.keeps.track, each.keeps.tier) == (track, tier) for each in trigger.campaigns
    )


def term_after(compiled: Compiled, track: Track, standing: Standing) -> Instant | None:
    """The term of a tier that is about to hold longer: the review that will not be, or the term that it has."""
    if standing.beneath is not None or not is_told(compiled, track.id, standing.tier):
        return None
    return standing.review_at if standing.term_ends_at is None else standing.term_ends_at


def term_within(standing: Standing, review_at: Instant | None) -> Instant | None:
    """The term that is left where the review is then: none where the review itself comes first."""
    term = standing.term_ends_at
    return term if term is not None and review_at is not None and term < review_at else None


def end_term(case: Case, compiled: Compiled, track: Track, at: Instant) -> None:
    """The term is over, and the member stays: on the tier, or beneath a pass that lies over it."""
    standing = case.root.tracks[track.id]
    until, review_at, beneath = standing.until, standing.review_at, standing.beneath
    case.emit(TierSet(track.id, standing.tier, at, until, review_at, "renewed", beneath=beneath))
    tell_kept(case, compiled, track, (beneath or standing).tier, at)


def tell_kept(case: Case, compiled: Compiled, track: Track, tier: str, at: Instant) -> None:
    """Sends the member the activity that a tier was kept, once for each time, where a campaign waits for it."""
    if is_told(compiled, track.id, tier):
        member = case.draft.id
        kept = KeptTier(track.id, tier)
        id = f"kept/{member}/{track.id}/{at}"
        case.emit(FollowUp(member, id, TIER_KEPT, "", 0, (), member, kept=kept, at=at))
