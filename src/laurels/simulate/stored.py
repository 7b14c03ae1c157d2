"""The figures of a program as it is stored, brought up to its present: what fell due since is counted, not recorded.

And what chance its draws had, as far as it is public.
"""

from __future__ import annotations

from typing import Final

from laurels.core.activity import Activity, Clock
from laurels.core.calendar import Instant
from laurels.core.decide import Circumstances, Decision, decide
from laurels.core.draw_record import announcement_digest, name_of
from laurels.core.facts import decode_facts
from laurels.core.member import ROOT, Document, Member, Missing, Tickets, decode_document
from laurels.core.program.draws_model import TICKETS
from laurels.core.program.model import Program
from laurels.core.version import Versions
from laurels.intake.submission import SOURCE
from laurels.simulate.chance import SEED, Chance, Drawn
from laurels.simulate.figures import Figures
from laurels.simulate.given import FACTS, Counting
from laurels.simulate.living import Lived, Stand, stand_of
from laurels.store.database import Connection
from laurels.store.draws import draw_rows
from laurels.store.reading import documents
from laurels.store.sql import named

FIGURES: Final = named("figures")
LOTS: Final = named("lots_of_members")
FACTS_OF: Final = named("facts_of")
_PAGE: Final = 500


async def as_stored(connection: Connection, program: str, versions: Versions, now: Instant) -> Lived:
    """What there is. The connection is in a transaction that sees one snapshot."""
    figures = Figures()
    for row in await connection.fetch(FIGURES, program):
        figures.move_points(*row)
    figures.activities = await connection.fetchval(
        "select count(*) from activity where program = $1 and source <> $2", program, SOURCE
    )
    counting = Counting(figures.given)
    if any(_gives_more(version.program) for version in versions.versions):
        tags = f'"fact":"({"|".join(FACTS)})"'
        async for member_id, facts in connection.cursor(FACTS_OF, program, tags, prefetch=_PAGE):
            counting.take(member_id, decode_facts(facts))
    stands: dict[str, Stand] = {}
    after = ""
    while True:
        rows = await connection.fetch(
            "select id, root from member where program = $1 and id > $2 order by id limit $3", program, after, _PAGE
        )
        if not rows:
            break
        after = rows[-1]["id"]
        members: dict[str, dict[str, Document | None]] = {
            row["id"]: {ROOT: decode_document(ROOT, row["root"])} for row in rows
        }
        for row in await connection.fetch(LOTS, program, rows[0]["id"], after):
            if row["member"] in members:
                members[row["member"]][row["key"]] = decode_document(row["key"], row["document"])
        for id, found in members.items():
            member = await _brought_up(connection, program, versions, Member(id, found), now, figures, counting)
            figures.hold(member)
            stands[id] = stand_of(member)
    return Lived(figures, stands, now)


async def chance_of(connection: Connection, program: str, seed: str | None) -> Chance:
    """What the draws of a simulation are drawn by: as they were in life where they were, unless a seed is given."""
    drawn: dict[str, Drawn] = {}
    after: str | None = ""
    while after is not None and seed is None:
        rows = await draw_rows(connection, program, after=after, limit=_PAGE)
        for row in rows:
            if row.seed is not None and row.drawn_at is not None:
                announced = row.announcement
                drawn[row.id] = Drawn(
                    name_of(announced), row.seed, announcement_digest(announced), row.draws_at, row.drawn_at
                )
        after = rows[-1].id if len(rows) == _PAGE else None
    won: set[tuple[str, str, int]] = set()
    async for member, key, document in connection.cursor(
        "select member, key, document from state where program = $1 and key like 'draw/%'", program, prefetch=_PAGE
    ):
        part = decode_document(key, document)
        assert isinstance(part, Tickets)
        won.update([(member, key.removeprefix(TICKETS), each.place) for each in part.won])
    sealed = await connection.fetch(
        "select id, sealed_at from member where program = $1 and sealed_at is not null", program
    )
    return Chance(
        seed or SEED, seed is not None, drawn, frozenset(won), {row["id"]: row["sealed_at"] for row in sealed}
    )


def _gives_more(program: Program) -> bool:
    return bool(program.promotions or program.vouchers or program.rewards or program.draws)


async def _brought_up(
    connection: Connection,
    program: str,
    versions: Versions,
    member: Member,
    now: Instant,
    figures: Figures,
    counting: Counting,
) -> Member:
    root = member.root
    if root.due_at is None or root.due_at > now:
        return member
    clock = Activity(SOURCE, "clock", "clock", member.id, now, Clock())
    while True:
        try:
            decided = decide(versions, member, clock, Circumstances(max(now, root.now)))
        except Missing as lacking:
            found = await documents(connection, program, member.id, keys=lacking.keys)
            member.documents.update({key: found.get(key) for key in lacking.keys})
            continue
        assert isinstance(decided, Decision), f"{member.id} cannot be brought up to now"
        figures.take(decided.facts)
        counting.take(member.id, decided.facts)
        return decided.member
