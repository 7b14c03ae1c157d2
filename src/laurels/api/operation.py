"""Operations: every route declared once, with what it takes, answers and may refuse.

The handler's signature is the declaration: path parameters by name, `query` and `body` by their types, the answer by
its return type. Routing, decoding, authorisation, idempotency and `openapi.json` all read it, so none can say something
else. Handlers get values and return values; what ends a request otherwise is raised as an `ApiProblem`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from types import NoneType
from typing import Any, Final, Literal, TypeVar, get_type_hints

import msgspec

from laurels.api.authentication import Caller
from laurels.api.services import Services
from laurels.core.explanation import Sentence

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Tag = Literal["Activities", "Members", "Redemptions", "Rewards", "Vouchers", "Draws", "Program", "Operation"]

PARAMETER: Final = re.compile(r"\{(\w+)\}")

# `method_not_allowed` is said of an address: it stands with every method that the address does answer to.
COMMON: Final = ("internal_error", "unavailable", "method_not_allowed")
AUTHENTICATED: Final = ("unauthenticated", "scope_missing")
WITH_BODY: Final = ("malformed_body", "invalid", "body_too_large", "body_too_slow", "unsupported_media_type")
WITH_PARAMETERS: Final = ("no_such_route",)
WITH_QUERY: Final = ("malformed_query",)
WITH_KEY: Final = ("malformed_key", "idempotency_conflict", "still_running")


class Call:
    """One request to an operation that needs a key."""

    __slots__ = ("caller", "counts", "idempotency_key", "services")

    def __init__(self, services: Services, caller: Caller, idempotency_key: str | None, counts: dict[str, int]) -> None:
        self.services = services
        self.caller = caller
        self.idempotency_key = idempotency_key
        self.counts = counts

    @property
    def program(self) -> str:
        """The program that the key belongs to."""
        return self.caller.program


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty object."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a route. `handle` is awaited with the call and the parameters by name.

    `codes` are the problems and refusals that it may answer beside those that follow from its form.
    """

    name: str
    method: Method
    path: str
    tag: Tag
    summary: Sentence
    description: str
    scopes: tuple[str, ...]
    status: int
    codes: tuple[str, ...]
    parameters: tuple[str, ...]
    query: Any = None
    body: Any = None
    answer: Any = None
    takes_text: bool = False
    takes_key: bool = False
    handle: Any = None

    @property
    def route(self) -> str:
        """How logs and metrics name it."""
        return f"{self.method} {self.path}"

    @property
    def all_codes(self) -> tuple[str, ...]:
        """Every problem and refusal that it may answer, by its form and by what it does."""
        codes = [*COMMON, *self.codes]
        if self.scopes:
            codes += AUTHENTICATED
        if self.body is not None:
            codes += WITH_BODY
        if self.parameters:
            codes += WITH_PARAMETERS
        if self.query is not None:
            codes += WITH_QUERY
        if self.takes_key:
            codes += WITH_KEY
        return tuple(sorted(set(codes)))


H = TypeVar("H", bound=Callable[..., Awaitable[Any]])

_MARK: Final = "__laurels_operation__"


def operation(
    method: Method,
    path: str,
    *,
    tag: Tag,
    summary: Sentence,
    scopes: tuple[str, ...] = (),
    status: int = 200,
    codes: tuple[str, ...] = (),
    takes_text: bool = False,
    takes_key: bool | None = None,
) -> Callable[[H], H]:
    """Declares the function as the handler of a route; its docstring is the description."""

    def declare(handler: H) -> H:
        hints = get_type_hints(handler, include_extras=True)
        names = [name for name in inspect.signature(handler).parameters if name not in ("call", "services")]
        parameters = tuple(PARAMETER.findall(path))
        assert {*names} - {"query", "body"} == {*parameters}, f"{handler.__name__}: {names} do not fit {path}"
        answer = hints.get("return")
        declared = Operation(
            name=handler.__name__,
            method=method,
            path=path,
            tag=tag,
            summary=summary,
            description=inspect.cleandoc(handler.__doc__ or ""),
            scopes=scopes,
            status=status,
            codes=codes,
            parameters=parameters,
            query=hints.get("query"),
            body=hints.get("body"),
            answer=None if answer is NoneType else answer,
            takes_text=takes_text,
            takes_key=method != "GET" if takes_key is None else takes_key,
            handle=handler,
        )
        setattr(handler, _MARK, declared)
        return handler

    return declare


def operations_in(names: Mapping[str, Any]) -> tuple[Operation, ...]:
    """The operations declared in a module, given its names, in their order."""
    return tuple(getattr(value, _MARK) for value in names.values() if hasattr(value, _MARK))
