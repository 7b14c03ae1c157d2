"""How long points live: each lot by the rule of its wallet or of the tier it was earned in, sliding wallets as a whole.

Expiry counts from activation. A tier may keep points from expiring; when it is lost the ordinary clock starts, also for
points that were away meanwhile or arrive late. A wallet with sliding expiry has one instant, which what keeps it alive
moves; the clock starts with the first points that are available, whatever keeps it going later.
"""

from __future__ import annotations

import msgspec

from laurels.core.calendar import Instant
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.facts import (
    LotsExpired,
    LotsUsed,
    Moved,
    Part,
    WalletKept,
)
from laurels.core.member import Lot
from laurels.core.pages import activating
from laurels.core.program.model import After, ExpiryRule, Inactive, Never, OnDates, Wallet


class Terms(msgspec.Struct, frozen=True, gc=False):
    """How a lot of earned points lives: until when it is pending, when it expires, the tier that keeps it."""

    expires_at: Instant | None
    available_at: Instant | None
    until: str | None
    tier: str | None


def rule_for(compiled: Compiled, wallet: Wallet, tiers: dict[str, str]) -> tuple[ExpiryRule, str | None]:
    """The expiry rule for points earned on these tiers, and the tier (`track.tier`) that overrides the wallet's."""
    for track in compiled.expiring_tracks:
        tier = compiled.tiers[track.id].get(tiers.get(track.id, ""))
        if tier is not None:
            rule = tier.expires.get(wallet.id)
            if rule is not None:
                return rule, f"{track.id}.{tier.id}"
    return wallet.expires, None


def is_kept(compiled: Compiled, wallet: Wallet, tiers: dict[str, str]) -> bool:
    """Whether one of these tiers keeps points of the wallet from expiring."""
    rule, tier = rule_for(compiled, wallet, tiers)
    return tier is not None and isinstance(rule, Never)


def expiry_of(compiled: Compiled, rule: ExpiryRule, activated_at: Instant) -> Instant | None:
    """The instant from which a lot activated then cannot be spent; None for never and for sliding expiry."""
    if isinstance(rule, After):
        if rule.round is None:
            return compiled.zone.add(activated_at, rule.after)
        return compiled.zone.period_end_after(activated_at, rule.after, rule.round)
    if isinstance(rule, OnDates):
        return compiled.zone.next_dates(activated_at, rule.dates, rule.at_least)
    return None


def terms_of(case: Case, compiled: Compiled, wallet: Wallet, earned_at: Instant, tiers: dict[str, str]) -> Terms:
    """How a lot earned then lives, pending if the wallet says so and the waiting is not over already.

    What arrives so late that the tier it was earned in is lost meanwhile expires as if it had been there in time.
    """
    available_at: Instant | None = None
    until: str | None = None
    activated_at = earned_at
    if wallet.pending is not None:
        activated_at = compiled.zone.add(earned_at, wallet.pending.wait)
        if activated_at > case.at:
            available_at = activated_at
            until = wallet.pending.until
    rule, tier = rule_for(compiled, wallet, tiers)
    if isinstance(rule, Never) and tier is not None and earned_at < case.at:
        lost = lost_at(case, wallet, earned_at)
        if lost is not None:
            tier, rule, activated_at = None, lost[1], max(lost[0], activated_at)
    expires_at = expiry_of(compiled, rule, activated_at)
    return Terms(expires_at, available_at, until, tier if isinstance(rule, Never) else None)


def repay(case: Case, compiled: Compiled, wallet: str, part: Part) -> None:
    """Points that have become available pay the wallet's debt before anything else."""
    debt = case.draft.balance(wallet).debt
    if debt <= 0 or (part.expires_at is not None and part.expires_at <= case.at):
        return
    paid = msgspec.structs.replace(part, points=min(debt, part.points))
    case.emit(LotsUsed(wallet, (paid,)))
    case.emit(
        Moved(
            wallet,
            "debt",
            paid.points,
            "available",
            "debt",
            case.at,
            compiled.number,
            lot=part.lot,
            parts=(paid,),
            reason="debt_repaid",
        )
    )


def keep(case: Case, compiled: Compiled, what: str, at: Instant, wallets: frozenset[str]) -> None:
    """Something happened that may keep wallets with sliding expiry alive: "earn", "spend" (of `wallets`), or a type."""
    for wallet in compiled.sliding:
        if what in ("earn", "spend") and wallet.id not in wallets:
            continue
        rule, _tier = rule_for(compiled, wallet, case.tiers_at(at))
        held = case.draft.balance(wallet.id)
        if not (held.available or held.pending or held.held):
            continue
        if held.lapsed_at is not None and held.expires_at is None and not (held.available or held.pending):
            continue  # What is held has lapsed.
        if isinstance(rule, Never):
            if held.expires_at is not None and is_kept(compiled, wallet, case.tiers_at(case.at)):
                case.emit(WalletKept(wallet.id, at, None))
        elif isinstance(rule, Inactive) and what in rule.kept_by:
            expires_at = compiled.zone.add(at, rule.inactive_for)
            if held.expires_at is None or expires_at > held.expires_at:
                case.emit(WalletKept(wallet.id, at, expires_at))


def wind(case: Case, compiled: Compiled, wallet: Wallet, at: Instant) -> None:
    """Points became available: where sliding expiry has no clock running, it starts, whatever keeps it going later.

    For what arrives late and was kept by a tier then, it starts when that was lost.
    """
    if not isinstance(wallet.expires, Inactive):
        return
    held = case.draft.balance(wallet.id)
    rule, _tier = rule_for(compiled, wallet, case.tiers_at(at))
    lost = lost_at(case, wallet, at) if isinstance(rule, Never) and at < case.at else None
    if lost is not None:
        at, rule = lost
    if held.available and isinstance(rule, Inactive) and held.expires_at is None:
        case.emit(WalletKept(wallet.id, at, compiled.zone.add(at, rule.inactive_for)))


def lost_at(case: Case, wallet: Wallet, earned_at: Instant) -> tuple[Instant, ExpiryRule] | None:
    """When points earned then in a tier that keeps them from expiring lost it, and the rule they came under.

    None while the member stands on a tier that keeps them.
    """
    changes = {
        change
        for standing in case.root.tracks.values()
        for change in (standing.since, *[past.at for past in standing.past])
        if earned_at < change <= case.at
    }
    for change in sorted(changes):
        then = case.versions.judging(change)
        rule, _tier = rule_for(then, case.versions.wallet_then(wallet, then, case.at), case.tiers_at(change))
        if not isinstance(rule, Never):
            return change, rule
    return None


def part_of(lot: Lot, points: int | None = None) -> Part:
    """A lot, or some points of it, as facts carry it."""
    return Part(lot.lot, lot.points if points is None else points, lot.earned_at, lot.expires_at, lot.tier)


def expire(case: Case, compiled: Compiled, wallet: str, lots: list[Lot], at: Instant) -> None:
    """What is left of these available lots expires.

    Points of one lot expire at different times where part of it was away while the rest got another expiry or lapsed;
    in every other wallet what is known of expired lots need not be looked up.
    """
    balance = case.draft.balance(wallet)
    again = balance.extended or balance.lapsed_at is not None or balance.expires_at is not None
    if again:
        case.draft.look_up(dict.fromkeys([f"expired/{lot.lot}" for lot in lots]))
    case.emit(LotsExpired(wallet, tuple([part_of(lot) for lot in lots]), at, compiled.number, again))


def due_lots(case: Case, wallet: str, at: Instant) -> list[Lot]:
    """The lots of a wallet whose expiry instant has come."""
    heads = []
    for head in case.draft.balance(wallet).pages:
        if head.expires_at is None or head.expires_at > at:
            break  # Pages are in the order of expiry.
        heads.append(head)
    due: list[Lot] = []
    for page in case.draft.pages(wallet, heads) if heads else ():
        for lot in page:
            if lot.expires_at is None or lot.expires_at > at:
                break
            due.append(lot)
    return due


def activating_lots(case: Case, wallet: str, at: Instant) -> list[Lot]:
    """The pending lots of a wallet whose waiting ends at or before an instant."""
    balance = case.draft.balance(wallet)
    heads = []
    for head in balance.pages:
        if head.activates_at is not None and head.activates_at <= at:
            heads.append(head)  # noqa: PERF401  (a comprehension costs a call, and mostly there is nothing)
    if not heads:
        return []
    if len(heads) == 1:
        page = case.draft.page(wallet, heads[0].number)
        last = page[-1]
        # Nearly always the newest lot waits, and no other: all that is pending lies in it.
        if last.points == balance.pending and last.available_at is not None:
            return [last]
        return activating(page, at)
    return [lot for page in case.draft.pages(wallet, heads) for lot in activating(page, at)]
