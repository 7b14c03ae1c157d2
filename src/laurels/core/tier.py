"""Tiers: what a track measures, when a member rises, how long a tier holds, and when it is lost.

A measure counts in the window in which the activity occurred, also when it arrives late. Crossing a threshold raises at
once, from the recording on; the order that crosses it still earned at the old tier. A tier earned or kept in a window
holds until the end of `holds_until` counted from it; whether it is lost is judged once, at `review_at`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from laurels.core.activity import Activity, Free, Purchase
from laurels.core.calendar import Date, Instant, Period
from laurels.core.carrying import carry_over
from laurels.core.case import Case
from laurels.core.compiled import Compiled
from laurels.core.expiry import expiry_of, is_kept, part_of, rule_for
from laurels.core.facts import Accrued, LotExtended, Measured, TierSet, WalletKept
from laurels.core.granting import net_of
from laurels.core.keeping import tell_kept, term_after, term_within
from laurels.core.member import NEVER, Measures, Root, Standing
from laurels.core.money import QUANTITY_ONE
from laurels.core.program.model import Inactive, Metric, Never, Tier, Track

NO_FIELDS: Final[Mapping[str, Any]] = MappingProxyType({})


def window_of(
    compiled: Compiled, track: Track, instant: Instant, enrolled_at: Instant
) -> tuple[Instant, Instant | None]:
    """The window [start, end) that contains an instant. Rolling: the local day. Lifetime: from 0, without end."""
    window = track.window
    if window.kind == "year":
        return compiled.zone.year_from(instant, window.month, window.day)
    if window.kind == "anniversary":
        return compiled.zone.anniversary_window(enrolled_at, instant)
    if window.kind == "rolling":
        start = compiled.zone.period_start(instant, Period.DAY)
        return start, compiled.zone.period_end(instant, Period.DAY)
    return 0, None


def holds_until(compiled: Compiled, track: Track, instant: Instant, enrolled_at: Instant) -> Instant | None:
    """How long a tier holds that was earned or kept at an instant; None for good."""
    window = track.window
    if window.kind != "rolling":
        _start, end = window_of(compiled, track, instant, enrolled_at)
        return _holds_from(compiled, track, end, enrolled_at)
    assert window.length is not None
    until = instant
    for _ in range(max(track.holds_until.windows, 1)):
        until = compiled.zone.add(until, window.length)
    plus = track.holds_until.plus
    return until if plus is None else compiled.zone.add(until, plus)


def _holds_from(compiled: Compiled, track: Track, end: Instant | None, enrolled_at: Instant) -> Instant | None:
    """How long a tier holds that was earned or kept in a window that ends then and does not roll; None for good."""
    for _ in range(track.holds_until.windows):
        if end is not None:
            _start, end = window_of(compiled, track, end, enrolled_at)
    plus = track.holds_until.plus
    return end if plus is None or end is None else compiled.zone.add(end, plus)


def oldest_counted(compiled: Compiled, track: Track, instant: Instant) -> Instant:
    """The first instant that a rolling window seen from `instant` still counts: whole local days."""
    length = track.window.length
    assert length is not None
    back = compiled.zone.add(instant, -length)
    return compiled.zone.period_end(back, Period.DAY)


def _drop_before(compiled: Compiled, track: Track, now: Instant) -> Instant:
    """Days of a rolling window before this one are forgotten.

    Late activities and returns look at the window as it was: the first as far back as `late_horizon`, the others as far
    as a tier that still holds may have been earned.
    """
    oldest = oldest_counted(compiled, track, late_since(compiled, now))
    if track.on_return == "fall_back":
        oldest = min(oldest, oldest_counted(compiled, track, oldest_counted(compiled, track, now)))
    return oldest


def late_since(compiled: Compiled, now: Instant) -> Instant:
    """The earliest instant at which late activities are still judged as of their time."""
    return compiled.zone.add(now, -compiled.program.late_horizon)


def values_of(compiled: Compiled, track: Track, root: Root, days: Measures | None, instant: Instant) -> tuple[int, ...]:
    """What the track measures as of an instant, one value per metric."""
    nothing = (0,) * len(track.metrics)
    if track.window.kind == "rolling":
        if days is None:
            return nothing
        first = oldest_counted(compiled, track, instant)
        values = list(nothing)
        for day in days.days:
            if first <= day.window <= instant:
                for n, value in enumerate(day.values):
                    values[n] += value
        return tuple(values)
    standing = root.tracks.get(track.id)
    if standing is None:
        return nothing
    start, _end = window_of(compiled, track, instant, root.enrolled_at or 0)
    return _values_in(track, standing, start)


def _values_in(track: Track, standing: Standing, window: Instant) -> tuple[int, ...]:
    """What a track that does not roll measured in the window that began then."""
    for measure in standing.measures:
        if measure.window == window and len(measure.values) == len(track.metrics):
            return measure.values
    return (0,) * len(track.metrics)


def meets(track: Track, thresholds: tuple[int, ...], values: tuple[int, ...]) -> bool:
    """Whether values reach thresholds (no thresholds: always), by all or any of the metrics."""
    if not thresholds:
        return True
    if len(thresholds) == 1 == len(values):
        return values[0] >= thresholds[0]
    reached = [value >= threshold for value, threshold in zip(values, thresholds, strict=True)]
    return all(reached) if track.need == "all" else any(reached)


def highest(track: Track, values: tuple[int, ...], *, keeping: bool = False, above: int = 0) -> int:
    """The rank of the highest tier whose entry (or, with `keeping`, keep) thresholds the values reach.

    Only ranks above `above` are looked at; it is the answer if none of them is reached.
    """
    for rank in range(len(track.tiers) - 1, above, -1):
        tier = track.tiers[rank]
        thresholds = keep_of(tier) if keeping else tier.enter
        if len(thresholds) == 1 == len(values):
            if values[0] >= thresholds[0]:
                return rank
        elif meets(track, thresholds, values):
            return rank
    return above


def keep_of(tier: Tier) -> tuple[int, ...]:
    """The thresholds to keep a tier: its own, or those to enter it."""
    return tier.keep or tier.enter


def _days(case: Case, track: Track) -> Measures | None:
    if track.window.kind != "rolling":
        return None
    known = case.draft.get(f"measures/{track.id}")
    return known if isinstance(known, Measures) else None


def place(case: Case, compiled: Compiled, at: Instant) -> None:
    """Sees to it that the member stands on a tier of the version on every track: the first, or a renamed one.

    On a track that the version no longer has, nothing ends any more, but its tiers keep nothing from expiring either.
    """
    if case.placed is compiled:
        return
    case.placed = compiled
    tracks = case.root.tracks
    if len(tracks) == len(compiled.tiers):
        for id, standing_there in tracks.items():
            if standing_there.tier not in compiled.tiers.get(id, ()):
                break
        else:
            return
    # Standings as they were: what ends on a track that is gone goes on on the one that was it.
    for id, standing_there in tracks.items():
        if id in compiled.tracks:
            continue
        if standing_there.review_at is not None:
            case.emit(TierSet(id, standing_there.tier, at, standing_there.until, None, "mapped"))
        if standing_there.review_at is not None or id in case.versions.judging(at - 1).tracks:
            start_clocks(case, compiled, case.tiers_at(at), at)
    for track in compiled.program.tracks:
        standing = case.root.tracks.get(track.id)
        if standing is None and track.was is not None and track.was in case.root.tracks:
            _take_over(case, compiled, track, tracks[track.was], at)
        elif standing is None:
            case.emit(TierSet(track.id, track.tiers[0].id, at, None, None, "enrolled"))
        elif standing.tier not in compiled.tiers[track.id]:
            tier = compiled.heir_of(track, standing.tier)
            until, review_at = (standing.until, standing.review_at) if tier.enter else (None, None)
            before = case.tiers_at(at)
            late, term = late_since(compiled, at), term_within(standing, review_at)
            case.emit(TierSet(track.id, tier.id, at, until, review_at, "mapped", late, term_ends_at=term))
            start_clocks(case, compiled, before, at)


def _take_over(case: Case, compiled: Compiled, track: Track, before: Standing, at: Instant) -> None:
    """A renamed track goes on where it stood, with all that it had measured."""
    tiers = compiled.tiers[track.id]
    tier = tiers.get(before.tier) or compiled.heir_of(track, before.tier)
    review_at = review_at_of(compiled, track, before.until)
    stood = case.tiers_at(at)
    review_at = review_at if tier.enter else None
    term = term_within(before, review_at)
    case.emit(TierSet(track.id, tier.id, at, before.until, review_at, "mapped", term_ends_at=term))
    start_clocks(case, compiled, stood, at)
    days = case.draft.get(f"measures/{track.was}") if track.window.kind == "rolling" else None
    measures = days.days if isinstance(days, Measures) else before.measures
    for measure_of in measures:
        if len(measure_of.values) == len(track.metrics):
            rolling = track.window.kind == "rolling"
            case.emit(Measured(track.id, measure_of.window, measure_of.values, rolling))


def measure(
    case: Case, compiled: Compiled, activity: Activity, earned: tuple[Accrued, ...]
) -> dict[str, tuple[int, ...]]:
    """Counts an activity on every track; by how much, for the order."""
    measured: dict[str, tuple[int, ...]] = {}
    for of_wallet in earned:
        if of_wallet.wallet not in compiled.wallets:
            # A late activity was judged by a version that called it otherwise; a tier may change what it earned.
            carry_over(case, compiled, case.at)
            earned = tuple([replace(each, wallet=case.versions.current(each.wallet, case.at)) for each in earned])
            break
    for track in compiled.program.tracks:
        by = _measures(track, activity, earned)
        if any(by):
            move(case, compiled, track, activity.occurred_at, by)
            measured[track.id] = by
    return measured


def _measures(track: Track, activity: Activity, earned: tuple[Accrued, ...]) -> tuple[int, ...]:
    by: list[int] = []
    for metric in track.metrics:
        value = 0
        if metric.kind == "earned":
            for each in earned:
                if each.wallet == metric.subject and (metric.include_pending or each.available_at is None):
                    value += each.points
        else:
            purchase = activity.data if isinstance(activity.data, Purchase) else None
            fields = activity.data.fields if isinstance(activity.data, Free) else NO_FIELDS
            value = by_activity(metric, activity.type, purchase, fields)
        by.append(value)
    return tuple(by)


def by_activity(metric: Metric, type_: str, purchase: Purchase | None, fields: Mapping[str, Any]) -> int:
    """By how much an activity moves a metric that is not of points; years pass without any."""
    if metric.kind == "spent":
        return 0 if purchase is None else net_of(purchase)
    if type_ != metric.subject or metric.kind == "years":
        return 0
    if metric.kind == "count":
        return 1
    number = fields.get(metric.field)
    if number is None:
        return 0
    return int(number) * QUANTITY_ONE if isinstance(number, int) else int(number.scaleb(6))


def measure_points(case: Case, compiled: Compiled, wallet: str, points: int, instant: Instant, *, waited: bool) -> None:
    """Counts points on the tracks that measure the wallet: `waited` ones only where pending points did not count."""
    for track in compiled.program.tracks:
        if track.id not in compiled.earning_tracks:
            continue
        by = tuple(
            [
                points
                if metric.kind == "earned" and metric.subject == wallet and not (waited and metric.include_pending)
                else 0
                for metric in track.metrics
            ]
        )
        if any(by):
            move(case, compiled, track, instant, by)


def move(case: Case, compiled: Compiled, track: Track, instant: Instant, by: tuple[int, ...]) -> None:
    """Moves a track's measure in the window of an instant and raises or keeps the tier if that is due."""
    window, end = window_of(compiled, track, instant, case.root.enrolled_at or 0)
    _count(case, compiled, track, window, by)
    if track.window.kind == "rolling" or _is_moved(case, compiled, track, instant, window, end):
        consider(case, compiled, track, instant)


def _is_moved(
    case: Case, compiled: Compiled, track: Track, instant: Instant, window: Instant, end: Instant | None
) -> bool:
    """Whether what was measured in a window may give another tier, or more time on it. Mostly it does not."""
    standing = case.root.tracks[track.id]
    if instant < standing.since:
        return True
    rank = compiled.ranks[track.id][standing.tier]
    values = _values_in(track, standing, window)
    nearest = compiled.nearest.get(track.id)
    if highest(track, values, above=rank) > rank if nearest is None else values[0] >= nearest[rank]:
        return True
    if rank == 0 or not meets(track, keep_of(track.tiers[rank]), values):
        return False
    kept_until = _holds_from(compiled, track, end, case.root.enrolled_at or 0)
    return kept_until is not None and (standing.until is None or kept_until > standing.until)


def count(case: Case, compiled: Compiled, track: Track, instant: Instant, by: tuple[int, ...]) -> None:
    """Moves a track's measure in the window of an instant, up or down."""
    window, _end = window_of(compiled, track, instant, case.root.enrolled_at or 0)
    _count(case, compiled, track, window, by)


def _count(case: Case, compiled: Compiled, track: Track, window: Instant, by: tuple[int, ...]) -> None:
    rolling = track.window.kind == "rolling"
    case.emit(Measured(track.id, window, by, rolling, _drop_before(compiled, track, case.at) if rolling else 0))


def consider(case: Case, compiled: Compiled, track: Track, instant: Instant) -> None:
    """Raises the member to the highest tier that a window of an instant earns, or extends the one they keep.

    A tier that was lost is kept after all, from now on, where what arrived late would have kept it in time.
    """
    standing = case.root.tracks[track.id]
    rank = compiled.ranks[track.id][standing.tier]
    days = _days(case, track)
    best, best_until, reason = rank, standing.until, "earned"
    kept_until: Instant | None = None
    if instant < standing.since:
        ends = _late_ends(case, compiled, track, days, instant)
    else:
        ends = [(end, rank) for end in _ends(days, instant)]
    for end, stood in ends:
        values = values_of(compiled, track, case.root, days, end)
        entered = highest(track, values, above=rank)
        earned = max(entered, min(highest(track, values, keeping=True), stood)) if stood > rank else entered
        # What a pass gives is not kept, it is earned.
        thresholds = track.tiers[rank].enter if standing.beneath is not None else keep_of(track.tiers[rank])
        keeps = rank > 0 and meets(track, thresholds, values)
        if earned <= rank and not keeps:
            continue
        until = holds_until(compiled, track, end, case.root.enrolled_at or 0)
        if earned > rank and earned >= best and (until is None or until > case.at):
            best, best_until, reason = earned, until, "earned" if earned == entered else "restored"
        if until is not None and keeps:
            kept_until = until
    if best > rank:
        before = case.tiers_at(case.at)
        review_at = review_at_of(compiled, track, best_until)
        tier, late = track.tiers[best].id, late_since(compiled, case.at)
        case.emit(TierSet(track.id, tier, case.at, best_until, review_at, reason, late))
        start_clocks(case, compiled, before, case.at)
    elif rank > 0 and kept_until is not None and _is_longer(compiled, track, standing, kept_until):
        review_at = review_at_of(compiled, track, kept_until)
        term = term_after(compiled, track, standing)
        case.emit(TierSet(track.id, standing.tier, case.at, kept_until, review_at, "kept", term_ends_at=term))


def _ends(days: Measures | None, instant: Instant) -> list[Instant]:
    """The instants at which windows that contain an instant should be looked at: of rolling ones, there are several.

    What arrives late counts in the windows that end on later days, too.
    """
    return [instant, *[day.window for day in days.days if day.window > instant]] if days is not None else [instant]


def _late_ends(
    case: Case, compiled: Compiled, track: Track, days: Measures | None, instant: Instant
) -> list[tuple[Instant, int]]:
    """The same for what occurred before the present tier, each with the rank of the tier that could be kept there.

    That is the one on which the window (rolling: the day) began.
    """
    ranks, enrolled_at = compiled.ranks[track.id], case.root.enrolled_at or 0
    starts = [(end, window_of(compiled, track, end, enrolled_at)[0]) for end in _ends(days, instant)]
    return [(end, ranks.get(case.tiers_at(start)[track.id], 0)) for end, start in starts]


def _is_longer(compiled: Compiled, track: Track, standing: Standing, until: Instant) -> bool:
    """Whether a tier would hold longer; a rolling window extends it with every activity, of which one a day is said."""
    if standing.until is None or until <= standing.until:
        return False
    return track.window.kind != "rolling" or compiled.zone.ordinal_at(until) > compiled.zone.ordinal_at(standing.until)


def review_at_of(compiled: Compiled, track: Track, until: Instant | None) -> Instant | None:
    """When it is judged whether a member stays on a tier that holds until then; None for never."""
    if until is None or track.fall == "never":
        return None
    return until if track.grace is None else compiled.zone.add(until, track.grace)


def review(case: Case, compiled: Compiled, track: Track, at: Instant) -> None:
    """The tier's time is over: the member stays if the last window earned it, else falls as the track says."""
    standing = case.root.tracks[track.id]
    rank = compiled.ranks[track.id][standing.tier]
    if rank == 0:
        case.emit(TierSet(track.id, standing.tier, at, None, None, "kept"))
        return
    before = case.tiers_at(at)
    found, until = stays_on(case, compiled, track, rank, at)
    reason = "kept" if found == rank else "fell"
    tier, review_at = track.tiers[found].id, review_at_of(compiled, track, until)
    case.emit(TierSet(track.id, tier, at, until, review_at, reason, late_since(compiled, at)))
    if found < rank:
        start_clocks(case, compiled, before, at)
    else:
        tell_kept(case, compiled, track, tier, at)


def stays_on(case: Case, compiled: Compiled, track: Track, rank: int, at: Instant) -> tuple[int, Instant | None]:
    """The rank on which a review at an instant leaves who stands on `rank`, and until when."""
    enrolled_at = case.root.enrolled_at or 0
    instants: tuple[Instant, ...]
    if track.window.kind == "rolling":
        instants = (at,)
    else:
        start, _end = window_of(compiled, track, at, enrolled_at)
        instants = (start - 1, at)
    days = _days(case, track)
    found = 0
    until: Instant | None = None
    for instant in instants:
        values = values_of(compiled, track, case.root, days, instant)
        earned = min(highest(track, values, keeping=True), rank)
        holds = holds_until(compiled, track, instant, enrolled_at)
        if earned >= found and earned > 0 and (holds is None or holds > at):
            found, until = earned, holds
    if track.fall == "one_step" and found < rank - 1:
        found = rank - 1
        until = holds_until(compiled, track, instants[0], enrolled_at)
        if until is not None and until <= at:
            until = holds_until(compiled, track, at, enrolled_at)
    return found, until if found else None


def fall_back(case: Case, compiled: Compiled, track: Track, instant: Instant) -> None:
    """After a return lowered the windows of an instant, the member falls before the tier's time to what is earned yet.

    Where the program lets them stay for its time, that is said instead.
    Only where one of these windows had given the tier its time, and never below what another window, or an earlier
    standing that has not ended, still gives.
    """
    standing = case.root.tracks[track.id]
    ranks = compiled.ranks[track.id]
    rank = ranks[standing.tier]
    if rank == 0 or standing.beneath is not None:
        return  # A pass stays for its time; what is beneath it is judged when it ends.
    enrolled_at = case.root.enrolled_at or 0
    days = _days(case, track)
    windows = [each.window for each in (standing.measures if days is None else days.days)]
    lowered = {_day(compiled, holds_until(compiled, track, end, enrolled_at)) for end in _ends(days, instant)}
    if days is None and _day(compiled, standing.until) not in lowered:
        return
    found: list[tuple[int, Instant | None]] = [(0, None)]
    for window in windows:
        values = values_of(compiled, track, case.root, days, window)
        stood = ranks.get(case.tiers_at(window)[track.id], 0)
        earned = max(highest(track, values), min(highest(track, values, keeping=True), stood))
        found.append((min(earned, rank), holds_until(compiled, track, window, enrolled_at)))
    below = rank
    for past in reversed(standing.past):
        if ranks.get(past.tier, 0) >= below:
            break
        below = ranks.get(past.tier, 0)
        if _day(compiled, past.until) not in lowered:
            found.append((below, past.until))
    best, until = max(
        [each for each in found if each[0] == 0 or each[1] is None or each[1] > case.at],
        key=lambda each: (each[0], NEVER if each[1] is None else each[1]),
    )
    if best == rank and (until is None or (standing.until is not None and until >= standing.until)):
        return
    if track.on_return == "stay":
        stays = (standing.tier, case.at, standing.until, standing.review_at)
        late, term = late_since(compiled, case.at), standing.term_ends_at
        case.emit(TierSet(track.id, *stays, "stayed", late, term_ends_at=term))
        return
    if best == 0:
        until = None
    before = case.tiers_at(case.at)
    tier, review_at = track.tiers[best].id, review_at_of(compiled, track, until)
    late = late_since(compiled, case.at)
    term = term_within(standing, review_at) if best == rank else None
    case.emit(TierSet(track.id, tier, case.at, until, review_at, "fell_back", late, term_ends_at=term))
    if best < rank:
        start_clocks(case, compiled, before, case.at)


def _day(compiled: Compiled, until: Instant | None) -> Date | None:
    """The local date on which a tier ends. Days of a rolling window are known as days, not by the hour."""
    return None if until is None else compiled.zone.ordinal_at(until)


def start_clocks(case: Case, compiled: Compiled, before: dict[str, str], at: Instant) -> None:
    """A member left a tier: points that it kept from expiring get the ordinary expiry from now on.

    What kept them may be an earlier version, which had the tier, or gave it this benefit. And one came to a tier that
    keeps a wallet with sliding expiry from expiring: its clock stands still.
    """
    former = case.versions.expiring_until(at)
    if not former:
        return
    tiers = case.tiers_at(at)
    for wallet in compiled.wallets.values():
        new, _tier = rule_for(compiled, wallet, tiers)
        clock = case.draft.balance(wallet.id).expires_at
        if isinstance(new, Never):
            if clock is not None and isinstance(rule_for(compiled, wallet, before)[0], Inactive):
                case.emit(WalletKept(wallet.id, at, None))
            continue
        if not any(is_kept(each, case.versions.wallet_then(wallet, each, at), before) for each in former):
            continue
        if isinstance(new, Inactive):
            balance = case.draft.balance(wallet.id)
            if clock is None and (balance.available or balance.pending or balance.held):
                case.emit(WalletKept(wallet.id, at, compiled.zone.add(at, new.inactive_for)))
            continue
        expires_at = expiry_of(compiled, new, at)
        for lot in case.draft.lots(wallet.id):
            if lot.tier is not None:
                later = expires_at if lot.available_at is None else expiry_of(compiled, new, lot.available_at)
                case.emit(LotExtended(wallet.id, part_of(lot), later))


class Outlook(msgspec.Struct, frozen=True):
    """A track as a member reads it. Amounts are in the metrics' units, one per metric.

    `next` is the next tier and what is missing to it; `keep` what the present one needs by when; `projected` the tier
    after the present one's time if nothing more happens.
    """

    track: str
    tier: str
    since: Instant
    until: Instant | None
    values: tuple[int, ...]
    next_tier: str | None
    missing: tuple[int, ...]
    keep_needed: tuple[int, ...]
    keep_missing: tuple[int, ...]
    keep_by: Instant | None
    projected: str


def outlook(compiled: Compiled, track: Track, root: Root, days: Measures | None, at: Instant) -> Outlook:
    """Where a member (brought up to `at`) stands on a track and what is ahead."""
    standing = root.tracks.get(track.id) or Standing(track.tiers[0].id, root.enrolled_at or 0)
    rank = compiled.ranks[track.id].get(standing.tier, 0)
    enrolled_at = root.enrolled_at or 0
    values = values_of(compiled, track, root, days, at)
    following = track.tiers[rank + 1] if rank + 1 < len(track.tiers) else None
    missing = tuple([max(t - v, 0) for t, v in zip(following.enter, values, strict=True)]) if following else ()
    keep_needed: tuple[int, ...] = ()
    keep_missing: tuple[int, ...] = ()
    keep_by: Instant | None = None
    projected = rank
    if rank > 0 and standing.until is not None and track.fall != "never":
        keep_needed = keep_of(track.tiers[rank])
        keep_missing = tuple([max(t - v, 0) for t, v in zip(keep_needed, values, strict=True)])
        keep_by = _keep_by(compiled, track, standing, at, enrolled_at)
        projected = _projected(compiled, track, root, days, at)
    return Outlook(
        track.id, standing.tier, standing.since, standing.until, values, following.id if following else None, missing,
        keep_needed, keep_missing, keep_by, track.tiers[projected].id,
    )  # fmt: skip


def _projected(compiled: Compiled, track: Track, root: Root, days: Measures | None, at: Instant) -> int:
    """The rank after the present tier's time if nothing more happens: what the windows earned that reach beyond it."""
    standing = root.tracks[track.id]
    rank = compiled.ranks[track.id][standing.tier]
    assert standing.until is not None
    instants = [at]
    if standing.until <= at and track.window.kind != "rolling":
        # In the days of grace the window that was closed last is the one that counts.
        instants.append(window_of(compiled, track, at, root.enrolled_at or 0)[0] - 1)
    found = 0
    for instant in instants:
        until = holds_until(compiled, track, instant, root.enrolled_at or 0)
        if until is None or until >= standing.until:
            found = max(found, highest(track, values_of(compiled, track, root, days, instant), keeping=True))
    return min(max(found, rank - 1) if track.fall == "one_step" else found, rank)


def _keep_by(compiled: Compiled, track: Track, standing: Standing, at: Instant, enrolled_at: Instant) -> Instant | None:
    """By when the keep threshold must be reached: the end of the window that would extend the tier."""
    if track.window.kind == "rolling":
        return standing.until
    _start, end = window_of(compiled, track, at, enrolled_at)
    return end
