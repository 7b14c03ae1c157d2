"""A small world around the core: programs, members as stored documents, pools, follow-ups and a clock.

It does what the shell does, with dictionaries for a database, and believes nothing: documents are kept as the bytes
that would be stored, every `Missing` is served and counted, and after each step the laws that hold for every step are
asserted. Whoever writes a test here posts activities with readable times and looks at balances.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from hashlib import sha256
from typing import Any, Final

import msgspec

from laurels.core.activity import Activity, Purchase, parse
from laurels.core.apply import apply
from laurels.core.calendar import Instant, Zone, parse_instant
from laurels.core.case import Code
from laurels.core.decide import Circumstances, Decision, bring_up, decide, needs
from laurels.core.draw import day_key, number_of
from laurels.core.facts import (
    MEMBER_ACCOUNTS,
    SYSTEM_ACCOUNTS,
    AnyFact,
    Explained,
    FollowUp,
    Judged,
    Moved,
    PoolClaimed,
    TierSet,
    decode_facts,
    encode_facts,
)
from laurels.core.journal import entries
from laurels.core.member import (
    ROOT,
    Balance,
    Document,
    Lot,
    Measures,
    Member,
    Missing,
    Purchased,
    Redemption,
    Root,
    Standing,
    decode_document,
    encode_document,
    lot_key,
    page_key,
    purchased,
)
from laurels.core.pages import FULL
from laurels.core.program.loading import load
from laurels.core.program.model import Program
from laurels.core.refusal import Refusal
from laurels.core.shape import Problem
from laurels.core.tier import Outlook, outlook
from laurels.core.version import Version, Versions

ROUNDS_MOST = 40
"""So many times may a decision ask for documents; real ones ask a few times."""


def program(text: str | Mapping[str, Any]) -> Program:
    """The program of a document, given as text or as what the text would say."""
    loaded = load(text if isinstance(text, str) else json.dumps(text))
    assert isinstance(loaded, Program), "\n".join(map(str, loaded))
    return loaded


def shop(
    points: Mapping[str, Any] | None = None,
    *,
    wallets: Mapping[str, Any] | None = None,
    campaigns: Mapping[str, Any] | None = None,
    **parts: Any,
) -> dict[str, Any]:
    """A document: a shop in Shanghai that grants a point a yuan, with other campaigns, wallets and parts as given.

    `points` are the words of the wallet `points`.
    """
    base = {"on": "purchase", "grant": {"wallet": "points", "points": 1, "per": "1.00"}}
    return {
        "program": "shop",
        "time_zone": "Asia/Shanghai",
        "currency": "CNY",
        "wallets": {"points": dict(points or {}), **(wallets or {})},
        "campaigns": {"base": base, **(campaigns or {})},
        **parts,
    }


class Recorded(msgspec.Struct, frozen=True):
    """An accepted activity as a store would keep it."""

    seq: int
    activity: Activity
    at: Instant
    facts: bytes


class Stored:
    """A member's documents and activities."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.documents: dict[str, bytes] = {}
        self.recorded: list[Recorded] = []
        self.accounts: Counter[tuple[str, str]] = Counter()

    def read(self, key: str) -> Document | None:
        """The document of that key as the core wants it."""
        kind, _, rest = key.partition("/")
        if kind == "activity":
            recorded = self.recorded[int(rest) - 1]
            assert isinstance(recorded.activity.data, Purchase)
            return purchased(recorded.activity.data, decode_facts(recorded.facts))
        stored = self.documents.get(key)
        return None if stored is None else decode_document(key, stored)

    def all(self) -> Member:
        """Everything stored, loaded."""
        return Member(self.id, {key: decode_document(key, stored) for key, stored in self.documents.items()})


class Answer:
    """What became of an activity, for people who read tests."""

    def __init__(self, refusal: Refusal | None, facts: tuple[AnyFact, ...], seq: int, loaded: frozenset[str]) -> None:
        self.refusal = refusal
        self.facts = facts
        self.seq = seq
        self.loaded = loaded

    @property
    def code(self) -> str:
        """The refusal's code, or "accepted"."""
        return "accepted" if self.refusal is None else self.refusal.code

    @property
    def entries(self) -> list[Moved]:
        """Its journal entries."""
        return entries(self.facts)

    def granted(self, campaign: str, rule: str | None = None) -> int:
        """Points that a campaign (or a tier's bonus over it) granted."""
        return sum(e.points for e in self.entries if (e.kind, e.campaign, e.rule) == ("accrual", campaign, rule))

    def moved(self, out_of: str, into: str, wallet: str = "points") -> int:
        """Points that moved from one account of the wallet to another."""
        return sum(e.points for e in self.entries if (e.out_of, e.into, e.wallet) == (out_of, into, wallet))

    @property
    def judged(self) -> dict[str, Judged]:
        """The explanation by campaign; a tier's bonus as "campaign@track.tier"."""
        judged = [each for fact in self.facts if isinstance(fact, Explained) for each in fact.campaigns]
        return {f"{each.campaign}@{each.by}" if "." in (each.by or "") else each.campaign: each for each in judged}

    def why(self, campaign: str) -> tuple[str, int, int]:
        """Code, wanted and granted of a campaign."""
        judged = self.judged[campaign]
        return judged.code, judged.wanted, judged.granted

    def of(self, kind: type[Any]) -> list[Any]:
        """Its facts of a kind."""
        return [fact for fact in self.facts if isinstance(fact, kind)]

    @property
    def tier_changes(self) -> list[tuple[str, str]]:
        """Tiers set, with the reason."""
        return [(fact.tier, fact.reason) for fact in self.facts if isinstance(fact, TierSet)]


DRAW_SEED: Final = bytes(range(32))


def draw_keys(member: str) -> dict[str, str]:
    """What a shell hands in of the draws spring and wheel: the member's own numbers, and the wheel's days of March."""
    days = [f"2026-03-{day:02}" for day in range(1, 32)]
    numbers = {draw: number_of(DRAW_SEED, f"{draw} {member}") for draw in ("spring", "wheel")}
    return {**numbers, **{f"wheel/{day}": day_key(DRAW_SEED, day).hex() for day in days}}


class World:
    """Programs by the instant they take effect, members, pools and a clock. Its zone is the first program's."""

    def __init__(self, *programs: str | Mapping[str, Any] | Program, start: str = "2026-01-01 00:00") -> None:
        self.versions = Versions(())
        self.members: dict[str, Stored] = {}
        self.pools: Counter[str] = Counter()
        self.codes: dict[str, Code] = {}
        self.checks = True
        self.keys: Callable[[str], dict[str, str]] = lambda _member: {}
        self.transit: Counter[str] = Counter()
        for number, each in enumerate(programs):
            assert number == 0, "later versions are published with publish()"
            self._add(each, 0)
        # Not the engine's own: an instant is the same whatever the engine takes the zone for.
        self.zone = Zone(self.versions.judging(0).program.time_zone)
        self.now = self.instant(start)
        self._ids = 0

    def fork(self) -> World:
        """Another world with the same past."""
        other = copy(self)
        other.pools, other.transit = Counter(self.pools), Counter(self.transit)
        other.members = {}
        for id, stored in self.members.items():
            known = other.members[id] = Stored(id)
            known.documents, known.recorded = dict(stored.documents), list(stored.recorded)
            known.accounts = Counter(stored.accounts)
        return other

    # --- programs and time ---

    def _add(self, each: str | Mapping[str, Any] | Program, effective_at: Instant) -> None:
        versions = self.versions.versions
        value = each if isinstance(each, Program) else program(each)
        self.versions = Versions((*versions, Version(len(versions) + 1, effective_at, value)))

    def publish(self, each: str | Mapping[str, Any] | Program, effective: str) -> None:
        """A further version, in effect from then on."""
        self._add(each, self.instant(effective))

    def instant(self, text: str) -> Instant:
        """ "2026-03-01", "2026-03-01 10:00", "... 10:00:30" or "... 10:00:30.5" in the program's zone, or RFC 3339."""
        if "T" in text:
            return parse_instant(text)
        date, _, clock = text.partition(" ")
        clock, _, fraction = (clock or "00:00").partition(".")
        clock = clock if clock.count(":") == 2 else f"{clock}:00"
        day = parse_instant(f"{date}T00:00:00Z")
        hours, minutes, seconds = (int(part) for part in clock.split(":"))
        ordinal = day // 86_400_000_000 + 719_163
        second = (hours * 60 + minutes) * 60 + seconds
        return self.zone.instant_at(ordinal, second, int(fraction.ljust(6, "0") or 0))

    def text(self, instant: Instant | None) -> str | None:
        """The instant as local date and time, without the offset and without zero seconds."""
        if instant is None:
            return None
        text = self.zone.format(instant)
        text = text[: 26 if "." in text else 19].replace("T", " ")
        return text.removesuffix(":00") if "." not in text else text

    # --- doing ---

    def post(
        self,
        member: str,
        type: str,
        data: Mapping[str, Any] | None = None,
        *,
        at: str | Instant | None = None,
        occurred: str | Instant | None = None,
        source: str = "pos",
        id: str | None = None,
    ) -> Answer:
        """Sends an activity that is recorded at `at` (the clock moves there) and occurred then, or at `occurred`."""
        if at is not None:
            moved = self.instant(at) if isinstance(at, str) else at
            assert moved >= self.now, "the clock moves forward only"
            self.now = moved
        when = self.now if occurred is None else self.instant(occurred) if isinstance(occurred, str) else occurred
        self._ids += 1
        declared = self.versions.declared
        assert declared is not None
        activity = parse(
            source=source,
            id=id or f"a{self._ids}",
            type=type,
            member=member,
            occurred_at=when,
            data=json.dumps(data or {}).encode(),
            declared=declared,
        )
        assert isinstance(activity, Activity), _problems(activity)
        answer = self._submit(activity)
        for fact in answer.of(FollowUp):
            self._deliver(fact, activity)
        return answer

    def _deliver(self, fact: FollowUp, cause: Activity) -> None:
        body = {"wallet": fact.wallet, "counterpart": fact.counterpart, "lots": msgspec.to_builtins(fact.parts)}
        if fact.voucher is not None:
            body = {"counterpart": fact.counterpart, **msgspec.to_builtins(fact.voucher)}
        if fact.kept is not None:
            body = {"track": fact.kept.track, "tier": fact.kept.tier}
        occurred = fact.occurred_at(cause.occurred_at)
        answer = self.post(fact.member, fact.type, body, source="laurels", id=fact.id, occurred=occurred)
        if answer.refusal is not None:
            body["counterpart"] = fact.member
            type_ = "transfer_back" if fact.voucher is None else "voucher_back"
            back = self.post(cause.member, type_, body, source="laurels", id=f"{fact.id}/back")
            assert back.refusal is None
        assert not self.transit[fact.wallet], "points are lost on their way"

    def _submit(self, activity: Activity) -> Answer:
        stored = self.members.setdefault(activity.member, Stored(activity.member))
        random = chance_of(activity.id) if self.versions.draws_chance else ""
        used = {pool: used for pool, used in self.pools.items() if used}
        circumstances = Circumstances(self.now, used, random, self.codes, self.keys(activity.member))
        outcome, before = self._decide(stored, activity, circumstances)
        if isinstance(outcome, Refusal):
            return Answer(outcome, (), 0, frozenset(before.documents))
        seq = len(stored.recorded) + 1
        if self.checks:
            self._check_step(stored, before, outcome, activity, circumstances, seq)
        for key in outcome.changed:
            document = outcome.member.documents[key]
            if document is None:
                stored.documents.pop(key, None)
            else:
                stored.documents[key] = encode_document(document)
        stored.recorded.append(Recorded(seq, activity, self.now, encode_facts(outcome.facts)))
        for fact in outcome.facts:
            if isinstance(fact, PoolClaimed):
                self.pools[fact.pool] += fact.by
                assert self.pools[fact.pool] >= 0
        for entry in entries(outcome.facts):
            stored.accounts[entry.wallet, entry.out_of] -= entry.points
            stored.accounts[entry.wallet, entry.into] += entry.points
            self.transit[entry.wallet] += entry.points * ((entry.into == "in_transit") - (entry.out_of == "in_transit"))
        if self.checks:
            self._check_state(stored)
        return Answer(None, outcome.facts, seq, frozenset(before.documents))

    def _decide(
        self, stored: Stored, activity: Activity, circumstances: Circumstances
    ) -> tuple[Decision | Refusal, Member]:
        """Decides as the shell does: loads what is needed, serves what is missing, decides again."""
        root = stored.read(ROOT)
        documents: dict[str, Document | None] = {ROOT: root}
        known = root if isinstance(root, Root) else Root()
        for key in needs(self.versions, activity, known, self.now):
            documents[key] = stored.read(key)
        for _ in range(ROUNDS_MOST):
            member = Member(stored.id, dict(documents))
            try:
                return decide(self.versions, member, activity, circumstances), member
            except Missing as missing:
                for key in missing.keys:
                    assert key not in documents, f"{key} was loaded and is asked for again"
                    documents[key] = stored.read(key)
        raise AssertionError(f"a decision asked for documents more than {ROUNDS_MOST} times")

    # --- shorthands ---

    def enrol(self, member: str = "m", at: str | None = None, **data: Any) -> Answer:
        """Enrols a member."""
        return self.post(member, "enrol", data, at=at)

    def buy(
        self,
        order: str,
        *amounts: str | Mapping[str, Any],
        member: str = "m",
        at: str | Instant | None = None,
        occurred: str | Instant | None = None,
        **data: Any,
    ) -> Answer:
        """A purchase: a line for each amount, numbered from 1, or lines in full."""
        lines = [
            {"line": str(n), "amount": each} if isinstance(each, str) else {"line": str(n), **each}
            for n, each in enumerate(amounts, 1)
        ]
        return self.post(member, "purchase", {"order": order, "lines": lines, **data}, at=at, occurred=occurred)

    def give_back(
        self,
        order: str,
        *lines: str | tuple[str, str] | Mapping[str, Any],
        member: str = "m",
        at: str | Instant | None = None,
        **data: Any,
    ) -> Answer:
        """A return: of lines in full ("1"), of an amount of a line (("1", "5.00")), or of all that is left."""
        body: dict[str, Any] = {"order": order, **data}
        if lines:
            body["lines"] = [
                {"line": each}
                if isinstance(each, str)
                else {"line": each[0], "amount": each[1]}
                if isinstance(each, tuple)
                else dict(each)
                for each in lines
            ]
        return self.post(member, "return", body, at=at)

    def redeem(
        self, redemption: str, points: int, *, member: str = "m", at: str | Instant | None = None, hold: bool = False,
        wallet: str = "points",
    ) -> Answer:  # fmt: skip
        """Spends points at once, or holds them."""
        body = {"redemption": redemption, "wallet": wallet, "points": points, "hold": hold}
        return self.post(member, "redemption", body, at=at)

    def hold(self, redemption: str, points: int, *, member: str = "m", at: str | Instant | None = None) -> Answer:
        """Holds points."""
        return self.redeem(redemption, points, member=member, at=at, hold=True)

    def capture(
        self, redemption: str, points: int | None = None, *, member: str = "m", at: str | Instant | None = None
    ) -> Answer:
        """Spends what is held, or part of it."""
        body = {"redemption": redemption, **({} if points is None else {"points": points})}
        return self.post(member, "redemption_capture", body, at=at)

    def cancel(self, redemption: str, *, member: str = "m", at: str | Instant | None = None) -> Answer:
        """Gives back what is held."""
        return self.post(member, "redemption_cancel", {"redemption": redemption}, at=at)

    def adjust(
        self,
        points: int,
        *,
        expires: str | None = None,
        member: str = "m",
        at: str | Instant | None = None,
        wallet: str = "points",
    ) -> Answer:
        """Points given or taken by a person."""
        body: dict[str, Any] = {"wallet": wallet, "points": points, "reason": "goodwill"}
        if expires is not None:
            body["expires_at"] = self.zone.format(self.instant(expires))
        return self.post(member, "adjustment", body, at=at)

    def send(self, to: str, points: int, *, member: str = "m", at: str | None = None, wallet: str = "points") -> Answer:
        """Transfers points."""
        return self.post(member, "transfer", {"to": to, "wallet": wallet, "points": points}, at=at)

    def clock(self, at: str | Instant, member: str = "m") -> Answer:
        """Time goes by, and a sweep looks at the member."""
        return self.post(member, "clock", at=at, source="laurels")

    # --- looking ---

    def look(self, member: str = "m", at: str | Instant | None = None) -> Member:
        """The member as of an instant (now), for reading: nothing is recorded."""
        stored = self.members[member]
        instant = self.now if at is None else self.instant(at) if isinstance(at, str) else at
        documents: dict[str, Document | None] = dict(stored.all().documents)
        for _ in range(ROUNDS_MOST):
            try:
                return bring_up(self.versions, Member(member, dict(documents)), instant)
            except Missing as missing:
                for key in missing.keys:
                    assert key not in documents
                    documents[key] = stored.read(key)
        raise AssertionError("reading does not come to an end")

    def balance(self, wallet: str = "points", member: str = "m", at: str | Instant | None = None) -> Balance:
        """A wallet's balances as of an instant (now)."""
        return self.look(member, at).root.wallets.get(wallet) or Balance()

    def points(
        self, wallet: str = "points", member: str = "m", at: str | Instant | None = None
    ) -> tuple[int, int, int, int]:
        """Available, pending, held, debt."""
        balance = self.balance(wallet, member, at)
        return balance.available, balance.pending, balance.held, balance.debt

    def lots(self, wallet: str = "points", member: str = "m", at: str | Instant | None = None) -> list[Lot]:
        """A wallet's lots in the order of consumption."""
        looked = self.look(member, at)
        return lots_of(looked, wallet)

    def expiries(
        self, wallet: str = "points", member: str = "m", at: str | Instant | None = None
    ) -> list[tuple[int, str | None]]:
        """Points and expiry of each lot, in the order of consumption."""
        return [(lot.points, self.text(lot.expires_at)) for lot in self.lots(wallet, member, at)]

    def standing(self, track: str = "membership", member: str = "m", at: str | Instant | None = None) -> Standing:
        """Where the member stands on a track."""
        return self.look(member, at).root.tracks[track]

    def tier(self, track: str = "membership", member: str = "m", at: str | Instant | None = None) -> str:
        """The member's tier."""
        return self.standing(track, member, at).tier

    def until(self, track: str = "membership", member: str = "m", at: str | Instant | None = None) -> str | None:
        """How long the member's tier holds at least."""
        return self.text(self.standing(track, member, at).until)

    def outlook(self, track: str = "membership", member: str = "m", at: str | Instant | None = None) -> Outlook:
        """The track as the member reads it."""
        instant = self.now if at is None else self.instant(at) if isinstance(at, str) else at
        looked = self.look(member, instant)
        compiled = self.versions.judging(instant)
        days = looked.documents.get(f"measures/{track}")
        assert days is None or isinstance(days, Measures)
        return outlook(compiled, compiled.tracks[track], looked.root, days, instant)

    # --- what holds after every step ---

    def _check_step(
        self,
        stored: Stored,
        before: Member,
        decision: Decision,
        activity: Activity,
        circumstances: Circumstances,
        seq: int,
    ) -> None:
        for key, document in before.documents.items():
            assert document == stored.read(key), f"deciding changed {key}, which it was only given to read"
        again = decide(self.versions, before, activity, decision.given)
        assert isinstance(again, Decision)
        stored_facts = encode_facts(decision.facts)
        assert encode_facts(again.facts) == stored_facts, "deciding again gives other facts"
        assert decode_facts(stored_facts) == decision.facts, "facts change when they are stored"
        folded = apply(before, decode_facts(stored_facts), seq, self.now)
        assert folded.documents.keys() == decision.member.documents.keys()
        for key, document in folded.documents.items():
            assert document == decision.member.documents[key], f"{key} is not the fold of the facts"
            if document is not None and not isinstance(document, Purchased):
                assert decode_document(key, encode_document(document)) == document, f"{key} changes when it is stored"
            if key not in decision.changed:
                assert document == before.documents[key], f"{key} changed and nobody said so"
        assert decision.member.root.seq == seq
        for entry in entries(decision.facts):
            check_entry(entry)

    def _check_state(self, stored: Stored) -> None:
        member = stored.all()
        root = member.root
        check_member(member)
        for wallet, balance in root.wallets.items():
            for account in ("pending", "available", "held"):
                assert getattr(balance, account) == stored.accounts[wallet, account], f"{wallet} {account}"
            assert balance.debt == -stored.accounts[wallet, "debt"]
        assert root.due_at is None or root.due_at > root.now, "something is due and was not carried out"

    def replay(self, member: str = "m") -> None:
        """Asserts that the state is the fold of all stored facts, from nothing."""
        stored = self.members[member]
        state = Member(member, {})
        for each in stored.recorded:
            facts = decode_facts(each.facts)
            documents = dict(state.documents)
            while True:
                try:
                    state = apply(Member(member, documents), facts, each.seq, each.at)
                    break
                except Missing as missing:
                    documents.update(dict.fromkeys(missing.keys))
        held = {key: document for key, document in state.documents.items() if document is not None}
        assert held == dict(stored.all().documents)


def chance_of(id: str) -> str:
    """Chance that is the same in every run."""
    return sha256(id.encode()).hexdigest()[:32]


def _problems(problems: Iterable[Problem]) -> str:
    return "\n".join(f"{each.pointer}: {each.message}" for each in problems)


def lots_of(member: Member, wallet: str) -> list[Lot]:
    """All lots of a wallet in the order of its pages."""
    balance = member.root.wallets.get(wallet) or Balance()
    lots: list[Lot] = []
    for head in balance.pages:
        page = member.documents[page_key(wallet, head.number)]
        assert isinstance(page, tuple)
        lots.extend(page)
    return lots


def check_entry(entry: Moved) -> None:
    """What holds for every journal entry."""
    accounts = MEMBER_ACCOUNTS | SYSTEM_ACCOUNTS
    assert entry.points > 0, entry
    assert entry.out_of in accounts, entry
    assert entry.into in accounts, entry
    assert entry.out_of != entry.into, entry
    assert all(part.points > 0 for part in entry.parts), entry
    if entry.parts:
        assert sum(part.points for part in entry.parts) == entry.points, entry
    assert all(share.points > 0 for share in entry.lines), entry
    assert not entry.lines or sum(share.points for share in entry.lines) == entry.points, entry


def check_member(member: Member) -> None:
    """What holds for every state: balances are the sums of lots and holds, pages are in order and known by heads."""
    root = member.root
    redemptions = [document for document in member.documents.values() if isinstance(document, Redemption)]
    pages = {key for key in member.documents if key.startswith("lots/")}
    for wallet, balance in root.wallets.items():
        for account in ("available", "pending", "held", "debt"):
            assert getattr(balance, account) >= 0, f"{wallet}.{account} is negative"
        lots = lots_of(member, wallet)
        assert all(lot.points > 0 for lot in lots)
        assert sum(lot.points for lot in lots if lot.available_at is None) == balance.available, wallet
        assert sum(lot.points for lot in lots if lot.available_at is not None) == balance.pending, wallet
        held = [each for each in redemptions if each.wallet == wallet and each.status == "held"]
        assert sum(each.points for each in held) == balance.held, wallet
        assert all(sum(part.points for part in each.parts) == each.points for each in held)
        keys = [lot_key(lot.expires_at, lot.earned_at, lot.lot) for lot in lots]
        assert keys == sorted(set(keys)), f"the lots of {wallet} are out of order or double"
        for head in balance.pages:
            key = page_key(wallet, head.number)
            pages.discard(key)
            page = member.documents[key]
            assert isinstance(page, tuple)
            assert 0 < len(page) <= FULL
            assert head.count == len(page)
            assert head.key == lot_key(page[0].expires_at, page[0].earned_at, page[0].lot)
            waiting = [lot.available_at for lot in page if lot.available_at is not None]
            assert head.activates_at == min(waiting, default=None)
    assert not pages, f"pages that no wallet knows of: {pages}"
    assert set(root.holds) == {
        key.partition("/")[2] for key, each in member.documents.items()
        if isinstance(each, Redemption) and each.status == "held"
    }  # fmt: skip


def all_of(world: World, member: str = "m") -> list[Moved]:
    """Every journal entry of a member, oldest first."""
    return [entry for each in world.members[member].recorded for entry in entries(decode_facts(each.facts))]
