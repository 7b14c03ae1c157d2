"""`openapi.json` is current, complete and true."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler

from laurels.api import application
from laurels.api.activities import BatchAnswer, Envelope
from laurels.api.openapi import OPERATIONS, document, openapi_text
from laurels.api.operation import Operation
from laurels.api.problem import FINDINGS
from laurels.api.scopes import SCOPES
from tests.api import page
from tests.api.harness import declared

ROOT = Path(__file__).parents[2]
DOCUMENT = document()
SHOWN = [(path, method, shown) for path, methods in DOCUMENT["paths"].items() for method, shown in methods.items()]


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)


def test_checked_in_document_is_current() -> None:
    kept = (ROOT / "openapi.json").read_text(encoding="utf-8")
    assert kept == openapi_text(), "write it anew: laurels openapi > openapi.json"


def test_document_has_every_route_that_litestar_serves() -> None:
    served = {
        (re.sub(r":str\}", "}", route.path_format if hasattr(route, "path_format") else route.path), method)
        for route in application._litestar(None, OPERATIONS).routes  # type: ignore[arg-type]  # nothing is performed
        for handler in route.route_handlers  # type: ignore[union-attr]  # all of ours are HTTP routes
        if isinstance(handler, HTTPRouteHandler)
        for method in handler.http_methods
        if method != "OPTIONS"
    }
    assert served == {(path, method.upper()) for path, method, _shown in SHOWN}


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    used = {each["$ref"] for each in walk(DOCUMENT) if "$ref" in each}
    kinds = ("schemas", "examples")
    assert used == {f"#/components/{kind}/{name}" for kind in kinds for name in DOCUMENT["components"][kind]}


def test_operation_ids_are_unique_and_every_operation_says_what_it_does() -> None:
    assert len({shown["operationId"] for _path, _method, shown in SHOWN}) == len(SHOWN)
    for path, method, shown in SHOWN:
        assert shown["summary"], (path, method)
        assert shown["x-summary-zh-CN"], (path, method)
        assert shown["description"], (path, method)
        assert shown["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}


def test_every_path_parameter_is_declared() -> None:
    for path, _method, shown in SHOWN:
        declared_here = {each["name"] for each in shown.get("parameters", ()) if each["in"] == "path"}
        assert declared_here == set(re.findall(r"{(\w+)}", path))


def test_every_address_says_that_it_does_not_answer_to_other_methods() -> None:
    for path, method, shown in SHOWN:
        refused = shown["responses"].get("405")
        assert refused is not None, (path, method)
        assert "Allow" in refused["headers"]


def test_only_existing_scopes_are_asked_for() -> None:
    for operation in OPERATIONS:
        assert set(operation.scopes) <= set(SCOPES)
        assert operation.scopes or operation.tag == "Operation"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_example_fits_its_types(operation: Operation) -> None:
    example = json.loads((ROOT / "src/laurels/api/examples.json").read_text(encoding="utf-8")).get(operation.name, {})
    if operation.body is not None:
        body = Envelope if operation.body is bytes else operation.body
        msgspec.json.decode(json.dumps(example["request"]), type=body)
    if operation.tag != "Operation" and operation.answer is not None:
        answer = operation.answer if isinstance(operation.answer, type) else operation.answer.__args__[0]
        decoded = msgspec.json.decode(json.dumps(example["answer"]), type=answer)
        assert json.loads(msgspec.json.encode(decoded)) == example["answer"]


def test_example_that_does_not_fit_is_noticed() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"activities": [{"status": "fine"}]}', type=BatchAnswer)


def test_every_code_of_a_finding_is_in_the_table() -> None:
    sources = [
        *ROOT.glob("src/laurels/api/*.py"),
        *ROOT.glob("src/laurels/intake/*.py"),
        ROOT / "src/laurels/core/activity.py",
    ]
    named = re.compile(r'\b(?:Finding|Problem)\(\s*(?:f?"[^"]*"|\w+),\s*"(\w+)"')
    codes = {code for source in sources for code in named.findall(source.read_text(encoding="utf-8"))}
    assert len(codes) > 20, "the pattern finds what it looks for"
    assert codes - set(FINDINGS) == set()


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/v1/program", 418, {}),
        ("GET", "/v1/program", 409, {"code": "unknown_order"}),
        ("POST", "/v1/clock", 422, {"code": "unknown_wallet"}),
        ("GET", "/v1/nothing", 200, {}),
    ],
)
def test_undeclared_answer_is_noticed(method: str, path: str, status: int, body: Any) -> None:
    media = "application/problem+json" if "code" in body else "application/json"
    answered = httpx.Response(status, content=json.dumps(body), headers={"content-type": media})
    with pytest.raises(AssertionError):
        declared(method, path, answered)


def test_page_on_the_interface_is_current() -> None:
    text = page.PATH.read_text(encoding="utf-8")
    assert text == page.made(text), "python -m tests.api.page writes it anew"
