"""Deciding a batch in memory: activities in their order, each on what those before it left of its member.

A pass knows the members as they were locked and what has been loaded of them, and changes nothing outside itself, so
that it can be made again from the start when a pool turned out to hold less than it was decided on. Documents that are
missing are collected over as many members as possible and asked for together.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any, Final

import msgspec

from laurels.core.activity import Activity, Play, Prize, Purchase
from laurels.core.calendar import MICROSECONDS_PER_MINUTE, Instant
from laurels.core.case import Code
from laurels.core.decide import Circumstances, Decision, bring_up, decide
from laurels.core.draw import day_key, number_of
from laurels.core.facts import AnyFact, Explained, PoolClaimed, Priced, QuoteReserved, decode_facts
from laurels.core.journal import entries
from laurels.core.limit import wished, wished_money
from laurels.core.member import ROOT, Document, Member, Missing, purchase_key, purchased
from laurels.core.prize import day_of, key_name
from laurels.core.program.draws_model import TICKETS, stock_pool
from laurels.core.refusal import Refusal
from laurels.core.shape import Problem
from laurels.core.voucher import CODE_POOLS
from laurels.ids import chance
from laurels.intake.admission import Item
from laurels.intake.head import Head
from laurels.intake.sameness import StoredBody, is_same
from laurels.intake.submission import Outcome
from laurels.store.draws import OpenDraw

AHEAD_MOST: Final = 5 * MICROSECONDS_PER_MINUTE
"""How far a live activity may have occurred ahead of the clock."""

RETURN_OF: Final = {"transfer_in": "transfer_back", "voucher_in": "voucher_back"}
"""By the type of a follow-up: the type of what gives it back to its sender."""

RETURNS: Final = frozenset(RETURN_OF.values())
"""Types that give a follow-up back. They cannot be refused, not even by a sealed member."""

_PASS_THE_SEAL: Final = RETURNS | {"draw_forfeit", "tier_kept"}
"""Types that Laurels itself records of a sealed member.

Nobody else is to lose anything by the seal, and what was sent before it, and can go nowhere else, arrives.
"""

_TRIGGER: Final = MappingProxyType({"quote": "purchase"})
"""What sets off the campaigns that judged an activity, where that is not its type."""

POOL: Final = "pool/"
"""How the keys begin by which a decision asks for what was used of pools."""

NO_DRAWS: Final[Mapping[str, OpenDraw]] = {}

_log: Final = logging.getLogger("laurels.intake")


class Loaded:
    """Members as locked: their documents as far as loaded, who exists, and who is sealed."""

    __slots__ = ("documents", "existing", "sealed")

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Document | None]] = {}
        self.existing: set[str] = set()
        self.sealed: set[str] = set()

    def add(self, member: str, key: str, document: Document | None) -> None:
        """Keeps a document that was looked up; None says that there is none."""
        self.documents[member][key] = document


class Accepted(msgspec.Struct, gc=False):
    """A decision to be recorded, and what was used of the pools it may have looked at."""

    item: Item
    decision: Decision
    recorded_at: Instant
    pools: dict[str, int]
    outcome: Outcome


class Pass:
    """One way through a batch. `now` is real time; `clock` the program's own where it has one.

    `used` is what was used of the pools that were `read`; one that was not is asked for like a document.
    """

    def __init__(
        self,
        head: Head,
        loaded: Loaded,
        hits: Mapping[tuple[str, str], Any],
        letters: Mapping[str, Any],
        used: Mapping[str, int],
        read: Set[str],
        codes: Mapping[str, Code],
        now: Instant,
        clock: Instant | None,
        draws: Mapping[str, OpenDraw] = NO_DRAWS,
    ) -> None:
        self._draws = draws
        self._head = head
        self._loaded = loaded
        self._hits = hits
        self._letters = letters
        self._now = now
        self._used = dict(used)
        self._read = read
        self._codes = codes
        self._members: dict[str, Member] = {}
        self._here: dict[tuple[str, str], Accepted] = {}
        self._by_seq: dict[tuple[str, int], Accepted] = {}
        self.clock = clock
        self.accepted: list[Accepted] = []
        self.changed: dict[str, set[str]] = {}
        self.claims: dict[str, int] = {}
        self.outcomes: dict[Item, Outcome] = {}

    def run(self, items: Sequence[Item]) -> tuple[list[Item], dict[str, set[str]]]:
        """Decides what can be; the items that wait for documents, in their order, and by member which ones.

        Where the clock is the program's own, nothing overtakes: what is recorded moves it, in the order of arrival.
        """
        waiting: list[Item] = []
        missing: dict[str, set[str]] = {}
        ids: set[tuple[str, str]] = set()
        for n, item in enumerate(items):
            sent = item.submission
            if missing and (sent.member in missing or (sent.source, sent.id) in ids):
                waiting.append(item)
                continue
            try:
                self.outcomes[item] = self._outcome(item)
            except Missing as lacking:
                missing[sent.member] = set(lacking.keys)
                ids.add((sent.source, sent.id))
                waiting.append(item)
                if not self._head.is_live:
                    waiting.extend(items[n + 1 :])
                    break
            except Exception:  # noqa: BLE001 - a defect that one item meets is not the others'
                _log.exception("activity %s %s could not be decided", sent.source, sent.id)
                self.outcomes[item] = item.invalid(defect())
        return waiting, missing

    def wishes(self) -> dict[str, tuple[int, int]]:
        """By pool, all that was wanted of it, whether or not it was granted, and the most that may be used of it.

        While there is room for all that was wanted, no decision would be another one. What a return gives back looks
        at no pool.
        """
        found: dict[str, tuple[int, int]] = {}
        for accepted in self.accepted:
            activity = accepted.item.activity
            if not accepted.pools or activity is None:
                continue
            for fact in accepted.outcome.facts:
                for pool, wanted, most in self._wished(accepted, activity, fact):
                    before, least = found.get(pool, (0, most))
                    found[pool] = (before + wanted, min(least, most))
        return found

    def _wished(self, accepted: Accepted, activity: Activity, fact: AnyFact) -> Iterator[tuple[str, int, int]]:
        """What a fact says that was wanted of pools with an end, and where that is."""
        versions = self._head.versions
        if type(fact) is PoolClaimed:
            most = self._most_of(accepted, fact.pool) if fact.by > 0 else None
            if most is not None:
                yield fact.pool, fact.by, most
        elif type(fact) is Explained:
            compiled = versions.numbered(fact.version)
            trigger = None if compiled is None else compiled.trigger(_TRIGGER.get(activity.type, activity.type))
            for pool, budget, points in wished(trigger, fact.campaigns) if trigger is not None else ():
                yield pool, points, budget.most
        priced = fact.priced if type(fact) is QuoteReserved else fact
        if type(priced) is Priced:
            compiled = versions.numbered(priced.version)
            if compiled is not None and compiled.pricelist is not None:
                for pool, budget, amount in wished_money(compiled.pricelist, priced):
                    yield pool, amount, budget.most

    def _most_of(self, accepted: Accepted, pool: str) -> int | None:
        """How much of a pool may be used, if a claim says all that was wanted of it; of budgets others do."""
        if pool.startswith(TICKETS):
            stock = self._stock_of(accepted, pool)
            assert stock is not None
            return stock
        if pool.startswith(CODE_POOLS) and (code := self._codes.get(pool.removeprefix(CODE_POOLS))) is not None:
            return code.uses
        versions = self._head.versions
        budget = versions.voucher_budgets.get(pool)
        if budget is not None:
            return budget
        catalogue = versions.judging(accepted.recorded_at).catalogue
        return catalogue.bound_of(pool) if catalogue.bounds else None

    def member(self, id: str) -> Member:
        """The member as of the last decision."""
        member = self._members.get(id)
        return Member(id, self._loaded.documents[id]) if member is None else member

    def supply(self, id: str, key: str, document: Document | None) -> None:
        """A document that was missing, as it was when the member was locked."""
        self._loaded.add(id, key, document)
        member = self._members.get(id)
        if member is not None and key not in member.documents:
            self._members[id] = Member(id, {**member.documents, key: document})

    def supply_pools(self, used: Mapping[str, int]) -> None:
        """What was used of pools that nobody had read before."""
        for pool, by in used.items():
            self._used.setdefault(pool, by)

    def supply_purchase(self, id: str, seq: int) -> bool:
        """Whether the purchase that is the member's activity number `seq` was decided here; then the member has it.

        It is kept with the member and not with what was loaded: another pass may decide it otherwise.
        """
        accepted = self._by_seq.get((id, seq))
        if accepted is None:
            return False
        activity, member = accepted.item.activity, self._members[id]
        assert activity is not None
        assert isinstance(activity.data, Purchase)
        document = purchased(activity.data, accepted.decision.facts)
        self._members[id] = Member(id, {**member.documents, purchase_key(seq): document})
        return True

    def _outcome(self, item: Item) -> Outcome:
        sent = item.submission
        hit = self._hits.get((sent.source, sent.id))
        if hit is not None:
            return self._replay(item, hit)
        first = self._here.get((sent.source, sent.id))
        if first is not None:
            return self._repeat(item, first)
        if item.outbox is not None and (settled := self._settled(item)) is not None:
            return settled
        if item.activity is None:
            if item.problems:
                return item.invalid(*item.problems)
            return self._refused(item, Refusal("unknown_program_version"))
        if sent.member in self._loaded.sealed and sent.type not in _PASS_THE_SEAL:
            return self._refused(item, Refusal("member_sealed"))
        return self._decide(item)

    def _decide(self, item: Item) -> Outcome:
        activity = item.activity
        assert activity is not None
        member = self.member(activity.member)
        recorded_at = self.recorded_at(activity.occurred_at, member)
        if self._head.is_live and activity.occurred_at > recorded_at + AHEAD_MOST:
            return self._refused(item, Refusal("occurred_in_future"))
        names = self._head.pools_of(activity, member.root.automatic, recorded_at, item.codes)
        unread = [name for name in names if name not in self._read]
        if unread:
            raise Missing(*[f"{POOL}{name}" for name in unread])
        pools = {name: self._used.get(name, 0) for name in names}
        random = chance() if self._head.versions.draws_chance else ""
        codes = {code: self._codes[code] for code in item.codes if code in self._codes}
        keys = self._keys_of(activity, member, recorded_at) if self._draws else {}
        given = Circumstances(recorded_at, pools, random, codes, keys)
        decided = decide(self._head.versions, member, activity, given)
        if isinstance(decided, Refusal):
            return self._refused(item, decided)
        after = decided.member
        outcome = Outcome(
            activity.source,
            activity.id,
            activity.member,
            "accepted",
            seq=after.root.seq,
            version=decided.version,
            recorded_at=recorded_at,
            facts=decided.facts,
            entries=entries(decided.facts),
            member_after=after,
        )
        accepted = Accepted(item, decided, recorded_at, pools, outcome)
        self.accepted.append(accepted)
        self._here[activity.source, activity.id] = accepted
        self._by_seq[activity.member, after.root.seq] = accepted
        self._members[activity.member] = after
        changed = self.changed.get(activity.member)
        if changed is None:
            self.changed[activity.member] = set(decided.changed)
        else:
            changed |= decided.changed
        for fact in decided.facts:
            if type(fact) is PoolClaimed:
                self._used[fact.pool] = self._used.get(fact.pool, 0) + fact.by
                self.claims[fact.pool] = self.claims.get(fact.pool, 0) + fact.by
        if not self._head.is_live:
            self.clock = recorded_at
        return outcome

    def _keys_of(self, activity: Activity, member: Member, at: Instant) -> dict[str, str]:
        """The member's own numbers in the draws that are open, and to play one the key of its day."""
        keys: dict[str, str] = {}
        for id in self._head.versions.draws_of(activity, member.root.automatic):
            draw = self._draws.get(id)
            if draw is None:
                continue
            keys[id] = number_of(draw.numbers, activity.member)
            if isinstance(activity.data, Play):
                day = day_of(self._head.versions.judging(at), at)
                keys[key_name(id, day)] = day_key(draw.seed, day).hex()
        return keys

    def _stock_of(self, accepted: Accepted, pool: str) -> int | None:
        """How many prizes there are, of which a decision took one; None where it took none of that pool."""
        activity = accepted.item.activity
        assert activity is not None
        if isinstance(activity.data, Prize):
            return activity.data.quantity
        if not isinstance(activity.data, Play):
            return None
        draw = self._head.versions.judging(accepted.recorded_at).draws[activity.data.draw]
        return next((prize.quantity for prize in draw.prizes if stock_pool(draw.id, prize.id) == pool), None)

    def recorded_at(self, occurred_at: Instant, member: Member) -> Instant:
        """When it is recorded: never before what was recorded earlier for the member, or for the program's clock."""
        if self._head.is_live:
            return max(self._now, member.root.now)
        return max(self.clock or 0, occurred_at, member.root.now)

    def _present(self, id: str) -> Member | None:
        if id not in self._loaded.existing and id not in self._members:
            return None
        member = self.member(id)
        if not isinstance(member.documents[ROOT], msgspec.Struct):
            return None
        now = self._now if self._head.is_live else self.clock or 0
        return bring_up(self._head.versions, member, max(now, member.root.now))

    def _refused(self, item: Item, refusal: Refusal) -> Outcome:
        sent = item.submission
        return Outcome(sent.source, sent.id, sent.member, "refused", refusal)

    def _conflict(self, item: Item) -> Outcome:
        if item.problems:
            return item.invalid(*item.problems)
        return self._refused(item, Refusal("activity_conflict"))

    def _replay(self, item: Item, hit: Any) -> Outcome:
        """The first answer, if it is the same activity; with the member as of now."""
        sent = item.submission
        stored = StoredBody(
            hit["type"], hit["member"], hit["occurred_at"], hit["body"].encode(), hit["has_texts"], hit["texts"]
        )
        if not _same(stored, item):
            return self._conflict(item)
        facts = decode_facts(hit["facts"])
        return Outcome(
            sent.source,
            sent.id,
            sent.member,
            "replayed",
            seq=hit["seq"],
            version=hit["version"],
            recorded_at=hit["recorded_at"],
            facts=facts,
            entries=entries(facts),
            member_after=self._present(sent.member),
        )

    def _repeat(self, item: Item, first: Accepted) -> Outcome:
        """The same for an id that came twice in the batch."""
        was = first.item.submission
        if not _same(StoredBody(was.type, was.member, was.occurred_at, first.item.body, False, None), item):
            return self._conflict(item)
        return msgspec.structs.replace(first.outcome, status="replayed", member_after=self._present(was.member))

    def _settled(self, item: Item) -> Outcome | None:
        """What already became of the follow-up that the item would deliver or give back; None if it may go on."""
        assert item.outbox is not None
        letter = self._letters[item.outbox[0]]
        if letter["status"] == ("returning" if item.submission.type in RETURNS else "pending"):
            return None
        assert letter["refusal"] is not None, "a follow-up that was delivered has its activity"
        return self._refused(item, msgspec.json.decode(letter["refusal"], type=Refusal))


def defect() -> Problem:
    """What an item is told that failed for no fault of its own."""
    return Problem("", "internal_error", "this could not be decided because of a defect; nothing was recorded")


def _same(stored: StoredBody, item: Item) -> bool:
    sent = item.submission
    try:
        return is_same(stored, sent.type, sent.member, sent.occurred_at, item.body)
    except msgspec.DecodeError:
        return False
