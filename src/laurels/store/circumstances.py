"""How the circumstances of a decision are stored: its instant in a column, the rest as JSON, null if there is none."""

from __future__ import annotations

from typing import Final

import msgspec

from laurels.core.calendar import Instant
from laurels.core.decide import Circumstances


class _Rest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pools: dict[str, int]


_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_decode: Final = msgspec.json.Decoder(_Rest).decode


def stored_pools(pools: dict[str, int]) -> str | None:
    """What was used of pools, as stored; untouched ones are left out."""
    used = {pool: used for pool, used in pools.items() if used}
    return _encode(_Rest(used)).decode() if used else None


def circumstances_of(recorded_at: Instant, stored: str | None) -> Circumstances:
    """The circumstances that an activity was decided under."""
    return Circumstances(recorded_at) if stored is None else Circumstances(recorded_at, _decode(stored).pools)
