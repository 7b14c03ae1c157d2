"""Digests of ledger rows, so that a row that was changed behind Laurels' back gives itself away.

Each covers every column of its row but itself; entries need none, because an activity's facts say what they must be.
The bucket follows from the member and is not covered.
"""

from hashlib import sha256

import msgspec

_encode = msgspec.json.Encoder().encode


def activity_digest(
    program: str,
    member: str,
    seq: int,
    source: str,
    id: str,
    type: str,
    occurred_at: int,
    recorded_at: int,
    engine: int,
    version: int,
    known: int,
    circumstances: str | None,
    body: bytes,
    facts: bytes,
) -> bytes:
    """SHA-256 over a JSON array of the other columns with the body's length, then body and facts."""
    about = (occurred_at, recorded_at, engine, version, known, circumstances, len(body))
    digest = sha256(_encode((program, member, seq, source, id, type, *about)))
    digest.update(body)
    digest.update(facts)
    return digest.digest()


def correction_digest(
    program: str, pool: str, number: int, id: str, by: int, reason: str, source: str, corrected_at: int
) -> bytes:
    """SHA-256 over a JSON array of the other columns."""
    return sha256(_encode((program, pool, number, id, by, reason, source, corrected_at))).digest()


def version_digest(program: str, number: int, effective_at: int, published_at: int, document: str) -> bytes:
    """SHA-256 over a JSON array of the other columns."""
    return sha256(_encode((program, number, effective_at, published_at, document))).digest()
