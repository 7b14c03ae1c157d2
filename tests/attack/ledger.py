"""A member's points as one would keep them on paper: whole numbers, plain lists, and nothing of Laurels.

It knows the three wallets of `PROGRAM` and says what every activity does to them, in the order in which they were
recorded. Time is in microseconds. A member is copied before an activity is tried, so that a refusal leaves no trace.
"""

from __future__ import annotations

from typing import Any, NamedTuple

HOUR = 3_600_000_000
DAY = 24 * HOUR


class Rule(NamedTuple):
    """A wallet: a point for `per` cents; how long points wait and live, how long a hold lasts; what a debt may be."""

    per: int
    waits: int
    lives: int | None
    hold: int
    grace: int
    debt: int
    freezes: bool = False
    only_pending: bool = False


RULES = {
    "gems": Rule(per=500, waits=0, lives=20 * DAY, hold=30 * HOUR, grace=5 * DAY, debt=0),
    "points": Rule(per=100, waits=7 * DAY, lives=60 * DAY, hold=36 * HOUR, grace=0, debt=300, freezes=True),
    "stars": Rule(per=200, waits=3 * DAY, lives=None, hold=24 * HOUR, grace=0, debt=0, only_pending=True),
}

PROGRAM = """
program: NAME
time_zone: UTC
currency: CNY
wallets:
  gems: {expires: {after: 20D}, hold: 30H, restore_grace: 5D}
  points: {pending: 7D, expires: {after: 60D}, hold: 36H, when_spent: {debt: 300, freeze: true}}
  stars: {pending: 3D, expires: never, when_spent: pending_only}
campaigns:
  gems: {on: purchase, grant: {wallet: gems, points: 1, per: "5.00"}}
  points: {on: purchase, grant: {wallet: points, points: 1, per: "1.00"}}
  stars: {on: purchase, grant: {wallet: stars, points: 1, per: "2.00"}}
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
    wallet: str
    status: str
    lots: tuple[Lot, ...]
    ends: int


class Order(NamedTuple):
    """By line what was bought, and what of it came back; by wallet the lot, what lines earned and what was taken."""

    bought: tuple[int, ...]
    back: tuple[int, ...]
    lot: dict[str, tuple[int, str]]
    earned: dict[str, tuple[int, ...]]
    taken: dict[str, int]


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

    def copy(self) -> Member:
        twin = Member.__new__(Member)
        twin.__dict__.update(self.__dict__)
        twin.lots = {wallet: list(lots) for wallet, lots in self.lots.items()}
        twin.debt, twin.holds = dict(self.debt), dict(self.holds)
        twin.orders, twin.expired = dict(self.orders), dict(self.expired)
        return twin

    def after(self, type: str, data: dict[str, Any], at: int, now: int) -> Member:
        """The member after an activity that occurred `at` and is recorded `now`; Refused if there is none."""
        if type != "enrol" and not self.enrolled:
            raise Refused("unknown_member")
        twin = self.copy()
        twin.seq, twin.opened = self.seq + 1, 0
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

    def purchase(self, at: int, order: str, lines: list[int]) -> None:
        if order in self.orders:
            raise Refused("duplicate_order")
        kept = Order(tuple(lines), (0,) * len(lines), {}, {}, dict.fromkeys(RULES, 0))
        for wallet, rule in RULES.items():
            total, points = sum(lines), sum(lines) // rule.per
            shares = [amount * points // total for amount in lines]
            behind = sorted(range(len(lines)), key=lambda n: (-(lines[n] * points % total), n))
            for n in behind[: points - sum(shares)]:
                shares[n] += 1
            if points:
                begins = at + rule.waits
                ends = NEVER if rule.lives is None else begins + rule.lives
                lot = self.open(wallet, points, at, ends, begins if rule.waits and begins > self.now else None)
                kept.lot[wallet], kept.earned[wallet] = lot.id, tuple(shares)
                if lot.active is None:
                    self.repay(wallet, lot, self.now)
        self.orders[order] = kept

    def give_up(self, wallet: str, own: tuple[int, str], points: int) -> None:
        """A return takes points: the order's own first, pending ones first; then a debt; the rest is forgotten."""
        rule = RULES[wallet]
        for lot in sorted(self.lots[wallet], key=lambda lot: (lot.id != own, lot.active is None, lot)):
            if not (rule.only_pending and lot.active is None and lot.id != own):
                now = min(points, lot.points)
                self.put(wallet, lot, -now)
                points -= now
        self.debt[wallet] += min(points, max(rule.debt - self.debt[wallet], 0))

    def returned(self, _at: int, order: str, lines: dict[int, int] | None) -> None:
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
        back = tuple(amount + wanted.get(n, 0) for n, amount in enumerate(was.back))
        taken = dict(was.taken)
        for wallet, earned in was.earned.items():
            each = zip(earned, was.bought, was.back, back, strict=True)
            points = sum(share * new // bought - share * old // bought for share, bought, old, new in each)
            lot = was.lot[wallet]
            expired = self.expired.get(lot, 0)
            takeable = max(sum(earned) - expired - taken[wallet], 0)
            excused = min(max(points - takeable, 0), expired)
            taken[wallet] += points
            if excused:
                self.expired[lot] -= excused
            self.give_up(wallet, lot, points - excused)
        self.orders[order] = was._replace(back=back, taken=taken)

    def redemption(self, _at: int, redemption: str, wallet: str, points: int, hold: bool) -> None:
        if redemption in self.holds:
            raise Refused("duplicate_redemption")
        parts = self.spend(wallet, points)
        status, ends = ("held", self.now + RULES[wallet].hold) if hold else ("captured", NEVER)
        self.holds[redemption] = Hold(wallet, status, parts, ends)

    def held(self, redemption: str) -> Hold:
        if redemption not in self.holds:
            raise Refused("unknown_redemption")
        if self.holds[redemption].status != "held":
            raise Refused("redemption_not_held")
        return self.holds[redemption]

    def redemption_capture(self, _at: int, redemption: str, points: int | None) -> None:
        hold = self.held(redemption)
        left = sum(lot.points for lot in hold.lots) if points is None else points
        if left > sum(lot.points for lot in hold.lots):
            raise Refused("capture_exceeds_hold")
        rest = []
        for lot in hold.lots:
            now = min(left, lot.points)
            left -= now
            rest.append(lot._replace(points=lot.points - now))
        self.holds[redemption] = hold._replace(status="captured")
        self.give_back(hold.wallet, tuple(lot for lot in rest if lot.points), self.now, self.now)

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
