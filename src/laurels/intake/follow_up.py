"""Follow-ups: activities that one member's activity sends to another, through the outbox.

A letter is pending until it is delivered, or until the addressee refuses it; then it is returning until the sender has
the points back. The batch that records either locks the letter and moves it on in the same transaction, so delivering
and giving back exclude each other, whoever tries and however often.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

import msgspec

from laurels.core.calendar import Instant
from laurels.core.refusal import Refusal
from laurels.core.wire import WireParcel, WireSentVoucher
from laurels.intake.admission import Item
from laurels.intake.deciding import RETURN_OF
from laurels.intake.submission import SOURCE, FollowUpOutcome, Outcome, Overloaded, Submission, Unavailable
from laurels.store.bucket import bucket_of
from laurels.store.database import Database

_OPEN_MOST: Final = 10_000
_log: Final = logging.getLogger("laurels.intake")
_COLUMNS: Final = "program, id, bucket, sender, member, type, body, occurred_at, status, refusal"

Submit = Callable[[Item], Awaitable[list[Outcome]]]


class Letter(msgspec.Struct, frozen=True):
    """A follow-up in the outbox. `sender` caused it, `member` is to have it."""

    program: str
    id: str
    bucket: int
    sender: str
    member: str
    type: str
    body: str
    occurred_at: Instant
    status: Literal["pending", "delivered", "returning", "returned"]
    refusal: str | None


async def letters_of(database: Database, program: str, sender: str, ids: Sequence[str]) -> list[Letter]:
    """These follow-ups of a member, in this order."""
    rows = await database.pool.fetch(
        f"select {_COLUMNS} from outbox where program = $1 and id = any($2) and bucket = $3",  # noqa: S608 - columns are ours
        program,
        list(ids),
        bucket_of(sender),
    )
    letters = {row["id"]: Letter(**row) for row in rows}
    return [letters[id] for id in ids]


async def open_letters(database: Database) -> dict[str, list[Letter]]:
    """Follow-ups that are neither delivered nor given back, by program."""
    rows = await database.pool.fetch(
        f"select {_COLUMNS} from outbox "  # noqa: S608 - columns are ours
        f"where status in ('pending', 'returning') order by program, id limit {_OPEN_MOST}"
    )
    letters: dict[str, list[Letter]] = {}
    for row in rows:
        letters.setdefault(row["program"], []).append(Letter(**row))
    return letters


async def deliver(letter: Letter, submit: Submit) -> FollowUpOutcome:
    """Brings a letter to its end, as far as it has not come there; what fails now is tried again by `open_letters`."""
    refusal = None if letter.refusal is None else msgspec.json.decode(letter.refusal, type=Refusal)
    if letter.status == "delivered":
        return FollowUpOutcome(letter.member, letter.id, "accepted")
    if letter.status == "returned":
        return FollowUpOutcome(letter.member, letter.id, "refused", refusal, compensated=True)
    outbox = (letter.id, letter.bucket)
    try:
        if letter.status == "pending":
            outcome = await _answer(submit, Item(_delivery(letter), outbox))
            if outcome.status in ("accepted", "replayed"):
                return FollowUpOutcome(letter.member, letter.id, outcome.status)
            if outcome.status == "invalid":
                return FollowUpOutcome(letter.member, letter.id, None)
            refusal = outcome.refusal
        if letter.type not in RETURN_OF:
            _log.error("what %s is to be told cannot be recorded: %s", letter.member, refusal)
            return FollowUpOutcome(letter.member, letter.id, None, refusal)
        outcome = await _answer(submit, Item(_return(letter), outbox))
    except (Overloaded, Unavailable):
        return FollowUpOutcome(letter.member, letter.id, None)
    if outcome.status not in ("accepted", "replayed"):
        _log.error("what %s sent to %s cannot be given back: %s", letter.sender, letter.member, outcome.refusal)
        return FollowUpOutcome(letter.member, letter.id, None, refusal)
    return FollowUpOutcome(letter.member, letter.id, "refused", refusal, compensated=True)


async def _answer(submit: Submit, item: Item) -> Outcome:
    (outcome,) = await submit(item)
    return outcome


def _delivery(letter: Letter) -> Submission:
    return Submission(SOURCE, letter.id, letter.type, letter.member, letter.occurred_at, letter.body.encode())


def _return(letter: Letter) -> Submission:
    shape: type[WireParcel | WireSentVoucher] = WireParcel if letter.type == "transfer_in" else WireSentVoucher
    parcel = msgspec.json.decode(letter.body, type=shape)
    body = msgspec.json.encode(msgspec.structs.replace(parcel, counterpart=letter.member))
    return Submission(SOURCE, f"{letter.id}/back", RETURN_OF[letter.type], letter.sender, letter.occurred_at, body)
