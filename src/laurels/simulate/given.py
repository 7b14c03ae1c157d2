"""What members got beside points: money off by promotions and vouchers, rewards for points, tickets and prizes.

Read off facts alone, recorded or simulated, so that two outcomes can be laid side by side. Things go by their first
ids, which `called` turns into those of a later version. Money is minor units of the program's currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Final, Literal, TypeVar

import msgspec

from laurels.core.facts import (
    AnyFact,
    DiscountsBack,
    Moved,
    PoolClaimed,
    Priced,
    PrizeEnded,
    PrizeWon,
    RedemptionEnded,
    RedemptionHeld,
    RedemptionRestored,
    TicketPlayed,
    TicketsEntered,
    TicketsGranted,
    TicketsVoided,
    VoucherEnded,
    VoucherGivenBack,
    VoucherIssued,
    VoucherRedeemed,
)
from laurels.core.program.model import Program
from laurels.core.program.renaming import names_between

FACTS: Final = (
    "priced", "discounts_back", "pool_claimed", "redemption_held", "redemption_ended", "redemption_restored",
    "voucher_issued", "voucher_redeemed", "voucher_given_back", "voucher_ended", "tickets_granted", "tickets_voided",
    "tickets_entered", "ticket_played", "prize_won", "prize_ended",
)  # fmt: skip
"""The tags of the facts that count here."""

_MOVED: Final = ("transfer", "refused_by_recipient")


class PromotionFigures(msgspec.Struct):
    """Orders that it gave something on, and the money that it gave them.

    `taken` is what tills took off under its name, as far as it gave that; `returned` is what came back of it.
    """

    times: int = 0
    money: int = 0
    taken: int = 0
    returned: int = 0


class VoucherFigures(msgspec.Struct):
    """A kind of voucher: issued (a shared code: taken), used on orders, given back by returns, expired, revoked.

    `money` is what those that were used gave their orders, `taken` how much of it tills took off, `returned` what came
    back of that with goods.
    """

    issued: int = 0
    used: int = 0
    money: int = 0
    taken: int = 0
    returned: int = 0
    given_back: int = 0
    expired: int = 0
    revoked: int = 0


class RewardFigures(msgspec.Struct):
    """A reward: redemptions, pieces, and what was paid for them, less what was given back. `money` is cash."""

    redemptions: int = 0
    pieces: int = 0
    points: int = 0
    money: int = 0
    given_back: int = 0


class DrawFigures(msgspec.Struct):
    """Tickets of a draw: granted or bought, made void by what came back, entered when it closed, played on a wheel.

    `winners` are members who won anything, `prizes` what they have by now, by prize; what was `forfeited` is not among
    it. `points` are those that prizes gave, by wallet.
    """

    tickets: int = 0
    void: int = 0
    entered: int = 0
    played: int = 0
    winners: int = 0
    prizes: dict[str, int] = {}
    forfeited: int = 0
    points: dict[str, int] = {}


class Given(msgspec.Struct):
    """All of it, by id. `used` is what was taken of every pool: budgets, stock, codes."""

    promotions: dict[str, PromotionFigures] = {}
    vouchers: dict[str, VoucherFigures] = {}
    rewards: dict[str, RewardFigures] = {}
    draws: dict[str, DrawFigures] = {}
    used: dict[str, int] = {}

    def used_of(self, sort: Sort, id: str, unit: str) -> int:
        """What was taken of a budget, or with the unit `stock` of the pieces of a reward."""
        return self.used.get(_pool(sort, id, unit), 0)


Sort = Literal["promotions", "vouchers", "rewards"]
_PREFIXES: Final[Mapping[Sort, str]] = {"promotions": "campaign", "vouchers": "voucher", "rewards": "reward"}


def _pool(sort: Sort, id: str, unit: str) -> str:
    return f"{_PREFIXES[sort]}/{id}/{unit}"


class _Bought(msgspec.Struct, frozen=True):
    reward: str
    quantity: int
    points: int
    cash: int


F = TypeVar("F")


def _of(figures: dict[str, F], id: str, make: Callable[[], F]) -> F:
    found = figures.get(id)
    if found is None:
        found = figures[id] = make()
    return found


class Counting:
    """Counts facts into `given`, and remembers what redemptions, vouchers and prizes were that are spoken of later."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._bought: dict[tuple[str, str], _Bought] = {}
        self._kinds: dict[tuple[str, str], str] = {}
        self._over: set[tuple[str, str]] = set()
        self._won: dict[tuple[str, str], dict[int, str]] = {}
        self._gives: DrawFigures | None = None

    def take(self, member: str, facts: Iterable[AnyFact]) -> None:
        """Counts the facts of one activity."""
        self._gives = None
        for fact in facts:
            count = _COUNTS.get(type(fact))
            if count is not None:
                count(self, member, fact)

    def forget(self, member: str) -> None:
        """Nothing more comes of a member."""
        for known in (self._bought, self._kinds, self._won):
            for key in [key for key in known if key[0] == member]:
                del known[key]
        self._over = {key for key in self._over if key[0] != member}

    def _priced(self, _member: str, fact: Priced) -> None:
        for each in fact.offers:
            if each.given <= 0:
                continue
            if each.voucher is None:
                promotion = _of(self._given.promotions, each.promotion, PromotionFigures)
                promotion.times += 1
                promotion.money += each.given
                promotion.taken += sum([line.amount for line in each.lines])
            elif each.voucher:
                _of(self._given.vouchers, each.voucher, VoucherFigures).money += each.given

    def _returned(self, member: str, fact: DiscountsBack) -> None:
        for code, amount in fact.discounts.items():
            kind = self._kinds.get((member, code))
            if kind is None:
                _of(self._given.promotions, code, PromotionFigures).returned += amount
            else:
                _of(self._given.vouchers, kind, VoucherFigures).returned += amount

    def _claimed(self, _member: str, fact: PoolClaimed) -> None:
        self._given.used[fact.pool] = self._given.used.get(fact.pool, 0) + fact.by

    def _issued(self, member: str, fact: VoucherIssued) -> None:
        self._kinds[member, fact.code] = fact.voucher
        if fact.reason not in _MOVED:
            _of(self._given.vouchers, fact.voucher, VoucherFigures).issued += 1

    def _redeemed(self, member: str, fact: VoucherRedeemed) -> None:
        self._kinds[member, fact.code] = fact.voucher
        # An order and what is said of its prices know a shared code without whose use it is.
        self._kinds[member, fact.code.partition(":")[0]] = fact.voucher
        voucher = _of(self._given.vouchers, fact.voucher, VoucherFigures)
        voucher.used += 1
        voucher.taken += fact.amount

    def _given_back(self, member: str, fact: VoucherGivenBack) -> None:
        kind = self._kinds.get((member, fact.code))
        if kind is not None:
            _of(self._given.vouchers, kind, VoucherFigures).given_back += 1

    def _ended(self, member: str, fact: VoucherEnded) -> None:
        kind = self._kinds.get((member, fact.code))
        if fact.reason == "returned":
            if (member, fact.code) in self._over:
                return  # It ended before, unused; now what it was given for is back.
        elif fact.status != "transferred":
            self._over.add((member, fact.code))
        if kind is not None and fact.status != "transferred":
            voucher = _of(self._given.vouchers, kind, VoucherFigures)
            if fact.status == "expired":
                voucher.expired += 1
            else:
                voucher.revoked += 1

    def _held(self, member: str, fact: RedemptionHeld) -> None:
        if fact.reward is None:
            return
        self._bought[member, fact.redemption] = _Bought(fact.reward, fact.quantity, fact.points, fact.cash)
        reward = _of(self._given.rewards, fact.reward, RewardFigures)
        reward.redemptions += 1
        reward.pieces += fact.quantity
        reward.points += fact.points
        reward.money += fact.cash

    def _undone(self, member: str, fact: RedemptionEnded | RedemptionRestored) -> None:
        bought = self._bought.pop((member, fact.redemption), None)
        if bought is not None:
            reward = _of(self._given.rewards, bought.reward, RewardFigures)
            reward.pieces -= bought.quantity
            reward.points -= bought.points
            reward.money -= bought.cash
            reward.given_back += 1

    def _granted(self, _member: str, fact: TicketsGranted) -> None:
        _of(self._given.draws, fact.draw, DrawFigures).tickets += fact.count

    def _voided(self, _member: str, fact: TicketsVoided) -> None:
        _of(self._given.draws, fact.draw, DrawFigures).void += sum([span.count for span in fact.spans])

    def _entered(self, _member: str, fact: TicketsEntered) -> None:
        _of(self._given.draws, fact.draw, DrawFigures).entered += fact.count

    def _played(self, _member: str, fact: TicketPlayed) -> None:
        _of(self._given.draws, fact.draw, DrawFigures).played += 1

    def _prize_won(self, member: str, fact: PrizeWon) -> None:
        draw = _of(self._given.draws, fact.draw, DrawFigures)
        won = self._won.setdefault((member, fact.draw), {})
        draw.winners += not won
        won[fact.place] = fact.prize
        draw.prizes[fact.prize] = draw.prizes.get(fact.prize, 0) + 1
        self._gives = draw if fact.is_given else None

    def _moved(self, _member: str, fact: Moved) -> None:
        # What a prize gives follows it among the facts.
        if self._gives is not None and fact.reason == "prize":
            self._gives.points[fact.wallet] = self._gives.points.get(fact.wallet, 0) + fact.points
            self._gives = None

    def _prize_ended(self, member: str, fact: PrizeEnded) -> None:
        prize = self._won.get((member, fact.draw), {}).get(fact.place)
        if prize is not None and fact.status == "forfeited":
            draw = _of(self._given.draws, fact.draw, DrawFigures)
            draw.prizes[prize] -= 1
            draw.forfeited += 1


_COUNTS: Final[Mapping[type, Callable[..., None]]] = {
    Priced: Counting._priced,
    DiscountsBack: Counting._returned,
    PoolClaimed: Counting._claimed,
    VoucherIssued: Counting._issued,
    VoucherRedeemed: Counting._redeemed,
    VoucherGivenBack: Counting._given_back,
    VoucherEnded: Counting._ended,
    RedemptionHeld: Counting._held,
    RedemptionEnded: Counting._undone,
    RedemptionRestored: Counting._undone,
    TicketsGranted: Counting._granted,
    TicketsVoided: Counting._voided,
    TicketsEntered: Counting._entered,
    TicketPlayed: Counting._played,
    PrizeWon: Counting._prize_won,
    Moved: Counting._moved,
    PrizeEnded: Counting._prize_ended,
}


# --- under the names of another version -------------------------------------------------------------------------------


def called(given: Given, programs: Iterable[Program], now: Program) -> Given:
    """The same under the ids that things have in `now`, after these versions in their order."""
    names: dict[Sort, Callable[[str], str]] = {}
    chain = [*programs, now]
    between = [names_between(old, new) for old, new in pairwise(chain)]

    def named(sort: Sort) -> Callable[[str], str]:
        def name(id: str) -> str:
            for each in between:
                id = getattr(each, sort).get(id, id)
            return id

        return name

    for sort in _PREFIXES:
        names[sort] = named(sort)
    return Given(
        _joined(given.promotions, names["promotions"]),
        _joined(given.vouchers, names["vouchers"]),
        _joined(given.rewards, names["rewards"]),
        dict(given.draws),
        {_pool_called(pool, names): used for pool, used in given.used.items()},
    )


def _joined(figures: dict[str, F], name: Callable[[str], str]) -> dict[str, F]:
    joined: dict[str, F] = {}
    for id, each in figures.items():
        known = joined.get(name(id))
        if known is None:
            joined[name(id)] = each
        else:
            added = {
                field: getattr(known, field) + getattr(each, field)
                for field in type(each).__struct_fields__  # type: ignore[attr-defined]  # they are structs
            }
            joined[name(id)] = type(each)(**added)
    return joined


def _pool_called(pool: str, names: Mapping[Sort, Callable[[str], str]]) -> str:
    prefix, _, rest = pool.partition("/")
    id, _, unit = rest.partition("/")
    for sort, known in _PREFIXES.items():
        if prefix == known and unit:
            return _pool(sort, names[sort](id), unit)
    return pool
