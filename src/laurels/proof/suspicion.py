"""Which column of a ledger row was changed, when its digest says that one was.

A digest covers the whole row. Where another value for one column makes it fit again, that column was changed and that
was its value: what deciding again gives, the instants that the facts name, and the few values that some columns can
have are tried. For what nothing else in the database tells, the columns that are left are named together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from laurels.core.activity import FREE_TYPES
from laurels.core.decide import ENGINE, Decision
from laurels.core.facts import encode_facts
from laurels.core.wire import WIRE_TYPES
from laurels.proof.history import History
from laurels.store.digest import activity_digest

LEFT: Final = "source, id, occurred_at, recorded_at, body, circumstances or digest"

_COLUMNS: Final = (
    "member", "seq", "source", "id", "type", "occurred_at", "recorded_at", "engine", "version", "known",
    "circumstances", "body", "facts",
)  # fmt: skip
_INSTANT: Final = re.compile(r"\b\d{12,17}\b")
_INSTANTS_MOST: Final = 200


def suspect(program: str, row: Sequence[Any], seq: int, decided: Decision | None, history: History) -> tuple[str, str]:
    """The column that was changed and what it was, or the columns that are left and nothing.

    `row` is as in queries/verify_activities.sql, `seq` the number that it should have.
    """
    (
        member, stored_seq, _bucket, source, id, type_, occurred_at, recorded_at, engine, version, known, body, facts,
        circumstances, digest, _texts,
    ) = row  # fmt: skip
    stored = dict(
        zip(
            _COLUMNS,
            (
                member, stored_seq, source, id, type_, occurred_at, recorded_at, engine, version, known,
                circumstances, body, facts,
            ),
            strict=True,
        )
    )  # fmt: skip
    for column, value in _candidates(stored, seq, decided, history):
        if value != stored[column] and _digest(program, {**stored, column: value}) == digest:
            return column, str(value)
    return LEFT, ""


def _candidates(
    stored: dict[str, Any], seq: int, decided: Decision | None, history: History
) -> Iterator[tuple[str, Any]]:
    if decided is not None:
        yield "facts", encode_facts(decided.facts).decode()
    yield "seq", seq
    yield "circumstances", None
    for number in range(1, history.newest + 1):
        yield "version", number
        yield "known", number
    for engine in range(1, ENGINE + 1):
        yield "engine", engine
    instants = {int(found) for found in _INSTANT.findall(stored["facts"])[:_INSTANTS_MOST]}
    for instant in (stored["occurred_at"], stored["recorded_at"], *sorted(instants)):
        yield "occurred_at", instant
        yield "recorded_at", instant
    for type_ in (*WIRE_TYPES, *sorted(FREE_TYPES)):
        yield "type", type_


def _digest(program: str, row: dict[str, Any]) -> bytes:
    return activity_digest(
        program,
        row["member"],
        row["seq"],
        row["source"],
        row["id"],
        row["type"],
        row["occurred_at"],
        row["recorded_at"],
        row["engine"],
        row["version"],
        row["known"],
        row["circumstances"],
        row["body"].encode(),
        row["facts"].encode(),
    )
