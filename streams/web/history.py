"""The routes that tell what happened to a cluster or to an instance group, and what it is doing.

Knows: paths, names, status codes.
Must not know: how changes are found.  Those of an instance are part of its item (`streams.web.instance`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response

from models.explain import Story, story_of_cluster, story_of_group
from models.public import ClusterItem, GroupItem, HistoryItem
from streams.web.answers import ApiError, Fresh, One, Page, array, one, page, raw
from streams.web.lookup import PREFIX, OneQuery, View, unknown
from streams.web.routing import Router, Whole
from streams.web.share import Part

HISTORY: dict[int | str, dict[str, Any]] = {200: {"model": Page[HistoryItem]}}
STORY: dict[int | str, dict[str, Any]] = {200: {"model": One[Story]}}
Question = Annotated[OneQuery, Query()]
Cluster = Annotated[str, Path(description="A cluster's name or ARN.", examples=["demo-eks"])]
Group = Annotated[str, Path(description="An instance group's name.", examples=["workers"])]
Item = TypeVar("Item", ClusterItem, GroupItem)


@dataclass(frozen=True)
class Told(Generic[Item]):
    """What is told of the one that `called` finds, and as what it is sent."""

    called: Callable[[View], Sequence[Item]]
    tell: Callable[[View, Item], msgspec.Raw]
    form: Callable[[msgspec.Raw, Fresh], Response]
    slow: bool = False
    """It takes so long that others must not wait for it."""


def history_routes(routes: APIRouter, router: Router) -> None:
    """Adds `/clusters/{name}/…` and `/instance-groups/{name}/…`: `history` and `story`."""

    @routes.get("/clusters/{name:path}/history", responses=HISTORY)
    async def cluster_history(name: Cluster, query: Question, request: Request) -> Response:
        """What happened to one cluster, by its name or ARN, oldest first: all that is kept, so always one page."""
        told = Told(clusters_called(name, query), _history, _page)
        return await told_of(router, request, query, told, ("cluster", name))

    @routes.get("/instance-groups/{name}/history", responses=HISTORY)
    async def group_history(name: Group, query: Question, request: Request) -> Response:
        """The same of one instance group; `cluster` says which is meant, where several are called so."""
        told = Told(groups_called(name, query), _history, _page)
        return await told_of(router, request, query, told, ("instance group", name))

    @routes.get("/clusters/{name:path}/story", responses=STORY)
    async def cluster_story(name: Cluster, query: Question, request: Request) -> Response:
        """What one cluster is doing, since when, why and what comes next, as `hyperpod-state describe` says it."""
        told = Told(clusters_called(name, query), _of_cluster, one)
        return await told_of(router, request, query, told, ("cluster", name))

    @routes.get("/instance-groups/{name}/story", responses=STORY)
    async def group_story(name: Group, query: Question, request: Request) -> Response:
        """The same of one instance group; `cluster` says which is meant, where several are called so."""
        told = Told(groups_called(name, query), _of_group, one)
        return await told_of(router, request, query, told, ("instance group", name))


async def told_of(
    router: Router, request: Request, query: OneQuery, told: Told[Item], what: tuple[str, str]
) -> Response:
    """Every worker tells of each that may be meant; that it is only one is decided of all together."""

    async def find(seen: View) -> Part:
        items = told.called(seen)
        if told.slow:
            said = [await asyncio.to_thread(told.tell, seen, item) for item in items]
        else:
            said = [told.tell(seen, item) for item in items]
        return Part(said, [(item.cluster_arn,) for item in items])

    async def merge(whole: Whole) -> Response:
        found = {key[0]: item for part in whole.parts for key, item in zip(part.keys, part.items, strict=True)}
        if not found:
            raise _unknown(*what, whole.fresh)
        _only(*what, sorted(found))
        (item,) = found.values()
        return told.form(item, whole.fresh)

    return await router.answer(request, query, find, merge)


def clusters_called(name: str, query: OneQuery) -> Callable[[View], list[ClusterItem]]:
    def called(seen: View) -> list[ClusterItem]:
        wanted, among = seen.arns([name]) or set(), seen.arns(query.cluster)
        return [each for each in seen.picture.clusters if each.cluster_arn in wanted and _meant(each, among)]

    return called


def groups_called(name: str, query: OneQuery) -> Callable[[View], list[GroupItem]]:
    def called(seen: View) -> list[GroupItem]:
        among = seen.arns(query.cluster)
        return [each for each in seen.picture.instance_groups if each.instance_group == name and _meant(each, among)]

    return called


def _of_cluster(seen: View, item: ClusterItem) -> msgspec.Raw:
    shown = seen.picture
    told = _changes(seen, item)
    return raw(story_of_cluster(item, shown.anomalies, shown.instance_groups, shown.instances, seen.as_of, told))


def _of_group(seen: View, item: GroupItem) -> msgspec.Raw:
    shown = seen.picture
    return raw(story_of_group(item, shown.anomalies, shown.instances, seen.as_of, _changes(seen, item)))


def _meant(item: ClusterItem | GroupItem, among: set[str] | None) -> bool:
    return among is None or item.cluster_arn in among


def _unknown(kind: str, name: str, fresh: Fresh) -> ApiError:
    return unknown(f"{kind} {name!r}", f"list them with {PREFIX}/{kind.replace(' ', '-')}s", fresh)


def _only(kind: str, name: str, arns: list[str]) -> None:
    """ApiError 409 where there are several."""
    if len(arns) > 1:
        hint = f"give one: cluster={', '.join(arns)}"
        raise ApiError(409, "ambiguous", f"{len(arns)} {kind}s are called {name!r}", hint)


def _history(seen: View, item: ClusterItem | GroupItem) -> msgspec.Raw:
    return array([raw(change) for change in _changes(seen, item)])


def _changes(seen: View, item: ClusterItem | GroupItem) -> Sequence[HistoryItem]:
    key = (item.cluster_arn, item.instance_group if isinstance(item, GroupItem) else None)
    told = [each.items for each in seen.picture.histories if (each.cluster_arn, each.instance_group) == key]
    return told[0] if told else ()


def _page(items: msgspec.Raw, fresh: Fresh) -> Response:
    return page(msgspec.json.decode(items, type=list[msgspec.Raw]), fresh)
