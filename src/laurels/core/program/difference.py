"""What a new version of a program changes, and what of it takes something from members.

Things are paired by id, or by the `was` of a renamed one; then compared aspect by aspect, as the document words them.
A change that takes something away says whom it concerns in a form that a query or a simulation can count. Ids in
`concerns` are those of the old version, under which the members of today are recorded. A wallet or tier that goes
has to say, under `retired`, where its holders go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from laurels.core.calendar import Zone
from laurels.core.money import Rate
from laurels.core.program import generosity, notation
from laurels.core.program.change import Aspect, Between, Change, Changes, Earners, Everyone, Holders, Standing, Subject
from laurels.core.program.model import (
    Campaign,
    Cooldown,
    Grant,
    Group,
    Limit,
    MemberLimit,
    Metric,
    Multiply,
    PerField,
    Program,
    Tier,
    Track,
    Wallet,
)
from laurels.core.program.renaming import Names, in_new_words, names_between
from laurels.core.program.wording import thing, within

V = TypeVar("V")

_ONE = Rate(1, 1)


def difference(old: Program, new: Program) -> tuple[Change, ...]:
    """All that the new version does otherwise than the old one, from the top of the document to its end."""
    names = names_between(old, new)
    old = in_new_words(old, names)
    changes = Changes()
    _compare_programs(old, new, changes)
    _compare_fields(old, new, changes)
    _compare_wallets(old, new, names, changes)
    _compare_tracks(old, new, names, changes)
    _compare_campaigns(old, new, names, changes)
    _compare_groups(old, new, names, changes)
    return tuple(changes.found)


def _always(_before: V, _after: V) -> bool:
    return True


def _compare_programs(old: Program, new: Program, changes: Changes) -> None:
    subject = Subject(thing("program", new.name), "")
    for aspect in (
        Aspect[Program]("program", lambda program: program.id),
        Aspect[Program]("name", lambda program: program.name, notation.form),
        Aspect[Program]("time_zone", lambda program: program.time_zone),
        Aspect[Program]("currency", lambda program: program.currency.code, takes_away=_always),
        Aspect[Program]("late_horizon", lambda program: program.late_horizon),
    ):
        changes.compare(subject, aspect, old, new, Everyone())


def _compare_fields(old: Program, new: Program, changes: Changes) -> None:
    before, after = (
        {(scope, field.name): notation.field(field) for scope, fields in program.fields.items() for field in fields}
        for program in (old, new)
    )
    definition = Aspect[str]("type", lambda shown: shown)
    for scope, name in dict.fromkeys((*before, *after)):
        subject = Subject(thing("field", {"en": f"{scope}.{name}"}), f"/fields/{scope}/{name}")
        if (scope, name) not in after:
            changes.removed(subject)
        elif (scope, name) not in before:
            changes.added(subject)
        else:
            changes.compare(subject, definition, before[scope, name], after[scope, name])


# --- wallets ----------------------------------------------------------------------------------------------------------


def _compare_wallets(old: Program, new: Program, names: Names, changes: Changes) -> None:
    before = {wallet.id: wallet for wallet in old.wallets}
    after = {wallet.id: wallet for wallet in new.wallets}
    for wallet in old.wallets:
        if wallet.id not in after:
            heir = new.retired.wallets.get(wallet.id)
            takes_away = heir is None or (wallet.spendable and not after[heir].spendable)
            subject = Subject(thing("wallet", wallet.name), f"/wallets/{wallet.id}")
            changes.moved(subject, heir, Holders(wallet.id) if takes_away else None)
    for_all = _wallet_aspects_for_all()
    for_holders = _wallet_aspects_for_holders(new)
    for wallet in new.wallets:
        subject = Subject(thing("wallet", wallet.name), f"/wallets/{wallet.id}")
        if wallet.id not in before:
            changes.added(subject)
            continue
        was = names.old_wallet(wallet.id)
        changes.renamed(subject, was, wallet.id)
        for aspect in for_holders:
            changes.compare(subject, aspect, before[wallet.id], wallet, Holders(was))
        for aspect in for_all:
            changes.compare(subject, aspect, before[wallet.id], wallet, Everyone())


def _wallet_aspects_for_holders(new: Program) -> tuple[Aspect[Wallet], ...]:
    def as_money(value: V) -> V:
        return value

    return (
        Aspect("name", lambda wallet: wallet.name, notation.form),
        Aspect("spendable", lambda wallet: wallet.spendable, notation.truth, lambda was, now: was and not now),
        Aspect("expires", lambda wallet: wallet.expires, notation.expiry, generosity.expires_sooner),
        Aspect("restore_grace", lambda wallet: wallet.restore_grace, notation.duration, generosity.shorter),
        Aspect("hold", lambda wallet: wallet.hold),
        Aspect(
            "money",
            lambda wallet: wallet.money,
            lambda money: notation.points_as_money(money, new.currency),
            generosity.pays_less,
        ),
    )


def _wallet_aspects_for_all() -> tuple[Aspect[Wallet], ...]:
    return (
        Aspect("pending", lambda wallet: wallet.pending, notation.pending, generosity.waits_longer),
        Aspect("when_spent", spent_policy, notation.when_spent, generosity.takes_more_back),
    )
