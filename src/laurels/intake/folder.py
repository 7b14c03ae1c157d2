"""A member's documents in memory, from one decision to the next, for whoever decides a whole life in one go.

A decision sees what it needs and asks for the rest, as in the write path, and only what it changed is filed. So an
activity costs what it touches, however long the member's history is; handing out all documents each time would not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from laurels.core.activity import Activity
from laurels.core.apply import Draft
from laurels.core.calendar import Instant
from laurels.core.decide import Circumstances, Decision, decide, needs
from laurels.core.facts import AnyFact
from laurels.core.member import ROOT, Document, Member, Missing, Root
from laurels.core.refusal import Refusal
from laurels.core.version import Versions

_BODY: Final = "activity/"

Bought = Callable[[int], Document | None]
"""The recorded purchase that was the member's activity of a number; None where there is none."""


class Folder:
    """One member from the first activity on: a document that is not here was never written."""

    __slots__ = ("_documents", "id")

    def __init__(self, id: str) -> None:
        self.id = id
        self._documents: dict[str, Document | None] = {ROOT: None}

    @property
    def root(self) -> Root:
        """The member's root; an empty one before the first activity."""
        return self.member.root

    @property
    def member(self) -> Member:
        """The member with all documents, to read until the next decision is filed."""
        return Member(self.id, self._documents)

    def decide(
        self, versions: Versions, activity: Activity, circumstances: Circumstances, bought: Bought
    ) -> Decision | Refusal:
        """What comes of the activity; its member has the documents that were looked at, and nothing is filed yet."""
        seen: dict[str, Document | None] = {ROOT: self._documents[ROOT]}
        for key in needs(versions, activity, self.root, circumstances.recorded_at):
            seen[key] = self._documents.get(key)
        while True:
            try:
                return decide(versions, Member(self.id, seen), activity, circumstances)
            except Missing as lacking:
                self._show(lacking, seen, bought)

    def file(self, decision: Decision) -> None:
        """From here on the member is as the decision left them."""
        self._file(decision.member, decision.changed)

    def fold(self, facts: Sequence[AnyFact], seq: int, now: Instant) -> None:
        """From here on the member is as these facts, of the activity numbered `seq`, leave them."""
        seen: dict[str, Document | None] = {ROOT: self._documents[ROOT]}
        while True:
            draft = Draft(Member(self.id, seen))
            try:
                for fact in facts:
                    draft.apply(fact)
            except Missing as lacking:
                self._show(lacking, seen, _nothing_bought)
            else:
                self._file(draft.finish(seq, now), draft.changed)
                return

    def _show(self, lacking: Missing, seen: dict[str, Document | None], bought: Bought) -> None:
        for key in lacking.keys:
            assert key not in seen, f"{key} is asked for again"
            seen[key] = bought(int(key[len(_BODY) :])) if key.startswith(_BODY) else self._documents.get(key)

    def _file(self, after: Member, changed: Iterable[str]) -> None:
        for key in changed:
            document = after.documents[key]
            if document is None:
                self._documents.pop(key, None)
            else:
                self._documents[key] = document


def _nothing_bought(seq: int) -> None:
    raise AssertionError(f"no fold looks into the purchase that was activity {seq}")
