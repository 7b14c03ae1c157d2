"""What CEL parsed, as a small tree of our own.

CEL serializes a parsed or checked rule as `cel.expr.ParsedExpr` or `cel.expr.CheckedExpr` in an Any. The few messages
needed of these are declared here with the field numbers of the public specification (cel/expr/syntax.proto and
checked.proto). Macros arrive expanded into comprehensions; `exists` and `all` are recognised by their shapes. Every
node carries `at`, the code point in the text where CEL places it: a call at its parenthesis, a selection at its dot.
"""

import re
from typing import Any, Final

import msgspec
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import DecodeError


class Constant(msgspec.Struct, frozen=True):
    """A literal. A decimal one is its text, because CEL has already turned the value into a binary double."""

    at: int
    kind: str  # bool, int, decimal, string; or the CEL type of one that rules do not know
    value: bool | int | str | None


class Name(msgspec.Struct, frozen=True):
    """A variable."""

    at: int
    name: str


class Selection(msgspec.Struct, frozen=True):
    """`operand.field`, or `has(operand.field)` where `test` is set."""

    at: int
    operand: "Node"
    field: str
    test: bool


class Call(msgspec.Struct, frozen=True):
    """A function or operator (`_==_`, `@in`, `!_`); the target of a method is its first argument."""

    at: int
    function: str
    args: "tuple[Node, ...]"
    method: bool


class Listing(msgspec.Struct, frozen=True):
    """`[a, b]`."""

    at: int
    items: "tuple[Node, ...]"


class Macro(msgspec.Struct, frozen=True):
    """`over.exists(variable, body)` or `all`; of any other macro only that it is one, with its name."""

    at: int
    how: str
    over: "Node"
    variable: str
    body: "Node | None"


class Other(msgspec.Struct, frozen=True):
    """What has no place in a rule: maps and messages made in place."""

    at: int


Node = Constant | Name | Selection | Call | Listing | Macro | Other


class TooDeep(Exception):  # noqa: N818  (not an error of ours: the text nests deeper than the serialized form can)
    """The rule nests too deeply to be read."""


def decode(serialized: bytes, text: str) -> Node:
    """The tree of a serialized rule, parsed or checked, whose text this is; `TooDeep` where it nests too deeply."""
    envelope = any_pb2.Any.FromString(serialized)
    message_class = _PARSED if envelope.type_url.endswith("/cel.expr.ParsedExpr") else _CHECKED
    try:
        message: Any = message_class.FromString(envelope.value)
    except DecodeError as error:
        raise TooDeep from error
    positions = {entry.key: entry.value for entry in message.source_info.positions}
    return _Reader(text, positions).node(message.expr)


class _Reader:
    """Turns messages into nodes; holds the text and where in it each message's id stands."""

    def __init__(self, text: str, positions: dict[int, int]) -> None:
        self.text = text
        self.positions = positions

    def node(self, expr: Any) -> Node:
        at = self.positions.get(expr.id, 0)
        match expr.WhichOneof("kind"):
            case "const_expr":
                return self.constant(at, expr.const_expr)
            case "ident_expr":
                return Name(at, expr.ident_expr.name)
            case "select_expr":
                select = expr.select_expr
                return Selection(at, self.node(select.operand), select.field, select.test_only)
            case "call_expr":
                return self.call(at, expr.call_expr)
            case "list_expr":
                return Listing(at, tuple(self.node(item) for item in expr.list_expr.elements))
            case "comprehension_expr":
                return self.macro(at, expr.comprehension_expr)
            case _:
                return Other(at)

    def constant(self, at: int, constant: Any) -> Constant:
        match constant.WhichOneof("kind"):
            case "bool_value":
                return Constant(at, "bool", bool(constant.bool_value))
            case "int64_value":
                return Constant(at, "int", int(constant.int64_value))
            case "string_value":
                return Constant(at, "string", str(constant.string_value))
            case "double_value":
                written = _NUMBER.match(self.text, at)
                assert written, "CEL places a number where it is written"
                return Constant(at, "decimal", "".join(written[0].split()))
            case kind:
                return Constant(at, str(kind).removesuffix("_value"), None)

    def call(self, at: int, call: Any) -> Call:
        method = call.HasField("target")
        args = [*([call.target] if method else []), *call.args]
        return Call(at, call.function, tuple(self.node(arg) for arg in args), method)

    def macro(self, at: int, loop: Any) -> Macro:
        """`exists` folds `result || body` from false, `all` folds `result && body` from true."""
        over = self.node(loop.iter_range)
        step = loop.loop_step.call_expr
        shape = (
            step.function,
            loop.accu_init.const_expr.WhichOneof("kind"),
            loop.accu_init.const_expr.bool_value,
            loop.result.ident_expr.name == loop.accu_var,
            len(step.args) == 2 and step.args[0].ident_expr.name == loop.accu_var,
            loop.iter_var2,
        )
        for how, function, start in (("exists", "_||_", False), ("all", "_&&_", True)):
            if shape == (function, "bool_value", start, True, True, ""):
                return Macro(at, how, over, loop.iter_var, self.node(step.args[1]))
        named = _CALLED.search(self.text, 0, at)
        return Macro(at, named[1] if named else "a macro", over, loop.iter_var, None)


_NUMBER: Final = re.compile(r"-?\s*[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?")
_CALLED: Final = re.compile(r"(\w+)\s*$")

_SCALARS: Final = frozenset(("int32", "int64", "uint64", "double", "bool", "string", "bytes"))
# name: (field, number, type), where `*` marks a repeated field; those of Expr and Constant form the oneof "kind".
_MESSAGES: Final = (
    (
        "Constant",
        *(("null_value", 1, "int32"), ("bool_value", 2, "bool"), ("int64_value", 3, "int64")),
        *(("uint64_value", 4, "uint64"), ("double_value", 5, "double"), ("string_value", 6, "string")),
        ("bytes_value", 7, "bytes"),
    ),
    ("Ident", ("name", 1, "string")),
    ("Select", ("operand", 1, "Expr"), ("field", 2, "string"), ("test_only", 3, "bool")),
    ("Call", ("target", 1, "Expr"), ("function", 2, "string"), ("args", 3, "*Expr")),
    ("CreateList", ("elements", 1, "*Expr")),
    ("CreateStruct", ("message_name", 1, "string")),
    (
        "Comprehension",
        *(("iter_var", 1, "string"), ("iter_range", 2, "Expr"), ("accu_var", 3, "string"), ("accu_init", 4, "Expr")),
        *(("loop_step", 6, "Expr"), ("result", 7, "Expr"), ("iter_var2", 8, "string")),
    ),
    (
        "Expr",
        *(("const_expr", 3, "Constant"), ("ident_expr", 4, "Ident"), ("select_expr", 5, "Select")),
        *(("call_expr", 6, "Call"), ("list_expr", 7, "CreateList"), ("struct_expr", 8, "CreateStruct")),
        *(("comprehension_expr", 9, "Comprehension"), ("id", 2, "int64")),
    ),
    # The wire form of a map field is a repeated message of keys and values.
    ("Position", ("key", 1, "int64"), ("value", 2, "int32")),
    ("SourceInfo", ("positions", 4, "*Position")),
    ("ParsedExpr", ("expr", 2, "Expr"), ("source_info", 3, "SourceInfo")),
    ("CheckedExpr", ("expr", 4, "Expr"), ("source_info", 5, "SourceInfo")),
)


def _declare() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="cel/expr.proto", package="cel.expr", syntax="proto2")
    for name, *fields in _MESSAGES:
        message = file.message_type.add(name=name)
        if name in ("Expr", "Constant"):
            message.oneof_decl.add(name="kind")
        for field_name, number, type_name in fields:
            field = message.field.add(name=field_name, number=number)
            bare = type_name.removeprefix("*")
            field.label = FieldDescriptorProto.Label.Value("LABEL_REPEATED" if bare != type_name else "LABEL_OPTIONAL")
            if bare in _SCALARS:
                field.type = FieldDescriptorProto.Type.Value(f"TYPE_{bare.upper()}")
            else:
                field.type = FieldDescriptorProto.TYPE_MESSAGE
                field.type_name = f".cel.expr.{bare}"
            if message.oneof_decl and field_name != "id":
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL: Final = _declare()
_PARSED: Final = message_factory.GetMessageClass(_POOL.FindMessageTypeByName("cel.expr.ParsedExpr"))
_CHECKED: Final = message_factory.GetMessageClass(_POOL.FindMessageTypeByName("cel.expr.CheckedExpr"))
