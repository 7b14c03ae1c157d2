"""Replay: activities decided one after the other in memory, as the write path would decide them.

Members' documents, pools and the clock are kept here; what an activity sends to another member is delivered at once.
Orders are paid as the program prices them (`repricing`), and draws go on when it is time (`drawing`).
Order is everything: activities come as they were, or would be, recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from hashlib import sha256

from msgspec.structs import replace

from laurels.core.activity import Activity, Clock, Free, Parcel, Play, Purchase, Return
from laurels.core.calendar import Instant
from laurels.core.decide import Circumstances, Decision
from laurels.core.draw import number_of
from laurels.core.facts import (
    AnyFact,
    FollowUp,
    PoolClaimed,
    Priced,
    PrizeWon,
    TicketsGranted,
    decode_facts,
    encode_facts,
)
from laurels.core.member import Document, Member, purchased, tickets_key
from laurels.core.prize import day_of, key_name
from laurels.core.refusal import Refusal
from laurels.core.version import Versions
from laurels.core.voucher_activity import VoucherParcel
from laurels.core.voucher_use import names_codes, pools_named
from laurels.core.wire import WireParcel, WireTierKept
from laurels.intake.batch import parcel_of
from laurels.intake.deciding import RETURN_OF
from laurels.intake.folder import Folder
from laurels.intake.submission import SOURCE
from laurels.simulate.chance import ORDINARY, Chance
from laurels.simulate.drawing import Drawing
from laurels.simulate.figures import Figures, count
from laurels.simulate.given import Counting
from laurels.simulate.repricing import Repricing

Reread = Callable[[bytes], Purchase]
"""A purchase from its body as it was sent."""


class Replay:
    """A program being lived through. `figures` is what came of it so far.

    With `returns` false no purchase is kept for returns, which saves memory where none can come. Draws are drawn by
    `chance`; of the instant draws in `played` each ticket is played as soon as it is had.
    """

    def __init__(
        self,
        versions: Versions,
        reread: Reread,
        *,
        returns: bool = True,
        chance: Chance = ORDINARY,
        played: Container[str] = (),
    ) -> None:
        self.figures = Figures()
        self.clock: Instant = 0
        self._versions = versions
        self._reread = reread
        self._returns = returns
        self._members: dict[str, Folder] = {}
        self._pools: dict[str, int] = {}
        self._purchases: dict[tuple[str, int], tuple[bytes | Purchase, bytes]] = {}
        self._counting = Counting(self.figures.given)
        self._repricing = Repricing(versions)
        self._chance = chance
        self._drawing = Drawing(versions, chance, self._members, self._performed, played)

    def submit(
        self,
        activity: Activity,
        body: bytes,
        recorded_at: Instant | None = None,
        given: Circumstances | None = None,
        priced: Priced | None = None,
    ) -> Decision | Refusal:
        """What comes of the activity; recorded when it occurred, or at the clock if that stands later, unless given.

        `given` are the circumstances under which it was recorded, of which chance, codes and keys count here, too, and
        `priced` is what was recorded of an order's prices.
        """
        at = max(self.clock, activity.occurred_at) if recorded_at is None else recorded_at
        draws = self._drawing.due_at(at)
        if draws and (recorded_at is not None or self._comes(activity, at, draws)):
            self._drawing.go_on(at)
        decided = self._decide(self._drawing.instead(activity), body, recorded_at, given, priced)
        self.figures.activities += 1
        if isinstance(decided, Refusal):
            count(self.figures.refused, decided.code)
        return decided

    def _comes(self, activity: Activity, at: Instant, draws: frozenset[str]) -> bool:
        """Whether time goes on by what nobody has recorded yet: not where it is refused, whatever these draws give."""
        folder = self._members.get(activity.member) or Folder(activity.member)
        if any(folder.member.documents.get(tickets_key(draw)) is not None for draw in draws):
            return True
        return isinstance(self._judged(folder, activity, at, None), Decision)

    def _performed(self, activity: Activity) -> Decision | Refusal:
        """What comes of an activity that Laurels itself sends."""
        return self._decide(activity, b"", activity.occurred_at)

    def _decide(
        self,
        activity: Activity,
        body: bytes,
        recorded_at: Instant | None,
        given: Circumstances | None = None,
        priced: Priced | None = None,
    ) -> Decision | Refusal:
        member = activity.member
        folder = self._members.get(member) or Folder(member)
        at = max(recorded_at if recorded_at is not None else max(self.clock, activity.occurred_at), folder.root.now)

        def facts_of(each: Activity) -> tuple[AnyFact, ...] | Refusal:
            decided = self._judged(folder, each, at, given)
            return decided if isinstance(decided, Refusal) else decided.facts

        data, paid = activity.data, None
        if isinstance(data, Purchase):
            paid = self._repricing.purchase(activity, data, priced, folder.member.documents, at, facts_of)
            if paid is not data:
                activity = replace(activity, data=paid)
        elif isinstance(data, Return):
            activity = replace(activity, data=self._repricing.returned(member, data))
        decided = self._judged(folder, activity, at, given)
        if isinstance(decided, Refusal):
            return decided
        folder.file(decided)
        self.clock = max(self.clock, at)
        self._members[member] = folder
        for fact in decided.facts:
            if type(fact) is PoolClaimed:
                self._pools[fact.pool] = self._pools.get(fact.pool, 0) + fact.by
        self.figures.take(decided.facts)
        self._counting.take(member, decided.facts)
        if self._returns and isinstance(data, Purchase) and paid is not None:
            sent = body if paid is data else paid
            self._purchases[member, decided.member.root.seq] = (sent, encode_facts(decided.facts))
            self._repricing.accepted(member, data, paid)
        for fact in decided.facts:
            if type(fact) is PrizeWon:
                self._drawing.won(member, fact)
            elif type(fact) is TicketsGranted:
                self._drawing.granted(member, fact)
        for fact in decided.facts:
            if type(fact) is FollowUp:
                self._deliver(fact, member, decided.member.root.now)
        return decided

    def _judged(
        self, folder: Folder, activity: Activity, at: Instant, given: Circumstances | None
    ) -> Decision | Refusal:
        """What would come of the activity; nothing is filed."""
        circumstances = self._circumstances(folder, activity, at, given)
        return folder.decide(self._versions, activity, circumstances, lambda seq: self._bought(folder.id, seq))

    def _circumstances(
        self, folder: Folder, activity: Activity, at: Instant, given: Circumstances | None
    ) -> Circumstances:
        """What an activity is decided under: the pools as they are here, chance, codes and keys as they were given."""
        names = self._versions.pools_of(activity, folder.root.automatic, at)
        if self._versions.has_vouchers:
            codes_named = names_codes(activity.data, self._versions.at(activity.occurred_at))
            names = (*names, *self._versions.voucher_budgets, *pools_named(codes_named))
        pools = {pool: self._pools.get(pool, 0) for pool in names}
        # A draw that is new has opened when it says; who has which number in it makes no difference here.
        draws = self._versions.draws_of(activity, folder.root.automatic)
        keys = {draw: number_of(draw.encode(), activity.member) for draw in draws}
        random, codes = "", {}
        if given is not None and not self._chance.anew:
            keys.update(given.keys)
        if isinstance(activity.data, Play):
            draw, day = activity.data.draw, day_of(self._versions.judging(at), at)
            keys.setdefault(key_name(draw, day), self._drawing.key_of(draw, day))
        if self._versions.draws_chance:
            random = given.random if given is not None and given.random else _chance_of(activity)
            codes = given.codes if given is not None else {}
        return Circumstances(at, pools, random, codes, keys)

    def _bought(self, member: str, seq: int) -> Document | None:
        """A purchase is made again from what was sent."""
        kept = self._purchases.get((member, seq))
        if kept is None:
            return None
        sent, facts = kept
        return purchased(sent if isinstance(sent, Purchase) else self._reread(sent), decode_facts(facts))

    def _deliver(self, fact: FollowUp, sender: str, at: Instant) -> None:
        """What is on its way arrives, or comes back where it is refused."""
        data, back = _sent(fact)
        sent = Activity(SOURCE, fact.id, fact.type, fact.member, fact.occurred_at(at), data)
        if isinstance(self._decide(sent, b"", at), Refusal):
            assert back is not None, "what is true of a member is not refused"
            returned = self._performed(Activity(SOURCE, f"{fact.id}/back", RETURN_OF[fact.type], sender, at, back))
            assert isinstance(returned, Decision), "what was refused can be given back"

    def finish(self, now: Instant, member: str | None = None) -> dict[str, Member]:
        """Brings members (or one) up to an instant, counts what they have, and forgets them: the members by id.

        Draws go on until then, unless members come one by one; no scheduled draw is theirs.
        """
        if member is None:
            self._drawing.go_on(now)
        ids = list(self._members) if member is None else [member]
        finished: dict[str, Member] = {}
        for id in ids:
            held = self._members.get(id)
            if held is None:
                continue
            if held.root.due_at is not None and held.root.due_at <= now:
                passed = self._performed(Activity(SOURCE, f"clock/{id}", "clock", id, now, Clock()))
                assert isinstance(passed, Decision), "time cannot be refused"
            finished[id] = self._members.pop(id).member
            self.figures.hold(finished[id])
            if member is not None:
                self._counting.forget(id)
                self._repricing.forget(id)
        if member is not None:
            self._purchases.clear()
        return finished


def _sent(fact: FollowUp) -> tuple[Free, None] | tuple[Parcel | VoucherParcel, Parcel | VoucherParcel]:
    """What a follow-up brings, and what brings it back; nobody sends that a tier was kept, and nobody has it back."""
    sent = parcel_of(fact)
    if isinstance(sent, WireTierKept):
        return Free({"track": sent.track, "tier": sent.tier}), None
    if isinstance(sent, WireParcel):
        return Parcel(sent.counterpart, sent.wallet, sent.lots), Parcel(fact.member, sent.wallet, sent.lots)
    carried = (sent.code, sent.voucher, sent.expires_at, sent.worth)
    return VoucherParcel(sent.counterpart, *carried), VoucherParcel(fact.member, *carried)


def _chance_of(activity: Activity) -> str:
    """Chance for what was recorded without any: always the same, so that a simulation can be repeated."""
    return sha256(f"{activity.source}\0{activity.id}".encode()).hexdigest()[:32]
