"""A campaign, promotion or kind of voucher that its owner stops at once: new versions in which it has ended.

Versions are permanent, and servers remember them for some seconds; so the earliest end is that of any new version. What
is scheduled for later would begin it again, and is published anew with the same end. Quotes that are reserved by then
are kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from laurels.api.publishing import Faulty, OtherProgram, Superseded, publish
from laurels.clock import Clock
from laurels.core.calendar import MICROSECONDS_PER_SECOND, Instant
from laurels.core.compiled import Compiled
from laurels.core.program.stopping import stopped
from laurels.core.refusal import Refusal
from laurels.core.version import Versions
from laurels.store.database import Database
from laurels.store.programs import NOTICE, StoredVersion, program_row, stored_versions

AHEAD: Final = 2 * MICROSECONDS_PER_SECOND
"""How long publishing may take beyond the notice that every version of a live program has."""

TRIES: Final = 5
"""How often it is tried where others publish meanwhile, or publishing takes too long."""


class Stopped(msgspec.Struct, frozen=True):
    """Since when it has ended, and the versions that say so, the first in effect first."""

    ends_at: Instant
    versions: tuple[StoredVersion, ...]


async def stop(
    database: Database,
    clock: Clock,
    known: Callable[[], Awaitable[Versions]],
    program: str,
    id: str,
    reason: str,
    now: Instant,
) -> Stopped | Refusal | Faulty:
    """Publishes what ends it, or why that cannot be. `known` are the program's versions as of when it is asked."""
    row = await program_row(database, program)
    is_live = row is not None and row.mode == "live"
    done: Stopped | Refusal | Faulty = Refusal("effective_too_soon")
    for _ in range(TRIES):
        ends_at = clock.now() + NOTICE + AHEAD if is_live else now
        try:
            done = await _stop(database, clock, await known(), program, id, reason, now, ends_at)
        except Superseded:
            continue
        if not isinstance(done, Refusal) or done.code != "effective_too_soon":
            break
    return done


async def _stop(
    database: Database,
    clock: Clock,
    versions: Versions,
    program: str,
    id: str,
    reason: str,
    now: Instant,
    ends_at: Instant,
) -> Stopped | Refusal | Faulty:
    if not versions.versions:
        return Refusal("nothing_to_stop", id)
    newest = max(version.number for version in versions.versions)
    present = versions.judging(ends_at)
    text = present.zone.format(ends_at)
    published: list[StoredVersion] = []
    # Of those that take effect at one instant the newest does.
    takes_effect = {each.effective_at: each for each in await stored_versions(database, program)}
    for _at, stored in sorted(takes_effect.items()):
        compiled = versions.numbered(stored.number)
        if compiled is None or (stored.number != present.number and stored.effective_at <= ends_at):
            continue
        document = stopped(stored.document, id, text, reason) if _runs(compiled, id, ends_at) else None
        if document is None:
            continue
        effective_at = max(stored.effective_at, ends_at)
        after = newest + len(published)
        version = await publish(database, clock, versions, program, document, effective_at, now, after=after)
        if isinstance(version, Refusal | Faulty):
            return version
        assert version is not None
        assert not isinstance(version, OtherProgram)
        published.append(version.version)
    if not published:
        return Refusal("nothing_to_stop", id)
    return Stopped(ends_at, tuple(published))


def _runs(compiled: Compiled, id: str, at: Instant) -> bool:
    """Whether the version has it, and it has not ended by then."""
    program = compiled.program
    ends = {each.id: each.during.end for each in program.vouchers}
    ends.update({each.id: each.during.end for each in program.promotions})
    ends.update({each.id: each.during.end for each in program.campaigns})
    end = ends.get(id)
    return id in ends and (end is None or end > at)
