"""The ASGI application: one entrance that watches every request, the activities' own short way, Litestar for the rest.

The entrance gives each request an id, writes its one canonical log line and measures it. Activities are performed
without a framework in between; every other operation is routed by Litestar. Both end in the same `Performer`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, cast

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from structlog.typing import FilteringBoundLogger

from laurels import log
from laurels.api.connection import answered, arrived
from laurels.api.openapi import OPERATIONS
from laurels.api.operation import PARAMETER, Operation
from laurels.api.performing import Asked, Exchange, Performer, Reply, problem_reply
from laurels.api.problem import ApiProblem
from laurels.api.services import Services
from laurels.ids import new_id

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_EXCHANGE: Final = "laurels.exchange"
_ACTIVITIES: Final = next(each for each in OPERATIONS if each.path == "/v1/activities")
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_ALWAYS: Final = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
_UNLESS_SAID: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


_KEPT: Final = b"".join(b"%b: %b\r\n" % header for header in (*_ALWAYS, *_UNLESS_SAID))


class Entrance:
    """The application as uvicorn calls it."""

    def __init__(self, services: Services, operations: Iterable[Operation] = OPERATIONS) -> None:
        self._services = services
        self._performer = Performer(services)
        self._litestar = cast(Application, _litestar(self._performer, operations))
        self._log: FilteringBoundLogger = log.logger("laurels.request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_ns = time.perf_counter_ns()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        exchange = Exchange(self._request_id(headers), counts={})
        metrics = self._services.metrics
        metrics.running += 1

        try:
            if scope["path"] == _ACTIVITIES.path and scope["method"] == _ACTIVITIES.method:
                asked = Asked(_ACTIVITIES.path, {}, scope["query_string"], headers, receive, arrived(scope))
                reply = await self._performer.perform(_ACTIVITIES, asked, exchange)
                if not _sent_whole(reply, exchange, scope):
                    await _send(reply, exchange, send)
            else:

                async def watched(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        exchange.status = message["status"]
                        message["headers"] = _with_headers(message.get("headers", ()), exchange.request_id)
                    await send(message)

                # Undecoded, so that an id with a slash in it stays one part of the address.
                path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
                await self._litestar({**scope, "path": path, _EXCHANGE: exchange}, receive, watched)
        finally:
            metrics.running -= 1
            self._note(exchange, scope["method"], (time.perf_counter_ns() - started_ns) / 1e9)

    def _request_id(self, headers: dict[bytes, bytes]) -> str:
        stated = headers.get(b"x-request-id")
        if stated is not None and _REQUEST_ID.fullmatch(stated):
            return stated.decode("ascii")
        return new_id(self._services.clock.now())

    def _note(self, exchange: Exchange, method: str, seconds: float) -> None:
        """The canonical line of the request, and its measurement."""
        route = exchange.route or f"{method} -"
        self._services.metrics.request(route, exchange.status, seconds)
        caller = exchange.caller
        self._log.info(
            "request",
            request_id=exchange.request_id,
            program=caller.program if caller else None,
            key=(caller.name or caller.key) if caller else None,
            route=route,
            status=exchange.status,
            code=exchange.code or None,
            answered_again=exchange.answered_again,
            duration_ms=round(seconds * 1000, 3),
            **exchange.counts,
        )


def _litestar(performer: Performer, operations: Iterable[Operation]) -> Litestar:
    return Litestar(
        route_handlers=[_handler(performer, operation) for operation in operations],
        exception_handlers={HTTPException: _misrouted, Exception: _failed},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
        debug=False,
        pdb_on_exception=False,
    )


def _handler(performer: Performer, operation: Operation) -> HTTPRouteHandler:
    async def perform(request: Request[Any, Any, Any]) -> Response[bytes]:
        scope: Any = request.scope
        receive: Any = request.receive
        headers = dict(scope["headers"])
        asked = Asked(scope["path"], request.path_params, scope["query_string"], headers, receive)
        reply = await performer.perform(operation, asked, scope[_EXCHANGE])
        return _response(reply)

    path = PARAMETER.sub(lambda found: f"{{{found[1]}:str}}", operation.path)
    handler = HTTPRouteHandler(path, http_method=operation.method, name=operation.name, status_code=200)
    return handler(perform)


def _response(reply: Reply) -> Response[bytes]:
    # Litestar states the character set of texts itself.
    media_type = reply.media_type.removesuffix("; charset=utf-8")
    return Response(content=reply.body, status_code=reply.status, media_type=media_type, headers=dict(reply.headers))


def _misrouted(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What Litestar itself refuses: an address or a method that is not there."""
    scope: Any = request.scope
    allowed = (error.headers or {}).get("allow")
    if error.status_code == 405 and allowed is not None:
        problem = ApiProblem("method_not_allowed", f"It answers to {allowed}.", headers={"Allow": allowed})
    elif error.status_code == 404:
        problem = ApiProblem("no_such_route")
    else:
        return _failed(request, error)
    return _response(problem_reply(problem, scope[_EXCHANGE]))


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A defect between the entrance and the performer."""
    scope: Any = request.scope
    log.logger("laurels.request").error("defect", request_id=scope[_EXCHANGE].request_id, exc_info=error)
    return _response(problem_reply(ApiProblem("internal_error"), scope[_EXCHANGE]))


def _sent_whole(reply: Reply, exchange: Exchange, scope: Scope) -> bool:
    """Whether the reply could be sent without ASGI's messages."""
    if reply.headers:
        return False
    exchange.status = reply.status
    headers = b"content-type: %b\r\ncontent-length: %d\r\n%bx-request-id: %b\r\n" % (
        reply.media_type.encode(),
        len(reply.body),
        _KEPT,
        exchange.request_id.encode(),
    )
    return answered(scope, reply.status, headers, reply.body)


async def _send(reply: Reply, exchange: Exchange, send: Send) -> None:
    exchange.status = reply.status
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        *[(name.lower().encode(), value.encode()) for name, value in reply.headers.items()],
    ]
    found = _with_headers(headers, exchange.request_id)
    await send({"type": "http.response.start", "status": reply.status, "headers": found})
    await send({"type": "http.response.body", "body": reply.body})


def _with_headers(headers: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    found = list(headers)
    names = {name for name, _value in found}
    found.extend(_ALWAYS)
    found.extend([each for each in _UNLESS_SAID if each[0] not in names])
    found.append((b"x-request-id", request_id.encode()))
    return found


async def _live(receive: Receive, send: Send) -> None:
    """Whoever built the services starts and stops them; there is nothing left to do here."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
