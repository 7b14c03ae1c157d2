"""`apply` folds facts into state and knows no rules.

A `Draft` is a member being written: it holds the loaded documents, copies one before its first change, and applies one
fact at a time. `decide` writes its facts through a draft, so the state it decides on is by construction the fold of the
facts it has returned so far, and verifying is running the same fold over the stored facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import add
from typing import Any, Final, cast

import msgspec

from laurels.core import facts as f
from laurels.core.apply_draws import DRAW_FOLDS
from laurels.core.apply_tiers import TIER_FOLDS
from laurels.core.calendar import Instant
from laurels.core.folding_vouchers import VOUCHER_FOLDS, OpenVouchers
from laurels.core.member import (
    NEVER,
    ROOT,
    Balance,
    Document,
    Expired,
    History,
    Lot,
    LotKey,
    Measure,
    Measures,
    Member,
    Missing,
    Order,
    Page,
    PageHead,
    Quote,
    Redemption,
    Root,
    Standing,
    Step,
    Tickets,
    Use,
    lot_key,
    page_key,
    tickets_key,
    upcoming,
)
from laurels.core.pages import FULL, drop_front, insert, key_of, place_of, release, rewrite, write_pages

MEASURES_KEPT: Final = 3
BOUGHT_KEPT: Final = 500
"""Categories, and products, that are remembered of what a member bought; the newest of them."""

USES_IN_ROOT: Final = 3
"""Periods of a limit that the root holds at most; when another begins, all but two go to a document of their own."""

# What `copy.copy` comes to in the end, in a third of the time.
_copied: Final[Callable[[Any], Any]] = msgspec.Struct.__copy__  # type: ignore[attr-defined]  # its stubs leave it out


class Draft:
    """A member being written. Reads through `get`, changes through `apply` alone, ends with `member`."""

    __slots__ = ("_balances", "changed", "documents", "id", "root", "vouchers")

    def __init__(self, member: Member) -> None:
        self.id = member.id
        self.documents: dict[str, Document | None] = dict(member.documents)
        self.changed: set[str] = set()
        root: Root = _copied(member.root)
        root.wallets = dict(root.wallets)
        self.root: Root = root
        self._balances: set[str] = set()
        self.vouchers: OpenVouchers | None = None

    # --- reading ---

    def get(self, key: str) -> Document | None:
        """The document, or None where there is none; `Missing` if nobody has looked."""
        try:
            return self.documents[key]
        except KeyError:
            raise Missing(key) from None

    def page(self, wallet: str, number: int) -> Page:
        """A page of lots that a head promises."""
        page = self.documents.get(key := page_key(wallet, number))
        if not isinstance(page, tuple):
            raise Missing(key)
        return page

    def pages(self, wallet: str, heads: Iterable[PageHead]) -> list[Page]:
        """Several pages at once; asks for all that are not loaded in one go."""
        keys = [page_key(wallet, head.number) for head in heads]
        lacking = [key for key in keys if key not in self.documents]
        if lacking:
            raise Missing(*lacking)
        return [cast(Page, self.documents[key]) for key in keys]

    def look_up(self, keys: Iterable[str]) -> None:
        """Asks at once for all of these documents that nobody has looked up."""
        lacking = [key for key in keys if key not in self.documents]
        if lacking:
            raise Missing(*lacking)

    def order(self, order: str) -> Order | None:
        """What is kept of an order."""
        return cast("Order | None", self.get(f"order/{order}"))

    def redemption(self, redemption: str) -> Redemption | None:
        """What is kept of a redemption."""
        return cast("Redemption | None", self.get(f"redemption/{redemption}"))

    def quote(self, quote: str) -> Quote | None:
        """What a reserved quote promised."""
        return cast("Quote | None", self.get(f"quote/{quote}"))

    def expired(self, lot: str) -> Expired | None:
        """What expired of a lot."""
        return cast("Expired | None", self.get(f"expired/{lot}"))

    def tickets(self, draw: str) -> Tickets | None:
        """The member's part in a draw."""
        return cast("Tickets | None", self.get(tickets_key(draw)))

    def balance(self, wallet: str) -> Balance:
        """The wallet's balances, to read; an empty one where nothing was ever earned."""
        return self.root.wallets.get(wallet) or Balance()

    def lots(self, wallet: str) -> list[Lot]:
        """All lots of a wallet in the order of consumption."""
        return [lot for page in self.pages(wallet, self.balance(wallet).pages) for lot in page]

    def find(self, wallet: str, lot: str, earned_at: Instant, expires_at: Instant | None) -> Lot | None:
        """The lot, if it still holds points; found by its key without looking elsewhere."""
        heads = self.balance(wallet).pages
        place = place_of(heads, lot_key(expires_at, earned_at, lot))
        if place < 0:
            return None
        same = (held for held in self.page(wallet, heads[place].number) if held.lot == lot)
        return next((held for held in same if held.expires_at == expires_at), None)

    # --- writing ---

    def put(self, key: str, document: Document | None) -> None:
        """Sets a document (None: removes it). Used by the fold only."""
        self.documents[key] = document
        self.changed.add(key)

    def apply(self, fact: f.AnyFact) -> None:
        """Folds one fact in."""
        FOLDS[type(fact)](self, fact)

    def own_balance(self, wallet: str) -> Balance:
        """The wallet's balances, to write."""
        if wallet in self._balances:
            return self.root.wallets[wallet]
        held = self.root.wallets.get(wallet)
        balance: Balance = Balance() if held is None else _copied(held)
        self.root.wallets[wallet] = balance
        self._balances.add(wallet)
        return balance

    def disown_balance(self, wallet: str) -> None:
        """Forgets a wallet that is gone; it begins anew if something arrives in it."""
        self.root.wallets.pop(wallet, None)
        self._balances.discard(wallet)

    def finish(self, seq: int, now: Instant, ahead: tuple[Instant | None, Instant | None] | None = None) -> Member:
        """The member after the activity numbered `seq`, up to date at `now`; `ahead`: what is `upcoming`, if known."""
        root = self.root
        root.seq = seq
        root.now = now
        root.due_at, root.wake_at = ahead or upcoming(root)
        self.put(ROOT, root)
        return Member(self.id, self.documents)


def apply(member: Member, facts: Iterable[f.AnyFact], seq: int, now: Instant) -> Member:
    """The member after the activity numbered `seq`, recorded at `now`, whose facts these are."""
    draft = Draft(member)
    for fact in facts:
        draft.apply(fact)
    return draft.finish(seq, now)


# --- balances ---------------------------------------------------------------------------------------------------------


def _moved(draft: Draft, fact: f.Moved) -> None:
    balance = draft.own_balance(fact.wallet)
    points = fact.points
    source, target = fact.out_of, fact.into
    if source == "available":
        balance.available -= points
    elif source == "pending":
        balance.pending -= points
    elif source == "held":
        balance.held -= points
    elif source == "debt":
        balance.debt += points
    if target == "available":
        balance.available += points
    elif target == "pending":
        balance.pending += points
    elif target == "held":
        balance.held += points
    elif target == "debt":
        balance.debt -= points
    if target == "issuance":
        balance.earned -= points
    _stop_clock_of_nothing(balance)


def _stop_clock_of_nothing(balance: Balance) -> None:
    """A wallet with sliding expiry that holds nothing any more has nothing to expire."""
    if balance.expires_at is not None and not (balance.available or balance.pending or balance.held):
        balance.expires_at = None


def _accrued(draft: Draft, fact: f.Accrued) -> None:
    balance = draft.own_balance(fact.wallet)
    points = fact.points
    balance.earned += points
    if fact.available_at is None:
        balance.available += points
    else:
        balance.pending += points
    insert(
        draft,
        fact.wallet,
        Lot(fact.lot, points, fact.at, fact.expires_at, fact.available_at, fact.until, fact.tier),
    )


# --- lots -------------------------------------------------------------------------------------------------------------


def _gone(_lot: Lot, _part: f.Part) -> None:
    return None


def _lessened(lot: Lot, part: f.Part) -> Lot | None:
    left = lot.points - part.points
    if left == 0:
        return None
    return Lot(lot.lot, left, lot.earned_at, lot.expires_at, lot.available_at, lot.until, lot.tier)


def _lot_opened(draft: Draft, fact: f.LotOpened) -> None:
    insert(
        draft,
        fact.wallet,
        Lot(fact.lot, fact.points, fact.earned_at, fact.expires_at, tier=fact.tier),
    )


def _lot_activated(draft: Draft, fact: f.LotActivated) -> None:
    part = fact.lot
    balance = draft.own_balance(fact.wallet)
    balance.pending -= part.points
    balance.available += part.points
    active = Lot(part.lot, part.points, part.earned_at, fact.expires_at, None, None, part.tier)
    if part.expires_at == fact.expires_at:
        release(draft, fact.wallet, part, active)
    else:
        rewrite(draft, fact.wallet, (part,), _gone)
        insert(draft, fact.wallet, active)


def _lots_used(draft: Draft, fact: f.LotsUsed) -> None:
    _take_away(draft, fact.wallet, fact.parts)


def _take_away(draft: Draft, wallet: str, parts: tuple[f.Part, ...]) -> None:
    left = drop_front(draft, wallet, parts)
    if left:
        rewrite(draft, wallet, left, _lessened)


def _lots_expired(draft: Draft, fact: f.LotsExpired) -> None:
    seen: set[str] = set()
    for part in fact.parts:
        key = f"expired/{part.lot}"
        known = draft.get(key) if fact.again or part.lot in seen else None
        if isinstance(known, Expired):
            draft.put(key, msgspec.structs.replace(known, points=known.points + part.points, at=fact.at))
        else:
            draft.put(key, Expired(fact.wallet, part.points, fact.at, part.earned_at))
        seen.add(part.lot)
    _take_away(draft, fact.wallet, fact.parts)
    balance = draft.own_balance(fact.wallet)
    balance.available -= sum([part.points for part in fact.parts])
    _stop_clock_of_nothing(balance)


def _lots_restored(draft: Draft, fact: f.LotsRestored) -> None:
    for part in fact.parts:
        held = draft.find(fact.wallet, part.lot, part.earned_at, part.expires_at)
        if held is None:
            insert(draft, fact.wallet, Lot(part.lot, part.points, part.earned_at, part.expires_at, tier=part.tier))
        else:
            rewrite(draft, fact.wallet, (part,), _increased)


def _increased(lot: Lot, part: f.Part) -> Lot:
    return msgspec.structs.replace(lot, points=lot.points + part.points)


def _lot_extended(draft: Draft, fact: f.LotExtended) -> None:
    part = fact.lot
    lot = draft.find(fact.wallet, part.lot, part.earned_at, part.expires_at)
    assert lot is not None
    draft.own_balance(fact.wallet).extended = True
    rewrite(draft, fact.wallet, (part,), _gone)
    there = msgspec.structs.replace(part, points=lot.points, expires_at=fact.expires_at)
    if draft.find(fact.wallet, part.lot, part.earned_at, fact.expires_at) is not None:
        rewrite(draft, fact.wallet, (there,), _increased)
    else:
        insert(draft, fact.wallet, msgspec.structs.replace(lot, expires_at=fact.expires_at, tier=None))


def _lot_reinstated(draft: Draft, fact: f.LotReinstated) -> None:
    expired = draft.expired(fact.lot)
    assert expired is not None
    draft.put(f"expired/{fact.lot}", msgspec.structs.replace(expired, reinstated=expired.reinstated + fact.points))


def _wallet_kept(draft: Draft, fact: f.WalletKept) -> None:
    draft.own_balance(fact.wallet).expires_at = fact.expires_at


def _wallet_lapsed(draft: Draft, fact: f.WalletLapsed) -> None:
    balance = draft.own_balance(fact.wallet)
    balance.expires_at, balance.lapsed_at = None, fact.at


def _wallet_carried(draft: Draft, fact: f.WalletCarried) -> None:
    old = draft.balance(fact.wallet)
    lots: dict[LotKey, Lot] = {}
    for wallet in (fact.into, fact.wallet):
        until = fact.lots_until if wallet == fact.wallet else None
        for each in draft.lots(wallet):
            has_none = until is not None and each.expires_at is None
            lot = msgspec.structs.replace(each, expires_at=until) if has_none else each
            # Part of a lot may have come back to the old wallet after the rest was carried over.
            known = lots.get(key_of(lot))
            lots[key_of(lot)] = lot if known is None else msgspec.structs.replace(lot, points=known.points + lot.points)
    ordered = [lots[key] for key in sorted(lots)]
    write_pages(draft, fact.wallet, 0, len(old.pages), [])
    pages = [tuple(ordered[start : start + FULL]) for start in range(0, len(ordered), FULL)]
    write_pages(draft, fact.into, 0, len(draft.balance(fact.into).pages), pages)
    new = draft.own_balance(fact.into)
    new.pending += old.pending
    new.available += old.available
    new.held += old.held
    new.debt += old.debt
    new.earned += old.earned
    new.lapsed_at = max(old.lapsed_at or 0, new.lapsed_at or 0) or None
    new.extended = new.extended or old.extended or fact.lots_until is not None
    draft.disown_balance(fact.wallet)
    for redemption in fact.redemptions:
        known_of = draft.redemption(redemption)
        if known_of is not None and known_of.wallet == fact.wallet:
            draft.put(f"redemption/{redemption}", msgspec.structs.replace(known_of, wallet=fact.into))


# --- about the member -------------------------------------------------------------------------------------------------


def _enrolled(draft: Draft, fact: f.Enrolled) -> None:
    draft.root.enrolled_at = fact.at
    draft.root.referral_code = fact.referral_code
    draft.root.time_zone = fact.time_zone


def _attributes_set(draft: Draft, fact: f.AttributesSet) -> None:
    attributes = {**draft.root.attributes, **fact.attributes}
    draft.root.attributes = {name: value for name, value in attributes.items() if value is not None}


def _counter_moved(draft: Draft, fact: f.CounterMoved) -> None:
    counters = draft.root.counters
    draft.root.counters = {**counters, fact.counter: counters.get(fact.counter, 0) + fact.by}


def _limit_used(draft: Draft, fact: f.LimitUsed) -> None:
    if fact.apart:
        _put_uses(draft, fact, (Use(fact.period, fact.by),))
        return
    uses = draft.root.limits.get(fact.limit, ())
    for n, use in enumerate(uses):
        if use.period == fact.period:
            grown = (*uses[:n], Use(use.period, use.used + fact.by), *uses[n + 1 :])
            break
    else:
        if len(uses) > 1 and fact.period < uses[0].period:
            _put_uses(draft, fact, (Use(fact.period, fact.by),))
            return
        if fact.by < 0:
            return
        grown = (*uses, Use(fact.period, fact.by))
        if uses and fact.period < uses[-1].period:
            grown = tuple(sorted(grown, key=_period))
        if len(grown) > USES_IN_ROOT:
            _put_uses(draft, fact, grown[:-2])
            grown = grown[-2:]
    draft.root.limits = {**draft.root.limits, fact.limit: grown}


def uses_key(limit: str) -> str:
    """The key of the document that holds what was used of a limit in periods that the root does not hold."""
    return f"measures/{limit}"


def _put_uses(draft: Draft, fact: f.LimitUsed, uses: tuple[Use, ...]) -> None:
    """Adds uses to those of earlier periods, which only late activities and returns ask for."""
    key = uses_key(fact.limit)
    known = draft.get(key)
    earlier = known.days if isinstance(known, Measures) else ()
    if fact.by < 0 and all(use.window != fact.period for use in earlier):
        return
    for use in uses:
        earlier = _add(earlier, use.period, (use.used,), NEVER)
    draft.put(key, Measures(tuple([use for use in earlier if use.window >= fact.drop_before and any(use.values)])))


def _period(use: Use) -> Instant:
    return use.period


def _cooldown_started(draft: Draft, fact: f.CooldownStarted) -> None:
    draft.root.cooldowns = {**draft.root.cooldowns, fact.campaign: fact.until}


def _cooldown_ended(draft: Draft, fact: f.CooldownEnded) -> None:
    draft.root.cooldowns = {key: until for key, until in draft.root.cooldowns.items() if key != fact.campaign}


def _nothing(_draft: Draft, _fact: Any) -> None:
    """Facts that say something to people or to the store and change no document."""


# --- standing ---------------------------------------------------------------------------------------------------------


def _add(measures: tuple[Measure, ...], window: Instant, by: tuple[int, ...], kept: int) -> tuple[Measure, ...]:
    if len(by) == 1 and measures and (last := measures[-1]).window == window and len(last.values) == 1:
        # Nearly always one number grows in the newest window.
        grown = Measure(window, (last.values[0] + by[0],))
        return (grown,) if len(measures) == 1 else (*measures[:-1], grown)
    for n, measure in enumerate(measures):
        if measure.window == window:
            # A version that measures other things begins anew, in the middle of a window, too.
            same = len(measure.values) == len(by)
            values = tuple(map(add, measure.values, by)) if same else by
            return (*measures[:n], Measure(window, values), *measures[n + 1 :])
    longer = (*measures, Measure(window, by))
    if len(longer) > 1 and measures[-1].window > window:
        longer = tuple(sorted(longer, key=_window))
    return longer[-kept:]


def _window(measure: Measure) -> Instant:
    return measure.window


def _measured(draft: Draft, fact: f.Measured) -> None:
    if fact.rolling:
        key = f"measures/{fact.track}"
        known = draft.get(key)
        days = known.days if isinstance(known, Measures) else ()
        days = tuple(day for day in days if day.window >= fact.drop_before)
        draft.put(key, Measures(_add(days, fact.window, fact.by, NEVER)))
        return
    standing = draft.root.tracks[fact.track]
    changed: Standing = _copied(standing)
    changed.measures = _add(standing.measures, fact.window, fact.by, MEASURES_KEPT)
    draft.root.tracks = {**draft.root.tracks, fact.track: changed}


# --- orders and redemptions -------------------------------------------------------------------------------------------


def _order_opened(draft: Draft, fact: f.OrderOpened) -> None:
    draft.put(f"order/{fact.order}", Order(fact.seq))


def _quote_reserved(draft: Draft, fact: f.QuoteReserved) -> None:
    draft.put(f"quote/{fact.quote}", Quote(fact))
    draft.root.quotes = {**draft.root.quotes, fact.quote: fact.until}


def _quote_ended(draft: Draft, fact: f.QuoteEnded) -> None:
    known = draft.quote(fact.quote)
    assert known is not None
    draft.put(f"quote/{fact.quote}", msgspec.structs.replace(known, status=fact.status, order=fact.order))
    draft.root.quotes = {key: value for key, value in draft.root.quotes.items() if key != fact.quote}


def _bought(draft: Draft, fact: f.Bought) -> None:
    known = draft.get("bought")
    before = known if isinstance(known, History) else History()
    categories = (*before.categories, *fact.categories)[-BOUGHT_KEPT:]
    draft.put("bought", History(categories, (*before.products, *fact.products)[-BOUGHT_KEPT:]))


def _sum_shares(a: tuple[f.LineShare, ...], b: tuple[f.LineShare, ...]) -> tuple[f.LineShare, ...]:
    shares = {share.line: share.points for share in a}
    for share in b:
        shares[share.line] = shares.get(share.line, 0) + share.points
    return tuple(f.LineShare(line, points) for line, points in shares.items())


def _order_returned(draft: Draft, fact: f.OrderReturned) -> None:
    order = draft.order(fact.order)
    assert order is not None
    returned = dict(order.returned)
    for line in fact.lines:
        before = returned.get(line.line)
        returned[line.line] = (
            line
            if before is None
            else f.LineReturned(line.line, before.quantity + line.quantity, before.amount + line.amount)
        )
    taken = {entry.grant: entry for entry in order.taken}
    for entry in fact.taken:
        known = taken.get(entry.grant)
        taken[entry.grant] = (
            entry
            if known is None
            else f.TakenBack(entry.grant, known.points + entry.points, _sum_shares(known.lines, entry.lines))
        )
    draft.put(
        f"order/{fact.order}",
        msgspec.structs.replace(
            order,
            returned=returned,
            taken=tuple(taken[n] for n in sorted(taken)),
            restored=_sum(order.restored, fact.restored),
            paid_back=_sum(order.paid_back, fact.paid_back),
            forgiven=_sum(order.forgiven, fact.forgiven),
            unmeasured=_sum_values(order.unmeasured, fact.measured),
            vouchers=_sum(order.vouchers, fact.vouchers),
        ),
    )


def _sum(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}


def _sum_values(a: dict[str, tuple[int, ...]], b: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    summed = dict(a)
    for key, values in b.items():
        known = a.get(key)
        same = known is not None and len(known) == len(values)
        summed[key] = tuple([x + y for x, y in zip(known or (), values, strict=True)]) if same else values
    return summed


def _redemption_held(draft: Draft, fact: f.RedemptionHeld) -> None:
    draft.put(
        f"redemption/{fact.redemption}",
        Redemption(
            fact.wallet,
            fact.points,
            fact.parts,
            fact.at,
            fact.times_out_at,
            reward=fact.reward,
            quantity=fact.quantity,
            cash=fact.cash,
            value=fact.value,
            pools=fact.pools,
            limits=fact.limits,
            steps=() if fact.state is None else (Step(fact.state, fact.at),),
        ),
    )
    draft.root.holds = {**draft.root.holds, fact.redemption: fact.times_out_at}


def _end_hold(draft: Draft, redemption: str, **changes: Any) -> None:
    known = draft.redemption(redemption)
    assert known is not None
    draft.put(f"redemption/{redemption}", msgspec.structs.replace(known, **changes))
    draft.root.holds = {key: value for key, value in draft.root.holds.items() if key != redemption}


def _redemption_captured(draft: Draft, fact: f.RedemptionCaptured) -> None:
    _end_hold(draft, fact.redemption, status="captured", ended_at=fact.at, spent=fact.points)


def _redemption_ended(draft: Draft, fact: f.RedemptionEnded) -> None:
    _end_hold(draft, fact.redemption, status=fact.status, ended_at=fact.at)


def _redemption_paid(draft: Draft, fact: f.RedemptionPaid) -> None:
    known = draft.redemption(fact.redemption)
    assert known is not None
    draft.put(f"redemption/{fact.redemption}", msgspec.structs.replace(known, order=fact.order))


def _redemption_restored(draft: Draft, fact: f.RedemptionRestored) -> None:
    known = draft.redemption(fact.redemption)
    assert known is not None
    draft.put(f"redemption/{fact.redemption}", msgspec.structs.replace(known, restored=known.restored + fact.points))


def _fulfilled(draft: Draft, fact: f.Fulfilled) -> None:
    known = draft.redemption(fact.redemption)
    assert known is not None
    step = Step(fact.state, fact.at, fact.carrier, fact.tracking, fact.reference)
    changed = msgspec.structs.replace(known, steps=(*known.steps, step))
    if fact.waits:
        changed = msgspec.structs.replace(changed, times_out_at=None)
        draft.root.holds = {**draft.root.holds, fact.redemption: None}
    draft.put(f"redemption/{fact.redemption}", changed)


def _automatic_chosen(draft: Draft, fact: f.AutomaticChosen) -> None:
    others = tuple([reward for reward in draft.root.automatic if reward != fact.reward])
    draft.root.automatic = (*others, fact.reward) if fact.chosen else others


FOLDS: Final[dict[type[Any], Callable[[Draft, Any], None]]] = {
    f.Moved: _moved,
    f.Accrued: _accrued,
    f.Enrolled: _enrolled,
    f.AttributesSet: _attributes_set,
    f.CounterMoved: _counter_moved,
    f.LotOpened: _lot_opened,
    f.LotActivated: _lot_activated,
    f.LotsUsed: _lots_used,
    f.LotsExpired: _lots_expired,
    f.LotsRestored: _lots_restored,
    f.LotExtended: _lot_extended,
    f.LotReinstated: _lot_reinstated,
    f.WalletKept: _wallet_kept,
    f.WalletLapsed: _wallet_lapsed,
    f.WalletCarried: _wallet_carried,
    f.LimitUsed: _limit_used,
    f.CooldownStarted: _cooldown_started,
    f.CooldownEnded: _cooldown_ended,
    f.PoolClaimed: _nothing,
    f.Measured: _measured,
    f.Explained: _nothing,
    f.Priced: _nothing,
    f.QuoteReserved: _quote_reserved,
    f.QuoteEnded: _quote_ended,
    f.DiscountsBack: _nothing,
    f.Bought: _bought,
    f.OrderOpened: _order_opened,
    f.OrderReturned: _order_returned,
    f.RedemptionHeld: _redemption_held,
    f.RedemptionCaptured: _redemption_captured,
    f.RedemptionEnded: _redemption_ended,
    f.RedemptionPaid: _redemption_paid,
    f.RedemptionRestored: _redemption_restored,
    **VOUCHER_FOLDS,
    f.Fulfilled: _fulfilled,
    f.AutomaticChosen: _automatic_chosen,
    f.FollowUp: _nothing,
    **DRAW_FOLDS,
    **TIER_FOLDS,
}
"""How each fact is folded in."""
