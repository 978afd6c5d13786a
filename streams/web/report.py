"""The route of the figures of reliability.

Knows: the path, which window and which groups are asked for.
Must not know: how a figure is found.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from models.explain.times import milliseconds
from models.report import Report, report
from streams.since import FORMS, since
from streams.web.answers import ApiError, One
from streams.web.filters import Words
from streams.web.lookup import OneQuery, respond, view
from streams.web.provider import Provider


class ReportQuery(OneQuery):
    """Which window, and of what."""

    group: Words = Field(default=[])
    since: str | None = Field(default=None, description=f"The window's beginning: {FORMS}.", examples=["7d"])


def report_route(routes: APIRouter, provider: Provider) -> None:
    """Adds `/report`."""

    @routes.get("/report", responses={200: {"model": One[Report]}})
    async def figures(query: Annotated[ReportQuery, Query()]) -> Response:
        """Failures, repairs, time in states, lost node-hours, capacity and repeat offenders, up to `as_of`."""
        seen = await view(provider, query)
        found = await asyncio.to_thread(
            report,
            seen.picture,
            seen.as_of,
            since_ms=_since(query.since, seen.as_of),
            clusters=seen.arns(query.cluster),
            groups=query.group,
        )
        return respond(One[Report](item=found, as_of=seen.as_of, lag=seen.lag))


def _since(text: str | None, as_of: str | None) -> int | None:
    if text is None:
        return None
    try:
        return since(text, milliseconds(as_of) if as_of is not None else 0)
    except ValueError as error:
        raise ApiError(400, "bad_parameter", f"since: {error}", "for example since=7d") from None
