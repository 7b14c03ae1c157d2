"""What a new version of a program changes, and what of it takes something from members.

Things are paired by id, or by the `was` of a renamed one; then word by word, as the document writes them. A change
says in English and Chinese what a manager needs to know, and where it takes something away it says whom that concerns
in a form that a query or a simulation can count. Ids in `concerns` are those of the old version, under which the
members of today are recorded. A wallet or tier that goes needs to say where its holders go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, TypeVar

import msgspec

from laurels.core.calendar import Zone
from laurels.core.program import generosity, notation
from laurels.core.program.model import (
    Campaign,
    Grant,
    Group,
    Limit,
    MemberLimit,
    Program,
    Texts,
    Tier,
    Track,
    Wallet,
)
from laurels.core.program.renaming import Names, in_new_words, names_between
from laurels.core.program.wording import Label, sentence, thing

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
    """Members whose measures reach the threshold `before` of a tier and not the threshold `after`.

    "enter" asks those who are not on the tier or above it, "keep" those who are on it.
    """

    track: str
    tier: str
    threshold: Literal["enter", "keep"]
    before: tuple[int, ...]
    after: tuple[int, ...]


class Earners(msgspec.Struct, frozen=True, tag="earners"):
    """Members to whom a campaign granted something."""

    campaign: str


Concerned = Everyone | Holders | Standing | Between | Earners


class Change(msgspec.Struct, frozen=True):
    """One thing that a new version does otherwise.

    `path` is the JSON pointer in the new document, or in the old one for what was removed. `before` and `after` are in
    the words of the document. `texts` says it by language. `concerns` is there where something is taken away.
    """

    path: str
    kind: Literal["added", "removed", "changed", "renamed"]
    before: str | None
    after: str | None
    takes_away: bool
    texts: Texts
    concerns: Concerned | None = None
    needs_mapping: bool = False

def difference(old: Program, new: Program) -> tuple[Change, ...]:
    """All that the new version does otherwise than the old one, from the top of the document to its end."""
    names = names_between(old, new)
    comparison = _Comparison(in_new_words(old, names), new, names)
    comparison.compare_programs()
    comparison.compare_fields()
    comparison.compare_wallets()
    comparison.compare_tracks()
    comparison.compare_campaigns()
    comparison.compare_groups()
    return tuple(comparison.changes)


class _Subject(msgspec.Struct, frozen=True):
    """A thing that both versions have: how it is called and where it stands."""

    called: Texts
    path: str


class _Comparison:
    """Two versions in the ids of the new one, and the changes found between them so far."""

    def __init__(self, old: Program, new: Program, names: Names) -> None:
        self.old = old
        self.new = new
        self.names = names
        self.changes: list[Change] = []

    def compare_programs(self) -> None:
        old, new = self.old, self.new
        subject = _Subject(thing("program", new.name), "")
        self._word(subject, "program", old.id, new.id, str)
        self._name(subject, old.name, new.name)
        self._word(subject, "time_zone", old.time_zone, new.time_zone, str)
        self._word(subject, "currency", old.currency.code, new.currency.code, str, _always, Everyone())
        self._word(subject, "late_horizon", old.late_horizon, new.late_horizon, str)

    def compare_fields(self) -> None:
        before, after = (
            {(scope, field.name): field for scope, fields in program.fields.items() for field in fields}
            for program in (self.old, self.new)
        )
        for scope, name in dict.fromkeys((*before, *after)):
            path = f"/fields/{scope}/{name}"
            called = thing("field", {"en": f"{scope}.{name}"})
            if (scope, name) not in after:
                self._removed(path, called)
            elif (scope, name) not in before:
                self._added(path, called)
            else:
                subject = _Subject(called, path)
                self._word(subject, "default", before[scope, name], after[scope, name], notation.field)

    # --- wallets ---

    def compare_wallets(self) -> None:
        before = {wallet.id: wallet for wallet in self.old.wallets}
        after = {wallet.id: wallet for wallet in self.new.wallets}
        for wallet in self.old.wallets:
            if wallet.id not in after:
                self._wallet_removed(wallet, after)
        for wallet in self.new.wallets:
            path, called = f"/wallets/{wallet.id}", thing("wallet", wallet.name)
            if wallet.id not in before:
                self._added(path, called)
            else:
                self._renamed(path, called, self.names.old_wallet(wallet.id), wallet.id)
                self._compare_wallet(_Subject(called, path), before[wallet.id], wallet)

    def _wallet_removed(self, wallet: Wallet, after: dict[str, Wallet]) -> None:
        heir = self.new.retired.wallets.get(wallet.id)
        takes_away = heir is None or (wallet.spendable and not after[heir].spendable)
        called = thing("wallet", wallet.name)
        self._removed(f"/wallets/{wallet.id}", called, heir, takes_away, Holders(wallet.id), needs_mapping=heir is None)

    def _compare_wallet(self, subject: _Subject, old: Wallet, new: Wallet) -> None:
        currency = self.new.currency
        holders, everyone = Holders(self.names.old_wallet(new.id)), Everyone()
        self._name(subject, old.name, new.name)
        self._word(subject, "spendable", old.spendable, new.spendable, notation.truth, _withdrawn, holders)
        self._word(subject, "pending", old.pending, new.pending, notation.pending, generosity.waits_longer, everyone)
        self._word(subject, "expires", old.expires, new.expires, notation.expiry, generosity.expires_sooner, holders)
        policy = msgspec.structs.replace(
            old, when_spent=new.when_spent, debt_limit=new.debt_limit, freeze=new.freeze
        )
        self._word(subject, "when_spent", old, policy, notation.when_spent, generosity.takes_more_back, everyone)
        self._word(
            subject,
            "restore_grace",
            old.restore_grace,
            new.restore_grace,
            notation.duration,
            generosity.shorter,
            holders,
        )
        self._word(subject, "hold", old.hold, new.hold, str)
        self._word(
            subject,
            "money",
            old.money,
            new.money,
            lambda value: notation.points_as_money(value, currency),
            generosity.pays_less,
            holders,
        )

    # --- tracks ---

    def compare_tracks(self) -> None:
        before = {track.id: track for track in self.old.tracks}
        after = {track.id: track for track in self.new.tracks}
        for track in self.old.tracks:
            if track.id not in after:
                above = Standing(track.id, tuple(tier.id for tier in track.tiers[1:]))
                self._removed(f"/tracks/{track.id}", thing("track", track.name), None, True, above)
        for track in self.new.tracks:
            path, called = f"/tracks/{track.id}", thing("track", track.name)
            if track.id not in before:
                self._added(path, called)
            else:
                self._renamed(path, called, self.names.old_track(track.id), track.id)
                self._compare_track(_Subject(called, path), before[track.id], track)
                self._compare_tiers(before[track.id], track)

    def _compare_track(self, subject: _Subject, old: Track, new: Track) -> None:
        above = self._standing(old, (tier.id for tier in old.tiers[1:]))
        self._name(subject, old.name, new.name)
        self._word(
            subject,
            "measure",
            (old.metrics, old.need),
            (new.metrics, new.need),
            lambda value: notation.measure(*value),
            _measures_less,
            above,
        )
        self._word(
            subject, "window", old.window, new.window, notation.window, generosity.looks_back_otherwise, above
        )
        self._word(
            subject,
            "holds_until",
            old.holds_until,
            new.holds_until,
            notation.holds_until,
            generosity.holds_shorter,
            above,
        )
        self._word(subject, "fall", old.fall, new.fall, str, generosity.falls_further, above)
        self._word(subject, "grace", old.grace, new.grace, notation.duration, generosity.shorter, above)
        self._word(subject, "on_return", old.on_return, new.on_return, str, lambda _, now: now == "fall_back", above)

    def _compare_tiers(self, old: Track, new: Track) -> None:
        before = {tier.id: tier for tier in old.tiers}
        after = {tier.id: tier for tier in new.tiers}
        for place, tier in enumerate(old.tiers):
            if tier.id not in after:
                self._tier_removed(old, place, tier, new)
        kept_before = [tier.id for tier in old.tiers if tier.id in after]
        kept_after = [tier.id for tier in new.tiers if tier.id in before]
        subject = _Subject(thing("track", new.name), f"/tracks/{new.id}")
        concerned = self._standing(old, kept_before)
        self._word(subject, "tiers", kept_before, kept_after, notation.listed, _always, concerned)
        for place, tier in enumerate(new.tiers):
            path, called = f"/tracks/{new.id}/tiers/{place}", thing("tier", tier.name)
            if tier.id not in before:
                self._added(path, called)
            else:
                self._renamed(path, called, self.names.old_tier(new.id, tier.id), tier.id)
                self._compare_tier(_Subject(called, path), old, before[tier.id], new, tier)

    def _tier_removed(self, old: Track, place: int, tier: Tier, new: Track) -> None:
        was_track = self.names.old_track(new.id)
        retired = self.new.retired.tiers
        heir = retired.get(f"{new.id}.{tier.id}", retired.get(f"{was_track}.{tier.id}"))
        ranks = [each.id for each in old.tiers]
        takes_away = heir is None or heir not in ranks or ranks.index(heir) < place
        path, called = f"/tracks/{was_track}/tiers/{place}", thing("tier", tier.name)
        concerned = self._standing(old, [tier.id])
        self._removed(path, called, heir, takes_away, concerned, needs_mapping=heir is None)

    def _compare_tier(self, subject: _Subject, was: Track, old: Tier, track: Track, new: Tier) -> None:
        names, currency = self.names, self.new.currency
        self._name(subject, old.name, new.name)
        if was.metrics == track.metrics:
            for threshold, low, high in (("enter", old.enter, new.enter), ("keep", old.keep, new.keep)):
                between = Between(
                    names.old_track(track.id),
                    names.old_tier(track.id, new.id),
                    "keep" if threshold == "keep" else "enter",
                    low,
                    high,
                )
                self._word(
                    subject,
                    threshold,
                    low,
                    high,
                    lambda values: notation.threshold(values, track.metrics, currency),
                    generosity.any_higher,
                    between,
                )
        standing = self._standing(was, [new.id])
        for wallet in self.new.wallets:
            of_wallet = _Subject(_about(subject.called, wallet.name), f"{subject.path}/multiply/{wallet.id}")
            factors = old.multiply.get(wallet.id, _ONE), new.multiply.get(wallet.id, _ONE)
            self._at(of_wallet, "multiply", *factors, notation.rate, _lower, standing)
            former = next((each for each in self.old.wallets if each.id == wallet.id), None)
            if former is not None and (wallet.id in old.expires or wallet.id in new.expires):
                of_wallet = _Subject(of_wallet.called, f"{subject.path}/expires/{wallet.id}")
                rules = old.expires.get(wallet.id, former.expires), new.expires.get(wallet.id, wallet.expires)
                self._at(of_wallet, "expires", *rules, notation.expiry, generosity.expires_sooner, standing)

    def _standing(self, track: Track, tiers: Iterable[str]) -> Standing:
        """Those on tiers (in new words) of a track, as the old version calls them."""
        return Standing(self.names.old_track(track.id), tuple(self.names.old_tier(track.id, tier) for tier in tiers))

    # --- campaigns ---

    def compare_campaigns(self) -> None:
        before = {campaign.id: campaign for campaign in self.old.campaigns}
        after = {campaign.id: campaign for campaign in self.new.campaigns}
        for campaign in self.old.campaigns:
            if campaign.id not in after:
                called = thing("campaign", campaign.name)
                self._removed(f"/campaigns/{campaign.id}", called, None, True, Earners((campaign.id,)))
        for campaign in self.new.campaigns:
            path, called = f"/campaigns/{campaign.id}", thing("campaign", campaign.name)
            if campaign.id not in before:
                self._added(path, called)
            else:
                self._renamed(path, called, self.names.old_campaign(campaign.id), campaign.id)
                self._compare_campaign(_Subject(called, path), before[campaign.id], campaign)

    def _compare_campaign(self, subject: _Subject, old: Campaign, new: Campaign) -> None:
        zone = Zone(self.new.time_zone)
        earners = Earners((self.names.old_campaign(new.id),))
        self._name(subject, old.name, new.name)
        self._word(subject, "on", old.on, new.on, str, _always, earners)
        self._word(
            subject,
            "during",
            old.during,
            new.during,
            lambda during: notation.during(during, zone),
            generosity.runs_less,
            earners,
        )
        for word, was, now in (("when", old.when, new.when), ("lines", old.lines, new.lines)):
            texts = was.text.strip() if was else "", now.text.strip() if now else ""
            self._word(subject, word, *texts, _condition, _is_there, earners)
        self._compare_grants(subject, old, new, earners)
        self._compare_limits(subject, old, new, earners)
        self._word(subject, "priority", old.priority, new.priority, str)

    def _compare_grants(self, subject: _Subject, old: Campaign, new: Campaign, earners: Earners) -> None:
        def show(grant: Grant) -> str:
            return notation.grant(grant, self.new.currency)

        pairs, gone, come = _paired(old.grants, new.grants)
        for before, after in pairs:
            self._word(subject, "grant", before, after, show, generosity.grants_less, earners)
        for grant in gone:
            self._word_gone(subject, "grant", show(grant), earners)
        for grant in come:
            self._word_new(subject, "grant", show(grant))

    def _compare_limits(self, subject: _Subject, old: Campaign, new: Campaign, earners: Earners) -> None:
        before = {_limit_key(limit): limit for limit in old.limits}
        after = {_limit_key(limit): limit for limit in new.limits}
        for key, limit in before.items():
            if key not in after:
                self._word_gone(subject, "limits", notation.limit(limit), None)
        for key, limit in after.items():
            if key in before:
                self._word(subject, "limits", before[key], limit, notation.limit, generosity.limits_more, earners)
            else:
                self._word_new(subject, "limits", notation.limit(limit), earners)

    def compare_groups(self) -> None:
        before = {group.id: group for group in self.old.groups}
        after = {group.id: group for group in self.new.groups}
        for group in self.old.groups:
            if group.id not in after:
                self._removed(f"/groups/{group.id}", thing("group", {"en": group.id}))
        for group in self.new.groups:
            path, called = f"/groups/{group.id}", thing("group", {"en": group.id})
            subject = _Subject(called, path)
            earners = Earners(self._leaves(group, after))
            was = before.get(group.id)
            if was is None:
                chooses = group.mode != "all" and bool(earners.campaigns)
                self._added(path, called, takes_away=chooses, concerns=earners)
                continue
            self._word(subject, "mode", was.mode, group.mode, str, generosity.chooses_more, earners)
            self._word(subject, "of", was.of, group.of, notation.listed, _leaves_out_more(group.mode), earners)
            self._word(subject, "priority", was.priority, group.priority, str)

    def _leaves(self, group: Group, groups: dict[str, Group]) -> tuple[str, ...]:
        """The campaigns in a group, directly or not, that the old version had, as it called them."""
        old = {campaign.id for campaign in self.old.campaigns}
        found: list[str] = []
        for member in group.of:
            if member in groups:
                found.extend(self._leaves(groups[member], groups))
            elif member in old:
                found.append(self.names.old_campaign(member))
        return tuple(found)

    # --- noting changes ---

    def _added(
        self, path: str, called: Texts, *, takes_away: bool = False, concerns: Concerned | None = None
    ) -> None:
        texts = sentence("added", called, "", None, None)
        self._note(Change(path, "added", None, None, takes_away, texts, concerns))

    def _removed(
        self,
        path: str,
        called: Texts,
        heir: str | None = None,
        takes_away: bool = False,
        concerns: Concerned | None = None,
        *,
        needs_mapping: bool = False,
    ) -> None:
        which: Sentence = "unmapped" if needs_mapping else "moved" if heir else "removed"
        texts = sentence(which, called, "", None, heir)
        self._note(Change(path, "removed", None, heir, takes_away, texts, concerns, needs_mapping))

    def _renamed(self, path: str, called: Texts, before: str, after: str) -> None:
        if before != after:
            texts = sentence("renamed", called, "", before, after)
            self._note(Change(path, "renamed", before, after, False, texts))

    def _name(self, subject: _Subject, before: Texts, after: Texts) -> None:
        self._word(subject, "name", before, after, lambda name: notation.form(name))

    def _word(
        self,
        subject: _Subject,
        word: str,
        before: V,
        after: V,
        show: Callable[[V], str],
        takes_away: Callable[[V, V], bool] | None = None,
        concerns: Concerned | None = None,
    ) -> None:
        """Notes a change of a word of the subject, if there is one."""
        at = _Subject(subject.called, f"{subject.path}/{word}")
        self._at(at, word, before, after, show, takes_away, concerns)
