"""Instants as people read them, in the program's zone, and as they type them.

What lasts until an instant lasts up to it and not through it, and that instant is nearly always the first of a day. So
the API and `--json` say `2026-04-01T00:00:00+08:00`, and people read "the end of 31 March 2026", which is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

import click

from laurels.cli.outside import Running
from laurels.core.calendar import Instant, Zone, parse_instant

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


class InstantType(click.ParamType[Instant]):
    """An instant as RFC 3339."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Instant:
        """The instant, or a usage error."""
        if isinstance(value, int):
            return value
        try:
            return parse_instant(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


async def zone_of(running: Running, program: str) -> Zone:
    """The program's zone as its newest version says; UTC before the first."""
    versions = (await running.intake.versions(program)).versions
    newest = max(versions, key=lambda version: version.number, default=None)
    return Zone("UTC" if newest is None else newest.program.time_zone)


def end_of(zone: Zone, until: Instant) -> str:
    """When something is over that lasts until an instant: "the end of 31 March 2026", else the instant itself."""
    if zone.instant_at(zone.ordinal_at(until)) != until:
        return zone.format(until)
    last = date.fromisoformat(zone.local(until - 1).date)
    return f"the end of {last.day} {_MONTHS[last.month - 1]} {last.year}"


def in_order(expiring: Mapping[Instant | None, int]) -> Iterator[tuple[Instant | None, int]]:
    """Points by when they expire, the earliest first; what never does comes last."""
    yield from sorted(((at, points) for at, points in expiring.items() if at is not None), key=lambda each: each[0])
    if None in expiring:
        yield None, expiring[None]
