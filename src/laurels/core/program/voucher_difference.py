"""What a new version changes about vouchers, and what of it takes something from those who hold them."""

from __future__ import annotations

from laurels.core.calendar import Zone
from laurels.core.money import Currency
from laurels.core.program import generosity, notation
from laurels.core.program.change import Aspect, Changes, Concerned, Everyone, Subject, VoucherHolders
from laurels.core.program.model import After, Budget, Cooldown, Limit, MemberLimit, Program
from laurels.core.program.renaming import Names
from laurels.core.program.vouchers_model import Until, Voucher, VoucherExpiry, WithTime
from laurels.core.program.wording import thing


def compare_vouchers(old: Program, new: Program, names: Names, changes: Changes) -> None:
    """Compares vouchers of the same id; `old` is in the words of the new version."""
    before = {voucher.id: voucher for voucher in old.vouchers}
    after = {voucher.id: voucher for voucher in new.vouchers}
    former = {now: was for was, now in names.vouchers.items()}
    for voucher in old.vouchers:
        if voucher.id not in after:
            subject = Subject(thing("voucher", voucher.name), f"/vouchers/{voucher.id}")
            changes.removed(subject, _whom(voucher, voucher.id))
    aspects = _aspects(Zone(new.time_zone), new.currency)
    for voucher in new.vouchers:
        subject = Subject(thing("voucher", voucher.name), f"/vouchers/{voucher.id}")
        if voucher.id not in before:
            changes.added(subject)
            continue
        was = former.get(voucher.id, voucher.id)
        changes.renamed(subject, was, voucher.id)
        for aspect in aspects:
            changes.compare(subject, aspect, before[voucher.id], voucher, _whom(before[voucher.id], was))


def _whom(voucher: Voucher, id: str) -> Concerned:
    """Who holds one; everybody, where everybody may use its code."""
    return Everyone() if voucher.codes else VoucherHolders(id)


def _aspects(zone: Zone, currency: Currency) -> tuple[Aspect[Voucher], ...]:
    return (
        Aspect("name", lambda voucher: voucher.name, notation.form),
        Aspect(
            "gives",
            lambda voucher: voucher.offer.gives,
            lambda gives: notation.gives(gives, currency),
            generosity.gives_less,
        ),
        Aspect("lines", lambda voucher: notation.condition(voucher.offer.lines), takes_away=generosity.asks_otherwise),
        Aspect("floor", lambda voucher: voucher.offer.floor, notation.floor, generosity.keeps_more),
        Aspect("round", lambda voucher: voucher.offer.round, lambda rounding: rounding.value, generosity.rounds_less),
        Aspect("code", lambda voucher: voucher.codes, notation.listed, lambda was, now: bool(set(was) - set(now))),
        Aspect(
            "expires",
            lambda voucher: voucher.expires,
            lambda rule: notation.voucher_expiry(rule, zone),
            _expires_sooner,
        ),
        Aspect("when", lambda voucher: notation.condition(voucher.when), takes_away=generosity.asks_otherwise),
        Aspect(
            "during",
            lambda voucher: voucher.during,
            lambda during: notation.during(during, zone),
            generosity.runs_less,
        ),
        Aspect("limits", lambda voucher: voucher.limits, _limits, _limits_more),
        Aspect("per_order", lambda voucher: voucher.per_order, takes_away=lambda was, now: now < was),
        Aspect("transferable", lambda voucher: voucher.transferable, notation.truth, lambda was, now: was and not now),
        Aspect("on_return", lambda voucher: str(voucher.on_return), takes_away=lambda _was, now: now == "whole"),
        Aspect("restore_grace", lambda voucher: voucher.restore_grace, notation.duration, generosity.shorter),
        Aspect("hold", lambda voucher: voucher.hold, notation.duration, generosity.shorter),
    )


def _expires_sooner(before: VoucherExpiry | None, after: VoucherExpiry | None) -> bool:
    """Whether one issued now would expire sooner; sorts that cannot be compared are taken to."""
    match before, after:
        case (_, None):
            return False
        case (Until(), Until()):
            return after.until < before.until
        case (After(), After()):
            return generosity.expires_sooner(before, after)
        case (WithTime(), WithTime()):
            return generosity.lasts_less(before.within, after.within)
        case _:
            return True


def _limits(limits: tuple[Limit, ...]) -> str:
    return notation.listed(map(notation.limit, limits))


def _limits_more(before: tuple[Limit, ...], after: tuple[Limit, ...]) -> bool:
    former = {_sort_of(limit): limit for limit in before}
    return any(
        _sort_of(limit) not in former or generosity.limits_more(former[_sort_of(limit)], limit) for limit in after
    )


def _sort_of(limit: Limit) -> str:
    match limit:
        case MemberLimit():
            return limit.key
        case Budget():
            return "budget"
        case Cooldown():
            return "cooldown"
