"""What a condition may name: the variables of a program's rules, their fields and the types of these.

An `Environment` is built once per program and trigger. It describes the same names twice: as `Named` entries, from
which rules are resolved, guarded and translated, and as protobuf messages built at run time, against which Google's CEL
checker has the last word. Within the bounds below no sum in a checked rule leaves 64 bits, so that every reader of a
rule gives the same answer; beyond them Python still answers, but CEL would fail.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, Self

import msgspec
from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from laurels.core.calendar import parse_date
from laurels.core.money import parse_minor

Scope = Literal["condition", "lines"]
Value = str | int | bool | Decimal

LARGEST_INT: Final = 2**53
EARLIEST_AT: Final = 0
LATEST_AT: Final = 221_845_392_000_000_000  # 9000-01-01T00:00:00Z, in microseconds
SIGNIFICANT_DIGITS: Final = 15  # of a decimal literal: so many survive a reading as a binary double

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LINE_KINDS: Final = ("product", "shipping", "fee", "gift_card")
TENDER_KINDS: Final = ("cash", "points", "gift_card", "voucher")
COUNTERS: Final = ("purchases", "check_ins", "referrals")
FIELD_TYPES: Final = ("string", "int", "bool", "decimal", "money", "timestamp", "date", "list<string>")

RESERVED_WORDS: Final = frozenset(
    (
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
        *("import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


class Field(msgspec.Struct, frozen=True):
    """A field that a program declares. `default` is what an absent one reads as; of money, an amount such as 9.90."""

    name: str
    type: str
    optional: bool = False
    default: Value | None = None


class Named(msgspec.Struct, frozen=True):
    """What a field of a variable is: its kind, whether it may be absent, and what it may say.

    `default` is in the form of run time (money in minor units); a required field has the zero of its type. `declared`
    fields live in a mapping of the object, built-in ones are its attributes.
    """

    kind: str
    optional: bool = False
    default: Value | None = None
    declared: bool = False
    choices: tuple[str, ...] = ()


Message = Mapping[str, Named]

_BUILT_IN: Final[Mapping[str, Message]] = {
    "member": {
        "id": Named("string"),
        "enrolled_at": Named("timestamp"),
        "tier": Named("tiers"),
        "wallets": Named("wallets"),
        "segments": Named("list<string>"),
        "counters": Named("counters"),
    },
    "wallet": {name: Named("int") for name in ("available", "pending", "held", "debt")},
    "counters": {name: Named("int") for name in COUNTERS},
    "purchase": {
        "order": Named("string"),
        "total": Named("money"),
        "goods": Named("money"),
        "store": Named("string", optional=True),
        "channel": Named("string", optional=True),
        "lines": Named("list<line>"),
        "tenders": Named("list<tender>"),
    },
    "line": {
        "line": Named("string"),
        "sku": Named("string", optional=True),
        "category": Named("string", optional=True),
        "tags": Named("list<string>"),
        "quantity": Named("quantity"),
        "amount": Named("money"),
        "tax": Named("money"),
        "kind": Named("string", choices=LINE_KINDS),
    },
    "tender": {"kind": Named("string", choices=TENDER_KINDS), "amount": Named("money")},
    "activity": {
        "type": Named("string"),
        "source": Named("string"),
        "id": Named("string"),
        "occurred_at": Named("timestamp"),
    },
    "at": {
        "hour": Named("int"),
        "minute": Named("int"),
        "weekday": Named("string", choices=WEEKDAYS),
        "date": Named("date"),
        "month": Named("int"),
        "day": Named("int"),
        "year": Named("int"),
    },
}


_MEMBER_ALONE: Final = "a segment asks of the member alone: name member.* and at.*"
_ABSENT_IN_SEGMENTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("activity", "purchase", "line"), _MEMBER_ALONE),
    "member.segments": "a segment cannot ask for segments: write their conditions out",
}
_WITHOUT_SEGMENTS: Final[Mapping[str, str]] = {
    "member.segments": "this program has no segments yet: describe them under segments",
}


def is_name(text: str) -> bool:
    """True of an id that a condition may name: `[a-z][a-z0-9_]*` and no reserved word."""
    return _NAME.fullmatch(text) is not None and text not in RESERVED_WORDS


def is_date(text: str) -> bool:
    """True of a day that exists, written as 2026-03-01."""
    try:
        parse_date(text)
    except ValueError:
        return False
    return True


def problem_with(owner: str, field: Field, currency_places: int) -> str | None:
    """Why a program cannot declare this field on `owner` (member, purchase, line, activity), or None."""
    if not is_name(field.name):
        return f"{field.name!r} is no name: use [a-z][a-z0-9_]* and none of CEL's reserved words"
    if field.name in _BUILT_IN[owner]:
        return f"{owner}.{field.name} is built in"
    if field.type not in FIELD_TYPES:
        return f"{field.type!r} is no type: use one of {', '.join(FIELD_TYPES)}"
    if field.default is not None and _default(field, currency_places) is None:
        return f"{field.default!r} cannot be the default of a {field.type} field"
    return None


def _default(field: Field, currency_places: int) -> Value | None:
    """The default as it is at run time, or None where it does not fit the type."""
    match field.type, field.default:
        case "bool", bool(value):
            return value
        case _, bool():
            return None
        case "string", str(value):
            return value
        case "date", str(value):
            return value if is_date(value) else None
        case "int", int(value):
            return value if abs(value) <= LARGEST_INT else None
        case "decimal" | "money", int() | Decimal():
            amount = Decimal(field.default)
            if not amount.is_finite() or len(amount.as_tuple().digits) > SIGNIFICANT_DIGITS:
                return None
            return amount if field.type == "decimal" else _minor(amount, currency_places)
        case _:
            return None


def _minor(amount: Decimal, currency_places: int) -> int | None:
    try:
        return parse_minor(f"{amount:f}", currency_places)
    except ValueError:
        return None


# What CEL reads where there is nothing.
_ZEROS: Final[Mapping[str, Value]] = {
    "string": "",
    "int": 0,
    "bool": False,
    "decimal": Decimal(0),
    "money": 0,
    "timestamp": 0,
    "date": "",
}


class Environment:
    """The names and types of one program's rules on one trigger; rules are checked against it, see `check`.

    `absent` says of names that rules have elsewhere, and not here, what to do about it.
    """

    __slots__ = ("_cel", "absent", "currency_places", "has_purchase", "messages", "of_member", "pool")

    def __init__(
        self,
        messages: Mapping[str, Message],
        *,
        currency_places: int,
        has_purchase: bool,
        of_member: bool = False,
        absent: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.messages = messages
        self.currency_places = currency_places
        self.has_purchase = has_purchase
        self.of_member = of_member
        self.absent = absent
        self.pool = _descriptors(messages)
        self._cel: Mapping[Scope, cel.Env] = {
            "condition": _checker(self.pool, self.variables("condition")),
            "lines": _checker(self.pool, self.variables("lines")),
        }

    @classmethod
    def build(
        cls,
        *,
        currency_places: int,
        tracks: tuple[str, ...],
        wallets: tuple[str, ...],
        member: tuple[Field, ...] = (),
        purchase: tuple[Field, ...] = (),
        line: tuple[Field, ...] = (),
        activity: tuple[Field, ...] = (),
        has_purchase: bool = False,
        tiers: Mapping[str, tuple[str, ...]] | None = None,
        segments: tuple[str, ...] | None = None,
        of_member: bool = False,
    ) -> Self:
        """The environment of these names; ValueError for one that `problem_with` or `is_name` refuses.

        Where `tiers` gives the tiers of a track, a comparison with any other word is a finding; so it is with
        `segments`, of which nothing can be asked where there are none. `of_member` is the environment of segments
        themselves: it knows the member and the time, and no segments.
        """
        for name in (*tracks, *wallets):
            if not is_name(name):
                raise ValueError(f"{name!r} is no name that a condition may use")
        messages = dict(_BUILT_IN)
        messages["tiers"] = {track: Named("string", choices=(tiers or {}).get(track, ())) for track in tracks}
        messages["wallets"] = {wallet: Named("wallet") for wallet in wallets}
        declared = {"member": member, "purchase": purchase, "line": line, "activity": activity}
        for owner, fields in declared.items():
            messages[owner] = {**_BUILT_IN[owner], **_declared(owner, fields, currency_places)}
        absent: Mapping[str, str] = {}
        known = dict(messages["member"])
        if of_member:
            absent = _ABSENT_IN_SEGMENTS
            del known["segments"]
        elif segments is not None:
            known["segments"] = Named("list<string>", choices=segments)
            if not segments:
                absent = _WITHOUT_SEGMENTS
                del known["segments"]
        messages["member"] = known
        return cls(
            messages,
            currency_places=currency_places,
            has_purchase=has_purchase,
            of_member=of_member,
            absent=absent,
        )

    def variables(self, scope: Scope) -> Mapping[str, str]:
        """The variables a rule may name at its top, with the message each one is."""
        if self.of_member:
            return {"member": "member", "at": "at"}
        names = ["member", "activity", "at"]
        if self.has_purchase:
            names.append("purchase")
            if scope == "lines":
                names.append("line")
        return {name: name for name in names}

    def cel(self, scope: Scope) -> cel.Env:
        """Google's checker for rules of this scope."""
        return self._cel[scope]


def _declared(owner: str, fields: tuple[Field, ...], currency_places: int) -> dict[str, Named]:
    named: dict[str, Named] = {}
    for field in fields:
        problem = problem_with(owner, field, currency_places)
        if problem is None and field.name in named:
            problem = f"{owner}.{field.name} is declared twice"
        if problem is not None:
            raise ValueError(problem)
        # An absent list reads as an empty one, so that a list is never optional.
        optional = field.type != "list<string>" and (field.optional or field.default is not None)
        # Of members who were there before their program declared a field, even a required one may be absent.
        default = _ZEROS.get(field.type) if not optional else _default(field, currency_places)
        named[field.name] = Named(field.type, optional=optional, default=default, declared=True)
    return named


PACKAGE: Final = "laurels.rule"

_SCALARS: Final[Mapping[str, FieldDescriptorProto.Type.ValueType]] = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "date": FieldDescriptorProto.TYPE_STRING,
    "int": FieldDescriptorProto.TYPE_INT64,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "decimal": FieldDescriptorProto.TYPE_DOUBLE,
    "quantity": FieldDescriptorProto.TYPE_DOUBLE,
}


def _descriptors(messages: Mapping[str, Message]) -> descriptor_pool.DescriptorPool:
    """The messages as protobuf types. Syntax proto2, for presence of scalars and for defaults of absent ones."""
    file = descriptor_pb2.FileDescriptorProto(
        name="laurels/rule.proto", package=PACKAGE, syntax="proto2", dependency=["google/protobuf/timestamp.proto"]
    )
    money = file.message_type.add(name="money")
    money.field.add(
        name="minor", number=1, type=FieldDescriptorProto.TYPE_INT64, label=FieldDescriptorProto.LABEL_OPTIONAL
    )
    for message_name, fields in messages.items():
        message = file.message_type.add(name=message_name)
        # JSON is never read: without this, `a_b` beside `a__b` is a warning on standard error.
        message.options.deprecated_legacy_json_field_conflicts = True
        for number, (name, named) in enumerate(fields.items(), start=1):
            _add(message, number, name, named)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def _add(message: descriptor_pb2.DescriptorProto, number: int, name: str, named: Named) -> None:
    field = message.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
    kind = named.kind
    if kind.startswith("list<"):
        field.label = FieldDescriptorProto.LABEL_REPEATED
        kind = kind.removeprefix("list<").removesuffix(">")
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
        if named.default is not None:
            default = named.default
            field.default_value = str(default).lower() if isinstance(default, bool) else f"{default}"
    else:
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = ".google.protobuf.Timestamp" if kind == "timestamp" else f".{PACKAGE}.{kind}"


def _checker(pool: descriptor_pool.DescriptorPool, variables: Mapping[str, str]) -> cel.Env:
    types = {name: cel.Type(f"{PACKAGE}.{kind}") for name, kind in variables.items()}
    return cel.NewEnv(pool, variables=types, extensions=[_comparisons()])


def _comparisons() -> cel.CelExtension:
    """Overloads for the checker: money is ordered with numbers, decimals compare with whole numbers too."""
    money, whole, decimal = cel.Type(f"{PACKAGE}.money"), cel.Type.INT, cel.Type.DOUBLE
    mixed = [(whole, decimal), (decimal, whole)]
    ordered = [*mixed, (money, whole), (money, decimal), (whole, money), (decimal, money)]
    functions = [
        *(_function(name, ordered) for name in ("_<_", "_<=_", "_>_", "_>=_")),
        *(_function(name, mixed) for name in ("_==_", "_!=_")),
        _function("@in", [(decimal, cel.Type.List(whole))]),
    ]
    return cel.CelExtension("laurels.comparisons", functions)


def _function(name: str, pairs: list[tuple[cel.Type, cel.Type]]) -> cel.FunctionDecl:
    overloads = [
        cel.Overload(
            id=f"laurels {name} {left.name()} {right.name()}",
            return_type=cel.Type.BOOL,
            parameters=[left, right],
            is_member=False,
        )
        for left, right in pairs
    ]
    return cel.FunctionDecl(name, overloads)
