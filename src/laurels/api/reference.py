"""The reference page: `openapi.json` shown by a small page of ours, which asks no other host for anything."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from laurels.api.operation import operation
from laurels.api.performing import Replied, Reply
from laurels.api.problem import ApiProblem
from laurels.api.services import Page, Services
from laurels.core.explanation import Sentence

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES: Final = MappingProxyType(
    {
        "": ("reference.html", "text/html; charset=utf-8"),
        "reference.js": ("reference.js", "text/javascript; charset=utf-8"),
        "reference.css": ("reference.css", "text/css; charset=utf-8"),
    }
)


def pages(openapi: str) -> Mapping[str, Page]:
    """The files of the reference page by name, and the document that it shows."""
    folder = files("laurels.api") / "page"
    found = {name: Page((folder / file).read_bytes(), kind) for name, (file, kind) in _FILES.items()}
    return MappingProxyType({**found, "openapi.json": Page(openapi.encode(), "application/json")})


@operation("GET", "/openapi.json", tag="Operation", summary=Sentence("This document", "本文档"))
async def read_openapi(services: Services) -> str:
    """OpenAPI 3.1, made from the routes themselves."""
    raise Replied(_shown(services.pages["openapi.json"]))


@operation("GET", "/docs", tag="Operation", summary=Sentence("The reference page", "参考页"))
async def read_reference(services: Services) -> str:
    """This document for people, readable without any network but this server's."""
    raise Replied(_shown(services.pages[""]))


@operation("GET", "/docs/{file}", tag="Operation", summary=Sentence("Parts of the reference page", "参考页的组成文件"))
async def read_reference_part(services: Services, file: str) -> str:
    """Script and style of the reference page."""
    page = services.pages.get(file)
    if page is None:
        raise ApiProblem("no_such_route")
    raise Replied(_shown(page))


def _shown(page: Page) -> Reply:
    return Reply(200, page.body, page.media_type, {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"})
