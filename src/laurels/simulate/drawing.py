"""Draws of a simulation: closed, drawn and settled at their instants, as the intake does it in life.

What nobody can know is taken for granted: who did not win in life claims at once what they win here. Who won the same
place in life claims as they did then, and what they let lapse goes to the next alternate.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from laurels.core.activity import Activity, Claim, Clock, Data, Forfeit, Play, Prize
from laurels.core.calendar import Instant
from laurels.core.decide import Decision
from laurels.core.draw import Entry, draw, root_of, stream_key
from laurels.core.facts import PrizeWon, TicketsGranted
from laurels.core.member import Tickets, tickets_key
from laurels.core.prize import until_of
from laurels.core.program.draws_model import Draw
from laurels.core.program.draws_model import Prize as Terms
from laurels.core.refusal import Refusal
from laurels.core.version import Versions
from laurels.intake.folder import Folder
from laurels.intake.submission import SOURCE
from laurels.simulate.chance import Chance

Act = Callable[[Activity], Decision | Refusal]
"""Has something become of an activity that Laurels itself sends."""

_LAPSE, _CLOSE, _DRAW = range(3)
"""Steps in the order in which they are taken within an instant."""


class _Step(NamedTuple):
    at: Instant
    what: int
    draw: str
    place: int = 0
    member: str = ""


class _Award(NamedTuple):
    place: int
    turn: int
    entry: Entry
    prize: Terms


class _Going:
    """A scheduled draw: its terms, whose numbers are in it, its entries, and the alternates who are left."""

    def __init__(self, terms: Draw) -> None:
        self.terms = terms
        self.owners: dict[str, str] = {}
        self.entries: list[Entry] = []
        self.alternates: Iterator[Entry] = iter(())
        self.turns: dict[int, int] = {}


class Drawing:
    """The draws of one simulation, whose `members` these are, as far as they have come.

    `played` are the instant draws of which each ticket is played as soon as it is had.
    """

    def __init__(
        self, versions: Versions, chance: Chance, members: Mapping[str, Folder], act: Act, played: Container[str] = ()
    ) -> None:
        program = versions.versions[-1].program
        self._versions = versions
        self._program = program.id
        self._chance = chance
        self._act = act
        self._members = members
        self._played = played
        self._claimed: set[tuple[str, str, int]] = set()
        self._going = {each.id: _Going(each) for each in program.draws if each.kind == "scheduled"}
        self._due: list[_Step] = []
        for id, going in self._going.items():
            heappush(self._due, _Step(going.terms.closes_at, _CLOSE, id))
            heappush(self._due, _Step(self._drawn_at(going.terms), _DRAW, id))

    def _name(self, draw: str) -> str:
        """The name of a draw where it is hashed."""
        return f"{self._program}/{draw}"

    def key_of(self, draw: str, day: str) -> str:
        """The key of a day of an instant draw."""
        return self._chance.key_of(self._name(draw), draw, day)

    def due_at(self, at: Instant) -> frozenset[str]:
        """The scheduled draws of which something is due at an instant."""
        if not self._due or self._due[0].at > at:
            return frozenset()
        return frozenset([step.draw for step in self._due if step.at <= at])

    def go_on(self, until: Instant) -> None:
        """Takes every step that is due until then, in their order."""
        while self._due and self._due[0].at <= until:
            step = heappop(self._due)
            going = self._going[step.draw]
            if step.what == _CLOSE:
                self._close(going, step.at)
            elif step.what == _DRAW:
                self._draw(going, step.at)
            else:
                self._lapse(going, step)

    def _drawn_at(self, terms: Draw) -> Instant:
        """When it is drawn: a little late, where it was in life."""
        assert terms.draws_at is not None
        drawn = self._chance.drawn.get(terms.id)
        return drawn.drawn_at if drawn is not None and drawn.draws_at == terms.draws_at else terms.draws_at

    def _is_sealed(self, member: str, at: Instant) -> bool:
        sealed_at = self._chance.sealed.get(member)
        return sealed_at is not None and sealed_at <= at

    def _part(self, member: str, draw: str) -> Tickets | None:
        part = self._members[member].member.documents.get(tickets_key(draw))
        return part if isinstance(part, Tickets) else None

    def _send(self, id: str, type: str, member: str, at: Instant, data: Data) -> Decision | Refusal:
        return self._act(Activity(SOURCE, id, type, member, at, data))

    def _close(self, going: _Going, at: Instant) -> None:
        """Everybody's tickets enter."""
        id = going.terms.id
        for member in list(self._members):
            if self._part(member, id) is None or self._is_sealed(member, at):
                continue
            self._send(f"draw/{id}/close/{member}", "clock", member, at, Clock())
            part = self._part(member, id)
            assert part is not None
            if not part.excluded:
                going.owners[part.number] = member
                going.entries += [Entry(part.number, ticket) for ticket in part.numbers]
        going.entries.sort()

    def _draw(self, going: _Going, at: Instant) -> None:
        terms = going.terms
        places = [prize for prize in terms.prizes for _ in range(prize.quantity or 0)]
        drawn = self._chance.drawn.get(terms.id)
        # Of a simulated draw nothing was announced.
        name, announced = (self._name(terms.id), b"") if drawn is None else (drawn.name, drawn.announcement)
        seed = self._chance.seed_of(self._name(terms.id), terms.id)
        key = stream_key(name, seed, announced, root_of(going.entries))
        found = draw(key, going.entries, len(places), terms.alternates, terms.wins_most)
        going.alternates = iter(found.alternates)
        won = zip(found.winners, places, strict=False)
        self._give(going, [_Award(place, 0, entry, prize) for place, (entry, prize) in enumerate(won, 1)], at)

    def _give(self, going: _Going, awards: Sequence[_Award], at: Instant) -> None:
        """Prizes reach whom they were drawn for; one that its winner cannot be given goes to the next alternate."""
        while awards:
            refused = [award for award in awards if not self._reaches(going, award, at)]
            awards = [
                _Award(award.place, award.turn + 1, entry, award.prize)
                for award, entry in zip(refused, going.alternates, strict=False)
            ]

    def _reaches(self, going: _Going, award: _Award, at: Instant) -> bool:
        terms, prize, member = going.terms, award.prize, going.owners[award.entry.number]
        going.turns[award.place] = award.turn
        if self._is_sealed(member, at):
            return False
        until = until_of(self._versions.judging(at), terms, prize, at)
        quantity, ticket = prize.quantity or 0, award.entry.ticket
        data = Prize(
            terms.id, award.place, prize.id, ticket, quantity, prize.wallet, prize.points, until, prize.voucher
        )  # fmt: skip
        id = f"draw/{terms.id}/{award.place}/{award.turn}"
        return isinstance(self._send(id, "draw_prize", member, at, data), Decision)

    def won(self, member: str, fact: PrizeWon) -> None:
        """A prize that waits to be claimed is, or it is seen when it lapses."""
        if fact.is_given:
            return
        name = f"draw/{fact.draw}/{fact.place}/{member}"
        if (member, fact.draw, fact.place) not in self._chance.won:
            claimed = self._send(f"{name}/claim", "draw_claim", member, fact.at, Claim(fact.draw, fact.place))
            assert isinstance(claimed, Decision), "what was won a moment ago can be claimed"
            self._claimed.add((member, fact.draw, fact.place))
            return
        ends = [at for at in (fact.until, self._chance.sealed.get(member)) if at is not None]
        if ends and fact.draw in self._going:
            heappush(self._due, _Step(max(min(ends), fact.at), _LAPSE, fact.draw, fact.place, member))

    def _lapse(self, going: _Going, step: _Step) -> None:
        """The time to claim a prize is over: it is forfeited, unless it was claimed."""
        name = f"draw/{step.draw}/{step.place}/{step.member}/over"
        if self._is_sealed(step.member, step.at):
            self._send(name, "draw_forfeit", step.member, step.at, Forfeit(step.draw, step.place))
        else:
            self._send(name, "clock", step.member, step.at, Clock())
        part = self._part(step.member, step.draw)
        assert part is not None
        won = next(each for each in part.won if each.place == step.place)
        entry = next(going.alternates, None) if won.status == "forfeited" else None
        prize = going.terms.prize(won.prize)
        if entry is not None and prize is not None:
            self._give(going, [_Award(step.place, going.turns[step.place] + 1, entry, prize)], step.at)

    def granted(self, member: str, fact: TicketsGranted) -> None:
        """Tickets of a draw that is played at once are."""
        if fact.draw not in self._played:
            return
        for ticket in range(fact.first, fact.first + fact.count):
            data = Play(fact.draw)
            if isinstance(
                self._send(f"play/{fact.draw}/{member}/{ticket}", "draw_play", member, fact.at, data), Refusal
            ):
                return

    def instead(self, activity: Activity) -> Activity:
        """The activity, or nothing but its time where what it does has been done by then."""
        data, member = activity.data, activity.member
        is_played = isinstance(data, Play) and data.draw in self._played
        if is_played or (isinstance(data, Claim) and (member, data.draw, data.place) in self._claimed):
            return Activity(activity.source, activity.id, "clock", member, activity.occurred_at, Clock())
        return activity
