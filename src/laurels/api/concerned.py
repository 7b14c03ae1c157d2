"""Whom a new version would take something from: members counted and listed over what is recorded now.

One pass over the members' root documents answers everything that can be read there; who earned from a campaign is
asked of the journal, and who got its tickets or vouchers of the facts. It speaks of members as last recorded, which is
what `laurels plan` promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from laurels.core.calendar import Instant
from laurels.core.compiled import Compiled
from laurels.core.member import Measures, decode_document
from laurels.core.program.change import Between, Concerned, Earners, Everyone, Holders, Standing, VoucherHolders
from laurels.core.program.draws_model import TICKETS
from laurels.core.tier import meets, values_of
from laurels.store import reading
from laurels.store.bucket import bucket_of
from laurels.store.database import Database
from laurels.store.reading import MemberRow
from laurels.store.sql import named

PAGE: Final = 1000
LISTED_MOST: Final = 100
LOAD_DOCUMENTS: Final = named("load_documents")
_EARNERS: Final = named("earners")
_VOUCHER_HOLDERS: Final = named("voucher_holders")

Days = dict[tuple[str, str], Measures]


class Found(msgspec.Struct, frozen=True):
    """How many members something concerns, and the first LISTED_MOST of them by id."""

    members: int = 0
    first: tuple[str, ...] = ()


async def find_concerned(
    database: Database, program: str, old: Compiled, concerns: Sequence[Concerned], now: Instant
) -> tuple[Found, ...]:
    """Whom each of these concerns."""
    counts = [0] * len(concerns)
    firsts: list[list[str]] = [[] for _ in concerns]
    rolling = {
        each.track for each in concerns if isinstance(each, Between) and old.tracks[each.track].window.kind == "rolling"
    }
    after = ""
    while any(not isinstance(each, Earners | VoucherHolders) for each in concerns):
        rows = await reading.members(database, program, after=after, limit=PAGE)
        days = await _days(database, program, rows, rolling)
        for row in rows:
            for n, concern in enumerate(concerns):
                if _is_concerned(row, concern, old, days, now):
                    counts[n] += 1
                    if len(firsts[n]) < LISTED_MOST:
                        firsts[n].append(row.id)
        if len(rows) < PAGE:
            break
        after = rows[-1].id
    for n, concern in enumerate(concerns):
        if isinstance(concern, Earners):
            more = _gives_more(old, concern)
            (earners,) = await database.pool.fetch(_EARNERS, program, list(concern.campaigns), LISTED_MOST, more)
            counts[n], firsts[n] = earners[0], earners[1] or []
        elif isinstance(concern, VoucherHolders):
            key = old.voucher_keys.get(concern.voucher, concern.voucher)
            (holders,) = await database.pool.fetch(_VOUCHER_HOLDERS, program, key, LISTED_MOST)
            counts[n], firsts[n] = holders[0], holders[1] or []
    return tuple([Found(count, tuple(first)) for count, first in zip(counts, firsts, strict=True)])


def _gives_more(old: Compiled, earners: Earners) -> bool:
    """Whether the campaigns give anything beside points: vouchers, or tickets of draws."""
    return any(
        bool(campaign.gifts) or any(grant.wallet.startswith(TICKETS) for grant in campaign.grants)
        for campaign in old.program.campaigns
        if campaign.id in earners.campaigns
    )


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
    if isinstance(concern, Earners | VoucherHolders):
        return False
    standing = root.tracks.get(concern.track)
    tier = old.first_tiers.get(concern.track) if standing is None else standing.tier
    if isinstance(concern, Standing):
        return tier in concern.tiers
    track = old.tracks[concern.track]
    ranks = {each.id: rank for rank, each in enumerate(track.tiers)}
    rank, asked = ranks.get(tier or "", 0), ranks[concern.tier]
    if rank != asked if concern.threshold == "keep" else rank >= asked:
        return False
    values = values_of(old, track, root, days.get((row.id, track.id)), now)
    is_under_way = meets(track, concern.before, values) if concern.threshold == "keep" else any(values)
    return is_under_way and not meets(track, concern.after, values)
