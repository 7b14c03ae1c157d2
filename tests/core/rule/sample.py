"""A program's names, members and purchases to ask rules of, and CEL's own evaluator as the second opinion."""

import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from cel_expr_python import cel
from google.protobuf import message_factory

from laurels.core.rule.environment import LATEST_AT, PACKAGE, Environment, Field, Scope

TIERS = ("member", "silver", "gold")

FIELDS = (
    Field("drink", "string", optional=True),
    Field("size", "string", optional=True, default="tea"),
    Field("nickname", "string"),
    Field("age", "int", optional=True),
    Field("visits", "int", optional=True, default=3),
    Field("vip", "bool", optional=True),
    Field("news", "bool", optional=True, default=True),
    Field("height", "decimal", optional=True),
    Field("ratio", "decimal", optional=True, default=Decimal("2.5")),
    Field("spent", "money", optional=True),
    Field("goal", "money", optional=True, default=Decimal("1.5")),
    Field("born", "date", optional=True),
    Field("since", "date", optional=True, default="2026-01-01"),
    Field("seen_at", "timestamp", optional=True),
    Field("joined_at", "timestamp"),
    Field("likes", "list<string>", optional=True),
)
"""One of every type, absent or not, with a default and without; declared on every object alike."""


def environment(currency_places: int = 2, *, has_purchase: bool = True) -> Environment:
    return Environment.build(
        currency_places=currency_places,
        tracks=("membership", "club"),
        wallets=("points", "growth"),
        member=FIELDS,
        purchase=FIELDS,
        line=FIELDS,
        activity=FIELDS,
        has_purchase=has_purchase,
        tiers={"membership": TIERS},
    )


class Wallet(msgspec.Struct, frozen=True):
    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0


class Member(msgspec.Struct, frozen=True):
    id: str = "m-1"
    enrolled_at: int = 1_767_225_600_000_000
    tier: dict[str, str] = msgspec.field(default_factory=lambda: {"membership": "silver", "club": ""})
    wallets: dict[str, Wallet] = msgspec.field(default_factory=lambda: {"points": Wallet(), "growth": Wallet()})
    segments: tuple[str, ...] = ()
    counters: dict[str, int] = {}
    attributes: dict[str, Any] = {}


class Tender(msgspec.Struct, frozen=True):
    kind: str = "cash"
    amount: int = 3980


class Line(msgspec.Struct, frozen=True):
    line: str = "1"
    sku: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    quantity: int = 1_000_000
    amount: int = 3980
    tax: int = 0
    kind: str = "product"
    fields: dict[str, Any] = {}


class Purchase(msgspec.Struct, frozen=True):
    order: str = "o-1"
    total: int = 3980
    goods: int = 3980
    store: str | None = None
    channel: str | None = None
    lines: tuple[Line, ...] = (Line(),)
    tenders: tuple[Tender, ...] = (Tender(),)
    fields: dict[str, Any] = {}


class Activity(msgspec.Struct, frozen=True):
    type: str = "purchase"
    source: str = "pos"
    id: str = "r-1"
    occurred_at: int = 1_772_359_200_000_000
    fields: dict[str, Any] = {}


class Moment(msgspec.Struct, frozen=True):
    hour: int = 10
    minute: int = 0
    weekday: str = "sun"
    date: str = "2026-03-01"
    month: int = 3
    day: int = 1
    year: int = 2026


class Case(msgspec.Struct, frozen=True):
    """What a rule is asked of."""

    member: Member = Member()
    purchase: Purchase = Purchase()
    activity: Activity = Activity()
    at: Moment = Moment()
    line: Line = Line()

    @property
    def arguments(self) -> tuple[Member, Purchase, Activity, Moment, Line]:
        return self.member, self.purchase, self.activity, self.at, self.line


# --- values, few enough to be met by chance and with the awkward ones among them ---

STRINGS = ("", "a", "beans", "tea", "latte", "咖啡", "咖啡豆", "𝒳", 'a"b', "a'b", "\\", "line\nbreak", "\x7f\u2028")
INTS = (-(2**53), -7, -1, 0, 1, 2, 3, 7, 18, 2**53)
DECIMALS = ("0", "-1.5", "0.000001", "1", "2.5", "2.50", "2.500001", "180", "999999999.999999")
QUANTITIES = (0, 1, 500_000, 1_000_000, 2_500_000, 2_500_001, 999_999_999_999_999)
AMOUNTS = (-150, 0, 1, 149, 150, 151, 2999, 3000, 3001, 999_999_999_999_999)
DATES = ("1999-12-31", "2026-01-01", "2026-02-28", "2026-03-01", "2028-02-29")
INSTANTS = (0, 1, 1_767_225_600_000_000, 1_772_359_199_999_999, 1_772_359_200_000_000, LATEST_AT)


class Dice:
    """Cases from a seed. `asked` counts optional fields and `absent` those left out."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.asked = 0
        self.absent = 0

    def is_absent(self) -> bool:
        absent = self.random.random() < 0.4
        self.asked += 1
        self.absent += absent
        return absent

    def maybe(self, value: Any) -> Any:
        return None if self.is_absent() else value

    def some(self, values: tuple[str, ...], most: int = 3) -> tuple[str, ...]:
        return tuple(self.random.choices(values, k=self.random.randint(0, most)))

    def value(self, field_type: str) -> Any:
        choose = self.random.choice
        match field_type:
            case "string":
                return choose(STRINGS)
            case "int":
                return choose(INTS)
            case "bool":
                return choose((True, False))
            case "decimal":
                return Decimal(choose(DECIMALS))
            case "money":
                return choose(AMOUNTS)
            case "date":
                return choose(DATES)
            case "timestamp":
                return choose(INSTANTS)
            case _:
                return self.some(STRINGS)

    def fields(self) -> dict[str, Any]:
        """Declared fields; an absent one is missing or None."""
        values: dict[str, Any] = {}
        for field in FIELDS:
            if not self.is_absent():
                values[field.name] = self.value(field.type)
            elif self.random.random() < 0.2:
                values[field.name] = None
        return values

    def line(self) -> Line:
        choose = self.random.choice
        return Line(
            line=choose(("1", "2")),
            sku=self.maybe(choose(STRINGS)),
            category=self.maybe(choose(STRINGS)),
            tags=self.some(STRINGS),
            quantity=choose(QUANTITIES),
            amount=choose(AMOUNTS),
            tax=choose(AMOUNTS),
            kind=choose(("product", "shipping", "fee", "gift_card")),
            fields=self.fields(),
        )

    def wallet(self) -> Wallet:
        return Wallet(*(self.random.choice(INTS) for _ in range(4)))

    def case(self) -> Case:
        choose = self.random.choice
        member = Member(
            id=choose(STRINGS),
            enrolled_at=choose(INSTANTS),
            tier={"membership": choose(TIERS), "club": choose(STRINGS)},
            wallets={"points": self.wallet(), "growth": self.wallet()},
            segments=self.some(STRINGS),
            counters={name: choose(INTS) for name in ("purchases", "check_ins") if not self.is_absent()},
            attributes=self.fields(),
        )
        purchase = Purchase(
            order=choose(STRINGS),
            total=choose(AMOUNTS),
            goods=choose(AMOUNTS),
            store=self.maybe(choose(STRINGS)),
            channel=self.maybe(choose(STRINGS)),
            lines=tuple(self.line() for _ in range(self.random.randint(0, 3))),
            tenders=tuple(
                Tender(choose(("cash", "points")), choose(AMOUNTS)) for _ in range(self.random.randint(0, 2))
            ),
            fields=self.fields(),
        )
        activity = Activity(type=choose(STRINGS), occurred_at=choose(INSTANTS), fields=self.fields())
        at = Moment(
            hour=self.random.randrange(24),
            minute=self.random.randrange(60),
            weekday=choose(("mon", "tue", "sun")),
            date=choose(DATES),
        )
        return Case(member, purchase, activity, at, self.line())


# --- the second opinion ---


class Oracle:
    """Google's evaluator over the same environment; it reads protobuf messages and knows nothing of ours."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self._runtimes = {
            scope: cel.NewEnv(
                environment.pool,
                variables={name: cel.Type(f"{PACKAGE}.{kind}") for name, kind in environment.variables(scope).items()},
                extensions=[_money(environment.currency_places)],
            )
            for scope in ("condition", "lines")
        }

    def messages(self, case: Case) -> dict[str, Any]:
        objects = {
            "member": case.member,
            "purchase": case.purchase,
            "activity": case.activity,
            "at": case.at,
            "line": case.line,
        }
        return {name: self._message(name, each) for name, each in objects.items()}

    def compile(self, text: str, scope: Scope) -> Callable[[Mapping[str, Any]], Any]:
        """The value CEL gives a rule for messages, or its error as a text."""
        checked = self.environment.cel(scope).compile(text).serialize()
        expression = self._runtimes[scope].deserialize(checked)
        names = self.environment.variables(scope)

        def evaluate(messages: Mapping[str, Any]) -> Any:
            value = expression.eval(data={name: messages[name] for name in names})
            return value.value() if value.type() == cel.Type.BOOL else f"{value.type().name()}: {value.value()}"

        return evaluate

    def _message(self, kind: str, value: Any) -> Any:
        message = message_factory.GetMessageClass(self.environment.pool.FindMessageTypeByName(f"{PACKAGE}.{kind}"))()
        self._fill(message, kind, value)
        return message

    def _fill(self, message: Any, kind: str, value: Any) -> None:
        for name, named in self.environment.messages[kind].items():
            if named.declared:
                field = (value.attributes if kind == "member" else value.fields).get(name)
            else:
                field = value.get(name) if isinstance(value, dict) else getattr(value, name)
            if field is None and named.kind == "money" and named.default is not None:
                field = named.default  # a protobuf message cannot have a default of its own
            if field is not None:
                self._set(message, name, named.kind, field)

    def _set(self, message: Any, name: str, kind: str, value: Any) -> None:
        match kind:
            case "decimal":
                setattr(message, name, float(value))
            case "quantity":
                setattr(message, name, value / 10**6)
            case "money":
                getattr(message, name).minor = value
                getattr(message, name).SetInParent()
            case "timestamp":
                seconds, microseconds = divmod(value, 10**6)
                getattr(message, name).seconds = seconds
                getattr(message, name).nanos = microseconds * 1000
                getattr(message, name).SetInParent()
            case "list<string>":
                getattr(message, name).extend(value)
            case _ if kind.startswith("list<"):
                for each in value:
                    self._fill(getattr(message, name).add(), kind[5:-1], each)
            case _ if kind in self.environment.messages:
                self._fill(getattr(message, name), kind, value)
            case _:
                setattr(message, name, value)


def _money(places: int) -> cel.CelExtension:
    """The order of money and numbers, exactly: a number is the decimal that its literal says."""
    money, whole, decimal = cel.Type(f"{PACKAGE}.money"), cel.Type.INT, cel.Type.DOUBLE

    def minor(side: Any) -> Decimal:
        return Decimal(side.minor) if hasattr(side, "minor") else Decimal(repr(side)).scaleb(places)

    orders: dict[str, Callable[[Decimal, Decimal], bool]] = {
        "_<_": lambda left, right: left < right,
        "_<=_": lambda left, right: left <= right,
        "_>_": lambda left, right: left > right,
        "_>=_": lambda left, right: left >= right,
    }

    def implementation(order: Callable[[Decimal, Decimal], bool]) -> Callable[[Any, Any], bool]:
        return lambda left, right: order(minor(left), minor(right))

    return cel.CelExtension(
        "test.money",
        [
            cel.FunctionDecl(
                name,
                [
                    cel.Overload(
                        id=f"test {name} {left.name()} {right.name()}",
                        return_type=cel.Type.BOOL,
                        parameters=[left, right],
                        is_member=False,
                        impl=implementation(order),
                    )
                    for left, right in ((money, whole), (money, decimal), (whole, money), (decimal, money))
                ],
            )
            for name, order in orders.items()
        ],
    )
