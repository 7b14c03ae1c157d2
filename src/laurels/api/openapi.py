"""`openapi.json`: the outside contract as OpenAPI 3.1, made from the operations and nothing else.

Every route, parameter, answer, problem code and example is in it. Examples are what a scenario in the tests was
answered, so they are true; the checked-in file is proven current by a test.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from types import MappingProxyType, UnionType
from typing import Any, Final, get_args

import msgspec

from laurels.api import (
    activities,
    draws,
    explanations,
    health,
    journal,
    members,
    programs,
    quotes,
    redemptions,
    reference,
    rewards,
    standing,
    vouchers,
)
from laurels.api.operation import AUTHENTICATED, Operation, operations_in
from laurels.api.problem import (
    FINDINGS,
    MEDIA_TYPE,
    PROBLEMS,
    ProblemBody,
    problem_body,
    status_of,
    title_of,
    title_zh_of,
)
from laurels.api.scopes import SCOPES
from laurels.core.activity import FREE_TYPES, INTERNAL_TYPES
from laurels.core.refusal import REFUSALS
from laurels.core.wire import WIRE_TYPES, WirePay

OPERATIONS: Final[tuple[Operation, ...]] = tuple(
    each
    for module in (
        activities, quotes, members, standing, journal, explanations, redemptions, rewards, vouchers, draws, programs,
        health,
        reference,
    )
    for each in operations_in(vars(module))
)  # fmt: skip
"""Every operation, in the order of the reference."""

CONTRACT_VERSION: Final = "1.0.0"
"""Of the contract, not of the release: raised when outsiders have to know."""

Json = dict[str, Any]

_REF: Final = "#/components/schemas/"
_EXAMPLE: Final = "#/components/examples/"
_NAMES: Final = MappingProxyType(
    {
        "Problem": "InputFinding",
        "ProblemBody": "Problem",
        "Finding": "DocumentFinding",
        "Envelope": "Activity",
        "WireDiscount": "Discount",
        "WireLine": "Line",
        "WireOpeningLot": "OpeningLot",
        "WireReturnLine": "LineBack",
        "WireTender": "Tender",
        **{kind.__name__: kind.__name__.removeprefix("Wire") + "Data" for kind in WIRE_TYPES.values()},
    }
)
_TYPES_MADE_ELSEWHERE: Final = INTERNAL_TYPES | activities.REDEMPTION_TYPES | activities.QUOTE_TYPES
_TEXT: Final = MappingProxyType(
    {"read_metrics": "text/plain", "read_reference": "text/html", "read_reference_part": "text/javascript"}
)

_INTRODUCTION: Final = """\
Laurels is a customer loyalty engine: send in what members do, and read points, tiers and the reason for each of them.

**Keys.** Send `Authorization: Bearer <key>`. A key belongs to one program and one source and may do what its scopes
say. **Instants** are RFC 3339 with an offset, **money** is a decimal string in the program's currency, **points** are
integers. **Lists** take `limit` and `cursor`.

**Problems** are `application/problem+json` with a stable `code`; `errors` say by JSON pointer what does not fit.
**Again.** Activities are safe to send again by their id; other mutations take an `Idempotency-Key`: the same request
gets the same answer with `Idempotent-Replayed: true`. After 503 send the same again.

**Clock.** A program in `setup` or `sandbox` has a clock of its own, which moves with what happened in it or by
`POST /v1/clock`; a `live` one follows real time."""


def document() -> Json:
    """The OpenAPI document."""
    schemas, wired = _schemas(OPERATIONS)
    examples: Json = json.loads((files("laurels.api") / "examples.json").read_text(encoding="utf-8"))
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(
            operation, wired, examples.get(operation.name, {})
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Laurels",
            "version": CONTRACT_VERSION,
            "summary": "A customer loyalty engine: every point right, explained, reproducible.",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "Activities", "description": "What members do, and what it would earn."},
            {"name": "Members", "description": "Who they are, what they have, and why."},
            {"name": "Redemptions", "description": "Points as money at the till, and rewards that points buy."},
            {"name": "Rewards", "description": "What points can buy, and what is left of it."},
            {"name": "Vouchers", "description": "Codes that take something off; batches of codes."},
            {"name": "Draws", "description": "Draws that anybody can verify, tickets, instant wins and prizes."},
            {"name": "Program", "description": "What is in effect, and what comes next."},
            {"name": "Operation", "description": "For those who run it; no key needed."},
        ],
        "paths": paths,
        "x-codes": {
            code: {"status": status_of(code), "en": title_of(code), "zh-CN": title_zh_of(code)}
            for code in sorted({*PROBLEMS, *REFUSALS})
        },
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "examples": {
                code: {"summary": title_of(code), "value": msgspec.to_builtins(problem_body(code))}
                for code in sorted({code for operation in OPERATIONS for code in operation.all_codes})
            },
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Scopes:\n"
                    + "\n".join(f"- `{scope}`: {sentence.en}" for scope, sentence in SCOPES.items()),
                }
            },
        },
    }


def openapi_text() -> str:
    """The document as `openapi.json` holds it."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


# --- schemas ----------------------------------------------------------------------------------------------------------


def _schemas(operations: Iterable[Operation]) -> tuple[Json, Mapping[Any, Json]]:
    """All components, and by type the schema that refers to them."""
    kinds: list[Any] = [ProblemBody, activities.RefusedActivity, activities.Envelope, *WIRE_TYPES.values()]
    for operation in operations:
        used = (operation.body, operation.query, *_parts(operation.answer))
        kinds += [kind for kind in used if kind not in (None, bytes, str)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF + "{name}")
    renamed = _renamed({"schemas": schemas, "components": components})
    found: Json = renamed["components"]
    for query in {operation.query for operation in operations if operation.query is not None}:
        found.pop(query.__name__, None)
    found["Problem"]["properties"]["code"]["enum"] = sorted({*PROBLEMS, *REFUSALS})
    found["InputFinding"]["properties"]["code"]["description"] = "\n".join(
        ["One of these, or a code of `laurels check`:", *(f"- `{code}`: {text}" for code, text in FINDINGS.items())]
    )
    for schema in found.values():
        # Python 3.13 takes the indentation out of docstrings, earlier ones leave it in.
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
    _spell_activity(found)
    by_kind = dict(zip(kinds, renamed["schemas"], strict=True))
    _say_what_is_always_there(found, by_kind, operations)
    return found, by_kind


def _parts(kind: Any) -> tuple[Any, ...]:
    """The structs of a union, which is not decoded and therefore needs no tags; else the type itself."""
    return get_args(kind) if isinstance(kind, UnionType) else (kind,)


def _renamed(document: Json) -> Json:
    """Components under the names that outsiders know."""
    text = json.dumps(document)
    for name, shown in _NAMES.items():
        # Through a name that nothing has, since some names swap.
        text = text.replace(f'"{_REF}{name}"', f'"{_REF}@{shown}"')
    renamed: Json = json.loads(text.replace(f"{_REF}@", _REF))
    components = {_NAMES.get(name, name): schema for name, schema in renamed["components"].items()}
    for name, schema in components.items():
        if schema.get("title"):
            schema["title"] = name
    return {"schemas": renamed["schemas"], "components": components}


def _spell_activity(found: Json) -> None:
    """An activity's data depends on its type: one schema for each, and one for those with free fields."""
    whole = found.pop("Activity")
    found.pop(WirePay.__name__)  # Only redemptions have it, which have routes of their own.
    names: list[str] = []
    for type_, wire in WIRE_TYPES.items():
        if type_ in _TYPES_MADE_ELSEWHERE:
            found.pop(_NAMES[wire.__name__], None)
            continue
        name = "".join(part.title() for part in type_.split("_")) + "Activity"
        found[name] = _activity(whole, name, {"const": type_}, {"$ref": _REF + _NAMES[wire.__name__]})
        names.append(name)
    free = {
        "anyOf": [{"enum": sorted(FREE_TYPES)}, {"type": "string", "pattern": r"^custom\.[a-z][a-z0-9_.]{0,99}$"}],
        "description": "An activity with free fields; those that the program declares can be named in its rules.",
    }
    found["FreeActivity"] = _activity(whole, "FreeActivity", free, {"type": "object"})
    found["Activity"] = {
        "title": "Activity",
        "description": "Something that a member did. Its `type` says what `data` holds.",
        "anyOf": [{"$ref": _REF + name} for name in [*names, "FreeActivity"]],
    }
    found["ActivityBatch"] = {
        "title": "ActivityBatch",
        "type": "object",
        "properties": {
            "activities": {
                "type": "array",
                "items": {"$ref": _REF + "Activity"},
                "minItems": 1,
                "maxItems": activities.ACTIVITIES_MOST,
            }
        },
        "required": ["activities"],
        "additionalProperties": False,
    }
    unused = ("PartData", "WirePart", "ParcelData", "NothingData")
    for name in unused:
        found.pop(name, None)


def _activity(whole: Json, name: str, type_: Json, data: Json) -> Json:
    properties = {**whole["properties"], "type": type_, "data": data}
    required = [*whole["required"]]
    if "$ref" in data and not data["$ref"].endswith("MemberChangeData"):
        required.append("data")
    described = f"An activity of type `{type_['const']}`." if "const" in type_ else type_["description"]
    return {**whole, "title": name, "description": described, "properties": properties, "required": required}


def _say_what_is_always_there(found: Json, by_kind: Mapping[Any, Json], operations: Iterable[Operation]) -> None:
    """Answers spell out every field; only what callers send may leave fields out."""
    sent = {name for operation in operations for name in _reached(by_kind.get(operation.body, {}), found)}
    given = {
        name
        for operation in operations
        for part in _parts(operation.answer)
        for name in _reached(by_kind.get(part, {}), found)
    }
    for name in given - sent:
        if "properties" in found[name]:
            found[name]["required"] = list(found[name]["properties"])


def _reached(schema: Any, components: Json, seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """The components that a schema refers to, directly or through others."""
    if isinstance(schema, dict):
        name = str(schema.get("$ref", "")).removeprefix(_REF)
        if name and name not in seen:
            seen = _reached(components[name], components, seen | {name})
        for value in schema.values():
            seen = _reached(value, components, seen)
    elif isinstance(schema, list):
        for value in schema:
            seen = _reached(value, components, seen)
    return seen


# --- operations -------------------------------------------------------------------------------------------------------


def _operation(operation: Operation, wired: Mapping[Any, Json], example: Json) -> Json:
    shown: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary.en,
        "x-summary-zh-CN": operation.summary.zh,
        "description": operation.description,
    }
    if operation.scopes:
        shown["security"] = [{"key": [scope]} for scope in operation.scopes]
        shown["description"] += f"\n\nNeeds {' or '.join(f'`{scope}`' for scope in operation.scopes)}."
    else:
        shown["security"] = []
    parameters = _parameters(operation)
    if parameters:
        shown["parameters"] = parameters
    if operation.body is not None:
        shown["requestBody"] = _request(operation, wired, example)
    shown["responses"] = _responses(operation, wired, example)
    return shown


def _parameters(operation: Operation) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 200}}
        for name in operation.parameters
    ]
    if operation.query is not None:
        _, components = msgspec.json.schema_components([operation.query])
        for name, field in components[operation.query.__name__]["properties"].items():
            schema = field["anyOf"][0] if "anyOf" in field else field
            description = schema.pop("description", "")
            found.append({"name": name, "in": "query", "description": description, "schema": schema})
    if operation.takes_key:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Makes it safe to send the request again.",
                "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
            }
        )
    return found


def _request(operation: Operation, wired: Mapping[Any, Json], example: Json) -> Json:
    if operation.body is bytes:
        schema: Json = {"anyOf": [{"$ref": _REF + "Activity"}, {"$ref": _REF + "ActivityBatch"}]}
    else:
        schema = wired[operation.body]
    content: Json = {"application/json": {"schema": schema}}
    if "request" in example:
        content["application/json"]["example"] = example["request"]
    if operation.takes_text:
        content["application/yaml"] = {"schema": {"type": "string", "description": "The program document."}}
    return {"required": True, "content": content}


def _responses(operation: Operation, wired: Mapping[Any, Json], example: Json) -> Json:
    success: Json = {"description": f"{operation.summary.en}."}
    media_type = _TEXT.get(operation.name, "application/json")
    if operation.answer is not None:
        parts = _parts(operation.answer)
        is_text = media_type.startswith("text/")
        schema: Json = wired[parts[0]] if operation.answer is not str else {"type": "string" if is_text else "object"}
        if len(parts) > 1:
            schema = {"anyOf": [wired[part] for part in parts]}
        success["content"] = {media_type: {"schema": schema}}
        if "answer" in example:
            success["content"][media_type]["example"] = example["answer"]
    if operation.takes_key:
        success["headers"] = {
            "Idempotent-Replayed": {
                "description": "`true` where this is the first answer again.",
                "schema": {"type": "string", "const": "true"},
            }
        }
    responses: Json = {str(operation.status): success}
    by_status: dict[int, list[str]] = {}
    for code in operation.all_codes:
        by_status.setdefault(status_of(code), []).append(code)
    for status in sorted(by_status):
        responses[str(status)] = _problem(operation, by_status[status])
    return responses


def _problem(operation: Operation, codes: list[str]) -> Json:
    refused = operation.tag == "Activities" and any(code in REFUSALS or code == "invalid" for code in codes)
    problem = {"$ref": _REF + "Problem"}
    schema = {"anyOf": [{"$ref": _REF + "RefusedActivity"}, problem]} if refused else problem
    response: Json = {
        "description": "\n".join(f"- `{code}`: {title_of(code)}" for code in codes),
        "content": {
            MEDIA_TYPE: {
                "schema": schema,
                "examples": {code: {"$ref": _EXAMPLE + code} for code in codes},
            }
        },
    }
    if any(code in ("overloaded", "unavailable", "still_running") for code in codes):
        response["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
        }
    if "method_not_allowed" in codes:
        response["headers"] = {
            "Allow": {"description": "The methods that the address answers to.", "schema": {"type": "string"}}
        }
    if AUTHENTICATED[0] in codes:
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return response
