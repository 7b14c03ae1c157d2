"""A member's points as one would keep them on paper: whole numbers, plain lists, and nothing of Laurels.

It knows the three wallets of `PROGRAM`, its ladder of tiers, a weekly limit, and points that pay for orders, and says
what every activity does to them, in the order in which they were recorded. What a budget had left when a purchase came
depends on others: the ledger is told what was granted out of it, and says whether that was short. Time is in
microseconds. A member is copied before an activity is tried, so that a refusal leaves no trace.

It is meant to stay naive: no index, no cache, each rule in as many lines as it takes to say it; some 420 lines in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

HOUR = 3_600_000_000
DAY = 24 * HOUR


class Rule(NamedTuple):
    """A wallet: how long points wait and live, how long a hold lasts; what a debt may be.

    `worth` is what so many points pay, in cents and points; `share` how many per cent of an order.
    """

    waits: int
    lives: int | None
    hold: int
    grace: int
    debt: int
    freezes: bool = False
    only_pending: bool = False
    worth: tuple[int, int] | None = None
    share: int = 100


RULES = {
    "gems": Rule(waits=0, lives=20 * DAY, hold=30 * HOUR, grace=5 * DAY, debt=0, worth=(10, 1)),
    "points": Rule(
        waits=7 * DAY, lives=60 * DAY, hold=36 * HOUR, grace=0, debt=300, freezes=True, worth=(2, 3), share=50
    ),
    "stars": Rule(waits=3 * DAY, lives=None, hold=24 * HOUR, grace=0, debt=0, only_pending=True),
}

# What a point of a campaign costs in cents, and where it goes; what a tier costs, and by how much it multiplies.
CAMPAIGNS = {
    "gems": ("gems", 500), "points": ("points", 100), "stars": ("stars", 200),
    "weekly": ("points", 300), "lucky": ("gems", 1000),
}  # fmt: skip
WEEKLY = 25
TIERS = ("low", "mid", "top")
ENTER = (0, 30_000, 90_000)
MORE: tuple[dict[str, tuple[int, int]], ...] = ({}, {"points": (1, 4)}, {"points": (1, 2), "gems": (1, 1)})

PROGRAM = """
program: NAME
time_zone: UTC
currency: CNY
wallets:
  gems: {expires: {after: 20D}, hold: 30H, restore_grace: 5D, money: {points: 1, worth: "0.10"}}
  points:
    pending: 7D
    expires: {after: 60D}
    hold: 36H
    when_spent: {debt: 300, freeze: true}
    money: {points: 3, worth: "0.02", largest_share: 50%}
  stars: {pending: 3D, expires: never, when_spent: pending_only}
tracks:
  ladder:
    measure: {spent: net}
    window: lifetime
    on_return: fall_back
    tiers:
      - {id: low}
      - {id: mid, enter: "300.00", multiply: {points: 1.25}}
      - {id: top, enter: "900.00", multiply: {points: 1.5, gems: 2}}
campaigns:
  gems: {on: purchase, grant: {wallet: gems, points: 1, per: "5.00"}}
  points: {on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}
  stars: {on: purchase, grant: {wallet: stars, points: 1, per: "2.00"}}
  weekly:
    on: purchase
    grant: {wallet: points, points: 1, per: "3.00"}
    limits: [{per: member, every: week, points: 25, over: trim}]
  lucky:
    on: purchase
    grant: {wallet: gems, points: 1, per: "10.00"}
    limits: [{budget: points, of: BUDGET, over: trim}]
"""


class Refused(Exception):  # noqa: N818 - it is the ledger's "no", with the code that Laurels must say
    """The activity changes nothing."""


class Lot(NamedTuple):
    """Points that came together; `active` is when they stop waiting. Never expiring is a very late expiry."""

    expires: int
    earned: int
    id: tuple[int, str]
    points: int
    active: int | None = None


NEVER = 1 << 62


class Hold(NamedTuple):
    """`lots` are what is held, or once captured what is spent and not given back; `order` is what they paid."""

    wallet: str
    status: str
    lots: tuple[Lot, ...]
    ends: int
    spent: int = 0
    order: str | None = None


class Grant(NamedTuple):
    """What a campaign (or a tier, for one) granted for an order, by line."""

    campaign: str
    wallet: str
    shares: tuple[int, ...]


class Tender(NamedTuple):
    """Cents that paid for an order, and how many of them came back; with points of a redemption, or else money."""

    redemption: str | None
    amount: int
    back: int


class Order(NamedTuple):
    """By line what was bought, what of that is measured, and what came back; by wallet the lot and what was taken."""

    at: int
    bought: tuple[int, ...]
    net: tuple[int, ...]
    back: tuple[int, ...]
    lot: dict[str, tuple[int, str]]
    grants: tuple[Grant, ...]
    taken: dict[str, int]
    paid: tuple[Tender, ...]


def parts(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """A total shared by weights: each its whole part, one more to those with the largest remainder."""
    whole = sum(weights) or 1
    shares = [total * weight // whole for weight in weights]
    behind = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in behind[: total - sum(shares)]:
        shares[n] += 1
    return tuple(shares)


def split(lots: tuple[Lot, ...], points: int) -> tuple[tuple[Lot, ...], tuple[Lot, ...]]:
    """The first so many points of lots, and the rest."""
    first, rest = [], []
    for lot in lots:
        now = min(points, lot.points)
        points -= now
        first.append(lot._replace(points=now))
        rest.append(lot._replace(points=lot.points - now))
    return tuple(lot for lot in first if lot.points), tuple(lot for lot in rest if lot.points)


def week(at: int) -> int:
    """The number of the week, from Monday to Sunday; 1970 began with a Thursday."""
    return (at // DAY + 3) // 7


class Member:
    """Somebody's points. Methods are named after the types of activities and raise `Refused`."""

    def __init__(self) -> None:
        self.enrolled = False
        self.seq = self.now = self.opened = 0
        self.lots: dict[str, list[Lot]] = {wallet: [] for wallet in RULES}
        self.debt = dict.fromkeys(RULES, 0)
        self.holds: dict[str, Hold] = {}
        self.orders: dict[str, Order] = {}
        self.expired: dict[tuple[int, str], int] = {}
        self.spent = self.claimed = 0
        self.short = False
        self.ranks: tuple[tuple[int, int], ...] = ((0, 0),)
        self.weeks: dict[int, int] = {}

    def copy(self) -> Member:
        twin = Member.__new__(Member)
        twin.__dict__.update(self.__dict__)
        twin.lots = {wallet: list(lots) for wallet, lots in self.lots.items()}
        twin.debt, twin.holds = dict(self.debt), dict(self.holds)
        twin.orders, twin.expired, twin.weeks = dict(self.orders), dict(self.expired), dict(self.weeks)
        return twin

    def after(self, type: str, data: dict[str, Any], at: int, now: int) -> Member:
        """The member after an activity that occurred `at` and is recorded `now`; Refused if there is none."""
        if type != "enrol" and not self.enrolled:
            raise Refused("unknown_member")
        twin = self.copy()
        twin.seq, twin.opened, twin.short = self.seq + 1, 0, False
        twin.advance(now)
        getattr(twin, type)(at, **data)
        twin.advance(now)
        return twin

    def advance(self, now: int) -> None:
        """Lets time pass: points become active, holds end, points expire, instant by instant in this order."""
        while True:
            due = [hold.ends for hold in self.holds.values() if hold.status == "held"]
            for lots in self.lots.values():
                due += [lot.expires if lot.active is None else lot.active for lot in lots]
            if not due or (at := min(due)) > now:
                break
            for wallet in RULES:
                for lot in [lot for lot in self.lots[wallet] if lot.active is not None and lot.active <= at]:
                    self.put(wallet, lot, -lot.points)
                    self.put(wallet, lot._replace(active=None), lot.points)
                    self.repay(wallet, lot, at)
            for id in sorted(self.holds):
                hold = self.holds[id]
                if hold.status == "held" and hold.ends <= at:
                    self.holds[id] = hold._replace(status="timed_out")
                    self.give_back(hold.wallet, hold.lots, at, at - 1)
            for wallet, lots in self.lots.items():
                for lot in [lot for lot in lots if lot.active is None and lot.expires <= at]:
                    self.put(wallet, lot, -lot.points)
                    self.expired[lot.id] = self.expired.get(lot.id, 0) + lot.points
        self.now = now

    # --- lots ---------------------------------------------------------------------------------------------------------

    def put(self, wallet: str, lot: Lot, points: int) -> None:
        """So many points more (or less) in a lot; empty lots go."""
        old = next((each for each in self.lots[wallet] if each.id == lot.id), lot._replace(points=0))
        rest = [each for each in self.lots[wallet] if each.id != lot.id]
        new = old._replace(points=old.points + points)
        self.lots[wallet] = sorted([*rest, new] if new.points else rest)

    def open(self, wallet: str, points: int, earned: int, expires: int, active: int | None = None) -> Lot:
        id = f"{self.seq}.{self.opened}"
        self.opened += 1
        lot = Lot(expires, earned, (len(id), id), points, active)
        self.put(wallet, lot, points)
        return lot

    def repay(self, wallet: str, lot: Lot, at: int) -> None:
        paid = min(self.debt[wallet], lot.points) if lot.expires > at else 0
        self.debt[wallet] -= paid
        self.put(wallet, lot, -paid)

    def available(self, wallet: str) -> int:
        return sum(lot.points for lot in self.lots[wallet] if lot.active is None)

    def take(self, wallet: str, points: int) -> tuple[Lot, ...]:
        """Points out of available lots, those first that expire first."""
        parts = []
        for lot in [lot for lot in self.lots[wallet] if lot.active is None]:
            part = lot._replace(points=min(points, lot.points))
            points -= part.points
            self.put(wallet, part, -part.points)
            parts.append(part)
        return tuple(part for part in parts if part.points)

    def give_back(self, wallet: str, parts: tuple[Lot, ...], at: int, until: int) -> None:
        alive = [part for part in parts if part.expires > until]
        for part in alive:
            self.put(wallet, part, part.points)
        for part in parts:
            if part.expires <= until:
                if RULES[wallet].grace:
                    self.repay(wallet, self.open(wallet, part.points, part.earned, at + RULES[wallet].grace), at)
                else:
                    self.expired[part.id] = self.expired.get(part.id, 0) + part.points
        for part in alive:
            self.repay(wallet, part, at)

    def spend(self, wallet: str, points: int) -> tuple[Lot, ...]:
        if RULES[wallet].freezes and self.debt[wallet]:
            raise Refused("frozen_by_debt")
        if points > self.available(wallet):
            raise Refused("insufficient_points")
        return self.take(wallet, points)

    # --- activities ---------------------------------------------------------------------------------------------------

    def enrol(self, _at: int) -> None:
        if self.enrolled:
            raise Refused("already_enrolled")
        self.enrolled = True

    def clock(self, _at: int) -> None:
        pass

    def purchase(
        self, at: int, order: str, lines: list[int], tenders: list[tuple[str | None, int]], lucky: int | None = None
    ) -> None:
        if order in self.orders:
            raise Refused("duplicate_order")
        self.pay(order, tenders, sum(lines))
        points = parts(sum(amount for redemption, amount in tenders if redemption), lines)
        net = tuple(amount - share for amount, share in zip(lines, points, strict=True))
        grants = tuple(grant for grant in self.granted(at, net, lucky) if any(grant.shares))
        lots = {}
        for wallet, rule in RULES.items():
            if earned := sum(sum(grant.shares) for grant in grants if grant.wallet == wallet):
                begins = at + rule.waits
                ends = NEVER if rule.lives is None else begins + rule.lives
                lot = self.open(wallet, earned, at, ends, begins if rule.waits and begins > self.now else None)
                lots[wallet] = lot.id
                if lot.active is None:
                    self.repay(wallet, lot, self.now)
        paid = tuple(Tender(redemption, amount, 0) for redemption, amount in tenders)
        nothing = (0,) * len(lines)
        self.orders[order] = Order(at, tuple(lines), net, nothing, lots, grants, dict.fromkeys(RULES, 0), paid)
        self.measure(sum(net))

    def pay(self, order: str, tenders: list[tuple[str | None, int]], total: int) -> None:
        """Redemptions pay: each once, no more than its points are worth, a wallet no more than its share.

        Of a hold the least points go that cover what it pays, and the rest is the member's again.
        """
        shares = dict.fromkeys(RULES, 0)
        captured: dict[str, Hold] = {}
        for redemption, amount in tenders:
            if redemption is None:
                continue
            hold = self.holds.get(redemption)
            if hold is None:
                raise Refused("unknown_redemption")
            rule, points = RULES[hold.wallet], sum(lot.points for lot in hold.lots)
            if hold.order or hold.status not in ("held", "captured") or rule.worth is None:
                raise Refused("points_tender_mismatch")
            if amount > points * rule.worth[0] // rule.worth[1]:
                raise Refused("points_tender_mismatch")
            shares[hold.wallet] += amount
            if shares[hold.wallet] * 100 > total * rule.share:
                raise Refused("share_exceeded")
            if hold.status == "held":
                points = -(-amount * rule.worth[1] // rule.worth[0])
            captured[redemption] = hold._replace(status="captured", spent=points, order=order)
        for redemption, hold in captured.items():
            stay, rest = split(hold.lots, hold.spent)
            self.holds[redemption] = hold._replace(lots=stay)
            self.give_back(hold.wallet, rest, self.now, self.now)

    def granted(self, at: int, net: tuple[int, ...], lucky: int | None) -> list[Grant]:
        """What campaigns grant, and the tier of then over each; `lucky` is what was granted out of the budget."""
        grants = []
        rank = [rank for since, rank in self.ranks if since <= at or since == 0][-1]
        for campaign, (wallet, per) in CAMPAIGNS.items():
            points = sum(net) // per
            if campaign == "weekly":
                points = min(points, WEEKLY - self.weeks.get(week(at), 0))
                self.weeks[week(at)] = self.weeks.get(week(at), 0) + points
            if campaign == "lucky" and lucky is not None:
                if lucky > points:
                    raise Refused("lucky beyond what it grants")
                self.short = lucky < points
                points = lucky
                self.claimed += points
            shares = parts(points, net)
            more, of = MORE[rank].get(wallet, (0, 1))
            grants += [Grant(campaign, wallet, shares), Grant("tier", wallet, parts(points * more // of, shares))]
        return grants

    def measure(self, by: int) -> None:
        """What was spent decides the tier, from now on."""
        self.spent += by
        rank = max(rank for rank, enter in enumerate(ENTER) if self.spent >= enter)
        if rank != self.ranks[-1][1]:
            self.ranks = (*self.ranks, (self.now, rank))

    def give_up(self, wallet: str, own: tuple[int, str], points: int) -> None:
        """A return takes points: the order's own first, pending ones first; then a debt; the rest is forgotten."""
        rule = RULES[wallet]
        for lot in sorted(self.lots[wallet], key=lambda lot: (lot.id != own, lot.active is None, lot)):
            if not (rule.only_pending and lot.active is None and lot.id != own):
                now = min(points, lot.points)
                self.put(wallet, lot, -now)
                points -= now
        self.debt[wallet] += min(points, max(rule.debt - self.debt[wallet], 0))

    def returned(
        self, _at: int, order: str, lines: dict[int, int] | None, tenders: dict[str | None, int] | None
    ) -> None:
        was = self.orders.get(order)
        if was is None:
            raise Refused("unknown_order")
        left = {n: bought - back for n, (bought, back) in enumerate(zip(was.bought, was.back, strict=True))}
        wanted = {n: amount for n, amount in left.items() if amount} if lines is None else lines
        if not wanted:
            raise Refused("nothing_left_to_return")
        for n, amount in wanted.items():
            if n not in left:
                raise Refused("unknown_line")
            if amount > left[n]:
                raise Refused("return_exceeds_purchase")
        paid = self.pay_back(was.paid, sum(wanted.values()), tenders)
        back = tuple(amount + wanted.get(n, 0) for n, amount in enumerate(was.back))

        def due(shares: tuple[int, ...]) -> int:
            each = zip(shares, was.bought, was.back, back, strict=True)
            return sum(share * new // bought - share * old // bought for share, bought, old, new in each)

        taken = dict(was.taken)
        for wallet, lot in was.lot.items():
            mine = [grant for grant in was.grants if grant.wallet == wallet]
            points, earned = sum(due(grant.shares) for grant in mine), sum(sum(grant.shares) for grant in mine)
            expired = self.expired.get(lot, 0)
            takeable = max(earned - expired - taken[wallet], 0)
            excused = min(max(points - takeable, 0), expired)
            taken[wallet] += points
            if excused:
                self.expired[lot] -= excused
            self.give_up(wallet, lot, points - excused)
        for grant in was.grants:
            if grant.campaign == "weekly":
                self.weeks[week(was.at)] -= due(grant.shares)
            if grant.campaign == "lucky":
                self.claimed -= due(grant.shares)
        self.orders[order] = was._replace(back=back, taken=taken, paid=paid)
        self.measure(-due(was.net))

    def pay_back(self, paid: tuple[Tender, ...], now: int, named: dict[str | None, int] | None) -> tuple[Tender, ...]:
        """So many cents go back to what paid, as it is said or in proportion; points to the lots they came from."""
        if not paid:
            return ()
        left = [tender.amount - tender.back for tender in paid]
        if named is not None:
            shares = [named.get(tender.redemption, 0) for tender in paid]
            if sum(shares) != now or sum(named.values()) != now or any(map(int.__gt__, shares, left)):
                raise Refused("return_exceeds_purchase")
        else:
            whole = parts(sum(tender.back for tender in paid) + now, [tender.amount for tender in paid])
            shares = [min(max(all - tender.back, 0), tender.amount) for all, tender in zip(whole, paid, strict=True)]
            for n in range(len(paid)):
                shares[n] += max(min(left[n] - shares[n], now - sum(shares)), -shares[n])
        for tender, share in zip(paid, shares, strict=True):
            if tender.redemption is not None and share:
                hold = self.holds[tender.redemption]
                stay, back = split(hold.lots, hold.spent - hold.spent * (tender.back + share) // tender.amount)
                self.holds[tender.redemption] = hold._replace(lots=stay)
                self.give_back(hold.wallet, back, self.now, self.now)
        return tuple(tender._replace(back=tender.back + share) for tender, share in zip(paid, shares, strict=True))

    def redemption(self, _at: int, redemption: str, wallet: str, points: int, hold: bool) -> None:
        if redemption in self.holds:
            raise Refused("duplicate_redemption")
        parts = self.spend(wallet, points)
        status, ends = ("held", self.now + RULES[wallet].hold) if hold else ("captured", NEVER)
        self.holds[redemption] = Hold(wallet, status, parts, ends, points)

    def held(self, redemption: str) -> Hold:
        if redemption not in self.holds:
            raise Refused("unknown_redemption")
        if self.holds[redemption].status != "held":
            raise Refused("redemption_not_held")
        return self.holds[redemption]

    def redemption_capture(self, _at: int, redemption: str, points: int | None) -> None:
        known = self.holds.get(redemption)
        if known is not None and known.order and points in (None, known.spent):
            return
        hold = self.held(redemption)
        points = hold.spent if points is None else points
        if points > hold.spent:
            raise Refused("capture_exceeds_hold")
        spent, rest = split(hold.lots, points)
        self.holds[redemption] = hold._replace(status="captured", lots=spent, spent=points)
        self.give_back(hold.wallet, rest, self.now, self.now)

    def redemption_cancel(self, _at: int, redemption: str) -> None:
        hold = self.held(redemption)
        self.holds[redemption] = hold._replace(status="cancelled")
        self.give_back(hold.wallet, hold.lots, self.now, self.now)

    def adjustment(self, _at: int, wallet: str, points: int, expires: int | None) -> None:
        if points < 0:
            if -points > self.available(wallet):
                raise Refused("below_zero")
            self.take(wallet, -points)
            return
        if expires is not None and expires <= self.now:
            raise Refused("expiry_in_past")
        lives = RULES[wallet].lives
        ends = expires or (NEVER if lives is None else self.now + lives)
        self.repay(wallet, self.open(wallet, points, self.now, ends), self.now)

    def transfer(self, _at: int, to: str, wallet: str, points: int, sent: list[Lot]) -> None:
        """Points leave for another member; `sent` is told which lots."""
        sent[:] = self.spend(wallet, points)

    def transfer_in(self, _at: int, wallet: str, sent: list[Lot]) -> None:
        for lot in sent:
            self.repay(wallet, self.open(wallet, lot.points, lot.earned, lot.expires), self.now)

    def transfer_back(self, _at: int, wallet: str, sent: list[Lot]) -> None:
        self.give_back(wallet, tuple(sent), self.now, self.now)
