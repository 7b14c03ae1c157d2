"""How the facts about tiers are folded into where a member stands on each track."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from laurels.core import facts as f
from laurels.core.member import Past, Standing

if TYPE_CHECKING:
    from laurels.core.apply import Draft

PAST_KEPT: Final = 12
PAST_ALWAYS_KEPT: Final = 2


def _tier_set(draft: Draft, fact: f.TierSet) -> None:
    before = draft.root.tracks.get(fact.track)
    if before is None:
        standing = Standing(fact.tier, fact.at, fact.until, fact.review_at, term_ends_at=fact.term_ends_at)
    else:
        standing = copy(before)
        standing.until, standing.review_at = fact.until, fact.review_at
        standing.beneath, standing.term_ends_at = fact.beneath, fact.term_ends_at
        if before.tier != fact.tier:
            standing.tier, standing.since = fact.tier, fact.at
            past = (*before.past, Past(before.since, before.tier, before.until))
            standing.past = tuple([each for n, each in enumerate(past) if _is_remembered(past, n, fact)])[-PAST_KEPT:]
    draft.root.tracks = {**draft.root.tracks, fact.track: standing}


def _year_followed(draft: Draft, fact: f.YearFollowed) -> None:
    changed = copy(draft.root.tracks[fact.track])
    changed.year_ends_at = fact.ends_at
    draft.root.tracks = {**draft.root.tracks, fact.track: changed}


def _is_remembered(past: tuple[Past, ...], n: int, fact: f.TierSet) -> bool:
    """Whether a tier held before still matters: it was held not long ago, or would have lasted until now."""
    if n >= len(past) - PAST_ALWAYS_KEPT:
        return True
    until = past[n].until
    return past[n + 1].at > fact.drop_before or (until is not None and until > fact.at)


TIER_FOLDS: Final[MappingProxyType[type[Any], Callable[[Draft, Any], None]]] = MappingProxyType(
    {
        f.TierSet: _tier_set,
        f.YearFollowed: _year_followed,
    }
)
