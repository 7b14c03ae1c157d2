"""Draws, judged as an outsider would judge them, and with what only the inside knows.

The public record that would be handed out now is verified as anybody verifies it. Beside that: what was announced is
what the program says; what is secret is there and is what was bound; the entries of a closed draw are those of the
members' documents, which the facts lead to; and every prize on its way is with its member as it says, each place once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from laurels.core.calendar import Instant, Zone, parse_instant
from laurels.core.draw import commitment_of, root_of
from laurels.core.draw_record import Fault, name_of, verify
from laurels.core.member import Tickets, decode_document, tickets_key
from laurels.core.program.model import Program
from laurels.intake.submission import SOURCE
from laurels.proof.difference import Difference, shown
from laurels.store.database import Connection
from laurels.store.draw_announcing import announcement_of, says_the_same
from laurels.store.draw_records import read, recorded, written
from laurels.store.draws import AwardRow, DrawRow, award_rows, draw_rows, entries_of, parts_in, secrets_if_any

_PAGE = 100

_NOT_YET = frozenset({"not_drawn"})
"""What is no fault of a record before its time."""

_COLUMN = {
    "announcement": "announcement",
    "announcement_digest": "announcement",
    "replaced": "replaced",
    "closing": "root",
    "seed": "seed",
    "drawn_at": "drawn_at",
    "entries": "draw_entry",
    "winners": "winners",
    "alternates": "alternates",
    "awards": "draw_award",
    "days": "days",
}


async def judge_draws(
    connection: Connection, program: str, terms: Callable[[str], Program | None], now: Instant
) -> list[Difference]:
    """Draws that are not what they must be. `terms` gives the newest version of the program that has a draw."""
    found: list[Difference] = []
    after = ""
    while rows := await draw_rows(connection, program, after=after, limit=_PAGE):
        for row in rows:
            found += await _Judged(connection, program, row, terms(row.id), now).judge()
        after = rows[-1].id
    return found


class _Judged:
    """One draw being judged."""

    def __init__(self, connection: Connection, program: str, row: DrawRow, terms: Program | None, now: Instant) -> None:
        self._connection = connection
        self._program = program
        self._row = row
        self._terms = terms
        self._now = now
        self._found: list[Difference] = []

    async def judge(self) -> list[Difference]:
        row = self._row
        hidden = await secrets_if_any(self._connection, self._program, row.id)
        self._compare("draw_secret", "is missing", hidden is not None, True)
        if hidden is not None:
            commitment = commitment_of(name_of(row.announcement), hidden.seed).hex()
            self._compare("announcement", "binds another seed", row.announcement.commitment, commitment)
            if row.seed is not None:
                self._compare("seed", "is not the one that was bound", row.seed.hex(), hidden.seed.hex())
            self._judge_announcement(hidden.seed)
        await self._judge_record()
        if row.kind == "scheduled" and row.root is not None:
            owners = await self._judge_entries()
            await self._judge_awards(owners)
        return self._found

    def _judge_announcement(self, seed: bytes) -> None:
        """What was announced is what the newest version of the program with the draw says."""
        row, program = self._row, self._terms
        draw = None if program is None else next(each for each in program.draws if each.id == row.id)
        if program is None or draw is None:
            self._compare("id", "no version of the program has this draw", row.id, None)
            return
        said = row.announcement
        # A version that took effect after the opening in its document could take tickets from then on only.
        opens_at = max(draw.opens_at, parse_instant(said.opens_at))
        must = announcement_of(program, draw, seed, parse_instant(said.announced_at), said.replaces, opens_at)
        if not says_the_same(said, must):
            self._compare("announcement", "is not what the program says", said, must)
        self._compare("closes_at", "is not what was announced", row.closes_at, parse_instant(said.closes_at))
        draws_at = None if said.draws_at is None else parse_instant(said.draws_at)
        self._compare("draws_at", "is not what was announced", row.draws_at, draws_at)
        self._compare("kind", "is not what was announced", row.kind, said.kind)

    async def _judge_record(self) -> None:
        row = self._row
        zone = Zone(self._terms.time_zone) if self._terms is not None else Zone("UTC")
        stored = await read(self._connection, self._program, row.id, self._now, zone)
        assert stored is not None
        is_over = row.state in ("drawn", "settled")
        for fault in await asyncio.to_thread(lambda: verify(written(recorded(stored)))[1]):
            if is_over or fault.code not in _NOT_YET:
                self._say(fault)

    def _say(self, fault: Fault) -> None:
        column = _COLUMN.get(fault.pointer.split("/")[1] if fault.pointer else "", "announcement")
        if fault.code == "count_differs":
            column = "entries"
        message = f"{fault.pointer}: {fault.sentence.en}"
        self._found.append(
            Difference(
                "draw", column, message, self._program, key=self._row.id, stored=fault.stated, expected=fault.computed
            )
        )

    async def _judge_entries(self) -> dict[str, str]:
        """The entries are those of the members' documents; whose each number is."""
        row, connection = self._row, self._connection
        stored: dict[str, Any] = {
            each["member"]: (each["number"], msgspec.json.decode(each["tickets"]))
            for each in await connection.fetch(
                "select member, number, tickets from draw_entry where program = $1 and draw = $2", self._program, row.id
            )
        }
        owners = {number: member for member, (number, _tickets) in stored.items()}
        self._compare("entries", "are not so many", row.entries, sum(len(each) for _number, each in stored.values()))
        if row.drawn_at is None:
            entries = await entries_of(connection, self._program, row.id)
            root = await asyncio.to_thread(root_of, entries)
            self._compare("root", "is not that of the entries", row.root.hex() if row.root else "", root.hex())
        for document in await connection.fetch(
            "select s.member, s.document, m.sealed_at from state s join member m on m.program = $1 and m.id = s.member "
            "where s.program = $1 and s.key = $2 and s.key like 'draw/%'",
            self._program,
            tickets_key(row.id),
        ):
            tickets = decode_document(tickets_key(row.id), document["document"])
            assert isinstance(tickets, Tickets)
            if tickets.entered_at is None or tickets.excluded or not tickets.numbers:
                continue
            member = document["member"]
            if document["sealed_at"] is not None and member not in stored:
                # Who was erased before the close has no part in it, though time goes on for what they left behind.
                continue
            must = (tickets.number, sorted(tickets.numbers))
            self._compare("draw_entry", f"{member} has other tickets", stored.pop(member, None), must)
        for member in stored:
            self._compare("draw_entry", f"{member} has no part in it", member, None)
        return owners

    async def _judge_awards(self, owners: dict[str, str]) -> None:
        """Each prize on its way has its activity, and is with its member as it says; no place has two owners."""
        row, connection = self._row, self._connection
        awards = await award_rows(connection, self._program, row.id)
        recorded_for = {
            each["id"]: each["member"]
            for each in await connection.fetch(
                "select id, member from activity where program = $1 and source = $2 and id = any($3)",
                self._program,
                SOURCE,
                [f"draw/{row.id}/{award.place}/{award.turn}" for award in awards],
            )
        }
        members = [owners[award.number] for award in awards if award.number in owners]
        parts = await parts_in(connection, self._program, row.id, members)
        holders: dict[int, int] = {}
        for award in awards:
            what = f"place {award.place}, turn {award.turn}"
            owner = owners.get(award.number)
            member = recorded_for.get(f"draw/{row.id}/{award.place}/{award.turn}")
            if award.status not in ("pending", "refused") or member is not None:
                self._compare("draw_award", f"{what}: recorded for another", member, owner)
            self._judge_with_member(award, what, parts.get(owner or ""))
            holders[award.place] = holders.get(award.place, 0) + (award.status in ("open", "given", "claimed"))
        for place, count in holders.items():
            if count > 1:
                self._compare("draw_award", f"place {place} has several owners", count, 1)

    def _judge_with_member(self, award: AwardRow, what: str, part: Tickets | None) -> None:
        """What the award says of a prize is what its winner's document says, or what that said before."""
        won = None if part is None else next((each for each in part.won if each.place == award.place), None)
        if award.status in ("pending", "refused"):
            # A prize that has arrived is noted a moment later; one that was refused never arrives.
            if won is not None and award.status == "refused":
                self._compare("draw_award", f"{what}: the winner has it", award.status, won.status)
            return
        if won is None:
            self._compare("draw_award", f"{what}: the winner does not have it", award.status, None)
            return
        stated = (award.prize, award.ticket, award.until)
        self._compare("draw_award", f"{what}: another prize was won", stated, (won.prize, won.ticket, won.until))
        if award.status != "open":
            self._compare("draw_award", f"{what}: not what became of it", award.status, won.status)

    def _compare(self, column: str, message: str, stored: Any, expected: Any) -> None:
        if stored != expected:
            self._found.append(
                Difference(
                    "draw", column, message, self._program, key=self._row.id, stored=shown(stored),
                    expected=shown(expected),
                )
            )  # fmt: skip
