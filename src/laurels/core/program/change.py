"""A change between two versions of a program: what it is, whom it takes something from, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Literal, TypeVar

import msgspec

from laurels.core.program.model import Texts
from laurels.core.program.wording import Sentence, sentence

S = TypeVar("S")
V = TypeVar("V")


class Everyone(msgspec.Struct, frozen=True, tag="everyone"):
    """All members."""


class Holders(msgspec.Struct, frozen=True, tag="holders"):
    """Members with points in a wallet, in whatever state."""

    wallet: str


class Standing(msgspec.Struct, frozen=True, tag="standing"):
    """Members who stand on one of these tiers of a track."""

    track: str
    tiers: tuple[str, ...]


class Between(msgspec.Struct, frozen=True, tag="between"):
    """Members between the threshold `before` of a tier and the threshold `after`, by what the present window measures.

    "enter": those on the way, who are below the tier, have measured something and do not reach `after`. "keep": those
    who hold the tier, reach `before` and not `after`, and so would not keep it at their next review.
    """

    track: str
    tier: str
    threshold: Literal["enter", "keep"]
    before: tuple[int, ...]
    after: tuple[int, ...]


class Earners(msgspec.Struct, frozen=True, tag="earners"):
    """Members to whom one of these campaigns granted something."""

    campaigns: tuple[str, ...]


class VoucherHolders(msgspec.Struct, frozen=True, tag="voucher_holders"):
    """Members who hold a voucher of a kind that they have not used."""

    voucher: str


Concerned = Everyone | Holders | Standing | Between | Earners | VoucherHolders


class Change(msgspec.Struct, frozen=True):
    """One thing that a new version does otherwise.

    `path` is the JSON pointer in the new document, or in the old one for what was removed. `before` and `after` are in
    the words of the document. `texts` says it by language. `concerns` is there where something is taken away, with the
    ids of the old version.
    """

    path: str
    kind: Literal["added", "removed", "changed", "renamed"]
    before: str | None
    after: str | None
    takes_away: bool
    texts: Texts
    concerns: Concerned | None = None
    needs_mapping: bool = False


class Subject(msgspec.Struct, frozen=True):
    """A thing that changes are about: how it is called by language, and where it stands in the document."""

    called: Texts
    path: str


class Aspect(Generic[S]):
    """A word of a thing: how to read it, how to show it, and whether one value takes something from members that
    another gave."""

    def __init__(
        self,
        word: str,
        read: Callable[[S], V],
        show: Callable[[V], str] = str,
        takes_away: Callable[[V, V], bool] | None = None,
    ) -> None:
        def compare(old: S, new: S) -> tuple[str, str, bool] | None:
            before, after = read(old), read(new)
            if before == after:
                return None
            return show(before), show(after), takes_away is not None and takes_away(before, after)

        self.word = word
        self.compare = compare


class Changes:
    """Collects the changes between two versions."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[Change] = []

    def added(self, subject: Subject, concerns: Concerned | None = None) -> None:
        """Notes a new thing; `concerns` says from whom it takes something, if it does."""
        texts = sentence("added", subject.called)
        self.found.append(Change(subject.path, "added", None, None, concerns is not None, texts, concerns))

    def removed(self, subject: Subject, concerns: Concerned | None = None) -> None:
        """Notes that a thing is gone; `concerns` says from whom that takes something, if it does."""
        texts = sentence("removed", subject.called)
        self.found.append(Change(subject.path, "removed", None, None, concerns is not None, texts, concerns))

    def moved(self, subject: Subject, heir: str | None, concerns: Concerned | None) -> None:
        """Notes that a thing with holders is gone and where these go; without an heir it still has to be said."""
        which: Sentence = "unmapped" if heir is None else "moved"
        texts = sentence(which, subject.called, after=heir)
        takes_away = concerns is not None
        self.found.append(Change(subject.path, "removed", None, heir, takes_away, texts, concerns, heir is None))

    def renamed(self, subject: Subject, before: str, after: str) -> None:
        """Notes another id, if it is one."""
        if before != after:
            texts = sentence("renamed", subject.called, before=before, after=after)
            self.found.append(Change(subject.path, "renamed", before, after, False, texts))

    def compare(self, subject: Subject, aspect: Aspect[S], old: S, new: S, concerns: Concerned | None = None) -> None:
        """Notes what changed in an aspect of a thing that both versions have, if anything did."""
        change = aspect.compare(old, new)
        if change is not None:
            before, after, takes_away = change
            texts = sentence("changed", subject.called, aspect.word, before, after)
            path = f"{subject.path}/{aspect.word}"
            whom = concerns if takes_away else None
            self.found.append(Change(path, "changed", before, after, takes_away, texts, whom))

    def part_added(self, subject: Subject, word: str, shown: str, concerns: Concerned | None = None) -> None:
        """Notes a new entry in a list under a word of the subject."""
        texts = sentence("part_added", subject.called, word, after=shown)
        path = f"{subject.path}/{word}"
        self.found.append(Change(path, "added", None, shown, concerns is not None, texts, concerns))

    def part_removed(self, subject: Subject, word: str, shown: str, concerns: Concerned | None = None) -> None:
        """Notes that an entry in a list under a word of the subject is gone."""
        texts = sentence("part_removed", subject.called, word, before=shown)
        path = f"{subject.path}/{word}"
        self.found.append(Change(path, "removed", shown, None, concerns is not None, texts, concerns))
