"""A case being decided: the member's draft, the facts so far, and what is known about the moment.

Whoever decides writes through `emit`, which keeps a fact and folds it in at once, so that later questions are answered
by the state that the facts so far lead to.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

import msgspec

from laurels.core.apply import FOLDS, Draft
from laurels.core.calendar import Instant
from laurels.core.compiled import Compiled, Trigger
from laurels.core.facts import AnyFact, PoolClaimed
from laurels.core.member import Balance, Member, Root
from laurels.core.segment import segments_of
from laurels.core.version import Versions

_NONE: Final[Mapping[str, Any]] = {}


class Code(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A voucher code that belongs to nobody yet: of which voucher it is, and how often it may be used in all.

    None for `uses` is as often as the voucher's own limits allow. After `expires_at` it cannot be used any more; nor
    can one of a batch that is `revoked`, whether or not somebody has it by then.
    """

    voucher: str
    uses: int | None = 1
    expires_at: Instant | None = None
    revoked: bool = False


class Outside:
    """Chance, codes and keys as the shell gave them, and which of them the decision has looked at."""

    __slots__ = ("_codes", "_keys", "_random", "drew", "looked")

    def __init__(self, random: str = "", codes: Mapping[str, Code] = _NONE, keys: Mapping[str, str] = _NONE) -> None:
        self._random = random
        self._codes = codes
        self._keys = keys
        self.drew = False
        self.looked: set[str] = set()

    def chance(self, label: str) -> bytes:
        """32 bytes of chance, the same for the same label and others for another one.

        Time that passes while somebody reads has no chance: nothing that needs any may happen by itself.
        """
        if not self._random:
            raise AssertionError(f"{label} needs chance, and there is none here")
        self.drew = True
        return sha256(f"{self._random} {label}".encode()).digest()

    def random(self) -> str:
        """The 32 hex digits themselves."""
        if not self._random:
            raise AssertionError("this needs chance, and there is none here")
        self.drew = True
        return self._random

    def code(self, code: str) -> Code | None:
        """What the shell found under a code that belongs to nobody yet."""
        found = self._codes.get(code)
        if found is not None:
            self.looked.add(code)
        return found

    def key(self, name: str) -> str | None:
        """The key of a draw."""
        found = self._keys.get(name)
        if found is not None:
            self.looked.add(name)
        return found


NOTHING_OUTSIDE: Final = Outside()


class Case:
    """A decision in the making. `at` is the instant it is recorded at; `seq` the activity's number.

    While what fell due before is carried out, `at` is the instant of that, and `until` still the decision's own.

    `root` is the member's root as the facts so far have it. `pools` is what was used of each budget, this case's own
    claims included. `placed` is the version on whose tiers the member is known to stand. `outside` is what the shell
    gave beside pools.
    """

    __slots__ = ("_lots", "at", "draft", "facts", "outside", "placed", "pools", "root", "seq", "until", "versions")

    def __init__(self, versions: Versions, draft: Draft, at: Instant, pools: dict[str, int]) -> None:
        self.versions = versions
        self.draft = draft
        self.root: Root = draft.root
        self.at = at
        self.until = at
        self.seq = draft.root.seq + 1
        self.pools = pools
        self.facts: list[AnyFact] = []
        self.placed: Compiled | None = None
        self.outside = NOTHING_OUTSIDE
        self._lots = 0

    def emit(self, fact: AnyFact) -> None:
        """Keeps a fact and folds it in."""
        self.facts.append(fact)
        FOLDS[type(fact)](self.draft, fact)

    def claim(self, pool: str, by: int) -> None:
        """Takes so much of a pool, or gives it back where it is negative."""
        if by > 0 or pool in self.pools:
            self.pools[pool] = self.pools.get(pool, 0) + by
        self.emit(PoolClaimed(pool, by))

    def new_lot(self) -> str:
        """An id for a new lot, unique for the member: the activity's number and a running one."""
        lot = f"{self.seq}.{self._lots}"
        self._lots += 1
        return lot

    def chance(self, label: str) -> bytes:
        """32 bytes of chance for a purpose that the label names; a decision that asks is stored with its chance."""
        return self.outside.chance(label)

    def random(self) -> str:
        """The chance of this activity itself, as 32 hex digits."""
        return self.outside.random()

    def tiers_at(self, instant: Instant) -> dict[str, str]:
        """The tier on each track at an instant, as far back as kept."""
        tiers: dict[str, str] = {}
        for track, standing in self.root.tracks.items():
            tier = standing.tier
            if instant < standing.since and standing.past:
                tier = standing.past[0].tier
                for past in standing.past:
                    if past.at <= instant:
                        tier = past.tier
            tiers[track] = tier
        return tiers


NOTHING_NEW: Final[Mapping[str, frozenset[str]]] = MappingProxyType({"sku": frozenset(), "category": frozenset()})


class View(msgspec.Struct, gc=False):
    """The member as conditions see them. `new` holds what lines of the purchase are new to them, where it is asked."""

    id: str
    enrolled_at: Instant
    tier: dict[str, str]
    wallets: dict[str, Balance]
    segments: tuple[str, ...]
    counters: dict[str, int]
    attributes: dict[str, Any]
    new: Mapping[str, frozenset[str]] = NOTHING_NEW


_NO_BALANCE = Balance()


_STORED: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "date": str,
    "bool": bool,
    "int": int,
    "money": int,
    "timestamp": int,
    "list<string>": (list, tuple),
}


def readable(attributes: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    """Declared attributes as rules read them.

    One that was stored before it was declared like this, and is not of its type, reads as absent.
    """
    found: dict[str, Any] = {}
    for name, value in attributes.items():
        kind = types.get(name)
        if kind == "decimal":
            decimal = _decimal(value)
            if decimal is not None:
                found[name] = decimal
        elif kind is not None and isinstance(value, _STORED[kind]) and isinstance(value, bool) == (kind == "bool"):
            found[name] = value
    return found


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str):
        return None
    try:
        decimal = Decimal(value)
    except InvalidOperation:
        return None
    return decimal if decimal.is_finite() else None


def balances_of(case: Case, compiled: Compiled) -> dict[str, Balance]:
    """The balances of all wallets of a version, as they are now."""
    known, versions = case.root.wallets, case.versions
    return {wallet: known.get(versions.current(wallet, case.at), _NO_BALANCE) for wallet in compiled.wallets}


def view_now(case: Case, compiled: Compiled, *, reads_segments: bool) -> View:
    """The member as they are now, for conditions that are asked apart from what earns."""
    tiers = {**compiled.first_tiers, **case.tiers_at(case.at)}
    return _view(case, compiled, tiers, balances_of(case, compiled), case.at if reads_segments else None)


def segments_now(versions: Versions, compiled: Compiled, member: Member, at: Instant) -> tuple[str, ...]:
    """The segments that a member, who has been brought up to an instant, is in then."""
    return view_now(Case(versions, Draft(member), at, {}), compiled, reads_segments=True).segments


def view_of(case: Case, compiled: Compiled, tiers: dict[str, str], trigger: Trigger | None, instant: Instant) -> View:
    """The member for the conditions of a trigger on what occurred at an instant, standing on `tiers`."""
    wallets = case.root.wallets
    reads_segments = trigger is not None and trigger.reads_segments
    if reads_segments or (trigger is not None and trigger.reads_wallets):
        wallets = balances_of(case, compiled)
    if len(tiers) < len(compiled.first_tiers):
        tiers = {**compiled.first_tiers, **tiers}
    return _view(case, compiled, tiers, wallets, instant if reads_segments else None)


def _view(
    case: Case, compiled: Compiled, tiers: dict[str, str], wallets: dict[str, Balance], segments_at: Instant | None
) -> View:
    """The member with these; with the segments at an instant, if one is given."""
    root = case.root
    attributes: dict[str, Any] = root.attributes
    if attributes and compiled.attribute_types:
        attributes = readable(attributes, compiled.attribute_types)
    view = View(case.draft.id, root.enrolled_at or 0, tiers, wallets, (), root.counters, attributes)
    if segments_at is not None:
        view.segments = segments_of(compiled, view, segments_at)
    return view
