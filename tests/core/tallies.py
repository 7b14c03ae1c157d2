"""What pools and limits must hold, counted anew from what members have: nobody's claims are believed.

An order, an open quote, a voucher, a redemption and a prize each hold what they were counted against as long as they
stand. All that they hold together is what pools and limits must say. Here are the other sums, too: of discounts over
lines, of what an explanation says over what was granted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from laurels.core.activity import Line, Purchase
from laurels.core.activity import Quote as QuoteData
from laurels.core.calendar import Instant
from laurels.core.compiled import Compiled
from laurels.core.facts import (
    Accrued,
    AnyFact,
    Explained,
    Grant,
    LineReturned,
    Offered,
    OrderOpened,
    OrderReturned,
    Priced,
    QuoteReserved,
    TicketsGranted,
    VoucherIssued,
    VoucherRedeemed,
    decode_facts,
)
from laurels.core.folding_vouchers import bare_code
from laurels.core.member import (
    NEVER,
    IssuedVoucher,
    Measures,
    Order,
    Purchased,
    Quote,
    Redemption,
    Tickets,
    Vouchers,
    prize_key,
)
from laurels.core.program.draws_model import stock_pool
from laurels.core.program.model import Budget, MemberLimit
from laurels.core.program.rewards_model import NOTHING
from laurels.core.voucher import code_pool
from tests.core.harness import Answer, Stored, World

Key = tuple[str, Instant]


class Tally:
    """What pools hold, and the limits of each member by limit and period."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pools: Counter[str] = Counter()
        self.limits: dict[str, Counter[Key]] = {}
        for id, stored in world.members.items():
            self._mine: Counter[Key] = self.limits.setdefault(id, Counter())
            for each in stored.recorded:
                facts = decode_facts(each.facts)
                self._recorded(stored, each.seq, each.activity.data, facts)
                for fact in facts:
                    # A code that one member takes is taken for good, also where it goes to another and comes home.
                    if isinstance(fact, VoucherIssued) and fact.reason == "code" and not fact.shared:
                        self._hold({}, fact.pools, 1, 1)
            for key, document in stored.all().documents.items():
                if isinstance(document, Quote) and document.status == "open":
                    self._promised(document.reserved)
                elif isinstance(document, IssuedVoucher):
                    self._voucher(stored, key.partition("/")[2], document)
                elif isinstance(document, Redemption) and document.reward is not None:
                    self._redemption(document)
                elif isinstance(document, Tickets):
                    self._prizes(key.partition("/")[2], document)

    def _hold(self, limits: Mapping[str, Instant], pools: Iterable[str], amount: int, times: int) -> None:
        for key, period in limits.items():
            self._mine[key, period] += times if key.endswith("_times") else amount
        for pool in pools:
            self.pools[pool] += times if pool.endswith("/times") else amount

    def _recorded(self, stored: Stored, seq: int, data: Any, facts: tuple[AnyFact, ...]) -> None:
        if not isinstance(data, Purchase):
            for fact in facts:
                if isinstance(fact, Accrued | TicketsGranted) and not isinstance(data, QuoteData):
                    for grant in fact.grants:
                        self._hold(grant.limits, grant.pools, grant.points, 1)
            return
        recorded, order = stored.read(f"activity/{seq}"), stored.read(f"order/{data.order}")
        assert isinstance(recorded, Purchased)
        assert isinstance(order, Order)
        taken = {each.grant: each.points for each in order.taken}
        for n, earned in enumerate(recorded.earned):
            left = earned.points - taken.get(n, 0)
            self._hold(earned.limits, earned.pools, left, int(left > 0))
        lines = {line.line: line for line in data.lines}
        for offered in () if recorded.priced is None else recorded.priced.offers:
            off = sum(part.amount for part in offered.lines)
            left = sum(
                part.amount - _share(part.amount, lines[part.line], order.returned.get(part.line))
                for part in offered.lines
            )
            assert bool(offered.limits or offered.pools) <= bool(off)
            self._hold(offered.limits, offered.pools, left, int(left > 0))

    def _promised(self, reserved: QuoteReserved) -> None:
        for grants in reserved.grants.values():
            for grant in grants:
                self._hold(grant.limits, grant.pools, grant.points, 1)
        for gift in reserved.gifts:
            self._hold(gift.limits, gift.pools, 1, 1)
        for offered in () if reserved.priced is None else reserved.priced.offers:
            self._hold(offered.limits, offered.pools, offered.given, 1)

    def _voucher(self, stored: Stored, code: str, voucher: IssuedVoucher) -> None:
        order = stored.read(f"order/{voucher.order}") if voucher.status == "redeemed" else None
        is_back = isinstance(order, Order) and order.vouchers.get(code, 0) == voucher.amount > 0
        if voucher.status in ("reserved", "redeemed") and not is_back:
            self._hold(voucher.limits, voucher.pools, 1, 1)
        assert voucher.status != "issued" or not (voucher.limits or voucher.pools)
        if voucher.ended_by != "returned":
            limits, pools = voucher.counted
            of_code = () if voucher.shared else (code_pool(code),)
            self._hold(limits, [pool for pool in pools if pool not in of_code], 1, 1)

    def _redemption(self, redemption: Redemption) -> None:
        assert redemption.reward is not None
        terms = self.world.versions.reward(redemption.reward, redemption.held_at)
        last = redemption.steps[-1].state if redemption.steps else None
        room, stock = redemption.status in ("held", "captured"), redemption.status in ("held", "captured")
        if last in ("failed", "returned"):
            effect = (terms.fulfilment or {}).get(last, NOTHING)
            room, stock = effect.points != "give_back", effect.stock != "give_back"
        for limit, period in redemption.limits.items():
            self._mine[limit, period] += redemption.quantity * room
        for pool, by in redemption.pools.items():
            self.pools[pool] += by * stock

    def _prizes(self, draw: str, tickets: Tickets) -> None:
        for won in tickets.won:
            terms = self.world.versions.judging(self.world.now).draws[draw].prize(won.prize)
            comes_free = won.status == "forfeited" and tickets.entered_at is not None
            if terms is not None and terms.quantity is not None and not comes_free:
                self.pools[stock_pool(draw, won.prize)] += 1

    def _oldest(self) -> Instant:
        """Periods that began before may be forgotten: no activity comes as late as that."""
        compiled = self.world.versions.judging(self.world.now)
        return compiled.zone.add(self.world.now, -compiled.program.late_horizon)

    def check(self) -> None:
        """Pools and limits are what is held of them, and neither below nothing nor above what any version allows."""
        said = {pool: used for pool, used in self.world.pools.items() if used}
        assert said == {pool: used for pool, used in self.pools.items() if used}, "pools are not what is held of them"
        mosts = _mosts(self.world)
        for pool, used in said.items():
            assert used > 0, pool
            assert used <= mosts.get(pool.rpartition("/")[0] if pool.startswith("cause/") else pool, used), pool
        for code, found in self.world.codes.items():
            assert found.uses is None or self.world.pools[code_pool(code)] <= found.uses, code
        oldest = self._oldest()
        for id, held in self.limits.items():
            kept = limits_of(self.world.members[id])
            due = {key: used for key, used in held.items() if used and (key in kept or not 0 < key[1] < oldest)}
            assert kept == due, f"{id}: {sorted(set(kept.items()) ^ set(due.items()))}"
            for (limit, _period), used in kept.items():
                assert 0 < used <= mosts.get(limit, used), limit


def _share(amount: int, line: Line, returned: LineReturned | None) -> int:
    """How much of something on a line is back, by the obvious arithmetic."""
    if returned is None:
        return 0
    if line.amount:
        return amount * returned.amount // line.amount
    return amount * returned.quantity // line.quantity if line.quantity else amount


def _mosts(world: World) -> dict[str, int]:
    """The most that any version allows, by pool and by limit."""
    mosts: dict[str, int] = {}
    for version in world.versions.versions:
        compiled = world.versions.numbered(version.number)
        assert compiled is not None
        for each in _limited(compiled):
            for limit in each.limits:
                if isinstance(limit.limit, Budget | MemberLimit):
                    mosts[limit.key] = max(mosts.get(limit.key, 0), limit.limit.most)
        for reward in compiled.catalogue.rewards.values():
            for of_member, key in reward.limits:
                mosts[key] = max(mosts.get(key, 0), of_member.most)
        for pool, most in compiled.catalogue.bounds.items():
            mosts[pool] = max(mosts.get(pool, 0), most)
        for _cause, pool in compiled.catalogue.causes.values():
            if pool not in compiled.catalogue.bounds:
                mosts[pool] = NEVER
        for draw in compiled.program.draws:
            for prize in draw.prizes:
                if prize.quantity is not None:
                    mosts[stock_pool(draw.id, prize.id)] = prize.quantity
    return mosts


def _limited(compiled: Compiled) -> Iterable[Any]:
    for trigger in compiled.triggers.values():
        yield from trigger.campaigns
    yield from () if compiled.pricelist is None else compiled.pricelist.promotions.values()
    yield from compiled.vouchers.values()


def limits_of(stored: Stored) -> dict[Key, int]:
    """What a member's documents say of limits."""
    member = stored.all()
    kept: dict[Key, int] = {}
    for limit, uses in member.root.limits.items():
        kept.update({(limit, use.period): use.used for use in uses if use.used})
    for key, document in member.documents.items():
        limit = key.partition("/")[2]
        if key.startswith("measures/") and "/" in limit and isinstance(document, Measures):
            kept.update({(limit, day.window): day.values[0] for day in document.days if day.values[0]})
    return kept


# --- vouchers ---------------------------------------------------------------------------------------------------------

STATUSES: Final = frozenset({"issued", "reserved", "redeemed", "expired", "revoked", "transferred"})


def check_vouchers(world: World) -> None:
    """A voucher is in one state and in one hand, and its order has used it once."""
    hands: Counter[str] = Counter()
    for stored in world.members.values():
        member = stored.all()
        known = member.documents.get("vouchers")
        opened = known.open if isinstance(known, Vouchers) else {}
        found: dict[str, IssuedVoucher] = {
            key.partition("/")[2]: each for key, each in member.documents.items() if isinstance(each, IssuedVoucher)
        }
        assert set(opened) == {code for code, each in found.items() if each.status in ("issued", "reserved")}
        used: Counter[str] = Counter()
        kinds: Counter[tuple[str, str]] = Counter()
        for each in stored.recorded:
            for fact in decode_facts(each.facts):
                if isinstance(fact, VoucherRedeemed):
                    used[f"{fact.code} {fact.order}"] += 1
                    kinds[fact.order, fact.voucher] += 1
                    assert sum(line.points for line in fact.lines) == fact.amount
        assert all(times == 1 for times in used.values()), "an order used a voucher twice"
        for (order, kind), times in kinds.items():
            assert times <= 2, f"{order} used {times} of {kind}"
        dues = [each.due_at for each in opened.values() if each.due_at is not None]
        assert member.root.vouchers_at == min(dues, default=None)
        codes = tuple([bare_code(code) for code in found])
        # Under any other code nothing is looked up.
        assert world.versions.of_vouchers(codes, world.codes) == codes
        for code, voucher in found.items():
            assert voucher.status in STATUSES
            assert (voucher.status == "reserved") == (voucher.reserved_until is not None)
            assert (voucher.order is not None) >= (voucher.status == "redeemed")
            assert voucher.quote is None or voucher.status not in ("issued", "redeemed")
            assert voucher.status != "reserved" or None in (voucher.order, voucher.quote)
            if voucher.status in ("issued", "reserved", "redeemed"):
                hands[bare_code(code) if not voucher.shared else f"{stored.id} {code}"] += 1
            if voucher.status == "redeemed":
                assert used[f"{code} {voucher.order}"] == 1
            if voucher.status in ("issued", "reserved") and voucher.expires_at is not None:
                assert voucher.status == "reserved" or voucher.expires_at > member.root.now
    assert all(times == 1 for times in hands.values()), f"in two hands: {hands.most_common(3)}"


def check_orders(world: World) -> None:
    """Returns bring back what was earned and paid, all of it once the order is back; tickets that stand stay."""
    for stored in world.members.values():
        member = stored.all()
        gone = {
            key.partition("/")[2]
            for key, each in member.documents.items()
            if isinstance(each, Order) and _check_order(stored, each)
        }
        for each in member.documents.values():
            if isinstance(each, Tickets) and each.entered_at is None:
                left = [granted for granted in each.granted if granted.order in gone and granted.count]
                assert all(granted.first + granted.count - 1 <= each.played for granted in left), "tickets outlive"
            if isinstance(each, IssuedVoucher) and each.given_for in gone:
                assert each.status not in ("issued", "reserved"), "a voucher outlives the order that it was given for"


def _check_order(stored: Stored, order: Order) -> bool:
    """Whether all of an order is back."""
    recorded = stored.read(f"activity/{order.seq}")
    assert isinstance(recorded, Purchased)
    taken = {each.grant: each.points for each in order.taken}
    lines, back = recorded.purchase.lines, order.returned
    for line in lines:
        if line.line in back:
            assert 0 <= back[line.line].amount <= line.amount
            assert 0 <= back[line.line].quantity <= line.quantity
    whole = bool(back) and all(
        _share(1, line, back.get(line.line)) or not (line.amount or line.quantity) for line in lines
    )
    for n, earned in enumerate(recorded.earned):
        points, stands = taken.get(n, 0), earned.wallet.startswith("draw/")
        assert points <= earned.points
        assert points == earned.points or stands or not whole, f"the order is back and {earned} is not"
    for n, tender in enumerate(recorded.purchase.tenders):
        paid = order.paid_back.get(str(n), 0)
        assert 0 <= paid <= tender.amount
        assert paid == tender.amount or not whole
    for redemption, points in order.restored.items():
        known = stored.read(f"redemption/{redemption}")
        assert isinstance(known, Redemption)
        assert points <= known.restored <= known.spent
    for redeemed in recorded.redeemed:
        amount = order.vouchers.get(redeemed.code, 0)
        assert 0 <= amount <= redeemed.amount, "more of a voucher comes back than it took off"
    return whole


def check_claims(world: World) -> None:
    """Prizes that wait to be claimed are those that the root knows."""
    for stored in world.members.values():
        member = stored.all()
        waiting = {
            prize_key(key.partition("/")[2], won.place)
            for key, each in member.documents.items()
            if isinstance(each, Tickets)
            for won in each.won
            if won.status == "open" and won.until is not None
        }
        assert set(member.root.claims) == waiting
        for each in member.documents.values():
            if isinstance(each, Tickets):
                assert len(each.numbers) == len(set(each.numbers)), "a ticket is there twice"
                assert all(1 <= number <= each.last for number in each.numbers)
                assert each.played <= each.last


# --- sums -------------------------------------------------------------------------------------------------------------


def taken_off(answer: Answer) -> list[Any]:
    """What offers take off, line by line, but for vouchers that give nothing."""
    return [
        (each.promotion, each.code, each.wanted, each.given, each.lines, each.by)
        for priced in answer.of(Priced)
        for each in priced.offers
        if each.voucher is None or each.given or each.code == "gives_points"
    ]


def given_by(answer: Answer) -> Any:
    """What an activity grants: points and tickets with their lines, vouchers by campaign, and why."""
    grants = sorted(
        (wallet_of(fact), each.campaign, each.grant, each.rule or "", each.points, each.lines, each.wanted)
        for fact in answer.facts
        if isinstance(fact, Accrued | TicketsGranted)
        for each in fact.grants
    )
    gifts = [(fact.campaign, fact.voucher) for fact in answer.of(VoucherIssued) if fact.campaign is not None]
    return grants, gifts, [fact.campaigns for fact in answer.of(Explained)]


def wallet_of(fact: Accrued | TicketsGranted) -> str:
    """The wallet that something was granted into; of tickets their draw."""
    return fact.wallet if isinstance(fact, Accrued) else f"draw/{fact.draw}"


def check_sums(world: World, data: Any, facts: tuple[AnyFact, ...]) -> None:
    """What an answer says adds up: offers over lines, explanations over grants."""
    for fact in facts:
        if isinstance(fact, Priced):
            is_quoted = isinstance(data, QuoteData) or fact.held in ("kept", "points_anew")
            _check_priced(world, data.cart if isinstance(data, QuoteData) else data, fact, is_quoted=is_quoted)
        elif isinstance(fact, QuoteReserved):
            if fact.priced is not None:
                _check_priced(world, data.cart, fact.priced, is_quoted=True)
            _check_said(fact.said, [grant for grants in fact.grants.values() for grant in grants])
        elif isinstance(fact, OrderReturned):
            said = [each for other in facts if isinstance(other, Explained) for each in other.campaigns]
            assert sum(each.granted for each in said) == sum(each.points for each in fact.taken)
            assert sum(fact.paid_back.values()) in (0, sum(line.amount for line in fact.lines))
    if isinstance(data, QuoteData) and data.reserve:
        return
    if not any(isinstance(fact, OrderReturned) for fact in facts):
        grants = [grant for fact in facts if isinstance(fact, Accrued | TicketsGranted) for grant in fact.grants]
        _check_said([each for fact in facts if isinstance(fact, Explained) for each in fact.campaigns], grants)


def _check_said(said: Iterable[Any], grants: list[Grant]) -> None:
    granted: Counter[tuple[str, str]] = Counter()
    for grant in grants:
        granted[grant.campaign, grant.rule or ""] += grant.points
        assert grant.points > 0
        assert grant.wanted is None or grant.wanted > grant.points
        assert not grant.lines or sum(share.points for share in grant.lines) == grant.points
    told: Counter[tuple[str, str]] = Counter()
    for each in said:
        assert 0 <= each.granted <= each.wanted, each
        assert each.code != "applied" or each.granted == each.wanted, each
        assert each.code != "trimmed" or 0 < each.granted < each.wanted, each
        assert each.code in ("applied", "trimmed", "gave") or not each.granted, each
        told[each.campaign, each.by if each.by and "." in each.by else ""] += each.granted
    assert +told == +granted, "the explanation says what was granted"


def _check_priced(world: World, purchase: Purchase, priced: Priced, *, is_quoted: bool) -> None:
    left = {part.line: part.amount for part in priced.before}
    before = dict(left)
    lines = {line.line: line for line in purchase.lines}
    for offered in priced.offers:
        assert 0 <= offered.given <= offered.wanted, offered
        assert offered.code != "applied" or 0 < offered.given == offered.wanted, offered
        assert offered.code != "trimmed" or (0 < offered.given < offered.wanted and offered.by), offered
        assert offered.code in ("applied", "trimmed") or not offered.given, offered
        off = sum(part.amount for part in offered.lines)
        assert off == offered.given or (off < offered.given and not is_quoted), "what is off lines is what is given"
        floor = _floor_of(world, priced.version, offered)
        for part in offered.lines:
            assert part.amount > 0
            left[part.line] -= part.amount
            assert left[part.line] >= 0, "a line falls below nothing"
            if is_quoted and floor is not None:
                share, cost = floor.share, lines[part.line].fields.get(floor.cost or "", 0)
                assert left[part.line] * share.denominator >= before[part.line] * share.numerator, "below the floor"
                assert left[part.line] >= cost, "below cost"
    if is_quoted and not priced.quote:
        return
    if priced.held in ("kept", "points_anew") and not priced.deviations:
        assert all(lines[id].amount == amount for id, amount in left.items()), "what is paid is what was quoted"


def _floor_of(world: World, version: int, offered: Offered) -> Any:
    compiled = world.versions.numbered(version)
    assert compiled is not None
    if offered.voucher is not None:
        kind = compiled.vouchers.get(offered.voucher)
        return None if kind is None else kind.floor
    assert compiled.pricelist is not None
    return compiled.pricelist.promotions[offered.promotion].floor


def opened_orders(facts: tuple[AnyFact, ...]) -> list[str]:
    """The orders that facts open."""
    return [fact.order for fact in facts if isinstance(fact, OrderOpened)]
