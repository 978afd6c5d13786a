"""The routes of one instance: itself, its history, its lineage, its story.

Knows: the paths, what each tells of the instance that is meant.
Must not know: how a link is found, how the chain is told, who keeps the state.

Every worker tells of each instance that the name may mean; which of them is meant is decided of all together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from models.explain import ChainItem, Story, lineage_chain, story_of_instance
from models.public import HistoryItem, InstanceItem
from streams.web.answers import Fresh, One, Page, array, one, page, raw
from streams.web.lookup import Name, OneQuery, View, pick
from streams.web.routing import Router, Whole
from streams.web.share import Part

Tell = Callable[[View, InstanceItem], msgspec.Raw]
Question = Annotated[OneQuery, Query()]


def instance_routes(routes: APIRouter, router: Router) -> None:
    """Adds them."""

    @routes.get("/instances/{name}", responses={200: {"model": One[InstanceItem]}})
    async def instance(name: Name, query: Question, request: Request) -> Response:
        """One instance by its EC2 id or logical id."""
        return await _told(router, request, query, name, _itself, one)

    @routes.get("/instances/{name}/history", responses={200: {"model": Page[HistoryItem]}})
    async def instance_history(name: Name, query: Question, request: Request) -> Response:
        """What happened to one instance, oldest first: all that is kept, so always one page."""
        return await _told(router, request, query, name, _history, _page)

    @routes.get("/lineage/{name}", responses={200: {"model": Page[ChainItem]}})
    async def lineage(name: Name, query: Question, request: Request) -> Response:
        """The chain of an instance or slot, oldest first, with what each replacement cost: always one page."""
        return await _told(router, request, query, name, _chain, _page)

    @routes.get("/instances/{name}/story", responses={200: {"model": One[Story]}})
    async def instance_story(name: Name, query: Question, request: Request) -> Response:
        """What one instance is doing, since when, why and what comes next, as `hyperpod-state describe` says it."""
        return await _told(router, request, query, name, _story, one)


async def _told(
    router: Router,
    request: Request,
    query: OneQuery,
    name: str,
    tell: Tell,
    form: Callable[[msgspec.Raw, Fresh], Response],
) -> Response:
    async def find(seen: View) -> Part:
        found = seen.called(name, query.cluster)
        keys: list[tuple[str, ...]] = [(item.instance_id or "", item.phase) for item in found]
        return Part([tell(seen, item) for item in found], keys, as_of=seen.as_of)

    async def merge(whole: Whole) -> Response:
        keys = [key for part in whole.parts for key in part.keys]
        items = [item for part in whole.parts for item in part.items]
        return form(items[pick(keys, name, whole.fresh)], whole.fresh)

    return await router.answer(request, query, find, merge, name)


def _itself(_: View, item: InstanceItem) -> msgspec.Raw:
    return raw(item)


def _history(_: View, item: InstanceItem) -> msgspec.Raw:
    return array([raw(change) for change in item.history])


def _chain(seen: View, item: InstanceItem) -> msgspec.Raw:
    return array([raw(each) for each in lineage_chain(seen.picture, item, seen.as_of)])


def _story(seen: View, item: InstanceItem) -> msgspec.Raw:
    chain = lineage_chain(seen.picture, item, seen.as_of)
    return raw(story_of_instance(item, seen.picture.anomalies, chain, seen.as_of))


def _page(items: msgspec.Raw, fresh: Fresh) -> Response:
    return page(msgspec.json.decode(items, type=list[msgspec.Raw]), fresh)
