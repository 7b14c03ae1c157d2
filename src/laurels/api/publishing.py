"""From a document to a version in effect: checked, compared with the version before, published.

The command line and HTTP go the same way, so that neither publishes what the other would refuse.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import msgspec

from laurels.api.concerned import Found, find_concerned
from laurels.clock import Clock
from laurels.core.calendar import Instant
from laurels.core.program.change import Change
from laurels.core.program.difference import difference
from laurels.core.program.draws_difference import broken_promises
from laurels.core.program.finding import Finding
from laurels.core.program.loading import Examined, examine
from laurels.core.program.model import Program
from laurels.core.refusal import Refusal
from laurels.core.version import Versions
from laurels.store.codes import read_codes
from laurels.store.database import Connection, Database
from laurels.store.draw_announcing import announce, has_begun
from laurels.store.programs import StoredVersion
from laurels.store.programs import publish as publish_version


class PlannedChange(msgspec.Struct, frozen=True):
    """A change, and how many members it takes something from, with the first of them by id."""

    change: Change
    members: int
    first_members: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True):
    """What a document would change. `against` is the version that it was compared with; None before the first.

    `broken` are draws whose change would be refused now, by code: `needs_reason`, `draw_closed`, `draw_opened`.
    `findings` are the warnings that the document got.
    """

    against: int | None
    changes: tuple[PlannedChange, ...]
    broken: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def unmapped(self) -> tuple[PlannedChange, ...]:
        """Changes that leave members without a place: these keep the document from being published."""
        return tuple([each for each in self.changes if each.change.needs_mapping and each.members])


async def examine_apart(document: str, in_batches: Collection[str] = ()) -> Examined:
    """`examine` without keeping others waiting."""
    return await asyncio.to_thread(examine, document, None, in_batches)


async def beside_batches(database: Database, versions: Versions, examined: Examined, document: str) -> Examined:
    """The same, with warnings where a code that the newest version does not share is in a batch that can be used."""
    if examined.program is None or not versions.versions:
        return examined
    newest = max(versions.versions, key=lambda version: version.number).program
    shared = _shared(examined.program) - _shared(newest)
    if not shared or newest.id != examined.program.id:
        return examined
    async with database.pool.acquire() as connection:
        found = await read_codes(connection, newest.id, shared)
    usable = frozenset([code for code, known in found.items() if not known.revoked])
    return await examine_apart(document, usable) if usable else examined


def _shared(program: Program) -> frozenset[str]:
    return frozenset([code for voucher in program.vouchers for code in voucher.codes])


async def plan(database: Database, versions: Versions, program: Program, now: Instant) -> Plan:
    """What the program would change against the newest version, with the members concerned."""
    if not versions.versions:
        return Plan(None, ())
    newest = max(versions.versions, key=lambda version: version.number)
    old = versions.numbered(newest.number)
    assert old is not None
    changes = difference(newest.program, program)
    concerns = [change.concerns for change in changes if change.concerns is not None]
    found = iter(await find_concerned(database, program.id, old, concerns, now) if concerns else ())
    whom = [(change, Found() if change.concerns is None else next(found)) for change in changes]
    planned = tuple([PlannedChange(change, each.members, each.first) for change, each in whom])
    return Plan(newest.number, planned, await _broken(database, newest.program, program, now))


async def _broken(database: Database, old: Program, new: Program, now: Instant) -> tuple[tuple[str, str], ...]:
    """Draws that could not be announced like this now."""
    if not (old.draws or new.draws):
        return ()
    at = now if await has_begun(database.pool, new.id) else 0
    known = {draw.id for draw in old.draws}
    late = [(draw.id, "draw_closed") for draw in new.draws if draw.id not in known and draw.closes_at <= at]
    return (*broken_promises(old, new, at), *late)


class Published(msgspec.Struct, frozen=True):
    """A version that was published, and the warnings that its document got."""

    version: StoredVersion
    findings: tuple[Finding, ...]


class OtherProgram(msgspec.Struct, frozen=True):
    """A document that describes another program."""

    id: str


class Faulty(msgspec.Struct, frozen=True):
    """A document with errors."""

    findings: tuple[Finding, ...]


class Superseded(Exception):  # noqa: N818 - somebody was quicker, and nothing is broken
    """Another version was published meanwhile."""


async def publish(
    database: Database,
    clock: Clock,
    versions: Versions,
    program: str,
    document: str,
    effective_at: Instant | None,
    now: Instant,
    *,
    after: int | None = None,
) -> Published | Faulty | OtherProgram | Refusal | None:
    """The version as published, or why it is not; None if there is no such program.

    With `after`, raises `Superseded` where that is not the newest version any more, and nothing is published.
    """
    examined = await beside_batches(database, versions, await examine_apart(document), document)
    if examined.program is None:
        return Faulty(examined.findings)
    if examined.program.id != program:
        return OtherProgram(examined.program.id)
    unmapped = (await plan(database, versions, examined.program, now)).unmapped
    if unmapped:
        return Refusal("needs_mapping", " ".join(each.change.texts.get("en", each.change.path) for each in unmapped))
    checked = examined.program

    async def announce_draws(connection: Connection, version: StoredVersion) -> Refusal | None:
        if after is not None and version.number != after + 1:
            raise Superseded
        before = await _before(connection, versions, program, version.number)
        return await announce(connection, checked, before, now, version.effective_at)

    version = await publish_version(database, clock, program, document, effective_at, announce_draws)
    return Published(version, examined.findings) if isinstance(version, StoredVersion) else version


async def _before(connection: Connection, versions: Versions, program: str, number: int) -> Program | None:
    """The program as the version before a number has it, which somebody may have published a moment ago."""
    known = next((version for version in versions.versions if version.number == number - 1), None)
    if known is not None or number == 1:
        return None if known is None else known.program
    document = await connection.fetchval(
        "select document from program_version where program = $1 and number = $2", program, number - 1
    )
    return (await examine_apart(document)).program
