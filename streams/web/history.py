"""The routes that tell what happened to a cluster or to an instance group.

Knows: paths, names, status codes.
Must not know: how changes are found.  Those of an instance are part of its item (`streams.web.instance`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from models.public import ClusterItem, GroupItem, HistoryItem
from streams.web.answers import ApiError, Page, array, page, raw
from streams.web.lookup import PREFIX, OneQuery, View
from streams.web.routing import Router, Whole
from streams.web.share import Part

ANSWERS: dict[int | str, dict[str, Any]] = {200: {"model": Page[HistoryItem]}}
Question = Annotated[OneQuery, Query()]
Called = Callable[[View], Sequence[ClusterItem] | Sequence[GroupItem]]


def history_routes(routes: APIRouter, router: Router) -> None:
    """Adds `/clusters/{name}/history` and `/instance-groups/{name}/history`."""

    @routes.get("/clusters/{name:path}/history", responses=ANSWERS)
    async def cluster(name: str, query: Question, request: Request) -> Response:
        """What happened to one cluster, by its name or ARN, oldest first: all that is kept, so always one page."""

        def called(seen: View) -> list[ClusterItem]:
            wanted, among = seen.arns([name]) or set(), seen.arns(query.cluster)
            return [each for each in seen.picture.clusters if each.cluster_arn in wanted and _meant(each, among)]

        return await _told(router, request, query, called, ("cluster", name), None)

    @routes.get("/instance-groups/{name}/history", responses=ANSWERS)
    async def group(name: str, query: Question, request: Request) -> Response:
        """The same of one instance group; `cluster` says which is meant, where several are called so."""

        def called(seen: View) -> list[GroupItem]:
            among = seen.arns(query.cluster)
            return [
                each for each in seen.picture.instance_groups if each.instance_group == name and _meant(each, among)
            ]

        return await _told(router, request, query, called, ("instance group", name), name)


async def _told(
    router: Router, request: Request, query: OneQuery, called: Called, what: tuple[str, str], group: str | None
) -> Response:
    """Every worker tells of each that may be meant; that it is only one is decided of all together."""

    async def find(seen: View) -> Part:
        arns = [item.cluster_arn for item in called(seen)]
        return Part([_history(seen, arn, group) for arn in arns], [(arn,) for arn in arns])

    async def merge(whole: Whole) -> Response:
        found = {key[0]: item for part in whole.parts for key, item in zip(part.keys, part.items, strict=True)}
        _only(*what, sorted(found))
        (items,) = found.values()
        return page(msgspec.json.decode(items, type=list[msgspec.Raw]), whole.fresh)

    return await router.answer(request, query, find, merge)


def _meant(item: ClusterItem | GroupItem, among: set[str] | None) -> bool:
    return among is None or item.cluster_arn in among


def _only(kind: str, name: str, arns: list[str]) -> None:
    """ApiError 404 or 409 where it is not one."""
    if not arns:
        raise ApiError(
            404, "not_found", f"no {kind} {name!r} is known", f"list them with {PREFIX}/{kind.replace(' ', '-')}s"
        )
    if len(arns) > 1:
        hint = f"give one: cluster={', '.join(arns)}"
        raise ApiError(409, "ambiguous", f"{len(arns)} {kind}s are called {name!r}", hint)


def _history(seen: View, arn: str, group: str | None) -> msgspec.Raw:
    told = [each for each in seen.picture.histories if (each.cluster_arn, each.instance_group) == (arn, group)]
    return array([raw(change) for change in told[0].items] if told else [])
