"""Time passes: everything that falls due is carried out, in order of time, and within an instant in one order.

Pending lots activate, holds, quotes and reservations time out, vouchers and lots expire, tiers are reviewed, draws
close, prizes are forfeited. This is the only place where time passes, and judging and reading come through here first,
so that it makes no difference whether a sweep ran before.
"""

from __future__ import annotations

from typing import Final

from laurels.core.activity import Free
from laurels.core.calendar import Instant
from laurels.core.carrying import carry_over
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.expiry import activating_lots, due_lots, expire, expiry_of, part_of, repay, rule_for, wind
from laurels.core.facts import LotActivated, Part, WalletKept, WalletLapsed
from laurels.core.keeping import end_term
from laurels.core.member import Lot, Purchased, purchase_key, upcoming
from laurels.core.prize import forfeit
from laurels.core.program.model import Never, Wallet
from laurels.core.quote import end_quote
from laurels.core.redemption import time_out
from laurels.core.ticket import enter, follow_draws
from laurels.core.tier import measure_points, place, review
from laurels.core.tier_pass import end_pass
from laurels.core.voucher import run_out
from laurels.core.years import count_years, follow_years

AGAIN_MOST: Final = 10_000
"""How often something can become due at an instant by what was carried out at it; far less than ever does."""


def adopt(case: Case, compiled: Compiled, at: Instant) -> None:
    """The member goes over to the version in effect at an instant, with their points and where they stand."""
    carry_over(case, compiled, at)
    if case.root.draws:
        follow_draws(case, compiled)
    if case.placed is not compiled:
        place(case, compiled, at)
    if compiled.years_counted:
        follow_years(case, compiled, at)


def bring_up(case: Case, to: Instant) -> None:
    """Carries out everything due up to and including `to`, each at its own instant; versions take effect on the way."""
    root = case.root
    due = root.due_at
    starts = list(case.versions.starts_between(root.now, to)) if root.enrolled_at is not None else []
    if not starts and (due is None or due > to):
        return
    recorded_at = case.at
    watch = _Watch(case)
    while starts or (due is not None and due <= to):
        if starts and (due is None or starts[0] <= due):
            case.at = starts.pop(0)
            adopt(case, case.versions.judging(case.at), case.at)
        else:
            assert due is not None
            case.at = due
            compiled = case.versions.judging(due)
            # A version may have been published as being in effect since before the member was last looked at.
            adopt(case, compiled, due)
            _carry_out(case, compiled, due)
            watch.carried_out(due)
        left = upcoming(root)[0]
        if left is not None and left < case.at:
            raise AssertionError("time went backwards while carrying out what was due")
        due = left
    case.at = recorded_at


def settle(case: Case, now: Compiled) -> tuple[Instant | None, Instant | None]:
    """Carries out what the activity itself made due: points that arrived so late that they have expired since.

    And what arrived in a wallet that the program no longer has goes where its points are. What is `upcoming` then.
    """
    carry_over(case, now, case.at)
    if now.years_counted:
        follow_years(case, now, case.at)
    ahead = upcoming(case.root)
    if ahead[0] is None or ahead[0] > case.at:
        return ahead
    watch = _Watch(case)
    while ahead[0] is not None and ahead[0] <= case.at:
        _carry_out(case, now, ahead[0])
        watch.carried_out(ahead[0])
        ahead = upcoming(case.root)
    return ahead


class _Watch:
    """Sees to it that carrying out comes to an end.

    A root that says something is due which its documents do not know is not theirs, and neither is one of which
    something stays due however often it was carried out: one would look for ever.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._facts = len(case.facts)
        self._due: Instant | None = None
        self._again = 0

    def carried_out(self, due: Instant) -> None:
        """What was due then has been carried out."""
        facts = len(self._case.facts)
        self._again = self._again + 1 if due == self._due else 0
        if facts == self._facts or self._again > AGAIN_MOST:
            raise AssertionError("what the root says is due is not in the member's documents")
        self._facts, self._due = facts, due


def _carry_out(case: Case, compiled: Compiled, at: Instant) -> None:
    root = case.root
    wallets = sorted(root.wallets)
    for id in wallets:
        if root.wallets[id].pending:
            lots = activating_lots(case, id, at)
            for lot in sorted(lots, key=_available_at) if len(lots) > 1 else lots:
                activate(case, compiled, case.versions.wallet(id, at), lot, at)
    if root.holds:
        for redemption in sorted([id for id, ends_at in root.holds.items() if ends_at is not None and ends_at <= at]):
            time_out(case, compiled, redemption, at)
    if root.vouchers_at is not None and root.vouchers_at <= at:
        run_out(case, at)
    if root.quotes:
        for quote in sorted([id for id, until in root.quotes.items() if until <= at]):
            end_quote(case, quote, at)
    for id in wallets:
        balance = root.wallets[id]
        if balance.pages and (first := balance.pages[0].expires_at) is not None and first <= at:
            expire(case, compiled, id, due_lots(case, id, at), at)
            balance = root.wallets[id]
        if balance.expires_at is not None and balance.expires_at <= at:
            _lapse(case, compiled, case.versions.wallet(id, at), at)
    count_years(case, compiled, at)
    for track in compiled.program.tracks:
        standing = root.tracks.get(track.id)
        if standing is not None and standing.term_ends_at is not None and standing.term_ends_at <= at:
            end_term(case, compiled, track, at)
            standing = root.tracks[track.id]
        if standing is not None and standing.review_at is not None and standing.review_at <= at:
            (review if standing.beneath is None else end_pass)(case, compiled, track, at)
    if compiled.years_counted:
        follow_years(case, compiled, at)
    if root.draws or root.claims:
        for draw in sorted([draw for draw, closes_at in root.draws.items() if closes_at <= at]):
            enter(case, compiled, draw, at)
        for key in sorted([key for key, until in root.claims.items() if until <= at]):
            forfeit(case, key, at)


def _available_at(lot: Lot) -> Instant:
    return lot.available_at or 0


def _lapse(case: Case, compiled: Compiled, wallet: Wallet, at: Instant) -> None:
    """A wallet with sliding expiry was inactive for too long: what is available expires, pending points live on."""
    rule, _tier = rule_for(compiled, wallet, case.tiers_at(at))
    if isinstance(rule, Never):
        case.emit(WalletKept(wallet.id, at, None))
        return
    lots = [lot for lot in case.draft.lots(wallet.id) if lot.available_at is None]
    if lots:
        expire(case, compiled, wallet.id, lots, at)
    case.emit(WalletLapsed(wallet.id, at))


def activate(case: Case, compiled: Compiled, wallet: Wallet, lot: Lot, at: Instant) -> None:
    """A pending lot becomes available: its expiry counts from here, and debt is paid first."""
    expires_at = lot.expires_at
    if lot.available_at != at:
        earning = case.versions.judging(lot.earned_at)
        rule, tier = rule_for(earning, earning.wallets.get(wallet.id, wallet), case.tiers_at(lot.earned_at))
        if tier is not None and isinstance(rule, Never) and lot.tier is None:
            # The tier that kept it from expiring was lost while it waited.
            rule, tier = rule_for(compiled, wallet, case.tiers_at(at))
        expires_at = expiry_of(compiled, rule, at)
    case.emit(LotActivated(wallet.id, part_of(lot), at, expires_at, compiled.number))
    if compiled.earning_tracks:
        measure_points(case, compiled, wallet.id, lot.points, lot.earned_at, waited=True)
    wind(case, compiled, wallet, at)
    if case.root.wallets[wallet.id].debt > 0:
        repay(case, compiled, wallet.id, Part(lot.lot, lot.points, lot.earned_at, expires_at, lot.tier))


def release(case: Case, compiled: Compiled, type_: str, data: Free, at: Instant) -> None:
    """Activates the pending lots that wait for this type of activity: those of `order` if it names one, else all."""
    order_id = data.fields.get("order")
    lots_of: frozenset[str] | None = None
    if isinstance(order_id, str):
        order = case.draft.order(order_id)
        recorded = None if order is None else case.draft.get(purchase_key(order.seq))
        lots_of = frozenset(each.lot for each in recorded.earned) if isinstance(recorded, Purchased) else frozenset()
    for id in sorted(case.root.wallets):
        for lot in case.draft.lots(id) if case.draft.balance(id).pending else ():
            if lot.until == type_ and (lots_of is None or lot.lot in lots_of):
                activate(case, compiled, case.versions.wallet(id, at), lot, at)
