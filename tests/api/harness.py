"""The whole application in this process, asked over ASGI, on a real database; and what it may answer.

Every answer that a test gets is held against `openapi.json`: a status, a problem code or a media type that is not
declared for the route fails the test that saw it.
"""

import io
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from laurels import log, wiring
from laurels.api.application import Entrance
from laurels.api.metrics import Metrics
from laurels.api.openapi import document
from laurels.api.publishing import Published
from laurels.clock import SetClock
from laurels.core.calendar import parse_instant
from laurels.settings import Settings
from laurels.store.programs import Mode
from laurels.wiring import Application

HERE = Path(__file__).parent
PROGRAM = (HERE / "program.yaml").read_text(encoding="utf-8")
NOW = "2026-06-01T12:00:00+08:00"

_DECLARED: dict[str, Any] = document()["paths"]
_ROUTES = {
    path: re.compile(
        "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"({\w+})", path))
    )
    for path in _DECLARED
}

Json = Any


class Api(msgspec.Struct):
    """A running application and a key for it."""

    running: Application
    entrance: Entrance
    metrics: Metrics
    clock: SetClock
    client: httpx.AsyncClient
    secret: str
    seen: set[tuple[str, int, str]]
    log: io.StringIO

    async def call(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        content: bytes | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        secret: str | None = None,
    ) -> httpx.Response:
        """The answer, which is one of those that are declared. `key` is an Idempotency-Key."""
        sent = {"Authorization": f"Bearer {secret or self.secret}"}
        if body is not None or content is not None:
            sent["Content-Type"] = "application/json"
        if key is not None:
            sent["Idempotency-Key"] = key
        sent.update(headers or {})
        payload = json.dumps(body, ensure_ascii=False).encode() if body is not None else content
        answered = await self.client.request(method, path, content=payload, headers=sent)
        self.seen.add(declared(method, path, answered))
        return answered

    async def get(self, path: str) -> Json:
        """What is there."""
        answered = await self.call("GET", path)
        assert answered.status_code == 200, answered.text
        return answered.json()

    async def post(self, path: str, body: Json, *, key: str | None = None) -> Json:
        """What came of it, which went well."""
        answered = await self.call("POST", path, body, key=key)
        assert answered.status_code in (200, 201), answered.text
        return answered.json()

    async def enrol(self, member: str, at: str = "2026-02-01T10:00:00+08:00", **more: Json) -> Json:
        """A member joins."""
        return await self.post(
            "/v1/members", {"id": member, "enrolled_at": at, **more}, key=f"enrol-{quote(member, safe='')}"
        )

    async def send(self, type: str, id: str, member: str, data: Json, at: str = "2026-03-03T10:00:00+08:00") -> Json:
        """What became of an activity that was accepted."""
        answered = await self.post("/v1/activities", activity(type, id, member, data, at))
        assert answered["status"] == "accepted", answered
        return answered

    async def give(
        self, member: str, points: int, id: str | None = None, at: str = "2026-03-03T10:00:00+08:00"
    ) -> None:
        """Points out of thin air."""
        data = {"wallet": "points", "points": points, "reason": "to begin with"}
        await self.send("adjustment", id or f"give-{member}-{points}", member, data, at)

    async def key(self, *scopes: str, source: str = "pos") -> str:
        """A key with these scopes."""
        secret, _known = await wiring.make_key(self.running, "cafe", source=source, name="another", scopes=scopes)
        return secret


def activity(
    type: str, id: str, member: str, data: Json, at: str = "2026-03-03T10:00:00+08:00", **more: Json
) -> dict[str, Json]:
    """An activity as a till would send it."""
    return {"source": "pos", "id": id, "type": type, "member": member, "occurred_at": at, "data": data, **more}


def purchase(order: str, *lines: tuple[str, str], **more: Json) -> dict[str, Json]:
    """The data of a purchase, its lines as (category, amount)."""
    spelled = [
        {"line": str(n), "category": category, "amount": amount} for n, (category, amount) in enumerate(lines, 1)
    ]
    return {"order": order, "lines": spelled, **more}


def route_of(path: str) -> str | None:
    """The declared path that an address belongs to; the most literal one where several fit."""
    bare = path.partition("?")[0]
    fitting = [route for route, pattern in _ROUTES.items() if pattern.fullmatch(bare)]
    return min(fitting, key=lambda route: route.count("{")) if fitting else None


def declared(method: str, path: str, answered: httpx.Response) -> tuple[str, int, str]:
    """(route, status, code) of an answer; fails unless that is declared."""
    route = route_of(path)
    status = answered.status_code
    media = answered.headers.get("content-type", "").partition(";")[0]
    code = answered.json()["code"] if media == "application/problem+json" else ""
    if route is None or method.lower() not in _DECLARED[route]:
        assert (status, code) in ((404, "no_such_route"), (405, "method_not_allowed")), answered.text
        return f"{method} -", status, code
    response = _DECLARED[route][method.lower()]["responses"].get(str(status))
    assert response is not None, f"{method} {route} does not declare {status}: {answered.text}"
    if status != 204:
        assert media in response["content"] or media == "text/css", f"{method} {route} does not declare {media}"
    if code:
        examples = response["content"]["application/problem+json"]["examples"]
        assert code in examples, f"{method} {route} does not declare {status} {code}"
    return f"{method} {route}", status, code


@asynccontextmanager
async def api(
    url: str,
    *,
    document: str | None = PROGRAM,
    mode: Mode = "sandbox",
    scopes: tuple[str, ...] = ("admin",),
    now: str = NOW,
    **settings: Any,
) -> AsyncIterator[Api]:
    """The application on a database with the schema in it, with a program called `cafe` and a key for its till."""
    clock = SetClock(parse_instant(now))
    metrics = Metrics()
    lines = io.StringIO()
    chosen = Settings(database_url=url, **settings)
    log.configure(chosen, lines)
    async with wiring.application(chosen, clock) as running:
        secret, _known = await wiring.make_key(running, "cafe", source="pos", name="till", scopes=scopes, mode=mode)
        if document is not None:
            assert isinstance(await wiring.publish(running, document), Published)
        entrance = wiring.entrance(running, metrics)
        transport = httpx.ASGITransport(app=entrance, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://laurels.test") as client:
            yield Api(running, entrance, metrics, clock, client, secret, set(), lines)
