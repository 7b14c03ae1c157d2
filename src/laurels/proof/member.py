"""One member's rows, judged in the order in which state is folded.

The facts of every row are folded by themselves; beside that, the rows of the present engine are decided again, each on
what the decisions before it left. Facts, entries and state must all come out as they are stored. After the first row
that does not, what follows from it is not judged any more, so that a difference is named where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from laurels.core.activity import Activity, Purchase, parse
from laurels.core.apply import Draft
from laurels.core.decide import ENGINE, Decision
from laurels.core.facts import MEMBER_ACCOUNTS, AnyFact, FollowUp, Moved, PoolClaimed, decode_facts, encode_facts
from laurels.core.journal import entries
from laurels.core.member import (
    ROOT,
    Document,
    Lot,
    Member,
    decode_document,
    encode_document,
    purchased,
)
from laurels.core.refusal import Refusal
from laurels.intake.batch import parcel_of
from laurels.intake.folder import Folder
from laurels.intake.sameness import with_text
from laurels.intake.submission import SOURCE
from laurels.proof.difference import Difference, parting, recorded_twice, shown, shown_around
from laurels.proof.history import History
from laurels.proof.suspicion import suspect
from laurels.store.bucket import bucket_of
from laurels.store.circumstances import circumstances_of
from laurels.store.digest import activity_digest
from laurels.store.recording import entry_row

DIFFERENCES_MOST: Final = 50
"""How many are kept of one member; more say nothing new."""

OTHERWISE_MOST: Final = 100
"""How many activities are named that would be decided otherwise now."""

_ENTRY_COLUMNS: Final = (
    "member", "seq", "n", "bucket", "wallet", "kind", "points", "out_of", "into_account", "at", "version", "campaign",
    "rule", "order_id", "redemption", "lot", "available_at", "expires_at", "reason", "detail",
)  # fmt: skip
_encode: Final = msgspec.json.Encoder().encode


class Sent(msgspec.Struct, frozen=True):
    """A follow-up that an activity caused, as the outbox must hold it."""

    program: str
    id: str
    sender: str
    seq: int
    member: str
    type: str
    wallet: str
    points: int
    body: str
    occurred_at: int


class Counted(msgspec.Struct):
    """What judging has seen, for a program's sums. `in_transit` is by wallet, `claims` by pool.

    `older` rows were decided by another engine, `otherwise` of them would be decided otherwise now: the first of these
    are named, with what is stored and what would be. `received` are the ids of activities that Laurels itself sent.
    """

    members: int = 0
    activities: int = 0
    entries: int = 0
    older: int = 0
    otherwise: int = 0
    latest: int = 0
    claims: dict[str, int] = {}
    in_transit: dict[str, int] = {}
    sent: list[Sent] = []
    received: list[tuple[str, str]] = []
    first_otherwise: list[Difference] = []

    def add(self, other: Counted) -> None:
        """Takes in what others have counted."""
        self.members += other.members
        self.activities += other.activities
        self.entries += other.entries
        self.older += other.older
        self.otherwise += other.otherwise
        self.latest = max(self.latest, other.latest)
        for sums, more in ((self.claims, other.claims), (self.in_transit, other.in_transit)):
            for key, by in more.items():
                sums[key] = sums.get(key, 0) + by
        self.sent += other.sent
        self.received += other.received
        self.first_otherwise += other.first_otherwise[: OTHERWISE_MOST - len(self.first_otherwise)]


class _Folded(dict[str, "Document | None"]):
    """The documents of a fold from nothing: what was never written is known not to be there."""

    def __missing__(self, key: str) -> None:
        return None


class MemberProof:
    """Judges a member row by row, then their state. `differences` and `counted` are the outcome."""

    def __init__(self, program: str, id: str, history: History, counted: Counted, *, is_sealed: bool) -> None:
        self.differences: list[Difference] = []
        self._program = program
        self._id = id
        self._bucket = bucket_of(id)
        self._history = history
        self._counted = counted
        self._is_sealed = is_sealed
        self._seq = 0
        self._recorded_at = 0
        self._is_sound = True
        self._decided = Folder(id)
        self._fold = Draft(Member(id, {}))
        self._fold.put(ROOT, None)
        self._fold.documents = _Folded(self._fold.documents)
        self._bodies: dict[int, tuple[Any, tuple[AnyFact, ...]]] = {}
        self._accounts: dict[tuple[str, str], int] = {}
        self._ids: dict[tuple[str, str], int] = {}
        counted.members += 1

    # --- the ledger ---------------------------------------------------------------------------------------------------

    def activity(self, row: Any, stored_entries: Sequence[Any]) -> None:
        """Judges an activity with the entries that are stored for it: rows as the driver gives them."""
        (
            _member, seq, bucket, source, id, type_, occurred_at, recorded_at, engine, version, known, body, stored,
            circumstances, digest, _texts,
        ) = row  # fmt: skip
        counted = self._counted
        counted.activities += 1
        counted.latest = max(counted.latest, recorded_at)
        name = f"{source} {id}"
        due = self._seq + 1
        if seq != due:
            self._differ("activity", "seq", f"number {due} is missing", seq, name, stored=seq)
            self._is_sound = False
        self._seq, self._recorded_at = seq, recorded_at
        if (first := self._ids.setdefault((source, id), seq)) != seq:
            self._add(recorded_twice(self._program, source, id, self._id, seq, self._id, first))
        if bucket != self._bucket:
            self._differ(
                "activity", "bucket", "not the member's", seq, name, stored=bucket, expected=self._bucket
            )  # fmt: skip
        facts_stored = stored.encode()
        facts: tuple[AnyFact, ...] | None = None
        unreadable = ""
        try:
            facts = decode_facts(facts_stored)
        except msgspec.DecodeError as error:
            unreadable = str(error)
        computed = activity_digest(
            self._program, self._id, seq, source, id, type_, occurred_at, recorded_at, engine, version, known,
            circumstances, body.encode(), facts_stored,
        )  # fmt: skip
        if computed != digest:
            again = self._decide_again(row) if self._is_sound else None
            self._is_sound = False
            decided = again if isinstance(again, Decision) else None
            column, expected = suspect(self._program, row, due, decided, self._history)
            was, must = shown_around(_cell(row, column), expected)
            self._differ("activity", column, "the row is not what was recorded", seq, name, stored=was, expected=must)
        elif facts is None:
            self._is_sound = False
            self._differ("activity", "facts", f"not facts: {unreadable}", seq, name, stored=stored)
        if facts is None:
            return
        self._judge_entries(seq, name, facts, stored_entries)
        if self._is_sound:
            self._judge_facts(row, name, facts)
        self._count(seq, type_, source, id, recorded_at, facts)

    def _judge_facts(self, row: Sequence[Any], name: str, facts: tuple[AnyFact, ...]) -> None:
        """Folds them, and compares them with what deciding again gives."""
        seq, recorded_at, engine, version = row[1], row[7], row[8], row[9]
        draft = self._fold
        try:
            for fact in facts:
                draft.apply(fact)
        except (AssertionError, KeyError, ValueError, IndexError) as error:
            self._is_sound = False
            self._differ("activity", "facts", f"cannot be folded: {error}", seq, name, stored=row[12])
            return
        again: Decision | Refusal | Difference | None = None
        if not self._is_sealed:
            again = self._decide_again(row)
        is_current = engine == ENGINE
        is_same = isinstance(again, Decision) and again.version == version and again.facts == facts
        if isinstance(again, Decision) and is_same:
            self._decided.file(again)
        elif again is None or not is_current:
            self._decided.fold(facts, seq, recorded_at)
        else:
            self._is_sound = False
            self.differences.append(self._otherwise(row, name, facts, again))
        if not is_current:
            self._counted.older += 1
            if again is not None and not is_same:
                self._counted.otherwise += 1
                if len(self._counted.first_otherwise) < OTHERWISE_MOST:
                    self._counted.first_otherwise.append(self._otherwise(row, name, facts, again))
        if row[5] == "purchase":
            self._bodies[seq] = (row, facts)

    def _otherwise(
        self, row: Sequence[Any], name: str, facts: tuple[AnyFact, ...], again: Decision | Refusal | Difference
    ) -> Difference:
        """How deciding again differs from what is stored."""
        seq, version, stored = row[1], row[9], row[12]
        if isinstance(again, Difference):
            return msgspec.structs.replace(again, activity=name)
        if isinstance(again, Refusal):
            message = f"deciding again refuses it: {again.message}"
            return self._difference("activity", "facts", message, seq, name, stored=stored)
        if again.version != version and again.facts == facts:
            return self._difference(
                "activity", "version", "another version judges it", seq, name, stored=version, expected=again.version
            )
        was, must = shown_around(stored, encode_facts(again.facts).decode())
        return self._difference(
            "activity", "facts", "deciding again gives others", seq, name, stored=was, expected=must
        )

    def _decide_again(self, row: Sequence[Any]) -> Decision | Refusal | Difference:
        """What the decision is now, on what the decisions before it left, or why there can be none."""
        seq, recorded_at, known, circumstances = row[1], row[7], row[10], row[13]
        versions = self._history.known(known)
        if versions is None:
            return self._difference("activity", "known", "there is no such version", seq, stored=known)
        activity = self._parsed(row)
        if isinstance(activity, Difference):
            return activity
        try:
            given = circumstances_of(recorded_at, circumstances)
        except msgspec.DecodeError as error:
            return self._difference("activity", "circumstances", str(error), seq, stored=circumstances)
        try:
            return self._decided.decide(versions, activity, given, self._bought)
        except (AssertionError, KeyError, ValueError, IndexError) as error:
            return self._difference("activity", "facts", f"cannot be decided again: {error!r}", seq)

    def _parsed(self, row: Sequence[Any]) -> Activity | Difference:
        seq, known, body, texts = row[1], row[10], row[11].encode(), row[15]
        versions = self._history.known(known)
        declared = None if versions is None else versions.declared
        if declared is None:
            return self._difference("activity", "known", "there is no such version", seq, stored=known)
        try:
            activity = parse(
                source=row[3],
                id=row[4],
                type=row[5],
                member=self._id,
                occurred_at=row[6],
                data=with_text(body, texts) if texts is not None else body,
                declared=declared,
            )
        except (msgspec.DecodeError, RecursionError) as error:
            return self._difference("activity", "body", f"cannot be read: {error}", seq, stored=row[11])
        if isinstance(activity, Activity):
            return activity
        first = activity[0]
        return self._difference(
            "activity", "body", f"cannot be read: {first.pointer} {first.message}", seq, stored=row[11]
        )

    def _bought(self, seq: int) -> Document | None:
        found = self._bodies.get(seq)
        if found is None:
            return None
        row, facts = found
        activity = self._parsed(row)
        if isinstance(activity, Difference) or not isinstance(activity.data, Purchase):
            return None
        return purchased(activity.data, facts)

    def _judge_entries(self, seq: int, name: str, facts: tuple[AnyFact, ...], stored: Sequence[Sequence[Any]]) -> None:
        self._counted.entries += len(stored)
        posted = entries(facts)
        self._count_accounts(posted)
        expected = [entry_row(self._id, seq, self._bucket, n, entry) for n, entry in enumerate(posted)]
        # A record equals the tuple of its values, so that the usual case is one comparison.
        if [*stored] == expected:
            return
        by_place: dict[int, Sequence[Any]] = {row[2]: row for row in stored}
        for n, must in enumerate(expected):
            row = by_place.pop(n, None)
            if row is None:
                self._differ("entry", "n", "the entry is missing", seq, name, entry=n, expected=_entry_text(must))
                continue
            for column, is_, should in zip(_ENTRY_COLUMNS, row, must, strict=True):
                if is_ != should:
                    self._differ(
                        "entry", column, "the facts say otherwise", seq, name, entry=n, stored=is_, expected=should
                    )
        for n, row in by_place.items():
            self._differ("entry", "n", "no fact posts this entry", seq, name, entry=n, stored=_entry_text(row))

    def _count_accounts(self, posted: Sequence[Moved]) -> None:
        """Adds up accounts from entries alone; what proves the fold, and the figures, shares no code with them."""
        accounts, in_transit = self._accounts, self._counted.in_transit
        for entry in posted:
            wallet, points, out_of, into = entry.wallet, entry.points, entry.out_of, entry.into
            if out_of in MEMBER_ACCOUNTS:
                accounts[wallet, out_of] = accounts.get((wallet, out_of), 0) - points
            elif out_of == "in_transit":
                in_transit[wallet] = in_transit.get(wallet, 0) - points
            if into in MEMBER_ACCOUNTS:
                accounts[wallet, into] = accounts.get((wallet, into), 0) + points
            elif into == "in_transit":
                in_transit[wallet] = in_transit.get(wallet, 0) + points

    def _count(self, seq: int, type_: str, source: str, id: str, recorded_at: int, facts: tuple[AnyFact, ...]) -> None:
        counted = self._counted
        for fact in facts:
            if type(fact) is PoolClaimed:
                counted.claims[fact.pool] = counted.claims.get(fact.pool, 0) + fact.by
            elif type(fact) is FollowUp:
                counted.sent.append(
                    Sent(
                        self._program, fact.id, self._id, seq, fact.member, fact.type, fact.wallet, fact.points,
                        _encode(parcel_of(fact)).decode(), fact.occurred_at(recorded_at),
                    )
                )  # fmt: skip
        if source == SOURCE and type_ != "clock":
            counted.received.append((id, self._id))

    def folded(self) -> Member:
        """The member that the facts so far lead to; nothing can be judged after this."""
        return self._fold.finish(self._seq, self._recorded_at)

    # --- the state ----------------------------------------------------------------------------------------------------

    def end(self, member: Sequence[Any] | None, documents: Sequence[Sequence[Any]]) -> None:
        """Judges the state as stored: the member's row, and the rows of the other documents."""
        if member is None:
            if self._seq:
                self._differ("member", "id", "there is no row of this member", expected=self._id)
            for _, key, _, _ in documents:
                self._differ("state", "member", "a document of nobody", key=key)
            return
        _id, bucket, seq, root, wake_at, _sealed_at = member
        if bucket != self._bucket:
            self._differ("member", "bucket", "not the member's", stored=bucket, expected=self._bucket)
        if seq != self._seq:
            self._differ("member", "seq", "not the last activity's", stored=seq, expected=self._seq)
        if not self._is_sound:
            return
        folded = self.folded()
        if not self._is_sealed and encode_document(folded.root) != encode_document(self._decided.root):
            self._differ(
                "activity", "facts", "decisions led to a state that their facts do not lead to",
                stored=encode_document(folded.root).decode(), expected=encode_document(self._decided.root).decode(),
            )  # fmt: skip
        if wake_at != folded.root.wake_at:
            self._differ("member", "wake_at", "not when something is due", stored=wake_at, expected=folded.root.wake_at)
        self._judge_document("member", "root", ROOT, root, folded.root)
        self._judge_documents(folded.documents, documents)
        self._judge_sums(folded)

    def _judge_documents(self, folded: Mapping[str, Document | None], stored: Sequence[Sequence[Any]]) -> None:
        found = set()
        for _member, key, bucket, document in stored:
            found.add(key)
            if bucket != self._bucket:
                self._differ("state", "bucket", "not the member's", key=key, stored=bucket, expected=self._bucket)
            must = folded.get(key)
            if must is None or key == ROOT:
                self._differ("state", "key", "the facts lead to no such document", key=key, stored=document)
            else:
                self._judge_document("state", "document", key, document, must)
        for key, must in folded.items():
            if must is not None and key != ROOT and key not in found:
                expected = encode_document(must).decode()
                self._differ("state", "key", "the document is missing", key=key, expected=expected)

    def _judge_document(self, table: str, column: str, key: str, stored: str, folded: Document) -> None:
        must = encode_document(folded)
        text = stored.encode()
        if text == must:
            return
        place = None if key == ROOT else key
        try:
            # The same in another writing is the same.
            if encode_document(decode_document(key, text)) == must:
                return
            parted = parting(msgspec.json.decode(text), msgspec.json.decode(must))
        except (msgspec.DecodeError, KeyError) as error:
            self._differ(table, column, f"cannot be read: {error}", key=place, stored=stored)
            return
        path, was, should = parted or ("", stored, must.decode())
        self._differ(table, column, f"the facts lead to another {path}", key=place, stored=was, expected=should)

    def _judge_sums(self, folded: Member) -> None:
        """Balances equal the journal, and lots sum to balances."""
        for wallet, balance in folded.root.wallets.items():
            for account, has in (
                ("available", balance.available),
                ("pending", balance.pending),
                ("held", balance.held),
                ("debt", -balance.debt),
            ):
                posted = self._accounts.pop((wallet, account), 0)
                if posted != has:
                    self._differ(
                        "member", "root", f"{wallet}: the journal has another {account}", stored=has, expected=posted
                    )
            waiting = ready = 0
            for head in balance.pages:
                page = folded.documents.get(f"lots/{wallet}/{head.number}")
                for lot in page if isinstance(page, tuple) else ():
                    if _is_pending(lot):
                        waiting += lot.points
                    else:
                        ready += lot.points
            if (ready, waiting) != (balance.available, balance.pending):
                self._differ(
                    "state", "document", f"{wallet}: lots do not sum to the balance",
                    stored=f"{ready} available, {waiting} pending",
                    expected=f"{balance.available} available, {balance.pending} pending",
                )  # fmt: skip
        for (wallet, account), points in self._accounts.items():
            if points:
                self._differ("member", "root", f"{wallet}: the journal has {account}", stored=0, expected=points)

    # --- saying -------------------------------------------------------------------------------------------------------

    def _difference(
        self,
        table: str,
        column: str,
        message: str,
        seq: int | None = None,
        activity: str | None = None,
        *,
        entry: int | None = None,
        key: str | None = None,
        stored: Any = "",
        expected: Any = "",
    ) -> Difference:
        return Difference(
            table, column, message, self._program, self._id, seq, activity, entry, key, shown(stored), shown(expected)
        )

    def _differ(
        self,
        table: str,
        column: str,
        message: str,
        seq: int | None = None,
        activity: str | None = None,
        *,
        entry: int | None = None,
        key: str | None = None,
        stored: Any = "",
        expected: Any = "",
    ) -> None:
        self._add(
            self._difference(
                table, column, message, seq, activity, entry=entry, key=key, stored=stored, expected=expected
            )
        )

    def _add(self, difference: Difference) -> None:
        if len(self.differences) < DIFFERENCES_MOST:
            self.differences.append(difference)


def _is_pending(lot: Lot) -> bool:
    return lot.available_at is not None or lot.until is not None


def _entry_text(row: Sequence[Any]) -> str:
    return " ".join(f"{column}={value}" for column, value in zip(_ENTRY_COLUMNS, row, strict=True) if value is not None)


_ACTIVITY_COLUMNS: Final = (
    "member", "seq", "bucket", "source", "id", "type", "occurred_at", "recorded_at", "engine", "version", "known",
    "body", "facts", "circumstances", "digest",
)  # fmt: skip


def _cell(row: Sequence[Any], column: str) -> str:
    return str(row[_ACTIVITY_COLUMNS.index(column)]) if column in _ACTIVITY_COLUMNS else ""
