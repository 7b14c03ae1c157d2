"""The HTTP interface asked everything that its description allows, and much that it does not.

Schemathesis draws requests from openapi.json for a server that runs as it does for anybody; whatever is answered must
be as described, and nothing may be a server's error. Then real requests with strangers in the place of each of their
values, and bodies at their limits and over them. At the end the ledger must be sound.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from laurels.api.activities import ACTIVITIES_MOST
from laurels.api.body import DEPTH_MOST, NUMBER_DIGITS_MOST, TEXT_BYTES_MOST, oddities
from laurels.clock import RealClock
from laurels.proof.verifying import verify
from laurels.store.database import Database
from laurels.store.embedded import EmbeddedServer
from tests.attack.depth import seed_of, size
from tests.faults.load import open_shop
from tests.faults.serving import serving
from tests.hostile.business import PROGRAM, Request, live
from tests.postgres import drop_database
from tests.stage import laurels_database

SEED: Final = seed_of(1001)
EXAMPLES: Final = size(8, 300)
MUTATIONS: Final = size(250, 4000)
BODY_BYTES_MOST: Final = 200_000

DESCRIPTION: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "openapi.json").read_text(encoding="utf-8")
)
SCHEMA: Final = schemathesis.openapi.from_dict(DESCRIPTION)
OPERATIONS: Final[dict[str, Any]] = {
    operation.label: operation
    for operation in (found.ok() for found in SCHEMA.get_all_operations())  # type: ignore[union-attr]  # an error would have no ok(), and end here
}
CHECKS: Final = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


Here = tuple[str, httpx.Client, list[Request]]
"""Where the server is, a client that may do everything, and requests that are fine as they are."""


@pytest.fixture(scope="module")
def shop(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """A server with a member and some history; in the end all is verified."""
    url = laurels_database(server)
    secret = asyncio.run(open_shop(url, document=PROGRAM, mode="sandbox"))
    log = tmp_path_factory.mktemp("hostile") / "log"
    with (
        serving(url, log, LAURELS_BODY_BYTES_MOST=str(BODY_BYTES_MOST)) as running,
        httpx.Client(base_url=running.address, headers={"Authorization": f"Bearer {secret}"}, timeout=60) as client,
    ):
        yield running.address, client, live(client)
    defects = [line for line in log.read_text(encoding="utf-8").splitlines() if '"defect"' in line]
    assert defects == []

    async def judge() -> None:
        database = await Database.open(url, connections_most=3)
        try:
            assert (await verify(url, database, RealClock(), processes=1)).differences == []
        finally:
            await database.close()

    asyncio.run(judge())
    drop_database(server, url)


# --- what the description allows --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfit"])
@pytest.mark.parametrize("label", OPERATIONS)
def test_whatever_is_asked_is_answered_as_described(shop: Here, label: str, mode: GenerationMode) -> None:
    address, client, _asked = shop
    operation = OPERATIONS[label]

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=(Phase.generate,), derandomize=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        response = case.call(base_url=address, headers={"Authorization": client.headers["Authorization"]})
        case.validate_response(response, checks=CHECKS)

    print(f"LAURELS_SEED={SEED}")
    try:
        ask()
    except schemathesis.errors.InvalidSchema:
        raise
    except Exception as error:
        if type(error).__name__ in ("Unsatisfiable", "SkipTest"):
            pytest.skip("nothing unfit can be asked there")
        raise


# --- strangers in real requests ---------------------------------------------------------------------------------------

STRANGERS: Final[tuple[Any, ...]] = (
    "",
    " ",
    "\0",
    "a\0b",
    "\u202eevil",
    "\u2066x\u2069",
    "عربى",
    "﷽",
    "\U0001f9ff" * 50,
    "e\u0301" * 40,
    "=1+1",
    "@SUM(A1)",
    "-1",
    "+1",
    "'; drop table activity; --",
    "../../etc/passwd",
    "%00",
    "%n%s",
    "${x}",
    "{{x}}",
    "<script>",
    "\r\nX: y",
    "x" * 199,
    "x" * 200,
    "x" * 201,
    "x" * (TEXT_BYTES_MOST + 1),
    "9" * 400,
    "1e309",
    "NaN",
    "Infinity",
    "-0.00",
    "0.001",
    "1.0000000000000000000000000001",
    "00000.10",
    "99999999999999.99",
    "999999999999999.99",
    "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "2026-02-30T00:00:00Z",
    "2026-03-01T10:00:60Z",
    "2026-03-01",
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    10**39,
    10**300,
    0.1,
    -0.0,
    1e308,
    [],
    {},
    [[]],
    [{}],
    {"": ""},
    {"a": {"b": {"c": []}}},
    ["x"] * 300,
    {"\0": 1},
    {"\u202e": 1},
    [None] * 3,
)


IDS: Final = frozenset({"p-1", "p-2", "a-1", "r-1", "m-2", "x-1", "x-2", "x-3", "v-1", "c-1", "q-1", "q-2", "b-1"})


def places_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a JSON value."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places_in(value[key], (*path, key))
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from places_in(each, (*path, n))


def mutated(value: Any, chance: Random) -> Any:
    """The value with one or two places changed, lost, or said by another name."""
    value = copy.deepcopy(value)
    for _ in range(chance.randint(1, 2)):
        places = [place for place in places_in(value) if place]
        if not places:
            break
        *above, last = chance.choice(places)
        within = value
        for step in above:
            within = within[step]
        how = chance.randrange(8)
        if how == 0:
            del within[last]
        elif how == 1 and isinstance(within, dict):
            within[chance.choice(["", "x", "\u202e", "id", "data", "x" * 300])] = copy.deepcopy(within[last])
        elif how == 2 and isinstance(within, list):
            within.append(copy.deepcopy(within[last]))
        else:
            within[last] = copy.deepcopy(chance.choice(STRANGERS))
    return value


def assert_sane(answered: httpx.Response, sent: str) -> None:
    assert answered.status_code < 500, f"{answered.status_code} to {sent[:2000]}: {answered.text[:500]}"
    found = answered.json()
    assert found.get("code") != "internal_error", sent[:2000]
    for each in found.get("activities", ()):
        codes = [error["code"] for error in each["errors"]]
        assert "internal_error" not in codes, sent[:2000]


def test_a_stranger_in_any_place_of_a_request_is_refused_or_taken_and_never_a_defect(
    shop: Here,
) -> None:
    _address, client, requests = shop
    print(f"LAURELS_SEED={SEED}")
    chance = Random(SEED)
    statuses: dict[int, int] = {}
    for n in range(MUTATIONS):
        path, body = chance.choice(requests)
        body = mutated(body, chance)
        if isinstance(body, dict) and str(body.get("id")) in IDS and chance.random() < 0.7:
            # Another id, and another order, lest everything be a conflict with the first.
            body["id"] = f"n-{n}"
            if body.get("type") == "purchase" and isinstance(data := body.get("data"), dict) and "order" in data:
                data["order"] = f"n-{n}"
        sent = json.dumps(body, ensure_ascii=chance.random() < 0.5)
        if chance.random() < 0.1:
            # Half of a surrogate pair, which JSON can write and UTF-8 cannot.
            sent = sent.replace("a", "\\ud800", 1)
        answered = client.post(path, content=sent.encode(), headers={"Content-Type": "application/json"})
        assert_sane(answered, f"{path} {sent}")
        statuses[answered.status_code] = statuses.get(answered.status_code, 0) + 1
    print(statuses)
    assert statuses.get(200, 0) + statuses.get(201, 0) > MUTATIONS // 50
    assert statuses.get(422, 0) + statuses.get(400, 0) > MUTATIONS // 10


@pytest.mark.parametrize("value", [{}, {"a": 1}, 0.5, [1], [None], [["x"]]])
def test_an_attribute_that_no_member_could_keep_is_refused_and_the_member_stays_readable(
    shop: Here, value: Any
) -> None:
    """Undeclared attributes are kept as sent; one that the root document cannot hold would lock the member up."""
    _address, client, _asked = shop
    refused = client.patch("/v1/members/m-1", json={"attributes": {"odd": value}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/attributes/odd"), refused.text
    joining = client.post("/v1/members", json={"id": f"odd-{value}", "attributes": {"odd": value}})
    assert joining.status_code == 422, joining.text
    for path in ("/v1/members", "/v1/members/m-1"):
        assert client.get(path).status_code == 200
    kept = client.patch("/v1/members/m-1", json={"attributes": {"odd": ["x", "y"], "even": 2**60, "new": True}})
    assert kept.status_code == 200, kept.text


# --- at and over the limits -------------------------------------------------------------------------------------------


def check_in(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "type": "check_in", "member": "m-1", "occurred_at": "2026-03-01T10:00:00Z", "data": {}, **more}


def padded(length: int) -> bytes:
    """An activity of exactly so many bytes, most of them spaces."""
    raw = json.dumps(check_in(f"padded-{length}")).encode()
    return raw + b" " * (length - len(raw))


def test_each_limit_of_a_body_lets_through_what_fits_and_nothing_more(shop: Here) -> None:
    _address, client, _asked = shop

    def send(content: bytes) -> httpx.Response:
        answered = client.post("/v1/activities", content=content, headers={"Content-Type": "application/json"})
        assert_sane(answered, repr(content[:200]))
        return answered

    def code(answered: httpx.Response) -> Any:
        found: Any = answered.json()
        return found["errors"][0]["code"] if found.get("errors") else found.get("code", found.get("status", ""))

    assert send(padded(BODY_BYTES_MOST)).status_code == 200
    assert code(send(padded(BODY_BYTES_MOST + 1))) == "body_too_large"
    assert code(send(padded(BODY_BYTES_MOST * 20))) == "body_too_large"

    batch = [check_in(f"b-{n}") for n in range(ACTIVITIES_MOST + 1)]
    full = send(json.dumps({"activities": batch[:-1]}).encode())
    assert full.status_code == 200
    assert {each["status"] for each in full.json()["activities"]} == {"accepted"}
    assert code(send(json.dumps({"activities": batch}).encode())) == "too_many_activities"
    assert code(send(b'{"activities": []}')) == "too_many_activities"

    def deep(levels: int) -> bytes:
        inside = b"[" * levels + b"]" * levels
        return json.dumps(check_in(f"deep-{levels}")).encode().replace(b'"data": {}', b'"data": {"x": ' + inside + b"}")

    # Two levels are the activity's own.
    assert code(send(deep(DEPTH_MOST - 2))) != "too_deep"
    assert code(send(deep(DEPTH_MOST - 1))) == "too_deep"
    assert send(deep(60_000)).status_code in (400, 422)
    for digits, fits in ((NUMBER_DIGITS_MOST, True), (NUMBER_DIGITS_MOST + 1, False), (50_000, False)):
        raw = json.dumps(check_in(f"digits-{digits}")).encode().replace(b"{}", b'{"x": ' + b"9" * digits + b"}")
        assert (code(send(raw)) == "too_long") is not fits, digits
    for length, fits in ((TEXT_BYTES_MOST, True), (TEXT_BYTES_MOST + 1, False)):
        written = json.dumps(check_in(f"text-{length}", data={"x": "x" * length}))
        assert (code(send(written.encode())) == "too_long") is not fits, length


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"[", b"]"),
        (b'{"a": ', b"}"),
        (b'[{"a": ', b"}]"),
        # Brackets in texts that make up for those around them.
        (b'["]", ', b', "["]'),
        (b'{"}": ', b', "{": 0}'),
    ],
)
def test_depth_is_counted_by_what_is_nested_and_not_by_what_texts_look_like(before: bytes, after: bytes) -> None:
    levels = before.count(b"[") + before.count(b"{")
    most = DEPTH_MOST // levels
    for times, fits in ((most, True), (most + 1, False), (300, False)):
        raw = before * times + b"1" + after * times
        json.loads(raw)
        assert ([found.code for found in oddities(raw)] != ["too_deep"]) is fits, times


def test_addresses_and_queries_that_nobody_wrote_by_hand_are_answered(shop: Here) -> None:
    _address, client, _asked = shop
    strangers = ("%00", "%ff", "%e2%80%ae", "..%2f..", "%", "%zz", "x" * 201, "x" * 7000, "%25", "a%20b", "%0d%0aX:y")
    for stranger in strangers:
        for path in (
            f"/v1/members/{stranger}",
            f"/v1/members/{stranger}/balances",
            f"/v1/members/m-1/explanations/pos/{stranger}",
            f"/v1/redemptions/{stranger}",
            f"/v1/members?query={stranger}",
            f"/v1/members?cursor={stranger}",
            f"/v1/members/m-1/journal?limit={stranger}",
            f"/v1/program/versions/{stranger}",
            f"/docs/{stranger}",
        ):
            answered = client.get(path)
            assert answered.status_code < 500, f"{path}: {answered.text}"
