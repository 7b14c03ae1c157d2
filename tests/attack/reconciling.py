"""Holds what Laurels answered and stored against the ledger, member by member in the order that Laurels recorded.

A round is some calls that ran at the same time. Within a call a member's activities keep their order; between calls any
order will do, as long as there is one. What was accepted has its place: the ledger must accept it there and come to the
state that is stored. A refusal must be right somewhere between those that its call had before and after it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from itertools import pairwise
from typing import Any, NamedTuple

import asyncpg

from laurels.core.member import ROOT, Balance, Root, Standing, decode_document
from laurels.intake.submission import Outcome
from tests.attack.crowd import EARLY, Sent
from tests.attack.ledger import NEVER, RULES, TIERS, Lot, Member, Refused

METHODS = {"return": "returned"}


class Call(NamedTuple):
    """What one request sent and was answered, and what its server's clock said."""

    clock: int
    sent: list[Sent]
    outcomes: list[Outcome]


class Row(NamedTuple):
    """An activity as stored."""

    member: str
    seq: int
    source: str
    id: str
    type: str
    recorded_at: int
    lucky: int


class Place(NamedTuple):
    """Where an accepted activity stands, and what it is the same as."""

    member: str
    seq: int
    content: int


class Found(AssertionError):  # noqa: N818 - it is what the attack was looking for
    """Laurels and the ledger differ; says where, and what the member went through."""


class Books:
    """The ledger of all members of a program."""

    def __init__(self, program: str, seed: int, budget: int) -> None:
        self.program = program
        self.seed = seed
        self.budget = budget
        self.claimed = 0
        self.rounds = 0
        self.steps = 0
        self.members: defaultdict[str, Member] = defaultdict(Member)
        self.places: dict[str, Place] = {}
        self.histories: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=40))
        self.codes: defaultdict[str, int] = defaultdict(int)
        self._parcels: dict[str, tuple[str, list[Lot]]] = {}
        self._ways: defaultdict[str, list[Member]] = defaultdict(list)

    async def reconcile(self, connection: asyncpg.Connection, calls: list[Call]) -> None:
        """Takes a round into the books; raises `Found`."""
        self.rounds += 1
        rows = await self._rows(connection)
        told = self._told(calls)
        self._ways = defaultdict(list)
        self._enter(rows, told)
        ways = self._ways
        for call in calls:
            self._judge(call, ways)
        for member, way in ways.items():
            self.members[member] = way[-1]
        await self._compare(connection, sorted(ways))
        await self._compare_budget(connection, ways)

    # --- what was accepted --------------------------------------------------------------------------------------------

    async def _rows(self, connection: asyncpg.Connection) -> dict[str, list[Row]]:
        known = await connection.fetch("select id from member where program = $1", self.program)
        names = [row[0] for row in known]
        rows = await connection.fetch(
            "select a.member, a.seq, a.source, a.id, a.type, a.recorded_at, coalesce((select sum(points)::bigint "
            "from entry e where e.program = $1 and e.member = a.member and e.seq = a.seq and e.kind = 'accrual' "
            "and e.campaign = 'lucky' and e.rule is null), 0) from unnest($2::text[], $3::bigint[]) as w (member, seq) "
            "join activity a on a.program = $1 and a.member = w.member and a.seq > w.seq order by a.member, a.seq",
            self.program, names, [self.members[name].seq for name in names],
        )  # fmt: skip
        new: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows:
            new[row[0]].append(Row(*row))
        return new

    def _told(self, calls: list[Call]) -> dict[str, list[tuple[Sent, Call]]]:
        """By id, whom Laurels told that it was accepted, now or before."""
        told: defaultdict[str, list[tuple[Sent, Call]]] = defaultdict(list)
        first: defaultdict[str, int] = defaultdict(int)
        for call in calls:
            for sent, outcome in zip(call.sent, call.outcomes, strict=True):
                self.steps += 1
                self.codes[outcome.refusal.code if outcome.refusal else outcome.status] += 1
                if outcome.status in ("accepted", "replayed"):
                    told[sent.id].append((sent, call))
                first[sent.id] += outcome.status == "accepted"
        for id, times in first.items():
            if times > 1 or (times and id in self.places):
                raise self._found(told[id][0][0].member, f"{id} was accepted twice")
        return told

    def _enter(self, rows: dict[str, list[Row]], told: dict[str, list[tuple[Sent, Call]]]) -> None:
        """Every row that is new, in the order of its member; what came from another waits until that one sent it."""
        waiting = {member: list(reversed(queue)) for member, queue in rows.items()}
        while waiting:
            before = sum(map(len, waiting.values()))
            for member, queue in waiting.items():
                way = self._ways[member] = self._ways[member] or [self.members[member]]
                while queue and self._enter_row(queue[-1], way, told):
                    queue.pop()
            waiting = {member: queue for member, queue in waiting.items() if queue}
            if sum(map(len, waiting.values())) == before:
                member, queue = waiting.popitem()
                raise self._found(member, f"{queue[-1].id} came from nowhere")
        if self._parcels:
            raise self._found("?", f"left in transit: {[*self._parcels]}")

    def _enter_row(self, row: Row, way: list[Member], told: dict[str, list[tuple[Sent, Call]]]) -> bool:
        """Whether the row could be entered already."""
        was = way[-1]
        if row.seq != was.seq + 1:
            raise self._found(row.member, f"number {row.seq} follows {was.seq}")
        if row.source == "laurels":
            at, data = row.recorded_at, dict[str, Any]()
            if row.type != "clock":
                id = row.id.removeprefix("pos/").removesuffix("/back").removesuffix("/in")
                if id not in self._parcels:
                    return False
                wallet, lots = self._parcels.pop(id)
                data = {"wallet": wallet, "sent": lots}
        else:
            mine = [(sent, call) for sent, call in told.get(row.id, ()) if sent.member == row.member]
            if not mine or mine[0][0].data is None:
                raise self._found(row.member, f"{row.id} was recorded, and nobody was told")
            sent, at, data = mine[0][0], mine[0][0].at, dict(mine[0][0].data)
            if row.recorded_at not in [max(call.clock, was.now) for _sent, call in mine]:
                raise self._found(row.member, f"{row.id} was recorded at {row.recorded_at}")
            self.places[row.id] = Place(row.member, row.seq, sent.content)
            if row.type == "transfer":
                data["sent"] = []
                self._parcels[row.id] = data["wallet"], data["sent"]
            elif row.type == "purchase":
                data["lucky"] = row.lucky
        self.histories[row.member].append(f"{row.seq}: {row.type} {row.id} at {at} now {row.recorded_at}: {data}")
        try:
            way.append(was.after(METHODS.get(row.type, row.type), data, at, row.recorded_at))
        except Refused as no:
            raise self._found(row.member, f"{row.type} {row.id} was accepted; the ledger says {no}") from no
        return True

    # --- what was answered --------------------------------------------------------------------------------------------

    def _judge(self, call: Call, ways: dict[str, list[Member]]) -> None:
        answers = [*zip(call.sent, call.outcomes, strict=True)]
        lowest: dict[str, int] = {}
        windows: list[tuple[Sent, Outcome, int]] = []
        for sent, outcome in answers:
            place = self.places.get(sent.id)
            if outcome.status in ("accepted", "replayed"):
                if place != (sent.member, outcome.seq, sent.content):
                    raise self._found(sent.member, f"{sent} was {outcome.status} as {outcome.seq}, which is {place}")
                lowest[sent.member] = max(lowest.get(sent.member, 0), place.seq)
            windows.append((sent, outcome, lowest.get(sent.member, 0)))
        highest: dict[str, int] = {}
        for sent, outcome, low in reversed(windows):
            if outcome.status == "accepted" and outcome.seq is not None:
                highest[sent.member] = outcome.seq - 1
            elif outcome.status in ("refused", "invalid"):
                way = ways.get(sent.member) or [self.members[sent.member]]
                states = [each for each in way if low <= each.seq <= highest.get(sent.member, each.seq)]
                said = "invalid" if outcome.refusal is None else outcome.refusal.code
                noes: set[str] = set().union(*[self._noes(sent, each, call.clock) for each in states])
                if said not in noes:
                    raise self._found(sent.member, f"{sent} was answered {said}; the ledger says {noes}")

    def _noes(self, sent: Sent, was: Member, clock: int) -> set[str]:
        """What may be said to an activity that was refused, if it came just then."""
        place = self.places.get(sent.id)
        if sent.data is None:
            return {"invalid"}
        if place is not None:
            said = "replayed" if place.content == sent.content else "activity_conflict"
            if place.member == sent.member and place.seq > was.seq:
                return {self._no(sent, was, clock)}
            if place.member != sent.member and place.seq > self.members[place.member].seq:
                # Which of the two came first in this round, nobody can tell.
                return {said, self._no(sent, was, clock)}
            return {said}
        return {self._no(sent, was, clock)}

    def _no(self, sent: Sent, was: Member, clock: int) -> str:
        """What the ledger says to an activity whose id is free."""
        assert sent.data is not None
        now = max(clock, was.now)
        if was.enrolled is False and sent.type != "enrol" and sent.at <= now + EARLY:
            return "unknown_member"
        if sent.at > now + EARLY:
            return "occurred_in_future"
        if sent.type == "transfer" and sent.data["to"] == sent.member:
            return "same_member"
        data = {**sent.data, "sent": []} if sent.type == "transfer" else sent.data
        try:
            was.after(METHODS.get(sent.type, sent.type), data, sent.at, now)
        except Refused as no:
            return str(no)
        return "accepted"

    # --- what is stored -----------------------------------------------------------------------------------------------

    async def _compare(self, connection: asyncpg.Connection, names: list[str]) -> None:
        rows = await connection.fetch(
            "select id, seq, root from member where program = $1 and id = any($2)", self.program, names
        )
        roots: dict[str, tuple[int, Any]] = {row[0]: (row[1], decode_document(ROOT, row[2])) for row in rows}
        rows = await connection.fetch(
            "select member, key, document from state where program = $1 and member = any($2) and key like 'lots/%'",
            self.program, names,
        )  # fmt: skip
        lots: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
        for member, key, document in rows:
            page: Any = decode_document(key, document)
            lots[member, key.split("/")[1]] += page
        for name in names:
            must = self.members[name]
            seq, root = roots.get(name, (0, Root()))
            shown = shown_balances(root)
            if (seq, root.seq, shown) != (must.seq, must.seq, balances(must)):
                raise self._found(name, f"stored at {seq}: {shown}; the ledger has at {must.seq}: {balances(must)}")
            standing = root.tracks.get("ladder", Standing(TIERS[0], 0))
            stands = standing.tier, sum(sum(measure.values) for measure in standing.measures)
            if stands != (TIERS[must.ranks[-1][1]], must.spent):
                raise self._found(name, f"stands on {stands}; the ledger has {must.ranks} by {must.spent}")
            held = {id: hold.ends for id, hold in must.holds.items() if hold.status == "held"}
            if root.holds != held:
                raise self._found(name, f"held are {root.holds}; the ledger has {held}")
            for wallet in RULES:
                here = sorted(
                    (each.expires_at or NEVER, each.earned_at, each.points, each.available_at or 0)
                    for each in lots[name, wallet]
                )
                there = sorted((lot.expires, lot.earned, lot.points, lot.active or 0) for lot in must.lots[wallet])
                if here != there:
                    raise self._found(name, f"the lots of {wallet} are {here}; the ledger has {there}")

    async def _compare_budget(self, connection: asyncpg.Connection, ways: dict[str, list[Member]]) -> None:
        """What was used of the budget is what everybody has of it, and only one that was used up left anybody short."""
        used = await connection.fetchval(
            "select coalesce(sum(used), 0)::bigint from pool where program = $1", self.program
        )
        before, self.claimed = self.claimed, sum(member.claimed for member in self.members.values())
        if used != self.claimed or used > self.budget:
            raise self._found("?", f"{used} of {self.budget} are used of the budget; the ledger has {self.claimed}")
        steps = [step for way in ways.values() for step in pairwise(way)]
        most = before + sum(max(after.claimed - was.claimed, 0) for was, after in steps)
        if most < self.budget and any(after.short for _was, after in steps):
            raise self._found("?", f"somebody was left short, and no more than {most} of {self.budget} were used")

    def nothing_is_due(self, now: int) -> None:
        """After a sweep nobody has expired points or an overdue hold."""
        for name, member in self.members.items():
            lots = [lot for each in member.lots.values() for lot in each if lot.expires <= now]
            if lots or any(hold.status == "held" and hold.ends <= now for hold in member.holds.values()):
                raise self._found(name, f"nobody woke the member, at {now}")

    def _found(self, member: str, what: str) -> Found:
        where = f"LAURELS_SEED={self.seed} round {self.rounds} step {self.steps} member {member}: {what}"
        return Found("\n".join([where, *self.histories[member]]))


def balances(member: Member) -> dict[str, tuple[int, int, int, int]]:
    """By wallet what is available, pending, held and owed."""
    return {
        wallet: (
            member.available(wallet),
            sum(lot.points for lot in member.lots[wallet] if lot.active is not None),
            sum(
                lot.points
                for hold in member.holds.values()
                if hold.wallet == wallet and hold.status == "held"
                for lot in hold.lots
            ),
            member.debt[wallet],
        )
        for wallet in RULES
    }


def shown_balances(root: Root) -> dict[str, tuple[int, int, int, int]]:
    """The same as Laurels has it."""
    known = {wallet: root.wallets.get(wallet, Balance()) for wallet in RULES}
    return {wallet: (each.available, each.pending, each.held, each.debt) for wallet, each in known.items()}
