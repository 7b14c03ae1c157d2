"""The figures of a program: what was issued by which campaign, spent and lost, what is outstanding, who stands where.

They are read off journal entries and members' roots, from the store or from memory alike, so that two outcomes can be
laid side by side.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from laurels.core.calendar import Instant
from laurels.core.facts import Accrued, AnyFact, LotActivated, Moved
from laurels.core.journal import entries
from laurels.core.member import Member
from laurels.simulate.given import Given

TIER_BONUS = " × "
"""Stands between a campaign and the tier whose bonus over it is counted apart."""


class Granted(msgspec.Struct):
    """What a campaign granted: points, and how many times."""

    points: int = 0
    times: int = 0


class WalletFigures(msgspec.Struct):
    """A wallet over all members. `returned` is what returns took back, `adjusted` what people gave less what they took.

    `outstanding` is available, pending and held points, less debt; `expiring` says when they expire (None: never).
    """

    issued: int = 0
    returned: int = 0
    spent: int = 0
    expired: int = 0
    adjusted: int = 0
    written_off: int = 0
    in_transit: int = 0
    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    campaigns: dict[str, Granted] = {}
    expiring: dict[Instant | None, int] = {}

    @property
    def outstanding(self) -> int:
        """What members have."""
        return self.available + self.pending + self.held - self.debt


class Figures(msgspec.Struct):
    """A program as it stands. `tracks` counts members by track and tier; `refused` and `invalid` activities by code.

    `given` is what members got beside points.
    """

    members: int = 0
    activities: int = 0
    wallets: dict[str, WalletFigures] = {}
    tracks: dict[str, dict[str, int]] = {}
    refused: dict[str, int] = {}
    invalid: dict[str, int] = {}
    given: Given = msgspec.field(default_factory=Given)

    def wallet(self, id: str) -> WalletFigures:
        """The wallet's figures, to be added to."""
        found = self.wallets.get(id)
        if found is None:
            found = self.wallets[id] = WalletFigures()
        return found

    def move(self, entries: Iterable[Moved]) -> None:
        """Counts journal entries."""
        for entry in entries:
            self.move_points(
                entry.wallet, entry.kind, entry.campaign, entry.rule, entry.out_of, entry.into, entry.points, 1
            )

    def take(self, facts: Iterable[AnyFact]) -> None:
        """Counts the entries of facts; those of accruals without making them, and activations move nothing here."""
        others: list[AnyFact] = []
        for fact in facts:
            if isinstance(fact, Accrued):
                self._accrue(fact)
            elif not isinstance(fact, LotActivated):
                others.append(fact)
        self.move(entries(others))

    def _accrue(self, fact: Accrued) -> None:
        figures = self.wallet(fact.wallet)
        campaigns = figures.campaigns
        for grant in fact.grants:
            name = grant.campaign if grant.rule is None else f"{grant.campaign}{TIER_BONUS}{grant.rule}"
            granted = campaigns.get(name)
            if granted is None:
                granted = campaigns[name] = Granted()
            granted.points += grant.points
            granted.times += 1
            figures.issued += grant.points

    def move_points(
        self,
        wallet: str,
        kind: str,
        campaign: str | None,
        rule: str | None,
        out_of: str,
        into: str,
        points: int,
        times: int,
    ) -> None:
        """Counts `times` entries of a sort that moved so many points together."""
        figures = self.wallet(wallet)
        if kind == "accrual":
            name = (campaign or "") + (f"{TIER_BONUS}{rule}" if rule else "")
            granted = figures.campaigns.setdefault(name, Granted())
            granted.points += points
            granted.times += times
        for account, by in ((out_of, -points), (into, points)):
            if account == "issuance":
                figures.issued += max(-by, 0)
                figures.returned += max(by, 0)
            elif account == "redemption":
                figures.spent += by
            elif account == "breakage":
                figures.expired += by
            elif account == "adjustment":
                figures.adjusted -= by
            elif account == "write_off":
                figures.written_off += by
            elif account == "in_transit":
                figures.in_transit += by

    def hold(self, member: Member) -> None:
        """Counts what a member has and where they stand; all pages of lots are there."""
        root = member.root
        if root.enrolled_at is None:
            return
        self.members += 1
        for id, balance in root.wallets.items():
            figures = self.wallet(id)
            figures.available += balance.available
            figures.pending += balance.pending
            figures.held += balance.held
            figures.debt += balance.debt
            for head in balance.pages:
                page = member.documents.get(f"lots/{id}/{head.number}")
                for lot in page if isinstance(page, tuple) else ():
                    at = lot.expires_at
                    if balance.expires_at is not None and (at is None or at > balance.expires_at):
                        at = balance.expires_at
                    figures.expiring[at] = figures.expiring.get(at, 0) + lot.points
        for track, standing in root.tracks.items():
            tiers = self.tracks.setdefault(track, {})
            tiers[standing.tier] = tiers.get(standing.tier, 0) + 1


def count(codes: dict[str, int], code: str) -> None:
    """One more of a code."""
    codes[code] = codes.get(code, 0) + 1
