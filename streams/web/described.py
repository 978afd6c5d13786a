"""The routes that describe everything else: a page for people, documents for programs.

Knows: paths, types and caching of documents.
Must not know: what they say, the fleet, Kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Path, Request, Response
from fastapi.responses import HTMLResponse

from models.schemas import shipped
from streams.runbooks.places import PATH
from streams.web import docs, prose
from streams.web.answers import ApiError, ErrorAnswer
from streams.web.page import DOCS, FRESH, STYLE, File, file_of, sent

TOPICS, SCHEMAS = "/asyncapi.json", "/schemas"
SCHEMA_TYPE = "application/schema+json"
ROUTES = (DOCS, "/openapi.json", TOPICS, f"{SCHEMAS}/{{name}}", PATH, f"{PATH}/{{kind}}")
Described = Callable[[], Mapping[str, Any]]
Name = Annotated[str, Path(description="Record, version and `.json`.", examples=["anomaly.v1.json"])]
_OBJECT: dict[str, Any] = {"schema": {"type": "object"}}


def described_routes(api: FastAPI, topics: Described | None) -> None:
    """Adds them; `topics` describes the topics, where there are any."""

    @cache
    def page() -> File:
        return file_of("docs.html", docs.page(api.openapi()))

    @cache
    def style() -> File:
        return file_of("docs.css", prose.style())

    @api.get(DOCS, include_in_schema=False, response_class=HTMLResponse)
    async def described(request: Request) -> Response:
        return sent(page(), request, FRESH)

    @api.get(STYLE, include_in_schema=False)
    async def styled(request: Request) -> Response:
        return sent(style(), request, FRESH)

    @api.get(
        TOPICS,
        name="asyncapi",
        responses={200: {"content": {"application/json": _OBJECT}}, 404: {"model": ErrorAnswer}},
    )
    async def asyncapi() -> Response:
        """The topics as AsyncAPI 3 describes them, under the names that they have here."""
        if topics is None:
            raise ApiError(404, "not_found", "no topics are behind this", "ask a worker")
        return Response(orjson.dumps(topics()), media_type="application/json")

    @api.get(
        f"{SCHEMAS}/{{name}}",
        name="schema",
        response_class=Response,
        responses={200: {"content": {SCHEMA_TYPE: _OBJECT}}},
    )
    async def schema(name: Name) -> Response:
        """The JSON Schema of a record, by its version; those of older versions stay."""
        found = shipped().get(name)
        if found is None:
            raise ApiError(404, "not_found", f"no schema {name!r} is known", f"there are {', '.join(shipped())}")
        return Response(found, media_type=SCHEMA_TYPE)
