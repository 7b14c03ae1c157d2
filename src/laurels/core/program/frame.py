"""What the parts of a document know of each other while they are resolved.

Parts are resolved in an order in which each refers only to earlier ones (fields, wallets, tracks, segments, campaigns,
groups). A part with errors still resolves to something of its id, so that one mistake is one finding and not a trail of
them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from decimal import Decimal
from typing import Final

from laurels.core.activity import FREE_TYPES
from laurels.core.calendar import Instant, Zone
from laurels.core.money import Currency, Rate, parse_minor, parse_quantity
from laurels.core.program.document import Node
from laurels.core.program.draws_model import Draw
from laurels.core.program.finding import Notes, shown
from laurels.core.program.grammar import Entries, Said
from laurels.core.program.model import Campaign, Promotion, Texts, Track, Wallet
from laurels.core.program.rewards_model import Cause
from laurels.core.program.vouchers_model import Voucher
from laurels.core.rule.environment import Environment, Field

BUILT_IN_TRIGGERS: Final = ("purchase", "enrol", "tier_kept", *sorted(FREE_TYPES))


SEGMENT: Final = "segment"
"""What conditions of segments are on, in place of a type of activity."""


class Frame:
    """The parts resolved so far, and the notes. Without a readable currency or zone, stand-ins serve.

    `at` is the instant from which the document is looked at; without one nothing is in the past. `in_batches` are codes
    of vouchers that somebody has seen in a batch. `unsure` are campaigns of which nobody can tell on what they are.
    """

    def __init__(
        self,
        notes: Notes,
        currency: Currency | None,
        zone: Zone | None,
        at: Instant | None = None,
        in_batches: Container[str] = (),
    ) -> None:
        self.notes = notes
        self.currency = currency
        self.zone = zone
        self.at = at
        self.in_batches = in_batches
        self.fields: dict[str, tuple[Field, ...]] = {}
        self.wallets: dict[str, Wallet] = {}
        self.tracks: dict[str, Track] = {}
        self.segments: tuple[str, ...] = ()
        self.campaigns: dict[str, Campaign] = {}
        self.promotions: dict[str, Promotion] = {}
        self.vouchers: dict[str, Voucher] = {}
        self.draws: dict[str, Draw] = {}
        self.unsure: set[str] = set()
        self.causes: dict[str, Cause] = {}
        self._environments: dict[str, Environment] = {}

    @property
    def triggers(self) -> tuple[str, ...]:
        """The activity types that a campaign may be on: the built-in ones and those declared under `fields`."""
        return (*BUILT_IN_TRIGGERS, *(scope for scope in self.fields if scope.startswith("custom.")))

    def money(self, amount: Decimal | None, at: Node) -> int:
        """The amount in minor units of the program's currency; a finding where the currency has fewer decimals."""
        if amount is None or self.currency is None:
            return 0
        try:
            return parse_minor(str(amount), self.currency.places)
        except ValueError:
            places = self.currency.places
            hint = f"write at most {places} decimals" if places else "write whole amounts"
            self.notes.error("bad_money", at, f"{self.currency.code} has no amount of {amount}", hint)
            return 0

    def millionths(self, value: Decimal, at: Node) -> int:
        """The number in millionths, as quantities and the sums of fields are counted."""
        try:
            return parse_quantity(str(value))
        except ValueError as error:
            self.notes.error("bad_number", at, str(error), "write a smaller number")
            return 0

    def rate(self, value: Decimal | None) -> Rate:
        """The number as an exact ratio; zero stands in for one that could not be read."""
        return Rate.of(value or 0)

    def texts(self, said: Said[str | Entries[str, str]], default: str) -> Texts:
        """Names by language; a plain text is English."""
        if isinstance(said.value, str):
            return {"en": said.value}
        if said.value is None:
            return {"en": default}
        return {language: text for language, text, _ in said.value.readable()}

    def has_wallet(self, wallet: str | None, at: Node) -> bool:
        """Whether a wallet of that id exists; a finding where not."""
        return self.has("wallet", wallet, self.wallets, at)

    def has_trigger(self, activity_type: str | None, at: Node) -> bool:
        """Whether activities of that type exist; a finding where not."""
        if activity_type is None or activity_type in self.triggers:
            return activity_type is not None
        hint = self.notes.suggestion(activity_type, self.triggers)
        if activity_type.startswith("custom."):
            hint = hint if hint.startswith("did") else f"declare it: fields: {{{activity_type}: {{}}}}"
        self.notes.error("unknown_activity", at, f"there is no activity type {shown(activity_type)}", hint)
        return False

    def has(self, what: str, name: str | None, known: Iterable[str], at: Node) -> bool:
        """Whether a name is among the known ones; a finding `unknown_<what>` where not."""
        names = list(known)
        if name is None or name in names:
            return name is not None
        message = f"there is no {what} {shown(name)}"
        self.notes.error(
            f"unknown_{what}", at, message, self.notes.suggestion(name, names) or f"this program has no {what} yet"
        )
        return False

    def environment(self, activity_type: str) -> Environment:
        """What conditions on activities of that type may name."""
        if activity_type not in self._environments:
            self._environments[activity_type] = Environment.build(
                currency_places=self.currency.places if self.currency else 2,
                tracks=tuple(self.tracks),
                wallets=tuple(self.wallets),
                segments=self.segments,
                of_member=activity_type == SEGMENT,
                tiers={track.id: tuple(tier.id for tier in track.tiers) for track in self.tracks.values()},
                member=self.fields.get("member", ()),
                purchase=self.fields.get("purchase", ()),
                line=self.fields.get("line", ()),
                activity=self.fields.get(activity_type, ()) if activity_type != "purchase" else (),
                has_purchase=activity_type == "purchase",
            )
        return self._environments[activity_type]
