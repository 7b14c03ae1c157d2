"""Draws, judged as an outsider would judge them, and with what only the inside knows.

The public record that would be handed out now is verified as anybody verifies it. Beside that: what was announced is
what the program says; what is secret is there and is what was bound; the entries of a closed draw are those of the
members' documents, which the facts lead to; every prize went out, and is with its member as it says, each place once.
What cannot be read is named like what is wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from laurels.core.calendar import Instant, Zone, parse_instant
from laurels.core.draw import commitment_of, number_of, root_of
from laurels.core.draw_record import Fault, name_of, verify
from laurels.core.member import Tickets, decode_document, tickets_key
from laurels.core.program.model import Program
from laurels.intake.submission import SOURCE
from laurels.proof.difference import Difference, shown
from laurels.proof.history import History
from laurels.store.database import Connection
from laurels.store.draw_announcing import announcement_of, says_the_same
from laurels.store.draw_records import read, recorded, written
from laurels.store.draws import AwardRow, DrawRow, award_rows, draw_row, entries_of, parts_in, secrets_if_any

_TRIED = 100
"""Members by whose numbers the key of numbers is known: with another one all of them would differ."""

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


async def judge_draws(connection: Connection, program: str, history: History, now: Instant) -> list[Difference]:
    """Draws that are not what they must be, and those that the versions of the program have and nobody announced."""
    rows = await connection.fetch("select id from draw where program = $1 order by id", program)
    ids = [row["id"] for row in rows]
    found = [
        Difference("draw", "program or id", "the draw is missing", program, key=id)
        for id in sorted(history.draws.difference(ids))
    ]
    for id in ids:
        try:
            row = await draw_row(connection, program, id)
            assert row is not None
            found += await _Judged(connection, program, row, history.with_draw(id), now).judge()
        except (msgspec.DecodeError, ValueError) as error:
            columns = "announcement, replaced, winners, alternates or draw_entry"
            found.append(Difference("draw", columns, f"cannot be read: {error}", program, key=id))
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
            await self._judge_numbers(hidden.numbers)
        self._judge_times()
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

    async def _judge_numbers(self, key: bytes) -> None:
        """Members are known by numbers that the secret key makes of their ids."""
        for document in await self._connection.fetch(
            "select member, document from state where program = $1 and key = $2 and key like 'draw/%' "
            "order by member limit $3",
            self._program,
            tickets_key(self._row.id),
            _TRIED,
        ):
            tickets = decode_document(tickets_key(self._row.id), document["document"])
            assert isinstance(tickets, Tickets)
            number = number_of(key, document["member"])
            if tickets.number and tickets.number != number:
                self._compare("draw_secret", "makes other numbers", tickets.number, number)
                return

    def _judge_times(self) -> None:
        """Nothing happened before its time, and nothing is published of an instant draw that it does not have."""
        row = self._row
        if row.kind == "instant":
            for column in ("closed_at", "entries", "root"):
                self._compare(column, "is nothing that an instant draw has", getattr(row, column), None)
            for column in ("winners", "alternates"):
                self._compare(column, "is nothing that an instant draw has", getattr(row, column), ())
        if row.closed_at is not None:
            self._compare("closed_at", "is before closes_at", max(row.closed_at, row.closes_at), row.closed_at)
        if row.drawn_at is not None:
            due = row.closes_at if row.draws_at is None else row.draws_at
            self._compare("drawn_at", "is before its time", max(row.drawn_at, due), row.drawn_at)

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
        """Each prize went out, has its activity, and is with its member as it says; no place has two owners."""
        row, connection = self._row, self._connection
        awards = await award_rows(connection, self._program, row.id)
        self._judge_turns({(award.place, award.turn): award for award in awards})
        recorded_for = {
            each["id"]: (each["member"], each["occurred_at"])
            for each in await connection.fetch(
                "select id, member, occurred_at from activity where program = $1 and source = $2 and id = any($3)",
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
            member, sent_at = recorded_for.get(f"draw/{row.id}/{award.place}/{award.turn}", (None, None))
            if award.status not in ("pending", "refused") or member is not None:
                self._compare("draw_award", f"{what}: recorded for another", member, owner)
            if sent_at is not None:
                self._compare("draw_award", f"{what}: went out at another time", award.at, sent_at)
                if award.turn == 0:
                    self._compare("drawn_at", f"is not when the prize of {what}, went out", row.drawn_at, sent_at)
            self._judge_with_member(award, what, parts.get(owner or ""))
            holders[award.place] = holders.get(award.place, 0) + (award.status in ("open", "given", "claimed"))
        for place, count in holders.items():
            if count > 1:
                self._compare("draw_award", f"place {place} has several owners", count, 1)

    def _judge_turns(self, awards: Mapping[tuple[int, int], AwardRow]) -> None:
        """Each winner was sent a prize, and what nobody has went on to an alternate while there were any."""
        row = self._row
        for place in range(1, len(row.winners) + 1):
            self._compare("draw_award", f"place {place}: no prize was sent out", (place, 0) in awards, True)
        called = max((award.alternate or 0 for award in awards.values()), default=0)
        for (place, turn), award in awards.items():
            is_free = award.status in ("forfeited", "refused")
            if is_free and called < len(row.alternates):
                what = f"place {place}, turn {turn}: went on to nobody"
                self._compare("draw_award", what, (place, turn + 1) in awards, True)
        if row.state == "settled":
            on_their_way = sum(award.status in ("pending", "open") for award in awards.values())
            self._compare("state", "is settled with prizes on their way", on_their_way, 0)

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
        terms = next((each for each in self._row.announcement.prizes if each.prize == award.prize), None)
        if award.status == "open" and terms is not None and terms.is_given:
            self._compare("draw_award", f"{what}: not what became of it", award.status, won.status)
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
