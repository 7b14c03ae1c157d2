"""Taking points back: from the order's own lots first, then pending, available, debt, and a visible write-off."""

from __future__ import annotations

import msgspec

from laurels.core.activity import Purchase
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.expiry import part_of
from laurels.core.facts import (
    LineShare,
    LotReinstated,
    LotsUsed,
    Moved,
    Part,
    TakenBack,
)
from laurels.core.granting import NET, base_amounts
from laurels.core.limit import give_use_back
from laurels.core.member import Earned, Lot
from laurels.core.money import allocate
from laurels.core.program.model import Metric, Track
from laurels.core.reversal.lines import PastOrder, Share
from laurels.core.reversal.target import Target
from laurels.core.tier import count


def taken_of(past: PastOrder, targets: list[Target]) -> dict[int, TakenBack]:
    """What this return takes of each `Earned`: the target less what earlier returns took, never negative."""
    known = {taken.grant: taken for taken in past.taken}
    now: dict[int, TakenBack] = {}
    for n, target in enumerate(targets):
        before = known.get(n) or TakenBack(n, 0, ())
        points = max(target.points - before.points, 0)
        if not points:
            continue
        earlier = {share.line: share.points for share in before.lines}
        due = [max(share.points - earlier.get(share.line, 0), 0) for share in target.lines]
        parts = allocate(points, due) if due and sum(due) else ()
        lines = tuple(
            [LineShare(share.line, part) for share, part in zip(target.lines, parts, strict=True) if part]
            if parts
            else ()
        )
        now[n] = TakenBack(n, points, lines)
    return now


def where_it_is_now(case: Case, past: PastOrder) -> PastOrder:
    """The order with what it earned in the wallets that hold those points today; some may have been renamed since."""
    now = {each.wallet: case.versions.current(each.wallet, case.at) for each in past.earned}
    if all(wallet == current for wallet, current in now.items()):
        return past
    earned = tuple([msgspec.structs.replace(each, wallet=now[each.wallet]) for each in past.earned])
    return msgspec.structs.replace(past, earned=earned)


def take(
    case: Case, compiled: Compiled, past: PastOrder, order_id: str, taken: dict[int, TakenBack]
) -> tuple[dict[str, int], dict[str, int]]:
    """Takes points back wallet by wallet. By wallet: points forgiven since they expired already, points taken that
    were still pending."""
    forgiven: dict[str, int] = {}
    waited: dict[str, int] = {}
    for wallet in sorted({past.earned[n].wallet for n in taken}):
        mine = [n for n in taken if past.earned[n].wallet == wallet]
        points = sum([taken[n].points for n in mine])
        excused = _forgive(case, past, wallet, points)
        if excused:
            forgiven[wallet] = excused
        each = [(past.earned[n], taken[n]) for n in mine]
        waited[wallet] = _take_from(case, compiled, past, order_id, wallet, points - excused, each)
    return forgiven, waited


def _forgive(case: Case, past: PastOrder, wallet: str, points: int) -> int:
    """How many of the points to take are forgiven since they expired; what has not expired is taken first.

    Forgiven points of a lot cannot be reinstated any more.
    """
    earned = sum([each.points for each in past.earned if each.wallet == wallet])
    lots = sorted({each.lot for each in past.earned if each.wallet == wallet})
    left: dict[str, int] = {}
    for lot in lots:
        known = case.draft.expired(lot)
        if known is not None and known.points > known.reinstated:
            left[lot] = known.points - known.reinstated
    before = sum([taken.points for taken in past.taken if past.earned[taken.grant].wallet == wallet])
    takeable = max(earned - sum(left.values()) - before, 0)
    excused = min(max(points - takeable, 0), sum(left.values()))
    rest = excused
    for lot, expired in left.items():
        now = min(rest, expired)
        if now:
            case.emit(LotReinstated(lot, now))
        rest -= now
    return excused


def _take_from(
    case: Case,
    compiled: Compiled,
    past: PastOrder,
    order_id: str,
    wallet_id: str,
    points: int,
    mine: list[tuple[Earned, TakenBack]],
) -> int:
    """Takes points out of lots, then into debt, then writes off, as the wallet's policy says; how many were pending."""
    if points <= 0:
        return 0
    wallet = case.versions.wallet(wallet_id, case.at)
    own = frozenset(each.lot for each in past.earned if each.wallet == wallet_id)
    sources = _sources(case, past, wallet_id, own, points, only_pending=wallet.when_spent == "pending_only")
    left = points - sum([part.points for _account, parts in sources for part in parts])
    spans: list[tuple[str, list[Part]]] = [(account, list(parts)) for account, parts in sources]
    used = tuple([part for _account, parts in sources for part in parts])
    if used:
        case.emit(LotsUsed(wallet_id, used))
    if left and wallet.when_spent == "debt":
        debt = case.draft.balance(wallet_id).debt
        owed = left if wallet.debt_limit is None else min(left, max(wallet.debt_limit - debt, 0))
        if owed:
            spans.append(("debt", [Part("", owed, 0, None)]))
        left -= owed
    if left:
        spans.append(("write_off", [Part("", left, 0, None)]))
    _post_reversals(case, compiled, order_id, wallet_id, points, mine, spans)
    return sum([part.points for account, parts in sources if account == "pending" for part in parts])


def _sources(
    case: Case, past: PastOrder, wallet: str, own: frozenset[str], points: int, *, only_pending: bool
) -> list[tuple[str, tuple[Part, ...]]]:
    """Where points come from: the order's own lots, then other pending lots, then others in order of consumption."""
    balance = case.draft.balance(wallet)
    if not balance.pages:
        return []
    lots = _lots_for(case, past, wallet, own, points)
    ordered = sorted(lots, key=lambda lot: (lot.lot not in own, lot.available_at is None))
    taken: dict[str, list[Part]] = {"pending": [], "available": []}
    for lot in ordered:
        account = "available" if lot.available_at is None else "pending"
        if points == 0 or (only_pending and account == "available" and lot.lot not in own):
            continue
        part = part_of(lot, min(points, lot.points))
        taken[account].append(part)
        points -= part.points
    return [(account, tuple(parts)) for account, parts in taken.items() if parts]


def _lots_for(case: Case, past: PastOrder, wallet: str, own: frozenset[str], points: int) -> list[Lot]:
    """The order's own lots if they suffice where they were put, else all of the wallet's."""
    places = {each.lot: each.expires_at for each in past.earned if each.lot in own}
    found = [case.draft.find(wallet, lot, past.occurred_at, expires_at) for lot, expires_at in places.items()]
    mine = [lot for lot in found if lot is not None]
    return mine if sum([lot.points for lot in mine]) >= points else case.draft.lots(wallet)


def _post_reversals(
    case: Case,
    compiled: Compiled,
    order_id: str,
    wallet: str,
    points: int,
    mine: list[tuple[Earned, TakenBack]],
    spans: list[tuple[str, list[Part]]],
) -> None:
    """One entry per campaign and account that the points come from."""
    weights = allocate(points, [taken.points for _each, taken in mine])
    queue = [(account, part) for account, parts in spans for part in parts]
    for (each, taken), share in zip(mine, weights, strict=True):
        left = share
        pieces: dict[str, list[Part]] = {}
        while left > 0:
            account, part = queue[0]
            now = min(left, part.points)
            pieces.setdefault(account, []).append(msgspec.structs.replace(part, points=now))
            left -= now
            if now == part.points:
                queue.pop(0)
            else:
                queue[0] = (account, msgspec.structs.replace(part, points=part.points - now))
        lines = list(taken.lines)
        for account, parts in pieces.items():
            real = account in ("pending", "available")
            here = allocate(sum([part.points for part in parts]), [line.points for line in lines]) if lines else ()
            shares = [LineShare(line.line, part) for line, part in zip(lines, here, strict=bool(lines)) if part]
            lines = [LineShare(line.line, line.points - part) for line, part in zip(lines, here, strict=bool(lines))]
            case.emit(
                Moved(
                    wallet,
                    "reversal" if account != "write_off" else "write_off",
                    sum([part.points for part in parts]),
                    account,
                    "issuance",
                    case.at,
                    compiled.number,
                    each.campaign,
                    each.tier,
                    order_id,
                    lot=each.lot,
                    lines=tuple(shares),
                    parts=tuple(parts) if real else (),
                    reason="returned" if real else ("spent_before" if account == "debt" else "beyond_policy"),
                )
            )


def give_limits_back(case: Case, past: PastOrder, taken: dict[int, TakenBack]) -> None:
    """Limits and budgets get back what was taken, in the same period; a use in times when nothing of it is left."""
    before = {entry.grant: entry.points for entry in past.taken}
    for n, entry in taken.items():
        each = past.earned[n]
        emptied = before.get(n, 0) + entry.points == each.points
        give_use_back(case, each.limits, each.pools, entry.points, whole=emptied)


def unmeasure(
    case: Case,
    compiled: Compiled,
    past: PastOrder,
    purchase: Purchase,
    shares: dict[str, Share],
    taken: dict[int, TakenBack],
    waited: dict[str, int],
    *,
    whole: bool,
) -> dict[str, tuple[int, ...]]:
    """Lowers every track's measure in the window of the purchase; by how much."""
    measured: dict[str, tuple[int, ...]] = {}
    spent = sum(
        [shares[line.line].of(amount) for line, amount in zip(purchase.lines, base_amounts(purchase, NET), strict=True)]
    )
    points: dict[str, int] = {}
    for n, entry in taken.items():
        wallet = past.earned[n].wallet
        points[wallet] = points.get(wallet, 0) + entry.points
    then = case.versions.numbered(past.version)
    for track in compiled.program.tracks:
        measured_then = None if then is None else then.tracks.get(track.id) or then.tracks.get(track.was or "")
        if track.id not in case.root.tracks or measured_then is None or not _is_same(case, measured_then, track):
            continue  # This version measures something else, which the order never raised.
        before = past.unmeasured.get(track.id, (0,) * len(track.metrics))
        by: list[int] = []
        for n, metric in enumerate(track.metrics):
            if metric.kind == "spent":
                by.append(-spent - before[n])
            elif metric.kind == "count":
                by.append(-int(whole and metric.subject == "purchase"))
            elif metric.kind == "earned":
                uncounted = 0 if metric.include_pending else waited.get(metric.subject, 0)
                by.append(uncounted - points.get(metric.subject, 0))
            else:
                by.append(0)
        if any(by):
            count(case, compiled, track, past.occurred_at, tuple(by))
            measured[track.id] = tuple(by)
    return measured


def _is_same(case: Case, then: Track, now: Track) -> bool:
    """Whether two versions of a track measure the same of an order; a wallet that was renamed is the same.

    Years are none of an order's, so that it makes no difference of which tier they are.
    """
    before = [_of_order(metric, case.versions.current(metric.subject, case.at)) for metric in then.metrics]
    return before == [_of_order(metric, metric.subject) for metric in now.metrics]


def _of_order(metric: Metric, wallet: str) -> Metric:
    if metric.kind == "years":
        return Metric("years")
    return msgspec.structs.replace(metric, subject=wallet) if metric.kind == "earned" else metric
