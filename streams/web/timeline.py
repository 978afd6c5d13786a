"""The routes of timelines of many instances: those of a cluster, or of a group.

Knows: paths, which window, how many columns and rows.
Must not know: how times become columns, how a lane is found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from models.explain.times import milliseconds
from models.public import ClusterItem, GroupItem, Time, iso
from models.timeline import Known, Timeline, Window, timeline
from streams.since import FORMS, since
from streams.web.answers import ApiError, One, one, raw
from streams.web.history import Cluster, Group, Told, clusters_called, groups_called, told_of
from streams.web.lookup import OneQuery, View
from streams.web.routing import Router


class TimelineQuery(OneQuery):
    """Which window, and how much of it; `at` is another thing: the moment of which everything is told."""

    from_: str | None = Field(
        default=None,
        alias="from",
        description=f"The window's beginning: {FORMS}; else all that is kept.",
        examples=["7d"],
    )
    to: str | None = Field(default=None, description="Its end, in the same forms; else the moment of the answer.")
    width: int = Field(default=1000, ge=50, le=4000, description="Columns: as many as there are pixels.")
    first: int = Field(default=0, ge=0, le=1_000_000, description="The first lane of the answer, counted from 0.")
    rows: int = Field(default=100, ge=1, le=500, description="Lanes of the answer.")
    changed: bool = Field(default=False, description="Only lanes in which something changed in the window.")


Question = Annotated[TimelineQuery, Query()]


def timeline_routes(routes: APIRouter, router: Router) -> None:
    """Adds `/clusters/{name}/timeline` and `/instance-groups/{name}/timeline`."""
    known = Known()

    @routes.get("/clusters/{name:path}/timeline", name="cluster_timeline", responses={200: {"model": One[Timeline]}})
    async def cluster(name: Cluster, query: Question, request: Request) -> Response:
        """The phases of all its instances over time, a part of the lanes at a time."""
        told = Told(clusters_called(name, query), _of_cluster(query, known), one, slow=True)
        return await told_of(router, request, query, told, ("cluster", name))

    @routes.get("/instance-groups/{name}/timeline", name="group_timeline", responses={200: {"model": One[Timeline]}})
    async def group(name: Group, query: Question, request: Request) -> Response:
        """The same of one instance group; `cluster` says which is meant, where several are called so."""
        told = Told(groups_called(name, query), _of_group(query, known), one, slow=True)
        return await told_of(router, request, query, told, ("instance group", name))


def _of_cluster(query: TimelineQuery, known: Known) -> Callable[[View, ClusterItem], msgspec.Raw]:
    def tell(seen: View, item: ClusterItem) -> msgspec.Raw:
        return raw(timeline(seen.picture, item.cluster_arn, None, _window(query, seen.as_of), known))

    return tell


def _of_group(query: TimelineQuery, known: Known) -> Callable[[View, GroupItem], msgspec.Raw]:
    def tell(seen: View, item: GroupItem) -> msgspec.Raw:
        window = _window(query, seen.as_of)
        return raw(timeline(seen.picture, item.cluster_arn, item.instance_group, window, known))

    return tell


def _window(query: TimelineQuery, as_of: Time | None) -> Window:
    """ApiError 400 where it ends before it begins."""
    now = milliseconds(as_of) if as_of is not None else 0
    begun, ended = _moment("from", query.from_, now), _moment("to", query.to, now)
    ended = now if ended is None else min(ended, now)
    if begun is not None and begun >= ended:
        raise ApiError(400, "bad_parameter", f"from: {iso(begun)} is not before {iso(ended)}", "for example from=7d")
    return Window(begun, ended, query.width, query.first, query.rows, query.changed)


def _moment(name: str, text: str | None, now: int) -> int | None:
    if text is None:
        return None
    try:
        found = since(text, now)
        iso(found)
    except (ValueError, OverflowError) as error:
        raise ApiError(400, "bad_parameter", f"{name}: {error}", "for example from=7d") from None
    return found
