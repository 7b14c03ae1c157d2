"""Draws, judged as an outsider would judge them, and with what only the inside knows.

The entries of a closed draw are those of the members' documents, which the facts lead to. Root, winners and alternates
are computed again from announcement, entries and seed; every prize on its way has its activity, and no place has two
owners.
"""

from __future__ import annotations

from typing import Any

import msgspec

from laurels.core.draw import commitment_of, draw, root_of, stream_key
from laurels.core.draw_record import announcement_digest, name_of, places_of
from laurels.core.member import Tickets, decode_document, tickets_key
from laurels.intake.submission import SOURCE
from laurels.proof.difference import Difference
from laurels.store.database import Connection
from laurels.store.draws import DrawRow, award_rows, draw_rows, entries_of, secrets_of


async def judge_draws(connection: Connection, program: str) -> list[Difference]:
    """Draws that are not what they must be."""
    found: list[Difference] = []
    for row in await draw_rows(connection, program, limit=1_000_000):
        found += await _Judged(connection, program, row).judge()
    return found


class _Judged:
    """One draw being judged."""

    def __init__(self, connection: Connection, program: str, row: DrawRow) -> None:
        self._connection = connection
        self._program = program
        self._row = row
        self._found: list[Difference] = []

    async def judge(self) -> list[Difference]:
        row, connection = self._row, self._connection
        seed = (await secrets_of(connection, self._program, row.id)).seed
        commitment = commitment_of(name_of(row.announcement), seed).hex()
        self._compare("announcement", "binds another seed", row.announcement.commitment, commitment)
        if row.seed is not None:
            self._compare("seed", "is not the one that was bound", row.seed.hex(), seed.hex())
        if row.kind == "scheduled" and row.root is not None:
            await self._judge_entries()
            if row.drawn_at is not None:
                await self._judge_winners(seed)
        return self._found

    async def _judge_entries(self) -> None:
        row, connection = self._row, self._connection
        stored: dict[str, Any] = {
            each["member"]: (each["number"], msgspec.json.decode(each["tickets"]))
            for each in await connection.fetch(
                "select member, number, tickets from draw_entry where program = $1 and draw = $2", self._program, row.id
            )
        }
        for document in await connection.fetch(
            "select member, document from state where program = $1 and key = $2 and key like 'draw/%'",
            self._program,
            tickets_key(row.id),
        ):
            tickets = decode_document(tickets_key(row.id), document["document"])
            assert isinstance(tickets, Tickets)
            if tickets.entered_at is not None and not tickets.excluded and tickets.numbers:
                member = document["member"]
                must = (tickets.number, sorted(tickets.numbers))
                self._compare("draw_entry", f"{member} has other tickets", stored.pop(member, None), must)
        for member in stored:
            self._compare("draw_entry", f"{member} has no part in it", member, None)
        entries = await entries_of(connection, self._program, row.id)
        root = row.root.hex() if row.root is not None else ""
        self._compare("root", "is not that of the entries", root, root_of(entries).hex())
        self._compare("entries", "are not so many", row.entries, len(entries))

    async def _judge_winners(self, seed: bytes) -> None:
        row, connection, announcement = self._row, self._connection, self._row.announcement
        entries = await entries_of(connection, self._program, row.id)
        key = stream_key(name_of(announcement), seed, announcement_digest(announcement), root_of(entries))
        prizes = places_of(announcement)
        drawn = draw(key, entries, len(prizes), announcement.alternates, announcement.wins_most)
        self._compare("winners", "others were drawn", list(row.winners), [entry.text for entry in drawn.winners])
        self._compare(
            "alternates", "others were drawn", list(row.alternates), [entry.text for entry in drawn.alternates]
        )
        awards = await award_rows(connection, self._program, row.id)
        recorded = {
            each["id"]: each["member"]
            for each in await connection.fetch(
                "select id, member from activity where program = $1 and source = $2 and id = any($3)",
                self._program,
                SOURCE,
                [f"draw/{row.id}/{award.place}/{award.turn}" for award in awards],
            )
        }
        owners = {
            each["number"]: each["member"]
            for each in await connection.fetch(
                "select number, member from draw_entry where program = $1 and draw = $2", self._program, row.id
            )
        }
        holders: dict[int, int] = {}
        for award in awards:
            due = row.winners[award.place - 1] if award.alternate is None else row.alternates[award.alternate - 1]
            what = f"place {award.place}, turn {award.turn}"
            self._compare("draw_award", f"{what}: not whose turn it is", f"{award.number}:{award.ticket}", due)
            has = award.status not in ("pending", "refused")
            member = recorded.get(f"draw/{row.id}/{award.place}/{award.turn}")
            if has or member is not None:
                self._compare("draw_award", f"{what}: recorded for another", member, owners.get(award.number))
            holders[award.place] = holders.get(award.place, 0) + (award.status in ("open", "given", "claimed"))
        for place, count in holders.items():
            if count > 1:
                self._compare("draw_award", f"place {place} has several owners", count, 1)

    def _compare(self, column: str, message: str, stored: Any, expected: Any) -> None:
        if stored != expected:
            self._found.append(
                Difference(
                    "draw", column, message, self._program, key=self._row.id, stored=str(stored), expected=str(expected)
                )
            )
