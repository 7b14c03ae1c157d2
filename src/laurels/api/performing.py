"""Performing an operation: who asks, may they, what do they want, was it answered before; then the handler, once.

What comes out is a `Reply` whatever happens: problems are replies too, and so is a defect.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

import asyncpg
import msgspec
from structlog.typing import FilteringBoundLogger

from laurels import log
from laurels.api.authentication import Caller
from laurels.api.body import (
    DOCUMENT_BYTES_MOST,
    TEXT_BYTES_MOST,
    TEXT_TYPES,
    Disconnected,
    Receive,
    check_head,
    decode,
    media_type,
    read_body,
    require_json,
    too_large,
    unreadable,
)
from laurels.api.operation import Call, Operation
from laurels.api.problem import MEDIA_TYPE, ApiProblem, invalid
from laurels.api.services import Services
from laurels.core.refusal import Refusal
from laurels.core.shape import misfits
from laurels.intake.submission import Overloaded, Unavailable
from laurels.store import idempotency
from laurels.store.outage import OUTAGES

JSON: Final = "application/json"
PARAMETER_MOST: Final = 200
KEY: Final = re.compile(rb"[!-~]{1,128}")
RUNNING_RETRY_S: Final = 1
KEY_PAUSES_S: Final = (0.02, 0.2)
"""How long to wait for the database before a key is finished or freed again."""
CLOSED_REQUEST: Final = 499

_encode: Final = msgspec.json.Encoder().encode
_encode_in_order: Final = msgspec.json.Encoder(order="deterministic").encode


class Reply(msgspec.Struct, frozen=True):
    """What goes back: a status, headers and a body."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: dict[str, str] = {}


class Replied(Exception):  # noqa: N818 - it carries an answer
    """Ends a handler with an answer that is not its operation's usual one."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Exchange(msgspec.Struct):
    """A request as far as its canonical log line and metrics are concerned. Nothing in it is personal."""

    request_id: str
    route: str = ""
    caller: Caller | None = None
    code: str = ""
    answered_again: bool = False
    status: int = 0
    counts: dict[str, int] = {}


class Asked(msgspec.Struct, frozen=True):
    """A request to an operation, still in bytes."""

    path: str
    parameters: Mapping[str, str]
    query: bytes
    headers: dict[bytes, bytes]
    receive: Receive
    arrived: bytes | None = None
    """The body, where it is there already."""


class Performer:
    """Performs operations with the services of this process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._log: FilteringBoundLogger = log.logger("laurels.api")
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {}

    async def perform(self, operation: Operation, asked: Asked, exchange: Exchange) -> Reply:
        """The reply to a request."""
        exchange.route = operation.route
        try:
            return await self._perform(operation, asked, exchange)
        except ApiProblem as problem:
            return problem_reply(problem, exchange)
        except Replied as replied:
            return replied.reply
        except Overloaded as overloaded:
            retry = {"Retry-After": str(overloaded.retry_after_s)}
            return problem_reply(ApiProblem("overloaded", headers=retry), exchange)
        except Unavailable as unavailable:
            self._log.warning("unavailable", request_id=exchange.request_id, why=str(unavailable))
            retry = {"Retry-After": str(unavailable.retry_after_s)}
            return problem_reply(ApiProblem("unavailable", headers=retry), exchange)
        except OUTAGES as outage:
            self._log.warning("unavailable", request_id=exchange.request_id, why=str(outage))
            return problem_reply(ApiProblem("unavailable", headers={"Retry-After": "1"}), exchange)
        except Disconnected:
            return Reply(CLOSED_REQUEST, b"")
        except Exception:  # noqa: BLE001 - a defect is logged with its trace, and answered as one
            self._log.exception("defect", request_id=exchange.request_id, route=exchange.route)
            return problem_reply(ApiProblem("internal_error"), exchange)

    async def _perform(self, operation: Operation, asked: Asked, exchange: Exchange) -> Reply:
        arguments: dict[str, Any] = {name: parameter(asked.parameters[name]) for name in operation.parameters}
        if not operation.scopes:
            return _reply(operation, await operation.handle(self._services, **arguments))
        caller = await self._services.keys.caller(asked.headers)
        exchange.caller = caller
        caller.require(*operation.scopes)
        key = idempotency_key(asked.headers) if operation.takes_key else None
        if operation.query is not None:
            arguments["query"] = query_of(asked.query, operation.query)
        body = b""
        if operation.body is not None:
            body = await self._body(asked)
            arguments["body"] = self._decoded(operation, asked, body)
        call = Call(self._services, caller, key, exchange.counts)
        if key is None:
            return _reply(operation, await operation.handle(call, **arguments))
        return await self._once(operation, asked, exchange, call, arguments, body, key)

    async def _body(self, asked: Asked) -> bytes:
        settings = self._services.settings
        most = settings.body_bytes_most
        if asked.arrived is not None:
            # There is nothing left to be received, also where this is too much.
            check_head(asked.headers, most)
            if len(asked.arrived) > most:
                raise too_large(most)
            return asked.arrived
        return await read_body(asked.receive, asked.headers, most, settings.body_seconds)

    def _decoded(self, operation: Operation, asked: Asked, body: bytes) -> Any:
        if operation.takes_text and media_type(asked.headers) in TEXT_TYPES:
            value = {"document": _text(body)}
            try:
                return msgspec.convert(value, operation.body)
            except msgspec.ValidationError:
                raise invalid(*misfits(value, operation.body)) from None
        if body:
            require_json(asked.headers)
        if operation.body is bytes:
            return body
        decoder = self._decoders.get(operation.name)
        if decoder is None:
            decoder = self._decoders[operation.name] = msgspec.json.Decoder(operation.body)
        return decode(
            body or b"{}", decoder, text_bytes_most=DOCUMENT_BYTES_MOST if operation.takes_text else TEXT_BYTES_MOST
        )

    async def _once(
        self,
        operation: Operation,
        asked: Asked,
        exchange: Exchange,
        call: Call,
        arguments: dict[str, Any],
        body: bytes,
        key: str,
    ) -> Reply:
        """The same answer for the same key, with the handler run once."""
        services, program = self._services, call.program
        print = idempotency.fingerprint(operation.method, asked.path, canonical(body))
        begun = await idempotency.begin(services.database, services.clock, program, key, print)
        if isinstance(begun, Refusal):
            waits = {"Retry-After": str(RUNNING_RETRY_S)} if begun.code == "still_running" else {}
            raise ApiProblem(begun.code, begun.detail, headers=waits)
        if begun is not None:
            exchange.answered_again = True
            return Reply(begun.status, begun.body.encode(), headers={"Idempotent-Replayed": "true"})
        try:
            reply = _reply(operation, await operation.handle(call, **arguments))
        except Exception:
            await self._free(program, key, exchange)
            raise
        answer = idempotency.Answer(reply.status, reply.body.decode())
        await _in_spite_of_outages(lambda: idempotency.finish(services.database, services.clock, program, key, answer))
        return reply

    async def _free(self, program: str, key: str, exchange: Exchange) -> None:
        """Frees a key after a failure; where that fails too, the key frees itself after a while."""
        try:
            await _in_spite_of_outages(lambda: idempotency.abandon(self._services.database, program, key))
        except (asyncpg.PostgresError, *OUTAGES) as error:
            self._log.warning("key_not_freed", request_id=exchange.request_id, why=str(error))


async def _in_spite_of_outages(act: Callable[[], Awaitable[None]]) -> None:
    """Does what may be done twice, again where the database was away for a moment.

    Who sends the request again would have to wait until its key is free.
    """
    for pause_s in KEY_PAUSES_S:
        try:
            await act()
            return
        except OUTAGES:
            await asyncio.sleep(pause_s)
    await act()


def canonical(body: bytes) -> bytes:
    """The body with its spaces and the order of its keys out of the way, where it is JSON."""
    try:
        return _encode_in_order(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body


def _reply(operation: Operation, value: Any) -> Reply:
    if isinstance(value, Reply):
        return value
    return Reply(operation.status, b"" if value is None else _encode(value))


def problem_reply(problem: ApiProblem, exchange: Exchange) -> Reply:
    """A problem as the reply."""
    exchange.code = problem.code
    return Reply(problem.status, problem.body(), MEDIA_TYPE, problem.headers)


def parameter(raw: str) -> str:
    """A path parameter, decoded; what can be no id is at no address."""
    try:
        value = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise ApiProblem("no_such_route", "A part of the address is not UTF-8.") from None
    if not value or len(value) > PARAMETER_MOST or "\0" in value:
        raise ApiProblem("no_such_route", f"An id has 1 to {PARAMETER_MOST} characters and no U+0000.")
    return value


def query_of(raw: bytes, kind: Any) -> Any:
    """The query as a value; a problem that names what does not fit."""
    try:
        pairs = dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, strict_parsing=bool(raw), errors="strict"))
        if any("\0" in value for value in pairs.values()):
            raise ApiProblem("malformed_query", "It contains U+0000.")
        return msgspec.convert(pairs, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ApiProblem("malformed_query", str(error)) from None
    except ValueError:
        raise ApiProblem("malformed_query", "It is not a well-formed query string.") from None


def idempotency_key(headers: Mapping[bytes, bytes]) -> str | None:
    """The Idempotency-Key, if one was sent."""
    stated = headers.get(b"idempotency-key")
    if stated is None:
        return None
    if not KEY.fullmatch(stated):
        raise ApiProblem("malformed_key")
    return stated.decode("ascii")


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise unreadable(body, error) from None
