"""The dashboard as files: one page for every address that it has, and what the page loads.

Knows: the built files, which paths are the page's, types and caching of files.
Must not know: what the page shows, how it was built.  It tells nothing of the fleet: whatever it shows it asks for.
"""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import FastAPI, Request, Response

from streams.runbooks.places import PATH as RUNBOOKS
from streams.web.answers import ApiError
from streams.web.asgi import Scope, header

STATIC = "/static/"
PAGES = ("/anomalies", "/patterns", "/machines", "/pipeline")
UNDER = ("/c/", "/i/", f"{RUNBOOKS}/")
"""Of a cluster or group, of an instance, of a kind of anomaly."""
DOCS, STYLE = "/docs", "/docs/style.css"
"""The page that describes the API (`streams.web.described`): there, and at runbooks, whoever reads has no token yet."""
HTML = "index.html"
FRESH = "no-cache"
"""What changes with the program, under the same address."""
FOR_EVER = "public, max-age=31536000, immutable"
"""Names of built files change with what is in them."""
LEAST = 1024
"""Bytes that are worth compressing."""


@dataclass(frozen=True)
class File:
    """One built file."""

    type: str
    plain: bytes
    packed: bytes | None


def is_shell(scope: Scope) -> bool:
    """Whether the page or one of its files is asked for: a browser has no token before it has shown the page."""
    path = str(scope["path"])
    if scope["method"] not in ("GET", "HEAD"):
        return False
    alone = (*PAGES, DOCS, STYLE, RUNBOOKS)
    return path.startswith((STATIC, *UNDER)) or path in alone or (path == "/" and wants_html(scope))


def wants_html(scope: Scope) -> bool:
    """Whether a browser's address bar asks, not a program."""
    return "text/html" in (header(scope, b"accept") or "")


def page_routes(api: FastAPI) -> None:
    """Adds the pages and their files."""

    @api.get("/static/{name}", include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        found = built().get(name)
        if found is None or name == HTML:
            raise ApiError(404, "not_found", f"the dashboard has no file {name!r}", "load the page again")
        return sent(found, request, FOR_EVER)

    async def shown(request: Request) -> Response:
        return page(request)

    for path in (*PAGES, "/c/{rest:path}", "/i/{rest:path}"):
        api.add_api_route(path, shown, methods=["GET"], include_in_schema=False)


def page(request: Request) -> Response:
    """The one page; the address says what it shows."""
    return sent(built()[HTML], request, FRESH)


@cache
def built() -> dict[str, File]:
    """All files by name, read once."""
    folder = files("streams.web").joinpath("static")
    return {each.name: file_of(each.name, each.read_bytes()) for each in folder.iterdir() if each.is_file()}


def file_of(name: str, content: bytes) -> File:
    """A file of this name."""
    kind = {"js": "text/javascript"}.get(name.rpartition(".")[2]) or mimetypes.guess_type(name)[0]
    charset = "; charset=utf-8" if kind and kind.startswith("text/") else ""
    packed = gzip.compress(content, mtime=0) if len(content) >= LEAST else None
    return File(f"{kind or 'application/octet-stream'}{charset}", content, packed)


def sent(file: File, request: Request, caching: str) -> Response:
    """A file as an answer, compressed where that can be read."""
    headers = {"Cache-Control": caching, "Vary": "Accept-Encoding, Accept"}
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.type)
    return Response(file.plain, headers=headers, media_type=file.type)
