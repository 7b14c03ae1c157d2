"""Whether two bodies are the same activity, and which parts of a body are free text.

Bodies are compared by value: spaces, the order of keys and defaults that are written out or left out make no
difference. What people wrote in their own words goes to a table from which it can be erased; it leaves "" in the stored
body. After it was erased, any text in its place is taken for the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from laurels.core.activity import Declared
from laurels.core.calendar import Instant
from laurels.core.wire import WIRE_TYPES

_TEXT_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "adjustment": ("reason",),
    "extension": ("reason",),
    "reinstatement": ("reason",),
    "voucher_issue": ("reason",),
    "voucher_revoke": ("reason",),
}
"""Where typed activities have free text."""

_NAMES: Final = frozenset(("code", "lines", "order", "referrer", "subject", "survey"))
"""Fields of free activities that name things, declared or not."""

_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_decode: Final = msgspec.json.Decoder().decode
_decoders: Final = {name: msgspec.json.Decoder(wire).decode for name, wire in WIRE_TYPES.items()}


def has_free_text(type: str) -> bool:
    """Whether bodies of this type may hold free text."""
    return type in _TEXT_OF or type not in WIRE_TYPES


def without_text(type: str, body: bytes, declared: Declared) -> tuple[bytes, bytes | None]:
    """The body as the ledger keeps it, and the texts that were taken out of it (JSON, by field), if any.

    In activities with free fields, whatever the program does not declare is free text: no rule can read it.
    """
    value: dict[str, Any] = _decode(body)
    names = _TEXT_OF.get(type)
    if names is None:
        known = _NAMES.union(field.name for field in declared.fields.get(type, ()))
        names = tuple(name for name in value if name not in known)
    texts = {name: value[name] for name in names if isinstance(value.get(name), str | list | dict) and value[name]}
    if not texts:
        return body, None
    return _encode({**value, **dict.fromkeys(texts, "")}), _encode(texts)


def with_text(body: bytes, texts: str | None) -> bytes:
    """The body as it was sent, where its texts were not erased."""
    return body if texts is None else _encode({**_decode(body), **_decode(texts)})


class StoredBody(msgspec.Struct, frozen=True):
    """An accepted activity as far as sameness goes. `has_texts` and no `texts`: they were erased."""

    type: str
    member: str
    occurred_at: Instant
    body: bytes
    has_texts: bool
    texts: str | None


def is_same(stored: StoredBody, type: str, member: str, occurred_at: Instant, body: bytes) -> bool:
    """Whether what was sent is what was accepted."""
    if stored.type != type or stored.member != member or stored.occurred_at != occurred_at:
        return False
    if stored.body == body and not stored.has_texts:
        return True
    before = with_text(stored.body, stored.texts)
    if stored.has_texts and stored.texts is None:
        blank = [name for name, value in _decode(before).items() if value == ""]
        sent = _decode(body)
        body = _encode({**sent, **{name: "" for name in blank if name in sent}})
    return _canonical(type, before) == _canonical(type, body)


def _canonical(type: str, body: bytes) -> bytes:
    decode: Callable[[bytes], Any] = _decoders.get(type, _decode)
    return _encode(decode(body))
