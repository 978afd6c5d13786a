"""The route of the figures of reliability.

Knows: the path, which window and which groups are asked for.
Must not know: how a figure is found.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, TypeAdapter

from models.explain.times import milliseconds
from models.report import Counted, Report, counted, summed
from streams.since import FORMS, since
from streams.web import filters
from streams.web.answers import ApiError, One, one, raw
from streams.web.filters import Words
from streams.web.lookup import OneQuery, View
from streams.web.routing import Router, Whole
from streams.web.share import Part

COUNTED = TypeAdapter(Counted)


class ReportQuery(OneQuery):
    """Which window, and of what."""

    group: Words = filters.GROUP
    since: str | None = Field(default=None, description=f"The window's beginning: {FORMS}.", examples=["7d"])


def report_route(routes: APIRouter, router: Router) -> None:
    """Adds `/report`: every worker counts its own clusters, up to one moment; the answer is the sum."""

    @routes.get("/report", responses={200: {"model": One[Report]}})
    async def report(query: Annotated[ReportQuery, Query()], request: Request) -> Response:
        """Failures, repairs, time in states, lost node-hours, capacity and repeat offenders, up to `as_of`."""

        async def find(seen: View) -> Part:
            part = await asyncio.to_thread(
                counted,
                seen.picture,
                seen.as_of,
                since_ms=_since(query.since, seen.as_of),
                clusters=seen.arns(query.cluster),
                groups=query.group,
            )
            return Part([msgspec.Raw(COUNTED.dump_json(part))], as_of=seen.as_of)

        async def merge(whole: Whole) -> Response:
            return await asyncio.to_thread(_summed, whole, query)

        return await router.answer(request, query, find, merge)


def _summed(whole: Whole, query: ReportQuery) -> Response:
    parts = [COUNTED.validate_json(bytes(item)) for part in whole.parts for item in part.items]
    return one(raw(summed(parts, since_ms=_since(query.since, whole.fresh.as_of))), whole.fresh)


def _since(text: str | None, as_of: str | None) -> int | None:
    if text is None:
        return None
    try:
        return since(text, milliseconds(as_of) if as_of is not None else 0)
    except ValueError as error:
        raise ApiError(400, "bad_parameter", f"since: {error}", "for example since=7d") from None
