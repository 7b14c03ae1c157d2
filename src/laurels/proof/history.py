"""The versions of a program as each activity knew them: later ones had no say in it."""

from __future__ import annotations

from laurels.core.program.model import Program
from laurels.core.version import Version, Versions


class History:
    """All versions of a program, and for a number the versions up to it, compiled once."""

    def __init__(self, versions: tuple[Version, ...]) -> None:
        self._versions = versions
        self._numbers = frozenset(version.number for version in versions)
        self._known: dict[int, Versions] = {}

    def known(self, number: int) -> Versions | None:
        """The versions up to a number; None if there is no such version."""
        found = self._known.get(number)
        if found is None and number in self._numbers:
            found = Versions(tuple(version for version in self._versions if version.number <= number))
            self._known[number] = found
        return found

    @property
    def newest(self) -> int:
        """The newest version's number, 0 if there is none."""
        return max(self._numbers, default=0)

    @property
    def draws(self) -> frozenset[str]:
        """All draws that any version has: each was announced with the first that had it, and stays."""
        return frozenset(draw.id for version in self._versions for draw in version.program.draws)

    def with_draw(self, draw: str) -> Program | None:
        """The program as the newest version has it that has a draw; None if no version has it."""
        having = [version for version in self._versions if any(each.id == draw for each in version.program.draws)]
        return max(having, key=lambda version: version.number).program if having else None
