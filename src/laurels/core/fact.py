"""What facts are made of: their base, and the small values that several of them carry.

Instants are microseconds since 1970 UTC, money is minor units, quantities are millionths, points are integers.
"""

from __future__ import annotations

import msgspec

from laurels.core.calendar import Instant

Scalar = str | int | bool | None | list[str]
"""A declared field's value as stored; decimals are strings."""


class Fact(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="fact", gc=False):
    """The base of all facts. They hold no reference that could lead back to them, so the collector need not look."""


class Part(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Points taken from, or destined for, one lot, with all that is needed to make the lot anew."""

    lot: str
    points: int
    earned_at: Instant
    expires_at: Instant | None
    tier: str | None = None


class LineShare(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one line of an order earned."""

    line: str
    points: int


class Grant(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What one grant of a campaign gave: an entry of its own.

    `grant` is its place in the campaign. `lines` allocates it; empty for a grant to the activity as a whole. `wanted`
    is what it would have been without limits, when that differs. `rule` (`track.tier`) marks a tier's bonus over the
    campaign. `limits` maps the limits that were used to their periods and `pools` are the budgets, so that a return
    gives both back.
    """

    campaign: str
    points: int
    lines: tuple[LineShare, ...] = ()
    grant: int = 0
    wanted: int | None = None
    rule: str | None = None
    limits: dict[str, Instant] = {}
    pools: tuple[str, ...] = ()


class Judged(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of one campaign: applied, or not with a code; how much was wanted and how much granted."""

    campaign: str
    code: str
    wanted: int = 0
    granted: int = 0
    wallet: str | None = None
    by: str | None = None
