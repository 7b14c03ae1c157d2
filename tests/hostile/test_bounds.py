"""Every bound that the description states for a value in a body: what lies at it passes, what lies over it is named.

Bounds of bodies as a whole (bytes, depth, digits, activities) are in test_interface.py. Here a request that is fine is
taken beside its schema, and each text, list and number that has a bound gets a value at it and one over it.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from laurels.api.body import DOCUMENT_BYTES_MOST
from laurels.api.paging import LIMIT_MOST
from laurels.api.performing import PARAMETER_MOST
from laurels.core.program.document import BYTES_MOST
from laurels.core.wire import FIELDS_MOST
from tests.api.harness import Api, api, route_of
from tests.hostile.business import BATCH, CHECK_IN, ISSUE, MEMBER, PROGRAM, PURCHASE, QUOTE, REQUESTS, RETURN, Request
from tests.stage import asynchronous

DESCRIPTION: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "openapi.json").read_text(encoding="utf-8")
)

OF_ACTIVITIES: Final[tuple[dict[str, Any], ...]] = (
    {"type": "transfer", "data": {"to": "m-2", "wallet": "points", "points": 1}},
    {"type": "adjustment", "data": {"wallet": "points", "points": -1, "reason": "x", "expires_at": None}},
    {
        "type": "opening_balance",
        "data": {"wallet": "points", "lots": [{"points": 1, "earned_at": "2026-01-01T00:00:00Z"}]},
    },
    {"type": "extension", "data": {"wallet": "points", "expires_at": None, "reason": "x", "lots": ["1.0"]}},
    {"type": "reinstatement", "data": {"wallet": "points", "expires_at": None, "reason": "x", "lots": ["1.0"]}},
    {"type": "voucher_claim", "data": {"code": "CODE"}},
)

ASKED: Final[tuple[Request, ...]] = (
    *[(path, body) for path, body in REQUESTS if path not in ("/v1/activities", "/v1/quotes", "/v1/members")],
    *[("/v1/activities", {**CHECK_IN, **each}) for each in (PURCHASE, RETURN, ISSUE, *OF_ACTIVITIES)],
    ("/v1/activities", {**CHECK_IN, **PURCHASE, "data": {**PURCHASE["data"], "quote": "q", "vouchers": ["X"]}}),
    ("/v1/quotes", QUOTE),
    ("/v1/members", {**MEMBER, "referral_code": "x"}),
    ("/v1/voucher_batches", BATCH),
)

Bound = tuple[tuple[str | int, ...], str, int]
"""The place of a value, a word of the schema, and what it says."""

WORDS: Final = ("maxLength", "maxItems", "maximum", "minimum")
BOUNDS_LEAST: Final = 100
"""That so many are found shows that schemas are walked to their leaves."""


def meant(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """The part of a schema that speaks of the value."""
    while True:
        if "$ref" in schema:
            found: Any = DESCRIPTION
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        elif several := schema.get("anyOf") or schema.get("oneOf"):
            fitting = [each for part in several if speaks_of(each := meant(part, value), value)]
            if not fitting:
                return {}
            schema = fitting[0]
        else:
            return schema


def speaks_of(schema: dict[str, Any], value: Any) -> bool:
    """Whether a schema without choices is of the value's type, and of its activity's type."""
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    if not isinstance(value, types.get(schema.get("type", ""), object)):
        return False
    if isinstance(value, dict):
        said = schema.get("properties", {})
        kind = said.get("type", {})
        stated = kind.get("enum") or ([kind["const"]] if "const" in kind else None)
        return value.keys() <= said.keys() and (stated is None or value.get("type") in stated)
    return True


def bounds_of(schema: dict[str, Any], value: Any, place: tuple[str | int, ...] = ()) -> Iterator[Bound]:
    """The bounds of everything in the value."""
    schema = meant(schema, value)
    yield from ((place, word, schema[word]) for word in WORDS if word in schema)
    if isinstance(value, dict):
        for name, each in value.items():
            yield from bounds_of(schema.get("properties", {}).get(name, {}), each, (*place, name))
    elif isinstance(value, list) and value:
        yield from bounds_of(schema.get("items", {}), value[0], (*place, 0))


def put(body: dict[str, Any], bound: Bound, over: int) -> dict[str, Any]:
    """The body with a value that lies so far over the bound."""
    (*above, last), word, most = bound
    body = copy.deepcopy(body)
    within: Any = body
    for step in above:
        within = within[step]
    if word == "maxLength":
        within[last] = "1" * (most + over)
    elif word == "maxItems":
        # As little of each as there can be, lest it be the whole body that is too large.
        within[last] = [{"line": "1", "amount": "1.00"} if last == "lines" else within[last][0]] * (most + over)
    else:
        within[last] = most + over if word == "maximum" else most - over
    return body


@asynchronous
async def test_every_bound_of_a_value_lets_through_what_lies_at_it_and_names_what_lies_over(url: str) -> None:
    tried: set[tuple[str, str, tuple[str | int, ...], str]] = set()
    async with api(url, document=PROGRAM) as here:
        await here.enrol("m-1")
        for path, body in ASKED:
            route = route_of(path)
            assert route is not None
            asked = DESCRIPTION["paths"][route]["post"]["requestBody"]["content"]["application/json"]["schema"]
            for bound in bounds_of(asked, body):
                place, word, _most = bound
                key = (route, body.get("type", ""), place, word)
                if key in tried or not place:
                    continue
                tried.add(key)
                pointer = "".join(f"/{step}" for step in place)
                fits, does_not = [await complaints(here, path, put(body, bound, over)) for over in (0, 1)]
                code = "too_long" if word.startswith("max") and word != "maximum" else "invalid"
                assert (pointer, code) in does_not, f"{path} {bound}: {does_not}"
                if code == "too_long":
                    assert (pointer, code) not in fits, f"{path} {bound}: {fits}"
                else:
                    assert pointer not in {each[0] for each in fits}, f"{path} {bound}: {fits}"
    routes = {each[0] for each in tried}
    print(f"{len(tried)} bounds of {len(routes)} operations")
    assert len(tried) >= BOUNDS_LEAST
    assert {"/v1/voucher_batches", "/v1/rewards/{reward}/stock", "/v1/program/campaigns/{campaign}/stop"} <= routes


async def complaints(here: Api, path: str, body: dict[str, Any]) -> set[tuple[str, str]]:
    """Pointers and codes of what does not fit; the answer is one of those declared, and no server's error."""
    answered = await here.call("POST", path, body)
    assert answered.status_code < 500, answered.text
    return {(each["pointer"], each["code"]) for each in answered.json().get("errors", ())}


LIST = "/v1/rewards"


@asynchronous
async def test_what_no_schema_can_state_is_bounded_as_the_page_says(url: str) -> None:
    async with api(url, document=PROGRAM) as here:
        await here.enrol("m-1")

        async def code(path: str, body: Any = None, method: str = "POST", **more: Any) -> str:
            """The code of what is wrong; "" if nothing is."""
            answered = await here.call(method, path, body, **more)
            assert answered.status_code < 500, answered.text
            found = answered.json()
            errors = [each["code"] for each in found.get("errors", ()) or found.get("findings", ())]
            return next(iter(errors), found["code"] if answered.status_code >= 400 else "")

        def fields(**values: Any) -> dict[str, Any]:
            return {**CHECK_IN, "id": f"f-{next(numbers)}", "data": values}

        numbers = itertools.count()
        activities = "/v1/activities"
        assert await code(activities, fields(**{f"x{n}": 1 for n in range(FIELDS_MOST)})) == ""
        assert await code(activities, fields(**{f"x{n}": 1 for n in range(FIELDS_MOST + 1)})) == "too_many_fields"

        assert await code(f"{LIST}?limit={LIMIT_MOST}", method="GET") == ""
        assert await code(f"{LIST}?limit={LIMIT_MOST + 1}", method="GET") == "malformed_query"
        assert await code(f"/v1/members/{'x' * PARAMETER_MOST}", method="GET") == "no_such_member"
        assert await code(f"/v1/members/{'x' * (PARAMETER_MOST + 1)}", method="GET") == "no_such_route"
        mug = "/v1/rewards/mug/stock"
        assert await code(mug, {"by": 1, "reason": "counted"}, key="k" * 128) == ""
        assert await code(mug, {"by": 1, "reason": "counted"}, key="k" * 129) == "malformed_key"

        def document(size: int) -> dict[str, str]:
            return {"document": PROGRAM + "#" * (size - len(PROGRAM.encode()))}

        for path in ("/v1/program/check", "/v1/program/plan", "/v1/program/versions"):
            assert await code(path, document(BYTES_MOST)) == ""
            assert await code(path, document(BYTES_MOST + 1)) == "too_large"
            assert await code(path, document(DOCUMENT_BYTES_MOST + 1)) == "too_long"
        yaml = {"Content-Type": "application/yaml"}
        for size, wrong in ((BYTES_MOST, ""), (BYTES_MOST + 1, "too_large"), (DOCUMENT_BYTES_MOST + 1, "too_large")):
            raw = document(size)["document"].encode()
            assert await code("/v1/program/check", content=raw, headers=yaml) == wrong, size
