"""Patches in the unified form of `git diff`, applied without fuzz: a hunk's old lines stand in the file exactly once.

Where they stand does not matter, so that a patch outlives whatever moves above it. Text before the first file is the
patch's own heading.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


class Unfit(Exception):  # noqa: N818 - reads as what a patch is
    """A patch that cannot be read, or does not fit the file that it is for."""


@dataclass(frozen=True)
class Hunk:
    """These lines take the place of those, each with its end."""

    before: str
    after: str


@dataclass(frozen=True)
class Patch:
    """What stands above the first file, and the hunks for each file by its path from the project's root."""

    heading: str
    hunks: Mapping[str, tuple[Hunk, ...]]


def read(text: str) -> Patch:
    """The patch that a text is; Unfit for one that changes nothing or contradicts its own counts."""
    heading, _, rest = text.partition("--- a/")
    hunks: dict[str, tuple[Hunk, ...]] = {}
    for part in rest.split("\n--- a/"):
        path, _, lines = part.partition("\n")
        first, *others = lines.splitlines()
        if first != f"+++ b/{path}":
            raise Unfit(f"{path} is patched under another name: {first}")
        hunks[path] = tuple(_hunks(path, others))
    return Patch(heading, hunks)


def _hunks(path: str, lines: list[str]) -> list[Hunk]:
    found: list[Hunk] = []
    at = 0
    while at < len(lines):
        counted = HUNK.match(lines[at])
        if counted is None:
            raise Unfit(f"{path}: no hunk begins with {lines[at]!r}")
        end = next((n for n in range(at + 1, len(lines)) if lines[n].startswith("@@")), len(lines))
        body = lines[at + 1 : end]
        before = [line[1:] + "\n" for line in body if line[:1] in (" ", "-")]
        after = [line[1:] + "\n" for line in body if line[:1] in (" ", "+")]
        if any(line[:1] not in (" ", "-", "+") for line in body):
            raise Unfit(f"{path}: a line that is neither kept, removed nor added")
        if (len(before), len(after)) != (int(counted[1] or 1), int(counted[2] or 1)):
            raise Unfit(f"{path}: {lines[at]} does not count its lines")
        if before == after:
            raise Unfit(f"{path}: {lines[at]} changes nothing")
        found.append(Hunk("".join(before), "".join(after)))
        at = end
    if not found:
        raise Unfit(f"{path}: no hunk")
    return found


def applied(hunks: tuple[Hunk, ...], path: str, text: str) -> str:
    """The text of a file with these hunks; Unfit unless the old lines of each stand in it once."""
    for hunk in hunks:
        # A hunk begins where a line does.
        places = [at for at in range(len(text)) if text.startswith(hunk.before, at) and text[at - 1 : at] in ("", "\n")]
        if len(places) != 1:
            raise Unfit(f"{path}: these lines stand in it {len(places)} times:\n{hunk.before}")
        (at,) = places
        text = text[:at] + hunk.after + text[at + len(hunk.before) :]
    return text
