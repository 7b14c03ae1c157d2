"""The head of a program: its mode and its versions, compiled, as some transaction saw them.

Every batch reads the newest version's number in its transaction. When it is another than the one known here, the
versions are read again before anything is decided; documents read once are kept, because a version never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from laurels.core.activity import Activity, Declared
from laurels.core.calendar import Instant
from laurels.core.program.model import Program
from laurels.core.version import Version, Versions
from laurels.core.voucher_use import names_codes, pools_named
from laurels.intake.submission import UnknownProgram
from laurels.store.database import Connection, Database
from laurels.store.programs import Mode, stored_versions

ReadProgram = Callable[[str], Program]
"""From a stored document to its value; it was checked before it was published."""


class Head(msgspec.Struct, frozen=True):
    """A program as of some instant. `number` is its newest version's, 0 before the first."""

    id: str
    mode: Mode
    number: int
    versions: Versions

    @property
    def is_live(self) -> bool:
        """Whether real time is its clock."""
        return self.mode == "live"

    def declared_then(self, known: int) -> Declared:
        """What was declared when version `known` was the newest one known: by that, bodies stored then are read."""
        newest = max(
            (version for version in self.versions.versions if version.number <= known),
            key=lambda version: (version.effective_at, version.number),
        )
        compiled = self.versions.numbered(newest.number)
        assert compiled is not None
        return compiled.declared

    def pools_of(
        self, activity: Activity, automatic: Iterable[str], at: Instant, codes: Sequence[str]
    ) -> tuple[str, ...]:
        """The pools that deciding the activity may look at, with the `codes_of` it; else as `Versions.pools_of`."""
        vouchers = (*self.versions.voucher_budgets, *pools_named(codes)) if codes else ()
        return (*self.versions.pools_of(activity, automatic, at), *vouchers)

    def codes_of(self, activity: Activity) -> tuple[str, ...]:
        """The voucher codes that the activity names."""
        if not self.versions.has_vouchers:
            return ()
        return names_codes(activity.data, self.versions.at(activity.occurred_at))


class Heads:
    """The heads that this process knows."""

    def __init__(self, read_program: ReadProgram) -> None:
        self._read = read_program
        self._heads: dict[str, Head] = {}
        self._programs: dict[tuple[str, int], Program] = {}

    def is_live(self, program: str) -> bool:
        """Whether the program is known to be live, which it then stays."""
        head = self._heads.get(program)
        return head is not None and head.is_live

    async def of(self, database: Database, program: str) -> Head:
        """The head as last seen by anybody here, which may be old; UnknownProgram if there is none."""
        head = self._heads.get(program)
        if head is None:
            async with database.pool.acquire() as connection:
                head, _clock = await self.fresh(connection, program)
        return head

    async def fresh(self, connection: Connection, program: str) -> tuple[Head, Instant | None]:
        """The head as it is now, with the program's own clock; UnknownProgram if there is none."""
        row = await connection.fetchrow(
            "select p.mode, p.clock, (select max(number) from program_version where program = p.id) as head "
            "from program p where p.id = $1",
            program,
        )
        if row is None:
            raise UnknownProgram(program)
        return await self.matching(connection, program, row["mode"], row["head"] or 0), row["clock"]

    async def matching(self, connection: Connection, program: str, mode: Mode, number: int) -> Head:
        """The head with this mode and newest version, read again through the connection if it is not known."""
        head = self._heads.get(program)
        if head is not None and head.number == number:
            if head.mode != mode:
                head = self._heads[program] = msgspec.structs.replace(head, mode=mode)
            return head
        versions = [
            Version(stored.number, stored.effective_at, self._program(program, stored.number, stored.document))
            for stored in await stored_versions(connection, program)
            if stored.number <= number
        ]
        head = self._heads[program] = Head(program, mode, number, Versions(tuple(versions)))
        return head

    def _program(self, id: str, number: int, document: str) -> Program:
        known = self._programs.get((id, number))
        if known is None:
            known = self._programs[id, number] = self._read(document)
        return known
