"""The routes that tell what happened to a cluster or to an instance group.

Knows: paths, names, status codes.
Must not know: how changes are found.  Those of an instance are part of its item (`streams.web.api`).
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from models.public import ClusterItem, GroupItem, HistoryItem
from streams.web.answers import ApiError, Page
from streams.web.lookup import PREFIX, OneQuery, View, respond, view
from streams.web.provider import Provider

ANSWERS: dict[int | str, dict[str, Any]] = {200: {"model": Page[HistoryItem]}}


def history_routes(routes: APIRouter, provider: Provider) -> None:
    """Adds `/clusters/{name}/history` and `/instance-groups/{name}/history`."""

    @routes.get("/clusters/{name:path}/history", responses=ANSWERS)
    async def cluster(name: str, query: Annotated[OneQuery, Query()]) -> Response:
        """What happened to one cluster, by its name or ARN, oldest first: all that is kept, so always one page."""
        seen = await view(provider, query)
        wanted, among = seen.arns([name]) or set(), seen.arns(query.cluster)
        found = [each for each in seen.picture.clusters if each.cluster_arn in wanted]
        return _answer(seen, _one("cluster", name, [each for each in found if _meant(each, among)]), None)

    @routes.get("/instance-groups/{name}/history", responses=ANSWERS)
    async def group(name: str, query: Annotated[OneQuery, Query()]) -> Response:
        """The same of one instance group; `cluster` says which is meant, where several are called so."""
        seen = await view(provider, query)
        among = seen.arns(query.cluster)
        found = [each for each in seen.picture.instance_groups if each.instance_group == name and _meant(each, among)]
        return _answer(seen, _one("instance group", name, found), name)


def _meant(item: ClusterItem | GroupItem, among: set[str] | None) -> bool:
    return among is None or item.cluster_arn in among


def _one(kind: str, name: str, found: list[ClusterItem] | list[GroupItem]) -> str:
    """The ARN of the only one.  ApiError 404 or 409."""
    if not found:
        raise ApiError(
            404, "not_found", f"no {kind} {name!r} is known", f"list them with {PREFIX}/{kind.replace(' ', '-')}s"
        )
    if len(found) > 1:
        arns = ", ".join(item.cluster_arn for item in found)
        raise ApiError(409, "ambiguous", f"{len(found)} {kind}s are called {name!r}", f"give one: cluster={arns}")
    return found[0].cluster_arn


def _answer(seen: View, arn: str, name: str | None) -> Response:
    told = [each for each in seen.picture.histories if (each.cluster_arn, each.instance_group) == (arn, name)]
    items = told[0].items if told else ()
    return respond(Page[HistoryItem](items=items, as_of=seen.as_of, lag=seen.lag))
