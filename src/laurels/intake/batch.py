"""One batch, one transaction: lock the members, probe the ids, load, decide, claim what is limited, write, commit.

Lock order, here and nowhere else: members by id, follow-ups by id, draws by id (shared, against their closing), pools
by id where little is left of one; then rows are written, and pools with ample room taken last of all, by id. READ
COMMITTED gives every statement its own snapshot, so what is read after the locks is what their former holders left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from laurels.clock import Clock
from laurels.core.activity import Activity, Purchase, parse
from laurels.core.case import Code
from laurels.core.decide import ENGINE, needs
from laurels.core.facts import FollowUp, decode_facts, encode_facts
from laurels.core.folding_vouchers import voucher_key
from laurels.core.member import ROOT, Document, Purchased, Root, decode_document, encode_document, purchased
from laurels.core.wire import WireParcel, WirePart, WireSentVoucher, WireTierKept
from laurels.intake.admission import Item
from laurels.intake.deciding import POOL, RETURNS, Accepted, Loaded, Pass
from laurels.intake.head import Heads
from laurels.intake.sameness import has_free_text, without_text
from laurels.intake.submission import Outcome, UnknownProgram
from laurels.store.bucket import bucket_of
from laurels.store.circumstances import stored_circumstances
from laurels.store.codes import read_codes
from laurels.store.database import Connection
from laurels.store.draws import OpenDraw, open_draws
from laurels.store.recording import LARGEST, Recording
from laurels.store.revoking import hold_back_revocation
from laurels.store.sql import named

LOCK_MEMBERS: Final = named("lock_members")
READ_MEMBERS: Final = named("read_members")
PROBE: Final = named("probe")
LOAD: Final = named("load")
LOAD_BODIES: Final = named("load_bodies")
CREATE_POOLS: Final = named("create_pools")
LOCK_POOLS: Final = named("lock_pools")
LOCK_OUTBOX: Final = named("lock_outbox")

_BODY: Final = "activity/"
_encode: Final = msgspec.json.Encoder().encode
_PARCEL_PART: Final = WirePart.__struct_fields__


AMPLE: Final = 8
"""So many times what a batch wants of a pool is left of it: it may be taken unlocked."""


class Batch:
    """Some items of one program. `lock_members` is LOCK_MEMBERS; a test shows what it is there for by another.

    `locks_pools` locks even pools with ample room, after one came up short all the same.
    """

    def __init__(
        self,
        connection: Connection,
        heads: Heads,
        program: str,
        items: Sequence[Item],
        clock: Clock,
        *,
        lock_members: str = LOCK_MEMBERS,
        locks_pools: bool = False,
    ) -> None:
        self._locks_pools = locks_pools
        self._connection = connection
        self._heads = heads
        self._program = program
        self._items = items
        self._clock = clock
        self._lock_members = lock_members
        self._loaded = Loaded()
        self._used: dict[str, int] = {}
        self._buckets: dict[str, int] = {}
        self._letters: dict[str, Any] = {}
        self._hits: dict[tuple[str, str], Any] = {}
        self._pools: set[str] = set()
        self._codes: dict[str, Code] = {}
        self._stand: dict[str, int] = {}
        self._draws: dict[str, OpenDraw] = {}
        self._records = True

    async def record(self) -> dict[Item, Outcome]:
        """What became of each item; committed. Whatever is raised, nothing of the batch was written."""
        connection = self._connection
        await connection.execute("begin")
        try:
            await self._lock(self._lock_members)
            await self._probe()
            await self._lock_letters()
            await self._load()
            decided = await self._claim(await self._decide())
            recording = self._recording(decided)
            if not recording.is_empty:
                await recording.write(connection)
            await connection.execute("commit")
        except TimeoutError:
            # Whoever does not answer this will not answer a rollback either.
            connection.terminate()
            raise
        except BaseException:
            await _roll_back(connection)
            raise
        return decided.outcomes

    async def foresee(self) -> dict[Item, Outcome]:
        """What would become of each item; reads one snapshot, locks and writes nothing."""
        self._records = False
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            await self._lock(READ_MEMBERS)
            await self._probe()
            self._hits = {}
            await self._load()
            return (await self._decide()).outcomes

    # --- locking and loading ------------------------------------------------------------------------------------------

    async def _lock(self, statement: str) -> None:
        buckets = self._buckets = {id: bucket_of(id) for id in sorted({item.submission.member for item in self._items})}
        loaded = self._loaded
        for row in await self._connection.fetch(statement, self._program, [*buckets], [*buckets.values()]):
            loaded.documents[row[0]] = {ROOT: decode_document(ROOT, row[1])}
            loaded.existing.add(row[0])
            if row[2] is not None:
                loaded.sealed.add(row[0])
        for id in buckets:
            if id not in loaded.existing:
                loaded.documents[id] = {ROOT: None}

    async def _probe(self) -> None:
        sources = [item.submission.source for item in self._items]
        ids = [item.submission.id for item in self._items]
        rows = await self._connection.fetch(PROBE, self._program, sources, ids)
        if not rows:
            raise UnknownProgram(self._program)
        self._hits = {(row["source"], row["id"]): row for row in rows if row["id"] is not None}
        first = rows[0]
        self._head = await self._heads.matching(self._connection, self._program, first["mode"], first["head"] or 0)
        self._at = first["clock"]
        self._now = self._clock.now()
        declared = self._head.versions.declared
        if declared is not None:
            for item in self._items:
                item.read(declared, self._head.number)

    async def _lock_letters(self) -> None:
        """Locks the follow-ups that this batch delivers or gives back."""
        letters = sorted(item.outbox for item in self._items if item.outbox is not None)
        if not letters:
            return
        rows = await self._connection.fetch(
            LOCK_OUTBOX, self._program, [id for id, _ in letters], [bucket for _, bucket in letters]
        )
        self._letters = {row["id"]: row for row in rows}

    async def _load(self) -> None:
        """Loads what decisions will want, as far as one can tell; draws are locked unless nothing is recorded."""
        wanted, pools = dict[tuple[str, str], None](), set[str]()
        draws: set[str] = set()
        named: dict[Item, tuple[str, ...]] = {}
        for item in self._items:
            activity = item.activity
            if activity is None or (activity.source, activity.id) in self._hits:
                continue
            named[item] = codes = self._head.codes_of(activity)
            draws.update(self._head.versions.draws_of(activity, self._want(item, activity, codes, wanted, pools)))
        if draws:
            self._draws = await open_draws(self._connection, self._program, sorted(draws), lock=self._records)
        found = await self._fetch(wanted, pools=pools, codes={code for codes in named.values() for code in codes})
        if found:
            await self._load_batched(found, named, wanted, pools)
        # A voucher's code was made here, is shared, or is in a batch: under any other nobody has one.
        for item, codes in named.items():
            for code in codes:
                if code not in item.codes:
                    self._loaded.add(item.submission.member, voucher_key(code), None)

    async def _load_batched(
        self,
        found: set[str],
        named: dict[Item, tuple[str, ...]],
        wanted: dict[tuple[str, str], None],
        pools: set[str],
    ) -> None:
        """Loads what deciding takes beside the rest where codes are in a batch, which few of those named are."""
        if self._records:
            await hold_back_revocation(self._connection, self._program, found)
        self._codes = await read_codes(self._connection, self._program, found)
        for item, codes in named.items():
            if item.activity is not None and not found.isdisjoint(codes):
                self._want(item, item.activity, codes, wanted, pools)
        documents = self._loaded.documents
        lacking = [(member, key) for member, key in wanted if key not in documents[member]]
        await self._fetch(lacking, pools=pools - self._pools)

    def _want(
        self,
        item: Item,
        activity: Activity,
        codes: tuple[str, ...],
        wanted: dict[tuple[str, str], None],
        pools: set[str],
    ) -> tuple[str, ...]:
        """Adds what deciding an item takes, as far as one can tell; what its member has chosen to redeem by itself."""
        head = self._head
        item.codes = head.versions.of_vouchers(codes, self._codes)
        root = self._loaded.documents[activity.member][ROOT]
        at = self._now if head.is_live else max(self._at or 0, activity.occurred_at)
        automatic: tuple[str, ...] = ()
        if isinstance(root, Root):
            at, automatic = max(at, root.now), root.automatic
            for key in needs(head.versions, activity, root, at, item.codes):
                wanted[activity.member, key] = None
        pools.update(head.pools_of(activity, automatic, at, item.codes))
        return automatic

    async def _fetch(
        self,
        wanted: Iterable[tuple[str, str]],
        onto: Pass | None = None,
        *,
        pools: Iterable[str] = (),
        codes: Iterable[str] = (),
    ) -> set[str]:
        """Looks documents up, and what was used of pools; those of some codes that are in a batch.

        Documents that there are not are known to be missing.
        """
        found: dict[tuple[str, str], Document | None] = {}
        documents: list[tuple[str, str]] = []
        bodies: list[tuple[str, int]] = []
        unread = set(pools)
        for member, key in wanted:
            if key.startswith(POOL):
                unread.add(key[len(POOL) :])
                continue
            if key.startswith(_BODY):
                seq = int(key[len(_BODY) :])
                if onto is None or not onto.supply_purchase(member, seq):
                    bodies.append((member, seq))
                continue
            found[member, key] = None
            if member in self._loaded.existing:
                documents.append((member, key))
        buckets, in_batches, asked = self._buckets, set[str](), sorted(codes)
        if documents or unread or asked:
            members, keys = zip(*documents, strict=True) if documents else ((), ())
            read: dict[str, int] = {}
            for member, key, document, used in await self._connection.fetch(
                LOAD, self._program, members, keys, [buckets[member] for member in members], sorted(unread), asked
            ):
                if member is None and used is None:
                    in_batches.add(key)
                elif member is None:
                    read[key] = used
                else:
                    found[member, key] = decode_document(key, document)
            self._used.update(read)
            self._pools.update(unread)
            if onto is not None:
                onto.supply_pools(read)
        if bodies:
            members, numbers = zip(*bodies, strict=True)
            for row in await self._connection.fetch(LOAD_BODIES, self._program, members, numbers):
                found[row["member"], f"{_BODY}{row['seq']}"] = self._purchased(row)
        supply = self._loaded.add if onto is None else onto.supply
        for (member, key), document in found.items():
            supply(member, key, document)
        return in_batches

    def _purchased(self, row: Any) -> Purchased:
        """A stored purchase, read as it was read when it was decided."""
        stored = parse(
            source=row["source"],
            id=row["id"],
            type=row["type"],
            member=row["member"],
            occurred_at=row["occurred_at"],
            data=row["body"].encode(),
            declared=self._head.declared_then(row["known"]),
        )
        assert isinstance(stored, Activity), f"activity {row['seq']} of {row['member']} cannot be read any more"
        assert isinstance(stored.data, Purchase), "only purchases are looked into again"
        return purchased(stored.data, decode_facts(row["facts"]))

    # --- deciding -----------------------------------------------------------------------------------------------------

    async def _decide(self) -> Pass:
        decided = Pass(
            self._head, self._loaded, self._hits, self._letters, self._used, self._pools, self._codes, self._now,
            self._at, self._draws,
        )  # fmt: skip
        waiting: Sequence[Item] = self._items
        while waiting:
            waiting, missing = decided.run(waiting)
            for member, keys in missing.items():
                asked_again = keys.intersection(decided.member(member).documents)
                assert not asked_again, f"{member}: {asked_again} were asked for again"
            await self._fetch([(member, key) for member, keys in missing.items() for key in sorted(keys)], decided)
        return decided

    async def _claim(self, decided: Pass) -> Pass:
        """The decisions, and in `_stand` up to what use of each pool they stand where that is not settled already.

        Where a pool has ample room, the write itself takes from it, if that is still true by then: whoever holds a
        pool keeps everybody else waiting. Where little is left, pools are locked first.
        """
        wishes = decided.wishes()
        if self._locks_pools or any(
            self._used.get(pool, 0) + AMPLE * wanted > most for pool, (wanted, most) in wishes.items()
        ):
            return await self._claim_locked(decided)
        await self._create_pools(decided.claims)
        self._stand = {pool: most - wanted for pool, (wanted, most) in wishes.items()}
        return decided

    async def _claim_locked(self, decided: Pass) -> Pass:
        """The decisions with the pools they take from locked; made again while others took from these meanwhile.

        What only gives back looks at no pool, and is not decided again.
        """
        locked: set[str] = set()
        while not locked.issuperset(decided.claims):
            wanted = sorted(set(decided.claims) - locked)
            await self._create_pools(wanted)
            rows = await self._connection.fetch(LOCK_POOLS, self._program, wanted)
            locked.update(wanted)
            before, self._used = self._used, {**self._used, **{row["id"]: row["used"] for row in rows}}
            if any(self._used[pool] != before.get(pool, 0) for pool in self._pools.intersection(wanted)):
                decided = await self._decide()
        return decided

    async def _create_pools(self, pools: Iterable[str]) -> None:
        lacking = sorted(pool for pool in pools if pool not in self._used)
        if lacking:
            await self._connection.execute(CREATE_POOLS, self._program, lacking)

    # --- writing ------------------------------------------------------------------------------------------------------

    def _recording(self, decided: Pass) -> Recording:
        recording = Recording(self._program)
        for accepted in decided.accepted:
            self._record(recording, accepted)
        for id, changed in decided.changed.items():
            self._record_member(recording, decided, id, changed)
        for pool, by in sorted(decided.claims.items()):
            recording.pool(pool, by, self._stand.get(pool, LARGEST))
        for item, outcome in decided.outcomes.items():
            if item.outbox is not None and self._letters[item.outbox[0]]["status"] in ("pending", "returning"):
                _settle(recording, item.outbox, item.submission.type, outcome)
        if not self._head.is_live and decided.accepted:
            recording.clock = decided.clock
        return recording

    def _record(self, recording: Recording, accepted: Accepted) -> None:
        item, decision = accepted.item, accepted.decision
        activity = item.activity
        assert activity is not None
        member, seq = activity.member, decision.member.root.seq
        bucket = self._buckets[member]
        body = item.body
        if has_free_text(activity.type):
            declared = self._head.versions.declared
            assert declared is not None
            body, texts = without_text(activity.type, body, declared)
            if texts is not None:
                recording.texts(member, seq, bucket, texts)
        recording.activity(
            member,
            seq,
            bucket,
            activity.source,
            activity.id,
            activity.type,
            activity.occurred_at,
            accepted.recorded_at,
            ENGINE,
            decision.version,
            self._head.number,
            body,
            encode_facts(decision.facts),
            stored_circumstances(decision.given),
        )
        recording.entries(member, seq, bucket, accepted.outcome.entries)
        for fact in decision.facts:
            if type(fact) is FollowUp:
                letter = _encode(parcel_of(fact))
                occurred_at = fact.occurred_at(accepted.recorded_at)
                recording.sent(fact.id, bucket, member, seq, fact.member, fact.type, letter, occurred_at)

    def _record_member(self, recording: Recording, decided: Pass, id: str, changed: set[str]) -> None:
        member, bucket = decided.member(id), self._buckets[id]
        for key in changed:
            document = member.documents[key]
            if key == ROOT:
                root = member.root
                is_new = id not in self._loaded.existing
                recording.member(id, bucket, root.seq, encode_document(root), root.wake_at, is_new=is_new)
            elif document is not None:
                recording.document(id, key, bucket, encode_document(document))
            else:
                recording.document_gone(id, key, bucket)


def parcel_of(fact: FollowUp) -> WireParcel | WireSentVoucher | WireTierKept:
    """The body of the activity that a follow-up becomes."""
    if fact.kept is not None:
        return WireTierKept(fact.kept.track, fact.kept.tier)
    sent = fact.voucher
    if sent is not None:
        return WireSentVoucher(fact.counterpart, sent.code, sent.voucher, sent.expires_at, sent.worth)
    parts = tuple(WirePart(**{name: getattr(part, name) for name in _PARCEL_PART}) for part in fact.parts)
    return WireParcel(fact.counterpart, fact.wallet, parts)


async def _roll_back(connection: Connection) -> None:
    """Ends the transaction, or the connection where even that fails; either way nothing of it remains."""
    try:
        await connection.execute("rollback")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection.terminate()


def _settle(recording: Recording, outbox: tuple[str, int], type: str, outcome: Outcome) -> None:
    """Notes what became of a follow-up, in the transaction that brings it about."""
    if outcome.status == "accepted":
        recording.settled(*outbox, "returned" if type in RETURNS else "delivered", None)
    elif outcome.status == "refused" and type not in RETURNS:
        recording.settled(*outbox, "returning", _encode(outcome.refusal).decode())
