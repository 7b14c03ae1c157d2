"""What a program says, typed: the values that `decide` reads.

The loader turns a document into these values and `check` has proven them, so nothing here is text that is still to be
parsed: money is minor units, instants and durations are numbers, conditions are checked rules, ids refer to things that
exist. Everything is frozen and compares by value, which is what `plan` relies on. Order is the document's order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from laurels.core.calendar import Duration, Instant, Period
from laurels.core.money import Currency, Rate, Rounding
from laurels.core.program.draws_model import Draw
from laurels.core.program.offers_model import Multiplier, Offer, Points
from laurels.core.program.within_model import Reach, Within
from laurels.core.rule.check import Rule
from laurels.core.rule.environment import Field

if TYPE_CHECKING:
    from laurels.core.program.rewards_model import Cause, Reward
    from laurels.core.program.vouchers_model import Voucher, VoucherGift

Texts = dict[str, str]
"""A name by language tag, such as `{"en": "Points", "zh-CN": "积分"}`."""


class Never(msgspec.Struct, frozen=True, tag="never"):
    """Lots that do not expire."""


class After(msgspec.Struct, frozen=True, tag="after"):
    """Expiry a duration after activation, moved to the end of the period it falls in when `round` is given."""

    after: Duration
    round: Period | None = None


class OnDates(msgspec.Struct, frozen=True, tag="on"):
    """Expiry at the end of the first of these (month, day) dates that leaves at least `at_least`."""

    dates: tuple[tuple[int, int], ...]
    at_least: Duration | None = None


class Inactive(msgspec.Struct, frozen=True, tag="inactive"):
    """All lots of the wallet expire together when nothing in `kept_by` happened for a duration.

    `kept_by` holds "earn", "spend" and activity types.
    """

    inactive_for: Duration
    kept_by: frozenset[str] = frozenset(("earn", "spend"))


ExpiryRule = Never | After | OnDates | Inactive


class Pending(msgspec.Struct, frozen=True):
    """Points wait for `wait`, or until an activity of type `until` releases them, `wait` being the longest."""

    wait: Duration
    until: str | None = None


class PointsAsMoney(msgspec.Struct, frozen=True):
    """`points` points pay `worth` minor units at the till, from `minimum` points on, in steps of `multiple`.

    `largest_share` is the part of an order's total that points may pay; None is all of it.
    """

    points: int
    worth: int
    minimum: int = 0
    multiple: int = 1
    largest_share: Rate | None = None


class Wallet(msgspec.Struct, frozen=True):
    """A kind of unit that members hold, with its life cycle.

    `when_spent` is the policy when returned points are already spent. `debt_limit` is the most debt a return may
    leave under the policy "debt" (None: unlimited) and `freeze` forbids redemptions while there is debt.
    """

    id: str
    name: Texts
    spendable: bool = True
    pending: Pending | None = None
    expires: ExpiryRule = Never()
    when_spent: Literal["pending_only", "within_balance", "debt"] = "within_balance"
    debt_limit: int | None = 0
    freeze: bool = False
    restore_grace: Duration | None = None
    hold: Duration = Duration(days=1)
    money: PointsAsMoney | None = None
    was: str | None = None


class Metric(msgspec.Struct, frozen=True):
    """One number that a track measures.

    kind "earned": points of `subject` (a wallet) earned, net of what returns took back; pending points count only with
    `include_pending`. kind "spent": net money of purchases, minor units. kind "count": activities of type `subject`.
    kind "sum": field `field` of activities of type `subject`, in millionths. kind "years": years that ended on tier
    `field` of track `subject`, or above it.
    """

    kind: Literal["earned", "spent", "count", "sum", "years"]
    subject: str = ""
    field: str = ""
    include_pending: bool = False


class Window(msgspec.Struct, frozen=True):
    """The stretch of time over which a track measures.

    kind "year": years that begin on (`month`, `day`). "rolling": the last `length`. "anniversary": member years from
    enrolment. "lifetime": everything.
    """

    kind: Literal["year", "rolling", "anniversary", "lifetime"]
    month: int = 1
    day: int = 1
    length: Duration | None = None


class HoldsUntil(msgspec.Struct, frozen=True):
    """A tier holds until the end of the `windows`-th window after the one it was earned in, and `plus` longer."""

    windows: int = 1
    plus: Duration | None = None


class Tier(msgspec.Struct, frozen=True):
    """A rung of a track. `enter` and `keep` hold a threshold per metric, in the metric's unit; the first tier has none.

    `multiply` maps a wallet to a multiplier on what rate campaigns grant into it, `expires` to another expiry.
    `benefits` is what else its members are entitled to, by id, those of the tiers below it included.
    """

    id: str
    name: Texts
    enter: tuple[int, ...] = ()
    keep: tuple[int, ...] = ()
    multiply: dict[str, Rate] = {}
    expires: dict[str, ExpiryRule] = {}
    was: str | None = None
    benefits: dict[str, Texts] = {}


class Track(msgspec.Struct, frozen=True):
    """A ladder of tiers, lowest first, with what it measures and how standing is kept and lost."""

    id: str
    name: Texts
    metrics: tuple[Metric, ...]
    window: Window
    tiers: tuple[Tier, ...]
    need: Literal["all", "any"] = "all"
    holds_until: HoldsUntil = HoldsUntil()
    fall: Literal["to_earned", "one_step", "never"] = "to_earned"
    grace: Duration | None = None
    on_return: Literal["stay", "fall_back"] = "stay"
    was: str | None = None


class ByTier(msgspec.Struct, frozen=True):
    """A rate, or another one for those who stand on a tier of `track`.

    A member on a tier not in `tiers` gets `default`; None there means nothing.
    """

    default: Rate | None
    track: str = ""
    tiers: dict[str, Rate] = {}


class Base(msgspec.Struct, frozen=True):
    """Which money of an order counts.

    `of`: "gross" before discounts, "net" as paid, "net_of_tax" as paid without tax. `but` leaves parts out:
    "shipping", "fee", "gift_card" (line kinds), "paid_with_points", "paid_with_gift_card", "paid_with_voucher"
    (tenders, in proportion).
    """

    of: Literal["gross", "net", "net_of_tax"] = "net"
    but: frozenset[str] = frozenset(
        ("shipping", "fee", "gift_card", "paid_with_points", "paid_with_gift_card", "paid_with_voucher")
    )


class Segment(msgspec.Struct, frozen=True):
    """Members for whom a condition holds, whenever it is asked; nobody is put into it and nothing is stored of it."""

    id: str
    name: Texts
    when: Rule


class PerAmount(msgspec.Struct, frozen=True, tag="per_amount"):
    """`points` for every `per` minor units of the base, rounded once per order."""

    wallet: str
    points: ByTier
    per: int
    base: Base = Base()
    round: Rounding = Rounding.DOWN


class Fixed(msgspec.Struct, frozen=True, tag="fixed"):
    """A number of points for the activity as a whole; fractions are not possible."""

    wallet: str
    points: ByTier


class PerQuantity(msgspec.Struct, frozen=True, tag="per_quantity"):
    """`points` for each unit bought on the selected lines, but for pieces that offers gave for nothing."""

    wallet: str
    points: ByTier
    round: Rounding = Rounding.DOWN


class PerField(msgspec.Struct, frozen=True, tag="per_field"):
    """`points` for every `per` (millionths) of a declared int or decimal field of the activity."""

    wallet: str
    field: str
    points: ByTier
    per: int = 1_000_000
    round: Rounding = Rounding.DOWN


class Multiply(msgspec.Struct, frozen=True, tag="multiply"):
    """A further (`by` - 1) x what `campaign` granted into the wallet on the selected lines."""

    wallet: str
    campaign: str
    by: ByTier
    round: Rounding = Rounding.DOWN


class Bracket(msgspec.Struct, frozen=True):
    """From `start` minor units of the base on: `points` per unit of money, or `fixed` points."""

    start: int
    points: Rate | None = None
    fixed: int | None = None


class Brackets(msgspec.Struct, frozen=True, tag="brackets"):
    """Points by how large the base is.

    Brackets with `points` are marginal: each rate applies per `per` minor units to the part of the base inside its
    bracket. Brackets with `fixed` grant the number of the highest bracket reached. A grant has one sort only.
    """

    wallet: str
    brackets: tuple[Bracket, ...]
    per: int = 1
    base: Base = Base()
    round: Rounding = Rounding.DOWN


Grant = PerAmount | Fixed | PerQuantity | PerField | Multiply | Brackets

Over = Literal["trim", "refuse"]


class MemberLimit(msgspec.Struct, frozen=True, tag="member"):
    """The most a member gets from the campaign per period, in `points`, in `times`, or of a promotion in `money`.

    `every` is a period, "lifetime", or "campaign" (the time in which the campaign runs, which is one period).
    """

    every: Period | Literal["lifetime", "campaign"]
    unit: Literal["points", "times", "money"]
    most: int
    over: Over = "trim"

    @property
    def key(self) -> str:
        """The limit's name within its campaign, as counters and explanations carry it."""
        every = self.every if isinstance(self.every, str) else self.every.value
        return f"{every}_{self.unit}"


class Budget(msgspec.Struct, frozen=True, tag="budget"):
    """The most all members together get from the campaign, in `points`, `times`, or a promotion's `money`: a pool."""

    unit: Literal["points", "times", "money"]
    most: int
    over: Over = "trim"


class Cooldown(msgspec.Struct, frozen=True, tag="cooldown"):
    """After the campaign granted something, the member gets nothing more from it for a duration."""

    wait: Duration


Limit = MemberLimit | Budget | Cooldown


class Slot(msgspec.Struct, frozen=True):
    """Hours of some weekdays: `days` holds "mon" to "sun", `start` <= second of the day < `end`."""

    days: frozenset[str]
    start: int = 0
    end: int = 86_400


class During(msgspec.Struct, frozen=True):
    """When a campaign runs: `start` <= instant < `end`, and within a weekly slot if there are any."""

    start: Instant | None = None
    end: Instant | None = None
    weekly: tuple[Slot, ...] = ()


class Campaign(msgspec.Struct, frozen=True):
    """A rule that grants points, and gives `gifts` besides, when an activity of type `on` comes in.

    `order_condition` is true when `when` reads anything of the purchase as a whole, so that a return judges it again.
    Higher `priority` comes first where a group has to choose. `within` is a time of the member's own, `reaches` the
    tier to which the activity must raise them, and `keeps` the one of which it must say that they keep it.
    """

    id: str
    name: Texts
    on: str
    grants: tuple[Grant, ...]
    during: During = During()
    when: Rule | None = None
    lines: Rule | None = None
    limits: tuple[Limit, ...] = ()
    priority: int = 0
    was: str | None = None
    within: Within | None = None
    reaches: Reach | None = None
    keeps: Reach | None = None
    gifts: tuple[VoucherGift, ...] = ()

    @property
    def order_condition(self) -> bool:
        """Whether the condition depends on what the order as a whole contains."""
        return self.when is not None and any(path.startswith("purchase.") for path in self.when.reads)


class Promotion(msgspec.Struct, frozen=True):
    """A rule that takes money off a cart, or gives points on top of what campaigns grant.

    `stores` and `channels` are those in which it runs; none is everywhere. Promotions that take money off apply in
    their order, each on what earlier ones left; those that give points are campaigns on purchases.
    """

    id: str
    name: Texts
    offer: Offer
    during: During = During()
    when: Rule | None = None
    stores: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    priority: int = 0
    was: str | None = None

    @property
    def takes_money_off(self) -> bool:
        """Whether it is about money, and not about points."""
        return not isinstance(self.offer.gives, Multiplier | Points)


class Group(msgspec.Struct, frozen=True):
    """How campaigns (or groups) that apply together combine, or promotions that take money off.

    "all": each is given. "best": the one that grants most points (ties: higher priority, then earlier in `of`).
    "first": the first by priority, then by place in `of`. "exclusive": like "first", and no campaign of any other
    group is given beside it; campaigns outside all groups are.
    """

    id: str
    mode: Literal["all", "best", "first", "exclusive"]
    of: tuple[str, ...]
    priority: int = 0
    was: str | None = None


class Retired(msgspec.Struct, frozen=True):
    """Where the holders of what a version no longer has go: `wallets` by gone id, `tiers` by gone "track.tier"."""

    wallets: dict[str, str] = {}
    tiers: dict[str, str] = {}


class Program(msgspec.Struct, frozen=True):
    """One version of a program, checked.

    `fields` maps "member", "purchase", "line" and activity types to the fields that the document declares for them.
    `late_horizon` is how far back history is kept so that late activities are judged as of their time. `quote_hold` is
    how long a reserved quote keeps what it promised.
    """

    id: str
    name: Texts
    time_zone: str
    currency: Currency
    wallets: tuple[Wallet, ...]
    fields: dict[str, tuple[Field, ...]] = {}
    tracks: tuple[Track, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    groups: tuple[Group, ...] = ()
    late_horizon: Duration = Duration(days=90)
    retired: Retired = Retired()
    vouchers: tuple[Voucher, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    quote_hold: Duration = Duration.parse("30MIN")
    causes: tuple[Cause, ...] = ()
    rewards: tuple[Reward, ...] = ()
    jurisdiction: str | None = None
    draws: tuple[Draw, ...] = ()
    segments: tuple[Segment, ...] = ()
