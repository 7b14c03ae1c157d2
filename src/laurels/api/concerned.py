"""Whom a new version would take something from: members counted over what is recorded now.

One pass over the members' root documents answers everything that can be read there; who earned from a campaign is
asked of the journal. Counts are of members as last recorded, which is what `laurels plan` promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from laurels.core.calendar import Instant
from laurels.core.compiled import Compiled
from laurels.core.member import Measures, decode_document
from laurels.core.program.change import Between, Concerned, Earners, Everyone, Holders, Standing
from laurels.core.program.model import Track
from laurels.core.tier import meets, values_of
from laurels.store import reading
from laurels.store.bucket import bucket_of
from laurels.store.database import Database
from laurels.store.reading import MemberRow
from laurels.store.sql import named

PAGE: Final = 1000
LOAD_DOCUMENTS: Final = named("load_documents")
_EARNERS: Final = (
    "select count(distinct member) from entry where program = $1 and kind = 'accrual' and campaign = any($2::text[])"
)

Days = dict[tuple[str, str], Measures]


async def count_concerned(
    database: Database, program: str, old: Compiled, concerns: Sequence[Concerned], now: Instant
) -> tuple[int, ...]:
    """How many members each of these concerns."""
    counts = [0] * len(concerns)
    rolling = {
        each.track for each in concerns if isinstance(each, Between) and old.tracks[each.track].window.kind == "rolling"
    }
    after = ""
    while any(not isinstance(each, Earners) for each in concerns):
        rows = await reading.members(database, program, after=after, limit=PAGE)
        days = await _days(database, program, rows, rolling)
        for row in rows:
            for n, concern in enumerate(concerns):
                counts[n] += _is_concerned(row, concern, old, days, now)
        if len(rows) < PAGE:
            break
        after = rows[-1].id
    for n, concern in enumerate(concerns):
        if isinstance(concern, Earners):
            counts[n] = await database.pool.fetchval(_EARNERS, program, list(concern.campaigns))
    return tuple(counts)


async def _days(database: Database, program: str, rows: Sequence[MemberRow], tracks: set[str]) -> Days:
    """The days of rolling windows, which lie in documents of their own."""
    wanted = [(row.id, f"measures/{track}", bucket_of(row.id)) for track in sorted(tracks) for row in rows]
    if not wanted:
        return {}
    found = await database.pool.fetch(LOAD_DOCUMENTS, program, *map(list, zip(*wanted, strict=True)))
    days: Days = {}
    for row in found:
        document = decode_document(row["key"], row["document"])
        if isinstance(document, Measures):
            days[row["member"], row["key"].removeprefix("measures/")] = document
    return days


def _is_concerned(row: MemberRow, concern: Concerned, old: Compiled, days: Days, now: Instant) -> bool:
    root = row.root
    if row.sealed_at is not None or root.enrolled_at is None:
        return False
    if isinstance(concern, Everyone):
        return True
    if isinstance(concern, Holders):
        balance = root.wallets.get(concern.wallet)
        return balance is not None and bool(balance.available or balance.pending or balance.held or balance.debt)
    if isinstance(concern, Earners):
        return False
    standing = root.tracks.get(concern.track)
    tier = old.first_tiers.get(concern.track) if standing is None else standing.tier
    if isinstance(concern, Standing):
        return tier in concern.tiers
    track = old.tracks[concern.track]
    return _is_on_the_side(track, tier, concern) and _falls_between(row, track, concern, old, days, now)


def _is_on_the_side(track: Track, tier: str | None, concern: Between) -> bool:
    ranks = {each.id: rank for rank, each in enumerate(track.tiers)}
    rank, asked = ranks.get(tier or "", 0), ranks[concern.tier]
    return rank < asked if concern.threshold == "enter" else rank == asked


def _falls_between(row: MemberRow, track: Track, concern: Between, old: Compiled, days: Days, now: Instant) -> bool:
    values = values_of(old, track, row.root, days.get((row.id, track.id)), now)
    return meets(track, concern.before, values) and not meets(track, concern.after, values)
