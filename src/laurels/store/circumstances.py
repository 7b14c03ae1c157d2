"""How the circumstances of a decision are stored: its instant in a column, the rest as JSON, null if there is none."""

from __future__ import annotations

from typing import Final

import msgspec

from laurels.core.calendar import Instant
from laurels.core.case import Code
from laurels.core.decide import Circumstances


class _Rest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pools: dict[str, int] = {}
    random: str = ""
    codes: dict[str, Code] = {}
    keys: dict[str, str] = {}


_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_decode: Final = msgspec.json.Decoder(_Rest).decode


def stored_circumstances(given: Circumstances) -> str | None:
    """All but the instant, as stored; untouched pools are left out, and so is what is empty."""
    used = {pool: used for pool, used in given.pools.items() if used} if given.pools else given.pools
    if not (used or given.random or given.codes or given.keys):
        return None
    return _encode(_Rest(used, given.random, given.codes, given.keys)).decode()


def circumstances_of(recorded_at: Instant, stored: str | None) -> Circumstances:
    """The circumstances that an activity was decided under."""
    if stored is None:
        return Circumstances(recorded_at)
    rest = _decode(stored)
    return Circumstances(recorded_at, rest.pools, rest.random, rest.codes, rest.keys)
